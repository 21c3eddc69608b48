//! One party's audio on its way to turns.

use std::collections::VecDeque;

use crate::domain::TurnId;
use crate::models::{Heard, Hints, LoadLevel};

use super::gate::{FRAME_SAMPLES, Frame, Gate};
use super::guards::Rejected;
use super::language::LegLanguage;
use super::output::{LegOutput, Purpose, Ticket};
use super::utterance::{SAMPLES_PER_MS, Segment, SpokenTurn, TranscriptSettings, Utterance};

/// Speech begins with so many voiced frames out of the last `ONSET_WINDOW`.
const ONSET_FRAMES: usize = 3;
const ONSET_WINDOW: usize = 5;
/// A forced cut looks for its quietest frame in so much audio.
const CUT_SEARCH_MS: u64 = 2_500;

pub struct Leg {
    settings: TranscriptSettings,
    /// What the settings say about partials when there is no load.
    partial_wanted_ms: u64,
    gate: Gate,
    /// Samples that don't fill a frame yet.
    rest: Vec<f32>,
    /// The audio that may still be decoded; its first sample is number `audio_from`.
    audio: VecDeque<f32>,
    audio_from: u64,
    /// Samples that went through the gate.
    now: u64,
    onset: VecDeque<bool>,
    /// Levels of the last frames, for a forced cut: (end of frame, dBFS).
    levels: VecDeque<(u64, f32)>,
    open: Option<Utterance>,
    /// Said to the end, not decoded to the end. Turns leave in this order.
    closing: VecDeque<Utterance>,
    next_ticket: u64,
    next_turn: u64,
    prefix: String,
    language: LegLanguage,
}

impl Leg {
    /// `prefix` makes the leg's turn ids unique in the conversation: `t-1-` gives `t-1-1`.
    pub fn new(settings: TranscriptSettings, prefix: &str) -> Self {
        Self {
            language: LegLanguage::new(settings.language.clone()),
            partial_wanted_ms: settings.partial_every_ms,
            settings,
            gate: Gate::default(),
            rest: Vec::new(),
            audio: VecDeque::new(),
            audio_from: 0,
            now: 0,
            onset: VecDeque::new(),
            levels: VecDeque::new(),
            open: None,
            closing: VecDeque::new(),
            next_ticket: 0,
            next_turn: 0,
            prefix: prefix.to_owned(),
        }
    }

    /// Position of the leg's clock.
    pub fn now_ms(&self) -> u64 {
        (self.now + self.rest.len() as u64) / SAMPLES_PER_MS
    }

    /// What is known before the next decoding.
    pub fn hints(&self) -> Hints {
        Hints { language: self.language.hint(), glossary: self.settings.glossary.clone() }
    }

    /// How much may be decoded from now on.
    pub fn pace(&mut self, level: LoadLevel) {
        self.settings.partial_every_ms = level.partial_every_ms(self.partial_wanted_ms);
    }

    /// Nothing is being said or decoded.
    pub fn is_idle(&self) -> bool {
        self.open.is_none() && self.closing.is_empty()
    }

    /// Something was said to the end and is no turn yet.
    pub fn owes_turns(&self) -> bool {
        !self.closing.is_empty()
    }

    /// Takes 16 kHz samples, any number.
    pub fn audio(&mut self, samples: &[f32], out: &mut Vec<LegOutput>) {
        self.rest.extend_from_slice(samples);
        let rest = std::mem::take(&mut self.rest);
        let mut frames = rest.chunks_exact(FRAME_SAMPLES);
        for frame in &mut frames {
            if let Ok(frame) = frame.try_into() {
                self.frame(frame, out);
            }
        }
        self.rest = frames.remainder().to_vec();
        self.forget_old_audio();
    }

    /// No more audio comes, or none for a while: whatever was said is a turn.
    pub fn flush(&mut self, out: &mut Vec<LegOutput>) {
        if let Some(open) = self.open.take() {
            self.close(open, out);
        }
    }

    /// So many 16 kHz samples pass unheard: what was being said before them is a turn.
    pub fn skip(&mut self, samples: u64, out: &mut Vec<LegOutput>) {
        self.flush(out);
        self.now += self.rest.len() as u64 + samples;
        self.audio_from = self.now;
        self.rest.clear();
        self.audio.clear();
        self.onset.clear();
        self.levels.clear();
    }

    fn frame(&mut self, samples: &[f32; FRAME_SAMPLES], out: &mut Vec<LegOutput>) {
        self.audio.extend(samples);
        let began = self.now;
        self.now += FRAME_SAMPLES as u64;
        let frame = self.gate.frame(samples);
        self.remember_level(frame);
        match self.open.take() {
            None => self.listen_for_onset(frame, began, out),
            Some(open) => self.open = self.continue_utterance(open, frame, out),
        }
    }

    fn remember_level(&mut self, frame: Frame) {
        self.levels.push_back((self.now, frame.level_dbfs));
        while self
            .levels
            .front()
            .is_some_and(|(at, _)| at + CUT_SEARCH_MS * SAMPLES_PER_MS < self.now)
        {
            self.levels.pop_front();
        }
    }

    fn listen_for_onset(&mut self, frame: Frame, began: u64, out: &mut Vec<LegOutput>) {
        self.onset.push_back(frame.voiced);
        if self.onset.len() > ONSET_WINDOW {
            self.onset.pop_front();
        }
        let voiced = self.onset.iter().filter(|voiced| **voiced).count();
        if voiced < ONSET_FRAMES {
            return;
        }
        let first = self.onset.iter().position(|voiced| *voiced).unwrap_or(0);
        let back = (self.onset.len() - 1 - first) as u64 * FRAME_SAMPLES as u64;
        let voice_start = began.saturating_sub(back);
        let audio_from = voice_start
            .saturating_sub(self.settings.preroll_ms * SAMPLES_PER_MS)
            .max(self.audio_from)
            .max(self.closing.back().map_or(0, |last| last.last_voice));
        let mut open = Utterance::new(self.fresh_turn_id(), audio_from, voice_start);
        open.last_voice = self.now;
        open.voiced_samples = voiced as u64 * FRAME_SAMPLES as u64;
        open.voice.hear(frame);
        out.push(LegOutput::Onset { start_ms: open.voice_start_ms() });
        self.open = Some(open);
        self.onset.clear();
    }

    fn continue_utterance(
        &mut self,
        mut open: Utterance,
        frame: Frame,
        out: &mut Vec<LegOutput>,
    ) -> Option<Utterance> {
        let silence_ms = (self.now - open.last_voice) / SAMPLES_PER_MS;
        if frame.voiced {
            if open.open_segment().ticket.is_some() {
                // A pause, and now speech again. Was there enough before it to stand for itself?
                open = self.speech_resumed(open, out);
            }
            open.last_voice = self.now;
            open.voiced_samples += FRAME_SAMPLES as u64;
            open.voice.hear(frame);
        } else if silence_ms >= self.settings.end_silence_ms {
            self.close(open, out);
            return None;
        } else if silence_ms >= self.settings.early_silence_ms
            && open.open_segment().ticket.is_none()
            && open.voiced_samples >= self.settings.voiced_min_ms * SAMPLES_PER_MS
        {
            let ticket = self.decode_open_segment(&mut open, Purpose::Early, out);
            open.open_segment().ticket = Some(ticket);
        }
        let segment_ms = (self.now - open.open_segment().from) / SAMPLES_PER_MS;
        if segment_ms >= self.settings.cut_ms {
            return Some(self.cut(open, out));
        }
        self.maybe_partial(&mut open, out);
        Some(open)
    }

    /// Speech goes on after a pause during which an early decoding was begun.
    fn speech_resumed(&mut self, mut open: Utterance, out: &mut Vec<LegOutput>) -> Utterance {
        let pause_middle = u64::midpoint(open.last_voice, self.now);
        let segment = open.open_segment();
        let said_ms = (pause_middle - segment.from) / SAMPLES_PER_MS;
        if said_ms < self.settings.commit_min_ms {
            // Too short to stand alone; the whole is decoded again when it is complete.
            if let Some(ticket) = segment.ticket.take() {
                segment.heard = None;
                out.push(LegOutput::Cancel(ticket));
            }
            let piece_from = segment.pauses.last().copied().unwrap_or(segment.from);
            if pause_middle >= piece_from + self.settings.piece_min_ms * SAMPLES_PER_MS {
                segment.pauses.push(pause_middle);
            }
            return open;
        }
        let turn_ms = (open.last_voice - open.voice_start) / SAMPLES_PER_MS;
        if turn_ms >= self.settings.long_turn_ms {
            let next = Utterance::new(self.fresh_turn_id(), pause_middle, self.now);
            self.close(open, out);
            return next;
        }
        // It stands from now on, so somebody waits for it.
        if let Segment { ticket: Some(early), heard: None, .. } = open.open_segment() {
            out.push(LegOutput::Promote(*early));
        }
        let last = open.segments.len() - 1;
        hear_in_pieces(&mut open, last, &mut self.next_ticket, out);
        open.segments.push(Segment::new(pause_middle));
        open.agreement.reset();
        open.partial_upto = pause_middle;
        open
    }

    /// Ends a turn that has no pause at the quietest place of its last seconds.
    fn cut(&mut self, mut open: Utterance, out: &mut Vec<LegOutput>) -> Utterance {
        let from = open.open_segment().from;
        let quietest = self
            .levels
            .iter()
            .filter(|(at, _)| *at > from && at + 200 * SAMPLES_PER_MS < self.now)
            .min_by(|(_, a), (_, b)| a.total_cmp(b))
            .map_or(self.now, |(at, _)| *at);
        let last_voice = open.last_voice;
        open.last_voice = quietest.min(last_voice);
        let mut next = Utterance::new(self.fresh_turn_id(), quietest, quietest);
        next.last_voice = last_voice.max(quietest);
        next.voiced_samples = next.last_voice - quietest;
        if let Some(early) = open.open_segment().ticket.take() {
            out.push(LegOutput::Cancel(early));
        }
        self.close(open, out);
        next
    }

    fn maybe_partial(&mut self, open: &mut Utterance, out: &mut Vec<LegOutput>) {
        let every = self.settings.partial_every_ms * SAMPLES_PER_MS;
        let new_audio = self.now - open.partial_upto;
        if every == 0
            || open.open_segment().ticket.is_some()
            || new_audio < every
            || self.now > open.last_voice + self.settings.early_silence_ms * SAMPLES_PER_MS / 2
        {
            return;
        }
        let samples = self.samples(open.open_segment().from, self.now);
        open.partial_upto = self.now;
        if let Some(ticket) = open.partial {
            out.push(LegOutput::Renew { ticket, samples });
            return;
        }
        let ticket = self.fresh_ticket();
        open.partial = Some(ticket);
        out.push(LegOutput::Decode { ticket, purpose: Purpose::Partial, samples });
    }

    fn close(&mut self, mut open: Utterance, out: &mut Vec<LegOutput>) {
        if let Some(partial) = open.partial.take() {
            out.push(LegOutput::Cancel(partial));
        }
        if open.segments.len() == 1 && open.voiced_ms() < self.settings.voiced_min_ms {
            self.withdraw(&open, out);
            return;
        }
        match open.open_segment() {
            Segment { ticket: Some(early), heard: None, .. } => {
                out.push(LegOutput::Promote(*early));
            }
            Segment { ticket: None, .. } => {
                let ticket = self.decode_open_segment(&mut open, Purpose::Final, out);
                open.open_segment().ticket = Some(ticket);
            }
            Segment { .. } => {}
        }
        let last = open.segments.len() - 1;
        hear_in_pieces(&mut open, last, &mut self.next_ticket, out);
        self.closing.push_back(open);
        self.emit_finished(out);
    }

    fn decode_open_segment(
        &mut self,
        open: &mut Utterance,
        purpose: Purpose,
        out: &mut Vec<LegOutput>,
    ) -> Ticket {
        let ticket = self.fresh_ticket();
        let upto = (open.last_voice + self.settings.tail_ms * SAMPLES_PER_MS).min(self.now);
        let segment = open.open_segment();
        let samples = self.samples(segment.from, upto);
        if !segment.pauses.is_empty() {
            segment.kept.clone_from(&samples);
        }
        out.push(LegOutput::Decode { ticket, purpose, samples });
        ticket
    }

    /// Takes the answer to a `Decode`; `None` when it was dropped or failed.
    pub fn decoded(&mut self, ticket: Ticket, heard: Option<Heard>, out: &mut Vec<LegOutput>) {
        if self.open.as_ref().is_some_and(|open| open.partial == Some(ticket)) {
            self.partial_decoded(heard, out);
            return;
        }
        // An early decoding whose audio is still here is asked for again.
        if let (None, Some(open)) = (&heard, &mut self.open)
            && open.open_segment().ticket == Some(ticket)
        {
            open.open_segment().ticket = None;
            return;
        }
        let guards = &self.settings.guards;
        let closed = self.closing.len();
        let utterances = self.closing.iter_mut().chain(self.open.as_mut());
        for (number, utterance) in utterances.enumerate() {
            let Some(index) = utterance.segment_of(ticket) else { continue };
            let checked = match heard {
                Some(heard) => {
                    self.language.hear(&heard);
                    guards.check_said(heard, utterance.voice)
                }
                None => {
                    out.push(utterance.undecoded(index));
                    Err(Rejected::Undecoded)
                }
            };
            if let Err(rejected) = checked
                && rejected != Rejected::Empty
            {
                out.push(LegOutput::Rejected(rejected));
            }
            utterance.segments[index].heard = Some(checked);
            // An early decoding may yet be replaced by one of more.
            if number < closed || index + 1 < utterance.segments.len() {
                hear_in_pieces(utterance, index, &mut self.next_ticket, out);
            }
            self.emit_finished(out);
            self.show_early(ticket, out);
            return;
        }
    }

    /// An early decoding that came back while the turn is open is the best partial there is.
    fn show_early(&mut self, ticket: Ticket, out: &mut Vec<LegOutput>) {
        if self.settings.partial_every_ms == 0 {
            return;
        }
        let Some(open) = &mut self.open else { return };
        let early = open.segments.last().is_some_and(|segment| segment.ticket == Some(ticket));
        if early && open.mean_logprob().is_some() {
            let words = open.words();
            let text = joined(words.iter().map(|word| word.text.as_str()));
            open.shown = true;
            out.push(LegOutput::Partial {
                turn_id: open.turn_id.clone(),
                start_ms: open.voice_start_ms(),
                text,
                stable_words: 0,
            });
        }
    }

    fn partial_decoded(&mut self, heard: Option<Heard>, out: &mut Vec<LegOutput>) {
        let Some(open) = &mut self.open else { return };
        open.partial = None;
        let Some(heard) = heard else { return };
        let Ok(heard) = self.settings.guards.check(heard) else { return };
        let stable_tail = open.agreement.update(&heard.words);
        let committed = open.words();
        let text = joined(
            committed
                .iter()
                .map(|word| word.text.as_str())
                .chain(heard.words.iter().map(|word| word.text.as_str())),
        );
        open.shown = true;
        out.push(LegOutput::Partial {
            turn_id: open.turn_id.clone(),
            start_ms: open.voice_start_ms(),
            text,
            stable_words: committed.len() + stable_tail,
        });
    }

    fn emit_finished(&mut self, out: &mut Vec<LegOutput>) {
        while self.closing.front().is_some_and(Utterance::is_heard) {
            let Some(done) = self.closing.pop_front() else { return };
            match done.mean_logprob() {
                Some(mean_logprob) => out.push(LegOutput::Turn(SpokenTurn {
                    start_ms: done.voice_start_ms(),
                    end_ms: done.last_voice_ms(),
                    words: done.words(),
                    turn_id: done.turn_id,
                    mean_logprob,
                    language: self.language.name(),
                })),
                None => self.withdraw(&done, out),
            }
        }
    }

    fn withdraw(&self, utterance: &Utterance, out: &mut Vec<LegOutput>) {
        if utterance.shown {
            out.push(LegOutput::Withdrawn {
                turn_id: utterance.turn_id.clone(),
                start_ms: utterance.voice_start_ms(),
            });
        }
    }

    fn samples(&self, from: u64, upto: u64) -> Vec<f32> {
        let from = from.saturating_sub(self.audio_from) as usize;
        let upto = (upto.saturating_sub(self.audio_from) as usize).min(self.audio.len());
        self.audio.range(from.min(upto)..upto).copied().collect()
    }

    /// Keeps what the open utterance, or the pre-roll of the next, may need.
    fn forget_old_audio(&mut self) {
        let onset = (self.settings.preroll_ms + 200) * SAMPLES_PER_MS;
        let needed = match &self.open {
            Some(open) => open.segments.last().map_or(self.now, |segment| segment.from),
            None => self.now.saturating_sub(onset),
        };
        let old = needed.saturating_sub(self.audio_from) as usize;
        self.audio.drain(..old.min(self.audio.len()));
        self.audio_from = self.audio_from.max(needed);
    }

    fn fresh_ticket(&mut self) -> Ticket {
        self.next_ticket += 1;
        Ticket(self.next_ticket)
    }

    fn fresh_turn_id(&mut self) -> TurnId {
        self.next_turn += 1;
        TurnId::from(format!("{}{}", self.prefix, self.next_turn))
    }
}

/// Asks for the pieces of a segment that stands and wasn't believed.
fn hear_in_pieces(
    utterance: &mut Utterance,
    index: usize,
    next_ticket: &mut u64,
    out: &mut Vec<LegOutput>,
) {
    let pieces = utterance.segments[index].take_pieces();
    if pieces.len() < 2 {
        return;
    }
    let ask = |(mut segment, samples): (Segment, Vec<f32>)| {
        *next_ticket += 1;
        let ticket = Ticket(*next_ticket);
        segment.ticket = Some(ticket);
        out.push(LegOutput::Decode { ticket, purpose: Purpose::Final, samples });
        segment
    };
    let segments: Vec<Segment> = pieces.into_iter().map(ask).collect();
    utterance.segments.splice(index..=index, segments);
}

fn joined<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(" ")
}
