//! Masks secrets before a word is appended, streamed, indexed or logged.
//!
//! What is masked is a set of kinds (`kind`); `find` says where they stand in a text, `Masker` remembers what a
//! conversation said before, and `text` masks what stands by itself.
//!
//! A card's number may be said in digits, words or pairs ("forty-five thirty-nine"), with fillers between,
//! over several turns and with other words between the groups. A group that may belong to a card
//! number is held back as `[digits-1]`; what the same party says next decides. Raw digits live in
//! memory only.

mod address;
mod another;
mod card;
mod digits;
mod find;
mod fold;
mod iban;
mod imported;
mod kind;
mod ledger;
mod named;
mod pieces;
mod proof;
mod questions;
mod rewrite;
mod settle;
#[cfg(test)]
mod tests;
mod text;
mod vault;
mod written;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Range;

use crate::domain::{PartyId, Redacted, RedactionKind, RedactionResolved, TurnId, Word};
use digits::{Run, runs};
use find::{Found, IbanPart, Places};
use iban::Ibans;
use ledger::Ledger;
use pieces::Pieces;
use proof::{is_none_of_a_card, standing};
use questions::Questions;
use rewrite::Replaced;
use settle::keep;

pub use address::{PARTY_ATTRIBUTES, attribute, has_address, is_local_number};
pub use imported::imported;
pub use kind::{Kinds, Secret, mask, masked};
pub use named::{is_harmless_id, is_harmless_thread, number};
pub use rewrite::{secret_times, write_out};
pub use text::{Span, published, spans, typed};
pub use vault::{VaultKey, VaultOpener, new_vault};

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
/// More digits than a card, its date and its codes have together are not looked at.
const JOINED_MAX_DIGITS: usize = 32;
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
    Held {
        turn_id: TurnId,
        placeholder: String,
        raw: String,
        in_context: bool,
    },
    Card(String),
    /// It is masked as something else, and may turn out to be a card's after all.
    Other,
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
pub struct Masker {
    kinds: Kinds,
    helds: u32,
    /// The digits of the cards that were recognised; `[card-1]` is the first.
    cards: Vec<String>,
    trails: HashMap<PartyId, VecDeque<Fragment>>,
    /// Which of the last turns, of any party, spoke of a card.
    context: VecDeque<bool>,
    /// Typed turns so far.
    messages: u64,
    /// The secrets that are no cards.
    ledger: Ledger,
    /// Account numbers that were begun.
    ibans: Ibans,
    questions: Questions,
    pieces: Pieces,
    vault: Option<VaultKey>,
}

impl Default for Masker {
    fn default() -> Self {
        Self::of(kind::masked())
    }
}

impl Masker {
    /// Masks these kinds, and cards.
    pub fn of(kinds: Kinds) -> Self {
        Self {
            kinds,
            helds: 0,
            cards: Vec::new(),
            trails: HashMap::new(),
            context: VecDeque::new(),
            messages: 0,
            ledger: Ledger::default(),
            ibans: Ibans::default(),
            questions: Questions::default(),
            pieces: Pieces::default(),
            vault: None,
        }
    }

    /// Masks one final turn.
    pub fn final_turn(&mut self, party: &PartyId, turn_id: &TurnId, raw: &[RawWord]) -> Masked {
        let words = &rewrite::read(raw)[..];
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

        let line = rewrite::line(words);
        let asked = self.questions.before(party, &line);
        self.be_wary(&line, asked);
        let mut secrets: BTreeMap<usize, Found> = self
            .secrets(party, &line, &found)
            .into_iter()
            .map(|secret| (secret.start, secret))
            .collect();
        let starts = rewrite::starts(words);
        let mut replaced: Vec<Replaced> = Vec::new();
        let mut iban = match self.kinds.has(Secret::Iban) {
            true => self.ibans.part(party, &line, &secrets.values().collect::<Vec<_>>()),
            false => None,
        };
        let whole = iban.take_if(|part| part.is_whole);
        if let Some(IbanPart { range, .. }) = &whole {
            self.ibans.end(party, &mut trail, &mut masked.resolved);
            secrets.retain(|_, secret| secret.end <= range.start || range.end <= secret.start);
            let found = Found { start: range.start, end: range.end, kind: Secret::Iban };
            secrets.insert(range.start, found);
        }
        let of_line = find::words(&line);
        for run in &found {
            let is_free = standing(&secrets, &find::range_of(run, &of_line)).is_empty();
            // "12/05/2019"
            let is_date = words[run.first].text.contains('/');
            if is_free && !is_date && (context || !names_another(words, run)) {
                self.pieces.hear(run);
            }
        }
        // Where the beginning of an IBAN ends that is held back already.
        let mut held_to = 0;
        for run in found {
            let place = rewrite::place(words, &starts, run.first, run.last);
            let over = standing(&secrets, &place);
            if is_none_of_a_card(&over, &find::range_of(&run, &of_line), &line) {
                continue;
            }
            let raw = rewrite::raw_text(&raw[run.first..=run.last]);
            let is_other = !over.is_empty() || place.start < held_to;
            let is_of_iban =
                |part: &IbanPart| part.range.start < place.end && place.start < part.range.end;
            let begun = iban.as_ref().filter(|part| !is_other && is_of_iban(part)).cloned();
            let is_named = !context && names_another(words, &run);
            let is_asked = !context && asked.other && run.first < find::ANSWER_WITHIN_WORDS;
            let is_anothers = self.is_anothers(&trail, words, &run, is_asked);
            let verdict = match is_anothers {
                true => Verdict::Show,
                false => self.judge(&trail, &run, context, is_named, is_other),
            };
            let state = match verdict {
                Verdict::Card { fragments } => {
                    for secret in &over {
                        secrets.remove(&secret.start);
                    }
                    if begun.is_some() {
                        iban = None;
                        self.ibans.drop_begun(party);
                    }
                    let before = trail.len() - fragments;
                    let said = &words[run.first..=run.last];
                    let placeholder =
                        self.keep_as_card(&mut trail, before, &run, said, &mut masked);
                    replaced.push(Replaced::new(place, placeholder.clone()));
                    State::Card(placeholder)
                }
                Verdict::Show | Verdict::Hold if is_other => State::Other,
                Verdict::Show if begun.is_none() => State::Shown,
                Verdict::Show | Verdict::Hold => {
                    self.helds += 1;
                    let placeholder = format!("[digits-{}]", self.helds);
                    let (place, raw) = match begun {
                        Some(part) => {
                            self.ibans.begin(party, &part, placeholder.clone());
                            held_to = part.range.end;
                            (part.range.clone(), line[part.range].to_owned())
                        }
                        None => (place, raw),
                    };
                    replaced.push(Replaced::new(place, placeholder.clone()));
                    State::Held { turn_id: turn_id.clone(), placeholder, raw, in_context: context }
                }
            };
            trail.push_back(Fragment {
                joins: !is_named
                    && !is_anothers
                    && (run.digits.len() >= JOINING_MIN_DIGITS || (run.leads && run.trails)),
                end_ms: words[run.last].end_ms,
                trails: run.trails && !is_anothers,
                quiet_turns: 0,
                digits: run.digits,
                state,
            });
        }
        // Written without a space it is no run of digits: "DE8937040044".
        let is_free = |part: &IbanPart| {
            secrets.values().all(|one| one.end <= part.range.start || part.range.end <= one.start)
        };
        if let Some(part) = iban.filter(|part| held_to < part.range.end && is_free(part)) {
            self.helds += 1;
            let placeholder = format!("[digits-{}]", self.helds);
            self.ibans.begin(party, &part, placeholder.clone());
            let raw = line[part.range.clone()].to_owned();
            replaced.push(Replaced::new(part.range, placeholder.clone()));
            trail.push_back(Fragment {
                digits: part.characters.chars().filter(char::is_ascii_digit).collect(),
                end_ms: words.last().map_or(now_ms, |word| word.end_ms),
                joins: true,
                trails: true,
                quiet_turns: 0,
                state: State::Held {
                    turn_id: turn_id.clone(),
                    placeholder,
                    raw,
                    in_context: context,
                },
            });
        }
        self.trails.insert(party.clone(), trail);
        let given: Vec<Secret> = secrets.values().map(|secret| secret.kind).collect();
        self.questions.given(party, &given);
        for secret in secrets.into_values() {
            // The whole of it, so that it is known when it is read back.
            let said = match whole.as_ref().filter(|part| part.range == secret.range()) {
                Some(part) => part.characters.as_str(),
                None => &line[secret.range()],
            };
            let placeholder = self.ledger.placeholder(secret.kind, said);
            replaced.push(Replaced::new(secret.range(), placeholder));
        }
        self.questions.hear(party, &line);
        (masked.text, masked.words) = rewrite::rewrite(raw, replaced);
        masked
    }

    /// What is secret in a turn and no card, with what is known from before and said again.
    fn secrets(&self, party: &PartyId, line: &str, runs: &[Run]) -> Vec<Found> {
        let mut secrets = find::find(line, self.kinds, self.questions.before(party, line));
        let words = find::words(line);
        let mut taken: Places = secrets.iter().map(Found::range).collect();
        for run in runs {
            let Some(kind) = self.ledger.known(&run.digits) else { continue };
            let Range { start, end } = find::range_of(run, &words);
            if taken.take(start..end) {
                secrets.push(Found { start, end, kind });
            }
        }
        secrets
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
        let raw = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let read = fold::folded(&raw);
        let text = read.as_str();
        let words: Vec<&str> = text.split(' ').collect();
        let continues = self.trails.get(party).is_some_and(|trail| {
            trail.back().is_some_and(|last| !matches!(last.state, State::Shown))
        });
        let (of_words, found) = (find::words(text), runs(words.iter().copied()));
        let mut hidden: Vec<Range<usize>> =
            self.secrets(party, text, &found).iter().map(Found::range).collect();
        hidden.extend(find::unfinished(text, self.kinds, self.questions.before(party, text)));
        for run in found {
            let joins = run.leads || run.digits.len() >= JOINING_MIN_DIGITS;
            if run.digits.len() >= HELD_MIN_DIGITS || (continues && joins) {
                let end = of_words[run.last].start + of_words[run.last].text.len();
                hidden.push(of_words[run.first].start..end);
            }
        }
        rewrite::hide(&raw, hidden.into_iter().map(|range| read.written(range)).collect())
    }

    fn hear_context(&mut self, words: &[RawWord]) -> bool {
        self.context.push_back(words.iter().any(|word| card::names_a_card(&word.text)));
        if self.context.len() > CONTEXT_TURNS {
            self.context.pop_front();
        }
        self.context.iter().any(|said| *said)
    }

    fn judge(
        &self,
        trail: &VecDeque<Fragment>,
        run: &Run,
        context: bool,
        is_named: bool,
        is_other: bool,
    ) -> Verdict {
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
            .take(card::USUAL)
            .map(|fragment| fragment.digits.len())
            .sum();
        let stands_alone = length >= JOINING_MIN_DIGITS || (run.leads && run.trails);
        let is_apart = stands_alone || run.leads || run.trails;
        // Its date and code may follow at once, and nothing else.
        let is_complete = proof::is_complete(trail);
        let belongs = match is_complete {
            true => goes_on && run.trails,
            false => goes_on || is_apart && of_card < card::USUAL,
        };
        if in_card && belongs {
            return Verdict::Card { fragments: 1 };
        }
        let joins = goes_on || !is_named && stands_alone;
        let mut hold = (context && length >= HELD_MIN_DIGITS)
            || (run.trails && length >= HELD_MIN_DIGITS && card::may_become_card(&run.digits))
            || (length >= JOINED_MIN_DIGITS && card::has_issuer(&run.digits));
        let mut joined = run.digits.clone();
        let mut direct = goes_on;
        for (fragments, fragment) in trail.iter().rev().enumerate().map(|(n, f)| (n + 1, f)) {
            let is_over = is_complete && matches!(fragment.state, State::Card(_));
            if is_over || !joins || !(fragment.joins || direct) || joined.len() > JOINED_MAX_DIGITS
            {
                break;
            }
            joined.insert_str(0, &fragment.digits);
            // An account's number, and the date of birth that was asked for next, are as long as a card's together.
            let by_length = direct && !(is_other && !context && !card::has_issuer(&joined));
            let card =
                if by_length { card::is_card(&joined) } else { card::is_whole_card(&joined) };
            let long = joined.len() >= card::SHORTEST && card::has_issuer(&joined);
            if card || long {
                return Verdict::Card { fragments };
            }
            let least = if direct { HELD_MIN_DIGITS } else { JOINED_MIN_DIGITS };
            hold |= joined.len() >= least
                && (card::has_issuer(&joined) || (direct && card::may_become_card(&joined)));
            direct &= fragment.trails;
        }
        if hold || self.pieces.complete(&run.digits) { Verdict::Hold } else { Verdict::Show }
    }

    /// Marks the fragments from `before` on as one card with `run`, and names it.
    fn keep_as_card(
        &mut self,
        trail: &mut VecDeque<Fragment>,
        before: usize,
        run: &Run,
        words: &[RawWord],
        masked: &mut Masked,
    ) -> String {
        let mut digits: String =
            trail.range(before..).map(|fragment| fragment.digits.as_str()).collect();
        digits.push_str(&run.digits);
        if card::is_complete(&digits) {
            // Who has said all of it says other numbers next.
            self.context.clear();
        }
        let same = trail.range(before..).find_map(|fragment| match &fragment.state {
            State::Card(placeholder) => Some(placeholder.clone()),
            State::Shown | State::Held { .. } | State::Other => None,
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
        self.keep_number(&placeholder, before == trail.len(), words);
        for fragment in trail.range_mut(before..) {
            let state = std::mem::replace(&mut fragment.state, State::Card(placeholder.clone()));
            keep(state, RedactionKind::Card, &mut masked.resolved);
        }
        placeholder
    }
}

fn names_another(words: &[RawWord], run: &Run) -> bool {
    another::is_named(words[..run.first].iter().rev().map(|word| &*word.text), &run.digits)
}
