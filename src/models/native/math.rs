//! What happens between the matrix products. Written as plain loops that the compiler turns into
//! vector instructions inside `dispatch!`.

use fearless_simd::{Level, dispatch};

/// e^x by 2^n · 2^f with a polynomial for 2^f; relative error below 2e-5 from -87 to 87.
/// Coefficients: the Taylor series of 2^f, -0.5 ≤ f ≤ 0.5.
#[inline(always)]
pub(in crate::models) fn exp(x: f32) -> f32 {
    let scaled = (x * std::f32::consts::LOG2_E).clamp(-126.0, 126.0);
    let shifted = scaled + 12_582_912.0;
    let whole = shifted - 12_582_912.0;
    let f = scaled - whole;
    let p = 1.540_353e-4;
    let p = p * f + 1.333_355_8e-3;
    let p = p * f + 9.618_129e-3;
    let p = p * f + 5.550_411e-2;
    let p = p * f + 2.402_265e-1;
    let p = p * f + std::f32::consts::LN_2;
    let p = p * f + 1.0;
    let power = f32::from_bits((whole as i32 + 127).cast_unsigned() << 23);
    p * power
}

/// The epsilon of Whisper's layer normalisation.
pub(super) const EPSILON: f32 = 1e-5;

/// Layer normalisation of each row of `gain.len()` numbers.
pub(super) fn normalise(
    level: Level,
    rows: &[f32],
    gain: &[f32],
    bias: &[f32],
    out: &mut Vec<f32>,
) {
    out.resize(rows.len(), 0.0);
    dispatch!(level, _simd => {
        for (row, out) in rows.chunks_exact(gain.len()).zip(out.chunks_exact_mut(gain.len())) {
            out.copy_from_slice(row);
            normalise_row(out, gain, bias, EPSILON);
        }
    });
}

/// Layer normalisation of one row (Ba, Kiros and Hinton 2016).
#[inline(always)]
pub(in crate::models) fn normalise_row(row: &mut [f32], gain: &[f32], bias: &[f32], epsilon: f32) {
    let mean = sum(row, |value| value) / row.len() as f32;
    let variance = sum(row, |value| (value - mean) * (value - mean)) / row.len() as f32;
    let factor = 1.0 / (variance + epsilon).sqrt();
    for ((value, gain), bias) in row.iter_mut().zip(gain).zip(bias) {
        *value = (*value - mean) * factor * gain + bias;
    }
}

#[inline(always)]
pub(in crate::models) fn sum(row: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let (chunks, rest) = row.as_chunks::<16>();
    let mut sums = [0.0_f32; 16];
    for chunk in chunks {
        for (sum, value) in sums.iter_mut().zip(chunk) {
            *sum += of(*value);
        }
    }
    sums.iter().sum::<f32>() + rest.iter().map(|value| of(*value)).sum::<f32>()
}

#[inline(always)]
pub(in crate::models) fn largest(row: &[f32]) -> f32 {
    let (chunks, rest) = row.as_chunks::<16>();
    let mut most = [f32::NEG_INFINITY; 16];
    for chunk in chunks {
        for (most, value) in most.iter_mut().zip(chunk) {
            *most = if *value > *most { *value } else { *most };
        }
    }
    most.iter().chain(rest).fold(f32::NEG_INFINITY, |most, value| most.max(*value))
}

/// The Gaussian error linear unit in its tanh form, which is a sigmoid.
pub(super) fn gelu(level: Level, values: &mut [f32]) {
    dispatch!(level, _simd => {
        for value in values.iter_mut() {
            let x = *value;
            *value = x / (1.0 + exp(-1.595_769 * (x + 0.044_715 * x * x * x)));
        }
    });
}

/// Turns scores into shares that add up to one.
#[inline(always)]
pub(in crate::models) fn softmax_row(row: &mut [f32]) {
    let most = largest(row);
    for value in row.iter_mut() {
        *value = exp(*value - most);
    }
    let factor = 1.0 / sum(row, |value| value);
    for value in row.iter_mut() {
        *value *= factor;
    }
}

pub(in crate::models) fn add(level: Level, to: &mut [f32], values: &[f32]) {
    dispatch!(level, _simd => {
        for (to, value) in to.iter_mut().zip(values) {
            *to += value;
        }
    });
}

pub(in crate::models) fn scale(level: Level, values: &mut [f32], factor: f32) {
    dispatch!(level, _simd => {
        for value in values.iter_mut() {
            *value *= factor;
        }
    });
}
