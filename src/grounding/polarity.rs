//! What is denied: which words stand behind a "not".

use super::reading::{Part, Word};
use super::support::stands_in;
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
        // "not only … but also" denies nothing.
        if words.get(at + 1).is_some_and(|next| next.lower == "only") {
            continue;
        }
        let clause = words[at].clause;
        let mut head_seen = false;
        for word in words.iter_mut().skip(at + 1).take(REACH) {
            if word.clause != clause {
                break;
            }
            if matches!(word.part, Part::Stop) {
                continue;
            }
            let denied = if head_seen { Denied::Far } else { Denied::Head };
            // "don't have the receipt": the light verb isn't the point.
            head_seen |= matches!(word.part, Part::Content);
            word.denied = denied;
        }
    }
}

/// Words that exclude each other, both ways.
const OPPOSITES: &[(&str, &str)] = &[
    ("before", "after"),
    ("more", "less"),
    ("more", "fewer"),
    ("always", "never"),
    ("first", "last"),
    ("open", "closed"),
    ("open", "shut"),
    ("early", "late"),
    ("earlier", "later"),
    ("big", "small"),
    ("bigger", "smaller"),
    ("large", "small"),
    ("high", "low"),
    ("higher", "lower"),
    ("new", "old"),
    ("good", "bad"),
    ("right", "wrong"),
    ("correct", "incorrect"),
    ("cheap", "expensive"),
    ("cheaper", "dearer"),
    ("easy", "difficult"),
    ("easy", "hard"),
    ("same", "different"),
    ("better", "worse"),
    ("best", "worst"),
    ("with", "without"),
    ("cancelled", "confirmed"),
    ("working", "broken"),
    ("happy", "angry"),
    ("happy", "unhappy"),
    ("inside", "outside"),
    ("on", "off"),
    ("up", "down"),
    ("accepted", "declined"),
    ("accepted", "rejected"),
    ("accepted", "refused"),
    ("approved", "rejected"),
    ("approved", "denied"),
    ("enabled", "disabled"),
    ("enable", "disable"),
    ("increase", "decrease"),
    ("increased", "decreased"),
    ("faster", "slower"),
    ("fast", "slow"),
    ("long", "short"),
    ("longer", "shorter"),
    ("everybody", "nobody"),
    ("everyone", "nobody"),
    ("everything", "nothing"),
    ("all", "none"),
    ("possible", "impossible"),
    ("available", "unavailable"),
    ("satisfied", "dissatisfied"),
    ("successful", "unsuccessful"),
    ("succeeded", "failed"),
    ("online", "offline"),
    ("locked", "unlocked"),
    ("upgrade", "downgrade"),
    ("upgraded", "downgraded"),
    ("incoming", "outgoing"),
    ("minimum", "maximum"),
    ("front", "back"),
    ("left", "right"),
    ("top", "bottom"),
    ("buy", "sell"),
    ("bought", "sold"),
    ("won", "lost"),
    ("full", "empty"),
    ("include", "exclude"),
    ("includes", "excludes"),
    ("included", "excluded"),
    ("free", "charged"),
    ("hot", "cold"),
    ("public", "private"),
    ("temporary", "permanent"),
    ("likely", "unlikely"),
    ("inbound", "outbound"),
];

/// A unit that holds less of the sentence than this says nothing about what it denies.
const NEAR_MIN: f32 = 0.3;

/// The sentence denies what its sources deny, and nothing else.
pub(super) fn check(case: &Case) -> Finding {
    let words = &case.reading.words;
    let weights: Vec<f32> = words.iter().map(|word| word.part.weight()).collect();
    let total: f32 = weights.iter().sum::<f32>().max(1.0);
    let share = |unit: usize| -> f32 {
        let held =
            words.iter().zip(&weights).filter(|(word, _)| stands_in(case.ground, &word.stem, unit));
        held.map(|(_, weight)| weight).sum::<f32>() / total
    };
    let mut near: Vec<usize> =
        case.support.units.iter().copied().filter(|unit| share(*unit) >= NEAR_MIN).collect();
    if near.is_empty() {
        near.extend(case.support.units.first());
    }
    for word in words.iter().filter(|word| word.part.weight() > 0.0) {
        let mut seen = (false, false, false);
        for unit in &near {
            let unit = &case.ground.units[*unit];
            for said in unit.reading.words.iter().filter(|said| said.stem == word.stem) {
                match (unit.reading.is_question, unit.answer, said.denied) {
                    (true, None, _) => seen = (true, true, true),
                    (true, Some(false), Denied::No) | (_, _, Denied::Head) => seen.1 = true,
                    (_, _, Denied::No) => seen.0 = true,
                    (_, _, Denied::Far) => seen.2 = true,
                }
            }
        }
        let (affirmed, denied, far) = seen;
        let text = case.reading.text.get(word.bytes.clone()).unwrap_or_default();
        if word.denied == Denied::Head && affirmed && !denied && !far {
            return Err((Fault::Negation, format!("its sources don't deny \"{text}\"")));
        }
        if word.denied == Denied::No && denied && !affirmed && !far {
            return Err((Fault::Negation, format!("its sources deny \"{text}\"")));
        }
    }
    opposite(case)
}

/// One word of a pair stands in the sentence, the other in the source that it is closest to.
fn opposite(case: &Case) -> Finding {
    let Some(first) = case.support.units.first().filter(|_| case.support.share_of_first >= 0.5)
    else {
        return Ok(());
    };
    let said = &case.ground.units[*first].reading.words;
    let has = |words: &[Word], wanted: &str| words.iter().any(|word| word.lower == wanted);
    let words = &case.reading.words;
    for (a, b) in OPPOSITES {
        for (here, there) in [(a, b), (b, a)] {
            if has(words, here) && !has(words, there) && has(said, there) && !has(said, here) {
                return Err((
                    Fault::Negation,
                    format!("its sources say \"{there}\", not \"{here}\""),
                ));
            }
        }
    }
    Ok(())
}
