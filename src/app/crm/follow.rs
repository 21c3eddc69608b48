//! Follows the log: whoever calls is looked up, and what the rules write is written when a conversation is over.
//!
//! Up to where ends were seen stands in a file of its own; the same end twice writes the same things once.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::CrmDesk;
use super::lookups::Lookups;
use crate::app::position::{read_position, write_position};
use crate::bus::{Bus, Heard, Signal, Subscription};
use crate::domain::{Classify as _, Recorded, TenantId};
use crate::serve::Failure;
use crate::store::{KindFilter, ReadQuery, StoreError, codec};

const FILE: &str = "outcomes.position";
/// After a failure of the log.
const AGAIN: Duration = Duration::from_secs(2);

pub struct FollowSettings {
    pub tenant: TenantId,
    /// Where the position is kept.
    pub folder: PathBuf,
    pub bus: Arc<dyn Bus>,
    pub stop: CancellationToken,
}

pub(super) struct Follower {
    pub desk: CrmDesk,
    pub tenant: TenantId,
    pub lookups: Lookups,
}

/// Follows the log until it is told to stop.
pub fn start(desk: CrmDesk, settings: FollowSettings) -> JoinHandle<()> {
    // Before anything is read: what comes meanwhile is heard.
    let heard = settings.bus.subscribe();
    let ends = settings.bus.subscribe();
    tokio::spawn(async move {
        let (tenant, lookups) = (settings.tenant, Lookups::default());
        let follower = Arc::new(Follower { desk, tenant, lookups });
        let file = settings.folder.join(FILE);
        let work = async {
            tokio::join!(
                Arc::clone(&follower).look_people_up(&settings.folder, heard),
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

    pub(super) async fn first_position(&self, file: &Path) -> Result<u64, StoreError> {
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
        self.desk.wait_after(event.time).await;
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
