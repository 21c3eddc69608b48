//! Names of products and schemes, found in the articles themselves: "Full Fibre 200", "World Pass".
//!
//! Nobody has to list them. A name is two or more capitalised words in a row inside a text, or such
//! words and a number. Somebody who says one means that thing, and a recogniser mishears it ("full
//! fiber too hundred"), so names are compared as search terms.

use std::collections::BTreeSet;

use super::phrases::Phrases;
use super::snapshot::PassageEntry;
use super::terms;

/// A name in more than one passage in so many says too little: the company's own name.
const RARE_ONE_IN: usize = 15;

#[derive(Default)]
pub(crate) struct Names {
    phrases: Phrases,
    /// By the number of the phrase: its terms, and the passages that hold it in growing order.
    known: Vec<(String, Vec<usize>)>,
}

impl Names {
    pub fn of(passages: &[PassageEntry]) -> Self {
        let mut phrases = Phrases::default();
        let mut names: Vec<&str> = Vec::new();
        for name in passages.iter().flat_map(|entry| &entry.terms.names) {
            if phrases.add(name.split(' ')) == names.len() {
                names.push(name);
            }
        }
        let mut holders: Vec<Vec<usize>> = vec![Vec::new(); names.len()];
        let mut text = Vec::new();
        for (at, entry) in passages.iter().enumerate() {
            text.clear();
            text.extend(entry.terms.said().map(|term| phrases.word(term)));
            phrases.each_in(&text, |name| {
                if holders[name].last() != Some(&at) {
                    holders[name].push(at);
                }
            });
        }
        let rare = (passages.len() / RARE_ONE_IN).max(2);
        let mut found = Self::default();
        for (name, holders) in names.into_iter().zip(holders) {
            if holders.len() <= rare {
                found.add(name, holders);
            }
        }
        found
    }

    fn add(&mut self, name: &str, holders: Vec<usize>) {
        self.phrases.add(name.split(' '));
        self.known.push((name.to_owned(), holders));
    }

    /// The holders of each name that is said. Of a name inside a longer one only the longer counts.
    pub fn said(&self, query: &[String]) -> Vec<(String, Vec<usize>)> {
        let query: Vec<u32> = query.iter().map(|term| self.phrases.word(term)).collect();
        let mut said: BTreeSet<&(String, Vec<usize>)> = BTreeSet::new();
        self.phrases.each_in(&query, |name| {
            said.insert(&self.known[name]);
        });
        let is_longest =
            |name: &str| !said.iter().any(|(other, _)| other != name && contains(other, name));
        said.iter().filter(|(name, _)| is_longest(name)).map(|&found| found.clone()).collect()
    }
}

/// Whether one phrase stands in another, word for word.
fn contains(all: &str, part: &str) -> bool {
    format!(" {all} ").contains(&format!(" {part} "))
}

/// The terms of each name in a text, separated by spaces.
pub(super) fn in_text(text: &str) -> Vec<String> {
    let names = capitalised(text).into_iter().map(|name| terms::terms(&name));
    names.filter(|name| name.len() >= 2).map(|name| name.join(" ")).collect()
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
    use crate::knowledge::snapshot::sample_passages;

    #[test]
    fn names_are_runs_of_capitals() {
        let text =
            "The World Pass is £6. Full Fibre 200 costs £20 a month. After 20 days, call us.";
        assert_eq!(capitalised(text), ["World Pass", "Full Fibre 200"]);
    }

    /// Every name is looked for in every passage, letter by letter.
    #[test]
    fn one_pass_finds_what_comparing_everything_with_everything_does() {
        let passages = sample_passages();
        let texts: Vec<String> = passages
            .iter()
            .map(|entry| {
                let passage = entry.passage();
                let parts = [&entry.article.title, &passage.heading, &passage.text];
                terms::terms(&parts.map(String::as_str).join(". ")).join(" ")
            })
            .collect();
        let all = passages.iter().flat_map(|entry| capitalised(&entry.passage().text));
        let all = all.map(|name| terms::terms(&name)).filter(|name| name.len() >= 2);
        let all: BTreeSet<String> = all.map(|name| name.join(" ")).collect();
        let holders = |name: &String| -> Vec<usize> {
            (0..texts.len()).filter(|&at| contains(&texts[at], name)).collect()
        };
        let mut expected: Vec<(String, Vec<usize>)> =
            all.iter().map(|name| (name.clone(), holders(name))).collect();
        assert!(expected.len() > 30, "{}", expected.len());
        expected.retain(|(_, holders)| holders.len() <= passages.len() / RARE_ONE_IN);
        let mut found = Names::of(&passages).known;
        found.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_misheard_name_is_found_and_a_bare_amount_is_not() {
        let mut names = Names::default();
        names.add(&in_text("it is Full Fibre 200")[0], vec![3]);
        let said = |text: &str| names.said(&terms::terms(text));
        assert_eq!(said("is full fiber too hundred any good"), [("full fibr 200".into(), vec![3])]);
        assert!(said("it was two hundred pounds").is_empty());
    }
}
