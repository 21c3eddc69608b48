//! Mails that a person has said yes to: a real Dovecot beside a submission server.

use backchannel::connect::destination::{DeliveryError, Destination as _};
use backchannel::connect::mail::{Invitations, Mail, Security, SentCopy};
use backchannel::domain::{DedupeKey, Effect, Meeting, Redacted};

use super::proxy::Proxy;
use super::servers::{Dovecot, Submission};
use super::{key, letter, mail, person, settings};

struct Office {
    dovecot: Dovecot,
    submission: Submission,
}

impl Office {
    fn open() -> Self {
        Self { dovecot: Dovecot::start(), submission: Submission::start() }
    }

    fn mail(&self) -> Mail {
        self.mail_over(self.submission.port, SentCopy::Ours)
    }

    fn mail_over(&self, port: u16, sent_copy: SentCopy) -> Mail {
        let mut settings = settings(&self.dovecot);
        let mut server = self.submission.server(Security::Plain);
        server.port = port;
        settings.smtp = Some(server);
        settings.sent_copy = sent_copy;
        settings.invitations = Invitations::Sent;
        mail(settings)
    }

    fn counts(&self) -> [usize; 3] {
        let count = |folder| self.dovecot.messages(folder).len();
        [self.submission.taken().len(), count("Sent Items"), count("My Drafts")]
    }
}

fn send(to: &str) -> (Effect, DedupeKey) {
    (Effect::SendMail(letter(to)), key(to))
}

#[tokio::test]
async fn the_same_mail_twice_is_sent_once() {
    let office = Office::open();
    let mail = office.mail();
    let (effect, key) = send("zoe@example.org");
    assert_eq!(mail.delivered(&effect, &key).await, Ok(None));
    let first = mail.deliver(&effect, &key).await.expect("sent");
    assert_eq!(mail.deliver(&effect, &key).await, Ok(first.clone()));
    assert_eq!(mail.delivered(&effect, &key).await, Ok(Some(first.clone())));
    assert_eq!(office.counts(), [1, 1, 0]);
    let (envelope, text) = office.submission.taken().remove(0);
    assert_eq!(envelope, "ada@support.example.org\nzoe@example.org");
    assert!(text.contains(&format!("Message-ID: <{}>", first.0)));
    // A line of a single dot ends a mail too early when nobody minds it.
    assert!(text.contains("Kind regards"));
    assert!(office.dovecot.flags("Sent Items").contains("\\Seen"));
}

#[tokio::test]
async fn starttls_comes_before_the_password() {
    let office = Office::open();
    let mut settings = settings(&office.dovecot);
    settings.smtp = Some(office.submission.server(Security::StartTls));
    let (effect, key) = send("zoe@example.org");
    mail(settings.clone()).deliver(&effect, &key).await.expect("sent");
    let mut unknown = office.submission.server(Security::StartTls);
    unknown.ca_file = None;
    settings.smtp = Some(unknown);
    let (effect, key) = send("eve@example.org");
    let refused = mail(settings).deliver(&effect, &key).await;
    assert!(matches!(refused, Err(DeliveryError::Unreachable(_))), "{refused:?}");
    assert_eq!(office.counts(), [1, 1, 0]);
}

#[tokio::test]
async fn what_is_refused_leaves_nothing_behind() {
    let office = Office::open();
    let mail = office.mail();
    for (to, is_passing) in [
        ("unknown@example.org", false),
        ("later@example.org", true),
        ("unloved@example.org", false),
    ] {
        let (effect, key) = send(to);
        let refused = mail.deliver(&effect, &key).await.expect_err("refused");
        assert_eq!(matches!(refused, DeliveryError::Limited { .. }), is_passing, "{refused:?}");
        assert_eq!(matches!(refused, DeliveryError::Refused(_)), !is_passing, "{refused:?}");
        assert!(!refused.to_string().contains("example.org"), "{refused}");
        assert_eq!(mail.delivered(&effect, &key).await, Ok(None), "it may be tried again");
    }
    assert_eq!(office.counts(), [0, 0, 0]);
}

#[tokio::test]
async fn one_bad_recipient_stops_the_mail_for_all() {
    let office = Office::open();
    let mut letter = letter("zoe@example.org");
    letter.to.push(person("Nobody", "unknown@example.org"));
    let refused = office.mail().deliver(&Effect::SendMail(letter), &key("two")).await;
    let Err(DeliveryError::Refused(why)) = refused else { panic!("{refused:?}") };
    assert!(why.contains("recipient 2 of 2"), "{why}");
    assert_eq!(office.counts(), [0, 0, 0]);
}

#[tokio::test]
async fn a_mail_whose_answer_was_lost_is_left_to_a_person() {
    let office = Office::open();
    let proxy = Proxy::before(office.submission.port, b"250 kept", 1).await;
    let mail = office.mail_over(proxy.port, SentCopy::Ours);
    let (effect, key) = send("zoe@example.org");
    let lost = mail.deliver(&effect, &key).await;
    assert!(matches!(lost, Err(DeliveryError::Unclear(_))), "{lost:?}");
    assert!(proxy.is_done());
    // Whoever tries again hears that nobody knows, and nothing is sent.
    for _ in 0..2 {
        let asked = mail.delivered(&effect, &key).await;
        assert!(matches!(asked, Err(DeliveryError::Undecided(_))), "{asked:?}");
        let again = mail.deliver(&effect, &key).await.expect_err("undecided");
        assert!(!again.is_retryable(), "{again:?}");
    }
    assert_eq!(office.counts(), [1, 0, 1]);
    // It arrived, a person finds, and puts it where it belongs.
    office
        .dovecot
        .doveadm(&["move", "-u", "ada", "Sent Items", "mailbox", "My Drafts", "all"], b"");
    assert!(mail.delivered(&effect, &key).await.expect("asked").is_some());
    mail.deliver(&effect, &key).await.expect("known");
    assert_eq!(office.counts(), [1, 1, 0]);
}

#[tokio::test]
async fn a_claim_whose_answer_was_lost_is_taken_back() {
    let office = Office::open();
    let proxy = Proxy::before(office.dovecot.plain().port, b"APPENDUID", 1).await;
    let mut settings = settings(&office.dovecot);
    settings.imap.port = proxy.port;
    settings.smtp = Some(office.submission.server(Security::Plain));
    let mail = mail(settings);
    let (effect, key) = send("zoe@example.org");
    let lost = mail.deliver(&effect, &key).await;
    assert!(matches!(lost, Err(DeliveryError::Unreachable(_))), "{lost:?}");
    assert!(proxy.is_done());
    assert_eq!(office.counts(), [0, 0, 0]);
    mail.deliver(&effect, &key).await.expect("sent");
    assert_eq!(office.counts(), [1, 1, 0]);
}

#[tokio::test]
async fn a_person_who_deletes_the_claim_lets_it_be_sent_again() {
    let office = Office::open();
    let proxy = Proxy::before(office.submission.port, b"250 kept", 1).await;
    let mail = office.mail_over(proxy.port, SentCopy::Ours);
    let (effect, key) = send("zoe@example.org");
    assert!(mail.deliver(&effect, &key).await.is_err());
    office.dovecot.doveadm(&["move", "-u", "ada", "Trash", "mailbox", "My Drafts", "all"], b"");
    assert_eq!(mail.delivered(&effect, &key).await, Ok(None));
    mail.deliver(&effect, &key).await.expect("sent");
    assert_eq!(office.counts(), [2, 1, 0]);
}

#[tokio::test]
async fn a_server_that_files_sent_mails_itself_is_asked_what_became_of_one() {
    let office = Office::open();
    let proxy = Proxy::before(office.submission.port, b"250 kept", 1).await;
    let mail = office.mail_over(proxy.port, SentCopy::Servers);
    let (effect, key) = send("zoe@example.org");
    assert!(mail.deliver(&effect, &key).await.is_err());
    // What Gmail or Exchange would do.
    let (_, text) = office.submission.taken().remove(0);
    office.dovecot.deliver("Sent Items", text.as_bytes());
    assert!(mail.delivered(&effect, &key).await.expect("asked").is_some());
    assert_eq!(office.counts(), [1, 1, 0], "and the claim is gone");
}

#[tokio::test]
async fn without_a_submission_server_nothing_is_sent() {
    let dovecot = Dovecot::start();
    let (effect, key) = send("zoe@example.org");
    let refused = mail(settings(&dovecot)).deliver(&effect, &key).await;
    assert!(matches!(refused, Err(DeliveryError::Refused(_))), "{refused:?}");
    assert!(dovecot.messages("My Drafts").is_empty());
}

#[tokio::test]
async fn an_invitation_and_its_withdrawal_are_two_mails_about_one_event() {
    let office = Office::open();
    let mail = office.mail();
    let mut meeting = Meeting {
        subject: Redacted::vouched("Call back about the refund"),
        body: Redacted::vouched("Thursday at two, as agreed."),
        starts: "2026-12-03T14:00[Europe/London]".parse().expect("a time"),
        minutes: 30,
        organizer: person("Ada Agent", "ada@support.example.org"),
        attendees: vec![person("Zoë", "zoe@example.org")],
        revision: 0,
        is_cancelled: false,
    };
    let key = key("meeting");
    for _ in 0..2 {
        mail.deliver(&Effect::PutMeeting(meeting.clone()), &key).await.expect("sent");
    }
    meeting.revision = 1;
    meeting.is_cancelled = true;
    mail.deliver(&Effect::PutMeeting(meeting.clone()), &key.revised(1)).await.expect("sent");
    let taken = office.submission.taken();
    assert_eq!(taken.len(), 2);
    let uid = format!("UID:bc-{}", key.as_str());
    assert!(taken[0].1.contains("text/calendar; method=REQUEST; charset=utf-8"), "{}", taken[0].1);
    assert!(taken[1].1.contains("text/calendar; method=CANCEL; charset=utf-8"), "{}", taken[1].1);
    assert!(taken.iter().all(|(_, text)| text.contains(&uid)), "{taken:?}");
    meeting.organizer = person("Eve", "eve@example.org");
    let refused = mail.deliver(&Effect::PutMeeting(meeting), &key.revised(2)).await;
    assert!(matches!(refused, Err(DeliveryError::Refused(_))), "{refused:?}");
}
