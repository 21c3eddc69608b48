//! What is older than it may be goes, by the settings `[retention]`.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::{BatchesGone, Beside, ErasureError, entry};
use crate::config::{Kept, Retention};
use crate::domain::TenantId;
use crate::store::erasure::{Erased, Erasure, Reach};
use crate::store::{AUDIT, EventLog, KindFilter, Store as _, StoreError};

/// It is looked for what is too old so often.
const EVERY: Duration = Duration::from_secs(3_600);
/// Conversations a step: appends wait for one, and come in between two.
const STEP: usize = 20;
/// A look at what would go takes so many conversations at once.
const LOOK: usize = 100_000;

/// What stands beside the log, and how what is too old of it goes.
#[async_trait]
pub trait OldBatches: Beside {
    async fn expire(
        &self,
        tenant: &TenantId,
        before: Timestamp,
        dry_run: bool,
    ) -> Result<BatchesGone, ErasureError>;
}

/// What went of a tenant, or would go.
#[derive(Debug, PartialEq, Eq)]
pub struct Gone {
    pub tenant: TenantId,
    /// As the settings name it: `conversations`.
    pub artefact: &'static str,
    /// What had ended before this time.
    pub before: Timestamp,
    pub conversations: u64,
    pub events: u64,
    pub deliveries: u64,
    pub batches: u64,
}

/// For people and the audit log, without the tenant.
impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { artefact, before, conversations, events, deliveries, batches, .. } = self;
        write!(
            f,
            "{artefact} before {before}: {conversations} conversations, {events} events, {deliveries} effects, \
             {batches} batches"
        )
    }
}

/// Applies the settings.
pub struct Sweep {
    log: Arc<EventLog>,
    beside: Arc<dyn OldBatches>,
    settings: Retention,
    /// Up to where each was looked through: what ended before has nothing left.
    done: HashMap<(TenantId, &'static str), Timestamp>,
    /// Tenants of which conversations went, and what was made of them didn't yet.
    owed: HashSet<TenantId>,
}

/// The artefacts with what of a conversation each is; batches have no conversation.
fn artefacts(kept: &Kept) -> Vec<(&'static str, u32, Reach)> {
    let kinds = |text| Reach::Kinds(KindFilter::parse(text).expect("a constant; this is a bug"));
    let all = [
        ("conversations", kept.conversations_days, Reach::Whole),
        (
            "suggestions",
            kept.suggestions_days,
            kinds("suggestion.*,question.*,article.searched,article.opened"),
        ),
        ("drafts", kept.drafts_days, kinds("wrapup.*,article.compared,writing.struck")),
        ("deliveries", kept.deliveries_days, Reach::Deliveries),
    ];
    all.into_iter().filter(|(_, days, _)| *days > 0).collect()
}

impl Sweep {
    pub fn new(log: Arc<EventLog>, beside: Arc<dyn OldBatches>, settings: Retention) -> Self {
        Self { log, beside, settings, done: HashMap::new(), owed: HashSet::new() }
    }

    /// At the start and every hour, until it is told to stop.
    pub async fn keep_up(mut self, stop: CancellationToken) {
        if self.settings.keeps_all() {
            return;
        }
        loop {
            tokio::select! {
                done = self.run(Timestamp::now(), false) => match done {
                    Ok(gone) => {
                        for one in gone {
                            tracing::info!(
                                artefact = one.artefact, conversations = one.conversations, events = one.events,
                                deliveries = one.deliveries, batches = one.batches, "erased what was too old"
                            );
                        }
                    }
                    Err(error) => tracing::error!(%error, "what is too old could not be erased"),
                },
                () = stop.cancelled() => return,
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Erases what is too old, or only says what would go. What the settings keep for ever isn't looked at.
    ///
    /// # Errors
    /// The log can't be read or written. What went until then is gone.
    pub async fn run(&mut self, now: Timestamp, dry_run: bool) -> Result<Vec<Gone>, ErasureError> {
        let mut all = Vec::new();
        for tenant in self.log.tenants().await? {
            let kept = self.settings.of(tenant.as_str()).clone();
            for (artefact, days, reach) in artefacts(&kept) {
                let before = days_before(now, days);
                let gone = self.artefact(&tenant, artefact, before, &reach, dry_run).await?;
                all.extend(gone);
            }
            if kept.batches_days > 0 {
                let before = days_before(now, kept.batches_days);
                let removed = self.beside.expire(&tenant, before, dry_run).await?.removed;
                if !removed.is_empty() {
                    let batches = removed.len() as u64;
                    let gone = Gone { batches, ..nothing(&tenant, "batches", before) };
                    self.tell(&gone, dry_run).await?;
                    all.push(gone);
                }
            }
        }
        Ok(all)
    }

    async fn artefact(
        &mut self,
        tenant: &TenantId,
        artefact: &'static str,
        before: Timestamp,
        reach: &Reach,
        dry_run: bool,
    ) -> Result<Option<Gone>, ErasureError> {
        let key = (tenant.clone(), artefact);
        let from = match dry_run {
            true => Timestamp::UNIX_EPOCH,
            false => self.done.get(&key).copied().unwrap_or(Timestamp::UNIX_EPOCH),
        };
        let (mut count, mut erased) = (0, Erased::default());
        loop {
            let limit = if dry_run { LOOK } else { STEP };
            let conversations = self.log.ended(tenant, from, before, reach, limit).await?;
            count += conversations.len() as u64;
            if conversations.is_empty() {
                break;
            }
            let is_last = conversations.len() < limit;
            let step = Erasure {
                tenant: tenant.clone(),
                conversations,
                reach: reach.clone(),
                events: Vec::new(),
                at: Timestamp::now(),
            };
            match dry_run {
                true => erased.add(self.log.would_erase(&step).await?),
                false => erased.add(self.log.erase(step, Vec::new()).await?),
            }
            if is_last || dry_run {
                break;
            }
        }
        if !dry_run {
            self.done.insert(key, before);
        }
        // Work items and unanswered questions are made of conversations, and go with them; if that fails, with the next look.
        if !dry_run && count > 0 && *reach == Reach::Whole {
            self.owed.insert(tenant.clone());
        }
        if !dry_run && self.owed.contains(tenant) {
            self.beside.forget_made(tenant).await?;
            self.owed.remove(tenant);
        }
        if count == 0 {
            return Ok(None);
        }
        let gone = Gone {
            conversations: count,
            events: erased.events(),
            deliveries: erased.deliveries,
            ..nothing(tenant, artefact, before)
        };
        self.tell(&gone, dry_run).await?;
        Ok(Some(gone))
    }

    /// In the audit log.
    async fn tell(&self, gone: &Gone, dry_run: bool) -> Result<(), StoreError> {
        if dry_run {
            return Ok(());
        }
        let note = entry("retention.applied", None, gone.to_string(), Timestamp::now());
        self.log.append(&gone.tenant, &AUDIT.into(), vec![note]).await.map(drop)
    }
}

fn nothing(tenant: &TenantId, artefact: &'static str, before: Timestamp) -> Gone {
    Gone {
        tenant: tenant.clone(),
        artefact,
        before,
        conversations: 0,
        events: 0,
        deliveries: 0,
        batches: 0,
    }
}

fn days_before(now: Timestamp, days: u32) -> Timestamp {
    let hours = SignedDuration::from_hours(24 * i64::from(days));
    now.checked_sub(hours).unwrap_or(Timestamp::UNIX_EPOCH)
}
