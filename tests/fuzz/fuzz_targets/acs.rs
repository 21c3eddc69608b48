#![no_main]

mod rules;

use std::time::Duration;

use backchannel::connect::telephony::acs::{Note, Protocol};

const START: &str =
    r#"{"kind":"AudioMetadata","audioMetadata":{"encoding":"PCM","sampleRate":16000}}"#;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let mut protocol = Protocol::new(Duration::from_secs(30), Note::default());
    rules::drive(&mut protocol, input, START);
});
