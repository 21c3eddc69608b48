//! The plan: read as it was written, put as a whole.

use std::collections::BTreeMap;

use super::floor::Floor;
use crate::domain::{DecisionId, EventBody, PlanForm, PlanPut, RoutingMode};
use crate::routing::desk::{Desk, Input};
use crate::routing::plan::{Mistake, Plan, from_json, from_toml};
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

/// What a plan lacks for the work that is open, `workstreams` being theirs, one for each item: nothing of it may be
/// lost. Empty where all can go on.
pub(super) fn lacking<'a>(plan: &Plan, workstreams: impl Iterator<Item = &'a str>) -> Vec<Mistake> {
    let mut open: BTreeMap<&str, usize> = BTreeMap::new();
    workstreams.for_each(|name| *open.entry(name).or_default() += 1);
    open.retain(|name, _| !plan.names.workstreams.contains_key(*name));
    let mistake = |(name, count): (&str, usize)| Mistake {
        place: "workstreams".to_owned(),
        line_column: None,
        what: match count {
            1 => format!("`{name}` is missing, and 1 open work item belongs to it"),
            count => format!("`{name}` is missing, and {count} open work items belong to it"),
        },
        instead: format!("keep `{name}` until its work is over, or end that first"),
    };
    open.into_iter().map(mistake).collect()
}

impl Floor {
    /// Workstreams of what isn't over, one for each item.
    pub(super) fn open_workstreams(&self) -> impl Iterator<Item = &str> {
        self.items.values().map(|known| known.offered.workstream.as_str())
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
        let lacking = lacking(&plan, self.open_workstreams());
        if !lacking.is_empty() {
            return Err(PlanRefusal::Mistakes(lacking));
        }
        let put = PlanPut { epoch: epoch + 1, form, text, by: Some(by.to_owned()) };
        self.replace_plan(put, plan, now_ms);
        self.plan_in_force().ok_or(PlanRefusal::Changed { epoch })
    }

    /// A plan that was read comes into force, and is written.
    pub fn replace_plan(&mut self, put: PlanPut, plan: Plan, now_ms: u64) {
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
