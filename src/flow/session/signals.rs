//! What each final says of its conversation besides its words: intent, sentiment, and the company's categories.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Output, Session};
use crate::domain::{AccountFacts, EventBody, Turn, TurnIntent};
use crate::insight::categories::{Categories, Matched, Watch};
use crate::insight::sentiment::Mood;

#[derive(Clone, Debug)]
pub struct SignalSettings {
    pub categories: Arc<Categories>,
    /// Whether `insight.sentiment` is told; rules may rely on it either way.
    pub tells_sentiment: bool,
}

/// No rules, and nothing is told: for whoever wants turns only.
impl Default for SignalSettings {
    fn default() -> Self {
        Self { categories: Arc::new(Categories::none()), tells_sentiment: false }
    }
}

pub(super) struct Signals {
    tells_sentiment: bool,
    mood: Mood,
    watch: Watch,
}

impl Signals {
    pub fn new(settings: &SignalSettings) -> Self {
        let watch = Watch::new(&settings.categories, &BTreeMap::new());
        Self { tells_sentiment: settings.tells_sentiment, mood: Mood::default(), watch }
    }

    /// The signals of this turn, in the order in which they are told: sentiment, then what it and the words bring
    /// about. An intent takes a model and comes later, by `understood`.
    pub fn of(&mut self, turn: &Turn) -> Vec<EventBody> {
        let sentiment = self.mood.take(turn);
        let matched = self.watch.take(turn, sentiment.as_ref(), None);
        let told = sentiment.filter(|_| self.tells_sentiment);
        let told = told.map(|sentiment| EventBody::SentimentSeen(Box::new(sentiment)));
        told.into_iter().chain(events(matched)).collect()
    }

    pub fn ended(&mut self, now_ms: u64) -> impl Iterator<Item = EventBody> {
        events(self.watch.ended(now_ms))
    }
}

/// A match, and just behind it whom it is told.
fn events(matched: Vec<Matched>) -> impl Iterator<Item = EventBody> {
    matched.into_iter().flat_map(|one| {
        let alert = one.alert.map(|alert| EventBody::Alerted(Box::new(alert)));
        std::iter::once(EventBody::CategoryMatched(Box::new(one.category))).chain(alert)
    })
}

impl Session {
    /// What is known of the conversation from its start, secrets masked.
    pub fn begins_with(&mut self, channel: &str, attributes: &BTreeMap<String, String>) {
        self.knows("channel", channel);
        for (name, value) in attributes {
            self.knows(name, value);
        }
    }

    /// What the CRM says of the customer: `tier` and `value` are attributes that rules may ask for.
    pub fn customer_is(&mut self, facts: &AccountFacts) {
        self.suggester.customer_has(&facts.products);
        if let Some(tier) = &facts.tier {
            self.knows("tier", tier);
        }
        if let Some(value) = facts.value {
            self.knows("value", &value.to_string());
        }
    }

    /// What the CRM said before a restart; what came of it was told then.
    pub fn recall_customer(&mut self, facts: &AccountFacts) {
        let told = self.out.len();
        self.customer_is(facts);
        self.out.truncate(told);
    }

    /// What a turn of the customer wants, as soon as it is known.
    pub fn understood(&mut self, intent: TurnIntent) {
        let matched = self.signals.watch.intent(&intent.turn_id, &intent.seen);
        self.out.push_back(Output::Event(EventBody::IntentSeen(Box::new(intent))));
        self.tell(matched);
    }

    /// An intent of before a restart; what came of it was told then.
    pub fn recall_intent(&mut self, intent: &TurnIntent) {
        let _ = self.signals.watch.intent(&intent.turn_id, &intent.seen);
    }

    fn knows(&mut self, name: &str, value: &str) {
        let matched = self.signals.watch.attribute(name, value);
        self.tell(matched);
    }

    fn tell(&mut self, matched: Vec<Matched>) {
        self.out.extend(events(matched).map(Output::Event));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{EndReason, Intent, IntentSeen, Party};
    use crate::flow::session::{SessionSettings, TypedTurn};
    use crate::store::codec;

    const RULES: &str = r#"
[[rule]]
id = "leaving"
when = { said = "want to leave", by = "customer" }
alert = { severity = "info", title = "May leave", to = ["agent"] }
[[rule]]
id = "gold"
when = { all = [{ turns = 1 }, { attribute = "tier", is = "gold" }] }
[[rule]]
id = "wants_refund"
when = { intent = "refund" }
[[rule]]
id = "no_goodbye"
when = { all = [{ ended = true }, { not = { said = "goodbye", by = "agent" } }] }
"#;

    fn session() -> Session {
        let categories = Categories::from_toml([("r.toml", RULES)]).expect("sound rules");
        let signals = SignalSettings { categories: Arc::new(categories), tells_sentiment: true };
        Session::new(Vec::new(), &SessionSettings { signals, ..SessionSettings::default() })
            .expect("no legs, no rate")
    }

    fn message(n: usize, text: &str) -> TypedTurn {
        let party = Party { id: "p-1".into(), role: crate::domain::Role::Customer, name: None };
        TypedTurn {
            id: format!("t-{n}").into(),
            party,
            text: text.into(),
            language: "en".into(),
            at_ms: 1_000 * n as u64,
            is_sent: false,
        }
    }

    /// What was told, by kind, matches by their rule.
    fn told(session: &mut Session) -> Vec<String> {
        let mut told = Vec::new();
        while let Some(output) = session.poll_output() {
            let Output::Event(body) = output else { continue };
            told.push(match &body {
                EventBody::CategoryMatched(matched) => matched.category.clone(),
                other => codec::encode(other).kind.to_owned(),
            });
        }
        told
    }

    #[test]
    fn signals_stand_behind_their_turn() {
        let mut session = session();
        session.begins_with("chat", &BTreeMap::new());
        session.typed(message(1, "This is awful, I want to leave."));
        assert_eq!(
            told(&mut session)[..4],
            ["turn.final", "insight.sentiment", "leaving", "insight.alert"]
        );
        session.customer_is(&AccountFacts { tier: Some("Gold".into()), ..AccountFacts::default() });
        assert_eq!(told(&mut session), ["gold"]);
        let ranked = vec![Intent { label: "refund".into(), probability: 0.9 }];
        let seen = IntentSeen { ranked, abstained: false };
        session.understood(TurnIntent { turn_id: "t-1".into(), seen });
        assert_eq!(told(&mut session), ["insight.intent", "wants_refund"]);
    }

    #[test]
    fn the_end_is_looked_at_before_it_is_told() {
        let mut session = session();
        session.typed(message(1, "hm"));
        told(&mut session);
        session.close(EndReason::Hangup);
        assert_eq!(told(&mut session), ["no_goodbye", "conversation.ended"]);
    }

    #[test]
    fn what_was_told_before_a_restart_is_not_told_again() {
        let mut before = session();
        before.typed(message(1, "I want to leave."));
        let mut turn = None;
        while let Some(output) = before.poll_output() {
            if let Output::Event(EventBody::TurnFinal(said)) = output {
                turn = Some(said);
            }
        }
        let mut after = session();
        after.recall(&turn.expect("a turn"));
        let gold = AccountFacts { tier: Some("Gold".into()), ..AccountFacts::default() };
        after.recall_customer(&gold);
        assert!(told(&mut after).is_empty());
        after.typed(message(2, "As I said, I want to leave."));
        assert!(!told(&mut after).contains(&"leaving".to_owned()));
    }
}
