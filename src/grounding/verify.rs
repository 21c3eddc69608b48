//! One sentence against its sources.

use super::claim::Claim;
use super::ground::Ground;
use super::reading::{Part, Reading, Word};
use super::support::{self, Support};
use super::{
    abroad, aligned, condition, exact, foreign, names, opposites, polarity, predicate, presented,
    speaker, swap,
};
use crate::domain::{Fault, ProvenSentence, StruckSentence};
use crate::insight::redaction;

/// Below this share of its words in the sources a sentence isn't supported.
const SHARE_MIN: f32 = 0.5;
/// From here on a sentence that means what its sources mean is supported by that.
const SHARE_IN_DOUBT: f32 = 0.25;
const COSINE_MIN: f32 = 0.6;
/// So many telling words in a row that stand nowhere are made up.
const RUN_MAX: f32 = 3.0;
/// Of what a part of the sentence says, this much must stand in the sources.
const CLAUSE_SHARE_MIN: f32 = 0.34;
const CLAUSE_WEIGHT_MIN: f32 = 2.0;
/// A part that adds something must have something of it in the sources.
const ADDED_WEIGHT_MIN: f32 = 1.0;

/// In a conversation of so many turns any words were said somewhere.
const LONG_SOURCES: usize = 40;
/// There, so much of what a part of the sentence says stands within so many turns of each other.
const TOGETHER_MIN: f32 = 0.5;
const TOGETHER_SOURCES: usize = 2;

/// Writers cite the answer and leave out the question: so many turns around count as cited, too.
const CITED_REACH: usize = 2;

/// A sentence, read, with where it may come from.
pub(super) struct Case<'a> {
    pub ground: &'a Ground,
    pub reading: Reading,
    /// Which units may stand behind it.
    pub allowed: &'a dyn Fn(usize) -> bool,
    pub support: Support<'a>,
    /// Of whom it says what.
    pub attributions: Vec<speaker::Attribution>,
}

pub(super) type Finding = Result<(), (Fault, String)>;

pub(super) fn check(claim: &Claim, ground: &Ground) -> Result<ProvenSentence, StruckSentence> {
    let strike = |(fault, why): (Fault, String)| StruckSentence {
        text: claim.text.clone(),
        fault,
        why: redaction::published(&why),
    };
    foreign::check(claim, ground).map_err(strike)?;
    let mut cited = Vec::new();
    for id in &claim.cites {
        let Some(source) = ground.source_of(id) else {
            let why = "it cites a turn or passage that isn't there";
            return Err(strike((Fault::UnknownSource, why.to_owned())));
        };
        cited.push(source);
    }
    let allowed = |unit: usize| {
        let source = ground.units[unit].source;
        cited.is_empty() || cited.iter().any(|cited| cited.abs_diff(source) <= CITED_REACH)
    };
    let mut reading = Reading::stemmed(claim.text.as_str());
    let attributions = speaker::mark(&mut reading.words, ground);
    let support = support::find(&reading, ground, &allowed);
    let mut case = Case { ground, reading, allowed: &allowed, support, attributions };
    if let Some(unit) = word_for_word(&case) {
        return Ok(ProvenSentence {
            text: claim.text.clone(),
            proofs: ground.proof(unit).into_iter().collect(),
            support: 1.0,
        });
    }
    exact::check(&mut case)
        .and_then(|()| names::check(&case))
        .and_then(|()| meaning(&case))
        .and_then(|()| presented::check(&case))
        .and_then(|()| polarity::check(&case))
        .and_then(|()| abroad::check(&case))
        .and_then(|()| opposites::check(&case))
        .and_then(|()| speaker::check(&case))
        .and_then(|()| swap::check(&case))
        .and_then(|()| aligned::check(&case))
        .and_then(|()| condition::check(&case))
        .and_then(|()| predicate::check(&case))
        .map_err(|finding| foreign::explained(strike(finding), &case))?;
    Ok(ProvenSentence {
        text: claim.text.clone(),
        proofs: case.support.units.iter().filter_map(|unit| ground.proof(*unit)).collect(),
        support: case.support.share,
    })
}

/// The whole sentence, or what it reports of whom it names, is a sentence of a source.
fn word_for_word(case: &Case) -> Option<usize> {
    let ground = case.ground;
    let allowed = |unit: &usize| (case.allowed)(*unit) && exact::same(case, *unit);
    let words = &case.reading.words;
    if let Some(unit) = ground.said(words).iter().copied().find(allowed) {
        return Some(unit);
    }
    let (from, is_theirs) = speaker::quoted_from(case)?;
    let reported = words.get(from..)?;
    ground.said(reported).iter().copied().filter(allowed).find(|unit| is_theirs(*unit))
}

/// Its words stand in the sources, and no part of it is made up.
fn meaning(case: &Case) -> Finding {
    let support = &case.support;
    if support.units.is_empty() {
        return Err((Fault::NoSource, "nothing in the conversation is about this".into()));
    }
    let near = || {
        case.ground
            .nearness(&case.reading.text, &support.units)
            .is_some_and(|cosine| cosine >= COSINE_MIN)
    };
    if support.share < SHARE_MIN && !(support.share >= SHARE_IN_DOUBT && near()) {
        let percent = (support.share * 100.0).round();
        return Err((
            Fault::Meaning,
            format!("only {percent} % of its words stand in its sources"),
        ));
    }
    let words = &case.reading.words;
    let mut run = 0.0;
    let mut run_from = 0;
    let mut clauses: Vec<(f32, f32)> = Vec::new();
    let mut told: Vec<(f32, f32)> = Vec::new();
    for (index, word) in words.iter().enumerate() {
        if clauses.len() <= word.clause {
            clauses.resize(word.clause + 1, (0.0, 0.0));
            told.resize(word.clause + 1, (0.0, 0.0));
        }
        let weight = word.part.weight();
        clauses[word.clause].1 += weight;
        let is_exact = case.reading.is_exact(word);
        if !is_exact {
            told[word.clause].1 += weight;
        }
        if support.covered[index] {
            clauses[word.clause].0 += weight;
            if !is_exact {
                told[word.clause].0 += weight;
            }
            if word.part == Part::Content {
                run = 0.0;
            }
            continue;
        }
        if run <= 0.0 {
            run_from = index;
        }
        run += weight;
        if run >= RUN_MAX {
            return Err((Fault::Meaning, unsaid(case, run_from, index)));
        }
    }
    let poor = clauses.iter().enumerate().position(|(clause, (said, all))| {
        let little = *all >= CLAUSE_WEIGHT_MIN && said / all < CLAUSE_SHARE_MIN;
        let (said, all) = told[clause];
        let made_up = clause > 0 && all >= ADDED_WEIGHT_MIN && said <= 0.0;
        little || (made_up && is_added(words, clause))
    });
    if let Some(clause) =
        poor.or_else(|| (0..clauses.len()).find(|clause| scattered(case, *clause)))
    {
        let from = words.iter().position(|word| word.clause == clause).unwrap_or(0);
        let to = words.iter().rposition(|word| word.clause == clause).unwrap_or(from);
        return Err((Fault::Meaning, unsaid(case, from, to)));
    }
    Ok(())
}

/// The clause's words come from all over a long conversation.
fn scattered(case: &Case, clause: usize) -> bool {
    let (ground, support) = (case.ground, &case.support);
    if ground.sources.len() <= LONG_SOURCES {
        return false;
    }
    let words = &case.reading.words;
    let weight_of = |holds: &dyn Fn(usize) -> bool| -> f32 {
        let here = (0..words.len()).filter(|at| words[*at].clause == clause && holds(*at));
        here.map(|at| support.weights[at]).sum()
    };
    let all = weight_of(&|_| true);
    let together = |unit: &usize| {
        let source = ground.units[*unit].source;
        let until = (source + TOGETHER_SOURCES + 1).min(ground.first_units.len() - 1);
        let from = ground.first_units[source.saturating_sub(TOGETHER_SOURCES)];
        let units = from..ground.first_units[until];
        weight_of(&|at| support.is_held_among(at, &units))
    };
    all >= CLAUSE_WEIGHT_MIN
        && support.units.iter().map(together).fold(0.0, f32::max) < all * TOGETHER_MIN
}

/// The clause gives a reason or goes on: "because …", "which …", "and …".
fn is_added(words: &[Word], clause: usize) -> bool {
    let first =
        words.iter().find(|word| word.clause == clause).map_or("", |word| word.lower.as_str());
    matches!(
        first,
        "because" | "which" | "who" | "and" | "after" | "since" | "but" | "while" | "so"
    )
}

fn unsaid(case: &Case, from: usize, to: usize) -> String {
    let words = &case.reading.words;
    let bytes = words[from].bytes.start..words[to].bytes.end;
    format!("\"{}\" is not what its sources say", case.reading.text.get(bytes).unwrap_or_default())
}
