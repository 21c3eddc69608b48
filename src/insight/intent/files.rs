//! The company's list of intents, as `intents/*.toml` says it.
//!
//! ```toml
//! [[intent]]
//! label = "report_fault"
//! description = "The line or the internet is down or slow"
//! examples = ["My internet has been down since this morning"]
//! ```
//!
//! A file may also have `out_of_scope = [...]`: what customers say that is none of the intents.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::model::Example;

/// More are refused: each costs a score a turn.
pub const INTENTS_MAX: usize = 1_000;
/// Of an example, in characters: the model of meaning sees no more.
const TEXT_MAX_CHARS: usize = 1_000;
const LABEL_MAX_CHARS: usize = 80;

/// Something that is wrong in a file: where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntentMistake {
    pub file: String,
    /// From 1; none where the file couldn't be read.
    pub line: Option<usize>,
    /// `intent[2].examples[0]`; empty for the whole file.
    pub field: String,
    pub message: String,
}

impl fmt::Display for IntentMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.field.is_empty() {
            write!(f, ": {}", self.field)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// One intent as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenIntent {
    pub label: String,
    pub description: Option<String>,
    pub examples: Vec<String>,
}

/// The list of a company.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IntentFiles {
    pub intents: Vec<WrittenIntent>,
    pub out_of_scope: Vec<String>,
}

impl IntentFiles {
    /// What a model is trained on: examples, descriptions and the labels themselves as words.
    pub fn examples(&self) -> Vec<Example> {
        let mut examples = Vec::new();
        for intent in &self.intents {
            examples.push(Example::name(&intent.label));
            let about = intent.description.iter();
            examples.extend(about.map(|text| Example::about(text.as_str(), intent.label.as_str())));
            let said = intent.examples.iter();
            examples.extend(said.map(|text| Example::said(text.as_str(), intent.label.as_str())));
        }
        examples.extend(self.out_of_scope.iter().map(Example::out_of_scope));
        examples
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileForm {
    #[serde(default)]
    intent: Vec<IntentForm>,
    #[serde(default)]
    out_of_scope: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IntentForm {
    label: Spanned<String>,
    description: Option<Spanned<String>>,
    examples: Spanned<Vec<Spanned<String>>>,
}

/// Reads all `*.toml` of a folder, in the order of their names.
///
/// # Errors
/// All mistakes of all files.
pub fn read(folder: &Path) -> Result<IntentFiles, Vec<IntentMistake>> {
    let unreadable = |path: &Path, error: &std::io::Error| IntentMistake {
        file: path.display().to_string(),
        line: None,
        field: String::new(),
        message: format!("can't be read: {error}"),
    };
    let entries = std::fs::read_dir(folder).map_err(|error| vec![unreadable(folder, &error)])?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| vec![unreadable(folder, &error)])?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    let (mut texts, mut mistakes) = (Vec::new(), Vec::new());
    for path in paths {
        match std::fs::read_to_string(&path) {
            Ok(text) => texts.push((path.display().to_string(), text)),
            Err(error) => mistakes.push(unreadable(&path, &error)),
        }
    }
    let texts = texts.iter().map(|(file, text)| (file.as_str(), text.as_str()));
    match parse(texts) {
        Ok(files) if mistakes.is_empty() => Ok(files),
        Ok(_) => Err(mistakes),
        Err(more) => {
            mistakes.extend(more);
            Err(mistakes)
        }
    }
}

/// Reads texts of files, each with its name.
///
/// # Errors
/// All mistakes; of a file that isn't of the form, the first.
pub fn parse<'a>(
    files: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<IntentFiles, Vec<IntentMistake>> {
    let mut reading = Reading::default();
    for (file, text) in files {
        reading.file(file, text);
    }
    match reading.mistakes.is_empty() {
        true => Ok(reading.found),
        false => Err(reading.mistakes),
    }
}

#[derive(Default)]
struct Reading {
    found: IntentFiles,
    mistakes: Vec<IntentMistake>,
    /// Where each label was first written.
    labels: BTreeMap<String, String>,
}

/// The file that is being read.
struct Source<'a> {
    file: &'a str,
    text: &'a str,
}

impl Source<'_> {
    fn line(&self, offset: usize) -> usize {
        1 + self.text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count()
    }
}

impl Reading {
    fn file(&mut self, file: &str, text: &str) {
        let source = Source { file, text };
        let form = match form(text) {
            Ok(form) => form,
            Err((offset, field, message)) => {
                let line = offset.map(|offset| source.line(offset));
                self.mistakes.push(IntentMistake { file: file.to_owned(), line, field, message });
                return;
            }
        };
        for (at, intent) in form.intent.into_iter().enumerate() {
            self.intent(&source, &format!("intent[{at}]"), intent);
        }
        let texts = self.texts(&source, "out_of_scope", &form.out_of_scope);
        self.found.out_of_scope.extend(texts);
    }

    fn intent(&mut self, source: &Source<'_>, place: &str, form: IntentForm) {
        let label = form.label.get_ref().trim().to_owned();
        let at = form.label.span().start;
        let field = format!("{place}.label");
        if label.is_empty() || label.chars().count() > LABEL_MAX_CHARS {
            let message = format!("write a name of 1 to {LABEL_MAX_CHARS} characters");
            self.wrong(source, at, field, message);
        } else if let Some(first) = self.labels.get(&label) {
            let message = format!("{label} is also in {first}: put its examples there, or rename");
            self.wrong(source, at, field, message);
        } else {
            let first = format!("{}:{}", source.file, source.line(at));
            self.labels.insert(label.clone(), first);
            if self.labels.len() == INTENTS_MAX + 1 {
                self.wrong(source, at, field, format!("keep to {INTENTS_MAX} intents"));
            }
        }
        if form.examples.get_ref().is_empty() {
            let message = "write at least one sentence that a customer says".to_owned();
            self.wrong(source, form.examples.span().start, format!("{place}.examples"), message);
        }
        let about: Vec<_> = form.description.into_iter().collect();
        let description = self.texts(source, &format!("{place}.description"), &about).pop();
        let examples = self.texts(source, &format!("{place}.examples"), form.examples.get_ref());
        self.found.intents.push(WrittenIntent { label, description, examples });
    }

    fn texts(&mut self, from: &Source<'_>, place: &str, texts: &[Spanned<String>]) -> Vec<String> {
        let mut kept = Vec::new();
        for (at, text) in texts.iter().enumerate() {
            let trimmed = text.get_ref().trim();
            if trimmed.is_empty() || trimmed.chars().count() > TEXT_MAX_CHARS {
                let message = format!("write 1 to {TEXT_MAX_CHARS} characters");
                self.wrong(from, text.span().start, format!("{place}[{at}]"), message);
            }
            kept.push(trimmed.to_owned());
        }
        kept
    }

    fn wrong(&mut self, source: &Source<'_>, offset: usize, field: String, message: String) {
        let (file, line) = (source.file.to_owned(), Some(source.line(offset)));
        self.mistakes.push(IntentMistake { file, line, field, message });
    }
}

/// What the text says, or where it is no such file: offset, field, message.
fn form(text: &str) -> Result<FileForm, (Option<usize>, String, String)> {
    let start = |error: &toml::de::Error| error.span().map(|span| span.start);
    let deserializer = toml::Deserializer::parse(text)
        .map_err(|error| (start(&error), String::new(), error.message().to_owned()))?;
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.inner();
        // What stands behind it is the library's own, not the file's.
        let field = path.split(".$").next().unwrap_or_default().trim_matches('.').to_owned();
        (start(inner), field, inner.message().to_owned())
    })
}
