//! Odoo: a user's API key, and over JSON-RPC the user's name and the database.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::options::{Over, options};
use super::{Given, Made, made};
use crate::connect::crm::Crm;
use crate::connect::crm::odoo::{Articles, Odoo, PhoneSearch, Protocol, Settings};

options! {
    Options of Settings {
        case_model: String,
        stage_model: String,
        open_domain: Vec<Value>,
        number_field: String,
        phone_fields: Vec<String>,
        phone_search: PhoneSearchOption,
        tier_field: String,
        value_field: String,
        task_user_id: i64,
        articles: ArticleOptions,
    } beside {
        protocol: ProtocolOption,
        database: Option<String>,
    }
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ProtocolOption {
    #[default]
    Json2,
    JsonRpc,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum PhoneSearchOption {
    Searchable,
    Spellings,
}

impl Over<PhoneSearch> for PhoneSearchOption {
    fn over(self, target: &mut PhoneSearch) {
        *target = match self {
            Self::Searchable => PhoneSearch::Searchable,
            Self::Spellings => PhoneSearch::Spellings,
        };
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ArticleOptions {
    parent_id: Option<i64>,
}

impl Over<Option<Articles>> for ArticleOptions {
    fn over(self, target: &mut Option<Articles>) {
        *target = Some(Articles { parent_id: self.parent_id });
    }
}

pub(super) fn make(given: &Given<'_>) -> Made<Arc<dyn Crm>> {
    let options: Options = given.options()?;
    let database = options.database.clone();
    let protocol = match options.protocol {
        ProtocolOption::Json2 => {
            given.only("odoo over json2", &[])?;
            Protocol::Json2 { database }
        }
        ProtocolOption::JsonRpc => {
            given.only("odoo over jsonrpc", &["user"])?;
            let missing = || "crm.options.database: is missing, which jsonrpc needs".to_owned();
            Protocol::JsonRpc { database: database.ok_or_else(missing)?, login: given.user()? }
        }
    };
    let mut settings = Settings::new(given.access()?, protocol, given.token()?);
    options.over(&mut settings);
    made(Odoo::new(settings), &[("headers", "crm.options.database")])
}
