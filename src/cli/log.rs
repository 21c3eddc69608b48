//! Which log a command reads, and opening it.

use std::path::PathBuf;

use clap::Args;
use tokio::runtime::Runtime;

use super::Failure;
use crate::config::{Config, home_folder};
use crate::domain::{ErrorKind, TenantId};
use crate::store::{SqliteStore, Store as _};

#[derive(Debug, Args)]
pub(super) struct LogArgs {
    /// Folder of the event log [default: ~/.local/share/backchannel]
    #[arg(long, visible_alias = "data", value_name = "DIR")]
    store: Option<PathBuf>,
    /// Settings file (TOML)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Whose conversations
    #[arg(long, default_value = "default", value_name = "NAME")]
    tenant: String,
    /// The log and the tenant of `serve --demo`
    #[arg(long)]
    demo: bool,
}

/// A log that is only read, also while a service writes to it, and whose part of it.
pub(super) struct Log {
    pub store: SqliteStore,
    pub tenant: TenantId,
    pub runtime: Runtime,
}

impl LogArgs {
    /// # Errors
    /// The settings are wrong.
    pub fn config(&self) -> Result<Config, Failure> {
        Ok(Config::load(self.config.as_deref(), std::env::vars())?)
    }

    /// Does something with the log, and closes it.
    ///
    /// # Errors
    /// There is no such log, or it can't be had now, or the thing failed.
    pub fn with<T>(
        &self,
        config: &Config,
        work: impl FnOnce(&Log) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let folder = match (&self.store, self.demo) {
            (Some(folder), _) => folder.clone(),
            (None, true) => home_folder("XDG_DATA_HOME", ".local/share").join("backchannel-demo"),
            (None, false) => config.store.folder.clone(),
        };
        let runtime =
            Runtime::new().map_err(|error| Failure::new(ErrorKind::Internal, error.to_string()))?;
        let log = Log {
            store: runtime.block_on(SqliteStore::open_to_read(&folder))?,
            tenant: if self.demo { "demo".into() } else { self.tenant.as_str().into() },
            runtime,
        };
        let done = work(&log);
        log.runtime.block_on(log.store.close());
        done
    }
}
