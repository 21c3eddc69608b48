//! The file by itself.

use super::*;
use crate::domain::CardId;

const MEANING: &str = "meaning";

fn question(position: u64, conversation: &str, gap: u64) -> QuestionRow {
    QuestionRow {
        position,
        conversation: conversation.into(),
        key: format!("turn:t-{position}"),
        turn: Some("t-1".into()),
        time: Timestamp::from_millisecond(position as i64 * 1_000).expect("a time"),
        reason: GapReason::Abstained,
        text: Redacted::vouched(format!("question {position}")),
        context: None,
        is_answered: false,
        gap: Some(gap),
        is_counted: true,
        vector: vec![0.6, -0.8],
    }
}

fn gap(first: u64) -> KeptGap {
    KeptGap {
        first,
        id: format!("g-{first}"),
        count: 1,
        sum: vec![0.6, -0.8],
        medoid: first,
        medoid_vector: vec![0.6, -0.8],
    }
}

/// Two gaps: one short call asked twice about 1, two long ones about 3.
async fn filled(folder: &Path) -> GapFile {
    let (file, tenant) = (GapFile::open(folder).await.expect("opens"), TenantId::from("t"));
    let mut step = file.step().await.expect("a step");
    for (position, conversation, first) in
        [(1, "c-1", 1), (2, "c-1", 1), (3, "c-2", 3), (4, "c-3", 3)]
    {
        step.save_question(&tenant, &question(position, conversation, first)).await.expect("saved");
        step.save_gap(&tenant, &gap(first)).await.expect("saved");
    }
    for (conversation, duration_ms) in [("c-1", 60_000), ("c-2", 300_000)] {
        step.ended(&tenant, &conversation.into(), duration_ms).await.expect("saved");
    }
    step.commit(&tenant, 9, MEANING).await.expect("committed");
    file
}

fn all(after: Option<String>, limit: usize) -> GapQuery {
    GapQuery { tenant: "t".into(), since: None, limit, after }
}

#[tokio::test]
async fn what_costs_most_comes_first_and_pages_go_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = filled(folder.path()).await;
    let page = file.list(&all(None, 1)).await.expect("lists");
    let dearest = &page.items[0];
    // Of its two calls one is over: the other is taken to be as long.
    assert_eq!((dearest.id.as_str(), dearest.ended, dearest.cost_ms), ("g-3", 1, 600_000));
    let rest = file.list(&all(page.next, 5)).await.expect("lists");
    assert_eq!((rest.items.len(), rest.next), (1, None));
    let cheaper = &rest.items[0];
    assert_eq!((cheaper.questions, cheaper.conversations, cheaper.cost_ms), (2, 1, 60_000));
    assert!(matches!(file.list(&all(Some("x".into()), 5)).await, Err(StoreError::BadCursor(_))));
    let late = GapQuery { since: Timestamp::from_second(4).ok(), ..all(None, 5) };
    let late = file.list(&late).await.expect("lists").items;
    assert_eq!((late.len(), late[0].questions), (1, 1));
    let other = GapQuery { tenant: "other".into(), ..all(None, 5) };
    assert!(file.list(&other).await.expect("lists").items.is_empty());
}

#[tokio::test]
async fn a_question_that_was_answered_costs_nothing_and_counts_as_answered() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, tenant) = (filled(folder.path()).await, TenantId::from("t"));
    let mut step = file.step().await.expect("a step");
    let mut row =
        step.question(&tenant, &"c-3".into(), "turn:t-4").await.expect("read").expect("is");
    assert_eq!(row, question(4, "c-3", 3));
    row.is_answered = true;
    step.save_question(&tenant, &row).await.expect("saved");
    step.commit(&tenant, 10, MEANING).await.expect("committed");
    let row = file.gap(&tenant, "g-3").await.expect("read").expect("is");
    assert_eq!((row.questions, row.cost_ms), (1, 300_000));
    let since = file.asked_since(3, Timestamp::UNIX_EPOCH).await.expect("read");
    assert_eq!(since, Since { asked: 2, answered: 1 });
    assert_eq!(file.samples(3, None, 5).await.expect("read").len(), 1);
    assert_eq!(file.samples(1, None, 1).await.expect("read")[0].text.as_str(), "question 2");
}

#[tokio::test]
async fn a_step_that_is_dropped_leaves_nothing_and_another_likeness_begins_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, tenant) = (filled(folder.path()).await, TenantId::from("t"));
    let mut step = file.step().await.expect("a step");
    let card = CardId::from("k-1");
    step.save_card(&tenant, &card, &"c-1".into(), "turn:t-1", "shown").await.expect("saved");
    drop(step);
    let mut step = file.step().await.expect("a step");
    assert_eq!(step.card(&tenant, &card).await.expect("read"), None);
    drop(step);
    file.close().await;

    let file = GapFile::open(folder.path()).await.expect("opens");
    assert_eq!(file.resume(&tenant, MEANING).await.expect("read"), 9);
    let kept = file.gaps(&tenant).await.expect("read");
    assert_eq!(kept, [gap(1), gap(3)]);
    assert_eq!(file.resume(&tenant, "words").await.expect("read"), 0);
    assert!(file.gaps(&tenant).await.expect("read").is_empty());
}

#[tokio::test]
async fn a_file_that_is_damaged_or_of_another_version_is_made_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(FILE), b"no database, and longer than its head is".repeat(9))
        .expect("written");
    let file = filled(folder.path()).await;
    sqlx::raw_sql("PRAGMA user_version = 99").execute(&file.pool).await.expect("set");
    file.close().await;
    let file = GapFile::open(folder.path()).await.expect("opens");
    assert!(file.gaps(&"t".into()).await.expect("read").is_empty());
}
