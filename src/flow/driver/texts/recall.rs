//! A conversation as the log has it: what a task needs to go on with it.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::{LANGUAGE, Route, TextError, mail_of, written};
use crate::domain::{ConversationId, EventId, Identity, Party, Role, TenantId, TurnId};
use crate::flow::driver::Shared;
use crate::flow::driver::wrapup::Notes;
use crate::flow::session::{Session, held_in};
use crate::models::ENGLISH;
use crate::store::{ConversationState, KindFilter, MAX_READ, ReadQuery, codec, wire};

const KINDS: &str = "turn.final,insight.redaction,suggestion.offered,suggestion.withdrawn,crm.context,insight.intent";

pub(super) struct Recalled {
    pub session: Session,
    pub notes: Notes,
    pub began: Timestamp,
    /// When somebody wrote last.
    pub last_at: Timestamp,
    pub parties: Vec<Party>,
    /// Of turns, which a client may bring again.
    pub known: HashSet<EventId>,
    /// Names of the customer's mails, oldest first.
    pub mails: Vec<String>,
    pub route: Option<Route>,
    pub language: String,
}

/// # Errors
/// There is none of this name, it is a call, it has ended; the log can't be read.
pub(super) async fn recall(
    shared: &Shared,
    tenant: &TenantId,
    id: &ConversationId,
) -> Result<Recalled, TextError> {
    let row = shared.store.conversation(tenant, id).await?;
    let row = row.ok_or_else(|| TextError::NotFound(id.as_str().chars().take(64).collect()))?;
    written(&row)?;
    if row.state == ConversationState::Ended {
        return Err(TextError::Ended(id.clone()));
    }
    let named = |party: wire::Party| {
        let role = Role::parse(&party.role).unwrap_or(Role::Mixed);
        Party { id: party.id.into(), role, name: party.name }
    };
    let parties: Vec<Party> = row.parties.into_iter().map(named).collect();
    let mut session = Session::new(Vec::new(), &shared.settings.session)
        .map_err(|_| TextError::Spoken(id.clone()))?;
    session.begins_with(&row.channel, &row.attributes);
    let mut notes = Notes::new(row.started_at, parties.clone());
    let (mut known, mut mails, mut last_ms) = (HashSet::new(), Vec::new(), 0);
    // By their placeholders, in whose turn they stand.
    let mut held: HashMap<String, TurnId> = HashMap::new();
    let mut query = ReadQuery::all(tenant.clone(), 0).of(id.clone());
    query.kinds = KindFilter::parse(KINDS).expect("the kinds are a constant; this is a bug");
    loop {
        let page = shared.store.read(&query).await?;
        for event in &page {
            query.after = event.position;
            notes.recall(event)?;
            if let Some(turn) = codec::decode_turn(event)? {
                known.insert(event.id.clone());
                mails.extend(mail_of(&event.id).map(str::to_owned));
                last_ms = last_ms.max(turn.end_ms);
                held.extend(held_in(&turn.text).into_iter().map(|one| (one, turn.id.clone())));
                session.recall(&turn);
            } else if let Some(intent) = codec::decode_intent(event)? {
                session.recall_intent(&intent);
            } else if let Some(context) = codec::decode_context(event)? {
                if let Identity::Known(customer) = context.identity {
                    session.recall_customer(&customer.facts);
                    notes.meet(&customer.contact);
                }
            } else if &*event.kind == codec::REDACTION {
                let resolved: wire::RedactionResolved = codec::data(event)?;
                held.remove(&resolved.placeholder);
            } else if &*event.kind == codec::SUGGESTION_OFFERED {
                let card: wire::SuggestionOffered = codec::data(event)?;
                let trigger = TurnId::from(card.trigger_turn);
                for citation in card.citations.into_iter().map(codec::decode_citation) {
                    session.recall_card(&trigger, &citation);
                }
            }
        }
        if page.len() < MAX_READ {
            break;
        }
    }
    for (placeholder, turn) in held {
        session.forget_digits(turn, placeholder);
    }
    let last = jiff::SignedDuration::from_millis(i64::try_from(last_ms).unwrap_or(i64::MAX));
    Ok(Recalled {
        session,
        notes,
        began: row.started_at,
        last_at: row.started_at.checked_add(last).unwrap_or(row.started_at),
        parties,
        known,
        mails,
        route: Route::of(&row.attributes),
        language: row.attributes.get(LANGUAGE).map_or(ENGLISH, String::as_str).to_owned(),
    })
}
