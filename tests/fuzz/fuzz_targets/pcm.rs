#![no_main]

mod rules;

use std::time::Duration;

const START: &str =
    r#"{"type":"start","encoding":"pcm_s16le","sample_rate_hz":16000,"channels":2}"#;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let patience = Duration::from_secs(30);
    let mut protocol = backchannel::connect::telephony::pcm::Protocol::new(patience);
    rules::drive(&mut protocol, input, START);
});
