use std::path::Path;

use backchannel::connect::telephony::auth::{MediaAuth, PublicUrl};
use backchannel::connect::telephony::twilio::signature::{signs, signs_body};
use backchannel::domain::Role;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{Door, sdk};
use crate::media::{hear_out, say};
use crate::serve::harness::KEY;

const PATH: &str = "/v1/media/twilio";
/// HMAC-SHA1 of `wss://copilot.example.com/v1/media/twilio` with the key 12345.
const SIGNATURE: &str = "2aYan4l6L2BSldvxaJBlBZdbsCs=";

async fn door() -> Door {
    door_at("https://copilot.example.com").await
}

async fn door_at(public_url: &str) -> Door {
    let public = PublicUrl::parse(public_url).expect("an address");
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

/// What the SDK signs, and whether it finds that valid for what was received.
fn signed_by_the_sdk(requests: &[Value]) -> Vec<(String, bool)> {
    let answers = sdk("twilio/webhooks.mjs", &json!(requests));
    let answers = answers.as_array().expect("a list");
    assert_eq!(answers.len(), requests.len());
    let text = |answer: &Value| answer["signature"].as_str().expect("text").to_owned();
    answers.iter().map(|it| (text(it), it["valid"].as_bool().expect("a verdict"))).collect()
}

#[test]
fn addresses_are_judged_as_the_official_sdk_does() {
    let mut pairs = Vec::new();
    let mut every = |addresses: Vec<String>| {
        for signed in &addresses {
            pairs.extend(addresses.iter().map(|received| (signed.clone(), received.clone())));
        }
    };
    for scheme in ["https", "http", "wss"] {
        let at = |port: &str| format!("{scheme}://copilot.example.com{port}/v1/media/twilio");
        every(["", ":443", ":80", ":8443"].map(at).to_vec());
    }
    every(
        [
            "",
            "?",
            "?a=1",
            "?a=1&a=2&b=3",
            "?a=1&b=3&a=2",
            "?a=2&a=1&b=3",
            "?a=it's",
            "?a=it%27s",
            "?a=x+y",
            "?a=x%20y",
            "?a=x%2By",
            "?bare",
            "?bare=",
            "?a=~()",
            "?a=%7E%28%29",
            "?a=%zz",
            "?a=caf%C3%A9",
            "?a=café",
            "?a=1&&b=2",
            "?a=1&b=2",
        ]
        .map(|query| format!("https://copilot.example.com/v1/media/twilio{query}"))
        .to_vec(),
    );
    let requests: Vec<Value> = pairs
        .iter()
        .map(|(signed, received)| {
            json!({"token": "12345", "signed": signed, "received": received, "params": {}})
        })
        .collect();
    let (mut accepted, mut refused) = (0, 0);
    for ((signed, received), (signature, valid)) in pairs.iter().zip(signed_by_the_sdk(&requests)) {
        // The SDK takes 80 for the port of `wss`, where it stands for an encrypted connection.
        let own_port = ["wss://copilot.example.com/", "wss://copilot.example.com:443/"]
            .iter()
            .any(|start| received.starts_with(start));
        let expected = match signed.strip_prefix("wss://copilot.example.com:") {
            Some(rest) if own_port => rest.starts_with("443"),
            _ => valid,
        };
        let ours = signs("12345", received, &[], &signature);
        assert_eq!(ours, expected, "signed {signed}, received {received}");
        assert!(!signs("12346", received, &[], &signature), "another account's {signed}");
        *(if ours { &mut accepted } else { &mut refused }) += 1;
    }
    assert!(accepted > 40 && refused > 200, "{accepted} accepted, {refused} refused");
}

#[test]
fn forms_and_bodies_are_judged_as_the_official_sdk_does() {
    let url = "https://copilot.example.com/hook?tenant=a%20b";
    let forms = [
        json!({}),
        json!({"From": "+15551230001", "Body": "Hi there & ok=1", "NumMedia": "0"}),
        json!({"body": "a", "Body": "b", "Body2": "", "_": "c"}),
        json!({"MediaUrl": ["https://b.example", "https://a.example", "https://b.example"]}),
        json!({"Ａ": "full width", "😀": "emoji", "é": "accent", "z": "ＡＢ"}),
    ];
    let request =
        |params| json!({"token": "12345", "signed": url, "received": url, "params": params});
    let requests: Vec<Value> = forms.iter().map(request).collect();
    for (form, (signature, valid)) in forms.iter().zip(signed_by_the_sdk(&requests)) {
        let mut params = Vec::new();
        for (key, value) in form.as_object().expect("a form") {
            let several = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            params
                .extend(several.iter().map(|value| (key.as_str(), value.as_str().expect("text"))));
        }
        params.reverse();
        assert!(valid && signs("12345", url, &params, &signature), "{form}");
        params.push(("Extra", "1"));
        assert!(!signs("12345", url, &params, &signature), "{form} and more");
    }
    for (sent, came) in
        [("{\"a\":1}", "{\"a\":1}"), ("{}", "{ }"), ("{\"a\":\"é\"}", "{\"a\":\"é\"}")]
    {
        let request = json!([{"token": "12345", "signed": "https://copilot.example.com/hook",
            "body": {"signed": sent, "received": came}}]);
        let answer = sdk("twilio/webhooks.mjs", &request);
        let text = |name: &str| answer[0][name].as_str().expect("text").to_owned();
        let ours = signs_body("12345", &text("url"), came.as_bytes(), &text("signature"));
        assert_eq!((Some(ours), ours), (answer[0]["valid"].as_bool(), sent == came), "{sent}");
    }
}

/// Names and values, in order.
type Pairs = Vec<(String, String)>;

/// Verb, attributes and parameters of the one stream in some TwiML.
fn stream_of(twiml: &str) -> (String, Pairs, Pairs) {
    let document = roxmltree::Document::parse(twiml).expect("XML");
    let stream = document.descendants().find(|node| node.has_tag_name("Stream")).expect("a stream");
    let attributes = |node: roxmltree::Node| -> Pairs {
        node.attributes().map(|it| (it.name().to_owned(), it.value().to_owned())).collect()
    };
    let parameters = stream.children().filter(|node| node.has_tag_name("Parameter")).map(|node| {
        let text = |name| node.attribute(name).expect("it has both").to_owned();
        (text("name"), text("value"))
    });
    let verb = stream.parent_element().expect("a verb").tag_name().name().to_owned();
    (verb, attributes(stream), parameters.collect())
}

#[tokio::test]
async fn a_stream_of_the_sdks_twiml_is_let_in_by_the_sdks_signature() {
    for public_url in ["https://copilot.example.com", "https://copilot.example.com:8443/live/"] {
        let door = door_at(public_url).await;
        let address = format!("{}{PATH}", public_url.trim_end_matches('/').replace("https", "wss"));
        let question = json!({"url": address, "track": "both_tracks",
            "parameters": {"agent": "a1", "caller's <name> & \"more\"": "Zoë > 'Z'"}});
        let twiml = sdk("twilio/twiml.mjs", &question);
        for (verb, tracks) in
            [("Start", json!(["inbound", "outbound"])), ("Connect", json!(["inbound"]))]
        {
            let text = twiml[verb.to_lowercase()].as_str().expect("TwiML");
            let (found, attributes, parameters) = stream_of(text);
            assert_eq!((found.as_str(), attributes[0].0.as_str()), (verb, "url"), "{text}");
            // Twilio connects to what the TwiML says, and signs that.
            let url = &attributes[0].1;
            let requests = ["12345", "12346"]
                .map(|token| json!({"token": token, "signed": url, "received": url, "params": {}}));
            let [(good, _), (forged, _)] = &signed_by_the_sdk(&requests)[..] else { panic!() };
            let refused = door.knock(PATH, &[("x-twilio-signature", forged)]).await;
            assert_eq!(refused.err(), Some(401));
            let mut client =
                door.knock(PATH, &[("x-twilio-signature", good)]).await.expect("let in");
            let custom: serde_json::Map<String, Value> =
                parameters.into_iter().map(|(name, value)| (name, value.into())).collect();
            say(
                &mut client,
                json!({"event": "start", "start": {"callSid": verb, "tracks": tracks,
                "customParameters": custom}}),
            )
            .await;
            say(&mut client, json!({"event": "stop"})).await;
            assert_eq!(hear_out(&mut client).await.0, 1000);
            let id = if verb == "Start" { "c-1" } else { "c-2" };
            let call = door.calls.ended(id).await;
            assert_eq!((&*call.tenant, call.external_id.as_deref()), ("signed", Some(verb)));
            assert_eq!(call.attributes["agent"], "a1");
            assert_eq!(call.attributes["caller's <name> & \"more\""], "Zoë > 'Z'");
            let roles = [Role::Customer, Role::Agent];
            assert_eq!(call.roles, roles[..tracks.as_array().expect("a list").len()]);
        }
    }
}

#[tokio::test]
async fn a_query_belongs_to_what_the_sdk_signs() {
    let door = door().await;
    let base = format!("wss://copilot.example.com{PATH}");
    let query = "?agent=a%201&x=it's";
    let requests = [query, "", "?agent=a%201"].map(|signed| {
        json!({"token": "12345", "signed": format!("{base}{signed}"),
            "received": format!("{base}{query}"), "params": {}})
    });
    let mut verdicts = Vec::new();
    for (signature, valid) in signed_by_the_sdk(&requests) {
        let answer =
            door.knock(&format!("{PATH}{query}"), &[("x-twilio-signature", &signature)]).await;
        assert_eq!(answer.is_ok(), valid);
        verdicts.push(valid);
    }
    assert_eq!(verdicts, [true, false, false]);
}

#[test]
fn the_readmes_twiml_is_what_the_sdk_writes() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(readme).expect("readable");
    let (_, rest) = readme.split_once("```xml\n").expect("TwiML in the README");
    let (written, _) = rest.split_once("```").expect("its end");
    let question = json!({"url": "wss://your-host/v1/media/twilio", "track": "both_tracks",
        "parameters": {"agent": "a1"}});
    let twiml = sdk("twilio/twiml.mjs", &question);
    assert_eq!(stream_of(written), stream_of(twiml["start"].as_str().expect("TwiML")));
}
