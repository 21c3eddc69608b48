//! Sample-rate conversion with exact accounting, over rubato.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Async, FixedAsync, Resampler as _, SincInterpolationParameters, SincInterpolationType,
    WindowFunction,
};

use super::AudioError;

/// Length of the filter at the lower of the two rates. Half of it is the delay: 6 ms at 8 kHz,
/// and it leaves the telephone band (to 3.4 kHz) flat.
const FILTER_SAMPLES: u32 = 96;

/// With this many phases or fewer each output sample gets a filter of its own and nothing is
/// interpolated between filters; all usual rates are below (11.025 kHz needs 640).
const EXACT_PHASES: u32 = 640;

/// Converts one channel between two rates. Chunks may have any size: after [`Self::flush`] exactly
/// `round(n * to / from)` samples have come out for `n` that went in, and the first of them belongs
/// to the first of those.
pub struct Resampler {
    from_hz: u32,
    to_hz: u32,
    filter: Option<Filter>,
    taken: u64,
    given: u64,
}

struct Filter {
    inner: Async<f32>,
    /// Less than a chunk of input, waiting for the rest.
    waiting: Vec<f32>,
    scratch: Vec<f32>,
    /// Zeros to begin with, and the number of outputs before the one of the first sample.
    lead_in: usize,
    lead_out: usize,
    /// Output that belongs to the time before the first sample.
    to_skip: usize,
}

impl Resampler {
    /// # Errors
    /// `UnsupportedRate` unless both rates are from 8 to 48 kHz.
    pub fn new(from_hz: u32, to_hz: u32) -> Result<Self, AudioError> {
        for rate in [from_hz, to_hz] {
            if !(8_000..=48_000).contains(&rate) {
                return Err(AudioError::UnsupportedRate(rate));
            }
        }
        let filter = if from_hz == to_hz { None } else { Some(Filter::new(from_hz, to_hz)?) };
        Ok(Self { from_hz, to_hz, filter, taken: 0, given: 0 })
    }

    pub fn push(&mut self, input: &[f32], out: &mut Vec<f32>) -> Result<(), AudioError> {
        let before = out.len();
        match &mut self.filter {
            None => out.extend_from_slice(input),
            Some(filter) => filter.push(input, out)?,
        }
        self.taken += input.len() as u64;
        self.given += (out.len() - before) as u64;
        Ok(())
    }

    /// Pushes out what the filter still holds. The next `push` begins a new stretch of audio.
    pub fn flush(&mut self, out: &mut Vec<f32>) -> Result<(), AudioError> {
        if let Some(filter) = &mut self.filter {
            let due =
                rounded_ratio(self.taken, self.to_hz, self.from_hz).saturating_sub(self.given);
            let before = out.len();
            let wanted = before + due as usize;
            let silence = [0.0; 256];
            while out.len() < wanted {
                filter.push(&silence, out)?;
            }
            out.truncate(wanted);
            filter.reset();
        }
        (self.taken, self.given) = (0, 0);
        Ok(())
    }
}

impl Filter {
    fn new(from_hz: u32, to_hz: u32) -> Result<Self, AudioError> {
        let ratio = f64::from(to_hz) / f64::from(from_hz);
        let length = (f64::from(FILTER_SAMPLES) / ratio.min(1.0)).round() as usize;
        let divisor = greatest_common_divisor(from_hz, to_hz);
        let (phases, step) = (to_hz / divisor, from_hz / divisor);
        let parameters = SincInterpolationParameters::new(length, WindowFunction::Blackman);
        let parameters = if phases <= EXACT_PHASES {
            parameters
                .oversampling_factor(phases as usize)
                .interpolation(SincInterpolationType::Nearest)
        } else {
            parameters.oversampling_factor(256).interpolation(SincInterpolationType::Linear)
        };
        // 5 ms at a time: the smallest frames that telephony uses pass without waiting.
        let chunk = (from_hz / 200) as usize;
        let inner = Async::new_sinc(ratio, 1.0, &parameters, chunk, 1, FixedAsync::Input)
            .map_err(|error| AudioError::Resampler(error.to_string()))?;
        let (lead_in, lead_out) = alignment(length.next_multiple_of(8), phases, step);
        let mut filter = Self {
            scratch: vec![0.0; inner.output_frames_max()],
            waiting: Vec::with_capacity(chunk),
            inner,
            lead_in,
            lead_out,
            to_skip: 0,
        };
        filter.reset();
        Ok(filter)
    }

    fn push(&mut self, mut input: &[f32], out: &mut Vec<f32>) -> Result<(), AudioError> {
        let chunk = self.inner.input_frames_next();
        while self.waiting.len() >= chunk {
            let lead: Vec<f32> = self.waiting.drain(..chunk).collect();
            self.process(&lead, out)?;
        }
        if !self.waiting.is_empty() {
            let (head, rest) = input.split_at(input.len().min(chunk - self.waiting.len()));
            self.waiting.extend_from_slice(head);
            input = rest;
            if self.waiting.len() < chunk {
                return Ok(());
            }
            let waiting = std::mem::take(&mut self.waiting);
            self.process(&waiting, out)?;
            self.waiting = waiting;
            self.waiting.clear();
        }
        let mut chunks = input.chunks_exact(chunk);
        for whole in &mut chunks {
            self.process(whole, out)?;
        }
        self.waiting.extend_from_slice(chunks.remainder());
        Ok(())
    }

    fn process(&mut self, chunk: &[f32], out: &mut Vec<f32>) -> Result<(), AudioError> {
        let failed = |error: &dyn std::fmt::Display| AudioError::Resampler(error.to_string());
        let input = InterleavedSlice::new(chunk, 1, chunk.len()).map_err(|e| failed(&e))?;
        let room = self.scratch.len();
        let mut output =
            InterleavedSlice::new_mut(&mut self.scratch, 1, room).map_err(|e| failed(&e))?;
        let (_, made) =
            self.inner.process_into_buffer(&input, &mut output, None).map_err(|e| failed(&e))?;
        let skipped = self.to_skip.min(made);
        self.to_skip -= skipped;
        out.extend_from_slice(&self.scratch[skipped..made]);
        Ok(())
    }

    fn reset(&mut self) {
        self.inner.reset();
        self.waiting.clear();
        self.waiting.resize(self.lead_in, 0.0);
        self.to_skip = self.lead_out;
    }
}

/// How many zeros to put before the input, and how many outputs to drop then, so that the first
/// output that is left falls exactly on the first sample.
///
/// rubato's own `output_delay` is off by up to some samples: its output number `k` stands at input
/// position `-length / 2 + (step * (k + 1) + 1) / phases` (the tables are one phase early). This is
/// solved for the position that the first sample has behind `lead_in` zeros.
fn alignment(length: usize, phases: u32, step: u32) -> (usize, usize) {
    let (phases, step) = (phases as usize, step as usize);
    if phases > EXACT_PHASES as usize {
        return (0, (length * phases / 2).div_ceil(step) - 1);
    }
    (0..step)
        .map(|lead_in| (lead_in, (lead_in + length / 2) * phases - 1))
        .find(|(_, position)| position % step == 0)
        .map(|(lead_in, position)| (lead_in, position / step - 1))
        .expect(
            "phases and step have no common divisor, so one of step positions fits; this is a bug",
        )
}

/// `count * to / from`, rounded half up.
pub(super) fn rounded_ratio(count: u64, to: u32, from: u32) -> u64 {
    let (count, to, from) = (u128::from(count), u128::from(to), u128::from(from));
    ((count * to * 2 + from) / (from * 2)) as u64
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}
