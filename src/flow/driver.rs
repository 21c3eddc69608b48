//! Runs sessions: feeds them audio and model results, and carries out what they ask for.
//!
//! Each call is one task and one appender. The task never waits for a model or a disk: decodings
//! run on the speech workers, searches on blocking threads, appends in the appender.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::bus::{Bus, PartialSignal, Signal};
use crate::domain::{
    Channel, Classify, ConversationId, ConversationStarted, Direction, EndReason, EventBody,
    NewEvent, Partial, Party, PartyId, Role, TenantId,
};
use crate::flow::audio::Codec;
use crate::flow::session::{Output, Session, SessionLeg, SessionSettings};
use crate::flow::suggestion::CardQuery;
use crate::flow::transcript::{Purpose, Ticket};
use crate::knowledge::{Library, SearchResponse};
use crate::models::{Heard, JobId, Outcome, SpeechPool, Urgency};
use crate::store::{Store, codec};

/// What a media connection says about its call before the first audio.
#[derive(Clone, Debug)]
pub struct CallOpening {
    pub tenant: TenantId,
    pub external_id: Option<String>,
    pub direction: Direction,
    pub legs: Vec<LegSpec>,
    pub attributes: BTreeMap<String, String>,
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
    #[error("as many calls are live as this machine can hold ({0})")]
    Busy(usize),
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
    /// Payloads of one call that may wait; more are dropped and marked as a gap.
    pub audio_queue: usize,
    /// Events of one call that may wait for the disk; then the call waits.
    pub event_queue: usize,
    /// Without audio for so long, what was being said is taken for finished.
    pub stall_ms: u64,
}

impl Default for CallSettings {
    fn default() -> Self {
        Self {
            session: SessionSettings::default(),
            calls_max: 64,
            audio_queue: 512,
            event_queue: 256,
            stall_ms: 1_000,
        }
    }
}

struct Shared {
    settings: CallSettings,
    store: Arc<dyn Store>,
    bus: Arc<dyn Bus>,
    speech: Arc<SpeechPool>,
    library: Library,
    live: AtomicUsize,
    stop: CancellationToken,
    tasks: TaskTracker,
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
        Self(Arc::new(Shared {
            settings,
            store,
            bus,
            speech,
            library,
            live: AtomicUsize::new(0),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }))
    }

    /// Records the start of a call and returns its handle.
    ///
    /// # Errors
    /// `Busy` above the limit, `ShuttingDown`, `Audio` for a rate that isn't supported, and `Store`
    /// when the start can't be made durable.
    pub async fn open(&self, opening: CallOpening) -> Result<CallHandle, CallError> {
        let shared = &self.0;
        if shared.stop.is_cancelled() {
            return Err(CallError::ShuttingDown);
        }
        let Some(place) = Place::take(shared) else {
            return Err(CallError::Busy(shared.settings.calls_max));
        };
        let id = ConversationId::fresh();
        let legs: Vec<SessionLeg> = opening
            .legs
            .iter()
            .enumerate()
            .map(|(number, leg)| SessionLeg {
                party: Party {
                    id: PartyId::from(format!("p-{}", number + 1)),
                    role: leg.role,
                    name: leg.name.clone(),
                },
                codec: leg.codec,
                sample_rate_hz: leg.sample_rate_hz,
            })
            .collect();
        let session = Session::new(legs.clone(), &shared.settings.session)
            .map_err(|error| CallError::Audio(error.to_string()))?;
        let started = NewEvent::at(
            Timestamp::now(),
            EventBody::ConversationStarted(ConversationStarted {
                channel: Channel::Voice,
                direction: opening.direction,
                external_id: opening.external_id,
                parties: legs.iter().map(|leg| leg.party.clone()).collect(),
                attributes: opening.attributes,
            }),
        );
        shared
            .store
            .append(&opening.tenant, &id, vec![started])
            .await
            .map_err(|error| CallError::Store(error.to_string()))?;

        let (inputs, from_media) = mpsc::channel(shared.settings.audio_queue);
        let (closes, close) = mpsc::channel(1);
        let dropped: Arc<[AtomicU64]> = legs.iter().map(|_| AtomicU64::new(0)).collect();
        let (to_log, events) = mpsc::channel(shared.settings.event_queue);
        let appender = Appender {
            shared: Arc::clone(shared),
            tenant: opening.tenant.clone(),
            id: id.clone(),
        };
        let stored = shared.tasks.spawn(appender.run(events));
        let call = Call {
            shared: Arc::clone(shared),
            tenant: opening.tenant,
            id: id.clone(),
            session,
            jobs: HashMap::new(),
            to_log,
            dropped: Arc::clone(&dropped),
            place,
        };
        shared.tasks.spawn(call.run(from_media, close, stored));
        let byte_rates =
            legs.iter().map(|leg| leg.codec.bytes_per_sample() as u64 * u64::from(leg.sample_rate_hz));
        Ok(CallHandle { id, inputs, closes, dropped, bytes_per_second: byte_rates.collect() })
    }

    pub fn live(&self) -> usize {
        self.0.live.load(Ordering::Relaxed)
    }

    /// Takes no more calls, ends the live ones with what was said so far, and waits for their
    /// events to be durable. False when `grace` ran out first.
    pub async fn drain(&self, grace: Duration) -> bool {
        self.0.stop.cancel();
        self.0.tasks.close();
        tokio::time::timeout(grace, self.0.tasks.wait()).await.is_ok()
    }
}

/// One of the places for live calls; given back on drop.
struct Place(Arc<Shared>);

impl Place {
    fn take(shared: &Arc<Shared>) -> Option<Self> {
        let max = shared.settings.calls_max;
        let taken = shared.live.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |live| {
            (live < max).then_some(live + 1)
        });
        let live = taken.ok()?;
        metrics::gauge!("backchannel_calls_live").set((live + 1) as f64);
        Some(Self(Arc::clone(shared)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let live = self.0.live.fetch_sub(1, Ordering::Relaxed);
        metrics::gauge!("backchannel_calls_live").set((live - 1) as f64);
    }
}

struct Payload {
    leg: usize,
    at_ms: Option<u64>,
    bytes: Bytes,
}

struct Close {
    reason: EndReason,
    done: oneshot::Sender<Result<CallSummary, CallError>>,
}

/// One live call, as its media connection holds it. Dropping it ends the call as disconnected.
pub struct CallHandle {
    id: ConversationId,
    inputs: mpsc::Sender<Payload>,
    closes: mpsc::Sender<Close>,
    /// Bytes of each leg that found no room.
    dropped: Arc<[AtomicU64]>,
    bytes_per_second: Vec<u64>,
}

impl CallHandle {
    pub fn id(&self) -> &ConversationId {
        &self.id
    }

    /// Hands over one wire payload of one leg. `at_ms` is the wire's own clock, where it has one.
    /// Never waits: when the queue is full the audio is dropped, counted and marked as a gap.
    pub fn audio(&self, leg: usize, at_ms: Option<u64>, payload: Bytes) {
        let bytes = payload.len() as u64;
        if self.inputs.try_send(Payload { leg, at_ms, bytes: payload }).is_err()
            && let (Some(dropped), Some(rate)) = (self.dropped.get(leg), self.bytes_per_second.get(leg))
        {
            // Kept in microseconds, so that many small payloads don't round to nothing.
            dropped.fetch_add(bytes * 1_000_000 / rate, Ordering::Relaxed);
            metrics::counter!("backchannel_audio_dropped_payloads_total").increment(1);
        }
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

/// What comes back from models and searches.
enum Answer {
    Decoded(usize, Ticket, Option<Heard>),
    Found(Box<CardQuery>, Option<SearchResponse>, Instant),
}

struct Call {
    shared: Arc<Shared>,
    tenant: TenantId,
    id: ConversationId,
    session: Session,
    jobs: HashMap<(usize, Ticket), JobId>,
    to_log: mpsc::Sender<NewEvent>,
    dropped: Arc<[AtomicU64]>,
    place: Place,
}

impl Call {
    async fn run(
        mut self,
        mut payloads: mpsc::Receiver<Payload>,
        mut closes: mpsc::Receiver<Close>,
        stored: tokio::task::JoinHandle<Result<(), CallError>>,
    ) {
        // Unbounded, but never longer than what is in flight: a few decodings and one search.
        let (answer, mut answers) = mpsc::unbounded_channel();
        let stall = Duration::from_millis(self.shared.settings.stall_ms);
        let mut stall_at = Instant::now() + stall;
        let mut listening = true;
        let mut done = None;
        let stop = self.shared.stop.clone();
        self.carry_out(&answer).await;
        while !self.session.is_finished() {
            tokio::select! {
                payload = payloads.recv(), if listening => match payload {
                    Some(payload) => {
                        stall_at = Instant::now() + stall;
                        self.hear(&payload);
                    }
                    None => {
                        // The handle is gone: either with a `Close` or by a broken connection.
                        listening = false;
                        let reason = match closes.recv().await {
                            Some(close) => {
                                done = Some(close.done);
                                close.reason
                            }
                            None => EndReason::Disconnected,
                        };
                        self.make_up_for_dropped();
                        self.session.close(reason);
                    }
                },
                Some(answer) = answers.recv() => self.take(answer),
                () = tokio::time::sleep_until(stall_at), if listening => {
                    stall_at = Instant::now() + Duration::from_secs(3_600);
                    self.session.stalled();
                }
                () = stop.cancelled(), if listening => {
                    listening = false;
                    self.session.close(EndReason::Shutdown);
                }
            }
            self.carry_out(&answer).await;
        }
        let summary =
            CallSummary { turns: self.session.turns(), duration_ms: self.session.now_ms() };
        tracing::info!(
            conversation.id = %self.id, turns = summary.turns, duration_ms = summary.duration_ms,
            "call ended"
        );
        drop(self.to_log);
        drop(self.place);
        let stored = stored.await.unwrap_or_else(|error| Err(CallError::Store(error.to_string())));
        if done.is_none() {
            // Closed by the service: the media side may be asking at this moment.
            done = closes.try_recv().ok().map(|close| close.done);
        }
        if let Some(done) = done {
            // The media side may be gone; then nobody wants to know.
            let _ = done.send(stored.map(|()| summary));
        }
    }

    fn hear(&mut self, payload: &Payload) {
        self.make_up_for_dropped();
        if let Err(error) = self.session.audio(payload.leg, payload.at_ms, &payload.bytes) {
            tracing::warn!(conversation.id = %self.id, %error, "audio skipped");
        }
    }

    /// Audio that found no room in the queue becomes a gap of its length.
    fn make_up_for_dropped(&mut self) {
        for leg in 0..self.dropped.len() {
            let lost_ms = self.dropped[leg].swap(0, Ordering::Relaxed) / 1_000;
            if lost_ms > 0
                && let Err(error) = self.session.lost(leg, lost_ms)
            {
                tracing::warn!(conversation.id = %self.id, %error, "gap skipped");
            }
        }
    }

    fn take(&mut self, answer: Answer) {
        match answer {
            Answer::Decoded(leg, ticket, heard) => {
                self.jobs.remove(&(leg, ticket));
                self.session.decoded(leg, ticket, heard);
            }
            Answer::Found(query, found, since) => {
                let latency_ms = since.elapsed().as_millis() as u64;
                metrics::histogram!("backchannel_card_decision_seconds").record(since.elapsed());
                self.session.found(&query, found.as_ref(), latency_ms);
            }
        }
    }

    async fn carry_out(&mut self, answer: &mpsc::UnboundedSender<Answer>) {
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Event(body) => {
                    self.measure(&body);
                    let event = NewEvent::at(Timestamp::now(), body);
                    if self.to_log.send(event).await.is_err() {
                        tracing::error!(conversation.id = %self.id, "an event was lost: the log is closed");
                    }
                }
                Output::Partial(partial) => self.publish(&partial),
                Output::Decode { leg, ticket, purpose, samples } => {
                    let answer = answer.clone();
                    let reply = Box::new(move |outcome| {
                        let heard = match outcome {
                            Outcome::Heard(heard) => Some(heard),
                            Outcome::Dropped | Outcome::Failed(_) => None,
                        };
                        // A call that has ended doesn't wait for answers.
                        let _ = answer.send(Answer::Decoded(leg, ticket, heard));
                    });
                    let job = self.shared.speech.submit(urgency(purpose), samples, reply);
                    self.jobs.insert((leg, ticket), job);
                }
                Output::Promote { leg, ticket } => {
                    if let Some(job) = self.jobs.get(&(leg, ticket)) {
                        self.shared.speech.promote(*job);
                    }
                }
                Output::Cancel { leg, ticket } => {
                    if let Some(job) = self.jobs.get(&(leg, ticket)) {
                        self.shared.speech.cancel(*job);
                    }
                }
                Output::Search(query) => self.search(query, answer.clone()),
                Output::Rejected(why) => {
                    metrics::counter!("backchannel_transcript_rejected_total", "why" => why.as_str())
                        .increment(1);
                }
            }
        }
    }

    fn search(&self, query: Box<CardQuery>, answer: mpsc::UnboundedSender<Answer>) {
        let since = Instant::now();
        let library = self.shared.library.clone();
        let id = self.id.clone();
        self.shared.tasks.spawn_blocking(move || {
            let found = library
                .search(&query.request)
                .inspect_err(|error| tracing::warn!(conversation.id = %id, %error, "no search"))
                .ok();
            let _ = answer.send(Answer::Found(query, found, since));
        });
    }

    fn publish(&self, partial: &Partial) {
        self.shared.bus.publish(Signal::Partial(Arc::new(PartialSignal {
            tenant: self.tenant.clone(),
            conversation: self.id.clone(),
            time: Timestamp::now(),
            data: codec::partial_data(partial),
        })));
    }

    fn measure(&self, body: &EventBody) {
        if let EventBody::TurnFinal(turn) = body {
            let behind_ms = self.session.now_ms().saturating_sub(turn.end_ms);
            metrics::histogram!("backchannel_transcript_final_lag_seconds")
                .record(behind_ms as f64 / 1_000.0);
        }
        if let EventBody::AudioGap(gap) = body {
            let (start_ms, lost_ms) = (gap.start_ms, gap.lost_ms);
            tracing::warn!(conversation.id = %self.id, start_ms, lost_ms, why = gap.why, "audio gap");
        }
    }
}

fn urgency(purpose: Purpose) -> Urgency {
    match purpose {
        Purpose::Final => Urgency::Final,
        Purpose::Early => Urgency::Early,
        Purpose::Partial => Urgency::Partial,
    }
}

/// Writes one call's events in order, as many at once as have come.
struct Appender {
    shared: Arc<Shared>,
    tenant: TenantId,
    id: ConversationId,
}

/// A store that is busy or away is asked again, ever less often, for so long in all.
const STORE_PATIENCE: Duration = Duration::from_secs(120);
const EVENTS_AT_ONCE: usize = 64;

impl Appender {
    async fn run(self, mut events: mpsc::Receiver<NewEvent>) -> Result<(), CallError> {
        let mut batch = Vec::new();
        while events.recv_many(&mut batch, EVENTS_AT_ONCE).await > 0 {
            if let Err(error) = self.append(std::mem::take(&mut batch)).await {
                tracing::error!(conversation.id = %self.id, %error, "the call's events are lost");
                return Err(error);
            }
        }
        Ok(())
    }

    async fn append(&self, events: Vec<NewEvent>) -> Result<(), CallError> {
        let begun = Instant::now();
        let mut pause = Duration::from_millis(50);
        loop {
            match self.shared.store.append(&self.tenant, &self.id, events.clone()).await {
                Ok(_) => return Ok(()),
                Err(error) if error.kind().is_retryable() && begun.elapsed() < STORE_PATIENCE => {
                    tracing::warn!(conversation.id = %self.id, %error, "will append again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(5));
                }
                Err(error) => return Err(CallError::Store(error.to_string())),
            }
        }
    }
}
