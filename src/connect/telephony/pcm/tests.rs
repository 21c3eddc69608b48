use std::time::Duration;

use serde_json::{Value, json};

use super::Protocol;
use crate::connect::telephony::tests::{Seen, check_order, rejected, seen};
use crate::connect::telephony::{MediaProtocol, Output};
use crate::domain::{ConversationId, EndReason, Role};
use crate::flow::audio::Codec;
use crate::flow::driver::Control;

fn protocol() -> Protocol {
    Protocol::new(Duration::from_secs(30))
}

fn start() -> Value {
    json!({"type": "start", "encoding": "pcm_s16le", "sample_rate_hz": 16000, "channels": 2,
        "parties": ["customer", "agent"], "external_id": "x-1", "attributes": {"queue": "billing", "n": 3}})
}

fn with(field: &str, value: Value) -> Seen {
    let mut start = start();
    start[field] = value;
    Seen::Text(start.to_string())
}

fn audio(outputs: &[Output], leg: usize) -> Vec<u8> {
    outputs
        .iter()
        .filter_map(|output| match output {
            Output::Audio { leg: of, payload, .. } if *of == leg => Some(payload.to_vec()),
            _ => None,
        })
        .flatten()
        .collect()
}

#[test]
fn a_call_from_start_to_stopped() {
    let mut protocol = protocol();
    let steps = [Seen::Text(start().to_string()), Seen::Binary((0..8).collect())];
    let outputs = seen(&mut protocol, steps);
    let [Output::Start(opening), ..] = &outputs[..] else { panic!("{outputs:?}") };
    assert_eq!(opening.external_id.as_deref(), Some("x-1"));
    assert_eq!(opening.attributes["n"], "3");
    assert_eq!(opening.legs[1].role, Role::Agent);
    assert_eq!((opening.legs[0].codec, opening.legs[0].sample_rate_hz), (Codec::PcmS16Le, 16_000));
    assert_eq!(audio(&outputs, 0), [0, 1, 4, 5]);
    assert_eq!(audio(&outputs, 1), [2, 3, 6, 7]);

    protocol.handle_opened(&ConversationId::from("c-1"));
    let started = r#"{"conversation_id":"c-1","type":"started"}"#;
    assert_eq!(protocol.poll_output(), Some(Output::Send(started.to_owned())));
    let outputs = seen(&mut protocol, [Seen::Text(r#"{"type":"stop"}"#.to_owned())]);
    assert_eq!(outputs, [Output::Stop(EndReason::Hangup)]);
    protocol.handle_finished(7);
    let stopped = r#"{"conversation_id":"c-1","turns":7,"type":"stopped"}"#;
    assert_eq!(protocol.poll_output(), Some(Output::Send(stopped.to_owned())));
}

#[test]
fn each_fault_gets_one_clear_error() {
    let check = |steps: Vec<Seen>, code: u16, reason: &str| {
        let outputs = seen(&mut protocol(), steps);
        assert_eq!(rejected(&outputs), Some((code, reason)), "{outputs:?}");
    };
    let begun = || Seen::Text(start().to_string());
    let text = |text: &str| Seen::Text(text.to_owned());
    check(vec![Seen::Binary(vec![1])], 1008, "audio came before the start message");
    check(
        vec![text("{}")],
        1007,
        "the text message is not a message of this protocol (line 1, column 2)",
    );
    check(vec![text("{")], 1007, "the text message is not JSON (line 1, column 1)");
    check(vec![text(r#"{"type":"stopp"}"#)], 1008, "the first message must be start");
    check(vec![begun(), begun()], 1008, "a second start came");
    check(vec![with("encoding", json!("opus"))], 1003, "encoding must be pcm_s16le or mulaw");
    check(vec![with("sample_rate_hz", json!(44100))], 1003, "sample_rate_hz must be 8000 or 16000");
    check(vec![with("channels", json!(3))], 1003, "channels must be 1 or 2");
    check(vec![with("channels", json!(1))], 1008, "1 channels need as many parties, not 2");
    check(
        vec![with("parties", json!(["customer", "cat"]))],
        1008,
        "each of parties must be customer, agent, supervisor, bot, expert or mixed",
    );
    check(
        vec![with("parties", json!(["customer", "customer"]))],
        1008,
        "each of parties must be another one",
    );
}

#[test]
fn a_transfer_says_who_is_heard_from_now_on() {
    let said = |message: &str| {
        let steps = [Seen::Text(start().to_string()), Seen::Text(message.to_owned())];
        seen(&mut protocol(), steps)
    };
    let of = |leg, role, name: Option<&str>| {
        Output::Control(Control::Transfer { leg, role, name: name.map(str::to_owned) })
    };
    let plain = said(r#"{"type":"transfer"}"#);
    assert_eq!(plain.last(), Some(&of(1, Role::Agent, None)), "the last channel is the agent's");
    let named = r#"{"type":"transfer","channel":0,"role":"expert","name":"Bea"}"#;
    assert_eq!(said(named).last(), Some(&of(0, Role::Expert, Some("Bea"))));
    for (message, reason) in [
        (r#"{"type":"transfer","channel":2}"#, "channel of a transfer must be below 2"),
        (
            r#"{"type":"transfer","role":"cat"}"#,
            "role of a transfer must be customer, agent, supervisor, bot, expert or mixed",
        ),
    ] {
        assert_eq!(rejected(&said(message)), Some((1008, reason)));
    }
}

#[test]
fn attributes_have_limits() {
    let begin = |attributes| seen(&mut protocol(), [with("attributes", attributes)]);
    let of = |name: &str, value: &str| json!({"fine": 1, name: value});
    let many = |count: usize| -> Value {
        (0..count).map(|number| (format!("a{number}"), json!("x"))).collect()
    };
    let (longest, too_long) = ("ü".repeat(256), "ü".repeat(257));
    for fine in [many(32), of(&longest, &longest)] {
        assert!(matches!(begin(fine)[..], [Output::Start(_)]));
    }
    let check = |attributes, reason: &str| {
        let outputs = begin(attributes);
        assert_eq!(rejected(&outputs), Some((1008, reason)), "{outputs:?}");
        assert!(reason.len() <= 123, "it fits into a close frame");
    };
    check(many(33), "33 attributes came: 32 are the most");
    check(of("queue", &too_long), "the value of attribute `queue` is longer than 256 characters");
    let shown = "ü".repeat(32);
    check(
        of(&too_long, "x"),
        &format!("the name of attribute `{shown}` is longer than 256 characters"),
    );
    // What isn't text counts as it will be stored.
    let list: Vec<u32> = (0..100).collect();
    check(json!({"list": list}), "the value of attribute `list` is longer than 256 characters");
}

#[test]
fn an_unknown_message_within_a_call_is_ignored() {
    let steps = [Seen::Text(start().to_string()), Seen::Text(r#"{"type":"mood"}"#.to_owned())];
    assert_eq!(seen(&mut protocol(), steps).len(), 1);
}

proptest::proptest! {
    #[test]
    fn frames_may_be_cut_anywhere(cuts in proptest::collection::vec(0usize..9, 1..40)) {
        let mut steps = vec![Seen::Text(start().to_string())];
        let mut next = 0u8;
        for cut in cuts {
            steps.push(Seen::Binary((0..cut).map(|_| { next = next.wrapping_add(1); next }).collect()));
        }
        let outputs = seen(&mut protocol(), steps);
        let (left, right) = (audio(&outputs, 0), audio(&outputs, 1));
        proptest::prop_assert_eq!(left.len(), right.len());
        for (index, pair) in left.as_chunks::<2>().0.iter().enumerate() {
            let first = (index * 4 + 1) as u8;
            proptest::prop_assert_eq!(pair, &[first, first.wrapping_add(1)]);
        }
    }

    #[test]
    fn nothing_breaks_the_order(
        picks in proptest::collection::vec((0u8..9, proptest::collection::vec(proptest::num::u8::ANY, 0..40)), 0..40),
    ) {
        let steps = picks.into_iter().map(|(pick, bytes)| match pick {
            0 => Seen::Text(start().to_string()),
            1 => Seen::Text(r#"{"type":"stop"}"#.to_owned()),
            2 => Seen::Text(String::from_utf8_lossy(&bytes).into_owned()),
            3 => Seen::Closed,
            8 => Seen::Text(format!(r#"{{"type":"transfer","channel":{}}}"#, bytes.len() % 3)),
            4 => Seen::Time(Duration::from_secs(bytes.len() as u64 * 5)),
            _ => Seen::Binary(bytes),
        });
        check_order(&mut protocol(), steps);
    }
}

#[test]
fn a_call_can_be_paused() {
    let mut protocol = protocol();
    let said = |text: &str| Seen::Text(text.to_owned());
    let outputs = seen(
        &mut protocol,
        [
            Seen::Text(start().to_string()),
            said(r#"{"type":"pause"}"#),
            Seen::Binary(vec![0; 4]),
            said(r#"{"type":"resume","paused_ms":4000}"#),
            said(r#"{"type":"resume"}"#),
        ],
    );
    let controls: Vec<&Control> = outputs
        .iter()
        .filter_map(|output| match output {
            Output::Control(control) => Some(control),
            _ => None,
        })
        .collect();
    let resumed = |paused_ms| Control::Resume { paused_ms };
    assert_eq!(controls, [&Control::Pause, &resumed(Some(4_000)), &resumed(None)]);
}
