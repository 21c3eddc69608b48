use super::resample::{Resampler, rounded_ratio};
use super::{AudioError, Codec, Gap, Jump, SAMPLE_RATE_HZ};

/// How far the wire's clock may run ahead of the samples before something must be missing. Vendors
/// stamp with jitter of a packet or two.
const TOLERANCE_MS: u64 = 60;

/// Up to this length silence stands in for missing audio and the gate hears it; what was being
/// said across a longer gap is over anyway, and only the clock moves on.
const LONGEST_SILENCE_MS: u64 = 2_000;

/// A jump beyond this is no missing audio but another clock: gaps are measured from there on.
const LONGEST_GAP_MS: u64 = 3_600_000;

/// Decodes one party's wire payloads to 16 kHz mono.
///
/// The leg's clock is the number of samples it has seen. The wire's stamps only tell where audio
/// is missing: time passes without it, so that all legs of a call stay on one clock.
pub struct LegDecoder {
    codec: Codec,
    sample_rate_hz: u32,
    resampler: Resampler,
    /// Samples at the wire's rate so far, missing ones included.
    samples: u64,
    /// The wire's time minus the leg's; 0 unless the wire's clock jumped.
    offset_ms: i64,
    heard_anything: bool,
    /// First half of a 16-bit sample whose second half comes in the next payload.
    half_sample: Option<u8>,
    /// Payloads came since the pause, so the wire goes on where it was.
    passed_unheard: bool,
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
            passed_unheard: false,
            decoded: Vec::new(),
        })
    }

    /// Moves the clock to the wire's time of the next payload, if audio is missing before it. Appends
    /// to `out` what belongs before the place that is skipped.
    ///
    /// # Errors
    /// `Resampler` when the silence can't be resampled.
    pub fn catch_up(&mut self, at_ms: u64, out: &mut Vec<f32>) -> Result<Option<Jump>, AudioError> {
        let Some(gap) = self.missing_before(at_ms) else { return Ok(None) };
        let skip_samples = self.pass(gap.lost_ms, out)?;
        Ok(Some(Jump { gap, skip_samples, joins_late: !self.heard_anything }))
    }

    /// Moves the clock over audio that was dropped on our side.
    ///
    /// # Errors
    /// As `catch_up`.
    pub fn lose(&mut self, lost_ms: u64, out: &mut Vec<f32>) -> Result<Jump, AudioError> {
        let start_ms = rounded_ratio(self.samples, 1_000, self.sample_rate_hz);
        let gap = Gap { start_ms, lost_ms: lost_ms.min(LONGEST_GAP_MS) };
        let skip_samples = self.pass(gap.lost_ms, out)?;
        Ok(Jump { gap, skip_samples, joins_late: false })
    }

    /// Decodes one payload and appends 16 kHz samples (-1 to 1) to `out`.
    ///
    /// # Errors
    /// `Resampler` when it can't be resampled.
    pub fn push(&mut self, payload: &[u8], out: &mut Vec<f32>) -> Result<(), AudioError> {
        self.decoded.clear();
        self.decode(payload);
        self.heard_anything = true;
        self.samples += self.decoded.len() as u64;
        self.resampler.push(&self.decoded, out)
    }

    /// Lets a payload's time pass, with silence in the place of what it holds.
    ///
    /// # Errors
    /// As `push`.
    pub fn push_unheard(&mut self, payload: &[u8], out: &mut Vec<f32>) -> Result<(), AudioError> {
        self.decoded.clear();
        self.passed_unheard = true;
        self.decode(payload);
        self.decoded.fill(0.0);
        self.samples += self.decoded.len() as u64;
        self.resampler.push(&self.decoded, out)
    }

    /// Lets time pass without audio. Returns how many 16 kHz samples of it are not in `out`.
    fn pass(&mut self, lost_ms: u64, out: &mut Vec<f32>) -> Result<u64, AudioError> {
        let samples = rounded_ratio(lost_ms, self.sample_rate_hz, 1_000);
        self.half_sample = None;
        self.samples += samples;
        if lost_ms <= LONGEST_SILENCE_MS {
            self.resampler.push(&vec![0.0; samples as usize], out)?;
            return Ok(0);
        }
        self.resampler.flush(out)?;
        Ok(rounded_ratio(lost_ms, SAMPLE_RATE_HZ, 1_000))
    }

    /// Appends what the filter still holds.
    pub fn flush(&mut self, out: &mut Vec<f32>) {
        // The filter can only fail for buffers of a wrong size, which `push` would have met.
        let _ = self.resampler.flush(out);
    }

    /// Appends what the filter still holds, because nothing is heard from here on.
    pub fn pause(&mut self, out: &mut Vec<f32>) {
        self.passed_unheard = false;
        self.flush(out);
    }

    /// What comes next is heard. A wire that was silent begins with a whole sample.
    pub fn resume(&mut self) {
        if !self.passed_unheard {
            self.half_sample = None;
        }
    }

    /// A new leg of a conversation of which `now_ms` have passed. Returns how many 16 kHz samples of it
    /// are passed over.
    pub fn begin_at(&mut self, now_ms: u64) -> u64 {
        self.samples = rounded_ratio(now_ms, self.sample_rate_hz, 1_000);
        rounded_ratio(now_ms, SAMPLE_RATE_HZ, 1_000)
    }

    /// What comes next on this one's wire is taken by `next`, on the same clock.
    pub fn hand_over_to(&mut self, next: &mut Self) {
        next.half_sample = self.half_sample.take();
        next.samples = self.samples;
        next.offset_ms = self.offset_ms;
        // What is missing from here on is missed: the wire was heard before.
        next.heard_anything = self.heard_anything;
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
        if ahead_ms.unsigned_abs() > LONGEST_GAP_MS {
            self.offset_ms = self.offset_ms.saturating_add(ahead_ms);
            return None;
        }
        Some(Gap { start_ms: now_ms, lost_ms: ahead_ms.unsigned_abs() })
    }
}
