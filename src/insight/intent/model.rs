//! [`IntentModel`]: trained from examples, asked for each turn.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};
use rayon::prelude::*;

use super::calibrate::{probabilities, temperature, threshold};
use super::learnt::{self, Learnt, Nowhere, Shelf};
use super::lexical::{LexicalIndex, Lexicon, Weighted};
use super::machine::{Kernel, train};
use super::space::{Coarse, Space};
use crate::domain::{Classify, ErrorKind, Intent, IntentSeen};
use crate::models::embedder::EmbedderError;

/// Examples that are used at most, as evenly of all labels as can be: training takes the cube of their number, half a
/// minute on two cores for so many, and each costs a comparison a turn.
pub const EXAMPLES_MAX: usize = 10_240;

/// What kind of text an example is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What a customer said.
    Said,
    /// The intent's name or its description: trained with, and left out where the classifier's own errors are counted,
    /// since nobody speaks like that.
    About,
}

/// A text with its intent; without one it is out of scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    pub text: String,
    pub label: Option<String>,
    pub kind: Kind,
}

impl Example {
    pub fn said(text: impl Into<String>, label: impl Into<String>) -> Self {
        Self { text: text.into(), label: Some(label.into()), kind: Kind::Said }
    }

    pub fn about(text: impl Into<String>, label: impl Into<String>) -> Self {
        Self { text: text.into(), label: Some(label.into()), kind: Kind::About }
    }

    pub fn out_of_scope(text: impl Into<String>) -> Self {
        Self { text: text.into(), label: None, kind: Kind::Said }
    }

    /// A label as words: `card_arrival` and `CardArrival` are "card arrival".
    pub fn name(label: &str) -> Self {
        let mut words = String::with_capacity(label.len() + 4);
        let mut was_lower = false;
        for c in label.chars() {
            if c.is_uppercase() && was_lower {
                words.push(' ');
            }
            was_lower = c.is_lowercase() || c.is_numeric();
            match c.is_alphanumeric() {
                true => words.extend(c.to_lowercase()),
                false => words.push(' '),
            }
        }
        let words: Vec<&str> = words.split_whitespace().collect();
        Self::about(words.join(" "), label)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum IntentError {
    #[error(transparent)]
    Vectors(#[from] EmbedderError),
    #[error("there is no example with an intent: write at least one for each intent")]
    NoExamples,
    #[error("there are {vectors} vectors of {dimensions} numbers each for {examples} examples")]
    Shape { vectors: usize, dimensions: usize, examples: usize },
    #[error("the training failed: {0}")]
    Training(String),
}

impl Classify for IntentError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Vectors(error) => error.kind(),
            Self::NoExamples => ErrorKind::Invalid,
            Self::Shape { .. } | Self::Training(_) => ErrorKind::Internal,
        }
    }
}

/// Makes a vector of each text, in their order.
pub type Vectors<'a> = &'a mut dyn FnMut(&[&str]) -> Result<Vec<Vec<f32>>, EmbedderError>;

/// What the training found out about itself, on examples that were left out one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measures {
    /// Examples that customers said, of an intent.
    pub examples: usize,
    /// Share of them that got their own intent first.
    pub accuracy: f32,
    pub temperature: f32,
    /// The certainty below which it abstains.
    pub threshold: f32,
}

/// Tells a turn's intent. Immutable, so it can be shared by all calls.
pub struct IntentModel {
    /// In the order of the alphabet.
    labels: Vec<String>,
    space: Space,
    lexicon: Lexicon,
    letters: LexicalIndex,
    kernel: Kernel,
    /// Places of examples, `rows × dimensions`.
    places: Coarse,
    /// Of each place, whether it belongs to an intent.
    has_intent: Vec<bool>,
    /// `rows × labels`.
    weights: Vec<f32>,
    measures: Measures,
}

impl IntentModel {
    /// Trains on examples in any order; the same examples give the same model.
    ///
    /// Takes a second for a thousand examples beside their vectors, some ten for ten thousand.
    ///
    /// # Errors
    /// When no example has an intent, or `vectors` fails.
    pub fn train(examples: &[Example], vectors: Vectors<'_>) -> Result<Self, IntentError> {
        Self::train_on(examples, EXAMPLES_MAX, vectors, &Nowhere)
    }

    /// As [`Self::train`] on `most` examples, with what was learnt from the same ones before, where it was kept.
    ///
    /// # Errors
    /// As `train`.
    pub fn train_on(
        examples: &[Example],
        most: usize,
        vectors: Vectors<'_>,
        shelf: &dyn Shelf,
    ) -> Result<Self, IntentError> {
        let mut ordered = in_order(examples);
        ordered.truncate(most.min(EXAMPLES_MAX));
        let texts: Vec<&str> = ordered.iter().map(|example| example.text.as_str()).collect();
        let found = vectors(&texts)?;
        let dimensions = found.first().map_or(0, Vec::len);
        if found.len() != texts.len() || found.iter().any(|vector| vector.len() != dimensions) {
            let (vectors, examples) = (found.len(), texts.len());
            return Err(IntentError::Shape { vectors, dimensions, examples });
        }
        let mut labels: Vec<String> =
            ordered.iter().filter_map(|example| example.label.clone()).collect();
        labels.sort_unstable();
        labels.dedup();
        if labels.is_empty() {
            return Err(IntentError::NoExamples);
        }
        let made = Self::of(&ordered, &found, labels, shelf);
        made.map_err(|error| IntentError::Training(error.to_string()))
    }

    fn of(
        examples: &[&Example],
        vectors: &[Vec<f32>],
        labels: Vec<String>,
        shelf: &dyn Shelf,
    ) -> candle_core::Result<Self> {
        let class_of = |example: &Example| labels.binary_search(example.label.as_ref()?).ok();
        let classes: Vec<Option<usize>> = examples.iter().map(|one| class_of(one)).collect();
        let said = examples.iter().zip(vectors).filter(|(one, _)| one.kind == Kind::Said);
        let dimensions = vectors.first().map_or(0, Vec::len);
        let space = Space::of(said.map(|(_, vector)| &vector[..]), dimensions);
        let places: Vec<f32> = vectors.iter().flat_map(|vector| space.place(vector)).collect();
        let texts: Vec<&str> = examples.iter().map(|example| example.text.as_str()).collect();
        let lexicon = Lexicon::of(&texts);
        let weighted: Vec<Weighted> = texts.iter().map(|text| lexicon.weigh(text)).collect();
        let letters = lexicon.index(&weighted);
        let kernel = Kernel::USUAL;
        let has_intent: Vec<bool> = classes.iter().map(Option::is_some).collect();
        let name = learnt::name_of(examples, vectors, kernel);
        let kept = shelf.find(&name).and_then(|bytes| Learnt::read(&bytes));
        let kept = kept.filter(|kept| kept.weights.len() == examples.len() * labels.len());
        let learnt = match kept {
            Some(learnt) => learnt,
            None => {
                let weighted = (&letters, &weighted[..]);
                let learnt = learn(examples, &classes, &places, labels.len(), weighted, kernel)?;
                shelf.keep(&name, &learnt.written());
                learnt
            }
        };
        Ok(Self {
            labels,
            space,
            lexicon,
            letters,
            kernel,
            places: Coarse::of(&places),
            has_intent,
            weights: learnt.weights,
            measures: learnt.measures,
        })
    }

    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    pub fn measures(&self) -> Measures {
        self.measures
    }

    /// The `top` likeliest intents of a text. `vector` is the text's, from the embedder of the training; of one that is
    /// no vector, or of another model, nothing is told but how likely each intent is by itself.
    pub fn predict(&self, text: &str, vector: &[f32], top: usize) -> IntentSeen {
        let (scores, nearest) = self.scores(text, vector);
        let certainty = certainty(&scores, nearest, self.share());
        let chances = probabilities(&scores, self.measures.temperature);
        let mut order: Vec<usize> = (0..chances.len()).collect();
        // Beyond six digits it is rounding, which isn't the same on every machine.
        let rank = |class: &usize| std::cmp::Reverse((chances[*class] * 1e6).round() as u32);
        order.sort_by_key(|class| (rank(class), *class));
        let ranked = order
            .into_iter()
            .take(top)
            .map(|class| Intent { label: self.labels[class].clone(), probability: chances[class] });
        IntentSeen {
            ranked: ranked.collect(),
            abstained: nearest.inside <= 0.0 || certainty < self.measures.threshold,
        }
    }

    /// The share of each intent if all were alike.
    fn share(&self) -> f32 {
        1.0 / self.labels.len() as f32
    }

    /// A score for each label, and how near the examples are.
    fn scores(&self, text: &str, vector: &[f32]) -> (Vec<f32>, Nearest) {
        let place = Coarse::of(&self.space.place(vector));
        let letters = self.letters.cosines(&self.lexicon.weigh(text));
        let mut scores = vec![0.0; self.labels.len()];
        let mut nearest = Nearest::default();
        let cosines = self.places.cosines(&place);
        for (at, (cosine, has_intent)) in cosines.zip(&self.has_intent).enumerate() {
            nearest.see(cosine, *has_intent);
            let kernel = self.kernel.of(cosine, letters[at]);
            let weights = &self.weights[at * scores.len()..(at + 1) * scores.len()];
            scores.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += kernel * weight);
        }
        (scores, nearest)
    }
}

/// The slow part. `places` is `examples × dimensions` by rows; `weighted` are the examples' letters.
fn learn(
    examples: &[&Example],
    classes: &[Option<usize>],
    places: &[f32],
    labels: usize,
    (letters, weighted): (&LexicalIndex, &[Weighted]),
    kernel: Kernel,
) -> candle_core::Result<Learnt> {
    let dimensions = places.len() / examples.len().max(1);
    let has_intent: Vec<bool> = classes.iter().map(Option::is_some).collect();
    let all = Tensor::from_slice(places, (examples.len(), dimensions), &Device::Cpu)?;
    let mut kernels: Vec<f32> = all.matmul(&all.t()?)?.flatten_all()?.to_vec1()?;
    let nearest = nearest_of_others(&kernels, &has_intent);
    kernels.par_chunks_mut(examples.len()).zip(weighted).for_each(|(row, text)| {
        for (cosine, letters) in row.iter_mut().zip(letters.cosines(text)) {
            *cosine = kernel.of(*cosine, letters);
        }
    });
    let share = 1.0 / labels as f32;
    let mut targets = vec![-share; examples.len() * labels];
    for (row, class) in classes.iter().enumerate() {
        if let Some(class) = class {
            targets[row * labels + class] += 1.0;
        }
    }
    let trained = train(kernels, &targets, labels, kernel.noise)?;
    let left_out: Vec<&[f32]> = trained.left_out.chunks(labels).collect();
    let measures = measure(examples, classes, &left_out, &nearest, share);
    Ok(Learnt { weights: trained.weights, measures })
}

/// How near a text is to the examples: the largest cosine with one that has an intent, and with one that is out of
/// scope; at least 0.
#[derive(Clone, Copy, Debug, Default)]
struct Nearest {
    inside: f32,
    outside: f32,
}

impl Nearest {
    fn see(&mut self, cosine: f32, has_intent: bool) {
        let nearest = if has_intent { &mut self.inside } else { &mut self.outside };
        *nearest = nearest.max(cosine);
    }
}

/// How much being near to something out of scope counts. By leave-one-out on the training rows of clinc150, as is the
/// product below.
const OUTSIDE_COUNTS: f32 = 0.2;

/// How sure it is that the best intent is meant at all: its score times the cosine with the nearest example. Either
/// alone is fooled, the score by a text far from all, the cosine by a neighbour of another meaning (Larson et al., "An
/// Evaluation Dataset for Intent Classification and Out-of-Scope Prediction", EMNLP 2019, compare thresholds on
/// probabilities; distances to neighbours: Sun et al., ICML 2022).
fn certainty(scores: &[f32], nearest: Nearest, share: f32) -> f32 {
    let best = scores.iter().copied().fold(f32::MIN, f32::max) + share;
    if !best.is_finite() {
        return 0.0;
    }
    best.clamp(0.0, 1.5) * nearest.inside.min(1.0) - OUTSIDE_COUNTS * nearest.outside.min(1.0)
}

/// One of each label in turn, so that the first so many are of all alike; names and descriptions before what
/// was said, since there is one of each. Examples are in the order of their texts, whatever order they came in.
fn in_order(examples: &[Example]) -> Vec<&Example> {
    let mut by_label: BTreeMap<Option<&str>, Vec<&Example>> = BTreeMap::new();
    for example in examples {
        by_label.entry(example.label.as_deref()).or_default().push(example);
    }
    let mut ranked: Vec<(usize, &Example)> = Vec::with_capacity(examples.len());
    for examples in by_label.into_values() {
        let mut examples = examples;
        // By a number made of the text, not by the text: texts that begin alike often mean the same.
        examples.sort_by_cached_key(|one| (one.kind == Kind::Said, mixed(&one.text), &one.text));
        ranked.extend(examples.into_iter().enumerate());
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, example)| example).collect()
}

/// FNV-1a, 64 bits: the same on every machine.
fn mixed(text: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

/// Of each place, how near the others are. `cosines` are those of all with all, by rows.
fn nearest_of_others(cosines: &[f32], has_intent: &[bool]) -> Vec<Nearest> {
    let rows = cosines.chunks(has_intent.len().max(1)).enumerate();
    let nearest = rows.map(|(row, cosines)| {
        let mut nearest = Nearest::default();
        let others = cosines.iter().zip(has_intent).enumerate();
        for (_, (cosine, has_intent)) in others.filter(|(other, _)| *other != row) {
            nearest.see(*cosine, *has_intent);
        }
        nearest
    });
    nearest.collect()
}

fn best_of(scores: &[f32]) -> usize {
    let best = scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0)));
    best.map_or(0, |(at, _)| at)
}

/// Fits what the scores of examples that were left out can tell.
fn measure(
    examples: &[&Example],
    classes: &[Option<usize>],
    left_out: &[&[f32]],
    nearest: &[Nearest],
    share: f32,
) -> Measures {
    let (mut cases, mut inside, mut outside) = (Vec::new(), Vec::new(), Vec::new());
    for (row, example) in examples.iter().enumerate().filter(|(_, one)| one.kind == Kind::Said) {
        debug_assert_eq!(example.label.is_some(), classes[row].is_some());
        let certainty = certainty(left_out[row], nearest[row], share);
        match classes[row] {
            Some(class) => {
                cases.push((left_out[row], class));
                inside.push((certainty, best_of(left_out[row]) == class));
            }
            None => outside.push(certainty),
        }
    }
    let right = inside.iter().filter(|(_, is_right)| *is_right).count();
    Measures {
        examples: cases.len(),
        accuracy: right as f32 / cases.len().max(1) as f32,
        temperature: temperature(&cases),
        threshold: threshold(&inside, &outside),
    }
}
