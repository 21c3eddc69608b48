//! Masks payment-card numbers before a word is appended, streamed, indexed or logged.
//!
//! A number may be said in digits, words or pairs ("forty-five thirty-nine"), with fillers between,
//! over several turns. While a run at the end of a turn may still become a card number it is held
//! back as `[digits-1]`; the next turn of the same party decides. Raw digits live in memory only.

mod card;
mod digits;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};

use crate::domain::{
    PartyId, Redacted, RedactionKind, RedactionOutcome, RedactionResolved, TurnId, Word,
};
use digits::{Run, runs};

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

/// Shorter runs than this say nothing about a card and are never held back.
const HELD_MIN_DIGITS: usize = 4;
/// An interjection of so few words ("hang on a second") doesn't end a number that is being read out.
const INTERJECTION_MAX_WORDS: usize = 5;
/// So many turns of any party after somebody spoke of a card, digits are taken for one.
const CONTEXT_TURNS: usize = 8;

/// A run that ended its turn and may go on in the party's next one.
struct Pending {
    digits: String,
    /// Long enough to be a card: whatever continues it stays masked under this placeholder.
    card: Option<String>,
    held: Vec<Held>,
}

struct Held {
    turn_id: TurnId,
    placeholder: String,
    raw: String,
}

/// The memory of one conversation's digits. Feed it every final in the order of speech.
#[derive(Default)]
pub struct Masker {
    cards: u32,
    helds: u32,
    pending: HashMap<PartyId, Pending>,
    /// Which of the last turns, of any party, spoke of a card.
    context: VecDeque<bool>,
}

impl Masker {
    /// Masks one final turn.
    pub fn final_turn(&mut self, party: &PartyId, turn_id: &TurnId, words: &[RawWord]) -> Masked {
        let speaks_of_card = words.iter().any(|word| card::names_a_card(&word.text));
        self.context.push_back(speaks_of_card);
        if self.context.len() > CONTEXT_TURNS {
            self.context.pop_front();
        }
        let context = self.context.iter().any(|said| *said);

        let found = runs(words.iter().map(|word| word.text.as_str()));
        let mut masked = Masked::default();
        let mut pending = self.pending.remove(party);
        let continues = found.first().is_some_and(|run| run.leads);
        if !continues && let Some(before) = pending.take() {
            if found.is_empty() && words.len() <= INTERJECTION_MAX_WORDS {
                pending = Some(before);
            } else {
                settle(before, context, &mut masked.resolved);
            }
        }

        let mut replaced: Vec<(Run, String)> = Vec::new();
        for run in found {
            let before = if run.leads { pending.take() } else { None };
            let digits = match &before {
                Some(before) => before.digits.clone() + &run.digits,
                None => run.digits.clone(),
            };
            let already = before.as_ref().and_then(|before| before.card.clone());
            if already.is_some() || card::is_card(&digits) {
                let placeholder = already.unwrap_or_else(|| {
                    self.cards += 1;
                    format!("[card-{}]", self.cards)
                });
                let held = before.map(|before| before.held).unwrap_or_default();
                keep(held, RedactionKind::Card, &mut masked.resolved);
                if run.trails {
                    let card = Some(placeholder.clone());
                    pending = Some(Pending { digits, card, held: Vec::new() });
                }
                replaced.push((run, placeholder));
            } else if (run.trails || context)
                && digits.len() >= HELD_MIN_DIGITS
                && (context || card::may_become_card(&digits))
            {
                self.helds += 1;
                let placeholder = format!("[digits-{}]", self.helds);
                let raw = raw_text(&words[run.first..=run.last]);
                let mut held = before.map(|before| before.held).unwrap_or_default();
                held.push(Held { turn_id: turn_id.clone(), placeholder: placeholder.clone(), raw });
                let now = Pending { digits, card: None, held };
                if run.trails {
                    pending = Some(now);
                } else {
                    // In the middle of a turn that speaks of a card: it stays masked for good.
                    keep(now.held, RedactionKind::Digits, &mut masked.resolved);
                }
                replaced.push((run, placeholder));
            } else if let Some(before) = before {
                settle(before, context, &mut masked.resolved);
            }
        }
        if let Some(pending) = pending {
            self.pending.insert(party.clone(), pending);
        }
        (masked.text, masked.words) = rewrite(words, &replaced);
        masked
    }

    /// Decides what is still held at the end of the conversation.
    pub fn finish(&mut self) -> Vec<RedactionResolved> {
        let context = self.context.iter().any(|said| *said);
        let mut resolved = Vec::new();
        for (_, pending) in self.pending.drain() {
            settle(pending, context, &mut resolved);
        }
        resolved
    }

    /// Masks what has been understood so far of a turn that goes on: no run of four digits is shown
    /// before it is final, nor any digit that continues a held run.
    pub fn partial(&self, party: &PartyId, text: &str) -> Redacted {
        let words: Vec<&str> = text.split_whitespace().collect();
        let continues = self.pending.contains_key(party);
        let mut shown: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        for run in runs(words.iter().copied()).into_iter().rev() {
            if run.digits.len() >= HELD_MIN_DIGITS || (continues && run.leads) {
                shown.splice(run.first..=run.last, ["••••".to_owned()]);
            }
        }
        Redacted::vouched(shown.join(" "))
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

/// A run that didn't become a card: shown after all, unless a card was being spoken of.
fn settle(pending: Pending, context: bool, resolved: &mut Vec<RedactionResolved>) {
    if context {
        keep(pending.held, RedactionKind::Digits, resolved);
        return;
    }
    for held in pending.held {
        resolved.push(RedactionResolved {
            turn_id: held.turn_id,
            placeholder: held.placeholder,
            outcome: RedactionOutcome::Released(Redacted::vouched(held.raw)),
        });
    }
}

fn keep(held: Vec<Held>, kind: RedactionKind, resolved: &mut Vec<RedactionResolved>) {
    for held in held {
        resolved.push(RedactionResolved {
            turn_id: held.turn_id,
            placeholder: held.placeholder,
            outcome: RedactionOutcome::Kept(kind),
        });
    }
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
