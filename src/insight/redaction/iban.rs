//! Account numbers (IBAN) over several turns: "DE89 3704 0044", and then "0532 0130 00".
//!
//! Its country says how long one is and its check digits whether it is one. What was begun is held back as the digits of a
//! card are, and goes their way: it may turn out to be a card's after all ("GB 4539 1488").

use std::collections::{HashMap, VecDeque};

use super::find::{self, Found, IbanPart};
use super::{Fragment, INTERJECTION_MAX_WORDS, RedactionKind, State, keep};
use crate::domain::{PartyId, RedactionResolved};

/// With fewer characters a beginning says nothing: "DE12" is a product.
const BEGUN_MIN_CHARS: usize = 8;

/// What parties began.
#[derive(Default)]
pub(super) struct Ibans {
    begun: HashMap<PartyId, Begun>,
}

struct Begun {
    characters: String,
    /// What stands for it so far.
    placeholders: Vec<String>,
}

impl Ibans {
    /// What a line has of an IBAN that goes over several turns. `secrets` are those that are known without it.
    pub fn part(&mut self, party: &PartyId, line: &str, secrets: &[&Found]) -> Option<IbanPart> {
        let words = find::words(line);
        if let Some(begun) = self.begun.get(party) {
            let part = find::part_of_iban(&begun.characters, &words);
            if part.is_some() || words.len() <= INTERJECTION_MAX_WORDS {
                return part;
            }
            self.begun.remove(party);
        }
        // This turn may begin one.
        let part = find::part_of_iban("", &words)?;
        let is_over = |one: &&Found| one.start < part.range.end && part.range.start < one.end;
        (part.characters.len() >= BEGUN_MIN_CHARS && !secrets.iter().any(is_over)).then_some(part)
    }

    /// It goes on with this.
    pub fn begin(&mut self, party: &PartyId, part: &IbanPart, placeholder: String) {
        let begun = self.begun.entry(party.clone());
        let begun =
            begun.or_insert_with(|| Begun { characters: String::new(), placeholders: Vec::new() });
        begun.characters.clone_from(&part.characters);
        begun.placeholders.push(placeholder);
    }

    /// It was something else.
    pub fn drop_begun(&mut self, party: &PartyId) {
        self.begun.remove(party);
    }

    /// It is whole: what was held back of it stays masked.
    pub fn end(
        &mut self,
        party: &PartyId,
        trail: &mut VecDeque<Fragment>,
        resolved: &mut Vec<RedactionResolved>,
    ) {
        let Some(begun) = self.begun.remove(party) else { return };
        let is_of_it = |state: &State| matches!(state, State::Held { placeholder, .. } if begun.placeholders.contains(placeholder));
        for fragment in trail.iter_mut().filter(|fragment| is_of_it(&fragment.state)) {
            let state = std::mem::replace(&mut fragment.state, State::Other);
            keep(state, RedactionKind::Digits, resolved);
        }
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
                "customer: and then 0532 0130 00. Is that enough?",
                "agent: So DE89 3704 0044 0532 0130 00?",
            ]),
            [
                "My IBAN is [digits-1]",
                "Mm-hm.",
                "hang on",
                "and then [iban-1]. Is that enough?",
                "t-0 [digits-1] stays: digits",
                "So [iban-1]?",
            ]
        );
    }

    #[test]
    fn a_card_behind_what_might_be_an_iban_is_a_card() {
        for turns in [
            &["My card is from GB 4539 1488 0343 6467"][..],
            &[
                "It is GB 4539 1488",
                "0343 6467 thanks",
                "Well, that was quite a long number to say.",
            ],
            &["It is GB 4539 1488", "0343 6467 is what stands on the front of the thing."],
            &["It's DE89 4539 1488", "yes", "0343 6467"],
            &["It is GB45 3914 8803 4364 67"],
            &["FR14 4539", "1488 0343", "6467"],
            &["DE45391488034364 67"],
            &["FR14 A4539148803436467 12"],
            &["DE45391488", "03436467"],
            &["agent: What's your date of birth?", "45391488034", "36467"],
            &["I was born 1 3 84 45391488 uh", "03436467"],
        ] {
            let lines = check(turns);
            for digits in ["4539", "1488", "0343", "6467", "3914", "8803", "4364"] {
                assert!(!lines.iter().any(|line| line.contains(digits)), "{lines:?}");
            }
        }
    }

    #[test]
    fn its_pieces_are_masked_however_they_are_written() {
        for turns in [
            &["DE8937040044", "0532013000"][..],
            &["my IBAN is GB82WEST1234", "5698765432"],
            &["NL91ABNA0417", "164300"],
            &["DE89 3704 0044", "I mean DE89 3704 0044 0532 0130 00"],
        ] {
            let lines = check(turns);
            assert!(lines[1].contains("[iban-1]"), "{lines:?}");
            assert!(lines.iter().all(|line| !line.contains(" was: ")), "{lines:?}");
            assert!(lines[0].contains("[digits-1]"), "{lines:?}");
        }
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
