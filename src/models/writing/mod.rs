//! What stands between whoever wants a text and the providers that write it: each a small
//! [`Generator`](super::Generator) around another.
//!
//! ```text
//! Chain ─ for each provider: Validated ─ Retrying ─ Budgeted ─ Breaker ─ Limited ─ Measured ─ provider
//! ```
//!
//! From outside in: the next provider takes over; a wrong form is repaired once; what failed early is
//! tried again; tokens and money are reserved for each attempt; a failing provider is left alone; only so many ask at
//! once; each attempt is measured. Every one of them keeps within the request's deadline, and a
//! dropped future leaves nothing behind.

mod breaker;
mod budget;
mod chain;
mod limited;
mod measured;
mod metered;
mod retrying;
mod validated;
mod writers;

pub use breaker::{Breaker, BreakerSettings};
pub use budget::{Budgeted, JobLimits, Ledger, Limits, Price, Spent};
pub use chain::{Chain, Link};
pub use limited::Limited;
pub use measured::Measured;
pub use metered::Metered;
pub use retrying::{RetrySettings, Retrying};
pub use validated::Validated;
pub use writers::{Policy, Writers, guarded};

use std::time::Duration;

use tokio::time::Instant;

use super::generator::WritingRequest;

/// About as many tokens as most tokenizers make of it; for providers that don't count, and before
/// anything is sent.
pub fn estimated_tokens(text: &str) -> u64 {
    (text.chars().count() as u64).div_ceil(4)
}

fn estimated_prompt_tokens(request: &WritingRequest) -> u64 {
    // Roles and edges of messages cost some.
    request.messages.iter().map(|message| estimated_tokens(&message.content) + 4).sum()
}

/// The same request with what is left of its time.
fn with_deadline(request: &WritingRequest, deadline: Duration) -> WritingRequest {
    WritingRequest { deadline, ..request.clone() }
}

fn left_of(request: &WritingRequest, began: Instant) -> Duration {
    request.deadline.saturating_sub(began.elapsed())
}

#[cfg(test)]
mod tests;
