//! The CRM's side ⇄ the JSON that is stored and streamed.

use super::{time_text, wire};
use crate::domain::{
    AccountFacts, Activity, ActivityKind, Case, Contact, ContactKey, CrmContext, CrmWrite,
    Identity, KnownContact, Recorded, Redacted,
};
use crate::store::StoreError;

pub const CRM_CONTEXT: &str = "crm.context";
pub const CRM_WRITE: &str = "crm.write";

pub fn context(x: &CrmContext) -> wire::CrmContext {
    let mut out = wire::CrmContext {
        connector: x.connector.clone(),
        state: x.identity.as_str().into(),
        searched: x
            .searched
            .as_ref()
            .map(|key| wire::Searched { by: key.kind().into(), value: key.value().into() }),
        contact: None,
        candidates: Vec::new(),
        facts: None,
        open_cases: Vec::new(),
        history: Vec::new(),
        missing: Vec::new(),
        detail: None,
        chosen_by: None,
        latency_ms: x.latency_ms,
    };
    match &x.identity {
        Identity::Known(known) => {
            out.contact = Some(contact(&known.contact));
            out.facts = Some(facts(&known.facts));
            out.open_cases = known.cases.iter().map(case).collect();
            out.history = known.history.iter().map(activity).collect();
            out.missing.clone_from(&known.missing);
            out.chosen_by.clone_from(&known.chosen_by);
        }
        Identity::Ambiguous(candidates) => {
            out.candidates = candidates.iter().map(contact).collect();
        }
        Identity::Unknown => {}
        Identity::Unavailable(why) => out.detail = Some(why.clone()),
    }
    out
}

/// What a `crm.context` says; `None` for every other kind.
///
/// # Errors
/// The event is damaged.
pub fn decode_context(event: &Recorded) -> Result<Option<CrmContext>, StoreError> {
    if &*event.kind != CRM_CONTEXT {
        return Ok(None);
    }
    let damaged = |what: String| StoreError::Corrupt(format!("event {} {what}", event.id));
    context_of(super::data(event)?).map(Some).map_err(damaged)
}

/// # Errors
/// What is wrong with it, as a predicate.
pub fn context_of(wire: wire::CrmContext) -> Result<CrmContext, String> {
    let damaged = |what: &str| what.to_owned();
    let searched = wire.searched.map(|searched| {
        Some(match searched.by.as_str() {
            "phone" => ContactKey::Phone(searched.value),
            "email" => ContactKey::Email(searched.value),
            "id" => ContactKey::Id(searched.value),
            _ => return None,
        })
    });
    let searched = match searched {
        Some(None) => return Err(damaged("was searched for by an unknown key")),
        Some(key) => key,
        None => None,
    };
    let identity = match wire.state.as_str() {
        "known" => {
            let contact = wire.contact.ok_or_else(|| damaged("knows nobody"))?;
            Identity::Known(Box::new(KnownContact {
                contact: contact_of(contact),
                facts: wire.facts.map(facts_of).transpose()?.unwrap_or_default(),
                cases: wire.open_cases.into_iter().map(case_of).collect::<Result<_, _>>()?,
                history: wire.history.into_iter().map(activity_of).collect::<Result<_, _>>()?,
                missing: wire.missing,
                chosen_by: wire.chosen_by,
            }))
        }
        "ambiguous" => Identity::Ambiguous(wire.candidates.into_iter().map(contact_of).collect()),
        "unknown" => Identity::Unknown,
        "unavailable" => Identity::Unavailable(wire.detail.unwrap_or_default()),
        _ => return Err(damaged("names an unknown state")),
    };
    let latency_ms = wire.latency_ms;
    Ok(CrmContext { connector: wire.connector, searched, identity, latency_ms })
}

pub fn crm_write(x: &CrmWrite) -> wire::CrmWrite {
    wire::CrmWrite {
        operation: x.operation.clone(),
        dedupe_key: x.key.as_str().into(),
        state: x.state.as_str().into(),
        destination: x.destination.clone(),
        contact_id: x.contact_id.clone(),
        attempts: x.attempts,
        remote_id: x.remote_id.clone(),
        problem: x.problem.clone(),
        wrapup_id: x.from.as_ref().map(ToString::to_string),
        turn_id: x.turn.as_ref().map(ToString::to_string),
        by: x.by.clone(),
    }
}

fn text(text: Option<&Redacted>) -> Option<String> {
    text.map(|text| text.as_str().to_owned())
}

pub fn contact(x: &Contact) -> wire::Contact {
    wire::Contact {
        id: x.id.clone(),
        name: text(x.name.as_ref()),
        phones: x.phones.clone(),
        emails: x.emails.clone(),
        company: text(x.company.as_ref()),
        url: x.url.clone(),
    }
}

fn contact_of(wire: wire::Contact) -> Contact {
    Contact {
        id: wire.id,
        name: wire.name.map(Redacted::vouched),
        phones: wire.phones,
        emails: wire.emails,
        company: wire.company.map(Redacted::vouched),
        url: wire.url,
    }
}

fn facts(x: &AccountFacts) -> wire::AccountFacts {
    wire::AccountFacts {
        tier: x.tier.clone(),
        // JSON has neither NaN nor infinity.
        value: x.value.filter(|value| value.is_finite()),
        since: x.since.map(|date| date.to_string()),
        owner: x.owner.clone(),
        products: x.products.iter().map(|product| product.as_str().into()).collect(),
    }
}

fn facts_of(wire: wire::AccountFacts) -> Result<AccountFacts, String> {
    let since = wire.since.map(|date| date.parse().map_err(|_| "has no date where one is due"));
    Ok(AccountFacts {
        tier: wire.tier,
        value: wire.value,
        since: since.transpose()?,
        owner: wire.owner,
        products: wire.products.into_iter().map(Redacted::vouched).collect(),
    })
}

pub fn case(x: &Case) -> wire::Case {
    wire::Case {
        id: x.id.clone(),
        number: x.number.clone(),
        subject: x.subject.as_str().into(),
        status: x.status.clone(),
        priority: x.priority.clone(),
        opened_at: x.opened_at.map(time_text),
        updated_at: x.updated_at.map(time_text),
        owner: x.owner.clone(),
        version: x.version.clone(),
        url: x.url.clone(),
        history: x.history.iter().map(activity).collect(),
    }
}

fn case_of(wire: wire::Case) -> Result<Case, String> {
    Ok(Case {
        id: wire.id,
        number: wire.number,
        subject: Redacted::vouched(wire.subject),
        status: wire.status,
        priority: wire.priority,
        opened_at: moment(wire.opened_at)?,
        updated_at: moment(wire.updated_at)?,
        owner: wire.owner,
        version: wire.version,
        url: wire.url,
        history: wire.history.into_iter().map(activity_of).collect::<Result<_, _>>()?,
    })
}

fn activity(x: &Activity) -> wire::Activity {
    wire::Activity {
        kind: x.kind.as_str().into(),
        at: x.at.map(time_text),
        by: x.by.clone(),
        text: x.text.as_str().into(),
        conversation_id: x.conversation.as_ref().map(ToString::to_string),
    }
}

fn activity_of(wire: wire::Activity) -> Result<Activity, String> {
    Ok(Activity {
        kind: ActivityKind::parse(&wire.kind).unwrap_or(ActivityKind::Other),
        at: moment(wire.at)?,
        by: wire.by,
        text: Redacted::vouched(wire.text),
        conversation: wire.conversation_id.map(Into::into),
    })
}

fn moment(text: Option<String>) -> Result<Option<jiff::Timestamp>, String> {
    let read = |text: String| text.parse().map_err(|_| "has no time where one is due".to_owned());
    text.map(read).transpose()
}
