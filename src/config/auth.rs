//! Settings `[auth]`: who may come in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Secret;
use crate::connect::identity::{self, BearerSettings, ClaimMapping, SignInSettings};
use crate::connect::jwks::keys_url;
use crate::domain::{AccessRole, TenantId};

const KEY_CHARS_MIN: usize = 8;

#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Auth {
    /// The key of `Authorization: Bearer`, which opens everything. `--demo` makes one up. Others are made by
    /// `backchannel keys add`, and are not kept as they are.
    pub api_key: Option<Secret>,
    /// The name that the pages show.
    pub name: Option<String>,
    /// More people with a key of their own.
    pub people: Vec<Person>,
    /// Programs that bring tokens of an identity provider.
    pub jwt: Option<Jwt>,
    /// People who sign in at one.
    pub oidc: Option<Oidc>,
}

/// Somebody who may come in.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Person {
    pub name: String,
    pub api_key: Secret,
    /// batch, service, agent, knowledge_manager, supervisor or admin
    #[serde(default = "agent")]
    pub role: String,
}

fn agent() -> String {
    AccessRole::Agent.as_str().to_owned()
}

/// JSON Web Tokens as `Authorization: Bearer`.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Jwt {
    /// As the tokens have it in `iss`.
    pub issuer: String,
    /// A token is for one of these: it has it in `aud`.
    pub audiences: Vec<String>,
    /// Where the issuer publishes its keys.
    pub jwks_url: String,
    #[serde(default = "algorithms")]
    pub algorithms: Vec<String>,
    /// Unique, and nothing that its bearer can change.
    #[serde(default = "subject")]
    pub name_claim: String,
    #[serde(default = "role")]
    pub role_claim: String,
    /// What values of that claim mean; without any, they are names of roles.
    #[serde(default)]
    pub roles: BTreeMap<String, String>,
    /// Absent: all are of this service's tenant.
    pub tenant_claim: Option<String>,
}

/// Sign-in for the pages: OpenID Connect, authorization code with PKCE.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    /// What the button says: "Sign in with …".
    #[serde(default = "company")]
    pub name: String,
    pub issuer: String,
    pub client_id: String,
    /// Absent for a public client.
    pub client_secret: Option<Secret>,
    /// Besides `openid`.
    #[serde(default = "scopes")]
    pub scopes: Vec<String>,
    #[serde(default = "algorithms")]
    pub algorithms: Vec<String>,
    #[serde(default = "email")]
    pub name_claim: String,
    #[serde(default = "role")]
    pub role_claim: String,
    #[serde(default)]
    pub roles: BTreeMap<String, String>,
    pub tenant_claim: Option<String>,
}

fn algorithms() -> Vec<String> {
    ["RS256", "ES256"].map(str::to_owned).into()
}

fn subject() -> String {
    "sub".to_owned()
}

fn email() -> String {
    "email".to_owned()
}

fn role() -> String {
    "role".to_owned()
}

fn company() -> String {
    "your company account".to_owned()
}

fn scopes() -> Vec<String> {
    ["profile", "email"].map(str::to_owned).into()
}

impl Auth {
    /// Every mistake in a sentence that begins with the setting's name.
    pub fn mistakes(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        if self.api_key.as_ref().is_some_and(|key| key.expose().len() < KEY_CHARS_MIN) {
            wrong.push(format!("auth.api_key must have at least {KEY_CHARS_MIN} characters"));
        }
        let mut names: Vec<&str> = self.name.as_deref().into_iter().collect();
        for (index, person) in self.people.iter().enumerate() {
            // Names tell in the articles' history who did what.
            if person.api_key.expose().len() < KEY_CHARS_MIN
                || names.contains(&person.name.as_str())
            {
                wrong.push(format!(
                    "auth.people[{index}]: {} needs a name that nobody else has, and a key of at least {KEY_CHARS_MIN} characters",
                    person.name
                ));
            }
            if let Err(what) = role_of(&person.role) {
                wrong.push(format!("auth.people[{index}].role {what}"));
            }
            names.push(&person.name);
        }
        if let Some(jwt) = &self.jwt {
            wrong.extend(jwt.mistakes());
        }
        if let Some(oidc) = &self.oidc {
            wrong.extend(oidc.mistakes());
        }
        wrong
    }
}

impl Person {
    /// # Errors
    /// What a role can be.
    pub fn access_role(&self) -> Result<AccessRole, String> {
        role_of(&self.role)
    }
}

impl Jwt {
    fn mistakes(&self) -> Vec<String> {
        let mut wrong = claims_mistakes("auth.jwt", &self.roles, &self.algorithms);
        if self.issuer.trim().is_empty() {
            wrong.push("auth.jwt.issuer must be what the tokens have in `iss`".to_owned());
        }
        if self.audiences.iter().all(|audience| audience.trim().is_empty()) {
            wrong.push("auth.jwt.audiences must name what the tokens have in `aud`: any token of the issuer would do otherwise".to_owned());
        }
        if let Err(what) = keys_url(&self.jwks_url) {
            wrong.push(format!("auth.jwt.jwks_url {what}"));
        }
        wrong
    }

    /// # Errors
    /// The first mistake.
    pub fn settings(&self, tenant: &TenantId) -> Result<BearerSettings, String> {
        Ok(BearerSettings {
            issuer: self.issuer.clone(),
            audiences: self.audiences.clone(),
            jwks_url: self.jwks_url.clone(),
            algorithms: algorithms_of(&self.algorithms)?,
            claims: ClaimMapping {
                name: self.name_claim.clone(),
                role: self.role_claim.clone(),
                roles: roles_of(&self.roles)?,
                tenant_claim: self.tenant_claim.clone(),
                tenant: tenant.clone(),
            },
        })
    }
}

impl Oidc {
    fn mistakes(&self) -> Vec<String> {
        let mut wrong = claims_mistakes("auth.oidc", &self.roles, &self.algorithms);
        if let Err(what) = keys_url(&self.issuer) {
            wrong.push(format!("auth.oidc.issuer {what}"));
        }
        if self.client_id.trim().is_empty() {
            wrong.push(
                "auth.oidc.client_id must be what the provider calls this service".to_owned(),
            );
        }
        wrong
    }

    /// `base` is where people open the service.
    ///
    /// # Errors
    /// The first mistake.
    pub fn settings(&self, tenant: &TenantId, base: &str) -> Result<SignInSettings, String> {
        Ok(SignInSettings {
            issuer: self.issuer.clone(),
            client_id: self.client_id.clone(),
            client_secret: self.client_secret.as_ref().map(|secret| secret.expose().into()),
            scopes: self.scopes.clone(),
            redirect_url: format!("{}/sign-in/oidc/callback", base.trim_end_matches('/')),
            algorithms: algorithms_of(&self.algorithms)?,
            claims: ClaimMapping {
                name: self.name_claim.clone(),
                role: self.role_claim.clone(),
                roles: roles_of(&self.roles)?,
                tenant_claim: self.tenant_claim.clone(),
                tenant: tenant.clone(),
            },
        })
    }
}

fn claims_mistakes(
    place: &str,
    roles: &BTreeMap<String, String>,
    algorithms: &[String],
) -> Vec<String> {
    let mut wrong = Vec::new();
    for (value, name) in roles {
        if let Err(what) = role_of(name) {
            wrong.push(format!("{place}.roles.{value} {what}"));
        }
    }
    if algorithms.is_empty() {
        wrong.push(format!("{place}.algorithms must name one at least"));
    }
    if let Err(what) = algorithms_of(algorithms) {
        wrong.push(format!("{place}.algorithms {what}"));
    }
    wrong
}

fn role_of(name: &str) -> Result<AccessRole, String> {
    AccessRole::parse(name).ok_or_else(|| format!("is {}, not {name:?}", AccessRole::NAMES))
}

fn roles_of(roles: &BTreeMap<String, String>) -> Result<BTreeMap<String, AccessRole>, String> {
    roles.iter().map(|(value, name)| Ok((value.clone(), role_of(name)?))).collect()
}

fn algorithms_of(names: &[String]) -> Result<Vec<jsonwebtoken::Algorithm>, String> {
    names.iter().map(|name| identity::algorithm(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str) -> Vec<String> {
        toml::from_str::<Auth>(text).expect("TOML").mistakes()
    }

    #[test]
    fn mistakes_name_their_place() {
        let check = |text: &str, expected: &[&str]| {
            let found = mistakes(text);
            assert_eq!(found.len(), expected.len(), "{found:?}");
            for (found, expected) in found.iter().zip(expected) {
                assert!(found.starts_with(expected), "{found} should begin with {expected}");
            }
        };
        check("api_key = \"short\"", &["auth.api_key must"]);
        let person = |name: &str, role: &str| {
            format!("[[people]]\nname = \"{name}\"\napi_key = \"12345678\"\nrole = \"{role}\"\n")
        };
        check(
            &format!("{}{}", person("Ada", "agent"), person("Ada", "boss")),
            &["auth.people[1]: Ada needs a name", "auth.people[1].role is batch, service, agent"],
        );
        check(&format!("name = \"Ada\"\n{}", person("Ada", "admin")), &["auth.people[0]: Ada"]);
        let jwt = "[jwt]\nissuer = \"https://id.example\"\naudiences = [\"bc\"]\njwks_url = \"https://id.example/keys\"\n";
        check(jwt, &[]);
        check(&format!("{jwt}algorithms = [\"HS256\"]"), &["auth.jwt.algorithms is of RS256"]);
        check(&format!("{jwt}algorithms = [\"none\"]"), &["auth.jwt.algorithms is of RS256"]);
        check(&format!("{jwt}algorithms = []"), &["auth.jwt.algorithms must name"]);
        check(&format!("{jwt}roles = {{ staff = \"boss\" }}"), &["auth.jwt.roles.staff is batch"]);
        check(
            "[jwt]\nissuer = \" \"\naudiences = []\njwks_url = \"http://id.example/keys\"",
            &[
                "auth.jwt.issuer must",
                "auth.jwt.audiences must",
                "auth.jwt.jwks_url must be an https",
            ],
        );
        check("[oidc]\nissuer = \"https://id.example\"\nclient_id = \"bc\"", &[]);
        check(
            "[oidc]\nissuer = \"http://id.example\"\nclient_id = \"\"",
            &["auth.oidc.issuer must be an https", "auth.oidc.client_id must"],
        );
    }

    #[test]
    fn the_secret_is_not_printed() {
        let text = "[oidc]\nissuer = \"https://id.example\"\nclient_id = \"bc\"\nclient_secret = \"s3cret-s3cret\"";
        let auth: Auth = toml::from_str(text).expect("TOML");
        assert!(!toml::to_string(&auth).expect("TOML").contains("s3cret"));
        let oidc = auth.oidc.expect("it is there");
        let settings = oidc.settings(&"t".into(), "https://cc.example/").expect("right");
        assert!(!format!("{settings:?}").contains("s3cret"));
        assert_eq!(settings.redirect_url, "https://cc.example/sign-in/oidc/callback");
    }
}
