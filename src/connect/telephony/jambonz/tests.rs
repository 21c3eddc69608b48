use std::time::Duration;

use serde_json::{Value, json};

use super::Protocol;
use crate::connect::telephony::tests::{Seen, check_order, rejected, seen};
use crate::connect::telephony::{MediaProtocol, Output};
use crate::domain::{Direction, EndReason, Role};
use crate::flow::audio::Codec;

fn protocol() -> Protocol {
    Protocol::new(Duration::from_secs(30), &[("site".to_owned(), "north".to_owned())])
}

fn attributes() -> Value {
    json!({"callSid": "cs-1", "accountSid": "as-1", "direction": "outbound", "from": "+15551230001",
        "to": "+15559990000", "callerName": "", "callId": "sip-1", "sipStatus": 200,
        "callStatus": "in-progress", "sampleRate": 16000, "mixType": "stereo",
        "metadata": {"queue": "billing"}})
}

fn with(field: &str, value: Value) -> Seen {
    let mut attributes = attributes();
    attributes[field] = value;
    Seen::Text(attributes.to_string())
}

fn begun() -> Seen {
    Seen::Text(attributes().to_string())
}

#[test]
fn a_stereo_call_with_keys() {
    let mut protocol = protocol();
    let dtmf = json!({"event": "dtmf", "dtmf": "7", "duration": 1600}).to_string();
    let outputs = seen(
        &mut protocol,
        [
            begun(),
            Seen::Binary((0..8).collect()),
            Seen::Text(dtmf),
            Seen::Text(json!({"event": "playDone"}).to_string()),
            Seen::Binary(vec![9, 9]),
            Seen::Binary(vec![8, 8]),
        ],
    );
    let [Output::Start(opening), audio @ ..] = &outputs[..] else { panic!("{outputs:?}") };
    assert_eq!(opening.external_id.as_deref(), Some("cs-1"));
    assert_eq!(opening.direction, Direction::Outbound);
    assert_eq!((opening.legs[0].role, opening.legs[1].role), (Role::Customer, Role::Agent));
    assert_eq!((opening.legs[0].codec, opening.legs[0].sample_rate_hz), (Codec::PcmS16Le, 16_000));
    for (name, value) in
        [("from", "+15551230001"), ("queue", "billing"), ("site", "north"), ("sipStatus", "200")]
    {
        assert_eq!(opening.attributes[name], value);
    }
    let of = |leg: usize| -> Vec<u8> {
        let audio = audio.iter().filter_map(|output| match output {
            Output::Audio { leg: of, payload, .. } if *of == leg => Some(payload.to_vec()),
            _ => None,
        });
        audio.flatten().collect()
    };
    assert_eq!((of(0), of(1)), (vec![0, 1, 4, 5, 9, 9], vec![2, 3, 6, 7, 8, 8]));
    assert!(audio.iter().all(|output| matches!(output, Output::Audio { .. })), "{outputs:?}");
    protocol.handle_goodbye();
    assert_eq!(protocol.poll_output(), Some(Output::Stop(EndReason::Hangup)));
}

#[test]
fn each_way_of_mixing_has_its_parties() {
    let roles = |mix: Value, metadata: Value| -> Vec<Role> {
        let mut start = attributes();
        start["mixType"] = mix;
        start["metadata"] = metadata;
        match &seen(&mut protocol(), [Seen::Text(start.to_string())])[..] {
            [Output::Start(opening)] => opening.legs.iter().map(|leg| leg.role).collect(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(roles(Value::Null, Value::Null), [Role::Customer]);
    assert_eq!(roles(json!("mono"), json!({"party": "agent"})), [Role::Agent]);
    assert_eq!(roles(json!("mixed"), Value::Null), [Role::Mixed]);
    assert_eq!(
        roles(json!("stereo"), json!({"parties": "agent,customer"})),
        [Role::Agent, Role::Customer]
    );
}

#[test]
fn each_fault_gets_one_clear_error() {
    let check = |steps: Vec<Seen>, code: u16, reason: &str| {
        let outputs = seen(&mut protocol(), steps);
        assert_eq!(rejected(&outputs), Some((code, reason)), "{outputs:?}");
    };
    let text = |text: &str| Seen::Text(text.to_owned());
    let rates = "sampleRate must be from 8000 to 48000";
    check(vec![Seen::Binary(vec![0; 4])], 1008, "audio came before the call's attributes");
    check(vec![text("{")], 1007, "the text message is not JSON (line 1, column 1)");
    check(vec![text("[]")], 1007, "the first message must be the call's attributes");
    check(vec![text("7")], 1007, "the first message must be the call's attributes");
    check(
        vec![with("sampleRate", json!("fast"))],
        1007,
        "the first message must be the call's attributes",
    );
    check(vec![with("sampleRate", json!(64000))], 1003, rates);
    check(vec![with("sampleRate", Value::Null)], 1003, rates);
    check(vec![with("mixType", json!("5.1"))], 1003, "mixType must be mono, mixed or stereo");
    check(
        vec![with("metadata", json!({"party": "cat"}))],
        1008,
        "each of parties must be customer, agent, supervisor, bot, expert or mixed",
    );
    check(
        vec![with("metadata", json!({"party": "agent"}))],
        1008,
        "2 channels need as many parties, not 1",
    );
    check(vec![begun(), text("x")], 1007, "the text message is not JSON (line 1, column 1)");
}

proptest::proptest! {
    #[test]
    fn nothing_breaks_the_order(
        picks in proptest::collection::vec((0u8..8, ".{0,40}"), 0..40),
    ) {
        let steps = picks.into_iter().map(|(pick, said)| match pick {
            0 => begun(),
            1 => with("mixType", json!("mixed")),
            2 => Seen::Text(json!({"event": said}).to_string()),
            3 => Seen::Text(said),
            4 => Seen::Closed,
            5 => Seen::Time(Duration::from_secs(said.len() as u64)),
            _ => Seen::Binary(said.into_bytes()),
        });
        check_order(&mut protocol(), steps);
    }
}
