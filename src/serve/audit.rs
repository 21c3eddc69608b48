//! The audit log: who did what to the service, when, and who was turned away.
//!
//! An entry is an event like any other, under its own subject, so it is as durable as they are and can't be changed
//! behind anybody's back. It isn't streamed; administrators read it here. Nothing that was presented as a secret
//! is ever in one.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::{Method, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::Rule;
use super::auth::{Principal, Proof};
use super::error::{Problem, shown};
use super::extract::Query;
use super::sources::Masker;
use super::{ServeState, access};
use crate::domain::{
    AuditActor, AuditEntry, AuditOutcome, EventBody, NewEvent, Recorded, TenantId,
};
use crate::store::codec::{self, time_text};
use crate::store::{AUDIT, KindFilter, ReadQuery, Store, StoreError, wire};

const DEFAULT_LIMIT: usize = 100;
const LIMIT_MAX: usize = 500;
/// Whoever knocks again and again must not fill the log: so many refusals of a kind are written down in a stretch,
/// the others are counted in the next one.
const REFUSALS: u32 = 10;
const STRETCH: Duration = Duration::from_secs(10);
/// Kinds of refusals that are told apart.
const KINDS_MAX: usize = 1_000;

/// Writes entries. Cheap to clone.
#[derive(Clone)]
pub struct Audit(Arc<Book>);

struct Book {
    store: Arc<dyn Store>,
    /// Whose service it is: where refusals stand of whom nobody knows.
    home: TenantId,
    refusals: Mutex<HashMap<(TenantId, String), Refusals>>,
}

struct Refusals {
    since: Instant,
    written: u32,
    more: u64,
}

/// Where a request came from, and to what.
#[derive(Clone, Debug, Default)]
pub struct Circumstances {
    pub from: Option<IpAddr>,
    pub route: Option<String>,
    pub target: Option<String>,
}

impl Audit {
    pub fn new(store: Arc<dyn Store>, home: TenantId) -> Self {
        Self(Arc::new(Book { store, home, refusals: Mutex::default() }))
    }

    pub fn home(&self) -> &TenantId {
        &self.0.home
    }

    /// Writes down what somebody did; it is durable when this resolves. A failure is in the log of the program.
    pub async fn done(
        &self,
        action: &str,
        who: (&Principal, &'static str),
        outcome: AuditOutcome,
        about: Circumstances,
        masker: &Masker,
    ) {
        let (principal, proof) = who;
        let entry = AuditEntry {
            action: action.to_owned(),
            outcome,
            by: Some(actor(principal, proof)),
            from: about.from,
            route: about.route,
            target: about.target.as_deref().map(|target| (masker)(target)),
            detail: None,
            more: 0,
        };
        self.write(&principal.tenant, entry).await;
    }

    /// Writes down that somebody was turned away, unless that happens all the time.
    pub async fn refused(
        &self,
        who: Option<(&Principal, &'static str)>,
        why: &str,
        about: Circumstances,
        masker: &Masker,
    ) {
        let tenant = who.map_or_else(|| self.0.home.clone(), |(one, _)| one.tenant.clone());
        let by = who.map(|(principal, proof)| actor(principal, proof));
        let kind = by.as_ref().map_or_else(String::new, |by| by.name.clone());
        let Some(more) = self.count(&tenant, kind) else { return };
        let entry = AuditEntry {
            action: "access.refused".to_owned(),
            outcome: AuditOutcome::Refused,
            by,
            from: about.from,
            route: about.route,
            target: about.target.as_deref().map(|target| (masker)(target)),
            detail: Some(why.to_owned()),
            more,
        };
        self.write(&tenant, entry).await;
    }

    /// How many were counted since the last one; `None` when this one is only counted.
    fn count(&self, tenant: &TenantId, kind: String) -> Option<u64> {
        let mut all = self.0.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= KINDS_MAX {
            all.retain(|_, one| one.since.elapsed() < STRETCH);
        }
        let fresh = || Refusals { since: Instant::now(), written: 0, more: 0 };
        let one = match all.len() >= KINDS_MAX {
            true => all.entry((self.0.home.clone(), String::new())).or_insert_with(fresh),
            false => all.entry((tenant.clone(), kind)).or_insert_with(fresh),
        };
        if one.since.elapsed() >= STRETCH {
            (one.since, one.written) = (Instant::now(), 0);
        }
        if one.written >= REFUSALS {
            one.more += 1;
            return None;
        }
        one.written += 1;
        Some(std::mem::take(&mut one.more))
    }

    async fn write(&self, tenant: &TenantId, entry: AuditEntry) {
        let event = NewEvent::at(Timestamp::now(), EventBody::Audited(Box::new(entry)));
        if let Err(error) = self.append(tenant, event).await {
            tracing::error!(%error, "an entry of the audit log could not be written");
        }
    }

    /// An entry with an identifier of its own, which is written once however often it comes.
    ///
    /// # Errors
    /// The log can't be written.
    pub async fn append(&self, tenant: &TenantId, event: NewEvent) -> Result<(), StoreError> {
        self.0.store.append(tenant, &AUDIT.into(), vec![event]).await.map(drop)
    }
}

fn actor(principal: &Principal, proof: &'static str) -> AuditActor {
    AuditActor { name: principal.name.clone(), role: Some(principal.role), proof }
}

/// What became of a request that the table wants to be written down; `None` where that is nothing new.
pub(super) fn outcome(status: StatusCode) -> Option<AuditOutcome> {
    match status.as_u16() {
        200..=299 => Some(AuditOutcome::Done),
        403 => Some(AuditOutcome::Refused),
        500..=599 => Some(AuditOutcome::Failed),
        _ => None,
    }
}

/// The pieces of an address that a route leaves open, as they came.
pub(super) fn target(route: &str, path: &str) -> Option<String> {
    let pieces = route.split('/').zip(path.split('/'));
    let open = pieces.filter(|(name, _)| name.starts_with('{')).map(|(_, piece)| {
        let text = percent_encoding::percent_decode_str(piece).decode_utf8_lossy();
        shown(&text)
    });
    let open: Vec<String> = open.collect();
    (!open.is_empty()).then(|| open.join(" "))
}

#[derive(Serialize, ToSchema)]
pub struct AuditLine {
    id: String,
    time: String,
    #[serde(flatten)]
    entry: wire::AuditNoted,
}

#[derive(Serialize, ToSchema)]
pub struct AuditList {
    /// The oldest first.
    items: Vec<AuditLine>,
    /// Give it back as `after` for what comes next, also when nothing does yet.
    next: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedAudit {
    limit: Option<usize>,
    after: Option<String>,
}

/// Who did what to the service, in the order in which it happened.
#[utoipa::path(get, path = "/v1/audit", tag = "system",
    params(("limit" = Option<usize>, Query, description = "1 to 500, 100 unless told"),
        ("after" = Option<String>, Query, description = "`next` of the page before")),
    responses((status = 200, body = AuditList), super::openapi::Refusals))]
pub async fn list(
    State(state): State<ServeState>,
    principal: Principal,
    Query(wanted): Query<WantedAudit>,
) -> Result<axum::Json<AuditList>, Problem> {
    let limit = wanted.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(Problem::invalid(format!("limit is 1 to {LIMIT_MAX}")));
    }
    let after = match wanted.after {
        None => 0,
        Some(text) => text.parse().map_err(|_| {
            Problem::invalid(format!("`{}` is no `next` of this list", shown(&text)))
        })?,
    };
    let mut query = ReadQuery::all(principal.tenant, after).of(AUDIT.into());
    (query.kinds, query.limit) = (KindFilter::exactly("audit.noted"), limit);
    let events = state.store.read(&query).await?;
    let next = events.last().map_or(after, |event| event.position);
    let items = events.iter().map(|event| line(event)).collect::<Result<_, _>>()?;
    Ok(axum::Json(AuditList { items, next: next.to_string() }))
}

fn line(event: &Recorded) -> Result<AuditLine, StoreError> {
    let entry = codec::data(event)?;
    Ok(AuditLine { id: event.id.to_string(), time: time_text(event.time), entry })
}

/// What the guard knows of a request before it is answered.
pub(super) struct Watched {
    pub rule: Option<&'static Rule>,
    pub who: Option<(Principal, Proof)>,
    pub about: Circumstances,
}

impl Watched {
    pub fn new(
        method: &Method,
        route: Option<&str>,
        path: &str,
        from: Option<IpAddr>,
        who: Option<(Principal, Proof)>,
    ) -> Self {
        let rule = route.and_then(|route| match access::entry(method, route) {
            access::Entry::Found(rule) => Some(rule),
            access::Entry::OtherMethods | access::Entry::Missing => None,
        });
        let about = Circumstances {
            from,
            route: route.map(|route| format!("{method} {route}")),
            target: route.and_then(|route| target(route, path)),
        };
        Self { rule, who, about }
    }

    /// After the answer: writes down what the table wants, and refusals of any kind.
    pub async fn note(self, state: &ServeState, status: StatusCode) {
        let Some((principal, proof)) = &self.who else { return };
        let who = (principal, proof.as_str());
        let action = self.rule.and_then(|rule| rule.audited);
        match (action, outcome(status)) {
            (Some(action), Some(outcome @ (AuditOutcome::Done | AuditOutcome::Failed))) => {
                state.audit.done(action, who, outcome, self.about, &state.masker).await;
            }
            (_, Some(AuditOutcome::Refused)) => {
                let why = "this role may not do that, or not here";
                state.audit.refused(Some(who), why, self.about, &state.masker).await;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_what_the_route_leaves_open() {
        let check = |route: &str, path: &str, expected: Option<&str>| {
            assert_eq!(target(route, path).as_deref(), expected, "{path}");
        };
        check("/v1/routing/plan", "/v1/routing/plan", None);
        check("/v1/batches/{id}", "/v1/batches/b-1", Some("b-1"));
        check(
            "/v1/articles/{id}/review",
            "/v1/articles/billing%2Frefunds/review",
            Some("billing/refunds"),
        );
        check("/v1/a/{id}/b/{other}", "/v1/a/%ff/b/2", Some("\u{fffd} 2"));
    }
}
