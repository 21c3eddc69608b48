//! The program itself on its command line, and a look at every byte that it left.

use std::path::Path;
use std::process::Command;

/// What it ended with, what it printed, and what it complained of.
pub fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let done =
        Command::new(env!("CARGO_BIN_EXE_backchannel")).args(arguments).output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (done.status.code(), text(&done.stdout), text(&done.stderr))
}

/// The files below a folder in which one of the words stands.
pub fn found_in(folder: &Path, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(found_in(&path, words));
            continue;
        }
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            // A service that runs puts new files in place of others.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => panic!("{}: {error}", path.display()),
        };
        let stands = |word: &&str| bytes.windows(word.len()).any(|piece| piece == word.as_bytes());
        found.extend(words.iter().any(stands).then(|| path.display().to_string()));
    }
    found
}
