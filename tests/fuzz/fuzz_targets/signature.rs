#![no_main]

use backchannel::connect::telephony::acs::read_events;
use backchannel::connect::telephony::audiohook::signature::{ApiKey, Signatures, Target};
use backchannel::connect::telephony::twilio::signature;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let _ = read_events(input);
    let text = String::from_utf8_lossy(input);
    assert!(!signature::signs("token", &text, &[(&text, &text)], &text));
    assert!(!signature::signs_body("token", &text, input, &text));

    let key = ApiKey { id: "key".into(), secret: b"secret".to_vec(), tenant: "t".into() };
    let mut headers = axum::http::HeaderMap::new();
    for (name, value) in [("x-api-key", "key"), ("signature-input", &*text), ("signature", &*text)]
    {
        if let Ok(value) = value.parse() {
            headers.insert(name, value);
        }
    }
    let target = Target { path_and_query: "/", authority: "localhost" };
    assert!(Signatures::new(vec![key]).accept(&target, &headers, 0).is_none());
});
