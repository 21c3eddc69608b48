use std::time::Duration;

use super::super::{
    Folders, Invitations, Login, Mail, Secret, Security, SentCopy, Server, Settings,
};
use super::mailbox;

fn settings() -> Settings {
    let server = Server {
        host: "imap.example.org".to_owned(),
        port: 993,
        security: Security::Implicit,
        ca_file: None,
    };
    Settings {
        name: "mail".to_owned(),
        from: mailbox(None, "ada@example.org"),
        imap: server,
        smtp: None,
        login: Login { user: "ada".to_owned(), secret: Secret::Password("open-sesame".into()) },
        folders: Folders::default(),
        sent_copy: SentCopy::Ours,
        invitations: Invitations::Drafted,
        patience: Duration::from_secs(1),
    }
}

fn problem(spoil: impl FnOnce(&mut Settings)) -> String {
    let mut settings = settings();
    spoil(&mut settings);
    Mail::new(settings).expect_err("settings that can't be used")
}

#[test]
fn what_is_wrong_is_told_by_its_name() {
    assert!(Mail::new(settings()).is_ok());
    for (told, begins) in [
        (problem(|one| one.from.address = "ada".to_owned()), "from: "),
        (problem(|one| one.imap.security = Security::Plain), "imap.security: "),
        (problem(|one| one.imap.host = String::new()), "imap.host "),
        (problem(|one| one.imap.ca_file = Some("/nowhere".into())), "imap.ca_file: "),
        (problem(|one| one.invitations = Invitations::Sent), "smtp "),
        (problem(|one| one.smtp = Some(Server { port: 0, ..one.imap.clone() })), "smtp.host "),
    ] {
        assert!(told.starts_with(begins), "{told}");
    }
}

#[test]
fn only_this_machine_is_spoken_to_in_the_clear() {
    for (host, is_here) in [
        ("localhost", true),
        ("127.0.0.1", true),
        ("::1", true),
        ("10.0.0.7", false),
        ("localhost.example.org", false),
        ("127.0.0.1.example.org", false),
    ] {
        let mut settings = settings();
        settings.imap.host = host.to_owned();
        settings.imap.security = Security::Plain;
        assert_eq!(Mail::new(settings).is_ok(), is_here, "{host}");
    }
}

#[test]
fn secrets_are_not_printed() {
    let printed = format!("{:?} {:?}", settings(), Mail::new(settings()));
    assert!(!printed.contains("open-sesame"), "{printed}");
}

#[test]
fn the_library_that_logs_what_it_sends_has_no_such_log() {
    // The IMAP library writes every command, passwords too, with `log::trace!`.
    assert!(log::STATIC_MAX_LEVEL < log::LevelFilter::Trace);
}
