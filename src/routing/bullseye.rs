//! Bullseye: a queue's agents are asked in widening circles.

use super::plan::{Bullseye, BullseyeFallback};

/// In the queue, but in no group of a level.
pub const FALLBACK: u8 = 254;

/// Never asked.
pub const NEVER: u8 = 255;

/// The level that an agent comes in with.
pub fn level_of(bullseye: &Bullseye, groups: &[u32]) -> u8 {
    let is_in =
        |level: &super::plan::Level| level.groups.iter().any(|group| groups.contains(group));
    match bullseye.levels.iter().position(is_in) {
        Some(level) => level.min(FALLBACK as usize - 1) as u8,
        None if bullseye.fallback == BullseyeFallback::AnyoneInQueue => FALLBACK,
        None => NEVER,
    }
}

/// The highest level that may be asked, waited so long since the first attempt. Levels before it stay open and go
/// first; after the last one comes the fallback.
pub fn reached(bullseye: &Bullseye, waited_ms: u64) -> u8 {
    let open = bullseye.levels.iter().take_while(|level| level.wait_ms <= waited_ms).count();
    if open == bullseye.levels.len() { FALLBACK } else { open.saturating_sub(1) as u8 }
}

/// How long after the first attempt the circle widens next; none when it is as wide as it gets.
pub fn widens_ms(bullseye: &Bullseye, waited_ms: u64) -> Option<u64> {
    bullseye.levels.iter().map(|level| level.wait_ms).find(|wait_ms| *wait_ms > waited_ms)
}
