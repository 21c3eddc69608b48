//! A draft beside the published base: what it repeats, what it contradicts, what is new in it.
//!
//! The one part of this stage that asks the index and the embedding model. It blocks for as long as they
//! take, some tenths of a second, so it belongs on a thread of its own.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use crate::domain::{ArticleId, ConflictKind};
use crate::grounding::conflict::{
    Candidate, Clash, Coverage, Published, Statement, Wording, clashes, coverages,
};
use crate::knowledge::{Library, NearSentence};
use crate::models::embedder::{EmbedderError, EmbedderHandle, Urgency};

/// Published sentences that each sentence of a draft is laid beside.
const BESIDE: usize = 6;
/// Articles that may say it all already, and how many sentences of each are read for each of the draft's.
const ARTICLES: usize = 3;
const OF_ARTICLE: usize = 5;
/// Sentences that a comparison keeps, some 80 KB each.
const REMEMBERED: usize = 512;
/// Nobody on the phone waits for a comparison; a model that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is compared: a question and what was said in answer.
#[derive(Clone, Debug)]
pub struct DraftText {
    pub question: String,
    pub answer: Vec<String>,
}

/// What was found, likely or not.
#[derive(Clone, Debug)]
pub struct Compared {
    /// For each sentence of the answer.
    pub sentences: Vec<Beside>,
    /// The articles that come nearest, with what speaks for each saying it all.
    pub articles: Vec<(ArticleId, Coverage)>,
}

/// A sentence's nearest published ones, and where they may clash.
#[derive(Clone, Debug)]
pub struct Beside {
    pub near: Vec<NearSentence>,
    pub clashes: Vec<Clash>,
}

/// A published sentence that a sentence of the draft contradicts.
#[derive(Clone, Debug)]
pub struct Contradiction {
    /// Which sentence of the answer.
    pub sentence: usize,
    pub published: NearSentence,
    pub kind: ConflictKind,
    pub probability: f32,
}

impl Compared {
    /// The article that says it already.
    pub fn covered_by(&self) -> Option<&ArticleId> {
        let likely = self.articles.iter().filter(|(_, coverage)| coverage.is_likely());
        let best = likely.max_by(|a, b| a.1.probability().total_cmp(&b.1.probability()));
        best.map(|(id, _)| id)
    }

    /// What can't be true together, each pair once, the likeliest first.
    pub fn contradictions(&self) -> Vec<Contradiction> {
        let mut found: Vec<Contradiction> = Vec::new();
        for (sentence, beside) in self.sentences.iter().enumerate() {
            for clash in beside.clashes.iter().filter(|clash| clash.is_likely()) {
                let Some(published) = beside.near.get(clash.published) else { continue };
                found.push(Contradiction {
                    sentence,
                    published: published.clone(),
                    kind: clash.kind,
                    probability: clash.probability(),
                });
            }
        }
        found.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        let mut pairs = std::collections::HashSet::new();
        found.retain(|one| {
            let passage = one.published.passage().id.clone();
            pairs.insert((one.sentence, passage, one.published.sentence.start_chars))
        });
        found
    }
}

/// Compares drafts with one base; what it read of the base is kept for the next.
pub struct Comparer<'a> {
    library: &'a Library,
    embedder: EmbedderHandle,
    known: RefCell<HashMap<String, Rc<Statement>>>,
}

impl<'a> Comparer<'a> {
    /// None while the base has no vectors: nothing can be said then.
    pub fn new(library: &'a Library) -> Option<Self> {
        let embedder = library.embedder().filter(|_| library.vectors_complete())?;
        Some(Self { library, embedder, known: RefCell::default() })
    }

    /// # Errors
    /// The embedding model is late, full or gone.
    pub fn compare(&self, draft: &DraftText) -> Result<Compared, EmbedderError> {
        let question = self.embedder.embed_blocking(
            vec![draft.question.clone()],
            Urgency::Background,
            PATIENCE,
        )?;
        let question = question.into_iter().next().ok_or(EmbedderError::Stopped)?;
        let wordings: Vec<Wording> =
            draft.answer.iter().map(|text| Wording::new(&draft.question, text)).collect();
        let said = self.read(&wordings)?;
        let near: Vec<Vec<NearSentence>> = said
            .iter()
            .map(|one| self.library.near_sentences(one.vector(), Some(&question), BESIDE))
            .collect();
        let mut sentences = Vec::with_capacity(said.len());
        for (one, near) in said.iter().zip(near) {
            let theirs = self.published(&near)?;
            let beside: Vec<Published<'_>> = near
                .iter()
                .zip(&theirs)
                .map(|(near, statement)| Published { statement, asked: near.asked })
                .collect();
            sentences.push(Beside { clashes: clashes(one, &beside), near });
        }
        let articles = self.coverages(&question, &said)?;
        Ok(Compared { sentences, articles })
    }

    fn coverages(
        &self,
        question: &[f32],
        said: &[Statement],
    ) -> Result<Vec<(ArticleId, Coverage)>, EmbedderError> {
        let mut found = nearest_articles(self.library, question, said);
        found.truncate(ARTICLES);
        let mut read = Vec::with_capacity(found.len());
        for one in &found {
            let mut near: Vec<NearSentence> = Vec::new();
            for said in said {
                let mut all = self.library.sentences_of(&one.id, said.vector());
                all.sort_by(|a, b| b.cosine.total_cmp(&a.cosine));
                all.truncate(OF_ARTICLE);
                near.extend(all);
            }
            read.push(self.published(&near)?);
        }
        let mut candidates = Vec::with_capacity(found.len());
        for (one, read) in found.iter().zip(&read) {
            let sentences = read.iter().map(AsRef::as_ref).collect();
            candidates.push(Candidate { sentences, nearness: one.nearness, asked: one.asked });
        }
        let ids = found.iter().map(|one| one.id.clone());
        Ok(ids.zip(coverages(said, &candidates)).collect())
    }

    fn read(&self, wordings: &[Wording]) -> Result<Vec<Statement>, EmbedderError> {
        let texts = wordings.iter().map(|one| one.to_embed().to_owned()).collect();
        let tokens = self.embedder.embed_tokens_blocking(texts, Urgency::Background, PATIENCE)?;
        Ok(wordings.iter().zip(&tokens).map(|(one, tokens)| Statement::new(one, tokens)).collect())
    }

    fn published(&self, near: &[NearSentence]) -> Result<Vec<Rc<Statement>>, EmbedderError> {
        let wordings: Vec<Wording> =
            near.iter().map(|one| Wording::new(&one.passage().heading, one.text())).collect();
        let mut known = self.known.borrow_mut();
        if known.len() > REMEMBERED {
            known.clear();
        }
        let mut missing: Vec<Wording> = Vec::new();
        for wording in &wordings {
            let is_new = !missing.iter().any(|one| one.to_embed() == wording.to_embed());
            if is_new && !known.contains_key(wording.to_embed()) {
                missing.push(wording.clone());
            }
        }
        if !missing.is_empty() {
            let read = self.read(&missing)?;
            let read = missing.iter().zip(read);
            known.extend(read.map(|(wording, one)| (wording.to_embed().to_owned(), Rc::new(one))));
        }
        let found = wordings.iter().map(|one| known.get(one.to_embed()).cloned());
        found.collect::<Option<_>>().ok_or(EmbedderError::Stopped)
    }
}

struct NearArticle {
    id: ArticleId,
    /// Mean cosine of the draft's sentences with their nearest in the article.
    nearness: f32,
    asked: f32,
}

/// Articles with a sentence near to the draft's, those that hold most of it first.
fn nearest_articles(library: &Library, question: &[f32], said: &[Statement]) -> Vec<NearArticle> {
    /// Enough for each article that is worth a look to be among them.
    const LOOKED_AT: usize = 60;
    const ASKED_WORTH: f32 = 0.3;
    let mut found: HashMap<ArticleId, (Vec<f32>, f32)> = HashMap::new();
    for (at, one) in said.iter().enumerate() {
        for near in library.near_sentences(one.vector(), Some(question), LOOKED_AT) {
            let (cosines, asked) = found
                .entry(near.article.id.clone())
                .or_insert_with(|| (vec![0.0; said.len()], 0.0));
            cosines[at] = cosines[at].max(near.cosine);
            *asked = asked.max(near.asked);
        }
    }
    let near = |(id, (cosines, asked)): (ArticleId, (Vec<f32>, f32))| NearArticle {
        id,
        nearness: cosines.iter().sum::<f32>() / cosines.len().max(1) as f32,
        asked,
    };
    let mut articles: Vec<NearArticle> = found.into_iter().map(near).collect();
    let rank = |one: &NearArticle| one.nearness + ASKED_WORTH * one.asked;
    articles.sort_by(|a, b| rank(b).total_cmp(&rank(a)).then_with(|| a.id.cmp(&b.id)));
    articles
}
