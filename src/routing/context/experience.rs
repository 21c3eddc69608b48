//! How long matters take, and who ends them for good, as far as the log tells.
//!
//! Few contacts say little, so each figure is drawn towards the one above it, which weighs like
//! [`PRIOR_CONTACTS`] contacts (m: mean seconds, n: contacts, S: their sum of seconds):
//!
//! - all contacts: `m = (S + 10 × assumed) / (n + 10)`
//! - an intent: `m(i) = (S(i) + 10 × m) / (n(i) + 10)`
//! - an agent with an intent: `m(a, i) = (S(a, i) + 10 × m(i)) / (n(a, i) + 10)`
//!
//! That is Bühlmann's credibility estimate with `k = 10` (H. Bühlmann, *Experience rating and credibility*, ASTIN
//! Bulletin 4, 1967). Shares of matters that were ended for good go the same way by `score::resolves`, a beta prior;
//! that over all contacts is `(resolved + 1) / (judged + 2)`. Counts lose half with every half-life, so that what
//! people learn shows.

use std::collections::{BTreeMap, BTreeSet};

use crate::routing::score;

/// The figure above weighs like so many contacts.
pub const PRIOR_CONTACTS: f64 = 10.0;
/// Shorter are mistakes of bookkeeping, longer are lines that nobody hung up.
const SECONDS: std::ops::RangeInclusive<f64> = 5.0..=14_400.0;
/// An average of fewer accounts is no measure for another.
const ACCOUNTS_MIN: f64 = 5.0;
/// Of a full table so much goes at once, the longest unused first.
const FORGOTTEN_SHARE: usize = 16;

/// Sums that lose half with every half-life.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    pub handled: f64,
    pub seconds: f64,
    pub judged: f64,
    pub resolved: f64,
    pub last_ms: u64,
}

impl Tally {
    fn age(&mut self, at_ms: u64, half_life_ms: u64) {
        // What comes late from another clock makes nobody younger.
        let Some(passed) = at_ms.checked_sub(self.last_ms) else { return };
        let left = (-(passed as f64) / half_life_ms.max(1) as f64).exp2();
        for sum in [&mut self.handled, &mut self.seconds, &mut self.judged, &mut self.resolved] {
            *sum *= left;
        }
        self.last_ms = at_ms;
    }

    fn mean(&self, above: f64) -> f64 {
        (self.seconds + PRIOR_CONTACTS * above) / (self.handled + PRIOR_CONTACTS)
    }
}

/// What an agent has done so far with an intent, as a router that shrinks by itself takes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    pub agent: String,
    pub intent: String,
    pub handled: f64,
    /// Of those: what isn't judged yet counts as the intent's others do.
    pub resolved: f64,
    pub total_s: f64,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Experience {
    pairs_max: usize,
    half_life_ms: u64,
    all: Tally,
    intents: BTreeMap<String, Tally>,
    /// By agent, then intent.
    agents: BTreeMap<String, BTreeMap<String, Tally>>,
    pairs: usize,
    /// Pairs of which something was learnt since somebody asked.
    news: BTreeSet<(String, String)>,
    /// Of accounts: how many, and what they are worth together.
    accounts: Tally,
}

impl Experience {
    pub fn new(pairs_max: usize, half_life_ms: u64) -> Self {
        Self { pairs_max: pairs_max.max(1), half_life_ms, ..Self::default() }
    }

    /// A contact was handled. What can't be a time isn't counted.
    pub fn handled(&mut self, agent: &str, intent: Option<&str>, seconds: f64, at_ms: u64) {
        if !SECONDS.contains(&seconds) {
            return;
        }
        self.each(agent, intent, at_ms, |tally| {
            tally.handled += 1.0;
            tally.seconds += seconds;
        });
    }

    /// It is known by now whether that was the end of it.
    pub fn judged(&mut self, agent: &str, intent: Option<&str>, is_resolved: bool, at_ms: u64) {
        self.each(agent, intent, at_ms, |tally| {
            tally.judged += 1.0;
            tally.resolved += f64::from(u8::from(is_resolved));
        });
    }

    /// An account of that worth called.
    pub fn valued(&mut self, value: f64, at_ms: u64) {
        if value.is_finite() && value >= 0.0 {
            self.accounts.age(at_ms, self.half_life_ms);
            self.accounts.handled += 1.0;
            self.accounts.seconds += value;
        }
    }

    /// An account's worth beside the mean of those who call; none while too few have.
    pub fn relative_value(&self, value: f64) -> Option<f64> {
        let mean = self.accounts.seconds / self.accounts.handled;
        (self.accounts.handled >= ACCOUNTS_MIN && mean > 0.0).then(|| value / mean)
    }

    /// Mean seconds of all contacts, where `assumed` is what is thought without any.
    pub fn mean_s(&self, assumed: f64) -> f64 {
        self.all.mean(assumed)
    }

    /// Mean seconds of an intent's, by whomever.
    pub fn intent_s(&self, intent: &str, assumed: f64) -> f64 {
        let above = self.mean_s(assumed);
        self.intents.get(intent).map_or(above, |tally| tally.mean(above))
    }

    /// Mean seconds of an intent's with this agent.
    pub fn agent_s(&self, agent: &str, intent: &str, assumed: f64) -> f64 {
        let above = self.intent_s(intent, assumed);
        self.pair(agent, intent).map_or(above, |tally| tally.mean(above))
    }

    /// The share of all matters that were ended for good.
    pub fn resolved(&self) -> f64 {
        (self.all.resolved + 1.0) / (self.all.judged + 2.0)
    }

    pub fn intent_resolves(&self, intent: &str) -> f64 {
        let above = self.resolved();
        let of = |tally: &Tally| score::resolves(tally.resolved, tally.judged, above);
        self.intents.get(intent).map_or(above, of)
    }

    /// How likely this agent ends such a matter for good.
    pub fn agent_resolves(&self, agent: &str, intent: &str) -> f64 {
        let above = self.intent_resolves(intent);
        let of = |tally: &Tally| score::resolves(tally.resolved, tally.judged, above);
        self.pair(agent, intent).map_or(above, of)
    }

    /// Of an agent with an intent, as it stands.
    pub fn pair(&self, agent: &str, intent: &str) -> Option<&Tally> {
        self.agents.get(agent)?.get(intent)
    }

    /// What was learnt since this was asked last, each pair as it stands.
    pub fn news(&mut self) -> Vec<Measured> {
        let changed = std::mem::take(&mut self.news);
        let as_it_stands = |(agent, intent): (String, String)| {
            let tally = self.pair(&agent, &intent)?;
            let share = match tally.judged > 0.0 {
                true => tally.resolved / tally.judged,
                false => self.intent_resolves(&intent),
            };
            let (handled, total_s) = (tally.handled, tally.seconds);
            Some(Measured { resolved: handled * share, agent, intent, handled, total_s })
        };
        changed.into_iter().filter_map(as_it_stands).collect()
    }

    /// All of it is news to whoever asks next.
    pub fn renew(&mut self) {
        let pairs = self.agents.iter().flat_map(|(agent, of_agent)| {
            of_agent.keys().map(move |intent| (agent.clone(), intent.clone()))
        });
        self.news = pairs.collect();
    }

    /// Pairs of agent and intent that are kept.
    pub const fn pairs(&self) -> usize {
        self.pairs
    }

    /// When something was learnt of an intent last; of any contact where it was never seen.
    pub fn learnt_ms(&self, intent: Option<&str>) -> Option<u64> {
        let of_intent = intent.and_then(|intent| self.intents.get(intent));
        let tally = of_intent.unwrap_or(&self.all);
        (tally.handled > 0.0).then_some(tally.last_ms)
    }

    fn each(&mut self, agent: &str, intent: Option<&str>, at_ms: u64, count: impl Fn(&mut Tally)) {
        let half_life_ms = self.half_life_ms;
        let add = |tally: &mut Tally| {
            tally.age(at_ms, half_life_ms);
            count(tally);
        };
        add(&mut self.all);
        let Some(intent) = intent else { return };
        if self.intents.len() < self.pairs_max || self.intents.contains_key(intent) {
            add(self.intents.entry(intent.to_owned()).or_default());
        }
        if self.pair(agent, intent).is_none() {
            if self.pairs >= self.pairs_max {
                self.forget();
            }
            self.pairs += 1;
        }
        if self.news.len() < self.pairs_max {
            self.news.insert((agent.to_owned(), intent.to_owned()));
        }
        let of_agent = self.agents.entry(agent.to_owned()).or_default();
        add(of_agent.entry(intent.to_owned()).or_default());
    }

    /// Makes room: whatever was used the longest ago goes.
    fn forget(&mut self) {
        let pairs = self.agents.values().flat_map(BTreeMap::values);
        let mut ages: Vec<u64> = pairs.map(|tally| tally.last_ms).collect();
        ages.sort_unstable();
        let mut surplus = (self.pairs_max / FORGOTTEN_SHARE).max(1);
        let Some(&oldest) = ages.get(surplus.min(ages.len()).saturating_sub(1)) else { return };
        for of_agent in self.agents.values_mut() {
            of_agent.retain(|_, tally| {
                let goes = surplus > 0 && tally.last_ms <= oldest;
                surplus -= usize::from(goes);
                self.pairs -= usize::from(goes);
                !goes
            });
        }
        self.agents.retain(|_, of_agent| !of_agent.is_empty());
    }
}
