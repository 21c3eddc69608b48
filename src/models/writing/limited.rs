use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::{left_of, with_deadline};
use crate::models::{Generator, OnText, WritingError, WritingRequest, Written};

/// Lets so many ask at once. Some more wait in turn, within their deadline; the rest is refused.
pub struct Limited {
    inner: Arc<dyn Generator>,
    places: Semaphore,
    waiting: AtomicUsize,
    queue_max: usize,
}

impl Limited {
    pub fn new(inner: Arc<dyn Generator>, concurrency: usize, queue_max: usize) -> Self {
        Self {
            inner,
            places: Semaphore::new(concurrency.max(1)),
            waiting: AtomicUsize::new(0),
            queue_max,
        }
    }

    fn queue(&self) -> Result<Waiting<'_>, WritingError> {
        let before = self.waiting.fetch_add(1, Ordering::AcqRel);
        let waiting = Waiting(self);
        if before >= self.queue_max {
            let provider = self.provider().to_owned();
            metrics::counter!("backchannel_writing_refused_total", "provider" => provider.clone())
                .increment(1);
            return Err(WritingError::Busy { provider });
        }
        waiting.show();
        Ok(waiting)
    }
}

struct Waiting<'a>(&'a Limited);

impl Waiting<'_> {
    fn show(&self) {
        let waiting = self.0.waiting.load(Ordering::Acquire);
        let provider = self.0.provider().to_owned();
        metrics::gauge!("backchannel_writing_waiting", "provider" => provider).set(waiting as f64);
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
        self.show();
    }
}

#[async_trait]
impl Generator for Limited {
    fn provider(&self) -> &str {
        self.inner.provider()
    }

    async fn write(
        &self,
        request: &WritingRequest,
        on_text: OnText<'_>,
    ) -> Result<Written, WritingError> {
        let Ok(place) = self.places.try_acquire() else {
            let began = Instant::now();
            let waiting = self.queue()?;
            let place = timeout(request.deadline, self.places.acquire()).await;
            drop(waiting);
            // The semaphore is never closed, so only time can have run out. The provider was not asked.
            let Ok(Ok(place)) = place else {
                return Err(WritingError::Busy { provider: self.provider().to_owned() });
            };
            let this = with_deadline(request, left_of(request, began));
            let outcome = self.inner.write(&this, on_text).await;
            drop(place);
            return outcome;
        };
        let outcome = self.inner.write(request, on_text).await;
        drop(place);
        outcome
    }
}
