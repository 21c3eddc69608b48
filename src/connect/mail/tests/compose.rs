use proptest::prelude::*;

use super::super::compose::{Composed, invitation, letter as compose};
use super::super::read;
use super::{letter, mailbox, sender};
use crate::connect::calendar::{EventKey, Invitation};
use crate::connect::destination::DeliveryError;
use crate::domain::{DedupeKey, MailDraft, Meeting, Redacted};

const ID: &str = "bc-0123@support.example.org";

fn composed(mail: &MailDraft) -> Result<Composed, DeliveryError> {
    compose(&sender(), ID, mail)
}

fn text(message: &Composed) -> String {
    let text = String::from_utf8(message.bytes.clone()).expect("plain letters only");
    assert!(text.is_ascii(), "{text}");
    assert!(!text.replace("\r\n", "").contains(['\r', '\n']), "every line ends in CRLF: {text:?}");
    assert!(text.lines().all(|line| line.len() <= 998), "RFC 5322, section 2.1.1");
    text
}

fn headers(message: &Composed) -> Vec<String> {
    let text = text(message);
    let (head, _) = text.split_once("\r\n\r\n").expect("a body");
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    unfolded.split("\r\n").map(str::to_owned).collect()
}

#[test]
fn a_message_has_what_a_message_needs() {
    let mut mail = letter();
    mail.references = vec!["a@x.org".to_owned(), "b@x.org".to_owned()];
    let message = composed(&mail).expect("a message");
    let headers = headers(&message);
    for expected in [
        "From: \"Ada Agent\" <ada@support.example.org>",
        "To: Zoe <zoe@example.org>",
        "Subject: Your refund",
        "Message-ID: <bc-0123@support.example.org>",
        "In-Reply-To: <b@x.org>",
        "References: <a@x.org> <b@x.org>",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
    ] {
        assert!(headers.iter().any(|line| line == expected), "{expected}: {headers:?}");
    }
    assert!(headers.iter().any(|line| line.starts_with("Date: ")));
    assert!(text(&message).contains("\r\n\r\nDear Zoe,\r\nit is done.\r\n"));
}

#[test]
fn long_lines_are_broken_on_the_way_and_whole_at_the_end() {
    let mut mail = letter();
    let long = "word ".repeat(1_000);
    mail.body = Redacted::vouched(format!("{long}\n.\nend"));
    mail.subject = Redacted::vouched(long.clone());
    let message = composed(&mail).expect("a message");
    text(&message);
    let read = read(&message.bytes).expect("a message");
    assert_eq!(read.text.as_str(), format!("{long}\n.\nend"));
    assert_eq!(read.subject.as_str().chars().count(), 249, "cut, and no space at its end");
}

#[test]
fn a_thread_keeps_its_beginning_and_its_end() {
    let mut mail = letter();
    mail.references = (0..200).map(|n| format!("{n}@x.org")).collect();
    mail.references.push("no id".to_owned());
    mail.references.push("evil@x.org>\r\nBcc: eve@x.org".to_owned());
    let headers = headers(&composed(&mail).expect("a message"));
    let references = headers.iter().find(|line| line.starts_with("References: ")).expect("there");
    assert!(references.starts_with("References: <0@x.org> <180@x.org> "), "{references}");
    assert!(references.ends_with(" <199@x.org>"), "{references}");
}

#[test]
fn addresses_that_are_none_are_refused_without_being_repeated() {
    for address in [
        "",
        "zoe",
        "zoe@",
        "@example.org",
        "zoe@example.org, eve@example.org",
        "zoe@example.org\r\nBcc: eve@example.org",
        "<zoe@example.org>",
        "\"zoe eve\"@example.org",
        "zoe@[127.0.0.1]",
        "zoé@example.org",
        "zoe@exämple.org",
        "zoe@@example.org",
        "zoe@example.org\0",
        "zoe (eve)@example.org",
        &format!("{}@example.org", "a".repeat(250)),
    ] {
        let mut mail = letter();
        mail.to[0].address = address.to_owned();
        let refused = composed(&mail).map(|_| ());
        let Err(DeliveryError::Refused(why)) = refused else { panic!("{address}: {refused:?}") };
        assert!(!why.contains("example"), "{why}");
    }
    let mut nobody = letter();
    nobody.to.clear();
    assert!(composed(&nobody).is_err());
    let mut crowd = letter();
    crowd.to = vec![mailbox(None, "zoe@example.org"); 21];
    assert!(composed(&crowd).is_err());
}

#[test]
fn an_invitation_has_a_text_and_an_event() {
    let meeting = Meeting {
        subject: Redacted::vouched("Call back"),
        body: Redacted::vouched("Thursday at two."),
        starts: "2026-12-03T14:00[Europe/London]".parse().expect("a time"),
        minutes: 30,
        organizer: mailbox(Some("Ada"), "ada@support.example.org"),
        attendees: vec![mailbox(Some("Zoë"), "zoe@example.org")],
        revision: 0,
        is_cancelled: false,
    };
    let event = EventKey::new(&DedupeKey::of(&["m"])).expect("ours");
    let event = Invitation::new(&event, &meeting, jiff::Timestamp::UNIX_EPOCH).expect("an event");
    let message = invitation(&sender(), ID, &meeting, &event).expect("a message");
    let parsed = mail_parser::MessageParser::default().parse(&message.bytes).expect("a message");
    assert_eq!(parsed.body_text(0).expect("text").trim(), "Thursday at two.");
    let head = text(&message);
    assert!(head.contains("multipart/alternative"), "{head}");
    assert!(head.contains("Content-Type: text/calendar; method=REQUEST; charset=utf-8"), "{head}");
    let mut calendar = parsed.parts.iter().filter_map(|part| part.text_contents());
    let calendar = calendar.next_back().expect("a calendar").to_owned();
    assert_eq!(calendar, event.as_mail());
}

proptest! {
    /// Whatever a name, a subject or a text holds, the message has the headers that it was to have and no others.
    #[test]
    fn nothing_becomes_a_header(
        name in any::<String>(),
        subject in any::<String>(),
        body in any::<String>(),
        id in any::<String>(),
    ) {
        let injected = |text: &str| format!("{text}\r\nBcc: eve@example.org\r\n\r\n{text}\nCc: eve@example.org");
        let mut mail = letter();
        mail.to[0].name = Some(injected(&name));
        mail.subject = Redacted::vouched(injected(&subject));
        mail.body = Redacted::vouched(injected(&body));
        mail.references = vec![injected(&id), "right@x.org".to_owned()];
        let message = composed(&mail).expect("a message");
        let headers = headers(&message);
        let names: Vec<&str> = headers.iter().filter_map(|line| line.split(':').next()).collect();
        let expected = ["From", "To", "Message-ID", "Subject", "Date", "In-Reply-To", "References",
            "MIME-Version", "Content-Type", "Content-Transfer-Encoding"];
        prop_assert_eq!(names.len(), expected.len(), "{:?}", names);
        prop_assert!(expected.iter().all(|name| names.contains(name)), "{:?}", names);
        let parsed = read(&message.bytes).expect("a message");
        prop_assert_eq!(parsed.to, ["zoe@example.org"]);
        prop_assert_eq!(message.envelope.to().len(), 1);
        prop_assert_eq!(parsed.references, ["right@x.org"]);
    }
}
