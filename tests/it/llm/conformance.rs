//! What every writer must do, whatever is behind it: the sentences of `Generator`'s contract.
//!
//! A back end joins with a [`Candidate`] and one test that calls [`all`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use backchannel::models::{Finish, Generator, Piece, WritingError, WritingRequest, Written};

use super::write;

/// A back end and what may be expected of it.
pub struct Candidate {
    pub generator: Arc<dyn Generator>,
    /// A request that it answers with some text, without a schema.
    pub request: WritingRequest,
    /// A request whose schema its answers keep; none for writers that know no schema.
    pub with_schema: Option<WritingRequest>,
    /// The same request, temperature 0 and a seed, give the same text.
    pub is_repeatable: bool,
    /// It writes at most `max_tokens` and says when it stopped for that.
    pub counts_tokens: bool,
    /// How far it may overrun its deadline: what it can't interrupt.
    pub grace: Duration,
}

pub async fn all(candidate: &Candidate) {
    the_pieces_are_the_text(candidate).await;
    the_same_request_gives_the_same_text(candidate).await;
    a_short_limit_is_kept(candidate).await;
    the_deadline_is_kept(candidate).await;
    dropping_it_frees_it(candidate).await;
    several_at_once_do_not_mix(candidate).await;
    the_form_is_kept(candidate).await;
}

async fn text_of(candidate: &Candidate, request: &WritingRequest) -> Written {
    let (outcome, screen) = write(&*candidate.generator, request).await;
    let written = outcome.expect("it writes");
    assert_eq!(written.text, screen, "the pieces since the last restart are the text");
    written
}

async fn the_pieces_are_the_text(candidate: &Candidate) {
    let written = text_of(candidate, &candidate.request).await;
    assert!(!written.text.is_empty(), "there is something to say");
    assert_eq!(written.provider, candidate.generator.provider(), "it says who it is");
    if candidate.counts_tokens {
        assert!(written.tokens.prompt > 0 && written.tokens.written > 0, "{:?}", written.tokens);
    }
}

async fn the_same_request_gives_the_same_text(candidate: &Candidate) {
    if candidate.is_repeatable {
        let first = text_of(candidate, &candidate.request).await;
        let second = text_of(candidate, &candidate.request).await;
        assert_eq!(first.text, second.text);
    }
}

async fn a_short_limit_is_kept(candidate: &Candidate) {
    if candidate.counts_tokens {
        let short = WritingRequest { max_tokens: 3, ..candidate.request.clone() };
        let written = text_of(candidate, &short).await;
        assert!(written.tokens.written <= 3, "{:?}", written.tokens);
        assert_eq!(written.finish, Finish::Length);
    }
}

/// Whoever can't be done in time says so in time.
async fn the_deadline_is_kept(candidate: &Candidate) {
    let deadline = Duration::from_millis(5);
    let hasty = WritingRequest { deadline, ..candidate.request.clone() };
    let began = Instant::now();
    let (outcome, _) = write(&*candidate.generator, &hasty).await;
    let took = began.elapsed();
    assert!(took <= deadline + candidate.grace, "took {took:?}");
    if let Err(error) = outcome {
        assert!(matches!(error, WritingError::Timeout { .. }), "{error}");
    }
}

async fn dropping_it_frees_it(candidate: &Candidate) {
    for _ in 0..3 {
        let mut ignore = |_: Piece<'_>| {};
        let writing = candidate.generator.write(&candidate.request, &mut ignore);
        let began = Instant::now();
        // Given up after a moment, at whichever step that is.
        let _ = tokio::time::timeout(Duration::from_millis(10), writing).await;
        assert!(began.elapsed() <= Duration::from_millis(10) + candidate.grace);
    }
    text_of(candidate, &candidate.request).await;
}

async fn several_at_once_do_not_mix(candidate: &Candidate) {
    let alone = text_of(candidate, &candidate.request).await;
    let all = (0..3).map(|_| text_of(candidate, &candidate.request));
    for written in futures_util::future::join_all(all).await {
        if candidate.is_repeatable {
            assert_eq!(written.text, alone.text);
        }
    }
}

async fn the_form_is_kept(candidate: &Candidate) {
    let Some(request) = &candidate.with_schema else { return };
    let schema = request.schema.as_ref().expect("a schema is asked for");
    let written = text_of(candidate, request).await;
    let value: serde_json::Value = serde_json::from_str(&written.text).expect("it is JSON");
    let validator = jsonschema::validator_for(&schema.schema).expect("the schema is one");
    assert!(validator.is_valid(&value), "{}", written.text);
}
