//! Plays one script at its own pace into one media socket.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::error::ReplayError;
use super::service::{MediaSocket, Service};
use super::wire::{Script, WireProtocol};
use crate::evaluate::live::FRAME_MS;

/// For how long the service may work on the last finals. Generous: a machine that is far behind
/// loses nothing, it is only late.
pub const FINISH_PATIENCE: Duration = Duration::from_secs(120);

/// For how long to wait for the reason when the socket can't be written any more.
const REASON_PATIENCE: Duration = Duration::from_secs(5);

/// Plays to the end; answers when each frame left.
///
/// # Errors
/// When the service refuses the call, breaks it off, or doesn't finish it.
pub async fn play(
    service: &Service,
    protocol: WireProtocol,
    script: &Script,
    speed: f64,
    file: &str,
) -> Result<Vec<Instant>, ReplayError> {
    let socket = service.media(protocol.path()).await?;
    let (mut to, mut from) = socket.split();
    let mut sent_at = Vec::with_capacity(script.frames() as usize);
    let ready = Notify::new();
    let hearing = hear_out(&mut from, protocol, &ready);
    tokio::pin!(hearing);
    let heard = tokio::select! {
        heard = &mut hearing => heard,
        done = send_all(&mut to, protocol, script, speed, &ready, &mut sent_at) => {
            let (patience, late) = match done {
                Ok(()) => (FINISH_PATIENCE, None),
                Err(error) => (REASON_PATIENCE, Some(error.to_string())),
            };
            match (timeout(patience, &mut hearing).await, late) {
                (Ok(heard), _) => heard,
                (Err(_), Some(why)) => return Err(ReplayError::Broken { file: file.to_owned(), why }),
                (Err(_), None) => {
                    let seconds = FINISH_PATIENCE.as_secs();
                    return Err(ReplayError::Unfinished { file: file.to_owned(), seconds });
                }
            }
        }
    };
    let whole = sent_at.len() as u64 == script.frames();
    match heard {
        Heard { stopped: true, .. } if whole => Ok(sent_at),
        // The wire has no word of its own for it.
        Heard { closed: Some((1000, _)), .. } if whole && protocol.ends_with().is_none() => {
            Ok(sent_at)
        }
        Heard { closed: Some((code, reason)), .. } => {
            Err(ReplayError::Refused { file: file.to_owned(), code, reason })
        }
        Heard { why, .. } => Err(ReplayError::Broken { file: file.to_owned(), why }),
    }
}

/// Frame `n` leaves `n` frames after the first, whatever became of those before: a late one isn't
/// waited for by the rest.
async fn send_all(
    to: &mut futures_util::stream::SplitSink<MediaSocket, Message>,
    protocol: WireProtocol,
    script: &Script,
    speed: f64,
    ready: &Notify,
    sent_at: &mut Vec<Instant>,
) -> Result<(), tokio_tungstenite::tungstenite::Error> {
    for message in script.opening() {
        to.send(message).await?;
    }
    if protocol.waits_for().is_some() {
        ready.notified().await;
    }
    let begun = Instant::now();
    for index in 0..script.frames() {
        let due = (index * FRAME_MS) as f64 / 1_000.0 / speed;
        sleep_until(begun + Duration::from_secs_f64(due)).await;
        for message in script.frame(index) {
            to.feed(message).await?;
        }
        to.flush().await?;
        sent_at.push(Instant::now());
    }
    to.send(script.closing()).await
}

#[derive(Default)]
struct Heard {
    /// The service said that every final is durable.
    stopped: bool,
    closed: Option<(u16, String)>,
    why: String,
}

async fn hear_out(
    from: &mut futures_util::stream::SplitStream<MediaSocket>,
    protocol: WireProtocol,
    ready: &Notify,
) -> Heard {
    let mut heard = Heard { why: "it was closed without a word".to_owned(), ..Heard::default() };
    loop {
        match from.next().await {
            Some(Ok(Message::Text(text))) => {
                let message: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
                let is = |kind: Option<&str>| kind.is_some_and(|kind| message["type"] == kind);
                heard.stopped |= is(protocol.ends_with());
                if is(protocol.waits_for()) {
                    ready.notify_one();
                }
            }
            Some(Ok(Message::Close(frame))) => {
                heard.closed = frame.map(|frame| (frame.code.into(), frame.reason.to_string()));
                return heard;
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                heard.why = error.to_string();
                return heard;
            }
            None => return heard,
        }
    }
}
