//! Which files are meant by what was named.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::Kind;
use crate::batch::error::BatchError;
use crate::batch::files::with_suffix;
use crate::batch::join::Paths;

/// A file that was named or found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub path: PathBuf,
    pub name: String,
    pub kind: Kind,
}

/// What was found, and what was passed over that somebody may miss.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    pub found: Vec<Found>,
    pub notes: Vec<String>,
    seen: HashSet<PathBuf>,
}

/// The files of the batch itself, known by whatever way leads to them.
struct Own {
    folder: PathBuf,
    names: Vec<OsString>,
}

impl Own {
    fn of(paths: &Paths) -> Self {
        let all = [&paths.output, &paths.provenance, &paths.errors, &paths.work];
        let names = all.iter().filter_map(|path| path.file_name()).map(OsStr::to_owned);
        Self { folder: canonical_parent(&paths.output), names: names.collect() }
    }

    fn has(&self, path: &Path) -> bool {
        path.file_name().is_some_and(|name| self.names.iter().any(|own| own == name))
            && canonical_parent(path) == self.folder
    }
}

fn canonical_parent(path: &Path) -> PathBuf {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
}

/// The files behind what was named, in order: a folder's by their names, and those in its folders,
/// but for those of this batch and of others.
///
/// # Errors
/// One isn't there, is a file of this batch, or is of no known kind. In a folder, what is of no known
/// kind is passed over.
pub fn find(named: &[PathBuf], paths: &Paths) -> Result<Search, BatchError> {
    let own = Own::of(paths);
    let mut search = Search::default();
    for path in named {
        let wrong =
            |reason: &str| BatchError::Input { path: path.clone(), reason: reason.to_owned() };
        let about = std::fs::metadata(path).map_err(BatchError::unreadable(path))?;
        if own.has(path) || path.canonicalize().is_ok_and(|canonical| own.has(&canonical)) {
            return Err(wrong("is a file of this batch itself: choose another output"));
        }
        if about.is_dir() {
            search.folder(path, &own)?;
            continue;
        }
        let kind = Kind::of(path).ok_or_else(|| {
            wrong("is of no known kind: use .jsonl, .json or .vcon, .txt, .parquet, or a recording")
        })?;
        if !about.is_file() {
            return Err(wrong("is no regular file"));
        }
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        search.take(path.clone(), name, kind);
    }
    Ok(search)
}

impl Search {
    fn folder(&mut self, top: &Path, own: &Own) -> Result<(), BatchError> {
        let mut walk = WalkDir::new(top).follow_links(true).sort_by_file_name().into_iter();
        while let Some(entry) = walk.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.passed_over(top, error)?;
                    continue;
                }
            };
            let (path, kind) = (entry.path(), entry.file_type());
            if entry.depth() == 0 {
                continue;
            }
            if kind.is_dir() {
                if own.has(path) || is_work(path) {
                    walk.skip_current_dir();
                }
                continue;
            }
            let Some(known) = Kind::of(path) else { continue };
            if own.has(path) {
                continue;
            }
            let name = path.strip_prefix(top).unwrap_or(path).to_string_lossy().into_owned();
            if !kind.is_file() {
                self.note(path, "is no regular file");
            } else if is_of_a_batch(path) {
                self.note(path, "was written by another batch");
            } else {
                self.take(path.to_owned(), name, known);
            }
        }
        Ok(())
    }

    fn take(&mut self, path: PathBuf, name: String, kind: Kind) {
        let canonical = path.canonicalize().unwrap_or_else(|_| path.clone());
        if self.seen.insert(canonical) {
            self.found.push(Found { path, name, kind });
        } else {
            self.note(&path, "is a file that was found before");
        }
    }

    fn note(&mut self, path: &Path, why: &str) {
        self.notes.push(format!("{} {why}: it is passed over", path.display()));
    }

    /// A link in a circle or to nothing is no reason to leave the others.
    fn passed_over(&mut self, top: &Path, error: walkdir::Error) -> Result<(), BatchError> {
        let path = error.path().unwrap_or(top).to_owned();
        let is_link = std::fs::symlink_metadata(&path).is_ok_and(|about| about.is_symlink());
        if error.loop_ancestor().is_some() {
            self.note(&path, "is a link to a folder that it is in");
            return Ok(());
        }
        let source = std::io::Error::from(error);
        if is_link && source.kind() == std::io::ErrorKind::NotFound {
            self.note(&path, "is a link to nothing");
            return Ok(());
        }
        Err(BatchError::Unreadable { path, source })
    }
}

/// Where a batch keeps what is finished.
fn is_work(path: &Path) -> bool {
    let holds = |name: &str| path.join(name).is_file();
    path.extension().is_some_and(|extension| extension == "work")
        && path.is_dir()
        && (holds("plan.json") || holds("done.json") || holds("lock"))
}

/// An output, or what stands beside one.
fn is_of_a_batch(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    let base = name.to_str().and_then(|name| {
        name.strip_suffix(".provenance.jsonl").or_else(|| name.strip_suffix(".errors.jsonl"))
    });
    let output = base.map_or_else(|| path.to_owned(), |base| path.with_file_name(base));
    let beside = |suffix: &str| with_suffix(&output, suffix);
    is_work(&beside(".work"))
        || (beside(".provenance.jsonl").is_file() && beside(".errors.jsonl").is_file())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn names(search: &Search) -> Vec<&str> {
        search.found.iter().map(|found| found.name.as_str()).collect()
    }

    #[test]
    fn links_files_of_batches_and_twins_are_passed_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("a/b")).expect("folders");
        for name in ["a/1.json", "a/b/2.json", "9.jsonl"] {
            std::fs::write(at(name), "{}").expect("written");
        }
        symlink(folder.path(), at("a/b/circle")).expect("a link");
        symlink(at("none.json"), at("dangling.json")).expect("a link");
        symlink(at("a/1.json"), at("twin.json")).expect("a link");
        symlink(at("a/b"), at("z")).expect("a link");
        let made = std::process::Command::new("mkfifo").arg(at("pipe.jsonl")).status();
        assert!(made.expect("mkfifo runs").success());
        for name in ["old.jsonl", "old.jsonl.provenance.jsonl", "old.jsonl.errors.jsonl"] {
            std::fs::write(at(name), "{}").expect("written");
        }
        std::fs::create_dir_all(at("new.jsonl.work")).expect("a folder");
        std::fs::write(at("new.jsonl.work/plan.json"), "{}").expect("written");
        std::fs::write(at("new.jsonl"), "{}").expect("written");
        let paths = Paths::of(&at("out.jsonl"));
        let search = find(&[folder.path().to_owned(), at("9.jsonl")], &paths).expect("found");
        assert_eq!(names(&search), ["9.jsonl", "a/1.json", "a/b/2.json"]);
        let notes = search.notes.join("\n");
        for expected in [
            "circle is a link to a folder that it is in",
            "dangling.json is a link to nothing",
            "twin.json is a file that was found before",
            "z/2.json is a file that was found before",
            "pipe.jsonl is no regular file",
            "new.jsonl was written by another batch",
            "old.jsonl.errors.jsonl was written by another batch",
            "9.jsonl is a file that was found before",
        ] {
            assert!(notes.contains(expected), "{expected}: {notes}");
        }
        let error = find(&[at("pipe.jsonl")], &paths).expect_err("it can't be read twice");
        assert!(error.to_string().contains("no regular file"), "{error}");
    }

    #[test]
    fn own_files_are_known_by_any_way_that_leads_to_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let real = folder.path().join("real");
        std::fs::create_dir(&real).expect("a folder");
        symlink(&real, folder.path().join("way")).expect("a link");
        std::fs::write(real.join("out.jsonl"), "{}").expect("written");
        let paths = Paths::of(&folder.path().join("way/out.jsonl"));
        let search = find(std::slice::from_ref(&real), &paths).expect("found");
        assert!(search.found.is_empty(), "{search:?}");
        let error = find(&[real.join("../real/out.jsonl")], &paths).expect_err("it is the output");
        assert!(error.to_string().contains("a file of this batch itself"), "{error}");
    }
}
