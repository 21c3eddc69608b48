//! Attention of every position to all, head by head, in 32-bit numbers.

use fearless_simd::{Level, dispatch};

use super::kernels;
use super::linear::{Columns, side_by_side};
use super::math;

/// Its working memory.
#[derive(Default)]
pub(in crate::models) struct Attention {
    keys: Columns,
    values: Columns,
    packed: Vec<f32>,
    scores: Vec<f32>,
}

impl Attention {
    /// From `wide`, rows of query, key and value side by side, to `mixed`, rows of a third of that.
    pub fn attend(
        &mut self,
        level: Level,
        heads: usize,
        width: usize,
        wide: &[f32],
        mixed: &mut [f32],
    ) {
        let Self { keys, values, packed, scores } = self;
        let stride = 3 * width;
        let positions = wide.len() / stride;
        let head_width = width / heads;
        let tile = kernels::tile_rows(level, positions);
        for head in 0..heads {
            let at = head * head_width;
            keys.fill_transposed(&wide[width + at..], stride, positions, head_width);
            values.fill(&wide[2 * width + at..], stride, head_width, positions);
            let factor = 1.0 / (head_width as f32).sqrt();
            for first in (0..positions).step_by(tile) {
                let lanes = tile.min(positions - first);
                side_by_side(&wide[first * stride + at..], stride, head_width, tile, packed);
                math::scale(level, packed, factor);
                let columns = keys.width();
                scores.resize(tile * columns, 0.0);
                keys.apply(level, tile, packed, scores, columns);
                for row in scores.chunks_exact_mut(columns) {
                    dispatch!(level, _simd => math::softmax_row(&mut row[..positions]));
                }
                side_by_side(scores, columns, positions, tile, packed);
                let out = &mut mixed[first * width..(first + lanes) * width];
                values.apply(level, tile, packed, &mut out[at..], width);
            }
        }
    }
}
