//! What writes text: a language model anywhere, or nobody (`extractive`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::domain::{Citation, Classify, ErrorKind, PromptRef, TenantId, Turn};

/// What a text is for. Models, deadlines and budgets are set per task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WritingTask {
    /// One or two spoken-style sentences on a card.
    Card,
    /// The answer to an agent's question.
    Answer,
    Summary,
    HandOver,
    Email,
    FollowUps,
    Disposition,
    Article,
}

impl WritingTask {
    pub const ALL: [Self; 8] = [
        Self::Card,
        Self::Answer,
        Self::Summary,
        Self::HandOver,
        Self::Email,
        Self::FollowUps,
        Self::Disposition,
        Self::Article,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Answer => "answer",
            Self::Summary => "summary",
            Self::HandOver => "hand_over",
            Self::Email => "email",
            Self::FollowUps => "follow_ups",
            Self::Disposition => "disposition",
            Self::Article => "article",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|task| task.as_str() == text)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    System,
    User,
    Assistant,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub speaker: Speaker,
    pub content: String,
}

/// The form that an answer must have.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputSchema {
    pub name: String,
    /// JSON Schema, draft 2020-12.
    pub schema: Arc<serde_json::Value>,
}

/// What may be written about. Rendered into the messages for a model; read as it is by `extractive`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Material {
    pub turns: Vec<Turn>,
    pub passages: Vec<Citation>,
}

/// One text to write.
#[derive(Clone, Debug)]
pub struct WritingRequest {
    pub tenant: TenantId,
    /// The batch job or other account that pays for it besides the tenant.
    pub job: Option<Arc<str>>,
    pub task: WritingTask,
    pub prompt: Option<PromptRef>,
    pub messages: Vec<Message>,
    pub material: Arc<Material>,
    pub schema: Option<OutputSchema>,
    pub max_tokens: u32,
    /// 0 picks the likeliest token each time.
    pub temperature: f32,
    pub seed: Option<u64>,
    /// From the call to the last token.
    pub deadline: Duration,
    /// Where it is counted what was used for this piece of work, whatever came of it.
    pub meter: Option<Arc<Meter>>,
}

/// What one piece of work used, over all its requests and all who were asked.
#[derive(Debug, Default)]
pub struct Meter {
    read: Mutex<MeterReading>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MeterReading {
    pub tokens: TokenCount,
    /// In millionths of the currency that prices are in.
    pub micros: u64,
    /// Whose budget didn't allow something.
    pub refused: Option<Payer>,
}

/// Who pays for a piece of work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payer {
    /// Out of what it may use on a day.
    Tenant(TenantId),
    Job(Arc<str>),
}

impl std::fmt::Display for Payer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tenant(tenant) => write!(f, "tenant {tenant} for today"),
            Self::Job(job) => write!(f, "job {job}"),
        }
    }
}

impl Meter {
    pub fn read(&self) -> MeterReading {
        self.reading().clone()
    }

    pub fn used(&self, tokens: TokenCount, micros: u64) {
        let mut reading = self.reading();
        reading.tokens.prompt += tokens.prompt;
        reading.tokens.written += tokens.written;
        reading.micros += micros;
    }

    pub(super) fn refused(&self, whose: &Payer) {
        self.reading().refused.get_or_insert_with(|| whose.clone());
    }

    /// Whose budget didn't allow something since this was last asked.
    pub fn take_refused(&self) -> Option<Payer> {
        self.reading().refused.take()
    }

    fn reading(&self) -> MutexGuard<'_, MeterReading> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenCount {
    pub prompt: u64,
    pub written: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The text is whole.
    Stop,
    /// It reached `max_tokens`.
    Length,
    /// The provider withheld it.
    Filtered,
}

/// A text that was written, not yet checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub text: String,
    pub finish: Finish,
    pub tokens: TokenCount,
    /// Who wrote it in the end: a chain may have fallen back.
    pub provider: String,
    pub model: Option<String>,
}

/// Why no text came.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WritingError {
    #[error("provider {provider}: the request is wrong: {detail}")]
    Refused { provider: String, detail: String },
    #[error("provider {provider}: the key or token was not accepted")]
    Denied { provider: String },
    #[error("provider {provider}: too many requests")]
    Limited { provider: String, retry_after: Option<Duration> },
    /// Our own queue in front of it.
    #[error("provider {provider}: too many requests wait for it here")]
    Busy { provider: String },
    /// It failed too often and is not asked for a while.
    #[error("provider {provider}: left alone for {} ms after failures", .for_now.as_millis())]
    Resting { provider: String, for_now: Duration },
    #[error("provider {provider}: not reachable or failing: {detail}")]
    Unavailable { provider: String, detail: String },
    /// The request's own time was over. A card has seconds, and waits in our queue for some of them.
    #[error("provider {provider}: no whole text in the {waited_ms} ms that there were")]
    Timeout { provider: String, waited_ms: u64 },
    /// It said nothing for longer than any provider may.
    #[error("provider {provider}: silent for {silent_ms} ms")]
    Silent { provider: String, silent_ms: u64 },
    #[error("provider {provider}: the answer broke off: {detail}")]
    Broken { provider: String, detail: String },
    #[error("provider {provider}: the answer doesn't have the form that was asked for: {detail}")]
    Form { provider: String, detail: String },
    #[error("the budget of {whose} is used up")]
    Budget { whose: Payer },
}

impl WritingError {
    /// The provider didn't do its part; the request itself may be right.
    pub const fn blames_provider(&self) -> bool {
        matches!(
            self,
            Self::Denied { .. }
                | Self::Unavailable { .. }
                | Self::Silent { .. }
                | Self::Broken { .. }
        )
    }

    /// For metrics: a closed list of words.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "refused",
            Self::Denied { .. } => "denied",
            Self::Limited { .. } => "limited",
            Self::Busy { .. } => "busy",
            Self::Resting { .. } => "resting",
            Self::Unavailable { .. } => "unavailable",
            Self::Timeout { .. } => "timeout",
            Self::Silent { .. } => "silent",
            Self::Broken { .. } => "broken",
            Self::Form { .. } => "form",
            Self::Budget { .. } => "budget",
        }
    }
}

impl Classify for WritingError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Refused { .. } => ErrorKind::Invalid,
            Self::Denied { .. } => ErrorKind::Denied,
            Self::Limited { .. } | Self::Busy { .. } | Self::Budget { .. } => ErrorKind::Busy,
            Self::Timeout { .. } | Self::Silent { .. } => ErrorKind::Timeout,
            Self::Unavailable { .. }
            | Self::Resting { .. }
            | Self::Broken { .. }
            | Self::Form { .. } => ErrorKind::Unavailable,
        }
    }
}

/// What comes while a text is being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    Text(&'a str),
    /// All that came before is void: somebody else begins anew.
    Restart,
}

/// Gets each piece of a text as it comes.
pub type OnText<'a> = &'a mut (dyn FnMut(Piece<'_>) + Send);

/// Writes texts. Dropping the future cancels the work behind it.
#[async_trait]
pub trait Generator: Send + Sync {
    /// The name in the settings.
    fn provider(&self) -> &str;

    /// `on_text` gets the pieces in order; those since the last restart are together the answer's
    /// `text`.
    ///
    /// # Errors
    /// No whole text came. What `on_text` has had until then is void.
    async fn write(
        &self,
        request: &WritingRequest,
        on_text: OnText<'_>,
    ) -> Result<Written, WritingError>;
}
