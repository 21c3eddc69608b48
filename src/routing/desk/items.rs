//! Work items, and where each is: in exactly one place.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::domain::{DecisionId, Feature, WorkItemId};

/// Where an item is. One that has left is forgotten.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    Waiting,
    /// Assigned, and not yet accepted.
    Offered {
        agent: u32,
    },
    Active {
        agent: u32,
    },
    /// The conversation is over, its capacity still taken.
    WrappingUp {
        agent: u32,
    },
}

/// A recommendation whose agent was lost.
#[derive(Clone, Debug, PartialEq)]
pub struct Withdrawn {
    pub agent: u32,
    pub decision: Option<DecisionId>,
    pub at_ms: u64,
}

/// Instead of an agent who isn't in the plan any more.
pub const NOBODY: u32 = u32::MAX;

/// The order of waiting: bucket, attribute, arrival, number of arrival, and the item.
pub type Rank = (u16, u64, u64, u64, u32);

#[derive(Clone, Debug)]
pub struct Item {
    pub id: WorkItemId,
    pub workstream: u32,
    /// As it came, and with what classification wrote.
    pub given: Vec<Feature>,
    pub features: Vec<Feature>,
    /// Kinds of contact with their probabilities.
    pub kinds: Vec<(u32, f64)>,
    pub skills: Vec<(u32, u8)>,
    pub profiles: Vec<u32>,
    pub rules: Vec<String>,
    pub queue: u32,
    pub class: u32,
    pub rank: Rank,
    pub place: Place,
    pub arrived_ms: u64,
    pub number: u64,
    pub queued_ms: u64,
    /// When an agent was looked for first in this queue.
    pub tried_ms: Option<u64>,
    /// By transfer or overflow, from another queue.
    pub moved: bool,
    /// So many of the queue's waits have acted on it.
    pub overflowed: usize,
    pub callback: bool,
    pub preferred: Vec<u32>,
    /// How often whom.
    pub declined: Vec<(u32, u8)>,
    /// By the last decision. In shadow mode it stands until the agent is lost; see `advice`.
    pub recommended: Option<u32>,
    pub decision: Option<DecisionId>,
    /// The last recommendation that was taken back.
    pub withdrawn: Option<Withdrawn>,
    /// Whether it was told already that nobody can take it.
    pub told_nobody: bool,
    /// The customer's weight, for method `context`.
    pub value: f64,
    /// When a promise to the customer falls due.
    pub promised_ms: Option<u64>,
    pub assigned_ms: Option<u64>,
    /// Who left the last offer of it unanswered, in words.
    pub unanswered: Option<String>,
    /// What it took of its agent's capacity.
    pub taken: Vec<u32>,
    /// Agents who listen or are asked.
    pub beside: Vec<u32>,
}

impl Item {
    pub fn declines_of(&self, agent: u32) -> u8 {
        self.declined.iter().find(|(known, _)| *known == agent).map_or(0, |(_, count)| *count)
    }

    pub fn agent(&self) -> Option<u32> {
        match self.place {
            Place::Waiting => None,
            Place::Offered { agent } | Place::Active { agent } | Place::WrappingUp { agent } => {
                Some(agent).filter(|agent| *agent != NOBODY)
            }
        }
    }
}

/// All items by number, and by identifier.
#[derive(Clone, Debug, Default)]
pub struct Items {
    slots: Vec<Option<Item>>,
    free: Vec<u32>,
    by_id: HashMap<WorkItemId, u32>,
    arrivals: u64,
}

impl Items {
    pub fn find(&self, id: &WorkItemId) -> Option<u32> {
        self.by_id.get(id).copied()
    }

    /// Puts an item into a free place and gives it its number of arrival.
    pub fn insert(&mut self, mut item: Item) -> u32 {
        self.arrivals += 1;
        item.number = self.arrivals;
        let at = self.free.pop().unwrap_or(self.slots.len() as u32);
        self.by_id.insert(item.id.clone(), at);
        match self.slots.get_mut(at as usize) {
            Some(slot) => *slot = Some(item),
            None => self.slots.push(Some(item)),
        }
        at
    }

    pub fn remove(&mut self, at: u32) -> Option<Item> {
        let item = self.slots.get_mut(at as usize)?.take()?;
        self.by_id.remove(&item.id);
        self.free.push(at);
        Some(item)
    }

    pub fn get(&self, at: u32) -> Option<&Item> {
        self.slots.get(at as usize)?.as_ref()
    }

    /// # Panics
    /// When the item has left.
    pub fn of(&self, at: u32) -> &Item {
        self.get(at).expect("an index of an item that is there. This is a bug.")
    }

    /// # Panics
    /// When the item has left.
    pub fn of_mut(&mut self, at: u32) -> &mut Item {
        let item = self.slots.get_mut(at as usize).and_then(Option::as_mut);
        item.expect("an index of an item that is there. This is a bug.")
    }

    pub fn all(&self) -> impl Iterator<Item = (u32, &Item)> {
        self.slots.iter().enumerate().filter_map(|(at, item)| Some((at as u32, item.as_ref()?)))
    }
}

/// The waiting items of a queue, in their order, apart by class: whoever is free looks at the classes that they can
/// serve, and never at all items.
#[derive(Clone, Debug, Default)]
pub struct Line {
    classes: BTreeMap<u32, BTreeSet<Rank>>,
    /// The most valuable first, then by arrival; for method `context`.
    valued: BTreeSet<(std::cmp::Reverse<u64>, Rank)>,
    count: u32,
}

impl Line {
    /// `value` for method `context` alone.
    pub fn add(&mut self, class: u32, rank: Rank, value: Option<f64>) {
        let is_new = self.classes.entry(class).or_default().insert(rank);
        if let Some(value) = value {
            self.valued.insert((std::cmp::Reverse(value.max(0.0).to_bits()), rank));
        }
        self.count += u32::from(is_new);
    }

    pub fn take(&mut self, class: u32, rank: Rank, value: Option<f64>) {
        let Some(ranks) = self.classes.get_mut(&class) else { return };
        let was_there = ranks.remove(&rank);
        if ranks.is_empty() {
            self.classes.remove(&class);
        }
        if let Some(value) = value {
            self.valued.remove(&(std::cmp::Reverse(value.max(0.0).to_bits()), rank));
        }
        self.count -= u32::from(was_there);
    }

    pub const fn len(&self) -> u32 {
        self.count
    }

    /// Classes that somebody waits in.
    pub fn classes(&self) -> impl Iterator<Item = u32> {
        self.classes.keys().copied()
    }

    pub fn of_class(&self, class: u32) -> impl Iterator<Item = Rank> {
        self.classes.get(&class).into_iter().flatten().copied()
    }

    /// The most valuable items.
    pub fn valued(&self) -> impl Iterator<Item = Rank> {
        self.valued.iter().map(|(_, rank)| *rank)
    }
}
