//! What the doors need of the rooms behind them, as narrow as they need it. `app` implements these.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use super::articles::{ArticleConflict, FoundArticles, Question};
use super::batches::{BatchFile, BatchView, WantedBatch};
use super::erasures::{Certificate, WantedErasure};
use super::gaps::{Gap, GapList, WantedGaps};
use super::system::Models;
use crate::domain::{
    ArticleContent, ArticleId, ArticleProposal, ArticleRevision, CaseSummary, Classify,
    ConversationId, ErrorKind, NewEvent, NewRevision, Occasion, ProposalCompared, QuestionAnswer,
    QuestionId, Recorded, Redacted, SystemNotice, TenantId, WrapUp, WrapUpId,
};
use crate::flow::author::OnGrowth;
use crate::flow::voice::OnStep;
use crate::flow::wrapup::Draft;
use crate::store::{ArticleRow, StoreError};

/// Masks the secrets in raw words: `insight::redaction`.
pub type Masker = Arc<dyn Fn(&str) -> Redacted + Send + Sync>;

/// An error of a room behind the door, with what the door must know of it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    pub kind: ErrorKind,
    pub message: String,
}

impl Failure {
    pub fn of(error: &impl Classify) -> Self {
        Self { kind: error.kind(), message: error.to_string() }
    }
}

impl Classify for Failure {
    fn kind(&self) -> ErrorKind {
        self.kind
    }
}

/// A question that an agent asked; `question.asked` is durable already.
#[derive(Clone, Debug)]
pub struct AskedQuestion {
    pub tenant: TenantId,
    pub conversation: ConversationId,
    pub id: QuestionId,
    pub question: Redacted,
    /// The question back that this is the answer to, where whoever asks says so.
    pub answers: Option<QuestionId>,
}

#[async_trait]
pub trait Erasures: Send + Sync {
    /// Erases what is a contact's and says what went, or what would go.
    async fn erase(&self, wanted: WantedErasure) -> Result<Certificate, Failure>;
}

#[async_trait]
pub trait Answerer: Send + Sync {
    /// Answers with proof, asks back, or says that nothing answers. Stores nothing. Where a model
    /// writes, `on_step` gets each sentence as soon as it is proven. Dropping the future stops it.
    async fn answer(
        &self,
        asked: AskedQuestion,
        on_step: OnStep<'_>,
    ) -> Result<QuestionAnswer, Failure>;
}

#[async_trait]
pub trait ArticleSource: Send + Sync {
    /// Searches what is in force.
    async fn search(&self, tenant: &TenantId, question: Question)
    -> Result<FoundArticles, Failure>;
}

/// Where articles are written, and what may be cited at a moment.
#[async_trait]
pub trait ArticleDesk: Send + Sync {
    /// Makes a revision durable and puts it into force: when this resolves, what was published can
    /// be found, and what was retired is cited by no later event.
    async fn revise(
        &self,
        tenant: &TenantId,
        revision: NewRevision,
    ) -> Result<Arc<ArticleRevision>, StoreError>;

    /// Takes over what files say, as `ImportOutcome` tells for each, in their order.
    async fn import(
        &self,
        tenant: &TenantId,
        by: &str,
        items: Vec<ImportItem>,
        is_dry_run: bool,
    ) -> Result<Vec<ImportOutcome>, Failure>;

    /// Whether whoever approves must be somebody else than the author.
    fn four_eyes(&self) -> bool;

    /// Appends events that may cite articles. `None`: one of them cites what isn't in force any more,
    /// and none was written.
    async fn append_citing(
        &self,
        tenant: &TenantId,
        conversation: &ConversationId,
        events: Vec<NewEvent>,
    ) -> Result<Option<Vec<Arc<Recorded>>>, StoreError>;
}

/// What a file says, masked.
#[derive(Clone, Debug)]
pub struct ImportItem {
    pub id: ArticleId,
    pub content: ArticleContent,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportOutcome {
    New,
    Changed,
    Unchanged,
    /// People have changed it since the last import, and that stands.
    Kept(String),
    Refused(String),
}

impl ImportOutcome {
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::Kept(_) => "kept",
            Self::Refused(_) => "refused",
        }
    }

    pub fn detail(&self) -> Option<String> {
        match self {
            Self::Kept(why) | Self::Refused(why) => Some(why.clone()),
            Self::New | Self::Changed | Self::Unchanged => None,
        }
    }
}

/// Questions that were asked and not answered.
#[async_trait]
pub trait Gaps: Send + Sync {
    /// The dearest first.
    async fn list(&self, tenant: &TenantId, wanted: WantedGaps) -> Result<GapList, Failure>;

    /// `None` for a gap that this tenant doesn't have.
    async fn show(&self, tenant: &TenantId, id: &str) -> Result<Option<Gap>, Failure>;

    /// Drafts an article for a gap out of what agents answered, or finds the one that was drafted before; says which
    /// article that is, and whether it is new. `None` for a gap that this tenant doesn't have.
    async fn draft(
        &self,
        tenant: &TenantId,
        id: &str,
        by: &str,
    ) -> Result<Option<(ArticleId, bool)>, Failure>;
}

/// What drafts say against what is published.
#[async_trait]
pub trait Conflicts: Send + Sync {
    /// Compares a revision with what is published now. `None`: it isn't a draft that somebody has still to
    /// decide about, or it can't be compared at the moment.
    async fn of(
        &self,
        tenant: &TenantId,
        row: &ArticleRow,
        revision: &ArticleRevision,
    ) -> Option<Arc<[ArticleConflict]>>;

    /// How many there are, where that is known of the newest revision and of what is published now.
    fn count(&self, tenant: &TenantId, row: &ArticleRow) -> Option<usize>;
}

/// A conversation of which an article might be drafted.
#[derive(Clone, Debug)]
pub struct WantedProposal {
    pub tenant: TenantId,
    pub conversation: ConversationId,
    /// In which language, and what; absent: what the stored conversation explains.
    pub said: Option<(String, ArticleProposal)>,
    /// Who asks, and is the author of what they give.
    pub by: String,
    /// Tells what would become of it, and writes nothing.
    pub is_dry_run: bool,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Proposed {
    Compared(ProposalCompared),
    /// What was written for the conversation before stands as it is.
    Known,
}

#[async_trait]
pub trait Proposals: Send + Sync {
    /// Compares what a conversation explains with the articles in force, and writes what is new.
    async fn propose(&self, wanted: WantedProposal) -> Result<Proposed, Failure>;
}

/// A draft that somebody asked for.
#[derive(Clone, Debug)]
pub struct WrapUpOrder {
    pub tenant: TenantId,
    pub conversation: ConversationId,
    pub draft: Draft,
    pub occasion: Occasion,
    /// What the drafts' identifiers begin with.
    pub stem: WrapUpId,
}

#[async_trait]
pub trait WrapUps: Send + Sync {
    /// Writes with proof, or refuses. Stores nothing but what was struck of a text that left no draft.
    /// What a model writes is shown while it grows.
    async fn write(&self, order: WrapUpOrder, on_growth: OnGrowth) -> Result<Vec<WrapUp>, Failure>;

    async fn case(
        &self,
        tenant: &TenantId,
        conversations: Vec<ConversationId>,
    ) -> Result<CaseSummary, Failure>;
}

/// Work over many conversations; `None` for a batch that this tenant doesn't have.
#[async_trait]
pub trait Batches: Send + Sync {
    /// It is durable when this resolves, and is done even if the service restarts.
    async fn begin(&self, tenant: &TenantId, wanted: WantedBatch) -> Result<BatchView, Failure>;

    /// The newest first.
    async fn list(&self, tenant: &TenantId) -> Result<Vec<BatchView>, Failure>;

    async fn show(&self, tenant: &TenantId, id: &str) -> Result<Option<BatchView>, Failure>;

    async fn cancel(&self, tenant: &TenantId, id: &str) -> Result<Option<BatchView>, Failure>;

    /// Takes a batch that is over away, with all its files; whether there was one.
    async fn remove(&self, tenant: &TenantId, id: &str) -> Result<bool, Failure>;

    /// Where a file of a batch that is done stands.
    async fn file(
        &self,
        tenant: &TenantId,
        id: &str,
        which: BatchFile,
    ) -> Result<Option<PathBuf>, Failure>;
}

/// What the service knows of its own state.
pub trait SystemSource: Send + Sync {
    /// `Err` says, for people, what it still waits for.
    fn ready(&self) -> Result<(), String>;
    fn degraded(&self) -> Vec<SystemNotice>;
    fn models(&self) -> Models;
}
