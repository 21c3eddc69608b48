//! Names of products and schemes, found in the articles themselves: "Full Fibre 200", "World Pass".
//!
//! Nobody has to list them. A name is two or more capitalised words in a row inside a text, or such
//! words and a number. Somebody who says one means that thing, and a recogniser mishears it ("full
//! fiber too hundred"), so names are compared as search terms.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::snapshot::PassageEntry;
use super::terms;

/// A name in more than one passage in so many says too little: the company's own name.
const RARE_ONE_IN: usize = 15;

/// The terms of each name, and the passages that hold it in growing order.
type Holders = BTreeMap<Vec<String>, Vec<usize>>;

pub(crate) struct Names {
    known: Holders,
}

impl Names {
    pub fn of(passages: &[PassageEntry]) -> Self {
        let mut known = Holders::new();
        for name in passages.iter().flat_map(|entry| capitalised(&entry.passage().text)) {
            let name = terms::terms(&name);
            if name.len() >= 2 {
                known.entry(name).or_default();
            }
        }
        for (at, entry) in passages.iter().enumerate() {
            let passage = entry.passage();
            let text = format!("{}. {}. {}", entry.article.title, passage.heading, passage.text);
            for name in held(&known, &terms::terms(&text)) {
                known.entry(name).or_default().push(at);
            }
        }
        let rare = (passages.len() / RARE_ONE_IN).max(2);
        known.retain(|_, holders| holders.len() <= rare);
        Self { known }
    }

    /// The holders of each name that is said. Of a name inside a longer one only the longer counts.
    pub fn said(&self, query: &[String]) -> Vec<(String, Vec<usize>)> {
        let said = held(&self.known, query);
        let longest = said.iter().filter(|name| {
            !said.iter().any(|other| other.len() > name.len() && contains(other, name))
        });
        longest.map(|name| (name.join(" "), self.known[name].clone())).collect()
    }
}

/// The names that stand in a text, each once.
fn held(known: &Holders, text: &[String]) -> BTreeSet<Vec<String>> {
    (0..text.len()).flat_map(|at| beginning(known, &text[at..])).cloned().collect()
}

/// The phrases with which a text begins. Phrases are sorted, so those with the same beginning are
/// neighbours: a large base has more of them than a text has words.
pub(super) fn beginning<'a, K: Ord + Borrow<[String]>, V>(
    known: &'a BTreeMap<K, V>,
    text: &[String],
) -> Vec<&'a K> {
    let mut found = Vec::new();
    for length in 1..=text.len() {
        let part = &text[..length];
        let next = known.range::<[String], _>((Bound::Included(part), Bound::Unbounded)).next();
        match next {
            Some((phrase, _)) if phrase.borrow() == part => found.push(phrase),
            Some((phrase, _)) if phrase.borrow().starts_with(part) => {}
            _ => break,
        }
    }
    found
}

fn contains(all: &[String], part: &[String]) -> bool {
    all.windows(part.len()).any(|window| window == part)
}

/// Runs of capitalised words; a number may end one, and a stop word ("The") doesn't begin one.
fn capitalised(text: &str) -> Vec<String> {
    let mut runs = Vec::new();
    let mut run: Vec<&str> = Vec::new();
    let mut close = |run: &mut Vec<&str>| {
        let words = run.iter().filter(|word| word.starts_with(char::is_alphabetic)).count();
        if words >= 2 {
            runs.push(run.join(" "));
        }
        run.clear();
    };
    for token in text.split_whitespace() {
        let word = token.trim_matches(|c: char| !c.is_alphanumeric());
        let is_number = word.len() >= 2 && word.bytes().all(|b| b.is_ascii_digit());
        let is_capital = word.starts_with(char::is_uppercase);
        if is_capital && (!run.is_empty() || !terms::is_stop_word(&word.to_lowercase())) {
            run.push(word);
        } else if is_number && !token.starts_with('£') && !run.is_empty() {
            run.push(word);
            close(&mut run);
        } else {
            close(&mut run);
        }
        if !token.ends_with(char::is_alphanumeric) {
            close(&mut run);
        }
    }
    close(&mut run);
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_runs_of_capitals() {
        let text =
            "The World Pass is £6. Full Fibre 200 costs £20 a month. After 20 days, call us.";
        assert_eq!(capitalised(text), ["World Pass", "Full Fibre 200"]);
    }

    #[test]
    fn a_misheard_name_is_found_and_a_bare_amount_is_not() {
        let names = Names { known: Holders::from([(terms::terms("Full Fibre 200"), vec![3])]) };
        let said = |text: &str| names.said(&terms::terms(text));
        assert_eq!(said("is full fiber too hundred any good"), [("full fibr 200".into(), vec![3])]);
        assert!(said("it was two hundred pounds").is_empty());
    }
}
