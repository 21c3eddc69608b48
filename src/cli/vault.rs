//! `backchannel vault`: has back what was masked, for whoever has the private key.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::Failure;
use super::log::LogArgs;
use crate::domain::{ConversationId, ErrorKind, TenantId, TurnId};
use crate::insight::redaction::{VaultOpener, new_vault};
use crate::store::codec::{self, INSIGHT_SEALED};
use crate::store::{KindFilter, MAX_READ, ReadQuery, Store, StoreError, wire};

#[derive(Debug, Subcommand)]
pub enum VaultCommand {
    New(NewArgs),
    Open(OpenArgs),
}

/// Make a key: the private half goes into a file, the public one is printed for the settings
///
/// From then on, what is masked in a conversation is sealed beside it, and the service itself can't open it. Make the
/// key on another machine, or take the file away from the service's: it is the only thing that opens what is sealed.
/// Security codes, one-time codes, passwords, keys and web addresses are never sealed, near talk of codes or passwords only
/// card numbers and IBANs are, and of a card only the number, where it is said or typed at one go.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// Where the private half goes; a file that is there stays as it is
    file: PathBuf,
}

/// Print what the placeholders of a conversation stand for, also while a service runs
///
/// Needs the log, or a restored backup of it, and the private half of the key. What is erased stays erased.
#[derive(Debug, Args)]
pub struct OpenArgs {
    /// The conversation
    id: String,
    /// The file that `vault new` wrote
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    log: LogArgs,
}

/// # Errors
/// The file is there already, or is no key; the log can't be read; something was sealed for another key.
pub fn run(command: &VaultCommand, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    match command {
        VaultCommand::New(args) => make(&args.file, out)?,
        VaultCommand::Open(args) => open(args, out)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn make(file: &Path, out: &mut dyn Write) -> Result<(), Failure> {
    let (public, private) = new_vault()
        .ok_or_else(|| Failure::new(ErrorKind::Internal, "the machine gives no randomness"))?;
    let text = format!(
        "# Opens what Backchannel masked and sealed: whoever has this file can read it.\n\
         # redaction.vault_key = \"{}\"\n{}\n",
        public.to_text(),
        private.to_text()
    );
    write_new(file, text.as_bytes()).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Failure::new(
            ErrorKind::Conflict,
            format!("{} is there already; name another file", file.display()),
        ),
        _ => Failure::of_file(file, &error),
    })?;
    say(out, "[redaction]")?;
    say(out, &format!("vault_key = \"{}\"", public.to_text()))
}

/// A file of its owner's alone.
fn write_new(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(file)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn opener(file: &Path) -> Result<VaultOpener, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::invalid(format!("{}: {error}", file.display())))?;
    let key = text.lines().find_map(VaultOpener::parse);
    let wrong = || format!("{}: there is no line vault-private-1:… in it", file.display());
    key.ok_or_else(|| Failure::invalid(wrong()))
}

fn open(args: &OpenArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let opener = opener(&args.key)?;
    let config = args.log.config()?;
    let id = ConversationId::from(args.id.as_str());
    let turns = args.log.with(&config, |log| {
        let there = log.runtime.block_on(log.store.conversation(&log.tenant, &id))?;
        if there.is_none() {
            let message = format!("there is no conversation {id} of {}", log.tenant);
            return Err(Failure::new(ErrorKind::NotFound, message));
        }
        Ok(log.runtime.block_on(sealed(&log.store, &log.tenant, &id))?)
    })?;
    if turns.is_empty() {
        let message = "nothing of it is sealed: redaction.vault_key wasn't set, or nothing was masked that may be kept";
        return Err(Failure::new(ErrorKind::NotFound, message));
    }
    let mut closed = 0;
    for (turn_id, sealed) in turns {
        let Some(stood_for) = opener.open(&turn_id, &sealed) else {
            closed += 1;
            continue;
        };
        print(&turn_id, stood_for, args.json, out)?;
    }
    match closed {
        0 => Ok(()),
        closed => Err(Failure::new(
            ErrorKind::Denied,
            format!("{closed} turns were sealed for another key than {}", args.key.display()),
        )),
    }
}

fn print(
    turn_id: &TurnId,
    stood_for: BTreeMap<String, String>,
    json: bool,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    for (placeholder, value) in stood_for {
        let line = match json {
            true => {
                let turn_id = turn_id.to_string();
                json!({"turn_id": turn_id, "placeholder": placeholder, "value": value}).to_string()
            }
            // A customer said or wrote it, and a terminal would obey it.
            false => {
                let value = value.replace(char::is_control, "\u{fffd}");
                format!("{turn_id}  {placeholder}  {value}")
            }
        };
        say(out, &line)?;
    }
    Ok(())
}

async fn sealed(
    store: &dyn Store,
    tenant: &TenantId,
    id: &ConversationId,
) -> Result<Vec<(TurnId, String)>, StoreError> {
    let mut query = ReadQuery::all(tenant.clone(), 0).of(id.clone());
    query.kinds = KindFilter::exactly(INSIGHT_SEALED);
    let mut turns = Vec::new();
    loop {
        let page = store.read(&query).await?;
        for event in &page {
            query.after = event.position;
            let one: wire::SecretsSealed = codec::data(event)?;
            turns.push((one.turn_id.into(), one.sealed));
        }
        if page.len() < MAX_READ {
            return Ok(turns);
        }
    }
}

fn say(out: &mut dyn Write, line: &str) -> Result<(), Failure> {
    writeln!(out, "{line}").map_err(|error| Failure::new(ErrorKind::Internal, error.to_string()))
}
