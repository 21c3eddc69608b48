//! Telephone numbers.

use std::sync::LazyLock;

use regex::Regex;

use super::{Found, Secret, may_be_card};

/// Digits of a number as people write it (E.164 has up to 15), and of one without its area.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;
/// Such a cue holds for so many bytes.
const REACH_BYTES: usize = 50;

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern of this file")
}

static WRITTEN: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?:\+|\b00)?\(?\d[\d]*\)?(?:[ ./–-]{0,3}\(?\d+\)?)*(?:\s?(?:x|ext\.?|extension)\s?\d{1,6}\b)?",
    )
});
static CUE: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)\b(?:phones?|telephone|tel|mobile|cell(?:phone)?|landline|fax|whatsapp|call(?:ed|s|ing)?|calling from|reach|ring|rang|contact|sms|texts?|texted|messages?|dial(?:led|ed)?|number)\b",
    )
});
static DATE: LazyLock<Regex> =
    LazyLock::new(|| regex(r"^(?:\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}[./-]\d{1,2}[./-]\d{1,2})$"));

pub(super) fn phones(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    for hit in WRITTEN.find_iter(text) {
        let written = hit.as_str().trim_end_matches([' ', '(', '.', '-']);
        let main = written.split(['x', 'e']).next().unwrap_or(written);
        let digits: String = main.chars().filter(char::is_ascii_digit).collect();
        let is_international = main.starts_with('+') || main.starts_with("00");
        let is_card = may_be_card(&digits) && !is_international;
        if !DIGITS.contains(&digits.len()) || is_card || DATE.is_match(main.trim()) {
            continue;
        }
        let beside = |c: Option<char>| {
            c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '$' | '£' | '€' | '@' | '#' | '_'))
        };
        let around = (
            text[..hit.start()].chars().next_back(),
            text[hit.start() + written.len()..].chars().next(),
        );
        if beside(around.0) || beside(around.1) {
            continue;
        }
        let from = text.floor_char_boundary(hit.start().saturating_sub(REACH_BYTES));
        let is_cued = CUE.is_match(&text[from..hit.start()]);
        if is_international && main.len() > 8 || is_shaped(main, &digits) || is_cued {
            found.push(Found {
                start: hit.start(),
                end: hit.start() + written.len(),
                kind: Secret::Phone,
            });
        }
    }
    found
}

/// Grouped as telephone numbers are and other numbers seldom: "541-714-1388", "(02) 9385 1234", "0161 496 0000".
fn is_shaped(written: &str, digits: &str) -> bool {
    let groups: Vec<usize> = written
        .split(|c: char| !c.is_ascii_digit())
        .filter(|group| !group.is_empty())
        .map(str::len)
        .collect();
    let is_ssn = groups == [3, 2, 4];
    let has_area = written.starts_with('(') && written.contains(')');
    let is_national =
        digits.starts_with('0') && digits.len() >= 9 && groups.len() >= 2 && groups[0] >= 2;
    let is_grouped = groups.len() >= 3
        && groups.iter().all(|group| (1..=5).contains(group))
        && digits.len() >= 8;
    let is_american =
        groups == [3, 3, 4] || groups == [1, 3, 3, 4] || groups == [3, 4] && written.contains('-');
    !is_ssn && (has_area || is_national || is_grouped || is_american)
}
