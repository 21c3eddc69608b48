//! What `open` says about the call.

use std::collections::BTreeMap;

use serde_json::Value;

use super::wire::{NULL_UUID, Offer, Open};
use crate::domain::{Direction, Role};
use crate::flow::audio::Codec;
use crate::flow::driver::LegSpec;

/// So much of `customConfig` is kept with the call.
const CUSTOM_MAX: usize = 32;
const CUSTOM_MAX_CHARS: usize = 200;

pub struct Format {
    pub codec: Codec,
    rate: u32,
    /// By channel.
    pub roles: Vec<Role>,
}

impl Format {
    pub fn legs(&self) -> Vec<LegSpec> {
        let leg = |role: &Role| LegSpec {
            role: *role,
            name: None,
            codec: self.codec,
            sample_rate_hz: self.rate,
        };
        self.roles.iter().map(leg).collect()
    }
}

/// The offer to take, as it came: both sides rather than one, µ-law rather than linear.
pub fn choose(media: &[Value]) -> Option<(&Value, Format)> {
    media
        .iter()
        .filter_map(|offered| Some((offered, format(offered)?)))
        // The first of the best.
        .min_by_key(|(_, format)| (2 - format.roles.len(), format.codec != Codec::Mulaw))
}

fn format(offered: &Value) -> Option<Format> {
    let offer: Offer = serde_json::from_value(offered.clone()).ok()?;
    let codec = match offer.format.as_str() {
        "PCMU" => Codec::Mulaw,
        // The reference reads it in its host's order, not the network's.
        "L16" => Codec::PcmS16Le,
        _ => return None,
    };
    let role = |channel: &String| match channel.as_str() {
        "external" => Some(Role::Customer),
        "internal" => Some(Role::Agent),
        _ => None,
    };
    let roles: Vec<Role> = offer.channels.iter().map(role).collect::<Option<_>>()?;
    let distinct = match roles.as_slice() {
        [_] => true,
        [one, other] => one != other,
        _ => false,
    };
    let fits = offer.kind == "audio" && offer.rate == 8_000 && distinct;
    fits.then_some(Format { codec, rate: offer.rate, roles })
}

/// Genesys opens a connection without a call in it when an integration is set up.
pub fn is_probe(open: &Open) -> bool {
    open.conversation_id == NULL_UUID && open.participant.id == NULL_UUID
}

pub fn direction(open: &Open) -> Direction {
    match open.custom_config.get("direction").and_then(Value::as_str) {
        Some("outbound") => Direction::Outbound,
        _ => Direction::Inbound,
    }
}

/// What the integration's configuration says, and who is calling whom.
pub fn attributes(
    open: &Open,
    session: &str,
    correlation_id: Option<&str>,
) -> BTreeMap<String, String> {
    let short = |text: &str| text.chars().take(CUSTOM_MAX_CHARS).collect::<String>();
    let custom = open.custom_config.iter().take(CUSTOM_MAX).filter_map(|(name, value)| {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            _ => return None,
        };
        Some((short(name), short(&text)))
    });
    let mut attributes: BTreeMap<String, String> = custom.collect();
    let continued: Vec<&str> =
        open.continued_sessions.iter().map(|session| session.id.as_str()).collect();
    for (name, value) in [
        ("session_id", session),
        ("correlation_id", correlation_id.unwrap_or_default()),
        ("organization_id", open.organization_id.as_str()),
        ("participant_id", open.participant.id.as_str()),
        ("ani", open.participant.ani.as_str()),
        ("dnis", open.participant.dnis.as_str()),
        ("language", open.language.as_deref().unwrap_or_default()),
        ("continues", continued.join(" ").as_str()),
    ] {
        if !value.is_empty() {
            attributes.insert(name.to_owned(), value.to_owned());
        }
    }
    attributes
}
