//! Streams: nothing lost, nothing twice, nobody held up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use backchannel::bus::{PartialSignal, Signal};
use backchannel::domain::{EventBody, Partial, Recorded, Redacted};
use backchannel::store::{ReadQuery, codec};
use jiff::Timestamp;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::harness::*;

#[tokio::test]
async fn every_kind_is_as_described_from_the_log_and_live() {
    let house = House::open().await;
    let mut live = house.follow("/v1/events", None).await;
    let stored = house.append("c-1", every_kind()).await;
    house
        .append(
            "system",
            vec![EventBody::SystemDegraded(notice()), EventBody::SystemRecovered(notice())],
        )
        .await;
    let live = live.take(stored.len() + 2).await;
    let again = house.follow("/v1/events", Some("0")).await.take(stored.len() + 2).await;
    for (one, two) in live.iter().zip(&again) {
        assert_eq!((&one.id, &one.envelope), (&two.id, &two.envelope));
    }
    for (seen, event) in live.iter().zip(&stored) {
        assert_eq!(seen.id, Some(event.position.to_string()));
        assert_eq!(seen.envelope["sequence"], event.sequence);
        assert_eq!(seen.envelope["source"], "backchannel/node-1");
    }
    let described = house.asyncapi["components"]["messages"].as_object().expect("messages");
    let seen: std::collections::BTreeSet<&str> = live.iter().map(Event::kind).collect();
    let missing: Vec<_> = described.keys().filter(|kind| !seen.contains(kind.as_str())).collect();
    assert_eq!(missing, ["turn.partial", "turn.unsaved", "wrapup.growing"]);
}

#[tokio::test]
async fn partials_are_streamed_and_never_stored() {
    let house = House::open().await;
    house.append("c-1", vec![started()]).await;
    let mut one = house.follow("/v1/conversations/c-1/events", None).await;
    let mut all = house.follow("/v1/events?types=backchannel.turn.*", None).await;
    let say = |conversation: &str, text: &str| {
        let partial = Partial {
            turn_id: "t-1".into(),
            party: party(),
            start_ms: 10,
            text: Redacted::vouched(text),
            stable_prefix_chars: 2,
        };
        house.bus.publish(Signal::Partial(Arc::new(PartialSignal {
            tenant: "demo".into(),
            conversation: conversation.into(),
            time: Timestamp::now(),
            kind: codec::TURN_PARTIAL,
            data: codec::partial_data(&partial),
        })));
    };
    // The greeting is out before the catch-up is over, so say it until it is heard.
    let heard = async |follower: &mut Follower| {
        loop {
            say("c-2", "other");
            say("c-1", "hello");
            let next = tokio::time::timeout(Duration::from_millis(200), follower.next()).await;
            if let Ok(event) = next {
                return event.expect("the stream goes on");
            }
        }
    };
    let event = heard(&mut one).await;
    assert_eq!((event.id.as_deref(), event.kind()), (None, "turn.partial"));
    assert_eq!(
        (&event.envelope["subject"], &event.envelope["data"]["text"]),
        (&"c-1".into(), &"hello".into())
    );
    assert!(event.envelope.get("sequence").is_none());
    assert_eq!(heard(&mut all).await.kind(), "turn.partial");
    assert_eq!(house.store.head().await.expect("head"), 1);
}

#[tokio::test]
async fn filters_take_lists_stars_and_the_prefix() {
    let house = House::open().await;
    house.append("c-1", every_kind()).await;
    house.append("c-2", vec![started(), turn("t-9")]).await;
    let kinds = async |path: &str, count: usize| {
        let events = house.follow(path, Some("0")).await.take(count).await;
        events.iter().map(|event| event.kind().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        kinds("/v1/conversations/c-1/events?types=turn.final,backchannel.suggestion.*", 5).await,
        [
            "turn.final",
            "turn.final",
            "suggestion.offered",
            "suggestion.verdict",
            "suggestion.voiced"
        ]
    );
    assert_eq!(kinds("/v1/events?types=turn.final", 3).await, ["turn.final"; 3]);
    for bad in
        ["?types=turn.%5Ba%5D", "?last_event_id=x", "?last_event_id=-1", "?last_event_id=999999"]
    {
        assert_eq!(house.get(&format!("/v1/events{bad}")).await.0, 422, "{bad}");
    }
    let request = house.client.get(house.url("/v1/events")).bearer_auth(KEY);
    let bad = request.header("Last-Event-ID", "0x1").send().await.expect("answers");
    assert_eq!(house.checked(reqwest::Method::GET, "/v1/events", bad).await.0, 422);
}

#[tokio::test]
async fn resuming_takes_the_header_before_the_address() {
    let house = House::open().await;
    let events = house.append("c-1", vec![started(), turn("t-1"), turn("t-2")]).await;
    let id = |index: usize| events[index].position.to_string();
    let next = async |path: &str, last: Option<&str>| {
        house.follow(path, last).await.next().await.expect("goes on").id.expect("an id")
    };
    assert_eq!(next("/v1/events?last_event_id=0", None).await, id(0));
    assert_eq!(next(&format!("/v1/events?last_event_id={}", id(0)), None).await, id(1));
    assert_eq!(next("/v1/events?last_event_id=0", Some(&id(1))).await, id(2));
    // Without an id it begins with the next event.
    let mut fresh = house.follow("/v1/conversations/c-1/events", None).await;
    let fourth = house.append("c-1", vec![turn("t-3")]).await;
    assert_eq!(fresh.next().await.expect("goes on").id, Some(fourth[0].position.to_string()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscribers_that_come_and_go_under_load_see_everything_once() {
    // A tiny bus: everybody lags, all the time.
    let house = Arc::new(House::open_with(Options { bus_capacity: 8, ..Options::default() }).await);
    const WRITERS: usize = 4;
    const TURNS: usize = 300;
    let writers: Vec<_> = (0..WRITERS)
        .map(|number| {
            let house = house.clone();
            tokio::spawn(async move {
                let conversation = format!("c-{number}");
                house.append(&conversation, vec![started()]).await;
                for turn_number in 0..TURNS {
                    house.append(&conversation, vec![turn(&format!("t-{turn_number}"))]).await;
                }
            })
        })
        .collect();
    let total = WRITERS * (TURNS + 1);
    let readers: Vec<_> = [37, 101, usize::MAX]
        .into_iter()
        .map(|patience| {
            let house = house.clone();
            tokio::spawn(async move {
                let mut last = "0".to_owned();
                let mut seen = Vec::new();
                while seen.len() < total {
                    let mut stream = house.follow("/v1/events", Some(&last)).await;
                    for _ in 0..patience.min(total - seen.len()) {
                        let event = stream.next().await.expect("goes on");
                        last = event.id.expect("an id");
                        seen.push(last.parse::<u64>().expect("a number"));
                    }
                }
                seen
            })
        })
        .collect();
    for writer in writers {
        writer.await.expect("no panic");
    }
    for reader in readers {
        let seen = reader.await.expect("no panic");
        assert_eq!(seen, (1..=total as u64).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_that_stops_reading_is_dropped_and_resumes_without_a_gap() {
    let write_idle = Duration::from_secs(2);
    let house = House::open_with(Options { write_idle, ..Options::default() }).await;
    house.append("c-1", vec![started()]).await;
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("small");
    let mut stuck = socket.connect(house.address).await.expect("connects");
    let request = format!(
        "GET /v1/events?last_event_id=0 HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {KEY}\r\n\r\n",
        house.address
    );
    stuck.write_all(request.as_bytes()).await.expect("written");
    let mut first = [0; 16];
    stuck.read_exact(&mut first).await.expect("an answer begins");

    // News until it must be stuck; meanwhile somebody else hears all of it.
    let mut other = house.follow("/v1/events", None).await;
    let long = "words ".repeat(2_000);
    let mut written = 1;
    for number in 0..100 {
        written +=
            house.append("c-1", vec![turn_saying(&format!("t-{number}"), &long)]).await.len();
    }
    other.take(100).await;
    let begun = Instant::now();
    // It is dropped while it doesn't read: the kernel then says so at the next write.
    let dropped = loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if stuck.write_all(b"x").await.is_err() {
            break begun.elapsed();
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "it is held for ever");
    };
    println!("dropped after {dropped:?} with a limit of {write_idle:?}");
    assert!(dropped < write_idle * 3, "{dropped:?}");

    // What did arrive ends before the end; its last id is good to resume with.
    let mut text = Vec::new();
    let _ = stuck.read_to_end(&mut text).await;
    let text = String::from_utf8_lossy(&text);
    let whole = text.rfind("\n\n").map_or("", |end| &text[..end]);
    let last: u64 = whole
        .lines()
        .filter_map(|line| line.strip_prefix("id: "))
        .next_back()
        .map_or(0, |id| id.parse().expect("a number"));
    assert!((last as usize) < written, "it was never stuck");
    let rest = house.follow("/v1/events", Some(&last.to_string())).await;
    let rest = { rest }.take(written - last as usize).await;
    let ids: Vec<u64> = rest.iter().filter_map(|event| event.id.as_ref()?.parse().ok()).collect();
    assert_eq!(ids, (last + 1..=written as u64).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_quiet_stream_says_so_and_ends_when_the_service_does() {
    let comment_every = Duration::from_millis(50);
    let house = House::open_with(Options { comment_every, ..Options::default() }).await;
    let mut stream = house.follow("/v1/events", None).await;
    assert_eq!(stream.frame().await.as_deref(), Some(": still here"));
    let ended = tokio::spawn(async move { while stream.frame().await.is_some() {} });
    assert!(house.close().await, "a request did not end in time");
    ended.await.expect("no panic");
}

#[tokio::test]
async fn a_stream_ends_with_the_session_that_opened_it_and_tells_nothing_more() {
    let house = House::open().await;
    let request = house.client.post(house.url("/sign-in")).json(&json!({"api_key": KEY}));
    let answer = request.send().await.expect("answers");
    let cookie = answer.headers()["set-cookie"].to_str().expect("text");
    let cookie = cookie.split(';').next().expect("a pair").to_owned();
    let open = async || {
        let request = house.client.get(house.url("/v1/events")).header("cookie", &cookie);
        let mut answer = request.send().await.expect("answers");
        assert!(answer.chunk().await.expect("goes on").is_some(), "it says that it is connected");
        answer
    };
    let (mut quiet, mut busy) = (open().await, open().await);
    let out = house.client.post(house.url("/sign-out")).header("cookie", &cookie);
    let out = out.header("origin", house.url("")).send().await.expect("answers");
    assert_eq!(out.status(), 204);
    house.append("c-1", vec![started()]).await;
    for stream in [&mut quiet, &mut busy] {
        // The next comment would come after 15 seconds.
        let more = tokio::time::timeout(Duration::from_secs(5), stream.chunk()).await;
        assert!(more.expect("it ends").expect("in order").is_none(), "nothing more is told");
    }
    assert!(house.close().await);
}

#[tokio::test]
async fn an_event_is_on_the_stream_only_when_it_is_durable() {
    let house = House::open().await;
    let mut stream = house.follow("/v1/events", None).await;
    for number in 0..50 {
        let id = format!("c-{number}");
        let appended = house.append(&id, vec![started()]);
        let (_, seen) = tokio::join!(appended, stream.next());
        let position: u64 = seen.expect("goes on").id.expect("an id").parse().expect("a number");
        let query = ReadQuery::all("demo".into(), position - 1);
        let stored: Vec<Arc<Recorded>> = house.store.read(&query).await.expect("read");
        assert_eq!(stored[0].position, position);
    }
}
