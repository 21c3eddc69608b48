//! Who takes part: parties that join, hand over to others, or are not to be heard for a while.

use super::{LiveLeg, Output, Session, SessionLeg};
use crate::domain::{AudioPaused, AudioResumed, AudioStarted, EventBody, Party};
use crate::flow::audio::{AudioError, Jump, LegDecoder};
use crate::flow::transcript::Leg;

impl Session {
    /// One more party is heard from now on; the wire's leg has the next number.
    ///
    /// # Errors
    /// Its sample rate is not supported.
    pub fn join(&mut self, leg: SessionLeg) -> Result<(), AudioError> {
        let number = self.enter(leg, self.now_ms())?;
        self.heard_by.push(number);
        Ok(())
    }

    /// Somebody else is heard on this leg of the wire from now on. What was said before stays that of
    /// whoever said it, also what is yet to be written down.
    ///
    /// # Errors
    /// As `audio`.
    pub fn transfer(&mut self, wire_leg: usize, party: Party) -> Result<(), AudioError> {
        let Some(&before) = self.heard_by.get(wire_leg) else { return Ok(()) };
        self.samples.clear();
        self.legs[before].decoder.flush(&mut self.samples);
        self.hear(before);
        self.legs[before].leg.flush(&mut self.from_leg);
        self.take_from_leg(before);
        let LiveLeg { codec, sample_rate_hz, .. } = self.legs[before];
        let now_ms = self.legs[before].leg.now_ms();
        if let Some(paused_at_ms) = self.paused_at_ms {
            // The pause is the next one's from here on.
            let (party, at_ms) = (self.legs[before].party.clone(), now_ms);
            let paused_ms = now_ms.saturating_sub(paused_at_ms);
            let resumed = EventBody::AudioResumed(AudioResumed { party, at_ms, paused_ms });
            self.out.push_back(Output::Event(resumed));
        }
        let number = self.enter(SessionLeg { party, codec, sample_rate_hz }, now_ms)?;
        let (earlier, later) = self.legs.split_at_mut(number);
        earlier[before].decoder.hand_over_to(&mut later[0].decoder);
        self.heard_by[wire_leg] = number;
        Ok(())
    }

    /// `now_ms`: what of the conversation has passed.
    fn enter(&mut self, leg: SessionLeg, now_ms: u64) -> Result<usize, AudioError> {
        let number = self.legs.len();
        let mut live = LiveLeg {
            codec: leg.codec,
            sample_rate_hz: leg.sample_rate_hz,
            decoder: LegDecoder::new(leg.codec, leg.sample_rate_hz)?,
            leg: Leg::new(self.transcript.clone(), &format!("t-{}-", number + 1)),
            party: leg.party,
            catches_up: false,
        };
        live.leg.pace(self.level);
        if now_ms > 0 {
            let skip_samples = live.decoder.begin_at(now_ms);
            live.leg.skip(skip_samples, &mut self.from_leg);
        }
        self.out.push_back(Output::Event(EventBody::AudioStarted(AudioStarted {
            party: live.party.clone(),
            codec: leg.codec.as_str().to_owned(),
            sample_rate_hz: leg.sample_rate_hz,
        })));
        if self.paused_at_ms.is_some() {
            let (party, at_ms) = (live.party.clone(), now_ms);
            let paused = EventBody::AudioPaused(AudioPaused { party, at_ms });
            self.out.push_back(Output::Event(paused));
        }
        self.legs.push(live);
        self.take_from_leg(number);
        Ok(number)
    }

    /// Nothing is heard from here on; what was said before stands.
    pub fn pause(&mut self) {
        if self.paused_at_ms.is_some() || self.closing.is_some() {
            return;
        }
        for leg in self.heard_by.clone() {
            self.samples.clear();
            self.legs[leg].decoder.pause(&mut self.samples);
            self.hear(leg);
        }
        self.stalled();
        let at_ms = self.now_ms();
        self.paused_at_ms = Some(at_ms);
        for &leg in &self.heard_by {
            let party = self.legs[leg].party.clone();
            let paused = EventBody::AudioPaused(AudioPaused { party, at_ms });
            self.out.push_back(Output::Event(paused));
        }
    }

    /// All parties are heard again. `paused_ms` is how long the media side says that it was, for
    /// wires whose clock doesn't tell.
    ///
    /// # Errors
    /// As `audio`.
    pub fn resume(&mut self, paused_ms: Option<u64>) -> Result<(), AudioError> {
        let Some(paused_at_ms) = self.paused_at_ms.take() else { return Ok(()) };
        for leg in self.heard_by.clone() {
            let live = &mut self.legs[leg];
            live.catches_up = true;
            live.decoder.resume();
            let passed_ms = live.leg.now_ms().saturating_sub(paused_at_ms);
            let missing_ms = paused_ms.unwrap_or(0).saturating_sub(passed_ms);
            if missing_ms > 0 {
                self.samples.clear();
                let jump = live.decoder.lose(missing_ms, &mut self.samples)?;
                self.jump(leg, Jump { joins_late: true, ..jump }, "paused");
            }
        }
        let at_ms = self.now_ms();
        for &leg in &self.heard_by {
            let party = self.legs[leg].party.clone();
            let paused_ms = at_ms.saturating_sub(paused_at_ms);
            let resumed = EventBody::AudioResumed(AudioResumed { party, at_ms, paused_ms });
            self.out.push_back(Output::Event(resumed));
        }
        Ok(())
    }
}
