//! What was said twice is one thing.

use super::settle::{Found, Settling};
use crate::domain::FollowUpKind;
use crate::flow::wrapup::due::When;

impl Settling<'_> {
    /// Of what was said twice the later one stands, with what only the earlier one told.
    pub(super) fn merged(&self, found: Vec<Found>) -> Vec<Found> {
        let mut kept: Vec<Found> = Vec::with_capacity(found.len());
        for mut one in found {
            let same = kept.iter().position(|before| self.is_same(before, &one));
            let Some(at) = same else {
                kept.push(one);
                continue;
            };
            let before = kept.remove(at);
            // "How about ten?" was about the call that is promised then.
            if before.is_open && !one.is_open {
                one.when = match (one.when, before.when) {
                    (Some((when, at)), Some((open, _))) => Some((when.at_hours_of(&open), at)),
                    (when, open) => when.or(open),
                };
                kept.push(one);
                continue;
            }
            match (before.told().copied(), one.told().copied()) {
                // "So I'll call you then": the earlier words say more.
                (Some(_), None) => {
                    kept.insert(at, before);
                    continue;
                }
                (Some(earlier), Some(later)) if earlier.has_hours() && !later.has_hours() => {
                    one.when = before.when;
                }
                _ => {}
            }
            kept.push(one);
        }
        kept.retain(|one| !(one.is_booked && one.told().is_none()));
        kept.sort_by_key(|one| (one.turn, one.clause));
        kept
    }

    fn is_same(&self, before: &Found, one: &Found) -> bool {
        let side = |found: &Found| self.heard[found.turn].is_customers();
        let date = |found: &Found| found.told().and_then(When::date);
        let meets = |found: &Found| found.kind() != FollowUpKind::Task;
        if before.is_open && meets(one) {
            return date(before).is_none() || date(one).is_none() || date(before) == date(one);
        }
        if before.kind() != one.kind()
            || (side(before) != side(one) && !(before.is_answer || one.is_answer))
        {
            return false;
        }
        match one.kind() {
            FollowUpKind::Task => {
                let words = |found: &Found| self.heard[found.turn].plain(found.clause);
                let same_day = date(before).is_some() && date(before) == date(one);
                words(before) == words(one)
                    || (same_day
                        && before.turn != one.turn
                        && before.deed == one.deed
                        && self.shares(before, one))
            }
            FollowUpKind::Callback | FollowUpKind::Meeting => match (date(before), date(one)) {
                (Some(earlier), Some(later)) => earlier == later,
                (None, None) => before.told().is_none() || one.told().is_none(),
                (Some(_), None) => one.told().is_none(),
                (None, Some(_)) => {
                    before.told().is_none_or(|when| when.day.is_some()) && before.turn != one.turn
                        || before.told().is_none()
                }
            },
        }
    }

    /// Both are about the same thing, by a word that isn't common.
    fn shares(&self, before: &Found, one: &Found) -> bool {
        let words = |found: &Found| self.heard[found.turn].plain(found.clause);
        let later = words(one);
        words(before).iter().any(|word| word.len() > 4 && later.contains(word))
    }
}
