//! Which conversation a channel's message belongs to: the live one of its thread, or a new one.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio::sync::MutexGuard;

use super::{NewTurn, PAGE, TakenTurn, TextError, TextOpening, Texts, event_id};
use crate::domain::{Channel, ConversationId, EndReason, EventId, TenantId};
use crate::store::{ConversationRow, ConversationState, ListQuery, codec};

/// The attribute of a conversation whose first mail cites somebody else's: that one's name.
pub(super) const CITES: &str = "cites";
/// What the event of a channel's message is called.
const MESSAGE: &str = "message";

impl Texts {
    /// The live conversation of a thread, such as two numbers that write to each other, or a new one. What has been
    /// silent for too long is ended first. `opening.external_id` names the thread; a thread of mails is one for each
    /// of its senders, since anybody may cite a mail.
    ///
    /// # Errors
    /// As `open`.
    pub async fn in_thread(&self, opening: TextOpening) -> Result<ConversationId, TextError> {
        let _one_at_a_time = self.lock(&opening).await;
        self.of_thread(opening).await
    }

    /// Takes a message that a channel brings, into the conversation of its thread; durable when this resolves.
    /// `turn.client_id` is the vendor's name for it. It is known in all conversations of the thread: what comes again
    /// after the end begins no other one.
    ///
    /// # Errors
    /// As `open` and `turn`.
    pub async fn message(
        &self,
        opening: TextOpening,
        turn: NewTurn,
    ) -> Result<TakenTurn, TextError> {
        let tenant = opening.tenant.clone();
        // Until it is durable, so that the same one at the same time finds it.
        let _one_at_a_time = self.lock(&opening).await;
        let event = match &turn.client_id {
            Some(name) => message_event(&opening, name),
            None => EventId::fresh(),
        };
        if let Some(taken) = self.known(&tenant, &event).await? {
            return Ok(taken);
        }
        // A conversation may end between the two: its successor takes the message.
        for _ in 0..3 {
            let id = self.of_thread(opening.clone()).await?;
            match self.take(&tenant, &id, turn.clone(), event.clone()).await {
                Err(TextError::Ended(_)) => {}
                taken => return taken,
            }
        }
        Err(TextError::Lost)
    }

    /// A message that stands in the log already, in whichever conversation.
    async fn known(
        &self,
        tenant: &TenantId,
        event: &EventId,
    ) -> Result<Option<TakenTurn>, TextError> {
        let found = self.0.shared.store.event(tenant, event).await?;
        let turn = found.map(|found| codec::decode_turn(&found)).transpose()?.flatten();
        Ok(turn.map(TakenTurn::stored))
    }

    async fn lock(&self, opening: &TextOpening) -> MutexGuard<'_, ()> {
        let digest = Sha256::digest(opening.external_id.as_deref().unwrap_or_default());
        self.0.threads[usize::from(digest[0]) % self.0.threads.len()].lock().await
    }

    async fn of_thread(&self, mut opening: TextOpening) -> Result<ConversationId, TextError> {
        let mut query = ListQuery {
            tenant: opening.tenant.clone(),
            state: Some(ConversationState::Live),
            external_id: opening.external_id.clone(),
            limit: PAGE,
            after: None,
        };
        loop {
            let page = self.0.shared.store.conversations(&query).await?;
            match page.items.iter().find(|row| is_of(row, &opening)) {
                Some(row) if self.is_over(row, Timestamp::now()) => {
                    self.end(&opening.tenant, &row.id, EndReason::Timeout).await?;
                    break;
                }
                Some(row) => return Ok(row.id.clone()),
                None => {}
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
        if opening.channel == Channel::Mail
            && let Some(cited) = self.cited(&opening).await?
        {
            opening.attributes.insert(CITES.to_owned(), cited.to_string());
        }
        self.open(opening).await.map(|(id, _)| id)
    }

    /// The latest conversation of somebody else in the same thread of mails.
    async fn cited(&self, opening: &TextOpening) -> Result<Option<ConversationId>, TextError> {
        let query = ListQuery {
            tenant: opening.tenant.clone(),
            state: None,
            external_id: opening.external_id.clone(),
            limit: PAGE,
            after: None,
        };
        let rows = self.0.shared.store.conversations(&query).await?.items;
        let other =
            |row: &&ConversationRow| row.channel == Channel::Mail.as_str() && !is_of(row, opening);
        Ok(rows.iter().find(other).map(|row| row.id.clone()))
    }
}

/// Whether a conversation is the opening's: in a thread of mails, by the same sender.
fn is_of(row: &ConversationRow, opening: &TextOpening) -> bool {
    row.channel == opening.channel.as_str()
        && (opening.channel != Channel::Mail
            || row.attributes.get("from") == opening.route.as_ref().map(|route| &route.theirs))
}

/// The same for the same message of a thread, whichever conversation takes it. A mail's own name stands behind it:
/// answers cite it.
fn message_event(opening: &TextOpening, name: &str) -> EventId {
    let thread = opening.external_id.as_deref().unwrap_or_default();
    let theirs = opening.route.as_ref().map_or("", |route| route.theirs.as_str());
    let id = event_id(MESSAGE, &[opening.tenant.as_str(), thread, theirs, name]);
    match opening.channel {
        Channel::Mail => format!("{id}:{name}").into(),
        _ => id,
    }
}

/// The message identifier, without brackets, of the mail that an event was made of.
pub fn mail_of(event: &EventId) -> Option<&str> {
    let rest = event.as_str().strip_prefix(MESSAGE)?.strip_prefix('-')?;
    rest.split_once(':').map(|(_, name)| name).filter(|name| name.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Direction, Role};
    use crate::flow::driver::texts::Route;

    fn opening(channel: Channel, thread: &str, theirs: &str) -> TextOpening {
        TextOpening {
            tenant: "demo".into(),
            id: None,
            channel,
            direction: Direction::Inbound,
            external_id: Some(thread.to_owned()),
            parties: vec![(Role::Customer, None)],
            attributes: Default::default(),
            route: Some(Route {
                connector: "mail_replies".to_owned(),
                ours: "help@example.org".to_owned(),
                theirs: theirs.to_owned(),
                thread: None,
            }),
            language: "en".to_owned(),
        }
    }

    #[test]
    fn a_message_has_one_name_in_its_thread_and_a_mail_shows_its_own() {
        let ada = opening(Channel::Mail, "mail_replies a@x", "ada@example.test");
        let event = message_event(&ada, "b@x");
        assert_eq!(event, message_event(&ada, "b@x"));
        assert_eq!(mail_of(&event), Some("b@x"));
        let mallory = opening(Channel::Mail, "mail_replies a@x", "mallory@evil.test");
        assert_ne!(event, message_event(&mallory, "b@x"), "nobody takes another's name away");
        let sms = opening(Channel::Sms, "sms +1 +44", "+44");
        assert_eq!(mail_of(&message_event(&sms, "SM1@x:y")), None);
        for none in ["turn-00ff", "message-00ff", "message-00ff:unnamed", "message", ""] {
            assert_eq!(mail_of(&EventId::from(none)), None, "{none}");
        }
    }
}
