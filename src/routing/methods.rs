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

/// The smallest is asked first. One number, since a cycle compares millions: level, two measures, place in the queue.
pub type Order = u128;

/// An order without its level.
pub const fn within_level(order: Order) -> Order {
    order & ((1 << 120) - 1)
}

/// Where an agent stands by a method.
///
/// Earlier bullseye levels come first. With `Closest`, distance decides, and then the order of the queue: neither
/// capacity nor turn. Ties of the others go to the earliest last assignment.
pub fn order(method: Method, matching: SkillMatch, at: Standing) -> Order {
    let Standing { level, joined, .. } = at;
    // 8, 48, 48 and 24 bits: unix milliseconds and sequence numbers fit for some thousand years.
    let low = |measure: u64| u128::from(measure.min((1 << 48) - 1));
    let pack = |first: u64, second: u64| {
        let place = u128::from(joined.min((1 << 24) - 1));
        u128::from(level) << 120 | low(first) << 72 | low(second) << 24 | place
    };
    // Free capacity may be negative: shifted, so that the greatest is the smallest number.
    let fullest = |free: i32| (i64::from(i32::MAX) - i64::from(free)) as u64;
    match (method, matching) {
        (Method::Skills, _) => pack(u64::from(at.distance), at.last),
        (Method::Context, _) => pack(u64::from(at.distance), at.released_ms),
        (_, SkillMatch::Closest) => pack(u64::from(at.distance), 0),
        (Method::HighestCapacity | Method::Custom, _) => pack(fullest(at.free), at.last),
        (Method::AdvancedRoundRobin, _) => pack(at.last_here, 0),
        (Method::LeastActive, _) => pack(at.released_ms, at.last),
    }
}

/// How far an agent is from what is required: nothing for the exact levels, little for higher ones, much for lower or
/// missing ones. `levels` has one for each skill of the plan, 0 without it.
pub fn distance(required: &[(u32, u8)], levels: &[u8]) -> u16 {
    const LACKING: u16 = 16;
    required.iter().fold(0, |sum: u16, (skill, level)| {
        let has = levels[*skill as usize];
        let apart = u16::from(level.abs_diff(has));
        sum.saturating_add(if has >= *level { apart.min(LACKING - 1) } else { apart * LACKING })
    })
}

/// Whether every requirement is met.
pub fn meets(required: &[(u32, u8)], levels: &[u8]) -> bool {
    required.iter().all(|(skill, level)| levels[*skill as usize] >= *level)
}
