//! An org that remembers: what the reference says of the objects that are used here.

use serde_json::{Map, Value, json};

use crate::connect::crm::played::{Asked, Clock, Play, Reply};

pub const TOKEN: &str = "00D-access";
pub const SECRET: &str = "shibboleth";

pub struct Org {
    pub rows: Vec<Row>,
    pub clock: Clock,
    made: u32,
    /// How often a token was asked for.
    pub tokens: u32,
}

pub struct Row {
    pub object: &'static str,
    pub fields: Map<String, Value>,
}

impl Row {
    pub fn get(&self, field: &str) -> &str {
        self.fields.get(field).and_then(Value::as_str).unwrap_or_default()
    }
}

/// Object, prefix of its identifiers, and which fields a client may give, with their lengths.
type Object = (&'static str, &'static str, &'static [(&'static str, usize)]);

const OBJECTS: [Object; 5] = [
    (
        "Contact",
        "003",
        &[("Name", 121), ("Phone", 40), ("MobilePhone", 40), ("Email", 80), ("AccountId", 18)],
    ),
    (
        "Case",
        "500",
        &[
            ("ContactId", 18),
            ("Subject", 255),
            ("Description", 32_000),
            ("Origin", 255),
            ("Priority", 255),
            ("Status", 255),
            ("Backchannel_Key__c", 64),
        ],
    ),
    (
        "Task",
        "00T",
        &[
            ("WhoId", 18),
            ("WhatId", 18),
            ("Subject", 255),
            ("Description", 32_000),
            ("Status", 255),
            ("TaskSubtype", 40),
            ("CallType", 40),
            ("CallDurationInSeconds", 8),
            ("CallDisposition", 255),
            ("ActivityDate", 10),
            ("IsReminderSet", 5),
            ("ReminderDateTime", 30),
            ("Backchannel_Key__c", 64),
        ],
    ),
    ("CaseComment", "00a", &[("ParentId", 18), ("CommentBody", 4_000), ("IsPublished", 5)]),
    (
        "Knowledge__kav",
        "ka0",
        &[("Title", 255), ("UrlName", 255), ("Language", 5), ("Answer__c", 131_072)],
    ),
];

impl Org {
    pub fn new() -> Self {
        Self { rows: Vec::new(), clock: Clock::new(), made: 0, tokens: 0 }
    }

    pub fn find(&mut self, id: &str) -> Option<&mut Row> {
        self.rows.iter_mut().find(|row| row.get("Id") == id)
    }

    pub fn touch(&mut self, id: &str, fields: &[(&str, Value)]) {
        let now = stamp(self.clock.tick(7));
        let row = self.find(id).expect("it is there");
        for (field, value) in fields {
            row.fields.insert((*field).to_owned(), value.clone());
        }
        row.fields.insert("LastModifiedDate".to_owned(), json!(now));
    }

    /// # Errors
    /// The code of the org's refusal.
    pub fn insert(
        &mut self,
        object: &str,
        fields: &Map<String, Value>,
    ) -> Result<String, &'static str> {
        let (object, prefix, known) =
            OBJECTS.iter().find(|(name, ..)| *name == object).ok_or("NOT_FOUND")?;
        for (name, value) in fields {
            let (_, max) = known.iter().find(|(known, _)| known == name).ok_or("INVALID_FIELD")?;
            let length = match (value.as_str(), *object) {
                (Some(text), "CaseComment") => text.len(),
                (Some(text), _) => text.chars().count(),
                (None, _) => value.to_string().len(),
            };
            if length > *max {
                return Err("STRING_TOO_LONG");
            }
            let refers = matches!(name.as_str(), "ContactId" | "WhoId" | "WhatId" | "ParentId");
            if refers && self.find(value.as_str().unwrap_or_default()).is_none() {
                return Err("INVALID_CROSS_REFERENCE_KEY");
            }
            let is_taken = |row: &Row| {
                row.object == *object && row.get(name) == value.as_str().unwrap_or_default()
            };
            if name == "UrlName" && self.rows.iter().any(is_taken) {
                return Err("DUPLICATE_VALUE");
            }
        }
        self.made += 1;
        let id = format!("{prefix}5g{:010}AAV", self.made);
        let now = stamp(self.clock.tick(7));
        let mut fields = fields.clone();
        for (field, value) in
            [("Id", id.as_str()), ("CreatedDate", &now), ("LastModifiedDate", &now)]
        {
            fields.insert(field.to_owned(), json!(value));
        }
        let defaults: &[(&str, Value)] = match *object {
            "Case" => &[
                ("Status", json!("New")),
                ("Priority", json!("Medium")),
                ("IsClosed", json!(false)),
            ],
            "Knowledge__kav" => &[("PublishStatus", json!("Draft"))],
            _ => &[],
        };
        for (field, value) in defaults {
            fields.entry((*field).to_owned()).or_insert_with(|| value.clone());
        }
        if *object == "Case" {
            fields.insert("CaseNumber".to_owned(), json!(format!("{:08}", 1000 + self.made)));
        }
        let parent = ["ParentId", "WhatId"]
            .into_iter()
            .find_map(|field| fields.get(field)?.as_str().map(str::to_owned));
        self.rows.push(Row { object, fields });
        if let Some(parent) = parent {
            self.touch(&parent, &[]);
        }
        Ok(id)
    }

    fn upsert(&mut self, object: &str, field: &str, key: &str, body: &Map<String, Value>) -> Reply {
        let known = self.rows.iter_mut().find(|row| row.object == object && row.get(field) == key);
        if let Some(row) = known {
            row.fields.extend(body.clone());
            let id = row.get("Id").to_owned();
            return Reply::json(
                200,
                json!({"id": id, "success": true, "errors": [], "created": false}),
            );
        }
        let mut fields = body.clone();
        fields.insert(field.to_owned(), json!(key));
        match self.insert(object, &fields) {
            Ok(id) => {
                Reply::json(201, json!({"id": id, "success": true, "errors": [], "created": true}))
            }
            Err(code) => refusal(400, code),
        }
    }

    fn update(&mut self, asked: &Asked, id: &str) -> Reply {
        let Some(row) = self.find(id) else { return refusal(404, "NOT_FOUND") };
        let changed: jiff::Timestamp =
            jiff::Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", row.get("LastModifiedDate"))
                .expect("a time");
        if let Some(since) = asked.header("if-unmodified-since") {
            let Ok(since) = jiff::fmt::rfc2822::parse(since) else {
                return refusal(400, "INVALID");
            };
            if changed > since.timestamp() {
                return Reply::empty(412);
            }
        }
        let fields: Vec<(String, Value)> =
            asked.body.as_object().cloned().unwrap_or_default().into_iter().collect();
        let fields: Vec<(&str, Value)> =
            fields.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        self.touch(id, &fields);
        Reply::empty(204)
    }

    /// As much of SOQL as is asked here: one object, conditions of equality, an order by time, a limit.
    fn query(&self, soql: &str) -> Reply {
        let outer = without_subqueries(soql);
        let from = outer.split(" FROM ").nth(1).expect("a FROM");
        let object = from.split_whitespace().next().expect("an object");
        if !OBJECTS.iter().any(|(name, ..)| *name == object) {
            return refusal(400, "INVALID_TYPE");
        }
        let condition = from.split(" WHERE ").nth(1).unwrap_or_default();
        let condition = condition.split(" ORDER BY ").next().unwrap_or_default();
        let condition = condition.split(" LIMIT ").next().unwrap_or_default();
        let conditions = conditions(condition);
        let holds = |row: &&Row| {
            conditions.iter().all(|(field, wanted)| {
                let value = match field.strip_prefix("Parent.") {
                    Some(field) => self.parent(row).map(|parent| &parent.fields[field]).cloned(),
                    None => row.fields.get(*field).cloned(),
                };
                match (value, wanted) {
                    (Some(Value::String(is)), Value::String(wanted)) => {
                        is.eq_ignore_ascii_case(wanted)
                    }
                    (value, wanted) => value.as_ref() == Some(wanted),
                }
            })
        };
        let mut found: Vec<&Row> =
            self.rows.iter().filter(|row| row.object == object).filter(holds).collect();
        let order =
            outer.split(" ORDER BY ").nth(1).and_then(|order| order.split_whitespace().next());
        if let Some(order) = order {
            found.sort_by(|a, b| b.get(order).cmp(a.get(order)));
        }
        let limit = outer.split(" LIMIT ").nth(1).and_then(|limit| limit.trim().parse().ok());
        found.truncate(limit.unwrap_or(2_000));
        let records: Vec<Value> = found.iter().map(|row| self.shown(row, soql)).collect();
        Reply::json(200, json!({"totalSize": records.len(), "done": true, "records": records}))
    }

    fn parent(&self, row: &Row) -> Option<&Row> {
        self.rows.iter().find(|parent| parent.get("Id") == row.get("ParentId"))
    }

    fn shown(&self, row: &Row, soql: &str) -> Value {
        let mut fields = row.fields.clone();
        fields.insert("attributes".to_owned(), json!({"type": row.object}));
        fields.insert("Owner".to_owned(), json!({"Name": "Otto Owner"}));
        fields.insert("CreatedBy".to_owned(), json!({"Name": "Integration"}));
        if row.object == "Case" && soql.contains("FROM CaseComments") {
            for (name, object, field) in
                [("CaseComments", "CaseComment", "ParentId"), ("Tasks", "Task", "WhatId")]
            {
                let mut children: Vec<&Row> =
                    self.rows.iter().filter(|row| row.object == object).collect();
                children.retain(|child| child.get(field) == row.get("Id"));
                children.reverse();
                children.truncate(5);
                let list: Vec<Value> = children.iter().map(|child| self.shown(child, "")).collect();
                // Without a child there is null, not an empty list.
                let children = json!({"totalSize": list.len(), "done": true, "records": list});
                fields
                    .insert(name.to_owned(), if list.is_empty() { Value::Null } else { children });
            }
        }
        Value::Object(fields)
    }

    fn search(&self, sosl: &str) -> Reply {
        let inner = sosl
            .strip_prefix("FIND {")
            .expect("a FIND")
            .split("} IN PHONE FIELDS")
            .next()
            .expect("braces");
        let phrases: Vec<Vec<String>> = inner.split(" OR ").map(tokens).collect();
        let bears = |row: &&Row| {
            let written = ["Phone", "MobilePhone"].map(|field| tokens(row.get(field)));
            phrases.iter().any(|phrase| {
                written
                    .iter()
                    .any(|words| words.windows(phrase.len().max(1)).any(|some| some == phrase))
            })
        };
        let found = self.rows.iter().filter(|row| row.object == "Contact").filter(bears);
        let records: Vec<Value> = found.take(20).map(|row| self.shown(row, "")).collect();
        Reply::json(200, json!({"searchRecords": records}))
    }
}

impl Play for Org {
    fn answer(&mut self, asked: &Asked) -> Reply {
        if asked.path == "/services/oauth2/token" {
            self.tokens += 1;
            let is_right = asked.body["client_secret"] == SECRET
                && asked.body["grant_type"] == "client_credentials";
            return match is_right {
                true => Reply::json(
                    200,
                    json!({"access_token": TOKEN, "token_type": "Bearer", "issued_at": "1"}),
                ),
                false => Reply::json(
                    400,
                    json!({"error": "invalid_client", "error_description": "ada@example.test"}),
                ),
            };
        }
        if asked.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
            return refusal(401, "INVALID_SESSION_ID");
        }
        let pieces = asked.pieces();
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        let body = asked.body.as_object().cloned().unwrap_or_default();
        match (asked.method.as_str(), &pieces[..]) {
            ("GET", ["services", "data", _, "query"]) => {
                self.query(asked.parameter("q").expect("a query"))
            }
            ("GET", ["services", "data", _, "search"]) => {
                self.search(asked.parameter("q").expect("a query"))
            }
            ("POST", ["services", "data", _, "sobjects", object]) => {
                match self.insert(object, &body) {
                    Ok(id) => Reply::json(201, json!({"id": id, "success": true, "errors": []})),
                    Err(code) => refusal(400, code),
                }
            }
            ("PATCH", ["services", "data", _, "sobjects", object, field, key]) => {
                self.upsert(object, field, key, &body)
            }
            ("PATCH", ["services", "data", _, "sobjects", "Case", id]) => self.update(asked, id),
            _ => refusal(404, "NOT_FOUND"),
        }
    }
}

fn refusal(status: u16, code: &str) -> Reply {
    Reply::json(status, json!([{"errorCode": code, "message": "of ada@example.test"}]))
}

fn stamp(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string()
}

fn without_subqueries(soql: &str) -> String {
    let (mut depth, mut quoted, mut out) = (0, false, String::new());
    for character in soql.chars() {
        match character {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => (),
        }
        if depth == 0 && character != ')' || quoted {
            out.push(character);
        }
    }
    out
}

fn conditions(text: &str) -> Vec<(&str, Value)> {
    let mut all = Vec::new();
    let mut rest = text.trim();
    while let Some((field, after)) = rest.split_once(" = ") {
        let (value, after) = match after.strip_prefix('\'') {
            None => {
                let (word, after) = after.split_once(' ').unwrap_or((after, ""));
                (json!(word == "true"), after)
            }
            Some(inner) => {
                let (mut value, mut escaped, mut end) = (String::new(), false, inner.len());
                for (at, character) in inner.char_indices() {
                    match (escaped, character) {
                        (false, '\\') => escaped = true,
                        (false, '\'') => {
                            end = at + 1;
                            break;
                        }
                        (_, character) => {
                            escaped = false;
                            value.push(character);
                        }
                    }
                }
                (Value::String(value), &inner[end..])
            }
        };
        all.push((field.trim(), value));
        rest = after.trim().strip_prefix("AND ").unwrap_or("");
    }
    all
}

fn tokens(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}
