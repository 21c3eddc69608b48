//! Guards the house: imports point one way, files stay readable, only the masker vouches for text.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Floors of the house, lowest first. A room may import its own and lower ones.
const FLOORS: &[&[&str]] = &[
    &["domain", "telemetry"],
    &["prompts", "knowledge", "models", "store", "bus"],
    &["grounding", "insight"],
    &["flow", "routing", "workforce", "selfservice"],
    &["connect"],
    &["batch", "evaluate"],
    &["serve"],
    &["config", "app"],
    &["cli"],
];

/// Imports between rooms of one floor, each with its reason.
const SIDEWAYS: &[(&str, &str, &str)] = &[
    ("knowledge", "models", "passages and queries are embedded"),
    ("prompts", "models", "a rendered prompt is a request to a model"),
    ("grounding", "insight", "numbers are compared in the form in which they are displayed"),
    ("app", "config", "the composition root reads the settings"),
];

/// A file longer than this is two files.
const LINES_MAX: usize = 500;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of the project").flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() {
                if !matches!(name.as_str(), "target" | "node_modules" | "dist") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The room that a file of `src/` belongs to; none for the crate's root files.
fn room(path: &Path) -> Option<String> {
    let inside = path.strip_prefix(root().join("src")).expect("a file of src");
    let first = inside.iter().next()?.to_str()?.trim_end_matches(".rs").to_owned();
    (!matches!(first.as_str(), "lib" | "main")).then_some(first)
}

fn floor(room: &str) -> usize {
    FLOORS
        .iter()
        .position(|rooms| rooms.contains(&room))
        .unwrap_or_else(|| panic!("src/{room} has no floor: add it to tests/it/tidy.rs"))
}

/// The source without its comments and test modules, which may look anywhere.
fn code(source: &str) -> String {
    let source = source.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or(source);
    source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn imports_point_down() {
    let mut climbs = Vec::new();
    for path in files(&root().join("src"), "rs") {
        let Some(from) = room(&path) else { continue };
        if path.ends_with("tests.rs") {
            continue;
        }
        let source = code(&std::fs::read_to_string(&path).expect("readable"));
        assert!(!source.contains("use crate::{"), "{}: name rooms one by one", path.display());
        let targets: BTreeSet<&str> = source
            .split("crate::")
            .skip(1)
            .filter_map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next())
            .filter(|target| {
                root().join("src").join(target).exists()
                    || root().join(format!("src/{target}.rs")).exists()
            })
            .collect();
        for to in targets {
            let sideways = SIDEWAYS.iter().any(|(a, b, _)| (*a, *b) == (from.as_str(), to));
            let climbs_up = floor(to) > floor(&from);
            let beside = floor(to) == floor(&from) && to != from && !sideways;
            if climbs_up || beside {
                climbs.push(format!("{}: {from} -> {to}", path.display()));
            }
        }
    }
    assert!(climbs.is_empty(), "imports that don't point down:\n{}", climbs.join("\n"));
}

#[test]
fn stages_of_flow_know_each_other_only_through_the_session() {
    const STAGES: [&str; 5] = ["audio", "transcript", "suggestion", "wrapup", "feedback"];
    for stage in STAGES {
        for path in files(&root().join("src/flow").join(stage), "rs") {
            let source = code(&std::fs::read_to_string(&path).expect("readable"));
            for other in STAGES.into_iter().chain(["session", "replay", "driver"]) {
                let import = format!("flow::{other}");
                assert!(
                    other == stage || !source.contains(&import),
                    "{}: a stage imports {import}",
                    path.display()
                );
            }
            assert!(!source.contains(".await"), "{}: only the driver awaits", path.display());
            for clock in ["Instant::now", "Timestamp::now", "SystemTime"] {
                assert!(!source.contains(clock), "{}: time is passed in", path.display());
            }
        }
    }
}

#[test]
fn files_stay_short() {
    let mut long = Vec::new();
    for folder in ["src", "tests", "benches", "ui/src"] {
        for extension in ["rs", "ts"] {
            for path in files(&root().join(folder), extension) {
                let lines = std::fs::read_to_string(&path).expect("readable").lines().count();
                // The harness of the socket tests is one machine with many handles.
                if lines > LINES_MAX && !path.ends_with("serve/harness.rs") {
                    long.push(format!("{}: {lines} lines", path.display()));
                }
            }
        }
    }
    assert!(long.is_empty(), "files over {LINES_MAX} lines:\n{}", long.join("\n"));
}

#[test]
fn only_the_masker_and_the_store_vouch_for_text() {
    for path in files(&root().join("src"), "rs") {
        let Some(room) = room(&path) else { continue };
        let source = code(&std::fs::read_to_string(&path).expect("readable"));
        let is_test = path.ends_with("tests.rs") || is_of_tests(&path);
        let allowed = matches!(room.as_str(), "domain" | "insight" | "store") || is_test;
        assert!(
            allowed || !source.contains("Redacted::vouched"),
            "{}: raw words become `Redacted` in insight::redaction only",
            path.display()
        );
    }
}

/// Whether it stands in a folder `tests` that is compiled for tests only.
fn is_of_tests(path: &Path) -> bool {
    let Some(folder) = path.ancestors().find(|folder| folder.ends_with("tests")) else {
        return false;
    };
    let above = folder.parent().expect("it stands below src");
    let parents = [above.join("mod.rs"), above.with_extension("rs")];
    parents.iter().any(|parent| {
        let source = std::fs::read_to_string(parent).unwrap_or_default();
        source.contains("#[cfg(test)]\nmod tests;")
    })
}

#[test]
fn documents_name_files_that_exist() {
    let documents = [
        "README.md",
        "src/ARCHITECTURE.md",
        "benches/README.md",
        "CHANGELOG.md",
        "categories/README.md",
        "intents/README.md",
    ];
    for document in documents {
        let text = std::fs::read_to_string(root().join(document)).expect(document);
        for name in text.split('`').skip(1).step_by(2) {
            let looks_like_a_path = name.contains('/')
                && !name.contains([' ', '<', '{', '*', '$', '…', '~', ':', '='])
                && !name.starts_with(['/', '-', '.'])
                && name
                    .rsplit('/')
                    .next()
                    .is_some_and(|last| last.contains('.') || name.ends_with('/'));
            // What `make` makes is not in a checkout.
            let made = name.starts_with("target/") || name.starts_with("ui/dist");
            assert!(
                !looks_like_a_path
                    || made
                    || root().join(name).exists()
                    || root().join("src").join(name).exists(),
                "{document} names {name}, which isn't there"
            );
        }
    }
}
