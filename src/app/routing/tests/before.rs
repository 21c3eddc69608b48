//! What was before a start: each thing stands as it did, and what nobody heard is made good.

use super::*;
use crate::store::Store as _;

const BILLING: &str = "name = \"billing\"";
const REFUND: &[(&str, &str)] = &[("intent", "refund")];

/// The plan with a limit before the queue of refunds.
fn limited(before: &str) -> String {
    PLAN.replace(BILLING, &format!("{BILLING}\noverflow.before = [{before}]"))
}

fn about(id: &str, conversation: &str) -> WantedItem {
    WantedItem {
        id: id.into(),
        conversation: Some(conversation.into()),
        external_id: None,
        workstream: "calls".into(),
        attributes: BTreeMap::new(),
        intents: Vec::new(),
        preferred: Vec::new(),
    }
}

/// While no service runs.
async fn append_alone(folder: &Path, id: &str, bodies: Vec<EventBody>) {
    let store = SqliteStore::open(folder, Arc::new(|_: &[Arc<Recorded>]| ())).await;
    let store = store.expect("it opens");
    let events = bodies.into_iter().map(|body| NewEvent::at(Timestamp::now(), body));
    store.append(&"t".into(), &id.into(), events.collect()).await.expect("written");
    store.close().await;
}

#[tokio::test]
async fn a_chat_that_began_right_before_a_kill_is_an_item() {
    let folder = tempfile::tempdir().expect("a folder");
    append_alone(folder.path(), "c-old", vec![chat()]).await;
    let house = House::open(folder.path(), Some(PLAN)).await;
    assert_eq!(house.epoch().await, 1);
    house.close().await;
    append_alone(folder.path(), "c-1", vec![chat()]).await;
    for _ in 0..2 {
        let house = House::open(folder.path(), Some(PLAN)).await;
        house.until("i-c-1", |item| item.queue.is_some()).await;
        // That one began before there was a plan.
        assert!(house.desk.item(&"t".into(), &"i-c-old".into()).await.expect("asked").is_none());
        let kinds = house.kinds("c-1").await;
        assert_eq!(kinds.iter().filter(|kind| *kind == "route.offered").count(), 1, "{kinds:?}");
        house.close().await;
    }
}

#[tokio::test]
async fn whoever_was_let_in_isnt_turned_away_by_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = limited(r#"{ when = "predicted_wait", wait_s = 3600, action = "end" }"#);
    let house = House::open(folder.path(), Some(&plan)).await;
    house.presence("Emma", "available").await;
    house.offer("i-1", REFUND).await;
    house.step("i-1", Step::Accept).await.expect("accepted");
    let item = house.offer("i-2", REFUND).await;
    assert_eq!((item.state.as_str(), item.queue.as_deref()), ("waiting", Some("billing")));
    house.close().await;
    let house = House::open(folder.path(), Some(&plan)).await;
    let item = house.item("i-2").await;
    assert_eq!((item.state.as_str(), item.queue.as_deref()), ("waiting", Some("billing")));
    house.close().await;
}

#[tokio::test]
async fn whoever_was_told_to_hang_up_is_called_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = limited(r#"{ when = "item_limit", limit = 1, action = "callback" }"#);
    append_alone(folder.path(), "c-2", vec![chat()]).await;
    let house = House::open(folder.path(), None).await;
    house.put(&plan, None).await.expect("put");
    house.offer("i-1", REFUND).await;
    let attributes = [("intent".to_owned(), FeatureValue::Text("refund".to_owned()))].into();
    let item = WantedItem { attributes, ..about("i-2", "c-2") };
    let (item, _) = house.desk.offer(&"t".into(), item, "acd", None).await.expect("taken");
    assert!(item.callback, "the queue is full: {item:?}");
    house.append("c-2", vec![ended()]).await;
    // Behind it: that one has been heard.
    house.append("c-3", vec![started(vec![])]).await;
    house.until("i-c-3", |item| item.queue.is_some()).await;
    assert_eq!(house.item("i-2").await.state, "waiting");
    house.close().await;
    let house = House::open(folder.path(), None).await;
    let item = house.item("i-2").await;
    assert_eq!((item.state.as_str(), item.callback), ("waiting", true));
    house.presence("Emma", "available").await;
    house.step("i-1", Step::Accept).await.expect("accepted");
    house.step("i-1", Step::Release).await.expect("released");
    assert_eq!(house.item("i-2").await.agent.as_deref(), Some("Emma"));
    house.close().await;
}

#[tokio::test]
async fn work_about_a_conversation_of_before_isnt_over_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let house = House::open(folder.path(), None).await;
    house.append("c-1", vec![started(vec![]), ended()]).await;
    house.put(PLAN, None).await.expect("put");
    tokio::time::sleep(Duration::from_millis(5)).await;
    let item = about("i-1", "c-1");
    house.desk.offer(&"t".into(), item, "acd", None).await.expect("taken");
    house.close().await;
    let house = House::open(folder.path(), None).await;
    assert_eq!(house.item("i-1").await.state, "waiting");
    house.close().await;
}

#[tokio::test]
async fn an_item_that_is_over_stays_over_however_late_it_is_offered_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let house = House::open(folder.path(), Some(PLAN)).await;
    let first = house.offer("i-1", &[]).await;
    house.step("i-1", Step::End).await.expect("ended");
    house.close().await;
    let house = House::open(folder.path(), Some(PLAN)).await;
    let (again, is_new) = house.try_offer("i-1", &[("tier", "gold")]).await.expect("answered");
    assert_eq!((again.state.as_str(), is_new), ("ended", false));
    assert_eq!((again.arrived_ms, again.external_id), (first.arrived_ms, first.external_id));
    assert_eq!(house.item("i-1").await.state, "ended");
    for step in [Step::End, Step::Release] {
        assert_eq!(house.step("i-1", step).await.expect("answered").state, "ended");
    }
    assert!(house.step("i-1", Step::Accept).await.is_err(), "it is over");
    assert!(house.step("i-9", Step::End).await.is_err(), "nobody knows it");
    let kinds = house.kinds(ROUTING).await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "route.offered").count(), 1, "{kinds:?}");
    house.close().await;
}

#[tokio::test]
async fn what_was_handed_on_out_of_its_wrap_up_isnt_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let house = House::open(folder.path(), Some(PLAN)).await;
    house.presence("Emma", "available").await;
    for id in ["i-1", "i-2"] {
        house.offer(id, &[("intent", "refund")]).await;
        house.step(id, Step::Assign { agent: "Emma".into() }).await.expect("assigned");
        house.step(id, Step::Accept).await.expect("accepted");
        assert_eq!(house.step(id, Step::End).await.expect("ended").state, "wrapping_up");
    }
    house.presence("Emma", "away").await;
    let to = Step::Transfer(Target::Agent("Bo".into()));
    assert_eq!(house.step("i-1", to).await.expect("handed on").state, "active");
    let to = Step::Transfer(Target::Queue("general".into()));
    assert_eq!(house.step("i-2", to).await.expect("handed on").state, "waiting");
    house.close().await;
    let house = House::open(folder.path(), Some(PLAN)).await;
    let item = house.item("i-1").await;
    assert_eq!((item.state.as_str(), item.agent.as_deref()), ("active", Some("Bo")));
    let item = house.item("i-2").await;
    assert_eq!((item.state.as_str(), item.queue.as_deref()), ("waiting", Some("general")));
    house.close().await;
}

#[tokio::test]
async fn what_waits_is_in_its_queue_since_it_came_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let house = House::open(folder.path(), Some(PLAN)).await;
    house.offer("i-1", REFUND).await;
    // No rule leads anywhere from there: it stays.
    house.offer("i-1", &[("intent", "other")]).await;
    let second = house.offer("i-2", &[]).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    let to = Step::Transfer(Target::Queue("billing".into()));
    house.step("i-2", to).await.expect("handed on");
    house.put(&format!("{PLAN}\n# another"), None).await.expect("put");
    house.close().await;
    let kept = std::fs::read(folder.path().join("routing.json")).expect("it was kept");
    let kept: serde_json::Value = serde_json::from_slice(&kept).expect("it is JSON");
    let since_ms = kept["items"]["i-2"]["queued"]["since_ms"].as_u64().expect("it waits");
    assert!(since_ms >= second.arrived_ms + 20, "since the transfer, not since it came: {kept}");
    assert_eq!(kept["items"]["i-2"]["moved"], "Transfer");
    let house = House::open(folder.path(), Some(PLAN)).await;
    for id in ["i-1", "i-2"] {
        let item = house.item(id).await;
        assert_eq!((item.state.as_str(), item.queue.as_deref()), ("waiting", Some("billing")));
    }
    house.close().await;
}

#[tokio::test]
async fn a_restart_keeps_plan_presence_items_and_epoch() {
    let folder = tempfile::tempdir().expect("a folder");
    let house = House::open(folder.path(), Some(PLAN)).await;
    house.put(&format!("{PLAN}\n# mine"), Some(1)).await.expect("put");
    house.presence("Emma", "available").await;
    house.offer("i-1", &[]).await;
    house.step("i-1", Step::Accept).await.expect("accepted");
    house.offer("i-2", &[("intent", "refund")]).await;
    let waits = house.offer("i-3", &[]).await;
    house.presence("Bo", "available").await;
    house.presence("Bo", "away").await;
    house.step("i-3", Step::Decline).await.expect("declined");
    let before = house.kinds(ROUTING).await.len();
    house.close().await;
    for is_deleted in [false, true] {
        if is_deleted {
            // The file only saves reading.
            std::fs::remove_file(folder.path().join("routing.json")).expect("it was kept");
        }
        let house = House::open(folder.path(), Some(PLAN)).await;
        let plan = house.desk.plan(&"t".into()).await.expect("asked").expect("it stands");
        assert_eq!(plan.epoch, 2);
        assert!(plan.text.ends_with("# mine"), "what was put goes before the settings");
        let agents = house.desk.agents(&"t".into()).await.expect("asked");
        let presences: Vec<&str> = agents.iter().map(|one| one.presence.as_str()).collect();
        assert_eq!(presences, ["available", "away"]);
        let item = house.item("i-1").await;
        assert_eq!((item.state.as_str(), item.agent.as_deref()), ("active", Some("Emma")));
        assert_eq!(house.item("i-2").await.queue.as_deref(), Some("billing"));
        let item = house.item("i-3").await;
        assert_eq!((item.state.as_str(), item.agent), ("waiting", None));
        assert_eq!(item.arrived_ms, waits.arrived_ms);
        assert_eq!(house.kinds(ROUTING).await.len(), before, "nothing is told twice");
        house.close().await;
    }
    let house = House::open(folder.path(), Some(PLAN)).await;
    // Her capacity was taken all the while.
    assert_eq!(house.item("i-2").await.state, "waiting");
    house.step("i-1", Step::End).await.expect("ended");
    house.step("i-1", Step::Release).await.expect("released");
    assert_eq!(house.item("i-2").await.agent.as_deref(), Some("Emma"));
    assert_eq!(house.put(PLAN, Some(2)).await.expect("put"), 3);
    house.close().await;
}

#[tokio::test]
async fn a_call_that_ended_while_nobody_listened_is_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let house = House::open(folder.path(), Some(PLAN)).await;
    house.presence("Bo", "available").await;
    let chat = vec![started(vec![])];
    house.append("c-1", chat).await;
    house.until("i-c-1", |item| item.state == "offered").await;
    house.close().await;
    // A call that a stop breaks off is ended by the log as it opens.
    let house = House::open(folder.path(), Some(PLAN)).await;
    house.until("i-c-1", |item| item.state == "ended").await;
    house.append("c-2", vec![started(vec![])]).await;
    house.until("i-c-2", |item| item.agent.as_deref() == Some("Bo")).await;
    house.close().await;
}

#[tokio::test]
async fn a_plan_of_the_settings_follows_its_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let house = House::open(folder.path(), Some(PLAN)).await;
    house.presence("Bo", "available").await;
    house.close().await;
    let house = House::open(folder.path(), Some(PLAN)).await;
    let epoch = async |house: &House| {
        house.desk.plan(&"t".into()).await.expect("asked").expect("it stands").epoch
    };
    assert_eq!(epoch(&house).await, 1, "the same again is no news");
    house.close().await;
    let house = House::open(folder.path(), Some(&PLAN.replace("limit = 1", "limit = 2"))).await;
    assert_eq!(epoch(&house).await, 2);
    let agents = house.desk.agents(&"t".into()).await.expect("asked");
    assert_eq!((agents[1].presence.as_str(), agents[1].capacity[0].limit), ("available", 2));
    house.close().await;
}

fn caller() -> EventBody {
    EventBody::CrmContext(Box::new(CrmContext {
        connector: "crm".into(),
        searched: Some(ContactKey::Phone("+442079460123".into())),
        identity: Identity::Unknown,
        latency_ms: 5,
    }))
}

fn promised(date: jiff::civil::Date) -> EventBody {
    let sentence = ProvenSentence {
        text: Redacted::vouched("I will call you."),
        proofs: vec![],
        support: 1.0,
    };
    let due = Due {
        phrase: Redacted::vouched("then"),
        date: Some(date),
        time: None,
        until: None,
        is_limit: true,
        time_zone: "UTC".into(),
    };
    let follow_up = FollowUp {
        kind: FollowUpKind::Callback,
        promised_by: Role::Agent,
        sentence,
        due: Some(due),
    };
    EventBody::WrapUp(Box::new(WrapUp {
        id: "w-end-followup-1".into(),
        occasion: Occasion::End,
        authorship: Authorship {
            provider: "extractive".into(),
            model: None,
            prompt: None,
            seed: None,
        },
        language: "en".into(),
        body: WrapUpBody::FollowUp(follow_up),
        struck: vec![],
    }))
}

#[tokio::test]
async fn what_was_promised_before_is_known_when_the_customer_comes_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let day = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().tomorrow().expect("a day");
    let is_known = async |house: &House, id: &str| {
        house.append(id, vec![started(vec![]), caller()]).await;
        house.until(&format!("i-{id}"), |item| item.decision_id.is_some()).await;
        for _ in 0..1_000 {
            let decision = house.last(id, "route.recommended").await;
            let features = decision["features"].as_array().expect("features").clone();
            if features.iter().any(|one| one["name"] == "promise_due_ms") {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        false
    };
    let shadow = PLAN.replace("\"active\"", "\"shadow\"");
    let house = House::open(folder.path(), Some(&shadow)).await;
    house.presence("Bo", "available").await;
    house.append("c-1", vec![started(vec![]), caller(), promised(day), ended()]).await;
    assert!(is_known(&house, "c-2").await, "while it runs");
    house.close().await;
    let house = House::open(folder.path(), Some(&shadow)).await;
    assert!(is_known(&house, "c-3").await, "after a restart");
    house.close().await;
}
