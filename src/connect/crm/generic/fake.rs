//! The system that `tests/cassettes/crm/generic/desk.toml` describes.

use serde_json::{Value, json};

use crate::connect::crm::played::{Asked, Clock, Play, Reply};

pub const KEY: &str = "desk-key";

#[derive(Default)]
pub struct Desk {
    pub people: Vec<Value>,
    pub tickets: Vec<Value>,
    pub entries: Vec<Value>,
    pub tasks: Vec<Value>,
    pub articles: Vec<Value>,
    clock: Clock,
    made: u32,
}

impl Desk {
    pub fn fresh(&mut self) -> String {
        self.made += 1;
        format!("R-{:04}", self.made)
    }

    pub fn now(&mut self) -> i64 {
        self.clock.tick(1_000).as_millisecond()
    }

    fn knows(&self, person: &Value) -> bool {
        self.people.iter().any(|one| one["ref"] == *person)
    }

    pub fn ticket(&mut self, id: &str) -> Option<&mut Value> {
        self.tickets.iter_mut().find(|one| one["ref"] == id)
    }

    pub fn touch(&mut self, id: &str, fields: &Value) -> Option<Value> {
        let now = self.now();
        let ticket = self.ticket(id)?;
        for (name, value) in fields.as_object().expect("fields") {
            ticket[name] = value.clone();
        }
        ticket["changed_ms"] = json!(now);
        ticket["rev"] = json!(ticket["rev"].as_i64().unwrap_or(0) + 1);
        Some(ticket.clone())
    }

    pub fn open(&mut self, person: &str, title: &str, text: &str, external: Value) -> Value {
        let (id, now) = (self.fresh(), self.now());
        let ticket = json!({
            "ref": id, "person": person, "title": title, "text": text, "external": external, "state": "open",
            "prio": "normal", "created": "2026-11-22T10:00:00Z", "changed_ms": now, "rev": 1,
        });
        self.tickets.push(ticket.clone());
        ticket
    }

    fn page(list: Vec<&Value>, asked: &Asked, name: &str) -> Reply {
        let page: usize = asked.parameter("page").and_then(|text| text.parse().ok()).unwrap_or(1);
        let some: Vec<&Value> = list.into_iter().skip((page - 1) * 50).take(50).collect();
        let mut body = json!({});
        body[name] = json!(some);
        Reply::json(200, body)
    }

    fn search(&self, asked: &Asked) -> Reply {
        let bears = |person: &&Value| match (asked.parameter("phone"), asked.parameter("mail")) {
            (Some(phones), _) => {
                let own = person["numbers"].as_array().into_iter().flatten();
                own.filter_map(|one| one["value"].as_str())
                    .any(|own| phones.split(',').any(|one| one == own))
            }
            (None, Some(mail)) => {
                person["mail"].as_str().is_some_and(|own| own.eq_ignore_ascii_case(mail))
            }
            // Without a filter that it knows: everybody.
            (None, None) => true,
        };
        Self::page(self.people.iter().filter(bears).collect(), asked, "people")
    }

    fn enter(&mut self, body: &Value) -> Reply {
        if !self.knows(&body["person"]) {
            return Reply::json(200, json!({"ok": false, "why": "ada@example.test"}));
        }
        let mut entry = body.clone();
        let (id, now) = (self.fresh(), self.now());
        entry["ref"] = json!(id);
        entry["at_ms"] = json!(now);
        entry["who"] = json!("Bot");
        self.entries.insert(0, entry.clone());
        Reply::json(201, json!({"ok": true, "entry": entry}))
    }
}

impl Play for Desk {
    fn answer(&mut self, asked: &Asked) -> Reply {
        if asked.header("x-api-key") != Some(KEY) {
            return Reply::json(403, json!({"ok": false}));
        }
        let pieces = asked.pieces();
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        match (asked.method.as_str(), &pieces[..]) {
            ("GET", ["api", "people"]) => self.search(asked),
            ("GET", ["api", "people", id]) => {
                match self.people.iter().find(|one| one["ref"] == *id) {
                    Some(person) => Reply::json(200, person.clone()),
                    None => Reply::json(404, json!({"ok": false})),
                }
            }
            ("GET", ["api", "people", id, "tickets"]) => {
                let mut own: Vec<&Value> = self
                    .tickets
                    .iter()
                    .filter(|one| one["person"] == *id && one["state"] == "open")
                    .collect();
                own.reverse();
                Self::page(own, asked, "tickets")
            }
            ("GET", ["api", "tickets"]) => {
                let wanted = asked.parameter("external").expect("a filter");
                Self::page(
                    self.tickets.iter().filter(|one| one["external"] == wanted).collect(),
                    asked,
                    "tickets",
                )
            }
            ("GET", ["api", "log"]) => {
                let of = |one: &&Value| {
                    ["person", "ticket"]
                        .iter()
                        .all(|name| asked.parameter(name).is_none_or(|wanted| one[*name] == wanted))
                };
                Self::page(self.entries.iter().filter(of).collect(), asked, "entries")
            }
            ("GET", ["api", "tasks"]) => Self::page(self.tasks.iter().collect(), asked, "tasks"),
            ("GET", ["api", "articles"]) => {
                Self::page(self.articles.iter().collect(), asked, "articles")
            }
            ("POST", ["api", "tickets"]) if self.knows(&asked.body["person"]) => {
                let text = |name: &str| asked.body[name].as_str().unwrap_or_default().to_owned();
                let ticket = self.open(
                    &text("person"),
                    &text("title"),
                    &text("text"),
                    asked.body["external"].clone(),
                );
                Reply::json(201, json!({"ok": true, "ticket": ticket}))
            }
            ("POST", ["api", "tasks"]) if !self.knows(&asked.body["person"]) => {
                Reply::json(200, json!({"ok": false}))
            }
            ("POST", ["api", "tickets"]) => Reply::json(200, json!({"ok": false})),
            ("PATCH", ["api", "tickets", id]) => {
                let rev = self.ticket(id).map(|ticket| ticket["rev"].to_string());
                match (rev, asked.header("if-match")) {
                    (None, _) => Reply::json(404, json!({"ok": false})),
                    (Some(rev), Some(wanted)) if rev != wanted => {
                        Reply::json(412, json!({"ok": false}))
                    }
                    _ => {
                        let ticket = self.touch(id, &asked.body);
                        Reply::json(200, json!({"ok": true, "ticket": ticket}))
                    }
                }
            }
            ("POST", ["api", "log"]) => self.enter(&asked.body),
            ("POST", ["api", kind @ ("tasks" | "articles")]) => {
                let mut record = asked.body.clone();
                record["ref"] = json!(self.fresh());
                let (list, name) = if *kind == "tasks" {
                    (&mut self.tasks, "task")
                } else {
                    (&mut self.articles, "article")
                };
                list.insert(0, record.clone());
                let mut body = json!({"ok": true});
                body[name] = record;
                Reply::json(201, body)
            }
            _ => Reply::json(404, json!({"ok": false})),
        }
    }
}
