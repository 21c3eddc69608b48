use crate::domain::{Card, EventBody, NewEvent, Partial, Turn};

/// What becomes of a call's audio, for a media side that wants it back.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// Not finished and not kept.
    Partial(Partial),
    /// Durable.
    Turn(Turn),
    /// Durable.
    Card(Box<Card>),
}

impl News {
    pub(super) fn of(events: &[NewEvent]) -> Vec<Self> {
        let news = |event: &NewEvent| match &event.body {
            EventBody::TurnFinal(turn) => Some(Self::Turn(turn.clone())),
            EventBody::SuggestionOffered(card) => Some(Self::Card(Box::new(card.clone()))),
            _ => None,
        };
        events.iter().filter_map(news).collect()
    }
}
