//! How often honest words are taken for orders to a machine.

use std::path::Path;

use serde::{Deserialize, Serialize};

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

/// Reads conversations (as `eval grounding` does), or articles (`*.jsonl` with `body`, of which each part
/// between headings is a text), and counts the texts in which an order is found.
///
/// # Errors
/// Names the file and line that can't be used.
pub fn false_alarms(path: &Path) -> Result<FalseAlarms, grounding::DatasetError> {
    let file = path.join("articles.jsonl");
    let (texts, sha256): (Vec<String>, String) = match std::fs::read_to_string(&file) {
        Ok(text) => {
            use sha2::Digest as _;
            let hash = sha2::Sha256::digest(text.as_bytes());
            let articles = text.lines().filter_map(|line| serde_json::from_str(line).ok());
            let parts = articles.flat_map(|one: Article| parts(&one.body));
            (parts.collect(), hash.iter().map(|byte| format!("{byte:02x}")).collect())
        }
        Err(_) => {
            let set = grounding::Dataset::open(path)?;
            let (Content::Dialogues(all) | Content::Items(all, _)) = set.content;
            let turns = all.iter().flat_map(|one| &one.material.turns);
            (turns.map(|turn| turn.text.as_str().to_owned()).collect(), set.sha256)
        }
    };
    let mut alarms = FalseAlarms { texts: texts.len(), sha256, ..FalseAlarms::default() };
    let begun = std::time::Instant::now();
    for text in &texts {
        // As if a stranger had said it, whoever did.
        let found = orders::orders(text, Whose::Others);
        alarms.flagged += usize::from(!found.is_empty());
        if let Some(first) = found.into_iter().next().filter(|_| alarms.examples.len() < EXAMPLES) {
            alarms.examples.push(text[first].chars().take(200).collect());
        }
    }
    alarms.seconds = begun.elapsed().as_secs_f64();
    Ok(alarms)
}

fn parts(body: &str) -> Vec<String> {
    body.split("\n#").map(str::to_owned).collect()
}
