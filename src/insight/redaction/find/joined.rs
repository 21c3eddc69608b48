//! Digits that no white space sets apart from their cue ("cvv:739"), and those whose cue comes behind them ("482913 is
//! your verification code").

use std::sync::LazyLock;

use regex::Regex;

use super::cues::{OTHER_CODE, Topic, first_bytes, regex};
use super::{Found, another, may_be_card};

/// Digits of a code that is called so and no more.
const BARE_CODE_DIGITS: usize = 6;
/// A cue behind digits ends within so many bytes.
const BEHIND_BYTES: usize = 60;

/// Names, what stands between them and the digits, and the digits.
static JOINED: LazyLock<Vec<(Topic, Regex)>> = LazyLock::new(|| {
    const MARK: &str = r#"["'”]?\s?[:=#/]+\s?["'“]?"#;
    const ANY: &str = r#"["'”]?[:=#/ -]*["'“]?"#;
    [
        (Topic::SecurityCode, r"cvv2?|cvc2?|cv2|csc|security[ _-]?code", ANY),
        (Topic::OneTimeCode, r"otp|2fa(?:[ _-]?code)?|pass[ _-]?code|(?:one[ _-]?time|verification|authentication|auth|access|sms)[ _-]?code", ANY),
        (Topic::Pin, r"pin(?:[ _-]?(?:code|number))?", MARK),
        (Topic::SortCode, r"sort[ _-]?code", ANY),
        (Topic::Account, r"(?:account|acct)(?:[ _-]?(?:number|no))?", MARK),
        (Topic::Routing, r"(?:routing|aba)(?:[ _-]?(?:number|no))?", MARK),
        (Topic::SocialSecurity, r"ssn|social[ _-]security(?:[ _-]?(?:number|no))?", MARK),
        (Topic::NationalId, r"nhs(?:[ _-]?(?:number|no))?|bsn", MARK),
    ]
    .map(|(topic, names, between)| {
        let pattern = format!(r"(?:^|[^a-z0-9])(?:{names}){between}(\d+(?:[ -]\d+){{0,5}})");
        (topic, regex(&pattern))
    })
    .into()
});
static BARE_CODE: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r#"(?:(?:^|[^\w\s-])\s*code["”]?[:=]["“]?|\b(?:the|my|your|enter|use)\s+code\s?[:=]\s?)(\d{6})(?:\D|$)"#,
    )
});
static BEHIND: LazyLock<Vec<(Topic, Regex)>> = LazyLock::new(|| {
    [
        (Topic::SecurityCode, r"cvv2?|cvc2?|security code"),
        (Topic::Pin, r"pin|pin (?:code|number)"),
        (Topic::SortCode, r"sort code"),
        (Topic::OneTimeCode, r"otp|(?:one[- ]time )?pass ?code|one[- ]time (?:code|password)|code"),
    ]
    .map(|(topic, names)| {
        let pattern = format!(
            r#"^["'”’]?,?\s+(?:is|was)\s+(?:my|your|the|our)\s+((?:[\w'’-]+\s+){{0,3}}?)(?:{names})\b"#
        );
        (topic, regex(&pattern))
    })
    .into()
});
/// Digits between words that say what they are for: "use 482913 to sign in", "I got 482913 by text".
static BETWEEN: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"\b(?:(?:use|enter|type(?: in)?)(?: the| this)?(?: code| number)?[\s:]+(\d{3}[ -]\d{3}|\d{4,8})\s+(?:to (?:sign|log)[ -]?in|to (?:verify|authenticate|confirm) (?:your|my|the) (?:identity|account|number|phone|e-?mail|log ?in|sign[ -]?in)|as (?:your|the|my) (?:\w+ )?code)|(?:got|get|received|sent|texted)(?: me| you| us| a| the| this){0,3}(?: code[\s:]+(\d{4,5})|(?: code| number)?[\s:]+(\d{3}[ -]\d{3}|\d{6,8}))\s+(?:by|via|in|over|through)(?: a| the| an)? (?:text|sms|e-?mail|whatsapp|message)(?: message)?)\b",
    )
});
/// As some companies send their codes: "G-482913 is your Google code".
static LETTERED: LazyLock<Regex> = LazyLock::new(|| regex(r"\b[a-z]-(\d{5,8})\b"));
/// Codes that open nothing: "482913 is your booking code".
static HARMLESS_CODE: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"\b(?:pick-?up|collection|item|area|dress|gift|reward|referral|job|cost|tax|hs|lot|batch|stock|store|site|course|class|source)\b",
    )
});

/// Digits directly behind their cue.
pub(super) fn joined(text: &str, of_bank: bool, found: &mut Vec<Found>) {
    if !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return;
    }
    for (topic, pattern) in JOINED.iter() {
        for digits in pattern.captures_iter(text).filter_map(|hit| hit.get(1)) {
            let is_code = matches!(topic, Topic::SecurityCode | Topic::OneTimeCode | Topic::Pin);
            let mut ends = group_ends(digits.as_str());
            // The digits of a code are together; those of other numbers stand in groups.
            if !is_code {
                ends.reverse();
            }
            let fits = |end: &usize| {
                let digits: String =
                    digits.as_str()[..*end].chars().filter(char::is_ascii_digit).collect();
                topic.fits(&digits, of_bank) && !may_be_card(&digits)
            };
            if let Some(end) = ends.into_iter().find(fits) {
                let start = digits.start();
                found.push(Found { start, end: start + end, kind: topic.kind() });
            }
        }
    }
    for digits in BARE_CODE.captures_iter(text).filter_map(|hit| hit.get(1)) {
        let kind = Topic::OneTimeCode.kind();
        found.push(Found { start: digits.start(), end: digits.end(), kind });
    }
    for digits in
        BETWEEN.captures_iter(text).filter_map(|hit| hit.get(1).or(hit.get(2)).or(hit.get(3)))
    {
        let kind = Topic::OneTimeCode.kind();
        found.push(Found { start: digits.start(), end: digits.end(), kind });
    }
    for digits in LETTERED.captures_iter(text).filter_map(|hit| hit.get(1)) {
        if let Some(topic) = behind(text, digits.end(), digits.as_str()) {
            found.push(Found { start: digits.start(), end: digits.end(), kind: topic.kind() });
        }
    }
}

/// Where groups of digits end.
fn group_ends(written: &str) -> Vec<usize> {
    let inner = written.match_indices([' ', '-']).map(|(at, _)| at);
    inner.chain([written.len()]).collect()
}

/// What the words behind digits say that they are.
pub(super) fn behind(text: &str, end: usize, digits: &str) -> Option<Topic> {
    let rest = first_bytes(text, end, BEHIND_BYTES);
    let is_one = |(topic, pattern): &&(Topic, Regex)| {
        let Some(hit) = pattern.captures(rest) else { return false };
        let (whole, between) = (&hit[0], hit.get(1).map_or("", |between| between.as_str()));
        let is_bare = *topic == Topic::OneTimeCode && whole.to_lowercase().ends_with(" code");
        let is_called = ["verification", "security", "authentication", "login", "access"]
            .iter()
            .any(|name| between.to_lowercase().contains(name));
        let is_long = !is_bare || is_called || digits.len() >= BARE_CODE_DIGITS;
        let is_other = OTHER_CODE.is_match(whole)
            || HARMLESS_CODE.is_match(between)
            || between.split_whitespace().any(another::is_name);
        topic.fits(digits, false) && is_long && !is_other
    };
    BEHIND.iter().find(is_one).map(|(topic, _)| *topic)
}

#[cfg(test)]
mod tests {
    use crate::insight::redaction::typed;

    #[test]
    fn digits_are_masked_beside_their_cue() {
        for (text, expected) in [
            ("cvv:739", "cvv:[security_code-1]"),
            ("cvv=739", "cvv=[security_code-1]"),
            ("CVV2=739", "CVV2=[security_code-1]"),
            ("cvv739", "cvv[security_code-1]"),
            ("cvv/739", "cvv/[security_code-1]"),
            ("card_cvv:739", "card_cvv:[security_code-1]"),
            ("CVC:739 exp:12/27", "CVC:[security_code-1] exp:12/27"),
            ("pin:4829", "pin:[password-1]"),
            ("PIN=4829", "PIN=[password-1]"),
            ("otp:482913", "otp:[one_time_code-1]"),
            ("otp:482 913", "otp:[one_time_code-1]"),
            ("code:482913", "code:[one_time_code-1]"),
            ("Your code: 482913.", "Your code: [one_time_code-1]."),
            ("sort code:20-00-00", "sort code:[bank_account-1]"),
            ("nhs:9434765919", "nhs:[national_id-1]"),
            ("nhs:943 476 5919", "nhs:[national_id-1]"),
            (
                "sortcode:200000,account:55779911",
                "sortcode:[bank_account-1],account:[bank_account-2]",
            ),
            (
                "{\"cvv\":\"739\",\"pin\":\"4829\"}",
                "{\"cvv\":\"[security_code-1]\",\"pin\":\"[password-1]\"}",
            ),
            ("482913 is your verification code", "[one_time_code-1] is your verification code"),
            ("G-482913 is your Google code", "G-[one_time_code-1] is your Google code"),
            ("739 is the cvv", "[security_code-1] is the cvv"),
            ("Use 482913 to sign in", "Use [one_time_code-1] to sign in"),
            ("enter code 482 913 to log in.", "enter code [one_time_code-1] to log in."),
            ("I got 482913 by text", "I got [one_time_code-1] by text"),
            (
                "they sent me the code 4829 in an e-mail",
                "they sent me the code [one_time_code-1] in an e-mail",
            ),
            ("the CID is 7391", "the CID is [security_code-1]"),
            ("those three numbers are 739", "those three numbers are [security_code-1]"),
            ("die Prüfnummer ist 739", "die Prüfnummer ist [security_code-1]"),
            ("Die TAN lautet 482913", "Die TAN lautet [one_time_code-1]"),
            ("le code de vérification est 482913", "le code de vérification est [one_time_code-1]"),
            ("mein Geburtsdatum ist 12.3.1984", "mein Geburtsdatum ist [birth_date-1]"),
            ("four eight two nine is my pin", "[password-1] is my pin"),
            ("12/03/1984 is my date of birth", "[birth_date-1] is my date of birth"),
        ] {
            assert_eq!(typed(text).as_str(), expected);
        }
    }

    #[test]
    fn other_digits_stay_beside_the_same_words() {
        for text in [
            "error code:482913",
            "status code=500123, promo code=123456",
            "post code:482913",
            "{\"code\":404,\"order\":\"482913\"}",
            "482913 is your order code",
            "482913 is your booking code and 4829 is the error code",
            "4829 is the area code",
            "spin:4829 and shipping:4829",
            "account:55779911",
            "cvv2 and cvc:12",
            "pin:12:30",
            "12/03/2024 is my appointment",
            "1234 is the house number",
            "use 2000 to start with",
            "I got 4711 of them by post",
            "a tan of 2000 shades",
            "I received 2023 in email",
            "the last three digits of my order are 482",
        ] {
            assert_eq!(typed(text).as_str(), text);
        }
    }
}
