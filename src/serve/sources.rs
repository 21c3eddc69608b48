//! What the doors need of the rooms behind them, as narrow as they need it. `app` implements these.

use std::sync::Arc;

use async_trait::async_trait;

use super::articles::FoundArticles;
use super::system::Models;
use crate::domain::{
    Article, ArticleId, CaseSummary, Classify, ConversationId, ErrorKind, Occasion, QuestionAnswer,
    QuestionId, Redacted, SystemNotice, TenantId, WrapUp, WrapUpId,
};
use crate::flow::wrapup::Draft;
use crate::knowledge::SearchMode;

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
}

#[async_trait]
pub trait Answerer: Send + Sync {
    /// Answers with proof, or says that nothing answers. Stores nothing.
    async fn answer(&self, asked: AskedQuestion) -> Result<QuestionAnswer, Failure>;
}

#[async_trait]
pub trait ArticleSource: Send + Sync {
    fn article(&self, tenant: &TenantId, id: &ArticleId) -> Option<Arc<Article>>;

    /// All articles in the order of their ids.
    fn articles(&self, tenant: &TenantId) -> Vec<Arc<Article>>;

    async fn search(
        &self,
        tenant: &TenantId,
        query: &str,
        limit: usize,
        mode: SearchMode,
    ) -> Result<FoundArticles, Failure>;
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
    /// Writes with proof, or refuses. Stores nothing.
    async fn write(&self, order: WrapUpOrder) -> Result<Vec<WrapUp>, Failure>;

    async fn case(
        &self,
        tenant: &TenantId,
        conversations: Vec<ConversationId>,
    ) -> Result<CaseSummary, Failure>;
}

/// What the service knows of its own state.
pub trait SystemSource: Send + Sync {
    /// `Err` says, for people, what it still waits for.
    fn ready(&self) -> Result<(), String>;
    fn degraded(&self) -> Vec<SystemNotice>;
    fn models(&self) -> Models;
}
