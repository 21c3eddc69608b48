use std::time::Duration;

use super::super::agent::{Output, Peer, Refusal};
use super::agent::{Desk, opened, sent, statuses};
use crate::domain::EndReason;

#[test]
fn a_stranger_can_neither_acknowledge_nor_end_anything() {
    let mut desk = Desk::new();
    let invite = desk.invite();
    let outputs = desk.hear(&invite);
    let (call, ..) = opened(&outputs);
    let ok = sent(&desk.ready(call, &[30_000, 30_002])).remove(0);
    desk.tag = ok.parameter("to", "tag").expect("a tag").to_owned();
    let stranger = Peer::Udp("203.0.113.5:5060".parse().expect("an address"));
    for (method, expected) in [("ACK", vec![]), ("BYE", vec![403]), ("CANCEL", vec![403])] {
        let message = desk.bare(method);
        desk.agent.handle_message(desk.now, stranger, &message);
        assert_eq!(statuses(&desk.outputs()), expected, "{method}");
    }
    desk.now += Duration::from_millis(500);
    desk.agent.handle_timeout(desk.now);
    assert_eq!(statuses(&desk.outputs()), [200], "the answer is still not acknowledged");
}

#[test]
fn a_flood_of_invites_is_told_to_come_later_and_forgotten() {
    let mut desk = Desk::new();
    let mut opened = 0;
    let mut refused = 0;
    for number in 0..3_000 {
        let mut invite = desk.invite();
        invite.set("call-id", format!("flood-{number}"));
        let outputs = desk.hear(&invite);
        opened += outputs.iter().filter(|output| matches!(output, Output::Open { .. })).count();
        refused += usize::from(statuses(&outputs) == [503]);
    }
    assert_eq!((opened, refused), (1_024, 1_976));
    // Nobody acknowledges; so much later everything is as before.
    for call in 1..=1_024 {
        desk.agent.ready(desk.now, call, Err(Refusal::BUSY));
    }
    desk.now += Duration::from_secs(33);
    desk.agent.handle_timeout(desk.now);
    desk.outputs();
    assert_eq!(desk.agent.deadline(), None);
    let invite = desk.invite();
    assert_eq!(statuses(&desk.hear(&invite)), [100]);
}

#[test]
fn calls_with_one_name_are_told_apart_by_their_tags() {
    let mut desk = Desk::new();
    let first = desk.invite();
    let outputs = desk.hear(&first);
    let one = opened(&outputs).0;
    let mut second = desk.invite();
    second.set("from", "<sip:src@192.0.2.1>;tag=src2".to_owned());
    let outputs = desk.hear(&second);
    let two = opened(&outputs).0;
    assert_ne!(one, two);
    let ok = sent(&desk.ready(one, &[30_000, 30_002])).remove(0);
    desk.ready(two, &[30_004, 30_006]);
    desk.tag = ok.parameter("to", "tag").expect("a tag").to_owned();
    let bye = desk.bare("BYE");
    let outputs = desk.hear(&bye);
    assert_eq!(outputs.last(), Some(&Output::Close { call: one, reason: EndReason::Hangup }));
    assert_eq!(outputs.len(), 2, "the other goes on");
}
