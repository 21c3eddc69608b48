//! All rules of a tenant, with what each signal may set off.

use std::collections::HashMap;

use super::CategoriesError;
use super::read::Draft;
use super::rule::{Condition, Happening, Leaf, Rule, Standing, Who};
use super::scan::{PhraseId, Scanner};
use super::trial::Trial;

/// Rules that are ready to be held against conversations.
#[derive(Debug)]
pub struct Categories {
    pub(super) scanner: Scanner,
    pub(super) leaves: Vec<Leaf>,
    pub(super) rules: Vec<Rule>,
    pub(super) trials: Vec<Trial>,
    /// Of each rule, its leaves.
    pub(super) leaves_of: Vec<Vec<usize>>,
    pub(super) set_off: SetOff,
}

/// By what changes: whom it may concern. Leaves by their number, rules by theirs.
#[derive(Debug, Default)]
pub(super) struct SetOff {
    /// Leaves, by phrase.
    pub phrase: Vec<Vec<usize>>,
    /// Leaves, by label.
    pub intent: HashMap<String, Vec<usize>>,
    /// Leaves.
    pub silence: Vec<(u64, usize)>,
    pub overlap: Vec<(u64, usize)>,
    pub long: Vec<(u64, usize)>,
    /// Rules.
    pub sentiment: Vec<usize>,
    pub attribute: HashMap<String, Vec<usize>>,
    pub turns: Vec<(Who, u32, usize)>,
    /// The shortest first.
    pub duration: Vec<(u64, usize)>,
    pub ended: Vec<usize>,
    /// They may come to hold though nothing changed but the time: looked at after each turn.
    pub each_turn: Vec<usize>,
}

impl Categories {
    /// None.
    pub fn none() -> Self {
        Self::compile(Draft::default()).expect("no phrases fit; this is a bug")
    }

    pub(super) fn compile(draft: Draft) -> Result<Self, CategoriesError> {
        let scanner = draft.scanner.build()?;
        let mut set_off = SetOff { phrase: vec![Vec::new(); scanner.len()], ..SetOff::default() };
        let mut leaves_of = vec![Vec::new(); draft.rules.len()];
        for (number, leaf) in draft.leaves.iter().enumerate() {
            // Leaves of rules that are switched off have none.
            let Some(of_rule) = leaves_of.get_mut(leaf.rule) else { continue };
            of_rule.push(number);
            set_off.leaf(number, leaf);
        }
        for (number, rule) in draft.rules.iter().enumerate() {
            set_off.rule(number, rule, &draft.leaves);
        }
        set_off.duration.sort_unstable();
        for rules in [&mut set_off.sentiment, &mut set_off.ended, &mut set_off.each_turn] {
            rules.dedup();
        }
        Ok(Self {
            scanner,
            leaves: draft.leaves,
            rules: draft.rules,
            trials: draft.trials,
            leaves_of,
            set_off,
        })
    }

    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The tests that stand beside the rules.
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// How many different phrases are looked for.
    pub fn phrases(&self) -> usize {
        self.scanner.len()
    }
}

impl SetOff {
    fn leaf(&mut self, number: usize, leaf: &Leaf) {
        let mut phrases = |phrases: &[PhraseId]| {
            for phrase in phrases {
                self.phrase[*phrase as usize].push(number);
            }
        };
        match &leaf.happening {
            Happening::Said { phrases: said, .. } => phrases(said),
            // Without the first group there is nothing to be near to.
            Happening::Near { groups, .. } => phrases(&groups[0]),
            Happening::Intent { labels, .. } => {
                for label in labels {
                    self.intent.entry(label.clone()).or_default().push(number);
                }
            }
            Happening::Silence { ms } => self.silence.push((*ms, number)),
            Happening::Overlap { ms } => self.overlap.push((*ms, number)),
            Happening::Long { ms } => self.long.push((*ms, number)),
        }
    }

    fn rule(&mut self, number: usize, rule: &Rule, leaves: &[Leaf]) {
        let mut is_restless = false;
        rule.when.visit(false, &mut |condition, is_denied| match condition {
            Condition::Happened(leaf) => {
                is_restless |= is_denied && leaves[*leaf].window.expires();
            }
            Condition::Is(standing) => {
                // What is still so after the cool-down matches anew.
                is_restless |= rule.repeat_after_ms.is_some();
                match standing {
                    Standing::SentimentAtMost(_)
                    | Standing::SentimentAtLeast(_)
                    | Standing::SentimentTrend(_) => self.sentiment.push(number),
                    Standing::Turns { who, at_least } => {
                        self.turns.push((*who, *at_least, number));
                    }
                    Standing::Duration { ms } => self.duration.push((*ms, number)),
                    Standing::Ended => self.ended.push(number),
                    Standing::Attribute { name, .. } => {
                        self.attribute.entry(name.clone()).or_default().push(number);
                    }
                }
            }
            Condition::All(_) | Condition::Any(_) | Condition::Not(_) => {}
        });
        if is_restless {
            self.each_turn.push(number);
        }
    }
}
