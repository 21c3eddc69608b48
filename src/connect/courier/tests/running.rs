//! The courier as it runs, by a clock that passes as fast as nothing happens.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::{Handle, Runtime};
use tokio::task::JoinHandle;

use super::*;
use crate::domain::{ConversationId, DeliveryMove, Recorded};
use crate::store::Page;
use crate::store::outbox::conformance::{at, conversation, note, post};

/// A store on a runtime of its own, whose clock is the machine's; the test's stands still while one works.
struct Apart {
    store: Arc<SqliteStore>,
    on: Handle,
    is_full: AtomicBool,
}

impl Apart {
    async fn there<T: Send + 'static>(
        &self,
        what: impl AsyncFnOnce(&SqliteStore) -> T + Send + 'static,
    ) -> T {
        let (store, on) = (self.store.clone(), self.on.clone());
        let work = tokio::task::spawn_blocking(move || on.block_on(what(&store)));
        work.await.expect("no panic")
    }
}

#[async_trait]
impl Outbox for Apart {
    async fn post(
        &self,
        _: &TenantId,
        _: &ConversationId,
        _: Vec<crate::domain::NewEvent>,
        _: Vec<NewDelivery>,
    ) -> Result<Vec<Arc<Recorded>>, StoreError> {
        unreachable!("a courier posts nothing")
    }

    async fn advance(
        &self,
        step: DeliveryMove,
        events: Vec<crate::domain::NewEvent>,
    ) -> Result<Vec<Arc<Recorded>>, StoreError> {
        if self.is_full.load(Ordering::SeqCst) {
            return Err(StoreError::Full);
        }
        self.there(async move |store| store.advance(step, events).await).await
    }

    async fn due(
        &self,
        destination: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let name = destination.to_owned();
        self.there(async move |store| store.due(&name, now, limit).await).await
    }

    async fn next_due(&self, destination: &str) -> Result<Option<Timestamp>, StoreError> {
        let name = destination.to_owned();
        self.there(async move |store| store.next_due(&name).await).await
    }

    async fn in_state(
        &self,
        destination: &str,
        state: DeliveryState,
        after: u64,
    ) -> Result<Vec<Delivery>, StoreError> {
        let name = destination.to_owned();
        self.there(async move |store| store.in_state(&name, state, after).await).await
    }

    async fn deliveries(&self, query: &DeliveryQuery) -> Result<Page<Delivery>, StoreError> {
        let query = query.clone();
        self.there(async move |store| store.deliveries(&query).await).await
    }

    async fn delivery(&self, _: &TenantId, _: u64) -> Result<Option<Delivery>, StoreError> {
        unreachable!("a courier knows what it carries")
    }

    async fn delivery_by_key(
        &self,
        tenant: &TenantId,
        destination: &str,
        key: &DedupeKey,
    ) -> Result<Option<Delivery>, StoreError> {
        let (tenant, name, key) = (tenant.clone(), destination.to_owned(), key.clone());
        self.there(async move |store| store.delivery_by_key(&tenant, &name, &key).await).await
    }

    async fn tally(
        &self,
        tenant: &TenantId,
    ) -> Result<Vec<(String, DeliveryState, u64)>, StoreError> {
        let tenant = tenant.clone();
        self.there(async move |store| store.tally(&tenant).await).await
    }
}

/// Makes each effect after a while, whether somebody still waits for the answer or not.
struct Slow {
    start: Instant,
    patience: Duration,
    /// By lane, in seconds.
    takes: fn(&str) -> u64,
    made: Arc<Mutex<Vec<(String, u64)>>>,
}

#[async_trait]
impl Destination for Slow {
    fn name(&self) -> &str {
        "slow"
    }

    async fn deliver(&self, effect: &Effect, key: &DedupeKey) -> Result<RemoteId, DeliveryError> {
        let takes = Duration::from_secs((self.takes)(effect.contact_id().unwrap_or_default()));
        let (made, start, key) = (self.made.clone(), self.start, key.as_str().to_owned());
        let made_id = RemoteId(format!("made-{key}"));
        let working = tokio::spawn(async move {
            tokio::time::sleep(takes).await;
            made.lock().expect("no panic").push((key, start.elapsed().as_secs()));
        });
        match tokio::time::timeout(self.patience, working).await {
            Ok(_) => Ok(made_id),
            Err(_) => Err(DeliveryError::Unclear("no answer in 5 s".to_owned())),
        }
    }

    async fn delivered(
        &self,
        _: &Effect,
        key: &DedupeKey,
    ) -> Result<Option<RemoteId>, DeliveryError> {
        let made = self.made();
        let found = made.iter().any(|(made, _)| made == key.as_str());
        Ok(found.then(|| RemoteId(format!("made-{}", key.as_str()))))
    }
}

impl Slow {
    fn new(patience_s: u64, takes: fn(&str) -> u64) -> Arc<Self> {
        let (start, patience) = (Instant::now(), Duration::from_secs(patience_s));
        Arc::new(Self { start, patience, takes, made: Arc::default() })
    }

    /// Key, and seconds since the start.
    fn made(&self) -> Vec<(String, u64)> {
        self.made.lock().expect("no panic").clone()
    }
}

struct House {
    _folder: tempfile::TempDir,
    runtime: Option<Runtime>,
    outbox: Arc<Apart>,
    tenant: TenantId,
    start: Instant,
}

impl House {
    async fn open(notes: Vec<NewDelivery>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let (on, path) = (runtime.handle().clone(), folder.path().to_owned());
        let opening = on.clone();
        let tenant = TenantId::from("t");
        let of = tenant.clone();
        let opened = tokio::task::spawn_blocking(move || {
            opening.block_on(async {
                let store = SqliteStore::open(&path, Arc::new(|_| ())).await.expect("opens");
                let id = conversation(&store, &of).await;
                for some in notes.chunks(100) {
                    post(&store, &of, &id, some.to_vec()).await;
                }
                Arc::new(store)
            })
        });
        let store = opened.await.expect("no panic");
        let outbox = Arc::new(Apart { store, on, is_full: AtomicBool::new(false) });
        let start = Instant::now();
        Self { _folder: folder, runtime: Some(runtime), outbox, tenant, start }
    }

    fn run(&self, to: Arc<dyn Destination>) -> (CancellationToken, Arc<Courier>, JoinHandle<()>) {
        let (start, outbox): (Instant, Arc<dyn Outbox>) = (self.start, self.outbox.clone());
        let courier = Courier::new(outbox, to, CourierSettings::default())
            .with_clock(Arc::new(move || later(at(0), start.elapsed())));
        let (courier, stop) = (Arc::new(courier), CancellationToken::new());
        let running = tokio::spawn(courier.clone().run(stop.clone()));
        (stop, courier, running)
    }

    async fn is_done(&self) -> bool {
        let tally = self.outbox.tally(&self.tenant).await.expect("reads");
        tally.iter().all(|(_, state, _)| *state == DeliveryState::Done)
    }

    /// Seconds until all is done.
    async fn done(&self, to: Arc<dyn Destination>, most_s: u64) -> u64 {
        let (stop, _, running) = self.run(to);
        while !self.is_done().await {
            let elapsed = self.start.elapsed().as_secs();
            assert!(elapsed <= most_s, "after {elapsed} s");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        stop.cancel();
        running.await.expect("no panic");
        self.start.elapsed().as_secs()
    }

    async fn only(&self) -> Delivery {
        let all = self.outbox.deliveries(&DeliveryQuery::all(self.tenant.clone())).await;
        let mut all = all.expect("reads").items;
        assert_eq!(all.len(), 1);
        all.remove(0)
    }
}

impl Drop for House {
    fn drop(&mut self) {
        // A runtime can't be waited for inside of another.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn notes(lanes: &[&str], each: usize) -> Vec<NewDelivery> {
    let one = |number: usize, lane: &&str| note("slow", lane, &format!("{lane}-{number}"));
    (0..each).flat_map(|number| lanes.iter().map(move |lane| one(number, lane))).collect()
}

fn keys(made: &[(String, u64)]) -> Vec<String> {
    let mut keys: Vec<String> = made.iter().map(|(key, _)| key.clone()).collect();
    keys.sort_unstable();
    keys
}

#[tokio::test(start_paused = true)]
async fn what_is_committed_after_the_time_out_is_made_once() {
    let house = House::open(notes(&["ada", "bob", "eve"], 2)).await;
    let slow = Slow::new(5, |_| 8);
    house.done(slow.clone(), 300).await;
    assert_eq!(keys(&slow.made()), ["ada-0", "ada-1", "bob-0", "bob-1", "eve-0", "eve-1"]);
}

#[tokio::test(start_paused = true)]
async fn what_a_kill_cut_off_half_a_second_after_it_was_sent_is_made_once() {
    let house = House::open(notes(&["ada"], 1)).await;
    let slow = Slow::new(5, |_| 8);
    let (_, _, killed) = house.run(slow.clone());
    tokio::time::sleep(Duration::from_millis(500)).await;
    killed.abort();
    assert!(killed.await.is_err());
    assert_eq!(house.only().await.progress.state, DeliveryState::Sending);
    house.done(slow.clone(), 300).await;
    assert_eq!(keys(&slow.made()), ["ada-0"]);
}

#[tokio::test(start_paused = true)]
async fn one_slow_request_holds_up_no_other_contact() {
    let mut all = notes(&["slow"], 1);
    all.extend(notes(&["ada", "bob"], 5));
    let house = House::open(all).await;
    let slow = Slow::new(700, |lane| if lane == "slow" { 600 } else { 1 });
    house.done(slow.clone(), 700).await;
    let made = slow.made();
    let others = made.iter().filter(|(key, _)| key != "slow-0");
    assert!(others.clone().all(|(_, at)| *at <= 20), "{made:?}");
    assert_eq!(others.count(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_leaves_nothing_between_the_states() {
    let house = House::open(notes(&["ada", "bob"], 2)).await;
    let slow = Slow::new(10, |lane| if lane == "ada" { 1 } else { 4 });
    let (stop, _, running) = house.run(slow.clone());
    tokio::time::sleep(Duration::from_millis(500)).await;
    house.outbox.is_full.store(true, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(9)).await;
    house.outbox.is_full.store(false, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert!(house.is_done().await, "without a restart");
    stop.cancel();
    running.await.expect("no panic");
    assert_eq!(keys(&slow.made()), ["ada-0", "ada-1", "bob-0", "bob-1"], "each once");
}

/// An hour's outage, 10,000 writes of 500 contacts, and one answer in twenty lost after the commit.
#[tokio::test(start_paused = true)]
async fn after_an_outage_each_write_is_made_once_and_in_order() {
    const WRITES: usize = 10_000;
    const OUTAGE_S: u64 = 3_600;
    let seed = rand::rng().random();
    println!("seed {seed}, {WRITES} writes");
    let all = (0..WRITES).map(|number| {
        let lane = format!("contact-{}", number % (WRITES / 20));
        note("shaky", &lane, &format!("k{number:06}"))
    });
    let house = House::open(all.collect()).await;
    let shaky = Shaky::new(seed, later(at(0), Duration::from_secs(OUTAGE_S)), 20);
    shaky.shape().ticks_from = Some(house.start);
    // 8 at once, 200 ms each, and a minute for each lost answer of a contact.
    let drained = house.done(shaky.clone(), OUTAGE_S + 600).await - OUTAGE_S;
    let shape = shaky.shape();
    println!(
        "drained {drained} s after the outage, {} requests, {} look-ups",
        shape.requests, shape.lookups
    );
    let mut newest: HashMap<&str, &str> = HashMap::new();
    for (key, lane) in &shape.made {
        let before = newest.insert(lane, key);
        assert!(before.is_none_or(|before| before < key.as_str()), "{before:?} before {key}");
    }
    let mut keys: Vec<&str> = shape.made.iter().map(|(key, _)| key.as_str()).collect();
    keys.sort_unstable();
    let expected: Vec<String> = (0..WRITES).map(|number| format!("k{number:06}")).collect();
    assert_eq!(keys, expected, "each once");
    assert!(shape.lookups > 0, "no answer was lost: the test tests nothing");
}
