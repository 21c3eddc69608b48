//! From tokens to words with times.
//!
//! Times come from the decoder's attention to the audio, aligned by dynamic time warping: `timing.py`
//! of openai/whisper, with the median taken once over the heads' mean.

use crate::models::transcriber::{Heard, HeardWord};

use super::tokens::Tokens;

/// The encoder makes a position every 20 ms.
const POSITION_MS: u64 = 20;
/// Positions of the median filter.
const MEDIAN: usize = 7;

/// One token as it was decoded.
pub(super) struct Spoken {
    pub token: u32,
    pub probability: f32,
    /// Attention over the audio when it was chosen, one stretch of positions a head.
    pub attention: Vec<f32>,
}

/// Puts tokens together to words. `ending` is the attention when the end was chosen, empty if it
/// never was.
pub(super) fn put_together(
    tokens: &Tokens,
    spoken: &[Spoken],
    ending: &[f32],
    positions: usize,
    audio_s: f32,
) -> Heard {
    let audio_ms = (audio_s * 1_000.0) as u64;
    let mut heard = Heard { tokens: spoken.len(), ..Heard::default() };
    if spoken.is_empty() {
        return heard;
    }
    let logprobs: f32 = spoken.iter().map(|one| one.probability.max(1e-30).ln()).sum();
    heard.mean_logprob = logprobs / spoken.len() as f32;
    let mut rows: Vec<&[f32]> = spoken.iter().map(|one| one.attention.as_slice()).collect();
    if !ending.is_empty() {
        rows.push(ending);
    }
    let in_audio = usize::try_from(audio_ms / POSITION_MS).unwrap_or(positions);
    let begins = align(&mean_attention(&rows, positions, in_audio.clamp(1, positions)));
    let time = |number: usize| {
        begins.get(number).map_or(audio_ms, |at| (*at as u64 * POSITION_MS).min(audio_ms))
    };
    let mut bytes = Vec::new();
    let mut first = 0;
    for (number, one) in spoken.iter().enumerate() {
        let piece = tokens.bytes(one.token);
        // A token that begins with a blank begins a word.
        if piece.first() == Some(&b' ') && !bytes.is_empty() {
            push(&mut heard.words, &bytes, &spoken[first..number], time(first), time(number));
            bytes.clear();
            first = number;
        }
        bytes.extend_from_slice(piece);
    }
    push(&mut heard.words, &bytes, &spoken[first..], time(first), time(spoken.len()));
    heard
}

fn push(words: &mut Vec<HeardWord>, bytes: &[u8], of: &[Spoken], start_ms: u64, end_ms: u64) {
    let text = String::from_utf8_lossy(bytes).trim().to_owned();
    if text.is_empty() {
        return;
    }
    let sum: f32 = of.iter().map(|one| one.probability).sum();
    let confidence = (sum / of.len().max(1) as f32).clamp(0.0, 1.0);
    words.push(HeardWord { text, start_ms, end_ms: end_ms.max(start_ms), confidence });
}

/// One row of `in_audio` numbers for each token: the heads' attention, each normalised over the
/// tokens, averaged and smoothed.
fn mean_attention(rows: &[&[f32]], positions: usize, in_audio: usize) -> Vec<Vec<f32>> {
    let mut mean = vec![vec![0.0; in_audio]; rows.len()];
    let heads = rows.first().map_or(0, |row| row.len() / positions);
    for head in 0..heads {
        for at in 0..in_audio {
            let column = || rows.iter().map(|row| row[head * positions + at]);
            let average = column().sum::<f32>() / rows.len() as f32;
            let squares = column().map(|value| (value - average) * (value - average)).sum::<f32>();
            let factor = 1.0 / (squares / rows.len() as f32).sqrt().max(1e-9);
            for (mean, value) in mean.iter_mut().zip(column()) {
                mean[at] += (value - average) * factor;
            }
        }
    }
    mean.iter().map(|row| medians(row)).collect()
}

fn medians(row: &[f32]) -> Vec<f32> {
    let half = MEDIAN / 2;
    (0..row.len())
        .map(|at| {
            let mut window = [0.0_f32; MEDIAN];
            for (offset, value) in window.iter_mut().enumerate() {
                let from = (at + offset).saturating_sub(half).min(row.len() - 1);
                *value = row[from];
            }
            window.sort_unstable_by(f32::total_cmp);
            window[half]
        })
        .collect()
}

/// The position at which each row begins on the best path that only goes forward.
fn align(rows: &[Vec<f32>]) -> Vec<usize> {
    const DIAGONAL: u8 = 0;
    const NEXT_TOKEN: u8 = 1;
    const NEXT_POSITION: u8 = 2;
    let columns = rows.first().map_or(0, Vec::len);
    let mut before = vec![f32::INFINITY; columns + 1];
    before[0] = 0.0;
    let mut steps = vec![DIAGONAL; rows.len() * columns];
    for (row, values) in rows.iter().enumerate() {
        let mut costs = vec![f32::INFINITY; columns + 1];
        for (at, value) in values.iter().enumerate() {
            let ways = [before[at], before[at + 1], costs[at]];
            let (step, cost) = if ways[0] < ways[1] && ways[0] < ways[2] {
                (DIAGONAL, ways[0])
            } else if ways[1] < ways[0] && ways[1] < ways[2] {
                (NEXT_TOKEN, ways[1])
            } else {
                (NEXT_POSITION, ways[2])
            };
            costs[at + 1] = cost - value;
            steps[row * columns + at] = step;
        }
        before = costs;
    }
    let mut begins = vec![0; rows.len()];
    let (mut row, mut at) = (rows.len(), columns);
    while row > 0 && at > 0 {
        begins[row - 1] = at - 1;
        match steps[(row - 1) * columns + at - 1] {
            DIAGONAL => (row, at) = (row - 1, at - 1),
            NEXT_TOKEN => row -= 1,
            _ => at -= 1,
        }
    }
    begins
}
