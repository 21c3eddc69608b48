//! What stands at the end: offers that were taken, dates that were spoken of before, promises that were taken back.

use super::heard::Heard;
use super::replies::{Reply, commits, is_done};
use super::timing::BACK_MAX;
use super::{Act, ActKind, Deed};
use crate::domain::{Due, FollowUp, FollowUpKind, Role};
use crate::flow::wrapup::due::When;

/// More is no list that anybody works through.
const FOLLOW_UPS_MAX: usize = 8;
/// So many of the last are compared with each other.
const COMPARED_MAX: usize = 100;

/// Something that was promised.
pub(super) struct Found {
    /// The turn and clause that are quoted.
    pub turn: usize,
    pub clause: usize,
    pub by: Role,
    pub deed: Deed,
    /// What is said about when, and in which turn.
    pub when: Option<(When, usize)>,
    /// Nothing says so but a yes.
    pub is_answer: bool,
    pub is_booked: bool,
    /// What it is isn't said.
    pub is_open: bool,
}

impl Found {
    pub fn kind(&self) -> FollowUpKind {
        match self.deed {
            Deed::Call => FollowUpKind::Callback,
            Deed::Visit | Deed::Book => FollowUpKind::Meeting,
            Deed::Send | Deed::Task | Deed::Any => FollowUpKind::Task,
        }
    }

    pub fn told(&self) -> Option<&When> {
        self.when.as_ref().map(|(when, _)| when).filter(|when| when.is_told() && when.is_dated())
    }
}

pub struct Settling<'a> {
    pub(super) heard: &'a [Heard<'a>],
}

impl<'a> Settling<'a> {
    pub const fn of(heard: &'a [Heard<'a>]) -> Self {
        Self { heard }
    }

    pub fn follow_ups(&self) -> Vec<FollowUp> {
        let mut found = Vec::new();
        for turn in 0..self.heard.len() {
            let mut offered = false;
            for (clause, act) in self.heard[turn].acts() {
                // "We can send one. It'll take a week.": that goes with the offer.
                let goes_with = offered && self.heard[turn].clauses[clause].is_about_it;
                let kind = if goes_with { ActKind::Offer } else { act.kind };
                self.settle(turn, clause, Act { kind, ..act }, &mut found);
                offered = kind == ActKind::Offer;
            }
        }
        // Older ones would not be shown.
        let found = self.merged(found.split_off(found.len().saturating_sub(COMPARED_MAX)));
        let skipped = found.len().saturating_sub(FOLLOW_UPS_MAX);
        let quoted: Vec<(usize, usize)> = found.iter().map(|one| (one.turn, one.clause)).collect();
        let of_turn = |turn: usize| -> Vec<usize> {
            quoted.iter().filter(|(other, _)| *other == turn).map(|(_, clause)| *clause).collect()
        };
        found[skipped..]
            .iter()
            .map(|one| FollowUp {
                kind: one.kind(),
                promised_by: one.by,
                sentence: self.heard[one.turn].quote(one.clause, &of_turn(one.turn)),
                due: self.due(one),
            })
            .collect()
    }

    fn due(&self, one: &Found) -> Option<Due> {
        let (when, turn) = one.when.as_ref().filter(|(when, _)| when.is_told())?;
        let heard = &self.heard[*turn];
        let due = when.due(&heard.tokens, &heard.turn.text, &heard.said);
        (when.is_dated() || due.date.is_some()).then_some(due)
    }

    /// The next turn of the other side.
    fn answer(&self, turn: usize) -> Option<usize> {
        let side = self.heard[turn].is_customers();
        (turn + 1..self.heard.len()).find(|&at| self.heard[at].is_customers() != side)
    }

    fn settle(&self, turn: usize, clause: usize, act: Act, found: &mut Vec<Found>) {
        let heard = &self.heard[turn];
        if self.is_taken_back(turn, clause, act) {
            return;
        }
        let answer = self.answer(turn);
        let reply = answer.map_or(Reply::Else, |at| self.heard[at].reply);
        let made = |when| Found {
            turn,
            clause,
            by: heard.role(),
            deed: act.deed,
            when,
            is_answer: false,
            is_booked: act.kind == ActKind::Booked,
            is_open: act.is_open,
        };
        let count = found.len();
        match act.kind {
            ActKind::Promise | ActKind::Booked => {
                let when = self.when(turn, clause, act);
                if !heard.satisfies(act.needs, when.as_ref().map(|(when, _)| when)) {
                    return;
                }
                let wants_other = !heard.is_customers()
                    && answer.is_some_and(|answer| self.heard[answer].wants_other);
                let other_day = answer.filter(|_| wants_other).and_then(|at| self.first_told(at));
                let refused = reply == Reply::Declines
                    || (act.is_asked && reply == Reply::Refuses)
                    || other_day.is_some_and(|(_, when)| when.date().is_some());
                // "Eleven's better" leaves the day and no hour.
                let when =
                    when.map(|(when, at)| (if wants_other { when.at_no_hour() } else { when }, at));
                match answer.filter(|_| refused && !heard.is_customers()) {
                    Some(answer) => found.extend(self.counter(made(when), answer)),
                    None => found.push(made(when)),
                }
            }
            ActKind::Offer => {
                let when = self.when(turn, clause, act);
                if !heard.satisfies(act.needs, when.as_ref().map(|(when, _)| when)) {
                    return;
                }
                let Some(answer) = answer else { return };
                match reply {
                    Reply::Accepts => {
                        let meets = matches!(act.deed, Deed::Call | Deed::Visit | Deed::Book);
                        let chosen =
                            if meets || when.is_some() { self.chosen(when, answer) } else { None };
                        found.push(made(chosen));
                    }
                    Reply::Declines => found.extend(self.counter(made(when), answer)),
                    Reply::Refuses | Reply::Else => {}
                }
            }
            ActKind::Request => {
                let Some(answer) =
                    answer.filter(|&answer| self.grants(answer, heard.is_customers()))
                else {
                    return;
                };
                let own = self.when(turn, clause, act);
                let answered = self.first_told(answer);
                let quoted = match answered {
                    Some((clause, _)) if self.heard[answer].tokens.len() > 2 => (answer, clause),
                    _ => (turn, clause),
                };
                let when = match (answered, own) {
                    (Some((_, when)), Some((own, _))) => Some((when.at_hours_of(&own), answer)),
                    (Some((_, when)), None) => Some((when, answer)),
                    (None, own) => own,
                };
                found.push(Found {
                    turn: quoted.0,
                    clause: quoted.1,
                    by: self.heard[answer].role(),
                    is_answer: true,
                    ..made(when)
                });
            }
        }
        if act.is_moved && found.len() > count {
            // What stood there before doesn't any more.
            let is_old =
                |one: &Found| one.kind() == FollowUpKind::Meeting && turn - one.turn <= BACK_MAX;
            let kept = found.split_off(count);
            found.retain(|one| !is_old(one));
            found.extend(kept);
        }
    }

    /// A request is granted by a yes that says nothing more of its own.
    fn grants(&self, answer: usize, of_customer: bool) -> bool {
        let heard = &self.heard[answer];
        let speaks = heard.acts().any(|(_, act)| act.kind != ActKind::Request);
        let yes = if of_customer { heard.reply == Reply::Accepts } else { commits(&heard.tokens) };
        yes && !speaks && !is_done(&heard.tokens) && !self.done_later(answer)
    }

    /// "I've just sent it" a little later.
    fn done_later(&self, turn: usize) -> bool {
        let side = self.heard[turn].is_customers();
        let later = self.heard[turn..].iter().take(BACK_MAX + 1);
        later.filter(|heard| heard.is_customers() == side).any(|heard| is_done(&heard.tokens))
    }

    /// Somebody corrects themselves: "I'll post it. Scratch that, I'll email it."
    fn is_taken_back(&self, turn: usize, clause: usize, act: Act) -> bool {
        let heard = &self.heard[turn];
        let is_mended = |at: usize| heard.whens[at].is_some_and(|when| when.is_mend);
        let ends = heard.whens[clause].is_some_and(|when| when.is_taken_back);
        let next = (clause + 1..heard.clauses.len()).find(|&at| heard.clauses[at].act.is_some());
        let Some(next) = next else { return false };
        let same = heard.clauses[next].act.is_some_and(|other| {
            other.deed == act.deed
                || matches!(
                    (act.deed, other.deed),
                    (Deed::Send | Deed::Any | Deed::Task, Deed::Send)
                )
        });
        same && (ends || (clause + 1..=next).any(is_mended))
    }

    /// What the other side chose of what was offered.
    fn chosen(&self, offered: Option<(When, usize)>, answer: usize) -> Option<(When, usize)> {
        let named = self.first_told(answer).filter(|(at, named)| {
            let clause = &self.heard[answer].clauses[*at];
            named.date().is_some() && !clause.is_asked && clause.act.is_none() && !clause.is_away
        });
        let Some((when, turn)) = offered else {
            return named.map(|(_, when)| (when, answer));
        };
        let is_open = when.date().is_none();
        match named {
            Some((_, named)) if named.date() != when.date() => {
                let chosen = if is_open { named } else { named.at_hours_of(&when) };
                Some((chosen, answer))
            }
            _ => Some((when, turn)),
        }
    }

    /// Another day was asked for, and the answer to that is yes.
    fn counter(&self, refused: Found, answer: usize) -> Option<Found> {
        let (named, wanted) = self.first_told(answer).filter(|(_, when)| when.date().is_some())?;
        let reply = self.answer(answer)?;
        let heard = &self.heard[reply];
        if heard.acts().any(|(_, act)| act.kind != ActKind::Request)
            || heard.reply != Reply::Accepts
        {
            return None;
        }
        let hours = refused.when.map_or(wanted, |(when, _)| wanted.at_hours_of(&when));
        let (turn, clause, when) = match self.first_told(reply) {
            Some((clause, when)) => (reply, clause, (when.at_hours_of(&hours), reply)),
            None => (answer, named, (hours, answer)),
        };
        Some(Found { turn, clause, when: Some(when), is_answer: true, ..refused })
    }
}
