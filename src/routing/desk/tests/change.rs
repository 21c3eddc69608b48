//! What is told to have changed a decision is true: it is done, and another agent is chosen.

use proptest::prelude::*;

use super::plan_of;
use super::scenario::MONDAY_MS;
use crate::domain::{Decision, Intent, WorkItemId};
use crate::routing::desk::{Desk, Input, Offer, Output};
use crate::routing::plan::Presence;

const NAMES: [&str; 3] = ["ana", "ben", "cem"];

/// Seconds that a contact takes, the share that is resolved, and since when the agent is idle.
#[derive(Clone, Copy, Debug)]
struct Able {
    handling_s: f64,
    resolves: f64,
    released_ms: u64,
}

fn desk_of(method: &str, declines_allowed: u8) -> Desk {
    let agents: Vec<String> = NAMES
        .iter()
        .map(|name| {
            format!("{{ name = \"{name}\", queues = [\"q\"], profiles = [{{ profile = \"p\" }}] }}")
        })
        .collect();
    Desk::new(
        plan_of(&format!(
            r#"
mode = "active"
declines_allowed = {declines_allowed}
profiles = [{{ name = "p", limit = 1 }}]
queues = [{{ name = "q", channel = "messaging", method = "{method}", answer_within_s = 0 }}]
agents = [{}]
workstreams = [{{ name = "w", channel = "messaging", fallback_queue = "q", profiles = ["p"] }}]
"#,
            agents.join(", ")
        )),
        "d-",
    )
}

fn handle(desk: &mut Desk, input: Input) -> Option<Decision> {
    desk.handle(input, MONDAY_MS).expect("it names what is there");
    let outputs: Vec<Output> = std::iter::from_fn(|| desk.poll()).collect();
    outputs.into_iter().rev().find_map(|output| match output {
        Output::Decided(decision) => Some(decision),
        _ => None,
    })
}

fn there(desk: &mut Desk, name: &str) -> Option<Decision> {
    let presence = Presence::Available;
    handle(desk, Input::PresenceChanged { agent: name.to_owned(), presence })
}

fn offer(desk: &mut Desk) -> Option<Decision> {
    let intents = vec![Intent { label: "k".to_owned(), probability: 1.0 }];
    handle(
        desk,
        Input::Offered(Offer {
            item: WorkItemId::from("i"),
            workstream: "w".to_owned(),
            features: Vec::new(),
            intents,
            preferred: Vec::new(),
        }),
    )
}

/// One item, and so many of the agents.
fn decide(able: &[Able]) -> Decision {
    let mut desk = desk_of("context", 3);
    desk.kinds_of(&[Intent { label: "k".to_owned(), probability: 1.0 }]);
    for (number, one) in able.iter().enumerate() {
        desk.figures[number] = vec![(one.handling_s, one.resolves)];
        desk.released_ms[number] = one.released_ms;
        there(&mut desk, NAMES[number]);
    }
    offer(&mut desk).expect("somebody is free")
}

fn name(decision: &Decision) -> String {
    decision.chosen.as_ref().map_or_else(String::new, |one| one.agent.clone())
}

fn number_after(told: &str, words: &str) -> Option<f64> {
    let rest = &told[told.find(words)? + words.len()..];
    rest.split(' ').next()?.parse().ok()
}

/// Does what is told; none where it is nothing that can be done here.
fn done(able: &[Able], told: &str) -> Option<Vec<Able>> {
    let of = NAMES.iter().position(|name| told.starts_with(&format!("if {name} ")))?;
    let mut able = able.to_vec();
    if let Some(seconds) = number_after(told, "had been idle for ") {
        able[of].released_ms = able[of].released_ms.checked_sub(seconds as u64 * 1000)?.max(1);
    } else if let Some(share) = number_after(told, "resolved such contacts in ") {
        able[of].resolves = share;
    } else if let Some(seconds) = number_after(told, " took ") {
        able[of].handling_s = seconds;
    } else if told.ends_with("hadn't had any work yet either") {
        able[of].released_ms = 0;
    } else {
        return None;
    }
    Some(able)
}

fn able() -> impl Strategy<Value = Able> {
    let released_ms = prop_oneof![1 => Just(0), 4 => 1_000_000..1_090_000_u64];
    (60.0..400.0, 0.3..1.0, released_ms).prop_map(|(handling_s, resolves, released_ms)| Able {
        handling_s,
        resolves,
        released_ms,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_told_of_a_score_suffices_as_it_is_printed(able in prop::collection::vec(able(), 2..4)) {
        let decision = decide(&able);
        for told in &decision.would_change {
            let Some(changed) = done(&able, told) else { continue };
            let then = decide(&changed);
            prop_assert_ne!(name(&decision), name(&then), "{}: {:?}", told, able);
        }
    }
}

#[test]
fn near_equals_are_told_in_numbers_that_differ() {
    let one = |resolves| Able { handling_s: 200.0, resolves, released_ms: 1_000_000 };
    let decision = decide(&[one(0.7049), one(0.7046)]);
    let told = decision.would_change.join(" | ");
    assert!(told.contains("resolved such contacts in 0.71 of all cases instead of 0.70"), "{told}");
    assert!(told.contains("took 199 s instead of 200 s"), "{told}");
}

#[test]
fn a_decline_is_told_where_it_decided_and_not_when_the_item_has_come_round() {
    let mut desk = desk_of("highest_capacity", 3);
    NAMES[..2].iter().for_each(|name| drop(there(&mut desk, name)));
    offer(&mut desk);
    let decline = || Input::Declined { item: WorkItemId::from("i") };
    for (chosen, told) in [
        ("ben", "if ana hadn't declined it"),
        ("ana", "if ben's last assignment had been before ana's"),
        ("ben", "if ana's last assignment had been before ben's"),
    ] {
        let decision = handle(&mut desk, decline()).expect("it goes on");
        assert_eq!((&*name(&decision), decision.would_change), (chosen, vec![told.to_owned()]));
    }
}

#[test]
fn whoever_declined_for_good_is_named_and_not_called_busy() {
    let mut desk = desk_of("highest_capacity", 1);
    NAMES[..2].iter().for_each(|name| drop(there(&mut desk, name)));
    offer(&mut desk);
    let decline = || Input::Declined { item: WorkItemId::from("i") };
    let decision = handle(&mut desk, decline()).expect("ben is free");
    assert_eq!(name(&decision), "ben");
    assert_eq!(decision.would_change, ["if ana hadn't declined it"]);
    let decision = handle(&mut desk, decline()).expect("nobody is left");
    assert_eq!(decision.chosen, None);
    let told = decision.would_change.join(" | ");
    assert!(told.contains("if ana hadn't declined it | if ben hadn't declined it"), "{told}");
    assert!(!told.contains("none has room"), "{told}");
}
