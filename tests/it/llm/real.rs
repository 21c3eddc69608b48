//! llama.cpp's own server with a real, small model. `.ci/llama_server` prepares both; a missing one
//! is a failure.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use backchannel::connect::llm::{OpenAi, Server};
use backchannel::domain::{ArticleId, Citation, PassageId, TenantId};
use backchannel::models::{self, Finish, Generator, Material, Piece, WritingRequest, WritingTask};
use backchannel::prompts::{Inputs, PromptSettings, Prompts};

use super::cassette::Cassette;
use super::conformance::{self, Candidate};
use super::{request, schema, write};

/// For a machine with two cores that compiles something else meanwhile.
const PATIENCE: Duration = Duration::from_secs(60);

struct Llama {
    process: Child,
    url: String,
}

impl Llama {
    async fn start() -> Self {
        let cache = models::installed("smollm2-135m-instruct").expect("make peers fetches it");
        let model = cache.file("model.gguf").expect("it has one").to_owned();
        let program = home().join("llama-server/llama-server");
        assert!(program.exists(), "{} is missing: make peers", program.display());
        let port = crate::ports::free_port();
        let process = Command::new(program)
            .arg("--model")
            .arg(model)
            .args(["--alias", "smollm2-135m-instruct"])
            .args(["--host", "127.0.0.1", "--port", &port.to_string()])
            // Several threads spin while they wait for each other: on a machine that others use as
            // well, two are fifty times slower than one.
            .args(["--ctx-size", "8192", "--parallel", "2", "--threads", "1", "--poll", "0"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let llama = Self { process, url: format!("http://127.0.0.1:{port}") };
        let client = reqwest::Client::new();
        let since = Instant::now();
        loop {
            let health = client.get(format!("{}/health", llama.url)).send().await;
            if health.is_ok_and(|health| health.status().is_success()) {
                return llama;
            }
            assert!(since.elapsed() < Duration::from_secs(60), "it doesn't get ready");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn writer(&self) -> OpenAi {
        let url = format!("{}/v1", self.url).parse().expect("an address");
        let mut server = Server::new("llama", url, "smollm2");
        server.first_text_patience = PATIENCE;
        OpenAi::new(server).expect("it can be set up")
    }
}

impl Drop for Llama {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The user's cache folder, as `models` finds it.
fn home() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(folder) = set("BACKCHANNEL_CACHE") {
        return folder.into();
    }
    let base = set("XDG_CACHE_HOME").map(PathBuf::from);
    let base = base.or_else(|| std::env::home_dir().map(|home| home.join(".cache")));
    base.expect("a home").join("backchannel")
}

/// A card from a passage, as the service asks for one.
pub fn card_request() -> WritingRequest {
    let passage = Citation {
        article_id: ArticleId::from("billing/duplicate-payments"),
        passage_id: PassageId::from("billing/duplicate-payments#2"),
        revision: 1,
        start_chars: 0,
        end_chars: 79,
        quote: "We refund a duplicate direct debit within five working days, to the account that \
                paid."
            .to_owned(),
    };
    let inputs = Inputs::new().turns([]).passages([&passage]).text("language", "en");
    let tenant = TenantId::from("demo");
    let prompts = Prompts::open(&PromptSettings::default()).expect("they are right");
    let rendered = prompts.render(&tenant, WritingTask::Card, &inputs).expect("it renders");
    let material = Material { turns: Vec::new(), passages: vec![passage] };
    let mut request = rendered.request(tenant, Arc::new(material));
    request.seed = Some(1);
    request.deadline = PATIENCE;
    request
}

#[tokio::test]
async fn a_real_server_streams_keeps_the_form_and_lets_go() {
    let llama = Llama::start().await;
    let writer = Arc::new(llama.writer());
    let plain = WritingRequest { deadline: PATIENCE, ..request() };

    let began = Instant::now();
    let (mut pieces, mut first) = (0, None);
    let written = writer
        .write(&plain, &mut |piece| {
            if let Piece::Text(_) = piece {
                pieces += 1;
                first.get_or_insert_with(|| began.elapsed());
            }
        })
        .await
        .expect("it writes");
    let (first, whole) = (first.expect("there was text"), began.elapsed());
    println!("first text after {first:?}, {pieces} pieces in {whole:?}, {:?}", written.tokens);
    assert!(pieces >= 10 && first < whole, "it streams");
    assert!(written.tokens.written.abs_diff(pieces) <= 3, "a token a piece, about");

    conformance::all(&Candidate {
        generator: writer.clone(),
        request: WritingRequest { max_tokens: 20, ..plain },
        with_schema: Some(WritingRequest {
            schema: Some(schema()),
            deadline: PATIENCE,
            ..request()
        }),
        // With two at once, batches round differently.
        is_repeatable: false,
        counts_tokens: true,
        grace: Duration::from_secs(1),
    })
    .await;

    // A built-in prompt with its own schema: the form holds, whatever the text is worth.
    let card = card_request();
    let schema = Arc::clone(&card.schema.as_ref().expect("a card has a form").schema);
    let (outcome, _) = write(&*writer, &card).await;
    let written = outcome.expect("it writes");
    println!("card: {:?} {:?}", written.finish, written.text);
    if written.finish == Finish::Stop {
        let value: serde_json::Value = serde_json::from_str(&written.text).expect("it is JSON");
        assert!(jsonschema::is_valid(&schema, &value), "{}", written.text);
    }

    // With BACKCHANNEL_RECORD set, the shipped tape is made anew.
    if std::env::var_os("BACKCHANNEL_RECORD").is_some() {
        let tape = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cassettes/smollm2.json");
        let recorder = Cassette::record(tape.as_ref(), writer).expect("it is one");
        write(&recorder, &card).await.0.expect("it is recorded");
    }
}
