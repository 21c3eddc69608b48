//! What English words say about how somebody feels.

use std::collections::HashMap;
use std::sync::LazyLock;

const RATED: &str = include_str!("lexicon.tsv");
const TRADE: &str = include_str!("trade.tsv");
const SAYINGS: &str = include_str!("sayings.tsv");
const PROFANITY: &str = include_str!("profanity.tsv");

/// Words that turn what follows into its opposite.
const DENIALS: &[&str] = &[
    "not", "no", "never", "none", "nobody", "nothing", "neither", "nor", "nowhere", "without",
    "hardly", "cannot", "cant", "dont", "doesnt", "didnt", "isnt", "arent", "wasnt", "werent",
    "wont", "wouldnt", "couldnt", "shouldnt", "havent", "hasnt", "hadnt", "aint", "mustnt",
];

const STRONGER: &[&str] = &[
    "absolutely",
    "completely",
    "extremely",
    "really",
    "so",
    "totally",
    "utterly",
    "very",
    "incredibly",
    "deeply",
    "entirely",
    "thoroughly",
    "especially",
    "particularly",
    "such",
    "fucking",
    "bloody",
    "effing",
    "proper",
    "dead",
    "too",
    "right",
];

const WEAKER: &[&str] = &[
    "almost",
    "barely",
    "bit",
    "fairly",
    "kinda",
    "little",
    "marginally",
    "partly",
    "quite",
    "slightly",
    "somewhat",
    "sort",
];

/// How foul a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Foulness {
    Foul,
    VeryFoul,
}

/// Every list once, by word.
pub struct Lexicon {
    words: HashMap<&'static str, f32>,
    /// By their first word; the longest first.
    sayings: HashMap<&'static str, Vec<(Vec<&'static str>, f32)>>,
    foul: HashMap<&'static str, Foulness>,
}

pub static ENGLISH: LazyLock<Lexicon> = LazyLock::new(Lexicon::built_in);

fn rows(table: &'static str) -> impl Iterator<Item = (&'static str, f32)> {
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| {
        let (word, rating) = line.split_once('\t')?;
        Some((word, rating.parse().ok()?))
    })
}

impl Lexicon {
    fn built_in() -> Self {
        let mut words: HashMap<_, _> = rows(RATED).collect();
        words.extend(rows(TRADE));
        let mut sayings: HashMap<_, Vec<_>> = HashMap::new();
        for (saying, rating) in rows(SAYINGS) {
            let saying: Vec<_> = saying.split(' ').collect();
            if let Some(first) = saying.first() {
                sayings.entry(*first).or_default().push((saying, rating));
            }
        }
        for of_word in sayings.values_mut() {
            of_word.sort_by_key(|(words, _)| std::cmp::Reverse(words.len()));
        }
        let foulness = |rating: f32| if rating > 1.5 { Foulness::VeryFoul } else { Foulness::Foul };
        let foul = rows(PROFANITY).map(|(word, rating)| (word, foulness(rating))).collect();
        Self { words, sayings, foul }
    }

    /// What a word says, -4 to 4; `None` when it says nothing.
    pub fn word(&self, word: &str) -> Option<f32> {
        self.words.get(word).copied().filter(|rating| *rating != 0.0)
    }

    pub fn foul(&self, word: &str) -> Option<Foulness> {
        self.foul.get(word).copied()
    }

    /// The sayings that begin with a word, the longest first.
    pub fn sayings(&self, first: &str) -> &[(Vec<&'static str>, f32)] {
        self.sayings.get(first).map_or(&[], Vec::as_slice)
    }

    pub fn denies(&self, word: &str) -> bool {
        // `n't` as it is spelt, and as it is typed in a hurry.
        word.ends_with("n't") || DENIALS.contains(&word)
    }

    /// What a word adds to the strength of the next.
    pub fn strength(&self, word: &str) -> f32 {
        const STEP: f32 = 0.293;
        match word {
            _ if STRONGER.contains(&word) => STEP,
            _ if WEAKER.contains(&word) => -STEP,
            _ => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read() {
        for table in [RATED, TRADE, SAYINGS, PROFANITY] {
            let lines = table.lines().filter(|line| !line.starts_with('#')).count();
            assert_eq!(rows(table).count(), lines);
            for (word, rating) in rows(table) {
                assert!((-4.0..=4.0).contains(&rating), "{word}");
                // As words are when they are compared.
                assert!(
                    word.chars().all(|c| c.is_ascii_lowercase() || c == ' ' || c == '\''),
                    "{word}"
                );
            }
        }
        assert!(ENGLISH.words.len() > 7_000);
    }

    #[test]
    fn what_a_word_means_in_trade_comes_before_the_lexicon() {
        assert_eq!(ENGLISH.word("help"), None);
        assert_eq!(ENGLISH.word("joke"), Some(-1.8));
        assert_eq!(ENGLISH.word("awful"), Some(-2.0));
        assert_eq!(ENGLISH.word("router"), None);
    }
}
