//! What one leg costs before the recogniser: one second of a party's wire audio, in 20 ms frames,
//! decoded and resampled to 16 kHz. Run: `cargo bench --bench audio`.

use backchannel::flow::audio::{Codec, LegDecoder};
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

const LEGS: [(Codec, u32); 6] = [
    (Codec::Mulaw, 8_000),
    (Codec::Alaw, 8_000),
    (Codec::PcmS16Le, 8_000),
    (Codec::PcmS16Le, 16_000),
    (Codec::PcmS16Le, 44_100),
    (Codec::PcmS16Le, 48_000),
];

#[divan::bench(args = 0..LEGS.len())]
fn one_leg_second(bencher: Bencher, leg: usize) {
    let (codec, rate) = LEGS[leg];
    let frame_bytes = rate as usize / 50 * codec.bytes_per_sample();
    let frame: Vec<u8> = (0..frame_bytes).map(|n| (n * 7919 % 256) as u8).collect();
    let mut decoder = LegDecoder::new(codec, rate).expect("the rate is supported");
    let mut out = Vec::with_capacity(17_000);
    bencher.bench_local(|| {
        out.clear();
        for _ in 0..50 {
            decoder.push(black_box(&frame), &mut out).expect("audio of any kind decodes");
        }
        black_box(out.len())
    });
}

/// What a call pays once per leg: the filter's tables.
#[divan::bench(args = 0..LEGS.len())]
fn opening_a_leg(leg: usize) -> LegDecoder {
    let (codec, rate) = LEGS[leg];
    LegDecoder::new(codec, rate).expect("the rate is supported")
}
