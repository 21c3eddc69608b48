//! Where sentences begin and end, in code points, so that a quote is always a slice of its text.

/// `text[start_chars..end_chars]`, counted in code points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub start_chars: usize,
    pub end_chars: usize,
}

impl Span {
    pub fn slice(self, text: &str) -> &str {
        let byte = |chars: usize| text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at);
        &text[byte(self.start_chars)..byte(self.end_chars)]
    }
}

/// Words after which a full stop ends nothing.
const ABBREVIATIONS: &[&str] = &[
    "e.g", "i.e", "etc", "mr", "mrs", "ms", "dr", "st", "no", "vs", "approx", "incl", "max", "min",
    "z.b", "d.h", "bzw", "ca", "nr", "inkl", "zzgl", "sr", "sra", "mme", "p.ej",
];

/// "am 3. Mai"
const MONTHS: &[&str] = &[
    "januar",
    "februar",
    "märz",
    "april",
    "mai",
    "juni",
    "juli",
    "august",
    "september",
    "oktober",
    "november",
    "dezember",
];

/// Cuts a passage into sentences. A list item or a table row ends one, a wrapped line doesn't;
/// code fences and rules are left out, since nobody can read them aloud.
pub fn sentences(text: &str) -> Vec<Span> {
    let chars: Vec<char> = text.chars().collect();
    let mut spans = Vec::new();
    let mut start = 0;
    let mut at = 0;
    let mut fenced = false;
    while at < chars.len() {
        if at == 0 || chars[at - 1] == '\n' {
            let line_end = line_end(&chars, at);
            let line: String = chars[at..line_end].iter().collect();
            let mark = line.trim();
            let is_fence = mark.starts_with("```") || mark.starts_with("~~~");
            if is_fence || fenced || mark.is_empty() || starts_block(mark) {
                push(&chars, start, at, &mut spans);
                start = at;
            }
            if is_fence || fenced || is_rule(mark) {
                fenced ^= is_fence;
                at = (line_end + 1).min(chars.len());
                start = at;
                continue;
            }
        }
        if ends_sentence(&chars, at) {
            let mut end = at + 1;
            while end < chars.len()
                && matches!(chars[end], '.' | '!' | '?' | '"' | '\'' | ')' | '”' | '’')
            {
                end += 1;
            }
            push(&chars, start, end, &mut spans);
            start = end;
            at = end;
            continue;
        }
        at += 1;
    }
    push(&chars, start, chars.len(), &mut spans);
    spans
}

fn line_end(chars: &[char], from: usize) -> usize {
    chars[from..].iter().position(|&c| c == '\n').map_or(chars.len(), |n| from + n)
}

/// A list item, a table row or a quotation begins a block of its own.
fn starts_block(line: &str) -> bool {
    let digits = line.chars().take_while(char::is_ascii_digit).count();
    let numbered = digits > 0 && line[digits..].starts_with(". ");
    numbered || ["- ", "* ", "+ ", "> ", "|"].iter().any(|mark| line.starts_with(mark))
}

fn is_rule(line: &str) -> bool {
    line.len() >= 3 && line.chars().all(|c| matches!(c, '-' | '*' | '_' | '|' | ':' | ' ' | '='))
}

fn ends_sentence(chars: &[char], at: usize) -> bool {
    if !matches!(chars[at], '.' | '!' | '?') {
        return false;
    }
    let mut next = at + 1;
    while next < chars.len()
        && matches!(chars[next], '.' | '!' | '?' | '"' | '\'' | ')' | '”' | '’')
    {
        next += 1;
    }
    // "£9.76", "larkfield.example" and "3.5" go on.
    if next < chars.len() && !chars[next].is_whitespace() {
        return false;
    }
    if chars[at] != '.' {
        return true;
    }
    let word: String = chars[..at]
        .iter()
        .rev()
        .take_while(|c| !c.is_whitespace() && **c != '(')
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    let lower = word.to_lowercase();
    let is_list_number = lower.chars().all(|c| c.is_ascii_digit())
        && chars[..at - word.chars().count().min(at)]
            .iter()
            .rev()
            .take_while(|c| **c != '\n')
            .count()
            == 0;
    let is_day = !lower.is_empty() && lower.len() <= 2 && lower.bytes().all(|c| c.is_ascii_digit());
    let month = || -> String {
        let behind = chars[next..].iter().skip_while(|c| c.is_whitespace());
        behind.take_while(|c| c.is_alphabetic()).flat_map(|c| c.to_lowercase()).collect()
    };
    !(ABBREVIATIONS.contains(&lower.as_str())
        || (is_list_number && !lower.is_empty())
        || (is_day && MONTHS.contains(&month().as_str())))
}

/// Adds the span without white space and list marks, if a word is in it.
fn push(chars: &[char], mut start: usize, mut end: usize, spans: &mut Vec<Span>) {
    while start < end && chars[end - 1].is_whitespace() {
        end -= 1;
    }
    while start < end
        && (chars[start].is_whitespace() || matches!(chars[start], '-' | '*' | '+' | '>' | '|'))
    {
        start += 1;
    }
    let digits = chars[start..end].iter().take_while(|c| c.is_ascii_digit()).count();
    if digits > 0 && chars[start + digits..end].starts_with(&['.', ' ']) {
        start += digits + 2;
        while start < end && chars[start].is_whitespace() {
            start += 1;
        }
    }
    if start < end && chars[start..end].iter().any(|c| c.is_alphabetic()) {
        spans.push(Span { start_chars: start, end_chars: end });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_abbreviations_and_lists() {
        let text = "You get £9.76 a day, e.g. on\na Monday. Write to a@b.example. Why? \"Because.\" Yes!\n\n\
            - One item.\n- Another item\n\n1. First step.\n2. Second step.\n```\ncode. here.\n```\nLast";
        let found: Vec<_> = sentences(text).into_iter().map(|span| span.slice(text)).collect();
        assert_eq!(
            found,
            [
                "You get £9.76 a day, e.g. on\na Monday.",
                "Write to a@b.example.",
                "Why?",
                "\"Because.\"",
                "Yes!",
                "One item.",
                "Another item",
                "First step.",
                "Second step.",
                "Last",
            ]
        );
    }

    #[test]
    fn a_day_or_an_abbreviation_ends_nothing() {
        let text = "Am 3. Mai zahlen Sie z.B. 20 Euro. Es sind 3. Danach nichts.";
        let found: Vec<&str> = sentences(text).iter().map(|span| span.slice(text)).collect();
        let wanted = ["Am 3. Mai zahlen Sie z.B. 20 Euro.", "Es sind 3.", "Danach nichts."];
        assert_eq!(found, wanted);
    }

    proptest! {
        #[test]
        fn any_text_gives_ordered_slices(text in "([a-z0-9£é.!?\"\\-|*`#: \n]|\\PC|1\\. |\n- ){0,200}") {
            let mut last = 0;
            for span in sentences(&text) {
                prop_assert!(last <= span.start_chars && span.start_chars < span.end_chars);
                last = span.end_chars;
                let by_chars: String = text
                    .chars()
                    .skip(span.start_chars)
                    .take(span.end_chars - span.start_chars)
                    .collect();
                prop_assert_eq!(by_chars.as_str(), span.slice(&text));
                prop_assert_eq!(by_chars.trim(), by_chars.as_str());
            }
        }
    }
}
