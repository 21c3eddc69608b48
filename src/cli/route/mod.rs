//! `backchannel route …`

mod export;
mod plots;
mod svg;
pub(super) mod table;

use std::io::Write;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use super::Failure;
use crate::domain::ErrorKind;
use crate::evaluate::routing;
use crate::evaluate::routing::{ACCURACY, AtLoad, Dataset, TARGET_S, replayed};
use crate::routing::simulate::{Comparison, Measured, Policy, ScenarioError, Settings, Source};

const HELP: &str = "\
Examples:
  backchannel route simulate
  backchannel route simulate --confusion confusion.json --seeds 50 --svg plots
  backchannel route simulate --scenario my-centre.toml --policies skill,context
  backchannel route simulate --technion calls_1999-01.csv --load 1.0
  backchannel route simulate --log routed.csv --scenario our-agents.toml

Every policy meets the same callers, with the same patience, the same work and the same luck, so
the differences between policies have less noise than the figures themselves. Each figure is a
mean over runs with its 95 % interval; \"against skill\" is the interval of the differences run by
run. A policy is better when that whole interval is above zero. Fewer than 100 calls are too few to
say so, of a kind of contact too: then the difference is \"too few\", and null in the JSON.

Policies:
  fifo, round-robin, longest-idle   whoever is free, whatever the call is about
  skill     the agent who has been free for longest of those with the skill that was heard
  context   the pair with the greatest value x waiting cost x service rate x probability to
            resolve; of agents who are nearly as good, who has been free for longest

Without --technion or --log, calls are random, by the file of --scenario or by the sample, a bank's
line with 60 agents (routing/scenarios/bank-60-agents.toml explains the format). At load 1 the
first calls and their usual returns would keep all agents busy all the time.

--log is what route export writes of a service: CSV with the columns arrival (2026-11-22T10:00:04),
intent, abandoned (0 or 1), and if known value (1 for an ordinary customer), handling_s, wait_s,
agent. Without agents in it, --scenario says who answers. Each day is a run. --load stretches handling times so that the work
is that share of the time on duty; without it they are as recorded.

--confusion is JSON: {\"labels\": [\"a\", \"b\"], \"counts\": [[90, 10], [5, 95]]}, where counts[i][j]
of label i were heard as label j (a last column more: abstained), as eval intent writes it. A
scenario says which labels belong to which class. A record has other kinds of contact, so there
the share that was right counts, and errors fall evenly.

Exit code 0: done, whether there is a gain or not; 2: a file or an argument is wrong.";

#[derive(Debug, Subcommand)]
pub enum RouteCommand {
    Simulate(Box<SimulateArgs>),
    Export(export::ExportArgs),
}

/// Play calls through routing policies side by side, and say what each is worth
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct SimulateArgs {
    /// A call centre: classes, customers, agents (TOML)
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// Play the calls of the Technion's bank data: a file, or its folder
    #[arg(long, value_name = "FILE", conflicts_with = "log")]
    technion: Option<PathBuf>,
    /// Play the calls of our own log, as route export writes them (CSV)
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Work by agents' time, several with commas; for random calls 0.85,0.95,1.0 if not given
    #[arg(long, value_delimiter = ',', value_parser = load)]
    load: Vec<f64>,
    /// Policies to compare, with commas; skill is always among them, as the one to beat
    #[arg(long, value_delimiter = ',', value_parser = policies(), default_values = Policy::ALL.map(Policy::name))]
    policies: Vec<Policy>,
    /// Runs at each load; records have one a day
    #[arg(long, default_value_t = 30, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    seeds: u32,
    /// Of the first run; the same seed gives the same figures
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How intents are confused, as measured (JSON)
    #[arg(long, value_name = "FILE")]
    confusion: Option<PathBuf>,
    /// Share of intents that are heard right, where no confusion is given
    #[arg(long, conflicts_with = "confusion", value_parser = share)]
    accuracy: Option<f64>,
    /// Seconds within which an answer counts for the service level; 20 for records if not given
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    target_s: Option<f64>,
    /// Print the JSON line only
    #[arg(long)]
    json: bool,
    /// Write plots into this folder
    #[arg(long, value_name = "DIR")]
    svg: Option<PathBuf>,
}

const LOADS: [f64; 3] = [0.85, 0.95, 1.0];

/// A policy by the name that it has in results.
fn policies() -> impl TypedValueParser<Value = Policy> {
    PossibleValuesParser::new(Policy::ALL.map(Policy::name))
        .try_map(|name| Policy::named(&name).ok_or("no policy has this name"))
}

/// # Errors
/// A file or the log can't be used, with its mistakes; the plots can't be written.
pub fn run(command: &RouteCommand, out: &mut dyn Write) -> Result<(), Failure> {
    match command {
        RouteCommand::Simulate(args) => simulate(args, out),
        RouteCommand::Export(args) => export::run(args, out),
    }
}

/// Prints tables, then one JSON object as the last line.
fn simulate(args: &SimulateArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let measured = args.confusion.as_deref().map(routing::confusion).transpose()?;
    let policies = &args.policies;
    let compared = match (&args.technion, &args.log) {
        (None, None) => random(args, measured.as_ref(), policies)?,
        (technion, log) => {
            recorded(args, (technion.as_ref(), log.as_ref()), measured.as_ref(), policies)?
        }
    };
    let written = (|| {
        if !args.json {
            let right = 100.0 * compared.heard_right;
            writeln!(out, "{}, {right:.1} % of contacts heard right\n", compared.dataset)?;
            table::write(out, &compared.loads)?;
        }
        let mut line = json!({
            "dataset": compared.dataset,
            "data_sha256": compared.sha256,
            "models": {},
            "version": env!("CARGO_PKG_VERSION"),
            "intents_right": measured.as_ref().map(Measured::accuracy),
            "classes_right": compared.heard_right,
        });
        if let Value::Object(line) = &mut line {
            line.extend(routing::figures(&compared.loads));
        }
        writeln!(out, "{line}")
    })();
    written.map_err(|error| Failure::new(ErrorKind::Internal, error.to_string()))?;
    if let Some(folder) = &args.svg {
        plots::write(folder, &compared.loads).map_err(|error| {
            Failure::invalid(format!(
                "the plots can't be written into {}: {error}",
                folder.display()
            ))
        })?;
    }
    Ok(())
}

/// Calls played through policies.
struct Compared {
    dataset: String,
    sha256: String,
    /// Share of contacts whose class is heard right.
    heard_right: f64,
    loads: Vec<AtLoad>,
}

fn random(
    args: &SimulateArgs,
    measured: Option<&Measured>,
    policies: &[Policy],
) -> Result<Compared, Failure> {
    let (mut scenario, sha256) = routing::scenario(args.scenario.as_deref())?;
    if let Some(accuracy) = args.accuracy {
        scenario.classifier.accuracy = accuracy;
    }
    if let Some(target_s) = args.target_s {
        scenario.target_s = target_s;
    }
    let loads = if args.load.is_empty() { LOADS.to_vec() } else { args.load.clone() };
    let runs = args.seeds as usize;
    let bar = progress(loads.len() * runs);
    let world = scenario.world(measured, args.seed).map_err(wrong)?;
    let heard_right = world.confusion.accuracy(world.classes.iter().map(|class| class.share));
    let mut compared = Vec::new();
    for load in loads {
        let source =
            Source::Random { scenario: &scenario, measured, load, runs, first_seed: args.seed };
        let comparison =
            Comparison::of(&source, policies, Policy::Skill, &|| bar.inc(1)).map_err(wrong)?;
        compared.push(AtLoad { load: Some(load), comparison });
    }
    bar.finish_and_clear();
    let dataset =
        args.scenario.as_ref().map_or(scenario.name.clone(), |path| path.display().to_string());
    Ok(Compared { dataset, sha256, heard_right, loads: compared })
}

fn recorded(
    args: &SimulateArgs,
    (technion, log): (Option<&PathBuf>, Option<&PathBuf>),
    measured: Option<&Measured>,
    policies: &[Policy],
) -> Result<Compared, Failure> {
    let (path, dataset) = match (technion, log) {
        (Some(path), _) => (path, Dataset::technion(path)?),
        (None, Some(path)) => (path, Dataset::own_log(path)?),
        (None, None) => return Err(Failure::invalid("neither --technion nor --log is given")),
    };
    let scenario = args
        .scenario
        .as_deref()
        .map(|path| routing::scenario(Some(path)))
        .transpose()?
        .map(|(scenario, _)| scenario);
    let staff = match &scenario {
        Some(scenario) => Some(scenario.staff(&dataset.history.classes, args.seed).map_err(wrong)?),
        None if dataset.history.agents.is_empty() => {
            return Err(Failure::invalid(format!(
                "{} names no agents: say with --scenario who answers",
                path.display()
            )));
        }
        None => None,
    };
    let target_s =
        args.target_s.or(scenario.as_ref().map(|scenario| scenario.target_s)).unwrap_or(TARGET_S);
    let accuracy = measured.map(Measured::accuracy).or(args.accuracy).unwrap_or(ACCURACY);
    let loads: Vec<Option<f64>> = match args.load.is_empty() {
        true => vec![None],
        false => args.load.iter().copied().map(Some).collect(),
    };
    let bar = progress(loads.len() * dataset.history.days.len());
    let settings = Settings { target_s, accuracy, load: None, seed: args.seed };
    let tick = || bar.inc(1);
    let compared = replayed(&dataset.history, &loads, settings, staff.as_ref(), policies, &tick);
    let compared = compared.map_err(wrong)?;
    bar.finish_and_clear();
    Ok(Compared {
        dataset: path.display().to_string(),
        sha256: dataset.sha256,
        heard_right: accuracy,
        loads: compared,
    })
}

/// On standard error, and only for people.
pub(super) fn progress(runs: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(runs as u64), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:30} {pos} of {len} runs, {eta} left");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn wrong(error: ScenarioError) -> Failure {
    Failure::invalid(error.to_string())
}

pub(super) fn load(text: &str) -> Result<f64, String> {
    within(text, 0.01, 10.0)
}

fn share(text: &str) -> Result<f64, String> {
    within(text, 0.0, 1.0)
}

fn seconds(text: &str) -> Result<f64, String> {
    within(text, 1.0, 86_400.0)
}

fn within(text: &str, low: f64, high: f64) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(figure) if (low..=high).contains(&figure) => Ok(figure),
        _ => Err(format!("needs a number from {low} to {high}")),
    }
}

#[cfg(test)]
mod tests;
