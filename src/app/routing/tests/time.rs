//! The floor by itself: its time, and what falls due.

use super::*;

const T: u64 = 1_700_000_000_000;
const HOUR_MS: u64 = 3_600_000;

fn floor() -> Floor {
    let how = How {
        mode: None,
        workstreams: BTreeMap::new(),
        wrap_up_ms: 60_000,
        id_attribute: None,
        escalated_by: Vec::new(),
        everybody_is_there: true,
    };
    let mut floor = Floor::new(how, ContextSettings::default());
    let new = NewPlan { form: PlanForm::Toml, text: PLAN.to_owned() };
    floor.put_plan(new, None, "Sue", T).expect("put");
    for agent in ["Emma", "Bo"] {
        floor.set_presence(agent, "available", agent, T).expect("set");
    }
    floor
}

fn wanted(id: &str) -> WantedItem {
    WantedItem {
        id: id.into(),
        conversation: None,
        external_id: None,
        workstream: "calls".into(),
        attributes: BTreeMap::new(),
        intents: Vec::new(),
        preferred: Vec::new(),
    }
}

#[test]
fn a_clock_that_is_set_back_stops_nothing() {
    let mut floor = floor();
    floor.offer(wanted("i-1"), "acd", T + 1_000).expect("taken");
    let item = floor.step(&"i-1".into(), Step::Accept, "Bo", T + 2_000).expect("accepted");
    assert_eq!(item.state, "active");
    // An hour back: the wrap-up is over after its minute all the same.
    let back = T + 3_000 - HOUR_MS;
    floor.step(&"i-1".into(), Step::End, "Bo", back).expect("ended");
    let due_ms = floor.due_in_ms(back).expect("its wrap-up");
    assert!(due_ms <= 60_000, "{due_ms}");
    floor.tick(back + 59_999);
    assert_eq!(floor.view(&"i-1".into()).expect("known").state, "wrapping_up");
    floor.tick(back + 60_000);
    assert_eq!(floor.view(&"i-1".into()).expect("known").state, "ended");
    let (second, _) = floor.offer(wanted("i-2"), "acd", back + 61_000).expect("taken");
    assert_eq!(second.arrived_ms, T + 2_000 + 61_000);
}

#[test]
fn a_wrap_up_that_was_handed_on_takes_nothing_from_the_new_agent() {
    let mut floor = floor();
    for (id, step) in [
        ("i-1", Step::Transfer(Target::Agent("Emma".into()))),
        ("i-2", Step::Assign { agent: "Emma".into() }),
        ("i-3", Step::Transfer(Target::Queue("billing".into()))),
    ] {
        floor.offer(wanted(id), "acd", T).expect("taken");
        floor.step(&id.into(), Step::Assign { agent: "Bo".into() }, "Sue", T).expect("assigned");
        floor.step(&id.into(), Step::Accept, "Bo", T).expect("accepted");
        floor.step(&id.into(), Step::End, "Bo", T).expect("ended");
        let state = floor.step(&id.into(), step, "Bo", T).expect("handed on").state;
        floor.tick(T + 60_000);
        assert_ne!(floor.view(&id.into()).expect("known").state, "ended", "{id} was {state}");
    }
}

#[test]
fn a_step_to_nobody_says_whom_there_is() {
    let mut floor = floor();
    floor.offer(wanted("i-1"), "acd", T).expect("taken");
    let to_agent = |agent: &str| Step::Assign { agent: agent.into() };
    let to_queue = |queue: &str| Step::Transfer(Target::Queue(queue.into()));
    for (step, says) in [
        (to_agent("Ema"), "the plan has no agent `Ema`; write `Emma`"),
        (to_agent("Zoe"), "the plan has no agent `Zoe`; write one of `Emma`, `Bo`"),
        (to_queue("biling"), "the plan has no queue `biling`; write `billing`"),
    ] {
        let why = floor.step(&"i-1".into(), step, "Sue", T + 1).expect_err("there is none");
        assert_eq!((why.kind, why.message.as_str()), (ErrorKind::NotFound, says));
    }
}
