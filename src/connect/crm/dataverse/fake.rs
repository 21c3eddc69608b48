//! An organization that remembers.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::connect::crm::played::{Asked, Clock, Play, Reply};

pub const SECRET: &str = "entra-secret";
const TOKEN: &str = "eyJ0";

#[derive(Default)]
pub struct Organization {
    pub tables: BTreeMap<String, BTreeMap<String, Map<String, Value>>>,
    clock: Clock,
    version: u32,
    made: u32,
}

/// Table, its identifier, and what a client may give, with lengths; references end with `@odata.bind`.
type Table = (&'static str, &'static str, &'static [(&'static str, usize)]);

const TABLES: [Table; 6] = [
    ("contacts", "contactid", &[("fullname", 160), ("telephone1", 50), ("emailaddress1", 100)]),
    (
        "incidents",
        "incidentid",
        &[
            ("title", 200),
            ("description", 2_000),
            ("caseorigincode", 9),
            ("prioritycode", 9),
            ("statuscode", 9),
        ],
    ),
    ("annotations", "annotationid", &[("subject", 500), ("notetext", 100_000)]),
    (
        "phonecalls",
        "activityid",
        &[
            ("subject", 200),
            ("description", 2_000),
            ("directioncode", 5),
            ("actualstart", 30),
            ("actualend", 30),
            ("actualdurationminutes", 9),
            ("phonecall_activity_parties", 999),
        ],
    ),
    ("tasks", "activityid", &[("subject", 200), ("description", 2_000), ("scheduledend", 30)]),
    ("knowledgearticles", "knowledgearticleid", &[("title", 155), ("content", 1_000_000)]),
];

/// Reference, as it is given, and the field that it is read from.
const REFERENCES: [(&str, &str, &str, &str); 7] = [
    ("incidents", "customerid_contact", "contacts", "_customerid_value"),
    ("annotations", "objectid_contact", "contacts", "_objectid_value"),
    ("annotations", "objectid_incident", "incidents", "_objectid_value"),
    ("phonecalls", "regardingobjectid_contact_phonecall", "contacts", "_regardingobjectid_value"),
    ("phonecalls", "regardingobjectid_incident_phonecall", "incidents", "_regardingobjectid_value"),
    ("tasks", "regardingobjectid_contact_task", "contacts", "_regardingobjectid_value"),
    ("tasks", "regardingobjectid_incident_task", "incidents", "_regardingobjectid_value"),
];

fn called(field: &str, number: i64) -> &'static str {
    match (field, number) {
        ("prioritycode", 1) => "High",
        ("prioritycode", 2) => "Normal",
        ("prioritycode", 3) => "Low",
        ("statuscode", 1) => "In Progress",
        ("statuscode", 5) => "Problem Solved",
        _ => "Other",
    }
}

impl Organization {
    pub fn fresh(&mut self) -> String {
        self.made += 1;
        format!("465b158c-541c-e511-80d3-{:012x}", self.made)
    }

    pub fn set(&mut self, table: &str, id: &str, fields: &[(&str, Value)]) {
        let now = self.clock.tick(1_000).strftime("%FT%TZ").to_string();
        self.version += 1;
        let etag = format!("W/\"{}\"", 468_000 + self.version);
        let row =
            self.tables.get_mut(table).and_then(|rows| rows.get_mut(id)).expect("it is there");
        for (field, value) in fields {
            row.insert((*field).to_owned(), value.clone());
        }
        for (field, value) in [("modifiedon", now), ("@odata.etag", etag)] {
            row.insert(field.to_owned(), json!(value));
        }
    }

    /// # Errors
    /// Status and code of the refusal.
    pub fn insert(
        &mut self,
        table: &str,
        id: &str,
        wanted: &Value,
    ) -> Result<(), (u16, &'static str)> {
        let (_, primary, known) =
            TABLES.iter().find(|(name, ..)| *name == table).ok_or((404, "0x8006088a"))?;
        let mut row = Map::new();
        for (field, value) in wanted.as_object().expect("fields") {
            if let Some(reference) = field.strip_suffix("@odata.bind") {
                let found =
                    REFERENCES.iter().find(|(of, name, ..)| *of == table && *name == reference);
                let (.., target, read_as) = found.ok_or((400, "0x80048d19"))?;
                let address = value.as_str().expect("an address");
                let key = address
                    .strip_prefix(&format!("/{target}("))
                    .and_then(|rest| rest.strip_suffix(')'));
                let key = key.ok_or((400, "0x80060888"))?;
                if !self.tables.get(*target).is_some_and(|rows| rows.contains_key(key)) {
                    return Err((404, "0x80040217"));
                }
                row.insert((*read_as).to_owned(), json!(key));
                continue;
            }
            let (_, max) =
                known.iter().find(|(name, _)| name == field).ok_or((400, "0x80048d19"))?;
            let length =
                value.as_str().map_or_else(|| value.to_string().len(), |text| text.chars().count());
            if length > *max {
                return Err((400, "0x80044331"));
            }
            row.insert(field.clone(), value.clone());
        }
        let now = self.clock.tick(1_000).strftime("%FT%TZ").to_string();
        row.insert((*primary).to_owned(), json!(id));
        row.insert("createdon".to_owned(), json!(now));
        row.insert("statecode".to_owned(), json!(0));
        if table == "incidents" {
            row.insert(
                "ticketnumber".to_owned(),
                json!(format!("CAS-{:05}-A1", 1000 + self.version)),
            );
            row.entry("statuscode").or_insert(json!(1));
            row.entry("prioritycode").or_insert(json!(2));
        }
        self.tables.entry(table.to_owned()).or_default().insert(id.to_owned(), row);
        self.set(table, id, &[]);
        Ok(())
    }

    fn shown(row: &Map<String, Value>) -> Value {
        let mut row = row.clone();
        for field in ["statuscode", "prioritycode"] {
            if let Some(number) = row.get(field).and_then(Value::as_i64) {
                let name = format!("{field}@OData.Community.Display.V1.FormattedValue");
                row.insert(name, json!(called(field, number)));
            }
        }
        let owner = "_ownerid_value@OData.Community.Display.V1.FormattedValue";
        row.insert(owner.to_owned(), json!("Otto Owner"));
        Value::Object(row)
    }

    fn list(&self, table: &str, asked: &Asked) -> Reply {
        let mut rows: Vec<Map<String, Value>> = Vec::new();
        let sources: &[&str] =
            if table == "activitypointers" { &["phonecalls", "tasks"] } else { &[table] };
        for source in sources {
            for row in self.tables.get(*source).into_iter().flat_map(BTreeMap::values) {
                let mut row = row.clone();
                row.insert("activitytypecode".to_owned(), json!(source.trim_end_matches('s')));
                rows.push(row);
            }
        }
        let filter = asked.parameter("$filter").expect("a filter");
        rows.retain(|row| Filter { text: filter, row }.holds());
        if let Some(order) = asked.parameter("$orderby") {
            let field = order.split(' ').next().expect("a field").to_owned();
            rows.sort_by(|a, b| b[&field].as_str().cmp(&a[&field].as_str()));
        }
        rows.truncate(
            asked.parameter("$top").and_then(|text| text.parse().ok()).expect("a number"),
        );
        Reply::json(200, json!({"value": rows.iter().map(Self::shown).collect::<Vec<Value>>()}))
    }

    fn write(&mut self, table: &str, id: &str, asked: &Asked) -> Reply {
        let known = self.tables.get(table).and_then(|rows| rows.get(id)).cloned();
        match (known, asked.header("if-none-match"), asked.header("if-match")) {
            (Some(_), Some("*"), _) => refusal(412, "0x80040333"),
            (None, Some("*"), _) => match self.insert(table, id, &asked.body) {
                Ok(()) => Reply::json(201, Value::Object(self.tables[table][id].clone())),
                Err((status, code)) => refusal(status, code),
            },
            (None, ..) => refusal(404, "0x80040217"),
            (Some(row), _, Some(version)) if version != "*" && row["@odata.etag"] != version => {
                refusal(412, "0x80060882")
            }
            (Some(_), _, Some(_)) => {
                let fields = asked.body.as_object().cloned().unwrap_or_default();
                let fields: Vec<(&str, Value)> =
                    fields.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
                self.set(table, id, &fields);
                Reply::empty(204)
            }
            // Without a condition it would make what isn't there.
            _ => panic!("an update has a condition"),
        }
    }

    fn close(&mut self, body: &Value) -> Reply {
        let address =
            body["IncidentResolution"]["incidentid@odata.bind"].as_str().unwrap_or_default();
        let id = address.trim_start_matches("/incidents(").trim_end_matches(')').to_owned();
        if !self.tables["incidents"].contains_key(&id) {
            return refusal(404, "0x80040217");
        }
        self.set(
            "incidents",
            &id,
            &[("statecode", json!(1)), ("statuscode", body["Status"].clone())],
        );
        Reply::empty(204)
    }
}

impl Play for Organization {
    fn answer(&mut self, asked: &Asked) -> Reply {
        if asked.path == "/contoso/oauth2/v2.0/token" {
            let is_right = asked.body["client_secret"] == SECRET
                && asked.body["scope"].as_str().is_some_and(|scope| scope.ends_with("/.default"));
            return match is_right {
                true => Reply::json(
                    200,
                    json!({"token_type": "Bearer", "expires_in": 3599, "access_token": TOKEN}),
                ),
                false => Reply::json(
                    401,
                    json!({"error": "invalid_client", "error_description": "AADSTS7000215"}),
                ),
            };
        }
        if asked.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
            return Reply::empty(401);
        }
        assert_eq!(
            (asked.header("odata-version"), asked.header("odata-maxversion")),
            (Some("4.0"), Some("4.0"))
        );
        let Some(rest) = asked.path.strip_prefix("/api/data/v9.2/") else {
            return refusal(404, "0x0");
        };
        let (table, id) = match rest.split_once('(') {
            Some((table, id)) => (table, Some(id.trim_end_matches(')'))),
            None => (rest, None),
        };
        let is_known =
            TABLES.iter().any(|(name, ..)| *name == table) || table == "activitypointers";
        match (asked.method.as_str(), id) {
            ("POST", None) if table == "CloseIncident" => self.close(&asked.body),
            _ if !is_known => refusal(404, "0x8006088a"),
            ("GET", None) => self.list(table, asked),
            ("GET", Some(id)) => match self.tables.get(table).and_then(|rows| rows.get(id)) {
                Some(row) => Reply::json(200, Self::shown(row)),
                None => refusal(404, "0x80040217"),
            },
            ("PATCH", Some(id)) => self.write(table, id, asked),
            _ => refusal(405, "0x0"),
        }
    }
}

fn refusal(status: u16, code: &str) -> Reply {
    Reply::json(status, json!({"error": {"code": code, "message": "ada@example.test"}}))
}

/// As much of OData as is asked here: `and` between terms and groups of `or` in brackets.
struct Filter<'a> {
    text: &'a str,
    row: &'a Map<String, Value>,
}

impl Filter<'_> {
    fn holds(&self) -> bool {
        split(self.text, " and ").into_iter().all(|term| {
            let term =
                term.strip_prefix('(').and_then(|term| term.strip_suffix(')')).unwrap_or(term);
            split(term, " or ").into_iter().any(|term| self.is(term))
        })
    }

    fn is(&self, term: &str) -> bool {
        let (field, value) = term.split_once(" eq ").expect("a comparison");
        let is = self.row.get(field);
        match value.strip_prefix('\'') {
            Some(value) => {
                let value = value.strip_suffix('\'').expect("an end").replace("''", "'");
                is.and_then(Value::as_str).is_some_and(|is| is.eq_ignore_ascii_case(&value))
            }
            None => is.is_some_and(|is| is.to_string().trim_matches('"') == value),
        }
    }
}

/// At a word outside of quotes and brackets.
fn split<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
    let (mut parts, mut from, mut depth, mut is_quoted) = (Vec::new(), 0, 0, false);
    for (at, character) in text.char_indices() {
        match character {
            '\'' => is_quoted = !is_quoted,
            '(' if !is_quoted => depth += 1,
            ')' if !is_quoted => depth -= 1,
            _ => (),
        }
        if depth == 0 && !is_quoted && text[at..].starts_with(word) {
            parts.push(&text[from..at]);
            from = at + word.len();
        }
    }
    parts.push(&text[from..]);
    parts
}
