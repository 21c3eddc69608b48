//! Who is told to be free in a queue: whoever may be given what waits there.

use super::plan_of;
use super::scenario::MONDAY_MS;
use crate::domain::WorkItemId;
use crate::routing::desk::{Desk, Input, Offer, Output};
use crate::routing::plan::Presence;

const PLAN: &str = r#"
mode = "active"
profiles = [{ name = "call", limit = 1 }, { name = "chat", limit = 1 }]
queues = [{ name = "calls", channel = "voice" }, { name = "chats", channel = "messaging" }]
workstreams = [
  { name = "calls", channel = "voice", fallback_queue = "calls", profiles = ["call"], presences = ["available"] },
  { name = "chats", channel = "messaging", fallback_queue = "chats", profiles = ["chat"], presences = ["available", "busy"] },
]
[[agents]]
name = "ana"
queues = ["calls", "chats"]
profiles = [{ profile = "call" }, { profile = "chat" }]
"#;

fn offer(desk: &mut Desk, item: &str, workstream: &str) {
    let offer = Offer {
        item: WorkItemId::from(item),
        workstream: workstream.to_owned(),
        features: Vec::new(),
        intents: Vec::new(),
        preferred: Vec::new(),
    };
    desk.handle(Input::Offered(offer), MONDAY_MS).expect("a new item");
}

/// In the queue of calls, and in that of chats.
fn free(desk: &Desk) -> Vec<u32> {
    desk.queues(MONDAY_MS).iter().map(|queue| queue.free).collect()
}

fn desk_with(presence: Presence) -> Desk {
    let mut desk = Desk::new(plan_of(PLAN), "d-");
    let agent = "ana".to_owned();
    desk.handle(Input::PresenceChanged { agent, presence }, MONDAY_MS).expect("an agent");
    desk
}

#[test]
fn room_for_chats_is_no_room_for_calls() {
    let mut desk = desk_with(Presence::Available);
    assert_eq!(free(&desk), [1, 1]);
    offer(&mut desk, "i-1", "calls");
    assert_eq!(free(&desk), [0, 1], "she has her call");
    offer(&mut desk, "i-2", "calls");
    assert_eq!(free(&desk), [0, 1], "the second one waits");
    offer(&mut desk, "i-3", "chats");
    assert_eq!(free(&desk), [0, 0]);
    desk.handle(Input::Released { item: "i-3".into() }, MONDAY_MS).expect("there");
    assert_eq!(free(&desk), [0, 1]);
}

#[test]
fn whoever_is_busy_is_free_for_what_allows_it() {
    let mut desk = desk_with(Presence::Busy);
    assert_eq!(free(&desk), [0, 1]);
    offer(&mut desk, "i-1", "calls");
    assert_eq!(free(&desk), [0, 1], "it waits until she is available");
    assert_eq!(desk.queues(MONDAY_MS)[0].waiting, 1);
}

#[test]
fn who_has_had_no_work_yet_is_idle_since_the_desk_began() {
    let mut desk = desk_with(Presence::Available);
    offer(&mut desk, "i-1", "calls");
    let outputs = std::iter::from_fn(|| desk.poll());
    let chosen = outputs.filter_map(|output| match output {
        Output::Decided(decision) => decision.chosen,
        _ => None,
    });
    let idle_s = chosen.flat_map(|one| one.terms).find(|term| term.name == "idle_s");
    assert_eq!(idle_s.expect("a term").value, 0.0);
}
