//! A conversation in, drafts out: summary, hand-over, e-mail, follow-ups, disposition, article.
//!
//! Without a language model. Each sentence stands word for word in a turn, or is a form of the
//! program's with somebody's words set into it, and cites them. So nothing can be invented, and
//! nothing is said well that wasn't said well. Like every stage this one knows no clock: the
//! conversation's beginning is passed in.

mod article;
mod case;
pub mod compare;
mod cues;
mod disposition;
mod drafts;
mod due;
mod email;
mod followups;
mod gap;
mod propose;
mod sentences;
mod summary;
#[cfg(test)]
mod tests;

use jiff::Zoned;

use crate::domain::{
    Authorship, Citation, Classify, ErrorKind, Party, ProvenSentence, Redacted, Role, Turn, Wording,
};
use crate::models::Material;

pub use case::{CaseConversation, case_summary};
pub use disposition::{DispositionMeaning, DispositionRule};
pub use drafts::{Draft, WrapUpSettings};
pub use email::EmailOrder;
pub use followups::{due_in, follow_ups};
pub use gap::{GapAnswer, GapAsked, GapDraft, gap_draft};
pub use propose::Proposal;
pub use summary::{Finder, SectionRule, default_sections};

use sentences::Sentence;

/// The name under which texts without a model are signed.
pub const EXTRACTIVE: &str = "extractive";

/// Fewer words than this, courtesies not counted, are not enough to write about.
const WORDS_MIN: usize = 6;

/// Why nothing is written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("nothing was said in this conversation")]
    Empty,
    #[error(
        "too little was said to write about: {words} words besides courtesies, and {needed} are needed"
    )]
    TooLittle { words: usize, needed: usize },
    #[error("no question was answered in this conversation that an article could answer")]
    NothingNew,
    #[error("this conversation holds nothing for an e-mail of the purpose {purpose}")]
    NothingFor { purpose: &'static str },
    #[error("nothing is left of the question but what is masked, so there is nothing to write")]
    NothingAsked,
    #[error("no list of dispositions is set")]
    NoDispositions,
}

impl Classify for Refusal {
    fn kind(&self) -> ErrorKind {
        match self {
            // More may be said.
            Self::Empty
            | Self::TooLittle { .. }
            | Self::NothingNew
            | Self::NothingFor { .. }
            | Self::NothingAsked => ErrorKind::Conflict,
            Self::NoDispositions => ErrorKind::Invalid,
        }
    }
}

/// What stands around a conversation.
#[derive(Clone, Debug)]
pub struct Circumstances {
    /// When it began, in the time zone in which its dates are meant.
    pub began: Zoned,
    pub parties: Vec<Party>,
    /// Passages that were shown and whose words may not be changed. They are no [`Material`], since that
    /// is given to models.
    pub word_for_word: Vec<Citation>,
}

impl Circumstances {
    pub fn new(began: Zoned, parties: Vec<Party>) -> Self {
        Self { began, parties, word_for_word: Vec::new() }
    }
}

/// A conversation that was read once, for all that is written about it.
pub struct Reading<'a> {
    material: &'a Material,
    circumstances: &'a Circumstances,
    sentences: Vec<Sentence<'a>>,
    language: Language,
    meaning: Option<&'a DispositionMeaning>,
}

/// The languages in which the program's own words stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    English,
    German,
    French,
    Spanish,
}

impl Language {
    pub const ALL: [Self; 4] = [Self::English, Self::German, Self::French, Self::Spanish];

    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::French => "fr",
            Self::Spanish => "es",
        }
    }

    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }

    /// What the customer speaks most; English when the program has no words of that language.
    fn of_customer(turns: &[Turn]) -> Self {
        let mut said = [0_usize; Self::ALL.len()];
        let mut others = 0;
        for turn in turns.iter().filter(|turn| is_customer(turn.party.role)) {
            let chars = turn.text.as_str().len();
            match Self::ALL.iter().position(|language| language.code() == turn.language) {
                Some(at) => said[at] += chars,
                None => others += chars,
            }
        }
        let most = (0..said.len()).max_by_key(|&at| (said[at], std::cmp::Reverse(at)));
        most.filter(|&at| said[at] >= others).map_or(Self::English, |at| Self::ALL[at])
    }
}

const fn is_customer(role: Role) -> bool {
    matches!(role, Role::Customer | Role::Mixed)
}

impl<'a> Reading<'a> {
    /// Reads the turns. They cite by the text that they have here.
    ///
    /// # Errors
    /// Nothing was said, or next to nothing.
    pub fn of(material: &'a Material, circumstances: &'a Circumstances) -> Result<Self, Refusal> {
        Self::read(material, circumstances, sentences::sentences(&material.turns))
    }

    /// The same for who trusts everybody: also what is addressed to a machine is quoted. For measuring
    /// what leaving it out is worth, and for nothing else.
    ///
    /// # Errors
    /// Those of [`Reading::of`].
    pub fn trusting(
        material: &'a Material,
        circumstances: &'a Circumstances,
    ) -> Result<Self, Refusal> {
        Self::read(material, circumstances, sentences::all_sentences(&material.turns))
    }

    fn read(
        material: &'a Material,
        circumstances: &'a Circumstances,
        sentences: Vec<Sentence<'a>>,
    ) -> Result<Self, Refusal> {
        if sentences.is_empty() {
            return Err(Refusal::Empty);
        }
        let saying = sentences.iter().filter(|one| !one.is_idle());
        let words = saying.map(|one| one.word_count).sum();
        if words < WORDS_MIN {
            return Err(Refusal::TooLittle { words, needed: WORDS_MIN });
        }
        let language = Language::of_customer(&material.turns);
        Ok(Self { material, circumstances, sentences, language, meaning: None })
    }

    /// With vectors of what was said, for the disposition.
    pub fn with_meaning(mut self, meaning: &'a DispositionMeaning) -> Self {
        self.meaning = Some(meaning);
        self
    }

    pub fn language(&self) -> Language {
        self.language
    }

    /// What the cards have shown, also what no model is shown.
    fn passages(&self) -> impl Iterator<Item = &'a Citation> {
        self.material.passages.iter().chain(&self.circumstances.word_for_word)
    }

    /// What is said, without courtesies, in order.
    fn saying(&self) -> impl DoubleEndedIterator<Item = (usize, &Sentence<'a>)> {
        self.sentences.iter().enumerate().filter(|(_, one)| !one.is_idle())
    }
}

/// Who wrote what this stage writes.
pub fn authorship() -> Authorship {
    Authorship { provider: EXTRACTIVE.to_owned(), model: None, prompt: None, seed: None }
}

/// A paragraph as one text, with the name of the role before what somebody else says.
pub fn paragraph_text(sentences: &[ProvenSentence], language: Language) -> Redacted {
    use crate::domain::Proof;
    let mut parts = Vec::new();
    let mut speaking = None;
    for sentence in sentences {
        let role = sentence.proofs.iter().find_map(|proof| match proof {
            Proof::Turn(citation) => Some(citation.role),
            Proof::Passage(_) => None,
        });
        if !parts.is_empty() {
            parts.push(Wording::Fixed(" "));
        }
        if role.is_some() && role != speaking {
            parts.push(Wording::Fixed(role.map_or("", |role| role_label(role, language))));
            speaking = role;
        }
        parts.push(Wording::Of(&sentence.text));
        let ends = sentence.text.as_str().ends_with(['.', '!', '?', '…', '"', '”', ')']);
        if !ends {
            parts.push(Wording::Fixed("."));
        }
    }
    Redacted::assembled(&parts)
}

const fn role_label(role: Role, language: Language) -> &'static str {
    match (role, language) {
        (Role::Customer, Language::English) => "Customer: ",
        (Role::Customer, Language::German) => "Kunde: ",
        (Role::Customer, Language::French) => "Client : ",
        (Role::Customer, Language::Spanish) => "Cliente: ",
        (Role::Agent, Language::English) => "Agent: ",
        (Role::Agent, Language::German) => "Mitarbeiter: ",
        (Role::Agent, Language::French) => "Conseiller : ",
        (Role::Agent, Language::Spanish) => "Agente: ",
        (Role::Supervisor, _) => "Supervisor: ",
        (Role::Bot, _) => "Bot: ",
        (Role::Expert, _) => "Expert: ",
        (Role::Mixed, _) => "",
    }
}
