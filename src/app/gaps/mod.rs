//! Questions that were asked and not answered: a projection of the log, made behind the appends, what the HTTP doors
//! show of it, and the articles that are drafted out of it.

mod draft;
mod follow;
mod likeness;
mod shelf;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::draft::Drafts;
use self::follow::Forget;
use self::shelf::{Shelf, Standing};
use crate::bus::Bus;
use crate::domain::{ArticleId, Redacted, TenantId};
use crate::flow::suggestion::SuggestionSettings;
use crate::knowledge::Library;
use crate::serve::{
    ArticleDesk, Failure, Gap, GapList, GapReasons, GapSample, GapState, Gaps, HandlingTime,
    WantedGaps,
};
use crate::store::codec::time_text;
use crate::store::gaps::{GapFile, GapQuery, GapRow};
use crate::store::{ArticleLog, ReadQuery, Store, StoreError};

pub use self::likeness::Meaning;

const SAMPLES: usize = 5;

/// What the projection is made of.
pub struct GapSurroundings {
    pub store: Arc<dyn Store>,
    pub bus: Arc<dyn Bus>,
    /// Whose questions are looked at, one projection each.
    pub tenants: Vec<TenantId>,
    /// The articles, which are the first tenant's.
    pub library: Library,
    pub article_log: Arc<dyn ArticleLog>,
    /// Where drafts are written.
    pub desk: Arc<dyn ArticleDesk>,
    pub time_zone: TimeZone,
    pub suggestion: SuggestionSettings,
    pub meaning: watch::Receiver<Meaning>,
    pub stop: CancellationToken,
}

/// See the module's text.
pub struct GapDoor {
    store: Arc<dyn Store>,
    file: GapFile,
    shelf: Shelf,
    drafts: Drafts,
    followers: Mutex<Vec<JoinHandle<()>>>,
    /// Each asks its tenant's follower to begin anew.
    forgets: Vec<(TenantId, mpsc::Sender<Forget>)>,
}

impl GapDoor {
    /// Opens the projection in the data folder and lets it follow the log until `stop`.
    ///
    /// # Errors
    /// The folder can't be written.
    pub async fn open(folder: &Path, around: GapSurroundings) -> Result<Self, StoreError> {
        let file = GapFile::open(folder).await?;
        let mut forgets = Vec::new();
        let follower = |tenant: &TenantId| {
            let (forget, forgotten) = mpsc::channel(1);
            forgets.push((tenant.clone(), forget));
            let followed = follow::follow(
                Arc::clone(&around.store),
                Arc::clone(&around.bus),
                file.clone(),
                tenant.clone(),
                around.meaning.clone(),
                forgotten,
                around.stop.clone(),
            );
            tokio::spawn(followed)
        };
        let followers = Mutex::new(around.tenants.iter().map(follower).collect());
        let tenant = around.tenants.first().cloned();
        let log = around.article_log;
        let shelf = Shelf::new(around.library, Arc::clone(&log), tenant, around.suggestion);
        let drafts = Drafts {
            store: Arc::clone(&around.store),
            file: file.clone(),
            log,
            desk: around.desk,
            time_zone: around.time_zone,
        };
        Ok(Self { store: around.store, file, shelf, drafts, followers, forgets })
    }

    /// Lets go of everything that was made of a tenant's log, also in the file, and makes it anew in the background.
    ///
    /// # Errors
    /// The file can't be written.
    pub async fn forget(&self, tenant: &TenantId) -> Result<(), StoreError> {
        let Some((_, follower)) = self.forgets.iter().find(|(known, _)| known == tenant) else {
            return Ok(());
        };
        let (answer, answered) = oneshot::channel();
        follower.send(answer).await.map_err(|_| StoreError::Closed)?;
        answered.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Waits until nobody writes any more, which `stop` brings about.
    pub async fn close(&self) {
        let followers =
            std::mem::take(&mut *self.followers.lock().unwrap_or_else(PoisonError::into_inner));
        for follower in followers {
            if follower.await.is_err() {
                tracing::error!(
                    "following the log for unanswered questions failed, which is a bug"
                );
            }
        }
        self.file.close().await;
    }

    async fn gap(
        &self,
        tenant: &TenantId,
        row: GapRow,
        since: Option<Timestamp>,
    ) -> Result<Gap, Failure> {
        let failed = |error: StoreError| Failure::of(&error);
        let samples = self.file.samples(row.first, since, SAMPLES).await.map_err(failed)?;
        let samples = samples.into_iter().map(|sample| GapSample {
            conversation_id: sample.conversation.to_string(),
            turn_id: sample.turn.map(|turn| turn.to_string()),
            text: sample.text.as_str().to_owned(),
            at: time_text(sample.time),
        });
        let Standing { nearest, article, published_at, answers, is_drafted } =
            self.shelf.standing(tenant, &row).await?;
        let asked_since = match published_at {
            Some(moment) => Some(self.file.asked_since(row.first, moment).await.map_err(failed)?),
            None => None,
        };
        let is_closed =
            answers && asked_since.is_some_and(|since| since.asked <= 2 * since.answered);
        let state = match (is_closed, is_drafted) {
            (true, _) => GapState::Closed,
            (false, true) => GapState::Drafted,
            (false, false) => GapState::Open,
        };
        let [abstained, dismissed, asked, searched] = row.reasons;
        Ok(Gap {
            nearest,
            state: state.as_str(),
            article_id: article.map(|id| id.to_string()),
            published_at: published_at.map(time_text),
            asked_since_publication: asked_since.map(|since| since.asked),
            answered_since: asked_since.map(|since| since.answered),
            id: row.id,
            question: row.question.as_str().to_owned(),
            context: row.context.as_ref().map(|text| Redacted::as_str(text).to_owned()),
            count: row.questions,
            conversations: row.conversations,
            handling_ms: HandlingTime {
                mean: row.handling_ms.checked_div(row.ended),
                total: row.handling_ms,
            },
            cost_ms: row.cost_ms,
            first_seen: time_text(row.first_seen),
            last_seen: time_text(row.last_seen),
            reasons: GapReasons { abstained, dismissed, asked, searched },
            samples: samples.collect(),
        })
    }
}

#[async_trait]
impl Gaps for GapDoor {
    async fn list(&self, tenant: &TenantId, wanted: WantedGaps) -> Result<GapList, Failure> {
        let failed = |error: StoreError| Failure::of(&error);
        let mut query = GapQuery {
            tenant: tenant.clone(),
            since: wanted.since,
            limit: wanted.limit,
            after: wanted.cursor,
        };
        let read = self.file.position(tenant).await.map_err(failed)?;
        let head = self.store.head().await.map_err(failed)?;
        let is_wanted = |gap: &Gap| wanted.state.is_none_or(|state| gap.state == state.as_str());
        let mut items: Vec<Gap> = Vec::new();
        // Which state a gap has is known only when it was looked up.
        let next = loop {
            let page = self.file.list(&query).await.map_err(failed)?;
            let mut rows = page.items.into_iter();
            while items.len() < wanted.limit
                && let Some(row) = rows.next()
            {
                query.after = Some(row.place());
                let gap = self.gap(tenant, row, wanted.since).await?;
                items.extend(Some(gap).filter(is_wanted));
            }
            let is_more = rows.len() > 0 || page.next.is_some();
            match (is_more, items.len() < wanted.limit) {
                (true, true) => {}
                (true, false) => break query.after,
                (false, _) => break None,
            }
        };
        // Positions are of the whole log, and how much others write in it is nobody else's business.
        let behind = match head > read {
            true => {
                let all = ReadQuery::all(tenant.clone(), read);
                let query = ReadQuery { with_erased: true, ..all };
                self.store.read(&query).await.map_err(failed)?.len() as u64
            }
            false => 0,
        };
        Ok(GapList { items, next, behind })
    }

    async fn show(&self, tenant: &TenantId, id: &str) -> Result<Option<Gap>, Failure> {
        match self.file.gap(tenant, id).await.map_err(|error| Failure::of(&error))? {
            Some(row) => self.gap(tenant, row, None).await.map(Some),
            None => Ok(None),
        }
    }

    async fn draft(
        &self,
        tenant: &TenantId,
        id: &str,
        by: &str,
    ) -> Result<Option<(ArticleId, bool)>, Failure> {
        match self.file.gap(tenant, id).await.map_err(|error| Failure::of(&error))? {
            Some(row) => self.drafts.draft(tenant, &row, by).await.map(Some),
            None => Ok(None),
        }
    }
}
