//! What articles say, and what is told about their changes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an article says, and whom it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ArticleContent {
    pub title: String,
    /// Markdown without front matter.
    pub body: String,
    pub audience: Vec<String>,
    pub products: Vec<String>,
    /// ISO 639-1
    pub language: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<String>,
    /// The last day on which it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(default)]
    pub verbatim: bool,
    /// How people ask for what stands below a heading.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub asked_as: BTreeMap<String, Vec<String>>,
    /// What stood above the body in the file that it came from, to the letter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub front_matter: Option<String>,
}

/// Where a sentence of a draft comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SentenceOrigin {
    pub sentence: String,
    pub conversation_id: String,
    pub turns: Vec<TurnQuote>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TurnQuote {
    pub turn_id: String,
    pub quote: String,
}

/// An article has a new revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ArticleChanged {
    pub article_id: String,
    pub revision: u32,
    /// draft, in_review, published or retired
    pub state: String,
    pub title: String,
    /// Who did it.
    pub by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Of the revision: what it says, who wrote, did and approved it, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
}

/// Many articles have a new revision, which is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ArticlesImported {
    pub new: usize,
    pub changed: usize,
    /// Which ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revisions: Vec<ImportedRevision>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportedRevision {
    pub article_id: String,
    pub revision: u32,
    /// Of the revision: what it says, who wrote and did it, and when.
    pub hash: String,
}
