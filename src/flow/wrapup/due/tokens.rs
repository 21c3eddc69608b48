//! Words with the bytes at which they stand.

use super::names;

/// A word without the marks around it.
#[derive(Clone, Debug)]
pub struct Token {
    /// In lower case, with straight apostrophes.
    pub word: String,
    pub start: usize,
    pub end: usize,
    /// A comma or another mark stands behind it.
    pub is_marked: bool,
    /// A sentence ends behind it.
    pub is_last: bool,
    /// That sentence is a question.
    pub is_asked: bool,
    /// A dash stands before it: "9 AM-1 PM", "8:00 - 10:00".
    pub is_dashed: bool,
    pub is_capital: bool,
}

/// Words with a full stop that ends no sentence.
fn is_abbreviation(word: &str) -> bool {
    one_of!(word;
        "a.m" "p.m" "dr" "mr" "mrs" "ms" "st" "no" "nr" "e.g" "i.e" "z.b" "mme" "sr" "sra"
        "approx"
    )
}

pub fn tokens(text: &str) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::with_capacity(text.len() / 5 + 1);
    let (mut at, mut dashed) = (0, false);
    for piece in text.split_inclusive(is_gap) {
        let start = at;
        at += piece.len();
        let Some(first) = piece.find(char::is_alphanumeric) else {
            dashed = piece.trim() == "-" || piece.trim() == "–";
            if let Some(before) = out.last_mut() {
                mark(before, piece);
            }
            continue;
        };
        // Handles, addresses and initials of who wrote it are no words of a sentence.
        if piece.starts_with(['@', '^']) || piece.contains("://") {
            continue;
        }
        let core = piece[first..].trim_end_matches(|c: char| !c.is_alphanumeric());
        let behind = &piece[first + core.len()..];
        let cut = core.find(['-', '–']).filter(|&cut| is_meridiem(&core[..cut]));
        let parts = match cut {
            Some(cut) => [
                Some((0, cut)),
                core[cut..].find(char::is_alphanumeric).map(|on| (cut + on, core.len())),
            ],
            None => [Some((0, core.len())), None],
        };
        for (from, upto) in parts.into_iter().flatten() {
            let part = &core[from..upto];
            out.push(Token {
                word: part.to_lowercase().replace('’', "'"),
                start: start + first + from,
                end: start + first + upto,
                is_marked: false,
                is_last: false,
                is_asked: false,
                is_dashed: from > 0 || dashed,
                is_capital: part.starts_with(char::is_uppercase),
            });
            dashed = false;
        }
        let Some(token) = out.last_mut() else { continue };
        mark(token, behind);
        // "a.m." anywhere, and in German "am 16. September".
        let is_closed = behind.contains(['!', '?', '…']) || text[at..].trim().is_empty();
        if token.is_last && !is_closed && is_short(&token.word, &text[at..]) {
            (token.is_last, token.is_marked) = (false, false);
        }
    }
    out
}

const fn is_gap(c: char) -> bool {
    c.is_whitespace() || matches!(c, '—' | '…')
}

/// Ends with "am" or "pm": what follows a dash is another time.
fn is_meridiem(word: &str) -> bool {
    let lower = word.to_lowercase();
    let digits = lower.trim_end_matches(|c: char| !c.is_ascii_digit());
    matches!(
        lower.trim_start_matches(|c: char| !c.is_ascii_alphabetic()),
        "am" | "pm" | "a.m" | "p.m"
    ) || (!digits.is_empty() && (lower.ends_with("am") || lower.ends_with("pm")))
}

fn mark(token: &mut Token, behind: &str) {
    token.is_marked |= behind.contains([',', ';', ':', '.', '!', '?', '…', '—', '–', ')']);
    token.is_last |= behind.contains(['.', '!', '?', '…', '\n']);
    token.is_asked |= behind.contains('?');
}

fn is_short(word: &str, rest: &str) -> bool {
    let is_day = word.len() <= 2 && word.bytes().all(|byte| byte.is_ascii_digit());
    let next = || rest.split_whitespace().next().unwrap_or_default().to_lowercase();
    let is_month = || names::month(next().trim_matches(|c: char| !c.is_alphabetic())).is_some();
    is_abbreviation(word) || (is_day && is_month())
}
