//! Why a passage was found, in words for people.

use super::terms;

/// Names at most this many of the query's words.
const WORDS_SHOWN: usize = 5;

/// `matched` are stems; the reader gets the words as they stand in the query.
pub(crate) fn reasons(
    query: &str,
    matched: &[String],
    exact: &[String],
    asked_as: Option<&str>,
    cosine: Option<f32>,
) -> Vec<String> {
    let mut why = Vec::new();
    if !exact.is_empty() {
        why.push(format!("exact: {}", exact.join(", ")));
    }
    let words = spoken_forms(query, matched);
    if !words.is_empty() {
        why.push(format!("terms: {}", words.join(", ")));
    }
    if let Some(phrasing) = asked_as {
        why.push(format!("asked as: {phrasing}"));
    }
    if let Some(cosine) = cosine {
        why.push(format!("meaning: {cosine:.2}"));
    }
    why
}

fn spoken_forms(query: &str, matched: &[String]) -> Vec<String> {
    let words = super::spoken::digits(&terms::words(query));
    let stems = terms::stem(&words);
    let mut shown: Vec<String> = Vec::new();
    for (word, stem) in words.iter().zip(&stems) {
        if matched.contains(stem) && !terms::is_stop_word(word) && !shown.contains(word) {
            shown.push(word.clone());
        }
    }
    shown.truncate(WORDS_SHOWN);
    shown
}
