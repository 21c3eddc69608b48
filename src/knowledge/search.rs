//! One query against one snapshot: rank by words and by meaning, fuse, explain.

use std::sync::Arc;

use super::error::KnowledgeError;
use super::everyday;
use super::explain;
use super::fuse::{self, Ranking};
use super::index::Filter;
use super::sentence::Span;
use super::snapshot::{PassageEntry, Snapshot};
use super::terms;
use super::vectors::Similarity;
use crate::domain::{Article, Passage};
use crate::models::embedder::EmbedderError;

/// How deep each list goes before they are fused.
const DEPTH: usize = 50;
/// A term in more passages than one in so many is too common to insist on.
const RARE_ONE_IN: usize = 40;
/// What the best score by words is worth in cosine. Measured on `queries.toml`: see `benches/README`.
const WORDS_WORTH: f32 = 0.35;
/// A best BM25 score below this is a chance match and isn't stretched to a full one.
const SOLID_BM25: f32 = 8.0;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    #[default]
    Hybrid,
    Bm25,
    Dense,
}

impl Mode {
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
    pub mode: Mode,
    pub filter: Filter,
}

impl SearchRequest {
    pub fn new(query: impl Into<String>) -> Self {
        Self {
            query: query.into(),
            in_context: None,
            context_weight: 0.0,
            limit: 5,
            mode: Mode::Hybrid,
            filter: Filter::default(),
        }
    }
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
    /// Share of the terms that the query implies (see `everyday`) that it holds, 0 to 1.
    pub implied: f32,
    /// Rare exact terms of the query that it holds.
    pub exact: usize,
    /// Among the first three both by words and by meaning.
    pub agreed: bool,
    /// Terms in the query.
    pub query_terms: usize,
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
}

/// One wording of the question, with what the search needs of it.
struct Wording {
    terms: Vec<String>,
    /// Terms that were not said but are implied.
    related: Vec<String>,
    weight: f32,
    vector: Option<Vec<f32>>,
    by_words: Vec<(usize, f32)>,
    by_meaning: Vec<(usize, Similarity)>,
}

pub(crate) fn search(
    snapshot: &Snapshot,
    request: &SearchRequest,
    embed: &dyn Fn(Vec<String>) -> Result<Vec<Vec<f32>>, EmbedderError>,
) -> Result<SearchResponse, KnowledgeError> {
    let mut texts = vec![request.query.clone()];
    if request.context_weight > 0.0 {
        texts.extend(request.in_context.clone());
    }
    let wants_vectors = request.mode != Mode::Bm25;
    let embedded = match (&snapshot.vectors, wants_vectors) {
        (Some(_), true) => embed(texts.clone())
            .inspect_err(|error| tracing::warn!(%error, "searching by keywords only"))
            .ok(),
        _ => None,
    };
    let degraded = wants_vectors && embedded.is_none();
    let mut vectors = embedded.into_iter().flatten();
    let mut wordings = Vec::new();
    for (text, weight) in texts.iter().zip([1.0, request.context_weight]) {
        let mut terms = terms::terms(text);
        terms.sort_unstable();
        terms.dedup();
        let vector = vectors.next();
        // Bare BM25 is the yardstick: it gets what was said and no more.
        let related =
            if request.mode == Mode::Hybrid { everyday::expansion(text) } else { Vec::new() };
        let by_words = snapshot.keywords.search(&terms, &related, &request.filter, DEPTH)?;
        let by_meaning = match (&snapshot.vectors, &vector) {
            (Some(matrix), Some(vector)) => {
                matrix.search(vector, DEPTH, |at| snapshot.admits(&request.filter, at))
            }
            _ => Vec::new(),
        };
        wordings.push(Wording { terms, related, weight, vector, by_words, by_meaning });
    }
    let evidence = Evidence::gather(snapshot, &wordings)?;
    let mut rankings = Vec::new();
    for wording in &wordings {
        if request.mode != Mode::Dense || degraded {
            let passages = wording.by_words.iter().map(|(at, _)| *at).collect();
            rankings.push(Ranking { weight: wording.weight, passages });
        }
        if !wording.by_meaning.is_empty() {
            let passages = wording.by_meaning.iter().map(|(at, _)| *at).collect();
            rankings.push(Ranking { weight: wording.weight, passages });
        }
    }
    let exact: Vec<Vec<usize>> = match request.mode {
        Mode::Hybrid => evidence.exact.iter().map(|(_, holders)| holders.clone()).collect(),
        Mode::Bm25 | Mode::Dense => Vec::new(),
    };
    let mut fused = fuse::fuse(&rankings, &exact);
    if request.mode == Mode::Hybrid && !degraded {
        evidence.weigh(&wordings, &mut fused);
    }
    let hits = fused
        .into_iter()
        .take(request.limit)
        .map(|fused| evidence.hit(request, &wordings, fused.passage, fused.score))
        .collect();
    Ok(SearchResponse { hits, degraded })
}

/// Who holds which term, and how much a term says.
struct Evidence<'a> {
    snapshot: &'a Snapshot,
    /// Per wording: term, its holders, its inverse document frequency.
    terms: Vec<Vec<(String, Vec<usize>, f32)>>,
    /// Per wording: the holders of each implied term.
    related: Vec<Vec<Vec<usize>>>,
    /// The bare query's rare exact terms and their holders.
    exact: Vec<(String, Vec<usize>)>,
}

impl<'a> Evidence<'a> {
    fn gather(snapshot: &'a Snapshot, wordings: &[Wording]) -> Result<Self, KnowledgeError> {
        let count = snapshot.passages.len();
        let (mut terms, mut related) = (Vec::new(), Vec::new());
        for wording in wordings {
            let mut known = Vec::new();
            for term in &wording.terms {
                let holders = snapshot.keywords.holders(term)?;
                let idf = idf(count, holders.len());
                known.push((term.clone(), holders, idf));
            }
            terms.push(known);
            let holders = wording.related.iter().map(|term| snapshot.keywords.holders(term));
            related.push(holders.collect::<Result<Vec<_>, _>>()?);
        }
        let rare = (count / RARE_ONE_IN).max(2);
        let exact = terms.first().into_iter().flatten().filter(|(term, holders, _)| {
            terms::is_exact(term) && (1..=rare).contains(&holders.len())
        });
        let exact = exact.map(|(term, holders, _)| (term.clone(), holders.clone())).collect();
        Ok(Self { snapshot, terms, related, exact })
    }

    /// Orders fused passages by how strong the evidence is, which ranks alone don't tell: a weighted
    /// sum of cosine and relative BM25. The exact-term guard stays above it.
    fn weigh(&self, wordings: &[Wording], fused: &mut [fuse::Fused]) {
        let Some(matrix) = &self.snapshot.vectors else { return };
        let total: f32 = wordings.iter().map(|wording| wording.weight).sum();
        for hit in fused.iter_mut() {
            hit.score = 0.0;
            for wording in wordings {
                let Some(vector) = &wording.vector else { continue };
                let best = wording.by_words.first().map_or(0.0, |(_, score)| *score);
                let own = wording.by_words.iter().find(|(at, _)| *at == hit.passage);
                let words = own.map_or(0.0, |(_, score)| score / best.max(SOLID_BM25));
                let meaning = matrix.similarity(hit.passage, vector).blended();
                let evidence = (meaning + WORDS_WORTH * words) / (1.0 + WORDS_WORTH);
                hit.score += evidence.max(0.0) * wording.weight / total;
            }
        }
        fused.sort_by(|a, b| b.exact.cmp(&a.exact).then(b.score.total_cmp(&a.score)));
    }

    fn coverage(&self, passage: usize) -> f32 {
        let share = |terms: &Vec<(String, Vec<usize>, f32)>| {
            let all: f32 = terms.iter().map(|(_, _, idf)| idf).sum();
            let held: f32 = terms
                .iter()
                .filter(|(_, holders, _)| holders.binary_search(&passage).is_ok())
                .map(|(_, _, idf)| idf)
                .sum();
            if all > 0.0 { held / all } else { 0.0 }
        };
        self.terms.iter().map(share).fold(0.0, f32::max)
    }

    fn hit(
        &self,
        request: &SearchRequest,
        wordings: &[Wording],
        passage: usize,
        score: f32,
    ) -> SearchHit {
        let entry = &self.snapshot.passages[passage];
        let matched: Vec<String> = self.terms[0]
            .iter()
            .filter(|(_, holders, _)| holders.binary_search(&passage).is_ok())
            .map(|(term, _, _)| term.clone())
            .collect();
        let exact: Vec<String> = self
            .exact
            .iter()
            .filter(|(_, holders)| holders.binary_search(&passage).is_ok())
            .map(|(term, _)| term.clone())
            .collect();
        let features = self.features(wordings, passage, exact.len());
        let cosine = self.snapshot.vectors.as_ref().map(|_| features.sentence_cosine);
        let cosine = cosine.filter(|_| wordings[0].vector.is_some());
        SearchHit {
            article: entry.article.clone(),
            passage_number: entry.number,
            score,
            sentence: self.answering_sentence(request, wordings, passage),
            why: explain::reasons(&request.query, &matched, &exact, cosine),
            features,
        }
    }

    /// For each feature the wording counts that speaks most for the hit.
    fn features(&self, wordings: &[Wording], passage: usize, exact: usize) -> HitFeatures {
        let id = &self.snapshot.passages[passage].article.id;
        let mut features = HitFeatures {
            coverage: self.coverage(passage),
            exact,
            query_terms: wordings.iter().map(|wording| wording.terms.len()).max().unwrap_or(0),
            margin: -1.0,
            ..HitFeatures::default()
        };
        for (wording, related) in wordings.iter().zip(&self.related) {
            let held = related.iter().filter(|holders| holders.binary_search(&passage).is_ok());
            let implied = held.count() as f32 / related.len().max(1) as f32;
            features.implied = features.implied.max(implied);
            let rank = wording.by_words.iter().position(|(at, _)| *at == passage);
            let bm25 = rank.map_or(0.0, |rank| wording.by_words[rank].1);
            features.bm25 = features.bm25.max(bm25);
            let (Some(matrix), Some(vector)) = (&self.snapshot.vectors, &wording.vector) else {
                continue;
            };
            let own = matrix.similarity(passage, vector);
            let other = wording
                .by_meaning
                .iter()
                .find(|(at, _)| self.snapshot.passages[*at].article.id != *id)
                .map_or(0.0, |(_, similarity)| similarity.blended());
            features.cosine = features.cosine.max(own.passage);
            features.sentence_cosine = features.sentence_cosine.max(own.sentence);
            features.margin = features.margin.max(own.blended() - other);
            let near = wording.by_meaning.iter().take(3).any(|(at, _)| *at == passage);
            features.agreed |= near && rank.is_some_and(|rank| rank < 3);
        }
        features
    }

    fn answering_sentence(
        &self,
        request: &SearchRequest,
        wordings: &[Wording],
        passage: usize,
    ) -> Span {
        let entry = &self.snapshot.passages[passage];
        let total: f32 = wordings.iter().map(|wording| wording.weight).sum();
        let mut scores = vec![0.0f32; entry.sentences.len()];
        for wording in wordings {
            let (Some(matrix), Some(vector)) = (&self.snapshot.vectors, &wording.vector) else {
                continue;
            };
            for (score, cosine) in scores.iter_mut().zip(matrix.sentence_cosines(passage, vector)) {
                *score += cosine * wording.weight / total;
            }
        }
        choose_sentence(entry, &request.query, &self.terms[0], &scores)
    }
}

/// Weighs meaning, the query's words, the kind of answer asked for, and the place: who writes
/// articles puts the answer first.
fn choose_sentence(
    entry: &PassageEntry,
    query: &str,
    terms: &[(String, Vec<usize>, f32)],
    meaning: &[f32],
) -> Span {
    let text = &entry.passage().text;
    let asked = AnswerKind::asked_for(query);
    let all: f32 = terms.iter().map(|(_, _, idf)| idf).sum::<f32>().max(f32::MIN_POSITIVE);
    let score = |at: usize| {
        let sentence = entry.sentences[at].slice(text);
        let held = terms::terms(sentence);
        let shared: f32 =
            terms.iter().filter(|(term, _, _)| held.contains(term)).map(|(_, _, idf)| idf).sum();
        let kind = if asked.is_some_and(|kind| kind.is_in(sentence)) { 0.08 } else { 0.0 };
        let place = if at == 0 { 0.05 } else { 0.0 };
        meaning[at] + 0.25 * shared / all + kind + place
    };
    (0..entry.sentences.len())
        .max_by(|&a, &b| score(a).total_cmp(&score(b)).then(b.cmp(&a)))
        .map_or_else(
            || Span { start_chars: 0, end_chars: text.chars().count() },
            |best| entry.sentences[best],
        )
}

/// What kind of thing a question wants to hear.
#[derive(Clone, Copy)]
enum AnswerKind {
    Money,
    Time,
}

impl AnswerKind {
    fn asked_for(query: &str) -> Option<Self> {
        let text = format!(" {} ", terms::words(query).join(" "));
        let any =
            |phrases: &[&str]| phrases.iter().any(|phrase| text.contains(&format!(" {phrase} ")));
        if any(&["how much", "cost", "costs", "charge", "price", "fee", "pay", "pound", "pounds"]) {
            Some(Self::Money)
        } else if any(&[
            "when",
            "how long",
            "how soon",
            "how many days",
            "how quickly",
            "quicker",
            "how fast",
            "what time",
        ]) {
            Some(Self::Time)
        } else {
            None
        }
    }

    fn is_in(self, sentence: &str) -> bool {
        let words = terms::words(sentence);
        let any = |kinds: &[&str]| words.iter().any(|word| kinds.contains(&word.as_str()));
        match self {
            Self::Money => any(&["pound", "free", "charge"]),
            Self::Time => any(&[
                "day", "days", "hour", "hours", "month", "months", "minute", "minutes", "week",
                "weeks", "am", "pm", "until", "tomorrow",
            ]),
        }
    }
}

/// The BM25 form of inverse document frequency; never negative.
fn idf(count: usize, holders: usize) -> f32 {
    let (count, holders) = (count as f32, holders as f32);
    (1.0 + (count - holders + 0.5) / (holders + 0.5)).ln()
}
