//! kill -9 at random moments while fifty conversations are written: what was acknowledged is there, once, and its
//! effect stands in the outbox. What was not acknowledged is sent again by the next process, as callers do.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use backchannel::domain::{
    ConversationId, CrmWrite, DedupeKey, Effect, EventBody, NewDelivery, NewEvent, NewNote,
    Progress, Recorded, Redacted, TenantId,
};
use backchannel::store::{
    DeliveryQuery, EventLog, Outbox as _, Place, ReadQuery, Store as _, StoreError,
};
use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::cluster;
use crate::serve::harness::{started, turn};

const CHILD: &str = "BACKCHANNEL_TEST_KILLED_LOG";
/// Kills of the short form; `BACKCHANNEL_KILLS=200` is the long one.
const KILLS: u32 = 6;
const CONVERSATIONS: usize = 50;
const READY_MAX: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_loses_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    nothing_is_lost("sqlite", "sqlite:", folder.path()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_loses_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    nothing_is_lost("postgres", &cluster::database().await, folder.path()).await;
}

/// What a child says of one append.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Append {
    conversation: String,
    /// Of its turn, its effect and its two events.
    name: String,
}

async fn nothing_is_lost(name: &str, url: &str, folder: &Path) {
    let kills = std::env::var("BACKCHANNEL_KILLS").ok();
    let kills: u32 = kills.map_or(KILLS, |text| text.parse().expect("a number of kills"));
    let seed: u64 = rand::rng().random();
    println!("{name}: seed {seed}, {kills} kills");
    let mut random = StdRng::seed_from_u64(seed);
    let (mut acknowledged, mut pending) = (BTreeSet::new(), BTreeSet::new());
    let mut slowest = Duration::ZERO;
    for round in 0..kills {
        // Every fifth is killed while it starts.
        let at_the_start = round % 5 == 4;
        let after = match at_the_start {
            true => Duration::from_millis(random.random_range(0..60)),
            false => Duration::from_millis(random.random_range(30..500)),
        };
        let heard = run_and_kill(url, folder, round, &pending, at_the_start, after);
        slowest = slowest.max(heard.ready.unwrap_or_default());
        acknowledged.extend(heard.acknowledged.iter().cloned());
        pending.extend(heard.sent);
        pending.retain(|append| !heard.acknowledged.contains(append));
    }
    assert!(acknowledged.len() > kills as usize * 20, "{} acknowledged", acknowledged.len());

    let begun = Instant::now();
    let place = Place::parse(url, folder).expect("an address");
    let log = place.open(Arc::new(|_: &[_]| ())).await.expect("it opens");
    slowest = slowest.max(begun.elapsed());
    log.integrity().await.expect("sound");
    let report = log.audit(None, |_| ()).await.expect("reads");
    assert_eq!(report.faults, [], "the chain holds");
    let (missing, twice, without_row) = compare(&log, &acknowledged).await;
    log.close().await;
    println!(
        "{name}: {} appends acknowledged over {kills} kill -9, {} events, {missing} missing, {twice} twice, \
         {without_row} without outbox row, ready after {} ms at most",
        acknowledged.len(),
        report.events,
        slowest.as_millis()
    );
    assert_eq!((missing, twice, without_row), (0, 0, 0));
    assert!(slowest <= READY_MAX, "it took {slowest:?} to be ready");
}

struct Heard {
    sent: BTreeSet<Append>,
    acknowledged: BTreeSet<Append>,
    /// From its start until the log was open.
    ready: Option<Duration>,
}

fn run_and_kill(
    url: &str,
    folder: &Path,
    round: u32,
    pending: &BTreeSet<Append>,
    at_the_start: bool,
    after: Duration,
) -> Heard {
    let mut child = Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", "stores::killed::the_child", "--nocapture"])
        .env(CHILD, format!("{round} {url}"))
        .env("BACKCHANNEL_TEST_FOLDER", folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a child");
    let mut to_child = child.stdin.take().expect("piped");
    for append in pending {
        writeln!(to_child, "{} {}", append.conversation, append.name).expect("it listens");
    }
    drop(to_child);
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut heard = Heard { sent: BTreeSet::new(), acknowledged: BTreeSet::new(), ready: None };
    if !at_the_start {
        // With --nocapture the harness writes its own lines into ours.
        heard.ready = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let ms = line.split_once("ready ")?.1.strip_suffix(" .")?;
            Some(Duration::from_millis(ms.parse().ok()?))
        });
        assert!(heard.ready.is_some(), "the child ended before it was ready");
    }
    let reader = std::thread::spawn(move || lines.map_while(Result::ok).collect::<Vec<_>>());
    std::thread::sleep(after);
    child.kill().expect("killed");
    child.wait().expect("dead");
    for line in reader.join().expect("no panic") {
        // The kill may cut the last line short; such a line says nothing.
        let Some(line) = line.strip_suffix(" .") else { continue };
        let mut words = line.split(' ');
        let (Some(what), Some(conversation), Some(name)) =
            (words.next(), words.next(), words.next())
        else {
            continue;
        };
        let append = Append { conversation: conversation.into(), name: name.into() };
        match what {
            "sends" => heard.sent.extend([append]),
            "acknowledged" => heard.acknowledged.extend([append]),
            _ => {}
        }
    }
    heard
}

/// How many are missing, there twice, and without their row in the outbox.
async fn compare(log: &EventLog, acknowledged: &BTreeSet<Append>) -> (usize, usize, usize) {
    let tenant = TenantId::from("demo");
    let mut events: Vec<Arc<Recorded>> = Vec::new();
    loop {
        let after = events.last().map_or(0, |event| event.position);
        let page = log.read(&ReadQuery::all(tenant.clone(), after)).await.expect("reads");
        if page.is_empty() {
            break;
        }
        events.extend(page);
    }
    let mut calls: BTreeMap<&ConversationId, Vec<u64>> = BTreeMap::new();
    let mut turns: BTreeMap<&str, usize> = BTreeMap::new();
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for event in &events {
        calls.entry(&event.conversation).or_default().push(event.sequence);
        match &*event.kind {
            "turn.final" => *turns.entry(event.id.as_str()).or_default() += 1,
            "crm.write" => told.extend([event.id.as_str()]),
            _ => {}
        }
    }
    for (call, numbers) in &calls {
        assert_eq!(*numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "{call}");
    }
    let mut rows: BTreeSet<String> = BTreeSet::new();
    let mut query = DeliveryQuery::all(tenant);
    loop {
        let page = log.deliveries(&query).await.expect("reads");
        for one in page.items {
            assert!(rows.insert(one.new.key.as_str().to_owned()), "{} twice", one.new.key.as_str());
        }
        let Some(next) = page.next else { break };
        query.after = Some(next);
    }
    let turn_of = |name: &str| format!("turn-{name}");
    let missing = acknowledged.iter().filter(|one| !turns.contains_key(&*turn_of(&one.name)));
    let missing = missing.count();
    let twice = turns.values().filter(|count| **count > 1).count();
    // Also of what was written and nobody heard of: a turn, its event and its row are one commit.
    let names = turns.keys().filter_map(|id| id.strip_prefix("turn-"));
    let lacks = |name: &&str| {
        !rows.contains(key(name).as_str()) || !told.contains(&*format!("told-{name}"))
    };
    let without_row = names.filter(lacks).count();
    (missing, twice, without_row)
}

fn key(name: &str) -> DedupeKey {
    DedupeKey::of(&["killed", name])
}

/// Not a test by itself: it is what the tests above start and kill.
#[test]
fn the_child() {
    let begun = Instant::now();
    let Ok(order) = std::env::var(CHILD) else { return };
    let (round, url) = order.split_once(' ').expect("a round and an address");
    let folder = std::env::var_os("BACKCHANNEL_TEST_FOLDER").expect("a folder");
    let pending: Vec<Append> = std::io::stdin()
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| {
            let (conversation, name) = line.split_once(' ')?;
            Some(Append { conversation: conversation.into(), name: name.into() })
        })
        .collect();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let place = Place::parse(url, Path::new(&folder)).expect("an address");
        let log = Arc::new(place.open(Arc::new(|_: &[_]| ())).await.expect("it opens"));
        say(&format!("\nready {} .\n", begun.elapsed().as_millis()));
        for append in pending {
            match post(&log, &append).await {
                // Its conversation's start was not acknowledged either, and is gone.
                Ok(()) | Err(StoreError::NotStarted(_)) => {}
                Err(error) => panic!("sent again: {error}"),
            }
        }
        let calls = (0..CONVERSATIONS).map(|number| {
            let (log, conversation) = (log.clone(), format!("c-{round}-{number}"));
            tokio::spawn(async move {
                let (tenant, id) = (TenantId::from("demo"), conversation.as_str().into());
                let begin = NewEvent::at(Timestamp::now(), started());
                log.append(&tenant, &id, vec![begin]).await.expect("append");
                for turn in 0.. {
                    let name = format!("{conversation}-{turn}");
                    let append = Append { conversation: conversation.clone(), name };
                    post(&log, &append).await.expect("append");
                }
            })
        });
        for call in calls.collect::<Vec<_>>() {
            call.await.expect("no panic");
        }
    });
}

/// A turn, the effect that follows from it, and what is told of that.
async fn post(log: &EventLog, append: &Append) -> Result<(), StoreError> {
    let (name, now) = (&append.name, Timestamp::now());
    let new = NewDelivery {
        destination: "crm".into(),
        key: key(name),
        lane: append.conversation.clone(),
        effect: Effect::AddNote(NewNote {
            contact_id: "ada".into(),
            case: None,
            subject: Redacted::vouched("A call"),
            body: Redacted::vouched(name.as_str()),
        }),
        from: None,
        by: None,
        created_at: now,
    };
    let write = EventBody::CrmWrite(Box::new(CrmWrite::of(&new, &Progress::new(now))));
    let events = vec![
        NewEvent { id: format!("turn-{name}").as_str().into(), time: now, body: turn(name) },
        NewEvent { id: format!("told-{name}").as_str().into(), time: now, body: write },
    ];
    say(&format!("sends {} {name} .\n", append.conversation));
    log.post(&"demo".into(), &append.conversation.as_str().into(), events, vec![new]).await?;
    say(&format!("acknowledged {} {name} .\n", append.conversation));
    Ok(())
}

fn say(line: &str) {
    std::io::stdout().write_all(line.as_bytes()).expect("written");
}
