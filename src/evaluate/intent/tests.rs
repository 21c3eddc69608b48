use std::path::PathBuf;

use super::*;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn write(folder: &tempfile::TempDir, name: &str, lines: &[&str]) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, lines.join("\n")).unwrap();
    path
}

/// A place for each word, so that texts with the same words are near each other.
fn vectors(dataset: &Dataset) -> VectorsOf {
    let mut vectors = VectorsOf::default();
    let names = dataset.rows.iter().filter_map(|row| row.example.label.as_deref());
    let names: Vec<String> = names.map(|label| label.replace('_', " ")).collect();
    let texts = dataset.rows.iter().map(|row| row.example.text.clone());
    for text in texts.chain(names) {
        let mut vector = vec![0.0; 64];
        for word in text.split_whitespace() {
            let place = word.bytes().fold(5u32, |sum, byte| sum.wrapping_mul(33) ^ u32::from(byte));
            vector[place as usize % 64] += 1.0;
        }
        vectors.insert(text, vector);
    }
    vectors
}

const PLAN: Plan = Plan { per_class: None, seed: 1, folds: 5 };

/// Two intents that share no word, and some that have none.
fn two_intents() -> (tempfile::TempDir, Dataset) {
    let folder = folder();
    let mut lines = Vec::new();
    for at in 0..8 {
        let split = if at < 5 { "train" } else { "test" };
        for (intent, words) in [("pay_bill", "pay the bill now"), ("move_home", "new flat soon")] {
            lines.push(format!(
                r#"{{"text": "{words} v{at}", "intent": "{intent}", "split": "{split}"}}"#
            ));
        }
    }
    for at in 0..4 {
        lines.push(format!(r#"{{"text": "zebra {at}", "intent": "oos", "split": "oos_val"}}"#));
    }
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    write(&folder, "intents.jsonl", &lines);
    let dataset = Dataset::open(folder.path(), &[]).unwrap();
    (folder, dataset)
}

#[test]
fn only_rows_that_are_not_trained_on_are_asked_about() {
    let (_folder, dataset) = two_intents();
    let run = measure(&dataset, &vectors(&dataset), PLAN).unwrap();
    assert_eq!(run.asked.len(), 6 + 4);
    assert!(run.asked.iter().all(|asked| asked.row.part == Part::Test));
    // Ten examples and two labels.
    assert_eq!(run.train_rows, 12);
    let found = figures(&run);
    assert_eq!((found.in_scope, found.out_of_scope), (6, 4));
    assert_eq!((found.accuracy, found.in_scope_accuracy), (1.0, 1.0));
    assert_eq!(found.oos_recall, Some(1.0));
    let few = measure(&dataset, &vectors(&dataset), Plan { per_class: Some(2), ..PLAN }).unwrap();
    assert_eq!(few.train_rows, 6);
}

#[test]
fn rows_without_a_split_are_asked_about_once_each_by_models_without_them() {
    let folder = folder();
    let lines: Vec<String> = (0..10)
        .map(|at| {
            let (words, intent) = if at % 2 == 0 {
                ("quote for a car", "GetQuote")
            } else {
                ("file a claim", "FileClaim")
            };
            format!(
                r#"{{"utterance": "{words} {at}", "utterance_id": "{at}", "intent": "{intent}"}}"#
            )
        })
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    write(&folder, "development.jsonl", &lines);
    let dataset = Dataset::open(folder.path(), &[]).unwrap();
    let mut vectors = vectors(&dataset);
    for (name, words) in [("get quote", 1.0), ("file claim", -1.0)] {
        vectors.insert(name.to_owned(), vec![words; 64]);
    }
    let run = measure(&dataset, &vectors, PLAN).unwrap();
    let mut texts: Vec<&str> =
        run.asked.iter().map(|asked| asked.row.example.text.as_str()).collect();
    texts.sort_unstable();
    texts.dedup();
    assert_eq!((run.asked.len(), texts.len(), run.trained.len()), (10, 10, 5));
    assert_eq!(run.train_rows, 8 + 2);
    assert_eq!(figures(&run).oos_recall, None);
}

#[test]
fn the_matrix_has_a_row_for_each_meaning_and_a_column_for_silence() {
    let (_folder, dataset) = two_intents();
    let run = measure(&dataset, &vectors(&dataset), PLAN).unwrap();
    let matrix = confusion(run.asked.iter());
    assert_eq!(matrix.labels, ["move_home", "pay_bill"]);
    assert_eq!(matrix.counts, [[3, 0, 0], [0, 3, 0]]);
    assert_eq!(matrix.out_of_scope, [0, 0, 4]);
}

#[test]
fn several_runs_have_a_mean() {
    let one = Figures { accuracy: 0.8, oos_recall: Some(0.5), in_scope: 10, ..Figures::default() };
    let other = Figures { accuracy: 0.9, oos_recall: None, ..one };
    let both = mean(&[one, other]);
    assert!((both.accuracy - 0.85).abs() < 1e-9);
    assert_eq!((both.oos_recall, both.in_scope), (Some(0.5), 10));
}

#[test]
fn calibration_is_how_far_promises_are_from_what_comes() {
    let (_folder, dataset) = two_intents();
    let mut run = measure(&dataset, &vectors(&dataset), PLAN).unwrap();
    for asked in &mut run.asked {
        asked.seen.ranked.truncate(1);
        asked.seen.ranked[0].probability = 0.7;
    }
    // All six are right, and seven of ten were promised.
    assert!((figures(&run).ece - 0.3).abs() < 1e-6);
}

#[test]
fn what_cannot_be_read_is_told_with_file_and_line() {
    let folder = folder();
    let said = |path: &std::path::Path| Dataset::open(path, &[]).unwrap_err().to_string();
    assert!(said(folder.path()).contains("holds neither intents.jsonl"));
    let path =
        write(&folder, "intents.jsonl", &[r#"{"text": "a", "intent": "b"}"#, r#"{"text": 1}"#]);
    assert!(said(folder.path()).contains("intents.jsonl:2 can't be read: "));
    std::fs::write(&path, r#"{"text": "a", "intent": "b", "split": "test"}"#).unwrap();
    assert!(said(&path).contains("--train"));
    let more = write(&folder, "more.jsonl", &[r#"{"text": "c", "intent": "b", "split": "train"}"#]);
    let both = Dataset::open(&path, &[more]).unwrap();
    assert_eq!(both.rows.iter().map(|row| row.part).collect::<Vec<_>>(), [Part::Test, Part::Train]);
    std::fs::write(&path, r#"{"text": "a", "intent": "oos"}"#).unwrap();
    assert!(said(&path).contains("no row has an intent"));
}

#[test]
fn a_companys_own_list_is_a_set_too() {
    let folder = folder();
    let text = "out_of_scope = [\"zebra\"]\n[[intent]]\nlabel = \"a\"\ndescription = \"About\"\n\
                examples = [\"one\", \"two\"]\n";
    write(&folder, "list.toml", &[text]);
    let dataset = Dataset::open(folder.path(), &[]).unwrap();
    let parts: Vec<(&str, Part)> =
        dataset.rows.iter().map(|row| (row.example.text.as_str(), row.part)).collect();
    assert_eq!(
        parts,
        [
            ("a", Part::Train),
            ("About", Part::Train),
            ("one", Part::Either),
            ("two", Part::Either),
            ("zebra", Part::Either),
        ]
    );
    write(&folder, "list.toml", &["[[intent]]\nlabel = \"a\"\n"]);
    assert!(Dataset::open(folder.path(), &[]).unwrap_err().to_string().contains("list.toml:"));
}
