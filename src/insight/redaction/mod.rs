//! Masks payment-card numbers before a word is appended, streamed, indexed or logged.
//!
//! A number may be said in digits, words or pairs ("forty-five thirty-nine"), with fillers between,
//! over several turns and with other words between the groups. A group that may belong to a card
//! number is held back as `[digits-1]`; what the same party says next decides. Raw digits live in
//! memory only.

mod address;
mod card;
mod digits;
mod imported;
mod named;
#[cfg(test)]
mod tests;
mod written;

use std::collections::{HashMap, VecDeque};

use crate::domain::{
    PartyId, Redacted, RedactionKind, RedactionOutcome, RedactionResolved, Turn, TurnId, Word,
};
use digits::{Run, runs};

pub use address::{PARTY_ATTRIBUTES, attribute, has_address, is_local_number};
pub use imported::imported;
pub use named::{is_harmless_id, number};

/// A word before masking. It must not outlive the masker's call.
#[derive(Clone, Debug, PartialEq)]
pub struct RawWord {
    pub text: String,
    pub start_ms: u64,
    pub end_ms: u64,
    pub confidence: f32,
}

/// A turn's words after masking.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Masked {
    pub text: Redacted,
    pub words: Vec<Word>,
    /// What this turn decided about earlier placeholders.
    pub resolved: Vec<RedactionResolved>,
}

/// Shorter runs than this say nothing about a card and are never held back by themselves.
const HELD_MIN_DIGITS: usize = 4;
/// Groups that belong together by their beginning are held back from this length on, whatever was
/// said between them: six digits name the issuer and no more (PCI DSS 4.0, requirement 3.4.1).
const JOINED_MIN_DIGITS: usize = 7;
/// A group of fewer digits joins others only when it is all that its turn says: people say "two
/// times" between two numbers.
const JOINING_MIN_DIGITS: usize = 3;
/// Groups further apart than this are not one number.
const TRAIL_MS: u64 = 60_000;
/// An interjection of so few words ("hang on a second") says nothing about whether a number goes on.
const INTERJECTION_MAX_WORDS: usize = 5;
/// After so many longer turns of the party in a row without a digit, its number is finished.
const QUIET_TURNS: u32 = 2;
/// So many turns of any party after somebody spoke of a card, digits are taken for one.
const CONTEXT_TURNS: usize = 8;

/// One group of digits that a party said lately.
struct Fragment {
    digits: String,
    end_ms: u64,
    /// Whether it joins what comes later although other words stand between.
    joins: bool,
    /// Nothing but fillers stood after it in its turn.
    trails: bool,
    quiet_turns: u32,
    state: State,
}

enum State {
    Shown,
    Held { turn_id: TurnId, placeholder: String, raw: String, in_context: bool },
    Card(String),
}

/// What is to be done with a group.
enum Verdict {
    Show,
    Hold,
    /// It is, with the newest so many fragments before it, a card.
    Card {
        fragments: usize,
    },
}

/// The memory of one conversation's digits. Feed it every final in the order of speech.
#[derive(Default)]
pub struct Masker {
    helds: u32,
    /// The digits of the cards that were recognised; `[card-1]` is the first.
    cards: Vec<String>,
    trails: HashMap<PartyId, VecDeque<Fragment>>,
    /// Which of the last turns, of any party, spoke of a card.
    context: VecDeque<bool>,
    /// Typed turns so far.
    messages: u64,
}

impl Masker {
    /// Masks one final turn.
    pub fn final_turn(&mut self, party: &PartyId, turn_id: &TurnId, words: &[RawWord]) -> Masked {
        let context = self.hear_context(words);
        let found = runs(words.iter().map(|word| word.text.as_str()));
        let mut trail = self.trails.remove(party).unwrap_or_default();
        let mut masked = Masked::default();
        let now_ms = words.first().map_or(0, |word| word.start_ms);
        self.settle_old(&mut trail, now_ms, &mut masked.resolved);
        if found.is_empty() && words.len() > INTERJECTION_MAX_WORDS {
            self.settle_quiet(&mut trail, &mut masked.resolved);
        }

        if !found.is_empty() {
            trail.iter_mut().for_each(|fragment| fragment.quiet_turns = 0);
        }

        let mut replaced: Vec<(Run, String)> = Vec::new();
        for run in found {
            let raw = raw_text(&words[run.first..=run.last]);
            let state = match self.judge(&trail, &run, context) {
                Verdict::Show => State::Shown,
                Verdict::Hold => {
                    self.helds += 1;
                    let placeholder = format!("[digits-{}]", self.helds);
                    replaced.push((run.clone(), placeholder.clone()));
                    State::Held { turn_id: turn_id.clone(), placeholder, raw, in_context: context }
                }
                Verdict::Card { fragments } => {
                    let before = trail.len() - fragments;
                    let placeholder = self.keep_as_card(&mut trail, before, &run, &mut masked);
                    replaced.push((run.clone(), placeholder.clone()));
                    State::Card(placeholder)
                }
            };
            trail.push_back(Fragment {
                joins: run.digits.len() >= JOINING_MIN_DIGITS || (run.leads && run.trails),
                end_ms: words[run.last].end_ms,
                trails: run.trails,
                quiet_turns: 0,
                digits: run.digits,
                state,
            });
        }
        self.trails.insert(party.clone(), trail);
        (masked.text, masked.words) = rewrite(words, &replaced);
        masked
    }

    /// Decides what is still held at the end of the conversation.
    pub fn finish(&mut self) -> Vec<RedactionResolved> {
        let mut resolved = Vec::new();
        for (_, trail) in std::mem::take(&mut self.trails) {
            for fragment in trail {
                self.settle(fragment, &mut resolved);
            }
        }
        resolved
    }

    /// Masks what has been understood so far of a turn that goes on: no run of four digits is shown
    /// before it is final, nor any that may continue a number.
    pub fn partial(&self, party: &PartyId, text: &str) -> Redacted {
        let words: Vec<&str> = text.split_whitespace().collect();
        let continues = self.trails.get(party).is_some_and(|trail| {
            trail.back().is_some_and(|last| !matches!(last.state, State::Shown))
        });
        let mut shown: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        for run in runs(words.iter().copied()).into_iter().rev() {
            let joins = run.leads || run.digits.len() >= JOINING_MIN_DIGITS;
            if run.digits.len() >= HELD_MIN_DIGITS || (continues && joins) {
                shown.splice(run.first..=run.last, ["••••".to_owned()]);
            }
        }
        Redacted::vouched(shown.join(" "))
    }

    fn hear_context(&mut self, words: &[RawWord]) -> bool {
        self.context.push_back(words.iter().any(|word| card::names_a_card(&word.text)));
        if self.context.len() > CONTEXT_TURNS {
            self.context.pop_front();
        }
        self.context.iter().any(|said| *said)
    }

    fn judge(&self, trail: &VecDeque<Fragment>, run: &Run, context: bool) -> Verdict {
        let length = run.digits.len();
        let known = |digits: &str| self.cards.iter().any(|card| card.contains(digits));
        if card::is_card(&run.digits) || (length >= HELD_MIN_DIGITS && known(&run.digits)) {
            return Verdict::Card { fragments: 0 };
        }
        // Said right after the last group, only fillers or a breath between: any length belongs.
        let goes_on = run.leads && trail.back().is_some_and(|last| last.trails);
        let in_card = matches!(trail.back(), Some(Fragment { state: State::Card(_), .. }));
        let of_card: usize = trail
            .iter()
            .rev()
            .take_while(|fragment| matches!(fragment.state, State::Card(_)))
            .map(|fragment| fragment.digits.len())
            .sum();
        if in_card && (goes_on || of_card < card::USUAL) {
            return Verdict::Card { fragments: 1 };
        }
        let joins = goes_on || length >= JOINING_MIN_DIGITS || (run.leads && run.trails);
        let mut hold = (context && length >= HELD_MIN_DIGITS)
            || (run.trails && length >= HELD_MIN_DIGITS && card::may_become_card(&run.digits))
            || (length >= JOINED_MIN_DIGITS && card::has_issuer(&run.digits));
        let mut joined = run.digits.clone();
        let mut direct = goes_on;
        for (fragments, fragment) in trail.iter().rev().enumerate().map(|(n, f)| (n + 1, f)) {
            if !joins || !(fragment.joins || direct) {
                break;
            }
            joined.insert_str(0, &fragment.digits);
            let card = if direct { card::is_card(&joined) } else { card::is_whole_card(&joined) };
            let long = joined.len() >= card::SHORTEST && card::has_issuer(&joined);
            if card || long {
                return Verdict::Card { fragments };
            }
            let least = if direct { HELD_MIN_DIGITS } else { JOINED_MIN_DIGITS };
            hold |= joined.len() >= least
                && (card::has_issuer(&joined) || (direct && card::may_become_card(&joined)));
            direct &= fragment.trails;
        }
        if hold { Verdict::Hold } else { Verdict::Show }
    }

    /// Marks the fragments from `before` on as one card with `run`, and names it.
    fn keep_as_card(
        &mut self,
        trail: &mut VecDeque<Fragment>,
        before: usize,
        run: &Run,
        masked: &mut Masked,
    ) -> String {
        let mut digits: String =
            trail.range(before..).map(|fragment| fragment.digits.as_str()).collect();
        digits.push_str(&run.digits);
        let same = trail.range(before..).find_map(|fragment| match &fragment.state {
            State::Card(placeholder) => Some(placeholder.clone()),
            State::Shown | State::Held { .. } => None,
        });
        let known = self.cards.iter().position(|card| card.contains(&digits));
        let placeholder = match (same, known) {
            (Some(placeholder), _) => placeholder,
            (None, Some(number)) => format!("[card-{}]", number + 1),
            (None, None) => {
                self.cards.push(digits);
                format!("[card-{}]", self.cards.len())
            }
        };
        for fragment in trail.range_mut(before..) {
            let state = std::mem::replace(&mut fragment.state, State::Card(placeholder.clone()));
            keep(state, RedactionKind::Card, &mut masked.resolved);
        }
        placeholder
    }

    /// Settles groups that are too long ago to go on.
    fn settle_old(
        &self,
        trail: &mut VecDeque<Fragment>,
        now_ms: u64,
        resolved: &mut Vec<RedactionResolved>,
    ) {
        while trail.front().is_some_and(|fragment| fragment.end_ms + TRAIL_MS < now_ms) {
            if let Some(old) = trail.pop_front() {
                self.settle(old, resolved);
            }
        }
    }

    /// Settles what the party has spoken on from without another digit. It stays in the trail: what
    /// comes later may still join it.
    fn settle_quiet(&self, trail: &mut VecDeque<Fragment>, resolved: &mut Vec<RedactionResolved>) {
        for fragment in trail.iter_mut() {
            fragment.quiet_turns += 1;
            if fragment.quiet_turns >= QUIET_TURNS && matches!(fragment.state, State::Held { .. }) {
                let state = std::mem::replace(&mut fragment.state, State::Shown);
                self.settle_state(&fragment.digits, state, resolved);
            }
        }
    }

    fn settle(&self, fragment: Fragment, resolved: &mut Vec<RedactionResolved>) {
        self.settle_state(&fragment.digits, fragment.state, resolved);
    }

    /// A group that didn't become a card is shown after all, unless a card was being spoken of or
    /// it reads back part of one.
    fn settle_state(&self, digits: &str, state: State, resolved: &mut Vec<RedactionResolved>) {
        let read_back = self.cards.iter().any(|card| card.contains(digits));
        match state {
            State::Held { turn_id, placeholder, raw, in_context: false } if !read_back => {
                resolved.push(RedactionResolved {
                    turn_id,
                    placeholder,
                    outcome: RedactionOutcome::Released(Redacted::vouched(raw)),
                });
            }
            state => keep(state, RedactionKind::Digits, resolved),
        }
    }
}

fn keep(state: State, kind: RedactionKind, resolved: &mut Vec<RedactionResolved>) {
    if let State::Held { turn_id, placeholder, .. } = state {
        let outcome = RedactionOutcome::Kept(kind);
        resolved.push(RedactionResolved { turn_id, placeholder, outcome });
    }
}

/// Writes the words behind a placeholder into their turn, once they are known to be harmless.
pub fn write_out(turn: &mut Turn, placeholder: &str, released: &Redacted) {
    let written = |text: &Redacted| {
        Redacted::vouched(text.as_str().replacen(placeholder, released.as_str(), 1))
    };
    turn.text = written(&turn.text);
    for word in &mut turn.words {
        word.text = written(&word.text);
    }
}

/// Masks card numbers in text that somebody typed, such as a question or an edited reply. However
/// the digits are set apart: up to three characters that are no letters may stand between two.
pub fn typed(text: &str) -> Redacted {
    const BETWEEN_MAX: usize = 3;
    let characters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut cards = 0;
    let mut at = 0;
    while at < characters.len() {
        let Some(_) = decimal(characters[at]) else {
            out.push(characters[at]);
            at += 1;
            continue;
        };
        let (mut digits, mut last, mut next) = (String::new(), at, at);
        while next < characters.len() && next - last <= BETWEEN_MAX + 1 {
            if let Some(digit) = decimal(characters[next]) {
                digits.push(digit);
                last = next;
            } else if characters[next].is_alphabetic() {
                break;
            }
            next += 1;
        }
        if card::is_card(&digits) {
            cards += 1;
            out.push_str(&format!("[card-{cards}]"));
        } else {
            out.extend(&characters[at..=last]);
        }
        at = last + 1;
    }
    Redacted::vouched(spelled(&out, cards))
}

/// The digit of an ASCII or full-width character.
fn decimal(c: char) -> Option<char> {
    match c {
        '0'..='9' => Some(c),
        '\u{ff10}'..='\u{ff19}' => char::from_digit(c as u32 - 0xff10, 10),
        _ => None,
    }
}

/// Masks numbers that are typed in words; those in digits are gone already.
fn spelled(text: &str, cards_before: usize) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let mut shown: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let cards: Vec<Run> =
        runs(words.iter().copied()).into_iter().filter(|run| card::is_card(&run.digits)).collect();
    for (number, run) in cards.iter().enumerate().rev() {
        shown.splice(run.first..=run.last, [format!("[card-{}]", cards_before + number + 1)]);
    }
    shown.join(" ")
}

fn raw_text(words: &[RawWord]) -> String {
    let words: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    words.join(" ").trim_end_matches(['.', ',', '?', '!']).to_owned()
}

/// Puts the placeholders where the runs stood; the words between keep their times.
fn rewrite(words: &[RawWord], replaced: &[(Run, String)]) -> (Redacted, Vec<Word>) {
    let mut out: Vec<Word> = Vec::with_capacity(words.len());
    let mut index = 0;
    while index < words.len() {
        let word = &words[index];
        match replaced.iter().find(|(run, _)| run.first == index) {
            Some((run, placeholder)) => {
                let last = &words[run.last];
                let mark = last.text.chars().last().filter(|c| matches!(c, '.' | ',' | '?' | '!'));
                let text = match mark {
                    Some(mark) => format!("{placeholder}{mark}"),
                    None => placeholder.clone(),
                };
                out.push(Word {
                    text: Redacted::vouched(text),
                    start_ms: word.start_ms,
                    end_ms: last.end_ms,
                    confidence: word.confidence,
                });
                index = run.last + 1;
            }
            None => {
                out.push(Word {
                    text: Redacted::vouched(word.text.clone()),
                    start_ms: word.start_ms,
                    end_ms: word.end_ms,
                    confidence: word.confidence,
                });
                index += 1;
            }
        }
    }
    let text: Vec<&str> = out.iter().map(|word| word.text.as_str()).collect();
    (Redacted::vouched(text.join(" ")), out)
}
