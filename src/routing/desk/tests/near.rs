//! Method `context` against the policy that the simulator measures, and what it learns from reports.

use proptest::prelude::*;

use super::plan_of;
use super::scenario::MONDAY_MS;
use crate::domain::{Intent, WorkItemId};
use crate::routing::assign::{self, Edge};
use crate::routing::desk::{Desk, Input, Offer, Output};
use crate::routing::plan::Presence;
use crate::routing::score;
use crate::routing::simulate::queues::Idle;

/// A desk with one queue, where everybody is free. Of each agent: of 1000 contacts so many resolved, by kind, and the
/// place in the order of being idle.
fn desk_of(agents: &[([u32; 2], u64)]) -> Desk {
    let listed: Vec<String> = (0..agents.len())
        .map(|number| {
            format!(
                "{{ name = \"a{number}\", queues = [\"q\"], profiles = [{{ profile = \"p\" }}] }}"
            )
        })
        .collect();
    let mut desk = Desk::new(
        plan_of(&format!(
            r#"
mode = "active"
profiles = [{{ name = "p", limit = 1 }}]
queues = [{{ name = "q", channel = "messaging", method = "context" }}]
agents = [{}]
workstreams = [{{ name = "w", channel = "messaging", fallback_queue = "q", profiles = ["p"] }}]
"#,
            listed.join(", ")
        )),
        "d-",
    );
    for (number, (resolved, place)) in agents.iter().enumerate() {
        let agent = format!("a{number}");
        for (kind, resolved) in resolved.iter().enumerate() {
            measure(&mut desk, &agent, kind, f64::from(*resolved));
        }
        desk.released_ms[number] = MONDAY_MS + place;
        desk.note(Input::PresenceChanged { agent, presence: Presence::Available }, MONDAY_MS)
            .expect("an agent of the plan");
    }
    desk.settle(MONDAY_MS);
    desk
}

fn measure(desk: &mut Desk, agent: &str, kind: usize, resolved: f64) {
    let (agent, kind) = (agent.to_owned(), format!("k{kind}"));
    let measured = Input::Measured { agent, kind, handled: 1000.0, resolved, total_s: 240_000.0 };
    desk.note(measured, MONDAY_MS).expect("an agent of the plan");
}

fn offer(item: &str, kind: usize) -> Input {
    Input::Offered(Offer {
        item: WorkItemId::from(item),
        workstream: "w".to_owned(),
        features: Vec::new(),
        intents: vec![Intent { label: format!("k{kind}"), probability: 1.0 }],
        preferred: Vec::new(),
    })
}

/// Items and agents by number.
fn assigned(desk: &mut Desk) -> Vec<(String, u32)> {
    let outputs: Vec<Output> = std::iter::from_fn(|| desk.poll()).collect();
    let of = |output: Output| match output {
        Output::Assigned(one) => Some((one.item.to_string(), desk.agent_named(&one.agent).ok()?)),
        _ => None,
    };
    outputs.into_iter().filter_map(of).collect()
}

fn agents() -> impl Strategy<Value = Vec<([u32; 2], u64)>> {
    let order = Just((1..=8_u64).collect::<Vec<_>>()).prop_shuffle();
    let resolved = prop::collection::vec([300..1000_u32, 300..1000_u32], 1..8);
    (resolved, order).prop_map(|(resolved, order)| resolved.into_iter().zip(order).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_item_after_another_goes_where_the_measured_policy_sends_it(
        agents in agents(), kinds in prop::collection::vec(0..2_usize, 1..8)
    ) {
        let mut desk = desk_of(&agents);
        let mut idle = Idle::new(agents.len());
        let mut order: Vec<usize> = (0..agents.len()).collect();
        order.sort_by_key(|agent| agents[*agent].1);
        order.iter().for_each(|agent| idle.add(*agent as u32));
        for (number, kind) in kinds.iter().enumerate() {
            let id = format!("i{number}");
            desk.handle(offer(&id, *kind), MONDAY_MS).expect("a new item");
            let at = desk.items.find(&WorkItemId::from(id.as_str())).expect("it is there");
            let item = desk.items.of(at);
            let weights: Vec<f32> = (0..agents.len() as u32)
                .map(|agent| desk.terms(item, agent, MONDAY_MS).score() as f32)
                .collect();
            let wanted = if idle.is_empty() { None } else { idle.fittest(&weights, score::NEAR) };
            let found = assigned(&mut desk).first().map(|(_, agent)| *agent);
            prop_assert_eq!(found, wanted, "{:?}", weights);
            wanted.into_iter().for_each(|agent| idle.remove(agent));
        }
    }

    #[test]
    fn many_at_once_are_worth_almost_the_most_and_one_alone_goes_the_same_way(
        agents in agents(), kinds in prop::collection::vec(0..2_usize, 1..8)
    ) {
        let mut desk = desk_of(&agents);
        for (number, kind) in kinds.iter().enumerate() {
            desk.note(offer(&format!("i{number}"), *kind), MONDAY_MS).expect("a new item");
        }
        let waiting: Vec<u32> = desk.items.all().map(|(at, _)| at).collect();
        let mut edges = Vec::new();
        for at in &waiting {
            for agent in 0..agents.len() as u32 {
                let score = desk.terms(desk.items.of(*at), agent, MONDAY_MS).score();
                edges.push(Edge { item: *at, agent, score });
            }
        }
        desk.cycle([0].into(), MONDAY_MS);
        let pairs = assigned(&mut desk);
        prop_assert_eq!(pairs.len(), kinds.len().min(agents.len()));
        let value = |(item, agent): &(String, u32)| {
            let at = desk.items.find(&WorkItemId::from(item.as_str()));
            edges.iter().find(|edge| Some(edge.item) == at && edge.agent == *agent).map_or(0.0, |edge| edge.score)
        };
        let total: f64 = pairs.iter().map(value).sum();
        let most = assign::total(&assign::optimal(&edges));
        prop_assert!(total >= most * f64::from(score::NEAR) - 1e-9, "{total} of {most}");
        if kinds.len() == 1 {
            let mut alone = desk_of(&agents);
            alone.handle(offer("i0", kinds[0]), MONDAY_MS).expect("a new item");
            prop_assert_eq!(assigned(&mut alone), pairs);
        }
    }
}

#[test]
fn a_report_replaces_the_last_one_of_the_agent_and_kind() {
    let mut desk = desk_of(&[([900, 500], 1), ([500, 500], 2)]);
    // Ben's first report counts half of all; the same told ten times more is no news.
    (0..10).for_each(|_| measure(&mut desk, "a0", 0, 900.0));
    measure(&mut desk, "a1", 0, 700.0);
    desk.handle(offer("i0", 0), MONDAY_MS).expect("a new item");
    let at = desk.items.find(&WorkItemId::from("i0")).expect("it is there");
    let resolves = desk.terms(desk.items.of(at), 1, MONDAY_MS).resolves;
    let wanted = score::resolves(700.0, 1000.0, 0.8);
    assert!((resolves - wanted).abs() < 1e-12, "{resolves} instead of {wanted}");
}

#[test]
fn reports_of_agents_who_are_gone_count_no_more() {
    let mut desk = desk_of(&[([900, 500], 1), ([500, 500], 2)]);
    let one = desk_of(&[([900, 500], 1)]).plan().clone();
    desk.handle(Input::PlanReplaced(Box::new(one)), MONDAY_MS).expect("a plan");
    measure(&mut desk, "a0", 0, 600.0);
    desk.handle(offer("i0", 0), MONDAY_MS).expect("a new item");
    let at = desk.items.find(&WorkItemId::from("i0")).expect("it is there");
    let resolves = desk.terms(desk.items.of(at), 0, MONDAY_MS).resolves;
    assert!((resolves - score::resolves(600.0, 1000.0, 0.6)).abs() < 1e-12, "{resolves}");
}
