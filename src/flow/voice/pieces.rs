//! Sentences out of a model's JSON, while it is still being written and when it is whole.

use serde::Deserialize;

use crate::grounding::{Claim, cut};
use crate::insight::redaction;

/// More than this of anything is no answer.
const SENTENCES_MAX: usize = 12;
const SENTENCE_CHARS_MAX: usize = 600;
/// What is longer isn't looked at before it is whole.
const SCANNED_BYTES_MAX: usize = 64 * 1024;

#[derive(Debug, Deserialize, PartialEq)]
struct Sentence {
    text: String,
    #[serde(default)]
    cites: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Form {
    sentences: Vec<Sentence>,
    #[serde(default)]
    ask_back: String,
}

/// A whole answer: its sentences, and what it asks back.
///
/// # Errors
/// It doesn't have the form of the prompt.
pub(super) fn read(text: &str) -> Result<(Vec<Claim>, String), serde_json::Error> {
    let form: Form = serde_json::from_str(text.trim())?;
    let claims = form.sentences.into_iter().flat_map(parts).take(SENTENCES_MAX).collect();
    Ok((claims, form.ask_back.trim().to_owned()))
}

/// A model's words are masked like anybody's: it may have put digits together. What it gives as one
/// sentence may be several.
fn parts(sentence: Sentence) -> Vec<Claim> {
    let text = sentence.text.trim();
    match text.chars().count() <= SENTENCE_CHARS_MAX {
        true => cut(&redaction::published(text), &sentence.cites),
        false => Vec::new(),
    }
}

/// Finds the sentences of an answer as soon as each is whole.
#[derive(Default)]
pub(super) struct Scanner {
    text: String,
    scanned: usize,
    depth: usize,
    in_string: bool,
    escaped: bool,
    began: usize,
    found: usize,
}

/// `{"sentences":[{`: a sentence is an object within a list within the answer.
const SENTENCE_DEPTH: usize = 3;

impl Scanner {
    /// The sentences that this piece completes.
    pub fn push(&mut self, piece: &str) -> Vec<Claim> {
        if self.text.len() + piece.len() > SCANNED_BYTES_MAX || self.found >= SENTENCES_MAX {
            return Vec::new();
        }
        self.text.push_str(piece);
        if self.depth == 0 && self.text.trim_start().starts_with('<') {
            // Some models think aloud before they answer.
            match self.text.find("</think>") {
                Some(at) => self.scanned = self.scanned.max(at + "</think>".len()),
                None => return Vec::new(),
            }
        }
        let mut claims = Vec::new();
        while let Some(byte) = self.text.as_bytes().get(self.scanned).copied() {
            let at = self.scanned;
            self.scanned += 1;
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' if self.depth > 0 => self.in_string = true,
                b'{' | b'[' if byte == b'{' || self.depth > 0 => {
                    self.depth += 1;
                    if self.depth == SENTENCE_DEPTH {
                        self.began = at;
                    }
                }
                b'}' | b']' => {
                    if byte == b'}' && self.depth == SENTENCE_DEPTH {
                        let whole = serde_json::from_str(&self.text[self.began..=at]);
                        claims.extend(whole.ok().into_iter().flat_map(parts));
                    }
                    self.depth = self.depth.saturating_sub(1);
                }
                _ => {}
            }
        }
        claims.truncate(SENTENCES_MAX - self.found);
        self.found += claims.len();
        claims
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ANSWER: &str = r#"{"sentences":[{"text":"It says \"{no}\" [twice] £5.","cites":["a#1","a#2"]},
        {"text":"","cites":[]},{"text":"Second. And third!","cites":["a"]}],"ask_back":""}"#;

    fn texts(claims: &[Claim]) -> Vec<&str> {
        claims.iter().map(|claim| claim.text.as_str()).collect()
    }

    #[test]
    fn a_sentence_is_found_when_its_brace_closes() {
        let mut scanner = Scanner::default();
        assert!(scanner.push("<think>{\"x\":[{\"text\":").is_empty());
        assert!(scanner.push("\"no\"}]}</think> ```json\n").is_empty());
        assert!(scanner.push(r#"{"sentences": [{"text":"One.","cites":["a"]"#).is_empty());
        assert_eq!(texts(&scanner.push(r#"},{"text":"Two.""#)), ["One."]);
        assert_eq!(texts(&scanner.push(r#","cites":[]}],"ask_back":""}"#)), ["Two."]);
    }

    #[test]
    fn what_is_given_as_one_sentence_is_cut() {
        let answer = r#"{"sentences":[{"text":"One. Your fee was waived! Three?","cites":["a"]}]}"#;
        let (claims, _) = read(answer).expect("it has the form");
        assert_eq!(texts(&claims), ["One.", "Your fee was waived!", "Three?"]);
        assert!(claims.iter().all(|claim| claim.cites == ["a"]));
        let many = format!(r#"{{"sentences":[{{"text":"{}"}}]}}"#, "That is one. ".repeat(40));
        assert_eq!(read(&many).expect("it has the form").0.len(), SENTENCES_MAX);
        assert_eq!(Scanner::default().push(&many).len(), SENTENCES_MAX);
    }

    #[test]
    fn no_form_no_sentences() {
        assert!(Scanner::default().push("[{\"a\":1}] }}}} Sorry, I can't. {").is_empty());
        assert!(read("{\"text\":\"x\"}").is_err());
    }

    proptest! {
        #[test]
        fn however_it_is_cut_the_sentences_are_those_of_the_whole(cuts in prop::collection::vec(0usize..200, 0..12)) {
            let (whole, _) = read(ANSWER).expect("it has the form");
            let mut scanner = Scanner::default();
            let mut found = Vec::new();
            let chars: Vec<char> = ANSWER.chars().collect();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % chars.len()).collect();
            cuts.extend([0, chars.len()]);
            cuts.sort_unstable();
            for pair in cuts.windows(2) {
                found.extend(scanner.push(&chars[pair[0]..pair[1]].iter().collect::<String>()));
            }
            prop_assert_eq!(found, whole);
        }

        #[test]
        fn nothing_makes_it_panic(text in "(\\PC|[{}\\[\\]\"\\\\]){0,200}") {
            Scanner::default().push(&text);
            let _ = read(&text);
        }
    }
}
