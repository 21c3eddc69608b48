//! Routing decisions ⇄ the JSON that is stored and streamed.

use super::wire;
use crate::domain::{
    Assignment, Candidate, Decision, Feature, FeatureValue, Intent, PlanPut, PresenceSet, Recorded,
    RoutingMode, Term, WorkMoved, WorkOffered, WorkOverflowed, WorkQueued, WorkStep,
};
use crate::store::StoreError;

pub const ROUTE_RECOMMENDED: &str = "route.recommended";
pub const ROUTE_ASSIGNED: &str = "route.assigned";
pub const ROUTE_PLANNED: &str = "route.planned";
pub const ROUTE_PRESENCE: &str = "route.presence";
pub const ROUTE_OFFERED: &str = "route.offered";
pub const ROUTE_QUEUED: &str = "route.queued";
pub const ROUTE_OVERFLOWED: &str = "route.overflowed";
pub const ROUTE_MOVED: &str = "route.moved";

pub fn decision(x: &Decision) -> wire::RouteRecommended {
    wire::RouteRecommended {
        decision_id: x.id.to_string(),
        work_item_id: x.item.to_string(),
        queue: x.queue.clone(),
        mode: x.mode.as_str().into(),
        policy: x.policy.clone(),
        epoch: x.epoch,
        reason: x.reason.clone(),
        chosen: x.chosen.as_ref().map(candidate),
        runner_up: x.runner_up.as_ref().map(candidate),
        others: x.others.iter().take(Decision::OTHERS_MAX).map(candidate).collect(),
        rules_matched: x.rules_matched.clone(),
        would_change: x.would_change.clone(),
        features: x.features.iter().map(feature).collect(),
        at_ms: x.at_ms,
    }
}

/// What a `route.recommended` says; `None` for every other kind.
///
/// # Errors
/// The event is damaged.
pub fn decode_decision(event: &Recorded) -> Result<Option<Decision>, StoreError> {
    if &*event.kind != ROUTE_RECOMMENDED {
        return Ok(None);
    }
    let read = decision_of(super::data(event)?);
    read.map(Some).ok_or_else(|| unknown_mode(event))
}

/// None where it names a mode that this version doesn't know.
pub fn decision_of(wire: wire::RouteRecommended) -> Option<Decision> {
    Some(Decision {
        id: wire.decision_id.into(),
        item: wire.work_item_id.into(),
        queue: wire.queue,
        mode: RoutingMode::parse(&wire.mode)?,
        policy: wire.policy,
        epoch: wire.epoch,
        chosen: wire.chosen.map(candidate_of),
        runner_up: wire.runner_up.map(candidate_of),
        others: wire.others.into_iter().map(candidate_of).collect(),
        rules_matched: wire.rules_matched,
        would_change: wire.would_change,
        reason: wire.reason,
        features: wire.features.into_iter().map(feature_of).collect(),
        at_ms: wire.at_ms,
    })
}

pub fn assignment(x: &Assignment) -> wire::RouteAssigned {
    wire::RouteAssigned {
        decision_id: x.decision.as_ref().map(ToString::to_string),
        work_item_id: x.item.to_string(),
        queue: x.queue.clone(),
        agent: x.agent.clone(),
        mode: x.mode.as_str().into(),
        policy: x.policy.clone(),
        epoch: x.epoch,
        recommended: x.recommended.clone(),
        by: x.by.clone(),
        reason: x.reason.clone(),
        day_profiles: x.day_profiles.clone(),
        waited_ms: x.waited_ms,
        at_ms: x.at_ms,
    }
}

/// What a `route.assigned` says; `None` for every other kind.
///
/// # Errors
/// The event is damaged.
pub fn decode_assignment(event: &Recorded) -> Result<Option<Assignment>, StoreError> {
    if &*event.kind != ROUTE_ASSIGNED {
        return Ok(None);
    }
    let wire: wire::RouteAssigned = super::data(event)?;
    Ok(Some(Assignment {
        decision: wire.decision_id.map(Into::into),
        item: wire.work_item_id.into(),
        queue: wire.queue,
        agent: wire.agent,
        mode: RoutingMode::parse(&wire.mode).ok_or_else(|| unknown_mode(event))?,
        policy: wire.policy,
        epoch: wire.epoch,
        recommended: wire.recommended,
        by: wire.by,
        reason: wire.reason,
        day_profiles: wire.day_profiles,
        waited_ms: wire.waited_ms,
        at_ms: wire.at_ms,
    }))
}

pub fn planned(x: &PlanPut) -> wire::RoutePlanned {
    wire::RoutePlanned {
        epoch: x.epoch,
        form: x.form.as_str().into(),
        text: x.text.clone(),
        by: x.by.clone(),
    }
}

pub(super) fn presence(x: &PresenceSet) -> wire::RoutePresence {
    wire::RoutePresence { agent: x.agent.clone(), presence: x.presence.clone(), by: x.by.clone() }
}

pub fn offered(x: &WorkOffered) -> wire::RouteOffered {
    let intent = |one: &Intent| wire::RankedIntent {
        label: one.label.clone(),
        probability: super::finite(one.probability),
    };
    wire::RouteOffered {
        work_item_id: x.item.to_string(),
        conversation_id: x.conversation.as_ref().map(ToString::to_string),
        external_id: x.external_id.clone(),
        workstream: x.workstream.clone(),
        features: x.features.iter().map(feature).collect(),
        intents: x.intents.iter().map(intent).collect(),
        preferred: x.preferred.clone(),
        by: x.by.clone(),
        at_ms: x.at_ms,
    }
}

/// What a `route.offered` says; `None` for every other kind.
///
/// # Errors
/// The event is damaged.
pub fn decode_offered(event: &Recorded) -> Result<Option<WorkOffered>, StoreError> {
    if &*event.kind != ROUTE_OFFERED {
        return Ok(None);
    }
    super::data(event).map(|wire| Some(offered_of(wire)))
}

pub fn offered_of(wire: wire::RouteOffered) -> WorkOffered {
    let intent =
        |one: wire::RankedIntent| Intent { label: one.label, probability: one.probability };
    WorkOffered {
        item: wire.work_item_id.into(),
        conversation: wire.conversation_id.map(Into::into),
        external_id: wire.external_id,
        workstream: wire.workstream,
        features: wire.features.into_iter().map(feature_of).collect(),
        intents: wire.intents.into_iter().map(intent).collect(),
        preferred: wire.preferred,
        by: wire.by,
        at_ms: wire.at_ms,
    }
}

pub(super) fn queued(x: &WorkQueued) -> wire::RouteQueued {
    wire::RouteQueued {
        work_item_id: x.item.to_string(),
        workstream: x.workstream.clone(),
        queue: x.queue.clone(),
        mode: x.mode.as_str().into(),
        epoch: x.epoch,
        classified_by: x.classified_by.clone(),
        routes_matched: x
            .routes_matched
            .iter()
            .map(|(route, queue)| wire::RouteMatched { route: route.clone(), queue: queue.clone() })
            .collect(),
        route: x.route.clone(),
        percent: x.percent.map(finite),
        skills: x.skills.iter().cloned().collect(),
        profiles: x.profiles.clone(),
        callback: x.callback,
        why: x.why.clone(),
        at_ms: x.at_ms,
    }
}

pub(super) fn overflowed(x: &WorkOverflowed) -> wire::RouteOverflowed {
    wire::RouteOverflowed {
        work_item_id: x.item.to_string(),
        queue: x.queue.clone(),
        mode: x.mode.as_str().into(),
        epoch: x.epoch,
        action: x.action.clone(),
        to: x.to.clone(),
        after_queueing: x.after_queueing,
        waited_ms: x.waited_ms,
        why: x.why.clone(),
        at_ms: x.at_ms,
    }
}

pub fn moved(x: &WorkMoved) -> wire::RouteMoved {
    wire::RouteMoved {
        work_item_id: x.item.to_string(),
        step: x.step.as_str().into(),
        queue: match &x.step {
            WorkStep::Transferred(queue) => Some(queue.clone()),
            _ => None,
        },
        by: x.by.clone(),
        at_ms: x.at_ms,
    }
}

fn unknown_mode(event: &Recorded) -> StoreError {
    StoreError::Corrupt(format!("event {} names an unknown mode", event.id))
}

fn candidate(x: &Candidate) -> wire::RouteCandidate {
    let term = |term: &Term| wire::RouteTerm {
        name: term.name.clone().into_owned(),
        value: finite(term.value),
        why: term.why.clone().into_owned(),
    };
    wire::RouteCandidate {
        agent: x.agent.clone(),
        score: finite(x.score),
        terms: x.terms.iter().map(term).collect(),
    }
}

fn candidate_of(wire: wire::RouteCandidate) -> Candidate {
    let term = |term: wire::RouteTerm| Term {
        name: term.name.into(),
        value: term.value,
        why: term.why.into(),
    };
    Candidate {
        agent: wire.agent,
        score: wire.score,
        terms: wire.terms.into_iter().map(term).collect(),
    }
}

pub fn feature(x: &Feature) -> wire::RouteFeature {
    wire::RouteFeature {
        name: x.name.clone().into_owned(),
        value: match &x.value {
            FeatureValue::Text(text) => wire::RouteFeatureValue::Text(text.clone()),
            FeatureValue::Number(number) => wire::RouteFeatureValue::Number(finite(*number)),
            FeatureValue::Flag(flag) => wire::RouteFeatureValue::Flag(*flag),
        },
        source: x.source.clone().into_owned(),
        as_of_ms: x.as_of_ms,
    }
}

pub fn feature_of(wire: wire::RouteFeature) -> Feature {
    Feature {
        name: wire.name.into(),
        value: match wire.value {
            wire::RouteFeatureValue::Text(text) => FeatureValue::Text(text),
            wire::RouteFeatureValue::Number(number) => FeatureValue::Number(number),
            wire::RouteFeatureValue::Flag(flag) => FeatureValue::Flag(flag),
        },
        source: wire.source.into(),
        as_of_ms: wire.as_of_ms,
    }
}

/// JSON has neither NaN nor infinity: serde would write null, which the reader then refuses.
fn finite(number: f64) -> f64 {
    if number.is_nan() { 0.0 } else { number.clamp(f64::MIN, f64::MAX) }
}
