//! TaskRouter's callback.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Uri};
use base64::Engine as _;
use hmac::{Hmac, KeyInit as _, Mac as _};

use super::*;

const FORM: [(&str, &str); 4] =
    [("ReservationSid", "WR1"), ("TaskAttributes", "{}"), ("TaskSid", "WT1"), ("WorkerSid", "WK1")];

fn signature(form: &[(&str, &str)]) -> String {
    let address = format!("{PUBLIC}/v1/routing/taskrouter");
    let text = form.iter().fold(address, |all, (name, value)| all + name + value);
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(b"12345").expect("any length");
    mac.update(text.as_bytes());
    base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes())
}

/// Without a socket.
async fn called(house: Arc<House>, form: &[(&str, &str)]) -> Value {
    let mut headers = HeaderMap::new();
    let given = HeaderValue::from_str(&signature(form)).expect("a header");
    headers.insert("x-twilio-signature", given);
    let mut body = reqwest::Url::parse("http://localhost/").expect("an address");
    body.query_pairs_mut().extend_pairs(form);
    let body = Bytes::from(body.query().unwrap_or_default().to_owned());
    let uri = Uri::from_static("/v1/routing/taskrouter");
    let answer = taskrouter::callback(State(house), uri, headers, body).await;
    answer.expect("it is Twilio").0
}

#[tokio::test]
async fn twilio_is_answered_by_its_signature_alone_even_when_nothing_can_be_noted() {
    let served = Served::new().await;
    let given = signature(&FORM);
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let call = |given: &str, form: &[(&str, &str)]| {
        let request = client.post(format!("{}/v1/routing/taskrouter", served.url));
        request.header("x-twilio-signature", given).form(form).send()
    };
    let answer = call(&given, &FORM).await.expect("answers");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.json::<Value>().await.expect("JSON"), json!({"instruction": "accept"}));
    assert_eq!(served.house.told.reserved.lock().unwrap()[0].worker_sid, "WK1");
    assert_eq!(call("bm8=", &FORM).await.expect("answers").status(), 401);
    assert_eq!(call(&given, &FORM[..3]).await.expect("answers").status(), 401);
    assert_eq!(served.house.told.reserved.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_worker_who_is_rejected_has_got_nothing() {
    let mut house = House::new();
    house.callback.reject_others = Some("WA1".into());
    let house = Arc::new(house);
    let attributes = json!({"backchannel_agent": "WK2", "backchannel_mode": "active"}).to_string();
    let mut form = FORM;
    form[1].1 = &attributes;
    assert_eq!(called(house.clone(), &form).await["instruction"], "reject");
    assert!(house.told.reserved.lock().unwrap().is_empty());
    form[3].1 = "WK2";
    assert_eq!(called(house.clone(), &form).await["instruction"], "accept");
    assert_eq!(house.told.reserved.lock().unwrap()[0].worker_sid, "WK2");
}

/// The clock is the runtime's: it goes on by itself when everybody waits.
#[tokio::test(start_paused = true)]
async fn twilio_is_answered_while_the_router_hangs() {
    let begun = tokio::time::Instant::now();
    let house = Arc::new(House { hangs: true, ..House::new() });
    assert_eq!(called(house, &FORM).await, json!({"instruction": "accept"}));
    assert!(begun.elapsed() < std::time::Duration::from_secs(5));
}
