//! What each route answers.

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::harness::*;
use backchannel::domain::EventBody;

#[tokio::test]
async fn a_conversation_shows_everything_in_its_log() {
    let house = House::open().await;
    let events = house.append("c-1", every_kind()).await;
    let (status, seen) = house.get("/v1/conversations/c-1").await;
    assert_eq!(status, 200);
    assert_eq!(seen["position"], events.last().expect("events").position.to_string());
    assert_eq!((&seen["state"], &seen["duration_ms"]), (&json!("ended"), &json!(9_000)));
    assert_eq!(seen["turns"][0]["text"], "My number is 4711.");
    assert_eq!(seen["turns"][1]["text"], "My number is [digits-1].");
    assert_eq!(seen["cards"][0]["verdict"]["text"], "In five days.");
    assert_eq!(seen["cards"][0]["withdrawn"], true);
    assert_eq!(seen["cards"][0]["valid_from"], "2026-01-01");
    assert_eq!(seen["questions"][0]["state"], "answered");
    assert_eq!(seen["unanswered"][0]["question"], "How do I tell you my number?");
    assert_eq!(seen["gaps"][0]["lost_ms"], 200);
    assert_eq!(seen["wrapup"]["verdicts"]["w-end-summary-1"]["verdict"], "accepted");
    assert_eq!((&seen["turn_count"], &seen["card_count"]), (&json!(2), &json!(1)));
}

#[tokio::test]
async fn lists_show_the_live_ones_unless_told_otherwise() {
    let house = House::open().await;
    house.append("c-live", vec![started(), turn("t-1")]).await;
    house.append("c-over", vec![started(), ended()]).await;
    house.append("system", vec![EventBody::SystemDegraded(notice())]).await;
    let ids = async |query: &str| {
        let (status, list) = house.get(&format!("/v1/conversations{query}")).await;
        assert_eq!(status, 200);
        let items = list["items"].as_array().expect("items").clone();
        items.iter().map(|item| item["id"].as_str().expect("id").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids("").await, ["c-live"]);
    assert_eq!(ids("?state=ended").await, ["c-over"]);
    assert_eq!(ids("?state=all").await, ["c-over", "c-live"]);
    assert_eq!(ids("?state=all&external_id=CA1&limit=1").await, ["c-over"]);
    let (_, page) = house.get("/v1/conversations?state=all&limit=1").await;
    let next = page["next"].as_str().expect("more");
    assert_eq!(ids(&format!("?state=all&limit=1&cursor={next}")).await, ["c-live"]);
    for bad in ["?state=dead", "?limit=0", "?limit=9999", "?limit=x", "?cursor=x"] {
        let (status, _) = house.get(&format!("/v1/conversations{bad}")).await;
        assert_eq!(status, 422, "{bad}");
    }
}

#[tokio::test]
async fn tenants_see_nothing_of_each_other() {
    let house = House::open().await;
    house.append("c-1", vec![started(), card("k-1")]).await;
    for (method, path, body) in [
        (Method::GET, "/v1/conversations/c-1", json!(null)),
        (Method::GET, "/v1/conversations/c-1/events", json!(null)),
        (Method::POST, "/v1/conversations/c-1/ask", json!({"question": "refund?"})),
        (Method::POST, "/v1/suggestions/k-1/verdict", json!({"verdict": "accepted"})),
        (Method::GET, "/v1/articles/billing%2Frefunds", json!(null)),
    ] {
        let mut request =
            house.client.request(method.clone(), house.url(path)).bearer_auth(OTHER_KEY);
        if !body.is_null() {
            request = request.json(&body);
        }
        let (status, _) = house.checked(method, path, request.send().await.expect("")).await;
        assert_eq!(status, 404, "{path}");
    }
    let list = house.client.get(house.url("/v1/conversations?state=all")).bearer_auth(OTHER_KEY);
    let list: serde_json::Value = list.send().await.expect("").json().await.expect("");
    assert_eq!(list["items"], json!([]));
}

#[tokio::test]
async fn a_verdict_is_recorded_once_however_often_it_comes() {
    let house = House::open().await;
    house.append("c-1", vec![started(), card("k-1")]).await;
    let path = "/v1/suggestions/k-1/verdict";
    let accepted = json!({"verdict": "accepted"});
    let both = tokio::join!(house.post(path, accepted.clone()), house.post(path, accepted.clone()));
    for (status, answer) in [both.0, both.1, house.post(path, accepted.clone()).await] {
        assert_eq!(status, 200);
        assert_eq!(answer, json!({"card_id": "k-1", "verdict": "accepted", "text": null}));
    }
    let edited = json!({"verdict": "edited", "text": "Pay with 4111111111111111."});
    let (status, answer) = house.post(path, edited).await;
    assert_eq!((status, &answer["text"]), (StatusCode::OK, &json!("Pay with [card-1].")));
    // Back again is a change of mind, not a repetition.
    house.post(path, accepted).await;
    let (_, seen) = house.get("/v1/conversations/c-1").await;
    assert_eq!(
        (&seen["last_sequence"], &seen["cards"][0]["verdict"]["verdict"]),
        (&json!(5), &json!("accepted"))
    );

    for bad in [
        json!({"verdict": "loved"}),
        json!({"verdict": "edited"}),
        json!({"verdict": "edited", "text": " "}),
        json!({"verdict": "accepted", "text": "x"}),
        json!({"verdict": 7}),
        json!({"verdict": "accepted", "txet": "x"}),
        json!({}),
        json!([]),
    ] {
        assert_eq!(house.post(path, bad.clone()).await.0, 422, "{bad}");
    }
    let unknown = house.post("/v1/suggestions/k-9/verdict", json!({"verdict": "ignored"})).await;
    assert_eq!(unknown.0, 404);
}

#[tokio::test]
async fn a_question_is_masked_stored_and_answered() {
    let house = House::open().await;
    house.append("c-1", vec![started()]).await;
    let path = "/v1/conversations/c-1/ask";
    let (status, answer) =
        house.post(path, json!({"question": " Is a refund sent to 4111111111111111? "})).await;
    assert_eq!(status, 200);
    assert_eq!(answer["question"], "Is a refund sent to [card-1]?");
    assert_eq!(answer["answer"]["citations"][0]["quote"], "Within five days.");
    let (_, answer) = house.post(path, json!({"question": "Who painted this?"})).await;
    assert_eq!((&answer["state"], &answer["answer"]), (&json!("abstained"), &json!(null)));
    assert_eq!(answer["nearest"][0]["article_id"], "billing/refunds");
    let (_, seen) = house.get("/v1/conversations/c-1").await;
    assert_eq!(seen["questions"].as_array().expect("questions").len(), 2);

    for bad in [json!({"question": " "}), json!({"question": "x".repeat(1_001)}), json!({})] {
        assert_eq!(house.post(path, bad).await.0, 422);
    }
    let (status, problem) = house.post(path, json!({"question": "broken?"})).await;
    assert_eq!(status, 500);
    assert!(!problem.to_string().contains("secret"), "{problem}");
    let unknown = house.post("/v1/conversations/c-9/ask", json!({"question": "refund?"})).await;
    assert_eq!(unknown.0, 404);
}

#[tokio::test]
async fn an_answer_can_be_streamed() {
    let house = House::open().await;
    house.append("c-1", vec![started()]).await;
    let ask = async |question: &str| {
        let request = house.client.post(house.url("/v1/conversations/c-1/ask")).bearer_auth(KEY);
        let request = request.header("accept", "text/event-stream");
        let answer = request.json(&json!({"question": question})).send().await.expect("answers");
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        let text = answer.text().await.expect("text");
        let names = text.lines().filter_map(|line| line.strip_prefix("event: "));
        (names.map(str::to_owned).collect::<Vec<_>>(), text.clone())
    };
    let (names, text) = ask("When is a refund paid?").await;
    assert_eq!(names, ["asked", "answer", "done"]);
    assert!(text.contains(r#""state":"answered""#), "{text}");
    let (names, text) = ask("When is a refund paid, slowly?").await;
    assert_eq!(names, ["asked", "sentence", "restart", "answer", "done"]);
    assert!(text.contains(r#"{"text":"Within five days.","citations":[{"of":"passage""#), "{text}");
    let (names, text) = ask("broken?").await;
    assert_eq!(names, ["asked", "problem", "done"]);
    assert!(!text.contains("secret"), "{text}");
}

#[tokio::test]
async fn a_question_that_nobody_waits_for_is_answered_as_abandoned_for_all_others() {
    let house = House::open().await;
    house.append("c-1", vec![started()]).await;
    let mut other = house.follow("/v1/conversations/c-1/events", None).await;
    for (asks, accepts) in [("never", "text/event-stream"), ("never", "application/json")] {
        let request = house.client.post(house.url("/v1/conversations/c-1/ask")).bearer_auth(KEY);
        let request = request.header("accept", accepts).json(&json!({"question": asks}));
        let waiting = tokio::spawn(async move {
            let answer = request.send().await.expect("answers");
            answer.text().await
        });
        assert_eq!(other.next().await.expect("an event").kind(), "question.asked");
        waiting.abort();
        let answered = other.next().await.expect("an event");
        assert_eq!(answered.kind(), "question.answered", "{accepts}");
        let data = &answered.envelope["data"];
        assert_eq!((&data["state"], &data["question"]), (&json!("abandoned"), &json!(asks)));
    }
    // What failed has no answer, either.
    assert_eq!(
        house.post("/v1/conversations/c-1/ask", json!({"question": "broken?"})).await.0,
        500
    );
    assert_eq!(other.take(2).await[1].envelope["data"]["state"], "abandoned");
    let answered = house.post("/v1/conversations/c-1/ask", json!({"question": "refund?"})).await.1;
    assert_eq!(other.take(2).await[1].envelope["data"], answered, "and what is answered, once");
    let (_, seen) = house.get("/v1/conversations/c-1").await;
    let states: Vec<_> =
        seen["questions"].as_array().expect("questions").iter().map(|one| &one["state"]).collect();
    assert_eq!(states, ["abandoned", "abandoned", "abandoned", "answered"]);
}

#[tokio::test]
async fn articles_are_listed_shown_and_found() {
    let house = House::open().await;
    let (_, list) = house.get("/v1/articles?limit=1").await;
    assert_eq!(
        (&list["items"][0]["id"], &list["next"]),
        (&json!("billing/late-fees"), &json!("billing/late-fees"))
    );
    let (_, list) = house.get("/v1/articles?limit=1&cursor=billing%2Flate-fees").await;
    assert_eq!((&list["items"][0]["id"], &list["next"]), (&json!("billing/refunds"), &json!(null)));
    let (status, article) = house.get("/v1/articles/billing%2Frefunds").await;
    assert_eq!((status, &article["state"]), (StatusCode::OK, &json!("published")));
    let passage = &article["passages"][0];
    let body = article["body"].as_str().expect("text");
    assert_eq!(&body[11..28], passage["text"].as_str().expect("text"));
    assert_eq!(house.get("/v1/articles/billing%2Fnone").await.0, 404);
    let (_, found) = house.get("/v1/articles/search?q=refund&limit=2").await;
    assert_eq!(found["items"].as_array().expect("items").len(), 2);
    for bad in ["", "?q=", "?q=x&mode=magic", "?q=x&limit=51"] {
        assert_eq!(house.get(&format!("/v1/articles/search{bad}")).await.0, 422, "{bad}");
    }
    assert_eq!(house.get("/v1/articles/search?q=x&mode=dense").await.0, 503);
}

#[tokio::test]
async fn the_service_says_how_it_is() {
    let house = House::open().await;
    assert_eq!(house.get("/livez").await.0, 200);
    assert_eq!(house.get("/readyz").await.0, 200);
    let (_, me) = house.get("/v1/me").await;
    assert_eq!(
        (&me["name"], &me["tenant"], &me["demo"]),
        (&json!("Emma"), &json!("demo"), &json!(true))
    );
    let (_, system) = house.get("/v1/system").await;
    assert_eq!(system["degraded"][0]["what"], "knowledge_vectors");
    house.append("c-1", vec![started()]).await;
    let _stream = house.follow("/v1/events", None).await;
    let metrics = house.client.get(house.url("/metrics")).bearer_auth(KEY).send().await.expect("");
    let metrics = metrics.text().await.expect("text");
    for name in [
        "backchannel_serve_requests_total{",
        "backchannel_serve_request_seconds_bucket{",
        "backchannel_serve_subscribers ",
        "backchannel_store_commit_seconds_bucket{",
        "backchannel_store_queue_appends ",
    ] {
        assert!(metrics.contains(name), "{name} is not in {metrics}");
    }
    assert!(metrics.contains(r#"route="/v1/me""#));
}

#[tokio::test]
async fn the_description_would_notice_a_difference() {
    let house = House::open().await;
    assert!(house.openapi["openapi"].as_str().expect("a version").starts_with("3.1"));
    assert!(house.asyncapi["asyncapi"].as_str().expect("a version").starts_with("3.0"));
    let (_, me) = house.get("/v1/me").await;
    let schema = json!({"$ref": "#/components/schemas/Me"});
    let refused = |change: fn(&mut serde_json::Value)| {
        let mut changed = me.clone();
        change(&mut changed);
        let check = std::panic::AssertUnwindSafe(|| check(&house.openapi, &schema, &changed, "me"));
        std::panic::catch_unwind(check).is_err()
    };
    assert!(!refused(|_| ()));
    assert!(refused(|me| me["more"] = json!(1)));
    assert!(refused(|me| me["demo"] = json!("yes")));
    assert!(refused(|me| drop(me.as_object_mut().expect("an object").remove("name"))));
}
