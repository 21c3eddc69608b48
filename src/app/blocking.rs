use crate::domain::ErrorKind;
use crate::serve::Failure;

/// What blocks, on a thread for that.
///
/// # Errors
/// Those of the work. With what it panicked is told nowhere: that may be what a customer said.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let failed = |_| Failure {
        kind: ErrorKind::Internal,
        message: "the program failed, which is a bug".to_owned(),
    };
    tokio::task::spawn_blocking(work).await.map_err(failed)?
}
