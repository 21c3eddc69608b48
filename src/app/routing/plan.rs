//! The plan: read as it was written, put as a whole.

use super::floor::Floor;
use crate::domain::{self, EventBody, PlanPut, RoutingMode};
use crate::routing::desk::{Desk, Input};
use crate::routing::plan::{Mistake, Plan, from_json, from_toml};
use crate::serve::{NewPlan, PlanForm, PlanInForce, PlanMistake, PlanRefusal};
use crate::store::ROUTING;

/// # Errors
/// All mistakes, each with its place.
pub(super) fn read(
    form: domain::PlanForm,
    text: &str,
    mode: Option<RoutingMode>,
) -> Result<Plan, Vec<Mistake>> {
    let mut plan = match form {
        domain::PlanForm::Toml => from_toml(text),
        domain::PlanForm::Json => from_json(text),
    }?;
    plan.mode = mode.unwrap_or(plan.mode);
    Ok(plan)
}

impl Floor {
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
        let form = match new.form {
            PlanForm::Toml => domain::PlanForm::Toml,
            PlanForm::Json => domain::PlanForm::Json,
        };
        let plan = read(form, &new.text, self.how.mode)
            .map_err(|all| PlanRefusal::Mistakes(all.into_iter().map(mistake).collect()))?;
        let put = PlanPut { epoch: epoch + 1, form, text: new.text, by: Some(by.to_owned()) };
        self.replace_plan(put, plan, now_ms);
        self.plan_in_force().ok_or(PlanRefusal::Changed { epoch })
    }

    /// A plan that was read comes into force, and is written.
    pub fn replace_plan(&mut self, put: PlanPut, plan: Plan, now_ms: u64) {
        let is_known = self.desk.is_some();
        match &mut self.desk {
            Some(desk) => {
                // A plan names nothing that could be missing.
                let _ = desk.note(Input::PlanReplaced(Box::new(plan)), now_ms);
            }
            None => {
                let prefix = format!("{}-", domain::DecisionId::fresh());
                self.desk = Some(Desk::new(plan, &prefix).at_epoch(put.epoch));
            }
        }
        self.push(ROUTING.into(), EventBody::RoutePlanned(Box::new(put.clone())));
        self.plan = Some(put);
        self.tell_measured(now_ms);
        if let Some(desk) = &mut self.desk {
            desk.settle(now_ms);
        }
        self.drain(now_ms);
        if is_known {
            // Workstreams may have gone with the old plan.
            for item in self.all_items() {
                self.forget_if_gone(&item, now_ms);
            }
        }
    }

    pub fn plan_in_force(&self) -> Option<PlanInForce> {
        let put = self.plan.as_ref()?;
        let form = match put.form {
            domain::PlanForm::Toml => PlanForm::Toml,
            domain::PlanForm::Json => PlanForm::Json,
        };
        Some(PlanInForce { epoch: put.epoch, form, text: put.text.clone() })
    }
}

fn mistake(one: Mistake) -> PlanMistake {
    PlanMistake {
        place: one.place,
        line_column: one.line_column,
        what: one.what,
        instead: one.instead,
    }
}
