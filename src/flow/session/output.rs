use crate::domain::{EventBody, Partial, Party};
use crate::flow::suggestion::CardQuery;
use crate::flow::transcript::{Purpose, Rejected, Ticket};

/// What the session wants done.
#[derive(Debug)]
pub enum Output {
    /// Append to the log.
    Event(EventBody),
    /// Stream, don't keep.
    Partial(Partial),
    /// Somebody begins to speak, or something sounds like it.
    Onset {
        party: Party,
        start_ms: u64,
    },
    /// All that was said before `flush` has become turns.
    Flushed,
    /// Decode and bring the answer to `decoded`.
    Decode {
        leg: usize,
        ticket: Ticket,
        purpose: Purpose,
        samples: Vec<f32>,
    },
    /// A partial that waits still is to be of these samples.
    Renew {
        leg: usize,
        ticket: Ticket,
        samples: Vec<f32>,
    },
    Promote {
        leg: usize,
        ticket: Ticket,
    },
    Cancel {
        leg: usize,
        ticket: Ticket,
    },
    /// Search the knowledge base and bring the answer to `found`.
    Search(Box<CardQuery>),
    /// Something was heard and not believed.
    Rejected(Rejected),
}
