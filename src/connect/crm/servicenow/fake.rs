//! An instance that remembers, and that ignores conditions which it doesn't know.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::connect::crm::played::{Asked, Clock, Play, Reply};

pub const KEY: &str = "now-key";
pub const BASE: &str = "a7e8a78bff0221009b20ffffffffff17";

pub type Row = BTreeMap<String, String>;

#[derive(Default)]
pub struct Instance {
    pub tables: BTreeMap<String, Vec<Row>>,
    clock: Clock,
    made: u32,
}

/// Table, and the fields that it has; others are left out without a word.
const TABLES: [(&str, &[&str]); 6] = [
    ("sys_user", &["name", "email", "phone", "mobile_phone", "home_phone", "company", "vip"]),
    (
        "incident",
        &[
            "caller_id",
            "short_description",
            "description",
            "state",
            "urgency",
            "active",
            "opened_at",
            "assigned_to",
            "contact_type",
            "correlation_id",
            "correlation_display",
            "number",
            "work_notes",
        ],
    ),
    (
        "task",
        &[
            "short_description",
            "description",
            "parent",
            "due_date",
            "correlation_id",
            "correlation_display",
        ],
    ),
    ("interaction", &["opened_for", "type", "state", "short_description", "work_notes"]),
    ("sys_journal_field", &["element_id", "element", "name", "value"]),
    ("kb_knowledge", &["short_description", "text", "kb_knowledge_base", "workflow_state"]),
];
const OWN: [&str; 5] =
    ["sys_id", "sys_created_on", "sys_updated_on", "sys_mod_count", "sys_created_by"];

fn fields(table: &str) -> Option<&'static [&'static str]> {
    TABLES.iter().find(|(name, _)| *name == table).map(|(_, fields)| *fields)
}

fn length_max(field: &str) -> usize {
    match field {
        "short_description" => 160,
        "description" => 4_000,
        _ => 65_000,
    }
}

fn displayed(field: &str, value: &str) -> String {
    let words = match (field, value) {
        ("state", "1") => "New",
        ("state", "2") => "In Progress",
        ("state", "6") => "Resolved",
        ("urgency", "1") => "1 - High",
        ("urgency", "2") => "2 - Medium",
        ("urgency", "3") => "3 - Low",
        (_, other) => other,
    };
    words.to_owned()
}

impl Instance {
    pub fn now(&mut self) -> String {
        self.clock.tick(1_000).strftime("%F %T").to_string()
    }

    pub fn insert(&mut self, table: &str, wanted: &Value) -> Option<Row> {
        let known = fields(table)?;
        let now = self.now();
        self.made += 1;
        let mut row = Row::new();
        for field in known {
            row.insert((*field).to_owned(), String::new());
        }
        let number = format!("INC{:07}", self.made);
        for (field, value) in [
            ("sys_id", format!("{:032x}", 0xabc0_0000_u32 + self.made)),
            ("sys_created_on", now.clone()),
            ("sys_updated_on", now.clone()),
            ("sys_mod_count", "0".to_owned()),
            ("sys_created_by", "integration".to_owned()),
        ] {
            row.insert(field.to_owned(), value);
        }
        if table == "incident" {
            for (field, value) in [
                ("state", "1"),
                ("urgency", "3"),
                ("active", "true"),
                ("number", &number),
                ("opened_at", &now),
            ] {
                row.insert(field.to_owned(), value.to_owned());
            }
        }
        self.tables.entry(table.to_owned()).or_default().push(row.clone());
        let id = row["sys_id"].clone();
        self.set(table, &id, wanted, false);
        self.tables[table].last().cloned()
    }

    pub fn set(&mut self, table: &str, id: &str, wanted: &Value, in_words: bool) -> Option<Row> {
        let known = fields(table)?;
        let now = self.now();
        let mut notes = Vec::new();
        let row = self.tables.get_mut(table)?.iter_mut().find(|row| row["sys_id"] == id)?;
        for (field, value) in wanted.as_object().expect("fields") {
            let value = value.as_str().expect("values are texts");
            if !known.contains(&field.as_str()) {
                continue;
            }
            if field == "work_notes" {
                notes.push(value.to_owned());
                continue;
            }
            let number =
                ["1", "2", "3", "6"].into_iter().find(|number| displayed(field, number) == value);
            let value = number.filter(|_| in_words).unwrap_or(value);
            row.insert(field.clone(), value.chars().take(length_max(field)).collect());
        }
        row.insert("sys_updated_on".to_owned(), now);
        let count: u32 = row["sys_mod_count"].parse().expect("a number");
        row.insert("sys_mod_count".to_owned(), (count + 1).to_string());
        let row = row.clone();
        for note in notes {
            let entry =
                json!({"element_id": id, "element": "work_notes", "name": table, "value": note});
            self.insert("sys_journal_field", &entry);
        }
        Some(row)
    }

    fn list(&self, table: &str, asked: &Asked) -> Reply {
        let known = fields(table).expect("a table");
        let mut rows: Vec<&Row> = self.tables.get(table).into_iter().flatten().collect();
        let query = asked.parameter("sysparm_query").unwrap_or_default();
        for group in query.split('^').fold(Vec::<Vec<&str>>::new(), |mut groups, term| {
            match (term.strip_prefix("OR"), groups.last_mut()) {
                (Some(term), Some(last)) if !term.starts_with("DERBY") => last.push(term),
                _ => groups.push(vec![term]),
            }
            groups
        }) {
            if let Some(field) = group[0].strip_prefix("ORDERBYDESC") {
                rows.sort_by(|a, b| b[field].cmp(&a[field]).then(b["sys_id"].cmp(&a["sys_id"])));
                continue;
            }
            let terms: Vec<(&str, &str, &str)> =
                group.iter().filter_map(|term| condition(term, known)).collect();
            // This is the trap: what isn't known doesn't narrow anything.
            if terms.len() == group.len() {
                rows.retain(|row| {
                    terms
                        .iter()
                        .any(|(field, operator, value)| holds(&row[*field], operator, value))
                });
            }
        }
        let number = |name: &str| {
            asked.parameter(name).and_then(|text| text.parse().ok()).expect("a number")
        };
        let (limit, offset): (usize, usize) = (number("sysparm_limit"), number("sysparm_offset"));
        let wanted: Vec<&str> =
            asked.parameter("sysparm_fields").expect("fields").split(',').collect();
        let total = rows.len();
        let all = asked.parameter("sysparm_display_value") == Some("all");
        assert!(all);
        let some: Vec<Value> = rows
            .into_iter()
            .skip(offset)
            .take(limit)
            .map(|row| {
                let shown = row.iter().filter(|(field, _)| wanted.contains(&field.as_str()));
                shown
                    .map(|(field, value)| {
                        (
                            field.clone(),
                            json!({"value": value, "display_value": displayed(field, value)}),
                        )
                    })
                    .collect()
            })
            .collect();
        Reply::json(200, json!({"result": some})).header("x-total-count", total.to_string())
    }
}

fn condition<'a>(term: &'a str, known: &[&str]) -> Option<(&'a str, &'a str, &'a str)> {
    let end = term.find(|c: char| !c.is_ascii_lowercase() && c != '_')?;
    let (field, rest) = term.split_at(end);
    if !known.contains(&field) && !OWN.contains(&field) {
        return None;
    }
    ["=", "IN", "LIKE"]
        .into_iter()
        .find_map(|operator| Some((field, operator, rest.strip_prefix(operator)?)))
}

fn holds(is: &str, operator: &str, value: &str) -> bool {
    match operator {
        "=" => is.eq_ignore_ascii_case(value),
        "IN" => value.split(',').any(|one| one == is),
        _ => is.to_lowercase().contains(&value.to_lowercase()),
    }
}

impl Play for Instance {
    fn answer(&mut self, asked: &Asked) -> Reply {
        if asked.header("x-sn-apikey") != Some(KEY) {
            let error = json!({"message": "User Not Authenticated", "detail": "Required to provide Auth information"});
            return Reply::json(401, json!({"error": error, "status": "failure"}));
        }
        let pieces = asked.pieces();
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        let missing = || {
            let error = json!({"message": "No Record found", "detail": "Record doesn't exist or ACL restricts the record retrieval"});
            Reply::json(404, json!({"error": error, "status": "failure"}))
        };
        match (asked.method.as_str(), &pieces[..]) {
            (_, ["api", "now", "table", table, ..]) if fields(table).is_none() => {
                let error = json!({"message": format!("Invalid table {table}"), "detail": null});
                Reply::json(400, json!({"error": error, "status": "failure"}))
            }
            ("GET", ["api", "now", "table", table]) => self.list(table, asked),
            ("POST", ["api", "now", "table", table]) => match self.insert(table, &asked.body) {
                Some(row) => Reply::json(201, json!({"result": row})),
                None => missing(),
            },
            ("PATCH", ["api", "now", "table", table, id]) => {
                let in_words = asked.parameter("sysparm_input_display_value") == Some("true");
                match self.set(table, id, &asked.body, in_words) {
                    Some(row) => Reply::json(200, json!({"result": row})),
                    None => missing(),
                }
            }
            _ => missing(),
        }
    }
}
