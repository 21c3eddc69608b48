//! A wire that breaks just when something was done and before anybody is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Passes everything on, except answers that hold some words: then it hangs up. That many times; later it is honest.
pub struct Proxy {
    pub port: u16,
    left: Arc<AtomicUsize>,
}

impl Proxy {
    pub async fn before(port: u16, answer: &'static [u8], times: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let own = listener.local_addr().expect("bound").port();
        let left = Arc::new(AtomicUsize::new(times));
        let shared = left.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, port, answer, shared.clone()));
            }
        });
        Self { port: own, left }
    }

    /// Whether it has swallowed all that it was to swallow.
    pub fn is_done(&self) -> bool {
        self.left.load(Ordering::SeqCst) == 0
    }
}

async fn pass(client: TcpStream, port: u16, answer: &[u8], left: Arc<AtomicUsize>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let up = tokio::spawn(async move {
        let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
    });
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
        let is_it = buffer[..read].windows(answer.len()).any(|part| part == answer);
        let take = |left: usize| left.checked_sub(1);
        if is_it && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).is_ok() {
            break;
        }
        if to_client.write_all(&buffer[..read]).await.is_err() {
            break;
        }
    }
    up.abort();
}
