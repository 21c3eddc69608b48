//! Where commands write to.

use std::io::{ErrorKind, Result, Write};
use std::path::Path;

/// Standard output. Whoever reads it may have enough: then the command is done, as `cat` is.
pub(super) struct Output;

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        end_if_closed(std::io::stdout().write(bytes))
    }

    fn flush(&mut self) -> Result<()> {
        end_if_closed(std::io::stdout().flush())
    }
}

fn end_if_closed<T>(written: Result<T>) -> Result<T> {
    if written.as_ref().is_err_and(|error| error.kind() == ErrorKind::BrokenPipe) {
        std::process::exit(0);
    }
    written
}

/// Two names of one file, which one command must not both read and write.
pub(crate) fn is_same_file(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_all_its_names() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, other) = (folder.path().join("a.wav"), folder.path().join("b.wav"));
        for path in [&file, &other] {
            std::fs::write(path, "x").expect("it writes");
        }
        let roundabout = folder.path().join(".").join("a.wav");
        assert!(is_same_file(&file, &roundabout) && !is_same_file(&file, &other));
        assert!(!is_same_file(&folder.path().join("none"), &folder.path().join("none")));
    }
}
