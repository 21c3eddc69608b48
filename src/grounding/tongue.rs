//! Which language a sentence is in, by its small words.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::ground::Ground;
use super::reading::Word;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tongue {
    English,
    German,
    French,
    Spanish,
}

const ENGLISH: &[&str] = &[
    "the", "and", "of", "to", "is", "was", "are", "were", "you", "your", "we", "our", "i", "it",
    "that", "this", "for", "with", "on", "at", "by", "from", "will", "has", "have", "had", "been",
    "be", "can", "they", "their", "an", "or", "not", "his", "her", "he", "she", "my", "as", "if",
    "but", "would", "there", "which", "about", "customer", "agent", "says", "said", "whether",
];
const GERMAN: &[&str] = &[
    "der", "die", "das", "den", "dem", "und", "ist", "sind", "wir", "sie", "ihnen", "ihre", "ihr",
    "ihren", "ihrem", "ihrer", "ich", "nicht", "ein", "eine", "einen", "einem", "einer", "für",
    "mit", "von", "auf", "zu", "zum", "zur", "im", "am", "bei", "haben", "hat", "wird", "werden",
    "wurde", "wurden", "können", "kann", "kein", "keine", "keinen", "dass", "wenn", "falls", "nur",
    "es", "uns", "unser", "unsere", "noch", "nach", "bis", "aus", "oder", "aber", "auch", "sich",
    "nie", "niemals", "als", "um", "über", "vom", "beim", "leider",
];
const FRENCH: &[&str] = &[
    "le",
    "la",
    "les",
    "des",
    "du",
    "de",
    "et",
    "est",
    "sont",
    "nous",
    "vous",
    "votre",
    "vos",
    "notre",
    "nos",
    "je",
    "ne",
    "pas",
    "un",
    "une",
    "pour",
    "avec",
    "sur",
    "dans",
    "que",
    "qui",
    "a",
    "au",
    "aux",
    "ce",
    "cette",
    "il",
    "elle",
    "on",
    "ou",
    "mais",
    "si",
    "sauf",
    "sera",
    "seront",
    "pouvons",
    "avons",
    "avez",
    "ont",
    "été",
    "à",
    "en",
    "par",
    "plus",
    "jamais",
    "rien",
    "aucun",
    "aucune",
    "sans",
    "condition",
    "seulement",
    "dès",
];
const SPANISH: &[&str] = &[
    "el", "la", "los", "las", "de", "del", "y", "es", "son", "nosotros", "usted", "ustedes", "su",
    "sus", "le", "les", "nuestro", "nuestra", "yo", "no", "un", "una", "para", "con", "sobre",
    "en", "que", "por", "al", "se", "lo", "ha", "han", "hemos", "será", "podemos", "puede", "si",
    "sí", "salvo", "solo", "sólo", "nunca", "jamás", "nada", "ningún", "ninguna", "sin", "cuando",
    "o", "pero", "más", "este", "esta", "está", "están", "fue", "nos", "mi", "a",
];

/// Each small word with the languages that have it, a bit each.
static SMALL: LazyLock<HashMap<&'static str, u8>> = LazyLock::new(|| {
    let mut small: HashMap<&'static str, u8> = HashMap::new();
    for (number, list) in [ENGLISH, GERMAN, FRENCH, SPANISH].into_iter().enumerate() {
        for word in list {
            *small.entry(word).or_default() |= 1 << number;
        }
    }
    small
});

fn most<'a>(words: impl IntoIterator<Item = &'a Word>) -> (Tongue, usize) {
    use Tongue::{English, French, German, Spanish};
    let mut counts = [(English, 0), (German, 0), (French, 0), (Spanish, 0)];
    for word in words {
        let Some(bits) = SMALL.get(word.lower.as_str()) else { continue };
        for (number, (_, count)) in counts.iter_mut().enumerate() {
            *count += usize::from(bits & (1 << number) != 0);
        }
    }
    // Of as many words in two languages, the first one is meant.
    let found = counts.into_iter().rev().max_by_key(|(_, count)| *count);
    found.unwrap_or((English, 0))
}

/// None where no small word tells.
pub(super) fn of<'a>(words: impl IntoIterator<Item = &'a Word>) -> Option<Tongue> {
    let (tongue, most) = most(words);
    (most > 0).then_some(tongue)
}

/// One small word may be of any language: then it's that of the sources.
pub(super) fn of_claim(words: &[Word], ground: &Ground) -> Tongue {
    match most(words) {
        (tongue, 2..) => tongue,
        _ => ground.tongue().unwrap_or(Tongue::English),
    }
}

pub(super) fn is_small(lower: &str) -> bool {
    SMALL.contains_key(lower)
}
