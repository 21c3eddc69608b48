//! The keyword side: Tantivy in memory, BM25 (Robertson and Zaragoza 2009) with k1 = 1.2, b = 0.75.
//!
//! Terms are made by [`super::terms`] and handed to Tantivy ready, so that a query, an explanation
//! and the index can't disagree about what a word is.

use std::ops::Bound;

use jiff::civil::Date;
use tantivy::collector::TopDocs;
use tantivy::query::{
    BooleanQuery, BoostQuery, ConstScoreQuery, Occur, Query, RangeQuery, TermQuery,
};
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, STRING, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::{
    DocSet, Index, Searcher, SingleSegmentIndexWriter, TERMINATED, TantivyDocument, TantivyError,
    Term,
};

use super::counted::Counted;
use super::snapshot::PassageEntry;
use super::spelling;
use crate::domain::{Article, Audience};

/// The writer's working memory; it flushes to the RAM directory when it is full.
const WRITER_BYTES: usize = 64 << 20;
/// Weights of a match in the article's title and in the section's heading; in the text it is 1.
const TITLE_BOOST: f32 = 0.6;
const HEADING_BOOST: f32 = 1.0;
/// Weight of a match in the phrasings. Fitted, with the weights of `search`, on the fitting half of
/// `queries.toml`.
const ASKED_BOOST: f32 = 1.0;

/// What an answer must be fit for. Applied inside the query: it never thins out a result list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub audience: Option<Audience>,
    pub product: Option<String>,
    pub language: Option<String>,
    /// Articles whose `valid_from` is later or whose `valid_until` is earlier are left out.
    pub valid_on: Option<Date>,
}

impl Filter {
    pub fn admits(&self, article: &Article) -> bool {
        self.audience.is_none_or(|audience| article.audience.contains(&audience))
            && self.product.as_ref().is_none_or(|product| article.products.contains(product))
            && self.language.as_ref().is_none_or(|language| article.language == *language)
            && self.valid_on.is_none_or(|on| {
                article.valid_from.is_none_or(|from| from <= on)
                    && article.valid_until.is_none_or(|until| on <= until)
            })
    }
}

struct Fields {
    title: Field,
    heading: Field,
    text: Field,
    /// How people ask for the passage.
    asked: Field,
    audience: Field,
    product: Field,
    language: Field,
    valid_from: Field,
    valid_until: Field,
}

pub(crate) struct KeywordIndex {
    index: Counted,
    fields: Fields,
}

impl KeywordIndex {
    /// Passage number n becomes document n: one segment, in order.
    pub fn build(passages: &[PassageEntry]) -> Result<Self, TantivyError> {
        let mut schema = Schema::builder();
        let words = TextOptions::default().set_indexing_options(
            TextFieldIndexing::default()
                .set_tokenizer("whitespace")
                .set_index_option(IndexRecordOption::WithFreqs),
        );
        let fields = Fields {
            title: schema.add_text_field("title", words.clone()),
            heading: schema.add_text_field("heading", words.clone()),
            text: schema.add_text_field("text", words.clone()),
            asked: schema.add_text_field("asked", words),
            audience: schema.add_text_field("audience", STRING),
            product: schema.add_text_field("product", STRING),
            language: schema.add_text_field("language", STRING),
            valid_from: schema.add_i64_field("valid_from", INDEXED | FAST),
            valid_until: schema.add_i64_field("valid_until", INDEXED | FAST),
        };
        let directory = tantivy::directory::RamDirectory::create();
        let mut writer: SingleSegmentIndexWriter = Index::builder()
            .schema(schema.build())
            .single_segment_index_writer(directory, WRITER_BYTES)?;
        for entry in passages {
            let (article, terms) = (&entry.article, &entry.terms);
            let mut document = TantivyDocument::default();
            document.add_text(fields.title, &terms.title);
            document.add_text(fields.heading, &terms.heading);
            document.add_text(fields.text, &terms.text);
            document.add_text(fields.asked, &terms.asked);
            for audience in &article.audience {
                document.add_text(fields.audience, audience.as_str());
            }
            for product in &article.products {
                document.add_text(fields.product, product);
            }
            document.add_text(fields.language, &article.language);
            document.add_i64(fields.valid_from, article.valid_from.map_or(i64::MIN, day_number));
            document.add_i64(fields.valid_until, article.valid_until.map_or(i64::MAX, day_number));
            writer.add_document(document)?;
        }
        let index = Counted::of(&writer.finalize()?)?;
        Ok(Self { index, fields })
    }

    /// What is rare is told by the other one too.
    pub fn count_with(&mut self, other: &Self) {
        self.index.count_with(&other.index);
    }

    /// The best passages for these terms, best first, with their BM25 scores. Without
    /// `asked`, phrasings are left out.
    pub fn search(
        &self,
        terms: &[String],
        asked: bool,
        filter: &Filter,
        limit: usize,
    ) -> Result<Vec<(usize, f32)>, TantivyError> {
        if terms.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        let mut clauses: Vec<(Occur, Box<dyn Query>)> =
            vec![(Occur::Must, Box::new(self.any_of(terms, asked)))];
        for condition in self.conditions(filter) {
            clauses.push((Occur::Must, Box::new(ConstScoreQuery::new(condition, 0.0))));
        }
        let top = TopDocs::with_limit(limit).order_by_score();
        let (query, counts) = (BooleanQuery::new(clauses), self.index.counts());
        let searcher = self.index.searcher();
        let found = searcher.search_with_statistics_provider(&query, &top, &counts)?;
        Ok(found.into_iter().map(|(score, at)| (at.doc_id as usize, score)).collect())
    }

    /// The score that [`Self::search`] gives each of these passages, in growing order.
    pub fn scores(
        &self,
        terms: &[String],
        asked: bool,
        passages: &[usize],
    ) -> Result<Vec<f32>, TantivyError> {
        self.index.scores(&self.any_of(terms, asked), passages)
    }

    fn any_of(&self, terms: &[String], asked: bool) -> BooleanQuery {
        let Fields { title, heading, text, .. } = self.fields;
        let mut fields = vec![(title, TITLE_BOOST), (heading, HEADING_BOOST), (text, 1.0)];
        if asked {
            fields.push((self.fields.asked, ASKED_BOOST));
        }
        let mut any: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        for term in terms {
            for &(field, boost) in &fields {
                let query = term_query(field, term, IndexRecordOption::WithFreqs);
                any.push((Occur::Should, Box::new(BoostQuery::new(query, boost))));
            }
        }
        BooleanQuery::new(any)
    }

    fn conditions(&self, filter: &Filter) -> Vec<Box<dyn Query>> {
        let basic = |field, value: &str| term_query(field, value, IndexRecordOption::Basic);
        let mut conditions = Vec::new();
        if let Some(audience) = filter.audience {
            conditions.push(basic(self.fields.audience, audience.as_str()));
        }
        if let Some(product) = &filter.product {
            conditions.push(basic(self.fields.product, product));
        }
        if let Some(language) = &filter.language {
            conditions.push(basic(self.fields.language, language));
        }
        if let Some(on) = filter.valid_on {
            let last = Term::from_field_i64(self.fields.valid_from, day_number(on));
            conditions.push(Box::new(RangeQuery::new(Bound::Unbounded, Bound::Included(last))));
            let first = Term::from_field_i64(self.fields.valid_until, day_number(on));
            conditions.push(Box::new(RangeQuery::new(Bound::Included(first), Bound::Unbounded)));
        }
        conditions
    }

    /// The passages that hold the term, in growing order.
    pub fn holders(&self, term: &str) -> Result<Vec<usize>, TantivyError> {
        self.holders_in(&self.index.searcher(), &self.said(), term)
    }

    /// So many passages of the index beside this one hold the term, of so many.
    pub fn beside(&self, term: &str) -> Result<(usize, usize), TantivyError> {
        let Some(searcher) = self.index.beside() else { return Ok((0, 0)) };
        let holders = self.holders_in(&searcher, &self.said(), term)?;
        Ok((holders.len(), searcher.num_docs() as usize))
    }

    /// For a term that stands nowhere: the one that it may be a misspelling of.
    pub fn misspelt(&self, term: &str) -> Result<Option<String>, TantivyError> {
        let Fields { title, heading, text, asked, .. } = self.fields;
        let (searcher, fields) = (self.index.searcher(), [title, heading, text, asked]);
        for index in [Some(searcher.clone()), self.index.beside()].into_iter().flatten() {
            for field in fields {
                if index.doc_freq(&Term::from_field_text(field, term))? > 0 {
                    return Ok(None);
                }
            }
        }
        spelling::nearest(&searcher, &fields, term)
    }

    /// The passages that people ask for with the term, in growing order.
    pub fn asked_with(&self, term: &str) -> Result<Vec<usize>, TantivyError> {
        self.holders_in(&self.index.searcher(), &[self.fields.asked], term)
    }

    /// Where an article says something.
    fn said(&self) -> [Field; 3] {
        let Fields { title, heading, text, .. } = self.fields;
        [title, heading, text]
    }

    fn holders_in(
        &self,
        searcher: &Searcher,
        fields: &[Field],
        term: &str,
    ) -> Result<Vec<usize>, TantivyError> {
        let mut holders = Vec::new();
        for &field in fields {
            let term = Term::from_field_text(field, term);
            for segment in searcher.segment_readers() {
                let inverted = segment.inverted_index(field)?;
                let Some(mut postings) = inverted.read_postings(&term, IndexRecordOption::Basic)?
                else {
                    continue;
                };
                let mut doc = postings.doc();
                while doc != TERMINATED {
                    holders.push(doc as usize);
                    doc = postings.advance();
                }
            }
        }
        // Each field's are in order already, which a stable sort makes use of.
        holders.sort();
        holders.dedup();
        Ok(holders)
    }
}

fn term_query(field: Field, text: &str, option: IndexRecordOption) -> Box<dyn Query> {
    Box::new(TermQuery::new(Term::from_field_text(field, text), option))
}

fn day_number(date: Date) -> i64 {
    i64::from(date.year()) * 512 + i64::from(date.day_of_year())
}
