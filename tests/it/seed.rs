//! Chance that can be played again: its seed is printed, and a test that fails shows it.

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

/// By `BACKCHANNEL_SEED`, or by a new seed.
pub fn random() -> StdRng {
    let seed: u64 = match std::env::var("BACKCHANNEL_SEED") {
        Ok(text) => text.parse().expect("a seed is a number"),
        Err(_) => rand::rng().random(),
    };
    println!("seed {seed}: BACKCHANNEL_SEED={seed} plays it again");
    StdRng::seed_from_u64(seed)
}

/// How often something is tried: in the short form, unless a variable says how often in the long one.
pub fn count(variable: &str, short: u32) -> u32 {
    let set = std::env::var(variable).ok();
    set.map_or(short, |text| text.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}
