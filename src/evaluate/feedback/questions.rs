//! Questions that a made-up log hears, and the same matters in other words.

use std::collections::BTreeSet;
use std::path::Path;

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::domain::{Article, ArticleId};
use crate::evaluate::calibrate::is_for_fitting;
use crate::evaluate::dataset::{Dataset, EvaluationError, hex, read, rows};
use crate::knowledge::queries::LabelledQuery;
use crate::knowledge::{Library, LibrarySettings, Source, passages_of};

/// Questions of intents on each side: each is asked four times a run.
const OF_INTENTS: usize = 500;

/// Which questions of a knowledge folder are heard, and which are asked in other words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// Both are of those that weights were fitted on, cut in two by the seed: for choosing constants.
    Development,
    /// Those that weights were fitted on are heard; the others never were.
    Test,
}

/// A knowledge base and its questions.
pub struct Questions {
    pub library: Library,
    queries: Vec<LabelledQuery>,
    /// So many at the front are for the log, where the data set says that.
    for_log: Option<usize>,
    /// SHA-256 over articles and questions.
    pub sha256: String,
}

#[derive(Deserialize)]
struct IntentRow {
    text: String,
    intent: String,
    split: String,
}

impl Questions {
    /// Reads a folder of articles with `queries.toml`, or one with `intents.jsonl`: then each intent is
    /// an article that says no more than its name, and `split` tells which questions are for the log.
    ///
    /// # Errors
    /// Names the file and the line that are wrong.
    pub fn open(
        path: &Path,
        settings: impl Fn(Source) -> LibrarySettings,
    ) -> Result<Self, EvaluationError> {
        let file = path.join("intents.jsonl");
        if !file.is_file() {
            let Dataset { library, queries, sha256, .. } = Dataset::open(path, settings)?;
            return Ok(Self { library, queries, for_log: None, sha256 });
        }
        let text = read(&file)?;
        let rows: Vec<IntentRow> = rows(&file, &text)?;
        let known: BTreeSet<&str> = rows.iter().map(|row| row.intent.as_str()).collect();
        let articles = known.iter().map(|intent| named(intent)).collect();
        let library = Library::of_with(articles, &settings(Source::Folder(path.to_owned())))?;
        let (train, rest): (Vec<&IntentRow>, Vec<&IntentRow>) =
            rows.iter().partition(|row| row.split == "train");
        let of = |row: &&IntentRow| LabelledQuery {
            text: row.text.clone(),
            articles: BTreeSet::from([ArticleId::from(row.intent.as_str())]),
        };
        let queries = train.iter().chain(&rest).map(of).collect();
        let sha256 = hex(&Sha256::digest(&text));
        Ok(Self { library, queries, for_log: Some(train.len()), sha256 })
    }

    /// The questions that the log hears, and those in other words.
    pub fn halves(&self, half: Half, seed: u64) -> [Vec<&LabelledQuery>; 2] {
        let mut random = StdRng::seed_from_u64(seed);
        if let Some(for_log) = self.for_log {
            let (train, rest) = self.queries.split_at(for_log);
            let [mut heard, mut other] = [train, rest].map(|some| some.iter().collect::<Vec<_>>());
            heard.shuffle(&mut random);
            other.shuffle(&mut random);
            if half == Half::Development {
                other = heard.split_off(heard.len() / 2);
            }
            heard.truncate(OF_INTENTS);
            other.truncate(OF_INTENTS);
            return [heard, other];
        }
        let (mut heard, other): (Vec<_>, Vec<_>) =
            self.queries.iter().partition(|query| is_for_fitting(&query.text));
        if half == Half::Test {
            return [heard, other];
        }
        heard.shuffle(&mut random);
        let other = heard.split_off(heard.len() / 2);
        [heard, other]
    }
}

/// "card_arrival" → an article of that name, which is all that it says.
fn named(intent: &str) -> Article {
    let title = intent.replace('_', " ");
    let body = format!("## {title}\n\n{title}.\n");
    let id = ArticleId::from(intent);
    let passages = passages_of(&id, &title, &body);
    Article::published(id, title, body, passages)
}
