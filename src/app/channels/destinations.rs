//! What carries replies, and what reads what comes in, as the settings say.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use crate::config::{self, Secret, channel_address};
use crate::connect::channels::webchat::WebChat;
use crate::connect::channels::{acs_sms, teams, twilio_sms};
use crate::connect::destination::Destination;
use crate::connect::telephony::auth::PublicUrl;
use crate::domain::TenantId;
use crate::serve::auth::fresh_secret;
use crate::serve::{ChannelDoors, TeamsDoor};
use crate::store::Outbox;

/// Names of the destinations, as the log and the outbox have them.
const TWILIO: &str = "twilio_sms";
const ACS: &str = "acs_sms";
const TEAMS: &str = "teams_chat";
/// What somebody who looks after it calls the system behind a destination.
pub fn system_of(name: &str) -> &'static str {
    match name {
        TWILIO => "twilio",
        ACS => "acs",
        TEAMS => "teams",
        _ => "smtp",
    }
}

/// A vendor answers in so long, or it is unknown what it did.
const PATIENCE: Duration = Duration::from_secs(15);

/// # Errors
/// What is wrong with the settings, in a sentence with its place.
pub fn destinations(
    settings: &config::Channels,
    outbox: &Arc<dyn Outbox>,
    tenant: &TenantId,
) -> Result<Vec<Arc<dyn Destination>>, String> {
    let mut all: Vec<Arc<dyn Destination>> = Vec::new();
    let twilio = &settings.twilio;
    if let (Some(account), Some(token)) = (&twilio.account_sid, &twilio.auth_token) {
        let how = twilio_sms::Settings {
            name: TWILIO.to_owned(),
            url: channel_address("twilio.url", &twilio.url)?,
            account_sid: account.clone(),
            auth_token: token.expose().to_owned(),
            patience: PATIENCE,
        };
        let sms = twilio_sms::TwilioSms::new(how, Arc::clone(outbox), tenant.clone());
        all.push(Arc::new(sms.map_err(|what| format!("channels.twilio: {what}"))?));
    }
    if let Some(endpoint) = &settings.acs.endpoint {
        let how = acs_sms::Settings {
            name: ACS.to_owned(),
            endpoint: channel_address("acs.endpoint", endpoint)?,
            access_key: settings.acs.key_bytes()?,
            patience: PATIENCE,
        };
        let sms = acs_sms::AcsSms::new(how).map_err(|what| format!("channels.acs: {what}"))?;
        all.push(Arc::new(sms));
    }
    let bot = &settings.teams;
    if let (Some(id), Some(secret)) = (&bot.app_id, &bot.app_secret) {
        let origins = bot.service_urls.iter().map(|url| channel_address("teams.service_urls", url));
        let how = teams::Settings {
            name: TEAMS.to_owned(),
            app_id: id.clone(),
            app_secret: SecretString::from(secret.expose()),
            tenant: bot.tenant.clone(),
            login_url: channel_address("teams.login_url", &bot.login_url)?,
            service_origins: origins.collect::<Result<_, _>>()?,
            patience: PATIENCE,
        };
        let teams = teams::Teams::new(how).map_err(|what| format!("channels.teams: {what}"))?;
        all.push(Arc::new(teams));
    }
    Ok(all)
}

/// # Errors
/// As `destinations`.
pub fn doors(
    settings: &config::Channels,
    public_url: Option<&str>,
    tenant: &TenantId,
    demo: bool,
) -> Result<ChannelDoors, String> {
    let public = public_url.map(PublicUrl::parse).transpose();
    let public = public.map_err(|what| format!("media.public_url {what}"))?;
    let twilio = settings.twilio.auth_token.as_ref().zip(public).map(|(token, public)| {
        twilio_sms::Webhook {
            connector: TWILIO.to_owned(),
            auth_token: token.expose().to_owned(),
            public,
        }
    });
    let teams = match &settings.teams.app_id {
        Some(app) => {
            let tokens = teams::BotTokens::new(&settings.teams.metadata_url, app)
                .map_err(|what| format!("channels.teams.metadata_url {what}"))?;
            Some(TeamsDoor { connector: TEAMS.to_owned(), tokens })
        }
        None => None,
    };
    let chat = &settings.webchat;
    let secret = match (&chat.secret, demo) {
        (Some(secret), _) => Some(Secret::expose(secret).to_owned()),
        // The demo's visitors come back as long as it runs.
        (None, true) => Some(fresh_secret("")),
        (None, false) => None,
    };
    let webchat = match secret.filter(|_| demo || !chat.origins.is_empty()) {
        Some(secret) => Some(
            WebChat::new(&secret, &chat.origins, tenant.clone())
                .map_err(|what| format!("channels.webchat.origins {what}"))?,
        ),
        None => None,
    };
    let acs = settings.acs.endpoint.is_some().then(|| ACS.to_owned());
    Ok(ChannelDoors { twilio, acs, teams, webchat, ..ChannelDoors::closed(tenant.clone()) })
}
