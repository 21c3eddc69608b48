//! A sentence word by word beside what it retells: what was put in, left out or put in another's place.
//!
//! The local alignment is Smith and Waterman's ("Identification of common molecular subsequences", Journal of
//! Molecular Biology 147, 1981), over stems.

use super::context::is_pronoun;
use super::facts::Fact;
use super::polarity::{is_denial, opposite_of};
use super::reading::{Part, Reading, Word};
use super::speaker;
use super::swap::alike;
use super::verify::{Case, Finding};
use crate::domain::Fault;

const CONTENT: f32 = 2.0;
const LIGHT: f32 = 1.5;
const SMALL: f32 = 1.0;
/// Pronouns change when somebody's words are retold.
const PRONOUN: f32 = 0.5;
const OTHER_WORD: f32 = -1.0;
const GAP: f32 = -0.7;
/// What is alike for less isn't a retelling.
const SCORE_MIN: f32 = 4.5;
const MATCHES_MIN: usize = 4;
/// So much better another speaker's sentence fits.
const LEAD: f32 = 2.0;
/// Words at the beginning of what is reported that may be the writer's.
const OPENING: usize = 3;
/// Where a sentence is retold so closely, no telling word stands for another.
const RETOLD_SCORE_MIN: f32 = 6.0;
/// The same hours.
const LATE: [&str; 3] = ["evening", "night", "tonight"];
/// Sources that are compared, those that hold most of the sentence.
const UNITS_MAX: usize = 12;
const SHARE_MIN: f32 = 0.15;

/// A stretch of the sentence beside one of a source.
struct Alignment {
    unit: usize,
    score: f32,
    /// First and last word of the sentence in it.
    from: usize,
    to: usize,
    changed: Option<Change>,
}

struct Change {
    /// Where in the sentence.
    at: usize,
    fault: Fault,
    why: String,
}

/// Within what is retold nearly word by word nothing is denied, turned round or numbered otherwise.
pub(super) fn check(case: &Case) -> Finding {
    let ground = case.ground;
    let mut units: Vec<(usize, f32)> = (case.support.near_units().into_iter())
        .filter(|unit| (case.allowed)(*unit))
        .map(|unit| (unit, case.support.share_of(unit)))
        .filter(|(unit, share)| *share >= SHARE_MIN && !ground.units[*unit].reading.is_question)
        .collect();
    units.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    units.truncate(UNITS_MAX);
    let aligned: Vec<Alignment> = units
        .iter()
        .filter_map(|(unit, _)| align(&case.reading, *unit, &ground.units[*unit].reading))
        .collect();
    somebody_elses(case, &aligned)?;
    for one in &aligned {
        let Some(change) = &one.changed else { continue };
        // Another source says just this.
        let said = aligned.iter().any(|other| {
            let here = (other.from..=other.to).contains(&change.at);
            here && other.score >= one.score
                && other.changed.as_ref().is_none_or(|theirs| theirs.at != change.at)
        });
        if !said {
            return Err((change.fault, change.why.clone()));
        }
    }
    Ok(())
}

/// What somebody is reported to have said isn't the other's sentence.
fn somebody_elses(case: &Case, aligned: &[Alignment]) -> Finding {
    let Some((from, is_theirs)) = speaker::quoted_from(case) else { return Ok(()) };
    let best = |theirs: bool| {
        let of = aligned.iter().filter(|one| one.from <= from + OPENING && one.to > from);
        of.filter(|one| is_theirs(one.unit) == theirs).map(|one| one.score).fold(0.0, f32::max)
    };
    if best(false) >= best(true) + LEAD {
        return Err((Fault::Speaker, "somebody else said this".into()));
    }
    Ok(())
}

fn likeness(claimed: &Word, said: &Word) -> f32 {
    let denial = (is_denial(&claimed.lower), is_denial(&said.lower));
    match claimed.part {
        _ if denial.0 != denial.1 => match bare(&claimed.lower) == bare(&said.lower) {
            true => SMALL,
            false => OTHER_WORD,
        },
        Part::Content if claimed.stem == said.stem => CONTENT,
        Part::Light if claimed.stem == said.stem => LIGHT,
        Part::Stop | Part::Frame if claimed.stem == said.stem => SMALL,
        _ if is_pronoun(&claimed.lower) && is_pronoun(&said.lower) => PRONOUN,
        _ => OTHER_WORD,
    }
}

/// "didn't" without its "not".
fn bare(auxiliary: &str) -> &str {
    match auxiliary {
        "cant" | "cannot" => "can",
        "wont" => "will",
        "shant" => "shall",
        other => other.strip_suffix("nt").unwrap_or(other),
    }
}

/// The best stretch of both.
fn align(claim: &Reading, unit: usize, source: &Reading) -> Option<Alignment> {
    let (claimed, said) = (&claim.words, &source.words);
    let width = said.len() + 1;
    let mut scores = vec![0.0_f32; (claimed.len() + 1) * width];
    let mut best = (0.0, 0, 0);
    for here in 1..=claimed.len() {
        for there in 1..=said.len() {
            let both = scores[(here - 1) * width + there - 1]
                + likeness(&claimed[here - 1], &said[there - 1]);
            let put_in = scores[(here - 1) * width + there] + GAP;
            let left_out = scores[here * width + there - 1] + GAP;
            let score = both.max(put_in).max(left_out).max(0.0);
            scores[here * width + there] = score;
            if score > best.0 {
                best = (score, here, there);
            }
        }
    }
    let (score, mut here, mut there) = best;
    if score < SCORE_MIN {
        return None;
    }
    let to = here - 1;
    let mut matches = 0;
    let beside = Beside { claim, source, score };
    // What differs between two words that are the same, from behind; or between the last and the end.
    let mut ours: Vec<usize> = (here..claimed.len()).rev().collect();
    let mut theirs: Vec<usize> = (there..said.len()).rev().collect();
    if ours.len() != 1 || theirs.len() != 1 {
        ours.clear();
        theirs.clear();
    }
    let mut changed = None;
    while here > 0 && there > 0 && scores[here * width + there] > 0.0 {
        let at = scores[here * width + there];
        let alike = likeness(&claimed[here - 1], &said[there - 1]);
        let both = scores[(here - 1) * width + there - 1] + alike;
        if (at - both).abs() < 1e-4 {
            let same = alike > 0.0;
            if same {
                changed = beside.change(here - 1, &ours, &theirs).or(changed);
                ours.clear();
                theirs.clear();
                matches += 1;
            }
            let denied = |word: &Word| is_denial(&word.lower);
            if !same || denied(&claimed[here - 1]) != denied(&said[there - 1]) {
                ours.push(here - 1);
                theirs.push(there - 1);
            }
            here -= 1;
            there -= 1;
        } else if (at - (scores[(here - 1) * width + there] + GAP)).abs() < 1e-4 {
            ours.push(here - 1);
            here -= 1;
        } else {
            theirs.push(there - 1);
            there -= 1;
        }
    }
    // The first word that is alike may itself be the one that is denied, or the one before it.
    if ours.is_empty() && theirs.is_empty() && here == 1 && there == 1 {
        ours.push(0);
        theirs.push(0);
    }
    changed = beside.change(here, &ours, &theirs).or(changed);
    (matches >= MATCHES_MIN).then_some(Alignment { unit, score, from: here, to, changed })
}

/// A sentence and the source that it retells.
struct Beside<'a> {
    claim: &'a Reading,
    source: &'a Reading,
    score: f32,
}

impl Beside<'_> {
    /// Whether a difference turns what was said into something else. The words' numbers are from
    /// behind; `at` is the word of the sentence before them.
    fn change(&self, at: usize, ours: &[usize], theirs: &[usize]) -> Option<Change> {
        let (claimed, said) = (&self.claim.words, &self.source.words);
        let (here, there) = (denials(claimed, ours), denials(said, theirs));
        if here != there {
            let how = if here > there { "more" } else { "less" };
            let why = format!("it denies {how} than its sources");
            return Some(Change { at, fault: Fault::Negation, why });
        }
        // The words next to the same ones are in each other's place.
        let pairs = [(ours.first(), theirs.first()), (ours.last(), theirs.last())];
        pairs.into_iter().find_map(|pair| {
            let (Some(here), Some(there)) = pair else { return None };
            let one = ours.len() == 1 && theirs.len() == 1;
            let (here, there) = (&claimed[*here], &said[*there]);
            let fault = self.swapped(here, there, one)?;
            let why = format!("its sources say \"{}\", not \"{}\"", there.lower, here.lower);
            Some(Change { at, fault, why })
        })
    }

    /// What is wrong with one word in the place of another; `one` when nothing else differs there.
    fn swapped(&self, ours: &Word, theirs: &Word, one: bool) -> Option<Fault> {
        let numbered = |word: &Word| word.lower.contains(|c: char| c.is_ascii_digit());
        let exact = |reading: &Reading, word: &Word| {
            let inside = |fact: &Fact| {
                fact.bytes.start <= word.bytes.start && word.bytes.end <= fact.bytes.end
            };
            reading.facts.iter().any(inside)
        };
        let telling = |word: &Word| matches!(word.part, Part::Content | Part::Light);
        let elsewhere =
            |words: &[Word], word: &Word| words.iter().any(|other| other.stem == word.stem);
        if opposite_of(&ours.lower, &theirs.lower) {
            Some(Fault::Negation)
        } else if numbered(ours) && numbered(theirs) && ours.lower != theirs.lower {
            Some(Fault::Code).filter(|_| !exact(self.claim, ours))
        } else if one
            && self.score >= RETOLD_SCORE_MIN
            && exact(self.claim, ours)
            && exact(self.source, theirs)
            && !numbered(ours)
            && !numbered(theirs)
            && !alike(&ours.lower, &theirs.lower)
            && !(LATE.contains(&ours.lower.as_str()) && LATE.contains(&theirs.lower.as_str()))
        {
            // "Good morning" was said as well, but not here.
            Some(Fault::Date)
        } else if one
            && self.score >= RETOLD_SCORE_MIN
            && telling(ours)
            && telling(theirs)
            && !alike(&ours.lower, &theirs.lower)
            && !exact(self.claim, ours)
            && !elsewhere(&self.source.words, ours)
            && !elsewhere(&self.claim.words, theirs)
        {
            Some(Fault::Meaning)
        } else {
            None
        }
    }
}

/// How much is denied; "No, thanks" is an answer of its own.
fn denials(words: &[Word], among: &[usize]) -> usize {
    let answers = |at: usize| {
        words[at].lower == "no"
            && words.get(at + 1).is_none_or(|next| next.clause != words[at].clause)
    };
    among.iter().filter(|at| is_denial(&words[**at].lower) && !answers(**at)).count()
}
