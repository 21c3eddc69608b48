#![no_main]

mod rules;

use std::time::Duration;

const START: &str = r#"{"mix":"stereo","rate":"16k"}"#;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let patience = Duration::from_secs(30);
    let mut protocol = backchannel::connect::telephony::freeswitch::Protocol::new(patience, &[]);
    rules::drive(&mut protocol, input, START);
});
