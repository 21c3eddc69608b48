//! Audio streaming with the official SDK: it reads what our tests and the player send in the place of
//! ACS, and what it sends itself does no harm.

use std::path::Path;

use backchannel::cli::replay::{Script, WireProtocol};
use backchannel::connect::telephony::acs::Customer;
use backchannel::domain::{EndReason, Role};
use backchannel::flow::audio::{AudioFile, sample_to_i16};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::super::sdk;
use super::{AGENT, CALLER, audio, dtmf, hang_up, metadata};
use crate::media::{Recorder, Service, say};

const SCRIPT: &str = "acs/streaming.mjs";

/// What the SDK reads in each frame.
fn read(frames: &[String]) -> Vec<Value> {
    let answer = sdk(SCRIPT, &json!({"frames": frames, "raw_ids": [], "audio": ""}));
    answer["frames"].as_array().expect("a list").clone()
}

fn transcripts() -> [Value; 2] {
    [
        json!({"kind": "TranscriptionMetadata", "transcriptionMetadata": {"subscriptionId": "sub-1",
            "locale": "en-us", "callConnectionId": "conn-1", "correlationId": "corr-1",
            "speechRecognitionModelEndpointId": ""}}),
        json!({"kind": "TranscriptionData", "transcriptionData": {"text": "hello", "format": "display",
            "confidence": 0.9, "offset": 10_000_000, "duration": 5_000_000, "resultStatus": "Final",
            "words": [{"text": "hello", "offset": 10_000_000, "duration": 5_000_000}],
            "participantRawID": CALLER}}),
    ]
}

#[test]
fn the_sdk_reads_what_the_tests_send() {
    let [about, said] = transcripts();
    let frames = [metadata(), audio(Some(CALLER), 20, 1), audio(None, 40, 2), dtmf(), about, said];
    let read = read(&frames.map(|frame| frame.to_string()));
    let kinds: Vec<_> = read.iter().map(|frame| frame["kind"].as_str().unwrap_or("none")).collect();
    let audio_data = "AudioData";
    let expected = ["AudioMetadata", audio_data, audio_data, "DtmfData", "TranscriptionMetadata"];
    assert_eq!(kinds[..5], expected, "{read:?}");
    assert_eq!(
        read[0]["value"],
        json!({"subscriptionId": "sub-1", "encoding": "PCM", "sampleRate": 16000, "channels": 1})
    );
    let number = json!({"kind": "phoneNumber", "phoneNumber": "+15551230001"});
    assert_eq!(read[1]["value"]["participant"]["phoneNumber"], number["phoneNumber"]);
    assert_eq!(read[1]["value"]["data"], STANDARD.encode([1; 640]));
    assert_eq!(read[1]["value"]["timestamp"], "2024-11-15T19:16:12.020Z");
    assert_eq!(
        (&read[2]["value"]["isSilent"], &read[2]["value"]["participant"]),
        (&json!(false), &Value::Null)
    );
    assert_eq!(read[3]["value"], json!({"data": "3"}));
    assert_eq!(
        (&read[5]["value"]["text"], &read[5]["value"]["resultState"]),
        (&json!("hello"), &json!("Final"))
    );
}

#[test]
fn the_sdk_reads_what_the_player_sends() {
    let call = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calls/moving-home.wav");
    let mut file = AudioFile::open(&call).expect("a recording");
    let second = file.sample_rate_hz as usize;
    for channel in &mut file.channels {
        channel.truncate(second);
    }
    file.g711 = None;
    let roles = [Role::Agent, Role::Customer];
    let script =
        Script::new(&file, &roles, WireProtocol::Acs, "sub-9".to_owned()).expect("it fits");
    let messages =
        script.opening().into_iter().chain((0..script.frames()).flat_map(|at| script.frame(at)));
    let frames: Vec<String> = messages.map(|it| it.to_text().expect("text").to_owned()).collect();
    let read = read(&frames);
    let about =
        json!({"subscriptionId": "sub-9", "encoding": "PCM", "sampleRate": 16000, "channels": 1});
    assert_eq!(read[0], json!({"kind": "AudioMetadata", "value": about}));
    let mut heard = [Vec::new(), Vec::new()];
    for (number, frame) in read[1..].iter().enumerate() {
        let (value, at_ms) = (&frame["value"], number as i64 / 2 * 20);
        assert_eq!((&frame["kind"], &value["isSilent"]), (&json!("AudioData"), &json!(false)));
        let stamp: jiff::Timestamp =
            value["timestamp"].as_str().expect("text").parse().expect("a time");
        assert_eq!(stamp.as_millisecond(), at_ms);
        let leg = match value["participant"]["kind"].as_str() {
            Some("communicationUser") => 0,
            Some("phoneNumber") => 1,
            other => panic!("{other:?}: {frame}"),
        };
        heard[leg].extend(STANDARD.decode(value["data"].as_str().expect("text")).expect("base64"));
    }
    for (channel, bytes) in heard.iter().enumerate() {
        let samples = file.channel_at(channel, 16_000).expect("it resamples");
        let expected: Vec<u8> =
            samples.iter().flat_map(|sample| sample_to_i16(*sample).to_le_bytes()).collect();
        assert!(expected.len() > 30_000 && *bytes == expected, "channel {channel}");
    }
}

#[test]
fn participants_are_who_the_sdk_takes_them_for() {
    let raw_ids = [
        "4:+15551230001",
        "4:anonymous",
        "8:acs:a_b",
        "8:acs:r_t_u",
        "8:dod-acs:a_b",
        "8:gcch-acs:a_b",
        "8:spool:a",
        "8:orgid:a",
        "8:dod:a",
        "8:gcch:a",
        "28:orgid:a",
        "28:dod:a",
        "28:gcch:a",
        "9:a:b",
        "x",
    ];
    let answer = sdk(SCRIPT, &json!({"frames": [], "raw_ids": raw_ids, "audio": ""}));
    for (raw_id, kind) in raw_ids.iter().zip(answer["participants"].as_array().expect("a list")) {
        let (unnamed, beside_the_customer) = match kind.as_str().expect("text") {
            "phoneNumber" => (Role::Customer, Role::Agent),
            "communicationUser" | "microsoftTeamsUser" | "teamsExtensionUser" => {
                (Role::Agent, Role::Agent)
            }
            "microsoftTeamsApp" => (Role::Bot, Role::Bot),
            "unknown" => (Role::Mixed, Role::Mixed),
            other => panic!("{raw_id} is a {other}"),
        };
        assert_eq!(Customer::default().role_of(Some(raw_id)), unnamed, "{raw_id}");
        let customer = Customer::named("4:+15559990000");
        assert_eq!(customer.role_of(Some(raw_id)), beside_the_customer, "{raw_id}");
    }
}

#[tokio::test]
async fn what_the_sdk_sends_to_acs_does_no_harm() {
    let payload = STANDARD.encode([7; 640]);
    let answer = sdk(SCRIPT, &json!({"frames": [], "raw_ids": [], "audio": payload}));
    let outbound: Vec<&str> =
        answer["outbound"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    let service = Service::start(Recorder::default()).await;
    let mut client = service.connect("acs").await;
    say(&mut client, metadata()).await;
    say(&mut client, audio(Some(AGENT), 0, 1)).await;
    for message in outbound
        .iter()
        .copied()
        .chain(transcripts().map(|it| it.to_string()).iter().map(String::as_str))
    {
        say(&mut client, message).await;
    }
    say(&mut client, audio(Some(AGENT), 20, 2)).await;
    hang_up(&mut client).await;
    let call = service.ended("c-1").await;
    assert_eq!((outbound.len(), call.ended), (2, Some(EndReason::Hangup)));
    assert_eq!(call.audio[&0], [vec![1; 640], vec![2; 640]].concat());
    // Written as the SDK does, audio is audio; only ACS itself never sends it so.
    assert_eq!((call.roles, &call.audio[&1]), (vec![Role::Agent, Role::Mixed], &vec![7; 640]));
}
