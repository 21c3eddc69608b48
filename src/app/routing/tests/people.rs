//! Who is in a conversation, and which name is whose.

use super::*;

#[tokio::test]
async fn whoever_talks_has_it_also_without_a_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let house = House::open(folder.path(), Some(PLAN)).await;
    for (id, name) in [("c-1", None), ("c-2", Some("Zoe"))] {
        house.append(id, vec![started(vec![])]).await;
        house.until(&format!("i-{id}"), |item| item.state == "waiting").await;
        house.append(id, vec![joined(name)]).await;
        house.until(&format!("i-{id}"), |item| item.state == "active").await;
    }
    house.presence("Bo", "available").await;
    house.close().await;
    let house = House::open(folder.path(), Some(PLAN)).await;
    for id in ["i-c-1", "i-c-2"] {
        // A call that a stop breaks off is over, which is why these don't wait: nobody is given them.
        let item = house.item(id).await;
        assert_ne!(item.state, "waiting", "{id}");
        assert_eq!(item.agent, None, "{id}");
    }
    house.append("c-3", vec![started(vec![])]).await;
    house.until("i-c-3", |item| item.agent.as_deref() == Some("Bo")).await;
    // A leg without a name is theirs who was sent, and whoever joins later is asked for advice.
    house.append("c-3", vec![joined(None), joined(Some("Emma")), joined(Some("Zoe"))]).await;
    house.until("i-c-3", |item| item.state == "active").await;
    house.append("c-4", vec![started(vec![])]).await;
    house.until("i-c-4", |item| item.queue.is_some()).await;
    let item = house.item("i-c-3").await;
    assert_eq!((item.state.as_str(), item.agent.as_deref()), ("active", Some("Bo")));
    // Somebody of the plan was faster than nobody.
    house.append("c-5", vec![started(vec![]), joined(None), joined(Some("Emma"))]).await;
    house.until("i-c-5", |item| item.agent.as_deref() == Some("Emma")).await;
    house.close().await;
}

#[tokio::test]
async fn two_conversations_of_one_number_are_told_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let house = House::open(folder.path(), Some(PLAN)).await;
    house.presence("Bo", "available").await;
    // Both have the same name with the other router.
    house.append("c-1", vec![started(vec![])]).await;
    house.until("i-c-1", |item| item.state == "offered").await;
    house.append("c-2", vec![started(vec![])]).await;
    house.until("i-c-2", |item| item.queue.is_some()).await;
    house.append("c-1", vec![ended()]).await;
    house.until("i-c-1", |item| item.state == "ended").await;
    house.until("i-c-2", |item| item.agent.is_some()).await;
    let fields = house.desk.recommendation(&"t".into(), "CA1").await.expect("asked");
    let fields = fields.expect("decided");
    assert_eq!(fields["backchannel_link"], "https://copilot.example.test/desktop#c-2");
    house.close().await;
}

#[tokio::test]
async fn a_call_that_was_offered_before_its_media_is_one_item() {
    let folder = tempfile::tempdir().expect("a folder");
    let house = House::open(folder.path(), Some(PLAN)).await;
    assert_eq!(house.offer("i-1", &[]).await.external_id.as_deref(), Some("WT-i-1"));
    let call = EventBody::ConversationStarted(ConversationStarted {
        channel: Channel::Voice,
        direction: Direction::Inbound,
        external_id: Some("WT-i-1".into()),
        parties: Vec::new(),
        attributes: BTreeMap::new(),
    });
    house.append("c-1", vec![call, refund()]).await;
    let item = house.until("i-1", |item| item.queue.as_deref() == Some("billing")).await;
    assert_eq!(item.conversation_id.as_deref(), Some("c-1"));
    assert!(house.desk.item(&"t".into(), &"i-c-1".into()).await.expect("asked").is_none());
    house.append("c-1", vec![ended()]).await;
    house.until("i-1", |item| item.state == "ended").await;
    house.close().await;
}

#[tokio::test]
async fn a_number_is_no_name_for_another_router() {
    let folder = tempfile::tempdir().expect("a folder");
    let theirs = Arc::new(Theirs::default());
    let house = House::open_beside(folder.path(), Some(PLAN), Some(Arc::clone(&theirs))).await;
    assert_eq!(house.epoch().await, 1);
    // It goes by an attribute that this call doesn't have.
    house.append("c-1", vec![started(vec![])]).await;
    let item = house.until("i-c-1", |item| item.queue.is_some()).await;
    assert_eq!(item.external_id, None);
    house.close().await;
    assert!(theirs.0.lock().expect("nobody panicked").is_empty());
}

#[tokio::test]
async fn whoever_comes_with_a_later_plan_has_a_past() {
    let folder = tempfile::tempdir().expect("a folder");
    let emma = PLAN.find("[[agents]]\nname = \"Emma\"").expect("she is in it");
    let bo = PLAN.find("[[agents]]\nname = \"Bo\"").expect("so is he");
    let without = format!("{}{}", &PLAN[..emma], &PLAN[bo..]);
    let house = House::open(folder.path(), Some(&without)).await;
    assert_eq!(house.epoch().await, 1);
    let long_ago = Timestamp::now() - jiff::SignedDuration::from_mins(40);
    let call = [started(vec![]), joined(Some("Emma")), refund()];
    let call: Vec<_> = call.into_iter().map(|body| NewEvent::at(long_ago, body)).collect();
    house.store.append(&"t".into(), &"c-1".into(), call).await.expect("written");
    house.append("c-1", vec![ended()]).await;
    house.until("i-c-1", |item| item.state == "wrapping_up").await;
    house.put(PLAN, None).await.expect("put");
    house.presence("Emma", "available").await;
    let item = WantedItem {
        id: "i-1".into(),
        conversation: None,
        external_id: None,
        workstream: "calls".into(),
        attributes: [("intent".to_owned(), FeatureValue::Text("refund".to_owned()))].into(),
        intents: vec![Intent { label: "refund".into(), probability: 1.0 }],
        preferred: Vec::new(),
    };
    let (item, _) = house.desk.offer(&"t".into(), item, "acd", None).await.expect("taken");
    let id = DecisionId::from(item.decision_id.expect("decided"));
    let decision = house.desk.decision(&"t".into(), &id).await.expect("asked").expect("kept");
    let chosen = decision.chosen.expect("she is there");
    let rate = chosen.terms.iter().find(|one| one.name == "service_rate_per_min");
    let rate = rate.expect("a term").value;
    // A contact takes five minutes while nothing is known; hers took forty.
    assert!(rate < 0.19, "{rate}: {:?}", chosen.terms);
    house.close().await;
}

#[tokio::test]
async fn a_number_or_an_address_is_no_name_for_another_router() {
    let folder = tempfile::tempdir().expect("a folder");
    let house = House::open(folder.path(), Some(PLAN)).await;
    let cases = [
        ("c-1", Channel::Chat, "+442079460123", None),
        ("c-2", Channel::Chat, "02079460123", None),
        ("c-3", Channel::Chat, "ada@example.test", None),
        ("c-4", Channel::Chat, "IM0a1b", Some("IM0a1b")),
        ("c-5", Channel::Voice, "+442079460123", None),
        ("c-6", Channel::Voice, "1700000000.42", Some("1700000000.42")),
    ];
    for (id, channel, external_id, told) in cases {
        let began = ConversationStarted {
            channel,
            direction: Direction::Inbound,
            external_id: Some(external_id.into()),
            parties: Vec::new(),
            attributes: BTreeMap::new(),
        };
        house.append(id, vec![EventBody::ConversationStarted(began)]).await;
        let item = house.until(&format!("i-{id}"), |item| item.queue.is_some()).await;
        assert_eq!(item.external_id.as_deref(), told, "{external_id}");
    }
    house.close().await;
}

#[tokio::test]
async fn what_is_assigned_to_whom_it_is_offered_becomes_theirs() {
    let folder = tempfile::tempdir().expect("a folder");
    let house = House::open(folder.path(), Some(PLAN)).await;
    house.presence("Bo", "available").await;
    assert_eq!(house.offer("i-1", &[]).await.state, "offered");
    let step = || Step::Assign { agent: "Bo".into() };
    for _ in 0..2 {
        let item = house.step("i-1", step()).await.expect("assigned");
        assert_eq!((item.state.as_str(), item.agent.as_deref()), ("active", Some("Bo")));
    }
    let assigned = house.last(ROUTING, "route.assigned").await;
    assert_eq!((assigned["by"].as_str(), assigned["agent"].as_str()), (Some("Sue"), Some("Bo")));
    let agents = house.desk.agents(&"t".into()).await.expect("asked");
    assert_eq!(agents[1].capacity[0].used, 1, "it takes its place once");
    house.close().await;
    let house = House::open(folder.path(), Some(PLAN)).await;
    assert_eq!(house.item("i-1").await.state, "active");
    house.close().await;
}
