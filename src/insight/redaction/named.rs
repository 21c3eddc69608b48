//! What programs call things, and the numbers that they send: neither is text, and both can hold a card's number.

use super::address::{address, attribute, secret_named};
use super::find::Before;
use super::kind::{self, Secret};
use super::ledger::Ledger;
use super::text::masked;
use super::{card, typed};
use crate::domain::Redacted;

/// Whether an identifier can be kept as it is. Masking it would make another name of it, so that whoever gives one that
/// looks like a card's number has to choose another.
///
/// One random identifier in fifty has thirteen digits in a row; two usual shapes are spared, in which nobody writes a
/// card's number: UUIDs, and Twilio's SIDs.
pub fn is_harmless_id(text: &str) -> bool {
    is_uuid(text) || is_sid(text) || typed(text).as_str() == text
}

/// Whether a thread of messages can be called this: as an identifier, or by the telephone number or the address of
/// whoever writes, which is no secret there whatever this process masks.
pub fn is_harmless_thread(text: &str) -> bool {
    let kinds = kind::masked().without(Secret::Phone).without(Secret::Email);
    let kept = || masked(text, kinds, Before::default(), &mut Ledger::default());
    is_uuid(text) || is_sid(text) || address(text).as_str() == text || kept().as_str() == text
}

/// What is to be kept of an attribute's number that begins and is as long as a card's, or is called a secret ("pin"); none
/// where the number can be kept.
///
/// The check digit isn't looked at: a float has no room for the last digits of the longest ones. Unix times in
/// milliseconds are as long as the shortest, and no network's numbers begin like those of this century.
pub fn number(name: &str, value: f64) -> Option<Redacted> {
    let written = value.to_string();
    let kept = attribute(name, &written, &[]);
    if kept.as_str() != written && secret_named(name).is_some() {
        return Some(kept);
    }
    let whole = format!("{:.0}", value.trunc().abs());
    let is_one = card::is_of_length(&whole) && card::has_issuer(&whole);
    is_one.then(|| typed(&whole))
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| is_hex(group))
        && has_letter(text)
}

/// Two letters for the kind of thing, and 32 hexadecimal digits.
fn is_sid(text: &str) -> bool {
    let Some((kind, rest)) = text.split_at_checked(2) else { return false };
    let is_kind = kind.bytes().all(|byte| byte.is_ascii_uppercase());
    is_kind && rest.len() == 32 && is_hex(rest) && has_letter(rest)
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn has_letter(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_of_other_systems_are_kept_and_card_numbers_are_not() {
        for id in [
            "case/7",
            "i-01JX7Q5M3R8Z6V0N4T2B9K1C5D",
            "2024-11-28-0001",
            "Emma",
            // Fifteen digits over a hyphen, and thirteen in a row.
            "550e8400-e29b-41d4-a716-446655440000",
            "WT1234567890123456789abcdef0123456",
        ] {
            assert!(is_harmless_id(id), "{id}");
        }
        for card in [
            "4111111111111111",
            "case 4111 1111 1111 1111",
            "i-4111-1111-1111-1111",
            "41111111-1111-1111-1111-111111111111",
            "WT41111111111111111111111111111111",
            "four one one one one one one one one one one one one one one one",
        ] {
            assert!(!is_harmless_id(card), "{card}");
        }
    }

    #[test]
    fn threads_are_called_by_numbers_and_addresses_and_not_by_secrets() {
        for id in [
            "+8613812345678",
            "004915112345678",
            "whatsapp:+5511961234567",
            "07700 900123",
            "ada@example.test",
            "<17.4711@mail.example.test>",
            "WT-17",
            "550e8400-e29b-41d4-a716-446655440000",
        ] {
            assert!(is_harmless_thread(id), "{id}");
        }
        for secret in [
            "4111111111111111",
            "+4111111111111111",
            "4111111111111111@example.test",
            "GB82WEST12345698765432",
            "219-09-9999",
            "my password is fluffy22",
            "AKIAIOSFODNN7EXAMPLE",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w",
        ] {
            assert!(!is_harmless_thread(secret), "{secret}");
        }
    }

    #[test]
    fn a_cards_number_is_none_and_a_time_is_one() {
        for plain in
            [0.0, -2.5, 0.1 + 0.2, 1_764_357_621_000.0, 441_234_567_890.0, f64::MAX, f64::NAN]
        {
            assert_eq!(number("reading", plain), None, "{plain}");
        }
        assert_eq!(number("pin", 4_829.0).expect("a secret").as_str(), "[password-1]");
        assert_eq!((number("pin", 1.0), number("pinned", 4_829.0)), (None, None));
        for card in [4_111_111_111_111_111.0, 378_282_246_310_005.0, -4_222_222_222_222.0, 6.304e18]
        {
            let kept = number("reading", card).expect("a card's");
            assert!(
                !kept.as_str().contains("11111") && kept.as_str().contains("[card-1]"),
                "{kept:?}"
            );
        }
    }
}
