use std::collections::BTreeMap;
use std::time::Duration;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocketUpgrade};
use axum::extract::{FromRequestParts as _, Query, Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::any;
use tokio::time::timeout;

use super::{Customer, IncomingCalls, Note, Protocol};
use crate::connect::telephony::socket::{Tenant, serve};
use crate::connect::telephony::{MAX_MESSAGE_BYTES, MediaSockets, Rejection, auth};
use crate::domain::TenantId;

/// A refused client gets so long to take its close frame.
const REFUSAL_PATIENCE: Duration = Duration::from_secs(2);

/// What the address may say about the call; the rest of its query may hold secrets and isn't kept.
const ATTRIBUTES: [&str; 2] = ["agent", "queue"];

pub fn routes() -> Router<MediaSockets> {
    Router::new().route(auth::ACS_PATH, any(streamed))
}

async fn streamed(
    State(sockets): State<MediaSockets>,
    tenant: Tenant,
    query: Result<Query<BTreeMap<String, String>>, QueryRejection>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let query = query.map(|Query(query)| query).unwrap_or_default();
    let whose = tenant.as_ref().map_or_else(|| TenantId::from("default"), |found| found.0.clone());
    let note = note(&sockets.incoming, &whose, &query, &headers);
    let protocol = Protocol::new(sockets.patience, note);
    serve(sockets, tenant, upgrade, "acs", Box::new(protocol))
}

/// The customer is, in this order: who the address names, who a header of the proxy in front names,
/// who the event said is calling.
fn note(
    incoming: &IncomingCalls,
    tenant: &TenantId,
    query: &BTreeMap<String, String>,
    headers: &HeaderMap,
) -> Note {
    let header = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.filter(|value| !value.is_empty()).map(str::to_owned)
    };
    let correlation_id = header("x-ms-call-correlation-id");
    let connection_id = header("x-ms-call-connection-id");
    let announced = correlation_id.as_ref().and_then(|id| incoming.of(tenant, id));
    let customer = query
        .get("customer")
        .cloned()
        .or_else(|| header("x-backchannel-customer"))
        .or_else(|| announced.as_ref().map(|call| call.from.clone()))
        .unwrap_or_default();
    let called = announced.and_then(|call| call.to);
    let from_query = ATTRIBUTES.into_iter().map(|name| (name, query.get(name).cloned()));
    let attributes = [
        ("call_connection_id", connection_id.clone()),
        ("called", called),
        ("correlation_id", correlation_id.clone()),
    ];
    Note {
        external_id: connection_id.or(correlation_id),
        customer: Customer::named(&customer),
        outbound: query.get("direction").is_some_and(|direction| direction == "outbound"),
        attributes: from_query
            .chain(attributes)
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect(),
    }
}

/// Takes the connection and closes it with 1008, which is how ACS wants to hear that its token isn't
/// accepted. `None` if the request is no WebSocket upgrade.
pub async fn refuse(request: Request) -> Option<Response> {
    let (mut parts, _) = request.into_parts();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &()).await.ok()?;
    let upgrade = upgrade.max_message_size(MAX_MESSAGE_BYTES).max_frame_size(MAX_MESSAGE_BYTES);
    Some(upgrade.on_upgrade(|mut socket| async move {
        let reason = "unauthorised".into();
        let frame = CloseFrame { code: Rejection::POLICY, reason };
        let closing = async {
            // Read on, or the connection is reset before the frame has arrived.
            if socket.send(Message::Close(Some(frame))).await.is_ok() {
                while let Some(Ok(_)) = socket.recv().await {}
            }
        };
        let _ = timeout(REFUSAL_PATIENCE, closing).await;
    }))
}

#[cfg(test)]
mod tests {
    use super::super::eventgrid::{Event, IncomingCall};
    use super::*;
    use crate::domain::Role;

    fn noted(query: &[(&str, &str)], headers: &[(&'static str, &'static str)]) -> Note {
        let incoming = IncomingCalls::default();
        let call = IncomingCall {
            correlation_id: "corr-1".to_owned(),
            from: "8:acs:caller".to_owned(),
            to: Some("4:+18005550000".to_owned()),
        };
        let event =
            Event { id: "e-1".to_owned(), validation_code: None, incoming_call: Some(call) };
        assert!(incoming.take(&"demo".into(), event.clone()));
        assert!(!incoming.take(&"demo".into(), event), "it came before");
        let query = query.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value")))
            .collect();
        note(&incoming, &"demo".into(), &query, &headers)
    }

    #[test]
    fn the_announced_caller_is_the_customer_unless_somebody_else_is_named() {
        let announced = ("x-ms-call-correlation-id", "corr-1");
        let check = |query: &[_], headers: &[_], customer: Option<&str>| {
            assert_eq!(noted(query, headers).customer.raw_id(), customer, "{query:?} {headers:?}");
        };
        check(&[], &[], None);
        check(&[], &[("x-ms-call-correlation-id", "corr-2")], None);
        check(&[], &[announced], Some("8:acs:caller"));
        check(&[], &[announced, ("x-backchannel-customer", "4:+1")], Some("4:+1"));
        // A plus that nobody escaped.
        check(&[("customer", "4: 15551230001")], &[announced], Some("4:+15551230001"));
        let note = noted(&[("agent", "a1"), ("token", "hush")], &[announced]);
        let attributes: Vec<_> =
            note.attributes.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let called = ("called", "4:+18005550000");
        assert_eq!(attributes, [("agent", "a1"), called, ("correlation_id", "corr-1")]);
        assert_eq!(note.external_id.as_deref(), Some("corr-1"));
        assert_eq!(note.customer.role_of(Some("8:acs:caller")), Role::Customer);
    }

    #[test]
    fn another_tenants_announcement_says_nothing() {
        let incoming = IncomingCalls::default();
        let call = IncomingCall { correlation_id: "corr-1".into(), from: "4:+1".into(), to: None };
        let event = Event { id: "e".into(), validation_code: None, incoming_call: Some(call) };
        incoming.take(&"demo".into(), event);
        assert!(incoming.of(&"demo".into(), "corr-1").is_some());
        assert!(incoming.of(&"other".into(), "corr-1").is_none());
    }
}
