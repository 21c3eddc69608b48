use std::sync::Mutex;

use super::*;
use crate::store::conformance::{self, card, ended, started, turn};

fn quiet() -> CommitHook {
    Arc::new(|_| ())
}

async fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(folder, quiet()).await.expect("the store opens")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_the_contract() {
    let folder = tempfile::tempdir().expect("a folder");
    conformance::all(Arc::new(open(folder.path()).await)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_the_contract_of_an_outbox() {
    let folder = tempfile::tempdir().expect("a folder");
    crate::store::outbox::conformance::all(&open(folder.path()).await).await;
}

#[tokio::test]
async fn the_hook_hears_every_event_in_commit_order_before_the_appender() {
    let folder = tempfile::tempdir().expect("a folder");
    let heard: Arc<Mutex<Vec<u64>>> = Arc::default();
    let hook = {
        let heard = heard.clone();
        Arc::new(move |events: &[Arc<Recorded>]| {
            heard.lock().expect("no panic").extend(events.iter().map(|event| event.position));
        })
    };
    let store = SqliteStore::open(folder.path(), hook).await.expect("the store opens");
    let (t, c) = ("t".into(), "c-1".into());
    for event in [started(None), turn("t-1"), turn("t-2")] {
        let answer = store.append(&t, &c, vec![event]).await.expect("append");
        assert_eq!(heard.lock().expect("no panic").last(), Some(&answer[0].position));
    }
    assert_eq!(*heard.lock().expect("no panic"), [1, 2, 3]);
}

#[tokio::test]
async fn calls_that_were_live_are_ended_as_crashed_at_the_next_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let (t, live, over): (TenantId, ConversationId, ConversationId) =
        ("t".into(), "c-live".into(), "c-over".into());
    let store = open(folder.path()).await;
    store.append(&t, &live, vec![started(None), turn("t-1")]).await.expect("append");
    store.append(&t, &over, vec![started(None), ended()]).await.expect("append");
    store.close().await;
    drop(store);

    let store = open(folder.path()).await;
    assert_eq!(store.orphans_ended(), 1);
    let events = store.read(&ReadQuery::all(t.clone(), 0).of(live.clone())).await.expect("read");
    let last = events.last().expect("events");
    assert_eq!((&*last.kind, last.sequence), ("conversation.ended", 3));
    assert!(last.data.starts_with(r#"{"reason":"crash","duration_ms":"#), "{}", last.data);
    assert_eq!(store.read(&ReadQuery::all(t, 0).of(over)).await.expect("read").len(), 2);
    store.integrity().await.expect("sound");
    store.close().await;
    drop(store);
    assert_eq!(open(folder.path()).await.orphans_ended(), 0);
}

#[tokio::test]
async fn a_second_process_is_told_who_holds_the_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let _first = open(folder.path()).await;
    let error = SqliteStore::open(folder.path(), quiet()).await.err().expect("refused");
    let text = error.to_string();
    assert!(text.contains(&format!("process {}", std::process::id())), "{text}");
    assert!(text.contains("--data"), "{text}");
}

#[tokio::test]
async fn a_log_is_read_beside_its_writer_and_after_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = SqliteStore::open_to_read(folder.path()).await.err().expect("refused");
    assert!(missing.to_string().contains("there is no event log in it"), "{missing}");
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0, "nothing is made");

    let writer = open(folder.path()).await;
    let (t, c): (TenantId, ConversationId) = ("t".into(), "c-1".into());
    writer.append(&t, &c, vec![started(None), turn("t-1")]).await.expect("append");
    let reader = SqliteStore::open_to_read(folder.path()).await.expect("no lock is needed");
    let all = ReadQuery::all(t.clone(), 0).of(c.clone());
    assert_eq!(reader.read(&all).await.expect("read").len(), 2);
    writer.append(&t, &c, vec![turn("t-2")]).await.expect("append");
    assert_eq!(reader.read(&all).await.expect("read").len(), 3);
    let refused = reader.append(&t, &c, vec![turn("t-3")]).await.expect_err("refused");
    assert!(matches!(refused, StoreError::ReadOnly), "{refused}");
    reader.close().await;
    writer.close().await;
    drop(writer);

    let reader = SqliteStore::open_to_read(folder.path()).await.expect("nobody else has it");
    let row = reader.conversation(&t, &c).await.expect("read").expect("it is there");
    assert_eq!((row.state, row.last_sequence), (crate::store::ConversationState::Live, 3));
    reader.close().await;
}

#[tokio::test]
async fn a_full_disk_is_an_error_for_the_appender_and_the_store_survives() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut settings = SqliteSettings::new(folder.path());
    settings.max_pages = Some(40);
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
    settings.queue = 2;
    settings.patience = Duration::from_millis(100);
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
async fn a_file_of_a_newer_program_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path()).await;
    store.close().await;
    drop(store);
    let mut connection = SqliteConnectOptions::new()
        .filename(folder.path().join(FILE))
        .connect()
        .await
        .expect("opens");
    sqlx::query("PRAGMA user_version = 99").execute(&mut connection).await.expect("set");
    drop(connection);
    let error = SqliteStore::open(folder.path(), quiet()).await.err().expect("refused");
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
}

#[tokio::test]
async fn a_position_is_never_given_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path()).await;
    let (t, c) = ("t".into(), "c-1".into());
    store.append(&t, &c, vec![started(None), card("k-1"), ended()]).await.expect("append");
    store.close().await;
    drop(store);
    let mut connection = SqliteConnectOptions::new()
        .filename(folder.path().join(FILE))
        .connect()
        .await
        .expect("opens");
    sqlx::query("DELETE FROM events WHERE position > 1").execute(&mut connection).await.expect("");
    drop(connection);
    let store = open(folder.path()).await;
    let next = store.append(&t, &"c-2".into(), vec![started(None)]).await.expect("append");
    assert_eq!(next[0].position, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_the_contract_of_articles() {
    let folder = tempfile::tempdir().expect("a folder");
    crate::store::articles::conformance::all(Arc::new(open(folder.path()).await)).await;
}

#[tokio::test]
async fn articles_are_there_after_a_start_and_damage_to_them_is_noticed() {
    use crate::domain::ArticleAction;
    use crate::store::articles::conformance::revision;
    let folder = tempfile::tempdir().expect("a folder");
    let t: TenantId = "t".into();
    let store = open(folder.path()).await;
    for number in 0..3 {
        let new = vec![revision("a", number, ArticleAction::Import)];
        store.revise(&t, new, vec![]).await.expect("written");
    }
    store.close().await;
    drop(store);
    let store = open(folder.path()).await;
    assert_eq!(store.in_force(&t, None).await.expect("reads")[0].number, 3);
    let next = vec![revision("a", 3, ArticleAction::Retire)];
    assert_eq!(store.revise(&t, next, vec![]).await.expect("written")[0].position, 4);
    store.integrity().await.expect("sound");
    store.close().await;
    drop(store);
    let mut connection = SqliteConnectOptions::new()
        .filename(folder.path().join(FILE))
        .connect()
        .await
        .expect("opens");
    let erase = "DELETE FROM article_revisions WHERE number = 2";
    sqlx::query(erase).execute(&mut connection).await.expect("erased");
    drop(connection);
    let error = open(folder.path()).await.integrity().await.expect_err("it has a gap");
    assert!(error.to_string().contains("article a has a gap"), "{error}");
}

#[tokio::test]
async fn a_damaged_revision_takes_no_other_along() {
    use crate::domain::{ArticleAction, ArticleId};
    use crate::store::ArticleLog as _;
    use crate::store::articles::conformance::revision;

    let folder = tempfile::tempdir().expect("a folder");
    let t: TenantId = "t".into();
    let store = open(folder.path()).await;
    for id in ["a", "b", "c"] {
        let new = revision(id, 0, ArticleAction::Import);
        store.revise(&t, vec![new], vec![]).await.expect("written");
    }
    let damage = "UPDATE article_revisions SET content = '{\"title\":' WHERE article = 'b'";
    let path = folder.path().join(FILE);
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut connection =
        <sqlx::SqliteConnection as sqlx::Connection>::connect_with(&options).await.expect("opens");
    sqlx::query(damage).execute(&mut connection).await.expect("damaged");
    let ids = |page: Vec<Arc<crate::domain::ArticleRevision>>| -> Vec<String> {
        page.iter().map(|one| one.article.to_string()).collect()
    };
    assert_eq!(ids(store.in_force(&t, None).await.expect("reads")), ["a", "c"]);
    assert_eq!(ids(store.revisions_after(&t, 0).await.expect("reads")), ["a", "c"]);
    let b = ArticleId::from("b");
    assert!(matches!(store.revision(&t, &b, 1).await, Err(StoreError::Corrupt(_))));
    assert!(store.article(&t, &b).await.expect("its row is sound").is_some());
    assert_eq!(store.history(&t, &b).await.expect("its lines are sound").len(), 1);
    store.close().await;
}
