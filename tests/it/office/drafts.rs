//! Drafts in a real Dovecot.

use backchannel::connect::destination::{DeliveryError, Destination as _};
use backchannel::connect::mail::{Login, Secret, Server, read};
use backchannel::domain::Effect;

use super::proxy::Proxy;
use super::servers::Dovecot;
use super::{draft, key, letter, mail, settings};

#[tokio::test]
async fn the_same_draft_twice_is_one() {
    let dovecot = Dovecot::start();
    let mail = mail(settings(&dovecot));
    let (effect, key) = draft("one");
    assert_eq!(mail.delivered(&effect, &key).await, Ok(None));
    let first = mail.deliver(&effect, &key).await.expect("made");
    let second = mail.deliver(&effect, &key).await.expect("there");
    assert_eq!(first, second);
    assert_eq!(mail.delivered(&effect, &key).await, Ok(Some(first.clone())));
    assert_eq!(first.0, format!("bc-{}@support.example.org", key.as_str()));
    let found = dovecot.messages("My Drafts");
    assert_eq!(found.len(), 1);
    assert!(dovecot.flags("My Drafts").contains("\\Draft"));
    let message = read(found[0].as_bytes()).expect("a message");
    assert_eq!(message.message_id.as_deref(), Some(first.0.as_str()));
    assert_eq!(message.from.address, "ada@support.example.org");
    assert_eq!(message.to, ["zoe@example.org"]);
    assert_eq!(message.references, ["first@example.org", "second@example.org"]);
    assert_eq!(message.subject.as_str(), "Ihre Rückerstattung – 12,50 €");
    assert_eq!(message.text.as_str(), "Dear Zoë,\n\nwe refund 12.50 €.\n.\nKind regards,\nAda");
}

#[tokio::test]
async fn another_key_is_another_draft() {
    let dovecot = Dovecot::start();
    let mail = mail(settings(&dovecot));
    let effect = Effect::DraftMail(letter("zoe@example.org"));
    for one in ["a", "b"] {
        mail.deliver(&effect, &key(one)).await.expect("made");
    }
    assert_eq!(dovecot.messages("My Drafts").len(), 2);
}

#[tokio::test]
async fn a_draft_whose_answer_was_lost_is_found_and_not_made_again() {
    let dovecot = Dovecot::start();
    let proxy = Proxy::before(dovecot.plain().port, b"APPENDUID", 1).await;
    let mut settings = settings(&dovecot);
    settings.imap.port = proxy.port;
    let mail = mail(settings);
    let (effect, key) = draft("lost");
    let lost = mail.deliver(&effect, &key).await;
    assert!(matches!(lost, Err(DeliveryError::Unclear(_))), "{lost:?}");
    assert!(proxy.is_done());
    assert!(mail.delivered(&effect, &key).await.expect("asked").is_some());
    mail.deliver(&effect, &key).await.expect("there");
    assert_eq!(dovecot.messages("My Drafts").len(), 1);
}

#[tokio::test]
async fn what_a_person_sent_or_threw_away_is_not_written_again() {
    for place in ["Sent Items", "Trash"] {
        let dovecot = Dovecot::start();
        let mail = mail(settings(&dovecot));
        let (effect, key) = draft(place);
        mail.deliver(&effect, &key).await.expect("made");
        dovecot.doveadm(&["move", "-u", "ada", place, "mailbox", "My Drafts", "all"], b"");
        assert!(mail.delivered(&effect, &key).await.expect("asked").is_some());
        mail.deliver(&effect, &key).await.expect("known");
        assert!(dovecot.messages("My Drafts").is_empty());
        assert_eq!(dovecot.messages(place).len(), 1);
    }
}

#[tokio::test]
async fn the_connection_is_encrypted_or_there_is_none() {
    let dovecot = Dovecot::start();
    for (server, of) in [(dovecot.starttls(), "starttls"), (dovecot.implicit(), "implicit")] {
        let named = Server { host: "localhost".to_owned(), ..server.clone() };
        let mut settings = settings(&dovecot);
        settings.imap = named;
        let (effect, key) = draft(of);
        mail(settings.clone()).deliver(&effect, &key).await.expect("made");
        // An authority that nobody knows.
        settings.imap = Server { ca_file: None, ..server };
        let refused = mail(settings).deliver(&effect, &key).await;
        assert!(matches!(refused, Err(DeliveryError::Unreachable(_))), "{refused:?}");
    }
    assert_eq!(dovecot.messages("My Drafts").len(), 2);
}

#[tokio::test]
async fn a_wrong_password_is_denied_and_not_repeated_in_the_error() {
    let dovecot = Dovecot::start();
    let mut settings = settings(&dovecot);
    let secret = Secret::Password("not-the-word".into());
    settings.login = Login { user: "ada".to_owned(), secret };
    let (effect, key) = draft("denied");
    let denied = mail(settings).deliver(&effect, &key).await;
    assert!(matches!(denied, Err(DeliveryError::Denied(_))), "{denied:?}");
    assert!(!format!("{denied:?}").contains("not-the-word"));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    let dovecot = Dovecot::start();
    let mail = mail(settings(&dovecot));
    drop(dovecot);
    let (effect, key) = draft("gone");
    let gone = mail.deliver(&effect, &key).await;
    assert!(matches!(gone, Err(DeliveryError::Unreachable(_))), "{gone:?}");
}
