use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use sha2::{Digest, Sha256};

use super::error::PromptError;
use super::fence::Fence;
use super::file::{self, Declared, Front, Part};
use super::inputs::{Choice, Input, Inputs, Kind, SourcePassage, SourceTurn};
use crate::domain::{PromptRef, TenantId};
use crate::models::{Material, Message, OutputSchema, Speaker, WritingRequest, WritingTask};

/// Its name in every template, so that instructions can say where the words of others end.
const FENCE: &str = "fence";

/// One version of a prompt, checked and ready.
#[derive(Debug)]
pub struct Prompt {
    /// What messages call it.
    pub(super) file: String,
    pub(super) front: Front,
    sha256: String,
    environment: Environment<'static>,
    speakers: Vec<Speaker>,
    has_schema: bool,
}

/// A prompt with its inputs: all that a request needs besides who asks.
#[derive(Clone, Debug)]
pub struct Rendered {
    pub prompt: PromptRef,
    pub task: WritingTask,
    pub messages: Vec<Message>,
    pub schema: Option<OutputSchema>,
    pub max_tokens: u32,
    pub temperature: f32,
    pub deadline: Duration,
    /// Turns and passages for which there was no room.
    pub left_out: usize,
}

impl Rendered {
    /// `material` is what was rendered, for writers that read no prompt.
    pub fn request(self, tenant: TenantId, material: Arc<Material>) -> WritingRequest {
        WritingRequest {
            tenant,
            job: None,
            task: self.task,
            prompt: Some(self.prompt),
            messages: self.messages,
            material,
            schema: self.schema,
            max_tokens: self.max_tokens,
            temperature: self.temperature,
            seed: None,
            deadline: self.deadline,
            meter: None,
        }
    }
}

impl Prompt {
    /// `file` is what messages call it.
    ///
    /// # Errors
    /// Names file and line: front matter, template syntax, a variable that isn't declared, an input
    /// that isn't used.
    pub fn parse(file: &str, text: &str) -> Result<Self, PromptError> {
        let parsed = file::parse(file, text)?;
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment
            .set_syntax(syntax.map_err(|error| PromptError::at(file, 1, error.to_string()))?);
        let mut used = BTreeSet::new();
        let mut speakers = Vec::new();
        for (index, (speaker, part)) in parsed.messages.iter().enumerate() {
            add(&mut environment, file, &index.to_string(), part, &parsed.front, &mut used)?;
            speakers.push(*speaker);
        }
        if let Some(part) = &parsed.schema {
            add(&mut environment, file, "schema", part, &parsed.front, &mut used)?;
        }
        if let Some(unused) = parsed.front.inputs.keys().find(|input| !used.contains(*input)) {
            let line = line_of(text, unused, 0);
            return Err(PromptError::at(file, line, format!("input `{unused}` is not used")));
        }
        Ok(Self {
            file: file.to_owned(),
            sha256: sha256(text),
            has_schema: parsed.schema.is_some(),
            front: parsed.front,
            environment,
            speakers,
        })
    }

    pub fn task(&self) -> WritingTask {
        self.front.task
    }

    /// What it is for, and what a new version changed.
    pub fn why(&self) -> &str {
        &self.front.why
    }

    pub fn reference(&self) -> PromptRef {
        PromptRef {
            id: self.front.id.clone(),
            version: self.front.version,
            sha256: self.sha256.clone(),
        }
    }

    pub(super) fn has_schema(&self) -> bool {
        self.has_schema
    }

    /// # Errors
    /// An input is missing, unknown or of another kind; the template fails (file and line).
    pub fn render(&self, inputs: &Inputs) -> Result<Rendered, PromptError> {
        let (context, left_out) = self.context(inputs)?;
        let mut messages = Vec::with_capacity(self.speakers.len());
        for (index, speaker) in self.speakers.iter().enumerate() {
            let content = self.fill(&index.to_string(), &context)?;
            messages.push(Message { speaker: *speaker, content: content.trim().to_owned() });
        }
        Ok(Rendered {
            prompt: self.reference(),
            task: self.front.task,
            messages,
            schema: self.has_schema.then(|| self.schema(&context)).transpose()?,
            max_tokens: self.front.max_tokens,
            temperature: self.front.temperature,
            deadline: Duration::from_millis(self.front.deadline_ms),
            left_out,
        })
    }

    /// The schema of another prompt's answer, such as an override's, which must be as the built-in's.
    pub(super) fn schema_for(&self, inputs: &Inputs) -> Result<Option<OutputSchema>, PromptError> {
        if !self.has_schema {
            return Ok(None);
        }
        let (context, _) = self.context(inputs)?;
        self.schema(&context).map(Some)
    }

    fn schema(&self, context: &Value) -> Result<OutputSchema, PromptError> {
        let text = self.fill("schema", context)?;
        let schema: serde_json::Value = serde_json::from_str(&text).map_err(|error| {
            PromptError::at(&self.file, error.line(), format!("the schema is no JSON: {error}"))
        })?;
        Ok(OutputSchema { name: self.front.id.clone(), schema: Arc::new(schema) })
    }

    fn fill(&self, part: &str, context: &Value) -> Result<String, PromptError> {
        let template = self.environment.get_template(part);
        let rendered = template.and_then(|template| template.render(context.clone()));
        rendered.map_err(|error| explain(&self.file, &error))
    }

    fn context(&self, inputs: &Inputs) -> Result<(Value, usize), PromptError> {
        let wrong = |input: &str, problem: &str| PromptError::Input {
            file: self.file.clone(),
            input: input.to_owned(),
            problem: problem.to_owned(),
        };
        for (name, input) in &inputs.0 {
            match self.front.inputs.get(name) {
                None => return Err(wrong(name, "is not among the prompt's inputs")),
                Some(declared) if declared.kind != input.kind() => {
                    return Err(wrong(name, "is of another kind than the prompt says"));
                }
                Some(_) => {}
            }
        }
        let fence = fence_of(inputs);
        let mut context = vec![(FENCE.to_owned(), Value::from(fence.token.clone()))];
        let mut left_out = 0;
        for (name, Declared { kind, optional }) in &self.front.inputs {
            let value = match inputs.0.get(name) {
                Some(Input::Turns(turns)) if !turns.is_empty() => {
                    let (text, out) = fence.turns(turns, self.front.max_turns_chars);
                    left_out += out;
                    Value::from(text)
                }
                Some(Input::Passages(passages)) if !passages.is_empty() => {
                    let (text, out) = fence.passages(passages, self.front.max_passages_chars);
                    left_out += out;
                    Value::from(text)
                }
                // Nothing is nothing: a template asks with `if`.
                Some(Input::Turns(_) | Input::Passages(_)) => Value::from(""),
                Some(Input::Untrusted(text)) if text.trim().is_empty() => Value::from(""),
                Some(Input::Untrusted(text)) => Value::from(fence.words(name, text)),
                Some(Input::Text(text)) => Value::from(text.as_str()),
                Some(Input::Choices(choices)) => choices.iter().map(choice).collect(),
                Some(Input::Flag(is)) => Value::from(*is),
                None if *optional => absent(*kind),
                None => return Err(wrong(name, "is missing")),
            };
            context.push((name.clone(), value));
        }
        Ok((Value::from_pairs(context), left_out))
    }
}

fn choice(choice: &Choice) -> Value {
    Value::from_pairs([("id", choice.id.as_str()), ("about", choice.about.as_str())])
}

fn absent(kind: Kind) -> Value {
    match kind {
        Kind::Turns | Kind::Passages | Kind::Untrusted | Kind::Text => Value::from(""),
        Kind::Choices => Value::from(Vec::<Value>::new()),
        Kind::Flag => Value::from(false),
    }
}

fn fence_of(inputs: &Inputs) -> Fence {
    let texts = inputs.0.values().flat_map(|input| match input {
        Input::Turns(turns) => turns.iter().map(SourceTurn::text).collect(),
        Input::Passages(passages) => passages.iter().map(SourcePassage::text).collect(),
        Input::Untrusted(text) => vec![text.as_str()],
        _ => Vec::new(),
    });
    let ids = inputs.0.values().flat_map(|input| match input {
        Input::Turns(turns) => turns.iter().map(|turn| turn.id.clone()).collect(),
        Input::Passages(passages) => passages.iter().map(|passage| passage.id.clone()).collect(),
        _ => Vec::new(),
    });
    Fence::around(texts, ids.filter(|id| !id.starts_with("t-")).collect())
}

fn add(
    environment: &mut Environment<'static>,
    file: &str,
    name: &str,
    part: &Part,
    front: &Front,
    used: &mut BTreeSet<String>,
) -> Result<(), PromptError> {
    // Empty lines in front, so that the template's line numbers are those of the file.
    let source = format!("{}{}", "\n".repeat(part.line - 1), part.source);
    environment
        .add_template_owned(name.to_owned(), source.clone())
        .map_err(|error| explain(file, &error))?;
    let template = environment.get_template(name).map_err(|error| explain(file, &error))?;
    for variable in template.undeclared_variables(false) {
        if variable != FENCE && !front.inputs.contains_key(&variable) {
            let line = line_of(&source, &variable, part.line - 1);
            let problem = format!("`{variable}` is not among the prompt's inputs");
            return Err(PromptError::at(file, line, problem));
        }
        used.insert(variable);
    }
    Ok(())
}

/// The first line from `skip` on that has the word.
fn line_of(text: &str, word: &str, skip: usize) -> usize {
    let is_in = |line: &str| {
        line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|found| found == word)
    };
    text.lines().skip(skip).position(is_in).map_or(skip + 1, |at| skip + at + 1)
}

fn explain(file: &str, error: &minijinja::Error) -> PromptError {
    let detail = error.detail().map_or_else(String::new, |detail| format!(": {detail}"));
    PromptError::at(file, error.line().unwrap_or(1), format!("{}{detail}", error.kind()))
}

pub(super) fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
