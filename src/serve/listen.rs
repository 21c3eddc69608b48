//! The listening socket, and connections that don't wait for ever.
//!
//! hyper never gives up on a peer that stopped reading: a subscriber that hangs would hold its
//! buffers as long as it likes. So a connection that can't write for a while fails here, and small
//! send buffers make the kernel notice early.

use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, Sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::domain::{Classify, ErrorKind};

const SEND_BUFFER_BYTES: u32 = 64 * 1024;
const BACKLOG: u32 = 1_024;
/// A connection that takes longer for the head of its next request is closed.
const HEAD_PATIENCE: Duration = Duration::from_secs(15);
/// Whoever comes without a key can send as much as that and no more: it is read before any check.
const HEAD_MAX_BYTES: usize = 64 * 1024;

/// Why the service can't listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    #[error(
        "the address {0} is in use by another program; stop it or choose another with --listen (port 0 takes a free one)"
    )]
    InUse(SocketAddr),
    #[error("port {} needs more rights than this user has; choose one above 1023 with --listen", .0.port())]
    NotAllowed(SocketAddr),
    #[error("the address {0} can't be listened on: {1}; choose another with --listen")]
    Unusable(SocketAddr, io::Error),
}

impl Classify for ListenError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::InUse(_) | Self::NotAllowed(_) | Self::Unusable(..) => ErrorKind::Invalid,
        }
    }
}

/// Who is at the other end of a request's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// Takes the address; nobody is served yet.
pub fn bind(address: SocketAddr, write_idle: Duration) -> Result<Listener, ListenError> {
    let listen = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // A restart must not wait for the last process's connections to time out.
        socket.set_reuseaddr(true)?;
        socket.set_keepalive(true)?;
        socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    match listen() {
        Ok(inner) => Ok(Listener { inner, write_idle }),
        Err(error) => Err(match error.kind() {
            io::ErrorKind::AddrInUse => ListenError::InUse(address),
            io::ErrorKind::PermissionDenied => ListenError::NotAllowed(address),
            _ => ListenError::Unusable(address, error),
        }),
    }
}

/// Serves until `stop`, then lets requests finish for as long as `grace`. Returns whether all did.
pub async fn run(
    mut listener: Listener,
    router: Router,
    stop: CancellationToken,
    grace: Duration,
) -> bool {
    // Not `axum::serve`: it guesses the version of HTTP from the first bytes, for which hyper then
    // doubles its read buffer, and it copies a bare router with all its routes each time.
    let service = TowerToHyperService::new(router.with_state::<()>(()));
    let connections = TaskTracker::new();
    loop {
        let connection = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            connection = listener.accept() => connection,
        };
        connections.spawn(converse(connection, service.clone(), stop.clone()));
    }
    drop(listener);
    connections.close();
    tokio::time::timeout(grace, connections.wait()).await.is_ok()
}

async fn converse(
    connection: Connection,
    service: TowerToHyperService<Router>,
    stop: CancellationToken,
) {
    let peer = connection.stream.peer_addr().map(|address| Peer(address.ip())).ok();
    let service = service_fn(move |mut request: Request<Incoming>| {
        if let Some(peer) = peer {
            request.extensions_mut().insert(peer);
        }
        service.call(request)
    });
    let requests = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .max_buf_size(HEAD_MAX_BYTES)
        .serve_connection(TokioIo::new(connection), service);
    let mut requests = std::pin::pin!(requests.with_upgrades());
    let ended = tokio::select! {
        ended = &mut requests => ended,
        () = stop.cancelled() => {
            requests.as_mut().graceful_shutdown();
            requests.await
        }
    };
    if let Err(error) = ended {
        tracing::trace!(%error, "a connection broke");
    }
}

pub struct Listener {
    inner: TcpListener,
    write_idle: Duration,
}

impl Listener {
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    async fn accept(&mut self) -> Connection {
        // axum's own loop survives a lack of file descriptors.
        let (stream, _) = axum::serve::Listener::accept(&mut self.inner).await;
        // Events are small and must not wait for more.
        let _ = stream.set_nodelay(true);
        Connection { stream, write_idle: self.write_idle, stuck: None }
    }
}

/// A connection whose writes fail when nothing could be written for `write_idle`.
pub struct Connection {
    stream: TcpStream,
    write_idle: Duration,
    /// Runs while a write waits.
    stuck: Option<Pin<Box<Sleep>>>,
}

impl Connection {
    fn watch<T>(
        &mut self,
        context: &mut Context<'_>,
        write: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if write.is_ready() {
            self.stuck = None;
            return write;
        }
        let write_idle = self.write_idle;
        let stuck = self
            .stuck
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + write_idle)));
        match stuck.as_mut().poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => {
                metrics::counter!("backchannel_serve_stuck_connections_total").increment(1);
                tracing::info!("dropped a connection whose peer stopped reading");
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let write = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(context, write)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let write = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.watch(context, write)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
