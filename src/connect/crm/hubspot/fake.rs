//! An account that remembers. Its search knows contacts only: what was just written wouldn't be in it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::connect::crm::played::{Asked, Clock, Play, Reply};

pub const TOKEN: &str = "pat-eu1-token";

pub struct Account {
    pub objects: BTreeMap<(String, String), Map<String, Value>>,
    /// From a record to others, both ways.
    pub links: Vec<((String, String), (String, String))>,
    /// Whether the property of keys has unique values.
    pub is_unique: bool,
    clock: Clock,
    made: u64,
}

/// Kind, what may be given with lengths, and how it may be associated.
type Kind = (&'static str, &'static [(&'static str, usize)], &'static [(u64, &'static str)]);

const KINDS: [Kind; 5] = [
    ("contacts", &[("firstname", 100), ("lastname", 100), ("phone", 50), ("email", 100)], &[]),
    (
        "tickets",
        &[
            ("subject", 65_536),
            ("content", 65_536),
            ("hs_pipeline", 20),
            ("hs_pipeline_stage", 20),
            ("hs_ticket_priority", 6),
            ("backchannel_key", 99),
        ],
        &[(16, "contacts")],
    ),
    (
        "notes",
        &[("hs_timestamp", 30), ("hs_note_body", 65_536), ("backchannel_key", 99)],
        &[(202, "contacts"), (228, "tickets")],
    ),
    (
        "calls",
        &[
            ("hs_timestamp", 30),
            ("hs_call_title", 255),
            ("hs_call_body", 65_536),
            ("hs_call_direction", 8),
            ("hs_call_duration", 12),
            ("hs_call_status", 20),
            ("backchannel_key", 99),
        ],
        &[(194, "contacts"), (220, "tickets")],
    ),
    (
        "tasks",
        &[
            ("hs_timestamp", 30),
            ("hs_task_subject", 255),
            ("hs_task_body", 65_536),
            ("hs_task_status", 20),
            ("hs_task_type", 10),
            ("backchannel_key", 99),
        ],
        &[(204, "contacts"), (230, "tickets")],
    ),
];

impl Account {
    pub fn new(is_unique: bool) -> Self {
        Self {
            objects: BTreeMap::new(),
            links: Vec::new(),
            is_unique,
            clock: Clock::new(),
            made: 0,
        }
    }

    fn now(&mut self) -> String {
        self.clock.tick(11).strftime("%FT%T%.3fZ").to_string()
    }

    pub fn set(&mut self, kind: &str, id: &str, properties: &Value) -> bool {
        let now = self.now();
        let Some(record) = self.objects.get_mut(&(kind.to_owned(), id.to_owned())) else {
            return false;
        };
        record.extend(properties.as_object().expect("properties").clone());
        record.insert("hs_lastmodifieddate".to_owned(), json!(now));
        true
    }

    pub fn insert(
        &mut self,
        kind: &str,
        properties: &Value,
        associations: &[Value],
    ) -> Result<String, Reply> {
        let (_, known, ways) = KINDS.iter().find(|(name, ..)| *name == kind).expect("a kind");
        let properties = properties.as_object().expect("properties");
        for (name, value) in properties {
            let Some((_, max)) = known.iter().find(|(one, _)| one == name) else {
                return Err(refusal(400, "VALIDATION_ERROR"));
            };
            let text = value.as_str().expect("values are texts");
            let is_taken =
                self.is_unique && name == "backchannel_key" && self.keyed(kind, text).is_some();
            if text.chars().count() > *max || is_taken {
                return Err(refusal(400, "VALIDATION_ERROR"));
            }
        }
        let mut targets = Vec::new();
        for one in associations {
            let id = one["to"]["id"].as_str().expect("an identifier").to_owned();
            let way = one["types"][0]["associationTypeId"].as_u64();
            assert_eq!(one["types"][0]["associationCategory"], "HUBSPOT_DEFINED");
            let target = ways
                .iter()
                .find(|(type_id, _)| Some(*type_id) == way)
                .map(|(_, target)| (*target).to_owned());
            match target
                .map(|target| (target, id))
                .filter(|target| self.objects.contains_key(target))
            {
                Some(target) => targets.push(target),
                None => return Err(refusal(400, "VALIDATION_ERROR")),
            }
        }
        self.made += 1;
        let id = (500_000 + self.made).to_string();
        let now = self.now();
        let mut record = properties.clone();
        for name in ["createdate", "hs_createdate", "hs_lastmodifieddate"] {
            record.insert(name.to_owned(), json!(now));
        }
        let key = (kind.to_owned(), id.clone());
        self.objects.insert(key.clone(), record);
        for target in targets {
            self.links.push((key.clone(), target.clone()));
            self.links.push((target, key.clone()));
        }
        Ok(id)
    }

    fn keyed(&self, kind: &str, key: &str) -> Option<String> {
        let mut all = self.objects.iter().filter(|((one, _), _)| one == kind);
        all.find(|(_, record)| record.get("backchannel_key").is_some_and(|own| own == key))
            .map(|((_, id), _)| id.clone())
    }

    fn shown(&self, kind: &str, id: &str, asked: &Asked) -> Reply {
        let key = (kind.to_owned(), id.to_owned());
        let Some(record) = self.objects.get(&key) else { return refusal(404, "OBJECT_NOT_FOUND") };
        let mut body = json!({"id": id, "properties": record, "archived": false});
        for name in asked
            .parameter("associations")
            .unwrap_or_default()
            .split(',')
            .filter(|name| !name.is_empty())
        {
            let linked = self.links.iter().filter(|(from, to)| *from == key && to.0 == name);
            // Each association is told with its type, so that one record may come twice.
            let results: Vec<Value> = linked
                .flat_map(|(_, to)| {
                    [json!({"id": to.1, "type": "a"}), json!({"id": to.1, "type": "b"})]
                })
                .collect();
            if !results.is_empty() {
                body["associations"][name] = json!({"results": results});
            }
        }
        Reply::json(200, body)
    }

    fn search(&self, body: &Value) -> Reply {
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let groups = body["filterGroups"].as_array().expect("groups");
        assert!(groups.len() <= 5);
        let holds = |record: &Map<String, Value>, filter: &Value| {
            let property = filter["propertyName"].as_str().expect("a property");
            let value = filter["value"].as_str().expect("a value");
            let of = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default();
            match (property, filter["operator"].as_str()) {
                ("hs_searchable_calculated_phone_number", Some("CONTAINS_TOKEN")) => {
                    digits(of("phone")).ends_with(value.strip_prefix('*').expect("a star"))
                }
                (name, Some("EQ")) => !of(name).is_empty() && of(name).eq_ignore_ascii_case(value),
                _ => false,
            }
        };
        let contacts = self.objects.iter().filter(|((kind, _), _)| kind == "contacts");
        let found = contacts
            .filter(|(_, record)| groups.iter().any(|group| holds(record, &group["filters"][0])));
        let results: Vec<Value> = found
            .take(20)
            .map(|((_, id), record)| json!({"id": id, "properties": record}))
            .collect();
        Reply::json(200, json!({"total": results.len(), "results": results}))
    }

    fn batch(&self, kind: &str, body: &Value) -> Reply {
        let inputs = body["inputs"].as_array().expect("inputs");
        assert!(inputs.len() <= 100);
        let found = inputs.iter().filter_map(|input| {
            let id = input["id"].as_str().expect("an identifier");
            let record = self.objects.get(&(kind.to_owned(), id.to_owned()))?;
            Some(json!({"id": id, "properties": record}))
        });
        Reply::json(200, json!({"status": "COMPLETE", "results": found.collect::<Vec<Value>>()}))
    }
}

impl Play for Account {
    fn answer(&mut self, asked: &Asked) -> Reply {
        if asked.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
            return refusal(401, "INVALID_AUTHENTICATION");
        }
        let pieces = asked.pieces();
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        match (asked.method.as_str(), &pieces[..]) {
            ("POST", ["crm", "v3", "objects", "contacts", "search"]) => self.search(&asked.body),
            ("POST", ["crm", "v3", "objects", kind, "batch", "read"]) => {
                self.batch(kind, &asked.body)
            }
            ("POST", ["crm", "v3", "objects", kind]) => {
                let associations =
                    asked.body["associations"].as_array().cloned().unwrap_or_default();
                match self.insert(kind, &asked.body["properties"], &associations) {
                    Ok(id) => {
                        Reply::json(201, json!({"id": id, "properties": asked.body["properties"]}))
                    }
                    Err(refusal) => refusal,
                }
            }
            ("GET", ["crm", "v3", "objects", kind, key]) => match asked.parameter("idProperty") {
                Some("backchannel_key") if self.is_unique => match self.keyed(kind, key) {
                    Some(id) => self.shown(kind, &id, asked),
                    None => refusal(404, "OBJECT_NOT_FOUND"),
                },
                Some(_) => refusal(400, "VALIDATION_ERROR"),
                None => self.shown(kind, key, asked),
            },
            ("PATCH", ["crm", "v3", "objects", kind, id]) => {
                match self.set(kind, id, &asked.body["properties"]) {
                    true => self.shown(kind, id, asked),
                    false => refusal(404, "OBJECT_NOT_FOUND"),
                }
            }
            ("GET", ["crm", "v3", "pipelines", "tickets"]) => {
                let stage = |id: &str, label: &str, state: &str| json!({"id": id, "label": label, "metadata": {"ticketState": state, "isClosed": (state == "CLOSED").to_string()}});
                let stages = [stage("1", "New", "OPEN"), stage("4", "Closed", "CLOSED")];
                Reply::json(
                    200,
                    json!({"results": [{"id": "0", "label": "Support Pipeline", "stages": stages}]}),
                )
            }
            _ => refusal(404, "NOT_FOUND"),
        }
    }
}

fn refusal(status: u16, category: &str) -> Reply {
    let body = json!({
        "status": "error", "message": "ada@example.test", "category": category,
        "correlationId": "aeb5f871-7f07-4993-9211-075dc63e7cbf",
    });
    Reply::json(status, body)
}
