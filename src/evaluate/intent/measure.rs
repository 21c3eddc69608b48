//! Trains on one part, asks about the other.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::data::{Dataset, IntentDataError, Part, Row};
use crate::domain::IntentSeen;
use crate::insight::intent::{Example, IntentModel, Kind, Measures};
use crate::models::embedder::{EmbedderError, EmbedderHandle, Urgency};

/// Intents that are kept of an answer.
const TOP: usize = 3;
/// Nothing is live here.
const PATIENCE: Duration = Duration::from_secs(60);
/// Texts that are embedded at once.
const AT_ONCE: usize = 64;

/// What is trained on, and what is asked.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Examples of each intent at most; all if none. Out of scope, all are used.
    pub per_class: Option<usize>,
    /// Which examples these are, and which rows a model is trained without.
    pub seed: u64,
    /// Of rows that belong to no part, one of so many shares is asked about at a time.
    pub folds: usize,
}

/// One row, and what was said of it by a model that doesn't know it.
#[derive(Debug)]
pub struct Asked<'a> {
    pub row: &'a Row,
    pub seen: IntentSeen,
    /// Microseconds without the vector.
    pub took_us: f64,
}

#[derive(Debug)]
pub struct Run<'a> {
    pub asked: Vec<Asked<'a>>,
    /// Of each model that was trained.
    pub trained: Vec<Measures>,
    /// Examples of the largest.
    pub train_rows: usize,
    /// Of all together, without the vectors.
    pub train_seconds: f64,
}

/// Vectors of texts, each made once.
#[derive(Default)]
pub struct VectorsOf(HashMap<String, Vec<f32>>);

impl VectorsOf {
    /// Of all sentences of a set, and of its labels as words.
    ///
    /// # Errors
    /// When the model fails.
    pub fn all(dataset: &Dataset, embedder: &EmbedderHandle) -> Result<Self, EmbedderError> {
        let mut texts: BTreeSet<String> = BTreeSet::new();
        for row in &dataset.rows {
            texts.insert(row.example.text.clone());
            texts.extend(row.example.label.as_deref().map(|label| Example::name(label).text));
        }
        let texts: Vec<String> = texts.into_iter().collect();
        let mut vectors = HashMap::with_capacity(texts.len());
        for some in texts.chunks(AT_ONCE) {
            let made = embedder.embed_blocking(some.to_vec(), Urgency::Background, PATIENCE)?;
            vectors.extend(some.iter().cloned().zip(made));
        }
        Ok(Self(vectors))
    }

    pub fn insert(&mut self, text: String, vector: Vec<f32>) {
        self.0.insert(text, vector);
    }

    fn of(&self, text: &str) -> Result<&Vec<f32>, EmbedderError> {
        self.0.get(text).ok_or_else(|| EmbedderError::Run("a text has no vector".into()))
    }
}

/// # Errors
/// When a training fails.
pub fn measure<'a>(
    dataset: &'a Dataset,
    vectors: &VectorsOf,
    plan: Plan,
) -> Result<Run<'a>, IntentDataError> {
    let mut run = Run { asked: Vec::new(), trained: Vec::new(), train_rows: 0, train_seconds: 0.0 };
    let of_part = |part| dataset.rows.iter().filter(move |row: &&Row| row.part == part);
    let known: Vec<&Row> = of_part(Part::Train).collect();
    let shares = shares(of_part(Part::Either).collect(), plan);
    let tests: Vec<&Row> = of_part(Part::Test).collect();
    if !tests.is_empty() {
        let others = shares.iter().flatten().copied();
        ask(&mut run, vectors, plan, known.iter().copied().chain(others).collect(), tests)?;
    }
    for (at, share) in shares.iter().enumerate() {
        let others = shares.iter().enumerate().filter(|(other, _)| *other != at);
        let others = others.flat_map(|(_, share)| share.iter().copied());
        let training = known.iter().copied().chain(others).collect();
        ask(&mut run, vectors, plan, training, share.clone())?;
    }
    Ok(run)
}

fn ask<'a>(
    run: &mut Run<'a>,
    vectors: &VectorsOf,
    plan: Plan,
    training: Vec<&'a Row>,
    tests: Vec<&'a Row>,
) -> Result<(), IntentDataError> {
    let examples = examples(training, plan);
    let begun = Instant::now();
    let mut made = |texts: &[&str]| {
        texts.iter().map(|text| vectors.of(text).cloned()).collect::<Result<_, _>>()
    };
    let model = IntentModel::train(&examples, &mut made)?;
    run.train_seconds += begun.elapsed().as_secs_f64();
    run.train_rows = run.train_rows.max(examples.len());
    run.trained.push(model.measures());
    for row in tests {
        let (text, vector) = (&row.example.text, vectors.of(&row.example.text)?);
        let begun = Instant::now();
        let seen = model.predict(text, vector, TOP);
        let took_us = begun.elapsed().as_secs_f64() * 1e6;
        run.asked.push(Asked { row, seen, took_us });
    }
    Ok(())
}

/// What a model is trained on: the rows, of each intent no more than wanted, and the labels as words.
fn examples(rows: Vec<&Row>, plan: Plan) -> Vec<Example> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut examples = Vec::with_capacity(rows.len());
    let mut named = BTreeSet::new();
    for row in shuffled(rows, plan.seed) {
        let example = &row.example;
        if example.kind == Kind::About {
            examples.push(example.clone());
            continue;
        }
        if let Some(label) = &example.label {
            let count = counts.entry(label).or_insert(0);
            if plan.per_class.is_some_and(|most| *count >= most) {
                continue;
            }
            *count += 1;
            named.insert(label);
        }
        examples.push(example.clone());
    }
    examples.extend(named.into_iter().map(|label| Example::name(label)));
    examples.sort_by(|a, b| (&a.label, &a.text).cmp(&(&b.label, &b.text)));
    // A list of intents names its labels itself.
    examples.dedup();
    examples
}

/// Rows in shares, with each label spread over all.
fn shares(rows: Vec<&Row>, plan: Plan) -> Vec<Vec<&Row>> {
    if rows.is_empty() {
        return Vec::new();
    }
    let mut shares = vec![Vec::new(); plan.folds.max(2)];
    let mut ordered = shuffled(rows, plan.seed);
    ordered.sort_by_key(|row| row.example.label.as_deref());
    let count = shares.len();
    for (at, row) in ordered.into_iter().enumerate() {
        shares[at % count].push(row);
    }
    shares
}

/// In an order that the seed and the texts decide, whatever order they came in.
fn shuffled(mut rows: Vec<&Row>, seed: u64) -> Vec<&Row> {
    rows.sort_by_cached_key(|row| {
        let mut hash = Sha256::new();
        hash.update(seed.to_le_bytes());
        hash.update(&row.example.text);
        hash.finalize().to_vec()
    });
    rows
}
