//! Assignment methods: in which order eligible agents are asked.

use super::plan::{Method, SkillMatch};

/// What is compared of an agent who could take an item. Sequence numbers stand for times: two assignments of one
/// millisecond still have an order. 0 is never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Bullseye level that the agent came in with.
    pub level: u8,
    /// From the required skills; see [`distance`].
    pub distance: u16,
    /// In all capacity profiles of the item.
    pub free: i32,
    /// The last assignment in any queue, and in this one.
    pub last: u64,
    pub last_here: u64,
    /// When capacity was given back last, wrap-up included.
    pub released_ms: u64,
    /// Place in the order in which agents were added to the queue.
    pub joined: u32,
}

/// The smallest is asked first.
pub type Order = (u8, u64, u64, u32);

/// Where an agent stands by a method.
///
/// Earlier bullseye levels come first. With `Closest`, distance decides, and then the order of the queue: neither
/// capacity nor turn. Ties of the others go to the earliest last assignment.
pub fn order(method: Method, matching: SkillMatch, at: Standing) -> Order {
    let Standing { level, joined, .. } = at;
    // Free capacity may be negative: shifted, so that the greatest is the smallest number.
    let fullest = |free: i32| (i64::from(i32::MAX) - i64::from(free)) as u64;
    match (method, matching) {
        (Method::Skills, _) => (level, u64::from(at.distance), at.last, joined),
        (Method::Context, _) => (level, u64::from(at.distance), at.released_ms, joined),
        (_, SkillMatch::Closest) => (level, u64::from(at.distance), 0, joined),
        (Method::HighestCapacity | Method::Custom, _) => (level, fullest(at.free), at.last, joined),
        (Method::AdvancedRoundRobin, _) => (level, at.last_here, 0, joined),
        (Method::LeastActive, _) => (level, at.released_ms, at.last, joined),
    }
}

/// How far an agent, with a level for each skill of the plan (0 without it), is from what is required: nothing for the exact levels, little for higher ones, much for lower
/// or missing ones.
pub fn distance(required: &[(u32, u8)], levels: &[u8]) -> u16 {
    const LACKING: u16 = 16;
    required.iter().fold(0, |sum: u16, (skill, level)| {
        let has = levels[*skill as usize];
        let apart = u16::from(level.abs_diff(has));
        sum.saturating_add(if has >= *level { apart } else { apart * LACKING })
    })
}

/// Whether every requirement is met.
pub fn meets(required: &[(u32, u8)], levels: &[u8]) -> bool {
    required.iter().all(|(skill, level)| levels[*skill as usize] >= *level)
}
