//! What is erased from the log is nowhere at the router any more, and nothing else is lost with it.

use super::*;
use crate::store::erasure::{Erasure, Reach};

/// Nobody else says it.
const WORD: &str = "zanzibarquagga";
const ITEM: &str = "i-c-1";

async fn erase(log: &SqliteStore) {
    let erasure = Erasure {
        tenant: "t".into(),
        conversations: vec!["c-1".into()],
        reach: Reach::Whole,
        events: Vec::new(),
        at: Timestamp::now(),
    };
    log.erase(erasure, Vec::new()).await.expect("erased");
}

fn about(conversation: &str) -> WantedItem {
    WantedItem {
        id: "i-1".into(),
        conversation: Some(conversation.into()),
        external_id: Some(format!("case-{WORD}")),
        workstream: "calls".into(),
        attributes: [("note".to_owned(), FeatureValue::Text(WORD.to_owned()))].into(),
        intents: Vec::new(),
        preferred: Vec::new(),
    }
}

impl House {
    async fn is_known(&self) -> bool {
        self.desk.item(&"t".into(), &ITEM.into()).await.expect("asked").is_some()
    }

    async fn decided(&self) -> String {
        let decisions = self.desk.decisions(&"t".into(), None, 100).await;
        format!("{:?}", decisions.expect("asked"))
    }

    /// A call that is over, whose wrap-up Emma has; and somebody who waits for her.
    async fn with_a_call(folder: &Path) -> Self {
        let house = Self::open(folder, Some(PLAN)).await;
        house.append("c-1", vec![started(vec![])]).await;
        house.until(ITEM, |item| item.queue.is_some()).await;
        let (item, is_new) =
            house.desk.offer(&"t".into(), about("c-1"), "acd", None).await.expect("taken");
        assert_eq!((item.id.as_str(), is_new), (ITEM, false));
        house.presence("Emma", "available").await;
        house.step(ITEM, Step::Accept).await.expect("accepted");
        house.append("c-1", vec![ended()]).await;
        house.until(ITEM, |item| item.state == "wrapping_up").await;
        assert_eq!(house.offer("i-2", &[]).await.state, "waiting");
        assert!(house.decided().await.contains(WORD));
        house
    }
}

fn stands_in_file(folder: &Path) -> bool {
    let text = std::fs::read_to_string(folder.join("routing.json"));
    text.is_ok_and(|text| text.contains(WORD))
}

#[tokio::test]
async fn what_is_erased_is_forgotten_and_nobody_else_is() {
    let folder = tempfile::tempdir().expect("a folder");
    House::with_a_call(folder.path()).await.close().await;
    assert!(stands_in_file(folder.path()));
    let house = House::open(folder.path(), Some(PLAN)).await;
    house.until(ITEM, |item| item.state == "wrapping_up").await;
    erase(&house.store).await;
    house.desk.forget(&"other".into()).await.expect("it has nothing of theirs");
    assert!(house.is_known().await, "nobody has told it");
    house.desk.forget(&"t".into()).await.expect("forgotten");
    assert!(!stands_in_file(folder.path()));
    assert!(!house.is_known().await);
    assert!(!house.decided().await.contains(WORD));
    // Emma is free for whoever waited.
    let item = house.until("i-2", |item| item.state == "offered").await;
    assert_eq!(item.agent.as_deref(), Some("Emma"));
    let refused = house.desk.offer(&"t".into(), about("c-1"), "acd", None).await;
    assert_eq!(refused.expect_err("it is erased").kind, ErrorKind::Conflict);
    house.close().await;
    assert!(!stands_in_file(folder.path()));
    let house = House::open(folder.path(), Some(PLAN)).await;
    assert!(!house.is_known().await);
    assert_eq!(house.item("i-2").await.agent.as_deref(), Some("Emma"));
    house.close().await;
}

#[tokio::test]
async fn a_step_of_what_was_erased_meanwhile_is_no_fault() {
    let folder = tempfile::tempdir().expect("a folder");
    let house = House::with_a_call(folder.path()).await;
    erase(&house.store).await;
    // The desk hasn't heard of it. What follows for somebody else stands.
    house.step(ITEM, Step::Release).await.expect("nothing of it is kept");
    let kinds = house.kinds(ROUTING).await;
    assert_eq!(kinds.last().map(String::as_str), Some("route.assigned"), "{kinds:?}");
    assert!(!house.is_known().await);
    assert!(!house.decided().await.contains(WORD));
    assert!(house.kinds("c-1").await.is_empty());
    assert_eq!(house.item("i-2").await.agent.as_deref(), Some("Emma"));
    assert_eq!(house.step("i-2", Step::Accept).await.expect("accepted").state, "active");
    house.close().await;
    assert!(!stands_in_file(folder.path()));
}

#[tokio::test]
async fn what_was_erased_while_no_service_ran_is_not_served_again() {
    let folder = tempfile::tempdir().expect("a folder");
    House::with_a_call(folder.path()).await.close().await;
    let log = SqliteStore::open(folder.path(), Arc::new(|_: &[Arc<Recorded>]| ())).await;
    let log = log.expect("it opens");
    erase(&log).await;
    log.close().await;
    assert!(stands_in_file(folder.path()));
    let house = House::open(folder.path(), Some(PLAN)).await;
    assert!(!house.is_known().await);
    assert!(!stands_in_file(folder.path()));
    house.until("i-2", |item| item.state == "offered").await;
    house.close().await;
    assert!(!stands_in_file(folder.path()));
}
