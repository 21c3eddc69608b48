//! One immutable state of the knowledge base. A change makes a new one and swaps it in, so a
//! search that has begun sees one state to its end.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::article::Written;
use super::error::KnowledgeError;
use super::index::{Filter, KeywordIndex};
use super::names::Names;
use super::sentence::{self, Span};
use super::vectors::Vectors;
use crate::domain::{Article, ArticleId, Passage};

pub(crate) struct Snapshot {
    pub articles: Arc<BTreeMap<ArticleId, Arc<Article>>>,
    pub passages: Arc<Vec<PassageEntry>>,
    pub keywords: Arc<KeywordIndex>,
    pub names: Arc<Names>,
    pub vectors: Option<Arc<Vectors>>,
}

/// A passage in search order.
pub(crate) struct PassageEntry {
    pub article: Arc<Article>,
    /// Its place in the article.
    pub number: usize,
    pub sentences: Vec<Span>,
    /// How people ask for it: searched, never shown as an answer.
    pub asked_as: Vec<String>,
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
}

impl Snapshot {
    pub fn build(written: Vec<Written>) -> Result<Self, KnowledgeError> {
        let written: BTreeMap<ArticleId, Written> =
            written.into_iter().map(|one| (one.article.id.clone(), one)).collect();
        let mut articles = BTreeMap::new();
        let mut passages = Vec::new();
        for (id, Written { article, asked_as }) in written {
            let article = Arc::new(article);
            for (number, asked_as) in asked_as.into_iter().enumerate() {
                let sentences = sentence::sentences(&article.passages[number].text);
                passages.push(PassageEntry {
                    article: article.clone(),
                    number,
                    sentences,
                    asked_as,
                });
            }
            articles.insert(id, article);
        }
        let keywords = Arc::new(KeywordIndex::build(&passages)?);
        let names = Arc::new(Names::of(&passages));
        Ok(Self {
            articles: Arc::new(articles),
            passages: Arc::new(passages),
            keywords,
            names,
            vectors: None,
        })
    }

    pub fn with_vectors(&self, vectors: Vectors) -> Self {
        Self {
            articles: self.articles.clone(),
            passages: self.passages.clone(),
            keywords: self.keywords.clone(),
            names: self.names.clone(),
            vectors: Some(Arc::new(vectors)),
        }
    }

    pub fn admits(&self, filter: &Filter, passage: usize) -> bool {
        filter.admits(&self.passages[passage].article)
    }
}
