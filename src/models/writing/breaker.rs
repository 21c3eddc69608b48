use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use super::validated::json_in;
use crate::models::{Finish, Generator, OnText, WritingError, WritingRequest, Written};

/// A failure weighs as much as so many successes: a provider that fails half of the time is left alone, one that fails
/// now and then isn't.
const WEIGHT: u32 = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerSettings {
    /// In a row; each success between them makes up for a quarter of one.
    pub failures: u32,
    pub rest: Duration,
    /// Each probe that fails doubles the rest up to this.
    pub rest_max: Duration,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self { failures: 5, rest: Duration::from_secs(5), rest_max: Duration::from_secs(60) }
    }
}

/// Leaves a failing provider alone for a while, then lets one request find out how it is.
pub struct Breaker {
    inner: Arc<dyn Generator>,
    settings: BreakerSettings,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What failures weigh less what successes do.
    blame: u32,
    /// Set while it rests and while a probe is out.
    resting: Option<Rest>,
}

#[derive(Clone, Copy, Debug)]
struct Rest {
    until: Instant,
    length: Duration,
    probing: bool,
}

impl Breaker {
    pub fn new(inner: Arc<dyn Generator>, settings: BreakerSettings) -> Self {
        Self { inner, settings, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self) -> Result<Attempt<'_>, WritingError> {
        let mut state = self.state();
        let Some(rest) = &mut state.resting else {
            return Ok(Attempt { breaker: self, is_probe: false, is_over: false });
        };
        let now = Instant::now();
        if rest.probing || now < rest.until {
            return Err(WritingError::Resting {
                provider: self.inner.provider().to_owned(),
                for_now: rest.until.saturating_duration_since(now),
            });
        }
        rest.probing = true;
        Ok(Attempt { breaker: self, is_probe: true, is_over: false })
    }

    fn succeeded(&self) {
        let mut state = self.state();
        if state.resting.take().is_some() {
            tracing::info!(provider = self.inner.provider(), "the provider answers again");
            state.blame = 0;
        }
        state.blame = state.blame.saturating_sub(1);
        self.show(false);
    }

    fn failed(&self, was_probe: bool) {
        let mut state = self.state();
        state.blame += WEIGHT;
        let length = match state.resting {
            Some(rest) if was_probe => (rest.length * 2).min(self.settings.rest_max),
            // It opened while this one was out.
            Some(_) => return,
            None if state.blame >= self.settings.failures * WEIGHT => self.settings.rest,
            None => return,
        };
        let until = Instant::now() + length;
        state.resting = Some(Rest { until, length, probing: false });
        self.show(true);
        tracing::warn!(
            provider = self.inner.provider(),
            failures = state.blame.div_ceil(WEIGHT),
            rest_ms = length.as_millis() as u64,
            "the provider is left alone after failures"
        );
    }

    /// Its time was too short to tell. Until somebody hears of the provider, it rests on.
    fn learned_nothing(&self) {
        if let Some(rest) = &mut self.state().resting {
            *rest = Rest { until: Instant::now() + rest.length, probing: false, ..*rest };
        }
    }

    fn show(&self, is_resting: bool) {
        let provider = self.inner.provider().to_owned();
        metrics::gauge!("backchannel_writing_provider_resting", "provider" => provider)
            .set(if is_resting { 1.0 } else { 0.0 });
    }
}

/// A probe whose caller went away has found out nothing: the next one may probe.
struct Attempt<'a> {
    breaker: &'a Breaker,
    is_probe: bool,
    is_over: bool,
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.is_probe
            && !self.is_over
            && let Some(rest) = &mut self.breaker.state().resting
        {
            rest.probing = false;
        }
    }
}

#[async_trait]
impl Generator for Breaker {
    fn provider(&self) -> &str {
        self.inner.provider()
    }

    async fn write(
        &self,
        request: &WritingRequest,
        on_text: OnText<'_>,
    ) -> Result<Written, WritingError> {
        let mut attempt = self.enter()?;
        let outcome = self.inner.write(request, on_text).await;
        match &outcome {
            Err(error) if error.blames_provider() => {
                attempt.is_over = true;
                self.failed(attempt.is_probe);
            }
            // It is handed on all the same: whoever asked for a form asks once more.
            Ok(written) if is_useless(request, written) => {
                attempt.is_over = true;
                self.failed(attempt.is_probe);
            }
            Err(WritingError::Timeout { .. }) if attempt.is_probe => {
                attempt.is_over = true;
                self.learned_nothing();
            }
            // Our own queue was full, or our own time too short: nothing is known.
            Err(WritingError::Busy { .. } | WritingError::Timeout { .. }) => {}
            _ => {
                attempt.is_over = true;
                self.succeeded();
            }
        }
        outcome
    }
}

/// No JSON where JSON was asked for, though it was written to its end.
fn is_useless(request: &WritingRequest, written: &Written) -> bool {
    let is_json = |text: &str| serde_json::from_str::<serde::de::IgnoredAny>(json_in(text)).is_ok();
    request.schema.is_some() && written.finish == Finish::Stop && !is_json(&written.text)
}
