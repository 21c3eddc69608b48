//! Whether a conversation's row says what its events tell: lists and searches show the row, and the hash chain is over
//! the events alone.

use super::{Reader, head_of, head_sql, recorded};
use crate::domain::{ConversationId, Recorded, TenantId};
use crate::store::codec::{self, CONVERSATION_ENDED, CONVERSATION_STARTED, REDACTION, TURN_FINAL};
use crate::store::sql::Sql;
use crate::store::{ConversationRow, ConversationState, StoreError, is_own, wire};

const EVENTS: &str = "SELECT position, tenant, conversation, sequence, id, time, kind, schema, data, salt FROM events \
    WHERE tenant = $1 AND conversation = $2 AND kind IN ('conversation.started', 'conversation.ended', 'turn.final', \
    'insight.redaction', 'audio.started') ORDER BY sequence";

/// What the events of a conversation tell of it.
#[derive(Default)]
struct Told {
    started: Option<wire::ConversationStarted>,
    /// Who came later.
    joined: Vec<wire::PartyRef>,
    last_turn: Option<wire::LastTurn>,
    is_ended: bool,
}

impl Reader {
    /// Where a row says something else. Nothing is said of one that has grown since `up_to`, nor where a part of what
    /// it was made of is erased.
    pub(super) async fn row_differs(
        &self,
        tenant: &TenantId,
        id: &ConversationId,
        up_to: u64,
    ) -> Result<Option<&'static str>, StoreError> {
        if is_own(id) {
            return Ok(None);
        }
        let row = match self.row(head_sql(tenant, id)).await {
            Ok(Some(row)) => row,
            Ok(None) => return Ok(None),
            Err(error) => return unreadable(error),
        };
        let row = match head_of(&row) {
            Ok(head) => head.row,
            Err(error) => return unreadable(error),
        };
        if row.last_position > up_to || row.erased_at.is_some() {
            return Ok(None);
        }
        let sql = Sql::new(EVENTS).with(tenant.as_str()).with(id.as_str());
        let mut told = Told::default();
        for event in self.rows(sql).await? {
            // What isn't read any more was checked by its hash.
            if event.maybe_bytes(9).is_none() || told.take(&recorded(&event)?).is_err() {
                return Ok(None);
            }
        }
        Ok(told.differs(&row))
    }
}

fn unreadable(error: StoreError) -> Result<Option<&'static str>, StoreError> {
    match error {
        StoreError::Corrupt(_) => Ok(Some("what can't be read")),
        error => Err(error),
    }
}

impl Told {
    fn take(&mut self, event: &Recorded) -> Result<(), StoreError> {
        match &*event.kind {
            CONVERSATION_STARTED => self.started = Some(codec::data(event)?),
            CONVERSATION_ENDED => self.is_ended = true,
            TURN_FINAL => {
                let turn: wire::TurnFinal = codec::data(event)?;
                self.join(&turn.party);
                let wire::TurnFinal { turn_id, party, start_ms, end_ms, text, .. } = turn;
                self.last_turn = Some(wire::LastTurn { turn_id, party, start_ms, end_ms, text });
            }
            REDACTION => {
                let resolved: wire::RedactionResolved = codec::data(event)?;
                if let (Some(text), Some(last)) = (&resolved.text, &mut self.last_turn)
                    && last.turn_id == resolved.turn_id
                {
                    last.text = last.text.replacen(&resolved.placeholder, text, 1);
                }
            }
            _ => self.join(&codec::data::<wire::AudioStarted>(event)?.party),
        }
        Ok(())
    }

    fn join(&mut self, party: &wire::PartyRef) {
        let first = self.started.iter().flat_map(|started| &started.parties).map(|one| &one.id);
        if !first.chain(self.joined.iter().map(|one| &one.id)).any(|id| *id == party.id) {
            self.joined.push(party.clone());
        }
    }

    fn differs(&self, row: &ConversationRow) -> Option<&'static str> {
        let started = self.started.as_ref()?;
        let (first, later) = row.parties.split_at_checked(started.parties.len()).unzip();
        let later_ones = later.unwrap_or_default().iter();
        // Of who came later, not every event tells the name.
        let parties_hold = first == Some(&started.parties[..])
            && later_ones
                .map(|one| (&one.id, &one.role))
                .eq(self.joined.iter().map(|one| (&one.id, &one.role)));
        let is_ended = row.state == ConversationState::Ended;
        let checks = [
            (row.channel == started.channel, "channel"),
            (row.external_id == started.external_id, "external_id"),
            (row.attributes == started.attributes, "attributes"),
            (parties_hold, "parties"),
            (row.last_turn == self.last_turn, "last_turn"),
            (is_ended == self.is_ended, "state"),
        ];
        checks.into_iter().find(|(holds, _)| !holds).map(|(_, what)| what)
    }
}
