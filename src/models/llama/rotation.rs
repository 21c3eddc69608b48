//! Positions as rotations (J. Su et al., 2021).

/// Cosine and sine of each pair at each position, as far as they were needed yet.
#[derive(Default)]
pub(super) struct Turned {
    pairs: Vec<[f32; 2]>,
}

/// How a model turns its queries and keys.
#[derive(Clone, Debug)]
pub(super) struct Rotation {
    /// Of each pair, from one position to the next.
    angles: Vec<f64>,
    /// The two of a pair stand half of the width apart instead of side by side.
    is_split: bool,
}

impl Rotation {
    /// `factors` slow single pairs down, or is empty.
    pub fn new(base: f32, width: usize, factors: &[f32], is_split: bool) -> Self {
        let angle = |pair: usize| {
            let slower = factors.get(pair).map_or(1.0, |factor| f64::from(*factor));
            f64::from(base).powf(-2.0 * pair as f64 / width as f64) / slower
        };
        Self { angles: (0..width / 2).map(angle).collect(), is_split }
    }

    /// Makes the table reach to before `positions`.
    pub fn reach(&self, turned: &mut Turned, positions: usize) {
        for position in turned.pairs.len() / self.angles.len()..positions {
            let angles = self.angles.iter().map(|angle| angle * position as f64);
            turned.pairs.extend(angles.map(|angle| [angle.cos() as f32, angle.sin() as f32]));
        }
    }

    /// Turns each head of `head_width` numbers.
    pub fn turn(&self, turned: &Turned, position: usize, heads: &mut [f32], head_width: usize) {
        let pairs = &turned.pairs[position * self.angles.len()..][..self.angles.len()];
        for head in heads.chunks_exact_mut(head_width) {
            if self.is_split {
                let (first, second) = head[..2 * pairs.len()].split_at_mut(pairs.len());
                for ((a, b), pair) in first.iter_mut().zip(second).zip(pairs) {
                    [*a, *b] = turn([*a, *b], *pair);
                }
            } else {
                for (values, pair) in head.as_chunks_mut::<2>().0.iter_mut().zip(pairs) {
                    *values = turn(*values, *pair);
                }
            }
        }
    }
}

#[inline(always)]
fn turn([a, b]: [f32; 2], [cosine, sine]: [f32; 2]) -> [f32; 2] {
    [a * cosine - b * sine, a * sine + b * cosine]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_distance_of_two_positions_counts() {
        for is_split in [false, true] {
            let rotation = Rotation::new(10_000.0, 8, &[], is_split);
            let mut turned = Turned::default();
            rotation.reach(&mut turned, 40);
            let product = |first: usize, second: usize| {
                let mut a: Vec<f32> = (0..8).map(|at| at as f32 / 8.0).collect();
                let mut b: Vec<f32> = (0..8).map(|at| 1.0 - at as f32 / 5.0).collect();
                rotation.turn(&turned, first, &mut a, 8);
                rotation.turn(&turned, second, &mut b, 8);
                a.iter().zip(&b).map(|(a, b)| a * b).sum::<f32>()
            };
            assert!((product(3, 9) - product(30, 36)).abs() < 1e-5);
            assert!((product(3, 9) - product(3, 10)).abs() > 1e-3);
        }
    }

    #[test]
    fn numbers_beyond_the_turned_width_stay() {
        let rotation = Rotation::new(10_000.0, 4, &[2.0, 2.0], true);
        let mut turned = Turned::default();
        rotation.reach(&mut turned, 8);
        let mut head = [1.0_f32; 6];
        rotation.turn(&turned, 7, &mut head, 6);
        assert_eq!(head[4..], [1.0, 1.0]);
        assert!((head[0] - (3.5_f32.cos() - 3.5_f32.sin())).abs() < 1e-5, "{head:?}");
    }
}
