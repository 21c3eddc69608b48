//! The log-mel spectrogram that Whisper listens to.
//!
//! Source: `log_mel_spectrogram` of openai/whisper: 400-point Hann window every 160 samples, power,
//! 80 Slaney bins, log10, at most 8 below the loudest, then (x + 4) / 4.

use std::sync::Arc;

use realfft::{RealFftPlanner, RealToComplex};

pub(super) const BINS: usize = 80;
const FREQUENCIES: usize = 201;
const WINDOW: usize = 400;
const HOP: usize = 160;

/// A bin and the frequencies that it hears.
struct Filter {
    first: usize,
    weights: Vec<f32>,
}

pub(super) struct Mel {
    filters: Vec<Filter>,
    window: Vec<f32>,
    transform: Arc<dyn RealToComplex<f32>>,
}

impl Mel {
    /// From 80 rows of 201 weights.
    pub fn new(bank: &[f32]) -> Self {
        let filters = bank
            .chunks_exact(FREQUENCIES)
            .map(|row| {
                let first = row.iter().position(|weight| *weight != 0.0).unwrap_or(0);
                let last = row.iter().rposition(|weight| *weight != 0.0).unwrap_or(0);
                Filter { first, weights: row[first..=last].to_vec() }
            })
            .collect();
        let window = (0..WINDOW)
            .map(|at| {
                let angle = std::f64::consts::TAU * at as f64 / WINDOW as f64;
                (0.5 - 0.5 * angle.cos()) as f32
            })
            .collect();
        Self { filters, window, transform: RealFftPlanner::new().plan_fft_forward(WINDOW) }
    }

    /// `frames` rows of 80 bins between two rows of zeros, silence after the samples' end.
    pub fn frames(&self, samples: &[f32], frames: usize, out: &mut Vec<f32>) {
        out.clear();
        out.resize((frames + 2) * BINS, 0.0);
        let mut input = self.transform.make_input_vec();
        let mut output = self.transform.make_output_vec();
        let mut scratch = self.transform.make_scratch_vec();
        let half = WINDOW / 2;
        let mut loudest = f32::NEG_INFINITY;
        for (frame, row) in out[BINS..].chunks_exact_mut(BINS).take(frames).enumerate() {
            let begin = frame * HOP;
            for (at, (input, window)) in input.iter_mut().zip(&self.window).enumerate() {
                // The beginning is mirrored.
                let from = (begin + at).abs_diff(half);
                let from = if begin + at < half { from } else { begin + at - half };
                *input = samples.get(from).copied().unwrap_or(0.0) * window;
            }
            // The lengths are the planner's own.
            if self.transform.process_with_scratch(&mut input, &mut output, &mut scratch).is_err() {
                return;
            }
            for (bin, filter) in row.iter_mut().zip(&self.filters) {
                let heard = output[filter.first..].iter().zip(&filter.weights);
                let power: f32 = heard.map(|(value, weight)| value.norm_sqr() * weight).sum();
                *bin = power.max(1e-10).log10();
                loudest = loudest.max(*bin);
            }
        }
        let end = out.len() - BINS;
        for value in &mut out[BINS..end] {
            *value = (value.max(loudest - 8.0) + 4.0) / 4.0;
        }
    }
}
