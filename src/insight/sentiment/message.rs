//! How one message sounds. The rules are VADER's (Hutto and Gilbert 2014), without what only writing has.

use super::lexicon::{ENGLISH, Foulness, Lexicon};
use crate::domain::{Redacted, SentimentTerm};
use crate::insight::words::{Words, chars};

/// What one message says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MessageSentiment {
    /// -1 to 1
    pub score: f32,
    pub foul: Option<Foulness>,
    /// The weightiest first.
    pub terms: Vec<SentimentTerm>,
}

/// What a denied word is worth.
const DENIED: f32 = -0.74;
/// A sum of ratings becomes a score between -1 and 1: sum / √(sum² + this).
const SOFTENING: f32 = 15.0;
/// How many words a denial reaches.
const REACH: usize = 3;
/// What is said after a "but" counts more than what is said before.
const BEFORE_BUT: f32 = 0.5;
const AFTER_BUT: f32 = 1.5;
/// No event carries more.
const TERMS_MAX: usize = 8;

struct Rated {
    from: usize,
    to: usize,
    weight: f32,
}

/// Rates an English text.
pub fn rate(text: &Redacted) -> MessageSentiment {
    let lexicon = &*ENGLISH;
    let words = Words::of(text.as_str());
    let word = |at: usize| words.get(at).unwrap_or_default();
    let (mut rated, mut foul, mut but) = (Vec::new(), None, None);
    let mut at = 0;
    while at < words.len() {
        foul = foul.max(lexicon.foul(word(at)));
        if word(at) == "but" {
            but = Some(at);
        }
        let (to, weight) = match saying(lexicon, &words, at) {
            Some((length, rating)) => (at + length, rating),
            None => (at + 1, around(lexicon, &words, at)),
        };
        if weight != 0.0 {
            rated.push(Rated { from: at, to, weight });
        }
        // A foul word in a saying is one still.
        foul = (at + 1..to).fold(foul, |foul, at| foul.max(lexicon.foul(word(at))));
        at = to;
    }
    if let Some(but) = but {
        for one in &mut rated {
            one.weight *= if one.from < but { BEFORE_BUT } else { AFTER_BUT };
        }
    }
    let sum: f32 = rated.iter().map(|one| one.weight).sum();
    let score = (sum / (sum * sum + SOFTENING).sqrt()).clamp(-1.0, 1.0);
    rated.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
    let terms = rated.iter().take(TERMS_MAX).filter_map(|one| {
        let bytes = words.span(one.from..one.to)?;
        let places = chars(text.as_str(), &bytes);
        let (start_chars, end_chars) = (places.start, places.end);
        let quote = text.slice(bytes);
        Some(SentimentTerm { start_chars, end_chars, quote, weight: one.weight })
    });
    MessageSentiment { score, foul, terms: terms.collect() }
}

/// The longest saying that stands here: how many words, and its rating.
fn saying(lexicon: &Lexicon, words: &Words, at: usize) -> Option<(usize, f32)> {
    let here = lexicon.sayings(words.get(at)?).iter();
    let mut here = here.filter(|(saying, _)| {
        saying.iter().enumerate().all(|(n, word)| words.get(at + n) == Some(*word))
    });
    here.next().map(|(saying, rating)| (saying.len(), *rating))
}

/// What a word is worth beside those before it.
fn around(lexicon: &Lexicon, words: &Words, at: usize) -> f32 {
    let Some(mut rating) = words.get(at).and_then(|word| lexicon.word(word)) else { return 0.0 };
    let before = |back: usize| at.checked_sub(back).and_then(|at| words.get(at));
    if let Some(word) = before(1) {
        rating += lexicon.strength(word) * rating.signum();
    }
    if (1..=REACH).filter_map(before).any(|word| lexicon.denies(word)) {
        rating *= DENIED;
    }
    rating
}
