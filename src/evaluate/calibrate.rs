//! Fits the abstention model on one half of the labelled questions and judges it on the other.

use sha2::{Digest, Sha256};

use super::logistic;
use super::retrieval::EvaluationError;
use crate::flow::suggestion::abstain::{self, INPUTS};
use crate::flow::suggestion::{Act, SuggestionSettings, act_of};
use crate::knowledge::queries::LabelledQuery;
use crate::knowledge::{Library, SearchRequest};

/// Pulls coefficients towards 0: there are few questions and many inputs.
const RIDGE: f64 = 0.001;

/// One labelled question as the model sees it.
struct Case {
    text: String,
    act: Option<Act>,
    inputs: [f32; INPUTS],
    /// Something answers this question.
    answerable: bool,
    /// The best hit answers it.
    right: bool,
    fitted_on: bool,
}

/// How the decision to speak does on questions that it wasn't fitted on.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Report {
    pub threshold: f32,
    pub held_out: usize,
    pub cards: usize,
    pub right_cards: usize,
    /// Right cards among the cards.
    pub precision: f64,
    /// Right cards among the questions that an article answers.
    pub recall: f64,
    /// Cards on questions that nothing should answer, and how many such there are.
    pub false_cards: usize,
    pub unanswerable: usize,
    /// Mean squared difference of probability and outcome (Brier 1950).
    pub brier: f64,
    /// Expected calibration error over ten bins.
    pub ece: f64,
}

/// The model and its reports at several thresholds.
pub struct Calibration {
    pub weights: [f32; INPUTS],
    pub reports: Vec<Report>,
    /// Held-out mistakes at the product's threshold.
    pub mistakes: Vec<String>,
}

/// Which half a question is in follows from its text, so that adding one moves no other.
pub fn is_for_fitting(text: &str) -> bool {
    Sha256::digest(text.as_bytes())[0] % 2 == 0
}

/// # Errors
/// When a search fails.
pub fn calibrate(
    library: &Library,
    queries: &[LabelledQuery],
) -> Result<Calibration, EvaluationError> {
    let mut cases = Vec::new();
    for query in queries {
        let found = library.search(&SearchRequest::new(query.text.clone()))?;
        let Some(hit) = found.hits.first() else { continue };
        let act = act_of(&query.text);
        cases.push(Case {
            text: format!("{} → {}", query.text, hit.passage().id),
            act,
            inputs: abstain::inputs(&hit.features, act.unwrap_or(Act::Statement)),
            answerable: !query.articles.is_empty(),
            right: query.articles.contains(&hit.article.id),
            fitted_on: is_for_fitting(&query.text),
        });
    }
    let fitted = cases.iter().filter(|case| case.fitted_on).map(|case| (case.inputs, case.right));
    let weights = logistic::fit(&fitted.collect::<Vec<_>>(), RIDGE);
    let shipped = |case: &Case| abstain::logistic(&weights, &case.inputs);
    let held: Vec<(&Case, f32)> =
        cases.iter().filter(|case| !case.fitted_on).map(|case| (case, shipped(case))).collect();
    let product = SuggestionSettings::default();
    let thresholds = [0.3, 0.4, 0.5, 0.6, 0.7];
    let reports = thresholds
        .iter()
        .map(|&threshold| report(&held, &SuggestionSettings { threshold, ..product.clone() }));
    let reports = reports.collect();
    let mistakes = held
        .iter()
        .filter(|(case, p)| speaks(case, *p, &product) != (case.answerable && case.right));
    let mistakes = mistakes.map(|(case, p)| {
        format!(
            "{p:.2} {:?} answerable={} right={} {}",
            case.act, case.answerable, case.right, case.text
        )
    });
    Ok(Calibration { weights, reports, mistakes: mistakes.collect() })
}

fn speaks(case: &Case, probability: f32, settings: &SuggestionSettings) -> bool {
    case.act.is_some() && probability >= settings.threshold
}

fn report(held: &[(&Case, f32)], settings: &SuggestionSettings) -> Report {
    let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
    let cards: Vec<_> = held.iter().filter(|(case, p)| speaks(case, *p, settings)).collect();
    let right_cards = cards.iter().filter(|(case, _)| case.right).count();
    let answerable = held.iter().filter(|(case, _)| case.answerable).count();
    let brier: f64 = held
        .iter()
        .map(|(case, p)| (f64::from(*p) - f64::from(u8::from(case.right))).powi(2))
        .sum();
    let ece: f64 = (0..10)
        .map(|bin| {
            let in_bin = |p: f32| (p * 10.0).floor().clamp(0.0, 9.0) == bin as f32;
            let members: Vec<_> = held.iter().filter(|(_, p)| in_bin(*p)).collect();
            let predicted: f64 = members.iter().map(|(_, p)| f64::from(*p)).sum();
            let true_ones = members.iter().filter(|(case, _)| case.right).count();
            (predicted - true_ones as f64).abs()
        })
        .sum();
    Report {
        threshold: settings.threshold,
        held_out: held.len(),
        cards: cards.len(),
        right_cards,
        precision: share(right_cards, cards.len()),
        recall: share(right_cards, answerable),
        false_cards: cards.iter().filter(|(case, _)| !case.answerable).count(),
        unanswerable: held.len() - answerable,
        brier: brier / held.len().max(1) as f64,
        ece: ece / held.len().max(1) as f64,
    }
}
