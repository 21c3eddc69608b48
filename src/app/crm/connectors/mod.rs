//! Settings → the systems, made and not yet asked for anything. Every mistake names its setting, as it stands in the
//! file.

mod crms;
mod office;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use reqwest::Url;
use secrecy::SecretString;

use super::{DeskSettings, Systems};
use crate::app::AppError;
use crate::config::{Config, Login, Rule as RuleSetting, Secret};
use crate::connect::crm::Crm;
use crate::connect::destination::Destination;
use crate::connect::mail;
use crate::domain::{ErrorKind, Progress};
use crate::flow::feedback::outcome::{OutcomeSettings, Rule};

/// What came of settings: a mistake is a line, or several, each with its setting.
type Made<T> = Result<T, String>;

/// # Errors
/// # Errors
/// The setting that can't be used, and why.
pub fn inbox(config: &Config) -> Result<Option<mail::Inbox>, AppError> {
    office::inbox(&config.mail).map_err(invalid)
}

/// All settings that can't be used, a line each: which, and why.
pub fn systems(config: &Config, time_zone: TimeZone) -> Result<Systems, AppError> {
    let crm = crms::crm(&config.crm);
    let mailbox = office::mailbox(&config.mail);
    let calendar = office::calendar(config, &time_zone);
    let team = office::team(&config.team);
    let (crm, mailbox, calendar, team) = match (crm, mailbox, calendar, team) {
        (Ok(crm), Ok(mailbox), Ok(calendar), Ok(team)) => (crm, mailbox, calendar, team),
        (crm, mailbox, calendar, team) => {
            let all = [crm.err(), mailbox.err(), calendar.err(), team.err()];
            return Err(invalid(all.into_iter().flatten().collect::<Vec<String>>().join("\n")));
        }
    };
    let writes = &config.crm.writes;
    let outcome = OutcomeSettings {
        note: rule(writes.note),
        call: rule(writes.call),
        case: rule(writes.case),
        task: rule(writes.task),
        mail: rule(writes.mail),
        meeting: rule(writes.meeting),
        status: rule(writes.status),
        case_statuses: config.crm.case_statuses.clone(),
        crm: crm.as_ref().map(|crm| crm.name().to_owned()),
        mailbox: mailbox.as_ref().map(|mailbox| mailbox.name().to_owned()),
        calendar: calendar.as_ref().map(|calendar| calendar.name().to_owned()),
        sender: office::sender(config),
        invites: office::invites(config),
        meeting_minutes: config.calendar.meeting_minutes.clamp(1, 24 * 60),
        time_zone,
    };
    let settings = DeskSettings {
        outcome,
        region: region(&config.crm.region).map_err(invalid)?,
        identify_by: config.crm.identify_by.clone(),
        settle: settle(config.crm.settle_ms).map_err(invalid)?,
        pushes_articles: writes.articles,
        automatic_after: Duration::from_secs(writes.automatic_after_s),
        room: config.team.room.clone(),
        public_url: config.serve.public_url.clone(),
    };
    let mut destinations: Vec<(String, &'static str, &'static str, Arc<dyn Destination>)> =
        Vec::new();
    if let Some(crm) = &crm {
        let to: Arc<dyn Destination> = Arc::<dyn Crm>::clone(crm);
        destinations.push((crm.name().to_owned(), "crm", crm.system(), to));
    }
    let others = [(mailbox, "mail", "imap"), (calendar, "calendar", "caldav")];
    for (found, kind, system) in others {
        destinations.extend(found.map(|to| (to.name().to_owned(), kind, system, to)));
    }
    destinations.extend(team.map(|(system, to)| (to.name().to_owned(), "team", system, to)));
    // The outbox knows systems by their names alone.
    for (at, (name, kind, ..)) in destinations.iter().enumerate() {
        if let Some((_, other, ..)) = destinations[..at].iter().find(|(one, ..)| one == name) {
            return Err(invalid(format!("{kind}.name: is {name:?}, as {other}.name is")));
        }
    }
    Ok(Systems { crm, destinations, settings })
}

fn invalid(message: String) -> AppError {
    AppError { kind: ErrorKind::Invalid, message }
}

fn rule(setting: RuleSetting) -> Rule {
    match setting {
        RuleSetting::Automatic => Rule::Automatic,
        RuleSetting::Ask => Rule::Ask,
        RuleSetting::Never => Rule::Never,
    }
}

/// What a connector says of its settings begins with a name of its own; `places` says where that stands in the file,
/// and it stands below `usual` where they don't.
fn placed(problem: &str, usual: &str, places: &[(&str, &str)]) -> String {
    let line = |line: &str| {
        let (setting, what) = line.split_once(' ').unwrap_or((line, "can't be used"));
        let setting = setting.trim_end_matches(':');
        match places.iter().find(|(name, _)| *name == setting) {
            Some((_, place)) => format!("{place}: {what}"),
            None => format!("{usual}.{setting}: {what}"),
        }
    };
    problem.lines().map(line).collect::<Vec<String>>().join("\n")
}

fn secret(secret: &Secret) -> SecretString {
    SecretString::from(secret.expose().to_owned())
}

fn url(setting: &str, text: Option<&str>) -> Made<Url> {
    let text = text.ok_or_else(|| format!("{setting}: is missing"))?;
    text.parse().map_err(|_| format!("{setting}: must be http(s)://host…"))
}

/// Where numbers without a country code are. One that nobody knows would match nobody's.
fn region(code: &str) -> Made<String> {
    let code = code.trim().to_uppercase();
    if code.parse::<phonenumber::country::Id>().is_ok() {
        return Ok(code);
    }
    // What people write where ISO 3166-1 has another code.
    let meant = match code.as_str() {
        "UK" | "EN" => "; the United Kingdom is GB",
        "EL" => "; Greece is GR",
        _ => ", such as GB",
    };
    Err(format!("crm.region: must be a country's two letters in ISO 3166-1{meant}"))
}

/// As long as a try may be put off, and no longer.
fn settle(milliseconds: u64) -> Made<Duration> {
    let settle = Duration::from_millis(milliseconds);
    match settle <= Progress::PAUSE_MAX {
        true => Ok(settle),
        false => Err(format!("crm.settle_ms: must be at most {}", Progress::PAUSE_MAX.as_millis())),
    }
}

fn patience(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds.max(1))
}

/// A secret in a file of its own.
fn secret_file(setting: &str, file: &Path) -> Made<SecretString> {
    let text = fs::read_to_string(file)
        .map_err(|error| format!("{setting}: {}: {error}", file.display()))?;
    match text.trim() {
        "" => Err(format!("{setting}: {}: is empty", file.display())),
        text => Ok(text.to_owned().into()),
    }
}

/// Refuses what isn't heeded: whoever wrote it believes that it is.
fn only(login: &Login, section: &str, system: &str, used: &[&str]) -> Made<()> {
    let stray = login.given().into_iter().filter(|name| !used.contains(name));
    let lines: Vec<String> =
        stray.map(|name| format!("{section}.{name}: isn't used by {system}")).collect();
    if lines.is_empty() { Ok(()) } else { Err(lines.join("\n")) }
}

/// An application's identifier and secret; `None` where neither is given.
fn client(login: &Login, section: &str) -> Made<Option<(String, SecretString)>> {
    match (&login.client_id, &login.client_secret) {
        (Some(id), Some(key)) => Ok(Some((id.clone(), secret(key)))),
        (None, None) => Ok(None),
        (None, Some(_)) => Err(format!("{section}.client_id: is missing")),
        (Some(_), None) => Err(format!("{section}.client_secret: is missing")),
    }
}
