//! What people type while the log can't be written: they hear of it in time, and what became of their words.

use std::time::Duration;

use axum::http::StatusCode;
use tokio::time::{Instant, sleep, timeout};

use super::ServeState;
use super::error::Problem;
use crate::flow::driver::texts::TextError;
use crate::store::Trouble;

/// A disk may be full for hours; nobody waits longer for it.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Hands something that was typed to the log's writer.
pub(super) async fn kept<T>(
    state: &ServeState,
    taking: impl Future<Output = Result<T, TextError>>,
) -> Result<T, Problem> {
    in_time(|| state.store.trouble(), taking).await
}

/// While nothing can be written, nothing new is taken: what isn't taken can't be written later, when whoever was
/// refused has sent it again. What was taken before goes on, and its answer says so.
async fn in_time<T>(
    trouble: impl Fn() -> Option<Trouble>,
    taking: impl Future<Output = Result<T, TextError>>,
) -> Result<T, Problem> {
    let until = Instant::now() + PATIENCE;
    while let Some(trouble) = trouble() {
        if Instant::now() >= until {
            return Err(refused(&trouble, "nothing of this was taken, send it again"));
        }
        sleep(LOOK_AGAIN).await;
    }
    let mut taking = std::pin::pin!(taking);
    let mut patience = PATIENCE;
    loop {
        if let Ok(taken) = timeout(patience, &mut taking).await {
            return Ok(taken?);
        }
        if let Some(trouble) = trouble() {
            let what = "this is written as soon as that ends, send it again with the same id to hear of it; without \
                an id, look for it in the conversation first";
            return Err(refused(&trouble, what));
        }
        patience = LOOK_AGAIN;
    }
}

fn refused(trouble: &Trouble, what: &str) -> Problem {
    let detail = format!("{}; {what}", trouble.why);
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).retry_after(PATIENCE)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use axum::response::IntoResponse as _;
    use jiff::Timestamp;

    use super::*;
    use crate::store::StoreError;

    fn full() -> Option<Trouble> {
        Some(Trouble { since: Timestamp::now(), why: StoreError::Full })
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_taken_while_nothing_can_be_written() {
        let (begun, was_asked) = (Instant::now(), Cell::new(false));
        let taking = async {
            was_asked.set(true);
            Ok(())
        };
        let refused = in_time(full, taking).await.expect_err("it can't be written");
        assert!(begun.elapsed() < Duration::from_secs(6) && !was_asked.get());
        assert!(refused.detail().contains("nothing of this was taken"), "{}", refused.detail());
        let answer = refused.into_response();
        assert_eq!(answer.status(), 503);
        assert_eq!(answer.headers()["retry-after"], "5");
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_taken_before_is_said_to_go_on() {
        let (begun, is_full) = (Instant::now(), Cell::new(false));
        let taking = async {
            is_full.set(true);
            std::future::pending::<Result<(), TextError>>().await
        };
        let trouble = || if is_full.get() { full() } else { None };
        let refused = in_time(trouble, taking).await.expect_err("nobody waits for ever");
        assert!(begun.elapsed() < Duration::from_secs(6));
        assert!(refused.detail().contains("written as soon as"), "{}", refused.detail());
    }

    #[tokio::test(start_paused = true)]
    async fn trouble_that_passes_and_a_slow_log_refuse_nobody() {
        let looks = Cell::new(0);
        let trouble = || {
            looks.set(looks.get() + 1);
            if looks.get() < 20 { full() } else { None }
        };
        let slow = async {
            sleep(Duration::from_secs(30)).await;
            Ok(7)
        };
        assert_eq!(in_time(trouble, slow).await.ok(), Some(7));
    }
}
