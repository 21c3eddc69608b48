//! Many phrases, looked for in a text at once: a tree of words that is walked from each word of it.
//!
//! A large base has more names than a passage has words, so asking for each of them in each passage
//! grows with the square of the base.

use std::collections::HashMap;

/// A word that stands in no phrase.
const UNKNOWN: u32 = u32::MAX;
const ROOT: u32 = 0;

#[derive(Default)]
pub(super) struct Phrases {
    words: HashMap<String, u32>,
    /// Where a word leads, from a place in the tree.
    steps: HashMap<(u32, u32), u32>,
    /// Which phrase ends at a place, by place.
    ends: Vec<Option<usize>>,
    count: usize,
}

impl Phrases {
    /// Makes a word known that may come to stand in a phrase.
    pub fn learn(&mut self, word: &str) -> u32 {
        if let Some(known) = self.words.get(word) {
            return *known;
        }
        let number = self.words.len() as u32;
        self.words.insert(word.to_owned(), number);
        number
    }

    /// The number of a word; unknown ones share one that is larger than all others.
    pub fn word(&self, word: &str) -> u32 {
        self.words.get(word).copied().unwrap_or(UNKNOWN)
    }

    /// How many words are known.
    pub fn known_words(&self) -> usize {
        self.words.len()
    }

    /// The number of a phrase: from 0, in the order in which they are added.
    pub fn add<'a>(&mut self, phrase: impl IntoIterator<Item = &'a str>) -> usize {
        let mut place = ROOT;
        for word in phrase {
            let word = self.learn(word);
            let next = (self.steps.len() + 1) as u32;
            place = *self.steps.entry((place, word)).or_insert(next);
        }
        self.ends.resize(self.steps.len() + 1, None);
        let number = *self.ends[place as usize].get_or_insert(self.count);
        self.count += usize::from(number == self.count);
        number
    }

    /// Tells each phrase in a text, given by the numbers of its words, as often as it stands there.
    pub fn each_in(&self, text: &[u32], mut on_phrase: impl FnMut(usize)) {
        for from in 0..text.len() {
            let mut place = ROOT;
            for &word in &text[from..] {
                let Some(&next) = self.steps.get(&(place, word)) else { break };
                place = next;
                if let Some(phrase) = self.ends[place as usize] {
                    on_phrase(phrase);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_inside_each_other_and_across_are_all_found() {
        let mut phrases = Phrases::default();
        for phrase in ["a b", "a b c", "b c", "c", "a b"] {
            phrases.add(phrase.split(' '));
        }
        let found = |text: &str| {
            let words: Vec<u32> = text.split(' ').map(|word| phrases.word(word)).collect();
            let mut found = Vec::new();
            phrases.each_in(&words, |phrase| found.push(phrase));
            found
        };
        assert_eq!(found("x a b c a b x"), [0, 1, 2, 3, 0]);
        assert!(found("a x b x").is_empty());
    }
}
