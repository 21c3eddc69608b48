//! The numbers of live calls, end to end.
//!
//! `cargo bench --bench live_calls` plays the three demo calls in real time, one after the other,
//! and compares what subscribers receive with the references: the table of the README; `-- FILE.wav…`
//! plays your own. `-- --calls N` plays N calls at once, open-loop: each says turns of the demo calls
//! in another order, each party for `--talk` of the time. `-- --texts N` has N customers type at once. `--llm-faults`,
//! with either, asks a language model that is slow and lies. Needs the models (`make models`) and, for
//! crowds, Linux's `/proc`.

mod crowd;
mod demo;
mod faults;
mod figures;
mod listen;
mod service;
mod talk;
mod texts;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Parser;

use crowd::Plan;
use service::Service;
use talk::Pieces;

/// Play recorded calls into a service and print what a subscriber sees.
#[derive(Debug, Parser)]
struct Options {
    /// So many calls at once, instead of the demo calls one after the other
    #[arg(long)]
    calls: Option<usize>,
    /// How long, after a ramp of 10 s
    #[arg(long, default_value_t = 90)]
    seconds: u64,
    /// The share of the time that each party speaks
    #[arg(long, default_value_t = 0.4)]
    talk: f64,
    /// No partials
    #[arg(long)]
    finals_only: bool,
    /// New audio between two partials [default: the service's]
    #[arg(long)]
    partials_every_ms: Option<u64>,
    /// The model of finals [default: the service's]
    #[arg(long)]
    model: Option<String>,
    /// Offer so many times what the service holds: `--calls`, or what it measures
    #[arg(long)]
    overload: Option<f64>,
    /// Admit everybody, so that the load levels have all the work
    #[arg(long)]
    admit_all: bool,
    /// Play faster than life
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// Eight calls for so many hours of call time, one after the other in each place
    #[arg(long)]
    soak: Option<f64>,
    /// So many conversations that are typed, at once, instead of calls
    #[arg(long)]
    texts: Option<usize>,
    /// With `--texts`: so many category rules with alerts, instead of the sample company's
    #[arg(long, requires = "texts")]
    rules: Option<usize>,
    /// Beside a language model that is slow and lies; the same without shows what that costs
    #[arg(long)]
    llm_faults: bool,
    /// Recordings with their references beside them [default: the three demo calls]
    files: Vec<PathBuf>,
    /// What cargo passes to every bench
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let calls = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/calls");
    let files = match options.files.is_empty() {
        true => ["billing-double-charge", "moving-home", "outage-cancel-threat"]
            .map(|name| calls.join(format!("{name}.wav")))
            .to_vec(),
        false => options.files.clone(),
    };
    if let Some(conversations) = options.texts {
        let rules = options.rules.map(texts::rules).transpose()?;
        let mut settings = if options.llm_faults { faults::settings()? } else { Vec::new() };
        let folder = rules.as_ref().map(|folder| folder.path().display().to_string());
        settings.extend(folder.map(|folder| ("BACKCHANNEL__CATEGORIES__FOLDER", folder)));
        let service = Arc::new(Service::start(&settings)?);
        let length = Duration::from_secs(options.seconds);
        return texts::run(&service, &texts::Plan { conversations, length });
    }
    if options.calls.is_none() && options.overload.is_none() && options.soak.is_none() {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        return runtime.block_on(demo::run(files));
    }
    if !(0.05..=0.5).contains(&options.talk) {
        bail!("--talk must be from 0.05 to 0.5: the parties take turns");
    }
    crowd_of(&options, &files)
}

fn crowd_of(options: &Options, files: &[PathBuf]) -> anyhow::Result<()> {
    let pieces = Pieces::open(files)?;
    let calls = options.calls.or(options.soak.map(|_| 8));
    let mut settings = settings(options, calls);
    if options.llm_faults {
        settings.extend(faults::settings()?);
    }
    let service = Arc::new(Service::start(&settings)?);
    let held = match calls {
        Some(calls) => calls,
        None => {
            // The measurement runs in the background.
            std::thread::sleep(Duration::from_secs(10));
            let page = service.ask("/metrics")?;
            let max = Service::meter(&page, "backchannel_calls_max", "");
            max.context("the service doesn't say how many calls it holds")? as usize
        }
    };
    let offered = (held as f64 * options.overload.unwrap_or(1.0)).round() as usize;
    let seconds = match options.soak {
        Some(hours) => hours * 3_600.0 / options.speed,
        None => options.seconds as f64,
    };
    let plan = Plan {
        offered,
        length: Duration::from_secs_f64(seconds),
        talk_share: options.talk,
        speed: options.speed,
        redial: options.overload.is_some(),
    };
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!(
        "{held} calls held, {offered} offered for {seconds:.0} s at {:.1} × real speed; the machine's \
         load before: {}",
        options.speed,
        load.split(' ').next().unwrap_or("unknown")
    );
    let outcome = crowd::play(&service, &pieces, &plan)?;
    println!("\n{}", figures::table(&outcome, &plan));
    for (at, detail) in &outcome.notices {
        println!("{:7.1} s  {detail}", (*at - outcome.begun).as_secs_f64());
    }
    Ok(())
}

fn settings(options: &Options, calls: Option<usize>) -> Vec<(&'static str, String)> {
    let mut settings = Vec::new();
    let every = if options.finals_only { Some(0) } else { options.partials_every_ms };
    if let Some(every) = every {
        settings.push(("BACKCHANNEL__TRANSCRIPT__PARTIAL_EVERY_MS", every.to_string()));
    }
    if let Some(model) = &options.model {
        settings.push(("BACKCHANNEL__SPEECH__FINALS_MODEL", model.clone()));
    }
    let max = if options.admit_all { Some(10_000) } else { calls };
    if let Some(max) = max {
        settings.push(("BACKCHANNEL__CALLS__MAX", max.to_string()));
    }
    settings
}
