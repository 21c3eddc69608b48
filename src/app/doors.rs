//! Who may come in, as the settings say.

use std::net::SocketAddr;

use super::{Access, AppError};
use crate::config::Config;
use crate::domain::{ErrorKind, TenantId};
use crate::serve::auth::{Auth, Principal, fresh_secret, hash_of};

/// # Errors
/// There is no key, or one is too short.
pub(super) fn doors(
    config: &Config,
    demo: bool,
    tenant: &TenantId,
    address: SocketAddr,
) -> Result<(Auth, Access), AppError> {
    let mut auth = Auth::new(config.serve.secure_cookies);
    let url = format!("http://{address}");
    let principal = Principal {
        name: config.auth.name.clone().unwrap_or_else(|| "Emma".to_owned()),
        role: "agent".to_owned(),
        is_operator: true,
        tenant: tenant.clone(),
    };
    let given = config.auth.api_key.as_ref().map(|key| key.expose().to_owned());
    if given.as_ref().is_some_and(|key| key.len() < 8) {
        return Err(AppError {
            kind: ErrorKind::Invalid,
            message: "auth.api_key must have at least 8 characters".to_owned(),
        });
    }
    let key = match (given, demo) {
        (Some(key), _) => key,
        (None, true) => fresh_secret("bck_"),
        (None, false) => {
            return Err(AppError {
                kind: ErrorKind::Invalid,
                message: "no API key: set auth.api_key in the settings file or \
                          BACKCHANNEL__AUTH__API_KEY, or try `backchannel serve --demo`"
                    .to_owned(),
            });
        }
    };
    auth.add_key(hash_of(&key), principal.clone());
    let mut names = vec![principal.name.as_str()];
    for person in &config.auth.people {
        // Names tell in the articles' history who did what.
        if person.api_key.expose().len() < 8 || names.contains(&person.name.as_str()) {
            let who = &person.name;
            return Err(AppError {
                kind: ErrorKind::Invalid,
                message: format!(
                    "auth.people: {who} needs a name that nobody else has, and a key of at least 8 characters"
                ),
            });
        }
        names.push(&person.name);
        let (name, role) = (person.name.clone(), person.role.clone());
        let hash = hash_of(person.api_key.expose());
        let is_operator = role == "admin";
        auth.add_key(hash, Principal { name, role, is_operator, tenant: tenant.clone() });
    }
    let sign_in_url =
        demo.then(|| format!("{url}/sign-in?code={}", auth.add_sign_in_code(principal)));
    let api_key = demo.then_some(key);
    Ok((auth, Access { url, api_key, sign_in_url, media: Vec::new() }))
}
