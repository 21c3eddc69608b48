//! What a rerun is made with: `ranking=plain,threshold=0.5`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ranking {
    Plain,
    Feedback,
}

/// What differs from the settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Against {
    pub ranking: Option<Ranking>,
    pub is_by_keywords: bool,
    pub knowledge: Option<PathBuf>,
    pub threshold: Option<f32>,
    /// As it was given.
    text: String,
}

impl FromStr for Against {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut this = Self { text: text.to_owned(), ..Self::default() };
        for part in text.split(',') {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            match (key.trim(), value.trim()) {
                ("ranking", "plain") => this.ranking = Some(Ranking::Plain),
                ("ranking", "feedback") => this.ranking = Some(Ranking::Feedback),
                ("ranking", other) => {
                    return Err(format!("ranking is plain or feedback, not `{other}`"));
                }
                ("search", "hybrid") => this.is_by_keywords = false,
                ("search", "keywords") => this.is_by_keywords = true,
                ("search", other) => {
                    return Err(format!("search is hybrid or keywords, not `{other}`"));
                }
                ("knowledge", folder) if !folder.is_empty() => {
                    this.knowledge = Some(folder.into());
                }
                ("threshold", value) => match value.parse() {
                    Ok(threshold) if (0.0..=1.0).contains(&threshold) => {
                        this.threshold = Some(threshold);
                    }
                    _ => return Err(format!("threshold is from 0 to 1, not `{value}`")),
                },
                _ => {
                    return Err(format!(
                        "`{part}` is none of ranking=plain|feedback, search=hybrid|keywords, \
                         knowledge=DIR, threshold=P"
                    ));
                }
            }
        }
        if this.is_by_keywords && this.ranking == Some(Ranking::Feedback) {
            return Err("ranking=feedback needs vectors, which search=keywords has not".to_owned());
        }
        Ok(this)
    }
}

impl fmt::Display for Against {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(if self.text.is_empty() { "the settings" } else { &self.text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_differs_and_nothing_else() {
        let read: Against = "ranking=plain, threshold=0.5".parse().expect("it is right");
        assert_eq!((read.ranking, read.threshold), (Some(Ranking::Plain), Some(0.5)));
        assert_eq!((read.is_by_keywords, &read.knowledge), (false, &None));
        assert_eq!(read.to_string(), "ranking=plain, threshold=0.5");
        assert_eq!(Against::default().to_string(), "the settings");
        for (wrong, said) in [
            ("ranking=best", "plain or feedback"),
            ("search=dense", "hybrid or keywords"),
            ("threshold=2", "from 0 to 1"),
            ("threshold=NaN", "from 0 to 1"),
            ("knowledge=", "knowledge=DIR"),
            ("", "none of"),
            ("model=base", "none of"),
            ("ranking=feedback,search=keywords", "needs vectors"),
        ] {
            let error = wrong.parse::<Against>().expect_err(wrong);
            assert!(error.contains(said), "{wrong}: {error}");
        }
    }
}
