//! When something that was said is due, by its own words and by what was spoken of before.

use super::replies::Reply;
use super::settle::Settling;
use super::{Act, ActKind, Deed, Needs};
use crate::flow::wrapup::due::{Sure, When, one_of};

/// So many turns back a day may have been spoken of.
pub const BACK_MAX: usize = 4;
/// And so many for a weekday that may have been another one.
const DOUBT_MAX: usize = 6;
/// Words of a correction that says nothing else.
const MENDED_TOKENS_MAX: usize = 5;

impl Settling<'_> {
    /// The first day that a turn names.
    pub(super) fn first_told(&self, turn: usize) -> Option<(usize, When)> {
        let (clause, when) = self.heard[turn].told().find(|(_, when)| when.day.is_some())?;
        Some((clause, self.doubted(*when, turn, clause)))
    }

    /// When a clause's act is due, by its own words and by what was spoken of before.
    pub(super) fn when(&self, turn: usize, clause: usize, act: Act) -> Option<(When, usize)> {
        let heard = &self.heard[turn];
        let own = heard.whens[clause].filter(|when| when.is_told() || when.day.is_some());
        let own = self.mended(turn, clause, own);
        if let Some(when) = own
            && when.day.is_some()
        {
            let is_of_object = act.is_of_object || self.is_of_another(turn, clause, act, &when);
            let when =
                if is_of_object { when.on_no_day() } else { self.doubted(when, turn, clause) };
            return Some((when, turn));
        }
        let says_hours = own.is_some_and(|when| when.has_hours());
        if act.needs == Needs::Day && !says_hours {
            return own.map(|when| (when, turn));
        }
        let books = act.kind == ActKind::Booked
            || (!heard.is_customers() && matches!(act.deed, Deed::Book) && act.needs != Needs::Day);
        if !(act.is_then || says_hours || books) {
            return own.map(|when| (when, turn));
        }
        let by = act.is_then && self.is_by_then(turn, clause);
        match self.spoken_of(turn, clause, books) {
            Some((day, at)) => {
                let when = match own {
                    Some(own) if own.has_hours() => (own.on_day_of(&day), turn),
                    _ if by => (day.by_its_day(), at),
                    _ => (day, at),
                };
                Some(when)
            }
            None => {
                let own = own?;
                let is_todays = says_hours && !self.names_other_day(turn, clause);
                Some((if is_todays || !says_hours { own } else { own.on_no_day() }, turn))
            }
        }
    }

    /// "Details of the appointment on Friday", "a letter about your claim on Friday".
    fn is_of_another(&self, turn: usize, clause: usize, act: Act, when: &When) -> bool {
        fn is_event(word: &str) -> bool {
            one_of!(word;
                "appointment" "visit" "meeting" "booking" "outage" "engineer" "inspection"
            )
        }
        let tokens = &self.heard[turn].tokens;
        let word = |at: usize| tokens.get(at).map_or("", |token| token.word.as_str());
        let from = self.heard[turn].clauses[clause].from;
        if matches!(word(when.from), "today" | "tomorrow" | "tonight" | "this") {
            return false;
        }
        let mut last = when.from.clamp(from, tokens.len());
        while last > from && matches!(word(last - 1), "on" | "for" | "the" | "at" | "from") {
            last -= 1;
        }
        let about = (from..last).any(|at| {
            matches!(word(at), "about" | "regarding" | "concerning")
                && !matches!(word(at + 1), "it" | "this" | "that" | "half" | "them")
        });
        let meets = matches!(act.deed, Deed::Book | Deed::Visit);
        about || (!meets && last > from && is_event(word(last - 1)))
    }

    fn is_by_then(&self, turn: usize, clause: usize) -> bool {
        let heard = &self.heard[turn];
        let clause = &heard.clauses[clause];
        heard.tokens[clause.from..clause.upto]
            .windows(2)
            .any(|pair| pair[0].word == "by" && pair[1].word == "then")
    }

    /// "I'll pay on Friday. No, sorry, Saturday."
    fn mended(&self, turn: usize, clause: usize, own: Option<When>) -> Option<When> {
        let heard = &self.heard[turn];
        let next = clause + 1;
        let other = heard.whens.get(next).copied().flatten();
        let mends = other
            .filter(|other| other.is_mend && other.is_dated() && heard.clauses[next].act.is_none());
        // "Sorry, the other one": nobody can tell which.
        let is_lost = other.is_some_and(|other| other.is_mend && !other.is_dated())
            && heard.clauses[next].act.is_none()
            && heard.clauses[next].upto - heard.clauses[next].from <= MENDED_TOKENS_MAX;
        if is_lost {
            return own.map(|own| own.on_no_day().at_no_hour());
        }
        match (mends, own) {
            (Some(other), Some(own)) if other.day.is_some() => Some(other.at_hours_of(&own)),
            (Some(other), Some(own)) => Some(other.on_day_of(&own)),
            (Some(other), None) => Some(other),
            (None, own) => own,
        }
    }

    /// The one day that was spoken of before this clause, in its turn or in those before.
    fn spoken_of(&self, turn: usize, clause: usize, books: bool) -> Option<(When, usize)> {
        let heard = &self.heard[turn];
        let here = heard.told().rev().find(|(at, when)| {
            *at < clause
                && when.day.is_some()
                && heard.clauses[*at].act.is_none_or(|act| act.kind == ActKind::Offer)
        });
        if let Some((_, when)) = here {
            return Some((*when, turn));
        }
        if books {
            let behind = heard.told().find(|(at, when)| {
                *at > clause && when.day.is_some() && heard.clauses[*at].act.is_none()
            });
            if let Some((_, when)) = behind {
                return Some((*when, turn));
            }
        }
        let mut found: Option<(When, usize)> = None;
        for at in (turn.saturating_sub(BACK_MAX)..turn).rev() {
            for (one, when) in self.heard[at].told().filter(|(_, when)| when.day.is_some()) {
                if self.heard[at].clauses[one].is_away || !self.is_wished(at) {
                    continue;
                }
                let Some((before, _)) = found else {
                    found = Some((*when, at));
                    continue;
                };
                if before.date() != when.date() {
                    return None;
                }
                if !before.has_hours() && when.has_hours() {
                    found = Some((*when, at));
                }
            }
            // What was spoken of before somebody said no is off the table.
            let heard = &self.heard[at];
            if heard.is_customers() && matches!(heard.reply, Reply::Refuses | Reply::Declines) {
                break;
            }
        }
        found.filter(|(when, _)| when.date().is_some())
    }

    /// Of a customer's days those count that they ask for or agree to; others are when it broke.
    fn is_wished(&self, turn: usize) -> bool {
        fn is_wish(word: &str) -> bool {
            one_of!(word;
                "please" "works" "suits" "good" "fine" "free" "prefer" "could" "can" "better"
                "ideal" "perfect" "would" "okay" "yes" "yeah" "sure" "great" "then" "bitte"
                "passt" "gerne" "ja" "oui" "convient" "sí" "bien" "puede"
            )
        }
        const SHORT: usize = 4;
        let heard = &self.heard[turn];
        let is_away = heard.clauses.iter().any(|clause| clause.is_away);
        let wishes = || heard.tokens.iter().any(|token| is_wish(&token.word));
        !heard.is_customers() || heard.tokens.len() <= SHORT || (!is_away && wishes())
    }

    /// Whether a day other than today was named lately.
    fn names_other_day(&self, turn: usize, clause: usize) -> bool {
        let today = self.heard[turn].said.date();
        let before = turn.saturating_sub(BACK_MAX)..=turn;
        before.into_iter().any(|at| {
            let whens = self.heard[at].whens.iter().enumerate();
            let mut before = whens.filter(|(one, _)| at < turn || *one < clause);
            before.any(|(_, when)| {
                when.is_some_and(|when| when.day.is_some_and(|day| day.sure != Sure::On(today)))
            })
        })
    }

    /// A weekday alone is the coming one, unless another of its name was spoken of.
    fn doubted(&self, when: When, turn: usize, clause: usize) -> When {
        let heard = &self.heard[turn];
        let (Some(date), Some(day)) = (when.date(), when.day) else { return when };
        let today = heard.said.date();
        let in_this_week = date.weekday().to_monday_zero_offset()
            > today.weekday().to_monday_zero_offset()
            || today.weekday() == jiff::civil::Weekday::Sunday;
        let Some(weekday) = day.weekday else { return when };
        for at in (turn.saturating_sub(DOUBT_MAX)..=turn).rev() {
            for (one, other) in self.heard[at].whens.iter().enumerate() {
                let Some(other) = other.filter(|_| at < turn || one < clause) else { continue };
                let Some(named) = other.day.filter(|day| day.sure != Sure::Past) else { continue };
                let is_same = named.weekday == Some(weekday);
                if is_same && matches!(named.sure, Sure::On(_)) {
                    if named.sure == day.sure {
                        continue;
                    }
                    return when.on_the(named);
                }
                if named.is_week && in_this_week && turn - at <= BACK_MAX {
                    return when.on_no_day();
                }
                let is_away = named.is_limit
                    && self.heard[at].is_customers()
                    && self.heard[at].clauses[one].is_away;
                if is_away && other.date().is_some_and(|until| until > date) && at < turn {
                    return when.on_no_day();
                }
                if is_same && in_this_week {
                    return when.on_no_day();
                }
            }
        }
        when
    }
}
