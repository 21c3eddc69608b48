//! The cards of then beside the cards of now.

use crate::domain::{Answer, TurnId, VerdictKind};
use crate::flow::feedback::{StoredCall, StoredCard};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A card from the same passage, for this turn or another one of the call.
    Same,
    /// A card from another passage in its place.
    Other,
    New,
    Gone,
}

impl Change {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Other => "other",
            Self::New => "new",
            Self::Gone => "gone",
        }
    }
}

/// What became of one card.
#[derive(Clone, Copy, Debug)]
pub struct Difference<'a> {
    /// The number of the turn of the card that was shown then; of a new one, its own.
    pub turn: usize,
    pub then: Option<&'a StoredCard>,
    pub now: Option<&'a Answer>,
    /// The number of the turn that the card comes with now, if there is one.
    pub turn_now: Option<usize>,
    pub change: Change,
}

/// All cards of then and now, in the order of the call.
pub fn differences<'a>(call: &'a StoredCall, now: &'a [(TurnId, Answer)]) -> Vec<Difference<'a>> {
    let number = |id: &TurnId| call.turns.iter().position(|turn| turn.id == *id).unwrap_or(0);
    let mut then: Vec<(usize, &StoredCard)> =
        call.cards.iter().map(|card| (number(&card.turn), card)).collect();
    let mut now: Vec<(usize, &Answer)> =
        now.iter().map(|(turn, answer)| (number(turn), answer)).collect();
    let mut found = Vec::new();
    // Cards from the same passage belong together, first those of the same turn.
    let same_passage = |card: &StoredCard, answer: &Answer| {
        answer.citations.first().is_some_and(|cited| cited.passage_id == card.citation.passage_id)
    };
    for (change, same_turn, same_text) in
        [(Change::Same, true, true), (Change::Same, false, true), (Change::Other, true, false)]
    {
        then.retain(|(turn, card)| {
            let fits = |(turn_now, answer): &(usize, &Answer)| {
                (!same_turn || turn_now == turn) && (!same_text || same_passage(card, answer))
            };
            let Some(at) = now.iter().position(fits) else { return true };
            let (turn_now, answer) = now.remove(at);
            let (turn, turn_now) = (*turn, Some(turn_now));
            found.push(Difference { turn, then: Some(*card), now: Some(answer), turn_now, change });
            false
        });
    }
    let gone = then.into_iter().map(|(turn, card)| Difference {
        turn,
        then: Some(card),
        now: None,
        turn_now: None,
        change: Change::Gone,
    });
    let new = now.into_iter().map(|(turn, answer)| Difference {
        turn,
        then: None,
        now: Some(answer),
        turn_now: Some(turn),
        change: Change::New,
    });
    found.extend(gone.chain(new));
    found.sort_by_key(|one| one.turn);
    found
}

/// Sums over calls. What agents said of a card says nothing about another one in its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    pub calls: usize,
    pub cards_then: usize,
    pub cards_now: usize,
    pub same: usize,
    pub other: usize,
    pub new: usize,
    pub gone: usize,
    /// Cards that agents accepted or edited, and how many of them would still be shown.
    pub accepted: usize,
    pub accepted_still_shown: usize,
    /// Cards that agents dismissed, and how many of them would not be shown.
    pub dismissed: usize,
    pub dismissed_not_shown: usize,
}

impl Sums {
    /// One more call.
    pub fn add(&mut self, differences: &[Difference<'_>]) {
        self.calls += 1;
        for one in differences {
            self.cards_then += usize::from(one.then.is_some());
            self.cards_now += usize::from(one.now.is_some());
            *match one.change {
                Change::Same => &mut self.same,
                Change::Other => &mut self.other,
                Change::New => &mut self.new,
                Change::Gone => &mut self.gone,
            } += 1;
            let is_shown = one.change == Change::Same;
            match one.then.and_then(StoredCard::verdict) {
                Some(VerdictKind::Accepted | VerdictKind::Edited) => {
                    self.accepted += 1;
                    self.accepted_still_shown += usize::from(is_shown);
                }
                Some(VerdictKind::Dismissed) => {
                    self.dismissed += 1;
                    self.dismissed_not_shown += usize::from(!is_shown);
                }
                Some(VerdictKind::Ignored) | None => {}
            }
        }
    }
}
