//! Articles through the doors: written, reviewed, found, taken back, imported.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::harness::*;

const CONFLICT: StatusCode = StatusCode::CONFLICT;

pub async fn review(
    house: &House,
    key: &str,
    id: &str,
    action: &str,
    revision: u32,
) -> (u16, Value) {
    let path = format!("/v1/articles/{}/review", id.replace('/', "%2F"));
    let body = json!({"action": action, "revision": revision, "reason": "because"});
    let (status, answer) = house.call_as(key, Method::POST, &path, body).await;
    (status.as_u16(), answer)
}

/// Emma writes, Ada approves and publishes.
pub async fn publish(house: &House, id: &str, body: &str) -> u32 {
    let text = json!({"id": id, "title": "A title", "body": body});
    let (status, draft) = house.post("/v1/articles", text).await;
    assert_eq!(status, StatusCode::CREATED, "{draft}");
    assert_eq!(review(house, KEY, id, "submit", 1).await.0, 200);
    let (status, published) = review(house, ADAS_KEY, id, "publish", 2).await;
    assert_eq!(status, 200, "{published}");
    published["revision"].as_u64().expect("a number") as u32
}

async fn found(house: &House, query: &str) -> Vec<String> {
    let (status, found) = house.get(&format!("/v1/articles/search?q={query}")).await;
    assert_eq!(status, 200);
    let items = found["items"].as_array().expect("items").iter();
    items.map(|item| item["article_id"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test]
async fn an_article_goes_from_draft_to_published_to_retired() {
    let house = House::open().await;
    let mut stream = house.follow("/v1/events", None).await;
    let text = json!({
        "id": "faults/codes", "title": "Fault codes", "body": "## E-207\nThe router has no power.\n",
        "products": ["broadband"], "valid_from": "2026-01-01", "valid_until": "2030-12-31",
        "review_by": "2027-02-01", "source": "Manual 7", "asked_as": {"E-207": ["what is E-207"]},
        "provenance": [{"sentence": "The router has no power.", "conversation_id": "c-1",
            "turns": [{"turn_id": "t-9", "quote": "it has no power"}]}],
        "comment": "from a call",
    });
    let (status, draft) = house.post("/v1/articles", text).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!((&draft["state"], &draft["revision"]), (&json!("draft"), &json!(1)));
    assert_eq!((&draft["author"], &draft["by"]), (&json!("Emma"), &json!("Emma")));
    assert_eq!(draft["provenance"][0]["turns"][0]["turn_id"], "t-9");
    assert!(found(&house, "E-207").await.is_empty(), "a draft is for nobody");

    let (status, problem) = review(&house, KEY, "faults/codes", "publish", 1).await;
    assert_eq!((status, &problem["type"]), (409, &json!("urn:backchannel:problem:wrong-state")));
    assert_eq!(review(&house, KEY, "faults/codes", "submit", 1).await.1["state"], "in_review");
    let (status, problem) = review(&house, KEY, "faults/codes", "approve", 2).await;
    assert_eq!((status, &problem["type"]), (403, &json!("urn:backchannel:problem:four-eyes")));
    let (_, returned) = review(&house, ADAS_KEY, "faults/codes", "return", 2).await;
    assert_eq!((&returned["state"], &returned["comment"]), (&json!("draft"), &json!("because")));
    assert_eq!(review(&house, KEY, "faults/codes", "submit", 3).await.0, 200);
    let (_, approved) = review(&house, ADAS_KEY, "faults/codes", "approve", 4).await;
    assert_eq!((&approved["state"], &approved["approver"]), (&json!("in_review"), &json!("Ada")));
    // Once it is approved, its author may put it into force.
    let (status, published) = review(&house, KEY, "faults/codes", "publish", 5).await;
    assert_eq!((status, &published["published_revision"]), (200, &json!(6)));
    assert_eq!((&published["approver"], &published["author"]), (&json!("Ada"), &json!("Emma")));
    assert_eq!(found(&house, "E-207").await, ["faults/codes"]);

    let (status, retired) = review(&house, ADAS_KEY, "faults/codes", "retire", 6).await;
    assert_eq!((status, &retired["state"]), (200, &json!("retired")));
    assert_eq!(retired["published_revision"], json!(null));
    assert!(found(&house, "E-207").await.is_empty());

    let told: Vec<String> =
        stream.take(7).await.iter().map(|event| event.kind().to_owned()).collect();
    let kinds =
        ["drafted", "submitted", "returned", "submitted", "approved", "published", "retired"];
    assert_eq!(told, kinds.map(|kind| format!("article.{kind}")));
    let (_, history) = house.get("/v1/articles/faults%2Fcodes/revisions").await;
    let actions = history["items"].as_array().expect("items").iter();
    let actions: Vec<&str> = actions.map(|row| row["action"].as_str().expect("text")).collect();
    assert_eq!(actions, kinds);
    assert!(house.close().await);
}

#[tokio::test]
async fn a_change_names_what_it_was_made_from() {
    let house = House::open().await;
    let path = "/v1/articles/billing%2Frefunds";
    let put = async |text: Value| house.call(Method::PUT, path, Some(text)).await;
    for based_on in [1, 2, 4] {
        let (status, problem) = put(json!({"revision": based_on, "body": "New."})).await;
        assert_eq!(status, CONFLICT);
        assert_eq!(problem["type"], "urn:backchannel:problem:stale-revision");
        assert_eq!((&problem["based_on"], &problem["newest"]), (&json!(based_on), &json!(3)));
    }
    let (status, problem) = house
        .post("/v1/articles", json!({"id": "billing/refunds", "title": "x", "body": "y"}))
        .await;
    assert_eq!((status, &problem["newest"]), (CONFLICT, &json!(3)));
    assert_eq!(review(&house, KEY, "billing/refunds", "retire", 2).await.0, 409);

    // Two at once: one of them has to look again.
    let new = |words: &str| json!({"revision": 3, "body": format!("## When\n{words}\n")});
    let (one, other) = tokio::join!(put(new("In six days.")), put(new("In seven days.")));
    let mut statuses = [one.0.as_u16(), other.0.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);

    // What is in force stays until the draft is published, for readers and for the search.
    let (_, shown) = house.get(path).await;
    assert_eq!((&shown["state"], &shown["revision"]), (&json!("published"), &json!(3)));
    assert_eq!((&shown["newest_revision"], &shown["newest_state"]), (&json!(4), &json!("draft")));
    let (_, draft) = house.get(&format!("{path}?revision=4")).await;
    assert_eq!(draft["products"], json!(["broadband"]), "fields that are absent stay");
    assert_eq!(draft["review_by"], "2027-01-01");
    let (_, cleared) = put(json!({"revision": 4, "review_by": null})).await;
    assert_eq!(cleared["review_by"], json!(null));
    assert_eq!(house.get(&format!("{path}/revisions/9")).await.0, 404);
}

#[tokio::test]
async fn revisions_are_compared_by_lines_and_words() {
    let house = House::open().await;
    publish(&house, "a/b", "## When\nWithin five days.\n\n## How\nBy bank.\n").await;
    let text = json!({"revision": 3, "title": "Another", "body":
        "## When\nWithin six days.\n\n## How\nBy bank.\nOr by card.\n"});
    let (status, _) = house.call(Method::PUT, "/v1/articles/a%2Fb", Some(text)).await;
    assert_eq!(status, 200);
    let (status, diff) = house.get("/v1/articles/a%2Fb/diff").await;
    assert_eq!((status, &diff["from"], &diff["to"]), (StatusCode::OK, &json!(3), &json!(4)));
    assert_eq!(diff["fields"], json!([{"field": "title", "from": "A title", "to": "Another"}]));
    let lines = diff["body"].as_array().expect("lines");
    let of = |change: &str| {
        let lines = lines.iter().filter(|line| line["change"] == change);
        let texts = lines.map(|line| {
            let parts = line["parts"].as_array().expect("parts").iter();
            parts
                .filter(|part| change == "same" || part["changed"] == true)
                .map(|part| part["text"].as_str().expect("text"))
                .collect::<String>()
        });
        texts.collect::<Vec<_>>()
    };
    assert_eq!(of("same").concat(), "## When\n\n## How\nBy bank.\n");
    assert_eq!((of("removed"), &*of("added")[0]), (vec!["five".to_owned()], "six"));
    assert_eq!(lines.last().expect("lines")["to_line"], 6);
    assert_eq!(house.get("/v1/articles/a%2Fb/diff?from=1&to=8").await.0, 404);
}

#[tokio::test]
async fn lists_show_what_waits_and_what_is_stale() {
    let house = House::open().await;
    publish(&house, "z/new", "Said here.").await;
    let draft =
        json!({"id": "a/draft", "title": "Roaming 100%", "body": "x", "products": ["mobile"]});
    assert_eq!(house.post("/v1/articles", draft).await.0, 201);
    let ids = async |query: &str| {
        let (status, list) = house.get(&format!("/v1/articles?{query}")).await;
        assert_eq!(status, 200, "{query}");
        let items = list["items"].as_array().expect("items").iter();
        items.map(|item| item["id"].as_str().expect("id").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids("state=draft").await, ["a/draft"]);
    assert_eq!(ids("state=published").await, ["billing/late-fees", "billing/refunds", "z/new"]);
    assert_eq!(ids("review_by=2027-01-01").await, ["billing/late-fees", "billing/refunds"]);
    assert!(ids("review_by=2026-12-31").await.is_empty());
    assert_eq!(ids("product=mobile").await, ["a/draft"]);
    assert_eq!(ids("q=100%25").await, ["a/draft"]);
    for bad in ["state=gone", "review_by=soon", "colour=blue", "limit=501"] {
        assert_eq!(house.get(&format!("/v1/articles?{bad}")).await.0, 422, "{bad}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_an_article_is_said() {
    let house = House::open().await;
    for (text, word) in [
        (json!({"title": "x"}), "body"),
        (json!({"body": "x"}), "title"),
        (json!({"title": "x", "body": "## only a heading\n"}), "body"),
        (json!({"title": "x", "body": "y", "id": "../up"}), "id"),
        (json!({"title": "x", "body": "y", "id": "a//b"}), "id"),
        (json!({"title": "x", "body": "y", "id": "a#1"}), "id"),
        (json!({"title": "x", "body": "y", "audience": ["robots"]}), "robots"),
        (json!({"title": "x", "body": "y", "audience": []}), "audience"),
        (json!({"title": "x", "body": "y", "valid_from": "soon"}), "valid_from"),
        (
            json!({"title": "x", "body": "y", "valid_from": "2026-02-01", "valid_until": "2026-01-01"}),
            "valid_until",
        ),
        (json!({"title": "x", "body": "y", "asked_as": {"Z": ["z"]}}), "asked_as"),
        (json!({"title": "x", "body": "y", "language": "English, please"}), "language"),
        (json!({"title": "x", "body": "y", "revision": 3}), "revision"),
        (json!({"title": "x", "body": "y", "colour": "blue"}), "colour"),
    ] {
        let (status, problem) = house.post("/v1/articles", text.clone()).await;
        assert_eq!(status, 422, "{text}");
        let detail = problem["detail"].as_str().expect("text");
        assert!(detail.contains(word), "{detail}");
    }
    let long = json!({"title": "x", "body": "y".repeat(300 << 10)});
    assert_eq!(house.post("/v1/articles", long).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    let longish = json!({"title": "x", "body": "y".repeat(245 << 10)});
    assert_eq!(house.post("/v1/articles", longish).await.0, 422);
    let (_, one) = house.post("/v1/articles", json!({"title": "Lost & found", "body": "y"})).await;
    let (_, two) = house.post("/v1/articles", json!({"title": "Lost & found", "body": "y"})).await;
    assert_eq!((&one["id"], &two["id"]), (&json!("lost-found"), &json!("lost-found-2")));
    let path = "/v1/articles/lost-found/review";
    for body in [
        json!({"action": "return", "revision": 1}),
        json!({"action": "shred", "revision": 1}),
        json!({"action": "submit"}),
    ] {
        assert_eq!(house.post(path, body).await.0, 422);
    }
}

#[tokio::test]
async fn secrets_are_masked_before_they_are_kept() {
    let house = House::open().await;
    let secret = "4111111111111111";
    let text = json!({
        "id": "a/b", "title": format!("Card {secret}"), "body": format!("## When\nUse {secret} here.\n"),
        "source": secret, "products": [secret], "comment": secret,
        "asked_as": {"When": [format!("is it {secret}")]},
        "provenance": [{"sentence": secret, "conversation_id": "c-1",
            "turns": [{"turn_id": "t-1", "quote": secret}]}],
    });
    let (status, shown) = house.post("/v1/articles", text).await;
    assert_eq!(status, 201, "{shown}");
    assert!(!shown.to_string().contains(secret), "{shown}");
    assert!(shown["body"].as_str().expect("text").contains("[card-1]"));
    let revision = house.log.revision(&"demo".into(), &"a/b".into(), 1).await.expect("reads");
    let kept = format!("{:?}", revision.expect("it is there").content.body.as_str());
    assert!(!kept.contains(secret));

    // A name that is made from a title is made from the masked one, and one that is given holds none.
    let text = json!({"title": "Card 4111 1111 1111 1111 of Bob", "body": "Text."});
    let (_, shown) = house.post("/v1/articles", text).await;
    assert_eq!(shown["id"], "card-card-1-of-bob");
    let turn = |id: &str| json!({"turn_id": id, "quote": "x"});
    let origin = |conversation: &str, turns: Vec<Value>| json!([{"sentence": "x", "conversation_id": conversation, "turns": turns}]);
    for wrong in [
        json!({"id": format!("cards/{secret}"), "title": "x", "body": "x"}),
        json!({"title": "x", "body": "x", "language": secret}),
        json!({"title": "x", "body": "x", "provenance": origin(secret, vec![])}),
        json!({"title": "x", "body": "x", "provenance": origin("c-1", vec![turn(secret)])}),
        json!({"title": "x", "body": "x", "provenance": origin("c-1", vec![turn("t-1"); 51])}),
    ] {
        let (status, problem) = house.post("/v1/articles", wrong.clone()).await;
        assert_eq!(status, 422, "{wrong}: {problem}");
    }
    let articles =
        json!({"articles": [{"id": format!("cards/{secret}"), "title": "x", "body": "x"}]});
    let (_, report) = house.post("/v1/articles/import", articles).await;
    assert_eq!(report["items"][0]["outcome"], "refused", "{report}");
}

#[tokio::test]
async fn phrasings_are_not_multiplied_without_end() {
    let house = House::open().await;
    let text = |headings: usize, phrasings: usize| {
        json!({"title": "x", "body": "## A\nx\n".repeat(headings),
            "asked_as": {"A": vec!["how"; phrasings]}})
    };
    let (status, problem) = house.post("/v1/articles", text(3_000, 3_000)).await;
    assert_eq!(status, 422, "{problem}");
    assert!(problem["detail"].as_str().expect("text").contains("2000 at most"), "{problem}");
    assert_eq!(house.post("/v1/articles", text(40, 50)).await.0, 201);
}

#[tokio::test]
async fn who_may_not_publish_alone_may_not_import_either() {
    let house = House::open().await;
    let articles = || json!({"articles": [{"id": "new/one", "title": "New", "body": "E-811."}]});
    let path = "/v1/articles/import";
    let (status, problem) = house.call_as(ADAS_KEY, Method::POST, path, articles()).await;
    assert_eq!(
        (status, &problem["type"]),
        (StatusCode::FORBIDDEN, &json!("urn:backchannel:problem:four-eyes"))
    );
    assert!(found(&house, "E-811").await.is_empty());
    let (status, report) = house.post(path, articles()).await;
    assert_eq!(
        (status, &report["items"][0]["outcome"]),
        (StatusCode::OK, &json!("new")),
        "{report}"
    );
}

#[tokio::test]
async fn tenants_have_articles_of_their_own() {
    let house = House::open().await;
    let text = json!({"id": "billing/refunds", "title": "Theirs", "body": "E-999."});
    let (status, _) = house.call_as(OTHER_KEY, Method::POST, "/v1/articles", text).await;
    assert_eq!(status, 201);
    let (_, ours) = house.get("/v1/articles/billing%2Frefunds").await;
    assert_eq!(ours["title"], "Refunds");
    let put = json!({"revision": 3, "body": "x"});
    let path = "/v1/articles/billing%2Flate-fees";
    assert_eq!(house.call_as(OTHER_KEY, Method::PUT, path, put).await.0, 404);
}

#[tokio::test]
async fn an_answer_cites_nothing_that_was_retired_meanwhile() {
    let house = House::open().await;
    house.append("c-1", vec![started()]).await;
    let path = "/v1/conversations/c-1/ask";
    let question = json!({"question": "When is a refund paid?"});
    let (_, answer) = house.post(path, question.clone()).await;
    assert_eq!(answer["state"], "answered");
    assert_eq!(review(&house, KEY, "billing/refunds", "retire", 3).await.0, 200);
    // The answerer of these tests goes on quoting it.
    let (status, answer) = house.post(path, question).await;
    assert_eq!((status, &answer["state"]), (StatusCode::OK, &json!("abstained")));
    let (_, seen) = house.get("/v1/conversations/c-1").await;
    assert!(seen["questions"][1]["answer"].is_null(), "{seen}");
}

#[tokio::test]
async fn a_card_on_a_screen_is_withdrawn_with_its_article() {
    let house = House::open().await;
    house.append("c-1", vec![started(), card("k-1")]).await;
    house.append("c-over", vec![started(), card("k-2"), ended()]).await;
    let mut stream = house.follow("/v1/conversations/c-1/events", None).await;
    assert_eq!(review(&house, KEY, "billing/late-fees", "retire", 3).await.0, 200);
    assert_eq!(review(&house, KEY, "billing/refunds", "retire", 3).await.0, 200);
    let event = stream.next().await.expect("the stream goes on");
    assert_eq!(event.kind(), "suggestion.withdrawn");
    assert_eq!(event.envelope["data"]["card_id"], "k-1");
    let (_, over) = house.get("/v1/conversations/c-over").await;
    assert_eq!(over["cards"][0]["withdrawn"], false, "that is history");
}

#[tokio::test]
async fn an_import_is_idempotent_and_leaves_people_s_changes() {
    let house = House::open().await;
    let article = |id: &str, words: &str| json!({"id": id, "title": "T", "body": words});
    let import = async |articles: Vec<Value>, dry_run: bool| {
        let body = json!({"articles": articles, "dry_run": dry_run});
        let (status, report) = house.post("/v1/articles/import", body).await;
        assert_eq!(status, 200, "{report}");
        let items = report["items"].as_array().expect("items").iter();
        items.map(|item| item["outcome"].as_str().expect("text").to_owned()).collect::<Vec<_>>()
    };
    let both = || vec![article("a", "E-201 is one."), article("b", "E-202 is two.")];
    assert_eq!(import(both(), true).await, ["new", "new"]);
    assert!(found(&house, "E-201").await.is_empty(), "that was a rehearsal");
    assert_eq!(import(both(), false).await, ["new", "new"]);
    assert_eq!(found(&house, "E-201").await, ["a"]);
    assert_eq!(import(both(), false).await, ["unchanged", "unchanged"]);
    let mixed = vec![
        article("a", "E-203 is new."),
        article("b", "E-202 is two."),
        article("b", "E-202 twice."),
        article("../c", "x"),
        json!({"id": "d", "title": "T"}),
        article("e", "E-205 is five."),
    ];
    let outcomes = import(mixed, false).await;
    assert_eq!(outcomes, ["changed", "unchanged", "refused", "refused", "refused", "new"]);
    assert_eq!(found(&house, "E-203").await, ["a"]);
    assert!(found(&house, "E-201").await.is_empty());

    // Somebody changes one: what the file says later is left, and what it always said, too.
    let put = json!({"revision": 1, "body": "E-204 by hand."});
    assert_eq!(house.call(Method::PUT, "/v1/articles/b", Some(put)).await.0, 200);
    assert_eq!(import(vec![article("b", "E-202 is two.")], false).await, ["unchanged"]);
    assert_eq!(import(vec![article("b", "E-206 by file.")], false).await, ["kept"]);
    assert_eq!(review(&house, KEY, "e", "retire", 1).await.0, 200);
    assert_eq!(import(vec![article("e", "E-208 anew.")], false).await, ["kept"]);
    assert!(found(&house, "E-208").await.is_empty());
    let none = house.post("/v1/articles/import", json!({"articles": []})).await;
    assert_eq!(none.0, 422);
}

#[tokio::test]
async fn an_articles_use_is_counted_from_the_log() {
    let house = House::open().await;
    house.append("c-1", vec![started(), card("k-1"), card("k-2")]).await;
    let path = "/v1/articles/billing%2Frefunds/use";
    let counts = async || {
        let (status, answer) = house.get(path).await;
        assert_eq!(status, 200, "{answer}");
        let days = answer["days"].as_array().expect("days");
        let sum = |field: &str| days.iter().filter_map(|day| day[field].as_u64()).sum::<u64>();
        ["offered", "accepted", "edited", "dismissed"].map(sum)
    };
    assert_eq!(counts().await, [2, 0, 0, 0]);
    for verdict in ["dismissed", "accepted"] {
        let given = json!({"verdict": verdict});
        assert_eq!(house.post("/v1/suggestions/k-1/verdict", given).await.0, 200);
    }
    assert_eq!(counts().await, [2, 1, 0, 0]);
    let other = house.client.get(house.url(path)).bearer_auth(OTHER_KEY).send().await;
    assert_eq!(other.expect("answers").status(), 404);
}

#[tokio::test]
async fn articles_that_end_soon_can_be_listed() {
    let house = House::open().await;
    let text = json!({"id": "offers/winter", "title": "Winter", "body": "It is cold.",
        "valid_until": "2030-12-31"});
    assert_eq!(house.post("/v1/articles", text).await.0, StatusCode::CREATED);
    for (day, expected) in [("2030-12-30", 0), ("2030-12-31", 1)] {
        let (_, list) = house.get(&format!("/v1/articles?valid_until={day}")).await;
        assert_eq!(list["items"].as_array().map(Vec::len), Some(expected), "{list}");
    }
    let (_, list) = house.get("/v1/articles?state=draft").await;
    assert_eq!(list["items"][0]["valid_until"], "2030-12-31");
    assert_eq!(house.get("/v1/articles?valid_until=soon").await.0, 422);
}
