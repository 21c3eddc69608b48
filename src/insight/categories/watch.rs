//! One conversation held against the rules.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use super::compiled::Categories;
use super::rule::{AttributeTest, Condition, Standing, Who};
use super::said::said;
use super::timing::{Past, Timed, Timing};
use crate::domain::{
    Alert, CategoryMatched, Evidence, IntentSeen, Role, Sentiment, SentimentTrend, Turn,
    TurnCitation, TurnId,
};
use crate::insight::words::{Words, chars};

/// A rule holds now, and whom to tell.
#[derive(Clone, Debug, PartialEq)]
pub struct Matched {
    pub category: CategoryMatched,
    pub alert: Option<Alert>,
}

/// Something that happened and counts for one leaf.
#[derive(Clone, Debug)]
pub(super) struct Fact {
    number: u32,
    at_ms: u64,
    evidence: Vec<Evidence>,
}

/// How often a rule has matched, and until when it is quiet.
#[derive(Clone, Copy, Debug)]
struct Held {
    times: u32,
    /// `None`: for good.
    quiet_until_ms: Option<u64>,
}

/// No match carries more.
const EVIDENCE_MAX: usize = 16;

/// What is kept of a conversation: of each leaf no more facts than it asks for, and the last few turns' times.
#[derive(Clone, Debug)]
pub struct Watch {
    pub(super) categories: Arc<Categories>,
    facts: HashMap<usize, VecDeque<Fact>>,
    held: HashMap<usize, Held>,
    timing: Timing,
    turns: Vec<(Role, u32)>,
    number: u32,
    pub(super) now_ms: u64,
    /// How many of the rules that wait for a duration have been looked at.
    durations: usize,
    sentiment: Option<(f32, SentimentTrend, TurnId)>,
    attributes: BTreeMap<String, String>,
    has_ended: bool,
    touched: Vec<usize>,
    /// Nothing matches: what each rule rests on stays, to be explained.
    is_peeking: bool,
    #[cfg(test)]
    pub(super) looks_at_all: bool,
}

impl Watch {
    /// Attributes are those of the conversation's start; `attribute` takes more.
    pub fn new(categories: &Arc<Categories>, attributes: &BTreeMap<String, String>) -> Self {
        let mut watch = Self {
            categories: Arc::clone(categories),
            facts: HashMap::new(),
            held: HashMap::new(),
            timing: Timing::default(),
            turns: Vec::new(),
            number: 0,
            now_ms: 0,
            durations: 0,
            sentiment: None,
            attributes: attributes.clone(),
            has_ended: false,
            touched: Vec::new(),
            is_peeking: false,
            #[cfg(test)]
            looks_at_all: false,
        };
        // They are looked at with the first turn.
        let by_name = &watch.categories.set_off.attribute;
        let known = attributes.keys().filter_map(|name| by_name.get(name));
        watch.touched.extend(known.flatten());
        watch
    }

    /// Lets nothing match, so that `explain` can say at the end how far each rule has come.
    #[must_use]
    pub fn peeking(mut self) -> Self {
        self.is_peeking = true;
        self
    }

    /// Takes a turn that is final, with what is known of it: the rules that hold now and didn't before.
    pub fn take(
        &mut self,
        turn: &Turn,
        sentiment: Option<&Sentiment>,
        intent: Option<&IntentSeen>,
    ) -> Vec<Matched> {
        let categories = Arc::clone(&self.categories);
        self.number = self.number.saturating_add(1);
        self.now_ms = self.now_ms.max(turn.end_ms);
        let role = turn.party.role;
        match self.turns.iter_mut().find(|(other, _)| *other == role) {
            Some((_, turns)) => *turns += 1,
            None => self.turns.push((role, 1)),
        }
        self.listen(turn);
        let (silences, overlaps) = self.timing.take(turn, self.number);
        self.silences(&silences);
        for timed in &overlaps {
            self.timed("overlap_ms", timed, &categories.set_off.overlap);
        }
        if let Some(past) = self.timing.turn(&turn.id).cloned() {
            let ms = past.end_ms - past.start_ms;
            self.timed("turn_ms", &Timed { ms, turn: past }, &categories.set_off.long);
        }
        if let Some(sentiment) = sentiment {
            self.sentiment = Some((sentiment.score, sentiment.trend, turn.id.clone()));
            self.touched.extend(&categories.set_off.sentiment);
        }
        if let Some(intent) = intent {
            self.intend(&turn.id, intent);
        }
        for (who, turns, rule) in &categories.set_off.turns {
            if who.is(role) && self.turns_of(*who) == *turns {
                self.touched.push(*rule);
            }
        }
        self.look(Some(&turn.id))
    }

    /// What a turn wants, when that is known later than the turn.
    pub fn intent(&mut self, turn: &TurnId, intent: &IntentSeen) -> Vec<Matched> {
        self.intend(turn, intent);
        self.look(Some(turn))
    }

    /// Something became known of the conversation or its customer.
    pub fn attribute(&mut self, name: &str, value: &str) -> Vec<Matched> {
        self.attributes.insert(name.to_owned(), value.to_owned());
        let categories = Arc::clone(&self.categories);
        self.touched.extend(categories.set_off.attribute.get(name).into_iter().flatten());
        // Before the first turn there is nothing to show; the turn looks at it.
        if self.number == 0 { Vec::new() } else { self.look(None) }
    }

    /// The conversation is over.
    pub fn ended(&mut self, now_ms: u64) -> Vec<Matched> {
        self.now_ms = self.now_ms.max(now_ms);
        self.has_ended = true;
        let silences = self.timing.close();
        self.silences(&silences);
        let categories = Arc::clone(&self.categories);
        self.touched.extend(&categories.set_off.ended);
        self.look(None)
    }

    fn listen(&mut self, turn: &Turn) {
        let categories = Arc::clone(&self.categories);
        let words = Words::of(turn.text.as_str());
        let found = categories.scanner.scan(&words);
        let mut leaves: Vec<usize> = found
            .keys()
            .flat_map(|phrase| &categories.set_off.phrase[*phrase as usize])
            .copied()
            .collect();
        leaves.sort_unstable();
        leaves.dedup();
        for leaf in leaves {
            if !categories.leaves[leaf].who.is(turn.party.role) {
                continue;
            }
            let Some(places) = said(&categories.leaves[leaf].happening, &found) else { continue };
            let evidence = places.into_iter().filter_map(|place| {
                let bytes = words.span(place)?;
                let places = chars(turn.text.as_str(), &bytes);
                Some(Evidence::Said(TurnCitation {
                    turn_id: turn.id.clone(),
                    role: turn.party.role,
                    start_chars: places.start,
                    end_chars: places.end,
                    quote: turn.text.slice(bytes),
                }))
            });
            let evidence = evidence.collect();
            self.note(leaf, Fact { number: self.number, at_ms: turn.start_ms, evidence });
        }
    }

    fn intend(&mut self, turn: &TurnId, intent: &IntentSeen) {
        let Some(past) = self.timing.turn(turn).cloned() else { return };
        let Some(top) = intent.top() else { return };
        let categories = Arc::clone(&self.categories);
        for &leaf in categories.set_off.intent.get(&top.label).into_iter().flatten() {
            let super::rule::Happening::Intent { probability, .. } =
                &categories.leaves[leaf].happening
            else {
                continue;
            };
            if top.probability >= *probability && categories.leaves[leaf].who.is(past.role) {
                let value = format!("{} {:.2}", top.label, top.probability);
                self.note(leaf, fact(&past, "intent", value));
            }
        }
    }

    fn silences(&mut self, silences: &[Timed]) {
        let categories = Arc::clone(&self.categories);
        for timed in silences {
            self.timed("silence_ms", timed, &categories.set_off.silence);
        }
    }

    fn timed(&mut self, name: &str, timed: &Timed, leaves: &[(u64, usize)]) {
        let categories = Arc::clone(&self.categories);
        for &(least_ms, leaf) in leaves {
            if timed.ms >= least_ms && categories.leaves[leaf].who.is(timed.turn.role) {
                self.note(leaf, fact(&timed.turn, name, timed.ms.to_string()));
            }
        }
    }

    /// Keeps a fact if its rule can still use it.
    fn note(&mut self, leaf: usize, fact: Fact) {
        let asked = &self.categories.leaves[leaf];
        if self.is_quiet(asked.rule)
            || asked.window.first_ms.is_some_and(|first_ms| fact.at_ms >= first_ms)
        {
            return;
        }
        self.touched.push(asked.rule);
        let (expires, times) = (asked.window.expires(), asked.times);
        let facts = self.facts.entry(leaf).or_default();
        if facts.len() == times {
            if !expires {
                return;
            }
            facts.pop_front();
        }
        facts.push_back(fact);
    }

    fn is_quiet(&self, rule: usize) -> bool {
        let quiet = |held: &Held| held.quiet_until_ms.is_none_or(|until| self.now_ms < until);
        self.held.get(&rule).is_some_and(quiet)
    }

    /// Looks at what may hold now.
    fn look(&mut self, turn: Option<&TurnId>) -> Vec<Matched> {
        let categories = Arc::clone(&self.categories);
        while let Some(&(ms, rule)) = categories.set_off.duration.get(self.durations)
            && ms <= self.now_ms
        {
            self.touched.push(rule);
            self.durations += 1;
        }
        self.touched.extend(&categories.set_off.each_turn);
        #[cfg(test)]
        if self.looks_at_all {
            self.touched.extend(0..categories.rules.len());
        }
        let mut touched = std::mem::take(&mut self.touched);
        touched.sort_unstable();
        touched.dedup();
        let mut matched = Vec::new();
        for rule in touched.drain(..) {
            let mut evidence = Vec::new();
            if !self.is_peeking
                && !self.is_quiet(rule)
                && self.holds(&categories.rules[rule].when, &mut evidence)
            {
                matched.push(self.matched(rule, evidence, turn));
            }
        }
        // Its room is used again.
        self.touched = touched;
        matched
    }

    fn matched(
        &mut self,
        rule: usize,
        mut evidence: Vec<Evidence>,
        turn: Option<&TurnId>,
    ) -> Matched {
        let categories = Arc::clone(&self.categories);
        for leaf in &categories.leaves_of[rule] {
            self.facts.remove(leaf);
        }
        let this = &categories.rules[rule];
        let quiet_until_ms = this.repeat_after_ms.map(|pause| self.now_ms.saturating_add(pause));
        let times = self.held.get(&rule).map_or(1, |held| held.times.saturating_add(1));
        self.held.insert(rule, Held { times, quiet_until_ms });
        evidence.truncate(EVIDENCE_MAX);
        let alert = this.alert.as_ref().map(|alert| Alert {
            category: this.id.clone(),
            times,
            severity: alert.severity,
            title: alert.title.clone(),
            message: alert.message.clone(),
            to: alert.to.clone(),
            turn_id: turn.cloned(),
        });
        let (category, title) = (this.id.clone(), this.title.clone());
        let category = CategoryMatched { category, title, turn_id: turn.cloned(), times, evidence };
        Matched { category, alert }
    }

    /// Whether a condition holds now, and by what.
    pub(super) fn holds(&self, condition: &Condition, by: &mut Vec<Evidence>) -> bool {
        match condition {
            Condition::All(parts) => parts.iter().all(|part| self.holds(part, by)),
            // All that hold are proof, not the first alone.
            Condition::Any(parts) => parts.iter().fold(false, |any, part| {
                let (before, holds) = (by.len(), self.holds(part, by));
                if !holds {
                    by.truncate(before);
                }
                any || holds
            }),
            Condition::Not(part) => !self.holds(part, &mut Vec::new()),
            Condition::Happened(leaf) => self.happened(*leaf, by),
            Condition::Is(standing) => self.is(standing, by),
        }
    }

    fn happened(&self, leaf: usize, by: &mut Vec<Evidence>) -> bool {
        let asked = &self.categories.leaves[leaf];
        let Some(facts) = self.facts.get(&leaf) else { return false };
        let counts = |fact: &&Fact| {
            let age_ms = self.now_ms.saturating_sub(fact.at_ms);
            asked.window.last_ms.is_none_or(|last_ms| age_ms <= last_ms)
                && asked.window.last_turns.is_none_or(|last| self.number - fact.number < last)
        };
        let holds = facts.iter().filter(counts).count() >= asked.times;
        if holds {
            by.extend(facts.iter().filter(counts).flat_map(|fact| fact.evidence.iter().cloned()));
        }
        holds
    }

    fn is(&self, standing: &Standing, by: &mut Vec<Evidence>) -> bool {
        let signal = |name: &str, value: String, turn_id: Option<TurnId>| {
            Some(Evidence::Signal { name: name.to_owned(), value, turn_id })
        };
        let sentiment = |holds: &dyn Fn(f32) -> bool| {
            let (score, _, turn) = self.sentiment.as_ref().filter(|(score, ..)| holds(*score))?;
            signal("sentiment", format!("{score:.2}"), Some(turn.clone()))
        };
        let evidence = match standing {
            Standing::SentimentAtMost(most) => sentiment(&|score| score <= *most),
            Standing::SentimentAtLeast(least) => sentiment(&|score| score >= *least),
            Standing::SentimentTrend(wanted) => {
                let trend = self.sentiment.as_ref().filter(|(_, trend, _)| trend == wanted);
                trend.and_then(|(_, trend, turn)| {
                    signal("sentiment_trend", trend.as_str().to_owned(), Some(turn.clone()))
                })
            }
            Standing::Turns { who, at_least } => {
                let turns = self.turns_of(*who);
                (turns >= *at_least).then(|| signal("turns", turns.to_string(), None)).flatten()
            }
            Standing::Duration { ms } => (self.now_ms >= *ms)
                .then(|| signal("duration_ms", self.now_ms.to_string(), None))
                .flatten(),
            Standing::Ended => {
                self.has_ended.then(|| signal("ended", "true".to_owned(), None)).flatten()
            }
            Standing::Attribute { name, test } => {
                let value = self.attributes.get(name).filter(|value| test.holds(value));
                value.and_then(|value| signal(&format!("attribute.{name}"), value.clone(), None))
            }
        };
        let holds = evidence.is_some();
        by.extend(evidence);
        holds
    }

    fn turns_of(&self, who: Who) -> u32 {
        self.turns.iter().filter(|(role, _)| who.is(*role)).map(|(_, turns)| turns).sum()
    }

    /// How many facts are kept.
    #[cfg(test)]
    pub(super) fn facts(&self) -> usize {
        self.facts.values().map(VecDeque::len).sum()
    }
}

impl AttributeTest {
    fn holds(&self, value: &str) -> bool {
        let number = || value.trim().parse::<f64>().ok();
        match self {
            Self::IsSet => !value.trim().is_empty(),
            Self::IsOneOf(names) => names.contains(&value.trim().to_lowercase()),
            Self::AtLeast(least) => number().is_some_and(|number| number >= *least),
            Self::AtMost(most) => number().is_some_and(|number| number <= *most),
        }
    }
}

fn fact(turn: &Past, name: &str, value: String) -> Fact {
    let (name, turn_id) = (name.to_owned(), Some(turn.turn_id.clone()));
    let evidence = vec![Evidence::Signal { name, value, turn_id }];
    Fact { number: turn.number, at_ms: turn.start_ms, evidence }
}
