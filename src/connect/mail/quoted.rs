//! What was written newly in a reply: not the history below it, not the signature.
//!
//! Programs mark history in their own ways and languages, so these are rules of thumb. They err on the side of keeping:
//! a history that stays is read twice, a sentence that is lost is not read at all.

use std::sync::LazyLock;

use regex::Regex;

/// "On Monday … wrote:", in the words of common programs, perhaps broken over lines.
static ATTRIBUTION: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)^\s*(on\b.{6,250}\bwrote|am\b.{6,250}\bschrieb\b.{0,120}|le\b.{6,250}\ba écrit|el\b.{6,250}\bescribió|il\b.{6,250}\bha scritto|op\b.{6,250}\bschreef\b.{0,120}|em\b.{6,250}\bescreveu)\s*:\s*$",
    )
});

/// "-----Original Message-----" in several languages.
static SEPARATOR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)^\s*-{2,}\s*(original message|ursprüngliche nachricht|message d'origine|mensaje original|messaggio originale|oorspronkelijk bericht|mensagem original)\s*-{2,}\s*$",
    )
});

static FROM: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)^\s*\*?(from|von|de|da|van)\s?:\*?\s.*\S"));
static SENT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)^\s*\*?(sent|date|gesendet|datum|envoyé|enviado|fecha|inviato|data|verzonden)\s?:",
    )
});

static SUBJECT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)^\s*\*?(subject|betreff|objet|asunto|oggetto|onderwerp|assunto)\s?:")
});

/// What telephones add.
static DEVICE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)^\s*(sent from my \S.{0,40}|get outlook for \S.{0,20}|von meinem \S.{0,40} gesendet|gesendet von .{0,60}|envoyé (de|depuis) mon .{0,40}|enviado desde mi .{0,40}|inviato da(l mio)? .{0,40})\s*$",
    )
});

/// Where HTML of common programs begins its history.
const HISTORY_IN_HTML: [&str; 9] = [
    "class=\"gmail_quote",
    "class=\"gmail_attr",
    "<blockquote",
    "id=\"appendonsend\"",
    "id=\"divrplyfwdmsg\"",
    "id=\"mail-editor-reference-message-container\"",
    "class=\"moz-cite-prefix\"",
    "class=\"yahoo_quoted",
    "border-top:solid #e1e1e1 1.0pt",
];

/// So many lines may a broken attribution take, and a header block.
const BROKEN_LINES: usize = 4;
const BLOCK_LINES: usize = 7;

fn pattern(text: &str) -> Regex {
    // Written here and covered by the tests: it can't fail for a message.
    Regex::new(text).unwrap_or_else(|error| panic!("a pattern of this file: {error}"))
}

/// The new part of a plain text; the whole where nothing else would be left.
pub(super) fn without_history(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let lines: Vec<&str> = text.lines().collect();
    let mut kept: Vec<&str> = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        // RFC 3676, section 4.3; many programs strip the space.
        if line == "-- " || line == "--" {
            break;
        }
        if SEPARATOR.is_match(line) || is_header_block(&lines[at..]) {
            break;
        }
        if let Some(length) = attribution(&lines[at..]) {
            at += length;
            // With marks only what is marked is history: the answer may stand below it.
            match lines[at..].iter().find(|line| !line.trim().is_empty()) {
                Some(next) if is_marked(next) => continue,
                _ => break,
            }
        }
        if !is_marked(line) {
            kept.push(line);
        }
        at += 1;
    }
    while kept.last().is_some_and(|line| line.trim().is_empty() || DEVICE.is_match(line)) {
        kept.pop();
    }
    // Outlook draws a line above its header block.
    while kept.last().is_some_and(|line| is_rule(line)) {
        kept.pop();
    }
    let fresh = kept.join("\n").trim().to_owned();
    if fresh.is_empty() { text.trim().to_owned() } else { fresh }
}

/// The text of HTML before its history begins; of all of it where nothing stands before.
pub(super) fn html(html: &str, to_text: fn(&str) -> String) -> String {
    // Same length: only letters of ASCII change.
    let lower = html.to_ascii_lowercase();
    let first = HISTORY_IN_HTML.iter().filter_map(|mark| lower.find(mark)).min();
    let before = first.map(|at| {
        // From inside a tag back to its beginning.
        let at = html[..at].rfind('<').filter(|open| !html[*open..at].contains('>')).unwrap_or(at);
        to_text(&html[..at])
    });
    match before {
        Some(before) if !before.trim().is_empty() => before,
        _ => to_text(html),
    }
}

fn is_marked(line: &str) -> bool {
    line.trim_start().starts_with('>')
}

fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || (line.len() >= 10 && line.bytes().all(|byte| matches!(byte, b'_' | b'-')))
}

/// How many lines it takes, if one begins here.
fn attribution(lines: &[&str]) -> Option<usize> {
    let mut joined = String::new();
    for (at, line) in lines.iter().take(BROKEN_LINES).enumerate() {
        if line.trim().is_empty() || is_marked(line) {
            return None;
        }
        joined.push_str(line.trim());
        joined.push(' ');
        if joined.len() > 600 {
            return None;
        }
        if ATTRIBUTION.is_match(&joined) {
            return Some(at + 1);
        }
    }
    None
}

/// "From: … Sent: … Subject: …", as Outlook writes it above what it quotes. Two of the three a customer may write who
/// wants to travel.
fn is_header_block(lines: &[&str]) -> bool {
    let block = || lines.iter().take(BLOCK_LINES).take_while(|line| !line.trim().is_empty());
    lines.first().is_some_and(|line| FROM.is_match(line))
        && block().any(|line| SENT.is_match(line))
        && block().any(|line| SUBJECT.is_match(line))
}
