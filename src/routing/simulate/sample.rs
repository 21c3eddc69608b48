//! Seeded draws: the same seed gives the same calls on every machine.

use rand_distr::{Distribution as _, Exp1, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{RngCore as _, SeedableRng as _};

/// Fast generator with a period that no simulation reaches.
pub struct Dice(Xoshiro256PlusPlus);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// Dice of a purpose of its own, so that one more draw here changes nothing there.
    pub fn apart(seed: u64, purpose: u64, number: u64) -> Self {
        let mixed = seed
            ^ purpose.wrapping_mul(0x9E37_79B9_7F4A_7C15)
            ^ number.wrapping_mul(0xD1B5_4A32_D192_ED03);
        Self::new(mixed)
    }

    /// Evenly from 0 to below 1.
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// Exponential with mean 1.
    pub fn exponential(&mut self) -> f64 {
        Exp1.sample(&mut self.0)
    }

    pub fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.0)
    }

    /// A place of `cumulative`, whose last figure is the total.
    pub fn pick(&mut self, cumulative: &[f64]) -> usize {
        let total = cumulative.last().copied().unwrap_or(0.0);
        let at = self.unit() * total;
        cumulative.partition_point(|upto| *upto <= at).min(cumulative.len().saturating_sub(1))
    }
}

/// Running sums, for [`Dice::pick`].
pub fn cumulative(weights: impl IntoIterator<Item = f64>) -> Vec<f64> {
    weights
        .into_iter()
        .scan(0.0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        })
        .collect()
}

/// How long something takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Duration {
    Exponential {
        mean_s: f64,
    },
    /// With the coefficient of variation `cv`: standard deviation by mean.
    Lognormal {
        mean_s: f64,
        cv: f64,
    },
    Constant {
        mean_s: f64,
    },
    /// Nobody gives up.
    Never,
    /// Measured times, drawn as they are.
    Measured(Survival),
}

impl Duration {
    pub fn draw(&self, dice: &mut Dice) -> f64 {
        match self {
            Self::Exponential { mean_s } => mean_s * dice.exponential(),
            Self::Lognormal { mean_s, cv } => {
                let variance = (1.0 + cv * cv).ln();
                mean_s * (variance.sqrt() * dice.normal() - variance / 2.0).exp()
            }
            Self::Constant { mean_s } => *mean_s,
            Self::Never => f64::INFINITY,
            Self::Measured(survival) => survival.beyond(0.0, dice.unit()),
        }
    }

    pub fn mean_s(&self) -> f64 {
        match self {
            Self::Exponential { mean_s }
            | Self::Lognormal { mean_s, .. }
            | Self::Constant { mean_s } => *mean_s,
            Self::Never => f64::INFINITY,
            Self::Measured(survival) => survival.mean_s,
        }
    }
}

/// Times of which some were cut short by something else: who was answered after 10 s would have waited for 10 s at
/// least. The estimate of E. L. Kaplan and P. Meier, 1958.
#[derive(Clone, Debug, PartialEq)]
pub struct Survival {
    /// When somebody gave up, ascending, with the share that is left after it.
    steps: Vec<(f64, f64)>,
    /// Beyond the last step it goes on with the mean rate.
    mean_s: f64,
}

impl Survival {
    /// From pairs of a time in seconds and whether it ended by itself; `None` if none did.
    pub fn of(mut times: Vec<(f64, bool)>) -> Option<Self> {
        times.retain(|(time_s, _)| time_s.is_finite() && *time_s >= 0.0);
        times.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
        let ended = times.iter().filter(|(_, ended)| *ended).count();
        if ended == 0 {
            return None;
        }
        let mean_s = (times.iter().map(|(time_s, _)| time_s).sum::<f64>() / ended as f64).max(1.0);
        let (mut steps, mut left) = (Vec::<(f64, f64)>::new(), 1.0);
        for (at, (time_s, ended)) in times.iter().enumerate() {
            if !ended {
                continue;
            }
            left *= 1.0 - 1.0 / (times.len() - at) as f64;
            match steps.last_mut() {
                Some(last) if last.0 == *time_s => last.1 = left,
                _ => steps.push((*time_s, left)),
            }
        }
        Some(Self { steps, mean_s })
    }

    /// Share that lasts longer than `time_s`.
    pub fn left_after(&self, time_s: f64) -> f64 {
        let steps = self.steps.partition_point(|(at, _)| *at <= time_s);
        let left = |place: usize| self.steps.get(place).map_or(1.0, |step| step.1);
        if steps == 0 { 1.0 } else { left(steps - 1) }
    }

    /// The time of somebody who has lasted `known_s`, for an even draw `unit` from 0 to below 1.
    pub fn beyond(&self, known_s: f64, unit: f64) -> f64 {
        let left = self.left_after(known_s) * (1.0 - unit);
        let place = self.steps.partition_point(|(_, after)| *after > left);
        match self.steps.get(place) {
            Some((time_s, _)) if *time_s > known_s => *time_s,
            _ => {
                let (last_s, after) = self.steps.last().copied().unwrap_or((0.0, 1.0));
                let share = if after > 0.0 { (left / after).min(1.0) } else { 1.0 - unit };
                last_s.max(known_s) - self.mean_s * share.max(1e-12).ln()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_and_spreads_come_out() {
        let mut dice = Dice::new(7);
        let mut of = |duration: &Duration| {
            let drawn: Vec<f64> = (0..200_000).map(|_| duration.draw(&mut dice)).collect();
            let mean = drawn.iter().sum::<f64>() / drawn.len() as f64;
            let square =
                drawn.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / drawn.len() as f64;
            (mean, square.sqrt() / mean)
        };
        let (mean, cv) = of(&Duration::Exponential { mean_s: 300.0 });
        assert!((mean - 300.0).abs() < 4.0 && (cv - 1.0).abs() < 0.02, "{mean} {cv}");
        let (mean, cv) = of(&Duration::Lognormal { mean_s: 200.0, cv: 0.8 });
        assert!((mean - 200.0).abs() < 3.0 && (cv - 0.8).abs() < 0.03, "{mean} {cv}");
    }

    #[test]
    fn who_was_answered_counts_as_patient_for_that_long() {
        // Of four, one gives up at 10 s, one is answered at 20 s, one gives up at 30 s, one is answered at 40 s.
        let survival = Survival::of(vec![(20.0, false), (10.0, true), (40.0, false), (30.0, true)]);
        let survival = survival.expect("two gave up");
        assert_eq!(survival.left_after(9.0), 1.0);
        assert!((survival.left_after(10.0) - 0.75).abs() < 1e-12);
        assert!((survival.left_after(30.0) - 0.375).abs() < 1e-12);
        assert_eq!(survival.beyond(0.0, 0.1), 10.0);
        assert_eq!(survival.beyond(10.0, 0.1), 30.0);
        assert!(survival.beyond(0.0, 0.99) > 30.0);
        assert!(survival.beyond(35.0, 0.0) >= 35.0);
        assert_eq!(Survival::of(vec![(3.0, false)]), None);
    }

    #[test]
    fn a_pick_follows_the_weights() {
        let mut dice = Dice::new(1);
        let upto = cumulative([1.0, 0.0, 3.0]);
        let mut counts = [0; 3];
        (0..40_000).for_each(|_| counts[dice.pick(&upto)] += 1);
        assert_eq!(counts[1], 0);
        assert!((counts[0] as f64 / 10_000.0 - 1.0).abs() < 0.05, "{counts:?}");
    }
}
