//! kill -9 while notes are on their way to a real CRM: each arrives, and none twice.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use backchannel::connect::courier::{Courier, CourierSettings};
use backchannel::connect::crm::conformance::{Look, Person};
use backchannel::connect::crm::{Access, Crm, bottlecrm, rt};
use backchannel::connect::destination::Destination;
use backchannel::domain::{
    CaseRef, ConversationId, CrmWrite, DedupeKey, Effect, EventBody, NewDelivery, NewEvent,
    NewNote, Progress, Redacted, TenantId,
};
use backchannel::store::outbox::conformance::conversation;
use backchannel::store::{Outbox, SqliteStore, Store};
use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use secrecy::SecretString;

use super::peers::{BottleCrm, RequestTracker};

const CHILD: &str = "BACKCHANNEL_TEST_COURIER";
/// Kills of the short form; `BACKCHANNEL_KILLS=50` is the long one.
const KILLS: u32 = 4;
const CONTACTS: usize = 6;
/// A courier gets through more than that between two kills only if the machine is very fast.
const NOTES_PER_KILL: usize = 24;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bottlecrm_gets_each_note_once() {
    let peer = BottleCrm::shared();
    let url = peer.url().to_string();
    each_note_arrives_once(peer, "bottlecrm", &url, &peer.token).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn request_tracker_gets_each_note_once() {
    let peer = RequestTracker::shared();
    let url = peer.url().to_string();
    each_note_arrives_once(peer, "rt", &url, &peer.token).await;
}

async fn each_note_arrives_once(peer: &dyn Look, system: &str, url: &str, token: &str) {
    let kills = std::env::var("BACKCHANNEL_KILLS").ok();
    let kills: u32 = kills.map_or(KILLS, |text| text.parse().expect("a number of kills"));
    let seed: u64 = rand::rng().random();
    println!("{system}: seed {seed}, {kills} kills");
    let mut random = StdRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().expect("a folder");
    let keys = fill(peer, folder.path(), kills as usize * NOTES_PER_KILL).await;
    let mut cut_off = 0;
    for _ in 0..kills {
        let mut child = courier(folder.path(), system, url, token);
        tokio::time::sleep(Duration::from_millis(random.random_range(150..700))).await;
        match child.try_wait().expect("it can be asked") {
            Some(_) => break,
            None => cut_off += 1,
        }
        child.kill().expect("killed");
        child.wait().expect("dead");
    }
    let last = courier(folder.path(), system, url, token).wait().expect("it ends");
    assert!(last.success(), "the courier that nobody killed ended with {last}");
    println!("{system}: {} notes, {cut_off} couriers killed", keys.len());
    assert!(cut_off > 0, "no courier was killed in time: nothing was tested");
    let (mut missing, mut repeated) = (0, 0);
    for key in &keys {
        match peer.records("add_note", key.as_str()).await.len() {
            0 => missing += 1,
            1 => {}
            _ => repeated += 1,
        }
    }
    assert_eq!((missing, repeated), (0, 0), "of {} notes", keys.len());
}

/// Notes to cases of several contacts, all of them waiting.
async fn fill(peer: &dyn Look, folder: &std::path::Path, notes: usize) -> Vec<DedupeKey> {
    let store = SqliteStore::open(folder, Arc::new(|_| ())).await.expect("it opens");
    let tenant = TenantId::from("demo");
    let id = conversation(&store, &tenant).await;
    let mut contacts = Vec::new();
    for number in 0..CONTACTS {
        let unique: u32 = rand::rng().random_range(1_000_000..9_999_999);
        let person = Person {
            name: format!("Killed {unique}"),
            phone: Some(format!("+1555{unique}")),
            email: Some(format!("killed-{unique}@example.test")),
        };
        let contact = peer.add_contact(&person).await;
        let case = peer.add_case(&contact, &format!("Case {number}")).await;
        contacts.push((contact, case));
    }
    let now = Timestamp::now();
    let mut keys = Vec::new();
    for number in 0..notes {
        let (contact, case) = &contacts[number % CONTACTS];
        let key = DedupeKey::of(&[id.as_str(), &number.to_string()]);
        let new = NewDelivery {
            destination: "crm".into(),
            key: key.clone(),
            lane: contact.clone(),
            effect: Effect::AddNote(NewNote {
                contact_id: contact.clone(),
                case: Some(CaseRef::Id(case.clone())),
                subject: Redacted::vouched("A call"),
                body: Redacted::vouched(format!("Note {number}.")),
            }),
            from: None,
            by: None,
            created_at: now,
        };
        post(&store, &tenant, &id, new).await;
        keys.push(key);
    }
    store.close().await;
    keys
}

async fn post(store: &SqliteStore, tenant: &TenantId, id: &ConversationId, new: NewDelivery) {
    let write = CrmWrite::of(&new, &Progress::new(new.created_at));
    let told = NewEvent::at(new.created_at, EventBody::CrmWrite(Box::new(write)));
    store.post(tenant, id, vec![told], vec![new]).await.expect("posted");
}

fn courier(folder: &std::path::Path, system: &str, url: &str, token: &str) -> std::process::Child {
    Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", "crm::killed::the_child", "--nocapture"])
        .env(CHILD, folder)
        .env("BACKCHANNEL_TEST_SYSTEM", format!("{system} {url} {token}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a child")
}

/// The courier that is killed; without its variable this is no test.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_child() {
    let Some(folder) = std::env::var_os(CHILD) else { return };
    let system = std::env::var("BACKCHANNEL_TEST_SYSTEM").expect("told");
    let words: Vec<&str> = system.split(' ').collect();
    let access = Access {
        name: "crm".to_owned(),
        url: words[1].parse().expect("an address"),
        patience: Duration::from_secs(20),
        region: "US".to_owned(),
    };
    let token = SecretString::from(words[2]);
    let crm: Arc<dyn Crm> = match words[0] {
        "bottlecrm" => {
            let settings = bottlecrm::Settings::new(access, token);
            Arc::new(bottlecrm::BottleCrm::new(settings).expect("settings"))
        }
        _ => Arc::new(rt::RequestTracker::new(rt::Settings::new(access, token)).expect("settings")),
    };
    let store = SqliteStore::open(folder.as_ref(), Arc::new(|_| ())).await.expect("it opens");
    let store = Arc::new(store);
    let outbox: Arc<dyn Outbox> = store.clone();
    let to: Arc<dyn Destination> = crm;
    // Both systems are on this machine, and done with a request within a second.
    let settings = CourierSettings { settle: Duration::from_secs(1), ..CourierSettings::default() };
    let courier = Courier::new(outbox, to, settings);
    courier.recover(Timestamp::now()).await.expect("recovers");
    while let Some(next) = courier.round(Timestamp::now()).await.expect("a round").next_at {
        let pause = Duration::try_from(next.duration_since(Timestamp::now()));
        tokio::time::sleep(pause.unwrap_or_default()).await;
    }
    store.close().await;
}
