//! Runs sessions: feeds them audio and model results, and carries out what they ask for.
//!
//! Each call is one task and one appender. The task never waits for a model or a disk: decodings
//! run on the speech workers, searches on blocking threads, appends in the appender.

mod appender;
mod call;
mod customers;
mod ending;
mod handover;
mod intents;
mod meaning;
mod news;
mod parties;
mod places;
mod spoken;
pub mod texts;
mod wrapup;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::appender::Appender;
use self::call::Call;
use self::customers::Customers;
pub use self::intents::Intents;
use self::meaning::RuleVectors;
pub use self::news::News;
pub use self::parties::Bots;
pub use self::places::{Full, Reservation};
use self::places::{Place, Places};
pub use self::wrapup::CallWrapUp;
use self::wrapup::Notes;
use crate::bus::Bus;
use crate::domain::{
    Channel, ConversationId, ConversationStarted, Direction, EndReason, EventBody, EventId,
    NewDelivery, NewEvent, Role, TenantId,
};
use crate::flow::audio::Codec;
use crate::flow::session::{Session, SessionLeg, SessionSettings};
use crate::flow::voice::Voice;
use crate::insight::redaction;
use crate::knowledge::Library;
use crate::models::SpeechPool;
use crate::store::{Store, StoreError};

/// What a media connection says about its call before the first audio.
#[derive(Clone, Debug)]
pub struct CallOpening {
    pub tenant: TenantId,
    pub external_id: Option<String>,
    pub direction: Direction,
    pub legs: Vec<LegSpec>,
    pub attributes: BTreeMap<String, String>,
    /// The media side wants to hear what becomes of its audio: see [`CallHandle::take_news`].
    pub wants_news: bool,
}

/// No call has more parties.
pub const LEGS_MAX: usize = 8;

/// Messages besides audio that may wait.
const CONTROLS_MAX: usize = 1_024;

/// News that may wait for a media side; the rest it misses.
const NEWS_QUEUE: usize = 256;

/// What a media side says besides audio. Never dropped, and in order with the audio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// One more party; its leg has the next number. Beyond [`LEGS_MAX`] it isn't heard.
    Join(LegSpec),
    /// Somebody else is heard on this leg from now on.
    Transfer { leg: usize, role: Role, name: Option<String> },
    /// Nothing may be heard until `Resume`.
    Pause,
    /// `paused_ms`: how long the wire says that it was, if its clock doesn't tell.
    Resume { paused_ms: Option<u64> },
    /// Audio of all parties that never comes.
    Lost { lost_ms: u64 },
    /// What was said so far is over, as if there had been silence: see `News::Flushed`.
    Flush,
}

/// One party's audio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegSpec {
    pub role: Role,
    pub name: Option<String>,
    pub codec: Codec,
    pub sample_rate_hz: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallSummary {
    pub turns: usize,
    pub duration_ms: u64,
}

/// Why a call can't be taken, or couldn't be finished.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    #[error(transparent)]
    Busy(#[from] Full),
    #[error("the service is shutting down")]
    ShuttingDown,
    #[error("a leg's audio can't be taken: {0}")]
    Audio(String),
    #[error("the call's events could not be stored: {0}")]
    Store(String),
}

#[derive(Clone, Debug)]
pub struct CallSettings {
    pub session: SessionSettings,
    /// More calls are refused.
    pub calls_max: usize,
    /// More calls of one tenant are refused; 0 is no limit.
    pub calls_per_tenant: usize,
    /// Payloads of one call that may wait; more are dropped and marked as a gap.
    pub audio_queue: usize,
    /// Events of one call that may wait for the disk; then the call waits.
    pub event_queue: usize,
    /// Without audio for so long, what was being said is taken for finished.
    pub stall_ms: u64,
    /// `None`: nothing is written at the end.
    pub wrap_up: Option<CallWrapUp>,
    /// `None`: cards have no voice.
    pub voice: Option<Voice>,
    /// `None`: no intents are told.
    pub intents: Option<Intents>,
    /// Attributes that name the customer by number or address, beside the usual ones.
    pub identify_by: Vec<String>,
    pub bots: Bots,
    /// Whose articles the library holds: calls of other tenants are shown none. `None`: everybody's.
    pub articles_of: Option<TenantId>,
}

impl Default for CallSettings {
    fn default() -> Self {
        Self {
            session: SessionSettings::default(),
            calls_max: 64,
            calls_per_tenant: 0,
            audio_queue: 512,
            event_queue: 256,
            stall_ms: 1_000,
            wrap_up: None,
            voice: None,
            intents: None,
            identify_by: Vec::new(),
            bots: Bots::default(),
            articles_of: None,
        }
    }
}

struct Shared {
    settings: CallSettings,
    store: Arc<dyn Store>,
    bus: Arc<dyn Bus>,
    speech: Arc<SpeechPool>,
    library: Library,
    places: Arc<Places>,
    stop: CancellationToken,
    tasks: TaskTracker,
    rule_vectors: RuleVectors,
    customers: Customers,
    /// Where replies go out; set once text conversations are taken.
    outgoing: OnceLock<texts::Outgoing>,
}

impl Shared {
    /// Appends what may still be said, and says what it left out: what cites an article that isn't in
    /// force any more. An article is taken back only between two appends.
    async fn append(
        &self,
        tenant: &TenantId,
        id: &ConversationId,
        events: &[NewEvent],
    ) -> Result<Vec<EventId>, StoreError> {
        self.post(tenant, id, events, &[]).await
    }

    /// As `append`, with what is to be done elsewhere, in one commit.
    async fn post(
        &self,
        tenant: &TenantId,
        id: &ConversationId,
        events: &[NewEvent],
        deliveries: &[NewDelivery],
    ) -> Result<Vec<EventId>, StoreError> {
        let hold = self.library.hold().await;
        let (allowed, left_out): (Vec<&NewEvent>, Vec<&NewEvent>) =
            events.iter().partition(|event| hold.allows(&event.body));
        let mut allowed: Vec<NewEvent> = allowed.into_iter().cloned().collect();
        for event in &mut allowed {
            if let EventBody::QuestionsSuggested(questions) = &mut event.body {
                questions.retain(|question| hold.has(&question.article_id));
            }
        }
        if !left_out.is_empty() {
            metrics::counter!("backchannel_citations_taken_back_total")
                .increment(left_out.len() as u64);
            tracing::info!(conversation.id = %id, "an article was taken back before it was cited");
        }
        match self.outgoing.get().filter(|_| !deliveries.is_empty()) {
            Some(outgoing) => outgoing.post(tenant, id, allowed, deliveries).await?,
            None => drop(self.store.append(tenant, id, allowed).await?),
        }
        Ok(left_out.into_iter().map(|event| event.id.clone()).collect())
    }
}

/// Takes calls. Cheap to clone.
#[derive(Clone)]
pub struct Calls(Arc<Shared>);

impl Calls {
    pub fn new(
        settings: CallSettings,
        store: Arc<dyn Store>,
        bus: Arc<dyn Bus>,
        speech: Arc<SpeechPool>,
        library: Library,
    ) -> Self {
        let places =
            Places::new(settings.calls_max, settings.calls_per_tenant, Arc::clone(&speech));
        Self(Arc::new(Shared {
            settings,
            store,
            bus,
            speech,
            library,
            places,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            rule_vectors: RuleVectors::default(),
            customers: Customers::default(),
            outgoing: OnceLock::new(),
        }))
    }

    /// Keeps a place for a call whose opening is still to come.
    ///
    /// # Errors
    /// `Busy` when there is none, `ShuttingDown`.
    pub fn reserve(&self, tenant: &TenantId) -> Result<Reservation, CallError> {
        if self.0.stop.is_cancelled() {
            return Err(CallError::ShuttingDown);
        }
        Ok(Reservation(Some(self.0.places.take(tenant)?)))
    }

    /// Changes how many calls may be live at once.
    pub fn set_max(&self, calls_max: usize) {
        self.0.places.set_max(calls_max);
    }

    /// Opens a call in a place that was kept for it.
    ///
    /// # Errors
    /// As `open`.
    pub async fn open_in(
        &self,
        reservation: Reservation,
        opening: CallOpening,
    ) -> Result<CallHandle, CallError> {
        if self.0.stop.is_cancelled() {
            return Err(CallError::ShuttingDown);
        }
        let place = match reservation.0 {
            Some(place) if place.tenant == opening.tenant => place,
            // The wire's own messages said whose call it is.
            other => {
                drop(other);
                self.0.places.take(&opening.tenant)?
            }
        };
        self.open_at(place, opening).await
    }

    /// Records the start of a call and returns its handle.
    ///
    /// # Errors
    /// `Busy` above the limit, `ShuttingDown`, `Audio` for a rate that isn't supported, and `Store`
    /// when the start can't be made durable.
    pub async fn open(&self, opening: CallOpening) -> Result<CallHandle, CallError> {
        self.open_in(Reservation::default(), opening).await
    }

    async fn open_at(&self, place: Place, opening: CallOpening) -> Result<CallHandle, CallError> {
        let shared = &self.0;
        let id = ConversationId::fresh();
        let legs: Vec<SessionLeg> = opening
            .legs
            .iter()
            .take(LEGS_MAX)
            .enumerate()
            .map(|(number, leg)| shared.leg_of(number, leg))
            .collect();
        let mut session = Session::new(legs.clone(), &shared.settings.session)
            .map_err(|error| CallError::Audio(error.to_string()))?;
        let attributes = shared.masked_attributes(&opening.attributes);
        session.begins_with(Channel::Voice.as_str(), &attributes);
        let began = Timestamp::now();
        let started = NewEvent::at(
            began,
            EventBody::ConversationStarted(ConversationStarted {
                channel: Channel::Voice,
                direction: opening.direction,
                // Media sides put notes there that agents type. Control characters name nothing, and not every
                // database can hold them.
                external_id: opening
                    .external_id
                    .map(|id| masked(&id.replace(char::is_control, ""))),
                parties: legs.iter().map(|leg| leg.party.clone()).collect(),
                attributes,
            }),
        );
        shared
            .store
            .append(&opening.tenant, &id, vec![started])
            .await
            .map_err(|error| CallError::Store(error.to_string()))?;

        let (inputs, from_media) = mpsc::unbounded_channel();
        let (to_media, news) = mpsc::channel(NEWS_QUEUE);
        let to_media = opening.wants_news.then_some(to_media);
        let (closes, close) = mpsc::channel(1);
        let dropped: Arc<[AtomicU64; LEGS_MAX]> = Arc::default();
        let queued: Arc<AtomicUsize> = Arc::default();
        let controls: Arc<AtomicUsize> = Arc::default();
        let (to_log, events) = mpsc::channel(shared.settings.event_queue);
        let appender = Appender {
            shared: Arc::clone(shared),
            tenant: opening.tenant.clone(),
            id: id.clone(),
            news: to_media.clone(),
        };
        let stored = shared.tasks.spawn(appender.run(events));
        let notes = Notes::new(began, legs.into_iter().map(|leg| leg.party).collect());
        let call = Call {
            news: to_media,
            dropped: Arc::clone(&dropped),
            queued: Arc::clone(&queued),
            controls: Arc::clone(&controls),
            place: Some(place),
            ..Call::new(shared, opening.tenant, id.clone(), session, notes, to_log)
        };
        shared.tasks.spawn(call.run(from_media, close, stored));
        Ok(CallHandle {
            id,
            inputs,
            queued,
            audio_queue: shared.settings.audio_queue,
            controls,
            closes,
            dropped,
            bytes_per_second: opening.legs.iter().map(LegSpec::bytes_per_second).collect(),
            news: opening.wants_news.then_some(news),
        })
    }

    pub fn live(&self) -> usize {
        self.0.places.live()
    }

    /// Takes no more calls, ends the live ones with what was said so far, and waits for their
    /// events to be durable. False when `grace` ran out first.
    pub async fn drain(&self, grace: Duration) -> bool {
        self.0.stop.cancel();
        self.0.tasks.close();
        tokio::time::timeout(grace, self.0.tasks.wait()).await.is_ok()
    }
}

enum Input {
    Audio(Payload),
    Control(Control),
}

struct Payload {
    leg: usize,
    at_ms: Option<u64>,
    /// Audio of this leg that found no room before this payload, in microseconds.
    lost_us: u64,
    bytes: Bytes,
}

struct Close {
    reason: EndReason,
    done: oneshot::Sender<Result<CallSummary, CallError>>,
}

/// One live call, as its media connection holds it. Dropping it ends the call as disconnected.
pub struct CallHandle {
    id: ConversationId,
    inputs: mpsc::UnboundedSender<Input>,
    /// Payloads that wait, of which there may be `audio_queue`.
    queued: Arc<AtomicUsize>,
    audio_queue: usize,
    /// Messages besides audio that wait.
    controls: Arc<AtomicUsize>,
    closes: mpsc::Sender<Close>,
    /// Audio of each leg that found no room since its last payload did, in microseconds, so that
    /// many small payloads don't round to nothing.
    dropped: Arc<[AtomicU64; LEGS_MAX]>,
    bytes_per_second: Vec<u64>,
    news: Option<mpsc::Receiver<News>>,
}

impl CallHandle {
    pub fn id(&self) -> &ConversationId {
        &self.id
    }

    /// Hands over one wire payload of one leg. `at_ms` is the wire's own clock, where it has one.
    /// Never waits: when the queue is full the audio is dropped, counted and marked as a gap.
    pub fn audio(&self, leg: usize, at_ms: Option<u64>, payload: Bytes) {
        let (Some(dropped), Some(rate)) = (self.dropped.get(leg), self.bytes_per_second.get(leg))
        else {
            return;
        };
        let payload_us = payload.len() as u64 * 1_000_000 / rate;
        if self.queued.load(Ordering::Relaxed) >= self.audio_queue {
            dropped.fetch_add(payload_us, Ordering::Relaxed);
            metrics::counter!("backchannel_audio_dropped_payloads_total").increment(1);
            return;
        }
        let lost_us = dropped.swap(0, Ordering::Relaxed);
        self.queued.fetch_add(1, Ordering::Relaxed);
        // A call that the service has ended hears nothing more.
        let _ = self.inputs.send(Input::Audio(Payload { leg, at_ms, lost_us, bytes: payload }));
    }

    /// Hands over what isn't audio, in order with it. False when so much of it waits that the media side
    /// can't mean it; then it isn't taken, and the call should end.
    #[must_use]
    pub fn control(&mut self, control: Control) -> bool {
        if self.controls.fetch_add(1, Ordering::Relaxed) >= CONTROLS_MAX {
            return false;
        }
        if let Control::Join(leg) = &control
            && self.bytes_per_second.len() < LEGS_MAX
        {
            self.bytes_per_second.push(leg.bytes_per_second());
        }
        // A call that the service has ended takes nothing more.
        let _ = self.inputs.send(Input::Control(control));
        true
    }

    /// What becomes of the audio, if the opening asked for it; once.
    pub fn take_news(&mut self) -> Option<mpsc::Receiver<News>> {
        self.news.take()
    }

    /// Ends the call; resolves when all finals are durable.
    ///
    /// # Errors
    /// `Store` when they can't be made so.
    pub async fn close(self, reason: EndReason) -> Result<CallSummary, CallError> {
        let (done, summary) = oneshot::channel();
        if self.closes.send(Close { reason, done }).await.is_err() {
            return Err(CallError::ShuttingDown);
        }
        // The audio before the end still counts; the task drains it when this end is gone.
        drop(self.inputs);
        summary.await.unwrap_or(Err(CallError::ShuttingDown))
    }
}

impl LegSpec {
    fn bytes_per_second(&self) -> u64 {
        self.codec.bytes_per_sample() as u64 * u64::from(self.sample_rate_hz)
    }
}

fn masked(text: &str) -> String {
    redaction::typed(text).as_str().to_owned()
}
