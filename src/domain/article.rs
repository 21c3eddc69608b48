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

impl Article {
    /// In force for agents, in English, with nothing else said of it.
    pub fn published(id: ArticleId, title: String, body: String, passages: Vec<Passage>) -> Self {
        Self {
            id,
            title,
            body,
            revision: 1,
            state: ArticleState::Published,
            audience: vec![Audience::Agent],
            products: Vec::new(),
            language: "en".into(),
            valid_from: None,
            review_by: None,
            source: None,
            verbatim: false,
            passages,
        }
    }
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
