//! What a conversation says about itself: here, which of its words must not be kept.

pub mod redaction;
pub mod written;
