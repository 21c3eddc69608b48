//! The database fails at every place around a commit, also behind it, when the events stand and nobody was told: whoever
//! sends the same again finds each once, and the log goes on by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use backchannel::domain::{NewEvent, TenantId};
use backchannel::store::{EventLog, Failpoint, Failpoints, Place, Store as _};
use jiff::Timestamp;
use rand::Rng as _;

use super::appends::{Append, NOTHING, compare};
use super::cluster;
use crate::seed;
use crate::serve::harness::started;

const CONVERSATIONS: usize = 10;
/// Turns of each in the short form; `BACKCHANNEL_FAULTY_TURNS=2000` is a long one.
const TURNS: u32 = 30;
/// One passage of a place in so many fails.
const FAULTS: u32 = 8;
/// Nobody is refused so often in a row by chance.
const TRIES: u32 = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_fails_holds_each_once() {
    let folder = tempfile::tempdir().expect("a folder");
    each_stands_once("sqlite:", folder.path()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_fails_holds_each_once() {
    let folder = tempfile::tempdir().expect("a folder");
    each_stands_once(&cluster::database().await, folder.path()).await;
}

async fn each_stands_once(url: &str, folder: &Path) {
    let turns = seed::count("BACKCHANNEL_FAULTY_TURNS", TURNS);
    let random = Mutex::new(seed::random());
    let is_ill = Arc::new(AtomicBool::new(false));
    let failed: Arc<Mutex<BTreeMap<&str, usize>>> = Arc::default();
    let visits: Mutex<BTreeMap<&str, u32>> = Mutex::default();
    let failpoints: Failpoints = {
        let (is_ill, failed) = (is_ill.clone(), failed.clone());
        Arc::new(move |at: Failpoint| {
            if !is_ill.load(Ordering::SeqCst) {
                return Ok(());
            }
            let mut visits = visits.lock().expect("no panic");
            let visit = visits.entry(at.as_str()).or_default();
            *visit += 1;
            // By chance, and once at each place.
            let is_due = *visit == FAULTS / 2;
            if !is_due && random.lock().expect("no panic").random_range(0..FAULTS) > 0 {
                return Ok(());
            }
            *failed.lock().expect("no panic").entry(at.as_str()).or_default() += 1;
            Err(io::Error::other("a fault that was ordered"))
        })
    };
    let place = Place::parse(url, folder).expect("an address");
    let log = place.open_failing(failpoints, Arc::new(|_: &[_]| ())).await.expect("it opens");
    let log = Arc::new(log);
    is_ill.store(true, Ordering::SeqCst);
    let calls = (0..CONVERSATIONS).map(|number| {
        let log = log.clone();
        tokio::spawn(async move {
            let conversation = format!("c-{number}");
            begin(&log, &conversation).await;
            let mut mine = Vec::new();
            for turn in 0..turns {
                let name = format!("{conversation}-{turn}");
                let append = Append { conversation: conversation.clone(), name };
                let mut tries = 0;
                while let Err(error) = append.post(&log).await {
                    tries += 1;
                    assert!(tries < TRIES, "{error}");
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                mine.push(append);
            }
            mine
        })
    });
    let mut acknowledged = BTreeSet::new();
    for call in calls.collect::<Vec<_>>() {
        acknowledged.extend(call.await.expect("no panic"));
    }
    is_ill.store(false, Ordering::SeqCst);
    begin(&log, "after").await;
    assert!(log.trouble().is_none(), "it is well again");
    let failed = failed.lock().expect("no panic").clone();
    println!("{} appends, faults at {failed:?}", acknowledged.len());
    for place in [Failpoint::Begin, Failpoint::Insert, Failpoint::Commit, Failpoint::Committed] {
        assert!(failed.contains_key(place.as_str()), "nothing failed at {}", place.as_str());
    }
    assert_eq!(acknowledged.len(), CONVERSATIONS * turns as usize);
    let report = log.audit(None, |_| ()).await.expect("reads");
    assert_eq!(report.faults, [], "the chain holds");
    assert_eq!(compare(&log, &acknowledged).await, NOTHING);
    log.close().await;
}

/// The same event each time, as from whoever has to start a conversation and isn't answered.
async fn begin(log: &EventLog, conversation: &str) {
    let event = NewEvent::at(Timestamp::now(), started());
    let mut tries = 0;
    while let Err(error) =
        log.append(&TenantId::from("demo"), &conversation.into(), vec![event.clone()]).await
    {
        tries += 1;
        assert!(tries < TRIES, "{error}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
