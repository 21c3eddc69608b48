use std::time::Duration;

use super::Protocol;
use crate::connect::telephony::tests::{Seen, check_order, rejected, seen};
use crate::connect::telephony::{MediaProtocol, Opening, Output};
use crate::domain::{Direction, EndReason, Role};
use crate::flow::audio::Codec;

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

#[test]
fn without_metadata_it_is_the_caller_at_8_khz() {
    let mut protocol = protocol(&[]);
    let outputs = seen(&mut protocol, [Seen::Binary(vec![0; 320]), text("later"), text("{")]);
    let opening = opening(&outputs);
    assert_eq!((opening.legs.len(), opening.legs[0].role), (1, Role::Customer));
    assert_eq!((opening.legs[0].codec, opening.legs[0].sample_rate_hz), (Codec::PcmS16Le, 8_000));
    assert_eq!((opening.external_id.as_deref(), opening.direction), (None, Direction::Inbound));
    assert_eq!(outputs.len(), 2, "{outputs:?}");
    protocol.handle_goodbye();
    assert_eq!(protocol.poll_output(), Some(Output::Stop(EndReason::Hangup)));
}

#[test]
fn metadata_say_what_comes() {
    let metadata = r#"{"mix":"stereo","rate":16000,"uuid":"u-1","direction":"outbound",
        "parties":"agent,customer","queue":"billing","vip":true,"nested":{"a":1}}"#;
    let outputs = seen(
        &mut protocol(&[("mix", "mono"), ("site", "north")]),
        [text(metadata), Seen::Binary((0..8).collect()), Seen::Closed],
    );
    let [
        Output::Start(opening),
        Output::Audio { leg: 0, payload: left, .. },
        Output::Audio { leg: 1, payload: right, .. },
        Output::Stop(EndReason::Disconnected),
    ] = &outputs[..]
    else {
        panic!("{outputs:?}")
    };
    assert_eq!((&left[..], &right[..]), (&[0, 1, 4, 5][..], &[2, 3, 6, 7][..]));
    assert_eq!(opening.external_id.as_deref(), Some("u-1"));
    assert_eq!((opening.legs[0].role, opening.legs[1].role), (Role::Agent, Role::Customer));
    assert_eq!((opening.legs[0].sample_rate_hz, opening.direction), (16_000, Direction::Outbound));
    let said: Vec<_> =
        opening.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(said, [("queue", "billing"), ("site", "north"), ("uuid", "u-1"), ("vip", "true")]);
}

#[test]
fn metadata_may_be_any_text() {
    let outputs =
        seen(&mut protocol(&[("mix", "mixed")]), [text("billing; VIP"), Seen::Binary(vec![0; 4])]);
    let opening = opening(&outputs);
    assert_eq!(opening.attributes["metadata"], "billing; VIP");
    assert_eq!(opening.legs[0].role, Role::Mixed);
}

#[test]
fn each_fault_gets_one_clear_error() {
    let check = |query: &[(&str, &str)], metadata: &str, code: u16, reason: &str| {
        let steps = [text(metadata), Seen::Binary(vec![0; 4])];
        let outputs = seen(&mut protocol(query), steps);
        assert_eq!(rejected(&outputs), Some((code, reason)), "{outputs:?}");
    };
    let rates = "rate must be from 8000 to 48000, or 8k or 16k";
    check(&[("rate", "4k")], "", 1003, rates);
    check(&[("rate", "fast")], "", 1003, rates);
    check(&[], r#"{"sample_rate":96000}"#, 1003, rates);
    check(&[], r#"{"rate":"99999999999k"}"#, 1003, rates);
    check(&[("mix", "surround")], "", 1003, "mix must be mono, mixed or stereo");
    check(&[], r#"{"channels":3}"#, 1003, "mix must be mono, mixed or stereo");
    check(&[("direction", "up")], "", 1008, "direction must be inbound or outbound");
    check(
        &[("mix", "stereo"), ("party", "agent")],
        "",
        1008,
        "2 channels need as many parties, not 1",
    );
}

#[test]
fn rates_are_said_in_two_ways() {
    for (said, rate) in [("8k", 8_000), ("16k", 16_000), ("24000", 24_000), ("48000", 48_000)] {
        let outputs = seen(&mut protocol(&[("rate", said)]), [Seen::Binary(vec![0; 4])]);
        assert_eq!(opening(&outputs).legs[0].sample_rate_hz, rate);
    }
}

proptest::proptest! {
    #[test]
    fn nothing_breaks_the_order(
        stereo: bool,
        picks in proptest::collection::vec((0u8..7, ".{0,40}"), 0..40),
    ) {
        let mix = if stereo { "stereo" } else { "mixed" };
        let steps = picks.into_iter().map(|(pick, said)| match pick {
            0 => text(r#"{"rate":16000,"mix":"stereo"}"#),
            1 => Seen::Text(said),
            2 => Seen::Closed,
            3 => Seen::Time(Duration::from_secs(said.len() as u64)),
            _ => Seen::Binary(said.into_bytes()),
        });
        check_order(&mut protocol(&[("mix", mix)]), steps);
    }
}
