use super::*;

fn candidate(agent: &str, score: f64) -> Candidate {
    Candidate {
        agent: agent.into(),
        score,
        terms: vec![Term {
            name: "resolves".into(),
            value: 0.75,
            why: "solved 8 of 10 like it".into(),
        }],
    }
}

fn decision() -> Decision {
    let feature = |name: &'static str, value| Feature {
        name: name.into(),
        value,
        source: "crm.context".into(),
        as_of_ms: 900,
    };
    Decision {
        id: "d-1".into(),
        item: "i-1".into(),
        queue: "billing".into(),
        mode: RoutingMode::Shadow,
        policy: "context".into(),
        epoch: 3,
        chosen: Some(candidate("emma", 1.5)),
        runner_up: Some(candidate("bo", 1.25)),
        others: vec![],
        rules_matched: vec!["refunds".into()],
        would_change: vec!["bo, if emma were busy".into()],
        reason: "emma solves most of these".into(),
        features: vec![
            feature("tier", FeatureValue::Text("gold".into())),
            feature("value", FeatureValue::Number(1200.5)),
            feature("open_case", FeatureValue::Flag(true)),
        ],
        at_ms: 1_000,
    }
}

#[test]
fn recommendations_are_written_as_they_always_were() {
    check(
        EventBody::RouteRecommended(Box::new(decision())),
        r#"{"decision_id":"d-1","work_item_id":"i-1","queue":"billing","mode":"shadow","policy":"context","epoch":3,"reason":"emma solves most of these","chosen":{"agent":"emma","score":1.5,"terms":[{"name":"resolves","value":0.75,"why":"solved 8 of 10 like it"}]},"runner_up":{"agent":"bo","score":1.25,"terms":[{"name":"resolves","value":0.75,"why":"solved 8 of 10 like it"}]},"rules_matched":["refunds"],"would_change":["bo, if emma were busy"],"features":[{"name":"tier","value":"gold","source":"crm.context","as_of_ms":900},{"name":"value","value":1200.5,"source":"crm.context","as_of_ms":900},{"name":"open_case","value":true,"source":"crm.context","as_of_ms":900}],"at_ms":1000}"#,
        to_value::<wire::RouteRecommended>,
    );
    let nobody = Decision { chosen: None, runner_up: None, features: vec![], ..decision() };
    check(
        EventBody::RouteRecommended(Box::new(nobody)),
        r#"{"decision_id":"d-1","work_item_id":"i-1","queue":"billing","mode":"shadow","policy":"context","epoch":3,"reason":"emma solves most of these","chosen":null,"runner_up":null,"rules_matched":["refunds"],"would_change":["bo, if emma were busy"],"at_ms":1000}"#,
        to_value::<wire::RouteRecommended>,
    );
    assert_eq!(RoutingMode::ALL.map(RoutingMode::as_str), ["off", "shadow", "active"]);
}

#[test]
fn a_decision_comes_back_as_it_went_and_never_without_a_number() {
    let event = recorded(EventBody::RouteRecommended(Box::new(decision())));
    assert_eq!(codec::decode_decision(&event).expect("sound"), Some(decision()));
    let odd =
        Decision { others: (0..30).map(|_| candidate("x", f64::INFINITY)).collect(), ..decision() };
    let event = recorded(EventBody::RouteRecommended(Box::new(odd)));
    let read = codec::decode_decision(&event).expect("sound").expect("a decision");
    assert_eq!(read.others.len(), Decision::OTHERS_MAX);
    let mut damaged = recorded(EventBody::RouteRecommended(Box::new(decision())));
    damaged.data = damaged.data.replace("shadow", "perhaps").into();
    assert!(codec::decode_decision(&damaged).is_err());
}

#[test]
fn assignments_are_written_as_they_always_were() {
    let assignment = Assignment {
        decision: Some("d-1".into()),
        item: "i-1".into(),
        queue: "billing".into(),
        agent: "bo".into(),
        mode: RoutingMode::Active,
        policy: "context".into(),
        epoch: 3,
        recommended: Some("emma".into()),
        by: Some("Sue".into()),
        reason: "given by hand".into(),
        day_profiles: Vec::new(),
        waited_ms: 4_000,
        at_ms: 5_000,
    };
    let daily = Assignment { day_profiles: vec!["cases".into()], ..assignment.clone() };
    let event = recorded(EventBody::RouteAssigned(Box::new(daily.clone())));
    assert!(event.data.contains(r#""day_profiles":["cases"],"waited_ms""#), "{}", event.data);
    assert_eq!(codec::decode_assignment(&event).expect("sound"), Some(daily));
    let body = EventBody::RouteAssigned(Box::new(assignment.clone()));
    let event = recorded(body.clone());
    check(
        body,
        r#"{"decision_id":"d-1","work_item_id":"i-1","queue":"billing","agent":"bo","mode":"active","policy":"context","epoch":3,"recommended":"emma","by":"Sue","reason":"given by hand","waited_ms":4000,"at_ms":5000}"#,
        to_value::<wire::RouteAssigned>,
    );
    assert_eq!(codec::decode_assignment(&event).expect("sound"), Some(assignment));
}

#[test]
fn a_recommendation_stands_in_the_outbox_as_it_always_did() {
    let effect = Effect::Recommend(Box::new(Recommendation {
        conversation: "c-1".into(),
        external_id: "WT1".into(),
        decision: Decision { runner_up: None, features: vec![], ..decision() },
        brief: Some(Redacted::vouched("A refund is late.")),
        link: None,
    }));
    let golden = r#"{"operation":"recommend","conversation_id":"c-1","external_id":"WT1","decision":{"decision_id":"d-1","work_item_id":"i-1","queue":"billing","mode":"shadow","policy":"context","epoch":3,"reason":"emma solves most of these","chosen":{"agent":"emma","score":1.5,"terms":[{"name":"resolves","value":0.75,"why":"solved 8 of 10 like it"}]},"runner_up":null,"rules_matched":["refunds"],"would_change":["bo, if emma were busy"],"at_ms":1000},"brief":"A refund is late.","link":null}"#;
    assert_eq!(codec::encode_effect(&effect), golden);
    assert_eq!(codec::decode_effect(golden).as_ref(), Ok(&effect));
    assert!(codec::decode_effect(&golden.replace("shadow", "perhaps")).is_err());
}

#[test]
fn what_happens_on_the_floor_is_written_as_it_always_was() {
    check(
        EventBody::RoutePlanned(Box::new(PlanPut {
            epoch: 2,
            form: PlanForm::Json,
            text: "{}".into(),
            by: Some("Sue".into()),
        })),
        r#"{"epoch":2,"form":"json","text":"{}","by":"Sue"}"#,
        to_value::<wire::RoutePlanned>,
    );
    check(
        EventBody::RoutePresence(Box::new(PresenceSet {
            agent: "emma".into(),
            presence: "away".into(),
            by: "emma".into(),
        })),
        r#"{"agent":"emma","presence":"away","by":"emma"}"#,
        to_value::<wire::RoutePresence>,
    );
    check(
        EventBody::RouteQueued(Box::new(WorkQueued {
            item: "i-1".into(),
            workstream: "calls".into(),
            queue: "billing".into(),
            mode: RoutingMode::Active,
            epoch: 2,
            classified_by: vec!["gold".into()],
            routes_matched: vec![("split".into(), "billing".into())],
            route: Some("split".into()),
            percent: Some(12.5),
            skills: vec![("german".into(), 3)],
            profiles: vec!["call".into()],
            callback: false,
            why: "rule `split` is the first that matched".into(),
            at_ms: 7,
        })),
        r#"{"work_item_id":"i-1","workstream":"calls","queue":"billing","mode":"active","epoch":2,"classified_by":["gold"],"routes_matched":[{"route":"split","queue":"billing"}],"route":"split","percent":12.5,"skills":{"german":3},"profiles":["call"],"callback":false,"why":"rule `split` is the first that matched","at_ms":7}"#,
        to_value::<wire::RouteQueued>,
    );
    check(
        EventBody::RouteOverflowed(Box::new(WorkOverflowed {
            item: "i-1".into(),
            queue: "billing".into(),
            mode: RoutingMode::Active,
            epoch: 2,
            action: "queue".into(),
            to: Some("general".into()),
            after_queueing: true,
            waited_ms: 9,
            why: "it has waited".into(),
            at_ms: 16,
        })),
        r#"{"work_item_id":"i-1","queue":"billing","mode":"active","epoch":2,"action":"queue","to":"general","after_queueing":true,"waited_ms":9,"why":"it has waited","at_ms":16}"#,
        to_value::<wire::RouteOverflowed>,
    );
    check(
        EventBody::RouteMoved(Box::new(WorkMoved {
            item: "i-1".into(),
            step: WorkStep::Transferred("general".into()),
            by: Some("emma".into()),
            at_ms: 20,
        })),
        r#"{"work_item_id":"i-1","step":"transferred","queue":"general","by":"emma","at_ms":20}"#,
        to_value::<wire::RouteMoved>,
    );
}

#[test]
fn an_offer_comes_back_as_it_went() {
    let offered = WorkOffered {
        item: "i-1".into(),
        conversation: Some("c-1".into()),
        external_id: None,
        workstream: "calls".into(),
        features: vec![Feature {
            name: "tier".into(),
            value: FeatureValue::Text("gold".into()),
            source: "api".into(),
            as_of_ms: 3,
        }],
        intents: vec![Intent { label: "refund".into(), probability: 0.5 }],
        preferred: vec!["emma".into()],
        by: Some("acd".into()),
        at_ms: 4,
    };
    let body = EventBody::RouteOffered(Box::new(offered.clone()));
    let event = recorded(body.clone());
    check(
        body,
        r#"{"work_item_id":"i-1","conversation_id":"c-1","workstream":"calls","features":[{"name":"tier","value":"gold","source":"api","as_of_ms":3}],"intents":[{"label":"refund","probability":0.5}],"preferred":["emma"],"by":"acd","at_ms":4}"#,
        to_value::<wire::RouteOffered>,
    );
    assert_eq!(codec::decode_offered(&event).expect("sound"), Some(offered));
}
