//! What holds only if something else does, and is told as if it held anyway.

use super::abroad;
use super::reading::Word;
use super::support::{self, Support};
use super::verify::{Case, Finding};
use crate::domain::Fault;

/// Openings of a condition, whatever the sentence is about.
const IF: &[&str] = &["if", "unless", "providing"];
const IF_TWO: &[(&str, &str)] =
    &[("provided", "that"), ("provided", "you"), ("provided", "we"), ("provided", "the")];
const IF_THREE: &[[&str; 3]] =
    &[["as", "long", "as"], ["on", "condition", "that"], ["in", "case", "you"]];
/// Openings of one only where the rest is still to come: "I see it when I log in" tells what is.
const WHEN: &[&str] = &["when", "once"];
const WHEN_THREE: &[[&str; 3]] = &[["as", "soon", "as"]];
const TO_COME: &[&str] = &[
    "will", "ill", "well", "youll", "itll", "theyll", "shell", "hell", "can", "going", "gets",
    "wont",
];
/// "let me know if", "I'll see if": asks whether.
const WHETHER: &[&str] = &[
    "know",
    "see",
    "check",
    "ask",
    "asked",
    "wonder",
    "wondering",
    "sure",
    "even",
    "as",
    "what",
    "tell",
    "confirm",
    "find",
    "out",
    "hear",
    "not",
    "remember",
    "mind",
];
/// Behind "if", courtesy: "if you have any questions".
const COURTESY: &[&[&str]] = &[
    &["you", "have", "any"],
    &["you", "need", "any"],
    &["you", "need", "anything"],
    &["you", "need", "help"],
    &["you", "need", "more"],
    &["you", "need", "further"],
    &["you", "dont", "mind"],
    &["theres", "anything"],
    &["there", "is", "anything"],
    &["possible"],
];
/// A sentence with one of these doesn't claim that it is so.
const HEDGES: &[&str] = &[
    "if",
    "unless",
    "when",
    "whenever",
    "once",
    "until",
    "till",
    "whether",
    "provided",
    "providing",
    "depending",
    "otherwise",
    "except",
    "would",
    "wouldnt",
    "might",
    "may",
    "should",
    "subject",
    "case",
    "long",
    "soon",
    "condition",
];
/// "Asked the customer to …" retells what is wanted of somebody.
const WANTS: &[&str] = &[
    "ask",
    "asks",
    "asked",
    "asking",
    "request",
    "requests",
    "requested",
    "invite",
    "invited",
    "suggest",
    "suggests",
    "suggested",
    "advise",
    "advises",
    "advised",
    "recommend",
    "recommended",
    "offer",
    "offers",
    "offered",
    "tell",
    "told",
    "instructed",
    "instructs",
    "directed",
    "requesting",
    "advising",
    "suggesting",
    "instructing",
];
const WANTS_REACH: usize = 6;

/// A source that holds less of the sentence isn't what it retells.
const SHARE_MIN: f32 = 0.3;
/// Words with less weight than this can come from anywhere.
const WEIGHT_MIN: f32 = 1.5;
/// So much of what the conditional source holds must stand in one without a condition.
const ELSEWHERE_MIN: f32 = 0.8;

fn opens(words: &[Word], at: usize) -> bool {
    let word = |offset: usize| words.get(at + offset).map_or("", |word| word.lower.as_str());
    let is_three =
        |list: &[[&str; 3]]| list.iter().any(|three| (0..3).all(|i| word(i) == three[i]));
    if IF.contains(&word(0)) {
        let before = at.checked_sub(1).map_or("", |before| words[before].lower.as_str());
        let follows = |phrase: &&[&str]| {
            phrase.iter().enumerate().all(|(offset, wanted)| word(offset + 1) == *wanted)
        };
        return !WHETHER.contains(&before) && !COURTESY.iter().any(follows);
    }
    if IF_TWO.contains(&(word(0), word(1))) || is_three(IF_THREE) {
        return true;
    }
    let to_come = || words.iter().any(|word| TO_COME.contains(&word.lower.as_str()));
    (WHEN.contains(&word(0)) || is_three(WHEN_THREE)) && to_come()
}

/// Whether a sentence of a source says something only under a condition.
pub(super) fn is_conditional(words: &[Word]) -> bool {
    (0..words.len()).any(|at| opens(words, at)) || abroad::is_conditional(words)
}

/// Whether a sentence leaves open that it is so, or retells what somebody is to do.
fn leaves_open(words: &[Word]) -> bool {
    let hedges = words.iter().any(|word| HEDGES.contains(&word.lower.as_str()));
    let wants = words.iter().enumerate().any(|(at, word)| {
        let behind = words.iter().skip(at + 1).take(WANTS_REACH);
        WANTS.contains(&word.lower.as_str())
            && behind.clone().any(|next| matches!(next.lower.as_str(), "to" | "for"))
    });
    hedges || wants || abroad::leaves_open(words)
}

/// "The payment was our mistake" isn't what "if the payment was our mistake, we will …" says.
pub(super) fn check(case: &Case) -> Finding {
    let support = &case.support;
    let depends = |unit: usize| case.ground.units[unit].is_conditional;
    let strongest = support
        .units
        .iter()
        .copied()
        .filter(|unit| depends(*unit))
        .max_by(|a, b| support.share_of(*a).total_cmp(&support.share_of(*b)));
    let Some(strongest) = strongest else { return Ok(()) };
    if leaves_open(&case.reading.words) || support.share_of(strongest) < SHARE_MIN {
        return Ok(());
    }
    let held: Vec<usize> =
        (0..support.weights.len()).filter(|word| support.holds(*word, strongest)).collect();
    let weight = |words: &mut dyn Iterator<Item = &usize>| -> f32 {
        words.map(|word| support.weights[*word]).sum()
    };
    let all = weight(&mut held.iter());
    if all < WEIGHT_MIN {
        return Ok(());
    }
    let free = |unit: usize| (case.allowed)(unit) && !depends(unit);
    let others: Support = support::find(&case.reading, case.ground, &free);
    let elsewhere = others
        .units
        .iter()
        .map(|unit| weight(&mut held.iter().filter(|word| support.holds(**word, *unit))))
        .fold(0.0, f32::max);
    if elsewhere >= all * ELSEWHERE_MIN {
        return Ok(());
    }
    Err((Fault::Condition, "its sources say so only under a condition".to_owned()))
}
