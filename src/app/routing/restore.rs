//! A start: the desk as it was, from the ledger.

use std::collections::BTreeSet;

use super::begin::Missed;
use super::floor::{Floor, Known};
use super::items::{presence_of, values};
use super::ledger::{Kept, Last, Ledger, MovedBy};
use super::plan::{Open, lacking, read};
use super::settings::PlanText;
use crate::domain::{self, PlanForm, PlanPut, WorkOffered};
use crate::routing::desk::{Desk, Input, Offer};
use crate::store::codec;

/// Makes a new floor what the ledger says, and does what has become due since. What was told before isn't told again.
pub(super) fn restore(
    floor: &mut Floor,
    ledger: &Ledger,
    missed: &Missed,
    own: Option<PlanText>,
    now_ms: u64,
) {
    // Whoever was told of a decision takes no older one, though the clock was set back meanwhile.
    let decided = ledger.items.values().filter_map(|kept| kept.decision.as_ref());
    floor.at(decided.map(|last| last.at_ms).max().unwrap_or(0));
    let now_ms = floor.at(now_ms);
    let presences = ledger.presence.iter();
    let known = presences.filter_map(|(agent, one)| Some((agent.clone(), presence_of(one)?)));
    floor.presences = known.collect();
    if let Some(put) = ledger.plan.as_ref() {
        stand(floor, put.clone(), ledger, missed, now_ms);
    }
    let Some(own) = own else { return };
    // What somebody has put over the API goes before the settings.
    let is_older = floor
        .plan
        .as_ref()
        .is_none_or(|put| put.by.is_none() && (put.form, &put.text) != (own.form, &own.text));
    if !is_older {
        return;
    }
    match read(own.form, &own.text, floor.how.mode) {
        Ok(plan) => {
            let kept = ledger.items.values().map(|kept| kept.offered.workstream.clone());
            let open = match &floor.desk {
                Some(_) => floor.open_work(),
                // Who has it was perhaps in no plan for long: better a plan without them than none.
                None => Open { workstreams: kept.collect(), agents: Vec::new() },
            };
            let lacking = lacking(&plan, &open);
            if !lacking.is_empty() {
                for one in &lacking {
                    tracing::error!("the plan of the settings isn't put into force: {one}");
                }
                return;
            }
            let epoch = floor.plan.as_ref().map_or(0, |put| put.epoch) + 1;
            let put = PlanPut { epoch, form: own.form, text: own.text, by: None };
            let is_first = floor.desk.is_none();
            floor.replace_plan(put, plan, now_ms);
            if is_first {
                bring_back(floor, ledger, now_ms);
                hear_missed(floor, missed, now_ms);
                settle(floor, now_ms);
            }
        }
        Err(mistakes) => tracing::error!(mistakes = mistakes.len(), "the plan can't be used"),
    }
}

fn stand(
    floor: &mut Floor,
    put: crate::store::wire::RoutePlanned,
    ledger: &Ledger,
    missed: &Missed,
    now_ms: u64,
) {
    let form = PlanForm::parse(&put.form).unwrap_or_default();
    let plan = match read(form, &put.text, floor.how.mode) {
        Ok(plan) => plan,
        Err(mistakes) => {
            // A plan of an older version that this one reads otherwise.
            tracing::error!(
                mistakes = mistakes.len(),
                "the routing plan in force can't be read any more; put another one"
            );
            floor.plan = Some(PlanPut { epoch: put.epoch, form, text: put.text, by: put.by });
            return;
        }
    };
    let prefix = format!("{}-", domain::DecisionId::fresh());
    floor.desk = Some(Desk::new(plan, &prefix).at_epoch(put.epoch));
    floor.plan = Some(PlanPut { epoch: put.epoch, form, text: put.text, by: put.by });
    floor.board.renew();
    floor.tell_measured(now_ms);
    bring_back(floor, ledger, now_ms);
    hear_missed(floor, missed, now_ms);
    settle(floor, now_ms);
}

/// Agents and items as the ledger has them.
fn bring_back(floor: &mut Floor, ledger: &Ledger, now_ms: u64) {
    // Before the items: how long one waits depends on who is there.
    floor.tell_presences(&BTreeSet::new(), now_ms);
    let mut kept: Vec<&Kept> = ledger.items.values().collect();
    kept.sort_by_key(|kept| (kept.offered.at_ms, &kept.offered.work_item_id));
    kept.iter().for_each(|kept| again(floor, kept, now_ms));
    let Some(desk) = &mut floor.desk else { return };
    desk.count_days_work(&ledger.days_work(), now_ms);
    // Once everybody has what is theirs: whoever is full then is nobody's recommendation any more.
    for kept in kept {
        let Some((agent, last)) = kept.decision.as_ref().and_then(Last::recommended) else {
            continue;
        };
        let (item, decision) =
            (kept.offered.work_item_id.as_str().into(), last.decision_id.as_str().into());
        if desk.advised_before(&item, &last.queue, agent, decision, now_ms)
            && let Some(known) = floor.items.get_mut(&item)
        {
            // It stands at the desk, so that whatever comes next is news.
            known.stood = false;
        }
    }
    // What follows from that was told then.
    while desk.poll().is_some() {}
    // The mode of the settings may be another one than before.
    floor.take_back_names(now_ms);
}

/// What conversations told while nobody heard it.
fn hear_missed(floor: &mut Floor, missed: &Missed, now_ms: u64) {
    for event in &missed.heard {
        if let Err(error) = floor.heard(event, now_ms) {
            tracing::error!(%error, "an event tells the router nothing");
        }
    }
    missed.over.iter().for_each(|conversation| floor.end(conversation, now_ms));
}

fn settle(floor: &mut Floor, now_ms: u64) {
    if let Some(desk) = &mut floor.desk {
        // A tick names nothing that could be missing.
        let _ = desk.handle(Input::Tick, now_ms);
    }
    floor.drain(now_ms);
    for item in floor.all_items() {
        floor.forget_if_gone(&item, now_ms);
    }
}

/// One item, as it was. What the plan doesn't know any more is left out step by step.
fn again(floor: &mut Floor, kept: &Kept, now_ms: u64) {
    let offered: WorkOffered = codec::offered_of(kept.offered.clone());
    let (features, intents) = floor.knows(&offered, now_ms);
    let item = offered.item.clone();
    let at_ms = offered.at_ms.min(now_ms);
    // A transfer forgets who was preferred.
    let is_preferred = kept.moved != Some(MovedBy::Transfer);
    let restored = Input::Restored(Offer {
        item: item.clone(),
        workstream: offered.workstream.clone(),
        features: features.clone(),
        intents: intents.clone(),
        preferred: offered.preferred.iter().filter(|_| is_preferred).cloned().collect(),
    });
    let decision = kept.decision.clone();
    let wrap_up_ms = floor.how.wrap_up_ms;
    let release_at_ms = kept.ended_ms.map(|ended_ms| ended_ms.saturating_add(wrap_up_ms));
    if let Some(at_ms) = release_at_ms {
        floor.releases.insert((at_ms, item.clone()));
    }
    floor.keep(Known {
        told: values(&features),
        stood: decision.is_some(),
        is_told: decision.is_some(),
        offered,
        intents,
        decision,
        release_at_ms,
    });
    let Some(desk) = &mut floor.desk else { return };
    if let Err(error) = desk.note(restored, at_ms) {
        tracing::debug!(%error, "a work item is not quite what it was before the restart");
    }
    if let Some(at) = &kept.queued {
        desk.queued_before(&item, &at.queue, kept.moved.is_some(), at.since_ms.min(now_ms));
    }
    if kept.callback {
        desk.calls_back(&item);
    }
    desk.overflowed_before(&item, kept.overflowed);
    if kept.is_accepted && kept.agent.is_none() {
        let _ = desk.note(Input::Taken { item: item.clone() }, at_ms);
    }
    let with = kept.agent.as_deref().map(|agent| (agent, kept.is_accepted));
    let assigned_ms = kept.assigned_ms.map_or(at_ms, |assigned_ms| assigned_ms.min(now_ms));
    desk.resume(&item, &kept.declined, with, assigned_ms);
    if kept.ended_ms.is_some() {
        // It may have been forgotten with its workstream.
        let _ = desk.note(Input::Ended { item }, at_ms);
    }
}
