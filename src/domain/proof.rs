//! What stands behind a written sentence.

use super::{Citation, Redacted, Role, TurnId};

/// The words of a turn that a sentence rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnCitation {
    pub turn_id: TurnId,
    /// Who said it.
    pub role: Role,
    /// Offsets in code points into the turn's `text`: `quote == text[start..end]`.
    pub start_chars: usize,
    pub end_chars: usize,
    pub quote: Redacted,
}

/// Where a sentence comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    Turn(TurnCitation),
    Passage(Citation),
}

impl Proof {
    pub const fn passage(&self) -> Option<&Citation> {
        match self {
            Self::Passage(citation) => Some(citation),
            Self::Turn(_) => None,
        }
    }
}

/// A sentence that was checked against its sources and stands.
#[derive(Clone, Debug, PartialEq)]
pub struct ProvenSentence {
    pub text: Redacted,
    /// Never empty.
    pub proofs: Vec<Proof>,
    /// How well the sources carry it, 0 to 1; 1 for words that stand there as they are.
    pub support: f32,
}

/// Why a sentence was struck. The first fault that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// Nothing is cited and nothing that would carry it was found.
    NoSource,
    /// It cites a turn or passage that doesn't exist.
    UnknownSource,
    /// A number, amount, percentage or quantity that its sources don't hold.
    Number,
    /// A date, day or time that its sources don't hold.
    Date,
    /// A name, product or place that its sources don't hold.
    Name,
    /// A code, reference or address that its sources don't hold.
    Code,
    /// It affirms what its sources deny, or the other way round.
    Negation,
    /// Somebody else said or did it.
    Speaker,
    /// Its sources say so only if something else is so.
    Condition,
    /// Its sources are about something else.
    Meaning,
    /// It goes on from a sentence that was struck, and means nothing without it.
    Dangling,
    /// It is, or rests on, what somebody addresses to a machine.
    Order,
    /// It sends people to an address that stands in no article and that nobody of the company gave.
    Address,
}

impl Fault {
    pub const ALL: [Self; 13] = [
        Self::NoSource,
        Self::UnknownSource,
        Self::Number,
        Self::Date,
        Self::Name,
        Self::Code,
        Self::Negation,
        Self::Speaker,
        Self::Condition,
        Self::Meaning,
        Self::Dangling,
        Self::Order,
        Self::Address,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoSource => "no_source",
            Self::UnknownSource => "unknown_source",
            Self::Number => "number",
            Self::Date => "date",
            Self::Name => "name",
            Self::Code => "code",
            Self::Negation => "negation",
            Self::Speaker => "speaker",
            Self::Condition => "condition",
            Self::Meaning => "meaning",
            Self::Dangling => "dangling",
            Self::Order => "order",
            Self::Address => "address",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.as_str() == text)
    }
}

/// A sentence that nobody is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct StruckSentence {
    pub text: Redacted,
    pub fault: Fault,
    /// What is wrong, in words for people: `"45 pounds" is in none of its sources`.
    /// Masked, since it may quote the sentence or a source.
    pub why: Redacted,
}

/// A text after the check, in reading order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProvenText {
    pub sentences: Vec<ProvenSentence>,
    pub struck: Vec<StruckSentence>,
}

/// What was struck of a text of which nothing stands, where there is no voice, answer or draft to keep it
/// with.
#[derive(Clone, Debug, PartialEq)]
pub struct StruckText {
    /// What it was to be: `card`, `follow_ups`, by the names that prompts go by.
    pub task: String,
    /// The card that it was for, or the draft that it would have been, by its identifier.
    pub about: String,
    pub authorship: Authorship,
    /// Never empty.
    pub struck: Vec<StruckSentence>,
}

/// Who wrote a text, and from which instructions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorship {
    /// `extractive`, or the provider's name in the settings.
    pub provider: String,
    pub model: Option<String>,
    pub prompt: Option<PromptRef>,
    pub seed: Option<u64>,
}

/// A prompt as it was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromptRef {
    pub id: String,
    pub version: u32,
    /// Of the prompt's file, in hexadecimal.
    pub sha256: String,
}
