//! What a classifier hears instead of what is meant: the errors of the simulation.
//!
//! The file is JSON: `{"labels": [...], "counts": [[...], ...]}`, where `counts[i][j]` says how many contacts that
//! mean `labels[i]` were heard as `labels[j]`. A row may have one more column than there are labels: those on which
//! the classifier abstained. Other members are ignored.

use serde::Deserialize;

/// Probabilities by row of what is meant.
#[derive(Clone, Debug, PartialEq)]
pub struct Confusion {
    classes: usize,
    /// `meant × (classes + 1) + heard`; the last column is "abstained".
    probabilities: Vec<f64>,
}

#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConfusionError {
    #[error(
        "the confusion matrix isn't readable JSON with labels and counts: line {line}, column {column}"
    )]
    Unreadable { line: usize, column: usize },
    #[error("counts has {rows} rows for {labels} labels: it needs a row for each label")]
    Rows { rows: usize, labels: usize },
    #[error(
        "counts[{row}] has {columns} numbers: it needs {labels}, or {labels} and those abstained on"
    )]
    Columns { row: usize, columns: usize, labels: usize },
    #[error("counts[{row}][{column}] isn't a count: it needs a number that isn't negative")]
    Count { row: usize, column: usize },
    #[error("the confusion matrix counts nothing")]
    Empty,
    #[error("class {class} names the intent {intent}, which isn't a label of the confusion matrix")]
    Intent { class: String, intent: String },
    #[error(
        "class {class} has no measured intents in the confusion matrix: name some in its `intents`"
    )]
    Unmeasured { class: String },
}

/// A confusion as it was measured, by labels.
#[derive(Clone, Debug, Deserialize)]
pub struct Measured {
    pub labels: Vec<String>,
    pub counts: Vec<Vec<f64>>,
}

impl Measured {
    /// # Errors
    /// Says which row or number is wrong.
    pub fn parse(text: &str) -> Result<Self, ConfusionError> {
        let measured: Self = serde_json::from_str(text).map_err(|error| {
            ConfusionError::Unreadable { line: error.line(), column: error.column() }
        })?;
        let labels = measured.labels.len();
        if measured.counts.len() != labels {
            return Err(ConfusionError::Rows { rows: measured.counts.len(), labels });
        }
        for (row, counts) in measured.counts.iter().enumerate() {
            if counts.len() != labels && counts.len() != labels + 1 {
                return Err(ConfusionError::Columns { row, columns: counts.len(), labels });
            }
            if let Some(column) = counts.iter().position(|count| !count.is_finite() || *count < 0.0)
            {
                return Err(ConfusionError::Count { row, column });
            }
        }
        let total: f64 = measured.counts.iter().flatten().sum();
        if total > 0.0 && total.is_finite() { Ok(measured) } else { Err(ConfusionError::Empty) }
    }

    /// Share of all that were heard as they were meant.
    pub fn accuracy(&self) -> f64 {
        let right: f64 = self.counts.iter().enumerate().map(|(row, counts)| counts[row]).sum();
        right / self.counts.iter().flatten().sum::<f64>()
    }

    /// The confusion of classes that are made of several labels each, or of one that has their name. Labels of no
    /// class are left out as meanings; heard, they count as abstained, since no queue is theirs.
    ///
    /// # Errors
    /// A class names an unknown label, or has none that was measured.
    pub fn of_classes(
        &self,
        classes: &[(String, Vec<String>)],
    ) -> Result<Confusion, ConfusionError> {
        let mut class_of = vec![classes.len(); self.labels.len()];
        for (at, (class, intents)) in classes.iter().enumerate() {
            let own = std::slice::from_ref(class);
            for intent in if intents.is_empty() { own } else { intents } {
                let unknown =
                    || ConfusionError::Intent { class: class.clone(), intent: intent.clone() };
                class_of
                    [self.labels.iter().position(|label| label == intent).ok_or_else(unknown)?] =
                    at;
            }
        }
        let width = classes.len() + 1;
        let mut counts = vec![0.0; classes.len() * width];
        for (row, line) in
            self.counts.iter().enumerate().filter(|(row, _)| class_of[*row] < classes.len())
        {
            for (column, count) in line.iter().enumerate() {
                let heard = class_of.get(column).copied().unwrap_or(classes.len());
                counts[class_of[row] * width + heard] += count;
            }
        }
        for (class, row) in classes.iter().zip(counts.chunks_mut(width)) {
            let total: f64 = row.iter().sum();
            if total <= 0.0 {
                return Err(ConfusionError::Unmeasured { class: class.0.clone() });
            }
            row.iter_mut().for_each(|count| *count /= total);
        }
        Ok(Confusion { classes: classes.len(), probabilities: counts })
    }
}

impl Confusion {
    /// Right in the share `accuracy` of all cases, else evenly one of the other classes.
    pub fn even(classes: usize, accuracy: f64) -> Self {
        let mut probabilities = vec![0.0; classes * (classes + 1)];
        for class in 0..classes {
            for heard in 0..classes {
                probabilities[class * (classes + 1) + heard] = match heard == class {
                    true if classes == 1 => 1.0,
                    true => accuracy,
                    false => (1.0 - accuracy) / (classes - 1) as f64,
                };
            }
        }
        Self { classes, probabilities }
    }

    /// That a contact of `class` is heard as `heard`, where the number of classes stands for "abstained".
    pub fn probability(&self, class: usize, heard: usize) -> f64 {
        self.probabilities[class * (self.classes + 1) + heard]
    }

    /// What is heard, as weights by what can be.
    pub fn row(&self, class: usize) -> &[f64] {
        let width = self.classes + 1;
        &self.probabilities[class * width..(class + 1) * width]
    }

    /// Share that is heard as it is meant, when each class is met as often as `shares` say.
    pub fn accuracy(&self, shares: impl Iterator<Item = f64>) -> f64 {
        let (right, total) =
            shares.enumerate().fold((0.0, 0.0), |(right, total), (class, share)| {
                (right + share * self.probability(class, class), total + share)
            });
        right / total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEASURED: &str = r#"{"dataset": "x", "labels": ["a", "b", "c"],
        "counts": [[8, 1, 1, 0], [2, 6, 0, 2], [0, 0, 5, 5]]}"#;

    #[test]
    fn labels_are_added_up_by_class() {
        let measured = Measured::parse(MEASURED).expect("sound");
        assert!((measured.accuracy() - 19.0 / 30.0).abs() < 1e-12);
        let classes =
            [("x".to_owned(), vec!["a".to_owned(), "b".to_owned()]), ("c".to_owned(), vec![])];
        let confusion = measured.of_classes(&classes).expect("known labels");
        assert_eq!(confusion.row(0), [17.0 / 20.0, 1.0 / 20.0, 2.0 / 20.0]);
        assert_eq!(confusion.row(1), [0.0, 0.5, 0.5]);
        assert!(
            (confusion.accuracy([3.0, 1.0].into_iter()) - (3.0 * 0.85 + 0.5) / 4.0).abs() < 1e-12
        );
    }

    #[test]
    fn what_no_class_stands_for_counts_as_abstained() {
        let measured = Measured::parse(MEASURED).expect("sound");
        let confusion = measured.of_classes(&[("a".to_owned(), vec![])]).expect("known labels");
        assert_eq!(confusion.row(0), [0.8, 0.2]);
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let parse =
            |text: &str| Measured::parse(text).map(|_| ()).expect_err("a mistake").to_string();
        assert!(parse("{").contains("line 1"));
        assert!(parse(r#"{"labels": ["a"], "counts": []}"#).contains("0 rows for 1 labels"));
        assert!(parse(r#"{"labels": ["a"], "counts": [[1, 2, 3]]}"#).contains("counts[0]"));
        assert!(parse(r#"{"labels": ["a"], "counts": [[1, -2]]}"#).contains("counts[0][1]"));
        assert!(parse(r#"{"labels": ["a"], "counts": [[0]]}"#).contains("nothing"));
        let measured = Measured::parse(MEASURED).expect("sound");
        let error = measured.of_classes(&[("q".to_owned(), vec![])]).expect_err("no such label");
        assert!(error.to_string().contains("the intent q"), "{error}");
    }

    #[test]
    fn even_errors_add_up() {
        let confusion = Confusion::even(4, 0.85);
        for class in 0..4 {
            assert!((confusion.row(class).iter().sum::<f64>() - 1.0).abs() < 1e-12);
            assert_eq!(confusion.probability(class, class), 0.85);
        }
        assert_eq!(Confusion::even(1, 0.85).row(0), [1.0, 0.0]);
    }
}
