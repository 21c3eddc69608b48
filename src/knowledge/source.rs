//! Where articles lie as files.

use std::path::{Path, PathBuf};

use include_dir::{Dir, DirEntry};

use super::error::KnowledgeError;

/// Where the articles lie.
#[derive(Clone, Debug)]
pub enum Source {
    Folder(PathBuf),
    /// A folder that was compiled in.
    Embedded(&'static Dir<'static>),
}

type FileText = (String, Result<String, String>);

impl Source {
    /// The Markdown files with their paths below the root, in order. `README.md` is for people.
    pub fn files(&self) -> Result<Vec<FileText>, KnowledgeError> {
        let mut files = Vec::new();
        match self {
            Self::Folder(root) => walk(root, root, &mut files)?,
            Self::Embedded(dir) => walk_embedded(dir, &mut files),
        }
        files.retain(|(file, _)| file.ends_with(".md") && file != "README.md");
        files.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(files)
    }

    /// The text of a file beside the articles, such as `queries.toml`.
    pub fn companion(&self, name: &str) -> Option<String> {
        match self {
            Self::Folder(root) => std::fs::read_to_string(root.join(name)).ok(),
            Self::Embedded(dir) => dir.get_file(name)?.contents_utf8().map(str::to_owned),
        }
    }
}

fn walk(root: &Path, folder: &Path, files: &mut Vec<FileText>) -> Result<(), KnowledgeError> {
    let fail = |error: std::io::Error| KnowledgeError::Folder {
        folder: folder.to_owned(),
        reason: error.to_string(),
    };
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if hidden {
            continue;
        }
        if path.is_dir() {
            walk(root, &path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            let below = path.strip_prefix(root).unwrap_or(&path).components();
            let parts: Vec<_> = below.map(|part| part.as_os_str().to_string_lossy()).collect();
            let text = std::fs::read_to_string(&path).map_err(|error| error.to_string());
            files.push((parts.join("/"), text));
        }
    }
    Ok(())
}

fn walk_embedded(dir: &Dir<'static>, files: &mut Vec<FileText>) {
    for entry in dir.entries() {
        match entry {
            DirEntry::Dir(dir) => walk_embedded(dir, files),
            DirEntry::File(file) => {
                let text = file.contents_utf8().map(str::to_owned).ok_or("is not UTF-8".to_owned());
                files.push((file.path().to_string_lossy().replace('\\', "/"), text));
            }
        }
    }
}
