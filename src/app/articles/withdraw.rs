//! Cards that are on a screen while their article is taken back.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::domain::{ArticleId, ConversationId, EventBody, NewEvent, TenantId};
use crate::store::{
    ConversationState, KindFilter, ListQuery, MAX_READ, ReadQuery, Store, StoreError, codec, wire,
};

const WHY: &str = "its article was retired";

/// Withdraws the cards of all live conversations that quote the article.
///
/// # Errors
/// The log can't be read or written; some cards may stay on their screens.
pub async fn withdraw(
    store: &dyn Store,
    tenant: &TenantId,
    article: &ArticleId,
) -> Result<(), StoreError> {
    let mut query = ListQuery {
        tenant: tenant.clone(),
        state: Some(ConversationState::Live),
        external_id: None,
        limit: 100,
        after: None,
    };
    let mut failed = None;
    loop {
        let page = store.conversations(&query).await?;
        for row in page.items.iter().filter(|row| row.card_count > 0) {
            let withdrawn = withdraw_in(store, tenant, &row.id, article).await;
            // The other calls' cards come off all the same.
            failed = failed.or(withdrawn.err());
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return failed.map_or(Ok(()), Err),
        }
    }
}

async fn withdraw_in(
    store: &dyn Store,
    tenant: &TenantId,
    conversation: &ConversationId,
    article: &ArticleId,
) -> Result<(), StoreError> {
    let cards = quoting(store, tenant, conversation, article).await?;
    let withdrawn = cards.into_iter().map(|card| {
        let body = EventBody::SuggestionWithdrawn { card_id: card.into(), why: WHY.to_owned() };
        NewEvent::at(Timestamp::now(), body)
    });
    store.append(tenant, conversation, withdrawn.collect()).await.map(drop)
}

/// The cards of a conversation that quote the article and were not withdrawn.
async fn quoting(
    store: &dyn Store,
    tenant: &TenantId,
    conversation: &ConversationId,
    article: &ArticleId,
) -> Result<BTreeSet<String>, StoreError> {
    let mut query = ReadQuery::all(tenant.clone(), 0).of(conversation.clone());
    query.kinds = KindFilter::parse("suggestion.offered,suggestion.withdrawn")
        .map_err(|error| StoreError::Read(error.to_string().into()))?;
    let mut cards = BTreeSet::new();
    loop {
        let page = store.read(&query).await?;
        for event in &page {
            query.after = event.position;
            if &*event.kind == codec::SUGGESTION_WITHDRAWN {
                let withdrawn: wire::SuggestionWithdrawn = codec::data(event)?;
                cards.remove(&withdrawn.card_id);
                continue;
            }
            let card: wire::SuggestionOffered = codec::data(event)?;
            if card.citations.iter().any(|cited| cited.article_id == article.as_str()) {
                cards.insert(card.card_id);
            }
        }
        if page.len() < MAX_READ {
            return Ok(cards);
        }
    }
}
