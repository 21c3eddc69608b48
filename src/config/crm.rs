//! `[crm]`: the customer-relationship system that the company keeps.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize, Serializer};

use super::Secret;

/// The CRM that the company has.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Crm {
    /// bottlecrm, rt, salesforce, hubspot, servicenow, zendesk, dataverse, odoo or generic. Absent: there is none.
    pub system: Option<String>,
    /// How it is called in events and on pages.
    pub name: String,
    #[serde(serialize_with = "without_userinfo")]
    pub url: Option<String>,
    /// The key of a user of its own with as few rights as possible.
    pub token: Option<Secret>,
    /// A file that holds the key, instead of `token`.
    pub token_file: Option<PathBuf>,
    /// ISO 3166-1: where numbers without a country code are.
    pub region: String,
    /// For one request.
    pub patience_ms: u64,
    /// A write without an answer is looked for so long after that, since the CRM may still be at it. Longer than its
    /// slowest write; at most 900000.
    pub settle_ms: u64,
    /// Attributes of a call that name its customer by number, address or `contact_id`, before the usual ones.
    pub identify_by: Vec<String>,
    /// Where a key alone doesn't open it.
    pub login: Login,
    /// What only this system has, such as the name of a field. Printed, so no place for secrets.
    #[serde(serialize_with = "without_secrets")]
    pub options: BTreeMap<String, toml::Value>,
    /// Of `generic`: takes what no operation is described for.
    pub webhook: Option<Webhook>,
    pub writes: Writes,
    /// By a disposition's label, the status that the chosen case gets, in the CRM's own words.
    pub case_statuses: BTreeMap<String, String>,
}

impl Default for Crm {
    fn default() -> Self {
        Self {
            system: None,
            name: "crm".to_owned(),
            url: None,
            token: None,
            token_file: None,
            region: "US".to_owned(),
            patience_ms: 5_000,
            settle_ms: 60_000,
            identify_by: Vec::new(),
            login: Login::default(),
            options: BTreeMap::new(),
            webhook: None,
            writes: Writes::default(),
            case_statuses: BTreeMap::new(),
        }
    }
}

/// How a program proves who it is: by a password, or by what an access token is given for. Each system takes some of
/// these, and refuses the others.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Login {
    pub user: Option<String>,
    pub password: Option<Secret>,
    /// An application's, with `client_secret` or `private_key_file`.
    pub client_id: Option<String>,
    pub client_secret: Option<Secret>,
    /// An RSA key in PEM, which signs instead of a secret.
    pub private_key_file: Option<PathBuf>,
    /// With the key: in whose name, and for whom it is signed.
    pub subject: Option<String>,
    pub audience: Option<String>,
    /// Of Microsoft Entra.
    pub tenant: Option<String>,
    /// Who gives tokens, where that is another server.
    #[serde(serialize_with = "without_userinfo")]
    pub url: Option<String>,
    /// Where tokens are given there.
    pub path: Option<String>,
    pub scope: Option<String>,
    /// Go with every request.
    pub headers: BTreeMap<String, Secret>,
}

impl Login {
    /// The settings that are given, by name.
    pub fn given(&self) -> Vec<&'static str> {
        let all = [
            ("user", self.user.is_some()),
            ("password", self.password.is_some()),
            ("client_id", self.client_id.is_some()),
            ("client_secret", self.client_secret.is_some()),
            ("private_key_file", self.private_key_file.is_some()),
            ("subject", self.subject.is_some()),
            ("audience", self.audience.is_some()),
            ("tenant", self.tenant.is_some()),
            ("url", self.url.is_some()),
            ("path", self.path.is_some()),
            ("scope", self.scope.is_some()),
            ("headers", !self.headers.is_empty()),
        ];
        all.into_iter().filter(|(_, is_given)| *is_given).map(|(name, _)| name).collect()
    }
}

/// A receiver of signed messages.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// The whole address, which may hold a secret itself.
    pub url: Secret,
    /// Signs.
    pub secret: Secret,
    /// Signs too, while the receiver changes to the new one.
    pub previous_secret: Option<Secret>,
    /// Goes along as `Authorization: Bearer`.
    pub token: Option<Secret>,
    #[serde(default)]
    pub scheme: WebhookScheme,
    /// Of `timestamped`, for its signature.
    pub header: Option<String>,
    /// What it is told of: `create_case`, `add_note`…; everything where none is named.
    #[serde(default)]
    pub operations: Vec<String>,
    /// The receiver does nothing twice under one `id`. Otherwise a person decides when an answer is lost.
    #[serde(default)]
    pub deduplicates: bool,
}

/// `timestamped` (`t=…,v1=…`) or `standard` (Standard Webhooks).
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum WebhookScheme {
    #[default]
    Timestamped,
    Standard,
}

/// What is written by itself, and what waits for a click.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    Automatic,
    #[default]
    Ask,
    Never,
}

/// `automatic` (at the end of the conversation), `ask` or `never`.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Writes {
    pub note: Rule,
    pub call: Rule,
    pub case: Rule,
    pub task: Rule,
    pub mail: Rule,
    pub meeting: Rule,
    /// The chosen case's status; `automatic` is `ask`, since a person chooses the case.
    pub status: Rule,
    /// Whether what is published here goes to the CRM's own knowledge base, as a draft.
    pub articles: bool,
    /// A model's better text and the agent's verdict get so long, before something is written by rule.
    pub automatic_after_s: u64,
}

impl Default for Writes {
    fn default() -> Self {
        Self {
            note: Rule::Ask,
            call: Rule::Ask,
            case: Rule::Ask,
            task: Rule::Ask,
            mail: Rule::Ask,
            meeting: Rule::Ask,
            status: Rule::Ask,
            articles: false,
            automatic_after_s: 20,
        }
    }
}

/// Whether what is called so is likely to hold a key.
pub fn sounds_secret(name: &str) -> bool {
    let name = name.to_lowercase().replace('-', "_");
    ["secret", "password", "token", "authorization", "cookie", "api_key", "apikey"]
        .iter()
        .any(|word| name.contains(word))
}

/// An address may hold a user and a password, which nobody prints.
fn without_userinfo<S: Serializer>(url: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    match url {
        Some(url) => serializer.serialize_some(&bare(url)),
        None => serializer.serialize_none(),
    }
}

/// Up to the last `@` before the path: a password may hold one.
fn bare(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => url.to_owned(),
    }
}

/// A key at the wrong place isn't printed either.
fn without_secrets<S: Serializer>(
    options: &BTreeMap<String, toml::Value>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(options.iter().map(|(name, value)| (name, hidden(name, value))))
}

fn hidden(name: &str, value: &toml::Value) -> toml::Value {
    match value {
        toml::Value::Table(table) => {
            let all = table.iter().map(|(name, value)| (name.clone(), hidden(name, value)));
            toml::Value::Table(all.collect())
        }
        toml::Value::Array(all) => {
            toml::Value::Array(all.iter().map(|one| hidden(name, one)).collect())
        }
        _ if sounds_secret(name) => toml::Value::String("[hidden]".to_owned()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_is_printed() {
        let text = r#"
system = "generic"
url = "https://ada:key-0@crm.example.test:8443/api"
token = "key-1"
[login]
url = "https://key-11:k@y-12@login.example.test"
user = "ada"
password = "key-2"
client_secret = "key-3"
headers = { X-Key = "key-4" }
[webhook]
url = "https://hooks.example.test/key-5"
secret = "key-6"
previous_secret = "key-7"
token = "key-8"
[options]
access_token = "key-9"
first_field = "tier"
[options.operations.add_note]
path = "/notes"
headers = { X-Api-Key = "key-10", X-Kind = "note" }
"#;
        let crm: Crm = toml::from_str(text).expect("settings");
        let printed = toml::to_string_pretty(&crm).expect("it can be printed");
        assert!(!printed.contains("key-") && !format!("{crm:?}").contains("key-1\""), "{printed}");
        for shown in [
            "https://crm.example.test:8443/api",
            "https://login.example.test",
            "ada",
            "tier",
            "/notes",
            "note",
            "X-Key",
        ] {
            assert!(printed.contains(shown), "{shown} in {printed}");
        }
        assert_eq!(crm.login.given(), ["user", "password", "client_secret", "url", "headers"]);
        assert!(toml::from_str::<Crm>("[login]\npasword = \"x\"").is_err());
    }
}
