//! How much work an agent may have: a slot for each capacity profile.
//!
//! An item takes one of every profile that it has, and needs one free in each. What is assigned by hand is counted
//! too, so that the free capacity can be negative. Consult and monitor never come here: they take none.

use super::plan::{Plan, Reset};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    pub profile: u32,
    pub limit: i32,
    pub used: i32,
}

/// Bits of profiles, to compare with `Capacity::room`.
pub fn mask(profiles: &[u32]) -> u64 {
    profiles.iter().fold(0, |bits, profile| bits | 1 << (profile % 64))
}

/// The slots of an agent, sorted by profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capacity {
    slots: Vec<Slot>,
    /// A profile that blocks has reached its limit: nothing at all is assigned automatically.
    blocked: bool,
}

impl Capacity {
    /// From (profile, own limit).
    pub fn new(profiles: &[(u32, Option<i32>)], plan: &Plan) -> Self {
        let slots = profiles
            .iter()
            .map(|(profile, own)| Slot {
                profile: *profile,
                limit: own.unwrap_or(plan.profiles[*profile as usize].limit),
                used: 0,
            })
            .collect();
        let mut made = Self { slots, blocked: false };
        made.settle(plan);
        made
    }

    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// The least that is free in all of `profiles`; none when one isn't the agent's.
    pub fn free(&self, profiles: &[u32]) -> Option<i32> {
        let mut least = i32::MAX;
        for profile in profiles {
            let slot = self.slots.iter().find(|slot| slot.profile == *profile)?;
            least = least.min(slot.limit - slot.used);
        }
        Some(least)
    }

    /// A bit for each profile in which something may be assigned automatically. A plan has at most 64 of them.
    pub fn room(&self) -> u64 {
        let free = self.slots.iter().filter(|slot| !self.blocked && slot.limit > slot.used);
        free.fold(0, |bits, slot| bits | mask(&[slot.profile]))
    }

    /// Takes one of each, also beyond the limit: whoever assigns automatically looks at `room` first. A profile that
    /// the agent hasn't got gets a slot with nothing in it.
    pub fn take(&mut self, profiles: &[u32], plan: &Plan) {
        for profile in profiles {
            match self.slots.iter_mut().find(|slot| slot.profile == *profile) {
                Some(slot) => slot.used += 1,
                None => {
                    self.slots.push(Slot { profile: *profile, limit: 0, used: 1 });
                    self.slots.sort_unstable_by_key(|slot| slot.profile);
                }
            }
        }
        self.settle(plan);
    }

    /// Gives back what a finished item took, where that is given back at once; a day's work stays counted.
    pub fn release(&mut self, profiles: &[u32], plan: &Plan) {
        self.give(profiles, plan, |reset| reset == Reset::Immediate);
    }

    /// Gives back what an item took that wasn't begun.
    pub fn undo(&mut self, profiles: &[u32], plan: &Plan) {
        self.give(profiles, plan, |_| true);
    }

    fn give(&mut self, profiles: &[u32], plan: &Plan, of: impl Fn(Reset) -> bool) {
        for slot in &mut self.slots {
            let reset = plan.profiles[slot.profile as usize].reset;
            if profiles.contains(&slot.profile) && of(reset) {
                // A day's end may have forgotten it already.
                slot.used = (slot.used - 1).max(0);
            }
        }
        self.settle(plan);
    }

    /// The day, or the shift, is over: its work isn't counted any more, even what is still open.
    pub fn end_day(&mut self, plan: &Plan) {
        for slot in &mut self.slots {
            if plan.profiles[slot.profile as usize].reset == Reset::EndOfDay {
                slot.used = 0;
            }
        }
        self.settle(plan);
    }

    /// So much of a profile counts as used.
    pub fn set_used(&mut self, profile: u32, used: i32, plan: &Plan) {
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.profile == profile) {
            slot.used = used;
        }
        self.settle(plan);
    }

    /// Another limit, for new work only; none: the profile's own.
    pub fn set_limit(&mut self, profile: u32, limit: Option<i32>, plan: &Plan) {
        let limit = limit.unwrap_or(plan.profiles[profile as usize].limit);
        match self.slots.iter_mut().find(|slot| slot.profile == profile) {
            Some(slot) => slot.limit = limit,
            None => {
                self.slots.push(Slot { profile, limit, used: 0 });
                self.slots.sort_unstable_by_key(|slot| slot.profile);
            }
        }
        self.settle(plan);
    }

    fn settle(&mut self, plan: &Plan) {
        self.blocked = self.slots.iter().any(|slot| {
            plan.profiles[slot.profile as usize].blocks && slot.limit > 0 && slot.used >= slot.limit
        });
    }
}
