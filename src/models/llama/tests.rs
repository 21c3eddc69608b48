mod broken;
mod reference;
mod small;
mod words;

use fearless_simd::Level;

use super::blocks::{Block, blocks};
use super::kernels::{BLOCK, PANEL};
use super::linear::{Linear, Quantised};

pub(super) fn levels() -> Vec<Level> {
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

fn of_format(weights: &[f32], format: candle_core::quantized::GgmlDType) -> (Vec<Block>, Vec<f32>) {
    let device = candle_core::Device::Cpu;
    let tensor = candle_core::Tensor::from_slice(weights, weights.len(), &device).unwrap();
    let tensor = candle_core::quantized::QTensor::quantize(&tensor, format).unwrap();
    let exact = tensor.dequantize(&device).unwrap().to_vec1().unwrap();
    (blocks(format, &tensor.data().unwrap()).unwrap(), exact)
}

#[test]
fn products_are_near_the_exact_ones_on_every_machine_and_alike_in_every_tile() {
    use candle_core::quantized::GgmlDType::{Q4_0, Q4_1, Q8_0};
    const INPUTS: usize = 5 * BLOCK;
    for format in [Q4_0, Q4_1, Q8_0] {
        for (rows, outputs) in [(1, 32), (3, 40), (13, 64), (24, 200)] {
            let inputs = numbers(rows * INPUTS, 1);
            let (packed, weights) = of_format(&numbers(outputs * INPUTS, 2), format);
            let bias = numbers(outputs, 3);
            let linear = Linear::new(&packed, INPUTS, &bias);
            for level in levels() {
                let (mut quantised, mut out, mut alone) =
                    (Quantised::default(), Vec::new(), Vec::new());
                quantised.fill(level, &inputs, INPUTS);
                linear.apply(level, &quantised, &mut out);
                let width = outputs.next_multiple_of(PANEL);
                assert_eq!(out.len(), rows * width);
                for (row, input) in inputs.chunks_exact(INPUTS).enumerate() {
                    let found = &out[row * width..][..outputs];
                    for (column, weight) in weights.chunks_exact(INPUTS).enumerate() {
                        let products = input.iter().zip(weight).map(|(a, b)| a * b);
                        let exact = products.sum::<f32>() + bias[column];
                        // 160 products, one side rounded to 1/254, at random.
                        assert!(
                            (found[column] - exact).abs() < 0.1,
                            "{level:?} {format:?} {row} {column}: {} {exact}",
                            found[column]
                        );
                    }
                    quantised.fill(level, input, INPUTS);
                    linear.apply(level, &quantised, &mut alone);
                    assert_eq!(found, &alone[..outputs], "{level:?} {format:?}");
                }
            }
        }
    }
}

#[test]
fn a_row_of_weights_comes_back() {
    use candle_core::quantized::GgmlDType::{Q4_1, Q8_0};
    for format in [Q4_1, Q8_0] {
        let (packed, exact) = of_format(&numbers(40 * 64, 4), format);
        let linear = Linear::new(&packed, 64, &[]);
        let mut row = vec![0.0; 64];
        for output in [0, 15, 16, 33] {
            linear.row(output, &mut row);
            for (found, exact) in row.iter().zip(&exact[output * 64..]) {
                assert!((found - exact).abs() < 1e-3, "{format:?} {output}: {found} {exact}");
            }
        }
    }
}
