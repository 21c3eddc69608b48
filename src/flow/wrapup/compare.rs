//! A draft beside the published base: what it repeats, what it contradicts, what is new in it.
//!
//! The one part of this stage that asks the index and the embedding model. It blocks for as long as they
//! take, some tenths of a second, so it belongs on a thread of its own.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use jiff::civil::Date;

use crate::domain::{Article, ArticleId, ConflictKind};
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
/// Enough for each article that is worth a look to be among them.
const LOOKED_AT: usize = 60;
/// An article that says this much of a draft and one of its sentences is where the others belong.
const PARTLY_MIN: f32 = 0.15;
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

/// With which articles a draft is compared; with all unless told.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Not with this one, which the draft is a change of.
    pub except: Option<ArticleId>,
    /// Those in this language.
    pub language: Option<String>,
    /// Those that hold on this day.
    pub on: Option<Date>,
}

impl Scope {
    fn has(&self, article: &Article) -> bool {
        let is_meant = self.except.as_ref() != Some(&article.id);
        let is_read = self.language.as_ref().is_none_or(|language| *language == article.language);
        let holds = self.on.is_none_or(|day| {
            article.valid_from.is_none_or(|from| from <= day)
                && article.valid_until.is_none_or(|until| day <= until)
        });
        is_meant && is_read && holds
    }
}

/// Articles, with what speaks for each saying it all.
type Covering = Vec<(ArticleId, Coverage)>;

/// How a draft stands to what is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// An article says it already.
    Covered(ArticleId),
    /// An article says a part of it.
    Partly {
        article: ArticleId,
        /// Which sentences of the answer it doesn't say.
        new: Vec<usize>,
    },
    New,
}

/// What was found, likely or not.
#[derive(Clone, Debug)]
pub struct Compared {
    /// For each sentence of the answer.
    pub sentences: Vec<Beside>,
    /// The articles that come nearest, with what speaks for each saying it all.
    pub articles: Covering,
    /// For each of these articles, what speaks for its saying each sentence by itself.
    pub alone: Vec<Vec<Coverage>>,
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

    /// Whether it is there already, a part of it is, or nothing. A sentence that contradicts one is new,
    /// and so is the draft: which of the two is right is for people to say.
    pub fn standing(&self) -> Standing {
        if !self.contradictions().is_empty() {
            return Standing::New;
        }
        let all = self.articles.iter().zip(&self.alone);
        let nearest = all.max_by(|a, b| a.0.1.probability().total_cmp(&b.0.1.probability()));
        let Some(((article, coverage), alone)) = nearest else { return Standing::New };
        let unsaid = alone.iter().enumerate().filter(|(_, one)| !one.is_likely());
        let new: Vec<usize> = unsaid.map(|(sentence, _)| sentence).collect();
        let is_partly = !new.is_empty() && new.len() < alone.len();
        // Much that is said already must not hide the little that is new.
        if let Some(covering) = self.covered_by().filter(|_| !is_partly) {
            return Standing::Covered(covering.clone());
        }
        match is_partly && coverage.probability() >= PARTLY_MIN {
            true => Standing::Partly { article: article.clone(), new },
            false => Standing::New,
        }
    }

    /// How likely the nearest article says it all; 0 where there is none.
    pub fn coverage(&self) -> f32 {
        self.articles.iter().map(|(_, one)| one.probability()).fold(0.0, f32::max)
    }

    /// What can't be true together, each pair once, the likeliest first.
    pub fn contradictions(&self) -> Vec<Contradiction> {
        contradictions(&self.sentences)
    }
}

fn contradictions(sentences: &[Beside]) -> Vec<Contradiction> {
    let mut found: Vec<Contradiction> = Vec::new();
    for (sentence, beside) in sentences.iter().enumerate() {
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

/// Compares drafts with one base; what it read of the base is kept for the next.
pub struct Comparer<'a> {
    library: &'a Library,
    embedder: EmbedderHandle,
    scope: Scope,
    known: RefCell<HashMap<String, Rc<Statement>>>,
}

impl<'a> Comparer<'a> {
    /// None while the base has no vectors: nothing can be said then.
    pub fn new(library: &'a Library) -> Option<Self> {
        let embedder = library.embedder().filter(|_| library.vectors_complete())?;
        Some(Self { library, embedder, scope: Scope::default(), known: RefCell::default() })
    }

    /// Looks at these articles only.
    #[must_use]
    pub fn within(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// Only what the draft contradicts.
    ///
    /// # Errors
    /// As [`Self::compare`].
    pub fn contradictions(&self, draft: &DraftText) -> Result<Vec<Contradiction>, EmbedderError> {
        let (question, said) = self.draft(draft)?;
        Ok(contradictions(&self.beside(&question, &said)?))
    }

    /// # Errors
    /// The embedding model is late, full or gone.
    pub fn compare(&self, draft: &DraftText) -> Result<Compared, EmbedderError> {
        let (question, said) = self.draft(draft)?;
        let sentences = self.beside(&question, &said)?;
        let (articles, alone) = self.coverages(&question, &said)?;
        Ok(Compared { sentences, articles, alone })
    }

    /// The question's vector, and the sentences of the answer as they are read.
    fn draft(&self, draft: &DraftText) -> Result<(Vec<f32>, Vec<Statement>), EmbedderError> {
        let question = self.embedder.embed_blocking(
            vec![draft.question.clone()],
            Urgency::Background,
            PATIENCE,
        )?;
        let question = question.into_iter().next().ok_or(EmbedderError::Stopped)?;
        let wordings: Vec<Wording> =
            draft.answer.iter().map(|text| Wording::new(&draft.question, text)).collect();
        Ok((question, self.read(&wordings)?))
    }

    fn beside(&self, question: &[f32], said: &[Statement]) -> Result<Vec<Beside>, EmbedderError> {
        let mut sentences = Vec::with_capacity(said.len());
        for one in said {
            let mut near = self.near(one.vector(), question);
            near.truncate(BESIDE);
            let theirs = self.published(&near)?;
            let beside: Vec<Published<'_>> = near
                .iter()
                .zip(&theirs)
                .map(|(near, statement)| Published { statement, asked: near.asked })
                .collect();
            sentences.push(Beside { clashes: clashes(one, &beside), near });
        }
        Ok(sentences)
    }

    /// Published sentences that the draft may be compared with, the nearest first.
    fn near(&self, text: &[f32], question: &[f32]) -> Vec<NearSentence> {
        let mut near = self.library.near_sentences(text, Some(question), LOOKED_AT);
        near.retain(|one| self.scope.has(&one.article));
        near
    }

    fn coverages(
        &self,
        question: &[f32],
        said: &[Statement],
    ) -> Result<(Covering, Vec<Vec<Coverage>>), EmbedderError> {
        let mut found = self.nearest_articles(question, said);
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
        let candidates = |nearness: &dyn Fn(&NearArticle) -> f32| -> Vec<Candidate<'_>> {
            let both = found.iter().zip(&read);
            let candidates = both.map(|(one, read)| Candidate {
                sentences: read.iter().map(AsRef::as_ref).collect(),
                nearness: nearness(one),
                asked: one.asked,
            });
            candidates.collect()
        };
        let ids = found.iter().map(|one| one.id.clone());
        let whole = ids.zip(coverages(said, &candidates(&NearArticle::nearness))).collect();
        let mut alone = vec![Vec::with_capacity(said.len()); found.len()];
        for (at, one) in said.iter().enumerate() {
            let of_one =
                coverages(std::slice::from_ref(one), &candidates(&|near| near.cosines[at]));
            alone.iter_mut().zip(of_one).for_each(|(all, one)| all.push(one));
        }
        Ok((whole, alone))
    }

    /// Articles with a sentence near to the draft's, those that hold most of it first.
    fn nearest_articles(&self, question: &[f32], said: &[Statement]) -> Vec<NearArticle> {
        const ASKED_WORTH: f32 = 0.3;
        let mut found: HashMap<ArticleId, NearArticle> = HashMap::new();
        for (at, one) in said.iter().enumerate() {
            for near in self.near(one.vector(), question) {
                let id = &near.article.id;
                let found = found.entry(id.clone()).or_insert_with(|| NearArticle {
                    id: id.clone(),
                    cosines: vec![0.0; said.len()],
                    asked: 0.0,
                });
                found.cosines[at] = found.cosines[at].max(near.cosine);
                found.asked = found.asked.max(near.asked);
            }
        }
        let mut articles: Vec<NearArticle> = found.into_values().collect();
        let rank = |one: &NearArticle| one.nearness() + ASKED_WORTH * one.asked;
        articles.sort_by(|a, b| rank(b).total_cmp(&rank(a)).then_with(|| a.id.cmp(&b.id)));
        articles
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
    /// Of each of the draft's sentences with its nearest in the article.
    cosines: Vec<f32>,
    asked: f32,
}

impl NearArticle {
    fn nearness(&self) -> f32 {
        self.cosines.iter().sum::<f32>() / self.cosines.len().max(1) as f32
    }
}
