//! Why a passage was found, in words for people.

use super::terms;

/// Names at most this many of the query's words.
const WORDS_SHOWN: usize = 5;

/// What was found for a passage.
pub(crate) struct Found<'a> {
    /// Stems; the reader gets the words as they stand in the query.
    pub matched: &'a [String],
    /// Words of the query, and the terms that they were read as.
    pub misspelt: &'a [(String, String)],
    pub exact: &'a [String],
    pub asked_as: Option<&'a str>,
    /// The words that were heard as the article's name.
    pub heard: Option<&'a str>,
    pub cosine: Option<f32>,
    /// What agents made of it.
    pub feedback: Option<String>,
}

pub(crate) fn reasons(query: &str, found: &Found<'_>) -> Vec<String> {
    let mut why = Vec::new();
    if !found.exact.is_empty() {
        why.push(format!("exact: {}", found.exact.join(", ")));
    }
    if let Some(heard) = found.heard {
        why.push(format!("talked about: {heard}"));
    }
    let words = spoken_forms(query, found.matched);
    if !words.is_empty() {
        why.push(format!("terms: {}", words.join(", ")));
    }
    let read_as = found.misspelt.iter().filter(|(_, right)| found.matched.contains(right));
    let read_as: Vec<String> = read_as.map(|(wrong, right)| format!("{wrong} → {right}")).collect();
    if !read_as.is_empty() {
        why.push(format!("spelled: {}", read_as.join(", ")));
    }
    if let Some(phrasing) = found.asked_as {
        why.push(format!("asked as: {phrasing}"));
    }
    if let Some(cosine) = found.cosine {
        why.push(format!("meaning: {cosine:.2}"));
    }
    why.extend(found.feedback.clone());
    why
}

fn spoken_forms(query: &str, matched: &[String]) -> Vec<String> {
    let words = super::spoken::digits(terms::words(query));
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
