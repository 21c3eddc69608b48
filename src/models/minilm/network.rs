//! BERT's encoder (Devlin et al. 2019, <https://arxiv.org/abs/1810.04805>) in 32-bit numbers.
//!
//! The tokens of several texts stand one behind the other in one matrix, so that nothing is padded
//! and a panel of weights serves them all; only attention goes text by text.

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor};
use fearless_simd::{Level, dispatch};
use serde::Deserialize;

use crate::models::native::attention::Attention;
use crate::models::native::kernels;
use crate::models::native::linear::{Columns, side_by_side};
use crate::models::native::math;

/// What of the model's `config.json` is needed.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Config {
    pub hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    hidden_act: String,
    layer_norm_eps: f32,
}

/// Weights by their names; what is taken is gone, so nothing is in memory twice.
struct Tensors(HashMap<String, Tensor>);

impl Tensors {
    fn take(&mut self, name: &str) -> Result<Vec<f32>, String> {
        let tensor = self.0.remove(name).or_else(|| self.0.remove(&format!("bert.{name}")));
        tensor
            .ok_or_else(|| format!("there is no tensor {name}"))?
            .to_dtype(DType::F32)
            .and_then(|tensor| tensor.flatten_all()?.to_vec1())
            .map_err(|error| format!("{name}: {error}"))
    }
}

struct Norm {
    gain: Vec<f32>,
    bias: Vec<f32>,
    epsilon: f32,
}

impl Norm {
    fn take(tensors: &mut Tensors, name: &str, config: &Config) -> Result<Self, String> {
        let gain = tensors.take(&format!("{name}.weight"))?;
        let bias = tensors.take(&format!("{name}.bias"))?;
        if gain.len() != config.hidden_size || bias.len() != config.hidden_size {
            return Err(format!("{name} has the wrong size"));
        }
        Ok(Self { gain, bias, epsilon: config.layer_norm_eps })
    }

    /// Adds `values` to the rows of `state` and normalises.
    fn add(&self, level: Level, state: &mut [f32], values: &[f32]) {
        let width = self.gain.len();
        dispatch!(level, _simd => {
            for (row, values) in state.chunks_exact_mut(width).zip(values.chunks_exact(width)) {
                for (to, value) in row.iter_mut().zip(values) {
                    *to += value;
                }
                math::normalise_row(row, &self.gain, &self.bias, self.epsilon);
            }
        });
    }
}

/// A layer of weights; several that read the same input are one.
struct Dense {
    columns: Columns,
    bias: Vec<f32>,
    inputs: usize,
}

impl Dense {
    fn take(tensors: &mut Tensors, names: &[String], inputs: usize) -> Result<Self, String> {
        let (mut weights, mut bias) = (Vec::new(), Vec::new());
        for name in names {
            weights.extend(tensors.take(&format!("{name}.weight"))?);
            bias.extend(tensors.take(&format!("{name}.bias"))?);
        }
        if weights.len() != inputs * bias.len() || bias.len() % kernels::PANEL != 0 {
            return Err(format!("{} has the wrong size", names.join(", ")));
        }
        let mut columns = Columns::default();
        columns.fill_transposed(&weights, inputs, bias.len(), inputs);
        Ok(Self { columns, bias, inputs })
    }

    fn apply(&self, level: Level, rows: &[f32], packed: &mut Packed, out: &mut Vec<f32>) {
        let (count, width) = (rows.len() / self.inputs, self.bias.len());
        out.resize(count * width, 0.0);
        let tile = kernels::tile_rows(level, count);
        packed.fill(rows, self.inputs, tile);
        self.columns.apply_tiles(level, tile, &packed.tiles, out, width);
        dispatch!(level, _simd => {
            for row in out.chunks_exact_mut(width) {
                for (to, bias) in row.iter_mut().zip(&self.bias) {
                    *to += bias;
                }
            }
        });
    }
}

/// Rows in the order in which the kernels read them.
#[derive(Default)]
struct Packed {
    tiles: Vec<f32>,
    one: Vec<f32>,
}

impl Packed {
    fn fill(&mut self, rows: &[f32], width: usize, tile: usize) {
        self.tiles.clear();
        for rows in rows.chunks(tile * width) {
            side_by_side(rows, width, width, tile, &mut self.one);
            self.tiles.extend_from_slice(&self.one);
        }
    }
}

struct Layer {
    query_key_value: Dense,
    attention_out: Dense,
    attention_norm: Norm,
    inner: Dense,
    outer: Dense,
    last_norm: Norm,
}

/// What a pass needs besides the weights, kept for its memory.
#[derive(Default)]
pub(super) struct Scratch {
    state: Vec<f32>,
    wide: Vec<f32>,
    mixed: Vec<f32>,
    out: Vec<f32>,
    packed: Packed,
    attention: Attention,
}

pub(super) struct Network {
    level: Level,
    words: Vec<f32>,
    positions: Vec<f32>,
    /// The embedding of the only kind of token that is used.
    kind: Vec<f32>,
    first_norm: Norm,
    layers: Vec<Layer>,
    width: usize,
    heads: usize,
}

impl Network {
    /// # Errors
    /// What doesn't fit, in words.
    pub fn new(weights: &[u8], config: &Config) -> Result<Self, String> {
        let tensors = candle_core::safetensors::load_buffer(weights, &Device::Cpu);
        let mut tensors = Tensors(tensors.map_err(|error| error.to_string())?);
        let (width, heads) = (config.hidden_size, config.num_attention_heads);
        let panels = |size: usize| size > 0 && size.is_multiple_of(kernels::PANEL);
        if !panels(width) || heads == 0 || !panels(width / heads) || width % heads != 0 {
            return Err(format!("{width} numbers in {heads} heads aren't supported"));
        }
        if config.hidden_act != "gelu" {
            return Err(format!("the activation {} isn't supported", config.hidden_act));
        }
        let mut layers = Vec::with_capacity(config.num_hidden_layers);
        for number in 0..config.num_hidden_layers {
            let name = |part: &str| format!("encoder.layer.{number}.{part}");
            let projections = ["query", "key", "value"];
            let projections = projections.map(|part| name(&format!("attention.self.{part}")));
            let inner = Dense::take(&mut tensors, &[name("intermediate.dense")], width)?;
            let inner_width = inner.bias.len();
            layers.push(Layer {
                query_key_value: Dense::take(&mut tensors, &projections, width)?,
                attention_out: Dense::take(&mut tensors, &[name("attention.output.dense")], width)?,
                attention_norm: Norm::take(
                    &mut tensors,
                    &name("attention.output.LayerNorm"),
                    config,
                )?,
                inner,
                outer: Dense::take(&mut tensors, &[name("output.dense")], inner_width)?,
                last_norm: Norm::take(&mut tensors, &name("output.LayerNorm"), config)?,
            });
        }
        let mut kind = tensors.take("embeddings.token_type_embeddings.weight")?;
        kind.truncate(width);
        Ok(Self {
            level: Level::new(),
            words: tensors.take("embeddings.word_embeddings.weight")?,
            positions: tensors.take("embeddings.position_embeddings.weight")?,
            kind,
            first_norm: Norm::take(&mut tensors, "embeddings.LayerNorm", config)?,
            layers,
            width,
            heads,
        })
    }

    /// The longest text that there are positions for.
    pub fn tokens_max(&self) -> usize {
        self.positions.len() / self.width
    }

    /// The mean of each text's last states, of length 1 (mean pooling: Reimers and Gurevych 2019,
    /// <https://arxiv.org/abs/1908.10084>).
    ///
    /// # Errors
    /// When a token isn't in the vocabulary, or a text is empty or too long.
    pub fn embed(
        &self,
        texts: &[Vec<u32>],
        scratch: &mut Scratch,
    ) -> Result<Vec<Vec<f32>>, String> {
        self.pass(texts, scratch)?;
        let mut rows = scratch.state.chunks_exact(self.width);
        Ok(texts.iter().map(|text| mean(rows.by_ref().take(text.len()), self.width)).collect())
    }

    /// Each text's last states, one behind the other, as many as it has tokens.
    ///
    /// # Errors
    /// As [`Self::embed`].
    pub fn states(
        &self,
        texts: &[Vec<u32>],
        scratch: &mut Scratch,
    ) -> Result<Vec<Vec<f32>>, String> {
        self.pass(texts, scratch)?;
        let mut rest = scratch.state.as_slice();
        let mut states = Vec::with_capacity(texts.len());
        for text in texts {
            let (own, others) = rest.split_at(text.len() * self.width);
            states.push(own.to_vec());
            rest = others;
        }
        Ok(states)
    }

    /// Leaves the last states of all texts in the scratch.
    fn pass(&self, texts: &[Vec<u32>], scratch: &mut Scratch) -> Result<(), String> {
        let (level, width) = (self.level, self.width);
        self.begin(texts, &mut scratch.state)?;
        let Scratch { state, wide, mixed, out, packed, attention } = scratch;
        for layer in &self.layers {
            layer.query_key_value.apply(level, state, packed, wide);
            mixed.resize(state.len(), 0.0);
            let mut first = 0;
            for text in texts {
                let last = first + text.len();
                let (wide, mixed) = (
                    &wide[3 * first * width..3 * last * width],
                    &mut mixed[first * width..last * width],
                );
                attention.attend(level, self.heads, width, wide, mixed);
                first = last;
            }
            layer.attention_out.apply(level, mixed, packed, out);
            layer.attention_norm.add(level, state, out);
            layer.inner.apply(level, state, packed, wide);
            dispatch!(level, _simd => gelu(wide));
            layer.outer.apply(level, wide, packed, out);
            layer.last_norm.add(level, state, out);
        }
        Ok(())
    }

    fn begin(&self, texts: &[Vec<u32>], state: &mut Vec<f32>) -> Result<(), String> {
        let width = self.width;
        state.clear();
        for text in texts {
            if text.is_empty() || text.len() > self.tokens_max() {
                return Err(format!("{} tokens are no text", text.len()));
            }
            for (token, position) in text.iter().zip(self.positions.chunks_exact(width)) {
                let word = self.words.chunks_exact(width).nth(*token as usize);
                let word = word.ok_or_else(|| format!("there is no token {token}"))?;
                let sums = word.iter().zip(position).zip(&self.kind);
                state.extend(sums.map(|((word, position), kind)| word + position + kind));
            }
        }
        let Norm { gain, bias, epsilon } = &self.first_norm;
        dispatch!(self.level, _simd => {
            for row in state.chunks_exact_mut(width) {
                math::normalise_row(row, gain, bias, *epsilon);
            }
        });
        Ok(())
    }
}

fn mean<'a>(rows: impl Iterator<Item = &'a [f32]>, width: usize) -> Vec<f32> {
    let mut vector = vec![0.0_f32; width];
    for row in rows {
        for (to, value) in vector.iter_mut().zip(row) {
            *to += value;
        }
    }
    // A mean of length 1 is a sum of length 1.
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    for value in &mut vector {
        *value /= length;
    }
    vector
}

/// The Gaussian error linear unit x · Φ(x), with the error function by formula 7.1.26 of Abramowitz
/// and Stegun (1964), whose error is below 1.5e-7.
#[inline(always)]
fn gelu(values: &mut [f32]) {
    for value in values.iter_mut() {
        let x = *value * std::f32::consts::FRAC_1_SQRT_2;
        let size = x.abs();
        let t = 1.0 / (1.0 + 0.327_591_1 * size);
        let p = 1.061_405_4 * t - 1.453_152;
        let p = p * t + 1.421_413_7;
        let p = p * t - 0.284_496_74;
        let p = p * t + 0.254_829_6;
        let erf = (1.0 - p * t * math::exp(-size * size)).copysign(x);
        *value *= 0.5 * (1.0 + erf);
    }
}
