//! How a person's reply gets to the customer.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::threads::CITES;
use crate::domain::{
    ChannelReply, ConversationId, CrmWrite, DedupeKey, Delivery, DeliveryMove, DeliveryState,
    Effect, EventBody, NewDelivery, NewEvent, Progress, Redacted, TenantId, TurnId,
};
use crate::store::{Outbox, StoreError};

/// The addresses of a conversation, as they stand in its attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The destination's name in the settings.
    pub connector: String,
    /// Ours: a number, a bot, a mailbox.
    pub ours: String,
    /// The customer's.
    pub theirs: String,
    /// The channel's own name for the thread.
    pub thread: Option<String>,
}

/// Attributes that a client's own may not be called.
pub const RESERVED: [&str; 3] = ["connector", "thread", CITES];

impl Route {
    pub(super) fn into_attributes(self) -> BTreeMap<String, String> {
        let named = [
            ("connector", Some(self.connector)),
            ("to", Some(self.ours)),
            ("from", Some(self.theirs)),
            ("thread", self.thread),
        ];
        named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }

    pub fn of(attributes: &BTreeMap<String, String>) -> Option<Self> {
        let value = |name: &str| attributes.get(name).cloned();
        Some(Self {
            connector: value("connector")?,
            ours: value("to")?,
            theirs: value("from")?,
            thread: value("thread"),
        })
    }
}

/// Told the name of a destination for which something was put into the outbox.
pub type OnPosted = Arc<dyn Fn(&str) + Send + Sync>;

/// The outbox, and who carries from it.
#[derive(Clone)]
pub struct Outgoing {
    pub outbox: Arc<dyn Outbox>,
    pub on_posted: OnPosted,
}

impl Outgoing {
    pub(in crate::flow::driver) async fn post(
        &self,
        tenant: &TenantId,
        id: &ConversationId,
        events: Vec<NewEvent>,
        deliveries: &[NewDelivery],
    ) -> Result<(), StoreError> {
        self.outbox.post(tenant, id, events, deliveries.to_vec()).await?;
        for delivery in deliveries {
            (self.on_posted)(&delivery.destination);
        }
        Ok(())
    }

    /// What carries this turn, if anything does.
    pub(super) async fn of_turn(
        &self,
        tenant: &TenantId,
        id: &ConversationId,
        turn: &TurnId,
    ) -> Result<Option<Delivery>, StoreError> {
        let mut query = crate::store::DeliveryQuery::all(tenant.clone());
        query.conversation = Some(id.clone());
        loop {
            let page = self.outbox.deliveries(&query).await?;
            let found = page.items.into_iter().find(|one| one.new.effect.turn() == Some(turn));
            match (found, page.next) {
                (Some(found), _) => return Ok(Some(found)),
                (None, Some(next)) => query.after = Some(next),
                (None, None) => return Ok(None),
            }
        }
    }

    /// A dead letter is tried again; whether an earlier try got through is looked for before.
    pub(super) async fn again(&self, failed: Delivery) -> Result<(), StoreError> {
        let now = Timestamp::now();
        let to = Progress {
            state: DeliveryState::Waiting,
            next_at: now,
            problem: None,
            updated_at: now,
            ..failed.progress
        };
        let write = EventBody::CrmWrite(Box::new(CrmWrite::of(&failed.new, &to)));
        let step = DeliveryMove {
            tenant: failed.tenant,
            conversation: failed.conversation,
            position: failed.position,
            from: DeliveryState::Failed,
            to,
        };
        self.outbox.advance(step, vec![NewEvent::at(now, write)]).await?;
        (self.on_posted)(&failed.new.destination);
        Ok(())
    }
}

/// What carries a turn to the customer.
pub(super) fn reply(
    route: &Route,
    conversation: &ConversationId,
    turn: &TurnId,
    text: Redacted,
    by: Option<String>,
    answers: &[String],
) -> NewDelivery {
    let now = Timestamp::now();
    NewDelivery {
        destination: route.connector.clone(),
        key: DedupeKey::of(&["reply", conversation.as_str(), turn.as_str()]),
        // One after the other, as they were written.
        lane: conversation.to_string(),
        effect: Effect::SendReply(ChannelReply {
            conversation: conversation.clone(),
            turn: turn.clone(),
            from: route.ours.clone(),
            to: route.theirs.clone(),
            text,
            in_reply_to: route.thread.clone(),
            answers: answers.to_vec(),
            written_at: now,
        }),
        from: None,
        by,
        created_at: now,
    }
}
