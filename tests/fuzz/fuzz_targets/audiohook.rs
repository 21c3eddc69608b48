#![no_main]

mod rules;

use std::time::Duration;

use backchannel::connect::telephony::audiohook::{Feedback, Protocol, Upgrade};

const START: &str = r#"{"version":"2","id":"s","type":"open","seq":1,"serverseq":0,"position":"PT0S",
    "parameters":{"organizationId":"o","conversationId":"c","participant":{"id":"p"},
    "media":[{"type":"audio","format":"PCMU","channels":["external","internal"],"rate":8000}]}}"#;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let feedback = Feedback { transcripts: true, cards: true, ..Feedback::default() };
    let mut protocol = Protocol::new(Duration::from_secs(30), Upgrade::default(), feedback);
    rules::drive(&mut protocol, input, START);
});
