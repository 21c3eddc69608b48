//! One query against one snapshot: rank by words and by meaning, fuse, explain.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::error::KnowledgeError;
use super::evidence::Evidence;
use super::feedback::Feedback;
use super::fuse::{self, Ranking};
use super::heard::Mention;
use super::index::Filter;
use super::sentence::Span;
use super::snapshot::Snapshot;
use super::terms;
use super::vectors::{Nearness, Similarity};
use crate::domain::{Article, ArticleId, Passage};
use crate::models::embedder::EmbedderError;

/// How deep each list goes before they are fused.
const DEPTH: usize = 50;
/// A phrasing this near asks the same thing.
const SAME_QUESTION: f32 = 0.75;
/// With so many terms of its own it needs no context to be that question.
const SELF_CONTAINED: usize = 4;
/// So many articles that are talked about are looked at in any case, if they are not much fainter
/// than the first.
const TALKED_OF: usize = 8;
const FAINT: f32 = 0.3;
/// A mention as faint as this is a chance likeness.
const CHANCE: f32 = 0.15;

/// How to search.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SearchMode {
    /// By words and by meaning, fused.
    #[default]
    Hybrid,
    Bm25,
    Dense,
}

impl SearchMode {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "hybrid" => Some(Self::Hybrid),
            "bm25" => Some(Self::Bm25),
            "dense" => Some(Self::Dense),
            _ => None,
        }
    }
}

#[derive(Clone, Debug)]
pub struct SearchRequest {
    /// What is asked now.
    pub query: String,
    /// The same with what it is about, from earlier turns, if the query leans on them.
    pub in_context: Option<String>,
    /// How much the query in context counts beside the bare query, which counts 1.
    pub context_weight: f32,
    pub limit: usize,
    /// Articles whose passages are looked at in any case, beyond `limit`.
    pub also: Vec<ArticleId>,
    /// The conversation so far as it was heard, oldest turn first: the names in it tell which
    /// articles are talked about. Without turns, nothing is.
    pub talk: Vec<String>,
    pub mode: SearchMode,
    pub filter: Filter,
    /// The vector of `query` or of `in_context`, by its text, where somebody has made it before.
    pub known: Option<(String, Vec<f32>)>,
}

impl SearchRequest {
    pub fn new(query: impl Into<String>) -> Self {
        Self {
            query: query.into(),
            in_context: None,
            context_weight: 0.0,
            limit: 5,
            also: Vec::new(),
            talk: Vec::new(),
            mode: SearchMode::Hybrid,
            filter: Filter::default(),
            known: None,
        }
    }

    /// The wording by which the question is compared with others that were asked: the bare one, or the
    /// one in context where the bare one says too little.
    pub fn compared(&self) -> &str {
        let is_bare = self.context_weight <= 0.0 || is_self_contained(&distinct(&self.query));
        self.in_context.as_deref().filter(|_| !is_bare).unwrap_or(&self.query)
    }
}

/// The terms of a text, sorted, each once.
fn distinct(text: &str) -> Vec<String> {
    let mut terms = terms::terms(text);
    terms.sort_unstable();
    terms.dedup();
    terms
}

/// Puts what stands in no article right, and tells what.
fn read_as(
    snapshot: &Snapshot,
    terms: &mut Vec<String>,
) -> Result<Vec<(String, String)>, KnowledgeError> {
    let mut misspelt = Vec::new();
    for term in terms.iter_mut() {
        if let Some(right) = snapshot.keywords.misspelt(term)? {
            misspelt.push((std::mem::replace(term, right.clone()), right));
        }
    }
    terms.sort_unstable();
    terms.dedup();
    Ok(misspelt)
}

/// Whether a wording with these terms says by itself what is asked.
fn is_self_contained(terms: &[String]) -> bool {
    terms.len() >= SELF_CONTAINED
}

/// What is known about a hit, for calibration. Cosines are 0 without vectors.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HitFeatures {
    pub cosine: f32,
    pub sentence_cosine: f32,
    /// How much nearer (blended cosine) it is than the best passage of any other article.
    pub margin: f32,
    pub bm25: f32,
    /// Share of the query's term weight (idf) that the passage holds, 0 to 1.
    pub coverage: f32,
    /// Cosine with its nearest phrasing.
    pub asked: f32,
    /// Rare exact terms of the query that it holds.
    pub exact: usize,
    /// Among the first three both by words and by meaning.
    pub agreed: bool,
    /// Terms in the query.
    pub query_terms: usize,
    /// The bare query's evidence by itself, and that of the query in context; the same when there
    /// is no context.
    pub bare: WordingFeatures,
    pub in_context: WordingFeatures,
    /// Names in the query that it holds.
    pub names: usize,
    /// What agents made of its article for such questions, in nats; see [`super::feedback`].
    pub feedback: f32,
}

impl HitFeatures {
    pub(super) fn keep(&mut self, wording: usize, features: WordingFeatures) {
        if wording == 0 {
            self.bare = features;
        }
        self.in_context = features;
    }
}

/// What one wording says for a passage.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WordingFeatures {
    pub nearness: Nearness,
    /// BM25 as a share of the best passage's.
    pub words: f32,
}

#[derive(Clone, Debug)]
pub struct SearchHit {
    pub article: Arc<Article>,
    /// Its place in the article.
    pub passage_number: usize,
    /// Fused rank score, 0 to 1; only the order means something.
    pub score: f32,
    /// The sentence of the passage that answers best.
    pub sentence: Span,
    pub why: Vec<String>,
    pub features: HitFeatures,
}

impl SearchHit {
    pub fn passage(&self) -> &Passage {
        &self.article.passages[self.passage_number]
    }

    pub fn quote(&self) -> &str {
        self.sentence.slice(&self.passage().text)
    }
}

#[derive(Clone, Debug, Default)]
pub struct SearchResponse {
    pub hits: Vec<SearchHit>,
    /// Vectors should have taken part and didn't.
    pub degraded: bool,
    /// Of the bare query, where one was made: it costs more than the rest of the search.
    pub vector: Option<Vec<f32>>,
    pub spent: Spent,
}

/// Where a search's time went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Waiting for the model, with its queue.
    pub embed: Duration,
    /// Reading all vectors.
    pub scan: Duration,
    /// The keyword index.
    pub words: Duration,
    /// Weighing, ordering, explaining.
    pub fuse: Duration,
}

/// Adds the time that `work` takes to a part.
fn timed<T>(part: &mut Duration, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = work();
    *part += start.elapsed();
    done
}

/// One wording of the question, with what the search needs of it.
pub(super) struct Wording {
    pub text: String,
    pub terms: Vec<String>,
    /// Words of no article, and the terms that they were read as.
    pub misspelt: Vec<(String, String)>,
    pub weight: f32,
    pub vector: Option<Vec<f32>>,
    pub by_words: Vec<(usize, f32)>,
    pub by_meaning: Vec<(usize, Similarity)>,
}

type Embed<'a> = &'a dyn Fn(Vec<String>) -> Result<Vec<Vec<f32>>, EmbedderError>;

impl Wording {
    fn of(
        snapshot: &Snapshot,
        request: &SearchRequest,
        text: &str,
        weight: f32,
        embed: Embed<'_>,
        spent: &mut Spent,
    ) -> Result<Self, KnowledgeError> {
        let mut terms = distinct(text);
        let mut misspelt = Vec::new();
        // Bare BM25 is the yardstick: it gets what was said and what the articles say, no more.
        let is_hybrid = request.mode == SearchMode::Hybrid;
        if is_hybrid {
            misspelt = timed(&mut spent.words, || read_as(snapshot, &mut terms))?;
        }
        let by_words = timed(&mut spent.words, || {
            snapshot.keywords.search(&terms, is_hybrid, &request.filter, DEPTH)
        })?;
        let mut this = Self {
            text: text.to_owned(),
            terms,
            misspelt,
            weight,
            vector: None,
            by_words,
            by_meaning: Vec::new(),
        };
        if let Some(matrix) = snapshot.vectors.as_ref().filter(|_| request.mode != SearchMode::Bm25)
        {
            let embedded = timed(&mut spent.embed, || embed(vec![text.to_owned()]))
                .inspect_err(|error| tracing::warn!(%error, "searching by keywords only"));
            if let Some(vector) = embedded.ok().and_then(|vectors| vectors.into_iter().next()) {
                this.by_meaning = timed(&mut spent.scan, || {
                    matrix.search(&vector, DEPTH, |at| snapshot.admits(&request.filter, at))
                });
                this.vector = Some(vector);
            }
        }
        Ok(this)
    }

    /// Whether a passage is asked for in just these words, so that the talk before needs no look,
    /// which would double the cost of the search.
    fn stands_alone(&self) -> bool {
        let asked = self.by_meaning.iter().filter_map(|(_, near)| near.asked);
        is_self_contained(&self.terms)
            && asked.map(|(cosine, _)| cosine).fold(0.0, f32::max) >= SAME_QUESTION
    }
}

/// `feedback` moves hybrid searches only, and only with vectors.
pub(crate) fn search(
    snapshot: &Snapshot,
    request: &SearchRequest,
    feedback: Option<&Feedback>,
    embed: Embed<'_>,
) -> Result<SearchResponse, KnowledgeError> {
    let wants_vectors = request.mode != SearchMode::Bm25;
    let mut spent = Spent::default();
    let first = Wording::of(snapshot, request, &request.query, 1.0, embed, &mut spent)?;
    let mut wordings = vec![first];
    if let Some(in_context) = &request.in_context
        && request.context_weight > 0.0
        && !wordings[0].stands_alone()
    {
        let weight = request.context_weight;
        wordings.push(Wording::of(snapshot, request, in_context, weight, embed, &mut spent)?);
    }
    let vector = wordings[0].vector.clone();
    let degraded = wants_vectors && wordings.iter().any(|wording| wording.vector.is_none());
    if degraded {
        // Cosines of one wording and none of the other would not be comparable.
        for wording in &mut wordings {
            wording.vector = None;
            wording.by_meaning.clear();
        }
    }
    let start = Instant::now();
    let mut evidence = Evidence::gather(snapshot, &wordings, talked_about(snapshot, request))?;
    let mut rankings = Vec::new();
    for wording in &wordings {
        if request.mode != SearchMode::Dense || degraded {
            let passages = wording.by_words.iter().map(|(at, _)| *at).collect();
            rankings.push(Ranking { weight: wording.weight, passages });
        }
        if !wording.by_meaning.is_empty() {
            let passages = wording.by_meaning.iter().map(|(at, _)| *at).collect();
            rankings.push(Ranking { weight: wording.weight, passages });
        }
    }
    let exact: Vec<Vec<usize>> = match request.mode {
        SearchMode::Hybrid => evidence.exact(),
        SearchMode::Bm25 | SearchMode::Dense => Vec::new(),
    };
    let mut fused = fuse::fuse(&rankings, &exact);
    let about: Vec<_> =
        evidence.about().map(|article| snapshot.articles.ranges[article].clone()).collect();
    add(snapshot, request, &mut fused, &about);
    let also: Vec<_> = request.also.iter().map(|id| snapshot.passages_of(id)).collect();
    if let (SearchMode::Hybrid, Some(feedback), Some(asked)) =
        (request.mode, feedback, compared(&wordings))
    {
        evidence.heed(&feedback.near(asked), &fused, &also);
    }
    if request.mode == SearchMode::Hybrid && (!degraded || !about.is_empty()) {
        evidence.weigh(&wordings, &mut fused)?;
    }
    add(snapshot, request, &mut fused, &also);
    let wanted = |passage: usize| also.iter().any(|passages| passages.contains(&passage));
    let hits = fused
        .into_iter()
        .enumerate()
        .filter(|(rank, fused)| *rank < request.limit || wanted(fused.passage))
        .map(|(_, fused)| evidence.hit(request, &wordings, &fused))
        .collect();
    spent.fuse = start.elapsed();
    Ok(SearchResponse { hits, degraded, vector, spent })
}

/// The vector of [`SearchRequest::compared`].
fn compared(wordings: &[Wording]) -> Option<&[f32]> {
    let bare = wordings.first()?;
    let in_context = wordings.get(1).filter(|_| !is_self_contained(&bare.terms));
    in_context.unwrap_or(bare).vector.as_deref()
}

/// Adds passages that are looked at in any case.
fn add(
    snapshot: &Snapshot,
    request: &SearchRequest,
    fused: &mut Vec<fuse::Fused>,
    articles: &[Range<usize>],
) {
    let known: HashSet<usize> = fused.iter().map(|fused| fused.passage).collect();
    for passage in articles.iter().cloned().flatten() {
        if !known.contains(&passage) && snapshot.admits(&request.filter, passage) {
            fused.push(fuse::Fused { passage, score: 0.0, exact: 0 });
        }
    }
}

/// What was heard of articles in the talk.
fn talked_about(snapshot: &Snapshot, request: &SearchRequest) -> Vec<Mention> {
    if request.mode != SearchMode::Hybrid {
        return Vec::new();
    }
    let mut about = snapshot.heard.about(&request.talk);
    let strongest = about.first().map_or(0.0, |first| first.strength);
    about.truncate(TALKED_OF);
    about.retain(|mention| mention.strength >= (FAINT * strongest).max(CHANCE));
    about
}
