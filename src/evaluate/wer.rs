//! Word error rate over normalised text.
//!
//! The normalisation is that of the acceptance checks (`norm` in `shared/accept/lib/bc.py`): lower
//! case, numbers as words (long or zero-led groups digit by digit), amounts, codes letter by
//! letter, no fillers. So `2 p.m.` against `two pm` is no error, and a wrong digit is one.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::domain::{number_of, number_words};

const FILLERS: [&str; 4] = ["um", "uh", "hmm", "hum"];

/// Words that were wrong, of how many. Sums over several texts before it is divided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WordErrors {
    pub errors: usize,
    pub words: usize,
}

impl WordErrors {
    pub fn between(reference: &str, heard: &str) -> Self {
        let (reference, heard) = (normalise(reference), normalise(heard));
        let reference: Vec<&str> = reference.split_whitespace().collect();
        let heard: Vec<&str> = heard.split_whitespace().collect();
        Self { errors: edits(&reference, &heard), words: reference.len() }
    }

    pub fn rate(self) -> f64 {
        self.errors as f64 / self.words.max(1) as f64
    }
}

impl std::ops::AddAssign for WordErrors {
    fn add_assign(&mut self, other: Self) {
        self.errors += other.errors;
        self.words += other.words;
    }
}

/// The fewest insertions, deletions and replacements that turn one into the other.
pub fn edits<T: PartialEq>(reference: &[T], heard: &[T]) -> usize {
    let mut row: Vec<usize> = (0..=heard.len()).collect();
    for (index, wanted) in reference.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, got) in heard.iter().enumerate() {
            let replaced = diagonal + usize::from(wanted != got);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[heard.len()]
}

macro_rules! pattern {
    ($text:literal) => {{
        static PATTERN: LazyLock<Regex> =
            LazyLock::new(|| Regex::new($text).expect("the pattern is valid; this is a bug"));
        &*PATTERN
    }};
}

pub fn normalise(text: &str) -> String {
    let text = text.replace('\u{2019}', "'").to_lowercase();
    let text = pattern!(r"\[[a-z_]+-\d+\]").replace_all(&text, " ");
    let text = pattern!(r"[\w.+-]+@[\w.-]+")
        .replace_all(&text, |m: &Captures| m[0].replace('@', " at ").replace('.', " dot "));
    let text = pattern!(r"£\s*(\d+)(?:\.(\d\d))?").replace_all(&text, |m: &Captures| {
        format!("{} pounds {}", &m[1], m.get(2).map_or("", |pence| pence.as_str()))
    });
    // Groups of digits that are one long number, such as an account's.
    let text = pattern!(r"\d+(?:[ -]\d+)+").replace_all(&text, |m: &Captures| {
        let digits: String = m[0].chars().filter(char::is_ascii_digit).collect();
        if digits.len() >= 5 { digits } else { m[0].to_owned() }
    });
    let text = pattern!(r"(\d+)(st|nd|rd|th)\b").replace_all(&text, "$1");
    let text = spell_codes(&text);
    let text = pattern!(r"[0-9]+").replace_all(&text, |m: &Captures| format!(" {} ", spell(&m[0])));
    let text = pattern!(r"[^a-z' ]").replace_all(&text, " ");
    let words = text.split_whitespace().filter(|word| !FILLERS.contains(word));
    let words = words.map(|word| match word {
        "twelfth" => "twelve",
        "third" => "three",
        "first" => "one",
        "fibre" => "fiber",
        other => other,
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Spaces out words that mix letters and digits: `mx500-b` becomes `m x 5 0 0 b`.
fn spell_codes(text: &str) -> Cow<'_, str> {
    pattern!(r"\b[a-z0-9]+(?:-[a-z0-9]+)*\b").replace_all(text, |m: &Captures| {
        // A code begins with a part that has both; what hangs on by hyphens belongs to it.
        let mut words = Vec::new();
        let mut rest = &m[0];
        while !rest.is_empty() {
            let (part, behind) = rest.split_once('-').unwrap_or((rest, ""));
            let mixed = part.contains(|c: char| c.is_ascii_digit())
                && part.contains(|c: char| c.is_ascii_lowercase());
            if mixed {
                let letters = rest.chars().filter(|c| *c != '-').map(String::from);
                words.push(letters.collect::<Vec<_>>().join(" "));
                break;
            }
            words.push(part.to_owned());
            rest = behind;
        }
        words.join("-")
    })
}

/// A number in words; long or zero-led ones digit by digit.
fn spell(digits: &str) -> String {
    let number = match digits.parse::<u16>() {
        Ok(number) if number <= 999 && !digits.starts_with('0') => number,
        _ => {
            let each = digits.bytes().map(|byte| number_words(byte - b'0'));
            return each.collect::<Vec<_>>().join(" ");
        }
    };
    let words = |number: u16| number_words(number as u8);
    match (number / 100, number % 100) {
        (0, rest) => words(rest),
        (hundreds, 0) => format!("{} hundred", words(hundreds)),
        (hundreds, rest) => format!("{} hundred {}", words(hundreds), words(rest)),
    }
}

/// All digits of a text, spoken or written, in order: what a leak of a number would look like.
pub fn digits_of(text: &str) -> String {
    let lower = text.to_lowercase();
    let mut digits = String::new();
    for token in pattern!(r"[a-z]+|[0-9]").find_iter(&lower) {
        let token = token.as_str();
        if token.as_bytes()[0].is_ascii_digit() {
            digits.push_str(token);
        } else if token == "oh" {
            digits.push('0');
        } else if let Some(number) = number_of(token).filter(|number| *number < 10) {
            digits.push_str(&number.to_string());
        }
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each expectation was made by `norm` of `bc.py`.
    #[test]
    fn normalises_like_the_acceptance_checks() {
        for (text, expected) in [
            (
                "Hi Emma. Um, I\u{2019}ve been charged £42.50 twice!",
                "hi emma i've been charged forty two pounds fifty twice",
            ),
            ("It's 614 229 07.", "it's six one four two two nine zero seven"),
            ("on the 3rd of May, 2026", "on the three of may two zero two six"),
            ("error E31-b on my MX500", "error e three one b on my m x five zero zero"),
            (
                "write to jo.b@larkfield.example please",
                "write to jo dot b at larkfield dot example please",
            ),
            ("my card [card-1] please", "my card please"),
            (
                "100, 110, 115, 999 and 1000",
                "one hundred one hundred ten one hundred fifteen nine hundred ninety nine and one zero zero zero",
            ),
            ("the first, third and twelfth fibre", "the one three and twelve fiber"),
            ("05 - 12 months, £ 7", "zero five twelve months seven pounds"),
            ("wi-fi 6e", "wi fi six e"),
        ] {
            assert_eq!(normalise(text), expected, "{text}");
        }
    }

    #[test]
    fn counts_the_fewest_edits() {
        let check = |reference: &str, heard: &str, errors, words| {
            assert_eq!(WordErrors::between(reference, heard), WordErrors { errors, words });
        };
        check("the bill is 42 pounds", "the bill is forty two pounds", 0, 6);
        check("the bill is forty two", "a bill forty too please", 4, 5);
        check("", "well", 1, 0);
        check("gone", "", 1, 1);
    }

    #[test]
    fn finds_digits_however_they_are_said() {
        assert_eq!(digits_of("Four five-3 9, oh 1 nineteen"), "453901");
    }
}
