//! Fits the weights that decide on cards, on written calls that say what each turn wants.
//!
//! The topics and shares that a turn is judged by come from the turns before it, hence from the
//! weights: calls are played, weights fitted to what was seen, and again, until little changes.

use std::collections::BTreeMap;

use super::cards::{CardsError, turn_of};
use super::live::Reference;
use crate::domain::Role;
use crate::flow::suggestion::judge::{EVIDENCE, Judge, Look, SILENCE, Weights};
use crate::flow::suggestion::{Suggester, SuggestionSettings};
use crate::knowledge::{Library, SearchHit, sentences};

/// How often the calls are played.
const ROUNDS: usize = 3;
const STEPS: usize = 1_500;
/// Step of Adam (Kingma and Ba 2015), and how fast its two averages forget.
const STEP: f64 = 0.05;
const FORGET: (f64, f64) = (0.9, 0.999);
/// Pulls weights towards 0: there are few calls and many inputs.
const PULL: f64 = 0.001_25;
/// Hits beyond these never stood out.
const SEEN: usize = 40;

/// One turn: what competes, and who should win.
struct Case {
    hits: Vec<[f32; EVIDENCE]>,
    quiet: [f32; SILENCE],
    /// The hits that answer; none when silence should win.
    right: Vec<bool>,
    silence: bool,
}

/// # Errors
/// When a search fails.
pub fn fit(calls: &[(String, Reference)], library: &Library) -> Result<Judge, CardsError> {
    let mut evidence = [0.0; EVIDENCE];
    (evidence[3], evidence[8], evidence[4], evidence[9]) = (8.0, 8.0, 1.5, 1.5);
    let mut silence = [0.0; SILENCE];
    silence[0] = 9.0;
    let start = Weights { evidence, silence };
    let mut judge = Judge { turn: start, reply: start };
    for _ in 0..ROUNDS {
        let (mut turns, mut replies) = (Vec::new(), Vec::new());
        for (_, call) in calls {
            play(call, library, judge, &mut turns, &mut replies)?;
        }
        judge = Judge { turn: descend(&turns), reply: descend(&replies) };
    }
    Ok(judge)
}

fn play(
    call: &Reference,
    library: &Library,
    judge: Judge,
    turns: &mut Vec<Case>,
    replies: &mut Vec<Case>,
) -> Result<(), CardsError> {
    let wanted: BTreeMap<usize, &[String]> =
        call.questions.iter().map(|question| (question.turn, &question.any_of[..])).collect();
    let mut suggester = Suggester::with_judge(&SuggestionSettings::default(), judge);
    let mut of_customer = 0;
    for (index, spoken) in call.turns.iter().enumerate() {
        let turn = turn_of(index, spoken);
        if turn.party.role == Role::Customer {
            of_customer = index;
        }
        let Some(query) = suggester.consider(&turn) else { continue };
        let found = library.search(&query.request)?;
        let hits = suggester.evidence(&query, &found);
        suggester.decide(&query, &found, spoken.end_ms);
        let any_of = wanted.get(&of_customer).copied();
        let silence = call.small_talk_turns.contains(&of_customer);
        let answers = |hit: &SearchHit| any_of.is_some_and(|any_of| answers(hit, any_of));
        let right: Vec<bool> = found.hits.iter().map(answers).collect();
        if !silence && !right.contains(&true) {
            continue;
        }
        let case = Case { hits, quiet: query.quiet.inputs(), right, silence };
        match query.look {
            Look::Turn => turns.push(case),
            Look::Reply => replies.push(case),
        }
    }
    Ok(())
}

/// Whether a sentence of the passage holds what the answer must hold.
fn answers(hit: &SearchHit, any_of: &[String]) -> bool {
    let text = &hit.passage().text;
    sentences(text).iter().any(|span| {
        let words: Vec<&str> = span.slice(text).split_whitespace().collect();
        let sentence = words.join(" ").to_lowercase();
        any_of.iter().any(|any| sentence.contains(&any.to_lowercase()))
    })
}

/// Full-batch Adam on the mean log loss with a ridge, always from the same start.
fn descend(cases: &[Case]) -> Weights {
    const ALL: usize = EVIDENCE + SILENCE;
    let (mut weights, mut mean, mut square) = ([0.0f64; ALL], [0.0f64; ALL], [0.0f64; ALL]);
    for step in 1..=STEPS {
        let mut slope = [0.0f64; ALL];
        for case in cases {
            add_slope(case, &weights, &mut slope);
        }
        let left = |forget: f64| 1.0 - forget.powi(i32::try_from(step).unwrap_or(i32::MAX));
        let (mean_left, square_left) = (left(FORGET.0), left(FORGET.1));
        for at in 0..ALL {
            let slope = slope[at] / cases.len().max(1) as f64 + PULL * weights[at];
            mean[at] = FORGET.0 * mean[at] + (1.0 - FORGET.0) * slope;
            square[at] = FORGET.1 * square[at] + (1.0 - FORGET.1) * slope * slope;
            weights[at] -=
                STEP * (mean[at] / mean_left) / ((square[at] / square_left).sqrt() + 1e-8);
        }
    }
    let mut fitted = Weights { evidence: [0.0; EVIDENCE], silence: [0.0; SILENCE] };
    let all = fitted.evidence.iter_mut().chain(&mut fitted.silence);
    all.zip(weights).for_each(|(to, weight)| *to = weight as f32);
    fitted
}

fn add_slope(case: &Case, weights: &[f64], slope: &mut [f64]) {
    let (evidence, silence) = weights.split_at(EVIDENCE);
    let seen = case.hits.len().min(SEEN.max(last_right(case)));
    let dot = |weights: &[f64], inputs: &[f32]| -> f64 {
        weights.iter().zip(inputs).map(|(weight, input)| weight * f64::from(*input)).sum()
    };
    let mut scores: Vec<f64> = case.hits[..seen].iter().map(|hit| dot(evidence, hit)).collect();
    scores.push(dot(silence, &case.quiet));
    let most = scores.iter().copied().fold(f64::MIN, f64::max);
    let powers: Vec<f64> = scores.iter().map(|score| (score - most).exp()).collect();
    let is_right =
        |at: usize| if at == seen { case.silence } else { !case.silence && case.right[at] };
    let all: f64 = powers.iter().sum();
    let right: f64 = (0..=seen).filter(|&at| is_right(at)).map(|at| powers[at]).sum();
    for (at, power) in powers.iter().enumerate() {
        let wanted = if is_right(at) { power / right.max(f64::MIN_POSITIVE) } else { 0.0 };
        let error = power / all - wanted;
        let (inputs, slopes): (&[f32], &mut [f64]) = if at == seen {
            (&case.quiet, &mut slope[EVIDENCE..])
        } else {
            (&case.hits[at], &mut slope[..EVIDENCE])
        };
        slopes.iter_mut().zip(inputs).for_each(|(slot, input)| *slot += error * f64::from(*input));
    }
}

fn last_right(case: &Case) -> usize {
    case.right.iter().rposition(|right| *right).map_or(0, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_answers_is_told_from_what_does_not() {
        let hit = |asked: f32| {
            let mut inputs = [0.0; EVIDENCE];
            inputs[2] = asked;
            inputs
        };
        let mut quiet = [0.0; SILENCE];
        quiet[0] = 1.0;
        let case = |asked: [f32; 2], silence| Case {
            hits: asked.map(hit).to_vec(),
            quiet,
            right: vec![true, false],
            silence,
        };
        let cases: Vec<Case> = (0..20)
            .map(|at| if at % 2 == 0 { case([0.9, 0.4], false) } else { case([0.3, 0.2], true) })
            .collect();
        let fitted = descend(&cases);
        let shares = |asked: [f32; 2]| fitted.shares(&asked.map(hit), &[0.0; 2], &quiet);
        assert!(shares([0.9, 0.4])[0] > 0.8 && shares([0.3, 0.2])[0] < 0.2);
    }
}
