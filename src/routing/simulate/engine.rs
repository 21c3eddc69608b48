//! The discrete-event simulation of one run: arrivals, answers, hand-overs, ends, abandonments, returns.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::routing::score;

use super::calls::{Call, Callers};
use super::policy::{Policy, Tables};
use super::queues::{Idle, NONE, Waiting};
use super::tally::{Counts, Tally};
use super::world::{DUTIES, DUTY_S, World};

/// A time that sorts like an integer (times aren't negative), then what happens, then to whom.
type Event = Reverse<(u64, u32)>;

const END: u32 = 0 << 30;
const GIVE_UP: u32 = 1 << 30;
const RETURN: u32 = 2 << 30;
const DUTY: u32 = 3 << 30;
const NUMBER: u32 = (1 << 30) - 1;

/// Calls that one run can have, returns included: their numbers have to fit into an event.
const MOST_NUMBERS: usize = NUMBER as usize;

#[derive(Clone, Copy)]
struct Progress {
    /// When the present patience ends; whoever isn't waiting has [`f64::NEG_INFINITY`].
    gives_up_s: f64,
    /// Counts as waiting since then, against others.
    rank_s: f64,
    /// Came to the present queue.
    queued_s: f64,
    state: u16,
    answered: bool,
}

struct Run<'a> {
    world: &'a World,
    callers: &'a Callers<'a>,
    policy: Policy,
    tables: &'a Tables,
    values: Vec<f64>,
    calls: Vec<Call>,
    progress: Vec<Progress>,
    waiting: Waiting,
    idle: Idle,
    /// The call that each agent has, or [`NONE`].
    has: Vec<u32>,
    on_duty: Vec<bool>,
    events: BinaryHeap<Event>,
    now_s: f64,
    tally: Tally,
}

/// Runs `calls` (oldest first, not negative times) through a policy until nobody is left. Callers for whom no agent
/// ever comes, and who never give up, count as neither answered nor abandoned.
pub fn run(
    world: &World,
    callers: &Callers<'_>,
    calls: &[Call],
    policy: Policy,
    tables: &Tables,
) -> Tally {
    let (agents, tiers) = (world.agents.count, world.tiers.len());
    let mut run = Run {
        world,
        callers,
        policy,
        tables,
        values: world.tiers.iter().map(|tier| score::value(Some(tier.value))).collect(),
        calls: Vec::with_capacity(calls.len() + calls.len() / 4),
        progress: Vec::with_capacity(calls.len() + calls.len() / 4),
        waiting: Waiting::new(tables.states * tiers),
        idle: Idle::new(agents),
        has: vec![NONE; agents],
        on_duty: vec![false; agents],
        events: BinaryHeap::with_capacity(agents * 2 + 1024),
        now_s: 0.0,
        tally: Tally {
            classes: world.classes.len(),
            cells: vec![Counts::default(); world.classes.len() * tiers],
            tiers,
            busy_s: vec![0.0; agents],
            duty_s: vec![0.0; agents],
            events: 0,
        },
    };
    run.calls.extend_from_slice(calls);
    run.progress.resize(calls.len(), FRESH);
    run.waiting.reach(calls.len());
    run.begin();
    run.work(calls);
    run.tally
}

const FRESH: Progress = Progress {
    gives_up_s: f64::NEG_INFINITY,
    rank_s: 0.0,
    queued_s: 0.0,
    state: 0,
    answered: false,
};

impl Run<'_> {
    fn begin(&mut self) {
        let counted = self.world.horizon_s - self.world.warm_up_s;
        if self.world.agents.duty.is_empty() {
            for agent in 0..self.has.len() {
                self.on_duty[agent] = true;
                self.idle.add(agent as u32);
                self.tally.duty_s[agent] = counted;
            }
        } else {
            let duties = (self.world.horizon_s / DUTY_S).ceil() as usize;
            (0..duties.min(DUTIES))
                .for_each(|duty| self.schedule(duty as f64 * DUTY_S, DUTY | duty as u32));
        }
    }

    fn work(&mut self, arrivals: &[Call]) {
        let mut arriving = 0;
        loop {
            let next = self.events.peek().map(|event| f64::from_bits(event.0.0));
            // A duty that begins with an arrival comes first, so that somebody is there.
            match (arrivals.get(arriving), next) {
                (Some(call), next) if next.is_none_or(|next| call.at_s < next) => {
                    self.now_s = call.at_s;
                    self.arrive(arriving as u32);
                    arriving += 1;
                }
                (_, Some(_)) => self.happen(),
                (_, None) => return,
            }
        }
    }

    fn happen(&mut self) {
        let Some(Reverse((bits, code))) = self.events.pop() else { return };
        let (at_s, number) = (f64::from_bits(bits), code & NUMBER);
        match code & !NUMBER {
            END => {
                self.now_s = at_s;
                self.end(number);
            }
            // Whoever was answered meanwhile, or waits anew, doesn't give up at this time.
            GIVE_UP if self.progress[number as usize].gives_up_s == at_s => {
                self.now_s = at_s;
                self.give_up(number);
            }
            GIVE_UP => {}
            RETURN => {
                self.now_s = at_s;
                self.arrive(number);
            }
            _ => {
                self.now_s = at_s;
                self.change_duty(number as usize);
            }
        }
    }

    fn schedule(&mut self, at_s: f64, code: u32) {
        self.events.push(Reverse((at_s.to_bits(), code)));
    }

    fn counts(&mut self, call: &Call) -> Option<&mut Counts> {
        let counted = call.at_s >= self.world.warm_up_s;
        let cell = usize::from(call.class) * self.tally.tiers + usize::from(call.tier);
        counted.then(|| &mut self.tally.cells[cell])
    }

    fn list(&self, call: u32) -> usize {
        usize::from(self.progress[call as usize].state) * self.tally.tiers
            + usize::from(self.calls[call as usize].tier)
    }

    fn arrive(&mut self, number: u32) {
        self.tally.events += 1;
        let call = self.calls[number as usize];
        let value = self.values[usize::from(call.tier)];
        if let Some(counts) = self.counts(&call) {
            counts.offered += 1;
            counts.value += value;
        }
        self.progress[number as usize].state = call.heard;
        self.place(number, call.at_s);
    }

    /// Gives a call to a free agent, or lets it wait as one that has come at `rank_s`.
    fn place(&mut self, number: u32, rank_s: f64) {
        let state = usize::from(self.progress[number as usize].state);
        let weights =
            &self.tables.weights[state * self.tables.agents..(state + 1) * self.tables.agents];
        let agent = match self.policy {
            _ if self.idle.is_empty() => None,
            Policy::Fifo => self.idle.first(weights),
            Policy::RoundRobin => self.idle.in_turn(weights),
            Policy::LongestIdle | Policy::Skill => self.idle.longest(weights),
            Policy::Context => self.idle.fittest(weights, score::NEAR),
        };
        let progress = &mut self.progress[number as usize];
        (progress.rank_s, progress.queued_s) = (rank_s, self.now_s);
        if let Some(agent) = agent {
            self.idle.remove(agent);
            self.answer(agent, number);
            return;
        }
        let patience_s = f64::from(self.calls[number as usize].patience_s);
        progress.gives_up_s = self.now_s + patience_s;
        let list = self.list(number);
        self.waiting.push(list, number);
        if patience_s.is_finite() {
            self.schedule(self.now_s + patience_s, GIVE_UP | number);
        }
    }

    fn answer(&mut self, agent: u32, number: u32) {
        let call = self.calls[number as usize];
        let waited_s = self.now_s - self.progress[number as usize].queued_s;
        let (target_s, value) = (self.world.target_s, self.values[usize::from(call.tier)]);
        let progress = &mut self.progress[number as usize];
        progress.gives_up_s = f64::NEG_INFINITY;
        let first = !std::mem::replace(&mut progress.answered, true);
        let (state, classes) = (usize::from(progress.state), self.tally.classes);
        if let Some(counts) = self.counts(&call) {
            counts.wait_s += waited_s;
            counts.value_wait_s += waited_s * value;
            if first {
                counts.answered += 1;
                counts.in_time += u64::from(waited_s <= target_s);
            }
        }
        let pair = agent as usize * classes + usize::from(call.class);
        let helps = self.world.agents.skilled[pair];
        let handling_s = match helps {
            true => self.world.agents.mean_s[pair] * f64::from(call.work),
            // Known for certain, and only given to who can help: this isn't met.
            false if state > classes => 0.0,
            false => self.world.hand_over_s,
        };
        self.has[agent as usize] = number;
        let (from_s, to_s) = (self.world.warm_up_s, self.world.horizon_s);
        let busy_s = (self.now_s + handling_s).min(to_s) - self.now_s.max(from_s);
        self.tally.busy_s[agent as usize] += busy_s.max(0.0);
        self.schedule(self.now_s + handling_s, END | agent);
    }

    fn end(&mut self, agent: u32) {
        self.tally.events += 1;
        let number = std::mem::replace(&mut self.has[agent as usize], NONE);
        let call = self.calls[number as usize];
        let pair = agent as usize * self.tally.classes + usize::from(call.class);
        let helped = self.world.agents.skilled[pair];
        // First the agent takes whoever waits, then what comes of this call is placed.
        self.free(agent);
        if !helped {
            self.progress[number as usize].state =
                (self.tally.classes + 1 + usize::from(call.class)) as u16;
            if let Some(counts) = self.counts(&call) {
                counts.handed_over += 1;
            }
            // Among those who wait it keeps the time of its arrival: it has waited before.
            self.place(number, call.at_s);
            return;
        }
        let resolved = f64::from(call.hardness) < self.world.agents.resolves[pair];
        if let (0, Some(counts)) = (call.attempt, self.counts(&call)) {
            counts.first += 1;
            counts.first_resolved += u64::from(resolved);
        }
        if !resolved {
            self.come_back(&call);
        }
    }

    fn come_back(&mut self, call: &Call) {
        let Some(again) = self.callers.again(call, self.now_s) else { return };
        if again.at_s < self.world.horizon_s && self.calls.len() < MOST_NUMBERS {
            let number = self.calls.len() as u32;
            self.calls.push(again);
            self.progress.push(FRESH);
            self.waiting.reach(self.calls.len());
            self.schedule(again.at_s, RETURN | number);
        }
    }

    fn give_up(&mut self, number: u32) {
        self.tally.events += 1;
        let list = self.list(number);
        self.waiting.remove(list, number);
        let progress = &mut self.progress[number as usize];
        progress.gives_up_s = f64::NEG_INFINITY;
        let call = self.calls[number as usize];
        let (waited_s, value) = (f64::from(call.patience_s), self.values[usize::from(call.tier)]);
        if let Some(counts) = self.counts(&call) {
            counts.abandoned += 1;
            counts.wait_s += waited_s;
            counts.value_wait_s += waited_s * value;
        }
    }

    fn change_duty(&mut self, duty: usize) {
        for agent in 0..self.has.len() {
            let on = self.world.agents.duty[agent] >> duty & 1 == 1;
            if on {
                let from_s = (duty as f64 * DUTY_S).max(self.world.warm_up_s);
                let to_s = ((duty + 1) as f64 * DUTY_S).min(self.world.horizon_s);
                self.tally.duty_s[agent] += (to_s - from_s).max(0.0);
            }
            let was = std::mem::replace(&mut self.on_duty[agent], on);
            match (was, on) {
                (true, false) => self.idle.remove(agent as u32),
                (false, true) if self.has[agent] == NONE => self.free(agent as u32),
                _ => {}
            }
        }
    }

    /// An agent has nothing to do: takes one who waits, or is idle.
    fn free(&mut self, agent: u32) {
        if !self.on_duty[agent as usize] {
            return;
        }
        match self.pick(agent) {
            Some(number) => {
                let list = self.list(number);
                self.waiting.remove(list, number);
                self.answer(agent, number);
            }
            None => self.idle.add(agent),
        }
    }

    /// The call that this agent should take next.
    fn pick(&self, agent: u32) -> Option<u32> {
        if self.waiting.is_empty() {
            return None;
        }
        let at = agent as usize;
        let range = self.tables.state_range[at] as usize..self.tables.state_range[at + 1] as usize;
        let (mut best, mut greatest) = (None, f64::NEG_INFINITY);
        for state in &self.tables.state_list[range] {
            let state = usize::from(*state);
            let weight = f64::from(self.tables.weights[state * self.tables.agents + at]);
            for tier in 0..self.tally.tiers {
                // Within a list nothing but the wait differs, so its oldest has its greatest score.
                let head = self.waiting.head(state * self.tally.tiers + tier);
                if head == NONE {
                    continue;
                }
                let rank_s = self.progress[head as usize].rank_s;
                let score = match self.policy {
                    Policy::Context => {
                        let cost = score::waiting_cost(self.now_s - rank_s, self.world.target_s);
                        self.values[tier] * cost * weight
                    }
                    _ => -rank_s,
                };
                if score > greatest {
                    greatest = score;
                    best = Some(head);
                }
            }
        }
        best
    }
}
