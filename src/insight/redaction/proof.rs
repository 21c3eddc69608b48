//! Which secrets are sure enough that no card is looked for where they stand.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use super::card;
use super::digits::runs;
use super::find::Found;
use super::kind::Secret;
use super::{Fragment, State};

/// Whether what a run has beyond a secret is too short for a card. A date may stand within one ("45 12 3 84 …").
fn leaves_no_card(secret: &Found, digits: &Range<usize>, line: &str) -> bool {
    let covers = secret.start <= digits.start && digits.end <= secret.end;
    let behind = line.get(secret.end..digits.end).unwrap_or_default();
    let length: usize = runs(behind.split_whitespace()).iter().map(|run| run.digits.len()).sum();
    let is_date = matches!(secret.kind, Secret::BirthDate | Secret::Date);
    // Bare numbers may be the last of a card's all the same.
    let is_bare = line[secret.range()].chars().all(|c| c.is_ascii_digit() || c == ' ');
    match is_date {
        true => covers && !is_bare,
        false => covers || length < card::SHORTEST,
    }
}

/// Whether the card that was said last is whole: its groups together, or the last of them.
pub(super) fn is_complete(trail: &VecDeque<Fragment>) -> bool {
    let groups = trail.iter().rev().take_while(|one| matches!(one.state, State::Card(_)));
    let mut number = String::new();
    for group in groups.take(card::USUAL) {
        number.insert_str(0, &group.digits);
        if card::is_complete(&number) {
            return true;
        }
    }
    false
}

/// What stands where a run does, the last first.
pub(super) fn standing(secrets: &BTreeMap<usize, Found>, place: &Range<usize>) -> Vec<Found> {
    let before = secrets.range(..place.end).rev().map(|(_, secret)| *secret);
    before.take_while(|secret| place.start < secret.end).collect()
}

/// Check digits and marks prove what it is; a card can't be part of it, but stand behind it.
pub(super) fn is_none_of_a_card(over: &[Found], digits: &Range<usize>, line: &str) -> bool {
    over.iter().any(|secret| is_proven(secret.kind) && leaves_no_card(secret, digits, line))
}

/// Kinds whose shape or check digits leave no doubt.
fn is_proven(kind: Secret) -> bool {
    !matches!(
        kind,
        Secret::SecurityCode
            | Secret::BankAccount
            | Secret::OneTimeCode
            | Secret::Password
            | Secret::Phone
            | Secret::DrivingLicence
            | Secret::Person
            | Secret::Organisation
            | Secret::Address
            | Secret::Place
            | Secret::Age
    )
}
