//! Whether a verb says that something was done, is to come, is possible, or is wanted.

use super::verbs::{
    Helper, helper, is_adverb, is_going_on, is_past, is_subject, is_wish, opens_noun,
};
use crate::grounding::reading::{Part, Reading};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aspect {
    /// "was refunded", "we've refunded"
    Done,
    /// "is refunded", "we're refunding"
    State,
    /// "we refund"
    Plain,
    /// "will be refunded"
    Will,
    /// "can be refunded"
    May,
    /// "wants a refund", "to refund"
    Wish,
}

/// Words between a verb and its helpers.
const REACH: usize = 6;

/// How the verb or noun at a place stands in its sentence.
pub(super) fn at(reading: &Reading, place: usize) -> Aspect {
    let words = &reading.words;
    let lower = words[place].lower.as_str();
    let (past, going_on) = (is_past(lower), is_going_on(lower));
    let found = helped(reading, place, past, going_on);
    if let Some(aspect) = found {
        return aspect;
    }
    if past {
        return match wished(reading, place) {
            true => Aspect::Wish,
            false => Aspect::Done,
        };
    }
    let before = place.checked_sub(1).map(|at| &words[at]);
    let opens = before.is_none_or(|before| before.clause != words[place].clause);
    match before {
        _ if going_on => of_clause(reading, place),
        // "Please send it": asked for, not said to be.
        None => Aspect::Wish,
        Some(before) if before.lower == "please" => Aspect::Wish,
        Some(before) if !opens && is_subject(&before.lower) => Aspect::Plain,
        Some(before) if matches!(before.lower.as_str(), "and" | "or" | "then") => {
            carried(reading, place)
        }
        Some(before) if opens_noun(&before.lower) => of_clause(reading, place),
        Some(_) if opens => Aspect::Wish,
        Some(before) if before.part == Part::Content => match lower.ends_with('s') {
            true => Aspect::Plain,
            false => of_clause(reading, place),
        },
        Some(_) => Aspect::Plain,
    }
}

/// What the helpers before a verb make of it.
fn helped(reading: &Reading, place: usize, past: bool, going_on: bool) -> Option<Aspect> {
    let words = &reading.words;
    let mut found = None;
    let mut at = place;
    while at > 0 && place - at < REACH {
        at -= 1;
        let word = &words[at];
        let same = word.clause == words[place].clause;
        let lower = word.lower.as_str();
        if !(same || reading.is_question && found.is_none()) {
            break;
        }
        if let Some(helper) = helper(reading, at) {
            match helper {
                Helper::Will => return Some(Aspect::Will),
                // "They'd refunded" is done, "they'd refund" isn't.
                Helper::May if past && found.is_none() && may_be_had(lower) => {
                    return Some(Aspect::Done);
                }
                Helper::May => return Some(Aspect::May),
                Helper::Have if past => found = Some(Aspect::Done),
                Helper::Have => return found.or(Some(Aspect::State)),
                Helper::Was => found = found.or(Some(Aspect::Done)),
                Helper::Is | Helper::Short => return found.or(Some(Aspect::State)),
                Helper::Be => {
                    found = found.or((past || going_on).then_some(Aspect::State));
                }
                Helper::Did => return Some(Aspect::Done),
                Helper::Do => return Some(Aspect::Plain),
            }
            continue;
        }
        match lower {
            "to" => return Some(infinitive(reading, at)),
            "let" | "lets" => return Some(Aspect::Will),
            "me" | "us" if at > 0 && words[at - 1].lower == "let" => return Some(Aspect::Will),
            _ if is_adverb(lower) => {}
            _ if is_subject(lower) => {
                // "Will you refund it?"
                let asked = reading.is_question && at > 0 && helper(reading, at - 1).is_some();
                if !asked {
                    break;
                }
            }
            "get" | "gets" if past => found = found.or(Some(Aspect::Plain)),
            _ => break,
        }
    }
    found
}

fn may_be_had(lower: &str) -> bool {
    matches!(lower, "id" | "wed" | "theyd" | "youd" | "hed" | "shed")
}

/// "going to refund" is to come, "asked to refund" isn't.
fn infinitive(reading: &Reading, to: usize) -> Aspect {
    let words = &reading.words;
    let before = |back: usize| to.checked_sub(back).map_or("", |at| words[at].lower.as_str());
    match before(1) {
        "going" | "about" | "promise" | "promised" | "promises" | "agreed" => {
            let then = before(2);
            match then {
                "was" | "were" => Aspect::May,
                _ => Aspect::Will,
            }
        }
        "able" => Aspect::May,
        "have" | "has" | "need" | "needs" => Aspect::May,
        _ => Aspect::Wish,
    }
}

/// The verb of a clause that goes on without a subject: "I'll check it and refund you".
fn carried(reading: &Reading, place: usize) -> Aspect {
    let words = &reading.words;
    let clause = words[place].clause;
    let Some(last) = words[..place].iter().rposition(|word| word.clause < clause) else {
        return Aspect::Wish;
    };
    let before = words[last].clause;
    let first = words.iter().position(|word| word.clause == before).unwrap_or(0);
    let shaped = (first..=last).find_map(|at| match helper(reading, at)? {
        Helper::Will => Some(Aspect::Will),
        Helper::May => Some(Aspect::May),
        _ => None,
    });
    shaped.unwrap_or_else(|| {
        let going = (first..=last).find(|at| words[*at].lower == "to");
        going.map_or(Aspect::Plain, |to| infinitive(reading, to))
    })
}

fn wished(reading: &Reading, place: usize) -> bool {
    let words = &reading.words;
    let clause = words[place].clause;
    let before = (0..place).rev().take_while(|at| words[*at].clause == clause);
    before.take(REACH).any(|at| is_wish(words, at))
}

/// For a noun: what its clause says of it.
fn of_clause(reading: &Reading, place: usize) -> Aspect {
    let words = &reading.words;
    let clause = words[place].clause;
    // "…or my money back?" has nothing that was done in it, whatever the answer is.
    let mut found = if reading.is_question { Aspect::May } else { Aspect::State };
    for at in (0..words.len()).filter(|at| words[*at].clause == clause) {
        let word = &words[at];
        if is_wish(words, at) {
            return Aspect::Wish;
        }
        match helper(reading, at) {
            Some(Helper::Will) => return Aspect::Will,
            Some(Helper::May) => return Aspect::May,
            Some(Helper::Have | Helper::Was | Helper::Did) => found = Aspect::Done,
            _ if at != place && is_past(&word.lower) => found = Aspect::Done,
            _ => {}
        }
        if word.lower == "to" && words.get(at + 1).is_some_and(|next| next.part != Part::Stop) {
            let shaped = infinitive(reading, at);
            if shaped == Aspect::Will {
                return shaped;
            }
        }
    }
    found
}

/// All that the verbs of a sentence say.
pub(super) fn all(reading: &Reading) -> impl Iterator<Item = Aspect> {
    let words = &reading.words;
    (0..words.len()).filter_map(move |place| {
        if is_past(&words[place].lower) {
            return Some(at(reading, place));
        }
        let alone = match helper(reading, place)? {
            Helper::Will => Aspect::Will,
            Helper::May => Aspect::May,
            Helper::Was | Helper::Did => Aspect::Done,
            Helper::Is | Helper::Short | Helper::Have => {
                // "It'll have to be" is shaped by its first word.
                return helped(reading, place, false, false).or(Some(Aspect::State));
            }
            Helper::Do => Aspect::Plain,
            Helper::Be => return None,
        };
        Some(alone)
    })
}

/// Whether what a source says bears out what a sentence claims.
pub(super) fn bears(claimed: Aspect, said: Aspect, in_passage: bool) -> bool {
    use Aspect::{Done, May, Plain, State, Will, Wish};
    match claimed {
        // What an article says of all isn't done for one.
        Done if in_passage => said == Done,
        Done | State => matches!(said, Done | State | Plain),
        Plain => matches!(said, Done | State | Plain | Will),
        Will => matches!(said, Will | State | Plain),
        May | Wish => true,
    }
}
