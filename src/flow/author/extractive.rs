//! The writer without a model: what stands in the turns and passages, in the form of each prompt.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use crate::domain::{Proof, ProvenSentence};
use crate::flow::wrapup::{Circumstances, EXTRACTIVE, Reading, default_sections};
use crate::models::{
    Finish, Generator, Material, OnText, Piece, TokenCount, WritingError, WritingRequest,
    WritingTask, Written,
};

/// Sentences of an answer: more than this is an article.
const ANSWER_SENTENCES: usize = 2;

/// Quotes. It can't invent, it needs no time, and it stands last in every chain.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extractive;

#[async_trait]
impl Generator for Extractive {
    fn provider(&self) -> &str {
        EXTRACTIVE
    }

    /// # Errors
    /// `Refused` where the material holds nothing to quote.
    async fn write(
        &self,
        request: &WritingRequest,
        on_text: OnText<'_>,
    ) -> Result<Written, WritingError> {
        let refused =
            |detail: String| WritingError::Refused { provider: EXTRACTIVE.to_owned(), detail };
        let (task, material) = (request.task, Arc::clone(&request.material));
        let written = tokio::task::spawn_blocking(move || quoted(task, &material));
        let text = written.await.map_err(|error| refused(error.to_string()))?.map_err(refused)?;
        on_text(Piece::Text(&text));
        Ok(Written {
            text,
            finish: Finish::Stop,
            tokens: TokenCount::default(),
            provider: EXTRACTIVE.to_owned(),
            model: None,
        })
    }
}

fn quoted(task: WritingTask, material: &Material) -> Result<String, String> {
    let answer = match task {
        WritingTask::Card | WritingTask::Answer => passages(material)?,
        _ => conversation(task, material)?,
    };
    Ok(answer.to_string())
}

fn passages(material: &Material) -> Result<Value, String> {
    let quotes = material.passages.iter().take(ANSWER_SENTENCES);
    let sentences: Vec<Value> = quotes
        .map(|quote| json!({"text": quote.quote, "cites": [quote.passage_id.as_str()]}))
        .collect();
    match sentences.is_empty() {
        true => Err("no passage answers it".to_owned()),
        false => Ok(json!({"sentences": sentences, "ask_back": ""})),
    }
}

fn conversation(task: WritingTask, material: &Material) -> Result<Value, String> {
    // Nothing that is quoted here is a date that would have to be worked out.
    let began = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
    let circumstances = Circumstances { began, parties: Vec::new() };
    let reading = Reading::of(material, &circumstances).map_err(|refusal| refusal.to_string())?;
    let summary = reading.summary(&default_sections());
    let paragraph: Vec<Value> = summary.paragraph.iter().map(sentence).collect();
    let sections = summary.sections.iter().map(|section| {
        let sentences: Vec<Value> = section.sentences.iter().map(sentence).collect();
        (section.key.clone(), sentences)
    });
    Ok(match task {
        WritingTask::Email => json!({
            "subject": paragraph.first(),
            "paragraphs": [{"sentences": paragraph}],
        }),
        WritingTask::Article => json!({
            "title": summary.paragraph.first().map(|one| one.text.as_str()),
            "sections": sections
                .map(|(key, sentences)| json!({"heading": key, "sentences": sentences}))
                .collect::<Vec<_>>(),
        }),
        _ => json!({
            "sections": sections
                .map(|(key, sentences)| json!({"section": key, "sentences": sentences}))
                .collect::<Vec<_>>(),
        }),
    })
}

fn sentence(proven: &ProvenSentence) -> Value {
    let cites: Vec<&str> = proven
        .proofs
        .iter()
        .map(|proof| match proof {
            Proof::Turn(citation) => citation.turn_id.as_str(),
            Proof::Passage(citation) => citation.passage_id.as_str(),
        })
        .collect();
    json!({"text": proven.text.as_str(), "cites": cites})
}
