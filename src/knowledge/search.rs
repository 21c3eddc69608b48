//! One query against one snapshot: rank by words and by meaning, fuse, explain.

use std::sync::Arc;

use super::error::KnowledgeError;
use super::explain;
use super::fuse::{self, Ranking};
use super::index::Filter;
use super::quote::{self, Asked};
use super::sentence::Span;
use super::snapshot::Snapshot;
use super::terms;
use super::vectors::{Nearness, Similarity};
use crate::domain::{Article, ArticleId, Passage};
use crate::models::embedder::EmbedderError;

/// How deep each list goes before they are fused.
const DEPTH: usize = 50;
/// A term in more passages than one in so many is too common to insist on.
const RARE_ONE_IN: usize = 40;
/// What the best score by words is worth in cosine. Measured on `queries.toml`: see `benches/README`.
const WORDS_WORTH: f32 = 0.2;
/// A best BM25 score below this is a chance match and isn't stretched to a full one.
const SOLID_BM25: f32 = 8.0;
/// A phrasing this near asks the same thing.
const SAME_QUESTION: f32 = 0.75;
/// With so many terms of its own it needs no context to be that question.
const SELF_CONTAINED: usize = 4;
/// A phrasing this near is named as a reason.
const ASKED_LIKE_THIS: f32 = 0.5;
/// What it is worth to hold a name that was said. Codes are absolute; a name also stands beside
/// questions that another passage answers ("can I take Full Fibre 200 to my new house").
const NAME_WORTH: f32 = 0.15;

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
    pub mode: SearchMode,
    pub filter: Filter,
}

impl SearchRequest {
    pub fn new(query: impl Into<String>) -> Self {
        Self {
            query: query.into(),
            in_context: None,
            context_weight: 0.0,
            limit: 5,
            also: Vec::new(),
            mode: SearchMode::Hybrid,
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
}

impl HitFeatures {
    fn keep(&mut self, wording: usize, features: WordingFeatures) {
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
}

/// One wording of the question, with what the search needs of it.
struct Wording {
    text: String,
    terms: Vec<String>,
    weight: f32,
    vector: Option<Vec<f32>>,
    by_words: Vec<(usize, f32)>,
    by_meaning: Vec<(usize, Similarity)>,
}

type Embed<'a> = &'a dyn Fn(Vec<String>) -> Result<Vec<Vec<f32>>, EmbedderError>;

impl Wording {
    fn of(
        snapshot: &Snapshot,
        request: &SearchRequest,
        text: &str,
        weight: f32,
        embed: Embed<'_>,
    ) -> Result<Self, KnowledgeError> {
        let mut terms = terms::terms(text);
        terms.sort_unstable();
        terms.dedup();
        // Bare BM25 is the yardstick: it gets what was said and what the articles say, no more.
        let is_hybrid = request.mode == SearchMode::Hybrid;
        let by_words = snapshot.keywords.search(&terms, is_hybrid, &request.filter, DEPTH)?;
        let mut this = Self {
            text: text.to_owned(),
            terms,
            weight,
            vector: None,
            by_words,
            by_meaning: Vec::new(),
        };
        if let Some(matrix) = snapshot.vectors.as_ref().filter(|_| request.mode != SearchMode::Bm25)
        {
            let embedded = embed(vec![text.to_owned()])
                .inspect_err(|error| tracing::warn!(%error, "searching by keywords only"));
            if let Some(vector) = embedded.ok().and_then(|vectors| vectors.into_iter().next()) {
                this.by_meaning =
                    matrix.search(&vector, DEPTH, |at| snapshot.admits(&request.filter, at));
                this.vector = Some(vector);
            }
        }
        Ok(this)
    }

    /// Whether a passage is asked for in just these words, so that the talk before needs no look:
    /// an embedding costs some 20 ms.
    fn stands_alone(&self) -> bool {
        let asked = self.by_meaning.iter().filter_map(|(_, near)| near.asked);
        self.terms.len() >= SELF_CONTAINED
            && asked.map(|(cosine, _)| cosine).fold(0.0, f32::max) >= SAME_QUESTION
    }
}

pub(crate) fn search(
    snapshot: &Snapshot,
    request: &SearchRequest,
    embed: Embed<'_>,
) -> Result<SearchResponse, KnowledgeError> {
    let wants_vectors = request.mode != SearchMode::Bm25;
    let mut wordings = vec![Wording::of(snapshot, request, &request.query, 1.0, embed)?];
    if let Some(in_context) = &request.in_context
        && request.context_weight > 0.0
        && !wordings[0].stands_alone()
    {
        let weight = request.context_weight;
        wordings.push(Wording::of(snapshot, request, in_context, weight, embed)?);
    }
    let degraded = wants_vectors && wordings.iter().any(|wording| wording.vector.is_none());
    if degraded {
        // Cosines of one wording and none of the other would not be comparable.
        for wording in &mut wordings {
            wording.vector = None;
            wording.by_meaning.clear();
        }
    }
    let evidence = Evidence::gather(snapshot, &wordings)?;
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
        SearchMode::Hybrid => evidence.exact.iter().map(|(_, holders)| holders.clone()).collect(),
        SearchMode::Bm25 | SearchMode::Dense => Vec::new(),
    };
    let mut fused = fuse::fuse(&rankings, &exact);
    if request.mode == SearchMode::Hybrid && !degraded {
        evidence.weigh(&wordings, &mut fused);
    }
    let wanted = |passage: usize| request.also.contains(&snapshot.passages[passage].article.id);
    for passage in (0..snapshot.passages.len()).filter(|&at| wanted(at)) {
        let known = fused.iter().any(|fused| fused.passage == passage);
        if !known && snapshot.admits(&request.filter, passage) {
            fused.push(fuse::Fused { passage, score: 0.0, exact: 0 });
        }
    }
    let hits = fused
        .into_iter()
        .enumerate()
        .filter(|(rank, fused)| *rank < request.limit || wanted(fused.passage))
        .map(|(_, fused)| evidence.hit(request, &wordings, fused.passage, fused.score))
        .collect();
    Ok(SearchResponse { hits, degraded })
}

/// Who holds which term, and how much a term says.
struct Evidence<'a> {
    snapshot: &'a Snapshot,
    /// Per wording: term, its holders, its inverse document frequency.
    terms: Vec<Vec<(String, Vec<usize>, f32)>>,
    /// The bare query's rare exact terms and their holders.
    exact: Vec<(String, Vec<usize>)>,
    /// The names that the query says, and who holds them.
    names: Vec<(String, Vec<usize>)>,
}

impl<'a> Evidence<'a> {
    fn gather(snapshot: &'a Snapshot, wordings: &[Wording]) -> Result<Self, KnowledgeError> {
        let count = snapshot.passages.len();
        let mut terms = Vec::new();
        for wording in wordings {
            let mut known = Vec::new();
            for term in &wording.terms {
                let holders = snapshot.keywords.holders(term)?;
                let idf = idf(count, holders.len());
                known.push((term.clone(), holders, idf));
            }
            terms.push(known);
        }
        let rare = (count / RARE_ONE_IN).max(2);
        let said = wordings.first().map(|wording| terms::terms(&wording.text)).unwrap_or_default();
        let codes = terms::exact(&said);
        let exact = terms.first().into_iter().flatten().filter(|(term, holders, _)| {
            codes.contains(term) && (1..=rare).contains(&holders.len())
        });
        let exact = exact.map(|(term, holders, _)| (term.clone(), holders.clone())).collect();
        let names = snapshot.names.said(&said);
        // A passage that people ask for with a word is about it as much as one that says it.
        for (term, holders, _) in terms.iter_mut().flatten() {
            holders.extend(snapshot.keywords.asked_with(term)?);
            holders.sort_unstable();
            holders.dedup();
        }
        Ok(Self { snapshot, terms, exact, names })
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
            hit.score += NAME_WORTH * self.names_in(hit.passage).len() as f32;
        }
        fused.sort_by(|a, b| b.exact.cmp(&a.exact).then(b.score.total_cmp(&a.score)));
    }

    fn names_in(&self, passage: usize) -> Vec<&str> {
        let held = self.names.iter().filter(|(_, holders)| holders.binary_search(&passage).is_ok());
        held.map(|(name, _)| name.as_str()).collect()
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
        let mut exact: Vec<String> = self
            .exact
            .iter()
            .filter(|(_, holders)| holders.binary_search(&passage).is_ok())
            .map(|(term, _)| term.clone())
            .collect();
        exact.extend(self.names_in(passage).into_iter().map(str::to_owned));
        let features = self.features(wordings, passage, exact.len());
        let cosine = self.snapshot.vectors.as_ref().map(|_| features.sentence_cosine);
        let cosine = cosine.filter(|_| wordings[0].vector.is_some());
        SearchHit {
            article: entry.article.clone(),
            passage_number: entry.number,
            score,
            sentence: self.quote(wordings, passage),
            why: explain::reasons(
                &request.query,
                &matched,
                &exact,
                self.asked(wordings, passage),
                cosine,
            ),
            features,
        }
    }

    /// The phrasing that is nearest to what was said, if it is near.
    fn asked(&self, wordings: &[Wording], passage: usize) -> Option<&str> {
        let matrix = self.snapshot.vectors.as_ref()?;
        let vectors = wordings.iter().filter_map(|wording| wording.vector.as_ref());
        let near = vectors.filter_map(|vector| matrix.similarity(passage, vector).asked);
        let (cosine, at) = near.max_by(|a, b| a.0.total_cmp(&b.0))?;
        let phrasing = &self.snapshot.passages[passage].asked_as[at];
        (cosine >= ASKED_LIKE_THIS).then_some(phrasing)
    }

    /// For each feature the wording counts that speaks most for the hit.
    fn features(&self, wordings: &[Wording], passage: usize, exact: usize) -> HitFeatures {
        let id = &self.snapshot.passages[passage].article.id;
        let mut features = HitFeatures {
            coverage: self.coverage(passage),
            exact,
            query_terms: wordings.iter().map(|wording| wording.terms.len()).max().unwrap_or(0),
            margin: -1.0,
            names: self.names_in(passage).len(),
            ..HitFeatures::default()
        };
        for (number, wording) in wordings.iter().enumerate() {
            let rank = wording.by_words.iter().position(|(at, _)| *at == passage);
            let bm25 = rank.map_or(0.0, |rank| wording.by_words[rank].1);
            features.bm25 = features.bm25.max(bm25);
            let best = wording.by_words.first().map_or(0.0, |(_, score)| *score);
            let mut alone = WordingFeatures {
                words: bm25 / best.max(SOLID_BM25),
                ..WordingFeatures::default()
            };
            let (Some(matrix), Some(vector)) = (&self.snapshot.vectors, &wording.vector) else {
                features.keep(number, alone);
                continue;
            };
            alone.nearness = matrix.nearness(passage, vector);
            features.keep(number, alone);
            let own = matrix.similarity(passage, vector);
            let other = wording
                .by_meaning
                .iter()
                .find(|(at, _)| self.snapshot.passages[*at].article.id != *id)
                .map_or(0.0, |(_, similarity)| similarity.blended());
            features.cosine = features.cosine.max(own.passage);
            features.sentence_cosine = features.sentence_cosine.max(own.sentence);
            features.asked = features.asked.max(own.asked.map_or(0.0, |(cosine, _)| cosine));
            features.margin = features.margin.max(own.blended() - other);
            let near = wording.by_meaning.iter().take(3).any(|(at, _)| *at == passage);
            features.agreed |= near && rank.is_some_and(|rank| rank < 3);
        }
        features
    }

    fn quote(&self, wordings: &[Wording], passage: usize) -> Span {
        let entry = &self.snapshot.passages[passage];
        let asked: Vec<Asked<'_>> = wordings
            .iter()
            .zip(&self.terms)
            .map(|(wording, terms)| Asked {
                text: &wording.text,
                weight: wording.weight,
                terms: terms.iter().map(|(term, _, idf)| (term.as_str(), *idf)).collect(),
                cosines: match (&self.snapshot.vectors, &wording.vector) {
                    (Some(matrix), Some(vector)) => matrix.sentence_cosines(passage, vector),
                    _ => Vec::new(),
                },
            })
            .collect();
        quote::choose(&entry.passage().text, &entry.sentences, &asked)
    }
}

/// The BM25 form of inverse document frequency; never negative.
fn idf(count: usize, holders: usize) -> f32 {
    let (count, holders) = (count as f32, holders as f32);
    (1.0 + (count - holders + 0.5) / (holders + 0.5)).ln()
}
