//! What to search for: what is asked now, and the thing it is about from the last turns.

use std::collections::VecDeque;

use super::trigger::Trigger;
use crate::domain::Role;
use crate::knowledge::{SearchRequest, terms};

/// Turns that a question may lean on.
const TURNS_REMEMBERED: usize = 4;
/// Turns in which names are listened for: a hotel that was named ten turns ago is still "that hotel".
const TURNS_OF_TALK: usize = 24;
/// So many terms are enough to say what is being talked about.
const CONTEXT_TERMS: usize = 8;
/// So many words of one earlier turn are looked at.
const CONTEXT_WORDS: usize = 24;
/// A question with so many terms of its own, and no "it" or "that", needs no context.
const SELF_CONTAINED: usize = 6;
/// With so many, an "it" means something in the question itself.
const ELABORATE: usize = 8;
/// What stands around a question in its own turn explains it, if it has so many terms.
const EXPLAINED: usize = 4;

/// Words that point back to something said before.
const POINTERS: &[&str] = &["that", "it", "this", "them", "they", "those", "these"];

/// What was said lately, without small talk.
#[derive(Default)]
pub(super) struct Memory {
    turns: VecDeque<(Role, String)>,
    /// What was said, whole.
    talk: VecDeque<String>,
    /// The last thing that the customer said about their matter: not who they are.
    matter: String,
    /// What it was before the last turn that was kept, if that changed it.
    matter_before: Option<String>,
}

impl Memory {
    /// Remembers the part of a turn that says something; nothing if that is empty, and says so.
    pub fn keep(&mut self, role: Role, content: String) -> bool {
        if terms::terms(&content).is_empty() {
            return false;
        }
        self.turns.push_back((role, content));
        if self.turns.len() > TURNS_REMEMBERED {
            self.turns.pop_front();
        }
        true
    }

    /// What was kept last comes again, with its end.
    pub fn forget_last(&mut self) {
        self.turns.pop_back();
        if let Some(before) = self.matter_before.take() {
            self.matter = before;
        }
    }

    /// Remembers a whole turn for the names in it.
    pub fn hear(&mut self, text: &str) {
        self.talk.push_back(text.to_owned());
        if self.talk.len() > TURNS_OF_TALK {
            self.talk.pop_front();
        }
    }

    /// What was said, oldest turn first.
    pub fn talk(&self) -> Vec<String> {
        self.talk.iter().cloned().collect()
    }

    /// As `keep`; `is_identity` says that a customer was only asked who they are.
    pub fn keep_turn(&mut self, role: Role, content: &str, is_identity: bool) -> bool {
        let tells = role == Role::Customer && !is_identity && !terms::terms(content).is_empty();
        self.matter_before = tells.then(|| std::mem::replace(&mut self.matter, content.to_owned()));
        self.keep(role, content.to_owned())
    }

    /// A turn with what it stands behind: the customer's last words about their matter, and the
    /// agent's reply to them.
    pub fn in_context(&self, turn: &str) -> Option<String> {
        let reply = self.turns.back().filter(|(role, _)| *role != Role::Customer);
        let reply = reply.map_or("", |(_, text)| text);
        let parts = [tail(&self.matter), tail(reply), turn];
        let said: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        (said.len() > 1).then(|| said.join(" "))
    }

    /// The search for a typed question. The less a question says by itself, the more the talk counts.
    pub fn request(&self, trigger: &Trigger) -> SearchRequest {
        let mut request = SearchRequest::new(trigger.focus.clone());
        let own = subjects(&trigger.focus);
        let words = terms::words(&trigger.focus);
        let points_back = words.iter().any(|word| POINTERS.contains(&word.as_str()));
        if own >= if points_back { ELABORATE } else { SELF_CONTAINED } {
            return request;
        }
        let mut parts: Vec<&str> = vec![&trigger.focus];
        let mut count = own;
        let around = tail(&trigger.around);
        let around_terms = terms::terms(around).len();
        if around_terms > 0 {
            count += around_terms;
            parts.push(around);
        }
        // Callers ask about their own matter; what an agent said last is often only an aside.
        let (customer, others): (Vec<_>, Vec<_>) =
            self.turns.iter().rev().partition(|(role, _)| *role == Role::Customer);
        for (_, text) in customer.into_iter().chain(others) {
            if count >= CONTEXT_TERMS || around_terms >= EXPLAINED {
                break;
            }
            let text = tail(text);
            count += terms::terms(text).len();
            parts.push(text);
        }
        if parts.len() == 1 {
            return request;
        }
        parts.reverse();
        request.in_context = Some(parts.join(" "));
        request.context_weight = match own {
            0 | 1 => 1.2,
            2 | 3 => 0.7,
            _ => 0.35,
        } + if points_back { 0.2 } else { 0.0 };
        request
    }
}

/// Terms that can be what a question is about. "Six days" or "a way to make" is
/// about nothing by itself.
pub(super) fn subjects(text: &str) -> usize {
    const EMPTY: &[&str] = &[
        "pound", "day", "week", "month", "minut", "hour", "year", "long", "way", "make", "end",
        "happen", "good", "ask", "find",
    ];
    let is_subject = |term: &&String| {
        !EMPTY.contains(&term.as_str()) && !term.bytes().all(|b| b.is_ascii_digit())
    };
    terms::terms(text).iter().filter(is_subject).count()
}

/// The last words of a long turn: embedding costs by the word, and a card has 100 ms.
fn tail(text: &str) -> &str {
    let mut spaces = text.char_indices().rev().filter(|(_, c)| c.is_whitespace()).map(|(at, _)| at);
    spaces.nth(CONTEXT_WORDS).map_or(text, |at| text[at..].trim_start())
}

/// The words that carry the question, for the card's reason.
pub(super) fn topic_words(text: &str) -> Vec<String> {
    let mut topic: Vec<String> = Vec::new();
    for word in terms::words(text) {
        if word.len() > 2 && !terms::is_stop_word(&word) && !topic.contains(&word) {
            topic.push(word);
        }
    }
    topic.truncate(4);
    topic
}
