//! Names stand in the sources.

use super::reading::{Part, Word};
use super::verify::{Case, Finding};
use crate::domain::Fault;

/// Capitals that everybody writes and nobody needs to have said.
const GENERIC: &[&str] = &[
    "dm", "dms", "url", "ok", "id", "q", "a", "mr", "mrs", "ms", "dr", "sie", "ihnen", "ihr",
    "ihre", "ihren", "ihrem", "welche", "welcher", "welches", "welchen", "welchem",
];

pub(super) fn check(case: &Case) -> Finding {
    let words = &case.reading.words;
    for (index, word) in words.iter().enumerate() {
        if !is_name(case, words, index, word) || known(case, word) {
            continue;
        }
        let said = case.reading.text.get(word.bytes.clone()).unwrap_or_default();
        return Err((Fault::Name, format!("\"{said}\" is in none of its sources")));
    }
    Ok(())
}

fn is_name(case: &Case, words: &[Word], index: usize, word: &Word) -> bool {
    if !word.capital || word.part != Part::Content || GENERIC.contains(&word.lower.as_str()) {
        return false;
    }
    if case.reading.is_exact(word) {
        return false;
    }
    if index > 0 && !begins(case, word) {
        return true;
    }
    // The first word has a capital anyway: it's a name when another one follows it, or what is whose.
    let next = words.get(index + 1);
    let surname = next.is_some_and(|next| next.capital && next.part == Part::Content);
    surname
        || case
            .reading
            .text
            .get(word.bytes.clone())
            .is_some_and(|raw| raw.ends_with("'s") || raw.ends_with("’s"))
}

/// Behind these a full stop ends nothing.
const TITLES: &[&str] = &["Mr.", "Mrs.", "Ms.", "Dr.", "St.", "No."];

/// The word begins a quotation or a label.
fn begins(case: &Case, word: &Word) -> bool {
    let before =
        case.reading.text.get(..word.bytes.start).unwrap_or_default().trim_end_matches(' ');
    let titled = TITLES.iter().any(|title| before.ends_with(title));
    !titled && before.ends_with([':', '"', '“', '.', '!', '?', '‘', '*'])
}

fn known(case: &Case, word: &Word) -> bool {
    let vocabulary = &case.ground.vocabulary;
    let lower = word.lower.as_str();
    let bare = lower.strip_suffix('s').unwrap_or(lower);
    let person = |name: &String| name == lower;
    vocabulary.contains(lower)
        || (bare.len() >= 3 && vocabulary.contains(bare))
        || vocabulary.contains(&format!("{lower}s"))
        || case.ground.postings.contains_key(&word.stem)
        || case.ground.speakers.iter().any(|speaker| speaker.name.iter().any(person))
        || case.ground.handles.iter().any(|handle| lower.len() >= 3 && handle.contains(lower))
}
