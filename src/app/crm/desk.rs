//! What agents do with contacts, outcomes and dead letters.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::CrmDesk;
use super::customer::{candidate, customer, gone, refuse_second_person};
use super::identify::{identify, key};
use super::order::changed;
use crate::domain::{
    ConversationId, CrmContext, CrmWrite, DedupeKey, Delivery, DeliveryMove, DeliveryState,
    ErrorKind, EventBody, Identity, NewDelivery, NewEvent, Progress, Redacted, TenantId,
};
use crate::flow::feedback::outcome::{
    CaseChoice, Ending, Planned, Rule, Stands, anew, as_written, plan, statuses,
};
use crate::serve::{
    CrmDoor, Expert, Failure, Known, Outcome, OutcomeOrder, SwarmOrder, SystemState, WantedContact,
    ending,
};
use crate::store::{ConversationRow, DeliveryQuery, Page, StoreError, wire};

/// Longer than the rules take to put everything into the outbox.
const RULES_TAKE: Duration = Duration::from_secs(5);
const NO_CRM: &str = "no CRM is configured; name one in [crm]";

pub(super) fn failed(kind: ErrorKind, message: impl Into<String>) -> Failure {
    Failure { kind, message: message.into() }
}

pub(super) fn of(error: StoreError) -> Failure {
    Failure::of(&error)
}

#[async_trait]
impl CrmDoor for CrmDesk {
    async fn identify(
        &self,
        tenant: &TenantId,
        conversation: &ConversationId,
        wanted: WantedContact,
        by: &str,
    ) -> Result<CrmContext, Failure> {
        let crm = self.crm.as_deref().ok_or_else(|| failed(ErrorKind::Conflict, NO_CRM))?;
        let (_, before) = self.read(tenant, conversation).await?;
        let region = &self.settings.region;
        let mut context = match wanted {
            WantedContact::Candidate(id) => candidate(crm, before.context.clone(), &id).await?,
            WantedContact::By(key) => identify(crm, key, region).await,
            WantedContact::Written(text) => {
                let key = key(&text, region).ok_or_else(|| {
                    let what = "that is neither a telephone number nor an e-mail address";
                    failed(ErrorKind::Invalid, what)
                })?;
                identify(crm, key, region).await
            }
            WantedContact::Nobody => CrmContext {
                connector: crm.name().to_owned(),
                searched: before.context.as_ref().and_then(|context| context.searched.clone()),
                identity: Identity::Unknown,
                latency_ms: 0,
            },
        };
        if let Identity::Unavailable(why) = &context.identity {
            return Err(failed(ErrorKind::Unavailable, format!("the CRM was not reached: {why}")));
        }
        if let Identity::Known(known) = &mut context.identity {
            known.chosen_by = Some(by.to_owned());
        }
        let gone = gone(crm, &before, &context).await;
        {
            let _turn = self.turns.of(tenant, conversation).await;
            // Something may have been written while the CRM was asked.
            let (_, now) = self.read(tenant, conversation).await?;
            refuse_second_person(&now, &context, &gone)?;
            self.tell_of_customer(tenant, conversation, context.clone()).await.map_err(of)?;
        }
        // Where it is over, the rules had nobody to write about, and nothing else makes them try again.
        let (desk, tenant, id) = (self.clone(), tenant.clone(), conversation.clone());
        tokio::spawn(async move {
            if let Err(error) = desk.write_if_over(&tenant, &id).await {
                tracing::error!(conversation.id = %id, %error, "the outcome is not written");
            }
        });
        Ok(context)
    }

    async fn outcome(
        &self,
        tenant: &TenantId,
        conversation: &ConversationId,
    ) -> Result<Outcome, Failure> {
        let (ending, mut known) = self.read(tenant, conversation).await?;
        let context = known.context.take();
        match customer(context) {
            Ok(customer) => {
                let none = CaseChoice::None;
                let mut planned = plan(&ending, &customer, &none, &self.settings.outcome);
                planned.extend(statuses(&ending, &customer, &self.settings.outcome));
                as_written(&mut planned, &stands(&known.writes));
                self.show_as_put(tenant, &mut planned, &known.writes).await?;
                let contact = &customer.contact.id;
                let before = self.done_before(tenant, &ending, &known, contact, &planned).await?;
                let are_done = known.row.is_some_and(|row| self.rules_are_done(&row));
                for (one, before) in planned.iter_mut().zip(&before) {
                    // What the rules leave out nobody writes but who looks at it.
                    if one.rule == Rule::Automatic && (are_done || before.is_some()) {
                        one.rule = Rule::Ask;
                    }
                }
                let (cases, writes) = (customer.cases, known.writes);
                Ok(Outcome { planned, before, cases, why_not: None, writes })
            }
            Err(why) => {
                Ok(Outcome { why_not: Some(why), writes: known.writes, ..Outcome::default() })
            }
        }
    }

    async fn write(
        &self,
        tenant: &TenantId,
        conversation: &ConversationId,
        order: OutcomeOrder,
        by: &str,
    ) -> Result<Vec<Delivery>, Failure> {
        let _turn = self.turns.of(tenant, conversation).await;
        let (ending, before) = self.read(tenant, conversation).await?;
        let customer =
            customer(before.context.clone()).map_err(|why| failed(ErrorKind::Conflict, why))?;
        if let CaseChoice::Existing(id) = &order.case
            && customer.cases.iter().all(|case| case.id != *id)
        {
            return Err(failed(ErrorKind::Invalid, "that is none of the contact's open cases"));
        }
        let mut planned = plan(&ending, &customer, &order.case, &self.settings.outcome);
        anew(&mut planned, &stands(&before.writes));
        let mut chosen = Vec::new();
        for id in &order.items {
            let Some(one) = planned.iter().find(|one| one.id == *id) else {
                return Err(failed(
                    ErrorKind::Invalid,
                    "one of the items isn't planned any more; look again",
                ));
            };
            chosen.push(changed(one.clone(), order.changes.get(id))?);
        }
        self.refuse_otherwise(tenant, &chosen).await?;
        // What belongs to the new case needs it.
        if order.case == CaseChoice::New && chosen.iter().all(|one| one.id != "case") {
            chosen.extend(planned.iter().find(|one| one.id == "case").cloned());
        }
        // In the order in which they must be done, whatever the order of the clicks.
        chosen.sort_by_key(|one| planned.iter().position(|other| other.id == one.id));
        self.post(tenant, conversation, chosen, Some(by)).await
    }

    async fn deliveries(&self, query: DeliveryQuery) -> Result<Page<Delivery>, Failure> {
        self.outbox.deliveries(&query).await.map_err(of)
    }

    async fn tally(&self, tenant: &TenantId) -> Result<Vec<(String, DeliveryState, u64)>, Failure> {
        self.outbox.tally(tenant).await.map_err(of)
    }

    async fn retry(&self, tenant: &TenantId, position: u64) -> Result<Delivery, Failure> {
        let from = [DeliveryState::Failed, DeliveryState::Waiting];
        self.move_by_hand(tenant, position, &from, DeliveryState::Waiting).await
    }

    async fn discard(&self, tenant: &TenantId, position: u64) -> Result<Delivery, Failure> {
        let from = [DeliveryState::Failed, DeliveryState::Waiting];
        self.move_by_hand(tenant, position, &from, DeliveryState::Discarded).await
    }

    fn systems(&self) -> Vec<SystemState> {
        let state = |one: &super::Place| SystemState {
            name: one.name.clone(),
            kind: one.kind,
            system: one.system,
            is_resting: one.courier.is_resting(),
            problem: one.courier.problem(),
        };
        self.places.iter().map(state).collect()
    }

    async fn swarm(
        &self,
        tenant: &TenantId,
        conversation: &ConversationId,
        order: SwarmOrder,
        pack: Vec<Redacted>,
        by: &str,
    ) -> Result<Delivery, Failure> {
        let _turn = self.turns.of(tenant, conversation).await;
        let (ending, known) = self.read(tenant, conversation).await?;
        let stands = stands(&known.writes);
        let mut planned = vec![self.call_for_help(ending, known, order, pack, by)?];
        anew(&mut planned, &stands);
        let mut posted = self.post(tenant, conversation, planned, Some(by)).await?;
        Ok(posted.remove(0))
    }

    async fn experts(
        &self,
        tenant: &TenantId,
        conversation: &ConversationId,
    ) -> Result<Vec<Expert>, Failure> {
        self.find_experts(tenant, conversation).await
    }
}

impl CrmDesk {
    pub(super) async fn read(
        &self,
        tenant: &TenantId,
        conversation: &ConversationId,
    ) -> Result<(Ending, Known), Failure> {
        let found = ending(self.store.as_ref(), tenant, conversation).await.map_err(of)?;
        let none =
            || failed(ErrorKind::NotFound, format!("there is no conversation {conversation}"));
        found.ok_or_else(none)
    }

    /// Into the log, and to the conversation. The desktop doesn't wait for a conversation that sleeps, nor that one
    /// for the disk; what wakes meanwhile is told by one or finds it in the other.
    pub(super) async fn tell_of_customer(
        &self,
        tenant: &TenantId,
        id: &ConversationId,
        context: CrmContext,
    ) -> Result<(), StoreError> {
        let body = EventBody::CrmContext(Box::new(context.clone()));
        let told = vec![NewEvent::at(Timestamp::now(), body)];
        let (appended, ()) =
            tokio::join!(self.store.append(tenant, id, told), self.introduce_in(id, &context));
        appended.map(drop)
    }

    /// Cards and the wrap-up know from now on whose conversation it is.
    async fn introduce_in(&self, id: &ConversationId, context: &CrmContext) {
        // A look-up in memory can be there before the call's own task.
        const TRIES: u32 = 5;
        let Identity::Known(customer) = &context.identity else { return };
        for _ in 0..TRIES {
            if (self.introduce)(id, customer) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Into the outbox, with what is told of each that is new, and the couriers know.
    pub(super) async fn post(
        &self,
        tenant: &TenantId,
        conversation: &ConversationId,
        planned: Vec<Planned>,
        by: Option<&str>,
    ) -> Result<Vec<Delivery>, Failure> {
        let now = Timestamp::now();
        let mut new: Vec<NewDelivery> = Vec::new();
        for one in &planned {
            let key = (&one.destination, &one.key);
            let stands = self.outbox.delivery_by_key(tenant, key.0, key.1).await.map_err(of)?;
            if stands.is_none() {
                new.push(one.delivery(by.map(str::to_owned), now));
            }
        }
        let tell = |one: &NewDelivery| {
            let write = CrmWrite::of(one, &Progress::new(now));
            NewEvent::at(now, EventBody::CrmWrite(Box::new(write)))
        };
        if !new.is_empty() {
            let events = new.iter().map(tell).collect();
            self.outbox.post(tenant, conversation, events, new).await.map_err(of)?;
        }
        let mut posted = Vec::new();
        for one in planned {
            let key = (&one.destination, &one.key);
            posted.extend(self.outbox.delivery_by_key(tenant, key.0, key.1).await.map_err(of)?);
            self.wake(&one.destination);
        }
        Ok(posted)
    }

    async fn move_by_hand(
        &self,
        tenant: &TenantId,
        position: u64,
        from: &[DeliveryState],
        to: DeliveryState,
    ) -> Result<Delivery, Failure> {
        let none = || failed(ErrorKind::NotFound, format!("there is no delivery {position}"));
        let found = self.outbox.delivery(tenant, position).await.map_err(of)?.ok_or_else(none)?;
        let state = found.progress.state;
        if !from.contains(&state) {
            let why = format!("delivery {position} is {}; look where it is", state.as_str());
            return Err(failed(ErrorKind::Conflict, why));
        }
        let now = Timestamp::now();
        let place = self.place(&found.new.destination);
        let progress = Progress {
            state: to,
            next_at: place.map_or(now, |place| place.courier.again_at(&found.progress)),
            updated_at: now,
            problem: None,
            ..found.progress.clone()
        };
        let write = Box::new(CrmWrite::of(&found.new, &progress));
        let step = DeliveryMove {
            tenant: tenant.clone(),
            conversation: found.conversation.clone(),
            position,
            from: state,
            to: progress.clone(),
        };
        let told = NewEvent::at(now, EventBody::CrmWrite(write));
        self.outbox.advance(step, vec![told]).await.map_err(of)?;
        match place {
            Some(place) if to == DeliveryState::Waiting => place.courier.hurry(),
            _ => self.wake(&found.new.destination),
        }
        Ok(Delivery { progress, ..found })
    }

    /// What the rules write, of a conversation that is over.
    ///
    /// # Errors
    /// As `write_automatic`.
    pub(super) async fn write_if_over(
        &self,
        tenant: &TenantId,
        conversation: &ConversationId,
    ) -> Result<(), Failure> {
        let row = self.store.conversation(tenant, conversation).await.map_err(of)?;
        let Some(ended_at) = row.and_then(|row| row.ended_at) else { return Ok(()) };
        self.wait_after(ended_at).await;
        self.write_automatic(tenant, conversation).await.map(drop)
    }

    /// Whether the rules have had their turn.
    fn rules_are_done(&self, row: &ConversationRow) -> bool {
        let since = row.ended_at.map(|at| Timestamp::now().duration_since(at));
        let since = since.and_then(|since| Duration::try_from(since).ok());
        since.is_some_and(|since| since > self.settings.automatic_after + RULES_TAKE)
    }

    pub(super) async fn wait_after(&self, ended_at: Timestamp) {
        let since = Timestamp::now().duration_since(ended_at);
        let since = Duration::try_from(since).unwrap_or_default();
        tokio::time::sleep(self.settings.automatic_after.saturating_sub(since)).await;
    }

    /// Whatever the rules write by themselves; what isn't certain about whom waits for a person.
    ///
    /// # Errors
    /// The log can't be read or written.
    pub(super) async fn write_automatic(
        &self,
        tenant: &TenantId,
        conversation: &ConversationId,
    ) -> Result<usize, Failure> {
        let _turn = self.turns.of(tenant, conversation).await;
        let (ending, before) = self.read(tenant, conversation).await?;
        let Ok(customer) = customer(before.context.clone()) else { return Ok(0) };
        let planned = plan(&ending, &customer, &CaseChoice::None, &self.settings.outcome);
        let contact = &customer.contact.id;
        let stands_before = self.done_before(tenant, &ending, &before, contact, &planned).await?;
        let is_left = |one: &Planned| {
            let mut all = planned.iter().zip(&stands_before);
            one.rule == Rule::Automatic
                && !all.any(|(other, stands)| other.id == one.id && stands.is_some())
        };
        let of = match planned.iter().any(|one| one.id == "case" && is_left(one)) {
            // Whoever makes cases by rule wants the rest in them.
            true => CaseChoice::New,
            false => CaseChoice::None,
        };
        let mut left = plan(&ending, &customer, &of, &self.settings.outcome);
        left.retain(is_left);
        // What a person threw away no rule writes again.
        as_written(&mut left, &stands(&before.writes));
        Ok(self.post(tenant, conversation, left, None).await?.len())
    }
}

fn stands(writes: &[wire::CrmWrite]) -> Vec<Stands> {
    let one = |write: &wire::CrmWrite| Stands {
        destination: write.destination.clone(),
        key: DedupeKey::stored(&*write.dedupe_key),
        is_discarded: write.state == DeliveryState::Discarded.as_str(),
    };
    writes.iter().map(one).collect()
}

#[cfg(test)]
mod tests;
