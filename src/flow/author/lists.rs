//! Follow-ups, dispositions and an article to be, as far as what a model wrote of them stands.

use super::assemble::{Check, Sources, readable};
use super::promise::is_customers;
use super::{Commission, form};
use crate::domain::{
    ArticleProposal, DispositionChoice, DispositionProposal, Fault, FollowUp, FollowUpKind, Proof,
    ProvenSentence, Role, StruckSentence, Turn,
};
use crate::flow::wrapup::due_in;
use crate::grounding::Claim;
use crate::insight::redaction;

/// More is no list that anybody works through.
const FOLLOW_UPS_MAX: usize = 8;
const CHOICES_MAX: usize = 3;
const ANSWER_SENTENCES_MAX: usize = 24;

/// The first turn that a sentence rests on and whose speaker fits.
fn turn_of<'a>(
    sentence: &ProvenSentence,
    turns: &'a [Turn],
    fits: impl Fn(Role) -> bool,
) -> Option<&'a Turn> {
    let cited = sentence.proofs.iter().filter_map(|proof| match proof {
        Proof::Turn(cited) => Some(&cited.turn_id),
        Proof::Passage(_) => None,
    });
    let mut turns = cited.filter_map(|id| turns.iter().find(|turn| turn.id == *id));
    turns.find(|turn| fits(turn.party.role))
}

fn struck(claim: &Claim, fault: Fault, why: &str) -> StruckSentence {
    StruckSentence { text: claim.text.clone(), fault, why: redaction::published(why) }
}

impl Check {
    /// What somebody who was heard saying it will do. A day counts only where its words stand in what
    /// the sentence rests on, and the calendar is ours.
    pub(super) fn follow_ups(
        &mut self,
        text: &str,
        commission: &Commission,
        sources: &Sources,
    ) -> Option<Vec<FollowUp>> {
        let turns = &commission.material.turns;
        let mut found = Vec::new();
        for item in readable(form::follow_ups(text))? {
            let sentence = match sources.check(&item.claim) {
                Ok(sentence) => sentence,
                Err(gone) => {
                    self.struck.push(gone);
                    continue;
                }
            };
            let fits = |role| is_customers(role) == item.is_customers;
            let Some(turn) = turn_of(&sentence, turns, fits) else {
                let why = "whoever is to do it didn't say so";
                self.struck.push(struck(&item.claim, Fault::Speaker, why));
                continue;
            };
            let began = &commission.circumstances.began;
            let due = sentence.proofs.iter().find_map(|proof| match proof {
                Proof::Turn(cited) => {
                    let turn = turns.iter().find(|turn| turn.id == cited.turn_id)?;
                    due_in(turn, &item.when, began)
                }
                Proof::Passage(_) => None,
            });
            let promised_by = turn.party.role;
            found.push(FollowUp { kind: item.kind, promised_by, sentence, due });
        }
        found.truncate(FOLLOW_UPS_MAX);
        (!found.is_empty()).then_some(found)
    }

    /// Codes of the list, each with what speaks for it.
    pub(super) fn disposition(
        &mut self,
        text: &str,
        commission: &Commission,
        sources: &Sources,
    ) -> Option<DispositionProposal> {
        let mut choices: Vec<DispositionChoice> = Vec::new();
        for (code, probability, why) in readable(form::choices(text))? {
            let rules = &commission.settings.dispositions;
            let rule = rules.iter().find(|rule| rule.code == code);
            let Some(rule) = rule.filter(|_| choices.iter().all(|one| one.code != code)) else {
                continue;
            };
            let mut proofs = Vec::new();
            for verdict in sources.judged(&why) {
                match verdict {
                    Ok(sentence) => proofs.extend(sentence.proofs),
                    Err(gone) => self.struck.push(gone),
                }
            }
            if !proofs.is_empty() {
                let label = rule.label.clone();
                choices.push(DispositionChoice { code, label, probability, proofs });
            }
        }
        choices.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        choices.truncate(CHOICES_MAX);
        let all: f32 = choices.iter().map(|one| one.probability).sum();
        for choice in &mut choices {
            choice.probability /= all.max(1.0);
        }
        let none = (1.0 - all).max(0.0);
        (!choices.is_empty()).then_some(DispositionProposal { choices, none })
    }

    /// The customer's question as it was put, and what the company's side says to it.
    pub(super) fn article(
        &mut self,
        text: &str,
        plain: &ArticleProposal,
        sources: &Sources,
    ) -> Option<ArticleProposal> {
        let claims: Vec<Claim> = readable(form::article(text))?;
        let mut answer = Vec::new();
        for verdict in sources.judged(&claims) {
            match verdict {
                Ok(sentence) => answer.push(sentence),
                Err(gone) => self.struck.push(gone),
            }
        }
        answer.truncate(ANSWER_SENTENCES_MAX);
        let question = plain.question.clone();
        (!answer.is_empty()).then_some(ArticleProposal { question, answer })
    }
}

/// One follow-up as a model gives it.
pub(super) struct Item {
    pub kind: FollowUpKind,
    pub is_customers: bool,
    pub claim: Claim,
    /// Words of a turn that say when; empty for none.
    pub when: String,
}
