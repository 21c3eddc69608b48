use proptest::prelude::*;

use super::super::card::card;
use super::super::words::{calm, html, line, link, slack};
use super::message;
use crate::domain::Redacted;

#[test]
fn nobody_is_called_by_other_peoples_words() {
    for name in ["@here", "@channel", "@everyone", "@room", "a@b.org @here"] {
        let written = calm(&format!("ask {name} now"), 100);
        assert!(!written.contains(name), "{written}");
        assert_eq!(written.replace('\u{2060}', ""), format!("ask {name} now"));
    }
}

#[test]
fn texts_are_cut_and_cleared() {
    assert_eq!(calm("abcdef", 3), "abc…");
    assert_eq!(calm("a\u{202e}b\u{7}c\r\nd", 100), "abc\nd");
    assert_eq!(line(" a \n\t b ", 100), "a b");
    assert_eq!(html("<a href='x'>&\n"), "&lt;a href=&#39;x&#39;&gt;&amp;<br>");
    assert_eq!(slack("<!here> & <@U1>"), "&lt;!here&gt; &amp; &lt;@U1&gt;");
}

#[test]
fn only_addresses_of_pages_are_links() {
    assert!(link("https://desk.example.org/c/1").is_some());
    for other in ["javascript:alert(1)", "file:///etc/passwd", "desk", "", "data:text/html,x"] {
        assert!(link(other).is_none(), "{other}");
    }
}

#[test]
fn a_card_has_other_peoples_words_in_runs_without_markdown() {
    let card = card(&message("room"));
    assert_eq!(
        (card["type"].as_str(), card["version"].as_str()),
        (Some("AdaptiveCard"), Some("1.4"))
    );
    let body = card["body"].as_array().expect("a body");
    assert_eq!(body.len(), 4, "title, fact, two paragraphs");
    for block in body {
        assert_eq!(block["type"], "RichTextBlock");
        for run in block["inlines"].as_array().expect("runs") {
            assert_eq!(run["type"], "TextRun");
            assert!(!run["text"].as_str().expect("text").contains("{{"), "{run}");
        }
    }
    assert_eq!(card["actions"][0]["url"], "https://desk.example.org/c/c-1?a=1&b=2");
    let mut without = message("room");
    without.link = Some("javascript:alert(1)".to_owned());
    assert_eq!(super::super::card::card(&without)["actions"].as_array().expect("a list").len(), 0);
}

#[test]
fn a_card_fits_into_what_teams_takes() {
    let mut long = message("room");
    long.paragraphs = vec![Redacted::vouched("\u{1F600}\"\\".repeat(3_000)); 50];
    let card = card(&long).to_string();
    assert!(card.len() < 28_000, "{} bytes", card.len());
}

proptest! {
    #[test]
    fn no_words_keep_a_mark_of_the_format(text in any::<String>(), max in 0_usize..200) {
        let calm = calm(&text, max);
        let count = calm.replace('\u{2060}', "").chars().count();
        prop_assert!(count <= max + 1);
        prop_assert!(!html(&calm).replace("<br>", "").contains(['<', '>', '"']));
        prop_assert!(!slack(&calm).contains(['<', '>']));
    }
}
