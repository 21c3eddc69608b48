//! A proxy before a CRM that lets everything through but one answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::{Body, to_bytes};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use reqwest::Url;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What becomes of the answer. The CRM did what it was asked for in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection ends instead.
    Swallowed,
    /// It ends in the middle of a JSON text.
    BrokenJson,
    /// A page for people comes instead, and is said to be a success.
    Page,
    /// Whoever stands before the CRM has lost it.
    BadGateway,
}

impl Fault {
    pub const ALL: [Self; 4] = [Self::Swallowed, Self::BrokenJson, Self::Page, Self::BadGateway];
}

/// Listens on loopback until it is dropped.
pub struct Proxy {
    url: Url,
    answers: Arc<AtomicUsize>,
    listening: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Proxy {
    /// Before the CRM at `target`; the `spoilt`th answer, from 0, is not what it was.
    ///
    /// # Panics
    /// When this machine has no port.
    pub async fn before(target: Url, spoilt: usize, fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it has one");
        let mut url = target.clone();
        url.set_scheme("http").expect("http");
        url.set_ip_host(address.ip()).expect("an address");
        url.set_port(Some(address.port())).expect("a port");
        let answers = Arc::new(AtomicUsize::new(0));
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .expect("a client");
        let way =
            Way { client, target, public: url.clone(), answers: answers.clone(), spoilt, fault };
        let listening = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, way.clone()));
            }
        });
        Self { url, answers, listening }
    }

    pub fn url(&self) -> Url {
        self.url.clone()
    }

    /// How many answers have come so far.
    pub fn answers(&self) -> usize {
        self.answers.load(Ordering::SeqCst)
    }
}

#[derive(Clone)]
struct Way {
    client: reqwest::Client,
    target: Url,
    public: Url,
    answers: Arc<AtomicUsize>,
    spoilt: usize,
    fault: Fault,
}

async fn serve(socket: TcpStream, way: Way) {
    let service = service_fn(|request| pass(request, &way));
    // An error is how a connection ends without an answer.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(socket), service)
        .await;
}

async fn pass(
    request: hyper::Request<Incoming>,
    way: &Way,
) -> Result<hyper::Response<Body>, std::io::Error> {
    let cut = || std::io::Error::other("cut");
    let (head, body) = request.into_parts();
    let body = to_bytes(Body::new(body), usize::MAX).await.map_err(|_| cut())?;
    let mut url = way.target.clone();
    url.set_path(head.uri.path());
    url.set_query(head.uri.query());
    let mut headers = head.headers;
    // What belongs to one connection.
    for name in ["host", "connection", "content-length", "transfer-encoding", "accept-encoding"] {
        headers.remove(name);
    }
    let asked = way.client.request(head.method, url).headers(headers).body(body).send().await;
    let answer = asked.map_err(|_| cut())?;
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    let bytes = answer.bytes().await.map_err(|_| cut())?;
    for name in ["connection", "content-length", "transfer-encoding"] {
        headers.remove(name);
    }
    let is_spoilt = way.answers.fetch_add(1, Ordering::SeqCst) == way.spoilt;
    let (status, kind, bytes) = match (is_spoilt, way.fault) {
        (false, _) => (status, None, rebased(bytes.to_vec(), way)),
        (true, Fault::Swallowed) => return Err(cut()),
        (true, Fault::BrokenJson) => {
            (http::StatusCode::OK, Some("application/json"), b"{\"id\": \"12".to_vec())
        }
        (true, Fault::Page) => {
            (http::StatusCode::OK, Some("text/html"), b"<html><body>Sign in</body></html>".to_vec())
        }
        (true, Fault::BadGateway) => {
            (http::StatusCode::BAD_GATEWAY, Some("text/html"), b"<h1>Bad Gateway</h1>".to_vec())
        }
    };
    if let Some(kind) = kind {
        headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(kind));
    }
    let mut response = hyper::Response::new(Body::from(bytes));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// A CRM names its own address in links and in the answer to a sign-in; behind a proxy these would lead past it.
fn rebased(bytes: Vec<u8>, way: &Way) -> Vec<u8> {
    let origin = |url: &Url| url.origin().ascii_serialization();
    match String::from_utf8(bytes) {
        Ok(text) => text.replace(&origin(&way.target), &origin(&way.public)).into_bytes(),
        Err(binary) => binary.into_bytes(),
    }
}

/// Where nobody listens.
pub(super) async fn nowhere(like: &Url) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it has one");
    let mut url = like.clone();
    url.set_scheme("http").expect("http");
    url.set_ip_host(address.ip()).expect("an address");
    url.set_port(Some(address.port())).expect("a port");
    url
}
