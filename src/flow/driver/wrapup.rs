//! What a call keeps for its wrap-up, and the writing of it at the end.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::domain::{EventBody, NewEvent, Party, RedactionOutcome, Turn};
use crate::domain::{Occasion, TenantId, WrapUp, WrapUpId};
use crate::flow::author::{Author, Commission};
use crate::flow::wrapup::{Circumstances, Draft, Reading, WrapUpSettings};
use crate::models::Material;

/// How calls are wrapped up.
#[derive(Clone, Debug)]
pub struct CallWrapUp {
    pub settings: Arc<WrapUpSettings>,
    pub author: Author,
    /// In which dates are meant.
    pub time_zone: TimeZone,
}

impl CallWrapUp {
    pub fn asks_a_model(&self) -> bool {
        Draft::at_end().iter().any(|draft| self.author.has_model_for(draft))
    }
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

    /// What was said last, oldest first.
    pub fn recent(&self, turns: usize) -> Vec<Turn> {
        let all = &self.material.turns;
        all[all.len().saturating_sub(turns)..].to_vec()
    }

    /// What the drafts are written from.
    pub fn close(mut self, time_zone: &TimeZone) -> Closed {
        // A long turn may be final after a shorter one that began later.
        self.material.turns.sort_by_key(|turn| turn.start_ms);
        let began = self.began.to_zoned(time_zone.clone());
        Closed {
            material: Arc::new(self.material),
            circumstances: Arc::new(Circumstances { began, parties: self.parties }),
        }
    }
}

/// A conversation to which nothing is added any more.
#[derive(Clone, Debug)]
pub(super) struct Closed {
    material: Arc<Material>,
    circumstances: Arc<Circumstances>,
}

impl Closed {
    /// What no model is asked for; none where too little was said. It takes milliseconds.
    pub fn plain(&self, how: &CallWrapUp) -> Vec<NewEvent> {
        self.without_model(how, |draft| !how.author.has_model_for(draft))
    }

    /// What models would have written, without them.
    pub fn instead_of_model(&self, how: &CallWrapUp) -> Vec<NewEvent> {
        self.without_model(how, |draft| how.author.has_model_for(draft))
    }

    fn without_model(&self, how: &CallWrapUp, wanted: impl Fn(&Draft) -> bool) -> Vec<NewEvent> {
        match Reading::of(&self.material, &self.circumstances) {
            Ok(reading) => {
                let drafts = Draft::at_end().into_iter().filter(|one| wanted(one));
                drafts
                    .flat_map(|one| reading.draft_at_end(&one, &how.settings))
                    .map(event)
                    .collect()
            }
            Err(refusal) => {
                tracing::debug!(%refusal, "no wrap-up");
                Vec::new()
            }
        }
    }

    /// What a model writes, all at the same time; where it doesn't, what is written without one.
    pub async fn by_model(self, tenant: TenantId, how: CallWrapUp) -> Vec<NewEvent> {
        let drafts = Draft::at_end().into_iter().filter(|one| how.author.has_model_for(one));
        let commissions = drafts.map(|draft| Commission {
            tenant: tenant.clone(),
            job: None,
            material: Arc::clone(&self.material),
            circumstances: Arc::clone(&self.circumstances),
            stem: WrapUpId::from(draft.stem_at_end()),
            draft,
            occasion: Occasion::End,
            settings: Arc::clone(&how.settings),
            seed: None,
        });
        let author = &how.author;
        let writing = commissions.map(|order| async move { author.write(&order).await });
        let written = futures_util::future::join_all(writing).await;
        written.into_iter().flatten().flat_map(|drafted| drafted.drafts).map(event).collect()
    }
}

fn event(draft: WrapUp) -> NewEvent {
    NewEvent::at(Timestamp::now(), EventBody::WrapUp(Box::new(draft)))
}
