//! One event as calendars read it. The crate `icalendar` puts it together and escapes texts. It takes control characters
//! and quotation marks as they come, so every value is made harmless first; and its last folded line may have 76
//! octets, so lines are folded here.

use icalendar::parser::unfold;
use icalendar::{Calendar, Component as _, Event, Property};
use jiff::{Timestamp, ToSpan as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::connect::destination::DeliveryError;
use crate::connect::mail::address;
use crate::domain::{DedupeKey, Mailbox, Meeting};

/// RFC 5545, section 3.1: so many octets at most, and none of a character is cut off.
const LINE_MAX_BYTES: usize = 75;
const PRODUCT: &str = "-//Backchannel//Backchannel//EN";
const ATTENDEES_MAX: usize = 20;
const MINUTES_MAX: u32 = 7 * 24 * 60;
const SUBJECT_MAX_CHARS: usize = 250;
const TEXT_MAX_CHARS: usize = 16_000;
/// What RFC 6068 lets stand before an `@`.
const MAILTO: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'+')
    .remove(b'\'');

/// Which event: the same through all its revisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventKey(String);

impl EventKey {
    /// # Errors
    /// `Refused` when the key isn't one of ours.
    pub fn new(key: &DedupeKey) -> Result<Self, DeliveryError> {
        let stem = key.stem();
        let is_plain = (1..=128).contains(&stem.len())
            && stem.bytes().all(|byte| byte.is_ascii_alphanumeric());
        match is_plain {
            true => Ok(Self(stem.to_owned())),
            false => {
                Err(DeliveryError::Refused("the key is not made of letters and digits".into()))
            }
        }
    }

    /// Its `UID`.
    pub fn uid(&self) -> String {
        format!("bc-{}", self.0)
    }

    /// What one revision of it is called.
    pub fn of_revision(&self, meeting: &Meeting) -> String {
        let revised = DedupeKey::stored(self.0.clone()).revised(meeting.revision);
        format!("{}{}", revised.as_str(), if meeting.is_cancelled { "c" } else { "" })
    }
}

/// An event, ready to be stored or sent.
#[derive(Clone, Debug)]
pub struct Invitation {
    event: Event,
    attendees: Vec<Property>,
    is_cancelled: bool,
}

impl Invitation {
    /// # Errors
    /// `Refused` when somebody's address is none, or the meeting is too long or has too many people.
    pub fn new(key: &EventKey, meeting: &Meeting, now: Timestamp) -> Result<Self, DeliveryError> {
        let refused = |why: String| Err(DeliveryError::Refused(why));
        if meeting.minutes == 0 || meeting.minutes > MINUTES_MAX {
            return refused(format!("a meeting takes 1 to {MINUTES_MAX} minutes"));
        }
        if meeting.attendees.len() > ATTENDEES_MAX {
            return refused(format!("a meeting has at most {ATTENDEES_MAX} attendees"));
        }
        let starts = meeting.starts.timestamp();
        let Ok(ends) = starts.checked_add(i64::from(meeting.minutes).minutes()) else {
            return refused("the meeting lies beyond all calendars".to_owned());
        };
        let mut event = Event::new();
        let mut plain = |name: &str, value: String| {
            event.append_property(Property::new(name, value));
        };
        plain("UID", key.uid());
        plain("DTSTAMP", utc(now));
        plain("DTSTART", utc(starts));
        plain("DTEND", utc(ends));
        plain("SEQUENCE", meeting.revision.to_string());
        let status = if meeting.is_cancelled { "CANCELLED" } else { "CONFIRMED" };
        plain("STATUS", status.to_owned());
        plain("SUMMARY", address::line(meeting.subject.as_str(), SUBJECT_MAX_CHARS));
        plain("DESCRIPTION", text(meeting.body.as_str()));
        event.append_property(person("ORGANIZER", &meeting.organizer)?);
        let attendees: Result<Vec<_>, _> =
            meeting.attendees.iter().map(|one| person("ATTENDEE", one)).collect();
        let mut attendees = attendees?;
        for attendee in &mut attendees {
            attendee
                .add_parameter("ROLE", "REQ-PARTICIPANT")
                .add_parameter("PARTSTAT", "NEEDS-ACTION")
                .add_parameter("RSVP", "TRUE");
        }
        Ok(Self { event, attendees, is_cancelled: meeting.is_cancelled })
    }

    /// `REQUEST` or `CANCEL` (RFC 5546).
    pub fn method(&self) -> &'static str {
        if self.is_cancelled { "CANCEL" } else { "REQUEST" }
    }

    /// As the part of a mail.
    pub fn as_mail(&self) -> String {
        self.written(Some(self.method()), false)
    }

    /// As an object of a calendar, which has no method (RFC 4791, section 4.1). Where the server would itself invite
    /// the attendees (RFC 6638) it is told whether to.
    pub fn as_stored(&self, server_invites: bool) -> String {
        self.written(None, !server_invites)
    }

    fn written(&self, method: Option<&str>, by_client: bool) -> String {
        let mut event = self.event.clone();
        for attendee in &self.attendees {
            let mut attendee = attendee.clone();
            if by_client {
                attendee.add_parameter("SCHEDULE-AGENT", "CLIENT");
            }
            event.append_multi_property(attendee);
        }
        let mut calendar = Calendar::empty();
        calendar.append_property(("VERSION", "2.0")).append_property(("PRODID", PRODUCT));
        if let Some(method) = method {
            calendar.append_property(("METHOD", method));
        }
        calendar.push(event);
        folded(&unfold(&calendar.to_string()))
    }
}

fn folded(lines: &str) -> String {
    let mut out = String::with_capacity(lines.len() + lines.len() / 16);
    for line in lines.lines() {
        let mut used = 0;
        for c in line.chars() {
            if used + c.len_utf8() > LINE_MAX_BYTES {
                out.push_str("\r\n ");
                used = 1;
            }
            out.push(c);
            used += c.len_utf8();
        }
        out.push_str("\r\n");
    }
    out
}

/// `20261203T140000Z`.
pub(super) fn utc(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn person(property: &str, mailbox: &Mailbox) -> Result<Property, DeliveryError> {
    let written = address::written(mailbox).map_err(DeliveryError::Refused)?;
    let (local, host) = (written.email.user(), written.email.domain());
    let local = utf8_percent_encode(local, MAILTO);
    let mut property = Property::new(property, format!("mailto:{local}@{host}"));
    if let Some(name) = &written.name {
        // A parameter can't hold a quotation mark in any way.
        property.add_parameter("CN", &name.replace('"', "'"));
    }
    Ok(property)
}

fn text(raw: &str) -> String {
    // Programs in some languages end a line at Unicode's separators too.
    let raw = raw.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}'], "\n");
    raw.chars().filter(|c| *c == '\n' || !c.is_control()).take(TEXT_MAX_CHARS).collect()
}
