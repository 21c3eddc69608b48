//! What is learnt of agents and customers, and that it stays within bounds.

use proptest::prelude::*;

use super::*;

#[test]
fn handling_times_are_drawn_towards_the_mean_above_them() {
    let mut board = board();
    // 20 calls of ten minutes by one agent, one of two minutes by another.
    for number in 0..20 {
        call(
            &mut board,
            &format!("c-{number}"),
            number * 20 * MINUTE,
            &number.to_string(),
            "move",
            "anna",
            10,
        );
    }
    let now = 20 * 20 * MINUTE;
    call(&mut board, "c-x", now, "x", "move", "bo", 2);
    take(&mut board, "c-y", now, intent("move", 1.0));
    let anna = board.fit(&"c-y".into(), "anna", now);
    let bo = board.fit(&"c-y".into(), "bo", now);
    let nobody = board.fit(&"c-y".into(), "new", now);
    assert!(bo.handling_s < nobody.handling_s && nobody.handling_s < anna.handling_s);
    assert!(bo.handling_s > 400.0, "one call proves little: {}", bo.handling_s);
    assert!(anna.handling_s < 600.0 && anna.handling_s > 500.0, "{}", anna.handling_s);
    // Within hours nothing has lost weight worth the name: m, m(i), m(a, i) by hand.
    let all = (20.0 * 600.0 + 120.0 + 10.0 * 300.0) / 31.0;
    let of_intent = (20.0 * 600.0 + 120.0 + 10.0 * all) / 31.0;
    let of_anna = (20.0 * 600.0 + 10.0 * of_intent) / 30.0;
    assert!((anna.handling_s - of_anna).abs() < 3.0, "{} against {of_anna}", anna.handling_s);
}

#[test]
fn who_comes_back_was_not_helped_and_who_stays_away_was() {
    let mut board = board();
    for number in 0..10 {
        call(
            &mut board,
            &format!("a-{number}"),
            number * MINUTE,
            &format!("a{number}"),
            "bill",
            "anna",
            3,
        );
        call(
            &mut board,
            &format!("b-{number}"),
            number * MINUTE,
            &format!("b{number}"),
            "bill",
            "bo",
            3,
        );
    }
    // Bo's come back the next day with the same, Anna's with something else.
    for number in 0..10 {
        call(&mut board, &format!("d-{number}"), DAY, &format!("b{number}"), "bill", "cleo", 3);
        call(&mut board, &format!("e-{number}"), DAY, &format!("a{number}"), "roaming", "cleo", 3);
    }
    let later = 12 * DAY;
    take(&mut board, "c-y", later, intent("bill", 1.0));
    let resolves = |agent| board.fit(&"c-y".into(), agent, later).resolves;
    let (anna, bo, new) = (resolves("anna"), resolves("bo"), resolves("new"));
    assert!(anna > new && new > bo, "{anna} {new} {bo}");
    assert!(board.fit(&"c-y".into(), "anna", later).why.contains("anna resolved"));
}

#[test]
fn whoever_gives_it_away_did_not_end_it() {
    let mut board = board();
    for number in 0..10 {
        let name = format!("c-{number}");
        take(&mut board, &name, DAY, started());
        take(&mut board, &name, DAY, caller(&name, None));
        take(&mut board, &name, DAY, intent("bill", 0.9));
        take(&mut board, &name, DAY, assigned("anna"));
        take(&mut board, &name, DAY + MINUTE, assigned("bo"));
        take(&mut board, &name, DAY + 6 * MINUTE, ended());
    }
    take(&mut board, "c-y", 9 * DAY, intent("bill", 1.0));
    let fit = |agent| board.fit(&"c-y".into(), agent, 9 * DAY);
    assert!(fit("anna").resolves < fit("new").resolves);
    assert!(fit("bo").resolves > fit("new").resolves);
}

#[test]
fn items_without_a_conversation_teach_nothing_of_giving_away() {
    let mut board = board();
    let before = board.fit(&"c-y".into(), "anna", DAY).resolves;
    for number in 0..20 {
        take(&mut board, "routing", number, assigned(if number % 2 == 0 { "anna" } else { "bo" }));
    }
    assert_eq!(board.fit(&"c-y".into(), "anna", DAY).resolves, before);
    assert_eq!(board.news(), []);
}

#[test]
fn an_unsure_intent_counts_as_much_as_it_is_sure() {
    let mut board = board();
    for number in 0..40 {
        call(&mut board, &format!("a-{number}"), number, &format!("a{number}"), "long", "anna", 20);
        call(&mut board, &format!("b-{number}"), number, &format!("b{number}"), "short", "anna", 1);
    }
    let now = DAY;
    let seconds = |board: &mut Board, name: &str, probability| {
        take(board, name, now, intent("long", probability));
        board.fit(&name.into(), "anna", now).handling_s
    };
    let (sure, half) = (seconds(&mut board, "s", 1.0), seconds(&mut board, "h", 0.5));
    let unknown = board.fit(&"nobody".into(), "anna", now).handling_s;
    assert!(sure > half && half > unknown, "{sure} {half} {unknown}");
    assert!((half - (sure + unknown) / 2.0).abs() < 1.0);
}

#[test]
fn a_value_is_one_beside_those_who_call() {
    let mut board = board();
    for number in 0..9 {
        take(&mut board, &format!("c-{number}"), 1, caller(&number.to_string(), Some(100.0)));
    }
    take(&mut board, "rich", 1, caller("rich", Some(400.0)));
    let id = ConversationId::from("rich");
    let relative = board.relative_value(&id, 1).expect("known");
    assert!((relative - 400.0 / 130.0).abs() < 1e-9, "{relative}");
    let limit = Limits::default().crm_ms;
    let stale = board.relative_value(&id, 1 + 2 * limit).expect("known");
    assert!((stale - (1.0 + (relative - 1.0) / 2.0)).abs() < 1e-9, "{stale}");
    let few = Experience::new(10, DAY);
    assert_eq!(few.relative_value(400.0), None);
}

#[test]
fn rules_get_what_is_fresh_and_less_of_what_is_not() {
    let mut board = board();
    for number in 0..9 {
        take(&mut board, &format!("c-{number}"), 1, caller(&number.to_string(), Some(100.0)));
    }
    let id = ConversationId::from("rich");
    take(&mut board, "rich", 1, caller("rich", Some(400.0)));
    take(&mut board, "rich", 1, intent("refund", 0.8));
    let names =
        |features: &[Feature]| features.iter().map(|one| one.name.to_string()).collect::<Vec<_>>();
    let (features, intents) = board.for_rules(&id, 2);
    assert!(names(&features).contains(&name::TIER.to_owned()));
    assert_eq!((intents.len(), intents[0].probability), (1, 0.8));
    let limits = Limits::default();
    let (features, intents) = board.for_rules(&id, 1 + 2 * limits.crm_ms);
    assert!(!names(&features).contains(&name::TIER.to_owned()), "stale");
    let value = features.iter().find(|one| one.name == name::VALUE).expect("drawn towards 1");
    let FeatureValue::Number(number) = value.value else { panic!("a number") };
    assert!(number > 1.0 && number < 2.1, "{number}");
    assert!(intents.iter().all(|one| one.probability < 0.01));
}

#[test]
fn what_was_learnt_is_told_once() {
    let mut board = board();
    call(&mut board, "c-1", 1_000, "7", "bill", "anna", 5);
    let news = board.news();
    assert_eq!(news.len(), 1);
    let one = &news[0];
    assert_eq!((one.agent.as_str(), one.intent.as_str()), ("anna", "bill"));
    assert!((one.handled - 1.0).abs() < 1e-9 && (one.total_s - 300.0).abs() < 1e-6);
    assert!(one.resolved > 0.0 && one.resolved < 1.0, "not judged yet: {}", one.resolved);
    assert_eq!(board.news(), []);
    board.renew();
    assert_eq!(board.news(), news, "whoever was made anew has heard nothing");
}

#[test]
fn what_is_learnt_fades_by_half_with_each_half_life() {
    let mut experience = Experience::new(10, 30 * DAY);
    for _ in 0..8 {
        experience.handled("anna", Some("bill"), 100.0, 0);
    }
    experience.handled("bo", Some("bill"), 100.0, 30 * DAY);
    let tally = experience.pair("anna", "bill").expect("kept");
    assert!((tally.handled - 8.0).abs() < 1e-9, "it ages when something is added");
    experience.handled("anna", Some("bill"), 100.0, 30 * DAY);
    let tally = experience.pair("anna", "bill").expect("kept");
    assert!((tally.handled - 5.0).abs() < 1e-9, "{}", tally.handled);
    // What comes from a clock that is behind neither fades nor brings back.
    experience.handled("anna", Some("bill"), 100.0, 0);
    assert!((experience.pair("anna", "bill").expect("kept").handled - 6.0).abs() < 1e-9);
    experience.handled("anna", Some("bill"), 1.0, 30 * DAY);
    experience.handled("anna", Some("bill"), f64::NAN, 30 * DAY);
    assert!((experience.pair("anna", "bill").expect("kept").handled - 6.0).abs() < 1e-9);
}

#[test]
fn everything_that_grows_has_a_limit() {
    let settings = ContextSettings {
        conversations_max: 20,
        contacts_max: 30,
        pairs_max: 16,
        ..ContextSettings::default()
    };
    let mut board = Board::new(settings);
    for number in 0..500_u64 {
        let (who, agent) = (format!("k{number}"), format!("agent-{number}"));
        call(&mut board, &format!("c-{number}"), number * MINUTE, &who, "bill", &agent, 1);
        take(&mut board, &format!("c-{number}"), number * MINUTE, promised(Role::Agent, None));
    }
    assert!(board.live.len() <= 20 && board.order.len() == board.live.len());
    assert!(board.past.len() <= 30 && board.past.waiting() <= 30 * 8);
    assert!(board.experience.pairs() <= 16);
    // The newest are kept.
    assert!(board.experience.pair("agent-499", "bill").is_some());
    assert!(board.live(&"c-499".into()).is_some());
}

proptest! {
    #[test]
    fn weights_fall_with_age_and_stay_within_bounds(limit in 1_u64..1_000_000, a in 0_u64..50_000_000, b in 0_u64..50_000_000) {
        let (young, old) = (a.min(b), a.max(b));
        prop_assert!(weight(young, limit) >= weight(old, limit));
        prop_assert!((0.0..=1.0).contains(&weight(old, limit)));
        prop_assert_eq!(weight(limit, limit), 1.0);
        prop_assert_eq!(weight(old, 0), 1.0);
    }

    /// Whatever comes in whatever order: figures stay figures, and the same events give the same board.
    #[test]
    fn no_order_of_events_breaks_a_figure(steps in prop::collection::vec((0_u8..7, 0_u8..4, 0_u8..3, 0_u64..40), 1..120)) {
        let run = || {
            let mut board = Board::new(ContextSettings { conversations_max: 3, contacts_max: 2, pairs_max: 3, ..ContextSettings::default() });
            for (kind, conversation, who, days) in &steps {
                let body = match kind {
                    0 => started(),
                    1 => caller(&who.to_string(), Some(f64::from(*who) * 10.0)),
                    2 => intent(["bill", "move", "roaming"][usize::from(*who)], 0.9),
                    3 => assigned(["anna", "bo", "cleo"][usize::from(*who)]),
                    4 => promised(Role::Agent, Some(jiff::civil::date(1970, 1, 20))),
                    5 => said(Role::Customer, "hello there", "en"),
                    _ => ended(),
                };
                take(&mut board, &format!("c-{conversation}"), days * DAY / 2, body);
            }
            board
        };
        let board = run();
        prop_assert!(board.live.len() <= 3 && board.past.len() <= 2 && board.experience.pairs() <= 3);
        for conversation in ["c-0", "c-1", "c-2", "c-3"] {
            let id = ConversationId::from(conversation);
            let fit = board.fit(&id, "anna", 21 * DAY);
            prop_assert!(fit.handling_s.is_finite() && fit.handling_s > 0.0);
            prop_assert!((0.0..=1.0).contains(&fit.resolves), "{}", fit.resolves);
            for known in board.features(&id, 21 * DAY) {
                prop_assert!(known.weight >= WEIGHT_MIN && known.weight <= 1.0);
                if let FeatureValue::Number(number) = known.feature.value {
                    prop_assert!(number.is_finite());
                }
            }
            prop_assert_eq!(board.features(&id, 21 * DAY), run().features(&id, 21 * DAY));
        }
    }
}

fn offered(item: &str, label: &str) -> EventBody {
    EventBody::RouteOffered(Box::new(WorkOffered {
        item: item.into(),
        conversation: None,
        external_id: None,
        workstream: "records".into(),
        features: vec![],
        intents: vec![Intent { label: label.into(), probability: 0.9 }],
        preferred: vec![],
        by: Some("acd".into()),
        at_ms: 0,
    }))
}

fn given(item: &str, agent: &str) -> EventBody {
    let EventBody::RouteAssigned(mut one) = assigned(agent) else { panic!("it is one") };
    one.item = item.into();
    EventBody::RouteAssigned(one)
}

fn moved(item: &str, step: WorkStep) -> EventBody {
    EventBody::RouteMoved(Box::new(WorkMoved { item: item.into(), step, by: None, at_ms: 0 }))
}

#[test]
fn work_without_a_conversation_teaches_how_long_it_takes() {
    let mut board = board();
    for number in 0..20 {
        let (item, begin) = (format!("i-{number}"), number * 30 * MINUTE);
        let mut tell = |after_minutes: u64, body| {
            take(&mut board, ROUTING, begin + after_minutes * MINUTE, body);
        };
        tell(0, offered(&item, "claim"));
        tell(0, given(&item, "bo"));
        // Bo passes it on, Anna looks at her offer for a minute, and it takes her ten.
        tell(1, moved(&item, WorkStep::Transferred("claims".into())));
        tell(2, given(&item, "anna"));
        tell(3, moved(&item, WorkStep::Accepted));
        tell(13, moved(&item, WorkStep::Ended));
        tell(20, moved(&item, WorkStep::Released));
    }
    let now = 20 * 30 * MINUTE;
    take(&mut board, "c-1", now, started());
    take(&mut board, "c-1", now, intent("claim", 1.0));
    let seconds = |agent| board.fit(&"c-1".into(), agent, now).handling_s;
    let all = (20.0 * 600.0 + 10.0 * 300.0) / 30.0;
    let of_intent = (20.0 * 600.0 + 10.0 * all) / 30.0;
    let of_anna = (20.0 * 600.0 + 10.0 * of_intent) / 30.0;
    assert!((seconds("anna") - of_anna).abs() < 3.0, "{} against {of_anna}", seconds("anna"));
    assert!((seconds("bo") - of_intent).abs() < 3.0, "whoever passes it on learns nothing");
    let news = board.news();
    assert!(news.iter().any(|one| one.agent == "anna" && one.intent == "claim"), "{news:?}");
}

#[test]
fn work_that_nobody_ends_is_forgotten_in_time() {
    let settings = ContextSettings { conversations_max: 8, ..ContextSettings::default() };
    let mut board = Board::new(settings);
    for number in 0..100 {
        let item = format!("i-{number}");
        take(&mut board, ROUTING, number * MINUTE, offered(&item, "claim"));
        take(&mut board, ROUTING, number * MINUTE, given(&item, "anna"));
    }
    // The first is forgotten, the last isn't.
    for item in ["i-0", "i-99"] {
        take(&mut board, ROUTING, 110 * MINUTE, moved(item, WorkStep::Ended));
    }
    let news = board.news();
    assert_eq!(news.len(), 1, "{news:?}");
    assert!((news[0].handled - 1.0).abs() < 1e-6 && (news[0].total_s - 660.0).abs() < 1e-6);
}
