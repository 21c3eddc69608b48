//! The composition root: all wires meet here, and nothing else does.
//!
//! Build and run are two steps, so that a test can build an `App` and look at it.

mod access;
pub mod articles;
mod batch_writer;
mod batches;
mod blocking;
mod channels;
pub mod conflicts;
pub mod crm;
mod doors;
mod embedded;
pub mod erasure;
mod feedback;
pub mod gaps;
pub mod insights;
mod knowledge_door;
mod links;
mod load;
mod log;
mod media;
mod notices;
mod own_sockets;
mod position;
pub mod proposals;
mod recogniser;
pub mod routing;
mod spent;
mod vectors;
mod words;
mod wrapup_door;
mod writers;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use include_dir::{Dir, include_dir};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::articles::Articles;
use self::batches::{BatchDoor, BatchSurroundings};
use self::channels::{Channels, MailFolder};
use self::conflicts::ConflictBook;
use self::crm::CrmDesk;
use self::doors::doors;
use self::erasure::Running;
use self::feedback::FeedbackFeed;
use self::gaps::{GapDoor, GapSurroundings, Meaning};
use self::knowledge_door::KnowledgeDoor;
use self::notices::Notices;
use self::own_sockets::OwnSockets;
use self::proposals::{FollowSettings, ProposalDoor, Proposer};
use self::routing::{RoutingDesk, RoutingSurroundings};
use self::spent::SpentFile;
use self::wrapup_door::WrapUpDoor;
use crate::bus::{Bus, MemoryBus};
use crate::config::Config;
use crate::connect::telephony::{self, MediaSockets};
use crate::domain::{Classify, ErrorKind, SystemNotice, TenantId};
use crate::flow::driver::{Bots, CallSettings, CallWrapUp, Calls, Intents};
use crate::flow::session::SessionSettings;
use crate::insight::redaction;
use crate::models::SpeechPool;
use crate::serve::audit::Audit;
use crate::serve::{self, ChatLimits, Limits, Listener, ServeState, Services, SystemSource, Uses};
use crate::store::{FolderLock, Store};

pub use self::batch_writer::batch_writer;
pub use self::embedded::embedded_writers;
pub use self::recogniser::{LazyRecogniser, speech_pool};
pub use self::writers::{Desk, author, desk, server, writers};

/// The sample knowledge base, for `--demo`.
static SAMPLE: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/knowledge");

const EMBEDDER: &str = "all-minilm-l6-v2";
const BUS_SIGNALS: usize = 4_096;

/// Why the service can't start or stopped badly: which kind, and a sentence.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct AppError {
    kind: ErrorKind,
    message: String,
}

impl AppError {
    fn of(error: &impl Classify) -> Self {
        Self { kind: error.kind(), message: error.to_string() }
    }
    fn internal(error: impl std::fmt::Display) -> Self {
        Self { kind: ErrorKind::Internal, message: error.to_string() }
    }
    /// With what it panicked is told nowhere: that may be what a customer said.
    fn broke(_: tokio::task::JoinError) -> Self {
        Self::internal("a part of the program failed, which is a bug")
    }
}

impl Classify for AppError {
    fn kind(&self) -> ErrorKind {
        self.kind
    }
}

/// The whole service, built and not yet serving.
pub struct App {
    listener: Listener,
    state: ServeState,
    sockets: MediaSockets,
    own_sockets: OwnSockets,
    calls: Calls,
    store: Arc<dyn Store>,
    speech: Arc<SpeechPool>,
    batches: Arc<BatchDoor>,
    gaps: Arc<GapDoor>,
    /// Follow the log, or carry the outbox, until `stop`.
    followers: Vec<JoinHandle<()>>,
    spent: SpentFile,
    stop: CancellationToken,
    /// Follows `stop` when the calls have ended.
    http_stop: CancellationToken,
    grace: Duration,
    access: Access,
    /// Where the log isn't in the folder.
    _folder_lock: Option<FolderLock>,
}

/// How to get in.
#[derive(Clone, Debug)]
pub struct Access {
    pub url: String,
    /// Only in the demo, where it was made up.
    pub api_key: Option<String>,
    pub sign_in_url: Option<String>,
    /// Media wires with a socket of their own, by name.
    pub media: Vec<(&'static str, SocketAddr)>,
}

impl App {
    /// Takes the address, opens the log, loads the models, reads the articles. The vectors follow in
    /// the background; searches use keywords until then.
    ///
    /// # Errors
    /// The first thing that is missing, with what to do about it.
    pub async fn build(config: Config, demo: bool) -> Result<Self, AppError> {
        let write_idle = Duration::from_secs(config.serve.write_idle_seconds);
        let listener =
            serve::bind(config.serve.listen, write_idle).map_err(|e| AppError::of(&e))?;
        let address = listener.address().map_err(AppError::internal)?;
        let tenant = TenantId::from(if demo { "demo" } else { "default" });
        serve::cors::check(&config.serve.embed_origins).map_err(|problem| AppError {
            kind: ErrorKind::Invalid,
            message: format!("serve.embed_origins: {problem}"),
        })?;
        redaction::mask(config.redaction.kinds());
        let (auth, mut access) = doors(&config, demo, &tenant, address)?;
        let ring = auth.ring();
        let keys = access::open(&config.store.folder, &ring).await;
        let (key_file, keys) = keys.map_err(|error| AppError::of(&error))?;
        doors::somebody_may_come_in(&config, demo, keys)?;
        let own_sockets = OwnSockets::bind(&config.media, &tenant).await?;
        access.media = own_sockets.addresses();

        let bus: Arc<dyn Bus> = Arc::new(MemoryBus::new(BUS_SIGNALS));
        let log::OpenLog { store, article_log, outbox, log: event_log, place, folder_lock } =
            log::open(&config.store, &bus).await?;

        let for_speech = config.speech.clone();
        let speech = tokio::task::spawn_blocking(move || speech_pool(&for_speech));
        let opened = articles::open(&config, demo, &tenant, &article_log).await?;
        let library = opened.library.clone();
        let speech = Arc::new(speech.await.map_err(AppError::broke)??);
        let four_eyes = config.knowledge.four_eyes.unwrap_or(!demo);
        let articles = Arc::new(Articles::new(
            Arc::clone(&store),
            Arc::clone(&article_log),
            tenant.clone(),
            opened,
            four_eyes,
        ));

        let notices = Arc::new(Notices::new(tenant.clone(), Arc::clone(&store)));
        let stop = CancellationToken::new();
        let feed = config.knowledge.feedback.then(|| FeedbackFeed {
            store: Arc::clone(&store),
            bus: Arc::clone(&bus),
            tenant: tenant.clone(),
            library: library.clone(),
            stop: stop.child_token(),
        });
        let meaning = vectors::attach(library.clone(), Arc::clone(&notices), feed);
        let invalid = |message| AppError { kind: ErrorKind::Invalid, message };
        let routed = routing::settings(&config, demo).map_err(invalid)?;
        let signals = insights::signals(&config, demo, routed.plan.is_some()).map_err(invalid)?;
        let intents = insights::intents(&config, demo).map_err(invalid)?.map(|files| {
            let intents = Intents::default();
            insights::train(files, meaning.clone(), intents.clone());
            intents
        });

        let (suggestion, vault) = (config.suggestion.settings(), config.redaction.vault());
        let transcript = words::transcript_settings(&config, demo, &library)?;
        let mut wrapup = config.wrapup.clone();
        if demo && wrapup.dispositions.is_empty() {
            wrapup.dispositions = wrapup_door::demo_dispositions();
        }
        let for_desk = config.clone();
        let (desk, spent) = tokio::task::spawn_blocking(move || {
            let desk = writers::desk(&for_desk)?;
            let spent = SpentFile::open(&for_desk.store.folder, desk.author().ledger());
            Ok::<_, AppError>((desk, spent))
        })
        .await
        .map_err(AppError::broke)??;
        let (author, voice) = (desk.author(), desk.voice(&config.suggestion));
        let (wrap_up_settings, time_zone) = (Arc::new(wrapup.settings()), wrapup.zone());
        let settings = CallSettings {
            wrap_up: wrapup.at_end.then(|| CallWrapUp {
                settings: Arc::clone(&wrap_up_settings),
                author: author.clone(),
                time_zone: time_zone.clone(),
            }),
            voice: Some(voice.clone()),
            session: SessionSettings { transcript, suggestion: suggestion.clone(), signals, vault },
            intents,
            calls_max: match config.calls.max {
                0 => speech.workers() * load::CALLS_PER_WORKER,
                max => max,
            },
            calls_per_tenant: config.calls.per_tenant,
            identify_by: config.crm.identify_by.clone(),
            bots: Bots {
                names: config.routing.bots.clone(),
                escalated_by: routed.escalated_by.clone(),
            },
            articles_of: Some(tenant.clone()),
            ..CallSettings::default()
        };
        let calls = Calls::new(
            settings,
            Arc::clone(&store),
            Arc::clone(&bus),
            Arc::clone(&speech),
            library.clone(),
        );

        if config.calls.max == 0 {
            let (speech, calls) = (Arc::clone(&speech), calls.clone());
            tokio::task::spawn_blocking(move || load::measure(&speech, &calls));
        }

        tokio::spawn(load::watch(Arc::clone(&speech), Arc::clone(&notices), stop.child_token()));
        tokio::spawn(serve::meters::keep_up(stop.child_token()));
        let http_stop = CancellationToken::new();
        let mut sockets = MediaSockets::new(Arc::new(calls.clone()), stop.child_token());
        sockets.patience = Duration::from_secs(config.serve.media_idle_seconds);
        sockets.audiohook = media::audiohook_settings(&config.media);
        let media_auth = media::auth(&config.media, &tenant)?;
        let gaps = GapSurroundings {
            store: Arc::clone(&store),
            bus: Arc::clone(&bus),
            tenants: vec![tenant.clone()],
            library: library.clone(),
            article_log: Arc::clone(&article_log),
            desk: articles.clone(),
            time_zone: time_zone.clone(),
            suggestion: suggestion.clone(),
            meaning: meaning.clone(),
            stop: stop.child_token(),
        };
        let gaps = GapDoor::open(&config.store.folder, gaps).await;
        let gaps = Arc::new(gaps.map_err(|error| AppError::of(&error))?);
        let conflicts =
            ConflictBook::new(library.clone(), Arc::clone(&article_log), tenant.clone());
        tokio::spawn(conflicts.clone().keep_up(Arc::clone(&bus), stop.child_token()));
        let proposer = Proposer::new(
            Arc::clone(&store),
            Arc::clone(&article_log),
            articles.clone(),
            library.clone(),
            tenant.clone(),
        );
        let following = config.knowledge.propose.then(|| FollowSettings {
            folder: config.store.folder.clone(),
            bus: Arc::clone(&bus),
            stop: stop.child_token(),
        });
        let known = calls.clone();
        let introduce = move |id: &_, customer: &_| known.introduce(id, customer);
        let systems = crm::systems(&config, time_zone.clone())?;
        let mailbox = systems.mailbox();
        let mails = crm::inbox(&config)?;
        let crm = CrmDesk::new(
            systems,
            Arc::clone(&store),
            Arc::clone(&outbox),
            Arc::clone(&article_log),
            Arc::new(introduce),
        );
        let mut followers = crm.start(&stop);
        followers.push(proposals::start(proposer.clone(), following));
        followers.push(crm.follow(crm::FollowSettings {
            tenant: tenant.clone(),
            folder: config.store.folder.clone(),
            bus: Arc::clone(&bus),
            stop: stop.child_token(),
        }));
        let carriers = channels::destinations(&config.channels, &outbox, &tenant);
        let mut carriers = carriers.map_err(invalid)?;
        carriers.extend(mailbox.filter(|_| mails.is_some()).map(channels::replies));
        let channels = Channels::new(&config.channels, &calls, &outbox, carriers);
        let public_url = config.media.public_url.as_deref();
        let mut doors =
            channels::doors(&config.channels, public_url, &tenant, demo).map_err(invalid)?;
        doors.carriers = channels.carriers();
        followers.extend(channels.start(&tenant, &stop));
        followers.extend(mails.zip(config.mail.from.clone()).map(|(folder, ours)| {
            let data = config.store.folder.clone();
            let mails = MailFolder { folder, ours, tenant: tenant.clone(), data };
            channels::follow(mails, channels.texts.clone(), stop.child_token())
        }));
        let around = RoutingSurroundings {
            tenant: tenant.clone(),
            folder: config.store.folder.clone(),
            store: Arc::clone(&store),
            outbox: Arc::clone(&outbox),
            bus: Arc::clone(&bus),
            stop: stop.child_token(),
        };
        let (routing, tasks) = RoutingDesk::start(routed, around);
        followers.extend(tasks);
        let home = tenant.clone();
        let knowledge = Arc::new(KnowledgeDoor {
            library: library.clone(),
            tenant,
            store: Arc::clone(&store),
            suggestion,
            voice,
        });
        let surroundings = BatchSurroundings {
            store: Arc::clone(&store),
            author: author.clone(),
            generation: config.generation.clone(),
            settings: Arc::clone(&wrap_up_settings),
            zone: time_zone.clone(),
            speech: Arc::clone(&speech),
            retry_after: Duration::from_secs(config.serve.batch_retry_seconds.max(1)),
            stop: stop.child_token(),
        };
        let batches = BatchDoor::open(config.store.folder.join("batches"), surroundings).await;
        let (folder, router) = (config.store.folder.clone(), routing.clone());
        let beside = Running { folder, gaps: gaps.clone(), batches: batches.clone(), router };
        let (erasures, sweep) = erasure::start(&config, event_log, place, beside, &stop);
        followers.push(sweep);
        let audit = Audit::new(Arc::clone(&store), home);
        followers.push(access::follow(key_file, ring, audit.clone(), stop.child_token()));
        let state = ServeState::new(Services {
            store: Arc::clone(&store),
            bus,
            auth,
            audit,
            limits: Limits::new(config.limits),
            answerer: knowledge.clone(),
            articles: knowledge,
            article_log,
            desk: articles,
            gaps: gaps.clone(),
            conflicts: Arc::new(conflicts),
            proposals: Arc::new(ProposalDoor { proposer, time_zone: time_zone.clone() }),
            batches: batches.clone(),
            erasures,
            crm: Arc::new(crm),
            routing: Arc::new(routing),
            uses: Uses::default(),
            texts: channels.texts.clone(),
            channels: doors,
            chat_limits: ChatLimits::default(),
            wrapups: Arc::new(WrapUpDoor::new(
                Arc::clone(&store),
                wrap_up_settings,
                author,
                time_zone,
                library,
            )),
            media_auth,
            incoming: sockets.incoming.clone(),
            system: Arc::new(System { notices, speech: config.speech.clone(), meaning }),
            audiosocket: own_sockets.announced_calls(),
            masker: Arc::new(redaction::typed),
            node: config.serve.node.clone(),
            demo,
            embed_origins: config.serve.embed_origins.clone(),
            comment_every: Duration::from_secs(config.serve.comment_seconds),
            draining: stop.child_token(),
            stop: http_stop.clone(),
        });
        let grace = Duration::from_secs(config.serve.shutdown_grace_seconds);
        Ok(Self {
            listener,
            state,
            sockets,
            own_sockets,
            calls,
            store,
            speech,
            batches,
            gaps,
            followers,
            spent,
            stop,
            http_stop,
            grace,
            access,
            _folder_lock: folder_lock,
        })
    }

    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Cancelling it stops the service in an orderly way.
    pub fn stop_token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Serves until the stop token is cancelled, then drains: no new calls, the live ones end with
    /// what was said so far, everything is made durable. Calls `on_ready` once requests are answered.
    ///
    /// # Errors
    /// A part of it broke off, which is a bug.
    pub async fn run(self, on_ready: impl FnOnce(&Access)) -> Result<(), AppError> {
        let media = telephony::routes(self.sockets.clone());
        let router = serve::router(self.state, media);
        self.own_sockets.serve(&self.sockets);
        let http_stop = self.http_stop;
        let server = tokio::spawn(serve::run(self.listener, router, http_stop.clone(), self.grace));
        on_ready(&self.access);
        self.stop.cancelled().await;

        // Media first: what was said becomes finals, and subscribers still see them.
        self.sockets.shutdown.cancel();
        self.sockets.connections.close();
        let mut calls_done = self.calls.drain(self.grace).await;
        self.batches.ended().await;
        // Answers what is still queued, so that calls which ran out of time can write their end.
        let speech = self.speech;
        tokio::task::spawn_blocking(move || speech.stop()).await.map_err(AppError::broke)?;
        if !calls_done {
            calls_done = self.calls.drain(Duration::from_secs(5)).await;
        }
        let sockets_done =
            tokio::time::timeout(Duration::from_secs(5), self.sockets.connections.wait()).await;
        http_stop.cancel();
        let served = server.await.map_err(AppError::broke)?;
        if !(calls_done && sockets_done.is_ok() && served) {
            tracing::warn!("the grace period ran out before everything had ended");
        }
        self.spent.close().await;
        self.gaps.close().await;
        for follower in self.followers {
            if follower.await.is_err() {
                tracing::error!("a task that follows the log failed, which is a bug");
            }
        }
        self.store.close().await;
        Ok(())
    }
}

struct System {
    notices: Arc<Notices>,
    speech: crate::config::Speech,
    meaning: watch::Receiver<Meaning>,
}

impl SystemSource for System {
    fn ready(&self) -> Result<(), String> {
        // The models are loaded and the log is open before the router exists.
        Ok(())
    }
    fn degraded(&self) -> Vec<SystemNotice> {
        self.notices.all()
    }
    fn models(&self) -> serve::Models {
        serve::Models {
            finals: Some(self.speech.finals_model.clone()),
            partials: Some(self.speech.partials_model.clone()),
            embedder: matches!(*self.meaning.borrow(), Meaning::Known(_))
                .then(|| EMBEDDER.to_owned()),
        }
    }
}
