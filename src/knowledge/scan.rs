//! All rows against one query, in 8 bits: 100,000 × 384 is 38 MB, which a core reads in some 5 ms.
//!
//! Each row has a scale of its own. What comes out is near enough to say which rows deserve an exact
//! look: with rows of length 1 the error of a cosine is below 0.01, and mostly below 0.002.

use std::ops::Range;

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch, i8x64, i32x16};

/// Numbers that one instruction multiplies.
const LANES: usize = 64;
/// Values go from -127 to 127.
const LARGEST: f32 = 127.0;

pub(crate) struct Rows {
    level: Level,
    /// Numbers of a row, up to a multiple of [`LANES`].
    stride: usize,
    dimensions: usize,
    /// Shifted by 128, because the widest instruction multiplies unsigned by signed.
    numbers: Vec<i8>,
    scales: Vec<f32>,
}

/// A query in the form of the rows.
pub(crate) struct Query {
    numbers: Vec<i8>,
    scale: f32,
    shift: i32,
    sums: Vec<i32>,
}

impl Rows {
    pub fn new(dimensions: usize) -> Self {
        Self {
            level: Level::new(),
            stride: dimensions.next_multiple_of(LANES),
            dimensions,
            numbers: Vec::new(),
            scales: Vec::new(),
        }
    }

    pub fn push(&mut self, row: &[f32]) {
        let (numbers, scale) = quantise(row, self.stride);
        self.numbers.extend(numbers.iter().map(|number| number ^ i8::MIN));
        self.scales.push(scale);
    }

    pub fn query(&self, query: &[f32]) -> Query {
        debug_assert_eq!(query.len(), self.dimensions);
        let (numbers, scale) = quantise(query, self.stride);
        let shift = 128 * numbers.iter().map(|&number| i32::from(number)).sum::<i32>();
        Query { numbers, scale, shift, sums: Vec::new() }
    }

    /// The product of the query with each of some rows, into `out`. Few at a time: what doesn't fit
    /// the cache costs more than the products.
    pub fn products(&self, query: &mut Query, rows: Range<usize>, out: &mut Vec<f32>) {
        let Query { numbers, scale, shift, sums } = query;
        sums.clear();
        sums.resize(rows.len(), 0);
        self.sums(numbers, rows.clone(), sums);
        out.clear();
        let rows = sums.iter().zip(&self.scales[rows]);
        out.extend(rows.map(|(sum, row_scale)| (sum - *shift) as f32 * (row_scale * *scale)));
    }

    fn sums(&self, query: &[i8], rows: Range<usize>, sums: &mut [i32]) {
        let rows = &self.numbers[rows.start * self.stride..rows.end * self.stride];
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
    fn sums_avx512(simd: Avx512, query: &[i8], rows: &[i8], sums: &mut [i32]) {
        use std::arch::x86_64::{
            __m512i, _mm512_dpbusd_epi32, _mm512_reduce_add_epi32, _mm512_setzero_si512,
        };
        let (query, _) = query.as_chunks::<LANES>();
        for (sum, row) in sums.iter_mut().zip(rows.chunks_exact(query.len() * LANES)) {
            let mut sums = [_mm512_setzero_si512(); 2];
            for (at, (row, query)) in row.as_chunks::<LANES>().0.iter().zip(query).enumerate() {
                let row: __m512i = i8x64::from_slice(simd, row).into();
                let query: __m512i = i8x64::from_slice(simd, query).into();
                sums[at % 2] = _mm512_dpbusd_epi32(sums[at % 2], row, query);
            }
            let both: i32x16<_> = sums[0].simd_into(simd);
            let other: i32x16<_> = sums[1].simd_into(simd);
            *sum = _mm512_reduce_add_epi32((both + other).into());
        }
    }
);

#[inline(always)]
fn sums_plain(query: &[i8], rows: &[i8], sums: &mut [i32]) {
    for (sum, row) in sums.iter_mut().zip(rows.chunks_exact(query.len())) {
        let mut lanes = [0_i32; 16];
        for (row, query) in row.as_chunks::<16>().0.iter().zip(query.as_chunks::<16>().0) {
            for lane in 0..16 {
                let number = i32::from(row[lane].cast_unsigned());
                lanes[lane] += number * i32::from(query[lane]);
            }
        }
        *sum = lanes.iter().sum();
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
            rows.products(&mut rows.query(&query), 0..50, &mut found);
            for (row, found) in all.iter().zip(&found) {
                let exact: f32 = row.iter().zip(&query).map(|(a, b)| a * b).sum();
                assert!((exact - found).abs() < 0.01, "{dimensions}: {found} for {exact}");
            }
            let (numbers, _) = quantise(&query, rows.stride);
            let (mut wide, mut plain) = (vec![0; 50], vec![0; 50]);
            rows.sums(&numbers, 0..50, &mut wide);
            sums_plain(&numbers, &rows.numbers, &mut plain);
            assert_eq!(wide, plain);
        }
    }
}
