//! Who said it.

mod attribution;
mod verbs;

pub(super) use attribution::Attribution;
use attribution::{Who, attributions, named_at};
use verbs::{Does, Subject};

use super::context::is_pronoun;
use super::ground::Ground;
use super::reading::{Part, Word, persons_of};
use super::verify::{Case, Finding};
use crate::domain::{Fault, Role};

/// Small words count a little: in what is retold word by word they stand, too.
const SMALL_WEIGHT: f32 = 0.15;
const SMALL_WEIGHT_ALONE: f32 = 0.4;
/// Less than this can be said by anybody.
const WEIGHT_MIN: f32 = 1.2;
/// What somebody said may be spread over so many sentences.
const UNITS_MAX: usize = 3;
const AT_ONCE_MIN: f32 = 0.8;
const AT_ONCE_LEAD: f32 = 0.3;
/// What is seldom said of somebody stands only where they said at least as much of it.
const UNUSUAL_MIN: f32 = 0.3;
const UNUSUAL_LEAD: f32 = 0.0;

/// How much of what is attributed one side said.
#[derive(Clone, Copy, Debug, Default)]
struct Shares {
    /// In one sentence.
    best: f32,
    /// In the three best.
    together: f32,
}

/// The sentence's words are those of the one whom it names.
pub(super) fn check(case: &Case) -> Finding {
    let words = &case.reading.words;
    let found = &case.attributions;
    for (index, attribution) in found.iter().enumerate() {
        let until = found.get(index + 1).map_or(words.len(), |next| next.mention);
        acts(case, *attribution)?;
        doer(case, *attribution)?;
        // What a link is for is the customer's subject.
        let is_help = attribution.does == Does::Help && !attribution.is_unusual;
        if attribution.from >= until || is_help {
            continue;
        }
        let (theirs, others) = shares(case, attribution.from..until, *attribution);
        let (least, lead) = match attribution.does {
            _ if attribution.is_unusual => (UNUSUAL_MIN, UNUSUAL_LEAD),
            Does::Say | Does::Help => (0.55, 0.2),
            Does::Feel => (0.5, 0.2),
            Does::Do => (0.6, 0.35),
        };
        let together = others.together >= least && others.together - theirs.together >= lead;
        // In a long conversation everybody has said each of the words somewhere.
        let at_once = attribution.does != Does::Do
            && others.best >= AT_ONCE_MIN
            && others.best - theirs.best >= AT_ONCE_LEAD;
        if together || at_once {
            let name = match attribution.who {
                Who::Customer => "the customer".to_owned(),
                Who::Agent => "the agent".to_owned(),
                Who::Named(speaker) => case.ground.speakers[speaker].name.join(" "),
            };
            let what = match attribution.does {
                Does::Say | Does::Help => "said",
                Does::Feel => "feels",
                Does::Do => "did or said",
            };
            return Err((Fault::Speaker, format!("it isn't {name} who {what} this")));
        }
    }
    Ok(())
}

/// The words behind "the customer said that", with the speaker's test, when the sentence begins so.
pub(super) fn quoted_from(case: &Case) -> Option<(usize, impl Fn(usize) -> bool)> {
    let first = *case.attributions.first()?;
    let from = (first.does == Does::Say && first.mention <= 1).then_some(first.from)?;
    let that = case.reading.words.get(from).is_some_and(|word| word.lower == "that");
    let ground = case.ground;
    Some((from + usize::from(that), move |unit: usize| is_theirs(ground, unit, first.who)))
}

/// The sentence begins with what somebody asked.
pub(super) fn is_asked(case: &Case) -> bool {
    let verb = case.attributions.first().map(|first| &case.reading.words[first.verb]);
    verb.is_some_and(|verb| verbs::is_asking(&verb.lower))
}

fn is_theirs(ground: &Ground, unit: usize, who: Who) -> bool {
    let Some(speaker) = ground.units[unit].speaker else { return false };
    match who {
        Who::Named(named) => named == speaker,
        Who::Customer => ground.speakers[speaker].role == Role::Customer,
        Who::Agent => {
            matches!(
                ground.speakers[speaker].role,
                Role::Agent | Role::Bot | Role::Supervisor | Role::Expert
            )
        }
    }
}

/// The share of a segment that the three best units hold that speak for the attribution, and those
/// against it.
fn shares(
    case: &Case,
    segment: std::ops::Range<usize>,
    attribution: Attribution,
) -> (Shares, Shares) {
    let words = &case.reading.words[segment.clone()];
    let telling: f32 = words.iter().map(|word| word.part.weight()).sum();
    // What has hardly any telling words is told by its small ones.
    let small = if telling < WEIGHT_MIN { SMALL_WEIGHT_ALONE } else { SMALL_WEIGHT };
    let weights: Vec<f32> = words
        .iter()
        .map(|word| match word.part {
            _ if is_pronoun(&word.lower) => 0.0,
            Part::Stop | Part::Frame => small,
            part => part.weight(),
        })
        .collect();
    let total: f32 = weights.iter().sum();
    if total < WEIGHT_MIN {
        return Default::default();
    }
    let mut units: Vec<usize> = segment
        .clone()
        .filter(|at| telling < WEIGHT_MIN || case.reading.words[*at].part.weight() > 0.0)
        .flat_map(|at| case.support.holders[at].iter().map(|unit| *unit as usize))
        .filter(|unit| (case.allowed)(*unit))
        .collect();
    units.sort_unstable();
    units.dedup();
    let complains = case.reading.words[attribution.verb].lower.starts_with("compla");
    let held = |at: usize, unit: usize| case.support.holds(segment.start + at, unit);
    let (mut theirs, mut others) = (Vec::new(), Vec::new());
    for unit in units {
        if case.ground.units[unit].speaker.is_none() {
            continue;
        }
        let share: f32 =
            (0..weights.len()).filter(|at| held(*at, unit)).map(|at| weights[at]).sum();
        let by_them = is_theirs(case.ground, unit, attribution.who);
        let yours = case.ground.units[unit].reading.persons.1;
        let (for_them, against) = match attribution.does {
            // "I'm sorry that you had trouble" is about what the other one complains of.
            Does::Say | Does::Help => {
                let either = by_them || (yours && complains);
                (either, !either)
            }
            // Whose trouble it is: the speaker's, unless it is told to somebody as theirs.
            Does::Feel => {
                let (mine, yours) = persons(case, segment.clone(), unit);
                let is_speakers = mine || !yours;
                (by_them == is_speakers, by_them != is_speakers)
            }
            // "I" is the speaker, "you" the other one; without either it may be anybody's.
            Does::Do => {
                let (mine, yours) = case.ground.units[unit].reading.persons;
                match by_them {
                    true => (mine || !yours, yours && !mine),
                    false => (yours || !mine, mine && !yours),
                }
            }
        };
        if for_them {
            theirs.push((unit, share));
        }
        if against {
            others.push((unit, share));
        }
    }
    let sum_up = |mut units: Vec<(usize, f32)>| {
        units.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let best = units.first().map_or(0.0, |(_, share)| share / total);
        units.truncate(UNITS_MAX);
        let covered =
            (0..weights.len()).filter(|at| units.iter().any(|(unit, _)| held(*at, *unit)));
        let together = covered.map(|at| weights[at]).sum::<f32>() / total;
        Shares { best, together }
    };
    (sum_up(theirs), sum_up(others))
}

/// Whether "I", and whether "you", is in the part of a source that holds most of the segment.
fn persons(case: &Case, segment: std::ops::Range<usize>, unit: usize) -> (bool, bool) {
    let reading = &case.ground.units[unit].reading;
    let claimed = &case.reading.words[segment];
    let mut clauses: Vec<f32> = Vec::new();
    for said in &reading.words {
        clauses.resize(clauses.len().max(said.clause + 1), 0.0);
        if claimed.iter().any(|word| word.part.weight() > 0.0 && word.stem == said.stem) {
            clauses[said.clause] += said.part.weight();
        }
    }
    let most = (0..clauses.len()).max_by(|a, b| clauses[*a].total_cmp(&clauses[*b]));
    let there = || reading.words.iter().filter(|word| Some(word.clause) == most);
    match persons_of(there()) {
        (false, false) => reading.persons,
        found => found,
    }
}

/// Who said "I missed my flight" is who missed it.
fn doer(case: &Case, attribution: Attribution) -> Finding {
    let Some(verb) = attribution.deed.map(|deed| &case.reading.words[deed]) else {
        return Ok(());
    };
    let (mut theirs, mut others) = (false, false);
    let units = case.ground.postings.get(&verb.stem).map_or(&[][..], Vec::as_slice);
    for unit in units.iter().map(|unit| *unit as usize).filter(|unit| (case.allowed)(*unit)) {
        let by_them = is_theirs(case.ground, unit, attribution.who);
        let words = &case.ground.units[unit].reading.words;
        for at in (0..words.len()).filter(|at| words[*at].stem == verb.stem) {
            match verbs::subject_of(words, at, &verb.lower) {
                Some(Subject::Speaker) if by_them => theirs = true,
                Some(Subject::Hearer) if !by_them => theirs = true,
                Some(_) => others = true,
                None => {}
            }
        }
    }
    match others && !theirs {
        true => Err((Fault::Speaker, format!("somebody else \"{}\"", verb.lower))),
        false => Ok(()),
    }
}

/// Apologies and complaints: one side's business, unless the other side uses the word.
fn acts(case: &Case, attribution: Attribution) -> Finding {
    let Some(verb) = case.reading.words.get(attribution.verb) else {
        return Ok(());
    };
    let needs: &[&str] = match verb.lower.get(..6).unwrap_or_default() {
        "apolog" => &["sorry", "apolog", "regret", "afraid", "unfort", "forgive"],
        "compla" if attribution.who == Who::Agent => &["compla"],
        _ => return Ok(()),
    };
    let mut theirs = case
        .ground
        .units
        .iter()
        .enumerate()
        .filter(|(unit, _)| is_theirs(case.ground, *unit, attribution.who));
    let does = theirs.any(|(_, unit)| {
        unit.reading.words.iter().any(|word| needs.iter().any(|need| word.lower.starts_with(need)))
    });
    match does {
        true => Ok(()),
        false => Err((Fault::Speaker, format!("somebody else \"{}\"", verb.lower))),
    }
}

/// Speakers' names say who, not what.
pub(super) fn mark(words: &mut [Word], ground: &Ground) -> Vec<Attribution> {
    let mut at = 0;
    while at < words.len() {
        let length = match named_at(words, at, ground) {
            Some((Who::Named(_), length)) => length,
            _ => 0,
        };
        for word in words.iter_mut().skip(at).take(length) {
            word.part = Part::Frame;
        }
        at += length.max(1);
    }
    let found = attributions(words, ground);
    for attribution in found.iter().filter(|attribution| attribution.does == Does::Say) {
        if verbs::is_telling(&words[attribution.verb].lower) {
            words[attribution.verb].part = Part::Frame;
        }
    }
    found
}
