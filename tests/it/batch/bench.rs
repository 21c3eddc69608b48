//! Writers that act by a script, and a batch of made-up conversations for them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use backchannel::batch::{
    Batch, BatchError, BatchOrder, Caps, Ending, Format, Halt, Inputs, Means, NotSummarized,
    Opened, Paths, Recogniser, Share, SoFar, Summarizer, Sums, Used, What, WritingOrder,
};
use backchannel::domain::{Occasion, Summary, WrapUp, WrapUpBody};
use backchannel::flow::wrapup::{Circumstances, authorship};
use backchannel::models::{Material, Payer, SpeechPool, TokenCount, WritingError};
use jiff::tz::TimeZone;
use tokio_util::sync::CancellationToken;

use super::{lines, write_conversations};

/// What each answer costs.
pub const TOKENS: u64 = 10;
pub const MICROS: u64 = 3;

type Act = dyn Fn(&str, usize) -> Result<(), Vain> + Send + Sync;

/// Nothing is written, and that took so many tokens.
pub struct Vain {
    why: NotSummarized,
    tokens: u64,
}

impl From<WritingError> for Vain {
    fn from(why: WritingError) -> Self {
        Self { why: why.into(), tokens: 0 }
    }
}

/// Answers by the number that stands in each conversation and how often it was asked about it.
pub struct Script {
    identity: &'static str,
    act: Box<Act>,
    pub asked: Mutex<BTreeMap<String, usize>>,
    at_once: AtomicUsize,
    pub most_at_once: AtomicUsize,
    pub began_with: Mutex<Option<(Caps, Used)>>,
    /// Runs that were begun, and those that were ended.
    pub runs: [AtomicUsize; 2],
    /// Answers that were paid for.
    pub paid: AtomicUsize,
}

impl Script {
    pub fn new(act: impl Fn(&str, usize) -> Result<(), Vain> + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            identity: "script",
            act: Box::new(act),
            asked: Mutex::default(),
            at_once: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
            began_with: Mutex::default(),
            runs: Default::default(),
            paid: AtomicUsize::new(0),
        })
    }

    pub fn asked(&self) -> usize {
        self.asked.lock().unwrap().values().sum()
    }
}

#[async_trait]
impl Summarizer for Script {
    fn identity(&self) -> String {
        self.identity.to_owned()
    }

    fn usual_concurrency(&self) -> usize {
        4
    }

    fn begin(&self, _: &WritingOrder, caps: Caps, used: Used) {
        *self.began_with.lock().unwrap() = Some((caps, used));
        self.runs[0].fetch_add(1, Ordering::SeqCst);
    }

    fn end(&self, _: &WritingOrder) {
        self.runs[1].fetch_add(1, Ordering::SeqCst);
    }

    async fn write(
        &self,
        material: &Arc<Material>,
        _: &Circumstances,
        _: &WritingOrder,
        so_far: &mut SoFar,
    ) -> Result<Vec<WrapUp>, NotSummarized> {
        let number = number_of(material);
        let times = {
            let mut asked = self.asked.lock().unwrap();
            let times = asked.entry(number.clone()).or_default();
            *times += 1;
            *times
        };
        let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(now, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(2)).await;
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        if let Err(Vain { why, tokens }) = (self.act)(&number, times) {
            so_far.meter.used(TokenCount { prompt: tokens, written: 0 }, 0);
            return Err(why);
        }
        self.paid.fetch_add(1, Ordering::SeqCst);
        so_far.meter.used(TokenCount { prompt: TOKENS - 4, written: 4 }, MICROS);
        Ok(vec![wrap_up()])
    }
}

/// Which of the made-up conversations it is.
pub fn number_of(material: &Material) -> String {
    let text = material.turns[2].text.as_str();
    let number = text.split("number is ").nth(1).expect("a number").split('.').next();
    number.expect("a number").to_owned()
}

pub fn wrap_up() -> WrapUp {
    WrapUp {
        id: "w-end-summary-1".into(),
        occasion: Occasion::End,
        authorship: authorship(),
        language: "en".to_owned(),
        body: WrapUpBody::Summary(Summary::default()),
        struck: Vec::new(),
    }
}

pub fn unavailable(tokens: u64) -> Vain {
    let why =
        WritingError::Unavailable { provider: "lab".to_owned(), detail: "is down".to_owned() };
    Vain { why: why.into(), tokens }
}

pub fn budget(whose: Payer) -> NotSummarized {
    WritingError::Budget { whose }.into()
}

pub struct Deaf(pub &'static str);

impl Recogniser for Deaf {
    fn pool(&self) -> Result<Arc<SpeechPool>, String> {
        Err("nobody listens".to_owned())
    }

    fn identity(&self) -> String {
        self.0.to_owned()
    }
}

pub struct Bench {
    pub folder: tempfile::TempDir,
}

impl Bench {
    pub fn new(count: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        write_conversations(&folder.path().join("in.jsonl"), 0..count);
        Self { folder }
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn output(&self) -> PathBuf {
        self.at("out.jsonl")
    }

    pub fn order(&self, caps: Caps) -> BatchOrder {
        BatchOrder {
            inputs: Inputs::Files(vec![self.at("in.jsonl")]),
            output: self.output(),
            format: Format::Jsonl,
            writing: WritingOrder {
                drafts: What::drafts(&[What::Summary]),
                seed: 0,
                job: "job".into(),
            },
            concurrency: None,
            caps,
            share: Share::Whole,
            give_up: false,
        }
    }

    pub async fn with(
        &self,
        order: BatchOrder,
        script: &Arc<impl Summarizer + 'static>,
        means: Means,
        stop: CancellationToken,
    ) -> Result<Ending, BatchError> {
        self.begin(order, Arc::clone(script) as _, means, stop).await
    }

    pub async fn begin(
        &self,
        order: BatchOrder,
        writer: Arc<dyn Summarizer>,
        means: Means,
        stop: CancellationToken,
    ) -> Result<Ending, BatchError> {
        let opened = tokio::task::spawn_blocking(move || Batch::open(order, writer, means));
        match opened.await.expect("no panic")? {
            Opened::Complete(sums) => Ok(Ending::Complete(sums)),
            Opened::Ready(batch) => batch.run(stop).await,
        }
    }

    pub async fn run(
        &self,
        script: &Arc<impl Summarizer + 'static>,
        caps: Caps,
    ) -> Result<Ending, BatchError> {
        self.with(self.order(caps), script, means(), CancellationToken::new()).await
    }

    pub fn errors(&self) -> Vec<serde_json::Value> {
        lines(&Paths::of(&self.output()).errors)
    }
}

pub fn means() -> Means {
    Means { zone: TimeZone::UTC, recogniser: Arc::new(Deaf("none")), store: None }
}

pub fn tokens(cap: u64) -> Caps {
    Caps { tokens: Some(cap), cost_micros: None }
}

pub fn stopped(ending: Result<Ending, BatchError>) -> (Halt, Sums) {
    match ending.expect("it stops in order") {
        Ending::Stopped { why, sums } => (why, sums),
        complete => panic!("{complete:?}"),
    }
}

pub fn complete(ending: Result<Ending, BatchError>) -> Sums {
    match ending.expect("it ends in order") {
        Ending::Complete(sums) => sums,
        stopped => panic!("{stopped:?}"),
    }
}
