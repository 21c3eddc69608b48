//! `[crm]`. Each system has a file that says which keys and options it takes.

mod bottlecrm;
mod dataverse;
mod generic;
mod hubspot;
mod odoo;
mod options;
mod rt;
mod salesforce;
mod servicenow;
#[cfg(test)]
mod tests;
mod zendesk;

use std::sync::Arc;

use reqwest::Url;
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Made, client, only, patience, placed, secret, secret_file, url};
use crate::config;
use crate::connect::crm::{Access, Crm};

const SYSTEMS: &str =
    "bottlecrm, rt, salesforce, hubspot, servicenow, zendesk, dataverse, odoo or generic";

/// `None` where there is none.
///
/// # Errors
/// Which settings can't be used, and why, a line each.
pub(super) fn crm(settings: &config::Crm) -> Made<Option<Arc<dyn Crm>>> {
    let given = Given { settings };
    let Some(system) = &settings.system else { return given.nothing().map(|()| None) };
    let make = match system.as_str() {
        "bottlecrm" => bottlecrm::make,
        "rt" => rt::make,
        "salesforce" => salesforce::make,
        "hubspot" => hubspot::make,
        "servicenow" => servicenow::make,
        "zendesk" => zendesk::make,
        "dataverse" => dataverse::make,
        "odoo" => odoo::make,
        "generic" => generic::make,
        other => return Err(format!("crm.system: is {SYSTEMS}, not {other:?}")),
    };
    if settings.webhook.is_some() && system != "generic" {
        return Err("crm.webhook: belongs to system = \"generic\"".to_owned());
    }
    make(&given).map(Some)
}

/// What the settings say, as the systems' files read it.
struct Given<'a> {
    settings: &'a config::Crm,
}

impl Given<'_> {
    fn nothing(&self) -> Made<()> {
        let config::Crm { url, token, token_file, login, options, .. } = self.settings;
        let is_meant = url.is_some()
            || token.is_some()
            || token_file.is_some()
            || !login.given().is_empty()
            || !options.is_empty();
        if is_meant { Err(format!("crm.system: is missing; it is {SYSTEMS}")) } else { Ok(()) }
    }

    fn access(&self) -> Made<Access> {
        self.access_at(url("crm.url", self.settings.url.as_deref())?)
    }

    fn access_at(&self, url: Url) -> Made<Access> {
        let config::Crm { name, region, patience_ms, .. } = self.settings;
        if name.is_empty() {
            return Err("crm.name: must not be empty".to_owned());
        }
        Ok(Access {
            name: name.clone(),
            url,
            patience: patience(*patience_ms),
            region: region.clone(),
        })
    }

    fn login(&self) -> &config::Login {
        &self.settings.login
    }

    /// Refuses other keys than those that the system takes.
    fn only(&self, system: &str, login: &[&str]) -> Made<()> {
        only(self.login(), "crm.login", system, login)
    }

    /// Where `crm.login` alone opens it.
    fn no_token(&self, system: &str) -> Made<()> {
        match self.has_token() {
            true => Err(format!("crm.token: isn't used by {system}, which wants crm.login")),
            false => Ok(()),
        }
    }

    fn has_token(&self) -> bool {
        self.settings.token.is_some() || self.settings.token_file.is_some()
    }

    fn token(&self) -> Made<SecretString> {
        match (&self.settings.token, &self.settings.token_file) {
            (Some(token), None) if token.expose().trim().is_empty() => {
                Err("crm.token: is empty".to_owned())
            }
            (Some(token), None) => Ok(secret(token)),
            (None, Some(file)) => secret_file("crm.token_file", file),
            (None, None) => {
                Err("crm.token: is missing; or name a file in crm.token_file".to_owned())
            }
            (Some(_), Some(_)) => Err("crm.token_file: is given besides crm.token".to_owned()),
        }
    }

    fn user(&self) -> Made<String> {
        self.text("user", self.login().user.as_ref())
    }

    fn text(&self, name: &str, text: Option<&String>) -> Made<String> {
        let text = text.filter(|text| !text.is_empty()).cloned();
        text.ok_or_else(|| format!("crm.login.{name}: is missing"))
    }

    fn password(&self) -> Made<SecretString> {
        let password = self.login().password.as_ref();
        password.map(secret).ok_or_else(|| "crm.login.password: is missing".to_owned())
    }

    fn client(&self) -> Made<(String, SecretString)> {
        let client = client(self.login(), "crm.login")?;
        client.ok_or_else(|| "crm.login.client_id: is missing, with client_secret".to_owned())
    }

    /// The key that signs, where one is named.
    fn private_key(&self) -> Made<Option<SecretString>> {
        let file = self.login().private_key_file.as_deref();
        file.map(|file| secret_file("crm.login.private_key_file", file)).transpose()
    }

    /// What only this system has.
    fn options<T: DeserializeOwned>(&self) -> Made<T> {
        let table: toml::Table = self.settings.options.clone().into_iter().collect();
        serde_path_to_error::deserialize(toml::Value::Table(table)).map_err(|error| {
            let path = error.path().to_string();
            let what = error.inner().message();
            match path.as_str() {
                "." => format!("crm.options: {what}"),
                path => format!("crm.options.{path}: {what}"),
            }
        })
    }
}

/// The connector, or its complaint with the settings' places; `places` are those that are this system's own.
fn made<T: Crm + 'static>(
    connector: Result<T, String>,
    places: &[(&str, &str)],
) -> Made<Arc<dyn Crm>> {
    let usual = [("url", "crm.url"), ("user", "crm.login.user"), ("key", "crm.token")];
    let all: Vec<(&str, &str)> = places.iter().chain(&usual).copied().collect();
    match connector {
        Ok(connector) => Ok(Arc::new(connector)),
        Err(problem) => Err(placed(&problem, "crm.options", &all)),
    }
}

/// An address among the options.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Address(Url);

impl TryFrom<String> for Address {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let url: Url = text.parse().map_err(|_| "must be http(s)://host…")?;
        let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
        if is_web { Ok(Self(url)) } else { Err("must be http(s)://host…") }
    }
}
