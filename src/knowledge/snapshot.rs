//! One immutable state of the knowledge base. A change makes a new one and swaps it in, so a
//! search that has begun sees one state to its end.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::article::Written;
use super::error::KnowledgeError;
use super::heard::Heard;
use super::index::{Filter, KeywordIndex};
use super::names::Names;
use super::sentence::{self, Span};
use super::vectors::Vectors;
use super::whole::WholeArticles;
use crate::domain::{Article, ArticleId, Passage};

pub(crate) struct Snapshot {
    pub articles: Arc<BTreeMap<ArticleId, Arc<Article>>>,
    pub passages: Arc<Vec<PassageEntry>>,
    pub shelf: Arc<Shelf>,
    pub keywords: Arc<KeywordIndex>,
    pub whole: Arc<WholeArticles>,
    pub names: Arc<Names>,
    pub heard: Arc<Heard>,
    pub vectors: Option<Arc<Vectors>>,
}

/// Which passages are of one article. Articles are numbered in the order of their ids.
pub(crate) struct Shelf {
    /// By article.
    pub ranges: Vec<Range<usize>>,
    /// By passage.
    pub article_of: Vec<usize>,
}

impl Shelf {
    fn of(passages: &[PassageEntry]) -> Self {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        let mut article_of = Vec::with_capacity(passages.len());
        for (at, entry) in passages.iter().enumerate() {
            match ranges.last_mut() {
                Some(last) if passages[last.start].article.id == entry.article.id => {
                    last.end = at + 1;
                }
                _ => ranges.push(at..at + 1),
            }
            article_of.push(ranges.len() - 1);
        }
        Self { ranges, article_of }
    }
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
        let parts = [&self.article.title, &passage.heading, &passage.text];
        let said: Vec<&str> =
            parts.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        said.join(". ")
    }

    /// What a sentence's vector is made of: the heading says what the sentence is about.
    pub fn sentence_to_embed(&self, span: Span) -> String {
        let passage = self.passage();
        let sentence = span.slice(&passage.text);
        if passage.heading.is_empty() {
            return sentence.to_owned();
        }
        format!("{}: {sentence}", passage.heading)
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
        let shelf = Shelf::of(&passages);
        let whole = Arc::new(WholeArticles::build(&passages, &shelf.ranges)?);
        let names = Arc::new(Names::of(&passages));
        let heard = Arc::new(Heard::of(&passages, &shelf.article_of));
        Ok(Self {
            articles: Arc::new(articles),
            passages: Arc::new(passages),
            shelf: Arc::new(shelf),
            keywords,
            whole,
            names,
            heard,
            vectors: None,
        })
    }

    pub fn with_vectors(&self, vectors: Vectors) -> Self {
        Self {
            articles: self.articles.clone(),
            passages: self.passages.clone(),
            shelf: self.shelf.clone(),
            keywords: self.keywords.clone(),
            whole: self.whole.clone(),
            names: self.names.clone(),
            heard: self.heard.clone(),
            vectors: Some(Arc::new(vectors)),
        }
    }

    /// The passages of an article.
    pub fn passages_of(&self, id: &ArticleId) -> Range<usize> {
        let first = self.passages.partition_point(|entry| entry.article.id < *id);
        let is_it = self.passages.get(first).is_some_and(|entry| entry.article.id == *id);
        if is_it { self.shelf.ranges[self.shelf.article_of[first]].clone() } else { 0..0 }
    }

    pub fn admits(&self, filter: &Filter, passage: usize) -> bool {
        filter.admits(&self.passages[passage].article)
    }
}
