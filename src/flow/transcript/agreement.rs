//! Which part of a partial won't change any more.
//!
//! Two successive decodings of a growing stretch agree on a prefix of words; that prefix is taken
//! for stable (LocalAgreement-2: Liu et al., Interspeech 2020; Macháček et al., 2023).

use crate::models::HeardWord;

#[derive(Clone, Debug, Default)]
pub(super) struct Agreement {
    last: Vec<String>,
    stable_words: usize,
}

impl Agreement {
    /// Takes the newest decoding and returns how many of its words are stable.
    pub(super) fn update(&mut self, words: &[HeardWord]) -> usize {
        let now: Vec<String> = words.iter().map(|word| bare(&word.text)).collect();
        let agreed = now.iter().zip(&self.last).take_while(|(a, b)| a == b).count();
        // What was called stable stays so even when a later decoding wavers.
        self.stable_words = self.stable_words.max(agreed).min(now.len());
        self.last = now;
        self.stable_words
    }

    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}

/// The word without case and punctuation, which flicker while a sentence grows.
fn bare(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<HeardWord> {
        text.split(' ')
            .map(|text| HeardWord { text: text.into(), start_ms: 0, end_ms: 0, confidence: 1.0 })
            .collect()
    }

    #[test]
    fn a_prefix_is_stable_once_two_decodings_agree() {
        let mut agreement = Agreement::default();
        assert_eq!(agreement.update(&words("so when do")), 0);
        assert_eq!(agreement.update(&words("So, when did I")), 2);
        assert_eq!(agreement.update(&words("so when did I get")), 4);
        assert_eq!(agreement.update(&words("so wind")), 2);
    }
}
