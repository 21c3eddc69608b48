//! Request Tracker: an authentication token.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::options::{Over, options};
use super::{Given, Made, made};
use crate::connect::crm::Crm;
use crate::connect::crm::rt::{RequestTracker, Settings};

options! {
    Options of Settings {
        queue: String,
        task_queue: String,
        closed_status: String,
        phone_fields: Vec<String>,
        key_field: String,
        tier_field: String,
        value_field: String,
        priorities: BTreeMap<String, i64>,
        article_class: String,
        article_field: String,
        autoreply: bool,
    }
}

impl Over<Vec<(String, i64)>> for BTreeMap<String, i64> {
    fn over(self, target: &mut Vec<(String, i64)>) {
        *target = self.into_iter().collect();
    }
}

pub(super) fn make(given: &Given<'_>) -> Made<Arc<dyn Crm>> {
    given.only("rt", &[])?;
    let mut settings = Settings::new(given.access()?, given.token()?);
    given.options::<Options>()?.over(&mut settings);
    made(RequestTracker::new(settings), &[("headers", "crm.token")])
}
