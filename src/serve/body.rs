//! Bodies: how large they may be, how long they may take, and what becomes of those that nobody reads to the end.
//!
//! hyper closes a connection whose request was not read whole, and the kernel then resets it: the
//! answer that says why would never reach somebody who is still busy sending. So the rest is read
//! for a while, and thrown away.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt};
use tokio::time::{Instant, Sleep};

use super::error::Problem;

/// No request has a larger body.
pub const MAX_BYTES: usize = 256 * 1024;

/// A body of which nothing comes for so long is given up: who sends it is gone, or holds a connection on purpose.
const IDLE: Duration = Duration::from_secs(30);
/// And one that isn't whole after so long; the largest needs 2 KiB a second.
const WHOLE: Duration = Duration::from_secs(120);

/// More than this is no mistake of somebody's who would read the answer.
const REST_MAX_BYTES: usize = 64 << 20;
const REST_PATIENCE: Duration = Duration::from_secs(10);

pub fn too_large() -> Problem {
    let detail = format!("the body is too large: {} KiB are the most", MAX_BYTES >> 10);
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail)
}

fn too_slow() -> Response {
    let detail = format!(
        "the body took too long: something of it comes every {} seconds, and all of it within {}",
        IDLE.as_secs(),
        WHOLE.as_secs()
    );
    let mut answer = Problem::new(StatusCode::REQUEST_TIMEOUT, "too-slow", detail).into_response();
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    answer
}

/// Refuses what says that it is too large before it is sent, and what doesn't come; sees to the rest of the others.
pub async fn limit(request: Request, next: Next) -> Response {
    let too_long = length(request.headers()).is_some_and(|length| length > MAX_BYTES as u64);
    let asks_first = request.headers().contains_key(header::EXPECT);
    if too_long && asks_first {
        return too_large().into_response();
    }
    let is_late = Arc::new(AtomicBool::new(false));
    let request = request.map(|body| match body.is_end_stream() {
        true => body,
        false => Body::from_stream(Whole::new(body.into_data_stream(), is_late.clone())),
    });
    if too_long {
        return too_large().into_response();
    }
    let response = next.run(request).await;
    // Whoever read it knows only that it broke off.
    if is_late.load(Ordering::Relaxed) { too_slow() } else { response }
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// A body that is read on when it is dropped early.
struct Whole {
    body: Option<BodyDataStream>,
    /// When it must be whole; counted from its first byte that was waited for.
    end: Option<Instant>,
    /// While something of it is waited for.
    waiting: Option<Pin<Box<Sleep>>>,
    is_late: Arc<AtomicBool>,
}

impl Whole {
    const fn new(body: BodyDataStream, is_late: Arc<AtomicBool>) -> Self {
        Self { body: Some(body), end: None, waiting: None, is_late }
    }
}

impl Stream for Whole {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        if let Poll::Ready(next) = body.poll_next_unpin(context) {
            this.waiting = None;
            if !matches!(next, Some(Ok(_))) {
                this.body = None;
            }
            return Poll::Ready(next);
        }
        let now = Instant::now();
        let end = *this.end.get_or_insert(now + WHOLE);
        let waiting = this
            .waiting
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(end.min(now + IDLE))));
        if waiting.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        // Nor is its rest waited for.
        this.body = None;
        this.is_late.store(true, Ordering::Relaxed);
        let late = std::io::Error::from(std::io::ErrorKind::TimedOut);
        Poll::Ready(Some(Err(axum::Error::new(late))))
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        let (Some(mut body), Ok(runtime)) =
            (self.body.take(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        runtime.spawn(tokio::time::timeout(REST_PATIENCE, async move {
            let mut passed = 0;
            while let Some(Ok(bytes)) = body.next().await {
                passed += bytes.len();
                if passed > REST_MAX_BYTES {
                    break;
                }
            }
        }));
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::post;
    use futures_util::stream;
    use tower_service::Service as _;

    use super::*;

    /// What is answered, and after how long, to so many bytes that come one at a time.
    async fn answer(bytes: usize, pause: Duration, then_stalls: bool) -> (StatusCode, Duration) {
        let bytes = stream::iter(0..bytes).then(move |_| async move {
            tokio::time::sleep(pause).await;
            Ok::<_, axum::Error>(Bytes::from_static(b"x"))
        });
        let rest = match then_stalls {
            true => stream::pending().boxed(),
            false => stream::empty().boxed(),
        };
        let request = Request::post("/").body(Body::from_stream(bytes.chain(rest)));
        let mut router = Router::new()
            .route("/", post(|_: Bytes| async { StatusCode::NO_CONTENT }))
            .layer(axum::middleware::from_fn(limit));
        let begun = Instant::now();
        let answer = router.call(request.expect("a request")).await.expect("an answer");
        (answer.status(), begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_given_up() {
        let second = Duration::from_secs(1);
        let (status, took) = answer(3, second, true).await;
        assert_eq!(status, 408, "it stalls");
        assert!(took > IDLE && took < IDLE + 5 * second, "{took:?}");
        let (status, took) = answer(1_000, second, false).await;
        assert_eq!(status, 408, "a byte a second");
        assert!(took >= WHOLE && took < WHOLE + 2 * second, "{took:?}");
        let (status, took) = answer(5, 20 * second, false).await;
        assert_eq!(status, 204, "slow, and it comes");
        assert!(took >= 100 * second, "{took:?}");
    }
}
