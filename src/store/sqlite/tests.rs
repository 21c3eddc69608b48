use std::sync::{Arc, Mutex};

use sqlx::Connection as _;

use super::*;
use crate::domain::{ConversationId, TenantId};
use crate::store::conformance::{ended, started, turn};
use crate::store::{ReadQuery, Store as _};

fn quiet() -> CommitHook {
    Arc::new(|_| ())
}

#[tokio::test]
async fn a_full_disk_is_an_error_for_the_appender_and_the_store_survives() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut settings = SqliteSettings::new(folder.path());
    settings.max_pages = Some(24);
    let store = SqliteStore::open_with(settings, quiet()).await.expect("the store opens");
    let (t, c): (TenantId, ConversationId) = ("t".into(), "c-1".into());
    store.append(&t, &c, vec![started(None)]).await.expect("append");
    let mut stood = 1;
    let error = loop {
        let group = (0..20).map(|n| turn(&format!("t-{stood}-{n}"))).collect();
        match store.append(&t, &c, group).await {
            Ok(events) => stood += events.len(),
            Err(error) => break error,
        }
        assert!(stood < 10_000, "the quota never filled");
    };
    assert!(matches!(error, StoreError::Full), "{error}");
    let trouble = store.trouble().expect("it is known");
    assert!(matches!(trouble.why, StoreError::Full), "{}", trouble.why);
    let read = store.read(&ReadQuery::all(t.clone(), 0)).await.expect("it still reads");
    assert_eq!(read.len(), stood);
    // What still fits is written, with the next number.
    if let Ok(next) = store.append(&t, &c, vec![ended()]).await {
        assert_eq!(next[0].sequence, stood as u64 + 1);
    }
    store.integrity().await.expect("sound");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_makes_appenders_wait_and_then_refuses() {
    let folder = tempfile::tempdir().expect("a folder");
    let (entered, in_hook) = std::sync::mpsc::channel::<()>();
    let (release, gate) = std::sync::mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    // The hook holds the writer, as a very slow disk would.
    let hook: CommitHook = Arc::new(move |_| {
        let _ = entered.send(());
        let _ = gate.lock().expect("no panic").recv();
    });
    let mut settings = SqliteSettings::new(folder.path());
    settings.queueing.queue = 2;
    settings.queueing.patience = Duration::from_millis(100);
    let store = Arc::new(SqliteStore::open_with(settings, hook).await.expect("the store opens"));
    let append = |number: usize| {
        let store = store.clone();
        let c = ConversationId::from(format!("c-{number}"));
        tokio::spawn(async move { store.append(&"t".into(), &c, vec![started(None)]).await })
    };
    let first = append(0);
    tokio::task::spawn_blocking(move || in_hook.recv()).await.expect("").expect("committed");
    let mut tasks: Vec<_> = (1..=8).map(append).collect();
    let mut busy = 0;
    // Two wait in the queue; the others are refused while they do.
    while busy < 6 {
        let (done, _, rest) = futures_util::future::select_all(tasks).await;
        assert!(matches!(done.expect("no panic"), Err(StoreError::Busy(_))));
        busy += 1;
        tasks = rest;
    }
    drop(release);
    first.await.expect("no panic").expect("append");
    for task in tasks {
        task.await.expect("no panic").expect("append");
    }
    assert_eq!(store.head().await.expect("head"), 3);
}

#[tokio::test]
async fn a_disk_that_was_full_and_has_room_again_is_found_out_without_an_append() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut settings = SqliteSettings::new(folder.path());
    settings.max_pages = Some(130);
    let store = SqliteStore::open_with(settings, quiet()).await.expect("the store opens");
    // Something else on the same disk.
    let options = SqliteConnectOptions::new().filename(folder.path().join(FILE));
    let mut connection = options.connect().await.expect("opens");
    let other = "CREATE TABLE other (bytes BLOB); INSERT INTO other VALUES (zeroblob(500000))";
    sqlx::raw_sql(other).execute(&mut connection).await.expect("written");
    let (t, c): (TenantId, ConversationId) = ("t".into(), "c-1".into());
    store.append(&t, &c, vec![started(None)]).await.expect("append");
    let mut number = 0;
    while store.trouble().is_none() {
        number += 1;
        let group = (0..20).map(|n| turn(&format!("t-{number}-{n}"))).collect();
        let _ = store.append(&t, &c, group).await;
        assert!(number < 500, "the quota never filled");
    }
    // The probe doesn't fit either.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert!(store.trouble().is_some(), "it is still full");
    // Somebody makes room.
    sqlx::raw_sql("DROP TABLE other").execute(&mut connection).await.expect("room");
    connection.close().await.expect("closed");
    for _ in 0..100 {
        if store.trouble().is_none() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(store.trouble().is_none(), "it recovers alone");
    store.append(&t, &c, vec![ended()]).await.expect("append");
    store.close().await;
}
