#![no_main]

mod rules;

use std::time::Duration;

use backchannel::connect::telephony::audiosocket::{ExpectedCall, Protocol, Registry};
use backchannel::connect::telephony::{MediaProtocol as _, Notes};
use backchannel::domain::TenantId;
use uuid::Uuid;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let (registry, patience) = (Registry::default(), Duration::from_secs(30));
    let call = ExpectedCall { tenant: TenantId::from("t"), notes: Notes::default() };
    registry.announce(Uuid::nil(), call, patience).expect("room");
    let mut protocol = Protocol::new(patience, registry);
    let uuid = [[1, 0, 16].as_slice(), &[0; 16]].concat();
    protocol.handle_binary(Duration::ZERO, uuid.into());
    rules::drive(&mut protocol, input, "no text on this wire");
});
