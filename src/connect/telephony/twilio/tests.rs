use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::Protocol;
use crate::connect::telephony::tests::{Seen, check_order, rejected, seen};
use crate::connect::telephony::{MediaProtocol, Opening, Output};
use crate::domain::{EndReason, Role};

const NOW: Duration = Duration::ZERO;

fn protocol() -> Protocol {
    Protocol::new(Duration::from_secs(30))
}

fn start(tracks: &[&str]) -> String {
    json!({"event": "start", "sequenceNumber": "1", "streamSid": "MZ1", "start": {
        "accountSid": "AC1", "streamSid": "MZ1", "callSid": "CA1", "tracks": tracks,
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {"agent": "a1"}}})
    .to_string()
}

/// 20 ms of audio whose every byte is `mark`.
fn media(track: &str, at_ms: u64, mark: u8) -> String {
    json!({"event": "media", "sequenceNumber": "3", "streamSid": "MZ1", "media": {
        "track": track, "chunk": "1", "timestamp": at_ms.to_string(),
        "payload": STANDARD.encode([mark; 160])}})
    .to_string()
}

fn feed(messages: &[String]) -> Vec<Output> {
    let mut protocol = protocol();
    seen(&mut protocol, messages.iter().map(|text| Seen::Text(text.clone())))
}

fn opening(outputs: &[Output]) -> &Opening {
    outputs
        .iter()
        .find_map(|output| match output {
            Output::Start(opening) => Some(opening),
            _ => None,
        })
        .expect("a call was started")
}

/// Leg, stamp and mark of each audio output.
fn audio(outputs: &[Output]) -> Vec<(usize, u64, u8)> {
    outputs
        .iter()
        .filter_map(|output| match output {
            Output::Audio { leg, at_ms, payload } => Some((*leg, at_ms.unwrap(), payload[0])),
            _ => None,
        })
        .collect()
}

#[test]
fn a_call_of_two_tracks_from_start_to_stop() {
    let stop = json!({"event": "stop", "sequenceNumber": "5", "streamSid": "MZ1",
        "stop": {"accountSid": "AC1", "callSid": "CA1"}});
    let outputs = feed(&[
        json!({"event": "connected", "protocol": "Call", "version": "1.0.0"}).to_string(),
        start(&["inbound", "outbound"]),
        media("inbound", 5, 1),
        media("outbound", 5, 2),
        json!({"event": "dtmf", "dtmf": {"track": "inbound_track", "digit": "1"}}).to_string(),
        json!({"event": "mark", "mark": {"name": "x"}}).to_string(),
        json!({"event": "something_new", "media": null, "start": null}).to_string(),
        media("inbound", 25, 3),
        stop.to_string(),
        media("inbound", 45, 4),
    ]);
    let opening = opening(&outputs);
    assert_eq!(opening.external_id.as_deref(), Some("CA1"));
    assert_eq!(
        opening.legs.iter().map(|leg| leg.role).collect::<Vec<_>>(),
        [Role::Customer, Role::Agent]
    );
    let attributes: Vec<_> =
        opening.attributes.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(attributes, [("agent", "a1"), ("call_sid", "CA1"), ("stream_sid", "MZ1")]);
    assert_eq!(audio(&outputs), [(0, 5, 1), (1, 5, 2), (0, 25, 3)]);
    assert_eq!(outputs.last(), Some(&Output::Stop(EndReason::Hangup)));
}

#[test]
fn one_track_is_one_leg() {
    for (named, role) in
        [("inbound", Role::Customer), ("outbound", Role::Agent), ("outbound_track", Role::Agent)]
    {
        let outputs = feed(&[start(&[named]), media("inbound", 0, 1), media("outbound", 0, 2)]);
        let legs = &opening(&outputs).legs;
        assert_eq!((legs.len(), legs[0].role), (1, role));
        let mark = if role == Role::Customer { 1 } else { 2 };
        assert_eq!(audio(&outputs), [(0, 0, mark)], "the other track has no party");
    }
    assert_eq!(opening(&feed(&[start(&[])])).legs.len(), 1);
    assert_eq!(opening(&feed(&[start(&["both_tracks"])])).legs.len(), 2);
}

#[test]
fn chunks_are_put_in_order_and_come_once() {
    let check = |stamps: &[u64], expected: &[u64]| {
        let mut messages = vec![start(&["inbound"])];
        messages.extend(stamps.iter().map(|&stamp| media("inbound", stamp, 1)));
        messages.push(r#"{"event":"stop"}"#.to_owned());
        let out: Vec<u64> = audio(&feed(&messages)).iter().map(|(_, at, _)| *at).collect();
        assert_eq!(out, expected, "{stamps:?}");
    };
    check(&[0, 20, 40, 60], &[0, 20, 40, 60]);
    check(&[0, 40, 20, 60], &[0, 20, 40, 60]);
    check(&[0, 40, 60, 20, 80], &[0, 20, 40, 60, 80]);
    check(&[0, 20, 20, 0, 40], &[0, 20, 40]);
    check(&[0, 40, 40, 20], &[0, 20, 40]);
    check(&[0, 200, 220, 240, 260, 280], &[0, 200, 220, 240, 260, 280]);
    check(&[0, 200], &[0, 200]);
    check(&[0, 200, 220, 240, 260, 20, 280], &[0, 200, 220, 240, 260, 280]);
    check(&[5_000, 5_020, 0, 20], &[5_000, 5_020, 0, 20]);
    check(&[0, 27, 39, 61], &[0, 27, 39, 61]);
}

#[test]
fn chunks_that_follow_each_other_do_not_wait() {
    let outputs = feed(&[start(&["inbound"]), media("inbound", 0, 1), media("inbound", 21, 2)]);
    assert_eq!(audio(&outputs).len(), 2);
}

#[test]
fn the_snake_case_dialect_is_understood() {
    let outputs = feed(&[
        json!({"event": "start", "sequence_number": 1, "stream_sid": "s-1", "start": {
            "call_sid": "c-1", "media_format": {"encoding": "PCMU", "sample_rate": "8000", "channels": 1},
            "custom_parameters": {"retries": 2}}})
        .to_string(),
        json!({"event": "media", "stream_sid": "s-1",
            "media": {"chunk": 2, "timestamp": 40, "payload": STANDARD.encode([9; 160]).trim_end_matches('=')}})
        .to_string(),
    ]);
    let opening = opening(&outputs);
    assert_eq!(opening.external_id.as_deref(), Some("c-1"));
    assert_eq!(opening.attributes["stream_sid"], "s-1");
    assert_eq!(opening.attributes["retries"], "2");
    assert_eq!(audio(&outputs), [(0, 40, 9)]);
}

#[test]
fn each_fault_gets_one_clear_error() {
    let check = |messages: &[String], code: u16, reason: &str| {
        let outputs = feed(messages);
        assert_eq!(rejected(&outputs), Some((code, reason)), "{outputs:?}");
    };
    let begun = start(&["inbound"]);
    check(&[media("inbound", 0, 1)], 1008, "media came before start");
    check(&[begun.clone(), begun.clone()], 1008, "a second start came");
    check(&["{not json".into()], 1007, "message 1 is not JSON (line 1, column 2)");
    check(&["[]".into()], 1007, "message 1 is not a media stream message (line 1, column 2)");
    check(&[r#"{"event":"start"}"#.into()], 1007, "message 1 lacks \"start\"");
    check(&[begun.clone(), r#"{"event":"media"}"#.into()], 1007, "message 2 lacks \"media\"");
    check(
        &[begun.clone(), r#"{"event":"media","media":{}}"#.into()],
        1007,
        "message 2 lacks \"payload\"",
    );
    check(
        &[begun.clone(), r#"{"event":"media","media":{"payload":"?!"}}"#.into()],
        1007,
        "message 2 has a payload that is not base64",
    );
    let says = "mediaFormat is not supported: send audio/x-mulaw at 8000 Hz with one channel";
    for (from, to) in
        [("audio/x-mulaw", "audio/x-l16"), ("8000", "16000"), ("\"channels\":1", "\"channels\":2")]
    {
        assert!(begun.contains(from));
        check(&[begun.replace(from, to)], 1003, says);
    }
    check(
        &[begun.replace("[\"inbound\"]", "[\"sideways\"]")],
        1003,
        "start names no track: inbound and outbound are supported",
    );
    let long = format!("\"agent\":\"{}\"", "x".repeat(257));
    check(
        &[begun.replace("\"agent\":\"a1\"", &long)],
        1008,
        "the value of attribute `agent` is longer than 256 characters",
    );
    let many: Vec<_> = (0..33).map(|number| format!("\"a{number}\":\"x\"")).collect();
    check(
        &[begun.replace("\"agent\":\"a1\"", &many.join(","))],
        1008,
        "33 attributes came: 32 are the most",
    );
}

#[test]
fn what_the_wire_adds_by_itself_does_not_count() {
    let many: Vec<_> = (0..32).map(|number| format!("\"a{number}\":\"x\"")).collect();
    let outputs = feed(&[start(&["inbound"]).replace("\"agent\":\"a1\"", &many.join(","))]);
    assert_eq!(opening(&outputs).attributes.len(), 34);
}

#[test]
fn a_malformed_message_is_never_quoted() {
    let outputs = feed(&[r#"{"event":"start","start":"Jane Doe 4111"}"#.into()]);
    let (_, reason) = rejected(&outputs).unwrap();
    assert!(!reason.contains("Jane"), "{reason}");
}

#[test]
fn silence_is_met_with_patience_and_then_not() {
    let mut protocol = protocol();
    protocol.handle_text(Duration::from_secs(1), &start(&["inbound"]));
    assert_eq!(protocol.deadline(), Duration::from_secs(31));
    protocol.handle_text(Duration::from_secs(20), &media("inbound", 0, 1));
    protocol.handle_text(Duration::from_secs(40), r#"{"event":"mark"}"#);
    protocol.handle_timeout(Duration::from_secs(49));
    while protocol.poll_output().is_some() {}
    protocol.handle_timeout(Duration::from_secs(50));
    let outputs: Vec<_> = std::iter::from_fn(|| protocol.poll_output()).collect();
    assert_eq!(rejected(&outputs), Some((1008, "no media for 30 s")));
    assert!(matches!(&outputs[..], [Output::Reject(r)] if r.ends == EndReason::Timeout));
}

#[test]
fn a_lost_connection_gives_up_what_waited() {
    let mut protocol = protocol();
    for text in [start(&["inbound"]), media("inbound", 0, 1), media("inbound", 100, 2)] {
        protocol.handle_text(NOW, &text);
    }
    protocol.handle_closed();
    let outputs: Vec<_> = std::iter::from_fn(|| protocol.poll_output()).collect();
    assert_eq!(audio(&outputs), [(0, 0, 1), (0, 100, 2)]);
    assert_eq!(outputs.last(), Some(&Output::Stop(EndReason::Disconnected)));
}

proptest::proptest! {
    #[test]
    fn no_text_breaks_the_order(texts in proptest::collection::vec(".{0,80}", 0..20)) {
        check_order(&mut protocol(), texts.into_iter().map(Seen::Text));
    }

    #[test]
    fn no_sequence_of_messages_breaks_the_order(
        picks in proptest::collection::vec((0u8..8, 0u64..200), 0..40),
    ) {
        let steps = picks.into_iter().map(|(pick, at)| match pick {
            0 => Seen::Text(start(&["inbound", "outbound"])),
            1 => Seen::Text(r#"{"event":"stop"}"#.to_owned()),
            2 => Seen::Binary(vec![0; 3]),
            3 => Seen::Closed,
            4 => Seen::Time(Duration::from_secs(at)),
            5 => Seen::Text(media("outbound", at * 20, 1)),
            _ => Seen::Text(media("inbound", at * 20, 1)),
        });
        check_order(&mut protocol(), steps);
    }
}
