//! How alike texts are by their letters: cosines of weighted letter groups, for what a sentence's vector forgets, such as
//! "pin" beside "cash".
//!
//! Groups of three to five letters inside words (McNamee and Mayfield, *Information Retrieval* 7, 2004), weighted by
//! `1 + ln count` and by how few of the examples have them (Salton and Buckley 1988).

use std::collections::{BTreeMap, HashMap};

use crate::insight::words::Words;

/// Letters of a group; a word is taken with a space on both sides.
const GROUPS: [usize; 3] = [3, 4, 5];
/// Letters of a text that are looked at: what a customer wants is said before.
const TEXT_MAX_CHARS: usize = 2_000;

/// A text's groups, each by its number, with weights whose squares sum to 1.
pub type Weighted = Vec<(u32, f32)>;

/// Groups of letters with their weights, from the examples' texts.
pub struct Lexicon {
    groups: HashMap<Box<str>, (u32, f32)>,
}

/// Texts to compare others with.
pub struct LexicalIndex {
    /// Of each group, the texts that have it, and the group's weight there.
    texts_of: Vec<Vec<(u32, f32)>>,
    texts: usize,
}

impl Lexicon {
    pub fn of(texts: &[&str]) -> Self {
        let mut seen: HashMap<Box<str>, (u32, u32)> = HashMap::new();
        for text in texts {
            for group in counted(text).into_keys() {
                let next = seen.len() as u32;
                seen.entry(group).or_insert((next, 0)).1 += 1;
            }
        }
        let all = 1.0 + texts.len() as f32;
        // As if one more text had every group, so that no weight is without bounds.
        let weighted = seen.into_iter().map(|(group, (number, texts))| {
            (group, (number, (all / (1.0 + texts as f32)).ln() + 1.0))
        });
        Self { groups: weighted.collect() }
    }

    /// Groups that no example has are left out.
    pub fn weigh(&self, text: &str) -> Weighted {
        let known = counted(text).into_iter().filter_map(|(group, count)| {
            let (number, weight) = self.groups.get(&group)?;
            Some((*number, (1.0 + (count as f32).ln()) * weight))
        });
        let mut weighted: Weighted = known.collect();
        weighted.sort_unstable_by_key(|(number, _)| *number);
        let length = weighted.iter().map(|(_, weight)| weight * weight).sum::<f32>().sqrt();
        weighted.iter_mut().for_each(|(_, weight)| *weight /= length.max(f32::MIN_POSITIVE));
        weighted
    }

    pub fn index(&self, texts: &[Weighted]) -> LexicalIndex {
        let mut texts_of = vec![Vec::new(); self.groups.len()];
        for (at, text) in texts.iter().enumerate() {
            for (number, weight) in text {
                texts_of[*number as usize].push((at as u32, *weight));
            }
        }
        LexicalIndex { texts_of, texts: texts.len() }
    }
}

impl LexicalIndex {
    /// The cosine with each text of the index, in its order.
    pub fn cosines(&self, text: &Weighted) -> Vec<f32> {
        let mut cosines = vec![0.0; self.texts];
        for (number, weight) in text {
            for (at, other) in &self.texts_of[*number as usize] {
                cosines[*at as usize] += weight * other;
            }
        }
        cosines
    }
}

/// How often a text has each group, in the order of the groups: sums must round alike every time.
fn counted(text: &str) -> BTreeMap<Box<str>, u32> {
    let text: &str = text.char_indices().nth(TEXT_MAX_CHARS).map_or(text, |(end, _)| &text[..end]);
    let words = Words::of(text);
    let mut counts = BTreeMap::new();
    for at in 0..words.len() {
        let Some(word) = words.get(at) else { continue };
        let word = format!(" {word} ");
        // Where letters begin, and where the last ends: letters may take several bytes.
        let starts: Vec<usize> =
            word.char_indices().map(|(start, _)| start).chain([word.len()]).collect();
        for letters in GROUPS {
            for group in starts.windows(letters + 1) {
                *counts.entry(word[group[0]..group[letters]].into()).or_insert(0) += 1;
            }
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alike_are_texts_that_share_rare_words() {
        let texts = ["my card is lost", "my card is late", "where is my card", "change the pin"];
        let lexicon = Lexicon::of(&texts);
        let weighted: Vec<Weighted> = texts.iter().map(|text| lexicon.weigh(text)).collect();
        let index = lexicon.index(&weighted);
        let cosines = index.cosines(&lexicon.weigh("Lost my cards!"));
        assert!(cosines[0] > cosines[1] && cosines[1] > cosines[3], "{cosines:?}");
        assert!((index.cosines(&weighted[2])[2] - 1.0).abs() < 1e-5);
    }

    #[test]
    fn texts_without_letters_are_like_nothing() {
        let lexicon = Lexicon::of(&["how much", "über Köln"]);
        let index = lexicon.index(&[lexicon.weigh("how much")]);
        for text in ["", "?!", "\u{1f600}", "ß", "日本語"] {
            assert_eq!(index.cosines(&lexicon.weigh(text)), [0.0]);
        }
    }
}
