//! What the doors ask of the router.

use async_trait::async_trait;

use super::floor::{Floor, WorkOfOne};
use super::items::offered_id;
use super::{RoutingDesk, pack};
use crate::app::links;
use crate::connect::routing::callback::Reserved;
use crate::connect::routing::{Fields, answer};
use crate::domain::{
    ConversationId, Decision, DecisionId, ErrorKind, Recommendation, TenantId, WorkItemId,
};
use crate::insight::redaction;
use crate::routing::pack::brief;
use crate::serve::{
    AgentState, Failure, NewPlan, PlanInForce, PlanRefusal, QueueState, RoutingDoor, Step, Target,
    TaskRouterDoor, WantedItem, WorkItem,
};
use crate::store::{ROUTING, StoreError, codec, wire};

/// A Lambda function's result for Amazon Connect has 32 KB; others have more.
const ANSWER_BYTES: usize = 32_000;
const BRIEF_MAX_CHARS: usize = 600;
/// Who assigned, where TaskRouter did.
const TASKROUTER: &str = "taskrouter";

impl RoutingDesk {
    fn is_ours(&self, tenant: &TenantId) -> bool {
        self.0.tenant == *tenant
    }

    fn check(&self, tenant: &TenantId) -> Result<(), Failure> {
        match self.is_ours(tenant) {
            true => Ok(()),
            false => Err(super::floor::no_plan()),
        }
    }

    /// With what goes along, where the item has a conversation.
    async fn with_pack(&self, item: WorkItem) -> WorkItem {
        let Some(id) = item.conversation_id.as_deref().map(ConversationId::from) else {
            return item;
        };
        let tenant = self.0.tenant.clone();
        match self.pack(&tenant, &id).await {
            Ok(pack) => WorkItem { pack: pack.map(Box::new), ..item },
            Err(error) => {
                tracing::warn!(%error, "a work item goes on without its hand-over");
                item
            }
        }
    }
}

#[async_trait]
impl RoutingDoor for RoutingDesk {
    fn party_attributes(&self) -> &[String] {
        &self.0.party_attributes
    }

    async fn offer(
        &self,
        tenant: &TenantId,
        item: WantedItem,
        by: &str,
        only_of: Option<&str>,
    ) -> Result<(WorkItem, bool), Failure> {
        self.check(tenant)?;
        if let Some(id) = &item.conversation {
            let known = self.0.store.conversation(tenant, id).await;
            let Some(known) = known.map_err(|error| Failure::of(&error))? else {
                let message = "conversation_id: there is no such conversation".to_owned();
                return Err(Failure { kind: ErrorKind::Invalid, message });
            };
            if known.erased_at.is_some() {
                return Err(Failure::of(&StoreError::Erased(id.clone())));
            }
        }
        let offered = self.logged_offer(&item).await.map_err(|error| Failure::of(&error))?;
        let (by, only_of) = (by.to_owned(), only_of.map(str::to_owned));
        self.ask(move |floor, now_ms| {
            // Of long ago: only the log remembers it.
            if let Some(over) = offered.filter(|_| floor.view(&item.id).is_none()) {
                return Ok((over, false));
            }
            let known = item.conversation.as_ref().and_then(|one| floor.of_conversation(one));
            let known = known.unwrap_or_else(|| item.id.clone());
            let offered = floor.items.get(&known).map(|known| &known.offered);
            let is_by_them = offered.is_none_or(|offered| offered.by.as_ref() == Some(&by));
            if let Some(name) = only_of.filter(|_| !is_by_them) {
                is_of(floor, &known, &name)?;
            }
            floor.offer(item, &by, now_ms)
        })
        .await?
    }

    async fn item(&self, tenant: &TenantId, id: &WorkItemId) -> Result<Option<WorkItem>, Failure> {
        if !self.is_ours(tenant) {
            return Ok(None);
        }
        let wanted = id.clone();
        let asked = self.ask(move |floor, _| (floor.view(&wanted), floor.desk.is_some()));
        match asked.await? {
            // Without a desk nobody knows what is over.
            (None, true) => self.logged_item(id).await.map_err(|error| Failure::of(&error)),
            (found, _) => Ok(found),
        }
    }

    async fn step(
        &self,
        tenant: &TenantId,
        id: &WorkItemId,
        step: Step,
        by: &str,
        only_of: Option<&str>,
    ) -> Result<WorkItem, Failure> {
        if !self.is_ours(tenant) {
            let message = "there is no such work item".to_owned();
            return Err(Failure { kind: ErrorKind::NotFound, message });
        }
        // Whoever says again that it is over has the same answer as before a restart.
        let ends = matches!(step, Step::End | Step::Release);
        let over = match ends {
            true => self.logged_item(id).await.map_err(|error| Failure::of(&error))?,
            false => None,
        };
        let (id, by, only_of) = (id.clone(), by.to_owned(), only_of.map(str::to_owned));
        let hands_over = matches!(step, Step::Accept | Step::Transfer(_) | Step::Assign { .. });
        let stepped = self.ask(move |floor, now_ms| {
            if let Some(over) = over.filter(|_| floor.desk.is_some() && floor.view(&id).is_none()) {
                return Ok(over);
            }
            // In the same job as the step: meanwhile it could go to somebody else.
            if let Some(name) = only_of {
                is_of(floor, &id, &name)?;
            }
            floor.step(&id, step, &by, now_ms)
        });
        let item = stepped.await??;
        match hands_over {
            true => Ok(self.with_pack(item).await),
            false => Ok(item),
        }
    }

    async fn decision(
        &self,
        tenant: &TenantId,
        id: &DecisionId,
    ) -> Result<Option<Decision>, Failure> {
        if !self.is_ours(tenant) {
            return Ok(None);
        }
        let wanted = id.clone();
        if let Some(found) = self.ask(move |floor, _| floor.decision(&wanted)).await? {
            return Ok(Some(found));
        }
        // One of long ago: all are in the log.
        self.logged_decision(id).await.map_err(|error| Failure::of(&error))
    }

    async fn decisions(
        &self,
        tenant: &TenantId,
        queue: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Decision>, Failure> {
        if !self.is_ours(tenant) {
            return Ok(Vec::new());
        }
        let queue = queue.map(str::to_owned);
        self.ask(move |floor, _| floor.decisions(queue.as_deref(), limit)).await
    }

    async fn queues(&self, tenant: &TenantId) -> Result<Vec<QueueState>, Failure> {
        if !self.is_ours(tenant) {
            return Ok(Vec::new());
        }
        self.ask(|floor, now_ms| floor.queue_states(now_ms)).await
    }

    async fn agents(&self, tenant: &TenantId) -> Result<Vec<AgentState>, Failure> {
        if !self.is_ours(tenant) {
            return Ok(Vec::new());
        }
        self.ask(|floor, _| floor.agent_states()).await
    }

    async fn set_presence(
        &self,
        tenant: &TenantId,
        agent: &str,
        presence: &str,
        by: &str,
    ) -> Result<AgentState, Failure> {
        self.check(tenant)?;
        let (agent, presence, by) = (agent.to_owned(), presence.to_owned(), by.to_owned());
        self.ask(move |floor, now_ms| floor.set_presence(&agent, &presence, &by, now_ms)).await?
    }

    async fn plan(&self, tenant: &TenantId) -> Result<Option<PlanInForce>, Failure> {
        if !self.is_ours(tenant) {
            return Ok(None);
        }
        self.ask(|floor, _| floor.plan_in_force()).await
    }

    async fn replace_plan(
        &self,
        tenant: &TenantId,
        new: NewPlan,
        expected: Option<u64>,
        by: &str,
    ) -> Result<PlanInForce, PlanRefusal> {
        if !self.is_ours(tenant) {
            let message = "this service routes for another tenant".to_owned();
            return Err(PlanRefusal::Failed(Failure { kind: ErrorKind::Denied, message }));
        }
        let by = by.to_owned();
        let put = self.ask(move |floor, now_ms| floor.put_plan(new, expected, &by, now_ms));
        put.await.map_err(PlanRefusal::Failed)?
    }

    async fn pack(
        &self,
        tenant: &TenantId,
        conversation: &ConversationId,
    ) -> Result<Option<wire::HandOverPack>, Failure> {
        let known = self.0.store.conversation(tenant, conversation).await;
        if known.map_err(|error| Failure::of(&error))?.is_none() {
            return Ok(None);
        }
        let read = pack::read(self.0.store.as_ref(), tenant, conversation).await;
        let Some(read) = read.map_err(|error| Failure::of(&error))? else { return Ok(None) };
        if !self.is_ours(tenant) {
            return Ok(Some(read.told(conversation, None, super::actor::now())));
        }
        let id = conversation.clone();
        self.ask(move |floor, now_ms| Some(pack::told(&read, &id, &floor.board, now_ms))).await
    }

    async fn recommendation(&self, tenant: &TenantId, id: &str) -> Result<Option<Fields>, Failure> {
        if !self.is_ours(tenant) {
            return Ok(None);
        }
        let name = id.to_owned();
        let found = self.ask(move |floor, _| floor.last_decision(&name)).await?;
        let Some(((conversation, external_id), decision)) = found else { return Ok(None) };
        let Some(decision) = self.decision(tenant, &decision).await? else { return Ok(None) };
        let one: WorkOfOne = (conversation, external_id);
        let pack = match &one.0 {
            Some(conversation) => self.pack(tenant, conversation).await?,
            None => None,
        };
        let brief = pack.map(|pack| brief(&pack, BRIEF_MAX_CHARS));
        let brief = brief.filter(|text| !text.is_empty());
        let link = self.0.public_url.as_ref().zip(one.0.as_ref());
        let told = Recommendation {
            external_id: one.1.unwrap_or_else(|| decision.item.to_string()),
            decision,
            brief: brief.map(|text| redaction::typed(&text)),
            link: link.map(|(url, id)| links::desktop(url, id)),
            conversation: one.0.unwrap_or_else(|| ROUTING.into()),
        };
        let fields = answer(&told, &self.0.agents, ANSWER_BYTES);
        fields.map(Some).map_err(|error| Failure::of(&error))
    }

    fn taskrouter(&self) -> Option<TaskRouterDoor<'_>> {
        let callback = self.0.router.as_ref()?.callback.as_ref()?;
        let tenant = self.0.tenant.clone();
        Some(TaskRouterDoor { tenant, callback, address: self.0.address.as_ref() })
    }

    async fn reserved(&self, tenant: &TenantId, reserved: Reserved) -> Result<(), Failure> {
        self.check(tenant)?;
        let ours = self.0.agents.iter().find(|(_, theirs)| **theirs == reserved.worker_sid);
        let agent = ours.map_or(&reserved.worker_sid, |(ours, _)| ours).clone();
        self.ask(move |floor, now_ms| {
            let Some(item) = floor.named(&reserved.task_sid) else { return Ok(()) };
            // A worker whom the plan doesn't know is none of ours.
            if floor.agent_state(&agent).is_none() {
                return Ok(());
            }
            let step = match floor.view(&item).is_some_and(|view| view.agent.is_some()) {
                true => Step::Transfer(Target::Agent(agent)),
                false => Step::Assign { agent },
            };
            floor.step(&item, step, TASKROUTER, now_ms).map(drop)
        })
        .await?
    }
}

impl RoutingDesk {
    /// An item that came in before, as one that is over.
    async fn logged_offer(&self, wanted: &WantedItem) -> Result<Option<WorkItem>, StoreError> {
        let stream = wanted.conversation.clone().unwrap_or_else(|| ROUTING.into());
        self.logged(&stream, &wanted.id).await
    }

    /// As `logged_offer`, where only its name is known: of the API without a conversation, or made of one.
    async fn logged_item(&self, id: &WorkItemId) -> Result<Option<WorkItem>, StoreError> {
        if let Some(found) = self.logged(&ROUTING.into(), id).await? {
            return Ok(Some(found));
        }
        match id.as_str().strip_prefix("i-") {
            Some(conversation) => self.logged(&conversation.into(), id).await,
            None => Ok(None),
        }
    }

    async fn logged(
        &self,
        stream: &ConversationId,
        item: &WorkItemId,
    ) -> Result<Option<WorkItem>, StoreError> {
        let id = offered_id(stream, item);
        let Some(event) = self.0.store.event(&self.0.tenant, &id).await? else { return Ok(None) };
        let offered: wire::RouteOffered = codec::data(&event)?;
        Ok(Some(WorkItem {
            id: offered.work_item_id,
            conversation_id: offered.conversation_id,
            external_id: offered.external_id,
            workstream: offered.workstream,
            state: "ended".to_owned(),
            arrived_ms: offered.at_ms,
            ..WorkItem::default()
        }))
    }

    /// Its event is called as the decision is.
    async fn logged_decision(&self, id: &DecisionId) -> Result<Option<Decision>, StoreError> {
        let found = self.0.store.event(&self.0.tenant, &id.as_str().into()).await?;
        let decision = found.map(|event| codec::decode_decision(&event)).transpose()?;
        Ok(decision.flatten())
    }
}

/// # Errors
/// It is somebody else's. What is over is nobody's, and no step changes it.
fn is_of(floor: &Floor, id: &WorkItemId, agent: &str) -> Result<(), Failure> {
    let view = floor.view(id).filter(|view| view.state != "ended");
    match view.is_none_or(|view| view.agent.as_deref() == Some(agent)) {
        true => Ok(()),
        false => Err(Failure {
            kind: ErrorKind::Denied,
            message: "this work item is somebody else's".to_owned(),
        }),
    }
}
