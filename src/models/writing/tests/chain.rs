use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::script::*;
use crate::models::writing::{Chain, Link};
use crate::models::{Generator, Piece, WritingError, WritingRequest};

fn chain(links: &[(&Arc<Script>, Duration)]) -> Chain {
    let link = |(script, reserve): &(&Arc<Script>, Duration)| Link {
        generator: Arc::clone(script) as Arc<dyn Generator>,
        reserve: *reserve,
    };
    Chain::new(links.iter().map(link).collect())
}

#[tokio::test(start_paused = true)]
async fn the_next_provider_begins_anew() {
    let first = Script::new("first", [Act::Break("Half a sen", broken())]);
    let second = Script::new("second", [Act::Say("Whole.")]);
    let chain = chain(&[(&first, SECOND), (&second, SECOND)]);
    let mut pieces = Vec::new();
    let written = chain
        .write(&request(), &mut |piece| {
            pieces.push(match piece {
                Piece::Text(text) => text.to_owned(),
                Piece::Restart => "⟲".to_owned(),
            });
        })
        .await
        .expect("the second writes");
    assert_eq!(pieces, ["Half a sen", "⟲", "Whole."]);
    assert_eq!((written.provider.as_str(), written.text.as_str()), ("second", "Whole."));
}

#[tokio::test(start_paused = true)]
async fn a_stalling_provider_leaves_the_next_its_time() {
    let stalling = Script::new("stalling", [Act::Wait(3_600 * SECOND, "never")]);
    let local = Script::new("local", [Act::Wait(Duration::from_millis(400), "here")]);
    let chain = chain(&[(&stalling, SECOND), (&local, SECOND)]);
    let began = Instant::now();
    let (outcome, screen) = write(&chain, &request()).await;
    assert_eq!(outcome.expect("the local one writes").text, "here");
    assert_eq!(screen, "here");
    assert_eq!(began.elapsed(), Duration::from_millis(9_400), "9 s, then the local one");
    // A deadline that is short is halved, whatever the reserve says.
    let hasty = WritingRequest { deadline: SECOND, ..request() };
    let began = Instant::now();
    assert!(write(&chain, &hasty).await.0.is_ok());
    assert_eq!(began.elapsed(), Duration::from_millis(900));
}

#[tokio::test(start_paused = true)]
async fn when_all_fail_the_last_failure_is_told_within_the_deadline() {
    let first = Script::new("first", [Act::Fail(unavailable())]);
    let last = Script::new("last", [Act::Wait(3_600 * SECOND, "never")]);
    let began = Instant::now();
    let outcome = write(&chain(&[(&first, SECOND), (&last, SECOND)]), &request()).await.0;
    let Err(WritingError::Timeout { provider, .. }) = outcome else { panic!("{outcome:?}") };
    assert_eq!((provider.as_str(), began.elapsed()), ("last", 10 * SECOND));
}
