//! SMS over Azure Communication Services: the `SMSReceived` event of Event Grid, and `POST /sms` for replies.
//!
//! Formats: Microsoft's azure-docs (`communication-services-telephony-sms-events.md`, `sign-api-calls` of the HMAC
//! scheme) and the SMS client of its SDKs (API version 2021-03-07).

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::Method;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use reqwest::Url;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{Inbound, Unreadable, address, cut, reply};
use crate::connect::crm::same::e164;
use crate::connect::destination::{DeliveryError, Destination, RemoteId};
use crate::connect::http::{Api, Body, Request, text};
use crate::domain::{Channel, DedupeKey, Effect};
use crate::flow::driver::texts::Route;

const RECEIVED: &str = "Microsoft.Communication.SMSReceived";
const API_VERSION: &str = "2021-03-07";
/// ACS takes no longer messages.
const MESSAGE_MAX_CHARS: usize = 2_048;
/// So long a repeated request surely counts as the same.
const REPEATABLE_S: i64 = 3_600;

/// The messages of a delivery of Event Grid, in its own schema or as CloudEvents. Other events have none.
///
/// # Errors
/// A message without the fields that it needs.
pub fn read(body: &[u8], connector: &str) -> Result<Vec<Inbound>, Unreadable> {
    let value: Value =
        serde_json::from_slice(body).map_err(|_| Unreadable("the body is not JSON"))?;
    let events = match value {
        Value::Array(events) => events,
        one => vec![one],
    };
    let is_sms = |event: &&Value| {
        let kind = event["eventType"].as_str().or_else(|| event["type"].as_str());
        kind.is_some_and(|kind| kind.eq_ignore_ascii_case(RECEIVED))
    };
    events.iter().filter(is_sms).map(|event| message(&event["data"], connector)).collect()
}

fn message(data: &Value, connector: &str) -> Result<Inbound, Unreadable> {
    let field = |name: &str, fault| data[name].as_str().ok_or(Unreadable(fault));
    let number = |raw: &str, fault| {
        // Short codes and names of senders are no numbers, and stay as they are.
        let written = raw.trim_start().starts_with('+').then(|| e164(raw, "US")).flatten();
        written.map_or_else(|| address(raw, fault), Ok)
    };
    let said = cut(field("message", "message is missing")?);
    Ok(Inbound {
        channel: Channel::Sms,
        route: Route {
            connector: connector.to_owned(),
            ours: number(field("to", "to is missing")?, "to is no number")?,
            theirs: number(field("from", "from is missing")?, "from is no number")?,
            thread: None,
        },
        name: None,
        message_id: address(field("messageId", "messageId is missing")?, "messageId is none")?,
        text: if said.trim().is_empty() { "[empty message]".to_owned() } else { said },
        at: data["receivedTimestamp"].as_str().and_then(|at| at.parse().ok()),
    })
}

#[derive(Clone)]
pub struct Settings {
    /// The destination's name.
    pub name: String,
    /// `https://….communication.azure.com`.
    pub endpoint: Url,
    /// The resource's access key, decoded.
    pub access_key: Vec<u8>,
    pub patience: Duration,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Sends replies.
pub struct AcsSms {
    settings: Settings,
    api: Api,
    host: String,
}

impl AcsSms {
    /// # Errors
    /// What is wrong with the settings.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let api = Api::new(settings.endpoint.clone(), &BTreeMap::new(), settings.patience)?;
        let host = settings.endpoint.host_str().unwrap_or_default();
        let host = match settings.endpoint.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        Ok(Self { settings, api, host })
    }
}

#[async_trait]
impl Destination for AcsSms {
    fn name(&self) -> &str {
        &self.settings.name
    }

    async fn deliver(&self, effect: &Effect, key: &DedupeKey) -> Result<RemoteId, DeliveryError> {
        let reply = reply(effect)?;
        if reply.text.as_str().chars().nth(MESSAGE_MAX_CHARS).is_some() {
            let why = format!("a message has {MESSAGE_MAX_CHARS} characters at most");
            return Err(DeliveryError::Refused(why));
        }
        let body = json!({
            "from": reply.from,
            "smsRecipients": [{
                "to": reply.to,
                "repeatabilityRequestId": repeatability_id(key)?,
                // Both together make a request the same one, so not the time of this try.
                "repeatabilityFirstSent": http_date(reply.written_at)?,
            }],
            "message": reply.text.as_str(),
        })
        .to_string();
        let path = format!("sms?api-version={API_VERSION}");
        let date = http_date(Timestamp::now())?;
        let signed = sign(&self.settings.access_key, &format!("/{path}"), &date, &self.host, &body);
        let mut request = Request::new(Method::POST, &path)
            .header("x-ms-date", date)
            .header("x-ms-content-sha256", content_hash(&body))
            .header("authorization", signed);
        request.body = Body::Text("application/json", body);
        let answer = self.api.ask(request).await?;
        outcome(&answer.body["value"][0])
    }

    /// The same request again is the same message, so nothing need be looked for.
    async fn delivered(
        &self,
        effect: &Effect,
        _: &DedupeKey,
    ) -> Result<Option<RemoteId>, DeliveryError> {
        let reply = reply(effect)?;
        let age = Timestamp::now().as_second() - reply.written_at.as_second();
        match age < REPEATABLE_S {
            true => Ok(None),
            false => Err(DeliveryError::Undecided(
                "it is too old to be repeated safely; look in the log of the SMS resource"
                    .to_owned(),
            )),
        }
    }
}

fn outcome(item: &Value) -> Result<RemoteId, DeliveryError> {
    if item["repeatabilityResult"] == "rejected" {
        let why = "the request was taken for another one; look in the log of the SMS resource";
        return Err(DeliveryError::Undecided(why.to_owned()));
    }
    let code = item["httpStatusCode"].as_u64().unwrap_or_default();
    match (item["successful"].as_bool(), code) {
        (Some(true), _) => match text(&item["messageId"]) {
            Some(id) => Ok(RemoteId(id)),
            None => Err(DeliveryError::Unclear("its answer has no messageId".to_owned())),
        },
        (Some(false), 429) => Err(DeliveryError::Limited { retry_after: None }),
        (Some(false), 500..=599) => Err(DeliveryError::Unclear(format!("status {code}"))),
        (Some(false), _) => Err(DeliveryError::Refused(format!("status {code}"))),
        (None, _) => Err(DeliveryError::Unclear("its answer names no recipient".to_owned())),
    }
}

/// A key is 32 hexadecimal digits, and so is a GUID.
fn repeatability_id(key: &DedupeKey) -> Result<String, DeliveryError> {
    let id = Uuid::parse_str(key.stem());
    let id = id.map_err(|_| DeliveryError::Refused("the key is no GUID".to_owned()))?;
    Ok(id.hyphenated().to_string())
}

/// RFC 9110's date, to the second.
fn http_date(at: Timestamp) -> Result<String, DeliveryError> {
    let refused = |_| DeliveryError::Refused("the time can't be written".to_owned());
    DateTimePrinter::new().timestamp_to_rfc9110_string(&at).map_err(refused)
}

fn content_hash(body: &str) -> String {
    STANDARD.encode(Sha256::digest(body.as_bytes()))
}

fn sign(key: &[u8], path_and_query: &str, date: &str, host: &str, body: &str) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length; this is a bug");
    let hash = content_hash(body);
    mac.update(format!("POST\n{path_and_query}\n{date};{host};{hash}").as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    format!("HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_in_both_schemas_and_other_events_left_alone() {
        let data = json!({"messageId": "Outgoing_2020-09-01", "from": "+1 555 123 0001",
            "to": "+15557654321", "message": "Great to connect", "receivedTimestamp": "2026-09-18T00:27:45.32Z"});
        let own = json!([{"id": "1", "eventType": RECEIVED, "data": data},
            {"id": "2", "eventType": "Microsoft.Communication.SMSDeliveryReportReceived", "data": {}}]);
        let cloud = json!({"specversion": "1.0", "id": "1", "type": RECEIVED, "data": data});
        for body in [own, cloud] {
            let read = read(body.to_string().as_bytes(), "acs").expect("messages");
            assert_eq!(read.len(), 1);
            let route = &read[0].route;
            assert_eq!(
                (route.theirs.as_str(), route.ours.as_str()),
                ("+15551230001", "+15557654321")
            );
            assert_eq!((read[0].text.as_str(), read[0].at.is_some()), ("Great to connect", true));
        }
        let broken = json!([{"id": "1", "eventType": RECEIVED, "data": {"from": "Jane Doe"}}]);
        let error = read(broken.to_string().as_bytes(), "acs").expect_err("no message");
        assert!(!error.to_string().contains("Jane"), "{error}");
    }

    #[test]
    fn what_became_of_a_message_is_told_for_its_recipient() {
        let item = |more: Value| {
            let mut item =
                json!({"to": "+1", "httpStatusCode": 202, "successful": true, "messageId": "m"});
            item.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
            outcome(&item)
        };
        assert_eq!(item(json!({})), Ok(RemoteId("m".to_owned())));
        assert_eq!(item(json!({"repeatabilityResult": "accepted"})), Ok(RemoteId("m".to_owned())));
        let rejected = item(json!({"repeatabilityResult": "rejected"}));
        assert!(matches!(rejected, Err(DeliveryError::Undecided(_))));
        let failed = |code: u64| item(json!({"successful": false, "httpStatusCode": code}));
        assert!(matches!(failed(400), Err(DeliveryError::Refused(_))));
        assert!(matches!(failed(429), Err(DeliveryError::Limited { .. })));
        assert!(matches!(failed(503), Err(DeliveryError::Unclear(_))));
        assert!(matches!(outcome(&Value::Null), Err(DeliveryError::Unclear(_))));
    }

    #[test]
    fn a_key_is_the_same_guid_each_time() {
        let key = DedupeKey::of(&["reply", "c-1", "t-4"]);
        let id = repeatability_id(&key).expect("a GUID");
        assert_eq!((id.len(), repeatability_id(&key).expect("a GUID")), (36, id.clone()));
        assert_eq!(
            http_date(Timestamp::UNIX_EPOCH).expect("a date"),
            "Thu, 01 Jan 1970 00:00:00 GMT"
        );
    }
}
