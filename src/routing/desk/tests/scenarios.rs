//! Runs `tests/routing/*.toml`. Adding a statement needs no Rust.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::scenario::Run;

/// Statements that share a plan.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    plan: String,
    scenario: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What is shown, as a sentence.
    statement: String,
    /// Added to the file's plan.
    #[serde(default)]
    plan: String,
    steps: String,
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/routing");
    let entries = std::fs::read_dir(&folder).expect("the folder of routing's scenarios");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    assert!(!files.is_empty(), "{} has no scenarios", folder.display());
    files
}

#[test]
fn every_statement_holds() {
    let mut wrong = Vec::new();
    for path in files() {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("readable");
        let file: File = toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        for case in file.scenario {
            let plan = format!("{}\n{}", case.plan, file.plan);
            if let Err(error) = Run::all(&plan, &case.steps) {
                wrong.push(format!("{name}: {}\n    {error}", case.statement));
            }
        }
    }
    assert!(wrong.is_empty(), "{} statements don't hold:\n{}", wrong.len(), wrong.join("\n"));
}
