//! What only a database on the other end of a wire can do.

use std::sync::{Arc, Mutex};

use super::*;
use crate::domain::{ConversationId, TenantId};
use crate::store::ReadQuery;
use crate::store::conformance::{started, turn};
use crate::store::tests::cluster::{self, Cluster};

#[test]
fn a_password_is_never_named() {
    let options: PgConnectOptions =
        "postgres://ada:s3cret@db.example.test:5433/calls".parse().expect("an address");
    assert_eq!(name(&options), "the database calls at db.example.test:5433");
}

/// Not the shared one: it is cut off.
async fn own() -> (Arc<Cluster>, PgConnectOptions) {
    let cluster = tokio::task::spawn_blocking(Cluster::start).await.expect("a server");
    let options = cluster.database().await.parse().expect("an address");
    (Arc::new(cluster), options)
}

async fn open(options: &PgConnectOptions) -> EventLog {
    EventLog::open_in(options, Queueing::default(), Arc::new(|_| ())).await.expect("it opens")
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..600 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what} within 30 s");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_a_nul_is_not_there_and_is_not_taken() {
    let options = cluster::database().await.parse().expect("an address");
    let log = open(&options).await;
    let (t, c): (TenantId, ConversationId) = ("t".into(), "a\0b".into());
    assert!(log.conversation(&t, &c).await.expect("an answer").is_none());
    let query = ReadQuery::all(t.clone(), 0).of(c.clone());
    assert!(log.read(&query).await.expect("an answer").is_empty());
    assert!(log.conversation_of_card(&t, &"\0".into()).await.expect("an answer").is_none());
    assert!(log.event(&t, &"\0".into()).await.expect("an answer").is_none());
    let refused = log.append(&t, &c, vec![started(None)]).await.expect_err("it can't be held");
    let StoreError::Unwritable(why) = &refused else { panic!("{refused}") };
    assert_eq!(&**why, "a text in it holds a NUL character");
    assert!(log.trouble().is_none(), "the log can be written all the same");
    log.append(&t, &"c-1".into(), vec![started(None)]).await.expect("others are taken");
    log.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_database_nothing_is_acknowledged_and_it_recovers_alone() {
    let (cluster, options) = own().await;
    let log = Arc::new(open(&options).await);
    let (t, c): (TenantId, ConversationId) = ("t".into(), "c-1".into());
    log.append(&t, &c, vec![started(None), turn("t-1")]).await.expect("append");
    assert!(log.trouble().is_none());

    // Appends go on as it is cut off: each is acknowledged or refused, whatever moment it met.
    let (acknowledged, refused) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(0)));
    let appending = {
        let (log, acknowledged, refused) = (log.clone(), acknowledged.clone(), refused.clone());
        let (t, c) = (t.clone(), c.clone());
        tokio::spawn(async move {
            for number in 0.. {
                let event = turn(&format!("t-during-{number}"));
                let id = event.id.clone();
                match log.append(&t, &c, vec![event]).await {
                    Ok(_) => acknowledged.lock().expect("no panic").push(id),
                    Err(StoreError::Unreachable(_)) => break,
                    Err(error) => panic!("{error}"),
                }
            }
            *refused.lock().expect("no panic") += 1;
        })
    };
    tokio::time::sleep(Duration::from_millis(200)).await;
    let stopped = cluster.clone();
    tokio::task::spawn_blocking(move || stopped.cut()).await.expect("stopped");
    appending.await.expect("no panic");
    let trouble = log.trouble().expect("it is known");
    assert!(matches!(trouble.why, StoreError::Unreachable(_)), "{}", trouble.why);
    let error = log.append(&t, &c, vec![turn("t-x")]).await.expect_err("nothing is written");
    assert!(error.to_string().contains("can't be reached"), "{error}");

    let started_again = cluster.clone();
    tokio::task::spawn_blocking(move || started_again.begin()).await.expect("it runs");
    // Nobody appends: it finds out by itself.
    until("the log can be written again", || log.trouble().is_none()).await;
    let next = log.append(&t, &c, vec![turn("t-after")]).await.expect("append");
    let events = log.read(&ReadQuery::all(t.clone(), 0)).await.expect("reads");
    assert_eq!(events.last().map(|event| event.position), Some(next[0].position));
    for id in acknowledged.lock().expect("no panic").iter() {
        assert!(events.iter().any(|event| event.id == *id), "{id} was acknowledged and is lost");
    }
    log.integrity().await.expect("sound");
    assert_eq!(log.audit(None, |_| ()).await.expect("reads").faults, []);
    log.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_was_cut_off_writes_no_more_when_another_has_the_log() {
    let options: PgConnectOptions = cluster::database().await.parse().expect("an address");
    let first = open(&options).await;
    let (t, c): (TenantId, ConversationId) = ("t".into(), "c-1".into());
    first.append(&t, &c, vec![started(None)]).await.expect("append");
    // Its connection breaks, and with it goes the lock.
    let mut admin = options.connect().await.expect("connects");
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE application_name = 'backchannel writer' AND datname = current_database()";
    sqlx::query(kill).execute(&mut admin).await.expect("cut off");
    let second = open(&options).await;
    second.append(&t, &"c-2".into(), vec![started(None)]).await.expect("append");
    let mut last = None;
    for _ in 0..3 {
        last = first.append(&t, &c, vec![turn("t-1")]).await.err();
        assert!(last.is_some(), "two services wrote to one log");
    }
    drop(second);
    // Not even when the other is gone: its own view of the log is old.
    tokio::time::sleep(Duration::from_millis(200)).await;
    for _ in 0..3 {
        last = first.append(&t, &c, vec![turn("t-1")]).await.err();
    }
    assert!(matches!(last, Some(StoreError::TakenOver)), "{last:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_transaction_elsewhere_holds_no_reader_up() {
    let options: PgConnectOptions = cluster::database().await.parse().expect("an address");
    let elsewhere: PgConnectOptions = cluster::database().await.parse().expect("an address");
    let mut other = elsewhere.connect().await.expect("connects");
    let write = "CREATE TABLE mine (x BIGINT); BEGIN; INSERT INTO mine VALUES (1)";
    sqlx::raw_sql(write).execute(&mut other).await.expect("it writes, and doesn't end");
    let log = open(&options).await;
    let t = TenantId::from("t");
    log.append(&t, &"c-1".into(), vec![started(None), turn("t-1")]).await.expect("append");
    assert_eq!(log.read(&ReadQuery::all(t, 0)).await.expect("reads").len(), 2);
    log.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_database_cant_hold_takes_nothing_else_along() {
    let options: PgConnectOptions = cluster::database().await.parse().expect("an address");
    let log = open(&options).await;
    let t = TenantId::from("t");
    let bad = vec![started(Some("CA\0"))];
    let (bad_id, good_id): (ConversationId, ConversationId) = ("c-bad".into(), "c-good".into());
    let (bad, good) = tokio::join!(
        log.append(&t, &bad_id, bad),
        log.append(&t, &good_id, vec![started(Some("CA1"))]),
    );
    assert!(matches!(bad, Err(StoreError::Unwritable(_))), "{bad:?}");
    good.expect("the other one stands");
    assert!(log.trouble().is_none(), "the log itself is well");
    log.close().await;
}
