//! A writer whose tokens are counted, for those that have neither price nor budget.

use std::sync::Arc;

use async_trait::async_trait;

use super::{estimated_prompt_tokens, estimated_tokens};
use crate::models::{
    Generator, Meter, OnText, Piece, TokenCount, WritingError, WritingRequest, Written,
};

/// Hands each request on and tells its meter what was read and written.
pub struct Metered {
    inner: Arc<dyn Generator>,
}

impl Metered {
    pub fn new(inner: Arc<dyn Generator>) -> Self {
        Self { inner }
    }
}

/// Goes to the meter however the work ends, also when its caller leaves.
struct Count {
    tokens: TokenCount,
    meter: Option<Arc<Meter>>,
}

impl Drop for Count {
    fn drop(&mut self) {
        if let Some(meter) = &self.meter {
            meter.used(self.tokens, 0);
        }
    }
}

#[async_trait]
impl Generator for Metered {
    fn provider(&self) -> &str {
        self.inner.provider()
    }

    async fn write(
        &self,
        request: &WritingRequest,
        on_text: OnText<'_>,
    ) -> Result<Written, WritingError> {
        let mut count = Count { tokens: TokenCount::default(), meter: request.meter.clone() };
        let mut watched = |piece: Piece<'_>| {
            // Whoever has written something has read the prompt.
            if let Piece::Text(text) = piece {
                count.tokens.prompt = estimated_prompt_tokens(request);
                count.tokens.written += estimated_tokens(text);
            }
            on_text(piece);
        };
        let outcome = self.inner.write(request, &mut watched).await;
        if let Ok(written) = &outcome {
            count.tokens = written.tokens;
        }
        outcome
    }
}
