//! What the company knows: articles in, explained hits out.
//!
//! A folder of Markdown becomes passages, a keyword index and, as soon as an embedding model has
//! been attached, vectors. Keywords serve from the first moment; meaning joins when its vectors are
//! complete. `flow::suggestion` and the search door feed queries in. This room knows nothing of
//! conversations, and a search never waits for the background work.

mod article;
mod cache;
mod counted;
mod error;
mod evidence;
mod explain;
pub mod feedback;
mod fuse;
mod heard;
mod index;
mod library;
mod matrix;
mod names;
mod near;
mod passages;
mod phrases;
pub mod queries;
mod quote;
mod scan;
mod search;
mod sentence;
mod snapshot;
mod source;
mod spelling;
pub mod spoken;
pub mod terms;
#[cfg(test)]
mod tests;
mod vectors;
mod whole;

pub use article::{BODY_MAX_BYTES, FileArticle, Mistake, Written, check, read};
pub use cache::{VectorCache, cache_folder, text_hash};
pub use error::{ArticleError, KnowledgeError};
pub use index::Filter;
pub use library::{Change, Hold, Library, LibrarySettings};
pub use near::NearSentence;
pub use passages::passages as passages_of;
pub use search::{
    HitFeatures, SearchHit, SearchMode, SearchRequest, SearchResponse, Spent, WordingFeatures,
};
pub use sentence::{Span, sentences};
pub use source::Source;
pub use vectors::Nearness;
pub use vectors::Similarity;
