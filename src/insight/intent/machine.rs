//! The classifier: least squares with a kernel, which is a Gaussian process's mean (Rasmussen and Williams, *Gaussian
//! Processes for Machine Learning*, 2006, §2.2 and §6.5).
//!
//! Chosen over logistic regression since it was better with few examples and with many, and since what it would say of
//! each example, had it not been trained with it, comes out of the training as a formula (there, equation
//! 5.12): probabilities and the abstention are fitted to that.

use candle_core::{Device, Result, Tensor};

use super::cholesky::Cholesky;

/// How fast likeness falls with the distance of two vectors, and with that of two texts by their letters: the kernel is
/// `exp(-meaning · (2 - 2 cos) - letters · (2 - 2 cos))`. Chosen by cross-validation on training rows of banking77, with
/// ten examples a class and with all: letters alone gain a fifth of a point.
#[derive(Clone, Copy, Debug)]
pub struct Kernel {
    pub meaning: f32,
    pub letters: f32,
    /// The variance of an example's label, which pulls weights towards 0.
    pub noise: f32,
}

impl Kernel {
    pub const USUAL: Self = Self { meaning: 0.7, letters: 0.1, noise: 0.1 };

    pub fn of(self, meaning: f32, letters: f32) -> f32 {
        (-2.0 * self.meaning * (1.0 - meaning) - 2.0 * self.letters * (1.0 - letters)).exp()
    }
}

/// What comes out of the training.
pub struct Trained {
    /// `examples × classes` by rows: a text's scores are its kernels with the examples, times these.
    pub weights: Vec<f32>,
    /// `examples × classes` by rows: the scores of each example by a classifier without it.
    pub left_out: Vec<f32>,
}

/// Trains on examples. `kernels` is `examples × examples` by rows, `targets` is `examples × classes` by rows.
///
/// Takes some `0.7 examples³` multiplications, and memory for three tables of `examples²` numbers.
///
/// # Errors
/// When the numbers don't fit together.
pub fn train(kernels: Vec<f32>, targets: &[f32], classes: usize, noise: f32) -> Result<Trained> {
    let examples = targets.len() / classes.max(1);
    let mut kernels = kernels;
    kernels.iter_mut().step_by(examples + 1).for_each(|own| *own += noise);
    let kernels = Tensor::from_vec(kernels, (examples, examples), &Device::Cpu)?;
    let wanted = Tensor::from_slice(targets, (examples, classes), &Device::Cpu)?;
    let inverse = Cholesky::of(&kernels)?.inverse()?;
    drop(kernels);
    let weights = inverse.t()?.matmul(&inverse.matmul(&wanted)?)?;
    // The diagonal of the inverse of the whole.
    let own: Vec<f32> = inverse.sqr()?.sum(0)?.to_vec1()?;
    let weights: Vec<f32> = weights.flatten_all()?.to_vec1()?;
    let rows = targets.chunks(classes).zip(weights.chunks(classes)).zip(&own);
    let left_out = rows.flat_map(|((targets, weights), own)| {
        targets.iter().zip(weights).map(move |(target, weight)| target - weight / own)
    });
    Ok(Trained { left_out: left_out.collect(), weights })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points on a line, each like all others by how near they are.
    fn kernels(points: &[f32]) -> Vec<f32> {
        let like = |a: f32, b: f32| (-(a - b) * (a - b)).exp();
        points.iter().flat_map(|a| points.iter().map(move |b| like(*a, *b))).collect()
    }

    #[test]
    fn the_formula_says_what_training_without_an_example_says() {
        let points = [0.0, 3.0, 0.4, 2.5, 0.9, 2.1];
        let targets: Vec<f32> =
            points.iter().flat_map(|at| if *at < 1.5 { [1.0, 0.0] } else { [0.0, 1.0] }).collect();
        let all = kernels(&points);
        let trained = train(all.clone(), &targets, 2, 0.1).unwrap();
        let without = train(kernels(&points[..5]), &targets[..10], 2, 0.1).unwrap();
        for class in 0..2 {
            let score: f32 = (0..5).map(|at| all[30 + at] * without.weights[at * 2 + class]).sum();
            let formula = trained.left_out[10 + class];
            assert!((score - formula).abs() < 1e-4, "{score} {formula}");
        }
    }
}
