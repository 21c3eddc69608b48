//! What routing's arithmetic costs: the simulator's events a second on one core, and how far candidates, urgency and greed
//! are from a full matching. The desk's cycles are `routing_cycle`.
//!
//! Run: `cargo bench --bench routing`. Times of the simulator are processor time of the thread, so that others on the
//! machine count less. Last line: JSON.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use backchannel::routing::assign::{CANDIDATES, Edge, cycle, greedy, optimal, total};
use backchannel::routing::score::{Terms, value, waiting_cost};
use backchannel::routing::simulate::{Callers, Dice, Policy, Scenario, Tables, run};

const SAMPLE: &str = include_str!("../routing/scenarios/bank-60-agents.toml");

const ROUNDS: usize = 5;
const SIDE: u32 = 500;

fn main() {
    let mut line = String::from(r#"{"bench":"routing""#);
    let rates = Policy::ALL.map(|policy| (policy.name(), simulate(policy)));
    for (name, rate) in rates {
        println!("simulator, {name}: {:.1} million events/s on one core", rate / 1e6);
    }
    let slowest = rates.iter().map(|(_, rate)| *rate).fold(f64::INFINITY, f64::min);
    let _ = write!(line, r#","simulator_events_per_s":{slowest:.0}"#);
    let gaps = matching();
    println!("{SIDE} items × {SIDE} agents, shares of the score of a full matching:");
    for (name, share, took) in &gaps {
        println!("  {name:<58} {share:.4}  {:>7.1} ms", took.as_secs_f64() * 1e3);
        if name.starts_with("as routed") {
            let _ = write!(line, r#","of_full_matching":{share:.4}"#);
        }
    }
    println!("{line}}}");
}

/// Events a second at load 1, drawing the callers included; the median of some rounds.
fn simulate(policy: Policy) -> f64 {
    let scenario = Scenario::parse(SAMPLE).expect("the sample is sound");
    let mut rates: Vec<f64> = (0..ROUNDS)
        .map(|round| {
            let world = scenario.world(None, round as u64).expect("a world");
            let tables = Tables::of(&world, policy);
            let began = processor_time();
            let events: u64 = (0..10)
                .map(|seed| {
                    let callers = Callers::new(&world, seed);
                    let calls = callers.poisson(world.arrivals_per_s(1.0));
                    run(&world, &callers, &calls, policy, &tables).events
                })
                .sum();
            events as f64 / (processor_time() - began).as_secs_f64()
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    rates[ROUNDS / 2]
}

/// Processor time of this thread where the system tells it, else the time of the clock.
fn processor_time() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|told| told.split_whitespace().next()?.parse().ok());
    nanos.map_or_else(
        || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default(),
        Duration::from_nanos,
    )
}

/// Items of ten skills with values and waits, agents with three skills each and speeds of their own.
fn matching() -> Vec<(String, f64, Duration)> {
    const KINDS: u32 = 10;
    let mut dice = Dice::new(1);
    let mut draw = |low: f64, high: f64| low + (high - low) * dice.unit();
    let items: Vec<(u32, f64)> = (0..SIDE)
        .map(|_| {
            let kind = draw(0.0, f64::from(KINDS)) as u32;
            let value = if draw(0.0, 1.0) < 0.15 { value(Some(2.0)) } else { value(None) };
            (kind, value * waiting_cost(draw(0.0, 120.0), 20.0))
        })
        .collect();
    let agents: Vec<Vec<(u32, f64, f64)>> = (0..SIDE)
        .map(|agent| {
            let skills = [agent % KINDS, (agent * 7 + 1) % KINDS, (agent * 3 + 2) % KINDS];
            skills.map(|kind| (kind, draw(0.15, 0.35), draw(0.6, 0.95))).to_vec()
        })
        .collect();
    let mut urgency: Vec<u32> = (0..SIDE).collect();
    urgency.sort_by(|a, b| items[*b as usize].1.total_cmp(&items[*a as usize].1));
    let mut full: Vec<Edge> = Vec::new();
    let (mut first, mut best) = (Vec::new(), Vec::new());
    for (item, (kind, urgent)) in items.iter().enumerate() {
        let mut edges: Vec<Edge> = agents
            .iter()
            .enumerate()
            .filter_map(|(agent, skills)| {
                let (_, service_rate_per_min, resolves) =
                    skills.iter().find(|skill| skill.0 == *kind)?;
                let terms = Terms {
                    value: 1.0,
                    waiting_cost: *urgent,
                    service_rate_per_min: *service_rate_per_min,
                    resolves: *resolves,
                };
                Some(Edge { item: item as u32, agent: agent as u32, score: terms.score() })
            })
            .collect();
        full.extend(&edges);
        // An index gives agents in no order of this item; each item begins elsewhere.
        let begin = item * CANDIDATES % edges.len().max(1);
        edges.rotate_left(begin);
        first.extend(edges.iter().take(CANDIDATES));
        edges.sort_by(|a, b| b.score.total_cmp(&a.score));
        best.extend(edges.iter().take(CANDIDATES));
    }
    let timed = |name: String, matching: &dyn Fn() -> Vec<Edge>| {
        let began = Instant::now();
        let pairs = matching();
        (name, total(&pairs), began.elapsed())
    };
    let mut rows = vec![
        timed("full matching (Kuhn–Munkres over all pairs)".into(), &|| optimal(&full)),
        timed("greedy over all pairs".into(), &|| greedy(&full)),
        timed(format!("Kuhn–Munkres over {CANDIDATES} candidates of an index"), &|| {
            optimal(&first)
        }),
        timed(format!("Kuhn–Munkres over the {CANDIDATES} best candidates"), &|| optimal(&best)),
        timed("as routed: candidates of an index, 100 at best, rest greedy".into(), &|| {
            cycle(&urgency, &first)
        }),
    ];
    let whole = rows[0].1;
    rows.iter_mut().for_each(|row| row.1 /= whole);
    rows
}
