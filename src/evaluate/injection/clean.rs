//! How often honest words are taken for orders to a machine.

use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::data::{Dataset, DatasetError, wrong};
use crate::evaluate::grounding::{self, Content};
use crate::insight::orders::{self, Whose};

#[derive(Clone, Debug, Default, Serialize)]
pub struct FalseAlarms {
    /// Turns, passages or messages.
    pub texts: usize,
    pub flagged: usize,
    /// Some of what was taken for an order.
    pub examples: Vec<String>,
    pub seconds: f64,
    #[serde(skip)]
    pub sha256: String,
}

const EXAMPLES: usize = 20;

#[derive(Deserialize)]
struct Article {
    body: String,
}

/// Reads conversations (as `eval grounding` does), articles (`articles.jsonl` with `body`, of which each
/// part between headings is a text) or the honest mails of a set of attacks, and counts the texts in which
/// an order is found.
///
/// # Errors
/// Names the file and line that can't be used.
pub fn false_alarms(path: &Path) -> Result<FalseAlarms, DatasetError> {
    let file = path.join("articles.jsonl");
    if let Ok(text) = std::fs::read_to_string(&file) {
        let mut texts = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let article: Article = serde_json::from_str(line).map_err(|error| {
                wrong(format!("{}:{number}", file.display()), format!("can't be used: {error}"))
            })?;
            texts.extend(article.body.split("\n#").map(str::to_owned));
        }
        let hash = Sha256::digest(text.as_bytes());
        return Ok(counted(&texts, hash.iter().map(|byte| format!("{byte:02x}")).collect()));
    }
    if let Some(set) = Dataset::open(path).ok().filter(|set| !set.mails.is_empty()) {
        return Ok(counted(&set.mails, set.sha256));
    }
    let set = grounding::Dataset::open(path)
        .map_err(|error| wrong(path.display(), format!("can't be used: {error}")))?;
    let (Content::Dialogues(all) | Content::Items(all, _)) = set.content;
    let turns = all.iter().flat_map(|one| &one.material.turns);
    let texts: Vec<String> = turns.map(|turn| turn.text.as_str().to_owned()).collect();
    Ok(counted(&texts, set.sha256))
}

fn counted(texts: &[String], sha256: String) -> FalseAlarms {
    let mut alarms = FalseAlarms { texts: texts.len(), sha256, ..FalseAlarms::default() };
    let begun = std::time::Instant::now();
    for text in texts {
        // As if a stranger had said it, whoever did.
        let found = orders::orders(text, Whose::Others);
        alarms.flagged += usize::from(!found.is_empty());
        if let Some(first) = found.into_iter().next().filter(|_| alarms.examples.len() < EXAMPLES) {
            alarms.examples.push(text[first].chars().take(200).collect());
        }
    }
    alarms.seconds = begun.elapsed().as_secs_f64();
    alarms
}
