//! Texts on their way into a CRM and back: the marker at their end, what is cut, and markup.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::domain::{ActivityKind, CallRecord, DedupeKey, Direction, DueAt, NewNote, Redacted};
use crate::insight::redaction::typed;

const MARKER_BEGIN: &str = "[backchannel:";
const INBOUND: &str = "Inbound call, ";
const OUTBOUND: &str = "Outbound call, ";
/// Where something was cut off.
const CUT: &str = " […]";

/// A text that a system without a field for keys knows an effect by: the marker is its last line. No longer than
/// `max` characters, whatever is cut.
pub fn marked(text: &str, key: &DedupeKey, max: usize) -> String {
    let marker = key.marker();
    match max.saturating_sub(marker.chars().count() + 2) {
        0 => marker,
        room => format!("{}\n\n{marker}", cut(text, room)),
    }
}

/// The same for a system that counts bytes.
pub fn marked_in_bytes(text: &str, key: &DedupeKey, max: usize) -> String {
    let mut room = max;
    loop {
        let whole = marked(text, key, room);
        let over = whole.len().saturating_sub(max);
        if over == 0 || room == 0 {
            return whole;
        }
        // A character has four bytes at the most, so that no step takes too many.
        room = room.saturating_sub(over.div_ceil(4));
    }
}

/// Whether a text bears the key's marker; the brackets make it the whole key.
pub fn bears(text: &str, key: &DedupeKey) -> bool {
    text.contains(&key.marker())
}

/// The first `max` characters.
pub fn cut(text: &str, max: usize) -> String {
    if text.chars().nth(max).is_none() {
        return text.to_owned();
    }
    let Some(room) = max.checked_sub(CUT.chars().count()) else {
        return text.chars().take(max).collect();
    };
    let mut kept: String = text.chars().take(room).collect();
    kept.truncate(kept.trim_end().len());
    kept + CUT
}

/// What people read of a text that came back: without our markers.
pub fn shown(text: &str) -> Redacted {
    let mut rest = text;
    let mut out = String::with_capacity(text.len());
    while let Some(begin) = rest.find(MARKER_BEGIN) {
        let Some(end) = rest[begin..].find(']') else { break };
        out.push_str(&rest[..begin]);
        rest = &rest[begin + end + 1..];
    }
    out.push_str(rest);
    typed(out.trim())
}

/// Of two texts the first is a title, in systems where a note has none.
pub fn titled(subject: &str, body: &str) -> String {
    match (subject.trim(), body.trim()) {
        ("", text) | (text, "") => text.to_owned(),
        (subject, body) => format!("{subject}\n\n{body}"),
    }
}

/// What an entry is that may be one of ours: a call was written by `call`, in a system that has none.
pub fn kind(text: &str) -> ActivityKind {
    let says_so = |line: &str| line.starts_with(INBOUND) || line.starts_with(OUTBOUND);
    match text.contains(MARKER_BEGIN) && text.lines().any(says_so) {
        true => ActivityKind::Call,
        false => ActivityKind::Note,
    }
}

/// A note in one text.
pub fn note(note: &NewNote) -> String {
    titled(note.subject.as_str(), note.body.as_str())
}

/// A call in one text, with what systems without fields for it would lose.
pub fn call(call: &CallRecord) -> String {
    let direction = match call.direction {
        Direction::Inbound => INBOUND,
        Direction::Outbound => OUTBOUND,
    };
    let (minutes, seconds) = (call.duration_s / 60, call.duration_s % 60);
    let mut facts =
        format!("{direction}{}, {minutes} min {seconds} s", call.started_at.strftime("%F %R UTC"));
    if let Some(outcome) = &call.outcome {
        facts = format!("{facts}\nOutcome: {}", outcome.as_str());
    }
    titled(&titled(call.subject.as_str(), &facts), call.body.as_str())
}

/// Plain text as HTML: nothing in it is markup, and its lines stay lines.
pub fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for (at, paragraph) in text.split("\n\n").enumerate() {
        if at > 0 {
            out.push_str("</p><p>");
        }
        for character in paragraph.trim_matches('\n').chars() {
            match character {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                '\'' => out.push_str("&#39;"),
                '\n' => out.push_str("<br>"),
                '\r' => (),
                other => out.push(other),
            }
        }
    }
    format!("<p>{out}</p>")
}

/// `html` of a marked text that has room for so many characters after the markup.
pub fn marked_html(text: &str, key: &DedupeKey, max: usize) -> String {
    let mut room = max;
    loop {
        let html = html(&marked(text, key, room));
        let over = html.chars().count().saturating_sub(max);
        if over == 0 || room == 0 {
            return html;
        }
        // Markup is a part of what is over, so that this takes few turns.
        room = room.saturating_sub(over.max(1));
    }
}

/// What people see of HTML: tags are gone, blocks are lines, entities are what they stand for.
pub fn plain(html: &str) -> String {
    const BLOCKS: [&str; 12] =
        ["p", "br", "div", "li", "tr", "ul", "ol", "h1", "h2", "h3", "blockquote", "pre"];
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with('&') {
            let (character, length) = entity(rest);
            out.push(character);
            rest = &rest[length..];
            continue;
        }
        let after = rest[1..].chars().next();
        if !after.is_some_and(|c| c.is_ascii_alphabetic() || matches!(c, '/' | '!')) {
            out.push('<');
            rest = &rest[1..];
            continue;
        }
        let end = rest.find('>').map_or(rest.len(), |end| end + 1);
        let name: String = rest[1..end]
            .trim_start_matches('/')
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_lowercase();
        if BLOCKS.contains(&name.as_str()) && !out.ends_with('\n') {
            out.push('\n');
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    out.trim().to_owned()
}

/// What an entity stands for, and its length; an unknown one is its own ampersand.
fn entity(text: &str) -> (char, usize) {
    const NAMED: [(&str, char); 6] =
        [("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"'), ("apos", '\''), ("nbsp", ' ')];
    let Some(end) = text.bytes().take(12).position(|byte| byte == b';') else { return ('&', 1) };
    let name = &text[1..end];
    let known = NAMED.iter().find(|(known, _)| *known == name).map(|(_, character)| *character);
    let numbered = || {
        let number = name.strip_prefix('#')?;
        let code = match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16).ok()?,
            None => number.parse().ok()?,
        };
        char::from_u32(code)
    };
    known.or_else(numbered).map_or(('&', 1), |character| (character, end + 1))
}

/// A time in any of the ways in which these systems write one; without a zone it is UTC.
pub fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse()
        .ok()
        .or_else(|| Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text).ok())
        .or_else(|| Some(text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp()))
}

/// When something is due as a moment: a day without a time is due at its end of business, five o'clock there.
pub fn due_at(due: &DueAt) -> Option<Timestamp> {
    let time = due.time.unwrap_or(jiff::civil::time(17, 0, 0, 0));
    let zone = TimeZone::get(&due.time_zone).unwrap_or(TimeZone::UTC);
    Some(due.date.to_datetime(time).to_zoned(zone).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> DedupeKey {
        DedupeKey::stored("00ff")
    }

    #[test]
    fn a_marker_is_kept_whatever_is_cut() {
        let text = "Zoë ".repeat(100);
        for max in [0, 30, 40, 41, 100, 399, 1000] {
            let marked = marked(&text, &key(), max);
            assert!(bears(&marked, &key()), "{max}: {marked}");
            assert!(marked.chars().count() <= max.max(23), "{max}: {marked}");
            let html = marked_html("<&> ".repeat(50).as_str(), &key(), max);
            assert!(bears(&html, &key()) && html.chars().count() <= max.max(37), "{max}: {html}");
        }
        assert!(!bears(&marked("x", &DedupeKey::stored("00ff0"), 99), &key()), "another key");
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcdefgh", 6), "ab […]");
    }

    #[test]
    fn people_see_no_markers() {
        let text = "She waits.\n\n[backchannel:00ff]";
        assert_eq!(shown(text).as_str(), "She waits.");
        assert_eq!(shown("a [backchannel:1] b [backchannel:2] c").as_str(), "a  b  c");
        assert_eq!(shown("open [backchannel:1").as_str(), "open [backchannel:1");
    }

    #[test]
    fn text_survives_html() {
        let text =
            "Zoë said: \"it's 100 % <b>broken</b> & {{late}}\" \\ %s £5\n\n- 漢字 line two\nthree";
        let there = html(text);
        assert!(!there.contains("<b>") && there.starts_with("<p>"), "{there}");
        assert_eq!(plain(&there).replace('\n', " "), text.replace("\n\n", " ").replace('\n', " "));
    }

    #[test]
    fn markup_of_others_is_left_out() {
        let html = "<div class=\"a\">One &amp; two<br/>three</div><p>4 &lt; 5 &#8364; &#x1F600; &nope; & 3 < 4</p><script";
        assert_eq!(plain(html), "One & two\nthree\n4 < 5 € 😀 &nope; & 3 < 4");
        assert_eq!(plain(""), "");
        assert_eq!(plain("&#xFFFFFFFF;&#"), "&#xFFFFFFFF;&#");
    }

    #[test]
    fn times_are_read_as_they_are_written() {
        for text in [
            "2026-11-22T10:00:04Z",
            "2026-11-22T10:00:04.000+0000",
            "2026-11-22T11:00:04+01:00",
            "2026-11-22 10:00:04",
        ] {
            let at = moment(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(at.as_second(), 1_795_341_604, "{text}");
        }
        assert_eq!(moment("yesterday"), None);
    }
}
