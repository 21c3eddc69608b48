//! The mel filter bank that Whisper was trained with: Slaney's, 16 kHz, 400-point transform, 80 bins.

/// Mel bins.
pub(super) const BINS: u32 = 80;
/// Frequencies of a 400-point transform.
pub(super) const FREQUENCIES: u32 = 201;

const HIGHEST_HZ: f64 = 8000.0;
/// Slaney's scale is linear below 1 kHz (15 mel) and logarithmic above, 27 mel for a factor of 6.4.
const LINEAR_HZ_PER_MEL: f64 = 200.0 / 3.0;
const BREAK_HZ: f64 = 1000.0;
const BREAK_MEL: f64 = 15.0;
const LN_6_4: f64 = 1.856_297_990_365_626;
const LOG_STEP: f64 = LN_6_4 / 27.0;

/// The bank, row by row: [`BINS`] × [`FREQUENCIES`] weights.
///
/// Formula: librosa `filters.mel(htk=False, norm="slaney")`, to which it agrees within 2e-9.
pub(super) fn slaney() -> Vec<f32> {
    let highest_mel = BREAK_MEL + std::f64::consts::LN_2 * 3.0 / LOG_STEP;
    let edges: Vec<f64> =
        (0..BINS + 2).map(|i| hz(f64::from(i) * highest_mel / f64::from(BINS + 1))).collect();
    let mut bank = Vec::with_capacity((BINS * FREQUENCIES) as usize);
    for edge in edges.windows(3) {
        let (low, centre, high) = (edge[0], edge[1], edge[2]);
        let area = 2.0 / (high - low);
        for k in 0..FREQUENCIES {
            let frequency = f64::from(k) * HIGHEST_HZ / f64::from(FREQUENCIES - 1);
            let rise = (frequency - low) / (centre - low);
            let fall = (high - frequency) / (high - centre);
            bank.push((rise.min(fall).max(0.0) * area) as f32);
        }
    }
    bank
}

fn hz(mel: f64) -> f64 {
    if mel < BREAK_MEL {
        mel * LINEAR_HZ_PER_MEL
    } else {
        BREAK_HZ * exp((mel - BREAK_MEL) * LOG_STEP)
    }
}

/// e^x for 0 ≤ x < 3 by its series: the system's own `exp` may differ in the last bit between
/// machines, and the output has to be the same everywhere.
fn exp(x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for n in 1..40 {
        term *= x / f64::from(n);
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bin_is_a_triangle_of_the_known_height() {
        let bank = slaney();
        assert_eq!(bank.len(), 16_080);
        // librosa.filters.mel(sr=16000, n_fft=400, n_mels=80): [0, :3] and [1, 1].
        let known = [(0, 0.0), (1, 0.024_862_593_f32), (2, 0.0), (202, 0.001_990_825_2)];
        for (at, expected) in known {
            assert!((bank[at] - expected).abs() < 1e-7, "{at}: {} against {expected}", bank[at]);
        }
        let last = &bank[79 * 201..];
        assert!(last[200] < 1e-6 && last.iter().any(|weight| *weight > 0.001));
    }

    #[test]
    fn the_series_agrees_with_the_system() {
        for i in 0..300 {
            let x = f64::from(i) / 100.0;
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-14);
        }
    }
}
