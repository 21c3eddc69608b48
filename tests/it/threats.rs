//! Guards THREATS.md: what it names is there, and no item of its two lists is left out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const DOCUMENT: &str = "THREATS.md";
const STATES: [&str; 4] = ["met", "partly", "not met", "not applicable"];

/// Sections of ASVS 5.0, each with the number of its requirements of levels 1 and 2, which come before those of level 3.
const SECTIONS: &[(&str, u32)] = &[
    ("1.1", 2),
    ("1.2", 9),
    ("1.3", 11),
    ("1.4", 3),
    ("1.5", 2),
    ("2.1", 3),
    ("2.2", 3),
    ("2.3", 4),
    ("2.4", 1),
    ("3.2", 2),
    ("3.3", 4),
    ("3.4", 6),
    ("3.5", 5),
    ("3.7", 2),
    ("4.1", 3),
    ("4.2", 1),
    ("4.3", 2),
    ("4.4", 4),
    ("5.1", 1),
    ("5.2", 3),
    ("5.3", 2),
    ("5.4", 3),
    ("6.1", 3),
    ("6.2", 11),
    ("6.3", 3),
    ("6.4", 4),
    ("6.5", 5),
    ("6.6", 3),
    ("6.8", 4),
    ("7.1", 3),
    ("7.2", 4),
    ("7.3", 2),
    ("7.4", 5),
    ("7.5", 2),
    ("7.6", 2),
    ("8.1", 2),
    ("8.2", 3),
    ("8.3", 1),
    ("8.4", 1),
    ("9.1", 3),
    ("9.2", 4),
    ("10.1", 2),
    ("10.2", 2),
    ("10.3", 4),
    ("10.4", 11),
    ("10.5", 5),
    ("10.6", 2),
    ("10.7", 3),
    ("11.1", 2),
    ("11.2", 3),
    ("11.3", 3),
    ("11.4", 4),
    ("11.5", 1),
    ("11.6", 1),
    ("12.1", 3),
    ("12.2", 2),
    ("12.3", 4),
    ("13.1", 1),
    ("13.2", 5),
    ("13.3", 2),
    ("13.4", 5),
    ("14.1", 2),
    ("14.2", 4),
    ("14.3", 3),
    ("15.1", 3),
    ("15.2", 3),
    ("15.3", 7),
    ("16.1", 1),
    ("16.2", 5),
    ("16.3", 4),
    ("16.4", 3),
    ("16.5", 3),
    ("17.1", 1),
    ("17.2", 4),
    ("17.3", 2),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn document() -> String {
    std::fs::read_to_string(root().join(DOCUMENT)).expect(DOCUMENT)
}

/// The rows of all tables, in cells.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let lines = text.lines().filter(|line| line.starts_with("| "));
    lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

/// What stands between backquotes.
fn spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Requirements as a row names them: `1.2.6, 1.2.8–9`. Nothing where the row is of another table.
fn requirements(cell: &str) -> Vec<(String, u32)> {
    let all: Option<Vec<_>> = cell.split(", ").map(some_requirements).collect();
    all.unwrap_or_default().concat()
}

fn some_requirements(text: &str) -> Option<Vec<(String, u32)>> {
    let (section, numbers) = text.rsplit_once('.')?;
    let (first, last) = numbers.split_once('–').unwrap_or((numbers, numbers));
    let (first, last) = (first.parse::<u32>().ok()?, last.parse::<u32>().ok()?);
    let is_section = section.split('.').all(|piece| piece.parse::<u32>().is_ok());
    let all = (first..=last).map(|number| (section.to_owned(), number));
    is_section.then(|| all.collect())
}

#[test]
fn what_it_names_is_there() {
    let text = document();
    let (mut paths, mut tests) = (0, 0);
    for span in spans(&text) {
        let (path, test) = match span.split_once("::") {
            Some((path, test)) => (path, Some(test)),
            None => (span, None),
        };
        let is_file = [".toml", ".md", ".lock"].iter().any(|end| path.ends_with(end));
        let is_path = (is_file || path.contains('/')) && !path.contains([' ', '<', '{', '…', ':']);
        if test.is_none() && (!is_path || path.starts_with(['/', '~'])) {
            continue;
        }
        let file = root().join(path);
        assert!(file.exists(), "{DOCUMENT} names {path}, which isn't there");
        paths += 1;
        let Some(test) = test else { continue };
        let source = std::fs::read_to_string(&file).expect("readable");
        let is_there = match Path::new(path).extension().is_some_and(|found| found == "rs") {
            true => is_test(&source, test),
            false => source.contains(&format!("test('{test}'")),
        };
        assert!(is_there, "{DOCUMENT}: there is no test {test} in {path}");
        tests += 1;
    }
    assert!(paths > 100 && tests > 50, "it names {paths} places and {tests} tests");
}

/// Whether a function of this name stands below an attribute that makes it a test.
fn is_test(source: &str, name: &str) -> bool {
    let is_it = |line: &str| line.contains(&format!("fn {name}("));
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let mut places = lines.iter().enumerate().filter(|(_, line)| is_it(line));
    places.any(|(at, _)| {
        let mut above = lines[..at].iter().rev().take_while(|line| line.starts_with(['#', '/']));
        above.any(|line| line.starts_with('#') && line.contains("test"))
    })
}

#[test]
fn each_risk_of_language_models_has_code_and_a_test() {
    let text = document();
    for number in 1..=10 {
        let id = format!("LLM{number:02}");
        let rows: Vec<_> = rows(&text).into_iter().filter(|row| row[0].starts_with(&id)).collect();
        assert!(!rows.is_empty(), "{id} has no row");
        for row in rows {
            let [_, state, _, code, tests] = row[..] else { panic!("{id} has not five cells") };
            assert!(STATES.contains(&state), "{id}: {state}");
            assert!(code.contains('`') && tests.contains("::"), "{id} names no code or no test");
        }
    }
}

#[test]
fn each_requirement_is_answered_once() {
    let text = document();
    let mut answered: BTreeMap<(String, u32), u32> = BTreeMap::new();
    for row in rows(&text) {
        let named = requirements(row[0]);
        if named.is_empty() {
            continue;
        }
        let [id, state, what, code, tests] = row[..] else { panic!("{row:?}: not five cells") };
        assert!(STATES.contains(&state), "{id}: {state}");
        assert!(!what.is_empty(), "{id} says nothing");
        let has_proof = code.contains('`') || tests.contains('`');
        assert!(has_proof || !matches!(state, "met" | "partly"), "{id} is {state} nowhere");
        for requirement in named {
            *answered.entry(requirement).or_default() += 1;
        }
    }
    for (section, count) in SECTIONS {
        for number in 1..=*count {
            let times = answered.remove(&((*section).to_owned(), number)).unwrap_or_default();
            assert_eq!(times, 1, "{section}.{number} is answered {times} times");
        }
    }
    assert!(answered.is_empty(), "there are no such requirements: {:?}", answered.keys());
}
