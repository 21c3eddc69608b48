//! Salesforce: an application with a secret, or with a key that signs for a user.

use std::sync::Arc;

use serde::Deserialize;

use super::options::{Over, options};
use super::{Given, Made, made};
use crate::connect::crm::Crm;
use crate::connect::crm::salesforce::{
    Articles, Salesforce, Settings, client_credentials, jwt_bearer,
};
use crate::connect::oauth::Credentials;

/// Production; a sandbox is at `https://test.salesforce.com`.
const LOGIN: &str = "https://login.salesforce.com";

options! {
    Options of Settings {
        api_version: String,
        key_field: String,
        tier_field: String,
        value_field: String,
        case_origin: String,
        completed_status: String,
        open_status: String,
        articles: ArticleOptions,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ArticleOptions {
    #[serde(default = "lightning")]
    object: String,
    body_field: String,
    #[serde(default = "english")]
    language: String,
}

fn lightning() -> String {
    "Knowledge__kav".to_owned()
}

fn english() -> String {
    "en_US".to_owned()
}

impl Over<Option<Articles>> for ArticleOptions {
    fn over(self, target: &mut Option<Articles>) {
        let Self { object, body_field, language } = self;
        *target = Some(Articles { object, body_field, language });
    }
}

pub(super) fn make(given: &Given<'_>) -> Made<Arc<dyn Crm>> {
    given.no_token("salesforce")?;
    let mut settings = Settings::new(given.access()?, credentials(given)?);
    given.options::<Options>()?.over(&mut settings);
    made(Salesforce::new(settings), &[("key", "crm.login.private_key_file")])
}

fn credentials(given: &Given<'_>) -> Made<Credentials> {
    let Some(key) = given.private_key()? else {
        given.only("salesforce with a client_secret", &["client_id", "client_secret"])?;
        let (id, secret) = given.client()?;
        return Ok(client_credentials(id, secret));
    };
    let used = ["client_id", "private_key_file", "subject", "audience"];
    given.only("salesforce with a private_key_file", &used)?;
    let login = given.login();
    let id = given.text("client_id", login.client_id.as_ref())?;
    let user = given.text("subject", login.subject.as_ref())?;
    let audience = login.audience.clone().unwrap_or_else(|| LOGIN.to_owned());
    Ok(jwt_bearer(id, user, audience, key))
}
