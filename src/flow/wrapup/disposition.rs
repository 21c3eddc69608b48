//! Which of a tenant's dispositions fits.

use std::collections::HashMap;
use std::sync::Arc;

use super::Reading;
use super::cues;
use super::sentences::Sentence;
use super::{Refusal, is_customer};
use crate::domain::{DispositionChoice, DispositionProposal, Proof, TurnId};

/// So many are proposed.
const CHOICES: usize = 3;
/// How much a phrase counts: in what the customer came with, in other words of the customer, in the
/// agent's.
const IN_ISSUE: f32 = 1.4;
const OF_CUSTOMER: f32 = 1.0;
const OF_AGENT: f32 = 0.6;
/// The label's own words count, less than phrases that somebody chose for this.
const LABEL: f32 = 0.5;
/// What speaks for "none of them": about one phrase in the agent's words.
const NONE: f32 = 0.7;
/// How fast evidence becomes certainty: with one phrase of the customer's and nothing else, a
/// choice gets about two thirds.
const SHARPNESS: f32 = 2.0;
/// Below this, nearness in meaning is chance.
const NEAR: f32 = 0.35;
const MEANING: f32 = 2.5;
const PROOFS_MAX: usize = 3;

/// One entry of a tenant's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DispositionRule {
    pub code: String,
    pub label: String,
    /// Words that speak for it.
    pub phrases: Vec<String>,
}

impl DispositionRule {
    /// What its vector is made of.
    pub fn text_to_embed(&self) -> String {
        let phrases = self.phrases.join(", ");
        if phrases.is_empty() { self.label.clone() } else { format!("{}: {phrases}", self.label) }
    }
}

/// Vectors of unit length, as far as they were made during the conversation.
#[derive(Clone, Debug, Default)]
pub struct DispositionMeaning {
    /// Of what customers said.
    pub turns: HashMap<TurnId, Vec<f32>>,
    /// One for each rule.
    pub rules: Arc<Vec<Vec<f32>>>,
}

impl Reading<'_> {
    /// The likeliest three with their probabilities; none where "none of them" is likelier than each.
    ///
    /// # Errors
    /// The list is empty.
    pub fn disposition(&self, rules: &[DispositionRule]) -> Result<DispositionProposal, Refusal> {
        if rules.is_empty() {
            return Err(Refusal::NoDispositions);
        }
        let issue = self.issue();
        let mut scored: Vec<(f32, &DispositionRule, Vec<Proof>)> = Vec::new();
        for (number, rule) in rules.iter().enumerate() {
            let (mut score, mut proofs) = self.evidence(rule, &issue);
            if let Some((near, at)) = self.nearest(number).filter(|(near, _)| *near > NEAR) {
                score += MEANING * (near - NEAR);
                if proofs.is_empty() {
                    proofs.push(self.sentences[at].proof());
                }
            }
            scored.push((score, rule, proofs));
        }
        let weight = |score: f32| (SHARPNESS * score).exp();
        let all: f32 = weight(NONE) + scored.iter().map(|(score, ..)| weight(*score)).sum::<f32>();
        let none = weight(NONE) / all;
        // Rules of equal weight stay in the order of the list.
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        let fits = scored.first().is_some_and(|(score, ..)| *score > NONE);
        let choices = scored
            .into_iter()
            .take(CHOICES)
            .filter(|(score, ..)| fits && *score > 0.0)
            .map(|(score, rule, proofs)| DispositionChoice {
                code: rule.code.clone(),
                label: rule.label.clone(),
                probability: weight(score) / all,
                proofs,
            })
            .collect();
        Ok(DispositionProposal { choices, none })
    }

    /// The sum over the rule's phrases of where each counts most, and the sentences that hold them.
    fn evidence(&self, rule: &DispositionRule, issue: &[usize]) -> (f32, Vec<Proof>) {
        let phrases = rule.phrases.iter().map(|phrase| (cues::words(phrase), 1.0));
        let label = std::iter::once((cues::words(&rule.label), LABEL));
        let mut score = 0.0;
        let mut found: Vec<usize> = Vec::new();
        for (phrase, worth) in phrases.chain(label).filter(|(phrase, _)| phrase.len() > 1) {
            let place = |at: usize, one: &Sentence| match () {
                () if issue.contains(&at) => IN_ISSUE,
                () if one.is_customers() => OF_CUSTOMER,
                () => OF_AGENT,
            };
            let hits = self.sentences.iter().enumerate();
            let best = hits
                .filter(|(_, one)| one.words.contains(&phrase))
                .map(|(at, one)| (place(at, one), at))
                .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
            if let Some((counts, at)) = best {
                score += worth * counts;
                if !found.contains(&at) {
                    found.push(at);
                }
            }
        }
        found.sort_unstable();
        let proofs = found.into_iter().take(PROOFS_MAX);
        (score, proofs.map(|at| self.sentences[at].proof()).collect())
    }

    /// How near what a customer said comes to the rule, and the first sentence of it.
    fn nearest(&self, rule: usize) -> Option<(f32, usize)> {
        let meaning = self.meaning?;
        let rule = meaning.rules.get(rule)?;
        let cosine = |vector: &Vec<f32>| vector.iter().zip(rule).map(|(a, b)| a * b).sum::<f32>();
        let mut told = None;
        let turns = self.sentences.iter().enumerate().filter(move |(_, one)| {
            is_customer(one.role()) && told.replace(one.turn_number) != Some(one.turn_number)
        });
        turns
            .filter_map(|(at, one)| Some((cosine(meaning.turns.get(&one.turn.id)?), at)))
            .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)))
    }
}
