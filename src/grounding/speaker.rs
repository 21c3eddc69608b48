//! Who said it.

use std::collections::HashMap;

use super::ground::Ground;
use super::reading::{Part, Word};
use super::verify::{Case, Finding};
use crate::domain::{Fault, Role};

const CUSTOMERS: &[&str] = &[
    "customer",
    "customers",
    "client",
    "clients",
    "caller",
    "callers",
    "user",
    "buyer",
    "passenger",
    "subscriber",
];
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
/// Verbs whose subject is who spoke.
const SPOKE: &[&str] = &[
    "said",
    "says",
    "say",
    "saying",
    "told",
    "tells",
    "tell",
    "telling",
    "asked",
    "asks",
    "ask",
    "asking",
    "explained",
    "explains",
    "explaining",
    "reported",
    "reports",
    "reporting",
    "mentioned",
    "mentions",
    "stated",
    "states",
    "stating",
    "noted",
    "notes",
    "replied",
    "replies",
    "responded",
    "responds",
    "confirmed",
    "confirms",
    "complained",
    "complains",
    "complaining",
    "promised",
    "promises",
    "offered",
    "offers",
    "offering",
    "suggested",
    "suggests",
    "suggesting",
    "suggest",
    "advised",
    "advises",
    "advising",
    "informed",
    "informs",
    "informing",
    "enquired",
    "enquires",
    "enquiring",
    "inquired",
    "inquires",
    "inquiring",
    "requested",
    "requests",
    "requesting",
    "added",
    "adds",
    "claimed",
    "claims",
    "apologised",
    "apologises",
    "apologized",
    "apologizes",
    "thanked",
    "thanks",
    "insisted",
    "warned",
    "wondered",
    "announced",
    "updated",
    "updates",
    "denied",
    "admitted",
    "pointed",
    "assured",
    "assures",
    "wants",
    "wanted",
    "wrote",
    "writes",
    "recommended",
    "recommends",
    "instructed",
    "instructs",
    "proposed",
    "proposes",
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
const PREPOSITIONS: &[&str] = &["to", "by", "with", "for", "from", "of", "about", "at", "on"];
/// Small words count a little: in what is retold word by word they stand, too.
const SMALL_WEIGHT: f32 = 0.15;
/// Less than this can be said by anybody.
const WEIGHT_MIN: f32 = 1.2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Customer,
    Agent,
    Named(usize),
}

#[derive(Clone, Copy, Debug)]
struct Attribution {
    who: Who,
    /// They spoke the words that follow; otherwise they did what follows.
    spoke: bool,
    /// Index of the first word that is attributed.
    from: usize,
    /// Index of the word where the mention begins.
    mention: usize,
}

/// The sentence's words are those of the one whom it names.
pub(super) fn check(case: &Case) -> Finding {
    let words = &case.reading.words;
    let found = attributions(words, case.ground);
    for (index, attribution) in found.iter().enumerate() {
        let until = found.get(index + 1).map_or(words.len(), |next| next.mention);
        let Some(segment) = words.get(attribution.from..until) else { continue };
        let (theirs, others) = shares(case, segment, *attribution);
        let (least, lead) = if attribution.spoke { (0.55, 0.2) } else { (0.6, 0.35) };
        if others >= least && others - theirs >= lead {
            let name = match attribution.who {
                Who::Customer => "the customer".to_owned(),
                Who::Agent => "the agent".to_owned(),
                Who::Named(speaker) => case.ground.speakers[speaker].name.join(" "),
            };
            let what = if attribution.spoke { "said" } else { "did or said" };
            return Err((Fault::Speaker, format!("it isn't {name} who {what} this")));
        }
    }
    Ok(())
}

/// The words behind "the customer said that", with the speaker's test, when the sentence begins so.
pub(super) fn quoted_from(case: &Case) -> Option<(usize, impl Fn(usize) -> bool)> {
    let first = attributions(&case.reading.words, case.ground).into_iter().next()?;
    let from = (first.spoke && first.mention <= 1).then_some(first.from)?;
    let that = case.reading.words.get(from).is_some_and(|word| word.lower == "that");
    let ground = case.ground;
    Some((from + usize::from(that), move |unit: usize| is_theirs(ground, unit, first.who)))
}

fn is_theirs(ground: &Ground, unit: usize, who: Who) -> bool {
    let Some(speaker) = ground.units[unit].speaker else { return false };
    match who {
        Who::Named(named) => named == speaker,
        Who::Customer => ground.speakers[speaker].role == Role::Customer,
        Who::Agent => {
            matches!(
                ground.speakers[speaker].role,
                Role::Agent | Role::Bot | Role::Supervisor | Role::Expert
            )
        }
    }
}

/// The best share of a segment in one unit that speaks for the attribution, and in one against it.
fn shares(case: &Case, segment: &[Word], attribution: Attribution) -> (f32, f32) {
    let weight = |word: &Word| match word.part {
        Part::Stop | Part::Frame => SMALL_WEIGHT,
        part => part.weight(),
    };
    let total: f32 = segment.iter().map(weight).sum();
    let telling: f32 = segment.iter().map(|word| word.part.weight()).sum();
    if total < WEIGHT_MIN || telling <= 0.0 {
        return (1.0, 0.0);
    }
    let mut scores: HashMap<usize, f32> = HashMap::new();
    for word in segment.iter().filter(|word| word.part.weight() > 0.0) {
        for unit in case.ground.postings.get(&word.stem).into_iter().flatten() {
            if (case.allowed)(*unit as usize) {
                scores.insert(*unit as usize, 0.0);
            }
        }
    }
    let (mut theirs, mut others) = (0.0_f32, 0.0_f32);
    for unit in scores.into_keys() {
        let Some(speaker) = case.ground.units[unit].speaker else { continue };
        let share = segment
            .iter()
            .filter(|word| super::support::stands_in(case.ground, &word.stem, unit))
            .map(weight)
            .sum::<f32>()
            / total;
        let by_them = is_theirs(case.ground, unit, attribution.who);
        let (mine, yours) = case.ground.units[unit].reading.persons;
        let (for_them, against) = match attribution.spoke {
            true => (by_them, !by_them),
            // "I" is the speaker, "you" the other one; without either it may be anybody's.
            false if by_them => (mine || !yours, yours && !mine),
            false => (yours || !mine, mine && !yours),
        };
        let _ = speaker;
        if for_them {
            theirs = theirs.max(share);
        }
        if against {
            others = others.max(share);
        }
    }
    (theirs, others)
}

fn attributions(words: &[Word], ground: &Ground) -> Vec<Attribution> {
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
                spoke: true,
                from: end,
                mention: mention.saturating_sub(2),
            });
            at = end;
            continue;
        }
        let clause = words[at].clause;
        let opens =
            words[..mention].iter().rev().take_while(|word| word.clause == clause).all(|word| {
                matches!(word.part, Part::Stop) && !PREPOSITIONS.contains(&word.lower.as_str())
            });
        if opens {
            if let Some(attribution) = predicate(words, mention, end, who) {
                // What somebody is reported to have said about the other one is still theirs.
                let inner =
                    words[..mention].iter().rev().take_while(|word| word.clause == clause).any(
                        |word| {
                            matches!(
                                word.lower.as_str(),
                                "that" | "whether" | "if" | "because" | "which"
                            )
                        },
                    );
                let inside = inner
                    || !words[..mention].iter().rev().take_while(|word| word.clause == clause).any(
                        |word| matches!(word.lower.as_str(), "and" | "but" | "while" | "whereas"),
                    );
                let reporting = found.last().is_some_and(|last| last.spoke);
                if !(reporting && inside && !attribution.spoke) {
                    found.push(attribution);
                }
            }
        }
        at = end;
    }
    found
}

fn predicate(words: &[Word], mention: usize, end: usize, who: Who) -> Option<Attribution> {
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
    let mut word = words.get(verb)?.lower.as_str();
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
        } else if SPOKE.contains(&participle) {
            verb = next;
        }
        word = words.get(verb)?.lower.as_str();
    }
    if passive {
        let who = match who {
            Who::Customer => Who::Agent,
            Who::Agent => Who::Customer,
            Who::Named(_) => return None,
        };
        return Some(Attribution { who, spoke: true, from: verb + 1, mention });
    }
    let spoke = SPOKE.contains(&word);
    let from = if spoke { verb + 1 } else { end };
    // "told the agent that": whom they told is no part of it.
    let object = words.get(from..from + 2).is_some_and(|next| {
        next[0].lower == "the"
            && (CUSTOMERS.contains(&next[1].lower.as_str())
                || AGENTS.contains(&next[1].lower.as_str()))
    });
    Some(Attribution { who, spoke, from: if spoke && object { from + 2 } else { from }, mention })
}

/// A speaker's name or role that begins at this word, and how many words it has.
fn named_at(words: &[Word], at: usize, ground: &Ground) -> Option<(Who, usize)> {
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
    if CUSTOMERS.contains(&word) && has(true) && has(false) {
        return Some((Who::Customer, 1));
    }
    (AGENTS.contains(&word) && has(true) && has(false)).then_some((Who::Agent, 1))
}
