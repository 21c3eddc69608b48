//! The HTTP doors: routes, keys and sessions, streams, pages, and what the service says of itself.
//!
//! The composition root hands in what the doors open onto (`Services`) and gets a router back; this
//! room starts nothing by itself. It knows status codes and JSON shapes, and nobody below does. It
//! never logs a request's body or a customer's words.

mod access;
mod articles;
mod ask;
mod asyncapi;
mod audiosocket;
pub mod audit;
pub mod auth;
mod batches;
mod body;
mod caller;
mod channels;
mod chat;
mod conversations;
pub mod cors;
mod credentials;
mod crm;
mod envelope;
mod erasures;
mod error;
mod events;
mod extract;
mod gaps;
mod guard;
mod health;
mod hooks;
mod kept;
mod limits;
mod listen;
pub mod meters;
mod openapi;
mod pages;
mod plain;
mod replies;
mod routing;
mod searches;
mod sources;
mod suggestions;
mod system;
mod texts;
mod tokens;
mod uses;
mod view;
mod wrapups;

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::get;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use self::audit::Audit;
use self::auth::Auth;
use crate::bus::Bus;
use crate::connect::telephony::acs::IncomingCalls;
use crate::connect::telephony::audiosocket::Registry;
use crate::connect::telephony::auth::MediaAuth;
use crate::flow::driver::texts::Texts;
use crate::store::{ArticleLog, Store};

pub use articles::{ArticleConflict, ArticleHit, FoundArticles, FoundSentence, Question};
pub use batches::{BatchFile, BatchView, StoredConversations, WantedBatch};
pub use channels::{ChannelDoors, TeamsDoor};
pub use chat::ChatLimits;
pub use crm::{
    Change, CrmDoor, Expert, Known, Outcome, OutcomeOrder, SwarmOrder, SystemState, WantedContact,
    ending,
};
pub use erasures::{Asked, Certificate, Content, Counts, WantedErasure};
pub use error::Problem;
pub use gaps::{
    Gap, GapList, GapReasons, GapSample, GapState, HandlingTime, NearestArticle, WantedGaps,
};
pub use limits::{LimitSettings, Limits};
pub use listen::{ListenError, Listener, bind, run};
pub use routing::{
    AgentState, Capacity, NewPlan, PlanForm, PlanInForce, PlanMistake, PlanRefusal, QueueState,
    RoutingDoor, Step, Target, TaskRouterDoor, WantedItem, WorkItem,
};
pub use sources::{
    Answerer, ArticleDesk, ArticleSource, AskedQuestion, Batches, Conflicts, Erasures, Failure,
    Gaps, ImportItem, ImportOutcome, Masker, Proposals, Proposed, SystemSource, WantedProposal,
    WrapUpOrder, WrapUps,
};
pub use system::Models;
pub use uses::Uses;

/// Settings `[serve]`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Loopback unless somebody decides otherwise; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where people open the service, such as `https://backchannel.example.org`: what links in messages begin with.
    pub public_url: Option<String>,
    /// Pages of other origins that may show the copilot, such as `https://crm.example.org`.
    pub embed_origins: Vec<String>,
    /// Names this process in the envelope's `source`.
    pub node: String,
    /// A connection whose peer takes nothing for so long is dropped.
    pub write_idle_seconds: u64,
    /// A stream without news says so little, so that proxies leave it open.
    pub comment_seconds: u64,
    /// Whether browsers send session cookies over https alone. Absent: unless the service is for this machine only, and
    /// `public_url` is no https address.
    pub secure_cookies: Option<bool>,
    /// A media connection without audio for so long is closed.
    pub media_idle_seconds: u64,
    /// Calls and streams get so long to end when the service is stopped.
    pub shutdown_grace_seconds: u64,
    /// A batch that waits for something that passes is tried again after so long, and ever more
    /// seldom while it gets nowhere.
    pub batch_retry_seconds: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            embed_origins: Vec::new(),
            node: "node-1".to_owned(),
            write_idle_seconds: 15,
            comment_seconds: 15,
            secure_cookies: None,
            media_idle_seconds: 30,
            shutdown_grace_seconds: 15,
            batch_retry_seconds: 60,
        }
    }
}

impl Config {
    /// Whether session cookies are for https alone.
    pub fn cookies_are_secure(&self) -> bool {
        let is_https = self.public_url.as_ref().is_some_and(|url| url.starts_with("https://"));
        self.secure_cookies.unwrap_or(is_https || !self.listen.ip().is_loopback())
    }
}

/// What the doors open onto. The composition root fills it.
pub struct Services {
    pub store: Arc<dyn Store>,
    pub bus: Arc<dyn Bus>,
    pub auth: Auth,
    /// Who did what, and who was turned away.
    pub audit: Audit,
    /// How much each tenant may ask for.
    pub limits: Limits,
    /// Who brings calls and their announcements without a key of ours.
    pub media_auth: MediaAuth,
    /// What the announcements say, for the media sockets.
    pub incoming: IncomingCalls,
    pub answerer: Arc<dyn Answerer>,
    pub articles: Arc<dyn ArticleSource>,
    pub article_log: Arc<dyn ArticleLog>,
    pub desk: Arc<dyn ArticleDesk>,
    /// What agents made of the cards that quote each article.
    pub uses: Uses,
    pub gaps: Arc<dyn Gaps>,
    /// What drafts say against what is published.
    pub conflicts: Arc<dyn Conflicts>,
    /// What calls explain and no article says.
    pub proposals: Arc<dyn Proposals>,
    pub wrapups: Arc<dyn WrapUps>,
    pub crm: Arc<dyn CrmDoor>,
    /// Who takes which work.
    pub routing: Arc<dyn RoutingDoor>,
    /// Conversations that are typed.
    pub texts: Texts,
    /// Where customers' messages come in by themselves.
    pub channels: ChannelDoors,
    pub chat_limits: ChatLimits,
    pub batches: Arc<dyn Batches>,
    /// What is erased because somebody asked for it.
    pub erasures: Arc<dyn Erasures>,
    pub system: Arc<dyn SystemSource>,
    /// Where AudioSocket calls are announced, if any are taken.
    pub audiosocket: Option<Registry>,
    /// Masks secrets in what people type, before it is stored.
    pub masker: Masker,
    pub node: String,
    pub demo: bool,
    /// Pages that may show what is made for them in a frame.
    pub embed_origins: Vec<String>,
    pub comment_every: Duration,
    /// Not ready for more once it is cancelled.
    pub draining: CancellationToken,
    /// Streams tell what is in the log and end when it is cancelled.
    pub stop: CancellationToken,
}

/// What every handler shares. Cheap to clone.
#[derive(Clone)]
pub struct ServeState(Arc<Services>);

impl ServeState {
    pub fn new(services: Services) -> Self {
        meters::install();
        Self(Arc::new(services))
    }
}

impl Deref for ServeState {
    type Target = Services;
    fn deref(&self) -> &Services {
        &self.0
    }
}

/// All routes. `media` brings the sockets under `/v1/media/` and `/v1/listen`; they come through the
/// same guard.
pub fn router(state: ServeState, media: Router) -> Router {
    let (api, document) = openapi::routes().split_for_parts();
    let document = openapi::finish(document);
    let pages = match state.demo {
        true => Router::new(),
        false => ["/chat", "/chat.html"]
            .into_iter()
            .fold(Router::new(), |pages, path| pages.route(path, get(pages::hidden))),
    };
    api.merge(openapi::documents(&document))
        .with_state(state.clone())
        .merge(pages)
        // The media routes are mounted here: axum::Router with /v1/media/twilio and the like.
        .merge(media)
        .fallback(pages::serve)
        .method_not_allowed_fallback(error::method_not_allowed)
        .layer(DefaultBodyLimit::max(body::MAX_BYTES))
        .layer(middleware::from_fn_with_state(state.clone(), guard::guard))
        .layer(middleware::from_fn(body::limit))
        .layer(middleware::from_fn(guard::plain_path))
        .layer(middleware::from_fn(credentials::as_bearer))
        .layer(middleware::from_fn_with_state(state.clone(), guard::headers))
        .layer(middleware::from_fn_with_state(state, cors::allow))
        .layer(middleware::from_fn(meters::measure))
}
