//! The company's CRM: who is on the line, what they are waiting for, and where the outcome goes.
//!
//! A connector is a folder of its own: `bottlecrm`, `rt` (Request Tracker), `salesforce`, `hubspot`,
//! `servicenow`, `zendesk`, `dataverse`, `odoo`, and `generic`, which is described by settings. All pass
//! `conformance`. A connector's reads answer what the CRM answered; `checked` lets nobody through who doesn't
//! bear the number or address that was searched for.

pub mod answers;
pub mod bottlecrm;
pub mod checked;
pub mod conformance;
pub mod dataverse;
pub mod generic;
pub mod hubspot;
pub mod numbers;
pub mod odoo;
pub mod rt;
pub mod salesforce;
pub mod same;
pub mod servicenow;
pub mod wording;
pub mod zendesk;

#[cfg(test)]
mod hostile;
#[cfg(test)]
pub(super) mod played;
#[cfg(test)]
mod samples;

use std::time::Duration;

use async_trait::async_trait;

use super::destination::{DeliveryError, Destination};
use crate::domain::{AccountFacts, Activity, Case, Contact, ContactKey};

/// A CRM takes `CreateCase`, `UpdateCase`, `AddNote`, `LogCall`, `CreateTask` and `PushArticle`, as far as it has
/// such a thing; all else is `Unsupported`.
#[async_trait]
pub trait Crm: Destination {
    /// `bottlecrm`, `rt`.
    fn system(&self) -> &'static str;

    /// Contacts that bear a number or an address, at most `CANDIDATES_MAX`. The CRM may answer with others
    /// too, whom `checked::find` drops.
    async fn find_contacts(&self, key: &ContactKey) -> Result<Vec<Contact>, DeliveryError>;

    /// The contact's open cases, the latest changed first, with their latest entries.
    async fn open_cases(&self, contact: &Contact, limit: usize)
    -> Result<Vec<Case>, DeliveryError>;

    /// What happened with the contact, newest first.
    async fn history(
        &self,
        contact: &Contact,
        limit: usize,
    ) -> Result<Vec<Activity>, DeliveryError>;

    async fn account_facts(&self, contact: &Contact) -> Result<AccountFacts, DeliveryError>;

    /// Everything that is shown of a contact who is on the line, read at the same time. A connector whose record of a
    /// contact answers several of these reads it once.
    async fn about(&self, contact: &Contact, cases: usize, history: usize) -> About {
        let (cases, history, facts) = tokio::join!(
            self.open_cases(contact, cases),
            self.history(contact, history),
            self.account_facts(contact),
        );
        About { cases, history, facts }
    }

    /// Cases that were solved and are about such words, the best first.
    async fn solved_cases(
        &self,
        words: &[String],
        limit: usize,
    ) -> Result<Vec<Case>, DeliveryError> {
        let _ = (words, limit);
        Err(DeliveryError::Unsupported("look for solved cases"))
    }
}

/// What is known of a contact; a part that can't be read takes none of the others along.
#[derive(Debug)]
pub struct About {
    pub cases: Result<Vec<Case>, DeliveryError>,
    pub history: Result<Vec<Activity>, DeliveryError>,
    pub facts: Result<AccountFacts, DeliveryError>,
}

/// More people than that behind one number are no choice for anybody.
pub const CANDIDATES_MAX: usize = 20;

/// What every connector has in its settings.
#[derive(Clone, Debug)]
pub struct Access {
    /// The connector's name.
    pub name: String,
    pub url: reqwest::Url,
    /// For one request.
    pub patience: Duration,
    /// ISO 3166-1, such as `GB`: where numbers without a country code are.
    pub region: String,
}
