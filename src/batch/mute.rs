//! Silences a recording where its transcript is masked.

use std::ops::Range;
use std::path::Path;

use super::Transcript;
use crate::flow::audio::AudioFile;
use crate::insight::redaction;

/// Recognisers place words within so much, so that is silent before and behind a secret, too.
const MARGIN_MS: u64 = 150;

/// When nothing may be heard, in milliseconds of the recording, in order.
pub fn silences(transcript: &Transcript) -> Vec<Range<u64>> {
    let mut times: Vec<Range<u64>> =
        transcript.turns.iter().flat_map(redaction::secret_times).collect();
    times.sort_by_key(|time| time.start);
    let mut silences: Vec<Range<u64>> = Vec::new();
    for time in times {
        let time = time.start.saturating_sub(MARGIN_MS)..time.end + MARGIN_MS;
        match silences.last_mut().filter(|last| last.end >= time.start) {
            Some(last) => last.end = last.end.max(time.end),
            None => silences.push(time),
        }
    }
    silences
}

/// Makes these times silent on all channels: on telephone lines each party is heard in the other's channel, too.
pub fn mute(channels: &mut [Vec<f32>], sample_rate_hz: u32, silences: &[Range<u64>]) {
    let place =
        |ms: u64| usize::try_from(ms * u64::from(sample_rate_hz) / 1_000).unwrap_or(usize::MAX);
    for channel in channels {
        for silence in silences {
            let end = place(silence.end).min(channel.len());
            let start = place(silence.start).min(end);
            channel[start..end].fill(0.0);
        }
    }
}

/// Writes a recording as WAV with 16 bits.
///
/// # Errors
/// The file can't be written.
pub fn write_wav(path: &Path, file: &AudioFile) -> Result<(), hound::Error> {
    let spec = hound::WavSpec {
        channels: u16::try_from(file.channels.len()).unwrap_or(u16::MAX),
        sample_rate: file.sample_rate_hz,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec)?;
    let length = file.channels.iter().map(Vec::len).min().unwrap_or(0);
    for at in 0..length {
        for channel in &file.channels {
            writer
                .write_sample((channel[at].clamp(-1.0, 1.0) * f32::from(i16::MAX)).round() as i16)?;
        }
    }
    writer.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Party, Redacted, Role, Turn, Word};

    fn turn(words: &[(&str, u64)], start_ms: u64, end_ms: u64) -> Turn {
        let word = |(text, start_ms): &(&str, u64)| Word {
            text: Redacted::vouched(*text),
            start_ms: *start_ms,
            end_ms: start_ms + 400,
            confidence: 1.0,
        };
        let text: Vec<&str> = words.iter().map(|(text, _)| *text).collect();
        Turn {
            id: "t-1".into(),
            party: Party { id: "p-1".into(), role: Role::Customer, name: None },
            start_ms,
            end_ms,
            text: Redacted::vouched(text.join(" ")),
            display_text: None,
            words: words.iter().map(word).collect(),
            mean_logprob: None,
            language: "en".to_owned(),
        }
    }

    #[test]
    fn secrets_are_silent_and_nothing_else_is() {
        let mut without_times = turn(&[("[iban-1]", 0)], 5_000, 6_000);
        without_times.words.clear();
        let transcript = Transcript {
            turns: vec![
                turn(&[("it's", 500), ("[card-1].", 1_000), ("okay", 1_500)], 500, 1_900),
                without_times,
            ],
            ..Transcript::default()
        };
        let silences = silences(&transcript);
        assert_eq!(silences, [850..1_550, 4_850..6_150]);
        let mut channels = vec![vec![0.5; 56_000], vec![0.25; 56_000]];
        mute(&mut channels, 8_000, &silences);
        for (channel, loud) in channels.iter().zip([0.5, 0.25]) {
            for (at, sample) in channel.iter().enumerate() {
                let is_silent = silences.iter().any(|silence| silence.contains(&(at as u64 / 8)));
                assert_eq!(*sample, if is_silent { 0.0 } else { loud }, "at {at}");
            }
        }
    }

    #[test]
    fn a_silence_behind_the_end_is_none() {
        let mut channels = vec![vec![1.0; 10]];
        mute(&mut channels, 8_000, &[1..2, 900..2_000]);
        assert_eq!(channels[0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0]);
    }
}
