//! A word that was put in the place of another one.

use super::context::{likeness, sides};
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
    // What was found as a fact was found in another form.
    let as_fact = |at: usize| {
        case.support.covered[at]
            && !case.support.units.iter().any(|unit| case.support.holds(at, *unit))
    };
    for (at, word) in words.iter().enumerate().filter(|(at, word)| telling(word) && !as_fact(*at)) {
        for unit in units.iter().filter(|unit| !case.support.holds(at, **unit)) {
            let reading = &case.ground.units[*unit].reading;
            let said = &reading.words;
            let other = said.iter().enumerate().filter(|(_, other)| {
                telling(other)
                    && !reading.is_exact(other)
                    && !alike(&word.lower, &other.lower)
                    && !words.iter().any(|claimed| claimed.stem == other.stem)
            });
            for (there, other) in other {
                let last = at + 1 == words.len() && there + 1 == said.len();
                let (before, behind) = sides(words, at, said, there);
                let between = before > 0.0 && (behind > 0.0 || last);
                let there = before + behind;
                if between && there >= LIKENESS_MIN && there >= own(case, at) + LEAD {
                    let why =
                        format!("its sources say \"{}\", not \"{}\"", other.lower, word.lower);
                    return Err((Fault::Meaning, why));
                }
            }
        }
    }
    Ok(())
}

/// Forms of one word.
pub(super) fn alike(a: &str, b: &str) -> bool {
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
