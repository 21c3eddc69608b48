use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::wire::duration;
use crate::domain::{Card, Partial, Turn, Word};

/// What goes back as `event` entities. Off unless somebody asks for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Feedback {
    /// `transcript`: partials and finals.
    pub transcripts: bool,
    /// `agentassist` (experimental in the protocol): cards as articles.
    pub cards: bool,
    /// Where articles can be read; their ids are appended.
    pub articles_url: String,
}

impl Feedback {
    pub fn wanted(&self) -> bool {
        self.transcripts || self.cards
    }
}

/// Where in a session an utterance belongs.
pub struct Place<'a> {
    pub session: &'a str,
    /// As the session is said to be in, such as `en-US`.
    pub language: Option<&'a str>,
    pub channel: usize,
    /// The stream's position where our clock began.
    pub base_ms: u64,
}

impl Place<'_> {
    fn at(&self, ms: u64) -> String {
        duration(self.base_ms.saturating_add(ms))
    }
}

/// A final.
pub fn turn(place: &Place<'_>, turn: &Turn) -> Value {
    let span = |start_ms: u64, end_ms: u64| {
        (place.at(start_ms), duration(end_ms.saturating_sub(start_ms)))
    };
    let token = |word: &Word| {
        let (offset, length) = span(word.start_ms, word.end_ms);
        json!({"type": "word", "value": word.text.as_str(), "confidence": rounded(word.confidence),
            "offset": offset, "duration": length})
    };
    let tokens: Vec<Value> = turn.words.iter().map(token).collect();
    let (offset, length) = span(turn.start_ms, turn.end_ms);
    let confidence = turn.mean_logprob.map_or(1.0, |mean| mean.exp().clamp(0.0, 1.0));
    let mut alternative = json!({"confidence": rounded(confidence), "interpretations": [
        {"type": "display", "transcript": turn.text.as_str(), "tokens": tokens}]});
    // A language of ours is no language code of theirs: they want a region, too.
    let in_session = |code: &&str| code.split('-').next() == Some(turn.language.as_str());
    if let Some(code) = place.language.filter(in_session) {
        alternative["languages"] = json!([code]);
    }
    json!({"type": "transcript", "data": {
        "id": uuid(&[place.session, turn.id.as_str()]), "channelId": place.channel,
        "isFinal": true, "offset": offset, "duration": length, "alternatives": [alternative]}})
}

/// An utterance in progress; empty when it turned out to be none. Its confidence is the share that
/// won't change any more.
pub fn partial(place: &Place<'_>, partial: &Partial) -> Value {
    let text = partial.text.as_str();
    let stable = partial.stable_prefix_chars as f32 / text.chars().count().max(1) as f32;
    json!({"type": "transcript", "data": {
        "id": uuid(&[place.session, partial.turn_id.as_str()]), "channelId": place.channel,
        "isFinal": false, "offset": place.at(partial.start_ms),
        "alternatives": [{"confidence": rounded(stable),
            "interpretations": [{"type": "display", "transcript": text}]}]}})
}

/// A card as a suggested article.
pub fn card(session: &str, articles_url: &str, card: &Card) -> Option<Value> {
    let cited = card.answer.citations.first()?;
    let id = uuid(&[session, card.id.as_str()]);
    let article: String =
        cited.article_id.as_str().split('/').map(escaped).collect::<Vec<_>>().join("%2F");
    Some(json!({"type": "agentassist", "data": {"id": id, "suggestions": [{
        "type": "article", "id": id, "confidence": rounded(card.answer.score),
        "title": card.answer.title, "excerpts": [card.answer.text],
        "documentUri": format!("{articles_url}{article}"),
        "metadata": {"heading": card.answer.heading, "card_id": card.id.as_str(),
            "article_id": cited.article_id.as_str()}}]}}))
}

fn escaped(segment: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            char::from(byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    };
    segment.bytes().map(escape).collect()
}

/// Three places, as a decimal that JSON writes short.
fn rounded(share: f32) -> f64 {
    (f64::from(share) * 1_000.0).round() / 1_000.0
}

/// The protocol wants UUIDs where we have names: one that always is the same for the same names, in
/// the form of version 5.
fn uuid(names: &[&str]) -> String {
    let mut hash = Sha256::new();
    for name in names {
        hash.update(name);
        hash.update([0u8]);
    }
    let hash = hash.finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    bytes[6] = (bytes[6] & 0x0F) | 0x50;
    bytes[8] = (bytes[8] & 0x3F) | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let [a, b, c, d] = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20]];
    format!("{a}-{b}-{c}-{d}-{}", &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::*;

    fn party() -> Party {
        Party { id: "p-1".into(), role: Role::Customer, name: None }
    }

    #[test]
    fn a_final_is_a_transcript_at_its_place_in_the_stream() {
        let spoken = Turn {
            id: "t-1-1".into(),
            party: party(),
            start_ms: 1_200,
            end_ms: 1_600,
            text: Redacted::vouched("My"),
            words: vec![Word {
                text: Redacted::vouched("My"),
                start_ms: 1_200,
                end_ms: 1_320,
                confidence: 0.9,
            }],
            mean_logprob: Some(0.0),
            display_text: None,
            language: "en".into(),
        };
        let place = Place { session: "s-1", language: Some("en-US"), channel: 1, base_ms: 30_000 };
        let mut entity = turn(&place, &spoken);
        let id = entity["data"]["id"].take();
        assert_eq!(
            entity,
            json!({"type": "transcript", "data": {"id": null, "channelId": 1, "isFinal": true,
                "offset": "PT31.2S", "duration": "PT0.4S", "alternatives": [{"confidence": 1.0,
                    "languages": ["en-US"], "interpretations": [{"type": "display", "transcript": "My",
                        "tokens": [{"type": "word", "value": "My", "confidence": 0.9,
                            "offset": "PT31.2S", "duration": "PT0.12S"}]}]}]}})
        );
        let partial = super::partial(
            &place,
            &Partial {
                turn_id: "t-1-1".into(),
                party: party(),
                start_ms: 1_200,
                text: Redacted::vouched("My na"),
                stable_prefix_chars: 2,
            },
        );
        assert_eq!(partial["data"]["id"], id, "the partial has the id of its final");
        assert_eq!(partial["data"]["alternatives"][0]["confidence"], 0.4);
        let german = Place { language: Some("de-DE"), ..place };
        assert!(turn(&german, &spoken)["data"]["alternatives"][0].get("languages").is_none());
        let text = id.as_str().expect("text");
        let pattern = "^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$";
        assert!(regex::Regex::new(pattern).expect("a pattern").is_match(text), "{text}");
    }

    #[test]
    fn a_card_is_an_article() {
        let offered = Card {
            id: "k-1".into(),
            kind: CardKind::Answer,
            answer: Answer {
                title: "Refunds".into(),
                heading: "When".into(),
                text: "Within five days.".into(),
                citations: vec![Citation {
                    article_id: "billing/refunds & co".into(),
                    passage_id: "billing/refunds & co#1".into(),
                    revision: 1,
                    start_chars: 0,
                    end_chars: 17,
                    quote: "Within five days.".into(),
                }],
                score: 0.83,
                why: Vec::new(),
                generator: Generator::Extractive,
                valid_from: None,
                is_verbatim: false,
            },
            trigger_turn: "t-1".into(),
            question: None,
            latency_ms: 31,
        };
        let entity = card("s-1", "https://copilot.example.com/v1/articles/", &offered);
        let suggestion = &entity.expect("it cites")["data"]["suggestions"][0];
        assert_eq!(suggestion["title"], "Refunds");
        assert_eq!(suggestion["excerpts"], json!(["Within five days."]));
        let address = "https://copilot.example.com/v1/articles/billing%2Frefunds%20%26%20co";
        assert_eq!(suggestion["documentUri"], address);
        assert_eq!(suggestion["confidence"], 0.83);
    }
}
