//! Conversations that are typed: chats, SMS, threads of mail. Their turns go the way of spoken ones.
//!
//! What is live and was written in lately has a task. The rest sleeps in the log: after a while without a message,
//! and whenever the service stops. The next message reads it from there, so a restart ends nothing. A client's own
//! identifiers name the events, so that what is sent twice stands once, also over a restart.

mod live;
mod outgoing;
mod recall;
mod threads;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio::sync::{Mutex, OnceCell, Semaphore, mpsc, oneshot};

use self::live::{Handle, Input};
pub use self::outgoing::{OnPosted, Outgoing, RESERVED, Route};
pub use self::threads::mail_of;
use super::{Calls, Shared};
use crate::domain::{
    Channel, Classify, ConversationId, ConversationStarted, DeliveryState, Direction, EndReason,
    ErrorKind, EventBody, EventId, NewEvent, Party, PartyId, Redacted, Role, TenantId, Turn,
    TurnId,
};
use crate::store::{
    ConversationRow, ConversationState, KindFilter, ListQuery, MAX_READ, ReadQuery, StoreError,
    codec,
};

/// Messages of one conversation that may wait for their turn.
const INPUTS_MAX: usize = 64;
/// Rows of a list that is looked through.
const PAGE: usize = 200;

#[derive(Clone, Debug)]
pub struct TextSettings {
    /// So many conversations may be awake at once; more are refused until one ends or sleeps.
    pub awake_max: usize,
    /// A conversation without a message for so long is over.
    pub idle: Duration,
    /// Without a message for so long, it leaves the memory.
    pub sleep_after: Duration,
    /// No conversation has more turns.
    pub turns_max: usize,
}

impl Default for TextSettings {
    fn default() -> Self {
        Self {
            awake_max: 1_000,
            idle: Duration::from_secs(3_600),
            sleep_after: Duration::from_secs(900),
            turns_max: 2_000,
        }
    }
}

/// What is said of a conversation when it begins.
#[derive(Clone, Debug)]
pub struct TextOpening {
    pub tenant: TenantId,
    /// The client's own name for it: the same again is the same conversation.
    pub id: Option<ConversationId>,
    pub channel: Channel,
    pub direction: Direction,
    pub external_id: Option<String>,
    pub parties: Vec<(Role, Option<String>)>,
    /// Typed by people as far as we know, and masked.
    pub attributes: BTreeMap<String, String>,
    /// How a reply gets to the customer; without one, whoever brings the messages reads it from the stream.
    pub route: Option<Route>,
    /// ISO 639-1
    pub language: String,
}

/// Who has written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Speaker {
    Party(PartyId),
    /// The first of this role; one more party where there is none.
    Role(Role, Option<String>),
}

#[derive(Clone, Debug)]
pub struct NewTurn {
    /// The client's own name for it: the same again is the same turn.
    pub client_id: Option<String>,
    pub speaker: Speaker,
    /// Raw.
    pub text: String,
    pub at: Option<Timestamp>,
    /// It goes out to the customer, if there is a way.
    pub sends: bool,
}

/// A turn that is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenTurn {
    pub id: TurnId,
    pub party: Party,
    pub start_ms: u64,
    pub text: Redacted,
    /// It wasn't there before.
    pub is_new: bool,
}

impl TakenTurn {
    fn stored(turn: Turn) -> Self {
        let Turn { id, party, start_ms, text, .. } = turn;
        Self { id, party, start_ms, text, is_new: false }
    }
}

/// Why a message wasn't taken.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TextError {
    #[error("there is no conversation {0}")]
    NotFound(String),
    #[error("conversation {0} has ended; open another one")]
    Ended(ConversationId),
    #[error("conversation {0} is a call, which is spoken")]
    Spoken(ConversationId),
    #[error("conversation {0} has no party {1}")]
    NoParty(ConversationId, String),
    #[error("conversation {0} has {1} turns, which is the most; open another one")]
    Full(ConversationId, usize),
    #[error("{0} conversations are being written in, which is the most; try again in a moment")]
    Crowded(usize),
    #[error("too many messages of conversation {0} wait; try again in a moment")]
    Busy(ConversationId),
    #[error("the service is shutting down")]
    ShuttingDown,
    #[error("the turn {0} was not sent, so it can't be sent again")]
    NotSent(String),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the message could not be stored; send it again")]
    Lost,
}

impl Classify for TextError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::Ended(_) | Self::Spoken(_) | Self::Full(..) | Self::NotSent(_) => {
                ErrorKind::Conflict
            }
            Self::NoParty(..) => ErrorKind::Invalid,
            Self::Crowded(_) | Self::Busy(_) => ErrorKind::Busy,
            Self::ShuttingDown | Self::Lost => ErrorKind::Unavailable,
            Self::Store(error) => error.kind(),
        }
    }
}

type Key = (TenantId, ConversationId);
type Awake = Arc<OnceCell<Handle>>;

/// Takes messages. Cheap to clone.
#[derive(Clone)]
pub struct Texts(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    settings: TextSettings,
    awake: Mutex<HashMap<Key, Awake>>,
    places: Arc<Semaphore>,
    /// One thread of a channel is looked for at a time, so that two messages at once open one conversation.
    threads: Vec<Mutex<()>>,
}

impl Texts {
    /// Replies go out by `outgoing`. Once for each `Calls`: the first one's stays.
    pub fn new(calls: &Calls, outgoing: Outgoing, settings: TextSettings) -> Self {
        let _ = calls.0.outgoing.set(outgoing);
        let places = Arc::new(Semaphore::new(settings.awake_max));
        let threads = (0..64).map(|_| Mutex::default()).collect();
        let shared = Arc::clone(&calls.0);
        Self(Arc::new(Inner { shared, settings, awake: Mutex::default(), places, threads }))
    }

    /// Records the start of a conversation; says its name, and whether it is new. Durable when it resolves.
    ///
    /// # Errors
    /// The log can't take it; the name is that of a call.
    pub async fn open(&self, opening: TextOpening) -> Result<(ConversationId, bool), TextError> {
        let shared = &self.0.shared;
        if shared.stop.is_cancelled() {
            return Err(TextError::ShuttingDown);
        }
        let tenant = opening.tenant;
        let id = match opening.id {
            Some(id) => {
                if let Some(row) = shared.store.conversation(&tenant, &id).await? {
                    return written(&row).map(|()| (id, false));
                }
                id
            }
            None => ConversationId::fresh(),
        };
        let parties = opening.parties.into_iter().enumerate();
        let mut attributes = shared.masked_attributes(&opening.attributes);
        if let Some(route) = opening.route {
            // Checked addresses, in which nobody types anything.
            attributes.extend(route.into_attributes());
        }
        if opening.language != crate::models::ENGLISH {
            attributes.insert(LANGUAGE.to_owned(), opening.language);
        }
        let started = EventBody::ConversationStarted(ConversationStarted {
            channel: opening.channel,
            direction: opening.direction,
            external_id: opening.external_id.map(|id| id.replace(char::is_control, "")),
            parties: parties
                .map(|(number, (role, name))| shared.party_of(number, role, name))
                .collect(),
            attributes,
        });
        let event = NewEvent {
            // Two requests at once leave one start.
            id: event_id("start", &[tenant.as_str(), id.as_str()]),
            ..NewEvent::at(Timestamp::now(), started)
        };
        shared.store.append(&tenant, &id, vec![event]).await?;
        Ok((id, true))
    }

    /// Takes one message; it is durable when this resolves.
    ///
    /// # Errors
    /// It isn't taken, and changed nothing. After `Lost` it may stand all the same: the same client id again tells.
    pub async fn turn(
        &self,
        tenant: &TenantId,
        id: &ConversationId,
        turn: NewTurn,
    ) -> Result<TakenTurn, TextError> {
        let event = match &turn.client_id {
            Some(name) => event_id("turn", &[tenant.as_str(), id.as_str(), name]),
            None => EventId::fresh(),
        };
        self.take(tenant, id, turn, event).await
    }

    async fn take(
        &self,
        tenant: &TenantId,
        id: &ConversationId,
        turn: NewTurn,
        event: EventId,
    ) -> Result<TakenTurn, TextError> {
        let taken = self
            .ask(tenant, id, |answer| Input::Turn(Box::new(turn.clone()), event.clone(), answer));
        match taken.await {
            Ok(Some(taken)) => Ok(taken),
            // It stands in the log already.
            Ok(None) => self.stored(tenant, id, &event).await?.ok_or(TextError::Lost),
            // What was taken before the end is still taken.
            Err(TextError::Ended(ended)) => {
                self.stored(tenant, id, &event).await?.ok_or(TextError::Ended(ended))
            }
            Err(error) => Err(error),
        }
    }

    /// Ends a conversation; one that has ended stays so. Resolves when all of it is durable.
    ///
    /// # Errors
    /// There is none of this name, or the log can't take it.
    pub async fn end(
        &self,
        tenant: &TenantId,
        id: &ConversationId,
        reason: EndReason,
    ) -> Result<(), TextError> {
        match self.ask(tenant, id, |answer| Input::End(reason, answer)).await {
            Ok(()) | Err(TextError::Ended(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Lets a reply that didn't get through be sent again; says whether it had failed.
    ///
    /// # Errors
    /// Nothing was to be sent with this turn.
    pub async fn send_again(
        &self,
        tenant: &TenantId,
        id: &ConversationId,
        turn: &TurnId,
    ) -> Result<bool, TextError> {
        let not_sent = || TextError::NotSent(turn.to_string());
        let outgoing = self.0.shared.outgoing.get().ok_or_else(not_sent)?;
        let failed = outgoing.of_turn(tenant, id, turn).await?.ok_or_else(not_sent)?;
        if failed.progress.state != DeliveryState::Failed {
            return Ok(false);
        }
        outgoing.again(failed).await?;
        Ok(true)
    }

    /// Ends what has been silent for too long and sleeps, of one tenant; says how many.
    ///
    /// # Errors
    /// The log can't be read; those that were found until then have ended.
    pub async fn sweep(&self, tenant: &TenantId, now: Timestamp) -> Result<usize, TextError> {
        let mut ended = 0;
        let mut query = ListQuery {
            tenant: tenant.clone(),
            state: Some(ConversationState::Live),
            external_id: None,
            limit: PAGE,
            after: None,
        };
        loop {
            let page = self.0.shared.store.conversations(&query).await?;
            for row in &page.items {
                if written(row).is_ok() && self.is_over(row, now) {
                    self.end(tenant, &row.id, EndReason::Timeout).await?;
                    ended += 1;
                }
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(ended),
            }
        }
    }

    fn is_over(&self, row: &ConversationRow, now: Timestamp) -> bool {
        let last_ms = row.last_turn.as_ref().map_or(0, |turn| turn.end_ms);
        let silent = now.duration_since(row.started_at).as_millis() - i128::from(last_ms);
        u128::try_from(silent).is_ok_and(|silent| silent >= self.0.settings.idle.as_millis())
    }

    /// Hands something to the conversation's task, which is woken if it sleeps.
    async fn ask<T>(
        &self,
        tenant: &TenantId,
        id: &ConversationId,
        input: impl Fn(oneshot::Sender<Result<T, TextError>>) -> Input,
    ) -> Result<T, TextError> {
        let key = (tenant.clone(), id.clone());
        // A task may end at the moment in which it is asked; the next one knows why.
        for _ in 0..3 {
            if self.0.shared.stop.is_cancelled() {
                return Err(TextError::ShuttingDown);
            }
            let cell = Arc::clone(self.0.awake.lock().await.entry(key.clone()).or_default());
            let woken = cell.get_or_try_init(|| live::wake(&self.0, tenant, id, &cell)).await;
            let handle = match woken {
                Ok(handle) => handle.clone(),
                Err(error) => {
                    self.0.forget(&key, &cell).await;
                    return Err(error);
                }
            };
            let (answer, answered) = oneshot::channel();
            match handle.inputs.try_send(input(answer)) {
                Ok(()) => {
                    if let Ok(result) = answered.await {
                        return result;
                    }
                    // It was put to sleep, or its log broke off, before it came to this.
                }
                Err(mpsc::error::TrySendError::Full(_)) => return Err(TextError::Busy(id.clone())),
                Err(mpsc::error::TrySendError::Closed(_)) => {}
            }
            // The log has all of it by then, and the task is forgotten.
            handle.done.cancelled().await;
        }
        match self.0.shared.stop.is_cancelled() {
            true => Err(TextError::ShuttingDown),
            false => Err(TextError::Lost),
        }
    }

    /// A turn of the log by its event.
    async fn stored(
        &self,
        tenant: &TenantId,
        id: &ConversationId,
        event: &EventId,
    ) -> Result<Option<TakenTurn>, TextError> {
        let mut query = ReadQuery::all(tenant.clone(), 0).of(id.clone());
        query.kinds = KindFilter::exactly(codec::TURN_FINAL);
        loop {
            let page = self.0.shared.store.read(&query).await?;
            if let Some(found) = page.iter().find(|one| one.id == *event) {
                let turn = codec::decode_turn(found)?;
                return Ok(turn.map(TakenTurn::stored));
            }
            match page.last() {
                Some(last) if page.len() == MAX_READ => query.after = last.position,
                _ => return Ok(None),
            }
        }
    }
}

impl Inner {
    /// Another one may have been woken meanwhile.
    async fn forget(&self, key: &Key, cell: &Awake) {
        let mut awake = self.awake.lock().await;
        if awake.get(key).is_some_and(|known| Arc::ptr_eq(known, cell)) {
            awake.remove(key);
        }
    }
}

/// The attribute of a conversation in another language than English.
const LANGUAGE: &str = "language";

/// # Errors
/// It is a call.
fn written(row: &ConversationRow) -> Result<(), TextError> {
    match row.channel == Channel::Voice.as_str() {
        true => Err(TextError::Spoken(row.id.clone())),
        false => Ok(()),
    }
}

/// The same for the same parts, so that the log knows what it has.
fn event_id(kind: &str, parts: &[&str]) -> EventId {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let hex: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{kind}-{hex}").into()
}
