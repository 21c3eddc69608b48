//! What is told about questions that were not answered.

use super::*;

#[test]
fn unanswered_questions_are_written_as_they_always_were() {
    let question = |context: Option<&str>| TurnQuestion {
        turn: "t-9".into(),
        text: Redacted::vouched("When?"),
        context: context.map(Redacted::vouched),
    };
    let abstained = |context, nearest| {
        EventBody::SuggestionAbstained(Box::new(Abstained { question: question(context), nearest }))
    };
    check(
        abstained(None, None),
        r#"{"turn_id":"t-9","question":"When?","why":"nothing_found","score":null,"nearest":null}"#,
        to_value::<wire::SuggestionAbstained>,
    );
    let nearest = NearestPassage {
        article_id: "b/r".into(),
        title: "Refunds".into(),
        heading: "When".into(),
        score: 0.25,
    };
    check(
        abstained(Some("My refund. When?"), Some(nearest)),
        r#"{"turn_id":"t-9","question":"When?","context":"My refund. When?","why":"unsure","score":0.25,"nearest":{"article_id":"b/r","title":"Refunds","heading":"When"}}"#,
        to_value::<wire::SuggestionAbstained>,
    );
    check(
        EventBody::SuggestionOffered(Card {
            id: "k-4".into(),
            kind: CardKind::Answer,
            answer: answer(),
            trigger_turn: "t-10".into(),
            question: Some(question(Some("My refund. When?"))),
            latency_ms: 31,
        }),
        r#"{"card_id":"k-4","kind":"answer","title":"Refunds","text":"In five days.","citations":[{"article_id":"b/r","passage_id":"b/r#2","revision":3,"start":120,"end":133,"quote":"In five days."}],"score":0.83,"trigger_turn":"t-10","latency_ms":31,"generator":"extractive","why":["terms: refund"],"heading":"When","article_title":"Refunds","valid_from":"2026-01-01","question":{"turn_id":"t-9","text":"When?","context":"My refund. When?"}}"#,
        to_value::<wire::SuggestionOffered>,
    );
    check(
        EventBody::ArticleSearched(ArticleSearch {
            id: "s-1".into(),
            query: Redacted::vouched("refund when"),
            hits: 5,
        }),
        r#"{"search_id":"s-1","query":"refund when","hits":5}"#,
        to_value::<wire::ArticleSearched>,
    );
    check(
        EventBody::ArticleOpened(ArticleOpened {
            search_id: "s-1".into(),
            article_id: "b/r".into(),
        }),
        r#"{"search_id":"s-1","article_id":"b/r"}"#,
        to_value::<wire::ArticleOpened>,
    );
}
