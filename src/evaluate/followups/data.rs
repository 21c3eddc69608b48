//! Conversations with what is promised in them.

use std::path::{Path, PathBuf};

use jiff::Zoned;
use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::{FollowUpKind, Party, Role, Turn};
use crate::evaluate::dataset::EvaluationError;
use crate::insight::redaction;

/// Turns of a written case come so far apart.
const TURN_MS: u64 = 6_000;

#[derive(Debug)]
pub struct Dataset {
    pub cases: Vec<Case>,
    /// Over all files, calls included.
    pub sha256: String,
}

/// Which cases are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Half {
    /// Looked at while the finder was built: the SHA-256 of the identifier begins with an even byte.
    Dev,
    /// The others.
    Test,
}

/// A conversation with the follow-ups that a reader finds in it.
#[derive(Debug)]
pub struct Case {
    pub id: String,
    pub began: Zoned,
    pub turns: Vec<Turn>,
    pub expected: Vec<Expected>,
}

/// A follow-up that should be found.
#[derive(Clone, Debug)]
pub struct Expected {
    /// Where it may be quoted from, from 1.
    pub turns: Vec<usize>,
    pub by: Role,
    /// Each of them is right.
    pub kinds: Vec<FollowUpKind>,
    pub date: Option<Date>,
    pub time: Option<Time>,
    pub until: Option<Time>,
    pub is_limit: bool,
    /// Right to find and no miss.
    pub is_optional: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    #[serde(default = "english")]
    language: String,
    /// `2026-03-02T10:00[Europe/London]`
    began: Zoned,
    /// Lines of `role: words`.
    turns: Option<String>,
    /// Instead of turns: the reference of a recorded call, or a call as in `tests/scenarios`, from this file on.
    call: Option<PathBuf>,
    #[serde(default)]
    expect: Vec<Expectation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expectation {
    turn: OneOrMore<usize>,
    by: String,
    kind: OneOrMore<String>,
    date: Option<Date>,
    time: Option<String>,
    until: Option<String>,
    #[serde(default)]
    limit: bool,
    #[serde(default)]
    optional: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore<T> {
    One(T),
    More(Vec<T>),
}

impl<T> OneOrMore<T> {
    fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one],
            Self::More(more) => more,
        }
    }
}

#[derive(Deserialize)]
struct Reference {
    turns: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    speaker: String,
    start_ms: u64,
    end_ms: u64,
    text: String,
}

fn english() -> String {
    "en".to_owned()
}

impl Case {
    pub fn half(&self) -> Half {
        if Sha256::digest(&self.id)[0].is_multiple_of(2) { Half::Dev } else { Half::Test }
    }
}

impl Dataset {
    /// Reads all `*.toml` of a folder, or one file.
    ///
    /// # Errors
    /// Names the file, and the case in it that is wrong.
    pub fn open(path: &Path) -> Result<Self, EvaluationError> {
        let fail = |place: &Path, reason: String| EvaluationError::Read {
            path: place.display().to_string(),
            reason,
        };
        let mut files = vec![path.to_owned()];
        if path.is_dir() {
            let entries = std::fs::read_dir(path).map_err(|error| fail(path, error.to_string()))?;
            files = entries.flatten().map(|entry| entry.path()).collect();
            files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
            files.sort();
        }
        let mut hash = Sha256::new();
        let mut cases: Vec<Case> = Vec::new();
        for file in &files {
            let read = |path: &Path| {
                std::fs::read_to_string(path).map_err(|error| fail(path, error.to_string()))
            };
            let text = read(file)?;
            hash.update(&text);
            let rows: File =
                toml::from_str(&text).map_err(|error| fail(file, error.to_string()))?;
            for row in rows.case {
                let id = row.id.clone();
                let wrong = |reason: String| fail(file, format!("case {id}: {reason}"));
                if cases.iter().any(|case| case.id == id) {
                    return Err(wrong("there is another case with this id".to_owned()));
                }
                let turns = match (&row.call, &row.turns) {
                    (Some(call), None) => {
                        let call = file.parent().unwrap_or(Path::new(".")).join(call);
                        let text = read(&call)?;
                        hash.update(&text);
                        match call.extension().is_some_and(|extension| extension == "call") {
                            true => called(&text, &row.language),
                            false => recorded(&text, &row.language),
                        }
                    }
                    (None, Some(lines)) => written(lines, &row.language),
                    _ => Err("has to have either turns or call".to_owned()),
                };
                let turns = turns.map_err(&wrong)?;
                let expected = row.expect.into_iter().map(|one| expected(one, turns.len()));
                let expected = expected.collect::<Result<_, _>>().map_err(&wrong)?;
                cases.push(Case { id, began: row.began, turns, expected });
            }
        }
        let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { cases, sha256 })
    }
}

fn turn(
    number: usize,
    role: &str,
    times_ms: (u64, u64),
    text: &str,
    language: &str,
) -> Result<Turn, String> {
    let role = Role::parse(role).ok_or_else(|| format!("turn {number}: {role} is no role"))?;
    Ok(Turn {
        id: format!("t-{number}").into(),
        party: Party { id: role.as_str().into(), role, name: None },
        start_ms: times_ms.0,
        end_ms: times_ms.1,
        text: redaction::typed(text),
        display_text: None,
        words: Vec::new(),
        mean_logprob: None,
        language: language.to_owned(),
    })
}

fn recorded(text: &str, language: &str) -> Result<Vec<Turn>, String> {
    let reference: Reference = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let lines = reference.turns.iter().enumerate();
    lines
        .map(|(at, line)| {
            turn(at + 1, &line.speaker, (line.start_ms, line.end_ms), &line.text, language)
        })
        .collect()
}

/// The form of `tests/scenarios`: `01:35.6 agent: words`, with lines of expectations between.
fn called(text: &str, language: &str) -> Result<Vec<Turn>, String> {
    let is_turn = |line: &&str| line.starts_with(|c: char| c.is_ascii_digit());
    let words = text.lines().filter(is_turn).filter_map(|line| line.split_once(' '));
    let lines: Vec<&str> = words.map(|(_, words)| words).collect();
    written(&lines.join("\n"), language)
}

fn written(lines: &str, language: &str) -> Result<Vec<Turn>, String> {
    let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty()).enumerate();
    lines
        .map(|(at, line)| {
            let wrong = || format!("turn {}: is no line of role: words", at + 1);
            let (role, text) = line.split_once(": ").ok_or_else(wrong)?;
            let at_ms = at as u64 * TURN_MS;
            turn(at + 1, role, (at_ms, at_ms + TURN_MS), text, language)
        })
        .collect()
}

fn expected(one: Expectation, turns: usize) -> Result<Expected, String> {
    let time = |text: Option<String>| {
        let parse = |text: String| text.parse::<Time>().map_err(|error| format!("{text}: {error}"));
        text.map(parse).transpose()
    };
    let role = Role::parse(&one.by).ok_or_else(|| format!("by: {} is no role", one.by))?;
    let kind = |kind: String| {
        FollowUpKind::parse(&kind)
            .ok_or_else(|| format!("kind: {kind} is none of task, callback, meeting"))
    };
    let quoted = one.turn.into_vec();
    if let Some(turn) = quoted.iter().find(|turn| !(1..=turns).contains(*turn)) {
        return Err(format!("turn: there is no turn {turn}"));
    }
    Ok(Expected {
        turns: quoted,
        by: role,
        kinds: one.kind.into_vec().into_iter().map(kind).collect::<Result<_, _>>()?,
        date: one.date,
        time: time(one.time)?,
        until: time(one.until)?,
        is_limit: one.limit,
        is_optional: one.optional,
    })
}
