//! A text as rules read it.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization as _;

/// A word, or what stands between words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// In lower case; full-width and styled letters are plain ones, and apostrophes, like all that can't
    /// be seen, aren't there.
    Word(String),
    /// Where a sentence pauses: a comma.
    Pause,
    /// Where it ends.
    Edge,
}

/// All tokens of a text, each with its bytes. An edge stands at the beginning and the end.
pub(super) struct Words {
    pub tokens: Vec<Token>,
    bytes: Vec<Range<usize>>,
    /// Whether it is a word with a capital, as one that begins a sentence has.
    raised: Vec<bool>,
}

impl Words {
    pub fn of(text: &str) -> Self {
        let mut words = Self {
            tokens: vec![Token::Edge],
            bytes: std::iter::once(0..0).collect(),
            raised: vec![false],
        };
        let mut is_raised = false;
        let mut word = String::new();
        let mut from = 0;
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let next = chars.peek().map(|(_, next)| *next);
            if is_unseen(c) || matches!(c, '\'' | '’' | '`' | '*' | '_') {
                continue;
            }
            let joins = match c {
                // `https://`, and a port.
                ':' => next == Some('/') || (is_digit(next) && is_address(&word)),
                '/' | '+' => next.is_some_and(|next| next.is_alphanumeric() || next == c),
                '.' | '@' | '-' | '=' | '&' => next.is_some_and(char::is_alphanumeric),
                _ => false,
            };
            if c.is_alphanumeric() || (joins && !word.is_empty()) {
                if word.is_empty() {
                    from = at;
                    is_raised = c.is_uppercase() && next.is_some_and(char::is_lowercase);
                }
                match c.is_ascii() {
                    true => word.push(c.to_ascii_lowercase()),
                    false => word
                        .extend(std::iter::once(c).nfkc().flat_map(char::to_lowercase).map(plain)),
                }
                continue;
            }
            words.end(&mut word, from..at, is_raised);
            let is_quoted = next.is_some_and(|next| matches!(next, '"' | '”' | '»'));
            match c {
                '.' | '!' | '?' | '…' if is_quoted => words.pause(at),
                ',' if next.is_some_and(char::is_whitespace) => words.pause(at),
                '.' | '!' | '?' | '…' | ';' | ':' | '。' | '(' | ')' | '[' | ']' | '{' | '}'
                | '|' | '#' | '>' | '<' | '—' | '–' => words.edge(at),
                '\n' if next.is_none_or(|next| !next.is_lowercase()) => words.edge(at),
                _ => {}
            }
        }
        words.end(&mut word, from..text.len(), is_raised);
        words.edge(text.len());
        words
    }

    fn end(&mut self, word: &mut String, bytes: Range<usize>, is_raised: bool) {
        if !word.is_empty() {
            self.push(Token::Word(std::mem::take(word)), bytes, is_raised);
        }
    }

    fn push(&mut self, token: Token, bytes: Range<usize>, is_raised: bool) {
        self.tokens.push(token);
        self.bytes.push(bytes);
        self.raised.push(is_raised);
    }

    fn edge(&mut self, at: usize) {
        match self.tokens.last_mut() {
            Some(Token::Edge) => {}
            Some(last @ Token::Pause) => *last = Token::Edge,
            _ => self.push(Token::Edge, at..at, false),
        }
    }

    fn pause(&mut self, at: usize) {
        if matches!(self.tokens.last(), Some(Token::Word(_))) {
            self.push(Token::Pause, at..at, false);
        }
    }

    /// The same without the ends of sentences, where there are so many that they must hide something:
    /// "Ignore. All. Previous. Instructions."
    pub fn joined(&self) -> Option<Self> {
        let is_edge = |token: &Token| *token == Token::Edge;
        let edges = self.tokens.iter().filter(|token| is_edge(token)).count();
        if self.tokens.len() < 8 || edges * 3 < self.tokens.len() {
            return None;
        }
        let mut joined = Self { tokens: Vec::new(), bytes: Vec::new(), raised: Vec::new() };
        for (at, token) in self.tokens.iter().enumerate().filter(|(_, token)| !is_edge(token)) {
            joined.push(token.clone(), self.bytes[at].clone(), self.raised[at]);
        }
        Some(joined)
    }

    /// A word with a capital in mid-sentence: the sentence before has no end, as in "Kind regards, Jane Add …".
    pub fn is_raised(&self, at: usize) -> bool {
        self.raised.get(at).copied().unwrap_or_default()
    }

    /// The bytes behind some tokens.
    pub fn bytes(&self, tokens: &Range<usize>) -> Range<usize> {
        let inside = self.bytes.get(tokens.clone()).unwrap_or_default();
        match (inside.first(), inside.last()) {
            (Some(first), Some(last)) => first.start..last.end,
            _ => 0..0,
        }
    }
}

/// `shop.example`, `jane@shop.example`, `https://shop.example:8443/x`, `http://192.0.2.1/x`.
pub(super) fn is_address(word: &str) -> bool {
    let place = word.rsplit("://").next().unwrap_or(word);
    if place.len() < word.len() && place.starts_with(|c: char| c.is_ascii_digit()) {
        return true;
    }
    let host = place.split(['/', ':']).next().unwrap_or(place);
    let Some((name, end)) = host.rsplit_once('.') else { return false };
    !name.is_empty() && (2..=12).contains(&end.len()) && end.chars().all(|c| c.is_ascii_lowercase())
}

fn is_digit(c: Option<char>) -> bool {
    c.is_some_and(|c| c.is_ascii_digit())
}

/// Zero-width characters, soft hyphens, marks of direction, tags.
fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// Cyrillic and Greek letters that look like Latin ones.
fn plain(c: char) -> char {
    match c {
        'а' | 'α' => 'a',
        'е' | 'ε' => 'e',
        'і' | 'ι' => 'i',
        'о' | 'ο' => 'o',
        'р' | 'ρ' => 'p',
        'с' => 'c',
        'у' => 'y',
        'х' => 'x',
        'ѕ' => 's',
        'ԁ' => 'd',
        other => other,
    }
}
