use super::resample::{Resampler, rounded_ratio};
use super::{AudioError, Codec, Gap, SAMPLE_RATE_HZ};

/// How far the wire's clock may run ahead of the samples before something must be missing. Vendors
/// stamp with jitter of a packet or two.
const TOLERANCE_MS: u64 = 60;

/// No more silence than this is made up for one gap, so that a mad time stamp can't ask for
/// gigabytes.
const LONGEST_SILENCE_MS: u64 = 10_000;

/// Decodes one party's wire payloads to 16 kHz mono.
///
/// The leg's clock is the number of samples it has seen. The wire's stamps only tell where audio
/// is missing: silence takes its place, so that all legs of a call stay on one clock.
pub struct LegDecoder {
    codec: Codec,
    sample_rate_hz: u32,
    resampler: Resampler,
    /// Samples at the wire's rate so far, made-up silence included.
    samples: u64,
    /// The wire's time minus the leg's; 0 unless the wire's clock jumped.
    offset_ms: i64,
    heard_anything: bool,
    /// First half of a 16-bit sample whose second half comes in the next payload.
    half_sample: Option<u8>,
    decoded: Vec<f32>,
}

impl LegDecoder {
    /// # Errors
    /// `UnsupportedRate` for a rate outside 8 to 48 kHz.
    pub fn new(codec: Codec, sample_rate_hz: u32) -> Result<Self, AudioError> {
        Ok(Self {
            codec,
            sample_rate_hz,
            resampler: Resampler::new(sample_rate_hz, SAMPLE_RATE_HZ)?,
            samples: 0,
            offset_ms: 0,
            heard_anything: false,
            half_sample: None,
            decoded: Vec::new(),
        })
    }

    /// Decodes one payload and appends 16 kHz samples (-1 to 1) to `out`. `at_ms` is the wire's
    /// time of the first sample; a jump ahead becomes silence and is returned, except before the
    /// first audio: a leg that joins late has lost nothing.
    pub fn push(
        &mut self,
        payload: &[u8],
        at_ms: Option<u64>,
        out: &mut Vec<f32>,
    ) -> Result<Option<Gap>, AudioError> {
        self.decoded.clear();
        let gap = at_ms.and_then(|at_ms| self.missing_before(at_ms));
        if let Some(gap) = gap {
            self.half_sample = None;
            let silence = rounded_ratio(gap.lost_ms, self.sample_rate_hz, 1_000) as usize;
            self.decoded.resize(silence, 0.0);
        }
        self.decode(payload);
        self.samples += self.decoded.len() as u64;
        self.resampler.push(&self.decoded, out)?;
        // A long silence shouldn't occupy memory until the call ends.
        self.decoded.shrink_to(self.sample_rate_hz as usize);
        let joined_late = !self.heard_anything;
        self.heard_anything = true;
        Ok(gap.filter(|_| !joined_late))
    }

    /// Puts silence where audio was dropped on our side, so that the clock doesn't slip.
    ///
    /// # Errors
    /// As `push`.
    pub fn skip(&mut self, lost_ms: u64, out: &mut Vec<f32>) -> Result<Gap, AudioError> {
        let start_ms = rounded_ratio(self.samples, 1_000, self.sample_rate_hz);
        let lost_ms = lost_ms.min(LONGEST_SILENCE_MS);
        let samples = rounded_ratio(lost_ms, self.sample_rate_hz, 1_000);
        self.half_sample = None;
        self.samples += samples;
        self.resampler.push(&vec![0.0; samples as usize], out)?;
        Ok(Gap { start_ms, lost_ms })
    }

    /// Appends what the filter still holds.
    pub fn flush(&mut self, out: &mut Vec<f32>) {
        // The filter can only fail for buffers of a wrong size, which `push` would have met.
        let _ = self.resampler.flush(out);
    }

    fn decode(&mut self, mut payload: &[u8]) {
        if self.codec == Codec::PcmS16Le {
            if let (Some(low), [high, rest @ ..]) = (self.half_sample, payload) {
                self.codec.decode(&[low, *high], &mut self.decoded);
                self.half_sample = None;
                payload = rest;
            }
            if let (true, [rest @ .., low]) = (payload.len() % 2 == 1, payload) {
                self.half_sample = Some(*low);
                payload = rest;
            }
        }
        self.codec.decode(payload, &mut self.decoded);
    }

    fn missing_before(&mut self, at_ms: u64) -> Option<Gap> {
        let now_ms = rounded_ratio(self.samples, 1_000, self.sample_rate_hz);
        let wire_ms = i64::try_from(at_ms).unwrap_or(i64::MAX).saturating_sub(self.offset_ms);
        let ahead_ms = wire_ms.saturating_sub_unsigned(now_ms);
        if ahead_ms.unsigned_abs() <= TOLERANCE_MS {
            return None;
        }
        if ahead_ms < 0 {
            // The wire's clock is slower than its samples, or was set back. What has been heard
            // stays where it is; gaps are measured from here on.
            self.offset_ms = self.offset_ms.saturating_add(ahead_ms);
            return None;
        }
        let lost_ms = ahead_ms.unsigned_abs().min(LONGEST_SILENCE_MS);
        self.offset_ms = self.offset_ms.saturating_add(ahead_ms.saturating_sub_unsigned(lost_ms));
        Some(Gap { start_ms: now_ms, lost_ms })
    }
}
