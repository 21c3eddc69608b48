//! What a client says of a work item: checked, and masked before anything else sees it.

use std::collections::BTreeMap;

use serde::Deserialize;
use utoipa::ToSchema;

use super::WantedItem;
use crate::domain::{FeatureValue, Intent, WorkItemId};
use crate::insight::redaction;
use crate::serve::error::{Problem, shown};
use crate::store::wire;

const NAME_MAX_CHARS: usize = 200;
const ATTRIBUTES_MAX: usize = 100;
const TEXT_MAX_CHARS: usize = 2_000;
const INTENTS_MAX: usize = 20;
const PREFERRED_MAX: usize = 20;

/// Work that somebody has to take.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OfferedItem {
    /// The client's own: given twice it is the same item. Made up where it is absent.
    id: Option<String>,
    /// Whose turns, intents and feelings count. Absent for records and for what another system talks about.
    conversation_id: Option<String>,
    /// What another router calls it, which is told of decisions.
    external_id: Option<String>,
    workstream: String,
    /// For rules. Card numbers are masked, in names and values.
    #[serde(default)]
    attributes: BTreeMap<String, wire::RouteFeatureValue>,
    /// The likeliest first; what is heard later takes their place.
    #[serde(default)]
    intents: Vec<wire::RankedIntent>,
    /// Agents who should get it if they can, in this order.
    #[serde(default)]
    preferred: Vec<String>,
}

/// `party_attributes` name a party by number or address, beside the usual ones.
///
/// # Errors
/// Something is too long, too much, out of its range, or called like a card's number.
pub fn wanted(offered: OfferedItem, party_attributes: &[String]) -> Result<WantedItem, Problem> {
    let too_many = |what: &str, most: usize| Problem::invalid(format!("{what}: {most} at most"));
    if offered.attributes.len() > ATTRIBUTES_MAX {
        return Err(too_many("attributes", ATTRIBUTES_MAX));
    }
    if offered.intents.len() > INTENTS_MAX {
        return Err(too_many("intents", INTENTS_MAX));
    }
    if offered.preferred.len() > PREFERRED_MAX {
        return Err(too_many("preferred", PREFERRED_MAX));
    }
    let mut attributes = BTreeMap::new();
    for (name, value) in offered.attributes {
        let name = label("an attribute's name", &name)?;
        attributes.insert(name.clone(), attribute(&name, value, party_attributes)?);
    }
    let mut intents = Vec::new();
    for intent in offered.intents {
        if !(0.0..=1.0).contains(&intent.probability) {
            return Err(Problem::invalid("an intent's probability is 0 to 1"));
        }
        let label = label("an intent's label", &intent.label)?;
        intents.push(Intent { label, probability: intent.probability });
    }
    let preferred = offered.preferred.into_iter().map(|one| named("preferred", one));
    let optional = |what, text: Option<String>| text.map(|text| named(what, text)).transpose();
    let id = optional("id", offered.id)?;
    Ok(WantedItem {
        id: id.map_or_else(WorkItemId::fresh, WorkItemId::from),
        conversation: optional("conversation_id", offered.conversation_id)?.map(Into::into),
        external_id: optional("external_id", offered.external_id)?,
        workstream: named("workstream", offered.workstream)?,
        attributes,
        intents,
        preferred: preferred.collect::<Result<_, _>>()?,
    })
}

/// What something is called by. It is kept as it is or refused: under another name it would be something else.
///
/// # Errors
/// It is empty, too long, or looks like a card's number; the text is not quoted then.
pub fn named(what: &str, name: String) -> Result<String, Problem> {
    let name = sized(what, name)?;
    match redaction::is_harmless_id(&name) {
        true => Ok(name),
        false => {
            let detail = format!("{what} looks like the number of a card: give it another");
            Err(Problem::invalid(detail))
        }
    }
}

fn label(what: &str, text: &str) -> Result<String, Problem> {
    sized(what, redaction::typed(text).as_str().to_owned())
}

fn sized(what: &str, text: String) -> Result<String, Problem> {
    match text.trim().is_empty() || text.chars().count() > NAME_MAX_CHARS {
        true => Err(Problem::invalid(format!("{what} has 1 to {NAME_MAX_CHARS} characters"))),
        false => Ok(text),
    }
}

fn attribute(
    name: &str,
    value: wire::RouteFeatureValue,
    party_attributes: &[String],
) -> Result<FeatureValue, Problem> {
    match value {
        wire::RouteFeatureValue::Text(text) if text.chars().count() > TEXT_MAX_CHARS => {
            let most = format!("attributes.{}: {TEXT_MAX_CHARS} characters at most", shown(name));
            Err(Problem::invalid(most))
        }
        wire::RouteFeatureValue::Text(text) => {
            let kept = redaction::attribute(name, &text, party_attributes);
            Ok(FeatureValue::Text(kept.as_str().to_owned()))
        }
        wire::RouteFeatureValue::Number(number) => Ok(match redaction::number(name, number) {
            Some(kept) => FeatureValue::Text(kept.as_str().to_owned()),
            None => FeatureValue::Number(number),
        }),
        wire::RouteFeatureValue::Flag(flag) => Ok(FeatureValue::Flag(flag)),
    }
}
