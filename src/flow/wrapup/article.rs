//! What an agent explained and no card said: the beginning of an article.

use std::collections::HashSet;

use super::cues::Cues;
use super::sentences::Sentence;
use super::{Reading, Refusal};
use crate::domain::{ArticleProposal, ProvenSentence, TurnId};
use crate::knowledge::terms;

/// A shorter answer explains nothing.
const ANSWER_TERMS: usize = 6;
const ANSWER_SENTENCES: usize = 5;
/// An answer that shares so much with a card that was shown is that card, read out.
const KNOWN_SHARE: f32 = 0.4;

impl Reading<'_> {
    /// The question that was answered at most length without a card, and the answer.
    ///
    /// # Errors
    /// Nothing of the kind was said.
    pub fn article(&self) -> Result<ArticleProposal, Refusal> {
        let known: Vec<HashSet<String>> = self
            .passages()
            .map(|passage| terms::terms(&passage.quote).into_iter().collect())
            .collect();
        let mut best: Option<(usize, &Sentence, Vec<&Sentence>)> = None;
        let asks = |one: &Sentence| {
            one.is_customers() && (one.is_question || one.cues.has(Cues::WISH | Cues::PROBLEM))
        };
        let said: Vec<&Sentence> = self.saying().map(|(_, one)| one).collect();
        for (at, question) in said.iter().enumerate().filter(|(_, one)| asks(one)) {
            let answer = answer_after(&said[at + 1..], question.turn_number);
            let words = terms_of(&answer);
            let weight = words.len() + usize::from(question.is_question);
            let is_known = known.iter().any(|card| {
                card.intersection(&words).count() as f32 >= KNOWN_SHARE * words.len() as f32
            });
            let is_better = best.as_ref().is_none_or(|(most, ..)| weight > *most);
            if words.len() >= ANSWER_TERMS && !is_known && is_better {
                best = Some((weight, question, answer));
            }
        }
        let (_, question, answer) = best.ok_or(Refusal::NothingNew)?;
        Ok(ArticleProposal {
            question: question.proven(),
            answer: answer.into_iter().map(Sentence::proven).collect(),
        })
    }

    /// What was explained after a turn, before the customer spoke again; empty if that is next to nothing.
    pub fn answer_to(&self, turn: &TurnId) -> Vec<ProvenSentence> {
        let asked = self.material.turns.iter().position(|one| one.id == *turn);
        let Some(asked) = asked else { return Vec::new() };
        let said: Vec<&Sentence> = self.saying().map(|(_, one)| one).collect();
        let after = said.partition_point(|one| one.turn_number <= asked);
        let answer = answer_after(&said[after..], asked);
        match terms_of(&answer).len() >= ANSWER_TERMS {
            true => answer.into_iter().map(Sentence::proven).collect(),
            false => Vec::new(),
        }
    }
}

/// The agent's general words behind a turn, until the customer speaks again.
fn answer_after<'s, 'a>(rest: &[&'s Sentence<'a>], turn_number: usize) -> Vec<&'s Sentence<'a>> {
    let answer = rest
        .iter()
        .skip_while(|one| one.turn_number == turn_number)
        .take_while(|one| !one.is_customers())
        .filter(|one| explains(one));
    answer.take(ANSWER_SENTENCES).copied().collect()
}

fn terms_of(sentences: &[&Sentence]) -> HashSet<String> {
    sentences.iter().flat_map(|one| terms::terms(one.text())).collect()
}

/// General words that know something, not about this customer's account or what is done for them.
fn explains(one: &Sentence) -> bool {
    let other = Cues::FINDING | Cues::OUTCOME | Cues::CALLBACK | Cues::APOLOGY | Cues::DOUBT;
    !one.is_question && !one.cues.has(other)
}
