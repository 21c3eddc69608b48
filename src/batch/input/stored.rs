//! Conversations of the service's own log.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::Understood;
use crate::batch::conversation::{Conversation, ItemError, sha256_hex};
use crate::domain::{ConversationId, ErrorKind, Party, Role, TenantId};
use crate::flow::author::ShownPassages;
use crate::flow::wrapup::Circumstances;
use crate::models::Material;
use crate::store::wire::{CrmContext, SuggestionOffered, SuggestionVerdict, SuggestionWithdrawn};
use crate::store::{
    ConversationState, KindFilter, ListQuery, MAX_READ, ReadQuery, Store, StoreError, codec,
};

/// Kinds that a conversation's material is made of.
const KINDS: &str = "turn.final,insight.redaction,suggestion.offered,suggestion.withdrawn,suggestion.verdict,crm.context";

/// A conversation's turns as they are read, and what stands around it; `None` if there is none.
///
/// # Errors
/// The log can't be read.
pub async fn material(
    store: &dyn Store,
    tenant: &TenantId,
    id: &ConversationId,
    zone: &TimeZone,
) -> Result<Option<(Material, Circumstances)>, StoreError> {
    let Some(row) = store.conversation(tenant, id).await? else { return Ok(None) };
    let mut query = ReadQuery::all(tenant.clone(), 0).of(id.clone());
    query.kinds = KindFilter::parse(KINDS).expect("the kinds are a constant; this is a bug");
    let mut material = Material::default();
    let mut shown = ShownPassages::default();
    let mut customer = None;
    loop {
        let page = store.read(&query).await?;
        for event in &page {
            query.after = event.position;
            match &*event.kind {
                codec::REDACTION => {
                    if let Some((id, placeholder, words)) = codec::decode_release(event)? {
                        for turn in material.turns.iter_mut().filter(|turn| turn.id == id) {
                            turn.release(&placeholder, &words);
                        }
                    }
                }
                codec::SUGGESTION_OFFERED => {
                    let card: SuggestionOffered = codec::data(event)?;
                    let citations = card.citations.into_iter().map(codec::decode_citation);
                    shown.offered(&card.card_id, citations, card.verbatim);
                }
                codec::SUGGESTION_WITHDRAWN => {
                    shown.withdrawn(&codec::data::<SuggestionWithdrawn>(event)?.card_id);
                }
                codec::SUGGESTION_VERDICT => {
                    let verdict: SuggestionVerdict = codec::data(event)?;
                    shown.judged(&verdict.card_id, &verdict.verdict);
                }
                codec::CRM_CONTEXT => {
                    let context: CrmContext = codec::data(event)?;
                    customer = context.contact.and_then(|contact| contact.name);
                }
                _ => material.turns.extend(codec::decode_turn(event)?),
            }
        }
        if page.len() < MAX_READ {
            break;
        }
    }
    let kept = shown.kept();
    material.passages = kept.free;
    material.turns.sort_by_key(|turn| turn.start_ms);
    let parties = row.parties.into_iter().filter_map(|party| {
        let role = Role::parse(&party.role)?;
        let name = party.name.or_else(|| customer.take_if(|_| role == Role::Customer));
        Some(Party { id: party.id.into(), role, name })
    });
    let began = row.started_at.to_zoned(zone.clone());
    let circumstances =
        Circumstances { began, parties: parties.collect(), word_for_word: kept.word_for_word };
    Ok(Some((material, circumstances)))
}

/// A conversation of the log as an item of a batch. Its hash is that of its turns.
///
/// # Errors
/// The log can't be read.
pub async fn understood(
    store: &dyn Store,
    tenant: &TenantId,
    id: &ConversationId,
    zone: &TimeZone,
) -> Result<Understood, StoreError> {
    let found = material(store, tenant, id, zone).await?;
    let Some((material, circumstances)) = found else {
        let missing = ItemError {
            kind: ErrorKind::NotFound,
            ..ItemError::invalid("is not in the event log").named(id.as_str())
        };
        return Ok(Understood { conversation: Err(missing), input_sha256: String::new() });
    };
    let mut words = String::new();
    for turn in &material.turns {
        words.push_str(turn.party.role.as_str());
        words.push(':');
        words.push_str(turn.text.as_str());
        words.push('\n');
    }
    let (id, material) = (id.to_string(), Arc::new(material));
    let conversation = Conversation { id, material, circumstances, warnings: Vec::new() };
    Ok(Understood { conversation: Ok(conversation), input_sha256: sha256_hex(words.as_bytes()) })
}

/// The identifiers of a tenant's ended conversations, oldest first; of one external identifier if
/// that is given.
///
/// # Errors
/// The log can't be read.
pub async fn ids(
    store: &dyn Store,
    tenant: &TenantId,
    external_id: Option<&str>,
) -> Result<Vec<String>, StoreError> {
    let mut query = ListQuery {
        tenant: tenant.clone(),
        state: Some(ConversationState::Ended),
        external_id: external_id.map(str::to_owned),
        limit: MAX_READ,
        after: None,
    };
    let mut ids = Vec::new();
    loop {
        let page = store.conversations(&query).await?;
        // Nothing is left to be written about of one that is erased.
        let kept = page.items.into_iter().filter(|row| row.erased_at.is_none());
        ids.extend(kept.map(|row| row.id.to_string()));
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    ids.reverse();
    Ok(ids)
}
