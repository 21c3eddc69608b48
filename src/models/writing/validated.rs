use std::sync::Arc;

use async_trait::async_trait;
use tokio::time::Instant;

use super::left_of;
use crate::models::{
    Finish, Generator, Message, OnText, OutputSchema, Piece, Speaker, WritingError, WritingRequest,
    Written,
};

/// How much of what is wrong is told to the model.
const PROBLEM_CHARS: usize = 400;

/// Sees to it that an answer has the form that was asked for: once, it tells the model what is wrong.
/// What surrounds the JSON, such as a code fence, is taken away.
pub struct Validated {
    inner: Arc<dyn Generator>,
}

impl Validated {
    pub fn new(inner: Arc<dyn Generator>) -> Self {
        Self { inner }
    }

    fn form(&self, detail: String) -> WritingError {
        WritingError::Form { provider: self.inner.provider().to_owned(), detail }
    }
}

#[async_trait]
impl Generator for Validated {
    fn provider(&self) -> &str {
        self.inner.provider()
    }

    async fn write(
        &self,
        request: &WritingRequest,
        on_text: OnText<'_>,
    ) -> Result<Written, WritingError> {
        let Some(schema) = &request.schema else {
            return self.inner.write(request, on_text).await;
        };
        let form = Form::new(schema).map_err(|problem| WritingError::Refused {
            provider: self.inner.provider().to_owned(),
            detail: problem,
        })?;
        let began = Instant::now();
        let first = self.inner.write(request, on_text).await?;
        let wrong = match self.look(&form, first, on_text)? {
            Ok(written) => return Ok(written),
            Err(wrong) => wrong,
        };
        metrics::counter!(
            "backchannel_writing_repairs_total",
            "provider" => self.inner.provider().to_owned()
        )
        .increment(1);
        on_text(Piece::Restart);
        let mut again = request.clone();
        again.deadline = left_of(request, began);
        again
            .messages
            .push(Message { speaker: Speaker::Assistant, content: wrong.written.text.clone() });
        again.messages.push(Message {
            speaker: Speaker::User,
            content: format!(
                "That answer can't be used: {}. Give the whole answer again, as JSON of the form \
                 that was asked for and nothing else.",
                wrong.for_model
            ),
        });
        let mut second = self.inner.write(&again, on_text).await?;
        second.tokens.prompt += wrong.written.tokens.prompt;
        second.tokens.written += wrong.written.tokens.written;
        match self.look(&form, second, on_text)? {
            Ok(written) => Ok(written),
            Err(wrong) => Err(self.form(wrong.for_log)),
        }
    }
}

struct Wrong {
    written: Written,
    /// May quote what was written.
    for_model: String,
    for_log: String,
}

impl Validated {
    fn look(
        &self,
        form: &Form,
        mut written: Written,
        on_text: OnText<'_>,
    ) -> Result<Result<Written, Box<Wrong>>, WritingError> {
        if written.finish == Finish::Filtered {
            return Err(WritingError::Refused {
                provider: written.provider,
                detail: "the provider withheld the text".to_owned(),
            });
        }
        let json = json_in(&written.text).to_owned();
        let Some((for_model, for_log)) = form.problem(&json) else {
            if json != written.text {
                on_text(Piece::Restart);
                on_text(Piece::Text(&json));
                written.text = json;
            }
            return Ok(Ok(written));
        };
        let (for_model, for_log) = match written.finish {
            Finish::Length => {
                ("it was cut off: be shorter".to_owned(), "it was cut off at max_tokens".to_owned())
            }
            _ => (for_model, for_log),
        };
        Ok(Err(Box::new(Wrong { written, for_model, for_log })))
    }
}

/// A schema, ready to look at answers.
struct Form(jsonschema::Validator);

impl Form {
    fn new(schema: &OutputSchema) -> Result<Self, String> {
        let validator = jsonschema::validator_for(&schema.schema);
        validator.map(Self).map_err(|error| format!("the schema {} is none: {error}", schema.name))
    }

    /// For the model, and for logs, where nothing may be quoted.
    fn problem(&self, json: &str) -> Option<(String, String)> {
        let value: serde_json::Value = match serde_json::from_str(json) {
            Ok(value) => value,
            Err(error) => {
                let place = format!("line {}, column {}", error.line(), error.column());
                return Some((
                    format!("it is no JSON ({error})"),
                    format!("it is no JSON from {place} on"),
                ));
            }
        };
        let error = self.0.iter_errors(&value).next()?;
        let place = error.instance_path().to_string();
        let place = if place.is_empty() { "/" } else { &place };
        let for_model: String =
            format!("at {place}: {error}").chars().take(PROBLEM_CHARS).collect();
        Some((for_model, format!("at {place} it breaks {}", error.schema_path())))
    }
}

/// The JSON of an answer: without what a model thought aloud, without a code fence, without words
/// around it.
fn json_in(text: &str) -> &str {
    let text = text.trim();
    let text = match text.strip_prefix("<think>").and_then(|rest| rest.split_once("</think>")) {
        Some((_, answer)) => answer.trim(),
        None => text,
    };
    if text.starts_with('{') && text.ends_with('}') {
        return text;
    }
    match (text.find('{'), text.rfind('}')) {
        (Some(start), Some(end)) if start < end => &text[start..=end],
        _ => text,
    }
}
