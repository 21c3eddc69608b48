//! How well recordings are written down: word errors, digits, invented words, speed.
//!
//! A data set is a folder with `manifest.jsonl`, one object a line: `id`, `file` (a path in the
//! folder), `text` (what is said; empty where nobody speaks), and `seconds`, which is not needed.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::english::normalise;
use super::live::quantile;
use super::wer::{digits_of, edits};
use crate::domain::{Classify, ErrorKind};

const MANIFEST: &str = "manifest.jsonl";

/// Why a data set can't be used: the file, the line where there is one, and what is wrong.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct DatasetError {
    pub place: String,
    pub reason: String,
}

impl DatasetError {
    fn new(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { place: place.into(), reason: reason.into() }
    }
}

impl Classify for DatasetError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

/// One recording and what is said in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    pub id: String,
    pub path: PathBuf,
    pub reference: String,
    /// Where it stands, for errors: `folder/manifest.jsonl:3: field "file"`.
    pub place: String,
}

/// What is to be heard.
#[derive(Debug)]
pub struct Dataset {
    pub items: Vec<Item>,
    /// SHA-256 over the manifest and then each recording's SHA-256, in the manifest's order.
    pub sha256: String,
}

impl Dataset {
    /// Reads a folder, or the path of its manifest, and makes sure that every recording is there.
    ///
    /// # Errors
    /// Names the file, the line and the field that are wrong.
    pub fn open(path: &Path) -> Result<Self, DatasetError> {
        let manifest = if path.is_file() { path.to_owned() } else { path.join(MANIFEST) };
        let folder = manifest.parent().unwrap_or(Path::new("")).to_owned();
        let name = manifest.display().to_string();
        let text = std::fs::read_to_string(&manifest)
            .map_err(|error| DatasetError::new(&name, format!("can't be read: {error}")))?;
        let mut hash = Sha256::new();
        hash.update(&text);
        let mut items = Vec::new();
        let mut ids = HashSet::new();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let item = item(&folder, &format!("{name}:{}", number + 1), line)?;
            if !ids.insert(item.id.clone()) {
                let place = format!("{name}:{}: field \"id\"", number + 1);
                return Err(DatasetError::new(place, format!("{:?} was used before", item.id)));
            }
            let bytes = std::fs::read(&item.path).map_err(|error| {
                let reason = format!("{} can't be read: {error}", item.path.display());
                DatasetError::new(&item.place, reason)
            })?;
            hash.update(Sha256::digest(&bytes));
            items.push(item);
        }
        if items.is_empty() {
            return Err(DatasetError::new(name, "holds no recordings"));
        }
        let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { items, sha256 })
    }
}

fn item(folder: &Path, place: &str, line: &str) -> Result<Item, DatasetError> {
    let row: Value = serde_json::from_str(line)
        .map_err(|error| DatasetError::new(place, format!("is no JSON: {error}")))?;
    let field = |name: &str| {
        let place = format!("{place}: field {name:?}");
        match row.get(name) {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(_) => Err(DatasetError::new(place, "must be a string")),
            None => Err(DatasetError::new(place, "is missing")),
        }
    };
    let (id, file, reference) = (field("id")?, field("file")?, field("text")?);
    let named = |name: &str| format!("{place}: field {name:?}");
    for (name, text) in [("id", &id), ("file", &file)] {
        if text.is_empty() {
            return Err(DatasetError::new(named(name), "is empty"));
        }
    }
    Ok(Item { id, path: folder.join(file), reference, place: named("file") })
}

/// One line of the predictions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prediction {
    pub id: String,
    pub reference: String,
    pub hypothesis: String,
    /// Words that were wrong, of how many of the reference, both normalised.
    pub errors: usize,
    pub words: usize,
    pub digit_errors: usize,
    pub digits: usize,
    /// Words where nobody speaks.
    pub invented_words: usize,
    pub audio_seconds: f64,
    /// From the recording in memory to its text.
    pub latency_seconds: f64,
}

impl Prediction {
    /// Compares what was heard with what was said.
    pub fn of(item: &Item, hypothesis: String, audio_seconds: f64, latency_seconds: f64) -> Self {
        let (said, heard) = (normalise(&item.reference), normalise(&hypothesis));
        let said: Vec<&str> = said.split_whitespace().collect();
        let heard: Vec<&str> = heard.split_whitespace().collect();
        let digits = digits_of(&item.reference);
        let digit_errors = match digits.is_empty() {
            true => 0,
            false => edits(digits.as_bytes(), digits_of(&hypothesis).as_bytes()),
        };
        Self {
            id: item.id.clone(),
            reference: item.reference.clone(),
            errors: edits(&said, &heard),
            words: said.len(),
            digit_errors,
            digits: digits.len(),
            invented_words: if said.is_empty() { heard.len() } else { 0 },
            hypothesis,
            audio_seconds,
            latency_seconds,
        }
    }
}

/// The sums over a data set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AsrReport {
    pub items: usize,
    pub errors: usize,
    pub words: usize,
    pub digit_errors: usize,
    pub digits: usize,
    pub invented_words: usize,
    pub audio_seconds: f64,
    latencies_seconds: Vec<f64>,
}

impl AsrReport {
    pub fn of(predictions: &[Prediction]) -> Self {
        let mut report = Self::default();
        for one in predictions {
            report.items += 1;
            report.errors += one.errors;
            report.words += one.words;
            report.digit_errors += one.digit_errors;
            report.digits += one.digits;
            report.invented_words += one.invented_words;
            report.audio_seconds += one.audio_seconds;
            report.latencies_seconds.push(one.latency_seconds);
        }
        report
    }

    /// Word errors per word said; none where nothing was.
    pub fn wer(&self) -> Option<f64> {
        (self.words > 0).then(|| self.errors as f64 / self.words as f64)
    }

    /// 1 less the digits that were missed, invented or mistaken, per digit said.
    pub fn digit_accuracy(&self) -> Option<f64> {
        (self.digits > 0).then(|| 1.0 - self.digit_errors as f64 / self.digits as f64)
    }

    /// The metrics as they are printed. `rtf` is time on the clock per time of audio.
    pub fn to_json(&self, wall_seconds: f64, cpu_seconds: Option<f64>) -> Value {
        let per_audio = |seconds: f64| rounded(seconds / self.audio_seconds.max(1e-9));
        let latency = |q: f64| quantile(&self.latencies_seconds, q).map(rounded);
        json!({
            "items": self.items,
            "wer": self.wer().map(rounded),
            "errors": self.errors,
            "words": self.words,
            "digit_accuracy": self.digit_accuracy().map(rounded),
            "digits": self.digits,
            "invented_words": self.invented_words,
            "audio_seconds": rounded(self.audio_seconds),
            "wall_seconds": rounded(wall_seconds),
            "rtf": per_audio(wall_seconds),
            "cpu_seconds": cpu_seconds.map(rounded),
            "cpu_seconds_per_audio_second": cpu_seconds.map(per_audio),
            "latency_p50_seconds": latency(0.5),
            "latency_p95_seconds": latency(0.95),
        })
    }
}

fn rounded(value: f64) -> f64 {
    (value * 1e5).round() / 1e5
}

/// Seconds that all threads of this process have computed for so far, to a hundredth; none where
/// the system has no `/proc` (proc(5): `utime` and `stime`, the 14th and 15th field, in units that
/// Linux keeps at 1/100 s for programs).
pub fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name in the second field may hold blanks.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_errors_digits_and_inventions() {
        let check = |reference: &str, heard: &str| {
            let item = Item {
                id: "a".into(),
                path: PathBuf::new(),
                reference: reference.into(),
                place: String::new(),
            };
            Prediction::of(&item, heard.into(), 2.0, 0.1)
        };
        let predictions = [
            check("It's the second colour.", "It is the 2nd color"),
            check("four five oh nine", "4 5 0, 8."),
            check("", "Thank you."),
        ];
        let report = AsrReport::of(&predictions);
        // The usual form writes "four five oh nine" as 4509, one word, and "4 5 0 8" as four.
        assert_eq!((report.errors, report.words), (6, 6));
        assert_eq!((report.digit_errors, report.digits, report.invented_words), (1, 4, 2));
        assert_eq!(report.digit_accuracy(), Some(0.75));
        assert_eq!(AsrReport::of(&predictions[2..]).wer(), None);
    }
}
