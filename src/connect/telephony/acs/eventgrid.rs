use serde::Deserialize;
use serde_json::Value;

const VALIDATION: &str = "Microsoft.EventGrid.SubscriptionValidationEvent";
const INCOMING_CALL: &str = "Microsoft.Communication.IncomingCall";

/// One event of Event Grid, in its own schema or as a CloudEvent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub id: String,
    /// The code that a new subscription wants back.
    pub validation_code: Option<String>,
    pub incoming_call: Option<IncomingCall>,
}

/// What is kept of `Microsoft.Communication.IncomingCall`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingCall {
    pub correlation_id: String,
    /// Raw id of the caller, such as `4:+15551230001`.
    pub from: String,
    /// Raw id of who was called.
    pub to: Option<String>,
}

/// A delivery that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableEvents {
    #[error("the body is not JSON (line {line}, column {column})")]
    NotJson { line: usize, column: usize },
    #[error("the body is no event and no list of events")]
    NotEvents,
}

#[derive(Deserialize)]
struct Envelope {
    id: String,
    #[serde(rename = "eventType", alias = "type")]
    kind: String,
    #[serde(default)]
    data: Value,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    Several(Vec<Envelope>),
    One(Envelope),
}

/// Reads a delivery: an array in the Event Grid schema and in CloudEvents batches, one object
/// otherwise. Kinds that aren't known remain as events without content.
///
/// # Errors
/// `UnreadableEvents`, which quotes nothing of the body.
pub fn read_events(body: &[u8]) -> Result<Vec<Event>, UnreadableEvents> {
    let value: Value = serde_json::from_slice(body).map_err(|error| UnreadableEvents::NotJson {
        line: error.line(),
        column: error.column(),
    })?;
    let body = serde_json::from_value(value).map_err(|_| UnreadableEvents::NotEvents)?;
    let envelopes = match body {
        Body::Several(envelopes) => envelopes,
        Body::One(envelope) => vec![envelope],
    };
    Ok(envelopes.into_iter().map(event).collect())
}

fn event(envelope: Envelope) -> Event {
    let Envelope { id, kind, data } = envelope;
    let is = |known: &str| kind.eq_ignore_ascii_case(known);
    let validation_code = data["validationCode"].as_str().filter(|_| is(VALIDATION));
    Event {
        validation_code: validation_code.map(str::to_owned),
        incoming_call: if is(INCOMING_CALL) { incoming_call(&data) } else { None },
        id,
    }
}

fn incoming_call(data: &Value) -> Option<IncomingCall> {
    // On the wire they are `from` and `to`; the SDK's types call them something else.
    let raw_id = |names: [&str; 2]| {
        names.into_iter().find_map(|name| data[name]["rawId"].as_str()).map(str::to_owned)
    };
    Some(IncomingCall {
        correlation_id: data["correlationId"].as_str()?.to_owned(),
        from: raw_id(["from", "fromCommunicationIdentifier"])?,
        to: raw_id(["to", "toCommunicationIdentifier"]),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: Value) -> Vec<Event> {
        read_events(body.to_string().as_bytes()).expect("events")
    }

    /// As in Microsoft's description of the event, shortened.
    fn incoming(from: &str, to: &str) -> Value {
        json!({
            to: {"kind": "communicationUser", "rawId": "8:acs:83b0", "communicationUser": {"id": "8:acs:83b0"}},
            from: {"kind": "phoneNumber", "rawId": "4:+15551230001", "phoneNumber": {"value": "+15551230001"}},
            "serverCallId": "x", "callerDisplayName": "", "incomingCallContext": "opaque",
            "correlationId": "2e0fa6fe-bf3e-4351-9beb-568add4f5315",
        })
    }

    #[test]
    fn both_schemas_and_both_spellings_are_read() {
        for (from, to) in
            [("from", "to"), ("fromCommunicationIdentifier", "toCommunicationIdentifier")]
        {
            let data = incoming(from, to);
            let own = json!([{"id": "e-1", "topic": "/subscriptions/x", "subject": "/caller/4:+15551230001",
                "eventType": "Microsoft.Communication.IncomingCall", "data": data, "dataVersion": "1.0",
                "metadataVersion": "1", "eventTime": "2026-01-01T00:00:00Z"}]);
            let cloud = json!({"specversion": "1.0", "id": "e-1", "source": "/subscriptions/x",
                "type": "Microsoft.Communication.IncomingCall", "data": data});
            let expected = Event {
                id: "e-1".to_owned(),
                validation_code: None,
                incoming_call: Some(IncomingCall {
                    correlation_id: "2e0fa6fe-bf3e-4351-9beb-568add4f5315".to_owned(),
                    from: "4:+15551230001".to_owned(),
                    to: Some("8:acs:83b0".to_owned()),
                }),
            };
            let expected_one = std::slice::from_ref(&expected);
            assert_eq!(read(own), expected_one);
            assert_eq!(read(json!([cloud])), expected_one);
            assert_eq!(read(cloud), expected_one);
        }
    }

    #[test]
    fn a_validation_brings_its_code_and_other_events_nothing() {
        let validation = json!([{"id": "e-1", "eventType": VALIDATION,
            "data": {"validationCode": "512d38b6", "validationUrl": "https://rp.example/validate"}}]);
        assert_eq!(read(validation)[0].validation_code.as_deref(), Some("512d38b6"));
        let other = json!([{"id": "e-2", "eventType": "Microsoft.Communication.SMSReceived",
            "data": {"validationCode": "x", "message": "hello"}}]);
        let event = &read(other)[0];
        assert_eq!((event.validation_code.as_ref(), event.incoming_call.as_ref()), (None, None));
    }

    #[test]
    fn what_is_no_list_of_events_is_refused_without_a_quote() {
        for (body, says) in [
            ("{not json of Jane Doe", "the body is not JSON (line 1, column 2)"),
            ("", "the body is not JSON (line 1, column 0)"),
            (r#"[{"id": 7, "name": "Jane Doe"}]"#, "the body is no event and no list of events"),
            ("7", "the body is no event and no list of events"),
        ] {
            assert_eq!(read_events(body.as_bytes()).unwrap_err().to_string(), says);
        }
    }
}
