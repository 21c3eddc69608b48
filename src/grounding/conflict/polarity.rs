//! What one sentence denies and the other says, where they are worded alike.

use super::statement::{Clause, Statement, dot};
use super::{Clash, Evidence, Published};
use crate::domain::ConflictKind;

/// Clauses that are less alike aren't compared.
const ALIKE_MIN: f32 = 0.45;
/// Words that are less alike don't stand for each other.
const SAME_MIN: f32 = 0.45;

/// Words with a "not" in them.
const DENYING: &[&str] = &[
    "cannot", "cant", "dont", "doesnt", "didnt", "wont", "wouldnt", "isnt", "arent", "wasnt",
    "werent", "hasnt", "havent", "hadnt", "couldnt", "shouldnt", "mustnt", "neednt", "never",
    "nobody", "nothing", "none", "neither", "nor",
];
/// Behind these a "not" denies the clause; elsewhere it sets one thing against another: "into the
/// router, not into the wall".
const HELPERS: &[&str] = &[
    "is", "are", "was", "were", "be", "been", "am", "do", "does", "did", "has", "have", "had",
    "can", "could", "will", "would", "shall", "should", "may", "might", "must", "need", "please",
    "its", "thats", "theyre", "youre", "hes", "shes", "im", "ill", "well", "youll", "theyll",
    "itll",
];
/// A number is bounded, nothing denied: "no later than", "not more than".
const BOUNDS: &[&str] =
    &["later", "longer", "more", "less", "fewer", "sooner", "earlier", "only", "just"];
/// What turns a clause round without a "not", in one way or another.
const TURNING: &[&str] = &[
    "without",
    "free",
    "except",
    "instead",
    "unless",
    "only",
    "hardly",
    "until",
    "stop",
    "stops",
    "stopped",
    "end",
    "ends",
    "ended",
    "lose",
    "loses",
    "lost",
    "off",
    "over",
    "gone",
    "dead",
    "refuse",
    "refuses",
    "refused",
    "fail",
    "fails",
    "failed",
    "unable",
    "impossible",
];
/// A clause that opens with one of these says nothing by itself.
const CONDITIONS: &[&str] = &[
    "if", "unless", "when", "whenever", "once", "until", "while", "as", "whether", "before",
    "after", "that", "which", "who",
];

/// Whether a clause denies what it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stance {
    Affirms,
    Denies,
    /// It may do either, or says so only under a condition.
    Unclear,
}

pub(super) fn stance(said: &Statement, clause: &Clause) -> Stance {
    let words = &said.reading.words[clause.words.clone()];
    let word = |at: usize| words.get(at).map_or("", |word| word.lower.as_str());
    let opens = if matches!(word(0), "and" | "but" | "so") { word(1) } else { word(0) };
    if CONDITIONS.contains(&opens) || word(0) == "or" {
        return Stance::Unclear;
    }
    let (mut denies, mut turns) = (false, false);
    for at in 0..words.len() {
        let before = at.checked_sub(1).map_or("", word);
        let bounds = BOUNDS.contains(&word(at + 1));
        match word(at) {
            "not" | "no" if bounds => {}
            "not" if HELPERS.contains(&before) => denies = true,
            "not" => turns = true,
            // An answer: "No, it stays."
            "no" if clause.words.start + at == 0 && is_answer(&said.reading.text) => {}
            "no" => denies = true,
            lower if DENYING.contains(&lower) => denies = true,
            lower => turns |= TURNING.contains(&lower),
        }
    }
    match (denies, turns) {
        (true, false) => Stance::Denies,
        (false, false) => Stance::Affirms,
        (_, true) => Stance::Unclear,
    }
}

fn is_answer(text: &str) -> bool {
    text.get("no".len()..).is_some_and(|rest| rest.starts_with([',', '.', ';', '!']))
}

pub(super) fn clashes(said: &Statement, published: &[Published<'_>]) -> Vec<Clash> {
    let mut found = Vec::new();
    for own in said.clauses.iter().filter(|clause| !clause.telling.is_empty()) {
        let here = stance(said, own);
        if here == Stance::Unclear {
            continue;
        }
        let agreeing = published.iter().flat_map(|one| {
            let theirs = one.statement;
            let contrary = |other: &&Clause| is_contrary(here, stance(theirs, other));
            let same = theirs.clauses.iter().filter(move |other| !contrary(other));
            same.map(|other| alike(said, own, theirs, other))
        });
        let agreeing = agreeing.fold(0.0, f32::max);
        for (number, candidate) in published.iter().enumerate() {
            let theirs = candidate.statement;
            let contrary = |other: &&Clause| is_contrary(here, stance(theirs, other));
            let others = theirs.clauses.iter().filter(contrary);
            let nearest = others
                .map(|other| (alike(said, own, theirs, other), other))
                .max_by(|a, b| a.0.total_cmp(&b.0));
            // Another published clause that agrees is as like it.
            let is_nearest = |(alike, _): &(f32, &Clause)| *alike >= agreeing.max(ALIKE_MIN);
            let Some((alike, other)) = nearest.filter(is_nearest) else { continue };
            let inputs = [
                1.0,
                said.nearness(theirs),
                alike,
                alike - agreeing,
                candidate.asked,
                f32::from(u8::from(number == 0)),
                same_words(said, own, theirs, other),
            ];
            let evidence = Evidence::Denial(inputs);
            found.push(Clash { published: number, kind: ConflictKind::Negation, evidence });
        }
    }
    found
}

fn is_contrary(here: Stance, there: Stance) -> bool {
    matches!((here, there), (Stance::Affirms, Stance::Denies) | (Stance::Denies, Stance::Affirms))
}

/// How alike two clauses are, both ways, by their telling words.
fn alike(said: &Statement, own: &Clause, theirs: &Statement, other: &Clause) -> f32 {
    if own.telling.is_empty() || other.telling.is_empty() {
        return 0.0;
    }
    let held = |a: &Statement, of: &Clause, b: &Statement, within: &Clause| -> f32 {
        let nearest = of.telling.iter().map(|word| {
            let all = within.telling.iter().map(|other| dot(a.word(*word), b.word(*other)));
            all.fold(0.0, f32::max)
        });
        nearest.sum::<f32>() / of.telling.len() as f32
    };
    f32::midpoint(held(said, own, theirs, other), held(theirs, other, said, own))
}

/// The share of the clause's telling words that stand for one of the other's.
fn same_words(said: &Statement, own: &Clause, theirs: &Statement, other: &Clause) -> f32 {
    let stands = |word: &&usize| {
        other.telling.iter().any(|one| dot(said.word(**word), theirs.word(*one)) >= SAME_MIN)
    };
    own.telling.iter().filter(stands).count() as f32 / own.telling.len().max(1) as f32
}
