//! Settings `[channels]`: conversations that are typed, and the ways on which they come.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Channels {
    /// A conversation without a message for so long is over; who writes later begins another one.
    pub idle_minutes: u64,
    /// So many conversations may be written in at once; more are refused with `429`.
    pub max: usize,
}

impl Default for Channels {
    fn default() -> Self {
        Self { idle_minutes: 60, max: 1_000 }
    }
}

impl Channels {
    /// Each mistake with its place.
    pub fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        let mut wrong = |place: &str, what: &str| mistakes.push(format!("channels.{place} {what}"));
        if !(1..=43_200).contains(&self.idle_minutes) {
            wrong("idle_minutes", "must be from 1 to 43200");
        }
        if self.max == 0 {
            wrong("max", "must be at least 1");
        }
        mistakes
    }
}
