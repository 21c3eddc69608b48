//! An effect on its way.

use std::time::Duration;

use jiff::Timestamp;

use super::{ConversationId, DedupeKey, Effect, TenantId, TurnId, WrapUpId};

/// Where an effect is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    Waiting,
    Sending,
    Done,
    /// It will not be tried again by itself: a dead letter.
    Failed,
    /// A person said no.
    Discarded,
}

impl DeliveryState {
    pub const ALL: [Self; 5] =
        [Self::Waiting, Self::Sending, Self::Done, Self::Failed, Self::Discarded];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sending => "sending",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Discarded => "discarded",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// An effect to be put into the outbox.
#[derive(Clone, Debug, PartialEq)]
pub struct NewDelivery {
    /// The name of a destination in the settings.
    pub destination: String,
    pub key: DedupeKey,
    /// Deliveries of one lane are made in the order in which they came: a contact's.
    pub lane: String,
    pub effect: Effect,
    /// The draft that it was made from.
    pub from: Option<WrapUpId>,
    /// Who said yes; none where a rule did.
    pub by: Option<String>,
    pub created_at: Timestamp,
}

/// One effect as the outbox has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// Grows in the order of arrival.
    pub position: u64,
    pub tenant: TenantId,
    pub conversation: ConversationId,
    pub new: NewDelivery,
    pub progress: Progress,
}

/// What changes on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    pub state: DeliveryState,
    /// So many tries were begun.
    pub attempts: u32,
    /// Not before.
    pub next_at: Timestamp,
    /// A try may have been made without our knowing: it is looked for before the next.
    pub unclear: bool,
    pub remote_id: Option<String>,
    /// Why the last try failed, for people.
    pub problem: Option<String>,
    pub updated_at: Timestamp,
}

impl Progress {
    /// No try is put off for longer: a `next_at` further away was set before the clock was put back.
    pub const PAUSE_MAX: Duration = Duration::from_secs(15 * 60);

    /// How a delivery begins.
    pub fn new(at: Timestamp) -> Self {
        Self {
            state: DeliveryState::Waiting,
            attempts: 0,
            next_at: at,
            unclear: false,
            remote_id: None,
            problem: None,
            updated_at: at,
        }
    }
}

/// From one state to another.
#[derive(Clone, Debug, PartialEq)]
pub struct DeliveryMove {
    pub tenant: TenantId,
    pub conversation: ConversationId,
    pub position: u64,
    /// Refused when it is in another state by now.
    pub from: DeliveryState,
    pub to: Progress,
}

/// What is told of a delivery, in its conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct CrmWrite {
    pub key: DedupeKey,
    pub destination: String,
    pub operation: String,
    pub contact_id: Option<String>,
    pub state: DeliveryState,
    pub attempts: u32,
    pub remote_id: Option<String>,
    pub problem: Option<String>,
    pub from: Option<WrapUpId>,
    /// The turn that it carries to a customer.
    pub turn: Option<TurnId>,
    pub by: Option<String>,
}

impl CrmWrite {
    /// What is told when a delivery comes to be, or has moved to `progress`.
    pub fn of(new: &NewDelivery, progress: &Progress) -> Self {
        Self {
            key: new.key.clone(),
            destination: new.destination.clone(),
            operation: new.effect.operation().to_owned(),
            contact_id: new.effect.contact_id().map(str::to_owned),
            state: progress.state,
            attempts: progress.attempts,
            remote_id: progress.remote_id.clone(),
            problem: progress.problem.clone(),
            from: new.from.clone(),
            turn: new.effect.turn().cloned(),
            by: new.by.clone(),
        }
    }
}
