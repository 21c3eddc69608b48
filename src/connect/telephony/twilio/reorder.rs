use std::collections::BTreeMap;

use bytes::Bytes;

/// So far a stamp may lie from where the chunk before ended and still follow it.
const JITTER_MS: u64 = 10;

/// So many chunks wait for one that is missing: 60 ms of Twilio's.
const PATIENCE_CHUNKS: usize = 3;

/// A stamp that lies farther back than this is a clock set back, not a chunk that comes late.
const LATEST_MS: u64 = 1_000;

/// Puts one track's chunks in the order of their stamps and drops what came twice.
///
/// While chunks follow each other nothing waits. When one is missing, those behind it wait until it
/// comes or until there are too many of them.
#[derive(Debug, Default)]
pub struct Reorder {
    next_ms: Option<u64>,
    held: BTreeMap<u64, Bytes>,
}

impl Reorder {
    /// Appends what is ready to `out`.
    pub fn push(&mut self, at_ms: Option<u64>, payload: Bytes, out: &mut Vec<(u64, Bytes)>) {
        let next_ms = self.next_ms.or(at_ms).unwrap_or(0);
        let at_ms = at_ms.unwrap_or(next_ms);
        if at_ms > next_ms.saturating_add(JITTER_MS) {
            self.held.entry(at_ms).or_insert(payload);
            if self.held.len() > PATIENCE_CHUNKS {
                self.flush(out);
            }
            return;
        }
        if at_ms.saturating_add(JITTER_MS) < next_ms {
            if at_ms.saturating_add(LATEST_MS) >= next_ms {
                return;
            }
            self.flush(out);
        }
        self.release(at_ms, payload, out);
        while let Some((&held_ms, _)) = self.held.first_key_value()
            && held_ms <= self.next_ms.unwrap_or(0).saturating_add(JITTER_MS)
            && let Some((held_ms, payload)) = self.held.pop_first()
        {
            self.release(held_ms, payload, out);
        }
    }

    /// Gives up waiting.
    pub fn flush(&mut self, out: &mut Vec<(u64, Bytes)>) {
        while let Some((at_ms, payload)) = self.held.pop_first() {
            self.release(at_ms, payload, out);
        }
    }

    fn release(&mut self, at_ms: u64, payload: Bytes, out: &mut Vec<(u64, Bytes)>) {
        let length_ms = payload.len() as u64 / 8;
        self.next_ms = Some(at_ms.saturating_add(length_ms));
        out.push((at_ms, payload));
    }
}
