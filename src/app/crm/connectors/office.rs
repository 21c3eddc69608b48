//! `[mail]`, `[calendar]` and `[team]`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use secrecy::SecretString;

use super::{Made, client, only, patience, placed, secret, url};
use crate::config::{self, Config, SentCopy};
use crate::connect::calendar;
use crate::connect::destination::Destination;
use crate::connect::http::segment;
use crate::connect::mail::{self, Login, Security, Server};
use crate::connect::oauth::{Credentials, Door, Grant, GrantKind};
use crate::connect::teamchat::{
    Bot, BotSettings, Matrix, MatrixSettings, Slack, SlackSettings, Workflows, WorkflowsSettings,
};
use crate::domain::Mailbox;

const ENTRA: &str = "https://login.microsoftonline.com";
/// What Exchange Online gives an application that may open mailboxes by IMAP and SMTP.
const EXCHANGE: &str = "https://outlook.office365.com/.default";

fn missing(setting: &str) -> String {
    format!("{setting}: is missing")
}

/// Who writes mails and invites.
pub(super) fn sender(config: &Config) -> Option<Mailbox> {
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

/// Whether the mailbox may invite to meetings: it can send, in the organizer's name, and no calendar server invites.
pub(super) fn invites(config: &Config) -> bool {
    let is_own = |from: &String| {
        sender(config).is_some_and(|organizer| organizer.address.eq_ignore_ascii_case(from))
    };
    config.mail.smtp.is_some()
        && config.mail.from.as_ref().is_some_and(is_own)
        && !(config.calendar.url.is_some() && config.calendar.server_invites)
}

/// The folder whose new mails are conversations.
pub(super) fn inbox(settings: &config::Mail) -> Made<Option<mail::Inbox>> {
    let Some(from) = settings.from.as_ref().filter(|_| settings.conversations) else {
        return Ok(None);
    };
    if settings.smtp.is_none() {
        return Err("mail.smtp: is missing; without it nobody could reply".to_owned());
    }
    let (imap, login) = (imap(settings)?, login(settings, from)?);
    let folder = settings.inbox_folder.clone();
    let made = mail::Inbox::new(&imap, &login, folder, patience(settings.patience_ms));
    made.map(Some).map_err(|problem| format!("mail.imap: {problem}"))
}

fn imap(settings: &config::Mail) -> Made<Server> {
    let imap = settings.imap.as_deref().ok_or_else(|| missing("mail.imap"))?;
    trusting(settings, "mail.imap", imap, [("imaps", 993), ("imap", 143)])
}

fn trusting(
    settings: &config::Mail,
    setting: &str,
    text: &str,
    schemes: [(&str, u16); 2],
) -> Made<Server> {
    let server = server(setting, text, schemes)?;
    Ok(Server { ca_file: settings.ca_file.clone(), ..server })
}

fn login(settings: &config::Mail, from: &str) -> Made<Login> {
    let user = settings.user.clone().unwrap_or_else(|| from.to_owned());
    Ok(Login { user, secret: opening(settings)? })
}

pub(super) fn mailbox(settings: &config::Mail) -> Made<Option<Arc<dyn Destination>>> {
    let Some(from) = &settings.from else {
        // Without a sender nothing of it counts.
        let is_meant = settings.imap.is_some() || settings.smtp.is_some();
        return if is_meant { Err(missing("mail.from")) } else { Ok(None) };
    };
    let (imap, login) = (imap(settings)?, login(settings, from)?);
    let smtp = settings.smtp.as_deref();
    let smtp =
        smtp.map(|text| trusting(settings, "mail.smtp", text, [("smtps", 465), ("smtp", 587)]));
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
        sent_copy: match settings.sent_copy {
            SentCopy::Ours => mail::SentCopy::Ours,
            SentCopy::Servers => mail::SentCopy::Servers,
        },
        invitations: match settings.smtp {
            Some(_) => mail::Invitations::Sent,
            None => mail::Invitations::Drafted,
        },
        patience: patience(settings.patience_ms),
    });
    let places = [
        ("imap.host", "mail.imap"),
        ("imap.security", "mail.imap"),
        ("imap.ca_file", "mail.ca_file"),
        ("smtp.host", "mail.smtp"),
        ("smtp.security", "mail.smtp"),
        ("smtp.ca_file", "mail.ca_file"),
    ];
    Ok(Some(Arc::new(made.map_err(|problem| placed(&problem, "mail", &places))?)))
}

fn opening(settings: &config::Mail) -> Made<mail::Secret> {
    let login = &settings.login;
    only(
        login,
        "mail.login",
        "a mailbox",
        &["tenant", "client_id", "client_secret", "url", "scope"],
    )?;
    match (&settings.password, client(login, "mail.login")?) {
        (Some(password), None) => Ok(mail::Secret::Password(secret(password))),
        (None, None) => Err(
            "mail.password: is missing; or give mail.login its tenant, client_id and client_secret"
                .to_owned(),
        ),
        (Some(_), Some(_)) => Err("mail.password: is given besides mail.login".to_owned()),
        (None, Some((id, secret))) => {
            let tenant = login.tenant.as_deref().ok_or_else(|| missing("mail.login.tenant"))?;
            let issuer = url("mail.login.url", Some(login.url.as_deref().unwrap_or(ENTRA)))?;
            let grant = Grant {
                path: format!("/{}/oauth2/v2.0/token", segment(tenant)),
                issuer: None,
                kind: GrantKind::ClientCredentials { id, secret, in_form: true },
                fields: vec![("scope", login.scope.clone().unwrap_or_else(|| EXCHANGE.to_owned()))],
                life: Duration::from_secs(3_600),
            };
            let (headers, patience) = (BTreeMap::new(), patience(settings.patience_ms));
            let door = Door::new(issuer, &headers, patience, Credentials::OAuth(grant));
            let door = door.map_err(|problem| placed(&problem, "mail.login", &[]))?;
            Ok(mail::Secret::Token(Arc::new(door)))
        }
    }
}

/// `imaps://host:993`: encrypted from the first byte; `imap://host`: after STARTTLS, or plain on this machine with
/// `imap+plain://127.0.0.1:143`.
fn server(setting: &str, text: &str, schemes: [(&str, u16); 2]) -> Made<Server> {
    let [(implicit, implicit_port), (starttls, starttls_port)] = schemes;
    let shape = || format!("{setting}: must be {implicit}://host or {starttls}://host");
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
    if host.is_empty() || port == 0 {
        return Err(shape());
    }
    Ok(Server { host: host.to_owned(), port, security, ca_file: None })
}

pub(super) fn calendar(
    config: &Config,
    time_zone: &TimeZone,
) -> Made<Option<Arc<dyn Destination>>> {
    let settings = &config.calendar;
    if settings.url.is_none() {
        let is_meant = !settings.user.is_empty() || settings.password.is_some();
        return if is_meant { Err(missing("calendar.url")) } else { Ok(None) };
    }
    let organizer = sender(config)
        .ok_or_else(|| "calendar.organizer: is missing; or give mail.from".to_owned())?;
    let password = settings.password.as_ref().ok_or_else(|| missing("calendar.password"))?;
    let made = calendar::CalDav::new(calendar::Settings {
        name: settings.name.clone(),
        url: url("calendar.url", settings.url.as_deref())?,
        user: settings.user.clone(),
        password: secret(password),
        organizers: vec![organizer.address],
        server_invites: settings.server_invites,
        time_zone: time_zone.iana_name().unwrap_or("UTC").to_owned(),
        patience: patience(settings.patience_ms),
    });
    let places = [
        ("time_zone", "wrapup.time_zone"),
        ("organizers", "calendar.organizer"),
        ("headers", "calendar.password"),
    ];
    Ok(Some(Arc::new(made.map_err(|problem| placed(&problem, "calendar", &places))?)))
}

type Team = (&'static str, Arc<dyn Destination>);

pub(super) fn team(settings: &config::Team) -> Made<Option<Team>> {
    let Some(system) = &settings.system else {
        let is_meant =
            settings.url.is_some() || settings.token.is_some() || !settings.rooms.is_empty();
        return if is_meant { Err(missing("team.system")) } else { Ok(None) };
    };
    let name = settings.name.clone();
    let patience = patience(settings.patience_ms);
    let address = |usual: Option<&str>| url("team.url", settings.url.as_deref().or(usual));
    let token = || settings.token.as_ref().ok_or_else(|| missing("team.token")).map(secret);
    let user = || settings.user.clone().ok_or_else(|| missing("team.user"));
    let refused = |problem: String| placed(&problem, "team", &[("headers", "team.token")]);
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
                login_url: address(Some(ENTRA))?,
                service_urls,
                patience,
            });
            ("bot", Arc::new(made.map_err(refused)?))
        }
        other => {
            return Err(format!("team.system: is matrix, slack, workflows or bot, not {other:?}"));
        }
    }))
}
