//! What a call keeps for its wrap-up, and the writing of it at the end.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::domain::{EventBody, NewEvent, Party, RedactionOutcome, Turn};
use crate::flow::wrapup::{Circumstances, Reading, WrapUpSettings};
use crate::models::Material;

/// How calls are wrapped up.
#[derive(Clone, Debug)]
pub struct CallWrapUp {
    pub settings: Arc<WrapUpSettings>,
    /// In which dates are meant.
    pub time_zone: TimeZone,
}

/// Turns as they will be read: with the digits that were released, without the times of words.
#[derive(Debug)]
pub(super) struct Notes {
    began: Timestamp,
    parties: Vec<Party>,
    material: Material,
}

impl Notes {
    pub fn new(began: Timestamp, parties: Vec<Party>) -> Self {
        Self { began, parties, material: Material::default() }
    }

    pub fn take(&mut self, body: &EventBody) {
        match body {
            EventBody::AudioStarted(audio)
                if !self.parties.iter().any(|party| party.id == audio.party.id) =>
            {
                self.parties.push(audio.party.clone());
            }
            EventBody::TurnFinal(turn) => {
                self.material.turns.push(Turn { words: Vec::new(), ..turn.clone() });
            }
            EventBody::RedactionResolved(resolved) => {
                if let RedactionOutcome::Released(words) = &resolved.outcome {
                    let turns = self.material.turns.iter_mut();
                    for turn in turns.filter(|turn| turn.id == resolved.turn_id) {
                        turn.release(&resolved.placeholder, words);
                    }
                }
            }
            EventBody::SuggestionOffered(card) => {
                self.material.passages.extend(card.answer.citations.iter().cloned());
            }
            _ => {}
        }
    }

    /// The drafts; none where too little was said.
    pub fn wrap_up(mut self, how: &CallWrapUp) -> Vec<NewEvent> {
        // A long turn may be final after a shorter one that began later.
        self.material.turns.sort_by_key(|turn| turn.start_ms);
        let began = self.began.to_zoned(how.time_zone.clone());
        let circumstances = Circumstances { began, parties: self.parties };
        let drafts = match Reading::of(&self.material, &circumstances) {
            Ok(reading) => reading.all_drafts(&how.settings),
            Err(refusal) => {
                tracing::debug!(%refusal, "no wrap-up");
                Vec::new()
            }
        };
        let event = |draft| NewEvent::at(Timestamp::now(), EventBody::WrapUp(Box::new(draft)));
        drafts.into_iter().map(event).collect()
    }
}
