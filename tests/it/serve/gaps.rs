//! Questions without an answer: from what is said to the list, over restarts.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use backchannel::app::gaps::Meaning;
use backchannel::domain::*;
use backchannel::flow::audio::Codec;
use backchannel::flow::driver::{CallHandle, CallOpening, CallSettings, Calls, LegSpec};
use backchannel::flow::suggestion::{Decision, Suggester, SuggestionSettings};
use backchannel::knowledge::Library;
use backchannel::models::{Ears, SpeechPool};
use reqwest::Method;
use serde_json::{Value, json};

use super::articles::{publish, review};
use super::harness::*;
use crate::llm::voices::{Played, payload, voice};

async fn open(folder: Option<&Path>) -> House {
    House::open_with(Options { folder: folder.map(Path::to_owned), ..Options::default() }).await
}

/// The events of a written call, as the session makes them of its turns.
fn written(library: &Library, lines: &[(Role, &str)], duration_ms: u64) -> Vec<EventBody> {
    let mut suggester = Suggester::new(&SuggestionSettings::default());
    let mut events = vec![started()];
    for (number, (role, text)) in lines.iter().enumerate() {
        let at_ms = number as u64 * 5_000;
        let turn = Turn {
            id: format!("t-{number}").into(),
            party: Party { id: role.as_str().into(), role: *role, name: None },
            start_ms: at_ms,
            end_ms: at_ms + 3_000,
            text: Redacted::vouched(*text),
            words: Vec::new(),
            mean_logprob: None,
            display_text: None,
            language: "en".into(),
        };
        let query = suggester.consider(&turn);
        events.push(EventBody::TurnFinal(turn));
        let abstained = suggester.take_unanswered().map(Box::new);
        events.extend(abstained.map(EventBody::SuggestionAbstained));
        let Some(query) = query else { continue };
        let found = library.search(&query.request).expect("searches");
        if let Decision::Offer(answer) = suggester.decide(&query, &found, at_ms) {
            events.push(EventBody::SuggestionOffered(Card {
                id: CardId::fresh(),
                kind: CardKind::Answer,
                answer: *answer,
                trigger_turn: query.turn,
                question: Some(query.question),
                latency_ms: 5,
            }));
        }
    }
    suggester.close_question();
    let abstained = suggester.take_unanswered().map(Box::new);
    events.extend(abstained.map(EventBody::SuggestionAbstained));
    let reason = EndReason::Hangup;
    events.push(EventBody::ConversationEnded(ConversationEnded { reason, duration_ms }));
    events
}

/// The list, once all of the log is in it.
async fn gaps(house: &House, query: &str) -> Value {
    for _ in 0..200 {
        let (status, list) = house.get(&format!("/v1/gaps{query}")).await;
        assert_eq!(status, 200, "{list}");
        if list["behind"] == 0 {
            return list;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the log is not followed");
}

fn items(list: &Value) -> &Vec<Value> {
    list["items"].as_array().expect("items")
}

fn of_each(list: &Value, field: &str) -> Vec<Value> {
    items(list).iter().map(|item| item[field].clone()).collect()
}

const DISCOUNT: &[(Role, &str)] = &[
    (Role::Agent, "Thank you for calling, how can I help?"),
    (Role::Customer, "Hello, good morning."),
    (Role::Customer, "Do you have a discount for students?"),
    (Role::Agent, "I'm not sure, I would have to ask somebody."),
    (Role::Customer, "Okay. Thanks very much for your help."),
    (Role::Agent, "You're welcome. Goodbye."),
];

#[tokio::test]
async fn what_no_article_answers_is_one_gap_however_often_it_is_asked() {
    let house = open(None).await;
    publish(&house, "parcels/lost", "## Tracing\nTracing a lost parcel takes 3 days.\n").await;
    let again = [
        (Role::Customer, "Hi. Is there a discount for students at all?"),
        (Role::Agent, "Let me ask somebody about that."),
        (Role::Customer, "Lovely, have a nice day."),
    ];
    let known = [
        (Role::Customer, "How long does tracing a lost parcel take?"),
        (Role::Agent, "That takes 3 days."),
        (Role::Customer, "Great, thanks. Bye."),
    ];
    house.append("c-1", written(&house.library, DISCOUNT, 60_000)).await;
    house.append("c-2", written(&house.library, &again, 180_000)).await;
    house.append("c-3", written(&house.library, &known, 90_000)).await;
    let list = gaps(&house, "").await;
    let [gap] = &items(&list)[..] else { panic!("{list:#}") };
    assert_eq!((&gap["count"], &gap["conversations"]), (&json!(2), &json!(2)));
    assert_eq!(gap["handling_ms"], json!({"mean": 120_000, "total": 240_000}));
    assert_eq!(gap["cost_ms"], 240_000);
    assert_eq!(gap["reasons"], json!({"abstained": 2, "dismissed": 0, "asked": 0, "searched": 0}));
    assert!(gap["question"].as_str().expect("text").contains("discount for students"), "{gap}");
    let samples = gap["samples"].as_array().expect("samples");
    let calls: Vec<&Value> = samples.iter().map(|sample| &sample["conversation_id"]).collect();
    assert_eq!(calls, ["c-2", "c-1"]);
    assert_eq!(samples[1]["turn_id"], "t-2");
    assert_eq!(samples[1]["text"], "Do you have a discount for students?");
    let id = gap["id"].as_str().expect("an id");
    assert_eq!(house.get(&format!("/v1/gaps/{id}")).await.1, *gap);
    let told = async |call: &str| {
        let (_, call) = house.get(&format!("/v1/conversations/{call}")).await;
        (call["card_count"].clone(), call["unanswered"].as_array().map(Vec::len))
    };
    assert_eq!((told("c-2").await, told("c-3").await), ((json!(0), Some(1)), (json!(1), Some(0))));
    assert!(house.close().await);
}

#[tokio::test]
async fn a_call_that_is_heard_tells_what_it_lacked() {
    let house = open(None).await;
    let said: Arc<Mutex<String>> = Arc::default();
    let ears = || Box::new(Played(Arc::clone(&said)));
    let ears = Ears { finals: ears(), partials: ears() };
    let calls = Calls::new(
        CallSettings { audio_queue: 4_096, ..CallSettings::default() },
        house.store.clone(),
        house.bus.clone(),
        Arc::new(SpeechPool::start(vec![ears]).expect("a thread")),
        house.library.clone(),
    );
    let leg = |role| LegSpec { role, name: None, codec: Codec::PcmS16Le, sample_rate_hz: 8_000 };
    let opening = CallOpening {
        tenant: "demo".into(),
        external_id: None,
        direction: Direction::Inbound,
        legs: vec![leg(Role::Customer), leg(Role::Agent)],
        attributes: Default::default(),
        wants_news: false,
    };
    let call = calls.open(opening).await.expect("there is a place");
    let id = call.id().to_string();
    let mut log =
        house.follow(&format!("/v1/conversations/{id}/events?types=turn.final"), None).await;
    for (leg, words) in [
        (0, "do you have a discount for students"),
        (1, "i am not sure sorry"),
        (0, "okay thank you"),
    ] {
        *said.lock().expect("not poisoned") = words.to_owned();
        say(&call, leg);
        log.next().await.expect("the turn is durable");
    }
    call.close(EndReason::Hangup).await.expect("it is stored");
    let list = gaps(&house, "").await;
    let [gap] = &items(&list)[..] else { panic!("{list:#}") };
    assert_eq!(gap["samples"][0]["conversation_id"], id.as_str());
    assert_eq!(gap["question"], "do you have a discount for students");
    assert!(gap["handling_ms"]["total"].as_u64().is_some_and(|total| total > 9_000), "{gap}");
    assert!(calls.drain(Duration::from_secs(5)).await);
    assert!(house.close().await);
}

/// Somebody speaks, and is silent for long enough.
fn say(call: &CallHandle, leg: usize) {
    let silence = payload(&[0.0; 160]);
    for frame in voice() {
        call.audio(leg, None, frame);
        call.audio(1 - leg, None, silence.clone());
    }
    for _ in 0..75 {
        (0..2).for_each(|leg| call.audio(leg, None, silence.clone()));
    }
}

fn card_for(id: &str, turn: &str, question: &str) -> EventBody {
    let EventBody::SuggestionOffered(offered) = card(id) else { panic!("a card is offered") };
    let text = Redacted::vouched(question);
    let question = Some(TurnQuestion { turn: turn.into(), text, context: None });
    EventBody::SuggestionOffered(Card { question, ..offered })
}

#[tokio::test]
async fn cards_of_no_use_and_the_agents_own_questions_and_searches_count() {
    let house = open(None).await;
    let offered = vec![
        started(),
        card_for("k-1", "t-1", "Which socket does the cable go into?"),
        // The agent's reply brought another one for the same question.
        card_for("k-2", "t-1", "Which socket does the cable go into?"),
        card_for("k-3", "t-2", "How much is a second line?"),
    ];
    house.append("c-1", offered).await;
    assert!(items(&gaps(&house, "").await).is_empty(), "cards were shown");
    let judge = async |card: &str, verdict: &str| {
        let path = format!("/v1/suggestions/{card}/verdict");
        assert_eq!(house.post(&path, json!({"verdict": verdict})).await.0, 200);
        gaps(&house, "").await
    };
    let list = judge("k-1", "dismissed").await;
    assert_eq!(of_each(&list, "question"), ["Which socket does the cable go into?"]);
    let cable = items(&list)[0]["id"].clone();
    assert!(items(&judge("k-2", "accepted").await).is_empty(), "the other card was of use");
    let list = judge("k-2", "dismissed").await;
    assert_eq!(of_each(&list, "id"), [cable], "the same gap again");
    assert_eq!(items(&list)[0]["reasons"]["dismissed"], 1);
    let withdrawn = EventBody::SuggestionWithdrawn { card_id: "k-3".into(), why: "retired".into() };
    house.append("c-1", vec![withdrawn]).await;
    assert_eq!(items(&gaps(&house, "").await).len(), 2);

    let ask = json!({"question": "Who repairs a cracked dish?"});
    let (status, answer) = house.post("/v1/conversations/c-1/ask", ask).await;
    assert_eq!((status.as_u16(), &answer["state"]), (200, &json!("abstained")));
    let ask = json!({"question": "When is the refund paid?"});
    assert_eq!(house.post("/v1/conversations/c-1/ask", ask).await.1["state"], "answered");
    let list = gaps(&house, "").await;
    let asked = items(&list).iter().find(|gap| gap["reasons"]["asked"] == 1).expect("one");
    assert_eq!(asked["samples"][0]["turn_id"], Value::Null);
    assert_eq!(
        (items(&list).len(), &asked["question"]),
        (3, &json!("Who repairs a cracked dish?"))
    );

    let path = "/v1/articles/search?q=bereavement%204111111111111111&conversation=c-1";
    let search = house.get(path).await.1["search_id"].clone();
    let list = gaps(&house, "").await;
    let searched = items(&list).iter().find(|gap| gap["reasons"]["searched"] == 1).expect("one");
    assert_eq!(searched["question"], "bereavement [card-1]");
    let search = search.as_str().expect("it is kept");
    let path = format!("/v1/conversations/c-1/searches/{search}/opened");
    for _ in 0..2 {
        let body = json!({"article_id": "billing/refunds"});
        assert_eq!(house.post(&path, body).await.0, 200);
    }
    assert_eq!(items(&gaps(&house, "").await).len(), 3, "the search was of use");
    let (_, found) = house.get("/v1/articles/search?q=bereavement").await;
    assert_eq!(found["search_id"], Value::Null, "of no conversation");
    for path in ["/v1/articles/search?q=x&conversation=c-9", "/v1/gaps/g-0"] {
        assert_eq!(house.get(path).await.0, 404, "{path}");
    }
    let path = "/v1/conversations/c-1/searches/s-9/opened";
    assert_eq!(house.post(path, json!({"article_id": "x"})).await.0, 404);
    assert!(house.close().await);
}

#[tokio::test]
async fn identifiers_stay_over_restarts_and_when_the_log_is_read_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let house = open(Some(folder.path())).await;
    house.append("c-1", written(&house.library, DISCOUNT, 60_000)).await;
    let cable = [(Role::Customer, "Which socket does the cable go into?")];
    house.append("c-2", written(&house.library, &cable, 30_000)).await;
    let before = gaps(&house, "").await;
    assert_eq!(items(&before).len(), 2);
    assert!(house.close().await);

    let house = open(Some(folder.path())).await;
    assert_eq!(gaps(&house, "").await, before);
    // It goes on from there: nothing is counted twice, and what is asked again finds its gap.
    let again = [(Role::Customer, "So which socket is it that the cable goes into?")];
    house.append("c-3", written(&house.library, &again, 90_000)).await;
    let resumed = gaps(&house, "").await;
    assert_eq!(of_each(&resumed, "count"), [2, 1]);
    let ids = |list: &Value| of_each(list, "id").into_iter().rev().collect::<Vec<_>>();
    assert_eq!(ids(&resumed), of_each(&before, "id"), "the cable is dearer by now");
    assert!(house.close().await);

    for file in ["gaps.sqlite", "gaps.sqlite-wal", "gaps.sqlite-shm"] {
        let _ = std::fs::remove_file(folder.path().join(file));
    }
    let house = open(Some(folder.path())).await;
    assert_eq!(gaps(&house, "").await, resumed);
    assert!(house.close().await);
}

#[tokio::test]
async fn gaps_are_listed_by_cost_in_pages_and_each_tenant_sees_its_own() {
    let house = open(None).await;
    for (conversation, question, duration_ms) in [
        ("c-1", "Do you have a discount for students?", 10_000),
        ("c-2", "Which socket does the cable go into?", 400_000),
        ("c-3", "Who repairs a cracked dish?", 90_000),
    ] {
        let reason = EndReason::Hangup;
        let end = EventBody::ConversationEnded(ConversationEnded { reason, duration_ms });
        house.append(conversation, vec![started(), abstained("t-1", question), end]).await;
    }
    let list = gaps(&house, "").await;
    assert_eq!(of_each(&list, "cost_ms"), [400_000, 90_000, 10_000]);
    let first = gaps(&house, "?limit=2").await;
    let next = first["next"].as_str().expect("there is more");
    let rest = gaps(&house, &format!("?limit=2&cursor={next}")).await;
    let paged: Vec<Value> = items(&first).iter().chain(items(&rest)).cloned().collect();
    assert_eq!((&paged, &rest["next"]), (items(&list), &Value::Null));
    assert_eq!(items(&gaps(&house, "?since=2026-01-01").await).len(), 3);
    assert!(items(&gaps(&house, "?since=2999-01-01T00:00:00Z").await).is_empty());
    for bad in ["?since=yesterday", "?limit=0", "?limit=x", "?cursor=x"] {
        assert_eq!(house.get(&format!("/v1/gaps{bad}")).await.0, 422, "{bad}");
    }
    let id = items(&list)[0]["id"].as_str().expect("an id");
    for (path, expected) in [("/v1/gaps".to_owned(), 200), (format!("/v1/gaps/{id}"), 404)] {
        let request = house.client.get(house.url(&path)).bearer_auth(OTHER_KEY);
        let answer = request.send().await.expect("answers");
        let (status, body) = house.checked(Method::GET, &path, answer).await;
        assert_eq!(status, expected, "{path}");
        // Nor does it learn how much others have written.
        assert!(status != 200 || (items(&body).is_empty() && body["behind"] == 0), "{body}");
    }
    assert!(house.close().await);
}

#[tokio::test]
async fn nobody_waits_for_a_model_that_is_still_being_loaded() {
    let options = Options { meaning: Meaning::Awaited, ..Options::default() };
    let house = House::open_with(options).await;
    let events = vec![started(), abstained("t-1", "Who repairs a cracked dish?"), ended()];
    house.append("c-1", events).await;
    let (_, list) = house.get("/v1/gaps").await;
    assert_eq!((items(&list).len(), &list["behind"]), (0, &json!(3)));
    assert!(house.close().await, "nor when the service stops");
}

/// Calls in which the same was asked, and agents knew.
const KNOWN: [&[(Role, &str)]; 2] = [
    &[
        (Role::Customer, "Do you have a discount for students?"),
        (Role::Agent, "Students get ten percent off the line rental every month."),
        (Role::Customer, "Okay. Thank you, bye."),
    ],
    &[
        (Role::Customer, "Is there a discount for students?"),
        (
            Role::Agent,
            "Yes. Students get ten percent off the line rental. They send us a photo of a valid student card.",
        ),
        (Role::Customer, "Lovely, thanks."),
    ],
];

#[tokio::test]
async fn a_gap_is_drafted_from_what_agents_said_and_closes_when_that_is_published() {
    let house = open(None).await;
    for (number, lines) in KNOWN.iter().enumerate() {
        let id = format!("c-{number}");
        house.append(&id, written(&house.library, lines, 60_000)).await;
    }
    let only = async |query: &str| {
        let list = gaps(&house, query).await;
        assert_eq!(items(&list).len(), 1, "{list:#}");
        items(&list)[0].clone()
    };
    let gap = only("").await;
    assert_eq!((&gap["state"], &gap["article_id"]), (&json!("open"), &Value::Null));
    let path = format!("/v1/gaps/{}/draft", gap["id"].as_str().expect("an id"));
    let (status, draft) = house.call(Method::POST, &path, None).await;
    assert_eq!(
        (status.as_u16(), &draft["state"], &draft["author"]),
        (201, &json!("draft"), &json!("Emma"))
    );
    let body = draft["body"].as_str().expect("a text");
    let paragraphs: Vec<&str> = body.trim().split("\n\n").collect();
    assert_eq!(
        paragraphs,
        [
            "## Do you have a discount for students?",
            "Students get ten percent off the line rental. They send us a photo of a valid student card.",
        ],
        "the fuller answer, and the other one says nothing besides"
    );
    let quoted = draft["provenance"].as_array().expect("origins");
    let of =
        |origin: &Value| (origin["conversation_id"].clone(), origin["turns"][0]["turn_id"].clone());
    let turns = [("c-1", "t-0"), ("c-0", "t-0"), ("c-1", "t-1"), ("c-1", "t-1")];
    let expected: Vec<_> = turns.map(|(call, turn)| (json!(call), json!(turn))).into();
    assert_eq!(quoted.iter().map(of).collect::<Vec<_>>(), expected);
    let (status, again) = house.call(Method::POST, &path, None).await;
    assert_eq!((status.as_u16(), &again), (200, &draft), "the button was pressed twice");

    let article = draft["id"].as_str().expect("an id");
    let gap = only("?state=drafted").await;
    assert_eq!((&gap["article_id"], &gap["asked_since_publication"]), (&draft["id"], &Value::Null));
    assert!(items(&gaps(&house, "?state=open").await).is_empty());
    assert_eq!(review(&house, KEY, article, "submit", 1).await.0, 200);
    assert_eq!(only("").await["state"], "drafted");
    assert_eq!(review(&house, ADAS_KEY, article, "publish", 2).await.0, 200);
    let gap = only("?state=closed").await;
    assert_eq!((&gap["article_id"], &gap["nearest"]["article_id"]), (&draft["id"], &draft["id"]));
    assert!(gap["published_at"].is_string());
    let since =
        |gap: &Value| (gap["asked_since_publication"].clone(), gap["answered_since"].clone());
    assert_eq!(since(&gap), (json!(0), json!(0)));

    house.append("c-2", written(&house.library, DISCOUNT, 60_000)).await;
    let gap = only("").await;
    assert_eq!(
        (since(&gap), &gap["state"]),
        ((json!(1), json!(1)), &json!("closed")),
        "there was a card"
    );
    assert_eq!(gap["count"], 2, "which is nothing that was missed");
    for turn in ["t-8", "t-9"] {
        house.append("c-2", vec![abstained(turn, "Do you have a discount for students?")]).await;
    }
    let gap = only("?state=open").await;
    assert_eq!(
        (since(&gap), &gap["article_id"]),
        ((json!(3), json!(1)), &draft["id"]),
        "it is found and doesn't help"
    );

    assert_eq!(review(&house, ADAS_KEY, article, "retire", 3).await.0, 200);
    let gap = only("").await;
    assert_eq!((&gap["state"], &gap["article_id"]), (&json!("open"), &Value::Null));
    let (status, anew) = house.call(Method::POST, &path, None).await;
    assert_eq!((status.as_u16(), &anew["id"], &anew["revision"]), (201, &draft["id"], &json!(5)));
    assert!(house.close().await);
}

#[tokio::test]
async fn an_article_of_somebody_else_closes_a_gap_too_and_an_old_one_does_not() {
    let house = open(None).await;
    let body =
        "## Cracked dishes\nA cracked dish is repaired by the engineer who comes within a week.\n";
    publish(&house, "dish/old", body).await;
    let asked = vec![started(), abstained("t-1", "Who repairs a cracked dish?"), ended()];
    house.append("c-1", asked).await;
    let gap = items(&gaps(&house, "").await)[0].clone();
    let standing = |gap: &Value| (gap["state"].clone(), gap["article_id"].clone());
    assert_eq!(standing(&gap), (json!("open"), Value::Null), "that was there, and no card came");
    assert_eq!(gap["nearest"]["article_id"], "dish/old");
    assert_eq!(review(&house, ADAS_KEY, "dish/old", "retire", 3).await.0, 200);
    publish(&house, "dish/new", body).await;
    let gap = items(&gaps(&house, "").await)[0].clone();
    assert_eq!(standing(&gap), (json!("closed"), json!("dish/new")));
    assert!(house.close().await);
}

#[tokio::test]
async fn without_an_answer_a_draft_holds_the_question_and_what_is_masked_makes_none() {
    let house = open(None).await;
    house.append("c-1", written(&house.library, DISCOUNT, 60_000)).await;
    house.append("c-2", vec![started(), abstained("t-1", "[card-1]?")]).await;
    let list = gaps(&house, "").await;
    let draft = async |gap: &Value| {
        let path = format!("/v1/gaps/{}/draft", gap["id"].as_str().expect("an id"));
        house.call(Method::POST, &path, None).await
    };
    let (status, skeleton) = draft(&items(&list)[0]).await;
    assert_eq!(status, 201);
    assert_eq!(skeleton["title"], "Do you have a discount for students?");
    let body = "## Do you have a discount for students?\n\nThis is still to be written.\n";
    assert_eq!(skeleton["body"], body, "that the agent doesn't know is no answer");
    assert_eq!(skeleton["provenance"][0]["turns"][0]["turn_id"], "t-2");
    let (status, refused) = draft(&items(&list)[1]).await;
    assert_eq!(
        (status.as_u16(), &refused["type"]),
        (409, &json!("urn:backchannel:problem:conflict"))
    );
    let (status, _) = house.call(Method::POST, "/v1/gaps/g-0/draft", None).await;
    assert_eq!(status, 404);
    assert!(house.close().await);
}
