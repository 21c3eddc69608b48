//! A body → the sections that are searched and cited. Each is a verbatim slice of the body.

use crate::domain::{ArticleId, Passage, PassageId};

/// A section longer than this is cut at a blank line: the embedding sees 256 tokens, and a person
/// on the phone reads no more at a glance. Counted in code points.
const LONG_SECTION: usize = 1_600;

/// A section while it is being read; byte offsets into the body.
struct Section {
    heading: String,
    start: usize,
    end: usize,
}

/// Cuts a body at its headings, outside code fences. The article's own `#` heading starts a
/// passage only if text follows it directly.
pub fn passages(id: &ArticleId, title: &str, body: &str) -> Vec<Passage> {
    let mut sections = vec![Section { heading: title.to_owned(), start: 0, end: 0 }];
    let mut fence: Option<(char, usize)> = None;
    let mut at = 0;
    for line in body.split_inclusive('\n') {
        let (start, end) = (at, at + line.len());
        at = end;
        let mark = line.trim_start();
        let indent = line.len() - mark.len();
        let run = |c: char| mark.chars().take_while(|&x| x == c).count();
        match fence {
            Some((c, length)) => {
                if run(c) >= length && mark.trim_start_matches(c).trim().is_empty() {
                    fence = None;
                }
            }
            None => {
                if let Some(c) = ['`', '~'].into_iter().find(|&c| run(c) >= 3 && indent < 4) {
                    fence = Some((c, run(c)));
                } else if let Some(heading) = heading(line) {
                    // A level-1 heading repeats the title.
                    let heading = if heading.is_empty() { title.to_owned() } else { heading };
                    sections.push(Section { heading, start: end, end });
                    continue;
                }
            }
        }
        let section = sections.last_mut().expect("it starts with one; this is a bug");
        debug_assert!(section.start <= start);
        section.end = end;
    }
    let pieces = sections.into_iter().flat_map(|section| cut_long(body, section));
    let mut chars_before = CharCounter { body, byte: 0, chars: 0 };
    let mut passages = Vec::new();
    for (heading, start, end) in pieces {
        let start_chars = chars_before.at(start);
        let end_chars = chars_before.at(end);
        passages.push(Passage {
            id: PassageId::from(format!("{id}#{}", passages.len() + 1)),
            heading,
            text: body[start..end].to_owned(),
            start_chars,
            end_chars,
        });
    }
    passages
}

fn heading(line: &str) -> Option<String> {
    let mark = line.trim_start_matches(' ');
    let level = mark.chars().take_while(|&c| c == '#').count();
    let rest = &mark[level..];
    let is_heading = line.len() - mark.len() < 4
        && (1..=6).contains(&level)
        && (rest.trim().is_empty() || rest.starts_with([' ', '\t']));
    is_heading.then(|| rest.trim().trim_end_matches('#').trim_end().to_owned())
}

/// Trims the section, drops it when empty, cuts it at blank lines when long.
fn cut_long(body: &str, section: Section) -> Vec<(String, usize, usize)> {
    let mut pieces = Vec::new();
    let mut start = section.start;
    let mut push = |start: usize, end: usize| {
        let text = &body[start..end];
        let lead = text.len() - text.trim_start().len();
        let trimmed = text.trim();
        if !trimmed.is_empty() {
            pieces.push((section.heading.clone(), start + lead, start + lead + trimmed.len()));
        }
    };
    let text = &body[section.start..section.end.max(section.start)];
    let mut last_blank = None;
    let mut at = section.start;
    for line in text.split_inclusive('\n') {
        if line.trim().is_empty() {
            last_blank = Some(at);
        }
        at += line.len();
        if let Some(blank) = last_blank
            && blank > start
            && body[start..at].chars().count() > LONG_SECTION
        {
            push(start, blank);
            start = blank;
            last_blank = None;
        }
    }
    push(start, section.end.max(start));
    pieces
}

/// Counts code points up to growing byte offsets, once over the body in all.
struct CharCounter<'a> {
    body: &'a str,
    byte: usize,
    chars: usize,
}

impl CharCounter<'_> {
    fn at(&mut self, byte: usize) -> usize {
        self.chars += self.body[self.byte..byte].chars().count();
        self.byte = byte;
        self.chars
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_body_gives_slices(body in "([#`~a-zé£\n ]|## |\n\n|```){0,200}") {
            for passage in passages(&"x".into(), "t", &body) {
                let slice: String = body
                    .chars()
                    .skip(passage.start_chars)
                    .take(passage.end_chars - passage.start_chars)
                    .collect();
                prop_assert_eq!(slice, passage.text);
            }
        }
    }
}
