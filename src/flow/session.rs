//! One conversation as a state machine: it alone knows the order of the stages. No I/O, no clock.
//!
//! Each call of a method may leave outputs behind; drain `poll_output` after every one.

mod output;
mod parties;
mod signals;
mod typed;

use std::collections::VecDeque;

pub use self::output::Output;
pub use self::signals::SignalSettings;
use self::signals::Signals;
pub use self::typed::{TypedTurn, held_in};
use crate::domain::{
    AudioGap, AudioStopped, Card, CardId, CardKind, ConversationEnded, EndReason, EventBody,
    Partial, Party, RedactionResolved, SecretsSealed, Turn, TurnId,
};
use crate::flow::audio::{AudioError, Codec, Gap, Jump, LegDecoder};
use crate::flow::suggestion::judge::Look;
use crate::flow::suggestion::{CardQuery, Decision, Suggester, SuggestionSettings};
use crate::flow::transcript::{Leg, LegOutput, SpokenTurn, Ticket, TranscriptSettings};
use crate::insight::redaction::{Masker, VaultKey};
use crate::insight::written::display_text;
use crate::knowledge::SearchResponse;
use crate::models::{ENGLISH, Heard, Hints, LoadLevel};

#[derive(Clone, Debug, Default)]
pub struct SessionSettings {
    pub transcript: TranscriptSettings,
    pub suggestion: SuggestionSettings,
    pub signals: SignalSettings,
    /// Seals what is masked; without it, nobody can have it back.
    pub vault: Option<VaultKey>,
}

/// One party and how its audio comes.
#[derive(Clone, Debug)]
pub struct SessionLeg {
    pub party: Party,
    pub codec: Codec,
    pub sample_rate_hz: u32,
}

struct LiveLeg {
    party: Party,
    codec: Codec,
    sample_rate_hz: u32,
    decoder: LegDecoder,
    leg: Leg,
    /// What passes on the way to the next payload is no loss: the leg was paused.
    catches_up: bool,
}

pub struct Session {
    transcript: TranscriptSettings,
    /// A leg for each party, also for those who have left.
    legs: Vec<LiveLeg>,
    /// By the wire's numbers of its legs: whose leg hears them now.
    heard_by: Vec<usize>,
    /// Since when nothing may be heard.
    paused_at_ms: Option<u64>,
    masker: Masker,
    suggester: Suggester,
    signals: Signals,
    turns: usize,
    /// How far a conversation is that is typed.
    typed_ms: u64,
    /// One search at a time; of the queries that come meanwhile only the newest is kept.
    searching: bool,
    next_query: Option<Box<CardQuery>>,
    flushing: bool,
    closing: Option<EndReason>,
    level: LoadLevel,
    finished: bool,
    samples: Vec<f32>,
    from_leg: Vec<LegOutput>,
    out: VecDeque<Output>,
}

impl Session {
    /// # Errors
    /// A leg's sample rate is not supported.
    pub fn new(legs: Vec<SessionLeg>, settings: &SessionSettings) -> Result<Self, AudioError> {
        let mut this = Self {
            transcript: settings.transcript.clone(),
            legs: Vec::new(),
            heard_by: Vec::new(),
            paused_at_ms: None,
            masker: Masker::default().with_vault(settings.vault.clone()),
            suggester: Suggester::new(&settings.suggestion),
            signals: Signals::new(&settings.signals),
            turns: 0,
            typed_ms: 0,
            searching: false,
            next_query: None,
            flushing: false,
            closing: None,
            level: LoadLevel::default(),
            finished: false,
            samples: Vec::new(),
            from_leg: Vec::new(),
            out: VecDeque::new(),
        };
        for leg in legs {
            this.join(leg)?;
        }
        Ok(this)
    }

    /// Takes one wire payload of one of the wire's legs. `at_ms` is the wire's clock, `lost_ms` the audio before
    /// the payload that our side had to drop.
    ///
    /// # Errors
    /// The audio can't be resampled; the leg goes on with the next payload.
    pub fn audio(
        &mut self,
        leg: usize,
        at_ms: Option<u64>,
        lost_ms: u64,
        payload: &[u8],
    ) -> Result<(), AudioError> {
        let Some(&leg) = self.heard_by.get(leg) else { return Ok(()) };
        let live = &mut self.legs[leg];
        self.samples.clear();
        // The wire's clock counts what we dropped, too.
        let jump = match at_ms {
            Some(at_ms) => live.decoder.catch_up(at_ms, &mut self.samples)?,
            None if lost_ms > 0 => Some(live.decoder.lose(lost_ms, &mut self.samples)?),
            None => None,
        };
        let paused = self.paused_at_ms.is_some();
        if let Some(mut jump) = jump {
            jump.joins_late |= paused || std::mem::take(&mut live.catches_up);
            let why = if lost_ms > 0 { "dropped under load" } else { "missing on the wire" };
            self.jump(leg, jump, why);
        }
        let decoder = &mut self.legs[leg].decoder;
        if paused {
            decoder.push_unheard(payload, &mut self.samples)?;
        } else {
            decoder.push(payload, &mut self.samples)?;
        }
        self.hear(leg);
        Ok(())
    }

    /// Audio of one of the wire's legs that never comes, in milliseconds, and why.
    ///
    /// # Errors
    /// As `audio`.
    pub fn lost(&mut self, leg: usize, lost_ms: u64, why: &str) -> Result<(), AudioError> {
        let Some(&leg) = self.heard_by.get(leg) else { return Ok(()) };
        let live = &mut self.legs[leg];
        self.samples.clear();
        let mut jump = live.decoder.lose(lost_ms, &mut self.samples)?;
        jump.joins_late = self.paused_at_ms.is_some();
        self.jump(leg, jump, why);
        Ok(())
    }

    /// What the recogniser may know before it listens to this leg.
    pub fn hints(&self, leg: usize) -> Hints {
        self.legs.get(leg).map_or_else(Hints::default, |live| live.leg.hints())
    }

    /// How many legs the wire has.
    pub fn wire_legs(&self) -> usize {
        self.heard_by.len()
    }

    /// How many have taken part so far.
    pub fn parties(&self) -> usize {
        self.legs.len()
    }

    /// How much may be decoded from now on.
    pub fn pace(&mut self, level: LoadLevel) {
        if self.level != level {
            self.level = level;
            self.legs.iter_mut().for_each(|live| live.leg.pace(level));
        }
    }

    /// No audio came for a while: what was being said is over.
    pub fn stalled(&mut self) {
        for leg in 0..self.legs.len() {
            self.legs[leg].leg.flush(&mut self.from_leg);
            self.take_from_leg(leg);
        }
    }

    /// What was said so far is over, because the media side says so; `Flushed` follows.
    pub fn flush(&mut self) {
        self.flushing = true;
        self.stalled();
        self.flushed_if_done();
    }

    /// Takes the answer to `Decode`; `None` when it was dropped or failed.
    pub fn decoded(&mut self, leg: usize, ticket: Ticket, heard: Option<Heard>) {
        if let Some(live) = self.legs.get_mut(leg) {
            live.leg.decoded(ticket, heard, &mut self.from_leg);
            self.take_from_leg(leg);
            self.flushed_if_done();
            self.finish_if_done();
        }
    }

    /// Takes the answer to `Search`, so many milliseconds after its turn was final; `None` when the
    /// search failed.
    pub fn found(&mut self, query: &CardQuery, found: Option<&SearchResponse>, latency_ms: u64) {
        self.searching = false;
        if let Some(found) = found {
            self.maybe_offer(query, found, latency_ms);
        }
        match self.next_query.take() {
            Some(next) => self.search(next),
            None => self.suggest_questions(),
        }
        self.finish_if_done();
    }

    fn maybe_offer(&mut self, query: &CardQuery, found: &SearchResponse, latency_ms: u64) {
        let now_ms = self.now_ms();
        if let Decision::Offer(answer) = self.suggester.decide(query, found, now_ms) {
            self.out.push_back(Output::Event(EventBody::SuggestionOffered(Card {
                id: CardId::fresh(),
                kind: CardKind::Answer,
                answer: *answer,
                trigger_turn: query.turn.clone(),
                question: Some(query.question.clone()),
                latency_ms,
            })));
        }
    }

    fn tell_unanswered(&mut self) {
        if let Some(abstained) = self.suggester.take_unanswered() {
            let body = EventBody::SuggestionAbstained(Box::new(abstained));
            self.out.push_back(Output::Event(body));
        }
    }

    fn suggest_questions(&mut self) {
        if let Some(questions) = self.suggester.questions() {
            self.out.push_back(Output::Event(EventBody::QuestionsSuggested(questions)));
        }
    }

    /// The media side is done. `is_finished` once everything said has become a turn.
    pub fn close(&mut self, reason: EndReason) {
        if self.closing.is_some() {
            return;
        }
        self.closing = Some(reason);
        for leg in 0..self.legs.len() {
            self.samples.clear();
            self.legs[leg].decoder.flush(&mut self.samples);
            self.hear(leg);
        }
        self.stalled();
        self.finish_if_done();
    }

    pub fn is_finished(&self) -> bool {
        self.finished
    }

    pub fn turns(&self) -> usize {
        self.turns
    }

    /// The conversation's clock: the furthest of the legs, or the last message.
    pub fn now_ms(&self) -> u64 {
        let of_legs = self.legs.iter().map(|live| live.leg.now_ms()).max();
        of_legs.unwrap_or(0).max(self.typed_ms)
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// Hears what is before the gap, and passes it.
    fn jump(&mut self, leg: usize, jump: Jump, why: &str) {
        self.hear(leg);
        self.samples.clear();
        if !jump.joins_late {
            self.mark_gap(leg, jump.gap, why);
        }
        if jump.skip_samples > 0 {
            self.legs[leg].leg.skip(jump.skip_samples, &mut self.from_leg);
            self.take_from_leg(leg);
        }
    }

    fn mark_gap(&mut self, leg: usize, gap: Gap, why: &str) {
        self.out.push_back(Output::Event(EventBody::AudioGap(AudioGap {
            party: self.legs[leg].party.clone(),
            start_ms: gap.start_ms,
            lost_ms: gap.lost_ms,
            why: why.to_owned(),
        })));
    }

    fn hear(&mut self, leg: usize) {
        let samples = std::mem::take(&mut self.samples);
        self.legs[leg].leg.audio(&samples, &mut self.from_leg);
        self.samples = samples;
        self.take_from_leg(leg);
    }

    fn take_from_leg(&mut self, leg: usize) {
        let mut outputs = std::mem::take(&mut self.from_leg);
        for output in outputs.drain(..) {
            match output {
                LegOutput::Decode { ticket, purpose, samples } => {
                    self.out.push_back(Output::Decode { leg, ticket, purpose, samples });
                }
                LegOutput::Renew { ticket, samples } => {
                    self.out.push_back(Output::Renew { leg, ticket, samples });
                }
                LegOutput::Promote(ticket) => self.out.push_back(Output::Promote { leg, ticket }),
                LegOutput::Cancel(ticket) => self.out.push_back(Output::Cancel { leg, ticket }),
                LegOutput::Partial { turn_id, start_ms, text, stable_words } => {
                    self.show_partial(leg, turn_id, start_ms, &text, stable_words);
                }
                LegOutput::Onset { start_ms } => {
                    let party = self.legs[leg].party.clone();
                    self.out.push_back(Output::Onset { party, start_ms });
                }
                LegOutput::Withdrawn { turn_id, start_ms } => {
                    self.show_partial(leg, turn_id, start_ms, "", 0);
                }
                LegOutput::Turn(spoken) => self.turn(leg, spoken),
                LegOutput::Undecoded { start_ms, lost_ms } => {
                    self.mark_gap(leg, Gap { start_ms, lost_ms }, "could not be decoded");
                }
                LegOutput::Rejected(why) => self.out.push_back(Output::Rejected(why)),
            }
        }
        self.from_leg = outputs;
    }

    fn show_partial(
        &mut self,
        leg: usize,
        turn_id: TurnId,
        start_ms: u64,
        text: &str,
        stable_words: usize,
    ) {
        let party = self.legs[leg].party.clone();
        let shown = self.masker.partial(&party.id, text);
        let stable: Vec<&str> = text.split_whitespace().take(stable_words).collect();
        let stable = self.masker.partial(&party.id, &stable.join(" "));
        // Masking can join the last stable word with what follows it.
        let stable_prefix_chars = match shown.as_str().strip_prefix(stable.as_str()) {
            Some(_) => stable.as_str().chars().count(),
            None => 0,
        };
        self.out.push_back(Output::Partial(Partial {
            turn_id,
            party,
            start_ms,
            text: shown,
            stable_prefix_chars,
        }));
    }

    fn turn(&mut self, leg: usize, spoken: SpokenTurn) {
        let party = self.legs[leg].party.clone();
        let masked = self.masker.final_turn(&party.id, &spoken.turn_id, &spoken.words);
        // The rules are about English conversation, as those for cards are.
        let is_english = &*spoken.language == ENGLISH;
        let turn = Turn {
            id: spoken.turn_id,
            party,
            start_ms: spoken.start_ms,
            end_ms: spoken.end_ms,
            display_text: is_english.then(|| display_text(&masked.text)).flatten(),
            text: masked.text,
            words: masked.words,
            mean_logprob: Some(spoken.mean_logprob),
            language: spoken.language.to_string(),
        };
        self.heard(turn, masked.resolved);
    }

    /// A turn is final, however it came.
    fn heard(&mut self, turn: Turn, resolved: Vec<RedactionResolved>) {
        self.turns += 1;
        let is_english = turn.language == ENGLISH;
        let query = is_english.then(|| self.suggester.consider(&turn)).flatten();
        let signals = self.signals.of(&turn);
        let turn_id = turn.id.clone();
        self.out.push_back(Output::Event(EventBody::TurnFinal(turn)));
        self.resolve(resolved);
        if let Some(sealed) = self.masker.seal(&turn_id) {
            let sealed = EventBody::SecretsSealed(SecretsSealed { turn_id, sealed });
            self.out.push_back(Output::Event(sealed));
        }
        self.out.extend(signals.into_iter().map(Output::Event));
        self.tell_unanswered();
        if let Some(query) = query {
            self.search(Box::new(query));
        }
        if !self.searching {
            self.suggest_questions();
        }
    }

    fn search(&mut self, query: Box<CardQuery>) {
        if self.searching {
            // A second look is worth less than the customer's own turn.
            let waits = self.next_query.as_ref().is_some_and(|next| next.look == Look::Turn);
            if query.look == Look::Turn || !waits {
                self.next_query = Some(query);
            }
        } else {
            self.searching = true;
            self.out.push_back(Output::Search(query));
        }
    }

    fn resolve(&mut self, resolved: Vec<RedactionResolved>) {
        let events = resolved.into_iter().map(EventBody::RedactionResolved).map(Output::Event);
        self.out.extend(events);
    }

    fn flushed_if_done(&mut self) {
        if self.flushing && !self.legs.iter().any(|live| live.leg.owes_turns()) {
            self.flushing = false;
            self.out.push_back(Output::Flushed);
        }
    }

    fn finish_if_done(&mut self) {
        let Some(reason) = self.closing else { return };
        if self.finished || self.searching || !self.legs.iter().all(|live| live.leg.is_idle()) {
            return;
        }
        self.finished = true;
        let resolved = self.masker.finish();
        self.resolve(resolved);
        self.suggester.close_question();
        self.tell_unanswered();
        let signals = self.signals.ended(self.now_ms());
        self.out.extend(signals.map(Output::Event));
        for live in &self.legs {
            self.out.push_back(Output::Event(EventBody::AudioStopped(AudioStopped {
                party: live.party.clone(),
                duration_ms: live.leg.now_ms(),
            })));
        }
        self.out.push_back(Output::Event(EventBody::ConversationEnded(ConversationEnded {
            reason,
            duration_ms: self.now_ms(),
        })));
    }
}
