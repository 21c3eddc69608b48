//! Durable appends: the event log with 64 appenders against a bare batched INSERT of the same bytes, in SQLite and in
//! PostgreSQL.
//!
//! Each append is a turn of 1 to 3 kB and an effect for the outbox, in one commit, chained, acknowledged one by one.
//! The bare side writes the same turns and effects in groups of 64, one statement for all turns and one for all
//! effects, into tables with the same unique constraints; it checks nothing, keeps no projection, hashes nothing and
//! answers nobody. Both run in turns, in one run, on the same disk with the same settings (WAL, `synchronous=FULL`;
//! PostgreSQL as it comes). Run: `cargo bench --bench append` (the temporary folder must be on a real disk: set
//! TMPDIR; needs PostgreSQL's programs). Last lines: JSON with the ratio for each, whose bar is 0.7.

#[path = "../tests/peers/postgres/mod.rs"]
mod cluster;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use backchannel::domain::*;
use backchannel::store::{EventLog, Outbox as _, Place, Store as _, codec};
use hdrhistogram::Histogram;
use jiff::Timestamp;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};

const APPENDERS: usize = 64;
const APPENDS_EACH: usize = 100;
const ROUNDS: usize = 5;

const TABLES: &str = "CREATE TABLE events (position INTEGER PRIMARY KEY, tenant TEXT NOT NULL, conversation TEXT NOT NULL, \
    sequence BIGINT NOT NULL, id TEXT NOT NULL UNIQUE, time BIGINT NOT NULL, kind TEXT NOT NULL, schema TEXT NOT NULL, \
    data TEXT NOT NULL, UNIQUE (tenant, conversation, sequence)); \
    CREATE TABLE outbox (position INTEGER PRIMARY KEY, tenant TEXT NOT NULL, destination TEXT NOT NULL, \
    key TEXT NOT NULL, lane TEXT NOT NULL, effect TEXT NOT NULL, UNIQUE (tenant, destination, key))";

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        compare("sqlite", async |folder: &Path| Place::Folder(folder.to_owned())).await;
        compare("postgres", async |folder: &Path| {
            let url = cluster::database().await;
            Place::parse(&url, folder).expect("an address")
        })
        .await;
    });
}

async fn compare(name: &str, place: impl AsyncFn(&Path) -> Place) {
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    let mut waits = Histogram::<u64>::new(3).expect("a histogram");
    for _ in 0..ROUNDS {
        let folder = tempfile::tempdir().expect("a folder");
        bare.push(insert_bare(&place(folder.path()).await).await);
        let folder = tempfile::tempdir().expect("a folder");
        ours.push(append(&place(folder.path()).await, &mut waits).await);
    }
    let (ours, bare) = (median(ours), median(bare));
    println!("{name}: event log, {APPENDERS} appenders: {ours:.0} appends/s (median of {ROUNDS})");
    println!("{name}: bare INSERT, groups of {APPENDERS}: {bare:.0} appends/s");
    println!(
        r#"{{"bench":"append","store":"{name}","appenders":{APPENDERS},"appends_per_s":{ours:.0},"bare_per_s":{bare:.0},"ratio":{:.2},"p50_ms":{:.1},"p99_ms":{:.1}}}"#,
        ours / bare,
        waits.value_at_quantile(0.5) as f64 / 1_000.0,
        waits.value_at_quantile(0.99) as f64 / 1_000.0,
    );
}

async fn append(place: &Place, waits: &mut Histogram<u64>) -> f64 {
    let log = Arc::new(place.open(Arc::new(|_: &[_]| ())).await.expect("opens"));
    let tenant = TenantId::from("demo");
    for number in 0..APPENDERS {
        let event = NewEvent::at(Timestamp::now(), started());
        log.append(&tenant, &conversation(number), vec![event]).await.expect("append");
    }
    let begun = Instant::now();
    let appenders: Vec<_> = (0..APPENDERS)
        .map(|number| tokio::spawn(appender(log.clone(), tenant.clone(), number)))
        .collect();
    for appender in appenders {
        for wait in appender.await.expect("no panic") {
            waits.record(wait.as_micros() as u64).expect("in range");
        }
    }
    let rate = rate(begun.elapsed());
    log.integrity().await.expect("sound");
    assert_eq!(log.audit(None, |_| ()).await.expect("reads").faults, []);
    log.close().await;
    rate
}

async fn appender(log: Arc<EventLog>, tenant: TenantId, number: usize) -> Vec<Duration> {
    let mut waits = Vec::with_capacity(APPENDS_EACH);
    for turn_number in 0..APPENDS_EACH {
        let begun = Instant::now();
        let event = NewEvent::at(Timestamp::now(), turn(turn_number));
        let effects = vec![delivery(number, turn_number)];
        log.post(&tenant, &conversation(number), vec![event], effects).await.expect("append");
        waits.push(begun.elapsed());
    }
    waits
}

/// What the bare side writes of one append.
struct Bare {
    position: i64,
    conversation: String,
    sequence: i64,
    id: String,
    time: i64,
    turn: codec::Encoded,
    key: String,
    effect: String,
}

fn group(turn_number: usize) -> Vec<Bare> {
    let one = |number: usize| {
        let new = delivery(number, turn_number);
        Bare {
            position: (turn_number * APPENDERS + number) as i64,
            conversation: conversation(number).to_string(),
            sequence: turn_number as i64,
            id: EventId::fresh().to_string(),
            time: Timestamp::now().as_millisecond(),
            turn: codec::encode(&turn(turn_number)),
            key: new.key.as_str().to_owned(),
            effect: codec::encode_effect(&new.effect),
        }
    };
    (0..APPENDERS).map(one).collect()
}

async fn insert_bare(place: &Place) -> f64 {
    match place {
        Place::Folder(folder) => {
            let mut connection = SqliteConnectOptions::new()
                .filename(folder.join("bare.sqlite"))
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .disable_statement_logging()
                .connect()
                .await
                .expect("opens");
            sqlx::raw_sql(TABLES).execute(&mut connection).await.expect("tables");
            let begun = Instant::now();
            for turn_number in 0..APPENDS_EACH {
                in_sqlite(&mut connection, group(turn_number)).await;
            }
            let rate = rate(begun.elapsed());
            connection.close().await.expect("closed");
            rate
        }
        Place::Postgres(options) => {
            let options: &PgConnectOptions = options;
            let options = options.clone().disable_statement_logging();
            let mut connection = options.connect().await.expect("opens");
            sqlx::raw_sql(TABLES).execute(&mut connection).await.expect("tables");
            let begun = Instant::now();
            for turn_number in 0..APPENDS_EACH {
                in_postgres(&mut connection, group(turn_number)).await;
            }
            let rate = rate(begun.elapsed());
            connection.close().await.expect("closed");
            rate
        }
    }
}

/// `count` rows of so many placeholders.
fn rows(columns: usize, count: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(","));
    vec![row; count].join(",")
}

async fn in_sqlite(connection: &mut SqliteConnection, group: Vec<Bare>) {
    let mut commit = connection.begin().await.expect("begins");
    let sql = format!("INSERT INTO events VALUES {}", rows(9, group.len()));
    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
    for one in &group {
        query = query
            .bind(one.position)
            .bind("demo")
            .bind(one.conversation.clone())
            .bind(one.sequence)
            .bind(one.id.clone())
            .bind(one.time)
            .bind(one.turn.kind)
            .bind(one.turn.schema)
            .bind(one.turn.data.clone());
    }
    query.execute(&mut *commit).await.expect("inserted");
    let sql = format!("INSERT INTO outbox VALUES {}", rows(6, group.len()));
    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
    for one in group {
        query = query
            .bind(one.position)
            .bind("demo")
            .bind("crm")
            .bind(one.key)
            .bind(one.conversation)
            .bind(one.effect);
    }
    query.execute(&mut *commit).await.expect("inserted");
    commit.commit().await.expect("durable");
}

async fn in_postgres(connection: &mut PgConnection, group: Vec<Bare>) {
    let mut commit = connection.begin().await.expect("begins");
    let positions: Vec<i64> = group.iter().map(|one| one.position).collect();
    let conversations: Vec<&str> = group.iter().map(|one| one.conversation.as_str()).collect();
    sqlx::query(
        "INSERT INTO events SELECT p, 'demo', c, s, i, t, k, m, d FROM unnest($1::bigint[], $2::text[], \
         $3::bigint[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[]) AS v (p, c, s, i, t, k, m, d)",
    )
    .bind(positions.clone())
    .bind(conversations.clone())
    .bind(group.iter().map(|one| one.sequence).collect::<Vec<_>>())
    .bind(group.iter().map(|one| one.id.as_str()).collect::<Vec<_>>())
    .bind(group.iter().map(|one| one.time).collect::<Vec<_>>())
    .bind(group.iter().map(|one| one.turn.kind).collect::<Vec<_>>())
    .bind(group.iter().map(|one| one.turn.schema).collect::<Vec<_>>())
    .bind(group.iter().map(|one| one.turn.data.as_str()).collect::<Vec<_>>())
    .execute(&mut *commit)
    .await
    .expect("inserted");
    sqlx::query(
        "INSERT INTO outbox SELECT p, 'demo', 'crm', k, c, e FROM unnest($1::bigint[], $2::text[], $3::text[], \
         $4::text[]) AS v (p, k, c, e)",
    )
    .bind(positions)
    .bind(group.iter().map(|one| one.key.as_str()).collect::<Vec<_>>())
    .bind(conversations)
    .bind(group.iter().map(|one| one.effect.as_str()).collect::<Vec<_>>())
    .execute(&mut *commit)
    .await
    .expect("inserted");
    commit.commit().await.expect("durable");
}

fn rate(elapsed: Duration) -> f64 {
    (APPENDERS * APPENDS_EACH) as f64 / elapsed.as_secs_f64()
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

/// Of 10 to 35 words, as turns are, each with its times: 1 to 3 kB.
fn turn(number: usize) -> EventBody {
    const SAID: &str = "so when do I get my money back because it was taken twice and nobody has told me what happened \
        to the other one that I paid in May when the old contract was over and done with";
    let count = 10 + number * 7 % 26;
    let words: Vec<&str> = SAID.split(' ').take(count).collect();
    let word = |(at, text): (usize, &&str)| Word {
        text: Redacted::vouched(*text),
        start_ms: 41_220 + 310 * at as u64,
        end_ms: 41_500 + 310 * at as u64,
        confidence: 0.97,
    };
    EventBody::TurnFinal(Turn {
        id: format!("t-{number}").into(),
        party: party(),
        start_ms: 41_220,
        end_ms: 44_810,
        text: Redacted::vouched(words.join(" ")),
        words: words.iter().enumerate().map(word).collect(),
        mean_logprob: Some(-0.21),
        display_text: None,
        language: "en".into(),
    })
}

fn delivery(number: usize, turn_number: usize) -> NewDelivery {
    NewDelivery {
        destination: "crm".into(),
        key: DedupeKey::of(&[&number.to_string(), &turn_number.to_string()]),
        lane: format!("c-{number}"),
        effect: Effect::AddNote(NewNote {
            contact_id: "ada".into(),
            case: None,
            subject: Redacted::vouched("A call about a refund"),
            body: Redacted::vouched(
                "The customer was charged twice in May and asks for the money back.",
            ),
        }),
        from: None,
        by: None,
        created_at: Timestamp::now(),
    }
}

fn party() -> Party {
    Party { id: "p-1".into(), role: Role::Customer, name: None }
}
