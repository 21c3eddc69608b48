//! The configuration as it is written, in TOML or in JSON of the same shape.
//!
//! Everything has a default here, so that reading goes on after a mistake and the next one is found as well;
//! what must be there is checked in `check`. Times are seconds, money and names are the tenant's own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

macro_rules! written {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }
    )*};
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$default:ident])? $word:ident = $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
        pub enum $name { $($(#[$default])? #[serde(rename = $text)] $word,)* }
        impl $name {
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$word => $text,)* }
            }
        }
    )*};
}

words! {
    Mode { #[default] Off = "off", Shadow = "shadow", Active = "active", }
    Channel { #[default] Voice = "voice", Messaging = "messaging", Record = "record", }
    /// How one of several eligible agents is chosen.
    Method {
        #[default] HighestCapacity = "highest_capacity",
        AdvancedRoundRobin = "advanced_round_robin",
        LeastActive = "least_active",
        Skills = "skills",
        Context = "context",
        Custom = "custom",
    }
    /// Whether all required skills must be there, or the nearest agent does.
    SkillMatch { #[default] Exact = "exact", Closest = "closest", }
    Presence {
        Available = "available",
        Busy = "busy",
        DoNotDisturb = "do_not_disturb",
        Away = "away",
        #[default] Offline = "offline",
    }
    Reset { #[default] Immediate = "immediate", EndOfDay = "end_of_day", }
    BeforeWhen {
        #[default] OutOfHours = "out_of_hours",
        ItemLimit = "item_limit",
        PredictedWait = "predicted_wait",
    }
    ActionKind {
        #[default] QueueAnyway = "queue_anyway",
        Callback = "callback",
        End = "end",
        Queue = "queue",
        External = "external",
        Voicemail = "voicemail",
    }
    BullseyeFallback { #[default] AnyoneInQueue = "anyone_in_queue", GroupsOnly = "groups_only", }
    OrderBy {
        #[default] AvailableCapacity = "available_capacity",
        RoundRobin = "round_robin",
        LeastActive = "least_active",
        NearestProficiency = "nearest_proficiency",
        MostProficient = "most_proficient",
        SkillCount = "skill_count",
    }
    Day {
        #[default] Monday = "monday", Tuesday = "tuesday", Wednesday = "wednesday", Thursday = "thursday",
        Friday = "friday", Saturday = "saturday", Sunday = "sunday",
    }
}

written! {
    Plan {
        mode: Mode,
        /// Of all random picks: the same seed picks the same queue for the same item.
        seed: u64,
        /// Only agents who are on a shift, and not off, get work; each agent needs `shifts` then.
        shift_based: bool,
        /// So often an agent may decline an item before it is never offered to them again; 1 to 5.
        declines_allowed: Option<u32>,
        block: Block,
        skills: Vec<Skill>,
        hours: Vec<Hours>,
        profiles: Vec<Profile>,
        groups: Vec<Group>,
        queues: Vec<Queue>,
        agents: Vec<Agent>,
        workstreams: Vec<Workstream>,
    }
    /// How many of the first waiting items of a queue one cycle tries to place.
    Block { voice: Option<u32>, messaging: Option<u32>, record: Option<u32>, }
    Skill { name: String, /// The best rating, 10 when absent.
        highest: Option<u8>, }
    Hours {
        name: String,
        /// An IANA name such as `Europe/Berlin`.
        time_zone: String,
        open: Vec<Window>,
        /// Days such as `2026-12-25` on which nothing is open.
        holidays: Vec<String>,
    }
    /// From `08:00` to `18:00`; a window that ends before it begins goes on after midnight.
    Window { days: Vec<Day>, from: String, to: String, }
    /// How many items of a kind an agent may have at once, or in a day.
    Profile {
        name: String,
        limit: Option<u32>,
        reset: Reset,
        /// At the limit, nothing at all is assigned automatically.
        blocks: bool,
    }
    /// Agents who are asked together, in bullseye routing.
    Group { name: String, queues: Vec<String>, }
    Queue {
        name: String,
        channel: Option<Channel>,
        /// A smaller number is served first; 100 when absent.
        priority: Option<u32>,
        method: Option<Method>,
        hours: Option<String>,
        /// The answer time that is promised, for the waiting cost of `context`; 20 when absent.
        target_s: Option<f64>,
        /// What a contact takes while nothing is measured; 300 when absent.
        handling_s: Option<f64>,
        /// So long an agent may leave an offer unanswered before it counts as declined: 5 s to a day, 0 for ever. When
        /// absent, 30 for voice and messaging, and for ever for records.
        answer_within_s: Option<f64>,
        overflow: Overflow,
        bullseye: Option<Bullseye>,
        /// For method `custom`: buckets of items, the first bucket first.
        prioritisation: Vec<Bucket>,
        /// For method `custom`: the first rule that finds an agent decides.
        assignment: Vec<AssignmentRule>,
    }
    Overflow { before: Vec<Before>, after: Vec<After>, }
    /// Checked once, before an item enters the queue.
    Before {
        when: Option<BeforeWhen>,
        /// For `item_limit`: 1 to 100 waiting items.
        limit: Option<u32>,
        /// For `predicted_wait`: 30 to 3600 seconds.
        wait_s: Option<f64>,
        action: Option<ActionKind>,
        /// For action `queue`.
        queue: Option<String>,
        /// For action `external`: a number in the international form.
        number: Option<String>,
    }
    /// What is done when an item waits in the queue for longer. Several act one after the other, each once, as long as
    /// the item stays in the queue.
    After {
        wait_s: Option<f64>,
        action: Option<ActionKind>,
        queue: Option<String>,
        number: Option<String>,
    }
    Bullseye { levels: Vec<Level>, fallback: BullseyeFallback, }
    /// Whom to ask too after `wait_s` since the first attempt; level 0 begins at once.
    Level { wait_s: Option<f64>, groups: Vec<String>, }
    Bucket { name: String, when: Option<Condition>, /// Oldest first, or by this attribute, smallest first.
        order_by: Option<String>, }
    AssignmentRule {
        name: String,
        /// Attributes that begin with `agent.` are the agent's.
        when: Option<Condition>,
        skills: Option<SkillMatch>,
        order_by: OrderBy,
    }
    Agent {
        name: String,
        queues: Vec<String>,
        groups: Vec<String>,
        /// Proficiency by skill, from 1.
        skills: BTreeMap<String, u8>,
        profiles: Vec<AgentProfile>,
        /// Whose midnight ends the day where there are no shifts, and in which `shifts` are written; UTC when absent.
        time_zone: Option<String>,
        /// Hours of work, the same each week; `[]` for nobody's.
        shifts: Option<Vec<Window>>,
        attributes: BTreeMap<String, Value>,
    }
    AgentProfile { profile: String, /// Another limit for this agent.
        limit: Option<u32>, }
    Workstream {
        name: String,
        channel: Option<Channel>,
        fallback_queue: Option<String>,
        skill_match: SkillMatch,
        /// Of agents who may get its work; `available` when absent.
        presences: Vec<Presence>,
        /// Capacity that each of its items takes.
        profiles: Vec<String>,
        /// Whether capacity stays taken until the wrap-up is over; true when absent.
        wrap_up_blocks: Option<bool>,
        /// So long an item waits for its preferred agent before anybody gets it.
        preferred_agent_wait_s: Option<f64>,
        classification: Vec<Ruleset>,
        routes: Vec<Route>,
    }
    /// The first rule that matches is applied; each set sees what those before it wrote.
    Ruleset { name: String, rules: Vec<Rule>, }
    Rule {
        name: String,
        when: Option<Condition>,
        /// Attributes to write.
        set: BTreeMap<String, Value>,
        /// Skills to require, with the least proficiency.
        skills: BTreeMap<String, u8>,
        /// Capacity to take besides the workstream's.
        profiles: Vec<String>,
    }
    Route {
        name: String,
        when: Option<Condition>,
        queue: Option<String>,
        /// Instead of `queue`: at most five, together 100 per cent.
        shares: Vec<Share>,
        /// Instead of the queue's own, for items of this rule.
        overflow: Option<Vec<Before>>,
    }
    Share { queue: String, percent: Option<f64>, overflow: Option<Vec<Before>>, }
    /// One of `all`, `any`, `not`, or an attribute with what must hold of it.
    Condition {
        all: Option<Vec<Condition>>,
        any: Option<Vec<Condition>>,
        not: Option<Box<Condition>>,
        attribute: Option<String>,
        is: Option<Value>,
        is_not: Option<Value>,
        one_of: Option<Vec<Value>>,
        contains: Option<String>,
        starts_with: Option<String>,
        at_least: Option<f64>,
        at_most: Option<f64>,
        above: Option<f64>,
        below: Option<f64>,
        known: Option<bool>,
        /// Equal to another attribute, for instance `agent.region` to the customer's `region`.
        same_as: Option<String>,
        /// Older knowledge counts as none.
        newer_than_s: Option<f64>,
    }
}
