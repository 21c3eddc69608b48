//! Of whom a sentence says what.

use super::verbs::{self, Does, Side};
use crate::domain::Role;
use crate::grounding::ground::Ground;
use crate::grounding::reading::{Part, Word};

const CUSTOMERS: &[&str] = &["customer", "customers", "client", "clients", "caller", "callers"];
const AGENTS: &[&str] = &[
    "agent",
    "agents",
    "representative",
    "representatives",
    "rep",
    "advisor",
    "adviser",
    "operator",
];
/// Done to somebody by the other one.
const WAS_TOLD: &[&str] = &[
    "told",
    "informed",
    "advised",
    "asked",
    "offered",
    "promised",
    "instructed",
    "assured",
    "reminded",
    "requested",
    "notified",
    "directed",
    "guaranteed",
    "warned",
    "given",
];
/// "Customer service" is nobody in the conversation.
const THINGS: &[&str] = &["service", "services", "support", "care", "relations"];
const PREPOSITIONS: &[&str] = &["to", "by", "with", "for", "from", "of", "about", "at", "on"];
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::grounding) enum Who {
    Customer,
    Agent,
    Named(usize),
}

#[derive(Clone, Copy, Debug)]
pub(in crate::grounding) struct Attribution {
    pub who: Who,
    pub does: Does,
    /// It is said of somebody of whom such a thing is seldom said.
    pub is_unusual: bool,
    /// Index of the verb of what they did, where it is plain.
    pub deed: Option<usize>,
    /// Index of the first word that is attributed.
    pub from: usize,
    /// Index of the word where the mention begins.
    pub mention: usize,
    /// Index of the verb.
    pub verb: usize,
}

pub(super) fn attributions(words: &[Word], ground: &Ground) -> Vec<Attribution> {
    let mut found: Vec<Attribution> = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let Some((who, length)) = named_at(words, at, ground) else {
            at += 1;
            continue;
        };
        let end = at + length;
        let before = |back: usize| at.checked_sub(back).map_or("", |at| words[at].lower.as_str());
        let determiner = matches!(before(1), "the" | "a" | "an" | "another" | "this");
        let mention = at - usize::from(determiner);
        let (near, far) = if determiner { (before(2), before(3)) } else { (before(1), before(2)) };
        if near == "to" && far == "according" {
            found.push(Attribution {
                who,
                does: Does::Say,
                is_unusual: false,
                deed: None,
                from: end,
                mention: mention.saturating_sub(2),
                verb: at,
            });
            at = end;
            continue;
        }
        let clause = words[at].clause;
        let opens =
            words[..mention].iter().rev().take_while(|word| word.clause == clause).all(|word| {
                matches!(word.part, Part::Stop) && !PREPOSITIONS.contains(&word.lower.as_str())
            });
        let predicate = opens.then(|| predicate(words, mention, end, who, ground)).flatten();
        if let Some(attribution) = predicate {
            // What somebody is reported to have said about the other one is still theirs.
            let inner = words[..mention].iter().rev().take_while(|word| word.clause == clause).any(
                |word| {
                    matches!(word.lower.as_str(), "that" | "whether" | "if" | "because" | "which")
                },
            );
            let inside =
                inner
                    || !words[..mention].iter().rev().take_while(|word| word.clause == clause).any(
                        |word| matches!(word.lower.as_str(), "and" | "but" | "while" | "whereas"),
                    );
            let reporting = found.last().is_some_and(|last| last.does == Does::Say);
            if !(reporting && inside) {
                found.push(attribution);
            }
        }
        at = end;
    }
    found
}

fn predicate(
    words: &[Word],
    mention: usize,
    end: usize,
    who: Who,
    ground: &Ground,
) -> Option<Attribution> {
    let adverb = |word: &Word| {
        matches!(
            word.lower.as_str(),
            "also"
                | "then"
                | "later"
                | "now"
                | "first"
                | "just"
                | "still"
                | "again"
                | "and"
                | "has"
                | "had"
                | "have"
        ) || (word.lower.ends_with("ly") && word.lower.len() > 4)
    };
    let mut verb = end;
    while verb < words.len() && verb < end + 3 && adverb(&words[verb]) {
        verb += 1;
    }
    let word = words.get(verb)?.lower.as_str();
    let mut passive = false;
    if matches!(word, "was" | "were" | "is" | "are" | "been" | "got" | "being") {
        let mut next = verb + 1;
        while next < words.len()
            && next < verb + 4
            && (adverb(&words[next]) || words[next].lower == "been")
        {
            next += 1;
        }
        let participle = words.get(next).map_or("", |word| word.lower.as_str());
        if WAS_TOLD.contains(&participle) {
            passive = true;
            verb = next;
        } else if verbs::is_telling(participle) {
            verb = next;
        }
    }
    if passive {
        let who = match who {
            Who::Customer => Who::Agent,
            Who::Agent => Who::Customer,
            Who::Named(_) => return None,
        };
        return Some(Attribution {
            who,
            does: Does::Say,
            is_unusual: false,
            deed: None,
            from: verb + 1,
            mention,
            verb,
        });
    }
    let does = verbs::does(words, end, verb);
    let usual = verbs::usual(words, verb, does);
    let is_unusual = usual.zip(side(who, ground)).is_some_and(|(usual, side)| usual != side);
    let deed =
        matches!(who, Who::Customer | Who::Agent).then(|| verbs::deed(words, verb, does)).flatten();
    let telling = does == Does::Say && verbs::is_telling(&words[verb].lower);
    let from = if telling { verb + 1 } else { end };
    // "told the agent that": whom they told is no part of it.
    let object = words.get(from..from + 2).is_some_and(|next| {
        next[0].lower == "the"
            && (CUSTOMERS.contains(&next[1].lower.as_str())
                || AGENTS.contains(&next[1].lower.as_str()))
    });
    let from = if telling && object { from + 2 } else { from };
    Some(Attribution { who, does, is_unusual, deed, from, mention, verb })
}

/// In a contact, not in a meeting.
fn side(who: Who, ground: &Ground) -> Option<Side> {
    match who {
        Who::Customer => Some(Side::Customer),
        Who::Agent => Some(Side::Agent),
        Who::Named(speaker) => match ground.speakers[speaker].role {
            Role::Customer => Some(Side::Customer),
            Role::Agent | Role::Bot | Role::Supervisor | Role::Expert => Some(Side::Agent),
            Role::Mixed => None,
        },
    }
}

/// A speaker's name or role that begins at this word, and how many words it has.
pub(super) fn named_at(words: &[Word], at: usize, ground: &Ground) -> Option<(Who, usize)> {
    let word = words[at].lower.as_str();
    for (index, speaker) in ground.speakers.iter().enumerate() {
        let name = &speaker.name;
        let fits = !name.is_empty()
            && words.len() >= at + name.len()
            && name.iter().zip(&words[at..]).all(|(part, word)| *part == word.lower);
        if fits {
            return Some((Who::Named(index), name.len()));
        }
    }
    let has = |customer: bool| {
        ground.speakers.iter().any(|speaker| {
            (speaker.role == Role::Customer) == customer && speaker.role != Role::Mixed
        })
    };
    let thing = words.get(at + 1).is_some_and(|next| THINGS.contains(&next.lower.as_str()));
    if thing {
        return None;
    }
    if CUSTOMERS.contains(&word) && has(true) && has(false) {
        return Some((Who::Customer, 1));
    }
    (AGENTS.contains(&word) && has(true) && has(false)).then_some((Who::Agent, 1))
}
