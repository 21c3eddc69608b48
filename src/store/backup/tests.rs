use std::sync::Arc;

use sqlx::ConnectOptions as _;

use super::*;
use crate::domain::{
    ArticleAction, ArticleChanged, ConversationId, EventBody, NewEvent, NewRevision, PROGRAM,
    Redacted, SentenceOrigin, TenantId,
};
use crate::store::articles::conformance::revision;
use crate::store::conformance::{card, ended, started, turn};
use crate::store::erasure::{Erasure, Reach};
use crate::store::outbox::conformance::{note, post};
use crate::store::tests::{Home, cluster};
use crate::store::{ArticleLog as _, DeliveryQuery, Outbox as _, ReadQuery};

const T: &str = "t";

/// Something in every table.
async fn filled(log: &EventLog) {
    let t = TenantId::from(T);
    for id in ["c-1", "c-2"] {
        let id = ConversationId::from(id);
        log.append(&t, &id, vec![started(Some("CA1")), turn("t-1")]).await.expect("append");
        let key = format!("k-{id}");
        log.append(&t, &id, vec![card(&key), ended()]).await.expect("append");
        post(log, &t, &id, vec![note("crm", "ada", &key)]).await;
    }
    for (number, action) in [(0, ArticleAction::Import), (1, ArticleAction::Draft)] {
        log.revise(&t, vec![revision("a", number, action)], vec![]).await.expect("written");
    }
}

/// All that can be asked, as text.
async fn told(log: &EventLog) -> String {
    let t = TenantId::from(T);
    let events = log.read(&ReadQuery::all(t.clone(), 0)).await.expect("reads");
    let rows = log.conversation(&t, &"c-2".into()).await.expect("reads");
    let card = log.conversation_of_card(&t, &"k-c-1".into()).await.expect("reads");
    let revisions = log.revisions_after(&t, 0).await.expect("reads");
    let article = log.article(&t, &"a".into()).await.expect("reads");
    let outbox = log.deliveries(&DeliveryQuery::all(t.clone())).await.expect("reads").items;
    let head = log.log_head().await.expect("reads");
    format!("{events:?}\n{rows:?}\n{card:?}\n{revisions:?}\n{article:?}\n{outbox:?}\n{head}")
}

/// Backed up while it is written to, restored into another back end, and the same.
async fn goes_over(from: Home, to: Home) {
    let log = from.open().await;
    filled(&log).await;
    let before = told(&log).await;
    let scratch = tempfile::tempdir().expect("a folder");
    let folder = scratch.path().join("backup");
    let note = backup(&from.place, &folder, &mut |_| ()).await.expect("backed up");
    assert_eq!((note.conversations, note.events), (2, 10));
    let t = TenantId::from(T);
    log.append(&t, &"c-3".into(), vec![started(None), ended()]).await.expect("later ones");

    let taken = backup(&from.place, &folder, &mut |_| ()).await.expect_err("it is there");
    assert!(matches!(taken, BackupError::Taken(_)), "{taken}");
    let locked = restore(&folder, &to.place, None, false, &mut |_| ()).await.expect_err("no keys");
    assert!(locked.to_string().contains("--keyring"), "{locked}");
    let keyring = scratch.path().join("keyring");
    // Those of the three that are listed, and of what the service itself wrote down, if it did.
    assert!(export(&from.place, &keyring).await.expect("exported") >= 2);
    let restored = restore(&folder, &to.place, Some(&keyring), false, &mut |_| ()).await;
    let restored = restored.expect("restored");
    assert_eq!((restored.note, restored.set_aside, restored.erased), (note.clone(), None, 0));
    let copy = to.open().await;
    assert_eq!(told(&copy).await, before);
    copy.integrity().await.expect("sound");
    assert_ne!(copy.id().await.expect("reads"), log.id().await.expect("reads"));
    // It goes on with the next numbers.
    let next = copy.append(&t, &"c-9".into(), vec![started(None), ended()]).await.expect("append");
    assert_eq!(next[0].position, 11);
    post(&copy, &t, &"c-9".into(), vec![note_for("k-c-9")]).await;
    let all = copy.deliveries(&DeliveryQuery::all(t.clone())).await.expect("reads").items;
    assert_eq!(all.len(), 3);
    let third = vec![revision("a", 2, ArticleAction::Draft)];
    assert_eq!(copy.revise(&t, third, vec![]).await.expect("written")[0].position, 3);

    // In use, and then in the way.
    let busy =
        restore(&folder, &to.place, None, true, &mut |_| ()).await.expect_err("it is in use");
    assert!(busy.to_string().contains("is in use by"), "{busy}");
    copy.close().await;
    drop(copy);
    let there =
        restore(&folder, &to.place, None, false, &mut |_| ()).await.expect_err("there is one");
    assert!(there.to_string().contains("--force"), "{there}");
    let restored = restore(&folder, &to.place, None, true, &mut |_| ()).await.expect("restored");
    if let (Place::Folder(data), Some(aside)) = (&to.place, restored.set_aside) {
        assert_eq!(
            replaced(data),
            std::slice::from_ref(&aside),
            "it is told of as long as it is there"
        );
        let old = EventLog::open_to_read(&aside).await.expect("it is kept");
        assert!(old.conversation(&t, &"c-9".into()).await.expect("reads").is_some());
    }
    let copy = to.open().await;
    assert_eq!(told(&copy).await, before);
    copy.close().await;
    log.close().await;
}

fn note_for(key: &str) -> crate::domain::NewDelivery {
    note("crm", "ada", key)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_a_file_to_a_file() {
    goes_over(Home::folder().await, Home::folder().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_a_file_to_postgres() {
    goes_over(Home::folder().await, Home::database().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_postgres_to_a_file() {
    goes_over(Home::database().await, Home::folder().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_postgres_to_postgres() {
    goes_over(Home::database().await, Home::database().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_log_that_grows_is_of_one_moment() {
    for home in [Home::folder().await, Home::database().await] {
        let log = Arc::new(home.open().await);
        let writing = {
            let log = log.clone();
            tokio::spawn(async move {
                for number in 0..400 {
                    let id = ConversationId::from(format!("c-{number}"));
                    let group = vec![started(None), turn("t-1"), ended()];
                    log.append(&T.into(), &id, group).await.expect("append");
                }
            })
        };
        let scratch = tempfile::tempdir().expect("a folder");
        let mut grown = 0;
        for number in 0..3 {
            let folder = scratch.path().join(number.to_string());
            // It checks itself: sequences, rows, chains and the log's head.
            let note = backup(&home.place, &folder, &mut |_| ()).await.expect("backed up");
            assert!(note.events >= grown && note.events.is_multiple_of(3), "{note:?}");
            grown = note.events;
        }
        writing.await.expect("no panic");
        log.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_damaged_is_not_backed_up_and_not_restored() {
    let home = Home::folder().await;
    let log = home.open().await;
    filled(&log).await;
    log.close().await;
    drop(log);
    let scratch = tempfile::tempdir().expect("a folder");
    let folder = scratch.path().join("good");
    let made = backup(&home.place, &folder, &mut |_| ()).await.expect("backed up");
    assert_eq!(noted(&folder).await.expect("it is what it was"), LogHead::parse(&made.head));

    let target = Home::folder().await;
    let other = target.open().await;
    filled(&other).await;
    let before = told(&other).await;
    other.close().await;
    drop(other);
    let file = folder.join(FILE);
    let mut bytes = std::fs::read(&file).expect("reads");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, &bytes).expect("writes");
    let error =
        restore(&folder, &target.place, None, true, &mut |_| ()).await.expect_err("damaged");
    assert!(error.to_string().contains("it is damaged"), "{error}");
    let error = noted(&folder).await.expect_err("damaged");
    assert!(error.to_string().contains("isn't the file"), "{error}");
    std::fs::remove_file(folder.join(NOTE)).expect("removed");
    assert_eq!(noted(&folder).await.expect("nothing is told of it"), None);
    let error =
        restore(&folder, &target.place, None, true, &mut |_| ()).await.expect_err("not whole");
    assert!(error.to_string().contains("no whole backup"), "{error}");
    let other = target.open().await;
    assert_eq!(told(&other).await, before, "what was there still is");
    other.close().await;

    home.change("UPDATE events SET data = replace(data, 'e', 'f') WHERE position = 2").await;
    let folder = scratch.path().join("bad");
    let error = backup(&home.place, &folder, &mut |_| ()).await.expect_err("it is damaged");
    assert!(error.to_string().contains("event 2 (position 2)"), "{error}");
    assert!(!folder.exists(), "nothing is left behind");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_earlier_version_backed_up_is_restored() {
    let home = Home::folder().await;
    let log = home.open().await;
    filled(&log).await;
    let before = told(&log).await;
    let scratch = tempfile::tempdir().expect("a folder");
    let (folder, keyring) = (scratch.path().join("backup"), scratch.path().join("keyring"));
    backup(&home.place, &folder, &mut |_| ()).await.expect("backed up");
    export(&home.place, &keyring).await.expect("exported");
    log.close().await;

    // As version 5 would have made it.
    let file = folder.join(FILE);
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file);
    let mut older = Connection::Sqlite(options.connect().await.expect("opens"));
    let script = "DROP INDEX outbox_by_state; DROP INDEX outbox_by_conversation; \
        CREATE INDEX outbox_by_state ON outbox (tenant, state, position); \
        CREATE INDEX outbox_by_conversation ON outbox (tenant, conversation, position); PRAGMA user_version = 5";
    older.script(script).await.expect("made older");
    close(older).await;
    let path = folder.join(NOTE);
    let text = std::fs::read_to_string(&path).expect("reads");
    let mut note: Note = serde_json::from_str(&text).expect("a note");
    (note.bytes, note.sha256) = hashed(&file).await.expect("reads");
    std::fs::write(&path, serde_json::to_string(&note).expect("JSON")).expect("writes");

    let target = Home::folder().await;
    restore(&folder, &target.place, Some(&keyring), false, &mut |_| ()).await.expect("restored");
    let copy = target.open().await;
    assert_eq!(told(&copy).await, before);
    copy.close().await;
    let (bytes, sha256) = hashed(&file).await.expect("reads");
    assert_eq!((bytes, sha256), (note.bytes, note.sha256), "the backup stays as it is");
}

/// A word that is said in one conversation and nowhere else.
const WORD: &str = "zanzibarquagga";

async fn said(log: &EventLog, id: &str) {
    let (t, c) = (TenantId::from(T), ConversationId::from(id));
    let mut words = turn("t-1");
    if let EventBody::TurnFinal(turn) = &mut words.body {
        turn.text = Redacted::vouched(format!("It is {WORD}."));
    }
    log.append(&t, &c, vec![started(Some(WORD)), words]).await.expect("append");
    post(log, &t, &c, vec![note("crm", WORD, id)]).await;
    log.append(&t, &c, vec![ended()]).await.expect("append");
    let mut draft = revision(id, 0, ArticleAction::Draft);
    draft.provenance = [(id, WORD), ("c-other", "Something else")]
        .map(|(conversation, word)| SentenceOrigin {
            sentence: Redacted::vouched(format!("{word} for {conversation}")),
            conversation: conversation.into(),
            quotes: Vec::new(),
        })
        .into();
    log.revise(&t, vec![draft], vec![]).await.expect("written");
}

fn stands_in(file: &Path) -> bool {
    let bytes = std::fs::read(file).expect("a file");
    bytes.windows(WORD.len()).any(|piece| piece == WORD.as_bytes())
}

/// A contact is erased after the backup was made, and the backup is restored.
async fn erasure_reaches_a_backup(from: Home, to: Home) {
    let t = TenantId::from(T);
    let log = from.open().await;
    said(&log, "c-1").await;
    log.append(&t, &"c-2".into(), vec![started(None), turn("t-9"), ended()]).await.expect("append");
    log.append(&t, &"c-other".into(), vec![started(None), ended()]).await.expect("append");
    let before = log.read(&ReadQuery::all(t.clone(), 0)).await.expect("reads");
    let scratch = tempfile::tempdir().expect("a folder");
    let folder = scratch.path().join("backup");
    let note = backup(&from.place, &folder, &mut |_| ()).await.expect("backed up");
    assert!(!stands_in(&folder.join(FILE)), "what was said stands in the backup as it is");

    let erasure = Erasure {
        tenant: t.clone(),
        conversations: vec!["c-1".into()],
        reach: Reach::Whole,
        events: Vec::new(),
        at: Timestamp::now(),
    };
    let erased = log.erase(erasure, Vec::new()).await.expect("erased");
    assert_eq!((erased.backup_keys, erased.origins), (1, 1));
    let keyring = scratch.path().join("keyring");
    export(&from.place, &keyring).await.expect("exported");
    assert!(!std::fs::read_to_string(&keyring).expect("a file").contains("c-1"));

    let restored = restore(&folder, &to.place, Some(&keyring), false, &mut |_| ()).await;
    assert_eq!(restored.expect("restored").erased, 1);
    let copy = to.open().await;
    let kept = LogHead::parse(&note.head);
    let report = copy.audit(kept, |_| ()).await.expect("reads");
    assert_eq!((report.faults, report.erased), (vec![], erased.events()));
    copy.integrity().await.expect("sound");
    let events = copy.read(&ReadQuery::all(t.clone(), 0)).await.expect("reads");
    let others: Vec<_> =
        before.iter().filter(|event| event.conversation.as_str() != "c-1").cloned().collect();
    assert_eq!(events, others, "all others are there");
    let row = copy.conversation(&t, &"c-1".into()).await.expect("reads").expect("its row");
    assert!(row.erased_at.is_some() && row.parties.is_empty() && row.last_turn.is_none());
    assert!(copy.deliveries(&DeliveryQuery::all(t.clone())).await.expect("reads").items.is_empty());
    assert!(copy.due("crm", Timestamp::now(), 9).await.expect("reads").is_empty());
    let draft = copy.revision(&t, &"c-1".into(), 1).await.expect("reads").expect("it stays");
    let origins: Vec<&str> =
        draft.provenance.iter().map(|origin| origin.conversation.as_str()).collect();
    assert_eq!(origins, ["c-other"]);
    // Its next backup makes no key for what is erased.
    let again = scratch.path().join("again");
    backup(&to.place, &again, &mut |_| ()).await.expect("backed up");
    copy.close().await;
    if let Place::Folder(folder) = &to.place {
        assert!(!stands_in(&folder.join(FILE)));
    }
    log.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn erasure_reaches_a_backup_of_a_file() {
    erasure_reaches_a_backup(Home::folder().await, Home::folder().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn erasure_reaches_a_backup_of_a_database() {
    erasure_reaches_a_backup(Home::database().await, Home::database().await).await;
}

/// Writes a draft of this program that says the word, made of these conversations, and tells of it.
async fn drafted(log: &EventLog, article: &str, based_on: u32, from: &[&str]) {
    let word = Redacted::vouched(format!("It is {WORD}."));
    let mut new: NewRevision = revision(article, based_on, ArticleAction::Draft);
    (new.author, new.by) = (PROGRAM.to_owned(), PROGRAM.to_owned());
    let content = Arc::make_mut(&mut new.content);
    (content.title, content.body) = (word.clone(), word.clone());
    new.comment = Some(word.clone());
    let origin = |id: &&str| SentenceOrigin {
        sentence: word.clone(),
        conversation: (*id).into(),
        quotes: Vec::new(),
    };
    new.provenance = from.iter().map(origin).collect();
    let changed = ArticleChanged {
        article_id: new.article.clone(),
        revision: based_on + 1,
        action: new.action,
        title: word.clone(),
        by: new.by.clone(),
        comment: new.comment.clone(),
        hash: Some(crate::store::articles::codec::revision_hash(&new)),
    };
    let event = NewEvent::at(Timestamp::now(), EventBody::ArticleChanged(Box::new(changed)));
    log.revise(&T.into(), vec![new], vec![event]).await.expect("written");
}

/// What is known of articles, and how many events tell of drafts.
async fn articles(log: &EventLog) -> (String, usize) {
    let t = TenantId::from(T);
    let revisions = log.revisions_after(&t, 0).await.expect("reads");
    let rows = log.articles(&crate::store::ArticleQuery::all(t.clone())).await.expect("reads");
    let events = log.read(&ReadQuery::all(t, 0)).await.expect("reads");
    let told = events.iter().filter(|event| &*event.kind == "article.drafted").count();
    (format!("{revisions:?}\n{:?}", rows.items), told)
}

async fn drafts_go_with_what_they_rest_on(from: Home, to: Home) {
    let t = TenantId::from(T);
    let log = from.open().await;
    for id in ["c-1", "c-2"] {
        let group = vec![started(None), turn(&format!("t-{id}")), ended()];
        log.append(&t, &id.into(), group).await.expect("append");
    }
    drafted(&log, "calls/b", 0, &["c-2"]).await;
    log.revise(&t, vec![revision("in-force", 0, ArticleAction::Publish)], vec![])
        .await
        .expect("written");
    let (left, _) = articles(&log).await;
    drafted(&log, "calls/a", 0, &["c-1", "c-2"]).await;
    drafted(&log, "calls/a", 1, &["c-2"]).await;
    drafted(&log, "in-force", 1, &["c-1"]).await;
    let before = articles(&log).await;
    assert_eq!(before.1, 4);
    let scratch = tempfile::tempdir().expect("a folder");
    let (folder, keyring) = (scratch.path().join("backup"), scratch.path().join("keyring"));
    backup(&from.place, &folder, &mut |_| ()).await.expect("backed up");
    assert!(!stands_in(&folder.join(FILE)), "a draft stands in the backup as it is");
    export(&from.place, &keyring).await.expect("exported");
    let whole = Home::folder().await;
    restore(&folder, &whole.place, Some(&keyring), false, &mut |_| ()).await.expect("restored");
    let copy = whole.open().await;
    assert_eq!(articles(&copy).await, before);
    assert_eq!(copy.audit(None, |_| ()).await.expect("reads").faults, []);
    copy.close().await;

    let erasure = Erasure {
        tenant: t.clone(),
        conversations: vec!["c-1".into()],
        reach: Reach::Whole,
        events: Vec::new(),
        at: Timestamp::now(),
    };
    log.erase(erasure, Vec::new()).await.expect("erased");
    export(&from.place, &keyring).await.expect("exported");
    let restored = restore(&folder, &to.place, Some(&keyring), false, &mut |_| ()).await;
    assert_eq!(restored.expect("restored").erased, 1);
    let copy = to.open().await;
    assert_eq!(articles(&copy).await, (left, 1), "the draft that rests on the other one is left");
    assert_eq!(articles(&log).await, articles(&copy).await);
    assert_eq!(copy.audit(None, |_| ()).await.expect("reads").faults, []);
    copy.integrity().await.expect("sound");
    copy.close().await;
    log.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drafts_in_a_backup_of_a_file_go_with_what_they_rest_on() {
    drafts_go_with_what_they_rest_on(Home::folder().await, Home::database().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drafts_in_a_backup_of_a_database_go_with_what_they_rest_on() {
    drafts_go_with_what_they_rest_on(Home::database().await, Home::folder().await).await;
}

#[tokio::test]
async fn what_is_no_keyring_is_told_with_its_line() {
    let scratch = tempfile::tempdir().expect("a folder");
    let file = scratch.path().join("keyring");
    let good =
        r#"{"tenant":"t","conversation":"c","key":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}"#;
    let heading = r#"{"backchannel_keyring":1}"#;
    for (text, line) in [
        (String::new(), Some(1)),
        (good.to_owned(), Some(1)),
        (format!("{heading}\n{good}\n{{}}\n"), Some(3)),
        (format!("{heading}\n{}\n", good.replace("AAAA", "")), Some(2)),
        (format!("{heading}\n{good}\n"), None),
    ] {
        std::fs::write(&file, &text).expect("writes");
        let found = match Keyring::read(&file).await {
            Err(BackupError::NoKeyring { line, .. }) => Some(line),
            Err(error) => panic!("{error}"),
            Ok(keys) => {
                assert_eq!(keys.len(), 1);
                None
            }
        };
        assert_eq!(found, line, "{text}");
    }
}

#[tokio::test]
async fn every_table_is_in_a_backup() {
    use sqlx::Row as _;
    use sqlx::sqlite::SqliteConnectOptions;

    let home = Home::folder().await;
    home.open().await.close().await;
    let Place::Folder(folder) = &home.place else { unreachable!("it is a folder") };
    let options = SqliteConnectOptions::new().filename(folder.join(FILE));
    let mut connection = options.connect().await.expect("opens");
    let names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let rows = sqlx::query(names).fetch_all(&mut connection).await.expect("reads");
    let mut found: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let mut known: Vec<&str> = copy::tables();
    // Without the keys: whoever has a backup must not have them.
    known.extend(["log", "probes", "backup_keys"]);
    found.sort();
    known.sort();
    assert_eq!(found, known, "a table that is new must be in `copy::TABLES` as well");

    let options: sqlx::postgres::PgConnectOptions =
        cluster::database().await.parse().expect("an address");
    EventLog::open_in(&options, crate::store::Queueing::default(), Arc::new(|_| ()))
        .await
        .expect("opens")
        .close()
        .await;
    let mut connection = options.connect().await.expect("opens");
    let names = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()";
    let rows = sqlx::query(names).fetch_all(&mut connection).await.expect("reads");
    let mut found: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    known.push("log_version");
    found.sort();
    known.sort();
    assert_eq!(found, known);
}
