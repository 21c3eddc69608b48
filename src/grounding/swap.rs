//! A word that was put in the place of another one.

use super::context::likeness;
use super::reading::{Part, Word};
use super::verify::{Case, Finding};
use crate::domain::Fault;

/// A unit that holds less of the sentence isn't what was retold.
const SHARE_MIN: f32 = 0.4;
/// The same words stand around both.
const LIKENESS_MIN: f32 = 2.0;
const LEAD: f32 = 1.5;
/// Forms of one word begin alike.
const PREFIX: usize = 4;

/// "They'd be angry to look into it" isn't what "they'd be happy to look into it" says.
pub(super) fn check(case: &Case) -> Finding {
    let words = &case.reading.words;
    let telling = |word: &&Word| {
        word.part == Part::Content && !word.lower.contains(|c: char| c.is_ascii_digit())
    };
    let units: Vec<usize> = case
        .support
        .units
        .iter()
        .copied()
        .filter(|unit| case.support.share_of(*unit) >= SHARE_MIN)
        .collect();
    for (at, word) in words.iter().enumerate().filter(|(_, word)| telling(word)) {
        for unit in units.iter().filter(|unit| !case.support.holds(at, **unit)) {
            let said = &case.ground.units[*unit].reading.words;
            let other = said.iter().enumerate().filter(|(_, other)| {
                telling(other)
                    && !alike(&word.lower, &other.lower)
                    && !words.iter().any(|claimed| claimed.stem == other.stem)
            });
            for (there, other) in other {
                let there = likeness(words, at, said, there);
                if there >= LIKENESS_MIN && there >= own(case, at) + LEAD {
                    let why =
                        format!("its sources say \"{}\", not \"{}\"", other.lower, word.lower);
                    return Err((Fault::Meaning, why));
                }
            }
        }
    }
    Ok(())
}

fn alike(a: &str, b: &str) -> bool {
    a.chars().take(PREFIX).eq(b.chars().take(PREFIX))
}

/// How well the word itself fits where the sources have it.
fn own(case: &Case, at: usize) -> f32 {
    let words = &case.reading.words;
    let mut best = 0.0_f32;
    for unit in case.support.units.iter().filter(|unit| case.support.holds(at, **unit)) {
        let said = &case.ground.units[*unit].reading.words;
        for (there, word) in said.iter().enumerate() {
            if word.stem == words[at].stem {
                best = best.max(likeness(words, at, said, there));
            }
        }
    }
    best
}
