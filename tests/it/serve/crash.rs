//! What a crash leaves open in a conversation.

use std::path::Path;
use std::sync::Arc;

use backchannel::domain::{
    ConversationId, EventBody, NewEvent, QuestionAnswer, Redacted, Reply, Unanswered,
};
use backchannel::store::{ReadQuery, SqliteStore, Store};
use jiff::Timestamp;

use super::harness::started;

async fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(folder, Arc::new(|_| ())).await.expect("the store opens")
}

#[tokio::test]
async fn what_was_asked_when_the_service_died_is_abandoned() {
    let folder = tempfile::tempdir().expect("a folder");
    let call = ConversationId::from("c-1");
    let at = |body| NewEvent::at(Timestamp::now(), body);
    let asked = |id: &str| EventBody::QuestionAsked {
        question_id: id.into(),
        question: Redacted::vouched("When is it paid?"),
    };
    let answered = EventBody::QuestionAnswered(QuestionAnswer {
        question_id: "q-1".into(),
        question: Redacted::vouched("When is it paid?"),
        reply: Reply::None { why: Unanswered::NothingFound },
        struck: Vec::new(),
        nearest: Vec::new(),
        latency_ms: 1,
    });
    let store = open(folder.path()).await;
    let bodies = [started(), asked("q-1"), answered, asked("q-2")];
    store.append(&"demo".into(), &call, bodies.map(at).into()).await.expect("append");
    store.close().await;

    // Closed without the call's end, as after a kill; and a second start finds nothing left to do.
    for _ in 0..2 {
        let store = open(folder.path()).await;
        let events = store.read(&ReadQuery::all("demo".into(), 0).of(call.clone())).await;
        let events = events.expect("read");
        let kinds: Vec<&str> = events.iter().skip(4).map(|event| &*event.kind).collect();
        assert_eq!(kinds, ["question.answered", "conversation.ended"]);
        assert_eq!(events[4].id.as_str(), "answer-q-2", "the identifier of any answer to it");
        let data = &events[4].data;
        assert!(data.contains("q-2") && data.contains(r#""state":"abandoned""#), "{data}");
        store.close().await;
    }
}
