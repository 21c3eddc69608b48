//! HTML → Markdown. Scripts, styles and everything that isn't text is left out.

use std::sync::LazyLock;

use htmd::HtmlToMarkdown;
use regex::Regex;

use super::plain;
use crate::domain::ArticleId;
use crate::knowledge::FileArticle;

/// Elements that say nothing to a reader, with all that is in them.
const LEFT_OUT: &[&str] = &[
    "script", "style", "noscript", "template", "iframe", "object", "embed", "svg", "canvas",
    "form", "nav", "head",
];

/// No page that people read is deeper.
const DEPTH_MAX: usize = 400;
/// Elements without an end, or whose end may be left out, so that counting them means nothing.
const UNENDED: &[&str] = &[
    "area", "base", "br", "col", "colgroup", "dd", "dt", "embed", "hr", "img", "input", "li",
    "link", "meta", "option", "p", "param", "source", "tbody", "td", "tfoot", "th", "thead", "tr",
    "track", "wbr",
];

/// The address of a link, with parentheses in it.
static RUNS_A_PROGRAM: LazyLock<Regex> = LazyLock::new(|| {
    let scheme = r"(?i)\]\(<?\s*(?:javascript|vbscript|data:text/html)";
    Regex::new(&format!(r"{scheme}(?:[^()\n]|\([^()\n]*\))*\)?"))
        .expect("the pattern is a constant; this is a bug")
});

pub(super) fn read(id: &ArticleId, html: &str) -> Result<FileArticle, String> {
    let body = to_markdown(html)?;
    let title = between(html, "<title", "</title>").map(|title| {
        let text = title.split_once('>').map_or("", |(_, text)| text);
        // A title's character references are decoded as those of a text are.
        to_markdown(&format!("<p>{text}</p>")).unwrap_or_default().trim().to_owned()
    });
    let mut article = plain(id, title.filter(|title| !title.is_empty()), body)?;
    if let Some(language) = language(html) {
        article.language = language;
    }
    Ok(article)
}

pub(super) fn to_markdown(html: &str) -> Result<String, String> {
    if depth(html) > DEPTH_MAX {
        return Err(format!("its elements stand in one another more than {DEPTH_MAX} deep"));
    }
    let converter = HtmlToMarkdown::builder().skip_tags(LEFT_OUT.to_vec()).build();
    let markdown = converter.convert(html).map_err(|error| format!("can't be read: {error}"))?;
    let text: String = markdown.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    // A link that runs a program is none.
    Ok(RUNS_A_PROGRAM.replace_all(&text, "](#)").into_owned())
}

/// How deep elements stand in one another, about: the converter calls itself for each.
fn depth(html: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for tag in html.split('<').skip(1) {
        let (is_end, name) = match tag.strip_prefix('/') {
            Some(rest) => (true, rest),
            None => (false, tag),
        };
        let end = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
        let name = name[..end].to_ascii_lowercase();
        let is_empty = tag.split('>').next().is_some_and(|tag| tag.ends_with('/'));
        if name.is_empty() || is_empty || UNENDED.contains(&name.as_str()) {
            continue;
        }
        depth = if is_end { depth.saturating_sub(1) } else { depth + 1 };
        deepest = deepest.max(depth);
    }
    deepest
}

fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    let lower = text.to_ascii_lowercase();
    let start = lower.find(open)? + open.len();
    let end = start + lower[start..].find(close)?;
    text.get(start..end)
}

fn language(html: &str) -> Option<String> {
    let head = between(html, "<html", ">")?;
    let value = head.split_once("lang=")?.1.trim_start_matches(['"', '\'']);
    let code: String = value.chars().take_while(|c| c.is_ascii_alphabetic()).collect();
    (2..=3).contains(&code.len()).then(|| code.to_lowercase())
}
