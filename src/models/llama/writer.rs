use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::sync::mpsc::unbounded_channel;

use super::error::LlamaError;
use super::form::Form;
use super::worker::{self, Job, News, Place, Places};
use super::{LlamaModel, Parts, THREADS_MAX};
use crate::models::{Generator, OnText, Piece, WritingError, WritingRequest, Written};

/// How a model in this process writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LlamaSettings {
    /// The name in the settings.
    pub provider: String,
    /// The model's name in the manifest.
    pub model: String,
    pub threads: usize,
    /// Texts that wait while one is written.
    pub queue_max: usize,
    /// Tokens of prompt and answer together; more than the model was trained for is not used. Each
    /// takes memory while the longest text so far is kept.
    pub context_tokens: usize,
}

/// Writes with a model in this process, on a thread of its own, one text at a time.
pub struct Llama {
    settings: LlamaSettings,
    parts: Arc<Parts>,
    context_tokens: usize,
    jobs: mpsc::Sender<(Job, Place)>,
    places: Places,
}

impl Llama {
    /// Starts its threads, which end when it is dropped.
    ///
    /// # Errors
    /// The number of threads makes no sense, or the system gives none.
    pub fn start(model: &LlamaModel, settings: LlamaSettings) -> Result<Self, LlamaError> {
        let threads = settings.threads;
        if !(1..=THREADS_MAX).contains(&threads) {
            return Err(LlamaError::Threads(threads));
        }
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|number| format!("llama-{number}"))
            .build()
            .map_err(|error| LlamaError::System(error.to_string()))?;
        let (jobs, waiting) = mpsc::channel();
        let parts = Arc::clone(&model.parts);
        std::thread::Builder::new()
            .name("llama".into())
            .spawn(move || worker::run(&parts, &pool, &waiting))
            .map_err(|error| LlamaError::System(error.to_string()))?;
        Ok(Self {
            context_tokens: settings.context_tokens.min(model.context_tokens()),
            places: Places::new(settings.queue_max.saturating_add(1)),
            parts: Arc::clone(&model.parts),
            jobs,
            settings,
        })
    }

    fn refused(&self, detail: String) -> WritingError {
        WritingError::Refused { provider: self.settings.provider.clone(), detail }
    }

    fn timeout(&self, deadline: Duration) -> WritingError {
        let waited_ms = deadline.as_millis().try_into().unwrap_or(u64::MAX);
        WritingError::Timeout { provider: self.settings.provider.clone(), waited_ms }
    }

    fn broke_off(&self) -> WritingError {
        let detail = "the model broke off".to_owned();
        WritingError::Unavailable { provider: self.settings.provider.clone(), detail }
    }

    fn job(
        &self,
        request: &WritingRequest,
        until: Instant,
        to: tokio::sync::mpsc::UnboundedSender<News>,
    ) -> Result<Job, WritingError> {
        let prompt = self.parts.template.tokens(&request.messages, &self.parts.tokens);
        let prompt = prompt.map_err(|error| self.refused(error.to_string()))?;
        let room = self.context_tokens.saturating_sub(prompt.len());
        if prompt.is_empty() || room == 0 {
            return Err(self.refused(format!(
                "the prompt has {} tokens, and {} fit with an answer",
                prompt.len(),
                self.context_tokens.saturating_sub(1)
            )));
        }
        Ok(Job {
            prompt,
            form: request.schema.as_ref().and_then(|schema| Form::of(&schema.schema)),
            most_tokens: room.min(request.max_tokens as usize),
            temperature: request.temperature,
            seed: request.seed.unwrap_or_else(rand::random),
            until,
            to,
        })
    }
}

#[async_trait]
impl Generator for Llama {
    fn provider(&self) -> &str {
        &self.settings.provider
    }

    async fn write(
        &self,
        request: &WritingRequest,
        on_text: OnText<'_>,
    ) -> Result<Written, WritingError> {
        let began = Instant::now();
        // A deadline beyond what a clock can hold is none.
        let until = began.checked_add(request.deadline);
        let until = until.unwrap_or_else(|| began + Duration::from_secs(86_400));
        let place = self
            .places
            .take()
            .ok_or_else(|| WritingError::Busy { provider: self.settings.provider.clone() })?;
        let (to, mut news) = unbounded_channel();
        let job = self.job(request, until, to)?;
        self.jobs.send((job, place)).map_err(|_| self.broke_off())?;
        let mut text = String::new();
        loop {
            let next = tokio::time::timeout_at(until.into(), news.recv()).await;
            match next.map_err(|_| self.timeout(request.deadline))? {
                None => return Err(self.broke_off()),
                Some(News::Late) => return Err(self.timeout(request.deadline)),
                Some(News::Stuck) => {
                    return Err(WritingError::Form {
                        provider: self.settings.provider.clone(),
                        detail: "the model has no token that the form allows".to_owned(),
                    });
                }
                Some(News::Text(piece)) => {
                    on_text(Piece::Text(&piece));
                    text.push_str(&piece);
                }
                Some(News::Done { finish, tokens }) => {
                    return Ok(Written {
                        text,
                        finish,
                        tokens,
                        provider: self.settings.provider.clone(),
                        model: Some(self.settings.model.clone()),
                    });
                }
            }
        }
    }
}
