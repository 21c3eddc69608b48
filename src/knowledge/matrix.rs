//! Vectors for what is on the shelf: copied where a snapshot has them, from the cache, or made now.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::{Duration, Instant};

use super::cache::{TextHash, VectorCache, text_hash};
use super::snapshot::{PassageEntry, Snapshot};
use super::vectors::Vectors;
use crate::domain::ArticleId;
use crate::models::embedder::{EmbedderError, EmbedderHandle, Urgency};

/// Background texts go to the model in jobs of about this many characters: a live query waits for
/// one job at most, some 50 ms.
const JOB_CHARS: usize = 500;
/// Vectors are written to the cache after this many, so that a killed start keeps most of its work.
const FLUSH_AFTER: usize = 256;
/// Nothing in the background waits longer for one job; then the model hangs.
const JOB_PATIENCE: Duration = Duration::from_secs(60);

/// Vectors by what they are made of.
pub(super) type Known = HashMap<TextHash, Vec<f32>>;

/// All texts of these passages.
pub(super) fn texts(passages: &[PassageEntry]) -> Vec<String> {
    passages.iter().flat_map(PassageEntry::texts_to_embed).collect()
}

/// Adds the vectors of these texts to what is known: from the disk, else from the model, which gets
/// no more work once `deadline` has passed.
///
/// # Errors
/// The model fails. A cache that can't be read or written costs only time, and is logged.
pub(super) fn learn(
    texts: &[String],
    known: &mut Known,
    folder: Option<&Path>,
    embedder: &EmbedderHandle,
    deadline: Option<Instant>,
    progress: impl Fn(usize, usize),
) -> Result<(), EmbedderError> {
    let hashes: Vec<TextHash> = texts.iter().map(|text| text_hash(text)).collect();
    let mut missing: Vec<usize> =
        (0..texts.len()).filter(|&at| !known.contains_key(&hashes[at])).collect();
    let mut cache = folder.filter(|_| !missing.is_empty()).and_then(|folder| {
        VectorCache::open(folder, embedder.fingerprint(), embedder.dimensions())
            .inspect_err(|error| tracing::warn!(%error, "no embedding cache"))
            .ok()
    });
    if let Some(cache) = &cache {
        missing.retain(|&at| match cache.get(&hashes[at]) {
            Some(vector) => {
                known.insert(hashes[at], vector.to_vec());
                false
            }
            None => true,
        });
    }
    let mut done = texts.len() - missing.len();
    progress(done, texts.len());
    let mut fresh: Vec<(TextHash, Vec<f32>)> = Vec::new();
    let mut flush = |fresh: &mut Vec<_>| {
        if let Some(cache) = &mut cache
            && let Err(error) = cache.add(std::mem::take(fresh))
        {
            tracing::warn!(%error, "embeddings can't be cached");
        }
    };
    for job in jobs(&missing, texts) {
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            break;
        }
        let batch = job.iter().map(|&at| texts[at].clone()).collect();
        let made = embedder.embed_blocking(batch, Urgency::Background, JOB_PATIENCE)?;
        done += job.len();
        for (at, vector) in job.into_iter().zip(made) {
            fresh.push((hashes[at], vector.clone()));
            known.insert(hashes[at], vector);
        }
        progress(done, texts.len());
        if fresh.len() >= FLUSH_AFTER {
            flush(&mut fresh);
        }
    }
    flush(&mut fresh);
    Ok(())
}

/// Where the vectors of passages stand that were on the shelf before.
#[derive(Default)]
pub(super) struct Before<'a> {
    /// By the article in memory and the passage's place in it.
    places: HashMap<(usize, usize), (&'a Vectors, usize)>,
}

impl<'a> Before<'a> {
    pub fn of(snapshots: &[&'a Snapshot]) -> Self {
        let mut places = HashMap::new();
        for snapshot in snapshots {
            let Some(vectors) = &snapshot.vectors else { continue };
            for (at, entry) in snapshot.passages.iter().enumerate() {
                // What wasn't embedded in time has a row of noughts.
                if vectors.rows(at).all(|row| row.iter().any(|value| *value != 0.0)) {
                    places.insert(key(entry), (&**vectors, at));
                }
            }
        }
        Self { places }
    }

    fn has(&self, entry: &PassageEntry) -> bool {
        self.places.contains_key(&key(entry))
    }

    /// The passages that have no vectors yet.
    pub fn lacking(&self, passages: &[PassageEntry]) -> Vec<PassageEntry> {
        passages.iter().filter(|entry| !self.has(entry)).cloned().collect()
    }

    /// The vectors of the passages of these articles, by their texts: most of a new revision is as
    /// it was.
    pub fn known_of(&self, snapshots: &[&Snapshot], articles: &[&ArticleId]) -> Known {
        let mut known = Known::new();
        for entry in snapshots.iter().flat_map(|snapshot| snapshot.passages.iter()) {
            let place = self.places.get(&key(entry));
            if let Some((vectors, at)) = place.filter(|_| articles.contains(&&entry.article.id)) {
                let texts = entry.texts_to_embed();
                let rows = texts.iter().zip(vectors.rows(*at));
                known.extend(rows.map(|(text, row)| (text_hash(text), row.to_vec())));
            }
        }
        known
    }
}

fn key(entry: &PassageEntry) -> (usize, usize) {
    (std::sync::Arc::as_ptr(&entry.article) as usize, entry.number)
}

/// The matrix of these passages. What is neither known nor was there gets rows of noughts: it is
/// found by its words alone.
pub(super) fn matrix(
    dimensions: usize,
    passages: &[PassageEntry],
    before: &Before<'_>,
    known: &Known,
) -> Vectors {
    let mut matrix = Vectors::new(dimensions);
    let nought = vec![0.0; dimensions];
    for entry in passages {
        let count = entry.sentences.len();
        if let Some((vectors, at)) = before.places.get(&key(entry)) {
            let rows: Vec<&[f32]> = vectors.rows(*at).collect();
            matrix.push(rows[0], &rows[1..=count], rows[count + 1..].iter().copied());
        } else {
            let texts = entry.texts_to_embed();
            let row = |text: &String| known.get(&text_hash(text)).map_or(&*nought, Vec::as_slice);
            let rows: Vec<&[f32]> = texts.iter().map(row).collect();
            matrix.push(rows[0], &rows[1..=count], rows[count + 1..].iter().copied());
        }
    }
    let mut numbers: BTreeMap<&ArticleId, usize> = BTreeMap::new();
    let articles: Vec<usize> = passages
        .iter()
        .map(|entry| {
            let next = numbers.len();
            *numbers.entry(&entry.article.id).or_insert(next)
        })
        .collect();
    matrix.settle(|passage| articles[passage]);
    matrix
}

/// Cuts the work into jobs of about [`JOB_CHARS`].
fn jobs(missing: &[usize], texts: &[String]) -> Vec<Vec<usize>> {
    let mut jobs: Vec<Vec<usize>> = Vec::new();
    let mut chars = usize::MAX;
    for &at in missing {
        if chars.saturating_add(texts[at].len()) > JOB_CHARS {
            jobs.push(Vec::new());
            chars = 0;
        }
        chars += texts[at].len();
        jobs.last_mut().expect("just pushed; this is a bug").push(at);
    }
    jobs
}
