//! Who said it.

use super::context::is_pronoun;
use super::ground::Ground;
use super::reading::{Part, Word};
use super::verify::{Case, Finding};
use crate::domain::{Fault, Role};

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
const SMALL_WEIGHT_ALONE: f32 = 0.4;
/// Less than this can be said by anybody.
const WEIGHT_MIN: f32 = 1.2;
/// What somebody said may be spread over so many sentences.
const UNITS_MAX: usize = 3;
const AT_ONCE_MIN: f32 = 0.8;
const AT_ONCE_LEAD: f32 = 0.3;

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
    /// Index of the verb.
    verb: usize,
}

/// How much of what is attributed one side said.
#[derive(Clone, Copy, Debug, Default)]
struct Shares {
    /// In one sentence.
    best: f32,
    /// In the three best.
    together: f32,
}

/// The sentence's words are those of the one whom it names.
pub(super) fn check(case: &Case) -> Finding {
    let words = &case.reading.words;
    let found = attributions(words, case.ground);
    for (index, attribution) in found.iter().enumerate() {
        let until = found.get(index + 1).map_or(words.len(), |next| next.mention);
        acts(case, *attribution)?;
        if attribution.from >= until {
            continue;
        }
        let (theirs, others) = shares(case, attribution.from..until, *attribution);
        let (least, lead) = if attribution.spoke { (0.55, 0.2) } else { (0.6, 0.35) };
        let together = others.together >= least && others.together - theirs.together >= lead;
        // In a long conversation everybody has said each of the words somewhere.
        let at_once = attribution.spoke
            && others.best >= AT_ONCE_MIN
            && others.best - theirs.best >= AT_ONCE_LEAD;
        if together || at_once {
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

/// The share of a segment that the three best units hold that speak for the attribution, and those
/// against it.
fn shares(
    case: &Case,
    segment: std::ops::Range<usize>,
    attribution: Attribution,
) -> (Shares, Shares) {
    let words = &case.reading.words[segment.clone()];
    let telling: f32 = words.iter().map(|word| word.part.weight()).sum();
    // What has hardly any telling words is told by its small ones.
    let small = if telling < WEIGHT_MIN { SMALL_WEIGHT_ALONE } else { SMALL_WEIGHT };
    let weights: Vec<f32> = words
        .iter()
        .map(|word| match word.part {
            _ if is_pronoun(&word.lower) => 0.0,
            Part::Stop | Part::Frame => small,
            part => part.weight(),
        })
        .collect();
    let total: f32 = weights.iter().sum();
    if total < WEIGHT_MIN {
        return Default::default();
    }
    let mut units: Vec<usize> = segment
        .clone()
        .filter(|at| telling < WEIGHT_MIN || case.reading.words[*at].part.weight() > 0.0)
        .flat_map(|at| case.support.holders[at].iter().map(|unit| *unit as usize))
        .filter(|unit| (case.allowed)(*unit))
        .collect();
    units.sort_unstable();
    units.dedup();
    let complains = case.reading.words[attribution.verb].lower.starts_with("compla");
    let held = |at: usize, unit: usize| case.support.holds(segment.start + at, unit);
    let (mut theirs, mut others) = (Vec::new(), Vec::new());
    for unit in units {
        if case.ground.units[unit].speaker.is_none() {
            continue;
        }
        let share: f32 =
            (0..weights.len()).filter(|at| held(*at, unit)).map(|at| weights[at]).sum();
        let by_them = is_theirs(case.ground, unit, attribution.who);
        let (mine, yours) = case.ground.units[unit].reading.persons;
        let (for_them, against) = match attribution.spoke {
            // "I'm sorry that you had trouble" is about what the other one complains of.
            true => {
                let either = by_them || (yours && complains);
                (either, !either)
            }
            // "I" is the speaker, "you" the other one; without either it may be anybody's.
            false if by_them => (mine || !yours, yours && !mine),
            false => (yours || !mine, mine && !yours),
        };
        if for_them {
            theirs.push((unit, share));
        }
        if against {
            others.push((unit, share));
        }
    }
    let sum_up = |mut units: Vec<(usize, f32)>| {
        units.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let best = units.first().map_or(0.0, |(_, share)| share / total);
        units.truncate(UNITS_MAX);
        let covered =
            (0..weights.len()).filter(|at| units.iter().any(|(unit, _)| held(*at, *unit)));
        let together = covered.map(|at| weights[at]).sum::<f32>() / total;
        Shares { best, together }
    };
    (sum_up(theirs), sum_up(others))
}

/// Apologies and complaints: one side's business, unless the other side uses the word.
fn acts(case: &Case, attribution: Attribution) -> Finding {
    let Some(verb) = case.reading.words.get(attribution.verb) else {
        return Ok(());
    };
    let needs: &[&str] = match verb.lower.get(..6).unwrap_or_default() {
        "apolog" => &["sorry", "apolog", "regret", "afraid", "unfort", "forgive"],
        "compla" if attribution.who == Who::Agent => &["compla"],
        _ => return Ok(()),
    };
    let mut theirs = case
        .ground
        .units
        .iter()
        .enumerate()
        .filter(|(unit, _)| is_theirs(case.ground, *unit, attribution.who));
    let does = theirs.any(|(_, unit)| {
        unit.reading.words.iter().any(|word| needs.iter().any(|need| word.lower.starts_with(need)))
    });
    match does {
        true => Ok(()),
        false => Err((Fault::Speaker, format!("somebody else \"{}\"", verb.lower))),
    }
}

/// Speakers' names say who, not what.
pub(super) fn mark(words: &mut [Word], ground: &Ground) {
    let mut at = 0;
    while at < words.len() {
        let length = match named_at(words, at, ground) {
            Some((Who::Named(_), length)) => length,
            _ => 0,
        };
        for word in words.iter_mut().skip(at).take(length) {
            word.part = Part::Frame;
        }
        at += length.max(1);
    }
    let verbs: Vec<usize> = attributions(words, ground)
        .into_iter()
        .filter(|attribution| attribution.spoke)
        .map(|attribution| attribution.verb)
        .collect();
    for verb in verbs {
        words[verb].part = Part::Frame;
    }
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
        let predicate = opens.then(|| predicate(words, mention, end, who)).flatten();
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
            let reporting = found.last().is_some_and(|last| last.spoke);
            if !(reporting && inside) {
                found.push(attribution);
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
        return Some(Attribution { who, spoke: true, from: verb + 1, mention, verb });
    }
    let spoke = SPOKE.contains(&word);
    let from = if spoke { verb + 1 } else { end };
    // "told the agent that": whom they told is no part of it.
    let object = words.get(from..from + 2).is_some_and(|next| {
        next[0].lower == "the"
            && (CUSTOMERS.contains(&next[1].lower.as_str())
                || AGENTS.contains(&next[1].lower.as_str()))
    });
    Some(Attribution {
        who,
        spoke,
        from: if spoke && object { from + 2 } else { from },
        mention,
        verb,
    })
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
    // "customer service" is nobody in the conversation.
    let thing = words.get(at + 1).is_some_and(|next| {
        matches!(next.lower.as_str(), "service" | "services" | "support" | "care" | "relations")
    });
    if thing {
        return None;
    }
    if CUSTOMERS.contains(&word) && has(true) && has(false) {
        return Some((Who::Customer, 1));
    }
    (AGENTS.contains(&word) && has(true) && has(false)).then_some((Who::Agent, 1))
}
