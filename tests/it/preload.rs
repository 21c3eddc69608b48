//! Small libraries in C that are loaded into a process of tests (`tests/peers/*.c`), to do what no test may do to the machine.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Is there as long as it is held.
pub struct Preload {
    library: PathBuf,
    _folder: tempfile::TempDir,
}

impl Preload {
    /// Compiles `tests/peers/<name>.c`.
    ///
    /// # Panics
    /// There is no C compiler.
    pub fn of(name: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let library = folder.path().join(format!("{name}.so"));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/peers/{name}.c"));
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([&library, &source])
            .arg("-ldl")
            .status();
        assert!(compiled.expect("cc is there").success(), "{}", source.display());
        Self { library, _folder: folder }
    }

    pub fn load_into(&self, child: &mut Command) {
        child.env("LD_PRELOAD", &self.library);
    }
}
