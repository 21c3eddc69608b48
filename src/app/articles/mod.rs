//! The articles' log and the library that is built from it, as the rest of the house uses them.

mod import;
mod start;
mod withdraw;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::Mutex;

use crate::domain::{
    ArticleAction, ArticleChanged, ArticleRevision, ArticleState, ConversationId, EventBody,
    NewEvent, NewRevision, Recorded, TenantId,
};
use crate::knowledge::{Change, Library, Written};
use crate::serve::{ArticleDesk, Failure, ImportItem, ImportOutcome};
use crate::store::articles::codec::revision_hash;
use crate::store::{ArticleLog, Store, StoreError};

pub use self::import::{IMPORT, import};
pub(super) use self::start::open;
pub use self::start::{Opened, library_of};

/// Between two tries to bring the library to the end of the log.
const AGAIN: Duration = Duration::from_secs(1);
const BROKE: &str = "changing an article failed, which is a bug";

/// Where articles are written. One tenant's are in the library, the one whom this process serves.
pub struct Articles(Arc<Desk>);

struct Desk {
    store: Arc<dyn Store>,
    log: Arc<dyn ArticleLog>,
    library: Library,
    tenant: TenantId,
    four_eyes: bool,
    /// The library holds everything up to this position of the log.
    position: Mutex<u64>,
    /// Somebody tries again and again to bring it there.
    is_behind: AtomicBool,
}

impl Articles {
    /// `library` is what the log held at `position`.
    pub fn new(
        store: Arc<dyn Store>,
        log: Arc<dyn ArticleLog>,
        tenant: TenantId,
        opened: Opened,
        four_eyes: bool,
    ) -> Self {
        let (position, is_behind) = (Mutex::new(opened.position), AtomicBool::new(false));
        let library = opened.library;
        Self(Arc::new(Desk { store, log, library, tenant, four_eyes, position, is_behind }))
    }
}

impl Desk {
    /// Brings the library to the end of the log, whoever wrote there.
    ///
    /// # Errors
    /// The log can't be read, or the index can't be built; the next call tries again.
    async fn catch_up(&self) -> Result<(), StoreError> {
        let mut position = self.position.lock().await;
        let mut after = *position;
        let mut newest: Vec<Change> = Vec::new();
        loop {
            let page = self.log.revisions_after(&self.tenant, after).await?;
            let Some(last) = page.last() else { break };
            after = last.position;
            newest.extend(page.iter().filter_map(|revision| change(revision)));
        }
        if !newest.is_empty() {
            self.apply(newest).await?;
        }
        *position = after;
        Ok(())
    }

    async fn apply(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        let library = self.library.clone();
        let failed = |what: String| StoreError::Read(what.into());
        let applied = tokio::task::spawn_blocking(move || library.apply(changes)).await;
        self.library.let_go().await;
        applied
            .map_err(|error| failed(error.to_string()))?
            .map_err(|error| failed(error.to_string()))
    }

    /// What is durable comes into force: now, or as soon as it can.
    async fn follow(self: &Arc<Self>) -> Result<(), StoreError> {
        let followed = self.catch_up().await;
        if followed.is_err() && !self.is_behind.swap(true, Ordering::AcqRel) {
            let desk = Arc::clone(self);
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(AGAIN).await;
                    match desk.catch_up().await {
                        Ok(()) => break,
                        Err(error) => tracing::error!(%error, "articles are behind their log"),
                    }
                }
                desk.is_behind.store(false, Ordering::Release);
            });
        }
        followed
    }

    async fn revise(
        self: Arc<Self>,
        tenant: TenantId,
        revision: NewRevision,
    ) -> Result<Arc<ArticleRevision>, StoreError> {
        let is_visible = matches!(
            revision.action,
            ArticleAction::Publish | ArticleAction::Retire | ArticleAction::Import
        );
        let retired = (revision.action == ArticleAction::Retire).then(|| revision.article.clone());
        let event = told(&revision);
        let written = self.log.revise(&tenant, vec![revision], vec![event]).await?;
        if is_visible && tenant == self.tenant {
            // It is durable: whoever asked must not be told otherwise.
            if let Err(error) = self.follow().await {
                tracing::error!(%error, "a published change can't be found yet");
                // Taking back needs nothing of the log.
                if let Some(article) = retired.clone() {
                    self.apply(vec![Change::Retire(article)]).await?;
                }
            }
        }
        if let Some(article) = retired {
            // What is on a screen already is taken off it; nobody waits for that.
            tokio::spawn(async move {
                let withdrawn = withdraw::withdraw(self.store.as_ref(), &tenant, &article).await;
                if let Err(error) = withdrawn {
                    tracing::warn!(%article, %error, "some cards of a retired article stay shown");
                }
            });
        }
        let nothing = || StoreError::Write("the log wrote no revision".into());
        written.into_iter().next().ok_or_else(nothing)
    }

    async fn import(
        self: Arc<Self>,
        tenant: TenantId,
        by: String,
        items: Vec<ImportItem>,
        is_dry_run: bool,
    ) -> Result<Vec<ImportOutcome>, StoreError> {
        let outcomes = import(self.log.as_ref(), &tenant, &by, items, is_dry_run).await;
        if !is_dry_run && tenant == self.tenant {
            // Also where it broke off: some of it may be durable.
            self.follow().await?;
        }
        outcomes
    }
}

/// Goes on to its end also when whoever asked has hung up: what is durable must come into force.
async fn whole<T: Send + 'static>(
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::spawn(work).await.unwrap_or_else(|_| Err(StoreError::Write(BROKE.into())))
}

/// What a revision changes in what is in force.
fn change(revision: &ArticleRevision) -> Option<Change> {
    match revision.state() {
        ArticleState::Published => Some(Change::Publish(Box::new(Written::of_revision(revision)))),
        ArticleState::Retired => Some(Change::Retire(revision.article.clone())),
        ArticleState::Draft | ArticleState::InReview => None,
    }
}

/// What is told about a revision.
fn told(revision: &NewRevision) -> NewEvent {
    let changed = ArticleChanged {
        article_id: revision.article.clone(),
        revision: revision.based_on + 1,
        action: revision.action,
        title: revision.content.title.clone(),
        by: revision.by.clone(),
        comment: revision.comment.clone(),
        hash: Some(revision_hash(revision)),
    };
    NewEvent::at(Timestamp::now(), EventBody::ArticleChanged(Box::new(changed)))
}

#[async_trait]
impl ArticleDesk for Articles {
    async fn revise(
        &self,
        tenant: &TenantId,
        revision: NewRevision,
    ) -> Result<Arc<ArticleRevision>, StoreError> {
        whole(Arc::clone(&self.0).revise(tenant.clone(), revision)).await
    }

    async fn import(
        &self,
        tenant: &TenantId,
        by: &str,
        items: Vec<ImportItem>,
        is_dry_run: bool,
    ) -> Result<Vec<ImportOutcome>, Failure> {
        let (desk, tenant, by) = (Arc::clone(&self.0), tenant.clone(), by.to_owned());
        whole(desk.import(tenant, by, items, is_dry_run)).await.map_err(|error| Failure::of(&error))
    }

    fn four_eyes(&self) -> bool {
        self.0.four_eyes
    }

    async fn append_citing(
        &self,
        tenant: &TenantId,
        conversation: &ConversationId,
        events: Vec<NewEvent>,
    ) -> Result<Option<Vec<Arc<Recorded>>>, StoreError> {
        let hold = self.0.library.hold().await;
        if !events.iter().all(|event| hold.allows(&event.body)) {
            return Ok(None);
        }
        self.0.store.append(tenant, conversation, events).await.map(Some)
    }
}
