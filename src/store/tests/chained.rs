//! The hash chain: whatever is changed past the store is found and named.

use super::*;
use crate::store::chain::{Fault, LogHead, Report};

on_both!(
    an_untouched_log_holds,
    one_changed_byte_is_found_wherever_it_is,
    what_is_missing_is_found,
    an_end_that_was_cut_off_is_found_at_the_start_and_against_a_kept_head,
    a_row_that_was_set_back_is_found,
    a_row_that_says_something_else_is_found,
    an_erased_body_leaves_the_chain_whole,
);

const T: &str = "t";

/// Three conversations, closed; `c-1` has six events.
async fn filled(home: &Home) -> LogHead {
    let store = home.open().await;
    let t = TenantId::from(T);
    for id in ["c-1", "c-2", "c-3"] {
        let id = ConversationId::from(id);
        store.append(&t, &id, vec![started(None), turn("t-1")]).await.expect("append");
        store.append(&t, &id, vec![turn("t-2"), turn("t-3"), turn("t-4")]).await.expect("append");
        store.append(&t, &id, vec![ended()]).await.expect("append");
    }
    let report = store.audit(None, |_| ()).await.expect("reads");
    store.close().await;
    report.head
}

async fn audited(home: &Home, kept: Option<LogHead>) -> Report {
    let store = home.place.open_to_read().await.expect("it can be read");
    let report = store.audit(kept, |_| ()).await.expect("it can be read");
    store.close().await;
    report
}

fn altered(conversation: &str, sequence: u64, position: u64) -> Fault {
    Fault::Altered { tenant: T.into(), conversation: conversation.into(), sequence, position }
}

async fn an_untouched_log_holds(home: Home) {
    let head = filled(&home).await;
    let report = audited(&home, Some(head)).await;
    assert_eq!(report.faults, []);
    assert_eq!((report.events, report.conversations, report.erased), (18, 3, 0));
    assert_eq!(report.head, head);
    assert_eq!(LogHead::parse(&head.to_string()), Some(head));
    // It grows, also over a start, and the kept head stays one that it had.
    let store = home.open().await;
    let c = ConversationId::from("c-4");
    store.append(&T.into(), &c, vec![started(None), ended()]).await.expect("append");
    let report = store.audit(Some(head), |_| ()).await.expect("reads");
    assert_eq!((report.faults, report.events), (vec![], 20));
}

async fn one_changed_byte_is_found_wherever_it_is(home: Home) {
    filled(&home).await;
    let columns = ["id", "kind", "schema", "data"];
    for column in columns {
        let flip = |from: char, to: char| {
            format!(
                "UPDATE events SET {column} = replace({column}, '{from}', '{to}') WHERE position = 9"
            )
        };
        // A letter that each of them has and no other column gets.
        home.change(&flip('a', '\u{1}')).await;
        home.change(&flip('e', '\u{2}')).await;
        home.change(&flip('0', '\u{3}')).await;
        let report = audited(&home, None).await;
        assert_eq!(report.faults, [altered("c-2", 3, 9)], "{column}");
        for (from, to) in [('a', '\u{1}'), ('e', '\u{2}'), ('0', '\u{3}')] {
            home.change(&flip(to, from)).await;
        }
        assert_eq!(audited(&home, None).await.faults, []);
    }
    home.change("UPDATE events SET time = time + 1 WHERE position = 9").await;
    assert_eq!(audited(&home, None).await.faults, [altered("c-2", 3, 9)]);
    home.change("UPDATE events SET time = time - 1 WHERE position = 9").await;
    // Whoever changes what stands beside an event as well breaks what follows, and the log's head.
    let zeros = match home.place {
        Place::Folder(_) => "zeroblob(32)",
        Place::Postgres(_) => "decode(repeat('00', 32), 'hex')",
    };
    home.change(&format!("UPDATE events SET chain = {zeros} WHERE position = 9")).await;
    let report = audited(&home, None).await;
    assert_eq!(report.faults[..2], [altered("c-2", 3, 9), altered("c-2", 4, 10)]);
    assert!(matches!(report.faults[2], Fault::LogCut { .. }));
}

async fn what_is_missing_is_found(home: Home) {
    filled(&home).await;
    home.change("DELETE FROM events WHERE position = 9").await;
    let report = audited(&home, None).await;
    let gone =
        Fault::Missing { tenant: T.into(), conversation: "c-2".into(), sequence: 3, next: 4 };
    assert_eq!(report.faults[0], gone);
    assert!(matches!(report.faults[1], Fault::LogCut { .. }), "{:?}", report.faults);
    assert_eq!(report.faults.len(), 2);
}

async fn an_end_that_was_cut_off_is_found_at_the_start_and_against_a_kept_head(home: Home) {
    let head = filled(&home).await;
    // Only the events.
    home.change("DELETE FROM events WHERE position > 16").await;
    let report = audited(&home, None).await;
    let cut = Fault::Cut { tenant: T.into(), conversation: "c-3".into(), stands: 4, kept: 6 };
    assert!(report.faults.contains(&cut), "{:?}", report.faults);
    let error = home.refused().await;
    assert!(matches!(error, StoreError::Corrupt(_)), "{error}");
    assert!(error.to_string().contains("18 was the last one written"), "{error}");
    assert!(error.to_string().contains("backchannel restore"), "{error}");
    // And everything that the log itself knows of them, to the last byte: only a head from elsewhere can tell.
    let shorter = report.head;
    let seal: String = shorter.to_string().split(':').nth(1).expect("a seal").to_owned();
    let bytes = |hex: &str| match home.place {
        Place::Folder(_) => format!("x'{hex}'"),
        Place::Postgres(_) => format!("decode('{hex}', 'hex')"),
    };
    home.change(&format!("UPDATE log SET position = 16, seal = {}", bytes(&seal))).await;
    home.change(
        "UPDATE conversations SET last_sequence = 4, last_position = 16, chain = \
         (SELECT chain FROM events WHERE position = 16), state = 'live', \
         last_turn = replace(last_turn, 't-4', 't-3') WHERE id = 'c-3'",
    )
    .await;
    assert_eq!(audited(&home, None).await.faults, []);
    assert_eq!(audited(&home, Some(shorter)).await.faults, []);
    assert_eq!(audited(&home, Some(head)).await.faults, [Fault::OtherHistory { kept: head }]);
}

async fn a_row_that_was_set_back_is_found(home: Home) {
    filled(&home).await;
    home.change("UPDATE conversations SET last_sequence = 5 WHERE id = 'c-2'").await;
    let cut = Fault::Cut { tenant: T.into(), conversation: "c-2".into(), stands: 6, kept: 5 };
    assert_eq!(audited(&home, None).await.faults, [cut]);
    home.change("DELETE FROM conversations WHERE id = 'c-2'").await;
    let cut = Fault::Cut { tenant: T.into(), conversation: "c-2".into(), stands: 6, kept: 0 };
    assert_eq!(audited(&home, None).await.faults, [cut]);
}

async fn a_row_that_says_something_else_is_found(home: Home) {
    filled(&home).await;
    for (column, from, to) in [
        ("last_turn", "number", "numbes"),
        ("last_turn", "t-4", "t-3"),
        ("parties", "p-1", "p-9"),
        ("attributes", "{", "{ \"a\": \"b\", "),
        ("attributes", "{", "["),
    ] {
        let change = |from: &str, to: &str| {
            format!(
                "UPDATE conversations SET {column} = replace({column}, '{from}', '{to}') WHERE id = 'c-2'"
            )
        };
        home.change(&change(from, to)).await;
        let faults = audited(&home, None).await.faults;
        assert!(
            matches!(&faults[..], [Fault::Row { conversation, .. }] if conversation.as_str() == "c-2"),
            "{column}: {faults:?}"
        );
        home.change(&change(to, from)).await;
        assert_eq!(audited(&home, None).await.faults, [], "{column}");
    }
}

#[tokio::test]
async fn what_is_no_text_any_more_is_named_and_panics_nowhere() {
    let home = Home::folder().await;
    filled(&home).await;
    home.change("UPDATE events SET data = CAST(x'ff00' AS TEXT) WHERE position = 9").await;
    let faults = audited(&home, None).await.faults;
    let named = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    assert!(named.contains("damaged: ") && named.contains("data of row 9"), "{named}");
}

async fn an_erased_body_leaves_the_chain_whole(home: Home) {
    let head = filled(&home).await;
    let store = home.place.open_to_read().await.expect("it can be read");
    let linked = store.reader().linked(8, 9).await.expect("reads").remove(0);
    store.close().await;
    let kept: String =
        linked.body().expect("a body").iter().map(|byte| format!("{byte:02x}")).collect();
    let kept = match home.place {
        Place::Folder(_) => format!("x'{kept}'"),
        Place::Postgres(_) => format!("decode('{kept}', 'hex')"),
    };
    home.change(&format!(
        "UPDATE events SET data = '', salt = NULL, commitment = {kept} WHERE position = 9"
    ))
    .await;
    let report = audited(&home, Some(head)).await;
    assert_eq!((report.faults, report.erased), (vec![], 1));
    // Not what stood there: the commitment is of something else.
    home.change("UPDATE events SET data = '{}' WHERE position = 9").await;
    assert_eq!(audited(&home, None).await.faults, [altered("c-2", 3, 9)]);
}
