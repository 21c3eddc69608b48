//! Matrix products: 8-bit weights for the layers, 32-bit ones where exactness is cheap.

use fearless_simd::{Level, dispatch};

use super::kernels::{self, GROUP, PANEL, Panel, QUAD};

/// Rows of activations, packed for the kernels. Kept between calls for its memory.
#[derive(Default)]
pub(super) struct Quantised {
    quads: Vec<u32>,
    scales: Vec<f32>,
    row: Vec<u8>,
    tile: usize,
    rows: usize,
}

impl Quantised {
    /// Takes `rows` of `width` numbers each, a multiple of `GROUP`.
    pub fn fill(&mut self, level: Level, rows: &[f32], width: usize) {
        self.rows = rows.len() / width;
        self.tile = kernels::tile_rows(level, self.rows);
        let tiles = self.rows.div_ceil(self.tile);
        let quads = width / QUAD;
        self.quads.clear();
        self.quads.resize(tiles * self.tile * quads, 0);
        let groups = width / GROUP;
        self.scales.clear();
        self.scales.resize(tiles * self.tile * groups, 0.0);
        self.row.resize(width, 0);
        let shift = kernels::shift(level);
        for (number, row) in rows.chunks_exact(width).enumerate() {
            let (tile, lane) = (number / self.tile, number % self.tile);
            let scales = &mut self.scales[tile * self.tile * groups..][..self.tile * groups];
            dispatch!(level, _simd => {
                let parts = row.chunks_exact(GROUP).zip(self.row.chunks_exact_mut(GROUP));
                for ((values, out), scales) in parts.zip(scales.chunks_exact_mut(self.tile)) {
                    scales[lane] = quantise(values, out, shift);
                }
            });
            let to = &mut self.quads[tile * self.tile * quads..][..self.tile * quads];
            for (to, quad) in to.chunks_exact_mut(self.tile).zip(self.row.as_chunks::<QUAD>().0) {
                to[lane] = u32::from_le_bytes(*quad);
            }
        }
    }
}

/// Returns the scale.
#[inline(always)]
fn quantise(row: &[f32], out: &mut [u8], shift: u8) -> f32 {
    let mut largest = [0.0_f32; 16];
    for chunk in row.as_chunks::<16>().0 {
        for (largest, value) in largest.iter_mut().zip(chunk) {
            *largest = largest.max(value.abs());
        }
    }
    let largest = largest.iter().fold(1e-9_f32, |largest, value| largest.max(*value));
    let factor = 127.0 / largest;
    for (out, value) in out.iter_mut().zip(row) {
        // Adding 1.5 × 2^23 rounds to the nearest whole number, which is then in the low bits.
        *out = ((value * factor + 12_582_912.0).to_bits() as u8).wrapping_add(shift);
    }
    largest / 127.0
}

/// A layer's weights in 8 bits, one scale for each output and group of inputs.
pub(super) struct Linear {
    weights: Vec<i8>,
    /// By panel, then group.
    shifts: Vec<[i32; PANEL]>,
    scales: Vec<[f32; PANEL]>,
    bias: Vec<f32>,
    inputs: usize,
    outputs: usize,
}

impl Linear {
    /// From `outputs × inputs` weights, row by row; `bias` may be empty.
    pub fn new(weights: &[f32], bias: &[f32], inputs: usize) -> Self {
        let outputs = weights.len() / inputs;
        let padded = outputs.next_multiple_of(PANEL);
        let mut packed = vec![0_i8; padded * inputs];
        let groups = inputs / GROUP;
        let mut shifts = vec![[0; PANEL]; padded / PANEL * groups];
        let mut scales = vec![[0.0; PANEL]; padded / PANEL * groups];
        for (output, row) in weights.chunks_exact(inputs).enumerate() {
            let (panel, column) = (output / PANEL, output % PANEL);
            let to = &mut packed[panel * PANEL * inputs..][..PANEL * inputs];
            for (group, values) in row.chunks_exact(GROUP).enumerate() {
                let largest = values.iter().fold(1e-9_f32, |most, value| most.max(value.abs()));
                let mut sum = 0;
                for (at, weight) in values.iter().enumerate() {
                    let whole = (weight * 127.0 / largest).round() as i8;
                    sum += i32::from(whole);
                    let at = group * GROUP + at;
                    to[(at / QUAD * PANEL + column) * QUAD + at % QUAD] = whole;
                }
                shifts[panel * groups + group][column] = 128 * sum;
                scales[panel * groups + group][column] = largest / 127.0;
            }
        }
        let mut bias = bias.to_vec();
        bias.resize(padded, 0.0);
        Self { weights: packed, shifts, scales, bias, inputs, outputs: padded }
    }

    /// Multiplies what was quantised. `out` becomes as many rows of the
    /// outputs, up to a multiple of 32.
    pub fn apply(&self, level: Level, input: &Quantised, out: &mut Vec<f32>) {
        out.resize(input.rows * self.outputs, 0.0);
        let panel_bytes = PANEL * self.inputs;
        let tile_quads = input.tile * self.inputs / QUAD;
        let groups = self.inputs / GROUP;
        let (biases, _) = self.bias.as_chunks::<PANEL>();
        for (number, weights) in self.weights.chunks_exact(panel_bytes).enumerate() {
            let panel = Panel {
                weights,
                shifts: &self.shifts[number * groups..][..groups],
                scales: &self.scales[number * groups..][..groups],
                bias: &biases[number],
            };
            let row_scales = input.scales.chunks_exact(input.tile * groups);
            let tiles = input.quads.chunks_exact(tile_quads).zip(row_scales);
            for (tile, (quads, row_scales)) in tiles.enumerate() {
                let at = tile * input.tile * self.outputs + number * PANEL;
                let out = &mut out[at..];
                kernels::quads(level, input.tile, quads, row_scales, &panel, out, self.outputs);
            }
        }
    }

    /// The weights of one output as numbers again, added to `to`.
    pub fn add_row(&self, output: usize, to: &mut [f32]) {
        let (panel, column) = (output / PANEL, output % PANEL);
        let groups = self.inputs / GROUP;
        let weights = self.weights[panel * PANEL * self.inputs..].chunks_exact(PANEL * GROUP);
        let scales = &self.scales[panel * groups..][..groups];
        for ((to, weights), scales) in to.chunks_exact_mut(GROUP).zip(weights).zip(scales) {
            for (to, weights) in to.chunks_exact_mut(QUAD).zip(weights.chunks_exact(PANEL * QUAD)) {
                for (to, weight) in to.iter_mut().zip(&weights[column * QUAD..]) {
                    *to += f32::from(*weight) * scales[column];
                }
            }
        }
    }
}

/// Columns of 32-bit numbers, packed for the kernels.
#[derive(Default)]
pub(in crate::models) struct Columns {
    panels: Vec<f32>,
    inner: usize,
    outputs: usize,
}

impl Columns {
    /// From `outputs` rows of `inner` numbers that begin `stride` apart: the product is with
    /// their transpose.
    pub fn fill_transposed(&mut self, rows: &[f32], stride: usize, outputs: usize, inner: usize) {
        self.reset(outputs, inner);
        for output in 0..outputs {
            let row = &rows[output * stride..][..inner];
            let to = &mut self.panels[output / PANEL * PANEL * inner..][..PANEL * inner];
            for (to, value) in to.as_chunks_mut::<PANEL>().0.iter_mut().zip(row) {
                to[output % PANEL] = *value;
            }
        }
    }

    /// From `inner` rows of `outputs` numbers, a multiple of 32, that begin `stride` apart.
    pub fn fill(&mut self, rows: &[f32], stride: usize, outputs: usize, inner: usize) {
        self.reset(outputs, inner);
        for at in 0..inner {
            let row = &rows[at * stride..][..outputs];
            for (panel, values) in row.as_chunks::<PANEL>().0.iter().enumerate() {
                self.panels[(panel * inner + at) * PANEL..][..PANEL].copy_from_slice(values);
            }
        }
    }

    fn reset(&mut self, outputs: usize, inner: usize) {
        self.outputs = outputs.next_multiple_of(PANEL);
        self.inner = inner;
        self.panels.clear();
        self.panels.resize(self.outputs * inner, 0.0);
    }

    pub fn width(&self) -> usize {
        self.outputs
    }

    /// One tile of `tile` rows, packed side by side, against all columns. `out` has rows that
    /// begin `stride` apart.
    pub fn apply(&self, level: Level, tile: usize, inputs: &[f32], out: &mut [f32], stride: usize) {
        for (number, panel) in self.panels.chunks_exact(PANEL * self.inner).enumerate() {
            kernels::floats(level, tile, inputs, panel, &mut out[number * PANEL..], stride);
        }
    }

    /// As `apply` for many tiles, one behind the other: a panel stays in the cache for all of them.
    pub fn apply_tiles(
        &self,
        level: Level,
        tile: usize,
        inputs: &[f32],
        out: &mut [f32],
        stride: usize,
    ) {
        for (number, panel) in self.panels.chunks_exact(PANEL * self.inner).enumerate() {
            for (at, inputs) in inputs.chunks_exact(tile * self.inner).enumerate() {
                let out = &mut out[at * tile * stride + number * PANEL..];
                kernels::floats(level, tile, inputs, panel, out, stride);
            }
        }
    }
}

/// Packs up to `tile` rows of `width` numbers that begin `stride` apart side by side.
pub(in crate::models) fn side_by_side(
    rows: &[f32],
    stride: usize,
    width: usize,
    tile: usize,
    out: &mut Vec<f32>,
) {
    out.clear();
    out.resize(tile * width, 0.0);
    for (lane, row) in rows.chunks(stride).take(tile).enumerate() {
        for (out, value) in out.chunks_exact_mut(tile).zip(&row[..width.min(row.len())]) {
            out[lane] = *value;
        }
    }
}
