//! What the decoder may say next.
//!
//! With time marks, as Whisper was trained: they come in pairs but for the last, never go back, and
//! one is due as soon as all of them together are likelier than any text. Without them a short
//! window makes it say the same again and again. Source: `ApplyTimestampRules` in `decoding.py` of
//! openai/whisper.

use fearless_simd::{Level, dispatch};

use super::math;
use super::tokens::Tokens;

/// The likeliest of the logits that the rules allow after what was said, the first time mark
/// included, and its probability among them.
pub(super) fn choose(level: Level, tokens: &Tokens, said: &[u32], logits: &[f32]) -> (u32, f32) {
    let is_time = |token: &u32| *token >= tokens.first_time;
    let last_is_time = said.last().is_some_and(is_time);
    let begun = said.len() < 2 || is_time(&said[said.len() - 2]);
    let end = tokens.end as usize;
    let texts = if last_is_time && !begun { end..end + 1 } else { 0..end + 1 };
    let latest = said.iter().rfind(|token| is_time(token)).copied().unwrap_or(tokens.first_time);
    let times = if last_is_time && begun { 0..0 } else { latest as usize..logits.len() };
    dispatch!(level, _simd => likeliest(logits, texts, times))
}

#[inline(always)]
fn likeliest(
    logits: &[f32],
    texts: std::ops::Range<usize>,
    times: std::ops::Range<usize>,
) -> (u32, f32) {
    let of_texts = math::largest(&logits[texts.clone()]);
    let of_times = math::largest(&logits[times.clone()]);
    let most = of_texts.max(of_times);
    let share = |logit: f32| math::exp(logit - most);
    let all_texts = math::sum(&logits[texts.clone()], share);
    let all_times = math::sum(&logits[times.clone()], share);
    let (span, best) =
        if all_times > share(of_texts) { (times, of_times) } else { (texts, of_texts) };
    let at = logits[span.clone()].iter().position(|logit| *logit >= best).unwrap_or(0);
    ((span.start + at) as u32, share(best) / (all_texts + all_times))
}
