//! What drafts may rest on, on demand and by the whole service: records on what was said, letters on
//! passages too, and nobody's model on words that must stay.

use std::time::Duration;

use backchannel::domain::{
    Answer, Card, CardKind, Citation, EventBody, Generator, Party, Redacted, Role, Turn, Verdict,
    VerdictKind,
};
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use super::asks::{KEY, Service};
use super::fake::{Fake, Reply, status};
use super::voices::{PASSAGE, says};

const COOLING: &str = "You may cancel within 14 days of the day after the contract was concluded \
                       without giving any reason.";
const REFUND: &str = "We refund a duplicate direct debit within 5 working days of finding it.";
const DECLINED: &str = "I have to pass this on to my manager, I can't promise anything.";

fn turn(number: u64, role: Role, text: &str) -> EventBody {
    EventBody::TurnFinal(Turn {
        id: format!("t-2-{number}").into(),
        party: Party { id: role.as_str().into(), role, name: None },
        start_ms: number * 5_000,
        end_ms: number * 5_000 + 4_000,
        text: Redacted::vouched(text),
        display_text: None,
        words: Vec::new(),
        mean_logprob: None,
        language: "en".into(),
    })
}

fn call() -> Vec<EventBody> {
    vec![
        turn(1, Role::Customer, "You took the direct debit two times this month."),
        turn(2, Role::Agent, "I can see two payments on your account here."),
        turn(3, Role::Customer, "So what happens now with it?"),
        turn(4, Role::Agent, DECLINED),
    ]
}

fn card(passage: &str, quote: &str, is_verbatim: bool) -> EventBody {
    let citation = Citation {
        article_id: passage.split('#').next().unwrap_or_default().into(),
        passage_id: passage.into(),
        revision: 1,
        start_chars: 0,
        end_chars: quote.chars().count(),
        quote: quote.into(),
    };
    EventBody::SuggestionOffered(Card {
        id: "k-1".into(),
        kind: CardKind::Answer,
        answer: Answer {
            title: "T".into(),
            heading: "H".into(),
            text: quote.into(),
            citations: vec![citation],
            score: 0.9,
            why: Vec::new(),
            generator: Generator::Extractive,
            valid_from: None,
            is_verbatim,
        },
        trigger_turn: "t-2-1".into(),
        question: None,
        latency_ms: 30,
    })
}

fn verdict(kind: VerdictKind) -> EventBody {
    EventBody::SuggestionVerdict(Verdict { card_id: "k-1".into(), kind, edited_text: None })
}

impl Service {
    async fn draft(&self, what: &str, order: &Value) -> (u16, Value) {
        let url = format!("{}/v1/conversations/c-1/{what}", self.url);
        let request = self.client.post(url).bearer_auth(KEY).json(order);
        let answer = request.send().await.expect("answers");
        let status = answer.status().as_u16();
        (status, answer.json().await.expect("JSON"))
    }

    /// The first event of a kind, in the log from its beginning.
    async fn first(&self, kind: &str) -> Value {
        let url = format!("{}/v1/conversations/c-1/events?types={kind}&last_event_id=0", self.url);
        let request = self.client.get(url).bearer_auth(KEY);
        let mut bytes = request.send().await.expect("answers").bytes_stream();
        let mut text = String::new();
        let reading = async {
            while let Some(chunk) = bytes.next().await {
                text.push_str(std::str::from_utf8(&chunk.expect("bytes")).expect("UTF-8"));
                let data = text.lines().find_map(|line| line.strip_prefix("data: "));
                if let Some(event) = data.and_then(|data| serde_json::from_str(data).ok()) {
                    return event;
                }
            }
            Value::Null
        };
        let event = tokio::time::timeout(Duration::from_secs(10), reading).await;
        event.unwrap_or_else(|_| panic!("there is no {kind}"))
    }
}

fn claims(email: &Value) -> Vec<&str> {
    let parts = email["parts"].as_array().expect("a list").iter();
    parts.filter(|part| part["kind"] == "claim").filter_map(|part| part["text"].as_str()).collect()
}

fn email(sentences: Value) -> Reply {
    says(json!({
        "subject": {"text": "Your payments", "cites": ["t-2-2"]},
        "paragraphs": [{"sentences": sentences}],
    }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_that_must_stay_are_quoted_in_an_email_and_shown_to_no_model() {
    let seen = "We can see two payments on your account here.";
    let fake = Fake::new([email(json!([
        {"text": seen, "cites": ["t-2-2"]},
        {"text": "You may cancel within 14 days.", "cites": [PASSAGE]},
        {"text": "You may cancel without giving any reason.", "cites": []},
    ]))])
    .await;
    let more = [call(), vec![card(PASSAGE, COOLING, true)]].concat();
    let service = Service::open_with(Some(&fake), &["duplicate-payments"], more).await;
    let (status, draft) = service.draft("email", &json!({"purpose": "information"})).await;
    assert_eq!((status, &draft["authorship"]["provider"]), (200, &json!("lab")), "{draft:#}");
    let quotation = format!("From our help pages: “{COOLING}”");
    assert_eq!(claims(&draft), [seen, &quotation]);
    assert_eq!(draft["struck"].as_array().map(Vec::len), Some(2), "{draft:#}");
    let asked = fake.seen()[0].body.to_string();
    assert!(!asked.contains("14 days") && !asked.contains(PASSAGE), "{asked}");
    service.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_of_the_call_is_proven_by_what_was_said_in_it() {
    let sections = json!({"sections": [
        {"section": "issue", "sentences": [
            {"text": "The customer said that the direct debit was taken two times this month.", "cites": ["t-2-1"]},
        ]},
        {"section": "promises", "sentences": [{"text": REFUND, "cites": [PASSAGE]}]},
        {"section": "outcome", "sentences": [{"text": REFUND, "cites": []}]},
    ]});
    let task =
        json!({"kind": "task", "text": REFUND, "owner": "agent", "when": "", "cites": [PASSAGE]});
    let follow_ups = says(json!({"items": [task]}));
    let fake = Fake::new([says(sections.clone()), says(sections), follow_ups]).await;
    let accepted = [call(), vec![card(PASSAGE, REFUND, false), verdict(VerdictKind::Accepted)]];
    let service = Service::open_with(Some(&fake), &[], accepted.concat()).await;
    for what in ["summary", "handover"] {
        let (status, draft) = service.draft(what, &json!({})).await;
        assert_eq!((status, &draft["authorship"]["provider"]), (200, &json!("lab")), "{draft:#}");
        assert!(!draft["sections"].to_string().contains("5 working days"), "{draft:#}");
        assert_eq!(draft["struck"].as_array().map(Vec::len), Some(2), "{draft:#}");
    }
    let (status, listed) = service.draft("followups", &json!({})).await;
    assert_eq!((status, &listed["items"]), (200, &json!([])), "{listed:#}");
    let record = service.first("writing.struck").await;
    assert_eq!(record["data"]["task"], "follow_ups", "no draft is there to keep it: {record:#}");
    assert_eq!(record["data"]["struck"][0]["text"], REFUND);
    assert_eq!(record["data"]["authorship"]["provider"], "lab");
    service.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_agent_let_pass_is_promised_in_no_letter() {
    let order = json!({"purpose": "information"});
    let of_both = || {
        email(json!([
            {"text": "We can see two payments on your account here.", "cites": ["t-2-2"]},
            {"text": REFUND, "cites": [PASSAGE]},
        ]))
    };
    for (kind, is_promised) in [
        (VerdictKind::Accepted, true),
        (VerdictKind::Ignored, false),
        (VerdictKind::Dismissed, false),
    ] {
        let fake = Fake::new([of_both()]).await;
        let more = [call(), vec![card(PASSAGE, REFUND, false), verdict(kind)]].concat();
        let service = Service::open_with(Some(&fake), &[], more).await;
        let (_, draft) = service.draft("email", &order).await;
        assert_eq!(claims(&draft).contains(&REFUND), is_promised, "{kind:?}: {draft:#}");
        assert_eq!(fake.seen()[0].body.to_string().contains(REFUND), is_promised, "{kind:?}");
        service.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_email_that_cannot_be_quoted_is_a_models_to_write() {
    let order = json!({"purpose": "custom", "wish": "tell him how sorry we are about the delay"});
    let without = Service::open_with(None, &[], call()).await;
    assert_eq!(without.draft("email", &order).await.0, 409);
    without.close().await;

    let seen = "We can see two payments on your account here.";
    let invented = "We will send you 500 pounds.";
    let fake = Fake::new([
        email(json!([{"text": seen, "cites": ["t-2-2"]}])),
        email(json!([{"text": invented, "cites": ["t-2-2"]}])),
        status(500),
    ])
    .await;
    let service = Service::open_with(Some(&fake), &[], call()).await;
    let (status, draft) = service.draft("email", &order).await;
    assert_eq!((status, claims(&draft)), (200, vec![seen]), "{draft:#}");
    let kinds: Vec<&str> = (draft["parts"].as_array().expect("a list").iter())
        .filter_map(|part| part["kind"].as_str())
        .collect();
    assert_eq!(kinds, ["greeting", "claim", "signature"]);
    assert!(fake.seen()[0].body.to_string().contains("how sorry we are"));

    for why in ["nothing of it stands", "nobody wrote"] {
        let (status, problem) = service.draft("email", &order).await;
        assert_eq!(status, 409, "{why}: {problem:#}");
        assert!(problem["detail"].to_string().contains("purpose custom"), "{why}: {problem:#}");
    }
    let record = service.first("writing.struck").await;
    assert_eq!(record["data"]["task"], "email");
    assert_eq!(record["data"]["struck"][0]["text"], invented);
    service.close().await;
}
