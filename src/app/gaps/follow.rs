//! Reads the log behind the appends and keeps what it tells about unanswered questions.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::likeness::{Likeness, Meaning};
use crate::bus::{Bus, Heard, Signal, Subscription};
use crate::domain::{CardId, ConversationId, Recorded, TenantId};
use crate::insight::gaps::{
    CardOutcome, Cluster, Clusters, Evidence, Question, evidence, gap_id, is_missed,
};
use crate::models::embedder::EmbedderError;
use crate::store::gaps::{GapFile, GapStep, KeptGap, QuestionRow};
use crate::store::{KindFilter, MAX_READ, ReadQuery, Store, StoreError};

/// Events come in bursts: so long is waited for the rest of one.
const BURST: Duration = Duration::from_millis(200);
/// After a failure, and where the bus may have lost the last signal.
const AGAIN: Duration = Duration::from_secs(15);

/// While it isn't known what makes two questions alike, there is nothing to compare.
const NO_LIKENESS: &str = "";

/// Whoever asks that everything is forgotten hears when it is.
pub(super) type Forget = oneshot::Sender<Result<(), StoreError>>;

/// Why the log could not be followed; it is tried again.
#[derive(Debug, thiserror::Error)]
pub(super) enum FollowError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Model(#[from] EmbedderError),
    #[error("comparing a question failed, which is a bug")]
    Broke,
}

/// Follows one tenant's log until it is told to stop.
pub(super) async fn follow(
    store: Arc<dyn Store>,
    bus: Arc<dyn Bus>,
    file: GapFile,
    tenant: TenantId,
    meaning: watch::Receiver<Meaning>,
    mut forgets: mpsc::Receiver<Forget>,
    stop: CancellationToken,
) {
    let likeness = async {
        let likeness = Likeness::of(meaning);
        tokio::pin!(likeness);
        loop {
            tokio::select! {
                likeness = &mut likeness => return Arc::new(likeness),
                Some(answer) = forgets.recv() => {
                    let _ = answer.send(forget(&file, &tenant, NO_LIKENESS).await);
                }
            }
        }
    };
    let likeness = tokio::select! {
        likeness = likeness => likeness,
        () = stop.cancelled() => return,
    };
    let mut subscription = bus.subscribe();
    let mut follower: Option<Follower> = None;
    loop {
        let work = async {
            if follower.is_none() {
                let open = Follower::open(&store, &file, &tenant, &likeness);
                follower = Some(open.await?);
            }
            match &mut follower {
                Some(follower) => follower.catch_up().await,
                None => Ok(()),
            }
        };
        let done: Result<(), FollowError> = tokio::select! {
            done = work => done,
            // What isn't committed is read again.
            () = stop.cancelled() => return,
        };
        if let Err(error) = done {
            tracing::warn!(%error, "unanswered questions are not up to date");
            // What it holds in memory may be ahead of the file.
            follower = None;
            metrics::counter!("backchannel_gaps_failures_total").increment(1);
        }
        let is_well = follower.is_some();
        tokio::select! {
            () = wait(&mut *subscription, &tenant), if is_well => {}
            Some(answer) = forgets.recv() => {
                // What it holds in memory is of before.
                follower = None;
                let _ = answer.send(forget(&file, &tenant, likeness.name()).await);
            }
            () = tokio::time::sleep(AGAIN) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Leaves nothing of a tenant in the file; the log is read from its beginning then.
async fn forget(file: &GapFile, tenant: &TenantId, likeness: &str) -> Result<(), StoreError> {
    let mut step = file.step().await?;
    step.forget(tenant).await?;
    step.commit(tenant, 0, likeness).await?;
    file.scrub().await
}

/// Until something happens in the tenant's log, and the burst is over.
async fn wait(subscription: &mut dyn Subscription, tenant: &TenantId) {
    loop {
        match subscription.next().await {
            Heard::Signal(Signal::Event(event)) if event.tenant == *tenant => break,
            Heard::Signal(_) => {}
            Heard::Lagged(_) => break,
            // The service is going down; whoever waits is told so otherwise.
            Heard::Closed => std::future::pending().await,
        }
    }
    let burst_end = tokio::time::sleep(BURST);
    tokio::pin!(burst_end);
    loop {
        tokio::select! {
            () = &mut burst_end => return,
            heard = subscription.next() => if matches!(heard, Heard::Closed) { return },
        }
    }
}

/// One tenant's projection: what the file holds, with its groups in memory.
struct Follower {
    store: Arc<dyn Store>,
    file: GapFile,
    tenant: TenantId,
    likeness: Arc<Likeness>,
    clusters: Clusters,
    position: u64,
    kinds: KindFilter,
}

impl Follower {
    async fn open(
        store: &Arc<dyn Store>,
        file: &GapFile,
        tenant: &TenantId,
        likeness: &Arc<Likeness>,
    ) -> Result<Self, FollowError> {
        let mut position = file.resume(tenant, likeness.name()).await?;
        if position > store.head().await? {
            tracing::warn!("the log is older than what was made of it, which is made anew");
            let mut step = file.step().await?;
            step.forget(tenant).await?;
            step.commit(tenant, 0, likeness.name()).await?;
            position = 0;
        }
        let kept = file.gaps(tenant).await?.into_iter().map(|kept| Cluster {
            first: kept.first,
            count: kept.count,
            sum: kept.sum,
            medoid: kept.medoid,
            medoid_vector: kept.medoid_vector,
        });
        Ok(Self {
            store: Arc::clone(store),
            file: file.clone(),
            tenant: tenant.clone(),
            clusters: Clusters::new(likeness.nearness(), kept.collect()),
            likeness: Arc::clone(likeness),
            position,
            kinds: KindFilter::parse(Evidence::KINDS)
                .expect("the kinds are a constant; this is a bug"),
        })
    }

    /// Reads to the end of the log.
    async fn catch_up(&mut self) -> Result<(), FollowError> {
        loop {
            // Before the read: what comes between is in it, or comes after this position.
            let head = self.store.head().await?;
            metrics::gauge!("backchannel_gaps_behind_events")
                .set(head.saturating_sub(self.position) as f64);
            if head <= self.position {
                return Ok(());
            }
            let mut query = ReadQuery::all(self.tenant.clone(), self.position);
            query.kinds = self.kinds.clone();
            let page = self.store.read(&query).await?;
            let last = page.last().map_or(0, |event| event.position);
            let upto = if page.len() < MAX_READ { head.max(last) } else { last };
            let begun = Instant::now();
            self.take(&page, upto).await?;
            metrics::histogram!("backchannel_gaps_step_seconds").record(begun.elapsed());
        }
    }

    /// Takes in a stretch of the log, whole or not at all: the position is written with it, so nothing is taken twice.
    async fn take(&mut self, events: &[Arc<Recorded>], upto: u64) -> Result<(), FollowError> {
        let mut step = self.file.step().await?;
        for event in events {
            match evidence(event) {
                Ok(Some(told)) => self.learn(&mut step, event, told).await?,
                Ok(None) => {}
                // It would be as wrong tomorrow, and what comes behind it is not.
                Err(error) => tracing::error!(%error, "an event about a question can't be read"),
            }
        }
        step.commit(&self.tenant, upto, self.likeness.name()).await?;
        self.position = upto;
        Ok(())
    }

    async fn learn(
        &mut self,
        step: &mut GapStep,
        event: &Recorded,
        told: Evidence,
    ) -> Result<(), FollowError> {
        let conversation = &event.conversation;
        match told {
            Evidence::Missed(question) => self.note(step, event, question, false).await,
            Evidence::Answered(question) => self.note(step, event, question, true).await,
            Evidence::Offered { card, question } => {
                let (shown, key) = (CardOutcome::Shown.as_str(), question.key.clone());
                step.save_card(&self.tenant, &card, conversation, &key, shown).await?;
                match step.question(&self.tenant, conversation, &key).await? {
                    Some(_) => self.judge(step, conversation, &key).await,
                    None => self.note(step, event, question, true).await,
                }
            }
            Evidence::Judged { card, outcome } => {
                self.learn_outcome(step, conversation, &card, outcome).await
            }
            Evidence::Opened { key } => {
                if let Some(row) = step.question(&self.tenant, conversation, &key).await? {
                    self.settle(step, row, true).await?;
                }
                Ok(())
            }
            Evidence::Ended { duration_ms } => {
                Ok(step.ended(&self.tenant, conversation, duration_ms).await?)
            }
        }
    }

    async fn learn_outcome(
        &mut self,
        step: &mut GapStep,
        conversation: &ConversationId,
        card: &CardId,
        outcome: CardOutcome,
    ) -> Result<(), FollowError> {
        // Cards from before questions were kept with them tell nothing.
        let Some((key, before)) = step.card(&self.tenant, card).await? else { return Ok(()) };
        let before = CardOutcome::parse(&before).unwrap_or(CardOutcome::Shown);
        let outcome = before.then(outcome).as_str();
        step.save_card(&self.tenant, card, conversation, &key, outcome).await?;
        self.judge(step, conversation, &key).await
    }

    /// Decides anew whether a question with cards was answered.
    async fn judge(
        &mut self,
        step: &mut GapStep,
        conversation: &ConversationId,
        key: &str,
    ) -> Result<(), FollowError> {
        let outcomes = step.outcomes(&self.tenant, conversation, key).await?;
        let outcomes: Vec<CardOutcome> =
            outcomes.iter().filter_map(|outcome| CardOutcome::parse(outcome)).collect();
        if let Some(row) = step.question(&self.tenant, conversation, key).await? {
            self.settle(step, row, !is_missed(&outcomes)).await?;
        }
        Ok(())
    }

    /// A question is heard of for the first time, or again.
    async fn note(
        &mut self,
        step: &mut GapStep,
        event: &Recorded,
        question: Question,
        is_answered: bool,
    ) -> Result<(), FollowError> {
        let known = step.question(&self.tenant, &event.conversation, &question.key).await?;
        let row = known.unwrap_or_else(|| QuestionRow {
            position: event.position,
            conversation: event.conversation.clone(),
            key: question.key,
            turn: question.turn,
            time: event.time,
            reason: question.reason,
            text: question.text,
            context: question.context,
            is_answered,
            gap: None,
            is_counted: false,
            vector: Vec::new(),
        });
        self.settle(step, row, is_answered).await
    }

    /// Writes down whether a question was answered. One that wasn't belongs to a gap; one that was counts for a gap
    /// that there is, so that one sees whether it closed, and changes nothing of it.
    async fn settle(
        &mut self,
        step: &mut GapStep,
        mut row: QuestionRow,
        is_answered: bool,
    ) -> Result<(), FollowError> {
        row.is_answered = is_answered;
        let is_new = row.gap.is_none() && !self.clusters.is_empty();
        if (!is_answered && !row.is_counted) || is_new {
            if row.vector.is_empty() {
                let whole = row.context.as_ref().unwrap_or(&row.text);
                row.vector = self.likeness.vector(whole.as_str()).await?;
            }
            let says_something = row.vector.iter().any(|one| *one != 0.0);
            if says_something && !is_answered {
                let (position, vector) = (row.position, row.vector.clone());
                let add = move |all: &mut Clusters| Some(all.add(position, &vector).clone());
                if let Some(cluster) = self.compare(add).await? {
                    (row.gap, row.is_counted) = (Some(cluster.first), true);
                    // Of its first question, whichever this one is: the file keeps what it has.
                    let id = gap_id(&self.tenant, position, row.text.as_str());
                    step.save_gap(&self.tenant, &kept(cluster, id)).await?;
                }
            } else if says_something {
                let vector = row.vector.clone();
                let find = move |all: &mut Clusters| all.nearest(&vector).map(|near| near.first);
                row.gap = self.compare(find).await?;
            }
        }
        Ok(step.save_question(&self.tenant, &row).await?)
    }

    /// Compares with all groups off the runtime's threads: with many thousands that takes a millisecond.
    async fn compare<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Clusters) -> Option<T> + Send + 'static,
    ) -> Result<Option<T>, FollowError> {
        let mut clusters = std::mem::take(&mut self.clusters);
        let done = tokio::task::spawn_blocking(move || {
            let found = work(&mut clusters);
            (clusters, found)
        });
        let (clusters, found) = done.await.map_err(|_| FollowError::Broke)?;
        self.clusters = clusters;
        Ok(found)
    }
}

fn kept(cluster: Cluster, id: String) -> KeptGap {
    KeptGap {
        first: cluster.first,
        id,
        count: cluster.count,
        sum: cluster.sum,
        medoid: cluster.medoid,
        medoid_vector: cluster.medoid_vector,
    }
}
