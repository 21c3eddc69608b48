//! Passwords: what is said to be one, is written behind the word, or answers a question for it.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::cues::{first_bytes, regex};
use super::words::{ENDS_PASSWORD, NO_PASSWORD, NO_PASSWORD_ABROAD, NO_WRITTEN_PASSWORD, PRODUCTS};
use super::{Before, Found, Secret, Word, digits};

/// A password that is said has at most so many words, unless all of them are numbers.
const WORDS_MAX: usize = 6;
/// A turn of more words isn't the bare answer to "what's your password?".
const BARE_ANSWER_WORDS_MAX: usize = 6;
/// Bytes of a password between quotation marks.
const QUOTED_MAX: usize = 100;
/// Characters of a password that is known by how it is written.
const WRITTEN: std::ops::RangeInclusive<usize> = 5..=64;
/// Marks around a word that are none of it.
const AROUND: &str = "\"'“”‘’.,;:!?()";

static SECRET_WORD: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r#"(?:\b|_)(?:pas{1,2}[ _]?(?:word|phrase|wd)|pwd|pw|secret (?:word|answer|phrase)|memorable (?:word|name|place|information)|security (?:answer|word|phrase)|answer to (?:my|your|the) security question|mother['’]?s maiden name|maiden name|passwort|kennwort|mot de passe|contraseña|wachtwoord)\b["”]?(?:[\s,]+(?:for|to|on|of|at) (?:\w+ ){0,3}?\w+)?\s*(?::|=|\bis\b|\bwas\b|\bit['’]s\b|['’]s\b|\bequals\b|\bwould be\b|\bist\b|\blautet\b|\bheißt\b|\best\b|\bes\b)\s*(?:(?:now|still|just|set to|called|like|um|uh|:|it['’]s)[\s,]+)*"#,
    )
});
/// Named in another language, so that other words say nothing.
static ABROAD: LazyLock<Regex> =
    LazyLock::new(|| regex("passwort|kennwort|mot de passe|contraseña|wachtwoord"));
/// Most texts have none of these, and needn't be read three times more.
static IS_NAMED: LazyLock<Regex> = LazyLock::new(|| regex("pass|pw"));
/// A pass may be a boarding pass too, unless something is written behind it as a password is.
static PASS: LazyLock<Regex> = LazyLock::new(|| {
    regex(r#"(?:^|[^\w\s-]\s*|\b(?:and|my|the)\s+)pass["”]?\s*[:=]\s*["“]?(\S+)"#)
});
/// "I changed my password to …", "I use … as my password".
static CHANGED: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r#"\bpass ?(?:word|phrase)\s+(?:(?:still|now|back) )?(?:to|is still|still is|as)\s+["'“]?(\S+)"#,
    )
});
static USED_AS: LazyLock<Regex> = LazyLock::new(|| {
    regex(r#"(\S+)\s+(?:as|for) (?:my|the|our|a) (?:\w+ )?pass ?(?:word|phrase)\b"#)
});
static DIRECT: LazyLock<Regex> =
    LazyLock::new(|| regex(r#"(?:\b|_)(?:pass ?(?:word|phrase|wd)|pwd|pw)\s+["'“]?(\S+)"#));
static AFTER: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(\S+)\s+(?:is|was)\s+(?:my|your|the|our)\s+(?:\w+\s+){0,2}?(?:pass ?(?:word|phrase)|pwd|pw)\b",
    )
});
/// "LastPass1 is my password manager."
static OF_PASSWORDS: LazyLock<Regex> =
    LazyLock::new(|| regex(r"^[\s-]+(?:manager|vault|app|hint|generator|reset|policy|tool)"));
/// Numbers with a unit, and what tickets and orders are called: "24hrs", "INC0012345".
static NAMED_THING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^(?:\d+(?:st|nd|rd|th|hrs?|hours?|mins?|secs?|days?|[hmsxk]|am|pm)|[A-Z]{2,5}-?\d{4,}|https?:.*|.*@.*\..*)$",
    )
    .expect("a pattern of this file")
});
static FILLER: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"^(?:(?:yes|yeah|yep|sure|okay|ok|um|uh|well|so|of course|that['’]s|that is|it['’]s|it is|it (?:says|reads|shows|was)|the|my password is|here|sorry|no|actually|i mean)\b[\s,.:]*)+",
    )
});

pub(super) fn passwords(text: &str, words: &[Word<'_>], before: Before) -> Vec<Found> {
    let mut found = Vec::new();
    for hit in SECRET_WORD.find_iter(text) {
        let is_written = hit.as_str().contains([':', '=']);
        let is_abroad = ABROAD.is_match(hit.as_str());
        found.extend(password(text, words, hit.end(), is_written, is_abroad));
    }
    let token = |pattern: &Regex| -> Vec<Range<usize>> {
        let token = |hit: regex::Captures<'_>| {
            let goes_on = first_bytes(text, hit.get(0)?.end(), QUOTED_MAX);
            hit.get(1).filter(|_| !OF_PASSWORDS.is_match(goes_on)).map(|token| token.range())
        };
        pattern.captures_iter(text).filter_map(token).collect()
    };
    if IS_NAMED.is_match(text) {
        for range in [&*PASS, &*DIRECT, &*AFTER, &*CHANGED, &*USED_AS].into_iter().flat_map(token) {
            found.extend(written(text, range));
        }
    }
    if before.asked.has(Secret::Password)
        && found.is_empty()
        && words.len() <= BARE_ANSWER_WORDS_MAX + 2
    {
        let from = FILLER.find(text).map_or(0, |hit| hit.end());
        let count = words.iter().filter(|word| word.start >= from).count();
        if count <= BARE_ANSWER_WORDS_MAX {
            found.extend(password(text, words, from, false, false));
        }
    }
    found
}

/// A word that is written as passwords are: letters with digits, or with a capital in the middle.
fn written(text: &str, range: Range<usize>) -> Option<Found> {
    let word = &text[range.clone()];
    let bare = word.trim_matches(|c: char| AROUND.contains(c) && c != '!');
    let start = range.start + (bare.as_ptr() as usize - word.as_ptr() as usize);
    let has = |is_one: fn(char) -> bool| bare.chars().any(is_one);
    let is_mixed = has(char::is_alphabetic) && has(|c| c.is_ascii_digit());
    let has_hump = bare
        .chars()
        .zip(bare.chars().skip(1))
        .any(|(one, next)| one.is_lowercase() && next.is_uppercase());
    let is_one = WRITTEN.contains(&bare.chars().count())
        && (is_mixed || has_hump)
        && !bare.starts_with('[')
        && !PRODUCTS.contains(&*bare.to_lowercase())
        && !NAMED_THING.is_match(bare);
    is_one.then(|| Found { start, end: start + bare.len(), kind: Secret::Password })
}

/// What is between quotation marks, if such open here.
fn quoted(text: &str, start: usize) -> Option<Range<usize>> {
    let open = text[start..].chars().next()?;
    let close = match open {
        '"' | '\'' => open,
        '“' => '”',
        '‘' => '’',
        _ => return None,
    };
    let from = start + open.len_utf8();
    let length = first_bytes(text, from, QUOTED_MAX).find(close)?;
    (length > 0).then_some(from..from + length)
}

/// The words from a place on that are the password: one, or more that are said in a row.
fn password(
    text: &str,
    words: &[Word<'_>],
    from: usize,
    is_written: bool,
    is_abroad: bool,
) -> Option<Found> {
    let first = words.partition_point(|word| word.start + word.text.len() <= from);
    let after = words.get(first)?;
    let bare = |text: &str| text.trim_matches(|c: char| AROUND.contains(c)).to_lowercase();
    let start = after.start.max(from);
    let value = &after.text[start - after.start..];
    let small = bare(value).replace('’', "'");
    let says_nothing =
        NO_PASSWORD.contains(&*small) || is_abroad && NO_PASSWORD_ABROAD.contains(&*small);
    let is_number = |at: usize| {
        words.get(at).is_some_and(|word| !digits::runs([word.text].into_iter()).is_empty())
    };
    // "One two three" is one, "one of them" isn't.
    let is_counted = is_number(first) && is_number(first + 1);
    let is_talk = match is_written {
        true => NO_WRITTEN_PASSWORD.contains(&*small),
        false => says_nothing && !is_counted,
    };
    if small.is_empty() || value.starts_with('[') {
        return None;
    }
    if let Some(place) = quoted(text, start) {
        let is_sentence = text[place.clone()].split_whitespace().nth(2).is_some();
        let is_one = is_written || is_sentence || !is_talk;
        return is_one.then_some(Found {
            start: place.start,
            end: place.end,
            kind: Secret::Password,
        });
    }
    if is_talk {
        return None;
    }
    let is_plain = |text: &str| text.chars().all(char::is_alphanumeric);
    let mut last = first;
    while last + 1 < words.len() && (last + 1 - first < WORDS_MAX || is_number(last + 1)) {
        let (this, next) = (&words[last], &words[last + 1]);
        let ends =
            this.text.ends_with(['.', ',', '?', '!', ';', '"', '”']) || !is_plain(&bare(this.text));
        if ends || ENDS_PASSWORD.contains(&*bare(next.text)) || next.text.starts_with('[') {
            break;
        }
        last += 1;
    }
    // "Password: expired."
    if last == first && says_nothing && !is_counted {
        return None;
    }
    let whole = words[last].text;
    let tail = whole.len() - whole.trim_end_matches(['.', ',', '?', '"', '”', ')']).len();
    let end = (words[last].start + whole.len() - tail).max(start);
    let head = value.len() - value.trim_start_matches(['"', '“', '‘', '(']).len();
    Some(Found { start: (start + head).min(end), end, kind: Secret::Password })
}

#[cfg(test)]
mod tests {
    use crate::insight::redaction::typed;

    #[test]
    fn passwords_are_masked_however_they_are_written() {
        for (text, expected) in [
            ("My password: correct horse battery staple", "My password: [password-1]"),
            ("my password is one two three four", "my password is [password-1]"),
            ("password is \"correct horse battery\", ok", "password is \"[password-1]\", ok"),
            ("username ann / password Tr0ub4dor", "username ann / password [password-1]"),
            ("PASSWORD Tr0ub4dor!", "PASSWORD [password-1]"),
            ("pass: Tr0ub4dor", "pass: [password-1]"),
            ("pw Tr0ub4dor, thanks", "pw [password-1], thanks"),
            ("pw=hunter", "pw=[password-1]"),
            ("db_password=hunter", "db_password=[password-1]"),
            ("{\"password\":\"Tr0ub4dor\",\"n\":1}", "{\"password\":\"[password-1]\",\"n\":1}"),
            ("Tr0ub4dor is my password", "[password-1] is my password"),
            ("“sunShine” was the old password.", "“[password-1]” was the old password."),
            ("Mein Passwort lautet Hasenbrot", "Mein Passwort lautet [password-1]"),
            ("Kennwort: Hasenbrot7", "Kennwort: [password-1]"),
            ("mon mot de passe est soleil", "mon mot de passe est [password-1]"),
            ("my password is die hard four", "my password is [password-1]"),
            ("my password is q 12345678Z", "my password is [password-1] [national_id-1]"),
            ("mi contraseña es girasol", "mi contraseña es [password-1]"),
        ] {
            assert_eq!(typed(text).as_str(), expected);
        }
    }

    #[test]
    fn talk_about_passwords_stays() {
        for text in [
            "my password is wrong",
            "the password expired",
            "reset my password please",
            "the password is one of the old ones",
            "password: I forgot it",
            "Password: expired. Account: active",
            "it says the password is \"too short\"",
            "I changed my password 24hrs ago, 3 times",
            "I forgot my password iCloud asks for",
            "reset password INC0012345",
            "the boarding pass: AB1234",
            "LastPass2 is my password manager",
            "the password [password-1] again",
            "the password link went to ann@Example.com",
            "mein Passwort ist falsch",
            "mein Passwort ist seit gestern abgelaufen",
            "mon mot de passe est incorrect",
            "mi contraseña es incorrecta",
        ] {
            assert_eq!(typed(text).as_str(), text);
        }
    }
}
