//! The articles' log and the library that is built from it, as the rest of the house uses them.

mod import;
mod start;
mod withdraw;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::Mutex;

use crate::domain::{
    ArticleAction, ArticleChanged, ArticleRevision, ArticleState, ConversationId, EventBody,
    NewEvent, NewRevision, Recorded, TenantId,
};
use crate::knowledge::{Change, Library, Written};
use crate::serve::{ArticleDesk, Failure, ImportItem, ImportOutcome};
use crate::store::{ArticleLog, Store, StoreError};

pub use self::import::{IMPORT, import};
pub(super) use self::start::open;
pub use self::start::{Opened, library_of};

/// Where articles are written. One tenant's are in the library, the one whom this process serves.
pub struct Articles {
    store: Arc<dyn Store>,
    log: Arc<dyn ArticleLog>,
    library: Library,
    tenant: TenantId,
    four_eyes: bool,
    /// The library holds everything up to this position of the log.
    position: Mutex<u64>,
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
        let position = Mutex::new(opened.position);
        Self { store, log, library: opened.library, tenant, four_eyes, position }
    }

    /// Brings the library to the end of the log, whoever wrote there.
    ///
    /// # Errors
    /// The log can't be read, or the index can't be built; the next call tries again.
    pub async fn catch_up(&self) -> Result<(), StoreError> {
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
            let library = self.library.clone();
            let failed = |what: String| StoreError::Read(what.into());
            tokio::task::spawn_blocking(move || library.apply(newest))
                .await
                .map_err(|error| failed(error.to_string()))?
                .map_err(|error| failed(error.to_string()))?;
            self.library.let_go().await;
        }
        *position = after;
        Ok(())
    }
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
        let is_visible = matches!(
            revision.action,
            ArticleAction::Publish | ArticleAction::Retire | ArticleAction::Import
        );
        let retired = (revision.action == ArticleAction::Retire).then(|| revision.article.clone());
        let event = told(&revision);
        let written = self.log.revise(tenant, vec![revision], vec![event]).await?;
        if is_visible && *tenant == self.tenant {
            // It is durable: whoever asked must not be told otherwise.
            if let Err(error) = self.catch_up().await {
                tracing::error!(%error, "a published change can't be found yet");
            }
        }
        if let Some(article) = retired {
            // What is on a screen already is taken off it; nobody waits for that.
            let (store, tenant) = (Arc::clone(&self.store), tenant.clone());
            tokio::spawn(async move {
                if let Err(error) = withdraw::withdraw(store.as_ref(), &tenant, &article).await {
                    tracing::warn!(%article, %error, "some cards of a retired article stay shown");
                }
            });
        }
        let nothing = || StoreError::Write("the log wrote no revision".into());
        written.into_iter().next().ok_or_else(nothing)
    }

    async fn import(
        &self,
        tenant: &TenantId,
        by: &str,
        items: Vec<ImportItem>,
        is_dry_run: bool,
    ) -> Result<Vec<ImportOutcome>, Failure> {
        let outcomes = import(self.log.as_ref(), tenant, by, items, is_dry_run).await;
        let outcomes = outcomes.map_err(|error| Failure::of(&error))?;
        if !is_dry_run && *tenant == self.tenant {
            self.catch_up().await.map_err(|error| Failure::of(&error))?;
        }
        Ok(outcomes)
    }

    fn four_eyes(&self) -> bool {
        self.four_eyes
    }

    async fn append_citing(
        &self,
        tenant: &TenantId,
        conversation: &ConversationId,
        events: Vec<NewEvent>,
    ) -> Result<Option<Vec<Arc<Recorded>>>, StoreError> {
        let hold = self.library.hold().await;
        if !events.iter().all(|event| hold.allows(&event.body)) {
            return Ok(None);
        }
        self.store.append(tenant, conversation, events).await.map(Some)
    }
}
