//! Durable appends: the event log with 64 appenders against a bare batched INSERT of the same bytes.
//!
//! Both write the same events to a SQLite file with the same settings (WAL, `synchronous=FULL`) on
//! the same disk, in turns, in one run. The bare side inserts groups of 64 rows, one statement per
//! row, into the same `events` table with the same two unique constraints; it checks nothing, keeps
//! no projection and answers nobody. Run: `cargo bench --bench append` (the temporary folder must be
//! on a real disk: set TMPDIR). Last line: JSON with the ratio, whose bar is 0.7, and the ratio to a
//! table without any constraint.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use backchannel::domain::*;
use backchannel::store::{SqliteStore, Store, codec};
use hdrhistogram::Histogram;
use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};

const APPENDERS: usize = 64;
const EVENTS_EACH: usize = 150;
const ROUNDS: usize = 5;

const CONSTRAINED: &str = "CREATE TABLE events (position INTEGER PRIMARY KEY AUTOINCREMENT, \
    tenant TEXT NOT NULL, conversation TEXT NOT NULL, sequence INTEGER NOT NULL, \
    id TEXT NOT NULL UNIQUE, time INTEGER NOT NULL, kind TEXT NOT NULL, schema TEXT NOT NULL, \
    data TEXT NOT NULL, UNIQUE (tenant, conversation, sequence)) STRICT";
const PLAIN: &str = "CREATE TABLE events (position INTEGER PRIMARY KEY, tenant TEXT, \
    conversation TEXT, sequence INTEGER, id TEXT, time INTEGER, kind TEXT, schema TEXT, \
    data TEXT) STRICT";

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let (mut ours, mut bare, mut plain) = (Vec::new(), Vec::new(), Vec::new());
    let mut waits = Histogram::<u64>::new(3).expect("a histogram");
    for _ in 0..ROUNDS {
        let folder = tempfile::tempdir().expect("a folder");
        bare.push(runtime.block_on(insert_bare(folder.path(), CONSTRAINED)));
        let folder = tempfile::tempdir().expect("a folder");
        plain.push(runtime.block_on(insert_bare(folder.path(), PLAIN)));
        let folder = tempfile::tempdir().expect("a folder");
        ours.push(runtime.block_on(append(folder.path(), &mut waits)));
    }
    let (ours, bare, plain) = (median(ours), median(bare), median(plain));
    println!("event log, {APPENDERS} appenders: {ours:.0} events/s (median of {ROUNDS})");
    println!("bare INSERT, groups of {APPENDERS}: {bare:.0} events/s");
    println!("the same without constraints: {plain:.0} events/s");
    println!(
        r#"{{"bench":"append","appenders":{APPENDERS},"events_per_s":{ours:.0},"bare_per_s":{bare:.0},"ratio":{:.2},"ratio_to_plain":{:.2},"p50_ms":{:.1},"p99_ms":{:.1}}}"#,
        ours / bare,
        ours / plain,
        waits.value_at_quantile(0.5) as f64 / 1_000.0,
        waits.value_at_quantile(0.99) as f64 / 1_000.0,
    );
}

async fn append(folder: &Path, waits: &mut Histogram<u64>) -> f64 {
    let store = Arc::new(SqliteStore::open(folder, Arc::new(|_| ())).await.expect("opens"));
    let tenant = TenantId::from("demo");
    for number in 0..APPENDERS {
        let event = NewEvent::at(Timestamp::now(), started());
        store.append(&tenant, &conversation(number), vec![event]).await.expect("append");
    }
    let begun = Instant::now();
    let appenders: Vec<_> = (0..APPENDERS)
        .map(|number| {
            let (store, tenant) = (store.clone(), tenant.clone());
            tokio::spawn(async move {
                let mut waits = Vec::with_capacity(EVENTS_EACH);
                for turn_number in 0..EVENTS_EACH {
                    let begun = Instant::now();
                    let event = NewEvent::at(Timestamp::now(), turn(turn_number));
                    store.append(&tenant, &conversation(number), vec![event]).await.expect("");
                    waits.push(begun.elapsed());
                }
                waits
            })
        })
        .collect();
    for appender in appenders {
        for wait in appender.await.expect("no panic") {
            waits.record(wait.as_micros() as u64).expect("in range");
        }
    }
    let rate = rate(begun.elapsed());
    store.integrity().await.expect("sound");
    store.close().await;
    rate
}

async fn insert_bare(folder: &Path, table: &'static str) -> f64 {
    let mut connection = SqliteConnectOptions::new()
        .filename(folder.join("bare.sqlite"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging()
        .connect()
        .await
        .expect("opens");
    sqlx::query(table).execute(&mut connection).await.expect("a table");
    let begun = Instant::now();
    for turn_number in 0..EVENTS_EACH {
        let mut group = connection.begin().await.expect("begins");
        for number in 0..APPENDERS {
            let encoded = codec::encode(&turn(turn_number));
            sqlx::query(
                "INSERT INTO events (tenant, conversation, sequence, id, time, kind, schema, data) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .bind("demo")
            .bind(conversation(number).as_str())
            .bind(turn_number as i64)
            .bind(EventId::fresh().as_str())
            .bind(Timestamp::now().as_millisecond())
            .bind(encoded.kind)
            .bind(encoded.schema)
            .bind(encoded.data)
            .execute(&mut *group)
            .await
            .expect("inserted");
        }
        group.commit().await.expect("durable");
    }
    let rate = rate(begun.elapsed());
    connection.close().await.expect("closed");
    rate
}

fn rate(elapsed: Duration) -> f64 {
    (APPENDERS * EVENTS_EACH) as f64 / elapsed.as_secs_f64()
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

fn conversation(number: usize) -> ConversationId {
    format!("c-{number}").into()
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

/// About 400 bytes of data, as a short turn has.
fn turn(number: usize) -> EventBody {
    EventBody::TurnFinal(Turn {
        id: format!("t-{number}").into(),
        party: party(),
        start_ms: 41_220,
        end_ms: 44_810,
        text: Redacted::vouched("So when do I get my money back?"),
        words: ["So", "when", "do"]
            .into_iter()
            .map(|text| Word {
                text: Redacted::vouched(text),
                start_ms: 41_220,
                end_ms: 41_400,
                confidence: 0.97,
            })
            .collect(),
        mean_logprob: Some(-0.21),
        display_text: None,
        language: "en".into(),
    })
}

fn party() -> Party {
    Party { id: "p-1".into(), role: Role::Customer, name: None }
}
