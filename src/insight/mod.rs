//! What a conversation says about itself: which of its words must not be kept, and how they are written.

pub mod gaps;
pub mod redaction;
pub mod written;
