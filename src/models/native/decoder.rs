//! Whisper's decoder, one token after another, with what it needs of the past kept.

use fearless_simd::{Level, dispatch};

use crate::models::ModelError;

use super::encoder::{Norm, Scratch, linear};
use super::file::{Shape, Weights};
use super::linear::Linear;
use super::math;

struct Block {
    attention_norm: Norm,
    query_key_value: Linear,
    attention_out: Linear,
    cross_norm: Norm,
    cross_query: Linear,
    cross_key_value: Linear,
    cross_out: Linear,
    mlp_norm: Norm,
    mlp_in: Linear,
    mlp_out: Linear,
}

pub(super) struct Decoder {
    tokens: Linear,
    positions: Vec<f32>,
    blocks: Vec<Block>,
    last_norm: Norm,
    shape: Shape,
    /// (layer, head) pairs whose attention follows the audio.
    alignment_heads: &'static [(usize, usize)],
}

/// Keys and values of one layer, a stretch for each head: keys with positions side by side, so that
/// the loops over positions are vectors, values with the head's numbers side by side.
#[derive(Default)]
struct Past {
    keys: Vec<f32>,
    values: Vec<f32>,
}

/// What one transcription has gone through so far.
#[derive(Default)]
pub(super) struct Listening {
    own: Vec<Past>,
    heard: Vec<Past>,
    positions: usize,
    tokens: usize,
    scores: Vec<f32>,
    rows: Vec<f32>,
    /// Attention of the alignment heads of the last row, one head after the other.
    pub attention: Vec<f32>,
    pub logits: Vec<f32>,
}

impl Listening {
    /// Positions of the audio that is listened to.
    pub fn positions(&self) -> usize {
        self.positions
    }

    /// Forgets the tokens, not the audio.
    pub fn rewind(&mut self) {
        self.tokens = 0;
    }
}

impl Decoder {
    pub fn take(weights: &mut Weights) -> Result<Self, ModelError> {
        let shape = weights.shape;
        let width = shape.width;
        let mut blocks = Vec::with_capacity(shape.decoder_layers);
        for number in 0..shape.decoder_layers {
            let name = |part: &str| format!("decoder.blocks.{number}.{part}");
            let own = ["attn.query", "attn.key", "attn.value"].map(name);
            let cross = ["cross_attn.key", "cross_attn.value"].map(name);
            blocks.push(Block {
                attention_norm: Norm::take(weights, &name("attn_ln"))?,
                query_key_value: linear(weights, &own, width)?,
                attention_out: linear(weights, &[name("attn.out")], width)?,
                cross_norm: Norm::take(weights, &name("cross_attn_ln"))?,
                cross_query: linear(weights, &[name("cross_attn.query")], width)?,
                cross_key_value: linear(weights, &cross, width)?,
                cross_out: linear(weights, &[name("cross_attn.out")], width)?,
                mlp_norm: Norm::take(weights, &name("mlp_ln"))?,
                mlp_in: linear(weights, &[name("mlp.0")], width)?,
                mlp_out: linear(weights, &[name("mlp.2")], 4 * width)?,
            });
        }
        Ok(Self {
            tokens: linear(weights, &["decoder.token_embedding".to_owned()], width)?,
            positions: weights.take("decoder.positional_embedding")?,
            blocks,
            last_norm: Norm::take(weights, "decoder.ln")?,
            shape,
            alignment_heads: alignment_heads(shape),
        })
    }

    /// Takes in what the encoder made of the audio: `positions` rows.
    pub fn hear(
        &self,
        level: Level,
        encoded: &[f32],
        listening: &mut Listening,
        scratch: &mut Scratch,
    ) {
        let Shape { width, heads, text_positions, .. } = self.shape;
        let (positions, head_width) = (encoded.len() / width, width / heads);
        listening.positions = positions;
        listening.tokens = 0;
        listening.heard.resize_with(self.blocks.len(), Past::default);
        listening.own.resize_with(self.blocks.len(), Past::default);
        scratch.quantised.fill(level, encoded, width);
        for (number, block) in self.blocks.iter().enumerate() {
            block.cross_key_value.apply(level, &scratch.quantised, &mut scratch.wide);
            let heard = &mut listening.heard[number];
            heard.keys.resize(positions * width, 0.0);
            heard.values.resize(positions * width, 0.0);
            for (position, row) in scratch.wide.chunks_exact(2 * width).enumerate() {
                heard.keep(&row[..width], &row[width..], position, positions, head_width);
            }
            listening.own[number].keys.resize(text_positions * width, 0.0);
            listening.own[number].values.resize(text_positions * width, 0.0);
        }
    }

    /// How many tokens still fit.
    pub fn room(&self, listening: &Listening) -> usize {
        self.shape.text_positions - listening.tokens
    }

    /// Takes tokens in and leaves the logits of what follows the last in `listening`.
    pub fn step(
        &self,
        level: Level,
        tokens: &[u32],
        listening: &mut Listening,
        scratch: &mut Scratch,
    ) {
        let width = self.shape.width;
        let begin = listening.tokens;
        let mut rows = std::mem::take(&mut listening.rows);
        rows.clear();
        rows.extend_from_slice(&self.positions[begin * width..(begin + tokens.len()) * width]);
        for (row, token) in rows.chunks_exact_mut(width).zip(tokens) {
            self.tokens.add_row(*token as usize, row);
        }
        listening.attention.clear();
        for (number, block) in self.blocks.iter().enumerate() {
            block.attention_norm.apply(level, &rows, &mut scratch.normed);
            scratch.quantised.fill(level, &scratch.normed, width);
            block.query_key_value.apply(level, &scratch.quantised, &mut scratch.wide);
            self.attend_own(level, number, listening, scratch);
            scratch.quantised.fill(level, &scratch.mixed, width);
            block.attention_out.apply(level, &scratch.quantised, &mut scratch.normed);
            math::add(level, &mut rows, &scratch.normed);

            block.cross_norm.apply(level, &rows, &mut scratch.normed);
            scratch.quantised.fill(level, &scratch.normed, width);
            block.cross_query.apply(level, &scratch.quantised, &mut scratch.wide);
            self.attend_heard(level, number, listening, scratch);
            scratch.quantised.fill(level, &scratch.mixed, width);
            block.cross_out.apply(level, &scratch.quantised, &mut scratch.normed);
            math::add(level, &mut rows, &scratch.normed);

            block.mlp_norm.apply(level, &rows, &mut scratch.normed);
            scratch.quantised.fill(level, &scratch.normed, width);
            block.mlp_in.apply(level, &scratch.quantised, &mut scratch.wide);
            math::gelu(level, &mut scratch.wide);
            scratch.quantised.fill(level, &scratch.wide, 4 * width);
            block.mlp_out.apply(level, &scratch.quantised, &mut scratch.normed);
            math::add(level, &mut rows, &scratch.normed);
        }
        listening.tokens += tokens.len();
        self.last_norm.apply(level, &rows[rows.len() - width..], &mut scratch.normed);
        scratch.quantised.fill(level, &scratch.normed, width);
        self.tokens.apply(level, &scratch.quantised, &mut listening.logits);
        listening.logits.truncate(self.shape.vocabulary);
        listening.rows = rows;
    }

    /// Each token attends to itself and those before.
    fn attend_own(
        &self,
        level: Level,
        number: usize,
        listening: &mut Listening,
        scratch: &mut Scratch,
    ) {
        let Shape { width, heads, text_positions, .. } = self.shape;
        let head_width = width / heads;
        let past = &mut listening.own[number];
        scratch.mixed.resize(scratch.wide.len() / 3, 0.0);
        let rows = scratch.wide.chunks_exact(3 * width).zip(scratch.mixed.chunks_exact_mut(width));
        for (row, (input, out)) in rows.enumerate() {
            let at = listening.tokens + row;
            past.keep(
                &input[width..2 * width],
                &input[2 * width..],
                at,
                text_positions,
                head_width,
            );
            listening.scores.resize(at + 1, 0.0);
            let scores = &mut listening.scores[..];
            for head in 0..heads {
                let span = head * head_width..(head + 1) * head_width;
                let (query, out) = (&input[span.clone()], &mut out[span]);
                let stretch = head * head_width * text_positions;
                let keys = &past.keys[stretch..][..head_width * text_positions];
                let values = &past.values[stretch..][..(at + 1) * head_width];
                dispatch!(level, _simd => attend(query, keys, text_positions, values, scores, out));
            }
        }
    }

    fn attend_heard(
        &self,
        level: Level,
        number: usize,
        listening: &mut Listening,
        scratch: &mut Scratch,
    ) {
        let Shape { width, heads, .. } = self.shape;
        let (head_width, positions) = (width / heads, listening.positions);
        let past = &listening.heard[number];
        listening.scores.resize(positions, 0.0);
        scratch.mixed.resize(scratch.wide.len(), 0.0);
        let last = scratch.wide.len() / width - 1;
        let rows = scratch.wide.chunks_exact(width).zip(scratch.mixed.chunks_exact_mut(width));
        for (row, (input, out)) in rows.enumerate() {
            for head in 0..heads {
                let span = head * head_width..(head + 1) * head_width;
                let (query, out) = (&input[span.clone()], &mut out[span]);
                let stretch = head * head_width * positions..(head + 1) * head_width * positions;
                let (keys, values) = (&past.keys[stretch.clone()], &past.values[stretch]);
                let scores = &mut listening.scores[..];
                dispatch!(level, _simd => attend(query, keys, positions, values, scores, out));
                if row == last && self.alignment_heads.contains(&(number, head)) {
                    listening.attention.extend_from_slice(scores);
                }
            }
        }
    }
}

impl Past {
    /// Keeps a key and a value row at a position of `positions`.
    fn keep(&mut self, key: &[f32], value: &[f32], at: usize, positions: usize, head_width: usize) {
        for (to, key) in self.keys.chunks_exact_mut(positions).zip(key) {
            to[at] = *key;
        }
        for (head, value) in value.chunks_exact(head_width).enumerate() {
            let to = (head * positions + at) * head_width;
            self.values[to..to + head_width].copy_from_slice(value);
        }
    }
}

/// One head: `keys` has `stride` positions side by side for each number of the query, `values` a row
/// for each position that is attended to. Leaves the shares in `scores`.
#[inline(always)]
fn attend(
    query: &[f32],
    keys: &[f32],
    stride: usize,
    values: &[f32],
    scores: &mut [f32],
    out: &mut [f32],
) {
    let factor = 1.0 / (query.len() as f32).sqrt();
    scores.fill(0.0);
    for (query, keys) in query.iter().zip(keys.chunks_exact(stride)) {
        let query = query * factor;
        for (score, key) in scores.iter_mut().zip(keys) {
            *score += query * key;
        }
    }
    math::softmax_row(scores);
    out.fill(0.0);
    for (score, values) in scores.iter().zip(values.chunks_exact(out.len())) {
        for (out, value) in out.iter_mut().zip(values) {
            *out += score * value;
        }
    }
}

/// Source: `_ALIGNMENT_HEADS` of openai/whisper; without a known set, the upper half of the layers.
fn alignment_heads(shape: Shape) -> &'static [(usize, usize)] {
    const TINY_EN: &[(usize, usize)] =
        &[(1, 0), (2, 0), (2, 5), (3, 0), (3, 1), (3, 2), (3, 3), (3, 4)];
    const TINY: &[(usize, usize)] = &[(2, 2), (3, 0), (3, 2), (3, 3), (3, 4), (3, 5)];
    const BASE_EN: &[(usize, usize)] = &[(3, 3), (4, 7), (5, 1), (5, 5), (5, 7)];
    const BASE: &[(usize, usize)] =
        &[(3, 1), (4, 2), (4, 3), (4, 7), (5, 1), (5, 2), (5, 4), (5, 6)];
    match (shape.decoder_layers <= 4, shape.vocabulary <= super::tokens::ENGLISH_ONLY) {
        (true, true) => TINY_EN,
        (true, false) => TINY,
        (false, true) => BASE_EN,
        (false, false) => BASE,
    }
}
