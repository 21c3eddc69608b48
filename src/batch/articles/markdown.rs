//! Markdown with front matter in TOML or YAML, or without; and back, to the letter.

use std::fmt::Write as _;

use serde_json::Value;

use super::fields;
use crate::domain::{ArticleId, Audience};
use crate::knowledge::FileArticle;

/// Reads one file.
///
/// # Errors
/// What is wrong with its front matter, or that it says nothing.
pub fn read_markdown(id: &ArticleId, text: &str) -> Result<FileArticle, String> {
    let (prefix, front) = split(text)?;
    let body = &text[prefix.len()..];
    let fields = match front {
        Front::None => Value::Object(fields::Fields::new()),
        Front::Toml(front) => toml::from_str(front).map_err(|error| complaint(error.message()))?,
        Front::Yaml(front) if front.trim().is_empty() => Value::Object(fields::Fields::new()),
        Front::Yaml(front) => {
            serde_saphyr::from_str(front).map_err(|error| complaint(&error.to_string()))?
        }
    };
    let Value::Object(fields) = fields else { return Err(complaint("is no list of fields")) };
    let named = fields::id(&fields)?;
    // Its own name counts in a tree only where it says the same in another way.
    let says_the_same = |named: &String| {
        let folders = named.strip_suffix(id.as_str());
        folders.is_some_and(|folders| folders.is_empty() || folders.ends_with('/'))
    };
    let id = named.filter(says_the_same).map_or(id.clone(), ArticleId::from);
    let mut article = fields::article(&id, &fields, Some(body.to_owned()))?;
    article.front_matter = Some(prefix.to_owned());
    Ok(article)
}

fn complaint(message: &str) -> String {
    let first = message.lines().next().unwrap_or("can't be read");
    format!("front matter: {first}")
}

enum Front<'a> {
    None,
    Toml(&'a str),
    Yaml(&'a str),
}

/// Everything above the body, and the fields in it.
fn split(text: &str) -> Result<(&str, Front<'_>), String> {
    let bare = text.trim_start_matches('\u{feff}');
    let mark = match bare.lines().next().map(str::trim_end) {
        Some(mark @ ("+++" | "---")) => mark,
        _ => return Ok((&text[..text.len() - bare.len()], Front::None)),
    };
    let mut lines = bare.split_inclusive('\n');
    let mut at = lines.next().map_or(0, str::len);
    let begin = at;
    for line in lines {
        let end = at + line.len();
        if line.trim_end() == mark {
            let body = bare[end..].trim_start_matches(['\r', '\n']);
            let front = match mark {
                "+++" => Front::Toml(&bare[begin..at]),
                _ => Front::Yaml(&bare[begin..at]),
            };
            return Ok((&text[..text.len() - body.len()], front));
        }
        at = end;
    }
    // A rule may stand at the top of a text.
    match mark {
        "---" => Ok((&text[..text.len() - bare.len()], Front::None)),
        _ => Err(complaint("is not closed: a line +++ is missing")),
    }
}

/// The file that an article is: what it came from where nothing but the body has changed, else with
/// new front matter.
pub fn to_markdown(article: &FileArticle) -> String {
    if let Some(prefix) = &article.front_matter {
        let text = format!("{prefix}{}", article.body);
        if read_markdown(&article.id, &text).as_ref() == Ok(article) {
            return text;
        }
    }
    format!("{}{}", front_matter(article), article.body)
}

fn front_matter(article: &FileArticle) -> String {
    let text = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let list = |texts: &mut dyn Iterator<Item = &str>| {
        format!("[{}]", texts.map(text).collect::<Vec<_>>().join(", "))
    };
    let audience = list(&mut article.audience.iter().copied().map(Audience::as_str));
    let products = list(&mut article.products.iter().map(String::as_str));
    let mut front = format!(
        "+++\nid = {}\ntitle = {}\naudience = {audience}\n",
        text(article.id.as_str()),
        text(&article.title)
    );
    // Writing to a string can't fail.
    let mut line = |name: &str, value: String| {
        let _ = writeln!(front, "{name} = {value}");
    };
    if !article.products.is_empty() {
        line("products", products);
    }
    line("language", text(&article.language));
    for (name, day) in [
        ("valid_from", article.valid_from),
        ("valid_until", article.valid_until),
        ("review_by", article.review_by),
    ] {
        if let Some(day) = day {
            line(name, day.to_string());
        }
    }
    if let Some(source) = &article.source {
        line("source", text(source));
    }
    if article.verbatim {
        line("verbatim", "true".to_owned());
    }
    if !article.asked_as.is_empty() {
        front.push_str("\n[asked_as]\n");
        for (heading, phrasings) in &article.asked_as {
            let phrasings = list(&mut phrasings.iter().map(String::as_str));
            let _ = writeln!(front, "{} = {phrasings}", text(heading));
        }
    }
    front.push_str("+++\n\n");
    front
}
