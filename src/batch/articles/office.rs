//! The text of PDF and Word files.

use std::io::{Cursor, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};

use roxmltree::{Document, Node};

/// More than this is no text that somebody wrote.
const XML_MAX_BYTES: u64 = 64 << 20;
/// Of all streams of a PDF, pictures too.
const PDF_UNPACKED_MAX: u64 = 256 << 20;

/// The text of a PDF, page after page. Pictures of pages hold none.
///
/// # Errors
/// It can't be read, or holds no text.
pub(super) fn pdf(bytes: &[u8]) -> Result<String, String> {
    if unpacked(bytes) > PDF_UNPACKED_MAX {
        let most = PDF_UNPACKED_MAX >> 20;
        return Err(format!("holds more than {most} MiB when it is unpacked"));
    }
    // The crate gives up on some damaged files by a panic.
    let text = catch_unwind(AssertUnwindSafe(|| pdf_extract::extract_text_from_mem(bytes)))
        .map_err(|_| "is a damaged PDF".to_owned())?
        .map_err(|error| format!("is no readable PDF: {error}"))?;
    let mut body = String::with_capacity(text.len());
    let mut blank = true;
    for line in text.lines().map(str::trim) {
        match (line.is_empty(), blank) {
            (true, true) => {}
            (true, false) => body.push('\n'),
            (false, _) => {
                // Text of a PDF has no markup: a mark at the beginning of a line is a mark.
                if line.starts_with('#') {
                    body.push('\\');
                }
                body.push_str(line);
                body.push('\n');
            }
        }
        blank = line.is_empty();
    }
    match body.trim().is_empty() {
        true => Err("holds no text, only pictures maybe".to_owned()),
        false => Ok(body),
    }
}

/// How many bytes the packed streams of a PDF hold, counted up to a little over the limit: the crate
/// that reads them has none. A stream begins behind its word and a line's end (ISO 32000-1, 7.3.8).
fn unpacked(bytes: &[u8]) -> u64 {
    const WORD: &[u8] = b"stream";
    let (mut total, mut at) = (0, 0);
    while let Some(found) = bytes[at..].windows(WORD.len()).position(|window| window == WORD) {
        at += found + WORD.len();
        let rest = &bytes[at..];
        let begin = rest.iter().take(2).take_while(|byte| b"\r\n".contains(byte)).count();
        let left = PDF_UNPACKED_MAX + 1 - total;
        let mut stream = flate2::read::ZlibDecoder::new(&rest[begin..]).take(left);
        // Whatever is no packed stream ends in an error, and counts for what came before it.
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
        total += left - stream.limit();
        if total > PDF_UNPACKED_MAX {
            break;
        }
    }
    total
}

/// The text of a Word file as Markdown: headings, paragraphs, lists and tables.
///
/// # Errors
/// It is no Word file.
pub(super) fn docx(bytes: &[u8]) -> Result<String, String> {
    let wrong = |what: &dyn std::fmt::Display| format!("is no Word file: {what}");
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| wrong(&error))?;
    let part = archive.by_name("word/document.xml").map_err(|error| wrong(&error))?;
    let mut xml = String::new();
    let read = part.take(XML_MAX_BYTES + 1).read_to_string(&mut xml);
    if read.map_err(|error| wrong(&error))? as u64 > XML_MAX_BYTES {
        return Err(format!("holds more than {} MiB of text", XML_MAX_BYTES >> 20));
    }
    let document = Document::parse(&xml).map_err(|error| wrong(&error))?;
    let body = document.descendants().find(|node| is(node, "body"));
    let mut text = String::new();
    for block in body.iter().flat_map(|body| body.children()) {
        if is(&block, "p") {
            paragraph(&block, &mut text);
        } else if is(&block, "tbl") {
            table(&block, &mut text);
        }
    }
    Ok(text)
}

fn is(node: &Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name
}

fn attribute<'a>(node: &Node<'a, '_>, name: &str) -> Option<&'a str> {
    node.attributes().find(|one| one.name() == name).map(|one| one.value())
}

fn paragraph(node: &Node<'_, '_>, text: &mut String) {
    let words = words(node);
    if words.trim().is_empty() {
        return;
    }
    let style = node.descendants().find(|node| is(node, "pStyle"));
    let style = style.and_then(|style| attribute(&style, "val")).unwrap_or_default();
    let level = match style.strip_prefix("Heading").or_else(|| style.strip_prefix("heading")) {
        Some(level) => level.trim().parse().unwrap_or(1).clamp(1, 6),
        None if style == "Title" => 1,
        None => 0,
    };
    let is_item = node.descendants().any(|node| is(&node, "numPr"));
    match (level, is_item) {
        (0, true) => text.push_str(&format!("- {}\n", words.trim())),
        (0, false) => text.push_str(&format!("\n{}\n", words.trim())),
        (level, _) => text.push_str(&format!("\n{} {}\n", "#".repeat(level), words.trim())),
    }
}

fn words(node: &Node<'_, '_>) -> String {
    let mut words = String::new();
    for part in node.descendants() {
        // What was deleted with changes tracked stands under another name.
        match part.tag_name().name() {
            "t" if part.is_element() => words.push_str(part.text().unwrap_or_default()),
            "tab" if part.parent().is_some_and(|parent| is(&parent, "r")) => words.push(' '),
            "br" | "cr" if part.is_element() => words.push('\n'),
            _ => {}
        }
    }
    words
}

fn table(node: &Node<'_, '_>, text: &mut String) {
    text.push('\n');
    for (number, row) in node.children().filter(|node| is(node, "tr")).enumerate() {
        let cells = row.children().filter(|node| is(node, "tc"));
        let cells: Vec<String> = cells
            .map(|cell| words(&cell).split_whitespace().collect::<Vec<_>>().join(" "))
            .map(|cell| cell.replace('|', "\\|"))
            .collect();
        text.push_str(&format!("| {} |\n", cells.join(" | ")));
        if number == 0 {
            text.push_str(&format!("|{}\n", " --- |".repeat(cells.len())));
        }
    }
    text.push('\n');
}
