//! Whether a system is asked at all. Knows no clock: the moment is passed in.
//!
//! The circuit breaker of M. Nygard, Release It!, 2nd ed., ch. 5: closed while it goes well, open after several
//! failures in a row, and after a pause one try decides.

use std::time::Duration;

use jiff::Timestamp;

use crate::connect::destination::DeliveryError;
use crate::domain::Progress;

/// Failures of the system itself, one after another, that open it.
const FAILURES_MAX: u32 = 5;
const PAUSE_FIRST: Duration = Duration::from_secs(5);
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// One for each destination.
#[derive(Clone, Debug, Default)]
pub struct Breaker {
    failures: u32,
    /// Opened so many times without a success between.
    openings: u32,
    open_until: Option<Timestamp>,
    problem: Option<String>,
}

impl Breaker {
    /// How many may be sent now: none while it is open, one to try when the pause is over, else `wanted`.
    pub fn admits(&self, now: Timestamp, wanted: usize) -> usize {
        match self.open_until {
            Some(until) if rests(now, until) => 0,
            Some(_) => wanted.min(1),
            None => wanted,
        }
    }

    /// Until when nothing is sent.
    pub fn closed_again_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.open_until.filter(|until| rests(now, *until))
    }

    /// A person knows better than the pause: one try may go at once.
    pub fn hurry(&mut self, now: Timestamp) {
        self.open_until = self.open_until.map(|until| until.min(now));
    }

    pub const fn is_open(&self) -> bool {
        self.open_until.is_some()
    }

    /// The system answered, whatever it said.
    pub fn answered(&mut self) {
        *self = Self::default();
    }

    /// As `failed`, with what people are told.
    pub fn troubled(&mut self, now: Timestamp, at_least: Duration, error: &DeliveryError) {
        self.failed(now, (!at_least.is_zero()).then_some(at_least));
        // One lost answer is no trouble; a key that isn't accepted won't be the next time.
        if self.is_open() || matches!(error, DeliveryError::Denied(_)) {
            self.problem = Some(error.to_string());
        }
    }

    /// Why it is left alone, or no key fits.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// The system was in trouble. `at_least`: what it asked for.
    pub fn failed(&mut self, now: Timestamp, at_least: Option<Duration>) {
        self.failures = self.failures.saturating_add(1);
        // What was on its way when it opened tells nothing new.
        if at_least.is_none() && self.closed_again_at(now).is_some() {
            return;
        }
        if self.failures < FAILURES_MAX && self.open_until.is_none() && at_least.is_none() {
            return;
        }
        let pause = PAUSE_FIRST.saturating_mul(1 << self.openings.min(8)).min(PAUSE_MAX);
        let pause = pause.max(at_least.unwrap_or_default());
        self.openings = self.openings.saturating_add(1);
        self.open_until = Some(later(now, pause));
    }
}

/// No pause is that long: where it seems so, the clock was set back.
fn rests(now: Timestamp, until: Timestamp) -> bool {
    now < until && until <= later(now, Progress::PAUSE_MAX)
}

/// A moment later; the end of time where there is none.
pub fn later(now: Timestamp, by: Duration) -> Timestamp {
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_several_failures_and_lets_one_try() {
        let (mut breaker, mut now) = (Breaker::default(), Timestamp::UNIX_EPOCH);
        for _ in 0..FAILURES_MAX - 1 {
            breaker.failed(now, None);
            assert_eq!(breaker.admits(now, 8), 8);
        }
        breaker.failed(now, None);
        assert_eq!(breaker.admits(now, 8), 0);
        for pause in [5, 10, 20, 40, 60, 60] {
            now = later(now, Duration::from_secs(pause - 1));
            assert_eq!(breaker.admits(now, 8), 0, "before {pause} s");
            now = later(now, Duration::from_secs(1));
            assert_eq!(breaker.admits(now, 8), 1, "after {pause} s");
            breaker.failed(now, None);
        }
        breaker.answered();
        assert_eq!(breaker.admits(now, 8), 8);
    }

    #[test]
    fn a_system_that_names_a_pause_gets_it() {
        let (mut breaker, now) = (Breaker::default(), Timestamp::UNIX_EPOCH);
        breaker.failed(now, Some(Duration::from_secs(300)));
        assert_eq!(breaker.closed_again_at(now), Some(later(now, Duration::from_secs(300))));
    }

    #[test]
    fn a_person_or_a_clock_that_was_set_back_ends_the_pause() {
        let (mut breaker, now) = (Breaker::default(), later(Timestamp::UNIX_EPOCH, DAY));
        breaker.failed(now, Some(Duration::from_secs(300)));
        assert_eq!(breaker.admits(now, 8), 0);
        assert_eq!(breaker.admits(Timestamp::UNIX_EPOCH, 8), 1, "the clock was set back");
        breaker.hurry(now);
        assert_eq!((breaker.admits(now, 8), breaker.is_open()), (1, true));
    }

    #[test]
    fn tries_that_were_on_their_way_dont_lengthen_the_pause() {
        let (mut breaker, now) = (Breaker::default(), Timestamp::UNIX_EPOCH);
        for _ in 0..8 {
            breaker.failed(now, None);
        }
        assert_eq!(breaker.closed_again_at(now), Some(later(now, PAUSE_FIRST)));
    }

    const DAY: Duration = Duration::from_secs(24 * 3600);
}
