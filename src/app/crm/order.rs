//! What agents order: in words of their own, and never in place of what stands.

use jiff::Zoned;

use super::CrmDesk;
use super::customer::others;
use super::desk::{failed, of};
use crate::domain::{DedupeKey, DeliveryState, DueAt, Effect, ErrorKind, TenantId};
use crate::flow::feedback::outcome::{Ending, Planned, is_same_for, otherwise};
use crate::insight::redaction;
use crate::serve::{Change, Failure, Known};
use crate::store::wire;

impl CrmDesk {
    /// What stands is never changed, so whoever ordered it otherwise must hear of it.
    pub(super) async fn refuse_otherwise(
        &self,
        tenant: &TenantId,
        chosen: &[Planned],
    ) -> Result<(), Failure> {
        let mut told = Vec::new();
        for one in chosen {
            let (destination, key) = (&one.destination, &one.key);
            let stands = self.outbox.delivery_by_key(tenant, destination, key).await.map_err(of)?;
            let Some(stands) = stands else { continue };
            if let Some(what) = otherwise(&stands.new.effect, &one.effect) {
                let by = stands.new.by.as_deref().unwrap_or("a rule");
                told.push(format!("“{}” was put by {by} already, with {what}", one.title));
            }
        }
        if told.is_empty() {
            return Ok(());
        }
        let why = format!("{}; look at what stands, and order the rest again", told.join("; "));
        Err(failed(ErrorKind::Conflict, why))
    }

    /// Shows of what stands what was put, not the draft as it is by now. What was thrown away is a draft again.
    pub(super) async fn show_as_put(
        &self,
        tenant: &TenantId,
        planned: &mut [Planned],
        writes: &[wire::CrmWrite],
    ) -> Result<(), Failure> {
        for one in planned {
            let is_it = |write: &&wire::CrmWrite| {
                write.destination == one.destination && write.dedupe_key == one.key.as_str()
            };
            if !writes.iter().any(|write| is_it(&write)) {
                continue;
            }
            let (destination, key) = (&one.destination, &one.key);
            let stands = self.outbox.delivery_by_key(tenant, destination, key).await.map_err(of)?;
            if let Some(stands) =
                stands.filter(|one| one.progress.state != DeliveryState::Discarded)
            {
                one.effect = stands.new.effect;
            }
        }
        Ok(())
    }

    /// What was done for another contact of the conversation, or may have been: for each of `planned`, by its place,
    /// what stands of it. The CRM has it where that one was merged, and a second one is a person's decision.
    pub(super) async fn done_before(
        &self,
        tenant: &TenantId,
        ending: &Ending,
        known: &Known,
        contact_id: &str,
        planned: &[Planned],
    ) -> Result<Vec<Option<wire::CrmWrite>>, Failure> {
        let others = others(known, Some(contact_id));
        let mut all = Vec::new();
        for one in planned {
            let mut before = None;
            for write in known.writes.iter().filter(|write| write.destination == one.destination) {
                let key = DedupeKey::stored(&*write.dedupe_key);
                let is_same = |id: &&str| is_same_for(one, &ending.conversation, id, &key);
                if !others.iter().any(is_same) {
                    continue;
                }
                let is_done = write.state == DeliveryState::Done.as_str();
                if is_done || self.may_be_done(tenant, &write.destination, &key).await? {
                    before = Some(write.clone());
                }
            }
            all.push(before);
        }
        Ok(all)
    }

    async fn may_be_done(
        &self,
        tenant: &TenantId,
        destination: &str,
        key: &DedupeKey,
    ) -> Result<bool, Failure> {
        let found = self.outbox.delivery_by_key(tenant, destination, key).await.map_err(of)?;
        Ok(found.is_some_and(|found| found.progress.unclear))
    }
}

/// # Errors
/// The change can't be read.
pub(super) fn changed(mut planned: Planned, change: Option<&Change>) -> Result<Planned, Failure> {
    let Some(change) = change else { return Ok(planned) };
    let text = change.text.as_deref().map(redaction::typed);
    let wrong = |what: &str| failed(ErrorKind::Invalid, format!("changes: {what}"));
    match &mut planned.effect {
        Effect::AddNote(one) => one.body = text.unwrap_or_else(|| one.body.clone()),
        Effect::CreateCase(one) => one.body = text.unwrap_or_else(|| one.body.clone()),
        Effect::LogCall(one) => one.body = text.unwrap_or_else(|| one.body.clone()),
        Effect::DraftMail(one) | Effect::SendMail(one) => {
            one.body = text.unwrap_or_else(|| one.body.clone());
        }
        Effect::CreateTask(one) => {
            one.body = text.unwrap_or_else(|| one.body.clone());
            if let Some(date) = &change.date {
                let date = date.parse().map_err(|_| wrong("date is a day such as 2026-11-26"))?;
                let zone = jiff::tz::TimeZone::system();
                let time_zone = zone.iana_name().unwrap_or("UTC").to_owned();
                let before = one.due.take();
                one.due = Some(DueAt {
                    date,
                    time: before.as_ref().and_then(|due| due.time),
                    time_zone: before.map_or(time_zone, |due| due.time_zone),
                });
            }
        }
        Effect::PutMeeting(one) => {
            one.body = text.unwrap_or_else(|| one.body.clone());
            if let Some(starts) = &change.starts {
                one.starts = starts.parse::<Zoned>().map_err(|_| {
                    wrong("starts is a moment such as 2026-11-26T14:00[Europe/London]")
                })?;
            }
            one.minutes = change.minutes.unwrap_or(one.minutes).clamp(1, 24 * 60);
        }
        _ => {}
    }
    Ok(planned)
}
