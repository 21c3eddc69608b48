//! What is written when a conversation ends or is handed over. Drafts, all of it: people decide.

use jiff::civil;

use super::{
    ArticleId, Authorship, Citation, ConversationId, Party, Proof, ProvenSentence, Redacted, Role,
    StruckSentence, WrapUpId,
};

/// Why a wrap-up was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Occasion {
    /// The conversation is over.
    End,
    /// Somebody else takes it on.
    HandOver,
    /// Somebody asked for it.
    Demand,
}

impl Occasion {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::End => "end",
            Self::HandOver => "hand_over",
            Self::Demand => "demand",
        }
    }
}

/// One thing that was written, with everything that is needed to judge it.
#[derive(Clone, Debug, PartialEq)]
pub struct WrapUp {
    pub id: WrapUpId,
    pub occasion: Occasion,
    pub authorship: Authorship,
    /// ISO 639-1, of the fixed words in it.
    pub language: String,
    pub body: WrapUpBody,
    /// What the check took out.
    pub struck: Vec<StruckSentence>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum WrapUpBody {
    Summary(Summary),
    Email(EmailDraft),
    Article(ArticleProposal),
    FollowUp(FollowUp),
    Disposition(DispositionProposal),
}

impl WrapUp {
    /// The passages that it quotes or names.
    pub fn citations(&self) -> Vec<&Citation> {
        let mut named = Vec::new();
        let proofs: Vec<&Proof> = match &self.body {
            WrapUpBody::Summary(summary) => {
                named.extend(&summary.articles);
                let sections = summary.sections.iter().flat_map(|section| &section.sentences);
                sections.chain(&summary.paragraph).flat_map(|one| &one.proofs).collect()
            }
            WrapUpBody::Email(email) => {
                let parts = email.parts.iter().flat_map(|part| &part.proofs);
                email.subject_proofs.iter().chain(parts).collect()
            }
            WrapUpBody::Article(article) => {
                let answer = article.answer.iter().flat_map(|one| &one.proofs);
                article.question.proofs.iter().chain(answer).collect()
            }
            WrapUpBody::FollowUp(follow_up) => follow_up.sentence.proofs.iter().collect(),
            WrapUpBody::Disposition(proposal) => {
                proposal.choices.iter().flat_map(|choice| &choice.proofs).collect()
            }
        };
        named.extend(proofs.into_iter().filter_map(Proof::passage));
        named
    }
}

/// A summary by sections, and the same conversation in a few sentences.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// In the order of the settings; a section with nothing found is absent.
    pub sections: Vec<SummarySection>,
    pub paragraph: Vec<ProvenSentence>,
    /// Who took part; with a hand-over only.
    pub parties: Vec<Party>,
    /// Where the cards came from that were shown; with a hand-over only.
    pub articles: Vec<Citation>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SummarySection {
    /// A stable word for programs: `issue`, `error_codes`, or one of the tenant's own.
    pub key: String,
    pub sentences: Vec<ProvenSentence>,
}

/// One conversation of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseEntry {
    pub conversation: ConversationId,
    pub date: civil::Date,
    pub sentences: Vec<ProvenSentence>,
}

/// Several conversations about one thing, oldest first, and what was promised in them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CaseSummary {
    pub entries: Vec<CaseEntry>,
    pub promises: Vec<(ConversationId, ProvenSentence)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmailPurpose {
    /// What was said and what happens next.
    FollowUp,
    /// The matter is settled.
    Resolution,
    /// What the articles say about it.
    Information,
    Apology,
    Appointment,
    /// As the agent puts it, in a few words.
    Custom(Redacted),
}

impl EmailPurpose {
    pub const NAMED: [Self; 5] =
        [Self::FollowUp, Self::Resolution, Self::Information, Self::Apology, Self::Appointment];

    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::FollowUp => "follow_up",
            Self::Resolution => "resolution",
            Self::Information => "information",
            Self::Apology => "apology",
            Self::Appointment => "appointment",
            Self::Custom(_) => "custom",
        }
    }

    /// One of the five; `custom` needs its words.
    pub fn parse(text: &str) -> Option<Self> {
        Self::NAMED.into_iter().find(|purpose| purpose.as_str() == text)
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$about])* $variant),+
        }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }

            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == text)
            }
        }
    };
}

words!(EmailLength { Short = "short", Medium = "medium", Long = "long" });
words!(EmailTone { Friendly = "friendly", Professional = "professional", Formal = "formal" });
words!(
    /// What a part of an e-mail is, and so what it has to prove.
    EmailPartKind {
        /// Says hello; claims nothing.
        Greeting = "greeting",
        /// The program's own words; claims nothing.
        Template = "template",
        /// Somebody's words, alone or set into the program's; proven.
        Claim = "claim",
        /// Says goodbye; claims nothing.
        Signature = "signature",
    }
);
words!(FollowUpKind { Task = "task", Callback = "callback", Meeting = "meeting" });
words!(
    /// What the agent did with a draft.
    ReviewVerdict { Accepted = "accepted", Edited = "edited", Discarded = "discarded" }
);

words!(
    /// In what two sentences exclude each other.
    ConflictKind {
        /// A count, a speed, a percentage.
        Number = "number",
        /// Money.
        Amount = "amount",
        /// How long.
        Duration = "duration",
        /// A time of day.
        Time = "time",
        /// A day or a weekday.
        Date = "date",
        /// One denies what the other says.
        Negation = "negation",
    }
);

words!(
    /// What became of what an article could say, once it was compared with those in force.
    ProposalOutcome {
        /// An article says it already: nothing was written.
        Covered = "covered",
        /// An article says a part of it: the rest was proposed as a change to that one.
        Changed = "changed",
        /// A new article was drafted.
        Drafted = "drafted",
    }
);

/// An article's proposal beside the articles in force.
#[derive(Clone, Debug, PartialEq)]
pub struct ProposalCompared {
    pub wrapup_id: WrapUpId,
    pub outcome: ProposalOutcome,
    /// The one that says it, that was changed, or that was drafted.
    pub article: ArticleId,
    /// Of that article: the one in force that says it, or the one that was written.
    pub revision: u32,
    /// How likely the nearest article says it all, 0 to 1.
    pub coverage: f32,
    /// Published sentences that it contradicts.
    pub conflicts: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct EmailPart {
    pub kind: EmailPartKind,
    /// Parts with the same number stand in one paragraph.
    pub paragraph: usize,
    pub text: Redacted,
    /// Empty for what claims nothing.
    pub proofs: Vec<Proof>,
    pub support: f32,
}

/// An e-mail to the customer. Never sent by the program.
#[derive(Clone, Debug, PartialEq)]
pub struct EmailDraft {
    pub purpose: EmailPurpose,
    pub length: EmailLength,
    pub tone: EmailTone,
    pub subject: Redacted,
    /// Of a subject that says something of the conversation.
    pub subject_proofs: Vec<Proof>,
    /// In reading order.
    pub parts: Vec<EmailPart>,
}

/// When something is due, as far as the words are certain.
#[derive(Clone, Debug, PartialEq)]
pub struct Due {
    /// The words that say so, as they stand in a turn.
    pub phrase: Redacted,
    /// `None` when the words may mean more than one day.
    pub date: Option<civil::Date>,
    /// `None` when no time was said, or more than one may be meant.
    pub time: Option<civil::Time>,
    /// The end of a window that begins at `time`: "between two and four".
    pub until: Option<civil::Time>,
    /// By then at the latest, and not at that moment.
    pub is_limit: bool,
    /// Such as `Europe/London`.
    pub time_zone: String,
}

/// Something that somebody said will be done after the conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct FollowUp {
    pub kind: FollowUpKind,
    /// Who said that they will.
    pub promised_by: Role,
    pub sentence: ProvenSentence,
    pub due: Option<Due>,
}

/// One disposition of a tenant's list, with how likely it fits.
#[derive(Clone, Debug, PartialEq)]
pub struct DispositionChoice {
    pub code: String,
    pub label: String,
    /// 0 to 1; over the whole list and "none of them" they add up to 1.
    pub probability: f32,
    /// What speaks for it.
    pub proofs: Vec<Proof>,
}

/// The likeliest dispositions; empty when none fits.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DispositionProposal {
    pub choices: Vec<DispositionChoice>,
    /// The probability that nothing of the list fits.
    pub none: f32,
}

/// What an article could say that no article says yet.
#[derive(Clone, Debug, PartialEq)]
pub struct ArticleProposal {
    pub question: ProvenSentence,
    pub answer: Vec<ProvenSentence>,
}

/// What the agent did with a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrapUpVerdict {
    pub wrapup_id: WrapUpId,
    pub verdict: ReviewVerdict,
    /// What the text became, or which disposition was chosen.
    pub edited_text: Option<Redacted>,
    /// The sequence of the draft that was looked at, where the client said so.
    pub seen: Option<u64>,
}
