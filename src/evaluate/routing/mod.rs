//! What a routing policy would have been worth on calls that have happened, and on random ones.

mod recorded;
mod report;

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::domain::{Classify, ErrorKind};
use crate::routing::simulate::{
    Agents, Comparison, ConfusionError, History, Measured, Policy, RecordError, Replay, Scenario,
    ScenarioError, Settings, Source, own_log, technion,
};

pub use self::recorded::{Exported, RecordedWork};
pub use self::report::{AtLoad, figures};

/// Share of intents that are heard right in a replay when nobody has measured it.
pub const ACCURACY: f64 = 0.85;

/// Seconds, for records, which have no target of their own.
pub const TARGET_S: f64 = 20.0;

#[derive(Debug, thiserror::Error)]
pub enum RoutingError {
    #[error("{} can't be read: {reason}", path.display())]
    Read { path: PathBuf, reason: String },
    #[error("{} holds no file calls_*.csv", .0.display())]
    NoCalls(PathBuf),
    #[error("{}: {error}", path.display())]
    Record { path: PathBuf, error: RecordError },
    #[error("{}: {error}", path.display())]
    Scenario { path: PathBuf, error: ScenarioError },
    #[error("{}: {error}", path.display())]
    Confusion { path: PathBuf, error: ConfusionError },
}

impl Classify for RoutingError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

/// Recorded calls with their hash.
#[derive(Debug)]
pub struct Dataset {
    pub history: History,
    pub sha256: String,
}

impl Dataset {
    /// The Technion's bank data: one file of it, or the folder with its files `calls_*.csv`.
    ///
    /// # Errors
    /// Names the file, and the line that is wrong.
    pub fn technion(path: &Path) -> Result<Self, RoutingError> {
        let files = match path.is_dir() {
            true => calls_files(path)?,
            false => vec![path.to_owned()],
        };
        let mut hash = Sha256::new();
        let (mut text, mut header) = (String::new(), None);
        for file in &files {
            let whole = read(file)?;
            hash.update(&whole);
            let (first, rest) = whole.split_once('\n').unwrap_or((&whole, ""));
            // The months of a folder are read as one file, so that a customer who calls again is seen as one.
            match &header {
                None => text.push_str(&whole),
                Some(header) if header == first => text.push_str(rest),
                Some(_) => {
                    let error = RecordError::Line {
                        line: 1,
                        reason: "not the columns of the first file".into(),
                    };
                    return Err(RoutingError::Record { path: file.clone(), error });
                }
            }
            header.get_or_insert_with(|| first.to_owned());
        }
        let history = technion(&text)
            .map_err(|error| RoutingError::Record { path: path.to_owned(), error })?;
        Ok(Self { history, sha256: hex(hash) })
    }

    /// Our own log as CSV.
    ///
    /// # Errors
    /// Names the file, and the line that is wrong.
    pub fn own_log(path: &Path) -> Result<Self, RoutingError> {
        let text = read(path)?;
        let history = own_log(&text)
            .map_err(|error| RoutingError::Record { path: path.to_owned(), error })?;
        Ok(Self { history, sha256: hex(Sha256::new_with_prefix(&text)) })
    }
}

/// The bank's line that is simulated when nothing else is asked for.
const SAMPLE: &str = include_str!("../../../routing/scenarios/bank-60-agents.toml");

/// A scenario with the hash of its text; the sample without a path.
///
/// # Errors
/// The file can't be read, or has mistakes: all of them are named.
pub fn scenario(path: Option<&Path>) -> Result<(Scenario, String), RoutingError> {
    let text = path.map_or_else(|| Ok(SAMPLE.to_owned()), read)?;
    let path = path.unwrap_or(Path::new("the sample scenario")).to_owned();
    let scenario =
        Scenario::parse(&text).map_err(|error| RoutingError::Scenario { path, error })?;
    Ok((scenario, hex(Sha256::new_with_prefix(&text))))
}

/// A measured confusion.
///
/// # Errors
/// The file can't be read, or isn't a confusion matrix.
pub fn confusion(path: &Path) -> Result<Measured, RoutingError> {
    Measured::parse(&read(path)?)
        .map_err(|error| RoutingError::Confusion { path: path.to_owned(), error })
}

fn calls_files(folder: &Path) -> Result<Vec<PathBuf>, RoutingError> {
    let failed = |error: std::io::Error| RoutingError::Read {
        path: folder.to_owned(),
        reason: error.to_string(),
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("calls_") && name.ends_with(".csv") {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() { Err(RoutingError::NoCalls(folder.to_owned())) } else { Ok(files) }
}

fn read(path: &Path) -> Result<String, RoutingError> {
    std::fs::read_to_string(path)
        .map_err(|error| RoutingError::Read { path: path.to_owned(), reason: error.to_string() })
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Plays recorded calls through policies at each load, `None` as they were. `settings.load` is ignored; `done` is told
/// of each run.
///
/// # Errors
/// The calls can't be played.
pub fn replayed(
    history: &History,
    loads: &[Option<f64>],
    settings: Settings,
    staff: Option<&Agents>,
    policies: &[Policy],
    done: &(dyn Fn() + Sync),
) -> Result<Vec<AtLoad>, ScenarioError> {
    let at = |load: &Option<f64>| {
        let replay = Replay::new(history, Settings { load: *load, ..settings }, staff.cloned());
        let source = Source::Replay(&replay, settings.seed);
        let comparison = Comparison::of(&source, policies, Policy::Skill, done)?;
        Ok(AtLoad { load: *load, comparison })
    };
    loads.iter().map(at).collect()
}

#[cfg(test)]
mod tests;
