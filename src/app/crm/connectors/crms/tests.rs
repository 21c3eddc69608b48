mod generic;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::*;

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
