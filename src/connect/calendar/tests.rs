use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::busy::{Busy, revision};
use super::{EventKey, Invitation};
use crate::connect::destination::DeliveryError;
use crate::domain::{DedupeKey, Mailbox, Meeting, Redacted};

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn mailbox(name: Option<&str>, address: &str) -> Mailbox {
    Mailbox { name: name.map(str::to_owned), address: address.to_owned() }
}

fn meeting() -> Meeting {
    Meeting {
        subject: Redacted::vouched("Call back"),
        body: Redacted::vouched("Thursday at two."),
        starts: "2026-07-02T14:00[Europe/Berlin]".parse().expect("a time"),
        minutes: 45,
        organizer: mailbox(Some("Ada"), "ada@support.example.org"),
        attendees: vec![mailbox(None, "zoe+home@example.org")],
        revision: 0,
        is_cancelled: false,
    }
}

fn event() -> EventKey {
    EventKey::new(&DedupeKey::of(&["a"])).expect("a key of ours")
}

fn invitation(meeting: &Meeting) -> Result<Invitation, DeliveryError> {
    Invitation::new(&event(), meeting, at("2026-06-30T08:00:01Z"))
}

/// Lines as a calendar program reads them.
fn lines(object: &str) -> Vec<String> {
    assert!(object.ends_with("\r\n"), "{object}");
    assert!(!object.replace("\r\n", "").contains(['\r', '\n']), "{object:?}");
    for line in object.split("\r\n") {
        assert!(line.len() <= 75, "{} octets: {line}", line.len());
    }
    object.replace("\r\n ", "").split("\r\n").map(str::to_owned).collect()
}

#[test]
fn an_event_is_written_as_calendars_want_it() {
    let written = lines(&invitation(&meeting()).expect("an event").as_mail());
    let expected = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Backchannel//Backchannel//EN",
        "METHOD:REQUEST",
        "BEGIN:VEVENT",
        "DESCRIPTION:Thursday at two.",
        "DTEND:20260702T124500Z",
        "DTSTAMP:20260630T080001Z",
        "DTSTART:20260702T120000Z",
        "ORGANIZER;CN=Ada:mailto:ada@support.example.org",
        "SEQUENCE:0",
        "STATUS:CONFIRMED",
        "SUMMARY:Call back",
        &format!("UID:{}", event().uid()),
        "ATTENDEE;PARTSTAT=NEEDS-ACTION;ROLE=REQ-PARTICIPANT;RSVP=TRUE:mailto:zoe+home@example.org",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ];
    assert_eq!(written, expected);
}

#[test]
fn a_withdrawal_bears_the_same_name_and_a_higher_number() {
    let mut meeting = meeting();
    meeting.revision = 3;
    meeting.is_cancelled = true;
    let invitation = invitation(&meeting).expect("an event");
    let written = lines(&invitation.as_mail());
    for line in
        ["METHOD:CANCEL", "STATUS:CANCELLED", "SEQUENCE:3", &format!("UID:{}", event().uid())]
    {
        assert!(written.iter().any(|one| one == line), "{line}: {written:?}");
    }
    let stored = invitation.as_stored(false);
    assert!(!stored.contains("METHOD"));
    assert!(lines(&stored).iter().any(|line| line.contains("SCHEDULE-AGENT=CLIENT")));
    assert!(!invitation.as_stored(true).contains("SCHEDULE-AGENT"));
    assert_eq!(revision(&stored, &event().uid()), Some((3, true)));
    assert_eq!(revision(&stored, "another"), None);
}

#[test]
fn every_revision_of_a_key_is_the_same_event() {
    let key = DedupeKey::of(&["meeting"]);
    let first = EventKey::new(&key).expect("ours");
    assert_eq!(EventKey::new(&key.revised(7)).expect("ours"), first);
    assert_eq!(key.revised(7).revised(0), key);
    assert!(EventKey::new(&DedupeKey::stored("../../x")).is_err());
    assert!(EventKey::new(&DedupeKey::stored("")).is_err());
}

#[test]
fn what_is_no_meeting_is_refused() {
    let spoilt: [fn(&mut Meeting); 5] = [
        |one| one.minutes = 0,
        |one| one.minutes = u32::MAX,
        |one| one.organizer.address = "ada@x.org\r\nATTENDEE:mailto:eve@x.org".to_owned(),
        |one| one.attendees[0].address = "nobody".to_owned(),
        |one| one.attendees = vec![mailbox(None, "zoe@example.org"); 21],
    ];
    for spoil in spoilt {
        let mut meeting = meeting();
        spoil(&mut meeting);
        let refused = invitation(&meeting).map(|_| ());
        assert!(matches!(refused, Err(DeliveryError::Refused(_))), "{refused:?}");
    }
}

const OBJECT: &str =
    "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:a\n{}END:VEVENT\nEND:VCALENDAR\n";

fn read(lines: &str) -> Busy {
    let zone = TimeZone::get("Europe/London").expect("a zone");
    let mut busy = Busy::default();
    let (from, to) = (at("2026-07-01T00:00Z"), at("2026-07-03T00:00Z"));
    busy.read(&OBJECT.replace("{}", lines), &zone, from, to);
    busy.merged()
}

#[test]
fn times_are_read_in_every_form() {
    for (lines, from, to) in [
        (
            "DTSTART:20260701T080000Z\nDTEND:20260701T083000Z\n",
            "2026-07-01T08:00Z",
            "2026-07-01T08:30Z",
        ),
        (
            "DTSTART;TZID=Europe/Berlin:20260701T100000\nDURATION:PT1H30M\n",
            "2026-07-01T08:00Z",
            "2026-07-01T09:30Z",
        ),
        // Without a zone: the calendar's own.
        (
            "DTSTART:20260701T100000\nDTEND:20260701T110000\n",
            "2026-07-01T09:00Z",
            "2026-07-01T10:00Z",
        ),
        ("DTSTART;VALUE=DATE:20260701\n", "2026-07-01T00:00Z", "2026-07-01T23:00Z"),
        (
            "DTSTART:20260630T000000Z\nDTEND:20260701T010000Z\n",
            "2026-07-01T00:00Z",
            "2026-07-01T01:00Z",
        ),
    ] {
        assert_eq!(read(lines).taken, [(at(from), at(to))], "{lines}");
        assert_eq!(read(lines).unread, 0, "{lines}");
    }
}

#[test]
fn what_cannot_be_read_is_counted() {
    for lines in [
        "DTSTART:today\n",
        "DTSTART;TZID=W. Europe Standard Time:20260701T100000\nDTEND;TZID=W. Europe Standard Time:20260701T110000\n",
        "SUMMARY:without a time\n",
        "DTSTART:20260701T080000Z\nDTEND:20260701T083000Z\nRRULE:FREQ=DAILY\n",
    ] {
        assert_eq!(read(lines).unread, 1, "{lines}");
    }
    let deep = "BEGIN:X\n".repeat(100_000);
    assert_eq!(read(&deep).unread, 1);
}

proptest! {
    #[test]
    fn no_words_break_out_of_their_line(subject in "\\PC{0,60}|[\\x00-\\x7f]{0,60}", body in any::<String>(), name in any::<String>()) {
        let mut meeting = meeting();
        meeting.subject = Redacted::vouched(subject);
        meeting.body = Redacted::vouched(format!("{body}\r\nEND:VEVENT\r\nATTENDEE:mailto:eve@example.org"));
        meeting.organizer.name = Some(format!("{name}\";X=\"y:z\r\nATTENDEE:mailto:eve@example.org"));
        let written = lines(&invitation(&meeting).expect("an event").as_mail());
        let count = |start: &str| written.iter().filter(|line| line.starts_with(start)).count();
        prop_assert_eq!(count("ATTENDEE"), 1);
        prop_assert_eq!(count("END:VEVENT"), 1);
        prop_assert_eq!(written.len(), 18);
    }

    #[test]
    fn no_calendar_makes_it_panic(object in "(BEGIN:VEVENT\n|END:VEVENT\n|DTSTART|DTEND|DURATION|;TZID=|;VALUE=DATE|:|20260701|T080000|Z|P|T|99|W|\n|\r\n |\\PC){0,60}") {
        let _ = read(&object);
        let _ = revision(&object, "a");
    }
}
