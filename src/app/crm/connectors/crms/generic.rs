//! Any system over HTTP, described by the options: see the module of the connector for what a description says.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::{Given, Made, made, patience, secret, url};
use crate::config::{Webhook, WebhookScheme, sounds_secret};
use crate::connect::crm::generic::webhook::{self, Scheme};
use crate::connect::crm::generic::{self, Description, Generic, Operation, Settings};
use crate::connect::crm::{Access, Crm};
use crate::connect::oauth::{Credentials, Grant, GrantKind};

/// How long a token holds whose answer doesn't say it.
const TOKEN_LIFE: Duration = Duration::from_secs(600);
/// What a CRM is told of.
const WRITES: [&str; 6] =
    ["create_case", "update_case", "add_note", "log_call", "create_task", "push_article"];

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Options {
    /// A file, JSON or YAML.
    openapi: Option<PathBuf>,
    /// The header that `crm.token` goes in as it is; `Authorization: Bearer` where none is named.
    key_header: Option<String>,
    /// Whether client_id and client_secret go in the form, as some servers want it (RFC 6749, section 2.3.1).
    client_in_form: bool,
    operations: BTreeMap<String, Operation>,
}

pub(super) fn make(given: &Given<'_>) -> Made<Arc<dyn Crm>> {
    let options: Options = given.options()?;
    if options.operations.is_empty() && given.settings.webhook.is_none() {
        return Err(
            "crm.options.operations: describes none, and there is no crm.webhook".to_owned()
        );
    }
    keyless(&options.operations)?;
    let openapi = options.openapi.as_deref().map(|file| {
        fs::read_to_string(file)
            .map_err(|error| format!("crm.options.openapi: {}: {error}", file.display()))
    });
    let openapi = openapi.transpose()?;
    let (credentials, headers) = opening(given, &options)?;
    let settings = Settings {
        access: given.access_at(address(given, openapi.as_deref())?)?,
        credentials,
        headers,
        description: Description { operations: options.operations },
        openapi,
        webhook: given.settings.webhook.as_ref().map(|hook| webhook(given, hook)).transpose()?,
    };
    let key = match given.login().private_key_file.is_some() {
        true => "crm.login.private_key_file",
        false => "crm.token",
    };
    let places = [
        ("key", key),
        ("headers", "crm.login.headers"),
        ("webhook.url", "crm.webhook.url"),
        ("webhook.secret", "crm.webhook.secret"),
        ("webhook.previous_secret", "crm.webhook.previous_secret"),
        ("webhook.scheme.header", "crm.webhook.header"),
        ("webhook.key", "crm.webhook.token"),
    ];
    made(Generic::new(settings), &places)
}

/// Options are printed.
fn keyless(operations: &BTreeMap<String, Operation>) -> Made<()> {
    for (name, operation) in operations {
        let lookup = operation.delivered.as_deref().map(|lookup| &lookup.headers);
        for (header, value) in operation.headers.iter().chain(lookup.into_iter().flatten()) {
            if sounds_secret(header) && !value.contains("{{") {
                let place = format!("crm.options.operations.{name}.headers.{header}");
                return Err(format!("{place}: keys stand in crm.token or crm.login.headers"));
            }
        }
    }
    Ok(())
}

fn address(given: &Given<'_>, openapi: Option<&str>) -> Made<Url> {
    match (&given.settings.url, openapi) {
        (None, Some(document)) => generic::server(document)
            .map_err(|problem| format!("crm.url: is missing, and {problem}")),
        (text, _) => url("crm.url", text.as_deref()),
    }
}

type Opening = (Credentials, BTreeMap<String, String>);

fn opening(given: &Given<'_>, options: &Options) -> Made<Opening> {
    let login = given.login();
    let mut headers: BTreeMap<String, String> = login
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), value.expose().to_owned()))
        .collect();
    if given.has_token() {
        given.only("generic with a token", &["headers"])?;
        let token = given.token()?;
        let Some(name) = &options.key_header else {
            return Ok((Credentials::Bearer(token), headers));
        };
        headers.insert(name.clone(), token.expose_secret().to_owned());
        return Ok((Credentials::None, headers));
    }
    if options.key_header.is_some() {
        return Err("crm.options.key_header: wants crm.token".to_owned());
    }
    if login.client_id.is_some() || login.client_secret.is_some() {
        return Ok((Credentials::OAuth(grant(given, options)?), headers));
    }
    given.only("generic without a client_id", &["user", "password", "headers"])?;
    let credentials = match (&login.user, &login.password) {
        (None, None) => Credentials::None,
        _ => Credentials::Basic { user: given.user()?, password: given.password()? },
    };
    Ok((credentials, headers))
}

fn grant(given: &Given<'_>, options: &Options) -> Made<Grant> {
    let login = given.login();
    let common = ["client_id", "url", "path", "scope", "headers"];
    let kind = match given.private_key()? {
        None => {
            given.only(
                "generic with a client_secret",
                &[&common[..], &["client_secret"]].concat(),
            )?;
            let (id, secret) = given.client()?;
            GrantKind::ClientCredentials { id, secret, in_form: options.client_in_form }
        }
        Some(key) => {
            let own = ["private_key_file", "subject", "audience"];
            given.only("generic with a private_key_file", &[&common[..], &own].concat())?;
            GrantKind::JwtBearer {
                issuer: given.text("client_id", login.client_id.as_ref())?,
                subject: given.text("subject", login.subject.as_ref())?,
                audience: given.text("audience", login.audience.as_ref())?,
                key,
            }
        }
    };
    let issuer = login.url.as_deref();
    Ok(Grant {
        path: given.text("path", login.path.as_ref())?,
        issuer: issuer.map(|text| url("crm.login.url", Some(text))).transpose()?,
        kind,
        fields: login.scope.iter().map(|scope| ("scope", scope.clone())).collect(),
        life: TOKEN_LIFE,
    })
}

fn webhook(given: &Given<'_>, hook: &Webhook) -> Made<webhook::Settings> {
    let stray = hook.operations.iter().find(|name| !WRITES.contains(&name.as_str()));
    if let Some(name) = stray {
        let all = WRITES.join(", ");
        return Err(format!("crm.webhook.operations: {name:?} is none; there is {all}"));
    }
    let scheme = match (hook.scheme, &hook.header) {
        (WebhookScheme::Standard, None) => Scheme::Standard,
        (WebhookScheme::Standard, Some(_)) => {
            return Err("crm.webhook.header: belongs to scheme = \"timestamped\"".to_owned());
        }
        (WebhookScheme::Timestamped, None) => Scheme::timestamped(),
        (WebhookScheme::Timestamped, Some(name)) => Scheme::Timestamped { header: name.clone() },
    };
    Ok(webhook::Settings {
        access: Access {
            name: given.settings.name.clone(),
            url: url("crm.webhook.url", Some(hook.url.expose()))?,
            patience: patience(given.settings.patience_ms),
            region: given.settings.region.clone(),
        },
        credentials: hook
            .token
            .as_ref()
            .map_or(Credentials::None, |key| Credentials::Bearer(secret(key))),
        scheme,
        secret: secret(&hook.secret),
        previous_secret: hook.previous_secret.as_ref().map(secret),
        operations: hook.operations.clone(),
        deduplicates: hook.deduplicates,
    })
}
