//! A recommendation as texts by name: what other routers keep, and what they compare in their rules.

use std::collections::BTreeMap;

use crate::connect::destination::DeliveryError;
use crate::domain::{DedupeKey, FeatureValue, Recommendation};

pub type Fields = BTreeMap<String, String>;

/// Every name begins so, that nothing of the company's own is taken.
pub const PREFIX: &str = "backchannel_";
/// Names after the prefix, all in lower-case letters and underscores, which every system takes.
pub const NAMES: [&str; 17] = [
    "key",
    "at_ms",
    "decision",
    "agent",
    "agent_name",
    "score",
    "runner_up",
    "queue",
    "mode",
    "policy",
    "epoch",
    "reason",
    "intent",
    "sentiment",
    "language",
    "brief",
    "link",
];
/// Of a list that others read, so long a text is plenty.
const REASON_MAX_CHARS: usize = 300;

/// All fields of a recommendation, without the prefix; an empty text is "none", so that nothing of an earlier one is
/// left over. What is too long is cut, the brief first.
///
/// # Errors
/// `Refused` when even the rest doesn't fit into `room_bytes`.
pub fn of(
    told: &Recommendation,
    key: &DedupeKey,
    agents: &BTreeMap<String, String>,
    room_bytes: usize,
) -> Result<Fields, DeliveryError> {
    let decision = &told.decision;
    let theirs = |name: &str| agents.get(name).map_or(name, String::as_str).to_owned();
    let feature = |name: &str| {
        let known = decision.features.iter().find(|feature| feature.name == name);
        known.map_or_else(String::new, |feature| match &feature.value {
            FeatureValue::Text(text) => text.clone(),
            FeatureValue::Number(number) => format!("{number:.2}"),
            FeatureValue::Flag(flag) => flag.to_string(),
        })
    };
    let chosen = decision.chosen.as_ref();
    let agent = chosen.map(|one| one.agent.as_str());
    let runner_up = decision.runner_up.as_ref();
    let mut fields: Fields = [
        ("key", key.as_str().to_owned()),
        ("at_ms", decision.at_ms.to_string()),
        ("decision", decision.id.to_string()),
        ("agent", agent.map(theirs).unwrap_or_default()),
        ("agent_name", agent.unwrap_or_default().to_owned()),
        ("score", chosen.map(|one| format!("{:.4}", one.score)).unwrap_or_default()),
        ("runner_up", runner_up.map(|one| theirs(&one.agent)).unwrap_or_default()),
        ("queue", decision.queue.clone()),
        ("mode", decision.mode.as_str().to_owned()),
        ("policy", decision.policy.clone()),
        ("epoch", decision.epoch.to_string()),
        ("reason", decision.reason.chars().take(REASON_MAX_CHARS).collect()),
        ("intent", feature("intent")),
        ("sentiment", feature("sentiment")),
        ("language", feature("language")),
        ("brief", told.brief.as_ref().map(|brief| brief.as_str().to_owned()).unwrap_or_default()),
        ("link", told.link.clone().unwrap_or_default()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    for name in ["brief", "reason"] {
        let over = bytes(&fields).saturating_sub(room_bytes);
        if over > 0
            && let Some(text) = fields.get_mut(name)
        {
            // JSON in a form may write a letter as two; what is cut is cut twice.
            let end = text.floor_char_boundary(text.len().saturating_sub(over));
            text.truncate(end);
        }
    }
    match bytes(&fields) > room_bytes {
        true => Err(DeliveryError::Refused("its fields are too long for this router".to_owned())),
        false => Ok(fields),
    }
}

/// The answer to a router that asks, with the prefix: what AWS Lambda functions give a flow of Amazon Connect (a flat
/// map of texts, <https://docs.aws.amazon.com/connect/latest/adminguide/connect-lambda-functions.html>) and what a
/// data action gives one of Genesys Cloud. Fields that are none are left out, as a flow takes the one branch for what
/// is absent.
///
/// # Errors
/// As `of`.
pub fn answer(
    told: &Recommendation,
    agents: &BTreeMap<String, String>,
    room_bytes: usize,
) -> Result<Fields, DeliveryError> {
    let fields = of(told, &told.key(), agents, room_bytes)?;
    let given = fields.into_iter().filter(|(_, value)| !value.is_empty());
    Ok(given.map(|(name, value)| (format!("{PREFIX}{name}"), value)).collect())
}

/// Whether this recommendation is what the router has, or a newer one is.
pub fn stands(held: &Fields, told: &Recommendation, key: &DedupeKey) -> bool {
    if held.get("key").is_some_and(|held| held == key.as_str()) {
        return true;
    }
    let at_ms = held.get("at_ms").and_then(|text| text.parse::<u64>().ok());
    at_ms.is_some_and(|at_ms| at_ms > told.decision.at_ms)
}

/// Names and values with the prefix, in bytes.
fn bytes(fields: &Fields) -> usize {
    fields.iter().map(|(name, value)| PREFIX.len() + name.len() + value.len()).sum()
}

/// Ours out of an object of texts.
pub fn ours(all: &serde_json::Value) -> Fields {
    let object = all.as_object().into_iter().flatten();
    object
        .filter_map(|(name, value)| {
            let name = name.strip_prefix(PREFIX)?;
            Some((name.to_owned(), crate::connect::http::text(value)?))
        })
        .collect()
}
