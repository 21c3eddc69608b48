//! Which sentences say what a conversation was about.

use std::collections::HashSet;

use super::Reading;
use super::cues::{self, Cues};
use super::sentences::Sentence;
use crate::domain::{ArticleId, Role, Summary, SummarySection, number_of};

/// The customer says what it is about in so many words, if one sentence has them.
const ISSUE_WORDS: usize = 10;
const ISSUE_SENTENCES: usize = 2;
/// The agent's last word on it.
const END_SENTENCES: usize = 2;
/// A paragraph gets one sentence more for so many of a long conversation, up to a limit.
const SENTENCES_A_MORE: usize = 24;
const MORE_MAX: usize = 6;

/// One section of a summary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectionRule {
    pub key: String,
    pub finder: Finder,
    pub sentences_max: usize,
}

/// How a section's sentences are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finder {
    Issue,
    RootCause,
    StepsTried,
    Outcome,
    Promises,
    NextSteps,
    ErrorCodes,
    /// A tenant's own: sentences that hold one of the phrases.
    Phrases(Vec<String>),
}

impl Finder {
    /// The seven that the program knows, by the names of their sections.
    pub fn named(key: &str) -> Option<Self> {
        Some(match key {
            "issue" => Self::Issue,
            "root_cause" => Self::RootCause,
            "steps_tried" => Self::StepsTried,
            "outcome" => Self::Outcome,
            "promises" => Self::Promises,
            "next_steps" => Self::NextSteps,
            "error_codes" => Self::ErrorCodes,
            _ => return None,
        })
    }

    /// Which is asked first: a sentence stands in one section only.
    const fn rank(&self) -> usize {
        match self {
            Self::Phrases(_) => 0,
            Self::Issue => 1,
            Self::Outcome => 2,
            Self::Promises => 3,
            Self::StepsTried => 4,
            Self::RootCause => 5,
            Self::NextSteps => 6,
            Self::ErrorCodes => 7,
        }
    }
}

/// All that the program knows, in the order in which they are read.
pub fn default_sections() -> Vec<SectionRule> {
    [
        ("issue", Finder::Issue, 2),
        ("root_cause", Finder::RootCause, 2),
        ("steps_tried", Finder::StepsTried, 4),
        ("outcome", Finder::Outcome, 2),
        ("promises", Finder::Promises, 4),
        ("next_steps", Finder::NextSteps, 3),
        ("error_codes", Finder::ErrorCodes, 4),
    ]
    .into_iter()
    .map(|(key, finder, sentences_max)| SectionRule { key: key.to_owned(), finder, sentences_max })
    .collect()
}

impl Reading<'_> {
    /// The summary, with the sections that the rules name and that something was found for.
    pub fn summary(&self, rules: &[SectionRule]) -> Summary {
        Summary {
            sections: self.sections(rules),
            paragraph: self.paragraph().into_iter().map(|at| self.sentences[at].proven()).collect(),
            parties: Vec::new(),
            articles: Vec::new(),
        }
    }

    /// What the next one needs to know: who, what it is about, what was tried and promised, where
    /// the cards came from.
    pub fn hand_over(&self, rules: &[SectionRule]) -> Summary {
        let mut seen: HashSet<&ArticleId> = HashSet::new();
        Summary {
            parties: self.circumstances.parties.clone(),
            articles: self.passages().filter(|one| seen.insert(&one.article_id)).cloned().collect(),
            ..self.summary(rules)
        }
    }

    fn sections(&self, rules: &[SectionRule]) -> Vec<SummarySection> {
        let mut order: Vec<usize> = (0..rules.len()).collect();
        order.sort_by_key(|&at| rules[at].finder.rank());
        let mut taken = HashSet::new();
        let mut found: Vec<Option<SummarySection>> = vec![None; rules.len()];
        for at in order {
            let rule = &rules[at];
            let mut chosen = self.find(&rule.finder, rule.sentences_max, &taken);
            chosen.sort_unstable();
            taken.extend(&chosen);
            let sentences: Vec<_> =
                chosen.into_iter().map(|one| self.sentences[one].proven()).collect();
            if !sentences.is_empty() {
                found[at] = Some(SummarySection { key: rule.key.clone(), sentences });
            }
        }
        found.into_iter().flatten().collect()
    }

    fn find(&self, finder: &Finder, max: usize, taken: &HashSet<usize>) -> Vec<usize> {
        let issue_end = self.issue().last().copied().unwrap_or(0);
        // A code is worth repeating where it is looked for.
        let again = *finder == Finder::ErrorCodes;
        let all = || self.saying().filter(|(at, _)| again || !taken.contains(at));
        let last = |fits: &dyn Fn(&Sentence) -> bool| {
            self.distinct(all().rev().filter(|(_, one)| fits(one)).map(|(at, _)| at), max)
        };
        let first = |fits: &dyn Fn(usize, &Sentence) -> bool| {
            self.distinct(all().filter(|(at, one)| fits(*at, one)).map(|(at, _)| at), max)
        };
        match finder {
            Finder::Issue => self.issue().into_iter().take(max).collect(),
            Finder::Outcome => last(&|one| {
                one.cues.has(Cues::OUTCOME)
                    && !one.is_question
                    && !is_denied_end(one)
                    && !is_promise(one)
            }),
            Finder::Promises => last(&|one| is_promise(one)),
            Finder::StepsTried => first(&|_, one| {
                let is_tried = one.is_customers() && one.cues.has(Cues::TRIED);
                let is_step = !one.is_customers() && one.cues.has(Cues::ADVICE) && is_step(one);
                is_tried || is_step
            }),
            Finder::RootCause => first(&|at, one| {
                let is_finding = !one.is_customers() && one.cues.has(Cues::FINDING);
                let tells = one.cues.has(Cues::CAUSE) || is_finding;
                at > issue_end && tells && !one.is_question && !is_promise(one)
            }),
            Finder::NextSteps => last(&|one| {
                let tells = !one.is_customers() && one.cues.has(Cues::ADVICE | Cues::COMING);
                let agrees = one.is_customers()
                    && one.cues.has(Cues::PROMISE)
                    && !one.cues.has(Cues::PROBLEM);
                (tells || agrees) && !one.is_question
            }),
            Finder::ErrorCodes => first(&|_, one| names_code(one)),
            Finder::Phrases(phrases) => {
                let phrases: Vec<String> =
                    phrases.iter().map(|phrase| cues::words(phrase)).collect();
                first(&|_, one| phrases.iter().any(|phrase| one.words.contains(phrase)))
            }
        }
    }

    /// The first so many that don't say the same in the same words.
    fn distinct(&self, found: impl Iterator<Item = usize>, max: usize) -> Vec<usize> {
        let mut said: HashSet<&str> = HashSet::new();
        found.filter(|&at| said.insert(&self.sentences[at].words)).take(max).collect()
    }

    /// What the customer came with: the first that says something, with the next when it is short.
    pub(super) fn issue(&self) -> Vec<usize> {
        let mut chosen = Vec::new();
        let mut words = 0;
        let customers = || self.saying().filter(|(_, one)| one.is_customers());
        let opening = customers().next().map(|(at, _)| at);
        let Some(opening) = opening else {
            return self.saying().next().map(|(at, _)| vec![at]).unwrap_or_default();
        };
        for (at, one) in customers().skip_while(|(at, _)| *at < opening) {
            chosen.push(at);
            words += one.word_count;
            if words >= ISSUE_WORDS || chosen.len() == ISSUE_SENTENCES {
                break;
            }
        }
        chosen
    }

    /// The conversation in a few sentences: the issue, and the agent's last word on it. A long one
    /// gets the promises and outcomes between. Where nobody answers, it is what most is said about.
    fn paragraph(&self) -> Vec<usize> {
        let mut chosen = self.issue();
        let is_answer =
            |one: &Sentence| matches!(one.role(), Role::Agent | Role::Bot | Role::Expert);
        let last_turn = self.saying().rev().find(|(_, one)| is_answer(one));
        if let Some((_, last)) = last_turn {
            let turn = last.turn_number;
            let of_turn = self.saying().rev().filter(|(_, one)| one.turn_number == turn);
            chosen.extend(of_turn.map(|(at, _)| at).take(END_SENTENCES));
        }
        let more = (self.saying().count() / SENTENCES_A_MORE).min(MORE_MAX);
        let between = match last_turn {
            Some(_) => {
                let telling = Cues::OUTCOME | Cues::PROMISE | Cues::CAUSE;
                let between = self.saying().rev().filter(|(at, one)| {
                    one.cues.has(telling) && !one.is_question && !chosen.contains(at)
                });
                self.distinct(between.map(|(at, _)| at), more)
            }
            None => self.central(more),
        };
        chosen.extend(between);
        chosen.sort_unstable();
        chosen.dedup();
        chosen
    }
}

/// Where nobody answers, as in a meeting, what is talked of most tells more than cues do.
mod central {
    use std::collections::HashMap;

    use super::{Reading, Sentence};
    use crate::knowledge::terms;

    /// A shorter sentence is about nothing much.
    const TERMS_MIN: usize = 4;

    impl Reading<'_> {
        /// The sentences about what is said most often, each about something else: the terms of
        /// one that was chosen count half from then on (after SumBasic, Nenkova and Vanderwende
        /// 2005).
        pub(super) fn central(&self, max: usize) -> Vec<usize> {
            let terms_of = |one: &Sentence| {
                let mut terms = terms::terms(one.text());
                terms.sort_unstable();
                terms.dedup();
                terms
            };
            let all: Vec<(usize, Vec<String>)> =
                self.saying().map(|(at, one)| (at, terms_of(one))).collect();
            let mut counts: HashMap<&str, f32> = HashMap::new();
            for term in all.iter().flat_map(|(_, terms)| terms) {
                *counts.entry(term).or_default() += 1.0;
            }
            let mut chosen = Vec::new();
            for _ in 0..max {
                let worth = |terms: &[String]| {
                    let sum: f32 = terms.iter().map(|term| counts[term.as_str()].ln_1p()).sum();
                    sum / (terms.len() as f32).sqrt()
                };
                let best = all
                    .iter()
                    .filter(|(at, terms)| terms.len() >= TERMS_MIN && !chosen.contains(at))
                    .map(|(at, terms)| (worth(terms), *at, terms))
                    .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
                let Some((_, at, terms)) = best else { break };
                chosen.push(at);
                for term in terms {
                    if let Some(count) = counts.get_mut(term.as_str()) {
                        *count /= 2.0;
                    }
                }
            }
            chosen
        }
    }
}

/// "It isn't working now."
fn is_denied_end(one: &Sentence) -> bool {
    one.cues.has(Cues::NEGATION) && one.cues.has(Cues::PROBLEM)
}

pub(super) fn is_promise(one: &Sentence) -> bool {
    !one.is_customers() && one.cues.has(Cues::PROMISE) && !one.is_question
}

/// Advice that is something to do with one's hands, and no "you can call us".
fn is_step(one: &Sentence) -> bool {
    const HANDS: &[&str] = &[
        " try ",
        " tried ",
        " restart",
        " reboot",
        " reset",
        " reinstall",
        " uninstall",
        " unplug",
        " plug ",
        " switch ",
        " turn ",
        " log out ",
        " sign out ",
        " clear ",
        " update ",
        " check ",
        " neu ",
        " prüfen",
        " essayez ",
        " redémarrez ",
        " vérifiez ",
        " intente ",
        " reinicie ",
        " compruebe ",
    ];
    HANDS.iter().any(|hand| one.words.contains(hand))
}

/// Codes as they are printed (`E-104`, `0x80070057`), or as the customer reads them out.
fn names_code(one: &Sentence) -> bool {
    let printed = one.text().split_whitespace().any(|word| {
        let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let letters = word.bytes().filter(u8::is_ascii_uppercase).count();
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        let plain =
            word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        plain && digits >= 2 && letters >= 1 && word.starts_with(|c: char| c.is_ascii_uppercase())
            || (word.starts_with("0x") && word.len() >= 6)
    });
    let spoken = one.cues.has(Cues::ERROR)
        && one.words.split_ascii_whitespace().any(|word| {
            (word != "one" && number_of(word).is_some()) || word.bytes().all(|b| b.is_ascii_digit())
        });
    spoken || (printed && one.cues.has(Cues::ERROR | Cues::PROBLEM | Cues::FINDING))
}
