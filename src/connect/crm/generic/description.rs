//! What the settings say of a system: an operation each for what is asked and done, in the words of TOML.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// All operations, by name. Those that are absent the system hasn't.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Description {
    pub operations: BTreeMap<String, Operation>,
}

/// One request and what its answer means. Strings of path, query, headers and body are templates.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Operation {
    /// With `path`, or else `operation` says both.
    pub method: Option<String>,
    pub path: Option<String>,
    /// The `operationId` in the OpenAPI document.
    pub operation: Option<String>,
    /// Of that operation, by name, wherever they go.
    pub parameters: BTreeMap<String, String>,
    /// Left out where they are empty, as headers are.
    pub query: BTreeMap<String, String>,
    pub headers: BTreeMap<String, String>,
    /// A JSON document.
    pub body: Option<Value>,
    /// Or a form.
    pub form: BTreeMap<String, String>,

    /// Where the records stand in the answer; the answer itself where it is absent.
    pub items: Option<String>,
    /// Of each record.
    pub fields: BTreeMap<String, String>,
    /// Of each case: its entries, and their fields.
    pub entries: Option<String>,
    pub entry_fields: BTreeMap<String, String>,
    /// A 404 means "none", not "a wrong address".
    pub none_on_404: bool,
    /// How many records a full page has: the next one is asked for, as `page`, until one isn't full.
    pub page_size: Option<usize>,
    pub first_page: Option<usize>,

    /// What is `true` in the answer when it was done; for systems that answer with 200 whatever happened.
    pub success: Option<String>,
    /// The identifier of what was made; the key where it is absent.
    pub id: Option<String>,
    /// Done again under the same key, it is done once: the system sees to that.
    pub repeatable: bool,
    /// How what was made is found again.
    pub delivered: Option<Box<Lookup>>,
}

/// A request that finds what an earlier one made.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lookup {
    pub method: Option<String>,
    pub path: Option<String>,
    pub operation: Option<String>,
    pub parameters: BTreeMap<String, String>,
    pub query: BTreeMap<String, String>,
    pub headers: BTreeMap<String, String>,
    pub body: Option<Value>,
    pub items: Option<String>,
    /// Of each record: what is the key, or has the marker in it.
    pub key: String,
    pub id: String,
    pub none_on_404: bool,
    pub page_size: Option<usize>,
    pub first_page: Option<usize>,
    /// The request asks for the key: somebody else's record among the answers is an error.
    pub is_filtered: bool,
}

impl Lookup {
    /// The request of it, as of any operation.
    pub fn request(&self) -> Operation {
        Operation {
            method: self.method.clone(),
            path: self.path.clone(),
            operation: self.operation.clone(),
            parameters: self.parameters.clone(),
            query: self.query.clone(),
            headers: self.headers.clone(),
            body: self.body.clone(),
            items: self.items.clone(),
            none_on_404: self.none_on_404,
            page_size: self.page_size,
            first_page: self.first_page,
            ..Operation::default()
        }
    }
}

/// Operations that ask, with the names that their templates may use and the fields that their records may have.
pub const READS: [(&str, &[&str], &[&str]); 7] = [
    ("find_by_phone", &["phone", "digits", "national", "spellings", "page"], CONTACT),
    ("find_by_email", &["email", "page"], CONTACT),
    ("find_by_id", &["id"], CONTACT),
    ("open_cases", &["contact_id", "contact", "limit", "page"], CASE),
    ("case_history", &["case_id", "contact_id", "limit", "page"], ENTRY),
    ("history", &["contact_id", "contact", "limit", "page"], ENTRY),
    ("account_facts", &["contact_id", "contact"], &["tier", "value", "since", "owner", "products"]),
];

/// Operations that write.
pub const WRITES: [&str; 6] =
    ["create_case", "update_case", "add_note", "log_call", "create_task", "push_article"];

const CONTACT: &[&str] = &["id", "name", "phones", "emails", "company", "url"];
const CASE: &[&str] = &[
    "id",
    "number",
    "subject",
    "status",
    "priority",
    "opened_at",
    "updated_at",
    "owner",
    "version",
    "url",
    "contact_id",
];
pub const ENTRY: &[&str] = &["kind", "at", "by", "text", "contact_id"];
