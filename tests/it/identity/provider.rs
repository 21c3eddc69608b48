//! The npm package oidc-provider as its own process, which ends with the test.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use backchannel::connect::identity::ClaimMapping;
use backchannel::domain::AccessRole;
use serde_json::Value;

pub struct Provider {
    pub issuer: String,
    /// PEM.
    pub rsa_private: String,
    pub rsa_public: String,
    pub ec_private: String,
    child: Child,
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn cache() -> PathBuf {
    let named = |name| std::env::var_os(name).map(PathBuf::from);
    named("BACKCHANNEL_CACHE").unwrap_or_else(|| {
        let home =
            named("XDG_CACHE_HOME").or_else(|| named("HOME").map(|home| home.join(".cache")));
        home.expect("a home").join("backchannel")
    })
}

impl Provider {
    /// `redirect` is where it sends people back to.
    pub async fn start(redirect: &str) -> Self {
        let modules = cache().join("oidc-peer");
        assert!(modules.join("installed").exists(), "`make peers` installs the provider");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/oidc/provider.mjs");
        let mut child = Command::new("node")
            .arg(script)
            .arg(modules)
            .arg(redirect)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node is there");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe"));
        let (tell, first) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let mut first = String::new();
            let read = lines.read_line(&mut first);
            let _ = tell.send(read.map(|_| first));
            // It warns of this and that later, and ends where nobody reads it.
            let _ = std::io::copy(&mut lines, &mut std::io::sink());
        });
        let first = first.await.expect("no panic").expect("it starts");
        let told: Value = serde_json::from_str(&first).expect("JSON");
        let text = |name: &str| told[name].as_str().expect("text").to_owned();
        Self {
            issuer: text("issuer"),
            rsa_private: text("rsa_private"),
            rsa_public: text("rsa_public"),
            ec_private: text("ec_private"),
            child,
        }
    }

    /// An access token of a program, as the provider gives it out.
    pub async fn token(&self, client: &str, resource: &str) -> String {
        let form = [("grant_type", "client_credentials"), ("resource", resource)];
        let request = reqwest::Client::new().post(format!("{}/token", self.issuer));
        let request = request.basic_auth(client, Some("machine-secret")).form(&form);
        let answer: Value = request.send().await.expect("answers").json().await.expect("JSON");
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }
}

/// What the provider's groups mean here.
pub fn claims(name: &str) -> ClaimMapping {
    let roles = [
        ("cc-machines", AccessRole::Service),
        ("cc-archive", AccessRole::Batch),
        ("cc-agents", AccessRole::Agent),
        ("cc-editors", AccessRole::KnowledgeManager),
        ("cc-leads", AccessRole::Supervisor),
    ];
    ClaimMapping {
        name: name.to_owned(),
        role: "groups".to_owned(),
        roles: roles.map(|(group, role)| (group.to_owned(), role)).into(),
        tenant_claim: Some("org".to_owned()),
        tenant: "nobody".into(),
    }
}
