//! `backchannel backup`, `backchannel restore` and `backchannel keyring`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::Failure;
use super::log::{PlaceArgs, runtime};
use crate::store::backup;

/// Back the event log up into a new folder, also while a service runs
///
/// The backup is checked as it is made, and `audit verify --store` checks it again. What was said stands in it under a
/// key for each conversation. The keys are in the log and not in the backup: export them with `keyring export`, and
/// keep them elsewhere. A backup of a PostgreSQL database can be restored into a file and the other way round.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The folder, which is made
    dest: PathBuf,
    #[command(flatten)]
    log: PlaceArgs,
}

/// Make a backup the event log of a service that isn't running
///
/// The backup is checked before anything is replaced. Conversations that were erased since it was made stay erased:
/// their keys are gone.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// A folder that `backup` made
    src: PathBuf,
    #[command(flatten)]
    log: PlaceArgs,
    /// Also where there is a log already: a file is set aside, what a database held is gone
    #[arg(long)]
    force: bool,
    /// Keys that `keyring export` wrote, where the log that is there has none
    #[arg(long, value_name = "FILE")]
    keyring: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum KeyringCommand {
    Export(KeyringArgs),
}

/// Write the keys of the log's backups into a file, also while a service runs
///
/// Without them and without the log, backups are worth nothing. Keep the file elsewhere than the backups, and write it
/// anew after each backup and each erasure: an older one opens what was erased since.
#[derive(Debug, Args)]
pub struct KeyringArgs {
    /// The file, which is replaced if it is there
    dest: PathBuf,
    #[command(flatten)]
    log: PlaceArgs,
}

/// # Errors
/// As `store::backup::export`.
pub fn keyring(command: &KeyringCommand) -> Result<ExitCode, Failure> {
    let KeyringCommand::Export(args) = command;
    let place = args.log.place(&args.log.config()?)?;
    let count = runtime()?.block_on(backup::export(&place, &args.dest))?;
    println!("{}: the keys of {count} conversations", args.dest.display());
    Ok(ExitCode::SUCCESS)
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
    let keyring = args.keyring.as_deref();
    let restored = runtime()?.block_on(backup::restore(
        &args.src,
        &place,
        keyring,
        args.force,
        &mut |_| (),
    ))?;
    println!(
        "{place}: {} events of {} conversations, as they were at {}",
        restored.note.events, restored.note.conversations, restored.note.made_at
    );
    if restored.erased > 0 {
        println!("{} conversations are erased: their keys are gone", restored.erased);
    }
    if let Some(folder) = restored.set_aside {
        println!(
            "the log that was there is in {}: everything that was said stands in it, and no erasure reaches it; \
             remove it once the restored log is right",
            folder.display()
        );
    }
    println!("head {}", restored.note.head);
    Ok(ExitCode::SUCCESS)
}
