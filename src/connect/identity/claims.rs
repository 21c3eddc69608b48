//! What the claims of a checked token make of its bearer.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::token::Refusal;
use crate::domain::{AccessRole, TenantId};

/// Names stand in logs of events and in the history of articles.
const NAME_CHARS_MAX: usize = 120;
const TENANT_CHARS_MAX: usize = 64;

/// Which claims say what. A claim is its name, or the way to it with dots: `realm_access.roles`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimMapping {
    /// Unique, and nothing that its bearer can change: names tell who wrote and who approved.
    pub name: String,
    /// A text, or a list of them.
    pub role: String,
    /// What values of `role` mean; where this is empty, they are names of roles.
    pub roles: BTreeMap<String, AccessRole>,
    /// Without one, everybody is of `tenant`.
    pub tenant_claim: Option<String>,
    pub tenant: TenantId,
}

/// Somebody whom a provider vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identified {
    pub name: String,
    pub role: AccessRole,
    pub tenant: TenantId,
}

impl ClaimMapping {
    /// # Errors
    /// Which claim is missing or means nothing here.
    pub fn identify(&self, claims: &Map<String, Value>) -> Result<Identified, Refusal> {
        // Where people may write any address down, it names nobody before it is verified.
        let is_unverified = claims.get("email_verified") == Some(&Value::Bool(false));
        if self.name == "email" && is_unverified {
            return Err(Refusal::Name);
        }
        let name = text(claims, &self.name, NAME_CHARS_MAX).ok_or(Refusal::Name)?;
        let tenant = match &self.tenant_claim {
            None => self.tenant.clone(),
            Some(claim) => {
                let found = text(claims, claim, TENANT_CHARS_MAX);
                found.filter(|name| is_tenant(name)).ok_or(Refusal::Tenant)?.into()
            }
        };
        let role = self.role(claims).ok_or(Refusal::Role)?;
        Ok(Identified { name, role, tenant })
    }

    /// Of several, the one that may do most.
    fn role(&self, claims: &Map<String, Value>) -> Option<AccessRole> {
        let known = |value: &Value| {
            let value = value.as_str()?;
            match self.roles.is_empty() {
                true => AccessRole::parse(value),
                false => self.roles.get(value).copied(),
            }
        };
        match find(claims, &self.role)? {
            Value::Array(values) => values.iter().filter_map(known).max(),
            value => known(value),
        }
    }
}

fn text(claims: &Map<String, Value>, claim: &str, chars_max: usize) -> Option<String> {
    let text = find(claims, claim)?.as_str()?.trim();
    let fits = !text.is_empty()
        && text.chars().count() <= chars_max
        && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
}

/// A name, and nothing that somebody would take for a pattern or a path: letters and digits, and within them `-`, `_`
/// and `.`.
fn is_tenant(name: &str) -> bool {
    name.starts_with(char::is_alphanumeric)
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// Names with dots in them, such as `https://example.org/roles`, come before ways.
fn find<'a>(claims: &'a Map<String, Value>, claim: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(claim) {
        return Some(value);
    }
    let mut pieces = claim.split('.');
    let first = claims.get(pieces.next()?)?;
    pieces.try_fold(first, |value, piece| value.get(piece))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn mapping() -> ClaimMapping {
        ClaimMapping {
            name: "email".into(),
            role: "realm_access.roles".into(),
            roles: [("cc-agents", AccessRole::Agent), ("cc-leads", AccessRole::Supervisor)]
                .map(|(value, role)| (value.to_owned(), role))
                .into(),
            tenant_claim: Some("https://larkfield.example/tenant".into()),
            tenant: "default".into(),
        }
    }

    fn claims(value: &Value) -> &Map<String, Value> {
        value.as_object().expect("an object")
    }

    #[test]
    fn claims_make_a_name_a_role_and_a_tenant() {
        let given = json!({"email": "ada@larkfield.example", "https://larkfield.example/tenant": "larkfield",
            "realm_access": {"roles": ["offline", "cc-agents", "cc-leads"]}});
        let found = mapping().identify(claims(&given)).expect("somebody");
        assert_eq!((found.role, found.tenant.as_str()), (AccessRole::Supervisor, "larkfield"));
        let plain = ClaimMapping {
            role: "role".into(),
            roles: BTreeMap::new(),
            tenant_claim: None,
            ..mapping()
        };
        let given = json!({"email": " ada ", "role": "knowledge_manager"});
        let found = plain.identify(claims(&given)).expect("somebody");
        assert_eq!((found.name.as_str(), found.role), ("ada", AccessRole::KnowledgeManager));
        assert_eq!(found.tenant.as_str(), "default");
    }

    #[test]
    fn what_providers_call_their_customers_is_a_tenants_name() {
        for good in
            ["acme", "Acme_2", "org_9Kx", "larkfield.example", "72f988bf-86f1-41af", "münchen"]
        {
            assert!(is_tenant(good), "{good}");
        }
        for bad in ["", "*", "acme*", "-acme", "../default", ".acme", "a:b", "a%b", "a'b"] {
            assert!(!is_tenant(bad), "{bad}");
        }
    }

    #[test]
    fn what_is_missing_or_means_nothing_is_refused() {
        let whole = json!({"email": "a@x", "https://larkfield.example/tenant": "t",
            "realm_access": {"roles": "cc-agents"}});
        assert!(mapping().identify(claims(&whole)).is_ok());
        for (claim, value, expected) in [
            ("email", json!(null), Refusal::Name),
            ("email", json!(" "), Refusal::Name),
            ("email", json!("a\nb"), Refusal::Name),
            ("email", json!("x".repeat(121)), Refusal::Name),
            ("email", json!(7), Refusal::Name),
            ("email_verified", json!(false), Refusal::Name),
            ("https://larkfield.example/tenant", json!(null), Refusal::Tenant),
            ("https://larkfield.example/tenant", json!(["t"]), Refusal::Tenant),
            ("https://larkfield.example/tenant", json!("*"), Refusal::Tenant),
            ("https://larkfield.example/tenant", json!("../default"), Refusal::Tenant),
            ("https://larkfield.example/tenant", json!("a/b"), Refusal::Tenant),
            ("https://larkfield.example/tenant", json!(".."), Refusal::Tenant),
            ("https://larkfield.example/tenant", json!("a b"), Refusal::Tenant),
            ("realm_access", json!({"roles": ["admin", "Agent"]}), Refusal::Role),
            ("realm_access", json!({"roles": {"cc-agents": true}}), Refusal::Role),
            ("realm_access", json!("cc-agents"), Refusal::Role),
        ] {
            let mut given = whole.clone();
            given[claim] = value.clone();
            let refused = mapping().identify(claims(&given)).expect_err("nobody");
            assert_eq!(refused, expected, "{claim}: {value}");
        }
    }

    proptest! {
        /// Whatever a claim holds, nobody gets a role that the mapping doesn't give.
        #[test]
        fn no_value_gives_a_role_of_its_own(value in "[a-z_-]{0,20}", many in any::<bool>()) {
            let roles = if many { json!([value]) } else { json!(value) };
            let given = json!({"email": "a", "https://larkfield.example/tenant": "t",
                "realm_access": {"roles": roles}});
            let found = mapping().identify(claims(&given));
            let known = ["cc-agents", "cc-leads"].contains(&value.as_str());
            prop_assert_eq!(found.is_ok(), known);
        }
    }
}
