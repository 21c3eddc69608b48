//! What must hold whatever comes, in any order.

use proptest::prelude::*;

use super::audit::audit;
use super::plan_of;
use super::scenario::MONDAY_MS;
use crate::domain::{Feature, FeatureValue, Intent, RoutingMode, WorkItemId};
use crate::routing::desk::{Desk, Input, Offer, Output, Target};
use crate::routing::plan::{Plan, Presence};

const AGENTS: usize = 6;
const ITEMS: usize = 12;
const QUEUES: [&str; 5] = ["least", "turns", "near", "worth", "rules"];

fn plan(mode: &str) -> Plan {
    let agents: Vec<String> = (0..AGENTS)
        .map(|number| {
            format!(
                "[[agents]]\nname = \"a{number}\"\ngroups = [\"g{}\"]\nqueues = [\"worth\", \"rules\", \"{}\"]\n\
                 skills = {{ s = {}, t = {} }}\nprofiles = [{{ profile = \"p\" }}, {{ profile = \"q\" }}]\n",
                number % 2,
                QUEUES[number % 3],
                number % 3 + 1,
                number % 2 + 1,
            )
        })
        .collect();
    let routes: Vec<String> = QUEUES
        .iter()
        .map(|queue| format!("{{ name = \"{queue}\", queue = \"{queue}\", when = {{ attribute = \"to\", is = \"{queue}\" }} }}"))
        .collect();
    plan_of(&format!(
        r#"
mode = "{mode}"
declines_allowed = 2
block = {{ messaging = 3 }}
skills = [{{ name = "s" }}, {{ name = "t" }}]
profiles = [{{ name = "p", limit = 2 }}, {{ name = "q", limit = 3, blocks = true }}]
groups = [{{ name = "g0", queues = ["turns"] }}, {{ name = "g1", queues = ["turns"] }}]
queues = [
  {{ name = "least", channel = "messaging", method = "highest_capacity", priority = 1, overflow.after = [{{ wait_s = 90, action = "queue", queue = "turns" }}] }},
  {{ name = "turns", channel = "messaging", answer_within_s = 0, method = "advanced_round_robin", bullseye = {{ levels = [{{ groups = ["g0"] }}, {{ wait_s = 30, groups = ["g1"] }}], fallback = "groups_only" }} }},
  {{ name = "near", channel = "messaging", answer_within_s = 0, method = "skills", overflow.before = [{{ when = "item_limit", limit = 2, action = "queue", queue = "least" }}], overflow.after = [{{ wait_s = 60, action = "end" }}] }},
  {{ name = "worth", channel = "messaging", answer_within_s = 0, method = "context" }},
  {{ name = "rules", channel = "messaging", answer_within_s = 0, method = "custom", assignment = [{{ name = "r", skills = "exact", order_by = "most_proficient" }}] }},
]
{agents}
[[workstreams]]
name = "w"
channel = "messaging"
fallback_queue = "least"
profiles = ["p"]
presences = ["available", "busy"]
preferred_agent_wait_s = 20
classification = [{{ name = "c", rules = [
  {{ name = "hard", when = {{ attribute = "hard", above = 0.6 }}, skills = {{ s = 2 }}, profiles = ["q"] }},
  {{ name = "odd", when = {{ attribute = "hard", above = 0.3 }}, skills = {{ s = 3, t = 2 }} }},
] }}]
routes = [{routes}]
"#,
        agents = agents.concat(),
        routes = routes.join(", "),
    ))
}

#[derive(Clone, Debug)]
enum Step {
    Offer { item: usize, to: usize, hard: f64, preferred: Option<usize> },
    Update { item: usize, hard: f64, to: usize },
    Of { item: usize, what: u8 },
    Give { item: usize, agent: usize },
    Move { item: usize, to: usize },
    Presence { agent: usize, presence: Presence },
    Queue { agent: usize, queue: usize, joins: bool },
    Limit { agent: usize, limit: Option<u32> },
    Wait { seconds: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    let presence = prop_oneof![
        4 => Just(Presence::Available), 1 => Just(Presence::Busy), 1 => Just(Presence::Offline),
    ];
    let preferred = prop_oneof![3 => Just(None), 1 => (0..AGENTS).prop_map(Some)];
    prop_oneof![
        6 => (0..ITEMS, 0..6usize, 0.0..1.0, preferred)
            .prop_map(|(item, to, hard, preferred)| Step::Offer { item, to, hard, preferred }),
        1 => (0..ITEMS, 0.0..1.0, 0..6usize).prop_map(|(item, hard, to)| Step::Update { item, hard, to }),
        6 => (0..ITEMS, 0..4u8).prop_map(|(item, what)| Step::Of { item, what }),
        1 => (0..ITEMS, 0..AGENTS).prop_map(|(item, agent)| Step::Give { item, agent }),
        1 => (0..ITEMS, 0..5usize).prop_map(|(item, to)| Step::Move { item, to }),
        4 => (0..AGENTS, presence).prop_map(|(agent, presence)| Step::Presence { agent, presence }),
        1 => (0..AGENTS, 0..5usize, any::<bool>())
            .prop_map(|(agent, queue, joins)| Step::Queue { agent, queue, joins }),
        1 => (0..AGENTS, prop::option::of(0..5u32)).prop_map(|(agent, limit)| Step::Limit { agent, limit }),
        4 => (1..50u64).prop_map(|seconds| Step::Wait { seconds }),
    ]
}

fn input(step: &Step, now_ms: u64) -> Input {
    let id = |item: &usize| WorkItemId::from(format!("i{item}"));
    let name = |agent: &usize| format!("a{agent}");
    let queue = |to: &usize| QUEUES.get(*to).unwrap_or(&"nowhere").to_string();
    let features = |hard: f64, to: &usize| {
        let feature = |name: &'static str, value| Feature {
            name: name.into(),
            value,
            source: "test".into(),
            as_of_ms: now_ms,
        };
        vec![
            feature("hard", FeatureValue::Number(hard)),
            feature("value", FeatureValue::Number(hard * 3.0)),
            feature("to", FeatureValue::Text(queue(to))),
        ]
    };
    match step {
        Step::Offer { item, to, hard, preferred } => Input::Offered(Offer {
            item: id(item),
            workstream: "w".to_owned(),
            features: features(*hard, to),
            intents: vec![Intent { label: "k".to_owned(), probability: *hard as f32 }],
            preferred: preferred.iter().map(name).collect(),
        }),
        Step::Update { item, hard, to } => {
            Input::Updated { item: id(item), features: features(*hard, to), intents: None }
        }
        Step::Of { item, what } => match what {
            0 => Input::Accepted { item: id(item) },
            1 => Input::Declined { item: id(item) },
            2 => Input::Ended { item: id(item) },
            _ => Input::Released { item: id(item) },
        },
        Step::Give { item, agent } => {
            Input::Assigned { item: id(item), agent: name(agent), by: "test".to_owned() }
        }
        Step::Move { item, to } => Input::Transferred {
            item: id(item),
            to: Target::Queue(queue(to)),
            by: "test".to_owned(),
        },
        Step::Presence { agent, presence } => {
            Input::PresenceChanged { agent: name(agent), presence: *presence }
        }
        Step::Queue { agent, queue: to, joins: true } => {
            Input::QueueJoined { agent: name(agent), queue: queue(to) }
        }
        Step::Queue { agent, queue: to, .. } => {
            Input::QueueLeft { agent: name(agent), queue: queue(to) }
        }
        Step::Limit { agent, limit } => {
            Input::LimitSet { agent: name(agent), profile: "p".to_owned(), limit: *limit }
        }
        Step::Wait { .. } => Input::Tick,
    }
}

/// Runs steps; `each` sees the desk before and the outputs of each step.
fn run(
    mode: &str,
    steps: &[(Step, bool)],
    mut each: impl FnMut(&Desk, &Desk, &[Output]),
) -> Vec<Output> {
    let mut desk = Desk::new(plan(mode), "d-");
    let (mut now_ms, mut all) = (MONDAY_MS, Vec::new());
    for (step, together) in steps {
        if let Step::Wait { seconds } = step {
            now_ms += seconds * 1000;
        }
        let before = desk.clone();
        // What doesn't fit is refused; that is part of what may come.
        let _ = desk.note(input(step, now_ms), now_ms);
        if !together {
            desk.settle(now_ms);
        }
        let outputs: Vec<Output> = std::iter::from_fn(|| desk.poll()).collect();
        each(&before, &desk, &outputs);
        all.extend(outputs);
    }
    all
}

fn steps() -> impl Strategy<Value = Vec<(Step, bool)>> {
    prop::collection::vec((step(), prop::bool::weighted(0.2)), 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_item_is_in_one_place_and_automatic_assignment_stays_within_capacity(steps in steps()) {
        run("active", &steps, |before, desk, outputs| {
            audit(desk).expect("consistent");
            for output in outputs {
                let Output::Assigned(assigned) = output else { continue };
                let by_hand = assigned.by.is_some();
                let view = desk.agent(&assigned.agent).expect("an agent of the plan");
                let was = before.agent(&assigned.agent).expect("an agent of the plan");
                for ((_, used, limit), (_, used_before, _)) in view.capacity.iter().zip(&was.capacity) {
                    assert!(by_hand || used <= limit || used <= used_before, "{assigned:?}: {view:?}");
                }
            }
        });
    }

    #[test]
    fn nobody_is_assigned_who_is_not_eligible(steps in steps()) {
        run("active", &steps, |_, desk, outputs| {
            for output in outputs {
                let Output::Assigned(assigned) = output else { continue };
                if assigned.by.is_some() {
                    continue;
                }
                let agent = desk.agent_named(&assigned.agent).expect("an agent");
                let is_there = desk.present[agent as usize] & 0b11 != 0;
                assert!(is_there, "{assigned:?} isn't there");
                let Some(at) = desk.items.find(&assigned.item) else { continue };
                let item = desk.items.of(at);
                if assigned.queue == "near" || item.agent() != Some(agent) {
                    continue;
                }
                let skills = desk.levels_of(agent);
                assert!(crate::routing::methods::meets(&item.skills, skills), "{assigned:?} lacks skills");
                assert!(item.declines_of(agent) < 2, "{assigned:?} has declined it for good");
            }
        });
    }

    #[test]
    fn the_same_inputs_give_the_same_outputs(steps in steps()) {
        let first = run("active", &steps, |_, _, _| {});
        prop_assert_eq!(first, run("active", &steps, |_, _, _| {}));
    }

    #[test]
    fn shadow_mode_changes_no_agent(steps in steps()) {
        run("shadow", &steps, |_, desk, outputs| {
            audit(desk).expect("consistent");
            for output in outputs {
                match output {
                    Output::Assigned(assigned) => assert!(assigned.by.is_some(), "{assigned:?}"),
                    Output::Decided(decision) => assert_eq!(decision.mode, RoutingMode::Shadow),
                    _ => {}
                }
            }
        });
    }

    #[test]
    fn nobody_waits_while_somebody_may_take_them(steps in steps()) {
        run("active", &steps, |_, _, _| {});
        let mut desk = Desk::new(plan("active"), "d-");
        let mut now_ms = MONDAY_MS;
        for (step, _) in &steps {
            if let Step::Wait { seconds } = step {
                now_ms += seconds * 1000;
            }
            let _ = desk.handle(input(step, now_ms), now_ms);
        }
        // What a block left, levels, preferences, offers that nobody answers: the desk itself says when to look again.
        for _ in 0..1000 {
            let Some(due_ms) = desk.next_due_ms() else { break };
            now_ms = now_ms.max(due_ms);
            desk.handle(Input::Tick, now_ms).expect("a tick");
        }
        prop_assert_eq!(desk.next_due_ms(), None, "it never comes to rest");
        let waiting: Vec<u32> = desk.items.all().filter(|(_, item)| item.agent().is_none()).map(|(at, _)| at).collect();
        for at in waiting {
            let item = desk.items.of(at).clone();
            let limits_changed = desk.stale.contains(&item.queue);
            let mut pools = Default::default();
            let free = desk.eligible(at, &mut pools, 1, 0, now_ms);
            let fits = |agent: u32| {
                crate::routing::methods::meets(&item.skills, desk.levels_of(agent))
            };
            let missed = free.iter().any(|seen| fits(seen.agent));
            prop_assert!(limits_changed || !missed, "{} waits in {} though {:?}", item.id, item.queue, free);
        }
    }
}
