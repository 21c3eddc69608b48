//! Finds the sources and cuts them into jobs, reading each byte once and keeping none.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use sha2::{Digest, Sha256};

use super::{Kind, parquet};
use crate::batch::conversation::hex;
use crate::batch::error::BatchError;
use crate::batch::plan::{BYTES_PER_JOB, CONVERSATIONS_PER_JOB, Source, Span};

const BUFFER_BYTES: usize = 1 << 20;

/// A file that was named or found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub path: PathBuf,
    pub name: String,
    pub kind: Kind,
}

/// The files behind what was named, in order: a folder's by their names, and those in its folders,
/// but for those of the batch itself (`own`).
///
/// # Errors
/// One isn't there, or is of no known kind. In a folder, what is of no known kind is passed over.
pub fn find(named: &[PathBuf], own: &[&Path]) -> Result<Vec<Found>, BatchError> {
    let mut found = Vec::new();
    for path in named {
        let about = std::fs::metadata(path).map_err(BatchError::unreadable(path))?;
        if about.is_dir() {
            in_folder(path, path, own, &mut found)?;
            continue;
        }
        let kind = Kind::of(path).ok_or_else(|| BatchError::Input {
            path: path.clone(),
            reason:
                "is of no known kind: use .jsonl, .json or .vcon, .txt, .parquet, or a recording"
                    .to_owned(),
        })?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        found.push(Found { path: path.clone(), name, kind });
    }
    Ok(found)
}

fn in_folder(
    top: &Path,
    folder: &Path,
    own: &[&Path],
    found: &mut Vec<Found>,
) -> Result<(), BatchError> {
    let unreadable = || BatchError::unreadable(folder);
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable())? {
        paths.push(entry.map_err(unreadable())?.path());
    }
    paths.sort();
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for path in paths {
        if own.iter().any(|own| absolute(own) == absolute(&path)) {
            continue;
        }
        if path.is_dir() {
            in_folder(top, &path, own, found)?;
        } else if let Some(kind) = Kind::of(&path) {
            let name = path.strip_prefix(top).unwrap_or(&path).to_string_lossy().into_owned();
            found.push(Found { path, name, kind });
        }
    }
    Ok(())
}

/// Size and time of change; cheap to compare with what a plan says.
fn stamp(path: &Path) -> Result<(u64, i64), BatchError> {
    let about = std::fs::metadata(path).map_err(BatchError::unreadable(path))?;
    let modified = about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let modified_ns = modified.and_then(|time| i64::try_from(time.as_nanos()).ok()).unwrap_or(0);
    Ok((about.len(), modified_ns))
}

/// Reads all that was found and cuts it into jobs. What can't be read from anywhere in its middle is
/// written into `work` as lines.
///
/// # Errors
/// A source can't be read.
pub fn cut(found: Vec<Found>, work: &Path) -> Result<(Vec<Source>, Vec<Span>), BatchError> {
    let mut sources: Vec<Source> = Vec::new();
    let mut spans: Vec<Span> = Vec::new();
    // Files that are one conversation each come together into jobs.
    let mut open: Option<(Span, u64)> = None;
    for Found { path, name, kind } in found {
        let (bytes, modified_ns) = stamp(&path)?;
        let number = u32::try_from(sources.len())
            .map_err(|_| BatchError::Bug("more files than can be counted".to_owned()))?;
        let lines = (kind == Kind::Parquet).then(|| work.join(format!("rows-{number:06}.jsonl")));
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
            match &lines {
                Some(lines) => {
                    parquet::spool(&path, lines)?;
                    cut_lines(lines, number, &mut spans)?;
                    hash(&path)?
                }
                None => cut_lines(&path, number, &mut spans)?,
            }
        };
        sources.push(Source { path, name, kind, lines, bytes, modified_ns, sha256 });
    }
    spans.extend(open.map(|(span, _)| span));
    Ok((sources, spans))
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
        let (bytes, modified_ns) = stamp(&found.path)?;
        if bytes != source.bytes {
            return Ok(Some(format!(
                "{} has {bytes} bytes instead of {}",
                source.name, source.bytes
            )));
        }
        if modified_ns != source.modified_ns && hash(&found.path)? != source.sha256 {
            return Ok(Some(format!("{} holds something else", source.name)));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::batch::input::{Raw, read};

    fn plan_of(text: &[u8]) -> (tempfile::TempDir, Vec<Source>, Vec<Span>) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("in.jsonl");
        std::fs::write(&path, text).expect("written");
        let (sources, spans) = cut(find(&[path], &[]).expect("found"), folder.path()).expect("cut");
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
                let raws: Vec<Raw> = read(&sources, span).expect("reads");
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
        let found = find(std::slice::from_ref(&path), &[]).expect("found");
        let (sources, _) = cut(found.clone(), folder.path()).expect("cut");
        assert_eq!(difference(&sources, &found).expect("compares"), None);
        std::fs::write(&path, "{}\n[]\n").expect("written");
        File::open(&path)
            .and_then(|file| file.set_modified(std::time::SystemTime::UNIX_EPOCH))
            .expect("its time");
        let what = difference(&sources, &found).expect("compares").expect("it changed");
        assert!(what.contains("holds something else"), "{what}");
    }
}
