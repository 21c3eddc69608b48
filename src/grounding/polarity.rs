//! What is denied: which words stand behind a "not".

use super::context::likeness;
use super::opposites::TURNING;
use super::reading::{Part, Word};
use super::verify::{Case, Finding};
use crate::domain::Fault;

/// Whether a word is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) enum Denied {
    #[default]
    No,
    /// Behind a denial, with other words between.
    Far,
    /// What the denial is about.
    Head,
    /// What goes with it: the receipt that somebody doesn't have.
    Object,
}

const DENIALS: &[&str] = &[
    "not", "no", "never", "cannot", "cant", "dont", "doesnt", "didnt", "wont", "wouldnt", "isnt",
    "arent", "wasnt", "werent", "hasnt", "havent", "hadnt", "couldnt", "shouldnt", "mustnt",
    "without", "unable", "neither", "nor", "none", "nobody", "nothing", "fail", "fails", "failed",
    "refuse", "refuses", "refused", "aint", "cant", "hardly", "didn", "isn", "nowhere",
];

pub(super) fn is_denial(lower: &str) -> bool {
    DENIALS.contains(&lower)
}

/// So many words behind a denial may be what it denies.
const REACH: usize = 5;

/// Marks what stands behind denials, each within its clause.
pub(super) fn mark(words: &mut [Word]) {
    for at in 0..words.len() {
        if !is_denial(&words[at].lower) {
            continue;
        }
        // "failed to come" denies, "failed at the exchange" doesn't.
        if words[at].lower.starts_with("fail")
            && words.get(at + 1).is_none_or(|next| next.lower != "to")
        {
            continue;
        }
        // "not only … but also" denies nothing.
        if words.get(at + 1).is_some_and(|next| next.lower == "only") {
            continue;
        }
        let clause = words[at].clause;
        let mut head_seen = false;
        let mut verb_seen = false;
        for word in words.iter_mut().skip(at + 1).take(REACH) {
            if word.clause != clause {
                break;
            }
            if matches!(word.part, Part::Stop) {
                continue;
            }
            let denied = match (head_seen, verb_seen) {
                (true, _) => Denied::Far,
                (false, true) => Denied::Object,
                (false, false) => Denied::Head,
            };
            verb_seen = true;
            // "don't have the receipt": the light verb isn't the point.
            head_seen |= matches!(word.part, Part::Content);
            word.denied = denied;
        }
    }
}

/// A unit that holds less of the sentence than this says nothing about what it denies.
const NEAR_MIN: f32 = 0.3;
/// The same, as a part of what the best unit holds.
const NEAR_OF_BEST: f32 = 0.5;

/// The sentence denies what its sources deny, and nothing else.
pub(super) fn check(case: &Case) -> Finding {
    let shares: Vec<(usize, f32)> =
        case.support.units.iter().map(|unit| (*unit, case.support.share_of(*unit))).collect();
    let best = shares.iter().map(|(_, share)| *share).fold(0.0, f32::max);
    let least = NEAR_MIN.min(best).max(best * NEAR_OF_BEST);
    let near: Vec<usize> =
        shares.iter().filter(|(_, share)| *share >= least).map(|(unit, _)| *unit).collect();
    let words = &case.reading.words;
    for (at, word) in words.iter().enumerate() {
        let tells = word.part.weight() > 0.0;
        let is_done = word.part == Part::Frame && is_done(words, at);
        if !(tells || is_done) {
            continue;
        }
        let text = || case.reading.text.get(word.bytes.clone()).unwrap_or_default();
        // What stands too far behind a denial to say whether it is meant.
        let may_be_denied =
            words[..at].iter().any(|one| one.clause == word.clause && is_denial(&one.lower));
        match (word.denied, said(case, &near, at)) {
            (Denied::Head | Denied::Object, Some(Said { affirmed: true, denied: false, .. }))
                if tells =>
            {
                return Err((Fault::Negation, format!("its sources don't deny \"{}\"", text())));
            }
            (Denied::No, Some(Said { affirmed: false, denied: true, far: false }))
                if !may_be_denied =>
            {
                return Err((Fault::Negation, format!("its sources deny \"{}\"", text())));
            }
            _ => {}
        }
    }
    reporting(case)?;
    unheard(case)
}

/// Behind these a verb of telling is no frame: "they weren't informed", "they can't assist".
const DONE: &[&str] = &[
    "is", "are", "was", "were", "been", "be", "can", "could", "will", "would", "has", "have",
    "had", "did", "does", "do",
];

fn is_done(words: &[Word], at: usize) -> bool {
    let before = at.checked_sub(1).map(|before| &words[before]);
    before.is_some_and(|before| {
        before.clause == words[at].clause && DONE.contains(&before.lower.as_str())
    })
}

/// How a word stands in the places of the sources that are most like its own.
#[derive(Clone, Copy, Default)]
struct Said {
    affirmed: bool,
    denied: bool,
    /// Denied perhaps, with other words between; or asked without a clear answer.
    far: bool,
}

fn said(case: &Case, near: &[usize], at: usize) -> Option<Said> {
    let words = &case.reading.words;
    let denies = words.iter().any(|word| word.denied == Denied::Head);
    let mut best = -1.0;
    let mut found = None;
    for unit in near {
        if !case.support.holds(at, *unit) {
            continue;
        }
        let unit = &case.ground.units[*unit];
        let places =
            unit.reading.words.iter().enumerate().filter(|(_, said)| said.stem == words[at].stem);
        for (there, word) in places {
            let alike = likeness(words, at, &unit.reading.words, there);
            if alike < best {
                continue;
            }
            if alike > best {
                best = alike;
                found = None;
            }
            let said: &mut Said = found.get_or_insert_default();
            match (unit.asks(there), unit.answer, word.denied) {
                (true, None, _) => *said = Said { affirmed: true, denied: true, far: true },
                (true, Some(false), Denied::No) | (_, _, Denied::Head) => said.denied = true,
                (_, _, Denied::No) => said.affirmed = true,
                // "We won't take the payment", "the payment won't be taken"
                (_, _, Denied::Object) if !denies => said.denied = true,
                (_, _, Denied::Far | Denied::Object) => said.far = true,
            }
        }
    }
    // A word that is denied from afar may or may not be meant.
    found.map(|said| if said.far { Said { affirmed: true, denied: true, far: true } } else { said })
}

/// "The customer is not complaining": nobody says what isn't the case unless it was denied.
fn reporting(case: &Case) -> Finding {
    let words = &case.reading.words;
    let denied =
        words.windows(2).find(|pair| is_denial(&pair[0].lower) && pair[1].part == Part::Frame);
    let Some(pair) = denied else { return Ok(()) };
    let going_on = pair[1].lower.ends_with("ing");
    let any = case.support.units.iter().any(|unit| {
        let unit = &case.ground.units[*unit];
        if going_on {
            let same = |said: &[Word]| is_denial(&said[0].lower) && said[1].stem == pair[1].stem;
            return unit.reading.words.windows(2).any(same);
        }
        unit.answer == Some(false) || unit.reading.words.iter().any(|word| is_denial(&word.lower))
    });
    if any {
        return Ok(());
    }
    let text = case.reading.text.get(pair[0].bytes.start..pair[1].bytes.end).unwrap_or_default();
    Err((Fault::Negation, format!("its sources don't say \"{text}\"")))
}

/// What turns the sentence round, or denies something in it, stands in what it comes from.
fn unheard(case: &Case) -> Finding {
    let words = &case.reading.words;
    let units = || case.support.units.iter().map(|unit| &case.ground.units[*unit]);
    // "The same issue" says no more than "the issue".
    let of_frame = |at: usize| {
        words[at].lower == "same" && words.get(at + 1).is_none_or(|next| next.part != Part::Content)
    };
    let turning = (0..words.len()).filter(|at| TURNING.contains(&words[*at].lower.as_str()));
    for word in turning.filter(|at| !of_frame(*at)).map(|at| &words[at]) {
        let said = units().any(|unit| unit.reading.words.iter().any(|said| said.stem == word.stem));
        if !said {
            return Err((Fault::Negation, format!("its sources don't say \"{}\"", word.lower)));
        }
    }
    let denied = words.iter().find(|word| is_denial(&word.lower));
    let denies = |unit: &super::ground::Unit| {
        unit.answer == Some(false) || unit.reading.words.iter().any(|word| is_denial(&word.lower))
    };
    match denied {
        Some(word) if !units().any(denies) => {
            Err((Fault::Negation, format!("its sources don't say \"{}\"", word.lower)))
        }
        _ => Ok(()),
    }
}
