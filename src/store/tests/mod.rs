//! What holds for both back ends alike: each test here runs on a file and in a PostgreSQL database.

mod beside;
mod chained;
#[path = "../../../tests/peers/postgres/mod.rs"]
pub mod cluster;
mod erased;
mod upgrades;

use std::sync::{Arc, Mutex};

use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use super::conformance::{self, ended, started, turn};
use super::{
    ArticleLog, CommitHook, ConversationState, EventLog, Place, ReadQuery, Store, StoreError,
    articles, outbox, sqlite,
};
use crate::domain::{
    ArticleAction, ArticleId, ArticleRevision, ConversationId, Recorded, TenantId,
};

/// Where a test's log is, and what it needs as long.
pub struct Home {
    pub place: Place,
    folder: Option<tempfile::TempDir>,
}

impl Home {
    pub async fn folder() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { place: Place::Folder(folder.path().to_owned()), folder: Some(folder) }
    }

    pub async fn database() -> Self {
        let url = cluster::database().await;
        let place = Place::parse(&url, std::path::Path::new("/")).expect("an address");
        Self { place, folder: None }
    }

    pub async fn open(&self) -> EventLog {
        self.place.open(quiet()).await.expect("the log opens")
    }

    pub async fn refused(&self) -> StoreError {
        self.place.open(quiet()).await.err().expect("refused")
    }

    /// Changes what stands there, past the store, as somebody with access to the disk may.
    pub async fn change(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        match &self.place {
            Place::Folder(folder) => {
                let options = SqliteConnectOptions::new()
                    .filename(folder.join(sqlite::FILE))
                    .create_if_missing(true);
                let mut connection = options.connect().await.expect("opens");
                sqlx::raw_sql(sql).execute(&mut connection).await.expect("changed");
                connection.close().await.expect("closed");
            }
            Place::Postgres(options) => {
                let options: &PgConnectOptions = options;
                let mut connection = options.connect().await.expect("opens");
                sqlx::raw_sql(sql).execute(&mut connection).await.expect("changed");
                connection.close().await.expect("closed");
            }
        }
    }
}

pub fn quiet() -> CommitHook {
    Arc::new(|_| ())
}

macro_rules! on_both {
    ($($test:ident),* $(,)?) => {
        mod in_a_file {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(super::Home::folder().await).await;
            })*
        }
        mod in_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(super::Home::database().await).await;
            })*
        }
    };
}
use on_both;

on_both!(
    keeps_the_contract,
    keeps_the_contract_of_an_outbox,
    keeps_the_contract_of_articles,
    the_hook_hears_every_event_in_commit_order_before_the_appender,
    calls_that_were_live_are_ended_as_crashed_at_the_next_start,
    a_second_service_is_told_who_has_it,
    a_log_is_read_beside_its_writer_and_after_it,
    what_a_newer_program_made_is_left_alone,
    articles_are_there_after_a_start_and_damage_to_them_is_noticed,
    a_damaged_revision_takes_no_other_along,
);

async fn keeps_the_contract(home: Home) {
    conformance::all(Arc::new(home.open().await)).await;
}

async fn keeps_the_contract_of_an_outbox(home: Home) {
    outbox::conformance::all(&home.open().await).await;
}

async fn keeps_the_contract_of_articles(home: Home) {
    articles::conformance::all(Arc::new(home.open().await)).await;
}

async fn the_hook_hears_every_event_in_commit_order_before_the_appender(home: Home) {
    let heard: Arc<Mutex<Vec<u64>>> = Arc::default();
    let hook = {
        let heard = heard.clone();
        Arc::new(move |events: &[Arc<Recorded>]| {
            heard.lock().expect("no panic").extend(events.iter().map(|event| event.position));
        })
    };
    let store = home.place.open(hook).await.expect("the log opens");
    let (t, c) = ("t".into(), "c-1".into());
    for event in [started(None), turn("t-1"), turn("t-2")] {
        let answer = store.append(&t, &c, vec![event]).await.expect("append");
        assert_eq!(heard.lock().expect("no panic").last(), Some(&answer[0].position));
    }
    assert_eq!(*heard.lock().expect("no panic"), [1, 2, 3]);
}

async fn calls_that_were_live_are_ended_as_crashed_at_the_next_start(home: Home) {
    let (t, live, over): (TenantId, ConversationId, ConversationId) =
        ("t".into(), "c-live".into(), "c-over".into());
    let store = home.open().await;
    store.append(&t, &live, vec![started(None), turn("t-1")]).await.expect("append");
    store.append(&t, &over, vec![started(None), ended()]).await.expect("append");
    store.close().await;
    drop(store);

    let store = home.open().await;
    assert_eq!(store.orphans_ended(), 1);
    let events = store.read(&ReadQuery::all(t.clone(), 0).of(live.clone())).await.expect("read");
    let last = events.last().expect("events");
    assert_eq!((&*last.kind, last.sequence), ("conversation.ended", 3));
    assert!(last.data.starts_with(r#"{"reason":"crash","duration_ms":"#), "{}", last.data);
    assert_eq!(store.read(&ReadQuery::all(t, 0).of(over)).await.expect("read").len(), 2);
    store.integrity().await.expect("sound");
    store.close().await;
    drop(store);
    assert_eq!(home.open().await.orphans_ended(), 0);
}

async fn a_second_service_is_told_who_has_it(home: Home) {
    let first = home.open().await;
    let text = home.refused().await.to_string();
    assert!(text.contains("is in use by") && text.contains("process "), "{text}");
    assert!(text.contains("--data") || text.contains("store.url"), "{text}");
    first.close().await;
    drop(first);
    home.open().await;
}

async fn a_log_is_read_beside_its_writer_and_after_it(home: Home) {
    let missing = home.place.open_to_read().await.err().expect("refused");
    assert!(missing.to_string().contains("there is no event log in"), "{missing}");
    if let Some(folder) = &home.folder {
        assert_eq!(std::fs::read_dir(folder).expect("a folder").count(), 0, "nothing is made");
    }

    let writer = home.open().await;
    let (t, c): (TenantId, ConversationId) = ("t".into(), "c-1".into());
    writer.append(&t, &c, vec![started(None), turn("t-1")]).await.expect("append");
    let reader = home.place.open_to_read().await.expect("no lock is needed");
    let all = ReadQuery::all(t.clone(), 0).of(c.clone());
    assert_eq!(reader.read(&all).await.expect("read").len(), 2);
    writer.append(&t, &c, vec![turn("t-2")]).await.expect("append");
    assert_eq!(reader.read(&all).await.expect("read").len(), 3);
    let refused = reader.append(&t, &c, vec![turn("t-3")]).await.expect_err("refused");
    assert!(matches!(refused, StoreError::ReadOnly), "{refused}");
    reader.close().await;
    writer.close().await;
    drop(writer);

    let reader = home.place.open_to_read().await.expect("nobody else has it");
    let row = reader.conversation(&t, &c).await.expect("read").expect("it is there");
    assert_eq!((row.state, row.last_sequence), (ConversationState::Live, 3));
    reader.close().await;
}

async fn what_a_newer_program_made_is_left_alone(home: Home) {
    let store = home.open().await;
    store.close().await;
    drop(store);
    home.change(match home.place {
        Place::Folder(_) => "PRAGMA user_version = 99",
        Place::Postgres(_) => "INSERT INTO log_version VALUES (99)",
    })
    .await;
    let error = home.refused().await;
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
}

async fn articles_are_there_after_a_start_and_damage_to_them_is_noticed(home: Home) {
    let t: TenantId = "t".into();
    let store = home.open().await;
    for number in 0..3 {
        let new = vec![articles::conformance::revision("a", number, ArticleAction::Import)];
        store.revise(&t, new, vec![]).await.expect("written");
    }
    store.close().await;
    drop(store);
    let store = home.open().await;
    assert_eq!(store.in_force(&t, None).await.expect("reads")[0].number, 3);
    let next = vec![articles::conformance::revision("a", 3, ArticleAction::Retire)];
    assert_eq!(store.revise(&t, next, vec![]).await.expect("written")[0].position, 4);
    store.integrity().await.expect("sound");
    store.close().await;
    drop(store);
    home.change("DELETE FROM article_revisions WHERE number = 2").await;
    let error = home.open().await.integrity().await.expect_err("it has a gap");
    assert!(error.to_string().contains("article a has a gap"), "{error}");
}

async fn a_damaged_revision_takes_no_other_along(home: Home) {
    let t: TenantId = "t".into();
    let store = home.open().await;
    for id in ["a", "b", "c"] {
        let new = articles::conformance::revision(id, 0, ArticleAction::Import);
        store.revise(&t, vec![new], vec![]).await.expect("written");
    }
    home.change("UPDATE article_revisions SET content = '{\"title\":' WHERE article = 'b'").await;
    let ids = |page: Vec<Arc<ArticleRevision>>| -> Vec<String> {
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
