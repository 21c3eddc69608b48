//! A re-INVITE or UPDATE whose metadata name somebody else on a stream.

use super::METADATA;
use super::agent::{Desk, statuses};
use crate::connect::telephony::siprec::agent::Output;
use crate::domain::Role;
use crate::flow::driver::Control;

/// `agent7` has left, and Bea takes over on the same stream.
fn transferred() -> String {
    METADATA.replace("sip:agent7@example.com", "sip:agent9@example.com")
}

#[test]
fn another_address_on_a_stream_is_somebody_else() {
    let mut desk = Desk::new();
    let call = desk.established();
    let update = desk.message("UPDATE", "application/rs-metadata+xml", METADATA);
    assert_eq!(statuses(&desk.hear(&update)), [200], "the same people");
    let update = desk.message("UPDATE", "application/rs-metadata+xml", &transferred());
    let outputs = desk.hear(&update);
    let [Output::Control { call: of, control }, rest @ ..] = &outputs[..] else {
        panic!("{outputs:?}")
    };
    let Control::Transfer { leg, role, .. } = control else { panic!("{control:?}") };
    assert_eq!((*of, *leg, *role, statuses(rest)), (call, 1, Role::Agent, vec![200]));
    let again = desk.message("UPDATE", "application/rs-metadata+xml", &transferred());
    let outputs = desk.hear(&again);
    assert_eq!((outputs.len(), statuses(&outputs)), (1, vec![200]), "told once: {outputs:?}");
}
