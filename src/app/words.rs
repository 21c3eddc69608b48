//! What the transcripts' settings are made of: the settings file's, and the names in the articles.

use super::AppError;
use crate::config::{Config, language_of};
use crate::domain::ErrorKind;
use crate::flow::transcript::TranscriptSettings;
use crate::knowledge::Library;

/// What the demonstration's calls name, besides its articles.
const DEMO_NAMES: &[&str] = &["Larkfield"];
/// More names than this make everything sound like one.
const NAMES_MAX: usize = 500;

/// The settings of all legs. Articles that are published later bring no names until a restart.
///
/// # Errors
/// `Invalid` for a language that the recogniser doesn't know.
pub(super) fn transcript_settings(
    config: &Config,
    demo: bool,
    library: &Library,
) -> Result<TranscriptSettings, AppError> {
    let language = language_of(&config.speech.language).map_err(|what| AppError {
        kind: ErrorKind::Invalid,
        message: format!("speech.language {what}"),
    })?;
    let mut names = config.speech.glossary.clone();
    if demo {
        names.extend(DEMO_NAMES.iter().map(|name| (*name).to_owned()));
    }
    let articles = library.articles();
    let products = articles.iter().flat_map(|article| &article.products);
    // "broadband" is a word of the language, which the recogniser knows.
    names.extend(products.filter(|name| name.contains(char::is_uppercase)).cloned());
    let mut names: Vec<&str> = names.iter().map(|name| name.trim()).collect();
    names.retain(|name| !name.is_empty() && !name.contains(char::is_control));
    names.sort_unstable();
    names.dedup();
    if names.len() > NAMES_MAX {
        tracing::warn!(names = names.len(), used = NAMES_MAX, "the glossary is too long");
        names.truncate(NAMES_MAX);
    }
    Ok(TranscriptSettings {
        end_silence_ms: config.transcript.end_silence_ms,
        early_silence_ms: config.transcript.early_silence_ms,
        partial_every_ms: config.transcript.partial_every_ms,
        language: (language != "auto").then(|| language.into()),
        glossary: (!names.is_empty()).then(|| names.join("\n").into()),
        ..TranscriptSettings::default()
    })
}
