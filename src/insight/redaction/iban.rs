//! Account numbers (IBAN) over several turns: "DE89 3704 0044", and then "0532 0130 00".
//!
//! Its country says how long one is and its check digits whether it is one, so that what was begun is held back until the
//! party's next turn ends it, or doesn't.

use std::collections::{BTreeMap, HashMap};

use super::find::{self, Found};
use super::{INTERJECTION_MAX_WORDS, Masker, RedactionKind, Secret, State, keep};
use crate::domain::{PartyId, RedactionResolved, TurnId};

/// With fewer characters a beginning says nothing: "DE12" is a product.
const BEGUN_MIN_CHARS: usize = 8;

/// What parties began.
#[derive(Default)]
pub(super) struct Ibans {
    begun: HashMap<PartyId, Begun>,
}

struct Begun {
    characters: String,
    /// The turns that it stands in so far.
    held: Vec<State>,
}

impl Ibans {
    pub fn is_begun(&self, party: &PartyId) -> bool {
        self.begun.contains_key(party)
    }

    /// What the party began won't be ended any more.
    pub fn give_up(&mut self, party: &PartyId) -> Vec<State> {
        self.begun.remove(party).map(|begun| begun.held).unwrap_or_default()
    }

    pub fn give_up_all(&mut self) -> Vec<State> {
        std::mem::take(&mut self.begun).into_values().flat_map(|begun| begun.held).collect()
    }
}

impl Masker {
    /// Adds what the line has of an IBAN over several turns to its secrets. Gives back where that begins, and the
    /// placeholder that stands there.
    pub(super) fn hear_iban(
        &mut self,
        party: &PartyId,
        turn_id: &TurnId,
        line: &str,
        secrets: &mut BTreeMap<usize, Found>,
        resolved: &mut Vec<RedactionResolved>,
    ) -> Option<(usize, String)> {
        if !self.kinds.has(Secret::Iban) {
            return None;
        }
        let words = find::words(line);
        let before = self.ibans.begun.remove(party);
        let so_far = before.as_ref().map_or("", |begun| begun.characters.as_str());
        let (before, part) = match find::part_of_iban(so_far, &words) {
            Some(part) => (before, part),
            None if before.is_some() && words.len() <= INTERJECTION_MAX_WORDS => {
                self.ibans.begun.extend(before.map(|begun| (party.clone(), begun)));
                return None;
            }
            None => {
                for held in before.into_iter().flat_map(|begun| begun.held) {
                    self.settle_state("", held, resolved);
                }
                // This turn may begin another.
                (None, find::part_of_iban("", &words)?)
            }
        };
        let range = part.range.clone();
        let is_over = |secret: &Found| secret.start < range.end && range.start < secret.end;
        if before.is_none()
            && (part.characters.len() < BEGUN_MIN_CHARS || secrets.values().any(is_over))
        {
            return None;
        }
        secrets.retain(|_, secret| !is_over(secret));
        secrets
            .insert(range.start, Found { start: range.start, end: range.end, kind: Secret::Iban });
        let mut held = before.map(|begun| begun.held).unwrap_or_default();
        if part.is_whole {
            for state in held {
                keep(state, RedactionKind::Digits, resolved);
            }
            return Some((range.start, self.ledger.placeholder(Secret::Iban, &part.characters)));
        }
        self.helds += 1;
        let placeholder = format!("[digits-{}]", self.helds);
        held.push(State::Held {
            turn_id: turn_id.clone(),
            placeholder: placeholder.clone(),
            raw: line[range.clone()].to_owned(),
            in_context: false,
        });
        self.ibans.begun.insert(party.clone(), Begun { characters: part.characters, held });
        Some((range.start, placeholder))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;

    #[test]
    fn an_iban_split_over_turns_never_shows() {
        assert_eq!(
            check(&[
                "customer: My IBAN is DE89 3704 0044",
                "agent: Mm-hm.",
                "customer: hang on",
                "customer: and then 0532 01",
                "customer: 30 00. Is that enough?",
                "agent: So DE89 3704 0044 0532 0130 00?",
            ]),
            [
                "My IBAN is [digits-1]",
                "Mm-hm.",
                "hang on",
                "and then [digits-2]",
                "[iban-1]. Is that enough?",
                "t-0 [digits-1] stays: digits",
                "t-3 [digits-2] stays: digits",
                "So [iban-1]?",
            ]
        );
    }

    #[test]
    fn what_only_begins_like_an_iban_comes_back() {
        assert_eq!(
            check(&["It's the model DE12 3456", "It makes a terrible noise when I turn it on."]),
            [
                "It's the model [digits-1]",
                "It makes a terrible noise when I turn it on.",
                "t-0 [digits-1] was: DE12 3456",
            ]
        );
        assert_eq!(
            check(&["The model is DE12 3456"]),
            ["The model is [digits-1]", "t-0 [digits-1] was: DE12 3456"]
        );
        assert_eq!(check(&["It's a DE12"]), ["It's a DE12"]);
    }
}
