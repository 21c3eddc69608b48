//! Recorded audio: WAV (PCM, float, µ-law, A-law), FLAC, MP3, M4A (AAC) and Ogg Opus, one or two
//! channels.

use std::io::Cursor;
use std::path::Path;
use std::sync::LazyLock;

use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_AAC, CODEC_ID_FLAC, CODEC_ID_MP3, CODEC_ID_OPUS, CODEC_ID_PCM_ALAW, CODEC_ID_PCM_MULAW,
};
use symphonia::core::codecs::registry::CodecRegistry;
use symphonia::core::errors::Error as SymphoniaError;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;
use symphonia_adapter_libopus::OpusDecoder;

use super::codec::Codec;
use super::resample::Resampler;
use super::{AudioError, SAMPLE_RATE_HZ};
use crate::domain::{Classify, ErrorKind};

/// Beyond this a file is no call recording; it is read into memory.
const LARGEST_BYTES: u64 = 2 << 30;

/// A hole longer than this is no damage but a mad number.
const LONGEST_DAMAGE_SECONDS: u64 = 60;

/// What the reader's own decoders know, and Opus, which it has none for.
static CODECS: LazyLock<CodecRegistry> = LazyLock::new(|| {
    let mut codecs = CodecRegistry::new();
    symphonia::default::register_enabled_codecs(&mut codecs);
    codecs.register_audio_decoder::<OpusDecoder>();
    codecs
});

/// A whole recording in memory.
#[derive(Clone, Debug, Default)]
pub struct AudioFile {
    pub sample_rate_hz: u32,
    /// One entry per channel, all of the same length.
    pub channels: Vec<Vec<f32>>,
    /// The bytes of the file where it is G.711: interleaved, so that they can be sent untouched.
    pub g711: Option<(Codec, Vec<u8>)>,
    /// What is wrong with the file although it can be played, one sentence each.
    pub warnings: Vec<String>,
}

/// Why a file can't be played.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("can't be read: {0}")]
    Read(#[from] std::io::Error),
    #[error("is no audio file: use WAV, FLAC, MP3, M4A (AAC) or Ogg Opus")]
    NotAudio,
    #[error("is damaged: {0}")]
    Damaged(String),
    #[error(
        "holds audio in a form that is not supported ({0}): use PCM, float, µ-law or A-law WAV, FLAC, MP3, M4A (AAC) or Ogg Opus"
    )]
    Unsupported(String),
    #[error("holds no audio: its length is zero")]
    Empty,
    #[error("has {0} channels: use one, or two (customer and agent)")]
    Channels(usize),
    #[error("has a sample rate of {0} Hz: use one from 8000 to 48000 Hz")]
    Rate(u32),
    #[error("is larger than {} MiB", LARGEST_BYTES >> 20)]
    TooLarge,
    #[error("holds more audio than fits into memory: cut it into pieces")]
    TooLong,
}

impl Classify for FileError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Read(error) if error.kind() == std::io::ErrorKind::NotFound => {
                ErrorKind::NotFound
            }
            _ => ErrorKind::Invalid,
        }
    }
}

impl AudioFile {
    pub fn open(path: &Path) -> Result<Self, FileError> {
        if std::fs::metadata(path)?.len() > LARGEST_BYTES {
            return Err(FileError::TooLarge);
        }
        Self::parse(std::fs::read(path)?)
    }

    /// Reads what is there. A file that ends too early is played as far as it goes, with a warning.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, FileError> {
        Self::parse_at_most(bytes, usize::MAX)
    }

    /// The same, with a limit for what it holds once it is unpacked.
    pub fn parse_at_most(mut bytes: Vec<u8>, samples_max: usize) -> Result<Self, FileError> {
        let mut warnings = Vec::new();
        if let Some(warning) = mend_wav(&mut bytes)? {
            warnings.push(warning);
        }
        let is_mp4 = bytes.get(4..8).is_some_and(|kind| kind == b"ftyp");
        let source = MediaSourceStream::new(Box::new(Cursor::new(bytes)), Default::default());
        let mut format = symphonia::default::get_probe()
            .probe(&Hint::new(), source, FormatOptions::default(), MetadataOptions::default())
            .map_err(|error| match error {
                // Recorders write the index last.
                _ if is_mp4 => FileError::Damaged(
                    "it ends too early, before the index that tells where its audio is".to_owned(),
                ),
                // The probe says "unsupported" and "end of stream" when no reader knows the bytes.
                SymphoniaError::Unsupported(what) if what.starts_with("wav") => {
                    FileError::Unsupported(what.to_owned())
                }
                SymphoniaError::DecodeError(what) if what.contains("channel") => {
                    FileError::Channels(0)
                }
                SymphoniaError::DecodeError(what) => FileError::Damaged(what.to_owned()),
                _ => FileError::NotAudio,
            })?;
        let mut file = read_packets(format.as_mut(), samples_max)?;
        warnings.append(&mut file.warnings);
        file.warnings = warnings;
        match file.channels.first() {
            Some(first) if !first.is_empty() => Ok(file),
            _ if !file.warnings.is_empty() => Err(FileError::Damaged(
                "it ends too early: nothing of its audio is there".to_owned(),
            )),
            _ => Err(FileError::Empty),
        }
    }

    pub fn duration_ms(&self) -> u64 {
        let samples = self.channels.first().map_or(0, Vec::len) as u64;
        samples * 1_000 / u64::from(self.sample_rate_hz.max(1))
    }

    /// One channel as the recogniser wants it.
    pub fn channel_16k(&self, channel: usize) -> Result<Vec<f32>, AudioError> {
        self.channel_at(channel, SAMPLE_RATE_HZ)
    }

    pub fn channel_at(&self, channel: usize, rate_hz: u32) -> Result<Vec<f32>, AudioError> {
        let mut resampler = Resampler::new(self.sample_rate_hz, rate_hz)?;
        let mut out = Vec::new();
        resampler.push(&self.channels[channel], &mut out)?;
        resampler.flush(&mut out)?;
        Ok(out)
    }
}

fn read_packets(format: &mut dyn FormatReader, samples_max: usize) -> Result<AudioFile, FileError> {
    let track = format.default_track(TrackType::Audio).ok_or(FileError::NotAudio)?;
    let track_id = track.id;
    let promised_frames = track.num_frames;
    let parameters = track
        .codec_params
        .as_ref()
        .and_then(|parameters| parameters.audio())
        .ok_or(FileError::NotAudio)?
        .clone();
    let sample_rate_hz = parameters.sample_rate.unwrap_or(0);
    if !(8_000..=48_000).contains(&sample_rate_hz) {
        return Err(FileError::Rate(sample_rate_hz));
    }
    let channels = parameters.channels.as_ref().map_or(0, |channels| channels.count());
    if !(1..=2).contains(&channels) {
        return Err(FileError::Channels(channels));
    }
    let g711 = match parameters.codec {
        CODEC_ID_PCM_MULAW => Some(Codec::Mulaw),
        CODEC_ID_PCM_ALAW => Some(Codec::Alaw),
        _ => None,
    };
    let mut file = AudioFile {
        sample_rate_hz,
        channels: vec![Vec::new(); channels],
        g711: g711.map(|codec| (codec, Vec::new())),
        warnings: Vec::new(),
    };
    let is_flac = parameters.codec == CODEC_ID_FLAC;
    let is_lossless = !matches!(parameters.codec, CODEC_ID_MP3 | CODEC_ID_AAC | CODEC_ID_OPUS);
    let mut decoder = CODECS
        .make_audio_decoder(&parameters, &AudioDecoderOptions::default())
        .map_err(|error| FileError::Unsupported(error.to_string()))?;
    let (mut planes, mut linear) = (Vec::<Vec<f32>>::new(), Vec::new());
    let (mut damaged_packets, mut cut_short) = (0_u32, false);
    loop {
        if file.channels[0].len() * channels > samples_max {
            return Err(FileError::TooLong);
        }
        let packet = match format.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => break,
            // Whatever goes wrong between packets, there is nothing to be read behind it.
            Err(_) => {
                cut_short = true;
                break;
            }
        };
        if packet.track_id != track_id {
            continue;
        }
        if let Some((codec, bytes)) = &mut file.g711 {
            linear.clear();
            codec.decode(&packet.data, &mut linear);
            for (index, channel) in file.channels.iter_mut().enumerate() {
                channel.extend(linear.iter().skip(index).step_by(channels));
            }
            bytes.extend_from_slice(&packet.data);
            continue;
        }
        // In FLAC a damaged frame is passed over by the reader; silence keeps what follows in its place.
        let heard = file.channels[0].len() as u64;
        let missing = u64::try_from(packet.pts.get()).unwrap_or(0).saturating_sub(heard);
        if is_flac && missing > 0 && missing <= u64::from(sample_rate_hz) * LONGEST_DAMAGE_SECONDS {
            damaged_packets += 1;
            for channel in &mut file.channels {
                channel.resize((heard + missing) as usize, 0.0);
            }
        }
        match decoder.decode(&packet) {
            Ok(decoded) if decoded.num_planes() == channels => {
                decoded.copy_to_vecs_planar(&mut planes);
                for (channel, plane) in file.channels.iter_mut().zip(&planes) {
                    channel.extend_from_slice(plane);
                }
            }
            // The next packet's place shows how much is missing.
            Ok(_) | Err(SymphoniaError::DecodeError(_) | SymphoniaError::IoError(_)) => {}
            Err(error) => return Err(FileError::Damaged(error.to_string())),
        }
    }
    let frames = file.channels[0].len() as u64;
    if damaged_packets > 0 {
        file.warnings.push(format!("{damaged_packets} damaged stretches are silent"));
    }
    let missing = promised_frames.unwrap_or(0).saturating_sub(frames);
    // Encoders that lose something also pad: what a container promises is a little more than there is.
    let is_short = missing > u64::from(sample_rate_hz) / 5 || (missing > 0 && is_lossless);
    if cut_short || is_short {
        let rate = f64::from(sample_rate_hz);
        file.warnings.push(match missing {
            0 => "the file ends too early".to_owned(),
            _ => format!(
                "the file ends too early: {:.1} s of {:.1} s are there",
                frames as f64 / rate,
                (frames + missing) as f64 / rate
            ),
        });
    }
    Ok(file)
}

/// Makes the lengths in a WAV header agree with the bytes that follow, because the reader refuses
/// or cuts what real recorders write: a file still growing or cut off (lengths too large), one that
/// was piped (lengths unknown), a G.711 format chunk without its empty extension.
fn mend_wav(bytes: &mut Vec<u8>) -> Result<Option<String>, FileError> {
    if bytes.is_empty() {
        return Err(FileError::Empty);
    }
    if bytes.len() < 12 || &bytes[..4] != b"RIFF" || &bytes[8..12] != b"WAVE" {
        return Ok(None);
    }
    let riff_bytes = length_at(bytes, 4);
    let (mut at, mut block_bytes, mut bytes_per_second) = (12, 1, 0);
    while at + 8 <= bytes.len() {
        let body = at + 8;
        let length = length_at(bytes, at + 4) as usize;
        match &bytes[at..at + 4] {
            b"fmt " if body + 16 <= bytes.len() => {
                let tag = u16::from_le_bytes([bytes[body], bytes[body + 1]]);
                let channels = u16::from_le_bytes([bytes[body + 2], bytes[body + 3]]);
                if !(1..=2).contains(&channels) {
                    return Err(FileError::Channels(channels.into()));
                }
                bytes_per_second = length_at(bytes, body + 8) as usize;
                block_bytes =
                    usize::from(u16::from_le_bytes([bytes[body + 12], bytes[body + 13]])).max(1);
                const ALAW_TAG: u16 = 6;
                const MULAW_TAG: u16 = 7;
                if length == 16 && matches!(tag, ALAW_TAG | MULAW_TAG) {
                    bytes.splice(body + 16..body + 16, [0, 0]);
                    put_length(bytes, at + 4, 18);
                    at = body + 18;
                    continue;
                }
            }
            b"data" => {
                let there = bytes.len() - body;
                let piped = length >= 0x7FFF_0000
                    || (length == 0 && (riff_bytes == 0 || riff_bytes >= 0x7FFF_0000));
                let warning = (length > there && !piped).then(|| match bytes_per_second {
                    0 => "the file ends too early".to_owned(),
                    rate => format!(
                        "the file ends too early: {:.1} s of {:.1} s are there",
                        there as f64 / rate as f64,
                        length as f64 / rate as f64
                    ),
                });
                if warning.is_some() || piped {
                    let whole = there - there % block_bytes;
                    bytes.truncate(body + whole);
                    put_length(bytes, at + 4, whole);
                }
                if length_at(bytes, at + 4) == 0 {
                    return Err(FileError::Empty);
                }
                let total = bytes.len() - 8;
                put_length(bytes, 4, total);
                return Ok(warning);
            }
            _ => {}
        }
        // Chunks begin at even offsets.
        at = body.saturating_add(length).saturating_add(length % 2);
    }
    Err(FileError::Damaged("it ends before its audio begins".to_owned()))
}

fn length_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn put_length(bytes: &mut [u8], at: usize, length: usize) {
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    bytes[at..at + 4].copy_from_slice(&length.to_le_bytes());
}
