//! One immutable state of an index. A change makes a new one and swaps it in, so a search that has
//! begun sees one state to its end.

use std::collections::{BTreeMap, HashMap};
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
    pub articles: Arc<Articles>,
    pub keywords: Arc<KeywordIndex>,
    pub whole: Arc<WholeArticles>,
    pub names: Arc<Names>,
    pub heard: Arc<Heard>,
    pub vectors: Option<Arc<Vectors>>,
}

/// Which passages are of one article. Articles are numbered in the order of their ids.
pub(crate) struct Articles {
    /// By article.
    pub ranges: Vec<Range<usize>>,
    /// By passage.
    pub of_passage: Vec<usize>,
}

impl Articles {
    fn of(passages: &[PassageEntry]) -> Self {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        let mut of_passage = Vec::with_capacity(passages.len());
        for (at, entry) in passages.iter().enumerate() {
            match ranges.last_mut() {
                Some(last) if passages[last.start].article.id == entry.article.id => {
                    last.end = at + 1;
                }
                _ => ranges.push(at..at + 1),
            }
            of_passage.push(ranges.len() - 1);
        }
        Self { ranges, of_passage }
    }
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
        let articles = Articles::of(&passages);
        let whole = Arc::new(WholeArticles::build(&passages, &articles.ranges)?);
        let names = Arc::new(Names::of(&passages));
        let heard = Arc::new(Heard::of(&passages, &articles.of_passage));
        Ok(Self {
            revisions,
            passages: Arc::new(passages),
            articles: Arc::new(articles),
            keywords,
            whole,
            names,
            heard,
            vectors: None,
        })
    }

    pub fn with_vectors(&self, vectors: Vectors) -> Self {
        Self {
            revisions: self.revisions.clone(),
            passages: self.passages.clone(),
            articles: self.articles.clone(),
            keywords: self.keywords.clone(),
            whole: self.whole.clone(),
            names: self.names.clone(),
            heard: self.heard.clone(),
            vectors: Some(Arc::new(vectors)),
        }
    }

    pub fn holds(&self, article: &Article) -> bool {
        self.revisions.get(&article.id) == Some(&article.revision)
    }

    /// The passages of an article.
    pub fn passages_of(&self, id: &ArticleId) -> Range<usize> {
        let first = self.passages.partition_point(|entry| entry.article.id < *id);
        let is_it = self.passages.get(first).is_some_and(|entry| entry.article.id == *id);
        if is_it { self.articles.ranges[self.articles.of_passage[first]].clone() } else { 0..0 }
    }

    pub fn admits(&self, filter: &Filter, passage: usize) -> bool {
        filter.admits(&self.passages[passage].article)
    }
}
