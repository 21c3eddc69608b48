//! Markdown with TOML front matter → [`Article`]. Every passage is a verbatim slice of the body.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize;

use super::error::ArticleError;
use super::passages::passages;
use crate::domain::{
    Article, ArticleContent, ArticleId, ArticleRevision, ArticleState, Audience, Passage, Redacted,
};

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
    valid_until: Option<toml::value::Datetime>,
    review_by: Option<toml::value::Datetime>,
    source: Option<String>,
    #[serde(default)]
    verbatim: bool,
    #[serde(default)]
    asked_as: BTreeMap<String, Vec<String>>,
}

/// What a file says, as it stands there: nothing is masked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileArticle {
    pub id: ArticleId,
    pub title: String,
    pub body: String,
    pub audience: Vec<Audience>,
    pub products: Vec<String>,
    pub language: String,
    pub valid_from: Option<Date>,
    pub valid_until: Option<Date>,
    pub review_by: Option<Date>,
    pub source: Option<String>,
    pub verbatim: bool,
    pub asked_as: BTreeMap<String, Vec<String>>,
    /// Everything above the body, to the letter.
    pub front_matter: Option<String>,
}

impl FileArticle {
    pub fn of_content(id: ArticleId, content: &ArticleContent) -> Self {
        let text = |text: &Redacted| text.as_str().to_owned();
        let asked = |(heading, phrasings): (&String, &Vec<Redacted>)| {
            (heading.clone(), phrasings.iter().map(text).collect())
        };
        Self {
            id,
            title: text(&content.title),
            body: text(&content.body),
            audience: content.audience.clone(),
            products: content.products.clone(),
            language: content.language.clone(),
            valid_from: content.valid_from,
            valid_until: content.valid_until,
            review_by: content.review_by,
            source: content.source.clone(),
            verbatim: content.verbatim,
            asked_as: content.asked_as.iter().map(asked).collect(),
            front_matter: content.front_matter.as_ref().map(text),
        }
    }

    /// With secrets masked, as it goes into the log.
    pub fn masked(self, mask: &dyn Fn(&str) -> Redacted) -> ArticleContent {
        let plain = |text: &String| mask(text).as_str().to_owned();
        let asked = |(heading, phrasings): (&String, &Vec<String>)| {
            (plain(heading), phrasings.iter().map(|phrasing| mask(phrasing)).collect())
        };
        ArticleContent {
            title: mask(&self.title),
            body: mask(&self.body),
            audience: self.audience,
            products: self.products.iter().map(plain).collect(),
            language: self.language,
            valid_from: self.valid_from,
            valid_until: self.valid_until,
            review_by: self.review_by,
            source: self.source.as_ref().map(plain),
            verbatim: self.verbatim,
            asked_as: self.asked_as.iter().map(asked).collect(),
            front_matter: self.front_matter.as_deref().map(mask),
        }
    }
}

/// An article, and how people ask for each of its passages. The phrasings only help to find a
/// passage, so they stay in this room: no card can quote one.
#[derive(Debug)]
pub struct Written {
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
pub fn read(file: &str, text: &str) -> Result<FileArticle, ArticleError> {
    let (front, body) = split_front_matter(file, text.trim_start_matches('\u{feff}'))?;
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
    let date = |field: &str, value: Option<toml::value::Datetime>| {
        let Some(value) = value else { return Ok(None) };
        let date: Result<Date, _> = value.to_string().parse();
        date.map(Some).map_err(|_| complain(field, format!("{value} is not a date")))
    };
    let audience = matter.audience.iter().map(|name| match name {
        AudienceName::Agent => Audience::Agent,
        AudienceName::Customer => Audience::Customer,
    });
    let article = FileArticle {
        id: ArticleId::from(matter.id),
        title: matter.title,
        body: body.to_owned(),
        audience: audience.collect(),
        products: matter.products,
        language: matter.language,
        valid_from: date("valid_from", matter.valid_from)?,
        valid_until: date("valid_until", matter.valid_until)?,
        review_by: date("review_by", matter.review_by)?,
        source: matter.source,
        verbatim: matter.verbatim,
        asked_as: matter.asked_as,
        front_matter: Some(text[..text.len() - body.len()].to_owned()),
    };
    check(&article).map_err(|Mistake { field, key, reason }| {
        let line = match (field, &key) {
            ("body", _) => front.lines().count() + 3,
            (_, Some(key)) => line_of(front, &format!("{key:?}")),
            (_, None) => line_of(front, field),
        };
        ArticleError { file: file.into(), line, field: field.into(), reason }
    })?;
    Ok(article)
}

/// What is wrong with an article, wherever it comes from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct Mistake {
    pub field: &'static str,
    /// The heading, where phrasings are wrong.
    pub key: Option<String>,
    pub reason: String,
}

/// No article is larger: it has to go through a request, and nobody reads more.
pub const BODY_MAX_BYTES: usize = 240 << 10;
const TITLE_MAX_CHARS: usize = 300;
const ID_MAX_CHARS: usize = 200;
const LIST_MAX: usize = 200;
const PHRASING_MAX_CHARS: usize = 300;
/// Each phrasing of a heading stands with each passage below it.
const PHRASINGS_MAX: usize = 2_000;
/// A file or folder has this name, and filesystems take no longer one.
const PART_MAX_BYTES: usize = 240;

/// Says what is wrong with an article, first things first.
///
/// # Errors
/// It can't be searched or cited as it is.
pub fn check(article: &FileArticle) -> Result<(), Mistake> {
    let mistake = |field, reason: String| Err(Mistake { field, key: None, reason });
    let id = article.id.as_str();
    let is_plain = |c: char| c.is_alphanumeric() || "-_./ ".contains(c);
    let is_name = |part: &str| {
        let is_file = part.to_ascii_lowercase().ends_with(".md");
        let is_bare = part.trim() == part && !part.starts_with('.') && !is_file;
        (1..=PART_MAX_BYTES).contains(&part.len()) && is_bare
    };
    if !id.split('/').all(is_name) || !id.chars().all(is_plain) {
        return mistake(
            "id",
            format!(
                "is a path such as billing/refunds: letters, digits, - _ . and spaces, each part of \
                 {PART_MAX_BYTES} bytes at most and without .md"
            ),
        );
    }
    if id.chars().count() > ID_MAX_CHARS {
        return mistake("id", format!("has {ID_MAX_CHARS} characters at most"));
    }
    let title = article.title.trim();
    if title.is_empty() {
        return mistake("title", "is empty".into());
    }
    if title.chars().count() > TITLE_MAX_CHARS || title.contains(char::is_control) {
        return mistake("title", format!("is one line of {TITLE_MAX_CHARS} characters at most"));
    }
    if article.audience.is_empty() {
        return mistake("audience", "is empty: name agent, customer or both".into());
    }
    let language = article.language.as_str();
    let mut tags = language.split('-');
    let is_code = |code: &str| {
        (2..=3).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphabetic())
    };
    let is_tag = |tag: &str| {
        (1..=8).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    if language.len() > 16 || !tags.next().is_some_and(is_code) || !tags.all(is_tag) {
        return mistake("language", format!("{language:?} is no language code, such as en"));
    }
    if article.products.len() > LIST_MAX || article.products.iter().any(|one| one.len() > 200) {
        return mistake("products", format!("are {LIST_MAX} at most, each of 200 bytes"));
    }
    if article.valid_from.zip(article.valid_until).is_some_and(|(from, until)| until < from) {
        return mistake("valid_until", "is before valid_from".into());
    }
    let bytes = article.body.len() + article.front_matter.as_ref().map_or(0, String::len);
    if bytes > BODY_MAX_BYTES {
        let most = BODY_MAX_BYTES >> 10;
        return mistake("body", format!("is {} KiB long, {most} KiB are the most", bytes >> 10));
    }
    let passages = passages(&article.id, title, &article.body);
    if passages.is_empty() {
        return mistake("body", "holds no text below a heading".into());
    }
    let below =
        |heading: &str| passages.iter().filter(|passage| passage.heading == bare(heading)).count();
    let mut count = 0_usize;
    for (heading, phrasings) in &article.asked_as {
        count = count.saturating_add(phrasings.len().saturating_mul(below(heading)));
        if phrasings.iter().any(|one| one.chars().count() > PHRASING_MAX_CHARS) {
            let reason = format!("have {PHRASING_MAX_CHARS} characters at most, each");
            return Err(Mistake { field: "asked_as", key: Some(heading.clone()), reason });
        }
    }
    if count > PHRASINGS_MAX {
        let reason = format!("are {PHRASINGS_MAX} at most, over all passages");
        return mistake("asked_as", reason);
    }
    asked_as(&article.asked_as, &passages).map(drop).map_err(|(key, reason)| Mistake {
        field: "asked_as",
        key: Some(key),
        reason,
    })
}

impl Written {
    /// What stands in a file, as if it had just been published.
    pub fn of_file(file: FileArticle) -> Self {
        Self::of(file, 1, ArticleState::Published)
    }

    pub fn of_revision(revision: &ArticleRevision) -> Self {
        let file = FileArticle::of_content(revision.article.clone(), &revision.content);
        Self::of(file, revision.number, revision.state())
    }

    /// Phrasings for a heading that is gone are left out.
    fn of(file: FileArticle, revision: u32, state: ArticleState) -> Self {
        let passages = passages(&file.id, &file.title, &file.body);
        let known = |(key, _): &(&String, &Vec<String>)| {
            passages.iter().any(|passage| passage.heading == bare(key))
        };
        let said = file.asked_as.iter().filter(known).map(|(k, v)| (k.clone(), v.clone()));
        let asked_as = asked_as(&said.collect(), &passages)
            .unwrap_or_else(|_| vec![Vec::new(); passages.len()]);
        let article = Article {
            id: file.id,
            title: file.title,
            body: file.body,
            revision,
            state,
            audience: file.audience,
            products: file.products,
            language: file.language,
            valid_from: file.valid_from,
            valid_until: file.valid_until,
            review_by: file.review_by,
            source: file.source,
            verbatim: file.verbatim,
            passages,
        };
        Self { article, asked_as }
    }
}

/// Hands each heading's phrasings to its passages; a long section is several. The error is the key
/// and what is wrong with it.
fn asked_as(
    said: &BTreeMap<String, Vec<String>>,
    passages: &[Passage],
) -> Result<Vec<Vec<String>>, (String, String)> {
    let mut asked = vec![Vec::new(); passages.len()];
    for (key, phrasings) in said {
        let heading = bare(key);
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

fn bare(heading: &str) -> &str {
    heading.trim_start_matches('#').trim()
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "+++\nid = \"a/b\"\ntitle = \"T\"\naudience = [\"agent\"]\n\
        valid_from = 2026-05-01\n+++\n\n# T\n\n## One\nFirst £9.76.\n\n```\n## no heading\n```\n\n## Two\nLast.\n";

    #[test]
    fn passages_are_slices_of_the_body_and_fences_hide_headings() {
        let article = Written::of_file(read("a/b.md", GOOD).unwrap()).article;
        let headings: Vec<_> = article.passages.iter().map(|p| p.heading.as_str()).collect();
        assert_eq!(headings, ["One", "Two"]);
        assert!(article.passages[0].text.contains("## no heading"));
        assert_eq!(article.passages[1].id.as_str(), "a/b#2");
        assert_eq!(article.valid_from, Some(jiff::civil::date(2026, 5, 1)));
    }

    #[test]
    fn errors_name_file_line_and_field() {
        let check = |text: &str, expected: &str| {
            assert_eq!(read("a/b.md", text).unwrap_err().to_string(), expected);
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
        let with = |table: &str| {
            read("a/b.md", &GOOD.replace("valid_from = 2026-05-01\n", table)).map(Written::of_file)
        };
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
        fn no_text_makes_the_parser_panic(text in "(\\PC|\n|\\+\\+\\+\n){0,200}") {
            let _ = read("a/b.md", &text);
            let _ = read("a/b.md", &format!("+++\n{text}\n+++\n{text}"));
        }
    }
}
