//! What models write on the line.

use super::*;

#[test]
fn voices_questions_and_written_answers_are_written_as_they_always_were() {
    let said = r#"{"text":"It broke.","citations":[{"of":"turn","turn_id":"t-9","role":"customer","start":4,"end":13,"quote":"It broke."}],"support":1.0}"#;
    let who = r#"{"provider":"lab","model":"m","prompt":{"id":"card","version":1,"sha256":"ab"}}"#;
    let struck = r#"[{"text":"It broke.","fault":"number","why":"5"}]"#;
    let authorship = Authorship {
        provider: "lab".into(),
        model: Some("m".into()),
        prompt: Some(PromptRef { id: "card".into(), version: 1, sha256: "ab".into() }),
        seed: None,
    };
    let gone = StruckSentence {
        text: Redacted::vouched("It broke."),
        fault: Fault::Number,
        why: Redacted::vouched("5"),
    };
    let (written_by, again, beside) = (authorship.clone(), gone.clone(), vec![gone.clone()]);
    let spoken = Spoken {
        sentences: vec![said_sentence(), said_sentence()],
        struck: vec![gone.clone()],
        authorship: authorship.clone(),
    };
    let golden =
        |text: &str| text.replace("SAID", said).replace("WHO", who).replace("GONE", struck);
    check(
        EventBody::SuggestionVoiced(Box::new(CardVoice {
            card_id: "k-4".into(),
            spoken: spoken.clone(),
            latency_ms: 900,
        })),
        &golden(
            r#"{"card_id":"k-4","text":"It broke. It broke.","sentences":[SAID,SAID],"authorship":WHO,"struck":GONE,"latency_ms":900}"#,
        ),
        to_value::<wire::SuggestionVoiced>,
    );
    check(
        EventBody::QuestionsSuggested(vec![SuggestedQuestion {
            question: "When?".into(),
            article_id: "b/r".into(),
            passage_id: "b/r#2".into(),
        }]),
        r#"{"questions":[{"question":"When?","article_id":"b/r","passage_id":"b/r#2"}]}"#,
        to_value::<wire::QuestionsSuggested>,
    );
    let answered = |reply, struck| {
        EventBody::QuestionAnswered(QuestionAnswer {
            question_id: "q-1".into(),
            question: Redacted::vouched("When?"),
            reply,
            struck,
            nearest: Vec::new(),
            latency_ms: 7,
        })
    };
    let whole = Answer {
        citations: Vec::new(),
        generator: Generator::Provider,
        is_verbatim: true,
        ..answer()
    };
    check(
        answered(Reply::Written(Box::new(whole), Box::new(spoken)), Vec::new()),
        &golden(
            r#"{"question_id":"q-1","question":"When?","state":"answered","answer":{"title":"Refunds","heading":"When","text":"In five days.","citations":[],"score":0.83,"why":["terms: refund"],"generator":"provider","verbatim":true},"sentences":[SAID,SAID],"authorship":WHO,"struck":GONE,"nearest":[],"latency_ms":7}"#,
        ),
        to_value::<wire::QuestionAnswered>,
    );
    let question = "Which one?".to_owned();
    check(
        answered(Reply::AskBack { question, authorship: Some(authorship) }, Vec::new()),
        &golden(
            r#"{"question_id":"q-1","question":"When?","state":"asks_back","answer":null,"ask_back":"Which one?","authorship":WHO,"nearest":[],"latency_ms":7}"#,
        ),
        to_value::<wire::QuestionAnswered>,
    );
    check(
        answered(Reply::None { why: Unanswered::NothingProven }, vec![gone]),
        &golden(
            r#"{"question_id":"q-1","question":"When?","state":"abstained","answer":null,"refusal":"nothing_proven","struck":GONE,"nearest":[],"latency_ms":7}"#,
        ),
        to_value::<wire::QuestionAnswered>,
    );
    check(
        EventBody::WritingStruck(Box::new(StruckText {
            task: "card".into(),
            about: "k-4".into(),
            authorship: written_by,
            struck: vec![again],
        })),
        &golden(r#"{"task":"card","about":"k-4","authorship":WHO,"struck":GONE}"#),
        to_value::<wire::WritingStruck>,
    );
    check(
        answered(Reply::Answer(Answer { citations: Vec::new(), ..answer() }), beside),
        &golden(
            r#"{"question_id":"q-1","question":"When?","state":"answered","answer":{"title":"Refunds","heading":"When","text":"In five days.","citations":[],"score":0.83,"why":["terms: refund"],"generator":"extractive"},"struck":GONE,"nearest":[],"latency_ms":7}"#,
        ),
        to_value::<wire::QuestionAnswered>,
    );
    check(
        answered(Reply::Abandoned, Vec::new()),
        r#"{"question_id":"q-1","question":"When?","state":"abandoned","answer":null,"nearest":[],"latency_ms":7}"#,
        to_value::<wire::QuestionAnswered>,
    );
}

#[test]
fn a_question_back_stays_open_over_an_answer_that_was_abandoned() {
    let event = |question: &str, reply| {
        recorded(EventBody::QuestionAnswered(QuestionAnswer {
            question_id: "q-1".into(),
            question: Redacted::vouched(question),
            reply,
            nearest: Vec::new(),
            struck: Vec::new(),
            latency_ms: 7,
        }))
    };
    let asked = |question: &str| Some(("q-1".into(), Redacted::vouched(question)));
    let back = Reply::AskBack { question: "Which one?".into(), authorship: None };
    let open = codec::decode_asked_back(&event("A refund?", back), None).expect("reads");
    assert_eq!(open, asked("A refund?"));
    let open = codec::decode_asked_back(&event("The first", Reply::Abandoned), open);
    assert_eq!(open.ok(), Some(asked("A refund?")));
    let none = Reply::None { why: Unanswered::NothingFound };
    let open = codec::decode_asked_back(&event("The first", none), asked("A refund?"));
    assert_eq!(open.ok(), Some(None));
}
