//! Why a rule holds or doesn't, for whoever writes it.

use std::fmt;

use super::phrase::{Part, Phrase};
use super::rule::{AttributeTest, Condition, Happening, Leaf, Standing, Window};
use super::watch::Watch;

/// One condition of a rule and whether it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    pub depth: usize,
    pub holds: bool,
    /// It is something that happened, and not under a `not`.
    pub is_happening: bool,
    pub condition: String,
}

impl fmt::Display for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, part) in self.parts().iter().enumerate() {
            if n > 0 {
                f.write_str(" ")?;
            }
            match part {
                Part::Word(word) => f.write_str(word)?,
                Part::Stem(stem) => write!(f, "{stem}*")?,
                Part::Number => f.write_str("#")?,
                Part::Any => f.write_str("*")?,
            }
        }
        Ok(())
    }
}

impl Watch {
    /// Each condition of a rule as it stands now, from the outside in. What a match rested on is forgotten with it,
    /// so ask a watch that is [`peeking`](Watch::peeking).
    pub fn explain(&self, rule: usize) -> Vec<Explained> {
        let mut lines = Vec::new();
        if let Some(rule) = self.categories.rules.get(rule) {
            self.walk(&rule.when, (0, false), &mut lines);
        }
        lines
    }

    fn walk(
        &self,
        condition: &Condition,
        (depth, is_denied): (usize, bool),
        lines: &mut Vec<Explained>,
    ) {
        let is_happening = !is_denied && matches!(condition, Condition::Happened(_));
        let holds = self.holds(condition, &mut Vec::new());
        let mut line =
            |condition: String| lines.push(Explained { depth, holds, is_happening, condition });
        match condition {
            Condition::All(parts) | Condition::Any(parts) => {
                line(if matches!(condition, Condition::All(_)) { "all" } else { "any" }.into());
                for part in parts {
                    self.walk(part, (depth + 1, is_denied), lines);
                }
            }
            Condition::Not(part) => {
                line("not".into());
                self.walk(part, (depth + 1, true), lines);
            }
            Condition::Happened(leaf) => line(self.leaf(&self.categories.leaves[*leaf])),
            Condition::Is(standing) => line(standing.to_string()),
        }
    }

    fn leaf(&self, leaf: &Leaf) -> String {
        let any_of = |phrases: &[u32]| {
            let quoted =
                phrases.iter().map(|id| format!("\"{}\"", self.categories.scanner.phrase(*id)));
            quoted.collect::<Vec<_>>().join(" or ")
        };
        let what = match &leaf.happening {
            Happening::Said { phrases, except } if except.is_empty() => {
                format!("says {}", any_of(phrases))
            }
            Happening::Said { phrases, except } => {
                format!("says {}, not as {}", any_of(phrases), any_of(except))
            }
            Happening::Near { groups, within_words, in_order, .. } => {
                let groups: Vec<_> = groups.iter().map(|group| any_of(group)).collect();
                let order = if *in_order { " in this order" } else { "" };
                format!("says {} within {within_words} words{order}", groups.join(" near "))
            }
            Happening::Intent { labels, probability } => {
                format!("wants {} (from {probability})", labels.join(" or "))
            }
            Happening::Silence { ms } => format!("breaks a silence of {ms} ms"),
            Happening::Overlap { ms } => format!("speaks for {ms} ms while somebody else does"),
            Happening::Long { ms } => format!("speaks for {ms} ms in one turn"),
        };
        let times = if leaf.times > 1 { format!(", {} times", leaf.times) } else { String::new() };
        format!("{} {what}{times}{}", leaf.who.as_str(), leaf.window)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(ms) = self.first_ms {
            write!(f, ", in the first {} s", ms / 1_000)?;
        }
        if let Some(ms) = self.last_ms {
            write!(f, ", in the last {} s", ms / 1_000)?;
        }
        match self.last_turns {
            Some(1) => f.write_str(", in the last turn"),
            Some(turns) => write!(f, ", in the last {turns} turns"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SentimentAtMost(score) => write!(f, "the sentiment is at most {score}"),
            Self::SentimentAtLeast(score) => write!(f, "the sentiment is at least {score}"),
            Self::SentimentTrend(trend) => write!(f, "the sentiment is {}", trend.as_str()),
            Self::Turns { who, at_least } => write!(f, "{at_least} turns of {}", who.as_str()),
            Self::Duration { ms } => write!(f, "it has lasted {} s", ms / 1_000),
            Self::Ended => f.write_str("it has ended"),
            Self::Attribute { name, test } => match test {
                AttributeTest::IsSet => write!(f, "{name} is set"),
                AttributeTest::IsOneOf(names) => write!(f, "{name} is {}", names.join(" or ")),
                AttributeTest::AtLeast(limit) => write!(f, "{name} is at least {limit}"),
                AttributeTest::AtMost(limit) => write!(f, "{name} is at most {limit}"),
            },
        }
    }
}
