//! One line per event type: what stands in the files of customers. A line here is never edited; a
//! new version of a type gets a new line, and the old one must still be read.

mod answers;
mod articles;
mod audit;
mod crm;
mod gaps;
mod insight;
mod routing;

use jiff::Timestamp;
use serde_json::Value;
use serde_json::value::to_value;

use super::{codec, wire};
use crate::domain::*;

#[test]
fn events_are_written_as_they_always_were() {
    check(
        EventBody::ConversationStarted(ConversationStarted {
            channel: Channel::Voice,
            direction: Direction::Inbound,
            external_id: Some("CA1".into()),
            parties: vec![party()],
            attributes: [("queue".to_owned(), "billing".to_owned())].into(),
        }),
        r#"{"channel":"voice","direction":"inbound","external_id":"CA1","parties":[{"id":"p-1","role":"customer","name":null}],"attributes":{"queue":"billing"}}"#,
        to_value::<wire::ConversationStarted>,
    );
    check(
        EventBody::ConversationEnded(ConversationEnded {
            reason: EndReason::Crash,
            duration_ms: 90_500,
        }),
        r#"{"reason":"crash","duration_ms":90500}"#,
        to_value::<wire::ConversationEnded>,
    );
    check(
        EventBody::AudioStarted(AudioStarted {
            party: party(),
            codec: "mulaw".into(),
            sample_rate_hz: 8_000,
        }),
        r#"{"party":{"id":"p-1","role":"customer"},"codec":"mulaw","sample_rate_hz":8000}"#,
        to_value::<wire::AudioStarted>,
    );
    check(
        EventBody::AudioGap(AudioGap {
            party: party(),
            start_ms: 4_000,
            lost_ms: 200,
            why: "late".into(),
        }),
        r#"{"party":{"id":"p-1","role":"customer"},"start_ms":4000,"lost_ms":200,"why":"late"}"#,
        to_value::<wire::AudioGap>,
    );
    check(
        EventBody::AudioPaused(AudioPaused { party: party(), at_ms: 5_000 }),
        r#"{"party":{"id":"p-1","role":"customer"},"at_ms":5000}"#,
        to_value::<wire::AudioPaused>,
    );
    check(
        EventBody::AudioResumed(AudioResumed { party: party(), at_ms: 7_000, paused_ms: 2_000 }),
        r#"{"party":{"id":"p-1","role":"customer"},"at_ms":7000,"paused_ms":2000}"#,
        to_value::<wire::AudioResumed>,
    );
    check(
        EventBody::AudioStopped(AudioStopped { party: party(), duration_ms: 9_000 }),
        r#"{"party":{"id":"p-1","role":"customer"},"duration_ms":9000}"#,
        to_value::<wire::AudioStopped>,
    );
    check(
        EventBody::TurnFinal(turn()),
        r#"{"turn_id":"t-9","party":{"id":"p-1","role":"customer"},"start_ms":41220,"end_ms":44810,"text":"So \"when\"?","words":[{"text":"So","start_ms":41220,"end_ms":41400,"confidence":0.97}],"mean_logprob":-0.21,"language":"en"}"#,
        to_value::<wire::TurnFinal>,
    );
    check(
        EventBody::TurnFinal(Turn { display_text: Some(Redacted::vouched("So, 42?")), ..turn() }),
        r#"{"turn_id":"t-9","party":{"id":"p-1","role":"customer"},"start_ms":41220,"end_ms":44810,"text":"So \"when\"?","display_text":"So, 42?","words":[{"text":"So","start_ms":41220,"end_ms":41400,"confidence":0.97}],"mean_logprob":-0.21,"language":"en"}"#,
        to_value::<wire::TurnFinal>,
    );
    let resolved = |outcome| {
        EventBody::RedactionResolved(RedactionResolved {
            turn_id: "t-9".into(),
            placeholder: "[digits-1]".into(),
            outcome,
        })
    };
    check(
        resolved(RedactionOutcome::Kept(RedactionKind::Card)),
        r#"{"turn_id":"t-9","placeholder":"[digits-1]","state":"kept","kind":"card"}"#,
        to_value::<wire::RedactionResolved>,
    );
    check(
        resolved(RedactionOutcome::Released(Redacted::vouched("4711"))),
        r#"{"turn_id":"t-9","placeholder":"[digits-1]","state":"released","text":"4711"}"#,
        to_value::<wire::RedactionResolved>,
    );
    check(
        EventBody::SecretsSealed(SecretsSealed {
            turn_id: "t-9".into(),
            sealed: "c2VhbGVk".into(),
        }),
        r#"{"turn_id":"t-9","sealed":"c2VhbGVk"}"#,
        to_value::<wire::SecretsSealed>,
    );
}

#[test]
fn cards_and_questions_are_written_as_they_always_were() {
    check(
        EventBody::SuggestionOffered(Card {
            id: "k-4".into(),
            kind: CardKind::Answer,
            answer: answer(),
            trigger_turn: "t-9".into(),
            question: None,
            latency_ms: 31,
        }),
        r#"{"card_id":"k-4","kind":"answer","title":"Refunds","text":"In five days.","citations":[{"article_id":"b/r","passage_id":"b/r#2","revision":3,"start":120,"end":133,"quote":"In five days."}],"score":0.83,"trigger_turn":"t-9","latency_ms":31,"generator":"extractive","why":["terms: refund"],"heading":"When","article_title":"Refunds","valid_from":"2026-01-01"}"#,
        to_value::<wire::SuggestionOffered>,
    );
    check(
        EventBody::SuggestionWithdrawn { card_id: "k-4".into(), why: "retired".into() },
        r#"{"card_id":"k-4","why":"retired"}"#,
        to_value::<wire::SuggestionWithdrawn>,
    );
    check(
        EventBody::SuggestionVerdict(Verdict {
            card_id: "k-4".into(),
            kind: VerdictKind::Dismissed,
            edited_text: None,
        }),
        r#"{"card_id":"k-4","verdict":"dismissed","text":null}"#,
        to_value::<wire::SuggestionVerdict>,
    );
    check(
        EventBody::QuestionAsked {
            question_id: "q-1".into(),
            question: Redacted::vouched("When?"),
        },
        r#"{"question_id":"q-1","question":"When?"}"#,
        to_value::<wire::QuestionAsked>,
    );
    let answered = |answer: Option<Answer>| {
        EventBody::QuestionAnswered(QuestionAnswer {
            question_id: "q-1".into(),
            question: Redacted::vouched("When?"),
            reply: match answer {
                Some(answer) => Reply::Answer(answer),
                None => Reply::None { why: Unanswered::NothingFound },
            },
            struck: Vec::new(),
            nearest: vec![("b/r".into(), "Refunds".into(), "When".into())],
            latency_ms: 7,
        })
    };
    check(
        answered(None),
        r#"{"question_id":"q-1","question":"When?","state":"abstained","answer":null,"nearest":[{"article_id":"b/r","title":"Refunds","heading":"When"}],"latency_ms":7}"#,
        to_value::<wire::QuestionAnswered>,
    );
    check(
        answered(Some(answer())),
        r#"{"question_id":"q-1","question":"When?","state":"answered","answer":{"title":"Refunds","heading":"When","text":"In five days.","citations":[{"article_id":"b/r","passage_id":"b/r#2","revision":3,"start":120,"end":133,"quote":"In five days."}],"score":0.83,"why":["terms: refund"],"generator":"extractive"},"nearest":[{"article_id":"b/r","title":"Refunds","heading":"When"}],"latency_ms":7}"#,
        to_value::<wire::QuestionAnswered>,
    );
    let notice = SystemNotice {
        what: "knowledge_vectors".into(),
        detail: "keywords only".into(),
        since: Timestamp::from_millisecond(1_000).expect("a time"),
    };
    check(
        EventBody::SystemDegraded(notice.clone()),
        r#"{"what":"knowledge_vectors","detail":"keywords only","since":"1970-01-01T00:00:01.000Z"}"#,
        to_value::<wire::SystemDegraded>,
    );
    check(
        EventBody::SystemRecovered(notice),
        r#"{"what":"knowledge_vectors","since":"1970-01-01T00:00:01.000Z"}"#,
        to_value::<wire::SystemRecovered>,
    );
}

#[test]
fn wrap_ups_are_written_as_they_always_were() {
    let head = r#""wrapup_id":"w-1","state":"draft","occasion":"end","language":"en","authorship":{"provider":"extractive"}"#;
    let said = r#"{"text":"It broke.","citations":[{"of":"turn","turn_id":"t-9","role":"customer","start":4,"end":13,"quote":"It broke."}],"support":1.0}"#;
    let golden = |rest: &str| format!("{{{head},{}}}", rest.replace("SAID", said));
    check(
        wrap_up(WrapUpBody::Summary(Summary {
            sections: vec![SummarySection {
                key: "issue".into(),
                sentences: vec![said_sentence()],
            }],
            paragraph: vec![said_sentence()],
            parties: vec![],
            articles: vec![],
        })),
        &golden(r#""sections":[{"key":"issue","sentences":[SAID]}],"paragraph":[SAID]"#),
        to_value::<wire::WrapUpSummary>,
    );
    check(
        wrap_up(WrapUpBody::Email(EmailDraft {
            purpose: EmailPurpose::Custom(Redacted::vouched("the bill")),
            length: EmailLength::Short,
            tone: EmailTone::Formal,
            subject: Redacted::vouched("the bill"),
            subject_proofs: vec![],
            parts: vec![EmailPart {
                kind: EmailPartKind::Greeting,
                paragraph: 1,
                text: Redacted::vouched("Hello,"),
                proofs: vec![],
                support: 1.0,
            }],
        })),
        &golden(
            r#""purpose":"custom","wish":"the bill","length":"short","tone":"formal","subject":"the bill","parts":[{"kind":"greeting","paragraph":1,"text":"Hello,","citations":[],"support":1.0}]"#,
        ),
        to_value::<wire::WrapUpEmail>,
    );
    check(
        wrap_up(WrapUpBody::Article(ArticleProposal {
            question: said_sentence(),
            answer: vec![said_sentence()],
        })),
        &golden(r#""question":SAID,"answer":[SAID]"#),
        to_value::<wire::WrapUpArticle>,
    );
    check(
        wrap_up(WrapUpBody::FollowUp(FollowUp {
            kind: FollowUpKind::Callback,
            promised_by: Role::Agent,
            sentence: said_sentence(),
            due: Some(Due {
                phrase: Redacted::vouched("by Friday at two"),
                date: Some(jiff::civil::date(2026, 3, 6)),
                time: Some(jiff::civil::time(14, 0, 0, 0)),
                until: None,
                is_limit: true,
                time_zone: "Europe/London".into(),
            }),
        })),
        &golden(
            r#""kind":"callback","promised_by":"agent","sentence":SAID,"due":{"phrase":"by Friday at two","date":"2026-03-06","time":"14:00","is_limit":true,"time_zone":"Europe/London"}"#,
        ),
        to_value::<wire::WrapUpFollowUp>,
    );
    check(
        wrap_up(WrapUpBody::Disposition(DispositionProposal {
            choices: vec![DispositionChoice {
                code: "F1".into(),
                label: "Fault".into(),
                probability: 0.75,
                proofs: vec![Proof::Passage(answer().citations.remove(0))],
            }],
            none: 0.25,
        })),
        &golden(
            r#""choices":[{"code":"F1","label":"Fault","probability":0.75,"citations":[{"of":"passage","article_id":"b/r","passage_id":"b/r#2","revision":3,"start":120,"end":133,"quote":"In five days."}]}],"none":0.25"#,
        ),
        to_value::<wire::WrapUpDisposition>,
    );
    let reviewed = |seen| {
        EventBody::WrapUpVerdict(WrapUpVerdict {
            wrapup_id: "w-1".into(),
            verdict: ReviewVerdict::Discarded,
            edited_text: None,
            seen,
        })
    };
    check(
        reviewed(None),
        r#"{"wrapup_id":"w-1","verdict":"discarded","text":null}"#,
        to_value::<wire::WrapUpVerdict>,
    );
    check(
        reviewed(Some(7)),
        r#"{"wrapup_id":"w-1","verdict":"discarded","text":null,"sequence":7}"#,
        to_value::<wire::WrapUpVerdict>,
    );
}

#[test]
fn what_a_model_wrote_says_so_and_what_was_struck_stays_known() {
    let mut event = wrap_up(WrapUpBody::Disposition(DispositionProposal::default()));
    if let EventBody::WrapUp(wrap_up) = &mut event {
        wrap_up.occasion = Occasion::HandOver;
        wrap_up.authorship = Authorship {
            provider: "local".into(),
            model: Some("m".into()),
            prompt: Some(PromptRef { id: "summary".into(), version: 2, sha256: "ab".into() }),
            seed: Some(7),
        };
        wrap_up.struck = vec![StruckSentence {
            text: Redacted::vouched("It cost £9."),
            fault: Fault::Number,
            why: Redacted::vouched("£9"),
        }];
    }
    check(
        event,
        r#"{"wrapup_id":"w-1","state":"draft","occasion":"hand_over","language":"en","authorship":{"provider":"local","model":"m","prompt":{"id":"summary","version":2,"sha256":"ab"},"seed":7},"struck":[{"text":"It cost £9.","fault":"number","why":"£9"}],"choices":[],"none":0.0}"#,
        to_value::<wire::WrapUpDisposition>,
    );
}

fn wrap_up(body: WrapUpBody) -> EventBody {
    EventBody::WrapUp(Box::new(WrapUp {
        id: "w-1".into(),
        occasion: Occasion::End,
        authorship: Authorship {
            provider: "extractive".into(),
            model: None,
            prompt: None,
            seed: None,
        },
        language: "en".into(),
        body,
        struck: vec![],
    }))
}

fn said_sentence() -> ProvenSentence {
    let quote = Redacted::vouched("It broke.");
    ProvenSentence {
        text: quote.clone(),
        proofs: vec![Proof::Turn(TurnCitation {
            turn_id: "t-9".into(),
            role: Role::Customer,
            start_chars: 4,
            end_chars: 13,
            quote,
        })],
        support: 1.0,
    }
}

#[test]
fn partials_are_written_as_they_always_were() {
    let partial = Partial {
        turn_id: "t-9".into(),
        party: party(),
        start_ms: 41_220,
        text: Redacted::vouched("So wh"),
        stable_prefix_chars: 2,
    };
    assert_eq!(
        &*codec::partial_data(&partial),
        r#"{"turn_id":"t-9","party":{"id":"p-1","role":"customer"},"start_ms":41220,"text":"So wh","stable_prefix_chars":2}"#
    );
}

#[test]
fn a_turn_comes_back_as_it_went() {
    assert_eq!(
        codec::decode_turn(&recorded(EventBody::TurnFinal(turn()))).ok(),
        Some(Some(turn()))
    );
    let written = Turn { display_text: Some(Redacted::vouched("So, 42?")), ..turn() };
    let decoded = codec::decode_turn(&recorded(EventBody::TurnFinal(written.clone())));
    assert_eq!(decoded.ok(), Some(Some(written)));
    let typed = Turn { mean_logprob: None, words: vec![], ..turn() };
    let decoded = codec::decode_turn(&recorded(EventBody::TurnFinal(typed.clone())));
    assert_eq!(decoded.ok(), Some(Some(typed)));
    let mut unknown = recorded(EventBody::TurnFinal(turn()));
    unknown.data = unknown.data.replace("customer", "parrot").into();
    assert!(codec::decode_turn(&unknown).is_err());
}

#[test]
fn numbers_that_json_does_not_have_are_never_written() {
    let odd = Turn { mean_logprob: Some(f32::NEG_INFINITY), ..turn() };
    let event = recorded(EventBody::TurnFinal(odd));
    assert!(codec::decode_turn(&event).expect("reads").expect("a turn").mean_logprob.is_some());
}

/// Written as the line says, and read back to the same.
fn check<T: serde::de::DeserializeOwned>(
    body: EventBody,
    golden: &str,
    again: fn(T) -> Result<Value, serde_json::Error>,
) {
    let event = recorded(body);
    assert_eq!(&*event.data, golden, "{}", event.kind);
    assert_eq!(&*event.schema, format!("backchannel/{}/1", event.kind));
    let read: T = codec::data(&event).expect("reads");
    let golden: Value = serde_json::from_str(golden).expect("JSON");
    // Numbers of 32 bits are printed longer as values; compare what they were made of.
    assert_eq!(text(&again(read).expect("JSON")), text(&golden));
}

fn text(value: &Value) -> String {
    let rounded = |number: f64| format!("{number:.4}");
    match value {
        Value::Number(number) => number.as_f64().map(rounded).unwrap_or_default(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
        Value::Object(members) => {
            members.iter().map(|(name, value)| format!("{name}:{};", text(value))).collect()
        }
        other => other.to_string(),
    }
}

fn recorded(body: EventBody) -> Recorded {
    let encoded = codec::encode(&body);
    Recorded {
        position: 1,
        id: "e-1".into(),
        tenant: "t".into(),
        conversation: "c-1".into(),
        sequence: 1,
        time: Timestamp::UNIX_EPOCH,
        kind: encoded.kind.into(),
        schema: encoded.schema.into(),
        data: encoded.data.into(),
    }
}

fn party() -> Party {
    Party { id: "p-1".into(), role: Role::Customer, name: None }
}

fn turn() -> Turn {
    Turn {
        id: "t-9".into(),
        party: party(),
        start_ms: 41_220,
        end_ms: 44_810,
        text: Redacted::vouched("So \"when\"?"),
        words: vec![Word {
            text: Redacted::vouched("So"),
            start_ms: 41_220,
            end_ms: 41_400,
            confidence: 0.97,
        }],
        mean_logprob: Some(-0.21),
        display_text: None,
        language: "en".into(),
    }
}

fn answer() -> Answer {
    Answer {
        title: "Refunds".into(),
        heading: "When".into(),
        text: "In five days.".into(),
        citations: vec![Citation {
            article_id: "b/r".into(),
            passage_id: "b/r#2".into(),
            revision: 3,
            start_chars: 120,
            end_chars: 133,
            quote: "In five days.".into(),
        }],
        score: 0.83,
        why: vec!["terms: refund".into()],
        generator: Generator::Extractive,
        valid_from: Some(jiff::civil::date(2026, 1, 1)),
        is_verbatim: false,
    }
}
