//! `backchannel erase` and `backchannel retention`.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use jiff::Timestamp;

use super::Failure;
use super::keys::user;
use super::log::{PlaceArgs, runtime};
use crate::app::erasure::{Files, Gone, Sweep, Wanted, erase, parse};
use crate::config::Config;
use crate::domain::{AuditActor, ErrorKind};
use crate::serve::Certificate;
use crate::store::{EventLog, Place, Store as _};

/// Erase what a contact said and what was made of it, while no service runs
///
/// Events keep their kind, time and place in the hash chain, and nothing else. The key of the conversations' backups
/// is destroyed. What was written into other systems is listed and must be erased there. While a service runs,
/// POST /v1/erasures does the same; --dry-run works beside it.
#[derive(Debug, Args)]
pub struct EraseArgs {
    /// A telephone number, an e-mail address or the CRM's identifier; phone:, email: or id: before it says what it is
    #[arg(long = "contact", value_name = "WHO")]
    contacts: Vec<String>,
    /// A conversation that nothing else says is theirs
    #[arg(long = "conversation", value_name = "ID", required_unless_present = "contacts")]
    conversations: Vec<String>,
    /// Whose conversations
    #[arg(long, default_value = "default", value_name = "NAME")]
    tenant: String,
    /// Say what would go, and erase nothing
    #[arg(long)]
    dry_run: bool,
    /// Where the certificate goes; without it, to the standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    log: PlaceArgs,
}

/// Erase what is older than the settings `[retention]` allow, as a service does every hour
#[derive(Debug, Args)]
pub struct RetentionArgs {
    /// Say what would go, also beside a running service, and erase nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    log: PlaceArgs,
}

/// The data folder that belongs to a log.
fn folder(args: &PlaceArgs, config: &Config) -> Result<(Place, PathBuf), Failure> {
    let place = args.place(config)?;
    let folder = match &place {
        Place::Folder(folder) => folder.clone(),
        Place::Postgres(_) => config.store.folder.clone(),
    };
    Ok((place, folder))
}

async fn open(place: &Place, dry_run: bool) -> Result<EventLog, Failure> {
    Ok(match dry_run {
        true => place.open_to_read().await?,
        // Never makes one.
        false => {
            place.open_to_read().await?.close().await;
            place.open(Arc::new(|_| ())).await?
        }
    })
}

/// # Errors
/// A service runs, a conversation is still going on, or the log can't be written.
pub fn run(args: &EraseArgs, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let config = args.log.config()?;
    let (place, folder) = folder(&args.log, &config)?;
    let region = config.crm.region.clone();
    let mut contacts = Vec::new();
    for text in &args.contacts {
        let keys = parse(text, &region);
        if keys.is_empty() {
            return Err(Failure::invalid(format!("--contact {text}: it is nobody's")));
        }
        contacts.extend(keys);
    }
    let wanted = Wanted {
        tenant: args.log.tenant_or(&args.tenant),
        contacts,
        conversations: args.conversations.iter().map(|id| id.as_str().into()).collect(),
        region,
        by: AuditActor { name: user(), role: None, proof: "shell" },
        dry_run: args.dry_run,
    };
    // Before anything goes: whoever asked must get it.
    let mut file = args.out.as_deref().map(new_file).transpose()?;
    let erased = runtime()?.block_on(async {
        let log = open(&place, args.dry_run).await?;
        let erased = erase(&log, &place, &Files { folder }, wanted).await;
        log.close().await;
        Ok::<_, Failure>(erased?)
    });
    if let (Err(_), Some(file)) = (&erased, &args.out) {
        // It is empty.
        let _ = std::fs::remove_file(file);
    }
    let certificate = erased?;
    let text = serde_json::to_string_pretty(&certificate)
        .map_err(|error| Failure::new(ErrorKind::Internal, error.to_string()))?;
    match (&mut file, &args.out) {
        (Some(file), Some(path)) => {
            if let Err(error) = file.write_all(format!("{text}\n").as_bytes()) {
                // It is done, and there is no other proof of it.
                say(out, &text)?;
                return Err(Failure::of_file(path, &error));
            }
            print(&certificate, out)?;
        }
        _ => say(out, &text)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn new_file(path: &Path) -> Result<File, Failure> {
    File::create_new(path).map_err(|error| {
        let message = match error.kind() {
            std::io::ErrorKind::AlreadyExists => {
                format!("{} is there already; name another file", path.display())
            }
            _ => format!("{}: {error}; nothing was erased", path.display()),
        };
        Failure::new(ErrorKind::of_named_file(&error), message)
    })
}

fn print(certificate: &Certificate, out: &mut dyn Write) -> Result<(), Failure> {
    let content = &certificate.content;
    let erased = &content.erased;
    let what = if content.dry_run { "would be erased" } else { "erased" };
    say(
        out,
        &format!(
            "{} conversations {what}: {} events, {} effects, {} batches",
            content.conversations.len(),
            erased.events.values().sum::<u64>(),
            erased.deliveries,
            erased.batches
        ),
    )?;
    for one in &content.elsewhere {
        let id = one.remote_id.as_deref().unwrap_or("no identifier is known");
        say(out, &format!("stays in {}: {} ({id})", one.destination, one.operation))?;
    }
    for id in &content.running_batches {
        say(out, &format!("batch {id} isn't over and may name them: erase again when it is"))?;
    }
    say(out, &format!("head {}", content.head))
}

/// # Errors
/// A service runs, or the log can't be written.
pub fn retention(args: &RetentionArgs, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let config = args.log.config()?;
    let (place, folder) = folder(&args.log, &config)?;
    let settings = config.retention.clone();
    if settings.keeps_all() {
        say(out, "the settings [retention] keep everything for ever")?;
        return Ok(ExitCode::SUCCESS);
    }
    let gone = runtime()?.block_on(async {
        let log = Arc::new(open(&place, args.dry_run).await?);
        let mut sweep = Sweep::new(Arc::clone(&log), Arc::new(Files { folder }), settings);
        let mut gone = sweep.run(Timestamp::now(), args.dry_run).await;
        if gone.is_ok() && !args.dry_run {
            let scrubbed = log.scrub().await;
            gone = scrubbed.map_err(Into::into).and(gone);
        }
        log.close().await;
        Ok::<_, Failure>(gone?)
    })?;
    let what = if args.dry_run { "would go" } else { "gone" };
    for one in &gone {
        say(out, &line(one, what))?;
    }
    if gone.is_empty() {
        say(out, "nothing is older than the settings [retention] allow")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn line(gone: &Gone, what: &str) -> String {
    format!("{}, {gone} {what}", gone.tenant)
}

fn say(out: &mut dyn Write, line: &str) -> Result<(), Failure> {
    writeln!(out, "{line}").map_err(|error| Failure::new(ErrorKind::Internal, error.to_string()))
}
