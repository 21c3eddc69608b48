//! What a conversation says about itself: which of its words must not be kept, how they are written, what the customer
//! feels, and which of the company's rules hold.

pub mod categories;
pub mod gaps;
pub mod intent;
pub mod orders;
pub mod redaction;
pub mod sentiment;
pub mod words;
pub mod written;
