//! A calendar on a CalDAV server. The object's name is made from the key, so the server itself refuses a second one.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::ETAG;
use http::{Method, StatusCode};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use reqwest::Url;
use roxmltree::Document;
use secrecy::{ExposeSecret as _, SecretString};

use super::busy::{self, Busy};
use super::event::{EventKey, Invitation, utc};
use crate::connect::destination::{DeliveryError, Destination, RemoteId};
use crate::connect::http::{Answered, Api, Body, Request};
use crate::domain::{DedupeKey, Effect, Meeting};

const CALDAV: &str = "urn:ietf:params:xml:ns:caldav";
/// Somebody else may change the event between reading and writing it, but not so often.
const TRIES: usize = 3;

#[derive(Clone, Debug)]
pub struct Settings {
    /// The destination's name.
    pub name: String,
    /// The calendar itself: a collection, not a principal.
    pub url: Url,
    pub user: String,
    pub password: SecretString,
    /// In whose names meetings are made: addresses. Others are refused.
    pub organizers: Vec<String>,
    /// Whether the server itself invites the attendees (RFC 6638), if it can. Where a mailbox does, it must not.
    pub server_invites: bool,
    /// Where whole days and times without a zone are: IANA's name.
    pub time_zone: String,
    pub patience: Duration,
}

#[derive(Debug)]
pub struct CalDav {
    name: String,
    api: Api,
    organizers: Vec<String>,
    server_invites: bool,
    zone: TimeZone,
}

/// What is in the calendar under an event's name.
struct Stored {
    etag: Option<String>,
    sequence: u32,
    is_cancelled: bool,
}

impl Stored {
    /// Whether a meeting's revision, or a later one, is there.
    fn has(&self, meeting: &Meeting) -> bool {
        let is_same =
            self.sequence == meeting.revision && self.is_cancelled == meeting.is_cancelled;
        self.sequence > meeting.revision || is_same
    }
}

impl CalDav {
    /// # Errors
    /// What is wrong with the settings, in a sentence that begins with the setting's name.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let zone = TimeZone::get(&settings.time_zone)
            .map_err(|_| "time_zone must be one of IANA's, such as Europe/London".to_owned())?;
        if settings.organizers.is_empty() {
            return Err("organizers must name at least one address".to_owned());
        }
        if settings.user.contains(':') {
            return Err("user must not hold a colon".to_owned());
        }
        let login = format!("{}:{}", settings.user, settings.password.expose_secret());
        let header = format!("Basic {}", STANDARD.encode(login));
        let headers = BTreeMap::from([("authorization".to_owned(), header)]);
        Ok(Self {
            name: settings.name,
            api: Api::new(settings.url, &headers, settings.patience)?,
            organizers: settings.organizers,
            server_invites: settings.server_invites,
            zone,
        })
    }

    /// When the calendar is taken, from one moment to another. The server spells recurring events out; what it leaves
    /// is counted as unread and not guessed.
    ///
    /// # Errors
    /// As `Api::ask`; `Unclear` when the answer is no multistatus.
    pub async fn busy(&self, from: Timestamp, to: Timestamp) -> Result<Busy, DeliveryError> {
        let (start, end) = (utc(from), utc(to));
        let range = format!("start=\"{start}\" end=\"{end}\"");
        let query = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
             <C:calendar-query xmlns:D=\"DAV:\" xmlns:C=\"{CALDAV}\">\
             <D:prop><C:calendar-data><C:expand {range}/></C:calendar-data></D:prop>\
             <C:filter><C:comp-filter name=\"VCALENDAR\"><C:comp-filter name=\"VEVENT\">\
             <C:time-range {range}/></C:comp-filter></C:comp-filter></C:filter>\
             </C:calendar-query>"
        );
        let report = Method::from_bytes(b"REPORT").unwrap_or_default();
        let mut request = Request::new(report, "").header("depth", "1");
        request.body = Body::Text("application/xml; charset=utf-8", query);
        let answer = self.api.ask(request).await?;
        let unread = || DeliveryError::Unclear("its answer is no multistatus".to_owned());
        let text = answer.body.as_str().ok_or_else(unread)?;
        let document = Document::parse(text).map_err(|_| unread())?;
        let mut busy = Busy::default();
        for object in
            document.descendants().filter(|one| one.has_tag_name((CALDAV, "calendar-data")))
        {
            let text: String = object.children().filter_map(|one| one.text()).collect();
            busy.read(&text, &self.zone, from, to);
        }
        Ok(busy.merged())
    }

    async fn stored(&self, event: &EventKey) -> Result<Option<Stored>, DeliveryError> {
        let answer = self.api.send(Request::get(&file(event))).await?;
        if matches!(answer.status, StatusCode::NOT_FOUND | StatusCode::GONE) {
            return Ok(None);
        }
        let answer = answer.success()?;
        let text = answer.body.as_str().unwrap_or_default();
        let Some((sequence, is_cancelled)) = busy::revision(text, &event.uid()) else {
            let why = "what it has under the event's name is not that event";
            return Err(DeliveryError::Untrusted(why.to_owned()));
        };
        Ok(Some(Stored { etag: etag(&answer), sequence, is_cancelled }))
    }

    async fn put(
        &self,
        event: &EventKey,
        object: &str,
        condition: (&'static str, &str),
    ) -> Result<Answered, DeliveryError> {
        let path = file(event);
        let mut request = Request::new(Method::PUT, &path).header(condition.0, condition.1);
        request.body = Body::Text("text/calendar; charset=utf-8", object.to_owned());
        self.api.send(request).await
    }

    fn meeting<'a>(&self, effect: &'a Effect) -> Result<&'a Meeting, DeliveryError> {
        let Effect::PutMeeting(meeting) = effect else {
            return Err(DeliveryError::Unsupported("a calendar holds meetings"));
        };
        let organizer = &meeting.organizer.address;
        if !self.organizers.iter().any(|one| one.eq_ignore_ascii_case(organizer)) {
            let why = "the organizer is none of the configured `organizers`";
            return Err(DeliveryError::Refused(why.to_owned()));
        }
        Ok(meeting)
    }
}

#[async_trait]
impl Destination for CalDav {
    fn name(&self) -> &str {
        &self.name
    }

    /// Creates the event, or replaces an earlier revision of it. A later one, made by us or by a person whose program
    /// counts changes, is left as it is.
    async fn deliver(&self, effect: &Effect, key: &DedupeKey) -> Result<RemoteId, DeliveryError> {
        let meeting = self.meeting(effect)?;
        let event = EventKey::new(key)?;
        let object =
            Invitation::new(&event, meeting, Timestamp::now())?.as_stored(self.server_invites);
        let made = RemoteId(file(&event));
        // Most events are made once and never changed: the first try asks nothing.
        let mut known = match meeting.revision {
            0 if !meeting.is_cancelled => None,
            _ => self.stored(&event).await?,
        };
        for _ in 0..TRIES {
            let condition = match &known {
                Some(stored) if stored.has(meeting) => return Ok(made),
                None if meeting.is_cancelled => return Ok(made),
                None => ("if-none-match", "*".to_owned()),
                Some(Stored { etag: Some(etag), .. }) => ("if-match", etag.clone()),
                Some(Stored { etag: None, .. }) => {
                    let why = "it gives no ETag, without which an event can't be changed safely";
                    return Err(DeliveryError::Refused(why.to_owned()));
                }
            };
            let answer = self.put(&event, &object, (condition.0, &condition.1)).await?;
            if answer.status != StatusCode::PRECONDITION_FAILED {
                return answer.success().map(|_| made);
            }
            known = self.stored(&event).await?;
        }
        Err(DeliveryError::Changed)
    }

    async fn delivered(
        &self,
        effect: &Effect,
        key: &DedupeKey,
    ) -> Result<Option<RemoteId>, DeliveryError> {
        let meeting = self.meeting(effect)?;
        let event = EventKey::new(key)?;
        let stored = self.stored(&event).await?;
        Ok(stored.filter(|stored| stored.has(meeting)).map(|_| RemoteId(file(&event))))
    }
}

/// The object's name below the calendar.
fn file(event: &EventKey) -> String {
    format!("{}.ics", event.uid())
}

fn etag(answer: &Answered) -> Option<String> {
    answer.headers.get(ETAG)?.to_str().ok().map(str::to_owned)
}
