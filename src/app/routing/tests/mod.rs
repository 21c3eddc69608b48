//! The router over a real log: what it does, what it tells, and what is left of it after a restart.

mod before;
mod bots;
mod days;
mod erased;
mod lost;
mod people;
mod plan;
mod shadow;
mod time;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use self::lost::Failing;
use super::*;
use crate::bus::{MemoryBus, Signal};
use crate::connect::destination::{DeliveryError, Destination, RemoteId};
use crate::domain::*;
use crate::serve::{
    NewPlan, PlanForm, PlanRefusal, RoutingDoor, Step, Target, WantedItem, WorkItem,
};
use crate::store::{KindFilter, ROUTING, ReadQuery, SqliteStore};

const PLAN: &str = r#"
mode = "active"
[[profiles]]
name = "call"
limit = 1
[[queues]]
name = "billing"
channel = "voice"
priority = 10
method = "context"
[[queues]]
name = "general"
channel = "voice"
[[agents]]
name = "Emma"
queues = ["billing", "general"]
profiles = [{ profile = "call" }]
[[agents]]
name = "Bo"
queues = ["general"]
profiles = [{ profile = "call" }]
[[workstreams]]
name = "calls"
channel = "voice"
fallback_queue = "general"
profiles = ["call"]
[[workstreams.routes]]
name = "money"
queue = "billing"
when = { attribute = "intent", is = "refund" }
"#;

/// A router of the company's own, which keeps what it is told.
#[derive(Default)]
struct Theirs(Mutex<Vec<(DedupeKey, Recommendation)>>);

#[async_trait]
impl Destination for Theirs {
    fn name(&self) -> &str {
        "theirs"
    }

    async fn deliver(&self, effect: &Effect, key: &DedupeKey) -> Result<RemoteId, DeliveryError> {
        let Effect::Recommend(told) = effect else {
            return Err(DeliveryError::Unsupported("take anything but recommendations"));
        };
        self.0.lock().expect("nobody panicked").push((key.clone(), (**told).clone()));
        Ok(RemoteId(told.external_id.clone()))
    }

    async fn delivered(
        &self,
        _: &Effect,
        key: &DedupeKey,
    ) -> Result<Option<RemoteId>, DeliveryError> {
        let told = self.0.lock().expect("nobody panicked");
        let found = told.iter().find(|(known, _)| known == key);
        Ok(found.map(|(_, told)| RemoteId(told.external_id.clone())))
    }
}

struct House {
    desk: RoutingDesk,
    store: Arc<SqliteStore>,
    /// As the router sees it.
    failing: Arc<Failing>,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl House {
    async fn open(folder: &Path, plan: Option<&str>) -> Self {
        Self::open_beside(folder, plan, None).await
    }

    /// Its log fails as it is told beforehand.
    async fn open_failing(folder: &Path, plan: Option<&str>, tell: impl FnOnce(&Failing)) -> Self {
        Self::made(folder, plan, None, tell).await
    }

    /// Beside a router that is told.
    async fn open_beside(folder: &Path, plan: Option<&str>, router: Option<Arc<Theirs>>) -> Self {
        Self::made(folder, plan, router, |_| ()).await
    }

    async fn made(
        folder: &Path,
        plan: Option<&str>,
        router: Option<Arc<Theirs>>,
        tell: impl FnOnce(&Failing),
    ) -> Self {
        let bus: Arc<dyn Bus> = Arc::new(MemoryBus::new(1_024));
        let to_bus = Arc::clone(&bus);
        let hook = Arc::new(move |events: &[Arc<Recorded>]| {
            events.iter().for_each(|event| to_bus.publish(Signal::Event(Arc::clone(event))));
        });
        let store = Arc::new(SqliteStore::open(folder, hook).await.expect("it opens"));
        let failing = Arc::new(Failing::over(Arc::clone(&store)));
        tell(&failing);
        let stop = CancellationToken::new();
        let text =
            |text: &str| PlanText { form: crate::domain::PlanForm::Toml, text: text.to_owned() };
        let settings = RoutingSettings {
            plan: plan.map(text),
            workstreams: ["voice", "chat"].map(|one| (one.to_owned(), "calls".to_owned())).into(),
            escalated_by: vec!["gives_up".into()],
            router: router.map(|destination| Told {
                system: "webhook",
                destination,
                callback: None,
                id_attribute: Some("task".to_owned()),
            }),
            agents: [("Emma".to_owned(), "WK1".to_owned())].into(),
            public_url: Some("https://copilot.example.test".to_owned()),
            ..RoutingSettings::default()
        };
        let around = RoutingSurroundings {
            tenant: "t".into(),
            folder: folder.to_owned(),
            store: failing.clone(),
            outbox: store.clone(),
            bus,
            stop: stop.clone(),
        };
        let (desk, tasks) = RoutingDesk::start(settings, around);
        Self { desk, store, failing, stop, tasks }
    }

    async fn close(self) {
        self.stop.cancel();
        for task in self.tasks {
            task.await.expect("no panic");
        }
        self.store.close().await;
    }

    async fn offer(&self, id: &str, attributes: &[(&str, &str)]) -> WorkItem {
        self.try_offer(id, attributes).await.expect("taken").0
    }

    async fn try_offer(
        &self,
        id: &str,
        attributes: &[(&str, &str)],
    ) -> Result<(WorkItem, bool), Failure> {
        let text = |(name, value): &(&str, &str)| {
            ((*name).to_owned(), FeatureValue::Text((*value).to_owned()))
        };
        let item = WantedItem {
            id: id.into(),
            conversation: None,
            external_id: Some(format!("WT-{id}")),
            workstream: "calls".into(),
            attributes: attributes.iter().map(text).collect(),
            intents: Vec::new(),
            preferred: Vec::new(),
        };
        self.desk.offer(&"t".into(), item, "acd", None).await
    }

    async fn presence(&self, agent: &str, presence: &str) {
        let set = self.desk.set_presence(&"t".into(), agent, presence, agent).await;
        assert_eq!(set.expect("set").presence, presence);
    }

    async fn step(&self, id: &str, step: Step) -> Result<WorkItem, Failure> {
        self.desk.step(&"t".into(), &id.into(), step, "Sue", None).await
    }

    async fn item(&self, id: &str) -> WorkItem {
        self.desk.item(&"t".into(), &id.into()).await.expect("asked").expect("it is there")
    }

    async fn put(&self, text: &str, expected: Option<u64>) -> Result<u64, PlanRefusal> {
        let new = NewPlan { form: PlanForm::Toml, text: text.to_owned() };
        let put = self.desk.replace_plan(&"t".into(), new, expected, "Sue").await;
        put.map(|plan| plan.epoch)
    }

    async fn append(&self, id: &str, bodies: Vec<EventBody>) {
        let events = bodies.into_iter().map(|body| NewEvent::at(Timestamp::now(), body));
        self.store.append(&"t".into(), &id.into(), events.collect()).await.expect("written");
    }

    async fn epoch(&self) -> u64 {
        let plan = self.desk.plan(&"t".into()).await.expect("asked");
        plan.expect("it stands").epoch
    }

    /// Until it is so: what conversations tell comes by itself.
    async fn until(&self, id: &str, is_so: impl Fn(&WorkItem) -> bool) -> WorkItem {
        for _ in 0..1_000 {
            // A log that fails is no answer.
            if let Ok(Some(item)) = self.desk.item(&"t".into(), &id.into()).await
                && is_so(&item)
            {
                return item;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it never was so: {:?}", self.desk.item(&"t".into(), &id.into()).await);
    }

    async fn last(&self, stream: &str, kind: &'static str) -> serde_json::Value {
        let mut query = ReadQuery::all("t".into(), 0).of(stream.into());
        query.kinds = KindFilter::exactly(kind);
        let events = self.store.read(&query).await.expect("read");
        serde_json::from_str(&events.last().expect("one").data).expect("it is JSON")
    }

    async fn kinds(&self, stream: &str) -> Vec<String> {
        let mut query = ReadQuery::all("t".into(), 0).of(stream.into());
        query.kinds = KindFilter::parse("route.*").expect("it reads");
        let events = self.store.read(&query).await.expect("read");
        events.iter().map(|event| event.kind.to_string()).collect()
    }
}

fn started(parties: Vec<Party>) -> EventBody {
    EventBody::ConversationStarted(ConversationStarted {
        channel: Channel::Voice,
        direction: Direction::Inbound,
        external_id: Some("CA1".into()),
        parties,
        attributes: BTreeMap::new(),
    })
}

fn chat() -> EventBody {
    EventBody::ConversationStarted(ConversationStarted {
        channel: Channel::Chat,
        direction: Direction::Inbound,
        external_id: None,
        parties: Vec::new(),
        attributes: BTreeMap::new(),
    })
}

fn joined(name: Option<&str>) -> EventBody {
    let party = Party { id: "p-2".into(), role: Role::Agent, name: name.map(Into::into) };
    let codec = "mulaw".to_owned();
    EventBody::AudioStarted(AudioStarted { party, codec, sample_rate_hz: 8_000 })
}

fn ended() -> EventBody {
    EventBody::ConversationEnded(ConversationEnded {
        reason: EndReason::Hangup,
        duration_ms: 1_000,
    })
}

fn refund() -> EventBody {
    let ranked = vec![Intent { label: "refund".into(), probability: 0.9 }];
    let seen = IntentSeen { ranked, abstained: false };
    EventBody::IntentSeen(Box::new(TurnIntent { turn_id: "t-1".into(), seen }))
}

#[tokio::test]
async fn without_a_plan_nothing_is_routed() {
    let folder = tempfile::tempdir().expect("a folder");
    let house = House::open(folder.path(), None).await;
    house.append("c-1", vec![started(vec![]), refund(), ended()]).await;
    assert!(house.desk.plan(&"t".into()).await.expect("asked").is_none());
    assert!(house.desk.queues(&"t".into()).await.expect("asked").is_empty());
    let refused = house.desk.set_presence(&"t".into(), "Emma", "available", "Emma").await;
    assert_eq!(refused.expect_err("refused").kind, ErrorKind::Conflict);
    assert!(house.kinds("c-1").await.is_empty());
    house.close().await;
}

#[tokio::test]
async fn an_item_goes_its_way_and_each_step_is_an_event() {
    let folder = tempfile::tempdir().expect("a folder");
    let house = House::open(folder.path(), Some(PLAN)).await;
    let item = house.offer("i-1", &[("intent", "refund")]).await;
    assert_eq!((item.state.as_str(), item.queue.as_deref()), ("waiting", Some("billing")));
    let queued = house.last(ROUTING, "route.queued").await;
    assert_eq!(
        queued["routes_matched"],
        serde_json::json!([{"route": "money", "queue": "billing"}])
    );
    assert_eq!(queued["profiles"], serde_json::json!(["call"]));
    house.presence("Emma", "available").await;
    let item = house.item("i-1").await;
    assert_eq!((item.state.as_str(), item.agent.as_deref()), ("offered", Some("Emma")));
    let id = DecisionId::from(item.decision_id.expect("decided"));
    let decision = house.desk.decision(&"t".into(), &id).await.expect("asked").expect("kept");
    assert_eq!(decision.chosen.map(|one| one.agent).as_deref(), Some("Emma"));
    assert_eq!(house.step("i-1", Step::Accept).await.expect("accepted").state, "active");
    assert_eq!(house.step("i-1", Step::Accept).await.expect("again").state, "active");
    let again = house.offer("i-1", &[("tier", "gold")]).await;
    assert_eq!((again.state.as_str(), again.arrived_ms), ("active", item.arrived_ms));
    assert_eq!(house.step("i-1", Step::End).await.expect("ended").state, "wrapping_up");
    assert_eq!(house.step("i-1", Step::Release).await.expect("released").state, "ended");
    assert_eq!(house.step("i-1", Step::Release).await.expect("again").state, "ended");
    assert!(house.step("i-1", Step::Decline).await.is_err(), "it is over");
    assert!(house.step("i-9", Step::End).await.is_err(), "nobody knows it");
    assert_eq!(
        house.kinds(ROUTING).await,
        [
            "route.planned",
            "route.offered",
            "route.queued",
            // Nobody is there.
            "route.recommended",
            "route.presence",
            "route.recommended",
            "route.assigned",
            "route.moved",
            "route.offered",
            "route.moved",
            "route.moved"
        ]
    );
    let other = TenantId::from("other");
    assert!(house.desk.item(&other, &"i-1".into()).await.expect("asked").is_none());
    assert!(house.desk.decision(&other, &id).await.expect("asked").is_none());
    assert!(house.desk.agents(&other).await.expect("asked").is_empty());
    assert!(house.desk.set_presence(&other, "Emma", "away", "x").await.is_err());
    house.close().await;
}

#[tokio::test]
async fn a_conversation_is_an_item_and_what_it_tells_moves_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let house = House::open(folder.path(), Some(PLAN)).await;
    house.presence("Bo", "busy").await;
    house.append("c-1", vec![started(vec![])]).await;
    let item = house.until("i-c-1", |item| item.queue.is_some()).await;
    assert_eq!(item.queue.as_deref(), Some("general"));
    assert_eq!(item.external_id.as_deref(), Some("CA1"));
    house.append("c-1", vec![refund()]).await;
    house.until("i-c-1", |item| item.queue.as_deref() == Some("billing")).await;
    house.presence("Emma", "available").await;
    let item = house.until("i-c-1", |item| item.agent.is_some()).await;
    assert_eq!((item.state.as_str(), item.agent.as_deref()), ("offered", Some("Emma")));
    // Somebody of that name is heard: the offer was taken.
    house.append("c-1", vec![joined(Some("Emma"))]).await;
    house.until("i-c-1", |item| item.state == "active").await;
    // By its own name, as another router does.
    let fields = house.desk.recommendation(&"t".into(), "CA1").await.expect("asked");
    assert_eq!(fields.expect("decided")["backchannel_agent"], "WK1");
    let handed = house.step("i-c-1", Step::Transfer(Target::Agent("Bo".into()))).await;
    let handed = handed.expect("handed over");
    assert_eq!(handed.agent.as_deref(), Some("Bo"));
    assert_eq!(handed.pack.expect("it goes along").conversation_id, "c-1");
    house.append("c-1", vec![ended()]).await;
    house.until("i-c-1", |item| item.state == "wrapping_up").await;
    let kinds = house.kinds("c-1").await;
    assert!(kinds.iter().any(|kind| kind == "route.recommended"), "{kinds:?}");
    assert!(house.kinds(ROUTING).await.iter().all(|kind| kind != "route.offered"));
    house.close().await;
}

#[tokio::test]
async fn a_plan_is_whole_or_not_at_all_and_grows_its_epoch() {
    let folder = tempfile::tempdir().expect("a folder");
    let house = House::open(folder.path(), None).await;
    let wrong = house.put("mode = 1\n[[queues]]\nname = \"a\"\nchannel = \"fax\"", None).await;
    let PlanRefusal::Mistakes(mistakes) = wrong.expect_err("it is wrong") else {
        panic!("mistakes are told")
    };
    let places: Vec<&str> = mistakes.iter().map(|one| one.place.as_str()).collect();
    assert!(places.contains(&"mode") && places.contains(&"queues[0].channel"), "{places:?}");
    assert_eq!(house.put(PLAN, Some(0)).await.expect("put"), 1);
    let late = house.put(PLAN, Some(0)).await.expect_err("another one stands");
    assert!(matches!(late, PlanRefusal::Changed { epoch: 1 }), "{late:?}");
    house.offer("i-1", &[]).await;
    let without = PLAN.replace("name = \"general\"", "name = \"everybody\"");
    let without = without.replace("\"general\"", "\"everybody\"");
    assert_eq!(house.put(&without, Some(1)).await.expect("put"), 2);
    assert_eq!(house.item("i-1").await.queue.as_deref(), Some("everybody"));
    house.close().await;
}

#[tokio::test]
async fn off_tells_nothing_and_shadow_only_recommends() {
    let folder = tempfile::tempdir().expect("a folder");
    let house = House::open(folder.path(), None).await;
    let off = PLAN.replace("\"active\"", "\"off\"");
    house.put(&off, None).await.expect("put");
    house.presence("Bo", "available").await;
    let item = house.offer("i-1", &[]).await;
    assert_eq!((item.state.as_str(), item.decision_id), ("waiting", None));
    house.put(&PLAN.replace("\"active\"", "\"shadow\""), None).await.expect("put");
    let item = house.item("i-1").await;
    assert_eq!((item.state.as_str(), item.recommended.as_deref()), ("waiting", Some("Bo")));
    assert!(house.kinds(ROUTING).await.iter().all(|kind| kind != "route.assigned"));
    house.put(PLAN, None).await.expect("put");
    assert_eq!(house.item("i-1").await.state, "offered");
    house.close().await;
}

#[tokio::test]
async fn another_router_is_told_each_recommendation_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let theirs = Arc::new(Theirs::default());
    let shadow = PLAN.replace("\"active\"", "\"shadow\"");
    let open = || House::open_beside(folder.path(), Some(&shadow), Some(Arc::clone(&theirs)));
    let told = async |count: usize| {
        for _ in 0..1_000 {
            if theirs.0.lock().expect("nobody panicked").len() >= count {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        theirs.0.lock().expect("nobody panicked").clone()
    };
    let house = open().await;
    house.presence("Emma", "available").await;
    let mut began = ConversationStarted {
        channel: Channel::Voice,
        direction: Direction::Inbound,
        external_id: Some("CA1".into()),
        parties: Vec::new(),
        attributes: [("task".to_owned(), "WT1".to_owned())].into(),
    };
    house.append("c-1", vec![EventBody::ConversationStarted(began.clone())]).await;
    let first = told(1).await;
    assert_eq!(first.len(), 1);
    let (_, one) = &first[0];
    assert_eq!((one.external_id.as_str(), one.conversation.as_str()), ("WT1", "c-1"));
    assert_eq!(one.decision.chosen.as_ref().map(|one| one.agent.as_str()), Some("Emma"));
    let link = "https://copilot.example.test/desktop#c-1";
    assert_eq!(one.link.as_deref(), Some(link));
    let fields = house.desk.recommendation(&"t".into(), "WT1").await.expect("asked");
    let fields = fields.expect("decided");
    assert_eq!((&*fields["backchannel_agent"], &*fields["backchannel_link"]), ("WK1", link));
    house.append("c-1", vec![refund()]).await;
    let second = told(2).await;
    assert_eq!(second[1].1.decision.queue, "billing");
    // More is known, and it is for the same agent: that is in the log, and no news for the other router.
    let before = house.item("i-c-1").await.decision_id;
    let ranked = vec![Intent { label: "refund".into(), probability: 0.7 }];
    let seen = IntentSeen { ranked, abstained: false };
    let surer = TurnIntent { turn_id: "t-2".into(), seen };
    house.append("c-1", vec![EventBody::IntentSeen(Box::new(surer))]).await;
    house.until("i-c-1", |item| item.decision_id.is_some() && item.decision_id != before).await;
    house.close().await;
    // Nothing is told again, and outbound calls are nobody's work.
    let house = open().await;
    let fields = house.desk.recommendation(&"t".into(), "WT1").await.expect("asked");
    assert_eq!(&*fields.expect("it still stands")["backchannel_agent"], "WK1");
    began.direction = Direction::Outbound;
    house.append("c-2", vec![EventBody::ConversationStarted(began)]).await;
    house.offer("i-9", &[]).await;
    let third = told(3).await;
    let names: Vec<&str> = third.iter().map(|(_, one)| one.external_id.as_str()).collect();
    assert_eq!(names, ["WT1", "WT1", "WT-i-9"]);
    assert!(house.desk.item(&"t".into(), &"i-c-2".into()).await.expect("asked").is_none());
    house.close().await;
}
