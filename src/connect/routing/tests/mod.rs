//! Every router against the suite, each before a model of it that remembers.

mod fakes;
mod hook;
mod twilio;

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Url;

use self::fakes::{Items, Shape};
use super::conformance::{self, EMMAS_OTHER_NAME, Fault, Look, Way};
use super::{Access, Fields, Recommender, amazon, dynamics, genesys, taskrouter};
use crate::connect::crm::played::Stage;
use crate::connect::destination::Destination;
use crate::connect::oauth::Credentials;

const RIGHT: &str = "right-key";

struct Router {
    shape: Shape,
    stage: Stage<Items>,
}

impl Router {
    async fn new(shape: Shape) -> Self {
        Self { shape, stage: Stage::new(Items::new(shape, RIGHT)).await }
    }
}

fn access(url: Url) -> Access {
    Access {
        name: "router".into(),
        url,
        patience: Duration::from_secs(5),
        agents: BTreeMap::from([("emma".to_owned(), EMMAS_OTHER_NAME.to_owned())]),
    }
}

#[async_trait]
impl Look for Router {
    fn connector(&self, way: &Way) -> Box<dyn Destination> {
        let url = match way {
            Way::At(url) => url.clone(),
            _ => self.stage.url(),
        };
        let key = if matches!(way, Way::WrongKey) { "another" } else { RIGHT };
        match self.shape {
            Shape::TaskRouter => {
                let settings = taskrouter::Settings {
                    access: access(url),
                    user: "AC1".into(),
                    password: key.to_owned().into(),
                    workspace_sid: "WS1".into(),
                };
                let router = taskrouter::TaskRouter::new(settings).expect("settings");
                Box::new(Recommender::new(router))
            }
            Shape::Amazon => {
                let settings = amazon::Settings {
                    access: access(url),
                    instance_id: "in-1".into(),
                    signer: amazon::Signer {
                        access_key_id: key.into(),
                        secret_access_key: "secret".to_owned().into(),
                        session_token: None,
                        region: "eu-west-2".into(),
                        service: "connect",
                    },
                };
                let router = amazon::AmazonConnect::new(settings).expect("settings");
                Box::new(Recommender::new(router))
            }
            Shape::Genesys => {
                let login = url.clone();
                let credentials =
                    genesys::client_credentials(login, "id".into(), key.to_owned().into());
                let settings = genesys::Settings { access: access(url), credentials };
                let router = genesys::Genesys::new(settings).expect("settings");
                Box::new(Recommender::new(router))
            }
            Shape::Dynamics => {
                let settings = dynamics_settings(url, key);
                let router = dynamics::Dynamics::new(settings).expect("settings");
                Box::new(Recommender::new(router))
            }
        }
    }

    fn add_item(&self) -> String {
        self.stage.player().add()
    }

    fn nobody(&self) -> String {
        "00000000-0000-0000-0000-000000000000".into()
    }

    fn ours(&self, item: &str) -> Fields {
        self.stage.player().ours(item)
    }

    fn theirs(&self, item: &str) -> Option<String> {
        self.stage.player().theirs(item)
    }

    fn next(&self, fault: Fault) {
        self.stage.player().fault = Some(fault);
    }
}

fn dynamics_settings(url: Url, key: &str) -> dynamics::Settings {
    dynamics::Settings {
        access: access(url),
        credentials: Credentials::Bearer(key.to_owned().into()),
        api_path: "api/data/v9.2".into(),
        table: "msdyn_ocliveworkitems".into(),
        column_prefix: "new_backchannel_".into(),
        fields: dynamics::Settings::usual_fields(),
    }
}

#[tokio::test]
async fn taskrouter_keeps_the_contract() {
    conformance::all(&Router::new(Shape::TaskRouter).await).await;
}

#[tokio::test]
async fn amazon_connect_keeps_the_contract() {
    conformance::all(&Router::new(Shape::Amazon).await).await;
}

#[tokio::test]
async fn genesys_keeps_the_contract() {
    conformance::all(&Router::new(Shape::Genesys).await).await;
}

#[tokio::test]
async fn dynamics_keeps_the_contract() {
    conformance::all(&Router::new(Shape::Dynamics).await).await;
}

#[test]
fn dynamics_says_which_setting_is_wrong() {
    let url = || Url::parse("https://company.example.test").expect("an address");
    let wrong = |change: fn(&mut dynamics::Settings)| {
        let mut settings = dynamics_settings(url(), RIGHT);
        change(&mut settings);
        dynamics::Dynamics::new(settings).err().unwrap_or_default()
    };
    assert!(wrong(|one| one.table = "a b".into()).starts_with("table "));
    assert!(wrong(|one| one.column_prefix = "x)?".into()).starts_with("column_prefix "));
    assert!(wrong(|one| one.fields.push("mood".into())).starts_with("fields "));
    assert!(wrong(|one| one.fields.retain(|name| name != "at_ms")).contains("at_ms"));
    assert_eq!(wrong(|_| ()), "");
}
