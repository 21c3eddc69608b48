#![no_main]

use std::time::Duration;

use backchannel::connect::telephony::siprec::{
    Agent, Answer, Cutter, Message, Metadata, Offer, Output, Peer, RoleRules,
};

// The input is a stream of SIP messages, as over TCP; every call is opened and some time passes.
// Where a message has `tag=ours`, the tag of the last answer stands in its place, so that seeds can
// have more than one request in a dialog.
libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    let _ = (Offer::parse(&text), Metadata::parse(&text), Message::parse(input));
    let mut agent = Agent::new(RoleRules::default(), vec!["127.0.0.1/32".parse().unwrap()], 5060);
    let peer = Peer::Tcp { connection: 1, address: "127.0.0.1:9".parse().unwrap() };
    let mut cutter = Cutter::default();
    cutter.push(input);
    let (mut now, mut open, mut over) = (Duration::ZERO, Vec::new(), Vec::new());
    let mut tag = "none".to_owned();
    while let Ok(Some(mut message)) = cutter.next_message() {
        now += Duration::from_secs(3);
        if let Some(to) =
            message.header("to").map(|to| to.replace("tag=ours", &format!("tag={tag}")))
        {
            message.set("to", to);
        }
        agent.handle_message(now, peer, &message);
        agent.handle_timeout(now);
        while let Some(output) = agent.poll_output() {
            match output {
                Output::Send { bytes, .. } => {
                    let sent = Message::parse(&bytes).expect("what we send is a message");
                    if let Some(given) = sent.parameter("to", "tag") {
                        tag = given.to_owned();
                    }
                }
                Output::Open { call, streams, .. } => {
                    open.push(call);
                    let ports = vec![4_000; streams.len()];
                    let address = "127.0.0.1".parse().unwrap();
                    agent.ready(now, call, Ok(Answer { address, ports }));
                }
                Output::Close { call, .. } => {
                    assert!(open.contains(&call) && !over.contains(&call));
                    over.push(call);
                }
                Output::Extend { call, .. } | Output::Control { call, .. } => {
                    assert!(open.contains(&call) && !over.contains(&call));
                }
            }
        }
    }
});
