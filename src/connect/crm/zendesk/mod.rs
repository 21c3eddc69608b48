//! Zendesk Support over its ticketing API.
//!
//! A ticket that is made bears the key twice: as `Idempotency-Key`, which Zendesk forgets after two hours, and as
//! `external_id`, by which tickets are listed from the database (the search's index lags by minutes). What goes into
//! a ticket is an internal comment with the key's marker; comments are listed, not searched. A change is made with
//! `safe_update`. An article is a draft in one section, with the marker at its end.
//!
//! Zendesk has no note on a person and no call without a ticket: the note is refused, the call becomes a solved
//! ticket of its own, if the settings say so.
//!
//! Shapes: <https://developer.zendesk.com/api-reference/ticketing/introduction/>, tickets, ticket comments, users,
//! search; `talk-partner-edition/retrieving-the-zendesk-user-id-of-a-caller` for numbers; `help_center/articles`.
//! Not run against the vendor.

mod wire;
mod write;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures_util::future::try_join_all;
use secrecy::SecretString;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::answers::{self, at};
use super::{Access, CANDIDATES_MAX, Crm, numbers};
use crate::connect::destination::{DeliveryError, Destination, RemoteId};
use crate::connect::http::{Answered, Request};
use crate::connect::oauth::{Credentials, Door};
use crate::domain::{AccountFacts, Activity, Case, Contact, ContactKey, DedupeKey, Effect};

/// Tickets whose comments are read for a contact's history.
const TICKETS_READ: usize = 5;
/// Comments of a ticket that are read with it.
const ENTRIES: usize = 5;
const PAGE: usize = 100;
/// A ticket takes 5,000 comments (`ticket_comments`, limits).
const PAGES_MAX: usize = 50;

/// What Zendesk calls its refusals.
const CODES: [&str; 7] = [
    "RecordInvalid",
    "RecordNotFound",
    "InvalidEndpoint",
    "InvalidValue",
    "InvalidAttribute",
    "Forbidden",
    "IdempotentRequestError",
];

#[derive(Clone, Debug)]
pub struct Settings {
    /// `https://company.zendesk.com`.
    pub access: Access,
    pub credentials: Credentials,
    pub api_path: String,
    /// Of the person or, where it isn't one of theirs, of their organization.
    pub tier_field: Option<String>,
    pub value_field: Option<String>,
    /// A call without a ticket becomes one; refused where it is absent.
    pub call_tickets: Option<CallTickets>,
    /// Articles are refused where it is absent.
    pub articles: Option<Articles>,
}

#[derive(Clone, Debug)]
pub struct CallTickets {
    pub status: String,
    /// A solved ticket has an assignee: this agent, or whoever the key belongs to.
    pub assignee_id: Option<u64>,
}

#[derive(Clone, Debug)]
pub struct Articles {
    pub locale: String,
    pub section_id: u64,
    pub permission_group_id: u64,
    /// Who may read it once it is published; everybody where it is absent.
    pub user_segment_id: Option<u64>,
}

impl Settings {
    pub fn new(access: Access, credentials: Credentials) -> Self {
        Self {
            access,
            credentials,
            api_path: "/api/v2".to_owned(),
            tier_field: None,
            value_field: None,
            call_tickets: Some(CallTickets { status: "solved".to_owned(), assignee_id: None }),
            articles: None,
        }
    }
}

/// An agent's address and an API token (`introduction/security-and-auth`).
pub fn api_token(email: &str, token: SecretString) -> Credentials {
    Credentials::Basic { user: format!("{email}/token"), password: token }
}

pub struct Zendesk {
    settings: Settings,
    door: Door,
    /// Whom the key belongs to.
    me: OnceCell<u64>,
}

impl Zendesk {
    /// # Errors
    /// A setting that can't be used, by its name.
    pub fn new(settings: Settings) -> Result<Self, String> {
        for (setting, field) in
            [("tier_field", &settings.tier_field), ("value_field", &settings.value_field)]
        {
            field.as_ref().map_or(Ok(()), |field| answers::name_of_a_field(setting, field))?;
        }
        const STATUSES: [&str; 5] = ["new", "open", "pending", "hold", "solved"];
        let status = settings.call_tickets.as_ref().map(|calls| calls.status.as_str());
        if status.is_some_and(|status| !STATUSES.contains(&status)) {
            return Err(format!("call_tickets.status must be one of {}", STATUSES.join(", ")));
        }
        let Access { url, patience, .. } = &settings.access;
        let door =
            Door::new(url.clone(), &BTreeMap::new(), *patience, settings.credentials.clone())?;
        Ok(Self { settings, door, me: OnceCell::new() })
    }

    fn path(&self, rest: &str) -> String {
        format!("{}/{rest}", self.settings.api_path.trim_end_matches('/'))
    }

    async fn ask(&self, request: Request<'_>) -> Result<Answered, DeliveryError> {
        // `{"error": "RecordInvalid", "description", "details"}`; some errors are objects.
        answers::success(self.door.send(request).await?, "/error", &CODES)
    }

    fn url_of(&self, kind: &str, id: &str) -> Option<String> {
        self.settings.access.url.join(&format!("/agent/{kind}/{id}")).ok().map(Into::into)
    }

    /// People with all their numbers and addresses: a search shows the first of each only.
    async fn people(&self, ids: &[String]) -> Result<Vec<Contact>, DeliveryError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let path = self.path("users/show_many");
        let request = Request::get(&path)
            .query("ids", ids.join(","))
            .query("include", "identities,organizations");
        let answer = optional(self.ask(request).await)?;
        let Some(answer) = answer else { return Ok(Vec::new()) };
        let mut people = wire::contacts(&answer.body)?;
        for person in &mut people {
            person.url = self.url_of("users", &person.id);
        }
        Ok(people)
    }

    /// A contact's tickets, the latest changed first.
    async fn tickets(&self, contact: &Contact) -> Result<Option<Answered>, DeliveryError> {
        let Some(id) = wire::id(&contact.id) else { return Ok(None) };
        let path = self.path(&format!("users/{id}/tickets/requested"));
        let request = Request::get(&path)
            .query("sort_by", "updated_at")
            .query("sort_order", "desc")
            .query("per_page", PAGE.to_string())
            .query("include", "users");
        let Some(answer) = optional(self.ask(request).await)? else { return Ok(None) };
        let tickets = answers::list(&answer.body, "/tickets")?;
        match tickets.iter().all(|one| at(one, "/requester_id").as_deref() == Some(id)) {
            true => Ok(Some(answer)),
            false => {
                Err(DeliveryError::Untrusted("tickets are not those of the requester".to_owned()))
            }
        }
    }

    /// A ticket's comments, newest first.
    async fn comments(
        &self,
        ticket: &str,
        page: usize,
        size: usize,
    ) -> Result<Answered, DeliveryError> {
        let path = self.path(&format!("tickets/{ticket}/comments"));
        let request = Request::get(&path)
            .query("sort_order", "desc")
            .query("include", "users")
            .query("per_page", size.to_string())
            .query("page", page.to_string());
        let answer = self.ask(request).await?;
        answers::list(&answer.body, "/comments")?;
        Ok(answer)
    }

    async fn entries(&self, ticket: String, size: usize) -> Result<Vec<Activity>, DeliveryError> {
        wire::entries(&self.comments(&ticket, 1, size).await?.body)
    }
}

use answers::optional;

#[async_trait]
impl Destination for Zendesk {
    fn name(&self) -> &str {
        &self.settings.access.name
    }

    async fn deliver(&self, effect: &Effect, key: &DedupeKey) -> Result<RemoteId, DeliveryError> {
        self.write(effect, key).await.map(RemoteId)
    }

    async fn delivered(
        &self,
        effect: &Effect,
        key: &DedupeKey,
    ) -> Result<Option<RemoteId>, DeliveryError> {
        Ok(self.written(effect, key).await?.map(RemoteId))
    }
}

#[async_trait]
impl Crm for Zendesk {
    fn system(&self) -> &'static str {
        "zendesk"
    }

    async fn find_contacts(&self, key: &ContactKey) -> Result<Vec<Contact>, DeliveryError> {
        let query = match key {
            // Digits alone, and a star before them for all ways of writing what stands before.
            ContactKey::Phone(number) => match numbers::national_digits(number) {
                Some(digits) => format!("type:user phone:*{digits}"),
                None => return Ok(Vec::new()),
            },
            ContactKey::Email(address) => format!("type:user email:{}", wire::quoted(address)?),
            ContactKey::Id(text) => match wire::id(text) {
                Some(id) => return self.people(&[id.to_owned()]).await,
                None => return Ok(Vec::new()),
            },
        };
        let path = self.path("search");
        let request =
            Request::get(&path).query("query", query).query("per_page", CANDIDATES_MAX.to_string());
        let answer = self.ask(request).await?;
        let found = answers::list(&answer.body, "/results")?;
        let is_person = |one: &&Value| at(one, "/result_type").is_none_or(|kind| kind == "user");
        let ids: Vec<String> = found
            .iter()
            .filter(is_person)
            .filter_map(|one| at(one, "/id"))
            .take(CANDIDATES_MAX)
            .collect();
        self.people(&ids).await
    }

    async fn open_cases(
        &self,
        contact: &Contact,
        limit: usize,
    ) -> Result<Vec<Case>, DeliveryError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let Some(answer) = self.tickets(contact).await? else { return Ok(Vec::new()) };
        let mut cases = wire::open_cases(&answer.body)?;
        cases.sort_by_key(|one| std::cmp::Reverse(one.updated_at));
        cases.truncate(limit);
        let histories =
            try_join_all(cases.iter().map(|case| self.entries(case.id.clone(), ENTRIES))).await?;
        for (case, history) in cases.iter_mut().zip(histories) {
            case.history = history;
            case.url = self.url_of("tickets", &case.id);
        }
        Ok(cases)
    }

    async fn history(
        &self,
        contact: &Contact,
        limit: usize,
    ) -> Result<Vec<Activity>, DeliveryError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let Some(answer) = self.tickets(contact).await? else { return Ok(Vec::new()) };
        let tickets = answers::list(&answer.body, "/tickets")?;
        let latest: Vec<String> =
            tickets.iter().filter_map(|one| at(one, "/id")).take(TICKETS_READ).collect();
        let size = limit.min(PAGE);
        let all = try_join_all(latest.into_iter().map(|id| self.entries(id, size))).await?;
        let mut all: Vec<Activity> = all.into_iter().flatten().collect();
        all.sort_by_key(|one| std::cmp::Reverse(one.at));
        all.truncate(limit);
        Ok(all)
    }

    async fn account_facts(&self, contact: &Contact) -> Result<AccountFacts, DeliveryError> {
        let Some(id) = wire::id(&contact.id) else { return Ok(AccountFacts::default()) };
        let path = self.path("users/show_many");
        let request = Request::get(&path).query("ids", id).query("include", "organizations");
        let answer = self.ask(request).await?;
        let Settings { tier_field, value_field, .. } = &self.settings;
        wire::facts(&answer.body, tier_field.as_deref(), value_field.as_deref())
    }
}
