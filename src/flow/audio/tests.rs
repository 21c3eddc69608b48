use std::f64::consts::TAU;

use proptest::prelude::*;

use super::*;

fn sine(hz: f64, rate_hz: u32, samples: usize) -> Vec<f32> {
    let step = TAU * hz / f64::from(rate_hz);
    (0..samples).map(|n| 0.5 * (step * n as f64).sin() as f32).collect()
}

fn resample(input: &[f32], from_hz: u32, to_hz: u32) -> Vec<f32> {
    let mut resampler = Resampler::new(from_hz, to_hz).unwrap();
    let mut out = Vec::new();
    resampler.push(input, &mut out).unwrap();
    resampler.flush(&mut out).unwrap();
    out
}

const RATES: [u32; 8] = [8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000];

#[test]
fn a_sine_keeps_its_pitch_loudness_and_place() {
    for rate in RATES {
        let out = resample(&sine(1_000.0, rate, rate as usize), rate, 16_000);
        let ideal = sine(1_000.0, 16_000, 16_000);
        assert_eq!(out.len(), 16_000, "{rate} Hz");
        // The edges ring; in between each sample must lie where it belongs. A shift of
        // one hundredth of a sample would show as 0.002.
        let worst = (800..15_200).map(|n| (out[n] - ideal[n]).abs()).fold(0.0, f32::max);
        assert!(worst < 0.001, "{rate} Hz: off by {worst}");
    }
}

#[test]
fn what_the_lower_rate_cannot_hold_is_gone() {
    let out = resample(&sine(11_000.0, 48_000, 48_000), 48_000, 16_000);
    let loudest = out[800..15_200].iter().fold(0.0, |max: f32, s| max.max(s.abs()));
    assert!(loudest < 0.001, "alias of {loudest}");
}

#[test]
fn the_telephone_band_passes_flat() {
    for hz in [300.0, 3_000.0, 3_400.0] {
        let out = resample(&sine(hz, 8_000, 8_000), 8_000, 16_000);
        let power = out[800..15_200].iter().map(|s| s * s).sum::<f32>() / 14_400.0;
        let decibel = 10.0 * (power / 0.125).log10();
        assert!(decibel.abs() < 0.5, "{hz} Hz: {decibel} dB");
    }
}

#[test]
fn the_filter_holds_back_at_most_ten_milliseconds() {
    for rate in RATES {
        let mut resampler = Resampler::new(rate, 16_000).unwrap();
        let mut out = Vec::new();
        resampler.push(&vec![0.1; rate as usize], &mut out).unwrap();
        assert!(16_000 - out.len() <= 176, "{rate} Hz holds back {}", 16_000 - out.len());
    }
}

#[test]
fn a_rate_out_of_range_is_refused() {
    for rate in [0, 7_999, 96_000] {
        let error = Resampler::new(rate, 16_000).err();
        assert_eq!(error, Some(AudioError::UnsupportedRate(rate)));
    }
}

#[test]
fn a_flushed_resampler_starts_afresh() {
    let tone = sine(440.0, 8_000, 1_234);
    let mut resampler = Resampler::new(8_000, 16_000).unwrap();
    let mut halves = [Vec::new(), Vec::new()];
    for half in &mut halves {
        resampler.push(&tone, half).unwrap();
        resampler.flush(half).unwrap();
    }
    assert_eq!(halves[0], halves[1]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn chunks_of_any_size_give_the_same_samples(
        rate in prop::sample::select(RATES.to_vec()),
        cuts in prop::collection::vec(0usize..700, 1..40),
    ) {
        let total: usize = cuts.iter().sum();
        let input = sine(700.0, rate, total);
        let mut resampler = Resampler::new(rate, 16_000).unwrap();
        let (mut out, mut at) = (Vec::new(), 0);
        for cut in cuts {
            resampler.push(&input[at..at + cut], &mut out).unwrap();
            at += cut;
        }
        resampler.flush(&mut out).unwrap();
        prop_assert_eq!(out.len() as u64, resample::rounded_ratio(total as u64, 16_000, rate));
        prop_assert_eq!(out, resample(&input, rate, 16_000));
    }

    #[test]
    fn the_decoder_takes_anything(
        payloads in prop::collection::vec(
            (prop::collection::vec(any::<u8>(), 0..400), prop::option::of(0u64..5_000)), 0..30),
        codec in prop::sample::select(vec![Codec::PcmS16Le, Codec::Mulaw, Codec::Alaw]),
    ) {
        let mut decoder = LegDecoder::new(codec, 8_000).unwrap();
        let mut out = Vec::new();
        for (payload, at_ms) in payloads {
            if let Some(at_ms) = at_ms {
                decoder.catch_up(at_ms, &mut out).unwrap();
            }
            decoder.push(&payload, &mut out).unwrap();
        }
        decoder.flush(&mut out);
        prop_assert!(out.iter().all(|sample| sample.abs() < 2.0));
    }
}

/// 20 ms of µ-law per entry, with its stamp; answers the gaps and the length in time.
fn play(stamps: &[u64]) -> (Vec<Gap>, usize) {
    let mut decoder = LegDecoder::new(Codec::Mulaw, 8_000).unwrap();
    let (mut gaps, mut skipped, mut out) = (Vec::new(), 0, Vec::new());
    for &stamp in stamps {
        if let Some(jump) = decoder.catch_up(stamp, &mut out).unwrap() {
            skipped += jump.skip_samples as usize;
            gaps.extend((!jump.joins_late).then_some(jump.gap));
        }
        decoder.push(&[0x90; 160], &mut out).unwrap();
    }
    decoder.flush(&mut out);
    assert!(out.len() < 16 * 5_000, "time passes without audio");
    (gaps, (out.len() + skipped) / 16)
}

#[test]
fn a_jump_of_the_wires_clock_becomes_silence() {
    assert_eq!(play(&[0, 20, 40]), (vec![], 60));
    assert_eq!(play(&[5, 25, 65, 85]), (vec![], 80), "jitter within the tolerance");
    assert_eq!(play(&[0, 20, 240, 260]), (vec![Gap { start_ms: 40, lost_ms: 200 }], 280));
    assert_eq!(play(&[500, 520]), (vec![], 540), "a late leg has lost nothing");
}

#[test]
fn a_clock_that_is_set_back_loses_nothing() {
    assert_eq!(play(&[1_000, 1_020, 0, 20, 40]), (vec![], 1_100));
    let (gaps, length) = play(&[1_000, 1_020, 0, 20, 240]);
    assert_eq!((gaps.len(), gaps[0].lost_ms, length), (1, 200, 1_300));
}

#[test]
fn a_mad_stamp_cannot_ask_for_gigabytes() {
    assert_eq!(play(&[0, u64::MAX, u64::MAX - 1]), (vec![], 60), "another clock");
    let minutes = 55 * 60_000;
    let (gaps, length) = play(&[0, minutes, minutes + 20]);
    assert_eq!((gaps, length), (vec![Gap { start_ms: 20, lost_ms: minutes - 20 }], 3_300_040));
    assert_eq!(play(&[minutes, minutes + 20]), (vec![], 3_300_040), "a late leg");
}

#[test]
fn half_a_sample_waits_for_its_other_half() {
    let bytes: Vec<u8> = (0..200).map(|n| n * 37 % 251).map(|n: u32| n as u8).collect();
    let mut whole = Vec::new();
    LegDecoder::new(Codec::PcmS16Le, 16_000).unwrap().push(&bytes, &mut whole).unwrap();
    let mut parts = Vec::new();
    let mut decoder = LegDecoder::new(Codec::PcmS16Le, 16_000).unwrap();
    for part in bytes.chunks(7) {
        decoder.push(part, &mut parts).unwrap();
    }
    assert_eq!(whole, parts);
}

#[test]
fn half_a_sample_waits_through_a_pause_only_if_the_wire_goes_on() {
    let sample = 0x4000_i16.to_le_bytes();
    let play = |in_pause: &[u8], after: &[u8]| {
        let mut decoder = LegDecoder::new(Codec::PcmS16Le, 16_000).unwrap();
        let mut before = Vec::new();
        decoder.push(&[0, 0, 0x7F], &mut before).unwrap();
        decoder.pause(&mut before);
        if !in_pause.is_empty() {
            decoder.push_unheard(in_pause, &mut before).unwrap();
        }
        decoder.resume();
        let mut heard = Vec::new();
        decoder.push(after, &mut heard).unwrap();
        heard
    };
    assert_eq!(play(&[], &sample.repeat(3)), [0.5; 3]);
    let odd: Vec<u8> = [0x7F].into_iter().chain(sample.repeat(2)).collect();
    assert_eq!(play(&odd[..3], &odd[3..]), [0.5; 1]);
}

/// A WAV header with the given format fields, and the data behind it.
fn wav(tag: u16, channels: u16, rate: u32, bits: u16, data: &[u8]) -> Vec<u8> {
    let block = channels * bits / 8;
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + data.len() as u32).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0");
    bytes.extend([tag, channels].into_iter().flat_map(u16::to_le_bytes));
    bytes.extend([rate, rate * u32::from(block)].into_iter().flat_map(u32::to_le_bytes));
    bytes.extend([block, bits].into_iter().flat_map(u16::to_le_bytes));
    bytes.extend(b"data");
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend(data);
    bytes
}

#[test]
fn reads_two_channels_of_every_wav_form() {
    let file = AudioFile::parse(wav(1, 2, 16_000, 16, &[0, 0x40, 0, 0xC0].repeat(500))).unwrap();
    assert_eq!((file.channels[0][7], file.channels[1][7]), (0.5, -0.5));
    assert_eq!((file.channels[0].len(), file.sample_rate_hz, file.g711), (500, 16_000, None));

    for (tag, codec) in [(7, Codec::Mulaw), (6, Codec::Alaw)] {
        let data = [0x80, 0x00].repeat(3_000);
        let file = AudioFile::parse(wav(tag, 2, 8_000, 8, &data)).unwrap();
        assert_eq!(file.channels[0], vec![file.channels[0][0]; 3_000]);
        assert_eq!(file.channels[0][0], -file.channels[1][0]);
        assert_eq!(file.g711, Some((codec, data)), "the bytes stay untouched");
        assert_eq!((file.duration_ms(), file.warnings.len()), (375, 0));
    }
}

#[test]
fn a_cut_file_plays_what_is_there() {
    let mut bytes = wav(7, 2, 8_000, 8, &[0x80; 16_000]);
    bytes.truncate(44 + 4_001);
    let file = AudioFile::parse(bytes).unwrap();
    assert_eq!(file.channels[0].len(), 2_000);
    assert_eq!(file.warnings, ["the file ends too early: 0.3 s of 1.0 s are there"]);
}

#[test]
fn a_piped_file_whose_length_nobody_knew_is_whole() {
    let mut bytes = wav(1, 1, 8_000, 16, &[1; 800]);
    bytes[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    bytes[40..44].copy_from_slice(&u32::MAX.to_le_bytes());
    let file = AudioFile::parse(bytes).unwrap();
    assert_eq!((file.channels[0].len(), file.warnings.len()), (400, 0));
}

#[test]
fn a_file_that_cannot_be_played_says_why() {
    let check = |bytes: Vec<u8>, says: &str| {
        let error = AudioFile::parse(bytes).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
        assert_eq!(error.kind(), crate::domain::ErrorKind::Invalid);
    };
    check(vec![], "length is zero");
    let mut cut_m4a = b"\0\0\0\x18ftypM4A \0\0\0\0M4A isom\0\x10\0\0mdat".to_vec();
    cut_m4a.extend([0x21; 900]);
    check(cut_m4a, "ends too early");
    check(b"turns out to be a letter to the editor".repeat(50), "is no audio file");
    check(wav(1, 1, 8_000, 16, &[]), "length is zero");
    check(wav(1, 3, 8_000, 16, &[0; 600]), "has 3 channels");
    check(wav(1, 0, 8_000, 16, &[0; 600]), "has 0 channels");
    check(wav(1, 1, 96_000, 16, &[0; 600]), "has a sample rate of 96000 Hz");
    check(wav(1, 1, 4_000, 16, &[0; 600]), "has a sample rate of 4000 Hz");
    check(wav(0x55, 1, 8_000, 16, &[0; 600]), "not supported");
    check(wav(1, 1, 8_000, 16, &[0; 600])[..40].to_vec(), "ends before its audio begins");
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..600), form in 0..3) {
        match form {
            0 => {}
            1 => { bytes.splice(0..0, wav(1, 2, 8_000, 16, &[0; 8])); }
            _ => { bytes.splice(0..0, *b"fLaC\0\0\0\x22"); }
        }
        let _ = AudioFile::parse(bytes);
    }

    #[test]
    fn no_damage_to_a_header_makes_the_reader_panic(at in 0usize..44, byte: u8) {
        let mut bytes = wav(7, 2, 8_000, 8, &[0x80; 1_000]);
        bytes[at] = byte;
        let _ = AudioFile::parse(bytes);
    }
}
