//! Recognises what telephone networks play: dial tone, ringback, busy, DTMF, beeps.
//!
//! The speech detector fires on all of them. They are sums of one or two steady sinusoids (ITU-T
//! E.180, Q.23), so nearly all their energy stays in the same one or two spectral peaks; speech
//! has many harmonics and none of them stands still for a fifth of a second.

use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

use super::gate::FRAME_SAMPLES;

const WINDOW: usize = 2 * FRAME_SAMPLES;
const HZ_PER_BIN: f32 = 16_000.0 / WINDOW as f32;
/// Share of the band's energy that the two strongest peaks of a tone hold.
const CONCENTRATION: f32 = 0.93;
/// Frames that the same peaks have to last.
const STEADY_FRAMES: u32 = 10;

pub struct ToneGuard {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    last: [f32; FRAME_SAMPLES],
    input: Vec<f32>,
    spectrum: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    peaks: (usize, usize),
    steady: u32,
}

impl Default for ToneGuard {
    fn default() -> Self {
        let fft = RealFftPlanner::<f32>::new().plan_fft_forward(WINDOW);
        let window = (0..WINDOW)
            .map(|n| {
                let phase = std::f32::consts::TAU * n as f32 / WINDOW as f32;
                0.5 - 0.5 * phase.cos()
            })
            .collect();
        Self {
            input: fft.make_input_vec(),
            spectrum: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            fft,
            window,
            last: [0.0; FRAME_SAMPLES],
            peaks: (0, 0),
            steady: 0,
        }
    }
}

impl ToneGuard {
    /// True while a steady tone plays.
    pub fn frame(&mut self, samples: &[f32; FRAME_SAMPLES]) -> bool {
        for (slot, (sample, weight)) in
            self.input.iter_mut().zip(self.last.iter().chain(samples).zip(&self.window))
        {
            *slot = sample * weight;
        }
        self.last = *samples;
        let done =
            self.fft.process_with_scratch(&mut self.input, &mut self.spectrum, &mut self.scratch);
        if done.is_err() {
            return false;
        }
        let (concentration, peaks) = self.two_peaks();
        let same = peaks.0.abs_diff(self.peaks.0) <= 2 && peaks.1.abs_diff(self.peaks.1) <= 2;
        self.steady = match (concentration >= CONCENTRATION, same) {
            (true, true) => (self.steady + 1).min(2 * STEADY_FRAMES),
            (true, false) => 1,
            // Two close tones (ringback) beat: for a frame or two there is next to nothing.
            (false, _) => self.steady.saturating_sub(3),
        };
        self.peaks = peaks;
        self.steady >= STEADY_FRAMES
    }

    /// The share of the band's energy in the two strongest peaks, and their bins in order.
    fn two_peaks(&self) -> (f32, (usize, usize)) {
        let low = (200.0 / HZ_PER_BIN) as usize;
        let high = (3_600.0 / HZ_PER_BIN) as usize;
        let power: Vec<f32> = self.spectrum[..=high + 3].iter().map(|bin| bin.norm_sqr()).collect();
        let total: f32 = power[low..=high].iter().sum();
        if total <= 1e-6 {
            return (0.0, (0, 0));
        }
        // A Hann window spreads a sinusoid over three bins, five with its skirts, and ringback's two
        // lie only 50 Hz apart.
        let around = |bin: usize| power[bin.saturating_sub(3)..=bin + 3].iter().sum::<f32>();
        let strongest = |except: Option<usize>| {
            (low..=high)
                .filter(|bin| except.is_none_or(|other| bin.abs_diff(other) > 6))
                .max_by(|a, b| power[*a].total_cmp(&power[*b]))
                .unwrap_or(low)
        };
        let first = strongest(None);
        let second = strongest(Some(first));
        let mut concentration = around(first) / total;
        // A single tone has nothing of weight in a second place, wherever that lies.
        let pair = if around(second) > 0.05 * around(first) {
            concentration += around(second) / total;
            (first.min(second), first.max(second))
        } else {
            (first, first)
        };
        (concentration.min(1.0), pair)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share_marked(make: impl Fn(f32) -> f32) -> f32 {
        let mut guard = ToneGuard::default();
        let frames = 125;
        let marked = (0..frames)
            .filter(|frame| {
                let samples =
                    std::array::from_fn(|n| make((frame * FRAME_SAMPLES + n) as f32 / 16_000.0));
                guard.frame(&samples)
            })
            .count();
        marked as f32 / frames as f32
    }

    fn sine(hz: f32, t: f32) -> f32 {
        0.3 * (std::f32::consts::TAU * hz * t).sin()
    }

    #[test]
    fn network_tones_are_tones() {
        // British dial tone, ringback, DTMF 5, a 425 Hz busy tone.
        for (low, high) in [(350.0, 440.0), (400.0, 450.0), (770.0, 1_336.0), (425.0, 425.0)] {
            let share = share_marked(|t| sine(low, t) + sine(high, t));
            assert!(share > 0.85, "{low}+{high} Hz: {share}");
        }
    }

    #[test]
    fn a_voice_with_harmonics_that_moves_is_none() {
        let share = share_marked(|t| {
            let pitch = 120.0 + 15.0 * (std::f32::consts::TAU * 4.0 * t).sin();
            (1..20).map(|harmonic| sine(pitch * harmonic as f32, t) / harmonic as f32).sum()
        });
        assert!(share < 0.02, "{share}");
    }
}
