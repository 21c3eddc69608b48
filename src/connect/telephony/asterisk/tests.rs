use std::time::Duration;

use serde_json::json;

use super::Protocol;
use crate::connect::telephony::tests::{Seen, check_order, rejected, seen};
use crate::connect::telephony::{MediaProtocol, Opening, Output};
use crate::domain::{Direction, EndReason, Role};
use crate::flow::audio::Codec;

const PLAIN: &str = "MEDIA_START connection_id:e226e283 channel:WebSocket/media/0x7f \
    channel_id:1763.4 format:ulaw optimal_frame_size:160 ptime:20";

fn protocol(query: &[(&str, &str)]) -> Protocol {
    let query: Vec<_> =
        query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Protocol::new(Duration::from_secs(30), &query)
}

fn text(text: &str) -> Seen {
    Seen::Text(text.to_owned())
}

fn opening(outputs: &[Output]) -> &Opening {
    match outputs {
        [Output::Start(opening), ..] => opening,
        _ => panic!("{outputs:?}"),
    }
}

fn json_start() -> Seen {
    let start = json!({"event": "MEDIA_START", "connection_id": "e226e283",
        "channel": "WebSocket/media/0x7f", "channel_id": "1763.4", "format": "slin16",
        "optimal_frame_size": 640, "ptime": 20, "channel_variables": {"QUEUE": "billing"}});
    Seen::Text(start.to_string())
}

#[test]
fn a_call_in_plain_words() {
    let mut protocol = protocol(&[("party", "customer"), ("queue", "billing")]);
    let outputs = seen(
        &mut protocol,
        [
            text(PLAIN),
            Seen::Binary(vec![0xFF; 160]),
            text("DTMF_END channel_id:1763.4 digit:5"),
            text("MEDIA_XOFF"),
            text("STATUS queue_length:43 xon_level:800"),
            text("SOMETHING_NEW of:tomorrow"),
            text(""),
            Seen::Binary(vec![0x7F; 160]),
        ],
    );
    let opening = opening(&outputs);
    assert_eq!(opening.external_id.as_deref(), Some("1763.4"));
    assert_eq!(opening.direction, Direction::Inbound);
    assert_eq!((opening.legs.len(), opening.legs[0].role), (1, Role::Customer));
    assert_eq!((opening.legs[0].codec, opening.legs[0].sample_rate_hz), (Codec::Mulaw, 8_000));
    let attributes: Vec<_> =
        opening.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        attributes,
        [
            ("channel", "WebSocket/media/0x7f"),
            ("channel_id", "1763.4"),
            ("connection_id", "e226e283"),
            ("queue", "billing"),
        ]
    );
    assert_eq!(outputs.len(), 3, "{outputs:?}");
    protocol.handle_goodbye();
    assert_eq!(protocol.poll_output(), Some(Output::Stop(EndReason::Hangup)));
}

#[test]
fn a_call_in_json() {
    let dtmf = json!({"event": "DTMF_END", "channel_id": "1763.4", "digit": "5"}).to_string();
    let outputs = seen(
        &mut protocol(&[]),
        [json_start(), Seen::Text(dtmf), Seen::Binary(vec![0; 640]), Seen::Closed],
    );
    let opening = opening(&outputs);
    assert_eq!(opening.legs[0].role, Role::Mixed);
    assert_eq!((opening.legs[0].codec, opening.legs[0].sample_rate_hz), (Codec::PcmS16Le, 16_000));
    assert_eq!(opening.attributes["QUEUE"], "billing");
    assert!(!format!("{outputs:?}").contains("digit"), "keys are not kept");
    assert_eq!(outputs.last(), Some(&Output::Stop(EndReason::Disconnected)));
}

#[test]
fn formats_have_their_rates() {
    for (format, codec, rate) in [
        ("ulaw", Codec::Mulaw, 8_000),
        ("alaw", Codec::Alaw, 8_000),
        ("slin", Codec::PcmS16Le, 8_000),
        ("slin12", Codec::PcmS16Le, 12_000),
        ("slin24", Codec::PcmS16Le, 24_000),
        ("slin32", Codec::PcmS16Le, 32_000),
        ("slin44", Codec::PcmS16Le, 44_100),
        ("slin48", Codec::PcmS16Le, 48_000),
    ] {
        let start = PLAIN.replace("format:ulaw", &format!("format:{format}"));
        let outputs = seen(&mut protocol(&[]), [text(&start)]);
        let leg = &opening(&outputs).legs[0];
        assert_eq!((leg.codec, leg.sample_rate_hz), (codec, rate), "{format}");
    }
    let old = "MEDIA_START connection_id:1 channel:WebSocket/x optimal_frame_size:160";
    let outputs = seen(&mut protocol(&[("format", "alaw")]), [text(old)]);
    let opening = opening(&outputs);
    assert_eq!(opening.legs[0].codec, Codec::Alaw);
    assert_eq!(opening.external_id.as_deref(), Some("1"));
    assert!(!opening.attributes.contains_key("format"));
}

#[test]
fn each_fault_gets_one_clear_error() {
    let check = |query: &[(&str, &str)], steps: Vec<Seen>, code: u16, reason: &str| {
        let outputs = seen(&mut protocol(query), steps);
        assert_eq!(rejected(&outputs), Some((code, reason)), "{outputs:?}");
    };
    check(&[], vec![Seen::Binary(vec![0; 160])], 1008, "audio came before MEDIA_START");
    check(&[], vec![text(PLAIN), json_start()], 1008, "a second MEDIA_START came");
    check(&[], vec![text("{")], 1007, "the text message is not JSON (line 1, column 1)");
    check(&[], vec![text("[]")], 1007, "the text message is no event: it has no field \"event\"");
    let opus = PLAIN.replace("ulaw", "opus");
    let says = "format is not supported: use ulaw, alaw, or slin to slin48";
    check(&[], vec![text(&opus)], 1003, says);
    check(
        &[],
        vec![text("MEDIA_START connection_id:1")],
        1008,
        "MEDIA_START names no format: add ?format=ulaw to the uri",
    );
    check(
        &[("direction", "up")],
        vec![text("MEDIA_XON")],
        1008,
        "direction must be inbound or outbound",
    );
    check(
        &[("parties", "customer,agent")],
        vec![text(PLAIN)],
        1008,
        "1 channels need as many parties, not 2",
    );
}

proptest::proptest! {
    #[test]
    fn nothing_breaks_the_order(
        picks in proptest::collection::vec((0u8..8, ".{0,40}"), 0..40),
    ) {
        let steps = picks.into_iter().map(|(pick, said)| match pick {
            0 => text(PLAIN),
            1 => json_start(),
            2 => Seen::Text(said),
            3 => Seen::Text(format!("{{\"event\":\"{said}\"}}")),
            4 => Seen::Closed,
            5 => Seen::Time(Duration::from_secs(said.len() as u64)),
            _ => Seen::Binary(said.into_bytes()),
        });
        check_order(&mut protocol(&[]), steps);
    }
}
