//! Which cards written calls get: the suggestion stage over reference turns, without audio.
//!
//! It judges as [`super::live`] does, so a change to trigger, query or ranking can be judged on many
//! calls within a minute.

use std::path::{Path, PathBuf};

use super::live::{Reference, ReferenceQuestion, ReferenceTurn, names_any};
use crate::domain::{
    Abstained, Answer, Classify, ErrorKind, Party, PartyId, Redacted, Role, Turn, TurnId,
};
use crate::flow::suggestion::{Abstention, Decision, Suggester, SuggestionSettings};
use crate::insight::redaction;
use crate::knowledge::{KnowledgeError, Library};

/// Numbers over a folder of calls.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct CardReport {
    pub calls: usize,
    pub minutes: f64,
    pub cards: usize,
    /// Questions that got a right card for their turn or the next.
    pub questions_answered: usize,
    pub questions: usize,
    /// Cards on turns that want none.
    pub small_talk_cards: usize,
    /// Questions without a right card that were told as unanswered.
    pub questions_missed: usize,
    /// Turns that want nothing and were told as unanswered.
    pub small_talk_missed: usize,
}

/// What one turn got.
#[derive(Debug)]
pub struct TurnResult<'a> {
    pub index: usize,
    pub turn: &'a ReferenceTurn,
    pub card: Option<Answer>,
    /// Why there is no card, where something was searched for.
    pub abstained: Option<Abstention>,
    /// The turn asks a question, and whether that was answered.
    pub answered: Option<bool>,
    pub wants_none: bool,
    /// It was told as unanswered: in which words.
    pub missed: Option<Redacted>,
}

/// Why a folder of calls can't be used.
#[derive(Debug, thiserror::Error)]
pub enum CardsError {
    #[error("{}: {reason}", file.display())]
    Unreadable { file: PathBuf, reason: String },
    #[error("{}: there are no calls (*.json) in it", .0.display())]
    Empty(PathBuf),
    #[error(transparent)]
    Search(#[from] KnowledgeError),
}

impl Classify for CardsError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unreadable { .. } | Self::Empty(_) => ErrorKind::Invalid,
            Self::Search(error) => error.kind(),
        }
    }
}

/// Reads all `*.json` of a folder, in the form of `tests/calls`, and all `*.call`, in that of
/// `tests/scenarios`, sorted by name.
///
/// # Errors
/// Names the file that can't be read.
pub fn calls_of(folder: &Path) -> Result<Vec<(String, Reference)>, CardsError> {
    let unreadable = |file: &Path, reason: &dyn std::fmt::Display| CardsError::Unreadable {
        file: file.to_owned(),
        reason: reason.to_string(),
    };
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension().is_some_and(|found| found == "json" || found == "call"));
    files.sort();
    if files.is_empty() {
        return Err(CardsError::Empty(folder.to_owned()));
    }
    let read = |file: PathBuf| {
        let text = std::fs::read_to_string(&file).map_err(|error| unreadable(&file, &error))?;
        let call = if file.extension().is_some_and(|found| found == "call") {
            scenario(&text).map_err(|line| unreadable(&file, &format!("line {line} is no turn")))?
        } else {
            serde_json::from_str(&text).map_err(|error| unreadable(&file, &error))?
        };
        Ok((file.file_stem().unwrap_or_default().to_string_lossy().into_owned(), call))
    };
    files.into_iter().map(read).collect()
}

/// A call as lines: `00:05.8 customer: words`, `expect card: a | b`, `expect nothing`, `# comment`.
///
/// # Errors
/// The number of a line that is none of these.
pub fn scenario(text: &str) -> Result<Reference, usize> {
    let mut call = Reference::default();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let last = call.turns.len().checked_sub(1);
        let parsed = match (line.strip_prefix("expect "), last) {
            (Some("nothing"), Some(turn)) => {
                call.small_talk_turns.push(turn);
                Some(())
            }
            (Some(wanted), Some(turn)) => wanted.strip_prefix("card:").map(|any| {
                let any_of = any.split('|').map(|words| words.trim().to_lowercase()).collect();
                call.questions.push(ReferenceQuestion { turn, any_of });
            }),
            (Some(_), None) => None,
            (None, _) => spoken(line).map(|turn| call.turns.push(turn)),
        };
        parsed.ok_or(at + 1)?;
    }
    Ok(call)
}

fn spoken(line: &str) -> Option<ReferenceTurn> {
    let (head, text) = line.split_once(": ")?;
    let (time, speaker) = head.split_once(' ')?;
    let (minutes, seconds) = time.split_once(':')?;
    let seconds = minutes.parse::<f64>().ok()? * 60.0 + seconds.parse::<f64>().ok()?;
    let at_ms = (seconds * 1_000.0) as u64;
    Role::parse(speaker)?;
    Some(ReferenceTurn {
        speaker: speaker.to_owned(),
        start_ms: at_ms,
        end_ms: at_ms,
        text: text.to_owned(),
        ..ReferenceTurn::default()
    })
}

fn turn_id(index: usize) -> TurnId {
    TurnId::from(format!("t-{index}"))
}

/// The turn as the product would see it.
pub(super) fn turn_of(index: usize, spoken: &ReferenceTurn) -> Turn {
    let role = Role::parse(&spoken.speaker).unwrap_or(Role::Mixed);
    let text = spoken.text_without_secrets.as_ref().unwrap_or(&spoken.text);
    Turn {
        id: turn_id(index),
        party: Party { id: PartyId::from(spoken.speaker.as_str()), role, name: None },
        start_ms: spoken.start_ms,
        end_ms: spoken.end_ms,
        text: redaction::typed(text),
        words: Vec::new(),
        mean_logprob: None,
        display_text: None,
        language: "en".to_owned(),
    }
}

/// Plays one call's reference turns through the suggestion stage.
///
/// # Errors
/// The search failed, or a turn's speaker is unknown.
pub fn play<'a>(
    call: &'a Reference,
    library: &Library,
    settings: &SuggestionSettings,
) -> Result<Vec<TurnResult<'a>>, CardsError> {
    let mut suggester = Suggester::new(settings);
    let mut results: Vec<TurnResult> = Vec::new();
    for (index, spoken) in call.turns.iter().enumerate() {
        let turn = turn_of(index, spoken);
        let (mut card, mut abstained) = (None, None);
        let query = suggester.consider(&turn);
        note_missed(&mut results, suggester.take_unanswered());
        if let Some(query) = query {
            match suggester.decide(&query, &library.search(&query.request)?, spoken.end_ms) {
                Decision::Offer(answer) => card = Some(*answer),
                Decision::Abstain(why) => abstained = Some(why),
            }
        }
        let wants_none = call.small_talk_turns.contains(&index);
        results.push(TurnResult {
            index,
            turn: spoken,
            card,
            abstained,
            answered: None,
            wants_none,
            missed: None,
        });
    }
    suggester.close_question();
    note_missed(&mut results, suggester.take_unanswered());
    for question in &call.questions {
        let near = results.iter().skip(question.turn).take(2);
        let answered = near.filter_map(|result| result.card.as_ref()).any(|card| {
            let quotes: Vec<&str> = card.citations.iter().map(|c| c.quote.as_str()).collect();
            let quotes = quotes.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
            names_any(&format!("{} {}", card.title, card.text), &question.any_of)
                && names_any(&quotes, &question.any_of)
        });
        if let Some(result) = results.get_mut(question.turn) {
            result.answered = Some(answered);
        }
    }
    Ok(results)
}

fn note_missed(results: &mut [TurnResult<'_>], abstained: Option<Abstained>) {
    let Some(Abstained { question, .. }) = abstained else { return };
    let asked = results.iter_mut().find(|result| turn_id(result.index) == question.turn);
    if let Some(result) = asked {
        result.missed = Some(question.text);
    }
}

impl CardReport {
    pub fn add(&mut self, results: &[TurnResult<'_>]) {
        self.calls += 1;
        self.minutes += results.last().map_or(0.0, |last| last.turn.end_ms as f64 / 60_000.0);
        self.cards += results.iter().filter(|result| result.card.is_some()).count();
        let answered: Vec<bool> = results.iter().filter_map(|result| result.answered).collect();
        self.questions += answered.len();
        self.questions_answered += answered.iter().filter(|answered| **answered).count();
        self.small_talk_cards +=
            results.iter().filter(|result| result.wants_none && result.card.is_some()).count();
        let missed = results.iter().filter(|result| result.missed.is_some());
        self.questions_missed +=
            missed.clone().filter(|result| result.answered == Some(false)).count();
        self.small_talk_missed += missed.filter(|result| result.wants_none).count();
    }
}
