//! What goes into the desk and what comes out.

use crate::domain::{Assignment, Decision, Feature, Intent, RoutingMode, WorkItemId};
use crate::routing::plan::{ActionKind, Plan, Presence};

/// Something that happened. Names are those of the plan.
#[derive(Clone, Debug)]
pub enum Input {
    Offered(Offer),
    /// An item that was here before a restart: what is checked before it is queued was checked then.
    Restored(Offer),
    /// Something new is known of an item. `features` are all that is known now; `intents` when given.
    Updated {
        item: WorkItemId,
        features: Vec<Feature>,
        intents: Option<Vec<Intent>>,
    },
    /// The conversation is over, or the customer has given up.
    Ended {
        item: WorkItemId,
    },
    /// The wrap-up is over, or the agent put the item down: its capacity is free again.
    Released {
        item: WorkItemId,
    },
    /// Somebody gives the item to a queue, or to an agent.
    Transferred {
        item: WorkItemId,
        to: Target,
        by: String,
    },
    /// A person, or another router, gives the item to an agent, whatever their presence and capacity.
    Assigned {
        item: WorkItemId,
        agent: String,
        by: String,
    },
    Accepted {
        item: WorkItemId,
    },
    /// Refused. An offer that isn't answered in time declines itself; see [`Output::Unanswered`].
    Declined {
        item: WorkItemId,
    },
    /// Somebody has it whom the plan doesn't know, or whose name isn't known: nobody is looked for any more.
    Taken {
        item: WorkItemId,
    },
    /// An agent listens or is asked; this takes no capacity.
    Joined {
        item: WorkItemId,
        agent: String,
        how: Joining,
    },
    PresenceChanged {
        agent: String,
        presence: Presence,
    },
    QueueJoined {
        agent: String,
        queue: String,
    },
    QueueLeft {
        agent: String,
        queue: String,
    },
    /// Another limit by hand, for new work only. This starts no assignment.
    LimitSet {
        agent: String,
        profile: String,
        limit: Option<u32>,
    },
    /// Times from–to in unix milliseconds; they replace those known.
    Shifts {
        agent: String,
        booked: Vec<(u64, u64)>,
        off: Vec<(u64, u64)>,
    },
    /// What an agent has done so far with contacts of a kind, an intent's label; for method `context`. These are totals:
    /// a later report of the same agent and kind replaces the earlier one.
    Measured {
        agent: String,
        kind: String,
        handled: f64,
        resolved: f64,
        total_s: f64,
    },
    PlanReplaced(Box<Plan>),
    /// Time has passed; see `Desk::next_due_ms`.
    Tick,
}

/// A work item that came in.
#[derive(Clone, Debug)]
pub struct Offer {
    pub item: WorkItemId,
    pub workstream: String,
    pub features: Vec<Feature>,
    /// The likeliest first.
    pub intents: Vec<Intent>,
    /// Agents who should get it if they can, in this order.
    pub preferred: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Queue(String),
    Agent(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joining {
    Consult,
    Monitor,
}

/// What is to be done, or to be known. In shadow mode only to be known.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    Queued(Queued),
    Overflowed(Overflowed),
    Decided(Decision),
    Assigned(Assignment),
    Unanswered(Unanswered),
}

/// An offer wasn't answered in time, which counts as declined.
#[derive(Clone, Debug, PartialEq)]
pub struct Unanswered {
    pub item: WorkItemId,
    pub agent: String,
    pub why: String,
    pub at_ms: u64,
}

/// An item was put into a queue.
#[derive(Clone, Debug, PartialEq)]
pub struct Queued {
    pub item: WorkItemId,
    pub workstream: String,
    pub queue: String,
    pub mode: RoutingMode,
    pub epoch: u64,
    /// Classification rules that matched, in their order.
    pub classified_by: Vec<String>,
    /// Ways that matched, each with the queue that it led to.
    pub routes_matched: Vec<(String, String)>,
    /// The way that was taken; none for the fallback queue and for transfers.
    pub route: Option<String>,
    /// Of 100, where the way shares its items.
    pub percent: Option<f64>,
    /// Skills that are required, with the least proficiency.
    pub skills: Vec<(String, u8)>,
    pub profiles: Vec<String>,
    /// The customer is called back.
    pub callback: bool,
    pub why: String,
    pub at_ms: u64,
}

/// A limit was exceeded, and what was done.
#[derive(Clone, Debug, PartialEq)]
pub struct Overflowed {
    pub item: WorkItemId,
    pub queue: String,
    pub mode: RoutingMode,
    pub epoch: u64,
    pub action: ActionKind,
    /// The other queue, or the number.
    pub to: Option<String>,
    /// Whether the item was in the queue already.
    pub after_queueing: bool,
    pub waited_ms: u64,
    pub why: String,
    pub at_ms: u64,
}

/// An input that doesn't fit. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("this work item isn't known: offer it first")]
    NoSuchItem,
    #[error("this work item is here already: update it instead")]
    KnownItem,
    #[error("the plan has no workstream of this name")]
    NoSuchWorkstream,
    #[error("the plan has no agent of this name")]
    NoSuchAgent,
    #[error("the plan has no queue of this name")]
    NoSuchQueue,
    #[error("the plan has no capacity profile of this name")]
    NoSuchProfile,
    #[error("nobody has been offered this work item")]
    NotOffered,
}

impl crate::domain::Classify for Refused {
    fn kind(&self) -> crate::domain::ErrorKind {
        match self {
            Self::KnownItem | Self::NotOffered => crate::domain::ErrorKind::Conflict,
            _ => crate::domain::ErrorKind::NotFound,
        }
    }
}
