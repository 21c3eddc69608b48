//! Follows the log: whoever calls is looked up, and what the rules write is written when a conversation is over.
//!
//! Up to where ends were seen stands in a file of its own; the same end twice writes the same things once. A look-up
//! that failed is repeated, also after the conversation and after a restart: the CRM may have been down for an hour.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::CrmDesk;
use super::identify::{identify, key_of};
use crate::app::position::{read_position, write_position};
use crate::bus::{Bus, Heard, Signal, Subscription};
use crate::domain::{
    Classify as _, ContactKey, ConversationId, CrmContext, Direction, Identity, Recorded, TenantId,
};
use crate::serve::Failure;
use crate::store::wire::ConversationStarted;
use crate::store::{ConversationState, KindFilter, ListQuery, ReadQuery, StoreError, codec};

const FILE: &str = "outcomes.position";
/// After a failure of the log.
const AGAIN: Duration = Duration::from_secs(2);
/// Look-ups at the same time: each is a few requests.
const LOOKUPS_AT_ONCE: usize = 32;
/// Pauses before a failed look-up is tried again; the last one repeats.
const PAUSES_S: [u64; 5] = [2, 5, 15, 60, 300];
/// A caller of yesterday is looked up no more.
const LOOKUP_GIVES_UP: SignedDuration = SignedDuration::from_hours(24);
/// Of what was before the start, so many conversations are looked at.
const BEFORE_MAX: usize = 200;

pub struct FollowSettings {
    pub tenant: TenantId,
    /// Where the position is kept.
    pub folder: PathBuf,
    pub bus: Arc<dyn Bus>,
    pub stop: CancellationToken,
}

struct Follower {
    desk: CrmDesk,
    tenant: TenantId,
    places: Arc<Semaphore>,
}

/// Follows the log until it is told to stop.
pub fn start(desk: CrmDesk, settings: FollowSettings) -> JoinHandle<()> {
    // Before anything is read: what comes meanwhile is heard.
    let heard = settings.bus.subscribe();
    let ends = settings.bus.subscribe();
    tokio::spawn(async move {
        let (tenant, places) = (settings.tenant, Arc::new(Semaphore::new(LOOKUPS_AT_ONCE)));
        let follower = Arc::new(Follower { desk, tenant, places });
        let file = settings.folder.join(FILE);
        let work = async {
            tokio::join!(
                Arc::clone(&follower).look_people_up(heard),
                follower.write_outcomes(&file, ends),
            )
        };
        tokio::select! {
            _ = work => {}
            () = settings.stop.cancelled() => {}
        }
    })
}

impl Follower {
    async fn look_people_up(self: Arc<Self>, mut heard: Box<dyn Subscription>) {
        if self.desk.crm.is_none() {
            return;
        }
        let mut lookups = JoinSet::new();
        self.take_up_what_was_before(&mut lookups).await;
        loop {
            tokio::select! {
                next = heard.next() => match next {
                    Heard::Signal(Signal::Event(event))
                        if event.tenant == self.tenant
                            && &*event.kind == codec::CONVERSATION_STARTED =>
                    {
                        lookups.spawn(Arc::clone(&self).look_up(event, None));
                    }
                    Heard::Signal(_) => {}
                    Heard::Lagged(_) => self.take_up_what_was_before(&mut lookups).await,
                    Heard::Closed => return,
                },
                Some(done) = lookups.join_next() => {
                    if done.is_err_and(|error| error.is_panic()) {
                        tracing::error!("a look-up in the CRM failed, which is a bug");
                    }
                }
            }
        }
    }

    /// Conversations of which nothing is known yet, or whose CRM was not reached.
    async fn take_up_what_was_before(self: &Arc<Self>, lookups: &mut JoinSet<()>) {
        let query = ListQuery {
            tenant: self.tenant.clone(),
            state: None,
            external_id: None,
            limit: BEFORE_MAX,
            after: None,
        };
        let page = match self.desk.store.conversations(&query).await {
            Ok(page) => page,
            Err(error) => {
                tracing::error!(%error, "the log can't be read for look-ups");
                return;
            }
        };
        let oldest = Timestamp::now().checked_sub(LOOKUP_GIVES_UP).unwrap_or(Timestamp::MIN);
        for row in page.items.into_iter().filter(|row| row.started_at > oldest) {
            match self.known(&row.id).await {
                Ok((Some(started), None)) if row.state == ConversationState::Live => {
                    lookups.spawn(Arc::clone(self).look_up(started, None));
                }
                Ok((
                    Some(started),
                    Some(CrmContext { identity: Identity::Unavailable(why), .. }),
                )) => {
                    lookups.spawn(Arc::clone(self).look_up(started, Some(why)));
                }
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "a conversation can't be read"),
            }
        }
    }

    /// How a conversation began, and the newest that is known of its customer.
    async fn known(
        &self,
        id: &ConversationId,
    ) -> Result<(Option<Arc<Recorded>>, Option<CrmContext>), StoreError> {
        let mut query = ReadQuery::all(self.tenant.clone(), 0).of(id.clone());
        query.kinds = KindFilter::exactly(codec::CONVERSATION_STARTED).or(codec::CRM_CONTEXT);
        let (mut started, mut context) = (None, None);
        for event in self.desk.store.read(&query).await? {
            match codec::decode_context(&event)? {
                Some(newer) => context = Some(newer),
                None => started = Some(event),
            }
        }
        Ok((started, context))
    }

    /// Until it is known who it is, a person said so, or a day is over.
    async fn look_up(self: Arc<Self>, event: Arc<Recorded>, mut told: Option<String>) {
        let Some(crm) = self.desk.crm.clone() else { return };
        let id = &event.conversation;
        let Some(key) = self.key(&event) else {
            // Whoever waits for the customer waits no longer.
            let connector = crm.name().to_owned();
            let (searched, identity, latency_ms) = (None, Identity::Unknown, 0);
            let context = CrmContext { connector, searched, identity, latency_ms };
            if let Err(error) = self.tell(id, context).await {
                tracing::error!(conversation.id = %id, %error, "that nobody is known is not in the log");
            }
            return;
        };
        let mut pauses = PAUSES_S.into_iter();
        let mut pause = PAUSES_S[0];
        loop {
            let context = {
                let Ok(_place) = self.places.acquire().await else { return };
                identify(crm.as_ref(), key.clone(), &self.desk.settings.region).await
            };
            let failed = match &context.identity {
                Identity::Unavailable(why) => Some(why.clone()),
                _ => None,
            };
            // The same trouble is said once.
            if (failed.is_none() || failed != told)
                && let Err(error) = self.tell(id, context).await
            {
                tracing::error!(conversation.id = %id, %error, "what the CRM knows is not in the log");
            }
            if failed.is_none() {
                if let Err(error) = self.write_if_over(id).await {
                    tracing::error!(conversation.id = %id, %error, "the outcome is not written");
                }
                return;
            }
            told = failed;
            if Timestamp::now().duration_since(event.time) > LOOKUP_GIVES_UP {
                return;
            }
            pause = pauses.next().unwrap_or(pause);
            tokio::time::sleep(Duration::from_secs(pause)).await;
            match self.known(id).await {
                // A person was faster.
                Ok((_, Some(CrmContext { identity: Identity::Unavailable(_), .. }) | None)) => {}
                Ok(_) => return,
                Err(error) => tracing::warn!(%error, "a conversation can't be read"),
            }
        }
    }

    fn key(&self, event: &Recorded) -> Option<ContactKey> {
        let started: ConversationStarted = codec::data(event).ok()?;
        let direction = match started.direction.as_str() {
            "outbound" => Direction::Outbound,
            _ => Direction::Inbound,
        };
        let settings = &self.desk.settings;
        key_of(&started.attributes, direction, &settings.identify_by, &settings.region)
    }

    async fn tell(&self, id: &ConversationId, context: CrmContext) -> Result<(), StoreError> {
        self.desk.tell_of_customer(&self.tenant, id, context).await
    }

    /// A look-up that came after the end finds nobody else who writes.
    async fn write_if_over(&self, id: &ConversationId) -> Result<(), Failure> {
        let row = self.desk.store.conversation(&self.tenant, id).await;
        let row = row.map_err(|error| Failure::of(&error))?;
        let Some(ended_at) = row.and_then(|row| row.ended_at) else { return Ok(()) };
        self.wait_after(ended_at).await;
        self.desk.write_automatic(&self.tenant, id).await.map(drop)
    }

    async fn wait_after(&self, ended_at: Timestamp) {
        let since = Timestamp::now().duration_since(ended_at);
        let since = Duration::try_from(since).unwrap_or_default();
        tokio::time::sleep(self.desk.settings.automatic_after.saturating_sub(since)).await;
    }

    async fn write_outcomes(&self, file: &Path, mut heard: Box<dyn Subscription>) {
        let mut position = loop {
            match self.first_position(file).await {
                Ok(position) => break position,
                Err(error) => tracing::error!(%error, "outcomes are not written"),
            }
            tokio::time::sleep(AGAIN).await;
        };
        loop {
            if let Err(error) = self.catch_up(file, &mut position).await {
                tracing::warn!(kind = ?error.kind(), "outcomes are written later");
                tokio::time::sleep(AGAIN).await;
                continue;
            }
            loop {
                match heard.next().await {
                    Heard::Signal(Signal::Event(event))
                        if event.tenant == self.tenant
                            && matches!(
                                &*event.kind,
                                codec::CONVERSATION_ENDED | codec::ARTICLE_PUBLISHED
                            ) =>
                    {
                        break;
                    }
                    Heard::Signal(_) => {}
                    Heard::Lagged(_) => break,
                    Heard::Closed => return,
                }
            }
        }
    }

    async fn first_position(&self, file: &Path) -> Result<u64, StoreError> {
        if let Some(position) = read_position(file).await? {
            return Ok(position);
        }
        // What was before the first start is history.
        let head = self.desk.store.head().await?;
        write_position(file, head).await?;
        Ok(head)
    }

    async fn write_for(&self, event: &Recorded) -> Result<(), Failure> {
        if &*event.kind == codec::ARTICLE_PUBLISHED {
            return self.desk.push_article(&self.tenant, event).await;
        }
        self.wait_after(event.time).await;
        self.desk.write_automatic(&self.tenant, &event.conversation).await.map(drop)
    }

    async fn catch_up(&self, file: &Path, position: &mut u64) -> Result<(), Failure> {
        let failed = |error: StoreError| Failure::of(&error);
        loop {
            let mut query = ReadQuery::all(self.tenant.clone(), *position);
            let kinds = KindFilter::exactly(codec::CONVERSATION_ENDED);
            query.kinds = kinds.or(codec::ARTICLE_PUBLISHED);
            let page = self.desk.store.read(&query).await.map_err(failed)?;
            if page.is_empty() {
                return Ok(());
            }
            for event in &page {
                match self.write_for(event).await {
                    Ok(()) => {}
                    Err(error) if error.kind().is_retryable() => return Err(error),
                    Err(error) => {
                        tracing::error!(conversation.id = %event.conversation, %error, "no outcome is written");
                    }
                }
                *position = event.position;
                write_position(file, *position).await.map_err(failed)?;
            }
        }
    }
}
