use super::{ArticleId, CardId, PassageId, QuestionId, Redacted, TurnId};

/// The place in a passage that supports a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Citation {
    pub article_id: ArticleId,
    pub passage_id: PassageId,
    pub revision: u32,
    /// Offsets in code points into the passage's text: `quote == text[start..end]`.
    pub start_chars: usize,
    pub end_chars: usize,
    pub quote: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CardKind {
    Answer,
    Reply,
    Step,
    Article,
    Expert,
    Checklist,
}

impl CardKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Reply => "reply",
            Self::Step => "step",
            Self::Article => "article",
            Self::Expert => "expert",
            Self::Checklist => "checklist",
        }
    }
}

/// Who wrote the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Generator {
    /// Nobody: they stand in the source, word for word.
    Extractive,
}

impl Generator {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Extractive => "extractive",
        }
    }
}

/// A sentence that answers, with its proof.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The article's title.
    pub title: String,
    /// The section's heading.
    pub heading: String,
    pub text: String,
    pub citations: Vec<Citation>,
    /// Calibrated probability that this answers, 0 to 1.
    pub score: f32,
    /// Reasons for showing it, in words for people.
    pub why: Vec<String>,
    pub generator: Generator,
    pub valid_from: Option<jiff::civil::Date>,
}

/// One suggestion on an agent's screen.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    pub id: CardId,
    pub kind: CardKind,
    pub answer: Answer,
    pub trigger_turn: TurnId,
    /// From the final turn to this card.
    pub latency_ms: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VerdictKind {
    Accepted,
    Edited,
    Dismissed,
    Ignored,
}

impl VerdictKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Edited => "edited",
            Self::Dismissed => "dismissed",
            Self::Ignored => "ignored",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Accepted, Self::Edited, Self::Dismissed, Self::Ignored]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// What the agent did with a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub card_id: CardId,
    pub kind: VerdictKind,
    pub edited_text: Option<Redacted>,
}

/// The answer to a question that the agent asked, or the honest absence of one.
#[derive(Clone, Debug, PartialEq)]
pub struct QuestionAnswer {
    pub question_id: QuestionId,
    pub question: Redacted,
    pub answer: Option<Answer>,
    /// Article id, title and heading of the nearest passages when nothing answers.
    pub nearest: Vec<(ArticleId, String, String)>,
    pub latency_ms: u64,
}
