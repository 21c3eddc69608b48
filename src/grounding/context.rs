//! What stands around a word: which of several places in the sources a word of a sentence comes from.

use super::polarity::is_denial;
use super::reading::{Part, Word};

/// Words on each side.
const REACH: usize = 4;
/// Grammar shows a place, too, but less than what is talked about.
const SMALL: f32 = 0.25;

/// Pronouns change when somebody's words are retold.
pub(super) fn is_pronoun(lower: &str) -> bool {
    matches!(
        lower,
        "i" | "im"
            | "ive"
            | "id"
            | "ill"
            | "me"
            | "my"
            | "mine"
            | "we"
            | "our"
            | "us"
            | "you"
            | "your"
            | "youre"
            | "youve"
            | "youll"
            | "youd"
            | "they"
            | "their"
            | "them"
            | "theyre"
            | "theyve"
            | "theyll"
            | "theyd"
            | "he"
            | "she"
            | "his"
            | "her"
            | "him"
            | "weve"
            | "well"
            | "were"
            | "wed"
            | "yours"
            | "ours"
            | "theirs"
            | "themselves"
            | "myself"
    )
}

/// How alike the surroundings of two words are.
pub(super) fn likeness(claimed: &[Word], at: usize, said: &[Word], there: usize) -> f32 {
    let around = |words: &[Word], at: usize| {
        let from = at.saturating_sub(REACH);
        let to = (at + REACH + 1).min(words.len());
        (from..to).filter(move |index| *index != at)
    };
    around(claimed, at)
        .map(|index| &claimed[index])
        .filter(|word| !is_pronoun(&word.lower) && !is_denial(&word.lower))
        .filter(|word| around(said, there).any(|index| said[index].stem == word.stem))
        .map(|word| if word.part == Part::Stop { SMALL } else { 1.0 })
        .sum()
}
