//! What a sentence says of its subject was said: a noun that stands in the sources doesn't bear out a
//! verb that stands nowhere, and a promise isn't a deed.

mod aspect;
mod verbs;

use self::aspect::Aspect;
use self::verbs::{helper, is_adverb, is_deed, is_grant, is_past, is_weak, is_wish};
pub(super) use self::verbs::{is_subject, opens_noun};
use super::reading::{Part, Reading, Word};
use super::tongue::{self, Tongue};
use super::verify::{Case, Finding};
use crate::domain::Fault;

/// What a predicate needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    /// The word, or one like it, and that it was said so: done, promised or possible.
    Word,
    /// Its word may be any: "you get" is said of what somebody sends.
    Shape,
    /// What something is: "in your account".
    Name,
}

#[derive(Clone, Copy, Debug)]
struct Predicate {
    at: usize,
    needs: Needs,
    aspect: Aspect,
    /// Somebody asked or wondered, so a question bears it out.
    is_asked: bool,
}

/// Where somebody is bound by it, each verb must have been said. Everywhere, what settles a matter must.
pub(super) fn check(case: &Case) -> Finding {
    if tongue::of_claim(&case.reading.words, case.ground) != Tongue::English {
        return Ok(());
    }
    let found = match case.ground.is_strict() {
        true => all(&case.reading),
        false => deeds(&case.reading),
    };
    found.into_iter().try_for_each(|predicate| borne(case, predicate))
}

/// With no more telling words than these a sentence is a noun and its verb.
const FEW: usize = 2;

/// Verbs that settle something, as done or promised; in a sentence of a noun and a verb, any.
fn deeds(reading: &Reading) -> Vec<Predicate> {
    let telling = |word: &&Word| word.part == Part::Content && !reading.is_exact(word);
    let is_short = reading.words.iter().filter(telling).count() <= FEW;
    let mut found = all(reading);
    found.retain(|one| {
        let word = &reading.words[one.at];
        let settles = match one.aspect {
            Aspect::Done | Aspect::Will => {
                is_deed(&word.stem) || (is_short && word.part == Part::Content)
            }
            Aspect::State => is_deed(&word.stem),
            _ => false,
        };
        one.needs == Needs::Word && settles && !one.is_asked
    });
    found
}

/// Whether these words say something, and don't only name it.
pub(super) fn has_verb(reading: &Reading, mut words: std::ops::Range<usize>) -> bool {
    words.any(|at| {
        let lower = reading.words[at].lower.as_str();
        helper(reading, at).is_some() || is_past(lower) || is_subject(lower)
    })
}

fn all(reading: &Reading) -> Vec<Predicate> {
    let words = &reading.words;
    let mut found = Vec::new();
    let mut is_asked = false;
    for (at, word) in words.iter().enumerate() {
        is_asked |= is_wish(words, at);
        if word.part == Part::Stop
            || is_adverb(&word.lower)
            || reading.is_exact(word)
            || (word.capital && at > 0)
        {
            continue;
        }
        let Some((needs, is_shaped)) = needs(reading, at) else { continue };
        let aspect = if is_shaped { aspect::at(reading, at) } else { Aspect::May };
        // "The engineer came" says more than "comes".
        let is_done = aspect == Aspect::Done && !is_weak(&word.lower);
        let needs = if is_done && needs == Needs::Shape { Needs::Word } else { needs };
        found.push(Predicate { at, needs, aspect, is_asked });
    }
    found
}

/// What a word needs if it is a predicate, and whether its form says when.
fn needs(reading: &Reading, at: usize) -> Option<(Needs, bool)> {
    let words = &reading.words;
    let word = &words[at];
    let lower = word.lower.as_str();
    let before = before(words, at);
    let by_noun = before.is_some_and(|before| opens_noun(&words[before].lower));
    if word.part == Part::Frame && !is_grant(words, at) {
        return None;
    }
    let light = word.part == Part::Light;
    let whole = if light { Needs::Shape } else { Needs::Word };
    if is_past(lower) {
        // "the replaced card"
        let goes_with_noun = by_noun
            && words
                .get(at + 1)
                .is_some_and(|next| next.clause == word.clause && next.part != Part::Stop);
        return Some((whole, !goes_with_noun));
    }
    let Some(before) = before else {
        // "Replace the card."
        let object = words.get(at + 1).is_some_and(|next| opens_noun(&next.lower));
        return (object && !light).then_some((whole, false));
    };
    let shaped = helper(reading, before).is_some() || words[before].lower == "to";
    if shaped || is_subject(&words[before].lower) {
        return Some((if is_named(reading, before) { Needs::Name } else { whole }, true));
    }
    if is_deed(&word.stem) && !by_noun && !light {
        let bare = lower.ends_with('s') || lower.ends_with("ing");
        return Some((whole, !bare));
    }
    // "is in the account"
    let (mut back, mut far) = (before, 0);
    while back > 0 && far < 3 && words[back].part == Part::Stop && words[back].clause == word.clause
    {
        if is_named(reading, back) && helper(reading, back).is_some() {
            return (!light).then_some((Needs::Name, true));
        }
        back -= 1;
        far += 1;
    }
    None
}

/// "is", "was", "be": what follows may be a name or a place.
fn is_named(reading: &Reading, at: usize) -> bool {
    use self::verbs::Helper;
    matches!(
        helper(reading, at),
        Some(Helper::Is | Helper::Was | Helper::Be | Helper::Short | Helper::Have)
    )
}

/// The word before within the clause, without adverbs.
fn before(words: &[Word], at: usize) -> Option<usize> {
    let clause = words[at].clause;
    (0..at)
        .rev()
        .take_while(|before| words[*before].clause == clause)
        .find(|before| !is_adverb(&words[*before].lower))
}

/// So many units that hold a word are looked at.
const PLACES_MAX: usize = 200;
/// Where a source goes on with "it", what it means stands so near.
const REACH: usize = 3;
const DONE_REACH: usize = 4;

fn borne(case: &Case, predicate: Predicate) -> Finding {
    let word = &case.reading.words[predicate.at];
    let text = case.reading.text.get(word.bytes.clone()).unwrap_or_default();
    let arguments = arguments(case, predicate.at);
    let mut is_said = false;
    for (unit, place) in places(case, predicate.at) {
        if !is_about(case, unit, &arguments) {
            continue;
        }
        let of = &case.ground.units[unit];
        let asked = of.reading.is_question && of.answer != Some(true);
        if asked && !predicate.is_asked && case.ground.is_strict() {
            continue;
        }
        is_said = true;
        let said = match aspect::at(&of.reading, place) {
            Aspect::Will | Aspect::May if is_done_then(case, unit) => Aspect::Done,
            said => said,
        };
        if predicate.needs == Needs::Name
            || aspect::bears(predicate.aspect, said, of.speaker.is_none())
        {
            return shaped(case, predicate, &arguments, text);
        }
    }
    if implied(case, predicate.at, &arguments) {
        return Ok(());
    }
    match (is_said, predicate.needs) {
        (false, Needs::Shape) => shaped(case, predicate, &arguments, text),
        (false, _) => Err((Fault::Meaning, format!("its sources don't say \"{text}\" of it"))),
        (true, _) => {
            Err((Fault::Meaning, format!("its sources don't say \"{text}\" as what is so")))
        }
    }
}

/// "Since Monday" says that it started; "No, thank you" turns an offer down.
fn implied(case: &Case, at: usize, arguments: &[usize]) -> bool {
    let starts = verbs::is_start(&case.reading.words[at].lower);
    if !starts && !is_refusal(&case.reading.words, at) {
        return false;
    }
    case.ground.units.iter().enumerate().any(|(number, unit)| {
        let words = &unit.reading.words;
        let says = match starts {
            true => words.iter().any(|word| word.lower == "since"),
            false => words.first().is_some_and(|word| matches!(word.lower.as_str(), "no" | "nope")),
        };
        says && (case.allowed)(number) && is_about(case, number, arguments)
    })
}

/// "The customer turned it down": said of somebody, not of a thing.
fn is_refusal(words: &[Word], at: usize) -> bool {
    let lower = words[at].lower.as_str();
    let refuses = matches!(lower, "declined" | "declines" | "refused" | "refuses" | "rejected")
        || (matches!(lower, "turned" | "turns")
            && words[at + 1..].iter().take(3).any(|next| next.lower == "down"));
    let somebody =
        |lower: &str| is_subject(lower) || matches!(lower, "customer" | "caller" | "agent");
    refuses && before(words, at).is_some_and(|before| somebody(&words[before].lower))
}

/// Whoever said what they will do, or can, says "done" a little later.
fn is_done_then(case: &Case, unit: usize) -> bool {
    let units = &case.ground.units;
    let speaker = units[unit].speaker;
    let later = units.iter().skip(unit + 1).take(DONE_REACH);
    later.into_iter().any(|later| later.speaker == speaker && verbs::is_done(&later.reading.words))
}

/// What something is, and verbs of any word, are said in a sentence of the same shape.
fn shaped(case: &Case, predicate: Predicate, arguments: &[usize], text: &str) -> Finding {
    let open = matches!(predicate.aspect, Aspect::May | Aspect::Wish | Aspect::Plain);
    if predicate.needs == Needs::Word || open || predicate.is_asked {
        return Ok(());
    }
    let held = |unit: usize| {
        let words = arguments.iter().chain([&predicate.at]);
        words.filter(|word| case.support.holds(**word, unit)).count()
    };
    let best = case.support.units.iter().map(|unit| held(*unit)).max().unwrap_or(0);
    let mut near = case.support.units.iter().filter(|unit| held(**unit) == best);
    let is_so = near.any(|unit| {
        let unit = &case.ground.units[*unit];
        let mut said = aspect::all(&unit.reading).peekable();
        said.peek().is_none()
            || said.any(|said| aspect::bears(predicate.aspect, said, unit.speaker.is_none()))
    });
    match is_so {
        true => Ok(()),
        false => Err((Fault::Meaning, format!("its sources don't say \"{text}\" as what is so"))),
    }
}

/// What the predicate is about: the other telling words of its clause, or of the sentence.
fn arguments(case: &Case, at: usize) -> Vec<usize> {
    let words = &case.reading.words;
    let telling = |word: usize| word != at && words[word].part == Part::Content;
    let of = |clause: Option<usize>| -> Vec<usize> {
        let all = (0..words.len()).filter(|word| telling(*word));
        all.filter(|word| clause.is_none_or(|clause| words[*word].clause == clause)).collect()
    };
    let own = of(Some(words[at].clause));
    if own.is_empty() { of(None) } else { own }
}

/// Where the word, or one that people put for it, stands in the sources.
fn places(case: &Case, at: usize) -> Vec<(usize, usize)> {
    let ground = case.ground;
    let stem = case.reading.words[at].stem.as_str();
    let stems = std::iter::once(stem).chain(verbs::alike(stem).iter().map(String::as_str));
    let mut found = Vec::new();
    for stem in stems {
        let units = ground.postings.get(stem).map_or(&[][..], Vec::as_slice);
        for unit in units.iter().map(|unit| *unit as usize).filter(|unit| (case.allowed)(*unit)) {
            let words = &ground.units[unit].reading.words;
            found.extend(
                (0..words.len()).filter(|place| words[*place].stem == stem).map(|at| (unit, at)),
            );
            if found.len() >= PLACES_MAX {
                return found;
            }
        }
    }
    if matches!(stem, "refund" | "repay" | "return" | "credit") {
        let backs = ground.postings.get("back").map_or(&[][..], Vec::as_slice);
        for unit in backs.iter().map(|unit| *unit as usize).filter(|unit| (case.allowed)(*unit)) {
            let words = &ground.units[unit].reading.words;
            found.extend(
                (0..words.len()).filter(|at| verbs::is_given_back(words, *at)).map(|at| (unit, at)),
            );
        }
    }
    found
}

/// The unit speaks of what the sentence does, by name or by "it".
fn is_about(case: &Case, unit: usize, arguments: &[usize]) -> bool {
    let holds = |unit: usize| arguments.iter().any(|word| case.support.holds(*word, unit));
    if arguments.is_empty() || holds(unit) {
        return true;
    }
    let units = &case.ground.units;
    let points = |word: &Word| {
        matches!(
            word.lower.as_str(),
            "it" | "its"
                | "itll"
                | "that"
                | "thats"
                | "this"
                | "these"
                | "those"
                | "them"
                | "they"
                | "one"
                | "he"
                | "she"
                | "him"
                | "her"
                | "which"
                | "both"
                | "same"
        )
    };
    let from = unit.saturating_sub(REACH);
    let strict = case.ground.is_strict();
    if strict && !units[unit].reading.is_question && !units[unit].reading.words.iter().any(points) {
        return false;
    }
    let to = (unit + 1 + REACH).min(units.len());
    let to = if strict && !units[unit].reading.is_question { unit } else { to };
    (from..to).any(|near| (case.allowed)(near) && holds(near))
}
