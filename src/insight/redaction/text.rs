//! Masks a text by itself: what was typed into a form, a field of another system, an article.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::digits::runs;
use super::find::{self, Before, Found, Places};
use super::fold::{Folded, folded};
use super::kind::{self, Kinds, Secret};
use super::ledger::Ledger;
use super::{another, card};
use crate::domain::Redacted;

/// A number with letters in it is one if it has so many digits.
const LOOKALIKE_DIGITS_MIN: usize = 8;

static TAG: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^</?[A-Za-z][^<>]{0,200}>").expect("a pattern of this file"));
/// The digits in one (RFC 9562) are no number.
static UUID: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
        .expect("a pattern of this file")
});
static LOOKALIKE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[0-9OoIl](?:[ -]?[0-9OoIl]){12,18}").expect("a pattern of this file")
});

/// Where a secret stands in a text, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: usize,
    pub end: usize,
    pub kind: Secret,
}

/// Masks what somebody typed or another system holds, such as a question, an edited reply or a contact's fields.
/// However a card's digits are set apart: up to three characters that are no letters may stand between two.
pub fn typed(text: &str) -> Redacted {
    masked(text, kind::masked(), Before::default(), &mut Ledger::default())
}

/// Masks what a company publishes: payment cards only, since its own account or its sample of a password is no
/// secret of a customer's, and a quotation must be found where it stands.
pub fn published(text: &str) -> Redacted {
    masked(text, Kinds::of(&[Secret::Card]), Before::default(), &mut Ledger::default())
}

/// Where secrets of these kinds stand, cards among them, in order and none over another.
pub fn spans(text: &str, kinds: Kinds) -> Vec<Span> {
    let read = folded(text);
    let span = |found: Found| {
        let Range { start, end } = read.written(found.range());
        Span { start, end, kind: found.kind }
    };
    found_in(&read, kinds, Before::default()).into_iter().map(span).collect()
}

pub(super) fn masked(text: &str, kinds: Kinds, before: Before, ledger: &mut Ledger) -> Redacted {
    let read = folded(text);
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for found in found_in(&read, kinds, before) {
        let place = read.written(found.range());
        // One character can be the end of one number and the beginning of the next.
        out.push_str(text.get(from..place.start).unwrap_or_default());
        out.push_str(&ledger.placeholder(found.kind, &read.as_str()[found.range()]));
        from = place.end;
    }
    out.push_str(&text[from..]);
    Redacted::vouched(out)
}

fn found_in(read: &Folded<'_>, kinds: Kinds, before: Before) -> Vec<Found> {
    let text = read.as_str();
    let is_only_cards = kinds == Kinds::of(&[Secret::Card]);
    let mut found = if is_only_cards { Vec::new() } else { find::find(text, kinds, before) };
    if kinds.has(Secret::Card) {
        let mut taken: Places = found.iter().map(Found::range).collect();
        found.extend(cards(text, before.other, &mut taken));
        found.sort_by_key(|found| found.start);
    }
    found
}

/// Cards in digits, then those in words; what is found already is no part of them.
fn cards(text: &str, is_asked: bool, taken: &mut Places) -> Vec<Found> {
    const BETWEEN_MAX: usize = 3;
    const UNSEEN_MAX: usize = 1_000;
    let characters: Vec<(usize, char)> = text.char_indices().collect();
    let ids: Vec<Range<usize>> = (UUID.find_iter(text))
        .filter(|id| id.as_str().contains(char::is_alphabetic))
        .map(|id| id.range())
        .collect();
    let is_other = |at: usize| {
        let byte = characters[at].0;
        taken.overlap(&(byte..byte + 1)) || ids.iter().any(|id| id.contains(&byte))
    };
    let end_of = |at: usize| characters.get(at + 1).map_or(text.len(), |(byte, _)| *byte);
    let mut found = Vec::new();
    let mut at = 0;
    while at < characters.len() {
        if !characters[at].1.is_ascii_digit() || is_other(at) {
            at += 1;
            continue;
        }
        let (mut digits, mut last, mut next) = (String::new(), at, at);
        // Tags of HTML, which nobody sees.
        let mut unseen = 0;
        while next < characters.len() && next - last - unseen <= BETWEEN_MAX + 1 && !is_other(next)
        {
            let rest = || &text[characters[next].0..];
            let is_tag = characters[next].1 == '<' && unseen < UNSEEN_MAX;
            if let Some(tag) = is_tag.then(|| TAG.find(rest())).flatten() {
                let length = tag.as_str().chars().count();
                (unseen, next) = (unseen + length, next + length);
                continue;
            }
            if characters[next].1.is_ascii_digit() {
                digits.push(characters[next].1);
                (last, unseen) = (next, 0);
            } else if characters[next].1.is_alphabetic() {
                break;
            }
            next += 1;
        }
        let place = characters[at].0..end_of(last);
        if card::is_card(&digits) && !is_anothers(text, place, is_asked, &digits) {
            found.push(Found { start: characters[at].0, end: end_of(last), kind: Secret::Card });
        }
        at = last + 1;
    }
    taken.extend(found.iter().map(Found::range));
    let in_words = spelled(text, is_asked, taken);
    taken.extend(in_words.iter().map(Found::range));
    let with_letters = lookalikes(text, taken);
    taken.extend(with_letters.iter().map(Found::range));
    found.extend(in_words.into_iter().chain(with_letters));
    found
}

/// Whether what was typed before these digits, or their form, says that they are no card's.
fn is_anothers(text: &str, place: Range<usize>, is_asked: bool, digits: &str) -> bool {
    let before = text[..place.start].split_whitespace().rev();
    // "DE8937…" is no number of its own.
    let is_alone = !text[..place.start].ends_with(char::is_alphanumeric);
    is_alone && another::is_anothers(before, is_asked, digits, &another::groups(&text[place]))
}

/// Numbers with letters that look like a nought or a one. Issuer and check digit have to fit: names of things have such
/// letters too.
fn lookalikes(text: &str, taken: &Places) -> Vec<Found> {
    let is_alone = |start: usize, end: usize| {
        let is_of_word = |c: char| c.is_alphanumeric();
        !text[..start].ends_with(is_of_word) && !text[end..].starts_with(is_of_word)
    };
    let digits = |written: &str| -> String {
        let digit = |c: char| match c {
            'O' | 'o' => Some('0'),
            'I' | 'l' => Some('1'),
            c => Some(c).filter(char::is_ascii_digit),
        };
        written.chars().filter_map(digit).collect()
    };
    LOOKALIKE
        .find_iter(text)
        .map(|hit| Found { start: hit.start(), end: hit.end(), kind: Secret::Card })
        .filter(|found| {
            let written = &text[found.range()];
            let is_free = !taken.overlap(&found.range());
            let real = written.bytes().filter(u8::is_ascii_digit).count();
            is_free
                && is_alone(found.start, found.end)
                && real >= LOOKALIKE_DIGITS_MIN
                && card::is_whole_card(&digits(written))
        })
        .collect()
}

/// Numbers that are typed in words.
fn spelled(text: &str, is_asked: bool, taken: &Places) -> Vec<Found> {
    let words = find::words(text);
    // A word that is taken interrupts a number, as any other word does.
    let shown = words.iter().map(|word| match taken.overlap(&word.range()) {
        true => "taken",
        false => word.text,
    });
    runs(shown)
        .into_iter()
        .filter(|run| {
            let place = words[run.first].start..words[run.last].range().end;
            card::is_card(&run.digits) && !is_anothers(text, place, is_asked, &run.digits)
        })
        .map(|run| {
            let last = &words[run.last];
            let end = last.start + last.text.trim_end_matches(['.', ',', '?', '!']).len();
            Found { start: words[run.first].start, end, kind: Secret::Card }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every(text: &str) -> String {
        masked(text, Kinds::EVERY, Before::default(), &mut Ledger::default()).as_str().to_owned()
    }

    #[test]
    fn what_other_systems_hold_is_masked_too() {
        for (text, expected) in [
            (
                "postgres://app:hunter22@db.example.com/x",
                "postgres://[credentials-1]@db.example.com/x",
            ),
            ("key sk_live_51HqZ8yKx9a7Lm2 of the shop", "key [credentials-1] of the shop"),
            ("bck_abcdefghij_K5AiifK5AiifK5Aiif12.", "[credentials-1]."),
            ("it is bct_K5AiifK5Aiif-K5Aiif_12", "it is [credentials-1]"),
            ("api_key=\"9f8e7d6c5b4a\"", "api_key=\"[credentials-1]\""),
            ("IBAN: DE89 3704 0044 0532 0130 00.", "IBAN: [iban-1]."),
            ("de89370400440532013000", "[iban-1]"),
            ("SSN 219-09-9999", "SSN [national_id-1]"),
            ("password: Tr0ub4dor, the rest is fine", "password: [password-1], the rest is fine"),
            ("card 4539148803436467, iban DE89370400440532013000", "card [card-1], iban [iban-1]"),
            ("DE89 3704 0044 0532 0130 01 isn't one", "DE[card-1] isn't one"),
            ("ann@example.com and 192.168.1.7", "ann@example.com and 192.168.1.7"),
        ] {
            assert_eq!(typed(text).as_str(), expected);
        }
        assert_eq!(every("ann@example.com and 192.168.1.7"), "[email-1] and [ip_address-1]");
        assert_eq!(
            published("Our IBAN is DE89370400440532013000").as_str(),
            "Our IBAN is DE[card-1]"
        );
    }

    #[test]
    fn tags_and_letters_like_digits_do_not_help_a_card_out() {
        for card in ["<b>45391488</b>03436467", "4539l488O3436467", "4539 I488 o343 6467"] {
            let shown = typed(&format!("it is {card}, yes"));
            assert!(shown.as_str().contains("[card-1]"), "{card}: {}", shown.as_str());
            assert!(!shown.as_str().contains("6467"), "{card}: {}", shown.as_str());
        }
        for plain in ["model 4539l488O3436468", "<b>4711</b> and <i>4712</i>", "lOOlOOlOOlOOlOO"] {
            assert_eq!(typed(plain).as_str(), plain);
        }
    }
}
