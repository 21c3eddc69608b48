//! What every outbox must do: each sentence of the trait's contract is one function here.

use jiff::{SignedDuration, Timestamp};

use super::{DeliveryQuery, Outbox};
use crate::domain::{
    CaseRef, ConversationId, CrmWrite, DedupeKey, Delivery, DeliveryMove, DeliveryState, Effect,
    EventBody, NewDelivery, NewEvent, NewNote, Progress, Redacted, TenantId,
};
use crate::store::conformance::started;
use crate::store::{ReadQuery, Store, StoreError};

/// Runs the suite on one store that nobody else uses.
///
/// # Panics
/// When the back end breaks the contract.
pub async fn all<S: Store + Outbox>(s: &S) {
    an_effect_stands_with_what_is_told_of_it(s).await;
    a_key_is_one_effect(s).await;
    a_refused_post_leaves_nothing(s).await;
    lanes_are_taken_in_order(s).await;
    two_cant_move_the_same_one(s).await;
    what_waits_for_its_time_holds_its_lane(s).await;
    a_clock_that_was_set_back_holds_nothing(s).await;
    a_retried_one_waits_for_a_later_one_on_its_way(s).await;
    what_belongs_to_a_failed_case_waits_for_it(s).await;
    lists_are_filtered_and_paged(s).await;
    tenants_see_nothing_of_each_other(s).await;
    s.integrity().await.expect("the log is sound");
}

/// A note in a contact's lane.
pub fn note(destination: &str, lane: &str, key: &str) -> NewDelivery {
    NewDelivery {
        destination: destination.into(),
        key: DedupeKey::stored(key),
        lane: lane.into(),
        effect: Effect::AddNote(NewNote {
            contact_id: lane.into(),
            case: None,
            subject: Redacted::vouched("A call"),
            body: Redacted::vouched(format!("What was said: {key}.")),
        }),
        from: Some("w-end-summary".into()),
        by: Some("Emma".into()),
        created_at: at(0),
    }
}

/// Seconds after a moment of no importance, in whole milliseconds.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_764_000_000 + seconds).expect("in range")
}

/// A conversation that has begun.
pub async fn conversation(s: &dyn Store, tenant: &TenantId) -> ConversationId {
    let id = ConversationId::fresh();
    s.append(tenant, &id, vec![started(None)]).await.expect("begins");
    id
}

fn told(new: &NewDelivery) -> NewEvent {
    let write = CrmWrite::of(new, &Progress::new(new.created_at));
    NewEvent::at(new.created_at, EventBody::CrmWrite(Box::new(write)))
}

/// Posts as callers do: with what is told of each.
pub async fn post<S: Store + Outbox + ?Sized>(
    s: &S,
    tenant: &TenantId,
    id: &ConversationId,
    all: Vec<NewDelivery>,
) {
    let events = all.iter().map(told).collect();
    s.post(tenant, id, events, all).await.expect("posted");
}

fn step(delivery: &Delivery, state: DeliveryState, next_at: Timestamp) -> DeliveryMove {
    DeliveryMove {
        tenant: delivery.tenant.clone(),
        conversation: delivery.conversation.clone(),
        position: delivery.position,
        from: delivery.progress.state,
        to: Progress { state, next_at, ..delivery.progress.clone() },
    }
}

async fn due(s: &dyn Outbox, destination: &str, seconds: i64) -> Vec<Delivery> {
    s.due(destination, at(seconds), 10).await.expect("reads")
}

fn keys(all: &[Delivery]) -> Vec<&str> {
    all.iter().map(|one| one.new.key.as_str()).collect()
}

async fn an_effect_stands_with_what_is_told_of_it<S: Store + Outbox>(s: &S) {
    let tenant = TenantId::from("outbox-told");
    let id = conversation(s, &tenant).await;
    let new = note("told", "contact-1", "k1");
    post(s, &tenant, &id, vec![new.clone()]).await;
    let log = s.read(&ReadQuery::all(tenant.clone(), 0).of(id.clone())).await.expect("reads");
    assert_eq!(&*log.last().expect("two events").kind, "crm.write");
    let found = s.delivery_by_key(&tenant, "told", &new.key).await.expect("reads").expect("stands");
    assert_eq!(found.new, new);
    assert_eq!(found.conversation, id);
    assert_eq!(found.progress, Progress::new(at(0)));
    let by_position = s.delivery(&tenant, found.position).await.expect("reads");
    assert_eq!(by_position.as_ref(), Some(&found));

    let done = Progress {
        state: DeliveryState::Done,
        attempts: 2,
        next_at: at(9),
        unclear: true,
        remote_id: Some("77".into()),
        problem: Some("it was slow".into()),
        updated_at: at(8),
    };
    let event = NewEvent::at(at(8), EventBody::CrmWrite(Box::new(CrmWrite::of(&new, &done))));
    let go = DeliveryMove { to: done.clone(), ..step(&found, DeliveryState::Done, at(0)) };
    let recorded = s.advance(go, vec![event]).await.expect("moves");
    assert!(recorded[0].data.contains(r#""state":"done""#), "{}", recorded[0].data);
    let found = s.delivery(&tenant, found.position).await.expect("reads").expect("stands");
    assert_eq!(found.progress, done);
}

async fn a_key_is_one_effect<S: Store + Outbox>(s: &S) {
    let tenant = TenantId::from("outbox-once");
    let id = conversation(s, &tenant).await;
    let first = note("once", "contact-1", "k1");
    let again = NewDelivery { lane: "contact-2".into(), ..first.clone() };
    s.post(&tenant, &id, vec![], vec![first.clone(), again.clone()]).await.expect("posted");
    s.post(&tenant, &id, vec![], vec![again]).await.expect("posted");
    let elsewhere = NewDelivery { destination: "other".into(), ..first.clone() };
    s.post(&tenant, &id, vec![], vec![elsewhere]).await.expect("posted");
    let all = s.deliveries(&DeliveryQuery::all(tenant.clone())).await.expect("reads").items;
    assert_eq!(all.len(), 2);
    assert_eq!(all[1].new, first);
}

async fn a_refused_post_leaves_nothing<S: Store + Outbox>(s: &S) {
    let tenant = TenantId::from("outbox-refused");
    let new = note("refused", "contact-1", "k1");
    let nowhere = ConversationId::fresh();
    let error = s.post(&tenant, &nowhere, vec![told(&new)], vec![new]).await;
    assert!(matches!(error, Err(StoreError::NotStarted(_))), "{error:?}");
    let all = s.deliveries(&DeliveryQuery::all(tenant)).await.expect("reads").items;
    assert!(all.is_empty());
}

async fn lanes_are_taken_in_order<S: Store + Outbox>(s: &S) {
    let tenant = TenantId::from("outbox-lanes");
    let id = conversation(s, &tenant).await;
    let waiting = |lane, key| note("lanes", lane, key);
    let all = vec![waiting("ada", "a1"), waiting("ada", "a2"), waiting("bob", "b1")];
    post(s, &tenant, &id, all).await;
    let first = due(s, "lanes", 0).await;
    assert_eq!(keys(&first), ["a1", "b1"]);
    assert_eq!(s.due("lanes", at(0), 1).await.expect("reads").len(), 1);
    s.advance(step(&first[0], DeliveryState::Sending, at(0)), vec![]).await.expect("moves");
    assert_eq!(keys(&due(s, "lanes", 0).await), ["b1"], "one of the lane is being sent");
    let sending = s.in_state("lanes", DeliveryState::Sending, 0).await.expect("reads");
    assert_eq!(keys(&sending), ["a1"]);
    s.advance(step(&sending[0], DeliveryState::Failed, at(0)), vec![]).await.expect("moves");
    assert_eq!(keys(&due(s, "lanes", 0).await), ["a2", "b1"], "a dead letter lets others pass");
}

async fn two_cant_move_the_same_one<S: Store + Outbox>(s: &S) {
    let tenant = TenantId::from("outbox-twice");
    let id = conversation(s, &tenant).await;
    post(s, &tenant, &id, vec![note("twice", "ada", "a1")]).await;
    let one = due(s, "twice", 0).await.remove(0);
    let sending = step(&one, DeliveryState::Sending, at(0));
    let discarded = step(&one, DeliveryState::Discarded, at(0));
    let before = s.head().await.expect("reads");
    let events = vec![told(&one.new)];
    let (a, b) = tokio::join!(s.advance(sending, vec![]), s.advance(discarded, events));
    assert!(a.is_ok(), "{a:?}");
    assert!(matches!(b, Err(StoreError::DeliveryMoved(at)) if at == one.position), "{b:?}");
    assert_eq!(s.head().await.expect("reads"), before, "what is told of a refused move isn't told");
    let foreign = DeliveryMove {
        tenant: "somebody-else".into(),
        from: DeliveryState::Sending,
        ..step(&one, DeliveryState::Discarded, at(0))
    };
    assert!(matches!(s.advance(foreign, vec![]).await, Err(StoreError::DeliveryMoved(_))));
}

async fn what_waits_for_its_time_holds_its_lane<S: Store + Outbox>(s: &S) {
    let tenant = TenantId::from("outbox-later");
    let id = conversation(s, &tenant).await;
    assert_eq!(s.next_due("later").await.expect("reads"), None);
    let waiting = |lane, key| note("later", lane, key);
    post(s, &tenant, &id, vec![waiting("ada", "a1"), waiting("ada", "a2")]).await;
    let one = due(s, "later", 0).await.remove(0);
    let later = SignedDuration::from_secs(60);
    let when = at(0).checked_add(later).expect("in range");
    s.advance(step(&one, DeliveryState::Waiting, when), vec![]).await.expect("moves");
    assert!(due(s, "later", 59).await.is_empty());
    assert_eq!(s.next_due("later").await.expect("reads"), Some(when));
    assert_eq!(keys(&due(s, "later", 60).await), ["a1"]);
}

async fn a_clock_that_was_set_back_holds_nothing<S: Store + Outbox>(s: &S) {
    let tenant = TenantId::from("outbox-clock");
    let id = conversation(s, &tenant).await;
    post(s, &tenant, &id, vec![note("clock", "ada", "a1")]).await;
    let one = due(s, "clock", 0).await.remove(0);
    let longest = at(i64::try_from(Progress::PAUSE_MAX.as_secs()).expect("minutes"));
    s.advance(step(&one, DeliveryState::Waiting, longest), vec![]).await.expect("moves");
    assert!(due(s, "clock", 0).await.is_empty(), "a pause that can be");
    assert_eq!(keys(&due(s, "clock", -1).await), ["a1"], "none is that long");
}

async fn a_retried_one_waits_for_a_later_one_on_its_way<S: Store + Outbox>(s: &S) {
    let tenant = TenantId::from("outbox-retried");
    let id = conversation(s, &tenant).await;
    let waiting = |key| note("retried", "ada", key);
    post(s, &tenant, &id, vec![waiting("a1"), waiting("a2"), waiting("a3")]).await;
    let first = due(s, "retried", 0).await.remove(0);
    let dead = step(&first, DeliveryState::Failed, at(0));
    s.advance(dead.clone(), vec![]).await.expect("moves");
    let second = due(s, "retried", 0).await.remove(0);
    let sending = step(&second, DeliveryState::Sending, at(0));
    s.advance(sending.clone(), vec![]).await.expect("moves");
    let again = DeliveryMove { from: DeliveryState::Failed, to: first.progress, ..dead };
    s.advance(again, vec![]).await.expect("moves");
    assert!(due(s, "retried", 0).await.is_empty(), "one of the lane is being sent");
    let back = DeliveryMove { from: DeliveryState::Sending, to: second.progress, ..sending };
    s.advance(back, vec![]).await.expect("moves");
    assert_eq!(keys(&due(s, "retried", 0).await), ["a1"], "in its old place");
}

async fn what_belongs_to_a_failed_case_waits_for_it<S: Store + Outbox>(s: &S) {
    let tenant = TenantId::from("outbox-case");
    let id = conversation(s, &tenant).await;
    let waiting = |key| note("case", "ada", key);
    let mut of_case = waiting("of-case");
    if let Effect::AddNote(one) = &mut of_case.effect {
        one.case = Some(CaseRef::MadeBy(DedupeKey::stored("case")));
    }
    post(s, &tenant, &id, vec![waiting("case"), of_case, waiting("alone")]).await;
    let case = due(s, "case", 0).await.remove(0);
    let mut to = step(&case, DeliveryState::Failed, at(0));
    s.advance(to.clone(), vec![]).await.expect("moves");
    let alone = due(s, "case", 0).await;
    assert_eq!(keys(&alone), ["alone"], "it waits, and lets others pass");
    s.advance(step(&alone[0], DeliveryState::Done, at(0)), vec![]).await.expect("moves");
    assert_eq!(s.next_due("case").await.expect("reads"), None, "nothing can go");
    for state in [DeliveryState::Waiting, DeliveryState::Done] {
        to = DeliveryMove { from: to.to.state, to: Progress { state, ..to.to.clone() }, ..to };
        s.advance(to.clone(), vec![]).await.expect("moves");
        let expected = if state == DeliveryState::Done { "of-case" } else { "case" };
        assert_eq!(keys(&due(s, "case", 0).await), [expected]);
    }
}

async fn lists_are_filtered_and_paged<S: Store + Outbox>(s: &S) {
    let tenant = TenantId::from("outbox-lists");
    let (one, other) = (conversation(s, &tenant).await, conversation(s, &tenant).await);
    for number in 0..5 {
        let id = if number < 3 { &one } else { &other };
        post(s, &tenant, id, vec![note("lists", "ada", &format!("k{number}"))]).await;
    }
    let third = s.delivery_by_key(&tenant, "lists", &DedupeKey::stored("k2")).await;
    let third = third.expect("reads").expect("stands");
    s.advance(step(&third, DeliveryState::Failed, at(0)), vec![]).await.expect("moves");
    let mut query = DeliveryQuery { limit: 2, ..DeliveryQuery::all(tenant.clone()) };
    let mut seen = Vec::new();
    loop {
        let page = s.deliveries(&query).await.expect("reads");
        assert!(page.items.len() <= 2);
        seen.extend(keys(&page.items).into_iter().map(str::to_owned));
        let Some(next) = page.next else { break };
        query.after = Some(next);
    }
    assert_eq!(seen, ["k4", "k3", "k2", "k1", "k0"], "the newest first");
    let failed =
        DeliveryQuery { state: Some(DeliveryState::Failed), ..DeliveryQuery::all(tenant.clone()) };
    assert_eq!(keys(&s.deliveries(&failed).await.expect("reads").items), ["k2"]);
    let of = DeliveryQuery { conversation: Some(other), ..DeliveryQuery::all(tenant.clone()) };
    assert_eq!(keys(&s.deliveries(&of).await.expect("reads").items), ["k4", "k3"]);
    let tally = s.tally(&tenant).await.expect("reads");
    let expected = [
        ("lists".to_owned(), DeliveryState::Failed, 1),
        ("lists".to_owned(), DeliveryState::Waiting, 4),
    ];
    assert_eq!(tally, expected);
    let bad = DeliveryQuery { after: Some("x".into()), ..DeliveryQuery::all(tenant) };
    assert!(matches!(s.deliveries(&bad).await, Err(StoreError::BadCursor(_))));
}

async fn tenants_see_nothing_of_each_other<S: Store + Outbox>(s: &S) {
    let (mine, yours) = (TenantId::from("outbox-mine"), TenantId::from("outbox-yours"));
    let id = conversation(s, &mine).await;
    post(s, &mine, &id, vec![note("private", "ada", "k1")]).await;
    let there = due(s, "private", 0).await.remove(0);
    assert_eq!(s.delivery(&yours, there.position).await.expect("reads"), None);
    assert_eq!(s.delivery_by_key(&yours, "private", &there.new.key).await.expect("reads"), None);
    assert!(
        s.deliveries(&DeliveryQuery::all(yours.clone())).await.expect("reads").items.is_empty()
    );
    assert!(s.tally(&yours).await.expect("reads").is_empty());
}
