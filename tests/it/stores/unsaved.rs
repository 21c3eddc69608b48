//! The database goes away in the middle of a conversation: its transcript goes on, marked, and is whole afterwards.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use backchannel::bus::{Bus, Heard, MemoryBus, Signal, Subscription};
use backchannel::domain::{Channel, Direction, Recorded, Role, TenantId};
use backchannel::flow::driver::texts::{
    NewTurn, Outgoing, Speaker, TextOpening, TextSettings, Texts,
};
use backchannel::flow::driver::{CallSettings, Calls};
use backchannel::knowledge::{Library, LibrarySettings, Source};
use backchannel::models::SpeechPool;
use backchannel::store::codec::{TURN_FINAL, TURN_UNSAVED};
use backchannel::store::{Outbox, Place, ReadQuery, Store};

use super::cluster::Cluster;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transcript_goes_on_without_its_database_and_is_whole_afterwards() {
    let cluster = Arc::new(tokio::task::spawn_blocking(Cluster::start).await.expect("a server"));
    let folder = tempfile::tempdir().expect("a folder");
    let place = Place::parse(&cluster.database().await, folder.path()).expect("an address");
    let bus: Arc<dyn Bus> = Arc::new(MemoryBus::new(256));
    let to_bus = Arc::clone(&bus);
    let hook = Arc::new(move |events: &[Arc<Recorded>]| {
        events.iter().for_each(|event| to_bus.publish(Signal::Event(Arc::clone(event))));
    });
    let log = Arc::new(place.open(hook).await.expect("it opens"));
    let store: Arc<dyn Store> = log.clone();
    let outbox: Arc<dyn Outbox> = log.clone();
    let nothing = LibrarySettings::new(Source::Folder(PathBuf::new()));
    let calls = Calls::new(
        CallSettings::default(),
        store,
        Arc::clone(&bus),
        Arc::new(SpeechPool::start(Vec::new()).expect("no threads")),
        Library::of_with(Vec::new(), &nothing).expect("no articles"),
    );
    let outgoing = Outgoing { outbox, on_posted: Arc::new(|_: &str| ()) };
    let texts = Texts::new(&calls, outgoing, TextSettings::default());
    let tenant = TenantId::from("demo");
    let (id, _) = texts.open(opening(&tenant)).await.expect("it begins");
    texts.turn(&tenant, &id, says("m-1", "Hello.")).await.expect("stored");

    let mut heard = bus.subscribe();
    let cut = Arc::clone(&cluster);
    tokio::task::spawn_blocking(move || cut.cut()).await.expect("stopped");
    let writes = |name: &'static str, text: &'static str| {
        let (texts, tenant, id) = (texts.clone(), tenant.clone(), id.clone());
        tokio::spawn(async move { texts.turn(&tenant, &id, says(name, text)).await })
    };
    let second = writes("m-2", "My parcel is lost.");
    shown(&mut *heard, TURN_UNSAVED, "My parcel is lost.").await;
    // What comes while the first one is still tried is shown as well.
    let third = writes("m-3", "It was sent on Monday.");
    shown(&mut *heard, TURN_UNSAVED, "It was sent on Monday.").await;
    assert!(log.trouble().is_some() && !second.is_finished() && !third.is_finished());

    let begun = Arc::clone(&cluster);
    tokio::task::spawn_blocking(move || begun.begin()).await.expect("it runs");
    shown(&mut *heard, TURN_FINAL, "My parcel is lost.").await;
    shown(&mut *heard, TURN_FINAL, "It was sent on Monday.").await;
    second.await.expect("no panic").expect("stored after all");
    third.await.expect("no panic").expect("stored after all");
    assert!(log.trouble().is_none());
    let events = log.read(&ReadQuery::all(tenant, 0).of(id)).await.expect("reads");
    let turns = events.iter().filter(|event| &*event.kind == TURN_FINAL).count();
    assert_eq!(turns, 3);
    assert!(calls.drain(Duration::from_secs(20)).await);
    log.close().await;
}

/// Waits until a turn of this kind is streamed.
async fn shown(heard: &mut dyn Subscription, kind: &str, text: &str) {
    let wait = async {
        loop {
            let (found, data) = match heard.next().await {
                Heard::Signal(Signal::Event(event)) => (event.kind.to_string(), event.data.clone()),
                Heard::Signal(Signal::Partial(one)) => (one.kind.to_owned(), one.data.clone()),
                other => panic!("{other:?}"),
            };
            if found == kind && data.contains(text) {
                return;
            }
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), wait).await;
    waited.unwrap_or_else(|_| panic!("{kind} {text:?} within a minute"));
}

fn opening(tenant: &TenantId) -> TextOpening {
    TextOpening {
        tenant: tenant.clone(),
        id: None,
        channel: Channel::Chat,
        direction: Direction::Inbound,
        external_id: None,
        parties: vec![(Role::Customer, None)],
        attributes: BTreeMap::new(),
        route: None,
        language: "en".into(),
    }
}

fn says(name: &str, text: &str) -> NewTurn {
    NewTurn {
        client_id: Some(name.into()),
        speaker: Speaker::Role(Role::Customer, None),
        text: text.into(),
        at: None,
        sends: false,
    }
}
