//! `[crm]`: the customer-relationship system that the company keeps.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Secret;

/// The CRM that the company has.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Crm {
    /// bottlecrm, rt, salesforce, hubspot, servicenow, zendesk, dataverse, odoo or generic. Absent: there is none.
    pub system: Option<String>,
    /// How it is called in events and on pages.
    pub name: String,
    pub url: Option<String>,
    /// The key of a user of its own with as few rights as possible.
    pub token: Option<Secret>,
    /// A file that holds the key, instead of `token`.
    pub token_file: Option<PathBuf>,
    /// ISO 3166-1: where numbers without a country code are.
    pub region: String,
    /// For one request.
    pub patience_ms: u64,
    /// Attributes of a call that name its customer by number, address or `contact_id`, before the usual ones.
    pub identify_by: Vec<String>,
    /// What only this system has, such as the name of a field.
    pub options: BTreeMap<String, toml::Value>,
    pub writes: Writes,
}

impl Default for Crm {
    fn default() -> Self {
        Self {
            system: None,
            name: "crm".to_owned(),
            url: None,
            token: None,
            token_file: None,
            region: "US".to_owned(),
            patience_ms: 5_000,
            identify_by: Vec::new(),
            options: BTreeMap::new(),
            writes: Writes::default(),
        }
    }
}

/// What is written by itself, and what waits for a click.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    Automatic,
    #[default]
    Ask,
    Never,
}

/// `automatic` (at the end of the conversation), `ask` or `never`.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Writes {
    pub note: Rule,
    pub call: Rule,
    pub case: Rule,
    pub task: Rule,
    pub mail: Rule,
    pub meeting: Rule,
    /// Articles that are published go to the CRM's own knowledge base, as drafts.
    pub article: Rule,
    /// A model's better text and the agent's verdict get so long, before something is written by rule.
    pub automatic_after_s: u64,
}

impl Default for Writes {
    fn default() -> Self {
        Self {
            note: Rule::Ask,
            call: Rule::Ask,
            case: Rule::Ask,
            task: Rule::Ask,
            mail: Rule::Ask,
            meeting: Rule::Ask,
            article: Rule::Never,
            automatic_after_s: 20,
        }
    }
}
