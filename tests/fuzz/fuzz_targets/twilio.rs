#![no_main]

mod rules;

use std::time::Duration;

const START: &str =
    r#"{"event":"start","start":{"callSid":"CA1","tracks":["inbound","outbound"]}}"#;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let patience = Duration::from_secs(30);
    let mut protocol = backchannel::connect::telephony::twilio::Protocol::new(patience);
    rules::drive(&mut protocol, input, START);
});
