//! A day's work: it outlives its items, another plan and a restart, and ends with the day.

use super::plan_of;
use super::scenario::MONDAY_MS;
use crate::domain::WorkItemId;
use crate::routing::desk::{Counted, Desk, Input, Offer, Output};
use crate::routing::plan::Presence;

const HOUR_MS: u64 = 3_600_000;
const PLAN: &str = r#"
mode = "active"
profiles = [{ name = "cases", limit = 3, reset = "end_of_day" }]
queues = [{ name = "q", channel = "messaging", answer_within_s = 0 }]
workstreams = [{ name = "w", channel = "messaging", fallback_queue = "q", profiles = ["cases"], wrap_up_blocks = false }]
[[agents]]
name = "ana"
queues = ["q"]
profiles = [{ profile = "cases" }]
"#;

fn desk_of(plan: &str) -> Desk {
    let mut desk = Desk::new(plan_of(plan), "d-");
    let (agent, presence) = ("ana".to_owned(), Presence::Available);
    let there = Input::PresenceChanged { agent, presence };
    desk.handle(there, MONDAY_MS + 9 * HOUR_MS).expect("an agent of the plan");
    desk
}

fn offer(desk: &mut Desk, item: &str, at_ms: u64) {
    let offer = Offer {
        item: WorkItemId::from(item),
        workstream: "w".to_owned(),
        features: Vec::new(),
        intents: Vec::new(),
        preferred: Vec::new(),
    };
    desk.handle(Input::Offered(offer), at_ms).expect("a new item");
}

fn used(desk: &Desk) -> i32 {
    desk.agent("ana").expect("an agent of the plan").capacity[0].1
}

#[test]
fn it_is_kept_over_another_plan_and_ends_with_the_day() {
    let mut desk = desk_of(PLAN);
    let morning_ms = MONDAY_MS + 9 * HOUR_MS;
    for item in ["i-1", "i-2"] {
        offer(&mut desk, item, morning_ms);
        desk.handle(Input::Accepted { item: item.into() }, morning_ms).expect("offered");
    }
    desk.handle(Input::Ended { item: "i-1".into() }, morning_ms).expect("there");
    let told: Vec<Output> = std::iter::from_fn(|| desk.poll()).collect();
    let is_daily = |output: &Output| match output {
        Output::Assigned(assignment) => assignment.day_profiles == ["cases"],
        _ => true,
    };
    assert!(told.iter().all(is_daily), "the log says what counts for the day: {told:?}");
    for seed in 1..3 {
        let next = plan_of(&format!("seed = {seed}\n{PLAN}"));
        desk.handle(Input::PlanReplaced(Box::new(next)), morning_ms + HOUR_MS).expect("a plan");
        assert_eq!(used(&desk), 2, "one done, one open");
    }
    desk.handle(Input::Tick, MONDAY_MS + 23 * HOUR_MS).expect("a tick");
    assert_eq!(used(&desk), 2);
    desk.handle(Input::Tick, MONDAY_MS + 24 * HOUR_MS).expect("a tick");
    assert_eq!(used(&desk), 0, "the day is over");
    // What is still open from yesterday isn't counted by a plan of today either.
    let next = plan_of(&format!("seed = 9\n{PLAN}"));
    desk.handle(Input::PlanReplaced(Box::new(next)), MONDAY_MS + 25 * HOUR_MS).expect("a plan");
    assert_eq!(used(&desk), 0);
}

#[test]
fn after_a_restart_it_is_what_was_assigned_since_the_day_began() {
    let profiles = ["cases".to_owned(), "gone".to_owned()];
    let at = |hour: u64| MONDAY_MS + hour * HOUR_MS;
    let counted = |hour| Counted { agent: "ana", profiles: &profiles, at_ms: at(hour) };
    let shifts =
        "shifts = [{ days = [\"monday\", \"tuesday\"], from = \"08:00\", to = \"16:00\" }]\n";
    for (shifts, assigned, wanted) in [
        ("", [10, 23, 25, 26], 2),
        ("", [1, 2, 3, 4], 0),
        (shifts, [10, 15, 17, 26], 2),
        (shifts, [33, 34, 34, 34], 4),
    ] {
        let mut desk = desk_of(&format!("{PLAN}{shifts}"));
        let mut counted: Vec<Counted<'_>> = assigned.map(counted).into();
        counted.push(Counted { agent: "nobody", ..counted[0] });
        desk.count_days_work(&counted, at(35));
        assert_eq!(used(&desk), wanted, "{assigned:?}");
        desk.handle(Input::Tick, at(35)).expect("a tick");
        assert_eq!(used(&desk), wanted, "{assigned:?}");
        desk.handle(Input::Tick, at(48)).expect("a tick");
        assert_eq!(used(&desk), 0, "{assigned:?}: the day is over");
    }
}

#[test]
fn it_is_kept_over_a_plan_that_leaves_its_profile_or_its_agent_out() {
    let morning_ms = MONDAY_MS + 9 * HOUR_MS;
    for (from, to) in [("\"cases\"", "\"others\""), ("\"ana\"", "\"zoe\"")] {
        for (back_ms, wanted) in [(morning_ms + HOUR_MS, 2), (morning_ms + 24 * HOUR_MS, 0)] {
            let mut desk = desk_of(PLAN);
            for item in ["i-1", "i-2"] {
                offer(&mut desk, item, morning_ms);
                desk.handle(Input::Accepted { item: item.into() }, morning_ms).expect("offered");
                desk.handle(Input::Ended { item: item.into() }, morning_ms).expect("there");
            }
            let without = Box::new(plan_of(&PLAN.replace(from, to)));
            desk.handle(Input::PlanReplaced(without), morning_ms).expect("a plan");
            desk.handle(Input::PlanReplaced(Box::new(plan_of(PLAN))), back_ms).expect("a plan");
            assert_eq!(used(&desk), wanted, "{from}");
            super::audit::audit(&desk).expect("consistent");
        }
    }
}

#[test]
fn an_offer_of_yesterday_gives_nothing_back_today() {
    let at = |hour: u64| MONDAY_MS + hour * HOUR_MS;
    let mut desk = desk_of(PLAN);
    offer(&mut desk, "i-1", at(23));
    desk.handle(Input::Tick, at(24)).expect("a tick");
    offer(&mut desk, "i-2", at(25));
    assert_eq!(used(&desk), 1, "the day is a new one");
    let away = Input::PresenceChanged { agent: "ana".to_owned(), presence: Presence::Away };
    desk.handle(away, at(25)).expect("an agent of the plan");
    desk.handle(Input::Declined { item: "i-1".into() }, at(25)).expect("offered");
    assert_eq!(used(&desk), 1);
    desk.handle(Input::Declined { item: "i-2".into() }, at(25)).expect("offered");
    assert_eq!(used(&desk), 0, "that one was today's");
}
