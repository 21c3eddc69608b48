//! Rules tried on conversations that are written down: tests of rule files, and `categories try`.

use std::sync::Arc;

use super::compiled::Categories;
use super::node::Position;
use super::watch::{Matched, Watch};
use crate::domain::{Intent, IntentSeen, Party, Role, Turn};
use crate::insight::redaction;
use crate::insight::sentiment::Mood;

/// One turn of a written conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub role: Role,
    pub text: String,
    /// When it begins; a second after the turn before, where nothing is written.
    pub at_ms: Option<u64>,
    /// How long it takes; as long as it takes to say it, where nothing is written.
    pub lasts_ms: Option<u64>,
    /// The likeliest intent and its probability.
    pub intent: Option<(String, f32)>,
}

const PAUSE_MS: u64 = 1_000;
const WORD_MS: u64 = 400;

impl Line {
    /// Reads `customer: I want to leave`.
    pub fn parse(text: &str) -> Option<Self> {
        let (role, text) = text.split_once(':')?;
        let role = Role::parse(role.trim())?;
        let text = text.trim().to_owned();
        Some(Self { role, text, at_ms: None, lasts_ms: None, intent: None })
    }
}

/// A conversation, and which rules should match it.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    pub file: String,
    pub at: Position,
    /// `test[3]`
    pub path: String,
    pub name: String,
    pub lines: Vec<Line>,
    pub attributes: Vec<(String, String)>,
    /// The conversation ends after its last turn.
    pub ended: bool,
    /// Rules, with where each was written.
    pub expect: Vec<(String, Position, String)>,
    pub never: Vec<(String, Position, String)>,
}

/// A test that found something else than it expects.
#[derive(Clone, Debug, PartialEq)]
pub struct Failed {
    /// Should have matched.
    pub missing: Vec<String>,
    /// Should not.
    pub unwanted: Vec<String>,
}

/// Turns of a written conversation, with times. Nobody speaks over the next one but where its length says so.
pub fn turns(lines: &[Line]) -> Vec<Turn> {
    let mut now_ms = 0;
    let turn = |(n, line): (usize, &Line)| {
        let start_ms = line.at_ms.unwrap_or(if n == 0 { 0 } else { now_ms + PAUSE_MS });
        let words = line.text.split_whitespace().count() as u64;
        let next = lines.get(n + 1).and_then(|next| next.at_ms).filter(|next| *next >= start_ms);
        let likely_ms = start_ms.saturating_add(words * WORD_MS);
        let likely_ms = next.map_or(likely_ms, |next| likely_ms.min(next));
        let end_ms = line.lasts_ms.map_or(likely_ms, |lasts_ms| start_ms.saturating_add(lasts_ms));
        now_ms = now_ms.max(end_ms);
        Turn {
            id: format!("t-{}", n + 1).into(),
            party: Party { id: line.role.as_str().into(), role: line.role, name: None },
            start_ms,
            end_ms,
            text: redaction::typed(&line.text),
            display_text: None,
            words: Vec::new(),
            mean_logprob: None,
            language: "en".into(),
        }
    };
    lines.iter().enumerate().map(turn).collect()
}

/// Plays a written conversation to a watch, and gives back what matched.
pub fn play(watch: &mut Watch, lines: &[Line], ended: bool) -> Vec<Matched> {
    let (mut mood, mut matched) = (Mood::default(), Vec::new());
    for (turn, line) in turns(lines).iter().zip(lines) {
        let sentiment = mood.take(turn);
        let intent = line.intent.as_ref().map(|(label, probability)| {
            let (label, probability) = (label.clone(), *probability);
            IntentSeen { ranked: vec![Intent { label, probability }], abstained: false }
        });
        matched.extend(watch.take(turn, sentiment.as_ref(), intent.as_ref()));
    }
    if ended {
        matched.extend(watch.ended(0));
    }
    matched
}

impl Trial {
    /// # Errors
    /// What it found instead.
    pub fn run(&self, categories: &Arc<Categories>) -> Result<(), Failed> {
        let attributes = self.attributes.iter().cloned().collect();
        let mut watch = Watch::new(categories, &attributes);
        let matched = play(&mut watch, &self.lines, self.ended);
        let has = |id: &String| matched.iter().any(|one| one.category.category == *id);
        let names = |all: &[(String, Position, String)], wanted: bool| {
            all.iter().map(|(id, ..)| id).filter(|id| has(id) == wanted).cloned().collect()
        };
        let missing: Vec<String> = names(&self.expect, false);
        let unwanted: Vec<String> = names(&self.never, true);
        if missing.is_empty() && unwanted.is_empty() {
            return Ok(());
        }
        Err(Failed { missing, unwanted })
    }
}
