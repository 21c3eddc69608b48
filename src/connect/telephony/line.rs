use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use super::{Interleaved, Opening, Output, Rejection};
use crate::domain::EndReason;
use crate::flow::driver::Control;

/// What all media protocols have in common: the order of their outputs, and patience.
///
/// It holds the rules of [`Output`] by itself, so that no vendor's parser can break them.
#[derive(Debug)]
pub struct Line {
    phase: Phase,
    outputs: VecDeque<Output>,
    patience: Duration,
    last_media: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Waiting,
    Live,
    Over,
}

impl Line {
    /// `patience`: for how long the other side may send no media.
    pub fn new(patience: Duration) -> Self {
        Self {
            phase: Phase::Waiting,
            outputs: VecDeque::new(),
            patience,
            last_media: Duration::ZERO,
        }
    }

    pub fn is_waiting(&self) -> bool {
        self.phase == Phase::Waiting
    }

    pub fn is_live(&self) -> bool {
        self.phase == Phase::Live
    }

    pub fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    pub fn start(&mut self, now: Duration, opening: Opening) {
        if self.phase == Phase::Waiting {
            self.phase = Phase::Live;
            self.last_media = now;
            self.outputs.push_back(Output::Start(opening));
        }
    }

    pub fn heard(&mut self, now: Duration) {
        self.last_media = self.last_media.max(now);
    }

    pub fn audio(&mut self, leg: usize, at_ms: Option<u64>, payload: Bytes) {
        if self.phase == Phase::Live && !payload.is_empty() {
            self.outputs.push_back(Output::Audio { leg, at_ms, payload });
        }
    }

    /// Audio of all legs at once.
    pub fn interleaved(&mut self, now: Duration, channels: &mut Interleaved, bytes: Bytes) {
        if self.phase == Phase::Live && !bytes.is_empty() {
            self.heard(now);
            for (leg, payload) in channels.split(bytes).into_iter().enumerate() {
                self.audio(leg, None, payload);
            }
        }
    }

    /// Somebody pressed a key. It is counted and not kept: people type secrets.
    pub fn dtmf(&self) {
        metrics::counter!("backchannel_media_dtmf_total").increment(1);
    }

    pub fn control(&mut self, control: Control) {
        if self.phase == Phase::Live {
            self.outputs.push_back(Output::Control(control));
        }
    }

    pub fn send(&mut self, text: String) {
        self.outputs.push_back(Output::Send(text));
    }

    /// Ends the call; without one, the connection just closes.
    pub fn stop(&mut self, reason: EndReason) {
        if self.phase != Phase::Over {
            self.phase = Phase::Over;
            self.outputs.push_back(Output::Stop(reason));
        }
    }

    pub fn reject(&mut self, rejection: Rejection) {
        if self.phase != Phase::Over {
            self.phase = Phase::Over;
            self.outputs.push_back(Output::Reject(rejection));
        }
    }

    pub fn deadline(&self) -> Duration {
        self.last_media + self.patience
    }

    pub fn check_patience(&mut self, now: Duration) {
        if now >= self.deadline() {
            let reason = format!("no media for {} s", self.patience.as_secs_f32());
            let ends = EndReason::Timeout;
            self.reject(Rejection { ends, ..Rejection::new(Rejection::POLICY, reason) });
        }
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }
}
