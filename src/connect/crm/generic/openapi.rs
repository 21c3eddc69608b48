//! What an OpenAPI 3 document says of an operation: its method, its path, where each parameter goes, what a body must
//! have. Read as a JSON value: of a document that describes everything, one operation is needed.

use std::collections::BTreeMap;

use http::Method;
use reqwest::Url;
use serde_json::Value;

use crate::connect::crm::answers::at;

const METHODS: [&str; 7] = ["get", "put", "post", "delete", "patch", "head", "options"];
/// References to references; a longer chain is a circle.
const REFERENCES_MAX: usize = 20;

#[derive(Debug)]
pub struct Document(Value);

/// One operation, as far as a request needs it.
#[derive(Debug)]
pub struct Described {
    pub method: Method,
    /// `/contacts/{id}`.
    pub path: String,
    /// By name.
    pub parameters: BTreeMap<String, Parameter>,
    /// `None` where it takes no body.
    pub body: Option<BodyShape>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    pub place: Place,
    pub is_required: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Path,
    Query,
    Header,
    /// In a cookie, which isn't sent from here.
    Elsewhere,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BodyShape {
    pub is_required: bool,
    /// Of JSON; a form or another type has none here.
    pub is_json: bool,
    pub required: Vec<String>,
    /// All there are, where it says that there are no others.
    pub properties: Option<Vec<String>>,
}

impl Document {
    /// JSON or YAML.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let value: Value = match serde_json::from_str(text) {
            Ok(value) => value,
            Err(_) => {
                serde_saphyr::from_str(text).map_err(|_| "is neither JSON nor YAML".to_owned())?
            }
        };
        match at(&value, "/openapi") {
            Some(version) if version.starts_with("3.") => Ok(Self(value)),
            _ => Err("is no OpenAPI 3 document".to_owned()),
        }
    }

    /// The first server's address, with the defaults of its variables; `None` where it is a relative one.
    pub fn server(&self) -> Option<Url> {
        let server = self.0.pointer("/servers/0")?;
        let mut url = at(server, "/url")?;
        for (name, variable) in
            server.pointer("/variables").and_then(Value::as_object).into_iter().flatten()
        {
            url = url.replace(&format!("{{{name}}}"), &at(variable, "/default")?);
        }
        Url::parse(&url).ok()
    }

    /// # Errors
    /// There is none of this name, or it can't be read.
    pub fn operation(&self, id: &str) -> Result<Described, String> {
        let paths = self
            .0
            .pointer("/paths")
            .and_then(Value::as_object)
            .ok_or("the document has no paths")?;
        for (path, item) in paths {
            let item = self.resolved(item)?;
            for name in METHODS {
                let Some(operation) = item.get(name) else { continue };
                if at(operation, "/operationId").as_deref() == Some(id) {
                    let method = Method::from_bytes(name.to_uppercase().as_bytes());
                    let method = method.map_err(|_| "its method is none".to_owned())?;
                    return self.described(method, path, item, operation);
                }
            }
        }
        Err(format!("the document has no operation {id:?}"))
    }

    fn described(
        &self,
        method: Method,
        path: &str,
        item: &Value,
        operation: &Value,
    ) -> Result<Described, String> {
        let mut parameters = BTreeMap::new();
        // Those of the operation go before those of its path.
        for list in [item, operation] {
            for one in list.pointer("/parameters").and_then(Value::as_array).into_iter().flatten() {
                let one = self.resolved(one)?;
                let name = at(one, "/name").ok_or("a parameter has no name")?;
                let place = match at(one, "/in").as_deref() {
                    Some("path") => Place::Path,
                    Some("query") => Place::Query,
                    Some("header") => Place::Header,
                    _ => Place::Elsewhere,
                };
                let is_required =
                    place == Place::Path || one.pointer("/required") == Some(&Value::Bool(true));
                parameters.insert(name, Parameter { place, is_required });
            }
        }
        let body = match operation.get("requestBody") {
            Some(body) => Some(self.body(self.resolved(body)?)?),
            None => None,
        };
        Ok(Described { method, path: path.to_owned(), parameters, body })
    }

    fn body(&self, body: &Value) -> Result<BodyShape, String> {
        let mut shape = BodyShape {
            is_required: body.pointer("/required") == Some(&Value::Bool(true)),
            ..BodyShape::default()
        };
        let content = body.pointer("/content").and_then(Value::as_object);
        let json = content.into_iter().flatten().find(|(kind, _)| kind.contains("json"));
        let Some((_, json)) = json else { return Ok(shape) };
        shape.is_json = true;
        let Some(schema) = json.get("schema") else { return Ok(shape) };
        let schema = self.resolved(schema)?;
        let names =
            |pointer: &str| schema.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
        shape.required = names("/required").filter_map(Value::as_str).map(str::to_owned).collect();
        // What is put together of several schemas isn't followed.
        let is_closed = schema.pointer("/additionalProperties") == Some(&Value::Bool(false));
        let properties = schema.pointer("/properties").and_then(Value::as_object);
        if let Some(properties) = properties.filter(|_| is_closed) {
            shape.properties = Some(properties.keys().cloned().collect());
        }
        Ok(shape)
    }

    /// What a `$ref` within the document stands for.
    fn resolved<'a>(&'a self, value: &'a Value) -> Result<&'a Value, String> {
        let mut value = value;
        for _ in 0..REFERENCES_MAX {
            let Some(reference) = at(value, "/$ref") else { return Ok(value) };
            let inside = reference
                .strip_prefix('#')
                .ok_or("references to other documents aren't followed")?;
            // A fragment of a URL, so that braces of paths are escaped in it.
            let pointer =
                percent_encoding::percent_decode_str(inside).decode_utf8_lossy().into_owned();
            value =
                self.0.pointer(&pointer).ok_or_else(|| format!("{reference} stands nowhere"))?;
        }
        Err("its references go round in a circle".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r##"
openapi: 3.1.0
info: {title: A CRM, version: "1"}
servers:
  - url: https://{region}.example.test/api
    variables: {region: {default: eu}}
paths:
  /contacts/{id}/notes:
    parameters: [{$ref: "#/components/parameters/Id"}]
    post:
      operationId: addNote
      parameters:
        - {name: notify, in: query, schema: {type: boolean}}
        - {name: X-Request-Id, in: header, required: true, schema: {type: string}}
      requestBody: {$ref: "#/components/requestBodies/Note"}
      responses: {"201": {description: made}}
  /circle:
    get: {operationId: circle, parameters: [{$ref: "#/paths/~1circle/get/parameters/0"}]}
components:
  parameters:
    Id: {name: id, in: path, required: true, schema: {type: string}}
  requestBodies:
    Note: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/Note"}}}}
  schemas:
    Note: {type: object, required: [text], additionalProperties: false, properties: {text: {}, visibility: {}}}
"##;

    #[test]
    fn an_operation_is_found_with_all_that_it_refers_to() {
        let document = Document::parse(TEXT).expect("a document");
        assert_eq!(document.server().expect("a server").as_str(), "https://eu.example.test/api");
        let note = document.operation("addNote").expect("it is there");
        assert_eq!((note.method, note.path.as_str()), (Method::POST, "/contacts/{id}/notes"));
        let place = |name: &str| note.parameters[name].clone();
        assert_eq!(place("id"), Parameter { place: Place::Path, is_required: true });
        assert_eq!(place("notify"), Parameter { place: Place::Query, is_required: false });
        assert_eq!(place("X-Request-Id"), Parameter { place: Place::Header, is_required: true });
        let body = note.body.expect("it takes one");
        assert!(body.is_required && body.is_json);
        assert_eq!(body.required, ["text"]);
        assert_eq!(body.properties.as_deref().map(<[String]>::len), Some(2));
    }

    #[test]
    fn what_cant_be_followed_is_told() {
        let document = Document::parse(TEXT).expect("a document");
        assert!(
            document.operation("dropAll").expect_err("none").contains("no operation \"dropAll\"")
        );
        assert!(document.operation("circle").expect_err("a circle").contains("circle"));
        for (text, told) in
            [("{", "neither"), ("swagger: \"2.0\"", "no OpenAPI 3"), ("[1]", "no OpenAPI 3")]
        {
            assert!(Document::parse(text).expect_err(text).contains(told), "{text}");
        }
        let elsewhere =
            "{\"openapi\": \"3.0.0\", \"paths\": {\"/a\": {\"$ref\": \"other.yaml#/a\"}}}";
        assert!(
            Document::parse(elsewhere)
                .expect("one")
                .operation("a")
                .expect_err("other")
                .contains("other documents")
        );
    }
}
