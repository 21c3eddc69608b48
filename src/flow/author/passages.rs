//! The passages of a call's cards, as far as they may be quoted in the company's name.

use std::collections::BTreeSet;

use crate::domain::{Citation, VerdictKind};

/// What an agent has waved away or let pass, and what the program took back, promises nothing.
#[derive(Clone, Debug, Default)]
pub struct ShownPassages {
    by_card: Vec<(String, Vec<Citation>)>,
    /// Passages that must stay word for word, by their ids.
    verbatim: BTreeSet<String>,
    gone: BTreeSet<String>,
    waved_away: BTreeSet<String>,
}

/// What the cards of a call have left.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeptPassages {
    /// May be put into other words.
    pub free: Vec<Citation>,
    /// May only be quoted, and are shown to no model.
    pub word_for_word: Vec<Citation>,
}

impl ShownPassages {
    pub fn offered(
        &mut self,
        card: &str,
        citations: impl IntoIterator<Item = Citation>,
        is_verbatim: bool,
    ) {
        let citations: Vec<Citation> = citations.into_iter().collect();
        if is_verbatim {
            self.verbatim.extend(citations.iter().map(|one| one.passage_id.to_string()));
        }
        self.by_card.push((card.to_owned(), citations));
    }

    pub fn withdrawn(&mut self, card: &str) {
        self.gone.insert(card.to_owned());
    }

    /// By the verdict's name, of which the newest counts.
    pub fn judged(&mut self, card: &str, verdict: &str) {
        match VerdictKind::parse(verdict) {
            Some(VerdictKind::Dismissed | VerdictKind::Ignored) => {
                self.waved_away.insert(card.to_owned());
            }
            Some(VerdictKind::Accepted | VerdictKind::Edited) | None => {
                self.waved_away.remove(card);
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.by_card.is_empty()
    }

    /// In the order in which they were shown, each once.
    pub fn kept(self) -> KeptPassages {
        let Self { by_card, verbatim, gone, waved_away } = self;
        let shown = by_card.into_iter();
        let shown = shown.filter(|(card, _)| !gone.contains(card) && !waved_away.contains(card));
        let mut known = BTreeSet::new();
        let (word_for_word, free) = shown
            .flat_map(|(_, citations)| citations)
            .filter(|one| known.insert(one.passage_id.as_str().to_owned()))
            .partition(|one| verbatim.contains(one.passage_id.as_str()));
        KeptPassages { free, word_for_word }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn citation(passage: &str) -> Citation {
        Citation {
            article_id: "a".into(),
            passage_id: passage.into(),
            revision: 1,
            start_chars: 0,
            end_chars: 1,
            quote: "x".to_owned(),
        }
    }

    fn ids(citations: &[Citation]) -> Vec<&str> {
        citations.iter().map(|one| one.passage_id.as_str()).collect()
    }

    #[test]
    fn what_was_taken_back_or_waved_away_is_not_quoted() {
        let mut shown = ShownPassages::default();
        for number in 1..=7 {
            let passage = if number == 4 { "p1".to_owned() } else { format!("p{number}") };
            shown.offered(&format!("c{number}"), [citation(&passage)], number == 7);
        }
        shown.withdrawn("c2");
        for (card, verdict) in [
            ("c3", "dismissed"),
            ("c5", "dismissed"),
            ("c5", "accepted"),
            ("c6", "ignored"),
            ("c7", "edited"),
        ] {
            shown.judged(card, verdict);
        }
        let kept = shown.kept();
        assert_eq!(ids(&kept.free), ["p1", "p5"]);
        assert_eq!(ids(&kept.word_for_word), ["p7"]);
    }

    #[test]
    fn a_passage_that_had_to_stay_once_stays() {
        let mut shown = ShownPassages::default();
        shown.offered("c1", [citation("p1")], false);
        shown.offered("c2", [citation("p1")], true);
        let kept = shown.kept();
        assert_eq!((ids(&kept.free), ids(&kept.word_for_word)), (vec![], vec!["p1"]));
    }
}
