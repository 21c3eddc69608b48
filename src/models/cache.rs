//! The models on this machine: `<cache>/models/<name>/<fingerprint>/<file>`.
//!
//! `pull` fills it, the back ends load from it, and neither start nor load needs the network.
//! A file counts only if its hash is the manifest's. Hashing 200 MB at each start would cost a
//! second, so a marker beside the files remembers size and time of change of what was hashed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::{Manifest, Model, ModelError, ModelFile, hash};

const MARKER: &str = "verified.json";
const MARKER_VERSION: u32 = 1;
/// Digits of the fingerprint that name the folder.
const FOLDER_DIGITS: usize = 12;

/// The folder that holds all models.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
}

/// A model whose files are here and right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    pub name: String,
    pub folder: PathBuf,
    /// By the name that the manifest gives the file, such as `model.bin`.
    pub files: BTreeMap<String, PathBuf>,
    /// SHA-256 of each file, by the same names.
    pub sha256: BTreeMap<String, String>,
    /// Changes when any file changes.
    pub fingerprint: String,
}

impl Installed {
    /// The path of one of the model's files.
    ///
    /// # Errors
    /// [`ModelError::Failed`] when the manifest gives the model no such file.
    pub fn file(&self, name: &str) -> Result<&Path, ModelError> {
        self.files.get(name).map(PathBuf::as_path).ok_or_else(|| {
            ModelError::Failed(format!("the manifest gives model {} no file {name}", self.name))
        })
    }
}

/// What a quick look says: no hash is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Ready,
    /// The files are there, but changed since they were last hashed, or never were.
    Unverified,
    /// A file has the wrong size.
    Damaged,
    Missing,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Unverified => "unverified",
            Self::Damaged => "damaged",
            Self::Missing => "not pulled",
        }
    }
}

/// The files of one of the program's own models, from the user's cache. No network.
///
/// # Errors
/// [`ModelError::NotInstalled`] or [`ModelError::Damaged`], which name the command to run;
/// [`ModelError::Unknown`].
pub fn installed(name: &str) -> Result<Installed, ModelError> {
    let cache = Cache::from_vars(&|name| std::env::var(name).ok())?;
    cache.installed(Manifest::built_in().model(name)?)
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Marker {
    version: u32,
    files: BTreeMap<String, Seen>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    bytes: u64,
    modified_ns: u64,
    sha256: String,
}

impl Seen {
    fn of(metadata: &fs::Metadata, sha256: &str) -> Self {
        let modified = metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        Self {
            bytes: metadata.len(),
            // Nanoseconds fit until the year 2554; a file system without times gives 0.
            modified_ns: modified.map_or(0, |since| since.as_nanos() as u64),
            sha256: sha256.to_owned(),
        }
    }
}

impl Cache {
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// `$BACKCHANNEL_CACHE`, else `$XDG_CACHE_HOME/backchannel`, else `~/.cache/backchannel`.
    /// `vars` is passed in so that tests never touch the process environment.
    pub fn from_vars(vars: &dyn Fn(&str) -> Option<String>) -> Result<Self, ModelError> {
        let set = |name: &str| vars(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        if let Some(folder) = set("BACKCHANNEL_CACHE") {
            return Ok(Self::at(folder));
        }
        // The XDG rules say that a relative path is to be ignored.
        if let Some(folder) = set("XDG_CACHE_HOME").filter(|folder| folder.is_absolute()) {
            return Ok(Self::at(folder.join("backchannel")));
        }
        match set("HOME") {
            Some(home) => Ok(Self::at(home.join(".cache/backchannel"))),
            None => Err(ModelError::NoCache),
        }
    }

    /// Where the model's files are or will be.
    pub fn folder_of(&self, model: &Model) -> PathBuf {
        self.home_of(model).join(&model.fingerprint()[..FOLDER_DIGITS])
    }

    /// Where downloads lie until they are whole; files put here by hand are used.
    pub fn downloads_of(&self, model: &Model) -> PathBuf {
        self.home_of(model).join("downloads")
    }

    fn home_of(&self, model: &Model) -> PathBuf {
        self.folder.join("models").join(&model.name)
    }

    /// Keeps other pulls of the model out, in this process and others, until the file is dropped.
    pub(super) fn lock(&self, model: &Model, on_wait: impl FnOnce()) -> Result<File, ModelError> {
        let folder = self.home_of(model);
        fs::create_dir_all(&folder).map_err(ModelError::io(&folder))?;
        let path = folder.join("lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(ModelError::io(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                on_wait();
                file.lock().map_err(ModelError::io(&path))?;
            }
            Err(fs::TryLockError::Error(error)) => return Err(ModelError::io(&path)(error)),
        }
        Ok(file)
    }

    /// A look at sizes and times only.
    pub fn state(&self, model: &Model) -> State {
        let folder = self.folder_of(model);
        let marker = read_marker(&folder);
        let mut state = State::Ready;
        for file in &model.files {
            let Ok(metadata) = fs::metadata(folder.join(&file.name)) else {
                return State::Missing;
            };
            if metadata.len() != file.bytes {
                state = State::Damaged;
            } else if state == State::Ready && !is_known(&marker, file, &metadata) {
                state = State::Unverified;
            }
        }
        state
    }

    /// The model's files, ready to load. Files that changed since they were hashed are hashed again.
    pub fn installed(&self, model: &Model) -> Result<Installed, ModelError> {
        match self.state(model) {
            State::Ready => Ok(self.describe(model)),
            State::Unverified | State::Damaged => self.verify(model, &mut |_, _| {}),
            State::Missing => Err(self.not_installed(model)),
        }
    }

    /// Hashes every file, whatever the marker says. `at` hears the file and the bytes done.
    pub fn verify(
        &self,
        model: &Model,
        at: &mut dyn FnMut(&ModelFile, u64),
    ) -> Result<Installed, ModelError> {
        if self.state(model) == State::Missing {
            return Err(self.not_installed(model));
        }
        let folder = self.folder_of(model);
        let mut marker = Marker { version: MARKER_VERSION, files: BTreeMap::new() };
        for file in &model.files {
            let path = folder.join(&file.name);
            let metadata = fs::metadata(&path).map_err(ModelError::io(&path))?;
            let found =
                hash::of_file(&path, |bytes| at(file, bytes)).map_err(ModelError::io(&path))?;
            if found != file.sha256 {
                return Err(ModelError::Damaged {
                    name: model.name.clone(),
                    file: path,
                    expected: file.sha256.clone(),
                    found,
                });
            }
            marker.files.insert(file.name.clone(), Seen::of(&metadata, &found));
        }
        // A cache that can't be written still serves: the next start hashes again.
        if let Err(error) = write_marker(&folder, &marker) {
            tracing::debug!(%error, folder = %folder.display(), "no marker written");
        }
        Ok(self.describe(model))
    }

    fn describe(&self, model: &Model) -> Installed {
        let folder = self.folder_of(model);
        let paths = model.files.iter().map(|file| (file.name.clone(), folder.join(&file.name)));
        let hashes = model.files.iter().map(|file| (file.name.clone(), file.sha256.clone()));
        Installed {
            name: model.name.clone(),
            files: paths.collect(),
            sha256: hashes.collect(),
            fingerprint: model.fingerprint(),
            folder,
        }
    }

    fn not_installed(&self, model: &Model) -> ModelError {
        ModelError::NotInstalled { name: model.name.clone(), folder: self.folder_of(model) }
    }
}

fn is_known(marker: &Marker, file: &ModelFile, metadata: &fs::Metadata) -> bool {
    marker.files.get(&file.name).is_some_and(|seen| *seen == Seen::of(metadata, &file.sha256))
}

/// Anything unreadable counts as no marker: the files are hashed again.
fn read_marker(folder: &Path) -> Marker {
    fs::read(folder.join(MARKER))
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Marker>(&bytes).ok())
        .filter(|marker| marker.version == MARKER_VERSION)
        .unwrap_or_default()
}

fn write_marker(folder: &Path, marker: &Marker) -> Result<(), ModelError> {
    let mut file = temporary(folder)?;
    serde_json::to_writer_pretty(&mut file, marker)
        .map_err(|error| ModelError::io(folder)(error.into()))?;
    publish(file, &folder.join(MARKER))
}

/// A file in `folder` that vanishes unless it is published.
pub(super) fn temporary(folder: &Path) -> Result<NamedTempFile, ModelError> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".incoming-");
    // The default, readable by the owner alone, would lock a service account out of a shared cache.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    builder.tempfile_in(folder).map_err(ModelError::io(folder))
}

/// Makes a temporary file durable, then gives it its name in one step.
pub(super) fn publish(mut file: NamedTempFile, path: &Path) -> Result<(), ModelError> {
    let sync = |file: &mut NamedTempFile| -> io::Result<()> {
        file.flush()?;
        file.as_file().sync_all()
    };
    sync(&mut file).map_err(ModelError::io(path))?;
    file.persist(path).map_err(|error| ModelError::io(path)(error.error))?;
    // The name lives in the folder; a power cut could lose it otherwise.
    if let Some(Ok(folder)) = path.parent().map(File::open) {
        let _ = folder.sync_all();
    }
    Ok(())
}

#[cfg(test)]
mod tests;
