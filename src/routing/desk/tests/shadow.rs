//! Recommendations that stand: over another plan, a restart, and what the other router says as it assigns.

use super::plan_of;
use super::scenario::MONDAY_MS;
use crate::domain::{Assignment, DecisionId, WorkItemId};
use crate::routing::desk::{Desk, Input, Offer, Output};
use crate::routing::plan::Presence;

const PLAN: &str = r#"
mode = "shadow"
profiles = [{ name = "p", limit = 1 }]
queues = [{ name = "q", channel = "messaging" }, { name = "other", channel = "messaging" }]
agents = [
  { name = "ana", queues = ["q"], profiles = [{ profile = "p" }] },
  { name = "ben", queues = ["q"], profiles = [{ profile = "p" }] },
]
workstreams = [{ name = "w", channel = "messaging", fallback_queue = "q", profiles = ["p"] }]
"#;

fn offer(item: &str) -> Offer {
    Offer {
        item: WorkItemId::from(item),
        workstream: "w".to_owned(),
        features: Vec::new(),
        intents: Vec::new(),
        preferred: Vec::new(),
    }
}

fn presence(desk: &mut Desk, agent: &str, presence: Presence, at_s: u64) -> Vec<Output> {
    let input = Input::PresenceChanged { agent: agent.to_owned(), presence };
    desk.handle(input, MONDAY_MS + at_s * 1000).expect("an agent of the plan");
    std::iter::from_fn(|| desk.poll()).collect()
}

/// Ana alone is there, and two items were recommended to her, one after the other.
fn two_for_ana() -> Desk {
    let mut desk = Desk::new(plan_of(PLAN), "d-");
    presence(&mut desk, "ana", Presence::Available, 0);
    for item in ["i-1", "i-2"] {
        desk.handle(Input::Offered(offer(item)), MONDAY_MS).expect("a new item");
    }
    std::iter::from_fn(|| desk.poll()).for_each(drop);
    assert_eq!(recommended(&desk), [Some("ana".to_owned()), Some("ana".to_owned())]);
    desk
}

fn recommended(desk: &Desk) -> [Option<String>; 2] {
    ["i-1", "i-2"].map(|item| desk.item(&WorkItemId::from(item)).and_then(|item| item.recommended))
}

fn decisions(outputs: &[Output]) -> usize {
    outputs.iter().filter(|output| matches!(output, Output::Decided(_))).count()
}

#[test]
fn another_plan_leaves_recommendations_where_they_are() {
    let mut desk = two_for_ana();
    let next = plan_of(&format!("seed = 7\n{PLAN}"));
    desk.handle(Input::PlanReplaced(Box::new(next)), MONDAY_MS + 1000).expect("a plan");
    let outputs: Vec<Output> = std::iter::from_fn(|| desk.poll()).collect();
    assert_eq!(decisions(&outputs), 0, "{outputs:?}");
    assert_eq!(recommended(&desk), [Some("ana".to_owned()), Some("ana".to_owned())]);
    // They stand as they did before: when she is lost, both are weighed anew.
    let outputs = presence(&mut desk, "ana", Presence::Away, 2);
    assert_eq!(decisions(&outputs), 2, "{outputs:?}");
    assert_eq!(recommended(&desk), [None, None]);
    super::audit::audit(&desk).expect("consistent");
}

#[test]
fn whoever_has_left_the_plan_or_its_queue_is_recommended_no_more() {
    for gone in ["ana\", queues = [\"q\"]", "ana\", "] {
        let mut desk = two_for_ana();
        presence(&mut desk, "ben", Presence::Available, 0);
        let to = if gone.contains("queues") { "ana\", queues = [\"other\"]" } else { "zoe\", " };
        let next = plan_of(&PLAN.replace(gone, to));
        desk.handle(Input::PlanReplaced(Box::new(next)), MONDAY_MS + 1000).expect("a plan");
        let is_ana = |one: &Option<String>| one.as_deref() == Some("ana");
        assert!(!recommended(&desk).iter().any(is_ana), "{:?}", recommended(&desk));
        assert!(recommended(&desk).contains(&Some("ben".to_owned())));
    }
}

#[test]
fn after_a_restart_a_recommendation_stands_and_nothing_is_told() {
    let mut desk = Desk::new(plan_of(PLAN), "e-");
    presence(&mut desk, "ana", Presence::Available, 0);
    for item in ["i-1", "i-2"] {
        desk.note(Input::Restored(offer(item)), MONDAY_MS).expect("a new item");
    }
    std::iter::from_fn(|| desk.poll()).for_each(drop);
    for item in ["i-1", "i-2"] {
        let id = WorkItemId::from(item);
        assert!(desk.advised_before(&id, "q", "ana", "d-1".into(), MONDAY_MS));
        assert!(!desk.advised_before(&id, "q", "ben", "d-1".into(), MONDAY_MS), "he isn't there");
        assert!(!desk.advised_before(&id, "other", "ana", "d-1".into(), MONDAY_MS), "it moved");
    }
    desk.handle(Input::Tick, MONDAY_MS + 1000).expect("a tick");
    let outputs: Vec<Output> = std::iter::from_fn(|| desk.poll()).collect();
    assert_eq!(outputs, []);
    assert_eq!(recommended(&desk), [Some("ana".to_owned()), Some("ana".to_owned())]);
}

fn assigned(outputs: &[Output]) -> &Assignment {
    let of = |output: &Output| matches!(output, Output::Assigned(_));
    match outputs.iter().find(|output| of(output)) {
        Some(Output::Assigned(assignment)) => assignment,
        _ => panic!("nobody was assigned: {outputs:?}"),
    }
}

#[test]
fn whoever_the_router_calls_busy_before_it_assigns_them_is_who_was_recommended() {
    let give = |at_s: u64| {
        let mut desk = two_for_ana();
        presence(&mut desk, "ben", Presence::Available, 0);
        let outputs = presence(&mut desk, "ana", Presence::DoNotDisturb, 1);
        assert_eq!(decisions(&outputs), 2, "{outputs:?}");
        let (item, agent) = (WorkItemId::from("i-1"), "ana".to_owned());
        let input = Input::Assigned { item, agent, by: "acd".to_owned() };
        desk.handle(input, MONDAY_MS + at_s * 1000).expect("there");
        let outputs: Vec<Output> = std::iter::from_fn(|| desk.poll()).collect();
        let assignment = assigned(&outputs);
        (assignment.recommended.clone(), assignment.decision.clone())
    };
    assert_eq!(give(2), (None, Some(DecisionId::from("d-1"))), "it did as was recommended");
    let (recommended, _) = give(300);
    assert_eq!(recommended.as_deref(), Some("ben"), "that was another choice");
}
