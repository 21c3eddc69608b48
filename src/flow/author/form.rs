//! What comes back from a model: JSON by the schema of the prompt, as sentences with citations.

use serde::Deserialize;

use crate::grounding::Claim;
use crate::insight::redaction;

/// More than this of anything is no draft.
const PARTS_MAX: usize = 24;
const SENTENCES_MAX: usize = 40;
const SENTENCE_CHARS_MAX: usize = 600;
const CITES_MAX: usize = 8;
/// A longer one is no id, and is cut to one that isn't there.
const CITE_CHARS_MAX: usize = 128;

#[derive(Deserialize)]
struct Sentence {
    text: String,
    #[serde(default)]
    cites: Vec<String>,
}

#[derive(Deserialize)]
struct Sections {
    sections: Vec<Section>,
}

#[derive(Deserialize)]
struct Section {
    section: String,
    sentences: Vec<Sentence>,
}

#[derive(Deserialize)]
struct Email {
    subject: Sentence,
    paragraphs: Vec<Paragraph>,
}

#[derive(Deserialize)]
struct Paragraph {
    sentences: Vec<Sentence>,
}

/// Sentences under the key of their section, as they came.
pub(super) type Parts = Vec<(String, Vec<Claim>)>;

/// A summary or hand-over.
///
/// # Errors
/// What is wrong with the form.
pub(super) fn sections(text: &str) -> Result<Parts, serde_json::Error> {
    let read: Sections = serde_json::from_str(bare(text))?;
    let sections = read.sections.into_iter().take(PARTS_MAX);
    Ok(sections.map(|one| (one.section, claims(one.sentences))).collect())
}

/// Subject and paragraphs of an e-mail.
///
/// # Errors
/// What is wrong with the form.
pub(super) fn email(text: &str) -> Result<(Option<Claim>, Vec<Vec<Claim>>), serde_json::Error> {
    let read: Email = serde_json::from_str(bare(text))?;
    let paragraphs = read.paragraphs.into_iter().take(PARTS_MAX);
    let subject = claims(vec![read.subject]).pop();
    Ok((subject, paragraphs.map(|one| claims(one.sentences)).collect()))
}

/// The JSON in a code fence, which models like to put around it.
fn bare(text: &str) -> &str {
    let text = text.trim();
    let Some(inside) = text.strip_prefix("```") else { return text };
    let inside = inside.strip_prefix("json").unwrap_or(inside);
    inside.strip_suffix("```").unwrap_or(inside).trim()
}

/// A model's words are masked like anybody's: it may have put digits together.
fn claims(sentences: Vec<Sentence>) -> Vec<Claim> {
    let sentences = sentences.into_iter().take(SENTENCES_MAX);
    sentences
        .filter(|one| !one.text.trim().is_empty())
        .filter(|one| one.text.chars().count() <= SENTENCE_CHARS_MAX)
        .map(|one| {
            let cites = one.cites.into_iter().take(CITES_MAX);
            let cites = cites.map(|cite| cite.chars().take(CITE_CHARS_MAX).collect::<String>());
            Claim::new(redaction::typed(one.text.trim()), cites)
        })
        .collect()
}
