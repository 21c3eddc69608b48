//! Statements that need more than a scenario's lines can say.

use std::collections::HashMap;

use super::plan_of;
use super::scenario::MONDAY_MS;
use crate::domain::{Feature, FeatureValue, Intent, WorkItemId};
use crate::routing::desk::context::KINDS_MAX;
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

/// One queue, ana and ben in it, one item at a time.
const PAIR: &str = r#"
mode = "active"
profiles = [{ name = "p", limit = 1 }]
queues = [{ name = "a", channel = "messaging" }, { name = "b", channel = "messaging", hours = "never" }]
hours = [{ name = "never", time_zone = "UTC" }]
agents = [
  { name = "ana", queues = ["a"], profiles = [{ profile = "p" }] },
  { name = "ben", queues = ["a"], profiles = [{ profile = "p" }] },
]
[[workstreams]]
name = "w"
channel = "messaging"
fallback_queue = "a"
profiles = ["p"]
routes = [{ name = "to b", queue = "b", when = { attribute = "to", is = "b" }, overflow = [{ when = "out_of_hours", action = "end" }] }]
"#;

fn pair(there: &[&str]) -> Desk {
    let mut desk = Desk::new(plan_of(PAIR), "d-");
    for agent in there {
        let (agent, presence) = ((*agent).to_owned(), Presence::Available);
        desk.handle(Input::PresenceChanged { agent, presence }, MONDAY_MS).expect("an agent");
    }
    desk
}

fn place(desk: &Desk, item: &str) -> Option<(&'static str, Option<String>)> {
    desk.item(&WorkItemId::from(item)).map(|item| (item.place, item.agent))
}

fn without_ana() -> plan::Plan {
    plan_of(
        &PAIR
            .replace("{ name = \"ana\", queues = [\"a\"], profiles = [{ profile = \"p\" }] },", ""),
    )
}

#[test]
fn what_was_offered_to_somebody_who_left_the_plan_is_offered_to_another() {
    let mut desk = pair(&["ana"]);
    desk.handle(offer("i-1"), MONDAY_MS).expect("a new item");
    let (agent, presence) = ("ben".to_owned(), Presence::Available);
    desk.handle(Input::PresenceChanged { agent, presence }, MONDAY_MS).expect("an agent");
    assert_eq!(place(&desk, "i-1"), Some(("offered", Some("ana".to_owned()))));
    let replaced = Input::PlanReplaced(Box::new(without_ana()));
    desk.handle(replaced, MONDAY_MS + 1000).expect("a plan");
    super::audit::audit(&desk).expect("consistent");
    assert_eq!(place(&desk, "i-1"), Some(("offered", Some("ben".to_owned()))));
}

#[test]
fn what_somebody_who_is_gone_had_accepted_is_nobody_elses_after_a_restart() {
    let mut desk = Desk::new(without_ana(), "d-");
    let available =
        Input::PresenceChanged { agent: "ben".to_owned(), presence: Presence::Available };
    desk.note(available, MONDAY_MS).expect("an agent");
    for (item, is_accepted) in [("i-1", true), ("i-2", false)] {
        desk.note(Input::Restored(item_of(item, &[])), MONDAY_MS).expect("a new item");
        desk.resume(&WorkItemId::from(item), &[], Some(("ana", is_accepted)), MONDAY_MS);
    }
    desk.settle(MONDAY_MS);
    super::audit::audit(&desk).expect("consistent");
    assert_eq!(place(&desk, "i-1"), Some(("active", None)));
    assert_eq!(place(&desk, "i-2"), Some(("offered", Some("ben".to_owned()))));
    desk.handle(Input::Released { item: WorkItemId::from("i-1") }, MONDAY_MS).expect("there");
    assert_eq!(place(&desk, "i-1"), None);
}

fn item_of(item: &str, features: &[(&'static str, &str)]) -> Offer {
    let feature = |(name, value): &(&'static str, &str)| Feature {
        name: (*name).into(),
        value: FeatureValue::Text((*value).to_owned()),
        source: "test".into(),
        as_of_ms: MONDAY_MS,
    };
    let Input::Offered(offered) = offer(item) else { unreachable!() };
    Offer { features: features.iter().map(feature).collect(), ..offered }
}

#[test]
fn an_offer_from_before_a_restart_has_its_time_from_then_on() {
    let mut desk = Desk::new(plan_of(PAIR), "d-");
    let later_ms = MONDAY_MS + 3_600_000;
    desk.note(Input::Restored(item_of("i-1", &[])), MONDAY_MS).expect("a new item");
    desk.resume(&WorkItemId::from("i-1"), &[], Some(("ana", false)), MONDAY_MS);
    desk.handle(Input::Tick, later_ms).expect("a tick");
    assert_eq!(place(&desk, "i-1"), Some(("offered", Some("ana".to_owned()))));
    assert_eq!(desk.next_due_ms(), Some(later_ms + 30_000));
    desk.handle(Input::Tick, later_ms + 30_000).expect("a tick");
    assert_eq!(place(&desk, "i-1"), Some(("waiting", None)));
}

#[test]
fn what_comes_back_is_not_checked_again_before_it_is_queued() {
    let mut desk = Desk::new(plan_of(PAIR), "d-");
    let to_b = |item| item_of(item, &[("to", "b")]);
    desk.handle(Input::Offered(to_b("i-1")), MONDAY_MS).expect("a new item");
    assert_eq!(place(&desk, "i-1"), None, "the queue is closed");
    desk.handle(Input::Restored(to_b("i-2")), MONDAY_MS).expect("a new item");
    assert_eq!(desk.item(&WorkItemId::from("i-2")).map(|item| item.queue), Some("b".to_owned()));
}

#[test]
fn the_end_told_twice_ends_no_wrap_up() {
    let mut desk = pair(&["ana"]);
    desk.handle(offer("i-1"), MONDAY_MS).expect("a new item");
    let id = || WorkItemId::from("i-1");
    desk.handle(Input::Accepted { item: id() }, MONDAY_MS).expect("offered");
    for _ in 0..2 {
        desk.handle(Input::Ended { item: id() }, MONDAY_MS).expect("there");
        assert_eq!(place(&desk, "i-1"), Some(("wrapping_up", Some("ana".to_owned()))));
    }
}

#[test]
fn a_plan_without_shifts_has_everybody_on_shift() {
    assert!(pair(&["ana"]).agent("ana").expect("an agent").on_shift);
}

#[test]
fn what_is_not_known_any_more_routes_no_more() {
    let mut desk = Desk::new(
        plan_of(
            &PAIR
                .replace(", hours = \"never\"", "")
                .replace("when = \"out_of_hours\"", "when = \"item_limit\", limit = 9"),
        ),
        "d-",
    );
    desk.handle(Input::Offered(item_of("i-1", &[("known", "yes")])), MONDAY_MS).expect("new");
    let updated = |features: &[(&'static str, &str)]| Input::Updated {
        item: WorkItemId::from("i-1"),
        features: item_of("i-1", features).features,
        intents: None,
    };
    let names = |desk: &Desk| -> Vec<String> {
        let at = desk.items.find(&WorkItemId::from("i-1")).expect("there");
        desk.items.of(at).features.iter().map(|one| one.name.to_string()).collect()
    };
    desk.handle(updated(&[("other", "x")]), MONDAY_MS).expect("there");
    assert_eq!(names(&desk), ["other"]);
}

#[test]
fn a_block_that_left_items_beside_free_agents_is_followed_by_another() {
    let agents: Vec<String> = (0..9)
        .map(|number| {
            format!(
                "{{ name = \"a{number}\", queues = [\"q\"], profiles = [{{ profile = \"p\" }}] }}"
            )
        })
        .collect();
    let mut desk = Desk::new(
        plan_of(&format!(
            "mode = \"active\"\nblock = {{ messaging = 4 }}\nprofiles = [{{ name = \"p\", limit = 1 }}]\n\
             queues = [{{ name = \"q\", channel = \"messaging\" }}]\nagents = [{}]\n\
             workstreams = [{{ name = \"w\", channel = \"messaging\", fallback_queue = \"q\", profiles = [\"p\"] }}]",
            agents.join(", ")
        )),
        "d-",
    );
    for number in 0..9 {
        desk.note(offer(&format!("i-{number}")), MONDAY_MS).expect("a new item");
        let (agent, presence) = (format!("a{number}"), Presence::Available);
        desk.note(Input::PresenceChanged { agent, presence }, MONDAY_MS).expect("an agent");
    }
    desk.settle(MONDAY_MS);
    let assigned = |desk: &mut Desk| {
        drain(desk).iter().filter(|output| matches!(output, Output::Assigned(_))).count()
    };
    let mut found = vec![assigned(&mut desk)];
    for second in 1..=2 {
        let due_ms = desk.next_due_ms().expect("more are to be tried");
        assert_eq!(due_ms, MONDAY_MS + second * 1000);
        desk.handle(Input::Tick, due_ms).expect("a tick");
        found.push(assigned(&mut desk));
    }
    assert_eq!(found, [4, 4, 1]);
}

#[test]
fn invented_kinds_of_contact_are_counted_out() {
    let mut desk = pair(&[]);
    for number in 0..KINDS_MAX + 100 {
        let label = format!("k{number}");
        let known = desk.kinds_of(&[Intent { label, probability: 1.0 }]);
        assert_eq!(known.len(), usize::from(number < KINDS_MAX));
    }
    assert_eq!(desk.means.len(), KINDS_MAX);
}
