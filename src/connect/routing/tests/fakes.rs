//! One model of all four routers: items with attributes, and each vendor's way to read and change them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::super::conformance::{Fault, MEANWHILE};
use super::super::fields::{self, PREFIX};
use super::super::{Fields, amazon};
use crate::connect::crm::played::{Asked, Play, Reply};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    TaskRouter,
    Amazon,
    Genesys,
    Dynamics,
}

/// Their own attribute, which must survive.
const THEIRS: &str = "account_number";
/// What Dataverse calls ours.
const COLUMN_PREFIX: &str = "new_backchannel_";
/// A contact of Amazon Connect has so much.
const CONNECT_MAX_BYTES: usize = 32_768;

pub struct Items {
    shape: Shape,
    key: String,
    items: BTreeMap<String, Item>,
    pub fault: Option<Fault>,
}

struct Item {
    attributes: Map<String, Value>,
    version: u64,
}

impl Items {
    pub fn new(shape: Shape, key: &str) -> Self {
        Self { shape, key: key.to_owned(), items: BTreeMap::new(), fault: None }
    }

    pub fn add(&mut self) -> String {
        let number = self.items.len() + 1;
        let id = match self.shape {
            Shape::TaskRouter => format!("WT{number:032x}"),
            _ => format!("aaaaaaaa-bbbb-4ccc-8ddd-{number:012x}"),
        };
        let attributes = Map::from_iter([(THEIRS.to_owned(), json!("1234567"))]);
        self.items.insert(id.clone(), Item { attributes, version: 0 });
        id
    }

    pub fn ours(&self, item: &str) -> Fields {
        let Some(item) = self.items.get(item) else { return Fields::new() };
        let mut all = item.attributes.clone();
        if self.shape == Shape::Dynamics {
            let named =
                |(name, value): (String, Value)| (name.replacen(COLUMN_PREFIX, PREFIX, 1), value);
            all = all.into_iter().map(named).collect();
        }
        let mut ours = fields::ours(&Value::Object(all));
        ours.retain(|_, value| !value.is_empty());
        ours
    }

    pub fn theirs(&self, item: &str) -> Option<String> {
        self.items.get(item)?.attributes.get(THEIRS)?.as_str().map(str::to_owned)
    }

    fn is_let_in(&self, asked: &Asked) -> bool {
        let given = asked.header("authorization").unwrap_or_default();
        match self.shape {
            Shape::TaskRouter => {
                given == format!("Basic {}", STANDARD.encode(format!("AC1:{}", self.key)))
            }
            Shape::Amazon => given == self.signature(asked),
            Shape::Genesys => given == "Bearer a-token",
            Shape::Dynamics => given == format!("Bearer {}", self.key),
        }
    }

    /// As the vendor computes it from what it knows and what came.
    fn signature(&self, asked: &Asked) -> String {
        let signer = amazon::Signer {
            access_key_id: self.key.clone(),
            secret_access_key: "secret".to_owned().into(),
            session_token: None,
            region: "eu-west-2".to_owned(),
            service: "connect",
        };
        let header = |name: &str| asked.header(name).unwrap_or_default().to_owned();
        let time = header("x-amz-date");
        let at = jiff::fmt::strtime::parse("%Y%m%dT%H%M%SZ", &time)
            .and_then(|time| time.to_datetime())
            .and_then(|time| time.to_zoned(jiff::tz::TimeZone::UTC));
        let Ok(at) = at else { return String::new() };
        // The client's own writing of the body: its parts are in the order of their names.
        let body = if asked.body.is_null() { String::new() } else { asked.body.to_string() };
        let host = header("host");
        let headers = signer.headers(&asked.method, &host, &asked.path, &body, at.timestamp());
        headers.into_iter().find(|(name, _)| *name == "authorization").expect("one").1
    }

    fn read(&self, id: &str) -> Reply {
        let Some(item) = self.items.get(id) else { return self.unknown() };
        let attributes = Value::Object(item.attributes.clone());
        match self.shape {
            Shape::TaskRouter => Reply::json(
                200,
                json!({"sid": id, "assignment_status": "pending", "attributes": attributes.to_string()}),
            )
            .header("ETag", format!("\"{}\"", item.version)),
            Shape::Amazon => Reply::json(200, json!({"Attributes": attributes})),
            Shape::Genesys => Reply::json(
                200,
                json!({"id": id, "participants": [
                    {"id": "p-ivr", "purpose": "ivr", "attributes": {}},
                    {"id": "p-cust", "purpose": "customer", "attributes": attributes},
                ]}),
            ),
            Shape::Dynamics => {
                let mut row = item.attributes.clone();
                row.insert("@odata.etag".to_owned(), json!(format!("W/\"{}\"", item.version)));
                Reply::json(200, Value::Object(row))
            }
        }
    }

    fn unknown(&self) -> Reply {
        Reply::json(404, json!({"message": "no such item"}))
    }

    fn change(&mut self, id: &str, asked: &Asked) -> Reply {
        let fault = self.fault.take();
        if fault == Some(Fault::Limited) {
            return Reply::empty(429).header("Retry-After", "7");
        }
        let Some(item) = self.items.get_mut(id) else { return self.unknown() };
        if fault == Some(Fault::Meanwhile) {
            item.attributes.insert(THEIRS.to_owned(), json!(MEANWHILE));
            item.version += 1;
        }
        let expected = match self.shape {
            Shape::TaskRouter => Some(format!("\"{}\"", item.version)),
            Shape::Dynamics => Some(format!("W/\"{}\"", item.version)),
            Shape::Amazon | Shape::Genesys => None,
        };
        if let (Some(expected), Some(given)) = (expected, asked.header("if-match"))
            && given != expected
        {
            return Reply::empty(412);
        }
        let new = match self.shape {
            // The whole, as a text.
            Shape::TaskRouter => {
                let text = asked.body["Attributes"].as_str().unwrap_or_default();
                item.attributes.clear();
                serde_json::from_str(text).expect("JSON")
            }
            Shape::Amazon => asked.body["Attributes"].clone(),
            Shape::Genesys => asked.body["attributes"].clone(),
            Shape::Dynamics => asked.body.clone(),
        };
        for (name, value) in new.as_object().expect("an object") {
            item.attributes.insert(name.clone(), value.clone());
        }
        item.version += 1;
        let size = Value::Object(item.attributes.clone()).to_string().len();
        if self.shape == Shape::Amazon && size > CONNECT_MAX_BYTES {
            return Reply::empty(400);
        }
        match (fault, self.shape) {
            (Some(Fault::Lost), _) => Reply::empty(504),
            (_, Shape::Dynamics) => Reply::empty(204),
            _ => Reply::json(200, json!({})),
        }
    }
}

impl Play for Items {
    fn answer(&mut self, asked: &Asked) -> Reply {
        let pieces = asked.pieces();
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        let method = asked.method.as_str();
        if self.shape == Shape::Genesys && (method, &pieces[..]) == ("POST", &["oauth", "token"]) {
            let wanted = format!("Basic {}", STANDARD.encode(format!("id:{}", self.key)));
            return match asked.header("authorization") == Some(&wanted) {
                true => Reply::json(200, json!({"access_token": "a-token", "expires_in": 3_600})),
                false => Reply::json(400, json!({"error": "invalid_client"})),
            };
        }
        if !self.is_let_in(asked) {
            return Reply::json(401, json!({}));
        }
        match (self.shape, method, &pieces[..]) {
            (Shape::TaskRouter, "GET", ["v1", "Workspaces", "WS1", "Tasks", id]) => self.read(id),
            (Shape::TaskRouter, "POST", ["v1", "Workspaces", "WS1", "Tasks", id]) => {
                self.change(id, asked)
            }
            (Shape::Amazon, "GET", ["contact", "attributes", "in-1", id]) => self.read(id),
            (Shape::Amazon, "POST", ["contact", "attributes"]) => {
                assert_eq!(asked.body["InstanceId"], "in-1");
                let id = asked.body["InitialContactId"].as_str().unwrap_or_default().to_owned();
                self.change(&id, asked)
            }
            (Shape::Genesys, "GET", ["api", "v2", "conversations", id]) => self.read(id),
            (
                Shape::Genesys,
                "PATCH",
                ["api", "v2", "conversations", id, "participants", "p-cust", "attributes"],
            ) => self.change(id, asked),
            (Shape::Dynamics, _, ["api", "data", "v9.2", row]) => {
                let id = row.strip_prefix("msdyn_ocliveworkitems(");
                let id = id.and_then(|id| id.strip_suffix(')')).unwrap_or_default();
                match method {
                    "GET" => self.read(id),
                    "PATCH" => self.change(id, asked),
                    _ => Reply::empty(405),
                }
            }
            _ => Reply::empty(404),
        }
    }
}
