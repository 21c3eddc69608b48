//! ggml's q8_0: blocks of 32 numbers, each an f16 scale and 32 signed bytes.

use half::f16;

/// Numbers in a block.
pub(super) const BLOCK: usize = 32;

/// Appends the blocks of `numbers`, whose length is a multiple of [`BLOCK`].
///
/// The reference is `quantize_row_q8_0_ref` in ggml `src/ggml-quants.c`: the bytes come from the
/// scale in full precision, the stored one is rounded afterwards. Only +, ×, ÷ and rounding occur,
/// which IEEE 754 fixes, so every machine writes the same bytes.
pub(super) fn append(numbers: &[f32], out: &mut Vec<u8>) {
    debug_assert_eq!(numbers.len() % BLOCK, 0);
    for block in numbers.chunks_exact(BLOCK) {
        let largest = block.iter().fold(0f32, |largest, number| largest.max(number.abs()));
        let scale = largest / 127.0;
        let inverse = if scale == 0.0 { 0.0 } else { 1.0 / scale };
        out.extend_from_slice(&f16::from_f32(scale).to_le_bytes());
        // `as` saturates and turns NaN to 0: hostile weights give a useless file, no panic.
        out.extend(block.iter().map(|number| (number * inverse).round() as i8 as u8));
    }
}
