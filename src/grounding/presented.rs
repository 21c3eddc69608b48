//! A sentence that only presents something: "Here is the letter to the landlord."
//!
//! Its words stand in whatever asked for the thing, and yet nothing of the thing is there: a request bears out that
//! something was asked for, never that it is given. So it holds only where a source presents it, too.

use super::predicate::{has_verb, is_subject, opens_noun};
use super::reading::{Reading, Word};
use super::verify::{Case, Finding};
use crate::domain::Fault;

const OPENINGS: &[&[&str]] = &[
    &["here", "is"],
    &["here", "are"],
    &["here", "you", "go"],
    &["here", "you", "are"],
    &["the", "following", "is"],
    &["the", "following", "are"],
    &["heres"],
    &["below", "is"],
    &["below", "are"],
    &["attached", "is"],
    &["attached", "are"],
    &["enclosed", "is"],
    &["enclosed", "are"],
    &["please", "find"],
    &["you", "should", "know", "about"],
    &["hier", "ist"],
    &["hier", "sind"],
    &["anbei"],
    &["voici"],
    &["voilà"],
    &["aquí", "está"],
    &["aquí", "están"],
    &["aquí", "tiene"],
];
/// These may also state something. They hold where a source says "is", too, and doesn't only ask for it.
const POINTING: &[&[&str]] = &[&["this", "is"], &["these", "are"]];
/// What follows them is said, if it has a verb, or given.
const AGREEING: &[&[&str]] =
    &[&["sure"], &["certainly"], &["of", "course"], &["absolutely"], &["gladly"]];
/// In front of what is asked for.
const BEFORE: &[&str] = &["please", "and", "then", "also", "now", "just", "so", "next", "kindly"];
/// Behind a verb that nobody's name or pronoun stands before: "Explain how it works."
const BEHIND: &[&str] = &["how", "why", "where", "when", "whether", "me", "us", "them", "it"];
/// A source with one of them presents something.
const MARKS: &[&str] = &[
    "here",
    "heres",
    "below",
    "attached",
    "enclosed",
    "following",
    "hier",
    "anbei",
    "unten",
    "voici",
    "voilà",
    "joint",
    "ciaprès",
    "aquí",
    "adjunto",
    "abajo",
];
const IS: &[&str] = &["is", "its", "thats", "are", "was", "were", "be", "called"];
/// So many words may thank or greet before something is presented.
const GREETING_WORDS: usize = 4;
/// A source that holds less of the sentence presents something else. One word of two is by chance.
const SHARE_MIN: f32 = 0.6;

pub(super) fn check(case: &Case) -> Finding {
    let words = &case.reading.words;
    let begins = |at: usize| at == 0 || words[at].clause != words[at - 1].clause;
    let first = |openings: &[&[&str]], reach: usize| {
        (0..words.len().min(reach)).filter(|at| begins(*at)).find_map(|at| {
            // "Thank you, and here is …"
            let from = at + usize::from(BEFORE.contains(&words[at].lower.as_str()));
            let opening = openings.iter().find(|opening| opens(&words[from..], opening))?;
            Some((from, from + opening.len()))
        })
    };
    let strong = first(OPENINGS, words.len());
    // Later in a sentence they say something of what was said before.
    let pointing = first(POINTING, GREETING_WORDS);
    let agreeing = || first(AGREEING, GREETING_WORDS);
    let Some((from, to)) = strong.or(pointing).or_else(agreeing) else { return Ok(()) };
    // "Here are the steps: open the settings": there they are.
    let rest = case.reading.text.get(words[to - 1].bytes.end..).unwrap_or_default();
    if strong.is_some()
        && rest.split_once(':').is_some_and(|(_, given)| given.contains(char::is_alphanumeric))
    {
        return Ok(());
    }
    let is_said = strong.or(pointing).is_none() && has_verb(&case.reading, to..words.len());
    let mut marks = MARKS.to_vec();
    if strong.is_none() && pointing.is_some() {
        marks.extend(IS);
    }
    // "Please find" and "you should know": only what somebody is to find, or to know.
    let is_opening = |mark: &&str| words[from..to].iter().any(|word| word.lower == *mark);
    marks.extend(["find", "know"].into_iter().filter(is_opening));
    let is_given = case.support.units.iter().any(|unit| {
        let said = &case.ground.units[*unit].reading;
        let presents = is_said || said.words.iter().any(|word| marks.contains(&&*word.lower));
        presents && !requests(said) && case.support.share_of(*unit) >= SHARE_MIN
    });
    if is_given {
        return Ok(());
    }
    let opening = words[from].bytes.start..words[to - 1].bytes.end;
    let opening = case.reading.text.get(opening).unwrap_or_default();
    Err((Fault::Meaning, format!("\"{opening}\" presents what none of its sources gives")))
}

/// A question, or a sentence that begins with its verb.
fn requests(said: &Reading) -> bool {
    let mut words = said.words.iter().map(|word| word.lower.as_str());
    let first = words.find(|word| !BEFORE.contains(word));
    let is_verb = |first: &str| !opens_noun(first) && !is_subject(first);
    let begins = first.is_some_and(is_verb)
        && words.next().is_some_and(|next| opens_noun(next) || BEHIND.contains(&next));
    said.is_question || begins
}

fn opens(words: &[Word], opening: &[&str]) -> bool {
    words.len() > opening.len() && words.iter().zip(opening).all(|(word, one)| word.lower == *one)
}
