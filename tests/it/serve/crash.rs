//! kill -9: a child process appends and says what was acknowledged; then it dies.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use backchannel::domain::{
    ConversationId, EventBody, NewEvent, QuestionAnswer, Recorded, Redacted, Reply, TenantId,
    Unanswered,
};
use backchannel::store::{ReadQuery, SqliteStore, Store};
use jiff::Timestamp;

use super::harness::{started, turn};

const CHILD: &str = "BACKCHANNEL_TEST_CRASH_FOLDER";
const CALLS: usize = 8;

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut acknowledged: BTreeMap<String, String> = BTreeMap::new();
    for round in 0..5 {
        let mut child = Command::new(std::env::current_exe().expect("this binary"))
            .args(["--exact", "serve::crash::the_child", "--nocapture"])
            .env(CHILD, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a child");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let reader = std::thread::spawn(move || {
            let lines = lines.map_while(Result::ok);
            lines
                .filter_map(|line| {
                    let (id, data) = line.strip_prefix("acknowledged ")?.split_once(' ')?;
                    // The kill may cut the last line short; such a line says nothing.
                    data.strip_suffix(" .").map(|data| (id.to_owned(), data.to_owned()))
                })
                .collect::<Vec<_>>()
        });
        std::thread::sleep(Duration::from_millis(300 + 130 * round));
        child.kill().expect("killed");
        child.wait().expect("dead");
        acknowledged.extend(reader.join().expect("no panic"));
    }
    assert!(acknowledged.len() > 100, "only {} were acknowledged", acknowledged.len());

    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let store = open(folder.path()).await;
        assert_eq!(store.orphans_ended(), CALLS);
        store.integrity().await.expect("sound");
        let mut events: Vec<Arc<Recorded>> = Vec::new();
        loop {
            let after = events.last().map_or(0, |event| event.position);
            let page = store.read(&ReadQuery::all("demo".into(), after)).await.expect("read");
            if page.is_empty() {
                break;
            }
            events.extend(page);
        }
        let stored: BTreeMap<&str, &str> =
            events.iter().map(|event| (event.id.as_str(), &*event.data)).collect();
        let lost: Vec<_> = acknowledged
            .iter()
            .filter(|(id, data)| stored.get(id.as_str()) != Some(&data.as_str()))
            .collect();
        assert!(lost.is_empty(), "{} of {} lost", lost.len(), acknowledged.len());
        let mut calls: BTreeMap<&ConversationId, Vec<&Recorded>> = BTreeMap::new();
        for event in &events {
            calls.entry(&event.conversation).or_default().push(event);
        }
        for (call, events) in &calls {
            let numbers: Vec<u64> = events.iter().map(|event| event.sequence).collect();
            assert_eq!(numbers, (1..=events.len() as u64).collect::<Vec<_>>(), "{call}");
            let last = events.last().expect("events");
            assert_eq!(&*last.kind, "conversation.ended", "{call}");
            assert!(last.data.contains(r#""reason":"crash""#), "{}", last.data);
        }
        println!(
            "{} acknowledged over 5 kill -9, 0 lost, {} calls",
            acknowledged.len(),
            calls.len()
        );
    });
}

/// Not a test by itself: it is what the test above starts and kills.
#[test]
fn the_child() {
    let Some(folder) = std::env::var_os(CHILD) else { return };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let store = Arc::new(open(Path::new(&folder)).await);
        let calls: Vec<_> = (0..CALLS).map(|_| tokio::spawn(call(store.clone()))).collect();
        for call in calls {
            call.await.expect("no panic");
        }
    });
}

async fn call(store: Arc<SqliteStore>) {
    let tenant = TenantId::from("demo");
    let conversation = ConversationId::fresh();
    let mut body = started();
    for number in 0.. {
        let event = NewEvent::at(Timestamp::now(), body);
        let stored = store.append(&tenant, &conversation, vec![event]).await.expect("append");
        let line = format!("acknowledged {} {} .\n", stored[0].id, stored[0].data);
        std::io::stdout().write_all(line.as_bytes()).expect("written");
        body = turn(&format!("t-{number}"));
    }
}

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
