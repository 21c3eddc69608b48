//! What subscribers of the event stream cost, and what they wait.
//!
//! `cargo bench --bench subscribers`: what an idle one costs the service in resident memory. Real sockets:
//! `GET /v1/events` until the stream greets, then nothing; they come and go in rounds. `-- --subscribers N` opens another
//! number. `-- --fan-out` is about events instead: how long after a message was posted each of 9,000 subscribers has it,
//! beside a bare axum in the same run; and the same while 1,000 more don't read, how soon those are gone and what they
//! cost. Both need the models (`make models`), Linux's `/proc`, and as many open files as there are subscribers: the limit is
//! raised as far as it may be. Last line: JSON.

mod bare;
mod fan_out;
mod service;

use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::bail;
use clap::Parser;

use service::Service;

/// So many come and go first: what the first ones cost once is not a subscriber's.
const WARM_UP: usize = 20;

/// Memory that is allocated and was never written isn't resident; after some coming and going on
/// the same heap there is hardly any left.
const ROUNDS: usize = 5;

/// In which the last ones come to rest.
const REST: Duration = Duration::from_secs(2);

/// Files that a process has open besides.
const OTHER_FILES: usize = 300;

/// Count what subscribers of the event stream cost and wait.
#[derive(Debug, Parser)]
pub struct Options {
    /// [default: 1,000; with --fan-out 9,000]
    #[arg(long)]
    subscribers: Option<usize>,
    /// Measure events, not memory
    #[arg(long)]
    fan_out: bool,
    /// With --fan-out: so many more stop reading
    #[arg(long, default_value_t = 1_000)]
    stuck: usize,
    /// With --fan-out: so many events are measured each time, one in each second
    #[arg(long, default_value_t = 30)]
    events: usize,
    /// What is measured against, as a process of its own
    #[arg(long, hide = true)]
    bare: bool,
    /// What cargo passes to every bench
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    if options.bare {
        return bare::serve();
    }
    let default = if options.fan_out { 9_000 } else { 1_000 };
    let count = options.subscribers.unwrap_or(default);
    let stuck = if options.fan_out { options.stuck } else { 0 };
    raise_limit(count + stuck + OTHER_FILES)?;
    if options.fan_out {
        return fan_out::run(&fan_out::Plan { subscribers: count, stuck, events: options.events });
    }
    memory(count)
}

/// Starts this process once more with as many open files as are allowed, if it may have too few.
fn raise_limit(needed: usize) -> anyhow::Result<()> {
    use std::os::unix::process::CommandExt as _;
    let limits = std::fs::read_to_string("/proc/self/limits")?;
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap_or_default();
    let mut numbers = line.split_whitespace().filter_map(|word| match word {
        "unlimited" => Some(usize::MAX),
        word => word.parse().ok(),
    });
    let (soft, hard) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if soft >= needed {
        return Ok(());
    }
    if hard < needed {
        bail!(
            "{needed} open files are needed and {hard} are allowed (ulimit -Hn): choose fewer with --subscribers"
        );
    }
    let error = std::process::Command::new("sh")
        .args(["-c", r#"ulimit -n "$(ulimit -Hn)"; exec "$0" "$@""#])
        .arg(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .exec();
    Err(error.into())
}

fn memory(count: usize) -> anyhow::Result<()> {
    let service = Service::start(&[])?;
    for _ in 0..WARM_UP {
        drop(service.subscribe()?);
    }
    let resident = || {
        std::thread::sleep(REST);
        service.resident_kb()
    };
    let before = resident()?;
    let mut each = Vec::with_capacity(ROUNDS);
    for round in 1..=ROUNDS {
        let begun = Instant::now();
        let subscribers: Vec<TcpStream> =
            (0..count).map(|_| service.subscribe()).collect::<anyhow::Result<_>>()?;
        let opened = begun.elapsed().as_secs_f64();
        let with_them = resident()?;
        each.push((with_them as f64 - before as f64) / count.max(1) as f64);
        println!(
            "round {round}: {count} subscribers opened in {opened:.2} s, resident {with_them} kB, \
             {before} kB before"
        );
        drop(subscribers);
        std::thread::sleep(REST);
    }
    println!(
        r#"{{"bench":"subscribers","subscribers":{count},"kb_each_first":{:.1},"kb_each":{:.1}}}"#,
        each[0],
        each[ROUNDS - 1]
    );
    Ok(())
}
