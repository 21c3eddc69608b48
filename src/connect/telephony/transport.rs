//! What the loop under a media protocol needs of its socket, and the WebSocket that most have.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use bytes::Bytes;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Error as WireError;

use super::{MAX_MESSAGE_BYTES, Rejection};

/// How long a peer that doesn't read may hold up a message to it, and the close handshake.
pub(super) const SEND_PATIENCE: Duration = Duration::from_secs(5);
pub(super) const LINGER: Duration = Duration::from_secs(2);

/// What came from the other side.
pub(super) enum Received {
    Text(Utf8Bytes),
    Binary(Bytes),
    /// Nothing for the protocol.
    Nothing,
    /// It closed the connection in order.
    Goodbye,
    /// The connection broke.
    Lost,
    /// The layer below refuses what came.
    Refused(Rejection),
}

pub(super) trait Transport: Send {
    /// Loses nothing when the future is dropped.
    fn receive(&mut self) -> impl Future<Output = Received> + Send;
    /// Answers whether the other side is still there.
    fn send(&mut self, text: String) -> impl Future<Output = bool> + Send;
    /// Says why it is over.
    fn say_goodbye(&mut self, code: u16, reason: &str) -> impl Future<Output = ()> + Send;
    /// Reads on until the other side has closed, too: closing a socket with unread bytes in it
    /// would reset the connection, and the reason would be lost on the way.
    fn linger(&mut self) -> impl Future<Output = ()> + Send;
}

impl Transport for WebSocket {
    async fn receive(&mut self) -> Received {
        match self.recv().await {
            Some(Ok(Message::Text(text))) => Received::Text(text),
            Some(Ok(Message::Binary(bytes))) => Received::Binary(bytes),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Received::Nothing,
            Some(Ok(Message::Close(_))) => Received::Goodbye,
            Some(Err(error)) => refusal(error).map_or(Received::Lost, Received::Refused),
            None => Received::Lost,
        }
    }

    async fn send(&mut self, text: String) -> bool {
        deliver(self, Message::Text(text.into())).await
    }

    async fn say_goodbye(&mut self, code: u16, reason: &str) {
        // A close frame holds 125 bytes, two of them for the code.
        let end = reason.floor_char_boundary(123);
        let reason = reason[..end].to_owned().into();
        deliver(self, Message::Close(Some(CloseFrame { code, reason }))).await;
    }

    async fn linger(&mut self) {
        let drain = async { while let Some(Ok(_)) = self.recv().await {} };
        let _ = timeout(LINGER, drain).await;
    }
}

async fn deliver(socket: &mut WebSocket, message: Message) -> bool {
    matches!(timeout(SEND_PATIENCE, socket.send(message)).await, Ok(Ok(())))
}

/// What to tell the other side about an error of the WebSocket layer, if it can still be told.
fn refusal(error: axum::Error) -> Option<Rejection> {
    match error.into_inner().downcast_ref::<WireError>()? {
        WireError::Capacity(_) => {
            let reason = format!("message is larger than {} KiB", MAX_MESSAGE_BYTES >> 10);
            Some(Rejection::new(Rejection::TOO_BIG, reason))
        }
        WireError::Utf8(_) => {
            Some(Rejection::new(Rejection::MALFORMED, "text message is not UTF-8"))
        }
        _ => None,
    }
}
