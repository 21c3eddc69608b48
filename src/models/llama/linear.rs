//! Matrix products with weights that stay as small as they came.

use fearless_simd::{Level, dispatch};
use rayon::prelude::*;

use super::blocks::Block;
use super::kernels::{self, BLOCK, Grid, PANEL, QUAD, Task, Width};

/// What one thread takes of a single row's product, in panels: small enough to share, large enough to
/// be worth the handing over.
const PANELS_LEAST: usize = 4;

/// Rows of activations in 8 bits, packed for the kernels. Kept between calls for its memory.
#[derive(Default)]
pub(super) struct Quantised {
    quads: Vec<u32>,
    scales: Vec<f32>,
    sums: Vec<i32>,
    row: Vec<i8>,
    tile: usize,
    rows: usize,
}

impl Quantised {
    /// Takes rows of `width` numbers each, a multiple of `BLOCK`.
    pub fn fill(&mut self, level: Level, rows: &[f32], width: usize) {
        self.rows = rows.len() / width;
        self.tile = kernels::tile_rows(level, self.rows);
        let (tiles, tile) = (self.rows.div_ceil(self.tile), self.tile);
        let (quads, blocks) = (width / QUAD, width / BLOCK);
        self.quads.clear();
        self.quads.resize(tiles * tile * quads, 0);
        self.scales.clear();
        self.scales.resize(tiles * tile * blocks, 0.0);
        self.sums.clear();
        self.sums.resize(tiles * tile * blocks, 0);
        self.row.resize(width, 0);
        for (number, row) in rows.chunks_exact(width).enumerate() {
            let (first, lane) = (number / tile * tile, number % tile);
            let scales = self.scales[first * blocks..][..tile * blocks].chunks_exact_mut(tile);
            let sums = self.sums[first * blocks..][..tile * blocks].chunks_exact_mut(tile);
            dispatch!(level, _simd => {
                let (values, _) = row.as_chunks::<BLOCK>();
                let (codes, _) = self.row.as_chunks_mut::<BLOCK>();
                for (((values, codes), scales), sums) in
                    values.iter().zip(codes).zip(scales).zip(sums)
                {
                    (scales[lane], sums[lane]) = quantise(values, codes);
                }
            });
            let to = &mut self.quads[first * quads..][..tile * quads];
            for (to, quad) in to.chunks_exact_mut(tile).zip(self.row.as_chunks::<QUAD>().0) {
                to[lane] = u32::from_le_bytes(quad.map(i8::cast_unsigned));
            }
        }
    }
}

/// Returns the scale and the sum.
#[inline(always)]
fn quantise(values: &[f32; BLOCK], codes: &mut [i8; BLOCK]) -> (f32, i32) {
    let mut largest = [1e-9_f32; 16];
    for chunk in values.as_chunks::<16>().0 {
        for (largest, value) in largest.iter_mut().zip(chunk) {
            *largest = largest.max(value.abs());
        }
    }
    let largest = largest.iter().fold(1e-9_f32, |largest, value| largest.max(*value));
    let factor = 127.0 / largest;
    let mut sum = 0;
    for (code, value) in codes.iter_mut().zip(values) {
        // Adding 1.5 × 2^23 rounds to the nearest whole number, which is then in the low bits.
        *code = ((value * factor + 12_582_912.0).to_bits() as u8).cast_signed();
        sum += i32::from(*code);
    }
    (largest / 127.0, sum)
}

/// A layer's weights.
pub(super) struct Linear {
    width: Width,
    weights: Vec<u8>,
    /// By panel, then block.
    grids: Vec<Grid>,
    bias: Vec<f32>,
    inputs: usize,
    /// A multiple of `PANEL`.
    outputs: usize,
}

impl Linear {
    /// From rows of blocks, one row an output, one matrix under the other. `bias` may be empty.
    pub fn new(rows: &[Block], inputs: usize, bias: &[f32]) -> Self {
        let blocks = inputs / BLOCK;
        let outputs = (rows.len() / blocks).next_multiple_of(PANEL);
        let is_small = rows.iter().all(|block| block.is_small);
        let width = if is_small { Width::Four } else { Width::Eight };
        let quad_bytes = width.quad_bytes();
        let mut weights = vec![0; outputs / PANEL * inputs / QUAD * quad_bytes];
        let mut grids =
            vec![Grid { scales: [0; PANEL], least: [0; PANEL] }; outputs / PANEL * blocks];
        for (output, row) in rows.chunks_exact(blocks).enumerate() {
            let (panel, column) = (output / PANEL, output % PANEL);
            for (number, block) in row.iter().enumerate() {
                let grid = &mut grids[panel * blocks + number];
                grid.scales[column] = block.scale;
                grid.least[column] = block.least;
                let first = (panel * blocks + number) * BLOCK / QUAD;
                for (input, code) in block.codes.iter().enumerate() {
                    let quad = &mut weights[(first + input / QUAD) * quad_bytes..][..quad_bytes];
                    kernels::put_code(width, quad, column, input % QUAD, *code);
                }
            }
        }
        let mut bias = bias.to_vec();
        bias.resize(outputs, 0.0);
        Self { width, weights, grids, bias, inputs, outputs }
    }

    /// What it holds in memory.
    pub fn bytes(&self) -> usize {
        self.weights.len() + self.grids.len() * size_of::<Grid>() + self.bias.len() * 4
    }

    /// Multiplies what was quantised. `out` becomes as many rows of the outputs, up to a multiple of
    /// 32. A single row is shared among the threads of the pool; several are not, because whoever has
    /// several shares these.
    pub fn apply(&self, level: Level, input: &Quantised, out: &mut Vec<f32>) {
        out.resize(input.rows * self.outputs, 0.0);
        let panels = self.outputs / PANEL;
        if input.rows == 1 {
            let share = panels.div_ceil(2 * rayon::current_num_threads()).max(PANELS_LEAST);
            out.par_chunks_mut(share * PANEL).enumerate().for_each(|(number, out)| {
                for (at, out) in out.chunks_exact_mut(PANEL).enumerate() {
                    self.panel(level, number * share + at, input, out, PANEL);
                }
            });
        } else {
            for panel in 0..panels {
                self.panel(level, panel, input, &mut out[panel * PANEL..], self.outputs);
            }
        }
    }

    fn panel(
        &self,
        level: Level,
        number: usize,
        input: &Quantised,
        out: &mut [f32],
        stride: usize,
    ) {
        let (blocks, tile) = (self.inputs / BLOCK, input.tile);
        let panel_bytes = self.inputs / QUAD * self.width.quad_bytes();
        let weights = &self.weights[number * panel_bytes..][..panel_bytes];
        let grids = &self.grids[number * blocks..][..blocks];
        let bias = &self.bias.as_chunks::<PANEL>().0[number];
        let tiles = input
            .quads
            .chunks_exact(tile * self.inputs / QUAD)
            .zip(input.scales.chunks_exact(tile * blocks))
            .zip(input.sums.chunks_exact(tile * blocks));
        for ((at, ((quads, scales), sums)), out) in
            tiles.enumerate().zip(out.chunks_mut(tile * stride))
        {
            let task = Task { width: self.width, weights, grids, bias, quads, scales, sums };
            // The last tile may have more lanes than there are rows left.
            debug_assert!(at * tile < input.rows);
            kernels::tile(level, tile, &task, out, stride);
        }
    }

    /// The weights of one output as numbers again.
    pub fn row(&self, output: usize, to: &mut [f32]) {
        let (panel, column) = (output / PANEL, output % PANEL);
        let blocks = self.inputs / BLOCK;
        let quad_bytes = self.width.quad_bytes();
        let panel_bytes = self.inputs / QUAD * quad_bytes;
        let quads = self.weights[panel * panel_bytes..][..panel_bytes].chunks_exact(quad_bytes);
        for (number, (to, quad)) in to.chunks_exact_mut(QUAD).zip(quads).enumerate() {
            let grid = &self.grids[panel * blocks + number * QUAD / BLOCK];
            let [scale, least] = [grid.scales[column], grid.least[column]]
                .map(|bits| half::f16::from_bits(bits).to_f32());
            for (input, to) in to.iter_mut().enumerate() {
                let code = kernels::code(self.width, quad, column, input);
                *to = f32::from(code) * scale + least;
            }
        }
    }
}
