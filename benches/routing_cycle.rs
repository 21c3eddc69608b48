//! One decision cycle with 10,000 waiting items and 10,000 agents who all become free at once, and one event after it.
//!
//! `cargo bench --bench routing_cycle`, or with a method's name behind `--` for its cases alone. It prints processor
//! time of the thread beside wall time, since a shared machine stretches the latter, and the least of several runs
//! beside their median, since it stretches both a little. Everybody has three of 50 skills at different levels, every item needs one; decisions are made
//! in full, with their reasons.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Instant;

use backchannel::domain::{Feature, FeatureValue, Intent};
use backchannel::routing::desk::{Desk, Input, Offer, Output};
use backchannel::routing::plan::{self, Plan, Presence};

const ITEMS: usize = 10_000;
const AGENTS: usize = 10_000;
const SKILLS: usize = 50;
const KINDS: usize = 20;
const EVENTS: usize = 200;
const RUNS: usize = 7;

fn main() {
    // Method, queues, queues of an agent, and items of a queue that a cycle tries.
    let cases = [
        ("highest_capacity", 100, 3, 100),
        ("advanced_round_robin", 100, 3, 100),
        ("skills", 100, 3, 100),
        ("context", 100, 3, 100),
        ("context", 10, 3, 1_000),
        ("highest_capacity", 1, 1, 10_000),
        ("context", 1, 1, 10_000),
    ];
    let wanted = std::env::args().nth(1).filter(|wanted| !wanted.starts_with('-'));
    for (method, queues, queues_of_agent, block) in cases {
        if wanted.as_deref().is_some_and(|wanted| wanted != method) {
            continue;
        }
        let mut full = Desk::new(plan_of(method, queues, queues_of_agent, block), "d-");
        fill(&mut full, queues);
        let (mut cycles_cpu, mut cycles, mut assigned) = (Vec::new(), Vec::new(), 0);
        let mut desk = full.clone();
        for _ in 0..RUNS {
            desk = full.clone();
            let (before_ms, began) = (cpu_ms(), Instant::now());
            desk.settle(20_000);
            cycles_cpu.push(cpu_ms() - before_ms);
            cycles.push(began.elapsed().as_secs_f64() * 1000.0);
            let outputs = std::iter::from_fn(|| desk.poll());
            assigned = outputs.filter(|output| matches!(output, Output::Assigned(_))).count();
        }
        let mut events: Vec<f64> = Vec::new();
        for number in 0..EVENTS {
            let began = Instant::now();
            desk.handle(offer(ITEMS + number, queues), 30_000).expect("a new item");
            events.push(began.elapsed().as_secs_f64() * 1000.0);
            while desk.poll().is_some() {}
        }
        for times in [&mut cycles_cpu, &mut cycles, &mut events] {
            times.sort_by(f64::total_cmp);
        }
        println!(
            "{method}, {queues} queues, block {block}: cycle {:.1} ms processor (median {:.1}), {:.1} ms wall \
             (median {:.1}), {assigned} assigned; event p95 {:.3} ms",
            cycles_cpu[0],
            cycles_cpu[RUNS / 2],
            cycles[0],
            cycles[RUNS / 2],
            events[EVENTS * 95 / 100]
        );
    }
}

/// Milliseconds that this thread has run.
fn cpu_ms() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1e6
}

/// Looks random, and is the same each time.
fn mixed(number: usize) -> usize {
    let mut z = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (z >> 33) as usize
}

fn plan_of(method: &str, queues: usize, queues_of_agent: usize, block: usize) -> Plan {
    let list = |name: &dyn Fn(usize) -> String, count: usize| -> String {
        (0..count).map(name).collect::<Vec<_>>().join(", ")
    };
    let mut text = format!(
        "mode = \"active\"\nblock = {{ messaging = {block} }}\nprofiles = [{{ name = \"p\", limit = 1 }}]\n\
         skills = [{}]\nqueues = [{}]\n",
        list(&|skill| format!("{{ name = \"s{skill}\" }}"), SKILLS),
        list(
            &|queue| format!(
                "{{ name = \"q{queue}\", channel = \"messaging\", method = \"{method}\" }}"
            ),
            queues
        ),
    );
    for agent in 0..AGENTS {
        let levels: BTreeMap<usize, u8> =
            (0..3).map(|k| (mixed(agent * 3 + k) % SKILLS, [3, 2, 5][k])).collect();
        let levels: Vec<String> =
            levels.iter().map(|(skill, level)| format!("s{skill} = {level}")).collect();
        let of = list(&|k| format!("\"q{}\"", (agent + k * 7) % queues), queues_of_agent);
        let skills = levels.join(", ");
        writeln!(
            text,
            "[[agents]]\nname = \"a{agent}\"\nqueues = [{of}]\nskills = {{ {skills} }}\nprofiles = [{{ profile = \"p\" }}]"
        )
        .expect("a string");
    }
    let rule = |skill| {
        format!(
            "{{ name = \"n{skill}\", when = {{ attribute = \"skill\", is = \"s{skill}\" }}, skills = {{ s{skill} = 2 }} }}"
        )
    };
    let route = |queue| {
        format!(
            "{{ name = \"r{queue}\", queue = \"q{queue}\", when = {{ attribute = \"queue\", is = \"q{queue}\" }} }}"
        )
    };
    write!(
        text,
        "[[workstreams]]\nname = \"w\"\nchannel = \"messaging\"\nfallback_queue = \"q0\"\nprofiles = [\"p\"]\n\
         classification = [{{ name = \"c\", rules = [{}] }}]\nroutes = [{}]\n",
        list(&rule, SKILLS),
        list(&route, queues),
    )
    .expect("a string");
    plan::from_toml(&text).unwrap_or_else(|mistakes| panic!("{:?}", mistakes.first()))
}

fn offer(number: usize, queues: usize) -> Input {
    let feature = |name: &'static str, value| Feature {
        name: name.into(),
        value,
        source: "bench".into(),
        as_of_ms: 0,
    };
    let intent =
        |kind: usize, probability| Intent { label: format!("k{}", kind % KINDS), probability };
    Input::Offered(Offer {
        item: format!("i{number}").into(),
        workstream: "w".to_owned(),
        features: vec![
            feature("queue", FeatureValue::Text(format!("q{}", number % queues))),
            feature("skill", FeatureValue::Text(format!("s{}", mixed(number + 7) % SKILLS))),
            feature("value", FeatureValue::Number(0.5 + (number % 7) as f64 / 2.0)),
        ],
        intents: vec![intent(number, 0.7), intent(number + 3, 0.2)],
        preferred: Vec::new(),
    })
}

fn fill(desk: &mut Desk, queues: usize) {
    for agent in 0..AGENTS {
        for k in 0..5 {
            let measured = Input::Measured {
                agent: format!("a{agent}"),
                kind: format!("k{}", (agent + k) % KINDS),
                handled: 50.0,
                resolved: 30.0 + (agent % 20) as f64,
                total_s: 9_000.0 + (agent % 100) as f64 * 90.0,
            };
            desk.note(measured, 0).expect("an agent of the plan");
        }
    }
    for number in 0..ITEMS {
        desk.note(offer(number, queues), 1_000 + number as u64).expect("a new item");
    }
    while desk.poll().is_some() {}
    for agent in 0..AGENTS {
        let (agent, presence) = (format!("a{agent}"), Presence::Available);
        desk.note(Input::PresenceChanged { agent, presence }, 20_000)
            .expect("an agent of the plan");
    }
}
