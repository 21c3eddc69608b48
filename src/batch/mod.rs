//! Work over many conversations at once: recordings instead of live calls, archives instead of one.
//!
//! A batch is planned once: its input is cut into jobs of some 64 conversations. Each finished job is
//! a part file, whole or not there; at the end the parts are joined in the input's order. Times stand
//! in the provenance only, so the same input gives the same output.

pub mod articles;
mod columns;
mod conversation;
mod error;
mod files;
mod folder;
mod history;
mod input;
mod jobs;
mod join;
mod mute;
mod output;
mod part;
mod plan;
mod recording;
mod run;
mod summarizer;
mod wanted;
mod work;

pub use conversation::{Conversation, ItemError};
pub use error::BatchError;
pub(crate) use error::on_a_thread;
pub use files::write_whole;
pub(crate) use folder::forget_list;
pub use history::each_conversation;
pub use input::{Means, Recogniser, masked_item, stored};
pub use join::Paths;
pub use mute::{mute, silences, write_wav};
pub use part::{Sums, Used};
pub use recording::{Channel, RecordingError, Transcript, transcribe};
pub use run::{Batch, BatchOrder, Caps, Ending, Inputs, Opened, Share, Tally};
pub use summarizer::{Extractive, NotSummarized, SoFar, Summarizer, WritingOrder};
pub use wanted::{Format, What};
pub use work::Halt;
