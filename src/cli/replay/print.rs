//! Turns and cards as text for people. Pure: events in, text out.

use serde_json::Value;

/// Where the text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    pub colour: bool,
    /// A terminal: partials are shown on the last line and overwritten.
    pub live: bool,
    pub width: usize,
}

impl Style {
    /// Decides by what standard output is and what the environment says (`NO_COLOR`, `TERM`,
    /// `COLUMNS`).
    pub fn detect(is_terminal: bool, variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name| variable(name).is_some_and(|value| !value.is_empty());
        let dumb = variable("TERM").is_some_and(|term| term == "dumb");
        let width = variable("COLUMNS").and_then(|columns| columns.parse().ok()).unwrap_or(80);
        let live = is_terminal && !dumb;
        Self { colour: live && !set("NO_COLOR"), live, width: width.clamp(40, 110) }
    }
}

const DIM: &str = "2";
const CUSTOMER: &str = "36";
const AGENT: &str = "32";
const OTHER: &str = "35";
const CARD: &str = "33";
const BOLD: &str = "1";

/// `00:14  customer  ` stands before every turn.
const MARGIN: usize = 17;

pub struct Printer {
    style: Style,
    /// A partial stands on the last line.
    partial_shown: bool,
}

impl Printer {
    pub fn new(style: Style) -> Self {
        Self { style, partial_shown: false }
    }

    /// What to write for an event. `call` tells calls apart where several play at once.
    pub fn event(&mut self, call: Option<&str>, event: &Value) -> String {
        let data = &event["data"];
        let kind = event["type"].as_str().unwrap_or_default();
        let kind = kind.strip_prefix("backchannel.").unwrap_or(kind);
        let lines = match kind {
            "turn.partial" => return self.partial(data),
            "turn.final" => self.turn(data),
            "suggestion.offered" => self.card(data),
            "suggestion.withdrawn" => vec![self.note("card withdrawn", &data["why"])],
            "audio.gap" => {
                let lost = Value::from(format!("{} ms of audio are missing", data["lost_ms"]));
                vec![self.note("gap", &lost)]
            }
            _ => return String::new(),
        };
        let mut text = self.clear();
        for line in lines {
            if let Some(call) = call {
                text.push_str(&self.paint(DIM, &format!("{call}: ")));
            }
            text.push_str(&line);
            text.push('\n');
        }
        text
    }

    /// Takes the partial off the last line.
    pub fn clear(&mut self) -> String {
        if std::mem::take(&mut self.partial_shown) { "\r\x1b[2K".to_owned() } else { String::new() }
    }

    fn partial(&mut self, data: &Value) -> String {
        if !self.style.live {
            return String::new();
        }
        let mut shown = self.clear();
        let text = data["text"].as_str().unwrap_or_default();
        if text.is_empty() {
            return shown;
        }
        // The newest words count, and the line must not wrap: it couldn't be taken off then.
        let room = self.style.width - MARGIN - 2;
        let length = text.chars().count();
        let tail: String = text.chars().skip(length.saturating_sub(room)).collect();
        let (time, role, _) = heading(data);
        shown.push_str(&self.paint(DIM, &format!("{time}  {role:<10}{tail}")));
        self.partial_shown = true;
        shown
    }

    fn turn(&self, data: &Value) -> Vec<String> {
        let (time, role, colour) = heading(data);
        let lines = self.wrap(data["text"].as_str().unwrap_or_default(), MARGIN);
        let first =
            format!("{}  {}", self.paint(DIM, &time), self.paint(colour, &format!("{role:<10}")));
        self.hang(first, lines)
    }

    fn hang(&self, first: String, lines: Vec<String>) -> Vec<String> {
        let indent = " ".repeat(MARGIN);
        let start = std::iter::once(first).chain(std::iter::repeat(indent));
        start.zip(lines).map(|(start, line)| format!("{start}{line}")).collect()
    }

    fn card(&self, data: &Value) -> Vec<String> {
        let text = |field: &str| data[field].as_str().unwrap_or_default();
        let heading = match text("heading") {
            "" => text("title").to_owned(),
            heading => format!("{}: {heading}", text("title")),
        };
        let cited = data["citations"][0]["article_id"].as_str().unwrap_or_default();
        let score = data["score"].as_f64().map(|score| format!(" · score {score:.2}"));
        let delay = data["latency_ms"].as_u64().map(|ms| format!(" · {ms} ms"));
        let source = format!("{cited}{}{}", score.unwrap_or_default(), delay.unwrap_or_default());
        if !self.style.live {
            return vec![format!("       card      {heading}. {} [{source}]", text("text"))];
        }
        let indent = " ".repeat(MARGIN - 2);
        let rule = |corner: &str| self.paint(CARD, &format!("{indent}{corner}"));
        let dashes =
            (self.style.width.saturating_sub(MARGIN + heading.chars().count() + 2)).min(60);
        let mut lines = vec![format!(
            "{} {} {}",
            rule("┌"),
            self.paint(BOLD, &heading),
            self.paint(CARD, &"─".repeat(dashes))
        )];
        let sentence = self.wrap(text("text"), MARGIN + 1);
        lines.extend(sentence.into_iter().map(|line| format!("{} {line}", rule("│"))));
        lines.push(format!("{} {}", rule("└"), self.paint(DIM, &source)));
        lines
    }

    fn note(&self, what: &str, why: &Value) -> String {
        let why = why.as_str().unwrap_or_default();
        self.paint(DIM, &format!("       ({what}: {why})"))
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.style.colour { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// Breaks text between words; without a terminal a turn is one line, for `grep`.
    fn wrap(&self, text: &str, margin: usize) -> Vec<String> {
        if !self.style.live {
            return vec![text.to_owned()];
        }
        let room = self.style.width.saturating_sub(margin).max(20);
        let (mut lines, mut length) = (vec![String::new()], 0);
        for word in text.split_whitespace() {
            let word_length = word.chars().count();
            if length > 0 && length + 1 + word_length > room {
                lines.push(String::new());
                length = 0;
            }
            if let Some(line) = lines.last_mut() {
                if length > 0 {
                    line.push(' ');
                    length += 1;
                }
                line.push_str(word);
                length += word_length;
            }
        }
        lines
    }
}

/// Time, role and colour of a turn.
fn heading(data: &Value) -> (String, String, &'static str) {
    let seconds = data["start_ms"].as_u64().unwrap_or(0) / 1_000;
    let role = data["party"]["role"].as_str().unwrap_or("?").to_owned();
    let colour = match role.as_str() {
        "customer" => CUSTOMER,
        "agent" => AGENT,
        _ => OTHER,
    };
    (format!("{:02}:{:02}", seconds / 60, seconds % 60), role, colour)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn turn(kind: &str, text: &str) -> Value {
        json!({"type": format!("backchannel.{kind}"), "data": {
            "turn_id": "t-1", "party": {"role": "customer"}, "start_ms": 74_900, "text": text}})
    }

    fn card() -> Value {
        json!({"type": "backchannel.suggestion.offered", "data": {"title": "Refunds",
            "heading": "How long?", "text": "We refund within five working days, to the account that paid.",
            "score": 0.831, "latency_ms": 31, "citations": [{"article_id": "billing/refunds"}]}})
    }

    #[test]
    fn without_a_terminal_lines_are_plain() {
        let style = Style::detect(false, |_| None);
        let mut printer = Printer::new(style);
        assert_eq!(printer.event(None, &turn("turn.partial", "When")), "");
        let mut shown = printer.event(None, &turn("turn.final", "When is my refund?"));
        shown += &printer.event(Some("a.wav"), &card());
        insta::assert_snapshot!(shown, @r"
        01:14  customer  When is my refund?
        a.wav:        card      Refunds: How long?. We refund within five working days, to the account that paid. [billing/refunds · score 0.83 · 31 ms]
        ");
    }

    #[test]
    fn on_a_terminal_cards_are_boxed_and_lines_wrapped() {
        let mut printer = Printer::new(Style { colour: false, live: true, width: 60 });
        let mut shown = printer.event(
            None,
            &turn("turn.final", "So when do I get my money back, do you think, this week or next?"),
        );
        shown += &printer.event(None, &card());
        insta::assert_snapshot!(shown, @r"
        01:14  customer  So when do I get my money back, do you
                         think, this week or next?
                       ┌ Refunds: How long? ───────────────────────
                       │ We refund within five working days, to the
                       │ account that paid.
                       └ billing/refunds · score 0.83 · 31 ms
        ");
    }

    #[test]
    fn a_partial_is_overwritten_and_never_wraps() {
        let mut printer = Printer::new(Style { colour: true, live: true, width: 40 });
        let shown = printer.event(None, &turn("turn.partial", &"word ".repeat(30)));
        assert!(shown.starts_with("\x1b[2m01:14  customer  "), "{shown:?}");
        assert!(shown.chars().count() < 40 + "\x1b[2m\x1b[0m".len(), "{shown:?}");
        let shown = printer.event(None, &turn("turn.final", "Yes."));
        assert!(shown.starts_with("\r\x1b[2K"), "{shown:?}");
        assert_eq!(printer.clear(), "");
    }

    #[test]
    fn colours_only_where_they_are_wanted() {
        let style = |terminal, variables: &'static [(&str, &str)]| {
            Style::detect(terminal, |name| {
                variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
            })
        };
        assert!(style(true, &[]).colour);
        assert!(!style(true, &[("NO_COLOR", "1")]).colour);
        assert!(style(true, &[("NO_COLOR", "")]).colour, "empty means unset");
        assert!(!style(false, &[]).colour);
        assert!(!style(true, &[("TERM", "dumb")]).live);
        assert_eq!(style(true, &[("COLUMNS", "72")]).width, 72);
    }
}
