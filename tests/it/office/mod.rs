//! Mail, calendar and team chat with other people's servers: Dovecot, a submission server, Radicale, Synapse.

mod drafts;
mod inbox;
mod matrix;
mod proxy;
mod radicale;
mod sending;
mod servers;

use std::path::{Path, PathBuf};

use backchannel::connect::mail::{Folders, Invitations, Login, Mail, Secret, SentCopy, Settings};
use backchannel::domain::{DedupeKey, Effect, MailDraft, Mailbox, Redacted};
use std::time::Duration;

use servers::{Dovecot, PASSWORD};

const PATIENCE: Duration = Duration::from_secs(10);

/// Where `.ci/office-peers` has put them.
fn peers(name: &str) -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = set("BACKCHANNEL_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|folder| folder.join("backchannel")))
        .or_else(|| set("HOME").map(|folder| folder.join(".cache/backchannel")))
        .expect("a home");
    let peers = cache.join(name);
    assert!(peers.join("installed").exists(), "run .ci/office-peers first: the test needs them");
    peers
}

/// A file that a server is started with.
fn template(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/office").join(name)
}

fn person(name: &str, address: &str) -> Mailbox {
    Mailbox { name: Some(name.to_owned()), address: address.to_owned() }
}

fn letter(to: &str) -> MailDraft {
    MailDraft {
        to: vec![person("Zoë \"Z\" Müller, Ltd.", to)],
        subject: Redacted::vouched("Ihre Rückerstattung – 12,50 €"),
        body: Redacted::vouched("Dear Zoë,\n\nwe refund 12.50 €.\n.\nKind regards,\nAda"),
        references: vec!["first@example.org".to_owned(), "second@example.org".to_owned()],
        about: None,
    }
}

fn key(of: &str) -> DedupeKey {
    DedupeKey::of(&[of])
}

fn draft(of: &str) -> (Effect, DedupeKey) {
    (Effect::DraftMail(letter("zoe@example.org")), key(of))
}

fn settings(dovecot: &Dovecot) -> Settings {
    Settings {
        name: "mail".to_owned(),
        from: person("Ada Agent", "ada@support.example.org"),
        imap: dovecot.plain(),
        smtp: None,
        login: Login { user: "ada".to_owned(), secret: Secret::Password(PASSWORD.into()) },
        folders: Folders::default(),
        sent_copy: SentCopy::Ours,
        invitations: Invitations::Drafted,
        patience: PATIENCE,
    }
}

fn mail(settings: Settings) -> Mail {
    Mail::new(settings).expect("settings that can be used")
}
