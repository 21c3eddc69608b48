//! G.711 and 16-bit PCM: bytes of the wire ⇄ linear samples.
//!
//! The tables are computed at compile time from the segment formulas of ITU-T G.711, on the 16-bit
//! scale that every telephony library uses (µ-law reaches ±32124, A-law ±32256).

/// How samples stand on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// 16-bit signed little-endian.
    PcmS16Le,
    /// G.711 µ-law.
    Mulaw,
    /// G.711 A-law.
    Alaw,
}

impl Codec {
    /// As our own protocols and events name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PcmS16Le => "pcm_s16le",
            Self::Mulaw => "mulaw",
            Self::Alaw => "alaw",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::PcmS16Le, Self::Mulaw, Self::Alaw].into_iter().find(|codec| codec.as_str() == text)
    }

    pub const fn bytes_per_sample(self) -> usize {
        match self {
            Self::PcmS16Le => 2,
            Self::Mulaw | Self::Alaw => 1,
        }
    }

    /// Appends the samples of `payload`. An incomplete last sample is left out.
    pub fn decode(self, payload: &[u8], out: &mut Vec<f32>) {
        match self {
            Self::PcmS16Le => out.extend(
                payload
                    .as_chunks::<2>()
                    .0
                    .iter()
                    .map(|&bytes| sample_to_f32(i16::from_le_bytes(bytes))),
            ),
            Self::Mulaw => {
                out.extend(payload.iter().map(|&byte| sample_to_f32(MULAW[usize::from(byte)])));
            }
            Self::Alaw => {
                out.extend(payload.iter().map(|&byte| sample_to_f32(ALAW[usize::from(byte)])));
            }
        }
    }

    /// Appends the bytes of one sample.
    pub fn encode(self, sample: i16, out: &mut Vec<u8>) {
        match self {
            Self::PcmS16Le => out.extend(sample.to_le_bytes()),
            Self::Mulaw => out.push(linear_to_mulaw(sample)),
            Self::Alaw => out.push(linear_to_alaw(sample)),
        }
    }
}

pub fn sample_to_f32(sample: i16) -> f32 {
    f32::from(sample) / 32_768.0
}

/// Rounds to the nearest 16-bit sample; what is too loud is clipped.
pub fn sample_to_i16(sample: f32) -> i16 {
    // `as` saturates, and turns a NaN into silence.
    (sample * 32_768.0).round() as i16
}

static MULAW: [i16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = mulaw_to_linear(byte as u8);
        byte += 1;
    }
    table
};

static ALAW: [i16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = alaw_to_linear(byte as u8);
        byte += 1;
    }
    table
};

/// Added before the logarithm is taken, so that every segment begins at a power of two.
const MULAW_BIAS: i16 = 0x84;

const fn mulaw_to_linear(byte: u8) -> i16 {
    let bits = !byte;
    let segment = (bits >> 4) & 0x07;
    let step = (bits & 0x0F) as i16;
    let magnitude = (((step << 3) + MULAW_BIAS) << segment) - MULAW_BIAS;
    if bits & 0x80 == 0 { magnitude } else { -magnitude }
}

const fn alaw_to_linear(byte: u8) -> i16 {
    // Even bits are inverted on the wire, to keep the line busy in silence.
    let bits = byte ^ 0x55;
    let segment = (bits >> 4) & 0x07;
    let step = ((bits & 0x0F) as i16) << 4;
    let magnitude = match segment {
        0 => step + 8,
        _ => (step + 0x108) << (segment - 1),
    };
    if bits & 0x80 == 0 { -magnitude } else { magnitude }
}

fn linear_to_mulaw(sample: i16) -> u8 {
    const CLIP: u16 = 32_635;
    let sign = if sample < 0 { 0x80 } else { 0 };
    let biased = sample.unsigned_abs().min(CLIP) + MULAW_BIAS.unsigned_abs();
    // The bias guarantees bit 7, the clip forbids bit 15: segments 0 to 7.
    let segment = (biased.ilog2() - 7) as u8;
    let step = ((biased >> (segment + 3)) & 0x0F) as u8;
    !(sign | (segment << 4) | step)
}

fn linear_to_alaw(sample: i16) -> u8 {
    // One's complement for negatives, so that both halves have the same number of steps.
    let (mask, magnitude) =
        if sample >= 0 { (0xD5, sample as u16) } else { (0x55, !(sample as u16)) };
    let thirteen_bits = magnitude >> 3;
    let segment = if thirteen_bits < 0x20 { 0 } else { (thirteen_bits.ilog2() - 4) as u8 };
    let shift = segment.max(1);
    let step = ((thirteen_bits >> shift) & 0x0F) as u8;
    ((segment << 4) | step) ^ mask
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points of the tables in G.711 (2a and 1a), scaled to 16 bits.
    #[test]
    fn decodes_the_values_of_the_standard() {
        for (byte, sample) in
            [(0x00, -32124), (0x80, 32124), (0xFF, 0), (0x7F, 0), (0xEF, 132), (0x6F, -132)]
        {
            assert_eq!(MULAW[byte], sample, "µ-law {byte:#04x}");
        }
        for (byte, sample) in
            [(0xD5, 8), (0x55, -8), (0xAA, 32256), (0x2A, -32256), (0x80, 5504), (0x00, -5504)]
        {
            assert_eq!(ALAW[byte], sample, "A-law {byte:#04x}");
        }
    }

    #[test]
    fn every_byte_survives_decoding_and_encoding() {
        for byte in 0..=255u8 {
            // µ-law has two zeros; the encoder writes the positive one.
            let canonical = if byte == 0x7F { 0xFF } else { byte };
            assert_eq!(linear_to_mulaw(MULAW[usize::from(byte)]), canonical);
            assert_eq!(linear_to_alaw(ALAW[usize::from(byte)]), byte);
        }
    }

    #[test]
    fn a_clipped_or_broken_sample_stays_in_range() {
        assert_eq!(sample_to_i16(1.5), i16::MAX);
        assert_eq!(sample_to_i16(-1.5), i16::MIN);
        assert_eq!(sample_to_i16(f32::NAN), 0);
    }

    proptest::proptest! {
        /// A step is at most 1/16 of its segment, so the error is at most about 1/32 of the
        /// magnitude, plus the smallest step.
        #[test]
        fn quantisation_stays_within_the_step(sample in -32_000i16..=32_000) {
            for codec in [Codec::Mulaw, Codec::Alaw] {
                let (mut bytes, mut back) = (Vec::new(), Vec::new());
                codec.encode(sample, &mut bytes);
                codec.decode(&bytes, &mut back);
                let error = (back[0] * 32_768.0 - f32::from(sample)).abs();
                proptest::prop_assert!(error <= f32::from(sample).abs() / 30.0 + 10.0, "{sample} {error}");
            }
        }

        #[test]
        fn sixteen_bits_survive_exactly(sample: i16) {
            let (mut bytes, mut back) = (Vec::new(), Vec::new());
            Codec::PcmS16Le.encode(sample, &mut bytes);
            Codec::PcmS16Le.decode(&bytes, &mut back);
            proptest::prop_assert_eq!(sample_to_i16(back[0]), sample);
        }
    }
}
