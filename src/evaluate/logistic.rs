//! Logistic models with few inputs, the constant first: what they say, and their fit.

const STEPS: usize = 20_000;
const STEP: f64 = 0.5;

/// `1 / (1 + e^-(w · x))`
pub fn probability<const N: usize>(weights: &[f32; N], inputs: &[f32; N]) -> f32 {
    let sum: f32 = weights.iter().zip(inputs).map(|(weight, input)| weight * input).sum();
    1.0 / (1.0 + (-sum).exp())
}

/// Gradient descent on the logistic loss, which is convex, so it always ends in one place. `ridge` pulls
/// all weights but the constant towards 0.
pub fn fit<const N: usize>(cases: &[([f32; N], bool)], ridge: f64) -> [f32; N] {
    let mut weights = [0.0_f64; N];
    for _ in 0..STEPS {
        let mut slope = [0.0_f64; N];
        for (inputs, is_so) in cases {
            let sum: f64 = weights.iter().zip(inputs).map(|(w, x)| w * f64::from(*x)).sum();
            let error = 1.0 / (1.0 + (-sum).exp()) - f64::from(u8::from(*is_so));
            for (slope, input) in slope.iter_mut().zip(inputs) {
                *slope += error * f64::from(*input);
            }
        }
        for (at, (weight, slope)) in weights.iter_mut().zip(slope).enumerate() {
            let pull = if at == 0 { 0.0 } else { ridge * *weight };
            *weight -= STEP * (slope / cases.len().max(1) as f64 + pull);
        }
    }
    weights.map(|weight| weight as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_speaks_for_it_gets_weight() {
        let cases: Vec<([f32; 2], bool)> =
            (0..20).map(|at| ([1.0, at as f32 / 20.0], at >= 10)).collect();
        let weights = fit(&cases, 0.001);
        assert!(weights[1] > 5.0, "{weights:?}");
        assert!(probability(&weights, &[1.0, 0.9]) > 0.8);
        assert!(probability(&weights, &[1.0, 0.1]) < 0.2);
    }
}
