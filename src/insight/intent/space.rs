//! Where texts lie: MiniLM's vectors, moved so that their centre is the origin, and made 1 long.
//!
//! Sentence vectors of one domain share a direction, which makes all look alike; without it cosines tell them apart
//! better (Mu and Viswanath, "All-but-the-Top", ICLR 2018).

/// So many vectors at the origin are added before the centre is taken: the mean of two or three examples is no centre.
const AT_ORIGIN: f32 = 10.0;
/// Sums that run beside each other, so that the processor can add several numbers at once.
const LANES: usize = 16;

pub struct Space {
    centre: Vec<f32>,
}

impl Space {
    /// The space of some vectors, all of `dimensions` numbers.
    pub fn of<'a>(vectors: impl Iterator<Item = &'a [f32]>, dimensions: usize) -> Self {
        let (mut centre, mut count) = (vec![0.0; dimensions], AT_ORIGIN);
        for vector in vectors {
            let (length, kept) = (length(vector), centre.iter_mut().zip(vector));
            if length > 0.0 {
                kept.for_each(|(sum, value)| *sum += value / length);
                count += 1.0;
            }
        }
        centre.iter_mut().for_each(|sum| *sum /= count);
        Self { centre }
    }

    pub fn dimensions(&self) -> usize {
        self.centre.len()
    }

    /// The vector's place, 1 long. A vector of zeros, one with numbers that are none, and one of another length are
    /// placed at the origin, where nothing is near.
    pub fn place(&self, vector: &[f32]) -> Vec<f32> {
        let long = length(vector);
        if long <= 0.0 || vector.len() != self.centre.len() {
            return vec![0.0; self.centre.len()];
        }
        let moved = vector.iter().zip(&self.centre).map(|(value, centre)| value / long - centre);
        let mut placed: Vec<f32> = moved.collect();
        let long = length(&placed);
        placed.iter_mut().for_each(|value| *value = if long > 1e-6 { *value / long } else { 0.0 });
        placed
    }
}

/// Of numbers that aren't finite, 0.
fn length(vector: &[f32]) -> f32 {
    let length = dot(vector, vector).sqrt();
    if length.is_finite() { length } else { 0.0 }
}

pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; LANES];
    let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f32 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a.zip(b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_placed_lies_at_the_origin() {
        let vectors = [[1.0, 0.0, 0.0], [0.8, 0.6, 0.0]];
        let space = Space::of(vectors.iter().map(|vector| &vector[..]), 3);
        for odd in [&[0.0, 0.0, 0.0][..], &[f32::NAN, 1.0, 0.0], &[f32::INFINITY, 0.0, 0.0], &[1.0]]
        {
            assert_eq!(space.place(odd), vec![0.0; 3]);
        }
        let placed = space.place(&vectors[0]);
        assert!((dot(&placed, &placed) - 1.0).abs() < 1e-5);
    }

    #[test]
    fn a_dot_product_takes_all_numbers() {
        let a: Vec<f32> = (0..37).map(|at| at as f32).collect();
        assert_eq!(dot(&a, &a), (0..37).map(|at| (at * at) as f32).sum::<f32>());
    }
}
