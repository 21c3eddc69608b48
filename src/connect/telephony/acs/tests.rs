use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{Customer, Note, Protocol};
use crate::connect::telephony::tests::{Seen, check_order, rejected, seen};
use crate::connect::telephony::{MediaProtocol as _, Opening, Output};
use crate::domain::{Direction, EndReason, Role};
use crate::flow::audio::Codec;
use crate::flow::driver::{Control, LEGS_MAX};

const CALLER: &str = "4:+15551230001";
const AGENT: &str = "8:acs:83b0f7a2-agent";

fn protocol() -> Protocol {
    Protocol::new(Duration::from_secs(30), Note::default())
}

fn metadata(rate: u32) -> String {
    json!({"kind": "AudioMetadata", "audioMetadata": {"subscriptionId": "89e8cb59",
        "encoding": "PCM", "sampleRate": rate, "channels": 1, "length": 640}})
    .to_string()
}

/// 20 ms of audio whose every byte is `mark`, stamped so long after a full second.
fn audio(who: Option<&str>, at_ms: u64, mark: u8) -> String {
    let mut data = json!({"timestamp": format!("2024-11-15T19:16:12.{at_ms:03}Z"),
        "data": STANDARD.encode([mark; 640]), "silent": false});
    if let Some(who) = who {
        data["participantRawID"] = who.into();
    }
    json!({"kind": "AudioData", "audioData": data}).to_string()
}

fn feed(mut protocol: Protocol, messages: &[String]) -> Vec<Output> {
    seen(&mut protocol, messages.iter().map(|text| Seen::Text(text.clone())))
}

fn opening(outputs: &[Output]) -> &Opening {
    match outputs {
        [Output::Start(opening), ..] => opening,
        _ => panic!("no call was started: {outputs:?}"),
    }
}

/// Leg, stamp and mark of each audio output.
fn heard(outputs: &[Output]) -> Vec<(usize, Option<u64>, u8)> {
    outputs
        .iter()
        .filter_map(|output| match output {
            Output::Audio { leg, at_ms, payload } => Some((*leg, *at_ms, payload[0])),
            _ => None,
        })
        .collect()
}

/// The roles, in the order in which their parties came.
fn roles(outputs: &[Output]) -> Vec<Role> {
    let mut roles = Vec::new();
    for output in outputs {
        match output {
            Output::Start(opening) => roles.extend(opening.legs.iter().map(|leg| leg.role)),
            Output::Control(Control::Join(leg)) => roles.push(leg.role),
            _ => {}
        }
    }
    roles
}

#[test]
fn participants_join_as_they_are_heard() {
    let mut protocol = protocol();
    let messages = [
        metadata(16_000),
        audio(Some(AGENT), 100, 1),
        audio(Some(CALLER), 90, 2),
        audio(Some(AGENT), 120, 3),
        json!({"kind": "DtmfData", "dtmfData": {"data": "3"}}).to_string(),
        json!({"kind": "TranscriptionMetadata", "transcriptionMetadata": {"locale": "en-us"}})
            .to_string(),
        json!({"kind": "TranscriptionData", "transcriptionData": {"text": "hello"}}).to_string(),
        json!({"kind": "SomethingNew", "audioData": null}).to_string(),
        audio(Some(CALLER), 120, 4),
    ];
    let outputs = seen(&mut protocol, messages.map(Seen::Text));
    let opening = opening(&outputs);
    assert_eq!(opening.external_id.as_deref(), Some("89e8cb59"));
    assert_eq!(opening.attributes["subscription_id"], "89e8cb59");
    assert_eq!(opening.direction, Direction::Inbound);
    assert_eq!((opening.legs[0].codec, opening.legs[0].sample_rate_hz), (Codec::PcmS16Le, 16_000));
    assert_eq!(roles(&outputs), [Role::Agent, Role::Customer]);
    assert_eq!(
        heard(&outputs),
        [(0, Some(0), 1), (1, Some(0), 2), (0, Some(20), 3), (1, Some(20), 4)]
    );
    protocol.handle_goodbye();
    assert_eq!(protocol.poll_output(), Some(Output::Stop(EndReason::Hangup)));
}

#[test]
fn mixed_audio_is_one_party() {
    let empty = json!({"kind": "audioData", "audioData": {"participantRawID": "",
        "data": STANDARD.encode([7; 960])}});
    let outputs = feed(
        protocol(),
        &[metadata(24_000), audio(None, 0, 6), empty.to_string(), audio(None, 40, 8)],
    );
    assert_eq!(roles(&outputs), [Role::Mixed]);
    assert_eq!(opening(&outputs).legs[0].sample_rate_hz, 24_000);
    assert_eq!(heard(&outputs), [(0, Some(0), 6), (0, None, 7), (0, Some(40), 8)]);
}

#[test]
fn silence_passes_with_and_without_data() {
    let silent = |data: &str| {
        json!({"kind": "AudioData", "audioData": {"participantRawID": CALLER, "data": data,
            "timestamp": "2024-11-15T19:16:12.000Z", "silent": true}})
        .to_string()
    };
    let with_data = silent(&STANDARD.encode([5; 640]));
    let outputs = feed(protocol(), &[metadata(16_000), with_data, silent("")]);
    let lengths: Vec<_> = outputs
        .iter()
        .filter_map(|output| match output {
            Output::Audio { payload, .. } => Some((payload[0], payload.len())),
            _ => None,
        })
        .collect();
    assert_eq!(lengths, [(5, 640), (0, 640)]);
}

#[test]
fn kinds_are_compared_without_case() {
    let lower = |text: String| text.replace("AudioM", "audioM").replace("AudioD", "audioD");
    let outputs = feed(protocol(), &[lower(metadata(16_000)), lower(audio(None, 0, 1))]);
    assert_eq!(heard(&outputs).len(), 1);
}

#[test]
fn who_is_the_customer() {
    let check = |customer: &str, who: Option<&str>, role: Role| {
        let note = Note { customer: Customer::named(customer), ..Note::default() };
        let protocol = Protocol::new(Duration::from_secs(30), note);
        let outputs = feed(protocol, &[metadata(16_000), audio(who, 0, 1)]);
        assert_eq!(roles(&outputs), [role], "{customer} {who:?}");
        let said = opening(&outputs).attributes.get("customer").map(String::as_str);
        assert_eq!(said, (!customer.is_empty()).then_some(customer));
    };
    check("", Some(CALLER), Role::Customer);
    check("", Some(AGENT), Role::Agent);
    check("", Some("8:orgid:a1"), Role::Agent);
    check("", Some("28:bot"), Role::Bot);
    check("", Some("x"), Role::Mixed);
    check("", None, Role::Mixed);
    // The customer calls from an app, the agent by telephone.
    check("8:acs:caller", Some("8:ACS:caller"), Role::Customer);
    check("8:acs:caller", Some(CALLER), Role::Agent);
    check("8:acs:caller", Some(AGENT), Role::Agent);
    check("8:acs:caller", Some("28:bot"), Role::Bot);
    check(CALLER, Some(CALLER), Role::Customer);
    check(CALLER, Some("4:+15550000000"), Role::Agent);
    check(CALLER, None, Role::Mixed);
}

#[test]
fn nobody_is_heard_beyond_the_limit() {
    let mut messages = vec![metadata(16_000)];
    messages.extend((0..12).map(|number| audio(Some(&format!("8:acs:{number}")), 0, number)));
    let outputs = feed(protocol(), &messages);
    assert_eq!(roles(&outputs).len(), LEGS_MAX);
    assert_eq!(heard(&outputs).len(), LEGS_MAX);
    assert_eq!(rejected(&outputs), None);
}

#[test]
fn streaming_may_be_stopped_and_started_again() {
    let messages = [metadata(16_000), audio(None, 0, 1), metadata(16_000), audio(None, 20, 2)];
    assert_eq!(heard(&feed(protocol(), &messages)).len(), 2);
}

#[test]
fn each_fault_gets_one_clear_error() {
    let check = |messages: &[String], code: u16, reason: &str| {
        let outputs = feed(protocol(), messages);
        assert_eq!(rejected(&outputs), Some((code, reason)), "{outputs:?}");
    };
    let begun = metadata(16_000);
    check(&[audio(None, 0, 1)], 1008, "audio came before its metadata");
    check(&["{not json".into()], 1007, "message 1 is not JSON (line 1, column 2)");
    check(&["{}".into()], 1007, "message 1 is not a streaming message (line 1, column 2)");
    check(&[r#"{"kind":"AudioMetadata"}"#.into()], 1007, "message 1 lacks \"audioMetadata\"");
    let lacking = r#"{"kind":"AudioData"}"#.to_owned();
    check(&[begun.clone(), lacking], 1007, "message 2 lacks \"audioData\"");
    let noise = r#"{"kind":"AudioData","audioData":{"data":"?!"}}"#.to_owned();
    check(&[begun.clone(), noise], 1007, "message 2 has data that is not base64");
    let unsupported = "audioMetadata is not supported: stream Pcm16KMono or Pcm24KMono";
    for (from, to) in
        [("\"PCM\"", "\"OPUS\""), ("16000", "8000"), ("\"channels\":1", "\"channels\":2")]
    {
        assert!(begun.contains(from));
        check(&[begun.replace(from, to)], 1003, unsupported);
    }
    check(&[begun, metadata(24_000)], 1008, "a second AudioMetadata with another sampleRate came");
    let outputs = seen(&mut protocol(), [Seen::Binary(vec![1])]);
    assert_eq!(rejected(&outputs), Some((1003, "binary message: audio streaming is JSON text")));
}

#[test]
fn a_malformed_message_is_never_quoted() {
    let outputs = feed(protocol(), &[r#"{"kind":{"text":"Jane Doe 4111"}}"#.into()]);
    let (_, reason) = rejected(&outputs).expect("it is refused");
    assert!(!reason.contains("Jane"), "{reason}");
}

#[test]
fn a_lost_connection_is_no_hang_up() {
    let mut protocol = protocol();
    let messages = [metadata(16_000), audio(None, 0, 1)];
    let steps = messages.map(Seen::Text).into_iter().chain([Seen::Closed]);
    let outputs = seen(&mut protocol, steps);
    assert_eq!(outputs.last(), Some(&Output::Stop(EndReason::Disconnected)));
}

proptest::proptest! {
    #[test]
    fn no_text_breaks_the_order(texts in proptest::collection::vec(".{0,80}", 0..20)) {
        check_order(&mut protocol(), texts.into_iter().map(Seen::Text));
    }

    #[test]
    fn no_sequence_of_messages_breaks_the_order(
        picks in proptest::collection::vec((0u8..12, 0u64..1_000), 0..60),
    ) {
        let steps = picks.into_iter().map(|(pick, at)| match pick {
            0 | 1 => Seen::Text(metadata(16_000)),
            2 => Seen::Binary(vec![0; 3]),
            3 => Seen::Closed,
            4 => Seen::Time(Duration::from_secs(at % 60)),
            5 => Seen::Text(audio(None, at, 1)),
            _ => Seen::Text(audio(Some(&format!("8:acs:{}", at % 20)), at, pick)),
        });
        check_order(&mut protocol(), steps);
    }
}
