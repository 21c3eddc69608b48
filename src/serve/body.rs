//! Bodies: how large they may be, and what becomes of those that nobody reads to the end.
//!
//! hyper closes a connection whose request was not read whole, and the kernel then resets it: the
//! answer that says why would never reach somebody who is still busy sending. So the rest is read
//! for a while, and thrown away.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt};

use super::error::Problem;

/// No request has a larger body.
pub const MAX_BYTES: usize = 256 * 1024;

/// More than this is no mistake of somebody's who would read the answer.
const REST_MAX_BYTES: usize = 64 << 20;
const REST_PATIENCE: Duration = Duration::from_secs(10);

pub fn too_large() -> Problem {
    let detail = format!("the body is too large: {} KiB are the most", MAX_BYTES >> 10);
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail)
}

/// Refuses what says that it is too large before it is sent, and sees to the rest of the others.
pub async fn limit(request: Request, next: Next) -> Response {
    let too_long = length(request.headers()).is_some_and(|length| length > MAX_BYTES as u64);
    let asks_first = request.headers().contains_key(header::EXPECT);
    if too_long && asks_first {
        return too_large().into_response();
    }
    let request = request.map(|body| match body.is_end_stream() {
        true => body,
        false => Body::from_stream(Whole(Some(body.into_data_stream()))),
    });
    if too_long {
        return too_large().into_response();
    }
    next.run(request).await
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// A body that is read on when it is dropped early.
struct Whole(Option<BodyDataStream>);

impl Stream for Whole {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(body) = &mut self.0 else { return Poll::Ready(None) };
        let next = ready!(body.poll_next_unpin(context));
        if !matches!(next, Some(Ok(_))) {
            self.0 = None;
        }
        Poll::Ready(next)
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        let (Some(mut body), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current())
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
