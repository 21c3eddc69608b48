//! Whisper's vocabulary: the special tokens, languages, and text to tokens.
//!
//! Source: `whisper/tokenizer.py` of openai/whisper.

use std::collections::HashMap;

/// Entries of a vocabulary without languages; the multilingual one has one more.
pub(super) const ENGLISH_ONLY: usize = 51_864;

const TIMES_PER_S: f32 = 50.0;

/// In the order of their tokens.
const LANGUAGES: [&str; 99] = [
    "en", "zh", "de", "es", "ru", "ko", "fr", "ja", "pt", "tr", "pl", "ca", "nl", "ar", "sv", "it",
    "id", "hi", "fi", "vi", "he", "uk", "el", "ms", "cs", "ro", "da", "hu", "ta", "no", "th", "ur",
    "hr", "bg", "lt", "la", "mi", "ml", "cy", "sk", "te", "fa", "lv", "bn", "sr", "az", "sl", "kn",
    "et", "mk", "br", "eu", "is", "hy", "ne", "mn", "bs", "kk", "sq", "sw", "gl", "mr", "pa", "si",
    "km", "sn", "yo", "so", "af", "oc", "ka", "be", "tg", "sd", "gu", "am", "yi", "lo", "uz", "fo",
    "ht", "ps", "tk", "nn", "mt", "sa", "lb", "my", "bo", "tl", "mg", "as", "tt", "haw", "ln",
    "ha", "ba", "jw", "su",
];

pub(super) struct Tokens {
    words: Vec<Vec<u8>>,
    numbers: HashMap<Vec<u8>, u32>,
    longest: usize,
    multilingual: bool,
    pub end: u32,
    pub start: u32,
    pub transcribe: u32,
    pub previous: u32,
    /// `<|0.00|>`; one more every 20 ms.
    pub first_time: u32,
}

impl Tokens {
    pub fn new(words: Vec<Vec<u8>>, vocabulary: usize) -> Self {
        let multilingual = vocabulary > ENGLISH_ONLY;
        let end = 50_256 + u32::from(multilingual);
        let start = end + 1;
        let translate = start + 1 + LANGUAGES.len() as u32;
        let texts = words.iter().take(end as usize).enumerate();
        let numbers: HashMap<_, _> =
            texts.map(|(number, word)| (word.clone(), number as u32)).collect();
        let longest = words.iter().map(Vec::len).max().unwrap_or(0);
        Self {
            words,
            numbers,
            longest,
            multilingual,
            end,
            start,
            transcribe: translate + 1,
            previous: translate + 3,
            first_time: translate + 6,
        }
    }

    pub fn multilingual(&self) -> bool {
        self.multilingual
    }

    pub fn bytes(&self, token: u32) -> &[u8] {
        self.words.get(token as usize).map_or(&[], Vec::as_slice)
    }

    pub fn language(&self, code: &str) -> Option<u32> {
        let number = LANGUAGES.iter().position(|language| *language == code)?;
        Some(self.start + 1 + number as u32)
    }

    /// The most likely language and its probability among all.
    pub fn likeliest_language(&self, logits: &[f32]) -> Option<(&'static str, f32)> {
        let first = self.start as usize + 1;
        let logits = logits.get(first..first + LANGUAGES.len())?;
        let (number, most) = logits.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
        let sum: f32 = logits.iter().map(|logit| (logit - most).exp()).sum();
        Some((LANGUAGES.get(number)?, 1.0 / sum))
    }

    /// The time mark of that many seconds.
    pub fn time(&self, seconds: f32) -> u32 {
        self.first_time + (seconds.max(0.0) * TIMES_PER_S) as u32
    }

    /// Text to tokens, word by word, the longest that fits first: what whisper.cpp does.
    pub fn tokenise(&self, text: &str) -> Vec<u32> {
        let mut tokens = Vec::new();
        for word in text.split_whitespace() {
            let spaced = format!(" {word}");
            let mut rest = spaced.as_bytes();
            while !rest.is_empty() {
                let longest = (1..=rest.len().min(self.longest)).rev();
                let found = longest
                    .filter_map(|length| Some((length, *self.numbers.get(&rest[..length])?)))
                    .next();
                let Some((length, token)) = found else { break };
                tokens.push(token);
                rest = &rest[length..];
            }
        }
        tokens
    }
}
