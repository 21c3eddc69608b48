//! What is paid for is counted and kept, whatever becomes of it; who finds no room waits for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use backchannel::app;
use backchannel::batch::{
    BatchError, Caps, Ending, Halt, NotSummarized, SoFar, Summarizer, Sums, Used, WritingOrder,
};
use backchannel::config::{Config, Generation};
use backchannel::domain::{TenantId, WrapUp};
use backchannel::flow::author::Author;
use backchannel::flow::wrapup::Circumstances;
use backchannel::models::writing::Spent;
use backchannel::models::{
    Finish, Generator, Material, OnText, Payer, Piece, TokenCount, WritingError, WritingRequest,
    WritingTask, Written,
};
use backchannel::prompts::Prompts;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::bench::*;
use super::lines;
use crate::llm::fake::{Fake, Reply, Step};

const PATIENCE: Duration = Duration::from_secs(30);

/// Whoever comes while somebody writes is refused, as by a budget with room for one reservation.
struct Narrow {
    room: Semaphore,
    takes: Duration,
    /// So long it takes until a refusal is told.
    tells_after: Duration,
    refused: AtomicUsize,
    panics_at: &'static str,
}

impl Narrow {
    fn new(takes_ms: u64, tells_after_ms: u64, panics_at: &'static str) -> Arc<Self> {
        Arc::new(Self {
            room: Semaphore::new(1),
            takes: Duration::from_millis(takes_ms),
            tells_after: Duration::from_millis(tells_after_ms),
            refused: AtomicUsize::new(0),
            panics_at,
        })
    }
}

#[async_trait]
impl Summarizer for Narrow {
    fn identity(&self) -> String {
        "narrow".to_owned()
    }

    fn usual_concurrency(&self) -> usize {
        4
    }

    async fn write(
        &self,
        material: &Arc<Material>,
        _: &Circumstances,
        order: &WritingOrder,
        _: &mut SoFar,
    ) -> Result<Vec<WrapUp>, NotSummarized> {
        let Ok(_room) = self.room.try_acquire() else {
            self.refused.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(self.tells_after).await;
            return Err(budget(Payer::Job(Arc::clone(&order.job))));
        };
        tokio::time::sleep(self.takes).await;
        assert!(!number_of(material).ends_with(self.panics_at), "a writer that fails");
        Ok(vec![wrap_up()])
    }
}

async fn in_time(bench: &Bench, writer: &Arc<Narrow>) -> Sums {
    let run = tokio::time::timeout(PATIENCE, bench.run(writer, Caps::default()));
    complete(run.await.expect("it stands still"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reservation_that_does_not_fit_waits_for_the_others() {
    let (bench, narrow) = (Bench::new(40), Narrow::new(2, 0, "nobody"));
    assert_eq!(in_time(&bench, &narrow).await.written, 40);
    assert!(narrow.refused.load(Ordering::SeqCst) > 0, "all found room");

    for whose in [Payer::Job("job".into()), Payer::Tenant(TenantId::from("acme"))] {
        let (bench, of_job) = (Bench::new(3), matches!(whose, Payer::Job(_)));
        let script =
            Script::new(move |_, _| Err(WritingError::Budget { whose: whose.clone() }.into()));
        let (why, sums) = stopped(bench.run(&script, Caps::default()).await);
        // A batch's own is used up for good, its tenant's until tomorrow.
        let tomorrow =
            Halt::Unavailable("the budget of tenant acme for today is used up".to_owned());
        assert_eq!(why, if of_job { Halt::Budget } else { tomorrow });
        assert_eq!(sums, Sums::default());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_that_panics_lets_the_waiting_go_on() {
    let (bench, narrow) = (Bench::new(40), Narrow::new(5, 0, "3"));
    let sums = in_time(&bench, &narrow).await;
    assert_eq!((sums.written, sums.failed), (36, 4));
    assert!(narrow.refused.load(Ordering::SeqCst) > 0, "all found room");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn room_that_comes_back_before_the_refusal_is_told_is_taken() {
    // The one that writes is gone long before the other hears that there was no room.
    let (bench, narrow) = (Bench::new(2), Narrow::new(500, 1_000, "nobody"));
    assert_eq!(in_time(&bench, &narrow).await.written, 2);
    assert_eq!(narrow.refused.load(Ordering::SeqCst), 1);
}

/// Pays for each conversation, and with one of them nothing comes of it.
struct Paying {
    at_three: AtThree,
    began_with: std::sync::Mutex<Vec<Used>>,
}

enum AtThree {
    /// Asks to stop, and never comes back.
    Hangs(CancellationToken),
    Panics,
    Writes,
}

impl Paying {
    fn new(at_three: AtThree) -> Arc<Self> {
        Arc::new(Self { at_three, began_with: std::sync::Mutex::default() })
    }
}

#[async_trait]
impl Summarizer for Paying {
    fn identity(&self) -> String {
        "payer".to_owned()
    }

    fn usual_concurrency(&self) -> usize {
        1
    }

    fn begin(&self, _: &WritingOrder, _: Caps, used: Used) {
        self.began_with.lock().unwrap().push(used);
    }

    async fn write(
        &self,
        material: &Arc<Material>,
        _: &Circumstances,
        _: &WritingOrder,
        so_far: &mut SoFar,
    ) -> Result<Vec<WrapUp>, NotSummarized> {
        so_far.meter.used(TokenCount { prompt: TOKENS - 4, written: 4 }, MICROS);
        match &self.at_three {
            AtThree::Hangs(stop) if number_of(material) == "3" => {
                stop.cancel();
                std::future::pending().await
            }
            AtThree::Panics if number_of(material) == "3" => panic!("{MARKER}"),
            _ => Ok(vec![wrap_up()]),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_stop_breaks_off_is_paid_for() {
    let (bench, stop) = (Bench::new(5), CancellationToken::new());
    let hangs = Paying::new(AtThree::Hangs(stop.clone()));
    let (why, sums) =
        stopped(bench.with(bench.order(Caps::default()), &hangs, means(), stop).await);
    assert_eq!(why, Halt::Asked);
    let paid = (sums.written + 1) * TOKENS;
    assert_eq!((sums.tokens, sums.cost_micros), (paid, (sums.written + 1) * MICROS));
    let writes = Paying::new(AtThree::Writes);
    let all = complete(bench.run(&writes, Caps::default()).await);
    assert_eq!(writes.began_with.lock().unwrap()[0].tokens, paid, "a restart knows it");
    assert_eq!((all.written, all.tokens), (5, 6 * TOKENS));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_is_paid_for() {
    let bench = Bench::new(5);
    let panics = Paying::new(AtThree::Panics);
    let sums = complete(bench.run(&panics, Caps::default()).await);
    let expected = Sums { written: 4, failed: 1, tokens: 5 * TOKENS, cost_micros: 5 * MICROS };
    assert_eq!(sums, expected);
    let errors = bench.errors();
    assert_eq!((&errors[0]["line"], &errors[0]["id"]), (&4.into(), &"ü-00003".into()));
    assert_eq!(errors[0]["kind"], "internal");
}

/// Nothing of a batch may hold it.
const MARKER: &str = "Quimby, born in Elm Street";

fn has_no_marker(bench: &Bench) -> BTreeSet<String> {
    let entries = walkdir::WalkDir::new(bench.folder.path()).into_iter();
    let files = entries.map(|entry| entry.expect("an entry"));
    let files = files.filter(|entry| entry.file_type().is_file()).map(|entry| {
        let text = std::fs::read(entry.path()).expect("a file");
        let has_it = String::from_utf8_lossy(&text).contains("Quimby");
        assert!(!has_it, "{}", entry.path().display());
        entry.file_name().to_string_lossy().into_owned()
    });
    files.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_panic_says_stands_nowhere() {
    let bench = Bench::new(5);
    let script = Script::new(|number, times| match (number, times) {
        ("3", _) => panic!("{MARKER}"),
        ("4", 1..=3) => Err(unavailable(0)),
        _ => Ok(()),
    });
    let (why, _) = stopped(bench.run(&script, Caps::default()).await);
    assert!(!format!("{why:?}").contains("Quimby"), "{why:?}");
    let files = has_no_marker(&bench);
    assert!(files.contains("jobs.sqlite") && files.contains("00000000.journal"), "{files:?}");
    complete(bench.run(&script, Caps::default()).await);
    let files = has_no_marker(&bench);
    assert!(files.contains("out.jsonl.errors.jsonl"), "{files:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_run_that_begins_ends() {
    let bench = Bench::new(20);
    let script = Script::new(|number, times| match (number, times) {
        ("7", 1..=3) => Err(unavailable(0)),
        _ => Ok(()),
    });
    let runs = || script.runs.each_ref().map(|runs| runs.load(Ordering::SeqCst));
    stopped(bench.run(&script, Caps::default()).await);
    assert_eq!(runs(), [1, 1]);
    complete(bench.run(&script, Caps::default()).await);
    assert_eq!(runs(), [2, 2]);
}

/// Writes in this process, and says what that took.
struct House;

const OF_HOUSE: TokenCount = TokenCount { prompt: 100, written: 20 };

#[async_trait]
impl Generator for House {
    fn provider(&self) -> &str {
        "house"
    }

    async fn write(
        &self,
        _: &WritingRequest,
        on_text: OnText<'_>,
    ) -> Result<Written, WritingError> {
        let text = r#"{"sections":[]}"#;
        on_text(Piece::Text(text));
        Ok(Written {
            text: text.to_owned(),
            finish: Finish::Stop,
            tokens: OF_HOUSE,
            provider: "house".to_owned(),
            model: None,
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_are_those_of_all_who_wrote_and_the_account_is_closed() {
    // Asked again because of its form, it has none again: twice 15 tokens in vain.
    let steps = vec![Step::Text("A poem."), Step::Finish("stop"), Step::Usage(11, 4), Step::Done];
    let fake = Fake::new([Reply::Stream(steps)]).await;
    let settings = format!(
        "chain = [\"lab\", \"house\"]\n[providers.lab]\nkind = \"openai\"\nurl = \"{}\"\n\
         model = \"tiny\"\n[providers.house]\nkind = \"embedded\"\nmodel = \"none\"\n",
        fake.url
    );
    let generation: Generation = toml::from_str(&settings).expect("settings");
    let house: Arc<dyn Generator> = Arc::new(House);
    let local = BTreeMap::from([("house".to_owned(), house)]);
    let writers = app::writers(&generation, &local, &|_| None).expect("they can be set up");
    let config = Config::default();
    let prompts = Arc::new(Prompts::open(&config.prompts).expect("prompts"));
    let tasks = [WritingTask::Summary].into();
    let author = Author::new(prompts, Arc::new(writers), tasks);
    let tenant = TenantId::from("acme");
    let wrap_ups = Arc::new(config.wrapup.settings());
    let writer = app::batch_writer(&author, &generation, &wrap_ups, tenant.clone());

    let bench = Bench::new(1);
    let ended: Result<Ending, BatchError> =
        bench.begin(bench.order(Caps::default()), writer, means(), CancellationToken::new()).await;
    assert_eq!(complete(ended).tokens, 2 * 15 + 120);
    let by = &lines(&bench.at("out.jsonl.provenance.jsonl"))[0];
    assert_eq!((&by["prompt_tokens"], &by["written_tokens"]), (&122.into(), &28.into()));
    assert_eq!(author.ledger().spent_today(&tenant).tokens, 30, "the other has no budget");
    assert_eq!(author.ledger().spent_by_job(&tenant, "job"), Spent::default());
}
