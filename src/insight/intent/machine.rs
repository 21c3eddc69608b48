//! The classifier: least squares with a kernel, which is a Gaussian process's mean (Rasmussen and Williams, *Gaussian
//! Processes for Machine Learning*, 2006, §2.2 and §6.5), for many examples through some of them as landmarks (the
//! Nyström method, Williams and Seeger, NIPS 2000).
//!
//! Chosen over logistic regression since it was better with few examples and with many, and since what it would say of
//! each example, had it not been trained with it, comes out of the training as a formula (Cawley and Talbot, *Neural
//! Networks* 17, 2004): probabilities and the abstention are fitted to that.

use candle_core::{Device, Result, Tensor};
use rayon::prelude::*;

use super::cholesky::Cholesky;

/// How fast likeness falls with the distance of two vectors, and with that of two texts by their letters: the kernel is
/// `exp(-MEANING · (2 - 2 cos) - LETTERS · (2 - 2 cos))`. Chosen by cross-validation on training rows of banking77 with
/// ten examples a class.
#[derive(Clone, Copy, Debug)]
pub struct Kernel {
    pub meaning: f32,
    pub letters: f32,
    /// The variance of an example's label, which pulls weights towards 0.
    pub noise: f32,
}

/// Keeps the landmarks' kernel matrix positive definite where two examples are the same.
const JITTER: f32 = 1e-3;

impl Kernel {
    pub const USUAL: Self = Self { meaning: 0.7, letters: 0.1, noise: 0.03 };

    pub fn of(self, meaning: f32, letters: f32) -> f32 {
        (-2.0 * self.meaning * (1.0 - meaning) - 2.0 * self.letters * (1.0 - letters)).exp()
    }
}

/// What comes out of the training.
pub struct Trained {
    /// `landmarks × classes` by rows: a text's scores are its kernels with the landmarks, times these.
    pub weights: Vec<f32>,
    /// `examples × classes` by rows: the scores of each example by a classifier without it.
    pub left_out: Vec<f32>,
}

/// Trains on `examples` rows. `kernels` is `examples × landmarks` by rows, its first rows those of the landmarks;
/// `targets` is `examples × classes` by rows.
///
/// # Errors
/// When the numbers don't fit together.
pub fn train(
    kernels: Vec<f32>,
    targets: &[f32],
    examples: usize,
    landmarks: usize,
    classes: usize,
    noise: f32,
) -> Result<Trained> {
    let kernels = Tensor::from_vec(kernels, (examples, landmarks), &Device::Cpu)?;
    let wanted = Tensor::from_slice(targets, (examples, classes), &Device::Cpu)?;
    let among = kernels.narrow(0, 0, landmarks)?;
    let eye = Tensor::eye(landmarks, candle_core::DType::F32, &Device::Cpu)?;
    let between = Cholesky::of(&(among + (&eye * f64::from(JITTER))?)?)?;
    // Features whose dot products are the kernels.
    let features = between.solve_rows(&kernels)?;
    drop(kernels);
    let spread = (features.t()?.matmul(&features)? + (eye * f64::from(noise))?)?;
    let spread = Cholesky::of(&spread)?;
    let whitened = spread.solve_rows(&features)?;
    drop(features);
    let sums = whitened.t()?.matmul(&wanted)?;
    let said: Vec<f32> = whitened.matmul(&sums)?.flatten_all()?.to_vec1()?;
    let leverage: Vec<f32> = whitened.sqr()?.sum(1)?.to_vec1()?;
    let weights = between.solve_transposed(&spread.solve_transposed(&sums)?)?;
    let mut left_out = said;
    left_out
        .par_chunks_mut(classes)
        .zip(targets.par_chunks(classes))
        .zip(&leverage)
        .for_each(|((said, targets), leverage)| {
            let share = leverage.clamp(0.0, 0.999);
            for (said, target) in said.iter_mut().zip(targets) {
                *said = (*said - share * target) / (1.0 - share);
            }
        });
    Ok(Trained { weights: weights.flatten_all()?.to_vec1()?, left_out })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points on a line, each with its class.
    fn kernels(points: &[f32], landmarks: usize) -> Vec<f32> {
        let likeness = |a: f32, b: f32| (-(a - b) * (a - b)).exp();
        points
            .iter()
            .flat_map(|a| points[..landmarks].iter().map(move |b| likeness(*a, *b)))
            .collect()
    }

    #[test]
    fn the_formula_says_what_training_without_an_example_says() {
        let points = [0.0, 3.0, 0.4, 2.5, 0.9, 2.1];
        let targets: Vec<f32> =
            points.iter().flat_map(|at| if *at < 1.5 { [1.0, 0.0] } else { [0.0, 1.0] }).collect();
        let (landmarks, noise) = (2, 0.1);
        let all = kernels(&points, landmarks);
        let trained = train(all.clone(), &targets, 6, landmarks, 2, noise).unwrap();
        // The last is no landmark, hence can simply be left away.
        let shorter = train(all[..10].to_vec(), &targets[..10], 5, landmarks, 2, noise).unwrap();
        for class in 0..2 {
            let score: f32 =
                (0..landmarks).map(|at| all[10 + at] * shorter.weights[at * 2 + class]).sum();
            let formula = trained.left_out[10 + class];
            assert!((score - formula).abs() < 1e-3, "{score} {formula}");
        }
    }
}
