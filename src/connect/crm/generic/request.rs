//! Fills a described request, sends it, and turns its pages.

use std::borrow::Cow;

use http::StatusCode;
use minijinja::Value as Context;
use reqwest::Url;
use serde_json::{Value, json};

use super::Generic;
use super::compile::{Filled, Filling, Path, Piece, Reading};
use super::template::{self, piece};
use crate::connect::crm::answers::unreadable;
use crate::connect::destination::DeliveryError;
use crate::connect::http::{Body, Request};

/// More pages than that are no list of one customer's.
const PAGES_MAX: usize = 50;

impl Generic {
    /// The answer's body; `Null` where there is none, or where a 404 means so.
    pub(super) async fn ask(
        &self,
        filling: &Filling,
        context: &Value,
    ) -> Result<Value, DeliveryError> {
        let context = template::context(context);
        let path = self.path(filling, &context)?;
        let mut request = Request::new(filling.method.clone(), &path);
        for (name, template) in &filling.query {
            let value = template.text(&self.writer, &context).map_err(unfilled)?;
            if !value.is_empty() {
                request = request.query(name, value);
            }
        }
        for (name, template) in &filling.headers {
            let value = template.text(&self.writer, &context).map_err(unfilled)?;
            if http::HeaderValue::try_from(&value).is_err() {
                return Err(unfilled("a header has no value of HTTP".to_owned()));
            }
            if !value.is_empty() {
                request = request.header(name, value);
            }
        }
        request.body = match &filling.body {
            Filled::None => Body::None,
            Filled::Json(document) => {
                Body::Json(document.fill(&self.writer, &context).map_err(unfilled)?)
            }
            Filled::Form(fields) => {
                let mut form = Vec::new();
                for (name, template) in fields {
                    let value = template.text(&self.writer, &context).map_err(unfilled)?;
                    form.push((name.as_str(), value));
                }
                Body::Text("application/x-www-form-urlencoded", encoded(&form))
            }
        };
        let answer = self.door.send(request).await?;
        if filling.none_on_404 && answer.status == StatusCode::NOT_FOUND {
            // Of the API: a page for people comes from somebody before it.
            return Ok(Value::Null);
        }
        Ok(answer.success()?.body)
    }

    /// Hands each page's records on until `is_enough`, or until there are no more.
    pub(super) async fn pages(
        &self,
        filling: &Filling,
        mut context: Value,
        mut is_enough: impl FnMut(&[Value]) -> bool + Send,
    ) -> Result<(), DeliveryError> {
        let (size, first) = filling.pages.unwrap_or((usize::MAX, 1));
        for page in first..first + PAGES_MAX {
            context["page"] = json!(page);
            let answer = self.ask(filling, &context).await?;
            let records = records(filling, &answer)?;
            if is_enough(&records) || records.len() < size {
                return Ok(());
            }
        }
        Err(DeliveryError::Unclear("its answer has too many pages".to_owned()))
    }

    /// All records of all pages.
    pub(super) async fn records(
        &self,
        reading: &Reading,
        context: Value,
    ) -> Result<Vec<Value>, DeliveryError> {
        let mut all = Vec::new();
        self.pages(&reading.filling, context, |records| {
            all.extend_from_slice(records);
            false
        })
        .await?;
        Ok(all)
    }

    fn path(&self, filling: &Filling, context: &Context) -> Result<String, DeliveryError> {
        let pieces = match &filling.path {
            Path::Whole(template) => return template.path(&self.writer, context).map_err(no_piece),
            Path::Pieces(pieces) => pieces,
        };
        let mut path = String::new();
        for one in pieces {
            let text: Cow<str> = match one {
                Piece::Text(text) => text.into(),
                Piece::Parameter(template) => {
                    let value = template.text(&self.writer, context).map_err(unfilled)?;
                    piece(&value).ok_or_else(|| no_piece(String::new()))?.into()
                }
            };
            path.push_str(&text);
        }
        Ok(path)
    }
}

fn unfilled(what: String) -> DeliveryError {
    DeliveryError::Refused(format!("the request can't be filled: {what}"))
}

/// An identifier that is empty, or two dots, is nobody's.
fn no_piece(_: String) -> DeliveryError {
    DeliveryError::NotFound("an identifier is none".to_owned())
}

fn encoded(form: &[(&str, String)]) -> String {
    // Any address will do: its query is encoded as a form is.
    let Ok(mut url) = Url::parse("http://localhost/") else { return String::new() };
    url.query_pairs_mut().extend_pairs(form);
    url.query().unwrap_or_default().to_owned()
}

/// What isn't a list is one record; nothing is none.
fn records(filling: &Filling, answer: &Value) -> Result<Vec<Value>, DeliveryError> {
    let found = match &filling.items {
        Some(items) => items.of(answer),
        None => answer.clone(),
    };
    match found {
        Value::Array(all) => Ok(all),
        Value::Object(_) if filling.items.is_none() && is_error(&found) => {
            let what = "its answer is an error, whatever its status says";
            Err(DeliveryError::Unclear(what.to_owned()))
        }
        Value::Object(_) => Ok(vec![found]),
        // A 404 that says "none", or an answer without a body.
        Value::Null if answer.is_null() => Ok(Vec::new()),
        // The list isn't where it should be: that is no empty list.
        _ => Err(unreadable()),
    }
}

/// `{"error": "try later"}`, but not `{"error": false, …}`.
fn is_error(answer: &Value) -> bool {
    ["error", "errors"].iter().any(|name| match answer.get(name) {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(all)) => !all.is_empty(),
        Some(Value::Object(all)) => !all.is_empty(),
        Some(Value::Number(number)) => number.as_i64() != Some(0),
        Some(Value::Bool(true)) => true,
    })
}
