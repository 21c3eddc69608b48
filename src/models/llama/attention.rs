//! What each token takes from those before it.

use fearless_simd::{Level, dispatch};

use crate::models::native::kernels::{self, PANEL};
use crate::models::native::linear::side_by_side;
use crate::models::native::math;

/// Keys and values of one head, in the order in which the kernels read: keys in panels of 32
/// positions, values in panels of 32 of the head's numbers. They grow with the text.
#[derive(Default)]
pub(super) struct Past {
    keys: Vec<f32>,
    values: Vec<Vec<f32>>,
}

impl Past {
    /// Keeps what belongs to a position; those before it are there.
    pub fn keep(&mut self, position: usize, key: &[f32], value: &[f32]) {
        let width = key.len();
        let (panel, lane) = (position / PANEL, position % PANEL);
        if self.keys.len() < (panel + 1) * width * PANEL {
            self.keys.resize((panel + 1) * width * PANEL, 0.0);
        }
        let keys = self.keys[panel * width * PANEL..].as_chunks_mut::<PANEL>().0;
        for (to, key) in keys.iter_mut().zip(key) {
            to[lane] = *key;
        }
        self.values.resize_with(width / PANEL, Vec::new);
        for (to, value) in self.values.iter_mut().zip(value.as_chunks::<PANEL>().0) {
            let end = (position + 1) * PANEL;
            if to.len() < end {
                to.resize(end, 0.0);
            }
            to[end - PANEL..end].copy_from_slice(value);
        }
    }
}

/// Kept between calls for its memory.
#[derive(Default)]
pub(super) struct Attending {
    inputs: Vec<f32>,
    scores: Vec<f32>,
    shares: Vec<f32>,
    mixed: Vec<f32>,
}

/// The query heads that share a head of the past.
#[derive(Clone, Copy)]
pub(super) struct Group {
    /// How many query heads there are.
    pub heads: usize,
    /// The first one's place in a row of queries.
    pub query_at: usize,
    pub query_stride: usize,
    /// The same in a row of the output.
    pub out_at: usize,
    pub out_stride: usize,
    pub head_width: usize,
}

/// Rows from position `first` on attend to themselves and those before.
pub(super) fn attend(
    level: Level,
    group: Group,
    past: &Past,
    first: usize,
    queries: &[f32],
    work: &mut Attending,
    out: &mut [f32],
) {
    let Group { heads, head_width, .. } = group;
    let lanes = queries.len() / group.query_stride * heads;
    let tile = kernels::tile_rows(level, lanes);
    let factor = 1.0 / (head_width as f32).sqrt();
    for begin in (0..lanes).step_by(tile) {
        let in_tile = begin..(begin + tile).min(lanes);
        let positions = first + (in_tile.end - 1) / heads + 1;
        let padded = positions.next_multiple_of(PANEL);
        work.inputs.clear();
        work.inputs.resize(tile * head_width, 0.0);
        for (at, lane) in in_tile.clone().enumerate() {
            let (row, head) = (lane / heads, lane % heads);
            let query = &queries[row * group.query_stride + group.query_at + head * head_width..];
            for (to, value) in work.inputs.chunks_exact_mut(tile).zip(&query[..head_width]) {
                to[at] = value * factor;
            }
        }
        work.scores.resize(tile * padded, 0.0);
        for (panel, keys) in
            past.keys.chunks_exact(head_width * PANEL).take(padded / PANEL).enumerate()
        {
            let out = &mut work.scores[panel * PANEL..];
            kernels::floats(level, tile, &work.inputs, keys, out, padded);
        }
        for (lane, scores) in in_tile.clone().zip(work.scores.chunks_exact_mut(padded)) {
            let seen = first + lane / heads + 1;
            scores[seen..].fill(f32::NEG_INFINITY);
            dispatch!(level, _simd => math::softmax_row(scores));
            // Exactly nothing, so that a row's result doesn't depend on which rows are beside it.
            scores[seen..].fill(0.0);
        }
        let used = in_tile.len() * padded;
        side_by_side(&work.scores[..used], padded, positions, tile, &mut work.shares);
        work.mixed.resize(tile * head_width, 0.0);
        for (panel, values) in past.values.iter().enumerate() {
            let out = &mut work.mixed[panel * PANEL..];
            let values = &values[..positions * PANEL];
            kernels::floats(level, tile, &work.shares, values, out, head_width);
        }
        for (lane, mixed) in in_tile.zip(work.mixed.chunks_exact(head_width)) {
            let (row, head) = (lane / heads, lane % heads);
            let at = row * group.out_stride + group.out_at + head * head_width;
            out[at..at + head_width].copy_from_slice(mixed);
        }
    }
}
