//! Proposals that somebody asks for: of a call in the log, or of one from elsewhere.

use async_trait::async_trait;
use jiff::tz::TimeZone;

use super::{AUTHOR, Proposer, failed};
use crate::app::blocking::blocking;
use crate::batch::stored;
use crate::domain::{ErrorKind, WrapUpId};
use crate::flow::wrapup::{EXTRACTIVE, Proposal, Reading};
use crate::serve::{Failure, Proposals, Proposed, WantedProposal};

/// See the module's text.
pub struct ProposalDoor {
    pub proposer: Proposer,
    pub time_zone: TimeZone,
}

impl ProposalDoor {
    /// What a call of the log explained.
    async fn of_log(&self, wanted: &WantedProposal) -> Result<Proposal, Failure> {
        let conversation = wanted.conversation.clone();
        let store = self.proposer.store.as_ref();
        let read = stored::material(store, &wanted.tenant, &conversation, &self.time_zone).await;
        let (material, circumstances) = read.map_err(failed)?.ok_or_else(|| Failure {
            kind: ErrorKind::NotFound,
            message: format!("there is no conversation {conversation}"),
        })?;
        blocking(move || {
            let reading = Reading::of(&material, &circumstances);
            let reading = reading.map_err(|refusal| Failure::of(&refusal))?;
            Ok(Proposal {
                conversation,
                wrapup: WrapUpId::from(AUTHOR),
                language: reading.language().code().to_owned(),
                provider: EXTRACTIVE.to_owned(),
                given_by: None,
                said: reading.article().map_err(|refusal| Failure::of(&refusal))?,
            })
        })
        .await
    }
}

#[async_trait]
impl Proposals for ProposalDoor {
    async fn propose(&self, wanted: WantedProposal) -> Result<Proposed, Failure> {
        if wanted.tenant != self.proposer.tenant {
            let message = "this tenant's articles are not in this service".to_owned();
            return Err(Failure { kind: ErrorKind::NotFound, message });
        }
        let is_stored = wanted.said.is_none();
        let proposal = match wanted.said.clone() {
            None => self.of_log(&wanted).await?,
            Some((language, said)) => Proposal {
                conversation: wanted.conversation.clone(),
                wrapup: WrapUpId::from(AUTHOR),
                language,
                provider: EXTRACTIVE.to_owned(),
                given_by: Some(wanted.by.clone()),
                said,
            },
        };
        let compared = self.proposer.propose(proposal, wanted.is_dry_run).await?;
        let Some(compared) = compared else { return Ok(Proposed::Known) };
        if is_stored && !wanted.is_dry_run {
            self.proposer.tell(&wanted.conversation, compared.clone()).await?;
        }
        Ok(Proposed::Compared(compared))
    }
}
