//! What speaks for a passage: words, the article around them, meaning, names, what is talked about, and
//! what agents made of it.

use std::collections::BTreeMap;
use std::ops::Range;

use super::error::KnowledgeError;
use super::explain;
use super::feedback::{Near, Prior};
use super::fuse::Fused;
use super::heard::Mention;
use super::quote::{self, Asked};
use super::search::{HitFeatures, SearchHit, SearchRequest, Wording, WordingFeatures};
use super::sentence::Span;
use super::snapshot::Snapshot;
use super::terms;

/// A term in more passages than one in so many is too common to insist on.
const RARE_ONE_IN: usize = 40;
/// What the best score by words is worth in cosine. Measured on `queries.toml`: see `benches/README`.
const WORDS_WORTH: f32 = 0.2;
/// What the article around a passage is worth beside the passage's own words.
const WHOLE_WORTH: f32 = 0.7;
/// A best BM25 score below this is a chance match and isn't stretched to a full one.
const SOLID_BM25: f32 = 8.0;
/// A phrasing this near is named as a reason.
const ASKED_LIKE_THIS: f32 = 0.5;
/// What it is worth to hold a name that was said. Codes are absolute; a name also stands beside
/// questions that another passage answers ("can I take Full Fibre 200 to my new house").
const NAME_WORTH: f32 = 0.15;
/// So many passages may hold a name that is worth this much; one that more hold points less far.
const NAME_HOLDERS: usize = 14;
/// What it is worth to be of the article that is talked about most. More than wording: any hotel has
/// a sentence about breakfast.
const ABOUT_WORTH: f32 = 1.5;
/// What a nat of the agents' verdicts is worth in cosine: so much that neighbours change places, and no
/// passage comes from far behind. Measured: see `benches/README`.
const FEEDBACK_WORTH: f32 = 0.08;
/// From this strength on a mention is a reason to show.
const TALKED_ABOUT: f32 = 0.4;

/// Who holds which term, and how much a term says.
pub(super) struct Evidence<'a> {
    snapshot: &'a Snapshot,
    /// Per wording: term, its holders, its inverse document frequency.
    terms: Vec<Vec<(String, Vec<usize>, f32)>>,
    /// The bare query's rare exact terms and their holders.
    exact: Vec<(String, Vec<usize>)>,
    /// The names that the query says, and who holds them.
    names: Vec<(String, Vec<usize>)>,
    /// What is talked about, strongest first.
    about: Vec<Mention>,
    /// By article, for those that verdicts move.
    priors: BTreeMap<usize, Prior>,
    /// The most exact terms that a passage holds.
    most_exact: usize,
}

impl<'a> Evidence<'a> {
    pub fn gather(
        snapshot: &'a Snapshot,
        wordings: &[Wording],
        about: Vec<Mention>,
    ) -> Result<Self, KnowledgeError> {
        let count = snapshot.passages.len();
        let mut terms = Vec::new();
        for wording in wordings {
            let mut known = Vec::new();
            for term in &wording.terms {
                let holders = snapshot.keywords.holders(term)?;
                let (beside, of) = snapshot.keywords.beside(term)?;
                let idf = idf(count + of, holders.len() + beside);
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
        let (priors, most_exact) = (BTreeMap::new(), 0);
        Ok(Self { snapshot, terms, exact, names, about, priors, most_exact })
    }

    /// Takes what agents made of the articles of these passages.
    pub fn heed(&mut self, near: &Near<'_>, fused: &[Fused], also: &[Range<usize>]) {
        self.most_exact = fused.iter().map(|hit| hit.exact).max().unwrap_or(0);
        let passages = fused.iter().map(|hit| hit.passage).chain(also.iter().cloned().flatten());
        for passage in passages {
            let article = self.snapshot.articles.of_passage[passage];
            self.priors
                .entry(article)
                .or_insert_with(|| near.prior(&self.snapshot.passages[passage].article));
        }
    }

    /// What agents made of the hit's article. It speaks for no passage against one that holds more of
    /// the query's exact terms, and against none that holds the most.
    fn prior(&self, hit: &Fused) -> Prior {
        let article = self.snapshot.articles.of_passage[hit.passage];
        let prior = self.priors.get(&article).copied().unwrap_or_default();
        let is_exact = hit.exact == self.most_exact;
        let is_heard = self.most_exact == 0 || (prior.log_odds > 0.0) == is_exact;
        if is_heard { prior } else { Prior::default() }
    }

    /// The holders of each rare exact term of the query.
    pub fn exact(&self) -> Vec<Vec<usize>> {
        self.exact.iter().map(|(_, holders)| holders.clone()).collect()
    }

    /// The articles that are talked about.
    pub fn about(&self) -> impl Iterator<Item = usize> {
        self.about.iter().map(|mention| mention.article)
    }

    /// Orders fused passages by how strong the evidence is, which ranks alone don't tell: a weighted
    /// sum of cosine, relative BM25, what is talked about and what agents made of it. The exact-term guard
    /// stays above it.
    pub fn weigh(&self, wordings: &[Wording], fused: &mut [Fused]) -> Result<(), KnowledgeError> {
        fused.sort_by_key(|hit| hit.passage);
        let total: f32 = wordings.iter().map(|wording| wording.weight).sum();
        for hit in fused.iter_mut() {
            hit.score = self.names_worth(hit.passage);
            hit.score += ABOUT_WORTH * self.mention(hit.passage).map_or(0.0, |one| one.strength);
            hit.score += FEEDBACK_WORTH * self.prior(hit).log_odds;
        }
        for wording in wordings {
            let words = self.by_words(wording, fused)?;
            let best = words.iter().fold(SOLID_BM25, |best, score| best.max(*score));
            for (hit, words) in fused.iter_mut().zip(&words) {
                let meaning = match (&self.snapshot.vectors, &wording.vector) {
                    (Some(matrix), Some(vector)) => {
                        matrix.similarity(hit.passage, vector).blended()
                    }
                    _ => 0.0,
                };
                let evidence = (meaning + WORDS_WORTH * words / best) / (1.0 + WORDS_WORTH);
                hit.score += evidence.max(0.0) * wording.weight / total;
            }
        }
        fused.sort_by(|a, b| b.exact.cmp(&a.exact).then(b.score.total_cmp(&a.score)));
        Ok(())
    }

    /// BM25 of each passage and of the article around it. `fused` is in the order of passages.
    fn by_words(&self, wording: &Wording, fused: &[Fused]) -> Result<Vec<f32>, KnowledgeError> {
        let passages: Vec<usize> = fused.iter().map(|hit| hit.passage).collect();
        let article_of = |passage: &usize| self.snapshot.articles.of_passage[*passage];
        let mut articles: Vec<usize> = passages.iter().map(article_of).collect();
        articles.dedup();
        let mut scores = self.snapshot.keywords.scores(&wording.terms, true, &passages)?;
        let whole = self.snapshot.whole.scores(&wording.terms, &articles)?;
        for (score, passage) in scores.iter_mut().zip(&passages) {
            let at = articles.binary_search(&article_of(passage));
            *score += WHOLE_WORTH * at.map_or(0.0, |at| whole[at]);
        }
        Ok(scores)
    }

    /// What was heard of the passage's article.
    fn mention(&self, passage: usize) -> Option<&Mention> {
        let article = self.snapshot.articles.of_passage[passage];
        self.about.iter().find(|mention| mention.article == article)
    }

    fn names_worth(&self, passage: usize) -> f32 {
        let held = self.names.iter().filter(|(_, holders)| holders.binary_search(&passage).is_ok());
        let worth = |(_, holders): &(String, Vec<usize>)| {
            NAME_WORTH * NAME_HOLDERS as f32 / holders.len().max(NAME_HOLDERS) as f32
        };
        held.map(worth).sum()
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

    pub fn hit(&self, request: &SearchRequest, wordings: &[Wording], hit: &Fused) -> SearchHit {
        let (passage, prior) = (hit.passage, self.prior(hit));
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
        let mut features = self.features(wordings, passage, exact.len());
        features.feedback = prior.log_odds;
        let cosine = self.snapshot.vectors.as_ref().map(|_| features.sentence_cosine);
        let cosine = cosine.filter(|_| wordings[0].vector.is_some());
        let heard = self.mention(passage).filter(|mention| mention.strength >= TALKED_ABOUT);
        let found = explain::Found {
            matched: &matched,
            misspelt: &wordings[0].misspelt,
            exact: &exact,
            asked_as: self.asked(wordings, passage),
            heard: heard.map(|mention| mention.words.as_str()),
            cosine,
            feedback: prior.reason(),
        };
        SearchHit {
            article: entry.article.clone(),
            passage_number: entry.number,
            score: hit.score,
            sentence: self.quote(wordings, passage),
            why: explain::reasons(&request.query, &found),
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
