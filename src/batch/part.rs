//! What became of a job's conversations: first one by one in a journal, then whole in a part.
//!
//! A line each, its columns between tabs, which no JSON text holds: number in the job, tokens, cost,
//! `o` or `e`, the output or the error, the provenance. In a journal `w` says that nothing came of it
//! yet, and what that took. The part begins with a line of sums, so that
//! going on need not read all of it.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::error::BatchError;
use super::files;

/// One conversation's outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its place in the job.
    pub number: u32,
    pub tokens: u64,
    pub cost_micros: u64,
    pub outcome: Outcome,
}

/// Each text is a line of JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Written {
        output: String,
        provenance: String,
    },
    Failed {
        error: String,
    },
    /// It is to be tried again. Never in a part.
    Waiting,
}

/// What something took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    pub tokens: u64,
    pub cost_micros: u64,
}

impl Used {
    pub const fn plus(self, other: Self) -> Self {
        Self {
            tokens: self.tokens + other.tokens,
            cost_micros: self.cost_micros + other.cost_micros,
        }
    }

    pub const fn minus(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_sub(other.tokens),
            cost_micros: self.cost_micros.saturating_sub(other.cost_micros),
        }
    }
}

/// What is known of a job that was broken off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    pub records: BTreeMap<u32, Record>,
    /// What was used for those of which nothing came yet.
    pub used: BTreeMap<u32, Used>,
}

impl Known {
    fn of(journal: &[u8]) -> (Self, u64) {
        let (mut known, mut valid) = (Self::default(), 0);
        for line in journal.split_inclusive(|byte| *byte == b'\n') {
            let Some(record) = std::str::from_utf8(line).ok().and_then(Record::parse) else {
                break;
            };
            valid += line.len() as u64;
            let used = Used { tokens: record.tokens, cost_micros: record.cost_micros };
            if record.outcome == Outcome::Waiting {
                let before = known.used.entry(record.number).or_default();
                *before = before.plus(used);
            } else {
                known.used.remove(&record.number);
                known.records.insert(record.number, record);
            }
        }
        (known, valid)
    }

    pub fn sums(&self) -> Sums {
        let mut sums = Sums::default();
        self.records.values().for_each(|record| sums.add(record));
        for used in self.used.values() {
            sums.tokens += used.tokens;
            sums.cost_micros += used.cost_micros;
        }
        sums
    }
}

impl Record {
    fn line(&self) -> String {
        let (mark, first, second) = match &self.outcome {
            Outcome::Written { output, provenance } => ('o', output.as_str(), provenance.as_str()),
            Outcome::Failed { error } => ('e', error.as_str(), ""),
            Outcome::Waiting => ('w', "", ""),
        };
        let Self { number, tokens, cost_micros, .. } = self;
        format!("{number}\t{tokens}\t{cost_micros}\t{mark}\t{first}\t{second}\n")
    }

    /// `None` for what a kill or a power cut left behind.
    fn parse(line: &str) -> Option<Self> {
        let mut columns = line.strip_suffix('\n')?.split('\t');
        let mut next = || columns.next();
        let number = next()?.parse().ok()?;
        let tokens = next()?.parse().ok()?;
        let cost_micros = next()?.parse().ok()?;
        let (mark, first, second) = (next()?, next()?.to_owned(), next()?.to_owned());
        let is_json = |text: &str| text.starts_with('{') && text.ends_with('}');
        let outcome = match mark {
            "o" if is_json(&first) && is_json(&second) => {
                Outcome::Written { output: first, provenance: second }
            }
            "w" if first.is_empty() && second.is_empty() => Outcome::Waiting,
            "e" if is_json(&first) && second.is_empty() => Outcome::Failed { error: first },
            _ => return None,
        };
        columns.next().is_none().then_some(Self { number, tokens, cost_micros, outcome })
    }
}

/// What the parts sum up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    pub written: u64,
    pub failed: u64,
    pub tokens: u64,
    pub cost_micros: u64,
}

impl Sums {
    pub fn add(&mut self, record: &Record) {
        match record.outcome {
            Outcome::Written { .. } => self.written += 1,
            Outcome::Failed { .. } => self.failed += 1,
            Outcome::Waiting => {}
        }
        self.tokens += record.tokens;
        self.cost_micros += record.cost_micros;
    }

    pub fn plus(self, other: Self) -> Self {
        Self {
            written: self.written + other.written,
            failed: self.failed + other.failed,
            tokens: self.tokens + other.tokens,
            cost_micros: self.cost_micros + other.cost_micros,
        }
    }
}

/// The folder of a batch's parts.
#[derive(Clone, Debug)]
pub struct Parts {
    folder: PathBuf,
}

impl Parts {
    pub const fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// # Errors
    /// The folder can't be made.
    pub fn open(folder: PathBuf) -> Result<Self, BatchError> {
        std::fs::create_dir_all(&folder).map_err(BatchError::unwritable(&folder))?;
        Ok(Self { folder })
    }

    fn part(&self, job: u64) -> PathBuf {
        self.folder.join(format!("{job:08}.part"))
    }

    fn journal(&self, job: u64) -> PathBuf {
        self.folder.join(format!("{job:08}.journal"))
    }

    /// A finished job's sums; `None` while it isn't finished.
    ///
    /// # Errors
    /// The part is damaged.
    pub fn sums(&self, job: u64) -> Result<Option<Sums>, BatchError> {
        let path = self.part(job);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(BatchError::unreadable(&path)(error)),
        };
        read_sums(&mut BufReader::with_capacity(256, file), &path).map(Some)
    }

    /// What is known of a job that isn't finished.
    ///
    /// # Errors
    /// The journal can't be read.
    pub fn known(&self, job: u64) -> Result<Known, BatchError> {
        let path = self.journal(job);
        match std::fs::read(&path) {
            Ok(bytes) => Ok(Known::of(&bytes).0),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Known::default()),
            Err(error) => Err(BatchError::unreadable(&path)(error)),
        }
    }

    /// What is known of a job that was broken off, and the journal to go on with.
    ///
    /// # Errors
    /// The journal can't be read or written.
    pub fn go_on(&self, job: u64) -> Result<(Known, Journal), BatchError> {
        let path = self.journal(job);
        let unwritable = || BatchError::unwritable(&path);
        let mut options = OpenOptions::new();
        let mut file =
            options.read(true).append(true).create(true).open(&path).map_err(unwritable())?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(BatchError::unreadable(&path))?;
        let (known, valid) = Known::of(&bytes);
        // What comes after a torn line must not follow it. What is whole is never written again: a
        // kill in between would lose it.
        if valid < bytes.len() as u64 {
            file.set_len(valid).map_err(unwritable())?;
        }
        Ok((known, Journal { file, path }))
    }

    /// Writes a finished job's part and forgets its journal. From here on it is never done again.
    ///
    /// # Errors
    /// It can't be written.
    pub fn finish(&self, job: u64, records: &BTreeMap<u32, Record>) -> Result<Sums, BatchError> {
        let path = self.part(job);
        let unwritable = || BatchError::unwritable(&path);
        let mut sums = Sums::default();
        records.values().for_each(|record| sums.add(record));
        let file = File::create(files::unfinished(&path)).map_err(unwritable())?;
        let mut out = BufWriter::new(file);
        let Sums { written, failed, tokens, cost_micros } = sums;
        writeln!(out, "{written}\t{failed}\t{tokens}\t{cost_micros}").map_err(unwritable())?;
        for record in records.values() {
            out.write_all(record.line().as_bytes()).map_err(unwritable())?;
        }
        let file = out.into_inner().map_err(|error| unwritable()(error.into_error()))?;
        files::finish(&file, &path)?;
        match std::fs::remove_file(self.journal(job)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(unwritable()(error)),
            _ => Ok(sums),
        }
    }

    /// Hands on a finished job's records in order.
    ///
    /// # Errors
    /// The part is damaged, or `each` fails.
    pub fn read(
        &self,
        job: u64,
        each: &mut dyn FnMut(Record) -> Result<(), BatchError>,
    ) -> Result<(), BatchError> {
        let path = self.part(job);
        let file = File::open(&path).map_err(BatchError::unreadable(&path))?;
        let mut reader = BufReader::new(file);
        let sums = read_sums(&mut reader, &path)?;
        let (mut line, mut count) = (String::new(), 0);
        while reader.read_line(&mut line).map_err(BatchError::unreadable(&path))? > 0 {
            let record = Record::parse(&line).ok_or_else(|| damaged(&path))?;
            each(record)?;
            count += 1;
            line.clear();
        }
        if count == sums.written + sums.failed { Ok(()) } else { Err(damaged(&path)) }
    }
}

fn read_sums(reader: &mut impl std::io::BufRead, path: &Path) -> Result<Sums, BatchError> {
    let mut line = String::new();
    reader.read_line(&mut line).map_err(BatchError::unreadable(path))?;
    let numbers: Vec<u64> = line.trim_end().split('\t').map_while(|n| n.parse().ok()).collect();
    match numbers.as_slice() {
        &[written, failed, tokens, cost_micros] => {
            Ok(Sums { written, failed, tokens, cost_micros })
        }
        _ => Err(damaged(path)),
    }
}

fn damaged(path: &Path) -> BatchError {
    BatchError::Damaged { path: path.to_owned(), reason: "is no part of a batch".to_owned() }
}

/// Where a job's outcomes are noted as they come.
pub struct Journal {
    file: File,
    path: PathBuf,
}

impl Journal {
    /// Not flushed to the disk: a kill loses nothing, and what a power cut loses is done again.
    ///
    /// # Errors
    /// It can't be written.
    pub fn note(&mut self, record: &Record) -> Result<(), BatchError> {
        self.file.write_all(record.line().as_bytes()).map_err(BatchError::unwritable(&self.path))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(number: u32, failed: bool) -> Record {
        let outcome = match failed {
            true => Outcome::Failed { error: r#"{"reason":"x"}"#.to_owned() },
            false => Outcome::Written {
                output: format!(r#"{{"id":"ä\t{number}"}}"#),
                provenance: "{}".to_owned(),
            },
        };
        Record { number, tokens: 3, cost_micros: 7, outcome }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_journal_cut_anywhere_keeps_its_whole_lines(
            failed in prop::collection::vec(any::<bool>(), 1..8), cut in 0.0..1.0_f64,
        ) {
            let folder = tempfile::tempdir().expect("a folder");
            let parts = Parts::open(folder.path().to_owned()).expect("opens");
            let records: Vec<Record> =
                (0..).zip(&failed).map(|(number, failed)| record(number, *failed)).collect();
            let (_, mut journal) = parts.go_on(3).expect("a journal");
            records.iter().for_each(|record| journal.note(record).expect("written"));
            let path = parts.journal(3);
            let bytes = std::fs::read(&path).expect("the journal");
            let end = (cut * bytes.len() as f64) as usize;
            std::fs::write(&path, &bytes[..end]).expect("cut");
            let whole = bytes[..end].iter().filter(|byte| **byte == b'\n').count();
            let (known, mut journal) = parts.go_on(3).expect("goes on");
            prop_assert!(known.records.values().eq(&records[..whole]));
            records[whole..].iter().for_each(|record| journal.note(record).expect("written"));
            let (all, _) = parts.go_on(3).expect("goes on");
            prop_assert!(all.records.values().eq(&records));
            let sums = parts.finish(3, &all.records).expect("finished");
            prop_assert_eq!(parts.sums(3).expect("reads"), Some(sums));
            let mut read = Vec::new();
            parts.read(3, &mut |record| { read.push(record); Ok(()) }).expect("reads");
            prop_assert_eq!(read, records);
        }
    }

    #[test]
    fn what_stands_in_a_journal_is_not_written_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let parts = Parts::open(folder.path().to_owned()).expect("opens");
        let (_, mut journal) = parts.go_on(3).expect("a journal");
        (0..5).for_each(|number| journal.note(&record(number, false)).expect("written"));
        let path = parts.journal(3);
        let long_ago = std::time::SystemTime::UNIX_EPOCH;
        File::open(&path).and_then(|file| file.set_modified(long_ago)).expect("its time");
        let (known, _) = parts.go_on(3).expect("goes on");
        assert_eq!(known.records.len(), 5);
        let about = std::fs::metadata(&path).expect("the journal");
        assert_eq!(about.modified().expect("a time"), long_ago, "it was written");
    }

    #[test]
    fn what_was_used_in_vain_counts_until_something_comes_of_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let parts = Parts::open(folder.path().to_owned()).expect("opens");
        let waiting = |number| Record { outcome: Outcome::Waiting, ..record(number, false) };
        let (_, mut journal) = parts.go_on(3).expect("a journal");
        for record in [waiting(0), waiting(0), waiting(1), record(1, false)] {
            journal.note(&record).expect("written");
        }
        let known = parts.known(3).expect("reads");
        assert_eq!(known.used.get(&0), Some(&Used { tokens: 6, cost_micros: 14 }));
        assert_eq!(known.sums(), Sums { written: 1, failed: 0, tokens: 9, cost_micros: 21 });
        assert!(known.records.contains_key(&1) && !known.records.contains_key(&0));
    }
}
