//! Conversations with summaries, and sentences with a known truth, in the forms in which they lie around.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::domain::{
    ArticleId, Citation, Classify, ErrorKind, Party, PartyId, PassageId, Redacted, Role, Turn,
    TurnId,
};
use crate::insight::redaction;
use crate::models::Material;

/// A data set that can't be used: which line and field, and why.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place} {reason}")]
pub struct DatasetError {
    pub place: String,
    pub reason: String,
}

impl Classify for DatasetError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

/// A conversation with what people wrote about it.
#[derive(Clone, Debug)]
pub struct Dialogue {
    pub id: String,
    pub material: Material,
    /// Sentences of summaries.
    pub abstracts: Vec<String>,
}

/// A sentence whose truth is known.
#[derive(Clone, Debug)]
pub struct Item {
    pub id: String,
    /// The index of its conversation.
    pub dialogue: usize,
    pub sentence: String,
    pub cites: Vec<String>,
    pub supported: bool,
    /// What was altered, or what makes a supported one hard.
    pub kind: String,
}

#[derive(Debug)]
pub enum Content {
    /// Sentences are made from these.
    Dialogues(Vec<Dialogue>),
    /// Sentences written by hand.
    Items(Vec<Dialogue>, Vec<Item>),
}

#[derive(Debug)]
pub struct Dataset {
    pub content: Content,
    /// SHA-256 over the files in the order of their names.
    pub sha256: String,
}

impl Dataset {
    /// Reads a folder's `*.jsonl`, or one such file.
    ///
    /// # Errors
    /// Names the file, line and field that are wrong.
    pub fn open(path: &Path) -> Result<Self, DatasetError> {
        let mut hash = Sha256::new();
        let (mut dialogues, mut items) = (Vec::new(), Vec::new());
        for file in files(path)? {
            let name = file.display().to_string();
            let text = std::fs::read_to_string(&file)
                .map_err(|error| wrong(&name, format!("can't be read: {error}")))?;
            hash.update(&text);
            for (index, line) in
                text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty())
            {
                let place = format!("{name}:{}", index + 1);
                let row: Row = serde_json::from_str(line)
                    .map_err(|error| wrong(&place, format!("can't be used: {error}")))?;
                row.read(&place, index, &mut dialogues, &mut items)?;
            }
        }
        if dialogues.is_empty() {
            return Err(wrong(path.display(), "holds no conversations"));
        }
        let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let content = match items.is_empty() {
            true => Content::Dialogues(dialogues),
            false => Content::Items(dialogues, items),
        };
        Ok(Self { content, sha256 })
    }
}

fn wrong(place: impl std::fmt::Display, reason: impl Into<String>) -> DatasetError {
    DatasetError { place: place.to_string(), reason: reason.into() }
}

fn files(path: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path)
        .map_err(|error| wrong(path.display(), format!("can't be read: {error}")))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension().is_some_and(|found| found == "jsonl"));
    files.sort();
    match files.is_empty() {
        true => Err(wrong(path.display(), "holds no *.jsonl")),
        false => Ok(files),
    }
}

/// A line in any of the forms.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Row {
    id: Option<String>,
    fname: Option<String>,
    turns: Option<Vec<TurnRow>>,
    passages: Vec<PassageRow>,
    summaries: Vec<String>,
    summary_parts: Vec<Vec<Option<String>>>,
    dialogue: Option<String>,
    summary: Option<String>,
    meeting_transcripts: Option<Vec<SpokenRow>>,
    sentence: Option<String>,
    cites: Vec<String>,
    label: Option<String>,
    kind: Option<String>,
}

#[derive(Deserialize)]
struct TurnRow {
    id: Option<String>,
    role: String,
    text: String,
}

#[derive(Deserialize)]
struct PassageRow {
    id: String,
    text: String,
}

#[derive(Deserialize)]
struct SpokenRow {
    speaker: String,
    content: String,
}

impl Row {
    fn read(
        self,
        place: &str,
        index: usize,
        dialogues: &mut Vec<Dialogue>,
        items: &mut Vec<Item>,
    ) -> Result<(), DatasetError> {
        let field = |name: &str, reason: &str| wrong(format!("{place}: field {name:?}"), reason);
        let id = self.id.or(self.fname).unwrap_or_else(|| format!("line-{}", index + 1));
        let turns: Vec<Turn> = if let Some(rows) = self.turns {
            let turns = rows.into_iter().enumerate().map(|(at, row)| {
                let role = Role::parse(&row.role).ok_or_else(|| field("role", "is no role"))?;
                Ok(turn(row.id.unwrap_or_else(|| format!("t-{}", at + 1)), role, None, &row.text))
            });
            turns.collect::<Result<_, DatasetError>>()?
        } else if let Some(rows) = self.meeting_transcripts {
            let spoken = rows.into_iter().enumerate();
            spoken
                .map(|(at, row)| {
                    let text = without_noise(&row.content);
                    turn(format!("t-{}", at + 1), Role::Mixed, Some(&row.speaker), &text)
                })
                .filter(|turn| turn.text.as_str().contains(char::is_alphabetic))
                .collect()
        } else if let Some(lines) = &self.dialogue {
            let spoken = lines.lines().enumerate().filter_map(|(at, line)| {
                let (speaker, text) = line.split_once(':')?;
                let speaker = speaker.trim().trim_matches('#');
                // "I ' m" is how this form comes.
                let text = text.trim().replace(" ' ", "'").replace(" ’ ", "'");
                Some(turn(format!("t-{}", at + 1), Role::Mixed, Some(speaker), &text))
            });
            spoken.collect()
        } else {
            return Err(wrong(place, "has none of turns, dialogue, meeting_transcripts"));
        };
        let parts = self.summary_parts.into_iter().flatten().flatten();
        let abstracts = match self.summary {
            Some(summary) => vec![summary],
            None => parts.chain(self.summaries).collect(),
        };
        let passages = self.passages.into_iter().map(passage).collect();
        let dialogue =
            Dialogue { id: id.clone(), material: Material { turns, passages }, abstracts };
        if let Some(sentence) = self.sentence {
            let supported = match self.label.as_deref() {
                Some("supported") => true,
                Some("altered") => false,
                Some(_) => return Err(field("label", "must be supported or altered")),
                None => return Err(field("label", "is missing")),
            };
            items.push(Item {
                id,
                dialogue: dialogues.len(),
                sentence,
                cites: self.cites,
                supported,
                kind: self.kind.unwrap_or_else(|| "unnamed".into()),
            });
        }
        dialogues.push(dialogue);
        Ok(())
    }
}

fn turn(id: String, role: Role, name: Option<&str>, text: &str) -> Turn {
    let party = Party {
        id: PartyId::from(name.unwrap_or(role.as_str())),
        role,
        name: name.map(str::to_owned),
    };
    Turn {
        id: TurnId::from(id),
        party,
        start_ms: 0,
        end_ms: 0,
        text: redaction::typed(text),
        display_text: None,
        words: Vec::new(),
        mean_logprob: None,
        language: "en".into(),
    }
}

fn passage(row: PassageRow) -> Citation {
    let article = row.id.split('#').next().unwrap_or_default();
    Citation {
        article_id: ArticleId::from(article),
        passage_id: PassageId::from(row.id.as_str()),
        revision: 1,
        start_chars: 0,
        end_chars: row.text.chars().count(),
        quote: row.text,
    }
}

/// Meetings are written with marks for noises, and a space before each full stop.
fn without_noise(text: &str) -> String {
    let mut out = String::new();
    let mut depth = 0_usize;
    for word in text.split_whitespace() {
        let (opens, closes) = (word.matches('{').count(), word.matches('}').count());
        if depth + opens > 0 {
            depth = (depth + opens).saturating_sub(closes);
            continue;
        }
        let glued = word.chars().all(|c| matches!(c, '.' | ',' | '?' | '!' | ';' | ':'));
        if !glued && !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// The text as a provider's output is taken over.
pub fn written(text: &str) -> Redacted {
    redaction::typed(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Dataset, DatasetError> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.jsonl");
        std::fs::write(&file, line).expect("written");
        Dataset::open(&file).map_err(|error| DatasetError {
            place: error.place.replace(&file.display().to_string(), "a.jsonl"),
            ..error
        })
    }

    #[test]
    fn each_form_is_read() {
        let forms = [
            r#"{"id":"a","turns":[{"role":"agent","text":"Hello there."}],"summaries":["Short."]}"#,
            r##"{"fname":"a","dialogue":"#Person1#: Hello there.\n#Person2#: Hi.","summary":"S."}"##,
            r#"{"meeting_transcripts":[{"speaker":"Marketing","content":"Hello {vocalsound} there ."}]}"#,
        ];
        for form in forms {
            let Content::Dialogues(dialogues) = read(form).expect(form).content else {
                panic!("{form}")
            };
            assert_eq!(dialogues[0].material.turns[0].text.as_str(), "Hello there.", "{form}");
        }
        let item = r#"{"turns":[],"sentence":"S.","label":"altered"}"#;
        assert!(
            matches!(read(item).expect(item).content, Content::Items(_, items) if items.len() == 1)
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        let cases = [
            ("{", "a.jsonl:1 can't be used"),
            ("{\"id\":\"a\"}", "a.jsonl:1 has none of turns"),
            (r#"{"turns":[{"role":"x","text":""}]}"#, "a.jsonl:1: field \"role\" is no role"),
            (r#"{"turns":[],"sentence":"S."}"#, "a.jsonl:1: field \"label\" is missing"),
            ("", "a.jsonl holds no conversations"),
        ];
        for (line, wanted) in cases {
            let error = read(line).expect_err(line).to_string();
            assert!(error.starts_with(wanted), "{error}");
        }
    }
}
