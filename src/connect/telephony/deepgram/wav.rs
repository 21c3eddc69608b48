use super::listen::Format;
use crate::flow::audio::Codec;

/// Chunks before the samples, together; more is no recording.
const HEAD_MAX_BYTES: usize = 64 << 10;
const RIFF_BYTES: usize = 12;
const CHUNK_HEAD_BYTES: usize = 8;
const PCM: u16 = 1;
const ALAW: u16 = 6;
const MULAW: u16 = 7;
/// The first two bytes of its sub-format say what it is.
const EXTENSIBLE: u16 = 0xFFFE;

/// Whether a stream begins as a WAV file does (RIFF, Microsoft and IBM 1991).
pub fn is_wav(bytes: &[u8]) -> bool {
    bytes.len() >= RIFF_BYTES && bytes.starts_with(b"RIFF") && &bytes[8..RIFF_BYTES] == b"WAVE"
}

/// Reads the head of a WAV file that comes in pieces: the format, and where the samples begin.
/// `None` while there is too little of it. What it says of lengths isn't looked at: in a live stream
/// nobody knew them.
///
/// # Errors
/// The sentence to refuse the audio with.
pub fn parse_head(bytes: &[u8]) -> Result<Option<(Format, usize)>, String> {
    let riff = &bytes[..bytes.len().min(4)];
    if !b"RIFF".starts_with(riff) || (bytes.len() >= RIFF_BYTES && !is_wav(bytes)) {
        return Err("the audio is no WAV file: raw audio needs encoding and sample_rate".to_owned());
    }
    let mut at = RIFF_BYTES;
    let mut format = None;
    while let Some(head) = bytes.get(at..at + CHUNK_HEAD_BYTES) {
        let (name, length) = head.split_at(4);
        let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]) as usize;
        let begin = at + CHUNK_HEAD_BYTES;
        if name == b"data" {
            let format: Format = format.ok_or("the WAV file has samples before their format")?;
            return Ok(Some((format, begin)));
        }
        if begin + length > HEAD_MAX_BYTES {
            return Err(format!("the WAV file's head is larger than {} KiB", HEAD_MAX_BYTES >> 10));
        }
        let Some(chunk) = bytes.get(begin..begin + length) else { break };
        if name == b"fmt " {
            format = Some(parse_format(chunk)?);
        }
        // Chunks are padded to an even length.
        at = begin + length + length % 2;
    }
    Ok(None)
}

fn parse_format(chunk: &[u8]) -> Result<Format, String> {
    let short = || "the WAV file's format is cut short".to_owned();
    let number = |at: usize| {
        let bytes = chunk.get(at..at + 2).ok_or_else(short)?;
        Ok::<u16, String>(u16::from_le_bytes([bytes[0], bytes[1]]))
    };
    let kind = match number(0)? {
        EXTENSIBLE => number(24)?,
        kind => kind,
    };
    let codec = match (kind, number(14)?) {
        (PCM, 16) => Codec::PcmS16Le,
        (ALAW, 8) => Codec::Alaw,
        (MULAW, 8) => Codec::Mulaw,
        _ => return Err("the WAV file must be 16-bit PCM, mu-law or A-law".to_owned()),
    };
    let sample_rate_hz = u32::from(number(4)?) | u32::from(number(6)?) << 16;
    Format { codec, sample_rate_hz, channels: usize::from(number(2)?) }.check()
}
