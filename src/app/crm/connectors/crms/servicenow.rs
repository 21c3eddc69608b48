//! ServiceNow: an API key, a user's password, or an application.

use std::sync::Arc;

use super::options::{Over, options};
use super::{Given, Made, made};
use crate::connect::crm::Crm;
use crate::connect::crm::servicenow::{
    Interactions, ServiceNow, Settings, api_key, client_credentials,
};
use crate::connect::oauth::Credentials;

options! {
    Options of Settings {
        api_path: String,
        contact_table: String,
        case_table: String,
        case_contact_field: String,
        priority_field: String,
        task_table: String,
        interactions: InteractionOptions,
        tier_field: String,
        value_field: String,
        knowledge_base: String,
    } beside {
        customer_service: bool,
    }
}

options! {
    InteractionOptions of Interactions {
        table: String,
        contact_field: String,
    }
}

impl Over<Option<Interactions>> for InteractionOptions {
    fn over(self, target: &mut Option<Interactions>) {
        let nameless = || Interactions { table: String::new(), contact_field: String::new() };
        let mut interactions = target.take().unwrap_or_else(nameless);
        self.over(&mut interactions);
        *target = Some(interactions).filter(|one| !one.table.is_empty());
    }
}

pub(super) fn make(given: &Given<'_>) -> Made<Arc<dyn Crm>> {
    let (access, credentials) = (given.access()?, credentials(given)?);
    let options: Options = given.options()?;
    let mut settings = match options.customer_service {
        true => Settings::customer_service(access, credentials),
        false => Settings::new(access, credentials),
    };
    options.over(&mut settings);
    made(ServiceNow::new(settings), &[])
}

fn credentials(given: &Given<'_>) -> Made<Credentials> {
    if given.has_token() {
        given.only("servicenow with a token", &[])?;
        return Ok(api_key(given.token()?));
    }
    if given.login().client_id.is_some() || given.login().client_secret.is_some() {
        given.only("servicenow with a client_id", &["client_id", "client_secret"])?;
        let (id, secret) = given.client()?;
        return Ok(client_credentials(id, secret));
    }
    given.only("servicenow", &["user", "password"])?;
    if given.login().user.is_none() {
        return Err(
            "crm.token: is missing; or give crm.login its user and password, or client_id and \
                    client_secret"
                .to_owned(),
        );
    }
    Ok(Credentials::Basic { user: given.user()?, password: given.password()? })
}
