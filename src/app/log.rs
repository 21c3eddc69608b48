//! Opening the event log where the settings say.

use std::sync::Arc;

use super::AppError;
use crate::bus::{Bus, Signal};
use crate::config::Store as Settings;
use crate::domain::ErrorKind;
use crate::store::{ArticleLog, EventLog, FolderLock, Outbox, Place, Store, followers};

/// One log, as those who use it see it.
pub(super) struct OpenLog {
    pub store: Arc<dyn Store>,
    pub article_log: Arc<dyn ArticleLog>,
    pub outbox: Arc<dyn Outbox>,
    /// The same, for those who erase.
    pub log: Arc<EventLog>,
    pub place: Place,
    /// A log in a file brings the folder's lock along; what else is in the folder needs it, too.
    pub folder_lock: Option<FolderLock>,
}

/// The log tells the bus of each commit.
///
/// # Errors
/// Somebody else has it, it is damaged, or it can't be reached.
pub(super) async fn open(settings: &Settings, bus: &Arc<dyn Bus>) -> Result<OpenLog, AppError> {
    let to_bus = Arc::clone(bus);
    let on_commit = Arc::new(move |events: &[Arc<_>]| {
        for event in events {
            to_bus.publish(Signal::Event(Arc::clone(event)));
        }
    });
    let place = settings.place().map_err(|error| AppError {
        kind: ErrorKind::Invalid,
        message: format!("store.url: {error}"),
    })?;
    let folder_lock = match &place {
        Place::Folder(_) => None,
        Place::Postgres(_) => Some(FolderLock::make(&settings.folder)),
    };
    let folder_lock = folder_lock.transpose().map_err(|error| AppError::of(&error))?;
    let log = place.open(on_commit).await.map_err(|error| AppError::of(&error))?;
    let id = log.id().await.map_err(|error| AppError::of(&error))?;
    let settled = followers::settle(&settings.folder, &id).await;
    settled.map_err(|error| AppError::of(&error))?;
    let log = Arc::new(log);
    let article_log: Arc<dyn ArticleLog> = Arc::<EventLog>::clone(&log);
    let outbox: Arc<dyn Outbox> = Arc::<EventLog>::clone(&log);
    let store: Arc<dyn Store> = Arc::<EventLog>::clone(&log);
    Ok(OpenLog { store, article_log, outbox, log, place, folder_lock })
}
