//! Phrases as rules write them: `cancel* my contract`.

use crate::insight::words::Words;

/// One word of a phrase.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    Word(String),
    /// `cancel*`: whatever begins like this.
    Stem(String),
    /// `#`: a number in digits.
    Number,
    /// `*`: any one word.
    Any,
}

/// Words one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Phrase(Vec<Part>);

pub const WORDS_MAX: usize = 12;

impl Phrase {
    /// # Errors
    /// What is wrong with it and what to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        for piece in text.split_whitespace() {
            match piece {
                "*" => parts.push(Part::Any),
                "#" => parts.push(Part::Number),
                _ => {
                    let (word, is_stem) = match piece.strip_suffix('*') {
                        Some(stem) => (stem, true),
                        None => (piece, false),
                    };
                    if word.contains(['*', '#']) {
                        return Err(format!(
                            "{piece:?} has a mark inside; write * at the end of a word, or * or # by itself"
                        ));
                    }
                    let words = Words::of(word);
                    for at in 0..words.len() {
                        let one = words.get(at).unwrap_or_default().to_owned();
                        let is_last = at + 1 == words.len();
                        parts.push(if is_stem && is_last {
                            Part::Stem(one)
                        } else {
                            Part::Word(one)
                        });
                    }
                }
            }
        }
        // A mark at either end finds no more than the phrase without it would, and costs a word.
        let is_literal = |part: &Part| matches!(part, Part::Word(_) | Part::Stem(_));
        let letters = |part: &Part| match part {
            Part::Word(word) | Part::Stem(word) => word.chars().count(),
            Part::Number | Part::Any => 0,
        };
        if !parts.iter().any(is_literal) {
            return Err("has no word; write at least one, such as \"cancel*\"".into());
        }
        if let Some(Part::Stem(stem)) = parts.iter().find(|part| matches!(part, Part::Stem(_)))
            && stem.chars().count() < 2
        {
            return Err(format!(
                "the stem {stem:?} is too short; write two letters or more before *"
            ));
        }
        if parts.iter().map(letters).sum::<usize>() < 2 {
            return Err("is one letter; write a whole word".into());
        }
        if parts.len() > WORDS_MAX {
            return Err(format!("has {} words; write at most {WORDS_MAX}", parts.len()));
        }
        Ok(Self(parts))
    }

    /// As it is typed by whoever leaves apostrophes out; `None` if it has none.
    pub fn without_apostrophes(&self) -> Option<Self> {
        let mut other = self.clone();
        for part in &mut other.0 {
            if let Part::Word(word) | Part::Stem(word) = part {
                word.retain(|c| c != '\'');
            }
        }
        (other != *self).then_some(other)
    }

    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// Whether it stands in `words` from the word `at` on.
    pub fn stands_at(&self, words: &Words, at: usize) -> bool {
        self.0.iter().enumerate().all(|(n, part)| {
            words.get(at + n).is_some_and(|word| match part {
                Part::Word(wanted) => word == wanted,
                Part::Stem(stem) => word.starts_with(stem.as_str()),
                Part::Number => word.bytes().all(|byte| byte.is_ascii_digit()),
                Part::Any => true,
            })
        })
    }

    /// The bytes to look for in a line of words, and how many words of the phrase stand before them: its longest
    /// run of whole words, with a stem behind it.
    pub fn anchor(&self) -> (String, usize) {
        let mut best: Option<(String, usize)> = None;
        let mut from = 0;
        while from < self.0.len() {
            let mut bytes = String::from(" ");
            let mut to = from;
            while let Some(Part::Word(word)) = self.0.get(to) {
                bytes.push_str(word);
                bytes.push(' ');
                to += 1;
            }
            if let Some(Part::Stem(stem)) = self.0.get(to) {
                bytes.push_str(stem);
                to += 1;
            }
            if bytes.len() > 1 && best.as_ref().is_none_or(|(best, _)| best.len() < bytes.len()) {
                best = Some((bytes, from));
            }
            from = to.max(from + 1);
        }
        best.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(phrase: &str, text: &str) -> bool {
        let (phrase, words) = (Phrase::parse(phrase).expect("a phrase"), Words::of(text));
        let stands = |phrase: &Phrase| (0..words.len()).any(|at| phrase.stands_at(&words, at));
        stands(&phrase) || phrase.without_apostrophes().is_some_and(|other| stands(&other))
    }

    #[test]
    fn phrases_are_words_stems_and_marks() {
        assert!(found("cancel* my contract", "I'm cancelling my contract"));
        assert!(!found("cancel my contract", "I'm cancelling my contract"));
        assert!(found("Don't *  me", "please DONT call me"));
        assert!(found("within # days", "within 14 days"));
        assert!(!found("within # days", "within fourteen days"));
        assert!(found("e-mail", "by E-Mail, please"));
        assert!(!found("late", "lately"));
        assert!(!found("ill", "I'll ring you"), "another word");
    }

    #[test]
    fn the_anchor_is_the_longest_run() {
        let anchor = |text| Phrase::parse(text).expect("a phrase").anchor();
        assert_eq!(anchor("cancel my contract"), (" cancel my contract ".into(), 0));
        assert_eq!(anchor("cancel* * my contract"), (" my contract ".into(), 2));
        assert_eq!(anchor("want to cancel*"), (" want to cancel".into(), 0));
        assert_eq!(anchor("# cancel*"), (" cancel".into(), 1));
    }

    #[test]
    fn phrases_that_would_always_match_are_refused() {
        for wrong in ["", "*", "# *", "a", "a*", "can*cel", "**", "!", "x # *"] {
            assert!(Phrase::parse(wrong).is_err(), "{wrong:?}");
        }
        assert!(Phrase::parse(&"word ".repeat(13)).is_err());
        assert!(Phrase::parse("I do").is_ok());
    }
}
