use super::{
    ArticleId, Authorship, CardId, PassageId, ProvenSentence, QuestionId, Redacted, StruckSentence,
    TurnId,
};

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
    /// A provider of the settings; who exactly says the [`Authorship`] beside it.
    Provider,
}

impl Generator {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Extractive => "extractive",
            Self::Provider => "provider",
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
    /// It must be said word for word.
    pub is_verbatim: bool,
}

/// What a model wrote, as far as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Spoken {
    /// Never empty.
    pub sentences: Vec<ProvenSentence>,
    pub struck: Vec<StruckSentence>,
    pub authorship: Authorship,
}

impl Spoken {
    /// The sentences in one piece.
    pub fn text(&self) -> String {
        self.sentences.iter().map(|one| one.text.as_str()).collect::<Vec<_>>().join(" ")
    }
}

/// How a card's answer can be said. It comes after its card, if at all.
#[derive(Clone, Debug, PartialEq)]
pub struct CardVoice {
    pub card_id: CardId,
    pub spoken: Spoken,
    /// From the card to its voice.
    pub latency_ms: u64,
}

/// A question that the agent may want to ask now, and the passage that it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuggestedQuestion {
    pub question: String,
    pub article_id: ArticleId,
    pub passage_id: PassageId,
}

/// What was asked in a turn, in the words that were searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnQuestion {
    /// Whose turn it is: with a card for the agent's reply, the turn that is replied to.
    pub turn: TurnId,
    pub text: Redacted,
    /// The question with what was said before, where it says too little by itself.
    pub context: Option<Redacted>,
}

/// A customer's question that got no card, neither at once nor at the agent's reply.
#[derive(Clone, Debug, PartialEq)]
pub struct Abstained {
    pub question: TurnQuestion,
    /// What came nearest; `None`: nothing was found.
    pub nearest: Option<NearestPassage>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct NearestPassage {
    pub article_id: ArticleId,
    pub title: String,
    pub heading: String,
    /// Calibrated probability that it answers, 0 to 1.
    pub score: f32,
}

/// One suggestion on an agent's screen.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    pub id: CardId,
    pub kind: CardKind,
    pub answer: Answer,
    pub trigger_turn: TurnId,
    /// Of cards from before it was kept: `None`.
    pub question: Option<TurnQuestion>,
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

/// Why a question has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unanswered {
    /// No passage is near enough.
    NothingFound,
    /// Something was written, and its sources bear none of it out.
    NothingProven,
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// Quoted.
    Answer(Answer),
    /// Written by a model and proven; `Answer` has its words in one piece and where they are from.
    Written(Box<Answer>, Box<Spoken>),
    /// What must be known first.
    AskBack {
        question: String,
        authorship: Option<Authorship>,
    },
    None {
        why: Unanswered,
    },
    /// Whoever asked stopped waiting, or it failed.
    Abandoned,
}

/// The answer to a question that the agent asked, or the honest absence of one.
#[derive(Clone, Debug, PartialEq)]
pub struct QuestionAnswer {
    pub question_id: QuestionId,
    pub question: Redacted,
    pub reply: Reply,
    /// What a model had written when nothing of it stood; what it wrote besides a reply that is
    /// `Written` is kept there.
    pub struck: Vec<StruckSentence>,
    /// Article id, title and heading of the nearest passages when nothing answers; what may be
    /// meant when it is asked back.
    pub nearest: Vec<(ArticleId, String, String)>,
    pub latency_ms: u64,
}
