//! Numbers, amounts, dates, times, addresses and codes as people write them: `display_text`.
//!
//! Recognisers write some numbers in words and some in digits. This makes them alike, for reading
//! only: `text` stays what was heard. English, and timid: what may be an idiom is left alone.

mod contact;
mod context;
mod numbers;
mod phone;
mod rules;
#[cfg(test)]
mod tests;

use crate::domain::Redacted;

/// Rewriting one thing can make another readable; nothing needs more rounds than this.
const ROUNDS_MAX: usize = 4;

/// The written form of English words; `None` when it is the same. Masked secrets stay masked.
pub fn display_text(text: &Redacted) -> Option<Redacted> {
    let written = written(text.as_str());
    (written != text.as_str()).then(|| Redacted::vouched(written))
}

/// The same for text that is only compared and never shown.
pub fn written(text: &str) -> String {
    let mut now = text.to_owned();
    for _ in 0..ROUNDS_MAX {
        let next = round(&now);
        if next == now {
            return now;
        }
        now = next;
    }
    // A form that doesn't settle can't be trusted.
    text.to_owned()
}

/// A word with what stands around it.
#[derive(Debug)]
struct Token<'a> {
    raw: &'a str,
    before: &'a str,
    core: &'a str,
    after: &'a str,
    lower: String,
}

impl<'a> Token<'a> {
    fn new(raw: &'a str) -> Self {
        let outer = |c: char| {
            matches!(c, '.' | ',' | '?' | '!' | ';' | ':' | '"' | '“' | '”' | '(' | ')' | '…')
        };
        let (before, after, core) = if raw.contains(['[', ']', '•']) {
            // What masks a secret is nobody's number.
            ("", "", raw)
        } else {
            let rest = raw.trim_start_matches(outer);
            let core = rest.trim_end_matches(outer);
            (&raw[..raw.len() - rest.len()], &rest[core.len()..], core)
        };
        Self { raw, before, core, after, lower: core.to_lowercase() }
    }
}

/// What stands for some words: how many, and how they are written.
type Written = Option<(usize, String)>;

/// A place in a turn, with what was said before.
struct Place<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
}

impl Place<'_> {
    /// The lower-case word so far ahead; empty past the end.
    fn word(&self, ahead: usize) -> &str {
        self.tokens.get(self.at + ahead).map_or("", |token| token.lower.as_str())
    }

    fn core(&self, ahead: usize) -> &str {
        self.tokens.get(self.at + ahead).map_or("", |token| token.core)
    }

    /// The lower-case word so far back, unless a sentence ends between.
    fn word_before(&self, back: usize) -> &str {
        let Some(index) = self.at.checked_sub(back) else { return "" };
        let ends = |token: &Token| token.after.contains(['.', '?', '!']);
        if self.tokens[index..self.at].iter().any(ends) { "" } else { &self.tokens[index].lower }
    }

    /// The lower-case words of the sentence that this place is in.
    fn sentence(&self) -> Vec<&str> {
        let ends = |token: &Token| token.after.contains(['.', '?', '!']);
        let at = self.at.min(self.tokens.len());
        let start = self.tokens[..at].iter().rposition(ends).map_or(0, |end| end + 1);
        let rest = &self.tokens[start..];
        let length =
            rest[at - start..].iter().position(ends).map_or(rest.len(), |end| at - start + end + 1);
        rest[..length].iter().map(|token| token.lower.as_str()).collect()
    }

    /// So many words, to be left as they were said.
    fn as_said(&self, words: usize) -> Written {
        let span = self.tokens.get(self.at..self.at + words)?;
        let words_said: Vec<&str> = span.iter().map(|token| token.core).collect();
        Some((words, words_said.join(" ")))
    }

    /// A mark stands behind the word so far ahead, or nothing comes after it.
    fn closed(&self, ahead: usize) -> bool {
        self.tokens.get(self.at + ahead).is_none_or(|token| !token.after.is_empty())
            || self.at + ahead + 1 == self.tokens.len()
    }

    /// A mark stands before this place.
    fn closed_before(&self) -> bool {
        self.at.checked_sub(1).is_some_and(|before| !self.tokens[before].after.is_empty())
    }

    /// So many words belong together: no mark stands between them.
    fn whole(&self, words: usize) -> bool {
        let Some(span) = self.tokens.get(self.at..self.at + words) else { return false };
        let inner = span.iter().enumerate();
        words > 0
            && inner.into_iter().all(|(index, token)| {
                (index == 0 || token.before.is_empty())
                    && (index + 1 == words || token.after.is_empty())
            })
    }
}

fn round(text: &str) -> String {
    let tokens: Vec<Token> = text.split(' ').map(Token::new).collect();
    let mut out: Vec<String> = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let place = Place { tokens: &tokens, at };
        let found = contact::email(&place)
            .or_else(|| contact::web(&place))
            .or_else(|| contact::postcode(&place))
            .or_else(|| phone::digits(&place))
            .or_else(|| rules::date(&place))
            .or_else(|| rules::time(&place))
            .or_else(|| rules::money(&place))
            .or_else(|| rules::percent(&place))
            .or_else(|| rules::year(&place))
            .or_else(|| rules::day(&place))
            .or_else(|| rules::plain(&place));
        let (words, written) = match found {
            Some((words, written)) if words > 0 && place.whole(words) => {
                let (first, last) = (&tokens[at], &tokens[at + words - 1]);
                (words, format!("{}{written}{}", first.before, last.after))
            }
            _ => {
                // Numbers side by side that no rule knows are a code or an idiom: hands off.
                let beside = rules::beside(&place).max(1);
                let raw: Vec<&str> = tokens[at..at + beside].iter().map(|t| t.raw).collect();
                (beside, raw.join(" "))
            }
        };
        out.push(written);
        at += words;
    }
    out.join(" ")
}
