//! The ways on which customers write: SMS, mail, a chat on a web page, Teams. What comes in is read and checked here, and
//! what a person answers goes out here; nothing is sent otherwise.
//!
//! What is sent once, by system:
//!
//! | system | how |
//! |---|---|
//! | ACS SMS | each recipient has a repeatability id: the same again is the same message |
//! | Twilio | it knows no keys: messages to the number since the reply was written are looked for, less those that are known to be others; what can't be told is `Undecided` |
//! | mail | the mailbox's own way: see `connect::mail` |
//! | Teams | nobody can ask what was posted: a post whose answer was lost is `Undecided` |
//! | web chat | the visitor reads the log: nothing is sent |

pub mod acs_sms;
mod inbox;
pub mod mailbox;
pub mod teams;
pub mod twilio_sms;
pub mod webchat;

use jiff::Timestamp;

pub use self::inbox::{Inbox, InboxError};
use super::destination::DeliveryError;
use crate::domain::{Channel, ChannelReply, Effect};
use crate::flow::driver::texts::Route;

/// No channel has longer messages; the rest of one is cut.
const TEXT_MAX_CHARS: usize = 20_000;
const ADDRESS_MAX_CHARS: usize = 200;

/// A message that came in on a channel, raw.
#[derive(Clone, PartialEq, Eq)]
pub struct Inbound {
    pub channel: Channel,
    pub route: Route,
    /// How the customer is called on the channel, if that isn't the address.
    pub name: Option<String>,
    /// The vendor's own, by which a second delivery is recognised.
    pub message_id: String,
    pub text: String,
    pub at: Option<Timestamp>,
}

impl std::fmt::Debug for Inbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Neither who writes nor what.
        f.debug_struct("Inbound").field("channel", &self.channel).finish_non_exhaustive()
    }
}

/// A delivery that isn't what the vendor sends; quotes nothing of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub &'static str);

/// An address of a channel: printable, without white space, not too long.
fn address(text: &str, fault: &'static str) -> Result<String, Unreadable> {
    let text = text.trim();
    let is_plain = |c: char| !c.is_whitespace() && !c.is_control();
    match !text.is_empty()
        && text.chars().nth(ADDRESS_MAX_CHARS).is_none()
        && text.chars().all(is_plain)
    {
        true => Ok(text.to_owned()),
        false => Err(Unreadable(fault)),
    }
}

fn cut(text: &str) -> String {
    text.chars().take(TEXT_MAX_CHARS).collect()
}

fn reply(effect: &Effect) -> Result<&ChannelReply, DeliveryError> {
    match effect {
        Effect::SendReply(reply) => Ok(reply),
        _ => Err(DeliveryError::Unsupported("a channel carries replies to customers")),
    }
}
