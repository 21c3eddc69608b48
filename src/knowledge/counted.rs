//! An index that may be a small one beside a large one: what is rare is told by both.
//!
//! A new article stands in an index of its own until there is one of all. By its own counts each of its
//! words would stand in every document, so that none of them said anything.

use tantivy::query::{Bm25StatisticsProvider, EnableScoring, Query};
use tantivy::schema::Field;
use tantivy::{
    DocSet as _, Index, IndexReader, ReloadPolicy, Searcher, TERMINATED, TantivyError, Term,
};

pub(super) struct Counted {
    reader: IndexReader,
    /// Of an index with the same fields.
    beside: Option<IndexReader>,
}

/// The counts of all of them together.
pub(super) struct Counts(Vec<Searcher>);

impl Counted {
    pub fn of(index: &Index) -> Result<Self, TantivyError> {
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        Ok(Self { reader, beside: None })
    }

    /// Counts with what stands in the other one too.
    pub fn count_with(&mut self, other: &Self) {
        self.beside = Some(other.reader.clone());
    }

    pub fn searcher(&self) -> Searcher {
        self.reader.searcher()
    }

    pub fn beside(&self) -> Option<Searcher> {
        self.beside.as_ref().map(IndexReader::searcher)
    }

    pub fn counts(&self) -> Counts {
        Counts([self.searcher()].into_iter().chain(self.beside()).collect())
    }

    /// What a query gives for these documents of a one-segment index, in growing order.
    pub fn scores(&self, query: &dyn Query, documents: &[usize]) -> Result<Vec<f32>, TantivyError> {
        let searcher = self.searcher();
        let counts = self.counts();
        let mut scores = vec![0.0; documents.len()];
        let scoring = EnableScoring::enabled_from_statistics_provider(&counts, &searcher);
        let weight = query.weight(scoring)?;
        for segment in searcher.segment_readers() {
            let mut scorer = weight.scorer(segment, 1.0)?;
            for (score, &wanted) in scores.iter_mut().zip(documents) {
                let wanted = u32::try_from(wanted).unwrap_or(TERMINATED);
                if scorer.doc() < wanted {
                    scorer.seek(wanted);
                }
                if scorer.doc() == wanted {
                    *score = scorer.score();
                }
            }
        }
        Ok(scores)
    }
}

impl Counts {
    fn sum(
        &self,
        of_one: impl Fn(&dyn Bm25StatisticsProvider) -> tantivy::Result<u64>,
    ) -> tantivy::Result<u64> {
        self.0.iter().map(|searcher| of_one(searcher)).sum()
    }
}

impl Bm25StatisticsProvider for Counts {
    fn total_num_tokens(&self, field: Field) -> tantivy::Result<u64> {
        self.sum(|one| one.total_num_tokens(field))
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        self.sum(|one| one.total_num_docs())
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        self.sum(|one| one.doc_freq(term))
    }
}
