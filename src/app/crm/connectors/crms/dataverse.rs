//! Dynamics 365: an application user of Microsoft Entra.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::options::{Over, options};
use super::{Given, Made, made, url};
use crate::connect::crm::Crm;
use crate::connect::crm::dataverse::{Dataverse, Settings, client_credentials};

const ENTRA: &str = "https://login.microsoftonline.com";

options! {
    Options of Settings {
        api_path: String,
        statuses: BTreeMap<String, i64>,
        priorities: BTreeMap<String, i64>,
        closing_statuses: Vec<i64>,
        case_origin: i64,
        completes_calls: bool,
        tier_field: String,
        value_field: String,
    }
}

pub(super) fn make(given: &Given<'_>) -> Made<Arc<dyn Crm>> {
    given.no_token("dataverse")?;
    given.only("dataverse", &["tenant", "client_id", "client_secret", "url"])?;
    let login = given.login();
    let tenant = given.text("tenant", login.tenant.as_ref())?;
    let entra = url("crm.login.url", Some(login.url.as_deref().unwrap_or(ENTRA)))?;
    let access = given.access()?;
    let (id, secret) = given.client()?;
    let credentials = client_credentials(entra, &tenant, id, secret, &access.url);
    let mut settings = Settings::new(access, credentials);
    given.options::<Options>()?.over(&mut settings);
    made(Dataverse::new(settings), &[])
}
