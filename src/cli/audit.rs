//! `backchannel audit`: is the record what it was?

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::Failure;
use super::log::{PlaceArgs, runtime};
use crate::domain::ErrorKind;
use crate::store::backup::{self, BackupError};
use crate::store::chain::{LogHead, Report};
use crate::store::{Place, Store as _, StoreError};

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    Verify(VerifyArgs),
    Head(HeadArgs),
}

/// Walk the whole log and check the hash chain of each conversation, also while a service runs
///
/// One changed byte, a missing event and an end that was cut off are found and named. Whoever could also change what
/// the log knows of its own end is found with a head that `audit head` printed earlier and that was kept elsewhere. The
/// file of a backup must be to the byte what its note tells of. What stands beside the log is held against it: revisions
/// of articles, their rows, and where cards are found.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    #[command(flatten)]
    log: PlaceArgs,
    /// A head that was kept, which this log must have had
    #[arg(long, value_name = "POSITION:HASH")]
    head: Option<String>,
    /// The same from a file, whose last line counts
    #[arg(long, value_name = "FILE", conflicts_with = "head")]
    head_file: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Print where the log ends, to be kept elsewhere for a later `audit verify --head`
#[derive(Debug, Args)]
pub struct HeadArgs {
    #[command(flatten)]
    log: PlaceArgs,
}

/// # Errors
/// The log can't be read, or it isn't what it was.
pub fn run(command: &AuditCommand, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    match command {
        AuditCommand::Verify(args) => verify(args, out),
        AuditCommand::Head(args) => {
            let place = args.log.place(&args.log.config()?)?;
            let head = runtime()?.block_on(async {
                let log = place.open_to_read().await?;
                let head = log.log_head().await;
                log.close().await;
                head
            })?;
            say(out, &head.to_string())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

impl VerifyArgs {
    fn kept(&self) -> Result<Option<LogHead>, Failure> {
        let (text, from) = match (&self.head, &self.head_file) {
            (None, None) => return Ok(None),
            (Some(head), _) => (head.clone(), "--head".to_owned()),
            (None, Some(file)) => {
                let from = file.display().to_string();
                let text = std::fs::read_to_string(file)
                    .map_err(|error| Failure::invalid(format!("{from}: {error}")))?;
                (text.trim_end().lines().last().unwrap_or_default().to_owned(), from)
            }
        };
        let wrong = || Failure::invalid(format!("{from}: write a head as `audit head` prints it"));
        LogHead::parse(&text).map(Some).ok_or_else(wrong)
    }
}

fn verify(args: &VerifyArgs, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let kept = args.kept()?;
    let place = args.log.place(&args.log.config()?)?;
    let (report, kept) = runtime()?.block_on(audited(&place, kept))?;
    match args.json {
        true => say(out, &as_json(&report).to_string())?,
        false => print(&report, kept, out)?,
    }
    match report.fault_count {
        0 => Ok(ExitCode::SUCCESS),
        1 => Err(Failure::new(ErrorKind::Conflict, "the log isn't what it was, see above")),
        count => {
            let message = format!("the log isn't what it was: {count} faults, see above");
            Err(Failure::new(ErrorKind::Conflict, message))
        }
    }
}

/// What was found, and the head that the log was held against: that of a backup's note where no other is given.
async fn audited(
    place: &Place,
    kept: Option<LogHead>,
) -> Result<(Report, Option<LogHead>), Failure> {
    let (noted, damage) = match place {
        Place::Folder(folder) => match backup::noted(folder).await {
            Ok(noted) => (noted, None),
            Err(BackupError::NoBackup { why, .. }) => (None, Some(why)),
            Err(error) => return Err(error.into()),
        },
        Place::Postgres(_) => (None, None),
    };
    let kept = kept.or(noted);
    let mut report = match (walked(place, kept).await, &damage) {
        // What can't be walked through is damaged as the note says.
        (Err(_), Some(why)) => return Err(Failure::new(ErrorKind::Conflict, why.clone())),
        (report, _) => report?,
    };
    if let Some(why) = damage {
        report.damaged(why);
    }
    Ok((report, kept))
}

async fn walked(place: &Place, kept: Option<LogHead>) -> Result<Report, StoreError> {
    let log = place.open_to_read().await?;
    let report = log.audit(kept, |_| ()).await;
    log.close().await;
    report
}

fn print(report: &Report, kept: Option<LogHead>, out: &mut dyn Write) -> Result<(), Failure> {
    for fault in &report.faults {
        say(out, &fault.to_string())?;
    }
    let erased = match report.erased {
        0 => String::new(),
        erased => format!(", of {erased} of them the text is erased"),
    };
    say(
        out,
        &format!("{} events of {} conversations{erased}", report.events, report.conversations),
    )?;
    if report.fault_count == 0 {
        let kept = match kept {
            Some(kept) => format!("; it had the head that was kept at position {}", kept.position),
            None => String::new(),
        };
        say(out, &format!("the chain holds{kept}"))?;
    }
    say(out, &format!("head {}", report.head))
}

fn as_json(report: &Report) -> serde_json::Value {
    json!({
        "events": report.events,
        "conversations": report.conversations,
        "erased": report.erased,
        "head": report.head.to_string(),
        "fault_count": report.fault_count,
        "faults": report.faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn say(out: &mut dyn Write, line: &str) -> Result<(), Failure> {
    writeln!(out, "{line}").map_err(|error| Failure::new(ErrorKind::Internal, error.to_string()))
}
