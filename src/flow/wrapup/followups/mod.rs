//! What somebody said will be done, and by when.
//!
//! Each turn is cut into clauses, each clause read for what it does: promises, offers, asks. Then the turns are read
//! together, since an offer counts when the other side takes it, and "at two then" needs the day that was spoken of.

mod english;
mod heard;
mod merging;
mod others;
mod replies;
mod settle;
#[cfg(test)]
mod tests;
mod timing;

use jiff::{SignedDuration, Zoned};

use super::due::due;
use super::{Language, Reading};
use crate::domain::{Due, FollowUp, Turn};

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    /// Calls, or is in touch.
    Call,
    /// Sends, pays, passes on.
    Send,
    /// Comes to somebody.
    Visit,
    /// Puts a visit or a meeting into a calendar.
    Book,
    /// Something else that is done later.
    Task,
    /// May be done in the call itself: only a day makes it a promise.
    Any,
}

/// One clause of a turn.
#[derive(Clone, Debug)]
struct Clause {
    /// Tokens of the turn.
    from: usize,
    upto: usize,
    /// Which sentence of the turn, from 0.
    sentence: usize,
    act: Option<Act>,
    /// It tells what was.
    is_past: bool,
    is_condition: bool,
    /// "And" or the like stands before it.
    is_linked: bool,
    /// Its sentence is a question.
    is_asked: bool,
    /// It goes on about what was just offered: "it will arrive on Friday".
    is_about_it: bool,
    /// It tells when somebody can't.
    is_away: bool,
}

/// What a clause does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Act {
    kind: ActKind,
    deed: Deed,
    needs: Needs,
    /// "At two then": the day was spoken of before.
    is_then: bool,
    is_asked: bool,
    /// A day in it is rather that of what it is done to: "cancel the appointment on Friday".
    is_of_object: bool,
    /// "How about Tuesday?" says when, and not what.
    is_open: bool,
    /// It takes the place of what stood in the calendar.
    is_moved: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ActKind {
    Promise,
    /// Counts when the other side takes it.
    Offer,
    /// Counts when the other side says yes, and is that side's promise.
    Request,
    /// Says that something stands in a calendar.
    Booked,
}

/// Without which an act is no promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    Nothing,
    /// Some words about when.
    When,
    /// A day or an hour.
    Day,
}

/// When something is due by words of a turn; `None` where they don't stand in it or name no day.
pub fn due_in(turn: &Turn, phrase: &str, began: &Zoned) -> Option<Due> {
    let phrase = phrase.trim();
    let at = turn.text.as_str().find(phrase).filter(|_| !phrase.is_empty())?;
    // The word before may say that it is a limit: "by Thursday".
    let before = turn.text.as_str()[..at].trim_end();
    let from = before.rfind(char::is_whitespace).map_or(0, |space| space + 1);
    due(&turn.text.slice(from..at + phrase.len()), &said_at(turn, began), language_of(turn))
}

fn said_at(turn: &Turn, began: &Zoned) -> Zoned {
    let after = i64::try_from(turn.start_ms).unwrap_or(i64::MAX);
    began.checked_add(SignedDuration::from_millis(after)).unwrap_or_else(|_| began.clone())
}

fn language_of(turn: &Turn) -> Language {
    Language::parse(&turn.language).unwrap_or(Language::English)
}

/// Tasks, callbacks and meetings in the order in which they were said, from turns in the order of the
/// conversation that began then. Of two that are the same the later one stands.
pub fn follow_ups(turns: &[Turn], began: &Zoned) -> Vec<FollowUp> {
    let heard: Vec<heard::Heard> =
        turns.iter().map(|turn| heard::Heard::of(turn, said_at(turn, began))).collect();
    settle::Settling::of(&heard).follow_ups()
}

impl Reading<'_> {
    /// See [`follow_ups`].
    pub fn follow_ups(&self) -> Vec<FollowUp> {
        follow_ups(&self.material.turns, &self.circumstances.began)
    }
}
