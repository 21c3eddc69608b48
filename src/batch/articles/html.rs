//! HTML → Markdown. Scripts, styles and everything that isn't text is left out.

use htmd::HtmlToMarkdown;

use super::plain;
use crate::domain::ArticleId;
use crate::knowledge::FileArticle;

/// Elements that say nothing to a reader, with all that is in them.
const LEFT_OUT: &[&str] = &[
    "script", "style", "noscript", "template", "iframe", "object", "embed", "svg", "canvas",
    "form", "nav", "head",
];

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
    let converter = HtmlToMarkdown::builder().skip_tags(LEFT_OUT.to_vec()).build();
    let markdown = converter.convert(html).map_err(|error| format!("can't be read: {error}"))?;
    let mut text: String = markdown.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    // A link that runs a program is none.
    for scheme in ["javascript:", "vbscript:", "data:text/html"] {
        let mut lower = text.to_ascii_lowercase();
        while let Some(at) = lower.find(&format!("]({scheme}")) {
            let rest = &text[at + 2..];
            let end = at + 2 + rest.find([')', '\n']).unwrap_or(rest.len());
            text.replace_range(at + 2..end, "#");
            lower = text.to_ascii_lowercase();
        }
    }
    Ok(text)
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
