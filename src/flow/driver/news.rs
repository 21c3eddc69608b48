use crate::domain::{Card, EventBody, NewEvent, Partial, Party, Turn};

/// What becomes of a call's audio, for a media side that wants it back.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// Somebody begins to speak, or something sounds like it.
    Onset { party: Party, start_ms: u64 },
    /// Not finished and not kept.
    Partial(Partial),
    /// Durable.
    Turn(Turn),
    /// Durable.
    Card(Box<Card>),
    /// All that was said before `Control::Flush` is among the first `turns` turns of the call. Turns
    /// come when they are durable, so the last of them may come after this.
    Flushed { turns: usize },
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
