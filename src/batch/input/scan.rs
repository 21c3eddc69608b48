//! Cuts the sources into jobs, reading each byte once and keeping none.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use sha2::{Digest, Sha256};

use super::find::Found;
use super::{Kind, parquet};
use crate::batch::conversation::hex;
use crate::batch::error::BatchError;
use crate::batch::plan::{BYTES_PER_JOB, CONVERSATIONS_PER_JOB, Source, Span};

const BUFFER_BYTES: usize = 1 << 20;

/// Size and time of change; cheap to compare with what a plan says.
fn stamp(path: &Path) -> Result<(u64, i64), BatchError> {
    let about = std::fs::metadata(path).map_err(BatchError::unreadable(path))?;
    let modified = about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let modified_ns = modified.and_then(|time| i64::try_from(time.as_nanos()).ok()).unwrap_or(0);
    Ok((about.len(), modified_ns))
}

/// Reads all that was found and cuts it into jobs.
///
/// # Errors
/// A source can't be read.
pub fn cut(found: Vec<Found>) -> Result<(Vec<Source>, Vec<Span>), BatchError> {
    let mut sources: Vec<Source> = Vec::new();
    let mut spans: Vec<Span> = Vec::new();
    // Files that are one conversation each come together into jobs.
    let mut open: Option<(Span, u64)> = None;
    for Found { path, name, kind } in found {
        let (bytes, modified_ns) = stamp(&path)?;
        let number = u32::try_from(sources.len())
            .map_err(|_| BatchError::Bug("more files than can be counted".to_owned()))?;
        let sha256 = if kind.is_whole_file() {
            let full = open.as_ref().is_some_and(|(span, size)| {
                span.items >= CONVERSATIONS_PER_JOB || size + bytes > BYTES_PER_JOB
            });
            if full {
                spans.extend(open.take().map(|(span, _)| span));
            }
            let (span, size) =
                open.get_or_insert((Span { source: number, at: 0, first: 1, items: 0 }, 0));
            span.items += 1;
            *size += bytes;
            // What can't be read is an error of its item, and the rest goes on.
            hash(&path).unwrap_or_default()
        } else {
            spans.extend(open.take().map(|(span, _)| span));
            match kind {
                Kind::Parquet => {
                    cut_rows(parquet::extent(&path)?, number, &mut spans);
                    hash(&path)?
                }
                _ => cut_lines(&path, number, &mut spans)?,
            }
        };
        sources.push(Source { path, name, kind, bytes, modified_ns, sha256 });
    }
    spans.extend(open.map(|(span, _)| span));
    Ok((sources, spans))
}

/// Rows are of about the same size, more or less.
fn cut_rows(extent: parquet::Extent, source: u32, spans: &mut Vec<Span>) {
    let row_bytes = (extent.bytes / extent.rows.max(1)).max(1);
    let per_job = (BYTES_PER_JOB / row_bytes).clamp(1, u64::from(CONVERSATIONS_PER_JOB));
    let mut at = 0;
    while at < extent.rows {
        let items = per_job.min(extent.rows - at) as u32;
        spans.push(Span { source, at, first: at + 1, items });
        at += u64::from(items);
    }
}

fn hash(path: &Path) -> Result<String, BatchError> {
    let unreadable = || BatchError::unreadable(path);
    let mut file = File::open(path).map_err(unreadable())?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match file.read(&mut buffer).map_err(unreadable())? {
            0 => break,
            read => hash.update(&buffer[..read]),
        }
    }
    Ok(hex(&hash.finalize()))
}

fn cut_lines(path: &Path, source: u32, spans: &mut Vec<Span>) -> Result<String, BatchError> {
    let unreadable = || BatchError::unreadable(path);
    let file = File::open(path).map_err(unreadable())?;
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, file);
    let mut hash = Sha256::new();
    let mut cutter = Cutter::new(source);
    loop {
        let buffer = reader.fill_buf().map_err(unreadable())?;
        if buffer.is_empty() {
            break;
        }
        hash.update(buffer);
        for piece in buffer.split_inclusive(|byte| *byte == b'\n') {
            cutter.piece(piece, spans);
        }
        let read = buffer.len();
        reader.consume(read);
    }
    cutter.end(spans);
    Ok(hex(&hash.finalize()))
}

/// Counts lines and closes jobs. A line may come in pieces.
struct Cutter {
    span: Span,
    /// Where the next line begins, and its number.
    next_at: u64,
    next_line: u64,
    line_bytes: u64,
    has_words: bool,
    span_bytes: u64,
}

impl Cutter {
    fn new(source: u32) -> Self {
        Self {
            span: Span { source, at: 0, first: 1, items: 0 },
            next_at: 0,
            next_line: 1,
            line_bytes: 0,
            has_words: false,
            span_bytes: 0,
        }
    }

    fn piece(&mut self, piece: &[u8], spans: &mut Vec<Span>) {
        self.line_bytes += piece.len() as u64;
        self.has_words |= !super::lines::is_blank(piece);
        if piece.last() == Some(&b'\n') {
            self.line_ends(spans);
        }
    }

    fn line_ends(&mut self, spans: &mut Vec<Span>) {
        let is_full = self.span.items >= CONVERSATIONS_PER_JOB
            || (self.span.items > 0 && self.span_bytes + self.line_bytes > BYTES_PER_JOB);
        if self.has_words && is_full {
            spans.push(self.span);
            let (at, first) = (self.next_at, self.next_line);
            self.span = Span { source: self.span.source, at, first, items: 0 };
            self.span_bytes = 0;
        }
        self.span.items += u32::from(self.has_words);
        self.span_bytes += self.line_bytes;
        self.next_at += self.line_bytes;
        self.next_line += 1;
        self.line_bytes = 0;
        self.has_words = false;
    }

    fn end(mut self, spans: &mut Vec<Span>) {
        if self.line_bytes > 0 {
            self.line_ends(spans);
        }
        if self.span.items > 0 {
            spans.push(self.span);
        }
    }
}

/// Whether the input still is what the plan was made of. Where size and time are the same, the bytes
/// are taken to be.
///
/// # Errors
/// A source can't be read any more.
pub fn difference(plan: &[Source], found: &[Found]) -> Result<Option<String>, BatchError> {
    if plan.len() != found.len() {
        return Ok(Some(format!("{} files instead of {}", found.len(), plan.len())));
    }
    for (source, found) in plan.iter().zip(found) {
        if (&source.name, source.kind) != (&found.name, found.kind) {
            return Ok(Some(format!("{} instead of {}", found.name, source.name)));
        }
        let what = other(source, &found.path, stamp(&found.path)?);
        if what.is_some() {
            return Ok(what);
        }
    }
    Ok(None)
}

/// What is other about a file with this stamp than it was.
fn other(source: &Source, path: &Path, (bytes, modified_ns): (u64, i64)) -> Option<String> {
    let name = &source.name;
    if bytes != source.bytes {
        return Some(format!("{name} has {bytes} bytes instead of {}", source.bytes));
    }
    // As in the plan: what can't be read has no hash.
    let holds_the_same = || hash(path).unwrap_or_default() == source.sha256;
    (modified_ns != source.modified_ns && !holds_the_same())
        .then(|| format!("{name} holds something else"))
}

/// Sees to it that nothing is made of a source that changes meanwhile.
#[derive(Debug, Default)]
pub struct Watch {
    /// Stamps other than the plan's behind which the same bytes were found.
    same: Mutex<HashMap<u32, (u64, i64)>>,
}

impl Watch {
    /// What has changed about a source since the plan was made. May read all of it.
    pub fn change(&self, sources: &[Source], number: u32) -> Option<String> {
        let source = sources.get(number as usize)?;
        let Ok(now) = stamp(&source.path) else {
            return Some(format!("{} is gone", source.name));
        };
        let same = || self.same.lock().unwrap_or_else(PoisonError::into_inner);
        if now == (source.bytes, source.modified_ns) || same().get(&number) == Some(&now) {
            return None;
        }
        let what = other(source, &source.path, now);
        if what.is_none() {
            same().insert(number, now);
        }
        what
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::batch::input::parquet::Cursors;
    use crate::batch::input::{Raw, read};

    fn found(path: &Path) -> Vec<Found> {
        vec![Found { path: path.to_owned(), name: "in.jsonl".to_owned(), kind: Kind::Lines }]
    }

    fn plan_of(text: &[u8]) -> (tempfile::TempDir, Vec<Source>, Vec<Span>) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("in.jsonl");
        std::fs::write(&path, text).expect("written");
        let (sources, spans) = cut(found(&path)).expect("cut");
        (folder, sources, spans)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn jobs_hold_each_line_once_and_in_order(
            lines in prop::collection::vec("[a-c ]{0,4}", 0..300), ends in any::<bool>(),
        ) {
            let text = lines.join("\n") + if ends { "\n" } else { "" };
            let (_folder, sources, spans) = plan_of(text.as_bytes());
            let mut got: Vec<u64> = Vec::new();
            for span in &spans {
                prop_assert!((1..=CONVERSATIONS_PER_JOB).contains(&span.items));
                let raws: Vec<Raw> = read(&sources, span, &Cursors::default()).expect("reads");
                prop_assert_eq!(raws.len(), span.items as usize);
                got.extend(raws.iter().filter_map(|raw| raw.place.line));
            }
            let expected: Vec<u64> = (1..)
                .zip(&lines)
                .filter(|(_, line)| !line.trim().is_empty())
                .map(|(number, _)| number)
                .collect();
            prop_assert_eq!(got, expected);
        }
    }

    #[test]
    fn a_changed_input_is_noticed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("in.jsonl");
        std::fs::write(&path, "{}\n{}\n").expect("written");
        let found = found(&path);
        let (sources, _) = cut(found.clone()).expect("cut");
        let watch = Watch::default();
        assert_eq!(watch.change(&sources, 0), None);
        let touch = |time| File::open(&path).and_then(|file| file.set_modified(time));
        touch(std::time::SystemTime::UNIX_EPOCH).expect("its time");
        assert_eq!(watch.change(&sources, 0), None, "it holds the same");
        assert_eq!(difference(&sources, &found).expect("compares"), None);
        std::fs::write(&path, "{}\n[]\n").expect("written");
        touch(std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(9)).expect("its");
        assert_eq!(watch.change(&sources, 0).as_deref(), Some("in.jsonl holds something else"));
        let what = difference(&sources, &found).expect("compares").expect("it changed");
        assert!(what.contains("holds something else"), "{what}");
    }

    #[test]
    fn rows_are_cut_by_number_and_size() {
        let mut spans = Vec::new();
        cut_rows(parquet::Extent { rows: 130, bytes: 1_300 }, 2, &mut spans);
        let cut: Vec<_> = spans.iter().map(|span| (span.at, span.first, span.items)).collect();
        assert_eq!(cut, [(0, 1, 64), (64, 65, 64), (128, 129, 2)]);
        spans.clear();
        cut_rows(parquet::Extent { rows: 3, bytes: 3 * BYTES_PER_JOB }, 2, &mut spans);
        assert_eq!(spans.len(), 3);
    }
}
