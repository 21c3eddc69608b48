//! A rule file's own tests, out of settings.

use super::fields::{Fields, Mistakes};
use super::node::{Node, Value};
use super::read::DAY_S;
use super::trial::{Line, Trial};
use crate::domain::Role;

const ROLES: &str = "customer, agent, bot, supervisor or expert";

pub fn trial(node: &Node, path: &str, mistakes: &mut Mistakes<'_>) -> Option<Trial> {
    let mut fields = Fields::of(node, path, mistakes)?;
    let name = fields.text("name", mistakes);
    if !fields.has("name") {
        fields.missing("name", "what it shows, in a few words", mistakes);
    }
    let mut lines = Vec::new();
    for (n, node) in fields.list("turns", mistakes).iter().enumerate() {
        lines.extend(line(node, &format!("{path}.turns[{n}]"), mistakes));
    }
    if !fields.has("turns") {
        fields.missing("turns", "a list such as [\"customer: I want to leave\"]", mistakes);
    }
    let expect = fields.texts("expect", mistakes).unwrap_or_default();
    let never = fields.texts("never", mistakes).unwrap_or_default();
    if !fields.has("expect") && !fields.has("never") {
        fields.missing("expect", "the rules that match, or never with those that don't", mistakes);
    }
    let ended = fields.flag("ended", mistakes).unwrap_or(false);
    let mut attributes = Vec::new();
    let field = fields.field("attributes");
    if let Some(node) = fields.take("attributes") {
        match &node.value {
            Value::Table(members) => {
                for member in members {
                    let text = match &member.node.value {
                        Value::Text(text) => text.clone(),
                        Value::Integer(number) => number.to_string(),
                        Value::Number(number) => number.to_string(),
                        Value::Flag(flag) => flag.to_string(),
                        Value::List(_) | Value::Table(_) | Value::Other => {
                            let field = format!("{field}.{}", member.name);
                            mistakes.note(
                                member.node.at,
                                &field,
                                "write text, a number, true or false",
                            );
                            continue;
                        }
                    };
                    attributes.push((member.name.clone(), text));
                }
            }
            _ => mistakes.note(node.at, &field, "write a table: { tier = \"gold\" }"),
        }
    }
    fields.finish(mistakes);
    let (file, at) = (mistakes.file.to_owned(), node.at);
    Some(Trial {
        file,
        at,
        path: path.to_owned(),
        name: name?,
        lines,
        attributes,
        ended,
        expect,
        never,
    })
}

fn line(node: &Node, path: &str, mistakes: &mut Mistakes<'_>) -> Option<Line> {
    if let Value::Text(text) = &node.value {
        let line = Line::parse(text);
        if line.is_none() {
            let message = format!("write {ROLES}, a colon and the words: \"customer: hello\"");
            mistakes.note(node.at, path, message);
        }
        return line;
    }
    let mut fields = Fields::of(node, path, mistakes)?;
    let role = match (fields.take("by"), fields.text("by", mistakes)) {
        (Some(node), Some(text)) => {
            let role = Role::parse(&text);
            if role.is_none() {
                fields.wrong("by", node, format!("write {ROLES}"), mistakes);
            }
            role
        }
        (Some(_), None) => None,
        (None, _) => {
            fields.missing("by", ROLES, mistakes);
            None
        }
    };
    let text = fields.text("text", mistakes);
    if !fields.has("text") {
        fields.missing("text", "what is said", mistakes);
    }
    let at_ms = fields.whole("at_ms", (0, DAY_S * 1_000), mistakes);
    let lasts_ms = fields.whole("lasts_ms", (0, DAY_S * 1_000), mistakes);
    let label = fields.text("intent", mistakes);
    #[expect(clippy::cast_possible_truncation, reason = "between 0 and 1")]
    let probability =
        fields.number("probability", (0.0, 1.0), mistakes).map(|number| number as f32);
    fields.finish(mistakes);
    let intent = label.map(|label| (label, probability.unwrap_or(1.0)));
    Some(Line { role: role?, text: text?, at_ms, lasts_ms, intent })
}
