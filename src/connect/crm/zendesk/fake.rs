//! A help desk that remembers.

use serde_json::{Value, json};

use crate::connect::crm::played::{Asked, Clock, Play, Reply};

pub const ADDRESS: &str = "agent@example.test";
pub const TOKEN: &str = "zd-token";
pub const SECTION: u64 = 77;

#[derive(Default)]
pub struct Desk {
    pub users: Vec<Value>,
    pub identities: Vec<Value>,
    pub tickets: Vec<Value>,
    pub comments: Vec<Value>,
    pub articles: Vec<Value>,
    clock: Clock,
    made: u64,
}

impl Desk {
    pub fn next(&mut self) -> u64 {
        self.made += 1;
        35_436 + self.made
    }

    pub fn now(&mut self) -> String {
        self.clock.tick(1_000).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    pub fn ticket(&mut self, id: &str) -> Option<usize> {
        self.tickets.iter().position(|one| is(&one["id"], id))
    }

    /// # Errors
    /// The code of the refusal.
    pub fn open(&mut self, wanted: &Value) -> Result<usize, &'static str> {
        const KNOWN: [&str; 9] = [
            "requester_id",
            "subject",
            "comment",
            "external_id",
            "priority",
            "status",
            "assignee_id",
            "type",
            "due_at",
        ];
        let fields = wanted.as_object().expect("a ticket");
        assert!(fields.keys().all(|name| KNOWN.contains(&name.as_str())), "{fields:?}");
        if !self.users.iter().any(|user| user["id"] == wanted["requester_id"]) {
            return Err("RecordInvalid");
        }
        let (id, now) = (self.next(), self.now());
        let mut ticket = json!({
            "id": id, "status": "new", "priority": null, "created_at": now, "updated_at": now, "type": null,
            "assignee_id": null, "external_id": null, "description": wanted["comment"]["body"],
        });
        for (name, value) in fields.iter().filter(|(name, _)| *name != "comment") {
            ticket[name] = value.clone();
        }
        if ticket["status"] == "solved" && ticket["assignee_id"].is_null() {
            return Err("RecordInvalid");
        }
        self.tickets.push(ticket);
        self.say(id, &wanted["comment"])?;
        Ok(self.tickets.len() - 1)
    }

    fn say(&mut self, ticket: u64, comment: &Value) -> Result<u64, &'static str> {
        let body = comment["body"].as_str().ok_or("RecordInvalid")?;
        if body.len() > 65_535 {
            return Err("RecordInvalid");
        }
        let (id, now) = (self.next(), self.now());
        self.comments.push(json!({
            "id": id, "ticket_id": ticket, "type": "Comment", "author_id": 1, "body": body, "plain_body": body,
            "html_body": format!("<p>{body}</p>"), "public": comment["public"].as_bool().unwrap_or(true),
            "created_at": now, "via": {"channel": "api"},
        }));
        Ok(id)
    }

    pub fn change(&mut self, at: usize, fields: &Value) {
        for (name, value) in fields.as_object().expect("an object") {
            self.tickets[at][name] = value.clone();
        }
        self.tickets[at]["updated_at"] = json!(self.now());
    }

    fn update(&mut self, id: &str, wanted: &Value) -> Reply {
        let Some(at) = self.ticket(id) else { return refusal(404, "RecordNotFound") };
        let mut fields = wanted.clone();
        let fields_of = fields.as_object_mut().expect("a ticket");
        let stamp = fields_of.remove("updated_stamp");
        if fields_of.remove("safe_update") == Some(json!(true))
            && stamp.as_ref() != Some(&self.tickets[at]["updated_at"])
        {
            return refusal(409, "UpdateConflict");
        }
        let comment = fields_of.remove("comment");
        let mut events = Vec::new();
        if let Some(comment) = comment {
            match self.say(id.parse().expect("a number"), &comment) {
                Ok(id) => {
                    events.push(json!({"id": id, "type": "Comment", "public": comment["public"]}))
                }
                Err(code) => return refusal(422, code),
            }
        }
        self.change(at, &fields);
        Reply::json(200, json!({"ticket": self.tickets[at], "audit": {"id": 9, "events": events}}))
    }

    fn search(&self, query: &str) -> Reply {
        let rest = query.strip_prefix("type:user ").expect("people are searched for");
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let bears = |user: &Value, wanted: &str| {
            let own = self.identities.iter().filter(|one| one["user_id"] == user["id"]);
            let mut values: Vec<&str> = own.filter_map(|one| one["value"].as_str()).collect();
            values.extend(["phone", "email"].into_iter().filter_map(|field| user[field].as_str()));
            match wanted.split_once(':').expect("a field") {
                ("phone", number) => {
                    let number = number.strip_prefix('*').expect("a star");
                    values.iter().any(|value| digits(value).ends_with(number))
                }
                (_, address) => {
                    let address = address.trim_matches('"');
                    values.iter().any(|value| value.eq_ignore_ascii_case(address))
                }
            }
        };
        let found = self.users.iter().filter(|user| bears(user, rest)).cloned().map(|mut user| {
            user["result_type"] = json!("user");
            user
        });
        let found: Vec<Value> = found.take(20).collect();
        Reply::json(200, json!({"count": found.len(), "next_page": null, "results": found}))
    }

    fn many(&self, asked: &Asked) -> Reply {
        let ids: Vec<&str> = asked.parameter("ids").expect("identifiers").split(',').collect();
        let wanted = |id: &Value| ids.contains(&id.to_string().as_str());
        let users: Vec<&Value> = self.users.iter().filter(|user| wanted(&user["id"])).collect();
        let identities: Vec<&Value> =
            self.identities.iter().filter(|one| wanted(&one["user_id"])).collect();
        Reply::json(
            200,
            json!({"users": users, "identities": identities, "organizations": [], "count": users.len()}),
        )
    }

    fn page(list: Vec<&Value>, asked: &Asked, name: &str) -> Reply {
        let number = |name: &str, default: usize| {
            asked.parameter(name).and_then(|text| text.parse().ok()).unwrap_or(default)
        };
        let (size, page) = (number("per_page", 100), number("page", 1));
        let some: Vec<&Value> = list.into_iter().skip((page - 1) * size).take(size).collect();
        let mut body = json!({"count": some.len(), "next_page": null});
        body[name] = json!(some);
        body["users"] = json!([{"id": 1, "name": "Otto Agent"}]);
        Reply::json(200, body)
    }
}

impl Play for Desk {
    fn answer(&mut self, asked: &Asked) -> Reply {
        use base64::Engine;
        let right = base64::prelude::BASE64_STANDARD.encode(format!("{ADDRESS}/token:{TOKEN}"));
        if asked.header("authorization") != Some(&format!("Basic {right}")) {
            return Reply::json(401, json!({"error": "Couldn't authenticate you"}));
        }
        let pieces = asked.pieces();
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        let latest = |list: &[Value]| -> Vec<Value> { list.iter().rev().cloned().collect() };
        match (asked.method.as_str(), &pieces[..]) {
            ("GET", ["api", "v2", "search"]) => {
                self.search(asked.parameter("query").expect("a query"))
            }
            ("GET", ["api", "v2", "users", "show_many"]) => self.many(asked),
            ("GET", ["api", "v2", "users", "me"]) => Reply::json(200, json!({"user": {"id": 1}})),
            ("GET", ["api", "v2", "users", id, "tickets", "requested"]) => {
                let mut own: Vec<&Value> =
                    self.tickets.iter().filter(|one| is(&one["requester_id"], id)).collect();
                own.sort_by_key(|one| std::cmp::Reverse(one["updated_at"].as_str()));
                Self::page(own, asked, "tickets")
            }
            ("GET", ["api", "v2", "tickets"]) => {
                let wanted = asked.parameter("external_id").expect("an external id");
                Self::page(
                    self.tickets.iter().filter(|one| one["external_id"] == wanted).collect(),
                    asked,
                    "tickets",
                )
            }
            ("GET", ["api", "v2", "tickets", id]) => match self.ticket(id) {
                Some(at) => Reply::json(200, json!({"ticket": self.tickets[at]})),
                None => refusal(404, "RecordNotFound"),
            },
            ("GET", ["api", "v2", "tickets", id, "comments"]) => {
                if self.ticket(id).is_none() {
                    return refusal(404, "RecordNotFound");
                }
                let all = latest(&self.comments);
                Self::page(
                    all.iter().filter(|one| is(&one["ticket_id"], id)).collect(),
                    asked,
                    "comments",
                )
            }
            ("POST", ["api", "v2", "tickets"]) => {
                assert!(asked.header("idempotency-key").is_some());
                match self.open(&asked.body["ticket"]) {
                    Ok(at) => Reply::json(201, json!({"ticket": self.tickets[at]})),
                    Err(code) => refusal(422, code),
                }
            }
            ("PUT", ["api", "v2", "tickets", id]) => self.update(id, &asked.body["ticket"]),
            ("POST", ["api", "v2", "help_center", _, "sections", _, "articles"]) => {
                let mut article = asked.body["article"].clone();
                article["id"] = json!(self.next());
                self.articles.push(article.clone());
                Reply::json(201, json!({"article": article}))
            }
            ("GET", ["api", "v2", "help_center", _, "sections", _, "articles"]) => {
                Self::page(latest(&self.articles).iter().collect(), asked, "articles")
            }
            _ => refusal(404, "InvalidEndpoint"),
        }
    }
}

/// Whether a number is the one that is written.
fn is(number: &Value, id: &str) -> bool {
    number.as_u64().is_some_and(|number| id.parse() == Ok(number))
}

fn refusal(status: u16, code: &str) -> Reply {
    Reply::json(status, json!({"error": code, "description": "about ada@example.test"}))
}
