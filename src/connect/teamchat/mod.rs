//! Messages to colleagues, and rooms for a case that several work on: Matrix, Slack, Teams by a Workflows webhook or a bot.
//!
//! What is written once, by system:
//!
//! | system | how |
//! |---|---|
//! | Matrix | the server keeps transaction names for about a day; the key also stands in the event, and is looked for |
//! | Slack | the key stands in the message's metadata, and is looked for in the channel's history |
//! | Teams webhook, Teams bot | nobody can ask what was posted: a post whose answer was lost is `Undecided`, left to a person and not repeated. A request for help that comes twice costs less than one that two people think the other has taken, but a person sees in a second which it is |
//!
//! Words of customers and colleagues are escaped for each format, and call nobody: `@channel` stays a word.

mod bot;
mod card;
mod matrix;
mod slack;
mod swarm;
#[cfg(test)]
mod tests;
mod words;
mod workflows;

pub use bot::{Bot, Settings as BotSettings};
pub use matrix::{Matrix, Settings as MatrixSettings};
pub use slack::{Settings as SlackSettings, Slack};
pub use swarm::{Room, RoomRequest, Swarm};
pub use workflows::{Settings as WorkflowsSettings, Workflows};

use jiff::{Timestamp, ToSpan as _};

use super::destination::DeliveryError;
use crate::domain::{DedupeKey, Effect, TeamMessage};

/// An effect that failed so long ago is no longer on its way.
const LOOK_BACK_DAYS: i64 = 7;

fn message(effect: &Effect) -> Result<&TeamMessage, DeliveryError> {
    match effect {
        Effect::PostMessage(message) => Ok(message),
        _ => Err(DeliveryError::Unsupported("a team chat takes messages")),
    }
}

/// # Errors
/// `Refused` when the key can't be a piece of a path.
fn plain(key: &DedupeKey) -> Result<&str, DeliveryError> {
    let text = key.as_str();
    let is_plain =
        (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_plain
        .then_some(text)
        .ok_or_else(|| DeliveryError::Refused("the key is not made of letters and digits".into()))
}

fn look_back() -> Timestamp {
    let now = Timestamp::now();
    now.checked_sub((24 * LOOK_BACK_DAYS).hours()).unwrap_or(now)
}

fn undecided(where_to_look: &str) -> DeliveryError {
    DeliveryError::Undecided(format!("look in {where_to_look} and send it again if it isn't there"))
}
