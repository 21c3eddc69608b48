#![no_main]

mod rules;

use std::time::Duration;

use backchannel::connect::telephony::deepgram::{Listen, Protocol};

const FINALIZE: &str = r#"{"type":"Finalize"}"#;

/// The first message is the query; raw audio unless it says that it comes in a container.
libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let end = input.iter().position(|byte| *byte == rules::SEPARATOR).unwrap_or(input.len());
    let (query, rest) = input.split_at(end);
    let query = String::from_utf8_lossy(query);
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    if !query.contains("container") {
        for (name, value) in [("encoding", "linear16"), ("sample_rate", "8000")] {
            pairs.push((name.to_owned(), value.to_owned()));
        }
    }
    if let Ok(listen) = Listen::from_query(&pairs) {
        let patience = Duration::from_secs(30);
        rules::drive(&mut Protocol::new(patience, listen, "r-1", "now"), rest, FINALIZE);
    }
});
