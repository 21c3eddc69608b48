//! Finds all phrases of all rules in a text, in one pass.

use std::collections::HashMap;
use std::ops::Range;

use aho_corasick::AhoCorasick;

use super::phrase::Phrase;
use crate::insight::words::Words;

/// A phrase of the scanner. Equal phrases of several rules are one.
pub type PhraseId = u32;

/// A phrase more often in one text than this proves nothing more.
pub const HITS_MAX: usize = 8;

#[derive(Debug, Default)]
pub struct ScannerBuilder {
    phrases: Vec<Phrase>,
    known: HashMap<Phrase, PhraseId>,
}

impl ScannerBuilder {
    pub fn add(&mut self, phrase: Phrase) -> PhraseId {
        let next = u32::try_from(self.phrases.len()).unwrap_or(u32::MAX);
        *self.known.entry(phrase).or_insert_with_key(|phrase| {
            self.phrases.push(phrase.clone());
            next
        })
    }

    /// # Errors
    /// There are more phrases than an automaton can hold.
    pub fn build(self) -> Result<Scanner, aho_corasick::BuildError> {
        let mut anchors: Vec<String> = Vec::new();
        let mut of_anchor: Vec<Vec<(PhraseId, usize)>> = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        for (id, phrase) in (0..).zip(&self.phrases) {
            let (anchor, before) = phrase.anchor();
            let at = *known.entry(anchor).or_insert_with_key(|anchor| {
                anchors.push(anchor.clone());
                of_anchor.push(Vec::new());
                anchors.len() - 1
            });
            of_anchor[at].push((id, before));
        }
        Ok(Scanner { automaton: AhoCorasick::new(&anchors)?, of_anchor, phrases: self.phrases })
    }
}

#[derive(Debug)]
pub struct Scanner {
    automaton: AhoCorasick,
    /// By the automaton's patterns: whose anchor it is, and how many words stand before it.
    of_anchor: Vec<Vec<(PhraseId, usize)>>,
    phrases: Vec<Phrase>,
}

/// Where a phrase stands, in words.
pub type Found = HashMap<PhraseId, Vec<Range<usize>>>;

impl Scanner {
    pub fn scan(&self, words: &Words) -> Found {
        let mut found = Found::new();
        for hit in self.automaton.find_overlapping_iter(words.line()) {
            // An anchor begins with the space before a word.
            let Some(word) = words.beginning_at(hit.start() + 1) else { continue };
            for &(id, before) in &self.of_anchor[hit.pattern().as_usize()] {
                let phrase = &self.phrases[id as usize];
                let Some(at) = word.checked_sub(before) else { continue };
                if phrase.stands_at(words, at) {
                    let places = found.entry(id).or_default();
                    if places.len() < HITS_MAX {
                        places.push(at..at + phrase.parts().len());
                    }
                }
            }
        }
        found
    }

    pub fn phrase(&self, id: PhraseId) -> &Phrase {
        &self.phrases[id as usize]
    }

    pub fn len(&self) -> usize {
        self.phrases.len()
    }

    /// As `scan`, by looking for each phrase at each word.
    #[cfg(test)]
    pub fn scan_plainly(&self, words: &Words) -> Found {
        let mut found = Found::new();
        for (id, phrase) in (0..).zip(&self.phrases) {
            let places = (0..words.len()).filter(|at| phrase.stands_at(words, *at));
            let places: Vec<_> =
                places.map(|at| at..at + phrase.parts().len()).take(HITS_MAX).collect();
            if !places.is_empty() {
                found.insert(id, places);
            }
        }
        found
    }
}
