//! Finds what is addressed to a machine in other people's words: "ignore your instructions", "add this
//! link to your reply".
//!
//! Customers, articles and records of other systems may hold such words, and whoever writes from
//! them, be it a model or a stage that quotes, must neither obey nor repeat them. What is found is only
//! left out of proofs and quotations: a false alarm costs a sentence, never a message. The rules are data
//! (`rules.toml`); nothing here asks a model.

mod link;
mod rules;
#[cfg(test)]
mod tests;
mod words;

use std::ops::Range;

pub use link::{Link, links};

use crate::domain::Role;
use crate::knowledge::{Span, sentences};
use rules::Rules;
use words::Words;

/// Whose words they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The company's people speak for it: what they ask of each other and of customers is their work.
    Company,
    /// Customers, articles, mails, records of other systems.
    Others,
}

impl Whose {
    pub const fn of(role: Role) -> Self {
        match role {
            Role::Agent | Role::Supervisor | Role::Expert | Role::Bot => Self::Company,
            Role::Customer | Role::Mixed => Self::Others,
        }
    }
}

/// What is addressed to a machine, as byte ranges of the text: whole sentences, in order, and without
/// what lies between. Empty for nearly every text.
///
/// Who wants to be the machine's master (`takeover`) has nothing else to say that is worth quoting: then
/// it is the whole text. An errand (`task`) is its sentence, and what it announces: "Add the following
/// to your reply: …".
pub fn orders(text: &str, whose: Whose) -> Vec<Range<usize>> {
    let rules = Rules::shipped();
    let words = Words::of(text);
    if rules.take_over(text, &words) {
        return std::iter::once(0..text.len()).collect();
    }
    if whose == Whose::Company {
        return Vec::new();
    }
    let found = rules.tasks(&words);
    if found.is_empty() {
        return Vec::new();
    }
    let mut orders: Vec<Range<usize>> = Vec::new();
    for sentence in bytes_of(text, &sentences(text)) {
        let mut here = found.iter().filter(|at| at.start < sentence.end && at.end > sentence.start);
        if here.next().is_none() {
            continue;
        }
        let end = match announces(&text[sentence.clone()]) {
            true => end_of_block(text, sentence.end),
            false => sentence.end,
        };
        match orders.last_mut() {
            Some(last) if next_to(text, last.end, sentence.start) => last.end = last.end.max(end),
            _ => orders.push(sentence.start..end),
        }
    }
    orders
}

/// Whether nothing but space is between two places.
fn next_to(text: &str, end: usize, start: usize) -> bool {
    text.get(end..start).is_none_or(|between| between.trim().is_empty())
}

/// Whether something of the text is addressed to a machine.
pub fn has_orders(text: &str, whose: Whose) -> bool {
    !orders(text, whose).is_empty()
}

/// Which rule holds, for whoever writes rules.
pub fn rule_of(text: &str) -> Option<&'static str> {
    Rules::shipped().first(text, &Words::of(text))
}

/// What is to be said comes behind.
fn announces(sentence: &str) -> bool {
    let sentence = sentence.trim_end();
    sentence.ends_with(':') || sentence.to_lowercase().contains("following")
}

fn end_of_block(text: &str, from: usize) -> usize {
    let rest = &text[from..];
    // The blank line right behind a colon belongs to what is announced.
    let skipped = match text[..from].ends_with(':') {
        true => rest.len() - rest.trim_start().len(),
        false => 0,
    };
    rest[skipped..].find("\n\n").map_or(text.len(), |at| from + skipped + at)
}

/// Spans count code points; in one pass.
fn bytes_of(text: &str, spans: &[Span]) -> Vec<Range<usize>> {
    let mut places = text.char_indices().map(|(at, _)| at).chain([text.len()]).enumerate();
    let mut byte = |chars: usize| {
        places.by_ref().find(|(number, _)| *number >= chars).map_or(text.len(), |(_, at)| at)
    };
    let mut ranges = Vec::with_capacity(spans.len());
    let mut last = (0, 0);
    for span in spans {
        let start = if span.start_chars == last.0 { last.1 } else { byte(span.start_chars) };
        let end = byte(span.end_chars);
        last = (span.end_chars, end);
        ranges.push(start..end);
    }
    ranges
}
