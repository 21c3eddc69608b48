//! The whole way from settings to a text: chains, guards and measures around real sockets.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use backchannel::app;
use backchannel::config::Config;
use backchannel::models::writing::Writers;
use backchannel::models::{
    Finish, Generator, OnText, Piece, TokenCount, WritingError, WritingRequest, WritingTask,
    Written,
};
use metrics_exporter_prometheus::PrometheusBuilder;

use super::conformance::{self, Candidate};
use super::fake::{Fake, Reply, Step, answer, status};
use super::{request, schema, write};

const LOCAL_SAYS: &str = "{\"text\": \"Quoted.\", \"cites\": []}";

/// Stands for the writer without a model.
struct Local;

#[async_trait]
impl Generator for Local {
    fn provider(&self) -> &str {
        "extractive"
    }
    async fn write(
        &self,
        _: &WritingRequest,
        on_text: OnText<'_>,
    ) -> Result<Written, WritingError> {
        on_text(Piece::Text(LOCAL_SAYS));
        Ok(Written {
            text: LOCAL_SAYS.to_owned(),
            finish: Finish::Stop,
            tokens: TokenCount::default(),
            provider: "extractive".to_owned(),
            model: None,
        })
    }
}

pub fn writers(fake: &Fake, more: &str) -> Writers {
    let text = format!(
        "[generation]\nchain = [\"lab\", \"extractive\"]\n[generation.providers.lab]\n\
         kind = \"openai\"\nurl = \"{}\"\nmodel = \"tiny\"\nkey_env = \"LAB_KEY\"\n{more}",
        fake.url
    );
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("settings.toml");
    std::fs::write(&file, text).expect("written");
    let config = Config::load(Some(&file), std::iter::empty()).expect("they are right");
    let local: BTreeMap<String, Arc<dyn Generator>> =
        BTreeMap::from([("extractive".to_owned(), Arc::new(Local) as Arc<dyn Generator>)]);
    let vars = |name: &str| (name == "LAB_KEY").then(|| "k-123".to_owned());
    app::writers(&config.generation, &local, &vars).expect("they can be set up")
}

pub fn asked() -> WritingRequest {
    WritingRequest { schema: Some(schema()), ..request() }
}

#[tokio::test]
async fn what_is_guarded_still_conforms() {
    let fake = Fake::new([Reply::Sensible]).await;
    conformance::all(&Candidate {
        generator: writers(&fake, "").of(WritingTask::Summary).expect("a chain"),
        request: request(),
        with_schema: Some(asked()),
        is_repeatable: true,
        counts_tokens: true,
        grace: Duration::from_millis(500),
    })
    .await;
    let first = fake.seen().remove(0);
    assert_eq!(first.headers["authorization"], "Bearer k-123");
}

#[tokio::test]
async fn whatever_a_provider_does_the_next_writes_in_time() {
    let forever = Step::Pause(Duration::from_secs(3_600));
    for reply in [
        status(500),
        status(401),
        Reply::Status(429, vec![("retry-after", "60".to_owned())], String::new()),
        Reply::Stream(vec![forever]),
        Reply::Stream(vec![Step::Text("{\"text\": \"Half"), forever]),
        Reply::Stream(vec![Step::Text("{\"text\": \"Half"), Step::Cut]),
        answer("{\"text\": 3}"),
        answer("no JSON at all"),
        Reply::Stream(vec![Step::Text("{}"), Step::Finish("content_filter"), Step::Done]),
        Reply::Status(200, vec![("content-type", "text/html".to_owned())], "hello".to_owned()),
    ] {
        let named = format!("{reply:?}");
        let fake = Fake::new([reply]).await;
        let writer = writers(&fake, "").of(WritingTask::Summary).expect("a chain");
        let deadline = Duration::from_millis(1_500);
        let hasty = WritingRequest { deadline, ..asked() };
        let began = Instant::now();
        let (outcome, screen) = write(&*writer, &hasty).await;
        let took = began.elapsed();
        assert_eq!(outcome.expect(&named).provider, "extractive", "{named}");
        assert_eq!(screen, LOCAL_SAYS, "nothing of the first stays: {named}");
        assert!(took < deadline, "{took:?}: {named}");
        fake.all_closed().await;
    }
}

#[tokio::test]
async fn a_wrong_form_is_repaired_by_the_same_provider() {
    let fake = Fake::new([answer("```json\n{\"text\": 3}\n```"), Reply::Sensible]).await;
    let writer = writers(&fake, "").of(WritingTask::Summary).expect("a chain");
    let (outcome, screen) = write(&*writer, &asked()).await;
    let written = outcome.expect("the second is right");
    assert_eq!((written.provider.as_str(), written.text == screen), ("lab", true));
    let seen = fake.seen();
    let messages = seen[1].body["messages"].as_array().expect("messages");
    assert_eq!(messages.len(), 4);
    assert_eq!(messages[2]["role"], "assistant");
    assert_eq!(written.tokens.written, 4 + 6);
}

#[tokio::test]
async fn a_failing_provider_is_soon_not_asked_any_more() {
    let fake = Fake::new([status(500)]).await;
    let writer = writers(&fake, "retries = 0\n").of(WritingTask::Summary).expect("a chain");
    for _ in 0..10 {
        assert_eq!(write(&*writer, &asked()).await.0.expect("local").provider, "extractive");
    }
    assert_eq!(fake.seen().len(), 5);
}

#[tokio::test]
async fn cards_that_came_too_late_take_no_summary_away() {
    let slow = Reply::Stream(vec![Step::Pause(Duration::from_secs(3_600))]);
    let mut replies = vec![slow; 6];
    replies.push(Reply::Sensible);
    let fake = Fake::new(replies).await;
    let writers = writers(&fake, "retries = 0\n");
    let cards = writers.of(WritingTask::Card).expect("a chain");
    let deadline = Duration::from_millis(200);
    let card = WritingRequest { task: WritingTask::Card, deadline, ..asked() };
    for _ in 0..6 {
        assert_eq!(write(&*cards, &card).await.0.expect("local").provider, "extractive");
    }
    let summaries = writers.of(WritingTask::Summary).expect("a chain");
    assert_eq!(write(&*summaries, &asked()).await.0.expect("in time").provider, "lab");
    assert_eq!(fake.seen().len(), 7);
}

#[tokio::test]
async fn who_is_silent_for_longer_than_anybody_may_is_soon_not_asked_any_more() {
    let fake = Fake::new([Reply::Stream(vec![Step::Pause(Duration::from_secs(3_600))])]).await;
    let more = "retries = 0\nfirst_text_ms = 60\n";
    let writer = writers(&fake, more).of(WritingTask::Summary).expect("a chain");
    for _ in 0..8 {
        assert_eq!(write(&*writer, &asked()).await.0.expect("local").provider, "extractive");
    }
    assert_eq!(fake.seen().len(), 5);
}

#[tokio::test]
async fn what_a_budget_does_not_allow_is_written_by_the_free_one() {
    let fake = Fake::new([Reply::Sensible]).await;
    let budget = "price_prompt = 1.0\nprice_written = 4.0\n\
                  [generation.budgets.acme]\nmoney_per_day = 0.000290\n";
    let writers = writers(&fake, budget);
    let writer = writers.of(WritingTask::Summary).expect("a chain");
    let mut by = Vec::new();
    for _ in 0..3 {
        by.push(write(&*writer, &asked()).await.0.expect("somebody").provider);
    }
    assert_eq!(by, ["lab", "extractive", "extractive"]);
    let spent = writers.ledger().spent_today(&request().tenant);
    assert_eq!(spent.micros, 9 + 6 * 4);
    let other = WritingRequest { tenant: "other".into(), ..asked() };
    assert_eq!(write(&*writer, &other).await.0.expect("somebody").provider, "lab");
}

#[tokio::test]
async fn measures_have_opentelemetrys_names_and_nobodys_words() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let meters = recorder.handle();
    // All of it runs on this thread.
    let guard = metrics::set_default_local_recorder(&recorder);
    let replies = [Reply::Sensible, status(503), Reply::Stream(vec![Step::Pause(Duration::MAX)])];
    let fake = Fake::new(replies).await;
    let writer = writers(&fake, "retries = 0\n").of(WritingTask::Summary).expect("a chain");
    for _ in 0..2 {
        assert!(write(&*writer, &asked()).await.0.is_ok());
    }
    let leaving = tokio::time::timeout(Duration::from_millis(50), write(&*writer, &asked())).await;
    assert!(leaving.is_err());
    drop(guard);
    let text = meters.render();
    for wanted in [
        "gen_ai_client_operation_duration",
        "gen_ai_client_operation_time_to_first_chunk",
        "gen_ai_client_token_usage",
        "gen_ai_provider_name=\"openai\"",
        "gen_ai_request_model=\"tiny\"",
        "gen_ai_token_type=\"output\"",
        "outcome=\"ok\"",
        "outcome=\"unavailable\"",
        "outcome=\"cancelled\"",
        "task=\"summary\"",
        "backchannel_writing_fallbacks_total{provider=\"lab\",why=\"unavailable\"} 1",
        "backchannel_writing_running{provider=\"lab\"} 0",
    ] {
        assert!(text.contains(wanted), "{wanted} is not in\n{text}");
    }
    assert!(!text.contains("Aurelia") && !text.contains("k-123"));
}

#[test]
fn a_missing_key_is_told_by_the_name_of_its_variable() {
    let text = "[generation]\nchain = [\"lab\"]\n[generation.providers.lab]\nkind = \"openai\"\n\
                url = \"http://127.0.0.1:1/v1\"\nmodel = \"m\"\nkey_env = \"NO_SUCH_KEY\"\n";
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("settings.toml");
    std::fs::write(&file, text).expect("written");
    let config = Config::load(Some(&file), std::iter::empty()).expect("they are right");
    let error = app::writers(&config.generation, &BTreeMap::new(), &|_| None);
    let error = error.err().expect("there is no key").to_string();
    assert_eq!(error, "provider lab: the variable NO_SUCH_KEY is not set");

    let checked = std::process::Command::new(env!("CARGO_BIN_EXE_backchannel"))
        .args(["check", "--config"])
        .arg(&file)
        .env_remove("NO_SUCH_KEY")
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert_eq!(checked.status.code(), Some(2), "{said}");
    assert!(said.contains("the variable NO_SUCH_KEY is not set"), "{said}");
    let checked = std::process::Command::new(env!("CARGO_BIN_EXE_backchannel"))
        .args(["check", "--config"])
        .arg(&file)
        .env("NO_SUCH_KEY", "very-secret")
        .output()
        .expect("it runs");
    let printed = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(printed.contains("[generation.providers.lab]") && !printed.contains("very-secret"));
    assert!(printed.contains("prompts, "), "{printed}");
}
