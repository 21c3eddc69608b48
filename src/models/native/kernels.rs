//! The inner loops of the matrix products: one tile of rows against one panel of 32 columns.
//!
//! Weights are packed once so that every loop reads memory from front to back. The widest
//! instructions that the machine has are chosen at run time; the results are the same but for
//! rounding.

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch, f32x16, i8x32, i8x64, i32x8, i32x16};

/// Columns that are computed together.
pub(in crate::models) const PANEL: usize = 32;
/// Bytes of one column that are multiplied by one instruction.
pub(in crate::models) const QUAD: usize = 4;
/// Inputs that share a scale, in the weights as in what they are multiplied with.
pub(super) const GROUP: usize = 128;
/// Rows that are computed together at most.
pub(super) const ROWS_MAX: usize = 12;

/// What turns the integer sums of a panel into numbers.
pub(super) struct Panel<'a> {
    /// `PANEL × QUAD` weights for each four inputs.
    pub weights: &'a [i8],
    /// For each group 128 times the sum of a column's weights: activations are shifted by as much.
    pub shifts: &'a [[i32; PANEL]],
    pub scales: &'a [[f32; PANEL]],
    pub bias: &'a [f32; PANEL],
}

/// How many rows a tile of 8-bit or of 32-bit products has on this machine: as many as its
/// registers hold.
pub(in crate::models) fn tile_rows(level: Level, rows: usize) -> usize {
    match rows {
        0..=1 => 1,
        2..=4 => 4,
        #[cfg(target_arch = "x86_64")]
        _ if level.as_avx512().is_some() => ROWS_MAX,
        _ => 4,
    }
}

/// What is added to activations of -127 to 127: where one instruction multiplies four bytes, the one side has
/// no sign.
pub(super) fn shift(level: Level) -> u8 {
    #[cfg(target_arch = "x86_64")]
    if level.as_avx512().is_none() && level.as_avx2().is_some() {
        return 0;
    }
    128
}

macro_rules! quads_avx512 {
    ($name:ident, $rows:literal) => {
        #[cfg(target_arch = "x86_64")]
        fearless_simd::kernel!(
            fn $name(
                simd: Avx512,
                quads: &[u32],
                scales: &[f32],
                panel: &Panel<'_>,
                out: &mut [f32],
                stride: usize,
            ) {
                use std::arch::x86_64::{
                    __m512i, _mm512_dpbusd_epi32, _mm512_set1_epi32, _mm512_setzero_si512,
                };
                let mut totals = [[0.0_f32; PANEL]; $rows];
                let (scales, _) = scales.as_chunks::<$rows>();
                let groups = quads
                    .chunks_exact($rows * GROUP / QUAD)
                    .zip(panel.weights.chunks_exact(PANEL * GROUP));
                for (number, (quads, weights)) in groups.enumerate() {
                    let mut sums = [[_mm512_setzero_si512(); 2]; $rows];
                    let (quads, _) = quads.as_chunks::<$rows>();
                    let (weights, _) = weights.as_chunks::<{ PANEL * QUAD }>();
                    for (quads, weights) in quads.iter().zip(weights) {
                        let low: __m512i = i8x64::from_slice(simd, &weights[..64]).into();
                        let high: __m512i = i8x64::from_slice(simd, &weights[64..]).into();
                        for (sums, quad) in sums.iter_mut().zip(quads) {
                            let quad = _mm512_set1_epi32(quad.cast_signed());
                            sums[0] = _mm512_dpbusd_epi32(sums[0], quad, low);
                            sums[1] = _mm512_dpbusd_epi32(sums[1], quad, high);
                        }
                    }
                    let rows = totals.iter_mut().zip(&sums).zip(&scales[number]);
                    for ((totals, sums), scale) in rows {
                        let mut whole = [0_i32; PANEL];
                        for (whole, sums) in whole.as_chunks_mut::<16>().0.iter_mut().zip(sums) {
                            let sums: i32x16<_> = (*sums).simd_into(simd);
                            sums.store_slice(whole);
                        }
                        collect(totals, &whole, *scale, panel, number);
                    }
                }
                finish(&totals, panel, out, stride);
            }
        );
    };
}
quads_avx512!(quads_avx512_1, 1);
quads_avx512!(quads_avx512_4, 4);
quads_avx512!(quads_avx512_12, 12);

macro_rules! quads_avx2 {
    ($name:ident, $rows:literal) => {
        #[cfg(target_arch = "x86_64")]
        fearless_simd::kernel!(
            fn $name(
                simd: Avx2,
                quads: &[u32],
                scales: &[f32],
                panel: &Panel<'_>,
                out: &mut [f32],
                stride: usize,
            ) {
                use std::arch::x86_64::{
                    __m256i, _mm256_abs_epi8, _mm256_add_epi32, _mm256_madd_epi16,
                    _mm256_maddubs_epi16, _mm256_set1_epi16, _mm256_set1_epi32,
                    _mm256_setzero_si256, _mm256_sign_epi8,
                };
                let ones = _mm256_set1_epi16(1);
                let mut totals = [[0.0_f32; PANEL]; $rows];
                let (scales, _) = scales.as_chunks::<$rows>();
                let groups = quads
                    .chunks_exact($rows * GROUP / QUAD)
                    .zip(panel.weights.chunks_exact(PANEL * GROUP));
                for (number, (quads, weights)) in groups.enumerate() {
                    // These products are of signed numbers; the shift is put back below.
                    let mut whole = [panel.shifts[number]; $rows];
                    let (quads, _) = quads.as_chunks::<$rows>();
                    let (weights, _) = weights.as_chunks::<{ PANEL * QUAD }>();
                    // Two halves, because sixteen registers hold no more.
                    for half in 0..2 {
                        let mut sums = [[_mm256_setzero_si256(); 2]; $rows];
                        for (quads, weights) in quads.iter().zip(weights) {
                            let weights = &weights[half * 64..half * 64 + 64];
                            let low: __m256i = i8x32::from_slice(simd, &weights[..32]).into();
                            let high: __m256i = i8x32::from_slice(simd, &weights[32..]).into();
                            // Unsigned × signed, each within 127, so that pairs fit 16 bits.
                            let sizes = [_mm256_abs_epi8(low), _mm256_abs_epi8(high)];
                            for (sums, quad) in sums.iter_mut().zip(quads) {
                                let quad = _mm256_set1_epi32(quad.cast_signed());
                                let signed =
                                    [_mm256_sign_epi8(quad, low), _mm256_sign_epi8(quad, high)];
                                for part in 0..2 {
                                    let pairs = _mm256_maddubs_epi16(sizes[part], signed[part]);
                                    let fours = _mm256_madd_epi16(pairs, ones);
                                    sums[part] = _mm256_add_epi32(sums[part], fours);
                                }
                            }
                        }
                        for (sums, whole) in sums.iter().zip(&mut whole) {
                            let (whole, _) = whole[half * 16..half * 16 + 16].as_chunks_mut::<8>();
                            for (sums, whole) in sums.iter().zip(whole) {
                                let sums: i32x8<_> = (*sums).simd_into(simd);
                                (sums + i32x8::from_slice(simd, whole)).store_slice(whole);
                            }
                        }
                    }
                    let rows = totals.iter_mut().zip(&whole).zip(&scales[number]);
                    for ((totals, whole), scale) in rows {
                        collect(totals, whole, *scale, panel, number);
                    }
                }
                finish(&totals, panel, out, stride);
            }
        );
    };
}
quads_avx2!(quads_avx2_1, 1);
quads_avx2!(quads_avx2_4, 4);

/// Adds a group's whole sums to a row's numbers.
#[inline(always)]
fn collect(
    totals: &mut [f32; PANEL],
    whole: &[i32; PANEL],
    row_scale: f32,
    panel: &Panel<'_>,
    group: usize,
) {
    let (shifts, scales) = (&panel.shifts[group], &panel.scales[group]);
    for column in 0..PANEL {
        let sum = (whole[column] - shifts[column]) as f32;
        totals[column] += sum * (row_scale * scales[column]);
    }
}

/// Writes as many rows as there is room for.
#[inline(always)]
fn finish(totals: &[[f32; PANEL]], panel: &Panel<'_>, out: &mut [f32], stride: usize) {
    for (totals, out) in totals.iter().zip(out.chunks_mut(stride)) {
        let Some(out) = out.first_chunk_mut::<PANEL>() else { return };
        for column in 0..PANEL {
            out[column] = totals[column] + panel.bias[column];
        }
    }
}

/// For machines without either.
fn quads_plain(
    rows: usize,
    quads: &[u32],
    scales: &[f32],
    panel: &Panel<'_>,
    out: &mut [f32],
    stride: usize,
) {
    for row in 0..rows {
        let mut totals = [0.0_f32; PANEL];
        let groups =
            quads.chunks_exact(rows * GROUP / QUAD).zip(panel.weights.chunks_exact(PANEL * GROUP));
        for (number, (quads, weights)) in groups.enumerate() {
            let mut sums = [0_i32; PANEL];
            let (weights, _) = weights.as_chunks::<{ PANEL * QUAD }>();
            for (quads, weights) in quads.chunks_exact(rows).zip(weights) {
                let quad = quads[row].to_le_bytes().map(i32::from);
                for (sum, weights) in sums.iter_mut().zip(weights.as_chunks::<QUAD>().0) {
                    for (input, weight) in quad.iter().zip(weights) {
                        *sum += input * i32::from(*weight);
                    }
                }
            }
            collect(&mut totals, &sums, scales[number * rows + row], panel, number);
        }
        let Some(out) = out.get_mut(row * stride..) else { return };
        finish(&[totals], panel, out, stride);
    }
}

/// One tile of 8-bit products: rows of `out`, `stride` apart, get the panel's columns. `quads` holds
/// four shifted activations a word, a tile's rows side by side, `scales` one for each group and row.
pub(super) fn quads(
    level: Level,
    rows: usize,
    quads: &[u32],
    scales: &[f32],
    panel: &Panel<'_>,
    out: &mut [f32],
    stride: usize,
) {
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = level.as_avx512() {
        return match rows {
            1 => quads_avx512_1(simd, quads, scales, panel, out, stride),
            4 => quads_avx512_4(simd, quads, scales, panel, out, stride),
            _ => quads_avx512_12(simd, quads, scales, panel, out, stride),
        };
    }
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = level.as_avx2() {
        return match rows {
            1 => quads_avx2_1(simd, quads, scales, panel, out, stride),
            _ => quads_avx2_4(simd, quads, scales, panel, out, stride),
        };
    }
    quads_plain(rows, quads, scales, panel, out, stride);
}

/// One tile of 32-bit products: `inputs` has a tile's rows side by side for each of the inner
/// dimension, `panel` the `PANEL` columns.
pub(in crate::models) fn floats(
    level: Level,
    rows: usize,
    inputs: &[f32],
    panel: &[f32],
    out: &mut [f32],
    stride: usize,
) {
    match rows {
        1 => dispatch!(level, simd => floats_tile::<_, 1, 2>(simd, inputs, panel, out, stride)),
        4 => dispatch!(level, simd => floats_tile::<_, 4, 1>(simd, inputs, panel, out, stride)),
        _ => dispatch!(level, simd => floats_tile::<_, 12, 2>(simd, inputs, panel, out, stride)),
    }
}

/// `HALVES` of the panel at a time: as many sums as the registers hold.
#[inline(always)]
fn floats_tile<S: Simd, const ROWS: usize, const HALVES: usize>(
    simd: S,
    inputs: &[f32],
    panel: &[f32],
    out: &mut [f32],
    stride: usize,
) {
    let (inputs, _) = inputs.as_chunks::<ROWS>();
    let (panel, _) = panel.as_chunks::<PANEL>();
    for first in (0..2).step_by(HALVES) {
        let mut sums = [[f32x16::splat(simd, 0.0); HALVES]; ROWS];
        for (inputs, columns) in inputs.iter().zip(panel) {
            let columns: [_; HALVES] = std::array::from_fn(|half| {
                f32x16::from_slice(simd, &columns[(first + half) * 16..][..16])
            });
            for (sums, input) in sums.iter_mut().zip(inputs) {
                let input = f32x16::splat(simd, *input);
                for (sum, columns) in sums.iter_mut().zip(columns) {
                    *sum = input.mul_add(columns, *sum);
                }
            }
        }
        for (sums, out) in sums.iter().zip(out.chunks_mut(stride)) {
            let Some(out) = out.first_chunk_mut::<PANEL>() else { break };
            for (half, sum) in sums.iter().enumerate() {
                sum.store_slice(&mut out[(first + half) * 16..][..16]);
            }
        }
    }
}
