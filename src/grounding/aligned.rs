//! A sentence word by word beside what it retells: what was put in, left out or put in another's place.
//!
//! The local alignment is Smith and Waterman's ("Identification of common molecular subsequences", Journal of
//! Molecular Biology 147, 1981), over stems.

use super::context::is_pronoun;
use super::opposites::opposite_of;
use super::polarity::is_denial;
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
/// Nobody retells these.
const FILLERS: &[&str] = &["uh", "um", "er", "erm", "mm", "hmm"];
/// The same hours.
const LATE: [&str; 3] = ["evening", "night", "tonight"];
/// Sums of the same weights in another order.
const SAME_SCORE: f32 = 1e-4;
/// Sources that are compared, those that hold most of the sentence.
const UNITS_MAX: usize = 12;
/// Words of a sentence that are looked at; a longer one isn't a sentence, and is struck.
const CLAIM_WORDS_MAX: usize = 256;
/// A source without full stops is looked at in windows of so many words, each beginning so many
/// behind the one before: a message of any length costs no more memory than this.
const WINDOW_WORDS: usize = 768;
const WINDOW_STEP_WORDS: usize = 512;
const SHARE_MIN: f32 = 0.15;
/// The stem of what begins an address, which nobody reads out.
const ADDRESS: &str = "link";

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
    if case.reading.words.len() > CLAIM_WORDS_MAX {
        return Err((Fault::Meaning, "it is too long to be checked word by word".into()));
    }
    let mut units: Vec<(usize, f32)> = (case.support.near_units().into_iter())
        .filter(|unit| (case.allowed)(*unit))
        .map(|unit| (unit, case.support.share_of(unit)))
        .filter(|(unit, share)| *share >= SHARE_MIN && !ground.units[*unit].stated().is_empty())
        .collect();
    units.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    units.truncate(UNITS_MAX);
    let aligned: Vec<Alignment> = units
        .iter()
        .filter_map(|(unit, _)| {
            let source = &ground.units[*unit].reading;
            let aligned = windows(ground.units[*unit].stated())
                .filter_map(|said| Beside { claim: &case.reading, source, said }.align(*unit));
            aligned.max_by(|a, b| a.score.total_cmp(&b.score))
        })
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
    // What is asked is no statement of anybody's.
    if speaker::is_asked(case) {
        return Ok(());
    }
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

/// The words of a source, in stretches that are short enough to be laid beside a sentence.
fn windows(words: &[Word]) -> impl Iterator<Item = &[Word]> {
    let more = words.len().saturating_sub(WINDOW_WORDS).div_ceil(WINDOW_STEP_WORDS);
    (0..=more).map(move |window| {
        let from = window * WINDOW_STEP_WORDS;
        &words[from..(from + WINDOW_WORDS).min(words.len())]
    })
}

/// A sentence and the source that it retells, or a window of it.
struct Beside<'a> {
    claim: &'a Reading,
    source: &'a Reading,
    said: &'a [Word],
}

impl Beside<'_> {
    /// The best stretch of both.
    fn align(&self, unit: usize) -> Option<Alignment> {
        let (claimed, said) = (&self.claim.words, self.said);
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
        let is_retold = score >= RETOLD_SCORE_MIN;
        let to = here - 1;
        // What differs between two words that are the same, from behind. At both ends a single word
        // may stand for a single other one, with nothing beyond it to be the same.
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        if ends(claimed, here) && ends(said, there) {
            ours.push(here);
            theirs.push(there);
        }
        let (mut matches, mut changed) = (0, None);
        while here > 0 && there > 0 && scores[here * width + there] > 0.0 {
            let at = scores[here * width + there];
            let alike = likeness(&claimed[here - 1], &said[there - 1]);
            let both = scores[(here - 1) * width + there - 1] + alike;
            if (at - both).abs() < SAME_SCORE {
                let is_same = alike > 0.0;
                if is_same {
                    changed = self.change(here - 1, &ours, &theirs, is_retold).or(changed);
                    ours.clear();
                    theirs.clear();
                    matches += 1;
                }
                // "did" and "didn't" are alike and not the same.
                let denied = |word: &Word| is_denial(&word.lower);
                if !is_same || denied(&claimed[here - 1]) != denied(&said[there - 1]) {
                    ours.push(here - 1);
                    theirs.push(there - 1);
                }
                here -= 1;
                there -= 1;
            } else if (at - (scores[(here - 1) * width + there] + GAP)).abs() < SAME_SCORE {
                ours.push(here - 1);
                here -= 1;
            } else {
                if !FILLERS.contains(&said[there - 1].lower.as_str()) {
                    theirs.push(there - 1);
                }
                there -= 1;
            }
        }
        if here == 1 && there == 1 {
            ours.push(0);
            theirs.push(0);
        }
        changed = self.change(here, &ours, &theirs, is_retold).or(changed);
        (matches >= MATCHES_MIN).then_some(Alignment { unit, score, from: here, to, changed })
    }

    /// Whether a difference turns what was said into something else. The words' numbers are from
    /// behind; `at` is the word of the sentence before them.
    fn change(
        &self,
        at: usize,
        ours: &[usize],
        theirs: &[usize],
        is_retold: bool,
    ) -> Option<Change> {
        let (claimed, said) = (&self.claim.words, self.said);
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
            let alone = ours.len() == 1 && theirs.len() == 1;
            let (here, there) = (&claimed[*here], &said[*there]);
            let fault = self.swapped(here, there, alone && is_retold)?;
            let why = format!("its sources say \"{}\", not \"{}\"", there.lower, here.lower);
            Some(Change { at, fault, why })
        })
    }

    /// What is wrong with one word in the place of another; `closely` when nothing else differs there
    /// and the rest is retold.
    fn swapped(&self, ours: &Word, theirs: &Word, closely: bool) -> Option<Fault> {
        if opposite_of(&ours.lower, &theirs.lower) {
            return Some(Fault::Negation);
        }
        let numbered = |word: &Word| word.lower.contains(|c: char| c.is_ascii_digit());
        let (claimed, said) = (self.claim.is_exact(ours), self.source.is_exact(theirs));
        if numbered(ours) || numbered(theirs) {
            let differ = numbered(ours) && numbered(theirs) && ours.lower != theirs.lower;
            return (differ && !claimed).then_some(Fault::Code);
        }
        if !closely || theirs.stem == ADDRESS || alike(&ours.lower, &theirs.lower) {
            return None;
        }
        if claimed {
            // "Good morning" was said as well, but not here.
            let late = |word: &Word| LATE.contains(&word.lower.as_str());
            return (said && !(late(ours) && late(theirs))).then_some(Fault::Date);
        }
        let telling = |word: &Word| matches!(word.part, Part::Content | Part::Light);
        let count = |words: &[Word]| words.iter().filter(|word| word.stem == theirs.stem).count();
        let is_missing = count(&self.claim.words) < count(&self.source.words);
        let is_new = is_missing && !self.source.words.iter().any(|word| word.stem == ours.stem);
        (telling(ours) && telling(theirs) && is_new).then_some(Fault::Meaning)
    }
}

/// Nothing of the word's clause stands behind it.
fn ends(words: &[Word], at: usize) -> bool {
    let clause = |at: usize| words.get(at).map(|word| word.clause);
    at < words.len() && clause(at + 1) != clause(at)
}

/// How much is denied; "No, thanks" is an answer of its own.
fn denials(words: &[Word], among: &[usize]) -> usize {
    let answers = |at: usize| {
        words[at].lower == "no"
            && words.get(at + 1).is_none_or(|next| next.clause != words[at].clause)
    };
    among.iter().filter(|at| is_denial(&words[**at].lower) && !answers(**at)).count()
}
