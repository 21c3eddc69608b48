//! Who takes which work: one thread for a tenant holds the desk, and everything else goes through it.
//!
//! ```text
//! doors ──jobs──────► actor: floor (desk, board) ──entries──► writer ──► log and outbox ──► router of the company
//! log ──feeder──────►   │ next tick                             │
//!                       └── answers ◄───────────────────────────┘ once it is durable
//! ```
//!
//! The actor does no I/O but waiting: it takes what happens, and hands on what is to be written. What it knows can be
//! made again from the log (`ledger`: plan, presence, open items; `board`: what conversations say), which is what a
//! start does (`begin`, `restore`). So does a commit that fails, or a task that panics: a desk that may be ahead of the
//! log is left, and nothing that was decided on it is written. And so does an erasure: what the log doesn't have any more
//! is in nothing that is made of it.

mod actor;
mod begin;
mod bots;
mod door;
mod floor;
mod heard;
mod items;
mod ledger;
mod pack;
mod plan;
mod restore;
mod router;
mod settings;
#[cfg(test)]
mod tests;
mod told;
mod writer;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::actor::Job;
use self::floor::{Floor, How};
use self::router::Told;
pub use self::settings::{Checked, PlanText, check, settings};
use crate::bus::Bus;
use crate::connect::courier::{Courier, CourierSettings};
use crate::connect::telephony::auth::PublicUrl;
use crate::domain::{ErrorKind, RoutingMode, TenantId};
use crate::routing::context::ContextSettings;
use crate::serve::Failure;
use crate::store::{Outbox, Store, StoreError};

/// Jobs that wait for the desk; more are refused.
const JOBS_MAX: usize = 1_024;

/// What the settings say.
pub struct RoutingSettings {
    /// Of the settings; what was put over the API goes before it.
    pub plan: Option<PlanText>,
    /// Instead of the plan's own.
    pub mode: Option<RoutingMode>,
    /// By channel of a conversation (`voice`, `chat`): the workstream that it becomes an item of.
    pub workstreams: BTreeMap<String, String>,
    /// Categories that say that a bot gives a conversation up. A conversation that begins with one is work from then
    /// on; without any, from its beginning.
    pub escalated_by: Vec<String>,
    /// So long after its end a conversation's item keeps its agent, if nobody says earlier that the wrap-up is over.
    pub wrap_up_ms: u64,
    pub context: ContextSettings,
    pub router: Option<Told>,
    /// Our agents by what the router calls them.
    pub agents: BTreeMap<String, String>,
    /// Attributes that name a party by number or address, beside the usual ones.
    pub party_attributes: Vec<String>,
    /// Where people open the service.
    pub public_url: Option<String>,
    /// Under which vendors reach it.
    pub media_url: Option<PublicUrl>,
    /// Whoever has never said otherwise is there: for the demo, where nobody signs in.
    pub everybody_is_there: bool,
}

impl Default for RoutingSettings {
    /// Nothing is routed until somebody puts a plan.
    fn default() -> Self {
        Self {
            plan: None,
            mode: None,
            workstreams: BTreeMap::new(),
            escalated_by: Vec::new(),
            wrap_up_ms: 60_000,
            context: ContextSettings::default(),
            router: None,
            agents: BTreeMap::new(),
            party_attributes: Vec::new(),
            public_url: None,
            media_url: None,
            everybody_is_there: false,
        }
    }
}

/// What is around it.
pub struct RoutingSurroundings {
    pub tenant: TenantId,
    /// Where the ledger is kept.
    pub folder: PathBuf,
    pub store: Arc<dyn Store>,
    pub outbox: Arc<dyn Outbox>,
    pub bus: Arc<dyn Bus>,
    pub stop: CancellationToken,
}

/// The router of one tenant. Cheap to clone.
#[derive(Clone)]
pub struct RoutingDesk(Arc<Shared>);

struct Shared {
    tenant: TenantId,
    store: Arc<dyn Store>,
    jobs: mpsc::Sender<Job>,
    router: Option<Told>,
    agents: BTreeMap<String, String>,
    party_attributes: Vec<String>,
    public_url: Option<String>,
    /// Makes an address of a path.
    address: Box<dyn Fn(&str) -> String + Send + Sync>,
}

impl RoutingDesk {
    /// Starts its tasks; they end with `stop`. What is asked before the log is read waits for that.
    pub fn start(
        settings: RoutingSettings,
        around: RoutingSurroundings,
    ) -> (Self, Vec<JoinHandle<()>>) {
        let RoutingSettings { plan, mode, workstreams, wrap_up_ms, context, .. } = settings;
        let escalated_by = settings.escalated_by;
        let (router, media_url) = (settings.router, settings.media_url);
        let (jobs, inbox) = mpsc::channel(JOBS_MAX);
        let id_attribute = router.as_ref().and_then(|told| told.id_attribute.clone());
        let everybody_is_there = settings.everybody_is_there;
        let how =
            How { mode, workstreams, wrap_up_ms, id_attribute, escalated_by, everybody_is_there };
        let mut tasks = Vec::new();
        let courier = router.as_ref().map(|told| {
            let to = Arc::clone(&told.destination);
            let courier = Courier::new(Arc::clone(&around.outbox), to, CourierSettings::default());
            let courier = Arc::new(courier);
            tasks.push(tokio::spawn(Arc::clone(&courier).run(around.stop.child_token())));
            courier
        });
        let telling = courier.map(|courier| writer::Teller {
            destination: router.as_ref().map(|told| told.destination.name().to_owned()),
            wake: Arc::clone(&courier.wake),
            public_url: settings.public_url.clone(),
        });
        let shared = Arc::new(Shared {
            tenant: around.tenant.clone(),
            store: Arc::clone(&around.store),
            jobs,
            router,
            agents: settings.agents,
            party_attributes: settings.party_attributes,
            public_url: settings.public_url,
            address: Box::new(move |path| match &media_url {
                Some(url) => url.http(path),
                None => path.to_owned(),
            }),
        });
        let making =
            actor::Making { how, context, plan, around, teller: telling, since_ms: actor::now() };
        tasks.push(actor::start(making, inbox));
        (Self(shared), tasks)
    }

    /// Lets go of what was erased from the tenant's log, in memory and in the file.
    ///
    /// # Errors
    /// It doesn't run any more, or the file can't be removed.
    pub async fn forget(&self, tenant: &TenantId) -> Result<(), StoreError> {
        if self.0.tenant != *tenant {
            return Ok(());
        }
        let (forgotten, done) = oneshot::channel();
        let asked = self.0.jobs.send(Job::Forget(forgotten)).await;
        asked.map_err(|_| StoreError::Closed)?;
        done.await.map_err(|_| StoreError::Closed)
    }

    /// Has something done at the desk; answered once what came of it is durable.
    async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Floor, u64) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let (answer, answered) = oneshot::channel();
        let job = Job::Work(Box::new(move |floor, now_ms| {
            let done = work(floor, now_ms);
            Box::new(move |is_durable| {
                // Whoever asked may have gone; without an answer they hear that it is lost.
                if is_durable {
                    let _ = answer.send(done);
                }
            })
        }));
        self.0.jobs.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Failure {
                kind: ErrorKind::Busy,
                message: "too much happens at once; try again in a moment".to_owned(),
            },
            mpsc::error::TrySendError::Closed(_) => stopped(),
        })?;
        answered.await.map_err(|_| stopped())
    }
}

fn stopped() -> Failure {
    Failure {
        kind: ErrorKind::Unavailable,
        message: "the router can't write to its log at the moment; try again".to_owned(),
    }
}
