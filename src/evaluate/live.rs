//! What a played call shows of the live service: delays, words, cards. Pure: what was received and
//! when goes in, numbers come out. Used by `replay --report`, the demo and the live bench.
//!
//! The rules are those of the acceptance check (`shared/accept/live-call`), so that the numbers
//! printed here are the ones the project is held to.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::stretches::{self, Stretch};
use super::wer::{WordErrors, digits_of};

/// Finals whose middle lies within a reference turn, give or take this, belong to it.
const TURN_MARGIN_MS: u64 = 300;

/// A frame of audio as it is sent.
pub const FRAME_MS: u64 = 20;

/// What was really said in a recording. Unknown fields are ignored.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Reference {
    pub turns: Vec<ReferenceTurn>,
    pub questions: Vec<ReferenceQuestion>,
    pub small_talk_turns: Vec<usize>,
    pub secrets: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct ReferenceTurn {
    /// `customer` or `agent`.
    pub speaker: String,
    pub start_ms: u64,
    pub end_ms: u64,
    /// Where the speech ends; `end_ms` includes the pause behind it.
    pub speech_end_ms: Option<u64>,
    pub text: String,
    pub text_without_secrets: Option<String>,
}

/// A question that a card should answer, and the words of which one must be in the answer.
#[derive(Clone, Debug, Deserialize)]
pub struct ReferenceQuestion {
    pub turn: usize,
    pub any_of: Vec<String>,
}

/// One event of the stream, in its envelope, and when it came.
#[derive(Clone, Debug, PartialEq)]
pub struct Received {
    /// Seconds on the clock that `Played::sent_at` is on.
    pub at: f64,
    pub event: Value,
}

/// One call as it was played.
#[derive(Clone, Copy, Debug)]
pub struct Played<'a> {
    pub events: &'a [Received],
    /// When each frame of 20 ms left.
    pub sent_at: &'a [f64],
    pub reference: Option<&'a Reference>,
    /// Where the recording is loud, for what can be known without a reference.
    pub stretches: &'a [Stretch],
    /// Bodies of the cited articles by id; an article that could not be had is absent.
    pub articles: &'a BTreeMap<String, String>,
}

impl Played<'_> {
    /// When the frame with this moment of the call left.
    fn sent(&self, ms: u64) -> f64 {
        let frame = (ms / FRAME_MS) as usize;
        self.sent_at.get(frame).or(self.sent_at.last()).copied().unwrap_or(0.0)
    }
}

/// Numbers over one or more calls. Add reports up with `+=`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LiveReport {
    pub calls: usize,
    pub audio_seconds: f64,
    pub turns: usize,
    pub cards: usize,
    pub gaps: usize,
    /// Seconds from a final to its card.
    pub final_to_card: Vec<f64>,
    pub quotes: Share,
    /// Loud stretches of the recording that have a turn.
    pub stretches: Share,
    /// Seconds from the end of each turn, as it was heard, to its final.
    pub turn_end_to_final: Vec<f64>,
    /// What only a reference can tell.
    pub measured: Option<Measured>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// Seconds from the end of speech to the last final of that turn.
    pub speech_end_to_final: Vec<f64>,
    pub lost_turns: usize,
    pub words: WordErrors,
    pub questions: Share,
    pub small_talk_cards: usize,
    pub leaks: usize,
    pub secrets: usize,
}

/// So many of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    pub good: usize,
    pub all: usize,
}

impl std::ops::AddAssign for LiveReport {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.audio_seconds += other.audio_seconds;
        self.turns += other.turns;
        self.cards += other.cards;
        self.gaps += other.gaps;
        self.final_to_card.extend(other.final_to_card);
        self.quotes += other.quotes;
        self.stretches += other.stretches;
        self.turn_end_to_final.extend(other.turn_end_to_final);
        if let Some(theirs) = other.measured {
            let ours = self.measured.get_or_insert_default();
            ours.speech_end_to_final.extend(theirs.speech_end_to_final);
            ours.lost_turns += theirs.lost_turns;
            ours.words += theirs.words;
            ours.questions += theirs.questions;
            ours.small_talk_cards += theirs.small_talk_cards;
            ours.leaks += theirs.leaks;
            ours.secrets += theirs.secrets;
        }
    }
}

impl std::ops::AddAssign for Share {
    fn add_assign(&mut self, other: Self) {
        self.good += other.good;
        self.all += other.all;
    }
}

/// The value below which the share `q` of the values lies; `None` without values.
pub fn quantile(values: &[f64], q: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let index = (q * sorted.len() as f64) as usize;
    sorted.get(index.min(sorted.len().checked_sub(1)?)).copied()
}

/// Ids of all articles that cards cite: what the caller should fetch before it asks for a report.
pub fn cited_articles(events: &[Received]) -> Vec<String> {
    let mut ids: Vec<String> = of_kind(events, "suggestion.offered")
        .flat_map(|(_, data)| citations(data))
        .filter_map(|citation| text(citation, "article_id").map(str::to_owned))
        .collect();
    ids.sort();
    ids.dedup();
    ids
}

pub fn report(played: &Played<'_>) -> LiveReport {
    let finals: Vec<(f64, &Value)> = of_kind(played.events, "turn.final").collect();
    let cards: Vec<(f64, &Value)> = of_kind(played.events, "suggestion.offered").collect();
    let final_at: BTreeMap<&str, f64> =
        finals.iter().filter_map(|(at, data)| Some((text(data, "turn_id")?, *at))).collect();
    let card_delay =
        |(at, data): &(f64, &Value)| Some(at - final_at.get(text(data, "trigger_turn")?)?);
    let mut quotes = Share::default();
    for citation in cards.iter().flat_map(|(_, data)| citations(data)) {
        quotes.all += 1;
        let body = text(citation, "article_id").and_then(|id| played.articles.get(id));
        let quote = text(citation, "quote");
        let stands = matches!((body, quote), (Some(body), Some(quote)) if body.contains(quote));
        quotes.good += usize::from(stands);
    }
    let spoken: Vec<(&str, u64, u64)> = finals
        .iter()
        .filter_map(|(_, data)| {
            Some((role(data)?, number(data, "start_ms"), number(data, "end_ms")))
        })
        .collect();
    LiveReport {
        calls: 1,
        audio_seconds: (played.sent_at.len() as u64 * FRAME_MS) as f64 / 1_000.0,
        turns: finals.len(),
        cards: cards.len(),
        gaps: of_kind(played.events, "audio.gap").count(),
        final_to_card: cards.iter().filter_map(card_delay).collect(),
        quotes,
        stretches: stretches::with_turns(played.stretches, &spoken),
        turn_end_to_final: finals
            .iter()
            .map(|(at, data)| at - played.sent(number(data, "end_ms").saturating_sub(1)))
            .collect(),
        measured: played.reference.map(|reference| measure(played, reference, &finals, &cards)),
    }
}

fn measure(
    played: &Played<'_>,
    reference: &Reference,
    finals: &[(f64, &Value)],
    cards: &[(f64, &Value)],
) -> Measured {
    let sent = |ms: u64| played.sent(ms);
    let mut measured = Measured { secrets: reference.secrets.len(), ..Measured::default() };
    let mut turn_of: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, turn) in reference.turns.iter().enumerate() {
        let mut last_at = None;
        for (at, data) in finals {
            let middle = (number(data, "start_ms") + number(data, "end_ms")) / 2;
            let from = turn.start_ms.saturating_sub(TURN_MARGIN_MS);
            let mine = role(data) == Some(turn.speaker.as_str())
                && (from..=turn.end_ms + TURN_MARGIN_MS).contains(&middle);
            if mine {
                last_at = Some(last_at.map_or(*at, |last: f64| last.max(*at)));
                turn_of.extend(text(data, "turn_id").map(|id| (id, index)));
            }
        }
        let speech_end = turn.speech_end_ms.unwrap_or(turn.end_ms);
        match last_at {
            Some(at) => {
                measured.speech_end_to_final.push(at - sent(speech_end.saturating_sub(1)));
            }
            None => measured.lost_turns += 1,
        }
    }
    for speaker in ["customer", "agent"] {
        let said: Vec<&str> = reference
            .turns
            .iter()
            .filter(|turn| turn.speaker == speaker)
            .map(|turn| turn.text_without_secrets.as_deref().unwrap_or(&turn.text))
            .collect();
        let mut heard: Vec<&Value> =
            finals.iter().map(|(_, data)| *data).filter(|d| role(d) == Some(speaker)).collect();
        heard.sort_by_key(|data| number(data, "start_ms"));
        let heard: Vec<&str> = heard.into_iter().filter_map(|data| text(data, "text")).collect();
        measured.words += WordErrors::between(&said.join(" "), &heard.join(" "));
    }
    for question in &reference.questions {
        measured.questions.all += 1;
        let Some(asked) = reference.turns.get(question.turn) else { continue };
        let answered = reference.turns.get(question.turn + 1).unwrap_or(asked);
        let window = sent(asked.start_ms)..=sent(answered.end_ms) + 1.0;
        let answers = |(at, data): &(f64, &Value)| {
            let shown = [text(data, "title"), text(data, "text")].map(Option::unwrap_or_default);
            let quotes: Vec<&str> = citations(data).filter_map(|c| text(c, "quote")).collect();
            window.contains(at)
                && names_any(&shown.join(" "), &question.any_of)
                && names_any(&quotes.join(" "), &question.any_of)
        };
        measured.questions.good += usize::from(cards.iter().any(answers));
    }
    measured.small_talk_cards = cards
        .iter()
        .filter_map(|(_, data)| turn_of.get(text(data, "trigger_turn")?))
        .filter(|turn| reference.small_talk_turns.contains(turn))
        .count();
    measured.leaks =
        reference.secrets.iter().filter(|secret| leaked(secret, played.events)).count();
    measured
}

/// A secret must stand nowhere in an event, and not even its first half in what was said.
fn leaked(secret: &str, events: &[Received]) -> bool {
    let head = secret.get(..8).unwrap_or(secret);
    events.iter().any(|received| {
        digits_of(&received.event.to_string()).contains(secret)
            || text(&received.event["data"], "text")
                .is_some_and(|text| digits_of(text).contains(head))
    })
}

pub(super) fn names_any(text: &str, words: &[String]) -> bool {
    let text = text.to_lowercase();
    words.iter().any(|word| text.contains(&word.to_lowercase()))
}

fn of_kind<'a>(events: &'a [Received], kind: &'a str) -> impl Iterator<Item = (f64, &'a Value)> {
    events
        .iter()
        .filter(move |received| text(&received.event, "type").is_some_and(|t| t.ends_with(kind)))
        .map(|received| (received.at, &received.event["data"]))
}

fn citations(data: &Value) -> impl Iterator<Item = &Value> {
    data["citations"].as_array().into_iter().flatten()
}

fn text<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value[field].as_str()
}

fn number(data: &Value, field: &str) -> u64 {
    data[field].as_u64().unwrap_or(0)
}

fn role(data: &Value) -> Option<&str> {
    data["party"]["role"].as_str()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn turn(at: f64, id: &str, role: &str, span: (u64, u64), text: &str) -> Received {
        let data = json!({"turn_id": id, "party": {"role": role}, "start_ms": span.0, "end_ms": span.1, "text": text});
        Received { at, event: json!({"type": "backchannel.turn.final", "data": data}) }
    }

    fn card(at: f64, trigger: &str, text: &str, quote: &str) -> Received {
        let data = json!({"title": "Refunds", "text": text, "trigger_turn": trigger,
            "citations": [{"article_id": "billing/refunds", "quote": quote}]});
        Received { at, event: json!({"type": "backchannel.suggestion.offered", "data": data}) }
    }

    fn reference() -> Reference {
        serde_json::from_value(json!({
            "duration_s": 6.0,
            "turns": [
                {"speaker": "agent", "start_ms": 0, "end_ms": 1000, "speech_end_ms": 900, "text": "Hello there"},
                {"speaker": "customer", "start_ms": 1000, "end_ms": 3000, "speech_end_ms": 2800, "text": "When is my refund"},
                {"speaker": "agent", "start_ms": 3000, "end_ms": 5000, "text": "Bye"},
            ],
            "questions": [{"turn": 1, "any_of": ["Refund"]}],
            "small_talk_turns": [0],
            "secrets": ["4539148803436467"],
        }))
        .unwrap()
    }

    fn played(events: &[Received]) -> LiveReport {
        let sent_at: Vec<f64> = (0..300).map(|frame| f64::from(frame) * 0.02).collect();
        let body = "A refund takes five days. It goes to the account that paid.";
        let articles = BTreeMap::from([("billing/refunds".to_owned(), body.to_owned())]);
        let reference = reference();
        report(&Played {
            events,
            sent_at: &sent_at,
            reference: Some(&reference),
            stretches: &[],
            articles: &articles,
        })
    }

    #[test]
    fn a_good_call_in_numbers() {
        let report = played(&[
            turn(1.4, "t-1", "agent", (0, 900), "Hello there"),
            turn(3.4, "t-2", "customer", (1_050, 2_800), "When is my refund?"),
            card(3.43, "t-2", "A refund takes five days.", "A refund takes five days."),
            turn(5.5, "t-3", "agent", (3_100, 4_900), "Buy"),
        ]);
        assert_eq!((report.turns, report.cards, report.audio_seconds), (3, 1, 6.0));
        assert!((report.final_to_card[0] - 0.03).abs() < 1e-9);
        assert_eq!(report.quotes, Share { good: 1, all: 1 });
        let measured = report.measured.unwrap();
        let delays: Vec<i64> =
            measured.speech_end_to_final.iter().map(|s| (s * 1_000.0).round() as i64).collect();
        assert_eq!(delays, [520, 620, 520]);
        assert_eq!(measured.words, WordErrors { errors: 1, words: 7 });
        assert_eq!(measured.questions, Share { good: 1, all: 1 });
        assert_eq!((measured.lost_turns, measured.small_talk_cards, measured.leaks), (0, 0, 0));
    }

    #[test]
    fn a_bad_call_in_numbers() {
        let report = played(&[
            turn(1.4, "t-1", "agent", (0, 900), "four five three nine one four eight eight"),
            card(1.5, "t-1", "A refund takes a year.", "A refund takes a year."),
        ]);
        assert_eq!(report.quotes, Share { good: 0, all: 1 });
        let measured = report.measured.unwrap();
        assert_eq!(measured.lost_turns, 2);
        assert_eq!(measured.small_talk_cards, 1);
        assert_eq!(measured.leaks, 1);
    }

    #[test]
    fn without_a_reference_only_what_can_be_known() {
        let events = [turn(1.0, "t-1", "mixed", (0, 900), "Hello")];
        let articles = BTreeMap::new();
        let report = report(&Played {
            events: &events,
            sent_at: &[],
            reference: None,
            stretches: &[],
            articles: &articles,
        });
        assert_eq!((report.turns, report.measured), (1, None));
    }

    #[test]
    fn reports_add_up() {
        let mut sum = LiveReport::default();
        for at in [1.4, 2.4] {
            sum += played(&[turn(at, "t-1", "agent", (0, 900), "Hello there")]);
        }
        let measured = sum.measured.unwrap();
        assert_eq!((sum.calls, measured.lost_turns, measured.secrets), (2, 4, 2));
        assert_eq!(quantile(&measured.speech_end_to_final, 0.95).map(f64::round), Some(2.0));
        assert_eq!(quantile(&[], 0.5), None);
    }
}
