//! A prompt's file: front matter between `+++` lines, then parts that open with `--- system`,
//! `--- user` and `--- schema`. Parts are cut before anything is rendered, so that no text can open
//! one.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::error::PromptError;
use super::inputs::Kind;
use crate::models::{Speaker, WritingTask};

#[derive(Clone, Debug)]
pub struct Front {
    pub id: String,
    pub version: u32,
    pub task: WritingTask,
    /// What it is for, and what a new version changed.
    pub why: String,
    pub inputs: BTreeMap<String, Declared>,
    pub max_tokens: u32,
    pub temperature: f32,
    pub deadline_ms: u64,
    /// What is longer loses its middle.
    pub max_turns_chars: usize,
    /// What is longer loses its last ones.
    pub max_passages_chars: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Declared {
    pub kind: Kind,
    pub optional: bool,
}

/// A part's template and the line it begins in.
#[derive(Clone, Debug)]
pub struct Part {
    pub line: usize,
    pub source: String,
}

#[derive(Debug)]
pub struct File {
    pub front: Front,
    pub messages: Vec<(Speaker, Part)>,
    pub schema: Option<Part>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFront {
    id: String,
    version: u32,
    task: String,
    why: String,
    inputs: BTreeMap<String, toml::Spanned<String>>,
    max_tokens: u32,
    #[serde(default)]
    temperature: f32,
    deadline_ms: u64,
    #[serde(default = "turns_chars")]
    max_turns_chars: usize,
    #[serde(default = "passages_chars")]
    max_passages_chars: usize,
}

const fn turns_chars() -> usize {
    48_000
}

const fn passages_chars() -> usize {
    8_000
}

const FENCE: &str = "+++";

/// `name` is what messages call the file.
pub fn parse(name: &str, text: &str) -> Result<File, PromptError> {
    let mut lines = text.lines().enumerate();
    if lines.next().is_none_or(|(_, line)| line.trim_end() != FENCE) {
        return Err(PromptError::at(name, 1, "must open with a line +++"));
    }
    let Some((close, _)) = lines.find(|(_, line)| line.trim_end() == FENCE) else {
        return Err(PromptError::at(
            name,
            1,
            "the front matter is not closed: a line +++ is missing",
        ));
    };
    let lines: Vec<&str> = text.lines().collect();
    let front = front(name, &lines[1..close].join("\n"))?;
    let (messages, schema) = parts(name, &lines, close + 1)?;
    Ok(File { front, messages, schema })
}

fn front(name: &str, text: &str) -> Result<Front, PromptError> {
    // The first line of the file is the opening +++.
    let line_at = |offset: usize| text[..offset.min(text.len())].matches('\n').count() + 2;
    let raw: RawFront = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_at(span.start));
        PromptError::at(name, line, error.message().replace('\n', " "))
    })?;
    let line_of = |key: &str| {
        let found = text.lines().position(|line| line.trim_start().starts_with(key));
        found.map_or(1, |at| at + 2)
    };
    let Some(task) = WritingTask::parse(&raw.task) else {
        let tasks: Vec<&str> = WritingTask::ALL.iter().map(|task| task.as_str()).collect();
        let problem = format!("task {:?} is none of {}", raw.task, tasks.join(", "));
        return Err(PromptError::at(name, line_of("task"), problem));
    };
    if raw.max_tokens == 0 || raw.deadline_ms == 0 {
        let problem = "max_tokens and deadline_ms must be more than 0";
        return Err(PromptError::at(name, line_of("max_tokens"), problem));
    }
    if !(0.0..=2.0).contains(&raw.temperature) {
        return Err(PromptError::at(name, line_of("temperature"), "temperature must be 0 to 2"));
    }
    let mut inputs = BTreeMap::new();
    for (input, kind) in raw.inputs {
        let line = line_at(kind.span().start);
        let text = kind.into_inner();
        let (word, optional) = match text.strip_suffix('?') {
            Some(word) => (word, true),
            None => (text.as_str(), false),
        };
        let kind = Kind::parse(word).ok_or_else(|| {
            let problem =
                format!("input `{input}` is a {word:?}, which is none of {}", Kind::NAMES);
            PromptError::at(name, line, problem)
        })?;
        let named_by_kind = match kind {
            Kind::Turns => input == "turns",
            Kind::Passages => input == "passages",
            _ => input != "fence",
        };
        if !named_by_kind {
            return Err(PromptError::at(name, line, format!("input `{input}` can't be called so")));
        }
        inputs.insert(input, Declared { kind, optional });
    }
    Ok(Front {
        id: raw.id,
        version: raw.version,
        task,
        why: raw.why,
        inputs,
        max_tokens: raw.max_tokens,
        temperature: raw.temperature,
        deadline_ms: raw.deadline_ms,
        max_turns_chars: raw.max_turns_chars,
        max_passages_chars: raw.max_passages_chars,
    })
}

type Parts = (Vec<(Speaker, Part)>, Option<Part>);

fn parts(name: &str, lines: &[&str], from: usize) -> Result<Parts, PromptError> {
    let mut messages: Vec<(Speaker, Part)> = Vec::new();
    let mut schema = None;
    let mut open: Option<(&str, usize)> = None;
    let mut close = |open: Option<(&str, usize)>, until: usize| {
        let Some((what, line)) = open else { return };
        let part = Part { line: line + 1, source: lines[line..until].join("\n") };
        match what {
            "system" => messages.push((Speaker::System, part)),
            "user" => messages.push((Speaker::User, part)),
            "assistant" => messages.push((Speaker::Assistant, part)),
            _ => schema = Some(part),
        }
    };
    for (at, line) in lines.iter().enumerate().skip(from) {
        let Some(what) = line.trim_end().strip_prefix("--- ") else {
            if open.is_none() && !line.trim().is_empty() {
                return Err(PromptError::at(
                    name,
                    at + 1,
                    "text before the first part (--- system)",
                ));
            }
            continue;
        };
        if !matches!(what, "system" | "user" | "assistant" | "schema") {
            let problem = format!("{what:?} is no part: system, user, assistant or schema");
            return Err(PromptError::at(name, at + 1, problem));
        }
        close(open.take(), at);
        open = Some((what, at + 1));
    }
    close(open.take(), lines.len());
    if !messages.iter().any(|(speaker, _)| *speaker == Speaker::User) {
        return Err(PromptError::at(name, from + 1, "there is no part --- user"));
    }
    Ok((messages, schema))
}
