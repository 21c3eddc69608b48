//! Groups of digits that make a card's number in another order than they came in, or over several parties: "the last eight
//! are …, the first eight are …".

use std::collections::VecDeque;

use super::card::{USUAL, is_whole_card};
use super::digits::Run;

/// A shorter group is none of these.
const SHORTEST: usize = 4;
/// So many of the last groups are remembered.
const GROUPS_MAX: usize = 16;
/// In order, a number is told in so many groups.
const IN_ORDER_MAX: usize = 4;

/// The last groups of a conversation, whoever said them.
#[derive(Default)]
pub(super) struct Pieces(VecDeque<String>);

impl Pieces {
    pub fn hear(&mut self, run: &Run) {
        if run.digits.len() >= SHORTEST {
            self.0.push_back(run.digits.clone());
        }
        if self.0.len() > GROUPS_MAX {
            self.0.pop_front();
        }
    }

    /// Whether a group that was heard and others are a card's number: with one more in any order, or as a row of up to four.
    pub fn complete(&self, digits: &str) -> bool {
        let pairs = || {
            let with = |other: &String| {
                forms(other).any(|other| {
                    forms(digits).any(|one| is_card([one, other]) || is_card([other, one]))
                })
            };
            self.0.iter().filter(|other| *other != digits).any(with)
        };
        let rows = || {
            let groups: Vec<&str> = self.0.iter().map(String::as_str).collect();
            (3..=IN_ORDER_MAX)
                .any(|count| groups.windows(count).filter(|row| row.contains(&digits)).any(is_row))
        };
        self.0.iter().any(|heard| heard == digits) && (pairs() || rows())
    }
}

/// As it was heard, and without the first digit: "the first eight", "line 2".
fn forms(digits: &str) -> impl Iterator<Item = &str> {
    let rest = digits.get(1..).filter(|rest| rest.len() >= SHORTEST);
    std::iter::once(digits).chain(rest)
}

fn is_card(pair: [&str; 2]) -> bool {
    is_number(&pair.concat())
}

/// As long as nearly all are: shorter and longer ones add up by chance too often.
fn is_number(digits: &str) -> bool {
    (15..=USUAL).contains(&digits.len()) && is_whole_card(digits)
}

/// All as they were heard, or all without a number before them.
fn is_row(row: &[&str]) -> bool {
    let bare: Vec<&str> = row.iter().filter_map(|group| group.get(1..)).collect();
    is_number(&row.concat()) || is_number(&bare.concat())
}

#[cfg(test)]
mod tests {
    use crate::domain::RedactionOutcome;
    use crate::insight::redaction::Masker;

    /// What can be read of a chat when it is over. Whoever begins with ">" is the agent.
    fn read(messages: &[&str]) -> String {
        let mut masker = Masker::default();
        let (mut texts, mut resolved) = (Vec::new(), Vec::new());
        for (number, message) in (1..).zip(messages) {
            let party = if message.starts_with('>') { "p-2" } else { "p-1" };
            let turn = format!("t-{number}");
            let masked = masker.typed_turn(&party.into(), &turn.as_str().into(), message);
            texts.push((turn, masked.text));
            resolved.extend(masked.resolved);
        }
        resolved.extend(masker.finish());
        for one in resolved {
            let RedactionOutcome::Released(words) = &one.outcome else { continue };
            let (_, text) =
                texts.iter_mut().find(|(turn, _)| one.turn_id.as_str() == turn).expect("a turn");
            *text = text.released(&one.placeholder, words);
        }
        texts.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn in_any_order_and_by_anybody_it_is_a_card() {
        for messages in [
            &["the first eight are 45391488 the last eight are 03436467"] as &[&str],
            &["last eight are 03436467, the first eight are 45391488"],
            &["line 1: 4539 1488\nline 2: 0343 6467"],
            &["part 1 45391488 part 2 03436467"],
            &["ends in 6467. starts 4539 1488 0343"],
            &["45391488 my friend tells me the rest: 03436467"],
            &["the first eight are 45391488", "the last eight are 03436467"],
            &["the last eight are 03436467", "the first eight are 45391488"],
            &["I sent 45391488 to Bob", "> and 03436467?"],
            &["split: 45391488", "> go on, 0343", "6467"],
        ] {
            assert!(!read(messages).contains("45391488"), "{}", read(messages));
            assert!(!read(messages).contains("4539 1488"), "{}", read(messages));
        }
    }

    #[test]
    fn what_comes_behind_a_whole_card_is_its_own() {
        for (said, kept) in [
            ("call me on 020 7946 0123", "call me on 020 7946 0123"),
            ("my order number is 44712290", "my order number is 44712290"),
            ("the parcel comes on 14/03/2026", "the parcel comes on 14/03/2026"),
            ("1200 High Street", "1200 High Street"),
            ("one more thing: the year 2019", "one more thing: the year 2019"),
            ("cvv 829", "cvv [security_code-1]"),
            ("09/27", "[card-1]"),
            ("it was 4539 1488 0343 6467", "it was [card-1]"),
        ] {
            let all = read(&["my card is 4539 1488 0343 6467", said]);
            assert_eq!(all, format!("my card is [card-1] | {kept}"));
        }
    }

    #[test]
    fn letters_between_the_groups_do_not_help_a_number_out() {
        for card in [
            "4539x1488x0343x6467",
            "4x5x3x9x1x4x8x8x0x3x4x3x6x4x6x7",
            "card4539A1488A0343A6467",
            "4539\\n1488\\n0343\\n6467",
            "4539&ndash;1488&ndash;0343&ndash;6467",
            "4539ー1488ー0343ー6467",
            r#"{"p1":"45391488","p2":"03436467"}"#,
            "PAN1=45391488;PAN2=03436467",
        ] {
            assert_eq!(read(&[card]), "[card-1]", "{card}");
        }
        for other in ["SKU4x200x300x50", "v1=20261128;v2=20261129"] {
            assert_eq!(read(&[other]), other);
        }
    }
}
