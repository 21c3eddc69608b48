//! Numbers, dates and codes stand in the sources, and there about the same thing.

use super::context::likeness;
use super::facts::{self, Fact, Holding, Kind, held};
use super::reading::{Reading, Word};
use super::verify::{Case, Finding};
use crate::domain::Fault;

/// Another value fits the words around so much better that this one must have been put in its place.
const RIVAL_LEAD: f32 = 1.5;

/// Checks every fact. Words that say the same in another form count as covered from then on.
pub(super) fn check(case: &mut Case) -> Finding {
    let mut found: Vec<usize> = Vec::new();
    for fact in &case.reading.facts {
        let holding = match &fact.kind {
            Kind::Code(code) => spelled(case, code),
            kind => held(kind, facts_of(case)) == Holding::Held,
        };
        let inside =
            |word: &Word| fact.bytes.start <= word.bytes.start && word.bytes.end <= fact.bytes.end;
        if holding {
            // "Only one" says nothing about how many of what.
            let counted = measured(case, &fact.kind);
            let words = &case.reading.words;
            found.extend(
                (0..words.len())
                    .filter(|at| inside(&words[*at]) && (counted || !is_measure(&words[*at]))),
            );
            rival(case, fact)?;
        } else if fact.required {
            let said = case.reading.text.get(fact.bytes.clone()).unwrap_or_default();
            return Err((fact.kind.fault(), format!("\"{said}\" is in none of its sources")));
        } else {
            rival(case, fact)?;
        }
    }
    case.support.cover(found.into_iter());
    measures(case)
}

fn facts_of<'a>(case: &'a Case) -> impl Iterator<Item = &'a Fact> + Clone {
    let units = case.support.units.iter().map(|unit| &case.ground.units[*unit].reading);
    units.flat_map(|reading| &reading.facts)
}

/// Words alone don't tell pounds from dollars where a sign says which.
pub(super) fn same(case: &Case, unit: usize) -> bool {
    let said = &case.ground.units[unit].reading.facts;
    let exact = case.reading.facts.iter().filter(|fact| fact.required);
    exact.into_iter().all(|fact| held(&fact.kind, said.iter()) == Holding::Held)
}

/// The code stands in a source, in one piece or spelled, or is a speaker's name.
fn spelled(case: &Case, code: &str) -> bool {
    let named = case.ground.speakers.iter().any(|speaker| speaker.name.concat() == code);
    named || case.support.units.iter().any(|unit| case.ground.units[*unit].reading.spells(code))
}

/// "25 % off for a year" isn't true because something else costs 25.
fn rival(case: &Case, fact: &Fact) -> Finding {
    let Some(here) = word_at(&case.reading, fact) else { return Ok(()) };
    let (mut agreeing, mut other): (f32, f32) = (0.0, 0.0);
    for unit in &case.support.units {
        let reading = &case.ground.units[*unit].reading;
        for said in &reading.facts {
            let agrees = held(&fact.kind, std::iter::once(said)) == Holding::Held;
            // What the sentence says of its own elsewhere competes with nothing.
            let own = || {
                case.reading
                    .facts
                    .iter()
                    .any(|own| held(&own.kind, std::iter::once(said)) == Holding::Held)
            };
            if !agrees && (!said.kind.is_rival_of(&fact.kind) || own()) {
                continue;
            }
            let Some(there) = word_at(reading, said) else { continue };
            let alike = likeness(&case.reading.words, here, &reading.words, there);
            let best = if agrees { &mut agreeing } else { &mut other };
            *best = best.max(alike);
        }
    }
    if other >= agreeing + RIVAL_LEAD {
        let said = case.reading.text.get(fact.bytes.clone()).unwrap_or_default();
        return Err((fact.kind.fault(), format!("its sources say \"{said}\" of something else")));
    }
    Ok(())
}

fn word_at(reading: &Reading, fact: &Fact) -> Option<usize> {
    reading
        .words
        .iter()
        .position(|word| word.bytes.end > fact.bytes.start && word.bytes.start < fact.bytes.end)
}

/// The sources have the number with its unit, or there is none.
fn measured(case: &Case, wanted: &Kind) -> bool {
    let Kind::Number { unit: Some(_), .. } = wanted else { return true };
    let mut said =
        facts_of(case).filter(|fact| matches!(fact.kind, Kind::Number { unit: Some(_), .. }));
    said.any(|fact| held(wanted, std::iter::once(fact)) == Holding::Held)
}

fn is_measure(word: &Word) -> bool {
    word.lower.len() >= 3 && (facts::is_unit(&word.lower) || facts::is_currency(&word.lower))
}

/// "weeks" isn't "days", with or without a number.
fn measures(case: &Case) -> Finding {
    for (index, word) in case.reading.words.iter().enumerate() {
        if is_measure(word) && !case.support.covered.get(index).copied().unwrap_or(true) {
            let said = case.reading.text.get(word.bytes.clone()).unwrap_or_default();
            let fault = if facts::is_currency(&word.lower) { Fault::Number } else { Fault::Date };
            return Err((fault, format!("\"{said}\" is in none of its sources")));
        }
    }
    Ok(())
}
