//! `backchannel backup` and `backchannel restore`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::Failure;
use super::log::{PlaceArgs, runtime};
use crate::store::backup;

/// Back the event log up into a new folder, also while a service runs
///
/// The backup is checked as it is made. It is a log itself: `--store` of other commands reads it. A backup of a
/// PostgreSQL database can be restored into a file and the other way round.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The folder, which is made
    dest: PathBuf,
    #[command(flatten)]
    log: PlaceArgs,
}

/// Make a backup the event log of a service that isn't running
///
/// The backup is checked before anything is replaced.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// A folder that `backup` made
    src: PathBuf,
    #[command(flatten)]
    log: PlaceArgs,
    /// Also where there is a log already: a file is set aside, what a database held is gone
    #[arg(long)]
    force: bool,
}

/// # Errors
/// As `store::backup::backup`.
pub fn backup(args: &BackupArgs) -> Result<ExitCode, Failure> {
    let place = args.log.place(&args.log.config()?)?;
    let note = runtime()?.block_on(backup::backup(&place, &args.dest, &mut |_| ()))?;
    println!(
        "{}: {} events of {} conversations, {:.1} MB",
        args.dest.display(),
        note.events,
        note.conversations,
        note.bytes as f64 / 1e6
    );
    println!("head {}", note.head);
    Ok(ExitCode::SUCCESS)
}

/// # Errors
/// As `store::backup::restore`.
pub fn restore(args: &RestoreArgs) -> Result<ExitCode, Failure> {
    let place = args.log.place(&args.log.config()?)?;
    let restored =
        runtime()?.block_on(backup::restore(&args.src, &place, args.force, &mut |_| ()))?;
    println!(
        "{place}: {} events of {} conversations, as they were at {}",
        restored.note.events, restored.note.conversations, restored.note.made_at
    );
    if let Some(folder) = restored.set_aside {
        println!("the log that was there is in {}", folder.display());
    }
    println!("head {}", restored.note.head);
    Ok(ExitCode::SUCCESS)
}
