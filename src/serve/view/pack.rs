//! What a colleague has to know who is asked for help in the middle of a conversation.

use super::ending::heading;
use crate::domain::Redacted;
use crate::insight::redaction;
use crate::store::wire::{SummarySection, WrapUpSummary};

/// A hand-over in paragraphs: each section, who takes part, and which articles were shown.
pub fn pack_of(hand_over: &WrapUpSummary) -> Vec<Redacted> {
    let section = |section: &SummarySection| {
        let sentences: Vec<&str> = section.sentences.iter().map(|one| one.text.as_str()).collect();
        format!("{}: {}", heading(&section.key), sentences.join(" "))
    };
    let mut paragraphs: Vec<String> = hand_over.sections.iter().map(section).collect();
    let parties: Vec<String> = hand_over
        .parties
        .iter()
        .map(|party| match &party.name {
            Some(name) => format!("{name} ({})", party.role),
            None => party.role.clone(),
        })
        .collect();
    let mut articles: Vec<&str> =
        hand_over.articles.iter().map(|article| article.article_id.as_str()).collect();
    articles.dedup();
    let lists = [("Who takes part", parties.join(", ")), ("Articles shown", articles.join(", "))];
    let given = lists.into_iter().filter(|(_, list)| !list.is_empty());
    paragraphs.extend(given.map(|(name, list)| format!("{name}: {list}")));
    paragraphs.iter().map(|text| redaction::typed(text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pack_says_what_it_is_about_who_takes_part_and_what_was_shown() {
        let said = |text: &str| json!([{"text": text, "citations": [], "support": 1.0}]);
        let hand_over: WrapUpSummary = serde_json::from_value(json!({
            "wrapup_id": "w-1",
            "state": "draft",
            "occasion": "hand_over",
            "language": "en",
            "authorship": {"provider": "extractive"},
            "struck": [],
            "sections": [
                {"key": "issue", "sentences": said("I was charged twice.")},
                {"key": "steps_tried", "sentences": said("I paid by 4111 1111 1111 1111.")},
            ],
            "paragraph": [],
            "parties": [
                {"id": "p-1", "role": "customer", "name": "Ada"},
                {"id": "p-2", "role": "agent", "name": null},
            ],
            "articles": [],
        }))
        .expect("a hand-over");
        let pack = pack_of(&hand_over);
        let pack: Vec<&str> = pack.iter().map(Redacted::as_str).collect();
        let expected = [
            "Issue: I was charged twice.",
            "Steps tried: I paid by [card-1].",
            "Who takes part: Ada (customer), agent",
        ];
        assert_eq!(pack, expected);
    }
}
