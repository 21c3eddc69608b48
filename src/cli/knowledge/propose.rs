//! `backchannel knowledge propose [CONVERSATIONS…]`

use std::collections::BTreeMap;
use std::io::{BufWriter, IsTerminal as _, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::Outcome as Ending;
use super::target::{Refusal, Service, ServiceArgs};
use crate::app::LazyRecogniser;
use crate::batch::{Conversation, Means, each_conversation};
use crate::config::Config;
use crate::domain::{ErrorKind, Proof, ProvenSentence};
use crate::flow::wrapup::Reading;

const EXAMPLES: &str = "\
Examples:
  backchannel knowledge propose                          the service's own calls that are over
  backchannel knowledge propose archive/ --dry-run       what would become of an archive's
  backchannel knowledge propose calls.jsonl --report proposals.jsonl

Reads what `summarize` reads: JSON Lines, JSON, vCon, text, Parquet, and recordings. What an agent explained
and no article says becomes a draft, what an article says a part of a proposed change to it. The same
conversations again write nothing twice, so a run that broke off is simply begun anew. Exit code 2:
some conversations couldn't be read, the rest was compared.";

/// Read and not yet compared.
const AHEAD: usize = 16;
/// While articles are indexed the service can't compare: so often and so long it is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
const TRIES: usize = 60;

/// Draft what past conversations explain and no article says
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ProposeArgs {
    /// Files and folders with conversations; none: those of the service that are over
    #[arg(value_name = "CONVERSATIONS")]
    input: Vec<PathBuf>,
    /// Tell what would become of them, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Write a line of JSON for each conversation: what became of it
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    #[command(flatten)]
    service: ServiceArgs,
}

/// A conversation, and what is sent of it.
struct Item {
    total: u64,
    name: String,
    /// `None`: nothing is explained in it. An error: why it can't be read.
    body: Result<Option<Value>, String>,
}

/// # Errors
/// The input or the service can't be had, or the report can't be written.
pub fn run(args: &ProposeArgs, out: &mut dyn Write) -> anyhow::Result<Ending> {
    if let Some(path) = args.input.iter().find(|path| !path.exists()) {
        let why = format!("there is no {}", path.display());
        return Err(Refusal::new(ErrorKind::Invalid, why).into());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ending = runtime.block_on(propose(args, out));
    // A recording in the middle of its decoding is not waited for.
    runtime.shutdown_background();
    ending
}

async fn propose(args: &ProposeArgs, out: &mut dyn Write) -> anyhow::Result<Ending> {
    let service = args.service.open()?;
    let mut report = match &args.report {
        Some(path) => Some(BufWriter::new(
            std::fs::File::create(path)
                .with_context(|| format!("can't write {}", path.display()))?,
        )),
        None => None,
    };
    let (sender, mut items) = mpsc::channel(AHEAD);
    let reading = match args.input.is_empty() {
        true => {
            let ids = ended(&service).await?;
            let total = ids.len() as u64;
            tokio::spawn(async move {
                for id in ids {
                    let body = Ok(Some(json!({ "conversation_id": id })));
                    if sender.send(Item { total, name: id, body }).await.is_err() {
                        break;
                    }
                }
                Ok(())
            })
        }
        false => {
            let input = args.input.clone();
            tokio::task::spawn_blocking(move || read(&input, &sender))
        }
    };
    let bar = progress()?;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    while let Some(Item { total, name, body }) = items.recv().await {
        bar.set_length(total);
        let result = match body {
            Ok(Some(body)) => compare(&service, body, args.dry_run).await?,
            Ok(None) => json!({"outcome": "nothing"}),
            Err(why) => json!({"outcome": "unreadable", "detail": why}),
        };
        bar.inc(1);
        let outcome = result["outcome"].as_str().unwrap_or_default().to_owned();
        if let Some(line) = line(&outcome, &name, &result) {
            bar.suspend(|| writeln!(out, "{line}"))?;
        }
        if let Some(report) = &mut report {
            let mut line = result;
            line["conversation_id"] = name.into();
            writeln!(report, "{line}")?;
        }
        *counts.entry(outcome).or_default() += 1;
    }
    bar.finish_and_clear();
    reading.await.context("reading the conversations failed, which is a bug")??;
    if let Some(mut report) = report {
        report.flush()?;
    }
    let count = |what: &str| counts.get(what).copied().unwrap_or(0);
    writeln!(
        out,
        "{}{} drafted, {} changes proposed, {} covered, {} known, {} explain nothing, {} unreadable",
        if args.dry_run { "would be: " } else { "" },
        count("drafted"),
        count("changed"),
        count("covered"),
        count("known"),
        count("nothing"),
        count("unreadable"),
    )?;
    Ok(if count("unreadable") == 0 { Ok(()) } else { Err(ErrorKind::Invalid) })
}

/// What is said of a conversation; none of those of which nothing becomes.
fn line(outcome: &str, name: &str, result: &Value) -> Option<String> {
    let article = result["article_id"].as_str().unwrap_or_default();
    match outcome {
        "drafted" | "changed" => {
            let against = match result["conflicts"].as_u64() {
                Some(0) | None => String::new(),
                Some(conflicts) => format!(", contradicts {conflicts} published"),
            };
            Some(format!("{outcome:9} {article} from {name}{against}"))
        }
        "unreadable" => {
            let why = result["detail"].as_str().unwrap_or_default();
            Some(format!("{outcome:9} {name}: {why}"))
        }
        _ => None,
    }
}

fn progress() -> anyhow::Result<ProgressBar> {
    let bar = ProgressBar::hidden();
    if std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len} {eta}")?;
        bar.set_style(style.progress_chars("=> "));
        bar.set_message("conversations");
    }
    Ok(bar)
}

async fn ended(service: &Service) -> anyhow::Result<Vec<String>> {
    let (mut ids, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let mut query = vec![("state", "ended"), ("limit", "200")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let page = service.get("/v1/conversations", &query).await?;
        let items = page["items"].as_array().cloned().unwrap_or_default();
        ids.extend(items.iter().filter_map(|item| item["id"].as_str().map(str::to_owned)));
        match page["next"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    // The oldest first: what it explains, later ones repeat.
    ids.reverse();
    Ok(ids)
}

/// Waits while the service can't compare yet.
async fn compare(service: &Service, mut body: Value, is_dry_run: bool) -> anyhow::Result<Value> {
    body["dry_run"] = is_dry_run.into();
    let body = body.to_string();
    let mut tries = 0;
    loop {
        let path = "/v1/articles/proposals";
        let (status, answer) = service.send(Method::POST, path, &[], Some(body.clone())).await?;
        tries += 1;
        let is_busy =
            matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS);
        match status {
            _ if status.is_success() => return Ok(answer),
            // Too little was said in it, or nothing was explained.
            StatusCode::CONFLICT => return Ok(json!({"outcome": "nothing"})),
            StatusCode::UNPROCESSABLE_ENTITY | StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND => {
                return Ok(json!({"outcome": "unreadable", "detail": answer["detail"]}));
            }
            _ if is_busy && tries < TRIES => tokio::time::sleep(PATIENCE).await,
            // One conversation must not end the run of all.
            StatusCode::INTERNAL_SERVER_ERROR | StatusCode::GATEWAY_TIMEOUT => {
                return Ok(json!({"outcome": "unreadable", "detail": answer["detail"]}));
            }
            _ => return Err(service.refusal(status, &answer)),
        }
    }
}

fn read(input: &[PathBuf], sender: &mpsc::Sender<Item>) -> anyhow::Result<()> {
    let config = Config::default();
    let means = Means {
        zone: config.wrapup.zone(),
        recogniser: Arc::new(LazyRecogniser::new(config.speech)),
        store: None,
    };
    each_conversation(input, &means, &mut |total, place, understood| {
        let place = match place.line {
            Some(line) => format!("{}:{line}", place.file),
            None => place.file.clone(),
        };
        let (name, body) = match understood.conversation {
            Ok(conversation) => (conversation.id.clone(), Ok(said(&conversation))),
            Err(error) => (place, Err(error.to_string())),
        };
        sender.blocking_send(Item { total, name, body }).is_ok()
    })?;
    Ok(())
}

/// What an agent explained in it; `None` where that is nothing.
fn said(conversation: &Conversation) -> Option<Value> {
    let reading = Reading::of(&conversation.material, &conversation.circumstances).ok()?;
    let proposal = reading.article().ok()?;
    let answer: Vec<Value> = proposal.answer.iter().map(sentence).collect();
    Some(json!({
        "conversation_id": conversation.id,
        "language": reading.language().code(),
        "question": sentence(&proposal.question),
        "answer": answer,
    }))
}

fn sentence(proven: &ProvenSentence) -> Value {
    let turns = proven.proofs.iter().filter_map(|proof| match proof {
        Proof::Turn(cited) => {
            Some(json!({"turn_id": cited.turn_id.as_str(), "quote": cited.quote.as_str()}))
        }
        Proof::Passage(_) => None,
    });
    json!({"sentence": proven.text.as_str(), "turns": turns.collect::<Vec<_>>()})
}
