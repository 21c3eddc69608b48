//! What becomes of audio that finds no room.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use backchannel::bus::MemoryBus;
use backchannel::domain::{Direction, EndReason, Recorded, Role};
use backchannel::flow::audio::Codec;
use backchannel::flow::driver::{CallOpening, CallSettings, Calls, LegSpec};
use backchannel::knowledge::{Library, LibrarySettings, Source};
use backchannel::models::SpeechPool;
use backchannel::store::SqliteStore;
use bytes::Bytes;
use serde_json::Value;

/// On one thread the call hears nothing until the test awaits: so the queue fills for certain.
#[tokio::test]
async fn audio_beyond_the_queue_is_dropped_and_marked_where_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let recorded: Arc<Mutex<Vec<Arc<Recorded>>>> = Arc::default();
    let seen = Arc::clone(&recorded);
    let hook = Arc::new(move |events: &[Arc<Recorded>]| {
        seen.lock().expect("not poisoned").extend_from_slice(events);
    });
    let store = SqliteStore::open(folder.path(), hook).await.expect("the store opens");
    let nothing = LibrarySettings::new(Source::Folder(PathBuf::new()));
    let calls = Calls::new(
        CallSettings { audio_queue: 4, ..CallSettings::default() },
        Arc::new(store),
        Arc::new(MemoryBus::new(16)),
        Arc::new(SpeechPool::start(Vec::new()).expect("no threads")),
        Library::of_with(Vec::new(), &nothing).expect("no articles"),
    );
    let leg =
        LegSpec { role: Role::Customer, name: None, codec: Codec::Mulaw, sample_rate_hz: 8_000 };
    let opening = CallOpening {
        tenant: "demo".into(),
        external_id: None,
        direction: Direction::Inbound,
        legs: vec![leg],
        attributes: Default::default(),
        wants_news: false,
    };
    let call = calls.open(opening).await.expect("there is a place");
    let silence = Bytes::from_static(&[0xff; 160]);
    let say = |payloads: usize| (0..payloads).for_each(|_| call.audio(0, None, silence.clone()));
    // 4 of 10 find room, and of the next 7 as many again: those know of what was lost before them.
    say(10);
    while calls.live() == 1 && recorded.lock().expect("not poisoned").len() < 2 {
        tokio::task::yield_now().await;
    }
    say(7);
    let summary = call.close(EndReason::Hangup).await.expect("durable");
    assert_eq!(summary.duration_ms, 17 * 20, "no time is lost");

    let gaps: Vec<(u64, u64)> = recorded
        .lock()
        .expect("not poisoned")
        .iter()
        .filter(|event| &*event.kind == "audio.gap")
        .map(|event| {
            let gap: Value = serde_json::from_str(&event.data).expect("JSON");
            assert_eq!(gap["why"], "dropped under load");
            (gap["start_ms"].as_u64().expect("a time"), gap["lost_ms"].as_u64().expect("a time"))
        })
        .collect();
    assert_eq!(gaps, [(4 * 20, 6 * 20), (14 * 20, 3 * 20)]);
}
