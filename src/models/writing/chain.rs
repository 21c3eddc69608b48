use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, timeout};

use super::{left_of, with_deadline};
use crate::models::{Generator, OnText, Piece, WritingError, WritingRequest, Written};

const AHEAD: Duration = Duration::from_millis(20);

/// A provider in a chain.
pub struct Link {
    pub generator: Arc<dyn Generator>,
    /// What it needs: those before it leave it so much of the deadline.
    pub reserve: Duration,
}

/// Providers in order: when one fails, the next begins anew, all within one deadline.
pub struct Chain {
    links: Vec<Link>,
}

impl Chain {
    /// # Panics
    /// Without a link. Settings with an empty chain are refused before.
    pub fn new(links: Vec<Link>) -> Self {
        assert!(!links.is_empty(), "a chain has a link; this is a bug");
        Self { links }
    }

    /// What the link may take: the others keep their reserves, but at most half of what is left.
    fn share(&self, index: usize, left: Duration) -> Duration {
        let reserved: Duration = self.links[index + 1..].iter().map(|link| link.reserve).sum();
        left - reserved.min(left / 2)
    }
}

#[async_trait]
impl Generator for Chain {
    fn provider(&self) -> &str {
        self.links[0].generator.provider()
    }

    async fn write(
        &self,
        request: &WritingRequest,
        on_text: OnText<'_>,
    ) -> Result<Written, WritingError> {
        let began = Instant::now();
        let mut passed_on = false;
        let mut last_error = None;
        for (index, link) in self.links.iter().enumerate() {
            if passed_on {
                on_text(Piece::Restart);
                passed_on = false;
            }
            let share = self.share(index, left_of(request, began));
            // It ends a moment before ours, so that whoever guards the provider hears how it was.
            let this = with_deadline(request, share - AHEAD.min(share / 10));
            let mut watched = |piece: Piece<'_>| {
                passed_on = true;
                on_text(piece);
            };
            // A provider keeps its deadline by itself; one that doesn't is dropped.
            let outcome = timeout(share, link.generator.write(&this, &mut watched)).await;
            let error = match outcome {
                Ok(Ok(written)) => return Ok(written),
                Ok(Err(error)) => error,
                Err(_) => WritingError::Timeout {
                    provider: link.generator.provider().to_owned(),
                    waited_ms: share.as_millis() as u64,
                },
            };
            let next = self.links.get(index + 1).map(|link| link.generator.provider());
            if let Some(next) = next {
                tracing::warn!(
                    provider = link.generator.provider(),
                    next,
                    task = request.task.as_str(),
                    why = error.as_str(),
                    %error,
                    "another provider writes instead"
                );
                metrics::counter!(
                    "backchannel_writing_fallbacks_total",
                    "provider" => link.generator.provider().to_owned(),
                    "why" => error.as_str()
                )
                .increment(1);
            }
            last_error = Some(error);
        }
        Err(last_error.unwrap_or_else(|| WritingError::Unavailable {
            provider: self.provider().to_owned(),
            detail: "there is nobody to write".to_owned(),
        }))
    }
}
