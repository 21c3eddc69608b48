//! What every store must do: each sentence of the trait's contract is one function here. Called by
//! the tests of each back end with a fresh store.

use std::sync::Arc;

use jiff::Timestamp;

use super::{ConversationState, KindFilter, ListQuery, ReadQuery, SYSTEM, Store, StoreError};
use crate::domain::{
    Answer, AudioStarted, Card, CardId, CardKind, Channel, ConversationEnded, ConversationId,
    ConversationStarted, Direction, EndReason, EventBody, Generator, NewEvent, Party, Recorded,
    Redacted, RedactionOutcome, RedactionResolved, Role, SystemNotice, TenantId, Turn, Verdict,
    VerdictKind,
};

/// Runs the suite on one store that nobody else uses.
///
/// # Panics
/// When the back end breaks the contract.
pub async fn all(store: Arc<dyn Store>) {
    let s = &*store;
    sequences_count_from_one_and_positions_grow(s).await;
    an_append_is_whole_or_not_at_all(s).await;
    the_same_event_twice_is_a_no_op(s).await;
    an_event_id_belongs_to_one_conversation(s).await;
    the_first_event_is_the_start_and_the_end_comes_once(s).await;
    afterthoughts_may_follow_the_end(s).await;
    the_system_conversation_needs_no_start_and_is_not_listed(s).await;
    reading_pages_filters_and_keeps_tenants_apart(s).await;
    what_was_answered_is_what_is_read(s).await;
    lists_show_the_latest_first_in_pages(s).await;
    rows_follow_the_events(s).await;
    cards_are_found_by_tenant(s).await;
    events_are_found_by_tenant(s).await;
    many_appenders_leave_no_gap(store.clone()).await;
    one_callers_appends_keep_their_order(store.clone()).await;
    s.integrity().await.expect("the log is sound");
    a_closed_store_refuses(s).await;
}

async fn sequences_count_from_one_and_positions_grow(s: &dyn Store) {
    let (t, c) = fresh("sequences");
    let before = s.head().await.expect("head");
    let first = s.append(&t, &c, vec![started(None), turn("t-1")]).await.expect("append");
    let second = s.append(&t, &c, vec![turn("t-2")]).await.expect("append");
    let all: Vec<&Arc<Recorded>> = first.iter().chain(&second).collect();
    assert_eq!(all.iter().map(|e| e.sequence).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(all[0].position > before);
    assert!(all.windows(2).all(|pair| pair[0].position < pair[1].position));
    assert_eq!(s.head().await.expect("head"), all[2].position);
    assert!(s.append(&t, &c, vec![]).await.expect("nothing to do").is_empty());
}

async fn an_append_is_whole_or_not_at_all(s: &dyn Store) {
    let (t, c) = fresh("whole");
    s.append(&t, &c, vec![started(None)]).await.expect("append");
    let refused = s.append(&t, &c, vec![turn("t-1"), started(None)]).await;
    assert!(matches!(refused, Err(StoreError::AlreadyStarted(_))));
    assert_eq!(events(s, &t, &c).await.len(), 1);
    let next = s.append(&t, &c, vec![turn("t-1")]).await.expect("append");
    assert_eq!(next[0].sequence, 2);
}

async fn the_same_event_twice_is_a_no_op(s: &dyn Store) {
    let (t, c) = fresh("twice");
    let group = vec![started(None), turn("t-1")];
    let first = s.append(&t, &c, group.clone()).await.expect("append");
    let again = s.append(&t, &c, group.clone()).await.expect("append");
    assert_eq!(first, again);
    // Old and new mixed: the old stand, the new come after.
    let mut mixed = group;
    mixed.push(turn("t-2"));
    let mixed = s.append(&t, &c, mixed).await.expect("append");
    assert_eq!(mixed[..2], first[..]);
    assert_eq!(mixed[2].sequence, 3);
    // Twice in one append.
    let once = turn("t-3");
    let both = s.append(&t, &c, vec![once.clone(), once]).await.expect("append");
    assert_eq!(both[0], both[1]);
    assert_eq!(events(s, &t, &c).await.len(), 4);
}

async fn an_event_id_belongs_to_one_conversation(s: &dyn Store) {
    let (t, c) = fresh("foreign-1");
    let (_, other) = fresh("foreign-2");
    let event = started(None);
    s.append(&t, &c, vec![event.clone()]).await.expect("append");
    let refused = s.append(&t, &other, vec![event.clone()]).await;
    assert!(matches!(refused, Err(StoreError::ForeignEvent(_))));
    let refused = s.append(&"another".into(), &c, vec![event]).await;
    assert!(matches!(refused, Err(StoreError::ForeignEvent(_))));
}

async fn the_first_event_is_the_start_and_the_end_comes_once(s: &dyn Store) {
    let (t, c) = fresh("start");
    let refused = s.append(&t, &c, vec![turn("t-1")]).await;
    assert!(matches!(refused, Err(StoreError::NotStarted(_))));
    s.append(&t, &c, vec![started(None), ended()]).await.expect("append");
    let refused = s.append(&t, &c, vec![ended()]).await;
    assert!(matches!(refused, Err(StoreError::AlreadyEnded(_))));
    assert_eq!(events(s, &t, &c).await.len(), 2);
}

async fn afterthoughts_may_follow_the_end(s: &dyn Store) {
    let (t, c) = fresh("after");
    s.append(&t, &c, vec![started(None), ended()]).await.expect("append");
    let verdict = Verdict { card_id: "k-1".into(), kind: VerdictKind::Accepted, edited_text: None };
    let late = vec![now(EventBody::SuggestionVerdict(verdict))];
    assert_eq!(s.append(&t, &c, late).await.expect("append")[0].sequence, 3);
}

async fn the_system_conversation_needs_no_start_and_is_not_listed(s: &dyn Store) {
    let t: TenantId = "of-system".into();
    let notice = SystemNotice {
        what: "knowledge_vectors".into(),
        detail: "searching by keywords only".into(),
        since: Timestamp::UNIX_EPOCH,
    };
    let system = ConversationId::from(SYSTEM);
    for sequence in 1..=2 {
        let event = now(EventBody::SystemDegraded(notice.clone()));
        assert_eq!(s.append(&t, &system, vec![event]).await.expect("append")[0].sequence, sequence);
    }
    let list = s.conversations(&list(&t)).await.expect("list");
    assert!(list.items.is_empty());
    assert!(s.conversation(&t, &system).await.expect("look").is_none());
    assert_eq!(events(s, &t, &system).await.len(), 2);
}

async fn reading_pages_filters_and_keeps_tenants_apart(s: &dyn Store) {
    let (t, c) = fresh("reading-1");
    let (other, d) = fresh("reading-2");
    s.append(&t, &c, vec![started(None), turn("t-1"), turn("t-2")]).await.expect("append");
    s.append(&other, &d, vec![started(None), turn("t-1")]).await.expect("append");
    let e: ConversationId = "c-reading-3".into();
    s.append(&t, &e, vec![started(None), turn("t-1"), ended()]).await.expect("append");

    let mut query = ReadQuery { limit: 2, ..ReadQuery::all(t.clone(), 0) };
    let mut seen = Vec::new();
    loop {
        let page = s.read(&query).await.expect("read");
        assert!(page.len() <= 2);
        let Some(last) = page.last() else { break };
        query.after = last.position;
        seen.extend(page);
    }
    assert_eq!(seen.len(), 6);
    assert!(seen.windows(2).all(|pair| pair[0].position < pair[1].position));
    assert!(seen.iter().all(|event| event.tenant == t));

    let mut query = ReadQuery::all(t.clone(), 0);
    query.kinds = KindFilter::parse("turn.*,conversation.ended").expect("reads");
    assert_eq!(s.read(&query).await.expect("read").len(), 4);
    assert_eq!(s.read(&query.of(e.clone())).await.expect("read").len(), 2);
    assert!(s.read(&ReadQuery::all(t.clone(), u64::MAX)).await.expect("read").is_empty());
    assert!(s.read(&ReadQuery::all(other, 0).of(e)).await.expect("read").is_empty());
}

async fn what_was_answered_is_what_is_read(s: &dyn Store) {
    let (t, c) = fresh("equal");
    let answered = s.append(&t, &c, vec![started(Some("CA1")), turn("t-1"), card("k-equal")]).await;
    assert_eq!(answered.expect("append"), events(s, &t, &c).await);
}

async fn lists_show_the_latest_first_in_pages(s: &dyn Store) {
    let t: TenantId = "of-lists".into();
    for number in 0..5 {
        let c = ConversationId::from(format!("c-list-{number}"));
        let mut group = vec![started(Some(&format!("CA{number}")))];
        if number % 2 == 1 {
            group.push(ended());
        }
        s.append(&t, &c, group).await.expect("append");
    }
    let mut query = ListQuery { limit: 2, ..list(&t) };
    let mut seen = Vec::new();
    loop {
        let page = s.conversations(&query).await.expect("list");
        seen.extend(page.items.into_iter().map(|row| row.id.to_string()));
        let Some(next) = page.next else { break };
        query.after = Some(next);
    }
    assert_eq!(seen, ["c-list-4", "c-list-3", "c-list-2", "c-list-1", "c-list-0"]);

    let ended = ListQuery { state: Some(ConversationState::Ended), ..list(&t) };
    assert_eq!(s.conversations(&ended).await.expect("list").items.len(), 2);
    let live = ListQuery { state: Some(ConversationState::Live), ..list(&t) };
    assert_eq!(s.conversations(&live).await.expect("list").items.len(), 3);
    let named = ListQuery { external_id: Some("CA3".into()), ..list(&t) };
    assert_eq!(s.conversations(&named).await.expect("list").items[0].id.as_str(), "c-list-3");
    let bad = ListQuery { after: Some("x".into()), ..list(&t) };
    assert!(matches!(s.conversations(&bad).await, Err(StoreError::BadCursor(_))));
}

async fn rows_follow_the_events(s: &dyn Store) {
    let (t, c) = fresh("rows");
    let look = async || s.conversation(&t, &c).await.expect("look");
    assert!(look().await.is_none());
    s.append(&t, &c, vec![started(Some("CA9")), turn("t-1"), card("k-rows")])
        .await
        .expect("append");
    let row = look().await.expect("it is there");
    assert_eq!(row.state, ConversationState::Live);
    assert_eq!((row.turn_count, row.card_count, row.last_sequence), (1, 1, 3));
    assert_eq!(row.external_id.as_deref(), Some("CA9"));
    assert_eq!((row.channel.as_str(), row.parties.len()), ("voice", 2));
    assert_eq!(row.last_turn.expect("a turn").text, "My number is [digits-1].");
    let party = Party { id: "p-9".into(), role: Role::Expert, name: Some("Bea".to_owned()) };
    let joins = AudioStarted { party, codec: "mulaw".to_owned(), sample_rate_hz: 8_000 };
    let joins = || now(EventBody::AudioStarted(joins.clone()));
    s.append(&t, &c, vec![joins(), joins()]).await.expect("append");
    let row = look().await.expect("it is there");
    assert_eq!(row.parties.len(), 3, "whoever joins takes part, once");
    assert_eq!(row.parties[2].name.as_deref(), Some("Bea"));
    let resolved = EventBody::RedactionResolved(RedactionResolved {
        turn_id: "t-1".into(),
        placeholder: "[digits-1]".into(),
        outcome: RedactionOutcome::Released(Redacted::vouched("4711")),
    });
    let end = s.append(&t, &c, vec![now(resolved), ended()]).await.expect("append");
    let row = look().await.expect("it is there");
    assert_eq!(row.state, ConversationState::Ended);
    assert_eq!((row.ended_at, row.duration_ms), (Some(end[1].time), Some(9_000)));
    assert_eq!(row.last_turn.expect("a turn").text, "My number is 4711.");
    assert_eq!(row.last_position, end[1].position);
    assert!(s.conversation(&"another".into(), &c).await.expect("look").is_none());
}

async fn cards_are_found_by_tenant(s: &dyn Store) {
    let (t, c) = fresh("cards");
    s.append(&t, &c, vec![started(None), card("k-found")]).await.expect("append");
    let find = async |tenant: &TenantId, card: &str| {
        s.conversation_of_card(tenant, &CardId::from(card)).await.expect("look")
    };
    assert_eq!(find(&t, "k-found").await, Some(c));
    assert_eq!(find(&t, "k-lost").await, None);
    assert_eq!(find(&"another".into(), "k-found").await, None);
}

async fn events_are_found_by_tenant(s: &dyn Store) {
    let (t, c) = fresh("one-event");
    let said = NewEvent { id: "named-by-its-sender".into(), ..turn("t-1") };
    s.append(&t, &c, vec![started(None), said]).await.expect("append");
    let find = async |tenant: &TenantId, id: &str| s.event(tenant, &id.into()).await.expect("look");
    let found = find(&t, "named-by-its-sender").await.expect("it is there");
    assert_eq!((&found.conversation, found.sequence), (&c, 2));
    assert_eq!(find(&t, "another-name").await, None);
    assert_eq!(find(&"another".into(), "named-by-its-sender").await, None);
}

async fn many_appenders_leave_no_gap(store: Arc<dyn Store>) {
    let tasks: Vec<_> = (0..16)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let (t, c) = fresh(&format!("many-{}", number % 4));
                let _ = store.append(&t, &c, vec![started(None)]).await;
                for turn_number in 0..25 {
                    let id = format!("t-{number}-{turn_number}");
                    store.append(&t, &c, vec![turn(&id)]).await.expect("append");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic");
    }
    for number in 0..4 {
        let (t, c) = fresh(&format!("many-{number}"));
        let sequences: Vec<u64> =
            events(&*store, &t, &c).await.iter().map(|e| e.sequence).collect();
        assert_eq!(sequences, (1..=101).collect::<Vec<_>>());
    }
}

async fn one_callers_appends_keep_their_order(store: Arc<dyn Store>) {
    let (t, c) = fresh("order");
    let mut appends = vec![store.append(&t, &c, vec![started(None)])];
    let ids: Vec<String> = (0..40).map(|number| format!("t-{number}")).collect();
    appends.extend(ids.iter().map(|id| store.append(&t, &c, vec![turn(id)])));
    for append in futures_util::future::join_all(appends).await {
        append.expect("append");
    }
    let read = events(&*store, &t, &c).await;
    for (event, id) in read.iter().skip(1).zip(&ids) {
        assert!(event.data.contains(&format!("\"{id}\"")));
    }
}

async fn a_closed_store_refuses(s: &dyn Store) {
    let (t, c) = fresh("closed");
    s.close().await;
    let refused = s.append(&t, &c, vec![started(None)]).await;
    assert!(matches!(refused, Err(StoreError::Closed)));
}

fn fresh(name: &str) -> (TenantId, ConversationId) {
    (format!("of-{name}").into(), format!("c-{name}").into())
}

fn list(tenant: &TenantId) -> ListQuery {
    ListQuery { tenant: tenant.clone(), state: None, external_id: None, limit: 50, after: None }
}

async fn events(s: &dyn Store, t: &TenantId, c: &ConversationId) -> Vec<Arc<Recorded>> {
    s.read(&ReadQuery::all(t.clone(), 0).of(c.clone())).await.expect("read")
}

pub(crate) fn now(body: EventBody) -> NewEvent {
    NewEvent::at(Timestamp::now(), body)
}

pub(crate) fn started(external_id: Option<&str>) -> NewEvent {
    now(EventBody::ConversationStarted(ConversationStarted {
        channel: Channel::Voice,
        direction: Direction::Inbound,
        external_id: external_id.map(str::to_owned),
        parties: vec![party("p-1", Role::Customer), party("p-2", Role::Agent)],
        attributes: [("call_sid".to_owned(), "CA1".to_owned())].into(),
    }))
}

pub(crate) fn ended() -> NewEvent {
    now(EventBody::ConversationEnded(ConversationEnded {
        reason: EndReason::Hangup,
        duration_ms: 9_000,
    }))
}

pub(crate) fn turn(id: &str) -> NewEvent {
    now(EventBody::TurnFinal(Turn {
        id: id.into(),
        party: party("p-1", Role::Customer),
        start_ms: 1_200,
        end_ms: 3_400,
        text: Redacted::vouched("My number is [digits-1]."),
        words: Vec::new(),
        mean_logprob: Some(-0.21),
        display_text: None,
        language: "en".into(),
    }))
}

pub(crate) fn card(id: &str) -> NewEvent {
    now(EventBody::SuggestionOffered(Card {
        id: id.into(),
        kind: CardKind::Answer,
        answer: Answer {
            title: "Refunds".into(),
            heading: "When".into(),
            text: "Within five working days.".into(),
            citations: Vec::new(),
            score: 0.83,
            why: vec!["terms: refund".into()],
            generator: Generator::Extractive,
            valid_from: None,
            is_verbatim: false,
        },
        trigger_turn: "t-1".into(),
        question: None,
        latency_ms: 31,
    }))
}

fn party(id: &str, role: Role) -> Party {
    Party { id: id.into(), role, name: None }
}
