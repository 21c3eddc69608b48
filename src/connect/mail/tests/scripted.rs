//! IMAP servers that aren't as they should be, and one that wants a token.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::super::{
    Folders, Invitations, Login, Mail, Secret, Security, SentCopy, Server, Settings,
};
use super::{letter, mailbox};
use crate::connect::crm::played::{Asked, Play, Reply, Stage};
use crate::connect::destination::{DeliveryError, Destination as _};
use crate::connect::oauth::{Credentials, Door, Grant, GrantKind};
use crate::domain::{DedupeKey, Effect};

const PATIENCE: Duration = Duration::from_secs(5);
const LISTED: &str = "* LIST (\\Drafts) \"/\" Drafts\r\n{tag} OK\r\n";

/// What the client says, by its beginning after the tag, and what is answered; `{tag}` is its own.
type Script = Vec<(&'static str, String)>;

fn step(said: &'static str, answer: &str) -> (&'static str, String) {
    (said, answer.to_owned())
}

/// Plays a script for one client; what else it says is not answered.
async fn server(script: Script) -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let playing = tokio::spawn(async move {
        let (wire, _) = listener.accept().await.expect("a client");
        let (from, mut to) = wire.into_split();
        let mut lines = BufReader::new(from).lines();
        let mut heard = Vec::new();
        let mut tag = String::new();
        to.write_all(b"* OK ready\r\n").await.expect("written");
        for (said, answer) in script {
            let Ok(Some(line)) = lines.next_line().await else { break };
            if let Some((own, rest)) = line.split_once(' ')
                && rest.starts_with(said)
            {
                own.clone_into(&mut tag);
            } else {
                assert!(said.is_empty(), "expected {said:?}, heard {line:?}");
            }
            heard.push(line);
            to.write_all(answer.replace("{tag}", &tag).as_bytes()).await.expect("written");
        }
        while let Ok(Some(line)) = lines.next_line().await {
            heard.push(line);
        }
        heard
    });
    (port, playing)
}

fn mail(port: u16, security: Security, secret: Secret, folders: Folders) -> Mail {
    patient(port, security, secret, folders, PATIENCE)
}

fn patient(
    port: u16,
    security: Security,
    secret: Secret,
    folders: Folders,
    patience: Duration,
) -> Mail {
    let imap = Server { host: "127.0.0.1".to_owned(), port, security, ca_file: None };
    let settings = Settings {
        name: "mail".to_owned(),
        from: mailbox(None, "ada@example.org"),
        imap,
        smtp: None,
        login: Login { user: "ada".to_owned(), secret },
        folders,
        sent_copy: SentCopy::Ours,
        invitations: Invitations::Drafted,
        patience,
    };
    Mail::new(settings).expect("settings that can be used")
}

fn password() -> Secret {
    Secret::Password("open-sesame".into())
}

/// What becomes of a draft, and what the server heard.
async fn drafted(script: Script) -> (Result<String, DeliveryError>, Vec<String>) {
    let (port, playing) = server(script).await;
    let mail = mail(port, Security::Plain, password(), Folders::default());
    let made = mail.deliver(&Effect::DraftMail(letter()), &DedupeKey::of(&["a"])).await;
    (made.map(|id| id.0), playing.await.expect("the script was kept to"))
}

fn opened(listed: &str) -> Script {
    vec![
        step("LOGIN", "{tag} OK\r\n"),
        step("CAPABILITY", "* CAPABILITY IMAP4rev1\r\n{tag} OK\r\n"),
        step("LIST", listed),
    ]
}

fn opened_and_empty() -> Script {
    let mut script = opened(LISTED);
    script.push(step("EXAMINE", "* 0 EXISTS\r\n{tag} OK\r\n"));
    script.push(step("UID SEARCH", "* SEARCH\r\n{tag} OK\r\n"));
    script
}

#[tokio::test]
async fn a_search_that_finds_something_else_is_not_believed() {
    let mut script = opened(LISTED);
    script.push(step("EXAMINE", "* 3 EXISTS\r\n{tag} OK\r\n"));
    script.push(step("UID SEARCH UNDELETED HEADER", "* SEARCH 7\r\n{tag} OK\r\n"));
    let header = "Message-ID: <other@example.org>\r\n\r\n";
    let fetched = format!(
        "* 1 FETCH (UID 7 BODY[HEADER.FIELDS (MESSAGE-ID)] {{{}}}\r\n{header})\r\n{{tag}} OK\r\n",
        header.len()
    );
    script.push(("UID FETCH 7", fetched));
    let (made, heard) = drafted(script).await;
    assert!(matches!(made, Err(DeliveryError::Untrusted(_))), "{made:?}");
    assert!(!heard.iter().any(|line| line.contains("APPEND")), "{heard:?}");
}

#[tokio::test]
async fn a_server_that_does_not_say_where_drafts_are_needs_a_setting() {
    let listed = "* LIST () \"/\" Entw&APw-rfe\r\n{tag} OK\r\n";
    let (made, _) = drafted(opened(listed)).await;
    let Err(DeliveryError::NotFound(why)) = made else { panic!("{made:?}") };
    assert!(why.contains("folders.drafts"), "{why}");
    let mut script = opened(listed);
    script.push(step("EXAMINE \"Entw&APw-rfe\"", "* 0 EXISTS\r\n{tag} OK\r\n"));
    script.push(step("UID SEARCH", "* SEARCH\r\n{tag} OK\r\n"));
    script.push(step("APPEND \"Entw&APw-rfe\" (\\Draft) {", "{tag} NO later\r\n"));
    let (port, playing) = server(script).await;
    let folders = Folders { drafts: Some("Entw&APw-rfe".to_owned()), ..Folders::default() };
    let mail = mail(port, Security::Plain, password(), folders);
    let made = mail.deliver(&Effect::DraftMail(letter()), &DedupeKey::of(&["a"])).await;
    assert!(matches!(made, Err(DeliveryError::Unreachable(_))), "{made:?}");
    assert!(playing.await.expect("the script was kept to").len() >= 6);
}

#[tokio::test]
async fn a_refused_search_is_not_an_empty_one_and_its_words_are_not_repeated() {
    for (answer, is_passing) in
        [("{tag} NO [OVERQUOTA] Zoe's mail\r\n", true), ("{tag} NO Zoe's mail\r\n", false)]
    {
        let mut script = opened_and_empty();
        script.pop();
        script.push(step("UID SEARCH", answer));
        let (made, heard) = drafted(script).await;
        let error = made.expect_err("refused");
        assert!(!heard.iter().any(|line| line.contains("APPEND")), "{heard:?}");
        assert_eq!(matches!(error, DeliveryError::Limited { .. }), is_passing, "{error:?}");
        assert!(!error.to_string().contains("Zoe"), "{error}");
    }
}

#[tokio::test]
async fn without_encryption_no_password_is_said() {
    let (port, playing) = server(vec![step("STARTTLS", "{tag} BAD what?\r\n")]).await;
    let mail = mail(port, Security::StartTls, password(), Folders::default());
    let made = mail.deliver(&Effect::DraftMail(letter()), &DedupeKey::of(&["a"])).await;
    assert!(matches!(made, Err(DeliveryError::Unreachable(_))), "{made:?}");
    drop(mail);
    let heard = playing.await.expect("the script was kept to");
    assert_eq!(heard.len(), 1, "{heard:?}");
}

#[tokio::test]
async fn a_server_that_speaks_no_imap_is_survived() {
    for listed in ["HTTP/1.1 200 OK\r\n\r\n", "* LIST ((((\r\n", "\0\u{ff}\r\n"] {
        let (made, _) = drafted(opened(listed)).await;
        assert!(matches!(made, Err(DeliveryError::Unreachable(_))), "{listed}: {made:?}");
    }
}

#[tokio::test]
async fn a_server_that_falls_silent_is_left() {
    // An answer that never ends.
    let (port, _playing) = server(opened("{tag} OK")).await;
    let patience = Duration::from_millis(300);
    let mail = patient(port, Security::Plain, password(), Folders::default(), patience);
    let made = mail.deliver(&Effect::DraftMail(letter()), &DedupeKey::of(&["a"])).await;
    assert!(matches!(made, Err(DeliveryError::Unreachable(_))), "{made:?}");
}

struct Tokens;

impl Play for Tokens {
    fn answer(&mut self, asked: &Asked) -> Reply {
        assert_eq!(asked.body["grant_type"], "client_credentials");
        Reply::json(200, json!({ "access_token": "t-1", "expires_in": 3600 }))
    }
}

#[tokio::test]
async fn a_token_opens_a_mailbox() {
    let stage = Stage::new(Tokens).await;
    let grant = Grant {
        path: "token".to_owned(),
        issuer: None,
        kind: GrantKind::ClientCredentials {
            id: "app".to_owned(),
            secret: "app-secret".into(),
            in_form: true,
        },
        fields: Vec::new(),
        life: PATIENCE,
    };
    let credentials = Credentials::OAuth(grant);
    let door = Door::new(stage.url(), &BTreeMap::new(), PATIENCE, credentials).expect("a door");
    let mut script = opened_and_empty();
    script[0] = step("AUTHENTICATE XOAUTH2", "+ \r\n");
    script.insert(1, step("", "{tag} OK\r\n"));
    let (port, playing) = server(script).await;
    let mail = mail(port, Security::Plain, Secret::Token(Arc::new(door)), Folders::default());
    let asked = mail.delivered(&Effect::DraftMail(letter()), &DedupeKey::of(&["a"])).await;
    assert_eq!(asked, Ok(None));
    let heard = playing.await.expect("the script was kept to");
    let said = STANDARD.decode(&heard[1]).expect("base64");
    assert_eq!(said, b"user=ada\x01auth=Bearer t-1\x01\x01");
}
