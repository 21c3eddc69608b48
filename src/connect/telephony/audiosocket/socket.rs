//! Takes AudioSocket connections and runs each under the loop of all media protocols.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::{Frame, Protocol, Registry};
use crate::connect::telephony::MediaSockets;
use crate::connect::telephony::socket::converse;
use crate::connect::telephony::transport::{LINGER, Received, SEND_PATIENCE, Transport};
use crate::domain::TenantId;
use crate::flow::driver::Reservation;

/// Connections at a time, announced or not; more wait to be accepted.
const CONNECTIONS_MAX: usize = 1_024;
const READ_BYTES: usize = 16 << 10;

/// Takes connections until `sockets.shutdown`; their calls are then ended like all others.
pub async fn serve(listener: TcpListener, sockets: MediaSockets, registry: Registry) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let place = tokio::select! {
            () = sockets.shutdown.cancelled() => return,
            place = Arc::clone(&places).acquire_owned() => place,
        };
        let accepted = tokio::select! {
            () = sockets.shutdown.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors, as a rule: that passes.
                tracing::warn!(%error, "an AudioSocket connection was not accepted");
                sleep(Duration::from_millis(200)).await;
                continue;
            }
        };
        let protocol = Protocol::new(sockets.patience, registry.clone());
        // Every call's tenant is its announcer's; without an announcement there is no call.
        let nobody = TenantId::from("default");
        let peer = Peer { stream, buffer: BytesMut::new() };
        // Whose call it is, and so whose place it takes, comes with the first frame.
        let unreserved = Reservation::default();
        let protocol = Box::new(protocol);
        let connection =
            converse(sockets.clone(), nobody, peer, "audiosocket", protocol, unreserved);
        sockets.connections.spawn(async move {
            connection.await;
            drop(place);
        });
    }
}

struct Peer {
    stream: TcpStream,
    buffer: BytesMut,
}

impl Transport for Peer {
    async fn receive(&mut self) -> Received {
        self.buffer.reserve(READ_BYTES);
        match self.stream.read_buf(&mut self.buffer).await {
            Ok(0) => Received::Goodbye,
            Ok(_) => Received::Binary(self.buffer.split().freeze()),
            Err(_) => Received::Lost,
        }
    }

    /// There is nothing to say on this wire.
    async fn send(&mut self, _text: String) -> bool {
        true
    }

    async fn say_goodbye(&mut self, _code: u16, _reason: &str) {
        let goodbye = async {
            let _ = self.stream.write_all(&[Frame::TERMINATE, 0, 0]).await;
            let _ = self.stream.shutdown().await;
        };
        let _ = timeout(SEND_PATIENCE, goodbye).await;
    }

    async fn linger(&mut self) {
        let mut rest = [0; 1 << 10];
        let drain = async { while let Ok(1..) = self.stream.read(&mut rest).await {} };
        let _ = timeout(LINGER, drain).await;
    }
}
