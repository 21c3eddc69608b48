//! kill -9 while fifty conversations are written, at failpoints around commits and acknowledgements and at any other moment:
//! what was acknowledged is there, once, and its effect stands in the outbox. What was not acknowledged is sent again by the
//! next process, as callers do. The same with a power cut behind each kill, which takes what was not synced.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use backchannel::domain::{NewEvent, TenantId};
use backchannel::store::{EventLog, Failpoint, Place, Store as _, StoreError};
use jiff::Timestamp;
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;

use super::appends::{Append, NOTHING, compare};
use super::cluster;
use super::powercut::{self, PowerCut};
use crate::seed;
use crate::serve::harness::started;

const CHILD: &str = "BACKCHANNEL_TEST_KILLED_LOG";
const FOLDER: &str = "BACKCHANNEL_TEST_FOLDER";
/// Where the child stands still, and when: a place and how often it is passed.
const STAND_STILL: &str = "BACKCHANNEL_TEST_STAND_STILL";
/// Kills of the short form; `BACKCHANNEL_KILLS=200` is the long one.
const KILLS: u32 = 6;
const CONVERSATIONS: usize = 50;
const READY_MAX: Duration = Duration::from_secs(5);
/// A child that hasn't come to its place by then is ill.
const PATIENCE: Duration = Duration::from_secs(60);
/// Besides the log's own failpoints: between a commit and its answers, and after an answer.
const HOOK: &str = "hook";
const ACKNOWLEDGED: &str = "acknowledged";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_loses_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    nothing_is_lost("sqlite", "sqlite:", folder.path(), None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_loses_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    nothing_is_lost("postgres", &cluster::database().await, folder.path(), None).await;
}

/// Of the file only. A database server syncs for itself: `unsaved` stops one as a power cut would, but what its machine
/// loses isn't tried.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_loses_nothing_in_a_power_cut() {
    let folder = tempfile::tempdir().expect("a folder");
    let cut = PowerCut::of(folder.path());
    nothing_is_lost("sqlite, power cut", "sqlite:", folder.path(), Some(cut)).await;
}

/// When a child is killed.
enum Moment {
    /// So long after it was started.
    Start(Duration),
    /// So long after it was ready.
    Ready(Duration),
    /// When it passes a place so many times.
    Place(&'static str, i64),
}

impl Moment {
    fn of(round: u32, random: &mut StdRng) -> Self {
        match round % 5 {
            4 => Self::Start(Duration::from_millis(random.random_range(0..60))),
            0 => Self::Ready(Duration::from_millis(random.random_range(30..500))),
            _ => {
                let mut places: Vec<&str> = Failpoint::ALL.map(Failpoint::as_str).into();
                places.extend([HOOK, ACKNOWLEDGED]);
                let place = places.choose(random).expect("there are places");
                Self::Place(place, random.random_range(5..60))
            }
        }
    }
}

async fn nothing_is_lost(name: &str, url: &str, folder: &Path, cut: Option<PowerCut>) {
    let kills = seed::count("BACKCHANNEL_KILLS", KILLS);
    println!("{name}: {kills} kills");
    let mut random = seed::random();
    let (mut acknowledged, mut pending) = (BTreeSet::new(), BTreeSet::new());
    let (mut slowest, mut gone) = (Duration::ZERO, 0);
    let mut places: BTreeMap<&str, u32> = BTreeMap::new();
    for round in 0..kills {
        let moment = Moment::of(round, &mut random);
        *places.entry(moment.name()).or_default() += 1;
        let heard = Run { url, folder, round, cut: cut.as_ref() }.until(&moment, &pending);
        // What keeps the files for a power cut takes time of its own: then only the last start counts, without it.
        let ready = heard.ready.filter(|_| cut.is_none());
        slowest = slowest.max(ready.unwrap_or_default());
        gone += cut.as_ref().map_or(0, PowerCut::happen);
        acknowledged.extend(heard.acknowledged.iter().cloned());
        pending.extend(heard.sent);
        pending.retain(|append| !heard.acknowledged.contains(append));
    }
    assert!(acknowledged.len() > kills as usize * 4, "{} acknowledged", acknowledged.len());

    let begun = Instant::now();
    let place = Place::parse(url, folder).expect("an address");
    let log = place.open(Arc::new(|_: &[_]| ())).await.expect("it opens");
    slowest = slowest.max(begun.elapsed());
    log.integrity().await.expect("sound");
    let report = log.audit(None, |_| ()).await.expect("reads");
    assert_eq!(report.faults, [], "the chain holds");
    let lost = compare(&log, &acknowledged).await;
    log.close().await;
    if cut.is_some() {
        assert!(folder.join(powercut::SYNCED).exists(), "what is synced stays");
        println!("{name}: {gone} bytes were written and lost");
    }
    println!(
        "{name}: {} appends acknowledged over {kills} kill -9 ({places:?}), {} events, {} missing, {} twice, {} \
         without outbox row, ready after {} ms at most",
        acknowledged.len(),
        report.events,
        lost.0,
        lost.1,
        lost.2,
        slowest.as_millis()
    );
    assert_eq!(lost, NOTHING);
    assert!(slowest <= READY_MAX, "it took {slowest:?} to be ready");
}

impl Moment {
    fn name(&self) -> &'static str {
        match self {
            Self::Start(_) => "start",
            Self::Ready(_) => "any",
            Self::Place(place, _) => place,
        }
    }
}

#[derive(Default)]
struct Heard {
    sent: BTreeSet<Append>,
    acknowledged: BTreeSet<Append>,
    /// From its start until the log was open.
    ready: Option<Duration>,
    stands_still: bool,
}

impl Heard {
    fn take(&mut self, line: &str) {
        // The kill may cut the last line short; such a line says nothing. With --nocapture the harness writes its own
        // lines into ours.
        let Some(line) = line.strip_suffix(" .") else { return };
        if let Some((_, ms)) = line.split_once("ready ") {
            self.ready = ms.parse().ok().map(Duration::from_millis);
        }
        self.stands_still |= line.ends_with("stands still");
        let mut words = line.split(' ');
        let (Some(what), Some(conversation), Some(name)) =
            (words.next(), words.next(), words.next())
        else {
            return;
        };
        let append = Append { conversation: conversation.into(), name: name.into() };
        match what {
            "sends" => self.sent.extend([append]),
            "acknowledged" => self.acknowledged.extend([append]),
            _ => {}
        }
    }
}

/// One life of a child.
struct Run<'a> {
    url: &'a str,
    folder: &'a Path,
    round: u32,
    cut: Option<&'a PowerCut>,
}

impl Run<'_> {
    fn until(&self, moment: &Moment, pending: &BTreeSet<Append>) -> Heard {
        let mut command = Command::new(std::env::current_exe().expect("this binary"));
        command
            .args(["--exact", "stores::killed::the_child", "--nocapture"])
            .env(CHILD, format!("{} {}", self.round, self.url))
            .env(FOLDER, self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        if let Moment::Place(place, times) = moment {
            command.env(STAND_STILL, format!("{place} {times}"));
        }
        if let Some(cut) = self.cut {
            cut.watch(&mut command);
        }
        let begun = Instant::now();
        let mut child = command.spawn().expect("a child");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let (tell, lines) = channel();
        let reader = std::thread::spawn(move || {
            output.lines().map_while(Result::ok).for_each(|line| drop(tell.send(line)));
        });
        let mut to_child = child.stdin.take().expect("piped");
        for append in pending {
            // One that was killed meanwhile by nobody shows below.
            let _ = writeln!(to_child, "{} {}", append.conversation, append.name);
        }
        drop(to_child);
        let mut heard = Heard::default();
        let mut kill_at = match moment {
            Moment::Start(after) => Some(begun + *after),
            _ => None,
        };
        loop {
            let until = kill_at.unwrap_or(begun + PATIENCE);
            match lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => heard.take(&line),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => panic!("the child ended by itself"),
            }
            match moment {
                Moment::Ready(after) if heard.ready.is_some() && kill_at.is_none() => {
                    kill_at = Some(Instant::now() + *after);
                }
                Moment::Place(..) if heard.stands_still => break,
                _ => {}
            }
            // Whoever says much is killed all the same.
            if kill_at.is_some_and(|at| Instant::now() >= at) {
                break;
            }
        }
        let name = moment.name();
        assert!(kill_at.is_some() || heard.stands_still, "it never came to {name}");
        child.kill().expect("killed");
        child.wait().expect("dead");
        lines.iter().for_each(|line| heard.take(&line));
        reader.join().expect("no panic");
        heard
    }
}

/// Not a test by itself: it is what the tests above start and kill.
#[test]
fn the_child() {
    let begun = Instant::now();
    let Ok(order) = std::env::var(CHILD) else { return };
    let (round, url) = order.split_once(' ').expect("a round and an address");
    let folder = std::env::var_os(FOLDER).expect("a folder");
    let folder = Path::new(&folder);
    let pending: Vec<Append> = std::io::stdin()
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| {
            let (conversation, name) = line.split_once(' ')?;
            Some(Append { conversation: conversation.into(), name: name.into() })
        })
        .collect();
    if std::env::var_os("POWERCUT_FOLDER").is_some() {
        powercut::leave_marks(folder);
    }
    let still = Arc::new(Still::of(std::env::var(STAND_STILL).ok().as_deref()));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let place = Place::parse(url, folder).expect("an address");
        let (points, hook) = (still.clone(), still.clone());
        let failpoints = Arc::new(move |at: Failpoint| {
            points.pass(at.as_str());
            Ok::<(), std::io::Error>(())
        });
        let log = place.open_failing(failpoints, Arc::new(move |_: &[_]| hook.pass(HOOK))).await;
        let log = Arc::new(log.expect("it opens"));
        say(&format!("\nready {} .\n", begun.elapsed().as_millis()));
        for append in pending {
            match post(&log, &append, &still).await {
                // Its conversation's start was not acknowledged either, and is gone.
                Ok(()) | Err(StoreError::NotStarted(_)) => {}
                Err(error) => panic!("sent again: {error}"),
            }
        }
        let calls = (0..CONVERSATIONS).map(|number| {
            let (log, still) = (log.clone(), still.clone());
            let conversation = format!("c-{round}-{number}");
            tokio::spawn(async move {
                let (tenant, id) = (TenantId::from("demo"), conversation.as_str().into());
                let begin = NewEvent::at(Timestamp::now(), started());
                log.append(&tenant, &id, vec![begin]).await.expect("append");
                for turn in 0.. {
                    let name = format!("{conversation}-{turn}");
                    let append = Append { conversation: conversation.clone(), name };
                    post(&log, &append, &still).await.expect("append");
                }
            })
        });
        for call in calls.collect::<Vec<_>>() {
            call.await.expect("no panic");
        }
    });
}

/// The place where this process says so and goes no further, to be killed there.
struct Still {
    place: String,
    left: AtomicI64,
}

impl Still {
    fn of(order: Option<&str>) -> Self {
        let (place, times) = order.and_then(|order| order.split_once(' ')).unwrap_or(("", "0"));
        Self { place: place.to_owned(), left: AtomicI64::new(times.parse().expect("a number")) }
    }

    fn pass(&self, place: &str) {
        if self.place == place && self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            say("\nstands still .\n");
            loop {
                std::thread::park();
            }
        }
    }
}

async fn post(log: &EventLog, append: &Append, still: &Still) -> Result<(), StoreError> {
    let Append { conversation, name } = append;
    say(&format!("sends {conversation} {name} .\n"));
    append.post(log).await?;
    say(&format!("acknowledged {conversation} {name} .\n"));
    still.pass(ACKNOWLEDGED);
    Ok(())
}

fn say(line: &str) {
    std::io::stdout().write_all(line.as_bytes()).expect("written");
}
