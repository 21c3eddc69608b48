//! Questions that were asked and not answered: a projection of the log, made on a thread of its own behind the
//! appends, and what the HTTP doors show of it.

mod follow;
mod likeness;
mod nearest;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::nearest::Shelf;
use crate::bus::Bus;
use crate::domain::{Redacted, TenantId};
use crate::flow::suggestion::SuggestionSettings;
use crate::knowledge::Library;
use crate::serve::{
    Failure, Gap, GapList, GapReasons, GapSample, Gaps, HandlingTime, WantedGaps,
};
use crate::store::codec::time_text;
use crate::store::gaps::{GapFile, GapQuery, GapRow};
use crate::store::{Store, StoreError};

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
    pub suggestion: SuggestionSettings,
    pub meaning: watch::Receiver<Meaning>,
    pub stop: CancellationToken,
}

/// See the module's text.
pub struct GapDoor {
    store: Arc<dyn Store>,
    file: GapFile,
    shelf: Shelf,
    followers: Mutex<Vec<JoinHandle<()>>>,
}

impl GapDoor {
    /// Opens the projection in the data folder and lets it follow the log until `stop`.
    ///
    /// # Errors
    /// The folder can't be written.
    pub async fn open(folder: &Path, around: GapSurroundings) -> Result<Self, StoreError> {
        let file = GapFile::open(folder).await?;
        let follower = |tenant: &TenantId| {
            let followed = follow::follow(
                Arc::clone(&around.store),
                Arc::clone(&around.bus),
                file.clone(),
                tenant.clone(),
                around.meaning.clone(),
                around.stop.clone(),
            );
            // Comparing a question with thousands of others takes a millisecond, and reading a long log anew minutes.
            let runtime = Handle::current();
            tokio::task::spawn_blocking(move || runtime.block_on(followed))
        };
        let followers = Mutex::new(around.tenants.iter().map(follower).collect());
        let tenant = around.tenants.first().cloned();
        let shelf = Shelf::new(around.library, tenant, around.suggestion);
        Ok(Self { store: around.store, file, shelf, followers })
    }

    /// Waits until nobody writes any more, which `stop` brings about.
    pub async fn close(&self) {
        let followers = std::mem::take(
            &mut *self.followers.lock().unwrap_or_else(PoisonError::into_inner),
        );
        for follower in followers {
            if follower.await.is_err() {
                tracing::error!("following the log for unanswered questions failed, which is a bug");
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
        let [abstained, dismissed, asked, searched] = row.reasons;
        Ok(Gap {
            nearest: self.shelf.nearest(tenant, &row).await?,
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
        let query = GapQuery {
            tenant: tenant.clone(),
            since: wanted.since,
            limit: wanted.limit,
            after: wanted.cursor,
        };
        let read = self.file.position(tenant).await.map_err(failed)?;
        let head = self.store.head().await.map_err(failed)?;
        let page = self.file.list(&query).await.map_err(failed)?;
        let mut items = Vec::new();
        for row in page.items {
            items.push(self.gap(tenant, row, wanted.since).await?);
        }
        Ok(GapList { items, next: page.next, behind: head.saturating_sub(read) })
    }

    async fn show(&self, tenant: &TenantId, id: &str) -> Result<Option<Gap>, Failure> {
        match self.file.gap(tenant, id).await.map_err(|error| Failure::of(&error))? {
            Some(row) => self.gap(tenant, row, None).await.map(Some),
            None => Ok(None),
        }
    }
}
