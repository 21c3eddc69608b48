//! Statements that need more than a scenario's lines can say.

use std::collections::HashMap;

use super::plan_of;
use super::scenario::MONDAY_MS;
use crate::domain::WorkItemId;
use crate::routing::desk::{Desk, Input, Offer, Output, Refused};
use crate::routing::overflow;
use crate::routing::plan::{self, Presence};

const SHARES: &str = r#"
mode = "active"
seed = 11
profiles = [{ name = "chat", limit = 1 }]
queues = [
  { name = "a", channel = "messaging" },
  { name = "b", channel = "messaging", overflow.before = [{ when = "item_limit", limit = 1, action = "end" }] },
  { name = "c", channel = "messaging" },
]
[[workstreams]]
name = "w"
channel = "messaging"
fallback_queue = "c"
profiles = ["chat"]
routes = [{ name = "split", shares = [{ queue = "a", percent = 60 }, { queue = "b", percent = 30 }, { queue = "c", percent = 10 }] }]
"#;

fn offer(item: &str) -> Input {
    Input::Offered(Offer {
        item: WorkItemId::from(item),
        workstream: "w".to_owned(),
        features: Vec::new(),
        intents: Vec::new(),
        preferred: Vec::new(),
    })
}

fn drain(desk: &mut Desk) -> Vec<Output> {
    std::iter::from_fn(|| desk.poll()).collect()
}

#[test]
fn observed_shares_converge_with_volume() {
    let plan = SHARES.replace(
        ", overflow.before = [{ when = \"item_limit\", limit = 1, action = \"end\" }]",
        "",
    );
    let mut apart = Vec::new();
    for volume in [100, 20_000] {
        let mut desk = Desk::new(plan_of(&plan), "d-");
        let mut counts: HashMap<String, f64> = HashMap::new();
        for number in 0..volume {
            desk.handle(offer(&format!("i-{number}")), MONDAY_MS).expect("a new item");
            for output in drain(&mut desk) {
                if let Output::Queued(queued) = output {
                    assert_eq!(queued.routes_matched, [("split".to_owned(), queued.queue.clone())]);
                    assert!(queued.percent.is_some(), "the picked share is told");
                    *counts.entry(queued.queue).or_default() += 100.0 / f64::from(volume);
                }
            }
        }
        let wanted = [("a", 60.0), ("b", 30.0), ("c", 10.0)];
        let far =
            |(queue, percent): &(&str, f64)| (counts.get(*queue).unwrap_or(&0.0) - percent).abs();
        apart.push(wanted.iter().map(far).fold(0.0, f64::max));
    }
    assert!(apart[0] < 15.0 && apart[1] < 1.0, "{apart:?} per cent apart");
}

#[test]
fn a_share_is_picked_before_the_overflow_check() {
    let mut desk = Desk::new(plan_of(SHARES), "d-");
    let (mut in_b, mut overflowed) = (0, 0);
    for number in 0..200 {
        desk.handle(offer(&format!("i-{number}")), MONDAY_MS).expect("a new item");
        for output in drain(&mut desk) {
            match output {
                Output::Queued(queued) => in_b += u32::from(queued.queue == "b"),
                Output::Overflowed(over) => {
                    assert_eq!(over.queue, "b");
                    overflowed += 1;
                }
                _ => {}
            }
        }
    }
    // The full queue stays the pick of its share; its items aren't given to the others.
    assert_eq!(in_b, 1);
    assert!((30..90).contains(&overflowed), "{overflowed} of 200");
}

#[test]
fn the_seed_and_nothing_else_picks() {
    let queues = |seed: u64, first: u32| {
        let mut desk =
            Desk::new(plan_of(&SHARES.replace("seed = 11", &format!("seed = {seed}"))), "d-");
        let mut found = HashMap::new();
        for number in (first..100).chain(0..first) {
            desk.handle(offer(&format!("i-{number}")), MONDAY_MS).expect("a new item");
            for output in drain(&mut desk) {
                if let Output::Queued(queued) = output {
                    found.insert(queued.item.to_string(), queued.queue);
                }
            }
        }
        found.retain(|_, queue| queue != "b");
        found
    };
    assert_eq!(queues(1, 0), queues(1, 50));
    assert_ne!(queues(1, 0), queues(2, 0));
}

#[test]
fn more_than_twenty_overflows_a_minute_go_in_batches_shorter_waits_first_then_in_turn() {
    let plan = r#"
mode = "active"
profiles = [{ name = "chat", limit = 1 }]
queues = [
  { name = "a", channel = "messaging", overflow.after = [{ wait_s = 120, action = "end" }] },
  { name = "b", channel = "messaging", overflow.after = [{ wait_s = 60, action = "end" }] },
  { name = "c", channel = "messaging", overflow.after = [{ wait_s = 120, action = "end" }] },
]
workstreams = [
  { name = "a", channel = "messaging", fallback_queue = "a", profiles = ["chat"] },
  { name = "b", channel = "messaging", fallback_queue = "b", profiles = ["chat"] },
  { name = "c", channel = "messaging", fallback_queue = "c", profiles = ["chat"] },
]
"#;
    let mut desk = Desk::new(plan_of(plan), "d-");
    let mut put = |workstream: &str, count: u32, at_ms: u64| {
        for number in 0..count {
            let Input::Offered(mut offered) = offer(&format!("{workstream}-{number}")) else {
                unreachable!()
            };
            offered.workstream = workstream.to_owned();
            desk.handle(Input::Offered(offered), at_ms).expect("a new item");
        }
        drain(&mut desk);
    };
    put("a", 20, MONDAY_MS);
    put("c", 20, MONDAY_MS);
    put("b", 10, MONDAY_MS + 60_000);
    let mut over = |at_s: u64| {
        desk.handle(Input::Tick, MONDAY_MS + at_s * 1000).expect("a tick");
        let mut counts = [0; 3];
        for output in drain(&mut desk) {
            if let Output::Overflowed(over) = output {
                counts[usize::from(over.queue.as_bytes()[0] - b'a')] += 1;
            }
        }
        counts
    };
    assert_eq!(over(120), [5, 10, 5], "the shorter wait first, the others in turn");
    assert_eq!(over(150), [0, 0, 0], "the minute is full");
    assert_eq!(over(180), [10, 0, 10]);
    assert_eq!(over(240), [5, 0, 5]);
}

#[test]
fn a_batch_that_has_room_keeps_the_order_of_falling_due() {
    assert_eq!(overflow::batch(vec![(9, 1, 7), (1, 0, 8)], 2), [7, 8]);
    assert_eq!(overflow::batch(vec![(9, 1, 7), (1, 0, 8)], 1), [8]);
}

#[test]
fn an_input_that_names_nothing_is_refused_and_changes_nothing() {
    let mut desk = Desk::new(plan_of(SHARES), "d-");
    desk.handle(offer("i-1"), MONDAY_MS).expect("a new item");
    drain(&mut desk);
    let id = || WorkItemId::from("i-1");
    let ghost = || WorkItemId::from("i-9");
    let cases = [
        (offer("i-1"), Refused::KnownItem),
        (Input::Ended { item: ghost() }, Refused::NoSuchItem),
        (Input::Accepted { item: id() }, Refused::NotOffered),
        (Input::Declined { item: id() }, Refused::NotOffered),
        (Input::Released { item: id() }, Refused::NotOffered),
        (
            Input::PresenceChanged { agent: "nobody".to_owned(), presence: Presence::Away },
            Refused::NoSuchAgent,
        ),
        (
            Input::Assigned { item: id(), agent: "nobody".to_owned(), by: "me".to_owned() },
            Refused::NoSuchAgent,
        ),
    ];
    for (input, refused) in cases {
        assert_eq!(desk.handle(input, MONDAY_MS), Err(refused));
        assert_eq!(drain(&mut desk), []);
        assert_eq!(desk.item(&id()).map(|item| item.place), Some("waiting"));
    }
}

#[test]
fn another_plan_keeps_agents_items_and_a_days_work() {
    let plan = r#"
mode = "active"
profiles = [{ name = "daily", limit = 3, reset = "end_of_day" }]
queues = [{ name = "a", channel = "messaging" }, { name = "b", channel = "messaging" }]
agents = [{ name = "ana", queues = ["a"], profiles = [{ profile = "daily" }] }]
workstreams = [{ name = "w", channel = "messaging", fallback_queue = "a", profiles = ["daily"], wrap_up_blocks = false }]
"#;
    let mut desk = Desk::new(plan_of(plan), "d-");
    let available =
        Input::PresenceChanged { agent: "ana".to_owned(), presence: Presence::Available };
    desk.handle(available, MONDAY_MS).expect("an agent");
    for item in ["i-1", "i-2", "i-3", "i-4"] {
        desk.handle(offer(item), MONDAY_MS).expect("a new item");
    }
    desk.handle(Input::Accepted { item: WorkItemId::from("i-1") }, MONDAY_MS).expect("offered");
    desk.handle(Input::Ended { item: WorkItemId::from("i-1") }, MONDAY_MS).expect("there");
    drain(&mut desk);
    // The queue in which one waits is gone, and a profile has another limit.
    let next = plan
        .replace("{ name = \"a\", channel = \"messaging\" }, ", "")
        .replace("queues = [\"a\"]", "queues = [\"b\"]")
        .replace("fallback_queue = \"a\"", "fallback_queue = \"b\"")
        .replace("limit = 3", "limit = 4");
    desk.handle(Input::PlanReplaced(Box::new(plan_of(&next))), MONDAY_MS).expect("a plan");
    super::audit::audit(&desk).expect("consistent");
    let view = desk.agent("ana").expect("kept");
    assert_eq!(view.capacity, [("daily".to_owned(), 4, 4)], "one done, two open, one new");
    assert_eq!(view.presence, Presence::Available);
    assert_eq!(desk.epoch(), 2);
    let place =
        |item: &str| desk.item(&WorkItemId::from(item)).map(|item| (item.place, item.queue));
    assert_eq!(place("i-2"), Some(("offered", "b".to_owned())));
    assert_eq!(place("i-4"), Some(("offered", "b".to_owned())));
    assert_eq!(place("i-1"), None);
}

#[test]
fn a_plan_can_be_written_as_json() {
    let tree: toml::Value = toml::from_str(SHARES).expect("TOML");
    let json = serde_json::to_string(&tree).expect("JSON");
    let plan = plan::from_json(&json).expect("the same shape");
    assert_eq!(plan.queues.len(), 3);
    assert_eq!(plan.workstreams[0].routes[0].shares.len(), 3);
}
