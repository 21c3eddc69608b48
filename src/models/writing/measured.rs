use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use crate::models::{Finish, Generator, OnText, Piece, WritingError, WritingRequest, Written};

/// Measures each attempt by OpenTelemetry's names for generative models: time, time to the first
/// text, tokens. Labels are what settings and protocols say, never what anybody said.
pub struct Measured {
    inner: Arc<dyn Generator>,
    /// `gen_ai.provider.name`: `openai`, `azure.ai.openai` or ours.
    system: &'static str,
    model: Arc<dyn Fn(&WritingRequest) -> String + Send + Sync>,
}

impl Measured {
    /// `model` names the model that a request goes to, also when no answer comes.
    pub fn new(
        inner: Arc<dyn Generator>,
        system: &'static str,
        model: Arc<dyn Fn(&WritingRequest) -> String + Send + Sync>,
    ) -> Self {
        Self { inner, system, model }
    }
}

/// One attempt. Dropped before it is over, its caller went away.
struct Attempt<'a> {
    labels: Vec<metrics::Label>,
    began: Instant,
    measured: &'a Measured,
    is_over: bool,
}

impl Attempt<'_> {
    fn first_text(&self, after: Duration) {
        metrics::histogram!("gen_ai.client.operation.time_to_first_chunk", self.labels.iter())
            .record(after);
    }

    fn over(&mut self, outcome: &'static str) {
        self.is_over = true;
        let mut labels = self.labels.clone();
        labels.push(metrics::Label::new("outcome", outcome));
        metrics::histogram!("gen_ai.client.operation.duration", labels)
            .record(self.began.elapsed());
        metrics::gauge!("backchannel_writing_running", "provider" => self.provider())
            .decrement(1.0);
    }

    fn tokens(&self, kind: &'static str, count: u64) {
        let mut labels = self.labels.clone();
        labels.push(metrics::Label::new("gen_ai.token.type", kind));
        metrics::histogram!("gen_ai.client.token.usage", labels).record(count as f64);
    }

    fn provider(&self) -> String {
        self.measured.inner.provider().to_owned()
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.over("cancelled");
        }
    }
}

#[async_trait]
impl Generator for Measured {
    fn provider(&self) -> &str {
        self.inner.provider()
    }

    async fn write(
        &self,
        request: &WritingRequest,
        on_text: OnText<'_>,
    ) -> Result<Written, WritingError> {
        let label = metrics::Label::new::<&'static str, String>;
        let provider = self.inner.provider().to_owned();
        metrics::gauge!("backchannel_writing_running", "provider" => provider.clone())
            .increment(1.0);
        let mut attempt = Attempt {
            labels: vec![
                metrics::Label::new("gen_ai.operation.name", "chat"),
                metrics::Label::new("gen_ai.provider.name", self.system),
                label("gen_ai.request.model", (self.model)(request)),
                label("provider", provider),
                metrics::Label::new("task", request.task.as_str()),
            ],
            began: Instant::now(),
            measured: self,
            is_over: false,
        };
        let mut has_text = false;
        let mut watched = |piece: Piece<'_>| {
            if !has_text && matches!(piece, Piece::Text(_)) {
                has_text = true;
                attempt.first_text(attempt.began.elapsed());
            }
            on_text(piece);
        };
        let outcome = self.inner.write(request, &mut watched).await;
        match &outcome {
            Ok(written) => {
                attempt.over(match written.finish {
                    Finish::Stop => "ok",
                    Finish::Length => "length",
                    Finish::Filtered => "filtered",
                });
                attempt.tokens("input", written.tokens.prompt);
                attempt.tokens("output", written.tokens.written);
            }
            Err(error) => attempt.over(error.as_str()),
        }
        outcome
    }
}
