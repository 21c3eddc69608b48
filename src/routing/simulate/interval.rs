//! Confidence intervals of means over runs.

/// A mean with the half width of its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    pub mean: f64,
    pub half: f64,
}

impl Interval {
    /// Student's interval of independent figures; without a width (infinite) from one, and none from none.
    pub fn of(figures: &[f64]) -> Option<Self> {
        if figures.is_empty() {
            return None;
        }
        let count = figures.len() as f64;
        let mean = figures.iter().sum::<f64>() / count;
        if figures.len() < 2 {
            return Some(Self { mean, half: f64::INFINITY });
        }
        let square = figures.iter().map(|figure| (figure - mean) * (figure - mean)).sum::<f64>();
        let deviation = (square / (count - 1.0)).sqrt();
        Some(Self { mean, half: student(figures.len() - 1) * deviation / count.sqrt() })
    }

    /// Of the differences run by run, which have less noise than the two means when both met the same callers.
    pub fn paired(ours: &[f64], theirs: &[f64]) -> Option<Self> {
        let differences: Vec<f64> =
            ours.iter().zip(theirs).map(|(ours, theirs)| ours - theirs).collect();
        Self::of(&differences)
    }

    pub fn low(&self) -> f64 {
        self.mean - self.half
    }

    pub fn high(&self) -> f64 {
        self.mean + self.half
    }

    pub fn holds(&self, figure: f64) -> bool {
        (self.low()..=self.high()).contains(&figure)
    }
}

/// The 97.5 % point of Student's t: exact figures for few degrees of freedom, then the expansion of Abramowitz and
/// Stegun, 26.7.5, which is right to 1e-4 there.
fn student(freedom: usize) -> f64 {
    const FEW: [f64; 8] =
        [12.706_205, 4.302_653, 3.182_446, 2.776_445, 2.570_582, 2.446_912, 2.364_624, 2.306_004];
    if let Some(point) = freedom.checked_sub(1).and_then(|place| FEW.get(place)) {
        return *point;
    }
    let (x, n) = (1.959_963_985_f64, freedom as f64);
    let (x3, x5, x7) = (x.powi(3), x.powi(5), x.powi(7));
    x + (x3 + x) / (4.0 * n)
        + (5.0 * x5 + 16.0 * x3 + 3.0 * x) / (96.0 * n * n)
        + (3.0 * x7 + 19.0 * x5 + 17.0 * x3 - 15.0 * x) / (384.0 * n.powi(3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quantiles_are_those_of_the_tables() {
        for (freedom, point) in [
            (1, 12.706),
            (8, 2.306),
            (9, 2.262),
            (19, 2.093),
            (29, 2.045),
            (99, 1.984),
            (100_000, 1.960),
        ] {
            assert!((student(freedom) - point).abs() < 6e-4, "{freedom}: {}", student(freedom));
        }
    }

    #[test]
    fn pairs_take_out_what_both_have() {
        let (ours, theirs) = ([1.1, 5.1, 9.1, 3.2], [1.0, 5.0, 9.0, 3.0]);
        let of = |figures: &[f64]| Interval::of(figures).expect("there are some");
        assert!(Interval::paired(&ours, &theirs).expect("pairs").low() > 0.0);
        assert!(of(&ours).half > 1.0);
        assert_eq!(of(&[3.0]).half, f64::INFINITY);
        assert!(of(&[1.0, 3.0]).holds(2.0));
        assert_eq!(Interval::of(&[]), None, "nothing was measured");
    }
}
