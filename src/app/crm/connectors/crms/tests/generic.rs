//! The system that the settings describe.

use std::path::Path;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{mistake, read};
use crate::connect::crm::checked;
use crate::domain::{ContactKey, DedupeKey, Effect, NewCase, NewNote, Redacted};
use crate::insight::redaction::typed;

#[test]
fn all_mistakes_of_a_description_are_told() {
    let text = "system = 'generic'\nurl = 'https://c'\n[options.operations.find_by_id]\npath = 'people'\n\
                fields = { size = 's' }\n[options.operations.add_note]\noperation = 'addNote'";
    let error = mistake(text);
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines.len(), 4, "{error}");
    assert!(lines.iter().all(|line| line.starts_with("crm.options.operations.")), "{error}");
    let nothing = mistake("system = 'generic'\nurl = 'https://c'");
    assert!(nothing.starts_with("crm.options.operations: describes none"), "{nothing}");
}

#[test]
fn ways_in_of_the_generic_one_are_checked() {
    let least =
        "system = 'generic'\nurl = 'https://c'\noptions.operations.add_note = { path = '/n' }\n";
    for right in [
        "",
        "token = 'k'\noptions.key_header = 'X-Api-Key'",
        "login = { user = 'u', password = 'p', headers = { X-Tenant = '7' } }",
        "login = { client_id = 'i', client_secret = 's', path = '/token', scope = 'all', url = 'https://login' }",
        "webhook = { url = 'https://h/in?code=1', secret = '0123456789abcdef0123456789abcdef', header = 'X-Sign' }",
    ] {
        read(&format!("{least}{right}")).unwrap_or_else(|error| panic!("{right}: {error}"));
    }
    for (wrong, told) in [
        ("login.user = 'u'", "crm.login.password: is missing"),
        ("login = { client_id = 'i', client_secret = 's' }", "crm.login.path: is missing"),
        ("options.key_header = 'X-Key'", "crm.options.key_header: wants crm.token"),
        ("token = 'k'\noptions.key_header = 'a b'", "crm.login.headers: must be names and values"),
        ("token = 'k'\nlogin.scope = 'all'", "crm.login.scope: isn't used by generic with a token"),
        (
            "webhook = { url = 'https://h', secret = 'short' }",
            "crm.webhook.secret: must have 24 bytes",
        ),
        ("webhook = { url = 'h', secret = 's' }", "crm.webhook.url: must be http(s)://host…"),
        (
            "webhook = { url = 'https://h', secret = 's', operations = ['fly'] }",
            "crm.webhook.operations: \"fly\" is none; there is create_case",
        ),
        (
            "webhook = { url = 'https://h', secret = 's', scheme = 'standard', header = 'X' }",
            "crm.webhook.header: belongs to scheme",
        ),
    ] {
        let error = mistake(&format!("{least}{wrong}"));
        assert!(error.starts_with(told), "{wrong}: {error}");
    }
}

/// Answers as the description in the test says, and tells what it was asked.
async fn desk(asked: mpsc::UnboundedSender<(String, HeaderMap, Value)>) -> String {
    type Asked = State<mpsc::UnboundedSender<(String, HeaderMap, Value)>>;
    async fn people(
        State(asked): Asked,
        headers: HeaderMap,
        query: Query<Vec<(String, String)>>,
    ) -> Json<Value> {
        _ = asked.send(("people".to_owned(), headers, json!(query.0)));
        Json(json!({"people": [{"ref": "P-7", "name": "Ada", "phone": "020 7946 0123"}]}))
    }
    async fn note(
        State(asked): Asked,
        headers: HeaderMap,
        body: Json<Value>,
    ) -> (StatusCode, Json<Value>) {
        _ = asked.send(("note".to_owned(), headers, body.0));
        (StatusCode::CREATED, Json(json!({"note": {"id": 12}})))
    }
    async fn hook(State(asked): Asked, headers: HeaderMap, body: Json<Value>) -> StatusCode {
        _ = asked.send(("hook".to_owned(), headers, body.0));
        StatusCode::NO_CONTENT
    }
    let router = Router::new()
        .route("/api/people", get(people))
        .route("/api/people/{id}/notes", post(note))
        .route("/hook", post(hook))
        .with_state(asked);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

#[tokio::test]
async fn a_described_system_is_read_and_written() {
    let (told, mut asked) = mpsc::unbounded_channel();
    let url = desk(told).await;
    let text = format!(
        r#"
system = "generic"
name = "desk"
url = "{url}/api"
token = "key-1"
region = "GB"
login.headers = {{ X-Tenant = "7" }}
webhook = {{ url = "{url}/hook", secret = "0123456789abcdef0123456789abcdef", deduplicates = true }}

[options]
key_header = "X-Api-Key"

[options.operations.find_by_phone]
path = "/people"
query = {{ phone = "{{{{ phone }}}}" }}
items = "people"
fields = {{ id = "ref", name = "name", phones = "phone" }}

[options.operations.add_note]
method = "POST"
path = "/people/{{{{ contact_id }}}}/notes"
body = {{ text = "{{{{ body | marked }}}}" }}
id = "note.id"
"#
    );
    let crm = read(&text).unwrap_or_else(|error| panic!("{error}")).expect("there is one");
    let key = ContactKey::Phone("+442079460123".to_owned());
    let found = checked::find(&*crm, &key, "GB").await.expect("it answers");
    assert_eq!(found.iter().map(|one| one.id.as_str()).collect::<Vec<&str>>(), ["P-7"]);
    let (_, headers, query) = asked.recv().await.expect("it was asked");
    assert_eq!(
        (&headers["x-api-key"], &headers["x-tenant"]),
        (&"key-1".parse().expect("one"), &"7".parse().expect("one"))
    );
    assert_eq!(query, json!([["phone", "+442079460123"]]));

    let dedupe = DedupeKey::of(&["a note"]);
    let note = Effect::AddNote(NewNote {
        contact_id: "P-7".to_owned(),
        case: None,
        subject: Redacted::default(),
        body: typed("She waits."),
    });
    assert_eq!(crm.deliver(&note, &dedupe).await.expect("it is taken").0, "12");
    let (_, _, body) = asked.recv().await.expect("it was asked");
    assert_eq!(body, json!({"text": format!("She waits.\n\n{}", dedupe.marker())}));

    // What isn't described goes to the webhook.
    let case = Effect::CreateCase(NewCase {
        contact_id: "P-7".to_owned(),
        subject: typed("Late"),
        body: typed("It is late."),
        priority: None,
    });
    crm.deliver(&case, &dedupe).await.expect("it is taken");
    let (place, headers, body) = asked.recv().await.expect("it was told");
    assert_eq!((place.as_str(), &body["type"]), ("hook", &json!("backchannel.effect.create_case")));
    assert!(headers["x-backchannel-signature"].to_str().expect("a text").starts_with("t="));
}

/// The description that the connector's own tests run against a played system.
#[test]
fn the_shipped_description_is_taken_with_its_document() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cassettes/crm/generic");
    let description = std::fs::read_to_string(folder.join("desk.toml")).expect("it is shipped");
    let options = description.replace("[operations.", "[options.operations.");
    let document = folder.join("desk.yaml");
    // The address is the document's.
    let text = format!(
        "system = 'generic'\ntoken = 'k'\noptions.openapi = '{}'\n{options}",
        document.display()
    );
    assert_eq!(
        read(&text).unwrap_or_else(|error| panic!("{error}")).expect("there is one").system(),
        "generic"
    );
    let error = mistake(&text.replace("openapi = ", "client_in_form = true #"));
    assert!(error.starts_with("crm.url: is missing"), "{error}");
}
