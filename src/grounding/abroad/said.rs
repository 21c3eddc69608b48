//! Verbs of German, French and Spanish sentences stand in the sources, and what was done isn't only
//! promised there.

use super::{Tongue, clauses, telling};
use crate::domain::Fault;
use crate::grounding::reading::Word;
use crate::grounding::tongue;
use crate::grounding::verify::{Case, Finding};

/// The small words that shape a verb.
struct Shapes {
    tongue: Tongue,
    done: &'static [&'static str],
    /// To come, or possible.
    open: &'static [&'static str],
    subjects: &'static [&'static str],
    /// Endings of verbs for what is to come, and of bare ones.
    open_ends: &'static [&'static str],
}

const SHAPES: [Shapes; 3] = [
    Shapes {
        tongue: Tongue::German,
        done: &["wurde", "wurden", "worden", "hat", "haben", "habe", "war", "waren"],
        open: &[
            "wird", "werden", "werde", "kann", "können", "könnte", "könnten", "möchte", "möchten",
            "soll", "sollen", "würde", "würden", "darf", "dürfen", "muss", "müssen", "will",
            "wollen",
        ],
        subjects: &["wir", "ich", "sie", "er", "es"],
        open_ends: &[],
    },
    Shapes {
        tongue: Tongue::French,
        done: &["a", "ont", "avons", "avez", "ai", "été", "était", "étaient"],
        open: &[
            "pouvons", "pouvez", "peut", "peuvent", "pourra", "pourrons", "vais", "va", "allons",
            "allez", "vont", "devez", "devons", "doit", "voudrais", "souhaite", "sera", "seront",
            "est", "sont",
        ],
        subjects: &["nous", "vous", "je", "il", "elle", "ils", "elles", "on"],
        open_ends: &["rai", "ras", "ra", "rons", "rez", "ront", "er", "ir", "re"],
    },
    Shapes {
        tongue: Tongue::Spanish,
        done: &["fue", "fueron", "ha", "han", "hemos", "he", "sido", "era"],
        open: &[
            "podemos", "puede", "pueden", "puedo", "vamos", "va", "van", "voy", "debe", "deben",
            "quiere", "quiero", "será", "serán", "podría",
        ],
        subjects: &["yo", "nosotros", "usted", "ustedes", "le", "les", "se", "nos"],
        open_ends: &["ré", "rá", "remos", "rán", "ar", "er", "ir"],
    },
];

fn has(words: &[Word], list: &[&str]) -> bool {
    words.iter().any(|word| list.contains(&word.lower.as_str()))
}

/// Where somebody is bound by it: each verb was said, and as done where the sentence says so.
pub(super) fn check(case: &Case, tongue: Tongue) -> Finding {
    let Some(shapes) = SHAPES.iter().find(|shapes| shapes.tongue == tongue) else { return Ok(()) };
    for clause in clauses(&case.reading.words, tongue) {
        let is_done = has(clause.words, shapes.done);
        for verb in verbs(clause.words, shapes) {
            let (mut is_said, mut is_borne) = (false, false);
            for (number, unit) in case.ground.units.iter().enumerate() {
                if !(case.allowed)(number) || is_borne {
                    continue;
                }
                for said in clauses(&unit.reading.words, tongue) {
                    let mut words = telling(said.words, tongue);
                    let Some(word) = words.find(|word| same(&verb.lower, &word.lower)) else {
                        continue;
                    };
                    is_said = true;
                    let ends = shapes.open_ends.iter().any(|end| word.lower.ends_with(end));
                    let open = has(said.words, shapes.open) || ends;
                    is_borne |= !is_done || has(said.words, shapes.done) || !open;
                }
            }
            if !is_borne {
                let how = if is_said { " as done" } else { "" };
                let why = format!("its sources don't say \"{}\"{how}", verb.lower);
                return Err((Fault::Meaning, why));
            }
        }
    }
    Ok(())
}

/// The words of a clause that can only be verbs.
fn verbs<'a>(words: &'a [Word], shapes: &Shapes) -> Vec<&'a Word> {
    let is_telling = |word: &&Word| {
        word.lower.chars().count() >= super::TELLING_CHARS
            && !word.lower.contains(|c: char| c.is_ascii_digit())
            && !tongue::is_small(&word.lower)
    };
    let shaped = |word: &Word| {
        let lower = word.lower.as_str();
        shapes.done.contains(&lower) || shapes.open.contains(&lower)
    };
    let is_subject = |word: &Word| shapes.subjects.contains(&word.lower.as_str());
    let mut found: Vec<&Word> = Vec::new();
    if shapes.tongue == Tongue::German {
        // Nouns have capitals, and what is shaped by another verb stands last.
        let lower_case = |word: &&Word| is_telling(word) && !word.capital;
        if words.iter().any(shaped) {
            found.extend(words.iter().rev().find(|word| !shaped(word)).filter(lower_case));
        }
        for pair in words.windows(2) {
            match (is_subject(&pair[0]), is_subject(&pair[1])) {
                (true, false) => found.extend(Some(&pair[1]).filter(lower_case)),
                (false, true) => found.extend(Some(&pair[0]).filter(lower_case)),
                _ => {}
            }
        }
        return found;
    }
    for (at, _) in words.iter().enumerate().filter(|(_, word)| shaped(word) || is_subject(word)) {
        let near = words[at + 1..].iter().take(NEAR).take_while(|word| {
            is_telling(word)
                || tongue::is_small(&word.lower)
                || word.lower.chars().count() < super::TELLING_CHARS
        });
        let next = near.into_iter().find(is_telling).filter(|word| !word.capital);
        found.extend(next.filter(|word| !is_noun(words, word)));
    }
    found
}

/// So near behind what shapes it stands a verb.
const NEAR: usize = 4;

/// Behind an article or a preposition.
fn is_noun(words: &[Word], word: &Word) -> bool {
    const ARTICLES: &[&str] = &[
        "le", "la", "les", "l", "un", "une", "des", "du", "de", "ce", "cette", "votre", "vos",
        "notre", "nos", "au", "aux", "à", "pour", "sur", "el", "los", "las", "una", "del", "su",
        "sus", "nuestro", "nuestra", "al", "para", "con", "por", "en", "dans", "avec",
    ];
    let at = words.iter().position(|other| other.bytes == word.bytes).unwrap_or(0);
    // "vous le rembourser": before a verb these are pronouns.
    let before = at.checked_sub(1).map(|at| words[at].lower.as_str());
    let verb = [
        "er", "ir", "re", "é", "és", "ée", "ées", "ons", "ez", "ado", "ido", "ada", "ida", "mos",
        "ar",
    ];
    before.is_some_and(|before| ARTICLES.contains(&before))
        && !verb.iter().any(|end| word.lower.ends_with(end))
}

const PREFIXES: &[&str] = &[
    "zurück", "ab", "an", "auf", "aus", "ein", "um", "vor", "zu", "mit", "frei", "nach", "weiter",
    "her", "hin", "zusammen", "",
];
/// A German participle without its "ge": "zurückgezahlt" is "zurückzahlt".
fn bare(lower: &str) -> String {
    let inner = PREFIXES.iter().find_map(|prefix| {
        let inner = lower.strip_prefix(prefix)?.strip_prefix("ge")?;
        (inner.chars().count() >= super::PREFIX_CHARS).then(|| format!("{prefix}{inner}"))
    });
    inner.unwrap_or_else(|| lower.to_owned())
}

/// What people put for each other.
const ALIKE: &[&[&str]] = &[
    &["ersta", "zurüc", "gutsc", "gutge", "rücke"],
    &["künd", "storn", "beend", "kündi"],
    &["schic", "sende", "sandt", "versc", "verse", "zusch"],
    &["repar", "behob", "beheb"],
    &["tausc", "ersetz", "austa", "umtau", "erset", "wechs"],
    &["rembo", "rends", "rendr", "crédi", "resti"],
    &["annul", "résil"],
    &["envoi", "envoy", "enver", "expéd"],
    &["rempl", "chang", "échan"],
    &["répar", "dépan"],
    &["reemb", "devol", "devue", "abona"],
    &["cance", "anula"],
    &["envia", "envía", "mando", "manda"],
    &["cambi", "susti", "reemp"],
];

/// Forms of one verb begin alike.
fn same(one: &str, other: &str) -> bool {
    let (one, other) = (bare(one), bare(other));
    let common = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let least = one.chars().count().min(other.chars().count()).saturating_sub(2);
    let in_group = |group: &&&[&str]| {
        [&one, &other].iter().all(|word| group.iter().any(|begins| word.starts_with(begins)))
    };
    common >= least.clamp(super::TELLING_CHARS, super::PREFIX_CHARS)
        || ALIKE.iter().any(|group| in_group(&group))
}
