//! SMS (and WhatsApp) over Twilio: its webhook's form, and `Messages.json` for replies.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use jiff::Timestamp;
use reqwest::Url;
use serde_json::Value;

use super::{Inbound, Unreadable, address, cut, reply};
use crate::connect::crm::same::e164;
use crate::connect::destination::{DeliveryError, Destination, RemoteId};
use crate::connect::http::{Api, Body, Request, segment, text};
use crate::connect::telephony::auth::PublicUrl;
use crate::connect::telephony::twilio::signature;
use crate::domain::{Channel, ChannelReply, DedupeKey, Effect, TenantId};
use crate::flow::driver::texts::Route;
use crate::store::{DeliveryQuery, Outbox};

/// Twilio takes no longer messages.
const BODY_MAX_CHARS: usize = 1_600;
/// Twilio's clock and ours.
const SKEW_S: i64 = 60;
/// Messages to one number that are looked through.
const LOOKED_AT: usize = 50;

/// Checks and reads the webhook.
pub struct Webhook {
    pub connector: String,
    pub auth_token: String,
    pub public: PublicUrl,
}

impl Webhook {
    /// Whether Twilio signed this form for this address.
    pub fn signs(&self, path_and_query: &str, form: &[(String, String)], given: &str) -> bool {
        let params: Vec<(&str, &str)> =
            form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let url = self.public.http(path_and_query);
        signature::signs(&self.auth_token, &url, &params, given)
    }

    /// # Errors
    /// A field is missing, or no address.
    pub fn read(&self, form: &[(String, String)]) -> Result<Inbound, Unreadable> {
        let field = |wanted: &str| {
            form.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
        };
        let needed = |name, fault| field(name).ok_or(Unreadable(fault));
        let theirs = number(needed("From", "From is missing")?, "From is no address")?;
        let ours = number(needed("To", "To is missing")?, "To is no address")?;
        let id = needed("MessageSid", "MessageSid is missing")?;
        let media = field("NumMedia").and_then(|count| count.parse::<u32>().ok()).unwrap_or(0);
        let mut body = cut(field("Body").unwrap_or_default());
        if media > 0 {
            // Pictures aren't fetched: the agent has to know that there are some.
            let note = if media == 1 { "[1 attachment]" } else { "[several attachments]" };
            body = format!("{body} {note}").trim().to_owned();
        }
        if body.trim().is_empty() {
            body = "[empty message]".to_owned();
        }
        let is_whatsapp = theirs.starts_with("whatsapp:");
        Ok(Inbound {
            channel: if is_whatsapp { Channel::Chat } else { Channel::Sms },
            name: is_whatsapp.then(|| theirs.trim_start_matches("whatsapp:").to_owned()),
            route: Route { connector: self.connector.clone(), ours, theirs, thread: None },
            message_id: address(id, "MessageSid is none")?,
            text: body,
            at: None,
        })
    }
}

/// In E.164; a short code or a sender's name as it is.
fn number(raw: &str, fault: &'static str) -> Result<String, Unreadable> {
    let raw = address(raw, fault)?;
    let (scheme, bare) = match raw.strip_prefix("whatsapp:") {
        Some(bare) => ("whatsapp:", bare),
        None => ("", raw.as_str()),
    };
    Ok(format!(
        "{scheme}{}",
        e164(bare, "US").filter(|_| bare.starts_with('+')).unwrap_or_else(|| bare.to_owned())
    ))
}

#[derive(Clone, Debug)]
pub struct Settings {
    /// The destination's name.
    pub name: String,
    /// `https://api.twilio.com`.
    pub url: Url,
    pub account_sid: String,
    pub auth_token: String,
    pub patience: Duration,
}

/// Sends replies.
pub struct TwilioSms {
    settings: Settings,
    api: Api,
    /// Which of Twilio's messages are earlier replies.
    outbox: Arc<dyn Outbox>,
    tenant: TenantId,
}

impl TwilioSms {
    /// # Errors
    /// What is wrong with the settings.
    pub fn new(
        settings: Settings,
        outbox: Arc<dyn Outbox>,
        tenant: TenantId,
    ) -> Result<Self, String> {
        let both = format!("{}:{}", settings.account_sid, settings.auth_token);
        let basic = format!("Basic {}", STANDARD.encode(both));
        let headers = BTreeMap::from([("authorization".to_owned(), basic)]);
        let api = Api::new(settings.url.clone(), &headers, settings.patience)?;
        Ok(Self { settings, api, outbox, tenant })
    }

    fn path(&self) -> String {
        format!("2010-04-01/Accounts/{}/Messages.json", segment(&self.settings.account_sid))
    }

    /// Twilio's names of what this conversation's other replies became.
    async fn known(
        &self,
        reply: &ChannelReply,
        key: &DedupeKey,
    ) -> Result<HashSet<String>, DeliveryError> {
        let mut query = DeliveryQuery::all(self.tenant.clone());
        query.conversation = Some(reply.conversation.clone());
        let mut known = HashSet::new();
        loop {
            let page = self.outbox.deliveries(&query).await;
            let page = page.map_err(|error| DeliveryError::Unreachable(error.to_string()))?;
            let others = page.items.into_iter().filter(|one| one.new.key != *key);
            known.extend(others.filter_map(|one| one.progress.remote_id));
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(known),
            }
        }
    }
}

#[async_trait]
impl Destination for TwilioSms {
    fn name(&self) -> &str {
        &self.settings.name
    }

    async fn deliver(&self, effect: &Effect, _: &DedupeKey) -> Result<RemoteId, DeliveryError> {
        let reply = reply(effect)?;
        if reply.text.as_str().chars().nth(BODY_MAX_CHARS).is_some() {
            let why = format!("a message has {BODY_MAX_CHARS} characters at most");
            return Err(DeliveryError::Refused(why));
        }
        let path = self.path();
        let mut request = Request::new(Method::POST, &path);
        request.body = Body::Form(vec![
            ("To", reply.to.clone()),
            ("From", reply.from.clone()),
            ("Body", reply.text.as_str().to_owned()),
        ]);
        let answer = self.api.ask(request).await?;
        let sid = answer.text("/sid");
        sid.map(RemoteId).ok_or_else(|| DeliveryError::Unclear("its answer has no sid".to_owned()))
    }

    /// Among what went to that number since the reply was written: a message with the same words that no other
    /// reply is known to be. Where only other words are found, nobody can say whether Twilio changed them.
    async fn delivered(
        &self,
        effect: &Effect,
        key: &DedupeKey,
    ) -> Result<Option<RemoteId>, DeliveryError> {
        let reply = reply(effect)?;
        let path = self.path();
        let request = Request::get(&path)
            .query("To", &reply.to)
            .query("From", &reply.from)
            .query("PageSize", LOOKED_AT.to_string());
        let answer = self.api.ask(request).await?;
        let messages = answer.body["messages"].as_array().cloned();
        let messages = messages
            .ok_or_else(|| DeliveryError::Unclear("its answer lists no messages".to_owned()))?;
        let is_asked_for = |one: &Value| one["to"] == reply.to && one["from"] == reply.from;
        if !messages.iter().all(is_asked_for) {
            return Err(DeliveryError::Untrusted("messages to other numbers came".to_owned()));
        }
        let known = self.known(reply, key).await?;
        let since = reply.written_at.as_second() - SKEW_S;
        // Without a time, it may be as well.
        let is_young = |one: &Value| created(one).is_none_or(|at| at.as_second() >= since);
        let is_ours = |one: &&Value| {
            let outbound = one["direction"].as_str().is_some_and(|way| way.starts_with("outbound"));
            let sid = text(&one["sid"]).unwrap_or_default();
            outbound && is_young(one) && !known.contains(&sid)
        };
        let candidates: Vec<&Value> = messages.iter().filter(is_ours).collect();
        let same = |one: &&&Value| {
            one["body"].as_str().is_some_and(|body| same_words(body, reply.text.as_str()))
        };
        if let Some(found) = candidates.iter().find(same) {
            return Ok(text(&found["sid"]).map(RemoteId));
        }
        let is_full = messages.len() >= LOOKED_AT && messages.iter().all(is_young);
        match candidates.is_empty() && !is_full {
            true => Ok(None),
            false => Err(DeliveryError::Undecided(
                "look in Twilio's log whether the message went out, and send it again if it didn't"
                    .to_owned(),
            )),
        }
    }
}

/// RFC 2822, as `Thu, 24 Aug 2023 05:01:45 +0000`.
fn created(message: &Value) -> Option<Timestamp> {
    let at = jiff::fmt::rfc2822::parse(message["date_created"].as_str()?).ok()?;
    Some(at.timestamp())
}

fn same_words(one: &str, other: &str) -> bool {
    one.split_whitespace().eq(other.split_whitespace())
}

#[cfg(test)]
mod tests;
