//! Adaptive Card 1.4, as Teams shows it.

use serde_json::{Value, json};

use super::words;
use crate::domain::TeamMessage;

/// Teams takes messages of 28 KB.
const CARD_MAX_BYTES: usize = 24_000;
const PARAGRAPH_MAX_CHARS: usize = 3_000;
const FACTS_MAX: usize = 20;

/// Other people's words stand in text runs, which know no Markdown; text blocks and fact sets do, and would make links
/// and headings of them.
pub(super) fn card(message: &TeamMessage) -> Value {
    let run = |text: String, is_bold: bool| match is_bold {
        true => json!({ "type": "TextRun", "text": text, "weight": "Bolder" }),
        false => json!({ "type": "TextRun", "text": text }),
    };
    let block = |runs: Vec<Value>| json!({ "type": "RichTextBlock", "inlines": runs });
    let line = |text: &str, max| words::card(&words::line(text, max));
    let title = json!({
        "type": "RichTextBlock",
        "inlines": [{
            "type": "TextRun",
            "text": line(message.title.as_str(), 200),
            "weight": "Bolder",
            "size": "Medium",
        }],
    });
    let mut body = vec![title];
    let mut bytes = 2_000;
    let facts = message.facts.iter().take(FACTS_MAX).map(|(name, value)| {
        block(vec![
            run(format!("{}: ", line(name, 80)), true),
            run(line(value.as_str(), 400), false),
        ])
    });
    let paragraphs = message.paragraphs.iter().map(|paragraph| {
        block(vec![run(words::card(&words::calm(paragraph.as_str(), PARAGRAPH_MAX_CHARS)), false)])
    });
    for one in facts.chain(paragraphs) {
        bytes += one.to_string().len() + 1;
        if bytes > CARD_MAX_BYTES {
            body.push(block(vec![run("…".to_owned(), false)]));
            break;
        }
        body.push(one);
    }
    let link = message.link.as_deref().and_then(words::link);
    let actions: Vec<Value> = link
        .map(|link| json!({ "type": "Action.OpenUrl", "title": "Open it", "url": link.as_str() }))
        .into_iter()
        .collect();
    json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "actions": actions,
    })
}

/// As a message bears it.
pub(super) fn attachment(message: &TeamMessage) -> Value {
    json!({
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": null,
        "content": card(message),
    })
}
