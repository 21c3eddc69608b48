//! The kernels against plain sums, on every instruction set that this machine has.

use fearless_simd::Level;

use super::linear::{Columns, Linear, Quantised, side_by_side};
use super::math;

fn levels() -> Vec<Level> {
    let mut levels = vec![Level::new()];
    #[cfg(target_arch = "x86_64")]
    {
        levels.extend(Level::new().as_avx2().map(Level::Avx2));
        levels.extend(Level::new().as_sse4_2().map(Level::Sse4_2));
    }
    levels
}

/// Numbers between -1 and 1, the same every time.
fn numbers(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state as f32 / u32::MAX as f32 * 2.0 - 1.0
        })
        .collect()
}

#[test]
fn eight_bit_products_are_near_the_exact_ones_on_every_machine() {
    const INPUTS: usize = 256;
    for (rows, outputs) in [(1, 32), (4, 40), (13, 64), (30, 96)] {
        let (inputs, weights) = (numbers(rows * INPUTS, 1), numbers(outputs * INPUTS, 2));
        let bias = numbers(outputs, 3);
        let linear = Linear::new(&weights, &bias, INPUTS);
        for level in levels() {
            let (mut quantised, mut out) = (Quantised::default(), Vec::new());
            quantised.fill(level, &inputs, INPUTS);
            linear.apply(level, &quantised, &mut out);
            let width = outputs.next_multiple_of(32);
            assert_eq!(out.len(), rows * width);
            for (row, input) in inputs.chunks_exact(INPUTS).enumerate() {
                for (column, weight) in weights.chunks_exact(INPUTS).enumerate() {
                    let products = input.iter().zip(weight).map(|(a, b)| a * b);
                    let exact = products.sum::<f32>() + bias[column];
                    let found = out[row * width + column];
                    // 256 products of two roundings of 1/254 each, at random.
                    assert!(
                        (found - exact).abs() < 0.2,
                        "{level:?} {row} {column}: {found} {exact}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_row_of_weights_comes_back() {
    let weights = numbers(40 * 256, 4);
    let linear = Linear::new(&weights, &[], 256);
    let mut row = vec![0.0; 256];
    linear.add_row(33, &mut row);
    for (found, exact) in row.iter().zip(&weights[33 * 256..]) {
        assert!((found - exact).abs() < 0.004, "{found} {exact}");
    }
}

#[test]
fn products_of_columns_are_exact() {
    const INNER: usize = 10;
    let (inputs, rows) = (numbers(4 * INNER, 5), numbers(35 * INNER, 6));
    for level in levels() {
        let mut columns = Columns::default();
        columns.fill_transposed(&rows, INNER, 35, INNER);
        let (mut packed, mut out) = (Vec::new(), vec![0.0; 4 * columns.width()]);
        side_by_side(&inputs, INNER, INNER, 4, &mut packed);
        let width = columns.width();
        columns.apply(level, 4, &packed, &mut out, width);
        for (row, input) in inputs.chunks_exact(INNER).enumerate() {
            for (column, values) in rows.chunks_exact(INNER).enumerate() {
                let exact: f32 = input.iter().zip(values).map(|(a, b)| a * b).sum();
                assert!((out[row * width + column] - exact).abs() < 1e-5);
            }
        }
    }
}

#[test]
fn the_exponential_is_exact_enough() {
    for step in -870..=870 {
        let x = step as f32 / 10.0;
        let error = math::exp(x) / x.exp() - 1.0;
        assert!(error.abs() < 2e-5, "{x}: {error}");
    }
}
