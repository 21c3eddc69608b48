//! Drafts on demand, in the view and on the stream, and what agents make of them.

use async_trait::async_trait;
use backchannel::domain::*;
use backchannel::flow::author::OnGrowth;
use backchannel::flow::wrapup::{Circumstances, Reading, WrapUpSettings};
use backchannel::models::Material;
use backchannel::serve::{Failure, WrapUpOrder, WrapUps};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use reqwest::Method;
use serde_json::{Value, json};

use super::harness::*;

/// The real stage over one fixed call; a conversation whose name begins with `c-thin` is empty.
pub struct FakeWrapUps;

fn said() -> Material {
    let lines = [
        (
            Role::Customer,
            "My broadband has been down since Saturday and the box shows error E-104.",
        ),
        (Role::Customer, "Do you pay anything for the days that it is off?"),
        (
            Role::Agent,
            "We pay compensation for each full day after two working days and take it off the next bill.",
        ),
        (Role::Agent, "I've booked an engineer for you. I'll call you back tomorrow at two."),
    ];
    let turns = lines.into_iter().enumerate().map(|(number, (role, text))| Turn {
        id: format!("t-{number}").into(),
        party: Party { id: role.as_str().into(), role, name: None },
        start_ms: number as u64 * 5_000,
        end_ms: number as u64 * 5_000 + 1,
        text: Redacted::vouched(text),
        display_text: None,
        words: Vec::new(),
        mean_logprob: None,
        language: "en".into(),
    });
    Material { turns: turns.collect(), passages: Vec::new() }
}

fn circumstances() -> Circumstances {
    // In the small hours nobody knows what "tomorrow" is.
    let began = Timestamp::from_second(10 * 3_600).expect("a time").to_zoned(TimeZone::UTC);
    Circumstances::new(began, vec![party()])
}

#[async_trait]
impl WrapUps for FakeWrapUps {
    async fn write(&self, order: WrapUpOrder, _: OnGrowth) -> Result<Vec<WrapUp>, Failure> {
        let thin = order.conversation.as_str().starts_with("c-thin");
        let material = if thin { Material::default() } else { said() };
        Reading::of(&material, &circumstances())
            .and_then(|reading| {
                let settings = WrapUpSettings::default();
                reading.draft(&order.draft, order.occasion, &order.stem, &settings)
            })
            .map_err(|refusal| Failure::of(&refusal))
    }

    async fn case(&self, _: &TenantId, ids: Vec<ConversationId>) -> Result<CaseSummary, Failure> {
        let date = jiff::civil::date(2026, 3, 2);
        let entry = |conversation| CaseEntry { conversation, date, sentences: Vec::new() };
        Ok(CaseSummary { entries: ids.into_iter().map(entry).collect(), promises: Vec::new() })
    }
}

/// One of each, as at the end of a call.
pub fn drafts() -> Vec<EventBody> {
    let rule = backchannel::flow::wrapup::DispositionRule {
        code: "F1".into(),
        label: "Fault".into(),
        phrases: vec!["down".into()],
    };
    let settings = WrapUpSettings { dispositions: vec![rule], ..WrapUpSettings::default() };
    let (material, circumstances) = (said(), circumstances());
    let reading = Reading::of(&material, &circumstances).expect("enough was said");
    let written = reading.all_drafts(&settings);
    written.into_iter().map(|draft| EventBody::WrapUp(Box::new(draft))).collect()
}

#[tokio::test]
async fn a_conversation_shows_its_newest_drafts() {
    let house = House::open().await;
    house.append("c-1", vec![started()]).await;
    house.append("c-1", drafts()).await;
    house.append("c-1", vec![ended()]).await;
    let (_, seen) = house.get("/v1/conversations/c-1").await;
    let wrapup = &seen["wrapup"];
    assert_eq!(wrapup["summary"]["sections"][0]["key"], "issue");
    assert_eq!(wrapup["summary"]["state"], "draft");
    assert_eq!(wrapup["summary"]["authorship"]["provider"], "extractive");
    let cited = &wrapup["summary"]["paragraph"][0]["citations"][0];
    assert_eq!((&cited["of"], &cited["turn_id"]), (&json!("turn"), &json!("t-0")));
    assert_eq!(wrapup["follow_ups"][0]["due"]["date"], "1970-01-02");
    assert_eq!(wrapup["follow_ups"][0]["due"]["time"], "14:00");
    assert_eq!(wrapup["disposition"]["choices"][0]["code"], "F1");
    assert_eq!(wrapup["email"]["purpose"], "follow_up");
    assert!(
        wrapup["article"]["question"]["text"].as_str().expect("text").starts_with("Do you pay")
    );
    assert_eq!(wrapup["hand_over"], Value::Null);

    let order =
        json!({"purpose": "appointment", "length": "short", "tone": "formal", "language": "de"});
    let (status, email) = house.post("/v1/conversations/c-1/email", order).await;
    assert_eq!((status.as_u16(), &email["language"]), (200, &json!("de")));
    let (status, pack) = house.post("/v1/conversations/c-1/handover", json!(null)).await;
    assert_eq!((status.as_u16(), &pack["occasion"]), (200, &json!("hand_over")));
    for what in ["summary", "article", "followups"] {
        let (status, _) = house.post(&format!("/v1/conversations/c-1/{what}"), json!(null)).await;
        assert_eq!(status, 200, "{what}");
    }
    let (_, seen) = house.get("/v1/conversations/c-1").await;
    assert_eq!(seen["wrapup"]["email"], email);
    assert_eq!(seen["wrapup"]["hand_over"], pack);
    assert_eq!(seen["wrapup"]["summary"]["occasion"], "demand");
    // Written together they replace those before.
    let count = seen["wrapup"]["follow_ups"].as_array().expect("a list").len();
    assert_eq!(count, wrapup["follow_ups"].as_array().expect("a list").len());
}

#[tokio::test]
async fn what_cannot_be_written_is_refused_with_the_reason() {
    let house = House::open().await;
    house.append("c-thin", vec![started()]).await;
    house.append("c-1", vec![started()]).await;
    let (status, problem) = house.post("/v1/conversations/c-thin/summary", json!(null)).await;
    assert_eq!(status, 409);
    assert!(problem["detail"].as_str().expect("words").contains("nothing was said"), "{problem}");
    for bad in [
        json!({"purpose": "poem"}),
        json!({"purpose": "custom"}),
        json!({"purpose": "apology", "wish": "x"}),
        json!({"length": "endless"}),
        json!({"tone": "rude"}),
        json!({"language": "xx"}),
        json!({"lenght": "short"}),
    ] {
        assert_eq!(house.post("/v1/conversations/c-1/email", bad.clone()).await.0, 422, "{bad}");
    }
    let information = json!({"purpose": "information"});
    assert_eq!(house.post("/v1/conversations/c-1/email", information).await.0, 409);
    let (status, case) = house.post("/v1/cases/summary", json!({"conversations": ["c-1"]})).await;
    assert_eq!((status.as_u16(), &case["conversations"][0]["conversation"]), (200, &json!("c-1")));
    assert_eq!(house.post("/v1/cases/summary", json!({"conversations": []})).await.0, 422);
}

#[tokio::test]
async fn a_review_is_recorded_once_however_often_it_comes() {
    let house = House::open().await;
    house.append("c-1", vec![started()]).await;
    house.append("c-1", drafts()).await;
    let path = "/v1/conversations/c-1/wrapups/w-end-email-1/verdict";
    let accepted = json!({"verdict": "accepted"});
    let both = tokio::join!(house.post(path, accepted.clone()), house.post(path, accepted.clone()));
    for (status, answer) in [both.0, both.1, house.post(path, accepted).await] {
        assert_eq!(status, 200);
        assert_eq!(answer["verdict"], "accepted");
    }
    let edited = json!({"verdict": "edited", "text": "Pay with 4111111111111111."});
    let (_, answer) = house.post(path, edited).await;
    assert_eq!(answer["text"], "Pay with [card-1].");
    let (_, seen) = house.get("/v1/conversations/c-1").await;
    assert_eq!(seen["wrapup"]["verdicts"]["w-end-email-1"]["verdict"], "edited");
    let drafts = drafts().len() as u64;
    assert_eq!(seen["last_sequence"], json!(1 + drafts + 2));
    for bad in [json!({"verdict": "loved"}), json!({"verdict": "edited"}), json!({})] {
        assert_eq!(house.post(path, bad.clone()).await.0, 422, "{bad}");
    }
    let unknown = house
        .post("/v1/conversations/c-1/wrapups/w-9/verdict", json!({"verdict": "accepted"}))
        .await;
    assert_eq!(unknown.0, 404);
    // Another tenant's draft is not there.
    let request = house.client.request(Method::POST, house.url(path)).bearer_auth(OTHER_KEY);
    let answer = request.json(&json!({"verdict": "accepted"})).send().await.expect("answers");
    assert_eq!(answer.status(), 404);
}

#[tokio::test]
async fn a_verdict_is_on_the_draft_that_was_seen() {
    let house = House::open().await;
    house.append("c-1", vec![started()]).await;
    let disposition = |codes: &[&str]| {
        let choice = |code: &&str| DispositionChoice {
            code: (*code).to_owned(),
            label: (*code).to_owned(),
            probability: 0.5,
            proofs: Vec::new(),
        };
        let choices = codes.iter().map(choice).collect();
        EventBody::WrapUp(Box::new(WrapUp {
            id: "w-end-disposition-1".into(),
            occasion: Occasion::End,
            authorship: Authorship {
                provider: codes.concat(),
                model: None,
                prompt: None,
                seed: None,
            },
            language: "en".to_owned(),
            body: WrapUpBody::Disposition(DispositionProposal { choices, none: 0.0 }),
            struck: Vec::new(),
        }))
    };
    let path = "/v1/conversations/c-1/wrapups/w-end-disposition-1/verdict";
    house.append("c-1", vec![disposition(&["B1", "X9"])]).await;
    let (_, seen) = house.get("/v1/conversations/c-1").await;
    let plain = seen["wrapup"]["sequences"]["w-end-disposition-1"].clone();
    assert_eq!(plain, json!(2));
    house.append("c-1", vec![disposition(&["X9", "B1"])]).await;

    for stale in [
        json!({"verdict": "accepted", "sequence": plain}),
        json!({"verdict": "discarded", "sequence": plain}),
        json!({"verdict": "accepted", "text": "B1"}),
        json!({"verdict": "accepted", "text": "B1", "sequence": 3}),
    ] {
        let (status, problem) = house.post(path, stale.clone()).await;
        assert_eq!(status, 409, "{stale}");
        assert_eq!(problem["type"], "urn:backchannel:problem:conflict");
    }
    let (_, seen) = house.get("/v1/conversations/c-1").await;
    assert_eq!(seen["wrapup"]["verdicts"], json!({}));
    assert_eq!(seen["wrapup"]["sequences"]["w-end-disposition-1"], json!(3));

    let accepted = json!({"verdict": "accepted", "text": "X9", "sequence": 3});
    let (status, answer) = house.post(path, accepted).await;
    assert_eq!(
        (status.as_u16(), &answer["text"], &answer["sequence"]),
        (200, &json!("X9"), &json!(3))
    );
    // One that comes after a verdict changes nothing of what was judged.
    house.append("c-1", vec![disposition(&["B1"])]).await;
    let again = json!({"verdict": "accepted", "text": "X9", "sequence": 3});
    assert_eq!(house.post(path, again).await.0, 200);
    let (_, seen) = house.get("/v1/conversations/c-1").await;
    assert_eq!(
        (&seen["wrapup"]["disposition"]["choices"][0]["code"], &seen["last_sequence"]),
        (&json!("X9"), &json!(5))
    );

    // Somebody's own choice says by itself what it is; whoever doesn't say what was seen is believed.
    let edited = json!({"verdict": "edited", "text": "B1", "sequence": 2});
    assert_eq!(house.post(path, edited).await.0, 200);
    assert_eq!(house.post(path, json!({"verdict": "accepted"})).await.0, 200);

    let sent = house.client.post(house.url("/v1/conversations/c-1/summary")).bearer_auth(KEY);
    let sent = sent.send().await.expect("answers");
    let sequence: u64 =
        sent.headers()["backchannel-sequence"].to_str().expect("text").parse().expect("a number");
    let draft: Value = sent.json().await.expect("JSON");
    let id = draft["wrapup_id"].as_str().expect("an id").to_owned();
    let (_, seen) = house.get("/v1/conversations/c-1").await;
    assert_eq!(seen["wrapup"]["sequences"][&id], json!(sequence));
    let path = format!("/v1/conversations/c-1/wrapups/{id}/verdict");
    let coded = json!({"verdict": "accepted", "text": "B1", "sequence": sequence});
    assert_eq!(house.post(&path, coded).await.0, 422, "a summary has no code");
    assert_eq!(
        house.post(&path, json!({"verdict": "accepted", "sequence": sequence})).await.0,
        200
    );
}
