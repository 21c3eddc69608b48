//! A provider that does what a test says.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, sleep};

use crate::domain::TenantId;
use crate::models::{
    Finish, Generator, Material, Message, OnText, OutputSchema, Piece, Speaker, TokenCount,
    WritingError, WritingRequest, WritingTask, Written,
};

pub const SECOND: Duration = Duration::from_secs(1);

/// What happens when it is asked.
#[derive(Clone)]
pub enum Act {
    Say(&'static str),
    Fail(WritingError),
    /// So much text, then the failure.
    Break(&'static str, WritingError),
    Wait(Duration, &'static str),
    Cut(&'static str),
}

/// Does its acts in order, the last one again and again.
pub struct Script {
    name: &'static str,
    acts: Mutex<VecDeque<Act>>,
    pub asked: Mutex<Vec<(Instant, WritingRequest)>>,
    pub at_once: AtomicUsize,
    pub most_at_once: AtomicUsize,
}

impl Script {
    pub fn new(name: &'static str, acts: impl Into<VecDeque<Act>>) -> Arc<Self> {
        Arc::new(Self {
            name,
            acts: Mutex::new(acts.into()),
            asked: Mutex::default(),
            at_once: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
        })
    }

    pub fn times(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    pub fn asked_at(&self) -> Vec<Instant> {
        self.asked.lock().unwrap().iter().map(|(at, _)| *at).collect()
    }
}

struct Inside<'a>(&'a Script);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.at_once.fetch_sub(1, Ordering::AcqRel);
    }
}

#[async_trait]
impl Generator for Script {
    fn provider(&self) -> &str {
        self.name
    }

    async fn write(
        &self,
        request: &WritingRequest,
        on_text: OnText<'_>,
    ) -> Result<Written, WritingError> {
        self.asked.lock().unwrap().push((Instant::now(), request.clone()));
        let now = self.at_once.fetch_add(1, Ordering::AcqRel) + 1;
        self.most_at_once.fetch_max(now, Ordering::AcqRel);
        let _inside = Inside(self);
        let act = {
            let mut acts = self.acts.lock().unwrap();
            let act = acts.pop_front().expect("a script has an act");
            if acts.is_empty() {
                acts.push_back(act.clone());
            }
            act
        };
        let (text, finish) = match act {
            Act::Say(text) => (text, Finish::Stop),
            Act::Cut(text) => (text, Finish::Length),
            Act::Fail(error) => return Err(error),
            Act::Break(text, error) => {
                on_text(Piece::Text(text));
                return Err(error);
            }
            Act::Wait(time, text) => {
                sleep(time).await;
                (text, Finish::Stop)
            }
        };
        on_text(Piece::Text(text));
        Ok(Written {
            text: text.to_owned(),
            finish,
            tokens: TokenCount { prompt: 10, written: 5 },
            provider: self.name.to_owned(),
            model: Some("m".to_owned()),
        })
    }
}

pub fn request() -> WritingRequest {
    WritingRequest {
        tenant: TenantId::from("acme"),
        job: None,
        meter: None,
        task: WritingTask::Summary,
        prompt: None,
        messages: vec![Message { speaker: Speaker::User, content: "x".repeat(24) }],
        material: Arc::new(Material::default()),
        schema: None,
        max_tokens: 90,
        temperature: 0.0,
        seed: None,
        deadline: 10 * SECOND,
    }
}

pub fn with_schema() -> WritingRequest {
    let schema = serde_json::json!({
        "type": "object", "additionalProperties": false, "required": ["n"],
        "properties": {"n": {"type": "integer"}}
    });
    let schema = OutputSchema { name: "number".to_owned(), schema: Arc::new(schema) };
    WritingRequest { schema: Some(schema), ..request() }
}

/// What a reader has on the screen in the end: restarts wipe it.
pub async fn write(
    writer: &dyn Generator,
    request: &WritingRequest,
) -> (Result<Written, WritingError>, String) {
    let mut screen = String::new();
    let outcome = writer
        .write(request, &mut |piece| match piece {
            Piece::Text(text) => screen.push_str(text),
            Piece::Restart => screen.clear(),
        })
        .await;
    (outcome, screen)
}

pub fn unavailable() -> WritingError {
    WritingError::Unavailable { provider: "a".to_owned(), detail: "status 500".to_owned() }
}

pub fn broken() -> WritingError {
    WritingError::Broken { provider: "a".to_owned(), detail: "cut".to_owned() }
}

pub fn limited(seconds: u64) -> WritingError {
    WritingError::Limited {
        provider: "a".to_owned(),
        retry_after: Some(Duration::from_secs(seconds)),
    }
}
