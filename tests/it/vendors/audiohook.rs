use std::time::{Duration, SystemTime, UNIX_EPOCH};

use backchannel::connect::telephony::audiohook::signature::ApiKey;
use backchannel::connect::telephony::auth::{MediaAuth, PublicUrl};
use backchannel::domain::{EndReason, Party, Redacted, Role, Turn};
use backchannel::flow::driver::{Control, News};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt as _, StreamExt as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio_tungstenite::tungstenite::Message;

use super::Door;
use crate::media::{self, Recorder, Service, hear_out, say};

const PATH: &str = "/v1/media/audiohook";
const ORGANISATION: &str = "d7934305-0972-4844-938e-9060eef73d05";
const SESSION: &str = "30b0e395-84d3-4570-ac13-9a62d8f514c0";
const NULL: &str = "00000000-0000-0000-0000-000000000000";

/// Genesys Cloud's side of a session, which checks every message as its client does.
struct Genesys {
    socket: media::Client,
    seq: u64,
    serverseq: u64,
}

impl Genesys {
    fn new(socket: media::Client) -> Self {
        Self { socket, seq: 0, serverseq: 0 }
    }

    async fn tell(&mut self, kind: &str, parameters: Value) {
        self.seq += 1;
        let message = json!({"version": "2", "id": SESSION, "type": kind, "seq": self.seq,
            "serverseq": self.serverseq, "position": "PT0S", "parameters": parameters});
        say(&mut self.socket, message).await;
    }

    async fn audio(&mut self, bytes: Vec<u8>) {
        self.socket.send(Message::binary(bytes)).await.expect("it is open");
    }

    /// Kind and parameters of the next message.
    async fn next(&mut self) -> (String, Value) {
        let patience = Duration::from_secs(10);
        let message = tokio::time::timeout(patience, self.socket.next()).await.expect("in time");
        let Some(Ok(Message::Text(text))) = message else { panic!("no message: {message:?}") };
        let mut message: Value = serde_json::from_str(&text).expect("JSON");
        self.serverseq += 1;
        assert_eq!(message["seq"], self.serverseq, "{message}");
        assert_eq!((&message["version"], &message["id"]), (&json!("2"), &json!(SESSION)));
        assert!(message["clientseq"].as_u64() <= Some(self.seq), "{message}");
        let parameters = message["parameters"].take();
        assert!(parameters.is_object(), "{message}");
        (message["type"].as_str().expect("a type").to_owned(), parameters)
    }

    async fn open(&mut self, conversation: &str, participant: &str) {
        let media = json!({"type": "audio", "format": "PCMU", "rate": 8000,
            "channels": ["external", "internal"]});
        self.tell(
            "open",
            json!({"organizationId": ORGANISATION, "conversationId": conversation,
                "participant": {"id": participant, "ani": "", "aniName": "", "dnis": ""},
                "media": [media], "language": "en-US"}),
        )
        .await;
    }

    /// Into the middle of a call.
    async fn begin(&mut self) {
        self.open("090eaa2f-72fa-480a-83e0-8667ff89c0ec", "883efee8-3d6c-4537-b500-6d7ca4b92fa0")
            .await;
        let (kind, opened) = self.next().await;
        assert_eq!(kind, "opened", "{opened}");
        assert_eq!(opened["media"][0]["channels"], json!(["external", "internal"]));
    }

    async fn leave(&mut self, reason: &str) {
        self.tell("close", json!({"reason": reason})).await;
        assert_eq!(self.next().await, ("closed".to_owned(), json!({})));
        assert_eq!(hear_out(&mut self.socket).await.0, 1000);
    }
}

fn turn(text: &str) -> News {
    News::Turn(Turn {
        id: "t-1-1".into(),
        party: Party { id: "p-1".into(), role: Role::Customer, name: None },
        start_ms: 0,
        end_ms: 400,
        text: Redacted::vouched(text),
        words: Vec::new(),
        mean_logprob: None,
        display_text: None,
        language: "en".into(),
    })
}

#[tokio::test]
async fn a_call_is_handed_over_whole_with_its_pause_and_its_hole() {
    let service = Service::start(Recorder::default()).await;
    let mut genesys = Genesys::new(service.connect("audiohook").await);
    genesys.begin().await;
    genesys.tell("ping", json!({})).await;
    assert_eq!(genesys.next().await.0, "pong");
    for _ in 0..5 {
        genesys.audio([1, 2].repeat(800)).await;
    }
    genesys.tell("paused", json!({})).await;
    genesys.tell("resumed", json!({"start": "PT0.5S", "discarded": "PT3S"})).await;
    genesys.audio([3, 4].repeat(80)).await;
    genesys.tell("discarded", json!({"start": "PT3.51S", "discarded": "PT0.25S"})).await;
    genesys.tell("update", json!({"language": "en-GB"})).await;
    assert_eq!(genesys.next().await.0, "updated");
    genesys.leave("end").await;
    let call = service.ended("c-1").await;
    assert_eq!(call.external_id.as_deref(), Some("090eaa2f-72fa-480a-83e0-8667ff89c0ec"));
    assert_eq!(
        (call.ended, call.roles),
        (Some(EndReason::Hangup), vec![Role::Customer, Role::Agent])
    );
    let expected = |first: u8, then: u8| [vec![first; 4_000], vec![then; 80]].concat();
    assert_eq!((&call.audio[&0], &call.audio[&1]), (&expected(1, 3), &expected(2, 4)));
    assert_eq!(
        call.controls,
        [
            Control::Pause,
            Control::Resume { paused_ms: Some(3_000) },
            Control::Lost { lost_ms: 250 }
        ]
    );
}

#[tokio::test]
async fn a_probe_opens_and_closes_without_a_call() {
    let service = Service::start(Recorder::default()).await;
    let mut genesys = Genesys::new(service.connect("audiohook").await);
    genesys.open(NULL, NULL).await;
    assert_eq!(genesys.next().await.0, "opened");
    genesys.leave("end").await;
    assert!(service.recorder.calls.lock().expect("whole").is_empty());
}

#[tokio::test]
async fn results_go_back_before_closed_when_they_are_wanted() {
    let recorder = Recorder {
        news: vec![turn("first")],
        last_news: vec![turn("last")],
        ..Recorder::default()
    };
    let mut sockets = Service::sockets(&recorder);
    sockets.audiohook.feedback.transcripts = true;
    let service = Service::with(recorder.clone(), sockets).await;
    let mut genesys = Genesys::new(service.connect("audiohook").await);
    genesys.begin().await;
    let said = |(kind, parameters): (String, Value)| {
        assert_eq!(kind, "event");
        let interpretation =
            &parameters["entities"][0]["data"]["alternatives"][0]["interpretations"][0];
        interpretation["transcript"].as_str().expect("text").to_owned()
    };
    assert_eq!(said(genesys.next().await), "first");
    genesys.tell("close", json!({"reason": "end"})).await;
    assert_eq!(said(genesys.next().await), "last");
    assert_eq!(genesys.next().await.0, "closed");

    let service = Service::start(recorder).await;
    let mut monitor = Genesys::new(service.connect("audiohook").await);
    monitor.begin().await;
    monitor.leave("end").await;
}

#[tokio::test]
async fn a_fault_is_told_in_the_protocols_way_and_other_calls_do_not_notice() {
    let service = Service::start(Recorder::default()).await;
    let mut good = Genesys::new(service.connect("audiohook").await);
    good.begin().await;
    let mut bad = Genesys::new(service.connect("audiohook").await);
    bad.begin().await;
    bad.audio(vec![1; 3]).await;
    let info = "a binary message must have a multiple of 2 bytes";
    let expected = ("disconnect".to_owned(), json!({"reason": "error", "info": info}));
    assert_eq!(bad.next().await, expected);
    bad.leave("disconnect").await;
    assert_eq!(service.ended("c-2").await.ended, Some(EndReason::ProtocolError));

    let mut loud = Genesys::new(service.connect("audiohook").await);
    loud.begin().await;
    loud.audio(vec![0; 1 << 20]).await;
    assert_eq!(loud.next().await.0, "disconnect");
    assert_eq!(hear_out(&mut loud.socket).await.0, 1009);
    good.audio(vec![7; 320]).await;
    good.leave("end").await;
    assert_eq!(service.ended("c-1").await.audio[&1], vec![7; 160]);
}

#[tokio::test]
async fn a_full_house_and_a_stop_are_told_with_disconnect() {
    let full = Service::start(Recorder { capacity: Some(0), ..Recorder::default() }).await;
    let mut genesys = Genesys::new(full.connect("audiohook").await);
    genesys.open("090eaa2f-72fa-480a-83e0-8667ff89c0ec", SESSION).await;
    let (kind, parameters) = genesys.next().await;
    assert_eq!((kind.as_str(), &parameters["reason"]), ("disconnect", &json!("error")));
    genesys.leave("disconnect").await;

    let service = Service::start(Recorder::default()).await;
    let mut genesys = Genesys::new(service.connect("audiohook").await);
    genesys.begin().await;
    service.sockets.shutdown.cancel();
    let (kind, parameters) = genesys.next().await;
    assert_eq!((kind.as_str(), &parameters["reason"]), ("disconnect", &json!("completed")));
    genesys.leave("disconnect").await;
    assert_eq!(service.ended("c-1").await.ended, Some(EndReason::Shutdown));
}

#[tokio::test]
async fn a_cut_connection_ends_its_call_as_disconnected() {
    let service = Service::start(Recorder::default()).await;
    let mut genesys = Genesys::new(service.connect("audiohook").await);
    genesys.begin().await;
    genesys.audio(vec![1; 320]).await;
    drop(genesys);
    assert_eq!(service.ended("c-1").await.ended, Some(EndReason::Disconnected));
}

/// The headers of a signed upgrade.
fn signed(secret: &[u8], nonce: &str, organisation: &str) -> Vec<(&'static str, String)> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let components = [
        ("@request-target", "/v1/media/audiohook"),
        ("@authority", "copilot.example.com"),
        ("audiohook-organization-id", organisation),
        ("audiohook-session-id", SESSION),
        ("audiohook-correlation-id", "e160e428-53e2-487c-977d-96989bf5c99d"),
        ("x-api-key", "key-1"),
    ];
    let names: Vec<String> = components.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let list = format!(
        "({});keyid=\"key-1\";nonce=\"{nonce}\";alg=\"hmac-sha256\";created={now};expires={}",
        names.join(" "),
        now + 30
    );
    let mut base: String =
        components.iter().map(|(name, value)| format!("\"{name}\": {value}\n")).collect();
    base.push_str(&format!("\"@signature-params\": {list}"));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("any length");
    mac.update(base.as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let mut headers: Vec<(&'static str, String)> =
        components[2..].iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    headers.push(("signature-input", format!("sig1={list}")));
    headers.push(("signature", format!("sig1=:{signature}:")));
    headers
}

async fn guarded() -> Door {
    let public = PublicUrl::parse("https://copilot.example.com").expect("an address");
    let mut auth = MediaAuth::new(Some(public));
    let key = |id: &str, secret: &[u8], tenant: &str| ApiKey {
        id: id.to_owned(),
        secret: secret.to_vec(),
        tenant: tenant.into(),
    };
    auth.set_audiohook(vec![key("key-1", b"hush", "signed"), key("key-2", b"", "unsigned")]);
    Door::open(auth).await
}

async fn knock(door: &Door, headers: &[(&'static str, String)]) -> Result<media::Client, u16> {
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    door.knock(PATH, &headers).await
}

#[tokio::test]
async fn a_signed_session_is_its_keys_and_comes_once() {
    let door = guarded().await;
    let headers = signed(b"hush", "VGhpc0lzQVVuaXF1ZU5vbmNl", ORGANISATION);
    let mut genesys = Genesys::new(knock(&door, &headers).await.expect("let in"));
    assert_eq!(knock(&door, &headers).await.err(), Some(401), "a replayed request");
    genesys.begin().await;
    genesys.leave("end").await;
    assert_eq!(door.calls.ended("c-1").await.tenant, "signed");

    let forged = signed(b"guess", "VGhpc0lzQVVuaXF1ZU5vbmN1", ORGANISATION);
    assert_eq!(knock(&door, &forged).await.err(), Some(401));
    let unsigned = [("x-api-key", "key-2".to_owned())];
    assert!(knock(&door, &unsigned).await.is_ok(), "this key has no secret");
    let unsigned = [("x-api-key", "key-1".to_owned())];
    assert_eq!(knock(&door, &unsigned).await.err(), Some(401));
}

#[tokio::test]
async fn an_organisation_that_did_not_sign_is_sent_away() {
    let door = guarded().await;
    let headers = signed(b"hush", "VGhpc0lzQVVuaXF1ZU5vbmNm", NULL);
    let mut genesys = Genesys::new(knock(&door, &headers).await.expect("let in"));
    genesys.open("090eaa2f-72fa-480a-83e0-8667ff89c0ec", SESSION).await;
    let expected = ("disconnect".to_owned(), json!({"reason": "unauthorized"}));
    assert_eq!(genesys.next().await, expected);
    genesys.leave("disconnect").await;
}

#[tokio::test]
async fn silence_is_met_with_patience_and_then_not() {
    let patience = Duration::from_millis(300);
    let service = Service::patient(Recorder::default(), patience).await;
    let mut genesys = Genesys::new(service.connect("audiohook").await);
    genesys.begin().await;
    assert_eq!(genesys.next().await.0, "disconnect");
    assert_eq!(hear_out(&mut genesys.socket).await.0, 1008);
    assert_eq!(service.ended("c-1").await.ended, Some(EndReason::Timeout));
}
