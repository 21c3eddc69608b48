use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, sleep};

use super::{left_of, with_deadline};
use crate::models::{Generator, OnText, Piece, WritingError, WritingRequest, Written};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetrySettings {
    /// Besides the first attempt.
    pub retries: u32,
    /// The longest first pause; each later one may be twice as long.
    pub pause: Duration,
    pub pause_max: Duration,
}

impl Default for RetrySettings {
    fn default() -> Self {
        Self { retries: 2, pause: Duration::from_millis(300), pause_max: Duration::from_secs(5) }
    }
}

/// Tries again what failed before any text came, as long as the deadline allows.
pub struct Retrying {
    inner: Arc<dyn Generator>,
    settings: RetrySettings,
    /// From 0 to 1. Without chance, all that failed together come back together.
    chance: fn() -> f64,
}

impl Retrying {
    pub fn new(inner: Arc<dyn Generator>, settings: RetrySettings) -> Self {
        Self { inner, settings, chance: rand::random::<f64> }
    }

    #[cfg(test)]
    pub(super) fn by_chance(mut self, chance: fn() -> f64) -> Self {
        self.chance = chance;
        self
    }

    /// Full jitter: anything up to the longest pause of this attempt.
    fn pause(&self, attempt: u32) -> Duration {
        let longest = self.settings.pause.saturating_mul(2_u32.saturating_pow(attempt));
        longest.min(self.settings.pause_max).mul_f64((self.chance)())
    }
}

#[async_trait]
impl Generator for Retrying {
    fn provider(&self) -> &str {
        self.inner.provider()
    }

    async fn write(
        &self,
        request: &WritingRequest,
        on_text: OnText<'_>,
    ) -> Result<Written, WritingError> {
        let began = Instant::now();
        let mut attempt = 0;
        loop {
            let mut passed_on = false;
            let this = with_deadline(request, left_of(request, began));
            let mut watched = |piece: Piece<'_>| {
                passed_on = true;
                on_text(piece);
            };
            let error = match self.inner.write(&this, &mut watched).await {
                Ok(written) => return Ok(written),
                Err(error) => error,
            };
            if passed_on || attempt >= self.settings.retries {
                return Err(error);
            }
            let Some(asked_for) = worth_a_retry(&error) else { return Err(error) };
            let pause = self.pause(attempt).max(asked_for);
            if pause >= left_of(request, began) {
                return Err(error);
            }
            sleep(pause).await;
            attempt += 1;
        }
    }
}

/// How long at least to wait before another attempt; `None` when it would end the same way.
fn worth_a_retry(error: &WritingError) -> Option<Duration> {
    match error {
        WritingError::Limited { retry_after, .. } => Some(retry_after.unwrap_or_default()),
        WritingError::Unavailable { .. }
        | WritingError::Silent { .. }
        | WritingError::Broken { .. } => Some(Duration::ZERO),
        _ => None,
    }
}
