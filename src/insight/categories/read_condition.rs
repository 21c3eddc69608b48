//! What has to hold for a rule, out of settings.

use super::fields::{Fields, Mistakes, texts};
use super::node::{Node, Value};
use super::read::{DAY_S, Draft, who};
use super::rule::{AttributeTest, Condition, Happening, Leaf, Standing, Who, Window};
use crate::domain::{SentimentLevel, SentimentTrend};
use crate::insight::sentiment;

/// Of which each condition has exactly one.
const KINDS: [&str; 16] = [
    "all",
    "any",
    "not",
    "said",
    "near",
    "intent",
    "silence_ms",
    "overlap_ms",
    "turn_ms",
    "turns",
    "duration_s",
    "ended",
    "sentiment_at_most",
    "sentiment_at_least",
    "sentiment_trend",
    "attribute",
];

const DEPTH_MAX: usize = 8;
const TIMES_MAX: i64 = 20;
const GROUPS_MAX: usize = 4;

/// Reads one condition; `by` is whose words count where it doesn't say.
pub fn condition(
    draft: &mut Draft,
    node: &Node,
    path: &str,
    by: Who,
    depth: usize,
    mistakes: &mut Mistakes<'_>,
) -> Option<Condition> {
    let mut fields = Fields::of(node, path, mistakes)?;
    if depth == DEPTH_MAX {
        mistakes.note(node.at, path, format!("is nested too deep; keep to {DEPTH_MAX} levels"));
        return None;
    }
    let kinds: Vec<&str> = KINDS.into_iter().filter(|kind| fields.has(kind)).collect();
    let &[kind] = kinds.as_slice() else {
        let message = match kinds.as_slice() {
            [] => format!("says nothing to look for; write one of {}", KINDS.join(", ")),
            several => format!(
                "has {}; write one of them, or put each into a table of its own under all or any",
                several.join(" and ")
            ),
        };
        mistakes.note(node.at, path, message);
        return None;
    };
    let read = match kind {
        "all" | "any" => {
            let parts = group(draft, &mut fields, kind == "all", by, depth, mistakes);
            if kind == "all" { parts.map(Condition::All) } else { parts.map(Condition::Any) }
        }
        "not" => {
            let field = fields.field("not");
            let inner = fields.take("not")?;
            let inner = condition(draft, inner, &field, by, depth + 1, mistakes);
            inner.map(|inner| Condition::Not(Box::new(inner)))
        }
        "said" | "near" | "intent" | "silence_ms" | "overlap_ms" | "turn_ms" => {
            let happening = happening(draft, &mut fields, kind, mistakes);
            let leaf = leaf(&mut fields, by, mistakes);
            happening.map(|happening| {
                draft.leaves.push(Leaf { happening, ..leaf });
                Condition::Happened(draft.leaves.len() - 1)
            })
        }
        _ => standing(&mut fields, kind, by, mistakes).map(Condition::Is),
    };
    fields.finish(mistakes);
    read
}

fn group(
    draft: &mut Draft,
    fields: &mut Fields<'_>,
    is_all: bool,
    by: Who,
    depth: usize,
    mistakes: &mut Mistakes<'_>,
) -> Option<Vec<Condition>> {
    let name = if is_all { "all" } else { "any" };
    let field = fields.field(name);
    let node = fields.take(name)?;
    let items = fields.list(name, mistakes);
    if matches!(&node.value, Value::List(items) if items.is_empty()) {
        fields.wrong(name, node, "is empty; write at least one condition", mistakes);
    }
    let mut parts = Vec::new();
    let mut is_whole = !items.is_empty();
    for (n, item) in items.iter().enumerate() {
        // All of them are read, so that all mistakes are told.
        match condition(draft, item, &format!("{field}[{n}]"), by, depth + 1, mistakes) {
            Some(part) => parts.push(part),
            None => is_whole = false,
        }
    }
    is_whole.then_some(parts)
}

fn happening(
    draft: &mut Draft,
    fields: &mut Fields<'_>,
    kind: &str,
    mistakes: &mut Mistakes<'_>,
) -> Option<Happening> {
    const HOUR_MS: i64 = 3_600_000;
    let long = (1, HOUR_MS);
    Some(match kind {
        "said" => {
            let field = fields.field("said");
            let phrases = draft.phrases(fields.take("said")?, &field, mistakes);
            let except = except(draft, fields, mistakes);
            if phrases.is_empty() {
                return None;
            }
            Happening::Said { phrases, except }
        }
        "near" => near(draft, fields, mistakes)?,
        "intent" => {
            let labels = fields.texts("intent", mistakes)?;
            let labels: Vec<String> = labels.into_iter().map(|(label, ..)| label).collect();
            let probability = fields.number("probability", (0.0, 1.0), mistakes).unwrap_or(0.5);
            #[expect(clippy::cast_possible_truncation, reason = "between 0 and 1")]
            Happening::Intent { labels, probability: probability as f32 }
        }
        "silence_ms" => Happening::Silence { ms: fields.whole("silence_ms", long, mistakes)? },
        "overlap_ms" => Happening::Overlap { ms: fields.whole("overlap_ms", long, mistakes)? },
        _ => Happening::Long { ms: fields.whole("turn_ms", long, mistakes)? },
    })
}

fn except(draft: &mut Draft, fields: &mut Fields<'_>, mistakes: &mut Mistakes<'_>) -> Vec<u32> {
    let field = fields.field("except");
    fields.take("except").map_or_else(Vec::new, |node| draft.phrases(node, &field, mistakes))
}

fn near(
    draft: &mut Draft,
    fields: &mut Fields<'_>,
    mistakes: &mut Mistakes<'_>,
) -> Option<Happening> {
    let (field, node) = (fields.field("near"), fields.take("near")?);
    let items = fields.list("near", mistakes);
    if matches!(node.value, Value::List(_)) && !(2..=GROUPS_MAX).contains(&items.len()) {
        let message = format!(
            "write two to {GROUPS_MAX} phrases, or lists of phrases that may stand for one another"
        );
        fields.wrong("near", node, message, mistakes);
    }
    let mut groups = Vec::new();
    for (n, item) in items.iter().enumerate() {
        groups.push(draft.phrases(item, &format!("{field}[{n}]"), mistakes));
    }
    let within = fields.whole("within_words", (0, 50), mistakes).unwrap_or(5);
    let in_order = fields.flag("in_order", mistakes).unwrap_or(false);
    let except = except(draft, fields, mistakes);
    if groups.len() < 2 || groups.iter().any(Vec::is_empty) {
        return None;
    }
    Some(Happening::Near {
        groups,
        within_words: usize::try_from(within).unwrap_or(5),
        in_order,
        except,
    })
}

/// What all happenings may say besides; the happening itself is put in later.
fn leaf(fields: &mut Fields<'_>, by: Who, mistakes: &mut Mistakes<'_>) -> Leaf {
    let seconds = |s: u64| s.saturating_mul(1_000);
    let first_ms = fields.whole("first_s", (1, DAY_S), mistakes).map(seconds);
    let last_ms = fields.whole("last_s", (1, DAY_S), mistakes).map(seconds);
    let last_turns = fields.whole("last_turns", (1, 1_000), mistakes);
    let window =
        Window { first_ms, last_ms, last_turns: last_turns.and_then(|n| u32::try_from(n).ok()) };
    let times = fields.whole("times", (1, TIMES_MAX), mistakes).unwrap_or(1);
    let times = usize::try_from(times).unwrap_or(1);
    let who = who(fields, by, mistakes);
    Leaf { rule: usize::MAX, happening: Happening::Silence { ms: 0 }, who, window, times }
}

fn standing(
    fields: &mut Fields<'_>,
    kind: &str,
    by: Who,
    mistakes: &mut Mistakes<'_>,
) -> Option<Standing> {
    Some(match kind {
        "turns" => {
            let who = who(fields, by, mistakes);
            let at_least = fields.whole("turns", (1, 10_000), mistakes)?;
            Standing::Turns { who, at_least: u32::try_from(at_least).ok()? }
        }
        "duration_s" => {
            let seconds = fields.whole("duration_s", (1, DAY_S), mistakes)?;
            Standing::Duration { ms: seconds.saturating_mul(1_000) }
        }
        "ended" => {
            let node = fields.take("ended")?;
            if !fields.flag("ended", mistakes)? {
                fields.wrong("ended", node, "write true, or leave it out", mistakes);
                return None;
            }
            Standing::Ended
        }
        "sentiment_at_most" => Standing::SentimentAtMost(score(
            fields,
            "sentiment_at_most",
            sentiment::most_of,
            mistakes,
        )?),
        "sentiment_at_least" => Standing::SentimentAtLeast(score(
            fields,
            "sentiment_at_least",
            sentiment::least_of,
            mistakes,
        )?),
        "sentiment_trend" => {
            let node = fields.take("sentiment_trend")?;
            let text = fields.text("sentiment_trend", mistakes)?;
            let trend = SentimentTrend::parse(&text);
            if trend.is_none() {
                fields.wrong("sentiment_trend", node, "write falling, steady or rising", mistakes);
            }
            Standing::SentimentTrend(trend?)
        }
        _ => {
            let name = fields.text("attribute", mistakes)?;
            Standing::Attribute { name, test: attribute(fields, mistakes)? }
        }
    })
}

/// A level's name or a number.
fn score(
    fields: &mut Fields<'_>,
    name: &'static str,
    of_level: fn(SentimentLevel) -> f32,
    mistakes: &mut Mistakes<'_>,
) -> Option<f32> {
    let node = fields.take(name)?;
    match &node.value {
        Value::Text(text) => {
            let level = SentimentLevel::parse(text.trim());
            if level.is_none() {
                let levels = SentimentLevel::ALL.map(SentimentLevel::as_str).join(", ");
                fields.wrong(
                    name,
                    node,
                    format!("write one of {levels}, or a number from -1 to 1"),
                    mistakes,
                );
            }
            level.map(of_level)
        }
        #[expect(clippy::cast_possible_truncation, reason = "between -1 and 1")]
        _ => fields.number(name, (-1.0, 1.0), mistakes).map(|score| score as f32),
    }
}

fn attribute(fields: &mut Fields<'_>, mistakes: &mut Mistakes<'_>) -> Option<AttributeTest> {
    let field = fields.field("is");
    let named = fields.take("is").map(|node| (texts(node, &field, mistakes), node));
    let at_least = fields.number("at_least", (f64::MIN, f64::MAX), mistakes);
    let at_most = fields.number("at_most", (f64::MIN, f64::MAX), mistakes);
    match (named, at_least, at_most) {
        (Some((names, _)), None, None) => {
            let names: Vec<String> =
                names.into_iter().map(|(name, ..)| name.trim().to_lowercase()).collect();
            (!names.is_empty()).then_some(AttributeTest::IsOneOf(names))
        }
        (None, Some(limit), None) => Some(AttributeTest::AtLeast(limit)),
        (None, None, Some(limit)) => Some(AttributeTest::AtMost(limit)),
        (None, None, None) => Some(AttributeTest::IsSet),
        _ => {
            let message =
                "has several tests; write one of is, at_least and at_most, and join two with all";
            mistakes.note(fields.at, &fields.path.clone(), message);
            None
        }
    }
}
