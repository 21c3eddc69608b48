//! Articles as wholes: what the title, and all passages with how people ask for them, say for a
//! query, by BM25.
//!
//! A passage stands in an article, and the article tells what it is about. On known-item queries the
//! title and the whole are worth more than the passage's own words (`benches/README`).

use std::ops::Range;

use tantivy::query::{BooleanQuery, Occur, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::{Index, SingleSegmentIndexWriter, TantivyDocument, TantivyError, Term};

use super::counted::Counted;
use super::snapshot::PassageEntry;

const WRITER_BYTES: usize = 64 << 20;

pub(crate) struct WholeArticles {
    index: Counted,
    title: Field,
    whole: Field,
}

impl WholeArticles {
    /// Article number n, with the passages of `ranges[n]`, becomes document n.
    pub fn build(passages: &[PassageEntry], ranges: &[Range<usize>]) -> Result<Self, TantivyError> {
        let mut schema = Schema::builder();
        let words = TextOptions::default().set_indexing_options(
            TextFieldIndexing::default()
                .set_tokenizer("whitespace")
                .set_index_option(IndexRecordOption::WithFreqs),
        );
        let title = schema.add_text_field("title", words.clone());
        let whole = schema.add_text_field("whole", words);
        let directory = tantivy::directory::RamDirectory::create();
        let mut writer: SingleSegmentIndexWriter = Index::builder()
            .schema(schema.build())
            .single_segment_index_writer(directory, WRITER_BYTES)?;
        for range in ranges {
            let mut document = TantivyDocument::default();
            for (at, entry) in passages[range.clone()].iter().enumerate() {
                let terms = &entry.terms;
                if at == 0 {
                    document.add_text(whole, &terms.title);
                    document.add_text(title, &terms.title);
                }
                for text in [&terms.heading, &terms.text, &terms.asked] {
                    document.add_text(whole, text);
                }
            }
            writer.add_document(document)?;
        }
        let index = Counted::of(&writer.finalize()?)?;
        Ok(Self { index, title, whole })
    }

    /// What is rare is told by the other one too.
    pub fn count_with(&mut self, other: &Self) {
        self.index.count_with(&other.index);
    }

    /// The sum of both fields' scores for these articles, in growing order of their numbers.
    pub fn scores(&self, terms: &[String], articles: &[usize]) -> Result<Vec<f32>, TantivyError> {
        let mut any: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        for term in terms {
            for field in [self.title, self.whole] {
                let term = Term::from_field_text(field, term);
                let query = TermQuery::new(term, IndexRecordOption::WithFreqs);
                any.push((Occur::Should, Box::new(query)));
            }
        }
        self.index.scores(&BooleanQuery::new(any), articles)
    }
}
