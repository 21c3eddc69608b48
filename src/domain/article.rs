use super::{ArticleId, PassageId};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArticleState {
    Draft,
    InReview,
    Published,
    Retired,
}

impl ArticleState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::InReview => "in_review",
            Self::Published => "published",
            Self::Retired => "retired",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Audience {
    Agent,
    Customer,
}

impl Audience {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Customer => "customer",
        }
    }
}

/// One article of the knowledge base, at one revision.
#[derive(Clone, Debug, PartialEq)]
pub struct Article {
    pub id: ArticleId,
    pub title: String,
    /// Markdown without the front matter.
    pub body: String,
    pub revision: u32,
    pub state: ArticleState,
    pub audience: Vec<Audience>,
    pub products: Vec<String>,
    pub language: String,
    pub valid_from: Option<jiff::civil::Date>,
    pub review_by: Option<jiff::civil::Date>,
    pub source: Option<String>,
    /// Its words may be quoted and never changed, not by a model either.
    pub verbatim: bool,
    pub passages: Vec<Passage>,
}

/// One section of an article: what is searched and cited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    pub id: PassageId,
    /// The heading over the section.
    pub heading: String,
    /// The section without its heading: `body[start_chars..end_chars]`, counted in code points.
    pub text: String,
    pub start_chars: usize,
    pub end_chars: usize,
}
