//! Digits that are something else's than a card's: an order's, a parcel's, a device's, a book's.

use super::card;

/// Digits are something else's when one of so many words before them says so.
pub(super) const WITHIN_WORDS: usize = 4;

/// Words that say of the digits behind them that they are something else's.
const OTHERS: [&str; 52] = [
    "account",
    "appointment",
    "barcode",
    "bill",
    "booking",
    "bought",
    "build",
    "call",
    "case",
    "claim",
    "code",
    "consignment",
    "contract",
    "customer",
    "error",
    "extension",
    "extensions",
    "fax",
    "flat",
    "flight",
    "house",
    "iccid",
    "id",
    "imei",
    "invoice",
    "isbn",
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
    "shipment",
    "sim",
    "telephone",
    "ticket",
    "tracking",
    "version",
    "waybill",
    "year",
    "zip",
];

pub(super) fn is_name(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    OTHERS.contains(&&*word)
}

/// Whether the words before these digits name something else; "my number is" says it of a telephone's only.
pub(super) fn is_named<'a>(before: impl Iterator<Item = &'a str>, digits: &str) -> bool {
    let mut near =
        before.take(WITHIN_WORDS).take_while(|word| !word.contains(|c: char| c.is_ascii_digit()));
    let is_telephone = card::is_telephone(digits);
    near.any(|word| is_name(word) || is_telephone && word.eq_ignore_ascii_case("number"))
}

/// As many digits as a card has are one without its check digit, too, since recognisers mishear and people mistype.
/// These are none: somebody says what else they number, or typed them in one piece (`is_whole`), and they don't look
/// like a network's.
pub(super) fn is_anothers(digits: &str, is_named: bool, is_typed: bool, is_whole: bool) -> bool {
    // Devices' numbers (IMEI) begin like cards that have sixteen digits.
    let is_device = digits.len() == 15 && digits.starts_with("35");
    let is_misheard = !is_typed && card::has_issuer(digits) && !is_device;
    (is_named || is_typed && is_whole)
        && digits.len() >= card::SHORTEST
        && !is_misheard
        && !card::looks_like_card(digits)
}

/// "9780306406157", and nothing but marks around it.
pub(super) fn is_whole(word: &str) -> bool {
    let inner = word.trim_matches(|c: char| !c.is_alphanumeric());
    !inner.is_empty() && inner.bytes().all(|byte| byte.is_ascii_digit())
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
            let masked = match is_typed {
                true => masker.typed_turn(&"p-1".into(), &"t-1".into(), text),
                false => masker.final_turn(&"p-1".into(), &"t-1".into(), &words),
            };
            masked.text.as_str().to_owned()
        };
        turns.iter().map(&mut turn).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn long_numbers_of_other_things_are_shown() {
        for text in [
            "my order number is 171-1234567-1234567, where is it?",
            "Tracking: 00340434161094022115",
            "9780306406157",
            "it was at 1732950000000 or so",
            "the IMEI is 356938035643809",
            "the SIM's number, the ICCID, is 8944200012345678902",
            "session 550e8400-e29b-41d4-a716-446655440000 broke",
        ] {
            assert_eq!(
                shown(&[text, "and 12 more", "thanks"], true),
                [text, "and 12 more", "thanks"].join("|")
            );
            assert_eq!(typed(text).as_str(), text);
        }
        let said = "the tracking number is 0034 0434 1610 9402 2115 I think";
        assert_eq!(shown(&[said], false), said);
    }

    #[test]
    fn what_looks_like_a_card_is_none_of_them() {
        for text in [
            "my order number is 4539148803436467",
            // A digit is wrong.
            "4539148803436468",
            "4539 1488 0343 6468",
            "378282246310005",
            "order 00004539148803436467",
            "my order was 4539148803436467 and 1226",
            "order 45391488034364671226737",
        ] {
            let masked = shown(&[text], true);
            assert!(masked.contains("[card-1]") && !masked.contains("1488"), "{text}: {masked}");
            assert!(typed(text).as_str().contains("[card-1]"), "{text}");
        }
        for turns in
            [&["What is the card number?", "1732950000000"][..], &["4539 1488 0", "3436467000000"]]
        {
            let masked = shown(turns, true);
            assert!(!masked.contains("0000000") && masked.contains("[card-1]"), "{masked}");
        }
        let misheard = "my account details are 4539 1488 0343 646";
        assert!(shown(&[misheard], false).contains("[card-1]"));
    }
}
