//! A stored call once more through the suggestion stage, and what is another now.
//!
//! The stage gets the turns as it got them then, in the order in which they became final, with digits
//! as they were masked at that moment. Time is that of the audio. One search is answered before the next
//! turn comes, which in a live call may be the other way round.

mod diff;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{Answer, ConversationId, TenantId, Turn, TurnId};
use crate::flow::feedback::{KINDS, PlacedCard, StoredCall, StoredCard};
use crate::flow::suggestion::{CardQuery, Decision, Suggester, SuggestionSettings};
use crate::knowledge::{KnowledgeError, Library};
use crate::models::ENGLISH;
use crate::models::embedder::{EmbedderError, EmbedderHandle, Urgency};
use crate::store::{KindFilter, MAX_READ, ReadQuery, Store, StoreError, codec};

pub use self::diff::{Change, Difference, Sums, differences};

/// Nothing in the background waits longer for one vector; then the model hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Reads a call; without turns or cards if there is none of that name.
///
/// # Errors
/// The log can't be read.
pub async fn stored_call(
    store: &dyn Store,
    tenant: &TenantId,
    id: &ConversationId,
) -> Result<StoredCall, StoreError> {
    let mut query = ReadQuery::all(tenant.clone(), 0).of(id.clone());
    query.kinds = KindFilter::parse(KINDS).expect("the kinds are a constant; this is a bug");
    let mut call = StoredCall::default();
    loop {
        let page = store.read(&query).await?;
        for event in &page {
            query.after = event.position;
            call.take(event)?;
        }
        if page.len() < MAX_READ {
            return Ok(call);
        }
    }
}

/// Calls in which cards were judged.
#[derive(Debug, Default)]
pub struct JudgedCalls {
    /// The one that was judged last comes first.
    pub calls: Vec<ConversationId>,
    /// The position of the last verdict.
    pub last: u64,
}

/// The calls with verdicts behind a position of the log; of more verdicts than `newest`, those.
///
/// # Errors
/// The log can't be read.
pub async fn judged_calls(
    store: &dyn Store,
    tenant: &TenantId,
    after: u64,
    newest: usize,
) -> Result<JudgedCalls, StoreError> {
    let mut query = ReadQuery::all(tenant.clone(), after);
    query.kinds = KindFilter::exactly(codec::SUGGESTION_VERDICT);
    let mut judged: VecDeque<ConversationId> = VecDeque::new();
    loop {
        let page = store.read(&query).await?;
        for event in &page {
            query.after = event.position;
            judged.push_front(event.conversation.clone());
        }
        judged.truncate(newest);
        if page.len() < MAX_READ {
            break;
        }
    }
    let mut known = HashSet::new();
    let calls = judged.into_iter().filter(|id| known.insert(id.clone())).collect();
    Ok(JudgedCalls { calls, last: query.after })
}

/// The judged cards of a call, each with what was asked; of those that `is_known` there is no need.
/// Blocks for the rules and the model.
///
/// # Errors
/// The model has no vector for a question.
pub fn placed_cards(
    call: &StoredCall,
    is_known: impl Fn(&StoredCard) -> bool,
    embedder: &EmbedderHandle,
) -> Result<Vec<PlacedCard>, EmbedderError> {
    let wanted = |card: &&StoredCard| !card.verdicts.is_empty() && !is_known(card);
    let cards: Vec<&StoredCard> = call.cards.iter().filter(wanted).collect();
    let mut placed = Vec::with_capacity(cards.len());
    if cards.is_empty() {
        return Ok(placed);
    }
    let asked = questions(call);
    let mut vectors: HashMap<&TurnId, Arc<[f32]>> = HashMap::new();
    for card in cards {
        let Some(words) = asked.get(&card.turn) else { continue };
        if !vectors.contains_key(&card.turn) {
            // One at a time: so long a live search waits at most.
            let words = vec![words.clone()];
            let made = embedder.embed_blocking(words, Urgency::Background, PATIENCE)?;
            vectors.extend(made.into_iter().map(|vector| (&card.turn, vector.into())));
        }
        if let Some(question) = vectors.get(&card.turn).map(Arc::clone) {
            placed.push(PlacedCard { card: card.clone(), question });
        }
    }
    Ok(placed)
}

/// What was asked in each turn, by the rules of today: the wording by which
/// [`crate::knowledge::feedback`] compares questions. Where they ask nothing, the turn's own words.
fn questions(call: &StoredCall) -> HashMap<&TurnId, String> {
    let mut suggester = Suggester::new(&SuggestionSettings::default());
    let mut asked = HashMap::new();
    for turn in &call.turns {
        let query = consider(&mut suggester, turn);
        let words = query.as_ref().map_or(turn.text.as_str(), |query| query.request.compared());
        asked.insert(&turn.id, words.to_owned());
    }
    asked
}

/// The cards that the call would get now, with their turns. Blocks for its searches.
///
/// # Errors
/// A search failed.
pub fn rerun(
    call: &StoredCall,
    library: &Library,
    settings: &SuggestionSettings,
) -> Result<Vec<(TurnId, Answer)>, KnowledgeError> {
    let mut suggester = Suggester::new(settings);
    let mut cards = Vec::new();
    let mut now_ms = 0;
    for turn in &call.turns {
        now_ms = turn.end_ms.max(now_ms);
        let Some(query) = consider(&mut suggester, turn) else { continue };
        let found = library.search(&query.request)?;
        if let Decision::Offer(answer) = suggester.decide(&query, &found, now_ms) {
            cards.push((turn.id.clone(), *answer));
        }
    }
    Ok(cards)
}

/// As the session does: the rules know English only.
fn consider(suggester: &mut Suggester, turn: &Turn) -> Option<CardQuery> {
    if turn.language == ENGLISH { suggester.consider(turn) } else { None }
}
