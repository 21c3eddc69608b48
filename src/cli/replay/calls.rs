//! Which events belong to which of the calls that are being played, and which calls are over.

use serde_json::Value;
use tokio::time::Instant;

use super::player::FINISH_PATIENCE;
use crate::evaluate::live::Received;

pub struct Calls {
    epoch: Instant,
    calls: Vec<Call>,
    /// Without the event stream a call is over when its player is.
    listens: bool,
    deadline: Instant,
}

struct Call {
    external_id: String,
    conversation: Option<String>,
    events: Vec<Received>,
    sent_at: Vec<f64>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Playing { ended: bool },
    Played,
    Finished,
    Failed,
}

impl Calls {
    pub fn new(epoch: Instant, external_ids: Vec<String>, listens: bool) -> Self {
        let call = |external_id| Call {
            external_id,
            conversation: None,
            events: Vec::new(),
            sent_at: Vec::new(),
            state: State::Playing { ended: false },
        };
        let calls = external_ids.into_iter().map(call).collect();
        Self { epoch, calls, listens, deadline: epoch + FINISH_PATIENCE }
    }

    /// Keeps the event if it is of one of our calls, and answers which.
    pub fn take(&mut self, at: Instant, data: &str) -> Option<(usize, Value)> {
        let event: Value = serde_json::from_str(data).ok()?;
        let subject = event["subject"].as_str()?;
        let kind = event["type"].as_str()?.strip_prefix("backchannel.")?;
        if kind == "conversation.started" {
            let external_id = event["data"]["external_id"].as_str()?;
            let call = self.calls.iter_mut().find(|call| call.external_id == external_id)?;
            call.conversation = Some(subject.to_owned());
        }
        let index = self.calls.iter().position(|c| c.conversation.as_deref() == Some(subject))?;
        let call = &mut self.calls[index];
        if kind == "conversation.ended" {
            call.state = match call.state {
                State::Playing { .. } => State::Playing { ended: true },
                State::Played => State::Finished,
                over => over,
            };
        }
        let at = at.duration_since(self.epoch).as_secs_f64();
        call.events.push(Received { at, event: event.clone() });
        Some((index, event))
    }

    pub fn played(&mut self, index: usize, sent_at: &[Instant]) {
        let call = &mut self.calls[index];
        let epoch = self.epoch;
        call.sent_at = sent_at.iter().map(|at| at.duration_since(epoch).as_secs_f64()).collect();
        call.state = match call.state {
            State::Playing { ended } if ended || !self.listens => State::Finished,
            State::Playing { .. } => State::Played,
            over => over,
        };
        self.deadline = Instant::now() + FINISH_PATIENCE;
    }

    pub fn failed(&mut self, index: usize) {
        self.calls[index].state = State::Failed;
    }

    pub fn anything_open(&self) -> bool {
        self.calls.iter().any(|call| matches!(call.state, State::Playing { .. } | State::Played))
    }

    /// When to stop waiting for ends, once everything is played.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Gives up on the calls whose end didn't come; answers which.
    pub fn give_up(&mut self) -> Vec<usize> {
        let mut given_up = Vec::new();
        for (index, call) in self.calls.iter_mut().enumerate() {
            if !matches!(call.state, State::Finished | State::Failed) {
                call.state = State::Failed;
                given_up.push(index);
            }
        }
        given_up
    }

    /// Events and sending times of a call that went well.
    pub fn finished(&self, index: usize) -> Option<(&[Received], &[f64])> {
        let call = &self.calls[index];
        (call.state == State::Finished).then_some((&call.events[..], &call.sent_at[..]))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(kind: &str, subject: &str, data: Value) -> String {
        json!({"type": format!("backchannel.{kind}"), "subject": subject, "data": data}).to_string()
    }

    #[tokio::test]
    async fn events_find_their_calls_and_foreign_ones_are_left_out() {
        let now = Instant::now();
        let mut calls = Calls::new(now, vec!["CA1".into(), "CA2".into()], true);
        let started = |id| json!({"external_id": id});
        let take = |calls: &mut Calls, kind: &str, subject: &str, data| {
            calls.take(now, &event(kind, subject, data)).map(|(index, _)| index)
        };
        assert_eq!(take(&mut calls, "conversation.started", "c-2", started("CA2")), Some(1));
        assert_eq!(take(&mut calls, "conversation.started", "c-9", started("CA9")), None);
        assert_eq!(take(&mut calls, "turn.final", "c-9", json!({})), None);
        assert_eq!(take(&mut calls, "turn.final", "c-2", json!({})), Some(1));
        assert_eq!(calls.take(now, "not json"), None);
        assert_eq!(take(&mut calls, "conversation.ended", "c-2", json!({})), Some(1));
        assert_eq!(calls.finished(1), None, "its player isn't done");
        calls.played(1, &[now]);
        assert_eq!(
            calls.finished(1).map(|(events, sent)| (events.len(), sent.len())),
            Some((3, 1))
        );
        calls.played(0, &[now]);
        assert!(calls.anything_open(), "its end hasn't come");
        assert_eq!(calls.give_up(), [0]);
        assert!(!calls.anything_open());
    }
}
