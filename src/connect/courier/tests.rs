mod running;

use std::collections::HashMap;

use async_trait::async_trait;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::time::Instant;

use super::*;
use crate::connect::destination::{DeliveryError, RemoteId};
use crate::domain::{
    CaseRef, DedupeKey, Delivery, Effect, NewCase, NewDelivery, Redacted, TenantId,
};
use crate::store::outbox::conformance::{at, conversation, note, post};
use crate::store::{DeliveryQuery, ReadQuery, SqliteStore, Store};

/// A system that is down for a while, and whose answers get lost.
struct Shaky(Mutex<Shape>);

struct Shape {
    random: StdRng,
    now: Timestamp,
    /// Time passes by itself since then, and requests take some.
    ticks_from: Option<Instant>,
    up_from: Timestamp,
    /// One answer of so many is lost after the commit.
    loses_one_in: u32,
    /// What was made: key, lane, in the order of making.
    made: Vec<(String, String)>,
    /// Of one key, more than once.
    lookups: usize,
    requests: usize,
    refuses: HashMap<String, DeliveryError>,
    /// What it says to whoever looks for what was made.
    hides: Option<DeliveryError>,
}

impl Shaky {
    fn new(seed: u64, up_from: Timestamp, loses_one_in: u32) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Shape {
            random: StdRng::seed_from_u64(seed),
            now: at(0),
            ticks_from: None,
            up_from,
            loses_one_in,
            made: Vec::new(),
            lookups: 0,
            requests: 0,
            refuses: HashMap::new(),
            hides: None,
        })))
    }

    async fn take_time(&self) {
        if self.shape().ticks_from.is_some() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    fn shape(&self) -> std::sync::MutexGuard<'_, Shape> {
        self.0.lock().expect("no panic")
    }
}

impl Shape {
    fn now(&self) -> Timestamp {
        self.ticks_from.map_or(self.now, |start| later(at(0), start.elapsed()))
    }

    fn reached(&mut self) -> Result<(), DeliveryError> {
        self.requests += 1;
        match self.now() < self.up_from {
            // Half of an outage is refused connections, half is silence.
            true if self.random.random() => Err(DeliveryError::Unclear("no answer".into())),
            true => Err(DeliveryError::Unreachable("connection refused".into())),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Destination for Shaky {
    fn name(&self) -> &str {
        "shaky"
    }

    async fn deliver(&self, effect: &Effect, key: &DedupeKey) -> Result<RemoteId, DeliveryError> {
        self.take_time().await;
        let mut shape = self.shape();
        shape.reached()?;
        if let Some(refused) = shape.refuses.get(key.as_str()) {
            return Err(refused.clone());
        }
        let lane = effect.contact_id().unwrap_or_default().to_owned();
        shape.made.push((key.as_str().to_owned(), lane));
        let one_in = shape.loses_one_in;
        if one_in > 0 && shape.random.random_range(0..one_in) == 0 {
            return Err(DeliveryError::Unclear("the connection broke".into()));
        }
        Ok(RemoteId(format!("made-{}", key.as_str())))
    }

    async fn delivered(
        &self,
        _: &Effect,
        key: &DedupeKey,
    ) -> Result<Option<RemoteId>, DeliveryError> {
        self.take_time().await;
        let mut shape = self.shape();
        shape.reached()?;
        shape.lookups += 1;
        if let Some(error) = &shape.hides {
            return Err(error.clone());
        }
        let found = shape.made.iter().any(|(made, _)| made == key.as_str());
        Ok(found.then(|| RemoteId(format!("made-{}", key.as_str()))))
    }
}

struct Scene {
    _folder: tempfile::TempDir,
    store: Arc<SqliteStore>,
    shaky: Arc<Shaky>,
    courier: Arc<Courier>,
    tenant: TenantId,
}

async fn scene(shaky: Arc<Shaky>) -> Scene {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::open(folder.path(), Arc::new(|_| ())).await.expect("opens");
    let store = Arc::new(store);
    let destination: Arc<dyn Destination> = shaky.clone();
    let outbox: Arc<dyn Outbox> = store.clone();
    let tells = shaky.clone();
    let courier = Courier::new(outbox, destination, CourierSettings::default())
        .with_clock(Arc::new(move || tells.shape().now()));
    let courier = Arc::new(courier);
    Scene { _folder: folder, store, shaky, courier, tenant: "t".into() }
}

impl Scene {
    /// Rounds in virtual time, each of which takes 200 ms, until nothing waits.
    async fn drain(&self) -> Timestamp {
        const ROUND: Duration = Duration::from_millis(200);
        loop {
            let now = self.shaky.shape().now;
            let round = self.courier.round(now).await.expect("a round");
            let Some(next) = round.next_at else { return now };
            self.shaky.shape().now = next.max(later(now, ROUND));
        }
    }

    fn pass(&self, seconds: u64) -> Timestamp {
        let mut shape = self.shaky.shape();
        shape.now = later(shape.now, Duration::from_secs(seconds));
        shape.now
    }

    async fn only(&self) -> Delivery {
        let all = self.store.deliveries(&DeliveryQuery::all(self.tenant.clone())).await;
        let mut all = all.expect("reads").items;
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    async fn told(&self) -> Vec<String> {
        let log = self.store.read(&ReadQuery::all(self.tenant.clone(), 0)).await.expect("reads");
        let state = |data: &str| {
            let data: serde_json::Value = serde_json::from_str(data).expect("JSON");
            data["state"].as_str().expect("a state").to_owned()
        };
        log.iter().filter(|one| &*one.kind == "crm.write").map(|one| state(&one.data)).collect()
    }
}

#[tokio::test]
async fn what_a_crash_cut_off_is_looked_for_before_it_is_tried_again() {
    let scene = scene(Shaky::new(1, at(0), 0)).await;
    let id = conversation(&*scene.store, &scene.tenant).await;
    let new = note("shaky", "ada", "k1");
    post(&*scene.store, &scene.tenant, &id, vec![new.clone()]).await;
    let delivery = scene.only().await;
    let sending =
        Progress { state: DeliveryState::Sending, attempts: 1, ..delivery.progress.clone() };
    scene.courier.move_on(&delivery, sending).await.expect("moves");
    scene.shaky.deliver(&new.effect, &new.key).await.expect("made, and then the crash");

    assert_eq!(scene.courier.recover(at(1)).await.expect("recovers"), 1);
    let round = scene.courier.round(at(1)).await.expect("a round");
    assert_eq!((round.done, round.next_at), (0, Some(at(61))), "the system may still be at it");
    scene.courier.round(at(61)).await.expect("a round");
    assert_eq!(scene.only().await.progress.state, DeliveryState::Done);
    assert_eq!(scene.shaky.shape().made.len(), 1);
    assert_eq!(scene.told().await, ["waiting", "done"], "tries aren't told");
}

/// Its contact was merged into another one, which has the note by now.
#[tokio::test]
async fn what_cant_be_looked_for_after_a_lost_answer_may_have_been_done() {
    let scene = scene(Shaky::new(1, at(0), 1)).await;
    let id = conversation(&*scene.store, &scene.tenant).await;
    post(&*scene.store, &scene.tenant, &id, vec![note("shaky", "ada", "k1")]).await;
    scene.courier.round(at(0)).await.expect("a round");
    assert_eq!(scene.shaky.shape().made.len(), 1, "and the answer was lost");
    for gone in [
        DeliveryError::NotFound("status 404".into()),
        DeliveryError::Refused("status 400".into()),
        DeliveryError::Untrusted("it gave everybody's".into()),
    ] {
        scene.shaky.shape().hides = Some(gone.clone());
        let now = scene.pass(61);
        scene.courier.round(now).await.expect("a round");
        let only = scene.only().await;
        assert_eq!(only.progress.state, DeliveryState::Failed);
        let problem = only.progress.problem.clone().expect("told");
        assert!(problem.starts_with("it may have been done: "), "{problem}");
        assert!(problem.ends_with(&gone.to_string()), "{problem}");
        // A person's "again" looks first.
        let again =
            Progress { state: DeliveryState::Waiting, next_at: now, ..only.progress.clone() };
        scene.courier.move_on(&only, again).await.expect("moves");
    }
    scene.shaky.shape().hides = None;
    scene.pass(61);
    scene.drain().await;
    assert_eq!(scene.only().await.progress.state, DeliveryState::Done);
    assert_eq!(scene.shaky.shape().made.len(), 1, "it was found, and not made again");
}

#[tokio::test]
async fn a_refusal_is_a_dead_letter_and_holds_nobody_up() {
    let shaky = Shaky::new(1, at(0), 0);
    shaky.shape().refuses.insert("case".into(), DeliveryError::Refused("status 400".into()));
    let scene = scene(shaky).await;
    let id = conversation(&*scene.store, &scene.tenant).await;
    let case = NewDelivery {
        effect: Effect::CreateCase(NewCase {
            contact_id: "ada".into(),
            subject: Redacted::vouched("A fee"),
            body: Redacted::vouched("It was charged twice."),
            priority: None,
        }),
        ..note("shaky", "ada", "case")
    };
    let mut of_case = note("shaky", "ada", "of-case");
    if let Effect::AddNote(one) = &mut of_case.effect {
        one.case = Some(CaseRef::MadeBy(case.key.clone()));
    }
    let alone = note("shaky", "ada", "alone");
    post(&*scene.store, &scene.tenant, &id, vec![case.clone(), of_case.clone(), alone]).await;
    scene.drain().await;
    let tenant = &scene.tenant;
    let find = async |key: &DedupeKey| {
        let found = scene.store.delivery_by_key(tenant, "shaky", key).await.expect("reads");
        found.expect("stands").progress
    };
    let case = find(&case.key).await;
    assert_eq!(case.state, DeliveryState::Failed);
    assert_eq!(case.problem.as_deref(), Some("it refuses: status 400"));
    let of_case = find(&of_case.key).await;
    assert_eq!((of_case.state, of_case.attempts), (DeliveryState::Waiting, 0), "it waits for it");
    assert_eq!(find(&DedupeKey::stored("alone")).await.state, DeliveryState::Done);

    scene.shaky.shape().refuses.clear();
    let all = scene.store.deliveries(&DeliveryQuery::all(tenant.clone())).await.expect("reads");
    let case = all.items.last().expect("the oldest");
    let again = Progress { state: DeliveryState::Waiting, problem: None, ..case.progress.clone() };
    scene.courier.move_on(case, again).await.expect("moves");
    scene.drain().await;
    let made: Vec<String> = scene.shaky.shape().made.iter().map(|(key, _)| key.clone()).collect();
    assert_eq!(made, ["alone", "case", "of-case"]);
}

#[tokio::test]
async fn what_belongs_to_a_case_that_was_thrown_away_is_a_dead_letter() {
    let scene = scene(Shaky::new(1, at(0), 0)).await;
    let id = conversation(&*scene.store, &scene.tenant).await;
    let mut new = note("shaky", "ada", "k2");
    if let Effect::AddNote(one) = &mut new.effect {
        one.case = Some(CaseRef::MadeBy(DedupeKey::stored("never")));
    }
    post(&*scene.store, &scene.tenant, &id, vec![new]).await;
    scene.drain().await;
    let only = scene.only().await.progress;
    assert_eq!(only.state, DeliveryState::Failed);
    assert!(only.problem.expect("told").contains("case"));
}

#[tokio::test]
async fn what_isnt_allowed_holds_up_its_contact_for_a_few_tries() {
    let shaky = Shaky::new(1, at(0), 0);
    shaky.shape().refuses.insert("task".into(), DeliveryError::Forbidden("status 403".into()));
    let scene = scene(shaky).await;
    let id = conversation(&*scene.store, &scene.tenant).await;
    let all = ["task", "after"].map(|key| note("shaky", "ada", key));
    post(&*scene.store, &scene.tenant, &id, all.to_vec()).await;
    let ended = scene.drain().await;
    let tally = scene.store.tally(&scene.tenant).await.expect("reads");
    let one = |state| ("shaky".to_owned(), state, 1);
    assert_eq!(tally, [one(DeliveryState::Done), one(DeliveryState::Failed)]);
    assert!(ended < at(60), "{ended}");
    assert!(!scene.courier.is_resting());
}

#[tokio::test]
async fn a_pause_that_a_system_asks_for_is_capped_and_a_person_ends_it() {
    let shaky = Shaky::new(1, at(0), 0);
    let retry_after = Some(Duration::from_secs(24 * 3600));
    shaky.shape().refuses.insert("k1".into(), DeliveryError::Limited { retry_after });
    let scene = scene(shaky).await;
    let id = conversation(&*scene.store, &scene.tenant).await;
    post(&*scene.store, &scene.tenant, &id, vec![note("shaky", "ada", "k1")]).await;
    let round = scene.courier.round(at(0)).await.expect("a round");
    assert_eq!(round.next_at, Some(later(at(0), Progress::PAUSE_MAX)));
    assert_eq!(scene.courier.problem().as_deref(), Some("it is asked too often"));

    scene.shaky.shape().refuses.clear();
    let now = scene.pass(10);
    let only = scene.only().await;
    let next_at = scene.courier.again_at(&only.progress);
    assert_eq!(next_at, now);
    let again = Progress { next_at, problem: None, ..only.progress.clone() };
    scene.courier.move_on(&only, again).await.expect("moves");
    assert_eq!(scene.courier.round(now).await.expect("a round").done, 0, "it asked for a pause");
    scene.courier.hurry();
    assert_eq!(scene.courier.round(now).await.expect("a round").done, 1);
    assert_eq!(scene.courier.problem(), None);
}

#[tokio::test]
async fn a_clock_that_was_set_back_holds_up_nothing() {
    let scene = scene(Shaky::new(1, at(0), 0)).await;
    let id = conversation(&*scene.store, &scene.tenant).await;
    post(&*scene.store, &scene.tenant, &id, vec![note("shaky", "ada", "k1")]).await;
    let before = at(-3600);
    let waits = scene.courier.next_at(before).await.expect("reads");
    assert_eq!(waits, Some(before));
    assert_eq!(scene.courier.round(before).await.expect("a round").done, 1);
}

#[tokio::test]
async fn again_by_hand_waits_where_the_system_may_still_be_at_it() {
    let scene = scene(Shaky::new(1, at(0), 1)).await;
    let id = conversation(&*scene.store, &scene.tenant).await;
    post(&*scene.store, &scene.tenant, &id, vec![note("shaky", "ada", "k1")]).await;
    scene.courier.round(at(0)).await.expect("a round");
    let unclear = scene.only().await.progress;
    assert_eq!((unclear.unclear, scene.courier.again_at(&unclear)), (true, at(60)));
    let now = scene.pass(90);
    assert_eq!(scene.courier.again_at(&unclear), now);
}

#[tokio::test]
async fn a_note_goes_to_the_case_that_was_made_for_it() {
    let scene = scene(Shaky::new(1, at(0), 0)).await;
    let mut new = note("shaky", "ada", "k2");
    let made_by = DedupeKey::stored("k1");
    if let Effect::AddNote(one) = &mut new.effect {
        one.case = Some(CaseRef::MadeBy(made_by.clone()));
    }
    let id = conversation(&*scene.store, &scene.tenant).await;
    let first = note("shaky", "ada", "k1");
    post(&*scene.store, &scene.tenant, &id, vec![first, new]).await;
    scene.courier.round(at(0)).await.expect("a round");
    let second = scene.store.due("shaky", at(0), 1).await.expect("reads").remove(0);
    let effect = scene.courier.resolved(&second).await.expect("reads").expect("there");
    assert_eq!(effect.case(), Some(&CaseRef::Id("made-k1".into())));
}

#[tokio::test]
async fn what_never_succeeds_is_given_up_and_told() {
    let scene = scene(Shaky::new(3, Timestamp::MAX, 0)).await;
    let id = conversation(&*scene.store, &scene.tenant).await;
    let new = note("shaky", "ada", "k1");
    post(&*scene.store, &scene.tenant, &id, vec![new]).await;
    scene.courier.round(at(0)).await.expect("a round");
    let problem = scene.only().await.progress.problem.expect("told");
    assert!(problem.starts_with("it "), "{problem}");
    let now = scene.pass(3 * 24 * 3600 + 1);
    scene.courier.round(now).await.expect("a round");
    assert_eq!(scene.only().await.progress.state, DeliveryState::Failed);
    assert_eq!(scene.told().await.last().map(String::as_str), Some("failed"));
}

#[tokio::test]
async fn a_key_that_isnt_accepted_loses_nothing() {
    let shaky = Shaky::new(1, at(0), 0);
    shaky.shape().refuses.insert("k1".into(), DeliveryError::Denied("status 401".into()));
    let scene = scene(shaky).await;
    let id = conversation(&*scene.store, &scene.tenant).await;
    let new = note("shaky", "ada", "k1");
    post(&*scene.store, &scene.tenant, &id, vec![new]).await;
    scene.courier.round(at(0)).await.expect("a round");
    assert_eq!(scene.only().await.progress.state, DeliveryState::Waiting);
    let told = scene.courier.problem();
    assert_eq!(told.as_deref(), Some("the key was not accepted: status 401"));
    scene.shaky.shape().refuses.clear();
    scene.pass(3_600);
    scene.drain().await;
    assert_eq!(scene.only().await.progress.state, DeliveryState::Done);
    assert_eq!(scene.courier.problem(), None);
}
