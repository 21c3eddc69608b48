//! One immutable state of an index. A change makes a new one and swaps it in, so a search that has
//! begun sees one state to its end.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::article::Written;
use super::error::KnowledgeError;
use super::index::{Filter, KeywordIndex};
use super::names::Names;
use super::sentence::{self, Span};
use super::vectors::Vectors;
use crate::domain::{Article, ArticleId, Passage};

/// An article in force, cut up once and for all snapshots.
pub(crate) struct Shelved {
    pub article: Arc<Article>,
    pub entries: Vec<PassageEntry>,
}

/// By their ids.
pub(crate) type Shelf = BTreeMap<ArticleId, Arc<Shelved>>;

pub(crate) struct Snapshot {
    /// Which revision of an article is in it.
    pub revisions: HashMap<ArticleId, u32>,
    pub passages: Arc<Vec<PassageEntry>>,
    pub keywords: Arc<KeywordIndex>,
    pub names: Arc<Names>,
    pub vectors: Option<Arc<Vectors>>,
}

/// A passage in search order. Cheap to clone.
#[derive(Clone)]
pub(crate) struct PassageEntry {
    pub article: Arc<Article>,
    /// Its place in the article.
    pub number: usize,
    pub sentences: Arc<[Span]>,
    /// How people ask for it: searched, never shown as an answer.
    pub asked_as: Arc<[String]>,
}

impl PassageEntry {
    pub fn passage(&self) -> &Passage {
        &self.article.passages[self.number]
    }

    /// What the passage's vector is made of.
    pub fn text_to_embed(&self) -> String {
        let passage = self.passage();
        format!("{}. {}. {}", self.article.title, passage.heading, passage.text)
    }

    /// What a sentence's vector is made of: the heading says what the sentence is about.
    pub fn sentence_to_embed(&self, span: Span) -> String {
        let passage = self.passage();
        format!("{}: {}", passage.heading, span.slice(&passage.text))
    }

    /// All that its vectors are made of: of the passage, of its sentences, of its phrasings.
    pub fn texts_to_embed(&self) -> Vec<String> {
        let sentences = self.sentences.iter().map(|&span| self.sentence_to_embed(span));
        std::iter::once(self.text_to_embed())
            .chain(sentences)
            .chain(self.asked_as.iter().cloned())
            .collect()
    }
}

impl Shelved {
    pub fn of(Written { article, asked_as }: Written) -> Self {
        let article = Arc::new(article);
        let entry = |(number, asked_as): (usize, Vec<String>)| PassageEntry {
            article: article.clone(),
            number,
            sentences: sentence::sentences(&article.passages[number].text).into(),
            asked_as: asked_as.into(),
        };
        let entries = asked_as.into_iter().enumerate().map(entry).collect();
        Self { article, entries }
    }
}

impl Snapshot {
    /// Keywords only; the order of the articles is that of the passages.
    pub fn build<'a>(
        shelved: impl Iterator<Item = &'a Arc<Shelved>>,
    ) -> Result<Self, KnowledgeError> {
        let mut revisions = HashMap::new();
        let mut passages = Vec::new();
        for one in shelved {
            revisions.insert(one.article.id.clone(), one.article.revision);
            passages.extend(one.entries.iter().cloned());
        }
        let keywords = Arc::new(KeywordIndex::build(&passages)?);
        let names = Arc::new(Names::of(&passages));
        Ok(Self { revisions, passages: Arc::new(passages), keywords, names, vectors: None })
    }

    pub fn with_vectors(&self, vectors: Vectors) -> Self {
        Self {
            revisions: self.revisions.clone(),
            passages: self.passages.clone(),
            keywords: self.keywords.clone(),
            names: self.names.clone(),
            vectors: Some(Arc::new(vectors)),
        }
    }

    pub fn holds(&self, article: &Article) -> bool {
        self.revisions.get(&article.id) == Some(&article.revision)
    }

    pub fn admits(&self, filter: &Filter, passage: usize) -> bool {
        filter.admits(&self.passages[passage].article)
    }
}
