//! The parts in the order of the input, as the files that people wait for.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::columns;
use super::error::BatchError;
use super::files::{self, with_suffix};
use super::part::{Outcome, Parts, Sums};
use super::wanted::Format;

/// The files of one batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    pub output: PathBuf,
    pub provenance: PathBuf,
    pub errors: PathBuf,
    pub work: PathBuf,
}

impl Paths {
    pub fn of(output: &Path) -> Self {
        Self {
            output: output.to_owned(),
            provenance: with_suffix(output, ".provenance.jsonl"),
            errors: with_suffix(output, ".errors.jsonl"),
            work: with_suffix(output, ".work"),
        }
    }

    pub fn input_changed(&self, what: String) -> BatchError {
        let (output, work) = (self.output.clone(), self.work.clone());
        BatchError::InputChanged { output, work, what }
    }
}

/// Writes all files; the output comes last and says that the batch is done.
///
/// # Errors
/// A file can't be written or a part is damaged.
pub fn join(paths: &Paths, parts: &Parts, jobs: u64, format: Format) -> Result<Sums, BatchError> {
    let mut provenance = Lines::create(&paths.provenance)?;
    let mut errors = Lines::create(&paths.errors)?;
    let mut lines = match format {
        Format::Jsonl | Format::Vcon => Sink::Lines(Lines::create(&paths.output)?),
        Format::Parquet => Sink::Columns(Box::new(columns::Columns::create(&paths.output)?)),
    };
    let mut sums = Sums::default();
    for job in 0..jobs {
        parts.read(job, &mut |record| {
            sums.add(&record);
            match record.outcome {
                Outcome::Written { output, provenance: by } => {
                    match &mut lines {
                        Sink::Lines(lines) => lines.put(&output)?,
                        Sink::Columns(columns) => columns.put(&output)?,
                    }
                    provenance.put(&by)
                }
                Outcome::Failed { error } => errors.put(&error),
                Outcome::Waiting => Err(BatchError::Bug(format!("job {job} isn't finished"))),
            }
        })?;
    }
    errors.finish()?;
    provenance.finish()?;
    match lines {
        Sink::Lines(lines) => lines.finish()?,
        Sink::Columns(columns) => columns.finish()?,
    }
    Ok(sums)
}

enum Sink {
    Lines(Lines),
    Columns(Box<columns::Columns>),
}

struct Lines {
    out: BufWriter<File>,
    path: PathBuf,
}

impl Lines {
    fn create(path: &Path) -> Result<Self, BatchError> {
        let file = File::create(files::unfinished(path)).map_err(BatchError::unwritable(path))?;
        Ok(Self { out: BufWriter::with_capacity(1 << 20, file), path: path.to_owned() })
    }

    fn put(&mut self, line: &str) -> Result<(), BatchError> {
        let written = self.out.write_all(line.as_bytes());
        written.and_then(|()| self.out.write_all(b"\n")).map_err(BatchError::unwritable(&self.path))
    }

    fn finish(self) -> Result<(), BatchError> {
        let unwritable = BatchError::unwritable(&self.path);
        let file = self.out.into_inner().map_err(|error| unwritable(error.into_error()))?;
        files::finish(&file, &self.path)
    }
}
