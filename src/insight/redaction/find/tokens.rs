//! Text as words, numbers and marks, with what the lists know of them.

use super::lists::{Known, known};

/// Shorter ones are words of some language.
const SMALL_NAME_MIN: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Word,
    /// Begins with a digit.
    Number,
    Line,
    Mark(char),
}

#[derive(Clone, Debug)]
pub(super) struct Token<'a> {
    pub text: &'a str,
    pub small: String,
    pub start: usize,
    pub end: usize,
    pub shape: Shape,
    /// Begins with a capital.
    pub is_capital: bool,
    /// Two capitals and more, and nothing small.
    pub is_shouted: bool,
    /// First in its sentence or line.
    pub opens: bool,
    /// White space stands before it.
    pub is_apart: bool,
    pub known: Known,
}

impl Token<'_> {
    pub fn is_word(&self) -> bool {
        self.shape == Shape::Word
    }
    pub fn is_number(&self) -> bool {
        self.shape == Shape::Number
    }
    pub fn is_mark(&self, mark: char) -> bool {
        self.shape == Shape::Mark(mark)
    }
    /// A single capital, as in "J. Smith".
    pub fn is_initial(&self) -> bool {
        self.is_word() && self.is_capital && self.text.chars().count() == 1
    }
}

/// Cuts a text. Apostrophes and hyphens between letters belong to their word.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found: Vec<Token<'_>> = Vec::new();
    let mut characters = text.char_indices().peekable();
    let (mut opens, mut is_apart) = (true, true);
    while let Some((start, first)) = characters.next() {
        if first == '\n' {
            found.push(plain(text, start, start + 1, Shape::Line, opens));
            (opens, is_apart) = (true, true);
            continue;
        }
        if first.is_whitespace() {
            is_apart = true;
            continue;
        }
        if !first.is_alphanumeric() {
            let end = start + first.len_utf8();
            let mut token = plain(text, start, end, Shape::Mark(first), opens);
            token.is_apart = is_apart;
            found.push(token);
            opens |= matches!(first, '.' | '!' | '?' | ':' | '"' | '“' | '>' | '*' | '•');
            is_apart = false;
            continue;
        }
        let mut end = start + first.len_utf8();
        while let Some((at, next)) = characters.peek().copied() {
            let joins = matches!(next, '\'' | '’' | '-')
                && text[at + next.len_utf8()..].chars().next().is_some_and(char::is_alphabetic)
                && !first.is_ascii_digit();
            if !next.is_alphanumeric() && !joins {
                break;
            }
            end = at + next.len_utf8();
            characters.next();
        }
        found.push(word(&text[start..end], start, opens, is_apart));
        (opens, is_apart) = (false, false);
    }
    if !found.iter().any(|token| token.is_capital) {
        // Who writes small all the time writes names small, too.
        for token in
            found.iter_mut().filter(|token| token.is_word() && token.text.len() >= SMALL_NAME_MIN)
        {
            let is_name = token.known.is(Known::GIVEN | Known::FAMILY | Known::COUNTRY);
            token.is_capital = is_name && !token.known.is(Known::WORD | Known::PROPER);
        }
    }
    found
}

fn plain(text: &str, start: usize, end: usize, shape: Shape, opens: bool) -> Token<'_> {
    Token {
        text: &text[start..end],
        small: String::new(),
        start,
        end,
        shape,
        is_capital: false,
        is_shouted: false,
        opens,
        is_apart: false,
        known: Known::default(),
    }
}

fn word(text: &str, start: usize, opens: bool, is_apart: bool) -> Token<'_> {
    // "Anna's" is Anna.
    let bare = ["'s", "’s", "'S", "’S"].into_iter().find_map(|tail| text.strip_suffix(tail));
    let text = bare.unwrap_or(text);
    let first = text.chars().next();
    let shape = match first {
        Some(first) if first.is_ascii_digit() => Shape::Number,
        _ => Shape::Word,
    };
    let is_capital = first.is_some_and(char::is_uppercase);
    let small = text.to_lowercase();
    let known = if shape == Shape::Word { known(&small) } else { Known::default() };
    Token {
        text,
        start,
        end: start + text.len(),
        shape,
        is_capital,
        is_shouted: is_capital && text.chars().count() > 1 && !text.chars().any(char::is_lowercase),
        opens,
        is_apart,
        known,
        small,
    }
}
