use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Url;
use sha2::Sha256;

use super::fake::{Desk, KEY};
use super::*;
use crate::connect::crm::conformance::{self, Look, Person, Record, Way};
use crate::connect::crm::hostile;
use crate::connect::crm::played::{Asked, Play, Reply, Stage};
use crate::connect::crm::wording::plain;
use crate::domain::{CaseRef, MailDraft, NewNote, Redacted};

fn shipped(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cassettes/crm/generic").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn access(url: Url) -> Access {
    Access {
        name: "desk".to_owned(),
        url,
        patience: Duration::from_secs(5),
        region: conformance::REGION.to_owned(),
    }
}

fn settings(url: &Url, key: &str) -> Settings {
    Settings {
        access: access(url.join("/api").expect("an address")),
        credentials: Credentials::Header("x-api-key", key.to_owned().into()),
        headers: BTreeMap::new(),
        description: toml::from_str(&shipped("desk.toml")).expect("a description"),
        openapi: Some(shipped("desk.yaml")),
        webhook: None,
    }
}

#[async_trait]
impl Look for Stage<Desk> {
    fn connector(&self, way: &Way) -> Box<dyn Crm> {
        let (url, key) = match way {
            Way::Right => (self.url(), KEY),
            Way::At(url) => (url.clone(), KEY),
            Way::WrongToken => (self.url(), "guess"),
        };
        Box::new(Generic::new(settings(&url, key)).unwrap_or_else(|error| panic!("{error}")))
    }

    fn url(&self) -> Url {
        Stage::url(self)
    }

    async fn add_contact(&self, person: &Person) -> String {
        let (given, family) = person.name.split_once(' ').unwrap_or((&person.name, ""));
        let numbers: Vec<Value> =
            person.phone.iter().map(|phone| json!({"value": phone})).collect();
        let mut desk = self.player();
        let id = desk.fresh();
        desk.people.push(json!({
            "ref": id, "given": given, "family": family, "numbers": numbers, "mail": person.email, "plan": "gold",
        }));
        id
    }

    async fn add_case(&self, contact_id: &str, subject: &str) -> String {
        let ticket = self.player().open(contact_id, subject, "", Value::Null);
        ticket["ref"].as_str().expect("a text").to_owned()
    }

    async fn close_case(&self, case_id: &str) {
        self.player().touch(case_id, &json!({"state": "closed"}));
    }

    async fn touch_case(&self, case_id: &str) {
        self.player().touch(case_id, &json!({"prio": "urgent"}));
    }

    async fn records(&self, operation: &str, text: &str) -> Vec<Record> {
        let desk = self.player();
        let list = match operation {
            "create_case" => &desk.tickets,
            "create_task" => &desk.tasks,
            "push_article" => &desk.articles,
            _ => &desk.entries,
        };
        let whole = |one: &Value| {
            let texts =
                one.as_object().into_iter().flatten().filter_map(|(name, value)| {
                    match name.as_str() {
                        "html" => value.as_str().map(plain),
                        _ => value.as_str().map(str::to_owned),
                    }
                });
            texts.collect::<Vec<String>>().join("\n")
        };
        let shown =
            list.iter().map(|one| (one, whole(one))).filter(|(_, shown)| shown.contains(text));
        shown
            .map(|(one, text)| Record {
                text,
                is_public: false,
                is_published: one["draft"] == json!(false),
            })
            .collect()
    }
}

#[tokio::test]
async fn it_conforms() {
    conformance::all(&Stage::new(Desk::default()).await).await;
}

#[tokio::test]
async fn it_survives_what_it_is_answered() {
    hostile::survives(&Stage::new(Desk::default()).await).await;
}

fn note(contact_id: &str) -> Effect {
    Effect::AddNote(NewNote {
        contact_id: contact_id.to_owned(),
        case: Some(CaseRef::Id("T-1".to_owned())),
        subject: crate::insight::redaction::typed("Late router"),
        body: crate::insight::redaction::typed("She said: \"now\"."),
    })
}

fn described(text: &str, url: Url) -> Generic {
    let description: Description = toml::from_str(text).expect("a description");
    let settings = Settings {
        access: access(url),
        credentials: Credentials::None,
        headers: BTreeMap::new(),
        description,
        openapi: None,
        webhook: None,
    };
    Generic::new(settings).unwrap_or_else(|error| panic!("{error}"))
}

/// Answers everything in one way, and keeps what was asked.
struct Echo {
    reply: Reply,
    asked: Vec<Asked>,
}

impl Play for Echo {
    fn answer(&mut self, asked: &Asked) -> Reply {
        self.asked.push(asked.clone());
        self.reply.clone()
    }
}

async fn echo(status: u16, body: Option<Value>) -> Stage<Echo> {
    let reply = match body {
        Some(body) => Reply::json(status, body),
        None => Reply::empty(status),
    };
    Stage::new(Echo { reply, asked: Vec::new() }).await
}

#[tokio::test]
async fn what_cant_tell_says_so() {
    let stage = echo(200, Some(json!({"done": true}))).await;
    let key = DedupeKey::stored("5f2b");
    let text = "[operations.add_note]\nmethod = \"POST\"\npath = \"/notes\"\nbody = { text = \"{{ body }}\" }";
    let crm = described(text, stage.url());
    assert_eq!(crm.deliver(&note("7"), &key).await, Ok(RemoteId("5f2b".to_owned())));
    assert!(matches!(crm.delivered(&note("7"), &key).await, Err(DeliveryError::Undecided(_))));
    // What is done once under one key can be done again.
    let crm = described(&format!("{text}\nrepeatable = true"), stage.url());
    assert_eq!(crm.delivered(&note("7"), &key).await, Ok(None));
    // What isn't described it hasn't.
    let mail = Effect::DraftMail(MailDraft {
        to: Vec::new(),
        subject: Redacted::default(),
        body: Redacted::default(),
        references: Vec::new(),
        about: None,
    });
    assert!(matches!(crm.deliver(&mail, &key).await, Err(DeliveryError::Unsupported(_))));
    let email = ContactKey::Email("ada@example.test".to_owned());
    assert!(matches!(crm.find_contacts(&email).await, Err(DeliveryError::Unsupported(_))));
}

#[tokio::test]
async fn a_list_that_isnt_there_is_no_empty_list() {
    let text = "[operations.find_by_email]\npath = \"/people\"\nquery = { mail = \"{{ email }}\" }\n\
                items = \"people\"\nfields = { id = \"id\", emails = \"mail\" }";
    let email = ContactKey::Email("ada@example.test".to_owned());
    for body in [json!({"error": "ada"}), json!({"people": "none"}), json!("<html>"), json!(7)] {
        let stage = echo(200, Some(body.clone())).await;
        let found = described(text, stage.url()).find_contacts(&email).await;
        assert!(matches!(found, Err(DeliveryError::Unclear(_))), "{body}: {found:?}");
    }
    let stage = echo(404, Some(json!({}))).await;
    assert!(matches!(
        described(text, stage.url()).find_contacts(&email).await,
        Err(DeliveryError::NotFound(_))
    ));
    let crm =
        described(&format!("{text}\n").replace("items", "none_on_404 = true\nitems"), stage.url());
    assert_eq!(crm.find_contacts(&email).await, Ok(Vec::new()));
}

#[tokio::test]
async fn a_record_without_an_identifier_is_not_nobody() {
    let listed = "[operations.find_by_email]\npath = \"/people\"\nquery = { mail = \"{{ email }}\" }\n\
                  items = \"people\"\nfields = { id = \"id\", emails = \"mail\" }\n\
                  [operations.open_cases]\npath = \"/cases\"\n\
                  fields = { id = \"id\", subject = \"s\", status = \"t\" }\n\
                  [operations.account_facts]\npath = \"/people/{{ contact_id }}\"\nfields = { tier = \"tier\" }";
    let alone = listed.replace("items = \"people\"\n", "");
    let email = ContactKey::Email("ada@example.test".to_owned());
    let ada = Contact { id: "7".to_owned(), ..Contact::default() };
    for (text, body) in [
        (listed, json!({"people": {"a": 1}})),
        (listed, json!({"people": [{"id": "7", "mail": "ada@example.test"}, {"mail": "b"}]})),
        (&alone, json!({"error": "ada is too much"})),
        (&alone, json!({"id": "7", "mail": "ada@example.test", "errors": ["stale"]})),
        (&alone, json!({})),
    ] {
        let stage = echo(200, Some(body.clone())).await;
        let found = described(text, stage.url()).find_contacts(&email).await;
        let Err(DeliveryError::Unclear(why)) = found else { panic!("{body}: {found:?}") };
        assert!(why.contains("find_by_email") || why.contains("is an error"), "{why}");
        let cases = described(text, stage.url()).open_cases(&ada, 5).await;
        assert!(matches!(cases, Err(DeliveryError::Unclear(_))), "{body}: {cases:?}");
    }
    let stage = echo(200, Some(json!({"error": true, "tier": "gold"}))).await;
    let facts = described(&alone, stage.url()).account_facts(&ada).await;
    assert!(matches!(facts, Err(DeliveryError::Unclear(_))), "{facts:?}");
    let fine = json!({"id": 7, "mail": "ada@example.test", "error": false, "errors": []});
    let stage = echo(200, Some(fine)).await;
    let found = described(&alone, stage.url()).find_contacts(&email).await.expect("found");
    assert_eq!(found.len(), 1);
}

#[tokio::test]
async fn a_value_leaves_neither_its_path_nor_its_parameter() {
    let stage = echo(200, Some(json!([]))).await;
    let text = "[operations.find_by_id]\npath = \"/people/{{ id }}/card\"\nfields = { id = \"id\" }\n\
                [operations.find_by_email]\npath = \"/people\"\nquery = { q = \"mail:{{ email }}\" }\n\
                headers = { X-For = \"{{ email }}\" }\nfields = { id = \"id\", emails = \"m\" }";
    let crm = described(text, stage.url());
    for odd in ["../admin", "a/b", "a?b=c", "a#b", "a%2Fb", "{{ id }}", "'\"\\"] {
        crm.find_contacts(&ContactKey::Id(odd.to_owned())).await.expect("asked");
        let asked = stage.player().asked.pop().expect("it was asked");
        assert_eq!(asked.pieces(), ["people", odd, "card"], "{odd}");
        assert!(asked.query.is_empty(), "{odd}");
        crm.find_contacts(&ContactKey::Email(odd.to_owned())).await.expect("asked");
        let asked = stage.player().asked.pop().expect("it was asked");
        assert_eq!(asked.query, [("q".to_owned(), format!("mail:{odd}"))]);
    }
    for nobody in ["", ".", ".."] {
        assert_eq!(crm.find_contacts(&ContactKey::Id(nobody.to_owned())).await, Ok(Vec::new()));
    }
    // A header ends with its line.
    let error = crm
        .find_contacts(&ContactKey::Email("a\r\nX-Admin: 1".to_owned()))
        .await
        .expect_err("refused");
    assert!(
        matches!(error, DeliveryError::Refused(_)) && !error.to_string().contains("Admin"),
        "{error}"
    );
    assert!(stage.player().asked.is_empty(), "nothing else was asked");
}

#[test]
fn all_mistakes_are_told_with_their_places() {
    let text = r#"
[operations.find_by_phone]
path = "people"
method = "get"
items = "people["
fields = { id = "id", size = "s" }
page_size = 50
[operations.open_cases]
operation = "openTicket"
path = "/x"
success = "ok"
fields = { id = "id", subject = "s", status = "s" }
[operations.create_case]
operation = "openTicket"
parameters = { page = "1" }
[operations.create_case.body]
person = "{{ contact }}"
tags = ["a", "{{ tag }}"]
[operations.create_case.delivered]
operation = "listLog"
key = "a."
id = "id"
[operations.add_note]
operation = "dropTables"
body = {}
form = { a = "b" }
[operations.log_call]
headers = { "a b" = "c" }
[operations.fly]
path = "/"
"#;
    let description: Description = toml::from_str(text).expect("it has the form of one");
    let found = mistakes(&description, Some(&shipped("desk.yaml")));
    let told: Vec<String> = found.iter().map(Mistake::to_string).collect();
    for expected in [
        "operations.add_note.form stands beside a body",
        "operations.add_note.operation the document has no operation \"dropTables\"",
        "operations.create_case.body.person uses \"contact\"; there is contact_id, subject, body, priority, key, marker",
        "operations.create_case.body.tags[1] uses \"tag\"",
        "operations.create_case.parameters.page is none of openTicket",
        "operations.create_case.body must have title, which openTicket requires",
        "operations.create_case.body.tags is none of openTicket",
        "operations.create_case.delivered.parameters must have page, which listLog requires",
        "operations.create_case.delivered.key is no JMESPath expression, from column 3 on",
        "operations.find_by_phone.path must begin with a slash",
        "operations.find_by_phone.method must be a method of HTTP, in capitals",
        "operations.find_by_phone.items is no JMESPath expression",
        "operations.find_by_phone.fields.size is no field; there is id, name",
        "operations.find_by_phone.fields must have phones",
        "operations.find_by_phone.page_size wants a parameter that is filled with page",
        "operations.fly is no operation; there is find_by_phone",
        "operations.log_call needs method and path, or operation",
        "operations.log_call.headers.a b is no header's name",
        "operations.open_cases.path stands beside an operation of the document",
        "operations.open_cases.success belongs to what is written",
    ] {
        assert!(
            told.iter().any(|one| one.starts_with(expected)),
            "{expected}\nin\n{}",
            told.join("\n")
        );
    }
    assert_eq!(
        mistakes(&description, Some("{}"))[0].to_string(),
        "openapi is no OpenAPI 3 document"
    );
    let right: Description = toml::from_str(&shipped("desk.toml")).expect("a description");
    assert_eq!(mistakes(&right, Some(&shipped("desk.yaml"))), []);
    assert!(toml::from_str::<Description>("[operations.find_by_id]\npaht = \"/x\"").is_err());
    assert_eq!(
        server(&shipped("desk.yaml")).expect("it has one").as_str(),
        "https://desk.example.test/api"
    );
}

fn hook(url: Url, scheme: webhook::Scheme, secret: &str) -> webhook::Settings {
    webhook::Settings {
        access: access(url),
        credentials: Credentials::None,
        scheme,
        secret: secret.to_owned().into(),
        previous_secret: None,
        operations: vec!["add_note".to_owned()],
        deduplicates: true,
    }
}

/// The code as a receiver works it out.
fn code(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[tokio::test]
async fn a_webhook_is_signed_in_both_ways() {
    let stage = echo(204, None).await;
    let url = stage.url().join("/hooks/crm?from=backchannel").expect("an address");
    let key = DedupeKey::stored("5f2b");
    let old = "an older secret of 24 bytes";
    let mut settings =
        hook(url.clone(), webhook::Scheme::timestamped(), "a secret of at least 24 bytes");
    settings.previous_secret = Some(old.to_owned().into());
    let timestamped = Webhook::new(settings).expect("right settings");
    assert_eq!(timestamped.deliver(&note("7"), &key).await, Ok(RemoteId("5f2b".to_owned())));
    let asked = stage.player().asked.pop().expect("it was told");
    assert_eq!((asked.path.as_str(), asked.parameter("from")), ("/hooks/crm", Some("backchannel")));
    let header = asked.header("x-backchannel-signature").expect("a signature").to_owned();
    let parts: Vec<&str> = header.split(',').collect();
    let seconds = parts[0].strip_prefix("t=").expect("a time");
    // The body was read and written again: object keys stay in order.
    let signed = format!("{seconds}.{}", asked.body);
    for (part, secret) in parts[1..].iter().zip(["a secret of at least 24 bytes", old]) {
        let hex: String =
            code(secret.as_bytes(), &signed).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(*part, format!("v1={hex}"));
    }
    assert_eq!(parts.len(), 3);
    assert_eq!(asked.body["type"], "backchannel.effect.add_note");
    assert_eq!(asked.body["data"]["body"], "She said: \"now\".");

    let bytes = b"twenty-four bytes of key";
    let secret = format!("whsec_{}", BASE64_STANDARD.encode(bytes));
    let standard =
        Webhook::new(hook(url, webhook::Scheme::Standard, &secret)).expect("right settings");
    standard.deliver(&note("7"), &key).await.expect("it was told");
    let asked = stage.player().asked.pop().expect("it was told");
    let header = |name: &str| asked.header(name).expect(name).to_owned();
    let signed = format!("5f2b.{}.{}", header("webhook-timestamp"), asked.body);
    assert_eq!(header("webhook-id"), "5f2b");
    assert_eq!(
        header("webhook-signature"),
        format!("v1,{}", BASE64_STANDARD.encode(code(bytes, &signed)))
    );
}

#[tokio::test]
async fn a_webhook_that_remembers_is_told_again_and_another_is_left_to_a_person() {
    let stage = echo(200, Some(json!({}))).await;
    let secret = "a secret of at least 24 bytes";
    let key = DedupeKey::stored("5f2b");
    let right = hook(stage.url(), webhook::Scheme::timestamped(), secret);
    let webhook = Webhook::new(right.clone()).expect("right settings");
    assert_eq!(webhook.delivered(&note("7"), &key).await, Ok(None));
    let forgetful = webhook::Settings { deduplicates: false, ..right.clone() };
    let forgetful = Webhook::new(forgetful).expect("right settings");
    assert!(matches!(
        forgetful.delivered(&note("7"), &key).await,
        Err(DeliveryError::Undecided(_))
    ));
    for (wrong, told) in [
        (
            webhook::Settings { secret: "short".to_owned().into(), ..right.clone() },
            "secret must have 24 bytes",
        ),
        (
            webhook::Settings { scheme: webhook::Scheme::Standard, ..right.clone() },
            "secret must be whsec_",
        ),
        (
            webhook::Settings {
                scheme: webhook::Scheme::Timestamped { header: "a b".to_owned() },
                ..right.clone()
            },
            "scheme.header",
        ),
    ] {
        let error = Webhook::new(wrong).err().expect("it is wrong");
        assert!(error.starts_with(told), "{error}");
    }
    // A description may leave to it what it hasn't.
    let settings = Settings {
        access: access(stage.url()),
        credentials: Credentials::None,
        headers: BTreeMap::new(),
        description: Description::default(),
        openapi: None,
        webhook: Some(right),
    };
    let crm = Generic::new(settings).expect("right settings");
    assert_eq!(crm.deliver(&note("7"), &key).await, Ok(RemoteId("5f2b".to_owned())));
    let task = Effect::CreateTask(crate::domain::NewTask {
        contact_id: "7".to_owned(),
        case: None,
        subject: Redacted::default(),
        body: Redacted::default(),
        due: None,
    });
    assert!(matches!(crm.deliver(&task, &key).await, Err(DeliveryError::Unsupported(_))));
}
