use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::{Citation, Turn};

/// What a prompt's front matter says of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The transcript; reaches the template fenced.
    Turns,
    /// Of the knowledge base; fenced.
    Passages,
    /// Anybody's words, such as a question; fenced.
    Untrusted,
    /// From settings and our own code; as it is.
    Text,
    /// A list of [`Choice`]s from settings.
    Choices,
    Flag,
}

impl Kind {
    pub const NAMES: &'static str = "turns, passages, untrusted, text, choices, flag";

    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "turns" => Self::Turns,
            "passages" => Self::Passages,
            "untrusted" => Self::Untrusted,
            "text" => Self::Text,
            "choices" => Self::Choices,
            "flag" => Self::Flag,
            _ => return None,
        })
    }
}

/// An entry of a configured list: a section of a summary, a disposition.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    pub id: String,
    /// What belongs there.
    #[serde(default)]
    pub about: String,
}

impl Choice {
    pub fn new(id: impl Into<String>, about: impl Into<String>) -> Self {
        Self { id: id.into(), about: about.into() }
    }
}

#[derive(Clone)]
pub(super) struct SourceTurn {
    pub id: String,
    pub speaker: String,
    pub text: String,
}

#[derive(Clone)]
pub(super) struct SourcePassage {
    pub id: String,
    pub text: String,
}

impl SourceTurn {
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl SourcePassage {
    pub fn text(&self) -> &str {
        &self.text
    }
}

#[derive(Clone)]
pub(super) enum Input {
    Turns(Vec<SourceTurn>),
    Passages(Vec<SourcePassage>),
    Untrusted(String),
    Text(String),
    Choices(Vec<Choice>),
    Flag(bool),
}

impl Input {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Turns(_) => Kind::Turns,
            Self::Passages(_) => Kind::Passages,
            Self::Untrusted(_) => Kind::Untrusted,
            Self::Text(_) => Kind::Text,
            Self::Choices(_) => Kind::Choices,
            Self::Flag(_) => Kind::Flag,
        }
    }
}

/// What a prompt is rendered with, by the names in its front matter.
#[derive(Clone, Default)]
pub struct Inputs(pub(super) BTreeMap<String, Input>);

impl Inputs {
    pub fn new() -> Self {
        Self::default()
    }

    /// As `turns`: who said what, by turn id.
    #[must_use]
    pub fn turns<'a>(self, turns: impl IntoIterator<Item = &'a Turn>) -> Self {
        let turns = turns.into_iter().map(|turn| SourceTurn {
            id: turn.id.as_str().to_owned(),
            speaker: turn.party.role.as_str().to_owned(),
            text: turn.text.as_str().to_owned(),
        });
        let turns = turns.collect();
        self.with("turns", Input::Turns(turns))
    }

    /// As `passages`, best first: what the quotes say, by passage id.
    #[must_use]
    pub fn passages<'a>(self, passages: impl IntoIterator<Item = &'a Citation>) -> Self {
        let passages = passages.into_iter().map(|passage| SourcePassage {
            id: passage.passage_id.as_str().to_owned(),
            text: passage.quote.clone(),
        });
        let passages = passages.collect();
        self.with("passages", Input::Passages(passages))
    }

    /// Anybody's words. They are fenced.
    #[must_use]
    pub fn untrusted(self, name: &str, text: impl Into<String>) -> Self {
        self.with(name, Input::Untrusted(text.into()))
    }

    /// Our own words or those of an administrator: they are not fenced.
    #[must_use]
    pub fn text(self, name: &str, text: impl Into<String>) -> Self {
        self.with(name, Input::Text(text.into()))
    }

    /// A list that an administrator made.
    #[must_use]
    pub fn choices(self, name: &str, choices: impl Into<Vec<Choice>>) -> Self {
        self.with(name, Input::Choices(choices.into()))
    }

    #[must_use]
    pub fn flag(self, name: &str, is: bool) -> Self {
        self.with(name, Input::Flag(is))
    }

    pub(super) fn with(mut self, name: &str, input: Input) -> Self {
        self.0.insert(name.to_owned(), input);
        self
    }
}

/// Names only: the values are what people said.
impl fmt::Debug for Inputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
