//! Reading a real Dovecot's folder now and then.

use backchannel::connect::mail::{Cursor, Inbox, Login, Received, Secret};

use super::PATIENCE;
use super::servers::{Dovecot, PASSWORD};

fn inbox(dovecot: &Dovecot) -> Inbox {
    let login = Login { user: "ada".to_owned(), secret: Secret::Password(PASSWORD.into()) };
    Inbox::new(&dovecot.plain(), &login, None, PATIENCE).expect("settings that can be used")
}

fn arrives(dovecot: &Dovecot, number: u32) {
    let message = format!(
        "From: Zoe <zoe@example.org>\r\nTo: ada@support.example.org\r\nSubject: Question {number}\r\n\
         Message-ID: <q{number}@example.org>\r\n\r\nWhere is it? ({number})\r\n"
    );
    dovecot.deliver("INBOX", message.as_bytes());
}

fn subjects(received: &[Received]) -> Vec<String> {
    let subject = |one: &Received| one.message.as_ref().expect("read").subject.as_str().to_owned();
    received.iter().map(subject).collect()
}

#[tokio::test]
async fn each_message_comes_once_and_none_from_before() {
    let dovecot = Dovecot::start();
    arrives(&dovecot, 1);
    let inbox = inbox(&dovecot);
    let (before, cursor) = inbox.since(None).await.expect("asked");
    assert!(before.is_empty());
    let (none, cursor) = inbox.since(Some(cursor)).await.expect("asked");
    assert!(none.is_empty(), "the last message is older than the cursor");
    arrives(&dovecot, 2);
    arrives(&dovecot, 3);
    let (two, cursor) = inbox.since(Some(cursor)).await.expect("asked");
    assert_eq!(subjects(&two), ["Question 2", "Question 3"]);
    // The cursor outlives the process.
    let cursor: Cursor = cursor.to_string().parse().expect("a cursor");
    let (none, _) = inbox.since(Some(cursor)).await.expect("asked");
    assert!(none.is_empty());
    assert!(!dovecot.flags("INBOX").contains("\\Seen"), "nothing is marked as read");
}

#[tokio::test]
async fn many_messages_come_in_batches() {
    let dovecot = Dovecot::start();
    let inbox = inbox(&dovecot);
    let (_, mut cursor) = inbox.since(None).await.expect("asked");
    let all: Vec<String> = (0..60).map(|number| format!("Question {number}")).collect();
    for number in 0..60 {
        arrives(&dovecot, number);
    }
    let mut read = Vec::new();
    for expected in [50, 10, 0] {
        let (batch, next) = inbox.since(Some(cursor)).await.expect("asked");
        assert_eq!(batch.len(), expected);
        read.extend(subjects(&batch));
        cursor = next;
    }
    assert_eq!(read, all);
}

#[tokio::test]
async fn a_folder_that_was_renumbered_is_read_again_and_loses_nothing() {
    let dovecot = Dovecot::start();
    let inbox = inbox(&dovecot);
    let (_, cursor) = inbox.since(None).await.expect("asked");
    arrives(&dovecot, 1);
    let (_, cursor) = inbox.since(Some(cursor)).await.expect("asked");
    arrives(&dovecot, 2);
    // As after a restored backup: the same messages under other numbers.
    dovecot.doveadm(&["mailbox", "update", "-u", "ada", "--uid-validity", "77", "INBOX"], b"");
    let (again, cursor) = inbox.since(Some(cursor)).await.expect("asked");
    assert_eq!(subjects(&again), ["Question 1", "Question 2"]);
    let (none, _) = inbox.since(Some(cursor)).await.expect("asked");
    assert!(none.is_empty());
}
