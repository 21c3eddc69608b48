//! What a board makes of events, told by their times.

mod learning;

use jiff::Timestamp;

use super::*;
use crate::domain::*;

const DAY: u64 = 24 * 3_600_000;
const MINUTE: u64 = 60_000;

fn at(conversation: &str, at_ms: u64, body: EventBody) -> Recorded {
    let encoded = codec::encode(&body);
    Recorded {
        position: at_ms,
        id: "e".into(),
        tenant: "t".into(),
        conversation: conversation.into(),
        sequence: 1,
        time: Timestamp::from_millisecond(at_ms as i64).expect("a time"),
        kind: encoded.kind.into(),
        schema: encoded.schema.into(),
        data: encoded.data.into(),
    }
}

fn board() -> Board {
    Board::new(ContextSettings::default())
}

fn take(board: &mut Board, conversation: &str, at_ms: u64, body: EventBody) {
    board.apply(&at(conversation, at_ms, body)).expect("sound");
}

fn started() -> EventBody {
    EventBody::ConversationStarted(ConversationStarted {
        channel: Channel::Voice,
        direction: Direction::Inbound,
        external_id: None,
        parties: vec![],
        attributes: [("queue".to_owned(), "billing".to_owned())].into(),
    })
}

fn said(role: Role, text: &str, language: &str) -> EventBody {
    EventBody::TurnFinal(Turn {
        id: "t-1".into(),
        party: Party { id: "p-1".into(), role, name: None },
        start_ms: 0,
        end_ms: 1,
        text: Redacted::vouched(text),
        display_text: None,
        words: vec![],
        mean_logprob: None,
        language: language.into(),
    })
}

fn intent(label: &str, probability: f32) -> EventBody {
    let ranked = vec![Intent { label: label.into(), probability }];
    let seen = IntentSeen { ranked, abstained: probability < 0.5 };
    EventBody::IntentSeen(Box::new(TurnIntent { turn_id: "t-1".into(), seen }))
}

fn caller(id: &str, value: Option<f64>) -> EventBody {
    let known = KnownContact {
        contact: Contact { id: id.into(), ..Contact::default() },
        facts: AccountFacts { tier: Some("gold".into()), value, ..AccountFacts::default() },
        cases: vec![Case { id: "case-9".into(), owner: Some("anna".into()), ..Case::default() }],
        ..KnownContact::default()
    };
    EventBody::CrmContext(Box::new(CrmContext {
        connector: "crm".into(),
        searched: Some(ContactKey::Phone("+442079460123".into())),
        identity: Identity::Known(Box::new(known)),
        latency_ms: 5,
    }))
}

fn assigned(agent: &str) -> EventBody {
    EventBody::RouteAssigned(Box::new(Assignment {
        decision: None,
        item: "i-1".into(),
        queue: "billing".into(),
        agent: agent.into(),
        mode: RoutingMode::Active,
        policy: "context".into(),
        epoch: 1,
        recommended: None,
        by: None,
        reason: String::new(),
        day_profiles: Vec::new(),
        waited_ms: 0,
        at_ms: 0,
    }))
}

fn ended() -> EventBody {
    EventBody::ConversationEnded(ConversationEnded { reason: EndReason::Hangup, duration_ms: 1 })
}

fn promised(role: Role, date: Option<jiff::civil::Date>) -> EventBody {
    EventBody::WrapUp(Box::new(WrapUp {
        id: "w-end-followup-1".into(),
        occasion: Occasion::End,
        authorship: Authorship {
            provider: "extractive".into(),
            model: None,
            prompt: None,
            seed: None,
        },
        language: "en".into(),
        body: WrapUpBody::FollowUp(FollowUp {
            kind: FollowUpKind::Callback,
            promised_by: role,
            sentence: ProvenSentence {
                text: Redacted::vouched("I will call you."),
                proofs: vec![],
                support: 1.0,
            },
            due: date.map(|date| Due {
                phrase: Redacted::vouched("then"),
                date: Some(date),
                time: Some(jiff::civil::time(14, 0, 0, 0)),
                until: None,
                is_limit: true,
                time_zone: "UTC".into(),
            }),
        }),
        struck: vec![],
    }))
}

/// A whole call: who, with what, with whom, how many minutes.
fn call(
    board: &mut Board,
    name: &str,
    at_ms: u64,
    who: &str,
    label: &str,
    agent: &str,
    minutes: u64,
) {
    take(board, name, at_ms, started());
    take(board, name, at_ms, caller(who, None));
    take(board, name, at_ms, intent(label, 0.9));
    take(board, name, at_ms, assigned(agent));
    take(board, name, at_ms + minutes * MINUTE, ended());
}

fn value_of(known: &[Known], name: &str) -> Option<FeatureValue> {
    known.iter().find(|one| one.feature.name == name).map(|one| one.feature.value.clone())
}

fn text(text: &str) -> Option<FeatureValue> {
    Some(FeatureValue::Text(text.into()))
}

#[test]
fn a_conversation_is_known_by_its_events_each_with_source_and_age() {
    let (mut board, id) = (board(), ConversationId::from("c-1"));
    take(&mut board, "c-1", 1_000, started());
    take(&mut board, "c-1", 2_000, caller("7", Some(900.0)));
    take(&mut board, "c-1", 3_000, said(Role::Customer, "Wo bleibt mein Geld, bitte?", "de"));
    take(&mut board, "c-1", 3_100, said(Role::Bot, "One moment.", "en"));
    take(&mut board, "c-1", 4_000, intent("refund", 0.9));
    let known = board.features(&id, 5_000);
    assert_eq!(value_of(&known, name::INTENT), text("refund"));
    assert_eq!(value_of(&known, name::LANGUAGE), text("de"));
    assert_eq!(value_of(&known, name::CHANNEL), text("voice"));
    assert_eq!(value_of(&known, name::TIER), text("gold"));
    assert_eq!(value_of(&known, name::ACCOUNT_VALUE), Some(FeatureValue::Number(900.0)));
    assert_eq!(value_of(&known, name::OPEN_CASE), text("case-9"));
    assert_eq!(value_of(&known, name::CASE_OWNER), text("anna"));
    assert_eq!(value_of(&known, "attribute.queue"), text("billing"));
    assert_eq!(value_of(&known, name::LAST_AGENT), None);
    let intent = known.iter().find(|one| one.feature.name == name::INTENT).expect("one");
    assert_eq!((&*intent.feature.source, intent.age_ms), ("insight.intent", 1_000));
    assert!(known.iter().all(|one| !one.stale && one.weight == 1.0));
    assert_eq!(board.features(&"c-2".into(), 5_000), []);
}

#[test]
fn feelings_and_matched_rules_are_known_until_they_are_old() {
    let (mut board, id) = (board(), ConversationId::from("c-1"));
    let felt = |score, trend| {
        EventBody::SentimentSeen(Box::new(Sentiment {
            turn_id: "t-1".into(),
            score,
            level: SentimentLevel::Negative,
            trend,
            message_score: score,
            messages: 1,
            terms: vec![],
        }))
    };
    take(&mut board, "c-1", 1, felt(0.25, SentimentTrend::Steady));
    take(&mut board, "c-1", 2, felt(-0.5, SentimentTrend::Falling));
    for category in ["cancellation", "vulnerable", "cancellation"] {
        let matched = CategoryMatched {
            category: category.into(),
            title: String::new(),
            turn_id: None,
            times: 1,
            evidence: vec![],
        };
        take(&mut board, "c-1", 3, EventBody::CategoryMatched(Box::new(matched)));
    }
    let known = board.features(&id, 3);
    assert_eq!(value_of(&known, name::SENTIMENT), Some(FeatureValue::Number(-0.5)));
    assert_eq!(value_of(&known, name::SENTIMENT_TREND), text("falling"));
    let categories = known.iter().filter(|one| one.feature.name == name::CATEGORY);
    let categories: Vec<_> = categories.map(|one| one.feature.value.clone()).collect();
    assert_eq!(
        categories.into_iter().map(Some).collect::<Vec<_>>(),
        [text("cancellation"), text("vulnerable")]
    );
    let old = board.features(&id, 2 + 6 * Limits::default().mood_ms);
    assert_eq!(value_of(&old, name::SENTIMENT), None);
}

#[test]
fn an_intent_that_abstains_takes_away_nothing_and_says_nothing() {
    let (mut board, id) = (board(), ConversationId::from("c-1"));
    take(&mut board, "c-1", 1, intent("refund", 0.2));
    assert_eq!(value_of(&board.features(&id, 1), name::INTENT), None);
    take(&mut board, "c-1", 2, intent("refund", 0.8));
    take(&mut board, "c-1", 3, intent("weather", 0.1));
    assert_eq!(value_of(&board.features(&id, 3), name::INTENT), text("refund"));
}

#[test]
fn what_is_old_is_marked_counts_less_and_is_forgotten() {
    let (mut board, id) = (board(), ConversationId::from("c-1"));
    let limit = Limits::default().intent_ms;
    take(&mut board, "c-1", 0, intent("refund", 0.8));
    let seen = |now_ms| {
        let known = board.features(&id, now_ms);
        known.into_iter().find(|one| one.feature.name == name::INTENT_PROBABILITY)
    };
    let fresh = seen(limit).expect("known");
    assert!(!fresh.stale && fresh.weight == 1.0);
    let stale = seen(2 * limit).expect("known");
    assert!(stale.stale && (stale.weight - 0.5).abs() < 1e-9);
    assert!((stale.number(0.0).expect("a number") - 0.4).abs() < 1e-6);
    assert_eq!(seen(6 * limit), None, "a weight below a sixteenth");
}

#[test]
fn a_promise_is_due_in_the_next_conversation_of_the_same_customer() {
    let mut board = board();
    let day = jiff::civil::date(1970, 1, 3);
    call(&mut board, "c-1", 1_000, "7", "refund", "anna", 5);
    take(&mut board, "c-1", 7 * MINUTE, promised(Role::Agent, Some(day)));
    take(&mut board, "c-1", 7 * MINUTE, promised(Role::Customer, Some(day)));
    assert!(board.promises(&"c-1".into(), DAY).is_empty(), "it is this conversation's own");
    take(&mut board, "c-2", DAY, caller("8", None));
    assert!(board.promises(&"c-2".into(), DAY).is_empty(), "somebody else");
    take(&mut board, "c-3", DAY, caller("7", None));
    let known = board.features(&"c-3".into(), DAY);
    let due = 2 * DAY + 14 * 3_600_000;
    let due_in_s = FeatureValue::Number((due - DAY) as f64 / 1_000.0);
    assert_eq!(value_of(&known, name::PROMISE_DUE_IN_S), Some(due_in_s));
    assert_eq!(value_of(&known, name::PROMISE_OVERDUE), Some(FeatureValue::Flag(false)));
    assert_eq!(value_of(&known, name::LAST_AGENT), text("anna"));
    assert_eq!(value_of(&known, name::RECENT_CONTACTS), Some(FeatureValue::Number(1.0)));
    let late = board.features(&"c-3".into(), due + 1);
    assert_eq!(value_of(&late, name::PROMISE_OVERDUE), Some(FeatureValue::Flag(true)));
    let forgotten = board.promises(&"c-3".into(), due + 15 * DAY);
    assert!(forgotten.is_empty());
    let verdict = WrapUpVerdict {
        wrapup_id: "w-end-followup-1".into(),
        verdict: ReviewVerdict::Discarded,
        edited_text: None,
        seen: None,
    };
    take(&mut board, "c-1", DAY, EventBody::WrapUpVerdict(verdict));
    assert!(board.promises(&"c-3".into(), DAY).is_empty(), "a person said that it is none");
}

#[test]
fn a_damaged_event_changes_nothing() {
    let mut board = board();
    take(&mut board, "c-1", 1, intent("refund", 0.9));
    let mut broken = at("c-1", 2, intent("bill", 0.9));
    broken.data = "{".into();
    assert!(board.apply(&broken).is_err());
    assert_eq!(value_of(&board.features(&"c-1".into(), 2), name::INTENT), text("refund"));
}
