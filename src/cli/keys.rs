//! `backchannel keys`: who may come in with an API key. Works beside a running service, which heeds a change within
//! a second.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::runtime::Builder;

use super::Failure;
use crate::config::{Config, home_folder};
use crate::domain::{AccessRole, ErrorKind, TenantId};
use crate::serve::auth::MadeKey;
use crate::store::access::{AccessFile, KeyRow, Revoked};

const NAME_CHARS_MAX: usize = 120;
const TENANT_CHARS_MAX: usize = 64;

#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make a key and show it, once
    Add(AddArgs),
    /// List the keys, with everything but themselves
    List(ListArgs),
    /// End a key; streams and sessions that it opened end within seconds
    Revoke(RevokeArgs),
}

#[derive(Debug, Args)]
struct Place {
    /// Folder of the event log [default: ~/.local/share/backchannel]
    #[arg(long, visible_alias = "store", value_name = "DIR")]
    data: Option<PathBuf>,
    /// Settings file (TOML)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data folder of `serve --demo`
    #[arg(long)]
    demo: bool,
}

#[derive(Debug, Args)]
pub struct AddArgs {
    /// Who has it; stands in histories and in the audit log
    name: String,
    /// batch, service, agent, knowledge_manager, supervisor or admin
    #[arg(long, value_parser = role)]
    role: AccessRole,
    /// Whose conversations it opens [default: default, or demo with --demo]
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// When it ends: 90d, 12h, or a day such as 2027-12-31, with which it ends (UTC); never unless told
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
pub struct ListArgs {
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
pub struct RevokeArgs {
    /// As `keys list` shows it
    id: String,
    #[command(flatten)]
    place: Place,
}

fn role(name: &str) -> Result<AccessRole, String> {
    AccessRole::parse(name).ok_or_else(|| format!("a role is {}", AccessRole::NAMES))
}

/// # Errors
/// An argument is wrong, or the file can't be read or written.
pub fn run(command: &KeysCommand, out: &mut impl Write) -> Result<(), Failure> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(ErrorKind::Internal, error.to_string()))?;
    runtime.block_on(async {
        match command {
            KeysCommand::Add(args) => add(args, out).await,
            KeysCommand::List(args) => list(args, out).await,
            KeysCommand::Revoke(args) => revoke(args, out).await,
        }
    })
}

async fn add(args: &AddArgs, out: &mut impl Write) -> Result<(), Failure> {
    let now = Timestamp::now();
    let usual = if args.place.demo { "demo" } else { "default" };
    let made = MadeKey::fresh();
    let row = KeyRow {
        id: made.id,
        name: plain("the name", &args.name, NAME_CHARS_MAX)?,
        tenant: TenantId::from(plain(
            "--tenant",
            args.tenant.as_deref().unwrap_or(usual),
            TENANT_CHARS_MAX,
        )?),
        role: args.role,
        hash: made.hash,
        created_at: now,
        expires_at: args.expires.as_deref().map(|text| end(text, now)).transpose()?,
        revoked_at: None,
        last_used_at: None,
    };
    let file = args.place.open().await?;
    let added = file.add(&row, &user()).await;
    file.close().await;
    added?;
    let until = row
        .expires_at
        .map_or_else(|| "until it is revoked".to_owned(), |end| format!("until {end}"));
    eprintln!(
        "key {} for {} ({}, tenant {}), {until}; it is shown this once:",
        row.id,
        row.name,
        row.role,
        row.tenant.as_str()
    );
    say(writeln!(out, "{}", made.key))
}

async fn list(args: &ListArgs, out: &mut impl Write) -> Result<(), Failure> {
    let file = args.place.open().await?;
    let keys = file.keys().await;
    file.close().await;
    let keys = keys?;
    let now = Timestamp::now();
    if args.json {
        for key in &keys {
            say(writeln!(out, "{}", as_json(key, now)))?;
        }
        return Ok(());
    }
    if keys.is_empty() {
        eprintln!("there are no keys; `backchannel keys add NAME --role agent` makes one");
        return Ok(());
    }
    let heads = ["ID", "NAME", "ROLE", "TENANT", "STATE", "MADE", "ENDS", "LAST USED"];
    let lines: Vec<[String; 8]> = std::iter::once(heads.map(str::to_owned))
        .chain(keys.iter().map(|key| as_line(key, now)))
        .collect();
    for line in &lines {
        let cells = line.iter().enumerate().map(|(column, cell)| {
            let width = lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
            format!("{cell:width$}")
        });
        say(writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end()))?;
    }
    Ok(())
}

async fn revoke(args: &RevokeArgs, out: &mut impl Write) -> Result<(), Failure> {
    let file = args.place.open().await?;
    let revoked = file.revoke(&args.id, Timestamp::now(), &user()).await;
    file.close().await;
    match revoked? {
        Revoked::Now => say(writeln!(out, "key {} opens nothing any more", args.id)),
        Revoked::Before => say(writeln!(out, "key {} was revoked before", args.id)),
        Revoked::NoSuchKey => Err(Failure::new(
            ErrorKind::NotFound,
            format!("there is no key {}; `backchannel keys list` shows all", args.id),
        )),
    }
}

impl Place {
    async fn open(&self) -> Result<AccessFile, Failure> {
        let folder = match (&self.data, self.demo) {
            (Some(folder), _) => folder.clone(),
            (None, true) => home_folder("XDG_DATA_HOME", ".local/share").join("backchannel-demo"),
            (None, false) => Config::load(self.config.as_deref(), std::env::vars())?.store.folder,
        };
        Ok(AccessFile::open(&folder).await?)
    }
}

fn state(key: &KeyRow, now: Timestamp) -> &'static str {
    match (key.is_good_at(now), key.revoked_at) {
        (true, _) => "good",
        (false, Some(_)) => "revoked",
        (false, None) => "ended",
    }
}

fn as_line(key: &KeyRow, now: Timestamp) -> [String; 8] {
    let minute = |time: Timestamp| time.strftime("%Y-%m-%d %H:%M").to_string();
    let or_dash = |time: Option<Timestamp>| time.map_or_else(|| "-".to_owned(), minute);
    [
        key.id.clone(),
        key.name.clone(),
        key.role.to_string(),
        key.tenant.to_string(),
        state(key, now).to_owned(),
        minute(key.created_at),
        or_dash(key.revoked_at.or(key.expires_at)),
        or_dash(key.last_used_at),
    ]
}

fn as_json(key: &KeyRow, now: Timestamp) -> serde_json::Value {
    json!({
        "id": key.id, "name": key.name, "role": key.role.as_str(), "tenant": key.tenant.as_str(),
        "state": state(key, now), "created_at": key.created_at, "expires_at": key.expires_at,
        "revoked_at": key.revoked_at, "last_used_at": key.last_used_at,
    })
}

fn plain(what: &str, text: &str, chars_max: usize) -> Result<String, Failure> {
    let text = text.trim();
    let fits = !text.is_empty()
        && text.chars().count() <= chars_max
        && !text.chars().any(char::is_control);
    match fits {
        true => Ok(text.to_owned()),
        false => Err(Failure::invalid(format!(
            "{what} has 1 to {chars_max} characters, all in one line"
        ))),
    }
}

/// `90d`, `12h`, or a day, at whose end (UTC) it is over.
fn end(text: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    let wrong = || {
        Failure::invalid(format!(
            "--expires is a time from now such as 90d or 12h, or a day to come such as 2027-12-31, not {text:?}"
        ))
    };
    let hours = |number: &str, each: i64| {
        let number: i64 = number.parse().ok().filter(|number| *number > 0)?;
        now.checked_add(SignedDuration::from_hours(number.checked_mul(each)?)).ok()
    };
    let end = match (text.strip_suffix('d'), text.strip_suffix('h')) {
        (Some(days), _) => hours(days, 24),
        (_, Some(number)) => hours(number, 1),
        _ => {
            let day: Option<jiff::civil::Date> = text.parse().ok();
            let after = day.and_then(|day| day.tomorrow().ok());
            after.and_then(|day| day.to_zoned(TimeZone::UTC).ok()).map(|start| start.timestamp())
        }
    };
    end.filter(|end| *end > now).ok_or_else(wrong)
}

/// Who is at the machine, for the audit log.
pub(super) fn user() -> String {
    let named = ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(|name| {
        std::env::var(name).ok().filter(|user| !user.is_empty() && user.len() <= 64)
    });
    named.unwrap_or_else(|| "somebody at the machine".to_owned())
}

fn say(written: std::io::Result<()>) -> Result<(), Failure> {
    written.map_err(|error| Failure::new(ErrorKind::Internal, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_end_when_they_should() {
        let now: Timestamp = "2026-11-28T12:30:00Z".parse().expect("a time");
        for (text, expected) in [
            ("90d", "2027-02-26T12:30:00Z"),
            ("12h", "2026-11-29T00:30:00Z"),
            ("2026-11-28", "2026-11-29T00:00:00Z"),
            ("2027-12-31", "2028-01-01T00:00:00Z"),
        ] {
            let expected: Timestamp = expected.parse().expect("a time");
            assert_eq!(end(text, now).ok(), Some(expected), "{text}");
        }
        for wrong in
            ["", "d", "0d", "-1d", "1w", "2026-11-27", "31.12.2027", "99999999999999999999d"]
        {
            assert!(end(wrong, now).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_key_is_made_listed_and_revoked() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = || Place { data: Some(folder.path().to_owned()), config: None, demo: false };
        let told = |command: &KeysCommand| {
            let mut out = Vec::new();
            let done = run(command, &mut out).map_err(|failure| failure.message);
            done.map(|()| String::from_utf8(out).expect("UTF-8"))
        };
        let add = |name: &str| {
            told(&KeysCommand::Add(AddArgs {
                name: name.to_owned(),
                role: AccessRole::Supervisor,
                tenant: None,
                expires: Some("30d".to_owned()),
                place: place(),
            }))
        };
        let key = add("Ada").expect("made");
        let (id, _) =
            key.trim().strip_prefix("bck_").and_then(|key| key.split_once('_')).expect("a key");
        assert!(add("A\nda").expect_err("no name").contains("one line"));
        let list =
            |json| told(&KeysCommand::List(ListArgs { json, place: place() })).expect("read");
        let lines = list(false);
        assert!(lines.contains(id) && lines.contains("supervisor") && lines.contains("good"));
        assert!(!list(true).contains(key.trim()), "a key is shown once");
        let revoke =
            |id: &str| told(&KeysCommand::Revoke(RevokeArgs { id: id.to_owned(), place: place() }));
        assert!(revoke(id).expect("known").contains("opens nothing"));
        assert!(revoke(id).expect("known").contains("before"));
        assert!(revoke("x").expect_err("unknown").contains("no key x"));
        assert!(list(true).contains("\"revoked\""));
        let stored = std::fs::read(folder.path().join("access.sqlite")).expect("a file");
        let secret = key.trim().as_bytes();
        assert!(!stored.windows(secret.len()).any(|piece| piece == secret));
    }
}
