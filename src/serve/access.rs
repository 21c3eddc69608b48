//! Which role may use which route: the one table, in which every route stands.
//!
//! `guard` asks here before any handler runs. A route that doesn't stand in it answers nobody, so a new one can't be
//! forgotten open; `tests/it/serve/access.txt` says the same from the outside, and a test walks every route of the
//! description with every role. Handlers ask on where it depends on what is asked for: an agent's own work items,
//! whoever approves an article.

use axum::http::Method;

use super::auth::Principal;
use crate::domain::AccessRole::{self, Admin, Agent, Batch, KnowledgeManager, Service, Supervisor};
use crate::domain::TenantId;

/// What the table says of one way to use a route.
#[derive(Debug)]
pub struct Rule {
    method: &'static str,
    /// As the description has it.
    path: &'static str,
    roles: Roles,
    /// It tells of the whole process, so it is for the tenant alone whose service this is.
    at_home: bool,
    /// What the audit log calls it, where it is written down there.
    pub audited: Option<&'static str>,
}

#[derive(Clone, Copy, Debug)]
enum Roles {
    /// Who comes proves it to the handler, or needs to prove nothing.
    Public,
    Only(&'static [AccessRole]),
}

/// What the table says of a request.
#[derive(Clone, Copy, Debug)]
pub enum Entry {
    Found(&'static Rule),
    /// The route is used with other methods only.
    OtherMethods,
    Missing,
}

/// Everybody who has come in.
const ALL: &[AccessRole] = &[Batch, Service, Agent, KnowledgeManager, Supervisor, Admin];
/// Who talks with customers, and who leads them.
const DESK: &[AccessRole] = &[Agent, Supervisor, Admin];
/// The same with the programs beside the calls.
const CALLS: &[AccessRole] = &[Service, Agent, Supervisor, Admin];
/// Who may read conversations.
const READERS: &[AccessRole] = &[Service, Agent, KnowledgeManager, Supervisor, Admin];
/// Who may read articles and write drafts.
const WRITERS: &[AccessRole] = &[Agent, KnowledgeManager, Supervisor, Admin];
const EDITORS: &[AccessRole] = &[KnowledgeManager, Supervisor, Admin];
const PUBLISHERS: &[AccessRole] = &[KnowledgeManager, Admin];
const LEADERS: &[AccessRole] = &[Supervisor, Admin];
const ARCHIVE: &[AccessRole] = &[Batch, Admin];
const MACHINES: &[AccessRole] = &[Service, Admin];
const ADMINS: &[AccessRole] = &[Admin];

const fn public(method: &'static str, path: &'static str) -> Rule {
    Rule { method, path, roles: Roles::Public, at_home: false, audited: None }
}

const fn rule(method: &'static str, path: &'static str, roles: &'static [AccessRole]) -> Rule {
    Rule { method, path, roles: Roles::Only(roles), at_home: false, audited: None }
}

impl Rule {
    const fn with_audit(self, name: &'static str) -> Self {
        Self { audited: Some(name), ..self }
    }

    const fn at_home(self) -> Self {
        Self { at_home: true, ..self }
    }

    pub fn is_public(&self) -> bool {
        matches!(self.roles, Roles::Public)
    }

    /// `home` is whose service it is.
    pub fn lets_in(&self, principal: &Principal, home: &TenantId) -> bool {
        if self.at_home && principal.tenant != *home {
            return false;
        }
        match self.roles {
            Roles::Public => true,
            Roles::Only(roles) => principal.is_operator || roles.contains(&principal.role),
        }
    }

    /// The roles in words, for a refusal.
    pub fn roles_text(&self) -> String {
        let Roles::Only(roles) = self.roles else { return "everybody".to_owned() };
        let names: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
        let whose = if self.at_home { " of the service's own tenant" } else { "" };
        format!("{}{whose}", names.join(", "))
    }
}

static TABLE: &[Rule] = &[
    public("GET", "/livez"),
    public("GET", "/readyz"),
    rule("GET", "/metrics", MACHINES).at_home(),
    rule("GET", "/openapi.json", ALL),
    rule("GET", "/asyncapi.json", ALL),
    public("GET", "/sign-in"),
    public("POST", "/sign-in"),
    public("POST", "/sign-out"),
    public("GET", "/sign-in/ways"),
    public("GET", "/sign-in/oidc"),
    public("GET", "/sign-in/oidc/callback"),
    // The demo's page of a company; elsewhere it says that it isn't there.
    public("GET", "/chat"),
    public("GET", "/chat.html"),
    rule("POST", "/v1/tokens", CALLS).with_audit("token.issued"),
    rule("GET", "/v1/me", ALL),
    rule("GET", "/v1/system", ALL),
    rule("GET", "/v1/audit", ADMINS),
    rule("POST", "/v1/erasures", ADMINS).with_audit("erasure.asked"),
    // Conversations.
    rule("GET", "/v1/conversations", READERS),
    rule("POST", "/v1/conversations", CALLS),
    rule("GET", "/v1/conversations/{id}", READERS),
    rule("GET", "/v1/conversations/{id}/events", READERS),
    rule("GET", "/v1/events", READERS),
    rule("POST", "/v1/conversations/{id}/turns", CALLS),
    rule("POST", "/v1/conversations/{id}/end", CALLS),
    rule("POST", "/v1/conversations/{id}/replies", DESK),
    rule("POST", "/v1/conversations/{id}/replies/{turn_id}/retry", DESK),
    rule("POST", "/v1/conversations/{id}/ask", DESK),
    rule("POST", "/v1/conversations/{id}/searches/{search_id}/opened", WRITERS),
    rule("POST", "/v1/suggestions/{card_id}/verdict", DESK),
    rule("POST", "/v1/conversations/{id}/summary", CALLS),
    rule("POST", "/v1/conversations/{id}/handover", CALLS),
    rule("POST", "/v1/conversations/{id}/email", CALLS),
    rule("POST", "/v1/conversations/{id}/article", WRITERS),
    rule("POST", "/v1/conversations/{id}/followups", CALLS),
    rule("POST", "/v1/conversations/{id}/wrapups/{wrapup_id}/verdict", DESK),
    rule("POST", "/v1/cases/summary", CALLS),
    // What comes in: the sockets take a key, a session, or the vendor's own proof.
    rule("GET", "/v1/media/pcm", CALLS),
    rule("GET", "/v1/media/twilio", CALLS),
    rule("GET", "/v1/media/acs", CALLS),
    rule("GET", "/v1/media/audiohook", CALLS),
    rule("GET", "/v1/media/jambonz", CALLS),
    rule("GET", "/v1/media/asterisk", CALLS),
    rule("GET", "/v1/media/freeswitch", CALLS),
    rule("GET", "/v1/listen", CALLS),
    rule("POST", "/v1/media/audiosocket/calls", MACHINES),
    rule("POST", "/v1/hooks/eventgrid", MACHINES),
    rule("OPTIONS", "/v1/hooks/eventgrid", MACHINES),
    public("POST", "/v1/channels/twilio"),
    public("POST", "/v1/channels/teams"),
    public("POST", "/v1/chat"),
    public("OPTIONS", "/v1/chat"),
    public("POST", "/v1/chat/turns"),
    public("OPTIONS", "/v1/chat/turns"),
    public("GET", "/v1/chat/events"),
    public("OPTIONS", "/v1/chat/events"),
    // Articles. Who may take a draft how far says `articles::write::review`.
    rule("GET", "/v1/articles", READERS),
    rule("POST", "/v1/articles", WRITERS),
    rule("GET", "/v1/articles/search", READERS),
    rule("GET", "/v1/articles/{id}", READERS),
    rule("PUT", "/v1/articles/{id}", WRITERS),
    rule("GET", "/v1/articles/{id}/use", WRITERS),
    rule("GET", "/v1/articles/{id}/revisions", WRITERS),
    rule("GET", "/v1/articles/{id}/revisions/{number}", WRITERS),
    rule("GET", "/v1/articles/{id}/diff", WRITERS),
    rule("POST", "/v1/articles/{id}/review", WRITERS).with_audit("article.reviewed"),
    rule("POST", "/v1/articles/import", PUBLISHERS).with_audit("articles.imported"),
    rule("POST", "/v1/articles/proposals", WRITERS),
    rule("GET", "/v1/gaps", EDITORS),
    rule("GET", "/v1/gaps/{id}", EDITORS),
    rule("POST", "/v1/gaps/{id}/draft", EDITORS),
    // The company's other systems.
    rule("POST", "/v1/conversations/{id}/crm/contact", DESK),
    rule("GET", "/v1/conversations/{id}/outcome", DESK),
    rule("POST", "/v1/conversations/{id}/outcome", DESK).with_audit("outcome.written"),
    rule("POST", "/v1/conversations/{id}/swarm", DESK),
    rule("GET", "/v1/conversations/{id}/experts", DESK),
    rule("GET", "/v1/outbox", DESK),
    rule("POST", "/v1/outbox/{id}/retry", DESK).with_audit("delivery.retried"),
    rule("POST", "/v1/outbox/{id}/discard", LEADERS).with_audit("delivery.discarded"),
    rule("GET", "/v1/systems", DESK),
    // Routing. Whose work items an agent may change says `routing::only_of`.
    rule("POST", "/v1/work-items", CALLS),
    rule("GET", "/v1/work-items/{id}", CALLS),
    rule("POST", "/v1/work-items/{id}/accept", CALLS),
    rule("POST", "/v1/work-items/{id}/decline", CALLS),
    rule("POST", "/v1/work-items/{id}/transfer", CALLS),
    rule("POST", "/v1/work-items/{id}/assign", LEADERS).with_audit("work_item.assigned"),
    rule("POST", "/v1/work-items/{id}/end", CALLS),
    rule("POST", "/v1/work-items/{id}/release", CALLS),
    rule("GET", "/v1/routing/queues", CALLS),
    rule("GET", "/v1/routing/agents", CALLS),
    rule("POST", "/v1/routing/agents/{id}/presence", CALLS),
    rule("GET", "/v1/routing/decisions", CALLS),
    rule("GET", "/v1/routing/decisions/{id}", CALLS),
    rule("GET", "/v1/routing/recommendations/{id}", CALLS),
    rule("GET", "/v1/conversations/{id}/pack", CALLS),
    rule("GET", "/v1/routing/plan", DESK),
    rule("PUT", "/v1/routing/plan", LEADERS).with_audit("plan.changed"),
    public("POST", "/v1/routing/taskrouter"),
    // Batches.
    rule("GET", "/v1/batches", ARCHIVE),
    rule("POST", "/v1/batches", ARCHIVE).with_audit("batch.begun"),
    rule("GET", "/v1/batches/{id}", ARCHIVE),
    rule("DELETE", "/v1/batches/{id}", ARCHIVE).with_audit("batch.removed"),
    rule("POST", "/v1/batches/{id}/cancel", ARCHIVE).with_audit("batch.cancelled"),
    rule("GET", "/v1/batches/{id}/results", ARCHIVE).with_audit("batch.exported"),
    rule("GET", "/v1/batches/{id}/errors", ARCHIVE),
    rule("GET", "/v1/batches/{id}/provenance", ARCHIVE),
];

/// Looks a request up by its method and the route that it matched.
pub fn entry(method: &Method, path: &str) -> Entry {
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    let mut others = false;
    for rule in TABLE.iter().filter(|rule| rule.path == path) {
        if rule.method == method {
            return Entry::Found(rule);
        }
        others = true;
    }
    if others { Entry::OtherMethods } else { Entry::Missing }
}

/// The methods of a route, for the header `Allow`.
pub fn methods(path: &str) -> String {
    let rules = TABLE.iter().filter(|rule| rule.path == path);
    let names = rules.map(|rule| if rule.method == "GET" { "GET,HEAD" } else { rule.method });
    names.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_way_stands_in_the_table_once() {
        let mut seen = HashSet::new();
        for rule in TABLE {
            assert!(seen.insert((rule.method, rule.path)), "{} {}", rule.method, rule.path);
        }
    }

    #[test]
    fn every_route_of_the_description_stands_in_it() {
        let described = super::super::openapi::routes().into_openapi();
        let described = serde_json::to_value(described).expect("JSON");
        for (path, item) in described["paths"].as_object().expect("paths") {
            for method in item.as_object().expect("methods").keys() {
                let method: Method = method.to_uppercase().parse().expect("a method");
                let found = entry(&method, path);
                assert!(matches!(found, Entry::Found(_)), "{method} {path}: {found:?}");
            }
        }
    }

    #[test]
    fn what_is_not_in_it_is_for_nobody() {
        assert!(matches!(entry(&Method::GET, "/v1/new"), Entry::Missing));
        assert!(matches!(entry(&Method::DELETE, "/v1/me"), Entry::OtherMethods));
        assert!(matches!(entry(&Method::HEAD, "/v1/me"), Entry::Found(_)));
        assert_eq!(methods("/v1/routing/plan"), "GET,HEAD,PUT");
    }
}
