//! What a call or a message says of who takes part in it.
//!
//! A telephone number with its country code has up to 15 digits (ITU-T E.164), so that half the mobiles of the world
//! would be taken for card numbers. They are spared where a system names a party, and nowhere else.

use std::sync::LazyLock;

use phonenumber::Mode;
use regex::Regex;

use super::kind::{self, Secret};
use super::ledger::Ledger;
use super::{find, typed};
use crate::domain::Redacted;

/// Attributes that name a party by number or address, as the telephone systems call them.
pub const PARTY_ATTRIBUTES: [&str; 13] = [
    "phone",
    "email",
    "from",
    "caller",
    "ani",
    "caller_number",
    "From",
    "to",
    "called",
    "dnis",
    "called_number",
    "To",
    "msisdn",
];
/// Values of an attribute that say whether there is a password, and not which.
const SAYS_NOTHING: [&str; 9] = ["", "true", "false", "yes", "no", "none", "null", "0", "1"];
/// Names of attributes that end in what they hold.
static NAMED: LazyLock<Vec<(Secret, Regex)>> = LazyLock::new(|| {
    [
        (Secret::SecurityCode, r"cvv2?|cvc2?|cv2|csc|security_?code"),
        (Secret::OneTimeCode, r"otp|one_?time_?(?:code|pass(?:word|code)?)|(?:verification|authentication|auth|sms|2fa|mfa)_?code|pass_?code"),
        (Secret::Password, r"pass_?word|passwd|pass_?phrase|pwd|pin(?:_code|_number)?|passwort|kennwort|secret|memorable_?word|api_?key|token"),
        // An account's number is mostly the one with the company itself, and looked up.
        (Secret::BankAccount, r"bank_?account(?:_?(?:number|no))?|sort_?code|routing_?(?:number|no)"),
        (Secret::BirthDate, r"dob|(?:date_?of_?birth|birth_?date|birth_?day)|geburtsdatum"),
        (Secret::NationalId, r"ssn|social_?security(?:_?(?:number|no))?|tax_?id|national_?id|nino|passport(?:_?(?:number|no))?"),
        (Secret::DrivingLicence, r"driv(?:ing|ers?)_?licen[cs]e(?:_?(?:number|no))?"),
    ]
    .map(|(kind, names)| {
        let pattern = format!(r"(?:^|_)(?:{names})$");
        (kind, Regex::new(&pattern).expect("a pattern of this file"))
    })
    .into()
});
/// The longest number of E.164.
const DIGITS_MAX: usize = 15;
/// What stands before a country's code: as it is written, and as it is dialled in most countries and in America.
const ABROAD: [&str; 3] = ["+", "00", "011"];
/// So many digits behind what is dialled for abroad are nobody's card, with those or without.
const UNLIKE_CARDS: std::ops::RangeInclusive<usize> = 10..=12;
/// With fewer it is an extension, or no number.
const DIGITS_MIN: usize = 7;

/// An attribute's value without card numbers. `names` are the attributes that name a party, beside the usual ones.
pub fn attribute(name: &str, value: &str, names: &[String]) -> Redacted {
    if let Some(kind) = secret_named(name).filter(|kind| kind::masked().has(*kind))
        && !SAYS_NOTHING.contains(&&*value.trim().to_lowercase())
    {
        // What is masked already keeps its name.
        let is_masked = find::placeholders(value).first() == Some(&(0..value.len()));
        return match is_masked {
            true => Redacted::vouched(value.to_owned()),
            false => Redacted::vouched(Ledger::default().placeholder(kind, value)),
        };
    }
    let names_a_party = PARTY_ATTRIBUTES.contains(&name) || names.iter().any(|other| other == name);
    match names_a_party {
        true => address(value),
        false => typed(value),
    }
}

/// What an attribute of this name holds: "card_cvv", "customerPIN", "Password".
pub(super) fn secret_named(name: &str) -> Option<Secret> {
    let mut parts = String::with_capacity(name.len());
    let mut was_small = false;
    for c in name.chars() {
        if was_small && c.is_uppercase() {
            parts.push('_');
        }
        was_small = c.is_lowercase();
        match c.is_alphanumeric() {
            true => parts.extend(c.to_lowercase()),
            false => parts.push('_'),
        }
    }
    NAMED.iter().find(|(_, pattern)| pattern.is_match(&parts)).map(|(kind, _)| *kind)
}

/// Spares a telephone number that is written as one: with its country's code, by itself or as the user of a SIP address.
pub(super) fn address(text: &str) -> Redacted {
    let (scheme, rest) = ["sip:", "sips:", "tel:", "sms:", "whatsapp:"]
        .into_iter()
        .find_map(|scheme| Some((scheme, text.trim_start().strip_prefix(scheme)?)))
        .unwrap_or(("", text));
    let end = match scheme {
        "" => rest.len(),
        _ => rest.find(['@', ';']).unwrap_or(rest.len()),
    };
    let (user, host) = rest.split_at(end);
    if !is_number(user) {
        return typed(text);
    }
    Redacted::vouched(format!("{scheme}{user}{}", typed(host).as_str()))
}

fn is_number(text: &str) -> bool {
    let text = text.trim();
    let is_of_one = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '-' | '.' | '(' | ')' | '/');
    let of = |prefix: &&'static str| Some((*prefix, text.strip_prefix(*prefix)?));
    let Some((prefix, rest)) = ABROAD.iter().find_map(of) else { return false };
    let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
    if !rest.chars().all(is_of_one) || digits.len() > DIGITS_MAX {
        return false;
    }
    let written = format!("+{rest}");
    let Ok(number) = phonenumber::parse(None, &written) else { return false };
    // Nothing is in it but the number: no digit that the library left out.
    let written = number.format().mode(Mode::E164).to_string();
    // Such a number needn't be one that is given out: no card begins with a nought.
    let is_no_card = prefix != "+" && UNLIKE_CARDS.contains(&digits.len());
    (is_no_card || number.is_valid()) && written.strip_prefix('+') == Some(&digits)
}

/// Whether a text has an address, or a telephone number with its country code: an `@`, or a `+` with seven digits and
/// more behind it, however they are grouped. Names that systems give to calls have neither.
pub fn has_address(text: &str) -> bool {
    let is_number = |rest: &str| {
        let is_of_one =
            |c: &char| c.is_ascii_digit() || matches!(c, ' ' | '-' | '.' | '(' | ')' | '/');
        rest.chars().take_while(is_of_one).filter(char::is_ascii_digit).count() >= DIGITS_MIN
    };
    text.contains('@') || text.split('+').skip(1).any(is_number)
}

/// Whether a text is nothing but a telephone number as people dial it at home, perhaps with a scheme before it.
pub fn is_local_number(text: &str) -> bool {
    let number = text.rsplit_once(':').map_or(text, |(_, number)| number);
    let is_of_one = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '-' | '.' | '(' | ')' | '/');
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    number.chars().all(is_of_one) && (DIGITS_MIN..=DIGITS_MAX).contains(&digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(name: &str, value: &str) -> String {
        attribute(name, value, &["mobil".to_owned()]).as_str().to_owned()
    }

    #[test]
    fn whoever_calls_from_abroad_keeps_their_number() {
        for number in [
            "+4915112345678",
            "+49 151 12345678",
            "+8613812345678",
            "+5511961234567",
            "+442079460123",
            "004915112345678",
            "00447700900123",
            "011447700900123",
            "tel:+4915112345678",
            "sip:+4915112345678@pbx.example.test;user=phone",
        ] {
            assert_eq!(kept("from", number), number);
            assert_eq!(kept("mobil", number), number);
        }
        for name in PARTY_ATTRIBUTES {
            assert_eq!(kept(name, "+4915112345678"), "+4915112345678", "{name}");
        }
        // Where people type, nobody knows what it is.
        assert_eq!(kept("note", "+4915112345678"), "+[card-1]");
        assert_eq!(kept("from", "Ada, +4915112345678"), "Ada, +[card-1]");
    }

    #[test]
    fn an_attribute_that_is_called_a_secret_has_no_value_to_be_seen() {
        for (name, value, expected) in [
            ("password", "Hunter22x", "[password-1]"),
            ("card_cvv", "739", "[security_code-1]"),
            ("cardCVV2", "739", "[security_code-1]"),
            ("Security Code", "739", "[security_code-1]"),
            ("customer-pin", "4829", "[password-1]"),
            ("customerPIN", "4829", "[password-1]"),
            ("otp", "482913", "[one_time_code-1]"),
            ("verification_code", "[one_time_code-3]", "[one_time_code-3]"),
            ("password", "[iban-1] and more", "[password-1]"),
            ("has_pin", "true", "true"),
            ("password", "", ""),
            ("password_reset", "2026-11-28", "2026-11-28"),
            ("shipping", "4829", "4829"),
            ("pinned", "4829", "4829"),
            ("code", "482913", "482913"),
            ("order", "4711", "4711"),
        ] {
            assert_eq!(kept(name, value), expected, "{name}");
        }
    }

    #[test]
    fn a_card_number_is_masked_wherever_it_is_typed() {
        for card in [
            "4111111111111111",
            "+4111111111111111",
            "004111111111111111",
            "0114111111111111111",
            "4222222222222",
            "378282246310005",
            "30569309025904",
            "sip:4111111111111111@pbx.example.test",
            "sip:378282246310005@pbx.example.test",
            "+49 151 12345678 4111111111111111",
            "+4915112345678, 4111 1111 1111 1111",
            "sip:+4915112345678@pbx.example.test;card=4111111111111111",
            "sip:+4111111111111111@pbx.example.test",
        ] {
            let kept = kept("from", card);
            assert!(kept.contains("[card-1]"), "{card}: {kept}");
            for digits in ["4111111111111111", "4111 1111", "22222222", "28224631", "69309025"] {
                assert!(!kept.contains(digits), "{card}: {kept}");
            }
        }
    }

    #[test]
    fn names_of_calls_are_no_addresses_and_no_numbers() {
        for address in [
            "+442079460123",
            "whatsapp:+44 20 7946 0123",
            "SMS +1 (202) 555-0123 to +12025550199",
            "ada@example.test",
            "sip:20@pbx.example.test",
        ] {
            assert!(has_address(address), "{address}");
        }
        for number in ["02079460123", "(020) 7946-0123", "sms:02079460123"] {
            assert!(is_local_number(number) && !has_address(number), "{number}");
        }
        for name in [
            "CA5ef8732a3c49700934481addd5ce1659",
            "0b8fa4c4-1234-4c5e-9d7a-446655440000",
            "WT-17",
            "thread+17",
            "case:000417",
        ] {
            assert!(!has_address(name) && !is_local_number(name), "{name}");
        }
        // Asterisk's own name for a call; nobody dials that, and only whoever knows the channel can tell.
        assert!(!has_address("1700000000.42") && is_local_number("1700000000.42"));
    }
}
