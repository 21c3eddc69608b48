//! What goes along when a conversation is handed on: who, what was tried and promised, what the cards showed, how the
//! customer feels, what comes next.
//!
//! A pack is a projection of the conversation's events and writes nothing itself. The sentences of a hand-over are
//! chosen and proven where all that is written about conversations is (`flow/wrapup`, which this floor may not
//! import), and come as an event, `wrapup.summary`, within moments of somebody joining, also where a bot gives up.
//! What was said since then, or everything where that event isn't there yet, is quoted turn by turn, so that there is
//! a pack at any moment and each sentence of it cites its turn.

use std::collections::BTreeMap;

use super::context::Board;
use crate::domain::{ConversationId, Occasion, Recorded, ReviewVerdict, Role};
use crate::store::wire::{
    self, CrmContext, HandOverPack, PackArticle, PackCustomer, PackPromise, PackSentiment,
    RedactionResolved, Sentence, SuggestionOffered, TurnFinal, WrapUpSummary,
};
use crate::store::{StoreError, codec};

/// Turns that are kept to be quoted: the first of the customer's, and the last of anybody's.
const FIRST_TURNS: usize = 4;
const LAST_TURNS: usize = 8;
const LATEST_MAX: usize = 4;
const ARTICLES_MAX: usize = 16;
const PARTIES_MAX: usize = 32;
/// Fewer words are a greeting.
const WORDS_MIN: usize = 4;

/// A conversation's events, as far as they go along.
#[derive(Clone, Debug, Default)]
pub struct Pack {
    sequence: u64,
    parties: Vec<wire::Party>,
    attributes: BTreeMap<String, String>,
    first: Vec<TurnFinal>,
    last: Vec<(u64, TurnFinal)>,
    /// Of two the hand-over stands; each with its sequence.
    hand_over: Option<(WrapUpSummary, u64)>,
    summary: Option<(WrapUpSummary, u64)>,
    articles: Vec<Shown>,
    customer: Option<PackCustomer>,
    intent: Option<wire::RankedIntent>,
    sentiment: Option<PackSentiment>,
    agent: Option<String>,
}

#[derive(Clone, Debug)]
struct Shown {
    card_id: String,
    article: PackArticle,
}

impl Pack {
    /// Takes in the next event of the conversation; kinds that don't go along are passed over.
    ///
    /// # Errors
    /// The event is damaged. The pack stays as it was.
    pub fn apply(&mut self, event: &Recorded) -> Result<(), StoreError> {
        match &*event.kind {
            codec::CONVERSATION_STARTED => {
                let started: wire::ConversationStarted = codec::data(event)?;
                self.attributes = started.attributes;
                started.parties.into_iter().for_each(|party| self.joined(party));
            }
            "audio.started" => {
                let audio: wire::AudioStarted = codec::data(event)?;
                let wire::PartyRef { id, role } = audio.party;
                self.joined(wire::Party { id, role, name: audio.name });
            }
            codec::TURN_FINAL => self.said(codec::data(event)?, event.sequence),
            codec::REDACTION => self.released(&codec::data(event)?),
            codec::SUGGESTION_OFFERED => self.shown(codec::data(event)?),
            codec::SUGGESTION_WITHDRAWN => {
                let gone: wire::SuggestionWithdrawn = codec::data(event)?;
                self.articles.retain(|one| one.card_id != gone.card_id);
            }
            codec::SUGGESTION_VERDICT => {
                let verdict: wire::SuggestionVerdict = codec::data(event)?;
                for one in self.articles.iter_mut().filter(|one| one.card_id == verdict.card_id) {
                    one.article.verdict = Some(verdict.verdict.clone());
                }
            }
            codec::WRAPUP_SUMMARY => self.written(codec::data(event)?, event.sequence),
            codec::WRAPUP_VERDICT => {
                let verdict: wire::WrapUpVerdict = codec::data(event)?;
                if verdict.verdict == ReviewVerdict::Discarded.as_str() {
                    let is_it = |one: &(WrapUpSummary, u64)| {
                        one.0.head.wrapup_id == verdict.wrapup_id
                            && verdict.sequence.is_none_or(|seen| seen == one.1)
                    };
                    self.hand_over.take_if(|one| is_it(one));
                    self.summary.take_if(|one| is_it(one));
                }
            }
            codec::CRM_CONTEXT => self.customer = customer(codec::data(event)?),
            codec::INSIGHT_INTENT => {
                let seen: wire::InsightIntent = codec::data(event)?;
                if !seen.abstained {
                    self.intent = seen.intents.into_iter().next();
                }
            }
            codec::INSIGHT_SENTIMENT => {
                let wire::InsightSentiment { level, trend, score, .. } = codec::data(event)?;
                self.sentiment = Some(PackSentiment { level, trend, score });
            }
            codec::ROUTE_ASSIGNED => {
                self.agent = Some(codec::data::<wire::RouteAssigned>(event)?.agent);
            }
            _ => {}
        }
        self.sequence = event.sequence;
        Ok(())
    }

    /// What goes along now. `board` knows what was promised in earlier conversations.
    pub fn told(
        &self,
        conversation: &ConversationId,
        board: Option<&Board>,
        now_ms: u64,
    ) -> HandOverPack {
        let written = self.hand_over.as_ref().or(self.summary.as_ref());
        let mut pack = HandOverPack {
            conversation_id: conversation.to_string(),
            sequence: self.sequence,
            customer: self.customer.clone(),
            parties: self.parties.clone(),
            from: self.from(),
            intent: self.intent.clone(),
            sentiment: self.sentiment.clone(),
            articles: self.articles.iter().map(|one| one.article.clone()).collect(),
            attributes: self.attributes.clone(),
            authorship: written.map(|(summary, _)| summary.head.authorship.clone()),
            ..HandOverPack::default()
        };
        for section in written.iter().flat_map(|(summary, _)| &summary.sections) {
            let place = match section.key.as_str() {
                "issue" => &mut pack.about,
                "steps_tried" => &mut pack.tried,
                "promises" => &mut pack.promised,
                "next_steps" => &mut pack.next_steps,
                _ => {
                    pack.sections.push(section.clone());
                    continue;
                }
            };
            place.extend(section.sentences.iter().cloned());
        }
        if pack.about.is_empty() {
            let says = |turn: &&TurnFinal| turn.text.split_whitespace().count() >= WORDS_MIN;
            let first = self.first.iter().find(says).or(self.first.first());
            pack.about.extend(first.map(quoted));
        }
        let since = written.map_or(0, |(_, sequence)| *sequence);
        let is_told = |turn: &TurnFinal| pack.about.iter().any(|one| cites(one, &turn.turn_id));
        let mut latest: Vec<Sentence> = self
            .last
            .iter()
            .rev()
            .filter(|(sequence, turn)| *sequence > since && !is_told(turn))
            .take(LATEST_MAX)
            .map(|(_, turn)| quoted(turn))
            .collect();
        latest.reverse();
        pack.latest = latest;
        let promises = board.map(|board| board.promises(conversation, now_ms)).unwrap_or_default();
        pack.earlier_promises = promises
            .into_iter()
            .map(|one| PackPromise {
                conversation_id: one.conversation.to_string(),
                wrapup_id: one.wrapup_id.clone(),
                kind: one.kind.clone(),
                due_ms: one.due_ms,
                made_ms: one.made_ms,
            })
            .collect();
        pack
    }

    fn joined(&mut self, party: wire::Party) {
        if let Some(known) = self.parties.iter_mut().find(|known| known.id == party.id) {
            known.name = party.name.or(known.name.take());
        } else if self.parties.len() < PARTIES_MAX {
            self.parties.push(party);
        }
    }

    fn said(&mut self, turn: TurnFinal, sequence: u64) {
        let is_customer =
            matches!(Role::parse(&turn.party.role), Some(Role::Customer | Role::Mixed));
        let party =
            wire::Party { id: turn.party.id.clone(), role: turn.party.role.clone(), name: None };
        self.joined(party);
        // Words with their times are of no use here, and most of a turn.
        let turn = TurnFinal { words: Vec::new(), ..turn };
        if is_customer && self.first.len() < FIRST_TURNS {
            self.first.push(turn.clone());
        }
        if self.last.len() >= LAST_TURNS {
            self.last.remove(0);
        }
        self.last.push((sequence, turn));
    }

    /// Digits that turned out to be no secret stand in the text from then on, and citations count with them.
    fn released(&mut self, resolved: &RedactionResolved) {
        let Some(text) = &resolved.text else { return };
        let last = self.last.iter_mut().map(|(_, turn)| turn);
        for turn in self.first.iter_mut().chain(last).filter(|one| one.turn_id == resolved.turn_id)
        {
            turn.text = turn.text.replacen(&resolved.placeholder, text, 1);
        }
    }

    fn shown(&mut self, card: SuggestionOffered) {
        for citation in card.citations {
            // The newest card says best what the article was shown for.
            self.articles.retain(|one| one.article.citation.article_id != citation.article_id);
            if self.articles.len() >= ARTICLES_MAX {
                self.articles.remove(0);
            }
            let article = PackArticle { title: card.title.clone(), citation, verdict: None };
            self.articles.push(Shown { card_id: card.card_id.clone(), article });
        }
    }

    /// Identifiers tell for when a draft was written: one that was asked for later stays.
    fn written(&mut self, new: WrapUpSummary, sequence: u64) {
        let place = match new.head.occasion == Occasion::HandOver.as_str() {
            true => &mut self.hand_over,
            false => &mut self.summary,
        };
        let is_older = place.as_ref().is_some_and(|(old, _)| {
            old.head.occasion == new.head.occasion && old.head.wrapup_id > new.head.wrapup_id
        });
        if !is_older {
            *place = Some((new, sequence));
        }
    }

    fn from(&self) -> Option<String> {
        let served =
            |role: &str| matches!(Role::parse(role), Some(Role::Agent | Role::Bot | Role::Expert));
        let (_, turn) = self.last.iter().rev().find(|(_, turn)| served(&turn.party.role))?;
        if turn.party.role == Role::Agent.as_str() && self.agent.is_some() {
            return self.agent.clone();
        }
        let name = self.parties.iter().find(|party| party.id == turn.party.id);
        name.and_then(|party| party.name.clone()).or_else(|| Some(turn.party.role.clone()))
    }
}

/// A few sentences for a field of another system: what it is about, what was promised, what comes next.
pub fn brief(pack: &HandOverPack, max_chars: usize) -> String {
    let mut brief = String::new();
    let all = [&pack.about, &pack.tried, &pack.promised, &pack.next_steps, &pack.latest];
    for sentence in all.into_iter().flatten() {
        let with_it = brief.chars().count() + 1 + sentence.text.chars().count();
        if with_it > max_chars || brief.contains(sentence.text.as_str()) {
            continue;
        }
        if !brief.is_empty() {
            brief.push(' ');
        }
        brief.push_str(&sentence.text);
    }
    brief
}

fn customer(context: CrmContext) -> Option<PackCustomer> {
    let facts = context.facts;
    let without_history = |case: wire::Case| wire::Case { history: Vec::new(), ..case };
    Some(PackCustomer {
        contact: context.contact?,
        tier: facts.as_ref().and_then(|facts| facts.tier.clone()),
        value: facts.and_then(|facts| facts.value),
        open_cases: context.open_cases.into_iter().map(without_history).collect(),
    })
}

fn cites(sentence: &Sentence, turn: &str) -> bool {
    sentence.citations.iter().any(|one| match one {
        wire::Evidence::Turn { turn_id, .. } => turn_id == turn,
        wire::Evidence::Passage(_) => false,
    })
}

/// A turn as it was said, with itself as the proof.
fn quoted(turn: &TurnFinal) -> Sentence {
    Sentence {
        text: turn.text.clone(),
        citations: vec![wire::Evidence::Turn {
            turn_id: turn.turn_id.clone(),
            role: turn.party.role.clone(),
            start: 0,
            end: turn.text.chars().count(),
            quote: turn.text.clone(),
        }],
        support: 1.0,
    }
}

#[cfg(test)]
mod tests;
