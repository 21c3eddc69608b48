//! What calls explain: drafted, proposed as a change, or left alone, and what drafts contradict.

use std::path::Path;
use std::time::Duration;

use backchannel::app::proposals::draft_id;
use backchannel::domain::*;
use backchannel::flow::wrapup::{Circumstances, Draft, Reading, WrapUpSettings};
use backchannel::models::Material;
use backchannel::models::embedder::EmbedderHandle;
use backchannel::models::minilm::{MiniLm, MiniLmFiles};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use reqwest::Method;
use serde_json::{Value, json};

use super::articles::{publish, review};
use super::harness::*;

const REFUNDS: &str = "## How long a refund takes\nWe pay a refund within 5 working days of agreeing \
    it. Weekends do not count towards the 5 working days for a refund.\n";

/// With the embedding model: without it nothing is compared.
async fn open(folder: Option<&Path>) -> House {
    let options = Options { folder: folder.map(Path::to_owned), ..Options::default() };
    let house = House::open_with(options).await;
    let library = house.library.clone();
    let attached = tokio::task::spawn_blocking(move || {
        let folder = backchannel::models::installed("all-minilm-l6-v2").expect("`models pull`");
        let model = MiniLm::open(&MiniLmFiles::in_folder(&folder.folder), 1).expect("the model");
        library.attach_vectors(EmbedderHandle::spawn(Box::new(model), 64), |_, _| {})
    });
    attached.await.expect("no panic").expect("vectors");
    house
}

fn turns(lines: &[(Role, &str)]) -> Vec<Turn> {
    let turn = |(number, (role, text)): (usize, &(Role, &str))| Turn {
        id: format!("t-{number}").into(),
        party: Party { id: role.as_str().into(), role: *role, name: None },
        start_ms: number as u64 * 5_000,
        end_ms: number as u64 * 5_000 + 3_000,
        text: Redacted::vouched(*text),
        words: Vec::new(),
        mean_logprob: None,
        display_text: None,
        language: "en".into(),
    };
    lines.iter().enumerate().map(turn).collect()
}

/// A call that is over and wrapped up, as the driver leaves it.
fn wrapped_up(lines: &[(Role, &str)]) -> Vec<EventBody> {
    let material = Material { turns: turns(lines), passages: Vec::new() };
    let began = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
    let circumstances = Circumstances::new(began, Vec::new());
    let reading = Reading::of(&material, &circumstances).expect("enough was said");
    let drafts = reading.draft_at_end(&Draft::Article, &WrapUpSettings::default());
    assert_eq!(drafts.len(), 1, "something was explained");
    let mut events = vec![started()];
    events.extend(material.turns.iter().cloned().map(EventBody::TurnFinal));
    events.extend(drafts.into_iter().map(|draft| EventBody::WrapUp(Box::new(draft))));
    events.push(ended());
    events
}

/// What the conversation's log says became of its proposal.
async fn compared(house: &House, conversation: &str) -> Value {
    use backchannel::store::{KindFilter, ReadQuery};
    let mut query = ReadQuery::all("demo".into(), 0).of(conversation.into());
    query.kinds = KindFilter::exactly("article.compared");
    for _ in 0..400 {
        let events = house.store.read(&query).await.expect("read");
        if let [one] = &events[..] {
            return serde_json::from_str(&one.data).expect("JSON");
        }
        assert!(events.is_empty(), "it is told once");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{conversation} is not compared");
}

fn path_of(article: &str) -> String {
    format!("/v1/articles/{}", article.replace('/', "%2F"))
}

async fn article(house: &House, id: &str) -> Value {
    let (status, article) = house.get(&path_of(id)).await;
    assert_eq!(status, 200, "{article}");
    article
}

async fn revisions(house: &House, id: &str) -> usize {
    let (_, history) = house.get(&format!("{}/revisions", path_of(id))).await;
    history["items"].as_array().map_or(0, Vec::len)
}

/// The list's count, once it is `wanted`.
async fn is_counted(house: &House, id: &str, wanted: usize) -> bool {
    for _ in 0..200 {
        let (_, list) = house.get("/v1/articles?state=draft").await;
        let mut items = list["items"].as_array().expect("items").iter();
        if items.any(|item| item["id"] == id && item["conflict_count"] == wanted) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    false
}

const DISCOUNT: &[(Role, &str)] = &[
    (Role::Customer, "Is there a discount on broadband for students?"),
    (
        Role::Agent,
        "Students get ten percent off the line rental for the first year. You send us a photo of \
         a valid student card.",
    ),
    (Role::Customer, "Lovely, thank you very much."),
];

const REPEATED: &[(Role, &str)] = &[
    (Role::Customer, "How long does a refund take until it is paid?"),
    (
        Role::Agent,
        "We pay a refund within five working days of agreeing it. Weekends don't count towards \
         the five working days.",
    ),
    (Role::Customer, "Okay, thanks."),
];

const CONTRADICTED: &[(Role, &str)] = &[
    (Role::Customer, "How long does a refund take until it is paid?"),
    (Role::Agent, "We pay a refund within 14 working days of agreeing it."),
    (Role::Customer, "Okay, thanks."),
];

const ADDED: &[(Role, &str)] = &[
    (Role::Customer, "How long does a refund take until it is paid?"),
    (
        Role::Agent,
        "We pay a refund within five working days of agreeing it. Gift vouchers are sent by post \
         in a padded envelope.",
    ),
    (Role::Customer, "Okay, thanks."),
];

#[tokio::test]
async fn what_a_call_explains_and_no_article_says_is_drafted_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let house = open(Some(folder.path())).await;
    publish(&house, "billing/how-long", REFUNDS).await;
    house.append("c-new", wrapped_up(DISCOUNT)).await;
    let told = compared(&house, "c-new").await;
    let id = draft_id(&"c-new".into()).to_string();
    assert_eq!((&told["outcome"], &told["article_id"]), (&json!("drafted"), &json!(id)));
    let draft = article(&house, &id).await;
    assert_eq!((&draft["state"], &draft["author"]), (&json!("draft"), &json!("backchannel")));
    assert_eq!((&draft["language"], &draft["conflicts"]), (&json!("en"), &json!([])));
    assert_eq!(draft["title"], "Is there a discount on broadband for students?");
    let body = draft["body"].as_str().expect("text");
    assert!(body.contains("Students get ten percent off"), "{body}");
    let origins = draft["provenance"].as_array().expect("provenance");
    assert_eq!(origins.len(), 3, "{draft:#}");
    assert!(origins.iter().all(|origin| origin["conversation_id"] == "c-new"));
    assert_eq!(origins[0]["turns"][0]["turn_id"], "t-0");
    let quote = "You send us a photo of a valid student card.";
    assert_eq!(origins[2]["turns"], json!([{"turn_id": "t-1", "quote": quote}]));

    // The same again: by another wrap-up, by hand, and after a restart.
    let again: Vec<EventBody> = wrapped_up(DISCOUNT)
        .into_iter()
        .filter(|event| matches!(event, EventBody::WrapUp(_)))
        .collect();
    house.append("c-new", again).await;
    let wanted = json!({"conversation_id": "c-new"});
    let (status, result) = house.post("/v1/articles/proposals", wanted.clone()).await;
    assert_eq!((status.as_u16(), &result["outcome"]), (200, &json!("known")), "{result}");
    assert!(house.close().await);
    let house = open(Some(folder.path())).await;
    assert_eq!(house.post("/v1/articles/proposals", wanted.clone()).await.1["outcome"], "known");
    assert_eq!(revisions(&house, &id).await, 1);
    // Who rejected it isn't asked again.
    assert_eq!(review(&house, KEY, &id, "retire", 1).await.0, 200);
    assert_eq!(house.post("/v1/articles/proposals", wanted).await.1["outcome"], "known");
    assert!(house.close().await);
}

#[tokio::test]
async fn what_an_article_says_already_is_not_drafted_and_the_log_says_so() {
    let house = open(None).await;
    publish(&house, "billing/how-long", REFUNDS).await;
    house.append("c-again", wrapped_up(REPEATED)).await;
    let told = compared(&house, "c-again").await;
    let by = (&told["outcome"], &told["article_id"]);
    assert_eq!(by, (&json!("covered"), &json!("billing/how-long")), "{told}");
    assert!(told["coverage"].as_f64().is_some_and(|coverage| coverage > 0.4), "{told}");
    let id = draft_id(&"c-again".into());
    assert_eq!(house.get(&path_of(id.as_str())).await.0, 404);
    assert!(house.close().await);
}

#[tokio::test]
async fn what_an_article_says_a_part_of_is_a_change_to_it() {
    let house = open(None).await;
    let published = publish(&house, "billing/how-long", REFUNDS).await;
    house.append("c-more", wrapped_up(ADDED)).await;
    let told = compared(&house, "c-more").await;
    let by = (&told["outcome"], &told["article_id"], &told["revision"]);
    let expected = (&json!("changed"), &json!("billing/how-long"), &json!(published + 1));
    assert_eq!(by, expected, "{told}");
    let (_, diff) = house.get(&format!("{}/diff", path_of("billing/how-long"))).await;
    let lines = diff["body"].as_array().expect("lines").iter();
    let added: Vec<&Value> = lines.filter(|line| line["change"] == "added").collect();
    let text = serde_json::to_string(&added).expect("JSON");
    assert!(text.contains("padded envelope") && !text.contains("agreeing it"), "{text}");
    let newest = format!("{}?revision={}", path_of("billing/how-long"), published + 1);
    let (_, changed) = house.get(&newest).await;
    assert_eq!(changed["provenance"][0]["conversation_id"], "c-more");
    assert_eq!(changed["published_revision"], published);
    let wanted = json!({"conversation_id": "c-more"});
    assert_eq!(house.post("/v1/articles/proposals", wanted).await.1["outcome"], "known");
    assert!(house.close().await);
}

#[tokio::test]
async fn a_draft_shows_what_it_contradicts_until_that_is_changed() {
    let house = open(None).await;
    let published = publish(&house, "billing/how-long", REFUNDS).await;
    house.append("c-wrong", wrapped_up(CONTRADICTED)).await;
    let told = compared(&house, "c-wrong").await;
    assert_eq!((&told["outcome"], &told["conflicts"]), (&json!("drafted"), &json!(1)), "{told}");
    let by_hand = json!({"id": "own/refunds", "title": "How long a refund takes",
        "body": "We pay a refund within 14 working days of agreeing it.\n"});
    assert_eq!(house.post("/v1/articles", by_hand).await.0, 201);
    let of_call = draft_id(&"c-wrong".into()).to_string();
    for id in [&*of_call, "own/refunds"] {
        let draft = article(&house, id).await;
        let conflicts = draft["conflicts"].as_array().expect("conflicts");
        let conflict = conflicts
            .iter()
            .find(|one| {
                one["published_sentence"] == "We pay a refund within 5 working days of agreeing it."
            })
            .unwrap_or_else(|| panic!("{draft:#}"));
        assert_eq!(conflict["kind"], "duration");
        assert_eq!(conflict["sentence"], "We pay a refund within 14 working days of agreeing it.");
        assert_eq!(conflict["article_id"], "billing/how-long");
        assert_eq!(conflict["article_title"], "A title");
        assert_eq!(conflict["heading"], "How long a refund takes");
        assert!(is_counted(&house, id, conflicts.len()).await, "{id}");
    }

    let body = REFUNDS.replace('5', "14");
    let text = json!({"revision": published, "body": body});
    assert_eq!(house.call(Method::PUT, &path_of("billing/how-long"), Some(text)).await.0, 200);
    // A draft changes nothing of what is published.
    assert_ne!(article(&house, &of_call).await["conflicts"], json!([]));
    assert_eq!(review(&house, KEY, "billing/how-long", "submit", published + 1).await.0, 200);
    assert_eq!(review(&house, ADAS_KEY, "billing/how-long", "publish", published + 2).await.0, 200);
    for id in [&*of_call, "own/refunds"] {
        assert_eq!(article(&house, id).await["conflicts"], json!([]), "{id}");
        assert!(is_counted(&house, id, 0).await, "{id}");
    }
    assert!(house.close().await);
}

#[tokio::test]
async fn calls_from_elsewhere_are_compared_too() {
    let house = open(None).await;
    publish(&house, "billing/how-long", REFUNDS).await;
    let said = |sentence: &str, turn: &str| json!({"sentence": sentence, "turns": [{"turn_id": turn, "quote": sentence}]});
    let mut wanted = json!({
        "conversation_id": "archive.jsonl:7",
        "question": said("Is there a discount on broadband for students?", "t-1"),
        "answer": [said("Students get ten percent off with the card 4539 1488 0343 6467.", "t-2")],
        "dry_run": true,
    });
    let (status, result) = house.post("/v1/articles/proposals", wanted.clone()).await;
    assert_eq!((status.as_u16(), &result["outcome"]), (200, &json!("drafted")), "{result}");
    let id = result["article_id"].as_str().expect("an id").to_owned();
    assert_eq!(house.get(&path_of(&id)).await.0, 404, "a dry run writes nothing");
    wanted["dry_run"] = false.into();
    assert_eq!(house.post("/v1/articles/proposals", wanted.clone()).await.1["article_id"], id);
    let draft = article(&house, &id).await;
    assert!(!draft.to_string().contains("0343"), "{draft}");
    assert_eq!(draft["author"], "Emma", "whoever gives the words answers for them");
    let again = house.post("/v1/articles/proposals", wanted.clone()).await.1;
    assert_eq!(again["outcome"], "known");
    // Ten calls about one new thing are one draft.
    let mut elsewhere = wanted.clone();
    elsewhere["conversation_id"] = "archive.jsonl:8".into();
    let (_, result) = house.post("/v1/articles/proposals", elsewhere).await;
    assert_eq!((&result["outcome"], &result["article_id"]), (&json!("covered"), &json!(id)));
    // Another archive counts its conversations from one, too.
    let mut other = wanted.clone();
    other["question"] = said("Can a sheep be insured with a cable?", "t-1");
    other["answer"] = json!([said("# Sheep\nare insured by the farmers' union only.", "t-2")]);
    let (_, result) = house.post("/v1/articles/proposals", other).await;
    assert_eq!(result["outcome"], "drafted");
    assert_ne!(result["article_id"], id);
    let sheep = article(&house, result["article_id"].as_str().expect("an id")).await;
    let body = sheep["body"].as_str().expect("text");
    assert!(body.contains("Sheep are insured") && !body.contains("# Sheep"), "{body}");
    // A card's number that begins in one sentence and ends in the next is masked in neither.
    let mut split = wanted.clone();
    split["answer"] =
        json!([said("It is 4539 1488 0343.", "t-2"), said("6467 is the rest.", "t-3")]);
    assert_eq!(house.post("/v1/articles/proposals", split).await.0, 422);
    let mut long = wanted;
    long["answer"] = json!([said(&"long ".repeat(500), "t-2")]);
    assert_eq!(house.post("/v1/articles/proposals", long).await.0, 422);
    let missing = json!({"conversation_id": "c-nobody"});
    assert_eq!(house.post("/v1/articles/proposals", missing).await.0, 404);
    let half = json!({"conversation_id": "c-1", "question": said("What?", "t-1")});
    assert_eq!(house.post("/v1/articles/proposals", half).await.0, 422);
    assert!(house.close().await);
}
