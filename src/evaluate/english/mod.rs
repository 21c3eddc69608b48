//! The usual normalisation for English word error rates: that of Whisper's own evaluation.
//!
//! Rule for rule `EnglishTextNormalizer` of <https://github.com/openai/whisper> (MIT), described in
//! appendix C of A. Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision",
//! 2022: case, punctuation, fillers, contractions, number words to digits, British spelling to
//! American. Its quirks are kept, so that figures can be set beside published ones.

mod numbers;

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use unicode_normalization::UnicodeNormalization as _;

macro_rules! pattern {
    ($text:literal) => {{
        static PATTERN: std::sync::LazyLock<regex::Regex> = std::sync::LazyLock::new(|| {
            regex::Regex::new($text).expect("the pattern is valid; this is a bug")
        });
        &*PATTERN
    }};
}
use pattern;

/// In this order; a later one sees what an earlier one wrote.
const REPLACED: &[(&str, &str)] = &[
    (r"\bwon't\b", "will not"),
    (r"\bcan't\b", "can not"),
    (r"\blet's\b", "let us"),
    (r"\bain't\b", "aint"),
    (r"\by'all\b", "you all"),
    (r"\bwanna\b", "want to"),
    (r"\bgotta\b", "got to"),
    (r"\bgonna\b", "going to"),
    (r"\bi'ma\b", "i am going to"),
    (r"\bimma\b", "i am going to"),
    (r"\bwoulda\b", "would have"),
    (r"\bcoulda\b", "could have"),
    (r"\bshoulda\b", "should have"),
    (r"\bma'am\b", "madam"),
    (r"\bmr\b", "mister "),
    (r"\bmrs\b", "missus "),
    (r"\bst\b", "saint "),
    (r"\bdr\b", "doctor "),
    (r"\bprof\b", "professor "),
    (r"\bcapt\b", "captain "),
    (r"\bgov\b", "governor "),
    (r"\bald\b", "alderman "),
    (r"\bgen\b", "general "),
    (r"\bsen\b", "senator "),
    (r"\brep\b", "representative "),
    (r"\bpres\b", "president "),
    (r"\brev\b", "reverend "),
    (r"\bhon\b", "honorable "),
    (r"\basst\b", "assistant "),
    (r"\bassoc\b", "associate "),
    (r"\blt\b", "lieutenant "),
    (r"\bcol\b", "colonel "),
    (r"\bjr\b", "junior "),
    (r"\bsr\b", "senior "),
    (r"\besq\b", "esquire "),
    (r"'d been\b", " had been"),
    (r"'s been\b", " has been"),
    (r"'d gone\b", " had gone"),
    (r"'s gone\b", " has gone"),
    (r"'d done\b", " had done"),
    (r"'s got\b", " has got"),
    (r"n't\b", " not"),
    (r"'re\b", " are"),
    (r"'s\b", " is"),
    (r"'d\b", " would"),
    (r"'ll\b", " will"),
    (r"'t\b", " not"),
    (r"'ve\b", " have"),
    (r"'m\b", " am"),
];

static REPLACERS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let compiled = |(from, to): &(&str, &'static str)| {
        (Regex::new(from).expect("the pattern is valid; this is a bug"), *to)
    };
    REPLACED.iter().map(compiled).collect()
});

/// The list of <https://github.com/openai/whisper/blob/main/whisper/normalizers/english.json>.
static AMERICAN: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    include_str!("spellings.tsv").lines().filter_map(|line| line.split_once('\t')).collect()
});

/// The text in the form in which words are compared, separated by single blanks.
pub fn normalise(text: &str) -> String {
    let text = text.to_lowercase();
    let text = pattern!(r"[<\[][^>\]]*[>\]]").replace_all(&text, "");
    let text = pattern!(r"\([^)]+?\)").replace_all(&text, "");
    let text = pattern!(r"\b(hmm|mm|mhm|mmm|uh|um)\b").replace_all(&text, "");
    let mut text = pattern!(r"\s+'").replace_all(&text, "'").into_owned();
    for (from, to) in REPLACERS.iter() {
        text = from.replace_all(&text, *to).into_owned();
    }
    let text = pattern!(r"([0-9]),([0-9])").replace_all(&text, "$1$2");
    let text = pattern!(r"\.([^0-9]|$)").replace_all(&text, " $1");
    let text = without_symbols(&text);
    let text = numbers::standardise(&text);
    let words = text.split_whitespace().map(|word| *AMERICAN.get(word).unwrap_or(&word));
    let text = words.collect::<Vec<_>>().join(" ");
    let text = pattern!(r"[.$¢€£]([^0-9])").replace_all(&text, " $1");
    let text = pattern!(r"([^0-9])%").replace_all(&text, |m: &Captures| format!("{} ", &m[1]));
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Accents go, symbols become blanks; those of amounts stay.
fn without_symbols(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut buffer = [0; 4];
    for letter in text.nfkd() {
        match letter {
            '.' | '%' | '$' | '¢' | '€' | '£' => plain.push(letter),
            'œ' => plain.push_str("oe"),
            'ø' => plain.push('o'),
            'æ' => plain.push_str("ae"),
            'ß' => plain.push_str("ss"),
            'đ' | 'ð' => plain.push('d'),
            'þ' => plain.push_str("th"),
            'ł' => plain.push('l'),
            _ if letter.is_ascii_alphanumeric() => plain.push(letter),
            _ => {
                let one = &*letter.encode_utf8(&mut buffer);
                if !pattern!(r"\p{Mn}").is_match(one) {
                    plain.push_str(if pattern!(r"[\p{M}\p{S}\p{P}]").is_match(one) {
                        " "
                    } else {
                        one
                    });
                }
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::normalise;

    /// Each expectation was printed by `EnglishTextNormalizer` of the Python package
    /// `whisper-normalizer` 0.1.12.
    #[test]
    fn normalises_like_whispers_own_evaluation() {
        for line in include_str!("vectors.tsv").lines() {
            let (text, expected) = line.split_once('\t').expect("two columns");
            assert_eq!(normalise(text), expected, "{text}");
        }
    }
}
