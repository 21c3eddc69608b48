use std::time::Duration;

use bytes::Bytes;

use super::super::rtp::{RtpStream, may_send};
use super::super::sdp::Format;
use crate::flow::audio::Codec;

const PCMU: Format = Format { payload_type: 0, codec: Codec::Mulaw };
const SSRC: u32 = 0xABCD_0001;

/// 20 ms of packet `number`; its audio is `number` all over.
fn packet(number: u16) -> Vec<u8> {
    custom(0, number, u32::from(number) * 160, SSRC, &[number as u8; 160])
}

fn custom(payload_type: u8, sequence: u16, timestamp: u32, ssrc: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80, payload_type];
    bytes.extend(sequence.to_be_bytes());
    bytes.extend(timestamp.to_be_bytes());
    bytes.extend(ssrc.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

struct Desk {
    stream: RtpStream,
    now: Duration,
    out: Vec<(u64, Bytes)>,
}

impl Desk {
    fn new() -> Self {
        Self { stream: RtpStream::new(PCMU, Some(101)), now: Duration::ZERO, out: Vec::new() }
    }

    /// One more packet, 20 ms after the last.
    fn take(&mut self, bytes: &[u8]) -> bool {
        let taken = self.stream.handle(self.now, bytes, &mut self.out);
        self.now += Duration::from_millis(20);
        taken
    }

    /// Stamp, first byte and length of what came out since.
    fn heard(&mut self) -> Vec<(u64, u8, usize)> {
        self.out.drain(..).map(|(at_ms, bytes)| (at_ms, bytes[0], bytes.len())).collect()
    }
}

#[test]
fn packets_are_put_in_order_and_come_once() {
    let check = |numbers: &[u16], expected: &[u8]| {
        let mut desk = Desk::new();
        numbers.iter().for_each(|number| {
            desk.take(&packet(*number));
        });
        desk.stream.flush(&mut desk.out);
        let heard: Vec<u8> = desk.heard().iter().map(|(_, first, _)| *first).collect();
        assert_eq!(heard, expected, "{numbers:?}");
    };
    check(&[1, 2, 3, 4], &[1, 2, 3, 4]);
    check(&[1, 3, 2, 4], &[1, 2, 3, 4]);
    check(&[1, 4, 3, 2, 5], &[1, 2, 3, 4, 5]);
    check(&[1, 1, 2, 2, 3, 1], &[1, 2, 3]);
    check(&[1, 3, 4, 5, 6, 7, 8, 2, 9], &[1, 3, 4, 5, 6, 7, 8, 9]);
    check(&[5, 4, 6], &[5, 6]);
}

#[test]
fn stamps_are_the_senders_clock_from_the_first_packet_on() {
    let mut desk = Desk::new();
    desk.now = Duration::from_millis(300);
    for number in [10, 11, 15, 16, 17, 18, 19, 20] {
        desk.take(&packet(number));
    }
    let stamps: Vec<u64> = desk.heard().iter().map(|(at_ms, ..)| *at_ms).collect();
    assert_eq!(stamps, [300, 320, 400, 420, 440, 460, 480, 500], "60 ms are missing");
}

#[test]
fn what_waits_for_a_lost_packet_waits_no_longer_than_100_ms() {
    let mut desk = Desk::new();
    desk.take(&packet(1));
    desk.take(&packet(3));
    assert_eq!(desk.heard().len(), 1);
    desk.stream.tick(Duration::from_millis(119), &mut desk.out);
    assert!(desk.heard().is_empty());
    desk.stream.tick(Duration::from_millis(120), &mut desk.out);
    assert_eq!(desk.heard(), [(40, 3, 160)]);
}

#[test]
fn numbers_wrap_around() {
    let mut desk = Desk::new();
    for (step, sequence) in [65_534u16, 65_535, 0, 1].into_iter().enumerate() {
        let timestamp = (u32::MAX - 200).wrapping_add(step as u32 * 160);
        desk.take(&custom(0, sequence, timestamp, SSRC, &[1; 160]));
    }
    let stamps: Vec<u64> = desk.heard().iter().map(|(at_ms, ..)| *at_ms).collect();
    assert_eq!(stamps, [0, 20, 40, 60]);
}

#[test]
fn silence_that_was_left_out_is_put_back() {
    let mut desk = Desk::new();
    desk.take(&packet(1));
    // Comfort noise, then speech again 100 ms after the first packet's end.
    desk.take(&custom(13, 2, 320, SSRC, &[0x40]));
    desk.take(&custom(0, 3, 320 + 800, SSRC, &[3; 160]));
    assert_eq!(desk.heard(), [(0, 1, 160), (20, 0xFF, 800), (120, 3, 160)]);
    // Nobody pauses for an hour within a call: the clock alone moves.
    desk.take(&custom(0, 4, 3_600 * 8_000, SSRC, &[4; 160]));
    assert_eq!(desk.heard().len(), 1);
}

#[test]
fn one_sender_is_heard_until_it_is_silent() {
    let mut desk = Desk::new();
    desk.take(&packet(1));
    assert!(!desk.take(&custom(0, 900, 7, 99, &[9; 160])), "another sender in between");
    desk.take(&packet(2));
    assert_eq!(desk.heard(), [(0, 1, 160), (20, 2, 160)]);
    assert_eq!(desk.stream.dropped, 1);
    desk.now += Duration::from_secs(3);
    assert!(desk.take(&custom(0, 900, 7, 99, &[9; 160])), "after a hand-over");
    assert_eq!(desk.heard(), [(3_060, 9, 160)], "on the call's clock");
    assert!(!desk.take(&packet(3)));
}

#[test]
fn a_flood_is_cut_to_what_a_clock_can_bring() {
    let mut desk = Desk::new();
    let seconds_of_audio = |desk: &mut Desk, packets: std::ops::Range<u32>, step: u32| -> f64 {
        for number in packets {
            let bytes = custom(0, number as u16, number * step, SSRC, &[1; 160]);
            desk.stream.handle(desk.now, &bytes, &mut desk.out);
        }
        desk.heard().iter().map(|(.., samples)| *samples as f64 / 8_000.0).sum()
    };
    let flood = seconds_of_audio(&mut desk, 0..6_000, 160);
    assert!((9.9..=10.0).contains(&flood), "two minutes at once: {flood} s");
    desk.now += Duration::from_secs(1);
    let next = seconds_of_audio(&mut desk, 6_000..6_500, 160);
    assert!((1.0..=1.3).contains(&next), "ten seconds within one: {next} s");

    // Silence that a clock leaps over counts as well.
    let mut desk = Desk::new();
    let silence = seconds_of_audio(&mut desk, 0..500, 30_000);
    assert!((9.0..=10.0).contains(&silence), "{silence} s");
}

#[test]
fn a_sender_that_begins_anew_is_followed() {
    let mut desk = Desk::new();
    for number in 1_000..1_005 {
        desk.take(&packet(number));
    }
    desk.heard();
    assert!(!desk.take(&packet(7)), "a stray one");
    assert!(desk.take(&packet(1_005)));
    assert!(!desk.take(&packet(20)));
    assert!(desk.take(&packet(21)), "two in a row");
    assert!(desk.take(&packet(22)));
    let firsts: Vec<u8> = desk.heard().iter().map(|(_, first, _)| *first).collect();
    assert_eq!(firsts, [(1_005u16 % 256) as u8, 21, 22]);
}

#[test]
fn keys_are_counted_and_not_heard() {
    let mut desk = Desk::new();
    desk.take(&packet(1));
    for sequence in 2..5 {
        desk.take(&custom(101, sequence, 320, SSRC, &[5, 0x0A, 0, 160]));
    }
    desk.take(&custom(101, 5, 900, SSRC, &[6, 0x0A, 0, 160]));
    desk.take(&custom(0, 6, 960, SSRC, &[6; 160]));
    assert_eq!(desk.stream.keys, 2);
    assert_eq!(desk.heard(), [(0, 1, 160), (20, 0xFF, 640), (100, 6, 160)]);
}

#[test]
fn extensions_sources_and_padding_are_no_audio() {
    let mut bytes = vec![0x80 | 0x20 | 0x10 | 2, 0x80];
    bytes.extend([0, 1, 0, 0, 0, 0]);
    bytes.extend(SSRC.to_be_bytes());
    bytes.extend([0; 8]);
    bytes.extend([0xBE, 0xDE, 0, 1, 9, 9, 9, 9]);
    bytes.extend([7, 7, 7, 0, 0, 3]);
    let mut desk = Desk::new();
    assert!(desk.take(&bytes));
    assert_eq!(desk.heard(), [(0, 7, 3)]);
    let unknown = custom(9, 1, 0, SSRC, &[1]);
    let padded_too_much = [0xA0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 200];
    let broken: [&[u8]; 6] =
        [&bytes[..11], &bytes[..19], &bytes[..22], &[0x40; 20], &padded_too_much, &unknown];
    for broken in broken {
        assert!(!Desk::new().take(broken), "{broken:?}");
    }
}

#[test]
fn audio_comes_from_who_signals_or_from_where_the_offer_says() {
    let address = |text: &str| text.parse().expect("an address");
    let signals = address("192.0.2.1:5060");
    let offered = Some("192.0.2.77".parse().expect("an address"));
    assert!(may_send(address("192.0.2.1:9"), signals, None));
    assert!(may_send(address("[::ffff:192.0.2.1]:9"), signals, None));
    assert!(may_send(address("192.0.2.77:9"), signals, offered));
    assert!(!may_send(address("192.0.2.78:9"), signals, offered));
    assert!(!may_send(address("192.0.2.77:9"), signals, None));
}

proptest::proptest! {
    #[test]
    fn no_datagram_breaks_anything(
        datagrams in proptest::collection::vec(proptest::collection::vec(proptest::num::u8::ANY, 0..60), 0..40),
    ) {
        let mut desk = Desk::new();
        for datagram in &datagrams {
            desk.take(datagram);
        }
    }

    /// However packets are lost, doubled and shuffled within 40 ms, what comes out is in order, once,
    /// and each at its own time.
    #[test]
    fn a_bad_network_loses_and_disorders_nothing_else(
        fates in proptest::collection::vec((0u8..20, 0u32..3), 10..120),
    ) {
        let mut arrivals: Vec<(u32, u16)> = Vec::new();
        for (number, (fate, delay)) in fates.iter().enumerate() {
            let number = number as u16;
            if *fate != 0 || number == 0 {
                let delay = if number == 0 { 0 } else { *delay };
                arrivals.push((u32::from(number) * 2 + delay * 2 + 1, number));
            }
            if *fate == 1 && number > 0 {
                arrivals.push((u32::from(number) * 2 + 4, number));
            }
        }
        arrivals.sort_unstable();
        let mut desk = Desk::new();
        for (at, number) in &arrivals {
            desk.now = Duration::from_millis(u64::from(*at) * 10);
            desk.stream.handle(desk.now, &packet(*number), &mut desk.out);
        }
        desk.stream.flush(&mut desk.out);
        let mut expected: Vec<u16> = arrivals.iter().map(|(_, number)| *number).collect();
        expected.sort_unstable();
        expected.dedup();
        let heard: Vec<(u64, u8)> = desk.heard().iter().map(|(at, first, _)| (*at, *first)).collect();
        let expected: Vec<(u64, u8)> =
            expected.iter().map(|number| (10 + u64::from(*number) * 20, *number as u8)).collect();
        proptest::prop_assert_eq!(heard, expected);
    }
}
