//! Three questions that the agent may want to ask: what the articles answer near to what the call is
//! about, and no card has shown yet.

use std::sync::Arc;

use super::Act;
use super::abstain;
use crate::domain::{Article, PassageId, SuggestedQuestion};
use crate::knowledge::SearchResponse;

const SUGGESTED: usize = 3;
/// The customer's messages between two sets of questions.
const MESSAGES: usize = 3;
/// Hits of one search that count.
const HITS: usize = 8;
/// What an older search still counts beside the next one.
const DECAY: f32 = 0.7;
/// Less likely to answer than this, a passage is about something else.
const NEAR: f32 = 0.1;

#[derive(Default)]
pub(super) struct Questions {
    near: Vec<Near>,
    messages: usize,
    due: bool,
    last: Vec<SuggestedQuestion>,
}

struct Near {
    article: Arc<Article>,
    passage_number: usize,
    weight: f32,
}

impl Near {
    fn passage_id(&self) -> &PassageId {
        &self.article.passages[self.passage_number].id
    }
}

impl Questions {
    pub fn count_message(&mut self) {
        self.messages += 1;
        self.due |= self.messages.is_multiple_of(MESSAGES);
    }

    pub fn learn(&mut self, act: Act, found: &SearchResponse) {
        for near in &mut self.near {
            near.weight *= DECAY;
        }
        self.near.retain(|near| near.weight >= NEAR * DECAY * DECAY);
        for hit in found.hits.iter().take(HITS) {
            let weight = abstain::probability(&hit.features, act, found.degraded);
            if weight < NEAR {
                continue;
            }
            match self.near.iter_mut().find(|near| near.passage_id() == &hit.passage().id) {
                Some(near) => near.weight += weight,
                None => self.near.push(Near {
                    article: Arc::clone(&hit.article),
                    passage_number: hit.passage_number,
                    weight,
                }),
            }
        }
        // A stable sort: what is worth the same stays in the order in which it was found.
        self.near.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    }

    /// The next questions, if they are due and others than the last.
    pub fn fresh(
        &mut self,
        is_shown: &dyn Fn(&PassageId) -> bool,
    ) -> Option<Vec<SuggestedQuestion>> {
        if !self.due {
            return None;
        }
        let found = self.near.iter().map(|near| (&near.article, near.passage_number));
        // What stands beside the nearest passage is what is asked next.
        let beside = self.near.iter().flat_map(|near| {
            (0..near.article.passages.len()).map(move |number| (&near.article, number))
        });
        let mut questions: Vec<SuggestedQuestion> = Vec::new();
        for (article, number) in found.chain(beside) {
            let passage = &article.passages[number];
            let question = question(&passage.heading, &article.language);
            let known = questions.iter().any(|one| one.question == question);
            if known || is_shown(&passage.id) || question.is_empty() {
                continue;
            }
            let (article_id, passage_id) = (article.id.clone(), passage.id.clone());
            questions.push(SuggestedQuestion { question, article_id, passage_id });
            if questions.len() == SUGGESTED {
                break;
            }
        }
        if questions.is_empty() {
            return None;
        }
        self.due = false;
        if questions == self.last {
            return None;
        }
        self.last.clone_from(&questions);
        Some(questions)
    }
}

/// A heading as a question. English only; other headings stay as they are.
fn question(heading: &str, language: &str) -> String {
    let heading = heading.trim();
    if heading.is_empty() || heading.ends_with('?') || language != "en" {
        return heading.to_owned();
    }
    let words: Vec<&str> = heading.split_whitespace().collect();
    let lower: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let is_how = lower[0] == "how"
        && lower.get(1).is_some_and(|word| ["long", "much", "many", "often"].contains(&&**word));
    let asking = if is_how { 2 } else { 1 };
    match lower[0].as_str() {
        "who" => return format!("{heading}?"),
        "what" if lower.get(1).is_some_and(|word| word == "happens") => {
            return format!("{heading}?");
        }
        "if" => return format!("What if {}?", words[1..].join(" ")),
        "how" | "what" | "when" | "where" | "why" => {
            if let Some(inverted) = inverted(&words, &lower, asking) {
                return inverted;
            }
        }
        _ => {}
    }
    // "Keeping the second payment as credit?" is how agents ask.
    format!("{heading}?")
}

/// "How long a refund takes" → "How long does a refund take?"
fn inverted(words: &[&str], lower: &[String], asking: usize) -> Option<String> {
    const AUXILIARIES: &[&str] =
        &["is", "are", "was", "were", "has", "will", "can", "could", "must", "should", "may"];
    const VERBS: &[(&str, &str)] = &[
        ("takes", "take"),
        ("costs", "cost"),
        ("means", "mean"),
        ("fails", "fail"),
        ("ends", "end"),
        ("starts", "start"),
        ("begins", "begin"),
        ("works", "work"),
        ("lasts", "last"),
        ("expires", "expire"),
        ("changes", "change"),
    ];
    let subject_from = asking.min(words.len());
    let (asks, rest) = words.split_at(subject_from);
    if let Some(at) = lower[subject_from..].iter().position(|word| AUXILIARIES.contains(&&**word)) {
        let mut parts = asks.to_vec();
        parts.push(rest[at]);
        parts.extend(rest.iter().enumerate().filter(|(i, _)| *i != at).map(|(_, word)| *word));
        return (at > 0).then(|| format!("{}?", parts.join(" ")));
    }
    let (before, verb) = match rest {
        [before @ .., "comes", "back"] if !before.is_empty() => (before, "come back"),
        [before @ .., last] if !before.is_empty() => {
            (before, VERBS.iter().find(|(inflected, _)| inflected == last)?.1)
        }
        _ => return None,
    };
    Some(format!("{} does {} {verb}?", asks.join(" "), before.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::super::{SuggestionSettings, question_query};
    use super::question;
    use crate::knowledge::{Library, LibrarySettings, Source};

    #[test]
    fn a_suggested_question_finds_the_passage_that_it_comes_from() {
        let source = Source::Folder("knowledge".into());
        let library = Library::open(&LibrarySettings::new(source)).expect("the sample");
        let settings = SuggestionSettings::default();
        let (mut asked, mut found) = (0, 0);
        for article in library.articles() {
            for passage in &article.passages {
                let words = question(&passage.heading, &article.language);
                let query = question_query(&words, &[], &settings);
                let hits = library.search(&query.request).expect("searched").hits;
                asked += 1;
                found +=
                    usize::from(hits.first().is_some_and(|hit| hit.passage().id == passage.id));
            }
        }
        assert!(asked > 100 && found * 100 >= asked * 90, "{found} of {asked}, by keywords alone");
    }

    #[test]
    fn headings_become_questions() {
        for (heading, expected) in [
            ("How long a refund takes", "How long does a refund take?"),
            ("How much the late payment fee is", "How much is the late payment fee?"),
            ("Where a refund is sent", "Where is a refund sent?"),
            ("What a paper bill costs", "What does a paper bill cost?"),
            ("Who gets paper bills free of charge", "Who gets paper bills free of charge?"),
            ("What happens in a power cut", "What happens in a power cut?"),
            ("Why a bill has gone up or changed", "Why has a bill gone up or changed?"),
            (
                "When the money from a duplicate payment comes back",
                "When does the money from a duplicate payment come back?",
            ),
            ("When a new payment date takes effect", "When a new payment date takes effect?"),
            ("If the second attempt also fails", "What if the second attempt also fails?"),
            ("Keeping the second payment as credit", "Keeping the second payment as credit?"),
            ("Charged twice in a month", "Charged twice in a month?"),
            ("Relay UK and sign language", "Relay UK and sign language?"),
            ("SIM swaps", "SIM swaps?"),
            ("Can I pay later?", "Can I pay later?"),
        ] {
            assert_eq!(question(heading, "en"), expected);
        }
        assert_eq!(question("Wie lange es dauert", "de"), "Wie lange es dauert");
        assert_eq!(question("  ", "en"), "");
    }
}
