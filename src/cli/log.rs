//! Which log a command reads, and opening it.

use std::path::PathBuf;

use clap::Args;
use tokio::runtime::Runtime;

use super::Failure;
use crate::config::{Config, home_folder};
use crate::domain::{ErrorKind, TenantId};
use crate::store::{EventLog, Place, Store as _};

/// Where a log is.
#[derive(Debug, Args)]
pub(super) struct PlaceArgs {
    /// Folder of the event log, instead of where the settings say [default: ~/.local/share/backchannel]
    #[arg(long, visible_alias = "data", value_name = "DIR")]
    store: Option<PathBuf>,
    /// Settings file (TOML)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The log and the tenant of `serve --demo`
    #[arg(long)]
    demo: bool,
}

#[derive(Debug, Args)]
pub(super) struct LogArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Whose conversations
    #[arg(long, default_value = "default", value_name = "NAME")]
    tenant: String,
}

/// A log that is only read, also while a service writes to it, and whose part of it.
pub(super) struct Log {
    pub store: EventLog,
    pub tenant: TenantId,
    pub runtime: Runtime,
}

impl PlaceArgs {
    /// # Errors
    /// The settings are wrong.
    pub fn config(&self) -> Result<Config, Failure> {
        Ok(Config::load(self.config.as_deref(), std::env::vars())?)
    }

    /// `named`, unless it is the demo's log.
    pub fn tenant_or(&self, named: &str) -> TenantId {
        if self.demo { "demo".into() } else { named.into() }
    }

    /// Where the log is, by these settings.
    ///
    /// # Errors
    /// They name no place.
    pub fn place(&self, config: &Config) -> Result<Place, Failure> {
        Ok(match (&self.store, self.demo) {
            (Some(folder), _) => Place::Folder(folder.clone()),
            (None, true) => {
                Place::Folder(home_folder("XDG_DATA_HOME", ".local/share").join("backchannel-demo"))
            }
            (None, false) => {
                let wrong = |error| Failure::invalid(format!("store.url: {error}"));
                config.store.place().map_err(wrong)?
            }
        })
    }
}

impl LogArgs {
    /// # Errors
    /// The settings are wrong.
    pub fn config(&self) -> Result<Config, Failure> {
        self.place.config()
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
        let place = self.place.place(config)?;
        let runtime = runtime()?;
        let log = Log {
            store: runtime.block_on(place.open_to_read())?,
            tenant: self.place.tenant_or(&self.tenant),
            runtime,
        };
        let done = work(&log);
        log.runtime.block_on(log.store.close());
        done
    }
}

/// # Errors
/// The machine gives no threads.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    Runtime::new().map_err(|error| Failure::new(ErrorKind::Internal, error.to_string()))
}
