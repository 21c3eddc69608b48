//! What comes back from a model: JSON by the schema of the prompt, as sentences with citations.

use serde::Deserialize;

use super::lists::Item;
use crate::domain::FollowUpKind;
use crate::grounding::{Claim, cut};
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
    /// The subject is there first.
    #[serde(default)]
    paragraphs: Vec<Paragraph>,
}

#[derive(Deserialize)]
struct Paragraph {
    sentences: Vec<Sentence>,
}

#[derive(Deserialize)]
struct FollowUps {
    items: Vec<FollowUpItem>,
}

#[derive(Deserialize)]
struct FollowUpItem {
    kind: String,
    text: String,
    owner: String,
    when: String,
    cites: Vec<String>,
}

#[derive(Deserialize)]
struct Choices {
    choices: Vec<Chosen>,
}

#[derive(Deserialize)]
struct Chosen {
    code: String,
    probability: f32,
    why: String,
    cites: Vec<String>,
}

/// Its sections look like paragraphs with a heading, which proves nothing and is left out.
#[derive(Deserialize)]
struct Article {
    sections: Vec<Paragraph>,
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
    // More than a line is no subject.
    let subject = claims(vec![read.subject]).into_iter().next();
    Ok((subject, paragraphs.map(|one| claims(one.sentences)).collect()))
}

/// Whoever owes a model's follow-up, what it is, and the words that say when.
///
/// # Errors
/// What is wrong with the form.
pub(super) fn follow_ups(text: &str) -> Result<Vec<Item>, serde_json::Error> {
    let read: FollowUps = serde_json::from_str(bare(text))?;
    let items = read.items.into_iter().take(PARTS_MAX).flat_map(|one| {
        let FollowUpItem { kind, text, owner, when, cites } = one;
        let kind = FollowUpKind::parse(&kind);
        let parts = claims(vec![Sentence { text, cites }]);
        parts.into_iter().filter_map(move |claim| {
            let when = when.clone();
            Some(Item { kind: kind?, is_customers: owner == "customer", claim, when })
        })
    });
    Ok(items.collect())
}

/// Codes with their probability, 0 to 1, and why.
///
/// # Errors
/// What is wrong with the form.
pub(super) fn choices(text: &str) -> Result<Vec<(String, f32, Vec<Claim>)>, serde_json::Error> {
    let read: Choices = serde_json::from_str(bare(text))?;
    let choices = read.choices.into_iter().take(PARTS_MAX).filter_map(|one| {
        let why = claims(vec![Sentence { text: one.why, cites: one.cites }]);
        let is_probable = one.probability > 0.0 && one.probability <= 1.0;
        (is_probable && !why.is_empty()).then_some((one.code, one.probability, why))
    });
    Ok(choices.collect())
}

/// The sentences of an article in reading order, without its headings.
///
/// # Errors
/// What is wrong with the form.
pub(super) fn article(text: &str) -> Result<Vec<Claim>, serde_json::Error> {
    let read: Article = serde_json::from_str(bare(text))?;
    let sections = read.sections.into_iter().take(PARTS_MAX);
    Ok(sections.flat_map(|one| claims(one.sentences)).collect())
}

/// The finished objects of JSON that is still being written, closed as if that were all; `None` while
/// there are none.
pub(super) fn so_far(text: &str) -> Option<String> {
    let text = &text[text.find('{')?..];
    let (mut open, mut in_string, mut escaped) = (Vec::new(), false, false);
    let mut finished: Option<(usize, Vec<char>)> = None;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            _ if in_string => {}
            '{' => open.push('}'),
            '[' => open.push(']'),
            '}' | ']' => {
                open.pop();
                if c == '}' {
                    finished = Some((at + 1, open.clone()));
                }
            }
            _ => {}
        }
        if open.is_empty() {
            break;
        }
    }
    let (end, open) = finished?;
    Some(text[..end].chars().chain(open.into_iter().rev()).collect())
}

/// The JSON in a code fence, which models like to put around it.
fn bare(text: &str) -> &str {
    let text = text.trim();
    let Some(inside) = text.strip_prefix("```") else { return text };
    let inside = inside.strip_prefix("json").unwrap_or(inside);
    inside.strip_suffix("```").unwrap_or(inside).trim()
}

/// A model's words are masked like anybody's: it may have put digits together. What it gives as one
/// sentence may be several.
fn claims(sentences: Vec<Sentence>) -> Vec<Claim> {
    let fits = |one: &Sentence| one.text.chars().count() <= SENTENCE_CHARS_MAX;
    let parts = sentences.into_iter().take(SENTENCES_MAX).filter(fits).flat_map(|one| {
        let cites = one.cites.into_iter().take(CITES_MAX);
        let cites: Vec<String> =
            cites.map(|cite| cite.chars().take(CITE_CHARS_MAX).collect()).collect();
        cut(&redaction::published(one.text.trim()), &cites)
    });
    parts.take(SENTENCES_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sentence_stands_for_itself_however_they_are_given() {
        let text = r#"{"subject":{"text":"The bill. It was waived.","cites":["t-1"]},"paragraphs":[{"sentences":[{"text":"It costs £9.76 at first. The fee was waived [t-3]! And Dr. Smith agreed.","cites":["t-2"]}]}]}"#;
        let (subject, paragraphs) = email(text).expect("readable");
        assert_eq!(subject.map(|one| one.text.as_str().to_owned()).as_deref(), Some("The bill."));
        let parts: Vec<(&str, Vec<&str>)> = paragraphs[0]
            .iter()
            .map(|one| (one.text.as_str(), one.cites.iter().map(String::as_str).collect()))
            .collect();
        let wanted = [
            ("It costs £9.76 at first.", vec!["t-2"]),
            ("The fee was waived!", vec!["t-2", "t-3"]),
            ("And Dr. Smith agreed.", vec!["t-2"]),
        ];
        assert_eq!(parts, wanted);

        let text = r#"{"items":[{"kind":"callback","text":"Ring on Monday. The fee was waived.","owner":"agent","when":"Monday","cites":["t-1"]}]}"#;
        assert_eq!(follow_ups(text).expect("readable").len(), 2);
        let text = r#"{"choices":[{"code":"a","probability":0.5,"why":"One. Two.","cites":[]}]}"#;
        assert_eq!(choices(text).expect("readable")[0].2.len(), 2);
    }

    #[test]
    fn what_is_finished_of_a_text_can_be_read() {
        let whole = r#"{"sections":[{"section":"issue","sentences":[{"text":"It \"is\" {so}.","cites":["t-1"]},{"text":"Two.","cites":["t-2"]}]},{"section":"outcome","sentences":[{"text":"Three.","cites":[]}]}]}"#;
        let mut seen = Vec::new();
        for end in (0..=whole.len()).filter(|end| whole.is_char_boundary(*end)) {
            let Some(so_far) = so_far(&format!("```json\n{}", &whole[..end])) else { continue };
            let parts = sections(&so_far).unwrap_or_else(|error| panic!("{so_far}: {error}"));
            let texts: Vec<String> = parts
                .iter()
                .flat_map(|(_, claims)| claims.iter().map(|one| one.text.as_str().to_owned()))
                .collect();
            if seen.last() != Some(&texts) {
                seen.push(texts);
            }
        }
        let one = r#"It "is" {so}."#;
        assert_eq!(seen, [vec![one], vec![one, "Two."], vec![one, "Two.", "Three."]]);

        let subject = r#"{"subject":{"text":"The bill","cites":["t-1"]},"paragraphs":[{"sent"#;
        let (subject, paragraphs) = email(&so_far(subject).expect("a subject")).expect("readable");
        assert_eq!(subject.map(|one| one.text.as_str().to_owned()).as_deref(), Some("The bill"));
        assert!(paragraphs.is_empty());
        assert_eq!(so_far("I can't {"), None);
    }
}
