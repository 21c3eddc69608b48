//! Recordings, through the stages of a live call.

use super::Means;
use crate::batch::conversation::{ItemError, RawConversation, RawTurn};
use crate::batch::recording::{Channel, transcribe};
use crate::domain::{Classify, ErrorKind, Role};
use crate::flow::audio::AudioFile;
use crate::flow::session::SessionSettings;

/// The customer is on the first channel of two, as with `transcribe`.
const TWO: &[Role] = &[Role::Customer, Role::Agent];
const ONE: &[Role] = &[Role::Mixed];

/// A larger file is no recording of a call.
pub const BYTES_MAX: usize = 512 << 20;
/// Two gibibytes of them: nine hours of two channels at 8 kHz. Packed, they may be a hundredth of it.
const SAMPLES_MAX: usize = 512 << 20;

pub fn conversation(
    bytes: Vec<u8>,
    name: &str,
    means: &Means,
) -> Result<RawConversation, ItemError> {
    let file = AudioFile::parse_at_most(bytes, SAMPLES_MAX)
        .map_err(|error| ItemError::invalid(error.to_string()))?;
    let roles = match file.channels.len() {
        1 => ONE,
        2 => TWO,
        more => return Err(ItemError::invalid(format!("has {more} channels; two are the most"))),
    };
    let pool = means.recogniser.pool().map_err(|reason| ItemError {
        kind: ErrorKind::Unavailable,
        ..ItemError::invalid(reason)
    })?;
    let channels: Vec<Channel<'_>> = roles
        .iter()
        .zip(&file.channels)
        .map(|(role, samples)| Channel { role: *role, samples })
        .collect();
    let (settings, rate_hz) = (SessionSettings::default(), file.sample_rate_hz);
    let transcript =
        transcribe(&pool, &channels, rate_hz, &settings, 2, &mut |_| ()).map_err(|error| {
            ItemError { kind: error.kind(), ..ItemError::invalid(error.to_string()) }
        })?;
    if let Some(gap) = transcript.gaps.first() {
        let lost_ms: u64 = transcript.gaps.iter().map(|gap| gap.lost_ms).sum();
        let reason = format!("{lost_ms} ms of it {}, from {} ms on", gap.why, gap.start_ms);
        return Err(ItemError { kind: ErrorKind::Unavailable, ..ItemError::invalid(reason) });
    }
    let turns = transcript.turns.into_iter().map(|turn| RawTurn {
        role: turn.party.role,
        name: turn.party.name,
        // Masked by the stages; masking masked words again changes nothing.
        text: turn.text.as_str().to_owned(),
        start_ms: Some(turn.start_ms),
        end_ms: Some(turn.end_ms),
        language: Some(turn.language),
    });
    let turns = turns.collect();
    Ok(RawConversation { warnings: file.warnings, ..RawConversation::new(name, turns) })
}
