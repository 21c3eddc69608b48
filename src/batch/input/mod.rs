//! What a batch is about: files of several kinds, folders of them, or the service's own log.

mod audio;
pub mod find;
mod item;
mod json;
mod lean;
pub mod lines;
pub mod parquet;
pub mod scan;
pub mod stored;
mod text;

use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

pub use self::item::masked_item;
use self::lines::{LINE_BYTES_MAX, Line};
use self::parquet::Cursors;
use super::conversation::{Conversation, ItemError, RawConversation, sha256_hex};
use super::error::BatchError;
use super::plan::{Source, Span};
use crate::domain::{ConversationId, ErrorKind, TenantId};
use crate::models::SpeechPool;
use crate::store::Store;

/// How a source is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A conversation a line.
    Lines,
    /// One conversation: JSON of our form, or a vCon.
    Json,
    /// One conversation as a transcript.
    Text,
    /// One recording.
    Audio,
    /// A conversation a row.
    Parquet,
    /// A conversation's identifier a line; the conversations are in the event log.
    Stored,
}

impl Kind {
    /// By the file's name.
    pub fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_lowercase();
        match extension.as_str() {
            "jsonl" | "ndjson" => Some(Self::Lines),
            "json" | "vcon" => Some(Self::Json),
            "txt" => Some(Self::Text),
            "wav" | "flac" | "mp3" | "m4a" | "ogg" | "opus" => Some(Self::Audio),
            "parquet" => Some(Self::Parquet),
            _ => None,
        }
    }

    /// One file is one conversation.
    pub const fn is_whole_file(self) -> bool {
        matches!(self, Self::Json | Self::Text | Self::Audio)
    }
}

/// Where an item stands, for people and for the records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub file: String,
    /// From 1; a row's number in Parquet. `None` where the file is the item.
    pub line: Option<u64>,
}

impl Place {
    /// The name of a conversation that has none.
    fn name(&self) -> String {
        match self.line {
            Some(line) => format!("{}:{line}", self.file),
            None => self.file.clone(),
        }
    }
}

/// An item of the input before it is understood.
pub struct Raw {
    pub place: Place,
    pub body: Body,
}

pub enum Body {
    Line(Line),
    /// It is there, and nobody can read it: why.
    Unreadable(String),
    File(PathBuf, Kind),
    Stored(String),
}

/// What reading needs besides the bytes.
#[derive(Clone)]
pub struct Means {
    /// In which times without a zone are meant.
    pub zone: TimeZone,
    /// Made when the first recording comes.
    pub recogniser: Arc<dyn Recogniser>,
    /// Set when the event log is read.
    pub store: Option<(Arc<dyn Store>, TenantId)>,
}

/// Gives the workers that transcribe, loading them on first use.
pub trait Recogniser: Send + Sync {
    /// # Errors
    /// The models can't be loaded, in words for people.
    fn pool(&self) -> Result<Arc<SpeechPool>, String>;

    /// Everything that decides what is heard: engine, models, language, names to listen for.
    fn identity(&self) -> String;
}

/// Understood, and the hash of what was understood.
pub struct Understood {
    pub conversation: Result<Conversation, ItemError>,
    pub input_sha256: String,
}

/// The items of a span, not yet understood: as many as a job has.
///
/// # Errors
/// The file can't be read any more.
pub fn read(sources: &[Source], span: &Span, cursors: &Cursors) -> Result<Vec<Raw>, BatchError> {
    let first = span.source as usize;
    let Some(source) = sources.get(first) else { return Ok(Vec::new()) };
    match source.kind {
        Kind::Lines | Kind::Stored => read_lines(source, span),
        Kind::Parquet => {
            let rows = cursors.rows(&source.path, span.at, span.items);
            let place = |line| Place { file: source.name.clone(), line: Some(line) };
            let numbered = (span.first..).zip(rows);
            Ok(numbered.map(|(line, body)| Raw { place: place(line), body }).collect())
        }
        Kind::Json | Kind::Text | Kind::Audio => {
            let files = sources.iter().skip(first).take(span.items as usize);
            Ok(files
                .map(|source| Raw {
                    place: Place { file: source.name.clone(), line: None },
                    body: Body::File(source.path.clone(), source.kind),
                })
                .collect())
        }
    }
}

fn read_lines(source: &Source, span: &Span) -> Result<Vec<Raw>, BatchError> {
    let path = &source.path;
    let unreadable = || BatchError::unreadable(path);
    let mut file = File::open(path).map_err(unreadable())?;
    file.seek(SeekFrom::Start(span.at)).map_err(unreadable())?;
    let mut reader = BufReader::with_capacity(256 << 10, file);
    let mut raws = Vec::with_capacity(span.items as usize);
    let mut number = span.first;
    while raws.len() < span.items as usize {
        let Some((line, _)) = lines::next(&mut reader, LINE_BYTES_MAX).map_err(unreadable())?
        else {
            break;
        };
        let is_blank = matches!(&line, Line::Whole(bytes) if lines::is_blank(bytes));
        if !is_blank {
            let place = Place { file: source.name.clone(), line: Some(number) };
            let body = match (source.kind, line) {
                (Kind::Stored, Line::Whole(id)) => {
                    Body::Stored(String::from_utf8_lossy(&id).into_owned())
                }
                (_, line) => Body::Line(line),
            };
            raws.push(Raw { place, body });
        }
        number += 1;
    }
    Ok(raws)
}

impl Raw {
    /// About how many bytes come into memory to understand it.
    pub fn weight(&self) -> u64 {
        match &self.body {
            Body::Line(Line::Whole(bytes)) => bytes.len() as u64,
            // Recordings have a rule of their own: one after the other.
            Body::File(_, Kind::Audio) | Body::Line(_) | Body::Unreadable(_) => 0,
            Body::File(path, _) => std::fs::metadata(path).map_or(0, |about| about.len()),
            Body::Stored(_) => STORED_BYTES,
        }
    }

    pub fn is_recording(&self) -> bool {
        matches!(self.body, Body::File(_, Kind::Audio))
    }
}

/// Of most conversations in the log.
const STORED_BYTES: u64 = 64 << 10;

/// Reads an item as a conversation and masks it. Takes as long as it takes: for a recording, minutes.
pub fn understand(raw: Raw, means: &Means) -> Understood {
    let name = raw.place.name();
    let (hash, conversation) = match raw.body {
        Body::Line(Line::Whole(bytes)) => (sha256_hex(&bytes), of_json(&bytes, &name, means)),
        Body::Line(Line::TooLong { bytes }) => {
            let reason = format!("is a line of {bytes} bytes; {LINE_BYTES_MAX} are the most");
            (String::new(), Err(ItemError::invalid(reason)))
        }
        Body::Unreadable(reason) => (String::new(), Err(ItemError::invalid(reason))),
        Body::File(path, kind) => match of_file(&path, kind, &name, means) {
            Ok((hash, read)) => (hash, read),
            Err(error) => (String::new(), Err(error)),
        },
        Body::Stored(id) => {
            // Read from the log by `stored`, since that awaits.
            (String::new(), Err(ItemError::invalid("is read by another way").named(&id)))
        }
    };
    let conversation = conversation.and_then(|raw| raw.masked(&means.zone));
    Understood { conversation, input_sha256: hash }
}

fn of_json(bytes: &[u8], name: &str, means: &Means) -> Result<RawConversation, ItemError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes)
        .map_err(|error| ItemError::invalid(format!("is not UTF-8: {error}")))?;
    let value = lean::parse(text).map_err(ItemError::invalid)?;
    json::conversation(&value, name, &means.zone)
}

type FileRead = (String, Result<RawConversation, ItemError>);

fn of_file(path: &Path, kind: Kind, name: &str, means: &Means) -> Result<FileRead, ItemError> {
    let unreadable = |error: std::io::Error| ItemError::invalid(format!("can't be read: {error}"));
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    let most = if kind == Kind::Audio { audio::BYTES_MAX } else { LINE_BYTES_MAX };
    file.take(most as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > most {
        return Err(ItemError::invalid(format!("is larger than {most} bytes")));
    }
    let hash = sha256_hex(&bytes);
    if kind == Kind::Audio {
        return Ok((hash, audio::conversation(bytes, name, means)));
    }
    let read = match kind {
        Kind::Text => match std::str::from_utf8(&bytes) {
            Ok(text) => text::turns(text.trim_start_matches('\u{feff}'))
                .map(|turns| RawConversation::new(name, turns)),
            Err(error) => Err(ItemError::invalid(format!("is not UTF-8: {error}"))),
        },
        _ => of_json(&bytes, name, means),
    };
    Ok((hash, read))
}

/// As `understand`, and conversations of the event log besides.
pub async fn understand_any(raw: Raw, means: &Means) -> Result<Understood, BatchError> {
    match (raw.body, &means.store) {
        (Body::Stored(id), Some((store, tenant))) => {
            let id = ConversationId::from(id);
            Ok(stored::understood(store.as_ref(), tenant, &id, &means.zone).await?)
        }
        (body, _) => {
            let means = means.clone();
            let raw = Raw { place: raw.place, body };
            let understood = tokio::task::spawn_blocking(move || understand(raw, &means)).await;
            Ok(understood.unwrap_or_else(|_| {
                let why = "made the program fail, which is its fault: please report it";
                let error = ItemError { kind: ErrorKind::Internal, ..ItemError::invalid(why) };
                Understood { conversation: Err(error), input_sha256: String::new() }
            }))
        }
    }
}
