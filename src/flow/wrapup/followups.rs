//! What somebody said will be done, and by when.

use std::collections::HashSet;

use jiff::{SignedDuration, Zoned};

use super::Reading;
use super::cues::Cues;
use super::due::due;
use super::sentences::Sentence;
use super::summary::is_promise;
use crate::domain::{Due, FollowUp, FollowUpKind, Turn};

/// More is no list that anybody works through.
const FOLLOW_UPS_MAX: usize = 8;
/// Done in the call itself.
const AT_ONCE: &[&str] = &[
    " now ",
    " right away ",
    " put you through ",
    " transfer you ",
    " straight away ",
    " read it back ",
    " ask you ",
    " quickly ",
    " be honest ",
    " jetzt ",
    " gleich ",
    " verbinde sie ",
    " maintenant ",
    " ahora ",
    " just ",
];

/// When something is due by words of a turn; `None` where they don't stand in it or name no day.
pub fn due_in(turn: &Turn, phrase: &str, began: &Zoned) -> Option<Due> {
    let phrase = phrase.trim();
    let at = turn.text.as_str().find(phrase).filter(|_| !phrase.is_empty())?;
    // The word before may say that it is a limit: "by Thursday".
    let before = turn.text.as_str()[..at].trim_end();
    let from = before.rfind(char::is_whitespace).map_or(0, |space| space + 1);
    due(&turn.text.slice(from..at + phrase.len()), &said_at(turn, began))
}

fn said_at(turn: &Turn, began: &Zoned) -> Zoned {
    let after = i64::try_from(turn.start_ms).unwrap_or(i64::MAX);
    began.checked_add(SignedDuration::from_millis(after)).unwrap_or_else(|_| began.clone())
}

impl Reading<'_> {
    /// Tasks, callbacks and meetings in the order in which they were said. Of two with the same
    /// words, and of two callbacks or meetings on one day, the later one stands.
    pub fn follow_ups(&self) -> Vec<FollowUp> {
        let mut said = HashSet::new();
        let mut dated = HashSet::new();
        let mut found: Vec<FollowUp> = self
            .saying()
            .rev()
            .flat_map(|(_, one)| one.clauses().into_iter().rev())
            .filter_map(|one| self.follow_up(&one).filter(|_| said.insert(one.words)))
            .filter(|one| {
                let date = one.due.as_ref().and_then(|due| due.date);
                // A task may well be one of several on its day.
                one.kind == FollowUpKind::Task
                    || date.is_none_or(|date| dated.insert((one.kind.as_str(), date)))
            })
            .take(FOLLOW_UPS_MAX)
            .collect();
        found.reverse();
        found
    }

    fn follow_up(&self, one: &Sentence) -> Option<FollowUp> {
        if one.is_question {
            return None;
        }
        let quote = one.citation().quote;
        let due = due(&quote, &said_at(one.turn, &self.circumstances.began));
        let is_meeting = one.cues.has(Cues::MEETING);
        let is_promised = match one.is_customers() {
            false => is_promise(one) || (is_meeting && due.is_some()),
            // Only what has a day: "I'll try that" is no task for anybody.
            true => one.cues.has(Cues::PROMISE) && due.is_some() && !one.cues.has(Cues::PROBLEM),
        };
        let is_at_once = due.is_none() && AT_ONCE.iter().any(|word| one.words.contains(word));
        if !is_promised || is_at_once {
            return None;
        }
        let kind = if one.cues.has(Cues::CALLBACK) {
            FollowUpKind::Callback
        } else if is_meeting {
            FollowUpKind::Meeting
        } else {
            FollowUpKind::Task
        };
        Some(FollowUp { kind, promised_by: one.role(), sentence: one.proven(), due })
    }
}
