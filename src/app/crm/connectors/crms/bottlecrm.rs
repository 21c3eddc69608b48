//! BottleCRM: a personal access token.

use std::sync::Arc;

use reqwest::Url;

use super::options::{Over, options};
use super::{Address, Given, Made, made};
use crate::connect::crm::Crm;
use crate::connect::crm::bottlecrm::{BottleCrm, Settings};

options! {
    Options of Settings {
        web: Address,
        tier_field: String,
        value_field: String,
        open_statuses: Vec<String>,
        new_status: String,
        priority: String,
        case_type: String,
    }
}

impl Over<Option<Url>> for Address {
    fn over(self, target: &mut Option<Url>) {
        *target = Some(self.0);
    }
}

pub(super) fn make(given: &Given<'_>) -> Made<Arc<dyn Crm>> {
    given.only("bottlecrm", &[])?;
    let mut settings = Settings::new(given.access()?, given.token()?);
    given.options::<Options>()?.over(&mut settings);
    made(BottleCrm::new(settings), &[("headers", "crm.token")])
}
