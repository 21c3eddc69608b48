//! All rows against one query, in 8 bits: 100,000 × 384 is 38 MB, which a core reads in some 5 ms.
//!
//! Each row has a scale of its own. What comes out is near enough to say which rows deserve an exact
//! look: with rows of length 1 the error of a cosine is below 0.01, and mostly below 0.002.

use std::ops::Range;

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch, i8x64, i32x16};

/// Rows that are multiplied at a time, each in a lane of its own, so that no lanes have to be summed
/// up in the end.
const SIDE_BY_SIDE: usize = 16;
/// Numbers of a row that one instruction multiplies.
const STEP: usize = 4;
/// The same of all rows side by side.
const LANES: usize = SIDE_BY_SIDE * STEP;
/// Sums that grow beside each other: one instruction needn't wait for the one before.
const CHAINS: usize = 4;
/// Values go from -127 to 127.
const LARGEST: f32 = 127.0;

pub(crate) struct Rows {
    level: Level,
    /// Numbers of a row, up to a multiple of what all chains take.
    stride: usize,
    dimensions: usize,
    /// Shifted by 128, because the widest instruction multiplies unsigned by signed. By groups of
    /// rows, in each by steps, in each step by rows.
    numbers: Vec<i8>,
    scales: Vec<f32>,
}

/// A query in the form of the rows.
pub(crate) struct Query {
    /// A step in each.
    numbers: Vec<i32>,
    scale: f32,
    shift: i32,
    sums: Vec<i32>,
}

impl Rows {
    pub fn new(dimensions: usize) -> Self {
        Self {
            level: Level::new(),
            stride: dimensions.next_multiple_of(CHAINS * STEP),
            dimensions,
            numbers: Vec::new(),
            scales: Vec::new(),
        }
    }

    pub fn push(&mut self, row: &[f32]) {
        let (numbers, scale) = quantise(row, self.stride);
        let (group, lane) = (self.scales.len() / SIDE_BY_SIDE, self.scales.len() % SIDE_BY_SIDE);
        let size = SIDE_BY_SIDE * self.stride;
        self.numbers.resize((group + 1) * size, i8::MIN);
        let (steps, _) = self.numbers[group * size..].as_chunks_mut::<LANES>();
        for (step, numbers) in steps.iter_mut().zip(numbers.as_chunks::<STEP>().0) {
            let lane = &mut step[lane * STEP..][..STEP];
            lane.copy_from_slice(&numbers.map(|number| number ^ i8::MIN));
        }
        self.scales.push(scale);
    }

    pub fn query(&self, query: &[f32]) -> Query {
        debug_assert_eq!(query.len(), self.dimensions);
        let (numbers, scale) = quantise(query, self.stride);
        let shift = 128 * numbers.iter().map(|&number| i32::from(number)).sum::<i32>();
        let (steps, _) = numbers.as_chunks::<STEP>();
        let step = |step: &[i8; STEP]| i32::from_le_bytes(step.map(i8::cast_unsigned));
        Query { numbers: steps.iter().map(step).collect(), scale, shift, sums: Vec::new() }
    }

    /// The product of the query with each of some rows, into `out`. Few at a time: what doesn't fit
    /// the cache costs more than the products.
    pub fn products(&self, query: &mut Query, rows: Range<usize>, out: &mut Vec<f32>) {
        let Query { numbers, scale, shift, sums } = query;
        let groups = rows.start / SIDE_BY_SIDE..rows.end.div_ceil(SIDE_BY_SIDE);
        sums.clear();
        sums.resize(groups.len() * SIDE_BY_SIDE, 0);
        self.sums(numbers, groups.clone(), sums);
        let sums = &sums[rows.start - groups.start * SIDE_BY_SIDE..];
        out.clear();
        let rows = sums.iter().zip(&self.scales[rows]);
        out.extend(rows.map(|(sum, row_scale)| (sum - *shift) as f32 * (row_scale * *scale)));
    }

    fn sums(&self, query: &[i32], groups: Range<usize>, sums: &mut [i32]) {
        let size = SIDE_BY_SIDE * self.stride;
        let rows = &self.numbers[groups.start * size..groups.end * size];
        #[cfg(target_arch = "x86_64")]
        if let Some(simd) = self.level.as_avx512() {
            return sums_avx512(simd, query, rows, sums);
        }
        dispatch!(self.level, _simd => sums_plain(query, rows, sums));
    }
}

/// Whole numbers and what one of them is worth; zeros up to `stride`.
fn quantise(row: &[f32], stride: usize) -> (Vec<i8>, f32) {
    let largest = row.iter().fold(f32::MIN_POSITIVE, |most, value| most.max(value.abs()));
    let mut numbers: Vec<i8> =
        row.iter().map(|value| (value / largest * LARGEST).round() as i8).collect();
    numbers.resize(stride, 0);
    (numbers, largest / LARGEST)
}

#[cfg(target_arch = "x86_64")]
fearless_simd::kernel!(
    fn sums_avx512(simd: Avx512, query: &[i32], rows: &[i8], sums: &mut [i32]) {
        use std::arch::x86_64::{
            __m512i, _mm512_dpbusd_epi32, _mm512_set1_epi32, _mm512_setzero_si512,
        };
        let (query, _) = query.as_chunks::<CHAINS>();
        let groups = rows.chunks_exact(query.len() * CHAINS * LANES);
        for (sums, group) in sums.as_chunks_mut::<SIDE_BY_SIDE>().0.iter_mut().zip(groups) {
            let [mut a, mut b, mut c, mut d] = [_mm512_setzero_si512(); CHAINS];
            for (steps, query) in group.as_chunks::<{ CHAINS * LANES }>().0.iter().zip(query) {
                let (steps, _) = steps.as_chunks::<LANES>();
                let step = |at: usize| -> __m512i { i8x64::from_slice(simd, &steps[at]).into() };
                a = _mm512_dpbusd_epi32(a, step(0), _mm512_set1_epi32(query[0]));
                b = _mm512_dpbusd_epi32(b, step(1), _mm512_set1_epi32(query[1]));
                c = _mm512_dpbusd_epi32(c, step(2), _mm512_set1_epi32(query[2]));
                d = _mm512_dpbusd_epi32(d, step(3), _mm512_set1_epi32(query[3]));
            }
            let [a, b, c, d]: [i32x16<_>; CHAINS] = [a, b, c, d].map(|sum| sum.simd_into(simd));
            (a + b + (c + d)).store_slice(sums);
        }
    }
);

#[inline(always)]
fn sums_plain(query: &[i32], rows: &[i8], sums: &mut [i32]) {
    let groups = rows.chunks_exact(query.len() * LANES);
    for (sums, group) in sums.as_chunks_mut::<SIDE_BY_SIDE>().0.iter_mut().zip(groups) {
        for (step, query) in group.as_chunks::<LANES>().0.iter().zip(query) {
            let query = query.to_le_bytes().map(|byte| i32::from(byte.cast_signed()));
            for (sum, row) in sums.iter_mut().zip(step.as_chunks::<STEP>().0) {
                for lane in 0..STEP {
                    *sum += i32::from(row[lane].cast_unsigned()) * query[lane];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{Rng as _, SeedableRng as _};

    use super::*;

    #[test]
    fn products_are_those_of_the_numbers() {
        let mut random = StdRng::seed_from_u64(3);
        for dimensions in [2, 64, 100, 384] {
            let mut row = || -> Vec<f32> {
                let row: Vec<f32> =
                    (0..dimensions).map(|_| random.random_range(-1.0_f32..1.0)).collect();
                let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
                row.iter().map(|x| x / length).collect()
            };
            let (query, all) = (row(), (0..50).map(|_| row()).collect::<Vec<_>>());
            let mut rows = Rows::new(dimensions);
            all.iter().for_each(|row| rows.push(row));
            let mut found = Vec::new();
            for some in [0..50, 0..16, 17..18, 5..50, 32..48, 7..7] {
                rows.products(&mut rows.query(&query), some.clone(), &mut found);
                assert_eq!(found.len(), some.len());
                for (row, found) in all[some].iter().zip(&found) {
                    let exact: f32 = row.iter().zip(&query).map(|(a, b)| a * b).sum();
                    assert!((exact - found).abs() < 0.01, "{dimensions}: {found} for {exact}");
                }
            }
            let query = rows.query(&query);
            let (mut wide, mut plain) = (vec![0; 64], vec![0; 64]);
            rows.sums(&query.numbers, 0..4, &mut wide);
            sums_plain(&query.numbers, &rows.numbers, &mut plain);
            assert_eq!(wide, plain);
        }
    }
}
