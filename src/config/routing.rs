//! `[routing]`: who takes which work.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Login, Secret, Webhook};

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Routing {
    /// Workstreams, rules, queues and agents, in TOML or JSON. What is put over the API takes its place.
    pub plan_file: Option<PathBuf>,
    /// off, shadow or active, instead of what the plan says.
    pub mode: Option<String>,
    /// By channel (`voice`, `chat`, `sms`, `mail`): the workstream of the plan that conversations become items of.
    pub workstreams: BTreeMap<String, String>,
    /// Names of bots that their medium takes for agents.
    pub bots: Vec<String>,
    /// Categories that say that a bot gives a conversation up: what it tried and promised is written down at once, and
    /// a conversation that began with it becomes work. Without any, it is work from its beginning.
    pub escalated_by: Vec<String>,
    /// So long after its end a conversation's item keeps its agent, unless somebody says earlier that the wrap-up is
    /// over.
    pub wrap_up_s: u64,
    pub context: Context,
    pub router: Router,
}

impl Default for Routing {
    fn default() -> Self {
        Self {
            plan_file: None,
            mode: None,
            workstreams: BTreeMap::new(),
            bots: Vec::new(),
            escalated_by: Vec::new(),
            wrap_up_s: 60,
            context: Context::default(),
            router: Router::default(),
        }
    }
}

/// How long what is known holds, and what is assumed while nothing is. Whatever is older counts half as much with
/// every further such time.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Context {
    pub intent_minutes: u64,
    pub sentiment_minutes: u64,
    pub crm_minutes: u64,
    pub last_agent_days: u64,
    /// Experience of that age counts half.
    pub experience_days: u64,
    /// Who comes back with the same matter within that time was not helped for good.
    pub repeat_days: u64,
    /// What a contact takes while nothing is known, and the after-work that no event tells of.
    pub handling_s: u64,
    pub after_work_s: u64,
}

impl Default for Context {
    fn default() -> Self {
        Self {
            intent_minutes: 30,
            sentiment_minutes: 10,
            crm_minutes: 240,
            last_agent_days: 30,
            experience_days: 30,
            repeat_days: 7,
            handling_s: 300,
            after_work_s: 0,
        }
    }
}

/// A router that the company has already, which is told whom we recommend.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Router {
    /// taskrouter, amazon_connect, genesys, dynamics or webhook. Absent: there is none.
    pub system: Option<String>,
    /// How it is called in events and on pages.
    pub name: String,
    /// Of TaskRouter, the vendor's own unless told.
    pub url: Option<String>,
    /// For one request.
    pub patience_ms: u64,
    /// The attribute of a conversation by which the router knows it; the media side's own name for the call unless
    /// told.
    pub id_attribute: Option<String>,
    /// What the router calls our agents: `anna = "WK…"`. Who isn't in it is called the same there.
    pub agents: BTreeMap<String, String>,
    /// `user` and `password` (TaskRouter; the key of Amazon Connect), or a client's (Genesys, Dynamics).
    pub login: Login,
    pub taskrouter: TaskRouter,
    pub amazon_connect: AmazonConnect,
    pub dynamics: Dynamics,
    pub webhook: Option<Webhook>,
}

impl Default for Router {
    fn default() -> Self {
        Self {
            system: None,
            name: "router".to_owned(),
            url: None,
            patience_ms: 5_000,
            id_attribute: None,
            agents: BTreeMap::new(),
            login: Login::default(),
            taskrouter: TaskRouter::default(),
            amazon_connect: AmazonConnect::default(),
            dynamics: Dynamics::default(),
            webhook: None,
        }
    }
}

/// Its assignment callback is `/v1/routing/taskrouter` at `media.public_url`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct TaskRouter {
    pub workspace_sid: Option<String>,
    /// With which Twilio signs callbacks, where `login` is an API key's; else `login.password` is it.
    pub auth_token: Option<Secret>,
    pub instruction: Instruction,
    /// Of `dequeue`: the number that the worker is shown.
    pub from: Option<String>,
    /// An activity: whoever we did not recommend is put into it, and the task goes to the next one. Only in the mode
    /// `active`.
    pub reject_others_into: Option<String>,
}

/// What TaskRouter does once it has reserved a worker.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Instruction {
    /// The worker's own client decides.
    #[default]
    None,
    Accept,
    Dequeue,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct AmazonConnect {
    pub instance_id: Option<String>,
    /// Such as `eu-west-2`; the address follows from it.
    pub region: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Dynamics {
    pub api_path: String,
    /// The set of rows that are routed.
    pub table: String,
    /// Of the text columns that an administrator has added: `new_backchannel_agent` and so on.
    pub column_prefix: String,
    /// Which of them there are; empty: the usual ones.
    pub fields: Vec<String>,
}

impl Default for Dynamics {
    fn default() -> Self {
        Self {
            api_path: "api/data/v9.2".to_owned(),
            table: "msdyn_ocliveworkitems".to_owned(),
            column_prefix: "new_backchannel_".to_owned(),
            fields: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_is_printed_and_what_is_unknown_is_refused() {
        let text = r#"
plan_file = "routing.toml"
[context]
repeat_days = 3
[router]
system = "taskrouter"
agents = { anna = "WK1" }
[router.login]
user = "SK1"
password = "key-1"
[router.taskrouter]
workspace_sid = "WS1"
auth_token = "key-2"
instruction = "dequeue"
[router.webhook]
url = "https://hooks.example.test/key-3"
secret = "key-4"
"#;
        let routing: Routing = toml::from_str(text).expect("settings");
        let printed = toml::to_string_pretty(&routing).expect("it can be printed");
        assert!(!printed.contains("key-") && !format!("{routing:?}").contains("key-"), "{printed}");
        for shown in ["SK1", "WS1", "WK1", "dequeue", "repeat_days = 3"] {
            assert!(printed.contains(shown), "{shown} in {printed}");
        }
        assert_eq!(routing.context.intent_minutes, 30, "what isn't given is as usual");
        for wrong in
            ["[router]\nsytem = \"x\"", "[router.taskrouter]\ninstruction = \"run\"", "plan = 1"]
        {
            assert!(toml::from_str::<Routing>(wrong).is_err(), "{wrong}");
        }
        assert_eq!(toml::from_str::<Routing>("").expect("settings"), Routing::default());
    }
}
