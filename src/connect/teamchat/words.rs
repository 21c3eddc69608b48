//! Other people's words in a chat: readable, and without any power there.

/// Stands after an `@`, so that no program finds a name behind it.
const JOINER: char = '\u{2060}';

/// One text: no control characters but line breaks, nothing that reorders it, nobody called, at most so many characters.
pub(super) fn calm(text: &str, max_chars: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut count = 0;
    for c in text.replace("\r\n", "\n").chars() {
        let is_hidden = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if is_hidden || (c.is_control() && c != '\n') {
            continue;
        }
        if count >= max_chars {
            out.push('…');
            break;
        }
        out.push(c);
        count += 1;
        // Whole rooms are called by a word (@here, @room), people by a name.
        if c == '@' {
            out.push(JOINER);
        }
    }
    out.trim().to_owned()
}

/// In one line.
pub(super) fn line(text: &str, max_chars: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    calm(&words.join(" "), max_chars)
}

/// For Matrix's `formatted_body`.
pub(super) fn html(text: &str) -> String {
    let escaped = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;");
    escaped.replace('\n', "<br>")
}

/// For Slack, where `<…>` calls people, rooms and links.
pub(super) fn slack(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// For Adaptive Cards, whose texts may hold functions: `{{DATE(…)}}`.
pub(super) fn card(text: &str) -> String {
    text.replace("{{", &format!("{{{JOINER}{{")).replace("${", &format!("${JOINER}{{"))
}

/// An address that a person may follow.
pub(super) fn link(text: &str) -> Option<reqwest::Url> {
    reqwest::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}
