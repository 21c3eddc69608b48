//! Category rules: what a company wants to notice in its conversations, and whom to tell.
//!
//! Rules are settings (`categories/*.toml`, or JSON of the same shape). [`Categories`] are all rules of a tenant,
//! compiled; a [`Watch`] holds one conversation against them, turn by turn, and says which rules hold now and what
//! each rests on. No I/O but reading the folder, no clock: time is the conversation's.

mod compiled;
mod explain;
mod fields;
mod node;
mod phrase;
mod read;
mod read_condition;
mod read_trial;
mod rule;
mod said;
mod scan;
#[cfg(test)]
mod tests;
mod timing;
mod trial;
mod watch;

use std::path::{Path, PathBuf};

pub use self::compiled::Categories;
pub use self::explain::Explained;
pub use self::node::{Mistake, Node};
use self::read::Draft;
pub use self::rule::{AlertRule, Rule, Who};
pub use self::trial::{Failed, Line, Trial, play};
pub use self::watch::{Matched, Watch};
use crate::domain::{Classify, ErrorKind};

/// Why rules can't be used.
#[derive(Debug, thiserror::Error)]
pub enum CategoriesError {
    #[error("{path}: can't be read: {error}")]
    Unreadable { path: PathBuf, error: std::io::Error },
    /// All of them, one a line.
    #[error("{}", lines(.0))]
    Mistakes(Vec<Mistake>),
    #[error("the phrases of all rules are too many to look for at once: {0}")]
    TooLarge(#[from] aho_corasick::BuildError),
}

impl Classify for CategoriesError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unreadable { error, .. } if error.kind() == std::io::ErrorKind::NotFound => {
                ErrorKind::NotFound
            }
            Self::Unreadable { .. } => ErrorKind::Unavailable,
            Self::Mistakes(_) | Self::TooLarge(_) => ErrorKind::Invalid,
        }
    }
}

fn lines(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

impl Categories {
    /// Reads all `.toml` files of a folder, by name.
    ///
    /// # Errors
    /// The folder or a file can't be read, or rules are wrong: all mistakes of all files at once.
    pub fn open(folder: &Path) -> Result<Self, CategoriesError> {
        let unreadable =
            |path: &Path, error| CategoriesError::Unreadable { path: path.to_owned(), error };
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
            let path = entry.map_err(|error| unreadable(folder, error))?.path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                paths.push(path);
            }
        }
        paths.sort();
        let mut files = Vec::new();
        for path in paths {
            let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
            files.push((path.display().to_string(), text));
        }
        Self::from_toml(files.iter().map(|(name, text)| (name.as_str(), text.as_str())))
    }

    /// Reads rules from TOML, each text with the name of its file.
    ///
    /// # Errors
    /// Rules are wrong: all mistakes of all files at once.
    pub fn from_toml<'t>(
        files: impl IntoIterator<Item = (&'t str, &'t str)>,
    ) -> Result<Self, CategoriesError> {
        let mut draft = Draft::default();
        for (name, text) in files {
            match Node::from_toml(name, text) {
                Ok(root) => draft.take(name, &root),
                Err(mistake) => draft.mistakes.push(mistake),
            }
        }
        Self::of(draft)
    }

    /// Reads rules from JSON: `{"rule": […], "test": […]}`. `name` stands before each mistake.
    ///
    /// # Errors
    /// Rules are wrong: all mistakes at once.
    pub fn from_json(name: &str, json: &serde_json::Value) -> Result<Self, CategoriesError> {
        let mut draft = Draft::default();
        draft.take(name, &Node::from_json(json));
        Self::of(draft)
    }

    fn of(mut draft: Draft) -> Result<Self, CategoriesError> {
        let mut unknown = Vec::new();
        for trial in &draft.trials {
            for (id, at, field) in trial.expect.iter().chain(&trial.never) {
                if !draft.knows(id) {
                    let message = format!("{id:?} is no rule; write the id of one");
                    let (file, at, field) = (trial.file.clone(), *at, field.clone());
                    unknown.push(Mistake { file, at, field, message });
                }
            }
        }
        draft.mistakes.append(&mut unknown);
        if !draft.mistakes.is_empty() {
            return Err(CategoriesError::Mistakes(draft.mistakes));
        }
        Self::compile(draft)
    }
}
