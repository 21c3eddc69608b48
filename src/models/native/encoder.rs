//! Whisper's encoder: two convolutions and a stack of transformer blocks over as much of the window
//! as the audio needs.

use fearless_simd::Level;

use crate::models::ModelError;

use super::attention::Attention;
use super::file::Weights;
use super::kernels;
use super::linear::{Columns, Linear, Quantised};
use super::math;
use super::mel::BINS;

const TAPS: usize = 3;

pub(super) struct Norm {
    pub gain: Vec<f32>,
    pub bias: Vec<f32>,
}

impl Norm {
    pub fn take(weights: &mut Weights, name: &str) -> Result<Self, ModelError> {
        Ok(Self {
            gain: weights.take(&format!("{name}.weight"))?,
            bias: weights.take(&format!("{name}.bias"))?,
        })
    }

    pub fn apply(&self, level: Level, rows: &[f32], out: &mut Vec<f32>) {
        math::normalise(level, rows, &self.gain, &self.bias, out);
    }
}

/// The layers of one name; those that read the same input become one. A missing bias is zeros.
pub(super) fn linear(
    weights: &mut Weights,
    names: &[String],
    inputs: usize,
) -> Result<Linear, ModelError> {
    let (mut all, mut biases) = (Vec::new(), Vec::new());
    for name in names {
        all.extend(weights.take(&format!("{name}.weight"))?);
        if let Ok(bias) = weights.take(&format!("{name}.bias")) {
            biases.extend(bias);
        }
        biases.resize(all.len() / inputs, 0.0);
    }
    Ok(Linear::new(&all, &biases, inputs))
}

struct Convolution {
    columns: Columns,
    bias: Vec<f32>,
    inputs: usize,
}

impl Convolution {
    fn take(weights: &mut Weights, name: &str, channels: usize) -> Result<Self, ModelError> {
        let kernel = weights.take(&format!("{name}.weight"))?;
        let bias = weights.take(&format!("{name}.bias"))?;
        let inputs = channels * TAPS;
        // From output, channel, tap to output, tap, channel: then a window is one stretch of memory.
        let mut rows = vec![0.0; kernel.len()];
        for (row, kernel) in rows.chunks_exact_mut(inputs).zip(kernel.chunks_exact(inputs)) {
            for (channel, taps) in kernel.chunks_exact(TAPS).enumerate() {
                for (tap, value) in taps.iter().enumerate() {
                    row[tap * channels + channel] = *value;
                }
            }
        }
        let mut columns = Columns::default();
        columns.fill_transposed(&rows, inputs, bias.len(), inputs);
        Ok(Self { columns, bias, inputs })
    }

    /// `count` windows that begin `step` numbers apart, with the activation applied.
    fn apply(&self, level: Level, rows: &[f32], step: usize, count: usize, out: &mut [f32]) {
        let width = self.bias.len();
        let tile = kernels::tile_rows(level, count);
        let mut packed = Vec::new();
        for first in (0..count).step_by(tile) {
            let lanes = tile.min(count - first);
            packed.clear();
            packed.resize(tile * self.inputs, 0.0);
            for lane in 0..lanes {
                let row = &rows[(first + lane) * step..][..self.inputs];
                for (to, value) in packed.chunks_exact_mut(tile).zip(row) {
                    to[lane] = *value;
                }
            }
            let out = &mut out[first * width..(first + lanes) * width];
            self.columns.apply(level, tile, &packed, out, width);
            for row in out.chunks_exact_mut(width) {
                math::add(level, row, &self.bias);
            }
            math::gelu(level, out);
        }
    }
}

struct Block {
    attention_norm: Norm,
    query_key_value: Linear,
    attention_out: Linear,
    mlp_norm: Norm,
    mlp_in: Linear,
    mlp_out: Linear,
}

/// What a pass needs besides the weights, kept for its memory.
#[derive(Default)]
pub(super) struct Scratch {
    pub quantised: Quantised,
    pub normed: Vec<f32>,
    pub wide: Vec<f32>,
    pub mixed: Vec<f32>,
    conv: Vec<f32>,
    attention: Attention,
}

pub(super) struct Encoder {
    first: Convolution,
    second: Convolution,
    positions: Vec<f32>,
    blocks: Vec<Block>,
    last_norm: Norm,
    width: usize,
    heads: usize,
}

impl Encoder {
    pub fn take(weights: &mut Weights) -> Result<Self, ModelError> {
        let shape = weights.shape;
        let width = shape.width;
        let mut blocks = Vec::with_capacity(shape.encoder_layers);
        for number in 0..shape.encoder_layers {
            let name = |part: &str| format!("encoder.blocks.{number}.{part}");
            let projections = ["attn.query", "attn.key", "attn.value"].map(name);
            blocks.push(Block {
                attention_norm: Norm::take(weights, &name("attn_ln"))?,
                query_key_value: linear(weights, &projections, width)?,
                attention_out: linear(weights, &[name("attn.out")], width)?,
                mlp_norm: Norm::take(weights, &name("mlp_ln"))?,
                mlp_in: linear(weights, &[name("mlp.0")], width)?,
                mlp_out: linear(weights, &[name("mlp.2")], 4 * width)?,
            });
        }
        Ok(Self {
            first: Convolution::take(weights, "encoder.conv1", BINS)?,
            second: Convolution::take(weights, "encoder.conv2", width)?,
            positions: weights.take("encoder.positional_embedding")?,
            blocks,
            last_norm: Norm::take(weights, "encoder.ln_post")?,
            width,
            heads: shape.heads,
        })
    }

    /// From `Mel::frames` of twice as many frames as `positions` to `positions` rows.
    pub fn encode(
        &self,
        level: Level,
        mel: &[f32],
        positions: usize,
        scratch: &mut Scratch,
        state: &mut Vec<f32>,
    ) {
        let width = self.width;
        scratch.conv.clear();
        scratch.conv.resize((2 * positions + 2) * width, 0.0);
        self.first.apply(level, mel, BINS, 2 * positions, &mut scratch.conv[width..]);
        state.clear();
        state.resize(positions * width, 0.0);
        self.second.apply(level, &scratch.conv, 2 * width, positions, state);
        math::add(level, state, &self.positions);
        for block in &self.blocks {
            block.attention_norm.apply(level, state, &mut scratch.normed);
            scratch.quantised.fill(level, &scratch.normed, width);
            block.query_key_value.apply(level, &scratch.quantised, &mut scratch.wide);
            let Scratch { wide, mixed, attention, .. } = &mut *scratch;
            mixed.resize(positions * width, 0.0);
            attention.attend(level, self.heads, width, wide, mixed);
            scratch.quantised.fill(level, &scratch.mixed, width);
            block.attention_out.apply(level, &scratch.quantised, &mut scratch.normed);
            math::add(level, state, &scratch.normed);
            block.mlp_norm.apply(level, state, &mut scratch.normed);
            scratch.quantised.fill(level, &scratch.normed, width);
            block.mlp_in.apply(level, &scratch.quantised, &mut scratch.wide);
            math::gelu(level, &mut scratch.wide);
            scratch.quantised.fill(level, &scratch.wide, 4 * width);
            block.mlp_out.apply(level, &scratch.quantised, &mut scratch.normed);
            math::add(level, state, &scratch.normed);
        }
        self.last_norm.apply(level, state, &mut scratch.normed);
        std::mem::swap(state, &mut scratch.normed);
    }
}
