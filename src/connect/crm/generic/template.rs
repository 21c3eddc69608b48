//! Texts with placeholders. Each is filled for the place that it goes to: what stands in a placeholder stays one
//! piece of a path, one value of a query and one string of a JSON document, whatever it holds.

use std::fmt::Write as _;

use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, State, UndefinedBehavior, Value as Filled,
};
use serde_json::{Map, Value};

use crate::connect::crm::wording;
use crate::connect::http::segment;
use crate::domain::DedupeKey;

/// Longer answers to a placeholder are no text for a field.
const CUT_MAX: usize = 1_000_000;

/// What fills templates. One environment a kind of place.
#[derive(Debug)]
pub struct Writer {
    plain: Environment<'static>,
    path: Environment<'static>,
}

impl Writer {
    pub fn new() -> Self {
        let mut plain = environment();
        // Nothing is the empty text.
        plain.set_formatter(|out, state, value| match value.is_none() {
            true => Ok(()),
            false => minijinja::escape_formatter(out, state, value),
        });
        let mut path = environment();
        path.set_formatter(|out, state, value| {
            if value.is_undefined() {
                return minijinja::escape_formatter(out, state, value);
            }
            let text = if value.is_none() { String::new() } else { value.to_string() };
            let piece = piece(&text)
                .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "no piece of a path"))?;
            Ok(out.write_str(&piece)?)
        });
        Self { plain, path }
    }
}

/// One piece of a path; `None` for what an address would understand otherwise.
pub fn piece(text: &str) -> Option<String> {
    (!matches!(text, "" | "." | "..")).then(|| segment(text))
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_recursion_limit(50);
    environment.add_filter("html", |text: String| wording::html(&text));
    environment.add_filter("cut", |text: String, max: Option<usize>| {
        wording::cut(&text, max.unwrap_or(CUT_MAX))
    });
    environment.add_filter("marked", marked);
    environment
}

/// With the key's marker as its last line.
fn marked(state: &State, text: String, max: Option<usize>) -> Result<String, Error> {
    let key = state.lookup("key").filter(|key| key.as_str().is_some_and(|key| !key.is_empty()));
    let key = key.ok_or_else(|| Error::new(ErrorKind::UndefinedError, "there is no key here"))?;
    let key = DedupeKey::stored(key.as_str().unwrap_or_default());
    Ok(wording::marked(&text, &key, max.unwrap_or(CUT_MAX)))
}

/// A text with placeholders, or, after `= `, an expression whose value keeps its type.
#[derive(Clone, Debug)]
pub enum Template {
    Text(String),
    Typed(String),
}

impl Template {
    /// Checks it against the names that there will be.
    ///
    /// # Errors
    /// What is wrong with it, without its place.
    pub fn new(writer: &Writer, text: &str, known: &[&str]) -> Result<Self, String> {
        let (template, used) = match text.strip_prefix("= ") {
            Some(expression) => {
                let compiled =
                    writer.plain.compile_expression(expression).map_err(|error| explain(&error))?;
                (Self::Typed(expression.to_owned()), compiled.undeclared_variables(false))
            }
            None => {
                let compiled =
                    writer.plain.template_from_str(text).map_err(|error| explain(&error))?;
                (Self::Text(text.to_owned()), compiled.undeclared_variables(false))
            }
        };
        let mut unknown: Vec<&String> =
            used.iter().filter(|name| !known.contains(&name.as_str())).collect();
        unknown.sort();
        match unknown.first() {
            Some(name) => Err(format!("uses {name:?}; there is {}", known.join(", "))),
            None => Ok(template),
        }
    }

    /// # Errors
    /// It can't be filled; without any word of what was to be filled in.
    pub fn text(&self, writer: &Writer, context: &Filled) -> Result<String, String> {
        self.fill(&writer.plain, context)
    }

    /// The same, for a path.
    ///
    /// # Errors
    /// As `text`; also when a placeholder is empty.
    pub fn path(&self, writer: &Writer, context: &Filled) -> Result<String, String> {
        match self {
            Self::Text(_) => self.fill(&writer.path, context),
            Self::Typed(_) => Err("an expression is no path".to_owned()),
        }
    }

    fn fill(&self, environment: &Environment<'static>, context: &Filled) -> Result<String, String> {
        match self {
            Self::Text(text) => {
                environment.render_str(text, context.clone()).map_err(|error| explain(&error))
            }
            Self::Typed(_) => Ok(match self.value_in(environment, context)? {
                Value::Null => String::new(),
                Value::String(text) => text,
                other => other.to_string(),
            }),
        }
    }

    fn value_in(
        &self,
        environment: &Environment<'static>,
        context: &Filled,
    ) -> Result<Value, String> {
        let Self::Typed(expression) = self else {
            return self.fill(environment, context).map(Value::String);
        };
        let typed = format!("{{{{ ({expression}) | tojson }}}}");
        let text =
            environment.render_str(&typed, context.clone()).map_err(|error| explain(&error))?;
        serde_json::from_str(&text).map_err(|_| "its value is none of JSON".to_owned())
    }
}

/// What templates see of a JSON value.
pub fn context(value: &Value) -> Filled {
    match value {
        Value::Null => Filled::from(()),
        Value::Bool(is) => Filled::from(*is),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Filled::from(number),
            (None, Some(number)) => Filled::from(number),
            (None, None) => Filled::from(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => Filled::from(text.as_str()),
        Value::Array(all) => Filled::from(all.iter().map(context).collect::<Vec<Filled>>()),
        Value::Object(all) => {
            Filled::from_pairs(all.iter().map(|(name, value)| (name.as_str(), context(value))))
        }
    }
}

/// The kind of mistake and its line. The engine's details may quote values.
fn explain(error: &Error) -> String {
    let mut told = error.kind().to_string();
    if let Some(line) = error.line() {
        let _ = write!(told, " (line {line})");
    }
    told
}

/// A JSON document whose strings are templates.
#[derive(Clone, Debug)]
pub enum Document {
    Leaf(Template),
    Fixed(Value),
    List(Vec<Document>),
    Object(Vec<(String, Document)>),
}

impl Document {
    /// `mistake` hears of each, with its place.
    pub fn new(
        writer: &Writer,
        value: &Value,
        known: &[&str],
        place: &str,
        mistake: &mut dyn FnMut(String, String),
    ) -> Self {
        match value {
            Value::String(text) => match Template::new(writer, text, known) {
                Ok(template) => Self::Leaf(template),
                Err(what) => {
                    mistake(place.to_owned(), what);
                    Self::Fixed(Value::Null)
                }
            },
            Value::Array(all) => Self::List(
                all.iter()
                    .enumerate()
                    .map(|(at, one)| {
                        Self::new(writer, one, known, &format!("{place}[{at}]"), mistake)
                    })
                    .collect(),
            ),
            Value::Object(all) => Self::Object(
                all.iter()
                    .map(|(name, one)| {
                        let place = format!("{place}.{name}");
                        (name.clone(), Self::new(writer, one, known, &place, mistake))
                    })
                    .collect(),
            ),
            fixed => Self::Fixed(fixed.clone()),
        }
    }

    /// An expression without a value leaves its field out.
    ///
    /// # Errors
    /// As `Template::text`.
    pub fn fill(&self, writer: &Writer, context: &Filled) -> Result<Value, String> {
        Ok(match self {
            Self::Leaf(template) => template.value_in(&writer.plain, context)?,
            Self::Fixed(value) => value.clone(),
            Self::List(all) => all
                .iter()
                .map(|one| one.fill(writer, context))
                .collect::<Result<Vec<Value>, String>>()?
                .into(),
            Self::Object(all) => {
                let mut object = Map::new();
                for (name, one) in all {
                    let value = one.fill(writer, context)?;
                    let is_absent = value.is_null() && matches!(one, Self::Leaf(_));
                    if !is_absent {
                        object.insert(name.clone(), value);
                    }
                }
                object.into()
            }
        })
    }

    /// The names at its top, where it has some.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Object(all) => all.iter().map(|(name, _)| name.as_str()).collect(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_filled_in_stays_in_its_place() {
        let writer = Writer::new();
        let odd = "a/../b?c=d&e#f \" } {{ key }} \\ ' 漢\n";
        let filled =
            context(&json!({"id": odd, "key": "5f2b", "none": null, "count": 7, "list": ["a"]}));
        let known = ["id", "key", "none", "count", "list"];
        let template = |text: &str| Template::new(&writer, text, &known).expect("a template");
        let path = template("/contacts/{{ id }}/notes").path(&writer, &filled).expect("a path");
        let pieces: Vec<&str> = path.split('/').collect();
        assert_eq!(pieces.len(), 4, "{path}");
        let decoded =
            percent_encoding::percent_decode_str(pieces[2]).decode_utf8().expect("a text");
        assert_eq!(decoded, odd);
        let document = json!({
            "subject": "About {{ id }}", "count": "= count", "left_out": "= none", "empty": "{{ none }}",
            "tags": ["{{ key }}", 3], "list": "= list",
        });
        let document = Document::new(&writer, &document, &known, "body", &mut |place, what| {
            panic!("{place}: {what}")
        });
        let value = document.fill(&writer, &filled).expect("it is filled");
        let expected = json!({
            "subject": format!("About {odd}"), "count": 7, "empty": "", "tags": ["5f2b", 3], "list": ["a"],
        });
        assert_eq!(value, expected);
    }

    #[test]
    fn an_empty_piece_is_no_path() {
        let writer = Writer::new();
        let template = Template::new(&writer, "/contacts/{{ id }}", &["id"]).expect("a template");
        for id in [json!(""), json!("."), json!(".."), json!(null)] {
            assert!(template.path(&writer, &context(&json!({"id": id}))).is_err(), "{id}");
        }
    }

    #[test]
    fn mistakes_are_found_before_anything_is_filled() {
        let writer = Writer::new();
        for (wrong, told) in [
            ("{{ subjct }}", "uses \"subjct\"; there is subject, body"),
            ("{{ subject", "syntax error"),
            ("{{ subject | nofilter }}", "unknown filter"),
            ("= subject +", "syntax error"),
            ("= priority", "uses \"priority\""),
        ] {
            let error = Template::new(&writer, wrong, &["subject", "body"])
                .and_then(|template| {
                    template
                        .text(&writer, &context(&json!({"subject": "x", "body": "y"})))
                        .map(|_| ())
                })
                .expect_err(wrong);
            assert!(error.contains(told), "{wrong}: {error}");
        }
    }

    #[test]
    fn errors_quote_nobody() {
        let writer = Writer::new();
        let template =
            Template::new(&writer, "{{ body.nothing.here }}", &["body"]).expect("a template");
        let error = template
            .text(&writer, &context(&json!({"body": "ada@example.test"})))
            .expect_err("it fails");
        assert!(!error.contains("ada"), "{error}");
    }

    #[test]
    fn filters_write_what_connectors_write() {
        let writer = Writer::new();
        let filled = context(&json!({"key": "5f2b", "body": "She <waits>.", "none": null}));
        let text = |text: &str| {
            Template::new(&writer, text, &["key", "body", "none"])
                .expect("a template")
                .text(&writer, &filled)
        };
        assert_eq!(
            text("{{ body | marked }}").as_deref(),
            Ok("She <waits>.\n\n[backchannel:5f2b]")
        );
        assert_eq!(text("{{ body | html }}").as_deref(), Ok("<p>She &lt;waits&gt;.</p>"));
        assert_eq!(text("{{ body | cut(6) }}").as_deref(), Ok("Sh […]"));
        assert_eq!(text("{{ none or 'x' }}").as_deref(), Ok("x"));
    }
}
