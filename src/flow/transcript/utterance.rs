//! One utterance while it is being said and decoded.

use std::sync::Arc;

use crate::domain::TurnId;
use crate::insight::redaction::RawWord;
use crate::models::Heard;

use super::agreement::Agreement;
use super::gate::Voice;
use super::guards::{Guards, Rejected};
use super::output::{LegOutput, Ticket};

/// Samples in a millisecond at 16 kHz.
pub(super) const SAMPLES_PER_MS: u64 = 16;

/// When to decode and when a turn is over. All times of audio, none of the wall clock.
#[derive(Clone, Debug, PartialEq)]
pub struct TranscriptSettings {
    /// Silence that ends a turn.
    pub end_silence_ms: u64,
    /// Silence after which the final decode begins, in the hope that nobody speaks on.
    pub early_silence_ms: u64,
    /// Audio kept before the first voiced frame: consonants are quieter than vowels.
    pub preroll_ms: u64,
    /// Audio kept after the last voiced frame.
    pub tail_ms: u64,
    /// New audio between two partials; 0 switches them off.
    pub partial_every_ms: u64,
    /// A pause commits what was said before it once that is so long; only the rest is decoded again.
    pub commit_min_ms: u64,
    /// What can't be believed as a whole is heard again in pieces between its pauses, none shorter.
    pub piece_min_ms: u64,
    /// A pause ends a turn that is so long already.
    pub long_turn_ms: u64,
    /// Without any pause a turn is cut here, at the quietest frame of the last seconds.
    pub cut_ms: u64,
    /// Less voice than this is a click.
    pub voiced_min_ms: u64,
    /// The language of all legs as ISO 639-1; `None`: each leg's is found out.
    pub language: Option<Arc<str>>,
    /// Names and products that are likely to be said, a line each.
    pub glossary: Option<Arc<str>>,
    pub guards: Guards,
}

impl Default for TranscriptSettings {
    fn default() -> Self {
        Self {
            end_silence_ms: 500,
            early_silence_ms: 200,
            preroll_ms: 250,
            tail_ms: 200,
            partial_every_ms: 1_000,
            commit_min_ms: 5_000,
            piece_min_ms: 1_800,
            long_turn_ms: 10_000,
            cut_ms: 11_000,
            voiced_min_ms: 96,
            language: None,
            glossary: None,
            guards: Guards::default(),
        }
    }
}

/// A finished turn before its secrets are masked.
#[derive(Debug, PartialEq)]
pub struct SpokenTurn {
    pub turn_id: TurnId,
    pub start_ms: u64,
    pub end_ms: u64,
    pub words: Vec<RawWord>,
    pub mean_logprob: f32,
    /// ISO 639-1
    pub language: Arc<str>,
}

/// A piece of an utterance that is decoded on its own.
#[derive(Debug)]
pub(super) struct Segment {
    /// First sample for the recogniser.
    pub from: u64,
    /// The decoding that will stand, once it has been asked for.
    pub ticket: Option<Ticket>,
    pub heard: Option<Result<Heard, Rejected>>,
    /// The middles of its pauses, as samples.
    pub pauses: Vec<u64>,
    /// What was given to the recogniser, for as long as it may be heard again in pieces.
    pub kept: Vec<f32>,
}

impl Segment {
    pub(super) fn new(from: u64) -> Self {
        Self { from, ticket: None, heard: None, pauses: Vec::new(), kept: Vec::new() }
    }

    /// The pieces between the pauses with their audio, where the whole wasn't believed: on a noisy
    /// line one bad second takes the rest of a long turn with it.
    pub(super) fn take_pieces(&mut self) -> Vec<(Self, Vec<f32>)> {
        if !matches!(self.heard, Some(Err(rejected)) if rejected != Rejected::Undecoded) {
            return Vec::new();
        }
        let kept = std::mem::take(&mut self.kept);
        if kept.is_empty() {
            return Vec::new();
        }
        let upto = self.from + kept.len() as u64;
        let inside = self.pauses.iter().copied().filter(|at| (self.from..upto).contains(at));
        let starts: Vec<u64> = std::iter::once(self.from).chain(inside).collect();
        let ends = starts.iter().skip(1).copied().chain([upto]);
        let cut = |(from, upto): (&u64, u64)| {
            let samples = kept[(from - self.from) as usize..(upto - self.from) as usize].to_vec();
            (Self::new(*from), samples)
        };
        starts.iter().zip(ends).map(cut).collect()
    }
}

#[derive(Debug)]
pub(super) struct Utterance {
    pub turn_id: TurnId,
    /// First and last voiced sample.
    pub voice_start: u64,
    pub last_voice: u64,
    pub voiced_samples: u64,
    pub voice: Voice,
    /// All but the last are committed: speech went on after them.
    pub segments: Vec<Segment>,
    pub agreement: Agreement,
    /// The outstanding partial and, for the next, how far the last one reached.
    pub partial: Option<Ticket>,
    pub partial_upto: u64,
    /// Something was shown that has to be settled or taken back.
    pub shown: bool,
}

impl Utterance {
    pub(super) fn new(turn_id: TurnId, audio_from: u64, voice_start: u64) -> Self {
        Self {
            turn_id,
            voice_start,
            last_voice: voice_start,
            voiced_samples: 0,
            voice: Voice::default(),
            segments: vec![Segment::new(audio_from)],
            agreement: Agreement::default(),
            partial: None,
            partial_upto: audio_from,
            shown: false,
        }
    }

    pub(super) fn open_segment(&mut self) -> &mut Segment {
        self.segments.last_mut().expect("an utterance has a segment; this is a bug")
    }

    pub(super) fn segment_of(&self, ticket: Ticket) -> Option<usize> {
        self.segments.iter().position(|segment| segment.ticket == Some(ticket))
    }

    /// Where a segment is whose decoding failed.
    pub(super) fn undecoded(&self, index: usize) -> LegOutput {
        let start_ms = self.segments[index].from.max(self.voice_start) / SAMPLES_PER_MS;
        let end_ms = self
            .segments
            .get(index + 1)
            .map_or(self.last_voice_ms(), |next| next.from / SAMPLES_PER_MS);
        LegOutput::Undecoded { start_ms, lost_ms: end_ms.saturating_sub(start_ms) }
    }

    pub(super) fn is_heard(&self) -> bool {
        self.segments.iter().all(|segment| segment.heard.is_some())
    }

    /// The words of the segments that are heard, in order, with times of the conversation.
    pub(super) fn words(&self) -> Vec<RawWord> {
        let mut words: Vec<RawWord> = Vec::new();
        for segment in &self.segments {
            let Some(Ok(heard)) = &segment.heard else { continue };
            let from_ms = segment.from / SAMPLES_PER_MS;
            for word in &heard.words {
                // The engine's times wander; they never go backwards or leave the turn here.
                let earliest = words.last().map_or(self.voice_start_ms(), |last| last.end_ms);
                let latest = self.last_voice_ms().max(earliest);
                let start_ms = (from_ms + word.start_ms).clamp(earliest, latest);
                let end_ms = (from_ms + word.end_ms).clamp(start_ms, latest);
                words.push(RawWord {
                    text: word.text.clone(),
                    start_ms,
                    end_ms,
                    confidence: word.confidence,
                });
            }
        }
        words
    }

    /// Weighted by tokens; `None` when nothing was believed.
    pub(super) fn mean_logprob(&self) -> Option<f32> {
        let (mut sum, mut tokens) = (0.0, 0);
        for segment in &self.segments {
            if let Some(Ok(heard)) = &segment.heard {
                sum += heard.mean_logprob * heard.tokens as f32;
                tokens += heard.tokens;
            }
        }
        (tokens > 0).then(|| sum / tokens as f32)
    }

    pub(super) fn voiced_ms(&self) -> u64 {
        self.voiced_samples / SAMPLES_PER_MS
    }

    pub(super) fn voice_start_ms(&self) -> u64 {
        self.voice_start / SAMPLES_PER_MS
    }

    pub(super) fn last_voice_ms(&self) -> u64 {
        self.last_voice / SAMPLES_PER_MS
    }
}
