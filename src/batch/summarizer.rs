//! Who writes about a conversation of a batch.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::part::Used;
use super::run::Caps;
use crate::domain::{Classify, ErrorKind, Occasion, WrapUp};
use crate::flow::wrapup::{Circumstances, Draft, EXTRACTIVE, Reading, Refusal, WrapUpSettings};
use crate::models::{Material, Meter, Payer, WritingError};

/// What is wanted of each conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WritingOrder {
    /// In this order. What a conversation holds nothing for is left out.
    pub drafts: Vec<Draft>,
    pub seed: u64,
    /// The name under which a job's budget is kept.
    pub job: Arc<str>,
}

/// How far a conversation is in a run. Whoever asks keeps it from one try to the next: neither a draft
/// that fails, nor a stop, nor a writer that panics loses what was paid for.
#[derive(Debug, Default)]
pub struct SoFar {
    /// All that it took, whatever came of it.
    pub meter: Arc<Meter>,
    /// The finished drafts by their place in the order; nobody is asked for them again.
    pub drafts: BTreeMap<usize, Vec<WrapUp>>,
}

impl SoFar {
    pub(super) fn used(&self) -> Used {
        let reading = self.meter.read();
        let tokens = reading.tokens.prompt + reading.tokens.written;
        Used { tokens, cost_micros: reading.micros }
    }
}

/// Why nothing was written about a conversation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSummarized {
    #[error("{0}")]
    Refused(#[from] Refusal),
    #[error("{0}")]
    Writing(#[from] WritingError),
    /// It panicked. With what is told nowhere: that may be what a customer said.
    #[error("made the program fail, which is its fault: please report it")]
    Bug,
}

impl NotSummarized {
    /// Trying again may help, at once or after people did something.
    pub fn may_pass(&self) -> bool {
        match self {
            // It comes again with the same seed.
            Self::Writing(WritingError::Form { .. }) => false,
            // Of all conversations, until somebody gives the right key.
            Self::Writing(WritingError::Denied { .. }) => true,
            other => other.kind().is_retryable(),
        }
    }

    /// So long the provider is left alone, and every try fails; zero while one request tries whether it is back.
    pub const fn rests_for(&self) -> Option<Duration> {
        match self {
            Self::Writing(WritingError::Resting { for_now, .. }) => Some(*for_now),
            _ => None,
        }
    }

    /// Whose budget it is that doesn't allow it now.
    pub const fn payer(&self) -> Option<&Payer> {
        match self {
            Self::Writing(WritingError::Budget { whose }) => Some(whose),
            _ => None,
        }
    }
}

impl Classify for NotSummarized {
    fn kind(&self) -> ErrorKind {
        match self {
            // What stands in a file doesn't get more.
            Self::Refused(_) => ErrorKind::Invalid,
            Self::Writing(error) => error.kind(),
            Self::Bug => ErrorKind::Internal,
        }
    }
}

/// Writes about conversations, several at once. The same material, order and identity give the same
/// wrap-ups. Dropping the future cancels the work behind it.
#[async_trait]
pub trait Summarizer: Send + Sync {
    /// Everything of it that decides what it writes: provider, model, prompts, settings. A batch
    /// that was begun with one identity isn't gone on with by another.
    fn identity(&self) -> String;

    /// So many conversations at once unless somebody says otherwise.
    fn usual_concurrency(&self) -> usize;

    /// A run begins: what may be used over the whole batch, and what has been used of it.
    fn begin(&self, _order: &WritingOrder, _caps: Caps, _used: Used) {}

    /// The run is over, however it ended.
    fn end(&self, _order: &WritingOrder) {}

    /// # Errors
    /// Not all is written about this conversation; if the kind is retryable, perhaps later. What
    /// was finished stands in `so_far`.
    async fn write(
        &self,
        material: &Arc<Material>,
        circumstances: &Circumstances,
        order: &WritingOrder,
        so_far: &mut SoFar,
    ) -> Result<Vec<WrapUp>, NotSummarized>;
}

/// Writes without a model: sentences of the conversation, word for word.
pub struct Extractive {
    settings: Arc<WrapUpSettings>,
}

impl Extractive {
    pub fn new(settings: WrapUpSettings) -> Self {
        Self { settings: Arc::new(settings) }
    }
}

#[async_trait]
impl Summarizer for Extractive {
    fn identity(&self) -> String {
        // Its rules change with the program only.
        format!("{EXTRACTIVE} {} {:?}", env!("CARGO_PKG_VERSION"), self.settings)
    }

    fn usual_concurrency(&self) -> usize {
        std::thread::available_parallelism().map_or(2, usize::from)
    }

    async fn write(
        &self,
        material: &Arc<Material>,
        circumstances: &Circumstances,
        order: &WritingOrder,
        _: &mut SoFar,
    ) -> Result<Vec<WrapUp>, NotSummarized> {
        let (material, circumstances) = (Arc::clone(material), circumstances.clone());
        let (settings, drafts) = (Arc::clone(&self.settings), order.drafts.clone());
        let work = move || {
            let reading = Reading::of(&material, &circumstances)?;
            let (mut wrap_ups, mut refusal) = (Vec::new(), None);
            for draft in drafts {
                let stem = draft.stem_at_end().into();
                match reading.draft(&draft, Occasion::End, &stem, &settings) {
                    Ok(written) => wrap_ups.extend(written),
                    Err(why) => refusal = refusal.or(Some(why)),
                }
            }
            match refusal {
                Some(why) if wrap_ups.is_empty() => Err(NotSummarized::from(why)),
                _ => Ok(wrap_ups),
            }
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| NotSummarized::Bug)?
    }
}
