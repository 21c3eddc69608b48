//! What is given up, step by step, when the workers can't keep up, and when it comes back.
//!
//! A state machine without a clock: it is told how long finals wait and how busy the workers are.

use std::time::Duration;

/// What is reduced. Each level includes those above it in this list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LoadLevel {
    #[default]
    Normal,
    /// Nothing is decoded ahead of time.
    NoEarly,
    PartialsEvery2s,
    PartialsEvery4s,
    NoPartials,
    SmallFinals,
    /// New calls are refused.
    Refusing,
}

impl LoadLevel {
    pub const ALL: [Self; 7] = [
        Self::Normal,
        Self::NoEarly,
        Self::PartialsEvery2s,
        Self::PartialsEvery4s,
        Self::NoPartials,
        Self::SmallFinals,
        Self::Refusing,
    ];

    pub const fn number(self) -> u8 {
        self as u8
    }

    pub(super) fn of(number: u8) -> Self {
        Self::ALL.get(usize::from(number)).copied().unwrap_or(Self::Refusing)
    }

    pub fn has_early(self) -> bool {
        self < Self::NoEarly
    }

    pub fn has_small_finals(self) -> bool {
        self >= Self::SmallFinals
    }

    pub fn refuses_calls(self) -> bool {
        self >= Self::Refusing
    }

    /// New audio between two partials, where the settings say `wanted_ms`; 0 is never.
    pub fn partial_every_ms(self, wanted_ms: u64) -> u64 {
        match self {
            _ if wanted_ms == 0 => 0,
            Self::Normal | Self::NoEarly => wanted_ms,
            Self::PartialsEvery2s => wanted_ms.max(2_000),
            Self::PartialsEvery4s => wanted_ms.max(4_000),
            Self::NoPartials | Self::SmallFinals | Self::Refusing => 0,
        }
    }

    /// A sentence for people; none when nothing is reduced.
    pub const fn detail(self) -> Option<&'static str> {
        Some(match self {
            Self::Normal => return None,
            Self::NoEarly => "finals come up to half a second later",
            Self::PartialsEvery2s => "what is being said is shown every 2 seconds",
            Self::PartialsEvery4s => "what is being said is shown every 4 seconds",
            Self::NoPartials => "only finished sentences are shown",
            Self::SmallFinals => "only finished sentences are shown, written by the smaller model",
            Self::Refusing => {
                "new calls are refused; in live ones the smaller model writes finished sentences"
            }
        })
    }

    fn worse(self) -> Self {
        Self::of(self.number() + 1)
    }

    fn better(self) -> Self {
        Self::of(self.number().saturating_sub(1))
    }
}

/// What the workers have to bear.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pressure {
    /// How long the final that has waited longest has done so, or one that just began had.
    pub final_wait: Duration,
    /// Share of the workers' time that was spent decoding since the last look, 0 to 1.
    pub busy: f32,
}

/// Finals that wait so long call for the next level, one level in each `STEP`.
const LATE: Duration = Duration::from_millis(400);
const STEP: Duration = Duration::from_millis(500);
/// From here on it is too late for small steps.
const MUCH_TOO_LATE: Duration = Duration::from_millis(1_500);
/// Without waits, and with so much time to spare, the last level is given back.
const CALM: Duration = Duration::from_millis(100);
const BUSY: f32 = 0.7;
const IDLE: f32 = 0.35;
/// How long calm has to last: less when the workers idle, more each time that it didn't last.
const CALM_FOR: Duration = Duration::from_secs(2);
const CALM_FOR_MAX: Duration = Duration::from_secs(16);
const IDLE_FOR: Duration = Duration::from_secs(1);
/// A step back that is undone within this was too early.
const REGRET: Duration = Duration::from_secs(5);

/// Decides on the level. Tell it a few times a second.
#[derive(Clone, Debug)]
pub struct LoadController {
    level: LoadLevel,
    stepped_up: Option<Duration>,
    stepped_down: Option<Duration>,
    calm_since: Option<Duration>,
    idle_since: Option<Duration>,
    calm_for: Duration,
}

impl Default for LoadController {
    fn default() -> Self {
        Self {
            level: LoadLevel::Normal,
            stepped_up: None,
            stepped_down: None,
            calm_since: None,
            idle_since: None,
            calm_for: CALM_FOR,
        }
    }
}

impl LoadController {
    /// `now` counts from any fixed moment.
    pub fn observe(&mut self, now: Duration, pressure: Pressure) -> LoadLevel {
        let since = |moment: Option<Duration>| moment.map(|then| now.saturating_sub(then));
        if pressure.final_wait >= LATE {
            self.calm_since = None;
            self.idle_since = None;
            if since(self.stepped_up).is_none_or(|passed| passed >= STEP) {
                if since(self.stepped_down).is_some_and(|passed| passed < REGRET) {
                    self.calm_for = (self.calm_for * 2).min(CALM_FOR_MAX);
                }
                self.stepped_up = Some(now);
                self.level = match pressure.final_wait >= MUCH_TOO_LATE {
                    true => self.level.worse().max(LoadLevel::SmallFinals),
                    false => self.level.worse(),
                };
            }
            return self.level;
        }
        let is_calm = pressure.final_wait <= CALM && pressure.busy < BUSY;
        let is_idle = is_calm && pressure.busy < IDLE;
        self.calm_since = is_calm.then(|| self.calm_since.unwrap_or(now));
        self.idle_since = is_idle.then(|| self.idle_since.unwrap_or(now));
        let calm = since(self.calm_since).is_some_and(|passed| passed >= self.calm_for);
        let idle = since(self.idle_since).is_some_and(|passed| passed >= IDLE_FOR);
        if self.level > LoadLevel::Normal && (calm || idle) {
            self.level = self.level.better();
            self.stepped_down = Some(now);
            self.calm_since = Some(now);
            self.idle_since = is_idle.then_some(now);
        }
        if since(self.stepped_up).is_some_and(|passed| passed > CALM_FOR_MAX * 4) {
            self.calm_for = CALM_FOR;
        }
        self.level
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds (seconds, wait in ms, busy) at four looks a second; returns the level after each part.
    fn levels(parts: &[(u64, u64, f32)]) -> Vec<LoadLevel> {
        let mut controller = LoadController::default();
        let mut now = Duration::ZERO;
        let mut seen = Vec::new();
        for (seconds, wait_ms, busy) in parts {
            let pressure = Pressure { final_wait: Duration::from_millis(*wait_ms), busy: *busy };
            let mut level = LoadLevel::Normal;
            for _ in 0..seconds * 4 {
                now += Duration::from_millis(250);
                level = controller.observe(now, pressure);
            }
            seen.push(level);
        }
        seen
    }

    #[test]
    fn load_takes_one_thing_after_the_other_and_gives_them_back_within_ten_seconds() {
        use LoadLevel::*;
        let seen =
            levels(&[(5, 50, 0.9), (1, 500, 1.0), (1, 600, 1.0), (5, 700, 1.0), (10, 0, 0.1)]);
        assert_eq!(seen, [Normal, PartialsEvery2s, NoPartials, Refusing, Normal]);
    }

    #[test]
    fn a_sudden_flood_takes_the_short_way() {
        assert_eq!(levels(&[(1, 2_000, 1.0)]), [LoadLevel::Refusing]);
    }

    #[test]
    fn what_is_just_held_is_not_given_back() {
        use LoadLevel::*;
        let seen = levels(&[(1, 500, 1.0), (60, 150, 0.9), (60, 50, 0.8), (3, 50, 0.5)]);
        assert_eq!(seen, [PartialsEvery2s, PartialsEvery2s, PartialsEvery2s, NoEarly]);
    }

    #[test]
    fn a_step_back_that_did_not_hold_is_tried_less_often() {
        let mut controller = LoadController::default();
        let (mut now, mut ups, mut last) = (Duration::ZERO, 0, LoadLevel::Normal);
        // A machine that is late whenever it decodes early, and calm when it doesn't.
        for _ in 0..4 * 60 {
            now += Duration::from_millis(250);
            let pressure = match last {
                LoadLevel::Normal => Pressure { final_wait: LATE, busy: 1.0 },
                _ => Pressure { final_wait: Duration::ZERO, busy: 0.5 },
            };
            let level = controller.observe(now, pressure);
            ups += usize::from(level > last);
            last = level;
        }
        assert!((3..=8).contains(&ups), "{ups} changes in a minute");
    }

    #[test]
    fn partials_never_come_more_often_than_the_settings_say() {
        for (wanted, expected) in [
            (0, [0; 7]),
            (1_000, [1_000, 1_000, 2_000, 4_000, 0, 0, 0]),
            (3_000, [3_000, 3_000, 3_000, 4_000, 0, 0, 0]),
        ] {
            assert_eq!(LoadLevel::ALL.map(|level| level.partial_every_ms(wanted)), expected);
        }
    }
}
