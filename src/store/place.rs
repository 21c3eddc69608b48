//! Where a log is: `store.url`.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

use super::log::{EventLog, Queueing};
use super::{CommitHook, Failpoints, SqliteSettings, StoreError, postgres};

/// Where a log stands.
#[derive(Clone, Debug)]
pub enum Place {
    /// `sqlite:`: in the data folder.
    Folder(PathBuf),
    /// `postgres://user@host/database`
    Postgres(Box<PgConnectOptions>),
}

/// An address that names no log. It isn't repeated, since it may hold a password.
#[derive(Clone, Debug, thiserror::Error)]
#[error("write `sqlite:` for a file in the data folder, or postgres://user@host/database{0}")]
pub struct BadPlace(String);

impl Place {
    /// Reads an address; `folder` is the data folder.
    ///
    /// # Errors
    /// It is neither of the two.
    pub fn parse(url: &str, folder: &Path) -> Result<Self, BadPlace> {
        match url.split_once(':') {
            Some(("sqlite", "")) => Ok(Self::Folder(folder.to_owned())),
            Some(("postgres" | "postgresql", _)) => PgConnectOptions::from_str(url)
                .map(|options| Self::Postgres(Box::new(options)))
                .map_err(|error| BadPlace(format!(": {error}"))),
            _ => Err(BadPlace(String::new())),
        }
    }

    /// Opens the log, or makes it, alone; see `EventLog::open` and `EventLog::open_in`.
    ///
    /// # Errors
    /// As they say.
    pub async fn open(&self, on_commit: CommitHook) -> Result<EventLog, StoreError> {
        match self {
            Self::Folder(folder) => EventLog::open(folder, on_commit).await,
            Self::Postgres(options) => {
                EventLog::open_in(options, Queueing::default(), on_commit).await
            }
        }
    }

    /// The same with failpoints, for tests.
    ///
    /// # Errors
    /// As `open`.
    pub async fn open_failing(
        &self,
        failpoints: Failpoints,
        on_commit: CommitHook,
    ) -> Result<EventLog, StoreError> {
        let failpoints = Some(failpoints);
        match self {
            Self::Folder(folder) => {
                let settings = SqliteSettings { failpoints, ..SqliteSettings::new(folder) };
                EventLog::open_with(settings, on_commit).await
            }
            Self::Postgres(options) => {
                EventLog::open_failing(options, Queueing::default(), failpoints, on_commit).await
            }
        }
    }

    /// Opens a log that is there for reading only, also while a service writes to it.
    ///
    /// # Errors
    /// There is none, or it is of another version.
    pub async fn open_to_read(&self) -> Result<EventLog, StoreError> {
        match self {
            Self::Folder(folder) => EventLog::open_to_read(folder).await,
            Self::Postgres(options) => EventLog::open_in_to_read(options).await,
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "{}", folder.display()),
            Self::Postgres(options) => f.write_str(&postgres::name(options)),
        }
    }
}
