//! The inner loop of the products with small weights: one tile of rows against one panel of 32
//! outputs.
//!
//! A weight is `scale × code + least`, the code an unsigned number of 4 or 8 bits, scale and least
//! shared by 32 inputs: what Q4_0, Q4_1 and Q8_0 are, so that these lose nothing. The widest
//! instructions that the machine has are chosen at run time.

use fearless_simd::Level;
#[cfg(target_arch = "x86_64")]
use fearless_simd::{prelude::*, u8x32, u8x64, u16x8, u16x16};

pub(super) use crate::models::native::kernels::{PANEL, QUAD, tile_rows};

/// Inputs that share a scale, in the weights as in what they are multiplied with.
pub(super) const BLOCK: usize = 32;
const BLOCK_QUADS: usize = BLOCK / QUAD;

/// How large a weight is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    /// A byte holds one of the lower 16 outputs, and in its upper half one of the others.
    Four,
    Eight,
}

impl Width {
    /// Bytes of four inputs' weights for a panel of outputs.
    pub const fn quad_bytes(self) -> usize {
        match self {
            Self::Four => PANEL * QUAD / 2,
            Self::Eight => PANEL * QUAD,
        }
    }
}

/// Scales and least values of a block, 16-bit floats as they stand in the files.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    pub scales: [u16; PANEL],
    pub least: [u16; PANEL],
}

/// One panel's weights and one tile's rows.
#[derive(Clone, Copy)]
pub(super) struct Task<'a> {
    pub width: Width,
    pub weights: &'a [u8],
    pub grids: &'a [Grid],
    pub bias: &'a [f32; PANEL],
    /// Four signed activations a word, the rows of the tile side by side.
    pub quads: &'a [u32],
    /// For each block and row.
    pub scales: &'a [f32],
    /// The sums of the activations, for each block and row.
    pub sums: &'a [i32],
}

macro_rules! tile_avx512 {
    ($name:ident, $rows:literal, $bytes:literal) => {
        #[cfg(target_arch = "x86_64")]
        fearless_simd::kernel!(
            fn $name(simd: Avx512, task: &Task<'_>, out: &mut [f32], stride: usize) {
                use std::arch::x86_64::{
                    __m256i, __m512, __m512i, _mm512_and_si512, _mm512_cvtepi32_ps,
                    _mm512_cvtph_ps, _mm512_dpbusd_epi32, _mm512_fmadd_ps, _mm512_mul_ps,
                    _mm512_set1_epi8, _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_si512,
                    _mm512_srli_epi16,
                };
                let half = |half: &[u16]| -> __m512 {
                    let half: __m256i = u16x16::from_slice(simd, half).into();
                    _mm512_cvtph_ps(half)
                };
                let mask = _mm512_set1_epi8(15);
                let mut totals = [[_mm512_set1_ps(0.0); 2]; $rows];
                let (scales, _) = task.scales.as_chunks::<$rows>();
                let (sums, _) = task.sums.as_chunks::<$rows>();
                let blocks = task
                    .quads
                    .chunks_exact($rows * BLOCK_QUADS)
                    .zip(task.weights.chunks_exact($bytes * BLOCK_QUADS))
                    .zip(task.grids)
                    .zip(scales.iter().zip(sums));
                for (((quads, weights), grid), (scales, sums)) in blocks {
                    let mut whole = [[_mm512_setzero_si512(); 2]; $rows];
                    let (quads, _) = quads.as_chunks::<$rows>();
                    let (weights, _) = weights.as_chunks::<$bytes>();
                    for (quads, weights) in quads.iter().zip(weights) {
                        let first: __m512i = u8x64::from_slice(simd, &weights[..64]).into();
                        let second: __m512i =
                            u8x64::from_slice(simd, &weights[$bytes - 64..]).into();
                        let (low, high) = if $bytes == 64 {
                            let upper = _mm512_srli_epi16::<4>(second);
                            (_mm512_and_si512(first, mask), _mm512_and_si512(upper, mask))
                        } else {
                            (first, second)
                        };
                        for (whole, quad) in whole.iter_mut().zip(quads) {
                            let quad = _mm512_set1_epi32(quad.cast_signed());
                            whole[0] = _mm512_dpbusd_epi32(whole[0], low, quad);
                            whole[1] = _mm512_dpbusd_epi32(whole[1], high, quad);
                        }
                    }
                    let factors = [half(&grid.scales[..16]), half(&grid.scales[16..])];
                    let least = [half(&grid.least[..16]), half(&grid.least[16..])];
                    let rows = totals.iter_mut().zip(&whole).zip(scales.iter().zip(sums));
                    for ((totals, whole), (scale, sum)) in rows {
                        let offset = _mm512_set1_ps(*sum as f32 * scale);
                        let scale = _mm512_set1_ps(*scale);
                        for part in 0..2 {
                            let factor = _mm512_mul_ps(factors[part], scale);
                            let products = _mm512_cvtepi32_ps(whole[part]);
                            let total = _mm512_fmadd_ps(products, factor, totals[part]);
                            totals[part] = _mm512_fmadd_ps(least[part], offset, total);
                        }
                    }
                }
                for (totals, out) in totals.iter().zip(out.chunks_mut(stride)) {
                    let Some(out) = out.first_chunk_mut::<PANEL>() else { return };
                    let halves = out.as_chunks_mut::<16>().0.iter_mut();
                    for ((out, bias), total) in
                        halves.zip(task.bias.as_chunks::<16>().0).zip(totals)
                    {
                        let total: fearless_simd::f32x16<_> = (*total).simd_into(simd);
                        let bias = fearless_simd::f32x16::from_slice(simd, bias);
                        (total + bias).store_slice(out);
                    }
                }
            }
        );
    };
}
tile_avx512!(four_avx512_1, 1, 64);
tile_avx512!(four_avx512_4, 4, 64);
tile_avx512!(four_avx512_12, 12, 64);
tile_avx512!(eight_avx512_1, 1, 128);
tile_avx512!(eight_avx512_4, 4, 128);
tile_avx512!(eight_avx512_12, 12, 128);

/// Eight outputs at a time, because sixteen registers hold no more.
macro_rules! tile_avx2 {
    ($name:ident, $rows:literal, $bytes:literal) => {
        #[cfg(target_arch = "x86_64")]
        fearless_simd::kernel!(
            fn $name(simd: Avx2, task: &Task<'_>, out: &mut [f32], stride: usize) {
                use std::arch::x86_64::{
                    __m128i, __m256i, _mm256_abs_epi8, _mm256_add_epi32, _mm256_and_si256,
                    _mm256_cvtepi32_ps, _mm256_cvtph_ps, _mm256_fmadd_ps, _mm256_madd_epi16,
                    _mm256_maddubs_epi16, _mm256_mul_ps, _mm256_set1_epi8, _mm256_set1_epi16,
                    _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_si256, _mm256_sign_epi8,
                    _mm256_srli_epi16, _mm256_xor_si256,
                };
                const LANES: usize = 8;
                let ones = _mm256_set1_epi16(1);
                let mask = _mm256_set1_epi8(15);
                let middle = _mm256_set1_epi8(-128);
                let (scales, _) = task.scales.as_chunks::<$rows>();
                let (sums, _) = task.sums.as_chunks::<$rows>();
                for part in 0..PANEL / LANES {
                    // Of 4-bit weights, parts 0 and 2, 1 and 3 share their bytes.
                    let at = if $bytes == 64 { part % 2 } else { part } * 32;
                    let mut totals = [_mm256_set1_ps(0.0); $rows];
                    let blocks = task
                        .quads
                        .chunks_exact($rows * BLOCK_QUADS)
                        .zip(task.weights.chunks_exact($bytes * BLOCK_QUADS))
                        .zip(task.grids)
                        .zip(scales.iter().zip(sums));
                    for (((quads, weights), grid), (scales, sums)) in blocks {
                        let mut whole = [_mm256_setzero_si256(); $rows];
                        let (quads, _) = quads.as_chunks::<$rows>();
                        let (weights, _) = weights.as_chunks::<$bytes>();
                        for (quads, weights) in quads.iter().zip(weights) {
                            let codes: __m256i =
                                u8x32::from_slice(simd, &weights[at..at + 32]).into();
                            let codes = if $bytes == 128 {
                                _mm256_xor_si256(codes, middle)
                            } else if part < 2 {
                                _mm256_and_si256(codes, mask)
                            } else {
                                _mm256_and_si256(_mm256_srli_epi16::<4>(codes), mask)
                            };
                            // Unsigned × signed, small enough for pairs to fit 16 bits.
                            let sizes = _mm256_abs_epi8(codes);
                            for (whole, quad) in whole.iter_mut().zip(quads) {
                                let quad = _mm256_set1_epi32(quad.cast_signed());
                                let quad = if $bytes == 128 {
                                    _mm256_sign_epi8(quad, codes)
                                } else {
                                    quad
                                };
                                let pairs = _mm256_maddubs_epi16(sizes, quad);
                                let fours = _mm256_madd_epi16(pairs, ones);
                                *whole = _mm256_add_epi32(*whole, fours);
                            }
                        }
                        let half = |half: &[u16; PANEL]| {
                            let half = &half[part * LANES..(part + 1) * LANES];
                            let half: __m128i = u16x8::from_slice(simd, half).into();
                            _mm256_cvtph_ps(half)
                        };
                        let (factors, least) = (half(&grid.scales), half(&grid.least));
                        let rows = totals.iter_mut().zip(&whole).zip(scales.iter().zip(sums));
                        for ((total, whole), (scale, sum)) in rows {
                            let shift = if $bytes == 128 { 128 * sum } else { 0 };
                            let whole = _mm256_add_epi32(*whole, _mm256_set1_epi32(shift));
                            let factor = _mm256_mul_ps(factors, _mm256_set1_ps(*scale));
                            let offset = _mm256_set1_ps(*sum as f32 * scale);
                            let products = _mm256_cvtepi32_ps(whole);
                            *total = _mm256_fmadd_ps(products, factor, *total);
                            *total = _mm256_fmadd_ps(least, offset, *total);
                        }
                    }
                    for (total, out) in totals.iter().zip(out.chunks_mut(stride)) {
                        let span = part * LANES..(part + 1) * LANES;
                        let Some(out) = out.get_mut(span.clone()) else { return };
                        let total: fearless_simd::f32x8<_> = (*total).simd_into(simd);
                        let bias = fearless_simd::f32x8::from_slice(simd, &task.bias[span]);
                        (total + bias).store_slice(out);
                    }
                }
            }
        );
    };
}
tile_avx2!(four_avx2_1, 1, 64);
tile_avx2!(four_avx2_4, 4, 64);
tile_avx2!(eight_avx2_1, 1, 128);
tile_avx2!(eight_avx2_4, 4, 128);

/// For machines without either.
fn tile_plain(rows: usize, task: &Task<'_>, out: &mut [f32], stride: usize) {
    let quad_bytes = task.width.quad_bytes();
    for row in 0..rows {
        let mut totals = [0.0_f32; PANEL];
        let blocks = task
            .quads
            .chunks_exact(rows * BLOCK_QUADS)
            .zip(task.weights.chunks_exact(quad_bytes * BLOCK_QUADS))
            .zip(task.grids)
            .enumerate();
        for (number, ((quads, weights), grid)) in blocks {
            let (scale, sum) = (task.scales[number * rows + row], task.sums[number * rows + row]);
            let mut whole = [0_i32; PANEL];
            for (quads, weights) in quads.chunks_exact(rows).zip(weights.chunks_exact(quad_bytes)) {
                let quad = quads[row].to_le_bytes().map(|byte| i32::from(byte.cast_signed()));
                for (column, whole) in whole.iter_mut().enumerate() {
                    for (input, activation) in quad.iter().enumerate() {
                        *whole += i32::from(code(task.width, weights, column, input)) * activation;
                    }
                }
            }
            for (column, total) in totals.iter_mut().enumerate() {
                let [factor, least] = [grid.scales[column], grid.least[column]]
                    .map(|bits| half::f16::from_bits(bits).to_f32());
                *total += whole[column] as f32 * (factor * scale) + least * (sum as f32 * scale);
            }
        }
        let Some(out) = out.get_mut(row * stride..row * stride + PANEL) else { return };
        for ((out, total), bias) in out.iter_mut().zip(&totals).zip(task.bias) {
            *out = total + bias;
        }
    }
}

/// A weight's code among those of four inputs for a panel.
#[inline(always)]
pub(super) fn code(width: Width, quad: &[u8], column: usize, input: usize) -> u8 {
    let byte = |column: usize| quad[column * QUAD + input];
    match width {
        Width::Eight => byte(column),
        Width::Four if column < PANEL / 2 => byte(column) & 15,
        Width::Four => byte(column - PANEL / 2) >> 4,
    }
}

/// Puts a weight's code in its place.
pub(super) fn put_code(width: Width, quad: &mut [u8], column: usize, input: usize, code: u8) {
    match width {
        Width::Eight => quad[column * QUAD + input] = code,
        Width::Four if column < PANEL / 2 => quad[column * QUAD + input] |= code & 15,
        Width::Four => quad[(column - PANEL / 2) * QUAD + input] |= code << 4,
    }
}

/// Rows of `out`, `stride` apart, get the panel's outputs.
pub(super) fn tile(level: Level, rows: usize, task: &Task<'_>, out: &mut [f32], stride: usize) {
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = level.as_avx512() {
        return match (task.width, rows) {
            (Width::Four, 1) => four_avx512_1(simd, task, out, stride),
            (Width::Four, 4) => four_avx512_4(simd, task, out, stride),
            (Width::Four, _) => four_avx512_12(simd, task, out, stride),
            (Width::Eight, 1) => eight_avx512_1(simd, task, out, stride),
            (Width::Eight, 4) => eight_avx512_4(simd, task, out, stride),
            (Width::Eight, _) => eight_avx512_12(simd, task, out, stride),
        };
    }
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = level.as_avx2() {
        return match (task.width, rows) {
            (Width::Four, 1) => four_avx2_1(simd, task, out, stride),
            (Width::Four, _) => four_avx2_4(simd, task, out, stride),
            (Width::Eight, 1) => eight_avx2_1(simd, task, out, stride),
            (Width::Eight, _) => eight_avx2_4(simd, task, out, stride),
        };
    }
    tile_plain(rows, task, out, stride);
}
