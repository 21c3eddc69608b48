//! Settings as a tree in which each value knows where it was written, read from TOML or JSON.

use std::fmt;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Line and column, from 1; JSON over the API has none.
pub type Position = Option<(usize, usize)>;

#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub value: Value,
    pub at: Position,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Text(String),
    Integer(i64),
    Number(f64),
    Flag(bool),
    List(Vec<Node>),
    Table(Vec<Member>),
    /// A date, or nothing.
    Other,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    pub name: String,
    pub at: Position,
    pub node: Node,
}

/// Something that is wrong in a rule: where, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    pub file: String,
    pub at: Position,
    /// `rule[2].when.all[0].said`
    pub field: String,
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some((line, column)) = self.at {
            write!(f, ":{line}:{column}")?;
        }
        if !self.field.is_empty() {
            write!(f, ": {}", self.field)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Deeper settings are refused: nobody writes them by hand, and each level costs stack.
const DEPTH_MAX: usize = 32;

impl Node {
    /// # Errors
    /// It is no TOML.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, Mistake> {
        let place = |byte: usize| {
            let before = text.get(..byte).unwrap_or(text);
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
            Some((line, column))
        };
        let table = DeTable::parse(text).map_err(|error| Mistake {
            file: file.to_owned(),
            at: error.span().and_then(|span| place(span.start)),
            field: String::new(),
            message: format!("is no TOML: {}", error.message()),
        })?;
        let at = place(table.span().start);
        Ok(Self { value: table_of(table.into_inner(), &place, DEPTH_MAX), at })
    }

    pub fn from_json(json: &serde_json::Value) -> Self {
        of_json(json, DEPTH_MAX)
    }

    /// What it is, for people.
    pub const fn kind(&self) -> &'static str {
        match self.value {
            Value::Text(_) => "text",
            Value::Integer(_) | Value::Number(_) => "a number",
            Value::Flag(_) => "true or false",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
            Value::Other => "of no use here",
        }
    }
}

fn table_of(table: DeTable<'_>, place: &dyn Fn(usize) -> Position, depth: usize) -> Value {
    let members = table.into_iter().map(|(name, value)| Member {
        at: place(name.span().start),
        name: name.into_inner().into_owned(),
        node: of_toml(value, place, depth),
    });
    let mut members: Vec<Member> = members.collect();
    // As they were written.
    members.sort_by_key(|member| member.at);
    Value::Table(members)
}

fn of_toml(value: Spanned<DeValue<'_>>, place: &dyn Fn(usize) -> Position, depth: usize) -> Node {
    let at = place(value.span().start);
    let Some(depth) = depth.checked_sub(1) else { return Node { value: Value::Other, at } };
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Value::Other, Value::Integer),
        DeValue::Float(number) => number.as_str().parse().map_or(Value::Other, Value::Number),
        DeValue::Boolean(flag) => Value::Flag(flag),
        DeValue::Array(items) => {
            Value::List(items.into_iter().map(|item| of_toml(item, place, depth)).collect())
        }
        DeValue::Table(table) => table_of(table, place, depth),
        DeValue::Datetime(_) => Value::Other,
    };
    Node { value, at }
}

fn of_json(json: &serde_json::Value, depth: usize) -> Node {
    let Some(depth) = depth.checked_sub(1) else { return Node { value: Value::Other, at: None } };
    let value = match json {
        serde_json::Value::String(text) => Value::Text(text.clone()),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(number) => Value::Integer(number),
            None => number.as_f64().map_or(Value::Other, Value::Number),
        },
        serde_json::Value::Bool(flag) => Value::Flag(*flag),
        serde_json::Value::Array(items) => {
            Value::List(items.iter().map(|item| of_json(item, depth)).collect())
        }
        serde_json::Value::Object(members) => {
            let member = |(name, value): (&String, &serde_json::Value)| Member {
                name: name.clone(),
                at: None,
                node: of_json(value, depth),
            };
            Value::Table(members.iter().map(member).collect())
        }
        serde_json::Value::Null => Value::Other,
    };
    Node { value, at: None }
}
