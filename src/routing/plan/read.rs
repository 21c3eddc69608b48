//! Reads a plan so that every mistake of it is found at once, each with its place.
//!
//! serde stops at the first mistake. So it is asked again and again: what it stumbles over is noted, taken out of the
//! tree, and the rest is read. All fields have defaults, so nothing is missed that was taken out.

use std::collections::HashMap;
use std::fmt;

use serde_json::{Map, Number, Value};
use serde_path_to_error::Segment;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::written;
use crate::insight::redaction;

/// More aren't told: whoever has so many mends some first.
const MISTAKES_MAX: usize = 200;

/// What is wrong at one place of a plan, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// Such as `queues[2].overflow.after[0].wait_s`.
    pub place: String,
    /// From 1, where the text is at hand.
    pub line_column: Option<(usize, usize)>,
    pub what: String,
    pub instead: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.place.is_empty() { "the plan" } else { &self.place })?;
        if let Some((line, column)) = self.line_column {
            write!(f, " (line {line}, column {column})")?;
        }
        write!(f, ": {}; {}", self.what, self.instead)
    }
}

/// The plan as far as it could be read, with all mistakes of its form.
pub struct Reading {
    pub plan: written::Plan,
    pub mistakes: Vec<Mistake>,
    places: Places,
}

impl Reading {
    /// Adds a mistake of meaning, unless the form of that place was wrong already.
    pub fn note(&mut self, place: String, what: String, instead: String) {
        let known = |mistake: &Mistake| is_same_or_inside(&place, &mistake.place);
        if self.mistakes.len() < MISTAKES_MAX && !self.mistakes.iter().any(known) {
            let line_column = self.places.of(&place);
            self.mistakes.push(Mistake { place, line_column, what, instead });
        }
    }
}

fn is_same_or_inside(place: &str, other: &str) -> bool {
    place
        .strip_prefix(other)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']) && !other.is_empty())
}

/// Offsets of a text's values by their path.
#[derive(Default)]
struct Places {
    text: String,
    offsets: HashMap<String, usize>,
}

impl Places {
    /// Line and column of a path, or of what it would stand in.
    fn of(&self, place: &str) -> Option<(usize, usize)> {
        let mut place = place;
        let offset = loop {
            match self.offsets.get(place) {
                Some(offset) => break *offset,
                None => place = &place[..place.rfind(['.', '['])?],
            }
        };
        Some(line_column(&self.text, offset))
    }
}

fn line_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    (line, column)
}

pub fn toml(text: &str) -> Reading {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut places = Places { text: text.to_owned(), ..Places::default() };
    if !errors.is_empty() {
        let mistakes = errors.iter().take(MISTAKES_MAX).map(|error| Mistake {
            place: String::new(),
            line_column: error.span().map(|span| line_column(text, span.start)),
            what: error.message().to_owned(),
            instead: "write TOML 1.1".to_owned(),
        });
        return Reading { plan: written::Plan::default(), mistakes: mistakes.collect(), places };
    }
    let tree = object(table.get_ref(), "", &mut places.offsets);
    read(tree, places)
}

pub fn json(text: &str) -> Reading {
    let (line_column, what) = match serde_json::from_str(text) {
        // serde would take a list's elements for the fields, one after the other.
        Ok(tree @ Value::Object(_)) => return read(tree, Places::default()),
        Ok(_) => (None, "it has to be an object".to_owned()),
        Err(error) => {
            let what = format!("this isn't JSON: {}", reason(&error));
            (Some((error.line(), error.column())), what)
        }
    };
    let instead = "write one JSON object".to_owned();
    Reading {
        plan: written::Plan::default(),
        mistakes: vec![Mistake { place: String::new(), line_column, what, instead }],
        places: Places::default(),
    }
}

/// What serde_json stumbles over, without the place, which is told beside it. It quotes nothing of the text.
fn reason(error: &serde_json::Error) -> String {
    let message = error.to_string();
    message.rsplit_once(" at line ").map_or(message.clone(), |(what, _)| what.to_owned())
}

fn object(table: &DeTable<'_>, path: &str, offsets: &mut HashMap<String, usize>) -> Value {
    let mut map = Map::new();
    for (key, value) in table {
        let name = key.get_ref();
        let path = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
        // The key's place serves a table best: the whole of it may be spread over the file.
        offsets.insert(path.clone(), key.span().start);
        map.insert(name.to_string(), tree(value, path, offsets));
    }
    Value::Object(map)
}

fn tree(value: &Spanned<DeValue<'_>>, path: String, offsets: &mut HashMap<String, usize>) -> Value {
    match value.get_ref() {
        DeValue::String(text) => Value::String(text.to_string()),
        // Exotic forms stay text, so that the type is found to be wrong at its place.
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| Value::String(number.to_string()), Value::from),
        DeValue::Float(number) => number
            .as_str()
            .parse()
            .ok()
            .and_then(Number::from_f64)
            .map_or_else(|| Value::String(number.to_string()), Value::Number),
        DeValue::Boolean(flag) => Value::Bool(*flag),
        DeValue::Datetime(at) => Value::String(at.to_string()),
        DeValue::Array(array) => {
            let mut list = Vec::new();
            for (index, value) in array.iter().enumerate() {
                let path = format!("{path}[{index}]");
                offsets.insert(path.clone(), value.span().start);
                list.push(tree(value, path, offsets));
            }
            Value::Array(list)
        }
        DeValue::Table(table) => object(table, &path, offsets),
    }
}

fn read(mut tree: Value, places: Places) -> Reading {
    let mut mistakes: Vec<Mistake> = Vec::new();
    loop {
        let error = match serde_path_to_error::deserialize::<_, written::Plan>(&tree) {
            Ok(plan) => return Reading { plan, mistakes, places },
            Err(error) => error,
        };
        let path: Vec<Segment> = error.path().iter().cloned().collect();
        let place = match path.is_empty() {
            true => String::new(),
            false => error.path().to_string(),
        };
        let (what, instead) = told(&error.inner().to_string(), &path, found(&tree, &path));
        // A list's element is tried as each kind that it can be, and told of once.
        let again = mistakes.last().is_some_and(|last| last.place == place);
        if !again {
            let line_column = places.of(&place);
            mistakes.push(Mistake { place, line_column, what, instead });
        }
        if mistakes.len() >= MISTAKES_MAX || !take_out(&mut tree, &path) {
            return Reading { plan: written::Plan::default(), mistakes, places };
        }
    }
}

/// serde's message as what is wrong and what to write.
fn told(message: &str, path: &[Segment], value: Option<&Value>) -> (String, String) {
    let words: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    if message.starts_with("unknown field") || message.starts_with("unknown variant") {
        let (found, known) =
            words.split_first().map_or(("", &[][..]), |(first, rest)| (*first, rest));
        let kind = if message.starts_with("unknown field") { "field" } else { "word" };
        let place_is_root = path.len() <= 1 && kind == "field";
        let whole = if place_is_root { " of a plan" } else { "" };
        return (
            format!("`{found}` is no {kind}{whole} here"),
            nearest(found, known.iter().copied()),
        );
    }
    let message =
        message.strip_prefix("invalid type: ").or(message.strip_prefix("invalid value: "));
    match message.and_then(|message| message.rsplit_once(", expected ")) {
        Some((found, expected)) => {
            let found = value.and_then(shown).unwrap_or_else(|| {
                let kind = found.split([' ', '`']).next().unwrap_or_default();
                match kind {
                    "map" => "a table".to_owned(),
                    "sequence" => "a list".to_owned(),
                    kind => format!("this {kind}"),
                }
            });
            (format!("{found} doesn't fit here"), format!("write {}", kind_of(expected)))
        }
        None => ("this can't be read".to_owned(), "compare it with the description".to_owned()),
    }
}

/// What serde calls a type, in words.
fn kind_of(expected: &str) -> &str {
    match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" => "a whole number",
        "f32" | "f64" => "a number",
        "a string" | "string" => "a text in quotation marks",
        "a boolean" => "true or false",
        "a sequence" => "a list in square brackets",
        "a map" => "a table",
        other if other.starts_with("struct ") => "a table",
        other => other,
    }
}

/// The value at a path, where it is a text or a number.
fn found<'t>(tree: &'t Value, path: &[Segment]) -> Option<&'t Value> {
    path.iter().try_fold(tree, |node, segment| match segment {
        Segment::Map { key } => node.get(key),
        Segment::Seq { index } => node.get(index),
        _ => Some(node),
    })
}

fn shown(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(quoted(text)),
        Value::Number(_) | Value::Bool(_) => Some(quoted(&value.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// What somebody wrote, for a message: shortened, and without card numbers.
pub fn quoted(text: &str) -> String {
    const SHOWN_CHARS: usize = 40;
    let text = redaction::typed(text);
    let short: String = text.as_str().chars().take(SHOWN_CHARS).collect();
    let more = if short.len() < text.as_str().len() { "…" } else { "" };
    format!("`{short}{more}`")
}

/// "write `x`" with the nearest of the known names, or all of them when few.
pub fn nearest<'a>(found: &str, known: impl Iterator<Item = &'a str>) -> String {
    let mut known: Vec<&str> = known.collect();
    let best = known
        .iter()
        .map(|name| (strsim::jaro_winkler(&found.to_lowercase(), &name.to_lowercase()), *name))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match best {
        Some((like, name)) if like > 0.75 => format!("write `{name}`"),
        _ if known.is_empty() => "there is none to name yet: add it first".to_owned(),
        _ => {
            known.truncate(12);
            format!("write one of `{}`", known.join("`, `"))
        }
    }
}

/// Removes a field, or puts the next harmless kind in place of a list's element.
fn take_out(tree: &mut Value, path: &[Segment]) -> bool {
    let Some((last, parents)) = path.split_last() else { return false };
    // An unknown word may be reported inside of its place.
    if let Segment::Enum { .. } = last {
        return take_out(tree, parents);
    }
    let mut node = tree;
    for segment in parents {
        let next = match segment {
            Segment::Map { key } => node.get_mut(key),
            Segment::Seq { index } => node.get_mut(index),
            _ => None,
        };
        match next {
            Some(next) => node = next,
            None => return false,
        }
    }
    match (last, node) {
        (Segment::Map { key }, Value::Object(map)) => map.remove(key).is_some(),
        (Segment::Seq { index }, Value::Array(list)) => match list.get_mut(*index) {
            Some(element) => {
                let kinds =
                    [Value::Object(Map::new()), Value::String(String::new()), Value::from(0)];
                let next = match kinds.iter().position(|kind| kind == element) {
                    Some(tried) => kinds.into_iter().nth(tried + 1),
                    None => kinds.into_iter().next(),
                };
                match next {
                    Some(next) => *element = next,
                    // An enumeration has no harmless word.
                    None => drop(list.remove(*index)),
                }
                true
            }
            None => false,
        },
        _ => false,
    }
}
