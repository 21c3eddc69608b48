use std::sync::Arc;

use async_trait::async_trait;
use tokio::time::Instant;

use super::left_of;
use crate::models::edges::tame;
use crate::models::{
    Finish, Generator, Message, OnText, OutputSchema, Piece, Speaker, WritingError, WritingRequest,
    Written,
};

/// How much of what the schema wants is told to the model.
const WANTED_CHARS: usize = 200;

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
            .push(Message { speaker: Speaker::Assistant, content: tame(&wrong.written.text) });
        again.messages.push(Message {
            speaker: Speaker::User,
            content: format!(
                "That answer can't be used: {}. Give the whole answer again, as JSON of the form \
                 that was asked for and nothing else.",
                wrong.problem
            ),
        });
        let mut second = self.inner.write(&again, on_text).await?;
        second.tokens.prompt += wrong.written.tokens.prompt;
        second.tokens.written += wrong.written.tokens.written;
        match self.look(&form, second, on_text)? {
            Ok(written) => Ok(written),
            Err(wrong) => Err(self.form(wrong.problem)),
        }
    }
}

struct Wrong {
    written: Written,
    /// For the model and for logs: says where, and quotes nothing that was written.
    problem: String,
}

impl Validated {
    fn look(
        &self,
        form: &Form<'_>,
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
        let Some(problem) = form.problem(&json) else {
            if json != written.text {
                on_text(Piece::Restart);
                on_text(Piece::Text(&json));
                written.text = json;
            }
            return Ok(Ok(written));
        };
        let problem = match written.finish {
            Finish::Length => "it was cut off at max_tokens: be shorter".to_owned(),
            _ => problem,
        };
        Ok(Err(Box::new(Wrong { written, problem })))
    }
}

/// A schema, ready to look at answers.
struct Form<'a> {
    schema: &'a serde_json::Value,
    validator: jsonschema::Validator,
}

impl<'a> Form<'a> {
    fn new(schema: &'a OutputSchema) -> Result<Self, String> {
        let validator = jsonschema::validator_for(&schema.schema)
            .map_err(|error| format!("the schema {} is none: {error}", schema.name))?;
        Ok(Self { schema: &schema.schema, validator })
    }

    fn problem(&self, json: &str) -> Option<String> {
        let value: serde_json::Value = match serde_json::from_str(json) {
            Ok(value) => value,
            Err(error) => {
                let (line, column) = (error.line(), error.column());
                return Some(format!("it is no JSON from line {line}, column {column} on"));
            }
        };
        let error = self.validator.iter_errors(&value).next()?;
        let place = self.place(&error.instance_path().to_string());
        let rule = error.schema_path().to_string();
        let wanted = self.schema.pointer(&rule).map_or_else(String::new, |wanted| {
            let wanted: String = wanted.to_string().chars().take(WANTED_CHARS).collect();
            format!(", which is {wanted}")
        });
        Some(format!("at {place} it breaks {rule}{wanted}"))
    }

    /// A path with the schema's own names only: others are what was written.
    fn place(&self, path: &str) -> String {
        let known = self.schema.to_string();
        let part = |part: &str| match part.parse::<usize>().is_ok()
            || known.contains(&serde_json::Value::from(part).to_string())
        {
            true => part.to_owned(),
            false => "*".to_owned(),
        };
        let parts: Vec<String> = path.split('/').skip(1).map(part).collect();
        format!("/{}", parts.join("/"))
    }
}

/// The JSON of an answer: without what a model thought aloud, without a code fence, without words
/// around it.
pub(super) fn json_in(text: &str) -> &str {
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
