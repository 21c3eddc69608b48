//! Stage 2: frames → turns.
//!
//! A gate tells speech from silence and tones; a leg cuts the speech into utterances and asks for
//! decodings (partial, early, final); guards throw out what the recogniser invented. Nothing here
//! awaits or decodes: `driver` carries the requests to the models and brings the answers back.

mod agreement;
mod gate;
mod guards;
mod language;
mod leg;
mod output;
mod tone;
mod utterance;

pub use gate::{FRAME_MS, FRAME_SAMPLES, Frame, Gate, Voice};
pub use guards::{Guards, Rejected};
pub use leg::Leg;
pub use output::{LegOutput, Purpose, Ticket};
pub use utterance::{SpokenTurn, TranscriptSettings};
