//! Which secrets are sure enough that no card is looked for where they stand.

use std::ops::Range;

use super::card;
use super::digits::runs;
use super::find::Found;
use super::kind::Secret;

/// Whether what a run has beyond a secret is too short for a card. A date may stand within one ("45 12 3 84 …").
pub(super) fn leaves_no_card(secret: &Found, digits: &Range<usize>, line: &str) -> bool {
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

/// Kinds whose shape or check digits leave no doubt.
pub(super) fn is_proven(kind: Secret) -> bool {
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
