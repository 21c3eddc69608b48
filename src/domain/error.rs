/// The closed list of ways to fail. Doors translate it once: to a status code, to an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The input is wrong; the same input will always be.
    Invalid,
    NotFound,
    Conflict,
    Denied,
    /// No room at the moment.
    Busy,
    Timeout,
    Unavailable,
    /// Our fault.
    Internal,
}

impl ErrorKind {
    /// Trying again later can help.
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Busy | Self::Timeout | Self::Unavailable)
    }

    /// Of a file that somebody named: what is wrong with its name stays wrong, a full disk doesn't.
    pub fn of_named_file(error: &std::io::Error) -> Self {
        use std::io::ErrorKind as Io;
        match error.kind() {
            Io::AlreadyExists => Self::Conflict,
            Io::NotFound
            | Io::PermissionDenied
            | Io::NotADirectory
            | Io::IsADirectory
            | Io::ReadOnlyFilesystem
            | Io::InvalidInput
            | Io::InvalidFilename => Self::Invalid,
            _ => Self::Unavailable,
        }
    }
}

/// An error that knows which kind it is.
pub trait Classify: std::error::Error {
    fn kind(&self) -> ErrorKind;
}
