use backchannel::connect::telephony::auth::{MediaAuth, PublicUrl};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::Door;
use crate::media::{hear_out, say};
use crate::serve::harness::KEY;

const PATH: &str = "/v1/media/twilio";
/// HMAC-SHA1 of `wss://copilot.example.com/v1/media/twilio` with the key 12345.
const SIGNATURE: &str = "2aYan4l6L2BSldvxaJBlBZdbsCs=";

async fn door() -> Door {
    let public = PublicUrl::parse("https://copilot.example.com").expect("an address");
    let mut auth = MediaAuth::new(Some(public));
    auth.add_twilio("12345", "signed".into());
    Door::open(auth).await
}

#[tokio::test]
async fn a_signed_stream_is_its_accounts() {
    let door = door().await;
    let mut client = door.knock(PATH, &[("x-twilio-signature", SIGNATURE)]).await.expect("let in");
    let start = json!({"event": "start", "start": {"callSid": "CA1", "tracks": ["inbound"]}});
    say(&mut client, start).await;
    say(&mut client, json!({"event": "dtmf", "dtmf": {"track": "inbound_track", "digit": "4"}}))
        .await;
    say(&mut client, json!({"event": "mark", "mark": {"name": "x"}})).await;
    say(&mut client, json!({"event": "stop"})).await;
    assert_eq!(hear_out(&mut client).await.0, 1000);
    let call = door.calls.ended("c-1").await;
    assert_eq!((call.tenant.as_str(), call.external_id.as_deref()), ("signed", Some("CA1")));
    assert!(!format!("{call:?}").contains('4'), "typed keys are kept nowhere: {call:?}");
}

#[tokio::test]
async fn without_a_good_signature_the_answer_is_always_the_same() {
    let door = door().await;
    let mut problems = Vec::new();
    for (path, signature) in [
        (PATH, None),
        (PATH, Some("")),
        (PATH, Some("AAAAAAAAAAAAAAAAAAAAAAAAAAA=")),
        (PATH, Some("not base64")),
        ("/v1/media/pcm", Some(SIGNATURE)),
        ("/v1/media/twilio?x=1", Some(SIGNATURE)),
    ] {
        let headers: Vec<_> = signature.map(|it| ("x-twilio-signature", it)).into_iter().collect();
        assert_eq!(door.knock(path, &headers).await.err(), Some(401), "{path} {signature:?}");
        let mut request = door.house.client.get(door.house.url(path));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let answer = request.send().await.expect("answers");
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        problems.push(answer.json::<Value>().await.expect("JSON"));
    }
    assert!(problems.windows(2).all(|pair| pair[0] == pair[1]), "no hint: {problems:?}");
    let bearer = format!("Bearer {KEY}");
    assert!(door.knock(PATH, &[("authorization", &bearer)]).await.is_ok(), "our key opens, too");
}
