//! Writers that refuse, stall, cost and fail by a script: what is final, what waits, what is counted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use backchannel::batch::{
    Batch, BatchError, BatchOrder, Caps, Ending, Format, Halt, InVain, Inputs, Means,
    NotSummarized, Opened, Paths, Recogniser, Share, Summarized, Summarizer, Sums, Used, What,
    WritingOrder,
};
use backchannel::domain::{Occasion, Summary, WrapUp, WrapUpBody};
use backchannel::flow::wrapup::{Circumstances, authorship};
use backchannel::models::{Material, SpeechPool, TokenCount, WritingError};
use jiff::tz::TimeZone;
use tokio_util::sync::CancellationToken;

use super::{conversation, ids, lines, write_conversations};

/// What each answer costs.
const TOKENS: u64 = 10;
const MICROS: u64 = 3;

type Act = dyn Fn(&str, usize) -> Result<(), InVain> + Send + Sync;

/// Answers by the number that stands in each conversation and how often it was asked about it.
struct Script {
    identity: &'static str,
    act: Box<Act>,
    asked: Mutex<BTreeMap<String, usize>>,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
    began_with: Mutex<Option<(Caps, Used)>>,
}

impl Script {
    fn new(act: impl Fn(&str, usize) -> Result<(), InVain> + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            identity: "script",
            act: Box::new(act),
            asked: Mutex::default(),
            at_once: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
            began_with: Mutex::default(),
        })
    }

    fn asked(&self) -> usize {
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
    }

    async fn write(
        &self,
        material: &Arc<Material>,
        _: &Circumstances,
        _: &WritingOrder,
    ) -> Result<Summarized, InVain> {
        let text = material.turns[2].text.as_str();
        let number = text.split("number is ").nth(1).expect("a number").split('.').next();
        let number = number.expect("a number").to_owned();
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
        (self.act)(&number, times)?;
        let wrap_up = WrapUp {
            id: "w-end-summary-1".into(),
            occasion: Occasion::End,
            authorship: authorship(),
            language: "en".to_owned(),
            body: WrapUpBody::Summary(Summary::default()),
            struck: Vec::new(),
        };
        let tokens = TokenCount { prompt: TOKENS - 4, written: 4 };
        Ok(Summarized { wrap_ups: vec![wrap_up], tokens, cost_micros: MICROS })
    }
}

fn unavailable(tokens: u64) -> InVain {
    let why =
        WritingError::Unavailable { provider: "lab".to_owned(), detail: "is down".to_owned() };
    let tokens = TokenCount { prompt: tokens, written: 0 };
    InVain { why: why.into(), tokens, cost_micros: 0 }
}

fn budget() -> InVain {
    NotSummarized::from(WritingError::Budget { whose: "job".to_owned() }).into()
}

struct Deaf(&'static str);

impl Recogniser for Deaf {
    fn pool(&self) -> Result<Arc<SpeechPool>, String> {
        Err("nobody listens".to_owned())
    }

    fn identity(&self) -> String {
        self.0.to_owned()
    }
}

struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new(count: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        write_conversations(&folder.path().join("in.jsonl"), 0..count);
        Self { folder }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn output(&self) -> PathBuf {
        self.at("out.jsonl")
    }

    fn order(&self, caps: Caps) -> BatchOrder {
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

    async fn with(
        &self,
        order: BatchOrder,
        script: &Arc<Script>,
        means: Means,
        stop: CancellationToken,
    ) -> Result<Ending, BatchError> {
        let script = Arc::clone(script);
        let opened = tokio::task::spawn_blocking(move || Batch::open(order, script, means));
        match opened.await.expect("no panic")? {
            Opened::Complete(sums) => Ok(Ending::Complete(sums)),
            Opened::Ready(batch) => batch.run(stop).await,
        }
    }

    async fn run(&self, script: &Arc<Script>, caps: Caps) -> Result<Ending, BatchError> {
        self.with(self.order(caps), script, means(), CancellationToken::new()).await
    }

    fn errors(&self) -> Vec<serde_json::Value> {
        lines(&Paths::of(&self.output()).errors)
    }
}

fn means() -> Means {
    Means { zone: TimeZone::UTC, recogniser: Arc::new(Deaf("none")), store: None }
}

fn tokens(cap: u64) -> Caps {
    Caps { tokens: Some(cap), cost_micros: None }
}

fn stopped(ending: Result<Ending, BatchError>) -> (Halt, Sums) {
    match ending.expect("it stops in order") {
        Ending::Stopped { why, sums } => (why, sums),
        complete => panic!("{complete:?}"),
    }
}

fn complete(ending: Result<Ending, BatchError>) -> Sums {
    match ending.expect("it ends in order") {
        Ending::Complete(sums) => sums,
        stopped => panic!("{stopped:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cap_lets_what_is_under_way_end_and_holds_over_restarts() {
    let bench = Bench::new(200);
    let script = Script::new(|_, _| Ok(()));
    let (why, sums) = stopped(bench.run(&script, tokens(500)).await);
    assert_eq!(why, Halt::Budget);
    assert!((500..=500 + 3 * TOKENS).contains(&sums.tokens), "{sums:?}");
    assert_eq!(sums.written * TOKENS, sums.tokens, "all that was paid for is kept");
    assert_eq!(script.asked() as u64, sums.written);
    assert!(!bench.output().exists());
    assert_eq!(script.most_at_once.load(Ordering::SeqCst), 4);

    let again = Script::new(|_, _| panic!("the budget is used up"));
    let (why, same) = stopped(bench.run(&again, tokens(500)).await);
    assert_eq!((why, same), (Halt::Budget, sums));
    assert_eq!(again.asked(), 0);
    let used = Used { tokens: sums.tokens, cost_micros: sums.written * MICROS };
    assert_eq!(*again.began_with.lock().unwrap(), Some((tokens(500), used)));

    let by_cost = Caps { tokens: None, cost_micros: Some(400) };
    let (why, more) = stopped(bench.run(&script, by_cost).await);
    assert_eq!(why, Halt::Budget);
    // 400 is no multiple: the one that reaches it goes beyond it, and three are under way.
    assert!((400..400 + 4 * MICROS).contains(&more.cost_micros), "{more:?}");

    let sums = complete(bench.run(&script, Caps::default()).await);
    assert_eq!(sums, Sums { written: 200, failed: 0, tokens: 2_000, cost_micros: 600 });
    assert_eq!(script.asked(), 200, "nothing is written twice");
    assert_eq!(ids(&bench.output()).len(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reservation_that_does_not_fit_waits_for_the_others() {
    let bench = Bench::new(40);
    let open = Arc::new(AtomicUsize::new(0));
    // Room for one at a time: whoever comes second is refused until the first has ended.
    let refusals = Arc::new(AtomicUsize::new(0));
    let (seen, count) = (Arc::clone(&open), Arc::clone(&refusals));
    let script = Script::new(move |_, times| {
        if times == 1 && seen.fetch_add(1, Ordering::SeqCst) % 4 != 0 {
            count.fetch_add(1, Ordering::SeqCst);
            return Err(budget());
        }
        Ok(())
    });
    // Refused with nobody else under way is the end; the next run finds more room.
    let mut ending = bench.run(&script, Caps::default()).await;
    for _ in 0..40 {
        if matches!(ending, Ok(Ending::Complete(_))) {
            break;
        }
        ending = bench.run(&script, Caps::default()).await;
    }
    assert_eq!(complete(ending).written, 40);
    assert_eq!(refusals.load(Ordering::SeqCst), 30);

    let bench = Bench::new(3);
    let script = Script::new(|_, _| Err(budget()));
    let (why, sums) = stopped(bench.run(&script, Caps::default()).await);
    assert_eq!((why, sums), (Halt::Budget, Sums::default()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_passes_is_never_final_and_its_cost_counts() {
    let bench = Bench::new(130);
    let down = Script::new(|number, _| if number == "77" { Err(unavailable(7)) } else { Ok(()) });
    let (why, sums) = stopped(bench.run(&down, Caps::default()).await);
    let Halt::Unavailable(why) = why else { panic!("{why:?}") };
    assert!(why.contains("is down"), "{why}");
    assert_eq!((sums.written, sums.failed), (129, 0));
    assert_eq!(sums.tokens, 129 * TOKENS + 3 * 7, "three tries in vain");
    assert_eq!(down.asked.lock().unwrap()["77"], 3);
    assert!(!bench.output().exists());

    let up = Script::new(|_, _| Ok(()));
    let sums = complete(bench.run(&up, Caps::default()).await);
    assert_eq!(up.asked(), 1);
    assert_eq!((sums.written, sums.failed, sums.tokens), (130, 0, 130 * TOKENS + 3 * 7));
    let used = Used { tokens: 129 * TOKENS + 3 * 7, cost_micros: 129 * MICROS };
    assert_eq!(*up.began_with.lock().unwrap(), Some((Caps::default(), used)));
    let expected: Vec<String> = (0..130).map(|number| format!("ü-{number:05}")).collect();
    assert_eq!(ids(&bench.output()), expected);
    assert!(bench.errors().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_gives_up_gets_an_error_and_the_rest() {
    let bench = Bench::new(70);
    let script = Script::new(|number, _| if number == "7" { Err(unavailable(2)) } else { Ok(()) });
    let (why, _) = stopped(bench.run(&script, Caps::default()).await);
    assert!(matches!(why, Halt::Unavailable(_)), "{why:?}");
    let mut order = bench.order(Caps::default());
    order.give_up = true;
    let sums = complete(bench.with(order, &script, means(), CancellationToken::new()).await);
    assert_eq!((sums.written, sums.failed, sums.tokens), (69, 1, 69 * TOKENS + 6 * 2));
    assert_eq!(bench.errors()[0]["line"], 8);
    assert_eq!(script.asked(), 69 + 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_that_is_down_for_all_ends_the_batch_early() {
    let bench = Bench::new(2_000);
    let down = Script::new(|_, _| Err(unavailable(0)));
    let mut order = bench.order(Caps::default());
    order.concurrency = Some(16);
    let (why, sums) = stopped(bench.with(order, &down, means(), CancellationToken::new()).await);
    assert!(matches!(why, Halt::Unavailable(_)), "{why:?}");
    assert_eq!(sums, Sums::default());
    let conversations = down.asked.lock().unwrap().len();
    assert!(conversations < 300, "{conversations} of 2000 were tried");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_pass_costs_one_conversation() {
    let bench = Bench::new(70);
    let form =
        || WritingError::Form { provider: "lab".to_owned(), detail: "no sections".to_owned() };
    let refused =
        || WritingError::Refused { provider: "lab".to_owned(), detail: "too long".to_owned() };
    let script = Script::new(move |number, _| match number {
        "3" => panic!("a writer that fails"),
        "5" => Err(form().into()),
        "7" => Err(refused().into()),
        _ => Ok(()),
    });
    let sums = complete(bench.run(&script, Caps::default()).await);
    assert_eq!((sums.written, sums.failed), (67, 3));
    let errors = bench.errors();
    let told: Vec<_> = errors
        .iter()
        .map(|error| (error["line"].as_u64(), error["kind"].as_str().expect("a kind")))
        .collect();
    assert_eq!(
        told,
        [(Some(4), "internal"), (Some(6), "unavailable"), (Some(8), "invalid")],
        "{errors:?}"
    );
    assert_eq!(script.asked(), 70, "each once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_input_that_changes_meanwhile_is_noticed() {
    for change in ["longer", "gone", "other"] {
        let bench = Bench::new(300);
        let input = bench.at("in.jsonl");
        let script = Script::new(move |_, _| {
            let text = match std::fs::read_to_string(&input) {
                Ok(text) if text.contains("ü-00299") => text,
                _ => return Ok(()),
            };
            match change {
                "gone" => std::fs::remove_file(&input),
                "longer" => std::fs::write(&input, text.replace("ü-00299", "ü-000299")),
                _ => std::fs::write(&input, text.replace("ü-00299", "ü-00298")),
            }
            .expect("changed");
            Ok(())
        });
        let error = bench.run(&script, Caps::default()).await.expect_err("it changed");
        let is_told = match error {
            BatchError::InputChanged { .. } => true,
            // The next job looked before anybody noticed.
            BatchError::Unreadable { .. } => change == "gone",
            _ => false,
        };
        assert!(is_told, "{change}: {error}");
        assert!(script.asked() < 300 && !bench.output().exists(), "{change}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_gone_on_with_by_the_same_means_only() {
    let bench = Bench::new(130);
    let call = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calls/billing-double-charge.wav");
    let order = || {
        let mut order = bench.order(tokens(100));
        order.inputs = Inputs::Files(vec![bench.at("in.jsonl"), call.clone()]);
        order
    };
    let go = |zone: &'static str, heard_by: &'static str| {
        let zone = TimeZone::get(zone).expect("a zone");
        let means = Means { zone, recogniser: Arc::new(Deaf(heard_by)), store: None };
        let script = Script::new(|_, _| Ok(()));
        let (order, bench) = (order(), &bench);
        async move { bench.with(order, &script, means, CancellationToken::new()).await }
    };
    let (why, _) = stopped(go("Europe/London", "whisper").await);
    assert_eq!(why, Halt::Budget);
    for (zone, heard_by) in [("Asia/Tokyo", "whisper"), ("Europe/London", "another")] {
        let error = go(zone, heard_by).await.expect_err("it is another batch");
        assert!(matches!(error, BatchError::OrderChanged { .. }), "{zone} {heard_by}: {error}");
        let told = error.to_string();
        assert!(told.contains("Europe/London") && told.contains("whisper"), "{told}");
    }
    assert_eq!(stopped(go("Europe/London", "whisper").await).0, Halt::Budget);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recording_that_nobody_can_hear_now_waits() {
    let bench = Bench::new(5);
    let call = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calls/billing-double-charge.wav");
    let mut order = bench.order(Caps::default());
    order.inputs = Inputs::Files(vec![bench.at("in.jsonl"), call]);
    let script = Script::new(|_, _| Ok(()));
    let (why, sums) = stopped(bench.with(order, &script, means(), CancellationToken::new()).await);
    let Halt::Unavailable(why) = why else { panic!("{why:?}") };
    assert!(why.contains("billing-double-charge.wav: nobody listens"), "{why}");
    assert_eq!((sums.written, sums.failed), (5, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asked_to_stop_it_stops_and_goes_on() {
    let bench = Bench::new(500);
    let stop = CancellationToken::new();
    let when = stop.clone();
    let script = Script::new(move |number, _| {
        if number == "90" {
            when.cancel();
        }
        Ok(())
    });
    let order = bench.order(Caps::default());
    let (why, sums) = stopped(bench.with(order, &script, means(), stop).await);
    assert_eq!(why, Halt::Asked);
    assert!((20..200).contains(&sums.written), "{sums:?}");
    let sums = complete(bench.run(&script, Caps::default()).await);
    assert_eq!(sums.written, 500);
    // What was under way is begun anew.
    assert!((500..=504).contains(&script.asked()), "{}", script.asked());
    assert_eq!(conversation(3)["id"], ids(&bench.output())[3].as_str());
}
