//! What is understood of a conversation while it goes on.

use super::*;

fn intent() -> TurnIntent {
    let ranked = vec![
        Intent { label: "cancel".into(), probability: 0.75 },
        Intent { label: "price".into(), probability: 0.125 },
    ];
    TurnIntent { turn_id: "t-9".into(), seen: IntentSeen { ranked, abstained: false } }
}

fn sentiment() -> Sentiment {
    Sentiment {
        turn_id: "t-9".into(),
        score: -0.5,
        level: SentimentLevel::Negative,
        trend: SentimentTrend::Falling,
        message_score: -0.75,
        messages: 3,
        terms: vec![SentimentTerm {
            start_chars: 3,
            end_chars: 8,
            quote: Redacted::vouched("awful"),
            weight: -2.5,
        }],
    }
}

fn matched() -> CategoryMatched {
    CategoryMatched {
        category: "cancellation_risk".into(),
        title: "Cancellation risk".into(),
        turn_id: Some("t-9".into()),
        times: 1,
        evidence: vec![
            Evidence::Said(TurnCitation {
                turn_id: "t-8".into(),
                role: Role::Customer,
                start_chars: 7,
                end_chars: 13,
                quote: Redacted::vouched("cancel"),
            }),
            Evidence::Signal {
                name: "silence_ms".into(),
                value: "12400".into(),
                turn_id: Some("t-9".into()),
            },
            Evidence::Signal { name: "attribute.tier".into(), value: "gold".into(), turn_id: None },
        ],
    }
}

#[test]
fn insights_are_written_as_they_always_were() {
    check(
        EventBody::IntentSeen(Box::new(intent())),
        r#"{"turn_id":"t-9","abstained":false,"intents":[{"label":"cancel","probability":0.75},{"label":"price","probability":0.125}]}"#,
        to_value::<wire::InsightIntent>,
    );
    check(
        EventBody::SentimentSeen(Box::new(sentiment())),
        r#"{"turn_id":"t-9","score":-0.5,"level":"negative","trend":"falling","message_score":-0.75,"messages":3,"terms":[{"start":3,"end":8,"quote":"awful","weight":-2.5}]}"#,
        to_value::<wire::InsightSentiment>,
    );
    check(
        EventBody::CategoryMatched(Box::new(matched())),
        r#"{"category":"cancellation_risk","title":"Cancellation risk","turn_id":"t-9","times":1,"evidence":[{"kind":"said","turn_id":"t-8","role":"customer","start":7,"end":13,"quote":"cancel"},{"kind":"signal","name":"silence_ms","value":"12400","turn_id":"t-9"},{"kind":"signal","name":"attribute.tier","value":"gold"}]}"#,
        to_value::<wire::InsightCategory>,
    );
    let alert = |message: Option<&str>, turn_id: Option<&str>| {
        EventBody::Alerted(Box::new(Alert {
            category: "cancellation_risk".into(),
            times: 2,
            severity: Severity::Warning,
            title: "May leave".into(),
            message: message.map(Into::into),
            to: vec![Role::Agent, Role::Supervisor],
            turn_id: turn_id.map(Into::into),
        }))
    };
    check(
        alert(Some("Ask why."), Some("t-9")),
        r#"{"category":"cancellation_risk","times":2,"severity":"warning","title":"May leave","message":"Ask why.","to":["agent","supervisor"],"turn_id":"t-9"}"#,
        to_value::<wire::InsightAlert>,
    );
    check(
        alert(None, None),
        r#"{"category":"cancellation_risk","times":2,"severity":"warning","title":"May leave","to":["agent","supervisor"],"turn_id":null}"#,
        to_value::<wire::InsightAlert>,
    );
}

#[test]
fn insights_come_back_as_they_went() {
    let event = recorded(EventBody::IntentSeen(Box::new(intent())));
    assert_eq!(codec::decode_intent(&event).ok(), Some(Some(intent())));
    assert_eq!(codec::decode_sentiment(&event).ok(), Some(None), "another kind");
    let event = recorded(EventBody::SentimentSeen(Box::new(sentiment())));
    assert_eq!(codec::decode_sentiment(&event).ok(), Some(Some(sentiment())));
    assert_eq!(codec::decode_category(&event).ok(), Some(None), "another kind");
    let event = recorded(EventBody::CategoryMatched(Box::new(matched())));
    assert_eq!(codec::decode_category(&event).ok(), Some(Some(matched())));
    assert_eq!(codec::decode_intent(&event).ok(), Some(None), "another kind");
}
