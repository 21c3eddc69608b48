//! The configuration of the router: written → read → checked → a `Plan` of numbers.
//!
//! `written` is what people write, `read` finds mistakes of form and `check` those of meaning; all are told at once. In
//! a `Plan` names have become indices, every reference leads somewhere, and limits hold, so the desk never asks again.

mod check;
mod check_limits;
mod check_rules;
mod kind;
mod read;
pub mod written;

use std::collections::HashMap;

use jiff::tz::TimeZone;

pub use self::read::{Mistake, nearest, quoted};
pub use self::written::{
    ActionKind, BeforeWhen, BullseyeFallback, Channel, Method, OrderBy, Presence, Reset, SkillMatch,
};
use crate::domain::{Feature, RoutingMode};
use crate::routing::condition::Condition;
use crate::routing::hours::Hours;

/// Reads a plan in TOML.
///
/// # Errors
/// All mistakes, in the order in which they stand.
pub fn from_toml(text: &str) -> Result<Plan, Vec<Mistake>> {
    check::plan(read::toml(text))
}

/// Reads a plan in JSON.
///
/// # Errors
/// All mistakes, in the order in which they stand.
pub fn from_json(text: &str) -> Result<Plan, Vec<Mistake>> {
    check::plan(read::json(text))
}

/// A configuration without mistakes. Numbers that name something are indices into the lists here.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub mode: RoutingMode,
    pub seed: u64,
    pub shift_based: bool,
    pub declines_allowed: u8,
    /// Items that a cycle tries, by channel.
    pub block: [usize; 3],
    pub skills: Vec<String>,
    pub profiles: Vec<Profile>,
    pub groups: Vec<Group>,
    pub queues: Vec<Queue>,
    pub agents: Vec<Agent>,
    pub workstreams: Vec<Workstream>,
    pub names: Names,
}

/// Indices by name.
#[derive(Clone, Debug, Default)]
pub struct Names {
    pub skills: HashMap<String, u32>,
    pub profiles: HashMap<String, u32>,
    pub groups: HashMap<String, u32>,
    pub queues: HashMap<String, u32>,
    pub agents: HashMap<String, u32>,
    pub workstreams: HashMap<String, u32>,
    pub hours: HashMap<String, u32>,
}

#[derive(Clone, Debug)]
pub struct Profile {
    pub name: String,
    pub limit: i32,
    pub reset: Reset,
    pub blocks: bool,
}

#[derive(Clone, Debug)]
pub struct Group {
    pub name: String,
    /// Its members are members of these.
    pub queues: Vec<u32>,
}

#[derive(Clone, Debug)]
pub struct Queue {
    pub name: String,
    pub channel: Channel,
    pub priority: u32,
    pub method: Method,
    pub hours: Option<Hours>,
    pub target_s: f64,
    pub handling_s: f64,
    /// When an offer that nobody has answered counts as declined.
    pub answer_within_ms: Option<u64>,
    pub before: Vec<Before>,
    /// Sorted by wait.
    pub after: Vec<After>,
    pub bullseye: Option<Bullseye>,
    pub prioritisation: Vec<Bucket>,
    pub assignment: Vec<AssignmentRule>,
}

#[derive(Clone, Debug)]
pub enum Action {
    QueueAnyway,
    Callback,
    End,
    Queue(u32),
    External(String),
    Voicemail,
}

impl Action {
    pub const fn kind(&self) -> ActionKind {
        match self {
            Self::QueueAnyway => ActionKind::QueueAnyway,
            Self::Callback => ActionKind::Callback,
            Self::End => ActionKind::End,
            Self::Queue(_) => ActionKind::Queue,
            Self::External(_) => ActionKind::External,
            Self::Voicemail => ActionKind::Voicemail,
        }
    }
}

#[derive(Clone, Debug)]
pub enum Limit {
    OutOfHours,
    /// Waiting items.
    Items(u32),
    PredictedWait {
        wait_ms: u64,
    },
}

#[derive(Clone, Debug)]
pub struct Before {
    pub limit: Limit,
    pub action: Action,
}

#[derive(Clone, Debug)]
pub struct After {
    pub wait_ms: u64,
    pub action: Action,
}

#[derive(Clone, Debug)]
pub struct Bullseye {
    pub levels: Vec<Level>,
    pub fallback: BullseyeFallback,
}

#[derive(Clone, Debug)]
pub struct Level {
    /// Since the first attempt.
    pub wait_ms: u64,
    pub groups: Vec<u32>,
}

#[derive(Clone, Debug)]
pub struct Bucket {
    pub name: String,
    pub when: Condition,
    pub order_by: Option<String>,
}

#[derive(Clone, Debug)]
pub struct AssignmentRule {
    pub name: String,
    pub when: Condition,
    /// None: skills are not looked at.
    pub skills: Option<SkillMatch>,
    pub order_by: OrderBy,
}

#[derive(Clone, Debug)]
pub struct Agent {
    pub name: String,
    /// As written and by group, in the order of joining.
    pub queues: Vec<u32>,
    pub groups: Vec<u32>,
    /// Proficiency by skill, sorted by skill.
    pub skills: Vec<(u32, u8)>,
    /// Own limits by profile, sorted by profile.
    pub profiles: Vec<(u32, Option<i32>)>,
    pub zone: TimeZone,
    /// In that zone, each week.
    pub shifts: Option<Hours>,
    pub attributes: Vec<Feature>,
}

#[derive(Clone, Debug)]
pub struct Workstream {
    pub name: String,
    pub channel: Channel,
    pub fallback: u32,
    pub skill_match: SkillMatch,
    /// A bit for each presence.
    pub presences: u8,
    pub profiles: Vec<u32>,
    pub wrap_up_blocks: bool,
    pub preferred_wait_ms: u64,
    pub classification: Vec<Vec<Rule>>,
    pub routes: Vec<Route>,
}

#[derive(Clone, Debug)]
pub struct Rule {
    pub name: String,
    pub when: Condition,
    pub set: Vec<Feature>,
    pub skills: Vec<(u32, u8)>,
    pub profiles: Vec<u32>,
}

#[derive(Clone, Debug)]
pub struct Route {
    pub name: String,
    pub when: Condition,
    /// One, or up to five.
    pub shares: Vec<Share>,
}

#[derive(Clone, Debug)]
pub struct Share {
    pub queue: u32,
    /// Of 100.
    pub percent: f64,
    /// Instead of the queue's own.
    pub before: Option<Vec<Before>>,
}

pub const fn presence_bit(presence: Presence) -> u8 {
    1 << presence as u8
}

impl Plan {
    /// How many items a cycle tries to place from a queue.
    pub fn block_of(&self, queue: &Queue) -> usize {
        self.block[queue.channel as usize]
    }
}

#[cfg(test)]
mod tests;
