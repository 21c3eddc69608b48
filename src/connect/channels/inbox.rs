//! What comes in finds its conversation.

use std::collections::BTreeMap;

use super::Inbound;
use crate::domain::{Channel, Classify, Direction, ErrorKind, Role, TenantId};
use crate::flow::driver::texts::{NewTurn, Speaker, TakenTurn, TextError, TextOpening, Texts};

/// Takes the messages of all channels. Cheap to clone.
#[derive(Clone)]
pub struct Inbox {
    texts: Texts,
}

/// Why a message wasn't taken; the vendor should bring it again if that may help.
#[derive(Clone, Debug, thiserror::Error)]
#[error(transparent)]
pub struct InboxError(#[from] TextError);

impl Classify for InboxError {
    fn kind(&self) -> ErrorKind {
        self.0.kind()
    }
}

impl Inbox {
    pub fn new(texts: Texts) -> Self {
        Self { texts }
    }

    /// Puts a message into the live conversation of its two addresses, or into a new one; durable when this
    /// resolves. A message that comes again is taken once, also when its conversation is over.
    ///
    /// # Errors
    /// The log can't take it, or there is no room.
    pub async fn take(&self, tenant: &TenantId, inbound: Inbound) -> Result<TakenTurn, InboxError> {
        let Inbound { channel, route, name, message_id, text, at } = inbound;
        let shown = name.unwrap_or_else(|| route.theirs.clone());
        let thread = match &route.thread {
            // The rest is the subject, which people change.
            Some(thread) if channel == Channel::Mail => {
                let root = thread.split(' ').next().unwrap_or_default();
                format!("{} {root}", route.connector)
            }
            Some(thread) => format!("{} {thread}", route.connector),
            None => format!("{} {} {}", route.connector, route.ours, route.theirs),
        };
        let opening = TextOpening {
            tenant: tenant.clone(),
            id: None,
            channel,
            direction: Direction::Inbound,
            external_id: Some(thread),
            parties: vec![(Role::Customer, Some(shown.clone())), (Role::Agent, None)],
            attributes: BTreeMap::new(),
            route: Some(route),
            language: "en".to_owned(),
        };
        let turn = NewTurn {
            client_id: Some(message_id),
            // Several people write in one chat of Teams.
            speaker: Speaker::Role(Role::Customer, Some(shown)),
            text,
            at,
            sends: false,
        };
        Ok(self.texts.message(opening, turn).await?)
    }
}
