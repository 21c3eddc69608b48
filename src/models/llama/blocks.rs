//! Weights as they stand in the file, as blocks of codes: without loss where the format is one of
//! ours, rounded to 8 bits otherwise.

use candle_core::quantized::{GgmlDType, ggml_file};
use candle_core::{Device, Tensor};
use half::f16;

use super::error::LlamaError;
use super::kernels::BLOCK;

/// 32 weights of one output: `scale × code + least`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    pub codes: [u8; BLOCK],
    /// Bits of 16-bit floats.
    pub scale: u16,
    pub least: u16,
    /// The codes fit four bits.
    pub is_small: bool,
}

/// The file's number of a format and what it is called. Formats that nobody here can read have none.
pub(super) fn format(number: u32) -> Option<GgmlDType> {
    Some(match number {
        0 => GgmlDType::F32,
        1 => GgmlDType::F16,
        2 => GgmlDType::Q4_0,
        3 => GgmlDType::Q4_1,
        6 => GgmlDType::Q5_0,
        7 => GgmlDType::Q5_1,
        8 => GgmlDType::Q8_0,
        10 => GgmlDType::Q2K,
        11 => GgmlDType::Q3K,
        12 => GgmlDType::Q4K,
        13 => GgmlDType::Q5K,
        14 => GgmlDType::Q6K,
        30 => GgmlDType::BF16,
        _ => return None,
    })
}

/// All blocks of a matrix, row by row.
pub(super) fn blocks(format: GgmlDType, bytes: &[u8]) -> Result<Vec<Block>, LlamaError> {
    Ok(match format {
        GgmlDType::Q4_0 => bytes.as_chunks::<18>().0.iter().map(of_q4_0).collect(),
        GgmlDType::Q4_1 => bytes.as_chunks::<20>().0.iter().map(of_q4_1).collect(),
        GgmlDType::Q8_0 => bytes.as_chunks::<34>().0.iter().map(of_q8_0).collect(),
        other => numbers(other, bytes)?.as_chunks::<BLOCK>().0.iter().map(of_numbers).collect(),
    })
}

/// A tensor of any known format as numbers.
pub(super) fn numbers(format: GgmlDType, bytes: &[u8]) -> Result<Vec<f32>, LlamaError> {
    let count = bytes.len() / format.type_size() * format.block_size();
    let as_numbers = || -> candle_core::Result<Vec<f32>> {
        let device = Device::Cpu;
        let tensor = ggml_file::qtensor_from_ggml(format, bytes, vec![count], &device)?;
        tensor.dequantize(&device).and_then(|tensor: Tensor| tensor.to_vec1())
    };
    as_numbers().map_err(|error| LlamaError::Format(error.to_string()))
}

fn bits(low: u8, high: u8) -> u16 {
    u16::from_le_bytes([low, high])
}

/// The first half of a block's codes stands in the low halves of the bytes.
fn nibbles(bytes: &[u8]) -> [u8; BLOCK] {
    std::array::from_fn(|at| match bytes[at % 16] {
        byte if at < 16 => byte & 15,
        byte => byte >> 4,
    })
}

fn of_q4_0(block: &[u8; 18]) -> Block {
    let scale = bits(block[0], block[1]);
    // Eight times a 16-bit float is one, unless it is huge.
    let least = f16::from_f32(-8.0 * f16::from_bits(scale).to_f32()).to_bits();
    Block { codes: nibbles(&block[2..]), scale, least, is_small: true }
}

fn of_q4_1(block: &[u8; 20]) -> Block {
    let (scale, least) = (bits(block[0], block[1]), bits(block[2], block[3]));
    Block { codes: nibbles(&block[4..]), scale, least, is_small: true }
}

fn of_q8_0(block: &[u8; 34]) -> Block {
    let codes = std::array::from_fn(|at| block[2 + at] ^ 128);
    signed(codes, bits(block[0], block[1]))
}

fn of_numbers(values: &[f32; BLOCK]) -> Block {
    let largest = values.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    let scale = f16::from_f32(largest / 127.0);
    let factor = if scale.to_f32() > 0.0 { 1.0 / scale.to_f32() } else { 0.0 };
    let code = |value: f32| ((value * factor).round().clamp(-127.0, 127.0) as i8).cast_unsigned();
    signed(values.map(|value| code(value) ^ 128), scale.to_bits())
}

fn signed(codes: [u8; BLOCK], scale: u16) -> Block {
    let least = f16::from_f32(-128.0 * f16::from_bits(scale).to_f32()).to_bits();
    Block { codes, scale, least, is_small: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(block: &Block) -> Vec<f32> {
        let [scale, least] = [block.scale, block.least].map(|bits| f16::from_bits(bits).to_f32());
        block.codes.iter().map(|code| f32::from(*code) * scale + least).collect()
    }

    #[test]
    fn formats_of_ours_lose_nothing_and_others_little() {
        let values: Vec<f32> = (0..512).map(|at| ((at * 37) % 101) as f32 / 50.0 - 1.0).collect();
        let source = Tensor::from_slice(&values, 512, &Device::Cpu).unwrap();
        for format in [
            GgmlDType::F32,
            GgmlDType::F16,
            GgmlDType::BF16,
            GgmlDType::Q4_0,
            GgmlDType::Q4_1,
            GgmlDType::Q5_0,
            GgmlDType::Q5_1,
            GgmlDType::Q8_0,
            GgmlDType::Q4K,
            GgmlDType::Q6K,
        ] {
            let tensor =
                candle_core::quantized::QTensor::quantize(&source, format).expect("it quantises");
            let bytes = tensor.data().expect("bytes").into_owned();
            let exact = numbers(format, &bytes).expect("numbers");
            let found: Vec<f32> =
                blocks(format, &bytes).expect("blocks").iter().flat_map(again).collect();
            let is_ours = matches!(format, GgmlDType::Q4_0 | GgmlDType::Q4_1 | GgmlDType::Q8_0);
            let allowed = if is_ours { 1e-4 } else { 0.006 };
            for (found, exact) in found.iter().zip(&exact) {
                assert!((found - exact).abs() < allowed, "{format:?}: {found} {exact}");
            }
        }
    }
}
