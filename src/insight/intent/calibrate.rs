//! From scores to probabilities and to silence, fitted to what the classifier says of examples that it was trained
//! without.

/// The temperature that few examples stay near, found on all public sets that were at hand; as strong as so many
/// examples that are wrong by a factor `e`.
const USUAL: f32 = 14.0;
const USUAL_COUNTS: f32 = 10.0;
const TEMPERATURES: (f32, f32) = (1.0, 100.0);
const GOLDEN: f32 = 0.618_034;
const STEPS: usize = 40;
/// Of what is in scope, so much may be left to people where no examples out of scope are known.
const IN_SCOPE_LEFT: f32 = 0.03;
/// How much more often customers want one of the intents than something else. Examples out of scope are collected
/// without regard to that.
const INSIDE_COUNTS: f32 = 3.0;
/// Fewer examples out of scope say nothing about where to abstain.
const OUT_OF_SCOPE_MIN: usize = 20;
/// How softly a step is counted while the threshold is looked for: one example more or less must not move it far.
const SOFT: f32 = 0.02;

/// Probabilities of scores: their softmax, sharpened (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017).
/// They sum to 1 whatever the scores are.
pub fn probabilities(scores: &[f32], temperature: f32) -> Vec<f32> {
    let most = scores.iter().copied().filter(|score| score.is_finite()).fold(f32::MIN, f32::max);
    let power = |score: &f32| match score.is_finite() {
        true => ((score - most) * temperature).exp(),
        false => 0.0,
    };
    let powers: Vec<f32> = scores.iter().map(power).collect();
    let sum: f32 = powers.iter().sum();
    if sum > 0.0 {
        powers.into_iter().map(|power| power / sum).collect()
    } else {
        vec![1.0 / scores.len().max(1) as f32; scores.len()]
    }
}

/// The factor on scores that makes what was right likeliest. `cases` are the scores of an example with its class.
pub fn temperature(cases: &[(&[f32], usize)]) -> f32 {
    let loss = |log: f32| -> f64 {
        let surprise = |(scores, class): &(&[f32], usize)| -> f64 {
            f64::from(-probabilities(scores, log.exp())[*class].max(1e-12).ln())
        };
        let pull = f64::from(USUAL_COUNTS * (log - USUAL.ln()).powi(2));
        cases.iter().map(surprise).sum::<f64>() + pull
    };
    // Golden section: the loss is convex in the temperature, and has one valley in its logarithm.
    let (mut low, mut high) = (TEMPERATURES.0.ln(), TEMPERATURES.1.ln());
    let mut inner = (high - GOLDEN * (high - low), low + GOLDEN * (high - low));
    let mut losses = (loss(inner.0), loss(inner.1));
    for _ in 0..STEPS {
        if losses.0 < losses.1 {
            high = inner.1;
            inner = (high - GOLDEN * (high - low), inner.0);
            losses = (loss(inner.0), losses.0);
        } else {
            low = inner.0;
            inner = (inner.1, low + GOLDEN * (high - low));
            losses = (losses.1, loss(inner.1));
        }
    }
    f32::midpoint(low, high).exp()
}

/// The certainty from which on an intent is named. `inside` are the certainties of examples of an intent, with
/// whether it was the right one; `outside` those of examples that have none.
///
/// With examples out of scope it is where most is right, be it an intent that is named or something else that is left
/// alone (Youden's index, *Cancer* 3, 1950, with a weight for how often each comes); without, a small share in scope is
/// given up.
pub fn threshold(inside: &[(f32, bool)], outside: &[f32]) -> f32 {
    let mut right: Vec<f32> =
        inside.iter().filter(|(_, is_right)| *is_right).map(|(certainty, _)| *certainty).collect();
    right.sort_by(f32::total_cmp);
    if outside.len() < OUT_OF_SCOPE_MIN || right.is_empty() {
        let at = (right.len() as f32 * IN_SCOPE_LEFT) as usize;
        return right.get(at).copied().unwrap_or(0.0);
    }
    let above = |certainty: f32, from: f32| 1.0 / (1.0 + ((from - certainty) / SOFT).exp());
    let share = |certainties: &[f32], from: f32| -> f32 {
        certainties.iter().map(|certainty| above(*certainty, from)).sum::<f32>()
            / certainties.len() as f32
    };
    let steps = (0..=200).map(|step| step as f32 / 200.0);
    let index = |from: f32| INSIDE_COUNTS * share(&right, from) - share(outside, from);
    steps.max_by(|a, b| index(*a).total_cmp(&index(*b))).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_sum_to_one_whatever_comes() {
        for scores in
            [&[0.0, 0.0][..], &[f32::NAN, 1.0], &[f32::INFINITY, 2.0], &[f32::NAN], &[1e30, -1e30]]
        {
            let sum: f32 = probabilities(scores, 20.0).iter().sum();
            assert!((sum - 1.0).abs() < 1e-5, "{scores:?}: {sum}");
        }
        assert!(probabilities(&[], 1.0).is_empty());
    }

    #[test]
    fn the_temperature_that_made_the_scores_is_found() {
        // Of scores 0.1 apart, what is above is right as often as a temperature of 20 says.
        let scores = [0.5f32, 0.4];
        let right = probabilities(&scores, 20.0)[0];
        let cases: Vec<(&[f32], usize)> = (0..10_000)
            .map(|at| (&scores[..], usize::from(at as f32 >= right * 10_000.0)))
            .collect();
        assert!((temperature(&cases) - 20.0).abs() < 0.5, "{}", temperature(&cases));
    }

    #[test]
    fn few_examples_leave_the_usual_temperature_nearly_alone() {
        let scores = [0.5f32, 0.1];
        let found = temperature(&[(&scores[..], 0), (&scores[..], 0)]);
        assert!(found > USUAL && found < 2.0 * USUAL, "{found}");
        assert!((temperature(&[]) - USUAL).abs() < 0.1);
    }

    #[test]
    fn the_threshold_parts_what_is_in_scope_from_what_is_not() {
        let inside: Vec<(f32, bool)> = (0..100).map(|at| (0.5 + at as f32 * 0.004, true)).collect();
        let outside: Vec<f32> = (0..100).map(|at| at as f32 * 0.004).collect();
        let found = threshold(&inside, &outside);
        assert!(found > 0.39 && found < 0.51, "{found}");
        // Without examples out of scope three of a hundred are given up.
        assert!((threshold(&inside, &[]) - 0.512).abs() < 1e-4);
        assert_eq!(threshold(&[], &[]), 0.0);
    }
}
