//! Follows the log behind the appends: each wrap-up's proposal is compared once.
//!
//! Up to where it was read stands in a file of its own. Where that is missing it begins with the next
//! call: what was before is history, for which there is `backchannel knowledge propose`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Proposer;
use crate::app::position::{read_position, write_position};
use crate::bus::{Bus, Heard, Signal, Subscription};
use crate::domain::{Classify as _, ErrorKind, Recorded};
use crate::flow::wrapup::Proposal;
use crate::serve::Failure;
use crate::store::{KindFilter, ReadQuery, StoreError, codec};

const FILE: &str = "proposals.position";
/// A model's better text follows the first one within this, mostly.
const SETTLES: Duration = Duration::from_millis(500);
/// After a failure, and until the articles can be compared by meaning.
const AGAIN: Duration = Duration::from_secs(2);

pub struct FollowSettings {
    /// Where the position is kept.
    pub folder: PathBuf,
    pub bus: Arc<dyn Bus>,
    pub stop: CancellationToken,
}

/// Follows the log until it is told to stop, or not at all without settings.
pub fn start(proposer: Proposer, settings: Option<FollowSettings>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let Some(settings) = settings else { return };
        if let Err(error) = follow(proposer, settings).await {
            tracing::error!(%error, "what calls explain is compared with no article");
        }
    })
}

/// Calls wait while the articles have no vectors.
async fn follow(proposer: Proposer, settings: FollowSettings) -> Result<(), StoreError> {
    let mut subscription = settings.bus.subscribe();
    let file = settings.folder.join(FILE);
    let mut position = match read_position(&file).await? {
        Some(position) => position,
        None => {
            let head = proposer.store.head().await?;
            write_position(&file, head).await?;
            head
        }
    };
    let work = async {
        loop {
            match catch_up(&proposer, &file, &mut position).await {
                Ok(()) if hear(&proposer, &mut *subscription).await => {
                    tokio::time::sleep(SETTLES).await;
                }
                Ok(()) => return,
                Err(error) if error.kind() == ErrorKind::Unavailable => {
                    tokio::time::sleep(AGAIN).await;
                }
                Err(error) => {
                    tracing::warn!(%error, "what calls explain is not compared with the articles");
                    metrics::counter!("backchannel_proposals_failures_total").increment(1);
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    };
    tokio::select! {
        () = work => {}
        () = settings.stop.cancelled() => {}
    }
    Ok(())
}

/// Waits for a wrap-up with a proposal; false when there will be none.
async fn hear(proposer: &Proposer, subscription: &mut dyn Subscription) -> bool {
    loop {
        match subscription.next().await {
            Heard::Signal(Signal::Event(event))
                if event.tenant == proposer.tenant && &*event.kind == codec::WRAPUP_ARTICLE =>
            {
                return true;
            }
            Heard::Signal(_) => {}
            Heard::Lagged(_) => return true,
            Heard::Closed => return false,
        }
    }
}

async fn catch_up(proposer: &Proposer, file: &Path, position: &mut u64) -> Result<(), Failure> {
    let failed = |error: StoreError| Failure::of(&error);
    loop {
        let mut query = ReadQuery::all(proposer.tenant.clone(), *position);
        query.kinds = KindFilter::exactly(codec::WRAPUP_ARTICLE);
        let page = proposer.store.read(&query).await.map_err(failed)?;
        if page.is_empty() {
            return Ok(());
        }
        for event in &page {
            take(proposer, event).await?;
            *position = event.position;
            write_position(file, *position).await.map_err(failed)?;
        }
    }
}

async fn take(proposer: &Proposer, event: &Recorded) -> Result<(), Failure> {
    let decoded = codec::decode_proposal(event);
    let Some((wrapup, provider, language, said)) = decoded.unwrap_or_else(|error| {
        // It would be as wrong tomorrow.
        tracing::error!(%error, "a proposed article can't be read");
        None
    }) else {
        return Ok(());
    };
    let conversation = event.conversation.clone();
    let proposal = Proposal { conversation, wrapup, language, provider, given_by: None, said };
    let told = match proposer.propose(proposal, false).await {
        Ok(Some(compared)) => proposer.tell(&event.conversation, compared).await,
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    match told {
        Ok(()) => Ok(()),
        Err(error) if error.kind().is_retryable() => Err(error),
        Err(error) => {
            // What is wrong with a text may quote it.
            tracing::warn!(conversation.id = %event.conversation, kind = ?error.kind(), "no article is drafted");
            Ok(())
        }
    }
}
