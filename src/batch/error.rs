use std::io;
use std::path::{Path, PathBuf};

use crate::domain::{Classify, ErrorKind};

/// Why a batch can't begin or go on. What is wrong with one conversation is no such error.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    #[error("{}: can't be read: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{}: can't be written: {source}", path.display())]
    Unwritable { path: PathBuf, source: io::Error },
    #[error("{}: {reason}", path.display())]
    Input { path: PathBuf, reason: String },
    #[error("the input holds no conversations")]
    Empty,
    #[error(
        "{}: the input has changed since this batch was begun ({what}): bring the old input back, \
         or choose another output, or remove {} and {} to begin anew",
        output.display(), output.display(), work.display()
    )]
    InputChanged { output: PathBuf, work: PathBuf, what: String },
    #[error(
        "{}: this batch was begun with other settings: {was}; now they are: {now}. Use the same, \
         or choose another output, or remove {} to begin anew",
        output.display(), work.display()
    )]
    OrderChanged { output: PathBuf, work: PathBuf, was: String, now: String },
    #[error("{}: is there already, and there is no record of a batch beside it: remove it, or choose another \
         output", .0.display())]
    Occupied(PathBuf),
    #[error("{}: another process works on this batch", .0.display())]
    Locked(PathBuf),
    #[error("{}: {reason}: remove it to begin anew", path.display())]
    Damaged { path: PathBuf, reason: String },
    #[error("the batch's jobs: {0}")]
    Jobs(#[from] sqlx::Error),
    #[error("the event log: {0}")]
    Store(#[from] crate::store::StoreError),
    #[error("a worker of the batch failed: {0}")]
    Bug(String),
}

/// What blocks, on a thread for that.
///
/// # Errors
/// Those of the work. With what it panicked is told nowhere: that may be what a customer said.
pub async fn on_a_thread<T: Send + 'static, E: From<BatchError> + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| E::from(BatchError::Bug("it panicked".to_owned())))?
}

impl BatchError {
    pub fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Unreadable { path, source }
    }

    /// For those who may not know where on the machine a batch stands.
    pub fn without_paths(&self) -> String {
        match self {
            Self::Unreadable { source, .. } => format!("its input can't be read: {source}"),
            Self::Unwritable { source, .. } => format!("its output can't be written: {source}"),
            Self::Input { reason, .. } => format!("its input {reason}"),
            Self::InputChanged { what, .. } => format!("its input has changed: {what}"),
            Self::OrderChanged { was, now, .. } => {
                format!("it was begun with other settings: {was}; now they are: {now}")
            }
            Self::Occupied(_) | Self::Damaged { .. } => "its files are damaged".to_owned(),
            Self::Locked(_) => "another process works on it".to_owned(),
            Self::Jobs(_) => "its jobs can't be read or written".to_owned(),
            Self::Store(_) => "the event log can't be read".to_owned(),
            Self::Bug(_) => "the program failed".to_owned(),
            Self::Empty => self.to_string(),
        }
    }

    pub fn unwritable(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Unwritable { path, source }
    }
}

impl Classify for BatchError {
    fn kind(&self) -> ErrorKind {
        match self {
            // It can go on as soon as there is room.
            Self::Unwritable { source, .. }
                if matches!(
                    source.kind(),
                    io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
                ) =>
            {
                ErrorKind::Unavailable
            }
            Self::Unreadable { .. }
            | Self::Unwritable { .. }
            | Self::Input { .. }
            | Self::Empty => ErrorKind::Invalid,
            Self::InputChanged { .. }
            | Self::OrderChanged { .. }
            | Self::Occupied(_)
            | Self::Damaged { .. } => ErrorKind::Conflict,
            Self::Locked(_) => ErrorKind::Busy,
            Self::Store(error) => error.kind(),
            Self::Jobs(_) => ErrorKind::Unavailable,
            Self::Bug(_) => ErrorKind::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_keeps_its_words_to_itself() {
        let failed = on_a_thread(|| -> Result<(), BatchError> { panic!("my lamp is broken") });
        let error = failed.await.expect_err("it panicked");
        assert_eq!(error.kind(), ErrorKind::Internal);
        assert!(!format!("{error} {error:?}").contains("lamp"), "{error:?}");
    }

    #[test]
    fn a_full_disk_is_worth_another_try() {
        let full = |kind: io::ErrorKind| BatchError::unwritable(Path::new("/secret"))(kind.into());
        assert!(full(io::ErrorKind::StorageFull).kind().is_retryable());
        assert!(full(io::ErrorKind::QuotaExceeded).kind().is_retryable());
        let denied = full(io::ErrorKind::PermissionDenied);
        assert_eq!(denied.kind(), ErrorKind::Invalid);
        assert!(!denied.without_paths().contains("secret"), "{}", denied.without_paths());
    }
}
