//! The policies that are compared, as tables by what is heard and by agent.

use crate::routing::score;

use super::world::World;

/// Who gets whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Policy {
    /// The oldest call to the first free agent, whatever it is about.
    Fifo,
    /// The oldest call to the next free agent in turn, whatever it is about.
    RoundRobin,
    /// The oldest call to the agent who has been free for longest, whatever it is about.
    LongestIdle,
    /// The oldest call to the agent who has been free for longest of those with the skill that was heard.
    Skill,
    /// The pair with the greatest score of [`Terms`](score::Terms). One thing happens after the other, so there is only
    /// ever one call or one agent to decide about, and the greatest score is the best matching.
    Context,
}

impl Policy {
    pub const ALL: [Self; 5] =
        [Self::Fifo, Self::RoundRobin, Self::LongestIdle, Self::Skill, Self::Context];

    /// As it is written on the command line and in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fifo => "fifo",
            Self::RoundRobin => "round-robin",
            Self::LongestIdle => "longest-idle",
            Self::Skill => "skill",
            Self::Context => "context",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.name() == name)
    }
}

/// Agents who have the needed skill with less than this share of the best agent's probability aren't considered: a
/// free agent who likely can't help costs the caller a second wait and the agent the time to find out.
pub const LEAST_FITTING: f64 = 0.5;

/// Weights of agents for what is known of a contact. States: what is heard, then "abstained", then each class known
/// for certain after a hand-over.
pub struct Tables {
    pub states: usize,
    pub agents: usize,
    /// `state × agents + agent`: 0 for who isn't considered; with [`Policy::Context`] service rate × probability to
    /// resolve, else 1.
    pub weights: Vec<f32>,
    /// States that each agent is considered for, at `state_range[agent]..state_range[agent + 1]`.
    pub state_list: Vec<u16>,
    pub state_range: Vec<u32>,
}

impl Tables {
    pub fn of(world: &World, policy: Policy) -> Self {
        let (classes, agents) = (world.classes.len(), world.agents.count);
        let states = 2 * classes + 1;
        let meant = world.meant();
        let mut weights = vec![0.0_f32; states * agents];
        for state in 0..states {
            let row = &mut weights[state * agents..(state + 1) * agents];
            let certain: Vec<f64>;
            let meant = if state <= classes {
                &meant[state]
            } else {
                certain = (0..classes)
                    .map(|class| f64::from(u8::from(class == state - classes - 1)))
                    .collect();
                &certain
            };
            if policy == Policy::Context {
                context(world, meant, row);
                continue;
            }
            for (agent, weight) in row.iter_mut().enumerate() {
                let skilled = |class: usize| world.agents.skilled[agent * classes + class];
                let fits = match state {
                    known if known > classes => skilled(known - classes - 1),
                    heard if policy == Policy::Skill && heard < classes => skilled(heard),
                    _ => true,
                };
                *weight = f32::from(u8::from(fits));
            }
        }
        let (mut state_list, mut state_range) = (Vec::new(), vec![0]);
        for agent in 0..agents {
            state_list.extend(
                (0..states)
                    .filter(|state| weights[state * agents + agent] > 0.0)
                    .map(|state| state as u16),
            );
            state_range.push(state_list.len() as u32);
        }
        Self { states, agents, weights, state_list, state_range }
    }
}

/// Service rate × probability to resolve for each agent, when a contact is about each class with the probability `meant`.
fn context(world: &World, meant: &[f64], row: &mut [f32]) {
    let classes = meant.len();
    let agents = &world.agents;
    let fitting = |agent: usize| -> f64 {
        (0..classes)
            .filter(|class| agents.skilled[agent * classes + class])
            .map(|class| meant[class])
            .sum()
    };
    let best = (0..agents.count).map(fitting).fold(0.0, f64::max);
    for (agent, weight) in row.iter_mut().enumerate() {
        if best <= 0.0 || fitting(agent) < LEAST_FITTING * best {
            continue;
        }
        let pair = |class: usize| agent * classes + class;
        // Without the skill an agent finds that out and hands over: short work that resolves nothing.
        let handling_s = score::expected(
            (0..classes).map(|class| {
                let at = pair(class);
                (
                    meant[class],
                    if agents.skilled[at] { agents.known_mean_s[at] } else { world.hand_over_s },
                )
            }),
            world.hand_over_s,
        );
        let resolves = score::expected(
            (0..classes).map(|class| {
                let at = pair(class);
                (meant[class], if agents.skilled[at] { agents.known_resolves[at] } else { 0.0 })
            }),
            0.0,
        );
        let terms = score::Terms {
            value: 1.0,
            waiting_cost: 1.0,
            service_rate_per_min: score::service_rate_per_min(handling_s),
            resolves,
        };
        *weight = terms.score() as f32;
    }
}
