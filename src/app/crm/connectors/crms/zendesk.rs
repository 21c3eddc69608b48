//! Zendesk: an agent's address with an API token, or an OAuth access token.

use std::sync::Arc;

use serde::Deserialize;

use super::options::{Over, options};
use super::{Given, Made, made};
use crate::connect::crm::Crm;
use crate::connect::crm::zendesk::{Articles, CallTickets, Settings, Zendesk, api_token};
use crate::connect::oauth::Credentials;

options! {
    Options of Settings {
        api_path: String,
        tier_field: String,
        value_field: String,
        call_tickets: CallOptions,
        articles: ArticleOptions,
    }
}

options! {
    CallOptions of CallTickets {
        status: String,
        assignee_id: u64,
    }
}

impl Over<Option<CallTickets>> for CallOptions {
    fn over(self, target: &mut Option<CallTickets>) {
        let nothing = || CallTickets { status: String::new(), assignee_id: None };
        let mut calls = target.take().unwrap_or_else(nothing);
        self.over(&mut calls);
        *target = Some(calls).filter(|one| !one.status.is_empty());
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ArticleOptions {
    #[serde(default = "english")]
    locale: String,
    section_id: u64,
    permission_group_id: u64,
    user_segment_id: Option<u64>,
}

fn english() -> String {
    "en-us".to_owned()
}

impl Over<Option<Articles>> for ArticleOptions {
    fn over(self, target: &mut Option<Articles>) {
        let Self { locale, section_id, permission_group_id, user_segment_id } = self;
        *target = Some(Articles { locale, section_id, permission_group_id, user_segment_id });
    }
}

pub(super) fn make(given: &Given<'_>) -> Made<Arc<dyn Crm>> {
    given.only("zendesk", &["user"])?;
    let credentials = match &given.login().user {
        Some(address) => api_token(address, given.token()?),
        None => Credentials::Bearer(given.token()?),
    };
    let mut settings = Settings::new(given.access()?, credentials);
    given.options::<Options>()?.over(&mut settings);
    made(Zendesk::new(settings), &[])
}
