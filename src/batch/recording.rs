//! A recording through the same stages as a live call, as fast as all workers can.
//!
//! What a live call decodes ahead of time waits here until it is known to be wanted, so each stretch
//! of audio is decoded once, and the turns are those that the live call would have had.

use std::collections::HashMap;
use std::sync::mpsc;

use crate::domain::{
    AudioGap, Classify, EndReason, ErrorKind, EventBody, Party, PartyId, RedactionOutcome, Role,
    Turn,
};
use crate::flow::audio::{AudioError, Codec};
use crate::flow::session::{Output, Session, SessionLeg, SessionSettings};
use crate::flow::transcript::{Purpose, Ticket};
use crate::insight::redaction;
use crate::models::{Heard, Order, Outcome, SpeechPool, Urgency};

/// One channel of a recording, and who speaks on it.
#[derive(Clone, Copy, Debug)]
pub struct Channel<'a> {
    pub role: Role,
    /// -1 to 1, at the recording's own rate.
    pub samples: &'a [f32],
}

/// What was said in a recording.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    pub parties: Vec<Party>,
    /// By their start. Digits that were held back and turned out harmless are written out.
    pub turns: Vec<Turn>,
    /// What could not be decoded.
    pub gaps: Vec<AudioGap>,
    pub duration_ms: u64,
}

/// Why a recording can't be transcribed.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    #[error("its audio can't be used: {0}")]
    Audio(#[from] AudioError),
    #[error("the recogniser has stopped")]
    Stopped,
}

impl Classify for RecordingError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Audio(_) => ErrorKind::Invalid,
            Self::Stopped => ErrorKind::Unavailable,
        }
    }
}

/// Frames of so much audio alternate between the channels, as they do on a wire.
const FRAME_MS: usize = 20;

type Job = (usize, Ticket);

/// The decodings of one recording.
struct Decodings<'a> {
    pool: &'a SpeechPool,
    /// Not asked for yet: nobody knows whether they will be wanted.
    early: HashMap<Job, Vec<f32>>,
    running: usize,
    reply: mpsc::Sender<(Job, Option<Heard>)>,
    answers: mpsc::Receiver<(Job, Option<Heard>)>,
}

impl<'a> Decodings<'a> {
    fn new(pool: &'a SpeechPool) -> Self {
        let (reply, answers) = mpsc::channel();
        Self { pool, early: HashMap::new(), running: 0, reply, answers }
    }

    fn begin(&mut self, job: Job, samples: Vec<f32>) {
        self.running += 1;
        let reply = self.reply.clone();
        let order = Order::new(Urgency::Final, samples);
        self.pool.submit(
            order,
            Box::new(move |outcome| {
                let heard = match outcome {
                    Outcome::Heard(heard) => Some(heard),
                    Outcome::Dropped | Outcome::Failed(_) => None,
                };
                // Whoever gave the recording up doesn't wait for answers.
                let _ = reply.send((job, heard));
            }),
        );
    }
}

/// Transcribes a whole recording. `in_flight` decodings may be under way at once: twice the number
/// of workers keeps them all busy. `heard_ms` is told how far the recording has been listened to.
///
/// # Errors
/// The audio has a rate that isn't supported, or the workers have stopped.
pub fn transcribe(
    pool: &SpeechPool,
    channels: &[Channel<'_>],
    sample_rate_hz: u32,
    settings: &SessionSettings,
    in_flight: usize,
    heard_ms: &mut dyn FnMut(u64),
) -> Result<Transcript, RecordingError> {
    let mut settings = settings.clone();
    settings.transcript.partial_every_ms = 0;
    let legs: Vec<SessionLeg> = channels
        .iter()
        .enumerate()
        .map(|(number, channel)| SessionLeg {
            party: Party {
                id: PartyId::from(format!("p-{}", number + 1)),
                role: channel.role,
                name: None,
            },
            codec: Codec::PcmS16Le,
            sample_rate_hz,
        })
        .collect();
    let mut transcript = Transcript {
        parties: legs.iter().map(|leg| leg.party.clone()).collect(),
        ..Transcript::default()
    };
    let mut session = Session::new(legs, &settings)?;
    let mut decodings = Decodings::new(pool);
    let frame = sample_rate_hz as usize * FRAME_MS / 1_000;
    let longest = channels.iter().map(|channel| channel.samples.len()).max().unwrap_or(0);
    let mut bytes = Vec::with_capacity(2 * frame);
    for from in (0..longest).step_by(frame.max(1)) {
        for (leg, channel) in channels.iter().enumerate() {
            let upto = (from + frame).min(channel.samples.len());
            let Some(samples) = channel.samples.get(from..upto) else { continue };
            bytes.clear();
            bytes.extend(samples.iter().flat_map(|sample| s16(*sample).to_le_bytes()));
            session.audio(leg, None, 0, &bytes)?;
            obey(&mut session, &mut decodings, &mut transcript);
        }
        while decodings.running >= in_flight.max(1) {
            take_answer(&mut session, &mut decodings)?;
            obey(&mut session, &mut decodings, &mut transcript);
        }
        heard_ms(session.now_ms());
    }
    session.close(EndReason::Hangup);
    obey(&mut session, &mut decodings, &mut transcript);
    while !session.is_finished() {
        take_answer(&mut session, &mut decodings)?;
        obey(&mut session, &mut decodings, &mut transcript);
    }
    transcript.turns.sort_by_key(|turn| (turn.start_ms, turn.end_ms));
    transcript.duration_ms = session.now_ms();
    Ok(transcript)
}

fn take_answer(session: &mut Session, decodings: &mut Decodings<'_>) -> Result<(), RecordingError> {
    let ((leg, ticket), heard) = decodings.answers.recv().map_err(|_| RecordingError::Stopped)?;
    decodings.running -= 1;
    session.decoded(leg, ticket, heard);
    Ok(())
}

fn obey(session: &mut Session, decodings: &mut Decodings<'_>, transcript: &mut Transcript) {
    while let Some(output) = session.poll_output() {
        match output {
            Output::Decode { leg, ticket, purpose: Purpose::Final, samples } => {
                decodings.begin((leg, ticket), samples);
            }
            Output::Decode { leg, ticket, purpose: Purpose::Early, samples } => {
                decodings.early.insert((leg, ticket), samples);
            }
            Output::Decode { leg, ticket, purpose: Purpose::Partial, .. } => {
                session.decoded(leg, ticket, None);
            }
            Output::Promote { leg, ticket } => {
                if let Some(samples) = decodings.early.remove(&(leg, ticket)) {
                    decodings.begin((leg, ticket), samples);
                }
            }
            Output::Cancel { leg, ticket } => {
                decodings.early.remove(&(leg, ticket));
            }
            Output::Event(EventBody::TurnFinal(turn)) => transcript.turns.push(turn),
            Output::Event(EventBody::AudioGap(gap)) => transcript.gaps.push(gap),
            Output::Event(EventBody::RedactionResolved(resolved)) => {
                let RedactionOutcome::Released(text) = &resolved.outcome else { continue };
                let of_turn = |turn: &&mut Turn| turn.id == resolved.turn_id;
                for turn in transcript.turns.iter_mut().filter(of_turn) {
                    redaction::write_out(turn, &resolved.placeholder, text);
                }
            }
            Output::Search(query) => session.found(&query, None, 0),
            Output::Event(_)
            | Output::Renew { .. }
            | Output::Partial(_)
            | Output::Onset { .. }
            | Output::Flushed
            | Output::Rejected(_) => {}
        }
    }
}

fn s16(sample: f32) -> i16 {
    (sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)).round() as i16
}
