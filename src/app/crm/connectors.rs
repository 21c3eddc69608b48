//! Settings → the systems.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use reqwest::Url;
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{DeskSettings, Systems};
use crate::app::AppError;
use crate::config::{self, Config, Rule as RuleSetting, Secret};
use crate::connect::calendar;
use crate::connect::crm::bottlecrm::{self, BottleCrm};
use crate::connect::crm::{Access, Crm};
use crate::connect::destination::Destination;
use crate::connect::mail::{self, Login, Security, Server};
use crate::connect::teamchat::{
    Bot, BotSettings, Matrix, MatrixSettings, Slack, SlackSettings, Workflows, WorkflowsSettings,
};
use crate::domain::{ErrorKind, Mailbox};
use crate::flow::feedback::outcome::{OutcomeSettings, Rule};

const SYSTEMS: &str =
    "bottlecrm, rt, salesforce, hubspot, servicenow, zendesk, dataverse, odoo or generic";

/// # Errors
/// The setting that can't be used, and why.
pub fn systems(config: &Config, time_zone: TimeZone) -> Result<Systems, AppError> {
    let crm = crm(&config.crm)?;
    let mailbox = mailbox(&config.mail)?;
    let calendar = calendar(config, &time_zone)?;
    let team = team(&config.team)?;
    let writes = &config.crm.writes;
    let outcome = OutcomeSettings {
        note: rule(writes.note),
        call: rule(writes.call),
        case: rule(writes.case),
        task: rule(writes.task),
        mail: rule(writes.mail),
        meeting: rule(writes.meeting),
        crm: crm.as_ref().map(|crm| crm.name().to_owned()),
        mailbox: mailbox.as_ref().map(|mailbox| mailbox.name().to_owned()),
        calendar: calendar.as_ref().map(|calendar| calendar.name().to_owned()),
        sender: sender(config),
        meeting_minutes: config.calendar.meeting_minutes.clamp(1, 24 * 60),
        time_zone,
    };
    let settings = DeskSettings {
        outcome,
        region: config.crm.region.clone(),
        identify_by: config.crm.identify_by.clone(),
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
    let mut names: Vec<&str> = destinations.iter().map(|one| one.0.as_str()).collect();
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(wrong("name", &format!("two systems are called {}", pair[0])));
    }
    Ok(Systems { crm, destinations, settings })
}

fn wrong(setting: &str, problem: &str) -> AppError {
    AppError { kind: ErrorKind::Invalid, message: format!("{setting}: {problem}") }
}

fn rule(setting: RuleSetting) -> Rule {
    match setting {
        RuleSetting::Automatic => Rule::Automatic,
        RuleSetting::Ask => Rule::Ask,
        RuleSetting::Never => Rule::Never,
    }
}

fn secret(secret: &Secret) -> SecretString {
    SecretString::from(secret.expose().to_owned())
}

fn url(setting: &str, text: Option<&str>) -> Result<Url, AppError> {
    let text = text.ok_or_else(|| wrong(setting, "is missing"))?;
    text.parse().map_err(|_| wrong(setting, "must be http(s)://host…"))
}

/// What only this system has.
fn options<T: DeserializeOwned>(settings: &config::Crm) -> Result<T, AppError> {
    let table: toml::Table = settings.options.clone().into_iter().collect();
    let read = toml::Value::Table(table).try_into();
    read.map_err(|error: toml::de::Error| wrong("crm.options", error.message()))
}

fn token(settings: &config::Crm) -> Result<SecretString, AppError> {
    match (&settings.token, &settings.token_file) {
        (Some(token), None) => Ok(secret(token)),
        (None, Some(file)) => {
            let text = std::fs::read_to_string(file)
                .map_err(|error| wrong("crm.token_file", &format!("can't be read: {error}")))?;
            Ok(SecretString::from(text.trim().to_owned()))
        }
        (None, None) => Err(wrong("crm.token", "is missing; or name a file in crm.token_file")),
        (Some(_), Some(_)) => Err(wrong("crm.token_file", "is given besides crm.token")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct BottleOptions {
    web: Option<String>,
    tier_field: String,
    value_field: String,
    open_statuses: Vec<String>,
    new_status: String,
    priority: String,
    case_type: String,
}

impl Default for BottleOptions {
    fn default() -> Self {
        let usual = bottlecrm::Settings::new(nowhere(), SecretString::from(""));
        Self {
            web: None,
            tier_field: usual.tier_field,
            value_field: usual.value_field,
            open_statuses: usual.open_statuses,
            new_status: usual.new_status,
            priority: usual.priority,
            case_type: usual.case_type,
        }
    }
}

/// For defaults that don't depend on it.
fn nowhere() -> Access {
    Access {
        name: String::new(),
        url: Url::parse("http://localhost").expect("a constant; this is a bug"),
        patience: Duration::ZERO,
        region: String::new(),
    }
}

fn crm(settings: &config::Crm) -> Result<Option<Arc<dyn Crm>>, AppError> {
    let Some(system) = &settings.system else { return Ok(None) };
    let access = Access {
        name: settings.name.clone(),
        url: url("crm.url", settings.url.as_deref())?,
        patience: Duration::from_millis(settings.patience_ms.max(1)),
        region: settings.region.clone(),
    };
    let refused = |problem: String| wrong("crm", &problem);
    let made: Arc<dyn Crm> = match system.as_str() {
        "bottlecrm" => {
            let own: BottleOptions = options(settings)?;
            Arc::new(
                BottleCrm::new(bottlecrm::Settings {
                    access,
                    token: token(settings)?,
                    web: own
                        .web
                        .as_deref()
                        .map(|web| url("crm.options.web", Some(web)))
                        .transpose()?,
                    tier_field: own.tier_field,
                    value_field: own.value_field,
                    open_statuses: own.open_statuses,
                    new_status: own.new_status,
                    priority: own.priority,
                    case_type: own.case_type,
                })
                .map_err(refused)?,
            )
        }
        other => return Err(wrong("crm.system", &format!("is {SYSTEMS}, not `{other}`"))),
    };
    Ok(Some(made))
}

/// Who writes mails and invites.
fn sender(config: &Config) -> Option<Mailbox> {
    let (mail, calendar) = (&config.mail, &config.calendar);
    let own = calendar
        .organizer
        .as_ref()
        .map(|address| Mailbox { name: calendar.organizer_name.clone(), address: address.clone() });
    own.or_else(|| {
        let address = mail.from.clone()?;
        Some(Mailbox { name: mail.from_name.clone(), address })
    })
}

fn mailbox(settings: &config::Mail) -> Result<Option<Arc<dyn Destination>>, AppError> {
    let Some(from) = &settings.from else { return Ok(None) };
    let missing = |setting: &str| wrong(setting, "is missing");
    let imap = settings.imap.as_deref().ok_or_else(|| missing("mail.imap"))?;
    let imap = server("mail.imap", imap, [("imaps", 993), ("imap", 143)])?;
    let smtp = settings.smtp.as_deref();
    let smtp = smtp.map(|text| server("mail.smtp", text, [("smtps", 465), ("smtp", 587)]));
    let password = settings.password.as_ref().ok_or_else(|| missing("mail.password"))?;
    let login = Login {
        user: settings.user.clone().unwrap_or_else(|| from.clone()),
        secret: mail::Secret::Password(secret(password)),
    };
    let made = mail::Mail::new(mail::Settings {
        name: settings.name.clone(),
        from: Mailbox { name: settings.from_name.clone(), address: from.clone() },
        imap,
        smtp: smtp.transpose()?,
        login,
        folders: mail::Folders {
            drafts: settings.drafts_folder.clone(),
            sent: settings.sent_folder.clone(),
            trash: None,
        },
        sent_copy: mail::SentCopy::default(),
        invitations: mail::Invitations::default(),
        patience: Duration::from_millis(settings.patience_ms.max(1)),
    });
    Ok(Some(Arc::new(made.map_err(|problem| wrong("mail", &problem))?)))
}

/// `imaps://host:993`: encrypted from the first byte; `imap://host`: after STARTTLS, or plain on this machine with
/// `imap+plain://127.0.0.1:143`.
fn server(setting: &str, text: &str, schemes: [(&str, u16); 2]) -> Result<Server, AppError> {
    let [(implicit, implicit_port), (starttls, starttls_port)] = schemes;
    let shape = || wrong(setting, &format!("must be {implicit}://host or {starttls}://host"));
    let (scheme, rest) = text.split_once("://").ok_or_else(shape)?;
    let plain = format!("{starttls}+plain");
    let (security, usual) = match scheme {
        _ if scheme == implicit => (Security::Implicit, implicit_port),
        _ if scheme == starttls => (Security::StartTls, starttls_port),
        _ if scheme == plain => (Security::Plain, starttls_port),
        _ => return Err(shape()),
    };
    let (host, port) = match rest.trim_end_matches('/').rsplit_once(':') {
        Some((host, port)) => (host, port.parse().map_err(|_| shape())?),
        None => (rest.trim_end_matches('/'), usual),
    };
    Ok(Server { host: host.to_owned(), port, security, ca_file: None })
}

fn calendar(
    config: &Config,
    time_zone: &TimeZone,
) -> Result<Option<Arc<dyn Destination>>, AppError> {
    let settings = &config.calendar;
    if settings.url.is_none() {
        return Ok(None);
    }
    let organizer = sender(config)
        .ok_or_else(|| wrong("calendar.organizer", "is missing; or give mail.from"))?;
    let password = settings.password.as_ref();
    let password = password.ok_or_else(|| wrong("calendar.password", "is missing"))?;
    let made = calendar::CalDav::new(calendar::Settings {
        name: settings.name.clone(),
        url: url("calendar.url", settings.url.as_deref())?,
        user: settings.user.clone(),
        password: secret(password),
        organizers: vec![organizer.address],
        server_invites: settings.server_invites,
        time_zone: time_zone.iana_name().unwrap_or("UTC").to_owned(),
        patience: Duration::from_millis(settings.patience_ms.max(1)),
    });
    Ok(Some(Arc::new(made.map_err(|problem| wrong("calendar", &problem))?)))
}

type Team = (&'static str, Arc<dyn Destination>);

fn team(settings: &config::Team) -> Result<Option<Team>, AppError> {
    let Some(system) = &settings.system else { return Ok(None) };
    let name = settings.name.clone();
    let patience = Duration::from_millis(settings.patience_ms.max(1));
    let address = |usual: Option<&str>| url("team.url", settings.url.as_deref().or(usual));
    let token = || {
        let token = settings.token.as_ref().ok_or_else(|| wrong("team.token", "is missing"));
        token.map(secret)
    };
    let user = || settings.user.clone().ok_or_else(|| wrong("team.user", "is missing"));
    let refused = |problem: String| wrong("team", &problem);
    Ok(Some(match system.as_str() {
        "matrix" => {
            let (url, token, user) = (address(None)?, token()?, user()?);
            let made = Matrix::new(MatrixSettings { name, url, token, user, patience });
            ("matrix", Arc::new(made.map_err(refused)?))
        }
        "slack" => {
            let (url, token) = (address(Some("https://slack.com"))?, token()?);
            let made = Slack::new(SlackSettings { name, url, token, patience });
            ("slack", Arc::new(made.map_err(refused)?))
        }
        "workflows" => {
            let rooms: BTreeMap<String, SecretString> =
                settings.rooms.iter().map(|(room, at)| (room.clone(), secret(at))).collect();
            let made = Workflows::new(WorkflowsSettings { name, rooms, patience });
            ("workflows", Arc::new(made.map_err(refused)?))
        }
        "bot" => {
            let read = |text: &String| url("team.service_urls", Some(text));
            let service_urls = settings.service_urls.iter().map(read).collect::<Result<_, _>>()?;
            let made = Bot::new(BotSettings {
                name,
                app_id: user()?,
                app_secret: token()?,
                tenant: settings.tenant.clone(),
                login_url: address(Some("https://login.microsoftonline.com"))?,
                service_urls,
                patience,
            });
            ("bot", Arc::new(made.map_err(refused)?))
        }
        other => {
            let all = "matrix, slack, workflows or bot";
            return Err(wrong("team.system", &format!("is {all}, not `{other}`")));
        }
    }))
}
