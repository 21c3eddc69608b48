//! The newest state of one conversation, as its next event finds it. No I/O.

use jiff::Timestamp;

use crate::domain::{ConversationId, ConversationStarted, EventBody, TenantId};
use crate::store::chain::{Hash, START};
use crate::store::{ConversationRow, ConversationState, SYSTEM, StoreError, codec, is_own, wire};

/// A conversation's row and what only the writer needs of it.
#[derive(Clone, Debug)]
pub struct Head {
    pub row: ConversationRow,
    pub first_position: u64,
    pub last_event_at: Timestamp,
    /// What stands beside its newest event.
    pub chain: Hash,
    /// Whether its whole row must be written, as when it is new or has ended; else only what every
    /// event changes, which touches no index.
    pub whole: bool,
}

impl Head {
    /// Takes the next event in; says so when it can't come next.
    pub fn advance(
        head: Option<Self>,
        id: &ConversationId,
        position: u64,
        time: Timestamp,
        body: &EventBody,
    ) -> Result<Self, StoreError> {
        let mut head = match (head, body) {
            (None, EventBody::ConversationStarted(started)) => {
                Self::new(id, position, time, Some(started))
            }
            (None, _) if is_own(id) => Self::new(id, position, time, None),
            (None, _) => return Err(StoreError::NotStarted(id.clone())),
            (Some(_), EventBody::ConversationStarted(_)) => {
                return Err(StoreError::AlreadyStarted(id.clone()));
            }
            // A draft that came late must not bring back what went.
            (Some(head), _) if head.row.erased_at.is_some() => {
                return Err(StoreError::Erased(id.clone()));
            }
            (Some(head), EventBody::ConversationEnded(_))
                if head.row.state == ConversationState::Ended =>
            {
                return Err(StoreError::AlreadyEnded(id.clone()));
            }
            (Some(head), _) => head,
        };
        let row = &mut head.row;
        row.last_sequence += 1;
        row.last_position = position;
        head.last_event_at = head.last_event_at.max(time);
        match body {
            EventBody::ConversationEnded(ended) => {
                row.state = ConversationState::Ended;
                row.ended_at = Some(time);
                row.duration_ms = Some(ended.duration_ms);
                head.whole = true;
            }
            EventBody::TurnFinal(turn) => {
                // Nothing else tells of somebody who joins a chat.
                if !row.parties.iter().any(|one| *one.id == *turn.party.id.as_str()) {
                    row.parties.push(codec::party(&turn.party));
                    head.whole = true;
                }
                row.turn_count += 1;
                row.last_turn = Some(wire::LastTurn {
                    turn_id: turn.id.to_string(),
                    party: wire::PartyRef {
                        id: turn.party.id.to_string(),
                        role: turn.party.role.as_str().into(),
                    },
                    start_ms: turn.start_ms,
                    end_ms: turn.end_ms,
                    text: turn.text.as_str().into(),
                });
            }
            // The list must not go on showing a placeholder whose words were found harmless.
            EventBody::RedactionResolved(resolved) => {
                if let crate::domain::RedactionOutcome::Released(text) = &resolved.outcome
                    && let Some(last) = &mut row.last_turn
                    && *last.turn_id == *resolved.turn_id.as_str()
                {
                    last.text = last.text.replacen(&resolved.placeholder, text.as_str(), 1);
                }
            }
            EventBody::SuggestionOffered(_) => row.card_count += 1,
            // Whoever came later takes part, too.
            EventBody::AudioStarted(audio)
                if !row.parties.iter().any(|one| *one.id == *audio.party.id.as_str()) =>
            {
                row.parties.push(codec::party(&audio.party));
                head.whole = true;
            }
            _ => {}
        }
        Ok(head)
    }

    fn new(
        id: &ConversationId,
        position: u64,
        time: Timestamp,
        started: Option<&ConversationStarted>,
    ) -> Self {
        Self {
            row: ConversationRow {
                id: id.clone(),
                state: ConversationState::Live,
                channel: started.map_or(SYSTEM, |started| started.channel.as_str()).to_owned(),
                external_id: started.and_then(|started| started.external_id.clone()),
                started_at: time,
                ended_at: None,
                duration_ms: None,
                parties: started
                    .map(|started| started.parties.iter().map(codec::party).collect())
                    .unwrap_or_default(),
                attributes: started.map(|started| started.attributes.clone()).unwrap_or_default(),
                turn_count: 0,
                card_count: 0,
                last_turn: None,
                last_sequence: 0,
                last_position: 0,
                erased_at: None,
            },
            first_position: position,
            last_event_at: time,
            chain: START,
            whole: true,
        }
    }

    /// As the `state` column has it.
    pub fn state_text(&self) -> &'static str {
        if is_own(&self.row.id) { SYSTEM } else { self.row.state.as_str() }
    }
}

/// Which conversation, in memory.
pub type HeadKey = (TenantId, ConversationId);
