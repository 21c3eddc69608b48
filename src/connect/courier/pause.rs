//! How long to wait before the next try.

use std::time::Duration;

use rand::Rng;

const FIRST_MS: u64 = 1_000;
const LONGEST_MS: u64 = 120_000;

/// Doubling, with half of it by chance, so that what failed together isn't tried together again ("equal jitter" of
/// the AWS Architecture Blog, Exponential Backoff and Jitter, 2015).
pub fn before_try(attempts: u32) -> Duration {
    let whole = FIRST_MS.saturating_mul(1 << attempts.saturating_sub(1).min(20)).min(LONGEST_MS);
    Duration::from_millis(whole / 2 + rand::rng().random_range(0..=whole / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_and_differ() {
        for (attempts, least, most) in [
            (0, 500, 1_000),
            (1, 500, 1_000),
            (2, 1_000, 2_000),
            (7, 32_000, 64_000),
            (60, 60_000, 120_000),
        ] {
            let pauses: Vec<u128> = (0..50).map(|_| before_try(attempts).as_millis()).collect();
            assert!(
                pauses.iter().all(|pause| (least..=most).contains(pause)),
                "{attempts}: {pauses:?}"
            );
            assert!(pauses.iter().any(|pause| *pause != pauses[0]), "{attempts}: no chance in it");
        }
    }
}
