use std::path::Path;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::*;
use crate::connect::crm::checked;
use crate::domain::{ContactKey, DedupeKey, Effect, NewCase, NewNote, Redacted};
use crate::insight::redaction::typed;

/// The least that each system needs.
const MINIMAL: [(&str, &str); 13] = [
    ("bottlecrm", "url = 'https://crm.example.org'\ntoken = 'bcrm_pat_1'"),
    ("rt", "url = 'https://rt.example.org'\ntoken = '1-23-456'"),
    (
        "salesforce",
        "url = 'https://example.my.salesforce.com'\nlogin = { client_id = '3MVG', client_secret = 's' }",
    ),
    ("hubspot", "token = 'pat-eu1-1'"),
    ("servicenow", "url = 'https://example.service-now.com'\ntoken = 'now_1'"),
    (
        "servicenow",
        "url = 'https://example.service-now.com'\nlogin = { user = 'backchannel', password = 's' }",
    ),
    (
        "servicenow",
        "url = 'https://example.service-now.com'\nlogin = { client_id = 'i', client_secret = 's' }",
    ),
    (
        "zendesk",
        "url = 'https://example.zendesk.com'\ntoken = 't'\nlogin = { user = 'copilot@example.org' }",
    ),
    ("zendesk", "url = 'https://example.zendesk.com'\ntoken = 'an OAuth access token'"),
    (
        "dataverse",
        "url = 'https://example.crm4.dynamics.com'\n\
         login = { tenant = 'example.org', client_id = 'i', client_secret = 's' }",
    ),
    ("odoo", "url = 'https://example.odoo.com'\ntoken = 'k'"),
    (
        "odoo",
        "url = 'https://odoo.example.org'\ntoken = 'k'\nlogin = { user = 'copilot@example.org' }\n\
         options = { protocol = 'jsonrpc', database = 'example' }",
    ),
    (
        "generic",
        "url = 'https://crm.example.org/api'\ntoken = 'k'\n\
         options.operations.add_note = { method = 'POST', path = '/notes', body = { text = '{{ body }}' } }",
    ),
];

/// All options of a system, with values that it takes.
const EVERYTHING: [(&str, &str); 8] = [
    (
        "bottlecrm",
        "web = 'https://desk.example.org'\ntier_field = 'plan'\nvalue_field = 'arr'\nopen_statuses = ['New']\n\
         new_status = 'New'\npriority = 'Low'\ncase_type = 'Question'",
    ),
    (
        "rt",
        "queue = 'Calls'\ntask_queue = 'Tasks'\nclosed_status = 'resolved'\nphone_fields = ['WorkPhone']\n\
         key_field = 'Key'\ntier_field = 'Plan'\nvalue_field = 'Value'\npriorities = { Low = 0, High = 9 }\n\
         article_class = 'Drafts'\narticle_field = 'Content'\nautoreply = true",
    ),
    (
        "salesforce",
        "api_version = 'v60.0'\nkey_field = 'Key__c'\ntier_field = ''\nvalue_field = 'Account.Value__c'\n\
         case_origin = 'Phone'\ncompleted_status = 'Completed'\nopen_status = 'Open'\n\
         articles = { body_field = 'Body__c', language = 'de' }",
    ),
    (
        "hubspot",
        "key_property = ''\nobjects_path = '/crm/objects/2026-03'\npipelines_path = '/p'\nowners_path = '/o'\n\
         pipeline = '0'\nstage = '1'\ntier_property = 'plan'\nvalue_property = 'arr'\nportal_id = 42\n\
         associations = { ticket_to_contact = 1, note_to_contact = 2, note_to_ticket = 3, call_to_contact = 4, \
         call_to_ticket = 5, task_to_contact = 6, task_to_ticket = 7 }",
    ),
    (
        "servicenow",
        "customer_service = true\napi_path = '/api/now'\ncontact_table = 'customer_contact'\ncase_table = 'c'\n\
         case_contact_field = 'contact'\npriority_field = 'priority'\ntask_table = 't'\ntier_field = ''\n\
         value_field = 'u_value'\nknowledge_base = '0123456789abcdef0123456789abcdef'\n\
         interactions = { table = '', contact_field = 'opened_for' }",
    ),
    (
        "zendesk",
        "api_path = '/api/v2'\ntier_field = 'plan'\nvalue_field = 'arr'\n\
         call_tickets = { status = 'solved', assignee_id = 7 }\n\
         articles = { locale = 'de', section_id = 1, permission_group_id = 2, user_segment_id = 3 }",
    ),
    (
        "dataverse",
        "api_path = '/api/data/v9.2'\nstatuses = { Open = 1 }\npriorities = { High = 1 }\nclosing_statuses = [5]\n\
         case_origin = 1\ncompletes_calls = false\ntier_field = 'tier'\nvalue_field = ''",
    ),
    (
        "odoo",
        "protocol = 'json2'\ndatabase = 'example'\ncase_model = 'project.task'\nstage_model = 'project.task.type'\n\
         open_domain = [['stage_id.fold', '=', false]]\nnumber_field = 'code'\nphone_fields = ['phone']\n\
         phone_search = 'spellings'\ntier_field = 'x_tier'\nvalue_field = 'x_value'\ntask_user_id = 2\n\
         articles = { parent_id = 3 }",
    ),
];

fn read(text: &str) -> Made<Option<Arc<dyn Crm>>> {
    crm(&toml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}")))
}

fn minimal(system: &str) -> String {
    let (_, text) = MINIMAL.iter().find(|(name, _)| *name == system).expect("a system");
    format!("system = '{system}'\n{text}\n")
}

fn mistake(text: &str) -> String {
    read(text).err().unwrap_or_else(|| panic!("{text}: nothing is wrong"))
}

#[test]
fn every_system_is_made_from_the_least_that_it_needs() {
    for (system, text) in MINIMAL {
        let made = read(&format!("system = '{system}'\nname = 'ours'\n{text}"));
        let made = made.unwrap_or_else(|error| panic!("{system}: {error}")).expect("there is one");
        assert_eq!((made.system(), made.name()), (system, "ours"));
    }
    assert!(read("").expect("nothing is wrong").is_none());
}

#[test]
fn every_option_is_known() {
    for (system, options) in EVERYTHING {
        let made = read(&format!("{}[options]\n{options}", minimal(system)));
        made.unwrap_or_else(|error| panic!("{system}: {error}"));
    }
}

#[test]
fn what_is_missing_is_named() {
    for (text, told) in [
        ("url = 'https://crm.example.org'", "crm.system: is missing; it is bottlecrm, rt"),
        ("system = 'siebel'", "crm.system: is bottlecrm, rt, salesforce"),
        ("system = 'bottlecrm'\ntoken = 'k'", "crm.url: is missing"),
        ("system = 'bottlecrm'\nurl = 'crm'\ntoken = 'k'", "crm.url: must be http(s)://host…"),
        (
            "system = 'bottlecrm'\nurl = 'ftp://crm'\ntoken = 'k'",
            "crm.url: must be http(s)://host…",
        ),
        ("system = 'bottlecrm'\nurl = 'https://c'", "crm.token: is missing; or name a file"),
        ("system = 'bottlecrm'\nurl = 'https://c'\ntoken = ''", "crm.token: is empty"),
        ("system = 'bottlecrm'\nurl = 'https://c'\ntoken = \"a\\nb\"", "crm.token: must be"),
        ("system = 'rt'\nurl = 'https://c'\ntoken = 'k'\nname = ''", "crm.name: must not be empty"),
        (
            "system = 'rt'\nurl = 'https://c'\ntoken = 'k'\ntoken_file = 'f'",
            "crm.token_file: is given besides",
        ),
        (
            "system = 'rt'\nurl = 'https://c'\ntoken_file = '/none/such'",
            "crm.token_file: /none/such: ",
        ),
        (
            "system = 'rt'\nurl = 'https://c'\ntoken = 'k'\nlogin.user = 'u'",
            "crm.login.user: isn't used by rt",
        ),
        (
            "system = 'rt'\nurl = 'https://c'\ntoken = 'k'\nwebhook = { url = 'u', secret = 's' }",
            "crm.webhook: ",
        ),
        ("system = 'hubspot'\ntoken = \"a\\nb\"", "crm.token: must be one line"),
        (
            "system = 'salesforce'\nurl = 'https://c'\ntoken = 'k'",
            "crm.token: isn't used by salesforce",
        ),
        (
            "system = 'salesforce'\nurl = 'https://c'",
            "crm.login.client_id: is missing, with client_secret",
        ),
        (
            "system = 'salesforce'\nurl = 'https://c'\nlogin.client_id = 'i'",
            "crm.login.client_secret: is missing",
        ),
        (
            "system = 'salesforce'\nurl = 'https://c'\nlogin = { client_id = 'i', private_key_file = '/none/such' }",
            "crm.login.private_key_file: /none/such: ",
        ),
        (
            "system = 'servicenow'\nurl = 'https://c'",
            "crm.token: is missing; or give crm.login its user",
        ),
        (
            "system = 'servicenow'\nurl = 'https://c'\nlogin.user = 'u'",
            "crm.login.password: is missing",
        ),
        (
            "system = 'servicenow'\nurl = 'https://c'\nlogin = { user = 'a:b', password = 'p' }",
            "crm.login.user: must not hold a colon",
        ),
        (
            "system = 'servicenow'\nurl = 'https://c'\ntoken = 'k'\nlogin.user = 'u'",
            "crm.login.user: isn't used by servicenow with a token",
        ),
        (
            "system = 'dataverse'\nurl = 'https://c'\nlogin = { client_id = 'i', client_secret = 's' }",
            "crm.login.tenant: is missing",
        ),
        (
            "system = 'odoo'\nurl = 'https://c'\ntoken = 'k'\noptions.protocol = 'jsonrpc'",
            "crm.options.database: is missing",
        ),
        (
            "system = 'odoo'\nurl = 'https://c'\ntoken = 'k'\noptions = { protocol = 'jsonrpc', database = 'd' }",
            "crm.login.user: is missing",
        ),
    ] {
        let error = mistake(text);
        assert!(error.starts_with(told), "{text}: {error}");
    }
}

#[test]
fn a_wrong_option_is_named() {
    for (system, options, told) in [
        (
            "bottlecrm",
            "tiers = 'plan'",
            "crm.options.tiers: unknown field `tiers`, expected one of `web`, `tier_field`",
        ),
        (
            "bottlecrm",
            "tier_field = 7",
            "crm.options.tier_field: invalid type: integer `7`, expected a string",
        ),
        ("bottlecrm", "web = 'desk'", "crm.options.web: must be http(s)://host…"),
        (
            "bottlecrm",
            "open_statuses = []",
            "crm.options.open_statuses: must name a status at least",
        ),
        ("rt", "phone_fields = ['Work Phone']", "crm.options.phone_fields: must be a field's name"),
        ("rt", "priorities = { Low = 'none' }", "crm.options.priorities.Low: invalid type"),
        ("salesforce", "api_version = '67'", "crm.options.api_version: must be v46.0 or later"),
        (
            "salesforce",
            "tier_field = 'a b'",
            "crm.options.tier_field: must be a field's name, not \"a b\"",
        ),
        ("salesforce", "articles = {}", "crm.options.articles: missing field `body_field`"),
        (
            "salesforce",
            "articles = { body_field = '' }",
            "crm.options.articles.body_field: must be a field's name",
        ),
        ("hubspot", "key_property = 'a b'", "crm.options.key_property: must be a field's name"),
        (
            "hubspot",
            "associations = { to_contact = 1 }",
            "crm.options.associations.to_contact: unknown field",
        ),
        (
            "servicenow",
            "interactions = { table = 'a b' }",
            "crm.options.interactions.table: must be a field's name",
        ),
        ("servicenow", "knowledge_base = 'kb'", "crm.options.knowledge_base: must be a sys_id"),
        (
            "zendesk",
            "call_tickets = { status = 'closed' }",
            "crm.options.call_tickets.status: must be one of new, ",
        ),
        (
            "dataverse",
            "closing_statuses = ['Solved']",
            "crm.options.closing_statuses[0]: invalid type",
        ),
        ("odoo", "protocol = 'soap'", "crm.options.protocol: unknown variant `soap`"),
        ("odoo", "open_domain = [['a', '=']]", "crm.options.open_domain: must hold conditions"),
        ("odoo", "phone_fields = []", "crm.options.phone_fields: must name a field"),
        ("generic", "fields = {}", "crm.options.fields: unknown field"),
        (
            "generic",
            "operations.fly = { path = '/' }",
            "crm.options.operations.fly: is no operation; there is",
        ),
        (
            "generic",
            "operations.add_note = { paht = '/' }",
            "crm.options.operations.add_note.paht: unknown field `paht`",
        ),
        (
            "generic",
            "operations.add_note = { path = '/notes', query = { text = '{{ bdy }}' } }",
            "crm.options.operations.add_note.query.text: uses \"bdy\"; there is",
        ),
        (
            "generic",
            "operations.add_note = { path = '/notes', headers = { X-Api-Key = 'k' } }",
            "crm.options.operations.add_note.headers.X-Api-Key: keys stand in crm.token or crm.login.headers",
        ),
        (
            "generic",
            "openapi = '/none/such'\noperations.fly = { path = '/' }",
            "crm.options.openapi: /none/such: ",
        ),
    ] {
        // Its own operation is put aside.
        let least = minimal(system);
        let least = least.split("options.").next().expect("a part");
        let error = mistake(&format!("{least}[options]\n{options}"));
        assert!(error.starts_with(told), "{system}, {options}: {error}");
    }
}

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

#[test]
fn secrets_come_from_files_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("it is written");
        path.display().to_string()
    };
    let token = file("token", "pat-eu1-1\n");
    read(&format!("system = 'hubspot'\ntoken_file = '{token}'"))
        .expect("the last line break is none of it");
    let empty = mistake(&format!("system = 'hubspot'\ntoken_file = '{}'", file("empty", "\n")));
    assert!(empty.ends_with("empty: is empty"), "{empty}");

    let pair = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).expect("a key");
    let der = aws_lc_rs::encoding::AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair)
        .expect("it has a form");
    let lines = BASE64_STANDARD.encode(der.as_ref());
    let pem = file(
        "key.pem",
        &format!("-----BEGIN PRIVATE KEY-----\n{lines}\n-----END PRIVATE KEY-----\n"),
    );
    let salesforce = |key: &str, more: &str| {
        let login = format!("client_id = '3MVG', private_key_file = '{key}'{more}");
        read(&format!("system = 'salesforce'\nurl = 'https://c'\nlogin = {{ {login} }}"))
    };
    salesforce(&pem, ", subject = 'copilot@example.org'").expect("it signs");
    let error = salesforce(&pem, "").err().expect("for nobody");
    assert!(error.starts_with("crm.login.subject: is missing"), "{error}");
    let error = salesforce(&token, ", subject = 'u'").err().expect("no key");
    assert!(error.starts_with("crm.login.private_key_file: must be an RSA key in PEM"), "{error}");
    let error = salesforce(&pem, ", subject = 'u', client_secret = 's'").err().expect("two keys");
    assert!(
        error.starts_with("crm.login.client_secret: isn't used by salesforce with a private"),
        "{error}"
    );
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
