//! The judged cards that count: a tenant's newest.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::domain::{CardId, VerdictKind};
use crate::knowledge::feedback::{Feedback, JudgedCard};

/// Beyond so many, the card that was judged longest ago is forgotten: some 20 MB with vectors of 384
/// numbers, and a third of a millisecond a search.
pub const JUDGED_MAX: usize = 10_000;

/// Keeps one verdict a card, the newest.
#[derive(Default)]
pub struct Learner {
    cards: HashMap<CardId, (u64, JudgedCard)>,
    /// Which card was judged where in the log.
    order: BTreeMap<u64, CardId>,
}

impl Learner {
    /// A verdict at a position of the log. One that is older than what is known of its card, or than
    /// everything when there is no room, changes nothing.
    pub fn learn(&mut self, position: u64, id: CardId, card: JudgedCard) {
        if let Some((known, _)) = self.cards.get(&id) {
            if *known >= position {
                return;
            }
            self.order.remove(known);
        }
        self.order.insert(position, id.clone());
        self.cards.insert(id, (position, card));
        while self.order.len() > JUDGED_MAX {
            if let Some((_, oldest)) = self.order.pop_first() {
                self.cards.remove(&oldest);
            }
        }
    }

    /// The same, if the card is known.
    pub fn relearn(&mut self, position: u64, id: &CardId, verdict: VerdictKind) {
        if let Some((_, card)) = self.cards.get(id) {
            let card = JudgedCard { verdict, ..card.clone() };
            self.learn(position, id.clone(), card);
        }
    }

    pub fn knows(&self, id: &CardId) -> bool {
        self.cards.contains_key(id)
    }

    pub fn len(&self) -> usize {
        self.cards.len()
    }

    pub fn is_empty(&self) -> bool {
        self.cards.is_empty()
    }

    /// What searches are to be ranked by; oldest verdict first, so that the same verdicts give the same
    /// sums. `dimensions` is the length of the questions' vectors.
    pub fn feedback(&self, dimensions: usize) -> Arc<Feedback> {
        let cards = self.order.values().filter_map(|id| self.cards.get(id));
        Arc::new(Feedback::of(dimensions, cards.map(|(_, card)| card)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(verdict: VerdictKind) -> JudgedCard {
        JudgedCard {
            question: [1.0, 0.0].into(),
            article: "a".into(),
            quote: "Five days.".into(),
            verdict,
        }
    }

    #[test]
    fn the_newest_verdict_on_a_card_counts_in_whatever_order_they_come() {
        let mut learner = Learner::default();
        learner.learn(7, "k-1".into(), card(VerdictKind::Dismissed));
        learner.learn(3, "k-1".into(), card(VerdictKind::Accepted));
        assert_eq!(learner.cards[&CardId::from("k-1")].1.verdict, VerdictKind::Dismissed);
        learner.relearn(9, &"k-1".into(), VerdictKind::Edited);
        learner.relearn(10, &"k-2".into(), VerdictKind::Edited);
        assert_eq!(learner.cards[&CardId::from("k-1")].1.verdict, VerdictKind::Edited);
        assert_eq!((learner.len(), learner.feedback(2).len()), (1, 1));
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let mut learner = Learner::default();
        let newest = JUDGED_MAX as u64 + 10;
        for position in 1..=newest {
            let id = CardId::from(format!("k-{position}"));
            learner.learn(position, id, card(VerdictKind::Accepted));
        }
        assert_eq!(learner.len(), JUDGED_MAX);
        learner.learn(1, "k-1".into(), card(VerdictKind::Accepted));
        assert!(!learner.cards.contains_key(&CardId::from("k-1")));
        assert!(learner.cards.contains_key(&CardId::from(format!("k-{newest}"))));
    }
}
