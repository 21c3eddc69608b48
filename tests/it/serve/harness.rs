//! A service on a free port with fakes behind the doors, and a client that believes nothing.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::routing::get;
use backchannel::app::articles::{Articles, library_of};
use backchannel::app::conflicts::ConflictBook;
use backchannel::app::crm::{CrmDesk, FollowSettings as CrmFollow, Systems};
use backchannel::app::gaps::{GapDoor, GapSurroundings, Meaning};
use backchannel::app::proposals::{self, FollowSettings, ProposalDoor, Proposer};
use backchannel::app::routing::{RoutingDesk, RoutingSettings, RoutingSurroundings};
use backchannel::bus::{Bus, MemoryBus, Signal};
use backchannel::connect::identity::Bearers;
use backchannel::connect::telephony::acs::IncomingCalls;
use backchannel::connect::telephony::audiosocket::Registry;
use backchannel::connect::telephony::auth::MediaAuth;
use backchannel::domain::*;
use backchannel::flow::driver::texts::{OnPosted, Outgoing, TextSettings, Texts};
use backchannel::flow::driver::{Bots, CallSettings, CallWrapUp, Calls, Intents};
use backchannel::flow::session::SessionSettings;
use backchannel::flow::suggestion::SuggestionSettings;
use backchannel::flow::voice::{OnStep, Step};
use backchannel::insight::redaction;
use backchannel::knowledge::{
    Library, LibrarySettings, SearchHit, SearchMode, SearchRequest, Source,
};
use backchannel::models::SpeechPool;
use backchannel::serve::audit::Audit;
use backchannel::serve::auth::oidc::SignInDoor;
use backchannel::serve::auth::{Auth, Principal, hash_of};
use backchannel::serve::{self, *};
use backchannel::store::articles::conformance;
use backchannel::store::outbox;
use backchannel::store::{ArticleLog, Outbox, SqliteStore, Store};
use futures_util::StreamExt;
use jiff::Timestamp;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::batches::NoBatches;
use super::crm::no_systems;
use super::wrapups::{FakeWrapUps, drafts};

/// Whose pages may show the copilot.
pub const EMBEDDER: &str = "https://crm.example.test";
pub const KEY: &str = "bc_test";
pub const OTHER_KEY: &str = "bc_other";
/// A colleague's, of the same tenant.
pub const ADAS_KEY: &str = "bc_ada";

pub struct House {
    pub store: Arc<dyn Store>,
    pub log: Arc<dyn ArticleLog>,
    pub bus: Arc<dyn Bus>,
    pub address: SocketAddr,
    pub code: String,
    pub client: reqwest::Client,
    pub openapi: Value,
    pub asyncapi: Value,
    pub library: Library,
    pub outbox: Arc<dyn Outbox>,
    pub texts: Texts,
    calls: Calls,
    gaps: Arc<GapDoor>,
    proposals: Option<tokio::task::JoinHandle<()>>,
    routers: Vec<tokio::task::JoinHandle<()>>,
    _tell_meaning: watch::Sender<Meaning>,
    stop: CancellationToken,
    served: Option<tokio::task::JoinHandle<bool>>,
    _folder: tempfile::TempDir,
}

pub struct Options {
    pub bus_capacity: usize,
    pub write_idle: Duration,
    pub comment_every: Duration,
    pub media_auth: MediaAuth,
    pub incoming: IncomingCalls,
    /// The sockets; without them, there is one that says so.
    pub media: Option<Router>,
    pub meaning: Meaning,
    /// Where the log lies, if it is to stay.
    pub folder: Option<PathBuf>,
    pub systems: Systems,
    pub texts: TextSettings,
    pub wrap_up: Option<CallWrapUp>,
    pub on_posted: OnPosted,
    pub channels: ChannelDoors,
    pub routing: RoutingSettings,
    pub session: SessionSettings,
    pub intents: Option<Intents>,
    pub bots: Bots,
    /// More keys than the house has.
    pub keys: Vec<(String, Principal)>,
    pub bearers: Option<Bearers>,
    pub sign_in: Option<SignInDoor>,
    pub limits: LimitSettings,
    /// As behind a proxy that speaks https.
    pub secure_cookies: bool,
    /// Where the service listens, if that must be known before.
    pub listen: SocketAddr,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            bus_capacity: 256,
            write_idle: Duration::from_secs(15),
            comment_every: Duration::from_secs(15),
            media_auth: MediaAuth::default(),
            incoming: IncomingCalls::default(),
            media: None,
            meaning: Meaning::Missing,
            folder: None,
            systems: no_systems(),
            texts: TextSettings::default(),
            wrap_up: None,
            on_posted: Arc::new(|_| ()),
            channels: ChannelDoors::closed("demo".into()),
            routing: RoutingSettings::default(),
            session: SessionSettings::default(),
            intents: None,
            bots: Bots::default(),
            keys: Vec::new(),
            bearers: None,
            sign_in: None,
            limits: LimitSettings::default(),
            secure_cookies: false,
            listen: ([127, 0, 0, 1], 0).into(),
        }
    }
}

impl House {
    pub async fn open() -> Self {
        Self::open_with(Options::default()).await
    }

    pub async fn open_with(options: Options) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let data = options.folder.unwrap_or_else(|| folder.path().to_owned());
        let bus: Arc<dyn Bus> = Arc::new(MemoryBus::new(options.bus_capacity));
        let hook = {
            let bus = bus.clone();
            Arc::new(move |events: &[Arc<Recorded>]| {
                for event in events {
                    bus.publish(Signal::Event(event.clone()));
                }
            })
        };
        let store = Arc::new(SqliteStore::open(&data, hook).await.expect("it opens"));
        let whole_log = store.clone();
        let log: Arc<dyn ArticleLog> = store.clone();
        let outbox: Arc<dyn Outbox> = store.clone();
        let store: Arc<dyn Store> = store;
        if log.newest_revision().await.expect("read") == 0 {
            log.revise(&"demo".into(), seed(), vec![]).await.expect("written");
        }
        let settings = LibrarySettings::new(Source::Folder("".into()));
        let opened = library_of(log.as_ref(), &"demo".into(), settings).await.expect("it opens");
        let library = opened.library.clone();
        let desk = Articles::new(store.clone(), log.clone(), "demo".into(), opened, true);
        let mut auth = Auth::new(options.secure_cookies);
        auth.add_key(hash_of(KEY), principal("demo"));
        auth.add_key(hash_of(OTHER_KEY), principal("other"));
        auth.add_key(
            hash_of(ADAS_KEY),
            Principal::new("Ada", AccessRole::KnowledgeManager, "demo".into()),
        );
        // Of two that fit the last counts.
        options.keys.into_iter().for_each(|(key, who)| auth.add_key(hash_of(&key), who));
        if let Some(bearers) = options.bearers {
            auth.set_bearers(bearers);
        }
        if let Some(door) = options.sign_in {
            auth.set_sign_in(door);
        }
        let code = auth.add_sign_in_code(principal("demo"));
        let stop = CancellationToken::new();
        let desk = Arc::new(desk);
        let (tell_meaning, meaning) = watch::channel(options.meaning);
        let gaps = GapSurroundings {
            store: store.clone(),
            bus: bus.clone(),
            tenants: vec!["demo".into(), "other".into()],
            library: library.clone(),
            article_log: log.clone(),
            desk: desk.clone(),
            time_zone: jiff::tz::TimeZone::UTC,
            suggestion: SuggestionSettings::default(),
            meaning,
            stop: stop.child_token(),
        };
        let gaps = Arc::new(GapDoor::open(&data, gaps).await.expect("the folder can be written"));
        let conflicts = ConflictBook::new(library.clone(), log.clone(), "demo".into());
        tokio::spawn(conflicts.clone().keep_up(bus.clone(), stop.child_token()));
        let proposer =
            Proposer::new(store.clone(), log.clone(), desk.clone(), library.clone(), "demo".into());
        let following =
            FollowSettings { folder: data.clone(), bus: bus.clone(), stop: stop.child_token() };
        let proposals = proposals::start(proposer.clone(), Some(following));
        let crm = CrmDesk::new(
            options.systems,
            store.clone(),
            outbox.clone(),
            log.clone(),
            Arc::new(|_, _| true),
        );
        crm.start(&stop);
        crm.follow(CrmFollow {
            tenant: "demo".into(),
            folder: data.clone(),
            bus: bus.clone(),
            stop: stop.child_token(),
        });
        let speech = Arc::new(SpeechPool::start(Vec::new()).expect("no threads"));
        let calls = CallSettings {
            wrap_up: options.wrap_up,
            session: options.session,
            intents: options.intents,
            bots: options.bots,
            ..CallSettings::default()
        };
        let calls = Calls::new(calls, store.clone(), bus.clone(), speech, library.clone());
        let outgoing = Outgoing { outbox: outbox.clone(), on_posted: options.on_posted };
        let texts = Texts::new(&calls, outgoing, options.texts);
        let around = RoutingSurroundings {
            tenant: "demo".into(),
            folder: data.clone(),
            store: store.clone(),
            outbox: outbox.clone(),
            bus: bus.clone(),
            stop: stop.child_token(),
        };
        let (routing, routers) = RoutingDesk::start(options.routing, around);
        let erasures = super::erasures::door(whole_log, data, gaps.clone(), routing.clone());
        let state = ServeState::new(Services {
            store: store.clone(),
            bus: bus.clone(),
            auth,
            audit: Audit::new(store.clone(), "demo".into()),
            limits: Limits::new(options.limits),
            media_auth: options.media_auth,
            incoming: options.incoming,
            answerer: Arc::new(Fake),
            articles: Arc::new(Found(library.clone())),
            article_log: log.clone(),
            desk,
            uses: Uses::default(),
            texts: texts.clone(),
            channels: options.channels,
            chat_limits: ChatLimits::default(),
            gaps: gaps.clone(),
            conflicts: Arc::new(conflicts),
            proposals: Arc::new(ProposalDoor { proposer, time_zone: jiff::tz::TimeZone::UTC }),
            wrapups: Arc::new(FakeWrapUps),
            crm: Arc::new(crm),
            routing: Arc::new(routing),
            batches: Arc::new(NoBatches),
            erasures: Arc::new(erasures),
            system: Arc::new(Fake),
            audiosocket: Some(Registry::default()),
            masker: Arc::new(redaction::typed),
            node: "node-1".to_owned(),
            demo: true,
            embed_origins: vec![EMBEDDER.to_owned()],
            comment_every: options.comment_every,
            draining: stop.clone(),
            stop: stop.clone(),
        });
        let stub = || Router::new().route("/v1/media/pcm", get(|| async { "media" }));
        let media = options.media.unwrap_or_else(stub);
        let router = serve::router(state, media);
        let listener = serve::bind(options.listen, options.write_idle).expect("a free port");
        let address = listener.address().expect("bound");
        let served =
            tokio::spawn(serve::run(listener, router, stop.clone(), Duration::from_secs(5)));
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client");
        let mut house = Self {
            store,
            log,
            bus,
            address,
            code,
            client,
            openapi: Value::Null,
            asyncapi: Value::Null,
            library,
            outbox,
            texts,
            calls,
            gaps,
            proposals: Some(proposals),
            routers,
            _tell_meaning: tell_meaning,
            stop,
            served: Some(served),
            _folder: folder,
        };
        house.openapi = strict(house.document("/openapi.json").await);
        house.asyncapi = strict(house.document("/asyncapi.json").await);
        house
    }

    async fn document(&self, path: &str) -> Value {
        let answer =
            self.client.get(self.url(path)).bearer_auth(KEY).send().await.expect("answers");
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.expect("JSON")
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Sends with the key; checks the answer against the description.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let mut request = self.client.request(method.clone(), self.url(path)).bearer_auth(KEY);
        if let Some(body) = body {
            request = request.json(&body);
        }
        self.checked(method, path, request.send().await.expect("answers")).await
    }

    pub async fn call_as(
        &self,
        key: &str,
        method: Method,
        path: &str,
        body: Value,
    ) -> (StatusCode, Value) {
        let request = self.client.request(method.clone(), self.url(path)).bearer_auth(key);
        let answer = request.json(&body).send().await.expect("answers");
        self.checked(method, path, answer).await
    }

    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.call(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        self.call(Method::POST, path, Some(body)).await
    }

    pub async fn checked(
        &self,
        method: Method,
        path: &str,
        answer: Response,
    ) -> (StatusCode, Value) {
        let status = answer.status();
        if status == StatusCode::NO_CONTENT {
            let operation = self.operation(&method, path).expect("it is described");
            assert!(operation["responses"].get("204").is_some(), "{method} {path} 204");
            return (status, Value::Null);
        }
        let kind =
            answer.headers()[reqwest::header::CONTENT_TYPE].to_str().expect("text").to_owned();
        if !status.is_success() {
            assert_eq!(kind, "application/problem+json", "{method} {path}");
        }
        let body: Value = answer.json().await.expect("JSON");
        if let Some(schema) = self.schema_of(&method, path, status, &kind) {
            check(&self.openapi, &schema, &body, &format!("{method} {path} {status}"));
        } else {
            // No such route, or not by this method: there is the problem and nothing else to check.
            assert!(status.is_client_error(), "{method} {path} {status} is not described");
            check(&self.openapi, &json!({"$ref": "#/components/schemas/Problem"}), &body, path);
        }
        (status, body)
    }

    fn schema_of(
        &self,
        method: &Method,
        path: &str,
        status: StatusCode,
        kind: &str,
    ) -> Option<Value> {
        let operation = self.operation(method, path)?;
        let class = format!("{}XX", status.as_u16() / 100);
        let responses = &operation["responses"];
        let response = responses.get(status.as_str()).or_else(|| responses.get(&class))?;
        let kind = kind.split(';').next().expect("a type");
        Some(response["content"].get(kind)?["schema"].clone())
    }

    fn operation(&self, method: &Method, path: &str) -> Option<&Value> {
        let path = path.split('?').next().expect("a path");
        let paths = self.openapi["paths"].as_object().expect("paths");
        // A path without parameters comes before one with them.
        let fits = |template: &str| {
            let (mut t, mut p) = (template.split('/'), path.split('/'));
            loop {
                match (t.next(), p.next()) {
                    (None, None) => return true,
                    (Some(t), Some(p)) if t == p || (t.starts_with('{') && !p.is_empty()) => {}
                    _ => return false,
                }
            }
        };
        let item = paths
            .get(path)
            .or_else(|| paths.iter().find(|(template, _)| fits(template)).map(|(_, item)| item))?;
        item.get(method.as_str().to_lowercase())
    }

    /// Follows a stream; the events are checked as they come.
    pub async fn follow(&self, path: &str, last: Option<&str>) -> Follower {
        let mut request = self.client.get(self.url(path)).bearer_auth(KEY);
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        let answer = request.send().await.expect("answers");
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        let mut follower = Follower {
            bytes: Box::pin(answer.bytes_stream().map(|chunk| chunk.map(|bytes| bytes.to_vec()))),
            buffer: String::new(),
            asyncapi: self.asyncapi.clone(),
        };
        assert_eq!(follower.frame().await.as_deref(), Some(": connected"));
        follower
    }

    pub async fn append(&self, conversation: &str, events: Vec<EventBody>) -> Vec<Arc<Recorded>> {
        self.append_for("demo", conversation, events).await
    }

    pub async fn append_for(
        &self,
        tenant: &str,
        conversation: &str,
        events: Vec<EventBody>,
    ) -> Vec<Arc<Recorded>> {
        let events = events.into_iter().map(|body| NewEvent::at(Timestamp::now(), body)).collect();
        self.store.append(&tenant.into(), &conversation.into(), events).await.expect("appended")
    }

    /// Stops in order; says whether everything ended in time.
    pub async fn close(mut self) -> bool {
        self.stop.cancel();
        let drained = self.calls.drain(Duration::from_secs(10)).await;
        let served = self.served.take().expect("once").await.expect("no panic");
        self.gaps.close().await;
        self.proposals.take().expect("once").await.expect("no panic");
        for router in self.routers.drain(..) {
            router.await.expect("no panic");
        }
        self.store.close().await;
        served && drained
    }
}

type Chunks = futures_util::stream::BoxStream<'static, reqwest::Result<Vec<u8>>>;

pub struct Follower {
    bytes: Chunks,
    buffer: String,
    asyncapi: Value,
}

pub struct Event {
    pub id: Option<String>,
    pub envelope: Value,
}

impl Event {
    pub fn kind(&self) -> &str {
        self.envelope["type"].as_str().expect("a type").trim_start_matches("backchannel.")
    }
}

impl Follower {
    /// The next frame; `None` at the end.
    pub async fn frame(&mut self) -> Option<String> {
        loop {
            if let Some((frame, rest)) = self.buffer.split_once("\n\n") {
                let frame = frame.to_owned();
                self.buffer = rest.to_owned();
                return Some(frame);
            }
            let patience = Duration::from_secs(20);
            let chunk = tokio::time::timeout(patience, self.bytes.next()).await.expect("in time");
            self.buffer.push_str(std::str::from_utf8(&chunk?.ok()?).expect("UTF-8"));
        }
    }

    pub async fn next(&mut self) -> Option<Event> {
        loop {
            let frame = self.frame().await?;
            if frame.starts_with(':') {
                continue;
            }
            let mut event = Event { id: None, envelope: Value::Null };
            for line in frame.lines() {
                match line.split_once(": ").expect("a field") {
                    ("id", id) => event.id = Some(id.to_owned()),
                    ("data", data) => event.envelope = serde_json::from_str(data).expect("JSON"),
                    (other, _) => panic!("unexpected field {other}"),
                }
            }
            let pointer = format!("#/components/messages/{}/payload", event.kind());
            check(&self.asyncapi, &json!({"$ref": pointer}), &event.envelope, event.kind());
            return Some(event);
        }
    }

    pub async fn take(&mut self, count: usize) -> Vec<Event> {
        let mut events = Vec::new();
        while events.len() < count {
            events.push(self.next().await.expect("the stream goes on"));
        }
        events
    }
}

/// Objects may have no member that isn't described: so the description can't fall behind.
fn strict(mut document: Value) -> Value {
    let described = document["components"]["schemas"].clone();
    let schemas = document["components"]["schemas"].as_object_mut().expect("schemas");
    for (_, schema) in schemas.iter_mut() {
        if let Some(parts) = schema["allOf"].as_array() {
            *schema = joined(parts, &described);
        }
        for variant in schema.get_mut("oneOf").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(parts) = variant["allOf"].as_array() {
                *variant = joined(parts, &described);
                variant["additionalProperties"] = json!(false);
            }
        }
        if schema.get("properties").is_some() {
            schema["additionalProperties"] = json!(false);
        }
    }
    document
}

/// One object of several: a part that is strict by itself would refuse the others' members.
fn joined(parts: &[Value], described: &Value) -> Value {
    let mut whole = json!({"type": "object", "properties": {}, "required": []});
    for part in parts {
        let name = part["$ref"].as_str().and_then(|path| path.rsplit('/').next());
        let part = name.map_or(part, |name| &described[name]);
        let properties = part["properties"].as_object().expect("an object").clone();
        whole["properties"].as_object_mut().expect("an object").extend(properties);
        let required = part["required"].as_array().expect("a list").clone();
        whole["required"].as_array_mut().expect("a list").extend(required);
    }
    whole
}

pub fn check(document: &Value, schema: &Value, instance: &Value, what: &str) {
    let mut schema = schema.clone();
    schema["components"] = document["components"].clone();
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let errors: Vec<String> = validator
        .iter_errors(instance)
        .map(|error| format!("{error} at {}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{what}: {errors:?}\n{instance:#}");
}

fn principal(tenant: &str) -> Principal {
    Principal { is_operator: true, ..Principal::new("Emma", AccessRole::Agent, tenant.into()) }
}

/// What stands behind the doors here: one article, one answer.
struct Fake;

#[async_trait]
impl Answerer for Fake {
    async fn answer(
        &self,
        asked: AskedQuestion,
        on_step: OnStep<'_>,
    ) -> Result<QuestionAnswer, Failure> {
        if asked.question.as_str().contains("broken") {
            let message = "the secret inner workings".to_owned();
            return Err(Failure { kind: ErrorKind::Internal, message });
        }
        if asked.question.as_str().contains("never") {
            std::future::pending::<()>().await;
        }
        if asked.question.as_str().contains("slowly") {
            on_step(Step::Sentence(&ProvenSentence {
                text: Redacted::vouched("Within five days."),
                proofs: answer().citations.into_iter().map(Proof::Passage).collect(),
                support: 1.0,
            }));
            tokio::task::yield_now().await;
            on_step(Step::Restart);
        }
        let known = asked.question.as_str().contains("refund");
        Ok(QuestionAnswer {
            question_id: asked.id,
            question: asked.question,
            reply: match known {
                true => Reply::Answer(answer()),
                false => Reply::None { why: Unanswered::NothingFound },
            },
            struck: Vec::new(),
            nearest: vec![("billing/refunds".into(), "Refunds".into(), "When".into())],
            latency_ms: 7,
        })
    }
}

/// Two articles at their third revision, of which answers tell.
fn seed() -> Vec<NewRevision> {
    let revision = |id: &str, based_on: u32| NewRevision {
        article: id.into(),
        based_on,
        action: ArticleAction::Import,
        author: "import".into(),
        by: "import".into(),
        approver: None,
        time: Timestamp::now(),
        comment: None,
        content: Arc::new(ArticleContent {
            title: Redacted::vouched("Refunds"),
            body: Redacted::vouched("# Refunds\n\nWithin five days."),
            review_by: Some(jiff::civil::date(2027, 1, 1)),
            ..conformance::content("Refunds")
        }),
        provenance: Arc::default(),
    };
    let ids = ["billing/late-fees", "billing/refunds"];
    ids.iter().flat_map(|id| (0..3).map(|based_on| revision(id, based_on))).collect()
}

/// Finds what is in force, by its words; without vectors, as long as they are not there.
struct Found(Library);

#[async_trait]
impl ArticleSource for Found {
    async fn search(
        &self,
        tenant: &TenantId,
        question: Question,
    ) -> Result<FoundArticles, Failure> {
        if tenant.as_str() != "demo" {
            return Ok(FoundArticles::default());
        }
        if question.mode == SearchMode::Dense {
            let message = "the vectors are not there yet; search with mode=bm25".to_owned();
            return Err(Failure { kind: ErrorKind::Unavailable, message });
        }
        let mut request = SearchRequest::new(question.query);
        (request.limit, request.filter) = (question.limit, question.filter);
        let found = self.0.search(&request).map_err(|error| Failure::of(&error))?;
        let hit = |hit: &SearchHit| ArticleHit {
            article_id: hit.article.id.to_string(),
            passage_id: hit.passage().id.to_string(),
            title: hit.article.title.clone(),
            heading: hit.passage().heading.clone(),
            text: hit.passage().text.clone(),
            score: hit.score,
            why: hit.why.clone(),
            sentence: None,
        };
        let items = found.hits.iter().map(hit).collect();
        Ok(FoundArticles { items, degraded: found.degraded, search_id: None })
    }
}

impl SystemSource for Fake {
    fn ready(&self) -> Result<(), String> {
        Ok(())
    }

    fn degraded(&self) -> Vec<SystemNotice> {
        vec![notice()]
    }

    fn models(&self) -> Models {
        Models { finals: Some("whisper-base".into()), ..Models::default() }
    }
}

pub fn notice() -> SystemNotice {
    SystemNotice {
        what: "knowledge_vectors".into(),
        detail: "searching by keywords only".into(),
        since: Timestamp::UNIX_EPOCH,
    }
}

pub fn answer() -> Answer {
    Answer {
        title: "Refunds".into(),
        heading: "When".into(),
        text: "Within five days.".into(),
        citations: vec![Citation {
            article_id: "billing/refunds".into(),
            passage_id: "billing/refunds#1".into(),
            revision: 3,
            start_chars: 0,
            end_chars: 17,
            quote: "Within five days.".into(),
        }],
        score: 0.83,
        why: vec!["terms: refund".into()],
        generator: Generator::Extractive,
        valid_from: Some(jiff::civil::date(2026, 1, 1)),
        is_verbatim: false,
    }
}

pub fn party() -> Party {
    Party { id: "p-1".into(), role: Role::Customer, name: None }
}

pub fn started() -> EventBody {
    EventBody::ConversationStarted(ConversationStarted {
        channel: Channel::Voice,
        direction: Direction::Inbound,
        external_id: Some("CA1".into()),
        parties: vec![party()],
        attributes: [("call_sid".to_owned(), "CA1".to_owned())].into(),
    })
}

pub fn ended() -> EventBody {
    let reason = EndReason::Hangup;
    EventBody::ConversationEnded(ConversationEnded { reason, duration_ms: 9_000 })
}

pub fn turn(id: &str) -> EventBody {
    turn_saying(id, "My number is [digits-1].")
}

pub fn turn_saying(id: &str, text: &str) -> EventBody {
    EventBody::TurnFinal(Turn {
        id: id.into(),
        party: party(),
        start_ms: 1_200,
        end_ms: 3_400,
        text: Redacted::vouched(text),
        words: vec![Word {
            text: Redacted::vouched("My"),
            start_ms: 1_200,
            end_ms: 1_300,
            confidence: 0.97,
        }],
        mean_logprob: Some(-0.21),
        display_text: None,
        language: "en".into(),
    })
}

pub fn card(id: &str) -> EventBody {
    EventBody::SuggestionOffered(Card {
        id: id.into(),
        kind: CardKind::Answer,
        answer: answer(),
        trigger_turn: "t-1".into(),
        question: None,
        latency_ms: 31,
    })
}

/// A customer's question that got no card.
pub fn abstained(turn: &str, question: &str) -> EventBody {
    EventBody::SuggestionAbstained(Box::new(Abstained {
        question: TurnQuestion {
            turn: turn.into(),
            text: Redacted::vouched(question),
            context: None,
        },
        nearest: None,
    }))
}

/// One event of every kind that is stored.
pub fn every_kind() -> Vec<EventBody> {
    let mut events = vec![
        started(),
        EventBody::AudioStarted(AudioStarted {
            party: party(),
            codec: "mulaw".into(),
            sample_rate_hz: 8_000,
        }),
        turn("t-1"),
        EventBody::AudioGap(AudioGap {
            party: party(),
            start_ms: 4_000,
            lost_ms: 200,
            why: "the queue was full".into(),
        }),
        EventBody::AudioPaused(AudioPaused { party: party(), at_ms: 5_000 }),
        EventBody::AudioResumed(AudioResumed { party: party(), at_ms: 7_000, paused_ms: 2_000 }),
        EventBody::RedactionResolved(RedactionResolved {
            turn_id: "t-1".into(),
            placeholder: "[digits-1]".into(),
            outcome: RedactionOutcome::Released(Redacted::vouched("4711")),
        }),
        turn("t-2"),
        EventBody::RedactionResolved(RedactionResolved {
            turn_id: "t-2".into(),
            placeholder: "[digits-1]".into(),
            outcome: RedactionOutcome::Kept(RedactionKind::Card),
        }),
        card("k-1"),
        EventBody::SuggestionVerdict(Verdict {
            card_id: "k-1".into(),
            kind: VerdictKind::Edited,
            edited_text: Some(Redacted::vouched("In five days.")),
        }),
        EventBody::SuggestionVoiced(Box::new(CardVoice {
            card_id: "k-1".into(),
            spoken: Spoken {
                sentences: vec![ProvenSentence {
                    text: Redacted::vouched("You have it within five days."),
                    proofs: answer().citations.into_iter().map(Proof::Passage).collect(),
                    support: 0.9,
                }],
                struck: Vec::new(),
                authorship: Authorship {
                    provider: "lab".into(),
                    model: Some("tiny".into()),
                    prompt: None,
                    seed: None,
                },
            },
            latency_ms: 400,
        })),
        EventBody::QuestionsSuggested(vec![SuggestedQuestion {
            question: "Where is a refund sent?".into(),
            article_id: "billing/refunds".into(),
            passage_id: "billing/refunds#2".into(),
        }]),
        EventBody::SuggestionWithdrawn { card_id: "k-1".into(), why: "retired".into() },
        EventBody::QuestionAsked {
            question_id: "q-1".into(),
            question: Redacted::vouched("When is a refund paid?"),
        },
        EventBody::QuestionAnswered(QuestionAnswer {
            question_id: "q-1".into(),
            question: Redacted::vouched("When is a refund paid?"),
            reply: Reply::Answer(answer()),
            struck: vec![],
            nearest: vec![],
            latency_ms: 7,
        }),
        abstained("t-2", "How do I tell you my number?"),
        EventBody::ArticleSearched(ArticleSearch {
            id: "s-1".into(),
            query: Redacted::vouched("refund"),
            hits: 2,
        }),
        EventBody::ArticleOpened(ArticleOpened {
            search_id: "s-1".into(),
            article_id: "billing/refunds".into(),
        }),
        EventBody::AudioStopped(AudioStopped { party: party(), duration_ms: 9_000 }),
        EventBody::ArticlesImported(ArticlesImported { new: 2, changed: 1, revisions: Vec::new() }),
    ];
    events.extend(ArticleAction::ALL.map(|action| {
        EventBody::ArticleChanged(Box::new(ArticleChanged {
            article_id: "billing/refunds".into(),
            revision: 3,
            action,
            title: Redacted::vouched("Refunds"),
            by: "Ada".into(),
            comment: (action == ArticleAction::Return).then(|| Redacted::vouched("Say when.")),
            hash: Some("7ad0d2958d33fb0b5f3afb0da09572b8".into()),
        }))
    }));
    events.extend(drafts());
    events.push(EventBody::WrapUpVerdict(WrapUpVerdict {
        wrapup_id: "w-end-summary-1".into(),
        verdict: ReviewVerdict::Accepted,
        edited_text: None,
        seen: None,
    }));
    events.push(EventBody::ProposalCompared(Box::new(ProposalCompared {
        wrapup_id: "w-end-article-1".into(),
        outcome: ProposalOutcome::Covered,
        article: "billing/refunds".into(),
        revision: 3,
        coverage: 0.75,
        conflicts: 0,
    })));
    events.push(EventBody::WritingStruck(Box::new(StruckText {
        task: "follow_ups".into(),
        about: "w-end-followup-by-model".into(),
        authorship: Authorship { provider: "lab".into(), model: None, prompt: None, seed: None },
        struck: vec![StruckSentence {
            text: Redacted::vouched("Send 500 pounds."),
            fault: Fault::Number,
            why: Redacted::vouched("500 is in none of its sources"),
        }],
    })));
    events.push(EventBody::CrmContext(Box::new(CrmContext {
        connector: "crm".into(),
        searched: Some(ContactKey::Phone("+442079460123".into())),
        identity: Identity::Known(Box::new(KnownContact {
            contact: Contact { id: "7".into(), ..Contact::default() },
            cases: vec![Case { id: "9".into(), ..Case::default() }],
            ..KnownContact::default()
        })),
        latency_ms: 40,
    })));
    events.push(EventBody::CrmWrite(Box::new(CrmWrite::of(
        &outbox::conformance::note("crm", "7", "00ff"),
        &Progress::new(Timestamp::UNIX_EPOCH),
    ))));
    events.extend(super::samples::insights());
    events.extend(super::samples::routes());
    events.push(ended());
    events
}
