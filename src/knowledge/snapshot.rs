//! One immutable state of an index. A change makes a new one and swaps it in, so a search that has
//! begun sees one state to its end.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use super::article::Written;
use super::error::KnowledgeError;
use super::heard::Heard;
use super::index::{Filter, KeywordIndex};
use super::names::{self, Names};
use super::sentence::{self, Span};
use super::terms;
use super::vectors::{PassageRows, Vectors};
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
    pub fn of(passages: &[PassageEntry]) -> Self {
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
    pub terms: Arc<PassageTerms>,
}

/// A passage in search terms, separated by spaces. They are made once, however often it is indexed.
pub(crate) struct PassageTerms {
    /// Of the article's title.
    pub title: Arc<str>,
    pub heading: String,
    pub text: String,
    pub asked: String,
    /// The names in its text, each in terms.
    pub names: Vec<String>,
}

impl PassageTerms {
    /// What the article says there, without how people ask.
    pub fn said(&self) -> impl Iterator<Item = &str> {
        let parts = [&*self.title, &self.heading, &self.text].into_iter();
        parts.flat_map(|part| part.split(' ')).filter(|term| !term.is_empty())
    }
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
        let in_terms = |text: &str| terms::terms(text).join(" ");
        let title: Arc<str> = in_terms(&article.title).into();
        let entry = |(number, asked_as): (usize, Vec<String>)| {
            let Passage { heading, text, .. } = &article.passages[number];
            let terms = PassageTerms {
                title: title.clone(),
                heading: in_terms(heading),
                text: in_terms(text),
                asked: in_terms(&asked_as.join(" ")),
                names: names::in_text(text),
            };
            PassageEntry {
                article: article.clone(),
                number,
                sentences: sentence::sentences(text).into(),
                asked_as: asked_as.into(),
                terms: Arc::new(terms),
            }
        };
        let entries = asked_as.into_iter().enumerate().map(entry).collect();
        Self { article, entries }
    }
}

#[cfg(test)]
pub(super) fn sample_passages() -> Vec<PassageEntry> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/knowledge");
    let files = super::source::Source::Folder(folder.into()).files().unwrap();
    let read = |(file, text): (String, Result<String, String>)| {
        Shelved::of(Written::of_file(super::article::read(&file, &text.unwrap()).unwrap()))
    };
    files.into_iter().flat_map(|file| read(file).entries).collect()
}

impl Snapshot {
    /// Keywords only; the order of the articles is that of the passages. Works on as many threads as
    /// the pool has in which it is called. What is rare is told by the index beside it too.
    pub fn build<'a>(
        shelved: impl Iterator<Item = &'a Arc<Shelved>>,
        beside: Option<&Self>,
    ) -> Result<Self, KnowledgeError> {
        let mut revisions = HashMap::new();
        let mut passages = Vec::new();
        for one in shelved {
            revisions.insert(one.article.id.clone(), one.article.revision);
            passages.extend(one.entries.iter().cloned());
        }
        let articles = Articles::of(&passages);
        let (keywords, (whole, (names, heard))) = rayon::join(
            || KeywordIndex::build(&passages),
            || {
                rayon::join(
                    || WholeArticles::build(&passages, &articles.ranges),
                    || (Names::of(&passages), Heard::of(&passages, &articles.ranges)),
                )
            },
        );
        let (mut keywords, mut whole) = (keywords?, whole?);
        if let Some(beside) = beside {
            keywords.count_with(&beside.keywords);
            whole.count_with(&beside.whole);
        }
        Ok(Self {
            revisions,
            passages: Arc::new(passages),
            articles: Arc::new(articles),
            keywords: Arc::new(keywords),
            whole: Arc::new(whole),
            names: Arc::new(names),
            heard: Arc::new(heard),
            vectors: None,
        })
    }

    /// The same with the vectors of its passages.
    pub fn with_vectors(&self, dimensions: usize, rows: Vec<Arc<PassageRows>>) -> Self {
        let vectors = Vectors::of(dimensions, rows, &self.articles.of_passage);
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
