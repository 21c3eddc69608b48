//! HubSpot: the token of a private app, or a service key.

use std::sync::Arc;

use super::options::{Over, options};
use super::{Given, Made, made, url};
use crate::connect::crm::Crm;
use crate::connect::crm::answers::name_of_a_field;
use crate::connect::crm::hubspot::{Associations, HubSpot, Key, Settings};
use crate::connect::oauth::Credentials;

/// The same for every account.
const ADDRESS: &str = "https://api.hubapi.com";

options! {
    Options of Settings {
        objects_path: String,
        pipelines_path: String,
        owners_path: String,
        pipeline: String,
        stage: String,
        associations: AssociationOptions,
        tier_property: String,
        value_property: String,
        portal_id: u64,
    } beside {
        key_property: Option<String>,
    }
}

options! {
    AssociationOptions of Associations {
        ticket_to_contact: u32,
        note_to_contact: u32,
        note_to_ticket: u32,
        call_to_contact: u32,
        call_to_ticket: u32,
        task_to_contact: u32,
        task_to_ticket: u32,
    }
}

pub(super) fn make(given: &Given<'_>) -> Made<Arc<dyn Crm>> {
    given.only("hubspot", &[])?;
    let address = url("crm.url", Some(given.settings.url.as_deref().unwrap_or(ADDRESS)))?;
    let mut settings =
        Settings::new(given.access_at(address)?, Credentials::Bearer(given.token()?));
    let mut options: Options = given.options()?;
    match options.key_property.take() {
        Some(none) if none.is_empty() => settings.key = Key::Marker,
        Some(name) => settings.key = Key::Property(name),
        None => (),
    }
    options.over(&mut settings);
    // The connector calls both a key: the property first.
    if let Key::Property(name) = &settings.key {
        name_of_a_field("crm.options.key_property:", name)?;
    }
    made(HubSpot::new(settings), &[])
}
