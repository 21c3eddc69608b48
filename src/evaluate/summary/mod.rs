//! How near extractive summaries come to people's, and whether every sentence of them stands.

mod dataset;
mod porter;
mod rouge;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;
use serde_json::{Value, json};

pub use self::dataset::{Dataset, DatasetError, Item};
pub use self::rouge::{Rouge, rouge, tokens};

use crate::domain::{Proof, ProvenSentence, Turn, number_of};
use crate::flow::wrapup::{Circumstances, Language, Reading, Refusal, paragraph_text};
use crate::models::Material;

/// Which reference counts where there are several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum References {
    /// For each figure the one that comes nearest.
    #[default]
    Best,
    /// The mean over all.
    Mean,
}

/// Tells whether a sentence is borne out by the turns.
pub type Check<'a> = &'a (dyn Fn(&ProvenSentence, &[Turn]) -> bool + Sync);

/// What became of one conversation.
#[derive(Clone, Debug, Serialize)]
pub struct Prediction {
    pub id: String,
    pub summary: String,
    pub refused: Option<String>,
    pub rouge1: f64,
    pub rouge2: f64,
    #[serde(rename = "rougeL")]
    pub rouge_l: f64,
    /// The same without the names of the roles before the sentences.
    pub bare: [f64; 3],
    pub words: usize,
    pub sentences: usize,
    pub unsupported: usize,
    /// Numbers and names of the summary, and how many of them were said.
    pub details: usize,
    pub details_right: usize,
    /// Those of the references that were said, and how many of them the summary has.
    pub wanted: usize,
    pub wanted_found: usize,
    #[serde(skip)]
    pub took: Duration,
}

/// Writes and measures the paragraph of one conversation.
pub fn predict(item: &Item, references: References, check: Check) -> Prediction {
    let begun = Instant::now();
    let written = write(&item.turns);
    let took = begun.elapsed();
    let (sentences, text, refused) = match written {
        Ok((sentences, text)) => (sentences, text, None),
        Err(refusal) => (Vec::new(), String::new(), Some(refusal.to_string())),
    };
    let said: HashSet<String> =
        item.turns.iter().flat_map(|turn| all_words(turn.text.as_str())).collect();
    let own: HashSet<String> = details(&sentences_alone(&sentences)).into_iter().collect();
    let wanted: HashSet<String> = item
        .references
        .iter()
        .flat_map(|text| details(text))
        .filter(|one| said.contains(one))
        .collect();
    let whole = compare(&text, item, references);
    let bare = compare(&sentences_alone(&sentences), item, references);
    Prediction {
        id: item.id.clone(),
        refused,
        rouge1: whole.rouge1,
        rouge2: whole.rouge2,
        rouge_l: whole.rouge_l,
        bare: [bare.rouge1, bare.rouge2, bare.rouge_l],
        words: text.split_whitespace().count(),
        summary: text,
        sentences: sentences.len(),
        unsupported: sentences.iter().filter(|sentence| !check(sentence, &item.turns)).count(),
        details: own.len(),
        details_right: own.intersection(&said).count(),
        wanted: wanted.len(),
        wanted_found: wanted.intersection(&own).count(),
        took,
    }
}

/// The paragraph and how it reads.
fn write(turns: &[Turn]) -> Result<(Vec<ProvenSentence>, String), Refusal> {
    let material = Material { turns: turns.to_vec(), passages: Vec::new() };
    let began = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
    let circumstances = Circumstances::new(began, Vec::new());
    let summary = Reading::of(&material, &circumstances)?.summary(&[]);
    let text = paragraph_text(&summary.paragraph, Language::English);
    Ok((summary.paragraph, text.as_str().to_owned()))
}

fn sentences_alone(sentences: &[ProvenSentence]) -> String {
    sentences.iter().map(|one| one.text.as_str()).collect::<Vec<_>>().join(" ")
}

fn compare(text: &str, item: &Item, references: References) -> Rouge {
    let text = tokens(text);
    let each: Vec<Rouge> =
        item.references.iter().map(|reference| rouge(&text, &tokens(reference))).collect();
    let of = |figure: &dyn Fn(&Rouge) -> f64| match references {
        References::Best => each.iter().map(figure).fold(0.0, f64::max),
        References::Mean => each.iter().map(figure).sum::<f64>() / each.len().max(1) as f64,
    };
    Rouge {
        rouge1: of(&|one| one.rouge1),
        rouge2: of(&|one| one.rouge2),
        rouge_l: of(&|one| one.rouge_l),
    }
}

/// Every word in the form in which details are compared.
fn all_words(text: &str) -> Vec<String> {
    let core = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let word = |word| {
        let lower = core(word);
        number_of(&lower).map_or(lower, |number| number.to_string())
    };
    text.split_whitespace().map(word).collect()
}

/// Numbers, codes, and words that begin with a capital inside a sentence, in lower case.
fn details(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut begins = true;
    for word in text.split_whitespace() {
        let core = word.trim_matches(|c: char| !c.is_alphanumeric());
        let has_digit = core.contains(|c: char| c.is_ascii_digit());
        let is_name = !begins
            && core.len() > 1
            && core.starts_with(char::is_uppercase)
            && !core.starts_with("I'")
            && !core.starts_with("I’");
        let lower = core.to_lowercase();
        if has_digit || is_name {
            found.push(lower);
        } else if let Some(number) = number_of(&lower) {
            found.push(number.to_string());
        }
        begins = word.ends_with(['.', '!', '?', ':']);
    }
    found
}

/// What bears out an extractive sentence: its words stand in the turns that it cites, where it
/// says, and are all it says.
pub fn stands_word_for_word(sentence: &ProvenSentence, turns: &[Turn]) -> bool {
    let stands = |proof: &Proof| match proof {
        Proof::Turn(citation) => turns.iter().any(|turn| {
            let slice = turn.text.as_str().chars().skip(citation.start_chars);
            let length = citation.end_chars.saturating_sub(citation.start_chars);
            turn.id == citation.turn_id
                && turn.party.role == citation.role
                && slice.take(length).eq(citation.quote.as_str().chars())
                && citation.quote == sentence.text
        }),
        Proof::Passage(_) => false,
    };
    !sentence.proofs.is_empty() && sentence.proofs.iter().all(stands)
}

/// Means over all conversations; one that was refused counts as an empty summary.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SummaryReport {
    pub items: usize,
    pub refused: usize,
    pub rouge: Rouge,
    pub bare: Rouge,
    pub words: f64,
    pub unsupported_rate: f64,
    pub details_right: Option<f64>,
    pub wanted_found: Option<f64>,
    pub seconds: f64,
}

impl SummaryReport {
    pub fn of(predictions: &[Prediction]) -> Self {
        let items = predictions.len();
        let mean = |value: &dyn Fn(&Prediction) -> f64| {
            predictions.iter().map(value).sum::<f64>() / items.max(1) as f64
        };
        let sum =
            |value: &dyn Fn(&Prediction) -> usize| predictions.iter().map(value).sum::<usize>();
        let share = |part: usize, all: usize| (all > 0).then(|| part as f64 / all as f64);
        Self {
            items,
            refused: predictions.iter().filter(|one| one.refused.is_some()).count(),
            rouge: Rouge {
                rouge1: mean(&|one| one.rouge1),
                rouge2: mean(&|one| one.rouge2),
                rouge_l: mean(&|one| one.rouge_l),
            },
            bare: Rouge {
                rouge1: mean(&|one| one.bare[0]),
                rouge2: mean(&|one| one.bare[1]),
                rouge_l: mean(&|one| one.bare[2]),
            },
            words: mean(&|one| one.words as f64),
            unsupported_rate: share(sum(&|one| one.unsupported), sum(&|one| one.sentences))
                .unwrap_or(0.0),
            details_right: share(sum(&|one| one.details_right), sum(&|one| one.details)),
            wanted_found: share(sum(&|one| one.wanted_found), sum(&|one| one.wanted)),
            seconds: predictions.iter().map(|one| one.took.as_secs_f64()).sum(),
        }
    }

    pub fn conversations_per_second(&self) -> f64 {
        self.items as f64 / self.seconds.max(1e-9)
    }

    pub fn to_json(&self) -> Value {
        let rounded = |value: f64| (value * 10_000.0).round() / 10_000.0;
        json!({
            "conversations": self.items,
            "refused": self.refused,
            "rouge1": rounded(self.rouge.rouge1),
            "rouge2": rounded(self.rouge.rouge2),
            "rougeL": rounded(self.rouge.rouge_l),
            "without_role_names": {
                "rouge1": rounded(self.bare.rouge1),
                "rouge2": rounded(self.bare.rouge2),
                "rougeL": rounded(self.bare.rouge_l),
            },
            "unsupported_rate": rounded(self.unsupported_rate),
            "numbers_and_names_right": self.details_right.map(rounded),
            "numbers_and_names_found": self.wanted_found.map(rounded),
            "words": rounded(self.words),
            "conversations_per_second": self.conversations_per_second().round(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TALK: &str = r##"{"dialogue":"#Person1#: Hi, my router shows error E-104 since Monday and nothing works.\n#Person2#: I'm sorry. I'll send an engineer called Tom on 5 March.","summary":"The router shows E-104. Tom comes on 5 March."}"##;

    fn item() -> Item {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("one.jsonl"), TALK).expect("written");
        Dataset::open(folder.path()).expect("reads").items.remove(0)
    }

    #[test]
    fn details_are_counted_on_both_sides() {
        let found = predict(&item(), References::Best, &stands_word_for_word);
        assert_eq!((found.refused.as_deref(), found.unsupported), (None, 0));
        assert!(found.sentences >= 2 && found.rouge1 > 0.4, "{found:?}");
        assert_eq!(found.details, found.details_right);
        assert_eq!((found.wanted, found.wanted_found), (3, 3), "{found:?}");
    }

    #[test]
    fn a_sentence_that_was_not_said_does_not_stand() {
        let item = item();
        let (mut sentences, _) = write(&item.turns).expect("written");
        assert!(stands_word_for_word(&sentences[0], &item.turns));
        if let Proof::Turn(citation) = &mut sentences[0].proofs[0] {
            citation.start_chars += 1;
        }
        assert!(!stands_word_for_word(&sentences[0], &item.turns));
        sentences[1].proofs.clear();
        assert!(!stands_word_for_word(&sentences[1], &item.turns));
    }
}
