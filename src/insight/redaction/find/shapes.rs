//! Secrets that are known by their shape alone: addresses of mails and pages, keys, account numbers with check digits.

use std::net::IpAddr;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::checks::{is_codice_fiscale, is_dni, is_nino, is_nir, is_ssn};
use super::{Found, Secret, Word};

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern of this file")
}

static EMAIL: LazyLock<Regex> =
    LazyLock::new(|| regex(r"[\p{L}\p{N}._%+'-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+"));
static SPOKEN_EMAIL: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)\b[a-z0-9._-]+(?: (?:dot|point|underscore|dash|hyphen|plus) [a-z0-9._-]+)* at [a-z0-9-]+(?:(?: dot |\.)[a-z0-9-]+)* ?(?:dot |\.)(?:com|net|org|edu|gov|info|io|co|uk|de|fr|es|it|nl|se|no|dk|fi|pl|at|ch|be|ie|ca|au|eu|biz|me|us|test|example)\b",
    )
});
static PAGE: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r#"(?i)\b(?:(?:https?|ftp|sftp|wss?|postgres(?:ql)?|mysql|mongodb|redis|amqps?)://[^\s<>"]+|www\.[^\s<>"]+|[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)*\.(?:com|net|org|edu|gov|info|io|biz|co\.uk|dev|app)\b(?:/[^\s<>"]*)?)"#,
    )
});
/// The part of an address that signs in.
static SIGN_IN: LazyLock<Regex> = LazyLock::new(|| regex(r"://([^\s/@:]+:[^\s/@]+)@"));
/// Keys by the beginnings that their makers give them, JSON Web Tokens, private keys.
static KEY: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"\b(?:(?:sk|pk|rk)[-_](?:live|test|proj|ant)[-_][\w-]{8,}|sk-[A-Za-z0-9]{20,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abprs]-[\w-]{10,}|bc[a-z]_[\w-]{20,}|AKIA[0-9A-Z]{16}|AIza[\w-]{30,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{4,})|-----BEGIN [A-Z ]*PRIVATE KEY-----[A-Za-z0-9+/=\s]*(?:-----END [A-Z ]*PRIVATE KEY-----)?",
    )
});
static GIVEN_KEY: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r#"(?i)\b(?:api[ _-]?key|access[ _-]?key|secret[ _-]?key|client[ _-]?secret|access[ _-]?token|auth(?:orization)?[ _-]?token|bearer(?: token)?)\b["']?\s*(?:[:=]|is|\s)\s*["']?([A-Za-z0-9+/_.=-]*\d[A-Za-z0-9+/_.=-]{7,})"#,
    )
});
static IP: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"\b\d{1,3}(?:\.\d{1,3}){3}\b|[0-9A-Fa-f]{0,4}:(?:[0-9A-Fa-f]{0,4}:)+[0-9A-Fa-f]{0,4}")
});
static SSN: LazyLock<Regex> = LazyLock::new(|| regex(r"\b(\d{3})[- ](\d{2})[- ](\d{4})\b"));
/// Letters and digits of national identifiers, which their check digits tell from words.
static MIXED_ID: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)\b(?:[A-Z]{2}[ -]?\d{2}[ -]?\d{2}[ -]?\d{2}[ -]?[A-D]|(?:[XYZ][ -]?)?\d{7,8}[ -]?[A-Z]|[A-Z]{6}[0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z]|[12] ?\d{2} ?\d{2} ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2})\b",
    )
});

/// What stands at the end of an address and is the sentence's.
const TRAILING: [char; 12] = ['.', ',', ';', ':', '!', '?', ')', ']', '"', '\'', '”', '’'];

fn push(found: &mut Vec<Found>, range: Range<usize>, kind: Secret) {
    found.push(Found { start: range.start, end: range.end, kind });
}

pub(super) fn shapes(text: &str, words: &[Word<'_>]) -> Vec<Found> {
    let mut found = Vec::new();
    let has = |bytes: &[u8]| text.bytes().any(|byte| bytes.contains(&byte));
    if text.contains("://") {
        for hit in SIGN_IN.captures_iter(text).filter_map(|hit| hit.get(1)) {
            push(&mut found, hit.range(), Secret::Credentials);
        }
    }
    keys(text, &mut found);
    if has(b"@") {
        EMAIL.find_iter(text).for_each(|hit| {
            let quote =
                hit.as_str().len() - hit.as_str().trim_start_matches(['\'', '.', '-']).len();
            push(&mut found, hit.start() + quote..hit.end(), Secret::Email);
        });
    }
    if words.iter().any(|word| word.text.eq_ignore_ascii_case("at")) {
        SPOKEN_EMAIL.find_iter(text).for_each(|hit| push(&mut found, hit.range(), Secret::Email));
    }
    if has(b".") {
        for hit in PAGE.find_iter(text) {
            let end = hit.start() + hit.as_str().trim_end_matches(TRAILING).len();
            push(&mut found, hit.start()..end, Secret::Url);
        }
    }
    if has(b".:") && has(b"0123456789abcdef") {
        for hit in IP.find_iter(text).filter(|hit| hit.as_str().parse::<IpAddr>().is_ok()) {
            // "::" alone is no address of anybody.
            if hit.as_str().len() > 3 {
                push(&mut found, hit.range(), Secret::IpAddress);
            }
        }
    }
    if has(b"0123456789") {
        for hit in SSN.captures_iter(text) {
            let digits = format!("{}{}{}", &hit[1], &hit[2], &hit[3]);
            if let Some(whole) =
                hit.get(0).filter(|whole| is_ssn(&digits) && is_alone(text, whole.range()))
            {
                push(&mut found, whole.range(), Secret::NationalId);
            }
        }
        for hit in MIXED_ID.find_iter(text) {
            let bare: String = hit
                .as_str()
                .chars()
                .filter(char::is_ascii_alphanumeric)
                .collect::<String>()
                .to_ascii_uppercase();
            let is_id =
                is_nino(&bare) || is_dni(&bare) || is_codice_fiscale(&bare) || is_nir(&bare);
            if is_id && is_alone(text, hit.range()) {
                push(&mut found, hit.range(), Secret::NationalId);
            }
        }
    }
    super::ibans::ibans(words, &mut found);
    found
}

fn keys(text: &str, found: &mut Vec<Found>) {
    KEY.find_iter(text).for_each(|hit| push(found, hit.range(), Secret::Credentials));
    for hit in GIVEN_KEY.captures_iter(text).filter_map(|hit| hit.get(1)) {
        push(found, hit.range(), Secret::Credentials);
    }
}

/// Whether no further digit stands beside it, as in a longer number.
fn is_alone(text: &str, range: Range<usize>) -> bool {
    let is_digit = |c: char| c.is_ascii_digit();
    let before = text[..range.start].trim_end_matches([' ', '-', '.', '/']);
    let after = text[range.end..].trim_start_matches([' ', '-', '/']);
    !before.ends_with(is_digit) && !after.starts_with(is_digit)
}

/// Where the beginning of a mail's address stands at the end, as it is said: "ann dot smith at example".
pub(super) fn open_email(words: &[Word<'_>]) -> Option<usize> {
    const JOINTS: [&str; 6] = ["dot", "underscore", "dash", "hyphen", "plus", "at"];
    let is_joint = |word: &Word<'_>| JOINTS.contains(&&*word.text.to_lowercase());
    let joint = words.iter().rposition(is_joint)?;
    // One word behind a joint can still be part of it.
    if words.len() - joint > 2 {
        return None;
    }
    let mut first = joint;
    while first >= 2 && is_joint(&words[first - 2]) {
        first -= 2;
    }
    Some(words[first.saturating_sub(1)].start)
}
