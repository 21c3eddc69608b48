//! Rules as they are evaluated.

use crate::domain::{Role, SentimentTrend, Severity};

use super::scan::PhraseId;

/// Whose words or deeds count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    Anyone,
    One(Role),
}

impl Who {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "anyone" => Some(Self::Anyone),
            _ => Role::parse(text).filter(|role| *role != Role::Mixed).map(Self::One),
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anyone => "anyone",
            Self::One(role) => role.as_str(),
        }
    }

    /// A channel that several people share may have been anybody.
    pub fn is(self, role: Role) -> bool {
        self == Self::Anyone || role == Role::Mixed || self == Self::One(role)
    }
}

/// When something has to have happened to count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// It begins in the conversation's first milliseconds.
    pub first_ms: Option<u64>,
    /// It begins no longer ago than this.
    pub last_ms: Option<u64>,
    /// It is in one of so many last turns.
    pub last_turns: Option<u32>,
}

impl Window {
    /// What counts now may not count later.
    pub const fn expires(&self) -> bool {
        self.last_ms.is_some() || self.last_turns.is_some()
    }
}

/// Something that happens in a turn and is remembered.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    /// One of these phrases is said, and not as a part of one of `except`.
    Said { phrases: Vec<PhraseId>, except: Vec<PhraseId> },
    /// One phrase of each group is said, with at most so many words between two neighbours.
    Near { groups: Vec<Vec<PhraseId>>, within_words: usize, in_order: bool, except: Vec<PhraseId> },
    /// The turn's likeliest intent is one of these.
    Intent { labels: Vec<String>, probability: f32 },
    /// Nobody spoke for so long before the turn.
    Silence { ms: u64 },
    /// The turn began while somebody else spoke, and both went on for so long.
    Overlap { ms: u64 },
    /// The turn is so long.
    Long { ms: u64 },
}

/// A happening as a rule counts it.
#[derive(Clone, Debug, PartialEq)]
pub struct Leaf {
    pub rule: usize,
    pub happening: Happening,
    pub who: Who,
    pub window: Window,
    /// So often.
    pub times: usize,
}

/// Something that is so at a moment.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    SentimentAtMost(f32),
    SentimentAtLeast(f32),
    SentimentTrend(SentimentTrend),
    /// There have been so many turns.
    Turns {
        who: Who,
        at_least: u32,
    },
    /// The conversation has lasted so long.
    Duration {
        ms: u64,
    },
    /// The conversation is over.
    Ended,
    Attribute {
        name: String,
        test: AttributeTest,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub enum AttributeTest {
    IsSet,
    /// In lower case.
    IsOneOf(Vec<String>),
    AtLeast(f64),
    AtMost(f64),
}

/// What a rule wants.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    /// By its number among all leaves.
    Happened(usize),
    Is(Standing),
}

impl Condition {
    /// Calls `visit` with each innermost condition and whether it stands under a `not`.
    pub fn visit(&self, is_denied: bool, visit: &mut impl FnMut(&Condition, bool)) {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                for part in parts {
                    part.visit(is_denied, visit);
                }
            }
            Self::Not(part) => part.visit(true, visit),
            Self::Happened(_) | Self::Is(_) => visit(self, is_denied),
        }
    }
}

/// Whom a match is told.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertRule {
    pub severity: Severity,
    pub title: String,
    pub message: Option<String>,
    pub to: Vec<Role>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub id: String,
    pub title: String,
    pub when: Condition,
    /// It matches again when it holds after so many milliseconds; `None`: once a conversation.
    pub repeat_after_ms: Option<u64>,
    pub alert: Option<AlertRule>,
}
