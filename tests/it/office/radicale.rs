//! Events in a real Radicale.

use std::fs;
use std::process::Command;

use backchannel::connect::calendar::{CalDav, Settings};
use backchannel::connect::destination::{DeliveryError, Destination as _};
use backchannel::domain::{DedupeKey, Effect, Meeting, Redacted};
use jiff::{Timestamp, ToSpan as _};
use reqwest::{Client, Method};
use tempfile::TempDir;

use super::proxy::Proxy;
use super::servers::{PASSWORD, Running, filled, folder, start};
use super::{PATIENCE, key, peers, person};
use crate::ports::free_port;

struct Radicale {
    _dir: TempDir,
    port: u16,
    _running: Running,
}

impl Radicale {
    async fn start() -> Self {
        let dir = folder();
        fs::write(dir.path().join("users"), format!("ada:{PASSWORD}\n")).expect("written");
        let port = free_port();
        let config = dir.path().join("radicale.conf");
        let values = [("dir", dir.path().display().to_string()), ("port", port.to_string())];
        filled("radicale.conf", &values, &config);
        let mut command = Command::new(peers("peers-office").join("bin/python"));
        let running = start(command.args(["-m", "radicale", "--config"]).arg(&config), port);
        let radicale = Self { _dir: dir, port, _running: running };
        let made = radicale.ask("MKCALENDAR", "", None).await;
        assert_eq!(made.0, 201, "{}", made.1);
        radicale
    }

    /// As another program of the calendar's owner.
    async fn ask(&self, method: &str, name: &str, body: Option<String>) -> (u16, String) {
        let url = format!("http://127.0.0.1:{}/ada/calendar/{name}", self.port);
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = Client::new().request(method, url).basic_auth("ada", Some(PASSWORD));
        if let Some(body) = body {
            request = request.header("content-type", "text/calendar").body(body);
        }
        let answer = request.send().await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("text"))
    }

    fn calendar(&self) -> CalDav {
        self.calendar_over(self.port)
    }

    fn calendar_over(&self, port: u16) -> CalDav {
        let settings = Settings {
            name: "calendar".to_owned(),
            url: format!("http://127.0.0.1:{port}/ada/calendar/").parse().expect("a URL"),
            user: "ada".to_owned(),
            password: PASSWORD.into(),
            organizers: vec!["ada@support.example.org".to_owned()],
            server_invites: false,
            time_zone: "Europe/London".to_owned(),
            patience: PATIENCE,
        };
        CalDav::new(settings).expect("settings that can be used")
    }

    /// How many events there are, and the text of all.
    async fn events(&self) -> (usize, String) {
        let (status, text) = self.ask("GET", "", None).await;
        assert_eq!(status, 200);
        (text.matches("BEGIN:VEVENT").count(), text.replace("\r\n ", ""))
    }
}

fn meeting() -> Meeting {
    Meeting {
        subject: Redacted::vouched("Rückruf: \"12,50 €\"; dann Müller"),
        body: Redacted::vouched("Thursday at two.\nBring the invoice."),
        starts: "2026-12-03T14:00[Europe/London]".parse().expect("a time"),
        minutes: 30,
        organizer: person("Ada Agent", "ada@support.example.org"),
        attendees: vec![person("Zoë \"Z\" Müller, Ltd.", "zoe@example.org")],
        revision: 0,
        is_cancelled: false,
    }
}

async fn put(calendar: &CalDav, meeting: &Meeting, key: &DedupeKey) {
    calendar.deliver(&Effect::PutMeeting(meeting.clone()), key).await.expect("made");
}

#[tokio::test]
async fn the_same_event_twice_is_one() {
    let radicale = Radicale::start().await;
    let calendar = radicale.calendar();
    let (effect, key) = (Effect::PutMeeting(meeting()), key("one"));
    assert_eq!(calendar.delivered(&effect, &key).await, Ok(None));
    let first = calendar.deliver(&effect, &key).await.expect("made");
    assert_eq!(calendar.deliver(&effect, &key).await, Ok(first.clone()));
    assert_eq!(calendar.delivered(&effect, &key).await, Ok(Some(first)));
    let (count, text) = radicale.events().await;
    assert_eq!(count, 1);
    assert!(text.contains("DTSTART:20261203T140000Z"), "{text}");
    assert!(text.contains("SCHEDULE-AGENT=CLIENT"), "{text}");
    assert!(!text.contains("METHOD"), "{text}");
}

#[tokio::test]
async fn an_event_whose_answer_was_lost_is_found_and_not_made_again() {
    let radicale = Radicale::start().await;
    let proxy = Proxy::before(radicale.port, b" 201 ", 1).await;
    let calendar = radicale.calendar_over(proxy.port);
    let (effect, key) = (Effect::PutMeeting(meeting()), key("lost"));
    let lost = calendar.deliver(&effect, &key).await;
    assert!(matches!(lost, Err(DeliveryError::Unclear(_))), "{lost:?}");
    assert!(proxy.is_done());
    assert!(calendar.delivered(&effect, &key).await.expect("asked").is_some());
    calendar.deliver(&effect, &key).await.expect("there");
    assert_eq!(radicale.events().await.0, 1);
}

#[tokio::test]
async fn a_later_revision_replaces_and_an_earlier_one_does_not() {
    let radicale = Radicale::start().await;
    let calendar = radicale.calendar();
    let (mut meeting, key) = (meeting(), key("moved"));
    put(&calendar, &meeting, &key).await;
    let mut moved = meeting.clone();
    moved.revision = 2;
    moved.starts = "2026-12-04T09:00[Europe/London]".parse().expect("a time");
    let effect = Effect::PutMeeting(moved.clone());
    assert_eq!(calendar.delivered(&effect, &key.revised(2)).await, Ok(None));
    put(&calendar, &moved, &key.revised(2)).await;
    put(&calendar, &moved, &key.revised(2)).await;
    // What was late.
    meeting.revision = 1;
    put(&calendar, &meeting, &key.revised(1)).await;
    let (count, text) = radicale.events().await;
    assert_eq!(count, 1);
    assert!(text.contains("DTSTART:20261204T090000Z") && text.contains("SEQUENCE:2"), "{text}");
    moved.revision = 3;
    moved.is_cancelled = true;
    put(&calendar, &moved, &key.revised(3)).await;
    let (count, text) = radicale.events().await;
    assert!(count == 1 && text.contains("STATUS:CANCELLED"), "{text}");
}

#[tokio::test]
async fn cancelling_what_is_not_there_makes_nothing() {
    let radicale = Radicale::start().await;
    let mut cancelled = meeting();
    cancelled.revision = 1;
    cancelled.is_cancelled = true;
    put(&radicale.calendar(), &cancelled, &key("never").revised(1)).await;
    assert_eq!(radicale.events().await.0, 0);
}

#[tokio::test]
async fn in_somebody_elses_name_nothing_is_made() {
    let radicale = Radicale::start().await;
    let mut foreign = meeting();
    foreign.organizer = person("Eve", "eve@example.org");
    let refused = radicale.calendar().deliver(&Effect::PutMeeting(foreign), &key("eve")).await;
    assert!(matches!(refused, Err(DeliveryError::Refused(_))), "{refused:?}");
    assert_eq!(radicale.events().await.0, 0);
}

#[tokio::test]
async fn a_wrong_password_is_denied() {
    let radicale = Radicale::start().await;
    let settings = Settings {
        name: "calendar".to_owned(),
        url: format!("http://127.0.0.1:{}/ada/calendar/", radicale.port).parse().expect("a URL"),
        user: "ada".to_owned(),
        password: "not-the-word".into(),
        organizers: vec!["ada@support.example.org".to_owned()],
        server_invites: false,
        time_zone: "Europe/London".to_owned(),
        patience: PATIENCE,
    };
    let calendar = CalDav::new(settings).expect("settings that can be used");
    let denied = calendar.deliver(&Effect::PutMeeting(meeting()), &key("denied")).await;
    assert!(matches!(denied, Err(DeliveryError::Denied(_))), "{denied:?}");
}

#[tokio::test]
async fn busy_hours_are_read_recurring_ones_and_whole_days_too() {
    let radicale = Radicale::start().await;
    let event = |name: &str, lines: &str| {
        let text = format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nBEGIN:VEVENT\r\nUID:{name}\r\n\
             DTSTAMP:20261101T000000Z\r\n{lines}END:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        (format!("{name}.ics"), text)
    };
    let objects = [
        // Every day at nine, London's time, from last summer on.
        event(
            "daily",
            "DTSTART:20260601T080000Z\r\nDTEND:20260601T083000Z\r\nRRULE:FREQ=DAILY\r\n",
        ),
        event("overlap", "DTSTART:20261203T082000Z\r\nDURATION:PT40M\r\n"),
        event("day", "DTSTART;VALUE=DATE:20261204\r\nDTEND;VALUE=DATE:20261205\r\n"),
        event(
            "free",
            "DTSTART:20261203T120000Z\r\nDTEND:20261203T130000Z\r\nTRANSP:TRANSPARENT\r\n",
        ),
        event("off", "DTSTART:20261203T150000Z\r\nDTEND:20261203T160000Z\r\nSTATUS:CANCELLED\r\n"),
    ];
    for (name, text) in objects {
        let (status, told) = radicale.ask("PUT", &name, Some(text)).await;
        assert_eq!(status, 201, "{told}");
    }
    let calendar = radicale.calendar();
    put(&calendar, &meeting(), &key("ours")).await;
    let at = |text: &str| -> Timestamp { text.parse().expect("a time") };
    let (from, to) = (at("2026-12-03T00:00Z"), at("2026-12-05T00:00Z"));
    let busy = calendar.busy(from, to).await.expect("read");
    let taken = [
        (at("2026-12-03T08:00Z"), at("2026-12-03T09:00Z")),
        (at("2026-12-03T14:00Z"), at("2026-12-03T14:30Z")),
        (at("2026-12-04T00:00Z"), at("2026-12-05T00:00Z")),
    ];
    assert_eq!((&busy.taken[..], busy.unread), (&taken[..], 0));
    let noon = at("2026-12-03T12:00Z");
    assert!(busy.is_free(noon, noon + 60.minutes()));
    assert!(!busy.is_free(noon, noon + 121.minutes()));
}
