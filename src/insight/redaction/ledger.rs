//! Which secret has which placeholder in one conversation, so that the same one said again is the same one.

use std::collections::{BTreeMap, BTreeSet};

use super::digits::runs;
use super::kind::Secret;
use super::vault::kept_of;

/// Digits of fewer places are said too often to be known again.
const KNOWN_DIGITS_MIN: usize = 4;

/// Secrets of a conversation that were told apart, in memory only.
#[derive(Clone, Default)]
pub(super) struct Ledger {
    entries: Vec<Entry>,
    /// Whether what placeholders stand for is kept in `fresh` until it is sealed.
    pub keeps: bool,
    pub fresh: BTreeMap<String, String>,
    /// Placeholders that were in `fresh`, or never will be.
    kept: BTreeSet<String>,
    /// For so many turns a code or password is spoken of.
    pub wary: u32,
    /// A password or one-time code was asked for.
    pub is_asked: bool,
}

#[derive(Clone)]
struct Entry {
    kind: Secret,
    number: u32,
    /// In a form in which the same secret is the same; empty after a restart.
    value: String,
}

impl Ledger {
    /// The placeholder of a secret as it was said or written.
    pub fn placeholder(&mut self, kind: Secret, raw: &str) -> String {
        let value = plain(kind, raw);
        let same = |entry: &&Entry| {
            entry.kind == kind && !value.is_empty() && is_same(kind, &entry.value, &value)
        };
        let number = match self.entries.iter().find(same) {
            Some(entry) => entry.number,
            None => {
                let number = self.highest(kind) + 1;
                self.entries.push(Entry { kind, number, value });
                number
            }
        };
        let placeholder = format!("[{}-{number}]", kind.as_str());
        self.keep(kind, &placeholder, raw);
        placeholder
    }

    fn keep(&mut self, kind: Secret, placeholder: &str, raw: &str) {
        if !self.wants(placeholder) {
            return;
        }
        let is_wary = if kind == Secret::Card { self.is_asked } else { self.wary > 0 };
        match kept_of(kind, raw) {
            // It may be the code: for good, since it may be read back later.
            Some(_) if is_wary && kind != Secret::Iban => self.keep_as(placeholder, None),
            value @ Some(_) => self.keep_as(placeholder, value),
            None => {}
        }
    }

    /// Whether it isn't known yet what a placeholder stands for, and somebody is to know it.
    pub fn wants(&self, placeholder: &str) -> bool {
        self.keeps && !self.kept.contains(placeholder)
    }

    /// Takes note of what a placeholder stands for; `None`: of nothing, for good.
    pub fn keep_as(&mut self, placeholder: &str, value: Option<String>) {
        self.kept.insert(placeholder.to_owned());
        self.fresh.extend(value.map(|value| (placeholder.to_owned(), value)));
    }

    /// Whose digits these are, said once more.
    pub fn known(&self, digits: &str) -> Option<Secret> {
        let is_long = digits.len() >= KNOWN_DIGITS_MIN;
        let entry = self.entries.iter().find(|entry| is_long && entry.value == digits)?;
        Some(entry.kind)
    }

    /// Whether this is part of an account's number that is known by now.
    pub fn has_iban_with(&self, raw: &str) -> bool {
        let part = plain(Secret::Iban, raw);
        let is_one = |entry: &Entry| entry.kind == Secret::Iban && entry.value.contains(&part);
        part.len() >= KNOWN_DIGITS_MIN && self.entries.iter().any(is_one)
    }

    /// Counts on from a placeholder of before a restart.
    pub fn remember(&mut self, kind: Secret, number: u32) {
        if number > self.highest(kind) {
            self.entries.push(Entry { kind, number, value: String::new() });
        }
    }

    pub fn highest(&self, kind: Secret) -> u32 {
        self.entries
            .iter()
            .filter(|entry| entry.kind == kind)
            .map(|entry| entry.number)
            .max()
            .unwrap_or(0)
    }
}

/// Digits where a secret is digits, however they were said; otherwise small letters and digits.
fn plain(kind: Secret, raw: &str) -> String {
    let is_number = matches!(
        kind,
        Secret::SecurityCode
            | Secret::BankAccount
            | Secret::OneTimeCode
            | Secret::Phone
            | Secret::NationalId
    );
    if is_number {
        let digits: String =
            runs(raw.split_whitespace()).into_iter().map(|run| run.digits).collect();
        if digits.len() > 2 && !raw.bytes().any(|byte| byte.is_ascii_digit()) {
            return digits;
        }
    }
    let is_spaced = matches!(kind, Secret::Person | Secret::Address | Secret::Organisation);
    let kept = raw.chars().filter(|c| c.is_alphanumeric() || is_spaced && c.is_whitespace());
    kept.flat_map(char::to_lowercase).collect()
}

/// "Smith" is who was "Ann Smith" before.
fn is_same(kind: Secret, known: &str, value: &str) -> bool {
    let is_part = |part: &str, whole: &str| {
        let whole: Vec<&str> = whole.split_whitespace().collect();
        !part.is_empty() && part.split_whitespace().all(|word| whole.contains(&word))
    };
    known == value
        || kind == Secret::Person
            && !known.is_empty()
            && (is_part(value, known) || is_part(known, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_secret_has_the_same_placeholder() {
        let mut ledger = Ledger::default();
        let mut name = |kind, raw| ledger.placeholder(kind, raw);
        assert_eq!(name(Secret::OneTimeCode, "482 913"), "[one_time_code-1]");
        assert_eq!(name(Secret::OneTimeCode, "four eight two nine one three"), "[one_time_code-1]");
        assert_eq!(name(Secret::OneTimeCode, "1234"), "[one_time_code-2]");
        assert_eq!(name(Secret::Iban, "GB82 WEST 1234"), "[iban-1]");
        assert_eq!(name(Secret::Iban, "gb82west1234"), "[iban-1]");
        assert_eq!(name(Secret::Person, "Ann Smith"), "[person-1]");
        assert_eq!(name(Secret::Person, "Smith"), "[person-1]");
        assert_eq!(name(Secret::Person, "Smithers"), "[person-2]");
        assert_eq!(ledger.known("482913"), Some(Secret::OneTimeCode));
        ledger.remember(Secret::Iban, 7);
        assert_eq!(ledger.placeholder(Secret::Iban, "x"), "[iban-8]");
    }
}
