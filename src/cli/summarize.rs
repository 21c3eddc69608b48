//! `backchannel summarize INPUT… -o OUT`

mod progress;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use self::progress::Progress;
use super::Failure;
use crate::app::{self, LazyRecogniser};
use crate::batch::{
    Batch, BatchOrder, Caps, Ending, Format, Halt, Inputs, Means, Opened, Paths, Share, Sums, What,
    WritingOrder, on_a_thread, stored,
};
use crate::config::Config;
use crate::domain::{ErrorKind, TenantId};
use crate::insight::redaction;
use crate::store::{Place, SqliteStore, Store};

const HELP: &str = "\
Examples:
  backchannel summarize chats.jsonl -o summaries.jsonl
  backchannel summarize archive/ recordings/ -o out.jsonl --what summary,followups,email
  backchannel summarize store -o week.parquet --format parquet

INPUT is a file, or a folder, with all files in it that are of these kinds:
  .jsonl    a conversation a line: {\"id\": \"a1\", \"started_at\": \"2026-03-02T10:00:00Z\",
            \"language\": \"en\", \"turns\": [{\"role\": \"customer\", \"text\": \"…\", \"start_ms\": 0}]}
            Only turns with role and text are needed. Other names are understood: messages,
            transcript; speaker, party, from; content, body, message; user, caller, assistant, rep …
  .json     one such conversation, or a vCon (.vcon)
  .txt      one transcript: \"Customer: …\", \"Agent: …\", a line a turn
  .parquet  a conversation a row, columns named as above (turns as a list, or transcript as text)
  audio     WAV, FLAC, MP3, M4A, Ogg Opus: transcribed first; the customer is on the left
  store     the word instead of a file: all ended conversations of the service's own log

OUT gets a line (or row) for each conversation, in the input's order; OUT.provenance.jsonl says who
wrote it, from what and when; OUT.errors.jsonl has what could not be read or written about, with file,
line and reason. Nothing stands in OUT until all is done. Until then OUT.work has what is finished:
after a kill or Ctrl-C the same command goes on from there. The same id twice is two conversations.

Without [generation] in the settings, sentences of the conversation are chosen, and nothing leaves the
machine. A model's sentences are checked against the conversation, and struck where they don't hold.

What passes is waited for: a provider that is down or denies the key, a recogniser that isn't there.
The others are written, and the same command goes on with the rest; --give-up makes errors of it. To
let somebody else write instead, name them in the provider's chain, such as [\"lab\", \"extractive\"].

Exit code 0: all written; 2: some or all of the input was bad; 75: stopped by --budget, --max-cost, a
full disk or something else that passes; 130: stopped by Ctrl-C.";

/// Write summaries and more about a whole archive of conversations
///
/// Goes on where it was broken off. The same input, settings and seed give the same bytes. Card
/// numbers are masked before anything is written.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub struct SummarizeArgs {
    /// Files or folders of conversations, or `store`
    #[arg(required = true)]
    input: Vec<PathBuf>,
    /// Where the output goes
    #[arg(long, short, value_name = "OUT")]
    output: PathBuf,
    /// One JSON object a line, one vCon a line, or Parquet
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
    /// What to write, of summary, followups, disposition, email, article
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "summary,followups,disposition"
    )]
    what: Vec<What>,
    /// Conversations to write about at once, also where the settings give a provider fewer
    /// [default: what suits the writer]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    concurrency: Option<u16>,
    /// Stop when so many tokens are used; conversations under way are finished
    #[arg(long, value_name = "TOKENS")]
    budget: Option<u64>,
    /// Stop when so much money is spent, in the currency of the prices
    #[arg(long, value_name = "AMOUNT", value_parser = amount)]
    max_cost: Option<f64>,
    /// Make errors of the conversations that are waited for, and finish
    #[arg(long)]
    give_up: bool,
    /// Goes to the writer, and into the provenance
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Settings file (TOML): sections, dispositions, time zone, who writes (`[generation]`)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of the event log, for `store` [default: ~/.local/share/backchannel]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Show no progress
    #[arg(long, short)]
    quiet: bool,
}

fn amount(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(amount) if amount.is_finite() && amount >= 0.0 => Ok(amount),
        _ => Err("an amount is a number, such as 2.50".to_owned()),
    }
}

impl SummarizeArgs {
    fn order(&self, inputs: Inputs) -> BatchOrder {
        BatchOrder {
            inputs,
            output: self.output.clone(),
            format: self.format,
            writing: WritingOrder {
                drafts: What::drafts(&self.what),
                seed: self.seed,
                job: self.output.display().to_string().into(),
            },
            concurrency: self.concurrency.map(usize::from),
            caps: Caps {
                tokens: self.budget,
                cost_micros: self.max_cost.map(|amount| (amount * 1e6).round() as u64),
            },
            share: Share::Whole,
            give_up: self.give_up,
        }
    }
}

/// The whole command.
///
/// # Errors
/// The batch can't begin or go on.
pub fn run(args: &SummarizeArgs) -> Result<ExitCode, Failure> {
    let mut config = Config::load(args.config.as_deref(), std::env::vars())?;
    redaction::mask(config.redaction.kinds());
    if let Some(concurrency) = args.concurrency {
        // A provider that takes fewer would let the others wait, and their time run out.
        let providers = config.generation.providers.values_mut();
        providers.for_each(|provider| provider.concurrency = usize::from(concurrency));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(ErrorKind::Internal, error.to_string()))?;
    let code = runtime.block_on(batch(args, &config));
    // A recording in the middle of its decoding is not waited for.
    runtime.shutdown_background();
    code
}

async fn batch(args: &SummarizeArgs, config: &Config) -> Result<ExitCode, Failure> {
    let mut means = Means {
        zone: config.wrapup.zone(),
        recogniser: Arc::new(LazyRecogniser::new(config.speech.clone())),
        store: None,
    };
    let tenant = TenantId::from("default");
    let inputs = if args.input == [Path::new("store")] {
        let place = match &args.data {
            Some(folder) => Place::Folder(folder.clone()),
            None => {
                let wrong = |error| Failure::invalid(format!("store.url: {error}"));
                config.store.place().map_err(wrong)?
            }
        };
        if let Place::Folder(folder) = &place
            && !SqliteStore::is_in(folder)
        {
            let message = format!("{}: there is no event log in it", folder.display());
            return Err(Failure::new(ErrorKind::NotFound, message));
        }
        let store: Arc<dyn Store> = Arc::new(place.open(Arc::new(|_: &[_]| ())).await?);
        let ids = stored::ids(store.as_ref(), &tenant, None).await?;
        means.store = Some((store, tenant.clone()));
        Inputs::Stored(ids)
    } else {
        Inputs::Files(args.input.clone())
    };
    let (order, store, for_author) = (args.order(inputs), means.store.clone(), config.clone());
    let reading = Progress::of_reading(args.quiet);
    let opened = on_a_thread(move || {
        let author = app::author(&for_author)?;
        let settings = Arc::new(for_author.wrapup.settings());
        let writer = app::batch_writer(&author, &for_author.generation, &settings, tenant);
        Batch::open(order, writer, means).map_err(Failure::from)
    })
    .await;
    reading.finish().await;
    let ending = match opened? {
        Opened::Complete(sums) => {
            let conversations = sums.written + sums.failed;
            eprintln!(
                "{} is complete already: {} of {conversations} conversations are written about",
                args.output.display(),
                sums.written,
            );
            Ok(Ending::Complete(sums))
        }
        Opened::Ready(batch) => {
            batch.notes().iter().for_each(|note| eprintln!("note: {note}"));
            let stop = CancellationToken::new();
            let progress = Progress::begin(batch.tally(), args.quiet);
            let ending = stoppable(batch, stop).await;
            progress.finish().await;
            ending
        }
    };
    if let Some((store, _)) = store {
        store.close().await;
    }
    report(args, ending?)
}

async fn stoppable(batch: Box<Batch>, stop: CancellationToken) -> Result<Ending, Failure> {
    let asked = stop.clone();
    let signals = signal(SignalKind::interrupt()).and_then(|interrupt| {
        signal(SignalKind::terminate()).map(|terminate| (interrupt, terminate))
    });
    let (mut interrupt, mut terminate) =
        signals.map_err(|error| Failure::new(ErrorKind::Internal, error.to_string()))?;
    let listening = tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        asked.cancel();
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        // All that was finished is on the disk, and nobody wants to wait for the rest.
        std::process::exit(INTERRUPTED.into());
    });
    let ending = batch.run(stop).await;
    listening.abort();
    Ok(ending?)
}

const INTERRUPTED: u8 = 130;
const TRY_LATER: u8 = 75;
const BAD_INPUT: u8 = 2;

fn report(args: &SummarizeArgs, ending: Ending) -> Result<ExitCode, Failure> {
    let output = args.output.display();
    let (why, sums) = match ending {
        Ending::Complete(sums) => return Ok(finished(args, sums)),
        Ending::Stopped { why, sums } => (why, sums),
    };
    let (said, go_on, code) = match why {
        Halt::Asked => ("stopped".to_owned(), "run the same command to go on", INTERRUPTED),
        Halt::Budget => (
            format!("the budget is used up: {} tokens, cost {:.2}", sums.tokens, cost(sums)),
            "run the same command with a larger --budget or --max-cost to go on",
            TRY_LATER,
        ),
        Halt::Unavailable(why) if args.give_up => (why, "run the same command to go on", TRY_LATER),
        Halt::Unavailable(why) => (
            why,
            "run the same command to go on, or with --give-up to do without the rest that waits",
            TRY_LATER,
        ),
    };
    let done = sums.written + sums.failed;
    eprintln!("{said}; {done} conversations are done and kept in {output}.work: {go_on}");
    Ok(ExitCode::from(code))
}

fn cost(sums: Sums) -> f64 {
    sums.cost_micros as f64 / 1e6
}

fn finished(args: &SummarizeArgs, sums: Sums) -> ExitCode {
    let paths = Paths::of(&args.output);
    let all = sums.written + sums.failed;
    if !args.quiet {
        eprintln!("{} of {all} conversations: {}", sums.written, paths.output.display());
    }
    if sums.failed == 0 {
        return ExitCode::SUCCESS;
    }
    let how_many = match sums.written {
        0 => "none of the conversations".to_owned(),
        _ => format!("{} of {all} conversations not", sums.failed),
    };
    let first = first_error(&paths.errors).unwrap_or_default();
    eprintln!(
        "error: {how_many} written about, see {}; the first: {first}",
        paths.errors.display()
    );
    ExitCode::from(BAD_INPUT)
}

/// `chats.jsonl:17: field "turns[3].role" is no role …`
fn first_error(path: &Path) -> Option<String> {
    let mut line = String::new();
    BufReader::new(std::fs::File::open(path).ok()?).read_line(&mut line).ok()?;
    let error: serde_json::Value = serde_json::from_str(&line).ok()?;
    let line = error["line"].as_u64().map(|line| format!(":{line}")).unwrap_or_default();
    let field = error["field"].as_str().map(|field| format!("field \"{field}\" "));
    let (file, reason) = (error["file"].as_str()?, error["reason"].as_str()?);
    Some(format!("{file}{line}: {}{reason}", field.unwrap_or_default()))
}
