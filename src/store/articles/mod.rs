//! The log of articles' revisions: what the knowledge base is made of.
//!
//! A revision never changes; what is in force follows from the order in which they were written. Each
//! replica builds its index from this log and follows it by position. Each back end passes
//! `conformance::all`.

pub mod codec;
pub mod conformance;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;

use super::{Page, StoreError};
use crate::domain::{
    ArticleAction, ArticleId, ArticleRevision, ArticleState, NewEvent, NewRevision, TenantId,
};

/// The most revisions that one call returns with what they say.
pub const MAX_REVISIONS: usize = 256;

#[async_trait]
pub trait ArticleLog: Send + Sync {
    /// Appends revisions and what is told about them in the system conversation, all or nothing;
    /// durable when this resolves.
    ///
    /// The log numbers the revisions of an article from 1 without gaps. A revision that isn't based
    /// on the newest one is refused as `StaleRevision`, which names both; one that rests on an erased
    /// conversation as `Erased`. Times are cut to milliseconds. Dropping the future does not take it back.
    async fn revise(
        &self,
        tenant: &TenantId,
        revisions: Vec<NewRevision>,
        events: Vec<NewEvent>,
    ) -> Result<Vec<Arc<ArticleRevision>>, StoreError>;

    /// A tenant's revisions after a position, in commit order; at most `MAX_REVISIONS`. One that is
    /// damaged is left out, and the program's log names it.
    async fn revisions_after(
        &self,
        tenant: &TenantId,
        after: u64,
    ) -> Result<Vec<Arc<ArticleRevision>>, StoreError>;

    /// The position of the newest revision of all tenants; 0 when there is none.
    async fn newest_revision(&self) -> Result<u64, StoreError>;

    /// The revisions in force, in the order of their articles' ids, from the one after this id; at
    /// most `MAX_REVISIONS`. One is in force from its publication until another is, or until the
    /// article is retired: a newer draft doesn't touch it. One that is damaged is left out, as above.
    async fn in_force(
        &self,
        tenant: &TenantId,
        after: Option<&ArticleId>,
    ) -> Result<Vec<Arc<ArticleRevision>>, StoreError>;

    /// A tenant's articles in the order of their ids.
    async fn articles(&self, query: &ArticleQuery) -> Result<Page<ArticleRow>, StoreError>;

    /// One article of a tenant; another tenant's is not found.
    async fn article(
        &self,
        tenant: &TenantId,
        id: &ArticleId,
    ) -> Result<Option<ArticleRow>, StoreError>;

    /// Those of a tenant's articles that are there, in any order; one that is named twice comes once.
    async fn articles_named(
        &self,
        tenant: &TenantId,
        ids: &[ArticleId],
    ) -> Result<Vec<ArticleRow>, StoreError>;

    async fn revision(
        &self,
        tenant: &TenantId,
        id: &ArticleId,
        number: u32,
    ) -> Result<Option<Arc<ArticleRevision>>, StoreError>;

    /// An article's history, the oldest first, without what it said.
    async fn history(
        &self,
        tenant: &TenantId,
        id: &ArticleId,
    ) -> Result<Vec<RevisionRow>, StoreError>;
}

/// Which articles to list.
#[derive(Clone, Debug)]
pub struct ArticleQuery {
    pub tenant: TenantId,
    /// `Published`: those with a revision in force, whatever their newest is; else by the newest.
    pub state: Option<ArticleState>,
    pub product: Option<String>,
    /// To be reviewed on that day at the latest.
    pub review_by: Option<Date>,
    /// Holds until that day at the latest.
    pub valid_until: Option<Date>,
    /// In the title or the id, in any case.
    pub text: Option<String>,
    pub limit: usize,
    /// `next` of the page before.
    pub after: Option<String>,
}

impl ArticleQuery {
    pub fn all(tenant: TenantId) -> Self {
        Self {
            tenant,
            state: None,
            product: None,
            review_by: None,
            valid_until: None,
            text: None,
            limit: MAX_LIST,
            after: None,
        }
    }
}

/// The most rows of one list.
pub const MAX_LIST: usize = 500;

/// What is known of an article without reading what it says.
#[derive(Clone, Debug, PartialEq)]
pub struct ArticleRow {
    pub id: ArticleId,
    /// The newest revision and what it is.
    pub number: u32,
    pub action: ArticleAction,
    pub title: String,
    pub author: String,
    pub by: String,
    pub approver: Option<String>,
    pub time: Timestamp,
    pub audience: Vec<String>,
    pub products: Vec<String>,
    pub language: String,
    pub review_by: Option<Date>,
    /// The last day on which the revision in force holds, or the newest if none is.
    pub valid_until: Option<Date>,
    /// Of what the newest revision says: `codec::content_hash`.
    pub content_hash: String,
    /// Of what a file said when it was last imported.
    pub imported_hash: Option<String>,
    /// The revision in force.
    pub published: Option<u32>,
}

impl ArticleRow {
    pub const fn state(&self) -> ArticleState {
        self.action.leads_to()
    }
}

/// One line of a history.
#[derive(Clone, Debug, PartialEq)]
pub struct RevisionRow {
    pub number: u32,
    pub action: ArticleAction,
    pub title: String,
    pub author: String,
    pub by: String,
    pub approver: Option<String>,
    pub time: Timestamp,
    pub comment: Option<String>,
}
