//! `[routing.router]` → the router that is told whom we recommend. Every mistake names its setting, as it stands in
//! the file.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use secrecy::SecretString;

use crate::config::{self, RouterInstruction, Secret, WebhookScheme};
use crate::connect::crm::dataverse;
use crate::connect::crm::generic::webhook::Scheme;
use crate::connect::destination::Destination;
use crate::connect::oauth::Credentials;
use crate::connect::routing::callback::{Callback, Instruction};
use crate::connect::routing::{
    Access, Recommender, amazon, dynamics, genesys, taskrouter, webhook,
};

const SYSTEMS: &str = "taskrouter, amazon_connect, genesys, dynamics or webhook";
const TASKROUTER: &str = "https://taskrouter.twilio.com";
const ENTRA: &str = "https://login.microsoftonline.com";

/// The router, made and not yet asked for anything.
pub struct Told {
    pub system: &'static str,
    pub destination: Arc<dyn Destination>,
    /// Of TaskRouter.
    pub callback: Option<Callback>,
    /// The attribute of a conversation by which the router knows it.
    pub id_attribute: Option<String>,
}

/// `None` where there is none.
///
/// # Errors
/// Which settings can't be used, and why, a line each.
pub fn router(settings: &config::Router) -> Result<Option<Told>, String> {
    let Some(system) = settings.system.as_deref() else {
        let is_meant = settings.url.is_some()
            || !settings.login.given().is_empty()
            || settings.webhook.is_some()
            || settings.taskrouter != config::RouterTaskRouter::default();
        return match is_meant {
            true => Err(format!("routing.router.system: is missing; it is {SYSTEMS}")),
            false => Ok(None),
        };
    };
    let used: &[&str] = match system {
        "taskrouter" | "amazon_connect" => &["user", "password"],
        "genesys" => &["client_id", "client_secret", "url"],
        "dynamics" => &["tenant", "client_id", "client_secret", "url"],
        "webhook" => &[],
        other => return Err(format!("routing.router.system: is {SYSTEMS}, not {other:?}")),
    };
    let stray = settings.login.given().into_iter().filter(|name| !used.contains(name));
    let mut wrong: Vec<String> =
        stray.map(|name| format!("routing.router.login.{name}: isn't used by {system}")).collect();
    if settings.webhook.is_some() && system != "webhook" {
        wrong.push("routing.router.webhook: belongs to system = \"webhook\"".to_owned());
    }
    if !wrong.is_empty() {
        return Err(wrong.join("\n"));
    }
    let (system, destination, callback): (&'static str, Arc<dyn Destination>, _) = match system {
        "taskrouter" => {
            let (destination, callback) = of_twilio(settings)?;
            ("taskrouter", destination, Some(callback))
        }
        "amazon_connect" => ("amazon_connect", of_amazon(settings)?, None),
        "genesys" => ("genesys", of_genesys(settings)?, None),
        "dynamics" => ("dynamics", of_dynamics(settings)?, None),
        _ => ("webhook", of_webhook(settings)?, None),
    };
    Ok(Some(Told { system, destination, callback, id_attribute: settings.id_attribute.clone() }))
}

fn of_twilio(settings: &config::Router) -> Result<(Arc<dyn Destination>, Callback), String> {
    let own = &settings.taskrouter;
    let password = needed_secret("login.password", settings.login.password.as_ref())?;
    let auth_token = own.auth_token.as_ref().or(settings.login.password.as_ref());
    let how = taskrouter::Settings {
        access: access(settings, Some(TASKROUTER))?,
        user: needed("login.user", settings.login.user.as_ref())?,
        password,
        workspace_sid: needed("taskrouter.workspace_sid", own.workspace_sid.as_ref())?,
    };
    let callback = Callback {
        auth_token: auth_token.map(|token| token.expose().to_owned()).unwrap_or_default(),
        instruction: match own.instruction {
            RouterInstruction::None => Instruction::None,
            RouterInstruction::Accept => Instruction::Accept,
            RouterInstruction::Dequeue => Instruction::Dequeue { from: own.from.clone() },
        },
        reject_others: own.reject_others_into.clone(),
    };
    let router = taskrouter::TaskRouter::new(how).map_err(placed)?;
    Ok((Arc::new(Recommender::new(router)), callback))
}

fn of_amazon(settings: &config::Router) -> Result<Arc<dyn Destination>, String> {
    let own = &settings.amazon_connect;
    let region = needed("amazon_connect.region", own.region.as_ref())?;
    let usual = format!("https://connect.{region}.amazonaws.com");
    let how = amazon::Settings {
        access: access(settings, Some(&usual))?,
        instance_id: needed("amazon_connect.instance_id", own.instance_id.as_ref())?,
        signer: amazon::Signer {
            access_key_id: needed("login.user", settings.login.user.as_ref())?,
            secret_access_key: needed_secret("login.password", settings.login.password.as_ref())?,
            session_token: None,
            region,
            service: "connect",
        },
    };
    Ok(Arc::new(Recommender::new(amazon::AmazonConnect::new(how).map_err(placed)?)))
}

fn of_genesys(settings: &config::Router) -> Result<Arc<dyn Destination>, String> {
    let login = url("login.url", settings.login.url.as_deref())?;
    let id = needed("login.client_id", settings.login.client_id.as_ref())?;
    let key = needed_secret("login.client_secret", settings.login.client_secret.as_ref())?;
    let credentials = genesys::client_credentials(login, id, key);
    let how = genesys::Settings { access: access(settings, None)?, credentials };
    Ok(Arc::new(Recommender::new(genesys::Genesys::new(how).map_err(placed)?)))
}

fn of_dynamics(settings: &config::Router) -> Result<Arc<dyn Destination>, String> {
    let (own, login) = (&settings.dynamics, &settings.login);
    let entra = url("login.url", Some(login.url.as_deref().unwrap_or(ENTRA)))?;
    let tenant = needed("login.tenant", login.tenant.as_ref())?;
    let id = needed("login.client_id", login.client_id.as_ref())?;
    let key = needed_secret("login.client_secret", login.client_secret.as_ref())?;
    let access = access(settings, None)?;
    let credentials = dataverse::client_credentials(entra, &tenant, id, key, &access.url);
    let fields = match own.fields.is_empty() {
        true => dynamics::Settings::usual_fields(),
        false => own.fields.clone(),
    };
    let how = dynamics::Settings {
        access,
        credentials,
        api_path: own.api_path.clone(),
        table: own.table.clone(),
        column_prefix: own.column_prefix.clone(),
        fields,
    };
    let router = dynamics::Dynamics::new(how);
    let router = router.map_err(|what| placed(format!("dynamics.{what}")))?;
    Ok(Arc::new(Recommender::new(router)))
}

fn of_webhook(settings: &config::Router) -> Result<Arc<dyn Destination>, String> {
    let own = settings.webhook.as_ref();
    let own = own.ok_or_else(|| "routing.router.webhook: is missing".to_owned())?;
    if !own.operations.is_empty() {
        let what = "is of no use here: it is told of recommendations";
        return Err(format!("routing.router.webhook.operations: {what}"));
    }
    let scheme = match (own.scheme, &own.header) {
        (WebhookScheme::Standard, _) => Scheme::Standard,
        (WebhookScheme::Timestamped, None) => Scheme::timestamped(),
        (WebhookScheme::Timestamped, Some(header)) => {
            Scheme::Timestamped { header: header.clone() }
        }
    };
    let how = webhook::Settings {
        name: settings.name.clone(),
        url: url("webhook.url", Some(own.url.expose()))?,
        patience: patience(settings),
        credentials: own
            .token
            .as_ref()
            .map_or(Credentials::None, |token| Credentials::Bearer(secret(token))),
        scheme,
        secret: secret(&own.secret),
        previous_secret: own.previous_secret.as_ref().map(secret),
        deduplicates: own.deduplicates,
    };
    let webhook = webhook::webhook(how).map_err(|what| placed(format!("webhook.{what}")))?;
    Ok(Arc::new(webhook))
}

/// What a connector says of its settings begins with the setting's name.
fn placed(problem: String) -> String {
    let (setting, what) = problem.split_once(' ').unwrap_or((&problem, "can't be used"));
    format!("routing.router.{}: {what}", setting.trim_end_matches(':'))
}

fn access(settings: &config::Router, usual: Option<&str>) -> Result<Access, String> {
    if settings.name.is_empty() {
        return Err("routing.router.name: must not be empty".to_owned());
    }
    Ok(Access {
        name: settings.name.clone(),
        url: url("url", settings.url.as_deref().or(usual))?,
        patience: patience(settings),
        agents: BTreeMap::clone(&settings.agents),
    })
}

fn patience(settings: &config::Router) -> Duration {
    Duration::from_millis(settings.patience_ms.max(1))
}

fn url(setting: &str, text: Option<&str>) -> Result<Url, String> {
    let text = text.ok_or_else(|| format!("routing.router.{setting}: is missing"))?;
    text.parse().map_err(|_| format!("routing.router.{setting}: must be http(s)://host…"))
}

fn needed(setting: &str, text: Option<&String>) -> Result<String, String> {
    let text = text.filter(|text| !text.trim().is_empty()).cloned();
    text.ok_or_else(|| format!("routing.router.{setting}: is missing"))
}

fn needed_secret(setting: &str, found: Option<&Secret>) -> Result<SecretString, String> {
    let found = found.filter(|found| !found.expose().trim().is_empty());
    found.map(secret).ok_or_else(|| format!("routing.router.{setting}: is missing"))
}

fn secret(secret: &Secret) -> SecretString {
    SecretString::from(secret.expose().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(text: &str) -> Result<Option<Told>, String> {
        router(&toml::from_str(text).expect("settings"))
    }

    #[test]
    fn every_system_is_made_of_its_settings() {
        let cases = [
            (
                "taskrouter",
                "[login]\nuser = \"AC1\"\npassword = \"x\"\n[taskrouter]\nworkspace_sid = \"WS1\"",
            ),
            (
                "amazon_connect",
                "[login]\nuser = \"AK\"\npassword = \"x\"\n[amazon_connect]\ninstance_id = \"in-1\"\nregion = \"eu-west-2\"",
            ),
            (
                "genesys",
                "url = \"https://api.example.test\"\n[login]\nurl = \"https://login.example.test\"\nclient_id = \"i\"\nclient_secret = \"x\"",
            ),
            (
                "dynamics",
                "url = \"https://crm.example.test\"\n[login]\ntenant = \"t\"\nclient_id = \"i\"\nclient_secret = \"x\"",
            ),
            (
                "webhook",
                "[webhook]\nurl = \"https://hooks.example.test/a\"\nsecret = \"a-secret-of-at-least-24-bytes\"",
            ),
        ];
        for (system, rest) in cases {
            let told = made(&format!("system = \"{system}\"\nname = \"theirs\"\n{rest}"));
            let told = told.unwrap_or_else(|why| panic!("{system}: {why}")).expect("one");
            assert_eq!((told.system, told.destination.name()), (system, "theirs"));
            assert_eq!(told.callback.is_some(), system == "taskrouter");
        }
        assert!(made("").is_ok_and(|made| made.is_none()));
    }

    #[test]
    fn a_mistake_names_its_setting() {
        for (text, place) in [
            ("url = \"https://x.example.test\"", "routing.router.system:"),
            ("system = \"acd\"", "routing.router.system:"),
            ("system = \"taskrouter\"\n[login]\nuser = \"AC1\"", "routing.router.login.password:"),
            ("system = \"taskrouter\"\n[login]\ntenant = \"t\"", "routing.router.login.tenant:"),
            ("system = \"amazon_connect\"", "routing.router.amazon_connect.region:"),
            ("system = \"genesys\"", "routing.router.login.url:"),
            (
                "system = \"dynamics\"\nurl = \"no address\"\n[login]\ntenant = \"t\"\nclient_id = \"i\"\nclient_secret = \"x\"",
                "routing.router.url:",
            ),
            (
                "system = \"dynamics\"\nurl = \"https://c.example.test\"\n[login]\ntenant = \"t\"\nclient_id = \"i\"\nclient_secret = \"x\"\n[dynamics]\ntable = \"a b\"",
                "routing.router.dynamics.table:",
            ),
            ("system = \"webhook\"", "routing.router.webhook:"),
            (
                "system = \"webhook\"\n[webhook]\nurl = \"https://h.example.test\"\nsecret = \"short\"",
                "routing.router.webhook.secret:",
            ),
        ] {
            let why = made(text).err().unwrap_or_default();
            assert!(why.starts_with(place), "{why:?} for {text}");
        }
    }
}
