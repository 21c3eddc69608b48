//! Logs as released versions left them, one file each: every later program must read them and go on.

use super::*;
use crate::store::chain::LogHead;
use crate::store::outbox::conformance::at;
use crate::store::{DeliveryQuery, Outbox as _};

const SQLITE: [&str; 6] = [
    include_str!("../golden/logs/sqlite-1.sql"),
    include_str!("../golden/logs/sqlite-2.sql"),
    include_str!("../golden/logs/sqlite-3.sql"),
    include_str!("../golden/logs/sqlite-4.sql"),
    include_str!("../golden/logs/sqlite-5.sql"),
    include_str!("../golden/logs/sqlite-6.sql"),
];
const POSTGRES: [&str; 3] = [
    include_str!("../golden/logs/postgres-1.sql"),
    include_str!("../golden/logs/postgres-2.sql"),
    include_str!("../golden/logs/postgres-3.sql"),
];

/// The head of the logs that were chained when they were written, computed outside of this program.
const HEAD: &str = "6:6a97ed9c0810f34d0ce88e7ffc4459c30baf29b0b997ef24285332bfbc227999";

/// What a version left, which wrote down so much more than the one before.
async fn goes_on(home: Home, knows_articles: bool, knows_outbox: bool, head: Option<&str>) {
    let (t, c) = (TenantId::from("t"), ConversationId::from("c-1"));
    let kept = head.map(|head| LogHead::parse(head).expect("a head"));
    let log = home.open().await;
    assert_eq!(log.orphans_ended(), 0, "a chat can go on");
    log.integrity().await.expect("sound");
    let report = log.audit(kept, |_| ()).await.expect("reads");
    assert_eq!(report.faults, []);
    let events = log.read(&ReadQuery::all(t.clone(), 0)).await.expect("reads");
    assert_eq!(events.len(), 4 + usize::from(knows_articles) + usize::from(knows_outbox));
    assert!(events[1].data.contains(r#""text":"So \"when\"?""#), "{}", events[1].data);
    let row = log.conversation(&t, &c).await.expect("reads").expect("it is there");
    assert_eq!((row.state, row.turn_count), (ConversationState::Ended, 1));
    let in_force = log.in_force(&t, None).await.expect("reads");
    assert_eq!(in_force.len(), usize::from(knows_articles));
    let due = log.due("main", at(9_000_000), 10).await.expect("reads");
    assert_eq!(due.len(), usize::from(knows_outbox));

    let next = log.append(&t, &"c-2".into(), vec![turn("t-1"), ended()]).await.expect("append");
    assert_eq!((next[0].sequence, next[0].position), (2, events.len() as u64 + 1));
    let number = u32::from(knows_articles);
    let revision = articles::conformance::revision("b/r", number, ArticleAction::Import);
    let revised = log.revise(&t, vec![revision], vec![]).await.expect("written");
    assert_eq!(revised[0].position, u64::from(knows_articles) + 1);
    outbox::conformance::post(&log, &t, &c, vec![outbox::conformance::note("main", "7", "01ff")])
        .await;
    let all = log.deliveries(&DeliveryQuery::all(t.clone())).await.expect("reads").items;
    assert_eq!(all.len(), 1 + usize::from(knows_outbox));
    log.close().await;
    drop(log);
    let log = home.open().await;
    let report = log.audit(kept, |_| ()).await.expect("reads");
    assert_eq!((report.faults, report.events), (vec![], events.len() as u64 + 3));
    log.close().await;
}

#[tokio::test]
async fn logs_of_every_version_in_sqlite() {
    for (version, golden) in (1..).zip(SQLITE) {
        let home = Home::folder().await;
        home.change(golden).await;
        goes_on(home, version >= 2, version >= 3, (version >= 4).then_some(HEAD)).await;
    }
}

#[tokio::test]
async fn logs_of_every_version_in_postgres() {
    for golden in POSTGRES {
        let home = Home::database().await;
        home.change(golden).await;
        goes_on(home, true, true, Some(HEAD)).await;
    }
}
