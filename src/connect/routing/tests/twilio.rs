//! The assignment callback, and the answer to those who ask.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha1::Sha1;

use super::super::callback::{Callback, Instruction};
use super::super::{answer, conformance};

fn form(worker: &str, attributes: &str) -> Vec<(String, String)> {
    [
        ("TaskSid", "WT1"),
        ("WorkerSid", worker),
        ("ReservationSid", "WR1"),
        ("TaskAttributes", attributes),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

fn callback(instruction: Instruction, reject_others: Option<&str>) -> Callback {
    let reject_others = reject_others.map(str::to_owned);
    Callback { auth_token: "12345".into(), instruction, reject_others }
}

#[test]
fn a_callback_that_twilio_did_not_sign_is_not_read() {
    let form = form("WK1", "{}");
    let url = "https://copilot.example.test/v1/routing/taskrouter";
    let mut sorted = form.clone();
    sorted.sort();
    let signed: String =
        sorted.iter().fold(url.to_owned(), |all, (name, value)| all + name + value);
    let mut mac = Hmac::<Sha1>::new_from_slice(b"12345").expect("any length");
    mac.update(signed.as_bytes());
    let given = STANDARD.encode(mac.finalize().into_bytes());
    let callback = callback(Instruction::None, None);
    assert!(callback.signs(url, &form, &given));
    assert!(!callback.signs(url, &self::form("WK2", "{}"), &given));
    assert!(!callback.signs("https://elsewhere.example.test/", &form, &given));
}

#[test]
fn who_was_reserved_is_compared_with_whom_we_recommend() {
    let ours = r#"{"account_number":"7","backchannel_agent":"WK1","backchannel_mode":"active"}"#;
    let read = |worker: &str, attributes: &str| {
        Callback::read(&form(worker, attributes)).expect("a reservation")
    };
    assert_eq!(read("WK1", ours).is_followed(), Some(true));
    assert_eq!(read("WK2", ours).is_followed(), Some(false));
    for none in ["{}", "", "no JSON", "[1]", r#"{"backchannel_agent":""}"#] {
        assert_eq!(read("WK1", none).is_followed(), None, "{none}");
    }
    let missing = &form("WK1", ours)[..2];
    assert_eq!(Callback::read(missing), Err("ReservationSid is missing"));
}

#[test]
fn another_worker_is_rejected_only_where_that_is_wanted_and_in_force() {
    let active = r#"{"backchannel_agent":"WK1","backchannel_mode":"active"}"#;
    let shadow = r#"{"backchannel_agent":"WK1","backchannel_mode":"shadow"}"#;
    let answer = |callback: &Callback, worker: &str, attributes: &str| {
        callback.answer(&Callback::read(&form(worker, attributes)).expect("a reservation"))
    };
    let strict = callback(Instruction::Accept, Some("WA1"));
    let rejected = json!({"instruction": "reject", "activity_sid": "WA1"});
    assert_eq!(answer(&strict, "WK2", active), rejected);
    let accepted = json!({"instruction": "accept"});
    assert_eq!(answer(&strict, "WK1", active), accepted);
    assert_eq!(answer(&strict, "WK2", shadow), accepted);
    assert_eq!(answer(&strict, "WK2", "{}"), accepted);
    let lenient = callback(Instruction::Dequeue { from: Some("+15550100".into()) }, None);
    let dequeued = json!({"instruction": "dequeue", "from": "+15550100"});
    assert_eq!(answer(&lenient, "WK2", active), dequeued);
    assert_eq!(answer(&callback(Instruction::None, None), "WK2", active), json!({}));
}

#[test]
fn whoever_asks_gets_a_flat_object_of_texts() {
    let mut told = conformance::told("contact-1", 1);
    told.link = None;
    let agents = BTreeMap::from([("emma".to_owned(), "user-9".to_owned())]);
    let fields = answer(&told, &agents, 8_192).expect("it fits");
    assert_eq!(fields.get("backchannel_agent").map(String::as_str), Some("user-9"));
    assert_eq!(fields.get("backchannel_runner_up").map(String::as_str), Some("bo"));
    assert!(!fields.contains_key("backchannel_link"), "what is none is absent");
    assert!(fields.keys().all(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
    assert!(answer(&told, &agents, 100).is_err(), "a room in which nothing fits");
}
