//! Markdown with TOML front matter → [`Article`]. Every passage is a verbatim slice of the body.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize;

use super::error::ArticleError;
use crate::domain::{Article, ArticleId, ArticleState, Audience, Passage, PassageId};

/// A section longer than this is cut at a blank line: the embedding sees 256 tokens, and a person
/// on the phone reads no more at a glance. Counted in code points.
const LONG_SECTION: usize = 1_600;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FrontMatter {
    id: String,
    title: String,
    audience: Vec<AudienceName>,
    #[serde(default)]
    products: Vec<String>,
    #[serde(default = "english")]
    language: String,
    valid_from: Option<toml::value::Datetime>,
    review_by: Option<toml::value::Datetime>,
    source: Option<String>,
    #[serde(default)]
    verbatim: bool,
    #[serde(default)]
    asked_as: BTreeMap<String, Vec<String>>,
}

/// An article, and how people ask for each of its passages. The phrasings only help to find a
/// passage, so they stay in this room: no card can quote one.
#[derive(Debug)]
pub(crate) struct Written {
    pub article: Article,
    /// In the order of the passages.
    pub asked_as: Vec<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum AudienceName {
    Agent,
    Customer,
}

fn english() -> String {
    "en".into()
}

/// Reads one file. `file` is its path below the knowledge folder, with `/`, and names it in errors.
///
/// # Errors
/// The first thing that is wrong, with line and field.
pub(crate) fn parse(file: &str, text: &str) -> Result<Written, ArticleError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (front, body) = split_front_matter(file, text)?;
    let matter: FrontMatter =
        toml::from_str(front).map_err(|error| explain(file, front, &error))?;
    let complain = |field: &str, reason: String| ArticleError {
        file: file.into(),
        line: line_of(front, field),
        field: field.into(),
        reason,
    };
    let expected = file.strip_suffix(".md").unwrap_or(file);
    if matter.id != expected {
        return Err(complain("id", format!("is {:?}, but the path says {expected:?}", matter.id)));
    }
    if matter.title.trim().is_empty() {
        return Err(complain("title", "is empty".into()));
    }
    if matter.audience.is_empty() {
        return Err(complain("audience", "is empty: name agent, customer or both".into()));
    }
    let date = |field: &str, value: Option<toml::value::Datetime>| {
        let Some(value) = value else { return Ok(None) };
        let date: Result<Date, _> = value.to_string().parse();
        date.map(Some).map_err(|_| complain(field, format!("{value} is not a date")))
    };
    let valid_from = date("valid_from", matter.valid_from)?;
    let review_by = date("review_by", matter.review_by)?;
    let id = ArticleId::from(matter.id);
    let passages = passages(&id, &matter.title, body);
    if passages.is_empty() {
        let line = front.lines().count() + 3;
        let reason = "holds no text below a heading".into();
        return Err(ArticleError { file: file.into(), line, field: "body".into(), reason });
    }
    let asked_as = asked_as(&matter.asked_as, &passages).map_err(|(key, reason)| ArticleError {
        file: file.into(),
        line: line_of(front, &format!("{key:?}")),
        field: "asked_as".into(),
        reason,
    })?;
    let audience = matter.audience.iter().map(|name| match name {
        AudienceName::Agent => Audience::Agent,
        AudienceName::Customer => Audience::Customer,
    });
    let article = Article {
        id,
        title: matter.title,
        body: body.to_owned(),
        revision: 1,
        state: ArticleState::Published,
        audience: audience.collect(),
        products: matter.products,
        language: matter.language,
        valid_from,
        review_by,
        source: matter.source,
        verbatim: matter.verbatim,
        passages,
    };
    Ok(Written { article, asked_as })
}

/// Hands each heading's phrasings to its passages; a long section is several. The error is the key
/// and what is wrong with it.
fn asked_as(
    said: &BTreeMap<String, Vec<String>>,
    passages: &[Passage],
) -> Result<Vec<Vec<String>>, (String, String)> {
    let mut asked = vec![Vec::new(); passages.len()];
    for (key, phrasings) in said {
        let heading = key.trim_start_matches('#').trim();
        let mut known = false;
        for (passage, asked) in passages.iter().zip(&mut asked) {
            if passage.heading == heading {
                asked.extend(phrasings.iter().map(|phrasing| phrasing.trim().to_owned()));
                known = true;
            }
        }
        if !known {
            return Err((key.clone(), format!("no text stands below a heading {heading:?}")));
        }
        if phrasings.iter().any(|phrasing| phrasing.trim().is_empty()) {
            return Err((key.clone(), format!("an empty phrasing for {heading:?}")));
        }
    }
    Ok(asked)
}

/// What stands between the `+++` lines, and what stands after them.
fn split_front_matter<'a>(file: &str, text: &'a str) -> Result<(&'a str, &'a str), ArticleError> {
    let complain = |line, reason: &str| ArticleError {
        file: file.into(),
        line,
        field: "front matter".into(),
        reason: reason.into(),
    };
    let first = text.split_inclusive('\n').next().unwrap_or("");
    if first.trim_end() != "+++" {
        return Err(complain(1, "must open with a line +++"));
    }
    let mut at = first.len();
    for line in text[first.len()..].split_inclusive('\n') {
        if line.trim_end() == "+++" {
            let body = text[at + line.len()..].trim_start_matches(['\r', '\n']);
            return Ok((&text[first.len()..at], body));
        }
        at += line.len();
    }
    Err(complain(1, "is not closed: a line +++ is missing"))
}

/// Turns the parser's complaint into file, line and field.
fn explain(file: &str, front: &str, error: &toml::de::Error) -> ArticleError {
    let message = error.message().lines().next().unwrap_or("is not valid TOML").to_owned();
    let start = error.span().map_or(0, |span| span.start.min(front.len()));
    let line_start = front[..start].rfind('\n').map_or(0, |at| at + 1);
    let line = front[..start].matches('\n').count();
    let named = ["missing field `", "unknown field `"]
        .iter()
        .find_map(|opening| message.split_once(opening)?.1.split_once('`').map(|(name, _)| name));
    let key = front[line_start..].lines().next().and_then(|text| text.split_once('='));
    let field = match (named, key) {
        (Some(name), _) => name.to_owned(),
        (None, Some((key, _))) => key.trim().to_owned(),
        (None, None) => "front matter".to_owned(),
    };
    // The first line of the file is the opening +++.
    ArticleError { file: file.into(), line: line + 2, field, reason: message }
}

fn line_of(front: &str, field: &str) -> usize {
    let is_field = |line: &str| line.split_once('=').is_some_and(|(key, _)| key.trim() == field);
    front.lines().position(is_field).map_or(1, |at| at + 2)
}

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

    const GOOD: &str = "+++\nid = \"a/b\"\ntitle = \"T\"\naudience = [\"agent\"]\n\
        valid_from = 2026-05-01\n+++\n\n# T\n\n## One\nFirst £9.76.\n\n```\n## no heading\n```\n\n## Two\nLast.\n";

    #[test]
    fn passages_are_slices_of_the_body_and_fences_hide_headings() {
        let article = parse("a/b.md", GOOD).unwrap().article;
        let headings: Vec<_> = article.passages.iter().map(|p| p.heading.as_str()).collect();
        assert_eq!(headings, ["One", "Two"]);
        assert!(article.passages[0].text.contains("## no heading"));
        assert_eq!(article.passages[1].id.as_str(), "a/b#2");
        assert_eq!(article.valid_from, Some(jiff::civil::date(2026, 5, 1)));
    }

    #[test]
    fn errors_name_file_line_and_field() {
        let check = |text: &str, expected: &str| {
            assert_eq!(parse("a/b.md", text).unwrap_err().to_string(), expected);
        };
        check(
            &GOOD.replace("valid_from = 2026-05-01", "valid_from = 12"),
            "a/b.md:5: valid_from: invalid type: integer `12`, expected a TOML datetime",
        );
        check(&GOOD.replace("title = \"T\"\n", ""), "a/b.md:2: title: missing field `title`");
        check(
            &GOOD.replace("a/b\"", "a/c\""),
            "a/b.md:2: id: is \"a/c\", but the path says \"a/b\"",
        );
        check("# hello", "a/b.md:1: front matter: must open with a line +++");
        check("+++\nid = 1\n", "a/b.md:1: front matter: is not closed: a line +++ is missing");
        check(
            &GOOD.replace("\"agent\"", "\"nobody\""),
            "a/b.md:4: audience: unknown variant `nobody`, expected `agent` or `customer`",
        );
    }

    #[test]
    fn phrasings_belong_to_a_heading() {
        let table =
            "valid_from = 2026-05-01\n\n[asked_as]\n\"Two\" = [\"the last one\", \"and then\"]\n";
        let with = |table: &str| parse("a/b.md", &GOOD.replace("valid_from = 2026-05-01\n", table));
        assert_eq!(with(table).unwrap().asked_as, [vec![], vec!["the last one", "and then"]]);
        assert_eq!(
            with(&table.replace("\"Two\"", "\"Three\"")).unwrap_err().to_string(),
            "a/b.md:8: asked_as: no text stands below a heading \"Three\""
        );
        assert_eq!(
            with(&table.replace("and then", " ")).unwrap_err().to_string(),
            "a/b.md:8: asked_as: an empty phrasing for \"Two\""
        );
    }

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

        #[test]
        fn no_text_makes_the_parser_panic(text in "(\\PC|\n|\\+\\+\\+\n){0,200}") {
            let _ = parse("a/b.md", &text);
            let _ = parse("a/b.md", &format!("+++\n{text}\n+++\n{text}"));
        }
    }
}
