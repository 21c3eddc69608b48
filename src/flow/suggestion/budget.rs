//! A token bucket: how often the copilot may interrupt.

const MINUTE_MS: u64 = 60_000;

/// Counts in thousandths of a card times milliseconds, so that no rounding adds up over a call.
pub(super) struct Budget {
    burst: u64,
    refill_per_minute: u64,
    /// One card is worth [`MINUTE_MS`].
    level: u64,
    filled_at_ms: Option<u64>,
}

impl Budget {
    pub fn new(burst: u32, refill_per_minute: u32) -> Self {
        let burst = u64::from(burst) * MINUTE_MS;
        Self {
            burst,
            refill_per_minute: refill_per_minute.into(),
            level: burst,
            filled_at_ms: None,
        }
    }

    /// Takes one card's worth, if it is there. Time that goes back counts as standing still.
    pub fn take(&mut self, now_ms: u64) -> bool {
        let since = now_ms.saturating_sub(self.filled_at_ms.unwrap_or(now_ms));
        let refill = since.saturating_mul(self.refill_per_minute);
        self.level = self.level.saturating_add(refill).min(self.burst);
        self.filled_at_ms = Some(self.filled_at_ms.unwrap_or(now_ms).max(now_ms));
        if self.level < MINUTE_MS {
            return false;
        }
        self.level -= MINUTE_MS;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_at_once_then_one_every_twenty_seconds() {
        let mut budget = Budget::new(3, 3);
        let mut taken = Vec::new();
        for second in 0..=60 {
            if budget.take(second * 1_000) {
                taken.push(second);
            }
        }
        assert_eq!(taken, [0, 1, 2, 20, 40, 60]);
        assert!(!budget.take(0));
    }
}
