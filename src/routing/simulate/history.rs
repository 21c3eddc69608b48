//! Calls that have happened, played once more under other policies: each day is a run.
//!
//! Arrivals and kinds are those of the record. Who gave up has that patience; who was answered would have waited for
//! longer, so the rest is drawn from the estimate of Kaplan and Meier. The handling time of a call is taken against the
//! usual one of the agent who had it, so that a faster agent makes any call shorter in proportion; of calls that nobody
//! had, it is drawn from the others. Calls that came back are in the record themselves, so none are added.

use std::collections::BTreeMap;

use crate::routing::score;

use super::calls::{Call, Callers};
use super::confusion::Confusion;
use super::sample::{Dice, Duration, Survival};
use super::world::{Agents, Class, DUTIES, DUTY_S, Tier, World};

/// A call as it was recorded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// Seconds since midnight.
    pub at_s: f64,
    pub class: usize,
    pub tier: usize,
    /// `None` when nobody answered.
    pub handling_s: Option<f64>,
    pub wait_s: f64,
    pub gave_up: bool,
    pub agent: Option<usize>,
    /// The same customer didn't call again within a day; `None` if unknown.
    pub resolved: Option<bool>,
}

#[derive(Clone, Debug, Default)]
pub struct History {
    pub classes: Vec<String>,
    pub tiers: Vec<Tier>,
    /// Agents by name.
    pub agents: Vec<String>,
    /// Oldest first, each with its rows in the order of their time.
    pub days: Vec<(String, Vec<Row>)>,
}

/// What a replay sets that no record says.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub target_s: f64,
    /// Of what is heard; errors fall evenly on the other kinds.
    pub accuracy: f64,
    /// Stretches handling times so that the work is this share of the agents' time on duty; `None` leaves them.
    pub load: Option<f64>,
    pub seed: u64,
}

/// Whoever has handled so many calls of a kind has the skill.
const LEAST_SEEN: f64 = 3.0;

const CALLS: u64 = 4;

/// Sums over calls of an agent and a class.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    handled: f64,
    total_s: f64,
    judged: f64,
    resolved: f64,
}

impl Seen {
    fn add(&mut self, row: &Row) {
        let Some(handling_s) = row.handling_s else { return };
        self.handled += 1.0;
        self.total_s += handling_s;
        if let Some(resolved) = row.resolved {
            self.judged += 1.0;
            self.resolved += f64::from(u8::from(resolved));
        }
    }
}

/// A history prepared for replays.
pub struct Replay<'a> {
    history: &'a History,
    settings: Settings,
    /// Everything that is the same on all days.
    world: World,
    /// `None` when agents come from elsewhere.
    recorded_agents: bool,
    /// Of calls of a class: all handling times against the usual ones.
    works: Vec<Vec<f64>>,
    patience: Vec<Option<Survival>>,
}

impl<'a> Replay<'a> {
    /// With the agents of the record, or those of `staff`, whose classes are the record's by name and order.
    pub fn new(history: &'a History, settings: Settings, staff: Option<Agents>) -> Self {
        let classes = history.classes.len();
        let recorded_agents = staff.is_none();
        let agents = staff.unwrap_or_else(|| agents(history, history.days.len()));
        let mut counts = vec![0.0_f64; classes];
        let (mut works, mut waits) = (vec![Vec::new(); classes], vec![Vec::new(); classes]);
        let usual = usual(history, history.days.len());
        for row in history.days.iter().flat_map(|(_, rows)| rows) {
            counts[row.class] += 1.0;
            waits[row.class].push((row.wait_s, row.gave_up));
            if let Some(handling_s) = row.handling_s {
                works[row.class].push(work_of(row, handling_s, &agents, &usual, recorded_agents));
            }
        }
        let all: Vec<(f64, bool)> = waits.iter().flatten().copied().collect();
        let everybody = Survival::of(all);
        let world = World {
            classes: history
                .classes
                .iter()
                .zip(&counts)
                .map(|(name, count)| Class {
                    name: name.clone(),
                    share: count.max(1e-9),
                    work: Duration::Constant { mean_s: 1.0 },
                    patience: Duration::Never,
                })
                .collect(),
            tiers: history.tiers.clone(),
            agents,
            confusion: Confusion::even(classes, settings.accuracy),
            target_s: settings.target_s,
            returns: None,
            hand_over_s: 60.0,
            horizon_s: 86_400.0,
            warm_up_s: 0.0,
        };
        let patience = waits
            .into_iter()
            .map(|waits| Survival::of(waits).or_else(|| everybody.clone()))
            .collect();
        Self { history, settings, world, recorded_agents, works, patience }
    }

    pub fn days(&self) -> usize {
        self.history.days.len()
    }

    /// The call centre of a day, where the router knows what the days before have shown, and the day's calls.
    pub fn day(&self, number: usize) -> (World, Vec<Call>) {
        let (_, rows) = &self.history.days[number];
        let mut world = self.world.clone();
        if self.recorded_agents {
            let before = agents(self.history, number);
            world.agents.known_mean_s = before.mean_s;
            world.agents.known_resolves = before.resolves;
            world.agents.duty = duty(rows, world.agents.count);
        }
        let mut calls = self.calls(&world, rows, number as u64);
        if let Some(load) = self.settings.load {
            stretch(&mut calls, &mut world, load);
        }
        (world, calls)
    }

    /// Share of the time on duty of a day that its work takes, in usual hands.
    pub fn load(&self, number: usize) -> f64 {
        let (world, calls) = self.day(number);
        work_s(&calls, &world) / duty_s(&world).max(1.0)
    }

    fn calls(&self, world: &World, rows: &[Row], number: u64) -> Vec<Call> {
        let callers = Callers::new(world, self.settings.seed);
        let usual = usual(self.history, self.history.days.len());
        let mut calls = Vec::with_capacity(rows.len());
        for (at, row) in rows.iter().enumerate() {
            let mut dice = Dice::apart(self.settings.seed, CALLS, number << 32 | at as u64);
            let mut call = callers.draw(&mut dice, row.at_s, row.class as u8, row.tier as u8);
            let unit = dice.unit();
            let patience_s = match &self.patience[row.class] {
                _ if row.gave_up => row.wait_s,
                Some(survival) => survival.beyond(row.wait_s, unit),
                None => f64::INFINITY,
            };
            let works = &self.works[row.class];
            let drawn =
                works.get((dice.unit() * works.len() as f64) as usize).copied().unwrap_or(1.0);
            let work = row.handling_s.map_or(drawn, |handling_s| {
                work_of(row, handling_s, &world.agents, &usual, self.recorded_agents)
            });
            call.patience_s = patience_s as f32;
            call.work = work as f32;
            call.origin = at as u32;
            calls.push(call);
        }
        calls
    }
}

/// The handling time of a call against the usual one: of its agent where known, else of all.
fn work_of(row: &Row, handling_s: f64, agents: &Agents, usual: &[f64], recorded: bool) -> f64 {
    let own =
        row.agent.filter(|_| recorded).map(|agent| agents.mean_s[agent * usual.len() + row.class]);
    handling_s.max(1.0) / own.unwrap_or(usual[row.class]).max(1.0)
}

/// Mean handling time of each class over the first `days`.
fn usual(history: &History, days: usize) -> Vec<f64> {
    let mut seen = vec![Seen::default(); history.classes.len()];
    let mut all = Seen::default();
    for row in history.days[..days].iter().flat_map(|(_, rows)| rows) {
        seen[row.class].add(row);
        all.add(row);
    }
    let mean = if all.handled > 0.0 { all.total_s / all.handled } else { 180.0 };
    seen.iter().map(|seen| score::handling_s(seen.total_s, seen.handled, mean)).collect()
}

/// Agents as the first `days` show them; skills are those of the whole record.
fn agents(history: &History, days: usize) -> Agents {
    let (classes, count) = (history.classes.len(), history.agents.len());
    let tally = |days: usize| {
        let mut pairs = vec![Seen::default(); classes * count];
        for row in history.days[..days].iter().flat_map(|(_, rows)| rows) {
            if let Some(agent) = row.agent {
                pairs[agent * classes + row.class].add(row);
            }
        }
        pairs
    };
    let (seen, ever) = (tally(days), tally(history.days.len()));
    let usual = usual(history, days);
    let resolved: Vec<f64> = (0..classes)
        .map(|class| {
            let (good, of) = seen
                .iter()
                .skip(class)
                .step_by(classes)
                .fold((0.0, 0.0), |(good, of), seen| (good + seen.resolved, of + seen.judged));
            score::resolves(good, of, 0.8)
        })
        .collect();
    let class = |at: usize| at % classes;
    Agents {
        count,
        skilled: ever.iter().map(|seen| seen.handled >= LEAST_SEEN).collect(),
        mean_s: seen
            .iter()
            .enumerate()
            .map(|(at, seen)| score::handling_s(seen.total_s, seen.handled, usual[class(at)]))
            .collect(),
        resolves: seen
            .iter()
            .enumerate()
            .map(|(at, seen)| score::resolves(seen.resolved, seen.judged, resolved[class(at)]))
            .collect(),
        known_mean_s: Vec::new(),
        known_resolves: Vec::new(),
        duty: Vec::new(),
    }
    .known_as_they_are()
}

impl Agents {
    /// The router knows them as they are.
    fn known_as_they_are(mut self) -> Self {
        self.known_mean_s.clone_from(&self.mean_s);
        self.known_resolves.clone_from(&self.resolves);
        self
    }
}

/// Each agent is on duty from the first call of the day to the end of the last one.
fn duty(rows: &[Row], agents: usize) -> Vec<u64> {
    let mut spans: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
    for row in rows {
        if let (Some(agent), Some(handling_s)) = (row.agent, row.handling_s) {
            let from_s = row.at_s + row.wait_s;
            let span = spans.entry(agent).or_insert((from_s, from_s));
            *span = (span.0.min(from_s), span.1.max(from_s + handling_s));
        }
    }
    let mut duty = vec![0; agents];
    for (agent, (from_s, to_s)) in spans {
        let slot = |at_s: f64| ((at_s / DUTY_S) as usize).min(DUTIES - 1);
        (slot(from_s)..=slot(to_s)).for_each(|slot| duty[agent] |= 1 << slot);
    }
    duty
}

fn duty_s(world: &World) -> f64 {
    match world.agents.duty.is_empty() {
        true => world.agents.count as f64 * world.horizon_s,
        false => world.agents.duty.iter().map(|bits| f64::from(bits.count_ones()) * DUTY_S).sum(),
    }
}

/// Work of calls at the mean handling time of whoever has the skill.
fn work_s(calls: &[Call], world: &World) -> f64 {
    let classes = world.classes.len();
    let means: Vec<f64> = (0..classes)
        .map(|class| {
            let skilled = (0..world.agents.count)
                .map(|agent| agent * classes + class)
                .filter(|at| world.agents.skilled[*at]);
            let (sum, count) = skilled
                .fold((0.0, 0.0), |(sum, count), at| (sum + world.agents.mean_s[at], count + 1.0));
            if count > 0.0 { sum / count } else { 0.0 }
        })
        .collect();
    calls.iter().map(|call| f64::from(call.work) * means[usize::from(call.class)]).sum()
}

fn stretch(calls: &mut [Call], world: &mut World, load: f64) {
    let work_s = work_s(calls, world);
    if work_s > 0.0 {
        let factor = load * duty_s(world) / work_s;
        world.agents.mean_s.iter_mut().for_each(|mean_s| *mean_s *= factor);
        world.agents.known_mean_s.iter_mut().for_each(|mean_s| *mean_s *= factor);
    }
}
