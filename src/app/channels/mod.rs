//! The channels on which customers write: what comes in becomes messages, and replies are carried out.

mod destinations;
mod mails;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(super) use self::destinations::{destinations, doors};
pub(super) use self::mails::{MailFolder, follow};
use crate::config;
use crate::connect::channels::mailbox::Replies;
use crate::connect::courier::{Courier, CourierSettings};
use crate::connect::destination::Destination;
use crate::domain::TenantId;
use crate::flow::driver::Calls;
use crate::flow::driver::texts::{Outgoing, TextSettings, Texts};
use crate::serve::SystemState;
use crate::store::Outbox;

/// A reply that hasn't got through after so long is shown as failed: the customer has moved on.
const GIVE_UP_AFTER: Duration = Duration::from_secs(15 * 60);
/// A vendor has done, or not done, what it was asked for so long ago.
const SETTLE: Duration = Duration::from_secs(30);
/// What sleeps in the log is looked through so often.
const SWEEP_EVERY: Duration = Duration::from_secs(30);

/// The text channels of the service.
pub(super) struct Channels {
    pub texts: Texts,
    /// By their names in the outbox.
    couriers: Vec<(String, Arc<Courier>)>,
}

/// Carries the replies to mails.
pub(super) fn replies(mailbox: Arc<dyn Destination>) -> Arc<dyn Destination> {
    Arc::new(Replies::new(mails::REPLIES, mailbox))
}

impl Channels {
    pub fn new(
        settings: &config::Channels,
        calls: &Calls,
        outbox: &Arc<dyn Outbox>,
        destinations: Vec<Arc<dyn Destination>>,
    ) -> Self {
        let how = CourierSettings {
            give_up_after: GIVE_UP_AFTER,
            settle: SETTLE,
            ..CourierSettings::default()
        };
        let mut wakes: BTreeMap<String, Arc<Notify>> = BTreeMap::new();
        let mut couriers = Vec::new();
        for destination in destinations {
            let name = destination.name().to_owned();
            let courier = Courier::new(Arc::clone(outbox), destination, how.clone());
            wakes.insert(name.clone(), Arc::clone(&courier.wake));
            couriers.push((name, Arc::new(courier)));
        }
        let on_posted = Arc::new(move |destination: &str| {
            if let Some(wake) = wakes.get(destination) {
                wake.notify_one();
            }
        });
        let outgoing = Outgoing { outbox: Arc::clone(outbox), on_posted };
        let text_settings = TextSettings {
            awake_max: settings.max,
            idle: Duration::from_secs(settings.idle_minutes * 60),
            ..TextSettings::default()
        };
        Self { texts: Texts::new(calls, outgoing, text_settings), couriers }
    }

    /// What carries replies, and how it is, whenever somebody asks.
    pub fn carriers(&self) -> Arc<dyn Fn() -> Vec<SystemState> + Send + Sync> {
        let couriers = self.couriers.clone();
        Arc::new(move || {
            let state = |(name, courier): &(String, Arc<Courier>)| SystemState {
                name: name.clone(),
                kind: "channel",
                system: destinations::system_of(name),
                is_resting: courier.is_resting(),
                problem: courier.problem(),
            };
            couriers.iter().map(state).collect()
        })
    }

    /// Carries replies, and ends what has been silent for too long, until `stop`.
    pub fn start(&self, tenant: &TenantId, stop: &CancellationToken) -> Vec<JoinHandle<()>> {
        let run = |(_, courier): &(String, Arc<Courier>)| {
            tokio::spawn(Arc::clone(courier).run(stop.child_token()))
        };
        let mut tasks: Vec<JoinHandle<()>> = self.couriers.iter().map(run).collect();
        tasks.push(tokio::spawn(sweep(self.texts.clone(), tenant.clone(), stop.child_token())));
        tasks
    }
}

async fn sweep(texts: Texts, tenant: TenantId, stop: CancellationToken) {
    loop {
        match texts.sweep(&tenant, Timestamp::now()).await {
            Ok(_) => {}
            Err(error) if stop.is_cancelled() => {
                tracing::debug!(%error, "conversations are looked through after the next start");
            }
            Err(error) => tracing::warn!(%error, "silent conversations could not be ended"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(SWEEP_EVERY) => {}
        }
    }
}
