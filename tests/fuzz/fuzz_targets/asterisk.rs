#![no_main]

mod rules;

use std::time::Duration;

const START: &str = r#"MEDIA_START channel_id:1 format:ulaw"#;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let patience = Duration::from_secs(30);
    let mut protocol = backchannel::connect::telephony::asterisk::Protocol::new(patience, &[]);
    rules::drive(&mut protocol, input, START);
});
