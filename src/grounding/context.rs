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
    let (before, behind) = sides(claimed, at, said, there);
    before + behind
}

/// The same for what stands before and what stands behind, each by itself.
pub(super) fn sides(claimed: &[Word], at: usize, said: &[Word], there: usize) -> (f32, f32) {
    let around = |words: &[Word], at: usize| {
        let from = at.saturating_sub(REACH);
        let to = (at + REACH + 1).min(words.len());
        (from..to).filter(move |index| *index != at)
    };
    let (mut before, mut behind) = (0.0, 0.0);
    for index in around(claimed, at) {
        let word = &claimed[index];
        let changes = is_pronoun(&word.lower) || is_denial(&word.lower);
        if changes || !around(said, there).any(|index| said[index].stem == word.stem) {
            continue;
        }
        let side = if index < at { &mut before } else { &mut behind };
        *side += if word.part == Part::Stop { SMALL } else { 1.0 };
    }
    (before, behind)
}
