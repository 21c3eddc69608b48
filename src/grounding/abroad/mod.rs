//! Denials and conditions in German, French and Spanish.
//!
//! A denial may stand behind its verb ("wir erstatten das nicht"), so clauses are compared as wholes.

mod said;

use super::ground::Unit;
use super::reading::{Reading, Word};
use super::tongue::{self, Tongue};
use super::verify::{Case, Finding};
use crate::domain::Fault;

/// "ne" is left out, as it is in speech.
const DENIALS: [(Tongue, &[&str]); 3] = [
    (
        Tongue::German,
        &[
            "nicht",
            "kein",
            "keine",
            "keinen",
            "keinem",
            "keiner",
            "keines",
            "keinerlei",
            "nie",
            "niemals",
            "niemand",
            "niemandem",
            "nichts",
            "nirgends",
            "weder",
            "ohne",
            "keinesfalls",
            "keineswegs",
            "unmöglich",
            "nein",
        ],
    ),
    (
        Tongue::French,
        &[
            "pas",
            "jamais",
            "rien",
            "aucun",
            "aucune",
            "personne",
            "sans",
            "ni",
            "nullement",
            "impossible",
            "non",
        ],
    ),
    (
        Tongue::Spanish,
        &[
            "no",
            "nunca",
            "jamás",
            "nada",
            "nadie",
            "ningún",
            "ninguno",
            "ninguna",
            "tampoco",
            "sin",
            "ni",
            "imposible",
        ],
    ),
];
/// Behind a denial, these take it back: "nicht nur".
const ONLY: &[&str] =
    &["nur", "seulement", "solo", "sólo", "solamente", "uniquement", "únicamente"];

/// Other clauses begin with these; commas and full stops part them as well.
const OPENERS: &[&str] = &[
    "und", "aber", "oder", "sondern", "weil", "dass", "denn", "et", "mais", "ou", "parce", "car",
    "y", "pero", "o", "porque", "sino",
];

/// Openings of a condition or an exception.
const IF: [(Tongue, &[&[&str]]); 3] = [
    (
        Tongue::German,
        &[
            &["wenn"],
            &["falls"],
            &["sofern"],
            &["sobald"],
            &["vorausgesetzt"],
            &["unter", "der", "bedingung"],
            &["es", "sei", "denn"],
            &["außer"],
            &["ausgenommen"],
            &["solange"],
            &["im", "falle"],
            &["erst", "nach"],
            &["erst", "nachdem"],
        ],
    ),
    (
        Tongue::French,
        &[
            &["si"],
            &["sil"],
            &["sils"],
            &["sauf"],
            &["à", "condition"],
            &["à", "moins"],
            &["sous", "réserve"],
            &["pourvu", "que"],
            &["dès", "que"],
            &["tant", "que"],
            &["hormis"],
            &["excepté"],
            &["en", "cas", "de"],
            &["au", "cas", "où"],
        ],
    ),
    (
        Tongue::Spanish,
        &[
            &["si"],
            &["salvo"],
            &["excepto"],
            &["a", "menos", "que"],
            &["a", "condición"],
            &["siempre", "que"],
            &["siempre", "y", "cuando"],
            &["con", "tal", "de"],
            &["en", "caso", "de"],
            &["a", "no", "ser"],
            &["en", "cuanto"],
            &["una", "vez", "que"],
        ],
    ),
];
/// With "only", these limit what is said: "nur gegen Vorlage", "solo con recibo".
const LIMITS: &[&str] = &[
    "gegen",
    "mit",
    "bei",
    "nach",
    "für",
    "unter",
    "innerhalb",
    "bis",
    "an",
    "am",
    "in",
    "im",
    "ab",
    "contre",
    "avec",
    "pour",
    "après",
    "sous",
    "sur",
    "dans",
    "pendant",
    "en",
    "con",
    "para",
    "bajo",
    "contra",
    "tras",
    "después",
    "dentro",
    "durante",
    "por",
];
/// Behind "if", courtesy: "wenn Sie Fragen haben".
const COURTESY: &[&str] = &[
    "fragen",
    "frage",
    "rückfragen",
    "questions",
    "question",
    "preguntas",
    "pregunta",
    "dudas",
    "duda",
];
/// Before "ob" and "si", nobody says that it is so.
const WHETHER: &[&str] = &[
    "weiß",
    "prüfe",
    "prüfen",
    "schaue",
    "fragen",
    "savoir",
    "sais",
    "vérifier",
    "vérifie",
    "demander",
    "demande",
    "voir",
    "saber",
    "sé",
    "verificar",
    "preguntar",
    "pregunta",
    "ver",
    "comprobar",
    "gefragt",
    "demandé",
    "preguntado",
    "wissen",
];

/// Who wants something doesn't say that it is so.
const WISHES: &[&str] = &[
    "möchte",
    "möchten",
    "wünsche",
    "gern",
    "gerne",
    "voudrais",
    "voudrions",
    "aimerais",
    "veux",
    "souhaite",
    "quisiera",
    "quiero",
    "querría",
    "gustaría",
    "deseo",
];

fn of<T: ?Sized>(lists: &'static [(Tongue, &'static T); 3], tongue: Tongue) -> Option<&'static T> {
    lists.iter().find(|(of, _)| *of == tongue).map(|(_, list)| *list)
}

/// Whether a sentence in one of these languages says something only under a condition.
pub(super) fn is_conditional(words: &[Word]) -> bool {
    let Some(openings) = tongue::of(words).and_then(|tongue| of(&IF, tongue)) else { return false };
    let lower = |at: usize| words.get(at).map_or("", |word| word.lower.as_str());
    (0..words.len()).any(|at| {
        let is_opening = |opening: &&&[&str]| {
            opening.iter().enumerate().all(|(offset, word)| lower(at + offset) == *word)
        };
        let before = at.checked_sub(1).map_or("", lower);
        let opens = openings.iter().any(|opening| is_opening(&opening))
            && !WHETHER.contains(&before)
            && !words[at..].iter().take(6).any(|word| COURTESY.contains(&word.lower.as_str()));
        let limits =
            ONLY.contains(&lower(at)) && LIMITS.contains(&lower(at + 1)) && before != "nicht";
        opens || limits
    })
}

/// Whether a sentence in one of these languages leaves open that it is so.
pub(super) fn leaves_open(words: &[Word]) -> bool {
    const OPEN: &[&str] =
        &["ob", "könnte", "würde", "dürfte", "pourrait", "serait", "podría", "sería"];
    is_conditional(words) || words.iter().any(|word| OPEN.contains(&word.lower.as_str()))
}

pub(super) fn opens_clause(lower: &str) -> bool {
    OPENERS.contains(&lower)
}

/// A part of a sentence, with whether it is denied.
struct Clause<'a> {
    words: &'a [Word],
    is_denied: bool,
}

fn clauses(words: &[Word], tongue: Tongue) -> Vec<Clause<'_>> {
    let mut found = Vec::new();
    let mut from = 0;
    for at in 1..=words.len() {
        let ends = words
            .get(at)
            .is_none_or(|word| word.clause != words[at - 1].clause || opens_clause(&word.lower));
        if ends {
            let words = &words[from..at];
            found.push(Clause { words, is_denied: is_denied(words, tongue) });
            from = at;
        }
    }
    found
}

fn is_denied(words: &[Word], tongue: Tongue) -> bool {
    let Some(denials) = of(&DENIALS, tongue) else { return false };
    words.iter().enumerate().any(|(at, word)| {
        denials.contains(&word.lower.as_str())
            && !words.get(at + 1).is_some_and(|next| ONLY.contains(&next.lower.as_str()))
    })
}

/// Shorter words are grammar.
const TELLING_CHARS: usize = 4;
/// Forms of one word begin alike.
const PREFIX_CHARS: usize = 5;

fn telling(words: &[Word], tongue: Tongue) -> impl Iterator<Item = &Word> + Clone {
    let denials = of(&DENIALS, tongue).unwrap_or_default();
    words.iter().filter(move |word| {
        let lower = word.lower.as_str();
        let long =
            lower.chars().count() >= TELLING_CHARS || lower.contains(|c: char| c.is_ascii_digit());
        long && !tongue::is_small(lower) && !denials.contains(&lower)
    })
}

fn alike(one: &str, other: &str) -> bool {
    let begins = |word: &str| word.chars().take(PREFIX_CHARS).collect::<String>();
    one == other || (one.chars().count() >= PREFIX_CHARS && begins(one) == begins(other))
}

/// Each clause denies where what it comes from denies, and nowhere else.
pub(super) fn check(case: &Case) -> Finding {
    let words = &case.reading.words;
    let tongue = tongue::of_claim(words, case.ground);
    if tongue == Tongue::English {
        return Ok(());
    }
    for clause in clauses(words, tongue) {
        let (mut best, mut agrees) = (0, true);
        for unit in case.support.near_units().into_iter().filter(|unit| (case.allowed)(*unit)) {
            for (held, is_denied) in heard(case, unit, &clause, tongue) {
                if held > best {
                    (best, agrees) = (held, false);
                }
                if held == best {
                    agrees |= is_denied == clause.is_denied;
                }
            }
        }
        if !agrees {
            let how = if clause.is_denied { "don't deny this" } else { "deny this" };
            return Err((Fault::Negation, format!("its sources {how}")));
        }
    }
    if case.ground.is_strict() { said::check(case, tongue) } else { Ok(()) }
}

/// For each clause of a unit, how much of the sentence's it holds, and whether it is denied.
fn heard(case: &Case, unit: usize, claimed: &Clause, tongue: Tongue) -> Vec<(usize, bool)> {
    let Unit { reading, .. } = &case.ground.units[unit];
    let answer = reading.is_question.then(|| answered(case, unit));
    // A question without an answer says neither.
    if answer == Some(None) {
        return Vec::new();
    }
    let held = |said: &Clause| {
        let wanted = telling(claimed.words, tongue);
        wanted
            .filter(|one| telling(said.words, tongue).any(|other| alike(&one.lower, &other.lower)))
            .count()
    };
    let said = clauses(&reading.words, tongue);
    let wishes = |words: &[Word]| words.iter().any(|one| WISHES.contains(&one.lower.as_str()));
    let is_wish = |said: &&Clause| wishes(said.words) && !wishes(claimed.words);
    let is_denied = |said: &Clause| match answer.flatten() {
        Some(yes) => said.is_denied == yes,
        None => said.is_denied,
    };
    let said = said.iter().filter(|said| !is_wish(said));
    said.map(|said| (held(said), is_denied(said))).filter(|(held, _)| *held > 0).collect()
}

/// What the next speaker begins with.
fn answered(case: &Case, unit: usize) -> Option<bool> {
    let units = &case.ground.units;
    let source = units[unit].source;
    let next = case.ground.first_units.get(source + 1).and_then(|at| units.get(*at))?;
    let Reading { words, .. } = &next.reading;
    match words.first()?.lower.as_str() {
        "ja" | "oui" | "sí" | "si" | "genau" | "claro" | "doch" => Some(true),
        "nein" | "non" | "no" | "leider" | "nunca" | "niemals" | "jamais" => Some(false),
        _ => None,
    }
}
