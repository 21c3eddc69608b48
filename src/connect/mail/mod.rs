//! E-mail: drafts in a person's own mailbox, mails that a person has said yes to, and what is answered.
//!
//! `compose` builds messages (lettre: the same crate speaks SMTP, encodes headers and quotes names), `imap` and
//! `smtp` are the two ways out, `read` and `quoted` take an inbound message apart, `inbox` polls for them.
//!
//! # What is made once
//!
//! Every message bears `Message-ID: <bc-KEY@DOMAIN>`, so a folder tells whether it was made.
//!
//! - A draft is looked for in Drafts, Sent and Trash before it is appended: one that a person sent or threw away
//!   isn't written again. Two processes that append at the same moment would make two; the outbox has one.
//! - Sending: SMTP forgets. So the server is first asked for everything that it may refuse (connection, login, sender,
//!   recipients); then the message is put into Drafts, which is the claim; then its text is transmitted; then it
//!   goes to Sent and the claim is taken away. In Sent: it was accepted. In neither: it never left. Only in Drafts:
//!   the process or the connection died while the text was on its way, and nobody but a person can tell. That is
//!   `Undecided`, never a second mail: they move it to Sent when it arrived, or delete it and send again.

pub(in crate::connect) mod address;
mod asked;
mod compose;
mod imap;
mod inbox;
mod quoted;
mod read;
mod secret;
mod smtp;
#[cfg(test)]
mod tests;
mod tls;

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

pub use imap::Folders;
pub use inbox::{Cursor, Inbox, Received, Skipped};
pub use read::{Attachment, Inbound, ReadError, read};
pub use secret::{Login, Secret};
pub use tls::{Security, Server};

use super::calendar::{EventKey, Invitation};
use super::destination::{DeliveryError, Destination, RemoteId};
use crate::domain::{DedupeKey, Effect, MailDraft, Mailbox, Meeting};
use address::Sender;
use compose::Composed;
use imap::{Imap, Role};
use smtp::Submission;

/// One mailbox.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The destination's name.
    pub name: String,
    /// Who writes. Nothing is sent or drafted in another name.
    pub from: Mailbox,
    pub imap: Server,
    /// Absent: mails are drafted and never sent.
    pub smtp: Option<Server>,
    pub login: Login,
    pub folders: Folders,
    pub sent_copy: SentCopy,
    pub invitations: Invitations,
    /// For one visit to a server.
    pub patience: Duration,
}

/// Who puts a sent mail into Sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SentCopy {
    /// We do.
    #[default]
    Ours,
    /// The submission server does by itself (Gmail, Exchange Online). Looking there then also tells what became of
    /// a mail whose answer was lost.
    Servers,
}

/// What becomes of a meeting's invitation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Invitations {
    #[default]
    Drafted,
    Sent,
}

/// A mailbox as a destination.
#[derive(Debug)]
pub struct Mail {
    name: String,
    sender: Sender,
    imap: Imap,
    smtp: Option<Submission>,
    sent_copy: SentCopy,
    invitations: Invitations,
}

impl Mail {
    /// # Errors
    /// What is wrong with the settings, in a sentence that begins with the setting's name.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let sender = Sender::new(&settings.from)?;
        let smtp = settings.smtp.as_ref().map(|server| {
            Submission::new(server, &settings.login, sender.domain(), settings.patience)
        });
        let smtp = smtp.transpose().map_err(|problem| format!("smtp.{problem}"))?;
        if smtp.is_none() && settings.invitations == Invitations::Sent {
            return Err("smtp is needed to send invitations".to_owned());
        }
        let imap = Imap::new(&settings.imap, &settings.login, settings.folders, settings.patience)
            .map_err(|problem| format!("imap.{problem}"))?;
        let (sent_copy, invitations) = (settings.sent_copy, settings.invitations);
        Ok(Self { name: settings.name, sender, imap, smtp, sent_copy, invitations })
    }

    fn message(&self, effect: &Effect, key: &DedupeKey) -> Result<Composed, DeliveryError> {
        match effect {
            Effect::DraftMail(mail) | Effect::SendMail(mail) => self.letter(mail, key),
            Effect::PutMeeting(meeting) => self.invitation(meeting, key),
            _ => Err(DeliveryError::Unsupported("a mailbox holds mails and invitations")),
        }
    }

    fn letter(&self, mail: &MailDraft, key: &DedupeKey) -> Result<Composed, DeliveryError> {
        let id = self.sender.message_id(key.as_str())?;
        compose::letter(&self.sender, &id, mail)
    }

    fn invitation(&self, meeting: &Meeting, key: &DedupeKey) -> Result<Composed, DeliveryError> {
        let event = EventKey::new(key)?;
        // Every revision is a mail of its own.
        let id = self.sender.message_id(&event.of_revision(meeting))?;
        let invitation = Invitation::new(&event, meeting, Timestamp::now())?;
        if !self.sender.is(&meeting.organizer.address) {
            let why = "the organizer is not this mailbox's sender: set `from`, or ask another";
            return Err(DeliveryError::Refused(why.to_owned()));
        }
        compose::invitation(&self.sender, &id, meeting, &invitation)
    }

    fn is_sent(&self, effect: &Effect) -> bool {
        match effect {
            Effect::SendMail(_) => true,
            Effect::PutMeeting(_) => self.invitations == Invitations::Sent,
            _ => false,
        }
    }

    async fn draft(&self, message: &Composed) -> Result<(), DeliveryError> {
        let mut mailbox = self.imap.open().await?;
        if mailbox.holds_anywhere(&message.id).await? {
            return mailbox.close(Ok(())).await;
        }
        let appended = mailbox.append(Role::Drafts, "(\\Draft)", &message.bytes).await;
        mailbox.close(appended).await
    }

    /// The order is what makes it once; see above.
    async fn send(&self, message: &Composed) -> Result<(), DeliveryError> {
        let Some(smtp) = &self.smtp else {
            let why = "no `smtp` is configured: mails can be drafted only";
            return Err(DeliveryError::Refused(why.to_owned()));
        };
        let mut mailbox = self.imap.open().await?;
        match mailbox.whereabouts(&message.id).await? {
            Whereabouts::Sent => return mailbox.close(Ok(())).await,
            Whereabouts::Claimed => return mailbox.close(Err(undecided())).await,
            Whereabouts::Nowhere => {}
        }
        let ready = match smtp.prepare(&message.envelope).await {
            Ok(ready) => ready,
            Err(refused) => return mailbox.close(Err(refused)).await,
        };
        let claim = mailbox.append(Role::Drafts, "(\\Draft \\Seen)", &message.bytes).await;
        if let Err(error) = claim {
            return Err(self.without_claim(error, message).await);
        }
        if let Err(refused) = ready.transmit(&message.bytes).await {
            let is_sure = !matches!(refused, DeliveryError::Unclear(_));
            // It stays where it is when this fails, and a person is asked: too often, never too seldom.
            if is_sure && mailbox.remove_from_drafts(&message.id).await.is_err() {
                tracing::warn!(destination = self.name, "a refused mail stays in Drafts");
            }
            return mailbox.close(Err(refused)).await;
        }
        if let Err(error) = self.file(&mut mailbox, message).await {
            tracing::warn!(destination = self.name, %error, "a sent mail was not moved to Sent");
        }
        mailbox.close(Ok(())).await
    }

    /// Nothing was transmitted yet. A claim that may stand all the same would look as if it had been.
    async fn without_claim(&self, error: DeliveryError, message: &Composed) -> DeliveryError {
        let Ok(mut mailbox) = self.imap.open().await else { return error };
        let removed = mailbox.remove_from_drafts(&message.id).await;
        match (mailbox.close(removed).await, error) {
            (Ok(()), DeliveryError::Unclear(why)) => DeliveryError::Unreachable(why),
            (_, error) => error,
        }
    }

    /// Into Sent, then out of Drafts: in this order it is in one of them at any time.
    async fn file(
        &self,
        mailbox: &mut imap::Open,
        message: &Composed,
    ) -> Result<(), DeliveryError> {
        if self.sent_copy == SentCopy::Ours {
            mailbox.append(Role::Sent, "(\\Seen)", &message.bytes).await?;
        }
        mailbox.remove_from_drafts(&message.id).await
    }
}

/// What the folders say of a mail that was to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whereabouts {
    Nowhere,
    Claimed,
    Sent,
}

fn undecided() -> DeliveryError {
    let why = "the mail is in Drafts and its sending broke off: move it to Sent if it arrived, or \
               delete it there and send it again";
    DeliveryError::Undecided(why.to_owned())
}

#[async_trait]
impl Destination for Mail {
    fn name(&self) -> &str {
        &self.name
    }

    async fn deliver(&self, effect: &Effect, key: &DedupeKey) -> Result<RemoteId, DeliveryError> {
        let message = self.message(effect, key)?;
        match self.is_sent(effect) {
            true => self.send(&message).await?,
            false => self.draft(&message).await?,
        }
        Ok(RemoteId(message.id))
    }

    async fn delivered(
        &self,
        effect: &Effect,
        key: &DedupeKey,
    ) -> Result<Option<RemoteId>, DeliveryError> {
        let message = self.message(effect, key)?;
        let mut mailbox = self.imap.open().await?;
        let found = match self.is_sent(effect) {
            false => mailbox.holds_anywhere(&message.id).await,
            true => match mailbox.whereabouts(&message.id).await {
                Ok(Whereabouts::Claimed) => Err(undecided()),
                Ok(whereabouts) => Ok(whereabouts == Whereabouts::Sent),
                Err(error) => Err(error),
            },
        };
        let found = mailbox.close(found).await?;
        Ok(found.then_some(RemoteId(message.id)))
    }
}
