//! Erasure: nothing is left of what was said, and the chain holds.

use super::*;
use crate::domain::{
    ArticleAction, ArticleChanged, EventBody, NewEvent, NewRevision, PROGRAM, Redacted,
    SentenceOrigin, TurnQuote,
};
use crate::store::articles::codec::revision_hash;
use crate::store::articles::conformance::revision;
use crate::store::conformance::card;
use crate::store::erasure::{Erased, Erasure, Reach};
use crate::store::outbox::conformance::{note, post};
use crate::store::{
    ArticleLog as _, DeliveryQuery, ERASED, KindFilter, ListQuery, Outbox as _, SYSTEM,
};

on_both!(
    what_is_erased_is_gone_and_the_chain_holds,
    a_conversation_that_goes_on_is_not_erased,
    kinds_and_effects_go_by_themselves,
    what_can_go_is_found_by_its_end,
    drafts_that_nobody_reviewed_go_too,
);

const T: &str = "t";
/// Nobody else says it.
const WORD: &str = "zanzibarquagga";

fn saying(id: &str) -> NewEvent {
    let mut event = turn(id);
    if let EventBody::TurnFinal(turn) = &mut event.body {
        turn.text = Redacted::vouched(format!("It is {WORD}."));
    }
    event
}

/// A conversation whose every part says the word, and which has ended.
async fn said(log: &EventLog, id: &str) {
    let (t, c) = (TenantId::from(T), ConversationId::from(id));
    let begun = started(Some(&format!("{WORD}-{id}")));
    log.append(&t, &c, vec![begun, saying("t-1")]).await.expect("append");
    log.append(&t, &c, vec![card(&format!("k-{id}")), saying("t-2")]).await.expect("append");
    post(log, &t, &c, vec![note("crm", WORD, id)]).await;
    log.append(&t, &c, vec![ended()]).await.expect("append");
}

fn step(conversations: &[&str], reach: Reach) -> Erasure {
    Erasure {
        tenant: T.into(),
        conversations: conversations.iter().map(|id| (*id).into()).collect(),
        reach,
        events: Vec::new(),
        at: outbox::conformance::at(0),
    }
}

async fn events(log: &EventLog, with_erased: bool) -> Vec<Arc<Recorded>> {
    let query = ReadQuery { with_erased, ..ReadQuery::all(T.into(), 0) };
    log.read(&query).await.expect("reads")
}

/// How often the word stands in any file of the folder, or any row of the database.
async fn found(home: &Home) -> usize {
    match &home.place {
        Place::Folder(folder) => std::fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| std::fs::read(entry.expect("an entry").path()).expect("a file"))
            .map(|bytes| {
                bytes.windows(WORD.len()).filter(|piece| *piece == WORD.as_bytes()).count()
            })
            .sum(),
        Place::Postgres(options) => {
            let options: &PgConnectOptions = options;
            let mut connection = options.connect().await.expect("opens");
            let mut count = 0;
            for table in [
                "events",
                "conversations",
                "outbox",
                "articles",
                "article_revisions",
                "backup_keys",
            ] {
                let sql = format!("SELECT count(*) FROM {table} x WHERE x::text LIKE '%{WORD}%'");
                let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(&mut connection).await;
                count += sqlx::Row::get::<i64, _>(&row.expect("reads"), 0) as usize;
            }
            connection.close().await.expect("closed");
            count
        }
    }
}

async fn what_is_erased_is_gone_and_the_chain_holds(home: Home) {
    let t = TenantId::from(T);
    let log = home.open().await;
    said(&log, "c-1").await;
    log.append(&t, &"c-2".into(), vec![started(None), turn("t-9"), ended()]).await.expect("append");
    let kept = log.log_head().await.expect("reads");
    let before = events(&log, true).await;
    assert!(found(&home).await > 0);

    let whole = step(&["c-1"], Reach::Whole);
    let would = log.would_erase(&whole).await.expect("reads");
    let erased = log.erase(whole.clone(), Vec::new()).await.expect("erased");
    assert_eq!(erased, would, "a look beforehand tells what goes");
    assert_eq!((erased.conversations, erased.deliveries), (1, 1));
    assert_eq!(
        erased.events(),
        before.iter().filter(|e| e.conversation.as_str() == "c-1").count() as u64
    );
    log.scrub().await.expect("scrubbed");
    assert_eq!(found(&home).await, 0, "the word stands somewhere");

    // What is left: places and kinds, the other conversation, the row's times.
    let after = events(&log, true).await;
    assert_eq!(after.len(), before.len());
    for (old, new) in before.iter().zip(&after) {
        let is_other = old.conversation.as_str() == "c-2";
        let data: Arc<str> = if is_other { old.data.clone() } else { ERASED.into() };
        assert_eq!(**new, Recorded { data, ..(**old).clone() });
    }
    assert_eq!(events(&log, false).await.len(), 3, "nobody makes anything of the others");
    let erased_id = &before[0].id;
    assert!(log.event(&t, erased_id).await.expect("reads").is_none());
    let row = log.conversation(&t, &"c-1".into()).await.expect("reads").expect("its row stays");
    assert!(row.erased_at.is_some() && row.external_id.is_none() && row.last_turn.is_none());
    assert!(row.parties.is_empty() && row.attributes.is_empty());
    assert_eq!((row.turn_count, row.card_count), (2, 1));
    assert_eq!(log.deliveries(&DeliveryQuery::all(t.clone())).await.expect("reads").items, []);
    assert!(log.due("crm", jiff::Timestamp::now(), 9).await.expect("reads").is_empty());
    let by_name = ListQuery {
        tenant: t.clone(),
        state: None,
        external_id: Some(format!("{WORD}-c-1")),
        limit: 9,
        after: None,
    };
    assert!(log.conversations(&by_name).await.expect("reads").items.is_empty());

    // Again, nothing goes; and nothing comes in its place.
    assert_eq!(log.erase(whole, Vec::new()).await.expect("nothing to do"), Erased::default());
    let c = ConversationId::from("c-1");
    let late = log.append(&t, &c, vec![saying("t-late")]).await.expect_err("refused");
    assert!(matches!(late, StoreError::Erased(_)), "{late}");
    let late = vec![note("crm", WORD, "late")];
    let late = log.post(&t, &c, Vec::new(), late).await.expect_err("refused");
    assert!(matches!(late, StoreError::Erased(_)), "{late}");
    assert_eq!(found(&home).await, 0);
    log.append(&t, &"c-3".into(), vec![started(None)]).await.expect("append");
    let report = log.audit(Some(kept), |_| ()).await.expect("reads");
    assert_eq!((report.faults, report.erased), (vec![], erased.events()));
    log.integrity().await.expect("sound");
    log.close().await;
    drop(log);
    let log = home.open().await;
    assert_eq!(log.audit(Some(kept), |_| ()).await.expect("reads").faults, []);
    log.close().await;
    // One flipped byte is found all the same, in what stands and in what doesn't.
    let position = after[0].position;
    let flip = match home.place {
        Place::Folder(_) => "commitment = randomblob(32)",
        Place::Postgres(_) => {
            "commitment = set_byte(commitment, 0, (get_byte(commitment, 0) + 1) % 256)"
        }
    };
    home.change(&format!("UPDATE events SET {flip} WHERE position = {position}")).await;
    let log = home.place.open_to_read().await.expect("it can be read");
    assert_eq!(log.audit(None, |_| ()).await.expect("reads").fault_count, 1);
    log.close().await;
}

async fn a_conversation_that_goes_on_is_not_erased(home: Home) {
    let t = TenantId::from(T);
    let log = home.open().await;
    said(&log, "c-1").await;
    log.append(&t, &"c-live".into(), vec![started(None), turn("t-1")]).await.expect("append");
    let before = events(&log, true).await;
    let both = step(&["c-1", "c-live"], Reach::Whole);
    let refused = log.erase(both, Vec::new()).await.expect_err("one of them goes on");
    assert!(matches!(refused, StoreError::StillLive(_)), "{refused}");
    for nobody in ["c-none", "audit"] {
        let refused = log.erase(step(&[nobody], Reach::Whole), Vec::new()).await;
        assert!(matches!(refused, Err(StoreError::NotStarted(_))), "{refused:?}");
    }
    assert_eq!(events(&log, true).await, before, "all or nothing");
    let foreign = Erasure { tenant: "u".into(), ..step(&["c-1"], Reach::Whole) };
    assert!(log.erase(foreign, Vec::new()).await.is_err(), "another tenant has no such one");
    assert_eq!(events(&log, true).await, before);
    log.close().await;
}

async fn kinds_and_effects_go_by_themselves(home: Home) {
    let t = TenantId::from(T);
    let log = home.open().await;
    said(&log, "c-1").await;
    let cards = Reach::Kinds(KindFilter::parse("suggestion.*").expect("kinds"));
    let erased = log.erase(step(&["c-1"], cards), Vec::new()).await.expect("erased");
    assert_eq!(erased.bodies, [("suggestion.offered".to_owned(), 1)].into());
    assert_eq!((erased.conversations, erased.deliveries), (0, 0));
    let left = events(&log, false).await;
    assert!(left.iter().all(|event| !event.kind.starts_with("suggestion.")));
    assert!(
        log.conversation(&t, &"c-1".into()).await.expect("reads").expect("it").erased_at.is_none()
    );

    // One that waits isn't over.
    let effects = step(&["c-1"], Reach::Deliveries);
    assert!(log.erase(effects.clone(), Vec::new()).await.expect("nothing").is_nothing());
    home.change("UPDATE outbox SET state = 'done', remote_id = 'r-1'").await;
    assert_eq!(log.erase(effects, Vec::new()).await.expect("erased").deliveries, 1);
    assert!(log.deliveries(&DeliveryQuery::all(t.clone())).await.expect("reads").items.is_empty());

    // Single events of others, with a note in the same commit.
    let one = Erasure { events: vec![left[0].position], ..step(&[], Reach::Whole) };
    let told: Vec<NewEvent> = vec![turn("t-note")];
    assert_eq!(log.erase(one, told).await.expect("erased").events(), 1);
    assert_eq!(events(&log, false).await.len(), left.len());
    assert_eq!(log.audit(None, |_| ()).await.expect("reads").faults, []);
    log.close().await;
}

async fn what_can_go_is_found_by_its_end(home: Home) {
    let t = TenantId::from(T);
    let log = home.open().await;
    for id in ["c-1", "c-2"] {
        said(&log, id).await;
    }
    log.append(&t, &"c-live".into(), vec![started(None)]).await.expect("append");
    log.append(&"u".into(), &"c-u".into(), vec![started(None), ended()]).await.expect("append");
    assert_eq!(log.tenants().await.expect("reads"), [TenantId::from(T), "u".into()]);
    let cards = Reach::Kinds(KindFilter::parse("suggestion.*").expect("kinds"));
    let (begin, later) = (jiff::Timestamp::UNIX_EPOCH, jiff::Timestamp::MAX);
    let ended = async |reach: &Reach, limit| {
        log.ended(&t, begin, later, reach, limit).await.expect("reads").len()
    };
    assert_eq!(ended(&Reach::Whole, 9).await, 2);
    assert_eq!(ended(&Reach::Whole, 1).await, 1);
    assert_eq!(ended(&cards, 9).await, 2);
    assert_eq!(ended(&Reach::Deliveries, 9).await, 0);
    assert!(log.ended(&t, later, later, &cards, 9).await.expect("reads").is_empty());
    log.erase(step(&["c-1"], cards.clone()), Vec::new()).await.expect("erased");
    log.erase(step(&["c-2"], Reach::Whole), Vec::new()).await.expect("erased");
    assert_eq!(
        log.ended(&t, begin, later, &Reach::Whole, 9).await.expect("reads"),
        [ConversationId::from("c-1")]
    );
    assert_eq!(ended(&cards, 9).await, 0);
    log.close().await;
}

/// A revision that says the word, made of a conversation, as this program or somebody writes it.
fn made_of(article: &str, based_on: u32, by: &str, from: &str) -> NewRevision {
    let word = Redacted::vouched(format!("It is {WORD}."));
    let mut new = revision(article, based_on, ArticleAction::Draft);
    (new.author, new.by) = (by.to_owned(), by.to_owned());
    let content = Arc::make_mut(&mut new.content);
    (content.title, content.body) = (word.clone(), word.clone());
    let quote = TurnQuote { turn: "t-1".into(), quote: word.clone() };
    let origin = SentenceOrigin { sentence: word, conversation: from.into(), quotes: vec![quote] };
    new.provenance = vec![origin].into();
    new
}

fn told(new: &NewRevision) -> NewEvent {
    let changed = ArticleChanged {
        article_id: new.article.clone(),
        revision: new.based_on + 1,
        action: new.action,
        title: new.content.title.clone(),
        by: new.by.clone(),
        comment: None,
        hash: Some(revision_hash(new)),
    };
    NewEvent::at(jiff::Timestamp::now(), EventBody::ArticleChanged(Box::new(changed)))
}

async fn drafts_that_nobody_reviewed_go_too(home: Home) {
    let t = TenantId::from(T);
    let log = home.open().await;
    said(&log, "c-1").await;
    log.append(&t, &"c-2".into(), vec![started(None), turn("t-9"), ended()]).await.expect("append");
    let write = async |new: NewRevision| {
        let event = told(&new);
        log.revise(&t, vec![new], vec![event]).await
    };
    // One that is new and was drafted better once, a change of one in force, and one of another conversation.
    write(made_of("calls/a", 0, PROGRAM, "c-1")).await.expect("written");
    write(made_of("calls/a", 1, PROGRAM, "c-1")).await.expect("written");
    write(revision("in-force", 0, ArticleAction::Publish)).await.expect("written");
    let before = log.article(&t, &"in-force".into()).await.expect("reads");
    write(made_of("in-force", 1, PROGRAM, "c-1")).await.expect("written");
    let other = NewRevision {
        content: revision("x", 0, ArticleAction::Draft).content,
        ..made_of("calls/b", 0, PROGRAM, "c-2")
    };
    write(other).await.expect("written");
    let kept = log.log_head().await.expect("reads");
    let count = events(&log, true).await.len();

    let whole = step(&["c-1"], Reach::Whole);
    let would = log.would_erase(&whole).await.expect("reads");
    let erased = log.erase(whole, Vec::new()).await.expect("erased");
    assert_eq!(erased, would, "a look beforehand tells what goes");
    assert_eq!((erased.revisions, erased.origins), (3, 0));
    assert_eq!(erased.drafts, ["calls/a".to_owned(), "in-force".to_owned()].into());
    assert_eq!(erased.bodies.get("article.drafted"), Some(&3));
    log.scrub().await.expect("scrubbed");
    // The other one's quote.
    let left = log.revision(&t, &"calls/b".into(), 1).await.expect("reads").expect("it stays");
    assert_eq!(left.provenance.len(), 1);
    log.erase(step(&["c-2"], Reach::Whole), Vec::new()).await.expect("erased");
    log.scrub().await.expect("scrubbed");
    assert_eq!(found(&home).await, 0, "the word stands somewhere");

    assert_eq!(log.article(&t, &"calls/a".into()).await.expect("reads"), None);
    assert!(log.history(&t, &"calls/a".into()).await.expect("reads").is_empty());
    assert_eq!(log.article(&t, &"in-force".into()).await.expect("reads"), before);
    assert_eq!(log.in_force(&t, None).await.expect("reads").len(), 1);
    assert_eq!(events(&log, true).await.len(), count);
    assert_eq!(log.audit(Some(kept), |_| ()).await.expect("reads").faults, []);
    log.integrity().await.expect("sound");

    // Who was about to write one of it comes too late, and what people wrote stays.
    let late = write(made_of("calls/a", 0, PROGRAM, "c-1")).await.expect_err("refused");
    assert!(matches!(&late, StoreError::Erased(id) if id.as_str() == "c-1"), "{late}");
    said(&log, "c-3").await;
    write(made_of("by-ada", 0, "Ada", "c-3")).await.expect("written");
    let mut sent = made_of("calls/c", 0, PROGRAM, "c-3");
    write(sent.clone()).await.expect("written");
    (sent.based_on, sent.action, sent.by) = (1, ArticleAction::Submit, "Ada".to_owned());
    write(sent).await.expect("written");
    let erased = log.erase(step(&["c-3"], Reach::Whole), Vec::new()).await.expect("erased");
    assert_eq!((erased.revisions, erased.origins), (0, 3));
    assert_eq!(erased.articles, ["by-ada".to_owned(), "calls/c".to_owned()].into());
    let told = events(&log, false).await;
    assert_eq!(told.iter().filter(|event| event.conversation.as_str() == SYSTEM).count(), 4);
    log.close().await;
}
