//! Cassettes: what a provider said once is said again without it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use backchannel::models::{WritingError, WritingRequest};

use super::cassette::Cassette;
use super::conformance::{self, Candidate};
use super::fake::{Fake, Reply};
use super::{client, request, schema, write};

#[tokio::test]
async fn what_was_recorded_is_played_without_the_provider() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("tape.json");
    let fake = Fake::new([Reply::Sensible]).await;
    let recorder = Cassette::record(&file, Arc::new(client(&fake))).expect("a new one");
    let first = write(&recorder, &request()).await.0.expect("it writes");
    write(&recorder, &request()).await.0.expect("it is known");
    assert_eq!(fake.seen().len(), 1, "what is known is not asked again");
    let in_form = WritingRequest { schema: Some(schema()), ..request() };
    write(&recorder, &in_form).await.0.expect("it writes");
    drop(fake);

    let player = Cassette::play(&file).expect("it is one");
    let (again, screen) = write(&player, &request()).await;
    assert_eq!(again.expect("it is on the tape"), first);
    assert_eq!(screen, first.text);
    let other = WritingRequest { seed: Some(8), ..request() };
    let error = write(&player, &other).await.0.expect_err("that was never asked").to_string();
    assert!(error.contains("tape.json has no tape") && error.contains("(summary)"), "{error}");
    assert!(!error.contains("Aurelia"));

    std::fs::write(&file, "{\"version\": 2, \"tapes\": {}}").expect("written");
    assert!(
        Cassette::play(&file).err().expect("another version").to_string().contains("version 2")
    );
}

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cassettes/smollm2.json")
}

/// The tape of the real model's answers: this is also how tests elsewhere use one.
#[tokio::test]
async fn the_shipped_tape_plays_what_a_real_model_said() {
    let player = Cassette::play(&shipped()).expect("it is one");
    let (outcome, screen) = write(&player, &super::real::card_request()).await;
    let written = outcome.expect("the real server's test recorded it");
    assert_eq!(written.text, screen);
    assert!(written.tokens.written > 0 && written.provider == "llama");
    let unknown = write(&player, &request()).await.0;
    assert!(matches!(unknown, Err(WritingError::Refused { .. })), "{unknown:?}");
}

#[tokio::test]
async fn a_recorder_conforms() {
    let folder = tempfile::tempdir().expect("a folder");
    let fake = Fake::new([Reply::Sensible]).await;
    let file = folder.path().join("tape.json");
    let recorder = Cassette::record(&file, Arc::new(client(&fake))).expect("a new one");
    conformance::all(&Candidate {
        generator: Arc::new(recorder),
        request: request(),
        with_schema: Some(WritingRequest { schema: Some(schema()), ..request() }),
        is_repeatable: true,
        counts_tokens: true,
        grace: std::time::Duration::from_millis(500),
    })
    .await;
}
