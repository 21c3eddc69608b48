//! Who spoke when, by level alone: the yardstick for recordings that nobody has written down.

use super::live::Share;

/// A stretch of a recording in which one channel is loud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The channel's role: `customer` or `agent`.
    pub speaker: String,
    pub start_ms: u64,
    pub end_ms: u64,
}

/// Louder than this in a tenth of a second is sound.
const LOUD_DBFS: f32 = -42.0;
/// Pauses up to this belong to a stretch.
const PAUSE_MS: u64 = 400;
/// Shorter stretches may be a cough.
const SHORTEST_MS: u64 = 1_000;

/// The loud stretches of one channel (samples from -1 to 1) that are longer than a second.
pub fn loud_stretches(speaker: &str, samples: &[f32], sample_rate_hz: u32) -> Vec<Stretch> {
    let block = (sample_rate_hz as usize / 10).max(1);
    let mut stretches: Vec<Stretch> = Vec::new();
    for (number, block) in (0u64..).zip(samples.chunks_exact(block)) {
        let power = block.iter().map(|s| s * s).sum::<f32>() / block.len() as f32;
        if 10.0 * power.max(1e-10).log10() <= LOUD_DBFS {
            continue;
        }
        let (start_ms, end_ms) = (number * 100, number * 100 + 100);
        match stretches.last_mut() {
            Some(last) if start_ms - last.end_ms <= PAUSE_MS => last.end_ms = end_ms,
            _ => stretches.push(Stretch { speaker: speaker.to_owned(), start_ms, end_ms }),
        }
    }
    stretches.retain(|stretch| stretch.end_ms - stretch.start_ms > SHORTEST_MS);
    stretches
}

/// The stretches that turns of the same speaker, as (speaker, start, end), fill for at least half of
/// their middle: a breath at either end is no speech.
pub fn with_turns(stretches: &[Stretch], turns: &[(&str, u64, u64)]) -> Share {
    let has_turn = |stretch: &&Stretch| {
        let quarter_ms = (stretch.end_ms - stretch.start_ms) / 4;
        let (from_ms, upto_ms) = (stretch.start_ms + quarter_ms, stretch.end_ms - quarter_ms);
        let covered_ms: u64 = turns
            .iter()
            .filter(|(speaker, _, _)| *speaker == stretch.speaker)
            .map(|(_, start, end)| end.min(&upto_ms).saturating_sub(*start.max(&from_ms)))
            .sum();
        covered_ms >= quarter_ms
    };
    Share { good: stretches.iter().filter(has_turn).count(), all: stretches.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loud_second_is_a_stretch_and_wants_a_turn_of_its_speaker() {
        let mut samples = vec![0.0; 8_000];
        samples.extend(vec![0.1; 12_000]);
        samples.extend(vec![0.0; 2_400]);
        samples.extend(vec![0.1; 4_000]);
        samples.extend(vec![0.0; 8_000]);
        samples.extend(vec![0.1; 4_000]);
        let stretches = loud_stretches("agent", &samples, 8_000);
        let expected = Stretch { speaker: "agent".to_owned(), start_ms: 1_000, end_ms: 3_300 };
        assert_eq!(stretches, [expected]);
        let share = |turns: &[(&str, u64, u64)]| with_turns(&stretches, turns).good;
        assert_eq!(share(&[("agent", 1_100, 3_000)]), 1);
        assert_eq!(share(&[("customer", 1_100, 3_000)]), 0);
        assert_eq!(share(&[("agent", 1_100, 1_700)]), 0);
    }
}
