//! The article that is drafted for a gap.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::shelf::draft_id;
use crate::app::blocking::blocking;
use crate::batch::stored;
use crate::domain::{
    ArticleAction, ArticleContent, ArticleId, ArticleState, Classify, ErrorKind, NewRevision,
    TenantId, TurnId,
};
use crate::flow::wrapup::{GapAnswer, GapAsked, GapDraft, Reading, gap_draft};
use crate::knowledge::{FileArticle, check};
use crate::serve::{ArticleDesk, Failure};
use crate::store::gaps::{GapFile, GapRow};
use crate::store::{ArticleLog, Store, StoreError};

/// So many conversations are read for a draft.
const CONVERSATIONS: usize = 12;

/// Writes drafts for gaps.
pub(super) struct Drafts {
    pub store: Arc<dyn Store>,
    pub file: GapFile,
    pub log: Arc<dyn ArticleLog>,
    pub desk: Arc<dyn ArticleDesk>,
    pub time_zone: TimeZone,
}

impl Drafts {
    /// The article for a gap, and whether it is new. One that was taken back is begun anew.
    ///
    /// # Errors
    /// There is nothing to write, or a log can't be read or written.
    pub async fn draft(
        &self,
        tenant: &TenantId,
        row: &GapRow,
        by: &str,
    ) -> Result<(ArticleId, bool), Failure> {
        let id = draft_id(&row.id, row.opener.as_str());
        let known = self.log.article(tenant, &id).await.map_err(failed)?;
        let based_on = match known {
            Some(known) if known.state() != ArticleState::Retired => return Ok((id, false)),
            Some(known) => known.number,
            None => 0,
        };
        let draft = self.write(tenant, row).await?;
        is_sound(&id, &draft.content)?;
        let revision = NewRevision {
            article: id.clone(),
            based_on,
            action: ArticleAction::Draft,
            author: by.to_owned(),
            by: by.to_owned(),
            approver: None,
            time: Timestamp::now(),
            comment: Some(draft.comment),
            content: Arc::new(draft.content),
            provenance: draft.provenance.into(),
        };
        match self.desk.revise(tenant, revision).await {
            Ok(_) => Ok((id, true)),
            // Somebody else pressed the same button.
            Err(StoreError::StaleRevision { .. }) => Ok((id, false)),
            Err(error) => Err(failed(error)),
        }
    }

    async fn write(&self, tenant: &TenantId, row: &GapRow) -> Result<GapDraft, Failure> {
        let samples = self.file.samples(row.first, None, CONVERSATIONS).await.map_err(failed)?;
        let mut asked: Vec<GapAsked> = Vec::new();
        let mut answers = Vec::new();
        for sample in samples {
            let is_read = asked.iter().any(|one| one.conversation == sample.conversation);
            if let Some(turn) = sample.turn.clone().filter(|_| !is_read) {
                answers.extend(self.answer(tenant, &sample.conversation, turn).await?);
            }
            asked.push(GapAsked {
                conversation: sample.conversation,
                turn: sample.turn,
                text: sample.text,
            });
        }
        gap_draft(&row.question, &asked, answers).map_err(|refusal| Failure::of(&refusal))
    }

    /// What was answered to a question in its conversation, if anything was.
    async fn answer(
        &self,
        tenant: &TenantId,
        conversation: &crate::domain::ConversationId,
        turn: TurnId,
    ) -> Result<Option<GapAnswer>, Failure> {
        let read = stored::material(self.store.as_ref(), tenant, conversation, &self.time_zone);
        let Some((material, circumstances)) = read.await.map_err(failed)? else { return Ok(None) };
        let sentences = blocking(move || {
            // Too little was said there to write about: then nothing was answered, either.
            let reading = Reading::of(&material, &circumstances).ok();
            Ok(reading.map(|reading| reading.answer_to(&turn)).unwrap_or_default())
        })
        .await?;
        let conversation = conversation.clone();
        Ok((!sentences.is_empty()).then_some(GapAnswer { conversation, sentences }))
    }
}

fn is_sound(id: &ArticleId, content: &ArticleContent) -> Result<(), Failure> {
    check(&FileArticle::of_content(id.clone(), content))
        .map_err(|mistake| Failure { kind: ErrorKind::Invalid, message: mistake.to_string() })
}

fn failed(error: impl Classify) -> Failure {
    Failure::of(&error)
}
