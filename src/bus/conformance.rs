//! What every bus must do. Called by the tests of each back end.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Bus, Heard, PartialSignal, Signal};

/// Runs the suite; `make` makes a bus that holds so many signals for a slow listener.
///
/// # Panics
/// When the back end breaks the contract.
pub async fn all(make: impl Fn(usize) -> Box<dyn Bus>) {
    publishing_without_a_listener_is_fine(&*make(4));
    every_subscription_hears_everything_in_order(&*make(64)).await;
    a_subscription_hears_only_what_comes_after_it(&*make(64)).await;
    a_slow_listener_is_told_and_goes_on(&*make(4)).await;
    an_impatient_listener_loses_nothing(&*make(4)).await;
    the_end_is_told(make(4)).await;
}

fn publishing_without_a_listener_is_fine(bus: &dyn Bus) {
    bus.publish(signal(1));
}

async fn every_subscription_hears_everything_in_order(bus: &dyn Bus) {
    let mut one = bus.subscribe();
    let mut two = bus.subscribe();
    for number in 0..50 {
        bus.publish(signal(number));
    }
    for number in 0..50 {
        assert_eq!(heard(one.next().await), number);
        assert_eq!(heard(two.next().await), number);
    }
}

async fn a_subscription_hears_only_what_comes_after_it(bus: &dyn Bus) {
    bus.publish(signal(1));
    let mut late = bus.subscribe();
    bus.publish(signal(2));
    assert_eq!(heard(late.next().await), 2);
}

async fn a_slow_listener_is_told_and_goes_on(bus: &dyn Bus) {
    let mut slow = bus.subscribe();
    for number in 0..10 {
        bus.publish(signal(number));
    }
    let Heard::Lagged(missed) = slow.next().await else { panic!("six signals went by unheard") };
    assert!(missed > 0);
    assert_eq!(heard(slow.next().await), missed);
}

async fn an_impatient_listener_loses_nothing(bus: &dyn Bus) {
    let mut listener = bus.subscribe();
    tokio::select! {
        biased;
        _ = listener.next() => panic!("nothing was published"),
        () = std::future::ready(()) => {}
    }
    bus.publish(signal(7));
    assert_eq!(heard(listener.next().await), 7);
}

async fn the_end_is_told(bus: Box<dyn Bus>) {
    let mut listener = bus.subscribe();
    drop(bus);
    assert!(matches!(listener.next().await, Heard::Closed));
}

fn signal(number: u64) -> Signal {
    Signal::Partial(Arc::new(PartialSignal {
        tenant: "t".into(),
        conversation: "c-1".into(),
        time: Timestamp::UNIX_EPOCH,
        kind: "turn.partial",
        data: number.to_string().into(),
    }))
}

fn heard(heard: Heard) -> u64 {
    match heard {
        Heard::Signal(Signal::Partial(partial)) => partial.data.parse().expect("a number"),
        other => panic!("expected a partial, heard {other:?}"),
    }
}
