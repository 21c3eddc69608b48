//! What goes wrong, and how the client hears of it.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Client, NOW, NULL, SESSION, open};
use crate::connect::telephony::audiohook::{Feedback, Upgrade};
use crate::connect::telephony::{MediaProtocol as _, Output, Rejection};
use crate::domain::EndReason;

#[test]
fn each_fault_is_told_and_the_client_still_gets_its_closed() {
    let check = |info: &str, fault: &dyn Fn(&mut Client)| {
        let mut client = Client::in_call();
        fault(&mut client);
        assert_eq!(
            std::mem::take(&mut client.said),
            [("disconnect".to_owned(), json!({"reason": "error", "info": info}))]
        );
        client.outputs.clear();
        // What was on its way meanwhile.
        client.audio(&[1, 2]);
        client.tell("ping", json!({}));
        assert!(client.outputs.is_empty() && client.said.is_empty());
        client.tell("close", json!({"reason": "disconnect"}));
        assert_eq!(client.outputs, [Output::Stop(EndReason::ProtocolError)]);
        client.protocol.handle_finished(0);
        client.look();
        assert_eq!(client.kinds(), ["closed"]);
    };
    let send = |change: fn(&mut Value)| {
        move |client: &mut Client| {
            let mut message = client.message("ping", json!({}));
            change(&mut message);
            client.text(&message.to_string());
        }
    };
    check("the message is not JSON (line 1, column 2)", &|client| client.text("{not json"));
    check("the message is not a client message (line 1, column 2)", &|client| client.text("{}"));
    check("version must be 2", &send(|message| message["version"] = "3".into()));
    check("seq must be 2", &send(|message| message["seq"] = 3.into()));
    check("seq must be 2", &send(|message| message["seq"] = 1.into()));
    check("serverseq must not be above 1", &send(|message| message["serverseq"] = 2.into()));
    check("id must be the session's", &send(|message| message["id"] = NULL.into()));
    check("a second open came", &|client| client.tell("open", open()));
    check("open has wrong parameters", &|client| client.tell("open", json!({"media": 7})));
    check("discarded has wrong parameters", &|client| {
        client.tell("discarded", json!({"start": "PT0S", "discarded": "a while"}));
    });
    check("a binary message must have a multiple of 2 bytes", &|client| client.audio(&[1, 2, 3]));
    check("audio came while it is paused", &|client| {
        client.tell("paused", json!({}));
        client.audio(&[1, 2]);
    });
}

#[test]
fn audio_before_opened_is_a_fault() {
    let mut client = Client::with(
        Upgrade { session_id: Some(SESSION.to_owned()), ..Upgrade::default() },
        Feedback::default(),
    );
    client.audio(&[1, 2]);
    assert_eq!(client.said[0].1["info"], "audio came before opened");
    client.tell("close", json!({"reason": "disconnect"}));
    assert_eq!(client.said[1].0, "closed", "there is no call whose end could be told");
    assert_eq!(client.outputs, [Output::Stop(EndReason::ProtocolError)]);
}

#[test]
fn another_organisation_than_the_signed_one_is_not_let_in() {
    let upgrade = |organization: &str| Upgrade {
        organization_id: Some(organization.to_owned()),
        ..Upgrade::default()
    };
    let mut client = Client::with(upgrade("x"), Feedback::default());
    client.open(open());
    let unauthorised = ("disconnect".to_owned(), json!({"reason": "unauthorized"}));
    assert_eq!(client.said, [unauthorised]);
    assert!(client.outputs.is_empty());
    let ours = upgrade("D7934305-0972-4844-938e-9060eef73d05");
    let mut client = Client::with(ours, Feedback::default());
    client.open(open());
    assert_eq!(client.said[0].0, "opened");
}

#[test]
fn a_call_that_is_not_taken_is_told_with_disconnect() {
    let mut client = Client::new();
    client.tell("open", open());
    assert!(client.said.is_empty());
    let busy = Rejection::new(Rejection::BUSY, "as many calls are live");
    assert!(client.protocol.handle_farewell(NOW, &busy));
    client.look();
    let info = json!({"reason": "error", "info": "as many calls are live"});
    assert_eq!(client.said, [("disconnect".to_owned(), info)]);
    client.tell("close", json!({"reason": "disconnect"}));
    assert_eq!(client.said[1].0, "closed");
}

#[test]
fn a_stop_of_the_service_is_told_and_waited_for() {
    let mut client = Client::in_call();
    assert!(client.protocol.handle_farewell(NOW, &Rejection::shutting_down()));
    assert!(client.protocol.handle_farewell(NOW, &Rejection::shutting_down()), "once is enough");
    client.look();
    let info = json!({"reason": "completed", "info": "the service is shutting down"});
    assert_eq!(client.said, [("disconnect".to_owned(), info)]);
    assert_eq!(client.protocol.deadline(), NOW + Duration::from_secs(5));
    client.tell("close", json!({"reason": "disconnect"}));
    assert_eq!(client.outputs, [Output::Stop(EndReason::Shutdown)]);

    let mut deaf = Client::in_call();
    deaf.protocol.handle_farewell(NOW, &Rejection::shutting_down());
    deaf.protocol.handle_timeout(NOW + Duration::from_secs(5));
    deaf.look();
    let [Output::Reject(rejection)] = &deaf.outputs[..] else { panic!("{:?}", deaf.outputs) };
    assert_eq!((rejection.code, rejection.ends), (1008, EndReason::Shutdown));
}

#[test]
fn pings_keep_a_paused_call_and_nothing_keeps_a_dead_one() {
    let mut client = Client::in_call();
    client.tell("paused", json!({}));
    let ping = client.message("ping", json!({})).to_string();
    client.protocol.handle_text(Duration::from_secs(25), &ping);
    client.protocol.handle_timeout(Duration::from_secs(54));
    client.look();
    assert_eq!(client.kinds(), ["pong"]);
    client.protocol.handle_timeout(Duration::from_secs(55));
    client.look();
    assert_eq!(client.kinds(), ["disconnect"]);
    let Some(Output::Reject(rejection)) = client.outputs.last() else { panic!("no rejection") };
    assert_eq!((rejection.code, rejection.ends), (1008, EndReason::Timeout));
}
