//! One conversation that is awake: a task that takes its messages in order.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::recall::{Recalled, recall};
use super::{
    Awake, INPUTS_MAX, Inner, NewTurn, Route, Speaker, TakenTurn, TextError, TextSettings, mail_of,
    outgoing,
};
use crate::domain::{
    ConversationId, CrmWrite, EndReason, EventBody, EventId, NewEvent, Party, Progress, TenantId,
    TurnId,
};
use crate::flow::driver::CallError;
use crate::flow::driver::appender::{Appender, Entry};
use crate::flow::driver::call::Call;
use crate::flow::driver::customers::Listening;
use crate::flow::session::TypedTurn;
use crate::insight::redaction;

type Answer<T> = oneshot::Sender<Result<T, TextError>>;

pub(super) enum Input {
    /// With the name of its event. `None` is answered when the log has it already.
    Turn(Box<NewTurn>, EventId, Answer<Option<TakenTurn>>),
    End(EndReason, Answer<()>),
}

/// The way to a task.
#[derive(Clone)]
pub(super) struct Handle {
    pub inputs: mpsc::Sender<Input>,
    /// Cancelled when the log has all of it: the next task may read it from there.
    pub done: CancellationToken,
}

/// What a message becomes, and who waits for it.
struct Writing {
    call: Call,
    settings: TextSettings,
    began: Timestamp,
    parties: Vec<Party>,
    known: HashSet<EventId>,
    /// Names of the customer's mails, oldest first.
    mails: Vec<String>,
    route: Option<Route>,
    language: String,
    /// Who waits for the end.
    ended: Vec<Answer<()>>,
}

/// Reads the conversation from the log and starts its task.
pub(super) async fn wake(
    inner: &Arc<Inner>,
    tenant: &TenantId,
    id: &ConversationId,
    cell: &Awake,
) -> Result<Handle, TextError> {
    let shared = &inner.shared;
    let place = Arc::clone(&inner.places).try_acquire_owned();
    let place = place.map_err(|_| TextError::Crowded(inner.settings.awake_max))?;
    let recalled = recall(shared, tenant, id).await?;
    let (to_log, entries) = mpsc::channel(shared.settings.event_queue);
    let appender =
        Appender { shared: Arc::clone(shared), tenant: tenant.clone(), id: id.clone(), news: None };
    let stored = shared.tasks.spawn(appender.run(entries));
    let Recalled { session, notes, began, last_at, parties, known, mails, route, language } =
        recalled;
    let writing = Writing {
        call: Call::new(shared, tenant.clone(), id.clone(), session, notes, to_log),
        settings: inner.settings.clone(),
        began,
        parties,
        known,
        mails,
        route,
        language,
        ended: Vec::new(),
    };
    let (inputs, from_outside) = mpsc::channel(INPUTS_MAX);
    let silent = Timestamp::now().duration_since(last_at);
    let silent = Duration::try_from(silent).unwrap_or_default();
    let done = CancellationToken::new();
    let is_done = done.clone();
    let (inner, cell) = (Arc::clone(inner), Arc::clone(cell));
    let key = (tenant.clone(), id.clone());
    shared.tasks.spawn(async move {
        let _tells = is_done.drop_guard();
        writing.run(from_outside, stored, silent, place).await;
        inner.forget(&key, &cell).await;
    });
    Ok(Handle { inputs, done })
}

impl Writing {
    async fn run(
        mut self,
        mut inputs: mpsc::Receiver<Input>,
        stored: JoinHandle<Result<(), CallError>>,
        silent: Duration,
        _place: OwnedSemaphorePermit,
    ) {
        metrics::gauge!("backchannel_text_conversations_awake").increment(1.0);
        // Unbounded, but never longer than one search and what vectors are on their way.
        let (answer, mut answers) = mpsc::unbounded_channel();
        let _listening = Listening::new(&self.call.shared, &self.call.id, answer.clone());
        self.call.await_reader(&answer);
        let stop = self.call.shared.stop.clone();
        let mut is_open = true;
        let mut over_at = later(self.settings.idle.saturating_sub(silent));
        let mut sleeps_at = later(self.settings.sleep_after);
        self.call.carry_out(&answer).await;
        while !self.call.session.is_finished() && (is_open || self.call.session.is_waiting()) {
            tokio::select! {
                input = inputs.recv(), if is_open => match input {
                    Some(input) => {
                        over_at = later(self.settings.idle);
                        sleeps_at = later(self.settings.sleep_after);
                        is_open = self.take(input);
                    }
                    None => is_open = false,
                },
                Some(answer) = answers.recv() => self.call.take(answer),
                () = tokio::time::sleep_until(over_at), if is_open => {
                    is_open = self.close(EndReason::Timeout);
                }
                () = tokio::time::sleep_until(sleeps_at), if is_open => is_open = false,
                () = stop.cancelled(), if is_open => {
                    is_open = false;
                    // What has come in is still taken.
                    inputs.close();
                    while let Ok(input) = inputs.try_recv() {
                        self.take(input);
                    }
                }
            }
            self.call.carry_out(&answer).await;
            if self.call.to_log.is_closed() {
                // Nothing more can be kept; the next message finds what is there.
                break;
            }
        }
        inputs.close();
        // Their answers are dropped with them: whoever asked asks the next task.
        drop(inputs);
        let (ended, is_finished) = (self.ended, self.call.session.is_finished());
        let turns = self.call.session.turns();
        tracing::info!(conversation.id = %self.call.id, turns, ended = is_finished, "left the memory");
        let stored = self.call.settle(stored).await;
        for told in ended {
            let _ = told.send(match &stored {
                Ok(()) => Ok(()),
                Err(_) => Err(TextError::Lost),
            });
        }
        metrics::gauge!("backchannel_text_conversations_awake").decrement(1.0);
    }

    /// Whether there may be more.
    fn take(&mut self, input: Input) -> bool {
        match input {
            Input::Turn(turn, event, answer) => {
                self.message(*turn, event, answer);
                true
            }
            Input::End(reason, answer) => {
                self.ended.push(answer);
                self.close(reason)
            }
        }
    }

    fn close(&mut self, reason: EndReason) -> bool {
        self.call.session.passed(self.since_beginning(Timestamp::now()));
        self.call.session.close(reason);
        false
    }

    fn message(&mut self, turn: NewTurn, event: EventId, answer: Answer<Option<TakenTurn>>) {
        if self.known.contains(&event) {
            // Behind it in the log's queue: durable when this is told.
            self.tell_when_durable(answer);
            return;
        }
        let turns = self.call.session.turns();
        if turns >= self.settings.turns_max {
            let _ = answer.send(Err(TextError::Full(self.call.id.clone(), turns)));
            return;
        }
        let Some(party) = self.speaker(&turn.speaker) else {
            let Speaker::Party(named) = turn.speaker else { return };
            let named = named.as_str().chars().take(64).collect();
            let _ = answer.send(Err(TextError::NoParty(self.call.id.clone(), named)));
            return;
        };
        // Also of those who were announced: they come with their first message.
        self.call.brief(&party);
        self.known.insert(event.clone());
        self.mails.extend(mail_of(&event).map(str::to_owned));
        let turn_id = TurnId::from(format!("t-{}", turns + 1));
        let now = Timestamp::now();
        // A system clock that was set back must not put what is written now before what stands.
        let now_ms = self.since_beginning(now).max(self.call.session.typed_ms());
        let at_ms = turn.at.map_or(now_ms, |at| self.since_beginning(at).min(now_ms));
        let mut entry = Entry { turn_event: Some(event), ..Entry::default() };
        if let Some(route) = self.route.as_ref().filter(|_| turn.sends) {
            let text = redaction::typed(&turn.text);
            let (name, mails) = (party.name.clone(), latest(&self.mails));
            let delivery = outgoing::reply(route, &self.call.id, &turn_id, text, name, mails);
            let write = CrmWrite::of(&delivery, &Progress::new(now));
            entry.events.push(NewEvent::at(now, EventBody::CrmWrite(Box::new(write))));
            entry.deliveries.push(delivery);
        }
        let (told, is_told) = oneshot::channel();
        entry.told = Some(told);
        self.call.typed.insert(turn_id.clone(), entry);
        let (text, language) = (turn.text, self.language.clone());
        let is_sent = turn.sends;
        let typed =
            TypedTurn { id: turn_id.clone(), party: party.clone(), text, language, at_ms, is_sent };
        let text = self.call.session.typed(typed);
        let taken = TakenTurn { id: turn_id, party, start_ms: at_ms, text, is_new: true };
        self.call.shared.tasks.spawn(async move {
            let stored = is_told.await.map(|()| Some(taken)).map_err(|_| TextError::Lost);
            let _ = answer.send(stored);
        });
    }

    fn tell_when_durable(&self, answer: Answer<Option<TakenTurn>>) {
        let (told, is_told) = oneshot::channel();
        let mark = Entry { told: Some(told), ..Entry::default() };
        let to_log = self.call.to_log.clone();
        self.call.shared.tasks.spawn(async move {
            let stored = match to_log.send(mark).await {
                Ok(()) => is_told.await.map(|()| None).map_err(|_| TextError::Lost),
                Err(_) => Err(TextError::Lost),
            };
            let _ = answer.send(stored);
        });
    }

    /// Who writes; whoever is new takes part from now on.
    fn speaker(&mut self, speaker: &Speaker) -> Option<Party> {
        match speaker {
            Speaker::Party(id) => self.parties.iter().find(|party| party.id == *id).cloned(),
            Speaker::Role(role, name) => {
                let role = &self.call.shared.settings.bots.role_of(*role, name.as_deref());
                let same =
                    |party: &&Party| party.role == *role && (name.is_none() || party.name == *name);
                // Somebody who was announced without a name, and has one now.
                let unnamed = |party: &&Party| party.role == *role && party.name.is_none();
                let known = self.parties.iter().find(same).or(self.parties.iter().find(unnamed));
                if let Some(known) = known {
                    return Some(Party {
                        name: known.name.clone().or(name.clone()),
                        ..known.clone()
                    });
                }
                let joined = self.call.shared.party_of(self.parties.len(), *role, name.clone());
                self.parties.push(joined.clone());
                Some(joined)
            }
        }
    }

    fn since_beginning(&self, at: Timestamp) -> u64 {
        u64::try_from(at.duration_since(self.began).as_millis()).unwrap_or(0)
    }
}

/// As many as a mail cites.
fn latest(mails: &[String]) -> &[String] {
    const CITED_MAX: usize = 20;
    &mails[mails.len().saturating_sub(CITED_MAX)..]
}

/// A settings file may name more than a clock can count.
fn later(pause: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(30 * 24 * 3_600);
    Instant::now() + pause.min(FAR)
}
