//! Cards with a voice, on live calls: the recogniser is played, the provider is a scripted server.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use backchannel::app;
use backchannel::bus::MemoryBus;
use backchannel::config::Config;
use backchannel::domain::{Direction, EndReason, Recorded, Role};
use backchannel::flow::audio::{AudioFile, Codec};
use backchannel::flow::driver::{
    CallHandle, CallOpening, CallSettings, CallWrapUp, Calls, LegSpec,
};
use backchannel::knowledge::{Change, Library, LibrarySettings, Source};
use backchannel::models::{
    Ears, Heard, HeardWord, Hints, ModelError, SAMPLE_RATE_HZ, SpeechPool, Transcriber,
};
use backchannel::store::SqliteStore;
use bytes::Bytes;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::fake::{Fake, Reply, Step, answer, status};

pub const PASSAGE: &str = "billing/duplicate-payments#3";
const QUESTION: &str = "when do I get the money from the duplicate payment back";

/// Hears what the test says, whatever the audio is.
pub struct Played(pub Arc<Mutex<String>>);

impl Transcriber for Played {
    fn transcribe(&mut self, samples: &[f32], _: &Hints) -> Result<Heard, ModelError> {
        let text = self.0.lock().expect("not poisoned").clone();
        let audio_ms = samples.len() as u64 * 1_000 / u64::from(SAMPLE_RATE_HZ);
        let words: Vec<&str> = text.split(' ').collect();
        let each_ms = audio_ms / words.len() as u64;
        let word = |(at, word): (usize, &&str)| HeardWord {
            text: (*word).to_owned(),
            start_ms: at as u64 * each_ms,
            end_ms: (at as u64 + 1) * each_ms,
            confidence: 0.95,
        };
        let tokens = words.len() + 2;
        let words = words.iter().enumerate().map(word).collect();
        Ok(Heard { words, tokens, mean_logprob: -0.1, ..Heard::default() })
    }
}

/// The articles of the demo that are about payments; `verbatim` marks those whose words must stay.
pub fn knowledge(verbatim: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let billing = folder.path().join("billing");
    std::fs::create_dir(&billing).expect("made");
    for name in ["duplicate-payments", "refunds", "late-payment"] {
        let file = format!("knowledge/billing/{name}.md");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let mut text = std::fs::read_to_string(path).expect("an article");
        if verbatim.contains(&name) {
            text = text.replacen("language =", "verbatim = true\nlanguage =", 1);
            assert!(text.contains("verbatim = true"));
        }
        std::fs::write(billing.join(format!("{name}.md")), text).expect("written");
    }
    folder
}

pub fn settings(fake: &Fake, more: &str) -> Config {
    let text = format!(
        "[generation]\nchain = [\"lab\", \"extractive\"]\n[generation.providers.lab]\n\
         kind = \"openai\"\nurl = \"{}\"\nmodel = \"tiny\"\nretries = 0\n{more}",
        fake.url
    );
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("settings.toml");
    std::fs::write(&file, text).expect("written");
    Config::load(Some(&file), std::iter::empty()).expect("they are right")
}

pub fn says(value: Value) -> Reply {
    answer(Box::leak(value.to_string().into_boxed_str()))
}

/// Three and a half seconds of somebody's voice, whatever it says.
pub fn voice() -> Vec<Bytes> {
    let recording =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calls/billing-double-charge.wav");
    let speech = AudioFile::open(&recording).expect("a recording").channels.remove(1);
    speech[..8 * 3_500].chunks(160).map(payload).collect()
}

/// One call, with a customer and an agent.
struct Desk {
    call: CallHandle,
    library: Library,
    said: Arc<Mutex<String>>,
    log: watch::Receiver<Vec<Arc<Recorded>>>,
    voice: Vec<Bytes>,
    _folders: [tempfile::TempDir; 2],
}

impl Desk {
    async fn open(config: &Config, articles: tempfile::TempDir) -> Self {
        Self::open_with(config, articles, |_| None).await
    }

    async fn open_with(
        config: &Config,
        articles: tempfile::TempDir,
        wrap_up: fn(&app::Desk) -> Option<CallWrapUp>,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (log, seen) = watch::channel(Vec::new());
        let hook = Arc::new(move |events: &[Arc<Recorded>]| {
            log.send_modify(|log| log.extend_from_slice(events));
        });
        let store = SqliteStore::open(folder.path(), hook).await.expect("the store opens");
        let source = Source::Folder(PathBuf::from(articles.path()));
        let library = Library::open(&LibrarySettings::new(source)).expect("the articles are right");
        let said: Arc<Mutex<String>> = Arc::default();
        let ears = Ears {
            finals: Box::new(Played(Arc::clone(&said))),
            partials: Box::new(Played(Arc::clone(&said))),
        };
        let desk = app::desk(config).expect("it can be set up");
        let calls = Calls::new(
            CallSettings {
                audio_queue: 4_096,
                voice: Some(desk.voice(&config.suggestion)),
                wrap_up: wrap_up(&desk),
                ..CallSettings::default()
            },
            Arc::new(store),
            Arc::new(MemoryBus::new(256)),
            Arc::new(SpeechPool::start(vec![ears]).expect("a thread")),
            library.clone(),
        );
        let leg =
            |role| LegSpec { role, name: None, codec: Codec::PcmS16Le, sample_rate_hz: 8_000 };
        let opening = CallOpening {
            tenant: "demo".into(),
            external_id: None,
            direction: Direction::Inbound,
            legs: vec![leg(Role::Customer), leg(Role::Agent)],
            attributes: Default::default(),
            wants_news: false,
        };
        let call = calls.open(opening).await.expect("there is a place");
        Self { call, library, said, log: seen, voice: voice(), _folders: [folder, articles] }
    }

    /// Has somebody say these words, and waits until the turn is durable.
    async fn say(&mut self, leg: usize, words: &str) {
        *self.said.lock().expect("not poisoned") = words.to_owned();
        let silence = payload(&[0.0; 160]);
        for frame in &self.voice {
            self.call.audio(leg, None, frame.clone());
            self.call.audio(1 - leg, None, silence.clone());
        }
        for _ in 0..75 {
            (0..2).for_each(|leg| self.call.audio(leg, None, silence.clone()));
        }
        let words = words.to_lowercase();
        self.wait("the turn", |event| {
            &*event.kind == "turn.final" && event.data.to_lowercase().contains(&words)
        })
        .await;
    }

    async fn wait(&mut self, what: &str, is_it: impl Fn(&Recorded) -> bool) -> Value {
        let found = self.log.wait_for(|log| log.iter().any(|event| is_it(event)));
        let found = tokio::time::timeout(Duration::from_secs(20), found).await;
        let found = found.map(|log| log.expect("the store is there").clone());
        let Ok(log) = found else { panic!("{what} didn't come: {:?}", kinds(&self.log)) };
        let event = log.iter().rfind(|event| is_it(event)).expect("one");
        serde_json::from_str(&event.data).expect("JSON")
    }

    fn all(&self, kind: &str) -> Vec<Value> {
        let log = self.log.borrow();
        let of_kind = log.iter().filter(|event| &*event.kind == kind);
        of_kind.map(|event| serde_json::from_str(&event.data).expect("JSON")).collect()
    }
}

fn kinds(log: &watch::Receiver<Vec<Arc<Recorded>>>) -> Vec<String> {
    log.borrow().iter().map(|event| event.kind.to_string()).collect()
}

/// As the plain wire carries them.
pub fn payload(samples: &[f32]) -> Bytes {
    samples.iter().flat_map(|sample| ((sample * 32_767.0) as i16).to_le_bytes()).collect()
}

fn is(kind: &'static str) -> impl Fn(&Recorded) -> bool {
    move |event| &*event.kind == kind
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_gets_its_voice_and_what_is_altered_is_struck() {
    let fake = Fake::new([says(json!({"sentences": [
        {"text": "We refund a duplicate direct debit within 5 working days.", "cites": [PASSAGE]},
        {"text": "You can ask for a same-day refund of up to £300.", "cites": [PASSAGE]},
        {"text": "If your bank charged a fee because of it, we repay that fee.", "cites": [PASSAGE]},
        {"text": "We promised you a new router.", "cites": ["t-1-1"]},
    ]}))])
    .await;
    let mut desk = Desk::open(&settings(&fake, ""), knowledge(&[])).await;
    desk.say(0, QUESTION).await;
    let card = desk.wait("a card", is("suggestion.offered")).await;
    assert_eq!(card["citations"][0]["passage_id"], PASSAGE);
    assert_eq!(card["generator"], "extractive");
    let voice = desk.wait("its voice", is("suggestion.voiced")).await;
    assert_eq!(voice["card_id"], card["card_id"]);
    let texts: Vec<&str> = voice["sentences"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["text"].as_str())
        .collect();
    assert_eq!(texts[0], "We refund a duplicate direct debit within 5 working days.");
    assert!(
        texts.len() <= 2 && !voice["text"].as_str().expect("text").contains("300"),
        "{texts:?}"
    );
    for sentence in voice["sentences"].as_array().expect("a list") {
        assert_eq!(sentence["citations"][0]["passage_id"], PASSAGE, "each has its proof");
    }
    let struck = voice["struck"].to_string();
    assert!(struck.contains("£300") && struck.contains("\"number\""), "{struck}");
    assert!(struck.contains("new router"), "what was said in the call is no word of the company's");
    let who = &voice["authorship"];
    assert_eq!((&who["provider"], &who["model"]), (&json!("lab"), &json!("tiny-2026")));
    assert_eq!((&who["prompt"]["id"], &who["prompt"]["version"]), (&json!("card"), &json!(1)));
    assert_eq!(who["prompt"]["sha256"].as_str().map(str::len), Some(64));
    let asked = fake.seen()[0].body.to_string();
    assert!(asked.contains("duplicate payment back") && asked.contains("up to £200"), "{asked}");
    desk.call.close(EndReason::Hangup).await.expect("durable");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_fails_leaves_the_quotation_and_delays_nothing() {
    let truth = "We refund a duplicate direct debit within 5 working days.";
    for reply in [
        status(500),
        answer("I'm sorry, but as a language model I"),
        Reply::Stream(vec![Step::Text("{\"sentences\":[{\"text\":"), Step::Cut]),
        Reply::Stream(vec![Step::Text("{"), Step::Pause(Duration::from_secs(60))]),
        says(json!({"sentences": [{"text": "You get £900 tomorrow.", "cites": [PASSAGE]}]})),
        says(json!({"sentences": [{"text": truth, "cites": ["billing/refunds#9"]}]})),
        says(json!({"sentences": []})),
    ] {
        let named = format!("{reply:?}");
        let fake = Fake::new([reply]).await;
        let config = settings(&fake, "[suggestion]\nvoice_ms = 400\n");
        let mut desk = Desk::open(&config, knowledge(&[])).await;
        desk.say(0, QUESTION).await;
        let card = desk.wait("a card", is("suggestion.offered")).await;
        assert_eq!(
            card["citations"][0]["quote"]
                .as_str()
                .map(|quote| quote.split_whitespace().collect::<Vec<_>>().join(" "))
                .as_deref(),
            card["text"].as_str()
        );
        // The call goes on and ends while the provider is asked.
        let begun = Instant::now();
        desk.say(1, "let me look that up for you").await;
        tokio::time::sleep(Duration::from_millis(700).saturating_sub(begun.elapsed())).await;
        assert!(!fake.seen().is_empty(), "{named}: it was asked");
        desk.call.close(EndReason::Hangup).await.expect("durable");
        let kinds = kinds(&desk.log);
        assert!(!kinds.contains(&"suggestion.voiced".to_owned()), "{named}: {kinds:?}");
        fake.all_closed().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_of_which_nothing_could_be_said_has_its_strikes_in_the_log() {
    let invented = "You get £900 tomorrow.";
    let fake =
        Fake::new([says(json!({"sentences": [{"text": invented, "cites": [PASSAGE]}]}))]).await;
    let mut desk = Desk::open(&settings(&fake, ""), knowledge(&[])).await;
    desk.say(0, QUESTION).await;
    let card = desk.wait("a card", is("suggestion.offered")).await;
    let record = desk.wait("the strike", is("writing.struck")).await;
    assert_eq!((&record["task"], &record["about"]), (&json!("card"), &card["card_id"]));
    assert_eq!(record["struck"][0]["text"], invented);
    assert_eq!(record["authorship"]["prompt"]["id"], "card");
    assert!(desk.all("suggestion.voiced").is_empty());
    desk.call.close(EndReason::Hangup).await.expect("durable");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_that_must_stay_are_given_to_no_model() {
    let fake = Fake::new([says(json!({"sentences": []}))]).await;
    let wrap_up = |desk: &app::Desk| {
        let (settings, author) = (Arc::default(), desk.author());
        Some(CallWrapUp { settings, author, time_zone: TimeZone::UTC })
    };
    let articles = knowledge(&["duplicate-payments"]);
    let mut desk = Desk::open_with(&settings(&fake, ""), articles, wrap_up).await;
    desk.say(0, QUESTION).await;
    let card = desk.wait("a card", is("suggestion.offered")).await;
    assert_eq!(
        (&card["verbatim"], &card["citations"][0]["passage_id"]),
        (&json!(true), &json!(PASSAGE))
    );
    desk.say(1, "let me look that up for you").await;
    assert!(fake.seen().is_empty(), "nobody was asked");
    desk.call.close(EndReason::Hangup).await.expect("durable");
    // The e-mail at the end comes without them, too.
    let mut asked = Vec::new();
    for _ in 0..100 {
        asked = fake.seen().iter().map(|seen| seen.body.to_string()).collect();
        if asked.iter().any(|one: &String| one.contains("You draft an e-mail")) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let email = asked.iter().find(|one| one.contains("You draft an e-mail")).expect("an e-mail");
    assert!(email.contains("duplicate payment back"), "{email}");
    for one in &asked {
        assert!(!one.contains(PASSAGE) && !one.contains("working days"), "{one}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_third_message_of_the_customer_brings_three_questions() {
    let mut desk = Desk::open(&Config::default(), knowledge(&[])).await;
    desk.say(0, QUESTION).await;
    desk.say(1, "let me look that up for you").await;
    desk.say(0, "I think you took the direct debit two times").await;
    assert!(desk.all("suggestion.questions").is_empty(), "two messages so far");
    desk.say(0, "can I claim the duplicate payment back through my bank").await;
    let first = desk.wait("the questions", is("suggestion.questions")).await;
    let questions = first["questions"].as_array().expect("a list").clone();
    assert_eq!(questions.len(), 3, "{first}");
    let shown: Vec<Value> = (desk.all("suggestion.offered").iter())
        .map(|card| card["citations"][0]["passage_id"].clone())
        .collect();
    assert!(shown.contains(&json!(PASSAGE)), "{shown:?}");
    for one in &questions {
        assert!(!shown.contains(&one["passage_id"]), "{one} was shown already: {shown:?}");
        assert!(one["question"].as_str().is_some_and(|text| text.ends_with('?')), "{one}");
    }
    let about_payments = |one: &Value| one["article_id"] == "billing/duplicate-payments";
    assert!(questions.iter().any(about_payments), "{questions:?}");

    for words in [
        "how much is the late payment fee",
        "when is the late payment fee not charged",
        "what does the late payment fee cost me this month",
    ] {
        desk.say(0, words).await;
    }
    let is_second = |event: &Recorded| {
        &*event.kind == "suggestion.questions" && event.data.contains("billing/late-payment")
    };
    desk.wait("other questions", is_second).await;
    let log = desk.log.clone();
    desk.call.close(EndReason::Hangup).await.expect("durable");
    assert_eq!(kinds(&log).iter().filter(|kind| *kind == "suggestion.questions").count(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_cites_an_article_that_was_taken_back() {
    const VOICE: &str = r#"{"sentences": [{"text": "We refund a duplicate direct debit within 5 working days.", "cites": ["billing/duplicate-payments#3"]}]}"#;
    let fake = Fake::new([Reply::Stream(vec![
        Step::Pause(Duration::from_millis(700)),
        Step::Text(VOICE),
        Step::Finish("stop"),
        Step::Done,
    ])])
    .await;
    let mut desk = Desk::open(&settings(&fake, ""), knowledge(&[])).await;
    desk.say(0, QUESTION).await;
    desk.wait("a card", is("suggestion.offered")).await;
    // Its voice is being written.
    for _ in 0..1_000 {
        if !fake.seen().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(!fake.seen().is_empty(), "a model is asked");
    let library = desk.library.clone();
    let retire = move || library.apply(vec![Change::Retire("billing/duplicate-payments".into())]);
    tokio::task::spawn_blocking(retire).await.expect("no panic").expect("it is taken back");
    desk.library.let_go().await;
    let acknowledged = kinds(&desk.log).len();
    desk.say(1, "let me look that up for you").await;
    desk.say(0, "when will the duplicate payment be back in my account").await;
    tokio::time::sleep(Duration::from_millis(900)).await;
    let log = desk.log.clone();
    desk.call.close(EndReason::Hangup).await.expect("durable");
    for event in &log.borrow()[acknowledged..] {
        assert!(!event.data.contains("duplicate-payments"), "{} {}", event.kind, event.data);
    }
}
