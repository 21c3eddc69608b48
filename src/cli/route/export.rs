//! `backchannel route export`

use std::io::Write;

use clap::Args;

use super::Failure;
use crate::cli::log::LogArgs;
use crate::domain::ErrorKind;
use crate::evaluate::routing::RecordedWork;

const HELP: &str = "\
Examples:
  backchannel route export > routed.csv
  backchannel route export --demo > routed.csv
  backchannel route simulate --log routed.csv --load 0.95,1.0

A row for each work item that is over: when it came, what was wanted as far as the router knew then,
the customer's value, how long the work took with what follows it, whether the customer gave up, how
long they waited, and who answered. Nothing else of a conversation is in it. Arrivals are in the time
zone of wrapup.time_zone, as the simulator plays day by day.

The log is only read, also while the service runs.

Exit code 0: done; 2: no such log, or nothing is over in it; 75: the log can't be had now.";

/// Write what the router of a service has seen, as `route simulate --log` reads it (CSV)
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct ExportArgs {
    #[command(flatten)]
    log: LogArgs,
}

/// Prints rows, and on standard error how many there are.
///
/// # Errors
/// The log can't be had, or no work item of it is over.
pub(super) fn run(args: &ExportArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let config = args.log.config()?;
    let work = args.log.with(&config, |log| {
        Ok(log.runtime.block_on(RecordedWork::read(&log.store, &log.tenant))?)
    })?;
    let exported = work
        .write(&config.wrapup.zone(), out)
        .map_err(|error| Failure::new(ErrorKind::Internal, error.to_string()))?;
    if exported.over == 0 {
        return Err(Failure::invalid(format!(
            "no work item of this log is over ({} are open): is routing on, and is it the right --store and --tenant?",
            exported.open
        )));
    }
    eprintln!("{} work items; {} more aren't over", exported.over, exported.open);
    Ok(())
}
