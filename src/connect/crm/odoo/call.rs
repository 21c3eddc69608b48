//! One method of one model, over either protocol. Each call is a transaction: an error that Odoo itself names means
//! that nothing was done (`external_api.rst`, "Transaction").

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::{Access, Protocol, headers};
use crate::connect::crm::answers::{at, unreadable};
use crate::connect::destination::DeliveryError;
use crate::connect::http::{Answered, Request};
use crate::connect::oauth::{Credentials, Door};

/// The first version in which a message's body is a text unless it is said to be HTML.
const ESCAPES_BODIES: i64 = 17;

pub struct Calls {
    door: Door,
    login: Option<Login>,
}

struct Login {
    database: String,
    user: String,
    key: SecretString,
    /// The user's number, and the server's main version.
    known: OnceCell<(i64, i64)>,
}

impl Calls {
    pub fn new(access: &Access, protocol: &Protocol, key: SecretString) -> Result<Self, String> {
        let (credentials, login) = match protocol {
            Protocol::Json2 { .. } => (Credentials::Bearer(key), None),
            Protocol::JsonRpc { database, login } => {
                let (database, user) = (database.clone(), login.clone());
                (Credentials::None, Some(Login { database, user, key, known: OnceCell::new() }))
            }
        };
        let door = Door::new(access.url.clone(), &headers(protocol), access.patience, credentials)?;
        Ok(Self { door, login })
    }

    /// `arguments` are by name; a `context` is among them.
    pub async fn call(
        &self,
        model: &str,
        method: &str,
        ids: &[i64],
        mut arguments: Value,
    ) -> Result<Value, DeliveryError> {
        let Some(login) = &self.login else {
            if !ids.is_empty() {
                arguments["ids"] = json!(ids);
            }
            let path = format!("/json/2/{model}/{method}");
            let answer = self.door.send(Request::post(&path, arguments)).await?;
            return named(answer);
        };
        let (user, _) = self.known(login).await?;
        let positional = if ids.is_empty() { json!([]) } else { json!([ids]) };
        let key = login.key.expose_secret();
        let all = json!([login.database, user, key, model, method, positional, arguments]);
        self.remote("object", "execute_kw", all).await
    }

    /// Whether HTML in a message has to be said to be some.
    pub async fn escapes_bodies(&self) -> Result<bool, DeliveryError> {
        match &self.login {
            None => Ok(true),
            Some(login) => Ok(self.known(login).await?.1 >= ESCAPES_BODIES),
        }
    }

    async fn known(&self, login: &Login) -> Result<(i64, i64), DeliveryError> {
        let ask = || async {
            let key = login.key.expose_secret();
            let all = json!([login.database, login.user, key, {}]);
            let user = self.remote("common", "authenticate", all).await?;
            let user = match user {
                // Whom it doesn't know, it calls `false`.
                Value::Bool(false) => {
                    return Err(DeliveryError::Denied("login or key isn't accepted".to_owned()));
                }
                other => other.as_i64().ok_or_else(unreadable)?,
            };
            let version = self.remote("common", "version", json!([])).await?;
            let main = version.pointer("/server_version_info/0").ok_or_else(unreadable)?;
            // `saas~18` where it is Odoo's own.
            let main = match main {
                Value::String(text) => {
                    text.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().ok()
                }
                other => other.as_i64(),
            };
            Ok((user, main.ok_or_else(unreadable)?))
        };
        login.known.get_or_try_init(ask).await.copied()
    }

    async fn remote(
        &self,
        service: &str,
        method: &str,
        all: Value,
    ) -> Result<Value, DeliveryError> {
        let params = json!({"service": service, "method": method, "args": all});
        let body = json!({"jsonrpc": "2.0", "method": "call", "params": params, "id": 1});
        let answer = self.door.ask(Request::post("/jsonrpc", body)).await?;
        if !answer.body.is_object() {
            return Err(unreadable());
        }
        match (answer.body.get("error"), answer.body.get("result")) {
            (Some(error), _) if !error.is_null() => {
                Err(refusal(error.pointer("/data").unwrap_or(error)))
            }
            (_, Some(result)) => Ok(result.clone()),
            // What returns nothing is answered without a result.
            _ if answer.text("/jsonrpc").is_some() => Ok(Value::Null),
            _ => Err(unreadable()),
        }
    }
}

fn named(answer: Answered) -> Result<Value, DeliveryError> {
    if !answer.status.is_success() && at(&answer.body, "/name").is_some() {
        return Err(refusal(&answer.body));
    }
    let answer = answer.success()?;
    match answer.body {
        // Somebody else's page; no method that is called here answers with a text.
        Value::String(_) => Err(unreadable()),
        other => Ok(other),
    }
}

/// By the exception's name; its words may be a customer's.
fn refusal(error: &Value) -> DeliveryError {
    let name = at(error, "/name").unwrap_or_default();
    let is_name = name.len() <= 80
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_'));
    let name = if is_name { name } else { "an error".to_owned() };
    match name.rsplit('.').next().unwrap_or_default() {
        "AccessDenied" | "Unauthorized" => DeliveryError::Denied(name),
        // Of one model or record: the key itself was accepted.
        "AccessError" | "Forbidden" => DeliveryError::Forbidden(name),
        "MissingError" => DeliveryError::NotFound("Odoo has no such record".to_owned()),
        // Somebody else's transaction won; ours left nothing.
        "SerializationFailure" | "LockNotAvailable" | "ConcurrencyError" | "LockError" => {
            DeliveryError::Limited { retry_after: None }
        }
        _ => DeliveryError::Refused(name),
    }
}
