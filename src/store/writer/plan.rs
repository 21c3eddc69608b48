//! What a group would change: every append of it gets its place, or the reason why it can't have one.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::{Answer, Head, HeadKey, LogState, Order, Posted, Writer, Written};
use super::{erase, statements};
use crate::domain::{
    ArticleRevision, CardId, ConversationId, EventBody, NewRevision, Recorded, TenantId,
};
use crate::store::chain::{self, Hash, LogHead, Salt};
use crate::store::erasure::Erased;
use crate::store::{StoreError, reader};

/// An event with what is written beside it.
pub struct Entry {
    pub event: Arc<Recorded>,
    pub salt: Salt,
    pub chain: Hash,
}

/// What a group would change; nothing of it is visible before the commit.
pub struct Group {
    pub entries: Vec<Entry>,
    pub heads: HashMap<HeadKey, Head>,
    pub cards: Vec<(TenantId, CardId, ConversationId)>,
    pub revisions: Vec<(TenantId, Arc<ArticleRevision>)>,
    pub deliveries: Vec<(TenantId, ConversationId, Arc<Posted>)>,
    /// Where the log is when this is written.
    pub state: LogState,
    /// Something of it may stand already: it is asked for first.
    pub closely: bool,
    pub answers: Vec<Answer>,
}

impl Group {
    pub fn after(state: LogState, closely: bool) -> Self {
        Self {
            entries: Vec::new(),
            heads: HashMap::new(),
            cards: Vec::new(),
            revisions: Vec::new(),
            deliveries: Vec::new(),
            state,
            closely,
            answers: Vec::new(),
        }
    }
}

impl Writer {
    /// Adds one append to the group, whole or not at all.
    pub(super) async fn plan(
        &mut self,
        job: &Order,
        group: &mut Group,
    ) -> Result<Answer, sqlx::Error> {
        let mut revisions = match self.plan_revisions(job, group).await? {
            Ok(revisions) => revisions,
            Err(error) => return Ok(Err(error)),
        };
        let key = (job.tenant.clone(), job.conversation.clone());
        let mut head = match group.heads.get(&key) {
            Some(head) => Some(head.clone()),
            None => self.take_head(&key).await?,
        };
        let is_erased = head.as_ref().is_some_and(|head| head.row.erased_at.is_some());
        if is_erased && let Some(step) = &job.step {
            return Ok(Err(StoreError::DeliveryMoved(step.position)));
        }
        if is_erased && !job.deliveries.is_empty() {
            return Ok(Err(StoreError::Erased(job.conversation.clone())));
        }
        let mut answer = Vec::with_capacity(job.events.len());
        let mut fresh: Vec<Entry> = Vec::with_capacity(job.events.len());
        let mut log = group.state.head;
        let mut cards = Vec::new();
        for prepared in &job.events {
            let event = &prepared.event;
            if group.closely {
                let here = group.entries.iter().chain(&fresh);
                let known = match here.map(|entry| &entry.event).find(|known| known.id == event.id)
                {
                    Some(known) => Some(known.clone()),
                    None => reader::event_by_id(self.engine.connection(), &event.id).await?,
                };
                if let Some(known) = known {
                    if known.tenant != job.tenant || known.conversation != job.conversation {
                        return Ok(Err(StoreError::ForeignEvent(event.id.clone())));
                    }
                    answer.push(known);
                    continue;
                }
            }
            let position = log.position + 1;
            let time = in_milliseconds(event.time);
            let mut next = match Head::advance(head, &job.conversation, position, time, &event.body)
            {
                Ok(next) => next,
                Err(error) => return Ok(Err(error)),
            };
            if let EventBody::SuggestionOffered(card) = &event.body {
                cards.push((job.tenant.clone(), card.id.clone(), job.conversation.clone()));
            }
            let recorded = Arc::new(Recorded {
                position,
                id: event.id.clone(),
                tenant: job.tenant.clone(),
                conversation: job.conversation.clone(),
                sequence: next.row.last_sequence,
                time,
                kind: prepared.kind.into(),
                schema: prepared.schema.into(),
                data: prepared.data.clone(),
            });
            next.chain = chain::link(&next.chain, &recorded, &prepared.commitment);
            log = LogHead { position, seal: chain::seal(&log.seal, &next.chain) };
            answer.push(recorded.clone());
            fresh.push(Entry { event: recorded, salt: prepared.salt, chain: next.chain });
            head = Some(next);
        }
        // The last that can refuse: nothing of a refused append may stay in the transaction.
        if let Some(step) = &job.step
            && !statements::advance_delivery(self.engine.connection(), step).await?
        {
            return Ok(Err(StoreError::DeliveryMoved(step.position)));
        }
        let erased = match &job.erase {
            None => Erased::default(),
            Some(erasure) => match erase::erase(self.engine.connection(), erasure).await? {
                Ok(erased) => erased,
                Err(error) => return Ok(Err(error)),
            },
        };
        if let Some(head) = head.filter(|_| !fresh.is_empty()) {
            group.heads.insert(key, head);
        }
        group.entries.append(&mut fresh);
        group.cards.append(&mut cards);
        group.state.head = log;
        group.state.revision += revisions.len() as u64;
        let written = Written { events: answer, revisions: revisions.clone(), erased };
        group.revisions.extend(revisions.drain(..).map(|one| (job.tenant.clone(), one)));
        let place =
            |new: &Arc<Posted>| (job.tenant.clone(), job.conversation.clone(), Arc::clone(new));
        group.deliveries.extend(job.deliveries.iter().map(place));
        Ok(Ok(written))
    }

    /// The revisions of one append with their places, or what is in their way.
    async fn plan_revisions(
        &mut self,
        job: &Order,
        group: &Group,
    ) -> Result<Result<Vec<Arc<ArticleRevision>>, StoreError>, sqlx::Error> {
        let mut planned: Vec<Arc<ArticleRevision>> = Vec::with_capacity(job.revisions.len());
        for new in &job.revisions {
            if let Some(erased) = self.erased_origin(job, new, group).await? {
                return Ok(Err(StoreError::Erased(erased)));
            }
            let mine = planned.iter().rev().find(|one| one.article == new.article);
            let others = group.revisions.iter().rev();
            let before = mine.or_else(|| {
                others
                    .filter(|(tenant, _)| *tenant == job.tenant)
                    .map(|(_, one)| one)
                    .find(|one| one.article == new.article)
            });
            let newest = match before {
                Some(before) => before.number,
                None => {
                    statements::newest_revision(self.engine.connection(), &job.tenant, &new.article)
                        .await?
                }
            };
            if newest != new.based_on {
                let (article, based_on) = (new.article.clone(), new.based_on);
                return Ok(Err(StoreError::StaleRevision { article, based_on, newest }));
            }
            let position = group.state.revision + planned.len() as u64 + 1;
            let time = in_milliseconds(new.time);
            planned.push(Arc::new(statements::recorded(new, position, time)));
        }
        Ok(Ok(planned))
    }

    /// A conversation that a revision rests on and that is erased. One that isn't in the log may be of an archive.
    async fn erased_origin(
        &mut self,
        job: &Order,
        new: &NewRevision,
        group: &Group,
    ) -> Result<Option<ConversationId>, sqlx::Error> {
        let origins: BTreeSet<&ConversationId> =
            new.provenance.iter().map(|origin| &origin.conversation).collect();
        for id in origins {
            let key = (job.tenant.clone(), id.clone());
            let erased_at = match group.heads.get(&key) {
                Some(head) => head.row.erased_at,
                None => self.head(&key).await?.and_then(|head| head.row.erased_at),
            };
            if erased_at.is_some() {
                return Ok(Some(id.clone()));
            }
        }
        Ok(None)
    }

    /// The same for whoever changes it: it isn't in memory until it is written and remembered again. Copying
    /// one costs more than all else that the writer does with an event.
    async fn take_head(&mut self, key: &HeadKey) -> Result<Option<Head>, sqlx::Error> {
        match self.heads.remove(key) {
            Some(head) => Ok(Some(head)),
            None => reader::head(self.engine.connection(), key).await,
        }
    }

    async fn head(&mut self, key: &HeadKey) -> Result<Option<Head>, sqlx::Error> {
        if let Some(head) = self.heads.get(key) {
            return Ok(Some(head.clone()));
        }
        reader::head(self.engine.connection(), key).await
    }
}

/// The finest grain that is stored, so that what is streamed now and what is read later are equal.
fn in_milliseconds(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}
