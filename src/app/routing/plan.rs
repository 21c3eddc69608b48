//! The plan: read as it was written, put as a whole.

use std::collections::{BTreeMap, BTreeSet};

use super::floor::{Floor, Known};
use super::ledger::Last;
use crate::domain::{DecisionId, EventBody, PlanForm, PlanPut, RoutingMode};
use crate::routing::desk::{Desk, Input};
use crate::routing::plan::{Mistake, Plan, Presence, from_json, from_toml};
use crate::serve::{NewPlan, PlanInForce, PlanRefusal};
use crate::store::ROUTING;

/// # Errors
/// All mistakes, each with its place.
pub(super) fn read(
    form: PlanForm,
    text: &str,
    mode: Option<RoutingMode>,
) -> Result<Plan, Vec<Mistake>> {
    let mut plan = match form {
        PlanForm::Toml => from_toml(text),
        PlanForm::Json => from_json(text),
    }?;
    plan.mode = mode.unwrap_or(plan.mode);
    Ok(plan)
}

/// Names that open work belongs to, one for each item.
#[derive(Default)]
pub(super) struct Open {
    pub workstreams: Vec<String>,
    /// Who has accepted it. What is only offered can be offered to somebody else.
    pub agents: Vec<String>,
}

/// What a plan lacks for the work that is open: nothing of it may be lost. Empty where all can go on.
pub(super) fn lacking(plan: &Plan, open: &Open) -> Vec<Mistake> {
    let (names, mut lacking) = (&plan.names, Vec::new());
    let workstreams = open.workstreams.iter().filter(|name| !names.workstreams.contains_key(*name));
    missing(&mut lacking, "workstreams", workstreams);
    // Back in a later plan, they would seem to have nothing to do.
    let agents = open.agents.iter().filter(|name| !names.agents.contains_key(*name));
    missing(&mut lacking, "agents", agents);
    lacking
}

fn missing<'a>(lacking: &mut Vec<Mistake>, place: &str, names: impl Iterator<Item = &'a String>) {
    let mut open: BTreeMap<&str, usize> = BTreeMap::new();
    names.for_each(|name| *open.entry(name).or_default() += 1);
    let mistake = |(name, count): (&str, usize)| Mistake {
        place: place.to_owned(),
        line_column: None,
        what: match count {
            1 => format!("`{name}` is missing, and 1 open work item belongs to it"),
            count => format!("`{name}` is missing, and {count} open work items belong to it"),
        },
        instead: format!("keep `{name}` until its work is over, or end that first"),
    };
    lacking.extend(open.into_iter().map(mistake));
}

impl Floor {
    /// What a plan must have.
    pub(super) fn open_work(&self) -> Open {
        let workstreams = self.items.values().map(|known| known.offered.workstream.clone());
        let at_desk = |id| self.desk.as_ref().and_then(|desk| desk.item(id));
        let at_work = self.items.keys().filter_map(at_desk);
        let at_work = at_work.filter(|item| matches!(item.place, "active" | "wrapping_up"));
        Open {
            workstreams: workstreams.collect(),
            agents: at_work.filter_map(|item| item.agent).collect(),
        }
    }

    /// Agents who weren't in the plan `before` are where they said they were.
    pub(super) fn tell_presences(&mut self, before: &BTreeSet<String>, now_ms: u64) {
        let Some(desk) = &mut self.desk else { return };
        let agents = desk.plan().agents.iter().map(|one| one.name.clone());
        let new: Vec<String> = agents.filter(|name| !before.contains(name)).collect();
        for agent in new {
            let unless_told = self.how.everybody_is_there.then_some(Presence::Available);
            let presence = self.presences.get(&agent).copied().or(unless_told);
            if let Some(presence) = presence {
                // It names an agent of the plan.
                let _ = desk.note(Input::PresenceChanged { agent, presence }, now_ms);
            }
        }
    }

    /// Where routing is off, no name of before stands.
    pub(super) fn take_back_names(&mut self, now_ms: u64) {
        let Some(desk) = self.desk.as_mut().filter(|desk| desk.plan().mode == RoutingMode::Off)
        else {
            return;
        };
        let last = |known: &Known| known.decision.as_ref().and_then(Last::recommended).is_some();
        let named = self.items.values().filter(|known| last(known));
        let mut named: Vec<_> = named.map(|known| known.offered.item.clone()).collect();
        named.sort();
        named.iter().for_each(|item| desk.names_nobody(item, now_ms));
    }

    /// Puts a plan into force, whole or not at all.
    pub fn put_plan(
        &mut self,
        new: NewPlan,
        expected: Option<u64>,
        by: &str,
        now_ms: u64,
    ) -> Result<PlanInForce, PlanRefusal> {
        let now_ms = self.at(now_ms);
        let epoch = self.plan.as_ref().map_or(0, |plan| plan.epoch);
        if expected.is_some_and(|expected| expected != epoch) {
            return Err(PlanRefusal::Changed { epoch });
        }
        let NewPlan { form, text } = new;
        let plan = read(form, &text, self.how.mode).map_err(PlanRefusal::Mistakes)?;
        let lacking = lacking(&plan, &self.open_work());
        if !lacking.is_empty() {
            return Err(PlanRefusal::Mistakes(lacking));
        }
        let put = PlanPut { epoch: epoch + 1, form, text, by: Some(by.to_owned()) };
        self.replace_plan(put, plan, now_ms);
        self.plan_in_force().ok_or(PlanRefusal::Changed { epoch })
    }

    /// A plan that was read comes into force, and is written.
    pub fn replace_plan(&mut self, put: PlanPut, plan: Plan, now_ms: u64) {
        let agents = self.desk.iter().flat_map(|desk| &desk.plan().agents);
        let before: BTreeSet<String> = agents.map(|one| one.name.clone()).collect();
        match &mut self.desk {
            Some(desk) => {
                // A plan names nothing that could be missing.
                let _ = desk.note(Input::PlanReplaced(Box::new(plan)), now_ms);
            }
            None => {
                let prefix = format!("{}-", DecisionId::fresh());
                self.desk = Some(Desk::new(plan, &prefix).at_epoch(put.epoch));
            }
        }
        self.tell_presences(&before, now_ms);
        self.take_back_names(now_ms);
        self.push(ROUTING.into(), EventBody::RoutePlanned(Box::new(put.clone())));
        self.plan = Some(put);
        // Agents who weren't in the plan before have a past, too.
        self.board.renew();
        self.tell_measured(now_ms);
        if let Some(desk) = &mut self.desk {
            desk.settle(now_ms);
        }
        self.drain(now_ms);
    }

    pub fn plan_in_force(&self) -> Option<PlanInForce> {
        let put = self.plan.as_ref()?;
        Some(PlanInForce { epoch: put.epoch, form: put.form, text: put.text.clone() })
    }
}
