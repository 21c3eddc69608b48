//! Where texts lie: MiniLM's vectors, moved so that their centre is the origin, and made 1 long.
//!
//! Sentence vectors of one domain share a direction, which makes all look alike; without it cosines tell them apart
//! better (Mu and Viswanath, "All-but-the-Top", ICLR 2018).

/// So many vectors at the origin are added before the centre is taken: the mean of two or three examples is no centre.
const AT_ORIGIN: f32 = 10.0;
/// Sums that run beside each other, so that the processor can add several numbers at once.
const LANES: usize = 16;
/// What 1 is in a [`Coarse`] place.
const ONE: f32 = 32_768.0;

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

/// A place in 16 bits a number: the examples are read whole for each turn, so that half the bytes is nearly half the time. A
/// cosine of two is 1e-4 off at the most.
pub struct Coarse(Vec<i16>);

impl Coarse {
    /// Of places that are 1 long at the most.
    pub fn of(places: &[f32]) -> Self {
        Self(places.iter().map(|value| (value * ONE).round() as i16).collect())
    }

    /// The cosines of one place with each of these, in their order.
    pub fn cosines<'a>(&'a self, one: &'a Self) -> impl Iterator<Item = f32> + 'a {
        self.0.chunks_exact(one.0.len().max(1)).map(|other| {
            // No sum, of a part either, is greater than the product of the lengths, which is `ONE²`.
            let sum: i32 =
                other.iter().zip(&one.0).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum();
            sum as f32 / (ONE * ONE)
        })
    }
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
    fn coarse_cosines_are_nearly_those_of_the_places() {
        let vectors: Vec<Vec<f32>> = (0..40)
            .map(|row| (0..384).map(|at| ((row * 31 + at * 7) as f32).sin()).collect())
            .collect();
        let space = Space::of(vectors.iter().map(|vector| &vector[..]), 384);
        let places: Vec<Vec<f32>> = vectors.iter().map(|vector| space.place(vector)).collect();
        let coarse = Coarse::of(&places.concat());
        for one in &places {
            let cosines: Vec<f32> = coarse.cosines(&Coarse::of(one)).collect();
            assert_eq!(cosines.len(), places.len());
            for (other, cosine) in places.iter().zip(cosines) {
                assert!((dot(one, other) - cosine).abs() < 1e-4);
            }
        }
        // The longest numbers that there are.
        let axis = Coarse::of(&[1.0, 0.0, -1.0, 0.0]);
        let cosines: Vec<f32> = axis.cosines(&Coarse::of(&[1.0, 0.0])).collect();
        assert!((cosines[0] - 1.0).abs() < 1e-4 && (cosines[1] + 1.0).abs() < 1e-4);
    }

    #[test]
    fn a_dot_product_takes_all_numbers() {
        let a: Vec<f32> = (0..37).map(|at| at as f32).collect();
        assert_eq!(dot(&a, &a), (0..37).map(|at| (at * at) as f32).sum::<f32>());
    }
}
