//! What a call keeps for its wrap-up, and the writing of it at the end.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::Stream;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::domain::{
    Contact, ConversationId, EventBody, NewEvent, Occasion, Party, Recorded, RedactionOutcome,
    Role, TenantId, Turn, TurnId, WrapUp, WrapUpId,
};
use crate::flow::author::{Author, Commission, OnGrowth, ShownPassages};
use crate::flow::wrapup::{
    Circumstances, DispositionMeaning, Draft, EXTRACTIVE, Reading, WrapUpSettings,
};
use crate::knowledge::Library;
use crate::models::Material;
use crate::store::{KindFilter, MAX_READ, ReadQuery, Store, StoreError, codec, wire};

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
#[derive(Clone, Debug)]
pub(super) struct Notes {
    began: Timestamp,
    parties: Vec<Party>,
    material: Material,
    shown: ShownPassages,
    vectors: HashMap<TurnId, Vec<f32>>,
}

impl Notes {
    pub fn new(began: Timestamp, parties: Vec<Party>) -> Self {
        let (material, shown, vectors) = Default::default();
        Self { began, parties, material, shown, vectors }
    }

    /// The CRM's name for a customer whom the wire had no name for.
    pub fn meet(&mut self, customer: &Contact) {
        let Some(name) = &customer.name else { return };
        let theirs = |party: &&mut Party| party.role == Role::Customer && party.name.is_none();
        if let Some(party) = self.parties.iter_mut().find(theirs) {
            party.name = Some(name.as_str().to_owned());
        }
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
                let citations = card.answer.citations.iter().cloned();
                self.shown.offered(card.id.as_str(), citations, card.answer.is_verbatim);
            }
            EventBody::SuggestionWithdrawn { card_id, .. } => {
                self.shown.withdrawn(card_id.as_str());
            }
            _ => {}
        }
    }

    /// Takes an event of before a restart.
    ///
    /// # Errors
    /// It can't be read.
    pub fn recall(&mut self, event: &Recorded) -> Result<(), StoreError> {
        match &*event.kind {
            codec::REDACTION => {
                if let Some((id, placeholder, words)) = codec::decode_release(event)? {
                    let turns = self.material.turns.iter_mut();
                    for turn in turns.filter(|turn| turn.id == id) {
                        turn.release(&placeholder, &words);
                    }
                }
            }
            codec::SUGGESTION_OFFERED => {
                let card: wire::SuggestionOffered = codec::data(event)?;
                let citations = card.citations.into_iter().map(codec::decode_citation);
                self.shown.offered(&card.card_id, citations, card.verbatim);
            }
            codec::SUGGESTION_WITHDRAWN => {
                let data: wire::SuggestionWithdrawn = codec::data(event)?;
                self.shown.withdrawn(&data.card_id);
            }
            _ => self.material.turns.extend(codec::decode_turn(event)?),
        }
        Ok(())
    }

    pub fn understood(&mut self, turn: TurnId, vector: Vec<f32>) {
        self.vectors.insert(turn, vector);
    }

    pub fn take_vectors(&mut self) -> HashMap<TurnId, Vec<f32>> {
        std::mem::take(&mut self.vectors)
    }

    /// Whether somebody on the company's side comes after others there have spoken. The first to answer a
    /// customer knows as much as everybody else, and whoever has spoken was there.
    pub fn is_news_to(&self, joined: &Party) -> bool {
        let turns = &self.material.turns;
        let is_other = |turn: &Turn| is_ours(turn.party.role) || turn.party.role == Role::Bot;
        is_ours(joined.role)
            && turns.iter().all(|turn| turn.party.id != joined.id)
            && turns.iter().any(is_other)
    }

    /// Whether a bot has spoken, and nobody else on the company's side.
    pub fn is_with_bot(&self) -> bool {
        let turns = &self.material.turns;
        turns.iter().any(|turn| turn.party.role == Role::Bot)
            && turns.iter().all(|turn| !is_ours(turn.party.role))
    }

    /// What was said last, oldest first.
    pub fn recent(&self, turns: usize) -> Vec<Turn> {
        let all = &self.material.turns;
        all[all.len().saturating_sub(turns)..].to_vec()
    }

    /// What the agent made of the cards, which the call itself doesn't hear of. Where that can't be
    /// read, no card is quoted.
    pub async fn judge(&mut self, store: &dyn Store, tenant: &TenantId, id: &ConversationId) {
        if self.shown.is_empty() {
            return;
        }
        if let Err(error) = self.read_verdicts(store, tenant, id).await {
            tracing::warn!(conversation.id = %id, %error, "drafts without what the cards said");
            self.shown = ShownPassages::default();
        }
    }

    async fn read_verdicts(
        &mut self,
        store: &dyn Store,
        tenant: &TenantId,
        id: &ConversationId,
    ) -> Result<(), StoreError> {
        let mut query = ReadQuery::all(tenant.clone(), 0).of(id.clone());
        query.kinds = KindFilter::exactly(codec::SUGGESTION_VERDICT);
        loop {
            let page = store.read(&query).await?;
            for event in &page {
                query.after = event.position;
                let verdict: wire::SuggestionVerdict = codec::data(event)?;
                self.shown.judged(&verdict.card_id, &verdict.verdict);
            }
            if page.len() < MAX_READ {
                return Ok(());
            }
        }
    }

    /// What the drafts are written from.
    pub fn close(
        mut self,
        time_zone: &TimeZone,
        meaning: DispositionMeaning,
        library: &Library,
    ) -> Closed {
        let mut kept = self.shown.kept();
        kept.free.retain(|passage| library.stands(passage));
        kept.word_for_word.retain(|passage| library.stands(passage));
        self.material.passages = kept.free;
        // A long turn may be final after a shorter one that began later.
        self.material.turns.sort_by_key(|turn| turn.start_ms);
        let began = self.began.to_zoned(time_zone.clone());
        Closed {
            material: Arc::new(self.material),
            circumstances: Arc::new(Circumstances {
                began,
                parties: self.parties,
                word_for_word: kept.word_for_word,
            }),
            meaning: Arc::new(meaning),
        }
    }
}

/// A conversation to which nothing is added any more.
#[derive(Clone, Debug)]
pub(super) struct Closed {
    material: Arc<Material>,
    circumstances: Arc<Circumstances>,
    meaning: Arc<DispositionMeaning>,
}

impl Closed {
    /// Everything, without a model; none where too little was said. It takes milliseconds.
    pub fn plain(&self, how: &CallWrapUp) -> Vec<NewEvent> {
        match Reading::of(&self.material, &self.circumstances) {
            Ok(reading) => {
                let reading = reading.with_meaning(&self.meaning);
                reading.all_drafts(&how.settings).into_iter().map(event).collect()
            }
            Err(refusal) => {
                tracing::debug!(%refusal, "no wrap-up");
                Vec::new()
            }
        }
    }

    /// What whoever joins needs to know.
    pub fn hand_over(&self, tenant: TenantId, how: &CallWrapUp, stem: WrapUpId) -> Commission {
        Commission {
            occasion: Occasion::HandOver,
            ..self.commission(tenant, how, Draft::HandOver, stem)
        }
    }

    /// One draft without a model; none where too little was said.
    pub fn plain_draft(&self, order: &Commission) -> Vec<WrapUp> {
        let reading = Reading::of(&self.material, &self.circumstances);
        let draft = |reading: Reading<'_>| {
            reading.draft(&order.draft, order.occasion, &order.stem, &order.settings)
        };
        reading.and_then(draft).unwrap_or_else(|refusal| {
            tracing::debug!(%refusal, "no draft");
            Vec::new()
        })
    }

    fn commission(
        &self,
        tenant: TenantId,
        how: &CallWrapUp,
        draft: Draft,
        stem: WrapUpId,
    ) -> Commission {
        Commission {
            tenant,
            job: None,
            meter: None,
            material: Arc::clone(&self.material),
            circumstances: Arc::clone(&self.circumstances),
            draft,
            occasion: Occasion::End,
            stem,
            settings: Arc::clone(&how.settings),
            seed: None,
        }
    }

    /// What a model writes, all at the same time and each when it is there, under the identifier of the
    /// plain draft that it replaces; and a plain one again where something was struck until nothing was
    /// left.
    pub fn by_model(
        self,
        tenant: TenantId,
        how: CallWrapUp,
        on_growth: OnGrowth,
    ) -> impl Stream<Item = Vec<NewEvent>> {
        let drafts = Draft::at_end().into_iter().filter(|one| how.author.has_model_for(one));
        let commissions = drafts.map(|draft| {
            let stem = match draft {
                // Of another number maybe, so they take the place of all those without a model.
                Draft::FollowUps => "w-end-followup-by-model",
                _ => draft.stem_at_end(),
            };
            self.commission(tenant.clone(), &how, draft, stem.into())
        });
        let writing = commissions.map(|order| {
            let (author, on_growth) = (how.author.clone(), Arc::clone(&on_growth));
            async move {
                let written = author.write_aloud(&order, &on_growth).await.unwrap_or_default();
                let struck = written.struck.map(|text| EventBody::WritingStruck(Box::new(text)));
                let struck = struck.map(|body| NewEvent::at(Timestamp::now(), body));
                let drafts = written.drafts.into_iter().filter(is_of_model).map(event);
                drafts.chain(struck).collect()
            }
        });
        writing.collect::<FuturesUnordered<_>>()
    }
}

const fn is_ours(role: Role) -> bool {
    matches!(role, Role::Agent | Role::Supervisor | Role::Expert)
}

/// Or what is left of the plain one after a model's was struck.
pub(super) fn is_of_model(draft: &WrapUp) -> bool {
    draft.authorship.provider != EXTRACTIVE || !draft.struck.is_empty()
}

pub(super) fn event(draft: WrapUp) -> NewEvent {
    NewEvent::at(Timestamp::now(), EventBody::WrapUp(Box::new(draft)))
}
