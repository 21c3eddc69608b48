#![no_main]

mod rules;

use std::time::Duration;

const START: &str = r#"{"callSid":"cs-1","sampleRate":8000,"mixType":"stereo"}"#;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let patience = Duration::from_secs(30);
    let mut protocol = backchannel::connect::telephony::jambonz::Protocol::new(patience, &[]);
    rules::drive(&mut protocol, input, START);
});
