//! What a board knows of a conversation, as features, and of an agent who could take it.

use super::age::{Known, weight};
use super::{Board, Live};
use crate::domain::{ConversationId, Feature, FeatureValue, Intent};
use crate::routing::score;
use crate::store::codec;

/// Features by name, for rules and for people. Attributes of the conversation are `attribute.<name>`.
pub mod name {
    pub const INTENT: &str = "intent";
    pub const INTENT_PROBABILITY: &str = "intent_probability";
    /// From -1 to 1.
    pub const SENTIMENT: &str = "sentiment";
    /// falling, steady or rising
    pub const SENTIMENT_TREND: &str = "sentiment_trend";
    pub const LANGUAGE: &str = "language";
    pub const CHANNEL: &str = "channel";
    /// The CRM knows who it is.
    pub const KNOWN_CONTACT: &str = "known_contact";
    /// A year, in the CRM's currency.
    pub const ACCOUNT_VALUE: &str = "account_value";
    /// Beside the mean of those who call: 1 for an ordinary one.
    pub const VALUE: &str = "value";
    pub const TIER: &str = "tier";
    pub const ACCOUNT_OWNER: &str = "account_owner";
    pub const OPEN_CASE: &str = "open_case";
    pub const OPEN_CASES: &str = "open_cases";
    pub const CASE_OWNER: &str = "case_owner";
    pub const CASE_PRIORITY: &str = "case_priority";
    /// When the first promise falls due, in unix milliseconds.
    pub const PROMISE_DUE_MS: &str = "promise_due_ms";
    /// Until then; negative where it is late by that much.
    pub const PROMISE_DUE_IN_S: &str = "promise_due_in_s";
    pub const PROMISE_OVERDUE: &str = "promise_overdue";
    pub const LAST_AGENT: &str = "last_agent";
    /// Conversations of the last seven days before this one.
    pub const RECENT_CONTACTS: &str = "recent_contacts";
    /// A rule that matched; one feature for each.
    pub const CATEGORY: &str = "category";
    /// Expected, whoever takes it, after-work included.
    pub const HANDLING_S: &str = "handling_s";
}

const RECENT_MS: u64 = 7 * 24 * 3_600_000;
const NO_LIMIT: u64 = 0;
/// The handling time and the probability to resolve are learnt from the whole log.
const LOG: &str = "log";

/// What may be expected of an agent with this conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentFit {
    /// Expected, after-work included.
    pub handling_s: f64,
    /// Probability that the customer doesn't come back with it.
    pub resolves: f64,
    /// For people: `anna resolved 14 of 16 “refund”`.
    pub why: String,
}

impl Board {
    /// What is known of a conversation now, each with its age. What is as good as unknown is left out.
    pub fn features(&self, conversation: &ConversationId, now_ms: u64) -> Vec<Known> {
        let Some(live) = self.live.get(conversation) else { return Vec::new() };
        let mut found = Found { known: Vec::new(), now_ms };
        self.of_words(live, &mut found);
        self.of_customer(live, &mut found);
        self.of_past(conversation, live, &mut found);
        let lasting = |name: String, value: &str| Feature {
            name: name.into(),
            value: FeatureValue::Text(value.to_owned()),
            source: codec::CONVERSATION_STARTED.into(),
            as_of_ms: live.began_ms,
        };
        for (name, value) in &live.attributes {
            found.known.push(Known::lasting(lasting(format!("attribute.{name}"), value), now_ms));
        }
        if let Some(channel) = &live.channel {
            found.known.push(Known::lasting(lasting(name::CHANNEL.to_owned(), channel), now_ms));
        }
        found.known
    }

    /// The same for a router's rules, which know no weights: what is stale is left out, but the value, which is
    /// drawn towards 1; of an intent, the probabilities are less.
    pub fn for_rules(
        &self,
        conversation: &ConversationId,
        now_ms: u64,
    ) -> (Vec<Feature>, Vec<Intent>) {
        let mut features = Vec::new();
        for known in self.features(conversation, now_ms) {
            let number = known.number(1.0);
            match number.filter(|_| known.feature.name == name::VALUE) {
                Some(number) => {
                    let value = FeatureValue::Number(number);
                    features.push(Feature { value, ..known.feature });
                }
                None if known.stale => {}
                None => features.push(known.feature),
            }
        }
        let intents = self.weighed_intents(conversation, now_ms).into_iter();
        let weighed = |(intent, weight): (Intent, f64)| Intent {
            probability: weight as f32,
            label: intent.label,
        };
        (features, intents.map(weighed).collect())
    }

    /// What may be expected of an agent, whatever the matter may be: the mean over the likely intents, each figure
    /// weighed with the intent's probability (less as it grows old), and that of all contacts for the rest.
    pub fn fit(&self, conversation: &ConversationId, agent: &str, now_ms: u64) -> AgentFit {
        let experience = &self.experience;
        let assumed = self.settings.handling_s + self.settings.after_work_s;
        let intents = self.weighed_intents(conversation, now_ms);
        let handling = intents
            .iter()
            .map(|(intent, weight)| (*weight, experience.agent_s(agent, &intent.label, assumed)));
        let resolving = intents
            .iter()
            .map(|(intent, weight)| (*weight, experience.agent_resolves(agent, &intent.label)));
        let why = match intents.first() {
            None => "nothing is known of the matter".to_owned(),
            Some((intent, _)) => match experience.pair(agent, &intent.label) {
                Some(tally) => format!(
                    "{agent} resolved {:.0} of {:.0} “{}”",
                    tally.resolved, tally.judged, intent.label
                ),
                None => format!("{agent} had no “{}” yet", intent.label),
            },
        };
        AgentFit {
            handling_s: score::expected(handling, experience.mean_s(assumed)),
            resolves: score::expected(resolving, experience.resolved()),
            why,
        }
    }

    /// Beside the mean of those who call, drawn towards 1 as it grows old; none where it isn't known.
    pub fn relative_value(&self, conversation: &ConversationId, now_ms: u64) -> Option<f64> {
        let (customer, at_ms) = self.live.get(conversation)?.crm.as_ref()?;
        let relative = self.experience.relative_value(customer.value?)?;
        let weight = weight(now_ms.saturating_sub(*at_ms), self.settings.limits.crm_ms);
        Some(1.0 + weight * (relative - 1.0))
    }

    fn weighed_intents(&self, conversation: &ConversationId, now_ms: u64) -> Vec<(Intent, f64)> {
        let seen = self.live.get(conversation).and_then(|live| live.intent.as_ref());
        let Some((seen, at_ms)) = seen.filter(|(seen, _)| !seen.abstained) else {
            return Vec::new();
        };
        let weight = weight(now_ms.saturating_sub(*at_ms), self.settings.limits.intent_ms);
        let weighed = seen.ranked.iter();
        weighed.map(|one| (one.clone(), f64::from(one.probability) * weight)).collect()
    }

    fn of_words(&self, live: &Live, found: &mut Found) {
        let limits = &self.settings.limits;
        if let Some((seen, at_ms)) = &live.intent
            && let Some(top) = seen.top()
        {
            let from = (codec::INSIGHT_INTENT, *at_ms, limits.intent_ms);
            found.text(name::INTENT, &top.label, from);
            found.number(name::INTENT_PROBABILITY, f64::from(top.probability), from);
        }
        if let Some((mood, at_ms)) = &live.mood {
            let from = (codec::INSIGHT_SENTIMENT, *at_ms, limits.mood_ms);
            found.number(name::SENTIMENT, f64::from(mood.score), from);
            found.text(name::SENTIMENT_TREND, mood.trend.as_str(), from);
        }
        if let Some(language) = live.language() {
            found.text(name::LANGUAGE, language, (codec::TURN_FINAL, live.spoke_ms, NO_LIMIT));
        }
        for (category, at_ms) in &live.categories {
            let from = (codec::INSIGHT_CATEGORY, *at_ms, limits.intent_ms);
            found.text(name::CATEGORY, category, from);
        }
        let learnt_ms = self.experience.learnt_ms(live.matter());
        let assumed = self.settings.handling_s + self.settings.after_work_s;
        if let Some(at_ms) = learnt_ms {
            let seconds = match live.matter() {
                Some(intent) => self.experience.intent_s(intent, assumed),
                None => self.experience.mean_s(assumed),
            };
            found.number(name::HANDLING_S, seconds, (LOG, at_ms, limits.experience_ms));
        }
    }

    fn of_customer(&self, live: &Live, found: &mut Found) {
        let Some((customer, at_ms)) = &live.crm else { return };
        let from = (codec::CRM_CONTEXT, *at_ms, self.settings.limits.crm_ms);
        found.push(name::KNOWN_CONTACT, FeatureValue::Flag(customer.is_known), from);
        if !customer.is_known {
            return;
        }
        if let Some(value) = customer.value {
            found.number(name::ACCOUNT_VALUE, value, from);
            if let Some(relative) = self.experience.relative_value(value) {
                found.number(name::VALUE, relative, from);
            }
        }
        found.number(name::OPEN_CASES, customer.open_cases as f64, from);
        for (name, text) in [
            (name::TIER, &customer.tier),
            (name::ACCOUNT_OWNER, &customer.account_owner),
            (name::OPEN_CASE, &customer.case_id),
            (name::CASE_OWNER, &customer.case_owner),
            (name::CASE_PRIORITY, &customer.case_priority),
        ] {
            if let Some(text) = text {
                found.text(name, text, from);
            }
        }
    }

    fn of_past(&self, conversation: &ConversationId, live: &Live, found: &mut Found) {
        let Some(key) = live.contact() else { return };
        let now_ms = found.now_ms;
        let keep_ms = self.settings.promise_keep_ms;
        if let Some(first) = self.past.promises(key, conversation, now_ms, keep_ms).first()
            && let Some(due_ms) = first.due_ms
        {
            let from = (codec::WRAPUP_FOLLOW_UP, first.made_ms, NO_LIMIT);
            let due_in_s = (due_ms as f64 - now_ms as f64) / 1_000.0;
            found.number(name::PROMISE_DUE_MS, due_ms as f64, from);
            found.number(name::PROMISE_DUE_IN_S, due_in_s, from);
            found.push(name::PROMISE_OVERDUE, FeatureValue::Flag(due_ms < now_ms), from);
        }
        let Some(contact) = self.past.of(key) else { return };
        if let Some((agent, at_ms)) = &contact.last_agent {
            let from = (LOG, *at_ms, self.settings.limits.last_agent_ms);
            found.text(name::LAST_AGENT, agent, from);
        }
        let since = now_ms.saturating_sub(RECENT_MS);
        let recent: Vec<u64> = contact.visits.iter().copied().filter(|at| *at >= since).collect();
        if let Some(last) = recent.last() {
            found.number(name::RECENT_CONTACTS, recent.len() as f64, (LOG, *last, NO_LIMIT));
        }
    }
}

/// Features that are being collected. `from` is the source, since when, and how long it holds.
struct Found {
    known: Vec<Known>,
    now_ms: u64,
}

type From = (&'static str, u64, u64);

impl Found {
    fn push(
        &mut self,
        name: impl Into<std::borrow::Cow<'static, str>>,
        value: FeatureValue,
        (source, as_of_ms, limit_ms): From,
    ) {
        let feature = Feature { name: name.into(), value, source: source.into(), as_of_ms };
        self.known.extend(Known::new(feature, limit_ms, self.now_ms));
    }

    fn text(&mut self, name: &'static str, text: &str, from: From) {
        self.push(name, FeatureValue::Text(text.to_owned()), from);
    }

    fn number(&mut self, name: &'static str, number: f64, from: From) {
        self.push(name, FeatureValue::Number(number), from);
    }
}
