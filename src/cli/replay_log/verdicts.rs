//! The verdicts of the whole log, taken in as far as a conversation's beginning.

use std::sync::Arc;

use super::Log;
use crate::cli::Failure;
use crate::domain::VerdictKind;
use crate::flow::feedback::{Learner, PlacedCard};
use crate::flow::replay::{judged_calls, placed_cards, stored_call};
use crate::knowledge::feedback::Feedback;
use crate::models::embedder::EmbedderHandle;

pub struct Verdicts {
    cards: Vec<PlacedCard>,
    /// Where in the log, on which card, and what; in the order of the log.
    given: Vec<(u64, usize, VerdictKind)>,
    /// So many of them are taken in.
    taken: usize,
    learner: Learner,
    /// What is learnt from those.
    feedback: Arc<Feedback>,
    dimensions: usize,
}

impl Verdicts {
    /// Reads every judged card, and what was asked for it.
    pub fn read(log: &Log, embedder: &EmbedderHandle) -> Result<Self, Failure> {
        let calls = judged_calls(&log.store, &log.tenant, 0, usize::MAX);
        let mut cards = Vec::new();
        for id in log.runtime.block_on(calls)?.calls {
            let call = stored_call(&log.store, &log.tenant, &id);
            cards.extend(placed_cards(&log.runtime.block_on(call)?, |_| false, embedder)?);
        }
        let mut given: Vec<(u64, usize, VerdictKind)> = Vec::new();
        for (number, placed) in cards.iter().enumerate() {
            let verdicts = placed.card.verdicts.iter();
            given.extend(verdicts.map(|&(position, verdict)| (position, number, verdict)));
        }
        given.sort_by_key(|(position, ..)| *position);
        let (learner, dimensions) = (Learner::default(), embedder.dimensions());
        let feedback = learner.feedback(dimensions);
        Ok(Self { cards, given, taken: 0, learner, feedback, dimensions })
    }

    /// Takes in what was given before a position of the log. It never goes back.
    pub fn go_to(&mut self, position: u64) {
        let before = self.taken;
        while let Some(&(at, number, verdict)) = self.given.get(self.taken)
            && at < position
        {
            let placed = &self.cards[number];
            self.learner.learn(at, placed.card.id.clone(), placed.judged(verdict));
            self.taken += 1;
        }
        if self.taken > before {
            self.feedback = self.learner.feedback(self.dimensions);
        }
    }

    pub fn feedback(&self) -> Arc<Feedback> {
        Arc::clone(&self.feedback)
    }
}
