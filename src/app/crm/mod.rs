//! The company's other systems beside the calls: who is on the line, and where the outcome goes.
//!
//! `follow` looks people up when a conversation begins and writes by rule when it is over; `desk` does what
//! agents ask for; a courier for each destination carries the outbox.

mod articles;
mod connectors;
mod customer;
mod desk;
mod follow;
mod help;
pub(super) mod identify;
mod lookups;
mod order;
mod turns;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use self::connectors::{inbox, systems};
pub use self::follow::FollowSettings;
use self::turns::Turns;
use crate::connect::courier::{Courier, CourierSettings};
use crate::connect::crm::Crm;
use crate::connect::destination::Destination;
use crate::domain::{ConversationId, KnownContact};
use crate::flow::feedback::outcome::OutcomeSettings;
use crate::store::{ArticleLog, Outbox, Store};

/// A system that effects go to.
pub(super) struct Place {
    pub name: String,
    /// crm, mail, calendar or team
    pub kind: &'static str,
    pub system: &'static str,
    pub courier: Arc<Courier>,
}

/// The systems of the settings, made and not yet started.
pub struct Systems {
    pub crm: Option<Arc<dyn Crm>>,
    /// Name, kind, system, and where to.
    pub destinations: Vec<(String, &'static str, &'static str, Arc<dyn Destination>)>,
    pub settings: DeskSettings,
}

#[derive(Clone)]
pub struct DeskSettings {
    pub outcome: OutcomeSettings,
    /// ISO 3166-1, such as `GB`: where numbers without a country code are.
    pub region: String,
    /// Attributes of a call that name its customer, before the usual ones.
    pub identify_by: Vec<String>,
    /// The CRM is surely done with a request so long after its answer didn't come.
    pub settle: Duration,
    /// A model's better text, and a person's verdict, get so long before something is written by rule.
    pub automatic_after: Duration,
    /// Whether what is published here goes to the CRM's own knowledge base.
    pub pushes_articles: bool,
    /// Where colleagues are asked.
    pub room: Option<String>,
    /// Where people open the service.
    pub public_url: Option<String>,
}

/// Tells a conversation whose it is; false where it isn't in memory.
pub type Introduce = Arc<dyn Fn(&ConversationId, &KnownContact) -> bool + Send + Sync>;

#[derive(Clone)]
pub struct CrmDesk(Arc<Shared>);

pub struct Shared {
    crm: Option<Arc<dyn Crm>>,
    places: Vec<Place>,
    settings: DeskSettings,
    store: Arc<dyn Store>,
    outbox: Arc<dyn Outbox>,
    articles: Arc<dyn ArticleLog>,
    introduce: Introduce,
    /// Who a conversation's customer is, and what is written about it, is decided by one at a time.
    turns: Turns,
}

impl std::ops::Deref for CrmDesk {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Systems {
    /// The company's mailbox.
    pub fn mailbox(&self) -> Option<Arc<dyn Destination>> {
        let (.., to) = self.destinations.iter().find(|(_, kind, ..)| *kind == "mail")?;
        Some(Arc::clone(to))
    }
}

impl CrmDesk {
    pub fn new(
        systems: Systems,
        store: Arc<dyn Store>,
        outbox: Arc<dyn Outbox>,
        articles: Arc<dyn ArticleLog>,
        introduce: Introduce,
    ) -> Self {
        let settle = systems.settings.settle;
        let place = |(name, kind, system, to): (_, _, _, Arc<dyn Destination>)| {
            let mut settings = CourierSettings::default();
            if kind == "crm" {
                settings.settle = settle;
            }
            let courier = Arc::new(Courier::new(Arc::clone(&outbox), to, settings));
            Place { name, kind, system, courier }
        };
        let places = systems.destinations.into_iter().map(place).collect();
        let (crm, settings) = (systems.crm, systems.settings);
        let turns = Turns::default();
        Self(Arc::new(Shared { crm, places, settings, store, outbox, articles, introduce, turns }))
    }

    /// Starts the couriers; each finishes what it has begun when it is told to stop.
    pub fn start(&self, stop: &CancellationToken) -> Vec<JoinHandle<()>> {
        let run = |place: &Place| tokio::spawn(Arc::clone(&place.courier).run(stop.child_token()));
        self.places.iter().map(run).collect()
    }

    /// Looks callers up and writes by rule, until it is told to stop.
    pub fn follow(&self, settings: FollowSettings) -> JoinHandle<()> {
        follow::start(self.clone(), settings)
    }

    fn place(&self, destination: &str) -> Option<&Place> {
        self.places.iter().find(|place| place.name == destination)
    }

    fn wake(&self, destination: &str) {
        if let Some(place) = self.place(destination) {
            place.courier.wake.notify_one();
        }
    }
}
