//! Digits that are something else's than a card's: an order's, a parcel's, a device's, a book's.
//!
//! As many digits as a card has are one even without its check digit, since recognisers mishear and people mistype. They
//! are shown only where somebody says what else they number, or where their form is another's.

use std::collections::VecDeque;
use std::sync::LazyLock;

use regex::Regex;

use super::digits::Run;
use super::{Fragment, Masker, RawWord, State, card};

/// Digits are something else's when one of so many words before them says so.
const WITHIN_WORDS: usize = 4;
/// What long digits number is said so many words before them, and nothing but `LINKS` between.
const LINKED_WORDS: usize = 8;

/// Words that say of the digits behind them that they are something else's.
const OTHERS: [&str; 44] = [
    "account",
    "appointment",
    "bill",
    "booking",
    "bought",
    "build",
    "call",
    "case",
    "claim",
    "code",
    "contract",
    "customer",
    "error",
    "extension",
    "extensions",
    "fax",
    "flat",
    "flight",
    "house",
    "id",
    "invoice",
    "member",
    "membership",
    "meter",
    "mobile",
    "model",
    "order",
    "paid",
    "parcel",
    "phone",
    "policy",
    "postcode",
    "reach",
    "reads",
    "ref",
    "reference",
    "room",
    "serial",
    "telephone",
    "ticket",
    "tracking",
    "version",
    "year",
    "zip",
];
/// Words that say of long digits, too, what they number.
const NUMBERED: [&str; 33] = [
    "auftragsnummer",
    "barcode",
    "bestellnummer",
    "booking",
    "case",
    "claim",
    "confirmation",
    "consignment",
    "contract",
    "ean",
    "eid",
    "iccid",
    "imei",
    "imeis",
    "imeisv",
    "invoice",
    "isbn",
    "mpan",
    "order",
    "orders",
    "package",
    "parcel",
    "policy",
    "receipt",
    "ref",
    "reference",
    "sendungsnummer",
    "serial",
    "shipment",
    "ticket",
    "tracking",
    "voucher",
    "waybill",
];
/// Between what is numbered and its number.
const LINKS: [&str; 50] = [
    "a", "and", "code", "e-mail", "email", "er", "erm", "from", "gave", "get", "got", "have",
    "hyphen", "i", "i've", "id", "in", "is", "it", "it's", "its", "letter", "me", "my", "no", "nr",
    "num", "number", "numbers", "of", "ok", "okay", "on", "one", "our", "says", "sent", "sim",
    "so", "text", "that", "that's", "the", "this", "uh", "um", "was", "yes", "you", "your",
];
/// What is asked for: "What's the tracking number?"
static ASKED: LazyLock<Regex> = LazyLock::new(|| {
    let names = NUMBERED.join("|");
    let pattern = format!(
        r"(?i)\b(?:(?:{names})(?:['’]s)? (?:numbers?|no|id|code|reference|ref)|imei|iccid|isbn|mpan)\b[^.!?\d]{{0,40}}(?:\?|please\b|\bis\W*$)"
    );
    Regex::new(&pattern).expect("a pattern of this file")
});

pub(super) fn is_name(word: &str) -> bool {
    OTHERS.contains(&&*bare(word))
}

/// Whether the words before these digits, the nearest first, name something else; "my number is" says it of a
/// telephone's only.
pub(super) fn is_named<'a>(before: impl Iterator<Item = &'a str>, digits: &str) -> bool {
    let mut near =
        before.take(WITHIN_WORDS).take_while(|word| !word.contains(|c: char| c.is_ascii_digit()));
    let is_telephone = card::is_telephone(digits);
    near.any(|word| is_name(word) || is_telephone && word.eq_ignore_ascii_case("number"))
}

/// Whether somebody asks for the number of something else.
pub(super) fn is_asked(text: &str) -> bool {
    ASKED.is_match(text)
}

impl Masker {
    /// Whether long digits are no card's. Those that go on from others that are held back or a card's are, and so are
    /// those that read one back.
    pub(super) fn is_anothers(
        &self,
        trail: &VecDeque<Fragment>,
        words: &[RawWord],
        run: &Run,
        is_asked: bool,
    ) -> bool {
        if run.digits.len() < card::SHORTEST {
            return false;
        }
        let reads = |card: &String| card.contains(&run.digits) || run.digits.contains(&**card);
        let mut known = self.cards.iter().filter(|card| !card.is_empty());
        let goes_on = trail
            .back()
            .is_some_and(|last| run.leads && last.trails && !matches!(last.state, State::Shown));
        let said: Vec<&str> = words[run.first..=run.last].iter().map(|word| &*word.text).collect();
        let before = words[..run.first].iter().rev().map(|word| &*word.text);
        let said = said.join(" ");
        !known.any(reads) && !goes_on && is_anothers(before, is_asked, &run.digits, &groups(&said))
    }
}

/// Whether long digits are no card's: `before` are the words before them, the nearest first, `groups` the digits as they
/// were written.
pub(super) fn is_anothers<'a>(
    before: impl Iterator<Item = &'a str>,
    is_asked: bool,
    digits: &str,
    groups: &[&str],
) -> bool {
    if digits.len() < card::SHORTEST {
        return false;
    }
    if has_form(groups) {
        return true;
    }
    let mut is_device = false;
    let mut is_numbered = is_asked;
    for word in before.take(LINKED_WORDS) {
        let word = bare(word);
        is_device |= word.starts_with("imei");
        is_numbered |= NUMBERED.contains(&&*word);
        if is_numbered || !LINKS.contains(&&*word) {
            break;
        }
    }
    // A device's number (IMEI) begins like cards that have sixteen digits.
    let is_device = is_device && digits.len() == 15 && card::luhn(digits);
    let looks_begun = |group: &&str| group.len() >= card::SHORTEST && card::has_issuer(group);
    let may_be_misheard = card::is_of_length(digits) && card::has_issuer(digits);
    let begins_card = may_be_misheard || groups.iter().any(looks_begun);
    is_numbered && (is_device || !begins_card) && !card::look_like_card(groups)
}

/// A book's number (ISBN-13), and a shop's order (3-7-7): no network writes its numbers so.
fn has_form(groups: &[&str]) -> bool {
    match groups {
        [one] => {
            one.len() == 13 && (one.starts_with("978") || one.starts_with("979")) && is_ean(one)
        }
        _ => groups.iter().map(|group| group.len()).eq([3, 7, 7]),
    }
}

/// The check digit of GS1's numbers (ISO/IEC 15420).
fn is_ean(digits: &str) -> bool {
    let weighed = digits.bytes().zip([1, 3].into_iter().cycle());
    weighed.map(|(byte, weight)| u32::from(byte - b'0') * weight).sum::<u32>().is_multiple_of(10)
}

/// The groups of digits in a text.
pub(super) fn groups(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).collect()
}

fn bare(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase().replace('\u{2019}', "'")
}

#[cfg(test)]
mod tests {
    use super::super::{Masker, RawWord, typed};

    fn shown(turns: &[&str], is_typed: bool) -> String {
        let mut masker = Masker::default();
        let word =
            |text: &str| RawWord { text: text.to_owned(), start_ms: 0, end_ms: 0, confidence: 1.0 };
        let mut turn = |text: &&str| {
            let words: Vec<RawWord> = text.split(' ').map(word).collect();
            let party = if text.starts_with('>') { "p-2" } else { "p-1" };
            let masked = match is_typed {
                true => masker.typed_turn(&party.into(), &"t-1".into(), text),
                false => masker.final_turn(&party.into(), &"t-1".into(), &words),
            };
            masked.text.as_str().to_owned()
        };
        turns.iter().map(&mut turn).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn long_numbers_of_other_things_are_shown() {
        for text in [
            "my order number is 171-1234567-1234567, where is it?",
            "171-1234567-1234567",
            "Tracking: 00340434161094022115",
            "9780306406157",
            "the IMEI is 356938035643809",
            "the SIM's number, the ICCID, is 8944200012345678902",
            "the order number that you sent me is 7712345678901",
            "session 550e8400-e29b-41d4-a716-446655440000 broke",
        ] {
            let turns = [text, "and 12 more", "thanks"];
            assert_eq!(shown(&turns, true), turns.join("|"));
            assert_eq!(typed(text).as_str(), text);
        }
        for turns in [
            &["the tracking number is 0034 0434 1610 9402 2115 I think"][..],
            &["> What's the tracking number?", "It's 0034 0434 1610 9402 2115"],
            &["the driver left a card", "the tracking number is 0034 0434 1610 9402 2115"],
        ] {
            assert_eq!(shown(turns, false), turns.join("|"));
        }
    }

    #[test]
    fn what_may_be_a_card_is_none_of_them() {
        for text in [
            "my order number is 4539148803436467",
            // A digit is wrong, lost or one too many.
            "my order number is 4539148803436468",
            "order 453914880343646",
            "order 45391488003436467",
            "order 12345 4539148803436468 was charged twice",
            "378282246310005",
            "order 00004539148803436467",
            "my order was 4539148803436467 and 1226",
            // Nobody says what it numbers.
            "1732950000000",
            "the account is 9539148803436467",
            "for the order I paid with 9539 1488 0343 6467",
            "it reads 9539 1488 0343 6467",
            "my IMEI 3566 9999 0123 457",
            "the bank account number is 12-3405-0123456-50",
        ] {
            for is_typed in [true, false] {
                let masked = shown(&[text], is_typed);
                assert!(masked.contains("[card-1]"), "{text}: {masked}");
            }
            assert!(typed(text).as_str().contains("[card-1]"), "{text}");
        }
        assert_eq!(typed("DE89370400440532013001").as_str(), "DE[card-1]");
        for turns in [
            &["> What is the card number?", "9539148803436467"][..],
            &["> What's the order number?", "4539 1488", "0343 6467 1226 737"],
            &["4539148803436467", "> ok", "> Is order 453914880343646 right?"],
        ] {
            let masked = shown(turns, true);
            let last = masked.rsplit('|').next().unwrap_or_default();
            assert!(last.contains("[card-1]"), "{masked}");
        }
    }
}
