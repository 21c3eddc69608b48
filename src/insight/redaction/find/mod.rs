//! Finds secrets in a text: by their shape and check digits, by what was said before them, and names by lists.
//!
//! It says where they stand and changes nothing. Payment cards are not found here: their digits come over several turns,
//! which `Masker` remembers.

mod accounts;
mod checks;
mod cues;
mod dates;
mod ibans;
mod joined;
mod lists;
mod names;
mod numbers;
mod passwords;
mod places;
mod shapes;
mod street;
mod tokens;
mod words;

use std::ops::Range;

use super::digits::{self, Run};
use super::kind::{Kinds, Secret};
use super::{another, card};
pub(super) use cues::ANSWER_WITHIN_WORDS;
pub(super) use ibans::{Part as IbanPart, part as part_of_iban};
pub(super) use places::Places;

/// Where a secret stands, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub start: usize,
    pub end: usize,
    pub kind: Secret,
}

impl Found {
    pub fn range(&self) -> Range<usize> {
        self.start..self.end
    }
}

/// What was asked for or spoken of in the turns before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Before {
    /// Somebody asked for these, or began to say them.
    pub asked: Kinds,
    /// A bank account is the matter.
    pub of_bank: bool,
    /// An account's number was asked for, and not whose: the company's own number for a customer is no secret, and is
    /// looked up.
    pub account: bool,
    /// The number of something else was asked for: an order, a parcel.
    pub other: bool,
}

impl Default for Before {
    fn default() -> Self {
        Self { asked: Kinds::NONE, of_bank: false, account: false, other: false }
    }
}

impl Before {
    /// But this kind, which was said.
    pub fn without(self, kind: Secret) -> Self {
        let account = self.account && kind != Secret::BankAccount;
        Self { asked: self.asked.without(kind), account, ..self }
    }

    /// Both.
    pub fn and(self, other: Self) -> Self {
        Self {
            asked: self.asked.and(other.asked),
            of_bank: self.of_bank || other.of_bank,
            account: self.account || other.account,
            other: self.other || other.other,
        }
    }
}

/// A word between white space.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word<'a> {
    pub text: &'a str,
    pub start: usize,
}

impl Word<'_> {
    pub fn range(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    /// From the first to the last letter or digit.
    fn trimmed(&self) -> (usize, usize) {
        let is_mark = |c: char| !c.is_alphanumeric();
        let head = self.text.len() - self.text.trim_start_matches(is_mark).len();
        (self.start + head, self.start + self.text.trim_end_matches(is_mark).len())
    }

    /// Its capitals and digits as of an identifier: written, or spelled one by one.
    fn characters(&self) -> Option<String> {
        let bare: String = self.text.chars().filter(|c| c.is_alphanumeric()).collect();
        if bare.is_empty() {
            return None;
        }
        let is_code = bare.len() == 1 || bare.bytes().any(|byte| byte.is_ascii_digit());
        if is_code || self.text.chars().all(|c| c.is_ascii_uppercase() || !c.is_alphanumeric()) {
            return bare.is_ascii().then(|| bare.to_ascii_uppercase());
        }
        let run = digits::runs([self.text].into_iter()).pop()?;
        Some(run.digits)
    }
}

pub(super) fn words(text: &str) -> Vec<Word<'_>> {
    let base = text.as_ptr() as usize;
    text.split_whitespace()
        .map(|word| Word { text: word, start: word.as_ptr() as usize - base })
        .collect()
}

/// Finds what is secret of these kinds, cards excepted, in order and none over another. Placeholders stay alone.
pub(super) fn find(text: &str, kinds: Kinds, before: Before) -> Vec<Found> {
    let mut kept: Vec<Found> = Vec::new();
    let mut taken: Places = placeholders(text).into_iter().collect();
    let words = words(text);
    let runs = digits::runs(words.iter().map(|word| word.text));
    let mut keep = |candidates: Vec<Found>, kept: &mut Vec<Found>| {
        for mut found in candidates.into_iter().filter(|found| kinds.has(found.kind)) {
            // A password of several words ends where something else is known by its shape.
            if found.kind == Secret::Password
                && let Some(next) = taken.first_in(&found.range())
            {
                found.end = found.start + text[found.start..next].trim_end().len();
            }
            if taken.take(found.range()) {
                kept.push(found);
            }
        }
    };
    keep(shapes::shapes(text, &words), &mut kept);
    keep(cues::cued(text, &words, &runs, before), &mut kept);
    if kinds.has_any(Kinds::of(&[Secret::BirthDate, Secret::Date, Secret::Age])) {
        keep(dates::dates(text, before), &mut kept);
    }
    if kinds.has(Secret::Phone) {
        keep(numbers::phones(text), &mut kept);
    }
    const NAMES: Kinds = Kinds::of(&[
        Secret::Person,
        Secret::Organisation,
        Secret::Address,
        Secret::Place,
        Secret::Nationality,
        Secret::Title,
    ]);
    if kinds.has_any(NAMES) {
        let tokens = tokens::tokens(text);
        let addresses = street::addresses(&tokens);
        let taken = kept.iter().chain(&addresses).map(Found::range).collect();
        keep(addresses, &mut kept);
        keep(names::names(text, &tokens, &taken), &mut kept);
    }
    kept.sort_by_key(|found| found.start);
    kept
}

/// What at the end of a text that goes on may become an account's number or an address.
pub(super) fn unfinished(text: &str, kinds: Kinds, before: Before) -> Option<Range<usize>> {
    let words = words(text);
    let runs = digits::runs(words.iter().map(|word| word.text));
    let from = [
        cues::open_number(text, &words, &runs, kinds, before),
        kinds.has(Secret::Iban).then(|| ibans::open_iban(&words)).flatten(),
        kinds.has(Secret::Email).then(|| shapes::open_email(&words)).flatten(),
        kinds.has(Secret::BirthDate).then(|| dates::open_birth(text, before)).flatten(),
    ];
    from.into_iter().flatten().min().map(|from| from..text.len())
}

/// What somebody asks for in this text, or begins to say, and what is the matter.
pub(super) fn asked(text: &str) -> Before {
    cues::asked(text)
}

/// Whether money is about to go to a bank or come from one.
pub(super) fn speaks_of_bank(text: &str) -> bool {
    accounts::speaks_of_bank(text)
}

/// A run of digits that belongs to nothing else, as bytes of the text.
pub(super) fn range_of(run: &Run, words: &[Word<'_>]) -> Range<usize> {
    let (start, _) = words[run.first].trimmed();
    let (_, end) = words[run.last].trimmed();
    start..end.max(start)
}

/// Digits that may be a payment card's are no other secret.
fn may_be_card(digits: &str) -> bool {
    card::is_card(digits)
}

/// Where placeholders stand: `[iban-1]`.
pub(super) fn placeholders(text: &str) -> Vec<Range<usize>> {
    /// Bytes of the longest, without the brackets.
    const LONGEST: usize = 24;
    let mut found = Vec::new();
    for (start, _) in text.match_indices('[') {
        let rest = &text[start + 1..];
        let Some(end) = rest.bytes().take(LONGEST + 1).position(|byte| byte == b']') else {
            continue;
        };
        if is_placeholder(&rest[..end]) {
            found.push(start..start + end + 2);
        }
    }
    found
}

/// Kind and number, without the brackets.
fn is_placeholder(inner: &str) -> bool {
    inner.rsplit_once('-').is_some_and(|(kind, number)| {
        let is_number =
            (1..=4).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
        is_number && (kind == "digits" || Secret::named(kind).is_some())
    })
}
