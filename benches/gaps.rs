//! What it costs to know which questions nobody answered.
//!
//! A log of 1,000 calls (a start, eight turns, a question without a card, one with a card, an end) is read from its
//! beginning, by words and by the embedding model, and appenders write unanswered questions with and without somebody
//! who follows the log. Run: `cargo bench --bench gaps` (the temporary folder must be on a real disk: set TMPDIR; the
//! model must have been pulled). Last line: JSON.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use backchannel::app::articles::{Articles, library_of};
use backchannel::app::gaps::{GapDoor, GapSurroundings, Meaning};
use backchannel::bus::{Bus, MemoryBus, Signal};
use backchannel::domain::*;
use backchannel::flow::suggestion::SuggestionSettings;
use backchannel::knowledge::{LibrarySettings, Source, queries};
use backchannel::models::embedder::EmbedderHandle;
use backchannel::models::installed;
use backchannel::models::minilm::{MiniLm, MiniLmFiles};
use backchannel::serve::{Gaps, WantedGaps};
use backchannel::store::{ArticleLog, SqliteStore, Store};
use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

const CALLS: usize = 1_000;
const EVENTS_PER_CALL: usize = 12;
const APPENDERS: usize = 16;
const EVENTS_EACH: usize = 200;
const ROUNDS: usize = 5;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let questions = questions();
    let folder = tempfile::tempdir().expect("a folder");
    let (by_words, by_meaning) = runtime.block_on(async {
        let (store, bus) = open(folder.path()).await;
        for number in 0..CALLS {
            let id = ConversationId::from(format!("c-{number}"));
            store.append(&tenant(), &id, call(number, &questions)).await.expect("appended");
        }
        let model = installed("all-minilm-l6-v2").expect("`models pull` has it");
        let model = MiniLm::open(&MiniLmFiles::in_folder(&model.folder), 1).expect("loads");
        let model = EmbedderHandle::spawn(Box::new(model), 16);
        let words = read_anew(folder.path(), &store, &bus, Meaning::Missing).await;
        let meaning = read_anew(folder.path(), &store, &bus, Meaning::Known(model)).await;
        store.close().await;
        (words, meaning)
    });
    let events = (CALLS * EVENTS_PER_CALL) as f64;
    let each_ms = |took: Duration| took.as_secs_f64() * 1_000.0 / (2 * CALLS) as f64;
    for (name, (took, gaps)) in [("words", by_words), ("meaning", by_meaning)] {
        let rate = events / took.as_secs_f64();
        println!(
            "read anew by {name}: {rate:.0} events/s, {:.2} ms a question, {gaps} gaps",
            each_ms(took)
        );
    }
    let (mut alone, mut followed) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        alone.push(runtime.block_on(append(&questions, false)));
        followed.push(runtime.block_on(append(&questions, true)));
    }
    let (alone, followed) = (median(alone), median(followed));
    println!("{APPENDERS} appenders: {alone:.0} events/s alone, {followed:.0} while followed");
    println!(
        r#"{{"bench":"gaps","words_ms":{:.3},"meaning_ms":{:.3},"alone_per_s":{alone:.0},"followed_per_s":{followed:.0},"ratio":{:.2}}}"#,
        each_ms(by_words.0),
        each_ms(by_meaning.0),
        followed / alone,
    );
}

fn questions() -> Vec<String> {
    let text = include_str!("../knowledge/queries.toml");
    let queries = queries::parse("queries.toml", text, &|_| true).expect("they are right");
    queries.into_iter().map(|query| query.text).collect()
}

fn tenant() -> TenantId {
    "demo".into()
}

async fn open(folder: &Path) -> (Arc<SqliteStore>, Arc<dyn Bus>) {
    let bus: Arc<dyn Bus> = Arc::new(MemoryBus::new(4_096));
    let to_bus = Arc::clone(&bus);
    let hook = Arc::new(move |events: &[Arc<Recorded>]| {
        for event in events {
            to_bus.publish(Signal::Event(Arc::clone(event)));
        }
    });
    (Arc::new(SqliteStore::open(folder, hook).await.expect("opens")), bus)
}

async fn follow(
    folder: &Path,
    store: &Arc<SqliteStore>,
    bus: &Arc<dyn Bus>,
    meaning: Meaning,
) -> (GapDoor, CancellationToken) {
    let (_, meaning) = watch::channel(meaning);
    let stop = CancellationToken::new();
    let nowhere = LibrarySettings::new(Source::Folder("nowhere".into()));
    let log: Arc<dyn ArticleLog> = store.clone();
    let opened = library_of(log.as_ref(), &tenant(), nowhere).await.expect("an empty one");
    let library = opened.library.clone();
    let around = GapSurroundings {
        store: store.clone(),
        bus: Arc::clone(bus),
        tenants: vec![tenant()],
        library,
        desk: Arc::new(Articles::new(store.clone(), log.clone(), tenant(), opened, false)),
        article_log: log,
        time_zone: jiff::tz::TimeZone::UTC,
        suggestion: SuggestionSettings::default(),
        meaning,
        stop: stop.clone(),
    };
    (GapDoor::open(folder, around).await.expect("opens"), stop)
}

async fn read_anew(
    folder: &Path,
    store: &Arc<SqliteStore>,
    bus: &Arc<dyn Bus>,
    meaning: Meaning,
) -> (Duration, usize) {
    let begun = Instant::now();
    let (door, stop) = follow(folder, store, bus, meaning).await;
    let wanted = WantedGaps { since: None, state: None, limit: 200, cursor: None };
    let gaps = loop {
        let list = door.list(&tenant(), wanted.clone()).await.expect("lists");
        if list.behind == 0 {
            break list.items.len();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let took = begun.elapsed();
    stop.cancel();
    door.close().await;
    (took, gaps)
}

/// Events a second.
async fn append(questions: &[String], is_followed: bool) -> f64 {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, bus) = open(folder.path()).await;
    let following = match is_followed {
        true => Some(follow(folder.path(), &store, &bus, Meaning::Missing).await),
        false => None,
    };
    for number in 0..APPENDERS {
        let event = NewEvent::at(Timestamp::now(), started());
        let id = ConversationId::from(format!("c-{number}"));
        store.append(&tenant(), &id, vec![event]).await.expect("appended");
    }
    let begun = Instant::now();
    let appender = |number: usize| {
        let (store, questions) = (Arc::clone(&store), questions.to_owned());
        tokio::spawn(async move {
            let id = ConversationId::from(format!("c-{number}"));
            for turn in 0..EVENTS_EACH {
                let question = &questions[(number * EVENTS_EACH + turn) % questions.len()];
                let event = NewEvent::at(Timestamp::now(), abstained(turn, question));
                store.append(&tenant(), &id, vec![event]).await.expect("appended");
            }
        })
    };
    for appender in (0..APPENDERS).map(appender).collect::<Vec<_>>() {
        appender.await.expect("no panic");
    }
    let rate = (APPENDERS * EVENTS_EACH) as f64 / begun.elapsed().as_secs_f64();
    if let Some((door, stop)) = following {
        stop.cancel();
        door.close().await;
    }
    store.close().await;
    rate
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

fn call(number: usize, questions: &[String]) -> Vec<NewEvent> {
    let mut events = vec![started()];
    events.extend((0..8).map(turn));
    events.push(abstained(0, &questions[2 * number % questions.len()]));
    events.push(offered(number, &questions[(2 * number + 1) % questions.len()]));
    let reason = EndReason::Hangup;
    events.push(EventBody::ConversationEnded(ConversationEnded { reason, duration_ms: 240_000 }));
    events.into_iter().map(|body| NewEvent::at(Timestamp::now(), body)).collect()
}

fn started() -> EventBody {
    EventBody::ConversationStarted(ConversationStarted {
        channel: Channel::Voice,
        direction: Direction::Inbound,
        external_id: None,
        parties: vec![party()],
        attributes: [].into(),
    })
}

fn turn(number: usize) -> EventBody {
    EventBody::TurnFinal(Turn {
        id: format!("t-{number}").into(),
        party: party(),
        start_ms: 41_220,
        end_ms: 44_810,
        text: redacted("So when do I get my money back?"),
        words: Vec::new(),
        mean_logprob: Some(-0.21),
        display_text: None,
        language: "en".into(),
    })
}

fn abstained(turn: usize, question: &str) -> EventBody {
    let question = asked(turn, question);
    EventBody::SuggestionAbstained(Box::new(Abstained { question, nearest: None }))
}

fn offered(number: usize, question: &str) -> EventBody {
    EventBody::SuggestionOffered(Card {
        id: format!("k-{number}").into(),
        kind: CardKind::Answer,
        answer: Answer {
            title: "Refunds".into(),
            heading: "When".into(),
            text: "Within five days.".into(),
            citations: Vec::new(),
            score: 0.8,
            why: Vec::new(),
            generator: Generator::Extractive,
            valid_from: None,
            is_verbatim: false,
        },
        trigger_turn: "t-1".into(),
        question: Some(asked(1, question)),
        latency_ms: 31,
    })
}

fn asked(turn: usize, question: &str) -> TurnQuestion {
    TurnQuestion { turn: format!("t-{turn}").into(), text: redacted(question), context: None }
}

fn redacted(text: &str) -> Redacted {
    backchannel::insight::redaction::typed(text)
}

fn party() -> Party {
    Party { id: "p-1".into(), role: Role::Customer, name: None }
}
