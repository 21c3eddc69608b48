//! The layers: what comes in are tokens, what comes out are scores of the next one.

use std::io::{Read, Seek};

use fearless_simd::{Level, dispatch};
use rayon::prelude::*;

use super::attention::{self, Attending, Group, Past};
use super::blocks;
use super::error::LlamaError;
use super::file::Head;
use super::linear::{Linear, Quantised};
use super::rotation::{Rotation, Turned};
use super::shape::Shape;
use crate::models::native::math;

/// Rows that one thread takes at a time, whole tiles of the kernels.
const PIECE_ROWS: usize = 24;
/// Tokens of a prompt that go through the layers together.
pub(super) const CHUNK_TOKENS: usize = 8 * PIECE_ROWS;
/// From so many positions on, the heads of a single row are shared among the threads.
const SHARED_POSITIONS: usize = 256;

struct Layer {
    attention_norm: Vec<f32>,
    query_key_value: Linear,
    attention_out: Linear,
    mlp_norm: Vec<f32>,
    gate_up: Linear,
    down: Linear,
}

pub(super) struct Network {
    level: Level,
    shape: Shape,
    rotation: Rotation,
    embeddings: Linear,
    layers: Vec<Layer>,
    last_norm: Vec<f32>,
    /// None: the embeddings once more.
    scores: Option<Linear>,
}

/// One text so far.
#[derive(Default)]
pub(super) struct Text {
    tokens: Vec<u32>,
    /// By layer, then head.
    past: Vec<Vec<Past>>,
    turned: Turned,
    pieces: Vec<Work>,
    rows: Vec<f32>,
    pub scores: Vec<f32>,
}

impl Text {
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// Forgets what comes after the first `count` tokens.
    pub fn cut(&mut self, count: usize) {
        self.tokens.truncate(count);
    }
}

/// What the rows of a piece need on their way.
#[derive(Default)]
struct Work {
    quantised: Quantised,
    normed: Vec<f32>,
    wide: Vec<f32>,
    mixed: Vec<f32>,
    attending: Attending,
}

impl Network {
    pub fn read(
        head: &Head,
        file: &mut (impl Read + Seek),
        shape: Shape,
    ) -> Result<Self, LlamaError> {
        let mut source = Source { head, file };
        let factors = match head.has_tensor("rope_freqs.weight") {
            true => source.list("rope_freqs.weight", shape.turned_width / 2)?,
            false => Vec::new(),
        };
        if factors.iter().any(|factor| !(factor.is_finite() && *factor > 0.0)) {
            return Err(LlamaError::Shape("rope_freqs.weight isn't positive".to_owned()));
        }
        let Shape { width, inner, heads, head_width, .. } = shape;
        let kept = shape.kept_heads * head_width;
        let mut layers = Vec::new();
        for number in 0..shape.layers {
            let name = |part: &str| format!("blk.{number}.{part}");
            let rows = [("attn_q", heads * head_width), ("attn_k", kept), ("attn_v", kept)];
            layers.push(Layer {
                attention_norm: source.list(&name("attn_norm.weight"), width)?,
                query_key_value: source
                    .linear(&rows.map(|(part, rows)| (name(part), rows)), width)?,
                attention_out: source
                    .linear(&[(name("attn_output"), width)], heads * head_width)?,
                mlp_norm: source.list(&name("ffn_norm.weight"), width)?,
                gate_up: source
                    .linear(&["ffn_gate", "ffn_up"].map(|part| (name(part), inner)), width)?,
                down: source.linear(&[(name("ffn_down"), width)], inner)?,
            });
        }
        let vocabulary = shape.vocabulary;
        let scores = match head.has_tensor("output.weight") {
            true => Some(source.linear(&[("output".to_owned(), vocabulary)], width)?),
            false => None,
        };
        Ok(Self {
            level: Level::new(),
            rotation: Rotation::new(
                shape.base,
                shape.turned_width,
                &factors,
                shape.architecture.is_split(),
            ),
            embeddings: source.linear(&[("token_embd".to_owned(), vocabulary)], width)?,
            layers,
            last_norm: source.list("output_norm.weight", width)?,
            scores,
            shape,
        })
    }

    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// What the weights take in memory.
    pub fn bytes(&self) -> usize {
        let layers = self.layers.iter().flat_map(|layer| {
            [&layer.query_key_value, &layer.attention_out, &layer.gate_up, &layer.down]
        });
        layers.chain([&self.embeddings]).chain(&self.scores).map(Linear::bytes).sum()
    }

    /// Takes tokens in, at most [`CHUNK_TOKENS`]; with `wants_scores` it leaves the scores of what
    /// follows the last. False, and nothing taken in, when `goes_on` said no between two layers.
    pub fn step(
        &self,
        tokens: &[u32],
        text: &mut Text,
        wants_scores: bool,
        goes_on: &(dyn Fn() -> bool + Sync),
    ) -> bool {
        let width = self.shape.width;
        let first = text.tokens.len();
        self.rotation.reach(&mut text.turned, first + tokens.len());
        text.past.resize_with(self.layers.len(), Vec::new);
        text.rows.resize(tokens.len() * width, 0.0);
        for (row, token) in text.rows.chunks_exact_mut(width).zip(tokens) {
            self.embeddings.row(*token as usize, row);
        }
        let pieces = tokens.len().div_ceil(PIECE_ROWS);
        text.pieces.resize_with(pieces.max(text.pieces.len()), Work::default);
        for (number, layer) in self.layers.iter().enumerate() {
            if !goes_on() {
                return false;
            }
            self.layer(layer, number, first, text);
        }
        text.tokens.extend_from_slice(tokens);
        if wants_scores {
            let (level, work) = (self.level, &mut text.pieces[0]);
            let last = &text.rows[text.rows.len() - width..];
            self.normalise(last, &self.last_norm, &mut work.normed);
            work.quantised.fill(level, &work.normed, width);
            let scores = self.scores.as_ref().unwrap_or(&self.embeddings);
            scores.apply(level, &work.quantised, &mut text.scores);
            text.scores.truncate(self.shape.vocabulary);
        }
        true
    }

    fn layer(&self, layer: &Layer, number: usize, first: usize, text: &mut Text) {
        let (level, width) = (self.level, self.shape.width);
        let Text { past, turned, pieces, rows, .. } = text;
        let past = &mut past[number];
        let in_pieces = || PIECE_ROWS * width;
        rows.par_chunks(in_pieces()).zip(&mut *pieces).enumerate().for_each(
            |(piece, (rows, work))| {
                self.normalise(rows, &layer.attention_norm, &mut work.normed);
                work.quantised.fill(level, &work.normed, width);
                layer.query_key_value.apply(level, &work.quantised, &mut work.wide);
                let at = first + piece * PIECE_ROWS;
                self.turn(turned, at, &mut work.wide, rows.len() / width);
            },
        );
        self.keep(first, rows.len() / width, pieces, past);
        let past = &*past;
        rows.par_chunks_mut(in_pieces()).zip(pieces).enumerate().for_each(
            |(piece, (rows, work))| {
                self.attend(first + piece * PIECE_ROWS, past, rows.len() / width, work);
                work.quantised.fill(level, &work.mixed, self.shape.query_width());
                layer.attention_out.apply(level, &work.quantised, &mut work.normed);
                math::add(level, rows, &work.normed);
                self.normalise(rows, &layer.mlp_norm, &mut work.normed);
                work.quantised.fill(level, &work.normed, width);
                layer.gate_up.apply(level, &work.quantised, &mut work.wide);
                self.gate(work);
                work.quantised.fill(level, &work.mixed, self.shape.inner);
                layer.down.apply(level, &work.quantised, &mut work.normed);
                math::add(level, rows, &work.normed);
            },
        );
    }

    fn turn(&self, turned: &Turned, first: usize, wide: &mut [f32], rows: usize) {
        let Shape { head_width, kept_heads, .. } = self.shape;
        let turned_numbers = self.shape.query_width() + kept_heads * head_width;
        for (row, numbers) in wide.chunks_exact_mut(wide.len() / rows).enumerate() {
            let heads = &mut numbers[..turned_numbers];
            self.rotation.turn(turned, first + row, heads, head_width);
        }
    }

    fn keep(&self, first: usize, rows: usize, pieces: &[Work], past: &mut Vec<Past>) {
        let Shape { head_width, kept_heads, .. } = self.shape;
        let (queries, kept) = (self.shape.query_width(), kept_heads * head_width);
        past.resize_with(kept_heads, Past::default);
        for row in 0..rows {
            let (piece, row_in_piece) = (row / PIECE_ROWS, row % PIECE_ROWS);
            let in_piece = (rows - piece * PIECE_ROWS).min(PIECE_ROWS);
            let wide = &pieces[piece].wide;
            let stride = wide.len() / in_piece;
            let numbers = &wide[row_in_piece * stride..][..stride];
            let keys = numbers[queries..queries + kept].chunks_exact(head_width);
            let values = numbers[queries + kept..queries + 2 * kept].chunks_exact(head_width);
            for (past, (key, value)) in past.iter_mut().zip(keys.zip(values)) {
                past.keep(first + row, key, value);
            }
        }
    }

    fn attend(&self, first: usize, past: &[Past], rows: usize, work: &mut Work) {
        let Shape { heads, kept_heads, head_width, .. } = self.shape;
        let (level, query_width) = (self.level, self.shape.query_width());
        let (group, query_stride) = (heads / kept_heads, work.wide.len() / rows);
        work.mixed.resize(rows * query_width, 0.0);
        let whole = |head: usize| Group {
            heads: group,
            query_at: head * group * head_width,
            query_stride,
            out_at: head * group * head_width,
            out_stride: query_width,
            head_width,
        };
        if rows == 1 && first >= SHARED_POSITIONS {
            let outs = work.mixed.par_chunks_mut(group * head_width).zip(past).enumerate();
            outs.for_each_init(Attending::default, |attending, (head, (out, past))| {
                let group = Group { out_at: 0, ..whole(head) };
                attention::attend(level, group, past, first, &work.wide, attending, out);
            });
        } else {
            let Work { wide, mixed, attending, .. } = work;
            for (head, past) in past.iter().enumerate() {
                attention::attend(level, whole(head), past, first, wide, attending, mixed);
            }
        }
    }

    /// One half of what came out decides how much of the other goes on.
    fn gate(&self, work: &mut Work) {
        let inner = self.shape.inner;
        let outputs = (2 * inner).next_multiple_of(super::kernels::PANEL);
        work.mixed.resize(work.wide.len() / outputs * inner, 0.0);
        dispatch!(self.level, _simd => {
            let rows = work.wide.chunks_exact(outputs).zip(work.mixed.chunks_exact_mut(inner));
            for (wide, out) in rows {
                for ((out, gate), up) in out.iter_mut().zip(&wide[..inner]).zip(&wide[inner..]) {
                    *out = gate / (1.0 + math::exp(-gate)) * up;
                }
            }
        });
    }

    fn normalise(&self, rows: &[f32], gain: &[f32], out: &mut Vec<f32>) {
        out.resize(rows.len(), 0.0);
        let epsilon = self.shape.epsilon;
        dispatch!(self.level, _simd => {
            let width = gain.len();
            for (row, out) in rows.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
                let mean = math::sum(row, |value| value * value) / width as f32;
                let factor = 1.0 / (mean + epsilon).sqrt();
                for ((out, value), gain) in out.iter_mut().zip(row).zip(gain) {
                    *out = value * factor * gain;
                }
            }
        });
    }
}

/// Tensors by name, checked against what the shape says.
struct Source<'a, F> {
    head: &'a Head,
    file: &'a mut F,
}

impl<F: Read + Seek> Source<'_, F> {
    fn list(&mut self, name: &str, length: usize) -> Result<Vec<f32>, LlamaError> {
        let raw = self.head.tensor(self.file, name)?;
        if (raw.inputs, raw.outputs) != (length, 1) {
            return Err(LlamaError::Shape(format!("{name} has {} numbers", raw.inputs)));
        }
        blocks::numbers(raw.format, &raw.bytes)
    }

    /// Matrices with so many outputs each, one under the other, and their biases where there are any.
    fn linear(&mut self, parts: &[(String, usize)], inputs: usize) -> Result<Linear, LlamaError> {
        let (mut rows, mut bias) = (Vec::new(), Vec::new());
        for (name, outputs) in parts {
            let weight = format!("{name}.weight");
            let raw = self.head.tensor(self.file, &weight)?;
            if (raw.inputs, raw.outputs) != (inputs, *outputs) {
                let found = format!("{weight} is {} × {}", raw.inputs, raw.outputs);
                return Err(LlamaError::Shape(format!("{found} instead of {inputs} × {outputs}")));
            }
            rows.extend(blocks::blocks(raw.format, &raw.bytes)?);
            let name = format!("{name}.bias");
            bias.extend(match self.head.has_tensor(&name) {
                true => self.list(&name, *outputs)?,
                false => vec![0.0; *outputs],
            });
        }
        Ok(Linear::new(&rows, inputs, &bias))
    }
}
