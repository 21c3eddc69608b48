//! A log that takes nothing: whatever it was that failed, no item is lost, doubled or stuck.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::store::{ConversationRow, ListQuery, Page, Store, StoreError};

/// A log that refuses appends, and one where something happens while it is read.
pub(super) struct Failing {
    store: Arc<SqliteStore>,
    refuses: AtomicUsize,
    refused: AtomicUsize,
    /// Appends that end in a panic.
    panics: AtomicUsize,
    /// Conversations that begin right behind the head, whenever somebody asks for it.
    behind_head: Mutex<Vec<&'static str>>,
}

impl Failing {
    pub fn over(store: Arc<SqliteStore>) -> Self {
        Self {
            store,
            refuses: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            panics: AtomicUsize::new(0),
            behind_head: Mutex::default(),
        }
    }

    pub fn refuse(&self, appends: usize) {
        self.refuses.store(appends, Ordering::SeqCst);
    }

    pub fn begin_behind_head(&self, conversations: &[&'static str]) {
        *self.behind_head.lock().expect("nobody panicked") = conversations.to_vec();
    }
}

#[async_trait]
impl Store for Failing {
    async fn append(
        &self,
        tenant: &TenantId,
        conversation: &ConversationId,
        events: Vec<NewEvent>,
    ) -> Result<Vec<Arc<Recorded>>, StoreError> {
        let less = |left: usize| left.checked_sub(1);
        if self.refuses.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return Err(StoreError::Corrupt("a test says so".to_owned()));
        }
        if self.panics.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
            panic!("a test says so");
        }
        self.store.append(tenant, conversation, events).await
    }

    async fn read(&self, query: &ReadQuery) -> Result<Vec<Arc<Recorded>>, StoreError> {
        self.store.read(query).await
    }

    async fn head(&self) -> Result<u64, StoreError> {
        let head = self.store.head().await;
        let begins = self.behind_head.lock().expect("nobody panicked").pop();
        if let Some(id) = begins {
            let event = NewEvent::at(Timestamp::now(), started(vec![]));
            self.store.append(&"t".into(), &id.into(), vec![event]).await?;
        }
        head
    }

    async fn conversations(&self, query: &ListQuery) -> Result<Page<ConversationRow>, StoreError> {
        self.store.conversations(query).await
    }

    async fn conversation(
        &self,
        tenant: &TenantId,
        id: &ConversationId,
    ) -> Result<Option<ConversationRow>, StoreError> {
        self.store.conversation(tenant, id).await
    }

    async fn conversation_of_card(
        &self,
        tenant: &TenantId,
        card: &CardId,
    ) -> Result<Option<ConversationId>, StoreError> {
        self.store.conversation_of_card(tenant, card).await
    }

    async fn event(
        &self,
        tenant: &TenantId,
        id: &EventId,
    ) -> Result<Option<Arc<Recorded>>, StoreError> {
        self.store.event(tenant, id).await
    }

    async fn integrity(&self) -> Result<(), StoreError> {
        self.store.integrity().await
    }

    async fn close(&self) {
        self.store.close().await;
    }
}

#[tokio::test]
async fn what_could_not_be_written_never_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let house = House::open(folder.path(), Some(PLAN)).await;
    house.presence("Emma", "available").await;
    house.presence("Bo", "available").await;
    house.append("c-1", vec![started(vec![])]).await;
    house.until("i-c-1", |item| item.state == "offered").await;
    let item = house.offer("i-2", &[("intent", "refund")]).await;
    assert!(item.agent.is_some() || house.item("i-2").await.state == "waiting");
    let with = house.item("i-c-1").await.agent.expect("somebody");
    for failures in 1..4 {
        house.failing.refuse(failures);
        let refused = house.step("i-c-1", Step::Accept).await;
        assert_eq!(refused.expect_err("not written").kind, ErrorKind::Unavailable);
        // It was offered, and it is: whoever asks again has it once the log is back.
        house.failing.refuse(0);
        let item = house.item("i-c-1").await;
        assert_eq!((item.state.as_str(), item.agent.as_ref()), ("offered", Some(&with)));
    }
    assert_eq!(house.step("i-c-1", Step::Accept).await.expect("accepted").state, "active");
    // What happens while nothing can be written is found in the log: a call that ends, and one that begins.
    house.failing.refuse(2);
    assert!(house.try_offer("i-3", &[]).await.is_err(), "not written");
    house.append("c-1", vec![ended()]).await;
    house.append("c-4", vec![chat()]).await;
    house.until("i-c-1", |item| item.state == "wrapping_up").await;
    house.until("i-c-4", |item| item.queue.is_some()).await;
    house.failing.refuse(0);
    assert!(house.desk.item(&"t".into(), &"i-3".into()).await.expect("asked").is_none());
    assert_eq!(house.offer("i-3", &[]).await.state, "waiting");
    house.step("i-c-1", Step::Release).await.expect("released");
    let kinds = house.kinds("c-1").await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "route.assigned").count(), 1, "{kinds:?}");
    let all = async |house: &House| {
        let mut all = Vec::new();
        for id in ["i-2", "i-3", "i-c-4"] {
            let item = house.item(id).await;
            all.push((item.state, item.agent, item.queue));
        }
        all
    };
    let before = all(&house).await;
    house.close().await;
    let house = House::open(folder.path(), Some(PLAN)).await;
    assert_eq!(all(&house).await, before, "the log says the same");
    let agents = house.desk.agents(&"t".into()).await.expect("asked");
    assert!(agents.iter().all(|one| one.capacity[0].used <= 1), "nobody has two");
    house.close().await;
}

#[tokio::test]
async fn the_settings_plan_is_put_again_where_its_first_commit_fails() {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = Some(PLAN);
    let house = House::open_failing(folder.path(), plan, |failing| failing.refuse(2)).await;
    while house.failing.refused.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    house.append("c-1", vec![started(vec![])]).await;
    house.until("i-c-1", |item| item.queue.is_some()).await;
    assert_eq!(house.epoch().await, 1);
    let kinds = house.kinds(ROUTING).await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "route.planned").count(), 1, "{kinds:?}");
    house.close().await;
}

#[tokio::test]
async fn what_begins_while_the_log_is_read_is_heard() {
    let folder = tempfile::tempdir().expect("a folder");
    let ids = ["c-1", "c-2"];
    let tell = |failing: &Failing| failing.begin_behind_head(&ids);
    let house = House::open_failing(folder.path(), Some(PLAN), tell).await;
    for id in ids {
        house.until(&format!("i-{id}"), |item| item.queue.is_some()).await;
    }
    house.close().await;
}

#[tokio::test]
async fn a_task_that_panics_leaves_a_router_that_goes_on_from_its_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let house = House::open(folder.path(), Some(PLAN)).await;
    house.presence("Bo", "available").await;
    assert_eq!(house.offer("i-1", &[]).await.state, "offered");
    // The one that writes.
    house.failing.panics.store(1, Ordering::SeqCst);
    let refused = house.step("i-1", Step::Accept).await.expect_err("not written");
    assert_eq!(refused.kind, ErrorKind::Unavailable);
    house.until("i-1", |item| item.state == "offered").await;
    // The one that holds the desk, in the middle of something.
    let asked = house.desk.ask::<()>(|floor, _| {
        floor.desk = None;
        panic!("a test says so");
    });
    assert_eq!(asked.await.expect_err("lost").kind, ErrorKind::Unavailable);
    house.until("i-1", |item| item.state == "offered").await;
    assert_eq!(house.step("i-1", Step::Accept).await.expect("accepted").state, "active");
    house.append("c-1", vec![started(vec![])]).await;
    house.until("i-c-1", |item| item.queue.is_some()).await;
    house.close().await;
}
