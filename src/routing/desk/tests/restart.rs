//! What comes back after a restart: in the queue where it was, with the wait that it had there.

use super::plan_of;
use super::scenario::MONDAY_MS;
use crate::domain::WorkItemId;
use crate::routing::desk::{Desk, Input, Offer};

const PLAN: &str = r#"
mode = "active"
profiles = [{ name = "p", limit = 1 }]
queues = [
  { name = "q", channel = "messaging" },
  { name = "e", channel = "messaging", overflow.after = [{ wait_s = 60, action = "end" }] },
]
workstreams = [{ name = "w", channel = "messaging", fallback_queue = "q", profiles = ["p"] }]
"#;

fn queue(desk: &Desk) -> Option<String> {
    desk.item(&WorkItemId::from("i-1")).map(|item| item.queue)
}

fn restored() -> Desk {
    let mut desk = Desk::new(plan_of(PLAN), "d-");
    let offer = Offer {
        item: WorkItemId::from("i-1"),
        workstream: "w".to_owned(),
        features: Vec::new(),
        intents: Vec::new(),
        preferred: Vec::new(),
    };
    desk.note(Input::Restored(offer), MONDAY_MS).expect("a new item");
    desk
}

#[test]
fn it_has_waited_in_its_queue_since_it_came_there() {
    let mut desk = restored();
    let id = WorkItemId::from("i-1");
    let since_ms = MONDAY_MS + 66_000;
    desk.queued_before(&id, "e", true, since_ms);
    let at = desk.items.find(&id).expect("there");
    assert_eq!(desk.items.of(at).arrived_ms, MONDAY_MS);
    assert_eq!(desk.items.of(at).tried_ms, Some(since_ms), "its circle has widened since");
    desk.handle(Input::Tick, since_ms + 59_000).expect("a tick");
    super::audit::audit(&desk).expect("consistent");
    assert_eq!(queue(&desk).as_deref(), Some("e"));
    desk.handle(Input::Tick, since_ms + 60_000).expect("a tick");
    assert_eq!(queue(&desk), None, "a minute there is enough");
}

#[test]
fn a_queue_that_is_gone_leaves_it_where_the_rules_lead() {
    let mut desk = restored();
    desk.queued_before(&WorkItemId::from("i-1"), "gone", false, MONDAY_MS);
    desk.handle(Input::Tick, MONDAY_MS).expect("a tick");
    assert_eq!(queue(&desk).as_deref(), Some("q"));
}
