//! One live call: its session, fed and obeyed.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::appender::Entry;
use super::customers::Listening;
use super::intents::{self, Unread};
use super::news::News;
use super::wrapup::Notes;
use super::{
    CallError, CallSummary, Close, Control, Input, LEGS_MAX, Payload, Place, Shared, spoken,
};
use crate::bus::{PartialSignal, Signal};
use crate::domain::{
    ConversationId, EndReason, EventBody, IntentSeen, KnownContact, NewEvent, Partial, TenantId,
    TurnId,
};
use crate::flow::session::{Output, Session};
use crate::flow::suggestion::CardQuery;
use crate::flow::transcript::{Purpose, Ticket};
use crate::knowledge::SearchResponse;
use crate::models::{Caller, Heard, JobId, Order, Outcome, Urgency};
use crate::store::codec;

/// What comes back from models and searches.
pub(super) enum Answer {
    Decoded(usize, Ticket, Option<Heard>),
    /// What a turn wants, and its vector by the text that it is of.
    Read(TurnId, Option<IntentSeen>, Option<(String, Vec<f32>)>),
    /// Intents can be read from now on.
    Readable,
    Found(Box<CardQuery>, Option<SearchResponse>, Instant),
    /// Whose conversation it is.
    Met(Box<KnownContact>),
}

/// Who takes part in one call, one after the other: each costs what a leg costs.
const PARTIES_MAX: usize = 32;
/// How long a call that the service closed waits for its media side to ask how it ended.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);

pub(super) struct Call {
    pub shared: Arc<Shared>,
    pub tenant: TenantId,
    pub id: ConversationId,
    pub session: Session,
    pub jobs: HashMap<(usize, Ticket), JobId>,
    pub to_log: mpsc::Sender<Entry>,
    /// Where the media side wants to hear what becomes of its audio.
    pub news: Option<mpsc::Sender<News>>,
    pub dropped: Arc<[AtomicU64; LEGS_MAX]>,
    /// Payloads in the queue.
    pub queued: Arc<AtomicUsize>,
    /// Messages besides audio in it.
    pub controls: Arc<AtomicUsize>,
    /// Of the model that writes a hand-over: the next one takes its place.
    pub briefing: CancellationToken,
    /// One line of the log says that there are too many.
    pub tells_of_transfers: bool,
    /// Of a call with audio.
    pub place: Option<Place>,
    /// What goes to the log with a message, by its turn.
    pub typed: HashMap<TurnId, Entry>,
    /// What the wrap-up will be made of, until it is.
    pub notes: Option<Notes>,
    /// A wrap-up that takes longer than the end of the call waits for it.
    pub late: Option<JoinHandle<Vec<NewEvent>>>,
    /// Turns whose meaning isn't known yet.
    pub unread: Unread,
    /// How many cards may be put into words at once.
    pub voices: Arc<Semaphore>,
    /// Told when the log has all of the call.
    pub logged: Option<oneshot::Sender<()>>,
}

impl Call {
    /// Without a media side.
    pub fn new(
        shared: &Arc<Shared>,
        tenant: TenantId,
        id: ConversationId,
        session: Session,
        notes: Notes,
        to_log: mpsc::Sender<Entry>,
    ) -> Self {
        Self {
            shared: Arc::clone(shared),
            tenant,
            id,
            session,
            jobs: HashMap::new(),
            to_log,
            news: None,
            dropped: Arc::default(),
            queued: Arc::default(),
            controls: Arc::default(),
            briefing: CancellationToken::new(),
            tells_of_transfers: true,
            place: None,
            typed: HashMap::new(),
            notes: Some(notes),
            late: None,
            unread: Unread::default(),
            voices: Arc::new(Semaphore::new(spoken::VOICES_PER_CALL)),
            logged: None,
        }
    }

    pub async fn run(
        mut self,
        mut inputs: mpsc::UnboundedReceiver<Input>,
        mut closes: mpsc::Receiver<Close>,
        stored: JoinHandle<Result<(), CallError>>,
    ) {
        // Unbounded, but never longer than what is in flight: a few decodings and one search.
        let (answer, mut answers) = mpsc::unbounded_channel();
        let _listening = Listening::new(&self.shared, &self.id, answer.clone());
        self.await_reader(&answer);
        let stall = Duration::from_millis(self.shared.settings.stall_ms);
        let mut stall_at = Instant::now() + stall;
        let mut listening = true;
        let mut done = None;
        let stop = self.shared.stop.clone();
        self.carry_out(&answer).await;
        while !self.session.is_finished() {
            tokio::select! {
                input = inputs.recv(), if listening => match input {
                    Some(input) => {
                        stall_at = Instant::now() + stall;
                        self.take_input(input);
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
                    while let Ok(input) = inputs.try_recv() {
                        self.take_input(input);
                    }
                    self.make_up_for_dropped();
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
        let stored = self.settle(stored).await;
        if done.is_none() {
            // Closed by the service: the media side may be asking at this moment.
            let close = tokio::time::timeout(CLOSE_PATIENCE, closes.recv()).await;
            done = close.ok().flatten().map(|close| close.done);
        }
        if let Some(done) = done {
            // The media side may be gone; then nobody wants to know.
            let _ = done.send(stored.map(|()| summary));
        }
    }

    fn take_input(&mut self, input: Input) {
        if matches!(input, Input::Control(_)) {
            self.controls.fetch_sub(1, Ordering::Relaxed);
        }
        let done = match input {
            Input::Audio(payload) => {
                self.queued.fetch_sub(1, Ordering::Relaxed);
                self.hear(&payload);
                return;
            }
            Input::Control(Control::Join(leg)) if self.session.wire_legs() < LEGS_MAX => {
                self.session.join(self.shared.leg_of(self.session.parties(), &leg))
            }
            Input::Control(Control::Join(_)) => Ok(()),
            Input::Control(Control::Transfer { leg, role, name })
                if self.session.parties() < PARTIES_MAX =>
            {
                let party = self.shared.party_of(self.session.parties(), role, name);
                self.session.transfer(leg, party)
            }
            Input::Control(Control::Transfer { .. }) if !self.tells_of_transfers => Ok(()),
            Input::Control(Control::Transfer { .. }) => {
                self.tells_of_transfers = false;
                tracing::warn!(conversation.id = %self.id, "too many transfers: the last one goes on");
                Ok(())
            }
            Input::Control(Control::Pause) => {
                self.session.pause();
                Ok(())
            }
            Input::Control(Control::Resume { paused_ms }) => self.session.resume(paused_ms),
            Input::Control(Control::Lost { lost_ms }) => (0..self.session.wire_legs())
                .try_for_each(|leg| self.session.lost(leg, lost_ms, "missing on the wire")),
            Input::Control(Control::Flush) => {
                self.session.flush();
                Ok(())
            }
        };
        if let Err(error) = done {
            tracing::warn!(conversation.id = %self.id, %error, "audio skipped");
        }
    }

    fn hear(&mut self, payload: &Payload) {
        self.session.pace(self.shared.speech.level());
        let Payload { leg, at_ms, lost_us, ref bytes } = *payload;
        if let Err(error) = self.session.audio(leg, at_ms, lost_us / 1_000, bytes) {
            tracing::warn!(conversation.id = %self.id, %error, "audio skipped");
        }
    }

    /// Audio at the end of the call that found no room in the queue.
    fn make_up_for_dropped(&mut self) {
        for leg in 0..self.dropped.len() {
            let lost_ms = self.dropped[leg].swap(0, Ordering::Relaxed) / 1_000;
            if lost_ms > 0
                && let Err(error) = self.session.lost(leg, lost_ms, "dropped under load")
            {
                tracing::warn!(conversation.id = %self.id, %error, "gap skipped");
            }
        }
    }

    pub fn take(&mut self, answer: Answer) {
        match answer {
            Answer::Decoded(leg, ticket, heard) => {
                self.jobs.remove(&(leg, ticket));
                self.session.decoded(leg, ticket, heard);
            }
            Answer::Read(turn, seen, vector) => self.read(&turn, seen, vector),
            // What waits is read with all that follows.
            Answer::Readable => {}
            Answer::Found(query, found, since) => {
                if found.as_ref().is_none_or(|found| found.vector.is_none()) {
                    self.was_not_read(&query.turn);
                }
                let latency_ms = since.elapsed().as_millis() as u64;
                metrics::histogram!("backchannel_card_decision_seconds").record(since.elapsed());
                self.session.found(&query, found.as_ref(), latency_ms);
            }
            Answer::Met(customer) => {
                self.session.customer_is(&customer.facts);
                if let Some(notes) = &mut self.notes {
                    notes.meet(&customer.contact);
                }
            }
        }
    }

    pub async fn carry_out(&mut self, answer: &mpsc::UnboundedSender<Answer>) {
        while let Some(output) = self.session.poll_output() {
            match output {
                // An article may have been taken back while it was being found.
                Output::Event(body) if !self.stands(&body) => {}
                Output::Event(body) => {
                    self.measure(&body);
                    match &body {
                        EventBody::AudioStarted(audio) => self.brief(&audio.party),
                        EventBody::CategoryMatched(matched) => self.escalated(&matched.category),
                        _ => {}
                    }
                    if let Some(notes) = &mut self.notes {
                        notes.take(&body);
                    }
                    if let EventBody::TurnFinal(turn) = &body {
                        self.understand(turn);
                    }
                    if matches!(body, EventBody::ConversationEnded(_)) {
                        self.wrap_up().await;
                    }
                    let card = match &body {
                        EventBody::SuggestionOffered(card) => Some(card.clone()),
                        _ => None,
                    };
                    let entry = self.entry(body);
                    log(&self.to_log, &self.id, entry).await;
                    if let Some(card) = card {
                        self.give_voice(card);
                    }
                }
                Output::Partial(partial) => self.publish(&partial),
                Output::Onset { party, start_ms } => self.tell(News::Onset { party, start_ms }),
                Output::Flushed => self.tell(News::Flushed { turns: self.session.turns() }),
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
                    let hints = self.session.hints(leg);
                    let caller = Caller { tenant: self.tenant.clone(), call: self.id.clone() };
                    let order = Order { urgency: urgency(purpose), samples, hints, caller };
                    let job = self.shared.speech.submit(order, reply);
                    self.jobs.insert((leg, ticket), job);
                }
                Output::Renew { leg, ticket, samples } => {
                    if let Some(job) = self.jobs.get(&(leg, ticket)) {
                        self.shared.speech.renew(*job, samples);
                    }
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
                Output::Search(mut query) => {
                    let reads = self.search_reads(&mut query);
                    self.search(query, reads, answer.clone());
                }
                Output::Rejected(why) => {
                    metrics::counter!("backchannel_transcript_rejected_total", "why" => why.as_str())
                        .increment(1);
                }
            }
        }
        self.read_rest(answer);
    }

    /// An event with what comes with it, if it is a message.
    fn entry(&mut self, body: EventBody) -> Entry {
        let typed = match &body {
            EventBody::TurnFinal(turn) => self.typed.remove(&turn.id),
            _ => None,
        };
        let mut event = NewEvent::at(Timestamp::now(), body);
        let Some(mut entry) = typed else { return event.into() };
        if let Some(id) = entry.turn_event.take() {
            event.id = id;
        }
        entry.events.insert(0, event);
        entry
    }

    fn stands(&self, body: &EventBody) -> bool {
        body.citations().into_iter().all(|cited| self.shared.library.stands(cited))
    }

    fn search(
        &self,
        mut query: Box<CardQuery>,
        reads: bool,
        answer: mpsc::UnboundedSender<Answer>,
    ) {
        let since = Instant::now();
        query.request.filter.valid_on.get_or_insert(jiff::Zoned::now().date());
        let library = self.shared.library.clone();
        let id = self.id.clone();
        let (reader, shared) = (self.reader(), Arc::clone(&self.shared));
        let owner = self.shared.settings.articles_of.as_ref();
        let may_see = owner.is_none_or(|owner| *owner == self.tenant);
        self.shared.tasks.spawn_blocking(move || {
            // Without an answer the call could never end.
            let found = catch_unwind(AssertUnwindSafe(|| library.search(&query.request)))
                .inspect_err(|_| tracing::error!(conversation.id = %id, "a search panicked"))
                .ok()
                .and_then(|found| {
                    found
                        .inspect_err(
                            |error| tracing::warn!(conversation.id = %id, %error, "no search"),
                        )
                        .ok()
                });
            // The search is for the query's vector then.
            let found = found.map(|found| match may_see {
                true => found,
                false => SearchResponse { hits: Vec::new(), ..found },
            });
            let vector = found.as_ref().and_then(|found| found.vector.clone()).filter(|_| reads);
            let (turn, text) = (query.turn.clone(), query.request.query.clone());
            let _ = answer.send(Answer::Found(query, found, since));
            // Behind the card, which doesn't wait for it.
            if let Some(vector) = vector {
                let seen = intents::read(reader.as_ref(), &text, &vector);
                let _ = answer.send(Answer::Read(turn, seen, Some((text, vector))));
                shared.learn_rules_soon();
            }
        });
    }

    fn tell(&self, news: News) {
        if let Some(to_media) = &self.news {
            // A media side that doesn't keep up misses some of what isn't durable.
            let _ = to_media.try_send(news);
        }
    }

    fn publish(&self, partial: &Partial) {
        self.tell(News::Partial(partial.clone()));
        self.shared.bus.publish(Signal::Partial(Arc::new(PartialSignal {
            tenant: self.tenant.clone(),
            conversation: self.id.clone(),
            time: Timestamp::now(),
            kind: codec::TURN_PARTIAL,
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

pub(super) async fn log(
    to_log: &mpsc::Sender<Entry>,
    id: &ConversationId,
    entry: impl Into<Entry>,
) {
    if to_log.send(entry.into()).await.is_err() {
        tracing::error!(conversation.id = %id, "an event was lost: the log is closed");
    }
}

fn urgency(purpose: Purpose) -> Urgency {
    match purpose {
        Purpose::Final => Urgency::Final,
        Purpose::Early => Urgency::Early,
        Purpose::Partial => Urgency::Partial,
    }
}
