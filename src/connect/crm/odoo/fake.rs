//! A database that remembers, behind both protocols.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::connect::crm::played::{Asked, Clock, Play, Reply};
use crate::connect::crm::wording::plain;

pub const KEY: &str = "6578616d706c65";
pub const DATABASE: &str = "mycompany";
pub const LOGIN: &str = "bot@example.test";

pub type Record = Map<String, Value>;

pub struct Database {
    pub models: BTreeMap<String, BTreeMap<i64, Record>>,
    /// External identifier to model and record.
    external: BTreeMap<String, (String, i64)>,
    pub version: i64,
    clock: Clock,
    made: i64,
}

/// An exception, by its name.
type Raised = &'static str;

const STAGES: [(i64, &str, bool); 2] = [(1, "New", false), (4, "Solved", true)];
const MISSING: Raised = "odoo.exceptions.MissingError";

impl Database {
    pub fn new(version: i64) -> Self {
        let mut models = BTreeMap::new();
        let named = |names: &[(i64, &str)], field: &str| -> BTreeMap<i64, Record> {
            let record = |(id, name): &(i64, &str)| {
                let fields = json!({"id": id, field: name, "active": true});
                (*id, fields.as_object().expect("an object").clone())
            };
            names.iter().map(record).collect()
        };
        models.insert(
            "ir.model".to_owned(),
            named(&[(81, "res.partner"), (402, "helpdesk.ticket")], "model"),
        );
        models.insert(
            "helpdesk.stage".to_owned(),
            named(&STAGES.map(|(id, name, _)| (id, name)), "name"),
        );
        Self { models, external: BTreeMap::new(), version, clock: Clock::new(), made: 0 }
    }

    fn now(&mut self) -> String {
        self.clock.tick(1_000).strftime("%F %T").to_string()
    }

    pub fn insert(&mut self, model: &str, fields: &Value) -> i64 {
        self.made += 1;
        let (id, now) = (self.made, self.now());
        let mut record = Record::new();
        for field in
            ["name", "email", "phone", "mobile", "partner_id", "stage_id", "user_id", "subject"]
        {
            record.insert(field.to_owned(), json!(false));
        }
        for (field, value) in [
            ("id", json!(id)),
            ("active", json!(true)),
            ("create_date", json!(now)),
            ("date", json!(now)),
        ] {
            record.insert(field.to_owned(), value);
        }
        if model == "helpdesk.ticket" {
            record.insert("stage_id".to_owned(), json!([1, "New"]));
            record.insert("priority".to_owned(), json!("0"));
        }
        self.models.entry(model.to_owned()).or_default().insert(id, record);
        self.set(model, id, fields);
        id
    }

    pub fn set(&mut self, model: &str, id: i64, fields: &Value) {
        let now = self.now();
        let record =
            self.models.get_mut(model).and_then(|all| all.get_mut(&id)).expect("it is there");
        for (field, value) in fields.as_object().expect("fields") {
            let value = match field.as_str() {
                "stage_id" if value.is_i64() => {
                    let stage =
                        STAGES.iter().find(|(id, ..)| json!(id) == *value).expect("a stage");
                    json!([stage.0, stage.1])
                }
                _ => value.clone(),
            };
            record.insert(field.clone(), value);
        }
        record.insert("write_date".to_owned(), json!(now));
    }

    fn has(&self, model: &str, id: i64) -> bool {
        self.models.get(model).is_some_and(|all| all.contains_key(&id))
    }

    fn call(
        &mut self,
        model: &str,
        method: &str,
        ids: &[i64],
        arguments: &Value,
    ) -> Result<Value, Raised> {
        match method {
            "search_read" => self.search(model, arguments),
            "load" => Ok(self.load(model, arguments)),
            "write" => {
                if !ids.iter().all(|id| self.has(model, *id)) {
                    return Err(MISSING);
                }
                for id in ids {
                    self.set(model, *id, &arguments["vals"]);
                }
                Ok(json!(true))
            }
            "message_post" => {
                if !self.has(model, ids[0]) {
                    return Err(MISSING);
                }
                let known = ["body", "message_type", "subtype_xmlid", "body_is_html"];
                assert!(
                    arguments
                        .as_object()
                        .expect("arguments")
                        .keys()
                        .all(|name| known.contains(&name.as_str()))
                );
                let is_html = arguments.get("body_is_html").is_some();
                // Before 17 nobody knew that argument, and since then a text is a text without it.
                assert_eq!(is_html, self.version >= 17);
                let message = json!({
                    "model": model, "res_id": ids[0], "body": arguments["body"], "message_type": "comment",
                    "is_internal": arguments["subtype_xmlid"] == "mail.mt_note", "author_id": [3, "Bot"],
                });
                Ok(json!(self.insert("mail.message", &message)))
            }
            _ => Err("builtins.AttributeError"),
        }
    }

    fn search(&self, model: &str, arguments: &Value) -> Result<Value, Raised> {
        let Some(all) = self.models.get(model) else {
            let is_known = [
                "res.partner",
                "helpdesk.ticket",
                "mail.message",
                "mail.activity",
                "knowledge.article",
            ];
            return if is_known.contains(&model) {
                Ok(json!([]))
            } else {
                Err("builtins.KeyError")
            };
        };
        let domain = arguments["domain"].as_array().expect("a domain");
        let mut found: Vec<&Record> = Vec::new();
        for record in all.values() {
            if holds(domain, record)? {
                found.push(record);
            }
        }
        let order = arguments["order"].as_str().expect("an order");
        if let Some(field) = order.split(',').next().and_then(|first| first.strip_suffix(" desc")) {
            found.sort_by(|a, b| {
                (b[field].as_str(), b["id"].as_i64()).cmp(&(a[field].as_str(), a["id"].as_i64()))
            });
        }
        found.truncate(
            usize::try_from(arguments["limit"].as_u64().expect("a limit")).expect("small"),
        );
        let fields: Vec<&str> = arguments["fields"]
            .as_array()
            .expect("fields")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let shown = |record: &Record| -> Value {
            let some =
                record.iter().filter(|(name, _)| *name == "id" || fields.contains(&name.as_str()));
            some.map(|(name, value)| (name.clone(), value.clone())).collect()
        };
        Ok(found.into_iter().map(shown).collect())
    }

    fn load(&mut self, model: &str, arguments: &Value) -> Value {
        let names: Vec<&str> = arguments["fields"]
            .as_array()
            .expect("fields")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let row: Vec<&str> = arguments["data"][0]
            .as_array()
            .expect("a row")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        assert_eq!(names.len(), row.len(), "all values of an import are texts");
        let refused = json!({"ids": false, "messages": [{"type": "error", "message": "ada@example.test"}], "nextrow": 0});
        let mut fields = json!({});
        for (name, value) in names.iter().zip(&row).skip(1) {
            let number = value.parse::<i64>();
            match (*name, number) {
                ("partner_id/.id", Ok(id)) if self.has("res.partner", id) => {
                    fields["partner_id"] = json!([id, "?"])
                }
                ("partner_id/.id", _) => return refused,
                ("res_model_id/.id", Ok(id)) => fields["res_model_id"] = json!([id, "?"]),
                ("res_id", Ok(id)) => fields["res_id"] = json!(id),
                ("activity_type_id/id", _) => assert_eq!(*value, "mail.mail_activity_data_todo"),
                (
                    "name"
                    | "summary"
                    | "description"
                    | "note"
                    | "body"
                    | "date_deadline"
                    | "priority"
                    | "internal_permission",
                    _,
                ) => {
                    fields[*name] = json!(value);
                }
                (other, _) => panic!("no field of an import: {other}"),
            }
        }
        let external = row[0].to_owned();
        let id = match self.external.get(&external).cloned() {
            Some((_, id)) => {
                self.set(model, id, &fields);
                id
            }
            None => self.insert(model, &fields),
        };
        self.external.insert(external, (model.to_owned(), id));
        json!({"ids": [id], "messages": [], "nextrow": 0})
    }

    fn remote(&mut self, params: &Value) -> Result<Value, Raised> {
        let all = params["args"].as_array().expect("arguments");
        match (params["service"].as_str(), params["method"].as_str()) {
            (Some("common"), Some("version")) => Ok(
                json!({"server_version": "18.0", "server_version_info": [self.version, 0, 0, "final", 0, ""]}),
            ),
            (Some("common"), Some("authenticate")) => {
                let is_right = all[0] == DATABASE && all[1] == LOGIN && all[2] == KEY;
                Ok(if is_right { json!(2) } else { json!(false) })
            }
            (Some("object"), Some("execute_kw")) => {
                if all[0] != DATABASE || all[1] != 2 || all[2] != KEY {
                    return Err("odoo.exceptions.AccessDenied");
                }
                let ids: Vec<i64> = all[5]
                    .pointer("/0")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_i64)
                    .collect();
                let mut arguments = all[6].clone();
                arguments.as_object_mut().expect("named").remove("context");
                self.call(
                    all[3].as_str().expect("a model"),
                    all[4].as_str().expect("a method"),
                    &ids,
                    &arguments,
                )
            }
            _ => Err("builtins.KeyError"),
        }
    }
}

impl Play for Database {
    fn answer(&mut self, asked: &Asked) -> Reply {
        let pieces = asked.pieces();
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        match &pieces[..] {
            ["jsonrpc"] => {
                let result = self.remote(&asked.body["params"]);
                Reply::json(
                    200,
                    match result {
                        Ok(result) => json!({"jsonrpc": "2.0", "id": 1, "result": result}),
                        Err(name) => {
                            let data = json!({"name": name, "message": "ada@example.test", "debug": "Traceback"});
                            json!({"jsonrpc": "2.0", "id": 1, "error": {"code": 200, "message": "Odoo Server Error", "data": data}})
                        }
                    },
                )
            }
            ["json", "2", model, method] => {
                let error = |status: u16, name: &str| {
                    Reply::json(
                        status,
                        json!({"name": name, "message": "ada@example.test", "arguments": [], "context": {}}),
                    )
                };
                if asked.header("authorization") != Some(&format!("Bearer {KEY}")) {
                    return error(401, "werkzeug.exceptions.Unauthorized");
                }
                assert_eq!(asked.header("x-odoo-database"), Some(DATABASE));
                let mut arguments = asked.body.clone();
                let named = arguments.as_object_mut().expect("named");
                named.remove("context");
                let ids: Vec<i64> = named
                    .remove("ids")
                    .and_then(|ids| ids.as_array().cloned())
                    .into_iter()
                    .flatten()
                    .filter_map(|id| id.as_i64())
                    .collect();
                match self.call(model, method, &ids, &arguments) {
                    // A record is answered as a list of its number.
                    Ok(Value::Number(id)) => Reply::json(200, json!([id])),
                    Ok(result) => Reply::json(200, result),
                    Err(name) => error(if name == MISSING { 404 } else { 500 }, name),
                }
            }
            _ => Reply::json(404, json!({"name": "werkzeug.exceptions.NotFound"})),
        }
    }
}

/// A domain in Polish notation; conditions without an operator all hold.
fn holds(domain: &[Value], record: &Record) -> Result<bool, Raised> {
    fn term(domain: &[Value], at: &mut usize, record: &Record) -> Result<bool, Raised> {
        let one = domain.get(*at).expect("a term");
        *at += 1;
        match one.as_str() {
            Some("|") => {
                let (a, b) = (term(domain, at, record)?, term(domain, at, record)?);
                Ok(a || b)
            }
            Some(_) => {
                let (a, b) = (term(domain, at, record)?, term(domain, at, record)?);
                Ok(a && b)
            }
            None => condition(one, record),
        }
    }
    let mut at = 0;
    let mut all = true;
    while at < domain.len() {
        all &= term(domain, &mut at, record)?;
    }
    Ok(all)
}

fn condition(one: &Value, record: &Record) -> Result<bool, Raised> {
    let (field, operator, wanted) = (one[0].as_str().expect("a field"), one[1].as_str(), &one[2]);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let is = match field {
        "stage_id.fold" => {
            json!(STAGES.iter().any(|(id, _, fold)| *fold && record["stage_id"][0] == *id))
        }
        "email_normalized" => json!(text(&record["email"]).to_lowercase()),
        "phone_mobile_search" => {
            let bare = |text: String| text.replace([' ', '(', ')', '-', '.', '/'], "");
            return Ok(["phone", "mobile"].into_iter().any(|field| {
                let (is, wanted) = (bare(text(&record[field])), text(wanted));
                let abroad = wanted.strip_prefix('+').or_else(|| wanted.strip_prefix("00"));
                match abroad {
                    Some(digits) => is == format!("+{digits}") || is == format!("00{digits}"),
                    None => is == wanted,
                }
            }));
        }
        field if !record.contains_key(field) => return Err("builtins.ValueError"),
        field => match &record[field] {
            Value::Array(reference) => reference[0].clone(),
            other => other.clone(),
        },
    };
    Ok(match operator {
        Some("=") => is == *wanted,
        Some("=ilike") => text(&is).eq_ignore_ascii_case(&text(wanted)),
        Some("!=") => is != *wanted && is != json!(false),
        Some("in") => wanted.as_array().expect("a list").contains(&is),
        // As in a database: within the stored HTML.
        Some("ilike") => {
            text(&is).to_lowercase().contains(&text(wanted).to_lowercase())
                || plain(&text(&is)).contains(&text(wanted))
        }
        other => panic!("no operator: {other:?}"),
    })
}
