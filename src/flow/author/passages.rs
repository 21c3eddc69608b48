//! The passages of a call's cards, as far as they may be quoted in the company's name.

use std::collections::BTreeSet;

use crate::domain::Citation;

/// What an agent has waved away, and what the program took back, promises nothing.
#[derive(Clone, Debug, Default)]
pub struct ShownPassages {
    by_card: Vec<(String, Vec<Citation>)>,
    gone: BTreeSet<String>,
    dismissed: BTreeSet<String>,
}

impl ShownPassages {
    pub fn offered(&mut self, card: &str, citations: impl IntoIterator<Item = Citation>) {
        self.by_card.push((card.to_owned(), citations.into_iter().collect()));
    }

    pub fn withdrawn(&mut self, card: &str) {
        self.gone.insert(card.to_owned());
    }

    /// The newest verdict counts.
    pub fn judged(&mut self, card: &str, is_dismissed: bool) {
        match is_dismissed {
            true => self.dismissed.insert(card.to_owned()),
            false => self.dismissed.remove(card),
        };
    }

    pub fn is_empty(&self) -> bool {
        self.by_card.is_empty()
    }

    /// In the order in which they were shown, each once.
    pub fn kept(self) -> Vec<Citation> {
        let Self { by_card, gone, dismissed } = self;
        let shown = by_card.into_iter();
        let shown = shown.filter(|(card, _)| !gone.contains(card) && !dismissed.contains(card));
        let mut known = BTreeSet::new();
        shown
            .flat_map(|(_, citations)| citations)
            .filter(|one| known.insert(one.passage_id.as_str().to_owned()))
            .collect()
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

    #[test]
    fn what_was_taken_back_or_waved_away_is_not_quoted() {
        let mut shown = ShownPassages::default();
        for (card, passage) in
            [("c1", "p1"), ("c2", "p2"), ("c3", "p3"), ("c4", "p1"), ("c5", "p5")]
        {
            shown.offered(card, [citation(passage)]);
        }
        shown.withdrawn("c2");
        shown.judged("c3", true);
        shown.judged("c5", true);
        shown.judged("c5", false);
        let kept: Vec<String> =
            shown.kept().iter().map(|one| one.passage_id.as_str().to_owned()).collect();
        assert_eq!(kept, ["p1", "p5"]);
    }
}
