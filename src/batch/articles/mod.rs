//! Articles as they lie in files: Markdown trees, HTML, PDF, DOCX, tables of questions and answers,
//! archives of all these; and as they stand on a site. What can't be read is named, and the rest is read.

mod fields;
mod html;
mod markdown;
mod office;
mod packed;
mod rows;
mod site;

use std::path::{Path, PathBuf};

pub use self::markdown::{read_markdown, to_markdown};
pub use self::site::gather_site;
use crate::domain::ArticleId;
use crate::knowledge::{BODY_MAX_BYTES, FileArticle, check};

/// A document in a format that holds more than its text is no larger.
const FILE_MAX_BYTES: u64 = 32 << 20;
/// Nor is a table or an archive.
const TABLE_MAX_BYTES: u64 = 256 << 20;

/// One article that was found, or what is wrong with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The file, and the place in it.
    pub place: String,
    /// Of what can't be read this time, where that is known.
    pub id: Option<ArticleId>,
    pub article: Result<FileArticle, String>,
    /// What is odd about it, and hinders nothing.
    pub notes: Vec<String>,
}

impl Found {
    fn wrong(place: impl Into<String>, why: impl Into<String>) -> Self {
        Self { place: place.into(), id: None, article: Err(why.into()), notes: Vec::new() }
    }
}

/// Reads files and folders; `prefix` is put before each article's id.
pub fn gather(paths: &[PathBuf], prefix: &str, on_found: &mut dyn FnMut(Found)) {
    for path in paths {
        // A link that leads back to a folder above it is an error of that entry.
        let entries = walkdir::WalkDir::new(path).follow_links(true).sort_by_file_name();
        let is_hidden = |entry: &walkdir::DirEntry| {
            entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.')
        };
        for entry in entries.into_iter().filter_entry(|entry| !is_hidden(entry)) {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let place = error.path().unwrap_or(path).display().to_string();
                    on_found(Found::wrong(place, error.to_string()));
                    continue;
                }
            };
            if !entry.file_type().is_file() {
                continue;
            }
            let below = entry.path().strip_prefix(path).ok();
            let below = below.filter(|below| !below.as_os_str().is_empty());
            let name = match below {
                Some(below) => joined(below),
                None => entry.file_name().to_string_lossy().into_owned(),
            };
            let is_named = below.is_none();
            let origin = Origin {
                place: entry.path().display().to_string(),
                name: format!("{prefix}{name}"),
                prefix,
            };
            read_file(entry.path(), &origin, is_named, on_found);
        }
    }
}

/// Where something was found.
struct Origin<'a> {
    place: String,
    /// The path below what was named, with `/`.
    name: String,
    prefix: &'a str,
}

impl Origin<'_> {
    fn id(&self) -> ArticleId {
        let stem = self.name.rsplit_once('.').map_or(&*self.name, |(stem, _)| stem);
        id_of(stem)
    }
}

/// What an id may hold; anything else becomes a dash.
fn id_of(name: &str) -> ArticleId {
    let plain = |c: char| if c.is_alphanumeric() || "-_./".contains(c) { c } else { '-' };
    let parts = name.split('/').filter(|part| !part.is_empty());
    let parts = parts.map(|part| part.trim_start_matches('.')).filter(|part| !part.is_empty());
    let parts = parts.map(|part| part.chars().map(plain).collect());
    ArticleId::from(parts.collect::<Vec<String>>().join("/"))
}

fn joined(path: &Path) -> String {
    let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

/// What a file is, by the end of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Markdown,
    Html,
    Text,
    Pdf,
    Docx,
    Csv,
    Json,
    JsonLines,
    Zip,
}

impl Kind {
    fn of(name: &str) -> Option<Self> {
        let (_, end) = name.rsplit_once('.')?;
        Some(match end.to_ascii_lowercase().as_str() {
            "md" | "markdown" | "mdx" => Self::Markdown,
            "html" | "htm" | "xhtml" => Self::Html,
            "txt" => Self::Text,
            "pdf" => Self::Pdf,
            "docx" => Self::Docx,
            "csv" => Self::Csv,
            "json" => Self::Json,
            "jsonl" | "ndjson" => Self::JsonLines,
            "zip" => Self::Zip,
            _ => return None,
        })
    }

    const fn max_bytes(self) -> u64 {
        match self {
            Self::Markdown | Self::Text => BODY_MAX_BYTES as u64,
            Self::Html | Self::Pdf | Self::Docx => FILE_MAX_BYTES,
            Self::Csv | Self::Json | Self::JsonLines | Self::Zip => TABLE_MAX_BYTES,
        }
    }
}

fn read_file(path: &Path, origin: &Origin<'_>, is_named: bool, on_found: &mut dyn FnMut(Found)) {
    let Some(kind) = Kind::of(&origin.name) else {
        // A tree holds pictures and what not; whoever names a file means it.
        if is_named {
            let known = "md, html, txt, pdf, docx, csv, json, jsonl or zip";
            on_found(Found::wrong(&origin.place, format!("is no {known} file")));
        }
        return;
    };
    // At the top of a tree it is for people.
    if !is_named && origin.name == format!("{}README.md", origin.prefix) {
        return;
    }
    let length = std::fs::metadata(path).map(|file| file.len());
    match length {
        Ok(length) if length > kind.max_bytes() => {
            return on_found(Found::wrong(&origin.place, too_long(length, kind.max_bytes())));
        }
        Err(error) => return on_found(Found::wrong(&origin.place, error.to_string())),
        Ok(_) => {}
    }
    if kind == Kind::Zip {
        return packed::read(path, origin, on_found);
    }
    match std::fs::read(path) {
        Ok(bytes) => read_bytes(kind, &bytes, origin, on_found),
        Err(error) => on_found(Found::wrong(&origin.place, error.to_string())),
    }
}

fn too_long(bytes: u64, most: u64) -> String {
    let shown = |bytes: u64| match bytes >> 20 {
        0 => format!("{} KiB", bytes >> 10),
        mebibytes => format!("{mebibytes} MiB"),
    };
    format!("is {} long, {} are the most", shown(bytes), shown(most))
}

fn read_bytes(kind: Kind, bytes: &[u8], origin: &Origin<'_>, on_found: &mut dyn FnMut(Found)) {
    let text = || {
        std::str::from_utf8(bytes)
            .map_err(|error| format!("is not UTF-8 at byte {}", error.valid_up_to()))
    };
    let read = match kind {
        Kind::Csv => return rows::csv(bytes, origin, on_found),
        Kind::Json => return rows::json(bytes, origin, on_found),
        Kind::JsonLines => return rows::json_lines(bytes, origin, on_found),
        // `read_file` and `packed` open archives; none is opened inside another.
        Kind::Zip => Err("is an archive in an archive".to_owned()),
        Kind::Markdown => text().and_then(|text| read_markdown(&origin.id(), text)),
        Kind::Text => text().and_then(|text| plain(&origin.id(), None, text.to_owned())),
        Kind::Html => text().and_then(|text| html::read(&origin.id(), text)),
        Kind::Pdf => office::pdf(bytes).and_then(|body| plain(&origin.id(), None, body)),
        Kind::Docx => office::docx(bytes).and_then(|body| plain(&origin.id(), None, body)),
    };
    on_found(Found { id: Some(origin.id()), ..finished(&origin.place, read) });
}

/// Looks at what was read as everything that is written is looked at.
fn finished(place: &str, read: Result<FileArticle, String>) -> Found {
    let article = read.and_then(|article| match check(&article) {
        Ok(()) => Ok(article),
        Err(mistake) => Err(mistake.to_string()),
    });
    let notes = article.as_ref().ok().and_then(links_to_itself).into_iter().collect();
    Found { place: place.to_owned(), id: None, article, notes }
}

/// An article of nothing but text.
fn plain(id: &ArticleId, title: Option<String>, body: String) -> Result<FileArticle, String> {
    let mut fields = serde_json::Map::new();
    if let Some(title) = title {
        fields.insert("title".into(), title.into());
    }
    fields::article(id, &fields, Some(body))
}

/// The first link in the text that leads to the article that it stands in.
fn links_to_itself(article: &FileArticle) -> Option<String> {
    let id = article.id.as_str();
    let folder = id.rsplit_once('/').map_or("", |(folder, _)| folder);
    let links = article.body.split("](").skip(1);
    let own = links.filter_map(|rest| rest.split([')', ' ', '\n']).next()).find(|target| {
        let bare = target.strip_suffix(".md").or_else(|| target.strip_suffix(".html"));
        let bare = bare.unwrap_or(target);
        if target.contains([':', '#', '?']) || bare.is_empty() {
            return false;
        }
        let mut parts: Vec<&str> = match bare.starts_with('/') {
            true => Vec::new(),
            false => folder.split('/').filter(|part| !part.is_empty()).collect(),
        };
        for part in bare.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop();
                }
                part => parts.push(part),
            }
        }
        parts.join("/") == id
    })?;
    Some(format!("links to itself: {own}"))
}

#[cfg(test)]
mod tests;
