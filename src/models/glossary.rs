//! Names that are known to be said, against what was heard in their place.
//!
//! A prompt with all names costs every decoding a quarter to a half more and can put a name where
//! nobody said it. So a final is decoded without one, and once more only where something sounds
//! like a name; then nothing but those words is taken over, and only if the recogniser, free to
//! write anything, wrote the name there.

use std::sync::Arc;

use super::transcriber::HeardWord;

/// Shorter names are like too many words.
const LETTERS_MIN: usize = 5;
/// So many letters of a name may be others, of each hundred.
const OTHER_LETTERS_PERCENT: usize = 40;
/// What was heard this surely wasn't something else.
const SURE_CONFIDENCE: f32 = 0.97;
/// Names in one prompt.
const NAMES_MAX: usize = 6;
/// The same words may be timed so differently by two decodings.
const TIMES_DIFFER_MS: u64 = 400;

/// A stretch of words that sounds like a name.
#[derive(Debug, PartialEq, Eq)]
struct Likeness<'a> {
    name: &'a str,
    first: usize,
    /// Past the last word.
    end: usize,
    /// Letters that differ.
    distance: usize,
    /// It is the name itself, so nothing around it is another.
    exact: bool,
}

/// Names that are too short to be told from other words.
pub fn is_too_short(name: &str) -> bool {
    words_of(name).concat().chars().count() < LETTERS_MIN
}

/// What to decode again with: the names that words among `heard` are like, but not the same.
pub(super) fn prompt(names: &str, heard: &[HeardWord]) -> Option<Arc<str>> {
    let mut wanted: Vec<&str> = likenesses(names, heard).iter().map(|like| like.name).collect();
    wanted.dedup();
    wanted.truncate(NAMES_MAX);
    (!wanted.is_empty()).then(|| format!("{}.", wanted.join(", ")).into())
}

/// Puts a name where `heard` has something like it and `prompted` has the name at the same time.
pub(super) fn correct(names: &str, heard: &mut Vec<HeardWord>, prompted: &[HeardWord]) {
    let found = likenesses(names, heard);
    for like in found.iter().rev() {
        let (start_ms, end_ms) = (heard[like.first].start_ms, heard[like.end - 1].end_ms);
        let words = words_of(like.name);
        let said = prompted.windows(words.len()).find(|window| {
            window.iter().zip(&words).all(|(heard, word)| letters(&heard.text) == *word)
                && window[0].start_ms.abs_diff(start_ms) <= TIMES_DIFFER_MS
                && window[words.len() - 1].end_ms.abs_diff(end_ms) <= TIMES_DIFFER_MS
        });
        let Some(said) = said else { continue };
        let mark = heard[like.end - 1].text.trim_start_matches(|c: char| !marks(c)).to_owned();
        let spelled = like.name.split_whitespace().zip(said);
        let mut named: Vec<HeardWord> = spelled
            .map(|(text, word)| HeardWord {
                text: text.to_owned(),
                start_ms: word.start_ms.clamp(start_ms, end_ms),
                end_ms: word.end_ms.clamp(start_ms, end_ms),
                confidence: word.confidence,
            })
            .collect();
        if let Some(last) = named.last_mut() {
            last.text.push_str(&mark);
        }
        heard.splice(like.first..like.end, named);
    }
}

fn marks(c: char) -> bool {
    matches!(c, '.' | ',' | '?' | '!')
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn words_of(name: &str) -> Vec<String> {
    name.split_whitespace().map(letters).filter(|word| !word.is_empty()).collect()
}

/// The stretches that are like a name, in order and apart from each other.
fn likenesses<'a>(names: &'a str, heard: &[HeardWord]) -> Vec<Likeness<'a>> {
    let bare: Vec<String> = heard.iter().map(|word| letters(&word.text)).collect();
    let mut found: Vec<Likeness> = Vec::new();
    for name in names.lines().map(str::trim) {
        let words = words_of(name);
        let whole = words.concat();
        if is_too_short(name) {
            continue;
        }
        // "Lark field" and "Larkfield": one word more or less.
        for length in words.len().saturating_sub(1).max(1)..=words.len() + 1 {
            for first in 0..(bare.len() + 1).saturating_sub(length) {
                let end = first + length;
                if bare[first..end] == words[..] {
                    found.push(Likeness { name, first, end, distance: 0, exact: true });
                    continue;
                }
                let sure = heard[first..end].iter().all(|word| word.confidence >= SURE_CONFIDENCE);
                let said = bare[first..end].concat();
                if sure || !may_be(&whole, &said) {
                    continue;
                }
                let distance = distance(&sounds(&whole), &sounds(&said));
                found.push(Likeness { name, first, end, distance, exact: false });
            }
        }
    }
    // Of stretches that overlap the likeliest stays, before all others what was heard right.
    found.sort_by_key(|like| (!like.exact, like.distance, like.first, like.end));
    let mut apart: Vec<Likeness> = Vec::new();
    for like in found {
        if apart.iter().all(|other| like.end <= other.first || other.end <= like.first) {
            apart.push(like);
        }
    }
    apart.retain(|like| !like.exact);
    apart.sort_by_key(|like| like.first);
    apart
}

fn may_be(name: &str, said: &str) -> bool {
    let (name, said) = (sounds(name), sounds(said));
    let longest = name.len().max(said.len());
    name.len().abs_diff(said.len()) <= longest / 3
        && name.first() == said.first()
        && distance(&name, &said) * 100 <= OTHER_LETTERS_PERCENT * name.len()
}

/// A rough spelling by sound: letters that English pronounces alike become one, doubles are single.
fn sounds(word: &str) -> Vec<char> {
    let word = word.replace("ph", "f").replace("ck", "k").replace("gh", "g");
    let mut out: Vec<char> = Vec::new();
    for c in word.chars() {
        let c = match c {
            'c' | 'q' => 'k',
            'z' => 's',
            'y' | 'i' | 'e' => 'i',
            'o' | 'u' => 'o',
            other => other,
        };
        if out.last() != Some(&c) {
            out.push(c);
        }
    }
    out
}

/// Letters to insert, leave out or replace.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (index, left) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, right) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(left != right);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: &str = "Larkfield\nFull Fibre 200\nBo";

    fn heard(text: &str) -> Vec<HeardWord> {
        let word = |(index, text): (usize, &str)| HeardWord {
            text: text.to_owned(),
            start_ms: 300 * index as u64,
            end_ms: 300 * index as u64 + 250,
            confidence: 0.8,
        };
        text.split_whitespace().enumerate().map(word).collect()
    }

    fn text(words: &[HeardWord]) -> String {
        words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn only_what_sounds_like_a_name_is_decoded_again() {
        for (said, expected) in [
            ("Thank you for calling Lockfield Broadband.", Some("Larkfield.")),
            ("Good afternoon, Lark field.", Some("Larkfield.")),
            ("It's Larkfield, George speaking.", None),
            ("The full fiber 200 is new", Some("Full Fibre 200.")),
            ("the full fibre 200 is new", None),
            ("I was in a field of corn", None),
            ("Boo is a name", None),
            ("", None),
        ] {
            assert_eq!(prompt(NAMES, &heard(said)).as_deref(), expected, "{said}");
        }
    }

    #[test]
    fn a_name_stands_only_where_it_was_heard_again() {
        for (said, prompted, expected) in [
            ("calling Lockfield, you", "calling Larkfield, you", "calling Larkfield, you"),
            ("calling Lockfield you", "calling Lockfield you", "calling Lockfield you"),
            (
                "at Lockfield a long way off",
                "a long way off is Larkfield",
                "at Lockfield a long way off",
            ),
            ("a full fiber 200?", "A full fibre 200", "a Full Fibre 200?"),
        ] {
            let mut words = heard(said);
            correct(NAMES, &mut words, &heard(prompted));
            assert_eq!(text(&words), expected);
        }
    }

    #[test]
    fn what_is_heard_surely_stays() {
        let mut sure = heard("calling Lockfield");
        sure.iter_mut().for_each(|word| word.confidence = 0.99);
        assert_eq!(prompt(NAMES, &sure), None);
    }
}
