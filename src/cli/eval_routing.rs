//! `backchannel eval routing DATASET`

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::Failure;
use super::route::{progress, table};
use crate::domain::ErrorKind;
use crate::evaluate::routing;
use crate::evaluate::routing::{ACCURACY, Dataset, TARGET_S, replayed};
use crate::routing::simulate::{Measured, Policy, Replay, Settings};

/// Replay a month of a bank's calls through the routing policies
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    backchannel eval routing ../shared/data/technion-bank-1999\n  \
    backchannel eval routing calls_1999-01.csv --load 0.85,0.95,1.0 --confusion confusion.json\n\n\
    Each day is a run; who answers and when is as recorded. The router knows of agents what the days\n\
    before have shown. With --load, handling times are stretched so that the work is that share of the\n\
    time on duty. See backchannel route simulate --help for the policies.")]
pub struct RoutingArgs {
    /// Folder with files calls_*.csv, or one such file
    dataset: PathBuf,
    /// Work by agents' time, several with commas; as recorded if not given
    #[arg(long, value_delimiter = ',', value_parser = super::route::load)]
    load: Vec<f64>,
    /// How intents are confused, as measured: the share that is right counts (JSON)
    #[arg(long, value_name = "FILE")]
    confusion: Option<PathBuf>,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print the JSON line only
    #[arg(long)]
    json: bool,
}

/// Prints tables; the last line is JSON.
///
/// # Errors
/// The records or the confusion can't be used.
pub fn run(args: &RoutingArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let dataset = Dataset::technion(&args.dataset)?;
    let measured = args.confusion.as_deref().map(routing::confusion).transpose()?;
    let accuracy = measured.as_ref().map_or(ACCURACY, Measured::accuracy);
    let stretches = args.load.iter().copied().map(Some);
    let loads: Vec<Option<f64>> = std::iter::once(None).chain(stretches).collect();
    let bar = progress(loads.len() * dataset.history.days.len());
    let settings = Settings { target_s: TARGET_S, accuracy, load: None, seed: args.seed };
    let as_recorded = Replay::new(&dataset.history, settings, None);
    let days = as_recorded.days();
    let recorded_load =
        (0..days).map(|day| as_recorded.load(day)).sum::<f64>() / days.max(1) as f64;
    let tick = || bar.inc(1);
    let compared = replayed(&dataset.history, &loads, settings, None, &Policy::ALL, &tick)
        .map_err(|error| Failure::invalid(error.to_string()))?;
    bar.finish_and_clear();
    let written = (|| {
        if !args.json {
            table::write(out, &compared)?;
        }
        let mut line = json!({
            "dataset": args.dataset.display().to_string(),
            "data_sha256": dataset.sha256,
            "models": {},
            "version": env!("CARGO_PKG_VERSION"),
            "intents_right": accuracy,
            "recorded_load": recorded_load,
        });
        if let Value::Object(line) = &mut line {
            line.extend(routing::figures(&compared));
        }
        writeln!(out, "{line}")
    })();
    written.map_err(|error| Failure::new(ErrorKind::Internal, error.to_string()))
}
