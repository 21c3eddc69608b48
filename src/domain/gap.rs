use super::{ArticleId, Redacted, SearchId};

/// How it is known that a question was not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GapReason {
    /// A customer asked it, and there was no card.
    Abstained,
    /// All cards for it were dismissed or withdrawn.
    Dismissed,
    /// The agent asked it, and nothing answered.
    Asked,
    /// The agent searched for it and opened nothing.
    Searched,
}

impl GapReason {
    pub const ALL: [Self; 4] = [Self::Abstained, Self::Dismissed, Self::Asked, Self::Searched];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Abstained => "abstained",
            Self::Dismissed => "dismissed",
            Self::Asked => "asked",
            Self::Searched => "searched",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// A search of the articles that was made for a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArticleSearch {
    pub id: SearchId,
    pub query: Redacted,
    /// So many passages were found.
    pub hits: usize,
}

/// Something that such a search had found was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArticleOpened {
    pub search_id: SearchId,
    pub article_id: ArticleId,
}
