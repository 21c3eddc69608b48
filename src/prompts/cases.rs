//! `cases/*.toml`: what a prompt must and must not say for given inputs, and which answers its schema
//! takes.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::error::PromptError;
use super::inputs::{Choice, Input, Inputs, Kind, SourcePassage, SourceTurn};
use super::prompt::{Prompt, Rendered};
use crate::models::Speaker;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(default)]
    inputs: BTreeMap<String, Given>,
    #[serde(default)]
    turns: Vec<CaseTurn>,
    #[serde(default)]
    passages: Vec<CasePassage>,
    expect: Expected,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Given {
    Flag(bool),
    Text(String),
    Choices(Vec<Choice>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseTurn {
    id: String,
    role: String,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CasePassage {
    id: String,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    #[serde(default)]
    system: Vec<String>,
    #[serde(default)]
    user: Vec<String>,
    /// In no message.
    #[serde(default)]
    absent: Vec<String>,
    /// Answers that the schema takes, and that it must refuse.
    #[serde(default)]
    accepts: Vec<String>,
    #[serde(default)]
    rejects: Vec<String>,
}

/// `file` is what messages call the case.
pub fn run(prompt: &Prompt, file: &str, text: &str) -> Result<(), PromptError> {
    let case: Case = toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start.min(text.len()));
        let line = text[..start].matches('\n').count() + 1;
        PromptError::at(file, line, error.message().replace('\n', " "))
    })?;
    let expected = case.expect.strings();
    let rendered = prompt.render(&inputs(prompt, case.inputs, case.turns, case.passages))?;
    let wrong = |what: &str, problem: String| {
        let first = what.lines().next().unwrap_or_default();
        let line = text.lines().position(|line| !first.is_empty() && line.contains(first));
        Err(PromptError::at(file, line.map_or(1, |at| at + 1), problem))
    };
    for (check, wanted) in &expected {
        let problem = match check {
            Check::Says(speaker) => {
                let said = said_by(&rendered, *speaker);
                (!said.contains(wanted.as_str()))
                    .then(|| format!("the {} part doesn't say {wanted:?}", name(*speaker)))
            }
            Check::Absent => rendered
                .messages
                .iter()
                .any(|message| message.content.contains(wanted.as_str()))
                .then(|| format!("a part says {wanted:?}")),
            Check::Takes(takes) => schema_problem(&rendered, wanted, *takes),
        };
        if let Some(problem) = problem {
            return wrong(wanted, problem);
        }
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Check {
    Says(Speaker),
    Absent,
    Takes(bool),
}

impl Expected {
    fn strings(self) -> Vec<(Check, String)> {
        let says = |speaker| move |text| (Check::Says(speaker), text);
        self.system
            .into_iter()
            .map(says(Speaker::System))
            .chain(self.user.into_iter().map(says(Speaker::User)))
            .chain(self.absent.into_iter().map(|text| (Check::Absent, text)))
            .chain(self.accepts.into_iter().map(|text| (Check::Takes(true), text)))
            .chain(self.rejects.into_iter().map(|text| (Check::Takes(false), text)))
            .collect()
    }
}

fn schema_problem(rendered: &Rendered, answer: &str, takes: bool) -> Option<String> {
    let Some(schema) = &rendered.schema else {
        return Some("the prompt has no schema".to_owned());
    };
    let answer: serde_json::Value = match serde_json::from_str(answer) {
        Ok(answer) => answer,
        Err(error) => return Some(format!("the answer is no JSON: {error}")),
    };
    let validator = match jsonschema::validator_for(&schema.schema) {
        Ok(validator) => validator,
        Err(error) => return Some(format!("the schema is none: {error}")),
    };
    match (validator.validate(&answer), takes) {
        (Err(error), true) => Some(format!("the schema refuses the answer: {error}")),
        (Ok(()), false) => Some("the schema takes the answer".to_owned()),
        _ => None,
    }
}

fn said_by(rendered: &Rendered, speaker: Speaker) -> String {
    let said = rendered.messages.iter().filter(|message| message.speaker == speaker);
    said.map(|message| message.content.as_str()).collect::<Vec<_>>().join("\n")
}

fn name(speaker: Speaker) -> &'static str {
    match speaker {
        Speaker::System => "system",
        Speaker::User => "user",
        Speaker::Assistant => "assistant",
    }
}

fn inputs(
    prompt: &Prompt,
    given: BTreeMap<String, Given>,
    turns: Vec<CaseTurn>,
    passages: Vec<CasePassage>,
) -> Inputs {
    let mut inputs = Inputs::new();
    let is_input = |name: &str| prompt.front.inputs.contains_key(name);
    if is_input("turns") || !turns.is_empty() {
        let turns = turns.into_iter().map(|turn| SourceTurn {
            id: turn.id,
            speaker: turn.role,
            text: turn.text,
        });
        inputs = inputs.with("turns", Input::Turns(turns.collect()));
    }
    if is_input("passages") || !passages.is_empty() {
        let passages = passages
            .into_iter()
            .map(|passage| SourcePassage { id: passage.id, text: passage.text });
        inputs = inputs.with("passages", Input::Passages(passages.collect()));
    }
    for (name, value) in given {
        let declared = prompt.front.inputs.get(&name).map(|declared| declared.kind);
        let input = match value {
            Given::Flag(is) => Input::Flag(is),
            Given::Choices(choices) => Input::Choices(choices),
            Given::Text(text) if declared == Some(Kind::Untrusted) => Input::Untrusted(text),
            Given::Text(text) => Input::Text(text),
        };
        inputs = inputs.with(&name, input);
    }
    inputs
}
