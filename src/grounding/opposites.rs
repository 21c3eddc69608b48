//! Words that exclude each other.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::context::likeness;
use super::polarity::Denied;
use super::reading::{Reading, Word};
use super::verify::{Case, Finding};
use crate::domain::Fault;

/// Words that exclude each other, both ways.
const PAIRS: &[(&str, &str)] = &[
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
    ("canceled", "confirmed"),
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

/// Whether the words are a pair.
pub(super) fn opposite_of(one: &str, other: &str) -> bool {
    PAIRS.iter().any(|(a, b)| (*a, *b) == (one, other) || (*b, *a) == (one, other))
}

/// Words that turn a sentence round, and that nobody adds who retells it.
pub(super) const TURNING: &[&str] = &[
    "without",
    "never",
    "nobody",
    "less",
    "fewer",
    "early",
    "before",
    "broken",
    "closed",
    "offline",
    "cheap",
    "expensive",
    "worse",
    "worst",
    "unable",
    "impossible",
    "unavailable",
    "wrong",
    "incorrect",
    "unhappy",
    "declined",
    "rejected",
    "refused",
    "denied",
    "disabled",
    "outside",
    "inside",
    "below",
    "above",
    "decrease",
    "decreased",
    "slower",
    "old",
    "small",
    "low",
    "lower",
    "short",
    "shorter",
    "different",
    "same",
    "bad",
    "hot",
    "cold",
    "private",
    "temporary",
    "permanent",
    "empty",
    "unlikely",
    "difficult",
    "none",
    "last",
    "late",
    "later",
];

/// Opposites stand in the same place only between the same words.
const LIKENESS_MIN: f32 = 1.0;
/// Words on each side whose sources are looked at, and how many of these.
const BESIDE: usize = 4;
const UNITS_MAX: usize = 24;

/// "How fast?" doesn't say whether it's fast or slow, and what stopped working is broken.
const OPEN: &[&str] = &["how", "stop", "stops", "stopped", "quit"];

/// What was done has other forms: "cancelled", and "cancelling the subscription".
static STEMS: LazyLock<HashMap<&'static str, String>> = LazyLock::new(|| {
    let done = PAIRS.iter().filter(|(a, b)| a.ends_with("ed") && b.ends_with("ed"));
    let stem = |word: &'static str| {
        let words = Reading::stemmed(word).words;
        words.into_iter().next().map(|read| (word, read.stem))
    };
    done.flat_map(|(a, b)| [stem(a), stem(b)]).flatten().collect()
});

/// One word of a pair stands in the sentence, the other in the same place in a source.
pub(super) fn check(case: &Case) -> Finding {
    let words = &case.reading.words;
    let index = |wanted: &str| words.iter().position(|word| word.lower == wanted);
    for (a, b) in PAIRS {
        for (here, there) in [(a, b), (b, a)] {
            let Some(at) = index(here).filter(|_| index(there).is_none()) else {
                continue;
            };
            let units = around(case, at);
            let alike = |is_it: &dyn Fn(&Word) -> bool| -> f32 {
                let places = units.iter().flat_map(|unit| {
                    let said = &case.ground.units[*unit].reading.words;
                    let places = (0..said.len()).filter(|there| is_it(&said[*there]));
                    let told = places.filter(|there| {
                        *there == 0 || !OPEN.contains(&said[there - 1].lower.as_str())
                    });
                    told.map(|there| likeness(words, at, said, there))
                });
                places.fold(0.0, f32::max)
            };
            let stem = STEMS.get(there);
            // What doesn't work is broken.
            let other = alike(&|said| {
                said.denied == Denied::No && (said.lower == *there || stem == Some(&said.stem))
            });
            let own = alike(&|said| said.lower == *here || said.stem == words[at].stem);
            if other >= LIKENESS_MIN && other > own {
                let why = format!("its sources say \"{there}\", not \"{here}\"");
                return Err((Fault::Negation, why));
            }
        }
    }
    Ok(())
}

/// The sentence's sources, and those of the words beside this one.
fn around(case: &Case, at: usize) -> Vec<usize> {
    let mut units = case.support.units.clone();
    let beside = at.saturating_sub(BESIDE)..(at + BESIDE + 1).min(case.reading.words.len());
    for word in beside.filter(|word| case.support.weights[*word] > 0.0) {
        let held = case.support.holders[word].iter().map(|unit| *unit as usize);
        for unit in held.filter(|unit| (case.allowed)(*unit)).take(UNITS_MAX) {
            if !units.contains(&unit) {
                units.push(unit);
            }
        }
    }
    units
}
