//! Makes requests and readings of a description, and finds all of its mistakes, each with its place.

use std::collections::BTreeMap;

use http::Method;
use serde_json::Value;

use super::description::{Description, ENTRY, Lookup, Operation, READS, WRITES};
use super::documented::Given;
use super::effects;
use super::expression::Expression;
use super::openapi::Document as OpenApi;
use super::template::{Document, Template, Writer};

/// What is wrong, and where: `operations.add_note.body.text uses "subjct"; there is …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    pub place: String,
    pub what: String,
}

impl std::fmt::Display for Mistake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.place, self.what)
    }
}

/// A request that can be filled.
#[derive(Clone, Debug)]
pub struct Filling {
    pub method: Method,
    pub path: Path,
    pub query: Vec<(String, Template)>,
    pub headers: Vec<(String, Template)>,
    pub body: Filled,
    pub items: Option<Expression>,
    pub none_on_404: bool,
    /// Size and number of the first page.
    pub pages: Option<(usize, usize)>,
}

#[derive(Clone, Debug)]
pub enum Path {
    Whole(Template),
    /// Texts and parameters in turn.
    Pieces(Vec<Piece>),
}

#[derive(Clone, Debug)]
pub enum Piece {
    Text(String),
    Parameter(Template),
}

#[derive(Clone, Debug)]
pub enum Filled {
    None,
    Json(Document),
    Form(Vec<(String, Template)>),
}

/// An operation that asks.
#[derive(Clone, Debug)]
pub struct Reading {
    pub filling: Filling,
    pub fields: BTreeMap<String, Expression>,
    pub entries: Option<(Expression, BTreeMap<String, Expression>)>,
}

/// An operation that writes.
#[derive(Clone, Debug)]
pub struct Writing {
    pub filling: Filling,
    pub success: Option<Expression>,
    pub id: Option<Expression>,
    pub repeatable: bool,
    pub delivered: Option<Finding>,
}

#[derive(Clone, Debug)]
pub struct Finding {
    pub filling: Filling,
    pub key: Expression,
    pub id: Expression,
    pub is_filtered: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Compiled {
    pub reads: BTreeMap<String, Reading>,
    pub writes: BTreeMap<String, Writing>,
}

/// # Errors
/// All mistakes, in the order of their places.
pub fn compile(
    description: &Description,
    document: Option<&OpenApi>,
    writer: &Writer,
) -> Result<Compiled, Vec<Mistake>> {
    let mut compiler = Compiler { document, writer, mistakes: Vec::new() };
    let mut compiled = Compiled::default();
    for (name, operation) in &description.operations {
        let place = format!("operations.{name}");
        if let Some((_, known, fields)) = READS.iter().find(|(one, ..)| one == name) {
            compiled
                .reads
                .insert(name.clone(), compiler.reading(&place, name, operation, known, fields));
        } else if WRITES.contains(&name.as_str()) {
            compiled.writes.insert(name.clone(), compiler.writing(&place, name, operation));
        } else {
            let all: Vec<&str> = READS.iter().map(|(one, ..)| *one).chain(WRITES).collect();
            compiler.mistake(&place, format!("is no operation; there is {}", all.join(", ")));
        }
    }
    match compiler.mistakes.is_empty() {
        true => Ok(compiled),
        false => Err(compiler.mistakes),
    }
}

pub(super) struct Compiler<'a> {
    pub(super) document: Option<&'a OpenApi>,
    writer: &'a Writer,
    pub(super) mistakes: Vec<Mistake>,
}

impl Compiler<'_> {
    pub(super) fn mistake(&mut self, place: &str, what: impl Into<String>) {
        self.mistakes.push(Mistake { place: place.to_owned(), what: what.into() });
    }

    fn reading(
        &mut self,
        place: &str,
        name: &str,
        operation: &Operation,
        known: &[&str],
        fields: &[&str],
    ) -> Reading {
        let unused = [
            ("success", operation.success.is_some()),
            ("id", operation.id.is_some()),
            ("repeatable", operation.repeatable),
            ("delivered", operation.delivered.is_some()),
        ];
        self.none_of(place, &unused, "belongs to what is written");
        let filling = self.filling(place, operation, known);
        let compiled = self.expressions(&format!("{place}.fields"), &operation.fields, fields);
        let needed: &[&str] = match name {
            // Without these nobody could be told from a look-alike.
            "find_by_phone" => &["id", "phones"],
            "find_by_email" => &["id", "emails"],
            "find_by_id" => &["id"],
            "open_cases" => &["id", "subject", "status"],
            "case_history" | "history" => &["text"],
            _ => &[],
        };
        for field in needed.iter().filter(|field| !operation.fields.contains_key(**field)) {
            self.mistake(&format!("{place}.fields"), format!("must have {field}"));
        }
        let entries = match (&operation.entries, name) {
            (Some(text), "open_cases") => {
                let entries = self.expression(&format!("{place}.entries"), text);
                let fields = self.expressions(
                    &format!("{place}.entry_fields"),
                    &operation.entry_fields,
                    ENTRY,
                );
                entries.map(|entries| (entries, fields))
            }
            (None, _) if operation.entry_fields.is_empty() => None,
            _ => {
                self.mistake(
                    &format!("{place}.entries"),
                    "belongs to open_cases, with entry_fields",
                );
                None
            }
        };
        Reading { filling, fields: compiled, entries }
    }

    fn writing(&mut self, place: &str, name: &str, operation: &Operation) -> Writing {
        let unused = [
            ("items", operation.items.is_some()),
            ("fields", !operation.fields.is_empty()),
            ("entries", operation.entries.is_some()),
            ("entry_fields", !operation.entry_fields.is_empty()),
            ("page_size", operation.page_size.is_some()),
        ];
        self.none_of(place, &unused, "belongs to what is asked");
        let mut known = effects::names(name).to_vec();
        known.extend(["key", "marker"]);
        let filling = self.filling(place, operation, &known);
        let success = operation.success.as_ref();
        let success = success.and_then(|text| self.expression(&format!("{place}.success"), text));
        let id =
            operation.id.as_ref().and_then(|text| self.expression(&format!("{place}.id"), text));
        known.push("page");
        let delivered = operation.delivered.as_deref();
        let delivered = delivered
            .and_then(|lookup| self.finding(&format!("{place}.delivered"), lookup, &known));
        Writing { filling, success, id, repeatable: operation.repeatable, delivered }
    }

    fn finding(&mut self, place: &str, lookup: &Lookup, known: &[&str]) -> Option<Finding> {
        let filling = self.filling(place, &lookup.request(), known);
        let key = self.expression(&format!("{place}.key"), &lookup.key);
        let id = self.expression(&format!("{place}.id"), &lookup.id);
        Some(Finding { filling, key: key?, id: id?, is_filtered: lookup.is_filtered })
    }

    /// What was given where it means nothing is a mistake: whoever wrote it believes otherwise.
    fn none_of(&mut self, place: &str, given: &[(&str, bool)], what: &str) {
        for (name, is_given) in given {
            if *is_given {
                self.mistake(&format!("{place}.{name}"), what);
            }
        }
    }

    fn expression(&mut self, place: &str, text: &str) -> Option<Expression> {
        match Expression::new(text) {
            Ok(expression) => Some(expression),
            Err(what) => {
                self.mistake(place, what);
                None
            }
        }
    }

    fn expressions(
        &mut self,
        place: &str,
        texts: &BTreeMap<String, String>,
        known: &[&str],
    ) -> BTreeMap<String, Expression> {
        let mut all = BTreeMap::new();
        for (name, text) in texts {
            let place = format!("{place}.{name}");
            if !known.contains(&name.as_str()) {
                self.mistake(&place, format!("is no field; there is {}", known.join(", ")));
            }
            all.extend(self.expression(&place, text).map(|expression| (name.clone(), expression)));
        }
        all
    }

    fn template(&mut self, place: &str, text: &str, known: &[&str]) -> Option<Template> {
        match Template::new(self.writer, text, known) {
            Ok(template) => Some(template),
            Err(what) => {
                self.mistake(place, what);
                None
            }
        }
    }

    fn templates(
        &mut self,
        place: &str,
        texts: &BTreeMap<String, String>,
        known: &[&str],
    ) -> Vec<(String, Template)> {
        let mut all = Vec::new();
        for (name, text) in texts {
            let template = self.template(&format!("{place}.{name}"), text, known);
            all.extend(template.map(|template| (name.clone(), template)));
        }
        all
    }

    /// The request of an operation. What can't be made is replaced by nothing, so that all mistakes are found.
    fn filling(&mut self, place: &str, operation: &Operation, known: &[&str]) -> Filling {
        let mut query = self.templates(&format!("{place}.query"), &operation.query, known);
        let mut headers = self.templates(&format!("{place}.headers"), &operation.headers, known);
        let body = match (&operation.body, operation.form.is_empty()) {
            (Some(_), false) => {
                self.mistake(&format!("{place}.form"), "stands beside a body");
                Filled::None
            }
            (Some(value), true) => {
                Filled::Json(self.document(&format!("{place}.body"), value, known))
            }
            (None, false) => {
                Filled::Form(self.templates(&format!("{place}.form"), &operation.form, known))
            }
            (None, true) => Filled::None,
        };
        let (method, path) = match (&operation.operation, &operation.path) {
            (Some(_), Some(_)) => {
                self.mistake(
                    &format!("{place}.path"),
                    "stands beside an operation of the document",
                );
                nowhere()
            }
            (Some(id), None) => {
                let mut parameters = Vec::new();
                for (name, text) in &operation.parameters {
                    let template =
                        self.template(&format!("{place}.parameters.{name}"), text, known);
                    parameters.extend(template.map(|template| (name.clone(), template)));
                }
                let given = Given { operation, parameters, body: &body };
                let described = self.described(place, id, given);
                query.extend(described.query);
                headers.extend(described.headers);
                (described.method, described.path)
            }
            (None, Some(path)) => self.direct(place, operation, path, known),
            (None, None) => {
                self.mistake(place, "needs method and path, or operation");
                nowhere()
            }
        };
        for (name, _) in &headers {
            if http::HeaderName::try_from(name.as_str()).is_err() {
                self.mistake(&format!("{place}.headers.{name}"), "is no header's name");
            }
        }
        let uses_page = operation
            .query
            .values()
            .chain(operation.parameters.values())
            .any(|text| text.contains("page"));
        let pages = match (operation.page_size, operation.first_page) {
            (Some(0), _) => {
                self.mistake(&format!("{place}.page_size"), "must be one at the least");
                None
            }
            (Some(_), _) if !uses_page => {
                self.mistake(
                    &format!("{place}.page_size"),
                    "wants a parameter that is filled with page",
                );
                None
            }
            (Some(size), first) => Some((size, first.unwrap_or(1))),
            (None, Some(_)) => {
                self.mistake(&format!("{place}.first_page"), "wants page_size");
                None
            }
            (None, None) => None,
        };
        let items = operation.items.as_ref();
        let items = items.and_then(|text| self.expression(&format!("{place}.items"), text));
        Filling {
            method,
            path,
            query,
            headers,
            body,
            items,
            none_on_404: operation.none_on_404,
            pages,
        }
    }

    fn document(&mut self, place: &str, value: &Value, known: &[&str]) -> Document {
        let mut mistakes = Vec::new();
        let document = Document::new(self.writer, value, known, place, &mut |place, what| {
            mistakes.push(Mistake { place, what });
        });
        self.mistakes.append(&mut mistakes);
        document
    }

    fn direct(
        &mut self,
        place: &str,
        operation: &Operation,
        path: &str,
        known: &[&str],
    ) -> (Method, Path) {
        if !operation.parameters.is_empty() {
            self.mistake(&format!("{place}.parameters"), "belongs to an operation of the document");
        }
        if !path.starts_with('/') {
            self.mistake(&format!("{place}.path"), "must begin with a slash");
        }
        let method = operation.method.as_deref().unwrap_or("GET");
        let method = match Method::from_bytes(method.as_bytes()) {
            Ok(method) if method.as_str().chars().all(|c| c.is_ascii_uppercase()) => method,
            _ => {
                self.mistake(&format!("{place}.method"), "must be a method of HTTP, in capitals");
                Method::GET
            }
        };
        let template = self.template(&format!("{place}.path"), path, known);
        (method, template.map_or_else(|| nowhere().1, Path::Whole))
    }
}

/// Stands for what couldn't be made.
pub(super) fn nowhere() -> (Method, Path) {
    (Method::GET, Path::Pieces(Vec::new()))
}
