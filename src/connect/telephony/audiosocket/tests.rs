use std::time::{Duration, Instant};

use uuid::Uuid;

use super::{AnnounceError, ExpectedCall, Frame, Frames, Protocol, Registry};
use crate::connect::telephony::tests::{Seen, check_order, rejected, seen};
use crate::connect::telephony::{MediaProtocol, Notes, Output};
use crate::domain::{EndReason, Role, TenantId};
use crate::flow::audio::Codec;

const ID: Uuid = Uuid::from_u128(0x4045_4b8a_96ff_4bc6_8a29_1c5f_6f1d_3a01);
const PATIENCE: Duration = Duration::from_secs(30);

fn expected() -> ExpectedCall {
    let query = [("party", "customer"), ("external_id", "x-1"), ("queue", "billing")];
    let query: Vec<_> =
        query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    ExpectedCall {
        tenant: TenantId::from("t-1"),
        notes: Notes::from_query(&query).expect("right notes"),
    }
}

fn protocol() -> Protocol {
    let registry = Registry::default();
    registry.announce(ID, expected(), PATIENCE).expect("room");
    Protocol::new(PATIENCE, registry)
}

fn frame(kind: u8, payload: &[u8]) -> Seen {
    Seen::Binary(frame_bytes(kind, payload))
}

fn frame_bytes(kind: u8, payload: &[u8]) -> Vec<u8> {
    let [high, low] = (payload.len() as u16).to_be_bytes();
    let mut bytes = vec![kind, high, low];
    bytes.extend_from_slice(payload);
    bytes
}

fn uuid() -> Seen {
    frame(Frame::UUID, ID.as_bytes())
}

#[test]
fn a_call_from_its_uuid_to_hangup() {
    let mut protocol = protocol();
    let outputs = seen(
        &mut protocol,
        [
            uuid(),
            frame(Frame::DTMF, b"5"),
            frame(0x10, &[1, 0, 2, 0]),
            frame(0x77, b"tomorrow"),
            frame(0x10, &[3, 0]),
            frame(Frame::TERMINATE, &[]),
            frame(0x10, &[4, 0]),
        ],
    );
    let [
        Output::Start(opening),
        Output::Audio { payload: first, .. },
        Output::Audio { payload: second, .. },
        Output::Stop(reason),
    ] = &outputs[..]
    else {
        panic!("{outputs:?}")
    };
    assert_eq!(protocol.tenant(), Some(TenantId::from("t-1")));
    assert_eq!(opening.external_id.as_deref(), Some("x-1"));
    assert_eq!((opening.legs[0].role, opening.legs[0].codec), (Role::Customer, Codec::PcmS16Le));
    assert_eq!(opening.legs[0].sample_rate_hz, 8_000);
    assert_eq!(opening.attributes["audiosocket_uuid"], "40454b8a-96ff-4bc6-8a29-1c5f6f1d3a01");
    assert_eq!(opening.attributes["queue"], "billing");
    assert_eq!((&first[..], &second[..]), (&[1, 0, 2, 0][..], &[3, 0][..]));
    assert_eq!(*reason, EndReason::Hangup);
}

#[test]
fn every_rate_is_taken() {
    for (kind, rate) in [
        (0x10, 8_000),
        (0x11, 12_000),
        (0x12, 16_000),
        (0x13, 24_000),
        (0x14, 32_000),
        (0x15, 44_100),
        (0x16, 48_000),
        (0x17, 48_000),
        (0x18, 48_000),
    ] {
        let outputs = seen(&mut protocol(), [uuid(), frame(kind, &[0; 320])]);
        let [Output::Start(opening), Output::Audio { .. }] = &outputs[..] else {
            panic!("{outputs:?}")
        };
        assert_eq!(opening.legs[0].sample_rate_hz, rate, "{kind:#x}");
    }
}

#[test]
fn what_comes_too_fast_is_thinned_out_across_messages() {
    let samples: Vec<u8> = [10i16, 20, 30, 40, -10, -20, -30, -40]
        .iter()
        .flat_map(|sample| sample.to_le_bytes())
        .collect();
    let (first, second) = samples.split_at(5);
    let outputs = seen(&mut protocol(), [uuid(), frame(0x18, first), frame(0x18, second)]);
    let [Output::Start(_), Output::Audio { payload, .. }] = &outputs[..] else {
        panic!("{outputs:?}")
    };
    assert_eq!(&payload[..], [25i16.to_le_bytes(), (-25i16).to_le_bytes()].concat());
}

#[test]
fn each_fault_gets_one_clear_error() {
    let check = |steps: Vec<Seen>, code: u16, reason: &str| {
        let outputs = seen(&mut protocol(), steps);
        assert_eq!(rejected(&outputs), Some((code, reason)), "{outputs:?}");
    };
    check(vec![frame(0x10, &[0; 320])], 1008, "the first message must be the UUID");
    check(vec![frame(Frame::DTMF, b"1")], 1008, "the first message must be the UUID");
    check(vec![uuid(), uuid()], 1008, "a second UUID came");
    check(vec![frame(Frame::UUID, &[1; 15])], 1007, "the UUID must have 16 bytes");
    check(
        vec![frame(Frame::UUID, &[1; 16])],
        1008,
        "no call with this UUID was announced, or it has come already",
    );
    let rates = vec![uuid(), frame(0x10, &[0; 320]), frame(0x12, &[0; 320])];
    check(rates, 1003, "the sample rate changed in mid-call");
    check(vec![Seen::Text("hello".to_owned())], 1003, "text came where messages are binary");
    check(vec![Seen::Time(Duration::from_secs(5))], 1008, "no UUID for 5 s");
    check(vec![uuid(), Seen::Time(PATIENCE)], 1008, "no media for 30 s");
}

#[test]
fn ends_say_why() {
    let check = |last: Seen, reason: EndReason| {
        let outputs = seen(&mut protocol(), [uuid(), frame(0x10, &[0; 2]), last]);
        assert_eq!(outputs.last(), Some(&Output::Stop(reason)));
    };
    check(frame(Frame::TERMINATE, &[]), EndReason::Hangup);
    check(frame(Frame::ERROR, &[4]), EndReason::Disconnected);
    check(Seen::Closed, EndReason::Disconnected);
    let mut closed = protocol();
    closed.handle_goodbye();
    assert_eq!(closed.poll_output(), Some(Output::Stop(EndReason::Hangup)));
}

#[test]
fn an_announced_call_comes_once_and_soon() {
    let registry = Registry::default();
    let announce = |now, id| registry.announce_at(now, id, expected(), PATIENCE);
    let first = Instant::now();
    assert_eq!(announce(first, ID), Ok(()));
    assert_eq!(announce(first, ID), Err(AnnounceError::Known));
    assert_eq!(registry.claim_at(first, &ID), Some(expected()));
    assert_eq!(registry.claim_at(first, &ID), None, "it has come already");
    assert_eq!(announce(first, ID), Ok(()));
    let late = first + PATIENCE;
    assert_eq!(registry.claim_at(late, &ID), None, "it comes too late");
    for number in 0..10_000 {
        assert_eq!(announce(late, Uuid::from_u128(number)), Ok(()));
    }
    assert_eq!(announce(late, ID), Err(AnnounceError::Full));
    assert_eq!(announce(late + PATIENCE, ID), Ok(()), "the others never came");
}

proptest::proptest! {
    #[test]
    fn frames_may_be_cut_anywhere(
        frames in proptest::collection::vec((proptest::num::u8::ANY, proptest::collection::vec(proptest::num::u8::ANY, 0..300)), 0..20),
        cut in 1usize..40,
    ) {
        let bytes: Vec<u8> =
            frames.iter().flat_map(|(kind, payload)| frame_bytes(*kind, payload)).collect();
        let mut cutter = Frames::default();
        let mut back = Vec::new();
        for piece in bytes.chunks(cut) {
            cutter.push(piece);
            while let Some(Frame { kind, payload }) = cutter.next_frame() {
                back.push((kind, payload.to_vec()));
            }
        }
        proptest::prop_assert_eq!(back, frames);
    }

    #[test]
    fn nothing_breaks_the_order(
        picks in proptest::collection::vec((0u8..10, proptest::collection::vec(proptest::num::u8::ANY, 0..40)), 0..40),
    ) {
        let steps = picks.into_iter().map(|(pick, bytes)| match pick {
            0..=2 => uuid(),
            3 => frame(Frame::TERMINATE, &[]),
            4 => Seen::Closed,
            5 => Seen::Time(Duration::from_secs(bytes.len() as u64)),
            6 => Seen::Binary(bytes),
            _ => frame(0x10 + bytes.len() as u8 % 9, &bytes),
        });
        check_order(&mut protocol(), steps);
    }
}
