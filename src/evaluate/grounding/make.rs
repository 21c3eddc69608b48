//! A test set out of conversations, by code and with a seed.

use std::collections::BTreeMap;

use super::alter::{self, KINDS, Said};
use super::chance::Chance;
use super::data::{Dialogue, Item};
use super::retell::{self, Retold};

/// Which conversations: no conversation is in both halves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Half {
    /// What the verifier was tuned on.
    Development,
    /// What the published numbers are from.
    Test,
    All,
}

/// Sentences that can be made about one conversation.
pub struct Maker<'a> {
    dialogues: &'a [Dialogue],
    names: Vec<String>,
    seed: u64,
    /// Retold sentences of each conversation, in random order.
    retold: Vec<Vec<Retold>>,
    /// So many altered sentences of each kind have been made.
    made: BTreeMap<&'static str, usize>,
}

impl<'a> Maker<'a> {
    pub fn new(dialogues: &'a [Dialogue], seed: u64) -> Self {
        let retold = dialogues.iter().map(|dialogue| {
            let mut chance = Chance::new(seed, &format!("retell {}", dialogue.id));
            let mut retold = retell::retell(dialogue, &mut chance);
            chance.shuffle(&mut retold);
            let mut abstracts = retell::abstracts(dialogue);
            chance.shuffle(&mut abstracts);
            // Summaries by people are right by their own word only: a quarter of what is retold.
            let share = (retold.len() / 3).max(1);
            retold.extend(abstracts.into_iter().take(share));
            chance.shuffle(&mut retold);
            retold
        });
        Self {
            dialogues,
            names: alter::names_of(dialogues),
            seed,
            retold: retold.collect(),
            made: KINDS.into_iter().map(|kind| (kind, 0)).collect(),
        }
    }

    /// The conversations of a half.
    pub fn half(&self, half: Half) -> Vec<usize> {
        let is_test = |index: &usize| {
            Chance::new(self.seed, &format!("half {}", self.dialogues[*index].id)).percent(50)
        };
        (0..self.dialogues.len())
            .filter(|index| match half {
                Half::All => true,
                Half::Test => is_test(index),
                Half::Development => !is_test(index),
            })
            .collect()
    }

    /// Up to so many true and altered sentences about one conversation.
    pub fn items(&mut self, dialogue: usize, supported: usize, altered: usize) -> Vec<Item> {
        let id = &self.dialogues[dialogue].id;
        let mut chance = Chance::new(self.seed, &format!("items {id}"));
        let mut items = Vec::new();
        let add = |items: &mut Vec<Item>,
                   from: &Retold,
                   sentence: String,
                   supported,
                   kind: &str,
                   chance: &mut Chance| {
            let cites = if chance.percent(50) { from.cites.clone() } else { Vec::new() };
            let kind = kind.to_owned();
            let id = format!("{id}/{}", items.len() + 1);
            items.push(Item { id, dialogue, sentence, cites, supported, kind });
        };
        for from in self.retold[dialogue].iter().take(supported) {
            add(&mut items, from, from.text.clone(), true, from.kind, &mut chance);
        }
        let said = Said::of(&self.dialogues[dialogue]);
        let mut others: Vec<String> =
            self.dialogues[dialogue].material.turns.iter().map(retell::named).collect();
        others.sort();
        others.dedup();
        // What is altered is not what was shown unaltered, where there is enough.
        let mut bases: Vec<Retold> =
            self.retold[dialogue].iter().skip(supported).cloned().collect();
        bases.extend(self.retold[dialogue].iter().take(supported).cloned());
        for _ in 0..altered {
            let mut kinds = KINDS;
            chance.shuffle(&mut kinds);
            kinds.sort_by_key(|kind| self.made[kind]);
            let found = kinds.iter().find_map(|kind| {
                if *kind == "invention" {
                    let sentence = self.foreign(dialogue, &said, &mut chance)?;
                    return Some((*kind, 0, sentence));
                }
                bases.iter().enumerate().find_map(|(at, base)| {
                    let altered =
                        alter::alter(kind, base, &said, &self.names, &others, &mut chance)?;
                    Some((*kind, at, altered))
                })
            });
            let Some((kind, at, sentence)) = found else { break };
            if bases.is_empty() {
                break;
            }
            let base = bases.remove(at);
            *self.made.entry(kind).or_default() += 1;
            add(&mut items, &base, sentence, false, kind, &mut chance);
            bases.push(base);
        }
        items
    }

    fn foreign(&self, dialogue: usize, said: &Said, chance: &mut Chance) -> Option<String> {
        for _ in 0..40 {
            let other = chance.below(self.dialogues.len());
            if other == dialogue {
                continue;
            }
            let Some(sentence) = chance.pick(&self.retold[other]) else { continue };
            if alter::is_foreign(&sentence.text, said) {
                return Some(sentence.text.clone());
            }
        }
        None
    }
}

/// How many sentences of each kind a conversation gets: two, or one for each twenty turns.
pub fn quota(dialogue: &Dialogue) -> usize {
    (dialogue.material.turns.len() / 20).clamp(2, 24)
}
