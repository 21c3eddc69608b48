use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use super::{ArticleId, ConversationId, PassageId, Redacted, TurnId};

/// The author of what this program drafts by itself.
pub const PROGRAM: &str = "backchannel";

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

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Draft, Self::InReview, Self::Published, Self::Retired]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

/// What somebody does with an article; each makes a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArticleAction {
    /// Writes it, or changes what it says.
    Draft,
    Submit,
    Approve,
    /// Sends it back to its author.
    Return,
    Publish,
    Retire,
    /// Takes over what a file says, and publishes it.
    Import,
}

impl ArticleAction {
    pub const ALL: [Self; 7] = [
        Self::Draft,
        Self::Submit,
        Self::Approve,
        Self::Return,
        Self::Publish,
        Self::Retire,
        Self::Import,
    ];

    /// As it is stored, and as people read it in a history.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "drafted",
            Self::Submit => "submitted",
            Self::Approve => "approved",
            Self::Return => "returned",
            Self::Publish => "published",
            Self::Retire => "retired",
            Self::Import => "imported",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == text)
    }

    /// The state of the revision that it makes.
    pub const fn leads_to(self) -> ArticleState {
        match self {
            Self::Draft | Self::Return => ArticleState::Draft,
            Self::Submit | Self::Approve => ArticleState::InReview,
            Self::Publish | Self::Import => ArticleState::Published,
            Self::Retire => ArticleState::Retired,
        }
    }

    /// Whether it can be done to an article in this state; `None`: there is no such article yet.
    pub fn fits(self, state: Option<ArticleState>) -> bool {
        use ArticleState::{Draft, InReview, Retired};
        match self {
            Self::Draft | Self::Import => true,
            Self::Submit => state == Some(Draft),
            Self::Approve | Self::Return | Self::Publish => state == Some(InReview),
            Self::Retire => state.is_some_and(|state| state != Retired),
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

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Agent, Self::Customer].into_iter().find(|audience| audience.as_str() == text)
    }
}

/// What an article says at one revision, and whom it is for. Secrets are masked in all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArticleContent {
    pub title: Redacted,
    /// Markdown without the front matter.
    pub body: Redacted,
    pub audience: Vec<Audience>,
    pub products: Vec<String>,
    pub language: String,
    pub valid_from: Option<Date>,
    /// The last day on which it holds.
    pub valid_until: Option<Date>,
    pub review_by: Option<Date>,
    pub source: Option<String>,
    pub verbatim: bool,
    /// How people ask for what stands below a heading.
    pub asked_as: BTreeMap<String, Vec<Redacted>>,
    /// What stood above the body in the file that it came from, to the letter.
    pub front_matter: Option<Redacted>,
}

impl ArticleContent {
    /// For agents, in English, with nothing else said of it.
    pub fn plain(title: Redacted, body: Redacted) -> Self {
        Self {
            title,
            body,
            audience: vec![Audience::Agent],
            products: Vec::new(),
            language: "en".into(),
            valid_from: None,
            valid_until: None,
            review_by: None,
            source: None,
            verbatim: false,
            asked_as: BTreeMap::new(),
            front_matter: None,
        }
    }
}

/// Where a sentence of a draft comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentenceOrigin {
    /// The sentence as it was proposed; people may have changed it since.
    pub sentence: Redacted,
    pub conversation: ConversationId,
    pub quotes: Vec<TurnQuote>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnQuote {
    pub turn: TurnId,
    pub quote: Redacted,
}

/// A revision on its way into the log, which gives it its number.
#[derive(Clone, Debug, PartialEq)]
pub struct NewRevision {
    pub article: ArticleId,
    /// The newest revision when it was made; 0 for the first.
    pub based_on: u32,
    pub action: ArticleAction,
    /// Who wrote what it says.
    pub author: String,
    /// Who did this.
    pub by: String,
    pub approver: Option<String>,
    pub time: Timestamp,
    pub comment: Option<Redacted>,
    pub content: Arc<ArticleContent>,
    pub provenance: Arc<[SentenceOrigin]>,
}

/// A durable revision. It never changes.
#[derive(Clone, Debug, PartialEq)]
pub struct ArticleRevision {
    /// Where it stands in the log of all revisions; grows in commit order.
    pub position: u64,
    /// Counts from 1 in its article, without gaps.
    pub number: u32,
    pub article: ArticleId,
    pub action: ArticleAction,
    pub author: String,
    pub by: String,
    pub approver: Option<String>,
    pub time: Timestamp,
    pub comment: Option<Redacted>,
    pub content: Arc<ArticleContent>,
    pub provenance: Arc<[SentenceOrigin]>,
}

impl ArticleRevision {
    pub const fn state(&self) -> ArticleState {
        self.action.leads_to()
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
    pub valid_from: Option<Date>,
    /// The last day on which it holds.
    pub valid_until: Option<Date>,
    pub review_by: Option<Date>,
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
            valid_until: None,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_article_is_reviewed_before_it_is_published() {
        use ArticleAction::*;
        let after = |action: ArticleAction| {
            let state = Some(action.leads_to());
            ArticleAction::ALL.into_iter().filter(|next| next.fits(state)).collect::<Vec<_>>()
        };
        assert_eq!(after(Draft), [Draft, Submit, Retire, Import]);
        assert_eq!(after(Submit), [Draft, Approve, Return, Publish, Retire, Import]);
        assert_eq!(after(Return), after(Draft));
        assert_eq!(after(Publish), [Draft, Retire, Import]);
        assert_eq!(after(Retire), [Draft, Import]);
        for action in ArticleAction::ALL {
            assert_eq!(ArticleAction::parse(action.as_str()), Some(action));
            assert_eq!(action.fits(None), matches!(action, Draft | Import), "{action:?}");
        }
    }
}
