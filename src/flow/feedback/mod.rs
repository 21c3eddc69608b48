//! What agents made of the cards, for the next search.
//!
//! A call's log says what was said, which cards were shown and what became of them ([`StoredCall`]).
//! The newest verdicts of a tenant are kept ([`Learner`]) and become the prior that `knowledge` ranks
//! by. No I/O, no clock: `replay` reads the log, `app` feeds what it finds in here.

mod learner;
pub mod outcome;

use std::sync::Arc;

use crate::domain::{CardId, Citation, Recorded, Turn, TurnId, VerdictKind};
use crate::knowledge::feedback::JudgedCard;
use crate::store::wire::{SuggestionOffered, SuggestionVerdict};
use crate::store::{StoreError, codec};

pub use self::learner::{JUDGED_MAX, Learner};

/// Kinds of events that a [`StoredCall`] is made of.
pub const KINDS: &str = "conversation.started,turn.final,suggestion.offered,suggestion.verdict";

/// What the log knows of a call's turns and cards.
#[derive(Clone, Debug, Default)]
pub struct StoredCall {
    /// Where it begins in the log.
    pub position: u64,
    /// In the order in which they became final, as the cards were chosen.
    pub turns: Vec<Turn>,
    pub cards: Vec<StoredCard>,
}

/// A card as it was shown.
#[derive(Clone, Debug)]
pub struct StoredCard {
    pub id: CardId,
    /// The turn that it was shown for.
    pub turn: TurnId,
    pub title: String,
    pub text: String,
    pub citation: Citation,
    /// With their positions in the log, oldest first.
    pub verdicts: Vec<(u64, VerdictKind)>,
}

impl StoredCard {
    /// What the agent thought of it in the end.
    pub fn verdict(&self) -> Option<VerdictKind> {
        self.verdicts.last().map(|(_, verdict)| *verdict)
    }
}

/// A card with what was asked, ready to be learnt from.
#[derive(Clone, Debug)]
pub struct PlacedCard {
    pub card: StoredCard,
    /// The question's vector, of length 1.
    pub question: Arc<[f32]>,
}

impl PlacedCard {
    pub fn judged(&self, verdict: VerdictKind) -> JudgedCard {
        let cited = &self.card.citation;
        JudgedCard {
            question: Arc::clone(&self.question),
            article: cited.article_id.clone(),
            quote: cited.quote.as_str().into(),
            verdict,
        }
    }
}

impl StoredCall {
    /// Takes the call's next event; other kinds change nothing.
    ///
    /// # Errors
    /// The event can't be read.
    pub fn take(&mut self, event: &Recorded) -> Result<(), StoreError> {
        match &*event.kind {
            codec::CONVERSATION_STARTED => self.position = event.position,
            codec::SUGGESTION_OFFERED => {
                let offered: SuggestionOffered = codec::data(event)?;
                self.cards.extend(stored(offered));
            }
            codec::SUGGESTION_VERDICT => {
                let given: SuggestionVerdict = codec::data(event)?;
                let card = self.cards.iter_mut().find(|card| card.id.as_str() == given.card_id);
                if let (Some(card), Some(verdict)) = (card, VerdictKind::parse(&given.verdict)) {
                    card.verdicts.push((event.position, verdict));
                }
            }
            // No rule looks at single words.
            _ => self
                .turns
                .extend(codec::decode_turn(event)?.map(|turn| Turn { words: Vec::new(), ..turn })),
        }
        Ok(())
    }
}

/// A card without a citation is of no article, so that nothing can be learnt from it.
fn stored(offered: SuggestionOffered) -> Option<StoredCard> {
    let cited = offered.citations.into_iter().next()?;
    Some(StoredCard {
        id: offered.card_id.into(),
        turn: offered.trigger_turn.into(),
        title: offered.title,
        text: offered.text,
        citation: Citation {
            article_id: cited.article_id.into(),
            passage_id: cited.passage_id.into(),
            revision: cited.revision,
            start_chars: cited.start,
            end_chars: cited.end,
            quote: cited.quote,
        },
        verdicts: Vec::new(),
    })
}
