//! Who may come in, as the settings say.

use std::net::SocketAddr;

use super::{Access, AppError};
use crate::config::{Config, Secret};
use crate::connect::identity::{Bearers, SignIn};
use crate::domain::{AccessRole, ErrorKind, TenantId};
use crate::serve::auth::oidc::SignInDoor;
use crate::serve::auth::{Auth, Principal, fresh_secret, hash_of};

/// The doors without the keys of the file, whose ring is still empty.
///
/// # Errors
/// A setting is wrong; the first mistake in a sentence.
pub(super) fn doors(
    config: &Config,
    demo: bool,
    tenant: &TenantId,
    address: SocketAddr,
) -> Result<(Auth, Access), AppError> {
    let mut auth = Auth::new(config.serve.cookies_are_secure());
    let url = format!("http://{address}");
    if let Some(mistake) = config.auth.mistakes().into_iter().next() {
        return Err(invalid(mistake));
    }
    let name = config.auth.name.clone().unwrap_or_else(|| "Emma".to_owned());
    let principal =
        Principal { is_operator: true, ..Principal::new(name, AccessRole::Agent, tenant.clone()) };
    let given = config.auth.api_key.as_ref().map(Secret::expose);
    let key = given.map(str::to_owned).or_else(|| demo.then(|| fresh_secret("bck_")));
    if let Some(key) = &key {
        auth.add_key(hash_of(key), principal.clone());
    }
    for person in &config.auth.people {
        let role = person.access_role().map_err(invalid)?;
        let somebody = Principal::new(person.name.clone(), role, tenant.clone());
        auth.add_key(hash_of(person.api_key.expose()), somebody);
    }
    if let Some(jwt) = &config.auth.jwt {
        let bearers = jwt.settings(tenant).and_then(Bearers::new);
        auth.set_bearers(bearers.map_err(|what| invalid(format!("auth.jwt: {what}")))?);
    }
    if let Some(oidc) = &config.auth.oidc {
        let base = config.serve.public_url.as_deref().unwrap_or(&url);
        let sign_in = oidc.settings(tenant, base).and_then(SignIn::new);
        let sign_in = sign_in.map_err(|what| invalid(format!("auth.oidc: {what}")))?;
        auth.set_sign_in(SignInDoor::new(oidc.name.clone(), sign_in));
    }
    let sign_in_url =
        demo.then(|| format!("{url}/sign-in?code={}", auth.add_sign_in_code(principal)));
    let api_key = key.filter(|_| demo);
    Ok((auth, Access { url, api_key, sign_in_url, media: Vec::new() }))
}

/// # Errors
/// Nobody could ever come in.
pub(super) fn somebody_may_come_in(
    config: &Config,
    demo: bool,
    keys: usize,
) -> Result<(), AppError> {
    let auth = &config.auth;
    let is_open = demo
        || keys > 0
        || auth.api_key.is_some()
        || !auth.people.is_empty()
        || auth.jwt.is_some()
        || auth.oidc.is_some();
    match is_open {
        true => Ok(()),
        false => Err(invalid(
            "no API key: make one with `backchannel keys add`, or set auth.api_key in the settings file or \
             BACKCHANNEL__AUTH__API_KEY, or try `backchannel serve --demo`"
                .to_owned(),
        )),
    }
}

fn invalid(message: String) -> AppError {
    AppError { kind: ErrorKind::Invalid, message }
}
