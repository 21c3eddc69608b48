//! A data set's audio through the stages of a live call, up to the words and no further: its card
//! numbers are nobody's, and masked ones could not be compared with what was said.

use std::collections::HashMap;
use std::sync::mpsc;

use crate::flow::transcript::{Leg, LegOutput, Purpose, SpokenTurn, Ticket, TranscriptSettings};
use crate::models::{Heard, Hints, Order, Outcome, SAMPLE_RATE_HZ, SpeechPool, Urgency};

/// Frames of so much audio come in, as on a wire.
const FRAME_MS: usize = 20;
/// Decodings of one recording under way at once.
const IN_FLIGHT: usize = 4;

/// Why a recording could not be heard to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HearError {
    #[error("the recogniser has stopped")]
    Stopped,
    #[error("the recogniser failed at {0} ms")]
    Undecoded(u64),
}

/// Hears one channel of 16 kHz samples, each stretch decoded once.
///
/// # Errors
/// A decoding failed, or the workers have stopped.
pub fn hear(
    pool: &SpeechPool,
    samples: &[f32],
    settings: &TranscriptSettings,
    hints: &Hints,
) -> Result<Vec<SpokenTurn>, HearError> {
    let settings = TranscriptSettings { partial_every_ms: 0, ..settings.clone() };
    let mut leg = Leg::new(settings, "t-");
    let mut decodings = Decodings::new(pool, hints);
    let mut turns = Vec::new();
    let mut out = Vec::new();
    for frame in samples.chunks(SAMPLE_RATE_HZ as usize * FRAME_MS / 1_000) {
        leg.audio(frame, &mut out);
        decodings.obey(&mut out, &mut turns)?;
        while decodings.running >= IN_FLIGHT {
            decodings.take_answer(&mut leg, &mut out)?;
            decodings.obey(&mut out, &mut turns)?;
        }
    }
    leg.flush(&mut out);
    decodings.obey(&mut out, &mut turns)?;
    while !leg.is_idle() {
        decodings.take_answer(&mut leg, &mut out)?;
        decodings.obey(&mut out, &mut turns)?;
    }
    Ok(turns)
}

struct Decodings<'a> {
    pool: &'a SpeechPool,
    hints: &'a Hints,
    /// Not asked for yet: nobody knows whether they will be wanted.
    early: HashMap<Ticket, Vec<f32>>,
    running: usize,
    reply: mpsc::Sender<(Ticket, Option<Heard>)>,
    answers: mpsc::Receiver<(Ticket, Option<Heard>)>,
}

impl<'a> Decodings<'a> {
    fn new(pool: &'a SpeechPool, hints: &'a Hints) -> Self {
        let (reply, answers) = mpsc::channel();
        Self { pool, hints, early: HashMap::new(), running: 0, reply, answers }
    }

    fn begin(&mut self, ticket: Ticket, samples: Vec<f32>) {
        self.running += 1;
        let reply = self.reply.clone();
        let hints = self.hints.clone();
        let order = Order { hints, ..Order::new(Urgency::Final, samples) };
        self.pool.submit(
            order,
            Box::new(move |outcome| {
                let heard = match outcome {
                    Outcome::Heard(heard) => Some(heard),
                    Outcome::Dropped | Outcome::Failed(_) => None,
                };
                // Whoever gave the recording up doesn't wait for answers.
                let _ = reply.send((ticket, heard));
            }),
        );
    }

    fn take_answer(&mut self, leg: &mut Leg, out: &mut Vec<LegOutput>) -> Result<(), HearError> {
        let (ticket, heard) = self.answers.recv().map_err(|_| HearError::Stopped)?;
        self.running -= 1;
        leg.decoded(ticket, heard, out);
        Ok(())
    }

    fn obey(
        &mut self,
        out: &mut Vec<LegOutput>,
        turns: &mut Vec<SpokenTurn>,
    ) -> Result<(), HearError> {
        for output in out.drain(..) {
            match output {
                LegOutput::Decode { ticket, purpose: Purpose::Early, samples } => {
                    self.early.insert(ticket, samples);
                }
                LegOutput::Decode { ticket, samples, .. } => self.begin(ticket, samples),
                LegOutput::Promote(ticket) => {
                    if let Some(samples) = self.early.remove(&ticket) {
                        self.begin(ticket, samples);
                    }
                }
                LegOutput::Cancel(ticket) => {
                    self.early.remove(&ticket);
                }
                LegOutput::Turn(turn) => turns.push(turn),
                LegOutput::Undecoded { start_ms, .. } => {
                    return Err(HearError::Undecoded(start_ms));
                }
                LegOutput::Renew { .. }
                | LegOutput::Partial { .. }
                | LegOutput::Onset { .. }
                | LegOutput::Withdrawn { .. }
                | LegOutput::Rejected(_) => {}
            }
        }
        Ok(())
    }
}
