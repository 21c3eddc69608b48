//! Conversations with summaries that people wrote, in the three forms in which they are published.
//!
//! A line of JSON each: TweetSumm (`turns` with `role` and `text`, `summaries`), DialogSum
//! (`dialogue` with `#Person1#:` before each line, `summary` or `summary1` …), QMSum
//! (`meeting_transcripts` with `speaker` and `content`, `general_query_list` with `answer`).

use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::domain::{Classify, ErrorKind, Party, Role, Turn};
use crate::insight::redaction;

/// Why a data set can't be used: the file, the line, and what is wrong.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct DatasetError {
    pub place: String,
    pub reason: String,
}

impl Classify for DatasetError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

/// A conversation and its summaries.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    pub id: String,
    pub turns: Vec<Turn>,
    /// Never empty.
    pub references: Vec<String>,
}

#[derive(Debug)]
pub struct Dataset {
    pub items: Vec<Item>,
    /// Of the files' bytes, in the order of their names.
    pub sha256: String,
}

impl Dataset {
    /// Reads a file, or all `.jsonl` files of a folder.
    ///
    /// # Errors
    /// Names the file, the line and the field that are wrong.
    pub fn open(path: &Path) -> Result<Self, DatasetError> {
        let mut hash = Sha256::new();
        let mut items = Vec::new();
        for file in files(path)? {
            let name = file.display().to_string();
            let text = std::fs::read_to_string(&file).map_err(|error| DatasetError {
                place: name.clone(),
                reason: format!("can't be read: {error}"),
            })?;
            hash.update(&text);
            let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
            for (number, line) in lines {
                let id = format!("{}", items.len() + 1);
                let item = item(line, id).map_err(|reason| DatasetError {
                    place: format!("{name}:{}", number + 1),
                    reason,
                })?;
                items.push(item);
            }
        }
        if items.is_empty() {
            let reason = "holds no conversations with summaries".to_owned();
            return Err(DatasetError { place: path.display().to_string(), reason });
        }
        let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { items, sha256 })
    }
}

fn files(path: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let wrong = |error: std::io::Error| DatasetError {
        place: path.display().to_string(),
        reason: format!("can't be read: {error}"),
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(wrong)? {
        let file = entry.map_err(wrong)?.path();
        if file.extension().is_some_and(|extension| extension == "jsonl") {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn item(line: &str, number: String) -> Result<Item, String> {
    let value: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let id = ["id", "fname"].iter().find_map(|field| value[*field].as_str());
    let id = id.map_or(number, str::to_owned);
    let said = if value["turns"].is_array() {
        of_turns(&value)?
    } else if let Some(dialogue) = value["dialogue"].as_str() {
        of_dialogue(dialogue)
    } else if value["meeting_transcripts"].is_array() {
        of_meeting(&value)?
    } else {
        return Err("has neither turns, nor dialogue, nor meeting_transcripts".to_owned());
    };
    let references = references(&value);
    if references.is_empty() {
        return Err("has no summary: summaries, summary or general_query_list".to_owned());
    }
    let turns = said.into_iter().enumerate().map(|(at, (role, text))| turn(at, role, &text));
    Ok(Item { id, turns: turns.collect(), references })
}

fn of_turns(value: &Value) -> Result<Vec<(Role, String)>, String> {
    let turns = value["turns"].as_array().into_iter().flatten().enumerate();
    turns
        .map(|(at, turn)| {
            let role = turn["role"].as_str().and_then(Role::parse);
            let role = role.ok_or_else(|| format!("field \"turns[{at}].role\" is no role"))?;
            let text = turn["text"].as_str();
            let text = text.ok_or_else(|| format!("field \"turns[{at}].text\" is missing"))?;
            Ok((role, text.to_owned()))
        })
        .collect()
}

/// Whoever speaks first comes with something: in everyday talk nobody is the agent.
fn of_dialogue(dialogue: &str) -> Vec<(Role, String)> {
    let mut first = None;
    dialogue
        .lines()
        .map(|line| {
            let (speaker, text) = line.split_once(": ").unwrap_or(("", line));
            let first = *first.get_or_insert(speaker);
            let role = if speaker == first { Role::Customer } else { Role::Agent };
            (role, text.to_owned())
        })
        .collect()
}

fn of_meeting(value: &Value) -> Result<Vec<(Role, String)>, String> {
    let turns = value["meeting_transcripts"].as_array().into_iter().flatten().enumerate();
    turns
        .map(|(at, turn)| {
            let text = turn["content"]
                .as_str()
                .ok_or_else(|| format!("field \"meeting_transcripts[{at}].content\" is missing"))?;
            Ok((Role::Mixed, text.to_owned()))
        })
        .collect()
}

fn references(value: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let several = value["summaries"].as_array().into_iter().flatten().filter_map(text);
    let named = ["summary", "summary1", "summary2", "summary3"];
    let named = named.iter().filter_map(|field| text(&value[*field]));
    let asked = value["general_query_list"].as_array().into_iter().flatten();
    let whole = asked.take(1).filter_map(|query| text(&query["answer"]));
    several.chain(named).chain(whole).filter(|text| !text.trim().is_empty()).collect()
}

fn turn(at: usize, role: Role, text: &str) -> Turn {
    let at_ms = at as u64 * 5_000;
    Turn {
        id: format!("t-{}", at + 1).into(),
        party: Party { id: role.as_str().into(), role, name: None },
        start_ms: at_ms,
        end_ms: at_ms,
        text: redaction::typed(text),
        display_text: None,
        words: Vec::new(),
        mean_logprob: None,
        language: "en".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_forms_are_read() {
        let read = |line: &str| item(line, "7".into());
        let tweets = read(
            r#"{"id":"a","turns":[{"role":"customer","text":"It's broken"},{"role":"agent","text":"Oh"}],"summaries":["x","y"]}"#,
        )
        .expect("reads");
        assert_eq!((tweets.id.as_str(), tweets.turns.len(), tweets.references.len()), ("a", 2, 2));
        let talk = read("{\"dialogue\":\"#Person1#: Hi\\n#Person2#: Yes: no\\n#Person1#: So\",\"summary1\":\"x\",\"summary2\":\"y\"}")
            .expect("reads");
        let roles: Vec<_> = talk.turns.iter().map(|turn| turn.party.role).collect();
        assert_eq!(roles, [Role::Customer, Role::Agent, Role::Customer]);
        assert_eq!(talk.turns[1].text.as_str(), "Yes: no");
        let meeting = read(
            r#"{"meeting_transcripts":[{"speaker":"A","content":"Well"}],"general_query_list":[{"query":"q","answer":"x"},{"answer":"y"}]}"#,
        )
        .expect("reads");
        assert_eq!((meeting.id.as_str(), meeting.references), ("7", vec!["x".to_owned()]));
        for wrong in [
            "",
            "{}",
            r#"{"turns":[{"role":"parrot","text":"x"}],"summaries":["x"]}"#,
            r#"{"dialogue":"a"}"#,
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
