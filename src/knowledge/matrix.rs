//! Vectors for what is on the shelf: those that a snapshot has, those in the cache, or made now.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::cache::{TextHash, VectorCache, text_hash};
use super::snapshot::{PassageEntry, Snapshot};
use super::vectors::PassageRows;
use crate::domain::ArticleId;
use crate::models::embedder::{EmbedderError, EmbedderHandle, Urgency};

/// Background texts go to the model in jobs of about this many characters: a live query waits for
/// one job at most, some 50 ms.
const JOB_CHARS: usize = 1_500;
/// Vectors are written to the cache after this many, so that a killed start keeps most of its work.
const FLUSH_AFTER: usize = 256;
/// Nothing in the background waits longer for one job; then the model hangs.
const JOB_PATIENCE: Duration = Duration::from_secs(60);
/// Passages whose texts are in memory at a time.
const PASSAGES_AT_ONCE: usize = 256;

/// Where vectors are looked for and made.
pub(super) struct Maker<'a> {
    pub embedder: &'a EmbedderHandle,
    pub cache: Option<&'a VectorCache>,
    /// The model gets no more work after this.
    pub deadline: Option<Instant>,
    /// By what they are made of.
    known: HashMap<TextHash, (Arc<PassageRows>, usize)>,
    /// By article and revision.
    made: HashMap<(ArticleId, u32), Vec<Arc<PassageRows>>>,
}

impl<'a> Maker<'a> {
    pub fn new(embedder: &'a EmbedderHandle, cache: Option<&'a VectorCache>) -> Self {
        let (known, made) = (HashMap::new(), HashMap::new());
        Self { embedder, cache, deadline: None, known, made }
    }

    /// Takes up what these snapshots have of what `of` will have: the same articles as they are, and of
    /// their other revisions, since most of a new one is as it was, each text.
    pub fn remember(&mut self, snapshots: &[&Snapshot], of: &Snapshot) {
        for snapshot in snapshots {
            let Some(vectors) = &snapshot.vectors else { continue };
            for passages in &of.articles.ranges {
                let article = &of.passages[passages.start].article;
                let before = snapshot.passages_of(&article.id);
                let Some(first) = snapshot.passages.get(before.clone()).and_then(<[_]>::first)
                else {
                    continue;
                };
                let rows = before.clone().map(|at| Arc::clone(vectors.rows(at)));
                let rows: Vec<Arc<PassageRows>> = rows.collect();
                let is_same = first.article.revision == article.revision;
                if is_same && rows.iter().all(|rows| rows.is_complete()) {
                    self.made.insert((article.id.clone(), article.revision), rows);
                    continue;
                }
                for (at, rows) in before.zip(rows) {
                    self.learn(&hashes(&snapshot.passages[at]), &rows);
                }
            }
        }
    }

    /// Rows of noughts weren't made.
    fn learn(&mut self, texts: &[TextHash], rows: &Arc<PassageRows>) {
        for (number, (text, row)) in texts.iter().zip(rows.all()).enumerate() {
            if rows.is_complete() || row.iter().any(|value| *value != 0.0) {
                self.known.insert(*text, (Arc::clone(rows), number));
            }
        }
    }

    /// The rows of a snapshot's passages, in their order; also those that could be had when the model
    /// failed. `progress` gets texts done and texts in all.
    pub fn rows(
        &mut self,
        of: &Snapshot,
        progress: &dyn Fn(usize, usize),
    ) -> (Vec<Arc<PassageRows>>, Result<(), EmbedderError>) {
        let mut all: Vec<Option<Arc<PassageRows>>> = vec![None; of.passages.len()];
        for passages in &of.articles.ranges {
            let article = &of.passages[passages.start].article;
            if let Some(rows) = self.made.get(&(article.id.clone(), article.revision)) {
                all[passages.clone()].iter_mut().zip(rows).for_each(|(one, rows)| {
                    *one = Some(Arc::clone(rows));
                });
            }
        }
        let texts =
            |at: usize| 1 + of.passages[at].sentences.len() + of.passages[at].asked_as.len();
        let lacking: Vec<usize> = (0..all.len()).filter(|&at| all[at].is_none()).collect();
        let count: usize = (0..all.len()).map(texts).sum();
        let mut done = count - lacking.iter().map(|&at| texts(at)).sum::<usize>();
        let mut fresh = Vec::new();
        let mut result = Ok(());
        for passages in lacking.chunks(PASSAGES_AT_ONCE) {
            let entries = passages.iter().map(|&at| &of.passages[at]);
            let texts: Vec<Vec<String>> = entries.map(PassageEntry::texts_to_embed).collect();
            let mut found: HashMap<TextHash, Vec<f32>> = HashMap::new();
            if result.is_ok() {
                let flat: Vec<&String> = texts.iter().flatten().collect();
                result = self.find(&flat, &mut found, &mut fresh, &mut |new| {
                    done += new;
                    progress(done, count);
                });
            }
            for (&at, texts) in passages.iter().zip(&texts) {
                let texts: Vec<TextHash> = texts.iter().map(|text| text_hash(text)).collect();
                let row = |text: &TextHash| {
                    let known = self.known.get(text).map(|(rows, number)| rows.row(*number));
                    known.or_else(|| found.get(text).map(Vec::as_slice))
                };
                let sentences = of.passages[at].sentences.len();
                let dimensions = self.embedder.dimensions();
                let rows = PassageRows::of(dimensions, sentences, texts.iter().map(row));
                let rows = Arc::new(rows);
                self.learn(&texts, &rows);
                all[at] = Some(rows);
            }
        }
        self.flush(&mut fresh);
        let all: Vec<Arc<PassageRows>> = all.into_iter().flatten().collect();
        for passages in of.articles.ranges.iter().filter(|_| result.is_ok()) {
            let article = &of.passages[passages.start].article;
            let rows = &all[passages.clone()];
            if rows.iter().all(|rows| rows.is_complete()) {
                self.made.insert((article.id.clone(), article.revision), rows.to_vec());
            }
        }
        (all, result)
    }

    /// Finds what isn't known on the disk, else has it made.
    fn find(
        &self,
        texts: &[&String],
        found: &mut HashMap<TextHash, Vec<f32>>,
        fresh: &mut Vec<(TextHash, Vec<f32>)>,
        on_done: &mut dyn FnMut(usize),
    ) -> Result<(), EmbedderError> {
        let mut missing: Vec<(TextHash, &String)> = Vec::new();
        let mut seen: HashSet<TextHash> = HashSet::new();
        for text in texts {
            let hash = text_hash(text);
            if self.known.contains_key(&hash) || !seen.insert(hash) {
                continue;
            }
            match self.cache.and_then(|cache| cache.get(&hash)) {
                Some(vector) => drop(found.insert(hash, vector)),
                None => missing.push((hash, text)),
            }
        }
        on_done(texts.len() - missing.len());
        for job in jobs(&missing) {
            let left = self.deadline.map(|one| one.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                break;
            }
            let batch = job.iter().map(|(_, text)| (*text).clone()).collect();
            let patience = left.map_or(JOB_PATIENCE, |left| left.min(JOB_PATIENCE));
            let made = match self.embedder.embed_blocking(batch, Urgency::Background, patience) {
                // Others were before it: there is a next time.
                Err(EmbedderError::Late(_)) if self.deadline.is_some() => break,
                made => made?,
            };
            for ((hash, _), vector) in job.iter().zip(made) {
                fresh.push((*hash, vector.clone()));
                found.insert(*hash, vector);
            }
            on_done(job.len());
            if fresh.len() >= FLUSH_AFTER {
                self.flush(fresh);
            }
        }
        Ok(())
    }

    fn flush(&self, fresh: &mut Vec<(TextHash, Vec<f32>)>) {
        if let Some(cache) = self.cache
            && let Err(error) = cache.add(fresh)
        {
            tracing::warn!(%error, "embeddings can't be cached");
        }
        fresh.clear();
    }
}

fn hashes(entry: &PassageEntry) -> Vec<TextHash> {
    entry.texts_to_embed().iter().map(|text| text_hash(text)).collect()
}

/// Cuts the work into jobs of about [`JOB_CHARS`].
fn jobs<'a, 'b>(missing: &'a [(TextHash, &'b String)]) -> Vec<&'a [(TextHash, &'b String)]> {
    let mut jobs = Vec::new();
    let (mut first, mut chars) = (0, 0);
    for (at, (_, text)) in missing.iter().enumerate() {
        if at > first && chars + text.len() > JOB_CHARS {
            jobs.push(&missing[first..at]);
            (first, chars) = (at, 0);
        }
        chars += text.len();
    }
    if first < missing.len() {
        jobs.push(&missing[first..]);
    }
    jobs
}
