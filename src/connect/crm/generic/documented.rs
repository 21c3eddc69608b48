//! A request by its `operationId`: where its parameters go, and whether all that the document requires is given.

use std::collections::BTreeMap;

use http::Method;

use super::compile::{Compiler, Filled, Path, Piece, nowhere};
use super::description::Operation;
use super::openapi::{Described, Place};
use super::template::Template;

/// What the settings give for it.
pub struct Given<'a> {
    pub operation: &'a Operation,
    pub parameters: Vec<(String, Template)>,
    pub body: &'a Filled,
}

/// What the document makes of that.
pub struct Request {
    pub method: Method,
    pub path: Path,
    pub query: Vec<(String, Template)>,
    pub headers: Vec<(String, Template)>,
}

impl Compiler<'_> {
    /// Tells each parameter where it goes, and what is missing or doesn't belong.
    pub(super) fn described(&mut self, place: &str, id: &str, given: Given) -> Request {
        let Given { operation, parameters, body } = given;
        let found = match self.document {
            Some(document) => document.operation(id),
            None => Err("wants an OpenAPI document".to_owned()),
        };
        let described = match found {
            Ok(described) => described,
            Err(what) => {
                self.mistake(&format!("{place}.operation"), what);
                let (method, path) = nowhere();
                return Request { method, path, query: Vec::new(), headers: Vec::new() };
            }
        };
        let (mut query, mut headers) = (Vec::new(), Vec::new());
        if operation.method.is_some() {
            self.mistake(&format!("{place}.method"), "is said by the document");
        }
        let mut in_path = BTreeMap::new();
        for (name, template) in parameters {
            match described.parameters.get(&name).map(|parameter| parameter.place) {
                Some(Place::Path) => _ = in_path.insert(name, template),
                Some(Place::Query) => query.push((name, template)),
                Some(Place::Header) => headers.push((name, template)),
                Some(Place::Elsewhere) => {
                    self.mistake(
                        &format!("{place}.parameters.{name}"),
                        "goes into a cookie, which isn't sent",
                    );
                }
                None => {
                    let all: Vec<&str> = described.parameters.keys().map(String::as_str).collect();
                    let what = format!("is none of {id}; there is {}", all.join(", "));
                    self.mistake(&format!("{place}.parameters.{name}"), what);
                }
            }
        }
        let is_given = |name: &str| {
            operation.parameters.contains_key(name)
                || operation.query.contains_key(name)
                || operation.headers.contains_key(name)
        };
        let missing: Vec<&String> = described
            .parameters
            .iter()
            .filter(|(name, parameter)| parameter.is_required && !is_given(name))
            .map(|(name, _)| name)
            .collect();
        for name in missing {
            self.mistake(
                &format!("{place}.parameters"),
                format!("must have {name}, which {id} requires"),
            );
        }
        self.body_fits(place, id, &described, body);
        let path = self.pieces(place, &described.path, in_path);
        Request { method: described.method, path, query, headers }
    }

    /// As far as the schema says it at its top: what it requires, and whether it takes anything else.
    fn body_fits(&mut self, place: &str, id: &str, described: &Described, body: &Filled) {
        let place = format!("{place}.body");
        match (&described.body, body) {
            (None, Filled::None) => (),
            (None, _) => self.mistake(&place, format!("is none of {id}, which takes none")),
            (Some(shape), Filled::None) if shape.is_required => {
                self.mistake(&place, format!("is missing, which {id} requires"));
            }
            (Some(shape), Filled::Json(document)) if shape.is_json => {
                let names = document.names();
                for name in shape.required.iter().filter(|name| !names.contains(&name.as_str())) {
                    self.mistake(&place, format!("must have {name}, which {id} requires"));
                }
                let known = shape.properties.iter().flatten();
                let known: Vec<&str> = known.map(String::as_str).collect();
                let stray = names.iter().filter(|name| !known.contains(name));
                for name in stray.filter(|_| shape.properties.is_some()) {
                    self.mistake(
                        &format!("{place}.{name}"),
                        format!("is none of {id}; there is {}", known.join(", ")),
                    );
                }
            }
            (Some(_), _) => (),
        }
    }

    /// The document's path, with a template for each of its parameters.
    fn pieces(
        &mut self,
        place: &str,
        path: &str,
        mut parameters: BTreeMap<String, Template>,
    ) -> Path {
        let mut pieces = Vec::new();
        let mut rest = path;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else { break };
            pieces.push(Piece::Text(before.to_owned()));
            match parameters.remove(name) {
                Some(template) => pieces.push(Piece::Parameter(template)),
                // Where it is defined, its absence was told already.
                None if self.mistakes.is_empty() => {
                    self.mistake(&format!("{place}.parameters"), format!("must have {name}"));
                }
                None => (),
            }
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Path::Pieces(pieces)
    }
}
