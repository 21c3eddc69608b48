//! Whoever calls is looked up. A look-up that failed is repeated, also after the conversation and after a restart: the
//! CRM may have been down for a day.
//!
//! A caller's own look-up tries for as long as somebody may be on the line. What is left then is taken up in rounds,
//! which read the log page by page, so that a long outage holds no conversation in memory.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

use super::follow::Follower;
use super::identify::{identify, key_of};
use crate::bus::{Heard, Signal, Subscription};
use crate::domain::{ContactKey, ConversationId, CrmContext, Direction, Identity, Recorded};
use crate::serve::Failure;
use crate::store::wire::ConversationStarted;
use crate::store::{ConversationRow, KindFilter, ListQuery, ReadQuery, StoreError, codec};

/// Whoever called before the first start with a CRM is history.
const FILE: &str = "lookups.position";
/// Look-ups at the same time: each is a few requests.
const LOOKUPS_AT_ONCE: usize = 32;
/// Pauses before a caller's failed look-up is tried again; after the last it is left to the rounds.
const PAUSES_S: [u64; 4] = [2, 5, 15, 60];
/// Between two rounds, while there is something left.
const ROUND_EVERY: Duration = Duration::from_secs(300);
/// As long as deliveries are tried.
const GIVES_UP: SignedDuration = SignedDuration::from_hours(3 * 24);
/// Conversations of one page of a round.
const PAGE: usize = 200;

pub(super) struct Lookups {
    places: Semaphore,
    /// Those that are being looked up.
    in_hand: Mutex<HashSet<ConversationId>>,
    /// Somebody's own tries were in vain.
    left: Notify,
    /// Somebody came, and wasn't heard.
    missed: Notify,
}

impl Default for Lookups {
    fn default() -> Self {
        let places = Semaphore::new(LOOKUPS_AT_ONCE);
        let (left, missed) = (Notify::new(), Notify::new());
        Self { places, in_hand: Mutex::default(), left, missed }
    }
}

/// A conversation that nobody else looks up as long as this lives.
struct Taken<'a>(&'a Lookups, ConversationId);

impl Lookups {
    fn take(&self, id: &ConversationId) -> Option<Taken<'_>> {
        let mut in_hand = self.in_hand.lock().unwrap_or_else(PoisonError::into_inner);
        in_hand.insert(id.clone()).then(|| Taken(self, id.clone()))
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.0.in_hand.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}

/// How a look-up went.
enum Tried {
    /// It is known who it is, or that nobody is, or somebody else said so.
    Settled,
    /// Why the CRM can't say.
    Failed(String),
}

impl Follower {
    pub async fn look_people_up(self: Arc<Self>, folder: &Path, heard: Box<dyn Subscription>) {
        if self.desk.crm.is_none() {
            return;
        }
        tokio::join!(self.look_callers_up(heard), self.look_up_what_is_left(folder));
    }

    async fn look_callers_up(self: &Arc<Self>, mut heard: Box<dyn Subscription>) {
        let mut lookups = JoinSet::new();
        loop {
            tokio::select! {
                next = heard.next() => match next {
                    Heard::Signal(Signal::Event(event))
                        if event.tenant == self.tenant
                            && &*event.kind == codec::CONVERSATION_STARTED =>
                    {
                        lookups.spawn(Arc::clone(self).look_up(event));
                    }
                    Heard::Signal(_) => {}
                    Heard::Lagged(_) => self.lookups.missed.notify_one(),
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

    /// A caller, for the first minute and a half.
    async fn look_up(self: Arc<Self>, event: Arc<Recorded>) {
        let _taken = loop {
            match self.lookups.take(&event.conversation) {
                Some(taken) => break taken,
                // A round came upon it first.
                None => tokio::time::sleep(Duration::from_secs(PAUSES_S[0])).await,
            }
        };
        let mut told = None;
        let mut pauses = PAUSES_S.into_iter();
        loop {
            let Tried::Failed(why) = self.try_one(&event, told.as_deref()).await else { return };
            told = Some(why);
            let Some(pause) = pauses.next() else { break };
            tokio::time::sleep(Duration::from_secs(pause)).await;
            match self.known(&event.conversation).await {
                Ok((_, context)) if is_open(context.as_ref()) => {}
                // A person was faster.
                Ok(_) => return,
                Err(error) => tracing::warn!(%error, "a conversation can't be read"),
            }
        }
        self.lookups.left.notify_one();
    }

    /// At the start, and again as long as the CRM doesn't answer.
    async fn look_up_what_is_left(&self, folder: &Path) {
        let file = folder.join(FILE);
        let since = loop {
            match self.first_position(&file).await {
                Ok(position) => break position,
                Err(error) => tracing::error!(%error, "the log can't be read for look-ups"),
            }
            tokio::time::sleep(ROUND_EVERY).await;
        };
        loop {
            let are_left = self.round(since).await.unwrap_or_else(|error| {
                tracing::error!(%error, "the log can't be read for look-ups");
                true
            });
            let lookups = &self.lookups;
            tokio::select! {
                () = lookups.missed.notified() => {}
                () = lookups.left.notified(), if !are_left => {}
                () = tokio::time::sleep(ROUND_EVERY), if are_left => {}
            }
        }
    }

    /// Tries each once of whom nothing is known yet; says whether some are left.
    async fn round(&self, since: u64) -> Result<bool, StoreError> {
        let oldest = Timestamp::now().checked_sub(GIVES_UP).unwrap_or(Timestamp::MIN);
        let mut query = ListQuery {
            tenant: self.tenant.clone(),
            state: None,
            external_id: None,
            limit: PAGE,
            after: None,
        };
        let mut are_left = false;
        loop {
            let page = self.desk.store.conversations(&query).await?;
            // The newest come first.
            let is_last = page.items.last().is_none_or(|row| row.started_at <= oldest);
            let rows = page.items.into_iter().filter(|row| row.started_at > oldest);
            let tries = stream::iter(rows).map(|row| self.try_again(row, since));
            let tried: Vec<Option<bool>> = tries.buffer_unordered(LOOKUPS_AT_ONCE).collect().await;
            let tried: Vec<bool> = tried.into_iter().flatten().collect();
            let failed = tried.iter().filter(|is_settled| !**is_settled).count();
            are_left |= failed > 0;
            query.after = page.next;
            // Whom nobody answers for a whole page isn't there.
            let is_out = failed == tried.len() && failed >= LOOKUPS_AT_ONCE;
            if is_last || is_out || query.after.is_none() {
                return Ok(are_left);
            }
        }
    }

    /// Whether it is settled; `None` where there was nothing to do.
    async fn try_again(&self, row: ConversationRow, since: u64) -> Option<bool> {
        let _taken = self.lookups.take(&row.id)?;
        let (started, context) = match self.known(&row.id).await {
            Ok((started, context)) => (started?, context),
            Err(error) => {
                tracing::warn!(%error, "a conversation can't be read");
                return Some(false);
            }
        };
        let told = match context.map(|context| context.identity) {
            Some(Identity::Unavailable(why)) => Some(why),
            None if started.position > since => None,
            _ => return None,
        };
        Some(matches!(self.try_one(&started, told.as_deref()).await, Tried::Settled))
    }

    /// Looks up once, and writes down what came of it; the same trouble isn't said again.
    async fn try_one(&self, event: &Recorded, told: Option<&str>) -> Tried {
        let Some(crm) = self.desk.crm.as_deref() else { return Tried::Settled };
        let id = &event.conversation;
        let context = match self.key(event) {
            Some(key) => {
                let Ok(_place) = self.lookups.places.acquire().await else { return Tried::Settled };
                identify(crm, key, &self.desk.settings.region).await
            }
            // Whoever waits for the customer waits no longer.
            None => CrmContext {
                connector: crm.name().to_owned(),
                searched: None,
                identity: Identity::Unknown,
                latency_ms: 0,
            },
        };
        if let Identity::Unavailable(why) = &context.identity {
            let why = why.clone();
            if told != Some(&why) {
                self.tell(id, context).await;
            }
            return Tried::Failed(why);
        }
        if self.tell(id, context).await
            && let Err(error) = self.write_if_over(id).await
        {
            tracing::error!(conversation.id = %id, %error, "the outcome is not written");
        }
        Tried::Settled
    }

    /// Into the log, unless somebody was faster: a person may have chosen while the CRM was asked.
    async fn tell(&self, id: &ConversationId, context: CrmContext) -> bool {
        let told = async {
            let _turn = self.desk.turns.of(&self.tenant, id).await;
            let (_, stands) = self.known(id).await?;
            if !is_open(stands.as_ref()) {
                return Ok(false);
            }
            self.desk.tell_of_customer(&self.tenant, id, context).await.map(|()| true)
        };
        told.await.unwrap_or_else(|error: StoreError| {
            tracing::error!(conversation.id = %id, %error, "what the CRM knows is not in the log");
            false
        })
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

    fn key(&self, event: &Recorded) -> Option<ContactKey> {
        let started: ConversationStarted = codec::data(event).ok()?;
        let direction = match started.direction.as_str() {
            "outbound" => Direction::Outbound,
            _ => Direction::Inbound,
        };
        let settings = &self.desk.settings;
        key_of(&started.attributes, direction, &settings.identify_by, &settings.region)
    }

    /// A look-up that came after the end finds nobody else who writes.
    async fn write_if_over(&self, id: &ConversationId) -> Result<(), Failure> {
        self.desk.write_if_over(&self.tenant, id).await
    }
}

/// Whether it is still to be found out whose conversation it is.
fn is_open(context: Option<&CrmContext>) -> bool {
    context.is_none_or(|context| matches!(context.identity, Identity::Unavailable(_)))
}
