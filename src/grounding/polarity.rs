//! What is denied: which words stand behind a "not".

use super::context::likeness;
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

/// Whether the words are a pair.
pub(super) fn opposite_of(one: &str, other: &str) -> bool {
    OPPOSITES.iter().any(|(a, b)| (*a, *b) == (one, other) || (*b, *a) == (one, other))
}

/// A unit that holds less of the sentence than this says nothing about what it denies.
const NEAR_MIN: f32 = 0.3;
/// The same, as a part of what the best unit holds.
const NEAR_OF_BEST: f32 = 0.5;
/// Opposites stand in the same place only between the same words.
const LIKENESS_MIN: f32 = 1.0;

/// The sentence denies what its sources deny, and nothing else.
pub(super) fn check(case: &Case) -> Finding {
    let shares: Vec<(usize, f32)> =
        case.support.units.iter().map(|unit| (*unit, case.support.share_of(*unit))).collect();
    let best = shares.iter().map(|(_, share)| *share).fold(0.0, f32::max);
    let least = NEAR_MIN.min(best).max(best * NEAR_OF_BEST);
    let near: Vec<usize> =
        shares.iter().filter(|(_, share)| *share >= least).map(|(unit, _)| *unit).collect();
    let words = &case.reading.words;
    for (at, word) in words.iter().enumerate().filter(|(_, word)| word.part.weight() > 0.0) {
        let text = || case.reading.text.get(word.bytes.clone()).unwrap_or_default();
        // What stands too far behind a denial to say whether it is meant.
        let may_be_denied =
            words[..at].iter().any(|one| one.clause == word.clause && is_denial(&one.lower));
        match (word.denied, said(case, &near, at)) {
            (Denied::Head | Denied::Object, Some(Said { affirmed: true, denied: false, .. })) => {
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
    opposite(case)?;
    unheard(case)
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

/// Words that turn a sentence round, and that nobody adds who retells it.
const TURNING: &[&str] = &[
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

/// What turns the sentence round, or denies something in it, stands in what it comes from.
fn unheard(case: &Case) -> Finding {
    let words = &case.reading.words;
    let units = || case.support.units.iter().map(|unit| &case.ground.units[*unit]);
    for word in words.iter().filter(|word| TURNING.contains(&word.lower.as_str())) {
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

/// One word of a pair stands in the sentence, the other in the same place in a source.
fn opposite(case: &Case) -> Finding {
    let words = &case.reading.words;
    let index = |words: &[Word], wanted: &str| words.iter().position(|word| word.lower == wanted);
    for (a, b) in OPPOSITES {
        for (here, there) in [(a, b), (b, a)] {
            let Some(at) = index(words, here).filter(|_| index(words, there).is_none()) else {
                continue;
            };
            let alike = |wanted: &str| -> f32 {
                let units =
                    case.support.units.iter().map(|unit| &case.ground.units[*unit].reading.words);
                let places = units.flat_map(|said| {
                    let places = (0..said.len()).filter(|there| said[*there].lower == wanted);
                    places.map(|there| likeness(words, at, said, there))
                });
                places.fold(0.0, f32::max)
            };
            let other = alike(there);
            if other >= LIKENESS_MIN && other > alike(here) {
                return Err((
                    Fault::Negation,
                    format!("its sources say \"{there}\", not \"{here}\""),
                ));
            }
        }
    }
    Ok(())
}
